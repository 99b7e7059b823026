//! What every mode of ManageService does, and what a second install does.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support;
use crate::support::booted::{Named, named};
use crate::support::{Ran, system, wait_for};

fn answer(ran: &Ran) -> serde_json::Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{}", ran.stdout))
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.collect();
    names.sort();
    names
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_is_started_looked_at_and_stopped() {
    let service = named("life-status");
    let ran = service.install().probe([]).stderr_contains("`ManageService life-status start` starts it").run();
    service.manage(&ran, "status").status(3).stdout_contains("life-status: stopped\n").run();

    service.manage(&ran, "start").stdout("life-status: started, it runs\n").run();
    let pid = service.pid();
    let status = service.manage(&ran, "status").stdout_contains("life-status: running\n");
    status.stdout_contains(format!("pid          {pid}\n")).stdout_contains("_ERROR_LOG.txt (none so far)\n").run();

    let status = answer(&service.manage(&ran, "status").args(["--format", "json"]).run());
    for (key, expected) in [
        ("version", json!(1)),
        ("service", json!("life-status")),
        ("state", json!("running")),
        ("pid", json!(pid)),
        ("restarts", json!(0)),
        ("enabled", json!(true)),
        ("error_log_exists", json!(false)),
    ] {
        assert_eq!(status[key], expected, "{key} in {status:#}");
    }
    assert!(status["since"].is_string(), "{status:#}");

    service.manage(&ran, "stop").stdout("life-status: stopped\n").run();
    let status = answer(&service.manage(&ran, "status").args(["--format", "json"]).status(3).run());
    assert_eq!((&status["state"], &status["pid"]), (&json!("stopped"), &json!(null)));
    service.manage(&ran, "stop").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_that_is_not_there_is_told_from_one_that_does_not_run() {
    let service = named("life-nobody");
    let ran = service.install().probe([]).run();
    for mode in ["start", "status", "stop", "restart", "logs", "remove", "reinstall", "show", "diff"] {
        let manage = ran.then_manage().args(["life-nobod", mode]).status(4);
        manage
            .stderr_contains("there is no service `life-nobod`")
            .stderr_contains("help: did you mean `life-nobody`?")
            .run();
    }
    ran.then_manage()
        .args(["no_such_thing_at_all", "status"])
        .status(4)
        .stderr_contains("`ManageService --list`")
        .run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn restart_gives_a_new_process() {
    let service = named("life-restart");
    let ran = service.install().arg("--start").probe([]).stdout_contains("started: life-restart\n").run();
    let first = service.pid();
    service.manage(&ran, "restart").stdout("life-restart: restarted, it runs\n").run();
    assert_ne!(service.pid(), first);
    assert_eq!(service.property("ActiveState"), "active");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn remove_takes_what_the_flags_do_not_keep() {
    let service = named("life-remove");
    let install = service.install().args(["--start", "--env", "LIFE_TOKEN"]).env("LIFE_TOKEN", "s3cret");
    let ran = install.probe([]).run();
    assert_eq!(service.received().variable("LIFE_TOKEN"), Some("s3cret".as_ref()));
    let state = ran.folder().join("working_dir");
    let (receipt, values) = ("life-remove_install_args.toml", "life-remove_env_vars.txt");

    let removed = service.manage(&ran, "remove").stdout("life-remove: removed\n");
    removed.stderr_contains(receipt).stderr_contains(values).run();
    assert_eq!(service.property("LoadState"), "not-found");
    assert!(!service.unit().exists() && service.boot_link().symlink_metadata().is_err());
    assert_eq!(names(&state), [".lock", "Services.log", values, receipt]);

    for mode in ["start", "status", "stop", "remove"] {
        service
            .manage(&ran, mode)
            .status(4)
            .stderr_contains("`ManageService life-remove reinstall` brings it back")
            .run();
    }
    service.manage(&ran, "reinstall").run();
    service.manage(&ran, "start").run();
    assert_eq!(service.received().variable("LIFE_TOKEN"), Some("s3cret".as_ref()), "kept, and not asked for");

    service.manage(&ran, "remove").arg("--remove_install_args").run();
    assert_eq!(names(&state), [".lock", "Services.log", values]);
    fs::remove_file(state.join(values)).unwrap();
    service.manage(&ran, "reinstall").status(4).run();

    let again = service.install_again(&ran).args(["--env", "LIFE_TOKEN"]).env("LIFE_TOKEN", "s3cret").probe([]).run();
    service.manage(&again, "remove").args(["--remove_env_vars", "--remove_install_args"]).run();
    assert_eq!(names(&state), [".lock", "Services.log"]);
    assert!(!fs::read_to_string(state.join("Services.log")).unwrap().contains("s3cret"));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_was_kept_can_be_taken_later() {
    let service = named("life-leftover");
    let ran = service.install().args(["--env", "LIFE_TOKEN"]).env("LIFE_TOKEN", "x").probe([]).run();
    service.manage(&ran, "remove").run();
    service.manage(&ran, "remove").args(["--remove_env_vars", "--remove_install_args"]).run();
    assert_eq!(names(&ran.folder().join("working_dir")), [".lock", "Services.log"]);
    service.manage(&ran, "status").status(4).run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn remove_clears_its_own_failure_only() {
    let (service, other) = (named("life-failed"), named("life-other"));
    fs::write(other.unit(), "[Service]\nExecStart=/bin/false\n").unwrap();
    system("systemctl", &["start", "life-other"]);
    let ran = service.install().args(["--restart", "never"]).script("exit 3").run();
    service.manage(&ran, "start").status(1).run();
    service
        .manage(&ran, "status")
        .status(3)
        .stdout_contains("life-failed: failed\n")
        .stdout_contains("exit-code (3)")
        .run();
    assert_eq!((service.property("ActiveState"), other.property("ActiveState")), ("failed".into(), "failed".into()));

    service.manage(&ran, "remove").run();
    assert_eq!((service.property("LoadState"), other.property("ActiveState")), ("not-found".into(), "failed".into()));
    assert_eq!(service.property("ActiveState"), "inactive");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn reinstall_brings_back_what_was_installed_and_leaves_the_process_alone() {
    let service = named("life-again");
    let ran = service.install().arg("--start").probe(["as installed"]).run();
    let (unit, pid) = (service.unit_text(), service.pid());
    service.manage(&ran, "reinstall").stdout("unchanged: life-again\n").run();

    fs::write(service.unit(), unit.replace("as installed", "as tampered")).unwrap();
    let again = service.manage(&ran, "reinstall").stdout_contains("+ExecStart=").stdout_contains("updated: life-again");
    again.stderr_contains("the earlier version is still running; `ManageService life-again restart`").run();
    assert_eq!((service.unit_text(), service.pid()), (unit, pid));
    assert_eq!(service.property("NeedDaemonReload"), "no");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn the_compound_modes_do_one_after_the_other() {
    let service = named("life-compound");
    let ran = service.install().arg("--start").probe(["compound"]).run();
    let (unit, first) = (service.unit_text(), service.pid());

    service.manage(&ran, "stop_and_restart").run();
    let second = service.pid();
    assert!(second != 0 && second != first);

    fs::write(service.unit(), unit.replace("compound", "tampered")).unwrap();
    service.manage(&ran, "stop_and_reinstall").run();
    assert_eq!((service.property("ActiveState"), service.unit_text()), ("inactive".into(), unit.clone()));

    service.manage(&ran, "start").run();
    service.manage(&ran, "stop_and_remove").run();
    assert_eq!(service.property("LoadState"), "not-found");

    // As the original: what was removed is there again, and runs.
    service.manage(&ran, "stop_and_restart").run();
    assert_eq!((service.property("ActiveState"), service.unit_text()), ("active".into(), unit));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn logs_shows_the_last_lines() {
    let service = named("life-logs");
    let script =
        "until [ -e go ]; do sleep .1; done; for n in 1 2 3 4 5; do echo line $n; done; : > gone; exec sleep 1000";
    let ran = service.install().script(script).run();
    service.manage(&ran, "start").run();
    // After the line with which systemd says that it has started it.
    fs::write(ran.folder().join("go"), "").unwrap();
    wait_for("the last line", 20, || ran.folder().join("gone").exists().then_some(()));
    system("journalctl", &["--sync"]);
    let logs = service.manage(&ran, "logs").args(["-n", "2"]).run();
    let lines: Vec<&str> = logs.stdout.lines().map(|line| line.rsplit(": ").next().unwrap()).collect();
    assert_eq!(lines, ["line 4", "line 5"], "{}", logs.stdout);
    assert!(service.manage(&ran, "logs").run().stdout.contains("line 1"));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn show_tells_what_is_installed_and_how_exposed_it_is() {
    let service = named("life-show");
    let ran = service.install().probe(["an argument"]).run();
    let show = service.manage(&ran, "show").stdout_contains("    arguments = [\"an argument\"]\n");
    let show = show
        .stdout_contains("\"an argument\"\n")
        .stdout_contains("exposure by systemd-analyze security: ")
        .stdout_contains("    with `--hardening baseline`: ")
        .stdout_contains("    with `--hardening strict`: ")
        .run();
    let score = show.stdout.lines().find_map(|line| line.strip_prefix("exposure by systemd-analyze security: "));
    assert!(score.unwrap().ends_with("UNSAFE"), "{score:?}");
    let best = show.stdout.lines().last().unwrap();
    assert!(best.ends_with("OK"), "{best}");
}

/// systemd asks for a reload for every unit then, from 257 on.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_somebody_else_has_enabled_is_no_finding() {
    let service = named("life-beside");
    let ran = service.install().arg("--start").probe([]).run();
    let other = Path::new("/etc/systemd/system/life-enabled.service");
    fs::write(other, "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n").unwrap();
    system("systemctl", &["daemon-reload"]);
    let manager = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"];
    let call = ["EnableUnitFiles", "asbb", "1", "life-enabled.service", "false", "false"];
    system("busctl", &[&["call"], &manager[..], &call].concat());
    let (_, doctor) = service.manage(&ran, "doctor").run_to_any_end();
    assert!(!doctor.stdout.contains("daemon-reload"), "{}", doctor.stdout);
    system("systemctl", &["disable", "--quiet", "life-enabled"]);
    fs::remove_file(other).unwrap();
    service.manage(&ran, "remove").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn diff_tells_a_changed_unit_a_drop_in_and_a_disabled_service() {
    let service = named("drift-life");
    let ran = service.install().probe(["x"]).run();
    let diff = || service.manage(&ran, "diff");
    diff().stdout("").stderr("the host is as it should be\n").run();
    assert_eq!(answer(&diff().args(["--format", "json"]).run())["same"], true);

    let unit = service.unit_text();
    fs::write(service.unit(), unit.replace("RestartSec=10", "RestartSec=1")).unwrap();
    diff().status(10).stdout_contains("-RestartSec=1\n+RestartSec=10\n").run();
    fs::write(service.unit(), &unit).unwrap();

    system("systemctl", &["disable", "drift-life"]);
    diff().status(10).stdout("drift-life does not start at boot\n").run();
    service.manage(&ran, "reinstall").run();
    diff().run();

    let drop_in = service.unit().with_extension("service.d").join("override.conf");
    fs::create_dir_all(drop_in.parent().unwrap()).unwrap();
    fs::write(&drop_in, "[Service]\nNice=5\n").unwrap();
    diff().status(10).stdout(format!("overridden by {}\n [Service]\n+Nice=5\n", drop_in.display())).run();
    assert_eq!(answer(&diff().status(10).args(["--format", "json"]).run())["drop_ins"][0], drop_in.to_str().unwrap());
    service.manage(&ran, "show").stdout_contains("    Nice=5\n").run();
    fs::remove_file(&drop_in).unwrap();

    // One for all whose names begin with `drift-`, and what `systemctl set-property` leaves.
    let shared = Path::new("/run/systemd/system/drift-.service.d/nice.conf");
    fs::create_dir_all(shared.parent().unwrap()).unwrap();
    fs::write(shared, "[Service]\nNice=4\n").unwrap();
    diff().status(10).stdout(format!("overridden by {}\n [Service]\n+Nice=4\n", shared.display())).run();
    fs::remove_dir_all(shared.parent().unwrap()).unwrap();
    system("systemctl", &["set-property", "drift-life.service", "CPUWeight=50"]);
    diff().status(10).stdout_contains("overridden by /etc/systemd/system.control/drift-life.service.d/").run();
    fs::remove_dir_all("/etc/systemd/system.control/drift-life.service.d").unwrap();
    diff().run();
    fs::write(&drop_in, "[Service]\nNice=5\n").unwrap();
    service
        .manage(&ran, "remove")
        .stderr_contains("kept: /etc/systemd/system/drift-life.service.d/override.conf")
        .run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn list_shows_the_services_of_ours() {
    let (running, gone) = (named("life-listed"), named("life-unlisted"));
    let ran = running.install().arg("--start").probe([]).run();
    let ran = gone.install_again(&ran).probe([]).run();
    gone.manage(&ran, "remove").run();

    let installed = ran.then_manage().arg("--list").run().stdout;
    assert!(installed.contains("life-listed") && !installed.contains("life-unlisted"), "{installed}");
    let list = ran.then_manage().args(["--list", "--all"]).run();
    let line = |name: &str| list.stdout.lines().find(|line| line.split(' ').next() == Some(name)).map(str::to_owned);
    assert!(line("life-listed").unwrap().ends_with("  running"), "{}", list.stdout);
    assert!(line("life-unlisted").unwrap().ends_with("  removed (its receipt is kept)"), "{}", list.stdout);
    assert_eq!(line("systemd-journald"), None, "not one of ours");

    let list = answer(&ran.then_manage().args(["--list", "--all", "--format", "json"]).run());
    let entry = |name: &Named| {
        let services = list["services"].as_array().unwrap();
        services.iter().find(|entry| entry["service"] == name.to_string()).unwrap().clone()
    };
    let (running, gone) = (entry(&running), entry(&gone));
    assert_eq!(
        (&running["installed"], &running["user"], &running["state"]),
        (&json!(true), &json!(false), &json!("running"))
    );
    assert_eq!(gone["installed"], false);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn installing_twice_changes_nothing_the_second_time() {
    let service = named("life-twice");
    let ran = service.install().probe(["same"]).run();
    let before = service.host(&ran.folder().join("working_dir"));
    let called = ran.folder().join("called");
    let record = format!("echo \"$1\" >> {}; exec $real \"$@\"", called.display());

    let again = service.install_again(&ran).instead_of("systemctl", &record).probe(["same"]);
    again.stdout("unchanged: life-twice\n").stderr("").run();
    assert_eq!(fs::read_to_string(&called).unwrap_or_default(), "", "files tell enough");
    service.install_again(&ran).arg("--check").probe(["same"]).stderr("the host is as it should be\n").run();
    assert_eq!(service.host(&ran.folder().join("working_dir")), before);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_changed_argument_is_shown_and_applied() {
    let service = named("life-update");
    let ran = service.install().arg("--start").probe(["old"]).run();
    let before = service.host(&ran.folder().join("working_dir"));
    let check = service.install_again(&ran).arg("--check").probe(["new"]).status(10);
    let shown =
        check.stdout_contains("\"new\"\n").stdout_contains("-arguments = [\"old\"]\n+arguments = [\"new\"]\n").run();
    assert_eq!(service.host(&ran.folder().join("working_dir")), before, "--check changes nothing");

    let update = service.install_again(&ran).probe(["new"]).stdout_contains(shown.stdout);
    update.stderr_contains("the earlier version is still running").run();
    assert_eq!(service.received().argv[1], "old");
    service.manage(&ran, "restart").run();
    assert_eq!(service.received().argv[1], "new");

    service.install_again(&ran).arg("--start").probe(["newer"]).stdout_contains("started: life-update\n").run();
    assert_eq!(service.received().argv[1], "newer", "--start takes up the new version");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_manifest_installs_and_starts_several_with_one_reload() {
    let services = [named("life-many-1"), named("life-many-2")];
    let probe = support::probe::path();
    let block = |service: &Named| format!("[[service]]\nname = \"{service}\"\nexecutable = {probe:?}\n");
    let manifest = services.iter().map(block).collect::<String>() + "[defaults]\nrestart = \"never\"\n";
    let install = support::Test::install().file("many.toml", manifest).args(["--manifest", "many.toml", "--start"]);
    let ran = install.stderr_contains("  systemctl enable life-many-1.service life-many-2.service\n").run();
    assert_eq!(ran.stderr.matches("systemctl").count(), 2, "{}", ran.stderr);
    for service in &services {
        wait_for("the probe", 5, || (service.property("ActiveState") == "active").then_some(()));
        assert!(service.unit_text().contains("Restart=no\n"));
    }

    // What is said of one is not said of the other.
    let path = ran.folder().join("many.toml");
    let manifest = fs::read_to_string(&path).unwrap();
    fs::write(&path, manifest.replacen("executable", "restart_sec = 7\nrestart = \"always\"\nexecutable", 1)).unwrap();
    let again = ran.then_install().args(["--manifest", "many.toml"]);
    let again = again.stdout_contains("updated: life-many-1 (").stdout_contains("unchanged: life-many-2\n").run();
    assert_eq!(again.stderr.matches("the earlier version is still running").count(), 1, "{}", again.stderr);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn reload_has_a_service_read_its_configuration_again() {
    let service = named("life-reload");
    let manifest = |lines: &str| {
        format!(
            "[[service]]\nname = \"life-reload\"\nexecutable = \"/bin/sh\"\n\
             arguments = [\"-c\", \"trap ': > read' HUP; : > ready; while :; do sleep 0.1; done\"]\n{lines}"
        )
    };
    let install =
        crate::support::Test::install().file("s.toml", manifest("")).args(["--manifest", "s.toml", "--start"]);
    let ran = install.run();
    service
        .manage(&ran, "reload")
        .status(2)
        .stdout("")
        .stderr(
            "ManageService: error: service `life-reload`: its unit has no `ExecReload`\n  \
             help: `ManageService life-reload restart` has it begin anew\n",
        )
        .run();
    let lines = "[service.systemd]\nExecReload = \"/bin/kill -HUP $MAINPID\"\n";
    fs::remove_file(ran.folder().join("ready")).unwrap();
    ran.then_install().file("s.toml", manifest(lines)).args(["--manifest", "s.toml", "--start"]).run();
    wait_for("the program", 20, || ran.folder().join("ready").exists().then_some(()));
    let pid = service.pid();
    service.manage(&ran, "reload").stdout("life-reload: reloaded\n").run();
    wait_for("the program to read", 20, || ran.folder().join("read").exists().then_some(()));
    assert_eq!(service.pid(), pid);
    service.manage(&ran, "stop").run();
    service.manage(&ran, "reload").status(1).stderr_contains("life-reload.service").run();
}
