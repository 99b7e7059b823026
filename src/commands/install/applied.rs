//! Services come onto this host: with rights, values of secrets and all that they need, or not at all.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::notes::{tell_lost, tell_others};
use super::{Applied, AppliedChange, AppliedService, Installation, Outcome, Settings};
use crate::commands::change::Change;
use crate::commands::drift::Comparison;
use crate::commands::passwords::{self, Passwords};
use crate::commands::receipt::with_error_log;
use crate::commands::secrets::{self, Values};
use crate::commands::{Event, Reporter};
use crate::error::{Error, Fault};
use crate::executor;
use crate::host::sudo::{self, Typed};
use crate::host::{environment, site, state};
use crate::managers::credential::Opened;
use crate::managers::nssm::{self, Need};
use crate::managers::systemd::units;
use crate::managers::{self, Purpose, observe, systemd};
use crate::model::invocation::Invocation;
use crate::model::manager::Manager;
use crate::model::name::{EnvName, ServiceName};
use crate::model::nssm_release::Release;
use crate::model::nssm_table;
use crate::model::observed::Observed;
use crate::model::original::Original;
use crate::model::place::error_log_path;
use crate::model::schedule::Schedule;
use crate::model::spec::{Scope, ServiceSpec, Target, Timer};
use crate::model::text::Text;
use crate::plan::{self, Desired, InstallOptions, Plan};
use crate::render::nssm::{NssmService, Runner};
use crate::validate::Validated;

/// What an install knows besides what it is to install.
struct Besides {
    /// Services that are removed.
    surplus: Vec<ServiceName>,
    /// The passwords of accounts.
    passwords: Passwords,
    /// Another run has changed the services since this one began.
    overtaken: bool,
}

impl Installation {
    /// What would be typed to write the services into this system, for it to start them when it boots. Of an install they
    /// run where it is typed, and of an export where it says.
    fn for_next_boot(&self) -> String {
        let top = match self.site.scope() {
            Scope::System => "/".into(),
            Scope::User => environment::home(),
        };
        let mut options = vec!["--output".into(), top, "--enable-links".into()];
        let said = ["--working-directory", "--working_directory", "--manifest"];
        let is_said = |word: &Text| said.iter().any(|option| word.as_bytes().starts_with(option.as_bytes()));
        if let [service] = self.validated.as_slice()
            && let Some(directory) = &service.request.working_directory
            && !self.settings.to_install.iter().any(is_said)
        {
            options.extend(["--working-directory".into(), directory.clone()]);
        }
        let mut words = self.settings.to_install.clone();
        words.splice(1.min(words.len())..1.min(words.len()), options);
        Invocation(words).summary()
    }

