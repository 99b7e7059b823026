//! The files that make a service of systemd.

use std::fmt;

use askama::Template;

use super::escape::{
    self, Account, Description, DirectiveLine, EnvAssignment, EnvFileName, EnvFileValue, ExecPath, ExecWord, GlobPath,
    Layer, MAX_STRING, MAX_UNIT_LINE, PathWord, RawPath, ShellWord, Signature, Token, Unsayable,
};
use super::{Refusal, Refusals, fence, python};
use crate::model::artifact::{Artifact, ArtifactKind};
use crate::model::name::{EnvName, ServiceName};
use crate::model::place::{CREDENTIAL, Place, error_log_path};
use crate::model::privileges::BRING_NO_NEW_PRIVILEGES;
use crate::model::schedule::Schedule;
use crate::model::spec::{
    Argument, Hardening, Ours, Output, OwnFile, Restart, Run, Scope, SecretStore, ServiceSpec, StopCommand, Timer,
};
use crate::model::systemd_table::{Directive, Section};
use crate::model::systemd_version::SystemdVersion;
use crate::model::text::Text;

/// Where systemd looks for programs by default (systemd.exec(5), `$PATH`).
pub const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What arguments and environment may take together with the usual stack limit of 8 MiB, and at
/// most, with any (execve(2), "Limits on size of arguments and environment"): a quarter of
/// the limit, but no more than 6 MiB. Both less 64 KiB for what systemd adds and for secrets.
const MAX_TOTAL: usize = (2 << 20) - ALLOWANCE;
const MAX_TOTAL_EVER: usize = (6 << 20) - ALLOWANCE;
const ALLOWANCE: usize = 64 << 10;

const STATE_DIR: &str = "the state directory";

/// What runs our scripts.
const SHELL: &str = "/bin/sh";

#[derive(Template)]
#[template(path = "systemd/service.service", askama = fence)]
struct Unit {
    signature: Signature,
    name: Token,
    /// Whether what is called like it has the name of the instance behind it.
    template: bool,
    description: Description,
    system: bool,
    /// Whether it is started after the network is up.
    network: bool,
    after: Vec<Token>,
    before: Vec<Token>,
    requires: Vec<Token>,
    wants: Vec<Token>,
    mounts: Vec<PathWord>,
    kind: Token,
    notify: bool,
    account: Option<Account>,
    working_directory: Option<RawPath>,
    environment: Vec<EnvAssignment>,
    /// The user's own file of variables, behind which ours counts; with `-` in front it may be missing.
    own_file: Option<(bool, GlobPath)>,
    environment_file: Option<GlobPath>,
    credential: Option<Credential>,
    /// Variables that no command of the unit gets, whatever sets them. Behind the directives of a manifest, of which an
    /// empty `UnsetEnvironment=` would drop them.
    unset: Vec<Token>,
    start: Start,
    stop: Vec<CommandLine>,
    stop_post: Option<CommandLine>,
    /// Whether it is started again.
    restarts: bool,
    /// Whether that has no limit (`StartLimitIntervalSec=0`): whoever asks for a restart wants the service back, however
    /// often the disk or the broker was away. A limit that the user sets, or what is to happen at the end of all tries,
    /// needs one.
    unlimited: bool,
    restart: Token,
    restart_sec: Token,
    /// Whether it is started again after an end by SIGPIPE, which systemd counts as clean (systemd.service(5),
    /// `SuccessExitStatus=`): a service is not asked to end that way, so for `--restart on-failure` it has failed.
    after_sigpipe: bool,
    stop_timeout: Token,
    /// The file that its output is appended to.
    log_file: Option<RawPath>,
    /// Whether there is no output.
    silent: bool,
    /// The limit of the stack, of which the kernel lets arguments and environment have a quarter.
    stack: Option<Token>,
    hardening: Vec<Token>,
    writable: Vec<PathWord>,
    extra_unit: Vec<DirectiveLine>,
    extra_service: Vec<DirectiveLine>,
    extra_install: Vec<DirectiveLine>,
    /// The names of the directives that the user says: they take the place of our lines.
    theirs: Vec<&'static str>,
    /// Which of our lines there are at all.
    ours: Ours,
    /// Whether a timer starts it, and no target.
    scheduled: bool,
    /// Whether it is one that ends: when it is stopped, systemd takes the signal for a failure of one
    /// (`EXIT_CLEAN_COMMAND` in `src/shared/exit-status.c`), though it is the answer.
    job: bool,
}

impl Unit {
    /// Whether a line of ours stands in the unit: a key of the `systemd` table takes its place.
    fn is_ours(&self, name: &str) -> bool {
        self.ours.has(name) && !is_said(&self.theirs, name) && !(self.scheduled && name == "WantedBy")
    }

    /// Whether the time before a restart is said: it means nothing where there is none, but for what the user says.
    fn has_restart_sec(&self) -> bool {
        self.is_ours("RestartSec") && (self.restarts || !self.ours.is_all())
    }

    /// Whether all our lines are there, which are lenient to what fails.
    fn is_lenient(&self) -> bool {
        self.ours.is_all()
    }

    /// Whether there is anything to be said in `[Install]`.
    fn has_install(&self) -> bool {
        !self.scheduled && (self.is_ours("WantedBy") || !self.extra_install.is_empty() || self.ours.is_all())
    }
}

/// Whether the user says a directive, by its name or by one that sets it, too (`TimeoutSec=` of systemd.service(5)).
fn is_said(theirs: &[&str], name: &str) -> bool {
    let also = matches!(name, "TimeoutStartSec" | "TimeoutStopSec").then_some("TimeoutSec");
    theirs.iter().any(|said| *said == name || Some(*said) == also)
}

/// The names of the directives that the user says of the service.
fn theirs(spec: &ServiceSpec) -> Vec<&'static str> {
    spec.directives.iter().filter(|directive| !directive.section().is_of_timer()).map(Directive::name).collect()
}

/// Those that the user says of its timer, which shares what is in `[Install]`.
fn theirs_of_timer(spec: &ServiceSpec) -> Vec<&'static str> {
    let is_of_it =
        |directive: &&Directive| directive.section().is_of_timer() || directive.section() == Section::Install;
    spec.directives.iter().filter(is_of_it).map(Directive::name).collect()
}

/// What systemd hands over as a file that only the service reads (systemd.exec(5), `LoadCredential=`).
struct Credential {
    name: Token,
    encrypted: bool,
    path: RawPath,
}

/// What starts a job.
#[derive(Template)]
#[template(path = "systemd/timer.timer", askama = fence)]
struct TimerUnit {
    signature: Signature,
    description: Option<Description>,
    calendar: Option<Token>,
    span: Option<Token>,
    /// Whether a run is made up for that the machine was off at (systemd.timer(5), `Persistent=`): for times of a calendar.
    persistent: bool,
    /// Whether a run begins within a second of its time, as those of cron do, and not within a minute (`AccuracySec=`).
    exact: bool,
    extra_unit: Vec<DirectiveLine>,
    extra_timer: Vec<DirectiveLine>,
    has_install: bool,
    wanted: bool,
    extra_install: Vec<DirectiveLine>,
}

