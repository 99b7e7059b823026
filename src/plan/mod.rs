//! What will be done, as plain data: printable, comparable, and executed by nobody in here.
//!
//! A plan is made from the files that a service should have and from what lies on the host. It
//! holds only what differs, so an empty plan means that there is nothing to do. The preview prints
//! the very plan that an install applies, made for a host that has nothing yet.

pub mod nssm;
pub mod systemd;

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::model::artifact::Artifact;
use crate::model::environment_file;
use crate::model::invocation::Invocation;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::observed::{Found, Observed};
use crate::model::parameter::Parameter;
use crate::model::place::Place;
use crate::model::text::Text;
use crate::render::nssm::NssmService;

/// What one step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make a directory and what is missing above it.
    MakeDirectory {
        /// The directory.
        path: Text,
        /// Its mode.
        mode: u32,
    },
    /// Put a file in place, whole or not at all.
    Write(Artifact),
    /// Take a file away.
    Remove(Text),
    /// Take away what a service has written. Nothing brings it back, and if it stays that is said and no
    /// failure.
    Discard(Text),
    /// Run a command that must succeed.
    Run(Invocation),
    /// Run a command; if it fails, say so and go on.
    Try(Invocation, String),
    /// Wait until the services have settled; fail if one of them died.
    Settle(Vec<ServiceName>),
    /// Wait until the service has stopped.
    AwaitStop(ServiceName),
}

/// What takes an action back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reversal {
    /// Run a command.
    Run(Invocation),
    /// Give a service the parameters that NSSM had for it, or unregister one that it did not have. What NSSM
    /// has by then decides which calls that takes: a step that was killed may be done, or not.
    Registration {
        /// The service.
        name: ServiceName,
        /// What NSSM had.
        earlier: Option<Vec<Parameter>>,
    },
    /// Start a service of NSSM, if it does not run.
    Start(ServiceName),
    /// Stop a service of NSSM, if it runs.
    Stop(ServiceName),
}

/// An action, and what takes it back. (Files are put back by the executor.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// What takes it back.
    pub undo: Vec<Reversal>,
}

impl Step {
    fn plain(action: Action) -> Self {
        Self { action, undo: Vec::new() }
    }
}

/// Steps in the order in which they are done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// Commands that end an undo, after every file is back.
    pub after_undo: Vec<Invocation>,
    /// What ends an undo after those, each if the step of this number was begun.
    pub restarts: Vec<(usize, Reversal)>,
    /// A service that does not start is no reason to take the rest back.
    pub keep_unsettled: bool,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether what was done before `action` stays when that fails.
    pub fn keeps(&self, action: &Action) -> bool {
        let starts = match action {
            Action::Settle(_) => true,
            Action::Run(command) => command.starts(),
            _ => false,
        };
        self.keep_unsettled && starts
    }

    /// The files that it writes.
    pub fn files(&self) -> impl Iterator<Item = &Artifact> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Write(artifact) => Some(artifact),
            _ => None,
        })
    }

    /// The files that it takes away.
    pub fn removals(&self) -> impl Iterator<Item = &Text> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Remove(path) | Action::Discard(path) => Some(path),
            _ => None,
        })
    }

    /// The commands that it runs.
    pub fn invocations(&self) -> impl Iterator<Item = &Invocation> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Run(invocation) | Action::Try(invocation, _) => Some(invocation),
            _ => None,
        })
    }
}

/// The files that one service should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The service.
    pub name: ServiceName,
    /// Its files; the unit is among them.
    pub artifacts: Vec<Artifact>,
    /// Its registration with NSSM.
    pub registration: Option<NssmService>,
}

/// How an artifact compares with the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is not there.
    Missing,
    /// It has other contents or another mode.
    Changed,
    /// It is as it should be.
    Same,
}

/// How `artifact` compares with what is there.
pub fn compare(observed: &Observed, artifact: &Artifact) -> Difference {
    match observed.files.get(&artifact.path) {
        None if observed.unreadable.contains(&artifact.path) => Difference::Same,
        None => Difference::Missing,
        Some(found) if holds_same(found, artifact) && found.mode == artifact.mode && !found.foreign => Difference::Same,
        Some(_) => Difference::Changed,
    }
}

/// Whether a file holds what it should. Of one with secrets the values count: whatever wrote it in our place, a
/// person or a configuration management, has other words around them.
pub fn holds_same(found: &Found, artifact: &Artifact) -> bool {
    let values = |contents| environment_file::read(contents).into_iter().collect::<BTreeMap<_, _>>();
    found.contents == artifact.contents || artifact.is_secret() && values(&found.contents) == values(&artifact.contents)
}

