//! ManageService: looks after the services that InstallService made.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueEnum};
use serde::Serialize;

use super::call::{Call, Settings};
use super::parse::{self, Line};
use super::{Format, HEADING, begin_change, begin_look, catalogs, need_manager, note, print, print_plain, say};
use crate::catalog::Catalog;
use crate::error::{Error, Fault, exit};
use crate::executor;
use crate::host::facts;
use crate::host::files::{self, Entry};
use crate::host::observe::DropIns;
use crate::host::{manager, nssm, observe, privilege, process, prompt, state, systemctl};
use crate::manifest::{self, Manifest, Service};
use crate::model::invocation::Invocation;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::spec::{Scope, Target};
use crate::model::status::{ServiceStatus, State};
use crate::model::text::Text;
use crate::plan::{self, InstallOptions, Keep};
use crate::render::{self, Place};
use crate::validate;

/// What is done with a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Mode {
    /// Start it, and wait until it has settled
    Start,
    /// Show what it is doing: exit 0 running, 3 not running
    Status,
    /// Stop it
    Stop,
    /// Stop it and start it again
    Restart,
    /// Stop it and remove its files and registration
    Remove,
    /// Install it again as it was installed the last time
    Reinstall,
    /// Stop, then remove
    StopAndRemove,
    /// Stop, remove, then reinstall
    StopAndReinstall,
    /// Stop, remove, reinstall, then start
    StopAndRestart,
    /// Show its output
    Logs,
    /// Show what is installed, and from which arguments
    Show,
    /// Compare it with what was installed: exit 0 the same, 10 different
    Diff,
}

/// Runs the command `ManageService` with this argv and gives its exit code.
///
/// # Errors
/// Everything that ends it otherwise.
pub fn run(argv: Vec<OsString>) -> Result<u8, Error> {
    privilege::hide_memory();
    let mut command = command();
    if argv.len() < 2 {
        super::say_styled(&command.render_help().ansi().to_string());
        return Ok(exit::USAGE);
    }
    let (outcome, mut faults) = parse::attempt(&mut command, argv, parse::MOST_FAULTS);
    let matches = match outcome {
        Ok(matches) => matches,
        Err(error) if error.exit_code() == 0 => {
            print(&error.render().ansi().to_string());
            return Ok(exit::OK);
        }
        Err(_) if !faults.is_empty() => return Err(Error::Refused(faults)),
        Err(error) => return Err(Error::Usage(parse::worded(&error))),
    };
    if matches.get_flag("yes") {
        prompt::never_ask();
    }
    let word = |id: &str| matches.get_one::<OsString>(id).map(crate::host::text::text);
    let manifest = word("manifest");
    // `ManageService --manifest FILE MODE`: its one word is the mode.
    let (name, mode) = match (&manifest, word("name"), word("mode")) {
        (None, name, mode) => (name, mode),
        (Some(_), name, None) => (None, name),
        (Some(_), Some(name), mode) => {
            faults.push(Fault::new("argument", "a manifest names the services itself").given(name));
            (None, mode)
        }
        (Some(_), None, mode) => (None, mode),
    };
    let wants_list = matches.get_flag("list");
    if wants_list {
        for (what, given) in [("argument", &name), ("option `--manifest`", &manifest), ("argument", &mode)] {
            let fault = given.as_ref().map(|given| Fault::new(what, "`--list` lists every service").given(given));
            faults.extend(fault);
        }
    }
    let mode = match mode {
        _ if wants_list => Ok(None),
        Some(word) => mode_of(&word).map(Some).map_err(|fault| match name.as_ref().map(mode_of) {
            // `ManageService start web`
            Some(Ok(_)) => Fault::new("mode", "the name comes first, then what to do with it")
                .given(&word)
                .help("`ManageService NAME MODE`"),
            _ => fault,
        }),
        None => Err(Fault::new("mode", "the command does not say what to do with the service").help(known_modes())),
    };
    let shape = match (&mode, matches.get_one::<String>("format").map(String::as_str)) {
        (Ok(Some(Mode::Show)), Some("manifest")) => Shape::Manifest,
        (_, format) => Shape::Plain(Format::read(format, &mut faults)),
    };
    let names = match (&name, &manifest) {
        _ if wants_list => Vec::new(),
        (Some(name), _) => match name.to_string().parse::<ServiceName>() {
            Ok(name) => vec![name],
            Err(reason) => {
                faults.push(Fault::new("service name", reason).given(name));
                Vec::new()
            }
        },
        (None, Some(path)) => names_in(path, &mut faults)?,
        (None, None) => Vec::new(),
    };
    let lines = word("lines").map_or(Some(DEFAULT_LINES), |lines| lines.as_str()?.parse::<u32>().ok());
    if lines.is_none() {
        let lines = word("lines").unwrap_or_default();
        faults.push(Fault::new("option `--lines`", "it is a whole number").given(lines));
    }
    let mode = mode.unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    match mode {
        Some(mode) => Managed::find(names, manifest.is_some(), &matches, shape)?.run(mode, &matches),
        None => list(&matches, shape.plain()),
    }
}

