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
use crate::model::password::Password;
use crate::model::place::Place;
use crate::model::registration::stored_as_it_is;
use crate::model::windows_account::WindowsAccount;
use crate::render::nssm::{
    self as rendered, NssmService, START, account_of, account_with_password, current, default_of, unset,
};

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
    taken_back_at_once(name, earlier, operations.map(run).collect())
}

/// Steps that change the registration of one service, the first of which takes back all of them.
fn taken_back_at_once(name: &ServiceName, earlier: Option<&Vec<Parameter>>, mut steps: Vec<Step>) -> Vec<Step> {
    if let Some(first) = steps.first_mut() {
        first.undo.push(Reversal::Registration { name: name.clone(), earlier: earlier.cloned() });
    }
    steps
}

/// Steps that set these parameters; the account of one that has a password with that, where it is known.
fn setting(service: &NssmService, parameters: Vec<Parameter>, password: Option<&Password>) -> Vec<Step> {
    let one = |parameter: Parameter| match account_with_password(&parameter) {
        Some(account) => logging_on(&service.name, &account, password),
        None => vec![run(service.set(&parameter))],
    };
    parameters.into_iter().flat_map(one).collect()
}

/// Steps after which a service runs as an account that has a password.
fn logging_on(name: &ServiceName, account: &WindowsAccount, password: Option<&Password>) -> Vec<Step> {
    let account = account.name().to_owned();
    let not_let = format!(
        "`{account}` may lack the right \"Log on as a service\"; add it in secpol.msc, \"Local Policies\", \"User Rights \
         Assignment\""
    );
    let let_log_on = Operation::LetLogOn { name: name.clone(), account: account.clone() };
    let log_on = operation::Operation::Nssm(Operation::LogOnAs { name: name.clone(), account });
    vec![
        Step::plain(Action::Try(operation::Operation::Nssm(let_log_on), not_let)),
        Step::plain(match password {
            Some(password) => Action::RunWith(log_on, password.clone()),
            None => Action::Run(log_on),
        }),
    ]
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
        let password = options.passwords.get(&service.name);
        plan.steps.extend(keeping_steps(observed, &service.name, place));
        plan.steps.extend(file_steps(observed, files, place));
        match observed.registered.get(&service.name) {
            None => {
                let all = service.initial.iter().chain(&service.parameters);
                let mut steps = vec![run(service.register())];
                steps.extend(setting(service, all.cloned().collect(), password));
                plan.steps.extend(taken_back_at_once(&service.name, None, steps));
            }
            Some(earlier) => {
                let steps = setting(service, changing(service, earlier, password.is_some()), password);
                plan.steps.extend(taken_back_at_once(&service.name, Some(earlier), steps));
            }
        }
        if plan.steps.len() > before {
            plan.steps.extend(access(files, service, observed, place));
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

/// What has to be set where NSSM has `stored`; with a new password also the account that is as it should be.
fn changing(service: &NssmService, stored: &[Parameter], has_password: bool) -> Vec<Parameter> {
    let mut differing = service.differing(stored);
    let account = service.parameters.iter().find(|parameter| account_with_password(parameter).is_some());
    if let Some(account) = account.filter(|account| has_password && !differing.contains(account)) {
        differing.push(account.clone());
    }
    differing
}

/// Lets the account of a service read its environment file, which is for administrators otherwise, and write what an
/// earlier account has written; that one loses what it was granted.
fn access(files: &Desired, service: &NssmService, observed: &Observed, place: &Place) -> Vec<Step> {
    let earlier = observed.registered.get(&service.name).and_then(|stored| account_of(stored));
    let Some(account) = account_of(&service.parameters).or_else(|| earlier.clone()) else { return Vec::new() };
    let earlier = earlier.filter(|earlier| !earlier.is_same_as(&account));
    let secrets = place.environment_file(&service.name);
    let has_secrets = files.artifacts.iter().any(|artifact| artifact.path == secrets);
    let written = observed.written.get(&service.name).filter(|_| earlier.is_some()).into_iter().flatten();
    let reads = has_secrets.then_some((&secrets, false)).into_iter();
    let mut steps = Vec::new();
    for (file, changes) in reads.chain(written.map(|file| (file, true))) {
        let grant = |account: &WindowsAccount| match (changes, account.in_access_list().to_owned(), file.clone()) {
            (true, account, file) => Operation::GrantChange { file, account },
            (false, account, file) => Operation::GrantRead { file, account },
        };
        let revoke = |account: &WindowsAccount| Operation::Revoke {
            file: file.clone(),
            account: account.in_access_list().to_owned(),
        };
        let back = |operation: Operation| [Reversal::Try(operation::Operation::Nssm(operation))];
        if let Some(earlier) = earlier.as_ref().filter(|earlier| !earlier.is_system()) {
            // An account that is gone has no rights to lose.
            steps.push(attempt(revoke(earlier)).undone_by(back(grant(earlier))));
        }
        if !account.is_system() {
            let step = run(grant(&account));
            steps.push(if earlier.is_some() { step.undone_by(back(revoke(&account))) } else { step });
        }
    }
    steps
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
