//! A call of the library: requests become specs, specs a plan, and the plan is previewed, exported,
//! compared or applied.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::comparison::{Comparison, Gone};
use super::secrets::{self, Values, known_values};
use super::{Format, compared, need_manager, note, preview, print, print_plain, say};
use crate::catalog::Catalog;
use crate::error::{Error, Fault, exit};
use crate::executor::export;
use crate::executor::{self, journal};
use crate::host::facts::{self, Before, Elsewhere, Host};
use crate::host::{files, privilege, python, state};
use crate::managers::nssm::{self, Wishes};
use crate::managers::{self, observe, systemd};
use crate::manifest::{self, Service};
use crate::model::artifact::Artifact;
use crate::model::facts::{Facts, PathKind};
use crate::model::invocation::Invocation;
use crate::model::manager::Manager;
use crate::model::name::{EnvName, ServiceName};
use crate::model::observed::Observed;
use crate::model::place::{self, Place, RUNNER};
use crate::model::spec::{Run, Scope, SecretStore, Target};
use crate::model::text::Text;
use crate::plan::{self, Desired, InstallOptions, Plan};
use crate::render;
use crate::render::ansible::RoleService;
use crate::render::nssm::Runner;
use crate::validate::{self, Validated};

/// What happens with the plan.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mode {
    DryRun,
    Export(Text, Layout),
    Check,
    Install,
}

/// How an export is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// As the files will lie on the host; for NSSM with the batches that put them there.
    Tree,
    /// As a role of Ansible.
    Ansible,
}

/// How requests are carried out.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) mode: Mode,
    pub(super) format: Format,
    pub(super) target: Target,
    pub(super) state_dir: Option<Text>,
    /// Whether what runs is stopped first, and started again if the rest fails.
    pub(super) stop: bool,
    pub(super) start: bool,
    /// Whether a new version that does not settle stays.
    pub(super) no_rollback: bool,
    /// Whether services of ours that were not asked for are removed.
    pub(super) prune: bool,
    pub(super) nssm: Wishes,
    /// Whether a value that is kept on the host counts before one in the environment.
    pub(super) kept_first: bool,
}

impl Settings {
    /// Installing what a receipt says: nothing is asked that is known already.
    pub(super) fn reinstall(state_dir: &Text, options: InstallOptions) -> Self {
        Self {
            mode: Mode::Install,
            format: Format::Text,
            target: facts::target_of_this_host(),
            state_dir: Some(state_dir.clone()),
            stop: options.stop,
            start: options.start,
            no_rollback: options.no_rollback,
            prune: false,
            nssm: Wishes::default(),
            kept_first: true,
        }
    }

    /// Comparing what a receipt says with the host.
    pub(super) fn compare(state_dir: &Text, format: Format) -> Self {
        Self { mode: Mode::Check, format, ..Self::reinstall(state_dir, InstallOptions::default()) }
    }

    /// Whether what was installed is compared, and not what is to be.
    fn compares_receipts(&self) -> bool {
        self.mode == Mode::Check && self.kept_first
    }
}

/// Requests, validated, and how they are carried out.
#[derive(Debug)]
pub(super) struct Call {
    settings: Settings,
    manager: Manager,
    place: Place,
    validated: Vec<Validated>,
    /// Whether services of NSSM can have RunService, where this host is meant: a batch finds out itself.
    has_runner: Option<bool>,
}

