//! ManageService as far as it goes without a running systemd; tests/booted goes all the way.

use std::fs;

use serde_json::{Value, json};

use crate::support;
use crate::support::{Ran, Test};

#[track_caller]
fn refused<const N: usize>(arguments: [&str; N], said: &str) {
    Test::manage().args(arguments).status(2).stdout("").stderr(said).run();
}

/// The services of a user, lying where an install puts them.
fn installed() -> Ran {
    let ran = Test::install()
        .env("INSTALLSERVICE_WORKING_DIR", "")
        .args([
            "--output",
            "home",
            "--user",
            "--working-directory",
            "/srv",
            "--service_name",
            "uploader",
            "--env",
            "A=1",
        ])
        .args(["--env", "B=2", "--", "/bin/true", "a b"])
        .run();
    for of_the_tree in ["MANIFEST.toml", "MANIFEST.sha256"] {
        fs::remove_file(ran.folder().join("home").join(of_the_tree)).unwrap();
    }
    ran
}

fn manage(ran: &Ran) -> Test {
    // Whoever runs the tests may have a service manager of their own, or not.
    ran.then_manage().env("INSTALLSERVICE_WORKING_DIR", "").env("XDG_RUNTIME_DIR", "/nonexistent")
}

const UNIT: &str = "home/.config/systemd/user/uploader.service";
const RECEIPT: &str = "home/.local/state/install-service/uploader_install_args.toml";

#[test]
fn a_mode_and_names_stand_in_any_order() {
    let ran = installed();
    let said = |words: &[&str]| manage(&ran).args(words).run().stdout;
    assert!(said(&["uploader", "show"]).contains("uploader.service\n"));
    assert_eq!(said(&["show", "uploader"]), said(&["uploader", "show"]));
    let ran = installed_two();
    let both = manage(&ran).args(["--manifest", "two.toml", "show"]).run().stdout;
    for words in [["show", "one", "false"], ["one", "false", "show"], ["one", "show", "false"]] {
        manage(&ran).args(words).stdout(&both).run();
    }
    // One that is named twice is one.
    let one = manage(&ran).args(["one", "show"]).run().stdout;
    manage(&ran).args(["show", "one", "one"]).stdout(one).run();
}

#[test]
fn a_service_that_is_called_like_a_mode() {
    let services = |names: &[&str]| {
        let services = names.iter().map(|name| format!("[[service]]\nname = \"{name}\"\nexecutable = \"/bin/true\"\n"));
        let defaults = "[defaults]\nuser = true\nworking_directory = \"/srv\"\n".to_owned();
        let test = Test::install().file("some.toml", defaults + &services.collect::<String>());
        test.env("INSTALLSERVICE_WORKING_DIR", "").args(["--output", "home", "--manifest", "some.toml"]).run()
    };
    let ran = services(&["diff"]);
    for words in [["diff", "show"], ["show", "diff"]] {
        manage(&ran).args(words).stdout_contains("diff.service\n").stderr("").run();
    }
    manage(&ran).args(["diff"]).status(2).stderr_contains("mode: no mode was given").run();
    // Both make sense: the documented order counts, and that is said.
    let ran = services(&["diff", "show"]);
    let note = "note: `show` is taken for the mode, and `diff` for the service: the mode stands last\n";
    manage(&ran).args(["diff", "show"]).stdout_contains("diff.service\n").stderr(note).run();
}

#[test]
fn a_mode_without_a_name() {
    refused(
        ["start"],
        "ManageService: error: service name: none was given
  help: `ManageService NAME start`; `ManageService --list` shows the names
",
    );
    refused(
        ["start", "stop"],
        "ManageService: error: mode `start`: a command line has one mode, and there is no service of that name\n",
    );
}

#[test]
fn a_new_name_belongs_to_rename() {
    let ran = installed();
    for words in [&["uploader", "rename"][..], &["rename", "uploader", "a", "b"]] {
        let said = "ManageService: error: mode `rename`: needs one service, and its new name\n  \
                    help: `ManageService NAME rename NEW`\n";
        manage(&ran).args(words).status(2).stdout("").stderr(said).run();
    }
}

