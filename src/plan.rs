//! What will be done, as plain data: printable, comparable, and executed by nobody in here.
//!
//! A plan is made from the files that a service should have and from what lies on the host. It
//! holds only what differs, so an empty plan means that there is nothing to do. The preview prints
//! the very plan that an install applies, made for a host that has nothing yet.

use std::collections::BTreeMap;

use crate::model::name::ServiceName;
use crate::model::spec::Scope;
use crate::model::text::Text;
use crate::render::{Artifact, Place};

/// A program and its argv.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation(pub Vec<Text>);

impl Invocation {
    /// The command that `words` make.
    pub fn new<T: Into<Text>>(words: impl IntoIterator<Item = T>) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }

    /// `systemctl`, for the machine or for the user, with `words`.
    pub fn systemctl<T: Into<Text>>(scope: Scope, words: impl IntoIterator<Item = T>) -> Self {
        let mut argv: Vec<Text> = vec!["systemctl".into()];
        if scope == Scope::User {
            argv.push("--user".into());
        }
        argv.extend(words.into_iter().map(Into::into));
        Self(argv)
    }

    /// The command for a message: a word that is a script of many lines shows as `...`.
    pub fn summary(&self) -> String {
        let word = |word: &Text| if word.as_bytes().contains(&b'\n') { "...".into() } else { word.clone() };
        Self(self.0.iter().map(word).collect()).typed()
    }

    /// The command as it could be typed in a shell.
    pub fn typed(&self) -> String {
        let words = self.0.iter().map(|word| match shlex::bytes::try_quote(word.as_bytes()) {
            Ok(quoted) => Text::from_bytes(quoted.into_owned()).to_string(),
            Err(_) => word.to_string(),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

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
    /// Run a command that must succeed.
    Run(Invocation),
    /// Run a command; if it fails, say so and go on.
    Try(Invocation, String),
    /// Wait until the services have settled; fail if one of them died.
    Settle(Vec<ServiceName>),
}

/// An action, and the commands that take it back. (Files are put back by the executor.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// What takes it back.
    pub undo: Vec<Invocation>,
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
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The files that it writes.
    pub fn files(&self) -> impl Iterator<Item = &Artifact> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Write(artifact) => Some(artifact),
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
}

/// A file on the host as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What is in it.
    pub contents: Vec<u8>,
    /// Its permission bits.
    pub mode: u32,
}

/// What was found on the host about some services.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The files of ours that are there.
    pub files: BTreeMap<Text, Found>,
    /// Files that are there but not for us to read.
    pub unreadable: Vec<Text>,
    /// Directories that are there.
    pub directories: Vec<Text>,
    /// Services that start at boot.
    pub enabled: Vec<ServiceName>,
    /// Services that run.
    pub active: Vec<ServiceName>,
    /// Drop-ins of the administrator that override our units.
    pub drop_ins: Vec<Text>,
    /// Whether the user's services go on after a logout (user scope only).
    pub lingering: bool,
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

impl Observed {
    /// How `artifact` compares with what is there.
    pub fn compare(&self, artifact: &Artifact) -> Difference {
        match self.files.get(&artifact.path) {
            None if self.unreadable.contains(&artifact.path) => Difference::Same,
            None => Difference::Missing,
            Some(found) if found.contents == artifact.contents && found.mode == artifact.mode => Difference::Same,
            Some(_) => Difference::Changed,
        }
    }
}

/// What an install does besides putting files in place.
#[derive(Clone, Copy, Debug, Default)]
pub struct InstallOptions {
    /// Start the services, and start changed ones again.
    pub start: bool,
}

