//! The TOML that describes services: what a user writes and what an install records are one type.
//!
//! A [`Request`] is the *install request*: values as they were typed, nothing checked but their
//! shape. The command line, a manifest file, a receipt and OpenMSIStream's list of install
//! arguments all become requests; [`crate::validate`] turns a request into a service spec and
//! gives back the same request with every default filled in, which is the receipt.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::document::{self, DocumentError, DocumentFault, Node};
use crate::model::name::{ServiceName, UnitName};
use crate::model::refused::Origin;
use crate::model::spec::{Order, Target};
use crate::model::text::Text;
use crate::model::version::SIGNATURE;

mod instances;
#[cfg(feature = "schema")]
pub mod schema;

/// A file that describes services.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// What every service has unless it says otherwise: any key but `name`, `instances` and what it runs.
    #[serde(default, skip_serializing_if = "Request::is_empty")]
    pub defaults: Request,
    /// The services.
    #[serde(default)]
    pub service: Vec<Request>,
}

/// One service as it was asked for.
///
/// Every option of the command line that says something of a service has its key here: the same word
/// with underscores. But for five: the interpreter, because the word `python` says what runs, `--env`,
/// which is `environment` with a value and `secrets` without, and so `--secrets`, which is `secrets_in`; `--property`,
/// which is an entry of `systemd` or `nssm`; and `--no-boot`, which is `at_boot = false`. What is said of one call and not
/// of a service has no key: what to do (`--dry-run`, `--check`, `--output`, `--start`, `--prune`), how to
/// print it, which service manager it is for, and where this host keeps things (`--catalog`,
/// `--state-dir`, where NSSM comes from).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Service"))]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// The service's name; without one it is called like its program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// One service for each of these, which stands in its values where they have `{instance}` (`{{instance}}` is that text
    /// itself). A name without it gets `-` and the instance at its end. A receipt is of one of them, and has no such key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1), inner(length(min = 1)), extend("uniqueItems" = true)))]
    pub instances: Option<Vec<String>>,
    /// A program of the catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// A Python spec, `Class=package.module` or `package.module:function`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// A program of the operating system: an absolute path, or a name on PATH.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executable: Option<Text>,
    /// What it is given.
    #[serde(skip_serializing_if = "Arguments::is_empty")]
    pub arguments: Arguments,
    /// Commands as systemd reads them behind `ExecStart=`, with `$VAR`, `%i` and prefixes such as `-`; each is a whole
    /// command line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Names of environment variables whose values are kept in a file of mode 0600. Never values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// Where those values are kept (`--secrets`): `file`, or `credentials` of systemd.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = schema::words::<crate::model::spec::SecretStore>())))]
    pub secrets_in: Option<String>,
    /// The Python that runs a Python program (`--python`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<Text>,
    /// Where it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<Text>,
    /// Whom it runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Whether nothing stands in its unit, or is set with NSSM, that is not said here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plain: Option<bool>,
    /// Whether it is a user's own service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<bool>,
    /// Whether it is started at boot; `false` is `--no-boot`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_boot: Option<bool>,
    /// When it is run, as a job that ends: times of a calendar such as `Mon..Fri 08:00`, or a span such as `15min`;
    /// `none` takes back what the defaults say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// `always`, `on-failure`, `never`, or another of systemd's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = schema::words::<crate::model::spec::Restart>())))]
    pub restart: Option<String>,
    /// How long it is waited before it is started again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_sec: Option<Time>,
    /// How long a stop waits for its processes to end before it kills them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<Time>,
    /// The command that asks its processes to end: its program, then what it is given; `["none"]` takes back what the
    /// defaults say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop_command: Vec<Text>,
    /// Whether it is started after the network is up; `true` unless said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<bool>,
    /// Units that are started before it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// Units that are started after it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Units without which it does not start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Units that are started with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wants: Vec<String>,
    /// A file of yours with further variables; with `-` in front it may be missing. `none` takes back what the defaults
    /// say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_file: Option<Text>,
    /// The file that its output goes to; `false` for none, and `true` for where it goes unless something else is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_file: Option<LogFile>,
    /// How many of the logs that NSSM has set aside are kept; all unless said (Windows).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_keep: Option<u32>,
    /// One line on what it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name that people read in a list of services (Windows).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// `none`, `baseline`, `service` or `strict`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(extend("enum" = schema::words::<crate::model::spec::Hardening>())))]
    pub hardening: Option<String>,
    /// Directories in front of the service's PATH.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Text>,
    /// Directories that an install has put in front of the service's PATH, because what it runs was found there alone.
    /// Written into receipts; an install by its whole command looks anew.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub found_path: Vec<Text>,
    /// Whether an install has found that an executable is run by Python. Written into receipts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_python: Option<bool>,
    /// The version of systemd that the unit is written for, as `systemd=VERSION`; `none` takes back what the defaults
    /// say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^(systemd=[0-9]+|none)$")))]
    pub assume: Option<String>,
    /// Plain settings, visible to everybody.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub environment: IndexMap<String, Text>,
    /// Further directives that only systemd has, such as `LimitNOFILE`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::systemd_table"))]
    pub systemd: IndexMap<String, Setting>,
    /// Further parameters that only NSSM has, such as `AppPriority`.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "schema::nssm_table"))]
    pub nssm: IndexMap<String, Setting>,
    /// The entries of these two that the command line gave, for the words of what is wrong with them.
    #[serde(skip)]
    pub by_option: Vec<String>,
}

