//! The command line: from argv to a use case of [`crate::commands`], and from what came of it to text and an exit code.

pub mod broken;
mod called;
mod completions;
mod drift;
mod help;
mod hidden;
mod import;
pub mod install;
pub mod manage;
#[cfg(feature = "manual")]
pub mod manual;
mod misplaced;
mod options;
mod output;
mod parse;
mod preview;
mod properties;
mod prose;
mod report;
mod styled;
mod typed;

use std::ffi::OsString;

use anstream::ColorChoice;

use crate::error::Error;
use crate::host::{environment, sudo};
use crate::model::word::Word;

/// What a command does first: it takes what the run before sudo handed to it; gives the words that were typed.
///
/// # Errors
/// As [`sudo::arrive`].
fn arrived(argv: Vec<OsString>) -> Result<Vec<OsString>, Error> {
    let argv = sudo::arrive(argv)?;
    // What anstream looks for in its own environment (<https://no-color.org>, <https://bixense.com/clicolors>).
    let set = |name: &str| environment::non_empty(name);
    if set("NO_COLOR").is_some() {
        ColorChoice::Never.write_global();
    } else if set("CLICOLOR_FORCE").is_some_and(|value| value.as_bytes() != b"0") {
        ColorChoice::Always.write_global();
    } else if set("CLICOLOR").is_some_and(|value| value.as_bytes() == b"0") {
        ColorChoice::Never.write_global();
    }
    Ok(argv)
}

/// Text or JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Format {
    #[default]
    Text,
    Json,
}

impl Word for Format {
    const WORDS: &'static [(&'static str, Self)] = &[("text", Self::Text), ("json", Self::Json)];
}