#[derive(Template)]
#[template(path = "systemd/launch.sh", askama = fence)]
struct Launcher {
    signature: Signature,
    credential: Option<Token>,
    directory: Option<ShellWord>,
    words: Vec<ShellWord>,
}

#[derive(Template)]
#[template(path = "systemd/stop.sh", askama = fence)]
struct StopScript {
    signature: Signature,
}

#[derive(Template)]
#[template(path = "systemd/environment.env", askama = fence)]
struct EnvironmentFile {
    signature: Signature,
    secrets: Vec<(EnvFileName, EnvFileValue)>,
}

#[derive(Template)]
#[template(path = "systemd/error_log.sh", askama = fence)]
struct ErrorLog {
    signature: Signature,
    name: Token,
    /// Whether the unit says which of its instances has ended.
    template: bool,
    system: bool,
    /// Whether the script of the service writes tracebacks itself.
    python: bool,
    /// Who runs the service, if not root: the script leaves it to us where the directory is not theirs.
    account: Option<ShellWord>,
    /// The file that the service writes to in place of the journal.
    log_file: Option<ShellWord>,
}

/// A program and its words, in the grammar of `ExecStart=`.
struct CommandLine {
    program: ExecPath,
    words: Vec<ExecWord>,
}

impl CommandLine {
    /// The line, or the first fault in it. `script` is the file of ours that the program reads.
    fn new(
        program: &Text,
        script: Option<&OwnScript>,
        arguments: &[Argument],
        systemd: SystemdVersion,
    ) -> Result<Self, Unsayable> {
        // Before 242 there is no `:` (NEWS of systemd 242).
        let expanded = !systemd.has(242) || arguments.iter().any(|word| word.variable().is_some());
        let word = |argument: &Argument| match argument {
            Argument::Literal(text) if expanded => ExecWord::expanded(text),
            Argument::Literal(text) => ExecWord::verbatim(text),
            Argument::Reference { before, variable } => ExecWord::reference(before, variable),
        };
        let program = ExecPath::new(program, expanded)?;
        let script = script.map(|script| script.word(expanded));
        Ok(Self { program, words: script.into_iter().chain(arguments.iter().map(word)).collect::<Result<_, _>>()? })
    }

    /// The line by which `/bin/sh` reads one script of ours after the other: the first runs what follows it.
    fn of_scripts(scripts: &[&OwnScript], systemd: SystemdVersion) -> Result<Self, Unsayable> {
        let (shell, expanded) = (Text::from(SHELL), !systemd.has(242));
        let mut words = Vec::new();
        for (number, script) in scripts.iter().enumerate() {
            if number > 0 {
                words.push(if expanded { ExecWord::expanded(&shell)? } else { ExecWord::verbatim(&shell)? });
            }
            words.push(script.word(expanded)?);
        }
        Ok(Self { program: ExecPath::new(&shell, expanded)?, words })
    }

    /// Whether systemd reads a line of this length.
    fn fits(&self) -> bool {
        self.program.len() + self.words.iter().map(|word| word.len() + 1).sum::<usize>() + 64 <= MAX_UNIT_LINE
    }
}

/// A script of ours, and the rest of its path if it lies below the home directory of whoever runs it.
struct OwnScript {
    path: Text,
    below_home: Option<Text>,
}

impl OwnScript {
    fn new(path: Text, place: &Place) -> Self {
        Self { below_home: place.below_home(&path), path }
    }

    /// Its path, as a word of a command line.
    fn word(&self, expanded: bool) -> Result<ExecWord, Unsayable> {
        match &self.below_home {
            Some(rest) => ExecWord::below_home(rest, expanded),
            None if expanded => ExecWord::expanded(&self.path),
            None => ExecWord::verbatim(&self.path),
        }
    }
}

/// A program with its arguments, for Python the interpreter with its script.
struct Command<'a> {
    program: &'a Text,
    script: Option<OwnScript>,
    arguments: &'a [Argument],
}

impl<'a> Command<'a> {
    /// None where its commands are lines of systemd already.
    fn of(spec: &'a ServiceSpec, place: &Place) -> Option<Self> {
        match &spec.run {
            Run::Executable { path, arguments } => Some(Self { program: path, script: None, arguments }),
            Run::Python { interpreter, .. } => {
                let script = OwnScript::new(place.python_script(&spec.name), place);
                Some(Self { program: interpreter, script: Some(script), arguments: &[] })
            }
            Run::Commands { .. } => None,
        }
    }

    fn line(&self, systemd: SystemdVersion) -> Option<CommandLine> {
        let line = CommandLine::new(self.program, self.script.as_ref(), self.arguments, systemd);
        line.ok().filter(CommandLine::fits)
    }
}

/// What a service runs, as lines of its unit.
enum Start {
    /// A program and its words.
    Program(CommandLine),
    /// What the user says in systemd's own grammar.
    Said(Vec<DirectiveLine>),
}