impl Request {
    /// Whether no key is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// This service with what `said` says on top, as options do: its lists and tables are added, all else of it counts.
    #[must_use]
    pub fn with(self, said: Self) -> Self {
        fn both<T, C: Extend<T> + IntoIterator<Item = T>>(mut own: C, more: C) -> C {
            own.extend(more);
            own
        }
        Self {
            name: said.name.or(self.name),
            instances: said.instances.or(self.instances),
            program: said.program.or(self.program),
            python: said.python.or(self.python),
            executable: said.executable.or(self.executable),
            arguments: if said.arguments.is_empty() { self.arguments } else { said.arguments },
            command: if said.command.is_empty() { self.command } else { said.command },
            secrets: both(self.secrets, said.secrets),
            secrets_in: said.secrets_in.or(self.secrets_in),
            interpreter: said.interpreter.or(self.interpreter),
            working_directory: said.working_directory.or(self.working_directory),
            account: said.account.or(self.account),
            plain: said.plain.or(self.plain),
            user: said.user.or(self.user),
            at_boot: said.at_boot.or(self.at_boot),
            schedule: said.schedule.or(self.schedule),
            restart: said.restart.or(self.restart),
            restart_sec: said.restart_sec.or(self.restart_sec),
            stop_timeout: said.stop_timeout.or(self.stop_timeout),
            stop_command: if said.stop_command.is_empty() { self.stop_command } else { said.stop_command },
            network: said.network.or(self.network),
            after: both(self.after, said.after),
            before: both(self.before, said.before),
            requires: both(self.requires, said.requires),
            wants: both(self.wants, said.wants),
            environment_file: said.environment_file.or(self.environment_file),
            log_file: said.log_file.or(self.log_file),
            log_keep: said.log_keep.or(self.log_keep),
            description: said.description.or(self.description),
            display_name: said.display_name.or(self.display_name),
            hardening: said.hardening.or(self.hardening),
            path: both(self.path, said.path),
            found_path: both(self.found_path, said.found_path),
            found_python: said.found_python.or(self.found_python),
            assume: said.assume.or(self.assume),
            environment: both(self.environment, said.environment),
            systemd: both(self.systemd, said.systemd),
            nssm: both(self.nssm, said.nssm),
            by_option: both(self.by_option, said.by_option),
        }
    }

