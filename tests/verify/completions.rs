//! The completions as fish itself makes them of its script; bash does so in tests/suite/cli.rs.

use std::fs;
use std::process::Command;

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
