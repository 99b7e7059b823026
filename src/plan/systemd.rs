//! Plans for systemd: all files, then one `systemctl enable`, which reloads by itself.

use super::{
    Action, Desired, Difference, InstallOptions, Keep, Plan, Reversal, Step, compare, directory_steps, file_steps,
    removal_steps,
};
use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::observed::Observed;
use crate::model::place::Place;
use crate::model::spec::Scope;
use crate::render;

/// The plan that installs `desired`, or brings it up to date.
///
/// One `systemctl enable` for all: it reloads the service manager by itself, once.
pub(super) fn install(
    desired: &[Desired],
    observed: &Observed,
    place: &Place,
    scope: Scope,
    options: &InstallOptions,
) -> Plan {
    let mut plan = Plan::default();
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
        plan.steps.extend(end_leftovers(&stopped, observed, place, scope));
        plan.steps.splice(0..0, directory_steps(observed, &[&place.state_dir, &place.unit_dir]));
    }
    if let Some(user) = observed.logs_out.as_deref().filter(|_| !plan.steps.is_empty()) {
        // By name: without one loginctl asks for the session that it is called in, and there may be none.
        plan.steps.push(Step::plain(Action::Try(
            Invocation::new(["loginctl", "enable-linger", user]),
            format!("without it the service ends when you log out; `sudo loginctl enable-linger {user}` allows it"),
        )));
    }
    // What runs is not asked here, so that a preview can say the same; what is stopped already stays so.
    let surplus = taken_away(&options.remove, &options.remove, observed, place, scope, Keep::ALL);
    let reloads = !enable.is_empty();
    let removes = !surplus.is_empty();
    plan.steps.extend(surplus);
    if reloads || removes {
        plan.after_undo.push(Invocation::systemctl(scope, ["daemon-reload"]));
    }
    if reloads {
        let undo = if newly_enabled.is_empty() {
            Vec::new()
        } else {
            vec![Reversal::Run(on_units(scope, &["disable", "--no-reload"], &newly_enabled))]
        };
        plan.steps.push(Step { action: Action::Run(on_units(scope, &["enable"], &enable)), undo });
    } else if removes {
        plan.steps.push(Step::plain(Action::Run(Invocation::systemctl(scope, ["daemon-reload"]))));
    }
    if removes {
        plan.steps.push(forgotten(&options.remove, scope));
    }
    if options.start {
        let names: Vec<ServiceName> = desired.iter().map(|service| service.name.clone()).collect();
        let (running, stopped): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| observed.active.contains(name));
        let restart: Vec<_> = running.into_iter().filter(|name| changed.contains(name)).collect();
        if !stopped.is_empty() {
            plan.steps.push(Step {
                action: Action::Run(on_units(scope, &["start"], &stopped)),
                undo: vec![Reversal::Run(on_units(scope, &["stop"], &stopped))],
            });
        }
        if !restart.is_empty() {
            plan.restarts.push((plan.steps.len(), Reversal::Run(on_units(scope, &["restart"], &restart))));
            plan.steps.push(Step::plain(Action::Run(on_units(scope, &["restart"], &restart))));
        }
        let settling: Vec<_> = stopped.into_iter().chain(restart).collect();
        if !settling.is_empty() {
            plan.steps.push(Step::plain(Action::Settle(settling)));
        }
    }
    plan
}

/// The plan that stops services, and starts them again when all is as it was.
pub(super) fn stop(names: &[ServiceName], scope: Scope) -> Plan {
    Plan {
        steps: vec![Step::plain(Action::Run(on_units(scope, &["stop"], names)))],
        restarts: vec![(0, Reversal::Run(on_units(scope, &["start"], names)))],
        ..Plan::default()
    }
}

/// The plan that removes services: stopped, disabled, files gone, one reload.
pub(super) fn remove(names: &[ServiceName], observed: &Observed, place: &Place, scope: Scope, keep: Keep) -> Plan {
    let mut plan = Plan::default();
    let running: Vec<_> = names.iter().filter(|name| observed.active.contains(name)).cloned().collect();
    let known: Vec<_> = names.iter().filter(|name| observed.files.contains_key(&place.unit(name))).cloned().collect();
    plan.steps = taken_away(names, &running, observed, place, scope, keep);
    if !known.is_empty() {
        plan.steps.push(Step::plain(Action::Run(Invocation::systemctl(scope, ["daemon-reload"]))));
        plan.steps.push(forgotten(&known, scope));
        plan.after_undo.push(Invocation::systemctl(scope, ["daemon-reload"]));
    }
    plan
}

/// Steps that take services away, but for the reload: those in `stop` are stopped.
fn taken_away(
    names: &[ServiceName],
    stop: &[ServiceName],
    observed: &Observed,
    place: &Place,
    scope: Scope,
    keep: Keep,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let enabled: Vec<_> = names.iter().filter(|name| observed.enabled.contains(name)).cloned().collect();
    if !stop.is_empty() {
        let running: Vec<_> = stop.iter().filter(|name| observed.active.contains(name)).cloned().collect();
        let again = (!running.is_empty()).then(|| Reversal::Run(on_units(scope, &["start"], &running)));
        let undo = again.into_iter().collect();
        steps.push(Step { action: Action::Run(on_units(scope, &["stop"], stop)), undo });
    }
    steps.extend(end_leftovers(names, observed, place, scope));
    if !enabled.is_empty() {
        steps.push(Step {
            action: Action::Run(on_units(scope, &["disable", "--no-reload"], &enabled)),
            undo: vec![Reversal::Run(on_units(scope, &["enable"], &enabled))],
        });
    }
    for name in names {
        steps.extend(removal_steps(observed, name, place, keep, Some(place.unit(name))));
    }
    steps
}

/// The step that clears what systemd remembers of services' failures: of ours only. A unit that is gone
/// has none, which is no error.
fn forgotten(names: &[ServiceName], scope: Scope) -> Step {
    Step::plain(Action::Try(on_units(scope, &["reset-failed"], names), String::new()))
}

/// The step that ends what `systemctl stop` leaves behind of OpenMSIStream's units, if any of these is
/// one and does not run: they have `KillMode=none`. What is observed and not ours is one.
fn end_leftovers(names: &[ServiceName], observed: &Observed, place: &Place, scope: Scope) -> Option<Step> {
    let is_theirs = |name: &&ServiceName| {
        observed.files.get(&place.unit(name)).is_some_and(|unit| !render::is_ours(&unit.contents))
    };
    let theirs: Vec<_> = names.iter().filter(is_theirs).cloned().collect();
    // It fails where nothing is left.
    (!theirs.is_empty()).then(|| Step::plain(Action::Try(kill(scope, &theirs), String::new())))
}

/// The command that ends every process of units.
pub fn kill(scope: Scope, names: &[ServiceName]) -> Invocation {
    on_units(scope, &["kill"], names)
}

/// `systemctl VERB -- UNIT...`, without the dashes where no name can begin with one.
fn on_units(scope: Scope, verb: &[&str], names: &[ServiceName]) -> Invocation {
    let words = verb.iter().map(|word| (*word).to_owned()).chain(names.iter().map(ServiceName::unit));
    Invocation::systemctl(scope, words)
}
