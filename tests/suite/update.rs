//! `InstallService --update` as far as it goes without a running systemd; tests/booted/update.rs goes all the way.

use serde_json::Value;

use crate::support::{Ran, Test};

/// A service of a user, lying where an install puts it.
fn installed() -> Ran {
    let test = Test::install().env("INSTALLSERVICE_WORKING_DIR", "");
    let test = test.args(["--output", "home", "--user", "--working-directory", "/", "--service_name", "uploader"]);
    test.args(["--restart", "on-failure", "--env", "A=1", "--", "/bin/sleep", "1000"]).run()
}

fn update(ran: &Ran, words: &[&str]) -> Test {
    let test = ran.then_install().env("INSTALLSERVICE_WORKING_DIR", "").env("XDG_RUNTIME_DIR", "/nonexistent");
    test.args(["--update", "--service_name", "uploader"]).args(words)
}

#[test]
fn the_preview_is_a_diff_of_what_is_said() {
    let ran = installed();
    let told = update(&ran, &["--dry-run", "--restart", "never"]).run().stdout;
    let changes: Vec<&str> = told
        .lines()
        .filter(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"))
        .collect();
    let is_about_it = |line: &&str| line.contains("estart") || line.contains("StartLimit");
    assert!(changes.iter().all(is_about_it), "{told}");
    assert!(changes.contains(&"-restart = \"on-failure\"") && changes.contains(&"+restart = \"never\""), "{told}");
    // The same as a check, but for the exit code.
    let check = update(&ran, &["--check", "--restart", "never"]).status(10).run().stdout;
    assert_eq!(check, told);
    let document = update(&ran, &["--dry-run", "--format", "json", "--restart", "never"]).run().stdout;
    assert_eq!(serde_json::from_str::<Value>(&document).unwrap()["same"], false);
}

#[test]
fn arguments_are_changed_and_nothing_else() {
    let ran = installed();
    let told = update(&ran, &["--dry-run", "--env", "B=2", "--", "/bin/sleep", "2000"]).run().stdout;
    for line in ["-arguments = [\"1000\"]", "+arguments = [\"2000\"]", " A = \"1\"", "+B = \"2\""] {
        assert!(told.lines().any(|known| known == line), "{line}: {told}");
    }
}

#[test]
fn what_cannot_be_updated_is_refused() {
    let ran = installed();
    let refused = |words: &[&str], status: i32, said: &str| {
        let test = ran.then_install().env("INSTALLSERVICE_WORKING_DIR", "").args(words);
        test.status(status).stdout("").stderr(said).run();
    };
    refused(
        &["--update", "--restart", "never"],
        2,
        "InstallService: error: option `--update`: needs the name of an installed service\n  \
         help: `--service_name NAME`; `ManageService --list` shows the names\n",
    );
    refused(
        &["--update", "--service_name", "uploader", "--output", "tree"],
        2,
        "InstallService: error: option `--output`: cannot be combined with `--update`, which changes a service of this \
         host\n",
    );
    refused(
        &["--update", "--service_name", "uplaoder", "--restart", "never"],
        4,
        "InstallService: error: there is no service `uplaoder`\n  help: did you mean `uploader`?\n",
    );
    update(&ran, &["--dry-run", "--restart", "sometimes"]).status(2).stderr_contains("`sometimes`").run();
}

#[test]
fn what_was_switched_off_can_be_switched_on_again() {
    let test = Test::install().env("INSTALLSERVICE_WORKING_DIR", "");
    let test = test.args(["--output", "home", "--user", "--working-directory", "/", "--service_name", "uploader"]);
    let ran = test.args(["--no-boot", "--no-network", "--", "/bin/sleep", "1000"]).run();
    let told = update(&ran, &["--dry-run", "--boot", "--network"]).run().stdout;
    for line in ["-at_boot = false", "-network = false"] {
        assert!(told.lines().any(|known| known == line), "{line}: {told}");
    }
    // The receipt is the one of a service of which neither was ever said.
    assert!(!told.contains("+at_boot") && !told.contains("+network"), "{told}");
    let both = "InstallService: error: option `--no-boot`: cannot be combined with `--boot`\n";
    update(&ran, &["--dry-run", "--boot", "--no-boot"]).status(2).stdout("").stderr(both).run();
}