    /// The file that systemd writes its output to, as far as it says so in words that have nothing to be filled in.
    pub fn output_file(&self) -> Option<Text> {
        match &self.log_file {
            Some(LogFile::File(path)) => Some(path.clone()),
            Some(LogFile::Switch(false)) => None,
            Some(LogFile::Switch(true)) | None => {
                let said =
                    ["StandardOutput", "Service.StandardOutput"].into_iter().find_map(|key| self.systemd.get(key));
                let value = said?.lines().pop()?;
                let path = ["append:", "file:", "truncate:"].iter().find_map(|word| value.strip_prefix(word))?;
                (!path.contains('%')).then(|| path.trim().into())
            }
        }
    }

    /// Adds entries of the command line to the table of a service manager.
    pub fn add(&mut self, target: Target, entries: &IndexMap<String, Setting>) {
        let table = match target {
            Target::Systemd => &mut self.systemd,
            Target::Nssm => &mut self.nssm,
        };
        table.extend(entries.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.by_option.extend(entries.keys().cloned());
    }

    /// Where an entry of such a table was given, by its name with or without its section.
    pub fn origin(&self, name: &str) -> Origin {
        let is_it = |given: &String| given == name || given.rsplit('.').next() == Some(name);
        if self.by_option.iter().any(is_it) { Origin::CommandLine } else { Origin::Manifest }
    }

    /// Whether its table has anything for `[Install]`.
    pub fn says_install(&self) -> bool {
        self.systemd.keys().any(|key| key.starts_with("Install."))
    }

    /// Whether a line of its unit can start it at boot: of a plain one only what is said does.
    pub fn is_enabled_by_a_line(&self) -> bool {
        self.plain != Some(true) || self.at_boot.is_some() || self.says_install()
    }

    /// Says what it is called and where it runs: where a plain service runs its unit says, or nothing does.
    pub fn settle(&mut self, name: &ServiceName, working_directory: &Text) {
        self.name = Some(name.to_string());
        // The table of NSSM may say it.
        if self.plain != Some(true) && !self.nssm.contains_key("AppDirectory") {
            self.working_directory = Some(working_directory.clone());
        }
    }

    /// Keeps the names of units as they were understood; those of Windows are its own.
    pub fn ordered(&mut self, order: &Order, target: Target) {
        let words = |units: &[UnitName]| units.iter().map(ToString::to_string).collect();
        match target {
            Target::Systemd => {
                self.after = words(&order.after);
                self.before = words(&order.before);
                self.requires = words(&order.requires);
                self.wants = words(&order.wants);
            }
            Target::Nssm => {}
        }
    }

    /// This service, which is installed, with what is `said` of it now: all else stays as it is. What runs is one thing;
    /// of a program of the catalog single arguments can be said.
    #[must_use]
    pub fn updated(mut self, mut said: Self) -> Self {
        let runs_another = said.python.is_some()
            || said.executable.is_some()
            || !said.command.is_empty()
            || said.program.is_some() && said.program != self.program;
        if runs_another {
            (self.program, self.python, self.executable) = (None, None, None);
            (self.found_path, self.found_python) = (Vec::new(), None);
            (self.arguments, self.command) = (Arguments::default(), Vec::new());
        }
        if let (Arguments::Named(own), Arguments::Named(more)) = (&self.arguments, &mut said.arguments) {
            let mut all = own.clone();
            all.extend(std::mem::take(more));
            *more = all;
        }
        // A variable is a secret, or it is none.
        self.secrets.retain(|name| !said.environment.contains_key(name));
        self.environment.retain(|name, _| !said.secrets.contains(name));
        // What it has already is not added to its lists again, unless all of that is taken back.
        said.secrets.retain(|name| !self.secrets.contains(name));
        for (own, said) in [
            (&self.after, &mut said.after),
            (&self.before, &mut said.before),
            (&self.requires, &mut said.requires),
            (&self.wants, &mut said.wants),
        ] {
            let starts_anew = said.iter().any(|unit| unit == NONE);
            said.retain(|unit| starts_anew || !own.contains(unit));
        }
        let starts_anew = said.path.iter().any(is_none);
        said.path.retain(|directory| starts_anew || !self.path.contains(directory));
        // Where systemd runs a plain service that says nothing of it.
        if self.plain == Some(true) && said.plain == Some(false) && self.user != Some(true) {
            self.working_directory.get_or_insert_with(|| "/".into());
        }
        let mut updated = self.with(said).resolved();
        // What is so anyhow need not be said: the receipt is as it was before it was said otherwise.
        if updated.plain != Some(true) {
            for switch in [&mut updated.at_boot, &mut updated.network] {
                *switch = switch.filter(|on| !on);
            }
        }
        updated
    }

    /// This service without what is taken back: it is as if that had never been said, and of a list only what follows
    /// counts.
    #[must_use]
    pub fn resolved(&self) -> Self {
        let mut resolved = self.clone();
        resolved.schedule.take_if(|schedule| schedule == NONE);
        resolved.assume.take_if(|version| version == NONE);
        resolved.environment_file.take_if(|file| is_none(file));
        resolved.log_file.take_if(|file| *file == LogFile::Switch(true));
        resolved.plain.take_if(|plain| !*plain);
        if let [word] = resolved.stop_command.as_slice()
            && is_none(word)
        {
            resolved.stop_command.clear();
        }
        for units in [&mut resolved.after, &mut resolved.before, &mut resolved.requires, &mut resolved.wants] {
            let taken_back = units.iter().rposition(|unit| unit == NONE).map_or(0, |at| at + 1);
            units.drain(..taken_back);
        }
        let taken_back = resolved.path.iter().rposition(is_none).map_or(0, |at| at + 1);
        resolved.path.drain(..taken_back);
        resolved
    }

    /// Takes back a variable, a secret, or an entry of the table of a service manager, by its name; gives whether there
    /// was one.
    pub fn unset(&mut self, target: Target, name: &str) -> bool {
        let table = match target {
            Target::Systemd => &mut self.systemd,
            Target::Nssm => &mut self.nssm,
        };
        let had_entry = table.shift_remove(name).is_some();
        let had_variable = self.environment.shift_remove(name).is_some();
        let secrets = self.secrets.len();
        self.secrets.retain(|secret| secret != name);
        had_entry || had_variable || self.secrets.len() < secrets
    }

    /// What [`unset`](Self::unset) can take back.
    pub fn settings(&self, target: Target) -> impl Iterator<Item = &str> {
        let table = match target {
            Target::Systemd => &self.systemd,
            Target::Nssm => &self.nssm,
        };
        table.keys().chain(self.environment.keys()).chain(&self.secrets).map(String::as_str)
    }

    /// This service with what it leaves open taken from `defaults`. Tables are joined key by key;
    /// of lists the service's own counts.
    #[must_use]
    pub fn or(self, defaults: &Self) -> Self {
        fn table<T: Clone>(own: IndexMap<String, T>, other: &IndexMap<String, T>) -> IndexMap<String, T> {
            let mut joined = other.clone();
            joined.extend(own);
            joined
        }
        fn list<T: Clone>(own: Vec<T>, other: &[T]) -> Vec<T> {
            if own.is_empty() { other.to_vec() } else { own }
        }
        Self {
            name: self.name,
            instances: self.instances,
            program: self.program,
            python: self.python,
            executable: self.executable,
            // An empty table is written as nothing, which reads as an empty list.
            arguments: if self.arguments.is_empty() { Arguments::default() } else { self.arguments },
            command: self.command,
            secrets: list(self.secrets, &defaults.secrets),
            secrets_in: self.secrets_in.or_else(|| defaults.secrets_in.clone()),
            interpreter: self.interpreter.or_else(|| defaults.interpreter.clone()),
            working_directory: self.working_directory.or_else(|| defaults.working_directory.clone()),
            account: self.account.or_else(|| defaults.account.clone()),
            plain: self.plain.or(defaults.plain),
            user: self.user.or(defaults.user),
            at_boot: self.at_boot.or(defaults.at_boot),
            schedule: self.schedule.or_else(|| defaults.schedule.clone()),
            restart: self.restart.or_else(|| defaults.restart.clone()),
            restart_sec: self.restart_sec.or_else(|| defaults.restart_sec.clone()),
            stop_timeout: self.stop_timeout.or_else(|| defaults.stop_timeout.clone()),
            stop_command: list(self.stop_command, &defaults.stop_command),
            network: self.network.or(defaults.network),
            after: list(self.after, &defaults.after),
            before: list(self.before, &defaults.before),
            requires: list(self.requires, &defaults.requires),
            wants: list(self.wants, &defaults.wants),
            environment_file: self.environment_file.or_else(|| defaults.environment_file.clone()),
            log_file: self.log_file.or_else(|| defaults.log_file.clone()),
            log_keep: self.log_keep.or(defaults.log_keep),
            description: self.description.or_else(|| defaults.description.clone()),
            display_name: self.display_name.or_else(|| defaults.display_name.clone()),
            hardening: self.hardening.or_else(|| defaults.hardening.clone()),
            path: list(self.path, &defaults.path),
            found_path: list(self.found_path, &defaults.found_path),
            found_python: self.found_python.or(defaults.found_python),
            assume: self.assume.or_else(|| defaults.assume.clone()),
            environment: table(self.environment, &defaults.environment),
            systemd: table(self.systemd, &defaults.systemd),
            nssm: table(self.nssm, &defaults.nssm),
            by_option: self.by_option,
        }
    }
}

/// A length of time, as it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected seconds, or a time such as \"1min 30s\"")]
pub enum Time {
    /// Seconds.
    Seconds(#[cfg_attr(feature = "schema", schemars(range(min = 0)))] i64),
    /// Numbers with units, as systemd writes them.
    Text(#[cfg_attr(feature = "schema", schemars(regex(pattern = crate::model::span::Span::PATTERN)))] String),
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Seconds(seconds) => seconds.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// What the output of a service goes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected the path of a file, or false for none")]
pub enum LogFile {
    /// `false`: nothing. `true`: where it goes unless something else is said.
    Switch(bool),
    /// A file.
    File(Text),
}

/// What a program is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    expecting = "expected a list of texts, or for a program of the catalog a table such as { config = \"/etc/x\" }"
)]
pub enum Arguments {
    /// Word by word (a Python spec, an executable).
    List(Vec<Text>),
    /// By the argument's name (a program of the catalog).
    Named(IndexMap<String, Value>),
}

impl Default for Arguments {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Arguments {
    /// Whether the program is given nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::List(words) => words.is_empty(),
            Self::Named(values) => values.is_empty(),
        }
    }
}

/// The value of a named argument.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected true, false, a number, a text, or a list of these")]
pub enum Value {
    /// Whether a flag is given.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Float(f64),
    /// Anything else.
    Word(Text),
    /// Several values of one argument.
    List(Vec<Value>),
}

impl Value {
    /// The value as the words of a command line; a flag has none.
    pub fn words(&self) -> Vec<Text> {
        match self {
            Self::Flag(_) => Vec::new(),
            Self::Integer(number) => vec![number.to_string().into()],
            Self::Float(number) => vec![number.to_string().into()],
            Self::Word(text) => vec![text.clone()],
            Self::List(values) => values.iter().flat_map(Self::words).collect(),
        }
    }
}

/// The value of a setting that only one service manager has: one, or one a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "expected true, false, a whole number, a text, or a list of texts")]
pub enum Setting {
    /// `yes` or `no`.
    Switch(bool),
    /// A whole number.
    Integer(i64),
    /// A text as the service manager reads it.
    Text(String),
    /// The same key several times.
    Lines(Vec<String>),
}

impl Setting {
    /// The values as text, one for each line.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Switch(on) => vec![if *on { "yes" } else { "no" }.to_owned()],
            Self::Integer(number) => vec![number.to_string()],
            Self::Text(text) => vec![text.clone()],
            Self::Lines(lines) => lines.clone(),
        }
    }
}