/// The files of a service: its unit, for Python the script that it runs, and where the unit cannot
/// say something, a launcher that does.
///
/// # Errors
/// Every part that cannot be carried to the program as it is.
pub fn artifacts(spec: &ServiceSpec, place: &Place) -> Result<Vec<Artifact>, Vec<Refusal>> {
    let mut refusals = Refusals::default();
    let settings = settings(spec, &mut refusals);
    let total = check_sizes(spec, &settings, &mut refusals);
    let directory = RawPath::directory(&spec.working_directory).ok();
    // Somebody has to put what is in a credential into the environment: for Python the script does.
    let credential = has_credential(spec).then_some(CREDENTIAL);
    let reads_credential = credential.filter(|_| !matches!(spec.run, Run::Python { .. }));
    check_credential(spec, &mut refusals);
    check_root_part(spec, &mut refusals);
    let needs_launcher =
        directory.is_none() || reads_credential.is_some() || settings.iter().any(|s| !s.fits_unit(spec));
    let command = Command::of(spec, place);
    let direct = command.as_ref().and_then(|command| command.line(spec.systemd)).filter(|_| !needs_launcher);
    let launched = command.as_ref().filter(|_| direct.is_none());

    let (mut environment, mut carried) = (Vec::new(), Vec::new());
    for setting in &settings {
        match EnvAssignment::new(&setting.name, &setting.value, spec.systemd) {
            Ok(assignment) if launched.is_none() || (setting.fits_unit(spec) && !shell_keeps(&setting.name)) => {
                environment.push(assignment);
            }
            _ => carried.push(setting),
        }
    }

    let launcher = OwnScript::new(place.launcher(&spec.name), place);
    let start = match (direct, &spec.run) {
        (Some(line), _) => Some(Start::Program(line)),
        (None, Run::Commands { lines, .. }) => {
            check_needs_launcher(spec, &settings, &mut refusals);
            Some(Start::Said(directive_lines(lines, &mut refusals)))
        }
        (None, Run::Executable { .. } | Run::Python { .. }) => {
            refusals.keep(STATE_DIR, CommandLine::of_scripts(&[&launcher], spec.systemd)).map(Start::Program)
        }
    };
    let account = spec.account.as_deref().and_then(|account| {
        refusals.keep(format_args!("the account `{}`", account.escape_debug()), Account::new(account))
    });
    let error_log = OwnScript::new(place.error_log_script(&spec.name), place);
    let stop_script = OwnScript::new(place.stop_script(&spec.name), place);
    let stop = match &spec.stop_command {
        Some(command) => stop_command(command, spec, &mut refusals),
        None if asks_as_ctrl_c(spec) => {
            let line = CommandLine::of_scripts(&[&stop_script], spec.systemd);
            refusals.keep(STATE_DIR, line).into_iter().collect()
        }
        None => Vec::new(),
    };
    check_privileges(spec, &mut refusals);
    let leaves_log = leaves_error_log(spec);
    let stop_post = leaves_log.then(|| {
        // Where the unit cannot say the directory, the launcher goes there first.
        let scripts = if directory.is_some() { vec![&error_log] } else { vec![&launcher, &error_log] };
        refusals.keep(STATE_DIR, CommandLine::of_scripts(&scripts, spec.systemd))
    });

    let mut files = Vec::new();
    let unit = unit(
        spec,
        place,
        UnitParts { account, directory: directory.clone(), environment, start, stop, stop_post, total },
        &mut refusals,
    );
    files.extend(unit.map(|unit| Artifact::plain(place.unit(&spec.name), finish(&unit).into_bytes())));
    let timer = spec.timer.as_ref().and_then(|timer| timer_unit(spec, timer, &mut refusals));
    files.extend(timer.map(|timer| Artifact::plain(place.timer(&spec.name), finish(&timer).into_bytes())));
    if asks_as_ctrl_c(spec) {
        let script = StopScript { signature: rewritten(&spec.name) };
        files.push(Artifact::plain(stop_script.path, finish(&script).into_bytes()));
    }
    if leaves_log {
        files.push(Artifact::plain(error_log.path, finish(&error_log_of(spec)).into_bytes()));
    }
    if let Run::Python { entry, arguments, .. } = &spec.run {
        for (index, argument) in arguments.iter().enumerate() {
            refusals.keep(format_args!("argument {}", index + 1), escape::no_nul(argument.text()));
        }
        let path = error_log_path(&spec.working_directory, &spec.name);
        let log = python::Log { path: &path, left_to_root: has_root_part(spec) };
        let secrets = credential.map_or(python::Secrets::Given, |_| python::Secrets::Credential);
        let script = python::script(&spec.name, entry, arguments, &spec.working_directory, log, secrets);
        files.push(Artifact::plain(place.python_script(&spec.name), script));
    }
    if let Some(command) = launched {
        let words = launch_words(spec, command, &carried, &mut refusals);
        let directory = match directory {
            Some(_) => None,
            None => refusals.keep("the working directory", ShellWord::new(&spec.working_directory)),
        };
        let credential = reads_credential.map(Token::from);
        let launcher = Launcher { signature: rewritten(&spec.name), credential, directory, words };
        files.push(Artifact::plain(place.launcher(&spec.name), escape::bytes(&finish(&launcher))));
    }
    refusals.or(Some(files))
}

/// The environment file of a service, with its secrets; with `store` it is a credential.
///
/// # Errors
/// Every secret that systemd would not read back as it is.
pub fn environment_file(
    name: &ServiceName,
    place: &Place,
    store: SecretStore,
    systemd: SystemdVersion,
    secrets: &[(EnvName, Text)],
) -> Result<Artifact, Vec<Refusal>> {
    let mut refusals = Refusals::default();
    let mut lines = Vec::new();
    for (name, value) in secrets {
        let what = format!("environment variable `{name}`");
        check_length(&what, name.as_str().len() + 1 + value.len(), &mut refusals);
        let name = refusals.keep(&what, EnvFileName::new(name));
        let value = refusals.keep(&what, EnvFileValue::new(value, systemd));
        lines.extend(name.zip(value));
    }
    let file = EnvironmentFile { signature: rewritten(name), secrets: lines };
    let contents = finish(&file).into_bytes();
    if store.is_credential() && contents.len() > MAX_CREDENTIAL {
        let fault = Unsayable::new(
            format!("have {} bytes together", contents.len()),
            Layer::Credential,
            "all of a service have at most 1 MiB",
        );
        refusals.keep("the secrets", Err::<(), _>(fault));
    }
    refusals.or(Some(Artifact::private(place.secrets_file(name, store), store.artifact_kind(), contents)))
}

/// From which version on `Type=exec` is what we write. It came with 240; but where the program ends at once, process 1 of
/// 247 may come to read the pipe that tells of it for ever, while ExecStopPost runs, and does nothing else any more (seen
/// with 247.3, `strace` of process 1; `service_dispatch_exec_io` in `src/core/service.c`).
const EXEC: u32 = 248;

/// The most that the credentials of a service may have (systemd.exec(5), `LoadCredential=`), less some
/// room for what encryption adds.
const MAX_CREDENTIAL: usize = (1 << 20) - 4096;

/// Whether its secrets come as a credential.
fn has_credential(spec: &ServiceSpec) -> bool {
    spec.secrets_in.is_credential() && !spec.secrets.is_empty()
}

/// Refuses variables that somebody reads before the credential is.
fn check_credential(spec: &ServiceSpec, refusals: &mut Refusals) {
    for name in spec.secrets.iter().filter(|_| has_credential(spec)) {
        let (too_late, whom) = match spec.run {
            Run::Python { .. } => (name.as_str().starts_with("PYTHON") || loads_code(name), "the interpreter"),
            Run::Executable { .. } | Run::Commands { .. } => (shell_keeps(name), "the shell that reads it"),
        };
        if too_late {
            let fault = Unsayable::new(
                format!("is a variable of {whom}"),
                Layer::Credential,
                "it is read too late for that; `--secrets file` has no such limit",
            );
            refusals.keep(format_args!("the secret `{name}`"), Err::<(), _>(fault));
        }
    }
}

/// Refuses what commands in systemd's own grammar cannot have, because only a launcher of ours could bring it.
fn check_needs_launcher(spec: &ServiceSpec, settings: &[Variable], refusals: &mut Refusals) {
    const INSTEAD: &str =
        "only a launcher can, which a service with `executable` and `arguments` has, and one with `command` has not";
    let mut refuse = |what: String, found: String| {
        refusals.keep(what, Err::<(), _>(Unsayable::new(found, Layer::Unit, INSTEAD)));
    };
    if let Err(Unsayable { found, .. }) = RawPath::directory(&spec.working_directory) {
        refuse("the working directory".to_owned(), found);
    }
    if has_credential(spec) {
        refuse("option `--secrets`".to_owned(), "asks for variables from a credential".to_owned());
    }
    for Variable { name, value } in settings.iter().filter(|setting| !setting.fits_unit(spec)) {
        let unsayable = EnvAssignment::new(name, value, spec.systemd).err();
        let found = unsayable.map_or_else(|| "names code that is loaded".to_owned(), |unsayable| unsayable.found);
        refuse(format!("environment variable `{name}`"), found);
    }
}

