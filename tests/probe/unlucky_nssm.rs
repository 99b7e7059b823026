//! An `nssm.exe` for the kill sweep under Windows: it counts its calls and passes them on to the real one,
//! but for the one that the file `order` beside it names. `N fail` fails; `N before` is killed with the
//! command that made the call, before it has done anything; `N during` goes on after that one's end, and
//! `N after` is done by then.
//!
//! It waits while the file `ready` is there: whoever takes that away has killed the command.
#![allow(clippy::disallowed_methods, reason = "it is a program of its own, with effects of its own")]

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, exit};
use std::thread::sleep;
use std::time::Duration;
use std::{env, io};

const REAL: &str = r"C:\nssm\nssm.exe";

fn main() -> io::Result<()> {
    let words: Vec<OsString> = env::args_os().skip(1).collect();
    let exe = env::current_exe()?;
    let folder = exe.parent().expect("an executable is in a folder");
    // To ask changes nothing, and how often is asked depends on the time.
    let order = if words.first().is_some_and(|verb| verb == "status") { None } else { order(folder)? };
    let real = || Command::new(REAL).args(&words).status().map(|status| status.code().unwrap_or(-1));
    // On a busy machine Wine fails to start a process now and then.
    let pass_on = || real().or_else(|_| real());
    let code = match order.as_deref() {
        Some("fail") => {
            eprintln!("no luck today");
            5
        }
        Some("before") => {
            wait_for_the_kill(folder)?;
            5
        }
        Some("during") => {
            wait_for_the_kill(folder)?;
            // Whoever does not wait for it has looked at the host by then.
            sleep(Duration::from_millis(300));
            pass_on()?
        }
        Some("after") => {
            let code = pass_on()?;
            wait_for_the_kill(folder)?;
            code
        }
        _ => pass_on()?,
    };
    exit(code)
}

/// What is to happen with this call.
fn order(folder: &Path) -> io::Result<Option<String>> {
    let mut calls = OpenOptions::new().append(true).create(true).open(folder.join("calls"))?;
    calls.write_all(b".")?;
    let number = calls.metadata()?.len().to_string();
    let order = fs::read_to_string(folder.join("order")).unwrap_or_default();
    Ok(order.split_once(' ').filter(|(at, _)| *at == number).map(|(_, what)| what.to_owned()))
}

fn wait_for_the_kill(folder: &Path) -> io::Result<()> {
    let ready = folder.join("ready");
    fs::write(&ready, "")?;
    for _ in 0..3000 {
        if !ready.exists() {
            break;
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}
