//! The command `RunService`, which stands between NSSM and a program.

#![allow(clippy::disallowed_methods, reason = "the binaries hand argv over")]

fn main() {
    // NSSM is told all 32 bits of the exit code.
    std::process::exit(install_service::runner::run(&std::env::args_os().collect::<Vec<_>>()))
}
