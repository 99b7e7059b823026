//! Who runs this, and with which rights.

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
    std::env::var("USERNAME").ok()
}
