//! From an install request to a service spec: every fault at once, or a value that cannot be wrong.
//!
//! What the request says is checked against the catalog and against what the host answers through
//! [`Facts`]; nothing is asked of the host directly, so the same code validates for another host,
//! whose answers are "unknown".

use indexmap::IndexMap;

use crate::catalog::{ArgKind, ArgSpec, Catalog, Entry, Program, config_file};
use crate::error::Fault;
use crate::manifest::{Arguments, Service, Setting, Value};
use crate::model::entry::PythonEntry;
use crate::model::facts::{Facts, PathKind};
use crate::model::invocation::Invocation;
use crate::model::name::{EnvName, Line, ServiceName, UnitName, is_identifier};
use crate::model::nssm_table::{self, Refused};
use crate::model::spec::{Argument, Hardening, Restart, Run, Scope, ServiceSpec, Target};
use crate::model::text::Text;
use crate::render::nssm::ACCOUNTS;

/// A request that passed.
#[derive(Clone, Debug)]
pub struct Validated {
    /// The service.
    pub spec: ServiceSpec,
    /// The request with every default filled in and every path absolute: the receipt.
    pub request: Service,
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
    request: &Service,
    catalog: &Catalog,
    facts: &impl Facts,
    target: Target,
    fallback_directory: &Text,
) -> Result<Validated, Vec<Fault>> {
    let mut check = Check { facts, target, faults: Vec::new(), notes: Vec::new() };
    let scope = if request.user == Some(true) { Scope::User } else { Scope::System };
    let mut secrets: Vec<EnvName> = request.secrets.iter().filter_map(|name| check.env_name("secret", name)).collect();
    let mut given_secrets = IndexMap::new();
    let mut settled = request.clone();

    let runs = check.what_runs(request, catalog);
    let interpreter = match &runs {
        Some(Runs::Python(_) | Runs::Program(Program { entry: Entry::Python(_), .. })) => check.interpreter(request),
        _ => None,
    };

    let mut writes = Vec::new();
    let mut patterns = Vec::new();
    let (default_name, run) = match &runs {
        None => (None, None),
        Some(Runs::Executable(path)) => {
            let words = check.words(&request.arguments);
            let path = check.executable(path);
            settled.executable = path.clone();
            let name = path.as_ref().and_then(|path| file_stem(path, target));
            (
                name,
                path.map(|path| Run::Executable {
                    path,
                    arguments: words.into_iter().map(Argument::Literal).collect(),
                }),
            )
        }
        Some(Runs::Python(entry)) => {
            let words = check.words(&request.arguments);
            let arguments = words.into_iter().map(|word| reference(Text::default(), word)).collect();
            (
                Some(entry.short_name().to_owned()),
                interpreter.clone().map(|interpreter| Run::Python { interpreter, entry: entry.clone(), arguments }),
            )
        }
        Some(Runs::Program(program)) => {
            let mut line = ProgramLine::new(&mut check, program, &request.arguments, interpreter.as_ref());
            line.check_all();
            let ProgramLine { words, named, writes: found, given, needed, patterns: regexes, .. } = line;
            settled.arguments = Arguments::Named(named);
            writes = found;
            patterns = regexes;
            secrets.extend(needed);
            secrets.extend(given.keys().cloned());
            given_secrets = given;
            let run = match &program.entry {
                Entry::Python(entry) => interpreter.clone().map(|interpreter| Run::Python {
                    interpreter,
                    entry: entry.clone(),
                    arguments: words,
                }),
                Entry::Executable(path) => {
                    check.executable(&path.as_str().into()).map(|path| Run::Executable { path, arguments: words })
                }
            };
            (Some(program.name.clone()), run)
        }
    };
    settled.interpreter = interpreter;

    let name = check.name(request.name.as_deref().or(default_name.as_deref()));
    let working_directory = check.working_directory(request, fallback_directory);
    let environment = check.environment(&request.environment);
    if let Some(run) = &run {
        secrets.extend(run.arguments().iter().filter_map(|argument| match argument {
            Argument::Reference { variable, .. } => Some(variable.clone()),
            Argument::Literal(_) => None,
        }));
    }
    // A variable that is set plainly needs no secret value.
    secrets.retain(|name| !environment.contains_key(name));
    secrets.sort();
    secrets.dedup();
    for name in secrets.iter().filter(|name| !name.is_identifier()) {
        check.fault(
            Fault::new(
                format!("secret `{name}`"),
                "systemd reads only names of letters, digits and `_` from an environment file",
            )
            .help(format!("`--env '{name}=VALUE'` sets it plainly, visible to every user of the machine")),
        );
    }

    let account = check.account(request, scope);
    let restart = check.word(
        "option `--restart`",
        request.restart.as_deref(),
        &[("always", Restart::Always), ("on-failure", Restart::OnFailure), ("never", Restart::Never)],
    );
    let hardening = check.word(
        "option `--hardening`",
        request.hardening.as_deref(),
        &[
            ("none", Hardening::None),
            ("baseline", Hardening::Baseline),
            ("service", Hardening::Service),
            ("strict", Hardening::Strict),
        ],
    );
    if hardening >= Hardening::Service && account.is_none() && scope == Scope::System {
        check.note(
            "hardening `service` and `strict` take away root's right to other users' files; \
             `--account NAME` gives the service an account of its own",
        );
    }
    let restart_sec = check.restart_sec(request.restart_sec);
    let after: Vec<UnitName> = request.after.iter().filter_map(|unit| check.parse("option `--after`", unit)).collect();
    if target == Target::Nssm {
        check.not_of_windows(request);
        for unit in after.iter().filter(|unit| !unit.as_str().ends_with(".service")) {
            check.note(format!("`{unit}` is a unit of systemd; `--after SERVICE` names a service of Windows"));
        }
    }
    let description = check.line("option `--description`", request.description.as_deref());
    let display_name = check.line("option `--display-name`", request.display_name.as_deref());
    let path: Vec<Text> =
        request.path.iter().filter_map(|directory| check.directory("option `--path`", directory)).collect();
    let extra = match target {
        Target::Systemd => check.directives(&request.systemd),
        Target::Nssm => check.parameters(&request.nssm),
    };

    if let (Some(account), Some(run), Some(directory)) = (&account, &run, &working_directory) {
        check.reach(account, run, directory, fallback_directory);
    }

    let Check { faults, notes, .. } = check;
    let (Some(name), Some(run), Some(working_directory)) = (name, run, working_directory) else {
        return Err(faults);
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    let about = match &runs {
        Some(Runs::Program(program)) => program.about.parse().ok(),
        Some(Runs::Python(entry)) => entry.to_string().parse().ok(),
        _ => None,
    };
    let description = description.or(about).unwrap_or_else(|| name.as_str().parse().expect("a name is a line"));
    let display_name = display_name.unwrap_or_else(|| name.as_str().parse().expect("a name is a line"));

    settled.name = Some(name.to_string());
    settled.secrets = secrets.iter().map(ToString::to_string).collect();
    settled.working_directory = Some(working_directory.clone());
    settled.after = after.iter().map(ToString::to_string).collect();
    let spec = ServiceSpec {
        name,
        display_name,
        description,
        run,
        working_directory,
        environment,
        secrets,
        account,
        restart,
        restart_sec,
        after,
        hardening,
        path,
        writes,
        scope,
        extra,
    };
    Ok(Validated { spec, request: settled, given_secrets, patterns, notes })
}

/// What the service of `request` will be called, without a look at anything else.
///
/// # Errors
/// Where it has no name, and what it runs gives it none.
pub fn name_of(request: &Service, target: Target) -> Result<ServiceName, Fault> {
    let python = || request.python.as_ref()?.parse::<PythonEntry>().ok().map(|entry| entry.short_name().to_owned());
    let executable = || file_stem(request.executable.as_ref()?, target);
    let name = request.name.clone().or_else(|| request.program.clone()).or_else(python).or_else(executable);
    let name = name.ok_or_else(|| Fault::new("service name", "the request does not say what to run"))?;
    name.parse().map_err(|reason: String| Fault::new("service name", reason).given(Text::from(name.as_str())))
}

/// What a request runs.
enum Runs<'a> {
    Program(&'a Program),
    Python(PythonEntry),
    Executable(Text),
}

/// An argument, or the reference to an environment variable that it is.
///
/// `$NAME` as a whole word is a reference; `$$NAME` is the literal text `$NAME`, `$$$NAME` the
/// text `$$NAME`; every other use of `$` is literal.
fn reference(before: Text, word: Text) -> Argument {
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

/// The variable that `word` refers to.
fn referred(word: &Text) -> Option<EnvName> {
    match reference(Text::default(), word.clone()) {
        Argument::Reference { variable, .. } => Some(variable),
        Argument::Literal(_) => None,
    }
}

/// The last component of `path` without an extension such as `.sh` or `.exe`.
fn file_stem(path: &Text, target: Target) -> Option<String> {
    let separators: &[char] = if target == Target::Nssm { &['/', '\\'] } else { &['/'] };
    let last = path.as_str()?.rsplit(separators).next()?;
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| if stem.is_empty() { last } else { stem });
    Some(stem.to_owned())
}

/// The faults and notes of one request, and the questions that several fields share.
struct Check<'a, F> {
    facts: &'a F,
    target: Target,
    faults: Vec<Fault>,
    notes: Vec<String>,
}