    /// `notes` have been told.
    pub(super) fn install(
        &self,
        files: Vec<Desired>,
        notes: Vec<String>,
        reporter: Reporter<'_>,
    ) -> Result<Outcome, Error> {
        managers::need(self.site.manager, Purpose::Install { for_next_boot: &self.for_next_boot() })?;
        if !site::may_change(self.site.scope()) {
            self.find_modules(&files)?;
            return self.run_again(notes, reporter).map(Outcome::RunAgain);
        }
        let (names, place) = (self.names(), &self.site.place);
        let mut opened = Opened::default();
        let mut seen = None;
        let mut asked = Values::new();
        let has_secrets = self.validated.iter().any(|service| !service.spec.secrets.is_empty());
        let may_ask = has_secrets || passwords::may_be_needed(&self.validated, self.settings.target);
        let mut passwords = Passwords::new();
        let free = if may_ask { None } else { Change::begin_if_free(&names, place, reporter)? };
        let change = match free {
            Some(change) => change,
            // It may have to ask, and to wait for another run, so what it takes the host for is looked at before that.
            None => {
                let found = observe::observe_to_install(&names, &self.adopting(), &self.site, &mut opened);
                (seen, asked) = self.ask_for_values(found, &files, reporter)?;
                if let Some(seen) = &seen {
                    passwords = self.passwords(seen)?;
                }
                Change::begin(&names, place, reporter)?
            }
        };
        let mut observed = observe::observe_to_install(&names, &self.adopting(), &self.site, &mut opened)?;
        self.not_foreign_timers(&observed)?;
        tell_others(&observed, reporter);
        self.tell_lost_profiles(&observed, reporter);
        let seen_nothing = seen.is_none();
        let overtaken = seen.is_some_and(|seen| !change.recovered && !seen.is_same(&observed, &names));
        let surplus = self.surplus()?;
        if !surplus.is_empty() {
            let known = [names, surplus.clone()].concat();
            observed = observe::observe_and_adopt(&known, &self.adopting(), &self.site, &mut opened)?;
            for name in surplus.iter().filter(|name| observed.originals.contains_key(*name)) {
                let line = format!(
                    "what `{name}` was before it was adopted is kept; `ManageService {name} release` gives it back"
                );
                reporter(Event::Note(&line));
            }
        }
        let desired = self.with_environment(files, |service| {
            let mut values = self.known_values(service, &observed, self.settings.kept_first);
            let asked = |variable: &EnvName| Some((variable.clone(), asked.get(variable)?.clone()));
            values.extend(service.spec.secrets.iter().filter_map(asked));
            values
        })?;
        // Where another run has to be taken back first, what it has left is not what is asked about.
        if seen_nothing {
            passwords = self.passwords(&observed)?;
        }
        self.apply(&desired, observed, Besides { surplus, passwords, overtaken }, &change.lock, reporter)
    }

    /// The passwords of accounts that Windows has to be told.
    fn passwords(&self, observed: &Observed) -> Result<Passwords, Error> {
        let needed = passwords::needed(&self.validated, observed, self.settings.account_password_stdin);
        match self.settings.target {
            Target::Systemd => Ok(Passwords::new()),
            Target::Nssm if self.settings.account_password_stdin => passwords::of_input(&needed),
            Target::Nssm => passwords::ask_for(&needed),
        }
    }

    /// Refuses a schedule where a timer of that name is not ours.
    pub(super) fn not_foreign_timers(&self, observed: &Observed) -> Result<(), Error> {
        for name in self.scheduled() {
            if let Some(other) = observed.other_timers.get(&name) {
                let can_adopt = !self.settings.adopt && observed.originals.contains_key(&name);
                units::not_foreign_timer(&name, other, can_adopt, self.site.scope())?;
            }
        }
        Ok(())
    }

    /// The values that nobody knows yet, and what the host was taken for. Nobody is asked for a password only to be
    /// told that the name is taken; but what is in the way otherwise may be left from a run that was killed, and is
    /// taken back before this one begins.
    fn ask_for_values(
        &self,
        found: Result<Observed, Error>,
        files: &[Desired],
        reporter: Reporter<'_>,
    ) -> Result<(Option<Observed>, Values), Error> {
        let missing = |observed: &Observed| secrets::missing(&self.validated, observed, &self.site.place);
        match found {
            Ok(mut seen) => {
                tell_lost(&seen, reporter);
                plan::share_contents(files, &mut seen);
                let missing = missing(&seen);
                if !missing.is_empty() {
                    self.find_modules(files)?;
                }
                let asked = secrets::ask_for(&missing)?;
                Ok((Some(seen), asked))
            }
            Err(error) if missing(&Observed::default()).is_empty() => {
                drop(error);
                Ok((None, Values::new()))
            }
            Err(error) => Err(error),
        }
    }

    /// Runs this very command again with administrator rights.
    fn run_again(&self, notes: Vec<String>, reporter: Reporter<'_>) -> Result<u8, Error> {
        let variables: Vec<EnvName> =
            self.validated.iter().flat_map(|service| service.spec.secrets.iter().cloned()).collect();
        let typed = self.settings.typed.clone().unwrap_or_else(Typed::without_secrets);
        let services: Vec<ServiceSpec> = self.validated.iter().map(|service| service.spec.clone()).collect();
        let announce = &mut || reporter(Event::NeedsRights(&services, &self.site));
        sudo::run_again(typed.clone(), &variables, notes, announce).map_err(|error| self.without_rights(error, &typed))
    }

