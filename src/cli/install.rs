//! InstallService: requests to specs to a plan, then preview, export, compare or apply.

use std::ffi::OsString;

use indexmap::IndexMap;

use super::comparison::Comparison;
use super::options::Given;
use super::parse::{self, Line, Purpose, Wanted};
use super::{Format, catalogs, compared, need_manager, note, preview, print, print_plain, say};
use crate::catalog::{Catalog, discover};
use crate::error::{Error, Fault, exit};
use crate::executor::{self, journal};
use crate::host::facts::{self, Elsewhere, Host};
use crate::host::nssm::{self, Wishes};
use crate::host::{export, files, manager, observe, privilege, prompt, python, state, systemctl};
use crate::manifest::{self, Manifest, Service};
use crate::model::invocation::Invocation;
use crate::model::manager::Manager;
use crate::model::name::{EnvName, ServiceName};
use crate::model::observed::Observed;
use crate::model::spec::{Run, Scope, Target};
use crate::model::text::Text;
use crate::plan::{self, Desired, InstallOptions, Plan};
use crate::render::{self, Artifact, Place, escape};
use crate::validate::{self, Validated};

/// Runs the command `InstallService` with this argv and gives its exit code.
///
/// # Errors
/// Everything that ends it otherwise.
pub fn run(argv: Vec<OsString>) -> Result<u8, Error> {
    let (named, state_dir) = parse::early(&argv);
    let site = facts::place(facts::target_of_this_host(), Scope::System, state_dir.as_ref(), None);
    let catalog = catalogs(&site.state_dir, &named)?;
    if argv.len() < 2 {
        let help = parse::command(&catalog, Purpose::Help, Wanted::Only(None)).render_help();
        super::say_styled(&help.ansi().to_string());
        return Ok(exit::USAGE);
    }
    match parse::parse(argv, &catalog)? {
        Line::Print(text) => {
            print(&text);
            Ok(exit::OK)
        }
        Line::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(
                shell,
                &mut parse::command(&catalog, Purpose::Help, Wanted::All),
                "InstallService",
                &mut script,
            );
            print_plain(&String::from_utf8_lossy(&script));
            Ok(exit::OK)
        }
        Line::Discover { python, package } => discover_programs(python, package.as_deref()),
        Line::Install { given, request, faults } => Call::of_line(given, request, faults, &catalog)?.run(),
    }
}

fn discover_programs(python: Option<Text>, package: Option<&str>) -> Result<u8, Error> {
    use crate::model::facts::Facts;
    let python = python.or_else(|| Host.interpreter()).ok_or_else(|| {
        Error::refused(Fault::new("interpreter", "no Python was found").help("`--python PATH` names it"))
    })?;
    let answer = python::discover(&python, package)?;
    let found = discover::parse_answer(&answer)
        .map_err(|error| Error::refused(Fault::new("discover", error.to_string()).given(&python)))?;
    for skipped in &found.skipped {
        note(&format!("left out: {skipped}"));
    }
    print_plain(&found.to_toml());
    Ok(exit::OK)
}

/// What happens with the plan.
#[derive(Debug, PartialEq, Eq)]
enum Mode {
    DryRun,
    Export(Text),
    Check,
    Install,
}

/// How requests are carried out.
#[derive(Debug)]
pub(super) struct Settings {
    mode: Mode,
    format: Format,
    target: Target,
    state_dir: Option<Text>,
    options: InstallOptions,
    nssm: Wishes,
    /// Whether a value that is kept on the host counts before one in the environment.
    kept_first: bool,
}

impl Settings {
    /// Installing what a receipt says: nothing is asked that is known already.
    pub(super) fn reinstall(state_dir: &Text, options: InstallOptions) -> Self {
        Self {
            mode: Mode::Install,
            format: Format::Text,
            target: facts::target_of_this_host(),
            state_dir: Some(state_dir.clone()),
            options,
            nssm: Wishes::default(),
            kept_first: true,
        }
    }

    /// Comparing what a receipt says with the host.
    pub(super) fn compare(state_dir: &Text, format: Format) -> Self {
        Self { mode: Mode::Check, format, ..Self::reinstall(state_dir, InstallOptions::default()) }
    }
}

