//! Why a service fails, or will: facts in, findings out.
//!
//! What asks the host lies in `host`, `managers` and `commands`; what the answers mean stands here, once: for a start
//! that failed, for `status`, for `doctor`, and for the notes of an install.

pub mod background;
pub mod caller;
pub mod elf;
pub mod guarded;
pub mod installed;
pub mod pe;
pub mod program;
pub mod refused;
pub mod registered;
pub mod said;
pub mod start;

use serde::Serialize;

use crate::model::platform::Platform;
use crate::model::text::Text;

/// Something that is wrong, or will be: what, why it matters, and what to type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which of all that can be found, for programs to read.
    pub kind: Kind,
    /// What is so.
    pub what: String,
    /// Why it matters.
    pub why: String,
    /// What to type, with the commands in backticks.
    #[serde(rename = "type")]
    pub cure: String,
}

impl Finding {
    /// A finding of `kind`.
    pub fn new(kind: Kind, what: impl Into<String>, why: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { kind, what: what.into(), why: why.into(), cure: cure.into() }
    }
}

/// What is found of each service, `None` of one that was removed, and of what surrounds them.
pub type Found = (Vec<Option<Vec<Finding>>>, Vec<Finding>);

/// A command as it can be typed, in backticks: what it begins with, as a shell reads it, and a last word that may be
/// anything. Nothing in that ends the command or begins another.
fn typed(begin: &str, last: &Text) -> String {
    format!("`{begin} {}`", word(last))
}

/// A word as a shell reads it.
fn word(word: &Text) -> String {
    Platform::Unix.typed(std::slice::from_ref(word))
}

/// The option of an install that gives a service a variable, in backticks.
fn setting(name: &str, value: &Text) -> String {
    format!("`--env {name}={}`", word(value))
}

/// A text that is one word for every shell as it stands: what a program says, and what a file of somebody else has, goes
/// into a command only if it is.
fn plain(text: &Text) -> Option<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._+@:-".contains(c);
    text.as_str().filter(|text| !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain))
}

/// What an interrupted run has left, or one that is in progress.
fn unfinished() -> Finding {
    Finding::new(
        Kind::Unfinished,
        "another run is in progress, or an earlier one was interrupted",
        "its changes are incomplete",
        "`ManageService --list` undoes what was interrupted",
    )
}

/// Nothing tells how a service was installed.
fn no_receipt() -> Finding {
    Finding::new(
        Kind::Receipt,
        "it has no receipt",
        "nothing tells how it was installed: `reinstall` and `diff` cannot be done",
        "type the `InstallService` command again",
    )
}

/// Everything that can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The account is not there.
    Account,
    /// The program put itself into the background.
    Background,
    /// The first line of a script ends as on Windows.
    CarriageReturn,
    /// A file or directory is closed to the account.
    Closed,
    /// A service that it needs is not there, or does not start.
    Dependency,
    /// A letter in front of a path is known to somebody's session, and not to the service.
    Drive,
    /// A credential or a file of variables could not be read.
    Environment,
    /// It has failed, and nothing tells why.
    Failed,
    /// The hardening keeps the program from what it does.
    Hardening,
    /// It is below the home directory of somebody else.
    HomeOfAnother,
    /// Standard input is empty.
    Input,
    /// The interpreter that the first line of a script names is not there, or does not start.
    Interpreter,
    /// A library is not found.
    Library,
    /// The loader that an executable asks for is not there.
    Loader,
    /// It used more memory than it may.
    Memory,
    /// The links that start it at boot are not all there, or lead elsewhere.
    Links,
    /// Its log does not outlast a restart of the machine.
    JournalVolatile,
    /// Its log may not be read by who asks.
    JournalClosed,
    /// A user's service ends at the logout.
    Lingering,
    /// It is masked.
    Masked,
    /// A file of ours that it needs is gone.
    MissingFile,
    /// Nobody waits for the network.
    Network,
    /// The file system does not let programs be executed.
    NoExec,
    /// The file may not be executed.
    NotExecutable,
    /// It does not start at boot.
    NotEnabled,
    /// A directory or file may not be written.
    NotWritable,
    /// Others than administrators can change what services run.
    OpenToOthers,
    /// What it overrides since it was adopted has changed.
    Original,
    /// Another unit has its name.
    OtherUnit,
    /// A program that services run through is of another version.
    OtherVersion,
    /// A drop-in says something else than its unit.
    Overridden,
    /// The port is in use, or not for the account.
    Port,
    /// The program is not there, or is none.
    Program,
    /// There is no receipt, or nothing but that.
    Receipt,
    /// It is started again and again.
    Repeats,
    /// A file of secrets is gone.
    Secrets,
    /// A signal ended it that counts as no error.
    Signal,
    /// A program that this one starts is not on the service's PATH.
    SearchPath,
    /// It was started too often.
    StartLimit,
    /// It took too long.
    Timeout,
    /// An earlier run of ours was interrupted.
    Unfinished,
    /// The service manager has read an older unit.
    UnreadUnit,
    /// It is made for another kind of processor.
    WrongMachine,
    /// The working directory is not there.
    WorkingDirectory,
}
