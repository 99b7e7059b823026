//! What goes wrong: it is said, and the host is as it was.

use std::fs;
use std::process::Command;

use crate::bed::{NSSM, install, key, nssm, nssm_does, probe, registry, run, state};
use crate::support::Test;

/// A service of NSSM that is not ours.
fn of_somebody(name: &str, display_name: Option<&str>) -> Vec<String> {
    nssm_does(&["install", name, r"C:\windows\system32\notepad.exe"]);
    nssm_does(&["set", name, "Start", "SERVICE_DEMAND_START"]);
    if let Some(display_name) = display_name {
        nssm_does(&["set", name, "DisplayName", display_name]);
    }
    registry(name)
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn services_of_others_stay_as_they_are() {
    let before = of_somebody("theirs", Some("shown-name"));
    let test = install();
    let program = probe(&test.folder().join("app")).display().to_string();
    let refused =
        "refusing to touch `theirs`: a service of NSSM has that name already, and InstallService did not make it";
    let ran = test.args(["--service_name", "theirs", "--", &program]).status(2).stderr_contains(refused).run();
    // A name that only matches a display name, which NSSM itself would answer to.
    assert_eq!(nssm(&["status", "shown-name"]).0, 0);
    let shown = "it is the display name of the service `theirs`, which NSSM would take for it";
    ran.then_install().args(["--service_name", "shown-name", "--", &program]).status(2).stderr_contains(shown).run();
    for mode in ["start", "stop", "remove", "status", "logs"] {
        ran.then_manage().args(["shown-name", mode]).status(4).run();
        ran.then_manage().args(["theirs", mode]).status(4).run();
    }
    assert_eq!(registry("theirs"), before);
    // One that is not NSSM's.
    let spooler = "a service of that name is there already, and NSSM does not run it";
    ran.then_install().args(["--service_name", "Spooler", "--", &program]).status(2).stderr_contains(spooler).run();
    ran.then_install().args(["--check", "--service_name", "Spooler", "--", &program]).status(2).run();
    assert!(!ran.folder().join("working_dir").join("theirs_install_args.toml").exists());
    nssm_does(&["remove", "theirs", "confirm"]);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_failing_step_takes_the_earlier_ones_back() {
    let test = install();
    let program = probe(&test.folder().join("app"));
    let manifest = |parameter: &str, argument: &str| {
        format!(
            "[[service]]\nname = 'undo'\nexecutable = '{}'\narguments = ['{argument}']\n[service.nssm]\n{parameter}\n",
            program.display()
        )
    };
    let test = test.file("bad.toml", manifest("DependOnService = ['NoSuchService']", "new"));
    let ran = test.args(["--manifest", "bad.toml"]).status(1).run();
    for part in ["set undo DependOnService NoSuchService", "the host is as it was before"] {
        assert!(ran.stderr.contains(part), "`{part}` is not in\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("NOT put back"), "{}", ran.stderr);
    assert!(key("undo").is_none());
    let files = || {
        let entries = fs::read_dir(ran.folder().join("working_dir")).unwrap().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(files(), [".commands", ".lock", "RunService.exe", "RunService_origin.txt", "Services.log", "nssm.exe"]);

    // An update that fails leaves the earlier version.
    ran.then_install()
        .file("good.toml", manifest("AppPriority = 'IDLE_PRIORITY_CLASS'", "old"))
        .args(["--manifest", "good.toml"])
        .run();
    let before = registry("undo");
    let names = files();
    let failed = ran.then_install().args(["--manifest", "bad.toml"]).status(1).run();
    assert!(failed.stderr.contains("put back: by"), "{}", failed.stderr);
    assert_eq!(registry("undo"), before);
    assert_eq!(files(), names);
    ran.then_install().args(["--manifest", "good.toml"]).stdout("unchanged: undo\n").run();
    ran.then_manage().args(["undo", "remove"]).run();
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_program_that_is_missing() {
    let test = install();
    let missing = test.folder().join("nowhere.exe").display().to_string();
    let refused = format!(
        "executable `{}`: there is no such file",
        missing.replace(&test.folder().display().to_string(), "[TMP]")
    );
    let ran = test.args(["--service_name", "gone", "--", &missing]).status(2).stderr_contains(refused).run();
    // It goes later: the start says so.
    let program = probe(&ran.folder().join("app"));
    ran.then_install().args(["--service_name", "gone", "--"]).arg(&program).run();
    fs::remove_file(&program).unwrap();
    let failed = ran.then_manage().args(["gone", "start"]).status(1).run();
    for part in [
        "starting `gone`: it keeps ending soon after it starts",
        "    gone cannot start `[TMP]\\app\\probe.exe`: ",
        "its errors are kept in `[TMP]\\gone_ERROR_LOG.txt`",
    ] {
        assert!(failed.stderr.contains(part), "`{part}` is not in\n{}", failed.stderr);
    }
    ran.then_manage().args(["gone", "status"]).status(3).run();
    ran.then_manage().args(["gone", "remove"]).run();
    assert!(key("gone").is_none());
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_program_that_crashes_is_throttled_and_said_to_crash() {
    let test = install().file("crash.cmd", "@echo off\r\necho going down\r\nexit 3\r\n");
    let script = test.folder().join("crash.cmd").display().to_string();
    let cmd = [r"C:\windows\system32\cmd.exe", "/c", &script];
    let ran = test.args(["--service_name", "crash", "--restart-sec", "0", "--"]).args(cmd).run();
    let failed = ran.then_manage().args(["crash", "start"]).status(1).run();
    for part in ["it keeps ending soon after it starts", "    going down", "`ManageService crash logs -n 50`"] {
        assert!(failed.stderr.contains(part), "`{part}` is not in\n{}", failed.stderr);
    }
    ran.then_manage().args(["crash", "status"]).status(3).stdout_contains("crash: restarting").run();
    ran.then_manage().args(["crash", "stop"]).run();
    assert_eq!(state("crash"), "SERVICE_STOPPED");
    ran.then_manage().args(["crash", "remove"]).run();
    // With `--start` it is not installed at all.
    let ran = ran.then_install().args(["--start", "--service_name", "crash", "--"]).args(cmd).status(1).run();
    assert!(
        ran.stderr.contains("the host is as it was before") && !ran.stderr.contains("NOT put back"),
        "{}",
        ran.stderr
    );
    assert!(key("crash").is_none());
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn an_install_that_was_killed_is_taken_back_by_the_next() {
    let test = install();
    let program = probe(&test.folder().join("app"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_InstallService"));
    let state = test.folder().join("working_dir");
    command.args(["--service_name", "killed", "--"]).arg(&program).env("INSTALLSERVICE_WORKING_DIR", &state);
    // `.file` writes when it is built.
    let mut child = command
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    crate::support::wait_for("the registration", 20, || key("killed"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(state.join("journal").exists());
    let ran = test.args(["--service_name", "other", "--"]).arg(&program).run();
    assert!(ran.stderr.contains("an earlier run was interrupted"), "{}", ran.stderr);
    assert!(key("killed").is_none() && key("other").is_some() && !state.join("journal").exists());
    ran.then_manage().args(["other", "remove"]).run();
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn wishes_that_windows_cannot_fulfil() {
    let refused = |words: &[&str], expected: &str| {
        Test::install().args(words).args(["--", r"C:\windows\notepad.exe"]).status(2).stderr_contains(expected).run();
    };
    refused(&["--user"], "option `--user`: Windows has no services of a user's own");
    refused(&["--account", r"LAB\joe"], r"password of `LAB\joe`: Windows needs it, and there is nobody to ask");
    refused(&["--working-directory", "data"], "a path of a Windows service must be absolute");
    refused(&["--working-directory", r"C:\no such"], "`mkdir \"C:\\no such\"` makes it");
    let said = Test::install()
        .args(["--dry-run", "--hardening", "strict", "--after", "x.target", "--account", "Local Service"])
        .args(["--", r"C:\windows\notepad.exe"])
        .run();
    for part in ["hardening exists on systemd only", "`x.target` is a unit of systemd"] {
        assert!(said.stderr.contains(part), "`{part}` is not in\n{}", said.stderr);
    }
    assert!(said.stdout.contains(r#"set notepad ObjectName "NT AUTHORITY\LocalService""#), "{}", said.stdout);
    let secret = Test::install().file("lab.py", "def main(arguments):\n    pass\n");
    let secret = secret.args(["--python", crate::bed::PYTHON, "--env", "PW", "lab:main"]).status(2).run();
    assert!(secret.stderr.contains("help: `set PW=...`, then type the same command again"), "{}", secret.stderr);
}

/// A dry run prints the calls that an install makes.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_dry_run_prints_what_an_install_does() {
    let test = install();
    let program = probe(&test.folder().join("app"));
    let typed = |test: Test| test.args(["--service_name", "dry", "--env", "A=b c", "--"]).arg(&program).arg("x y");
    let ran = typed(test.arg("--dry-run").args(["--format", "json"])).run();
    let plan: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(key("dry").is_none() && !ran.folder().join("working_dir").join(".lock").exists());
    let text = typed(ran.then_install().arg("--dry-run")).run().stdout;
    let done = typed(ran.then_install()).run();
    let lines = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| line.contains("nssm.exe\"") || line.contains("nssm.exe "))
            .map(|line| line.trim().to_owned())
            .collect()
    };
    assert_eq!(lines(&text), lines(&done.stderr));
    assert_eq!(plan["invocations"].as_array().unwrap().len(), lines(&text).len());
    for file in plan["files"].as_array().unwrap() {
        let written =
            fs::read_to_string(file["path"].as_str().unwrap().replace("[TMP]", &ran.folder().display().to_string()));
        assert!(written.is_ok(), "{file}");
    }
    ran.then_manage().args(["dry", "remove"]).run();
    assert!(run(Command::new(NSSM).args(["status", "dry"])).status.code() == Some(3));
}