impl<F: Facts> Check<'_, F> {
    fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    fn parse<T: std::str::FromStr<Err = String>>(&mut self, what: &str, text: &str) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(reason) => {
                self.fault(Fault::new(what, reason).given(text));
                None
            }
        }
    }

    fn env_name(&mut self, what: &str, name: &str) -> Option<EnvName> {
        self.parse(what, name)
    }

    fn line(&mut self, what: &str, text: Option<&str>) -> Option<Line> {
        text.and_then(|text| self.parse(what, text))
    }

    fn word<T: Copy + Default>(&mut self, what: &str, text: Option<&str>, words: &[(&str, T)]) -> T {
        let Some(text) = text else { return T::default() };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, value)) => *value,
            None => {
                let choices: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
                self.fault(Fault::new(what, format!("it is one of {}", choices.join(", "))).given(text));
                T::default()
            }
        }
    }

    fn what_runs<'c>(&mut self, request: &Service, catalog: &'c Catalog) -> Option<Runs<'c>> {
        match (&request.program, &request.python, &request.executable) {
            (Some(program), None, None) => match catalog.find(program) {
                Some(program) => Some(Runs::Program(program)),
                None => {
                    let mut fault = Fault::new("program", "there is no such program in the catalog").given(program);
                    fault.help = Some(match catalog.suggest(program) {
                        Some(near) => format!("there is `{near}`"),
                        None => format!(
                            "`InstallService -h` lists the programs; any other one goes after `--`: \
                             `InstallService --service_name NAME -- {}`",
                            shlex::try_quote(program).unwrap_or_default()
                        ),
                    });
                    self.fault(fault);
                    None
                }
            },
            (None, Some(spec), None) => match spec.parse::<PythonEntry>() {
                Ok(entry) => Some(Runs::Python(entry)),
                Err(error) => {
                    self.fault(
                        Fault::new("Python spec", error.reason)
                            .given(error.text)
                            .help("write `package.module:function` or `Class=package.module`"),
                    );
                    None
                }
            },
            (None, None, Some(path)) => Some(Runs::Executable(path.clone())),
            (None, None, None) => {
                self.fault(
                    Fault::new("program", "the request does not say what to run")
                        .help("`InstallService -h` lists the programs; any other program goes after `--`"),
                );
                None
            }
            _ => {
                self.fault(Fault::new(
                    "program",
                    "a service runs one of `program`, `python` and `executable`, not several",
                ));
                None
            }
        }
    }

    fn name(&mut self, name: Option<&str>) -> Option<ServiceName> {
        let name = name?;
        match name.parse() {
            Ok(name) => Some(name),
            Err(reason) => {
                self.fault(Fault::new("service name", reason).given(Text::from(name)));
                None
            }
        }
    }

    /// A list of words; the names of arguments mean something for catalog programs only.
    fn words(&mut self, arguments: &Arguments) -> Vec<Text> {
        match arguments {
            Arguments::List(words) => {
                for (number, word) in words.iter().enumerate() {
                    self.no_nul(&format!("argument {}", number + 1), word);
                }
                words.clone()
            }
            Arguments::Named(_) => {
                self.fault(Fault::new(
                    "arguments",
                    "arguments by name are for programs of the catalog; write a list, such as [\"a\", \"b\"]",
                ));
                Vec::new()
            }
        }
    }

    fn no_nul(&mut self, what: &str, text: &Text) -> bool {
        let clean = !text.as_bytes().contains(&0);
        if !clean {
            self.fault(Fault::new(what, "it holds a NUL, which no program can be given").given(text));
        }
        clean
    }

    /// `path` if it is absolute in the target's syntax; else a fault with the absolute one.
    fn absolute(&mut self, what: &str, path: &Text) -> Option<Text> {
        if path.is_empty() {
            self.fault(Fault::new(what, "an empty path"));
            return None;
        }
        if !self.no_nul(what, path) {
            return None;
        }
        if self.target.is_absolute(path) {
            return Some(path.clone());
        }
        let syntax = match self.target {
            Target::Systemd => "a path of the service must be absolute: it runs in another directory than you",
            Target::Nssm => "a path of a Windows service must be absolute: `C:\\...` or `\\\\server\\share\\...`",
        };
        let mut fault = Fault::new(what, syntax).given(path);
        if let (Some(here), Some(text)) = (self.facts.current_directory(), path.as_str()) {
            let separator = if self.target == Target::Nssm { "\\" } else { "/" };
            let is_drive = self.target == Target::Nssm && text.get(1..2) == Some(":");
            let whole = here.with(separator).with(text);
            if !is_drive && !text.starts_with(['/', '\\']) || self.target == Target::Systemd {
                fault.help = Some(format!("`{}`", normalised(&whole, self.target)));
            }
        }
        self.fault(fault);
        None
    }

    /// An absolute path of a directory, which is there if the host can tell.
    fn directory(&mut self, what: &str, path: &Text) -> Option<Text> {
        let path = self.absolute(what, path)?;
        match self.facts.path_kind(&path) {
            Some(PathKind::Missing) => {
                let words = match self.target {
                    Target::Systemd => vec!["mkdir".into(), "-p".into(), path.clone()],
                    Target::Nssm => vec!["mkdir.exe".into(), path.clone()],
                };
                let typed = Invocation(words).typed().replacen("mkdir.exe", "mkdir", 1);
                let fault = Fault::new(what, "there is no such directory").given(&path);
                self.fault(fault.help(format!("`{typed}` makes it")));
                None
            }
            Some(PathKind::File | PathKind::Executable) => {
                self.fault(Fault::new(what, "this is a file, not a directory").given(&path));
                None
            }
            Some(PathKind::Directory) | None => Some(path),
        }
    }

    fn file(&mut self, what: &str, path: &Text) -> Option<Text> {
        let path = self.absolute(what, path)?;
        match self.facts.path_kind(&path) {
            Some(PathKind::Missing) => {
                self.fault(Fault::new(what, "there is no such file").given(&path));
                None
            }
            Some(PathKind::Directory) => {
                self.fault(Fault::new(what, "this is a directory, not a file").given(&path));
                None
            }
            _ => Some(path),
        }
    }

    fn executable(&mut self, given: &Text) -> Option<Text> {
        let what = "executable";
        let has_separator =
            given.as_bytes().iter().any(|byte| *byte == b'/' || (self.target == Target::Nssm && *byte == b'\\'));
        let path = if has_separator || given.is_empty() {
            self.absolute(what, given)?
        } else {
            match self.facts.find_program(given) {
                Some(path) => path,
                None => {
                    self.fault(Fault::new(what, "it is not on PATH").given(given).help("give its absolute path"));
                    return None;
                }
            }
        };
        match self.facts.path_kind(&path) {
            Some(PathKind::Missing) => self.fault(Fault::new(what, "there is no such file").given(&path)),
            Some(PathKind::Directory) => {
                self.fault(Fault::new(what, "this is a directory, not a program").given(&path));
            }
            Some(PathKind::File) => self.fault(
                Fault::new(what, "it is not marked as executable")
                    .given(&path)
                    .help(format!("`chmod +x {path}`, or name its interpreter in front of it")),
            ),
            Some(PathKind::Executable) | None => {
                self.starts(&path);
                return Some(path);
            }
        }
        None
    }

    /// Says so where the kernel will not start a program, though it is marked as executable: a shell makes up
    /// for a script that names no interpreter, a service manager does not.
    fn starts(&mut self, program: &Text) {
        let Some(line) = self.facts.first_line(program) else { return };
        let Some(rest) = line.as_bytes().strip_prefix(b"#!") else {
            self.note(format!(
                "`{program}` is a text whose first line is no `#!/path/of/its/interpreter`, so it will not start; \
                 add such a line, or name the interpreter in front of it: `-- /bin/sh {program}`"
            ));
            return;
        };
        let interpreter = rest.trim_ascii_start().split(|byte| matches!(byte, b' ' | b'\t')).next().unwrap_or_default();
        let interpreter = Text::from_bytes(interpreter);
        if self.facts.path_kind(&interpreter) == Some(PathKind::Missing) {
            self.note(format!(
                "the first line of `{program}` names `{interpreter}`, which is not there, so it will not start{}",
                match interpreter.as_bytes().ends_with(b"\r") {
                    true => format!("; the lines end as on Windows, which `sed -i 's/\\r$//' {program}` mends"),
                    false => String::new(),
                }
            ));
        }
    }

    /// Says so where the account cannot get at what its service needs.
    fn reach(&mut self, account: &str, run: &Run, working_directory: &Text, state_dir: &Text) {
        let (program, script) = match run {
            Run::Executable { path, .. } => (path, None),
            Run::Python { interpreter, .. } => (interpreter, Some(state_dir)),
        };
        let needs = [
            ("start", Some(program), "`chmod` opens it"),
            ("run in", Some(working_directory), "`--working-directory DIR` names another directory"),
            ("read its script in", script, "`--state-dir DIR` names another directory"),
        ];
        let mut closed = false;
        for (what, path, help) in needs {
            let Some(path) = path else { continue };
            if let Some(at) = self.facts.closed_to(account, path) {
                self.note(format!("it cannot {what} `{path}`: `{at}` is closed to the account `{account}`; {help}"));
                closed = true;
            }
        }
        if !closed && self.facts.may_write(account, working_directory) == Some(false) {
            self.note(format!(
                "the account `{account}` may not write in `{working_directory}`, so no error log can appear there; \
                 `ManageService NAME logs` shows its output all the same"
            ));
        }
    }

    fn interpreter(&mut self, request: &Service) -> Option<Text> {
        match &request.interpreter {
            Some(path) => self.executable(path),
            None => {
                let found = self.facts.interpreter();
                if found.is_none() {
                    self.fault(
                        Fault::new(
                            "interpreter",
                            "no Python was found: no virtual environment is active and none is on PATH",
                        )
                        .help("`--python PATH` names it"),
                    );
                }
                found
            }
        }
    }

    fn working_directory(&mut self, request: &Service, fallback: &Text) -> Option<Text> {
        match &request.working_directory {
            Some(path) => self.directory("option `--working-directory`", path),
            None => Some(self.facts.current_directory().unwrap_or_else(|| {
                self.note(format!("it will run in `{fallback}`; `--working-directory DIR` names another directory"));
                fallback.clone()
            })),
        }
    }

    fn environment(&mut self, plain: &IndexMap<String, Text>) -> IndexMap<EnvName, Text> {
        let mut settings = IndexMap::new();
        for (name, value) in plain {
            if let Some(name) = self.env_name("environment variable", name)
                && self.no_nul(&format!("environment variable `{name}`"), value)
            {
                settings.insert(name, value.clone());
            }
        }
        settings
    }

    fn account(&mut self, request: &Service, scope: Scope) -> Option<String> {
        let account = request.account.as_ref()?;
        let what = "option `--account`";
        if scope == Scope::User {
            self.fault(Fault::new(what, "a user service runs as the user who installs it").given(account));
            return None;
        }
        if self.target == Target::Nssm {
            return self.account_of_windows(what, account);
        }
        // The rule of systemd's User= in its strict form (systemd.exec(5), USER_NAMES on systemd.io).
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if account.is_empty() || account.starts_with(['-', '.']) || account.len() > 31 || !account.chars().all(plain) {
            self.fault(Fault::new(what, "this is not the name of an account").given(Text::from(account.as_str())));
            return None;
        }
        if account == "nobody" {
            self.note("`nobody` is shared by everything that has no account; one of its own is safer (`sudo useradd --system NAME`)");
        }
        if self.facts.account_exists(account) == Some(false) {
            self.fault(
                Fault::new(what, "there is no such account")
                    .given(account)
                    .help(format!("`sudo useradd --system --shell /usr/sbin/nologin {account}` makes one")),
            );
            return None;
        }
        Some(account.clone())
    }

    /// One of the accounts that need no password: another one would go through the argv of `nssm.exe`.
    fn account_of_windows(&mut self, what: &str, account: &str) -> Option<String> {
        let plain = |name: &str| name.to_lowercase().replace([' ', '.'], "").replace("ntauthority\\", "");
        let known = ACCOUNTS.iter().find(|(name, _)| {
            let wanted = plain(account);
            wanted == plain(name) || (wanted == "system" && plain(name) == "localsystem")
        });
        if known.is_none() {
            self.fault(
                Fault::new(what, "only LocalSystem, LocalService and NetworkService need no password on Windows")
                    .given(Text::from(account))
                    .help(
                        "install without `--account`, then set the account in services.msc, on the page \"Log On\" of \
                         the service: it is kept when you install again",
                    ),
            );
        }
        known.map(|(name, _)| (*name).to_owned())
    }

    /// What a service of Windows has not.
    fn not_of_windows(&mut self, request: &Service) {
        if request.user == Some(true) {
            self.fault(
                Fault::new("option `--user`", "Windows has no services of a user's own")
                    .help("leave `--user` away, and type the command as an administrator"),
            );
        }
        if request.hardening.as_deref().is_some_and(|profile| profile != "none") {
            self.note("hardening is systemd's own and means nothing on Windows; `--account LocalService` takes away most rights");
        }
    }

    fn restart_sec(&mut self, seconds: Option<i64>) -> u32 {
        const ORIGINAL: u32 = 120;
        match seconds {
            None => ORIGINAL,
            Some(given) => u32::try_from(given).unwrap_or_else(|_| {
                self.fault(Fault::new("option `--restart-sec`", "it is a number of seconds, 0 or more").given(given));
                ORIGINAL
            }),
        }
    }

    /// The further parameters of NSSM.
    fn parameters(&mut self, table: &IndexMap<String, Setting>) -> IndexMap<String, Vec<String>> {
        let mut parameters = IndexMap::new();
        for (key, value) in table {
            let values = match value {
                Setting::Switch(on) => vec![u8::from(*on).to_string()],
                value => value.lines(),
            };
            match nssm_table::takes(key).and_then(|takes| takes.check(&values)) {
                Ok(()) => _ = parameters.insert(key.clone(), values),
                Err(Refused { reason, help }) => {
                    let mut fault = Fault::new(format!("parameter `{}` of NSSM", Text::from(key.as_str())), reason);
                    fault.help = help;
                    self.fault(fault);
                }
            }
        }
        parameters
    }

    fn directives(&mut self, table: &IndexMap<String, Setting>) -> IndexMap<String, Vec<String>> {
        let mut directives = IndexMap::new();
        for (key, value) in table {
            let name = key.rsplit('.').next().unwrap_or(key);
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
                self.fault(
                    Fault::new("systemd directive", "a directive has letters and digits only")
                        .given(Text::from(key.as_str())),
                );
                continue;
            }
            let lines = value.lines();
            if lines.iter().any(|line| line.chars().any(char::is_control) || line.trim_end().ends_with('\\')) {
                self.fault(Fault::new(
                    format!("systemd directive `{key}`"),
                    "its value has to be one line of plain text that does not end in a backslash",
                ));
                continue;
            }
            directives.insert(key.clone(), lines);
        }
        directives
    }
}

