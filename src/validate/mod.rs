//! From an install request to a service spec: every fault at once, or a value that cannot be wrong.
//!
//! What the request says is checked against the catalog and against what the host answers through
//! [`Facts`]; nothing is asked of the host directly, so the same code validates for another host,
//! whose answers are "unknown".

mod check;
mod interpreter;
mod pairs;
mod program;
mod script;
mod windows;

use indexmap::IndexMap;

use crate::catalog::{ArgKind, Catalog, EntryPoint, Program};
use crate::error::Fault;
use crate::manifest::{Arguments, Request};
use crate::model::entry::PythonEntry;
use crate::model::facts::Facts;
use crate::model::name::{EnvName, OneLine, ServiceName, is_identifier};
use crate::model::platform::Platform;
use crate::model::span::Span;
use crate::model::spec::{Argument, Ours, Run, Scope, ServiceSpec, Target};
use crate::model::systemd_table::{Directive, KnownDirective, Section};
use crate::model::text::Text;
use check::{Check, OfManager};
use interpreter::is_of_python as is_python;
use program::ProgramLine;

/// How long it is waited before a program is started again.
const RESTART_SEC: Span = Span::seconds(10);

/// How long a stop waits: systemd's own limit (`DefaultTimeoutStopSec=` of systemd-system.conf(5)), and on Windows what
/// its shutdown leaves room for.
const fn stop_timeout_of(target: Target) -> Span {
    match target {
        Target::Systemd => Span::seconds(90),
        Target::Nssm => Span::seconds(30),
    }
}

/// A request that passed.
#[derive(Clone, Debug)]
pub struct Validated {
    /// The service.
    pub spec: ServiceSpec,
    /// The request with every default filled in and every path absolute: the receipt.
    pub request: Request,
    /// Values of secrets that the request itself held; they go into the environment file only.
    pub given_secrets: IndexMap<EnvName, Text>,
    /// Arguments that are Python regular expressions, with their names; the interpreter tries them.
    pub patterns: Vec<(String, Text)>,
    /// What is worth saying though it is no fault.
    pub notes: Vec<String>,
}

