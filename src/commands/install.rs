//! Installing services: requests become specs, specs a plan, and the plan is previewed, exported, compared or
//! applied.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use super::change::Change;
use super::drift::{Comparison, Gone};
use super::passwords::{self, Passwords};
use super::receipt::with_error_log;
use super::secrets::{self, Values};
use super::templates::no_start;
use super::{Event, Reporter};
use crate::catalog::Catalog;
use crate::diagnose::Finding;
use crate::error::{Error, Fault};
use crate::executor::export::{self, Written};
use crate::executor::{self, journal};
use crate::host::facts::{Before, Elsewhere, Host};
use crate::host::namesake::{self, Namesake};
use crate::host::sudo::{self, Typed};
use crate::host::{python, site, state};
use crate::managers::credential::Opened;
use crate::managers::nssm::{self, Brought, Need, Wishes};
use crate::managers::systemd::adopt::Adopting;
use crate::managers::systemd::units;
use crate::managers::{self, Purpose, observe, systemd};
use crate::manifest::{self, Manifest, Request};
use crate::model::artifact::Artifact;
use crate::model::facts::{Facts, PathKind};
use crate::model::invocation::Invocation;
use crate::model::manager::Manager;
use crate::model::name::{EnvName, ServiceName};
use crate::model::nssm_release::Release;
use crate::model::nssm_table;
use crate::model::observed::Observed;
use crate::model::original::{Original, OriginalUnit};
use crate::model::place::{RUNNER, error_log_path};
use crate::model::schedule::Schedule;
use crate::model::site::Site;
use crate::model::spec::{Run, Scope, SecretStore, ServiceSpec, Target, Timer};
use crate::model::text::Text;
use crate::model::word::Word;
use crate::plan::{self, Desired, InstallOptions, Plan, Registration};
use crate::render;
use crate::render::ansible::RoleService;
use crate::render::nssm::{NssmService, Runner};
use crate::validate::{self, Validated};

/// What happens with the plan.
#[derive(Debug, PartialEq, Eq)]
pub enum InstallMode {
    /// It is shown.
    DryRun,
    /// Its files are written below a directory.
    Export(Text, Layout),
    /// It is compared with the host.
    Check,
    /// It is applied.
    Install,
}

/// How an export is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// As the files will lie on the host; for NSSM with the batches that put them there.
    #[default]
    Tree,
    /// As a role of Ansible.
    Ansible,
}

impl Word for Layout {
    const WORDS: &'static [(&'static str, Self)] = &[("tree", Self::Tree), ("ansible", Self::Ansible)];
}

/// How requests are carried out.
#[derive(Debug)]
pub struct Settings {
    /// What happens with the plan.
    pub mode: InstallMode,
    /// The service manager.
    pub target: Target,
    /// The tool's own directory, where another than the usual one is asked for.
    pub state_dir: Option<Text>,
    /// Whether what runs is stopped first, and started again if the rest fails.
    pub stop: bool,
    /// Whether services are started.
    pub start: bool,
    /// Whether units that are not ours are taken over, and what runs of them goes on.
    pub adopt: bool,
    /// Whether it is started again instead.
    pub restart_now: bool,
    /// Whether a new version that does not settle stays.
    pub no_rollback: bool,
    /// Whether services of ours that were not asked for are removed.
    pub prune: bool,
    /// The service whose place the one that is asked for takes.
    pub renamed: Option<ServiceName>,
    /// Where NSSM comes from.
    pub nssm: Wishes,
    /// Whether the password of an account of Windows is read from standard input.
    pub account_password_stdin: bool,
    /// Whether a value that is kept on the host counts before one in the environment.
    pub kept_first: bool,
    /// The secrets of which it does not: an update names those that may have a new value.
    pub said_secrets: Vec<String>,
    /// Whether what was installed is compared, and not what is to be.
    pub compares_receipts: bool,
    /// The command line without its secrets, where it held any.
    pub typed: Option<Typed>,
    /// The command line of a dry run as it would be typed to install, without secrets.
    pub to_install: Vec<Text>,
    /// What is worth saying of the command line though it is no fault.
    pub notes: Vec<String>,
    /// How long the import of a Python program may take.
    pub import_limit: Duration,
}

