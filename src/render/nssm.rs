//! What makes a service of NSSM: its parameters, the calls of `nssm.exe` that set them, and the
//! command batches that hold the same calls.
//!
//! One list of [`Parameter`]s is the source of all three, so a batch and a direct install cannot
//! differ.

use askama::Template;

use super::batch_line::{self, BatchLine};
use super::checksums::Checksum;
use super::escape::{
    AppParameters, CmdLine, CmdPath, CmdToken, Layer, NssmEnvironment, NssmPath, Signature, TargetArg, Token, Unsayable,
};
use super::{Refusal, Refusals, fence, python};
use crate::model::artifact::Artifact;
use crate::model::invocation::Invocation;
use crate::model::name::EnvName;
use crate::model::name::ServiceName;
use crate::model::nssm_table::{APP_EVENTS, LATER, goes_unasked, processors, resettable};
use crate::model::operation::nssm::Operation;
use crate::model::parameter::{Kind, Parameter};
use crate::model::place::{Place, RUNNER, error_log_path};
use crate::model::platform::Platform;
use crate::model::registration::{PARAMETERS, SERVICES, kind_of};
use crate::model::runner_order::RunnerOrder;
use crate::model::span::Span;
use crate::model::spec::{Argument, Output, Restart, Run, ServiceSpec, StopCommand};
use crate::model::text::Text;
use crate::model::windows_account::{self, WindowsAccount};

/// A log is set aside once it has this many bytes.
const ROTATE_BYTES: u32 = 10 << 20;

/// A program that ends within this many milliseconds counts as failed, and NSSM waits longer and
/// longer before it starts it again. NSSM's own default; `nssm start` waits only 2.75 s for it.
const THROTTLE_MS: u32 = 1500;

/// How long it may take after a closed window or a message to its threads, for programs without a
/// console.
const STOP_OTHER_MS: u32 = 5_000;

/// A time as the registry holds it: milliseconds in 32 bits.
fn millis(span: Span) -> u32 {
    u32::try_from(span.millis()).unwrap_or(u32::MAX)
}

/// The parameter that says whether Windows starts a service at boot.
pub const START: &str = "Start";

/// The parameter that says which account a service runs as.
pub const OBJECT_NAME: &str = "ObjectName";

/// The value of [`START`].
pub fn start(at_boot: bool) -> &'static str {
    if at_boot { "SERVICE_AUTO_START" } else { "SERVICE_DEMAND_START" }
}

/// What NSSM does where a parameter is not stored. Setting one to this value removes it, unless that is 0.
pub fn default_of(parameter: &Parameter) -> Vec<Text> {
    let value = match (parameter.name.as_str(), parameter.sub.as_deref()) {
        ("AppExit", Some("Default")) => "Restart",
        ("AppThrottle" | "AppStopMethodConsole" | "AppStopMethodWindow" | "AppStopMethodThreads", None) => "1500",
        ("AppParameters" | "Description", None) => "",
        ("AppKillProcessTree", None) => "1",
        ("AppPriority", None) => "NORMAL_PRIORITY_CLASS",
        ("AppAffinity", None) => "All",
        ("Type", None) => "SERVICE_WIN32_OWN_PROCESS",
        ("AppStdinShareMode", None) => "2",
        ("AppStdinCreationDisposition" | "AppStdoutShareMode" | "AppStderrShareMode", None) => "3",
        ("AppStdoutCreationDisposition" | "AppStderrCreationDisposition", None) => "4",
        ("AppStdinFlagsAndAttributes" | "AppStdoutFlagsAndAttributes" | "AppStderrFlagsAndAttributes", None) => "128",
        (
            "AppRotateFiles" | "AppRotateOnline" | "AppRotateSeconds" | "AppRotateBytes" | "AppRotateBytesHigh"
            | "AppRestartDelay" | "AppStopMethodSkip" | "AppNoConsole" | "AppRotateDelay" | "AppTimestampLog",
            None,
        ) => "0",
        _ => return Vec::new(),
    };
    vec![value.into()]
}

/// What resets a parameter. `Type` is what every service has, and can only be set.
pub fn unset(parameter: &Parameter) -> Parameter {
    let values = if parameter.name == "Type" { default_of(parameter) } else { Vec::new() };
    Parameter { values, kind: Kind::Usual, ..parameter.clone() }
}

/// The values that `parameter` has among those that are stored.
pub fn current(parameter: &Parameter, stored: &[Parameter]) -> Vec<Text> {
    let found = stored.iter().find(|known| known.is_same_as(parameter));
    found.map_or_else(|| default_of(parameter), |known| known.values.clone())
}

/// Whether NSSM reads what is stored as it reads what it stores itself. `REG_SZ` for `REG_EXPAND_SZ` changes nothing
/// where no variable could be replaced.
fn is_read(stored: &Parameter) -> bool {
    let has_variable = || stored.values.iter().any(|value| value.as_bytes().contains(&b'%'));
    match stored.kind {
        Kind::Usual => true,
        Kind::Text => kind_of(&stored.name) == Kind::Expanded && !has_variable(),
        Kind::Expanded => kind_of(&stored.name) == Kind::Text && !has_variable(),
        Kind::Number | Kind::Lines | Kind::Other => false,
    }
}

