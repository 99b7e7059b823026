//! [`Manager`]: the service manager that a service is made for.

use serde::{Deserialize, Serialize};

use super::spec::{Scope, Target};

/// A service manager, and whose services it manages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manager {
    /// systemd, of the machine or of a user.
    Systemd(Scope),
    /// NSSM, which has services of the machine only.
    Nssm,
}

impl Manager {
    /// The one for services of `scope` where `target` is meant.
    pub fn new(target: Target, scope: Scope) -> Self {
        match target {
            Target::Systemd => Self::Systemd(scope),
            Target::Nssm => Self::Nssm,
        }
    }

    /// Which one it is.
    pub fn target(self) -> Target {
        match self {
            Self::Systemd(_) => Target::Systemd,
            Self::Nssm => Target::Nssm,
        }
    }

    /// Whose services it manages.
    pub fn scope(self) -> Scope {
        match self {
            Self::Systemd(scope) => scope,
            Self::Nssm => Scope::System,
        }
    }
}