/// Refuses secrets that would load code into the part of the unit that runs as root: systemd gives an environment file
/// to all of it, and only root can read the file, so no launcher can make up for it.
fn check_root_part(spec: &ServiceSpec, refusals: &mut Refusals) {
    let from_file = has_root_part(spec) && !spec.secrets_in.is_credential();
    for name in spec.secrets.iter().filter(|name| from_file && loads_code(name)) {
        let fault = Unsayable::new(
            "names code that is loaded",
            Layer::EnvironmentFile,
            "root runs a part of the unit of an account; set it plainly, with `--env NAME=VALUE`",
        );
        refusals.keep(format_args!("the secret `{name}`"), Err::<(), _>(fault));
    }
}

fn rewritten(name: &ServiceName) -> Signature {
    Signature::new(format_args!(" for the service {name}; written anew by every install."))
}

/// Renders, and adds the last line break, which askama drops.
fn finish(template: &impl Template) -> String {
    template.render().expect("every field is checked") + "\n"
}

/// A plain variable of the service's environment.
struct Variable {
    name: EnvName,
    value: Text,
}

impl Variable {
    /// Whether it stands in the unit: text that systemd takes, and nothing that would run code of
    /// the account's choice in the part of the unit that runs as root (see [`error_log_of`]).
    fn fits_unit(&self, spec: &ServiceSpec) -> bool {
        EnvAssignment::new(&self.name, &self.value, spec.systemd).is_ok()
            && !(has_root_part(spec) && loads_code(&self.name))
    }
}

/// Whether systemd makes up an account for it.
fn is_dynamic_user(directive: &Directive) -> bool {
    directive.name() == "DynamicUser" && directive.is_on()
}

/// Whether a script of ours leaves an error log behind.
fn leaves_error_log(spec: &ServiceSpec) -> bool {
    spec.ours.is_all() && !is_said(&theirs(spec), "ExecStopPost")
}

/// Whether a line still has the status of a program that was asked to stop, and did.
fn keeps_our_ends(directive: &Directive) -> bool {
    directive.name() == "SuccessExitStatus" && directive.value().split_whitespace().any(|word| word == "143")
}

/// Whether its processes are asked to end as Ctrl-C does where they handle that alone: unless the user says how it is
/// stopped. Which they handle is only known when they run.
fn asks_as_ctrl_c(spec: &ServiceSpec) -> bool {
    // A job is asked by SIGTERM alone while it runs, and after each run there is nothing to ask (systemd.service(5),
    // `Type=oneshot`).
    let is_job =
        spec.is_oneshot() && !spec.directives.iter().any(|said| said.name() == "RemainAfterExit" && said.is_on());
    spec.ctrl_c
        && !is_job
        && spec.ours.is_all()
        && spec.stop_command.is_none()
        && !["ExecStop", "KillSignal", "KillMode"].iter().any(|name| is_said(&theirs(spec), name))
}

/// The command of the user's that asks it to end, for which no launcher makes up for what a unit cannot say; and what
/// waits for that end: when the last command has ended, systemd asks by SIGTERM what is left (systemd.service(5),
/// `ExecStop=`), and many only ask.
fn stop_command(command: &StopCommand, spec: &ServiceSpec, refusals: &mut Refusals) -> Vec<CommandLine> {
    let systemd = spec.systemd;
    const WHAT: &str = "option `--stop-command`";
    const WAIT: &str = r#"while [ "$MAINPID" ] && [ -e "/proc/$MAINPID" ]; do /bin/sleep 0.1; done"#;
    let line = CommandLine::new(&command.path, None, &command.arguments, systemd).and_then(|line| match line.fits() {
        true => Ok(line),
        false => Err(Unsayable::new("is too long", Layer::Unit, "a line has at most 1 MiB")),
    });
    let Some(line) = refusals.keep(WHAT, line) else { return Vec::new() };
    if !spec.ours.is_all() {
        return vec![line];
    }
    let words = ["-c", WAIT].map(|word| Argument::Literal(word.into()));
    vec![line, CommandLine::new(&SHELL.into(), None, &words, systemd).expect("words of ours")]
}

/// Whether part of the unit runs as root, and the rest as somebody else, who must gain nothing by it.
fn has_root_part(spec: &ServiceSpec) -> bool {
    leaves_error_log(spec) && (spec.account.is_some() || spec.directives.iter().any(is_dynamic_user))
}

/// Variables by which the dynamic linker, the C library or the shell load, run or write what they name: those of
/// ld.so(8) of every version, and the shell's. `UnsetEnvironment=` (systemd.exec(5)) takes them from every command of a
/// unit, whatever has set them: the unit, a file, a drop-in, systemd's own environment. It has no patterns. The launcher
/// gives the program those that it is to have.
///
/// `ENV` is none of them: only an interactive shell reads the file that it names (POSIX, `sh`), and many programs have a
/// setting of this name.
const LOADS_CODE: [&str; 32] = [
    "BASHOPTS",
    "BASH_ENV",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GLIBC_TUNABLES",
    "LD_ASSUME_KERNEL",
    "LD_AUDIT",
    "LD_BIND_NOT",
    "LD_BIND_NOW",
    "LD_DEBUG",
    "LD_DEBUG_OUTPUT",
    "LD_DYNAMIC_WEAK",
    "LD_HWCAP_MASK",
    "LD_LIBRARY_PATH",
    "LD_ORIGIN_PATH",
    "LD_POINTER_GUARD",
    "LD_PREFER_MAP_32BIT_EXEC",
    "LD_PRELOAD",
    "LD_PROFILE",
    "LD_PROFILE_OUTPUT",
    "LD_SHOW_AUXV",
    "LD_TRACE_LOADED_OBJECTS",
    "LD_TRACE_PRELINKING",
    "LD_USE_LOAD_BIAS",
    "LD_VERBOSE",
    "LD_WARN",
    "LOCPATH",
    "MALLOC_TRACE",
    "NIS_PATH",
    "NLSPATH",
    "PS4",
    "SHELLOPTS",
];

/// Whether a variable is one of these.
fn loads_code(name: &EnvName) -> bool {
    LOADS_CODE.contains(&name.as_str())
}

/// Variables that dash or bash set, change or drop for themselves between their own start and
/// the start of another program; a launcher says them again.
fn shell_keeps(name: &EnvName) -> bool {
    const NAMES: [&str; 27] = [
        "_",
        "COMP_WORDBREAKS",
        "DIRSTACK",
        "EPOCHREALTIME",
        "EPOCHSECONDS",
        "EUID",
        "FUNCNAME",
        "GROUPS",
        "HISTCMD",
        "IFS",
        "LINENO",
        "OLDPWD",
        "OPTARG",
        "OPTERR",
        "OPTIND",
        "PIPESTATUS",
        "POSIXLY_CORRECT",
        "PPID",
        "PS1",
        "PS2",
        "PS4",
        "PWD",
        "RANDOM",
        "SECONDS",
        "SHELLOPTS",
        "SHLVL",
        "SRANDOM",
    ];
    name.as_str().starts_with("BASH") || name.as_str() == "UID" || NAMES.contains(&name.as_str())
}

/// What the unit of a service adds to its environment, but for its secrets.
pub fn environment(spec: &ServiceSpec) -> Vec<(Text, Text)> {
    // What cannot be said was refused when the unit was rendered.
    let settings = settings(spec, &mut Refusals::default()).into_iter();
    settings.map(|Variable { name, value }| (name.as_str().into(), value)).collect()
}