/// Whether what is stored means what is wanted.
fn is_as_wanted(wanted: &Parameter, stored: &[Parameter]) -> bool {
    let Some(found) = stored.iter().find(|known| known.is_same_as(wanted)) else {
        return wanted.values == default_of(wanted);
    };
    let one = |parameter: &Parameter| parameter.values.first().and_then(Text::as_str).map(str::to_owned);
    match wanted.name.as_str() {
        // NSSM writes `0-1` as `0,1`.
        "AppAffinity" => {
            is_read(found) && one(wanted).as_deref().map(processors) == one(found).as_deref().map(processors)
        }
        // The names of accounts have letters of either case.
        OBJECT_NAME => {
            found.values.len() == 1
                && one(found).map(|name| name.to_lowercase()) == one(wanted).map(|name| name.to_lowercase())
        }
        // A service that another `nssm.exe` runs goes on with that one.
        "ImagePath" => {
            let path = |parameter: &Parameter| one(parameter).map(|path| path.trim_matches('"').to_lowercase());
            found.values == wanted.values || path(found) != path(wanted)
        }
        _ => is_read(found) && found.values == wanted.values,
    }
}

/// The account that a parameter is, if that has a password.
pub fn account_with_password(parameter: &Parameter) -> Option<WindowsAccount> {
    let name = parameter.values.first().filter(|_| parameter.name == OBJECT_NAME)?;
    Some(WindowsAccount::registered(&name.to_string())).filter(WindowsAccount::has_password)
}

/// The account among these parameters.
pub fn account_of(parameters: &[Parameter]) -> Option<WindowsAccount> {
    let parameter = parameters.iter().find(|parameter| parameter.name == OBJECT_NAME)?;
    Some(WindowsAccount::registered(&parameter.values.first()?.to_string()))
}

/// A service as NSSM should have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NssmService {
    /// The service.
    pub name: ServiceName,
    /// The program that `nssm install` is given.
    pub application: Text,
    /// Its parameters, in the order in which they are set.
    pub parameters: Vec<Parameter>,
    /// Parameters that are set when it is made and then belong to the administrator: the account,
    /// where none is asked for.
    pub initial: Vec<Parameter>,
    /// How it leaves an error log behind.
    pub runner: Runner,
}

