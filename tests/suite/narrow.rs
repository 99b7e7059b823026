//! What is told on terminals of different widths: prose is wrapped with a hanging indent, and what can be copied is not.

use crate::support::Test;

/// Lines are not longer than this, however wide the terminal is.
const WIDEST: usize = 100;

/// Words that are told with errors, help and notes in many shapes, and the commands to type that are among them.
fn cases() -> Vec<(&'static str, Test, Vec<&'static str>)> {
    let long = "/a/directory/with/a/name/that/is/longer/than/any/terminal/of/sixty/columns/and/of/eighty/columns/too";
    vec![
        ("the short help", Test::install().arg("-h"), vec!["ManageService DataFileUploadDirectory start"]),
        ("the long help", Test::install().arg("--help"), vec!["ManageService DataFileUploadDirectory start"]),
        ("the help of a program", Test::install().args(["DataFileUploadDirectory", "-h"]), vec![]),
        ("that of ManageService", Test::manage().arg("-h"), vec!["ManageService web logs --follow"]),
        ("properties", Test::install().args(["properties", "memory", "--target", "systemd"]), vec![]),
        ("nothing", Test::install().status(2), vec![]),
        (
            "faults",
            Test::install().args(["--restart-sec", "x", "--no-prune", "--working-directory", long]).status(2),
            vec![],
        ),
        (
            "an unknown program",
            Test::install().arg("Nothing-that-is-known").status(2),
            vec!["InstallService -h", "InstallService --service_name NAME -- Nothing-that-is-known"],
        ),
        ("an unknown service", Test::manage().args(["web", "start"]).status(4), vec!["ManageService --list"]),
        (
            "notes",
            Test::install().args([
                "--python",
                "/usr/bin/python3",
                "--output",
                "tree",
                "DataFileUploadDirectory",
                "/data",
                "--config",
                "prod",
            ]),
            vec![],
        ),
    ]
}

/// The text without the sequences that begin and end styles.
fn without_styles(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + piece.split_once('m').map_or(piece, |(_, rest)| rest))
}

/// Whether a line is one thing that can be copied, with at most a few words of ours around it.
fn is_one_thing(line: &str, commands: &[&str]) -> bool {
    let line = line.trim_start();
    !line.contains(' ')
        || commands.contains(&line)
        || line.starts_with("InstallService --dry-run")
        || line.starts_with('`')
        || line.starts_with("InstallService DataFileUploadDirectory /data/in")
}

#[test]
fn no_line_is_longer_than_the_terminal_is_wide() {
    for columns in [60, 80, 140] {
        for (what, test, commands) in cases() {
            let seen = test.env("NO_COLOR", "1").on_a_terminal_of(columns).run().stdout;
            for line in seen.lines().filter(|line| !is_one_thing(line, &commands)) {
                let width = line.chars().count();
                assert!(width <= columns.min(WIDEST), "{what}, {columns} columns: {width}: {line}\n{seen}");
            }
            for command in commands {
                let is_alone = |line: &str| line.trim_start() == command || line.contains(&format!("  {command}  "));
                assert!(seen.lines().any(is_alone), "{what}, {columns} columns: no {command}\n{seen}");
            }
        }
    }
}

#[test]
fn colours_change_no_shape() {
    for columns in [60, 80, 140] {
        let plain = cases().into_iter().map(|(_, test, _)| test.env("NO_COLOR", "1").on_a_terminal_of(columns).run());
        let coloured = cases().into_iter().map(|(_, test, _)| test.on_a_terminal_of(columns).run());
        for ((plain, coloured), (what, ..)) in plain.zip(coloured).zip(cases()) {
            assert!(coloured.stdout.contains('\u{1b}'), "{what}: {}", coloured.stdout);
            let folder = |text: &str| text.replace(&*plain.folder().display().to_string(), "[TMP]");
            let other = |text: &str| text.replace(&*coloured.folder().display().to_string(), "[TMP]");
            assert_eq!(other(&without_styles(&coloured.stdout)), folder(&plain.stdout), "{what}, {columns} columns");
        }
    }
}

#[test]
fn lines_go_on_below_the_words_that_they_began_with() {
    let unknown = |columns| Test::install().arg("Nothing").status(2).env("NO_COLOR", "1").on_a_terminal_of(columns);
    unknown(40)
        .stdout(
            "InstallService: error: program\n    `Nothing`: there is no such program\n    in the catalog\n  help:\n            \
             InstallService -h\n        lists the programs; any other\n        one goes after `--`:\n            \
             InstallService --service_name NAME -- Nothing\n",
        )
        .run();
}

/// So that scripts can search it, line by line.
#[test]
fn what_is_no_terminal_is_told_every_sentence_in_one_line() {
    Test::install()
        .arg("Nothing")
        .env("COLUMNS", "40")
        .status(2)
        .stderr(
            "InstallService: error: program `Nothing`: there is no such program in the catalog\n  help: `InstallService \
             -h` lists the programs; any other one goes after `--`: `InstallService --service_name NAME -- Nothing`\n",
        )
        .run();
}