/// Keeps the contents of files that are as they should be once, and not twice.
pub fn share_contents(desired: &[Desired], observed: &mut Observed) {
    for artifact in desired.iter().flat_map(|service| &service.artifacts) {
        if let Some(found) = observed.files.get_mut(&artifact.path)
            && found.contents == artifact.contents
        {
            found.contents = Rc::clone(&artifact.contents);
        }
    }
}

/// Whether the service manager has the service already.
pub fn is_installed(observed: &Observed, name: &ServiceName, place: &Place, manager: &Manager) -> bool {
    match manager {
        Manager::Systemd(_) => observed.files.contains_key(&place.unit(name)),
        Manager::Nssm(_) => observed.registered.contains_key(name),
    }
}

/// Steps that put the files of a service in order: those that differ, and those that should go.
fn file_steps(observed: &Observed, service: &Desired, place: &Place) -> Vec<Step> {
    let wrong = service.artifacts.iter().filter(|artifact| compare(observed, artifact) != Difference::Same);
    let mut steps: Vec<Step> = wrong.map(|artifact| Step::plain(Action::Write(artifact.clone()))).collect();
    for stale in place.files_of(&service.name) {
        let wanted = service.artifacts.iter().any(|artifact| artifact.path == stale);
        if !wanted && observed.files.contains_key(&stale) {
            steps.push(Step::plain(Action::Remove(stale)));
        }
    }
    steps
}

/// Steps that make those of `directories` that are not there.
fn directory_steps(observed: &Observed, directories: &[&Text]) -> Vec<Step> {
    let missing = directories.iter().filter(|directory| !observed.directories.contains(directory));
    missing.map(|path| Step::plain(Action::MakeDirectory { path: (*path).clone(), mode: 0o755 })).collect()
}

/// Steps that remove the files of a service, `more` of them included, but for those that are kept.
fn removal_steps(observed: &Observed, name: &ServiceName, place: &Place, keep: Keep, more: Option<Text>) -> Vec<Step> {
    let kept = |path: &Text| {
        keep.env_vars && place.secrets_files(name).contains(path)
            || keep.install_args && (*path == place.receipt(name) || *path == place.legacy_receipt(name))
    };
    let all = place.files_of(name).into_iter().chain([place.legacy_receipt(name)]).chain(more);
    all.filter(|path| observed.files.contains_key(path) && !kept(path))
        .map(|path| Step::plain(Action::Remove(path)))
        .collect()
}

/// What an install does besides putting files in place.
#[derive(Clone, Debug, Default)]
pub struct InstallOptions {
    /// Stop the services first.
    pub stop: bool,
    /// Start the services, and start changed ones again.
    pub start: bool,
    /// Keep a new version that does not settle.
    pub no_rollback: bool,
    /// Services of ours to remove in the same plan, as [`remove`] does with [`Keep::ALL`].
    pub remove: Vec<ServiceName>,
}

/// What `remove` leaves behind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keep {
    /// The values of secrets.
    pub env_vars: bool,
    /// The receipt.
    pub install_args: bool,
}

impl Keep {
    /// Everything that `reinstall` needs.
    pub const ALL: Self = Self { env_vars: true, install_args: true };
}

/// The plan that installs `desired`, or brings it up to date.
pub fn install(
    desired: &[Desired],
    observed: &Observed,
    place: &Place,
    manager: &Manager,
    options: &InstallOptions,
) -> Plan {
    let make = |observed: &Observed| match manager {
        Manager::Systemd(scope) => systemd::install(desired, observed, place, *scope, options),
        Manager::Nssm(nssm) => nssm::install(desired, observed, place, nssm, options),
    };
    let running: Vec<ServiceName> =
        desired.iter().map(|service| &service.name).filter(|name| observed.active.contains(name)).cloned().collect();
    let mut plan = if options.stop && !running.is_empty() {
        // Stopping is part of it: what is undone after it runs again.
        let mut plan = match manager {
            Manager::Systemd(scope) => systemd::stop(&running, *scope),
            Manager::Nssm(nssm) => nssm::stop_all(&running, nssm),
        };
        let stopped = {
            let others = observed.active.iter().filter(|name| !running.contains(name)).cloned().collect();
            make(&Observed { active: others, ..observed.clone() })
        };
        let before = plan.steps.len();
        plan.steps.extend(stopped.steps);
        plan.after_undo = stopped.after_undo;
        plan.restarts.extend(stopped.restarts.into_iter().map(|(number, undo)| (number + before, undo)));
        plan
    } else {
        make(observed)
    };
    plan.keep_unsettled = options.no_rollback;
    plan
}

/// The plan that removes services, and leaves what `keep` says.
pub fn remove(names: &[ServiceName], observed: &Observed, place: &Place, manager: &Manager, keep: Keep) -> Plan {
    match manager {
        Manager::Systemd(scope) => systemd::remove(names, observed, place, *scope, keep),
        Manager::Nssm(nssm) => nssm::remove(names, observed, place, nssm, keep),
    }
}