/// Requests, validated, and how they are carried out.
#[derive(Debug)]
pub(super) struct Call {
    settings: Settings,
    manager: Manager,
    place: Place,
    validated: Vec<Validated>,
}

impl Call {
    /// The call that a command line asks for.
    fn of_line(
        given: Given,
        request: Option<Box<Service>>,
        mut faults: Vec<Fault>,
        catalog: &Catalog,
    ) -> Result<Self, Error> {
        let mut requests: Vec<Service> = request.map(|request| *request).into_iter().collect();
        if let Some(path) = given.one("manifest") {
            match read_manifest(path, &given) {
                Ok(services) => requests.extend(services),
                Err(Error::Refused(found)) => faults.extend(found),
                Err(error) => return Err(error),
            }
        }
        let settings = Settings {
            mode: mode(&given, &mut faults),
            format: Format::read(given.word("format").as_deref(), &mut faults),
            target: target(&given, &mut faults),
            state_dir: given.one("state-dir").cloned(),
            options: InstallOptions { stop: false, start: given.flag("start"), no_rollback: given.flag("no-rollback") },
            nssm: Wishes {
                exe: given.one("nssm").cloned(),
                archive: given.one("nssm-archive").cloned(),
                offline: given.flag("offline"),
                ca_file: given.one("ca-file").cloned(),
                allow_unknown: given.flag("allow-unknown-nssm"),
            },
            kept_first: false,
        };
        if requests.is_empty() && faults.is_empty() {
            faults.push(
                Fault::new("program", "the command does not say what to install")
                    .help("`InstallService -h` lists the programs; any other program goes after `--`"),
            );
        }
        Self::new(settings, &requests, faults, catalog)
    }

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
        let is_export = matches!(mode, Mode::Export(_));
        // What lies where on the machine that writes the files says nothing about the others.
        let exported = is_export.then(|| facts::usual_state_dir(target, scope));
        let state_dir = settings.state_dir.clone().or(exported);
        let assumed = requests.iter().find_map(|request| assumed_version(request, &mut faults));
        let place = facts::place(target, scope, state_dir.as_ref(), assumed);
        let elsewhere = is_export || target != facts::target_of_this_host();
        let mut validated = Vec::new();
        for request in requests {
            let result = if elsewhere {
                validate::validate(request, catalog, &Elsewhere, target, &place.state_dir)
            } else {
                validate::validate(request, catalog, &Host, target, &place.state_dir)
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
        for (at, service) in validated.iter().enumerate() {
            if validated[..at].iter().any(|earlier| earlier.spec.name == service.spec.name) {
                let fault = Fault::new("service name", "two services of one run cannot share it");
                faults.push(fault.given(&service.spec.name));
            }
        }
        let manager = match target {
            Target::Systemd => Manager::Systemd(scope),
            Target::Nssm => Manager::Nssm(settings.nssm.wanted_path(&place)),
        };
        if faults.is_empty() { Ok(Self { settings, manager, place, validated }) } else { Err(Error::Refused(faults)) }
    }

    /// Previews, exports, compares or installs.
    pub(super) fn run(self) -> Result<u8, Error> {
        let notes: Vec<String> = self
            .validated
            .iter()
            .flat_map(|service| service.notes.iter().map(|line| format!("`{}`: {line}", service.spec.name)))
            .collect();
        let files = self.rendered()?;
        if self.settings.mode != Mode::DryRun || self.settings.format == Format::Text {
            notes.iter().for_each(|line| note(line));
        }
        match &self.settings.mode {
            Mode::DryRun => {
                let desired = with_environment(files, &self.place, |name, _| hidden_values(self.service(name)))?;
                let nothing = observe::nothing(&self.manager);
                let plan = plan::install(&desired, &nothing, &self.place, &self.manager, self.settings.options);
                let names: Vec<String> = desired.iter().map(|service| service.name.to_string()).collect();
                match self.settings.format {
                    Format::Json => print_plain(&preview::json(&plan, &names, self.settings.target, &notes)),
                    Format::Text => print(&preview::text(&plan)),
                }
                Ok(exit::OK)
            }
            Mode::Export(directory) => {
                let written = export::write(directory, &self.exported(files)?)?;
                written.iter().for_each(|path| print(&format!("{path}\n")));
                Ok(exit::OK)
            }
            Mode::Check => self.check(files),
            Mode::Install => self.install(files),
        }
    }

    fn names(&self) -> Vec<ServiceName> {
        self.validated.iter().map(|service| service.spec.name.clone()).collect()
    }

    fn service(&self, name: &ServiceName) -> &Validated {
        self.validated.iter().find(|service| service.spec.name == *name).expect("a name of this call")
    }

    /// Every file but the environment files, whose values are not known yet.
    fn rendered(&self) -> Result<Vec<Desired>, Error> {
        let mut desired = Vec::new();
        let mut faults = Vec::new();
        for Validated { spec, request, .. } in &self.validated {
            let made = match &self.manager {
                Manager::Systemd(_) => render::systemd::artifacts(spec, &self.place).map(|files| (files, None)),
                Manager::Nssm(_) => render::nssm::service(spec, &self.place)
                    .map(|service| (render::nssm::artifacts(spec, &self.place), Some(service))),
            };
            match made {
                Ok((mut artifacts, registration)) => {
                    artifacts.push(Artifact {
                        path: self.place.receipt(&spec.name),
                        mode: 0o644,
                        contents: manifest::receipt(request).into_bytes(),
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

    /// The files of an export: as they will lie on the host, and for NSSM the batches that put them
    /// there. An environment file is not among them, a list of its names is.
    fn exported(&self, desired: Vec<Desired>) -> Result<Vec<Artifact>, Error> {
        let mut files = Vec::new();
        let mut faults = Vec::new();
        for Desired { name, artifacts, registration } in desired {
            let spec = &self.service(&name).spec;
            let example = (!spec.secrets.is_empty()).then(|| export::example(&name, &spec.secrets, &self.place));
            let artifacts: Vec<Artifact> = artifacts.into_iter().chain(example).collect();
            match (&self.manager, registration) {
                (Manager::Nssm(exe), Some(service)) => {
                    match render::nssm::batches(&service, &artifacts, &self.place, exe) {
                        Ok(batches) => files.extend(batches),
                        Err(refusals) => faults.extend(of_refusals(refusals)),
                    }
                    files.extend(artifacts.into_iter().map(export::beside));
                }
                _ => files.extend(artifacts),
            }
        }
        let manifest = manifest::document(self.validated.iter().map(|service| &service.request));
        files.push(Artifact { path: export::MANIFEST.into(), mode: 0o644, contents: manifest.into_bytes() });
        if faults.is_empty() { Ok(files) } else { Err(Error::Refused(faults)) }
    }

    fn check(&self, files: Vec<Desired>) -> Result<u8, Error> {
        if journal::is_there(&self.place) {
            note("a run is at work, or was ended half way; the next one that changes anything takes it back");
        }
        let observed = observe::observe(&self.names(), &self.place, &self.manager)?;
        let desired =
            with_environment(files, &self.place, |name, kept| Ok(known_values(self.service(name), kept, true)))?;
        let comparison = Comparison::new(&desired, &observed, &self.place);
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
        // What this run takes the host for. It may have to ask, and to wait for another run.
        let seen = observe::observe(&self.names(), &self.place, &self.manager).ok();
        let missing = missing_values(&self.validated, &self.place)?;
        let asked = ask_for(&missing)?;
        let change = super::begin_change(&self.place)?;
        let observed = observe::observe(&self.names(), &self.place, &self.manager)?;
        let overtaken = !change.recovered && seen.is_some_and(|seen| !seen.is_same(&observed));
        let desired = with_environment(files, &self.place, |name, kept| {
            let mut values = known_values(self.service(name), kept, self.settings.kept_first);
            for variable in &self.service(name).spec.secrets {
                if let Some(value) = asked.get(variable) {
                    values.insert(variable.clone(), value.clone());
                }
            }
            Ok(values)
        })?;
        self.apply(&desired, observed, overtaken)
    }

    fn apply(&self, desired: &[Desired], mut observed: Observed, overtaken: bool) -> Result<u8, Error> {
        let what = |names: &[ServiceName]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let names = self.names();
        let updates: Vec<ServiceName> = names
            .iter()
            .filter(|name| plan::is_installed(&observed, name, &self.place, &self.manager))
            .cloned()
            .collect();
        if !updates.is_empty() {
            observed.active = manager::active(&self.manager, &updates)?;
        }
        let plan = plan::install(desired, &observed, &self.place, &self.manager, self.settings.options);
        if plan.is_empty() {
            print(&format!("unchanged: {}\n", what(&names)));
            return Ok(exit::OK);
        }
        if overtaken {
            let services = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            return Err(Error::Overtaken { services });
        }
        self.preflight()?;
        if !updates.is_empty() {
            print(&Comparison::new(desired, &observed, &self.place).text());
        }
        let result = executor::apply(&plan, &self.place, &self.manager, &mut |line| say(&format!("  {line}")));
        let done = if updates.is_empty() { "installed" } else { "updated" };
        state::log(&self.place, &format!("install {}", what(&names)), result.as_ref().map(|()| done));
        result.map_err(|error| with_error_log(error, &self.validated))?;
        if self.settings.options.stop {
            let stopped = std::mem::take(&mut observed.active);
            stopped.iter().for_each(|name| print(&format!("stopped: {name}\n")));
        }
        self.tell(&plan, &observed, &updates);
        Ok(exit::OK)
    }

    /// What only this host can answer, asked before anything is changed.
    fn preflight(&self) -> Result<(), Error> {
        match &self.manager {
            Manager::Systemd(_) => systemctl::need_version(self.place.systemd)?,
            Manager::Nssm(_) => nssm::provide(&self.settings.nssm, &self.place)?,
        }
        for service in &self.validated {
            if let Run::Python { interpreter, entry, .. } = &service.spec.run {
                python::check_import(interpreter, entry, &service.spec.working_directory, &service.patterns)?;
            }
        }
        Ok(())
    }

    fn tell(&self, plan: &Plan, observed: &Observed, updates: &[ServiceName]) {
        let user = if self.manager.scope() == Scope::User { " --user" } else { "" };
        for name in self.names() {
            let done = if updates.contains(&name) { "updated" } else { "installed" };
            match self.manager {
                Manager::Systemd(_) => print(&format!("{done}: {name} ({})\n", self.place.unit(&name))),
                Manager::Nssm(_) => print(&format!("{done}: {name}\n")),
            }
            if plan.invocations().any(Invocation::starts) {
                print(&format!("started: {name}\n"));
            } else if observed.active.contains(&name) {
                say(&format!(
                    "it still runs the earlier version; `ManageService {name} restart{user}` takes up the new one"
                ));
            } else {
                say(&format!("`ManageService {name} start{user}` starts it"));
            }
        }
    }
}

/// The services of a manifest, with what the command line says on top.
fn read_manifest(path: &Text, given: &Given) -> Result<Vec<Service>, Error> {
    let text = super::read_named("manifest", path)?;
    let manifest = Manifest::parse(&text)
        .map_err(|error| Error::refused(Fault::new("manifest", error.to_string().trim_end()).given(path)))?;
    let mut services = manifest.services();
    if services.is_empty() {
        return Err(Error::refused(
            Fault::new("manifest", "it describes no service").given(path).help("each one begins with `[[service]]`"),
        ));
    }
    let mut faults = Vec::new();
    for service in &mut services {
        // What is wrong with an option is wrong once.
        faults.clear();
        given.fill(service, &mut faults);
    }
    if faults.is_empty() { Ok(services) } else { Err(Error::Refused(faults)) }
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

fn target(given: &Given, faults: &mut Vec<Fault>) -> Target {
    match given.word("target").as_deref() {
        None => facts::target_of_this_host(),
        Some("systemd") => Target::Systemd,
        Some("nssm") => Target::Nssm,
        Some(other) => {
            faults.push(Fault::new("option `--target`", "it is `systemd` or `nssm`").given(other));
            facts::target_of_this_host()
        }
    }
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

fn assumed_version(request: &Service, faults: &mut Vec<Fault>) -> Option<u32> {
    let word = request.assume.as_deref()?;
    let version = word.strip_prefix("systemd=").and_then(|version| version.parse().ok());
    if version.is_none() {
        faults.push(Fault::new("option `--assume`", "it is `systemd=VERSION`, such as `systemd=239`").given(word));
    }
    version
}

fn mode(given: &Given, faults: &mut Vec<Fault>) -> Mode {
    let asked: Vec<&str> = ["dry-run", "output", "check"].into_iter().filter(|long| given.flag(long)).collect();
    if let [first, second, ..] = asked[..] {
        faults.push(Fault::new(format!("option `--{second}`"), format!("it cannot be combined with `--{first}`")));
    }
    match asked.first() {
        Some(&"dry-run") => Mode::DryRun,
        Some(&"output") => Mode::Export(given.one("output").cloned().unwrap_or_default()),
        Some(&"check") => Mode::Check,
        _ => Mode::Install,
    }
}

/// Values of a service's secrets, by their names.
type Values = IndexMap<EnvName, Text>;

/// Adds to each service its environment file, where it needs one. `values` is given the values that
/// are kept on the host already.
fn with_environment(
    mut desired: Vec<Desired>,
    place: &Place,
    values: impl Fn(&ServiceName, &Values) -> Result<Values, Error>,
) -> Result<Vec<Desired>, Error> {
    for service in &mut desired {
        let kept = kept_values(&service.name, place);
        let values: Vec<(EnvName, Text)> = values(&service.name, &kept)?.into_iter().collect();
        if !values.is_empty() {
            let artifact = render::systemd::environment_file(&service.name, place, &values)
                .map_err(|refusals| Error::Refused(of_refusals(refusals).collect()))?;
            service.artifacts.push(artifact);
        }
    }
    Ok(desired)
}

/// The values in the environment file on the host; none where it cannot be read.
fn kept_values(name: &ServiceName, place: &Place) -> Values {
    match files::look(&place.environment_file(name)) {
        Ok(files::Entry::File(found)) => escape::read_environment_file(&found.contents)
            .into_iter()
            .filter_map(|(name, value)| Some((name.parse().ok()?, value)))
            .collect(),
        _ => Values::new(),
    }
}

/// Every secret with stars for its value: a dry run needs none and shows none.
fn hidden_values(service: &Validated) -> Result<Values, Error> {
    Ok(service.spec.secrets.iter().map(|name| (name.clone(), Text::from("********"))).collect())
}

/// The values that are known without asking: typed, then from the environment, then kept; a
/// repeated install and a comparison prefer what is kept.
fn known_values(service: &Validated, kept: &Values, kept_first: bool) -> Values {
    let mut values = Values::new();
    for name in &service.spec.secrets {
        let typed = service.given_secrets.get(name).cloned();
        let set = facts::variable(name);
        let kept = kept.get(name).cloned();
        let value = if kept_first { typed.or(kept).or(set) } else { typed.or(set).or(kept) };
        if let Some(value) = value {
            values.insert(name.clone(), value);
        }
    }
    values
}

/// The secrets whose values nobody knows yet.
fn missing_values(services: &[Validated], place: &Place) -> Result<Vec<EnvName>, Error> {
    let mut missing = Vec::new();
    for service in services {
        let known = known_values(service, &kept_values(&service.spec.name, place), true);
        missing.extend(service.spec.secrets.iter().filter(|name| !known.contains_key(*name)).cloned());
    }
    missing.sort();
    missing.dedup();
    Ok(missing)
}

/// Asks for each value on a terminal, without echo; without one, every missing name is a fault.
fn ask_for(missing: &[EnvName]) -> Result<Values, Error> {
    if !missing.is_empty() && !prompt::can_ask() {
        let faults = missing.iter().map(|name| {
            Fault::new(format!("environment variable `{name}`"), "the service needs it, and it is not set")
                .help(format!("`export {name}=...`, then type the same command again"))
        });
        return Err(Error::Refused(faults.collect()));
    }
    let mut values = Values::new();
    for name in missing {
        values.insert(name.clone(), prompt::secret(&format!("value of {name} (not shown)"))?);
    }
    Ok(values)
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
        let path = render::error_log_path(&found.spec.working_directory, &found.spec.name);
        if files::look(&path).is_ok_and(|entry| entry != files::Entry::Missing) {
            *error_log = Some(path.to_string());
        }
    }
    error
}