/// The plain environment in the order given, with the search path and what Python needs.
fn settings(spec: &ServiceSpec, refusals: &mut Refusals) -> Vec<Variable> {
    let mut settings: Vec<Variable> =
        spec.environment.iter().map(|(name, value)| Variable { name: name.clone(), value: value.clone() }).collect();
    let named = |name: &str| name.parse::<EnvName>().expect("a name of our own");
    if !spec.path.is_empty() {
        let mut path = Vec::new();
        for directory in &spec.path {
            refusals.keep(format_args!("the directory `{directory}` for PATH"), in_search_path(directory));
            path.extend_from_slice(directory.as_bytes());
            path.push(b':');
        }
        match settings.iter_mut().find(|setting| setting.name.as_str() == "PATH") {
            Some(setting) => {
                path.extend_from_slice(setting.value.as_bytes());
                setting.value = Text::from_bytes(path);
            }
            None => {
                path.extend_from_slice(SEARCH_PATH.as_bytes());
                settings.push(Variable { name: named("PATH"), value: Text::from_bytes(path) });
            }
        }
    }
    let unbuffered = named("PYTHONUNBUFFERED");
    let is_open = !spec.environment.contains_key(&unbuffered) && !spec.secrets.contains(&unbuffered);
    if spec.is_of_python() && spec.ours.is_all() && is_open {
        settings.insert(0, Variable { name: unbuffered, value: "1".into() });
    }
    settings
}

fn in_search_path(directory: &Text) -> Result<(), Unsayable> {
    match directory.as_bytes().contains(&b':') {
        true => Err(Unsayable::new("contains `:`", Layer::SearchPath, "its directories are separated by `:`")),
        false => Ok(()),
    }
}

/// Checks what the kernel puts a limit to; gives the size of arguments and environment together.
fn check_sizes(spec: &ServiceSpec, settings: &[Variable], refusals: &mut Refusals) -> usize {
    let mut total = 0;
    let mut count = |bytes: usize| total += bytes + 1 + size_of::<u64>();
    let program = match &spec.run {
        Run::Executable { path, .. } => Some(("the executable", path)),
        Run::Python { interpreter, .. } => Some(("the interpreter", interpreter)),
        Run::Commands { .. } => None,
    };
    for (what, path) in program.into_iter().chain([("the working directory", &spec.working_directory)]) {
        refusals.keep(what, escape::path_of_kernel(path));
    }
    count(2 * program.map_or(0, |(_, path)| path.len()));
    if let Run::Executable { arguments, .. } = &spec.run {
        for (index, argument) in arguments.iter().enumerate() {
            let what = format!("argument {}", index + 1);
            let text = argument.text();
            refusals.keep(&what, escape::no_nul(text));
            check_length(&what, text.len(), refusals);
            count(text.len());
        }
    }
    for Variable { name, value } in settings {
        let what = format!("environment variable `{name}`");
        let length = name.as_str().len() + 1 + value.len();
        refusals.keep(&what, escape::no_nul(value));
        check_length(&what, length, refusals);
        count(length);
    }
    if total > MAX_TOTAL && !spec.ours.is_all() && !is_said(&theirs(spec), "LimitSTACK") {
        let found = format!("have {total} bytes together");
        let reason = "more than 2 MiB need `LimitSTACK = \"24M:infinity\"` in the `systemd` table";
        refusals.keep("arguments and environment", Err::<(), _>(Unsayable::new(found, Layer::Kernel, reason)));
    }
    if total > MAX_TOTAL_EVER {
        let found = format!("have {total} bytes together");
        let reason = "a process is given at most 6 MiB of both, of which 64 KiB are kept for the service manager";
        refusals.keep("arguments and environment", Err::<(), _>(Unsayable::new(found, Layer::Kernel, reason)));
    }
    total
}

fn check_length(what: impl fmt::Display, bytes: usize, refusals: &mut Refusals) {
    if bytes > MAX_STRING {
        let fault = Unsayable::new(
            format!("has {bytes} bytes"),
            Layer::Kernel,
            "one argument, and one variable with its name, has at most 131071",
        );
        refusals.keep(what, Err::<(), _>(fault));
    }
}

/// The unit that starts a job, and that is enabled in its place.
fn timer_unit(spec: &ServiceSpec, timer: &Timer, refusals: &mut Refusals) -> Option<TimerUnit> {
    let said = theirs_of_timer(spec);
    let is_ours = |name: &str| spec.ours.has(name) && !is_said(&said, name);
    let description = refusals.keep("the description", Description::new(&spec.description))?;
    let (calendar, span) = match &timer.schedule {
        Some(Schedule::Calendar(calendar)) => (Some(Token::from(calendar)), None),
        Some(Schedule::Every(span)) => (None, Some(Token::from(span))),
        None => (None, None),
    };
    let (wanted, extra_install) = (is_ours("WantedBy"), extra(spec, Section::Install, refusals));
    Some(TimerUnit {
        signature: unit_signature(spec, &spec.name.timer()),
        description: is_ours("Description").then_some(description),
        persistent: calendar.is_some() && is_ours("Persistent"),
        calendar,
        span,
        exact: is_ours("AccuracySec"),
        extra_unit: extra(spec, Section::TimerUnit, refusals),
        extra_timer: extra(spec, Section::Timer, refusals),
        has_install: wanted || !extra_install.is_empty(),
        wanted,
        extra_install,
    })
}

/// The first line of a unit, which says how it is changed by hand.
fn unit_signature(spec: &ServiceSpec, unit: &str) -> Signature {
    let edit = match spec.scope {
        Scope::System => "systemctl edit",
        Scope::User => "systemctl --user edit",
    };
    Signature::new(format_args!("; edit with `{edit} {unit}`, not here."))
}

/// What the unit gets that depends on whether there is a launcher.
struct UnitParts {
    account: Option<Account>,
    directory: Option<RawPath>,
    environment: Vec<EnvAssignment>,
    start: Option<Start>,
    stop: Vec<CommandLine>,
    /// Outside: where there is one at all; inside: what can be said.
    stop_post: Option<Option<CommandLine>>,
    total: usize,
}

