//! [`ServiceSpec`]: everything about one service, validated.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::artifact::ArtifactKind;
use super::entry::PythonEntry;
use super::name::{EnvName, OneLine, ServiceName, UnitName, WindowsServiceName};
use super::parameter::Parameter;
use super::platform::Platform;
use super::schedule::Schedule;
use super::span::Span;
use super::systemd_table::{self, Directive};
use super::systemd_version::SystemdVersion;
use super::text::Text;
use super::word::Word;

/// Which service manager a service is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// systemd, on Linux.
    Systemd,
    /// NSSM, on Windows.
    Nssm,
}

impl Target {
    /// The word for it on the command line and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Nssm => "nssm",
        }
    }

    /// The platform that it runs on.
    pub fn platform(self) -> Platform {
        match self {
            Self::Systemd => Platform::Unix,
            Self::Nssm => Platform::Windows,
        }
    }
}

impl Word for Target {
    const WORDS: &'static [(&'static str, Self)] =
        &[(Self::Systemd.as_str(), Self::Systemd), (Self::Nssm.as_str(), Self::Nssm)];
}

/// Whose services: the machine's, or one user's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Started at boot, managed by root.
    System,
    /// `systemctl --user`: managed by the user who installs it.
    User,
}

/// When the service manager starts the program again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// Whenever it ended, also without an error.
    #[default]
    Always,
    /// Only when it ended with an error.
    OnFailure,
    /// Only when it ended without one.
    OnSuccess,
    /// When a signal or a time limit ended it.
    OnAbnormal,
    /// When a signal ended it that no program ends of on purpose.
    OnAbort,
    /// When its watchdog ended it.
    OnWatchdog,
    /// Not at all.
    Never,
}

/// The words of systemd, and `never` for its `no`.
impl Word for Restart {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("always", Self::Always),
        ("on-failure", Self::OnFailure),
        ("never", Self::Never),
        ("on-success", Self::OnSuccess),
        ("on-abnormal", Self::OnAbnormal),
        ("on-abort", Self::OnAbort),
        ("on-watchdog", Self::OnWatchdog),
        ("no", Self::Never),
    ];
}

/// How much of the system the service is kept away from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hardening {
    /// Nothing: it may what it may in a shell.
    #[default]
    None,
    /// What few programs need; docs/hardening.md says which do.
    Baseline,
    /// For a network service with an account of its own.
    Service,
    /// `Service`, and a file system that is read-only but for the service's own directories.
    Strict,
}

impl Word for Hardening {
    const WORDS: &'static [(&'static str, Self)] =
        &[("none", Self::None), ("baseline", Self::Baseline), ("service", Self::Service), ("strict", Self::Strict)];
}

/// Where the values of secrets are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretStore {
    /// In the environment file.
    #[default]
    File,
    /// There, and systemd hands it over as a credential, which only the service is shown.
    Credential,
    /// In a credential that is encrypted on the disk, with a key of the host.
    EncryptedCredential,
}

/// Which of the two credentials it is, the version of systemd says.
impl Word for SecretStore {
    const WORDS: &'static [(&'static str, Self)] = &[("file", Self::File), ("credentials", Self::EncryptedCredential)];
}

impl SecretStore {
    /// Whether systemd hands the secrets over as a credential.
    pub fn is_credential(self) -> bool {
        match self {
            Self::File => false,
            Self::Credential | Self::EncryptedCredential => true,
        }
    }

    /// What the file is that holds them.
    pub fn artifact_kind(self) -> ArtifactKind {
        match self {
            Self::File | Self::Credential => ArtifactKind::Environment,
            Self::EncryptedCredential => ArtifactKind::SealedEnvironment,
        }
    }
}

/// One word of the program's command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// The word itself.
    Literal(Text),
    /// `before` followed by the value that the environment variable has when the service starts.
    Reference {
        /// What stands in front of the value in the same word, such as `--password=`.
        before: Text,
        /// The variable.
        variable: EnvName,
    },
}

impl Argument {
    /// The part of the word that is known now.
    pub fn text(&self) -> &Text {
        let (Self::Literal(text) | Self::Reference { before: text, .. }) = self;
        text
    }

    /// The variable whose value is the rest of it.
    pub fn variable(&self) -> Option<&EnvName> {
        match self {
            Self::Reference { variable, .. } => Some(variable),
            Self::Literal(_) => None,
        }
    }
}

/// What a service is started after, before and with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Units that are started before it.
    pub after: Vec<UnitName>,
    /// Units that are started after it.
    pub before: Vec<UnitName>,
    /// Units without which it does not start.
    pub requires: Vec<UnitName>,
    /// Units that are started with it.
    pub wants: Vec<UnitName>,
    /// Services of Windows that are started before it.
    pub depends_on: Vec<WindowsServiceName>,
}

/// A file of variables that the user keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnFile {
    /// Its absolute path.
    pub path: Text,
    /// Whether it may be missing.
    pub optional: bool,
}

/// What starts a job again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// When; `None` where only directives of the user's say so.
    pub schedule: Option<Schedule>,
}

/// Where the output of a service goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// The journal, or the usual log of NSSM.
    #[default]
    Usual,
    /// The end of a file of the user's, by its absolute path.
    File(Text),
    /// Nowhere.
    Dropped,
}

