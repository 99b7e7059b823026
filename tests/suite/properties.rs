//! `InstallService properties`: what `--property` takes.

use serde_json::Value;

use crate::support::{Ran, Test};

fn properties(words: &[&str]) -> Test {
    Test::install().arg("properties").args(words).args(["--target", "systemd"])
}

/// The names in the first column.
fn names(ran: &Ran) -> Vec<&str> {
    ran.stdout.lines().filter(|line| line.starts_with("  ")).filter_map(|line| line.split_whitespace().next()).collect()
}

#[test]
fn a_word_finds_those_that_have_it_in_their_name_or_line() {
    let ran = properties(&["SWAP"]).stderr("").run();
    let found = ["LimitMEMLOCK", "ManagedOOMSwap", "MemorySwapMax", "MemoryZSwapMax", "MemoryZSwapWriteback"];
    assert_eq!(names(&ran)[..5], found);
    properties(&["CoredumpReceive="])
        .stdout(
            "[Service]:\n  CoredumpReceive  Hand core dumps of a container on to the service inside it [`yes` or `no`; since \
             systemd 255]\n",
        )
        .run();
}

#[test]
fn what_has_a_key_of_its_own_is_named() {
    let ran = properties(&["WorkingDir"]).run();
    let elsewhere = "Elsewhere:\n  WorkingDirectory  Has a key of its own in a manifest: `working_directory`\n";
    assert!(ran.stdout.ends_with(elsewhere), "{}", ran.stdout);
}

#[test]
fn those_of_timers_stand_among_them_and_what_runs_is_said_in_one_word() {
    let listed = properties(&["OnBoot"]).run().stdout;
    assert!(listed.contains("[Timer]:\n  Timer.OnBootSec"), "{listed}");
    let listed = properties(&["ExecStart"]).run().stdout;
    let said = listed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    assert!(said.clone().any(|line| line == "ExecStart Has a key of its own in a manifest: `command`"), "{listed}");
    // The error of the table names the same.
    let manifest = "[[service]]\nname = 'x'\nexecutable = '/bin/true'\nsystemd = { ExecStart = '/bin/true' }\n";
    Test::install()
        .file("m.toml", manifest)
        .args(["--dry-run", "--manifest", "m.toml", "--target", "systemd"])
        .status(2)
        .stderr_contains("directive `ExecStart`: this has a key of its own\n  help: write `command = ...`\n")
        .run();
}

#[test]
fn all_of_them_can_be_said_with_property() {
    let ran = properties(&["--format", "json"]).run();
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let listed = document["properties"].as_array().unwrap();
    assert!(listed.len() > 370, "{}", listed.len());
    for property in listed {
        let name = property["name"].as_str().unwrap();
        // An odd value is refused for what it is, and not for its name.
        let refused = install_service::model::systemd_table::KnownDirective::find(name);
        assert!(refused.is_ok(), "{name}");
    }
    assert_eq!(document["properties"][0]["section"], "Unit");
}

#[test]
fn those_of_nssm() {
    let ran = Test::install().args(["--target", "nssm", "properties", "throttle"]).stderr("").run();
    assert_eq!(names(&ran), ["AppThrottle"]);
}

#[test]
fn none_of_that_name() {
    properties(&["MemroyMax"])
        .status(2)
        .stderr(
            "InstallService: error: property `MemroyMax`: systemd has no entry with this word in its name or its description\n  \
             help: did you mean `MemoryMax`?\n",
        )
        .run();
    properties(&["xyzzy"]).status(2).stderr_contains("`InstallService properties` lists all of them").run();
}