/// Whether RunService can stand between NSSM and the program of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Runner {
    /// With these in the place of `Application` and `AppParameters`.
    Possible([Parameter; 2]),
    /// It does, for this, which nothing else can do.
    Needed(&'static str),
    /// Its script leaves the error log behind.
    Needless,
    /// Why not.
    Impossible(&'static str),
}

impl NssmService {
    /// The service with RunService between NSSM and its program, where that can be.
    #[must_use]
    pub fn with_runner(mut self) -> Self {
        if let Runner::Possible(through) = &self.runner {
            for (parameter, through) in self.parameters.iter_mut().zip(through) {
                parameter.clone_from(through);
            }
        }
        self
    }

    /// The service with RunService there in any case, because that alone can do what it needs.
    fn through_runner(mut self, need: &'static str) -> Result<Self, Unsayable> {
        match &self.runner {
            Runner::Possible([application, _]) => self.application.clone_from(&application.values[0]),
            Runner::Impossible(reason) => {
                return Err(needs_runner(need, reason));
            }
            Runner::Needed(_) | Runner::Needless => {}
        }
        Ok(Self { runner: Runner::Needed(need), ..self.with_runner() })
    }

    /// What has to be set or reset where `stored` is what NSSM has for it: what it should have, and what nobody asks for.
    pub fn differing(&self, stored: &[Parameter]) -> Vec<Parameter> {
        let wrong = self.parameters.iter().filter(|wanted| !is_as_wanted(wanted, stored)).cloned();
        let is_asked_for = |known: &Parameter| self.parameters.iter().any(|wanted| wanted.is_same_as(known));
        let surplus = stored.iter().filter(|known| goes_unasked(&known.name) && !is_asked_for(known));
        let unset = surplus.filter(|known| known.values != default_of(known) || !is_read(known)).map(unset);
        // Resets first, as in a batch: Wine forgets dependencies with any later change of what every service has.
        unset.chain(wrong).collect()
    }

    /// What resets everything that an earlier registration may have and that is not asked for, whatever it has.
    pub fn resets(&self) -> Vec<Parameter> {
        let is_asked_for = |name: &&str| self.parameters.iter().any(|wanted| wanted.name == *name);
        resettable().filter(|name| !is_asked_for(name)).map(|name| unset(&Parameter::lines(name, Vec::new()))).collect()
    }

    /// What registers it.
    pub fn register(&self) -> Operation {
        Operation::Register { name: self.name.clone(), application: self.application.clone() }
    }

    /// What sets one of its parameters.
    pub fn set(&self, parameter: &Parameter) -> Operation {
        Operation::Set { name: self.name.clone(), parameter: parameter.clone() }
    }
}

/// The service of `spec`.
///
/// # Errors
/// Everything that NSSM cannot carry to the program as it is.
pub fn service(spec: &ServiceSpec, place: &Place) -> Result<NssmService, Vec<Refusal>> {
    let mut refusals = Refusals::default();
    let script = place.python_script(&spec.name);
    let (application, literals) = match &spec.run {
        Run::Executable { path, arguments } => (path, literals(arguments, &mut refusals)),
        Run::Python { interpreter, .. } => (interpreter, vec![script]),
        Run::Commands { .. } => {
            let fault = Unsayable::new("is a command line of systemd", Layer::Nssm, "NSSM runs one program");
            refusals.keep::<()>("the command", Err(fault));
            return refusals.or(None);
        }
    };
    let no_runner = why_no_runner(spec);
    // Where nothing is quoted by us, nothing of ours is read once more.
    let takes_batch = literals.is_empty() || no_runner.is_none();
    let program = if takes_batch { NssmPath::new(application) } else { NssmPath::program(application) };
    refusals.keep("the executable", program);
    if no_runner.is_none() && BatchLine::is_for(application) {
        by_cmd("the executable", application, "argument", &literals, &mut refusals);
    }
    if let [program, arguments @ ..] = &stop_words(spec)[..] {
        const ARGUMENT: &str = "the stop command's argument";
        for (index, word) in arguments.iter().enumerate() {
            refusals.keep(format_args!("{ARGUMENT} {}", index + 1), TargetArg::new(word));
        }
        if BatchLine::is_for(program) {
            by_cmd("the stop command", program, ARGUMENT, arguments, &mut refusals);
        }
    }
    let mut words = Vec::new();
    for (index, word) in literals.iter().enumerate() {
        words.extend(refusals.keep(format_args!("argument {}", index + 1), TargetArg::new(word)));
    }
    let arguments = refusals.keep("the arguments", AppParameters::new(&words));
    let output = output(spec, place);
    let place_of_output = match spec.output {
        Output::File(_) => "option `--log-file`",
        Output::Usual | Output::Dropped => "the state directory",
    };
    refusals.keep("the working directory", NssmPath::new(&spec.working_directory));
    for path in &output {
        refusals.keep(place_of_output, NssmPath::new(path));
    }
    let environment = environment(spec, application, &mut refusals);

    let (at_error, at_success) = at_exit(spec.restart);
    // The first two are those that RunService has, too.
    let mut parameters = vec![
        Parameter::new("Application", application.clone()),
        Parameter::new("AppParameters", arguments.map(|arguments| arguments.as_text()).unwrap_or_default()),
        Parameter::new("AppDirectory", spec.working_directory.clone()),
        Parameter::new("DisplayName", spec.display_name.as_str()),
        Parameter::new("Description", if spec.ours.has("Description") { spec.description.as_str() } else { "" }),
        Parameter::new(START, start(spec.at_boot)),
        Parameter::lines("AppStdout", output.clone()),
        Parameter::lines("AppStderr", output),
        Parameter::number("AppRotateFiles", 1),
        Parameter::number("AppRotateOnline", 1),
        Parameter::number("AppRotateBytes", ROTATE_BYTES),
        Parameter::on_exit("Default", at_error),
        Parameter::number("AppRestartDelay", millis(spec.restart_sec)),
        Parameter::number("AppThrottle", THROTTLE_MS),
        Parameter::number("AppStopMethodSkip", 0),
        Parameter::number("AppStopMethodConsole", millis(spec.stop_timeout)),
        Parameter::number("AppStopMethodWindow", STOP_OTHER_MS),
        Parameter::number("AppStopMethodThreads", STOP_OTHER_MS),
        Parameter::number("AppNoConsole", 0),
        Parameter::lines("AppEnvironmentExtra", environment),
    ];
    parameters.retain(|parameter| is_said(spec, parameter));
    let exe = place.nssm();
    if exe.as_bytes().contains(&b' ') {
        // Without quotes Windows would look for a program `C:\Program` first.
        parameters.push(Parameter::new("ImagePath", format!("\"{exe}\"")));
    }
    let mut initial = Vec::new();
    let account = Parameter::new(OBJECT_NAME, spec.account.as_deref().unwrap_or(windows_account::SYSTEM));
    if spec.account.is_some() { &mut parameters } else { &mut initial }.push(account);
    if at_error != at_success {
        parameters.push(Parameter::on_exit("0", at_success));
    }
    for parameter in &spec.parameters {
        match parameters.iter_mut().find(|known| known.is_same_as(parameter)) {
            Some(known) => known.clone_from(parameter),
            None => parameters.push(parameter.clone()),
        }
    }
    let depends: Vec<Text> = spec.order.depends_on.iter().map(|name| name.as_str().into()).collect();
    if !depends.is_empty() && parameters.iter().all(|known| known.name != "DependOnService") {
        parameters.push(Parameter::lines("DependOnService", depends));
    }
    let runner = runner(spec, application, literals, &words, &parameters, place);
    let application = application.clone();
    let service = NssmService { name: spec.name.clone(), application, parameters, initial, runner };
    let service = match need(spec, &service.application) {
        None => Some(service),
        Some(need) => refusals.keep("the service", service.through_runner(need)),
    };
    refusals.or(service)
}

/// Whether RunService can stand between NSSM and the program, which is given `literals`: the words that it reads are in
/// front.
fn runner(
    spec: &ServiceSpec,
    application: &Text,
    literals: Vec<Text>,
    words: &[TargetArg],
    parameters: &[Parameter],
    place: &Place,
) -> Runner {
    let is_python = matches!(spec.run, Run::Python { .. });
    if is_python && need(spec, application).is_none() {
        return Runner::Needless;
    }
    let order = RunnerOrder {
        error_log: !is_python,
        log_keep: spec.log_keep,
        stop_command: stop_words(spec),
        variables: variables(spec, place),
        service: spec.name.clone(),
        output: first_of(parameters, "AppStderr").cloned().unwrap_or_default(),
        program: application.clone(),
        arguments: literals,
    };
    match (why_no_runner(spec).or_else(|| cannot_pass(spec, parameters)), through(&order, words, place)) {
        (Some(reason), _) => Runner::Impossible(reason),
        (None, None) => Runner::Impossible("its arguments leave no room for RunService"),
        (None, Some(through)) => Runner::Possible(through),
    }
}

/// What only RunService can do for the service, if there is anything.
fn need(spec: &ServiceSpec, application: &Text) -> Option<&'static str> {
    let is_batch = BatchLine::is_for(application) && why_no_runner(spec).is_none();
    let has_secrets = !spec.secrets.is_empty() && matches!(spec.run, Run::Executable { .. });
    match () {
        () if has_secrets => Some("secrets"),
        () if spec.environment_file.is_some() => Some("an environment file"),
        () if spec.log_keep.is_some() => Some("`log_keep`"),
        () if spec.stop_command.is_some() => Some("a stop command"),
        () => is_batch.then_some("a batch file"),
    }
}