impl Manifest {
    /// Reads a manifest; `origin` is what it is called in errors.
    ///
    /// # Errors
    /// The first thing that is wrong with its shape: the line, the key, and what was meant.
    pub fn parse(text: &str, origin: &str) -> Result<Self, DocumentError> {
        document::read("manifest", text, origin, Self::checked)
    }

    /// Reads a receipt.
    ///
    /// # Errors
    /// As [`Manifest::parse`].
    pub fn parse_receipt(text: &str, origin: &str) -> Result<Self, DocumentError> {
        document::read("receipt", text, origin, Self::checked)
    }

    /// Refuses defaults for what every service has of its own, and instances without names of their own.
    fn checked(manifest: Self, root: &Node<'_>) -> Result<Self, DocumentFault> {
        let Request { name, instances, program, python, executable, arguments, command, .. } = &manifest.defaults;
        let own = [
            ("name", name.is_some()),
            ("instances", instances.is_some()),
            ("program", program.is_some()),
            ("python", python.is_some()),
            ("executable", executable.is_some()),
            ("arguments", !arguments.is_empty()),
            ("command", !command.is_empty()),
        ];
        if let Some((key, _)) = own.into_iter().find(|(_, given)| *given) {
            let fault = DocumentFault::new(root.table("defaults").at(key), key, "services cannot share it");
            return Err(fault.help("write it into each `[[service]]`"));
        }
        for (service, node) in manifest.service.iter().zip(root.tables("service")) {
            instances::check(service, |key| node.at(key))?;
        }
        Ok(manifest)
    }

