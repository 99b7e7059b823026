//! Plans for systemd: all files, then one `systemctl enable`, which reloads by itself.

use super::step::{Action, Plan, Reversal, Step};
use super::{Desired, Difference, InstallOptions, Keep, compare, directory_steps, file_steps, removal_steps};
use crate::model::name::ServiceName;
use crate::model::observed::Observed;
use crate::model::operation;
use crate::model::operation::systemd::Operation;
use crate::model::place::Place;
use crate::render;

fn run(operation: Operation) -> Step {
    Step::plain(Action::Run(operation::Operation::Systemd(operation)))
}

/// A step that may fail; then that is said with `consequence`, if there is one.
fn attempt(operation: Operation, consequence: String) -> Step {
    Step::plain(Action::Try(operation::Operation::Systemd(operation), consequence))
}

fn back(operation: Operation) -> Reversal {
    Reversal::Run(operation::Operation::Systemd(operation))
}

/// The plan that installs `desired`, or brings it up to date.
///
/// One `systemctl enable` for all: it reloads the service manager by itself, once.
pub(super) fn install(desired: &[Desired], observed: &Observed, place: &Place, options: &InstallOptions) -> Plan {
    let mut plan = Plan::of(Vec::new());
    let mut enable = Vec::new();
    let mut newly_enabled = Vec::new();
    let mut changed = Vec::new();
    for service in desired {
        let unit = place.unit(&service.name);
        let steps = file_steps(observed, service, place);
        let differs = !steps.is_empty();
        plan.steps.extend(steps);
        let unit_differs = service
            .artifacts
            .iter()
            .any(|artifact| artifact.path == unit && compare(observed, artifact) != Difference::Same);
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
        let stopped: Vec<_> = changed.iter().filter(|name| !observed.active.contains(name)).cloned().collect();
        plan.steps.extend(end_leftovers(&stopped, observed, place));
        plan.steps.splice(0..0, directory_steps(observed, &[&place.state_dir, &place.unit_dir]));
    }
    if let Some(user) = observed.logs_out.as_deref().filter(|_| !plan.steps.is_empty()) {
        plan.steps.push(attempt(
            Operation::EnableLinger(user.to_owned()),
            format!("without it the service ends when you log out; `sudo loginctl enable-linger {user}` allows it"),
        ));
    }
    // What runs is not asked here, so that a preview can say the same; what is stopped already stays so.
    let surplus = taken_away(&options.remove, &options.remove, observed, place, Keep::ALL);
    let reloads = !enable.is_empty();
    let removes = !surplus.is_empty();
    plan.steps.extend(surplus);
    if reloads || removes {
        plan.after_undo.push(back(Operation::Reload));
    }
    if reloads {
        let undo = (!newly_enabled.is_empty()).then(|| back(Operation::Disable(newly_enabled)));
        plan.steps.push(run(Operation::Enable(enable)).undone_by(undo));
    } else if removes {
        plan.steps.push(run(Operation::Reload));
    }
    if removes {
        plan.steps.push(forgotten(&options.remove));
    }
    if options.start {
        plan.steps.extend(starting(desired, observed, &changed));
    }
    plan
}

/// Steps that start what does not run, and start again what runs and has changed.
fn starting(desired: &[Desired], observed: &Observed, changed: &[ServiceName]) -> Vec<Step> {
    let mut steps = Vec::new();
    let names: Vec<ServiceName> = desired.iter().map(|service| service.name.clone()).collect();
    let (running, stopped): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| observed.active.contains(name));
    let restart: Vec<_> = running.into_iter().filter(|name| changed.contains(name)).collect();
    if !stopped.is_empty() {
        // What is stopped before it runs counts as failed.
        let forget = Reversal::Try(operation::Operation::Systemd(Operation::ResetFailed(stopped.clone())));
        let undo = [back(Operation::Stop(stopped.clone())), forget];
        steps.push(run(Operation::Start(stopped.clone())).undone_by(undo));
    }
    if !restart.is_empty() {
        let again = Operation::Restart(restart.clone());
        steps.push(run(again.clone()).at_last(back(again)));
    }
    let settling: Vec<_> = stopped.into_iter().chain(restart).collect();
    if !settling.is_empty() {
        steps.push(Step::plain(Action::Settle(settling)));
    }
    steps
}

/// The step that stops services, and starts them again when all is as it was.
pub(super) fn stop(names: &[ServiceName]) -> Vec<Step> {
    vec![run(Operation::Stop(names.to_vec())).at_last(back(Operation::Start(names.to_vec())))]
}

/// The plan that removes services: stopped, disabled, files gone, one reload.
pub(super) fn remove(names: &[ServiceName], observed: &Observed, place: &Place, keep: Keep) -> Plan {
    let running: Vec<_> = names.iter().filter(|name| observed.active.contains(name)).cloned().collect();
    let known: Vec<_> = names.iter().filter(|name| observed.files.contains_key(&place.unit(name))).cloned().collect();
    let mut plan = Plan::of(taken_away(names, &running, observed, place, keep));
    if !known.is_empty() {
        plan.steps.push(run(Operation::Reload));
        plan.steps.push(forgotten(&known));
        plan.after_undo.push(back(Operation::Reload));
    }
    plan
}

/// Steps that take services away, but for the reload: those in `stop` are stopped.
fn taken_away(
    names: &[ServiceName],
    stop: &[ServiceName],
    observed: &Observed,
    place: &Place,
    keep: Keep,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let enabled: Vec<_> = names.iter().filter(|name| observed.enabled.contains(name)).cloned().collect();
    if !stop.is_empty() {
        let running: Vec<_> = stop.iter().filter(|name| observed.active.contains(name)).cloned().collect();
        let again = (!running.is_empty()).then(|| back(Operation::Start(running)));
        steps.push(run(Operation::Stop(stop.to_vec())).undone_by(again));
    }
    steps.extend(end_leftovers(names, observed, place));
    if !enabled.is_empty() {
        let again = back(Operation::Enable(enabled.clone()));
        steps.push(run(Operation::Disable(enabled)).undone_by([again]));
    }
    for name in names {
        steps.extend(removal_steps(observed, name, place, keep, Some(place.unit(name))));
    }
    steps
}

/// The step that clears what systemd remembers of services' failures: of ours only. A unit that is gone
/// has none, which is no error.
fn forgotten(names: &[ServiceName]) -> Step {
    attempt(Operation::ResetFailed(names.to_vec()), String::new())
}

/// The step that ends what `systemctl stop` leaves behind of OpenMSIStream's units, if any of these is
/// one and does not run: they have `KillMode=none`. What is observed and not ours is one.
fn end_leftovers(names: &[ServiceName], observed: &Observed, place: &Place) -> Option<Step> {
    let is_theirs = |name: &&ServiceName| {
        observed.files.get(&place.unit(name)).is_some_and(|unit| !render::is_ours(&unit.contents))
    };
    let theirs: Vec<_> = names.iter().filter(is_theirs).cloned().collect();
    // It fails where nothing is left.
    (!theirs.is_empty()).then(|| attempt(Operation::Kill(theirs), String::new()))
}