/// The words of what asks it to end. RunService puts the number of its process in for `$MAINPID` at the end of one.
fn stop_words(spec: &ServiceSpec) -> Vec<Text> {
    let word = |argument: &Argument| match argument {
        Argument::Literal(text) => text.clone(),
        Argument::Reference { before, variable } => before.with(&format!("${variable}")),
    };
    let words = |command: &StopCommand| {
        std::iter::once(command.path.clone()).chain(command.arguments.iter().map(word)).collect()
    };
    spec.stop_command.as_ref().map(words).unwrap_or_default()
}

/// The files that RunService reads variables from, of which a later one counts more, as in a unit of systemd: the user's,
/// and that of the secrets, which only administrators and the account of the service can read.
fn variables(spec: &ServiceSpec, place: &Place) -> Vec<Text> {
    let has_secrets = !spec.secrets.is_empty() && matches!(spec.run, Run::Executable { .. });
    let secrets = has_secrets.then(|| place.environment_file(&spec.name));
    let own = spec.environment_file.as_ref().map(|file| match file.optional {
        true => Text::from_bytes([b"-", file.path.as_bytes()].concat()),
        false => file.path.clone(),
    });
    own.into_iter().chain(secrets).collect()
}

/// Why a service that needs RunService for something cannot be.
fn needs_runner(need: &str, reason: &'static str) -> Unsayable {
    Unsayable::new(format!("needs RunService for {need}"), Layer::Nssm, reason)
}

/// What cmd.exe would not give to a batch file as it is; `called` and `each` say whose batch file and arguments they are.
fn by_cmd(called: &str, batch: &Text, each: &str, arguments: &[Text], refusals: &mut Refusals) {
    let before = refusals.0.len();
    refusals.keep(called, batch_line::carried(batch));
    for (index, argument) in arguments.iter().enumerate() {
        refusals.keep(format_args!("{each} {}", index + 1), batch_line::carried(argument));
    }
    if refusals.0.len() == before {
        refusals.keep("the command line", BatchLine::new(batch, arguments));
    }
}

/// What NSSM does after an error, and after an end without one.
fn at_exit(restart: Restart) -> (&'static str, &'static str) {
    match restart {
        Restart::Always => ("Restart", "Restart"),
        Restart::OnFailure => ("Restart", "Exit"),
        Restart::OnSuccess => ("Exit", "Restart"),
        // What only a signal or a watchdog brings about does not happen on Windows.
        Restart::Never | Restart::OnAbnormal | Restart::OnAbort | Restart::OnWatchdog => ("Exit", "Exit"),
    }
}

/// Whether the command line is the user's own.
fn has_own_words(spec: &ServiceSpec) -> bool {
    spec.parameters.iter().any(|parameter| parameter.name == "AppParameters")
}

/// Whether a parameter that has no value of the user's is set: of a plain service that is what every service of NSSM has,
/// and what its keys say.
fn is_said(spec: &ServiceSpec, parameter: &Parameter) -> bool {
    spec.ours.is_all()
        || match parameter.name.as_str() {
            "AppRestartDelay" => spec.ours.has("RestartSec"),
            "AppStopMethodConsole" => spec.ours.has("TimeoutStopSec"),
            "AppStdout" | "AppStderr" | "AppEnvironmentExtra" => !parameter.values.is_empty(),
            name => !name.starts_with("AppRotate") && !name.starts_with("AppStop") && !LEFT_TO_NSSM.contains(&name),
        }
}

/// What a plain service has as NSSM has it.
const LEFT_TO_NSSM: [&str; 2] = ["AppThrottle", "AppNoConsole"];

