//! The checks of a request, but for the arguments of a catalog program, and the questions that several share.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::{Runs, pairs};
use crate::catalog::Catalog;
use crate::error::Fault;
use crate::manifest::{Arguments, LogFile, Request, Setting, Time};
use crate::model::entry::PythonEntry;
use crate::model::facts::{Facts, PathKind};
use crate::model::name::{EnvName, OneLine, ServiceName, UnitName, WindowsServiceName};
use crate::model::nssm_table;
use crate::model::parameter::Parameter;
use crate::model::platform::Platform;
use crate::model::refused::{Origin, Refused};
use crate::model::run_by::RunBy;
use crate::model::schedule::Schedule;
use crate::model::span::Span;
use crate::model::spec::{
    Argument, Hardening, Order, Output, OwnFile, Restart, Run, Scope, SecretStore, StopCommand, Target, Timer,
};
use crate::model::systemd_table::{Directive, KnownDirective, Section, is_oneshot, is_unit};
use crate::model::systemd_version::SystemdVersion;
use crate::model::text::Text;
use crate::model::windows_account;
use crate::model::word::Word;

/// The versions of systemd that brought credentials (`LoadCredential=`), and encrypted ones (NEWS).
const CREDENTIALS: u32 = 247;
const ENCRYPTED_CREDENTIALS: u32 = 250;

/// What says how long a stop waits, in the words of a service manager: `TimeoutSec=` sets it by the way
/// (systemd.service(5)).
const STOP_TIMEOUTS: [&str; 3] = ["AppStopMethodConsole", "TimeoutSec", "TimeoutStopSec"];

/// What says where the output goes, in the words of a service manager.
const OUTPUTS: [&str; 4] = ["AppStderr", "AppStdout", "StandardError", "StandardOutput"];

/// The version of systemd that appends to files (NEWS).
const APPEND: u32 = 240;

/// What is asked of one service manager alone.
pub(super) struct OfManager {
    pub(super) systemd: SystemdVersion,
    pub(super) directives: Vec<Directive>,
    pub(super) parameters: Vec<Parameter>,
    pub(super) restart: Restart,
    pub(super) environment_file: Option<OwnFile>,
    pub(super) timer: Option<Timer>,
}

/// The faults and notes of one request, and the questions that several fields share.
pub(super) struct Check<'a, F> {
    pub(super) facts: &'a F,
    pub(super) target: Target,
    pub(super) platform: Platform,
    pub(super) faults: Vec<Fault>,
    notes: Vec<String>,
}

impl<'a, F: Facts> Check<'a, F> {
    pub(super) fn new(facts: &'a F, target: Target) -> Self {
        Self { facts, target, platform: target.platform(), faults: Vec::new(), notes: Vec::new() }
    }

