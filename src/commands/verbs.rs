//! What changes services: starting, stopping, removing, and installing them again.

use std::time::Duration;

use super::change::Change;
use super::find::Managed;
use super::install::{Installation, Outcome, Settings};
use super::passwords::{self, Passwords};
use super::receipt::{ReadWords, with_error_log};
use super::{Event, Reporter, secrets};
use crate::error::{Error, Fault};
use crate::executor::{self, Progress};
use crate::host::folder::Folder;
use crate::host::{files, privilege, state};
use crate::managers::credential::Opened;
use crate::managers::systemd::adopt;
use crate::managers::{self, PutBack, nssm, observe, systemd};
use crate::manifest::{self, Request};
use crate::model::artifact::Artifact;
use crate::model::links::InstallSection;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::observed::{Observed, OtherUnit};
use crate::model::place::error_log;
use crate::model::spec::Scope;
use crate::model::status::{Killed, ServiceStatus, State};
use crate::model::text::Text;
use crate::plan::{self, InstallOptions, Keep};
use crate::render::nssm::START;

/// What was done to a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It was started, and runs.
    Started,
    /// It was started, and has ended without an error.
    StartedAndEnded,
    /// It was stopped and started again, and runs.
    Restarted,
    /// It has read its configuration again.
    Reloaded,
    /// It was stopped.
    Stopped,
    /// It did not answer when it was stopped, and was killed.
    Killed,
    /// It was removed.
    Removed,
    /// What it was before it was adopted is there again.
    Released,
    /// It is started at boot from now on.
    Enabled,
    /// It is not started at boot any more.
    Disabled,
    /// It was as it should be.
    Unchanged,
}

impl Done {
    /// The words for it, in the log as on the terminal.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started, it runs",
            Self::StartedAndEnded => "started, and it has ended without an error",
            Self::Restarted => "restarted, it runs",
            Self::Reloaded => "reloaded",
            Self::Stopped => "stopped",
            Self::Killed => "killed, it did not answer",
            Self::Removed => "removed",
            Self::Released => "released, it is what it was before it was adopted",
            Self::Enabled => "enabled, it starts at boot",
            Self::Disabled => "disabled, it does not start at boot",
            Self::Unchanged => "unchanged",
        }
    }
}

/// What was done to each service.
pub type AllDone = Vec<(ServiceName, Done)>;

/// What a removal leaves behind.
#[derive(Debug)]
pub enum Kept {
    /// What `reinstall` needs.
    Receipt(ServiceName, Text),
    /// The values of secrets.
    Values(Text),
    /// A file of the administrator's.
    DropIn(Text),
    /// What a service was before it was adopted.
    Original(ServiceName, Text),
    /// A unit of the same name that is not ours.
    OtherUnit(ServiceName, OtherUnit),
    /// What the service had to say of its errors.
    ErrorLog(Text),
    /// The services of this user start at boot and outlive the logout, and none of ours is left among them.
    Lingering(String),
}

/// What a repeated install needs that its receipt does not say.
#[derive(Debug)]
pub struct Again {
    /// How long the import of a Python program may take.
    pub import_limit: Duration,
    /// Where NSSM comes from.
    pub nssm: nssm::Wishes,
    /// Whether the password of an account of Windows is read from standard input.
    pub account_password_stdin: bool,
}

/// What a removal has done.
#[derive(Debug)]
pub struct Removal {
    /// To each service.
    pub done: AllDone,
    /// What it leaves behind.
    pub kept: Vec<Kept>,
    /// Programs of ours that services used, and why one stays, if it does.
    pub withdrawn: Vec<nssm::Withdrawn>,
}

impl Managed {
    /// Does `what` and notes it in the log of the state directory.
    fn logged(&self, what: &str, work: impl FnOnce() -> Result<Vec<Done>, Error>) -> Result<AllDone, Error> {
        let result = work();
        let names: Vec<&str> = self.names.iter().map(ServiceName::as_str).collect();
        let said = |done: &Vec<Done>| match done.as_slice() {
            [only] => only.as_str(),
            _ => "done",
        };
        state::log(&self.site.place, &format!("{what} {}", names.join(" ")), result.as_ref().map(said));
        Ok(self.names.iter().cloned().zip(result?).collect())
    }