/// The classes that Windows gives to a program only by the call that starts it; the lower ones are passed on.
const NOT_PASSED_ON: [&str; 3] = ["REALTIME_PRIORITY_CLASS", "HIGH_PRIORITY_CLASS", "ABOVE_NORMAL_PRIORITY_CLASS"];

/// Why RunService cannot stand between NSSM and the program, whatever else the service has.
fn why_no_runner(spec: &ServiceSpec) -> Option<&'static str> {
    match () {
        () if !spec.ours.is_all() => Some("it is plain"),
        () if has_own_words(spec) => Some("its `AppParameters` are one command line, which RunService cannot pass on"),
        () => None,
    }
}

/// Why RunService cannot do what these parameters say.
fn cannot_pass(spec: &ServiceSpec, parameters: &[Parameter]) -> Option<&'static str> {
    let is_one_of = |name, words: &[&str]| {
        first_of(parameters, name).is_some_and(|value| words.iter().any(|word| *value == (*word).into()))
    };
    match () {
        () if is_one_of("AppPriority", &NOT_PASSED_ON) => Some("RunService cannot pass its `AppPriority` on"),
        () if spec.stop_command.is_some() && is_one_of("AppKillProcessTree", &["0"]) => {
            Some("what its stop command does not end is left to NSSM, so its `AppKillProcessTree` must not be 0")
        }
        () => None,
    }
}

fn first_of<'a>(parameters: &'a [Parameter], name: &str) -> Option<&'a Text> {
    parameters.iter().find(|known| known.name == name)?.values.first()
}

/// The parameters by which RunService does what `order` says, whose arguments are `arguments`; none where they have no
/// room behind its own words.
fn through(order: &RunnerOrder, arguments: &[TargetArg], place: &Place) -> Option<[Parameter; 2]> {
    let words: Result<Vec<TargetArg>, Unsayable> = order.front().iter().map(TargetArg::new).collect();
    let line = words.and_then(|words| AppParameters::new(&[&words, arguments].concat())).ok()?;
    Some([Parameter::new("Application", place.runner()), Parameter::new("AppParameters", line.as_text())])
}

/// The file that the output goes to, or none. Only administrators write into the state directory, so that of a service
/// with an account of its own is beside what else it writes.
fn output(spec: &ServiceSpec, place: &Place) -> Vec<Text> {
    let usual = || match spec.account.as_deref() {
        None | Some(windows_account::SYSTEM) => place.output(&spec.name),
        Some(_) => Place { state_dir: spec.working_directory.clone(), ..place.clone() }.output(&spec.name),
    };
    match &spec.output {
        Output::Usual if !spec.ours.is_all() => Vec::new(),
        Output::Usual => vec![usual()],
        Output::File(path) => vec![path.clone()],
        Output::Dropped => Vec::new(),
    }
}

/// The words of a program's command line; NSSM has no way to put a variable into them.
fn literals(arguments: &[Argument], refusals: &mut Refusals) -> Vec<Text> {
    let mut words = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        match argument {
            Argument::Literal(text) => words.push(text.clone()),
            Argument::Reference { variable, .. } => {
                let fault = Unsayable::new(
                    format!("refers to `{variable}`"),
                    Layer::Nssm,
                    "every user of the machine can read the arguments there; a Python program gets the value itself",
                );
                refusals.keep::<()>(format_args!("argument {}", index + 1), Err(fault));
            }
        }
    }
    words
}

/// The entries of `AppEnvironmentExtra`.
fn environment(spec: &ServiceSpec, application: &Text, refusals: &mut Refusals) -> Vec<Text> {
    let mut settings: Vec<(EnvName, Text)> = Vec::new();
    if spec.is_of_python() && spec.ours.is_all() {
        for (name, value) in [("PYTHONUNBUFFERED", "1"), ("PYTHONIOENCODING", "utf-8")] {
            settings.push((name.parse().expect("a name"), value.into()));
        }
    }
    settings.retain(|(name, _)| !spec.environment.contains_key(name));
    settings.extend(spec.environment.iter().map(|(name, value)| (name.clone(), value.clone())));
    let folders: Vec<Text> = spec
        .path
        .iter()
        .cloned()
        .chain(if runs_python(spec, application) { folders_of(application) } else { Vec::new() })
        .collect();
    let has_path = spec.environment.keys().any(|name| name.as_str().eq_ignore_ascii_case("PATH"));
    let search = if folders.is_empty() || has_path {
        None
    } else {
        refusals.keep("option `--path`", NssmEnvironment::search_path(&folders))
    };
    match NssmEnvironment::new(&settings) {
        Ok(environment) => search.into_iter().chain(environment.entries()).collect(),
        Err(faults) => {
            for (name, fault) in faults {
                refusals.keep::<()>(format_args!("environment variable `{name}`"), Err(fault));
            }
            Vec::new()
        }
    }
}

/// Whether the program is a Python: that of a Python program, or one that is named itself.
fn runs_python(spec: &ServiceSpec, application: &Text) -> bool {
    let name = Platform::Windows.file_name(application).to_string().to_lowercase();
    let version = name.strip_suffix(".exe").unwrap_or(&name).strip_prefix("python");
    let is_version = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'w'));
    matches!(spec.run, Run::Python { .. }) || spec.ours.is_all() && version.is_some_and(is_version)
}

