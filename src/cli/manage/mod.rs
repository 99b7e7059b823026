//! ManageService: looks after the services that InstallService made.
//!
//! `line` reads what is asked for, and `order` tells its words apart; `words` has the words for what came of it.

mod line;
mod order;
mod words;

use std::ffi::OsString;
use std::io::{self, IsTerminal};

use self::line::{ManageLine, Mode, Names, place};
use super::options::manage::{ManageCall, Shape};
use super::output::{print, say_styled};
use super::parse::{self, Purpose};
use super::report;
use crate::catalog::Catalog;
use crate::commands::find::Managed;
use crate::commands::verbs::Again;
use crate::commands::{Event, doctor, list, upgrade};
use crate::error::{Error, exit};
#[cfg(unix)]
use crate::host::keeper;
use crate::host::python::IMPORT_LIMIT;
use crate::host::sudo::{self, Typed};
use crate::host::{privilege, prompt, site};
use crate::managers;
use crate::manifest::Request;
use crate::model::name::ServiceName;
use crate::plan::{InstallOptions, Keep};

/// The command, for those who describe it.
pub(super) fn command(purpose: Purpose) -> clap::Command {
    line::command(purpose)
}

/// The names of what it does.
pub(super) fn modes() -> Vec<String> {
    line::modes().map(|(name, _)| name).collect()
}

/// The same, each with what it does.
#[cfg(feature = "manual")]
pub(super) fn modes_with_help() -> Vec<(String, String)> {
    line::modes().collect()
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
            let services = list::services(&place(&call), &mut report::tell)?;
            words::list(&services, call.all, call.shape.unwrap_or_default().plain());
            Ok(exit::OK)
        }
        ManageLine::Doctor(call) => {
            Ok(words::diagnosis(&doctor::all(&place(&call))?, call.shape.unwrap_or_default().plain()))
        }
        ManageLine::UpgradeNssm(call) => {
            Ok(words::upgraded(&upgrade::nssm(&call.nssm, call.yes, &place(&call), &mut report::tell)?))
        }
        ManageLine::Do(mode, Names { mut names, several, note }, call) => {
            let new_name = if mode == Mode::Rename { names.pop() } else { None };
            note.iter().filter(|line| !sudo::was_noted(line)).for_each(|line| report::tell(Event::Note(line)));
            if call.yes {
                prompt::never_ask();
            }
            let services = match mode {
                Mode::Doctor => Managed::find_untouched(names, &place(&call))?,
                _ => Managed::find(names, &place(&call), &mut report::tell)?,
            };
            need_units(&services, mode, &call)?;
            let has_templates = services.names.iter().any(ServiceName::is_template);
            let services = services.meant(mode.done_to())?;
            // The JSON of a status has one form, however many instances run.
            let several = several || has_templates && (mode == Mode::Status || services.names.len() > 1);
            let notes = note.into_iter().collect();
            Call { services, several, shape: call.shape.unwrap_or_default(), notes, new_name }.run(mode, &call)
        }
    }
}

/// One thing done to services.
struct Call {
    services: Managed,
    /// A manifest named them, or the command line more than one.
    several: bool,
    shape: Shape,
    /// What was noted so far.
    notes: Vec<String>,
    /// What `rename` is to call it.
    new_name: Option<ServiceName>,
}