    /// The services with the defaults filled in, and one for each instance.
    pub fn services(self) -> Vec<Request> {
        let Self { defaults, service } = self;
        service.into_iter().flat_map(|service| instances::each(service.or(&defaults))).collect()
    }
}

/// The receipt of one service: a manifest that installs it again.
///
/// It holds no date, no machine and no value of a secret, so the same request gives the same bytes.
pub fn receipt(service: &Request) -> String {
    format!(
        "{SIGNATURE}{VERSION}: how this service was installed.\n\
         # `ManageService NAME reinstall` reads it, and so does `InstallService --manifest`.\n\n{}",
        body([service])
    )
}

/// The receipts of several services as one manifest.
pub fn receipts<'a>(services: impl IntoIterator<Item = &'a Request>) -> String {
    format!(
        "{SIGNATURE}{VERSION}: how these services were installed.\n\
         # `InstallService --manifest` installs them again.\n\n{}",
        body(services)
    )
}

/// The manifest of exported services.
pub fn document<'a>(services: impl IntoIterator<Item = &'a Request>) -> String {
    format!(
        "{SIGNATURE}{VERSION}: the services whose files lie beside this one.\n\
         # `InstallService --manifest` installs them.\n\n{}",
        body(services)
    )
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The word that takes back what was said before.
const NONE: &str = "none";

fn is_none(text: &Text) -> bool {
    text.as_bytes() == NONE.as_bytes()
}

fn body<'a>(services: impl IntoIterator<Item = &'a Request>) -> String {
    /// A [`Manifest`] without defaults.
    #[derive(Serialize)]
    struct Body<'a> {
        service: Vec<&'a Request>,
    }
    toml::to_string(&Body { service: services.into_iter().collect() })
        .expect("a request has only types that TOML can say")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_of_the_design_is_read() {
        let manifest = Manifest::parse(
            r#"
            [defaults]
            restart = "on-failure"
            [[service]]
            name = "uploader"
            program = "DataFileUploadDirectory"
            arguments = { upload_dir = "/data/in", n_threads = 3, upload_existing = true }
            environment = { LANG = "C.UTF-8" }
            secrets = ["KAFKA_PASSWORD"]
            [service.systemd]
            LimitNOFILE = "65536"
            "#,
            "m.toml",
        )
        .unwrap();
        let service = &manifest.services()[0];
        assert_eq!(service.restart.as_deref(), Some("on-failure"));
        assert_eq!(service.systemd["LimitNOFILE"].lines(), ["65536"]);
        let Arguments::Named(arguments) = &service.arguments else { panic!("by name") };
        assert_eq!(arguments["n_threads"].words(), [Text::from("3")]);
    }

    #[test]
    fn a_receipt_is_a_manifest_of_the_same_request() {
        let request = Request {
            name: Some("x".into()),
            executable: Some("/bin/x".into()),
            arguments: Arguments::List(vec!["a b".into(), Text::from_bytes(&b"\xff"[..]), "".into(), "l\n1".into()]),
            environment: [("A".to_owned(), Text::from("é"))].into_iter().collect(),
            ..Request::default()
        };
        assert_eq!(Manifest::parse(&receipt(&request), "r.toml").unwrap().services(), [request]);
    }

    #[test]
    fn instances_are_services_of_their_own() {
        let manifest = Manifest::parse(
            r#"
            [defaults]
            description = "Relay {instance}"
            [[service]]
            name = "relay"
            instances = ["a", "b"]
            executable = "/usr/bin/relay"
            arguments = ["--as", "{instance}", "{{instance}}"]
            environment = { NAME = "{instance}" }
            [[service]]
            name = "other"
            executable = "/bin/{{instance}}"
            "#,
            "m.toml",
        )
        .unwrap();
        let services = manifest.services();
        let names: Vec<_> = services.iter().filter_map(|service| service.name.as_deref()).collect();
        assert_eq!(names, ["relay-a", "relay-b", "other"]);
        assert!(services.iter().all(|service| service.instances.is_none()));
        let Arguments::List(words) = &services[1].arguments else { panic!("a list") };
        assert_eq!(words, &[Text::from("--as"), "b".into(), "{instance}".into()]);
        assert_eq!(services[0].environment["NAME"], Text::from("a"));
        assert_eq!(services[0].description.as_deref(), Some("Relay a"));
        // Without instances nothing is replaced.
        assert_eq!(services[2].description.as_deref(), Some("Relay {instance}"));
        assert_eq!(services[2].executable, Some("/bin/{{instance}}".into()));
    }

    #[test]
    fn an_update_changes_what_is_said() {
        let named = |words: &[(&str, &str)]| {
            let values = words.iter().map(|(name, value)| ((*name).to_owned(), Value::Word((*value).into())));
            Arguments::Named(values.collect())
        };
        let installed = Request {
            name: Some("up".into()),
            program: Some("Up".into()),
            arguments: named(&[("dir", "/a"), ("config", "/c")]),
            secrets: vec!["TOKEN".into(), "KEY".into()],
            environment: [("A".to_owned(), Text::from("1")), ("B".to_owned(), Text::from("2"))].into_iter().collect(),
            after: vec!["x.target".into()],
            restart: Some("never".into()),
            ..Request::default()
        };
        let said = Request {
            program: Some("Up".into()),
            arguments: named(&[("dir", "/b")]),
            secrets: vec!["B".into(), "KEY".into()],
            environment: [("TOKEN".to_owned(), Text::from("open"))].into_iter().collect(),
            after: vec!["x.target".into(), "y.target".into()],
            ..Request::default()
        };
        let updated = installed.clone().updated(said);
        assert_eq!(updated.arguments, named(&[("dir", "/b"), ("config", "/c")]));
        assert_eq!(updated.secrets, ["KEY", "B"]);
        assert_eq!(updated.environment.keys().collect::<Vec<_>>(), ["A", "TOKEN"]);
        assert_eq!(updated.after, ["x.target", "y.target"]);
        assert_eq!((updated.name.as_deref(), updated.restart.as_deref()), (Some("up"), Some("never")));
        let other = Request { executable: Some("/bin/true".into()), ..Request::default() };
        let updated = installed.updated(other);
        assert_eq!((updated.program, updated.arguments.is_empty()), (None, true));
    }

    #[test]
    fn what_a_later_version_wrote_is_refused_with_the_version_that_is_needed() {
        let service = "[[service]]\nname = \"x\"\n";
        let needed = "written by InstallService 99.1.2, which is later than this one, ";
        for text in [
            // Also where this version would understand it: it may mean something else there.
            format!("{SIGNATURE}99.1.2: how this service was installed.\n{service}"),
            format!("{SIGNATURE}99.1.2: how this service was installed.\n{service}colour = \"red\"\n"),
            format!("{SIGNATURE}99.1.2: how this service was installed.\n{service}restart = {{ when = 3 }}\n"),
        ] {
            let error = Manifest::parse_receipt(&text, "r.toml").unwrap_err();
            assert!(error.to_string().starts_with(&format!("receipt `r.toml`, line 1: {needed}")), "{error}");
            assert_eq!(error.help.as_deref(), Some("install InstallService 99.1.2 or later"));
        }
        // Of this version itself an unknown key is one.
        let own = format!("{SIGNATURE}{VERSION}: x\n{service}colour = \"red\"\n");
        assert_eq!(Manifest::parse(&own, "m").unwrap_err().key.as_deref(), Some("colour"));
    }

    #[test]
    fn a_fault_names_its_line_its_key_and_what_was_meant() {
        for (text, said) in [
            (
                "[[service]]\nname = \"x\"\nrestrat = \"always\"\n",
                "line 3, key `restrat`: there is no such key here; help: did you mean `restart`?",
            ),
            (
                "\n[defaults]\nuser = true\nname = \"x\"\n",
                "line 4, key `name`: services cannot share it; help: write it into each `[[service]]`",
            ),
            ("[[services]]\n", "line 1, key `services`: there is no such key here; help: did you mean `service`?"),
            ("[[service]]\nrestart = 3\n", "line 2, key `restart`: invalid type: integer `3`, expected a string"),
            (
                "[service]\nname = \"x\"\n",
                "line 1, key `service`: invalid type: table, expected a list; help: each one begins with `[[service]]`",
            ),
            ("[[service]]\nsecrets = { A = \"x\" }\n", "line 2, key `secrets`: invalid type: table, expected a list"),
            (
                "[[service]]\nrestart_sec = true\n",
                "line 2, key `restart_sec`: expected seconds, or a time such as \"1min 30s\"",
            ),
            (
                "[[service]]\n[service.nssm]\nAppExit.3 = \"Exit\"\n",
                "line 3, key `AppExit`: expected true, false, a whole number, a text, or a list of texts",
            ),
            (
                "[[service]]\narguments = 3\n",
                "line 2, key `arguments`: expected a list of texts, or for a program of the catalog a table such as { config = \"/etc/x\" }",
            ),
            (
                "[defaults]\ninstances = [\"a\"]\n",
                "line 2, key `instances`: services cannot share it; help: write it into each `[[service]]`",
            ),
            (
                "[[service]]\nname = \"x\"\n[[service]]\nname = \"y\"\ninstances = []\n",
                "line 5, key `instances`: must name at least one; help: write it as `instances = [\"a\", \"b\"]`",
            ),
            (
                "[[service]]\nexecutable = \"/x\"\ninstances = [\"a\"]\n",
                "line 3, key `instances`: services of a list must be told apart by name, and this one has no `name`; \
                 help: write a `name` beside it, such as `name = \"relay-{instance}\"`",
            ),
            (
                "[[service]]\nname = \"x\"\ninstances = [\"a\", \"b\", \"a\"]\n",
                "line 3, key `instances`: `a` must not be listed twice: each makes a service of its own",
            ),
            (
                "[[service]]\nname = \"x\"\ninstances = [\"a\", \"\"]\n",
                "line 3, key `instances`: must not be empty: it makes the name of a service",
            ),
            (
                "[[service]]\nname = \"x\"\ninstances = [\"a\", \"eu/1\"]\n",
                "line 3, key `instances`: `eu/1` makes the service name `x-eu/1`: contains `/`; a service name must \
                 consist of letters, digits, `_`, `.` and `-`; did you mean `x-eu_1`?",
            ),
            ("[[service]\n", "line 1: this is not TOML: unclosed array table, expected `]`"),
        ] {
            assert_eq!(Manifest::parse(text, "m").unwrap_err().to_string(), format!("manifest `m`, {said}"));
        }
    }
}
