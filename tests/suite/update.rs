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

/// The lines of a diff that take something away, or add something.
fn changes(told: &str) -> Vec<&str> {
    told.lines()
        .filter(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"))
        .collect()
}

#[test]
fn what_was_said_can_be_taken_back() {
    let file = std::env::current_exe().unwrap();
    let file = file.to_str().unwrap();
    let said =
        ["--stop-command", "/bin/kill $MAINPID", "--environment-file", file, "--log-file", "/var/log/uploader.log"];
    let lists = ["--after", "a.service", "--before", "b.service", "--requires", "c.service", "--wants", "d.service"];
    let more =
        ["--path", "/usr/bin", "--assume", "systemd=250", "--env", "A=1", "--env", "TOKEN", "--property", "Nice=5"];
    let test = Test::install().env("INSTALLSERVICE_WORKING_DIR", "");
    let test = test.args(["--output", "home", "--user", "--working-directory", "/", "--service_name", "uploader"]);
    let ran = test.args(said).args(lists).args(more).args(["--", "/bin/sleep", "1000"]).run();
    // Each alone, and nothing else of the receipt changes.
    for (option, key) in [
        (["--stop-command", "none"], "stop_command"),
        (["--environment-file", "none"], "environment_file"),
        (["--log-file", "default"], "log_file"),
        (["--after", "none"], "after"),
        (["--before", "none"], "before"),
        (["--requires", "none"], "requires"),
        (["--wants", "none"], "wants"),
        (["--path", "none"], "path"),
        (["--assume", "none"], "assume"),
        (["--unset", "A"], "A"),
        (["--unset", "TOKEN"], "secrets"),
        (["--unset", "Nice"], "Nice"),
    ] {
        let told = update(&ran, &["--dry-run"]).args(option).env("TOKEN", "x").run().stdout;
        let of_receipt = told.split("--- ").find(|part| part.contains("_install_args.toml")).unwrap_or_default();
        let lines = changes(of_receipt);
        assert!(lines.iter().any(|line| line.starts_with(&format!("-{key} = "))), "{option:?}: {told}");
        let of_key =
            |line: &&str| line.contains(key) || line.starts_with("-[service.") || **line == *"-" || **line == *"+";
        assert!(lines.iter().all(of_key), "{option:?}: {lines:?}");
    }
    // Of a list, what follows the word counts.
    let told =
        update(&ran, &["--dry-run", "--after", "none", "--after", "a.service", "--after", "z.service"]).run().stdout;
    assert!(changes(&told).contains(&"+after = [\"a.service\", \"z.service\"]"), "{told}");
    let told = update(&ran, &["--dry-run", "--after", "none", "--after", "z.service"]).run().stdout;
    assert!(changes(&told).contains(&"-after = [\"a.service\"]"), "{told}");
    assert!(changes(&told).contains(&"+after = [\"z.service\"]"), "{told}");

    update(&ran, &["--dry-run", "--unset", "TOKNE"])
        .status(2)
        .stdout("")
        .stderr(
            "InstallService: error: option `--unset` `TOKNE`: it has no variable, secret or entry of that name\n  \
             help: did you mean `TOKEN`?\n",
        )
        .run();
    Test::install()
        .args(["--dry-run", "--unset", "A", "--", "/bin/true"])
        .status(2)
        .stderr_contains("option `--unset`: needs `--update`")
        .run();
}

#[test]
fn a_schedule_and_plain_are_taken_back_with_their_lines() {
    let test = Test::install().env("INSTALLSERVICE_WORKING_DIR", "");
    let test = test.args(["--output", "home", "--user", "--working-directory", "/", "--service_name", "uploader"]);
    let ran = test.args(["--schedule", "daily", "--", "/bin/sleep", "1000"]).run();
    let told = update(&ran, &["--dry-run", "--schedule", "none"]).run().stdout;
    assert!(told.lines().any(|line| line.starts_with("--- ") && line.ends_with("/uploader.timer")), "{told}");
    assert!(changes(&told).contains(&"-schedule = \"daily\"") && !told.contains("+schedule"), "{told}");
    // A manifest takes back what its defaults say, and a command line what a manifest says.
    let manifest = "[defaults]\nschedule = 'daily'\nworking_directory = '/'\n[[service]]\nname = 'a'\nschedule = 'none'\n\
                    executable = '/bin/a'\n[[service]]\nname = 'b'\nexecutable = '/bin/b'\n";
    let tree = |options: &[&str]| {
        let test = Test::install().file("m.toml", manifest).args(["--manifest", "m.toml", "--target", "systemd"]);
        let ran = test.args(["--output", "tree"]).args(options).run();
        ["a", "b"].map(|name| ran.folder().join(format!("tree/etc/systemd/system/{name}.timer")).exists())
    };
    assert_eq!(tree(&[]), [false, true]);
    assert_eq!(tree(&["--schedule", "none"]), [false, false]);
    assert_eq!(tree(&["--schedule", "hourly"]), [true, true]);

    let test = Test::install().env("INSTALLSERVICE_WORKING_DIR", "");
    let test = test.args(["--output", "home", "--user", "--plain", "--service_name", "uploader"]);
    // Where a plain one runs its unit says, or systemd: nothing has to.
    let ran = test.args(["--", "/bin/sleep", "1000"]).run();
    let told = update(&ran, &["--dry-run", "--no-plain"]).run().stdout;
    let lines = changes(&told);
    assert!(lines.contains(&"-plain = true") && lines.contains(&"+Restart=always"), "{told}");
}
