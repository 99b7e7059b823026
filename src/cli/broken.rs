//! What is told when a command of ours is broken itself: where, and no value that it worked with.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::ffi::OsString;
use std::panic::{self, UnwindSafe};
use std::process::ExitCode;

use super::output::{ERROR, HELP, end, say_styled};
use super::styled::Styled;
use crate::error::{Error, exit};

/// Runs a command with the words that were typed, prints its error, if any, and gives the exit code.
///
/// `name` is the command as people type it. A panic is an error like others: what the run had begun is
/// in its journal.
pub fn start(
    name: &'static str,
    words: Vec<OsString>,
    command: impl FnOnce(Vec<OsString>) -> Result<u8, Error> + UnwindSafe,
) -> ExitCode {
    panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
        let mut out = Styled::default();
        out.plain(format_args!("{name}: ")).styled(ERROR, "error");
        out.plain(format_args!(": this is a bug{place}{}\n", said(panic.payload())));
        let help = "report the line above; `ManageService --list` undoes what was started";
        out.plain("  ").styled(HELP, "help").plain(format_args!(": {help}\n"));
        // Names of functions and lines, if RUST_BACKTRACE asks for them.
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            out.plain(format_args!("{trace}\n"));
        }
        say_styled(&out);
    }));
    match panic::catch_unwind(|| command(words)) {
        Ok(result) => end(name, result),
        Err(_) => ExitCode::from(exit::FAILED),
    }
}

/// The words of a panic where they stand in the source like that. Others are made of what the command
/// had at hand, which may be a secret.
fn said(payload: &(dyn Any + Send)) -> String {
    payload.downcast_ref::<&'static str>().map_or_else(String::new, |words| format!(": {words}"))
}
