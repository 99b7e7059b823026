//! Where services are on this host, and on any other.

use super::environment::{home, non_empty};
use super::{files, privilege};
use crate::model::manager::Manager;
use crate::model::place::Place;
use crate::model::site::Site;
use crate::model::spec::{Scope, Target};
use crate::model::text::Text;

/// Where units and state lie for `target` and `scope`; `state_dir` is what was asked for.
pub fn here(target: Target, scope: Scope, state_dir: Option<&Text>) -> Site {
    let state_dir = state_dir
        .cloned()
        .or_else(|| non_empty("INSTALLSERVICE_WORKING_DIR"))
        .or_else(|| non_empty("OPENMSISTREAM_SERVICES_WORKING_DIR"))
        .unwrap_or_else(|| usual_state_dir(target, scope));
    let place = match scope {
        Scope::System => Place { unit_dir: UNITS.into(), state_dir, home: None },
        Scope::User => {
            let config = non_empty("XDG_CONFIG_HOME").unwrap_or_else(|| home().with("/.config"));
            // What would mean something in a unit is said in full.
            let means = |byte: &u8| br"*?[\$".contains(byte);
            let home = Some(home()).filter(|home| !home.as_bytes().iter().any(means));
            Place { unit_dir: config.with("/systemd/user"), state_dir, home }
        }
    };
    Site { manager: Manager::new(target, scope), place }
}

/// Where they lie in a tree for any host, of which nothing on this one tells: its top is `/` there, and for a
/// person's services the home directory.
pub fn exported(target: Target, scope: Scope, state_dir: Option<&Text>) -> Site {
    let place = match scope {
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
    };
    Site { manager: Manager::new(target, scope), place }
}

/// Whether a directory is the root of a system, such as an image that is built: each has this file (os-release(5);
/// `path_is_os_tree` in systemd's `src/shared/os-util.c`).
pub fn is_root_of_system(directory: &Text) -> bool {
    ["/etc/os-release", "/usr/lib/os-release"].iter().any(|file| files::is_there(&directory.with(file)))
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

/// Whether the caller may change what `scope` manages.
pub fn may_change(scope: Scope) -> bool {
    match scope {
        Scope::System => privilege::is_privileged(),
        Scope::User => true,
    }
}