impl Settings {
    /// Installing what a receipt says: nothing is asked that is known already.
    pub fn reinstall(state_dir: &Text, options: &InstallOptions) -> Self {
        Self {
            mode: InstallMode::Install,
            target: managers::of_this_host(),
            state_dir: Some(state_dir.clone()),
            stop: options.stop,
            start: options.start,
            adopt: false,
            restart_now: false,
            no_rollback: options.no_rollback,
            prune: false,
            renamed: None,
            nssm: Wishes::default(),
            account_password_stdin: false,
            kept_first: true,
            said_secrets: Vec::new(),
            compares_receipts: false,
            typed: None,
            to_install: Vec::new(),
            notes: Vec::new(),
            import_limit: python::IMPORT_LIMIT,
        }
    }

    /// Comparing what a receipt says with the host.
    pub fn compare(state_dir: &Text) -> Self {
        Self {
            mode: InstallMode::Check,
            compares_receipts: true,
            ..Self::reinstall(state_dir, &InstallOptions::default())
        }
    }
}

/// What an install knows besides what it is to install.
struct Besides {
    /// Services that are removed.
    surplus: Vec<ServiceName>,
    /// The passwords of accounts.
    passwords: Passwords,
    /// Another run has changed the services since this one began.
    overtaken: bool,
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// What would be done.
    Preview(Preview),
    /// Files were written.
    Exported(Written),
    /// The host was compared.
    Compared {
        /// How it differs.
        comparison: Comparison,
        /// Files that only root could compare.
        unreadable: Vec<Text>,
    },
    /// Nothing had to be done for these services.
    Unchanged(Vec<ServiceName>),
    /// Something was done.
    Applied(Applied),
    /// The command was run again with administrator rights, and ended with this exit code.
    RunAgain(u8),
}

/// What an install would do on a host that has nothing of it yet.
#[derive(Debug)]
pub struct Preview {
    /// The plan.
    pub plan: Plan,
    /// Where it would be applied.
    pub site: Site,
    /// The services.
    pub services: Vec<ServiceSpec>,
    /// Whether they are started.
    pub starts: bool,
    /// What would be typed to install them.
    pub to_install: Invocation,
    /// What is worth saying though it is no fault.
    pub notes: Vec<String>,
}

/// What an install has done.
#[derive(Debug)]
pub struct Applied {
    /// Where.
    pub site: Site,
    /// Services that were stopped first.
    pub stopped: Vec<ServiceName>,
    /// The services that were asked for.
    pub services: Vec<AppliedService>,
    /// Services that were removed.
    pub removed: Vec<ServiceName>,
}

/// What an install has done to one service.
#[derive(Debug)]
pub struct AppliedService {
    /// Its name.
    pub name: ServiceName,
    /// What was done to it.
    pub change: AppliedChange,
    /// Whether it was started, or started again.
    pub started: bool,
    /// Whether it ran before, and was not stopped.
    pub was_active: bool,
    /// Whether a timer starts it.
    pub has_timer: bool,
    /// Whether one did before.
    pub had_timer: bool,
}

/// What an install has done to one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppliedChange {
    /// It was as it should be.
    Unchanged,
    /// It was there, and has changed.
    Updated,
    /// It is new.
    Installed,
    /// It has taken over a unit that is not ours.
    Adopted,
}

/// Requests, validated, and how they are carried out.
#[derive(Debug)]
pub struct Installation {
    pub(super) settings: Settings,
    pub(super) site: Site,
    pub(super) validated: Vec<Validated>,
    /// Whether services of NSSM can have RunService, where this host is meant: a batch finds out itself.
    has_runner: Option<bool>,
}

