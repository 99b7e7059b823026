//! The environment of whoever runs this.

use std::env;
use std::path::PathBuf;

use super::text::text;
use crate::model::name::EnvName;
use crate::model::text::Text;

/// The value of an environment variable as the caller set it.
pub fn variable(name: &EnvName) -> Option<Text> {
    env::var_os(name.as_str()).map(text)
}

/// The home directory.
pub fn home() -> Text {
    non_empty("HOME").unwrap_or_else(|| "/root".into())
}

/// The value of an environment variable that is set to something.
pub fn non_empty(name: &str) -> Option<Text> {
    env::var_os(name).filter(|value| !value.is_empty()).map(text)
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
