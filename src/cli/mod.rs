//! The command line: from argv to a use case of [`crate::commands`], and from what came of it to text and an exit code.

pub mod broken;
mod completions;
mod drift;
pub mod install;
pub mod manage;
mod options;
mod output;
mod parse;
mod preview;
mod report;

use crate::error::Fault;

/// Text or JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Format {
    #[default]
    Text,
    Json,
}

impl Format {
    fn read(word: Option<&str>, faults: &mut Vec<Fault>) -> Self {
        match word {
            None | Some("text") => Self::Text,
            Some("json") => Self::Json,
            Some(other) => {
                faults.push(Fault::new("option `--format`", "must be `text` or `json`").given(other));
                Self::Text
            }
        }
    }
}