/// The names of the services that a manifest describes.
fn names_in(path: &Text, faults: &mut Vec<Fault>) -> Result<Vec<ServiceName>, Error> {
    let mut names = Vec::new();
    for service in super::read_manifest(path)? {
        match validate::name_of(&service, facts::target_of_this_host()) {
            Ok(name) => names.push(name),
            Err(fault) => faults.push(fault),
        }
    }
    Ok(names)
}

/// How something is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Text or JSON.
    Plain(Format),
    /// A manifest, which installs it again.
    Manifest,
}

impl Shape {
    fn plain(self) -> Format {
        match self {
            Self::Plain(format) => format,
            Self::Manifest => Format::Text,
        }
    }
}

fn mode_of(word: &Text) -> Result<Mode, Fault> {
    let text = word.as_str().unwrap_or_default();
    // Both spellings, as for options.
    Mode::from_str(&text.replace('-', "_"), false).map_err(|_| {
        let modes: Vec<String> = modes().map(|(name, _)| name).collect();
        let near = crate::document::nearest(text, modes.iter().map(String::as_str));
        let help = near.map_or_else(known_modes, |near| format!("there is `{near}`"));
        Fault::new("mode", "there is no such mode").given(word).help(help)
    })
}

fn known_modes() -> String {
    let modes: Vec<String> = modes().map(|(name, _)| format!("`{name}`")).collect();
    format!("the modes are {}", modes.join(", "))
}

/// The modes with a sentence each, in the order of the help.
fn modes() -> impl Iterator<Item = (String, String)> {
    Mode::value_variants()
        .iter()
        .filter_map(Mode::to_possible_value)
        .map(|mode| (mode.get_name().to_owned(), mode.get_help().map(ToString::to_string).unwrap_or_default()))
}

/// How many lines `logs` shows.
const DEFAULT_LINES: u32 = 50;

fn command() -> Command {
    let flag = |long: &'static str, help: &'static str| {
        let other = if long.contains('_') { long.replace('_', "-") } else { long.replace('-', "_") };
        let arg = Arg::new(long).long(long).help(help).action(ArgAction::SetTrue);
        if other == long { arg } else { arg.alias(other) }
    };
    Command::new("ManageService")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Look after the services that InstallService made")
        .override_usage("ManageService NAME MODE [FLAGS]\n       ManageService --manifest FILE MODE [FLAGS]\n       ManageService --list")
        .arg(Arg::new("name").value_name("NAME").value_parser(ValueParser::os_string()).help("The service"))
        .arg(
            Arg::new("mode")
                .value_name("MODE")
                .value_parser(ValueParser::os_string())
                .help("What to do with it: one of the modes below"),
        )
        .arg(
            Arg::new("manifest")
                .long("manifest")
                .value_name("FILE")
                .value_parser(ValueParser::os_string())
                .help("The services that this TOML file describes, in the place of NAME"),
        )
        .arg(flag("list", "List the services that InstallService made"))
        .arg(flag("remove_env_vars", "With `remove`: also the values of its environment variables"))
        .arg(flag("remove_install_args", "With `remove`: also the receipt that `reinstall` needs"))
        .arg(flag("remove_nssm", "With `remove`: also nssm.exe, if no other service uses it (Windows)"))
        .arg(flag("user", "A service of your own (`systemctl --user`)"))
        .arg(flag("yes", "Never ask"))
        .arg(flag("follow", "With `logs`: go on as new lines come").short('f'))
        .arg(
            Arg::new("lines")
                .long("lines")
                .short('n')
                .value_name("N")
                .value_parser(ValueParser::os_string())
                .allow_negative_numbers(true)
                .help("With `logs`: how many lines [default: 50]"),
        )
        .arg(Arg::new("format").long("format").value_name("text|json|manifest").help("How it is printed [default: text]; `show` has a manifest, too"))
        .arg(
            Arg::new("catalog")
                .long("catalog")
                .value_name("FILE")
                .value_parser(ValueParser::os_string())
                .action(ArgAction::Append)
                .help("With `reinstall`: read more programs from this catalog"),
        )
        .arg(
            Arg::new("state-dir")
                .long("state-dir")
                .alias("state_dir")
                .value_name("DIR")
                .value_parser(ValueParser::os_string())
                .help(super::options::STATE_DIR),
        )
        .after_help(after_help())
        .args_override_self(true)
}

