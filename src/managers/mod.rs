//! The service managers: what each of them is asked, told, and given.
//!
//! The functions here put the same question to either; what is systemd's or NSSM's alone is in its own module.
#![allow(clippy::disallowed_methods, reason = "beside `host`, a place for effects")]

pub mod credential;
pub mod log_file;
pub mod nssm;
pub mod observe;
mod original;
pub mod systemd;

use crate::diagnose::installed::{Installed, Surroundings};
use crate::diagnose::{self, Finding};
use crate::error::{Error, Fault};
use crate::host::{interrupt, process};
use crate::model::invocation::Invocation;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::operation::Operation;
use crate::model::password::Password;
use crate::model::site::Site;
use crate::model::spec::{Scope, Target};
use crate::model::status::{Killed, ServiceStatus, State};

/// The service manager of this host.
pub fn of_this_host() -> Target {
    if cfg!(windows) { Target::Nssm } else { Target::Systemd }
}

/// Whose services there are on this host: the machine's come first, and only systemd has a user's own.
pub fn scopes_of_this_host() -> &'static [Scope] {
    match of_this_host() {
        Target::Systemd => &[Scope::System, Scope::User],
        Target::Nssm => &[Scope::System],
    }
}

/// What a service manager is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// Services are to be installed.
    Install {
        /// The command that writes them into this system instead, for it to start them when it boots.
        for_next_boot: &'a str,
    },
    /// Services that are installed are asked for, or are to do something.
    Manage,
}

/// Fails where the service manager does not run, or none for this user, with what to do about it.
///
/// # Errors
/// [`Error::NoServiceManager`].
pub fn need(manager: Manager, purpose: Purpose<'_>) -> Result<(), Error> {
    let (system, here) = match manager {
        Manager::Systemd(_) => ("systemd can be installed on Linux", cfg!(target_os = "linux")),
        Manager::Nssm => ("NSSM can be installed on Windows", cfg!(windows)),
    };
    if !here {
        return Err(Error::NoServiceManager {
            reason: format!("services for {system} only"),
            help: "`--dry-run` and `--output DIR` work here too".into(),
        });
    }
    match manager {
        Manager::Systemd(scope) => systemd::presence::need(scope, purpose),
        Manager::Nssm => Ok(()),
    }
}

/// Refuses services that the service manager has not taken in, though it was told to.
///
/// # Errors
/// As [`systemd::need_loaded`].
pub fn need_loaded(site: &Site, names: &[ServiceName]) -> Result<(), Error> {
    match site.manager {
        Manager::Systemd(scope) => systemd::need_loaded(names, scope),
        // It has no files that it could misread.
        Manager::Nssm => Ok(()),
    }
}

/// Does what a step says, and waits for the command's end.
///
/// # Errors
/// When the command fails.
pub fn run(operation: &Operation, site: &Site) -> Result<(), Error> {
    let limit = match operation {
        Operation::Systemd(operation) => systemd::limit_of(operation, site.scope()),
        Operation::Nssm(operation) => {
            let exe = site.place.nssm();
            if let Some((name, account)) = operation.account() {
                return nssm::log_on_as(&exe, name, &account, None);
            }
            nssm::limit_of(operation, &exe)
        }
    };
    process::run_within(&operation.invocation(site), limit).map(drop)
}

/// Does what a step says that needs a password, which is handed over by a call and not by a command.
///
/// # Errors
/// When the service manager refuses.
pub fn run_with(operation: &Operation, password: &Password, site: &Site) -> Result<(), Error> {
    let of_nssm = match operation {
        Operation::Nssm(operation) => operation.account(),
        Operation::Systemd(_) => None,
    };
    match of_nssm {
        Some((name, account)) => nssm::log_on_as(&site.place.nssm(), name, &account, Some(password)),
        None => run(operation, site),
    }
}

/// Waits until the service manager has forgotten services that were removed.
///
/// # Errors
/// When one stays.
pub fn await_gone(site: &Site, names: &[ServiceName]) -> Result<(), Error> {
    match site.manager {
        Manager::Systemd(_) => Ok(()),
        Manager::Nssm => names.iter().try_for_each(nssm::await_gone),
    }
}

