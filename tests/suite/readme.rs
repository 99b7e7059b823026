//! The README is true: the two commands of a fresh clone are what they say, and its first screen is one. Its other commands
//! are run as those of any page (`pages.rs`).

use std::path::Path;

use crate::support::readme::{blocks, shell, text};

use crate::pages::prints;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_first_command_works_in_a_fresh_clone() {
    let block = blocks().into_iter().find(|block| block.mark == "clone").unwrap();
    // What is compiled for it has other features than what the tests are made of, and must not take its place.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fresh-clone");
    let output = shell(&block.text, root()).env("CARGO_TARGET_DIR", target).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    let told = blocks().into_iter().find(|block| block.mark == "prints").unwrap();
    assert!(prints(&told.text, &stdout), "{stdout}");
    assert!(stdout.contains("ExecStart=:\"/bin/sh\" \"-c\" \"while date; do sleep 60; done\"\n"), "{stdout}");
    assert!(stdout.contains("\n/etc/systemd/system/clock.service  (mode 0644)\n"), "{stdout}");
    assert!(stdout.contains("\nthen\n    systemctl enable clock.service\n"), "{stdout}");
    assert!(!root().join("working_dir/clock_install_args.toml").exists());
}

#[test]
fn the_command_that_runs_the_tests_is_the_one_that_they_ask_for() {
    let block = blocks().into_iter().find(|block| block.mark == "tests").unwrap();
    let runner = std::fs::read_to_string(root().join("tests/run")).unwrap();
    let (sudo, script) = block.text.trim().rsplit_once(' ').unwrap();
    assert_eq!(script, "tests/run");
    assert!(runner.contains(&sudo.replace('"', "\\\"").replace('$', "\\$")), "tests/run asks for another line");
    let output = shell("tests/run --help", root()).output().unwrap();
    assert!(output.status.success() && output.stdout.starts_with(b"usage: tests/run"));
}

/// Where to get it, the first command with what it prints, the tests, and where to go on: before anybody scrolls far.
#[test]
fn the_first_screen_has_what_a_newcomer_looks_for() {
    let (first, _) = text().split_once("\n## One service running").expect("what comes next");
    assert!(first.lines().count() <= 70, "{} lines", first.lines().count());
    for part in
        ["pip install", "sudo apt install", "windows-x86_64.zip", "cargo run --", "tests/run", "docs/SUMMARY.md"]
    {
        assert!(first.contains(part), "{part}");
    }
}