/// The folders that an interpreter finds its programs and libraries in. A service has another PATH
/// than the user who installed it; conda keeps its DLLs in `Library\bin`.
fn folders_of(interpreter: &Text) -> Vec<Text> {
    let Some((folder, _)) = interpreter.as_str().and_then(|path| path.rsplit_once(['\\', '/'])) else {
        return Vec::new();
    };
    if folder.to_ascii_lowercase().ends_with("scripts") {
        return vec![folder.into()];
    }
    [folder.to_owned(), format!("{folder}\\Scripts"), format!("{folder}\\Library\\bin")].map(Text::from).to_vec()
}

/// The files that a service of NSSM needs in the working directory: for Python its script.
pub fn artifacts(spec: &ServiceSpec, place: &Place) -> Vec<Artifact> {
    let Run::Python { entry, arguments, .. } = &spec.run else { return Vec::new() };
    let path = error_log_path(&spec.working_directory, &spec.name);
    let log = python::Log { path: &path, left_to_root: false };
    let environment_file = (!spec.secrets.is_empty()).then(|| place.environment_file(&spec.name));
    let secrets = environment_file.as_ref().map_or(python::Secrets::Given, python::Secrets::File);
    let script = python::script(&spec.name, entry, arguments, &spec.working_directory, log, secrets);
    vec![Artifact::plain(place.python_script(&spec.name), script)]
}

/// A file of a Windows host beside the batch that will copy it to its place.
pub fn beside(artifact: Artifact) -> Artifact {
    Artifact { path: Platform::Windows.file_name(&artifact.path), ..artifact }
}

#[derive(Template)]
#[template(path = "nssm/install.cmd", askama = fence)]
struct InstallBatch {
    signature: Signature,
    name: Token,
    key: CmdPath,
    key_of_parameters: CmdPath,
    nssm: CmdPath,
    nssm_beside: CmdPath,
    nssm_sha256: Vec<Token>,
    folder: CmdPath,
    copies: Vec<(CmdPath, CmdPath)>,
    values: Option<SecretValues>,
    words: CmdPath,
    install: CmdLine,
    initial: Vec<CmdLine>,
    reset: Vec<CmdLine>,
    forgotten: Vec<Forgotten>,
    run_service: Option<Exported>,
    runner: Option<RunnerLines>,
    set: Vec<CmdLine>,
    account: Option<OtherAccount>,
}

/// What a batch takes out of the registry itself, whether it is there or not, and what tells that it is gone.
struct Forgotten {
    delete: CmdLine,
    query: CmdLine,
}

impl Forgotten {
    /// What `nssm.exe` does not reset: the actions for all exit codes, and what came after NSSM 2.24.
    fn of(service: &ServiceName, refusals: &mut Refusals) -> Vec<Self> {
        let mut line = |words: &[&str]| {
            let tokens = words.iter().map(|word| CmdToken::new(&(*word).into()));
            refusals.keep(
                "service name",
                tokens.collect::<Result<Vec<_>, _>>().and_then(|tokens| CmdLine::reg_in_silence(&tokens)),
            )
        };
        let key = format!(r"{SERVICES}\{service}\{PARAMETERS}");
        let keys = ["AppExit", APP_EVENTS].map(|name| (format!(r"{key}\{name}"), None));
        let values = LATER.into_iter().map(|(name, _)| name).filter(|name| *name != APP_EVENTS);
        let values = values.map(|name| (key.clone(), Some(name)));
        let all = keys.into_iter().chain(values).filter_map(|(key, value)| {
            let value = value.map(|name| ["/v", name]);
            let words = [key.as_str()].into_iter().chain(value.into_iter().flatten()).collect::<Vec<_>>();
            let [delete, query] = [["delete"], ["query"]].map(|verb| [&verb[..], &words].concat());
            Some(Self { delete: line(&[&delete[..], &["/f"]].concat())?, query: line(&query)? })
        });
        all.collect()
    }
}

/// The `RunService.exe` that was exported with a batch.
#[derive(Clone)]
struct Exported {
    beside: CmdPath,
    sha256: Token,
}

impl Exported {
    fn of(sum: &Checksum) -> Self {
        Self { beside: CmdPath::beside(RUNNER).expect("a plain name"), sha256: sum.into() }
    }
}

/// The file of this name that lies beside a batch.
fn beside_batch(path: &Text) -> Option<CmdPath> {
    CmdPath::beside(path.as_str().and_then(|path| path.rsplit('\\').next()).unwrap_or_default()).ok()
}

/// The files beside a batch, each with the place that it is put in.
fn copies(files: &[Artifact], refusals: &mut Refusals) -> Vec<(CmdPath, CmdPath)> {
    let copy = |file: &Artifact| {
        let to = refusals.keep("the state directory", CmdPath::new(&file.path));
        beside_batch(&file.path).zip(to)
    };
    files.iter().filter_map(copy).collect()
}

