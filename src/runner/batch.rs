//! What RunService does for the batches of an export, because cmd.exe cannot.

use std::ffi::OsStr;
use std::io::{self, Write as _};

use super::program::say;
use crate::host::reading::{self, Limit, Links};
use crate::host::state;
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

/// Prints a file that NSSM has written: it writes UTF-16 wherever there is no console.
fn print(path: &Text) -> i32 {
    let Ok(bytes) = reading::whole(path, Links::Refused, Limit::TEXT) else { return FAILED };
    // One whose output nobody takes any more has nothing else to say either.
    drop(io::stdout().write_all(words(&bytes).as_bytes()));
    0
}

/// The text of bytes in UTF-16, its lines ended once.
fn words(bytes: &[u8]) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16_lossy(&units);
    text.lines().map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty()).fold(
        String::new(),
        |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        },
    )
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
    }

    #[test]
    fn nothing_else_is_meant_for_it() {
        assert_eq!(help(OsStr::new("web"), &"--guard".into()), None);
    }
}