    /// The same for every service.
    fn each(&self, done: Done) -> Vec<Done> {
        vec![done; self.names.len()]
    }

    /// Does what starts or stops them. Where an interrupt ends that, they do again what they did before.
    /// Gives those that had to be killed, once that is told.
    fn or_as_before(
        &self,
        reporter: Reporter<'_>,
        work: impl FnOnce() -> Result<(), Error>,
    ) -> Result<Vec<Killed>, Error> {
        let before = managers::status(&self.site, &self.names)?;
        let result = work();
        let killed = match &result {
            Err(Error::Interrupted) => Vec::new(),
            _ => managers::killed(&self.site, &self.names, &before),
        };
        killed.iter().for_each(|killed| reporter(Event::Killed(killed)));
        result.map(|()| killed).map_err(|error| match error {
            Error::Interrupted => {
                reporter(Event::Progress(Progress::Interrupted));
                let PutBack { restored, left } = managers::leave_as_before(&self.site, &self.names, &before);
                Error::Undone { cause: Box::new(error), restored, left }
            }
            other => other,
        })
    }

    /// Starts them, and waits until they have settled.
    ///
    /// # Errors
    /// When one of them does not come up.
    pub fn start(&self, reporter: Reporter<'_>) -> Result<AllDone, Error> {
        let _change = Change::begin(&self.names, &self.site.place, reporter)?;
        self.logged("start", || {
            let started = self.or_as_before(reporter, || managers::start(&self.site, &self.names));
            started.map_err(|error| self.with_error_log(error))?;
            self.settled(Done::Started)
        })
    }

    /// Stops them and starts them again, and waits until they have settled.
    ///
    /// # Errors
    /// When one of them does not come up.
    pub fn restart(&self, reporter: Reporter<'_>) -> Result<AllDone, Error> {
        let _change = Change::begin(&self.names, &self.site.place, reporter)?;
        self.logged("restart", || {
            let restarted = self.or_as_before(reporter, || managers::restart(&self.site, &self.names));
            restarted.map_err(|error| self.with_error_log(error))?;
            self.settled(Done::Restarted)
        })
    }

    /// Has them read their configuration again.
    ///
    /// # Errors
    /// When one of them cannot, or fails to.
    pub fn reload(&self, reporter: Reporter<'_>) -> Result<AllDone, Error> {
        let _change = Change::begin(&self.names, &self.site.place, reporter)?;
        self.logged("reload", || {
            managers::reload(&self.site, &self.names)?;
            Ok(self.each(Done::Reloaded))
        })
    }

    /// `running` for those that run; others have come to their end already.
    fn settled(&self, running: Done) -> Result<Vec<Done>, Error> {
        let states = managers::status(&self.site, &self.names)?;
        let done = |state| if state == State::Running { running } else { Done::StartedAndEnded };
        Ok(states.iter().map(|status| done(status.state)).collect())
    }

    fn with_error_log(&self, error: Error) -> Error {
        with_error_log(error, |service| {
            self.names.iter().find(|name| name.as_str() == service).and_then(|name| self.error_log(name))
        })
    }

    /// Stops them.
    ///
    /// # Errors
    /// When one of them goes on running.
    pub fn stop(&self, reporter: Reporter<'_>) -> Result<AllDone, Error> {
        let _change = Change::begin(&self.names, &self.site.place, reporter)?;
        self.logged("stop", || {
            let killed = self.or_as_before(reporter, || managers::stop(&self.site, &self.names))?;
            let mut theirs = Vec::new();
            for name in &self.names {
                if self.predecessors_unit(name)?.is_some() {
                    theirs.push(name.clone());
                }
            }
            if !theirs.is_empty() {
                managers::end_leftovers(&self.site, &theirs);
            }
            let is_deaf = |name: &ServiceName| killed.iter().any(|one| one.service == *name && one.late.is_some());
            let done = |name| if is_deaf(name) { Done::Killed } else { Done::Stopped };
            Ok(self.names.iter().map(done).collect())
        })
    }