    /// With what does without the rights that are missing.
    fn without_rights(&self, mut error: Error, typed: &Typed) -> Error {
        if let Error::NotPrivileged { help } = &mut error {
            let has_accounts = self.validated.iter().any(|service| service.spec.account.is_some());
            match self.site.manager {
                Manager::Systemd(_) if !has_accounts => help.push(format!(
                    "without these rights, `{}` makes it a service of your own",
                    sudo::with_option(typed, &["--user"])
                )),
                Manager::Systemd(_) | Manager::Nssm => {}
            }
            help.push(format!(
                "`{}` writes the files for an administrator",
                sudo::with_option(typed, &["--output", "DIR"])
            ));
        }
        error
    }

    /// Applies what differs.
    fn apply(
        &self,
        desired: &[Desired],
        mut observed: Observed,
        Besides { surplus, passwords, overtaken }: Besides,
        lock: &state::Lock,
        reporter: Reporter<'_>,
    ) -> Result<Outcome, Error> {
        let what = |names: &[ServiceName]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let place = &self.site.place;
        let names = self.names();
        self.provide(desired, reporter)?;
        let is_update = |name: &ServiceName| {
            plan::is_installed(&observed, name, &self.site) && !observed.adopted.contains_key(name)
        };
        let updates: Vec<ServiceName> = names.iter().filter(|name| is_update(name)).cloned().collect();
        let adopted: Vec<ServiceName> = observed.adopted.keys().cloned().collect();
        let present = [updates.as_slice(), &adopted, surplus.as_slice()].concat();
        let renames = self.settings.renamed.is_some();
        let speak = self.validated.iter().filter(|service| service.spec.speaks_systemd());
        let loads = speak.map(|service| service.spec.name.clone()).collect();
        let mut options = InstallOptions { remove: surplus.clone(), renames, loads, passwords, ..Default::default() };
        let mut plan = plan::install(desired, &observed, &self.site, &options);
        let (mut before, mut units) = (Vec::new(), Vec::new());
        // Whether services run is asked only where it makes a difference: it takes a while to say of many.
        if self.settings.start || self.settings.stop || !plan.is_empty() {
            if !present.is_empty() {
                units = managers::running_units(&self.site, &present)?;
                before = managers::status(&self.site, &units)?;
                let active = units.iter().zip(&before).filter(|(_, status)| status.is_active());
                observed.active = active.map(|(name, _)| name.clone()).collect();
                observed.active.extend(self.waiting(&observed)?);
            }
            let Settings { stop, start, restart_now, no_rollback, .. } = self.settings;
            options = InstallOptions { stop, start, restart_now, no_rollback, ..options };
            plan = plan::install(desired, &observed, &self.site, &options);
        }
        if plan.is_empty() {
            if self.settings.start {
                // It runs, or seems to: one that dies again and again does so between two deaths.
                // How a job ended that its timer has started is another question.
                let services = desired.iter().filter(|service| !service.has_timer(place));
                let names: Vec<ServiceName> = services.map(|service| service.name.clone()).collect();
                managers::settle(&self.site, &names).map_err(|error| self.with_error_log(error))?;
            }
            return Ok(Outcome::Unchanged(names));
        }
        if overtaken {
            let services = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(Error::Overtaken { services });
        }
        self.preflight(desired, reporter)?;
        let at_risk = passwords::at_risk(desired, &observed, &surplus, &options.passwords);
        at_risk.iter().for_each(|line| reporter(Event::Note(line)));
        if !present.is_empty() && !renames {
            let mut comparison = Comparison::new(desired, &observed, place, &surplus);
            comparison.leave_out_new(&adopted, place);
            reporter(Event::Changes(&comparison));
        }
        let result = executor::apply(&plan, &self.site, lock, &mut |progress| reporter(Event::Progress(progress)));
        if self.settings.stop || renames || plan.starts().any(|name| observed.active.contains(name)) {
            managers::killed(&self.site, &units, &before).iter().for_each(|one| reporter(Event::Killed(one)));
        }
        let done = match (updates.is_empty(), adopted.is_empty()) {
            (false, _) => "updated",
            (true, false) => "adopted",
            (true, true) => "installed",
        };
        state::log(place, &format!("install {}", what(&names)), result.as_ref().map(|()| done));
        if !surplus.is_empty() {
            state::log(place, &format!("remove {}", what(&surplus)), result.as_ref().map(|()| "removed"));
        }
        result.map_err(|error| self.with_error_log(error)).map_err(|error| taken_back(error, &updates))?;
        let nothing_else = InstallOptions { passwords: options.passwords, ..Default::default() };
        Ok(Outcome::Applied(self.applied(&plan, desired, observed, &updates, surplus, &nothing_else)))
    }

