//! The completions as fish itself makes them of its script, and that for PowerShell as a parser of its language reads it;
//! bash does so in tests/suite/cli.rs, and bash and zsh with what a package installs in tests/packages/completions.rs.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::Test;

#[test]
#[ignore = "needs fish: tests/run"]
fn fish_completes_values_and_modes() {
    let ran = Test::install().args(["completions", "fish"]).file("lab.toml", "").run();
    let path = ran.folder().join("completions.fish");
    fs::write(&path, &ran.stdout).unwrap();
    let modes = "diff disable doctor enable logs reinstall release reload remove rename restart show start status stop stop_and_reinstall stop_and_remove \
                 stop_and_restart";
    for (line, completed) in [
        ("InstallService Data", "DataFileDownloadDirectory DataFileUploadDirectory"),
        ("InstallService --hardening ", "baseline none service strict"),
        ("InstallService --service_name x --env A=1 --hardening ", "baseline none service strict"),
        ("InstallService --hardening=s", "--hardening=service --hardening=strict"),
        (
            "InstallService DataFileUploadDirectory --restart ",
            "always never no on-abnormal on-abort on-failure on-success on-watchdog",
        ),
        ("InstallService --manifest lab", "lab.toml"),
        ("InstallService --property MemoryMa", "MemoryMax="),
        ("InstallService --property Timer.OnBoot", "Timer.OnBootSec="),
        ("InstallService DataFileUploadDirectory --property Unit.OnF", "Unit.OnFailure= Unit.OnFailureJobMode="),
        ("ManageService ", modes),
        ("ManageService web ", modes),
        ("ManageService web stop_and_re", "stop_and_reinstall stop_and_remove stop_and_restart"),
        ("ManageService web -n 5 --user lo", "logs"),
        ("ManageService web start ", ""),
        ("ManageService start ", ""),
        ("ManageService --manifest lab", "lab.toml"),
        ("ManageService --manifest lab.toml sto", "stop stop_and_reinstall stop_and_remove stop_and_restart"),
        ("ManageService web show --format m", "manifest"),
    ] {
        let mut fish = Command::new("fish");
        fish.args(["--no-config", "--command", "source $argv[1]; complete --do-complete $argv[2]"]);
        let output =
            fish.arg(&path).arg(line).current_dir(ran.folder()).env("HOME", ran.folder()).output().expect("fish");
        let said = String::from_utf8_lossy(&output.stderr);
        let answer = String::from_utf8(output.stdout).unwrap();
        // Each with its description behind a tab.
        let mut words: Vec<&str> = answer.lines().filter_map(|line| line.split('\t').next()).collect();
        words.sort_unstable();
        assert_eq!(words.join(" "), completed, "{line}: {said}");
    }
}

/// Says of a script for PowerShell which words it cannot read, and which commands it completes.
const READ_POWERSHELL: &str = r"
import sys, tree_sitter, tree_sitter_powershell
language = tree_sitter.Language(tree_sitter_powershell.language())
script = sys.stdin.buffer.read()
nodes = [tree_sitter.Parser(language).parse(script).root_node]
while nodes:
    node = nodes.pop()
    nodes += reversed(node.children)
    text = script[node.start_byte : node.end_byte].decode()
    if node.is_error or node.is_missing:
        print(f'line {node.start_point.row + 1}:', text.splitlines()[0] if text else f'no {node.type}')
    if node.type == 'command' and text.startswith('Register-ArgumentCompleter'):
        print(text.split('-ScriptBlock')[0])
";

fn read_by_powershell(script: &[u8]) -> String {
    let python = std::env::var_os("POWERSHELL_PARSER").expect("POWERSHELL_PARSER: tests/run verify sets it");
    let mut reader = Command::new(python);
    reader.args(["-c", READ_POWERSHELL]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut reader = reader.spawn().expect("Python");
    reader.stdin.take().unwrap().write_all(script).unwrap();
    let output = reader.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs a parser of PowerShell's language: tests/run"]
fn powershell_reads_its_script() {
    let script = Test::install().args(["completions", "powershell"]).run().stdout.into_bytes();
    assert_eq!(
        read_by_powershell(&script),
        "Register-ArgumentCompleter -Native -CommandName 'InstallService', 'install-service' \n\
         Register-ArgumentCompleter -Native -CommandName 'ManageService', 'manage-service' \n",
    );
    // What is none is not read.
    let half = &script[..script.len() / 2];
    assert!(read_by_powershell(half).contains("line "));
}
