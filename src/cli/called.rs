//! Our commands in our own sentences, by the names that somebody types ([`Called`]).
//!
//! Messages and help are written with `InstallService` and `ManageService`. Whoever types `install-service` may have
//! another `InstallService` on PATH, and is told lines that work.

use std::borrow::Cow;

use crate::host::called::Called;

const NAMES: [(&[u8], &[u8]); 2] = [(b"InstallService", b"install-service"), (b"ManageService", b"manage-service")];

/// The text of a sentence with our commands by those names. A command is what begins a line or stands behind a backtick;
/// elsewhere the word is the name of the product.
pub(super) fn with_names(called: Called, text: &[u8]) -> Cow<'_, [u8]> {
    match called {
        Called::Classic => Cow::Borrowed(text),
        Called::Hyphenated => Cow::Owned(hyphenated(text)),
    }
}

fn hyphenated(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut begins = true;
    let mut rest = text;
    while let Some(&byte) = rest.first() {
        let is_end = |after: &[u8]| !after.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
        let name = NAMES.iter().find(|(name, _)| rest.strip_prefix(*name).is_some_and(is_end));
        if let Some((name, hyphenated)) = name.filter(|_| begins) {
            out.extend_from_slice(hyphenated);
            rest = &rest[name.len()..];
            begins = false;
            continue;
        }
        begins = matches!(byte, b'\n' | b'`') || begins && byte == b' ';
        out.push(byte);
        rest = &rest[1..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Called, with_names};

    #[test]
    fn a_command_has_the_name_that_was_typed_and_the_product_its_own() {
        for (written, shown) in [
            ("InstallService: error: none", "install-service: error: none"),
            ("type `ManageService web start`", "type `manage-service web start`"),
            ("  ManageService -h  More", "  manage-service -h  More"),
            ("the unit that InstallService wrote", "the unit that InstallService wrote"),
            ("`C:\\ProgramData\\InstallService`", "`C:\\ProgramData\\InstallService`"),
            ("`InstallService.exe` is gone", "`InstallService.exe` is gone"),
        ] {
            assert_eq!(String::from_utf8_lossy(&with_names(Called::Hyphenated, written.as_bytes())), shown);
            assert_eq!(&*with_names(Called::Classic, written.as_bytes()), written.as_bytes());
        }
    }
}
