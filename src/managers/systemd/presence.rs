//! Whether systemd is there, and for whom.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::host::environment::user_runtime_directory;
use crate::host::reading::{self, Limit, Links};
use crate::host::text::text;
use crate::host::{files, privilege};
use crate::managers::Purpose;
use crate::model::spec::Scope;
use crate::model::text::Text;

/// Fails where systemd does not run this machine, or has no manager for this user.
///
/// # Errors
/// [`Error::NoServiceManager`].
pub(in crate::managers) fn need(scope: Scope, purpose: Purpose<'_>) -> Result<(), Error> {
    if !is_running() {
        let (so, help) = match purpose {
            Purpose::Install { for_next_boot } if is_installed() => (
                "systemd is installed here, but it does not run, as in a chroot, a container or an image that is built",
                format!("`{for_next_boot}` writes the files, and the links that start them at the next boot"),
            ),
            Purpose::Install { .. } => {
                ("this machine is not running systemd, so nothing can be installed here", how_to_install())
            }
            Purpose::Manage => (
                "this machine is not running systemd, so no service of it can run here",
                "`show` and `diff` work without it; a machine that has it starts it at boot".into(),
            ),
        };
        return Err(Error::NoServiceManager { reason: so.into(), help });
    }
    match scope {
        Scope::User if !user_manager_is_running() => {
            let user = privilege::user_name().unwrap_or_else(|| "$USER".into());
            Err(Error::NoServiceManager {
                reason: format!(
                    "no service manager is running for `{user}`: it starts at login, or at boot with lingering"
                ),
                help: format!(
                    "`loginctl enable-linger {user}` starts it now and at every boot; some systems want `sudo` for it"
                ),
            })
        }
        Scope::System | Scope::User => Ok(()),
    }
}

/// Whether systemd runs this machine: the test of sd_booted(3).
pub fn is_running() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// Whether the system has it, to be run from its next boot on.
fn is_installed() -> bool {
    ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"].iter().any(|program| Path::new(program).exists())
}

/// The line that installs systemd on this distribution, from os-release(5).
fn how_to_install() -> String {
    let release = reading::whole_text(&"/etc/os-release".into(), Links::Followed, Limit::SYSTEM).unwrap_or_default();
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

/// Whether the services of `user` start at boot and outlive the logout: logind keeps an empty file, whose name is that of
/// the user as a string of C (`user_update_linger` and `cescape` in systemd's `src/login` and `src/basic`).
pub fn lingers(user: &str) -> bool {
    Path::new("/var/lib/systemd/linger").join(escaped(user)).exists()
}

/// Whether `user`'s services end at the logout; where none can run, nothing ends.
pub(in crate::managers) fn logs_out(user: &str) -> bool {
    user_manager_is_running() && !lingers(user)
}

fn escaped(user: &str) -> String {
    let escape = |byte: u8| match byte {
        b'\\' => r"\\".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        other => format!("\\{other:03o}"),
    };
    user.bytes().map(escape).collect()
}

/// Whether this user has a service manager of their own: it listens there (systemd's user@.service).
fn user_manager_is_running() -> bool {
    user_runtime_directory().is_some_and(|directory| directory.join("systemd/private").exists())
}

/// Whether the caller may read the journal of the machine. It is for root and some groups; to others `journalctl`
/// shows nothing, or their own lines.
pub fn may_read_journal() -> bool {
    let folders = ["/var/log/journal", "/run/log/journal"].map(Text::from);
    let journals: Vec<PathBuf> = folders.iter().flat_map(files::list).map(|of| of.join("system.journal")).collect();
    let may_read = |journal: &PathBuf| reading::open(&text(journal), Links::Followed).is_ok();
    privilege::is_privileged() || journals.iter().any(may_read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_user_is_a_string_of_c() {
        for (user, file) in [("joe", "joe"), (r"LAB\joe", r"LAB\\joe"), ("zoë", r"zo\303\253")] {
            assert_eq!(escaped(user), file);
        }
    }
}
