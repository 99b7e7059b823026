//! The service managers: what each of them is asked, told, and given.
//!
//! The functions here put the same question to either; what is systemd's or NSSM's alone is in its own module.
#![allow(clippy::disallowed_methods, reason = "beside `host`, a place for effects")]

pub mod credential;
pub mod nssm;
pub mod observe;
pub mod systemd;

use crate::error::Error;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::status::{ServiceStatus, State};

/// What services are doing, in the order of their names.
///
/// # Errors
/// When the service manager does not answer.
pub fn status(manager: &Manager, names: &[ServiceName]) -> Result<Vec<ServiceStatus>, Error> {
    match manager {
        Manager::Systemd(scope) => Ok(systemd::show(names, *scope)?.iter().map(systemd::status_of).collect()),
        Manager::Nssm(exe) => names.iter().map(|name| nssm::status(exe, name)).collect(),
    }
}

/// Those of `names` that run or are about to.
///
/// # Errors
/// When the service manager does not answer.
pub fn active(manager: &Manager, names: &[ServiceName]) -> Result<Vec<ServiceName>, Error> {
    let states = status(manager, names)?;
    Ok(names.iter().zip(states).filter(|(_, status)| status.state.is_active()).map(|(name, _)| name.clone()).collect())
}

/// Starts services and waits until they have settled.
///
/// # Errors
/// When the service manager refuses, or a service dies.
pub fn start(manager: &Manager, names: &[ServiceName]) -> Result<(), Error> {
    match manager {
        Manager::Systemd(scope) => {
            // A start of a service that waits for its restart waits with it, for minutes; a restart does not.
            let states = status(manager, names)?;
            let of = |waits: bool| {
                let all =
                    names.iter().zip(&states).filter(move |(_, status)| (status.state == State::Restarting) == waits);
                all.map(|(name, _)| name.clone()).collect::<Vec<_>>()
            };
            for (verb, names) in [("restart", of(true)), ("start", of(false))] {
                if !names.is_empty() {
                    systemd::act(verb, &names, *scope).map_err(|error| explained(error, manager, &names))?;
                }
            }
        }
        Manager::Nssm(exe) => names.iter().try_for_each(|name| nssm::start(exe, name))?,
    }
    settle(manager, names)
}

/// The error of starting `names`, with what the one of them said that died.
pub fn explained(error: Error, manager: &Manager, names: &[ServiceName]) -> Error {
    match manager {
        Manager::Systemd(scope) => systemd::with_log(error, names, *scope),
        Manager::Nssm(_) => error,
    }
}

/// Stops services and starts them again.
///
/// # Errors
/// As [`start`].
pub fn restart(manager: &Manager, names: &[ServiceName]) -> Result<(), Error> {
    match manager {
        Manager::Systemd(scope) => {
            systemd::act("restart", names, *scope).map_err(|error| explained(error, manager, names))?;
            settle(manager, names)
        }
        // `nssm restart` does not start again what takes long to stop.
        Manager::Nssm(_) => {
            stop(manager, names)?;
            start(manager, names)
        }
    }
}

/// Stops services; one that does not run is fine.
///
/// # Errors
/// When one goes on running.
pub fn stop(manager: &Manager, names: &[ServiceName]) -> Result<(), Error> {
    match manager {
        Manager::Systemd(scope) => systemd::act("stop", names, *scope),
        Manager::Nssm(exe) => {
            names.iter().try_for_each(|name| nssm::stop(exe, name))?;
            names.iter().try_for_each(|name| await_stop(manager, name))
        }
    }
}

/// Waits until services have settled.
///
/// # Errors
/// When one of them died.
pub fn settle(manager: &Manager, names: &[ServiceName]) -> Result<(), Error> {
    match manager {
        Manager::Systemd(scope) => systemd::settle(names, *scope),
        Manager::Nssm(exe) => names.iter().try_for_each(|name| nssm::settle(exe, name)),
    }
}

/// Waits until a service has stopped. `systemctl stop` does so by itself.
///
/// # Errors
/// When it goes on running.
pub fn await_stop(manager: &Manager, name: &ServiceName) -> Result<(), Error> {
    match manager {
        Manager::Systemd(_) => Ok(()),
        Manager::Nssm(exe) => nssm::await_stop(exe, name),
    }
}
