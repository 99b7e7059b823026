//! `InstallService --adopt` as far as it goes without a running systemd; tests/booted/adopt.rs goes all the way.

use std::fs;

use serde_json::Value;

use crate::support::{Ran, Test};

/// A home directory with a unit of somebody's own, which starts at the login.
fn home() -> Ran {
    let unit = "[Service]\nExecStart=/bin/sleep 1\n[Install]\nWantedBy=default.target\n";
    let ran = Test::manage().file("home/.config/systemd/user/own.service", unit).arg("--list").run();
    let wants = ran.folder().join("home/.config/systemd/user/default.target.wants");
    fs::create_dir_all(&wants).unwrap();
    std::os::unix::fs::symlink("../own.service", wants.join("own.service")).unwrap();
    ran
}

fn install(ran: &Ran, options: &[&str]) -> Test {
    let test = ran.then_install().env("XDG_RUNTIME_DIR", "/nonexistent").args(["--user", "--service_name", "own"]);
    test.args(options).args(["--", "/bin/sleep", "2"])
}

#[test]
fn the_preview_is_of_this_host() {
    let ran = home();
    install(&ran, &["--check"]).status(2).stderr_contains("`InstallService import own` prints a manifest of it").run();
    let told = install(&ran, &["--adopt", "--dry-run"]).run().stdout;
    assert!(
        told.contains("-ExecStart=/bin/sleep 1\n") && told.contains("+ExecStart=:\"/bin/sleep\" \"2\"\n"),
        "{told}"
    );
    let kept = "own takes over [TMP]/home/.config/systemd/user/own.service, which is kept as [TMP]/working_dir/own_original.service\n";
    assert!(told.contains(kept), "{told}");
    // It starts at the login already.
    assert!(!told.contains("default.target.wants"), "{told}");
    assert_eq!(install(&ran, &["--adopt", "--check"]).status(10).run().stdout, told);
    let json = install(&ran, &["--adopt", "--dry-run", "--format", "json"]).run().stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["adopted"][0]["service"], "own");
}

#[test]
fn what_nothing_can_be_taken_over_with_is_refused() {
    let refused = |words: &[&str], said: &str| {
        let test = Test::install().args(["--service_name", "web"]).args(words).args(["--", "/bin/true"]);
        test.status(2).stdout("").stderr_contains(said).run();
    };
    refused(&["--restart-now"], "option `--restart-now`: needs `--adopt`: it is for what is taken over\n");
    refused(&["--adopt", "--output", "tree"], "option `--adopt`: cannot be combined with `--output`,");
    refused(&["--adopt", "--update"], "option `--adopt`: cannot be combined with `--update`,");
}

/// What is kept tells where links go that root will make: its words are judged.
#[test]
fn what_is_kept_is_believed_only_if_it_makes_sense() {
    let ran = home();
    let state = ran.folder().join("working_dir");
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("own_original.service"), "[Service]\n").unwrap();
    for (record, said) in [
        ("unit = 1\n", "own_original.toml`: "),
        ("unit = \"/x\"\nmode = \"0644\"\n[links]\n\"../../x\" = \"y\"\n", "leads out of the directory of units"),
    ] {
        fs::write(state.join("own_original.toml"), record).unwrap();
        install(&ran, &["--adopt", "--check"]).status(2).stderr_contains(said).run();
    }
    fs::remove_file(state.join("own_original.service")).unwrap();
    install(&ran, &["--adopt", "--check"]).status(2).stderr_contains("which it describes, is gone").run();
}
