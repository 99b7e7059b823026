//! Plans for NSSM: one call of `nssm.exe` for each parameter that differs.

use super::{Action, Desired, InstallOptions, Keep, Plan, Step, directory_steps, file_steps, removal_steps};
use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::observed::Observed;
use crate::model::parameter::Parameter;
use crate::model::text::Text;
use crate::render::Place;
use crate::render::nssm::{ACCOUNTS, NssmService, default_of};

/// `nssm.exe` with `words`.
fn call(nssm: &Text, words: Vec<Text>) -> Invocation {
    Invocation(std::iter::once(nssm.clone()).chain(words).collect())
}

fn simple(nssm: &Text, verb: &str, name: &ServiceName) -> Invocation {
    call(nssm, vec![verb.into(), name.as_str().into()])
}

/// Without `confirm` NSSM opens a window.
fn confirmed_removal(nssm: &Text, name: &ServiceName) -> Invocation {
    call(nssm, vec!["remove".into(), name.as_str().into(), "confirm".into()])
}

/// The values that `parameter` has among those that are stored.
pub fn current(parameter: &Parameter, stored: &[Parameter]) -> Vec<Text> {
    let found = stored.iter().find(|known| known.name == parameter.name && known.sub == parameter.sub);
    found.map_or_else(|| default_of(parameter), |known| known.values.clone())
}

/// The parameters of `service` that are not as they should be.
pub fn differing<'a>(service: &'a NssmService, stored: &[Parameter]) -> Vec<&'a Parameter> {
    service.parameters.iter().filter(|parameter| current(parameter, stored) != parameter.values).collect()
}

/// The plan that installs `desired`, or brings it up to date.
pub(super) fn install(
    desired: &[Desired],
    observed: &Observed,
    place: &Place,
    nssm: &Text,
    options: &InstallOptions,
) -> Plan {
    let mut plan = Plan::default();
    for files in desired {
        let Some(service) = &files.registration else { continue };
        let before = plan.steps.len();
        plan.steps.extend(file_steps(observed, files, place));
        match observed.registered.get(&service.name) {
            None => {
                plan.steps.push(Step {
                    action: Action::Run(call(nssm, service.install())),
                    // One that runs stays registered; after a restart of the machine it may run.
                    undo: vec![simple(nssm, "stop", &service.name), confirmed_removal(nssm, &service.name)],
                });
                for parameter in service.initial.iter().chain(&service.parameters) {
                    plan.steps.push(Step::plain(Action::Run(call(nssm, service.set(parameter)))));
                }
            }
            Some(earlier) => {
                for parameter in differing(service, earlier) {
                    let mut before = parameter.clone();
                    before.values = current(parameter, earlier);
                    plan.steps.push(Step {
                        action: Action::Run(call(nssm, service.set(parameter))),
                        undo: vec![call(nssm, service.set(&before))],
                    });
                }
            }
        }
        if plan.steps.len() > before {
            plan.steps.extend(grant(files, service, place).map(|call| Step::plain(Action::Run(call))));
        }
    }
    if !plan.steps.is_empty() {
        plan.steps.splice(0..0, directory_steps(observed, &[&place.state_dir]));
    }
    let changed = !plan.is_empty();
    plan.steps.extend(taken_away(&options.remove, &options.remove, observed, place, nssm, Keep::ALL));
    if options.start {
        for Desired { name, .. } in desired {
            if observed.active.contains(name) {
                if !changed {
                    continue;
                }
                plan.restarts.push((plan.steps.len(), simple(nssm, "start", name)));
                stop(&mut plan, nssm, name, Vec::new());
            }
            start(&mut plan, nssm, name);
        }
    }
    plan
}

/// Lets the account of a service read its environment file, which is for administrators otherwise.
fn grant(files: &Desired, service: &NssmService, place: &Place) -> Option<Invocation> {
    let path = place.environment_file(&service.name);
    let account = service.parameters.iter().find(|parameter| parameter.name == "ObjectName")?.values.first()?;
    let (_, number) = ACCOUNTS[1..].iter().find(|(name, _)| account.as_bytes() == name.as_bytes())?;
    files.artifacts.iter().find(|artifact| artifact.path == path)?;
    Some(Invocation(vec!["icacls.exe".into(), path, "/grant".into(), format!("{number}:R").into()]))
}

/// Starts a service. What `nssm start` says is no verdict: it waits less long than services take.
fn start(plan: &mut Plan, nssm: &Text, name: &ServiceName) {
    let undo = vec![simple(nssm, "stop", name)];
    plan.steps.push(Step { action: Action::Try(simple(nssm, "start", name), String::new()), undo });
    plan.steps.push(Step::plain(Action::Settle(vec![name.clone()])));
}

fn stop(plan: &mut Plan, nssm: &Text, name: &ServiceName, undo: Vec<Invocation>) {
    plan.steps.push(Step { action: Action::Try(simple(nssm, "stop", name), String::new()), undo });
    plan.steps.push(Step::plain(Action::AwaitStop(name.clone())));
}

/// The plan that stops services, and starts them again when all is as it was.
pub(super) fn stop_all(names: &[ServiceName], nssm: &Text) -> Plan {
    let mut plan = Plan::default();
    for name in names {
        plan.restarts.push((plan.steps.len(), simple(nssm, "start", name)));
        stop(&mut plan, nssm, name, Vec::new());
    }
    plan
}

/// The plan that removes services.
pub(super) fn remove(names: &[ServiceName], observed: &Observed, place: &Place, nssm: &Text, keep: Keep) -> Plan {
    let running: Vec<_> = names.iter().filter(|name| observed.active.contains(name)).cloned().collect();
    Plan { steps: taken_away(names, &running, observed, place, nssm, keep), ..Plan::default() }
}

/// Steps that take services away: those in `running` are stopped first, because a service that runs stays
/// registered.
fn taken_away(
    names: &[ServiceName],
    running: &[ServiceName],
    observed: &Observed,
    place: &Place,
    nssm: &Text,
    keep: Keep,
) -> Vec<Step> {
    let mut plan = Plan::default();
    for name in names {
        if running.contains(name) {
            let was_running = observed.active.contains(name);
            stop(&mut plan, nssm, name, if was_running { vec![simple(nssm, "start", name)] } else { Vec::new() });
        }
        if let Some(parameters) = observed.registered.get(name) {
            let application =
                parameters.iter().find(|known| known.name == "Application").and_then(|known| known.values.first());
            let service = NssmService {
                name: name.clone(),
                application: application.cloned().unwrap_or_default(),
                parameters: parameters.clone(),
                initial: Vec::new(),
            };
            let again = std::iter::once(service.install())
                .chain(service.parameters.iter().map(|parameter| service.set(parameter)))
                .map(|words| call(nssm, words));
            plan.steps.push(Step { action: Action::Run(confirmed_removal(nssm, name)), undo: again.collect() });
        }
        plan.steps.extend(removal_steps(observed, name, place, keep, place.output(name)));
    }
    plan.steps
}
