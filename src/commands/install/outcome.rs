//! What an installation comes to.

use crate::commands::drift::Comparison;
use crate::executor::export::Written;
use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::site::Site;
use crate::model::spec::ServiceSpec;
use crate::model::text::Text;
use crate::plan::Plan;

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// What would be done.
    Preview(Preview),
    /// Files were written.
    Exported(Written),
    /// The host was compared.
    Compared {
        /// How it differs.
        comparison: Comparison,
        /// Files that only root could compare.
        unreadable: Vec<Text>,
    },
    /// Nothing had to be done for these services.
    Unchanged(Vec<ServiceName>),
    /// Something was done.
    Applied(Applied),
    /// The command was run again with administrator rights, and ended with this exit code.
    RunAgain(u8),
}

/// What an install would do on a host that has nothing of it yet.
#[derive(Debug)]
pub struct Preview {
    /// The plan.
    pub plan: Plan,
    /// Where it would be applied.
    pub site: Site,
    /// The services.
    pub services: Vec<ServiceSpec>,
    /// Whether they are started.
    pub starts: bool,
    /// What would be typed to install them.
    pub to_install: Invocation,
    /// Whether a name is taken on this host, so that it would be refused here.
    pub is_taken: bool,
    /// What is worth saying though it is no fault.
    pub notes: Vec<String>,
}

/// What an install has done.
#[derive(Debug)]
pub struct Applied {
    /// Where.
    pub site: Site,
    /// Services that were stopped first.
    pub stopped: Vec<ServiceName>,
    /// The services that were asked for.
    pub services: Vec<AppliedService>,
    /// Services that were removed.
    pub removed: Vec<ServiceName>,
}

/// What an install has done to one service.
#[derive(Debug)]
pub struct AppliedService {
    /// Its name.
    pub name: ServiceName,
    /// What was done to it.
    pub change: AppliedChange,
    /// Whether it was started, or started again.
    pub started: bool,
    /// Whether it ran before, and was not stopped.
    pub was_active: bool,
    /// Whether a timer starts it.
    pub has_timer: bool,
    /// Whether one did before.
    pub had_timer: bool,
}

/// What an install has done to one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppliedChange {
    /// It was as it should be.
    Unchanged,
    /// It was there, and has changed.
    Updated,
    /// It is new.
    Installed,
    /// It has taken over a unit that is not ours.
    Adopted,
}
