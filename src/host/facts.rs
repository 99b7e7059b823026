//! What this host answers to the questions of validation, and where things are kept on it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::files;
use super::privilege::{self, CALLER_PATH};
use super::text::{os, path as to_path, text};
use crate::model::facts::{Facts, PathKind};
use crate::model::manager::Manager;
use crate::model::name::EnvName;
use crate::model::place::Place;
use crate::model::spec::{Scope, Target};
use crate::model::text::Text;

/// The service manager of this host.
pub fn target_of_this_host() -> Target {
    if cfg!(windows) { Target::Nssm } else { Target::Systemd }
}

/// Whether systemd runs this machine: the test of sd_booted(3).
pub fn systemd_is_running() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// The value of an environment variable as the caller set it.
pub fn variable(name: &EnvName) -> Option<Text> {
    env::var_os(name.as_str()).map(text)
}

/// Where units and state lie for `target` and `scope`; `state_dir` is what was asked for.
pub fn place(target: Target, scope: Scope, state_dir: Option<&Text>) -> Place {
    let state_dir = state_dir
        .cloned()
        .or_else(|| non_empty("INSTALLSERVICE_WORKING_DIR"))
        .or_else(|| non_empty("OPENMSISTREAM_SERVICES_WORKING_DIR"))
        .unwrap_or_else(|| usual_state_dir(target, scope));
    match scope {
        Scope::System => Place { unit_dir: UNITS.into(), state_dir, home: None },
        Scope::User => {
            let config = non_empty("XDG_CONFIG_HOME").unwrap_or_else(|| home().with("/.config"));
            // What would mean something in a unit is said in full.
            let means = |byte: &u8| br"*?[\$".contains(byte);
            let home = Some(home()).filter(|home| !home.as_bytes().iter().any(means));
            Place { unit_dir: config.with("/systemd/user"), state_dir, home }
        }
    }
}

/// Where they lie in a tree for any host, of which nothing on this one tells: its top is `/` there, and for a
/// person's services the home directory.
pub fn exported_place(target: Target, scope: Scope, state_dir: Option<&Text>) -> Place {
    match scope {
        Scope::System => Place {
            unit_dir: UNITS.into(),
            state_dir: state_dir.cloned().unwrap_or_else(|| usual_state_dir(target, scope)),
            home: None,
        },
        Scope::User => Place {
            unit_dir: "/.config/systemd/user".into(),
            state_dir: "/.local/state/install-service".into(),
            home: Some(Text::default()),
        },
    }
}

const UNITS: &str = "/etc/systemd/system";

/// The tool's own directory where nothing names another one.
fn usual_state_dir(target: Target, scope: Scope) -> Text {
    match (target, scope) {
        (Target::Nssm, _) => r"C:\ProgramData\InstallService".into(),
        (Target::Systemd, Scope::System) => "/var/lib/install-service".into(),
        (Target::Systemd, Scope::User) => {
            non_empty("XDG_STATE_HOME").unwrap_or_else(|| home().with("/.local/state")).with("/install-service")
        }
    }
}

fn home() -> Text {
    non_empty("HOME").unwrap_or_else(|| "/root".into())
}

/// The value of an environment variable that is set to something.
fn non_empty(name: &str) -> Option<Text> {
    env::var_os(name).filter(|value| !value.is_empty()).map(text)
}

/// This host.
#[derive(Debug)]
pub struct Host;

impl Facts for Host {
    fn path_kind(&self, path: &Text) -> Option<PathKind> {
        let Ok(metadata) = fs::metadata(to_path(path)) else { return Some(PathKind::Missing) };
        Some(if metadata.is_dir() {
            PathKind::Directory
        } else if is_executable(&metadata) {
            PathKind::Executable
        } else {
            PathKind::File
        })
    }

    fn current_directory(&self) -> Option<Text> {
        env::current_dir().ok().map(text)
    }

    fn find_program(&self, name: &Text) -> Option<Text> {
        let directory = env::current_dir().unwrap_or_default();
        which::which_in(os(name), Some(caller_path()), directory).ok().map(text)
    }

