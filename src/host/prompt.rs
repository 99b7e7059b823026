//! Questions, asked only of a person at a terminal.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::error::Error;
use crate::model::text::Text;

/// Whether there is a person to ask: standard input and standard error are a terminal.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a value without showing what is typed.
///
/// # Errors
/// When the terminal goes away.
pub fn secret(question: &str) -> Result<Text, Error> {
    rpassword::prompt_password(format!("{question}: "))
        .map(Text::from)
        .map_err(|source| Error::io("asking on", &Text::from("the terminal"), source))
}

/// Asks a question whose answer is yes or no; anything but yes is no.
pub fn confirm(question: &str) -> bool {
    eprint!("{question} [y/N] ");
    drop(io::stderr().flush());
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}
