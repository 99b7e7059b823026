//! What changes a service: starting, stopping, removing, and installing it again.

use super::{Managed, exists};
use crate::cli::call::{Call, Settings};
use crate::cli::{begin_change, note, print, say};
use crate::error::{Error, exit};
use crate::executor;
use crate::host::{process, state};
use crate::managers::{self, nssm, observe};
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::status::{ServiceStatus, State};
use crate::model::text::Text;
use crate::plan::{self, InstallOptions, Keep};

impl Managed {
    /// Does `what` and notes it in the log; gives what is to be said of each service.
    fn logged(&self, what: &str, work: impl FnOnce() -> Result<Vec<&'static str>, Error>) -> Result<u8, Error> {
        let result = work();
        let names: Vec<&str> = self.names.iter().map(ServiceName::as_str).collect();
        let done =
            result.as_ref().map(|done| if self.several { "done" } else { done.first().copied().unwrap_or_default() });
        state::log(&self.place, &format!("{what} {}", names.join(" ")), done);
        let lines: String = names.iter().zip(result?).map(|(name, done)| format!("{name}: {done}\n")).collect();
        print(&lines);
        Ok(exit::OK)
    }

    /// The same word for every service.
    fn each(&self, done: &'static str) -> Vec<&'static str> {
        vec![done; self.names.len()]
    }

    pub(super) fn start(&self, verb: &str) -> Result<u8, Error> {
        drop(begin_change(&self.place)?);
        self.logged(verb, || {
            let started = match verb {
                "restart" => managers::restart(&self.manager, &self.names),
                _ => managers::start(&self.manager, &self.names),
            };
            started.map_err(|error| self.with_error_log(error))?;
            let said = |status: &ServiceStatus| match (status.state, verb) {
                (State::Running, "restart") => "restarted, it runs",
                (State::Running, _) => "started, it runs",
                _ => "started, and it has ended without an error",
            };
            Ok(self.observed_status()?.iter().map(said).collect())
        })
    }

    fn with_error_log(&self, mut error: Error) -> Error {
        if let Error::DidNotStart { service, error_log, .. } = &mut error {
            let name = self.names.iter().find(|name| name.as_str() == service);
            *error_log = name.and_then(|name| self.error_log(name)).filter(exists).map(|path| path.to_string());
        }
        error
    }

    pub(super) fn stop(&self) -> Result<u8, Error> {
        drop(begin_change(&self.place)?);
        self.logged("stop", || {
            managers::stop(&self.manager, &self.names)?;
            let mut theirs = Vec::new();
            for name in &self.names {
                if self.predecessors_unit(name)?.is_some() {
                    theirs.push(name.clone());
                }
            }
            if !theirs.is_empty() {
                // They have `KillMode=none`; this fails where nothing is left.
                drop(process::capture(&plan::systemd::kill(self.manager.scope(), &theirs)));
            }
            Ok(self.each("stopped"))
        })
    }

    pub(super) fn remove(&self, keep: Keep, remove_nssm: bool) -> Result<u8, Error> {
        let _lock = begin_change(&self.place)?;
        let error_logs: Vec<Text> = self.names.iter().filter_map(|name| self.error_log(name)).filter(exists).collect();
        let mut observed = observe::observe(&self.names, &self.place, &self.manager)?;
        observed.active = managers::active(&self.manager, &self.names)?;
        let plan = plan::remove(&self.names, &observed, &self.place, &self.manager, keep);
        self.logged("remove", || {
            executor::apply(&plan, &self.place, &self.manager, &mut |line| say(&format!("  {line}")))?;
            Ok(self.each("removed"))
        })?;
        for name in &self.names {
            let receipt = self.place.receipt(name);
            if exists(&receipt) {
                say(&format!(
                    "kept: {receipt} (`ManageService {name} reinstall` needs it; `--remove_install_args` removes it)"
                ));
            }
            for values in self.place.secrets_files(name).iter().filter(|path| exists(path)) {
                say(&format!("kept: {values} (`--remove_env_vars` removes it)"));
            }
        }
        for path in &observed.drop_ins {
            say(&format!("kept: {path} (it is not ours)"));
        }
        for path in error_logs {
            say(&format!("kept: {path} (its errors)"));
        }
        match &self.manager {
            Manager::Systemd(_) if remove_nssm => note("`--remove_nssm` means something on Windows only"),
            Manager::Nssm(_) if remove_nssm => {
                for (exe, reason) in nssm::withdraw(&self.place, &self.names)? {
                    say(&reason.map_or(format!("removed: {exe}"), |reason| format!("kept: {exe} ({reason})")));
                }
            }
            _ => {}
        }
        Ok(exit::OK)
    }

    /// Installs again what the receipt says. Stopping and starting are part of the one plan: ended half
    /// way, it leaves the service running if it ran.
    pub(super) fn reinstall(&self, options: InstallOptions) -> Result<u8, Error> {
        let catalog = self.catalog()?;
        let requests = self.requests(&catalog)?;
        Call::new(Settings::reinstall(&self.place.state_dir, options), &requests, Vec::new(), &catalog)?.run()
    }
}
