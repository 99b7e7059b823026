//! What is printed: what a command was asked for on standard output, and what is told beside it on standard error.
//!
//! This is the one door to both. It remembers when standard output could not be written, and [`end`] makes an error of
//! that; nobody is there to be told that standard error could not.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use terminal_size::{Height, Width};

use super::hidden;
use super::styled::{Look, Styled};
use crate::error::Error;
use crate::host::called::Called;

pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(super) const HELP: Style = AnsiColor::Cyan.on_default().bold();
pub(super) const NOTE: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const HEADING: Style = Style::new().bold();
pub(super) const ADDED: Style = AnsiColor::Green.on_default();
pub(super) const REMOVED: Style = AnsiColor::Red.on_default();

/// How far in an error goes on.
const HANG: usize = 4;

/// How the printing of this process went so far.
struct Printed {
    /// Why the first thing could not be printed that could not. Nothing is printed after it.
    lost: Option<io::Error>,
    /// Whether it was about something that has been done.
    is_done: bool,
}

static PRINTED: Mutex<Printed> = Mutex::new(Printed { lost: None, is_done: false });

/// Ends a command: prints its error, if any, and gives the exit code. A reader of standard output who has gone away
/// (`| head`) has what they wanted.
pub(super) fn end(name: &str, result: Result<u8, Error>) -> ExitCode {
    let mut printed = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    let lost = printed.lost.take().filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
    let is_done = printed.is_done && result.is_ok();
    let result = result.inspect_err(|error| report(name, error));
    let not_printed = lost.map(|source| Error::NotPrinted { source, is_done });
    not_printed.iter().for_each(|error| report(name, error));
    ExitCode::from(match (result, not_printed) {
        // What went wrong first says more.
        (Err(error), _) | (Ok(_), Some(error)) => error.exit_code(),
        (Ok(code), None) => code,
    })
}

pub(super) fn report(name: &str, error: &Error) {
    let mut out = Styled::default();
    let fault = |out: &mut Styled, fault: &dyn fmt::Display| {
        let mut line = Styled::default();
        line.plain(format_args!("{name}: ")).styled(ERROR, "error").plain(format_args!(": {fault}"));
        out.prose(HANG, line);
    };
    let help = |out: &mut Styled, help: &str| {
        let mut line = Styled::default();
        line.plain("  ").styled(HELP, "help").plain(format_args!(": {help}"));
        out.advice("help: ".len(), line);
    };
    match error {
        // Each fault with its own help below it.
        Error::Refused(faults) => {
            for one in faults {
                fault(&mut out, one);
                one.help.iter().for_each(|line| help(&mut out, line));
            }
            if faults.len() > 1 {
                out.prose(HANG, format_args!("{name}: {} errors; nothing was changed", faults.len()));
            }
        }
        _ => {
            fault(&mut out, error);
            error.help().iter().for_each(|line| help(&mut out, line));
        }
    }
    say_styled(&out);
}

/// Prints what the command was asked for.
pub(super) fn print(text: impl Into<Styled>) {
    print_with(false, |look| text.into().rendered(look));
}

/// Prints what has been done: should that fail, the error says that it is done all the same.
pub(super) fn print_done(text: impl Into<Styled>) {
    print_with(true, |look| text.into().rendered(look));
}

/// Prints a JSON document, which stays the same document wherever it is printed.
pub(super) fn print_json(document: &str) {
    print_with(false, |look| match look.is_terminal {
        true => hidden::shown_in_json(document).into_owned().into_bytes(),
        false => document.as_bytes().to_vec(),
    });
}

fn print_with(is_done: bool, bytes: impl FnOnce(Look) -> Vec<u8>) {
    let mut printed = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    printed.is_done |= is_done;
    if printed.lost.is_none() {
        let choice = AutoStream::choice(&io::stdout());
        printed.lost = write(choice, &bytes(look(&io::stdout(), choice))).err();
    }
}

/// Writes to standard output, all of it at once.
///
/// Not by way of the standard library's own handle, which takes a stream that is closed for writing for one that
/// nobody wants (`handle_ebadf` in `library/std/src/io/stdio.rs`).
#[cfg(unix)]
fn write(_choice: ColorChoice, bytes: &[u8]) -> io::Result<()> {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd;
    let stdout = std::fs::File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut rest = bytes;
    while !rest.is_empty() {
        match (&stdout).write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => rest = &rest[length..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Whoever has it open beside us does not want to wait; we do.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                _ = poll(&mut [PollFd::new(stdout.as_fd(), PollFlags::POLLOUT)], PollTimeout::NONE);
            }
            Err(error) => return Err(error),
        }
    }
    // Some file systems find out now that they have no room (close(2)).
    Ok(nix::unistd::close(stdout)?)
}

/// Writes to standard output, all of it at once; by way of the console where it is one, in its own words for styles.
#[cfg(windows)]
fn write(choice: ColorChoice, bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match choice {
        ColorChoice::Never => stdout.write_all(bytes)?,
        choice => AutoStream::new(&mut stdout, choice).write_all(bytes)?,
    }
    stdout.flush()
}

/// Tells what goes on, beside what the command was asked for.
pub(super) fn say(line: impl fmt::Display) {
    say_styled(&Styled::from(format_args!("{line}\n")));
}

pub(super) fn note(line: impl fmt::Display) {
    say_styled(&noted(line));
}

/// The same, for what follows it.
pub(super) fn noted(line: impl fmt::Display) -> Styled {
    let (mut out, mut text) = (Styled::default(), Styled::default());
    text.styled(NOTE, "note").plain(format_args!(": {line}"));
    out.advice("note: ".len(), text);
    out
}

/// Tells what can be typed next.
pub(super) fn advise(line: impl fmt::Display) {
    let mut out = Styled::default();
    out.advice(0, line);
    say_styled(&out);
}

pub(super) fn say_styled(text: &Styled) {
    let choice = AutoStream::choice(&io::stderr());
    let bytes = text.rendered(look(&io::stderr(), choice));
    drop(match choice {
        ColorChoice::Never => io::stderr().lock().write_all(&bytes),
        choice => AutoStream::new(io::stderr().lock(), choice).write_all(&bytes),
    });
}

#[cfg(unix)]
fn look(stream: &(impl RawStream + std::os::fd::AsFd), choice: ColorChoice) -> Look {
    look_of(stream.is_terminal(), choice, terminal_size::terminal_size_of(stream))
}

#[cfg(windows)]
fn look(stream: &(impl RawStream + std::os::windows::io::AsHandle), choice: ColorChoice) -> Look {
    look_of(stream.is_terminal(), choice, terminal_size::terminal_size_of(stream))
}

fn look_of(is_terminal: bool, choice: ColorChoice, size: Option<(Width, Height)>) -> Look {
    let width = size.filter(|_| is_terminal).map(|(Width(columns), _)| usize::from(columns));
    Look { is_terminal, has_styles: choice != ColorChoice::Never, width, called: Called::now() }
}