fn unit(spec: &ServiceSpec, place: &Place, parts: UnitParts, refusals: &mut Refusals) -> Option<Unit> {
    let system = spec.scope == Scope::System;
    let python = matches!(spec.run, Run::Python { .. });
    let said = theirs(spec);
    let writable = writable(spec, refusals);
    let description = refusals.keep("the description", Description::new(&spec.description));
    let secrets = (!spec.secrets.is_empty()).then(|| place.secrets_file(&spec.name, spec.secrets_in));
    let (environment_file, credential) = match secrets {
        None => (None, None),
        Some(path) if has_credential(spec) => {
            let encrypted = spec.secrets_in.artifact_kind() == ArtifactKind::SealedEnvironment;
            let credential = refusals.keep(STATE_DIR, RawPath::file(&path));
            (None, credential.map(|path| Credential { name: CREDENTIAL.into(), encrypted, path }))
        }
        Some(path) => {
            let path = place.below_home(&path).map_or_else(|| GlobPath::new(&path), |rest| GlobPath::below_home(&rest));
            (refusals.keep(STATE_DIR, path), None)
        }
    };
    let stop_post = match parts.stop_post {
        Some(line) => Some(line?),
        None => None,
    };
    Some(Unit {
        signature: unit_signature(spec, spec.name.as_str()),
        name: (&spec.name).into(),
        template: spec.name.is_template(),
        description: description?,
        system,
        network: system && spec.network,
        after: spec.order.after.iter().map(Token::from).collect(),
        before: spec.order.before.iter().map(Token::from).collect(),
        requires: spec.order.requires.iter().map(Token::from).collect(),
        wants: spec.order.wants.iter().map(Token::from).collect(),
        mounts: if system && spec.ours.is_all() && !is_said(&said, "RequiresMountsFor") {
            mounts(spec)
        } else {
            Vec::new()
        },
        kind: match spec.run {
            _ if spec.timer.is_some() => "oneshot",
            Run::Python { .. } => "notify",
            Run::Executable { .. } | Run::Commands { .. } if !spec.systemd.has(EXEC) => "simple",
            Run::Executable { .. } | Run::Commands { .. } => "exec",
        }
        .into(),
        notify: python && spec.timer.is_none(),
        account: parts.account.or_else(|| account_of_root(spec)),
        working_directory: parts.directory,
        environment: parts.environment,
        own_file: own_file(spec, refusals),
        environment_file,
        credential,
        unset: if has_root_part(spec) { LOADS_CODE.map(Token::from).to_vec() } else { Vec::new() },
        start: parts.start?,
        stop: parts.stop,
        stop_post,
        restarts: spec.restart != Restart::Never,
        unlimited: spec.ours.is_all()
            // A timer starts a job again and again, too, which is no reason to stop.
            && (spec.restart != Restart::Never || spec.timer.is_some())
            && !LIMITS.iter().any(|name| is_said(&said, name)),
        restart: match spec.restart {
            Restart::Always => "always",
            Restart::OnFailure => "on-failure",
            Restart::OnSuccess => "on-success",
            Restart::OnAbnormal => "on-abnormal",
            Restart::OnAbort => "on-abort",
            Restart::OnWatchdog => "on-watchdog",
            Restart::Never => "no",
        }
        .into(),
        restart_sec: Token::from(&spec.restart_sec),
        // systemd loads no `Type=oneshot` that has it, and takes no signal for a clean end of one.
        after_sigpipe: spec.restart == Restart::OnFailure && !spec.is_oneshot(),
        stop_timeout: Token::from(&spec.stop_timeout),
        log_file: log_file(spec).and_then(|path| refusals.keep("option `--log-file`", RawPath::file(path))),
        silent: spec.output == Output::Dropped,
        stack: (parts.total > MAX_TOTAL && spec.ours.is_all() && !is_said(&said, "LimitSTACK"))
            .then(|| "24M:infinity".into()),
        hardening: hardening(spec).chain(keeps_setuid(spec).then_some(BECOMES_OTHERS)).map(Token::from).collect(),
        writable,
        extra_unit: extra(spec, Section::Unit, refusals),
        extra_service: extra(spec, Section::Service, refusals),
        extra_install: if spec.timer.is_some() { Vec::new() } else { extra(spec, Section::Install, refusals) },
        scheduled: spec.timer.is_some(),
        job: spec.timer.is_some() && spec.is_oneshot(),
        theirs: said,
        ours: spec.ours.clone(),
    })
}

/// Directives that limit how often a service is started again, or mean the end of all tries.
const LIMITS: [&str; 6] = [
    "StartLimitIntervalSec",
    "StartLimitInterval",
    "StartLimitBurst",
    "StartLimitAction",
    "OnFailure",
    "FailureAction",
];

/// Root by its name: without it a service of root has no HOME, USER, LOGNAME and SHELL (systemd.exec(5), "Environment
/// Variables in Spawned Processes").
fn account_of_root(spec: &ServiceSpec) -> Option<Account> {
    let is_root = spec.scope == Scope::System && spec.ours.is_all() && !spec.directives.iter().any(is_dynamic_user);
    is_root.then(|| Account::new("root").expect("a name"))
}

/// With `User=root`, `NoNewPrivileges=yes` and a filter of system calls, systemd takes CAP_SETUID from a service from 255
/// on, unless it is asked for here (`keep_seccomp_privileges` in `src/core/exec-invoke.c`): root could become nobody else.
/// What has become somebody else has it no more (capabilities(7), "Effect of user ID changes on capabilities").
const BECOMES_OTHERS: &str = "AmbientCapabilities=CAP_SETUID";

/// Whether a service of root would lose what lets it become another user, though nobody has asked for that.
fn keeps_setuid(spec: &ServiceSpec) -> bool {
    let is_root = spec.account.as_deref().is_none_or(|account| account == "root");
    if !is_root || account_of_root(spec).is_none() || spec.hardening >= Hardening::Service {
        return false;
    }
    let said = theirs(spec);
    if ["AmbientCapabilities", "CapabilityBoundingSet", "User"].iter().any(|name| is_said(&said, name)) {
        return false;
    }
    let lines: Vec<&str> = hardening(spec).map(directive_of).collect();
    let has_on = |name: &str| {
        let mut of_theirs = spec.directives.iter().filter(|directive| directive.name() == name);
        lines.contains(&name) || of_theirs.any(|directive| !directive.is_off())
    };
    has_on("NoNewPrivileges") && BRING_NO_NEW_PRIVILEGES.into_iter().any(has_on)
}

/// The user's own file of variables.
fn own_file(spec: &ServiceSpec, refusals: &mut Refusals) -> Option<(bool, GlobPath)> {
    let OwnFile { path, optional } = spec.environment_file.as_ref()?;
    Some((*optional, refusals.keep("option `--environment-file`", GlobPath::new(path))?))
}

/// The file that its output goes to.
fn log_file(spec: &ServiceSpec) -> Option<&Text> {
    match &spec.output {
        Output::File(path) => Some(path),
        Output::Usual | Output::Dropped => None,
    }
}

/// The directories that have to be mounted first: one that is missing, or on no mount of its own,
/// adds nothing. A directory that this list cannot say is left out; it costs only the order.
fn mounts(spec: &ServiceSpec) -> Vec<PathWord> {
    let mut mounts = Vec::new();
    for path in std::iter::once(&spec.working_directory).chain(&spec.writes).chain(log_file(spec)) {
        mounts.extend(PathWord::new(path).ok().filter(|word| !mounts.contains(word)));
    }
    mounts
}

