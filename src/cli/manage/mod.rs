//! ManageService: looks after the services that InstallService made.
//!
//! `line` reads what is asked for; `words` has the words for what came of it.

mod line;
mod words;

use std::ffi::OsString;

use self::line::{ManageLine, Mode, Names};
use super::options::manage::{DEFAULT_LINES, ManageCall, Shape};
use super::output::{print, say_styled};
use super::parse::{self, Purpose};
use super::report;
use crate::catalog::Catalog;
use crate::commands::find::{Managed, Where};
use crate::commands::logs::Part;
use crate::commands::{Event, list};
use crate::error::{Error, exit};
#[cfg(unix)]
use crate::host::keeper;
use crate::host::python::IMPORT_LIMIT;
use crate::host::sudo::{self, Typed};
use crate::host::{privilege, prompt, site};
use crate::managers;
use crate::manifest::Request;
use crate::plan::{InstallOptions, Keep};

/// The command, for those who describe it.
pub(super) fn command(purpose: Purpose) -> clap::Command {
    line::command(purpose)
}

/// The names of what it does.
pub(super) fn modes() -> Vec<String> {
    line::modes().map(|(name, _)| name).collect()
}

/// Runs the command `ManageService` with this argv and gives its exit code.
///
/// # Errors
/// Everything that ends it otherwise.
pub fn run(argv: Vec<OsString>) -> Result<u8, Error> {
    #[cfg(unix)]
    if keeper::is_asked_for(&argv) {
        return keeper::serve();
    }
    privilege::hide_memory();
    match line::read(super::arrived(argv)?)? {
        ManageLine::Nothing(help) => {
            say_styled(&help);
            Ok(exit::USAGE)
        }
        ManageLine::Information(text) => {
            print(text);
            Ok(exit::OK)
        }
        ManageLine::List(call) => {
            words::list(&list::services(&place(&call), &mut report::tell)?, call.shape.unwrap_or_default().plain());
            Ok(exit::OK)
        }
        ManageLine::Do(mode, Names { names, several }, call) => {
            if call.yes {
                prompt::never_ask();
            }
            let services = Managed::find(names, &place(&call), &mut report::tell)?;
            Call { services, several, shape: call.shape.unwrap_or_default() }.run(mode, &call)
        }
    }
}

/// Where the services of a call are.
fn place(call: &ManageCall) -> Where {
    Where { user: call.user, state_dir: call.state_dir.clone(), catalogs: call.catalogs.clone() }
}

/// One thing done to services.
struct Call {
    services: Managed,
    /// A manifest named them, and not the command line its one.
    several: bool,
    shape: Shape,
}

impl Call {
    fn run(&self, mode: Mode, options: &ManageCall) -> Result<u8, Error> {
        self.need_units(mode, options)?;
        match mode {
            Mode::Show => return self.show(),
            Mode::Diff => {
                let outcome = self.services.diff(&read_words, &mut report::tell)?;
                return Ok(report::outcome(&outcome, self.shape.plain()));
            }
            _ => managers::need(self.services.site.manager)?,
        }
        match mode {
            Mode::Status => return Ok(words::status(&self.services.status()?, self)),
            Mode::Logs if !managers::may_read_logs(self.services.site.manager) => {
                return run_again();
            }
            Mode::Logs => {
                let part = Part { lines: options.lines.unwrap_or(DEFAULT_LINES), follow: options.follow };
                return self.services.logs(part, &mut |event| self.tell(event));
            }
            _ if !site::may_change(self.services.site.scope()) => return run_again(),
            _ => {}
        }
        let keep = Keep { env_vars: !options.remove_env_vars, install_args: !options.remove_install_args };
        let tell = &mut report::tell;
        match mode {
            Mode::Start => words::done(&self.services.start(tell)?),
            Mode::Restart => words::done(&self.services.restart(tell)?),
            Mode::Stop => words::done(&self.services.stop(tell)?),
            Mode::Remove | Mode::StopAndRemove => {
                words::removed(&self.services.remove(keep, options.remove_nssm, tell)?);
            }
            Mode::Reinstall => return self.reinstall(&InstallOptions::default(), options),
            Mode::StopAndReinstall => {
                return self.reinstall(&InstallOptions { stop: true, ..Default::default() }, options);
            }
            Mode::StopAndRestart => {
                return self.reinstall(&InstallOptions { stop: true, start: true, ..Default::default() }, options);
            }
            Mode::Status | Mode::Logs | Mode::Show | Mode::Diff => unreachable!("handled above"),
        }
        Ok(exit::OK)
    }

    /// Fails for a service that was removed, where something is to be done to what is installed.
    fn need_units(&self, mode: Mode, options: &ManageCall) -> Result<(), Error> {
        let forgets = options.remove_env_vars || options.remove_install_args;
        let needs_unit = match mode {
            Mode::Reinstall | Mode::StopAndReinstall | Mode::StopAndRestart | Mode::Show | Mode::Diff => false,
            Mode::Remove | Mode::StopAndRemove => !forgets,
            Mode::Start | Mode::Status | Mode::Stop | Mode::Restart | Mode::Logs => true,
        };
        match self.services.removed.first() {
            Some(name) if needs_unit => {
                report::tell(Event::WasRemoved(name));
                Err(Error::NoSuchService { service: name.to_string(), similar: Vec::new() })
            }
            _ => Ok(()),
        }
    }

    fn reinstall(&self, how: &InstallOptions, options: &ManageCall) -> Result<u8, Error> {
        let limit = options.import_limit.unwrap_or(IMPORT_LIMIT);
        let outcome = self.services.reinstall(how, limit, &read_words, &mut report::tell)?;
        Ok(report::outcome(&outcome, self.shape.plain()))
    }

    fn show(&self) -> Result<u8, Error> {
        match self.shape {
            Shape::Manifest => print(words::manifest(&self.services.as_requests(&read_words)?)),
            Shape::Plain(_) => print(words::shown(&self.services.show(&read_words)?)),
        }
        Ok(exit::OK)
    }

    /// The name stands in front of a log where there are several.
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::LogOf(_) if !self.several => {}
            event => report::tell(event),
        }
    }
}

/// Runs this very command again with administrator rights.
fn run_again() -> Result<u8, Error> {
    sudo::run_again(Typed::without_secrets(), &[], Vec::new())
}

/// Reads the words of OpenMSIStream's list of install arguments, as the command line that they were.
fn read_words(words: Vec<String>, catalog: &Catalog) -> Result<Option<Request>, Error> {
    let argv = std::iter::once("InstallService".to_owned()).chain(words).map(OsString::from).collect();
    match parse::parse(argv, catalog)? {
        parse::InstallLine::Install { faults, .. } if !faults.is_empty() => Err(Error::Refused(faults)),
        parse::InstallLine::Install { request, .. } => Ok(request.map(|request| *request)),
        _ => Ok(None),
    }
}