/// Validates `request` for `target`.
///
/// # Errors
/// All faults of the request, in the order of its fields.
pub fn validate(
    request: &Request,
    catalog: &Catalog,
    facts: &impl Facts,
    target: Target,
    fallback_directory: &Text,
) -> Result<Validated, Vec<Fault>> {
    let request = &request.resolved();
    let mut check = Check::new(facts, target);
    let scope = if request.user == Some(true) { Scope::User } else { Scope::System };
    let mut settled = request.clone();
    let runs = check.what_runs(request, catalog);
    let Checked { default_name, run, writes, patterns, needed, given } =
        runs.as_ref().map(|runs| checked(&mut check, request, runs, &mut settled)).unwrap_or_default();

    let name = check.name(request.name.as_deref().or(default_name.as_deref()));
    if let Some(note) = runs.as_ref().and_then(|runs| of_defaults(request, runs)) {
        check.note(note);
    }
    let working_directory = check.working_directory(request, fallback_directory);
    let environment = check.environment(&request.environment);
    let referred = run.iter().flat_map(Run::arguments).filter_map(Argument::variable);
    let asked = needed.iter().chain(given.keys()).chain(referred).cloned();
    let secrets = check.secrets(request, asked, &environment);
    check.apart(&environment, &secrets);
    let (assumed, secrets_in) = check.assumed(request, scope);

    let account = check.account(request, scope, name.as_ref());
    let restart = check.restart(request);
    let hardening = check.hardening(request, account.as_deref(), scope);
    let restart_sec = check.span("option `--restart-sec`", request.restart_sec.as_ref());
    let stop_timeout = check.stop_timeout(request);
    let order = check.order(request);
    let output = check.output(request, assumed, account.as_deref());
    let description = check.line("option `--description`", request.description.as_deref());
    let display_name = check.line("option `--display-name`", request.display_name.as_deref());
    let mut path: Vec<Text> =
        request.path.iter().filter_map(|directory| check.directory("option `--path`", directory)).collect();
    let OfManager { systemd, directives, parameters, restart, environment_file, timer } =
        check.of_manager(request, restart, assumed, secrets_in);
    let of_service = of_service(&directives);
    check.one_stop_timeout(request, &of_service, &parameters);
    check.one_output(request, &of_service, &parameters);
    let is_job = timer.is_some() && request.plain != Some(true);
    check.number_of_commands(run.as_ref(), &of_service, is_job);
    check.said_once(request, &of_service);
    let stop_command = check.stop_command(request, &of_service, is_job, &mut settled);

    if let Some(run) = &run {
        let given = runs.as_ref().and_then(Runs::typed);
        settled.found_path = check.folders(given, run, account.as_deref(), request, &environment);
        path.extend(settled.found_path.iter().cloned());
        settled.found_python = check.is_script_of_python(run, request).then_some(true);
    }
    let is_script_of_python = settled.found_python == Some(true);
    check.reach(account.as_deref(), run.as_ref(), is_script_of_python, working_directory.as_ref(), fallback_directory);
    check.paths_of_windows(account.as_deref(), run.as_ref(), working_directory.as_ref(), &output);

    let (faults, notes) = check.end();
    let (Some(name), Some(run), Some(working_directory)) = (name, run, working_directory) else {
        return Err(faults);
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    let about = runs.as_ref().and_then(Runs::about);
    let of_program = runs.as_ref().and_then(Runs::restart_sec);
    let description = description.or(about).unwrap_or_else(|| name.as_str().parse().expect("a name is a line"));
    let display_name = display_name.unwrap_or_else(|| name.as_str().parse().expect("a name is a line"));

    settled.secrets = secrets.iter().map(ToString::to_string).collect();
    settled.ordered(&order, target);
    settled.settle(&name, &working_directory);
    let (ours, is_template) = (ours(request), name.is_template());
    let spec = ServiceSpec {
        name,
        display_name,
        description,
        run,
        is_script_of_python,
        ctrl_c: runs.as_ref().is_none_or(Runs::ctrl_c),
        working_directory,
        environment,
        secrets,
        secrets_in,
        account,
        at_boot: request.at_boot.unwrap_or(true)
            && match target {
                Target::Systemd => can_be_enabled(is_template, &ours, &directives),
                Target::Nssm => true,
            },
        restart,
        restart_sec: restart_sec.or(of_program).unwrap_or(RESTART_SEC),
        stop_timeout: stop_timeout.unwrap_or(stop_timeout_of(target)),
        stop_command,
        network: request.network.unwrap_or(ours.is_all()),
        order,
        environment_file,
        timer,
        output,
        log_keep: request.log_keep,
        hardening,
        path,
        writes,
        scope,
        systemd,
        ours,
        directives,
        parameters,
    };
    Ok(Validated { spec, request: settled, given_secrets: given, patterns, notes })
}

/// Those of its directives that are not about its timer.
fn of_service(directives: &[Directive]) -> Vec<Directive> {
    directives.iter().filter(|directive| !directive.section().is_of_timer()).cloned().collect()
}

/// Whether there is anything in `[Install]` that starts it. A template is enabled by its default instance alone.
fn can_be_enabled(is_template: bool, ours: &Ours, directives: &[Directive]) -> bool {
    let of_install = || directives.iter().filter(|directive| directive.section() == Section::Install);
    if is_template && !of_install().any(|directive| directive.name() == "DefaultInstance" && !directive.is_off()) {
        return false;
    }
    let is_ours = ours.has("WantedBy") && of_install().all(|directive| directive.name() != "WantedBy");
    is_ours || of_install().any(|directive| directive.name() != "DefaultInstance" && !directive.is_off())
}

/// Which lines are ours: of a plain service those that its keys say.
fn ours(request: &Request) -> Ours {
    if request.plain != Some(true) {
        return Ours::All;
    }
    let keys = [
        ("Description", request.description.is_some()),
        ("Wants", request.network == Some(true)),
        ("WorkingDirectory", request.working_directory.is_some()),
        ("Restart", request.restart.is_some()),
        ("RestartSec", request.restart_sec.is_some()),
        ("TimeoutStopSec", request.stop_timeout.is_some()),
        // What is not started at boot keeps the line, so that `systemctl enable` has something to go by.
        // An [Install] of its own says that itself.
        ("WantedBy", request.at_boot.is_some_and(|at_boot| at_boot || !request.says_install())),
    ];
    Ours::Only(keys.into_iter().filter(|(_, is_said)| *is_said).map(|(directive, _)| directive).collect())
}

/// What the service of `request` will be called, without a look at anything else.
///
/// # Errors
/// Where it has no name, and what it runs gives it none.
pub fn name_of(request: &Request, target: Target) -> Result<ServiceName, Fault> {
    let python = || request.python.as_ref()?.parse::<PythonEntry>().ok().map(|entry| entry.short_name().to_owned());
    let executable = || file_stem(request.executable.as_ref()?, target.platform());
    let command = || {
        let line = KnownDirective::exec_start().with(request.command.first()?).ok()?;
        file_stem(&line.known_words().0?, target.platform())
    };
    let name = request.name.clone().or_else(|| request.program.clone()).or_else(python).or_else(executable);
    let name = name.or_else(command);
    let name = name.ok_or_else(|| Fault::new("service name", "nothing to run was given"))?;
    name.parse().map_err(|reason: String| Fault::new("service name", reason).given(Text::from(name.as_str())))
}

/// What a request runs.
enum Runs<'a> {
    Program(&'a Program),
    Python(PythonEntry),
    Executable(Text),
    Commands(Vec<Directive>),
}

impl Runs<'_> {
    /// The executable as it was typed.
    fn typed(&self) -> Option<&Text> {
        match self {
            Self::Executable(given) => Some(given),
            Self::Program(_) | Self::Python(_) | Self::Commands(_) => None,
        }
    }

    /// What is known to be said of it.
    fn about(&self) -> Option<OneLine> {
        match self {
            Self::Program(program) => program.about.parse().ok(),
            Self::Python(entry) => entry.to_string().parse().ok(),
            Self::Executable(_) | Self::Commands(_) => None,
        }
    }

    /// Whether Ctrl-C ends it.
    fn ctrl_c(&self) -> bool {
        match self {
            Self::Program(program) => program.ctrl_c,
            Self::Python(_) | Self::Executable(_) | Self::Commands(_) => true,
        }
    }

    /// How long its catalog has it wait before it is started again.
    fn restart_sec(&self) -> Option<Span> {
        match self {
            Self::Program(program) => program.restart_sec,
            Self::Python(_) | Self::Executable(_) | Self::Commands(_) => None,
        }
    }
}