    fn interpreter(&self) -> Option<Text> {
        let of = |variable: &str, inside: &str| {
            let path = PathBuf::from(env::var_os(variable)?).join(inside);
            path.is_file().then(|| text(path))
        };
        let (in_venv, in_conda) =
            if cfg!(windows) { ("Scripts\\python.exe", "python.exe") } else { ("bin/python", "bin/python") };
        of("VIRTUAL_ENV", in_venv)
            .or_else(|| of("CONDA_PREFIX", in_conda))
            .or_else(|| self.find_program(&"python3".into()))
            .or_else(|| self.find_program(&"python".into()))
    }

    fn account_exists(&self, account: &str) -> Option<bool> {
        account_exists(account)
    }

    fn closed_to(&self, account: &str, path: &Text) -> Option<Text> {
        closed_to(account, &to_path(path))
    }

    fn may_write(&self, account: &str, directory: &Text) -> Option<bool> {
        may_write(account, &to_path(directory))
    }

    fn first_line(&self, path: &Text) -> Option<Text> {
        let mut start = [0; 256];
        let length = fs::File::open(to_path(path)).and_then(|mut file| file.read(&mut start)).ok()?;
        let start = &start[..length];
        let line = start.split(|byte| *byte == b'\n').next()?;
        (!start.is_empty() && !start.contains(&0)).then(|| Text::from_bytes(line))
    }

    fn read_text(&self, path: &Text) -> Option<String> {
        fs::read_to_string(to_path(path)).ok()
    }

    fn package_file(&self, interpreter: &Text, relative: &str) -> Option<Text> {
        let prefix = to_path(interpreter).parent()?.parent()?.to_owned();
        let site_packages = if cfg!(windows) {
            vec![prefix.join("Lib").join("site-packages")]
        } else {
            let libraries = fs::read_dir(prefix.join("lib")).into_iter().flatten().flatten();
            libraries.map(|entry| entry.path().join("site-packages")).collect()
        };
        site_packages.into_iter().map(|packages| packages.join(relative)).find(|path| path.is_file()).map(text)
    }
}

/// The PATH of the person who typed the command, also behind sudo.
fn caller_path() -> OsString {
    env::var_os(CALLER_PATH).or_else(|| env::var_os("PATH")).unwrap_or_default()
}

#[cfg(unix)]
fn is_executable(metadata: &fs::Metadata) -> bool {
    super::files::mode_of(metadata) & 0o111 != 0
}

#[cfg(windows)]
fn is_executable(_metadata: &fs::Metadata) -> bool {
    true
}

#[cfg(unix)]
fn account_exists(account: &str) -> Option<bool> {
    let by_name = nix::unistd::User::from_name(account).ok()?.is_some();
    // systemd takes a number that no account has.
    Some(by_name || account.parse::<u32>().is_ok())
}

#[cfg(windows)]
fn account_exists(_account: &str) -> Option<bool> {
    None
}

/// The bits of a mode that count for an account, as the last three of them: those of the owner, of the
/// group or of the others. `None` for root, who may everything, and for an account that is not there.
#[cfg(unix)]
fn rights_of(account: &str, metadata: &fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let user = nix::unistd::User::from_name(account).ok()??;
    if user.uid.is_root() {
        return None;
    }
    let name = std::ffi::CString::new(account).ok()?;
    let in_group = || {
        let groups = nix::unistd::getgrouplist(&name, user.gid).unwrap_or_default();
        groups.iter().any(|group| group.as_raw() == metadata.gid())
    };
    Some(match () {
        () if metadata.uid() == user.uid.as_raw() => metadata.mode() >> 6,
        () if in_group() => metadata.mode() >> 3,
        () => metadata.mode(),
    })
}

#[cfg(unix)]
fn closed_to(account: &str, path: &Path) -> Option<Text> {
    let mut way: Vec<&Path> = path.ancestors().collect();
    way.reverse();
    for step in way {
        let metadata = fs::metadata(step).ok()?;
        if rights_of(account, &metadata)? & 0o1 == 0 {
            return Some(text(step));
        }
    }
    None
}