impl Call {
    /// Every fault of all requests, or a call that can be carried out.
    pub(super) fn new(
        settings: Settings,
        requests: &[Service],
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
        let is_export = matches!(mode, Mode::Export(..));
        let place_of = if is_export { facts::exported_place } else { facts::place };
        let place = place_of(target, scope, settings.state_dir.as_ref());
        if is_export && scope == Scope::User {
            faults.extend(for_no_home(&settings, requests));
        }
        let elsewhere = is_export || target != facts::target_of_this_host();
        let mut validated = Vec::new();
        for request in requests {
            let result = match elsewhere {
                true => validate::validate(request, catalog, &Elsewhere, target, &place.state_dir),
                false if settings.compares_receipts() => {
                    validate::validate(request, catalog, &Before, target, &place.state_dir)
                }
                false => validate::validate(request, catalog, &Host, target, &place.state_dir),
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
        let mut names = BTreeSet::new();
        for service in &validated {
            if !names.insert(&service.spec.name) {
                let fault = Fault::new("service name", "two services of one run cannot share it");
                faults.push(fault.given(&service.spec.name));
            }
        }
        let is_encrypted = |service: &Validated| service.spec.secrets_in == SecretStore::EncryptedCredential;
        if matches!(mode, Mode::Export(_, Layout::Ansible)) && validated.iter().any(is_encrypted) {
            let fault =
                Fault::new("option `--secrets`", "a role of Ansible does not encrypt: that is done on each host");
            faults.push(
                fault.given("credentials").help(
                    "`--assume systemd=249` hands them over as credentials all the same, from a file of mode 0600",
                ),
            );
        }
        let manager = match target {
            Target::Systemd => Manager::Systemd(scope),
            Target::Nssm => Manager::Nssm(place.nssm()),
        };
        let has_runner = (target == Target::Nssm && !elsewhere).then(|| nssm::has_runner(&place));
        match faults.is_empty() {
            true => Ok(Self { settings, manager, place, validated, has_runner }),
            false => Err(Error::Refused(faults)),
        }
    }

    /// Previews, exports, compares or installs.
    pub(super) fn run(self) -> Result<u8, Error> {
        let mut notes: Vec<String> = self
            .validated
            .iter()
            .flat_map(|service| {
                let left_out = match self.settings.target {
                    Target::Systemd => render::systemd::left_out(&service.spec),
                    Target::Nssm => Vec::new(),
                };
                service.notes.iter().cloned().chain(left_out).map(|line| format!("`{}`: {line}", service.spec.name))
            })
            .collect();
        let files = self.rendered()?;
        notes.extend(files.iter().filter_map(|service| self.without_error_log(service)));
        let in_json = self.settings.mode == Mode::DryRun && self.settings.format == Format::Json;
        // They were told when it was installed.
        if !in_json && !self.settings.compares_receipts() {
            notes.iter().for_each(|line| note(line));
        }
        match &self.settings.mode {
            Mode::DryRun => {
                let desired = self.with_environment(files, |service, _| secrets::hidden_values(service))?;
                // For a host that has nothing of what is asked for; what is to go has to be looked for.
                let surplus = self.surplus()?;
                let observed = if surplus.is_empty() {
                    observe::nothing(&self.manager)
                } else {
                    observe::observe(&surplus, &self.place, &self.manager)?
                };
                let options = InstallOptions { start: self.settings.start, remove: surplus, ..Default::default() };
                let plan = plan::install(&desired, &observed, &self.place, &self.manager, &options);
                let names: Vec<String> = desired.iter().map(|service| service.name.to_string()).collect();
                match self.settings.format {
                    Format::Json => print_plain(&preview::json(&plan, &names, self.settings.target, &notes)),
                    Format::Text => print(&preview::text(&plan)),
                }
                Ok(exit::OK)
            }
            Mode::Export(directory, layout) => {
                let written = export::write(directory, self.exported(files, *layout)?)?;
                for path in &written.kept {
                    note(&format!(
                        "`{path}` is no longer wanted, but it was changed after it was written, so it stays"
                    ));
                }
                print(&written.files.iter().map(|path| format!("{path}\n")).collect::<String>());
                Ok(exit::OK)
            }
            Mode::Check => self.check(files),
            Mode::Install => self.install(files),
        }
    }

    /// Says where a service leaves no error log behind, and why.
    fn without_error_log(&self, service: &Desired) -> Option<String> {
        let said = |reason: &str| format!("`{}`: it leaves no error log behind: {reason}", service.name);
        match (&service.registration.as_ref()?.runner, self.has_runner) {
            (Runner::Impossible(reason), _) => Some(said(reason)),
            (Runner::Possible(_), Some(false)) => Some(said(&format!(
                "{RUNNER} is neither beside this program nor at `{}`; put it there and install again",
                self.place.runner()
            ))),
            _ => None,
        }
    }

    /// The services that are to be removed.
    fn surplus(&self) -> Result<Vec<ServiceName>, Error> {
        if !self.settings.prune {
            return Ok(Vec::new());
        }
        observe::surplus(&self.names(), &self.place, &self.manager)
    }

    fn names(&self) -> Vec<ServiceName> {
        self.validated.iter().map(|service| service.spec.name.clone()).collect()
    }

    /// Every file but the environment files, whose values are not known yet.
    fn rendered(&self) -> Result<Vec<Desired>, Error> {
        let mut desired = Vec::new();
        let mut faults = Vec::new();
        for Validated { spec, request, .. } in &self.validated {
            let made = match &self.manager {
                Manager::Systemd(_) => render::systemd::artifacts(spec, &self.place).map(|files| (files, None)),
                Manager::Nssm(_) => render::nssm::service(spec, &self.place).map(|service| {
                    let service = if self.has_runner == Some(true) { service.with_runner() } else { service };
                    (render::nssm::artifacts(spec, &self.place), Some(service))
                }),
            };
            match made {
                Ok((mut artifacts, registration)) => {
                    artifacts.push(Artifact {
                        path: self.place.receipt(&spec.name),
                        mode: 0o644,
                        contents: manifest::receipt(request).into_bytes().into(),
                    });
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

    /// Adds to each service its environment file, where it needs one. `values` is given the service and
    /// the values that are kept on the host already.
    fn with_environment(
        &self,
        mut desired: Vec<Desired>,
        values: impl Fn(&Validated, &Values) -> Values,
    ) -> Result<Vec<Desired>, Error> {
        for (files, service) in desired.iter_mut().zip(&self.validated) {
            if service.spec.secrets.is_empty() {
                continue;
            }
            let kept = secrets::kept_values(&files.name, &self.place);
            let values: Vec<(EnvName, Text)> = values(service, &kept).into_iter().collect();
            if !values.is_empty() {
                let artifact =
                    render::systemd::environment_file(&files.name, &self.place, service.spec.secrets_in, &values)
                        .map_err(|refusals| Error::Refused(of_refusals(refusals).collect()))?;
                files.artifacts.push(artifact);
            }
        }
        Ok(desired)
    }

    /// The files of an export: as they will lie on the host, and for NSSM the batches that put them
    /// there. An environment file is not among them, a list of its names is.
    fn exported(&self, desired: Vec<Desired>, layout: Layout) -> Result<Vec<Artifact>, Error> {
        let target = self.settings.target;
        let (mut files, mut services, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for (Desired { name, artifacts, registration }, Validated { spec, .. }) in
            desired.into_iter().zip(&self.validated)
        {
            let has_secrets = !spec.secrets.is_empty();
            // A role says in its variables which secrets there are.
            let example = (has_secrets && layout == Layout::Tree).then(|| {
                let path = self.place.secrets_file(&name, spec.secrets_in);
                let shown = self.place.below_home(&path).map_or_else(|| path.to_string(), |rest| format!("~{rest}"));
                export::example(&name, &spec.secrets, &path, &shown)
            });
            let mut batches = Vec::new();
            if let Some(service) = registration {
                let values = has_secrets.then(|| self.place.environment_file(&name));
                match render::nssm::batches(&service, &artifacts, values.as_ref(), &self.place) {
                    Ok(found) => {
                        if let Some(reason) = found.without_runner {
                            note(&format!("`{name}`: the batch leaves no error log behind: {reason}"));
                        }
                        batches.extend(found.files);
                    }
                    Err(refusals) => faults.extend(of_refusals(refusals)),
                }
            }
            match (layout, target) {
                (Layout::Ansible, _) => {
                    batches.extend(artifacts.iter().filter(|_| target == Target::Nssm).cloned().map(export::beside));
                    services.push(RoleService {
                        name,
                        files: artifacts,
                        batches,
                        secrets: spec.secrets.clone(),
                        systemd: spec.systemd,
                    });
                }
                (Layout::Tree, Target::Nssm) => {
                    files.extend(batches);
                    files.extend(artifacts.into_iter().chain(example).map(export::beside));
                }
                (Layout::Tree, Target::Systemd) => files.extend(artifacts.into_iter().chain(example)),
            }
        }
        if layout == Layout::Ansible {
            match render::ansible::role(services, &self.place, target) {
                Ok(role) => files = role,
                Err(refusals) => faults.extend(of_refusals(refusals)),
            }
        }
        let manifest = manifest::document(self.validated.iter().map(|service| &service.request));
        files.push(Artifact { path: export::MANIFEST.into(), mode: 0o644, contents: manifest.into_bytes().into() });
        if faults.is_empty() { Ok(files) } else { Err(Error::Refused(faults)) }
    }

    fn check(&self, files: Vec<Desired>) -> Result<u8, Error> {
        if journal::is_there(&self.place) {
            note("a run is at work, or was ended half way; the next one that changes anything takes it back");
        }
        secrets::tell_lost(&self.validated, &self.place);
        let observed = observe::observe(&self.names(), &self.place, &self.manager)?;
        let desired = self.with_environment(files, |service, kept| known_values(service, kept, true))?;
        let comparison = Comparison::new(&desired, &observed, &self.place, &self.surplus()?).with_gone(self.gone());
        match self.settings.format {
            Format::Json => print_plain(&comparison.json()),
            Format::Text => {
                print(&comparison.text());
                if comparison.is_same() {
                    say("the host is as it should be");
                }
            }
        }
        for path in &observed.unreadable {
            note(&format!("only root can compare `{path}`"));
        }
        Ok(compared(comparison.is_same()))
    }

    /// What services need that is no longer there.
    fn gone(&self) -> Vec<Gone> {
        let mut gone = Vec::new();
        for Validated { spec, .. } in &self.validated {
            let mut add = |what: &'static str, name: &Text| {
                gone.push(Gone { service: spec.name.to_string(), what, name: name.clone() });
            };
            for (what, path) in [("working directory", &spec.working_directory), ("program", spec.run.program())] {
                if Host.path_kind(path) == Some(PathKind::Missing) {
                    add(what, path);
                }
            }
            if let Some(account) = spec.account.as_deref().filter(|account| Host.account_exists(account) == Some(false))
            {
                add("account", &account.into());
            }
        }
        gone
    }

    fn install(&self, files: Vec<Desired>) -> Result<u8, Error> {
        need_manager(&self.manager)?;
        if !facts::may_change(self.manager.scope()) {
            let variables: Vec<EnvName> =
                self.validated.iter().flat_map(|service| service.spec.secrets.iter().cloned()).collect();
            let secrets: Vec<(EnvName, Text)> = self
                .validated
                .iter()
                .flat_map(|service| service.given_secrets.iter().map(|(name, value)| (name.clone(), value.clone())))
                .collect();
            return privilege::run_again(&variables, &secrets);
        }
        secrets::tell_lost(&self.validated, &self.place);
        let missing = secrets::missing_values(&self.validated, &self.place)?;
        // What this run takes the host for: it may have to ask, and to wait for another run. Nobody is asked
        // for a password only to be told that the name is taken.
        let mut seen = match observe::observe(&self.names(), &self.place, &self.manager) {
            Err(error) if !missing.is_empty() => return Err(error),
            seen => seen.ok(),
        };
        seen.iter_mut().for_each(|seen| plan::share_contents(&files, seen));
        let asked = secrets::ask_for(&missing)?;
        let change = super::begin_change(&self.place)?;
        let mut observed = observe::observe(&self.names(), &self.place, &self.manager)?;
        let overtaken = seen.is_some_and(|seen| !change.recovered && !seen.is_same(&observed));
        let surplus = self.surplus()?;
        if !surplus.is_empty() {
            let known = [self.names(), surplus.clone()].concat();
            observed = observe::observe(&known, &self.place, &self.manager)?;
        }
        let desired = self.with_environment(files, |service, kept| {
            let mut values = known_values(service, kept, self.settings.kept_first);
            for variable in &service.spec.secrets {
                if let Some(value) = asked.get(variable) {
                    values.insert(variable.clone(), value.clone());
                }
            }
            values
        })?;
        self.apply(&desired, observed, surplus, overtaken)
    }

    /// Applies what differs. `overtaken`: another run has changed the services since this one began.
    fn apply(
        &self,
        desired: &[Desired],
        mut observed: Observed,
        surplus: Vec<ServiceName>,
        overtaken: bool,
    ) -> Result<u8, Error> {
        let what = |names: &[ServiceName]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let names = self.names();
        if let Manager::Nssm(_) = self.manager {
            nssm::provide(&self.settings.nssm, &self.place)?;
            let has_runner = |service: &Desired| {
                service.registration.as_ref().is_some_and(|service| matches!(service.runner, Runner::Possible(_)))
            };
            if desired.iter().any(has_runner) {
                nssm::provide_runner(&self.place)?;
            }
        }
        let updates: Vec<ServiceName> = names
            .iter()
            .filter(|name| plan::is_installed(&observed, name, &self.place, &self.manager))
            .cloned()
            .collect();
        let present = [updates.as_slice(), surplus.as_slice()].concat();
        let mut options = InstallOptions { remove: surplus.clone(), ..Default::default() };
        let mut plan = plan::install(desired, &observed, &self.place, &self.manager, &options);
        // Whether services run is asked only where it makes a difference: it takes a while to say of many.
        if self.settings.start || self.settings.stop || !plan.is_empty() {
            if !present.is_empty() {
                observed.active = managers::active(&self.manager, &present)?;
            }
            let Settings { stop, start, no_rollback, .. } = self.settings;
            options = InstallOptions { stop, start, no_rollback, ..options };
            plan = plan::install(desired, &observed, &self.place, &self.manager, &options);
        }
        if plan.is_empty() {
            if self.settings.start {
                // It runs, or seems to: one that dies again and again does so between two deaths.
                managers::settle(&self.manager, &names).map_err(|error| with_error_log(error, &self.validated))?;
            }
            print(&format!("unchanged: {}\n", what(&names)));
            return Ok(exit::OK);
        }
        if overtaken {
            let services = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(Error::Overtaken { services });
        }
        self.preflight()?;
        if !present.is_empty() {
            print(&Comparison::new(desired, &observed, &self.place, &surplus).text());
        }
        let result = executor::apply(&plan, &self.place, &self.manager, &mut |line| say(&format!("  {line}")));
        let done = if updates.is_empty() { "installed" } else { "updated" };
        state::log(&self.place, &format!("install {}", what(&names)), result.as_ref().map(|()| done));
        if !surplus.is_empty() {
            state::log(&self.place, &format!("remove {}", what(&surplus)), result.as_ref().map(|()| "removed"));
        }
        result.map_err(|error| with_error_log(error, &self.validated)).map_err(|error| taken_back(error, &updates))?;
        if self.settings.stop {
            observed.active.iter().for_each(|name| print(&format!("stopped: {name}\n")));
            observed.active.clear();
        }
        self.tell(&plan, desired, &observed, &updates);
        for name in &surplus {
            print(&format!("removed: {name}\n"));
        }
        Ok(exit::OK)
    }

    /// What only this host can answer, asked before anything is changed.
    fn preflight(&self) -> Result<(), Error> {
        if let Manager::Systemd(_) = self.manager {
            let versions = self.validated.iter().map(|service| service.spec.systemd);
            versions.max().map_or(Ok(()), systemd::need_version)?;
        }
        // What several services import is imported once: that takes longer than all the rest.
        let mut imports: IndexMap<_, Vec<(String, Text)>> = IndexMap::new();
        for Validated { spec, patterns, .. } in &self.validated {
            if let Run::Python { interpreter, entry, .. } = &spec.run {
                imports
                    .entry((interpreter, entry, &spec.working_directory))
                    .or_default()
                    .extend(patterns.iter().cloned());
            }
        }
        imports.iter().try_for_each(|((interpreter, entry, directory), patterns)| {
            python::check_import(interpreter, entry, directory, patterns)
        })
    }

    fn tell(&self, plan: &Plan, desired: &[Desired], observed: &Observed, updates: &[ServiceName]) {
        let user = if self.manager.scope() == Scope::User { " --user" } else { "" };
        let nothing_else = InstallOptions::default();
        for service in desired {
            let name = &service.name;
            let own = std::slice::from_ref(service);
            let changed = !plan::install(own, observed, &self.place, &self.manager, &nothing_else).is_empty();
            let done = match (changed, updates.contains(name)) {
                (false, _) => "unchanged",
                (true, true) => "updated",
                (true, false) => "installed",
            };
            match self.manager {
                Manager::Systemd(_) if changed => print(&format!("{done}: {name} ({})\n", self.place.unit(name))),
                _ => print(&format!("{done}: {name}\n")),
            }
            if starts(plan, name) {
                print(&format!("started: {name}\n"));
            } else if !observed.active.contains(name) {
                say(&format!("`ManageService {name} start{user}` starts it"));
            } else if changed {
                say(&format!(
                    "it still runs the earlier version; `ManageService {name} restart{user}` takes up the new one"
                ));
            }
        }
    }
}

/// Whether a plan starts the service, or starts it again.
fn starts(plan: &Plan, name: &ServiceName) -> bool {
    let unit = name.unit();
    let names = |Invocation(words): &Invocation| {
        words.iter().any(|word| word.as_str().is_some_and(|word| word == unit || word == name.as_str()))
    };
    plan.invocations().any(|command| command.starts() && names(command))
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
    // The fault is worded to follow the part: "argument 3 holds ...".
    refusals.into_iter().map(|refusal| {
        let fault = refusal.fault.to_string();
        let they = if fault.starts_with("have ") { "they" } else { "it" };
        Fault::new(refusal.what, format!("{they} {fault}"))
    })
}

/// What a tree for any home directory cannot say.
fn for_no_home(settings: &Settings, requests: &[Service]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(state_dir) = &settings.state_dir {
        let fault =
            Fault::new("option `--state-dir`", "the files of a user's services are written for any home directory");
        faults.push(fault.given(state_dir).help("without it they lie where `ManageService` looks for them there"));
    }
    if requests.iter().any(|request| request.working_directory.is_none()) {
        let reason = "nothing says where a service of any user is to run";
        faults.push(
            Fault::new("option `--working-directory`", reason).help("`--working-directory DIR` names a directory"),
        );
    }
    faults
}

/// What a request is called before it has a name of its own.
fn called(request: &Service) -> String {
    let executable = request.executable.as_ref().map(Text::to_string);
    [&request.name, &request.program, &request.python, &executable]
        .into_iter()
        .flatten()
        .next()
        .cloned()
        .unwrap_or_else(|| "?".to_owned())
}

/// The error of a service that did not start, with the place of its error log.
pub(super) fn with_error_log(mut error: Error, services: &[Validated]) -> Error {
    let inner = match &mut error {
        Error::Undone { cause, .. } => cause.as_mut(),
        other => other,
    };
    if let Error::DidNotStart { service, error_log, .. } = inner
        && let Some(found) = services.iter().find(|known| known.spec.name.as_str() == service)
    {
        let path = place::error_log_path(&found.spec.working_directory, &found.spec.name);
        if files::look(&path).is_ok_and(|entry| entry != files::Entry::Missing) {
            *error_log = Some(path.to_string());
        }
    }
    error
}
