//! [`Operation`]: what is asked of a service manager, with the names of the services in it.
//!
//! The words of a command are made of it last, and nobody reads them again to find out what they were for.

pub mod nssm;
pub mod systemd;

use serde::{Deserialize, Serialize};

use super::invocation::Invocation;
use super::name::ServiceName;
use super::site::Site;

/// What is asked of a service manager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Of systemd.
    Systemd(systemd::Operation),
    /// Of NSSM.
    Nssm(nssm::Operation),
}

impl Operation {
    /// The command that does it: the one place where a step becomes words.
    pub fn invocation(&self, site: &Site) -> Invocation {
        match self {
            Self::Systemd(operation) => operation.invocation(site.scope()),
            Self::Nssm(operation) => operation.invocation(&site.place.nssm()),
        }
    }

    /// The services that it starts, or starts again.
    pub fn starts(&self) -> &[ServiceName] {
        match self {
            Self::Systemd(operation) => operation.starts(),
            Self::Nssm(operation) => operation.starts(),
        }
    }
}
