//! What RunService does for the batches of an export, because cmd.exe cannot.

use std::ffi::OsStr;
use std::io::{self, Write as _};

use super::program::say;
use crate::host::reading::{self, Limit, Links};
use crate::host::{process, state};
use crate::model::text::Text;

/// What ends with something to say of the directory, or without the file.
const FAILED: i32 = 1;

/// Does what a batch asks for with `word`, and gives the exit code; none where it asks for nothing.
pub(super) fn help(word: &OsStr, path: &Text) -> Option<i32> {
    match word.to_str()? {
        "--guard" => Some(guard(path)),
        "--print" => Some(print(path)),
        _ => None,
    }
}

/// Says who else than administrators can change the state directory `path`, with the commands that put it right.
fn guard(path: &Text) -> i32 {
    match state::guard_directory(path) {
        Ok(()) => 0,
        Err(error) => {
            say(&format!("error: {error}"));
            error.help().iter().for_each(|help| say(&format!("  help: {help}")));
            FAILED
        }
    }
}

/// Prints a file that NSSM has written, as people read it.
fn print(path: &Text) -> i32 {
    let Ok(bytes) = reading::whole(path, Links::Refused, Limit::TEXT) else { return FAILED };
    // One whose output nobody takes any more has nothing else to say either.
    drop(io::stdout().write_all(words(&bytes).as_bytes()));
    0
}

/// What NSSM says, its lines ended once and without those that are empty.
fn words(bytes: &[u8]) -> String {
    let text = process::decode(bytes).replace('\r', "");
    text.lines().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nssm_says_is_read_as_it_means_it() {
        let said = "Can't open service!\r\r\nOpenService(): é 日本.\r\r\n\r\r\n";
        let bytes: Vec<u8> = said.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(words(&bytes), "Can't open service!\nOpenService(): é 日本.\n");
        assert_eq!(words(&bytes[..7]), "Can\n");
        // As 2.24-101 does.
        assert_eq!(words(said.as_bytes()), words(&bytes));
    }

    #[test]
    fn nothing_else_is_meant_for_it() {
        assert_eq!(help(OsStr::new("web"), &"--guard".into()), None);
    }
}
