//! The command `ManageService`.

#![allow(clippy::disallowed_methods, reason = "the binaries hand argv over")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let result = install_service::cli::manage::run(std::env::args_os().collect());
    install_service::cli::end("ManageService", result)
}