    /// Has them started at boot, or not, now and after every `reinstall`. Nothing else of them is looked at: what they
    /// run may be gone.
    ///
    /// # Errors
    /// When a receipt is gone, or it cannot be done; then all is as it was.
    pub fn at_boot(&self, at_boot: bool, read: ReadWords<'_>, reporter: Reporter<'_>) -> Result<AllDone, Error> {
        let (instances, own): (Vec<_>, Vec<_>) = self.names.iter().cloned().partition(|name| self.is_instance(name));
        let of = |names: Vec<ServiceName>| Self {
            names,
            removed: self.removed.clone(),
            instances: self.instances.clone(),
            site: self.site.clone(),
            catalogs: self.catalogs.clone(),
        };
        let mut done = Vec::new();
        if !own.is_empty() {
            done.extend(of(own).installed_at_boot(at_boot, read, reporter)?);
        }
        if !instances.is_empty() {
            done.extend(of(instances).instances_at_boot(at_boot, reporter)?);
        }
        Ok(done)
    }

    /// The same for instances of templates: there are no receipts of them, and systemd's links alone say it.
    fn instances_at_boot(&self, at_boot: bool, reporter: Reporter<'_>) -> Result<AllDone, Error> {
        let change = Change::begin(&self.names, &self.site.place, reporter)?;
        let templates: Vec<ServiceName> = self.names.iter().filter_map(ServiceName::template).collect();
        let observed = observe::observe(&templates, &self.site, &mut Opened::default())?;
        self.may_be_enabled(at_boot, &observed)?;
        let plan_of = |names: &[ServiceName]| plan::instances_at_boot(names, at_boot, &observed, &self.site);
        let (what, done) = if at_boot { ("enable", Done::Enabled) } else { ("disable", Done::Disabled) };
        self.logged(what, || {
            let plan = plan_of(&self.names);
            executor::apply(&plan, &self.site, &change.lock, &mut |progress| reporter(Event::Progress(progress)))?;
            let of = |name| if plan_of(std::slice::from_ref(name)).is_empty() { Done::Unchanged } else { done };
            Ok(self.names.iter().map(of).collect())
        })
    }

    /// The same for what was installed.
    fn installed_at_boot(&self, at_boot: bool, read: ReadWords<'_>, reporter: Reporter<'_>) -> Result<AllDone, Error> {
        let change = Change::begin(&self.names, &self.site.place, reporter)?;
        let mut receipts = self.requests(&self.catalog()?, read)?;
        for (name, request) in self.names.iter().zip(&mut receipts) {
            self.may_say_at_boot(name, request)?;
            if request.at_boot.unwrap_or(true) != at_boot && request.is_enabled_by_a_line() {
                let is_line_of_ours = request.plain == Some(true) && !request.says_install();
                request.at_boot = if is_line_of_ours { Some(at_boot) } else { (!at_boot).then_some(false) };
            }
        }
        let observed = observe::observe(&self.names, &self.site, &mut Opened::default())?;
        self.may_be_enabled(at_boot, &observed)?;
        let plan_of = |names: &[ServiceName], requests: &[Request]| {
            let receipt = |(name, request): (&ServiceName, &Request)| {
                Artifact::plain(self.site.place.receipt(name), manifest::receipt(request).into_bytes())
            };
            let receipts: Vec<Artifact> = names.iter().zip(requests).map(receipt).collect();
            plan::at_boot(names, at_boot, &receipts, &observed, &self.site)
        };
        let (what, done) = if at_boot { ("enable", Done::Enabled) } else { ("disable", Done::Disabled) };
        self.logged(what, || {
            let plan = plan_of(&self.names, &receipts);
            executor::apply(&plan, &self.site, &change.lock, &mut |progress| reporter(Event::Progress(progress)))?;
            let of = |(name, request)| {
                let own = plan_of(std::slice::from_ref(name), std::slice::from_ref(request));
                if own.is_empty() { Done::Unchanged } else { done }
            };
            Ok(self.names.iter().zip(&receipts).map(of).collect())
        })
    }