#[test]
fn every_fault_at_once() {
    refused(
        ["a b", "strat", "--bogus", "--format", "yaml", "-n", "many"],
        "ManageService: error: option `--bogus`: there is no such option
  help: `-h` lists the options
ManageService: error: option `--lines` `many`: must be a whole number
ManageService: error: option `--format` `yaml`: must be one of `text`, `json`, `manifest`
ManageService: error: service name `a b`: contains ` `; a service name must consist of letters, digits, `_`, `.` and `-`; did you mean `a_b`?
ManageService: error: mode `strat`: there is no such mode
  help: did you mean `start`?
ManageService: 5 errors; nothing was changed
",
    );
}

#[test]
fn the_doctor_looks_at_all_services_where_none_is_named() {
    let doctor = || Test::manage().args(["doctor", "--user"]);
    doctor().stdout("").stderr("no services yet; `InstallService -h` shows how to install one\n").run();
    let none = doctor().args(["--format", "json"]).stderr("").run();
    assert_eq!(serde_json::from_str::<Value>(&none.stdout).unwrap(), json!({"version": 1, "host": [], "services": []}));
    refused(
        ["doctor", "--format", "manifest"],
        "ManageService: error: option `--format` `manifest`: only `show` prints a manifest\n",
    );
    // A service may have that name.
    refused(
        ["doctor", "status"],
        "ManageService: error: mode `doctor`: a command line has one mode, and there is no service of that name\n",
    );
    refused(["--list", "doctor"], "ManageService: error: argument `doctor`: `--list` lists every service\n");
}

#[test]
fn modes() {
    let modes = "the modes are `start`, `status`, `stop`, `restart`, `reload`, `enable`, `disable`, `rename`, `release`, `remove`, `reinstall`, `stop_and_remove`, \
                 `stop_and_reinstall`, `stop_and_restart`, `logs`, `show`, `diff`, `doctor`";
    let ran = installed();
    let refused_there =
        |words: &[&str], said: &str| drop(manage(&ran).args(words).status(2).stdout("").stderr(said).run());
    refused_there(&["uploader"], &format!("ManageService: error: mode: no mode was given\n  help: {modes}\n"));
    for words in [["uploader", "x"], ["x", "uploader"]] {
        refused_there(&words, &format!("ManageService: error: mode `x`: there is no such mode\n  help: {modes}\n"));
    }
    for words in [["uploader", "strat"], ["strat", "uploader"]] {
        refused_there(
            &words,
            "ManageService: error: mode `strat`: there is no such mode\n  help: did you mean `start`?\n",
        );
    }
    refused(["web", "logs", "-n"], "ManageService: error: option `-n`: needs a value\n");
    refused(["--list", "web"], "ManageService: error: argument `web`: `--list` lists every service\n");
    // Both spellings, as for options; and all of them are known.
    for mode in modes.split('`').skip(1).step_by(2) {
        for spelling in [mode.to_owned(), mode.replace('_', "-")] {
            let new_name = (mode == "rename").then_some("new-name");
            Test::manage().args(["no-such-service", &spelling]).args(new_name).status(4).run();
        }
    }
}

/// Two services of a user, and the manifest that they are from.
fn installed_two() -> Ran {
    let manifest = "[defaults]\nuser = true\nworking_directory = \"/srv\"\n\
                    [[service]]\nname = \"one\"\nexecutable = \"/bin/true\"\n\
                    [[service]]\nexecutable = \"/bin/false\"\narguments = [\"a b\"]\n";
    Test::install()
        .file("two.toml", manifest)
        .env("INSTALLSERVICE_WORKING_DIR", "")
        .args(["--output", "home", "--manifest", "two.toml"])
        .run()
}

#[test]
fn a_manifest_comes_back() {
    let ran = installed();
    let receipt = fs::read_to_string(ran.folder().join(RECEIPT)).unwrap();
    manage(&ran).args(["uploader", "show", "--format", "manifest"]).stdout(&receipt).stderr("").run();
    refused(
        ["uploader", "status", "--format", "manifest"],
        "ManageService: error: option `--format` `manifest`: only `show` prints a manifest\n",
    );
    let ran = installed_two();
    let shown = manage(&ran).args(["--manifest", "two.toml", "show", "--format", "manifest"]).stderr("").run();
    fs::write(ran.folder().join("shown.toml"), &shown.stdout).unwrap();
    // It is the manifest of the same files.
    ran.then_install().args(["--output", "again", "--manifest", "shown.toml"]).run();
    support::same_tree(&ran.folder().join("home"), &ran.folder().join("again"));
}

