//! The command `install-service`: InstallService, by the name that no other package has.

#![allow(clippy::disallowed_methods, reason = "the binaries hand argv over")]

use std::process::ExitCode;

use install_service::cli;

fn main() -> ExitCode {
    cli::broken::start("InstallService", std::env::args_os().collect(), cli::install::run)
}