fn after_help() -> String {
    let modes: String = modes().map(|(name, help)| format!("  {name:<20}{help}\n")).collect();
    format!(
        "{HEADING}Modes:{HEADING:#}\n{modes}\n\
         {HEADING}Exit codes:{HEADING:#} 0 done or running, 1 failed, 2 wrong usage, 3 not running, 4 no such service,\n\
         5 no administrator rights, 10 different, 130 interrupted"
    )
}

/// Where services are looked for: the machine's, then the user's own, which only systemd has.
fn scopes_of(matches: &ArgMatches) -> &'static [Scope] {
    match facts::target_of_this_host() {
        Target::Nssm => &[Scope::System],
        Target::Systemd if matches.get_flag("user") => &[Scope::User],
        Target::Systemd => &[Scope::System, Scope::User],
    }
}

fn place_of(matches: &ArgMatches, scope: Scope) -> Place {
    let state_dir = matches.get_one::<OsString>("state-dir").map(crate::host::text::text);
    facts::place(facts::target_of_this_host(), scope, state_dir.as_ref(), None)
}

/// The service manager of this host, for services of the machine or of the user.
fn manager_of(place: &Place, scope: Scope) -> Manager {
    match facts::target_of_this_host() {
        Target::Systemd => Manager::Systemd(scope),
        Target::Nssm => Manager::Nssm(place.nssm()),
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

#[derive(Serialize)]
struct StatusJson<'a> {
    version: u32,
    service: &'a str,
    target: &'a str,
    #[serde(flatten)]
    status: &'a ServiceStatus,
    unit: Option<Text>,
    error_log: Option<Text>,
    error_log_exists: bool,
}

#[derive(Serialize)]
struct StatusesJson<'a> {
    version: u32,
    services: Vec<StatusJson<'a>>,
}

impl Managed {
    /// Looks for services of the machine, then for those of this user.
    fn find(names: Vec<ServiceName>, several: bool, matches: &ArgMatches, shape: Shape) -> Result<Self, Error> {
        let catalogs = matches.get_many::<OsString>("catalog").into_iter().flatten().map(crate::host::text::text);
        let mut found = Self {
            names: Vec::new(),
            removed: Vec::new(),
            several,
            manager: Manager::Systemd(Scope::System),
            place: place_of(matches, Scope::System),
            shape,
            catalogs: catalogs.collect(),
        };
        let mut known = Vec::new();
        let mut best: Option<(usize, Vec<ServiceName>, Scope, Place)> = None;
        for scope in scopes_of(matches).iter().copied() {
            let place = place_of(matches, scope);
            begin_look(&place, scope)?;
            let here: BTreeSet<ServiceName> = observe::known_services(&place).into_iter().collect();
            if names.iter().all(|name| here.contains(name)) {
                let manager = manager_of(&place, scope);
                let mut removed = Vec::new();
                for name in &names {
                    if !observe::is_installed(name, &place, &manager)? {
                        removed.push(name.clone());
                    }
                }
                // A receipt alone says little: one state directory may be that of both.
                if best.as_ref().is_none_or(|(fewest, ..)| removed.len() < *fewest) {
                    best = Some((removed.len(), removed, scope, place));
                }
            }
            known.extend(here);
        }
        if let Some((_, removed, scope, place)) = best {
            found.manager = manager_of(&place, scope);
            (found.names, found.removed, found.place) = (names, removed, place);
            return Ok(found);
        }
        let missing = names.iter().find(|name| !known.contains(name)).or(names.first());
        let missing = missing.map(ToString::to_string).unwrap_or_default();
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        let similar = crate::document::nearest(&missing, known.iter().map(String::as_str)).map(str::to_owned);
        Err(Error::NoSuchService { service: missing, similar: similar.into_iter().collect() })
    }

