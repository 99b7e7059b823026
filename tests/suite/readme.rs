//! The README is true: its commands run (the ones for a booted systemd in tests/booted/readme.rs, the
//! one that installs in tests/verify/readme.rs), and what it names is there.

use std::path::Path;

use install_service::error::exit;

use crate::support::Test;
use crate::support::readme::{blocks, shell, text};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_block_of_commands_is_run_somewhere() {
    let commands: Vec<String> =
        blocks().into_iter().filter(|block| block.language == "sh").map(|block| block.mark).collect();
    for mark in &commands {
        assert!(["clone", "tests", "install", "dry", "booted"].contains(&&**mark), "`{mark}`: no test runs these");
    }
    // Of these there is one each; their tests say what they expect.
    for mark in ["clone", "tests", "install"] {
        assert_eq!(commands.iter().filter(|found| *found == mark).count(), 1, "{mark}");
    }
}

#[test]
fn the_first_command_works_in_a_fresh_clone() {
    let block = blocks().into_iter().find(|block| block.mark == "clone").unwrap();
    // What is compiled for it has other features than what the tests are made of, and must not take its place.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fresh-clone");
    let output = shell(&block.text, root()).env("CARGO_TARGET_DIR", target).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stderr}");
    assert!(
        stdout.starts_with("clock\n    runs  /bin/sh -c 'while date; do sleep 60; done'\n    as    root\n"),
        "{stdout}"
    );
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

#[test]
fn dry_blocks_run_as_they_stand() {
    for block in blocks().into_iter().filter(|block| block.mark == "dry") {
        let folder = tempfile::tempdir().unwrap();
        let output = shell(&block.text, folder.path()).output().unwrap();
        assert!(output.status.success(), "{}\n{}", block.text, String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_table_of_exit_codes_is_the_one_of_the_commands() {
    let rows = text().lines().skip_while(|line| !line.starts_with("| Code |")).skip(2);
    let told: Vec<u8> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').nth(1).unwrap().trim().parse().unwrap())
        .collect();
    let known = [
        exit::OK,
        exit::FAILED,
        exit::USAGE,
        exit::NOT_RUNNING,
        exit::NO_SUCH_SERVICE,
        exit::NOT_PRIVILEGED,
        exit::DIFFERENT,
        exit::INTERRUPTED,
    ];
    assert_eq!(told, known);
}

#[test]
fn every_option_that_it_names_is_there() {
    let help = Test::install().arg("--help").run().stdout + &Test::manage().arg("--help").run().stdout;
    // Of other commands, of the programs in the examples, and of rules in sudoers.
    let others = ["--help", "--every", "--through-sudo"];
    let mut rest = text();
    while let Some(at) = rest.find("--") {
        rest = &rest[at..];
        let end = rest[2..].find(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c))).unwrap_or(rest.len() - 2);
        let option = rest[..end + 2].trim_end_matches('-');
        rest = &rest[end + 2..];
        if option.len() > 2 && !option.starts_with("---") && !others.contains(&option) {
            assert!(help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n")), "{option}");
        }
    }
}

#[test]
fn every_page_that_it_links_to_is_there() {
    let anchors: Vec<String> = text()
        .lines()
        .filter_map(|line| Some(format!("#{}", line.strip_prefix("##")?.trim_matches('#').trim().replace(' ', "-"))))
        .map(|anchor| anchor.to_lowercase())
        .collect();
    for link in text().split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        let there =
            link.starts_with("https://") || anchors.iter().any(|anchor| anchor == link) || root().join(link).exists();
        assert!(there, "{link}");
    }
}
