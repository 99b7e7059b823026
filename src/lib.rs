//! InstallService
