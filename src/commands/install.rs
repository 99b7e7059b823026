//! Installing services: requests become specs, specs a plan, and the plan is previewed, exported, compared or
//! applied.

mod applied;
mod compared;
mod exported;
mod notes;
mod outcome;
mod settings;

use std::collections::BTreeMap;

use super::passwords;
use super::secrets::{self, Values};
use super::templates::no_start;
use super::{Event, Reporter};
use crate::catalog::Catalog;
use crate::diagnose::Finding;
use crate::error::{Error, Fault};
use crate::executor::export;
use crate::host::facts::{Before, Elsewhere, Host};
use crate::host::site;
use crate::host::sudo;
use crate::managers::credential::Opened;
use crate::managers::nssm;
use crate::managers::systemd::adopt::Adopting;
use crate::managers::{self, observe};
use crate::manifest::{self, Request};
use crate::model::artifact::Artifact;
use crate::model::invocation::Invocation;
use crate::model::manager::Manager;
use crate::model::name::{EnvName, ServiceName};
use crate::model::observed::Observed;
use crate::model::place::RUNNER;
use crate::model::site::Site;
use crate::model::spec::{Scope, SecretStore};
use crate::model::text::Text;
use crate::plan::{self, Desired, InstallOptions, Registration};
use crate::render;
use crate::render::nssm::Runner;
use crate::validate::{self, Validated};
pub use outcome::{Applied, AppliedChange, AppliedService, Outcome, Preview};
pub use settings::{InstallMode, Layout, Settings};

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
                let export = self.exported(files, directory, *layout, reporter)?;
                export::write(directory, export).map(Outcome::Exported)
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

    /// What would be done on a host that has nothing of what is asked for; what is to go has to be looked for.
    fn preview(&self, files: Vec<Desired>, mut notes: Vec<String>) -> Result<Preview, Error> {
        let in_the_way = if self.is_here() { self.in_the_way()? } else { Vec::new() };
        let is_taken = !in_the_way.is_empty();
        notes.extend(in_the_way);
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
        let (site, starts) = (self.site.clone(), self.settings.start);
        Ok(Preview { plan, site, services, starts, to_install, is_taken, notes })
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
                let (store, systemd) = (service.spec.secrets_in, service.spec.systemd);
                let artifact =
                    render::systemd::environment_file(&files.name, &self.site.place, store, systemd, &values)
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

    /// What may be taken over.
    fn adopting(&self) -> Adopting {
        match self.settings.adopt {
            true => Adopting { names: self.names(), scheduled: self.scheduled() },
            false => Adopting::default(),
        }
    }

    /// The services that timers start.
    fn scheduled(&self) -> Vec<ServiceName> {
        let timed = self.validated.iter().filter(|service| service.spec.timer.is_some());
        timed.map(|service| service.spec.name.clone()).collect()
    }
}

/// The fault of a program that Windows would not start.
fn no_program(Validated { spec, .. }: &Validated) -> Option<Fault> {
    let program = spec.run.program()?;
    let Finding { what, why, cure, .. } = nssm::not_started(program, &spec.name)?;
    Some(Fault::new("executable", format!("{what}; {why}")).help(cure))
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
