//! What is printed: what a command was asked for on standard output, and what is told beside it on standard error.

use std::io::{self, Write};
use std::process::ExitCode;

use anstream::ColorChoice;
use anstream::adapter::strip_str;
use anstyle::{AnsiColor, Style};

use crate::error::Error;

pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(super) const HELP: Style = AnsiColor::Cyan.on_default().bold();
pub(super) const NOTE: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const HEADING: Style = Style::new().bold();
pub(super) const ADDED: Style = AnsiColor::Green.on_default();
pub(super) const REMOVED: Style = AnsiColor::Red.on_default();

/// Ends a command: prints its error, if any, and gives the exit code.
pub(super) fn end(name: &str, result: Result<u8, Error>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            report(name, &error);
            ExitCode::from(error.exit_code())
        }
    }
}

pub(super) fn report(name: &str, error: &Error) {
    let mut out = String::new();
    match error {
        // Each fault with its own help below it.
        Error::Refused(faults) => {
            for fault in faults {
                out += &format!("{name}: {ERROR}error{ERROR:#}: {fault}\n");
                if let Some(help) = &fault.help {
                    out += &format!("  {HELP}help{HELP:#}: {help}\n");
                }
            }
            if faults.len() > 1 {
                out += &format!("{name}: {} errors; nothing was changed\n", faults.len());
            }
        }
        _ => {
            out += &format!("{name}: {ERROR}error{ERROR:#}: {error}\n");
            for help in error.help() {
                out += &format!("  {HELP}help{HELP:#}: {help}\n");
            }
        }
    }
    say_styled(&out);
}

/// Prints what the command was asked for. A reader who has gone away (`| head`) is no error.
pub(super) fn print(text: &str) {
    match anstream::stdout().current_choice() {
        ColorChoice::Never => {
            // In large pieces: a stream that takes colours out writes each stretch between them by itself.
            let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
            drop(strip_str(text).try_for_each(|piece| out.write_all(piece.as_bytes())).and_then(|()| out.flush()));
        }
        _ => drop(anstream::stdout().lock().write_all(text.as_bytes())),
    }
}

/// Prints bytes that are not for a terminal, such as JSON.
pub(super) fn print_plain(text: &str) {
    drop(io::stdout().lock().write_all(text.as_bytes()));
}

/// Tells what goes on, beside what the command was asked for.
pub(super) fn say(line: &str) {
    say_styled(&format!("{line}\n"));
}

pub(super) fn note(line: &str) {
    say_styled(&format!("{NOTE}note{NOTE:#}: {line}\n"));
}

pub(super) fn say_styled(text: &str) {
    match anstream::stderr().current_choice() {
        ColorChoice::Never => drop(io::stderr().lock().write_all(strip_str(text).to_string().as_bytes())),
        _ => drop(anstream::stderr().lock().write_all(text.as_bytes())),
    }
}

/// Styled text without its styles.
pub(super) fn without_styles(styled: &str) -> String {
    strip_str(styled).to_string()
}