/// What services are doing, in the order of their names.
///
/// # Errors
/// When the service manager does not answer.
pub fn status(site: &Site, names: &[ServiceName]) -> Result<Vec<ServiceStatus>, Error> {
    match site.manager {
        Manager::Systemd(scope) => systemd::statuses(names, &site.place, scope),
        Manager::Nssm => names.iter().map(|name| nssm::status(&site.place.nssm(), name)).collect(),
    }
}

/// The instances of a template that run, or have failed.
///
/// # Errors
/// When the service manager does not answer.
pub fn instances(site: &Site, template: &ServiceName) -> Result<Vec<ServiceName>, Error> {
    match site.manager {
        Manager::Systemd(scope) => systemd::instances(template, scope),
        Manager::Nssm => Ok(Vec::new()),
    }
}

/// `names` with the instances that run in the place of templates.
///
/// # Errors
/// When the service manager does not answer.
pub fn running_units(site: &Site, names: &[ServiceName]) -> Result<Vec<ServiceName>, Error> {
    let mut units = Vec::new();
    for name in names {
        match name.is_template() {
            true => units.extend(instances(site, name)?),
            false => units.push(name.clone()),
        }
    }
    Ok(units)
}

/// Those of `names` that run or are about to.
///
/// # Errors
/// When the service manager does not answer.
pub fn active(site: &Site, names: &[ServiceName]) -> Result<Vec<ServiceName>, Error> {
    let states = status(site, names)?;
    Ok(names.iter().zip(states).filter(|(_, status)| status.is_active()).map(|(name, _)| name.clone()).collect())
}

/// Starts services and waits until they have settled.
///
/// # Errors
/// When the service manager refuses, or a service dies.
pub fn start(site: &Site, names: &[ServiceName]) -> Result<(), Error> {
    match site.manager {
        Manager::Systemd(scope) => {
            let jobs = systemd::schedule::timed(names, &site.place);
            // A start of a service that waits for its restart waits with it, for minutes; a restart does not.
            let states = status(site, names)?;
            let of = |waits: bool| {
                let all = names.iter().zip(&states).filter(|(name, _)| !jobs.contains(name));
                let all = all.filter(move |(_, status)| (status.state == State::Restarting) == waits);
                all.map(|(name, _)| name.clone()).collect::<Vec<_>>()
            };
            systemd::allow_start(names, scope);
            let (waiting, others) = (of(true), of(false));
            let restart = (&waiting, systemd::Operation::Restart(waiting.clone()));
            let start = (&others, systemd::Operation::Start(others.clone()));
            begin_jobs(&jobs, scope)?;
            for (names, operation) in [restart, start].into_iter().filter(|(names, _)| !names.is_empty()) {
                systemd::act(&operation, scope).map_err(|error| explained(error, site, names))?;
            }
        }
        Manager::Nssm => names.iter().try_for_each(|name| nssm::start(&site.place.nssm(), name))?,
    }
    settle(site, names)
}

/// The error of starting `names`, with what the one of them said that died.
pub fn explained(error: Error, site: &Site, names: &[ServiceName]) -> Error {
    match site.manager {
        Manager::Systemd(_) => systemd::with_log(error, names, site),
        Manager::Nssm => error,
    }
}

/// Why a service does not run, where it has failed and that is known.
pub fn causes(site: &Site, name: &ServiceName, status: &ServiceStatus) -> Vec<Finding> {
    match (site.manager, status.state) {
        (Manager::Systemd(_), State::Failed | State::Restarting) => {
            let log = systemd::log_of_failure(name, site);
            systemd::why::causes(name, site, status, &log)
        }
        (Manager::Nssm, State::Stopped | State::Restarting) => nssm::causes(name, &site.place),
        (Manager::Systemd(_) | Manager::Nssm, _) => Vec::new(),
    }
}

/// What is wrong with services, for each of them, and with what surrounds them; `None` of one that was removed, but for
/// what `reinstall` needs. `unfinished` is whether an earlier run of
/// ours was interrupted.
///
/// # Errors
/// When the service manager does not answer.
pub fn examine(site: &Site, names: &[ServiceName], unfinished: bool) -> Result<diagnose::Found, Error> {
    match site.manager {
        Manager::Systemd(_) => {
            let (services, surroundings) = systemd::examine::examine(names, site)?;
            let surroundings = Surroundings { unfinished, ..surroundings };
            let findings = |of: &Installed| (!of.is_removed()).then(|| of.findings());
            Ok((services.iter().map(findings).collect(), surroundings.findings()))
        }
        Manager::Nssm => nssm::examine(names, &site.place, unfinished),
    }
}

