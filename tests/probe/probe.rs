//! The program that the byte-exactness tests install as a service: it writes down what it was given
//! and waits until it is stopped, then exits with 0.
//!
//! It takes no arguments or environment variables of its own, because these are what is tested. The
//! record is `/run/install-service-probe/PID.json` (on Windows `PID.json` beside the executable), in
//! one piece, readable by everyone, with every byte of the words in hexadecimal. `tests/support` reads it.
#![allow(clippy::disallowed_methods, reason = "it is a program of its own, with effects of its own")]

use std::ffi::OsStr;
use std::path::PathBuf;
use std::sync::mpsc;
use std::{env, fs, io, process};

fn main() -> io::Result<()> {
    // First the handler: whoever has seen the record may stop us.
    let (stopped, stop) = mpsc::channel();
    ctrlc::set_handler(move || stopped.send(()).expect("main waits")).map_err(io::Error::other)?;

    let record = serde_json::json!({
        "pid": process::id(),
        "argv": env::args_os().map(|argument| hex(&argument)).collect::<Vec<_>>(),
        "environment": environment()?,
        "cwd": hex(env::current_dir()?.as_os_str()),
        "exe": hex(env::current_exe()?.as_os_str()),
    });
    let folder = folder()?;
    fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{}.json", process::id()));
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, record.to_string())?;
    fs::rename(&unfinished, &path)?;

    stop.recv().map_err(io::Error::other)
}

#[cfg(unix)]
fn folder() -> io::Result<PathBuf> {
    Ok("/run/install-service-probe".into())
}

#[cfg(not(unix))]
fn folder() -> io::Result<PathBuf> {
    Ok(env::current_exe()?.parent().expect("an executable is in a folder").into())
}

/// `NAME=value` as received, in order: the standard library would hide what is not of that shape.
#[cfg(target_os = "linux")]
fn environment() -> io::Result<Vec<String>> {
    use std::os::unix::ffi::OsStrExt;
    let block = fs::read("/proc/self/environ")?;
    let variables = block.split_inclusive(|&byte| byte == 0).map(|entry| entry.strip_suffix(b"\0").unwrap_or(entry));
    Ok(variables.map(|variable| hex(OsStr::from_bytes(variable))).collect())
}

#[cfg(not(target_os = "linux"))]
fn environment() -> io::Result<Vec<String>> {
    let equals = OsStr::new("=");
    Ok(env::vars_os().map(|(name, value)| hex(&name) + &hex(equals) + &hex(&value)).collect())
}

/// The bytes of the platform's own encoding: on Unix those received, on Windows WTF-8.
fn hex(word: &OsStr) -> String {
    word.as_encoded_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}
