//! The command `ManageService`.

#![allow(clippy::disallowed_methods, reason = "the binaries hand argv over")]

use std::process::ExitCode;

use install_service::cli;

fn main() -> ExitCode {
    cli::broken::start("ManageService", std::env::args_os().collect(), cli::manage::run)
}