impl Installation {
    /// Every fault of all requests, or what can be carried out.
    ///
    /// # Errors
    /// [`Error::Refused`] with all faults, those in `faults` first.
    pub fn new(
        settings: Settings,
        requests: &[Request],
        mut faults: Vec<Fault>,
        catalog: &Catalog,
    ) -> Result<Self, Error> {
        let Settings { mode, target, .. } = &settings;
        let target = *target;
        let scope = if requests.iter().any(|request| request.user == Some(true)) { Scope::User } else { Scope::System };
        for request in requests.iter().filter(|request| (request.user == Some(true)) != (scope == Scope::User)) {
            let name = request.name.clone().unwrap_or_default();
            faults.push(Fault::new(
                format!("service `{name}`"),
                "services of the machine and of a user cannot be installed in one run",
            ));
        }
        let is_export = matches!(mode, InstallMode::Export(..));
        let site_of = if is_export { site::exported } else { site::here };
        let site = site_of(target, scope, settings.state_dir.as_ref());
        if is_export && scope == Scope::User {
            faults.extend(for_no_home(&settings, requests));
        }
        let is_elsewhere = is_export || target != managers::of_this_host();
        let (host, before) = (Host::default(), Before::default());
        let mut validated = Vec::new();
        for request in requests {
            let state_dir = &site.place.state_dir;
            let result = match is_elsewhere {
                true => validate::validate(request, catalog, &Elsewhere, target, state_dir),
                false if settings.compares_receipts => validate::validate(request, catalog, &before, target, state_dir),
                false => validate::validate(request, catalog, &host, target, state_dir),
            };
            match result {
                Ok(service) => validated.push(service),
                Err(found) if requests.len() > 1 => {
                    let name = called(request);
                    faults.extend(found.into_iter().map(|fault| fault.of_service(&name)));
                }
                Err(found) => faults.extend(found),
            }
        }
        let mut names = BTreeMap::new();
        for service in &validated {
            let name = &service.spec.name;
            if let Some(other) = names.insert(target.platform().distinct(name.as_str()), name) {
                let reason = match other == name {
                    true => "two services of one run must not have the same name".to_owned(),
                    false => format!("Windows takes `{other}` and `{name}` for one name"),
                };
                faults.push(Fault::new("service name", reason).given(name));
            }
        }
        let is_encrypted = |service: &Validated| service.spec.secrets_in == SecretStore::EncryptedCredential;
        if matches!(mode, InstallMode::Export(_, Layout::Ansible)) && validated.iter().any(is_encrypted) {
            let fault =
                Fault::new("option `--secrets`", "a role of Ansible does not encrypt: that is done on each host");
            faults.push(
                fault.given("credentials").help(
                    "`--assume systemd=249` hands them over as credentials all the same, from a file of mode 0600",
                ),
            );
        }
        if !is_elsewhere && *mode != InstallMode::Check {
            faults.extend(validated.iter().filter_map(no_program));
        }
        if settings.account_password_stdin {
            faults.extend(passwords::not_one_account(&validated, target));
        }
        let at_once = settings.start || settings.stop;
        let templates = validated.iter().map(|service| &service.spec.name).filter(|name| name.is_template() && at_once);
        faults.extend(templates.map(no_start));
        let has_runner = match site.manager {
            Manager::Nssm if !is_elsewhere => Some(nssm::has_runner(&site.place)),
            Manager::Nssm | Manager::Systemd(_) => None,
        };
        match faults.is_empty() {
            true => Ok(Self { settings, site, validated, has_runner }),
            false => Err(Error::Refused(faults)),
        }
    }

    /// Previews, exports, compares or installs.
    ///
    /// # Errors
    /// When it cannot be done; then nothing has changed, or what was done is taken back.
    pub fn run(self, reporter: Reporter<'_>) -> Result<Outcome, Error> {
        let files = self.rendered()?;
        let notes = self.notes(&files);
        // What was compared was told when it was installed; a preview holds its own.
        if self.settings.mode != InstallMode::DryRun && !self.settings.compares_receipts {
            notes.iter().filter(|line| !sudo::was_noted(line)).for_each(|line| reporter(Event::Note(line)));
        }
        match &self.settings.mode {
            InstallMode::DryRun => self.preview(files, notes).map(Outcome::Preview),
            InstallMode::Export(directory, layout) => {
                let files = self.exported(files, directory, *layout, reporter)?;
                export::write(directory, files).map(Outcome::Exported)
            }
            InstallMode::Check => self.check(files, reporter),
            InstallMode::Install => self.install(files, notes, reporter),
        }
    }

    /// Whether the services are for this host, and from now on.
    fn is_here(&self) -> bool {
        let is_export = matches!(self.settings.mode, InstallMode::Export(..));
        !is_export && self.settings.target == managers::of_this_host() && !self.settings.compares_receipts
    }