/// What a batch does where there is RunService, and where there is none.
struct RunnerLines {
    exe: CmdPath,
    exported: Exported,
    /// Whether the service cannot do without; then its lines are among all the others.
    is_needed: bool,
    through: Vec<CmdLine>,
    direct: Vec<CmdLine>,
}

impl RunnerLines {
    /// Those of a service that is nothing without: they are among all the others.
    fn needed(exe: CmdPath, exported: &Exported) -> Self {
        Self { exe, exported: exported.clone(), is_needed: true, through: Vec::new(), direct: Vec::new() }
    }
}

/// The environment file, which no batch holds: an empty one is made that only administrators open.
struct SecretValues {
    file: CmdPath,
    example: CmdPath,
    /// What lets the account of the service read it.
    reader: Option<CmdLine>,
}

impl SecretValues {
    fn of(service: &NssmService, path: &Text, called: &Called<'_>, refusals: &mut Refusals) -> Option<Self> {
        let file = refusals.keep("the state directory", CmdPath::new(path))?;
        let account = account_of(&service.parameters).filter(|account| !account.is_system());
        let reader = account.and_then(|account| {
            let (file, account) = (path.clone(), account.in_access_list().to_owned());
            called.line("option `--account`", &Operation::GrantRead { file, account }, refusals)
        });
        Some(Self { file, example: beside_batch(&path.with(".example"))?, reader })
    }
}

/// The account of a service that is not to run as LocalSystem, not even where a batch fails half way.
struct OtherAccount {
    name: CmdPath,
    /// Keeps a new service from starting until it has the account.
    disable: CmdLine,
    /// What has to be so before a service that is there can have it: Windows lets no account but LocalSystem show windows.
    before: Vec<CmdLine>,
    /// Makes it that of the service; one that has a password without that, which no batch holds, and lets it log on.
    set: CmdLine,
    has_password: bool,
}

impl OtherAccount {
    fn of(service: &NssmService, called: &Called<'_>, refusals: &mut Refusals) -> Option<Self> {
        let what = "option `--account`";
        let parameter = service.parameters.iter().find(|parameter| parameter.name == OBJECT_NAME)?;
        let account = account_of(&service.parameters).filter(|account| !account.is_system())?;
        let name = refusals.keep(what, CmdPath::new(&account.name().into()));
        let set = match account.has_password() {
            true => Operation::LetLogOn { name: service.name.clone(), account: account.name().to_owned() },
            false => service.set(parameter),
        };
        let set = called.line(what, &set, refusals);
        let disable = called.line(what, &service.set(&Parameter::new(START, "SERVICE_DISABLED")), refusals);
        let of_type = service.resets().into_iter().filter(|parameter| parameter.name == "Type");
        let before = of_type.filter_map(|parameter| called.line(what, &service.set(&parameter), refusals)).collect();
        let has_password = account.has_password();
        Some(Self { name: name?, disable: disable?, before, set: set?, has_password })
    }
}

/// What a batch calls.
struct Called<'a> {
    exe: &'a Text,
    nssm: Option<&'a CmdPath>,
    /// Where goes what is said.
    said: Option<&'a CmdPath>,
}

impl Called<'_> {
    /// The line that does what `operation` says; `what` that is about for a refusal.
    fn line(&self, what: &str, operation: &Operation, refusals: &mut Refusals) -> Option<CmdLine> {
        let Invocation(words) = operation.invocation(self.exe);
        let (program, words) = words.split_first()?;
        let tokens: Vec<Option<CmdToken>> = words.iter().map(|word| refusals.keep(what, CmdToken::new(word))).collect();
        let tokens: Option<Vec<CmdToken>> = tokens.into_iter().collect();
        let (tokens, said) = (tokens?, self.said?);
        let line = match program.as_bytes() {
            b"sc.exe" => CmdLine::sc(&tokens, said),
            b"icacls.exe" => CmdLine::icacls(&tokens, said),
            // NSSM does not set what came after it.
            b"reg.exe" => CmdLine::reg(&tokens, said),
            _ => CmdLine::new(self.nssm?, &tokens, said),
        };
        refusals.keep(what, line)
    }
}

#[derive(Template)]
#[template(path = "nssm/remove.cmd", askama = fence)]
struct RemoveBatch {
    signature: Signature,
    name: Token,
    key: CmdPath,
    key_of_parameters: CmdPath,
    nssm: CmdPath,
    files: Vec<CmdPath>,
}

/// What a batch knows of the executables that it is to find beside itself, or in their place.
#[derive(Clone, Debug, Default)]
pub struct Executables {
    /// The checksums of each `nssm.exe` that it may use.
    pub nssm: Vec<Checksum>,
    /// That of its `RunService.exe`, where one was exported with it.
    pub runner: Option<Checksum>,
}

/// The command batches of a service.
#[derive(Clone, Debug)]
pub struct Batches {
    /// The one that installs it, and the one that removes it.
    pub files: [Artifact; 2],
    /// Why they know nothing of RunService, though a direct install may.
    pub without_runner: Option<&'static str>,
}

