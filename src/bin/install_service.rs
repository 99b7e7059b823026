//! The command `InstallService`.

#![allow(clippy::disallowed_methods, reason = "the binaries hand argv over")]

use std::process::ExitCode;

use install_service::cli;

fn main() -> ExitCode {
    cli::broken::start("InstallService", std::env::args_os().collect(), cli::install::run)
}
