//! Applies a plan: every step, or none.
//!
//! First the journal, then every file is written beside its place, so that a full disk or a missing
//! right shows before anything has changed; then step by step. Where a step fails, or an interrupt
//! has come, the steps before it are taken back in reverse. The executor has no opinions: what is
//! done and how it is undone stands in the plan.
#![allow(clippy::disallowed_methods, reason = "beside `host`, this is the one place for effects")]

pub mod export;
pub mod journal;

use std::collections::BTreeMap;

use crate::error::Error;
use crate::host::files::{self, Staged};
use crate::host::interrupt;
use crate::host::state::Lock;
use crate::managers::systemd::links;
use crate::managers::{self, credential};
use crate::model::invocation::Invocation;
use crate::model::site::Site;
use crate::model::text::Text;
use crate::plan::{Action, Plan};
use journal::{Journal, Undone};

/// What is told while a plan is applied.
#[derive(Debug)]
pub enum Progress<'a> {
    /// A command is about to be run.
    Runs(&'a Invocation),
    /// Something went wrong that takes nothing back.
    Tolerated {
        /// What went wrong.
        error: &'a Error,
        /// What that means, if it means anything to people.
        consequence: &'a str,
    },
    /// A service did not come up, and stays installed as it was asked for.
    KeepsUnsettled,
    /// A step failed; what was done before it is about to be taken back.
    TakesBack,
    /// An interrupt has come; what was begun is about to be taken back.
    Interrupted,
}

/// Who is told.
pub type Tell<'a> = &'a mut dyn FnMut(Progress<'_>);

/// Applies `plan` under the lock of the working directory, and tells what goes on.
///
/// # Errors
/// [`Error::Undone`] around the failure of a step once something had changed; the plain error when
/// nothing had.
pub fn apply(plan: &Plan, site: &Site, lock: &Lock, tell: Tell<'_>) -> Result<(), Error> {
    if plan.is_empty() {
        return Ok(());
    }
    interrupt::check()?;
    let mut journal = Journal::begin(plan, site, &lock.state)?;
    let mut staged = match prepare(plan) {
        Ok(staged) => staged,
        Err(error) => {
            // Nothing was begun: only what was made beside the files goes.
            journal.undo();
            return Err(error);
        }
    };
    for (number, step) in plan.steps.iter().enumerate() {
        let done = interrupt::check()
            .and_then(|()| journal.step(number))
            .and_then(|()| perform(&step.action, &mut staged, site, tell))
            .map_err(|error| explained(error, &step.action, site));
        // What has failed while an interrupt came was ended by it, or is of no interest any more.
        if let Err(cause) = interrupt::check().and(done) {
            let is_interrupted = matches!(cause, Error::Interrupted);
            if plan.keeps(&step.action) && !is_interrupted {
                journal.finish();
                tell(Progress::KeepsUnsettled);
                return Err(cause);
            }
            tell(if is_interrupted { Progress::Interrupted } else { Progress::TakesBack });
            let Undone { restored, left } = journal.undo();
            return Err(Error::Undone { cause: Box::new(cause), restored, left });
        }
    }
    journal.finish();
    Ok(())
}

/// The error of a command that starts services, which says that one died, with what that one said:
/// asked for now, because an undo may start its earlier version.
fn explained(error: Error, action: &Action, site: &Site) -> Error {
    match action {
        _ if matches!(error, Error::Interrupted) => error,
        Action::Run(operation) if !operation.starts().is_empty() => {
            managers::explained(error, site, operation.starts())
        }
        _ => error,
    }
}

/// Makes the directories and writes every file beside its place, encrypted where it has to be.
fn prepare(plan: &Plan) -> Result<BTreeMap<Text, Staged>, Error> {
    for step in &plan.steps {
        if let Action::MakeDirectory { path, mode } = &step.action {
            files::make_directory(path, *mode)?;
        }
    }
    let mut staged = BTreeMap::new();
    for artifact in plan.files() {
        staged.insert(artifact.path.clone(), files::stage(credential::sealed(artifact)?.as_ref())?);
    }
    for step in &plan.steps {
        if let Action::PutBack(artifact, owner) = &step.action {
            staged.insert(artifact.path.clone(), files::stage_for(artifact, *owner)?);
        }
    }
    files::sync(staged.values())?;
    Ok(staged)
}

fn perform(action: &Action, staged: &mut BTreeMap<Text, Staged>, site: &Site, tell: Tell<'_>) -> Result<(), Error> {
    match action {
        // Made by `prepare` already: a file cannot be staged in a directory that is not there.
        Action::MakeDirectory { .. } => Ok(()),
        Action::Write(artifact) => match staged.remove(&artifact.path) {
            Some(file) => file.commit(),
            None => files::write(credential::sealed(artifact)?.as_ref()),
        },
        Action::PutBack(artifact, owner) => match staged.remove(&artifact.path) {
            Some(file) => file.commit(),
            None => files::write_for(artifact, *owner),
        },
        Action::Remove(path) | Action::Unlink(path) => files::remove(path),
        Action::Relink(links) => links::restore(&site.place.unit_dir, links).map(drop),
        Action::Discard(path) => {
            if let Err(error) = files::remove_when_free(path) {
                tell(Progress::Tolerated { error: &error, consequence: "" });
            }
            Ok(())
        }
        Action::Run(operation) => {
            tell(Progress::Runs(&operation.invocation(site)));
            managers::run(operation, site)
        }
        Action::RunWith(operation, password) => {
            tell(Progress::Runs(&operation.invocation(site)));
            managers::run_with(operation, password, site)
        }
        Action::Try(operation, consequence) => {
            if !consequence.is_empty() {
                tell(Progress::Runs(&operation.invocation(site)));
            }
            match managers::run(operation, site) {
                Err(error @ Error::Interrupted) => return Err(error),
                Err(error) if !consequence.is_empty() => tell(Progress::Tolerated { error: &error, consequence }),
                _ => {}
            }
            Ok(())
        }
        Action::Load(names) => managers::need_loaded(site, names),
        Action::Settle(names) => managers::settle(site, names),
        Action::AwaitStop(name) => managers::await_stop(site, name),
    }
}
