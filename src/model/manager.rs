//! [`Manager`]: the service manager that a service is made for, and how it is reached.

use super::spec::{Scope, Target};
use super::text::Text;

/// A service manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manager {
    /// systemd, of the machine or of a user.
    Systemd(Scope),
    /// NSSM, by the absolute path of its `nssm.exe`.
    Nssm(Text),
}

impl Manager {
    /// Which one it is.
    pub fn target(&self) -> Target {
        match self {
            Self::Systemd(_) => Target::Systemd,
            Self::Nssm(_) => Target::Nssm,
        }
    }

    /// Whose services it manages.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Systemd(scope) => *scope,
            Self::Nssm(_) => Scope::System,
        }
    }
}