#[test]
fn a_manifest_names_the_services() {
    let ran = installed_two();
    let shown = manage(&ran).args(["--manifest", "two.toml", "show"]).stderr("").run().stdout;
    for part in ["one_install_args.toml\n", "one.service\n", "false_install_args.toml\n", "false.service\n"] {
        assert!(shown.contains(part), "{shown}");
    }
    let differs = manage(&ran).args(["--manifest", "two.toml", "diff", "--format", "json"]).status(10).run();
    let document: Value = serde_json::from_str(&differs.stdout).unwrap();
    assert_eq!(document["not_enabled"], json!(["one", "false"]));
    let say = |args: &[&str]| manage(&ran).args(args).stdout("");
    say(&["--manifest", "two.toml", "one", "show"])
        .status(2)
        .stderr("ManageService: error: argument `one`: a manifest names the services itself\n")
        .run();
    say(&["--list", "--manifest", "two.toml"])
        .status(2)
        .stderr("ManageService: error: option `--manifest` `two.toml`: `--list` lists every service\n")
        .run();
    say(&["--manifest", "more.toml", "show"])
        .file("more.toml", "[[service]]\nname = \"one\"\n[[service]]\nname = \"onne\"\n[[service]]\nname = \"a b\"\n")
        .status(2)
        .stderr_contains("service name `a b`")
        .run();
    say(&["--manifest", "more.toml", "show"])
        .file("more.toml", "[[service]]\nname = \"one\"\n[[service]]\nname = \"onne\"\n")
        .status(4)
        .stderr("ManageService: error: there is no service `onne`\n  help: did you mean `one`?\n")
        .run();
}

#[test]
fn flags_have_both_spellings() {
    for flag in ["--remove_env_vars", "--remove_install_args", "--remove_nssm", "--state-dir", "--user", "--yes"] {
        for spelling in [flag.to_owned(), flag.replace('_', "-"), flag.replacen("e-d", "e_d", 1)] {
            let value = (flag == "--state-dir").then_some("state");
            Test::manage().args(["no-such-service", "remove", &spelling]).args(value).status(4).run();
        }
    }
}

#[test]
fn an_unknown_service() {
    Test::manage()
        .args(["web", "start"])
        .status(4)
        .stdout("")
        .stderr(
            "ManageService: error: there is no service `web`\n  \
             help: `ManageService --list` shows the services that InstallService knows\n",
        )
        .run();
    manage(&installed())
        .args(["uplaoder", "status"])
        .status(4)
        .stdout("")
        .stderr("ManageService: error: there is no service `uplaoder`\n  help: did you mean `uploader`?\n")
        .run();
}

#[test]
fn an_unknown_service_is_told_before_modes_are_explained() {
    let ran = installed();
    for words in [&["uplaoder"][..], &["uplaoder", "strat"]] {
        manage(&ran)
            .args(words)
            .status(4)
            .stdout("")
            .stderr("ManageService: error: there is no service `uplaoder`\n  help: did you mean `uploader`?\n")
            .run();
    }
}

#[test]
fn an_empty_list() {
    let test = || Test::manage().args(["--list", "--user"]);
    test().stdout("").stderr("no services yet; `InstallService -h` shows how to install one\n").run();
    test().args(["--format", "json"]).stdout("{\n  \"version\": 1,\n  \"services\": []\n}\n").stderr("").run();
}