/// One note about the defaults that are often not meant: the name of the program for that of the service, and a config
/// file that comes with the program.
fn of_defaults(request: &Request, runs: &Runs<'_>) -> Option<String> {
    let like_program = match runs {
        Runs::Program(_) | Runs::Executable(_) | Runs::Commands(_) => request.name.is_none(),
        // Named like a module or class of the user's own.
        Runs::Python(_) => false,
    };
    let config = match (runs, &request.arguments) {
        (Runs::Program(program), Arguments::Named(given)) => program.arguments.iter().find_map(|spec| {
            let is_left_out = spec.kind == ArgKind::ConfigFile && !given.contains_key(&spec.name);
            Some((spec.display_name(), spec.default.as_ref().filter(|_| is_left_out)?))
        }),
        (Runs::Program(_), Arguments::List(_)) | (Runs::Python(_) | Runs::Executable(_) | Runs::Commands(_), _) => None,
    };
    match (like_program, config) {
        (true, Some((option, default))) => Some(format!(
            "it has the name of its program, and reads the config file `{default}`, the program's default; \
             `--service_name NAME` and `{option} FILE` say otherwise"
        )),
        (true, None) => Some("it has the name of its program; `--service_name NAME` gives it another".to_owned()),
        (false, Some((option, default))) => {
            Some(format!("it reads the config file `{default}`, the program's default; `{option} FILE` names another"))
        }
        (false, None) => None,
    }
}

/// What a request runs, checked.
#[derive(Default)]
struct Checked {
    /// What the service is called if the request gives it no name.
    default_name: Option<String>,
    run: Option<Run>,
    /// Directories that the program writes to.
    writes: Vec<Text>,
    /// Arguments that are Python regular expressions, with their names.
    patterns: Vec<(String, Text)>,
    /// Variables that a config file asks for.
    needed: Vec<EnvName>,
    /// Secrets that were typed.
    given: IndexMap<EnvName, Text>,
}

