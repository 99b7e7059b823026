//! Administrator rights: whether we have them, and running again with them.

use std::env;
use std::ffi::OsString;
use std::process::{Command, Stdio};

use super::process;
use super::prompt;
use super::text::text;
use crate::error::Error;
use crate::model::invocation::Invocation;
use crate::model::name::EnvName;
use crate::model::text::Text;

/// Variable that carries the caller's PATH through sudo, which puts a path of its own in its place.
pub const CALLER_PATH: &str = "INSTALLSERVICE_CALLER_PATH";

/// Variables besides the services' own that a run through sudo needs.
const NEEDED: [&str; 12] = [
    CALLER_PATH,
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "INSTALLSERVICE_WORKING_DIR",
    "OPENMSISTREAM_SERVICES_WORKING_DIR",
    "NO_COLOR",
    "TERM",
    "LANG",
    "LC_ALL",
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
];

/// From now on no core file of this process is written, nor may another process of the user look into
/// its memory: there may be secrets in it.
#[cfg(target_os = "linux")]
pub fn hide_memory() {
    use nix::sys::resource::{Resource, setrlimit};
    // Where a program takes cores through a pipe, the limit alone counts for nothing.
    _ = nix::sys::prctl::set_dumpable(false);
    _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
}

/// From now on no core file of this process is written; elsewhere than on Linux nobody does so by itself.
#[cfg(not(target_os = "linux"))]
pub fn hide_memory() {}

/// Whether this process may change the machine's services.
#[cfg(unix)]
pub fn is_privileged() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Whether this process may change the machine's services: whether the service manager of Windows
/// would let it make one. NSSM itself would open a question of its own (UAC) and report success.
#[cfg(windows)]
pub fn is_privileged() -> bool {
    use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
    ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CREATE_SERVICE).is_ok()
}

/// The name of the user who runs this.
#[cfg(unix)]
pub fn user_name() -> Option<String> {
    nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.name)
}

/// The number of the user who runs this.
#[cfg(unix)]
pub fn user_id() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// The number of the user who runs this; on Windows users have none.
#[cfg(windows)]
pub fn user_id() -> u32 {
    0
}

/// The name of the user who runs this.
#[cfg(windows)]
pub fn user_name() -> Option<String> {
    env::var("USERNAME").ok()
}

/// Runs this very command again through sudo and gives its exit code.
///
/// `secrets` are values that were typed on the command line: they travel in the environment, and the
/// word that held them becomes a reference, so that sudo's own log does not show them.
///
/// # Errors
/// [`Error::NotPrivileged`] with the line to type when this user may not; nothing has changed then.
pub fn run_again(variables: &[EnvName], secrets: &[(EnvName, Text)]) -> Result<u8, Error> {
    let program = env::current_exe().map_or_else(|_| env::args_os().next().map(text).unwrap_or_default(), text);
    let words: Vec<Text> = env::args_os().skip(1).map(|word| hide(text(word), secrets)).collect();
    let refused = || {
        let typed = |words: Vec<Text>| Invocation(words).typed();
        let own = std::iter::once(name_of(&program)).chain(words.clone());
        let help = match cfg!(windows) {
            true => format!("in a prompt opened with \"Run as administrator\", type `{}`", typed(own.collect())),
            false => format!("type `{}`", typed(std::iter::once("sudo".into()).chain(own).collect())),
        };
        Error::NotPrivileged { help }
    };
    let mut preserved: Vec<String> = NEEDED.iter().map(ToString::to_string).collect();
    preserved.extend(variables.iter().map(ToString::to_string));
    preserved.extend(secrets.iter().map(|(name, _)| name.to_string()));
    let preserve = format!("--preserve-env={}", preserved.join(","));
    let mut environment: Vec<(OsString, OsString)> =
        vec![(CALLER_PATH.into(), env::var_os("PATH").unwrap_or_default())];
    environment.extend(secrets.iter().map(|(name, value)| (name.as_str().into(), super::text::os(value))));
    match sudo_lets(&program, &preserve, &environment) {
        Sudo::Run => {}
        Sudo::RunWithoutEnvironment => {
            return Err(Error::NotPrivileged {
                help: "sudo lets you run it, but not with your environment, which it needs (PATH, the active Python, \
                       the values of secrets): an administrator writes `SETENV:` in front of its path in sudoers"
                    .to_owned(),
            });
        }
        Sudo::Refuse => return Err(refused()),
    }
    eprintln!("this needs administrator rights: running it again through sudo");
    let mut argv: Vec<Text> = vec!["sudo".into(), preserve.into(), "--".into(), program];
    argv.extend(words);
    process::hand_over(&Invocation(argv), &environment)
}

/// What sudo lets a user do.
enum Sudo {
    Run,
    /// Variables of the user are for those rules alone that say `SETENV`, or allow everything.
    RunWithoutEnvironment,
    Refuse,
}

/// Whether sudo lets this user run `program`: asked without a question where nobody can answer one.
fn sudo_lets(program: &Text, preserve: &str, environment: &[(OsString, OsString)]) -> Sudo {
    if cfg!(windows) || which::which("sudo").is_err() {
        return Sudo::Refuse;
    }
    let succeeds = |probe: &mut Command| probe.status().is_ok_and(|status| status.success());
    let lets = |words: &[&str]| {
        let mut probe = Command::new("sudo");
        probe.arg("-n").args(words).arg("--").arg(super::text::os(program)).arg("--version");
        probe.envs(environment.iter().map(|(name, value)| (name, value)));
        succeeds(probe.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))
    };
    let can_ask = prompt::can_ask();
    if can_ask && !succeeds(Command::new("sudo").arg("-v")) {
        return Sudo::Refuse;
    }
    match (lets(&[preserve]), can_ask) {
        (true, _) => Sudo::Run,
        (false, _) if lets(&[]) => Sudo::RunWithoutEnvironment,
        // A sudo that asks each time says nothing without being answered.
        (false, true) => Sudo::Run,
        (false, false) => Sudo::Refuse,
    }
}

/// `word` with a secret in it replaced by the reference to its variable.
fn hide(word: Text, secrets: &[(EnvName, Text)]) -> Text {
    for (name, value) in secrets {
        if word == *value {
            return Text::from(format!("${name}"));
        }
        if !value.is_empty()
            && let Some((flag, rest)) = word.as_str().and_then(|word| word.split_once('='))
            && Some(rest) == value.as_str()
        {
            return Text::from(format!("{flag}=${name}"));
        }
    }
    word
}

/// The command's own name, as people type it.
fn name_of(program: &Text) -> Text {
    match super::text::path(program).file_stem() {
        Some(name) => text(name),
        None => program.clone(),
    }
}
