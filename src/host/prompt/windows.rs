//! Asking on the console.

use std::io::{self, IsTerminal};
use std::thread;
use std::time::Duration;

use super::Answer;
use crate::error::Error;
use crate::host::interrupt;
use crate::model::text::Text;

/// How long it takes at most until an interrupt is noted that has ended the reading of a line.
const MOMENT: Duration = Duration::from_millis(100);

/// The console, which shows nothing of what is typed while it asks.
#[derive(Debug)]
pub struct Terminal(());

impl Terminal {
    /// Whether this process has a console.
    pub fn is_there() -> bool {
        io::stderr().is_terminal()
    }

    /// Begins to ask. From now on an interrupt is noted.
    ///
    /// # Errors
    /// None here.
    pub fn begin() -> Result<Self, Error> {
        interrupt::listen();
        Ok(Self(()))
    }

    /// Asks for one line.
    ///
    /// # Errors
    /// When the console goes away, and [`Error::Interrupted`].
    pub fn ask(&mut self, question: &str) -> Result<Answer, Error> {
        let typed = rpassword::prompt_password(format!("{question}: "));
        // Ctrl-C ends the reading as Enter does, and is told by another thread.
        thread::sleep(MOMENT);
        interrupt::check()?;
        let line = typed.map_err(|source| Error::io("asking on", &Text::from("the console"), source))?;
        Ok(Answer::read(line.into_bytes()))
    }
}
