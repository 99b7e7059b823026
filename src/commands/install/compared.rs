//! This host beside what was asked for.

use super::notes::{tell_lost, tell_others};
use super::{Installation, Outcome};
use crate::commands::drift::{Comparison, Gone};
use crate::commands::passwords::{self, Passwords};
use crate::commands::{Event, Reporter};
use crate::error::Error;
use crate::executor::journal;
use crate::host::facts::Host;
use crate::managers::credential::Opened;
use crate::managers::observe;
use crate::model::facts::{Facts, PathKind};
use crate::model::name::ServiceName;
use crate::model::text::Text;
use crate::plan::Desired;
use crate::validate::Validated;

impl Installation {
    pub(super) fn check(&self, files: Vec<Desired>, reporter: Reporter<'_>) -> Result<Outcome, Error> {
        if journal::is_there(&self.site.place) {
            reporter(Event::Unfinished { needs_rights: false });
        }
        let observed = observe::observe_and_adopt(&self.names(), &self.adopting(), &self.site, &mut Opened::default())?;
        // What was installed is compared with whatever has come in its place.
        let is_new = |name: &ServiceName| !observed.files.contains_key(&self.site.place.receipt(name));
        if let Some((_, error)) = observe::taken(&observed, &self.site).find(|(name, _)| is_new(name)) {
            return Err(error);
        }
        if !self.settings.compares_receipts {
            self.not_foreign_timers(&observed)?;
        }
        tell_others(&observed, reporter);
        tell_lost(&observed, reporter);
        self.tell_lost_profiles(&observed, reporter);
        let desired = self.with_environment(files, |service| self.known_values(service, &observed, true))?;
        let mut comparison = Comparison::new(&desired, &observed, &self.site.place, &self.surplus()?);
        comparison.gone = self.gone(is_new);
        let at_risk = passwords::at_risk(&desired, &observed, &comparison.surplus, &Passwords::new());
        // A comparison of what was installed is no preview.
        if !self.settings.compares_receipts {
            at_risk.iter().for_each(|line| reporter(Event::Note(line)));
        }
        Ok(Outcome::Compared { comparison, unreadable: observed.unreadable })
    }

    /// What services need that is no longer there.
    fn gone(&self, is_new: impl Fn(&ServiceName) -> bool) -> Vec<Gone> {
        let host = Host::default();
        let mut gone = Vec::new();
        for Validated { spec, .. } in &self.validated {
            let mut add = |what: &'static str, name: &Text| {
                gone.push(Gone { service: spec.name.clone(), what, name: name.clone(), is_new: is_new(&spec.name) });
            };
            let paths = [("working directory", Some(&spec.working_directory)), ("program", spec.run.program())];
            for (what, path) in paths.into_iter().filter_map(|(what, path)| Some((what, path?))) {
                if host.path_kind(path) == Some(PathKind::Missing) {
                    add(what, path);
                }
            }
            if let Some(account) = spec.account.as_deref().filter(|account| host.account_exists(account) == Some(false))
            {
                add("account", &account.into());
            }
        }
        gone
    }
}
