//! Questions, asked only of a person at a terminal.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

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

/// Whether there is a person to ask: standard input and standard error are a terminal.
pub fn can_ask() -> bool {
    let has_input = || BEFORE.get().copied().unwrap_or_else(|| io::stdin().is_terminal());
    !NEVER.load(Ordering::SeqCst) && has_input() && io::stderr().is_terminal()
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