    /// Refuses what a start at boot cannot be said of.
    fn may_say_at_boot(&self, name: &ServiceName, request: &Request) -> Result<(), Error> {
        let fault = |reason: &str| Fault::new(format!("service `{name}`"), reason);
        if !files::is_there(&self.site.place.receipt(name)) {
            let reason = "it is still as OpenMSIStream installed it";
            let help = format!("`ManageService {name} reinstall` makes it a service of InstallService");
            return Err(Error::refused(fault(reason).help(help)));
        }
        let is_said = match self.site.manager {
            Manager::Systemd(_) => false,
            Manager::Nssm => request.nssm.contains_key(START),
        };
        if is_said { Err(Error::refused(fault("its `nssm` table says when it starts").given(START))) } else { Ok(()) }
    }

    /// Refuses to enable what no line of its unit starts.
    fn may_be_enabled(&self, at_boot: bool, observed: &Observed) -> Result<(), Error> {
        let units = match self.site.manager {
            Manager::Systemd(_) if at_boot => &self.names[..],
            Manager::Systemd(_) | Manager::Nssm => &[],
        };
        for name in units {
            let contents = |path: &Text| observed.files.get(path).map(|found| &found.contents[..]);
            let file = if self.is_instance(name) { name.template() } else { None };
            let (unit, text) = match contents(&self.site.place.timer(name)) {
                Some(timer) => (name.timer(), timer),
                None => {
                    let file = self.site.place.unit(file.as_ref().unwrap_or(name));
                    (name.unit(), contents(&file).unwrap_or_default())
                }
            };
            let section = InstallSection::read(text, &unit);
            if section.links(&unit).is_empty() && section.also().is_empty() {
                let (reason, help) = if name.is_template() {
                    let help = format!(
                        "`ManageService {name}INSTANCE enable`; or say `--property Install.DefaultInstance=INSTANCE`"
                    );
                    ("it is a template without a default instance: its instances are started at boot, or none", help)
                } else {
                    let of = name.template().filter(|_| self.is_instance(name));
                    let installed = of.as_ref().unwrap_or(name);
                    let help = format!("`InstallService --update --service_name {installed} --boot` writes one");
                    ("its unit has no line that starts it at boot", help)
                };
                let fault = Fault::new(format!("service `{name}`"), reason);
                return Err(Error::refused(fault.help(help)));
            }
        }
        Ok(())
    }

    /// Stops and removes them, but for what `keep` says; with `remove_nssm` also the programs that we put there for
    /// services of NSSM, if no other one uses them.
    ///
    /// # Errors
    /// When something cannot be removed; then all is as it was.
    pub fn remove(&self, keep: Keep, remove_nssm: bool, reporter: Reporter<'_>) -> Result<Removal, Error> {
        let change = Change::begin(&self.names, &self.site.place, reporter)?;
        let error_logs: Vec<Text> =
            self.names.iter().filter_map(|name| self.error_log(name)).filter(files::is_there).collect();
        let mut observed = observe::observe(&self.names, &self.site, &mut Opened::default())?;
        let units = managers::running_units(&self.site, &self.names)?;
        let before = managers::status(&self.site, &units)?;
        let active = units.iter().zip(&before).filter(|(_, status)| status.is_active());
        observed.active = active.map(|(name, _)| name.clone()).collect();
        let at_risk = passwords::at_risk(&[], &observed, &self.names, &Passwords::new());
        at_risk.iter().for_each(|line| reporter(Event::Note(line)));
        let plan = plan::remove(&self.names, &observed, &self.site, keep);
        let done = self.logged("remove", || {
            executor::apply(&plan, &self.site, &change.lock, &mut |progress| reporter(Event::Progress(progress)))?;
            managers::await_gone(&self.site, &self.names)?;
            Ok(self.each(Done::Removed))
        })?;
        managers::killed(&self.site, &units, &before).iter().for_each(|one| reporter(Event::Killed(one)));
        let mut kept: Vec<Kept> = Vec::new();
        for name in &self.names {
            let receipt = Some(self.site.place.receipt(name)).filter(files::is_there);
            kept.extend(receipt.map(|receipt| Kept::Receipt(name.clone(), receipt)));
            kept.extend(self.site.place.secrets_files(name).into_iter().filter(files::is_there).map(Kept::Values));
        }
        let gone = observed.gone_originals;
        let originals = observed.originals.into_iter().filter(|(name, _)| !gone.contains(name));
        for (name, original) in originals {
            let is_registration = original.registration().is_some();
            kept.extend(original.units(&name, &self.site.place).map(|replaced| {
                // One that is overridden lies where it lay.
                let is_kept = replaced.was_in_place() || is_registration;
                let path = if is_kept { replaced.kept } else { replaced.original.path.clone() };
                Kept::Original(name.clone(), path)
            }));
        }
        kept.extend(observed.drop_ins.into_iter().map(Kept::DropIn));
        kept.extend(observed.other_units.into_iter().map(|(name, other)| Kept::OtherUnit(name, other)));
        kept.extend(error_logs.into_iter().map(Kept::ErrorLog));
        kept.extend(self.lingering_for_nothing()?.map(Kept::Lingering));
        let withdrawn = if remove_nssm { self.withdraw_nssm(reporter)? } else { Vec::new() };
        Ok(Removal { done, kept, withdrawn })
    }

