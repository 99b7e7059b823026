//! What is found of a service of NSSM, and around it, without changing anything.

use windows_service::service::{ServiceAccess, ServiceExitCode, ServiceState};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

use super::super::log_file;
use super::{output_of, registration, registry, runner, runs_through_runner, supply};
use crate::diagnose::pe::{self, Image};
use crate::diagnose::registered::{Lack, Programs, Registered, Spot};
use crate::diagnose::{Finding, Found};
use crate::error::Error;
use crate::host::facts::Host;
use crate::host::reading::{self, Links};
use crate::host::{access, drive, files};
use crate::model::command_line;
use crate::model::facts::{Facts, PathKind};
use crate::model::name::ServiceName;
use crate::model::parameter::Parameter;
use crate::model::place::Place;
use crate::model::platform::Platform;
use crate::model::runner_order::RunnerOrder;
use crate::model::text::Text;

/// How many of the last lines of its output tell why a service has failed.
const TOLD: usize = 60;

/// What is wrong with services, for each of them, and with what they all run through.
///
/// # Errors
/// When a file or the registry cannot be read.
pub fn examine(names: &[ServiceName], place: &Place, unfinished: bool) -> Result<Found, Error> {
    let host = Host::default();
    let is_there = |path: &Text| host.path_kind(path) != Some(PathKind::Missing);
    let mut services = Vec::new();
    let mut programs = Programs {
        no_nssm: Some(place.nssm()).filter(|path| !is_there(path)),
        other_nssm: supply::other(&place.nssm()),
        no_runner: None,
        old_runner: runner::old(place),
        unfinished,
    };
    for name in names {
        let found = registered(name, place)?;
        if runs_through_runner(name, place) && !is_there(&place.runner()) {
            programs.no_runner = Some(place.runner());
        }
        services.push((!found.is_removed()).then(|| found.findings()));
    }
    let mut around = access::state_directory(&place.state_dir).findings();
    around.extend(programs.findings());
    Ok((services, around))
}

/// Why a service has failed, if it has.
pub fn causes(name: &ServiceName, place: &Place) -> Vec<Finding> {
    let found = registered(name, place).ok().filter(|found| found.has_failed);
    found.map(|found| found.why()).unwrap_or_default()
}

/// The error of a service that did not start, with the causes.
pub fn explained(mut error: Error, place: &Place) -> Error {
    if let Error::DidNotStart { service, state, causes, .. } = &mut error
        && let Ok(found) = service.parse().map_err(drop).and_then(|name| registered(&name, place).map_err(drop))
    {
        let found = Registered { has_failed: true, ..found };
        *causes = found.causes().into();
        if let Some(ended) = found.ended().filter(|_| causes.is_empty()) {
            state.push_str(": ");
            state.push_str(&ended);
        }
    }
    error
}

/// What is found of one service.
fn registered(name: &ServiceName, place: &Place) -> Result<Registered, Error> {
    let host = Host::default();
    let spot =
        |path: Text| Spot { is_there: host.path_kind(&path) != Some(PathKind::Missing), drive: drive::of(&path), path };
    let script = place.python_script(name);
    let found = Registered {
        service: name.to_string(),
        has_script: files::is_there(&script),
        has_receipt: files::is_there(&place.receipt(name)),
        machine: registry::processor().and_then(|word| pe::machine_of(&word)),
        ..Registered::default()
    };
    let Some(stored) = registration(name, place)? else { return Ok(found) };
    let values = |parameter: &str| {
        let of_it = stored.iter().find(|stored| stored.to_string() == parameter);
        of_it.map(|Parameter { values, .. }| values.clone()).unwrap_or_default()
    };
    let value = |parameter: &str| values(parameter).first().cloned();
    let Command { program, arguments } = Command::of(&value, runs_through_runner(name, place));
    let mut logs: Vec<Text> =
        ["AppStdout", "AppStderr"].iter().filter_map(|name| files::parent(&value(name)?)).collect();
    logs.dedup();
    let (has_failed, exit_status) = failure(name);
    Ok(Registered {
        is_registered: true,
        no_script: Some(script).filter(|script| !found.has_script && arguments.contains(script)),
        image: program.as_ref().and_then(image),
        program: program.map(spot),
        directory: value("AppDirectory").map(spot),
        logs: logs.into_iter().map(spot).collect(),
        arguments: arguments.into_iter().filter(|path| Platform::Windows.is_absolute(path)).map(spot).collect(),
        lacks: values("DependOnService").into_iter().filter_map(lack).collect(),
        account: value("ObjectName").map(|account| account.to_string()),
        has_failed,
        exit_status,
        output: output_of(name).and_then(|path| log_file::tail(&path, TOLD).ok()).unwrap_or_default(),
        ..found
    })
}

/// What NSSM runs for a service, behind RunService where that stands in between.
#[derive(Default)]
struct Command {
    program: Option<Text>,
    arguments: Vec<Text>,
}

impl Command {
    fn of(value: &dyn Fn(&str) -> Option<Text>, through_runner: bool) -> Self {
        let arguments = value("AppParameters").map(|line| command_line::words(&line)).unwrap_or_default();
        if !through_runner {
            return Self { program: value("Application"), arguments };
        }
        let order = RunnerOrder::read(arguments).ok();
        order.map(|order| Self { program: Some(order.program), arguments: order.arguments }).unwrap_or_default()
    }
}

/// Why Windows would not start the program of a service, by its first bytes.
pub fn not_started(program: &Text, service: &ServiceName) -> Option<Finding> {
    let machine = registry::processor().and_then(|word| pe::machine_of(&word));
    pe::fault(image(program)?, program, service.as_str(), machine)
}

/// What the file of a program is.
fn image(path: &Text) -> Option<Image> {
    let start = reading::open(path, Links::Followed).ok()?.start(pe::START).ok()?;
    Some(Image::of(&start))
}

/// Whether a service that another one needs keeps that from starting. A name behind a `+` is that of a group, of which
/// any one will do.
fn lack(name: Text) -> Option<Lack> {
    let service = name.as_str().filter(|name| !name.starts_with('+'))?;
    match registry::start_of(service) {
        None => Some(Lack::Missing(name)),
        Some(registry::DISABLED) => Some(Lack::Disabled(name)),
        Some(_) => None,
    }
}

/// Whether a service has failed: it waits to be started again, or has stopped because of an error, whose exit status
/// Windows shows then.
fn failure(name: &ServiceName) -> (bool, Option<u32>) {
    let status = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)
        .and_then(|manager| manager.open_service(name.as_str(), ServiceAccess::QUERY_STATUS))
        .and_then(|service| service.query_status());
    match status.map(|status| (status.current_state, status.exit_code)) {
        Ok((ServiceState::Paused, _)) => (true, None),
        Ok((ServiceState::Stopped, ServiceExitCode::ServiceSpecific(code))) if code != 0 => (true, Some(code)),
        _ => (false, None),
    }
}
