//! RunService, where it needs neither Windows nor NSSM: what it passes on, and when it leaves an error log behind.
//! `tests/windows/error_log.rs` has the rest.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Runs a script for the service `web` as NSSM would, which writes its output to a log; gives the exit code.
fn run(folder: &Path, program: &str, script: &str) -> i32 {
    let log = folder.join("web_output.log");
    let output = File::options().append(true).create(true).open(&log).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_RunService"));
    command.arg("web").arg(&log).args([program, "-c", script, "$0", "a b", ""]).current_dir(folder).env("GIVEN", "x");
    command.stdout(output.try_clone().unwrap()).stderr(output).status().unwrap().code().unwrap()
}

/// The entries of the error log without their times.
fn entries(folder: &Path) -> Option<String> {
    let log = fs::read_to_string(folder.join("web_ERROR_LOG.txt")).ok()?;
    let is_time = |word: &str| word.ends_with('Z') && word.contains('T');
    let line = |line: &str| match line.split_once(' ') {
        Some((time, rest)) if is_time(time) => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    Some(log.lines().map(line).collect())
}

#[test]
fn a_program_has_our_directory_environment_and_exit_code() {
    let folder = TempDir::new().unwrap();
    let script = r#"printf '%s|' "$PWD" "$GIVEN" "$@" > given; exit 0"#;
    assert_eq!(run(folder.path(), "/bin/sh", script), 0);
    let given = fs::read(folder.path().join("given")).unwrap();
    assert_eq!(given, [folder.path().as_os_str().as_bytes(), b"|x|a b||"].concat());
    assert_eq!(entries(folder.path()), None);
}

#[test]
fn each_failure_is_an_entry_with_what_that_run_has_printed() {
    let folder = TempDir::new().unwrap();
    assert_eq!(run(folder.path(), "/bin/sh", "echo first; exit 0"), 0);
    assert_eq!(run(folder.path(), "/bin/sh", "echo second; echo in vain >&2; exit 3"), 3);
    assert_eq!(run(folder.path(), "/bin/sh", "printf half; kill -KILL $$"), 137);
    let expected = "web exit-code exited 3\nsecond\nin vain\n\nweb exit-code exited 137\nhalf\n\n";
    assert_eq!(entries(folder.path()).as_deref(), Some(expected));
    let output = fs::read_to_string(folder.path().join("web_output.log")).unwrap();
    assert_eq!(output, "first\nsecond\nin vain\nweb exit-code exited 3\nhalfweb exit-code exited 137\n");
}

#[test]
fn a_program_that_is_not_there_is_a_failure() {
    let folder = TempDir::new().unwrap();
    assert_eq!(run(folder.path(), "/no/such/program", ""), 2);
    let entry = entries(folder.path()).unwrap();
    assert!(entry.starts_with("web cannot start `/no/such/program`: No such file"), "{entry}");
}

#[test]
fn an_error_log_is_begun_anew_once_it_is_large_and_never_written_through_a_link() {
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("web_ERROR_LOG.txt");
    fs::write(&log, "x".repeat((1 << 20) + 1)).unwrap();
    run(folder.path(), "/bin/sh", "exit 3");
    assert_eq!(entries(folder.path()).as_deref(), Some("web exit-code exited 3\n\n"));
    let elsewhere = folder.path().join("elsewhere");
    fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &log).unwrap();
    run(folder.path(), "/bin/sh", "exit 3");
    assert!(!elsewhere.exists());
    let output = fs::read_to_string(folder.path().join("web_output.log")).unwrap();
    assert!(output.contains("cannot write the error log `web_ERROR_LOG.txt`: "), "{output}");
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_is_waited_for_by_the_error_log() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("web_ERROR_LOG.txt");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let log = folder.path().join("web_output.log");
    fs::write(&log, "").unwrap();
    for opened in [false, true] {
        // A FIFO that somebody reads takes what is written; but it is no file of ours.
        let reader = opened.then(|| Command::new("sleep").arg("20").stdin(open_at_once(&path)).spawn().unwrap());
        let output = File::options().append(true).open(&log).unwrap();
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=5", "15", env!("CARGO_BIN_EXE_RunService"), "web"])
            .arg(&log)
            .args(["/bin/sh", "-c", "exit 3"]);
        command.current_dir(folder.path()).stdout(output.try_clone().unwrap()).stderr(output);
        assert_eq!(command.status().unwrap().code(), Some(3));
        if let Some(mut reader) = reader {
            reader.kill().unwrap();
            reader.wait().unwrap();
        }
    }
    let said = fs::read_to_string(&log).unwrap();
    assert_eq!(said.matches("cannot write the error log `web_ERROR_LOG.txt`: ").count(), 2, "{said}");
}

/// A FIFO, open to be read before anybody writes.
#[cfg(target_os = "linux")]
fn open_at_once(path: &Path) -> File {
    use std::os::unix::fs::OpenOptionsExt as _;
    let at_once = nix::fcntl::OFlag::O_NONBLOCK.bits();
    File::options().read(true).custom_flags(at_once).open(path).unwrap()
}