/// The directories that stay writable below `ProtectSystem=strict`; one may be missing. That closes `/tmp` and the home
/// directories, too, so where the user switches their own lines off, these are opened again.
fn writable(spec: &ServiceSpec, refusals: &mut Refusals) -> Vec<PathWord> {
    let mut writable = Vec::new();
    let said = theirs(spec);
    let lines: Vec<&str> = hardening(spec).collect();
    if !lines.contains(&PROTECT_SYSTEM) || is_said(&said, "ReadWritePaths") {
        return writable;
    }
    // A plain unit that names none runs in `/`, which stays closed.
    if spec.ours.has("WorkingDirectory") {
        let directory = refusals.keep("the working directory", PathWord::if_there(&spec.working_directory));
        writable.extend(directory);
    }
    for path in &spec.writes {
        let word = refusals.keep(format_args!("the directory `{path}` that it writes to"), PathWord::if_there(path));
        writable.extend(word.filter(|word| !writable.contains(word)));
    }
    let opened =
        |line: &'static str, paths: &'static [&'static str]| if lines.contains(&line) { &[][..] } else { paths };
    for path in opened(PRIVATE_TMP, &["/tmp", "/var/tmp"]).iter().chain(opened(PROTECT_HOME, &["/home", "/root"])) {
        writable.extend(PathWord::if_there(&(*path).into()).ok().filter(|word| !writable.contains(word)));
    }
    writable
}

/// One line of hardening: from which profile on, since which version (NEWS of systemd; 0 for all that we write for), and
/// whether a user's own service manager can do it. That may filter system calls; where it would have to drop
/// capabilities the service ends with 218/CAPABILITIES, and mount namespaces it leaves out in silence.
///
/// A line stands in the unit unless the user says its directive. `ProtectClock=` is not among them: systemd before 253
/// adds `DeviceAllow=char-rtc r` for it, which closes every other device (systemd#18142). The two capabilities are what
/// else it takes away.
const HARDENING: [(Hardening, u32, bool, &str); 22] = {
    use Hardening::{Baseline, Service, Strict};
    [
        (Baseline, 0, true, "NoNewPrivileges=yes"),
        (Baseline, 0, false, "ProtectKernelTunables=yes"),
        (Baseline, 0, false, "ProtectKernelModules=yes"),
        (Baseline, 244, false, "ProtectKernelLogs=yes"),
        (Baseline, 0, false, "ProtectControlGroups=yes"),
        (Baseline, 0, false, SET_THE_CLOCK),
        (Baseline, 242, false, "ProtectHostname=yes"),
        (Baseline, 0, true, "RestrictRealtime=yes"),
        (Baseline, 242, true, "RestrictSUIDSGID=yes"),
        (Baseline, 0, true, "RestrictNamespaces=yes"),
        (Baseline, 0, true, "LockPersonality=yes"),
        (Baseline, 0, true, "SystemCallArchitectures=native"),
        (Service, 0, false, NO_CAPABILITIES),
        (Service, 0, true, "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK"),
        (Service, 0, true, "SystemCallFilter=@system-service"),
        (Service, 0, true, "SystemCallErrorNumber=EPERM"),
        (Service, 0, false, "PrivateDevices=yes"),
        (Service, 0, true, "UMask=0077"),
        (Strict, 0, false, PROTECT_SYSTEM),
        (Strict, 0, false, PRIVATE_TMP),
        (Strict, 0, false, PROTECT_HOME),
        (Strict, 247, false, "ProtectProc=invisible"),
    ]
};

const SET_THE_CLOCK: &str = "CapabilityBoundingSet=~CAP_SYS_TIME CAP_WAKE_ALARM";
const NO_CAPABILITIES: &str = "CapabilityBoundingSet=";
const PROTECT_SYSTEM: &str = "ProtectSystem=strict";
const PRIVATE_TMP: &str = "PrivateTmp=yes";
const PROTECT_HOME: &str = "ProtectHome=read-only";

/// Whether the user says that it may gain privileges, such as by sudo, and other lines would take that away again.
fn gains_privileges(spec: &ServiceSpec) -> bool {
    let is_off = |directive: &Directive| directive.name() == "NoNewPrivileges" && !directive.is_on();
    let is_full_root = spec.scope == Scope::System
        && spec.account.is_none()
        && spec.hardening < Hardening::Service
        && !spec.directives.iter().any(is_dynamic_user);
    spec.directives.iter().any(is_off) && !is_full_root
}

/// Refuses a directive of the user's that contradicts `NoNewPrivileges=no` of the user's.
fn check_privileges(spec: &ServiceSpec, refusals: &mut Refusals) {
    // Whoever has such a unit has it as it is: for root all of it holds.
    if !gains_privileges(spec) || !spec.ours.is_all() {
        return;
    }
    for directive in spec.directives.iter().filter(|directive| !directive.is_off()) {
        if BRING_NO_NEW_PRIVILEGES.contains(&directive.name()) {
            let fault = Unsayable::new(
                "brings `NoNewPrivileges=yes` with it",
                Layer::Unit,
                "and `NoNewPrivileges=no` is asked for, too; omit one of the two",
            );
            refusals.keep(format_args!("the setting `{}`", directive.name()), Err::<(), _>(fault));
        }
    }
}

fn hardening(spec: &ServiceSpec) -> impl Iterator<Item = &'static str> {
    wanted_hardening(spec)
        .filter(|(since, line)| spec.systemd.has(*since) && !is_given_up(spec, line))
        .map(|(_, line)| line)
}

/// Whether a line goes for `NoNewPrivileges=no`.
fn is_given_up(spec: &ServiceSpec, line: &'static str) -> bool {
    gains_privileges(spec) && BRING_NO_NEW_PRIVILEGES.contains(&directive_of(line))
}

