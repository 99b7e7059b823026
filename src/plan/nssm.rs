//! Plans for NSSM: one call of `nssm.exe` for each parameter that differs.

use super::step::{Action, Plan, Reversal, Step};
use super::{Desired, InstallOptions, Keep, directory_steps, file_steps, keeping_steps, kept_away, removal_steps};
use crate::model::artifact::Artifact;
use crate::model::name::ServiceName;
use crate::model::nssm_table::goes_unasked;
use crate::model::observed::Observed;
use crate::model::operation;
use crate::model::operation::nssm::Operation;
use crate::model::original::Original;
use crate::model::parameter::Parameter;
use crate::model::place::Place;
use crate::model::registration::stored_as_it_is;
use crate::render::nssm::{self as rendered, ACCOUNTS, NssmService, START, current, default_of, unset};

fn run(operation: Operation) -> Step {
    Step::plain(Action::Run(operation::Operation::Nssm(operation)))
}

/// A step whose failure is no verdict.
fn attempt(operation: Operation) -> Step {
    Step::plain(Action::Try(operation::Operation::Nssm(operation), String::new()))
}

/// What `operations` of one service do, the first of which takes back all of them.
fn registering(
    name: &ServiceName,
    earlier: Option<&Vec<Parameter>>,
    operations: impl Iterator<Item = Operation>,
) -> Vec<Step> {
    let mut steps: Vec<Step> = operations.map(run).collect();
    if let Some(first) = steps.first_mut() {
        first.undo.push(Reversal::Registration { name: name.clone(), earlier: earlier.cloned() });
    }
    steps
}

fn set(name: &ServiceName, parameter: &Parameter) -> Operation {
    Operation::Set { name: name.clone(), parameter: parameter.clone() }
}

/// A parameter as it was: NSSM would forget one that was stored with the value that it has without it.
fn exactly(parameter: &Parameter) -> Parameter {
    match parameter.values == default_of(parameter) {
        true => stored_as_it_is(parameter),
        false => parameter.clone(),
    }
}

/// What is asked of NSSM after which it has `earlier` for the service, in the place of `now`.
pub fn brings_back(name: &ServiceName, now: Option<&[Parameter]>, earlier: Option<&[Parameter]>) -> Vec<Operation> {
    let Some(earlier) = earlier else {
        return now.map(|_| Operation::Unregister(name.clone())).into_iter().collect();
    };
    match now {
        None => {
            let application = earlier.iter().find(|known| known.name == "Application");
            let application = application.and_then(|known| known.values.first()).cloned().unwrap_or_default();
            let register = Operation::Register { name: name.clone(), application };
            std::iter::once(register).chain(earlier.iter().map(|parameter| set(name, &exactly(parameter)))).collect()
        }
        Some(now) => {
            let differing = earlier.iter().filter(|parameter| !now.contains(parameter)).map(exactly);
            let is_new = |known: &&Parameter| earlier.iter().all(|parameter| !parameter.is_same_as(known));
            // An older journal knows nothing of what every service has.
            let added = now.iter().filter(|known| is_new(known) && goes_unasked(&known.name));
            added.map(unset).chain(differing).map(|parameter| set(name, &parameter)).collect()
        }
    }
}

/// The plan that installs `desired`, or brings it up to date.
pub(super) fn install(desired: &[Desired], observed: &Observed, place: &Place, options: &InstallOptions) -> Plan {
    let mut plan = Plan::of(Vec::new());
    for files in desired {
        let Some(service) = files.registration.nssm() else { continue };
        let before = plan.steps.len();
        plan.steps.extend(keeping_steps(observed, &service.name, place));
        plan.steps.extend(file_steps(observed, files, place));
        match observed.registered.get(&service.name) {
            None => {
                let all = service.initial.iter().chain(&service.parameters);
                let set = all.map(|parameter| service.set(parameter));
                plan.steps.extend(registering(&service.name, None, std::iter::once(service.register()).chain(set)));
            }
            Some(earlier) => {
                let set = service.differing(earlier).into_iter().map(|parameter| service.set(&parameter));
                plan.steps.extend(registering(&service.name, Some(earlier), set));
            }
        }
        if plan.steps.len() > before {
            plan.steps.extend(grant(files, service, place).map(run));
        }
    }
    if !plan.steps.is_empty() {
        plan.steps.splice(0..0, directory_steps(observed, &[&place.state_dir]));
    }
    let changed = !plan.is_empty();
    let mut surplus = taken_away(&options.remove, &options.remove, observed, place, options.keep());
    surplus.retain(|step| !options.renames || !matches!(step.action, Action::Discard(_)));
    plan.steps.extend(surplus);
    if options.start || options.restart_now {
        for Desired { name, .. } in desired {
            let is_adopted = observed.adopted.contains_key(name);
            if !(options.start || is_adopted && observed.active.contains(name)) {
                continue;
            }
            if observed.active.contains(name) {
                // What is taken over goes on.
                if !changed || is_adopted && !options.restart_now {
                    continue;
                }
                plan.steps.extend(stop_all(std::slice::from_ref(name)));
            }
            plan.steps.extend(start(name));
        }
    }
    plan
}

/// Lets the account of a service read its environment file, which is for administrators otherwise.
fn grant(files: &Desired, service: &NssmService, place: &Place) -> Option<Operation> {
    let path = place.environment_file(&service.name);
    let account = service.parameters.iter().find(|parameter| parameter.name == "ObjectName")?.values.first()?;
    let (_, number) = ACCOUNTS[1..].iter().find(|(name, _)| account.as_bytes() == name.as_bytes())?;
    files.artifacts.iter().find(|artifact| artifact.path == path)?;
    Some(Operation::GrantRead { file: path, account: (*number).to_owned() })
}

