//! The program that RunService stands in for: it has our environment, directory, console and handles, and the
//! command line that NSSM would have given it. What it leaves behind ends with us, as a unit of systemd ends.

#![allow(clippy::disallowed_methods, reason = "it starts the program of a service, and tells the time in its log")]

use std::io::{self, Write};
use std::process::{Child, Command};
use std::time::SystemTime;

use crate::host::process::spawn;
use crate::host::text::os;
use crate::model::name::{EnvName, ServiceName};
use crate::model::runner_order::RunnerOrder;
use crate::model::text::Text;
use crate::render::escape::AppParameters;

#[cfg(windows)]
use super::stop;

/// A program that runs for a service.
#[derive(Debug)]
pub struct Program<'a> {
    service: &'a ServiceName,
    process: Child,
}

/// How a program ended.
#[derive(Debug)]
pub struct End {
    /// The exit code, with all its bits.
    pub code: u32,
    /// Whether somebody had asked the service to stop.
    pub asked: bool,
}

impl<'a> Program<'a> {
    /// Starts what `order` names; its arguments stand in `line` as they do behind its name. It has `variables` besides
    /// ours.
    ///
    /// # Errors
    /// When there is none, or the system does not start it.
    pub fn start(order: &'a RunnerOrder, line: &AppParameters, variables: &[(EnvName, Text)]) -> io::Result<Self> {
        let RunnerOrder { service, program, arguments, .. } = order;
        #[cfg(windows)]
        let mut command = {
            let mut command = called(program, arguments, line)?;
            crate::host::job::begin();
            match order.stop_command.is_empty() {
                true => leave_interrupts_to(program, service),
                false => stop::keeps_interrupts(&mut command),
            }
            command
        };
        #[cfg(not(windows))]
        let mut command = {
            let _ = line;
            let mut command = Command::new(os(program));
            command.args(arguments.iter().map(os));
            command
        };
        command.envs(variables.iter().map(|(name, value)| (name.as_str(), os(value))));
        let process = spawn(&mut command)?;
        #[cfg(windows)]
        stop::ask(order, process.id(), variables);
        Ok(Self { service, process })
    }

    /// Waits for its end. At a stop all that it has started may come to its end as well, within the time that
    /// NSSM gives us; else it ends with us.
    ///
    /// # Errors
    /// When the system does not say how it ended.
    pub fn wait(mut self) -> io::Result<End> {
        let status = self.process.wait()?;
        #[cfg(unix)]
        let code = status.code().or(std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal));
        #[cfg(windows)]
        let code = status.code();
        let asked = is_stopping(self.service);
        #[cfg(windows)]
        {
            // First: should NSSM lose its patience while we wait, it finds nothing of what a program that has ended has
            // started, such as that of a batch file.
            crate::host::job::end_with_us();
            while asked && !crate::host::job::is_alone() {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        Ok(End { code: code.unwrap_or(1).cast_unsigned(), asked })
    }
}

/// What starts the program: itself with the line of NSSM, or cmd with one of our making for a batch file. That has
/// nothing to read, so that at a stop cmd has nobody to ask whether it shall end.
#[cfg(windows)]
pub(super) fn called(program: &Text, arguments: &[Text], line: &AppParameters) -> io::Result<Command> {
    use crate::render::batch_line::BatchLine;
    use std::os::windows::process::CommandExt;
    let (mut command, line) = match BatchLine::is_for(program) {
        false => (Command::new(os(program)), line.as_text()),
        true => {
            let line = BatchLine::new(program, arguments)
                .map_err(|fault| io::Error::new(io::ErrorKind::InvalidInput, format!("the batch file {fault}")))?;
            let windows = std::env::var_os("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
            let mut command = Command::new(std::path::Path::new(&windows).join(r"System32\cmd.exe"));
            command.stdin(std::process::Stdio::null());
            (command, line.as_text())
        }
    };
    command.raw_arg(os(&line));
    Ok(command)
}

/// The time of day, for a log.
pub fn time() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// Prints a line where the program prints its errors.
pub fn say(line: &str) {
    // One whose output nobody takes any more has to end as well.
    drop(writeln!(io::stderr(), "{line}"));
}

/// From now on Ctrl-C is for `program` alone, and we end when it has, or when NSSM has no more patience, and with
/// us what is left. A program with windows in the place of a console never sees it: NSSM closes them, once it is the
/// program's turn.
///
/// Windows sends something of the kind also when a user logs off, or when it shuts down. That is no stop: should we
/// be ended for it, NSSM ends the program, as it ends all that is left when what it has started ends.
#[cfg(windows)]
fn leave_interrupts_to(program: &Text, service: &ServiceName) {
    use crate::host::reading::{self, Links};
    let file = reading::open(program, Links::Followed).ok();
    let start = file.and_then(|file| file.start(4096).ok()).unwrap_or_default();
    let (has_windows, service) = (has_windows(&start), service.clone());
    drop(ctrlc::set_handler(move || match is_stopping(&service) {
        true if has_windows => std::process::exit(0),
        true => crate::host::job::end_with_us(),
        false => {}
    }));
}

/// Whether an executable that begins like this is for the graphical subsystem ("PE Format", Optional Header: it
/// begins 24 bytes behind the signature, and has the subsystem at 68 in both its forms).
#[cfg(any(windows, test))]
fn has_windows(start: &[u8]) -> bool {
    const GRAPHICAL: [u8; 2] = [2, 0];
    let header = start.get(0x3c..0x40).and_then(|at| at.try_into().ok()).map(u32::from_le_bytes);
    let at = header.and_then(|header| usize::try_from(header).ok()?.checked_add(24 + 68));
    at.and_then(|at| start.get(at..)?.first_chunk()) == Some(&GRAPHICAL)
}

/// Whether somebody has asked the service to stop. NSSM says so before it does anything about it.
#[cfg(windows)]
pub(super) fn is_stopping(service: &ServiceName) -> bool {
    use windows_service::service::{ServiceAccess, ServiceState};
    use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
    let status = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)
        .and_then(|manager| manager.open_service(service.as_str(), ServiceAccess::QUERY_STATUS))
        .and_then(|service| service.query_status());
    status.is_ok_and(|status| matches!(status.current_state, ServiceState::StopPending | ServiceState::Stopped))
}

/// Whether somebody has asked the service to stop: elsewhere than on Windows none is NSSM's.
#[cfg(not(windows))]
fn is_stopping(_service: &ServiceName) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_with_windows_are_told_by_their_header() {
        let program = |subsystem: u8| {
            let mut start = vec![0; 4096];
            start[0x3c] = 0x80;
            start[0x80 + 24 + 68] = subsystem;
            start
        };
        assert!(has_windows(&program(2)) && !has_windows(&program(3)));
        assert!(!has_windows(b"#!/bin/sh\n") && !has_windows(&[0xff; 4096]));
    }
}