    /// What was found: faults, and what is none.
    pub(super) fn end(self) -> (Vec<Fault>, Vec<String>) {
        (self.faults, self.notes)
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(super) fn parse<T: std::str::FromStr<Err = String>>(&mut self, what: &str, text: &str) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(reason) => {
                self.fault(Fault::new(what, reason).given(text));
                None
            }
        }
    }

    pub(super) fn env_name(&mut self, what: &str, name: &str) -> Option<EnvName> {
        self.parse(what, name)
    }

    pub(super) fn line(&mut self, what: &str, text: Option<&str>) -> Option<OneLine> {
        text.and_then(|text| self.parse(what, text))
    }

    pub(super) fn word<T: Word + Default>(&mut self, what: &str, word: Option<&str>) -> T {
        let Some(word) = word else { return T::default() };
        T::of(word).unwrap_or_else(|reason| {
            self.fault(Fault::new(what, reason).given(word));
            T::default()
        })
    }

    pub(super) fn what_runs<'c>(&mut self, request: &Request, catalog: &'c Catalog) -> Option<Runs<'c>> {
        if !request.command.is_empty() || Self::only_stops(request) {
            return self.commands(request);
        }
        match (&request.program, &request.python, &request.executable) {
            (Some(program), None, None) => match catalog.find(program) {
                Some(program) => Some(Runs::Program(program)),
                None => {
                    let mut fault = Fault::new("program", "there is no such program in the catalog").given(program);
                    fault.help = Some(match catalog.suggest(program) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None if program.ends_with(".toml") => {
                            format!("`--manifest {}` reads a manifest", shlex::try_quote(program).unwrap_or_default())
                        }
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
                    Fault::new("program", "nothing to run was given")
                        .help("`InstallService -h` lists the programs; any other program goes after `--`"),
                );
                None
            }
            _ => {
                self.runs_several();
                None
            }
        }
    }

    fn runs_several(&mut self) {
        let reason = "a service runs one of `program`, `python`, `executable` and `command`, not several";
        self.fault(Fault::new("program", reason));
    }

    /// Whether a service runs nothing, but is asked for all the same: a unit can have no more than what stops it.
    fn only_stops(request: &Request) -> bool {
        let Request { program, python, executable, command, .. } = request;
        let runs_nothing = program.is_none() && python.is_none() && executable.is_none() && command.is_empty();
        let ends = ["ExecStop", "Service.ExecStop", "Unit.SuccessAction"];
        runs_nothing && request.plain == Some(true) && ends.iter().any(|key| request.systemd.contains_key(*key))
    }

    /// Its commands in the grammar of systemd.
    fn commands<'c>(&mut self, request: &Request) -> Option<Runs<'c>> {
        let what = "key `command`";
        if request.program.is_some() || request.python.is_some() || request.executable.is_some() {
            self.runs_several();
            return None;
        }
        match self.target {
            Target::Systemd => {}
            Target::Nssm => {
                self.fault(
                    Fault::new(what, "these are command lines of systemd")
                        .help("`executable` and `arguments` say what runs on either system"),
                );
                return None;
            }
        }
        if !request.arguments.is_empty() {
            self.fault(
                Fault::new("arguments", "each entry of `command` is a whole command line")
                    .help("write the arguments into it, or name the program by `executable`"),
            );
        }
        let mut lines = Vec::new();
        for line in &request.command {
            let said = if line.trim().is_empty() { Err(Refused::new("must not be empty")) } else { exec_start(line) };
            match said {
                Ok(line) => lines.push(line),
                Err(Refused { reason, help, .. }) => {
                    let mut fault = Fault::new(what, reason);
                    fault.help = help;
                    self.fault(fault);
                }
            }
        }
        Some(Runs::Commands(lines))
    }

    /// What systemd refuses of several commands, and of none (`service_verify` in `src/core/service.c`).
    pub(super) fn number_of_commands(&mut self, run: Option<&Run>, directives: &[Directive], is_job: bool) {
        let Some(Run::Commands { lines, .. }) = run else { return };
        let is_oneshot = is_oneshot(directives, is_job);
        if !is_oneshot && lines.iter().map(Directive::commands).sum::<usize>() > 1 {
            self.fault(
                Fault::new("key `command`", "only a service of `Type=oneshot` runs several commands")
                    .help("write `Type = \"oneshot\"` in the `systemd` table, or `ExecStartPre` for what comes first"),
            );
        }
    }

    /// Refuses what a plain service says by a key and by a directive, too; others cannot.
    pub(super) fn said_once(&mut self, request: &Request, directives: &[Directive]) {
        if request.plain != Some(true) {
            return;
        }
        let Request { after, description, restart, restart_sec, account, working_directory, network, .. } = request;
        let said: [(&str, &str, bool); 7] = [
            ("After", "after", !after.is_empty() || *network == Some(true)),
            ("Description", "description", description.is_some()),
            ("Restart", "restart", restart.is_some()),
            ("RestartSec", "restart_sec", restart_sec.is_some()),
            ("User", "account", account.is_some()),
            ("WorkingDirectory", "working_directory", working_directory.is_some()),
            ("WantedBy", "at_boot", request.at_boot == Some(true)),
        ];
        for (directive, key, _) in said
            .into_iter()
            .filter(|(name, _, is_said)| *is_said && directives.iter().any(|directive| directive.name() == *name))
        {
            let reason = format!("the key `{key}` says it, too; omit one of the two");
            self.fault(Fault::new(format!("systemd directive `{directive}`"), reason));
        }
    }

    fn no_template_of_windows(&mut self, name: &ServiceName) {
        match self.target {
            Target::Nssm if name.is_template() => {
                let fault =
                    Fault::new("service name", "must not be that of a template, which only systemd has").given(name);
                self.fault(fault.help("`instances = [\"a\", \"b\"]` in a manifest makes a service for each"));
            }
            Target::Nssm | Target::Systemd => {}
        }
    }

    pub(super) fn name(&mut self, name: Option<&str>) -> Option<ServiceName> {
        let name = name?;
        match name.parse() {
            Ok(name) => {
                self.no_template_of_windows(&name);
                Some(name)
            }
            Err(reason) => {
                self.fault(Fault::new("service name", reason).given(Text::from(name)));
                None
            }
        }
    }

    /// A list of words; the names of arguments mean something for catalog programs only.
    pub(super) fn words(&mut self, arguments: &Arguments) -> Vec<Text> {
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

    pub(super) fn no_nul(&mut self, what: &str, text: &Text) -> bool {
        let clean = !text.as_bytes().contains(&0);
        if !clean {
            self.fault(Fault::new(what, "must not contain a NUL: no program can be given one").given(text));
        }
        clean
    }

    /// `path` if it is absolute in the target's syntax; else a fault with the absolute one.
    pub(super) fn absolute(&mut self, what: &str, path: &Text) -> Option<Text> {
        if path.is_empty() {
            self.fault(Fault::new(what, "must not be empty: it is a path"));
            return None;
        }
        if !self.no_nul(what, path) {
            return None;
        }
        if self.platform.is_absolute(path) {
            return Some(path.clone());
        }
        let (syntax, is_below_here) = match self.platform {
            Platform::Unix => ("a path of the service must be absolute: it runs in another directory than you", true),
            Platform::Windows => {
                let is_drive = path.as_bytes().get(1) == Some(&b':');
                let of_drive = path.as_bytes().first().is_some_and(|first| matches!(first, b'/' | b'\\'));
                (
                    "a path of a Windows service must be absolute: `C:\\...` or `\\\\server\\share\\...`",
                    !is_drive && !of_drive,
                )
            }
        };
        let mut fault = Fault::new(what, syntax).given(path);
        if let (Some(here), Some(text)) = (self.facts.current_directory().filter(|_| is_below_here), path.as_str()) {
            let whole = here.with(self.platform.separator()).with(text);
            fault.help = Some(format!("`{}`", self.platform.normalised(&whole)));
        }
        self.fault(fault);
        None
    }

    /// An absolute path of a directory, which is there if the host can tell.
    pub(super) fn directory(&mut self, what: &str, path: &Text) -> Option<Text> {
        let path = self.absolute(what, path)?;
        match self.facts.path_kind(&path) {
            Some(PathKind::Missing) => {
                let words = match self.platform {
                    Platform::Unix => vec!["mkdir".into(), "-p".into(), path.clone()],
                    Platform::Windows => vec!["mkdir".into(), path.clone()],
                };
                let typed = self.platform.typed(&words);
                let fault = Fault::new(what, "there is no such directory").given(&path);
                self.fault(fault.help(format!("`{typed}` makes it")));
                None
            }
            Some(PathKind::File | PathKind::Executable) => {
                self.fault(Fault::new(what, "this is a file, not a directory").given(&path));
                None
            }
            Some(PathKind::Other(kind)) => {
                self.fault(Fault::new(what, format!("this is {kind}, not a directory")).given(&path));
                None
            }
            Some(PathKind::Directory) | None => Some(path),
        }
    }

    pub(super) fn file(&mut self, what: &str, path: &Text) -> Option<Text> {
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

    pub(super) fn executable(&mut self, what: &str, given: &Text) -> Option<Text> {
        let has_separator = given.as_bytes().iter().any(|byte| *byte == b'/' || self.platform.is_separator(*byte));
        let path = if has_separator || given.is_empty() {
            self.absolute(what, given)?
        } else {
            match self.facts.find_program(given) {
                Some(path) => path,
                None => {
                    // As the prompt of Windows would find it.
                    let separator = self.platform.separator();
                    let here = self.facts.current_directory().map(|here| here.with(separator).with(&given.to_string()));
                    let here = here.filter(|path| self.facts.path_kind(path) == Some(PathKind::File));
                    let help = here.map_or("give its absolute path".to_owned(), |path| format!("`{path}`"));
                    self.fault(Fault::new(what, "there is no program of that name on PATH").given(given).help(help));
                    return None;
                }
            }
        };
        if self.refuses_alias(what, &path) {
            return None;
        }
        match self.facts.path_kind(&path) {
            Some(PathKind::Missing) => self.fault(Fault::new(what, "there is no such file").given(&path)),
            Some(PathKind::Directory) => {
                self.fault(Fault::new(what, "this is a directory, not a program").given(&path));
            }
            Some(PathKind::Other(kind)) => {
                self.fault(Fault::new(what, format!("this is {kind}, not a program")).given(&path));
            }
            Some(PathKind::File) => {
                let typed = self.platform.typed(&["chmod".into(), "+x".into(), path.clone()]);
                let fault = Fault::new(what, "it is not marked as executable").given(&path);
                self.fault(fault.help(format!("`{typed}`, or name its interpreter in front of it")));
            }
            Some(PathKind::Executable) | None => return Some(path),
        }
        None
    }

    /// Says so where the account cannot get at what its service needs.
    pub(super) fn reach(
        &mut self,
        account: Option<&str>,
        run: Option<&Run>,
        is_script_of_python: bool,
        working_directory: Option<&Text>,
        state_dir: &Text,
    ) {
        let (Some(account), Some(run), Some(directory)) = (account, run, working_directory) else { return };
        // What it runs, or what asks it to stop.
        let has_script = is_script_of_python || matches!(run, Run::Python { .. });
        let script = has_script.then_some(state_dir);
        let needs = [
            ("start", run.program(), "`chmod` opens it"),
            ("run in", Some(directory), "`--working-directory DIR` names another directory"),
            ("read its script in", script, "`--state-dir DIR` names another directory"),
        ];
        for (what, path, help) in needs {
            let Some(path) = path else { continue };
            if let Some(at) = self.facts.closed_to(account, path) {
                self.note(format!("it cannot {what} `{path}`: `{at}` is closed to the account `{account}`; {help}"));
            }
        }
    }

    pub(super) fn interpreter(&mut self, request: &Request) -> Option<Text> {
        match &request.interpreter {
            Some(path) => self.executable("executable", path),
            None => {
                let found = self.facts.interpreter();
                if let Some(path) = &found
                    && self.refuses_alias("interpreter", path)
                {
                    return None;
                }
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

    pub(super) fn working_directory(&mut self, request: &Request, fallback: &Text) -> Option<Text> {
        let in_table = match self.target {
            Target::Systemd => None,
            Target::Nssm => request.nssm.get("AppDirectory"),
        };
        let in_table = in_table.and_then(|said| Some(Text::from(said.lines().pop()?)));
        // One that begins with a variable is known to the service alone.
        if let Some(path) =
            in_table.filter(|path| request.working_directory.is_none() && self.platform.is_absolute(path))
        {
            return Some(path);
        }
        match &request.working_directory {
            Some(path) => self.directory("option `--working-directory`", path),
            // Where systemd starts it if its unit says nothing (systemd.exec(5), `WorkingDirectory=`).
            None if request.plain == Some(true) => Some(match self.target {
                Target::Systemd => "/".into(),
                // That is NSSM's own choice.
                Target::Nssm => self.folder_of_executable(request).unwrap_or_else(|| fallback.clone()),
            }),
            None => Some(self.facts.current_directory().unwrap_or_else(|| {
                self.note(format!("it will run in `{fallback}`; `--working-directory DIR` names another directory"));
                fallback.clone()
            })),
        }
    }

    fn folder_of_executable(&self, request: &Request) -> Option<Text> {
        let path = request.executable.as_ref()?.as_str()?;
        let (folder, _) = path.rsplit_once(['\\', '/'])?;
        self.platform.is_absolute(&path.into()).then(|| folder.into())
    }

    pub(super) fn environment(&mut self, plain: &IndexMap<String, Text>) -> IndexMap<EnvName, Text> {
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

    /// The secrets in order, each once, with those that something else of it has `asked` for; an environment file can name
    /// only some variables. One that is set plainly needs no secret value.
    pub(super) fn secrets(
        &mut self,
        request: &Request,
        asked: impl Iterator<Item = EnvName>,
        environment: &IndexMap<EnvName, Text>,
    ) -> Vec<EnvName> {
        let named: Vec<EnvName> = request.secrets.iter().filter_map(|name| self.env_name("secret", name)).collect();
        let names = named.into_iter().chain(asked).filter(|name| !environment.contains_key(name));
        let mut names: Vec<EnvName> = names.collect();
        names.sort();
        names.dedup();
        for name in names.iter().filter(|name| !name.is_identifier()) {
            self.fault(
                Fault::new(
                    format!("secret `{name}`"),
                    "systemd reads only names of letters, digits and `_` from an environment file",
                )
                .help(format!("`--env '{name}=VALUE'` sets it plainly, visible to every user of the machine")),
            );
        }
        names
    }

    /// Refuses variables that the target takes for one: Windows does not tell the cases of letters apart, and would keep one
    /// of them without a word.
    pub(super) fn apart(&mut self, environment: &IndexMap<EnvName, Text>, secrets: &[EnvName]) {
        let mut known: BTreeMap<String, &EnvName> = BTreeMap::new();
        for name in environment.keys().chain(secrets) {
            if let Some(first) = known.insert(self.platform.distinct(name.as_str()), name) {
                let reason = format!("Windows takes `{first}` and `{name}` for one name");
                self.fault(Fault::new(format!("environment variable `{name}`"), reason));
            }
        }
    }

    /// Where the values of the secrets are kept.
    fn secrets_in(&mut self, request: &Request, scope: Scope, assumed: Option<SystemdVersion>) -> SecretStore {
        let what = "option `--secrets`";
        let store: SecretStore = self.word(what, request.secrets_in.as_deref());
        match self.target {
            Target::Systemd => {}
            Target::Nssm if store.is_credential() => {
                self.note("credentials exist on systemd only; on Windows the values are kept in a file that only SYSTEM and Administrators can read");
                return SecretStore::File;
            }
            Target::Nssm => {}
        }
        if store.is_credential() && scope == Scope::User {
            let reason = "a credential is encrypted with a key that only root reads, and a user service is not root's";
            self.fault(
                Fault::new(what, reason)
                    .given("credentials")
                    .help("omit `--secrets`: the values are then kept in a file that only you can read"),
            );
        }
        match assumed {
            Some(version) if store.is_credential() && !version.has(CREDENTIALS) => {
                let reason = format!("systemd {version} has no credentials, which came with {CREDENTIALS}");
                self.fault(Fault::new(what, reason).given("credentials"));
                store
            }
            Some(version) if store.is_credential() && !version.has(ENCRYPTED_CREDENTIALS) => SecretStore::Credential,
            _ => store,
        }
    }

    /// The version of systemd that the unit is written for, where that is not the usual one: as the request says, or that
    /// of this host, where it is older. And where secrets are, of which a host with an older one is not asked: what it
    /// cannot encrypt is refused, unless somebody says that it need not be.
    pub(super) fn assumed(&mut self, request: &Request, scope: Scope) -> (Option<SystemdVersion>, SecretStore) {
        let said = request.assume.as_deref().and_then(|version| self.parse("option `--assume`", version));
        let secrets_in = self.secrets_in(request, scope, said);
        let here = match (self.target, secrets_in) {
            (Target::Systemd, SecretStore::File | SecretStore::Credential) if said.is_none() => {
                self.facts.systemd_version()
            }
            (Target::Systemd | Target::Nssm, _) => None,
        };
        let older = here.map(SystemdVersion::from).filter(|here| *here < SystemdVersion::USUAL);
        (said.or(older), secrets_in)
    }

    pub(super) fn account(&mut self, request: &Request, scope: Scope, service: Option<&ServiceName>) -> Option<String> {
        let account = request.account.as_ref()?;
        let what = "option `--account`";
        if scope == Scope::User {
            self.fault(Fault::new(what, "a user service runs as the user who installs it").given(account));
            return None;
        }
        match self.target {
            Target::Systemd => self.account_of_systemd(what, account),
            Target::Nssm => self.account_of_windows(what, account, service),
        }
    }

    /// An account of this host, by its name.
    fn account_of_systemd(&mut self, what: &str, account: &str) -> Option<String> {
        // The rule of systemd's User= in its strict form (systemd.exec(5), USER_NAMES on systemd.io).
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if account.is_empty() || account.starts_with(['-', '.']) || account.len() > 31 || !account.chars().all(plain) {
            self.fault(Fault::new(what, "must be the name of an account").given(Text::from(account)));
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
        Some(account.to_owned())
    }

    /// What is asked of the service manager that the service is for.
    pub(super) fn of_manager(
        &mut self,
        request: &Request,
        restart: Restart,
        assumed: Option<SystemdVersion>,
        secrets_in: SecretStore,
    ) -> OfManager {
        self.log_keep(request);
        match self.target {
            Target::Systemd => {
                let environment_file = self.environment_file(request);
                let (systemd, directives) = self.directives(request, assumed, secrets_in);
                let timer = self.timer(request, &directives);
                let restart = match &request.restart {
                    None if timer.is_some() => Restart::Never,
                    _ => restart,
                };
                let is_job = timer.is_some() && request.plain != Some(true);
                let of_service = super::of_service(&directives);
                let systemd = match assumed {
                    Some(assumed) => assumed,
                    None => systemd.max(pairs::since(&of_service, is_job).into()),
                };
                let restart = self.type_and_restart(&of_service, is_job, request, restart, systemd);
                self.restart_of_oneshot(&of_service, is_job, restart, systemd);
                let parameters = Vec::new();
                OfManager { systemd, directives, parameters, restart, environment_file, timer }
            }
            Target::Nssm => {
                self.not_of_windows(request);
                OfManager {
                    systemd: SystemdVersion::USUAL,
                    directives: Vec::new(),
                    parameters: self.parameters(request),
                    restart,
                    environment_file: self.environment_file(request),
                    timer: None,
                }
            }
        }
    }

    /// What a service of Windows does not have, of what was asked for.
    fn not_of_windows(&mut self, request: &Request) {
        if request.user == Some(true) {
            self.fault(
                Fault::new("option `--user`", "Windows has no services of a user's own")
                    .help("omit `--user`, and run the command as an administrator"),
            );
        }
        self.said_in_nssm_table(request);
        if request.hardening.as_deref().is_some_and(|profile| profile != "none") {
            self.note("hardening exists on systemd only and has no effect on Windows; `--account LocalService` takes away most rights");
        }
        if let Some(word @ ("on-abnormal" | "on-abort" | "on-watchdog")) = request.restart.as_deref() {
            self.fault(
                Fault::new("option `--restart`", "Windows has no signals, which this is about")
                    .given(word)
                    .help("`on-failure` starts it again after every error"),
            );
        }
        for (option, given) in [("before", &request.before), ("wants", &request.wants)] {
            if !given.is_empty() {
                self.fault(
                    Fault::new(format!("option `--{option}`"), "a service of Windows can only be started after others")
                        .help("`--after SERVICE` or `--requires SERVICE` starts that one first"),
                );
            }
        }
        if let Some(schedule) = &request.schedule {
            self.fault(
                Fault::new("option `--schedule`", "a service of Windows runs all the time")
                    .given(Text::from(schedule.as_str()))
                    .help(format!("`{}` has Windows run it", self.task_of_windows(request, schedule))),
            );
        }
    }

    /// The command that has the task scheduler of Windows run a job, as near as its words come to the schedule.
    fn task_of_windows(&self, request: &Request, schedule: &str) -> String {
        let when = match schedule.parse() {
            Ok(Schedule::Every(span)) if span.millis() < 24 * 3_600_000 => {
                format!("MINUTE /MO {}", span.millis().div_ceil(60_000))
            }
            Ok(Schedule::Calendar(_)) if matches!(schedule, "hourly" | "weekly" | "monthly") => schedule.to_uppercase(),
            Ok(Schedule::Calendar(_)) if schedule == "minutely" => "MINUTE".to_owned(),
            Ok(Schedule::Calendar(_)) if is_time_of_day(schedule) => format!("DAILY /ST {schedule}"),
            _ => "DAILY".to_owned(),
        };
        let name = request.name.as_deref().unwrap_or("NAME");
        let command = match (&request.executable, &request.arguments) {
            (Some(program), Arguments::List(words)) => {
                let words: Vec<Text> = std::iter::once(program).chain(words).cloned().collect();
                self.platform.typed(&words).replace('"', "\\\"")
            }
            _ => "COMMAND".to_owned(),
        };
        format!("schtasks /Create /TN {name} /SC {when} /RU SYSTEM /TR \"{command}\"")
    }

    /// What starts it in place of the boot.
    fn timer(&mut self, request: &Request, directives: &[Directive]) -> Option<Timer> {
        let schedule = match &request.schedule {
            Some(schedule) => Some(self.parse("option `--schedule`", schedule)?),
            None => None,
        };
        let said = || directives.iter().filter(|directive| directive.section() == Section::Timer);
        if let Some(template) = request.name.as_deref().filter(|name| schedule.is_some() && name.ends_with('@')) {
            let reason = "a template cannot have one: only its instances run";
            let help = "`instances = [\"a\", \"b\"]` in a manifest makes a service with a timer for each";
            self.fault(Fault::new("option `--schedule`", reason).given(template).help(help));
        }
        // `systemctl enable` enables the timer.
        let is_alias = |directive: &&Directive| (directive.section(), directive.name()) == (Section::Install, "Alias");
        for alias in directives.iter().filter(|_| schedule.is_some()).filter(is_alias) {
            let odd = alias.value().split_whitespace().find(|word| !word.ends_with(".timer"));
            if let Some(odd) = odd {
                let reason = "must be the name of a timer: with a schedule the timer is enabled";
                self.fault(Fault::new("systemd directive `Install.Alias`", reason).given(odd));
            }
        }
        let elapses = schedule.is_some() || said().any(|directive| directive.name().starts_with("On"));
        match said().next() {
            Some(first) if !elapses => {
                let what = format!("systemd directive `Timer.{}`", first.name());
                let fault = Fault::new(what, "nothing says when the timer starts the service");
                self.fault(fault.help("`--schedule daily` does, or `--property Timer.OnBootSec=5min`"));
                None
            }
            _ => elapses.then_some(Timer { schedule }),
        }
    }

    /// What it is started after, before and with.
    pub(super) fn order(&mut self, request: &Request) -> Order {
        match self.target {
            Target::Systemd => Order {
                after: self.units("after", &request.after),
                before: self.units("before", &request.before),
                requires: self.units("requires", &request.requires),
                wants: self.units("wants", &request.wants),
                depends_on: Vec::new(),
            },
            Target::Nssm => Order { depends_on: self.depends_on(request), ..Order::default() },
        }
    }

    fn units(&mut self, option: &str, given: &[String]) -> Vec<UnitName> {
        given.iter().filter_map(|unit| self.parse(&format!("option `--{option}`"), unit)).collect()
    }

    /// The services of Windows that are started first: units of other kinds are systemd's own.
    fn depends_on(&mut self, request: &Request) -> Vec<WindowsServiceName> {
        let mut names: Vec<WindowsServiceName> = Vec::new();
        for (option, given) in [("after", &request.after), ("requires", &request.requires)] {
            for unit in given {
                if is_unit(unit) && !unit.ends_with(".service") {
                    self.note(format!(
                        "`{unit}` is a unit of systemd; `--{option} SERVICE` names a service of Windows"
                    ));
                    continue;
                }
                let name = self.parse(&format!("option `--{option}`"), unit);
                names.extend(name.filter(|name| !names.contains(name)));
            }
        }
        names
    }

    /// The file of variables that the user keeps.
    fn environment_file(&mut self, request: &Request) -> Option<OwnFile> {
        let given = request.environment_file.as_ref()?;
        let (path, optional) = match given.as_bytes().strip_prefix(b"-") {
            Some(path) => (Text::from_bytes(path), true),
            None => (given.clone(), false),
        };
        let what = "option `--environment-file`";
        let path = if optional { self.absolute(what, &path)? } else { self.file(what, &path)? };
        Some(OwnFile { path, optional })
    }

    /// Where its output goes: to a file that there may be already, in a directory that there must be.
    pub(super) fn output(
        &mut self,
        request: &Request,
        assumed: Option<SystemdVersion>,
        account: Option<&str>,
    ) -> Output {
        let what = "option `--log-file`";
        let given = match &request.log_file {
            None | Some(LogFile::Switch(true)) => return Output::Usual,
            Some(LogFile::Switch(false)) => return Output::Dropped,
            // On the command line these are words of their own.
            Some(LogFile::File(word)) if matches!(word.as_bytes(), b"none" | b"default") => {
                let (what, is_on) =
                    if word.as_bytes() == b"none" { ("no output", false) } else { ("the usual one", true) };
                let fault =
                    Fault::new("key `log_file`", "must be the path of a file, or `true` or `false`").given(word);
                self.fault(fault.help(format!("write `log_file = {is_on}` for {what}")));
                return Output::Usual;
            }
            Some(LogFile::File(path)) => path,
        };
        let Some(path) = self.absolute(what, given) else { return Output::Usual };
        match self.target {
            Target::Systemd => {
                if let Some(version) = assumed.filter(|version| !version.has(APPEND)) {
                    let reason = format!("systemd {version} cannot append to a file, which came with {APPEND}");
                    self.fault(Fault::new(what, reason).given(&path));
                }
            }
            // systemd opens it before it becomes the account; NSSM runs as the account itself.
            Target::Nssm if account.is_some_and(|account| account != windows_account::SYSTEM) => {
                self.note(format!(
                    "the account writes `{path}` itself, so it must be allowed to write in its directory"
                ));
            }
            Target::Nssm => {}
        }
        let name = self.platform.file_name(&path);
        if name.is_empty() || self.facts.path_kind(&path) == Some(PathKind::Directory) {
            let help = self.platform.join(&path, "output.log");
            self.fault(Fault::new(what, "this is a directory, not a file").given(&path).help(format!("`{help}`")));
            return Output::Usual;
        }
        let bytes = path.as_bytes();
        // The root keeps its separator.
        let end = (bytes.len() - name.len() - 1).max(1);
        self.directory(what, &Text::from_bytes(&bytes[..end]));
        Output::File(path)
    }

    /// Refuses to count logs that were set aside, where nothing sets them aside.
    fn log_keep(&mut self, request: &Request) {
        let Some(keep) = request.log_keep else { return };
        let fault = |reason: &str| Fault::new("key `log_keep`", reason).given(Text::from(keep.to_string()));
        match self.target {
            Target::Systemd => {
                let fault = fault("nothing sets a log aside on systemd: the journal has limits of its own");
                self.fault(fault.help("omit it, or use it with `--target nssm`"));
            }
            Target::Nssm if request.log_file == Some(LogFile::Switch(false)) => {
                self.fault(fault("there is no log to set aside with `log_file = false`"));
            }
            Target::Nssm => {}
        }
    }

    /// Refuses a key of a table that says in the service manager's own word what `--log-file` says.
    pub(super) fn one_output(&mut self, request: &Request, directives: &[Directive], parameters: &[Parameter]) {
        let said = request.log_file.is_some();
        self.said_in_table(said, "option `--log-file`", &OUTPUTS, request, directives, parameters);
    }

    /// Its profile of hardening.
    pub(super) fn hardening(&mut self, request: &Request, account: Option<&str>, scope: Scope) -> Hardening {
        let hardening = self.word("option `--hardening`", request.hardening.as_deref());
        if hardening >= Hardening::Service && account.is_none() && scope == Scope::System {
            self.note(
                "hardening `service` and `strict` take away root's right to other users' files; \
                 `--account NAME` gives the service an account of its own",
            );
        }
        hardening
    }

    /// When it is started again: a plain unit that says nothing is not (systemd.service(5), `Restart=`), and a plain service
    /// of NSSM always is.
    pub(super) fn restart(&mut self, request: &Request) -> Restart {
        match request.restart.as_deref() {
            None if request.plain == Some(true) => match self.target {
                Target::Systemd => Restart::Never,
                Target::Nssm => Restart::Always,
            },
            said => self.word("option `--restart`", said),
        }
    }

    /// How long a stop waits. systemd takes 0 for ever (`config_parse_sec_fix_0` in `src/core/load-fragment.c`).
    pub(super) fn stop_timeout(&mut self, request: &Request) -> Option<Span> {
        let what = "option `--stop-timeout`";
        let span = self.span(what, request.stop_timeout.as_ref())?;
        if span == Span::seconds(0) {
            let given = request.stop_timeout.as_ref().map(ToString::to_string).unwrap_or_default();
            let fault = Fault::new(what, "must be longer than 0").given(Text::from(given));
            self.fault(fault.help("`--stop-timeout 1ms` kills what does not end at once"));
        }
        Some(span)
    }

    /// The command that asks it to end; `settled` gets the path of its program. At the end of a word systemd puts the number
    /// of the main process in for `$MAINPID` (systemd.service(5), `ExecStop=`), and so does RunService; all else is as it is
    /// typed.
    pub(super) fn stop_command(
        &mut self,
        request: &Request,
        directives: &[Directive],
        is_job: bool,
        settled: &mut Request,
    ) -> Option<StopCommand> {
        let what = "option `--stop-command`";
        let (program, words) = request.stop_command.split_first()?;
        self.no_stop_command_of_job(what, request, directives, is_job);
        if directives.iter().any(|directive| directive.name() == "ExecStop") {
            let reason = said_too(request.origin("ExecStop"), "ExecStop", "systemd");
            self.fault(Fault::new(what, reason));
        }
        let word = |word: &Text| match word.as_bytes().strip_suffix(b"$MAINPID") {
            Some(before) => Argument::Reference {
                before: Text::from_bytes(before),
                variable: "MAINPID".parse().expect("a name of our own"),
            },
            None => Argument::Literal(word.clone()),
        };
        let arguments = words.iter().map(word).collect();
        let path = self.executable(what, program)?;
        let needs = match self.target {
            Target::Systemd => None,
            Target::Nssm => RunBy::of(&path),
        };
        if let Some(run_by) = needs {
            let help = format!("write `{}` in front of it", run_by.typed());
            self.fault(Fault::new(what, "Windows does not start such a file by itself").given(&path).help(help));
            return None;
        }
        settled.stop_command[0].clone_from(&path);
        Some(StopCommand { path, arguments })
    }

    /// Refuses a command that would never ask anything to end: systemd sends SIGTERM to a job that runs, and carries out
    /// `ExecStop=` after a run, when nothing is left (systemd.service(5), `Type=oneshot`).
    fn no_stop_command_of_job(&mut self, what: &str, request: &Request, directives: &[Directive], is_job: bool) {
        let stays = directives.iter().any(|directive| directive.name() == "RemainAfterExit" && directive.is_on());
        if !is_oneshot(directives, is_job) || stays {
            return;
        }
        let why = match &request.schedule {
            Some(_) => "with `--schedule`",
            None => "with `Type=oneshot`",
        };
        let reason = format!("cannot be combined {why}: systemd asks a job that runs by its signal alone");
        let help = "`--property KillSignal=SIGINT` names another signal than SIGTERM";
        self.fault(Fault::new(what, reason).help(help));
    }

    /// A length of time.
    pub(super) fn span(&mut self, what: &str, time: Option<&Time>) -> Option<Span> {
        self.parse(what, &time?.to_string())
    }

    /// Refuses a key of a table that says in the service manager's own word what `--stop-timeout` says: it would take the
    /// place of that.
    pub(super) fn one_stop_timeout(&mut self, request: &Request, directives: &[Directive], parameters: &[Parameter]) {
        let said = request.stop_timeout.is_some();
        self.said_in_table(said, "option `--stop-timeout`", &STOP_TIMEOUTS, request, directives, parameters);
    }

    /// Refuses the keys `names` of a table beside an option that says the same.
    fn said_in_table(
        &mut self,
        is_said: bool,
        option: &str,
        names: &[&str],
        request: &Request,
        directives: &[Directive],
        parameters: &[Parameter],
    ) {
        let directives = directives.iter().map(|directive| (directive.name(), "systemd"));
        let parameters = parameters.iter().map(|parameter| (parameter.name.as_str(), "nssm"));
        let is_it = |(name, _): &(&str, &str)| is_said && names.contains(name);
        for (name, table) in directives.chain(parameters).filter(is_it) {
            let reason = said_too(request.origin(name), name, table);
            self.fault(Fault::new(option, reason));
        }
    }

    /// Refuses a parameter of NSSM beside the key that says the same in other words.
    fn said_in_nssm_table(&mut self, request: &Request) {
        let environment = !request.environment.is_empty() || !request.path.is_empty();
        for (name, key, is_said) in [
            ("AppParameters", "arguments", !request.arguments.is_empty()),
            ("AppDirectory", "working_directory", request.working_directory.is_some()),
            ("AppEnvironmentExtra", "environment", environment),
        ] {
            if is_said && request.nssm.contains_key(name) {
                let reason = format!("the key `{name}` of the `nssm` table says it, too; omit one of the two");
                self.fault(Fault::new(format!("key `{key}`"), reason));
            }
        }
    }

    /// The further parameters of NSSM.
    fn parameters(&mut self, request: &Request) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        for (key, value) in &request.nssm {
            let values = match value {
                Setting::Switch(on) => vec![u8::from(*on).to_string()],
                value => value.lines(),
            };
            match nssm_table::parameter(key, &values) {
                Ok(parameter) => parameters.push(parameter),
                Err(refused) => {
                    let Refused { reason, help, .. } = refused.of(request.origin(key));
                    let mut fault = Fault::new(format!("parameter `{}` of NSSM", Text::from(key.as_str())), reason);
                    fault.help = help;
                    self.fault(fault);
                }
            }
        }
        parameters
    }

    /// The further directives of systemd, and the version that has all that is asked for: the assumed one, or else the
    /// usual one or a newer one.
    fn directives(
        &mut self,
        request: &Request,
        assumed: Option<SystemdVersion>,
        secrets_in: SecretStore,
    ) -> (SystemdVersion, Vec<Directive>) {
        let find = match request.plain {
            Some(true) => KnownDirective::find_any,
            Some(false) | None => KnownDirective::find,
        };
        let usual = match secrets_in {
            SecretStore::EncryptedCredential => ENCRYPTED_CREDENTIALS.into(),
            SecretStore::Credential | SecretStore::File => SystemdVersion::USUAL,
        };
        let mut version = assumed.unwrap_or(usual);
        let mut directives = Vec::new();
        for (key, value) in &request.systemd {
            match find(key)
                .and_then(|known| value.lines().iter().map(|line| known.with(line)).collect::<Result<Vec<_>, _>>())
            {
                Ok(lines) => {
                    let since = lines.iter().map(Directive::since).max().unwrap_or_default();
                    if assumed.is_some() && !version.has(since) {
                        self.fault(Fault::new(
                            format!("systemd directive `{key}`"),
                            format!("it came with systemd {since}, and the unit is written for {version}"),
                        ));
                    }
                    let gone = lines.iter().filter_map(Directive::gone).min();
                    if let Some(gone) = gone.filter(|gone| assumed.is_some() && version.has(*gone)) {
                        self.fault(Fault::new(
                            format!("systemd directive `{key}`"),
                            format!("has no effect from systemd {gone} on, and the unit is written for {version}"),
                        ));
                    }
                    version = if assumed.is_some() { version } else { version.max(since.into()) };
                    directives.extend(lines);
                }
                Err(refused) => {
                    let Refused { reason, help, .. } = refused.of(request.origin(key));
                    let mut fault = Fault::new(format!("systemd directive `{}`", Text::from(key.as_str())), reason);
                    fault.help = help;
                    self.fault(fault);
                }
            }
        }
        (version, directives)
    }

    /// What systemd refuses in pairs, after which it does not load the unit at all (`service_verify` in
    /// `src/core/service.c`); gives when it is started again.
    fn type_and_restart(
        &mut self,
        directives: &[Directive],
        is_job: bool,
        request: &Request,
        restart: Restart,
        version: SystemdVersion,
    ) -> Restart {
        let last =
            |name: &str| directives.iter().rev().find(|directive| directive.name() == name).map(Directive::value);
        pairs::faults(directives, is_job, request, version).into_iter().for_each(|fault| self.fault(fault));
        match last("Type").or(is_job.then_some("oneshot")) {
            Some("dbus") if last("BusName").is_none_or(str::is_empty) => self.fault(
                Fault::new("systemd directive `Type`", "needs `BusName`: the name on the bus that says that it is up")
                    .given("dbus")
                    .help(format!("write {} beside it", request.origin("Type").entry("BusName", "org.example.Name"))),
            ),
            Some("oneshot") if matches!(restart, Restart::Always | Restart::OnSuccess) => {
                if request.restart.is_none() {
                    self.note("a service of `Type=oneshot` ends when it is done, so it is not started again (`--restart never`)");
                    return Restart::Never;
                }
                let reason = "`Type=oneshot` cannot be started again after it has ended without an error";
                self.fault(
                    Fault::new("option `--restart`", reason)
                        .help("`--restart on-failure` and `--restart never` can be"),
                );
            }
            _ => {}
        }
        restart
    }
}

/// Why an option is refused beside an entry of a table that says the same.
fn said_too(origin: Origin, name: &str, table: &str) -> String {
    match origin {
        Origin::CommandLine => format!("`--property {name}=...` says it, too; omit one of the two"),
        Origin::Manifest => format!("the key `{name}` of the `{table}` table says it, too; omit one of the two"),
    }
}

/// Whether this is a time such as `08:00`.
fn is_time_of_day(text: &str) -> bool {
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.chars().map(shape).eq("00:00".chars())
}

/// A command, as a line of a unit.
fn exec_start(line: &str) -> Result<Directive, Refused> {
    KnownDirective::exec_start().with(line)
}
