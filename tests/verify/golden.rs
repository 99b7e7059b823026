//! Every unit of the golden directories, as systemd itself reads it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn units_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { units_below(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "service"))
        .collect()
}

/// What a golden unit runs need not be on this machine; nothing else may be wrong with it.
fn is_a_missing_program(line: &str) -> bool {
    line.contains(": Command ") && line.ends_with(" is not executable: No such file or directory")
}

#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn systemd_has_nothing_to_say_about_a_golden_unit() {
    let units = units_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/install"));
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
