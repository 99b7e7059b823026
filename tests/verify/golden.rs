//! Every unit of the golden directories as systemd itself reads it, and every shell script as shellcheck does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The golden files whose name ends so.
fn golden(extension: &str) -> Vec<PathBuf> {
    fn below(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect()
    }
    let mut files = below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/install"));
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files
}

/// What a golden unit runs need not be on this machine; nothing else may be wrong with it.
fn is_a_missing_program(line: &str) -> bool {
    line.contains(": Command ") && line.ends_with(" is not executable: No such file or directory")
}

#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn systemd_has_nothing_to_say_about_a_golden_unit() {
    let units = [golden("service"), golden("timer")].concat();
    assert!(units.len() > 20, "{units:?}");
    let runtime = tempfile::tempdir().unwrap();
    let mut faults = String::new();
    for unit in &units {
        let mut analyze = Command::new("systemd-analyze");
        analyze.env("LC_ALL", "C.UTF-8").env("XDG_RUNTIME_DIR", runtime.path());
        let scope = if unit.components().any(|part| part.as_os_str() == "user") { "--user" } else { "--system" };
        let output = analyze.args([scope, "verify", "--man=no", "--recursive-errors=no"]).arg(unit).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let wrong: Vec<&str> = said.lines().filter(|line| !is_a_missing_program(line)).collect();
        if !wrong.is_empty() || (!output.status.success() && said.is_empty()) {
            faults += &format!("{}: {}\n{}\n", unit.display(), output.status, wrong.join("\n"));
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
#[ignore = "needs shellcheck: tests/run"]
fn shellcheck_has_nothing_to_say_about_a_golden_script() {
    let scripts = golden("sh");
    assert!(scripts.len() > 4, "{scripts:?}");
    // What some of them read: the values of secrets.
    let credentials = tempfile::tempdir().unwrap();
    fs::write(credentials.path().join("environment"), "TOKEN=\"a b\"\n").unwrap();
    let mut shellcheck = Command::new("shellcheck");
    shellcheck.args(["--shell=sh", "--external-sources", "--source-path"]).arg(credentials.path()).args(&scripts);
    let output = shellcheck.env("LC_ALL", "C.UTF-8").output().expect("shellcheck");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{said}", output.status);
}