/// Stops services and starts them again.
///
/// # Errors
/// As [`start`].
pub fn restart(site: &Site, names: &[ServiceName]) -> Result<(), Error> {
    match site.manager {
        Manager::Systemd(scope) => {
            let jobs = systemd::schedule::timed(names, &site.place);
            let others: Vec<ServiceName> = names.iter().filter(|name| !jobs.contains(name)).cloned().collect();
            systemd::allow_start(names, scope);
            if !jobs.is_empty() {
                systemd::act(&systemd::Operation::Stop(jobs.clone()), scope)?;
                begin_jobs(&jobs, scope)?;
            }
            if !others.is_empty() {
                let restart = systemd::Operation::Restart(others.clone());
                systemd::act(&restart, scope).map_err(|error| explained(error, site, &others))?;
            }
            settle(site, names)
        }
        // `nssm restart` does not start again what takes long to stop.
        Manager::Nssm => {
            stop(site, names)?;
            start(site, names)
        }
    }
}

/// Has jobs begin, and their timers wait for the next time. How long a job takes is its own affair.
fn begin_jobs(jobs: &[ServiceName], scope: Scope) -> Result<(), Error> {
    if jobs.is_empty() {
        return Ok(());
    }
    systemd::act(&systemd::Operation::Timers(Box::new(systemd::Operation::Start(jobs.to_vec()))), scope)?;
    systemd::act(&systemd::Operation::BeginStart(jobs.to_vec()), scope)
}

/// Has services read their configuration again, where they can.
///
/// # Errors
/// A refused request for one that cannot, and when the service manager refuses.
pub fn reload(site: &Site, names: &[ServiceName]) -> Result<(), Error> {
    let (cannot, reason) = match site.manager {
        Manager::Systemd(scope) => (systemd::not_reloadable(names, scope)?, "its unit has no `ExecReload`"),
        Manager::Nssm => (names.to_vec(), "NSSM cannot tell a program to read its configuration again"),
    };
    if !cannot.is_empty() {
        let fault = |name: &ServiceName| {
            Fault::new(format!("service `{name}`"), reason)
                .help(format!("`ManageService {name} restart` has it begin anew"))
        };
        return Err(Error::Refused(cannot.iter().map(fault).collect()));
    }
    match site.manager {
        Manager::Systemd(scope) => systemd::act(&systemd::Operation::ReloadUnits(names.to_vec()), scope),
        Manager::Nssm => Ok(()),
    }
}

/// Stops services; one that does not run is fine.
///
/// # Errors
/// When one goes on running.
pub fn stop(site: &Site, names: &[ServiceName]) -> Result<(), Error> {
    match site.manager {
        Manager::Systemd(scope) => {
            let jobs = systemd::schedule::timed(names, &site.place);
            if !jobs.is_empty() {
                systemd::act(&systemd::Operation::Timers(Box::new(systemd::Operation::Stop(jobs))), scope)?;
            }
            systemd::act(&systemd::Operation::Stop(names.to_vec()), scope)
        }
        Manager::Nssm => {
            names.iter().try_for_each(|name| nssm::stop(&site.place.nssm(), name))?;
            names.iter().try_for_each(|name| await_stop(site, name))
        }
    }
}

/// Those of `names` that had to be killed since they were as `before` says. NSSM ends what does not answer as well, and
/// tells nobody: its messages are in the event log, in the language of the system.
pub fn killed(site: &Site, names: &[ServiceName], before: &[ServiceStatus]) -> Vec<Killed> {
    match site.manager {
        Manager::Systemd(scope) => systemd::killed::killed(names, before, scope),
        Manager::Nssm => Vec::new(),
    }
}

/// Ends what `stop` leaves behind of services that OpenMSIStream installed: their units have `KillMode=none`.
pub fn end_leftovers(site: &Site, names: &[ServiceName]) {
    match site.manager {
        // It fails where nothing is left.
        Manager::Systemd(scope) => drop(systemd::act(&systemd::Operation::Kill(names.to_vec()), scope)),
        // NSSM ends the whole tree of processes.
        Manager::Nssm => {}
    }
}

