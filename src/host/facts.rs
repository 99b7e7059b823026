//! What this host answers to the questions of validation.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;

use super::environment::{search_path, variable};
use super::files;
use super::reading::{self, Limit, Links, Unread};
use super::systemd;
use super::text::{os, path as to_path, text};
use crate::model::facts::{Facts, PathKind};
use crate::model::reach::{Drive, is_store_alias};
use crate::model::text::Text;
use crate::model::windows_account::WindowsAccount;

/// This host, as it answers one run: what many services have in common is asked once.
#[derive(Debug, Default)]
pub struct Host {
    kinds: RefCell<BTreeMap<Text, PathKind>>,
    first_lines: RefCell<BTreeMap<Text, Option<Text>>>,
    systemd: OnceCell<Option<u32>>,
}

/// The Python of the environment that these commands were installed into: a virtual one has a `pyvenv.cfg` (section
/// "Specification" of PEP 405), one of conda a `conda-meta`.
fn python_beside_us() -> Option<Text> {
    let own = env::current_exe().ok()?;
    let folder = own.parent()?;
    let environment = if cfg!(windows) && !folder.ends_with("Scripts") { folder } else { folder.parent()? };
    let is_one = environment.join("pyvenv.cfg").is_file() || environment.join("conda-meta").is_dir();
    // conda for Windows has it one floor up.
    let names = if cfg!(windows) { ["python.exe", "../python.exe"] } else { ["python", "python3"] };
    let python = names.into_iter().map(|name| folder.join(name)).find(|path| path.is_file())?;
    is_one.then(|| text(python))
}

impl Facts for Host {
    fn systemd_version(&self) -> Option<u32> {
        *self.systemd.get_or_init(systemd::version)
    }

    fn path_kind(&self, path: &Text) -> Option<PathKind> {
        Some(*self.kinds.borrow_mut().entry(path.clone()).or_insert_with(|| path_kind(path)))
    }

    fn current_directory(&self) -> Option<Text> {
        env::current_dir().ok().map(text)
    }

    fn find_program(&self, name: &Text) -> Option<Text> {
        let directory = env::current_dir().unwrap_or_default();
        which::which_in(os(name), Some(search_path()), directory).ok().map(text)
    }

    fn interpreter(&self) -> Option<Text> {
        let of = |name: &str, inside: &str| {
            let path = to_path(&variable(name)?).join(inside);
            path.is_file().then(|| text(path))
        };
        let (in_venv, in_conda) =
            if cfg!(windows) { ("Scripts\\python.exe", "python.exe") } else { ("bin/python", "bin/python") };
        of("VIRTUAL_ENV", in_venv)
            .or_else(|| of("CONDA_PREFIX", in_conda))
            .or_else(python_beside_us)
            // Where Python is of python.org, `python3` is a link to the Microsoft Store.
            .or_else(|| self.find_program(&"python3".into()).filter(|path| !is_store_alias(path)))
            .or_else(|| self.find_program(&"python".into()))
    }

    fn account_exists(&self, account: &str) -> Option<bool> {
        account_exists(account)
    }

    fn machine_name(&self) -> Option<String> {
        machine_name()
    }

    fn closed_to(&self, account: &str, path: &Text) -> Option<Text> {
        closed_to(account, &to_path(path))
    }

    fn may_write(&self, account: &WindowsAccount, directory: &Text) -> Option<bool> {
        may_write(account, directory)
    }

    fn open_to_everybody(&self, folder: &Text) -> Option<Text> {
        open_to_everybody(&to_path(folder))
    }

    fn owner(&self, folder: &Text) -> Option<String> {
        owner(&to_path(folder))
    }

    fn drive(&self, path: &Text) -> Drive {
        drive(path)
    }

    fn first_line(&self, path: &Text) -> Option<Text> {
        self.first_lines.borrow_mut().entry(path.clone()).or_insert_with(|| first_line(path)).clone()
    }