/// Starts a service. What `nssm start` says is no verdict: it waits less long than services take.
fn start(name: &ServiceName) -> [Step; 2] {
    [
        attempt(Operation::Start(name.clone())).undone_by([Reversal::Stop(name.clone())]),
        Step::plain(Action::Settle(vec![name.clone()])),
    ]
}

fn stop(name: &ServiceName) -> [Step; 2] {
    [attempt(Operation::Stop(name.clone())), Step::plain(Action::AwaitStop(name.clone()))]
}

/// Steps that stop services, and start them again when all is as it was.
pub(super) fn stop_all(names: &[ServiceName]) -> Vec<Step> {
    let steps = names.iter().flat_map(|name| {
        let [stop, wait] = stop(name);
        [stop.at_last([Reversal::Start(name.clone())]), wait]
    });
    steps.collect()
}

/// The plan after which services are started at boot, or are not.
pub(super) fn at_boot(names: &[ServiceName], at_boot: bool, observed: &Observed) -> Plan {
    let wanted = Parameter::new(START, rendered::start(at_boot));
    let mut plan = Plan::of(Vec::new());
    for (name, earlier) in names.iter().filter_map(|name| observed.registered.get_key_value(name)) {
        if current(&wanted, earlier) != wanted.values {
            plan.steps.extend(registering(name, Some(earlier), std::iter::once(set(name, &wanted))));
        }
    }
    plan
}

/// The plan that gives services back to what had their names: NSSM has what it had, and nothing of ours is left. What
/// runs goes on.
pub(super) fn release(names: &[ServiceName], observed: &Observed, place: &Place) -> Plan {
    let mut plan = Plan::of(Vec::new());
    for name in names {
        let original = observed.originals.get(name).and_then(Original::registration);
        let Some(earlier) = original.map(|original| original.parameters()) else { continue };
        let now = observed.registered.get(name);
        let operations = brings_back(name, now.map(Vec::as_slice), Some(&earlier));
        plan.steps.extend(registering(name, now, operations.into_iter()));
        plan.steps.extend(removal_steps(observed, name, place, Keep::default(), &[]));
        plan.steps.extend(kept_away(observed, name, place));
    }
    plan
}

/// The plan that puts `files` in the place of the `nssm.exe` that services run by: those that are `running` are stopped for
/// that, because Windows keeps a program that runs as it is.
pub(super) fn upgrade(files: &[Artifact], running: &[ServiceName]) -> Plan {
    let mut steps = stop_all(running);
    steps.extend(files.iter().map(|file| Step::plain(Action::Write(file.clone()))));
    steps.extend(running.iter().flat_map(start));
    Plan::of(steps)
}

/// The plan that removes services.
pub(super) fn remove(names: &[ServiceName], observed: &Observed, place: &Place, keep: Keep) -> Plan {
    let running: Vec<_> = names.iter().filter(|name| observed.active.contains(name)).cloned().collect();
    Plan::of(taken_away(names, &running, observed, place, keep))
}

/// Steps that take services away: those in `running` are stopped first, because a service that runs stays
/// registered.
fn taken_away(
    names: &[ServiceName],
    running: &[ServiceName],
    observed: &Observed,
    place: &Place,
    keep: Keep,
) -> Vec<Step> {
    let mut steps = Vec::new();
    for name in names {
        if running.contains(name) {
            let again = observed.active.contains(name).then(|| Reversal::Start(name.clone()));
            let [stop, wait] = stop(name);
            steps.extend([stop.undone_by(again), wait]);
        }
        // The files first: they are put back byte for byte, and NSSM takes its parameters one by one.
        steps.extend(removal_steps(observed, name, place, keep, &[]));
        if let Some(earlier) = observed.registered.get(name) {
            let earlier = Some(earlier.clone());
            let again = Reversal::Registration { name: name.clone(), earlier };
            steps.push(run(Operation::Unregister(name.clone())).undone_by([again]));
        }
        let outputs = observed.outputs.get(name).into_iter().flatten();
        steps.extend(outputs.map(|path| Step::plain(Action::Discard(path.clone()))));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(now: Option<&[Parameter]>, earlier: Option<&[Parameter]>) -> Vec<String> {
        let operations = brings_back(&"web".parse().expect("a name"), now, earlier);
        operations.iter().map(|operation| operation.invocation(&r"C:\nssm.exe".into()).typed()).collect()
    }

    #[test]
    fn what_is_there_decides_how_it_is_brought_back() {
        let old = [Parameter::new("Application", r"C:\web.exe"), Parameter::new("AppParameters", "old")];
        let new = [
            Parameter::new("Application", r"C:\web.exe"),
            Parameter::new("AppParameters", "new"),
            Parameter::on_exit("0", "Exit"),
            Parameter::number("AppThrottle", 7),
        ];
        assert_eq!(back(None, None), [""; 0]);
        assert_eq!(back(Some(&old), Some(&old)), [""; 0]);
        assert_eq!(back(Some(&new), None), [r"C:\nssm.exe remove web confirm"]);
        assert_eq!(
            back(Some(&new), Some(&old)),
            [
                r"C:\nssm.exe reset web AppExit 0",
                r"C:\nssm.exe reset web AppThrottle",
                r"C:\nssm.exe set web AppParameters old",
            ]
        );
        assert_eq!(
            back(None, Some(&old)),
            [
                r"C:\nssm.exe install web C:\web.exe",
                r"C:\nssm.exe set web Application C:\web.exe",
                r"C:\nssm.exe set web AppParameters old",
            ]
        );
    }
}
