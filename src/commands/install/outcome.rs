//! What an installation comes to.

use super::{Applied, AppliedChange, AppliedService, InstallMode, Installation, Layout, Outcome, Preview, Settings, called, for_no_home, no_program, of_refusals};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use crate::commands::change::Change;
use crate::commands::drift::{Comparison, Gone};
use crate::commands::passwords::{self, Passwords};
use crate::commands::receipt::with_error_log;
use crate::commands::secrets::{self, Values};
use crate::commands::templates::no_start;
use crate::commands::{Event, Reporter};
use crate::catalog::Catalog;
use crate::diagnose::Finding;
use crate::error::{Error, Fault};
use crate::executor::export::{self, Written};
use crate::executor::{self, journal};
use crate::host::facts::{Before, Elsewhere, Host};
use crate::host::namesake::{self, Namesake};
use crate::host::sudo::{self, Typed};
use crate::host::{python, site, state};
use crate::managers::credential::Opened;
use crate::managers::nssm::{self, Brought, Need, Wishes};
use crate::managers::systemd::adopt::Adopting;
use crate::managers::systemd::units;
use crate::managers::{self, Purpose, observe, systemd};
use crate::manifest::{self, Manifest, Request};
use crate::model::artifact::Artifact;
use crate::model::facts::{Facts, PathKind};
use crate::model::invocation::Invocation;
use crate::model::manager::Manager;
use crate::model::name::{EnvName, ServiceName};
use crate::model::nssm_release::Release;
use crate::model::nssm_table;
use crate::model::observed::Observed;
use crate::model::original::{Original, OriginalUnit};
use crate::model::place::{RUNNER, error_log_path};
use crate::model::schedule::Schedule;
use crate::model::site::Site;
use crate::model::spec::{Run, Scope, SecretStore, ServiceSpec, Target, Timer};
use crate::model::text::Text;
use crate::model::word::Word;
use crate::plan::{self, Desired, InstallOptions, Plan, Registration};
use crate::render;
use crate::render::ansible::RoleService;
use crate::render::nssm::{NssmService, Runner};
use crate::validate::{self, Validated};

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
