//! Plans for NSSM: one call of `nssm.exe` for each parameter that differs.

use super::{Action, Desired, InstallOptions, Keep, Plan, Reversal, Step, directory_steps, file_steps, removal_steps};
use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::observed::Observed;
use crate::model::parameter::Parameter;
use crate::model::place::Place;
use crate::model::text::Text;
use crate::render::nssm::{ACCOUNTS, NssmService, Runner, default_of};

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

/// Steps that call NSSM with these words, the first of which takes back all of them.
fn registering(
    nssm: &Text,
    name: &ServiceName,
    earlier: Option<&Vec<Parameter>>,
    words: impl Iterator<Item = Vec<Text>>,
) -> Vec<Step> {
    let mut steps: Vec<Step> = words.map(|words| Step::plain(Action::Run(call(nssm, words)))).collect();
    if let Some(first) = steps.first_mut() {
        first.undo.push(Reversal::Registration { name: name.clone(), earlier: earlier.cloned() });
    }
    steps
}

/// The calls of NSSM after which it has `earlier` for the service, in the place of `now`.
pub fn calls_back(
    nssm: &Text,
    name: &ServiceName,
    now: Option<&[Parameter]>,
    earlier: Option<&[Parameter]>,
) -> Vec<Invocation> {
    let Some(earlier) = earlier else {
        return now.map(|_| confirmed_removal(nssm, name)).into_iter().collect();
    };
    let application = earlier.iter().find(|known| known.name == "Application").and_then(|known| known.values.first());
    let service = NssmService {
        name: name.clone(),
        application: application.cloned().unwrap_or_default(),
        parameters: earlier.to_vec(),
        initial: Vec::new(),
        runner: Runner::Needless,
    };
    let words: Vec<Vec<Text>> = match now {
        None => std::iter::once(service.install())
            .chain(service.parameters.iter().map(|parameter| service.set(parameter)))
            .collect(),
        Some(now) => {
            let had = |parameter: &&Parameter| {
                earlier.iter().any(|known| known.name == parameter.name && known.sub == parameter.sub)
            };
            let added = now.iter().filter(|parameter| !had(parameter));
            let unset = added.map(|parameter| Parameter { values: default_of(parameter), ..parameter.clone() });
            let set = differing(&service, now).into_iter().map(|parameter| service.set(parameter));
            set.chain(unset.map(|parameter| service.set(&parameter))).collect()
        }
    };
    words.into_iter().map(|words| call(nssm, words)).collect()
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
                let words = std::iter::once(service.install());
                let set = service.initial.iter().chain(&service.parameters).map(|parameter| service.set(parameter));
                plan.steps.extend(registering(nssm, &service.name, None, words.chain(set)));
            }
            Some(earlier) => {
                let set = differing(service, earlier).into_iter().map(|parameter| service.set(parameter));
                plan.steps.extend(registering(nssm, &service.name, Some(earlier), set));
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
                plan.restarts.push((plan.steps.len(), Reversal::Start(name.clone())));
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
    let undo = vec![Reversal::Stop(name.clone())];
    plan.steps.push(Step { action: Action::Try(simple(nssm, "start", name), String::new()), undo });
    plan.steps.push(Step::plain(Action::Settle(vec![name.clone()])));
}

fn stop(plan: &mut Plan, nssm: &Text, name: &ServiceName, undo: Vec<Reversal>) {
    plan.steps.push(Step { action: Action::Try(simple(nssm, "stop", name), String::new()), undo });
    plan.steps.push(Step::plain(Action::AwaitStop(name.clone())));
}

/// The plan that stops services, and starts them again when all is as it was.
pub(super) fn stop_all(names: &[ServiceName], nssm: &Text) -> Plan {
    let mut plan = Plan::default();
    for name in names {
        plan.restarts.push((plan.steps.len(), Reversal::Start(name.clone())));
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
            let again = was_running.then(|| Reversal::Start(name.clone()));
            stop(&mut plan, nssm, name, again.into_iter().collect());
        }
        // The files first: they are put back byte for byte, and NSSM takes its parameters one by one.
        plan.steps.extend(removal_steps(observed, name, place, keep, None));
        if let Some(earlier) = observed.registered.get(name) {
            plan.steps.push(Step {
                action: Action::Run(confirmed_removal(nssm, name)),
                undo: vec![Reversal::Registration { name: name.clone(), earlier: Some(earlier.clone()) }],
            });
        }
        let outputs = observed.outputs.get(name).into_iter().flatten();
        plan.steps.extend(outputs.map(|path| Step::plain(Action::Discard(path.clone()))));
    }
    plan.steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(now: Option<&[Parameter]>, earlier: Option<&[Parameter]>) -> Vec<String> {
        let calls = calls_back(&r"C:\nssm.exe".into(), &"web".parse().expect("a name"), now, earlier);
        calls.iter().map(Invocation::typed).collect()
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
                r"C:\nssm.exe set web AppParameters old",
                r"C:\nssm.exe reset web AppExit 0",
                r"C:\nssm.exe set web AppThrottle 1500",
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