    fn run(self, mode: Mode, matches: &ArgMatches) -> Result<u8, Error> {
        let forget = matches.get_flag("remove_env_vars") || matches.get_flag("remove_install_args");
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
            Mode::Logs => return self.logs(matches),
            _ if !facts::may_change(self.manager.scope()) => return privilege::run_again(&[], &[]),
            _ => {}
        }
        let keep = Keep {
            env_vars: !matches.get_flag("remove_env_vars"),
            install_args: !matches.get_flag("remove_install_args"),
        };
        match mode {
            Mode::Start => self.start("start"),
            Mode::Restart => self.start("restart"),
            Mode::Stop => self.stop(),
            Mode::Remove | Mode::StopAndRemove => self.remove(keep, matches.get_flag("remove_nssm")),
            Mode::Reinstall => self.reinstall(InstallOptions::default()),
            Mode::StopAndReinstall => self.reinstall(InstallOptions { stop: true, ..Default::default() }),
            Mode::StopAndRestart => self.reinstall(InstallOptions { stop: true, start: true, ..Default::default() }),
            Mode::Status | Mode::Logs | Mode::Show | Mode::Diff => unreachable!("handled above"),
        }
    }

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

    fn start(&self, verb: &str) -> Result<u8, Error> {
        drop(begin_change(&self.place)?);
        self.logged(verb, || {
            let started = match verb {
                "restart" => manager::restart(&self.manager, &self.names),
                _ => manager::start(&self.manager, &self.names),
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

    /// What each service is doing.
    fn observed_status(&self) -> Result<Vec<ServiceStatus>, Error> {
        manager::status(&self.manager, &self.names)
    }

    fn with_error_log(&self, mut error: Error) -> Error {
        if let Error::DidNotStart { service, error_log, .. } = &mut error {
            let name = self.names.iter().find(|name| name.as_str() == service);
            *error_log = name.and_then(|name| self.error_log(name)).filter(exists).map(|path| path.to_string());
        }
        error
    }

    fn stop(&self) -> Result<u8, Error> {
        drop(begin_change(&self.place)?);
        self.logged("stop", || {
            manager::stop(&self.manager, &self.names)?;
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

    fn remove(&self, keep: Keep, remove_nssm: bool) -> Result<u8, Error> {
        let _lock = begin_change(&self.place)?;
        let error_logs: Vec<Text> = self.names.iter().filter_map(|name| self.error_log(name)).filter(exists).collect();
        let mut observed = observe::observe(&self.names, &self.place, &self.manager)?;
        observed.active = manager::active(&self.manager, &self.names)?;
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
            Manager::Nssm(exe) if remove_nssm => match nssm::withdraw(&self.place, &self.names)? {
                Some(reason) => say(&format!("kept: {exe} ({reason})")),
                None => say(&format!("removed: {exe}")),
            },
            _ => {}
        }
        Ok(exit::OK)
    }

    /// Installs again what the receipt says. Stopping and starting are part of the one plan: ended half
    /// way, it leaves the service running if it ran.
    fn reinstall(&self, options: InstallOptions) -> Result<u8, Error> {
        let catalog = self.catalog()?;
        let requests = self.requests(&catalog)?;
        Call::new(Settings::reinstall(&self.place.state_dir, options), &requests, Vec::new(), &catalog)?.run()
    }

    fn catalog(&self) -> Result<Catalog, Error> {
        catalogs(&self.place.state_dir, &self.catalogs)
    }

    fn requests(&self, catalog: &Catalog) -> Result<Vec<Service>, Error> {
        self.names.iter().map(|name| self.request(name, catalog)).collect()
    }

    /// How a service was installed: from its receipt, or from OpenMSIStream's list of arguments.
    fn request(&self, name: &ServiceName, catalog: &Catalog) -> Result<Service, Error> {
        let path = self.place.receipt(name);
        if let Entry::File(found) = files::look(&path)? {
            let text = String::from_utf8_lossy(&found.contents).into_owned();
            let services = Manifest::parse_receipt(&text, &path.to_string())
                .map_err(|error| Error::refused(error.into()))?
                .services();
            return services.into_iter().find(|service| service.name.as_deref() == Some(name.as_str())).ok_or_else(
                || Error::refused(Fault::new("receipt", format!("it does not describe `{name}`")).given(&path)),
            );
        }
        let legacy = self.place.legacy_receipt(name);
        let Entry::File(found) = files::look(&legacy)? else {
            let fault =
                Fault::new("receipt", "it is gone, so nothing tells how the service was installed").given(&path);
            return Err(Error::refused(fault.help("type the `InstallService` command again")));
        };
        self.legacy_request(name, &String::from_utf8_lossy(&found.contents), catalog)
    }

    /// The request in OpenMSIStream's list: the program, then one argument a line. Where it ran and
    /// with which interpreter stands in the unit that OpenMSIStream wrote.
    fn legacy_request(&self, name: &ServiceName, list: &str, catalog: &Catalog) -> Result<Service, Error> {
        let mut argv: Vec<OsString> = vec!["InstallService".into()];
        argv.extend(list.lines().map(|line| line.trim().into()));
        let Line::Install { request: Some(mut request), faults, .. } = parse::parse(argv, catalog)? else {
            let path = self.place.legacy_receipt(name);
            return Err(Error::refused(Fault::new("receipt", "it does not name a program").given(path)));
        };
        if !faults.is_empty() {
            return Err(Error::Refused(faults));
        }
        request.name = Some(name.to_string());
        if let Some(unit) = self.predecessors_unit(name)? {
            let field = |key: &str| {
                unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = ")).map(str::to_owned)
            };
            request.working_directory = field("WorkingDirectory").map(Text::from);
            let command = field("ExecStart").unwrap_or_default();
            request.interpreter = command.rsplit_once(' ').map(|(interpreter, _)| interpreter.into());
        }
        Ok(*request)
    }

    /// The unit, if it is still the one that OpenMSIStream wrote.
    fn predecessors_unit(&self, name: &ServiceName) -> Result<Option<String>, Error> {
        let Entry::File(unit) = files::look(&self.place.unit(name))? else { return Ok(None) };
        let is_theirs = observe::is_predecessor(name, &unit.contents);
        Ok(is_theirs.then(|| String::from_utf8_lossy(&unit.contents).into_owned()))
    }

    fn diff(&self) -> Result<u8, Error> {
        let catalog = self.catalog()?;
        let requests = self.requests(&catalog)?;
        let settings = Settings::compare(&self.place.state_dir, self.shape.plain());
        Call::new(settings, &requests, Vec::new(), &catalog)?.run()
    }

    /// Where a service's errors are written: its working directory stands in the receipt.
    fn error_log(&self, name: &ServiceName) -> Option<Text> {
        let Ok(Entry::File(found)) = files::look(&self.place.receipt(name)) else { return None };
        let receipt = Manifest::parse_receipt(&String::from_utf8_lossy(&found.contents), "").ok()?;
        let directory = receipt.services().into_iter().next()?.working_directory?;
        // The script of a Python service writes it, and NSSM has nothing of the kind for other programs.
        if matches!(self.manager, Manager::Nssm(_)) && !exists(&self.place.python_script(name)) {
            return None;
        }
        Some(render::error_log_path(&directory, name))
    }

    fn status(&self) -> Result<u8, Error> {
        let statuses = self.observed_status()?;
        let mut services = Vec::new();
        for (name, status) in self.names.iter().zip(&statuses) {
            let error_log = self.error_log(name);
            services.push(StatusJson {
                version: 1,
                service: name.as_str(),
                target: self.manager.target().as_str(),
                status,
                unit: self.unit(name),
                error_log_exists: error_log.as_ref().is_some_and(exists),
                error_log,
            });
        }
        match self.shape.plain() {
            Format::Json => {
                let document = match services.as_slice() {
                    [only] if !self.several => serde_json::to_string_pretty(only),
                    _ => serde_json::to_string_pretty(&StatusesJson { version: 1, services }),
                };
                print_plain(&(document.expect("plain data has a JSON form") + "\n"));
            }
            Format::Text => print(&services.iter().map(|service| self.status_text(service)).collect::<String>()),
        }
        let all_run = statuses.iter().all(|status| status.state == State::Running);
        Ok(if all_run { exit::OK } else { exit::NOT_RUNNING })
    }

    fn status_text(
        &self,
        StatusJson { service, status, unit, error_log, error_log_exists, .. }: &StatusJson,
    ) -> String {
        let mut out = format!("{HEADING}{service}{HEADING:#}: {}\n", status.state.as_str());
        let mut row = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                out += &format!("  {key:<12} {value}\n");
            }
        };
        row("pid", status.pid.map(|pid| pid.to_string()));
        row("since", status.since.clone());
        row("restarts", status.restarts.map(|count| count.to_string()));
        row("last result", last_result(status));
        row("at boot", status.enabled.map(|enabled| if enabled { "starts" } else { "does not start" }.into()));
        row("unit", unit.as_ref().map(ToString::to_string));
        let output = service.parse().ok().and_then(|name| self.output(&name));
        row("output", output.map(|path| path.to_string()));
        let none = if *error_log_exists { "" } else { " (none so far)" };
        row("error log", error_log.as_ref().map(|path| format!("{path}{none}")));
        out
    }

    /// The unit, where the service manager has such a thing.
    fn unit(&self, name: &ServiceName) -> Option<Text> {
        matches!(self.manager, Manager::Systemd(_)).then(|| self.place.unit(name))
    }

    /// The file that a service's output goes to, where it is not the journal.
    fn output(&self, name: &ServiceName) -> Option<Text> {
        let usual = || self.place.output(name);
        matches!(self.manager, Manager::Nssm(_)).then(|| nssm::output_of(name).unwrap_or_else(usual))
    }

    fn logs(&self, matches: &ArgMatches) -> Result<u8, Error> {
        let lines = matches.get_one::<OsString>("lines");
        let lines = lines.and_then(|lines| lines.to_str()?.parse().ok()).unwrap_or(DEFAULT_LINES);
        let follow = matches.get_flag("follow");
        match &self.manager {
            Manager::Systemd(scope) => process::hand_over(&systemctl::logs(&self.names, *scope, lines, follow), &[]),
            Manager::Nssm(_) => {
                for name in &self.names {
                    if self.several {
                        print(&format!("{HEADING}{name}{HEADING:#}\n"));
                    }
                    print(&nssm::tail(&self.output(name).unwrap_or_default(), lines as usize)?);
                }
                match self.names.as_slice() {
                    [only] if follow => nssm::follow(&self.output(only).unwrap_or_default(), &mut |text| print(text))?,
                    _ if follow => note("`--follow` follows one service"),
                    _ => {}
                }
                Ok(exit::OK)
            }
        }
    }

    fn show(&self) -> Result<u8, Error> {
        if self.shape == Shape::Manifest {
            let requests = self.requests(&self.catalog()?)?;
            print_plain(&match requests.as_slice() {
                [only] => manifest::receipt(only),
                all => manifest::receipts(all),
            });
            return Ok(exit::OK);
        }
        let mut out = String::new();
        for name in &self.names {
            self.show_one(name, &mut out)?;
        }
        print(&out);
        Ok(exit::OK)
    }

    fn show_one(&self, name: &ServiceName, out: &mut String) -> Result<(), Error> {
        let mut section = |path: &Text, contents: &str| {
            *out += &format!("{HEADING}{path}{HEADING:#}\n");
            for line in contents.lines() {
                *out += &format!("    {line}\n");
            }
            out.push('\n');
        };
        let receipts = [self.place.receipt(name), self.place.legacy_receipt(name)];
        let overrides = match self.manager {
            Manager::Systemd(scope) => DropIns::look(&self.place, scope).of(name),
            Manager::Nssm(_) => Vec::new(),
        };
        for path in receipts.into_iter().chain(self.unit(name)).chain(overrides) {
            if let Entry::File(found) = files::look(&path)? {
                section(&path, &String::from_utf8_lossy(&found.contents));
            }
        }
        if let Manager::Nssm(_) = self.manager {
            let observed = observe::observe(std::slice::from_ref(name), &self.place, &self.manager)?;
            let stored = observed.registered.get(name).into_iter().flatten();
            let rows: String = stored
                .flat_map(|parameter| parameter.values.iter().map(move |value| format!("{parameter} = {value}\n")))
                .collect();
            section(&"parameters of NSSM".into(), &rows);
        }
        if !self.removed.contains(name)
            && let Some(score) = self.unit(name).as_ref().and_then(exposure)
        {
            *out += &format!("exposure by systemd-analyze security: {score}\n");
        }
        Ok(())
    }
}

fn last_result(status: &ServiceStatus) -> Option<String> {
    let result = status.result.clone()?;
    Some(match status.exit_status {
        Some(code) if result != "success" => format!("{result} ({code})"),
        _ => result,
    })
}

fn exists(path: &Text) -> bool {
    files::look(path).is_ok_and(|entry| entry != Entry::Missing)
}

/// What systemd-analyze thinks of a unit, such as `6.9 MEDIUM`; nothing where it is not there or too
/// old to look at a file (250).
fn exposure(unit: &Text) -> Option<String> {
    let mut words: Vec<Text> = ["systemd-analyze", "security", "--no-pager", "--offline=yes"].map(Text::from).to_vec();
    words.push(unit.clone());
    let outcome = process::ask(&Invocation(words), &[]).ok()?;
    let text = outcome.text();
    let line = text.lines().find(|line| line.contains("Overall exposure level"))?;
    let score = line.rsplit_once(": ")?.1;
    Some(score.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned())
}

#[derive(Serialize)]
struct ListJson {
    version: u32,
    services: Vec<ListEntry>,
}

#[derive(Serialize)]
struct ListEntry {
    service: String,
    target: &'static str,
    user: bool,
    installed: bool,
    #[serde(flatten)]
    status: Option<ServiceStatus>,
}

fn list(matches: &ArgMatches, format: Format) -> Result<u8, Error> {
    let scopes = scopes_of(matches);
    let mut services = Vec::new();
    let mut seen: Vec<Text> = Vec::new();
    for scope in scopes.iter().copied() {
        let place = place_of(matches, scope);
        begin_look(&place, scope)?;
        let manager = manager_of(&place, scope);
        let is_installed = |name: &ServiceName| observe::is_installed(name, &place, &manager).unwrap_or(false);
        // One state directory for both, as a checkout has, holds each service once.
        let names: Vec<ServiceName> = observe::known_services(&place)
            .into_iter()
            .filter(|name| is_installed(name) || !seen.contains(&place.receipt(name)))
            .collect();
        seen.extend(names.iter().map(|name| place.receipt(name)));
        let states = if names.is_empty() || need_manager(&manager).is_err() {
            None
        } else {
            manager::status(&manager, &names).ok()
        };
        for (at, name) in names.iter().enumerate() {
            services.push(ListEntry {
                service: name.to_string(),
                target: manager.target().as_str(),
                user: scope == Scope::User,
                installed: is_installed(name),
                status: states.as_ref().and_then(|states| states.get(at)).cloned(),
            });
        }
    }
    match format {
        Format::Json => {
            let document = ListJson { version: 1, services };
            print_plain(&(serde_json::to_string_pretty(&document).expect("plain data has a JSON form") + "\n"));
        }
        Format::Text if services.is_empty() => {
            say("no services yet; `InstallService -h` shows how to install one");
        }
        Format::Text => {
            let width = services.iter().map(|service| service.service.len()).max().unwrap_or_default();
            for entry in &services {
                let state = match &entry.status {
                    _ if !entry.installed => "removed (its receipt is kept)",
                    Some(status) => status.state.as_str(),
                    None => "installed",
                };
                let user = if entry.user { "  (user)" } else { "" };
                print(&format!("{:<width$}  {state}{user}\n", entry.service));
            }
        }
    }
    Ok(exit::OK)
}
