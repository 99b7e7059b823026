//! [`Password`]: that of an account of Windows.

use std::fmt;

use super::refused::Refused;

/// The password of an account of Windows. It is given to the service manager and to nothing else: it cannot be printed,
/// compared with a file or written to one.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The longest one that Windows keeps for a service, in UTF-16 units (`PWLEN` of `lmcons.h`).
    const MAX: usize = 256;

    /// One line that somebody has typed, without its end.
    ///
    /// # Errors
    /// What cannot be the password of a service; it does not say what it is.
    pub fn new(line: Vec<u8>) -> Result<Self, Refused> {
        let text = String::from_utf8(line).map_err(|_| Refused::new("must be UTF-8 text"))?;
        match () {
            () if text.is_empty() => {
                Err(Refused::new("must not be empty: Windows lets no such account log on as a service"))
            }
            () if text.contains(char::is_control) => Err(Refused::new("must be one line without control characters")),
            () if text.encode_utf16().count() > Self::MAX => {
                Err(Refused::new(format!("must have at most {} characters", Self::MAX)))
            }
            () => Ok(Self(text)),
        }
    }

    /// For the call that sets it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(********)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_shows_nowhere() {
        let password = Password::new("hunter2 é".into()).expect("a password");
        assert_eq!(
            format!("{password:?} {:#?}", Some(&password)),
            "Password(********) Some(\n    Password(********),\n)"
        );
        assert_eq!(password.reveal(), "hunter2 é");
    }

    #[test]
    fn what_is_none_is_refused_without_saying_it() {
        for line in [&b""[..], b"hunter2\0", b"hunter2\n", b"hunter2\xff", "h".repeat(257).as_bytes()] {
            let refused = Password::new(line.to_vec()).expect_err("no password");
            assert!(!refused.reason.contains("hunter"), "{}", refused.reason);
        }
        assert!(Password::new(vec![b'h'; 256]).is_ok());
    }
}