/// `path` with `.` and `..` components and doubled slashes taken out.
fn normalised(path: &Text, target: Target) -> Text {
    let is_separator = |byte: &u8| *byte == b'/' || (target == Target::Nssm && *byte == b'\\');
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.as_bytes().split(is_separator) {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    match target {
        Target::Systemd => Text::from_bytes([b"/", parts.join(&b'/').as_slice()].concat()),
        Target::Nssm => Text::from_bytes(parts.join(&b'\\')),
    }
}

/// The arguments of a catalog program on their way from names to words.
struct ProgramLine<'a, 'b, F> {
    check: &'a mut Check<'b, F>,
    program: &'a Program,
    interpreter: Option<&'a Text>,
    given_values: IndexMap<String, Value>,
    /// The program's command line.
    words: Vec<Argument>,
    /// The arguments as the receipt keeps them.
    named: IndexMap<String, Value>,
    /// Directories that the program writes to.
    writes: Vec<Text>,
    /// Secrets that were typed.
    given: IndexMap<EnvName, Text>,
    /// Variables that a config file asks for.
    needed: Vec<EnvName>,
    patterns: Vec<(String, Text)>,
}

impl<'a, 'b, F: Facts> ProgramLine<'a, 'b, F> {
    fn new(
        check: &'a mut Check<'b, F>,
        program: &'a Program,
        arguments: &Arguments,
        interpreter: Option<&'a Text>,
    ) -> Self {
        let given_values = match arguments {
            Arguments::Named(values) => values.clone(),
            Arguments::List(words) if words.is_empty() => IndexMap::new(),
            Arguments::List(_) => {
                check.fault(Fault::new(
                    "arguments",
                    "a program of the catalog takes its arguments by name, such as { config = \"/etc/x\" }",
                ));
                IndexMap::new()
            }
        };
        Self {
            check,
            program,
            interpreter,
            given_values,
            words: Vec::new(),
            named: IndexMap::new(),
            writes: Vec::new(),
            given: IndexMap::new(),
            needed: Vec::new(),
            patterns: Vec::new(),
        }
    }

    fn check_all(&mut self) {
        let program = self.program;
        for name in self.given_values.keys() {
            if !program.arguments.iter().any(|spec| spec.name == *name) {
                self.check.fault(
                    Fault::new(format!("argument `{name}`"), format!("`{}` has no such argument", program.name))
                        .help(format!("`InstallService {} -h` lists them", program.name)),
                );
            }
        }
        // Options first, so that a value that begins with a dash can stand behind a `--`.
        let mut greedy = false;
        for spec in program.arguments.iter().filter(|spec| !spec.is_positional()) {
            if let Some((words, value)) = self.values_of(spec) {
                greedy = spec.arity.bounds() != (1, Some(1)) && spec.kind != ArgKind::Flag;
                self.option(spec, words, &value);
                self.named.insert(spec.name.clone(), value);
            }
        }
        let mut values = Vec::new();
        for spec in program.positionals() {
            if let Some((words, value)) = self.values_of(spec) {
                values.extend(words);
                self.named.insert(spec.name.clone(), value);
            }
        }
        // Behind an option of many values, or where one begins with a dash, the positional ones need
        // the `--` that ends the options.
        let dashed = values.iter().any(|word| word.as_bytes().starts_with(b"-") && word.len() > 1);
        if dashed || greedy && !values.is_empty() {
            self.words.push(Argument::Literal("--".into()));
        }
        self.words.extend(values.into_iter().map(|word| reference(Text::default(), word)));
        let order = |name: &String| program.arguments.iter().position(|spec| spec.name == *name);
        self.named.sort_by(|a, _, b, _| order(a).cmp(&order(b)));
    }

    /// The checked words of one argument, and its value for the receipt.
    fn values_of(&mut self, spec: &ArgSpec) -> Option<(Vec<Text>, Value)> {
        let what = format!("argument `{}`", spec.display_name());
        let Some(value) = self.given_values.get(&spec.name).cloned() else {
            if spec.required {
                self.check.fault(
                    Fault::new(&what, format!("`{}` needs it: {}", self.program.name, spec.help))
                        .help(format!("`InstallService {} -h` explains every argument", self.program.name)),
                );
            } else if spec.kind == ArgKind::ConfigFile
                && let Some(default) = &spec.default
            {
                self.config_file(spec, &what, &default.as_str().into(), false);
            }
            return None;
        };
        if spec.kind == ArgKind::Flag {
            return match value {
                Value::Flag(true) => Some((Vec::new(), value)),
                Value::Flag(false) => None,
                _ => {
                    self.check.fault(Fault::new(what, "it is a flag: true or false"));
                    None
                }
            };
        }
        if matches!(value, Value::Flag(_)) {
            self.check.fault(Fault::new(what, "it needs a value, not true or false"));
            return None;
        }
        let words = value.words();
        let (fewest, most) = spec.arity.bounds();
        if !spec.repeat && (words.len() < fewest || most.is_some_and(|most| words.len() > most)) {
            let wanted = match (fewest, most) {
                (1, Some(1)) => "one value".to_owned(),
                (fewest, None) => format!("{fewest} or more values"),
                (fewest, Some(most)) if fewest == most => format!("{most} values"),
                (fewest, Some(most)) => format!("{fewest} to {most} values"),
            };
            self.check.fault(Fault::new(what, format!("it takes {wanted}, not {}", words.len())));
            return None;
        }
        let before = self.check.faults.len();
        let words: Vec<Text> = words.into_iter().map(|word| self.value(spec, &what, word)).collect();
        if self.check.faults.len() > before {
            return None;
        }
        let value = match (&value, words.as_slice()) {
            (Value::Word(_), [word]) => Value::Word(word.clone()),
            _ => value,
        };
        Some((words, value))
    }

    /// One value of one argument, checked; a secret becomes a reference.
    fn value(&mut self, spec: &ArgSpec, what: &str, word: Text) -> Text {
        if !self.check.no_nul(what, &word) || referred(&word).is_some() {
            return word;
        }
        match spec.kind {
            ArgKind::ExistingDir => {
                self.writes.extend(self.check.directory(what, &word));
            }
            ArgKind::ExistingFile => {
                self.check.file(what, &word);
            }
            ArgKind::CreateDir => {
                if let Some(path) = self.check.absolute(what, &word) {
                    match self.check.facts.path_kind(&path) {
                        Some(PathKind::File | PathKind::Executable) => {
                            self.check.fault(Fault::new(what, "this is a file, not a directory").given(&path));
                        }
                        _ => self.writes.push(path),
                    }
                }
            }
            ArgKind::Path => {
                self.check.absolute(what, &word);
            }
            ArgKind::ConfigFile => self.config_file(spec, what, &word, true),
            ArgKind::Secret => return self.secret(spec, word),
            _ => match word.as_str() {
                Some(text) => {
                    if let Err(reason) = spec.check(text) {
                        // The reason names the value.
                        self.check.fault(Fault::new(what, reason));
                    } else if spec.kind == ArgKind::Regex {
                        self.patterns.push((spec.name.clone(), word.clone()));
                    }
                }
                None if spec.kind == ArgKind::String => {}
                None => self.check.fault(Fault::new(what, "it is not UTF-8 text").given(&word)),
            },
        }
        word
    }

    /// A secret that was typed moves into the environment file; the argument becomes a reference.
    fn secret(&mut self, spec: &ArgSpec, value: Text) -> Text {
        let name: String = spec.name.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let variable: EnvName = name.parse().expect("letters, digits and `_` are a name");
        self.check.note(format!(
            "the value of `{}` goes into the environment file as `{name}`; your shell's history keeps what you typed, \
             so type '${name}' instead and you are asked for it",
            spec.name
        ));
        self.given.insert(variable, value);
        Text::from(format!("${name}"))
    }

    /// An INI file whose `$NAME` values the service needs, and whose relative paths are reported.
    fn config_file(&mut self, spec: &ArgSpec, what: &str, word: &Text, typed: bool) {
        let bare = word.as_str().filter(|name| !name.contains(['/', '\\', '.']) && !name.is_empty());
        let path = match (bare, &spec.package_dir) {
            (Some(name), Some(package_dir)) => {
                let relative = format!("{package_dir}/{name}{}", spec.suffix.as_deref().unwrap_or_default());
                let found = self.interpreter.and_then(|python| self.check.facts.package_file(python, &relative));
                if found.is_none() {
                    self.check.note(format!(
                        "the config file `{name}` lies inside the program's package, which was not found here; \
                         the environment variables that it names are not known"
                    ));
                }
                found
            }
            _ if typed => self.check.file(what, word),
            _ => None,
        };
        let Some(path) = path else { return };
        let Some(text) = self.check.facts.read_text(&path) else {
            self.check.note(format!(
                "`{path}` is not read here; if it names environment variables, `--env NAME` makes each of them known"
            ));
            return;
        };
        match config_file::read(&text) {
            Ok(config) => {
                for relative in config.relative_paths() {
                    self.check.note(format!(
                        "in `{path}`, [{}] {} = {} looks like a relative path; the service runs elsewhere, write an absolute one",
                        relative.section, relative.key, relative.value
                    ));
                }
                self.needed.extend(config.variables().into_iter().filter_map(|name| name.parse().ok()));
            }
            Err(error) => self.check.fault(Fault::new(what, error.to_string()).given(&path)),
        }
    }

    fn option(&mut self, spec: &ArgSpec, words: Vec<Text>, value: &Value) {
        let flag = spec.display_name();
        if spec.kind == ArgKind::Flag {
            if *value == Value::Flag(true) {
                self.words.push(Argument::Literal(flag.into()));
            }
            return;
        }
        // `--option=value` in one word, so that a value may begin with a dash.
        let single = spec.arity.bounds() == (1, Some(1));
        if single && flag.starts_with("--") {
            self.words.extend(words.into_iter().map(|word| reference(Text::from(format!("{flag}=")), word)));
            return;
        }
        self.words.push(Argument::Literal(flag.into()));
        self.words.extend(words.into_iter().map(|word| reference(Text::default(), word)));
    }
}
