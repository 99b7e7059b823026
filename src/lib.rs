//! InstallService turns any program into a service on Linux (systemd) and Windows (NSSM).

pub mod model;
pub mod render;
