//! Applies a plan: every step, or none.
//!
//! First the journal, then every file is written beside its place, so that a full disk or a missing
//! right shows before anything has changed; then step by step. Where a step fails, or an interrupt
//! has come, the steps before it are taken back in reverse. The executor has no opinions: what is
//! done and how it is undone stands in the plan.
#![allow(clippy::disallowed_methods, reason = "beside `host`, this is the one place for effects")]

pub mod export;
mod folder;
pub mod journal;

use std::collections::BTreeMap;

use crate::error::Error;
use crate::host::files::{self, Staged};
use crate::host::{interrupt, process};
use crate::managers::{self, credential};
use crate::model::manager::Manager;
use crate::model::place::Place;
use crate::model::text::Text;
use crate::plan::{Action, Plan};
use journal::{Journal, Undone};

/// Applies `plan`. `say` is told what goes on, one line at a time.
///
/// # Errors
/// [`Error::Undone`] around the failure of a step once something had changed; the plain error when
/// nothing had.
pub fn apply(plan: &Plan, place: &Place, manager: &Manager, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
    if plan.is_empty() {
        return Ok(());
    }
    interrupt::check()?;
    let mut journal = Journal::begin(plan, place)?;
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
            .and_then(|()| perform(&step.action, &mut staged, manager, say))
            .map_err(|error| explained(error, &step.action, plan, manager));
        // Ctrl-C reaches the step's command too: what it ended was interrupted and has not failed.
        if let Err(cause) = interrupt::check().and(done) {
            if plan.keeps(&step.action) && !matches!(cause, Error::Interrupted) {
                journal.finish();
                say("note: the new version stays");
                return Err(cause);
            }
            say("a step failed; taking the earlier ones back");
            let Undone { restored, left } = journal.undo();
            return Err(Error::Undone { cause: Box::new(cause), restored, left });
        }
    }
    journal.finish();
    Ok(())
}

/// The error of a command that starts services, which says that one died, with what that one said:
/// asked for now, because an undo may start its earlier version.
fn explained(error: Error, action: &Action, plan: &Plan, manager: &Manager) -> Error {
    let settling = plan.steps.iter().find_map(|step| match &step.action {
        Action::Settle(names) => Some(names),
        _ => None,
    });
    match (action, settling) {
        (Action::Run(command), Some(names)) if command.starts() => managers::explained(error, manager, names),
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
    files::sync(staged.values())?;
    Ok(staged)
}

fn perform(
    action: &Action,
    staged: &mut BTreeMap<Text, Staged>,
    manager: &Manager,
    say: &mut dyn FnMut(&str),
) -> Result<(), Error> {
    match action {
        // Made by `prepare` already: a file cannot be staged in a directory that is not there.
        Action::MakeDirectory { .. } => Ok(()),
        Action::Write(artifact) => match staged.remove(&artifact.path) {
            Some(file) => file.commit(),
            None => files::write(credential::sealed(artifact)?.as_ref()),
        },
        Action::Remove(path) => files::remove(path),
        Action::Discard(path) => {
            if let Err(error) = files::remove_when_free(path) {
                say(&format!("note: {error}"));
            }
            Ok(())
        }
        Action::Run(invocation) => {
            say(&invocation.typed());
            process::run(invocation).map(drop)
        }
        Action::Try(invocation, consequence) => {
            if let Err(error) = process::run(invocation)
                && !consequence.is_empty()
            {
                say(&format!("note: {error}\nnote: {consequence}"));
            }
            Ok(())
        }
        Action::Settle(names) => managers::settle(manager, names),
        Action::AwaitStop(name) => managers::await_stop(manager, name),
    }
}