/// What a service runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// A program of the operating system.
    Executable {
        /// Absolute path in the target's syntax.
        path: Text,
        /// What it is given, without its own name.
        arguments: Vec<Argument>,
    },
    /// A Python function or class.
    Python {
        /// Absolute path of the interpreter.
        interpreter: Text,
        /// What it imports and calls.
        entry: PythonEntry,
        /// What it is given, without a program name.
        arguments: Vec<Argument>,
    },
    /// Commands in systemd's own grammar, one after the other.
    Commands {
        /// The lines of `ExecStart=`; none where a unit has nothing but what stops it.
        lines: Vec<Directive>,
        /// The program of the first one, where that is an absolute path for everybody to read.
        program: Option<Text>,
        /// What that is given, as far as everybody can read it.
        arguments: Vec<Argument>,
    },
}

impl Run {
    /// What the operating system starts, where that is known: the executable, or the interpreter.
    pub fn program(&self) -> Option<&Text> {
        match self {
            Self::Executable { path, .. } | Self::Python { interpreter: path, .. } => Some(path),
            Self::Commands { program, .. } => program.as_ref(),
        }
    }

    /// What the program is given, as far as that is known.
    pub fn arguments(&self) -> &[Argument] {
        match self {
            Self::Executable { arguments, .. } | Self::Python { arguments, .. } | Self::Commands { arguments, .. } => {
                arguments
            }
        }
    }
}

/// Which of the lines that a user can leave to us stand in a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ours {
    /// All.
    All,
    /// Those that the keys of its manifest say (`plain`), by the names of their directives.
    Only(Vec<&'static str>),
}

impl Ours {
    /// Whether the line of this directive stands there.
    pub fn has(&self, directive: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(said) => said.contains(&directive),
        }
    }

    /// Whether that is so of lines that no key of a manifest says.
    pub fn is_all(&self) -> bool {
        match self {
            Self::All => true,
            Self::Only(_) => false,
        }
    }
}

/// What asks a service to end, in place of a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopCommand {
    /// Absolute path of the program.
    pub path: Text,
    /// What it is given; the one variable among it is `MAINPID`.
    pub arguments: Vec<Argument>,
}

/// A service, validated for one target. It cannot be invalid; see [`crate::validate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSpec {
    /// The name that both service managers know it by.
    pub name: ServiceName,
    /// The name that people read in a list of services (Windows).
    pub display_name: OneLine,
    /// One line on what it is for.
    pub description: OneLine,
    /// What it runs.
    pub run: Run,
    /// Whether it is an executable that Python runs, as far as can be seen.
    pub is_script_of_python: bool,
    /// Whether Ctrl-C ends it, as far as its catalog knows.
    pub ctrl_c: bool,
    /// Where it runs: an absolute path.
    pub working_directory: Text,
    /// Plain settings, visible to every user of the machine.
    pub environment: IndexMap<EnvName, Text>,
    /// Variables whose values live in the environment file or the credential only, each once, sorted.
    pub secrets: Vec<EnvName>,
    /// Which of the two it is.
    pub secrets_in: SecretStore,
    /// Who it runs as; `None` is the service manager's own account (root, LocalSystem).
    pub account: Option<String>,
    /// Whether it is started at boot.
    pub at_boot: bool,
    /// When it is started again.
    pub restart: Restart,
    /// How long the service manager waits before it starts the program again.
    pub restart_sec: Span,
    /// How long a stop waits for the processes to end before it kills them.
    pub stop_timeout: Span,
    /// What asks them to end, where that is a command of the user's.
    pub stop_command: Option<StopCommand>,
    /// Whether it is started after the network is up.
    pub network: bool,
    /// What it is started after, before and with.
    pub order: Order,
    /// A file of the user's with further variables, and whether it may be missing.
    pub environment_file: Option<OwnFile>,
    /// What starts it in place of the boot, where that is a timer.
    pub timer: Option<Timer>,
    /// Where its output goes.
    pub output: Output,
    /// How many of the logs that NSSM has set aside are kept; `None` is all of them.
    pub log_keep: Option<u32>,
    /// How much of the system it is kept away from.
    pub hardening: Hardening,
    /// Directories in front of the service's PATH.
    pub path: Vec<Text>,
    /// Directories that it writes to, as far as its arguments tell; absolute paths.
    pub writes: Vec<Text>,
    /// The machine's service, or a user's.
    pub scope: Scope,
    /// The version of systemd that its unit is written for.
    pub systemd: SystemdVersion,
    /// Which lines of its unit are ours.
    pub ours: Ours,
    /// Further lines of its unit, in the order given.
    pub directives: Vec<Directive>,
    /// Further parameters of NSSM, in the order given.
    pub parameters: Vec<Parameter>,
}

impl ServiceSpec {
    /// Whether its unit has words of the user's own in the grammar of systemd, which the systemd of a host may read
    /// otherwise than we do.
    pub fn speaks_systemd(&self) -> bool {
        !self.directives.is_empty() || matches!(self.run, Run::Commands { .. })
    }

    /// Whether it ends when it is done.
    pub fn is_oneshot(&self) -> bool {
        systemd_table::is_oneshot(&self.directives, self.timer.is_some())
    }

    /// Whether Python runs it.
    pub fn is_of_python(&self) -> bool {
        matches!(self.run, Run::Python { .. }) || self.is_script_of_python
    }
}
