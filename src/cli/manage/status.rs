//! What services are doing.

use serde::Serialize;

use super::{Managed, exists};
use crate::cli::{Format, HEADING, print, print_plain};
use crate::error::{Error, exit};
use crate::host::files::{self, Entry};
use crate::managers::{self, nssm};
use crate::manifest::Manifest;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::place;
use crate::model::status::{ServiceStatus, State};
use crate::model::text::Text;

#[derive(Serialize)]
struct StatusJson<'a> {
    version: u32,
    service: &'a str,
    target: &'a str,
    #[serde(flatten)]
    status: &'a ServiceStatus,
    unit: Option<Text>,
    error_log: Option<Text>,
    error_log_exists: bool,
}

#[derive(Serialize)]
struct StatusesJson<'a> {
    version: u32,
    services: Vec<StatusJson<'a>>,
}

impl Managed {
    /// What each service is doing.
    pub(super) fn observed_status(&self) -> Result<Vec<ServiceStatus>, Error> {
        managers::status(&self.manager, &self.names)
    }

    /// Where a service's errors are written: its working directory stands in the receipt.
    pub(super) fn error_log(&self, name: &ServiceName) -> Option<Text> {
        let Ok(Entry::File(found)) = files::look(&self.place.receipt(name)) else { return None };
        let receipt = Manifest::parse_receipt(&String::from_utf8_lossy(&found.contents), "").ok()?;
        let directory = receipt.services().into_iter().next()?.working_directory?;
        // With NSSM the script of a Python service writes it, and RunService for other programs.
        let writes_one = || exists(&self.place.python_script(name)) || nssm::runs_through_runner(name, &self.place);
        if matches!(self.manager, Manager::Nssm(_)) && !writes_one() {
            return None;
        }
        Some(place::error_log_path(&directory, name))
    }

    pub(super) fn status(&self) -> Result<u8, Error> {
        let statuses = self.observed_status()?;
        let mut services = Vec::new();
        for (name, status) in self.names.iter().zip(&statuses) {
            let error_log = self.error_log(name);
            services.push(StatusJson {
                version: 1,
                service: name.as_str(),
                target: self.manager.target().as_str(),
                status,
                unit: self.unit(name),
                error_log_exists: error_log.as_ref().is_some_and(exists),
                error_log,
            });
        }
        match self.shape.plain() {
            Format::Json => {
                let document = match services.as_slice() {
                    [only] if !self.several => serde_json::to_string_pretty(only),
                    _ => serde_json::to_string_pretty(&StatusesJson { version: 1, services }),
                };
                print_plain(&(document.expect("plain data has a JSON form") + "\n"));
            }
            Format::Text => print(&services.iter().map(|service| self.status_text(service)).collect::<String>()),
        }
        let all_run = statuses.iter().all(|status| status.state == State::Running);
        Ok(if all_run { exit::OK } else { exit::NOT_RUNNING })
    }

    fn status_text(
        &self,
        StatusJson { service, status, unit, error_log, error_log_exists, .. }: &StatusJson,
    ) -> String {
        let mut out = format!("{HEADING}{service}{HEADING:#}: {}\n", status.state.as_str());
        let mut row = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                out += &format!("  {key:<12} {value}\n");
            }
        };
        row("pid", status.pid.map(|pid| pid.to_string()));
        row("since", status.since.clone());
        row("restarts", status.restarts.map(|count| count.to_string()));
        row("last result", last_result(status));
        row("at boot", status.enabled.map(|enabled| if enabled { "starts" } else { "does not start" }.into()));
        row("unit", unit.as_ref().map(ToString::to_string));
        let output = service.parse().ok().and_then(|name| self.output(&name));
        row("output", output.map(|path| path.to_string()));
        let none = if *error_log_exists { "" } else { " (none so far)" };
        row("error log", error_log.as_ref().map(|path| format!("{path}{none}")));
        out
    }

    /// The unit, where the service manager has such a thing.
    pub(super) fn unit(&self, name: &ServiceName) -> Option<Text> {
        matches!(self.manager, Manager::Systemd(_)).then(|| self.place.unit(name))
    }

    /// The file that a service's output goes to, where it is not the journal.
    pub(super) fn output(&self, name: &ServiceName) -> Option<Text> {
        let usual = || self.place.output(name);
        matches!(self.manager, Manager::Nssm(_)).then(|| nssm::output_of(name).unwrap_or_else(usual))
    }
}

fn last_result(status: &ServiceStatus) -> Option<String> {
    let result = status.result.clone()?;
    Some(match status.exit_status {
        Some(code) if result != "success" => format!("{result} ({code})"),
        _ => result,
    })
}