/// The batch that installs `service`, and the one that removes it. `files` lie beside the batches and
/// are put in their places; so are an `nssm.exe` and a `RunService.exe`, where there is none yet: each has to be one of
/// `executables`. With `environment_file` the service needs values that only the host has.
///
/// # Errors
/// Everything that a batch cannot carry; a direct install may.
pub fn batches(
    service: &NssmService,
    files: &[Artifact],
    environment_file: Option<&Text>,
    executables: &Executables,
    place: &Place,
) -> Result<Batches, Vec<Refusal>> {
    let mut refusals = Refusals::default();
    let folder = refusals.keep("the state directory", CmdPath::new(&place.state_dir));
    let exe = place.nssm();
    let nssm = refusals.keep("the state directory", CmdPath::new(&exe));
    let said = refusals.keep("the state directory", CmdPath::new(&place.words()));
    let called = Called { exe: &exe, nssm: nssm.as_ref(), said: said.as_ref() };
    let line = |what: &str, operation: &Operation, refusals: &mut Refusals| called.line(what, operation, refusals);
    let install = line("the executable", &service.register(), &mut refusals);
    let lines = |parameters: &[Parameter], refusals: &mut Refusals| -> Vec<CmdLine> {
        let what = |parameter: &Parameter| match parameter.name.as_str() {
            "AppParameters" => "the arguments".to_owned(),
            "AppEnvironmentExtra" => "the environment".to_owned(),
            _ => format!("parameter {parameter}"),
        };
        let lines = parameters.iter().map(|parameter| line(&what(parameter), &service.set(parameter), refusals));
        lines.collect::<Vec<_>>().into_iter().flatten().collect()
    };
    let initial = lines(&service.initial, &mut refusals);
    let reset = lines(&service.resets(), &mut refusals);
    let forgotten = Forgotten::of(&service.name, &mut refusals);
    let account = OtherAccount::of(service, &called, &mut refusals);
    let is_set_first = |parameter: &&Parameter| account.is_some() && parameter.name == OBJECT_NAME;
    let others = service.parameters.iter().filter(|parameter| !is_set_first(parameter)).cloned();
    let mut set = lines(&others.collect::<Vec<_>>(), &mut refusals);
    let run_service = executables.runner.as_ref().map(Exported::of);
    let runner_exe = refusals.keep("the state directory", CmdPath::new(&place.runner()));
    let (mut runner, mut without_runner) = (None, None);
    match (&service.runner, &run_service, runner_exe) {
        (Runner::Possible(parameters), Some(exported), Some(exe)) => {
            let mut faults = Refusals::default();
            let through = lines(parameters, &mut faults);
            if faults.0.is_empty() {
                let direct = set.drain(..through.len().min(set.len())).collect();
                runner = Some(RunnerLines { exe, exported: exported.clone(), is_needed: false, through, direct });
            } else {
                without_runner = Some("its arguments leave no room for RunService in a line there");
            }
        }
        (Runner::Needed(_), Some(exported), Some(exe)) => runner = Some(RunnerLines::needed(exe, exported)),
        (Runner::Needed(need), None, _) => {
            let reason = "RunService.exe is not among the files; put it beside this program, or omit `--no-nssm`";
            refusals.keep::<()>("the service", Err(needs_runner(need, reason)));
        }
        (Runner::Possible(_) | Runner::Needed(_) | Runner::Needless | Runner::Impossible(_), _, _) => {}
    }
    let copies = copies(files, &mut refusals);
    let removed = copies.iter().map(|(_, to)| to.clone()).collect();
    let values = environment_file.and_then(|path| SecretValues::of(service, path, &called, &mut refusals));
    let signature = || Signature::new(format_args!(" for the service {}; written anew by every export.", service.name));
    let (Some(nssm), Some(folder), Some(words), Some(install)) = (nssm.clone(), folder, said, install) else {
        return refusals.or(None);
    };
    let name = || Token::from(&service.name);
    let key = |below: &str| key_of(&service.name, below);
    let install = InstallBatch {
        signature: signature(),
        name: name(),
        key: key(""),
        key_of_parameters: key(r"\Parameters"),
        nssm: nssm.clone(),
        nssm_beside: CmdPath::beside("nssm.exe").expect("a plain name"),
        nssm_sha256: executables.nssm.iter().map(Token::from).collect(),
        folder,
        copies,
        values,
        words,
        install,
        initial,
        reset,
        forgotten,
        run_service,
        runner,
        set,
        account,
    };
    let remove = RemoveBatch {
        signature: signature(),
        name: name(),
        key: key(""),
        key_of_parameters: key(r"\Parameters"),
        nssm,
        files: removed,
    };
    let files = [("install", install.render()), ("remove", remove.render())];
    let files = files.map(|(verb, text)| batch_file(verb, &service.name, text));
    refusals.or(Some(Batches { files, without_runner }))
}

/// The key of a service in the registry, or what is `below` it.
fn key_of(service: &ServiceName, below: &str) -> CmdPath {
    CmdPath::new(&format!(r"{SERVICES}\{service}{below}").into()).expect("a name of letters and digits")
}

/// A batch, whose lines end as cmd.exe reads them.
fn batch_file(verb: &str, service: &ServiceName, text: Result<String, askama::Error>) -> Artifact {
    let text = (text.expect("every field is checked") + "\n").replace('\n', "\r\n");
    Artifact::plain(format!("{verb}-{service}.cmd").into(), text.into_bytes())
}