    /// The services whose timers are taken over and wait; itself, such a service may not run.
    fn waiting(&self, observed: &Observed) -> Result<Vec<ServiceName>, Error> {
        let is_new =
            |(name, original): &(&ServiceName, &Original)| original.timer.is_some() && !observed.active.contains(name);
        let names: Vec<ServiceName> = observed.adopted.iter().filter(is_new).map(|(name, _)| name.clone()).collect();
        match self.site.manager {
            Manager::Systemd(scope) => systemd::schedule::waiting(&names, scope),
            Manager::Nssm => Ok(Vec::new()),
        }
    }

    /// Puts the programs in their place that the service manager needs for these services.
    fn provide(&self, desired: &[Desired], reporter: Reporter<'_>) -> Result<(), Error> {
        match self.site.manager {
            Manager::Systemd(_) => Ok(()),
            Manager::Nssm => {
                let tell = &mut |supply: nssm::Supply<'_>| reporter(Event::Supply(supply));
                nssm::provide(&self.settings.nssm, need(desired).as_ref(), &self.site.place, tell)?;
                if has_programs(desired) { nssm::provide_runner(&self.site.place, tell) } else { Ok(()) }
            }
        }
    }

    /// What only this host can answer, asked before anything is changed.
    fn preflight(&self, desired: &[Desired], reporter: Reporter<'_>) -> Result<(), Error> {
        match self.site.manager {
            Manager::Systemd(_) => {
                let versions = self.validated.iter().map(|service| service.spec.systemd);
                versions.max().map_or(Ok(()), systemd::need_version)?;
                self.show_to_systemd(desired, reporter)?;
                for Validated { spec, .. } in &self.validated {
                    if let Some(Timer { schedule: Some(Schedule::Calendar(calendar)) }) = &spec.timer {
                        systemd::schedule::judge(calendar)?;
                    }
                }
            }
            Manager::Nssm => {}
        }
        self.try_imports(desired, reporter)
    }

    /// Shows the finished units to the systemd of this host, where they have words of the user's own in its grammar: what
    /// is all ours, tests have shown to many versions, and it takes a process more.
    fn show_to_systemd(&self, desired: &[Desired], reporter: Reporter<'_>) -> Result<(), Error> {
        let (place, mut units) = (&self.site.place, Vec::new());
        let speaking = desired.iter().zip(&self.validated).filter(|(_, validated)| validated.spec.speaks_systemd());
        for (service, _) in speaking {
            let name = &service.name;
            for (unit, path) in [(name.unit(), place.unit(name)), (name.timer(), place.timer(name))] {
                let finished = service.artifacts.iter().find(|artifact| artifact.path == path);
                units.extend(finished.map(|artifact| (unit, Rc::clone(&artifact.contents))));
            }
        }
        if units.is_empty() {
            return Ok(());
        }
        let said = match systemd::verify::verify(&units, self.site.scope()) {
            Ok(said) => said,
            Err(error @ Error::Interrupted) => return Err(error),
            Err(error) => {
                let unchecked =
                    "the systemd of this host could not be asked whether it accepts every line of the units";
                reporter(Event::Note(&format!("{unchecked}: {error}")));
                return Ok(());
            }
        };
        let faults: Vec<Fault> = said.iter().filter_map(systemd::verify::Said::fault).collect();
        if !faults.is_empty() {
            return Err(Error::Refused(faults));
        }
        said.iter().for_each(|said| reporter(Event::Note(&said.to_string())));
        Ok(())
    }

