//! What is asked of systemd, and the words for it.

use serde::{Deserialize, Serialize};

use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::spec::Scope;

/// What is asked of systemd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Read all units again.
    Reload,
    /// Start units at boot; reads all units again.
    Enable(Vec<ServiceName>),
    /// Start units at boot no more.
    Disable(Vec<ServiceName>),
    /// Start units.
    Start(Vec<ServiceName>),
    /// Start units, and do not wait until they run.
    BeginStart(Vec<ServiceName>),
    /// Stop units.
    Stop(Vec<ServiceName>),
    /// Stop units and start them again.
    Restart(Vec<ServiceName>),
    /// Have units read their configuration again.
    ReloadUnits(Vec<ServiceName>),
    /// End every process of units.
    Kill(Vec<ServiceName>),
    /// The same of the timers of services, not of the services themselves.
    Timers(Box<Self>),
    /// Forget how units failed, and how often they were started.
    ResetFailed(Vec<ServiceName>),
    /// Start a user's services at boot, and keep them after the logout.
    EnableLinger(String),
    /// Have a user's services run while the user is logged in, and no longer.
    DisableLinger(String),
}

impl Operation {
    /// The command that does it.
    pub fn invocation(&self, scope: Scope) -> Invocation {
        self.invocation_on(ServiceName::unit, ServiceName::loaded_units, scope)
    }

    /// The same for one of the units of each service, and for what is loaded of it.
    fn invocation_on(
        &self,
        unit: fn(&ServiceName) -> String,
        loaded: fn(&ServiceName) -> String,
        scope: Scope,
    ) -> Invocation {
        let on_units = |verb: &[&str], names: &[ServiceName]| {
            let words = verb.iter().map(|word| (*word).to_owned()).chain(names.iter().map(unit));
            Invocation::systemctl(scope, words)
        };
        let on_loaded = |verb: &str, names: &[ServiceName]| {
            Invocation::systemctl(scope, [verb.to_owned()].into_iter().chain(names.iter().map(loaded)))
        };
        match self {
            Self::Timers(operation) => operation.invocation_on(ServiceName::timer, ServiceName::timer, scope),
            Self::Reload => on_units(&["daemon-reload"], &[]),
            Self::Enable(names) => on_units(&["enable"], names),
            // A reload follows in any case.
            Self::Disable(names) => on_units(&["disable", "--no-reload"], names),
            Self::Start(names) => on_units(&["start"], names),
            Self::BeginStart(names) => on_units(&["start", "--no-block"], names),
            Self::Stop(names) => on_loaded("stop", names),
            Self::Restart(names) => on_loaded("restart", names),
            Self::ReloadUnits(names) => on_loaded("reload", names),
            Self::Kill(names) => on_loaded("kill", names),
            Self::ResetFailed(names) => on_loaded("reset-failed", names),
            // By name: without one loginctl asks for the session that it is called in, and there may be none.
            Self::EnableLinger(user) => Invocation::new(["loginctl", "enable-linger", user]),
            Self::DisableLinger(user) => Invocation::new(["loginctl", "disable-linger", user]),
        }
    }

    /// The services that it stops, and waits for.
    pub fn stops(&self) -> &[ServiceName] {
        match self {
            Self::Stop(names) | Self::Restart(names) => names,
            Self::Reload
            | Self::Enable(_)
            | Self::Disable(_)
            | Self::Start(_)
            | Self::BeginStart(_)
            | Self::ReloadUnits(_)
            | Self::Kill(_)
            | Self::Timers(_)
            | Self::ResetFailed(_)
            | Self::EnableLinger(_)
            | Self::DisableLinger(_) => &[],
        }
    }

    /// The services that it starts, or starts again.
    pub fn starts(&self) -> &[ServiceName] {
        match self {
            Self::Start(names) | Self::BeginStart(names) | Self::Restart(names) => names,
            Self::Timers(operation) => operation.starts(),
            Self::Reload
            | Self::Enable(_)
            | Self::Disable(_)
            | Self::Stop(_)
            | Self::ReloadUnits(_)
            | Self::Kill(_)
            | Self::ResetFailed(_)
            | Self::EnableLinger(_)
            | Self::DisableLinger(_) => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_timers_is_asked_of_no_service() {
        let names = || vec!["job".parse().unwrap()];
        for (operation, words) in [
            (Operation::Stop(names()), "systemctl stop job.timer"),
            (Operation::Restart(names()), "systemctl restart job.timer"),
            (Operation::Enable(names()), "systemctl enable job.timer"),
        ] {
            let timers = Operation::Timers(Box::new(operation));
            assert_eq!(timers.invocation(Scope::System).typed(), words);
        }
        let template = Operation::Stop(vec!["job@".parse().unwrap()]);
        assert_eq!(template.invocation(Scope::System).typed(), "systemctl stop 'job@*.service'");
    }
}