    fn read_text(&self, path: &Text) -> Option<Result<String, String>> {
        match reading::whole_text(path, Links::Followed, Limit::TEXT) {
            Ok(text) => Some(Ok(text)),
            Err(Unread::Failed(_)) => None,
            Err(unread) => Some(Err(unread.to_string())),
        }
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

fn path_kind(path: &Text) -> PathKind {
    match fs::metadata(to_path(path)) {
        Err(_) => PathKind::Missing,
        Ok(metadata) if metadata.is_dir() => PathKind::Directory,
        Ok(metadata) => match reading::other_kind(&metadata) {
            Some(kind) => PathKind::Other(kind),
            None if files::is_executable(&metadata) => PathKind::Executable,
            None => PathKind::File,
        },
    }
}

fn first_line(path: &Text) -> Option<Text> {
    let start = reading::open(path, Links::Followed).ok()?.start(256).ok()?;
    let line = start.split(|byte| *byte == b'\n').next()?;
    (!start.is_empty() && !start.contains(&0)).then(|| Text::from_bytes(line))
}

#[cfg(unix)]
fn account_exists(account: &str) -> Option<bool> {
    let by_name = nix::unistd::User::from_name(account).ok()?.is_some();
    // systemd takes a number that no account has.
    Some(by_name || account.parse::<u32>().is_ok())
}

/// The name that Windows itself has for the machine, whatever a variable says.
#[cfg(windows)]
fn machine_name() -> Option<String> {
    const KEY: &str = r"SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName";
    winreg::RegKey::predef(winreg::enums::HKEY_LOCAL_MACHINE).open_subkey(KEY).ok()?.get_value("ComputerName").ok()
}

#[cfg(not(windows))]
fn machine_name() -> Option<String> {
    None
}

#[cfg(windows)]
fn may_write(account: &WindowsAccount, directory: &Text) -> Option<bool> {
    super::access::may_write(account, &to_path(directory))
}

#[cfg(not(windows))]
fn may_write(_account: &WindowsAccount, _directory: &Text) -> Option<bool> {
    None
}

#[cfg(windows)]
fn account_exists(account: &str) -> Option<bool> {
    super::access::account_exists(&WindowsAccount::registered(account))
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

/// Whether something has an access list (acl(5)), which may allow an account what the mode does not.
#[cfg(target_os = "linux")]
fn has_access_list(path: &Path) -> bool {
    let found = rustix::fs::getxattr(path, "system.posix_acl_access", &mut [0_u8; 256]);
    // One of more than thirty accounts has no room in that.
    found.map_or_else(|error| error == rustix::io::Errno::RANGE, |length| length > 0)
}

/// Whether something has an access list: of another system than Linux nothing is known.
#[cfg(all(unix, not(target_os = "linux")))]
fn has_access_list(_path: &Path) -> bool {
    false
}

/// Whether the account may read the file, by its mode. `None` where nothing tells: an access list may allow more.
#[cfg(unix)]
pub(super) fn may_read(account: &str, path: &Text) -> Option<bool> {
    let path = to_path(path);
    let by_mode = rights_of(account, &fs::metadata(&path).ok()?)? & 0o4 != 0;
    (by_mode || !has_access_list(&path)).then_some(by_mode)
}

/// Whether the account may read the file: on Windows nothing here tells.
#[cfg(windows)]
pub(super) fn may_read(_account: &str, _path: &Text) -> Option<bool> {
    None
}

#[cfg(unix)]
fn closed_to(account: &str, path: &Path) -> Option<Text> {
    let mut way: Vec<&Path> = path.ancestors().collect();
    way.reverse();
    for step in way {
        let metadata = fs::metadata(step).ok()?;
        if rights_of(account, &metadata)? & 0o1 == 0 && !has_access_list(step) {
            return Some(text(step));
        }
    }
    None
}

#[cfg(unix)]
fn open_to_everybody(folder: &Path) -> Option<Text> {
    let real = fs::canonicalize(folder).ok()?;
    let is_open = |(above, step): &(usize, &Path)| {
        let mode = fs::metadata(step).map_or(0, |metadata| files::mode_of(&metadata));
        files::is_for_everybody(mode, *above)
    };
    real.ancestors().enumerate().find(is_open).map(|(_, step)| text(step))
}

#[cfg(windows)]
fn open_to_everybody(_folder: &Path) -> Option<Text> {
    None
}

#[cfg(unix)]
fn owner(folder: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let uid = nix::unistd::Uid::from_raw(fs::metadata(folder).ok()?.uid());
    let user = nix::unistd::User::from_uid(uid).ok()?;
    Some(user.map_or_else(|| uid.to_string(), |user| user.name))
}

#[cfg(windows)]
fn owner(_folder: &Path) -> Option<String> {
    None
}

#[cfg(windows)]
fn drive(path: &Text) -> Drive {
    super::drive::of(path)
}

#[cfg(not(windows))]
fn drive(_path: &Text) -> Drive {
    Drive::OfMachine
}

#[cfg(windows)]
fn closed_to(_account: &str, _path: &Path) -> Option<Text> {
    None
}

/// This host, for what was installed on it: what has gone since is no fault of the request, but a difference.
#[derive(Debug, Default)]
pub struct Before(Host);

impl Facts for Before {
    fn systemd_version(&self) -> Option<u32> {
        self.0.systemd_version()
    }

    fn current_directory(&self) -> Option<Text> {
        self.0.current_directory()
    }

    fn find_program(&self, name: &Text) -> Option<Text> {
        self.0.find_program(name)
    }

    fn interpreter(&self) -> Option<Text> {
        self.0.interpreter()
    }

    fn read_text(&self, path: &Text) -> Option<Result<String, String>> {
        self.0.read_text(path).filter(Result::is_ok)
    }

    fn package_file(&self, interpreter: &Text, relative: &str) -> Option<Text> {
        self.0.package_file(interpreter, relative)
    }
}

/// Another host: nothing is known, so nothing is refused for what is not here.
#[derive(Debug)]
pub struct Elsewhere;

impl Facts for Elsewhere {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// An access list as the kernel keeps it (`linux/posix_acl_xattr.h`): what its owner may, the account `nobody`, the
    /// group, the mask, and the others.
    fn access_list() -> Vec<u8> {
        let nobody = nix::unistd::User::from_name("nobody").unwrap().expect("every system has it").uid.as_raw();
        let entries = [(1, 7, u32::MAX), (2, 1, nobody), (4, 0, u32::MAX), (16, 1, u32::MAX), (32, 0, u32::MAX)];
        let entry = |(tag, rights, id): (u16, u16, u32)| {
            [&tag.to_le_bytes()[..], &rights.to_le_bytes(), &id.to_le_bytes()].concat()
        };
        2_u32.to_le_bytes().into_iter().chain(entries.into_iter().flat_map(entry)).collect()
    }

    #[test]
    fn what_an_access_list_may_open_is_not_called_closed() {
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        let path = folder.path();
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(closed_to("nobody", path), Some(text(path)));
        assert_eq!(may_read("nobody", &text(path)), Some(false));
        rustix::fs::setxattr(path, "system.posix_acl_access", &access_list(), rustix::fs::XattrFlags::empty()).unwrap();
        assert_eq!(closed_to("nobody", path), None);
        assert_eq!(may_read("nobody", &text(path)), None);
    }
}