    /// What `plan` has done; with `nothing_else` services are put in order and not started.
    fn applied(
        &self,
        plan: &Plan,
        desired: &[Desired],
        mut observed: Observed,
        updates: &[ServiceName],
        removed: Vec<ServiceName>,
        nothing_else: &InstallOptions,
    ) -> Applied {
        let stopped = if self.settings.stop { std::mem::take(&mut observed.active) } else { Vec::new() };
        let started: BTreeSet<&ServiceName> = plan.starts().collect();
        // That is of the user, and of none of the services.
        observed.logs_out = None;
        let of = |service: &Desired| {
            let name = &service.name;
            let own = std::slice::from_ref(service);
            let has_changed = !plan::install(own, &observed, &self.site, nothing_else).is_empty();
            let change = match (has_changed, updates.contains(name)) {
                (false, _) => AppliedChange::Unchanged,
                (true, _) if observed.adopted.contains_key(name) => AppliedChange::Adopted,
                (true, true) => AppliedChange::Updated,
                (true, false) => AppliedChange::Installed,
            };
            let is_of = |active: &ServiceName| active == name || active.template().as_ref() == Some(name);
            let was_active = observed.active.iter().any(is_of);
            let (started, has_timer) = (started.contains(name), service.has_timer(&self.site.place));
            let had_timer = observed.has_timer(name, &self.site.place);
            AppliedService { name: name.clone(), change, started, was_active, has_timer, had_timer }
        };
        let services = desired.iter().map(of).collect();
        Applied { site: self.site.clone(), stopped, services, removed }
    }

    /// The error of a service that did not start, with the place of its error log.
    fn with_error_log(&self, error: Error) -> Error {
        with_error_log(error, |service| {
            let known = self.validated.iter().find(|known| known.spec.name.as_str() == service)?;
            Some(error_log_path(&known.spec.working_directory, &known.spec.name))
        })
    }
}

/// The error of a service that did not start, where its installation was taken back: nothing can be
/// asked of it any more.
fn taken_back(mut error: Error, updates: &[ServiceName]) -> Error {
    if let Error::Undone { cause, .. } = &mut error
        && let Error::DidNotStart { service, installed, .. } = cause.as_mut()
    {
        *installed = updates.iter().any(|name| name.as_str() == service);
    }
    error
}

/// Whether RunService can stand between NSSM and the program of any of these services.
pub(super) fn has_programs(desired: &[Desired]) -> bool {
    let has_runner = |service: &Desired| {
        let runner = service.registration.nssm().map(|service| &service.runner);
        matches!(runner, Some(Runner::Possible(_) | Runner::Needed(_)))
    };
    desired.iter().any(has_runner)
}

/// What these services need of NSSM, where an older release does not have it.
pub(super) fn need(desired: &[Desired]) -> Option<Need> {
    let services = desired.iter().filter_map(|service| service.registration.nssm());
    let of = |service: &NssmService| {
        let parameter =
            service.parameters.iter().find(|parameter| nssm_table::since(&parameter.name) > Release::V2_24)?;
        let what = format!("`{}` of the service `{}`", parameter.name, service.name);
        Some(Need { release: nssm_table::since(&parameter.name), what })
    };
    services.filter_map(of).next()
}
