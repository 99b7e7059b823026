//! What services are doing.

use super::find::Managed;
use crate::diagnose::Finding;
use crate::error::Error;
use crate::host::{files, privilege};
use crate::managers::{self, nssm, systemd};
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::spec::Scope;
use crate::model::status::ServiceStatus;
use crate::model::text::Text;

/// What a service is doing, and where it leaves its traces.
#[derive(Debug)]
pub struct Report {
    /// The service.
    pub service: ServiceName,
    /// What it is doing.
    pub status: ServiceStatus,
    /// Its unit, where the service manager has such a thing.
    pub unit: Option<Text>,
    /// The file that its output goes to, where that is not the journal.
    pub output: Option<Text>,
    /// Where its errors are written.
    pub error_log: Option<Text>,
    /// Whether there are any so far.
    pub error_log_exists: bool,
    /// Why it does not run, where it has failed and that is known.
    pub causes: Vec<Finding>,
    /// Whether the services of this user start at boot and outlive the logout; `None` of a service of the machine.
    pub lingering: Option<bool>,
}

impl Managed {
    /// What each of them is doing.
    ///
    /// # Errors
    /// When the service manager does not answer.
    pub fn status(&self) -> Result<Vec<Report>, Error> {
        let statuses = managers::status(&self.site, &self.names)?;
        let lingering = match self.site.manager {
            Manager::Systemd(Scope::User) => privilege::user_name().map(|user| systemd::presence::lingers(&user)),
            Manager::Systemd(Scope::System) | Manager::Nssm => None,
        };
        let report = |(name, status): (&ServiceName, ServiceStatus)| {
            let error_log = self.error_log(name);
            Report {
                service: name.clone(),
                causes: managers::causes(&self.site, name, &status),
                status,
                unit: self.unit(name),
                output: self.output(name),
                error_log_exists: error_log.as_ref().is_some_and(files::is_there),
                error_log,
                lingering,
            }
        };
        Ok(self.names.iter().zip(statuses).map(report).collect())
    }

    /// The unit, where the service manager has such a thing.
    pub(super) fn unit(&self, name: &ServiceName) -> Option<Text> {
        match self.site.manager {
            Manager::Systemd(_) => {
                let template = name.template().filter(|_| !files::is_there(&self.site.place.unit(name)));
                Some(self.site.place.unit(template.as_ref().unwrap_or(name)))
            }
            Manager::Nssm => None,
        }
    }

    /// The timer that starts it, if one does.
    pub(super) fn timer(&self, name: &ServiceName) -> Option<Text> {
        match self.site.manager {
            Manager::Systemd(_) => {
                systemd::schedule::is_timed(name, &self.site.place).then(|| self.site.place.timer(name))
            }
            Manager::Nssm => None,
        }
    }

    /// The file that a service's output goes to, where it is not the journal.
    pub(super) fn output(&self, name: &ServiceName) -> Option<Text> {
        match self.site.manager {
            Manager::Systemd(_) => systemd::output_of(name, &self.site.place),
            Manager::Nssm => Some(nssm::output_of(name).unwrap_or_else(|| self.site.place.output(name))),
        }
    }
}