#[test]
fn a_list() {
    let ran = installed();
    let list = || manage(&ran).args(["--list", "--user", "--state-dir", "home/.local/state/install-service"]);
    let text = list().run().stdout;
    assert!(text.starts_with("uploader  ") && text.ends_with("  (user)\n") && text.lines().count() == 1, "{text}");
    let listed = list().args(["--format", "json"]).run().stdout;
    let document: Value = serde_json::from_str(&listed).unwrap();
    let service = &document["services"][0];
    assert_eq!((&service["service"], &service["target"]), (&json!("uploader"), &json!("systemd")));
    assert_eq!((&service["user"], &service["installed"]), (&json!(true), &json!(true)));
    fs::remove_file(ran.folder().join(UNIT)).unwrap();
    // What was removed is history.
    let nothing = "no services are installed; `ManageService --list --all` shows those that were removed\n";
    list().stdout("").stderr(nothing).run();
    list().arg("--all").stdout("uploader  removed (its receipt is kept)  (user)\n").stderr("").run();
    let json = |test: Test| -> Value { serde_json::from_str(&test.args(["--format", "json"]).run().stdout).unwrap() };
    assert_eq!(json(list())["services"], json!([]));
    assert_eq!(json(list().arg("--all"))["services"][0]["installed"], json!(false));
    refused(
        ["uploader", "status", "--all"],
        "ManageService: error: option `--all`: must stand with `--list`\n  help: `ManageService --list --all`\n",
    );
}

#[test]
fn show() {
    let ran = installed();
    let shown = manage(&ran).args(["uploader", "show", "--user"]).stderr("").run();
    for path in [RECEIPT, UNIT] {
        let contents = fs::read_to_string(ran.folder().join(path)).unwrap();
        let indented: String = contents.lines().map(|line| format!("    {line}\n")).collect();
        assert!(shown.stdout.contains(&format!("[TMP]/{path}\n{indented}")), "{}", shown.stdout);
    }
}

#[test]
fn diff() {
    let ran = installed();
    let diff = || manage(&ran).args(["uploader", "diff", "--user"]).status(10);
    // As it was installed, but for the link that starts it at boot.
    diff().stdout("uploader does not start at boot\n").stderr("").run();
    let link = ran.folder().join("home/.config/systemd/user/default.target.wants/uploader.service");
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("../uploader.service", link).unwrap();
    diff().status(0).stdout("").stderr("the host is as it should be\n").run();
    // The administrator's hand.
    let unit = ran.folder().join(UNIT);
    let changed = fs::read_to_string(&unit).unwrap().replace("RestartSec=10", "RestartSec=1");
    fs::write(&unit, changed).unwrap();
    let drop_in = ran.folder().join(format!("{UNIT}.d/override.conf"));
    fs::create_dir_all(drop_in.parent().unwrap()).unwrap();
    fs::write(drop_in, "[Service]\nNice=5\n").unwrap();
    diff()
        .stdout_contains(format!("--- [TMP]/{UNIT}\n+++ [TMP]/{UNIT}\n"))
        .stdout_contains("\n-RestartSec=1\n+RestartSec=10\n")
        .stdout_contains(format!("overridden by [TMP]/{UNIT}.d/override.conf\n"))
        .run();
    let document: Value = serde_json::from_str(&diff().args(["--format", "json"]).run().stdout).unwrap();
    assert_eq!((&document["version"], &document["same"]), (&json!(1), &json!(false)));
    assert_eq!(document["files"][0]["state"], "changed");
    assert!(document["files"][0]["diff"].as_str().unwrap().contains("-RestartSec=1\n"));
}

#[test]
fn a_removed_service_says_how_it_comes_back() {
    let ran = installed();
    fs::remove_file(ran.folder().join(UNIT)).unwrap();
    manage(&ran)
        .args(["uploader", "start", "--user"])
        .status(4)
        .stdout("")
        .stderr_contains("note: `uploader` was removed; `ManageService uploader reinstall` brings it back as it was\n")
        .run();
}

#[test]
fn a_receipt_that_cannot_be_read() {
    let ran = installed();
    fs::write(ran.folder().join(RECEIPT), "[[service]]\nname = 1\n").unwrap();
    manage(&ran)
        .args(["uploader", "diff", "--user"])
        .status(2)
        .stdout("")
        .stderr_contains(format!(
            "ManageService: error: receipt `[TMP]/{RECEIPT}`, line 2, key `name`: invalid type: integer `1`, expected a string\n"
        ))
        .run();
}