/// Checks what `request` runs; `settled` gets the paths as they were found and the arguments by name.
fn checked<F: Facts>(check: &mut Check<'_, F>, request: &Request, runs: &Runs<'_>, settled: &mut Request) -> Checked {
    let interpreter = match runs {
        Runs::Python(_) | Runs::Program(Program { entry: EntryPoint::Python(_), .. }) => check.interpreter(request),
        Runs::Program(_) | Runs::Executable(_) | Runs::Commands(_) => None,
    };
    settled.interpreter.clone_from(&interpreter);
    let python = |entry: &PythonEntry, arguments| {
        interpreter.clone().map(|interpreter| Run::Python { interpreter, entry: entry.clone(), arguments })
    };
    match runs {
        Runs::Executable(path) => {
            let arguments = check.words(&request.arguments).into_iter().map(Argument::Literal).collect();
            let path = check.executable("executable", path);
            settled.executable.clone_from(&path);
            let default_name = path.as_ref().and_then(|path| file_stem(path, check.platform));
            let run = path.and_then(|path| check.started(path, arguments, request.interpreter.as_ref()));
            // Whoever installs it again may find another one.
            let started = run.as_ref().and_then(Run::program).filter(|it| Some(*it) != settled.executable.as_ref());
            settled.interpreter = started.filter(|program| is_python(check.platform, program)).cloned();
            Checked { default_name, run, ..Checked::default() }
        }
        Runs::Commands(lines) => {
            let (program, words) = lines.first().map(Directive::known_words).unwrap_or_default();
            let default_name = program.as_ref().and_then(|program| file_stem(program, check.platform));
            let arguments = words.into_iter().map(Argument::Literal).collect();
            let run = Run::Commands { lines: lines.clone(), program, arguments };
            Checked { default_name, run: Some(run), ..Checked::default() }
        }
        Runs::Python(entry) => {
            let words = check.words(&request.arguments).into_iter();
            let run = python(entry, words.map(|word| reference(Text::default(), &word)).collect());
            Checked { default_name: Some(entry.short_name().to_owned()), run, ..Checked::default() }
        }
        Runs::Program(program) => {
            let mut line = ProgramLine::new(check, program, request, interpreter.as_ref());
            line.check_all();
            let ProgramLine { words, named, writes, given, needed, patterns, .. } = line;
            settled.arguments = Arguments::Named(named);
            let run = match &program.entry {
                EntryPoint::Python(entry) => python(entry, words),
                EntryPoint::Executable(path) => check
                    .executable("executable", &path.as_str().into())
                    .map(|path| Run::Executable { path, arguments: words }),
            };
            Checked { default_name: Some(program.name.clone()), run, writes, patterns, needed, given }
        }
    }
}

/// An argument, or the reference to an environment variable that it is.
///
/// `$NAME` as a whole word is a reference; `$$NAME` is the literal text `$NAME`, `$$$NAME` the
/// text `$$NAME`; every other use of `$` is literal.
fn reference(before: Text, word: &Text) -> Argument {
    let join = |rest: &str| Argument::Literal(before.with(rest));
    let Some(text) = word.as_str() else {
        let mut bytes = before.as_bytes().to_vec();
        bytes.extend_from_slice(word.as_bytes());
        return Argument::Literal(Text::from_bytes(bytes));
    };
    match text.strip_prefix('$') {
        Some(name) if is_identifier(name) => {
            Argument::Reference { before, variable: name.parse().expect("an identifier is a name") }
        }
        Some(rest) if rest.starts_with('$') && is_identifier(rest.trim_start_matches('$')) => join(rest),
        _ => join(text),
    }
}

/// Whether `word`, as the argument of a program, refers to a variable and says nothing else.
pub fn is_reference(word: &Text) -> bool {
    referred(word).is_some()
}

/// The variable that `word` refers to.
fn referred(word: &Text) -> Option<EnvName> {
    reference(Text::default(), word).variable().cloned()
}

/// The last component of `path` without an extension such as `.sh` or `.exe`.
fn file_stem(path: &Text, platform: Platform) -> Option<String> {
    let last = platform.file_name(path).as_str()?.to_owned();
    let stem = last.rsplit_once('.').map(|(stem, _)| stem.to_owned()).filter(|stem| !stem.is_empty());
    Some(stem.unwrap_or(last))
}
