//! Between [`Text`] and the operating system's strings, without loss.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::model::text::Text;

/// The text of an operating-system string.
pub fn text(os: impl AsRef<OsStr>) -> Text {
    Text::from_bytes(os.as_ref().as_encoded_bytes())
}

/// The operating-system string of a text.
#[cfg(unix)]
pub fn os(text: &Text) -> OsString {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(text.as_bytes().to_vec())
}

/// The operating-system string of a text: WTF-8 back to UTF-16, lone surrogates included.
///
/// A surrogate is `ED A0..BF 80..BF` in WTF-8; every other byte belongs to UTF-8.
#[cfg(windows)]
pub fn os(text: &Text) -> OsString {
    use std::os::windows::ffi::OsStringExt;
    let mut units = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let valid = match std::str::from_utf8(rest) {
            Ok(valid) => valid,
            Err(error) => std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default(),
        };
        units.extend(valid.encode_utf16());
        rest = &rest[valid.len()..];
        if let [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, after @ ..] = rest {
            units.push(0xD000 | u16::from(second & 0x3F) << 6 | u16::from(third & 0x3F));
            rest = after;
        } else if let [_, after @ ..] = rest {
            units.push(0xFFFD);
            rest = after;
        }
    }
    OsString::from_wide(&units)
}

/// The path of a text.
pub fn path(text: &Text) -> PathBuf {
    PathBuf::from(os(text))
}
