//! What is worth saying of services though it is no fault.

use super::{InstallMode, Installation};
use crate::commands::{Event, Reporter};
use crate::error::Error;
use crate::host::namesake::{self, Namesake};
use crate::managers::systemd::units;
use crate::managers::{self, observe};
use crate::manifest::Manifest;
use crate::model::manager::Manager;
use crate::model::observed::Observed;
use crate::model::original::OriginalUnit;
use crate::model::place::RUNNER;
use crate::model::spec::{Run, Scope};
use crate::model::text::Text;
use crate::plan::Desired;
use crate::render;
use crate::render::nssm::Runner;
use crate::validate::Validated;

impl Installation {
    /// What is worth saying of the services though it is no fault.
    pub(super) fn notes(&self, files: &[Desired]) -> Vec<String> {
        let of_service = |service: &Validated| {
            let left_out = match self.site.manager {
                Manager::Systemd(_) => render::systemd::left_out(&service.spec),
                Manager::Nssm => Vec::new(),
            };
            let otherwise = match self.site.manager {
                Manager::Systemd(_) if self.is_here() => Self::otherwise_than_here(&service.spec),
                Manager::Systemd(_) | Manager::Nssm => Vec::new(),
            };
            let lines =
                service.notes.iter().cloned().chain(otherwise).chain(left_out).chain(self.not_imported(service));
            lines.map(|line| format!("`{}`: {line}", service.spec.name)).collect::<Vec<_>>()
        };
        let mut notes = self.settings.notes.clone();
        notes.extend(self.validated.iter().flat_map(of_service));
        notes.extend(files.iter().filter_map(|service| self.without_error_log(service)));
        notes.extend(self.namesakes());
        notes
    }

    /// Says of a Python program that only an install tries to import it.
    fn not_imported(&self, service: &Validated) -> Option<String> {
        match (&self.settings.mode, &service.spec.run) {
            (InstallMode::DryRun | InstallMode::Check, Run::Python { entry, .. }) if self.is_here() => {
                Some(format!("whether `{entry}` can be imported is not tried here; an install does that first"))
            }
            _ => None,
        }
    }

    /// Says which other programs are called as ours, and how to call ours.
    fn namesakes(&self) -> Vec<String> {
        let is_export = matches!(self.settings.mode, InstallMode::Export(..));
        if is_export || self.settings.kept_first || self.site.target() != managers::of_this_host() {
            return Vec::new();
        }
        let interpreters = self.validated.iter().filter_map(|service| match &service.spec.run {
            Run::Python { interpreter, .. } => Some(interpreter),
            Run::Executable { .. } | Run::Commands { .. } => None,
        });
        let said = |Namesake { name, other, own, is_first }: Namesake| match is_first {
            true => format!("`{name}` alone is another program here, `{other}`; this one is `{own}`"),
            false => format!(
                "`{other}` is another program, and is what `{name}` means where that environment is active; this one is \
                 `{own}`"
            ),
        };
        namesake::namesakes(interpreters).into_iter().map(said).collect()
    }

    /// Says where a service leaves no error log behind, and why.
    fn without_error_log(&self, service: &Desired) -> Option<String> {
        let said = |reason: &str| format!("`{}`: it will leave no error log: {reason}", service.name);
        match (&service.registration.nssm()?.runner, self.has_runner) {
            (Runner::Impossible(reason), _) => Some(said(reason)),
            (Runner::Possible(_), Some(false)) => Some(said(&format!(
                "{RUNNER} is neither beside this program nor at `{}`; put it there and install again",
                self.site.place.runner()
            ))),
            (Runner::Possible(_), Some(true) | None) | (Runner::Needed(_) | Runner::Needless, _) => None,
        }
    }

    /// Says which names are taken here, so that an install would be refused.
    ///
    /// # Errors
    /// Where a schedule has the name of a timer that is not ours.
    pub(super) fn in_the_way(&self) -> Result<Vec<String>, Error> {
        let refused = |error: Error| match error {
            Error::Foreign { path, reason, help } => Some(format!("an install is refused: `{path}`: {reason}; {help}")),
            // Who may not see what is there is told by an install.
            _ => None,
        };
        let others = match observe::others(&self.names(), &self.site) {
            Ok(others) => others,
            Err(error) => return Ok(refused(error).into_iter().collect()),
        };
        for name in self.scheduled() {
            if let Some(other) = others.other_timers.get(&name) {
                // Where nothing of ours is, the timer has a service that is not ours, too.
                let can_adopt = !others.files.contains_key(&self.site.place.unit(&name));
                units::not_foreign_timer(&name, other, can_adopt, self.site.scope())?;
            }
        }
        Ok(observe::taken(&others, &self.site).filter_map(|(_, error)| refused(error)).collect())
    }

    /// Tells which services go without the profile of hardening that their units have, though nobody has said so.
    pub(super) fn tell_lost_profiles(&self, observed: &Observed, reporter: Reporter<'_>) {
        match self.site.manager {
            Manager::Systemd(_) => {}
            Manager::Nssm => return,
        }
        let place = &self.site.place;
        let contents = |path: &Text| observed.files.get(path).map(|found| &*found.contents);
        // Whoever said a profile knows of it.
        let has_said = |receipt: &[u8]| {
            let receipt = Manifest::parse_receipt(&String::from_utf8_lossy(receipt), "");
            receipt.map_or(true, |receipt| receipt.services().iter().any(|service| service.hardening.is_some()))
        };
        for Validated { spec, request, .. } in &self.validated {
            let was_default = contents(&place.receipt(&spec.name)).is_some_and(|receipt| !has_said(receipt));
            let unit = contents(&place.unit(&spec.name)).unwrap_or_default();
            if request.hardening.is_none() && was_default && render::systemd::loses_profile(spec, unit) {
                let user = match spec.scope {
                    Scope::System => "",
                    Scope::User => " --user",
                };
                reporter(Event::Note(&format!(
                    "`{name}`: without `--hardening` it has no profile of hardening any more, and was installed with \
                     `baseline`; `InstallService --update{user} --service_name {name} --hardening baseline` brings it back",
                    name = spec.name,
                )));
            }
        }
    }
}

pub(super) fn tell_others(observed: &Observed, reporter: Reporter<'_>) {
    observed.other_units.iter().for_each(|(name, other)| reporter(Event::OtherUnit(name, other)));
    let units =
        observed.adopted.values().flat_map(|original| std::iter::once(&original.service).chain(&original.timer));
    for OriginalUnit { path, .. } in units.filter(|unit| unit.is_private()) {
        let line = format!("`{path}` is not for everybody to read, and ours is: `--env NAME` keeps a value out of it");
        reporter(Event::Note(&line));
    }
}

pub(super) fn tell_lost(observed: &Observed, reporter: Reporter<'_>) {
    observed.lost.iter().for_each(|(path, reason)| reporter(Event::Lost { path, reason }));
}
