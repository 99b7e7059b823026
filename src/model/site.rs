//! [`Site`]: a service manager, and where the files of its services lie.

use super::manager::Manager;
use super::place::Place;
use super::spec::{Scope, Target};

/// Where services are: what plans are made for, and where they are applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The service manager.
    pub manager: Manager,
    /// Where the files of its services lie.
    pub place: Place,
}

impl Site {
    /// Which service manager it is.
    pub fn target(&self) -> Target {
        self.manager.target()
    }

    /// Whose services they are.
    pub fn scope(&self) -> Scope {
        self.manager.scope()
    }
}
