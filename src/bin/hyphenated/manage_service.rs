//! The command `manage-service`: ManageService, by the name that no other package has.

#![allow(clippy::disallowed_methods, reason = "the binaries hand argv over")]

use std::process::ExitCode;

use install_service::cli;

fn main() -> ExitCode {
    cli::broken::start("ManageService", std::env::args_os().collect(), cli::manage::run)
}