fn directive_of(line: &'static str) -> &'static str {
    line.split('=').next().unwrap_or(line)
}

/// The lines that its profile asks for, and since when systemd has them.
fn wanted_hardening(spec: &ServiceSpec) -> impl Iterator<Item = (u32, &'static str)> {
    let said = theirs(spec);
    HARDENING.into_iter().filter_map(move |(profile, since, user, line)| {
        let is_covered = match line {
            PRIVATE_TMP => uses_tmp(spec),
            SET_THE_CLOCK => spec.hardening >= Hardening::Service,
            _ => false,
        };
        (spec.hardening >= profile
            && (user || spec.scope == Scope::System)
            && !is_covered
            && !is_said(&said, directive_of(line)))
        .then_some((since, line))
    })
}

/// What a unit goes without: what the version of systemd that it is written for cannot do, and what is kept from the part
/// of it that runs as root.
pub fn left_out(spec: &ServiceSpec) -> Vec<String> {
    let version = spec.systemd;
    let mut notes = Vec::new();
    let lines = wanted_hardening(spec).filter(|(since, _)| !version.has(*since));
    let names: Vec<&str> = lines.map(|(_, line)| directive_of(line)).collect();
    if !names.is_empty() {
        notes.push(format!("systemd {version} has no {}, so the hardening goes without", names.join(", ")));
    }
    let given_up: Vec<&str> =
        wanted_hardening(spec).map(|(_, line)| line).filter(|line| is_given_up(spec, line)).map(directive_of).collect();
    if !given_up.is_empty() {
        notes.push(format!(
            "for `NoNewPrivileges=no`, which they would undo, the hardening goes without {}",
            given_up.join(", ")
        ));
    }
    let said = theirs(spec);
    let has_limit = said.iter().any(|name| name.starts_with("StartLimit"));
    if spec.ours.is_all() && spec.restart != Restart::Never && is_said(&said, "OnFailure") && !has_limit {
        notes.push(
            "systemd starts it again and again, and `OnFailure=` comes only when that ends: `StartLimitBurst = 5` with \
             `\"Unit.StartLimitIntervalSec\" = \"5min\"` in the `systemd` table ends it, or `--restart never`"
                .to_owned(),
        );
    }
    if spec.ours.is_all() && is_said(&said, "SuccessExitStatus") && !spec.directives.iter().any(keeps_our_ends) {
        notes.push(
            "`SuccessExitStatus=` of yours takes the place of ours: a program that ends by itself with 143, as many do when \
             they are stopped, counts as failed; add 143 to it if that is not meant"
                .to_owned(),
        );
    }
    if hardening(spec).any(|line| line == PROTECT_SYSTEM) && is_said(&said, "ReadWritePaths") {
        notes.push(
            "`ReadWritePaths=` of yours takes the place of ours: name the working directory there, too, if it writes in it"
                .to_owned(),
        );
    }
    if !spec.ours.is_all() {
        notes.push("it is plain, so it will leave no error log; `ManageService NAME logs` shows its output".to_owned());
    } else if !leaves_error_log(spec) {
        notes.push("`ExecStopPost=` of yours takes the place of ours, so it will leave no error log".to_owned());
    }
    let passes = |directive: &&Directive| matches!(directive.name(), "EnvironmentFile" | "PassEnvironment");
    for directive in spec.directives.iter().filter(|_| has_root_part(spec)).filter(passes) {
        notes.push(format!(
            "no variable that loads code, such as LD_LIBRARY_PATH, comes by {}, because root runs a part of the unit; \
             `--env NAME=VALUE` sets one",
            directive.name()
        ));
    }
    notes
}

/// Whether a unit that is about to be replaced has lines of a profile, and the new one has none: version 0.1.0 wrote
/// `baseline` unless it was told otherwise. A single one may have been a key of the user's.
pub fn loses_profile(spec: &ServiceSpec, unit: &[u8]) -> bool {
    let said = theirs(spec);
    let is_of_profile = |line: &[u8]| {
        HARDENING.iter().any(|(_, _, _, known)| known.as_bytes() == line && !is_said(&said, directive_of(known)))
    };
    let lines = unit.split(|byte| *byte == b'\n').filter(|line| is_of_profile(line));
    spec.hardening == Hardening::None && lines.count() > 1
}

/// Whether the service is known to work below `/tmp` or `/var/tmp`, which a private one would hide.
fn uses_tmp(spec: &ServiceSpec) -> bool {
    let arguments = spec.run.arguments().iter().map(Argument::text);
    spec.run.program().into_iter().chain([&spec.working_directory]).chain(&spec.writes).chain(arguments).any(|text| {
        let bytes = text.as_bytes();
        [&b"/tmp/"[..], b"/var/tmp/"].iter().any(|tmp| bytes.windows(tmp.len()).any(|part| part == *tmp))
            || [&b"/tmp"[..], b"/var/tmp"].contains(&bytes)
    })
}

/// The further lines of a section.
fn extra(spec: &ServiceSpec, section: Section, refusals: &mut Refusals) -> Vec<DirectiveLine> {
    directive_lines(spec.directives.iter().filter(|directive| directive.section() == section), refusals)
}

fn directive_lines<'a>(
    directives: impl IntoIterator<Item = &'a Directive>,
    refusals: &mut Refusals,
) -> Vec<DirectiveLine> {
    let lines = directives.into_iter().map(|directive| {
        refusals.keep(format_args!("the setting `{}`", directive.name()), DirectiveLine::new(directive))
    });
    lines.collect::<Vec<_>>().into_iter().flatten().collect()
}

/// The script that leaves an error log behind when the service died of an error.
///
/// `ExecStopPost=` runs in the working directory after every end of the service, with the result in
/// its environment (systemd.exec(5), `$SERVICE_RESULT`). The journal of the system is for root, so
/// there the line has the prefix `+`. A Python service writes its tracebacks itself, so for one this is for the ends
/// that are no exception (killed by a signal, never started, stopped by a time limit) and for a directory of somebody
/// else than its account.
fn error_log_of(spec: &ServiceSpec) -> ErrorLog {
    // A user whom systemd makes up is called like the unit (systemd.exec(5), `DynamicUser=`).
    let account = has_root_part(spec).then(|| spec.account.as_deref().unwrap_or(spec.name.as_str()));
    ErrorLog {
        signature: rewritten(&spec.name),
        name: (&spec.name).into(),
        template: spec.name.is_template(),
        system: spec.scope == Scope::System,
        python: matches!(spec.run, Run::Python { .. }),
        account: account.and_then(|account| ShellWord::new(&account.into()).ok()),
        // What it refuses, the unit refuses.
        log_file: log_file(spec).and_then(|path| ShellWord::new(path).ok()),
    }
}

/// The name of a file.
fn last_part(path: &Text) -> Text {
    Text::from_bytes(path.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default())
}

/// What the launcher gives to `/usr/bin/env`: what the shell added to the environment is taken
/// out, what the unit could not carry is put in, and the program follows. It has to be `env`,
/// because a shell exports only names that it could have itself.
fn launch_words(
    spec: &ServiceSpec,
    command: &Command<'_>,
    carried: &[&Variable],
    refusals: &mut Refusals,
) -> Vec<ShellWord> {
    let mut words = Vec::new();
    let mut say = |what: &str, word: Result<ShellWord, Unsayable>| words.extend(refusals.keep(what, word));
    for name in ["PWD", "OLDPWD", "SHLVL", "_"] {
        let ours = |setting: &&Variable| setting.name.as_str() == name;
        if !carried.iter().any(ours) && !spec.secrets.iter().any(|secret| secret.as_str() == name) {
            say("", ShellWord::new(&"-u".into()));
            say("", ShellWord::new(&name.into()));
        }
    }
    for Variable { name, value } in carried {
        let mut assignment = format!("{name}=").into_bytes();
        assignment.extend_from_slice(value.as_bytes());
        say(&format!("environment variable `{name}`"), ShellWord::new(&Text::from_bytes(assignment)));
    }
    if command.program.as_bytes().contains(&b'=') {
        // `env` would take the program for one more assignment.
        for word in ["/usr/bin/nice", "-n", "0"] {
            say("", ShellWord::new(&word.into()));
        }
    }
    say("the executable", ShellWord::new(command.program));
    match &command.script {
        // Its home directory can be that of anybody.
        Some(OwnScript { path, below_home: Some(_) }) => say(STATE_DIR, ShellWord::beside(&last_part(path))),
        Some(OwnScript { path, below_home: None }) => say(STATE_DIR, ShellWord::new(path)),
        None => {}
    }
    for (index, argument) in command.arguments.iter().enumerate() {
        let word = match argument {
            Argument::Literal(text) => ShellWord::new(text),
            Argument::Reference { before, variable } => {
                match carried.iter().find(|setting| setting.name == *variable) {
                    // Not in the environment of the shell.
                    Some(setting) => {
                        let mut bytes = before.as_bytes().to_vec();
                        bytes.extend_from_slice(setting.value.as_bytes());
                        ShellWord::new(&Text::from_bytes(bytes))
                    }
                    None => ShellWord::reference(before, variable),
                }
            }
        };
        say(&format!("argument {}", index + 1), word);
    }
    words
}
