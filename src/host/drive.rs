//! Where the letters of drives lead.

use std::fs;

use winreg::RegKey;
use winreg::enums::HKEY_CURRENT_USER;

use super::text::{path as to_path, text};
use crate::model::platform::Platform;
use crate::model::reach::Drive;
use crate::model::text::Text;

/// Where the letter leads that `path` begins with. With its links followed the root of a drive that stands for something
/// else is a path of that. One that another session of the user has connected, as that without an administrator's
/// rights, is none here; what is to be connected at every login stands in the registry.
pub fn of(path: &Text) -> Drive {
    let [letter @ (b'a'..=b'z' | b'A'..=b'Z'), b':', b'\\' | b'/', ..] = path.as_bytes() else {
        return Drive::OfMachine;
    };
    let letter = char::from(*letter);
    let Ok(real) = fs::canonicalize(to_path(&format!(r"{letter}:\").into())) else {
        return at_login(letter).map_or(Drive::OfMachine, Drive::Share);
    };
    let real = text(real);
    let real = real.as_bytes().strip_prefix(br"\\?\").unwrap_or(real.as_bytes());
    match real.strip_prefix(br"UNC\") {
        Some(share) => Drive::Share(Text::from_bytes([br"\\", share].concat())),
        None if Platform::Windows.is_root(&Text::from_bytes(real)) => Drive::OfMachine,
        None => Drive::Directory(Text::from_bytes(real)),
    }
}

/// The share to which a letter is connected at every login of this user.
fn at_login(letter: char) -> Option<Text> {
    let key = RegKey::predef(HKEY_CURRENT_USER).open_subkey(format!(r"Network\{letter}")).ok()?;
    key.get_value::<String, _>("RemotePath").ok().filter(|share| share.starts_with(r"\\")).map(Text::from)
}
