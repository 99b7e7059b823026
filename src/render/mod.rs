//! From a service spec to the files that make it a service.
//!
//! Pure: a spec and a place give bytes, on every operating system, without a look at the host.
//! The encoders are in [`escape`]; the templates can be given nothing else ([`fence`]).

pub mod ansible;
pub mod batch_line;
pub mod checksums;
pub mod escape;
pub mod example;
pub mod fence;
pub mod nssm;
pub mod python;
pub mod systemd;

use std::fmt;

use crate::model::version::SIGNATURE;

/// What cannot be rendered: which part of the spec, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The part, in the user's words: "argument 3", "environment variable `X`".
    pub what: String,
    /// What is wrong with it.
    pub fault: escape::Unsayable,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.what, self.fault)
    }
}

impl std::error::Error for Refusal {}

/// Gathers every refusal of one rendering.
#[derive(Debug, Default)]
struct Refusals(Vec<Refusal>);

impl Refusals {
    /// The value, or `None` after taking note, once, of what is wrong with it.
    fn keep<T>(&mut self, what: impl fmt::Display, checked: Result<T, escape::Unsayable>) -> Option<T> {
        let fault = match checked {
            Ok(value) => return Some(value),
            Err(fault) => fault,
        };
        let refusal = Refusal { what: what.to_string(), fault };
        if !self.0.contains(&refusal) {
            self.0.push(refusal);
        }
        None
    }

    /// `made`, which is there unless something was refused.
    fn or<T>(self, made: Option<T>) -> Result<T, Vec<Refusal>> {
        match made {
            Some(made) if self.0.is_empty() => Ok(made),
            _ => Err(self.0),
        }
    }
}

/// Whether a file with these contents was written by InstallService: each begins with the same
/// words. Files of other makers are never overwritten.
pub fn is_ours(contents: &[u8]) -> bool {
    let text = contents.strip_prefix(b"@rem ").unwrap_or(contents);
    text.starts_with(SIGNATURE.as_bytes())
}

/// The version of InstallService that wrote a file with these contents, as the first line of each says it.
pub fn version_of(contents: &[u8]) -> Option<String> {
    let rest = contents.strip_prefix(SIGNATURE.as_bytes())?;
    let is_of_version = |byte: &&u8| byte.is_ascii_alphanumeric() || b".-+".contains(byte);
    let length = rest.iter().take_while(is_of_version).count();
    (length > 0).then(|| String::from_utf8_lossy(&rest[..length]).into_owned())
}