#[cfg(unix)]
fn may_write(account: &str, directory: &Path) -> Option<bool> {
    Some(rights_of(account, &fs::metadata(directory).ok()?)? & 0o3 == 0o3)
}

#[cfg(windows)]
fn closed_to(_account: &str, _path: &Path) -> Option<Text> {
    None
}

#[cfg(windows)]
fn may_write(_account: &str, _directory: &Path) -> Option<bool> {
    None
}

/// This host, for what was installed on it: what has gone since is no fault of the request, but a difference.
#[derive(Debug)]
pub struct Before;

impl Facts for Before {
    fn current_directory(&self) -> Option<Text> {
        Host.current_directory()
    }

    fn find_program(&self, name: &Text) -> Option<Text> {
        Host.find_program(name)
    }

    fn interpreter(&self) -> Option<Text> {
        Host.interpreter()
    }

    fn read_text(&self, path: &Text) -> Option<String> {
        Host.read_text(path)
    }

    fn package_file(&self, interpreter: &Text, relative: &str) -> Option<Text> {
        Host.package_file(interpreter, relative)
    }
}

/// Another host: nothing is known, so nothing is refused for what is not here.
#[derive(Debug)]
pub struct Elsewhere;

impl Facts for Elsewhere {}

/// The line that installs systemd on this distribution, from os-release(5).
pub fn how_to_install_systemd() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let field = |name: &str| {
        release
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .map(|value| value.trim_matches('"').to_owned())
            .unwrap_or_default()
    };
    let families = format!("{} {}", field("ID"), field("ID_LIKE"));
    let has = |name: &str| families.split_whitespace().any(|family| family == name);
    if has("debian") || has("ubuntu") {
        "`sudo apt-get install systemd systemd-sysv` installs it; it runs from the next boot on".into()
    } else if has("fedora") || has("rhel") {
        "`sudo dnf install systemd` installs it; it runs from the next boot on".into()
    } else if has("suse") || has("opensuse") {
        "`sudo zypper install systemd` installs it; it runs from the next boot on".into()
    } else if has("arch") {
        "`sudo pacman -S systemd-sysvcompat` installs it; it runs from the next boot on".into()
    } else if has("alpine") {
        "Alpine has no systemd; `InstallService --output DIR ...` writes the files for a host that has".into()
    } else {
        "install systemd with this system's package manager, or write the files for another host with `--output DIR`"
            .into()
    }
}

/// Where a user's services are managed: systemctl --user needs it, and a login through `su` or
/// `sudo` does not set it (systemd-logind makes the directory).
pub fn user_runtime_directory() -> Option<PathBuf> {
    if let Some(directory) = env::var_os("XDG_RUNTIME_DIR") {
        return Some(directory.into());
    }
    #[cfg(unix)]
    {
        let directory = PathBuf::from(format!("/run/user/{}", nix::unistd::geteuid()));
        directory.is_dir().then_some(directory)
    }
    #[cfg(windows)]
    None
}

/// Whether this user has a service manager of their own: it listens there (systemd's user@.service).
pub fn user_systemd_is_running() -> bool {
    user_runtime_directory().is_some_and(|directory| directory.join("systemd/private").exists())
}

/// Whether the caller may read what services print. The journal of the system is for root and some
/// groups; to others `journalctl` shows nothing, or their own lines.
pub fn may_read_logs(manager: &Manager) -> bool {
    let Manager::Systemd(Scope::System) = manager else { return true };
    let folders = ["/var/log/journal", "/run/log/journal"].map(Text::from);
    let journals: Vec<PathBuf> = folders.iter().flat_map(files::list).map(|of| of.join("system.journal")).collect();
    privilege::is_privileged() || journals.iter().any(|journal| fs::File::open(journal).is_ok())
}

/// Whether the caller may change what `scope` manages.
pub fn may_change(scope: Scope) -> bool {
    scope == Scope::User || privilege::is_privileged()
}
