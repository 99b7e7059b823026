//! A command that asks for one value and prints what came of it.
#![allow(clippy::disallowed_methods, reason = "it is a program of its own, with effects of its own")]

use std::process::ExitCode;

use install_service::cli;
use install_service::host::prompt::Terminal;

fn main() -> ExitCode {
    cli::broken::start("asks", Vec::new(), |_| {
        let typed = Terminal::begin()?.ask("value")?;
        println!("{typed:?}");
        Ok(0)
    })
}
