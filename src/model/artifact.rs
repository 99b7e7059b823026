//! [`Artifact`]: a file that makes a service.

use std::rc::Rc;

use super::place::ENCRYPTED_FILE;
use super::text::Text;

/// A file that makes a service, before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Where it belongs.
    pub path: Text,
    /// Its permissions.
    pub mode: u32,
    /// What it holds; the plan that writes it has the same one.
    pub contents: Rc<[u8]>,
}

impl Artifact {
    /// Whether others must not read it: then it is an environment file.
    pub fn is_secret(&self) -> bool {
        self.mode & 0o077 == 0
    }

    /// Whether the host encrypts what is in it, with the key of its own (systemd-creds(1)): on the disk
    /// it is a credential, and everywhere else an environment file.
    pub fn is_encrypted(&self) -> bool {
        is_encrypted(&self.path)
    }
}

/// Whether the file of ours at `path` is encrypted.
pub fn is_encrypted(path: &Text) -> bool {
    path.as_bytes().ends_with(ENCRYPTED_FILE.as_bytes())
}