    /// Gives adopted services back to what had their names: their units and links as they were, and nothing of ours. What
    /// runs goes on. Gives the services that do.
    ///
    /// # Errors
    /// When one was not adopted, or what it was cannot be given back; then all is as it was.
    pub fn release(&self, reporter: Reporter<'_>) -> Result<(AllDone, Vec<ServiceName>), Error> {
        let change = Change::begin(&self.names, &self.site.place, reporter)?;
        let mut observed = observe::observe(&self.names, &self.site, &mut Opened::default())?;
        match self.site.manager {
            Manager::Systemd(_) => adopt::may_give_back(&self.names, &mut observed, &self.site)?,
            Manager::Nssm => nssm::adopt::may_give_back(&self.names, &observed)?,
        }
        // Asked first: once it is done, nothing is to fail any more.
        let mut active = managers::active(&self.site, &self.names)?;
        // Those that timers start are read anew.
        active.retain(|name| !observed.has_timer(name, &self.site.place));
        let at_risk = passwords::at_release(&self.names, &observed);
        at_risk.iter().for_each(|line| reporter(Event::Note(line)));
        let plan = plan::release(&self.names, &observed, &self.site);
        let done = self.logged("release", || {
            executor::apply(&plan, &self.site, &change.lock, &mut |progress| reporter(Event::Progress(progress)))?;
            Ok(self.each(Done::Released))
        })?;
        Ok((done, active))
    }

    /// The user for whose services lingering is on, if none of ours is left among them.
    fn lingering_for_nothing(&self) -> Result<Option<String>, Error> {
        let user = match self.site.manager {
            Manager::Systemd(Scope::User) => privilege::user_name().filter(|user| systemd::presence::lingers(user)),
            Manager::Systemd(Scope::System) | Manager::Nssm => None,
        };
        if user.is_some() {
            for name in observe::known_services(&self.site.place) {
                if observe::is_installed(&name, &self.site)? {
                    return Ok(None);
                }
            }
        }
        Ok(user)
    }

    /// Takes away the programs that we put there for services of NSSM.
    fn withdraw_nssm(&self, reporter: Reporter<'_>) -> Result<Vec<nssm::Withdrawn>, Error> {
        match self.site.manager {
            Manager::Systemd(_) => {
                reporter(Event::NoNssmHere);
                Ok(Vec::new())
            }
            Manager::Nssm => nssm::withdraw(&self.site.place, &self.names),
        }
    }

