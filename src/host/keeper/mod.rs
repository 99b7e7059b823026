//! Runs code that is not ours, such as the modules of a Python program: as the account that it is for, and ended with
//! all that it has started, however it was started.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::time::Duration;

#[cfg(unix)]
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::process::Outcome;
use crate::model::invocation::Invocation;
use crate::model::text::Text;

#[cfg(unix)]
pub use unix::{is_asked_for, run, serve};
#[cfg(windows)]
pub use windows::run;

/// What is to be run.
#[derive(Debug)]
#[cfg_attr(unix, derive(Serialize, Deserialize))]
pub struct Task {
    /// The program and its arguments.
    pub argv: Invocation,
    /// Where it runs.
    pub directory: Text,
    /// All of its environment.
    pub environment: Vec<(Text, Text)>,
    /// Who it runs as; `None` is whoever runs this.
    pub account: Option<Account>,
}

/// What came of it.
#[derive(Debug)]
pub struct Kept {
    /// How it ended; `None` where it had to be ended, because it was not done in time.
    pub outcome: Option<Outcome>,
    /// The names of processes that it had left behind, and that were ended.
    pub left: Vec<Text>,
    /// The names of those that could not be: they belong to somebody else.
    pub stays: Vec<Text>,
}

/// What is done once where something takes longer than this.
pub type Long<'a> = Option<(Duration, &'a mut dyn FnMut())>;
