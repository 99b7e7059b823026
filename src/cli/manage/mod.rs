//! ManageService: looks after the services that InstallService made.
//!
//! `line` reads what is asked for, `find` knows where those services are, and there is a module for each
//! kind of thing done with them.

mod change;
mod find;
mod line;
mod list;
mod logs;
mod receipt;
mod show;
mod status;

use std::ffi::OsString;

use self::line::{Line, Mode, Options, Shape};
use super::call::{Call, Settings};
use super::{need_manager, note, print, say_styled};
use crate::error::{Error, exit};
use crate::host::files::{self, Entry};
use crate::host::{facts, privilege, prompt};
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::place::Place;
use crate::model::text::Text;
use crate::plan::{InstallOptions, Keep};

/// The command, for those who describe it.
pub(super) fn command() -> clap::Command {
    line::command()
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
    privilege::hide_memory();
    match line::read(argv)? {
        Line::Nothing(help) => {
            say_styled(&help);
            Ok(exit::USAGE)
        }
        Line::Information(text) => {
            print(&text);
            Ok(exit::OK)
        }
        Line::List(options, format) => list::list(&options, format),
        Line::Do(mode, names, options, shape) => {
            if options.yes {
                prompt::never_ask();
            }
            Managed::find(names, &options, shape)?.run(mode, &options)
        }
    }
}

/// Services of ours, found by their names.
struct Managed {
    names: Vec<ServiceName>,
    /// Those of `names` that are removed, but for their receipts.
    removed: Vec<ServiceName>,
    /// A manifest named them, and not the command line its one.
    several: bool,
    manager: Manager,
    place: Place,
    shape: Shape,
    catalogs: Vec<Text>,
}

impl Managed {
    fn run(self, mode: Mode, options: &Options) -> Result<u8, Error> {
        let forget = options.remove_env_vars || options.remove_install_args;
        let needs_unit = match mode {
            Mode::Reinstall | Mode::StopAndReinstall | Mode::StopAndRestart | Mode::Show | Mode::Diff => false,
            Mode::Remove | Mode::StopAndRemove => !forget,
            Mode::Start | Mode::Status | Mode::Stop | Mode::Restart | Mode::Logs => true,
        };
        if needs_unit && let Some(name) = self.removed.first() {
            note(&format!("`{name}` was removed; `ManageService {name} reinstall` brings it back as it was"));
            return Err(Error::NoSuchService { service: name.to_string(), similar: Vec::new() });
        }
        match mode {
            Mode::Show => return self.show(),
            Mode::Diff => return self.diff(),
            _ => need_manager(&self.manager)?,
        }
        match mode {
            Mode::Status => return self.status(),
            Mode::Logs if !facts::may_read_logs(&self.manager) => return privilege::run_again(&[], &[]),
            Mode::Logs => return self.logs(options),
            _ if !facts::may_change(self.manager.scope()) => return privilege::run_again(&[], &[]),
            _ => {}
        }
        let keep = Keep { env_vars: !options.remove_env_vars, install_args: !options.remove_install_args };
        match mode {
            Mode::Start => self.start("start"),
            Mode::Restart => self.start("restart"),
            Mode::Stop => self.stop(),
            Mode::Remove | Mode::StopAndRemove => self.remove(keep, options.remove_nssm),
            Mode::Reinstall => self.reinstall(InstallOptions::default()),
            Mode::StopAndReinstall => self.reinstall(InstallOptions { stop: true, ..Default::default() }),
            Mode::StopAndRestart => self.reinstall(InstallOptions { stop: true, start: true, ..Default::default() }),
            Mode::Status | Mode::Logs | Mode::Show | Mode::Diff => unreachable!("handled above"),
        }
    }

    fn diff(&self) -> Result<u8, Error> {
        let catalog = self.catalog()?;
        let requests = self.requests(&catalog)?;
        let settings = Settings::compare(&self.place.state_dir, self.shape.plain());
        Call::new(settings, &requests, Vec::new(), &catalog)?.run()
    }
}

fn exists(path: &Text) -> bool {
    files::look(path).is_ok_and(|entry| entry != Entry::Missing)
}