/// The plan that installs `desired`, or brings it up to date.
///
/// One `systemctl enable` for all: it reloads the service manager by itself, once.
pub fn install(desired: &[Desired], observed: &Observed, place: &Place, scope: Scope, options: InstallOptions) -> Plan {
    let mut plan = Plan::default();
    let mut enable = Vec::new();
    let mut newly_enabled = Vec::new();
    let mut changed = Vec::new();
    for service in desired {
        let unit = place.unit(&service.name);
        let mut differs = false;
        for artifact in &service.artifacts {
            if observed.compare(artifact) != Difference::Same {
                differs = true;
                plan.steps.push(Step::plain(Action::Write(artifact.clone())));
            }
        }
        for stale in place.files_of(&service.name) {
            let wanted = service.artifacts.iter().any(|artifact| artifact.path == stale);
            if !wanted && observed.files.contains_key(&stale) {
                differs = true;
                plan.steps.push(Step::plain(Action::Remove(stale)));
            }
        }
        let unit_differs = service
            .artifacts
            .iter()
            .any(|artifact| artifact.path == unit && observed.compare(artifact) != Difference::Same);
        let enabled = observed.enabled.contains(&service.name);
        if unit_differs || !enabled {
            enable.push(service.name.clone());
        }
        if !enabled {
            newly_enabled.push(service.name.clone());
        }
        if differs {
            changed.push(service.name.clone());
        }
    }
    if !plan.steps.is_empty() {
        let wanted: Vec<Text> = [&place.state_dir, &place.unit_dir]
            .into_iter()
            .filter(|directory| !observed.directories.contains(directory))
            .cloned()
            .collect();
        let make = wanted.into_iter().map(|path| Step::plain(Action::MakeDirectory { path, mode: 0o755 }));
        plan.steps.splice(0..0, make);
    }
    if scope == Scope::User && !plan.steps.is_empty() && !observed.lingering {
        plan.steps.push(Step::plain(Action::Try(
            Invocation::new(["loginctl", "enable-linger"]),
            "without it the service ends when you log out; `sudo loginctl enable-linger $USER` allows it".into(),
        )));
    }
    if !enable.is_empty() {
        let undo = if newly_enabled.is_empty() {
            Vec::new()
        } else {
            vec![on_units(scope, &["disable", "--no-reload"], &newly_enabled)]
        };
        plan.steps.push(Step { action: Action::Run(on_units(scope, &["enable"], &enable)), undo });
        plan.after_undo.push(Invocation::systemctl(scope, ["daemon-reload"]));
    }
    if options.start {
        let names: Vec<ServiceName> = desired.iter().map(|service| service.name.clone()).collect();
        let (running, stopped): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| observed.active.contains(name));
        let restart: Vec<_> = running.into_iter().filter(|name| changed.contains(name)).collect();
        if !stopped.is_empty() {
            plan.steps.push(Step {
                action: Action::Run(on_units(scope, &["start"], &stopped)),
                undo: vec![on_units(scope, &["stop"], &stopped)],
            });
        }
        if !restart.is_empty() {
            plan.steps.push(Step::plain(Action::Run(on_units(scope, &["restart"], &restart))));
            plan.after_undo.push(on_units(scope, &["restart"], &restart));
        }
        let settling: Vec<_> = stopped.into_iter().chain(restart).collect();
        if !settling.is_empty() {
            plan.steps.push(Step::plain(Action::Settle(settling)));
        }
    }
    plan
}

/// What `remove` leaves behind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keep {
    /// The environment file.
    pub env_vars: bool,
    /// The receipt.
    pub install_args: bool,
}

/// The plan that removes services: stopped, disabled, files gone, one reload.
pub fn remove(names: &[ServiceName], observed: &Observed, place: &Place, scope: Scope, keep: Keep) -> Plan {
    let mut plan = Plan::default();
    let running: Vec<_> = names.iter().filter(|name| observed.active.contains(name)).cloned().collect();
    let enabled: Vec<_> = names.iter().filter(|name| observed.enabled.contains(name)).cloned().collect();
    let known: Vec<_> = names.iter().filter(|name| observed.files.contains_key(&place.unit(name))).cloned().collect();
    if !running.is_empty() {
        plan.steps.push(Step {
            action: Action::Run(on_units(scope, &["stop"], &running)),
            undo: vec![on_units(scope, &["start"], &running)],
        });
    }
    if !enabled.is_empty() {
        plan.steps.push(Step {
            action: Action::Run(on_units(scope, &["disable", "--no-reload"], &enabled)),
            undo: vec![on_units(scope, &["enable"], &enabled)],
        });
    }
    for name in names {
        let kept = |path: &Text| {
            keep.env_vars && *path == place.environment_file(name)
                || keep.install_args && (*path == place.receipt(name) || *path == place.legacy_receipt(name))
        };
        let all = place.files_of(name).into_iter().chain([place.unit(name), place.legacy_receipt(name)]);
        for path in all.filter(|path| observed.files.contains_key(path) && !kept(path)) {
            plan.steps.push(Step::plain(Action::Remove(path)));
        }
    }
    if !known.is_empty() {
        plan.steps.push(Step::plain(Action::Run(Invocation::systemctl(scope, ["daemon-reload"]))));
        // Only our own failures are cleared; a unit that is gone has none, which is no error.
        plan.steps.push(Step::plain(Action::Try(on_units(scope, &["reset-failed"], &known), String::new())));
        plan.after_undo.push(Invocation::systemctl(scope, ["daemon-reload"]));
    }
    plan
}

/// `systemctl VERB -- UNIT...`, without the dashes where no name can begin with one.
fn on_units(scope: Scope, verb: &[&str], names: &[ServiceName]) -> Invocation {
    let words = verb.iter().map(|word| (*word).to_owned()).chain(names.iter().map(ServiceName::unit));
    Invocation::systemctl(scope, words)
}
