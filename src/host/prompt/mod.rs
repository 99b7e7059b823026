//! Questions, asked only of a person at a terminal, and nothing is shown of the answers.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::io::{self, BufRead, IsTerminal, Read};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(unix)]
pub use unix::Terminal;
#[cfg(windows)]
pub use windows::Terminal;

use crate::error::Error;
use crate::model::text::Text;

static NEVER: AtomicBool = AtomicBool::new(false);

/// From now on nobody is asked (`--yes`).
pub fn never_ask() {
    NEVER.store(true, Ordering::SeqCst);
}

/// Whether there was a person to ask, where standard input has been put to another use since.
static BEFORE: OnceLock<bool> = OnceLock::new();

/// From now on there is a person to ask if the run before sudo had one.
pub fn can_ask_as_before(could: bool) {
    // Handed over once.
    _ = BEFORE.set(could);
}

/// Whether there is a person to ask: standard input is a terminal, and there is one to ask on.
pub fn can_ask() -> bool {
    let has_input = || BEFORE.get().copied().unwrap_or_else(|| io::stdin().is_terminal());
    !NEVER.load(Ordering::SeqCst) && has_input() && Terminal::is_there()
}

/// The longest line that is read from standard input for a password, in bytes.
const LONGEST_LINE: u64 = 4096;

/// The first line of standard input, without its end and the mark that some programs of Windows put in front.
///
/// # Errors
/// When it cannot be read.
pub fn line_of_input() -> Result<Vec<u8>, Error> {
    let mut line = Vec::new();
    let read = io::stdin().lock().take(LONGEST_LINE).read_until(b'\n', &mut line);
    read.map_err(|source| Error::io("reading", &Text::from("standard input"), source))?;
    let line = line.strip_suffix(b"\n").unwrap_or(&line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Ok(line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line).to_vec())
}

/// What was typed for an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    /// A value.
    Value(Text),
    /// Nothing: an empty line, or the end of input.
    Nothing,
    /// A key that stands for no character of a value, such as an arrow: its first byte.
    Key(u8),
    /// More than a terminal takes in one line, so that the rest is lost.
    TooLong {
        /// How much it takes, in bytes.
        most: usize,
    },
}

impl Answer {
    /// What a line means, which is without its end.
    fn read(line: Vec<u8>) -> Self {
        match line.iter().find(|byte| byte.is_ascii_control() && **byte != b'\t') {
            _ if line.is_empty() => Self::Nothing,
            Some(key) => Self::Key(*key),
            None => Self::Value(Text::from_bytes(line)),
        }
    }
}