    /// Installs again what the receipts say. Stopping and starting are part of the one plan: ended half
    /// way, it leaves a service running if it ran.
    ///
    /// # Errors
    /// When a receipt is gone, or it cannot be done; then all is as it was.
    pub fn reinstall(
        &self,
        options: &InstallOptions,
        Again { import_limit, nssm, account_password_stdin }: Again,
        read: ReadWords<'_>,
        reporter: Reporter<'_>,
    ) -> Result<Outcome, Error> {
        let usual = Settings::reinstall(&self.site.place.state_dir, options);
        let settings = Settings { import_limit, nssm, account_password_stdin, ..usual };
        self.install(settings, read, reporter)
    }

    /// Gives a service another name, as one plan: its arguments, the values of its secrets and whether it is started at
    /// boot stay, and it runs if it ran. Its error log follows once that is done.
    ///
    /// # Errors
    /// When the name is taken, or it cannot be done; then all is as it was.
    pub fn rename(
        &self,
        new: &ServiceName,
        account_password_stdin: bool,
        read: ReadWords<'_>,
        reporter: Reporter<'_>,
    ) -> Result<Outcome, Error> {
        if let Some(name) = self.names.iter().find(|name| name.is_template() != new.is_template() || name.is_template())
        {
            let reason = "what runs of a template has its name, so a template does not get another one";
            let help = format!("install the other one, then `ManageService {name} stop_and_remove`");
            return Err(Error::refused(Fault::new(format!("service `{name}`"), reason).help(help)));
        }
        let taken = observe::known_services(&self.site.place).contains(new);
        let (Some(old), false) = (self.names.first(), taken) else {
            let fault = Fault::new("service name", "there is a service of that name").given(new);
            return Err(Error::refused(fault.help(format!("`ManageService {new} show` shows it"))));
        };
        let catalog = self.catalog()?;
        let status = managers::status(&self.site, &self.names)?;
        let mut requests = self.requests(&catalog, read)?;
        for request in &mut requests {
            request.name = Some(new.to_string());
            // By whatever hand it is not started at boot.
            if status.iter().any(|status| status.enabled == Some(false)) && request.is_enabled_by_a_line() {
                request.at_boot = Some(false);
            }
        }
        let observed = observe::observe(&self.names, &self.site, &mut Opened::default())?;
        for path in &observed.drop_ins {
            let line =
                format!("`{path}` stays, and does not override `{new}`; `systemctl edit {new}` makes one that does");
            reporter(Event::Note(&line));
        }
        let directory = requests.first().and_then(|request| request.working_directory.clone());
        let directory = directory.filter(|_| self.error_log(old).is_some());
        let settings = Settings {
            start: status.iter().any(ServiceStatus::is_active),
            renamed: Some(old.clone()),
            account_password_stdin,
            ..Settings::reinstall(&self.site.place.state_dir, &InstallOptions::default())
        };
        let mut installation = Installation::new(settings, &requests, Vec::new(), &catalog)?;
        let kept = secrets::kept(old, &observed, &self.site.place);
        installation.validated.iter_mut().for_each(|service| service.given_secrets.extend(kept.clone()));
        let outcome = installation.run(reporter)?;
        if let Some(directory) = directory.filter(|_| self.error_log(new).is_some())
            && let Err(error) = follow(&directory, old, new)
        {
            reporter(Event::Note(&error.to_string()));
        }
        Ok(outcome)
    }

    /// Compares what the receipts say with the host.
    ///
    /// # Errors
    /// When a receipt is gone, or something cannot be read.
    pub fn diff(&self, read: ReadWords<'_>, reporter: Reporter<'_>) -> Result<Outcome, Error> {
        self.install(Settings::compare(&self.site.place.state_dir), read, reporter)
    }

    fn install(&self, settings: Settings, read: ReadWords<'_>, reporter: Reporter<'_>) -> Result<Outcome, Error> {
        let catalog = self.catalog()?;
        let requests = self.requests(&catalog, read)?;
        Installation::new(settings, &requests, Vec::new(), &catalog)?.run(reporter)
    }
}

/// Has the error log of a service follow its new name.
fn follow(directory: &Text, old: &ServiceName, new: &ServiceName) -> Result<(), Error> {
    let folder = Folder::open(directory).map_err(|source| Error::io("entering", directory, source))?;
    folder.move_aside(&error_log(old).into(), &error_log(new).into())
}
