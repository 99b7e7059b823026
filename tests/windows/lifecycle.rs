//! A service from its first install to its removal.

use std::fs;

use crate::bed::{install, key, nssm, nssm_does, probe, state, toml_path};
use crate::support::wait_for;

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_service_lives_and_goes() {
    let test = install();
    let program = probe(&test.folder().join("app"));
    let app = program.parent().unwrap().to_owned();
    let program = program.display().to_string();
    let typed = ["--service_name", "life", "--", &program, "one", "50% & \"more\""];
    let ran = test.args(typed).run();
    assert!(ran.stdout.ends_with("installed: life\n"), "{}", ran.stdout);
    assert!(ran.stderr.contains("`ManageService life start` starts it"), "{}", ran.stderr);
    // RunService runs the program, and is given what it needs to know in front.
    let runner = ran.folder().join("working_dir").join("RunService.exe").display().to_string();
    assert_eq!(nssm_does(&["get", "life", "Application"]), runner);
    let own = r#""life" "[TMP]\working_dir\life_output.log" "[TMP]\app\probe.exe""#;
    let manage = |words: &[&str]| ran.then_manage().args(["life"]).args(words);

    // Again: nothing to do, and no call of NSSM that sets anything.
    let again = ran.then_install().args(typed).stdout("unchanged: life\n").run();
    assert!(!again.stderr.contains("nssm"), "{}", again.stderr);
    ran.then_install().arg("--check").args(typed).stdout("").stderr("the host is as it should be\n").run();
    manage(&["diff"]).stdout("").stderr("the host is as it should be\n").run();

    manage(&["status"]).status(3).stdout_contains("life: stopped").run();
    manage(&["start"]).stdout("life: started, it runs\n").run();
    manage(&["start"]).stdout("life: started, it runs\n").run();
    assert_eq!(state("life"), "SERVICE_RUNNING");
    manage(&["status"]).status(0).stdout_contains("life: running").stdout_contains("at boot      starts").run();
    let json = manage(&["status", "--format", "json"]).run();
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let error_log = ran.folder().join("life_ERROR_LOG.txt");
    let expected = serde_json::json!({"version": 1, "service": "life", "causes": [], "target": "nssm", "state": "running",
        "pid": null, "since": null, "restarts": null, "result": null, "exit_status": null, "enabled": true,
        "unit": null, "error_log": error_log, "error_log_exists": false});
    assert_eq!(json, expected);

    // One parameter differs: it alone is set, and said.
    let changed = ["--service_name", "life", "--", &program, "two"];
    let checked = ran.then_install().arg("--check").args(changed).status(10).run();
    let differs = format!("life AppParameters\n-{own} \"one\" \"50\"%\" & \\\"more\\\"\"\n+{own} \"two\"\n");
    assert!(checked.stdout.contains(&differs), "{}", checked.stdout);
    let updated = ran.then_install().args(changed).run();
    assert!(updated.stdout.contains("updated: life\n") && updated.stdout.contains(" \"two\"\n"), "{}", updated.stdout);
    let calls: Vec<&str> = updated.stderr.lines().filter(|line| line.contains("nssm.exe")).collect();
    assert!(matches!(calls[..], [one] if one.contains("set life AppParameters")), "{calls:?}");
    assert!(updated.stderr.contains("`ManageService life restart` switches to the new one"), "{}", updated.stderr);
    let one = crate::bed::Received::in_folder(&app);
    assert_eq!(one.argv[1..], ["one".into(), "50% & \"more\"".into()]);
    manage(&["restart"]).stdout("life: restarted, it runs\n").run();
    assert_eq!(crate::bed::Received::in_folder(&app).argv[1..], ["two".into()]);

    // What somebody else changed is found and mended.
    nssm_does(&["set", "life", "AppRotateBytes", "7"]);
    nssm_does(&["set", "life", "AppNoConsole", "1"]);
    manage(&["diff"]).status(10).stdout("life AppRotateBytes\n-7\n+10485760\nlife AppNoConsole\n-1\n+0\n").run();
    manage(&["reinstall"]).stdout_contains("updated: life").run();
    manage(&["diff"]).status(0).run();

    manage(&["disable"]).stdout("life: disabled, it does not start at boot\n").run();
    manage(&["disable"]).stdout("life: unchanged\n").run();
    assert_eq!(nssm_does(&["get", "life", "Start"]), "SERVICE_DEMAND_START");
    manage(&["diff"]).status(0).run();
    manage(&["reinstall"]).stdout("unchanged: life\n").run();
    manage(&["enable"]).stdout("life: enabled, it starts at boot\n").run();
    assert_eq!(nssm_does(&["get", "life", "Start"]), "SERVICE_AUTO_START");

    // What there is no way to do here says so.
    manage(&["logs", "--since", "yesterday"]).status(2).stderr_contains("NSSM writes no times").run();
    manage(&["logs", "--grep", "x"]).status(2).stderr_contains("findstr").run();
    manage(&["reload"]).status(2).stderr_contains("`ManageService life restart` has it begin anew").run();

    ran.then_manage().arg("--list").stdout("life  running\n").run();
    let shown = manage(&["show"]).run().stdout;
    for part in [
        "life_install_args.toml",
        "executable = ",
        "parameters of NSSM",
        &format!("AppParameters = {own} \"two\""),
        "AppExit Default = Restart",
    ] {
        assert!(shown.contains(part), "`{part}` is not in\n{shown}");
    }

    manage(&["stop"]).stdout("life: stopped\n").run();
    manage(&["stop"]).stdout("life: stopped\n").run();
    assert_eq!(state("life"), "SERVICE_STOPPED");
    // Said once it has settled.
    manage(&["stop_and_restart"]).stdout("unchanged: life\nstarted: life\n").run();
    assert_eq!(state("life"), "SERVICE_RUNNING");
    // From running, too: stopped, and started again.
    crate::bed::Received::in_folder(&app);
    manage(&["stop_and_restart"]).stdout("stopped: life\nunchanged: life\nstarted: life\n").run();
    assert_eq!(state("life"), "SERVICE_RUNNING");
    assert_eq!(crate::bed::Received::in_folder(&app).argv[1..], ["two".into()]);
    // Removed while it runs: stopped first.
    let removed = manage(&["remove", "--remove_nssm"]).stdout("life: removed\n").run();
    assert!(removed.stderr.contains("nssm.exe (InstallService did not put it there)"), "{}", removed.stderr);
    assert!(key("life").is_none());
    assert_eq!(nssm(&["status", "life"]).0, 3);
    let left = |name: &str| ran.folder().join("working_dir").join(name).exists();
    assert!(left("life_install_args.toml") && left("nssm.exe") && !left("life_output.log") && !left("journal"));

    manage(&["status"]).status(4).run();
    ran.then_manage().args(["--list", "--all"]).stdout("life  removed (its receipt is kept)\n").run();
    manage(&["reinstall"]).stdout_contains("installed: life").run();
    manage(&["remove", "--remove_install_args", "--remove-env-vars"]).run();
    assert!(!left("life_install_args.toml"));
    manage(&["status"]).status(4).stderr_contains("there is no service `life`").run();
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn output_is_kept_and_shown() {
    let test = install().file("say.cmd", "@echo off\r\nfor /l %%i in (1,1,60) do echo line %%i\r\n");
    let script = test.folder().join("say.cmd").display().to_string();
    let ran = test
        .args(["--service_name", "talk", "--restart", "never", "--start", "--"])
        .args([r"C:\windows\system32\cmd.exe", "/c", &script])
        .status(1)
        .run();
    // It ended by itself, so it has not come up; its words are shown, and everything is taken back.
    for part in ["starting `talk`: it has stopped", "    line 60", "the host is as it was before"] {
        assert!(ran.stderr.contains(part), "`{part}` is not in\n{}", ran.stderr);
    }
    assert!(key("talk").is_none());
    let ran = ran
        .then_install()
        .args(["--service_name", "talk", "--restart", "never", "--"])
        .args([r"C:\windows\system32\cmd.exe", "/c", &script])
        .run();
    nssm(&["start", "talk"]);
    let log = ran.folder().join("working_dir").join("talk_output.log");
    wait_for("its output", 20, || fs::read_to_string(&log).ok().filter(|text| text.contains("line 60")));
    ran.then_manage().args(["talk", "logs", "-n", "2"]).stdout("line 59\nline 60\n").run();
    assert_eq!(ran.then_manage().args(["talk", "logs"]).run().stdout.lines().count(), 50);
    ran.then_manage().args(["talk", "remove"]).run();
    assert!(!log.exists());
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn nssm_goes_when_nobody_needs_it_and_it_was_ours() {
    // From PATH, copied.
    let test = crate::support::Test::install().env("PATH", r"C:\nssm;C:\windows\system32");
    let program = probe(&test.folder().join("app")).display().to_string();
    let ran = test.args(["--service_name", "last-1", "--", &program]).stderr_contains(r"from `C:\nssm\nssm.exe`").run();
    ran.then_install().args(["--service_name", "last-2", "--", &program]).run();
    let exe = ran.folder().join("working_dir").join("nssm.exe");
    let runner = exe.with_file_name("RunService.exe");
    assert!(runner.exists() && exe.exists() && std::path::Path::new(r"C:\nssm\nssm.exe").exists());
    let first = ran.then_manage().args(["last-1", "remove", "--remove_nssm"]).run();
    for kept in ["nssm.exe (`last-2` needs it)", "RunService.exe (`last-2` needs it)"] {
        assert!(first.stderr.contains(kept), "{}", first.stderr);
    }
    assert!(exe.exists() && runner.exists());
    ran.then_manage().args(["last-2", "start"]).run();
    let second = ran.then_manage().args(["last-2", "stop_and_remove", "--remove-nssm"]).run();
    assert!(second.stderr.contains("removed: ") && !exe.exists() && !runner.exists(), "{}", second.stderr);
    assert!(!exe.with_file_name("nssm_origin.txt").exists() && !exe.with_file_name("RunService_origin.txt").exists());
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn services_of_a_manifest() {
    let test = install();
    let program = toml_path(&probe(&test.folder().join("app")));
    let service =
        |name: &str| format!("[[service]]\nname = '{name}'\nexecutable = {program}\narguments = ['{name}']\n");
    let ran = test
        .file("both.toml", format!("[defaults]\nrestart_sec = 5\n{}{}", service("both-1"), service("both-2")))
        .file("one.toml", service("both-1"))
        .args(["--manifest", "both.toml", "--start"])
        .stdout("installed: both-1\nstarted: both-1\ninstalled: both-2\nstarted: both-2\n")
        .run();
    let manage = |words: &[&str]| ran.then_manage().args(["--manifest", "both.toml"]).args(words);
    manage(&["status"]).stdout_contains("both-1: running").stdout_contains("both-2: running").run();
    manage(&["restart"]).stdout("both-1: restarted, it runs\nboth-2: restarted, it runs\n").run();
    manage(&["stop"]).stdout("both-1: stopped\nboth-2: stopped\n").run();
    manage(&["status"]).status(3).run();
    manage(&["start"]).stdout("both-1: started, it runs\nboth-2: started, it runs\n").run();
    manage(&["logs"]).stdout("both-1\nboth-2\n").run();
    manage(&["diff"]).stdout("").stderr("the host is as it should be\n").run();
    nssm_does(&["set", "both-2", "AppRestartDelay", "1"]);
    let differs = manage(&["diff", "--format", "json"]).status(10).run();
    let differs: serde_json::Value = serde_json::from_str(&differs.stdout).unwrap();
    assert_eq!(differs["same"], false, "{differs}");
    assert!(differs["parameters"].to_string().contains("AppRestartDelay"), "{differs}");
    manage(&["reinstall"]).stdout_contains("unchanged: both-1\nupdated: both-2\n").run();

    let list = ran.then_manage().args(["--list", "--format", "json"]).run();
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    let names: Vec<&str> =
        list["services"].as_array().unwrap().iter().filter_map(|one| one["service"].as_str()).collect();
    assert_eq!(names, ["both-1", "both-2"]);
    assert_eq!(list["services"][0]["state"], "running", "{list}");
    // What it shows of itself installs it again.
    let shown =
        manage(&["show", "--format", "manifest"]).run().stdout.replace("[TMP]", &ran.folder().display().to_string());
    ran.then_install().file("shown.toml", shown).args(["--manifest", "shown.toml", "--check"]).run();

    let pruned = ran.then_install().args(["--manifest", "one.toml", "--prune"]).run();
    assert!(pruned.stdout.contains("removed: both-2"), "{}", pruned.stdout);
    assert!(key("both-2").is_none() && key("both-1").is_some());
    manage(&["start"]).status(4).run();
    ran.then_manage().args(["--manifest", "one.toml", "stop_and_remove"]).stdout("both-1: removed\n").run();
    for mode in ["start", "status", "logs", "restart"] {
        ran.then_manage().args(["both-1", mode]).status(4).run();
    }
    ran.then_manage().args(["both-1", "strat"]).status(2).stderr_contains("did you mean `start`?").run();
}