/// What was put back by [`leave_as_before`], one line each, and what could not be.
#[derive(Debug, Default)]
pub struct PutBack {
    /// What was.
    pub restored: Vec<String>,
    /// What was not, with the way to mend it by hand.
    pub left: Vec<String>,
}

impl PutBack {
    fn note(&mut self, command: &Invocation, done: Result<bool, Error>) {
        match done {
            Ok(true) => self.restored.push(format!("by `{}`", command.typed())),
            Ok(false) => {}
            Err(error) => self.left.push(format!("run `{}` by hand ({error})", command.typed())),
        }
    }
}

/// Takes back what an interrupt has ended half way: services do again what they did `before`. One that starts or
/// stops may take its time for it; that is not waited for.
pub fn leave_as_before(site: &Site, names: &[ServiceName], before: &[ServiceStatus]) -> PutBack {
    let _undisturbed = interrupt::undisturbed();
    let those = |of: fn(&ServiceStatus) -> bool| -> Vec<ServiceName> {
        names.iter().zip(before).filter(|(_, status)| of(status)).map(|(name, _)| name.clone()).collect()
    };
    let (active, idle) = (those(ServiceStatus::is_active), those(|status| !status.is_active()));
    let mut put_back = PutBack::default();
    match site.manager {
        Manager::Systemd(scope) => {
            let mut ask = |operation: systemd::Operation| {
                put_back.note(&operation.invocation(scope), systemd::act(&operation, scope).map(|()| true));
            };
            let timers = |of: &[ServiceName]| systemd::schedule::timed(of, &site.place);
            if !idle.is_empty() {
                let jobs = timers(&idle);
                if !jobs.is_empty() {
                    ask(systemd::Operation::Timers(Box::new(systemd::Operation::Stop(jobs))));
                }
                ask(systemd::Operation::Stop(idle));
                // One that was ended before it ran counts as failed. It fails where nothing is to be forgotten.
                let clean = those(|status| status.state == State::Stopped);
                // Without a name it would forget those of all units.
                if !clean.is_empty() {
                    drop(systemd::act(&systemd::Operation::ResetFailed(clean), scope));
                }
            }
            let jobs = timers(&active);
            let others: Vec<ServiceName> = active.into_iter().filter(|name| !jobs.contains(name)).collect();
            if !jobs.is_empty() {
                ask(systemd::Operation::Timers(Box::new(systemd::Operation::BeginStart(jobs))));
            }
            if !others.is_empty() {
                ask(systemd::Operation::BeginStart(others));
            }
        }
        Manager::Nssm => {
            let exe = site.place.nssm();
            for name in &idle {
                put_back.note(&nssm::Operation::Stop(name.clone()).invocation(&exe), nssm::bring_down(&exe, name));
            }
            for name in &active {
                put_back.note(&nssm::Operation::Start(name.clone()).invocation(&exe), nssm::bring_up(&exe, name));
            }
        }
    }
    put_back
}

/// Waits until services have settled.
///
/// # Errors
/// When one of them died.
pub fn settle(site: &Site, names: &[ServiceName]) -> Result<(), Error> {
    match site.manager {
        Manager::Systemd(_) => systemd::settle(names, site),
        Manager::Nssm => names
            .iter()
            .try_for_each(|name| nssm::settle(&site.place.nssm(), name))
            .map_err(|error| nssm::explained(error, &site.place)),
    }
}

/// Waits until a service has stopped. `systemctl stop` does so by itself.
///
/// # Errors
/// When it goes on running.
pub fn await_stop(site: &Site, name: &ServiceName) -> Result<(), Error> {
    match site.manager {
        Manager::Systemd(_) => Ok(()),
        Manager::Nssm => nssm::await_stop(&site.place.nssm(), name),
    }
}

/// Whether the caller may read what services print.
pub fn may_read_logs(manager: Manager) -> bool {
    match manager {
        Manager::Systemd(Scope::System) => systemd::presence::may_read_journal(),
        Manager::Systemd(Scope::User) | Manager::Nssm => true,
    }
}
