//! Environment variables: those of whoever typed the command, also behind sudo, and those that a command
//! of ours is given.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

use super::text::{os, text};
use crate::model::name::EnvName;
use crate::model::text::Text;

/// Variables by their names; `None` for one that is not set.
pub type Variables = BTreeMap<String, Option<Text>>;

/// What is read of the caller's environment, besides the secrets of services: where programs, libraries and Python are
/// found, where this tool keeps its files, and how the terminal is written to.
const OF_CALLER: [&str; 12] = [
    "PATH",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "LD_LIBRARY_PATH",
    "INSTALLSERVICE_WORKING_DIR",
    "OPENMSISTREAM_SERVICES_WORKING_DIR",
    "NO_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "TERM",
    "LANG",
    "LC_ALL",
];

/// What every command is given: how it finds programs, who runs it, and how it reaches systemd
/// (sd_bus_open_user(3), and `docs/ENVIRONMENT.md` of systemd). No secret has such a name.
#[cfg(unix)]
const OF_COMMANDS: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TZ",
    "DBUS_SESSION_BUS_ADDRESS",
    "DBUS_SYSTEM_BUS_ADDRESS",
    "SYSTEMD_BUS_TIMEOUT",
    "SYSTEMD_IGNORE_CHROOT",
    "SYSTEMD_LOG_LEVEL",
    "SYSTEMD_OFFLINE",
];

/// What every command is given. Without `SystemRoot` none starts that uses the network or random numbers, and
/// Python looks for its user's folders; the last ones are there where Wine stands in for Windows, and say
/// which of its worlds this is.
#[cfg(windows)]
const OF_COMMANDS: &[&str] = &[
    "PATH",
    "PATHEXT",
    "SystemRoot",
    "SystemDrive",
    "windir",
    "ComSpec",
    "TEMP",
    "TMP",
    "ALLUSERSPROFILE",
    "APPDATA",
    "CommonProgramFiles",
    "CommonProgramFiles(x86)",
    "CommonProgramW6432",
    "COMPUTERNAME",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "NUMBER_OF_PROCESSORS",
    "OS",
    "PROCESSOR_ARCHITECTURE",
    "ProgramData",
    "ProgramFiles",
    "ProgramFiles(x86)",
    "ProgramW6432",
    "PUBLIC",
    "USERDOMAIN",
    "USERNAME",
    "USERPROFILE",
    "WINEPREFIX",
    "WINELOADER",
    "WINESERVER",
    "WINEARCH",
    "WINEDLLPATH",
    "WINEDLLOVERRIDES",
    "WINEDEBUG",
];

/// What a command is given besides that has our terminal: how to write to it.
const OF_TERMINAL: [&str; 12] = [
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_TIME",
    "SYSTEMD_COLORS",
    "SYSTEMD_URLIFY",
    "SYSTEMD_EMOJI",
];

/// What the caller had, where this process is behind sudo and has an environment of sudo's making.
static CALLER: OnceLock<Variables> = OnceLock::new();

/// What a run behind sudo has to know of this environment: `secrets` are variables that services need.
pub fn of_caller(secrets: &[EnvName]) -> Variables {
    let names = OF_CALLER.into_iter().chain(secrets.iter().map(EnvName::as_str));
    names.map(|name| (name.to_owned(), variable(name))).collect()
}

/// From now on these variables are what the caller had.
pub fn is_of_caller(variables: Variables) {
    // Handed over once.
    drop(CALLER.set(variables));
}

/// The value of a variable as the caller set it.
pub fn variable(name: &str) -> Option<Text> {
    match CALLER.get().and_then(|variables| variables.get(name)) {
        Some(value) => value.clone(),
        None => env::var_os(name).map(text),
    }
}

/// The value of a variable that is set to something.
pub fn non_empty(name: &str) -> Option<Text> {
    variable(name).filter(|value| !value.is_empty())
}

/// The caller's home directory.
pub fn home() -> Text {
    non_empty("HOME").unwrap_or_else(|| "/root".into())
}

/// Where the caller's programs are found.
pub fn search_path() -> OsString {
    variable("PATH").as_ref().map(os).unwrap_or_default()
}

/// Where a user's services are managed: systemctl --user needs it, and a login through `su` or
/// `sudo` does not set it (systemd-logind makes the directory). A relative path counts as none set: it would mean another
/// directory wherever we are called (XDG Base Directory Specification, "Basics").
pub fn user_runtime_directory() -> Option<PathBuf> {
    let set = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|directory| directory.is_absolute());
    if set.is_some() {
        return set;
    }
    #[cfg(unix)]
    {
        let directory = PathBuf::from(format!("/run/user/{}", nix::unistd::geteuid()));
        directory.is_dir().then_some(directory)
    }
    #[cfg(windows)]
    None
}

/// The environment of a command, and nothing else of ours: secrets are variables of the caller, and what
/// crashes has its environment logged (`COREDUMP_ENVIRON` of systemd-coredump(8)).
pub fn of_command() -> Vec<(OsString, OsString)> {
    let mut given: Vec<(OsString, OsString)> = OF_COMMANDS.iter().filter_map(|name| own(name)).collect();
    if let Some(directory) = user_runtime_directory() {
        given.push(("XDG_RUNTIME_DIR".into(), directory.into()));
    }
    given
}

/// [`of_command`], for one that has our terminal, with `more` of our own variables.
pub fn of_command_on_terminal(more: &[&str]) -> Vec<(OsString, OsString)> {
    let mut given = of_command();
    given.extend(OF_TERMINAL.iter().filter_map(|name| Some(((*name).into(), os(&variable(name)?)))));
    given.extend(more.iter().filter_map(|name| own(name)));
    given
}

/// A variable of this very process, which behind sudo is one of root's.
fn own(name: &str) -> Option<(OsString, OsString)> {
    Some((name.into(), env::var_os(name)?))
}

/// What an interpreter of Python is given that is asked something of its environment: what it needs to run, and
/// nothing that says where modules are.
///
/// Without `HOME` it takes the home directory of whoever runs it, also behind a sudo that keeps the caller's.
#[cfg(unix)]
pub fn of_interpreter() -> Vec<(Text, Text)> {
    const NEEDED: [&str; 7] = ["PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "TMPDIR", "TZ"];
    NEEDED.iter().filter_map(|name| Some(((*name).into(), text(env::var_os(name)?)))).collect()
}

/// What an interpreter of Python is given: what a command is given, and that modules in the profile of whoever runs this
/// are not there for a service.
#[cfg(windows)]
pub fn of_interpreter() -> Vec<(Text, Text)> {
    let given = of_command().into_iter().map(|(name, value)| (text(name), text(value)));
    given.chain([("PYTHONNOUSERSITE".into(), "1".into())]).collect()
}