impl Call {
    fn run(&self, mode: Mode, options: &ManageCall) -> Result<u8, Error> {
        match mode {
            Mode::Show => return self.show(),
            Mode::Diff => {
                let outcome = self.services.diff(&read_words, &mut report::tell)?;
                return Ok(report::outcome(&outcome, self.shape.plain()));
            }
            _ => managers::need(self.services.site.manager, managers::Purpose::Manage)?,
        }
        match mode {
            Mode::Status => return Ok(words::status(&self.services.status()?, self)),
            Mode::Doctor => return Ok(words::diagnosis(&self.services.doctor()?, self.shape.plain())),
            Mode::Logs if !self.services.may_read_logs() => return self.run_again(mode),
            Mode::Logs => {
                let is_shown = io::stdout().is_terminal();
                return self.services.logs(&options.log_part(), is_shown, &mut |event| self.tell(event));
            }
            _ if !site::may_change(self.services.site.scope()) => return self.run_again(mode),
            _ => {}
        }
        let keep = Keep { env_vars: !options.remove_env_vars, install_args: !options.remove_install_args };
        let tell = &mut report::tell;
        match mode {
            Mode::Start => words::done(&self.services.start(tell)?),
            Mode::Restart => words::done(&self.services.restart(tell)?),
            Mode::Stop => return Ok(words::stopped(&self.services.stop(tell)?)),
            Mode::Reload => words::done(&self.services.reload(tell)?),
            Mode::Enable => words::done(&self.services.at_boot(true, &read_words, tell)?),
            Mode::Disable => words::done(&self.services.at_boot(false, &read_words, tell)?),
            Mode::Rename => {
                let new_name = self.new_name.as_ref().expect("the line has one");
                let outcome = self.services.rename(new_name, options.account_password_stdin, &read_words, tell)?;
                return Ok(report::outcome(&outcome, self.shape.plain()));
            }
            Mode::Release => {
                let (done, running) = self.services.release(tell)?;
                words::released(&done, &running, self.services.site.scope());
            }
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
            Mode::Status | Mode::Logs | Mode::Show | Mode::Diff | Mode::Doctor => {
                unreachable!("handled above")
            }
        }
        Ok(exit::OK)
    }

    fn reinstall(&self, how: &InstallOptions, options: &ManageCall) -> Result<u8, Error> {
        let again = Again {
            import_limit: options.import_limit.unwrap_or(IMPORT_LIMIT),
            nssm: options.nssm.clone(),
            account_password_stdin: options.account_password_stdin,
        };
        let outcome = self.services.reinstall(how, again, &read_words, &mut report::tell)?;
        Ok(report::outcome(&outcome, self.shape.plain()))
    }

    fn show(&self) -> Result<u8, Error> {
        match self.shape {
            Shape::Manifest => print(words::manifest(&self.services.as_requests(&read_words)?)),
            Shape::Plain(_) => print(words::shown(&self.services.show(&read_words)?)),
        }
        Ok(exit::OK)
    }

    /// Runs this very command again with administrator rights.
    fn run_again(&self, mode: Mode) -> Result<u8, Error> {
        let Managed { names, site, .. } = &self.services;
        let announce = &mut || say_styled(&report::of_rights(mode.doing(), names, site));
        sudo::run_again(Typed::without_secrets(), &[], self.notes.clone(), announce)
    }

    /// The name stands in front of a log where there are several.
    fn tell(&self, event: Event<'_>) {
        match event {
            Event::LogOf(_) if !self.several => {}
            event => report::tell(event),
        }
    }
}

/// Fails for a service that was removed, where something is to be done to what is installed.
fn need_units(services: &Managed, mode: Mode, options: &ManageCall) -> Result<(), Error> {
    let forgets = options.remove_env_vars || options.remove_install_args;
    let needs_unit = match mode {
        Mode::Reinstall
        | Mode::Release
        | Mode::StopAndReinstall
        | Mode::StopAndRestart
        | Mode::Show
        | Mode::Diff
        | Mode::Doctor => false,
        Mode::Remove | Mode::StopAndRemove => !forgets,
        Mode::Start
        | Mode::Status
        | Mode::Stop
        | Mode::Restart
        | Mode::Reload
        | Mode::Rename
        | Mode::Enable
        | Mode::Disable
        | Mode::Logs => true,
    };
    match services.removed.first() {
        Some(name) if needs_unit => {
            report::tell(Event::WasRemoved(name));
            Err(Error::NoSuchService { service: name.to_string(), similar: Vec::new() })
        }
        _ => Ok(()),
    }
}

/// Reads the words of OpenMSIStream's list of install arguments, as the command line that they were.
pub(super) fn read_words(words: Vec<String>, catalog: &Catalog) -> Result<Option<Request>, Error> {
    let argv = std::iter::once("InstallService".to_owned()).chain(words).map(OsString::from).collect();
    match parse::parse(argv, catalog)? {
        parse::InstallLine::Install { faults, .. } if !faults.is_empty() => Err(Error::Refused(faults)),
        parse::InstallLine::Install { request, .. } => Ok(request.map(|request| *request)),
        _ => Ok(None),
    }
}