    /// What is worth saying of the services though it is no fault.
    fn notes(&self, files: &[Desired]) -> Vec<String> {
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

    /// What would be done on a host that has nothing of what is asked for; what is to go has to be looked for.
    fn preview(&self, files: Vec<Desired>, mut notes: Vec<String>) -> Result<Preview, Error> {
        if self.is_here() {
            notes.extend(self.in_the_way()?);
        }
        let desired = self.with_environment(files, secrets::hidden)?;
        let surplus = self.surplus()?;
        let observed = if surplus.is_empty() {
            observe::nothing(self.site.manager)
        } else {
            observe::observe(&surplus, &self.site, &mut Opened::default())?
        };
        let options = InstallOptions { start: self.settings.start, remove: surplus, ..Default::default() };
        let plan = plan::install(&desired, &observed, &self.site, &options);
        let services = self.validated.iter().map(|service| service.spec.clone()).collect();
        let to_install = Invocation(self.settings.to_install.clone());
        Ok(Preview { plan, site: self.site.clone(), services, starts: self.settings.start, to_install, notes })
    }

    /// Says which names are taken here, so that an install would be refused.
    ///
    /// # Errors
    /// Where a schedule has the name of a timer that is not ours.
    fn in_the_way(&self) -> Result<Vec<String>, Error> {
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

    /// The services that are to be removed.
    fn surplus(&self) -> Result<Vec<ServiceName>, Error> {
        if !self.settings.prune {
            return Ok(self.settings.renamed.iter().cloned().collect());
        }
        observe::surplus(&self.names(), &self.site)
    }

    fn names(&self) -> Vec<ServiceName> {
        self.validated.iter().map(|service| service.spec.name.clone()).collect()
    }

    /// Every file but the environment files, whose values are not known yet.
    fn rendered(&self) -> Result<Vec<Desired>, Error> {
        let mut desired = Vec::new();
        let mut faults = Vec::new();
        let place = &self.site.place;
        for Validated { spec, request, .. } in &self.validated {
            let made = match self.site.manager {
                Manager::Systemd(_) => render::systemd::artifacts(spec, place)
                    .map(|files| (files, Registration::Unit { at_boot: spec.at_boot })),
                Manager::Nssm => render::nssm::service(spec, place).map(|service| {
                    let service = if self.has_runner == Some(true) { service.with_runner() } else { service };
                    (render::nssm::artifacts(spec, place), Registration::Nssm(Box::new(service)))
                }),
            };
            match made {
                Ok((mut artifacts, registration)) => {
                    faults.extend(self.without_runner(&registration, &spec.name));
                    artifacts.push(Artifact::plain(place.receipt(&spec.name), manifest::receipt(request).into_bytes()));
                    desired.push(Desired { name: spec.name.clone(), artifacts, registration });
                }
                Err(refusals) if self.validated.len() > 1 => {
                    faults.extend(of_refusals(refusals).map(|fault| fault.of_service(spec.name.as_str())));
                }
                Err(refusals) => faults.extend(of_refusals(refusals)),
            }
        }
        if faults.is_empty() { Ok(desired) } else { Err(Error::Refused(faults)) }
    }

    /// The fault of a service that needs RunService, where there is none. What was installed is compared all the same.
    fn without_runner(&self, registration: &Registration, name: &ServiceName) -> Option<Fault> {
        let Runner::Needed(need) = registration.nssm()?.runner else { return None };
        if self.has_runner != Some(false) || self.settings.mode == InstallMode::Check {
            return None;
        }
        let at = self.site.place.runner();
        let reason = format!("needs {RUNNER} for {need}, which is neither beside this program nor at `{at}`");
        let fault = Fault::new(format!("service `{name}`"), reason);
        Some(fault.help(format!("put the `{RUNNER}` of this release beside `InstallService.exe`, and install again")))
    }

    /// Adds to each service its environment file, where it has values for one.
    fn with_environment(
        &self,
        mut desired: Vec<Desired>,
        values: impl Fn(&Validated) -> Values,
    ) -> Result<Vec<Desired>, Error> {
        for (files, service) in desired.iter_mut().zip(&self.validated) {
            if service.spec.secrets.is_empty() {
                continue;
            }
            let values: Vec<(EnvName, Text)> = values(service).into_iter().collect();
            if !values.is_empty() {
                let store = service.spec.secrets_in;
                let artifact = render::systemd::environment_file(&files.name, &self.site.place, store, &values)
                    .map_err(|refusals| Error::Refused(of_refusals(refusals).collect()))?;
                files.artifacts.push(artifact);
            }
        }
        Ok(desired)
    }

    /// The values of a service that need not be asked for.
    fn known_values(&self, service: &Validated, observed: &Observed, kept_first: bool) -> Values {
        let kept = secrets::kept(&service.spec.name, observed, &self.site.place);
        let is_said = |name: &EnvName| self.settings.said_secrets.iter().any(|said| said == name.as_str());
        secrets::known(service, &kept, |name| kept_first && !is_said(name))
    }

    /// The files of an export: as they will lie on the host, and for NSSM the batches that put them
    /// there. An environment file is not among them, a list of its names is.
    fn exported(
        &self,
        desired: Vec<Desired>,
        directory: &Text,
        layout: Layout,
        reporter: Reporter<'_>,
    ) -> Result<Vec<Artifact>, Error> {
        let place = &self.site.place;
        let below = match layout {
            Layout::Tree => "",
            Layout::Ansible => "files/",
        };
        let Brought { files: programs, executables, notes } = self.brought(&desired, directory, below, reporter)?;
        notes.iter().for_each(|line| reporter(Event::Note(line)));
        let (mut files, mut services, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for (Desired { name, artifacts, registration }, Validated { spec, .. }) in
            desired.into_iter().zip(&self.validated)
        {
            let has_secrets = !spec.secrets.is_empty();
            // A role says in its variables which secrets there are.
            let example = (has_secrets && layout == Layout::Tree)
                .then(|| render::example::artifact(&name, &spec.secrets, spec.secrets_in, place));
            let mut batches = Vec::new();
            if let Some(service) = registration.nssm() {
                let values = has_secrets.then(|| place.environment_file(&name));
                match render::nssm::batches(service, &artifacts, values.as_ref(), &executables, place) {
                    Ok(found) => {
                        if let Some(reason) = found.without_runner {
                            reporter(Event::Note(&format!("`{name}`: the batch will leave no error log: {reason}")));
                        }
                        batches.extend(found.files);
                    }
                    Err(refusals) => faults.extend(of_refusals(refusals)),
                }
            }
            match layout {
                Layout::Ansible => {
                    match self.site.manager {
                        Manager::Systemd(_) => {}
                        Manager::Nssm => batches.extend(artifacts.iter().cloned().map(render::nssm::beside)),
                    }
                    services.push(RoleService {
                        name,
                        files: artifacts,
                        batches,
                        secrets: spec.secrets.clone(),
                        at_boot: spec.at_boot,
                        systemd: spec.systemd,
                    });
                }
                Layout::Tree => match self.site.manager {
                    Manager::Systemd(_) => files.extend(artifacts.into_iter().chain(example)),
                    Manager::Nssm => {
                        files.extend(batches);
                        files.extend(artifacts.into_iter().chain(example).map(render::nssm::beside));
                    }
                },
            }
        }
        if layout == Layout::Ansible {
            match render::ansible::role(services, place, self.site.target()) {
                Ok(role) => files = role,
                Err(refusals) => faults.extend(of_refusals(refusals)),
            }
        }
        files.extend(
            programs.into_iter().map(|program| Artifact { path: format!("{below}{}", program.path).into(), ..program }),
        );
        let manifest = manifest::document(self.validated.iter().map(|service| &service.request));
        files.push(Artifact::plain(export::MANIFEST.into(), manifest.into_bytes()));
        if faults.is_empty() { Ok(files) } else { Err(Error::Refused(faults)) }
    }

    /// The programs that lie beside the files of an export, whose own are in the folder `below` its directory.
    fn brought(
        &self,
        desired: &[Desired],
        directory: &Text,
        below: &str,
        reporter: Reporter<'_>,
    ) -> Result<Brought, Error> {
        match self.site.manager {
            Manager::Systemd(_) => Ok(Brought::default()),
            Manager::Nssm => {
                let there = directory.with("/").with(below);
                let tell = &mut |supply: nssm::Supply<'_>| reporter(Event::Supply(supply));
                nssm::bring(&self.settings.nssm, need(desired).as_ref(), has_programs(desired), &there, tell)
            }
        }
    }

    fn check(&self, files: Vec<Desired>, reporter: Reporter<'_>) -> Result<Outcome, Error> {
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

    /// What may be taken over.
    fn adopting(&self) -> Adopting {
        match self.settings.adopt {
            true => Adopting { names: self.names(), scheduled: self.scheduled() },
            false => Adopting::default(),
        }
    }

    /// Tells which services go without the profile of hardening that their units have, though nobody has said so.
    fn tell_lost_profiles(&self, observed: &Observed, reporter: Reporter<'_>) {
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

    /// `notes` have been told.
    fn install(&self, files: Vec<Desired>, notes: Vec<String>, reporter: Reporter<'_>) -> Result<Outcome, Error> {
        managers::need(self.site.manager, Purpose::Install)?;
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

    /// The services that timers start.
    fn scheduled(&self) -> Vec<ServiceName> {
        let timed = self.validated.iter().filter(|service| service.spec.timer.is_some());
        timed.map(|service| service.spec.name.clone()).collect()
    }

    /// Refuses a schedule where a timer of that name is not ours.
    fn not_foreign_timers(&self, observed: &Observed) -> Result<(), Error> {
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

/// The fault of a program that Windows would not start.
fn no_program(Validated { spec, .. }: &Validated) -> Option<Fault> {
    let program = spec.run.program()?;
    let Finding { what, why, cure, .. } = nssm::not_started(program, &spec.name)?;
    Some(Fault::new("executable", format!("{what}; {why}")).help(cure))
}

/// Whether RunService can stand between NSSM and the program of any of these services.
fn has_programs(desired: &[Desired]) -> bool {
    let has_runner = |service: &Desired| {
        let runner = service.registration.nssm().map(|service| &service.runner);
        matches!(runner, Some(Runner::Possible(_) | Runner::Needed(_)))
    };
    desired.iter().any(has_runner)
}

/// What these services need of NSSM, where an older release does not have it.
fn need(desired: &[Desired]) -> Option<Need> {
    let services = desired.iter().filter_map(|service| service.registration.nssm());
    let of = |service: &NssmService| {
        let parameter =
            service.parameters.iter().find(|parameter| nssm_table::since(&parameter.name) > Release::V2_24)?;
        let what = format!("`{}` of the service `{}`", parameter.name, service.name);
        Some(Need { release: nssm_table::since(&parameter.name), what })
    };
    services.filter_map(of).next()
}

fn tell_others(observed: &Observed, reporter: Reporter<'_>) {
    observed.other_units.iter().for_each(|(name, other)| reporter(Event::OtherUnit(name, other)));
    let units =
        observed.adopted.values().flat_map(|original| std::iter::once(&original.service).chain(&original.timer));
    for OriginalUnit { path, .. } in units.filter(|unit| unit.is_private()) {
        let line = format!("`{path}` is not for everybody to read, and ours is: `--env NAME` keeps a value out of it");
        reporter(Event::Note(&line));
    }
}

fn tell_lost(observed: &Observed, reporter: Reporter<'_>) {
    observed.lost.iter().for_each(|(path, reason)| reporter(Event::Lost { path, reason }));
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

/// What cannot be rendered, as faults of the request.
fn of_refusals(refusals: Vec<render::Refusal>) -> impl Iterator<Item = Fault> {
    refusals.into_iter().map(|refusal| Fault::new(refusal.what, refusal.fault.to_string()))
}

/// What a tree for any home directory cannot say.
fn for_no_home(settings: &Settings, requests: &[Request]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(state_dir) = &settings.state_dir {
        let fault =
            Fault::new("option `--state-dir`", "the files of a user's services are written for any home directory");
        faults.push(fault.given(state_dir).help("without it they lie where `ManageService` looks for them there"));
    }
    // A plain one runs where its unit says, or systemd.
    if requests.iter().any(|request| request.working_directory.is_none() && request.plain != Some(true)) {
        let reason = "nothing says where a service of any user is to run";
        faults.push(
            Fault::new("option `--working-directory`", reason).help("`--working-directory DIR` names a directory"),
        );
    }
    faults
}

/// What a request is called before it has a name of its own.
fn called(request: &Request) -> String {
    let executable = request.executable.as_ref().map(Text::to_string);
    [&request.name, &request.program, &request.python, &executable]
        .into_iter()
        .flatten()
        .next()
        .cloned()
        .unwrap_or_else(|| "?".to_owned())
}
