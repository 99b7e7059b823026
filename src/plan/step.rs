//! [`Step`]s: what is done, with the names of the services that it is done to, and what takes it back.
//!
//! A step says what it means. The words of the command that does it are made last, by [`Operation::invocation`],
//! and nobody reads them again to find out what they were for.

use serde::{Deserialize, Serialize};

use crate::model::artifact::Artifact;
use crate::model::invocation::Invocation;
use crate::model::links::Links;
use crate::model::name::ServiceName;
use crate::model::operation::Operation;
use crate::model::parameter::Parameter;
use crate::model::password::Password;
use crate::model::site::Site;
use crate::model::text::Text;

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
    /// Put a file back as it was when it was taken over, with whose it was.
    PutBack(Artifact, Option<(u32, u32)>),
    /// Take a file away.
    Remove(Text),
    /// Take a link to a unit away.
    Unlink(Text),
    /// Make the links to some units what they were.
    Relink(Links),
    /// Take away what a service has written. Nothing brings it back, and if it stays that is said and no
    /// failure.
    Discard(Text),
    /// Ask something of the service manager that must succeed.
    Run(Operation),
    /// Ask something of the service manager that must succeed, and hand it a password.
    RunWith(Operation, Password),
    /// Ask something of the service manager; if it fails, go on, and say this if it is not empty.
    Try(Operation, String),
    /// See that the service manager has taken in what was written for these services.
    Load(Vec<ServiceName>),
    /// Wait until the services have settled; fail if one of them died.
    Settle(Vec<ServiceName>),
    /// Wait until the service has stopped.
    AwaitStop(ServiceName),
}

impl Action {
    /// What it asks of the service manager.
    pub fn operation(&self) -> Option<&Operation> {
        match self {
            Self::Run(operation) | Self::RunWith(operation, _) | Self::Try(operation, _) => Some(operation),
            Self::MakeDirectory { .. }
            | Self::Write(_)
            | Self::PutBack(..)
            | Self::Remove(_)
            | Self::Unlink(_)
            | Self::Relink(_)
            | Self::Discard(_)
            | Self::Load(_)
            | Self::Settle(_)
            | Self::AwaitStop(_) => None,
        }
    }

    /// The services that it starts, or starts again.
    pub fn starts(&self) -> &[ServiceName] {
        self.operation().map(Operation::starts).unwrap_or_default()
    }
}

/// What takes an action back. (Files are put back by the executor.)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reversal {
    /// Ask something of the service manager.
    Run(Operation),
    /// Ask something of the service manager that may fail.
    Try(Operation),
    /// Give a service the parameters that NSSM had for it, or unregister one that it did not have. What NSSM
    /// has by then decides which calls that takes: a step that was killed may be done, or not.
    Registration {
        /// The service.
        name: ServiceName,
        /// What NSSM had.
        earlier: Option<Vec<Parameter>>,
    },
    /// Make the links to some units of systemd what they were.
    Links(Links),
    /// Start a service of NSSM, if it does not run.
    Start(ServiceName),
    /// Stop a service of NSSM, if it runs.
    Stop(ServiceName),
    /// Run a command: what a journal of version 0.1.0 holds in the place of an operation.
    Command(Invocation),
}

/// An action, and what takes it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// What takes it back.
    pub undo: Vec<Reversal>,
    /// What ends an undo once every file is back, if this step was begun: what ran runs again.
    pub at_last: Vec<Reversal>,
}

impl Step {
    /// A step that needs nothing to be taken back but files.
    pub(super) fn plain(action: Action) -> Self {
        Self { action, undo: Vec::new(), at_last: Vec::new() }
    }

    /// The same, taken back by `undo`.
    pub(super) fn undone_by(self, undo: impl IntoIterator<Item = Reversal>) -> Self {
        Self { undo: undo.into_iter().collect(), ..self }
    }

    /// The same, with `reversals` once all else is taken back.
    pub(super) fn at_last(self, reversals: impl IntoIterator<Item = Reversal>) -> Self {
        Self { at_last: reversals.into_iter().collect(), ..self }
    }
}

/// Steps in the order in which they are done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
    /// What ends an undo, after every file is back and before the steps' own last words.
    pub after_undo: Vec<Reversal>,
    /// A service that does not start is no reason to take the rest back.
    pub keep_unsettled: bool,
}

impl Plan {
    pub(super) fn of(steps: Vec<Step>) -> Self {
        Self { steps, after_undo: Vec::new(), keep_unsettled: false }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Whether what was done before `action` stays when that fails.
    pub fn keeps(&self, action: &Action) -> bool {
        let is_start = match action {
            Action::Settle(_) => true,
            Action::Run(operation) => !operation.starts().is_empty(),
            Action::MakeDirectory { .. }
            | Action::Write(_)
            | Action::PutBack(..)
            | Action::Remove(_)
            | Action::Unlink(_)
            | Action::Relink(_)
            | Action::Discard(_)
            | Action::Load(_)
            | Action::RunWith(..)
            | Action::Try(..)
            | Action::AwaitStop(_) => false,
        };
        self.keep_unsettled && is_start
    }

    /// The files that it writes.
    pub fn files(&self) -> impl Iterator<Item = &Artifact> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Write(artifact) => Some(artifact),
            _ => None,
        })
    }

    /// The files and links that it takes away.
    pub fn removals(&self) -> impl Iterator<Item = &Text> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Remove(path) | Action::Unlink(path) | Action::Discard(path) => Some(path),
            _ => None,
        })
    }

    /// The commands that it runs at `site`.
    pub fn invocations(&self, site: &Site) -> impl Iterator<Item = Invocation> {
        self.steps.iter().filter_map(|step| Some(step.action.operation()?.invocation(site)))
    }

    /// The services that it starts, or starts again.
    pub fn starts(&self) -> impl Iterator<Item = &ServiceName> {
        self.steps.iter().flat_map(|step| step.action.starts())
    }
}
