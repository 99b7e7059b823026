//! Templates of systemd: one unit file, of which instances run, each by its name.

use std::fs;

use crate::support::booted::named;
use crate::support::{Ran, Test, system};

/// Installs the template `name@`, whose instances say which they are.
fn install(name: &str, rest: &str) -> Ran {
    manifest(Test::install(), name, rest).args(["--manifest", "m.toml"]).run()
}

fn manifest(test: Test, name: &str, rest: &str) -> Test {
    let command = "/bin/sh -c 'echo I am $0, not $1; exec sleep 1000' %i %%i";
    let text = format!("[[service]]\nname = '{name}@'\nworking_directory = '/srv'\ncommand = [{command:?}]\n{rest}\n");
    test.file("m.toml", text)
}

fn manage<'a>(ran: &Ran, words: impl IntoIterator<Item = &'a str>) -> Test {
    ran.then_manage().args(words)
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn instances_start_and_stop_by_their_names() {
    let [template, b] = ["tpl-run@", "tpl-run@b"].map(named);
    let ran = install("tpl-run", "");
    assert!(template.unit().exists());
    manage(&ran, ["tpl-run@a", "tpl-run@b", "start"])
        .stdout("tpl-run@a: started, it runs\ntpl-run@b: started, it runs\n")
        .run();
    manage(&ran, ["tpl-run@a", "logs"]).stdout_contains("I am a, not %i").run();
    manage(&ran, ["tpl-run@", "logs"]).stdout_contains("I am b, not %i").run();
    // What runs of it is listed behind it.
    let listed = ran.then_manage().arg("--list").run().stdout;
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    let lines: Vec<&Vec<&str>> = lines.iter().filter(|line| line[0].starts_with("tpl-run@")).collect();
    assert_eq!(lines, [&["tpl-run@", "template"], &["tpl-run@a", "running"], &["tpl-run@b", "running"]], "{listed}");
    let status = manage(&ran, ["tpl-run@", "status"]).run().stdout;
    for line in ["tpl-run@: template", "tpl-run@a: running", "tpl-run@b: running"] {
        assert!(status.lines().any(|known| known == line), "{status}");
    }
    let json = |words: [&str; 2]| -> serde_json::Value {
        let (_, ran) = manage(&ran, words).args(["--format", "json"]).run_to_any_end();
        serde_json::from_str(&ran.stdout).unwrap()
    };
    // All of them write into the one error log of the template, which each of them is told with.
    let services = json(["tpl-run@", "status"])["services"].clone();
    let told: Vec<_> =
        services.as_array().unwrap().iter().map(|of| (of["service"].clone(), of["error_log"].clone())).collect();
    let log = serde_json::json!("/srv/tpl-run@_ERROR_LOG.txt");
    assert_eq!(told, ["tpl-run@", "tpl-run@a", "tpl-run@b"].map(|name| (name.into(), log.clone())));
    assert_eq!(json(["tpl-run@a", "status"])["error_log"], log);
    let pid = b.pid();
    manage(&ran, ["tpl-run@a", "restart"]).stdout("tpl-run@a: restarted, it runs\n").run();
    assert_eq!(b.pid(), pid);
    manage(&ran, ["tpl-run@", "restart"]).stdout_contains("tpl-run@b: restarted, it runs\n").run();
    assert_ne!(b.pid(), pid);
    manage(&ran, ["tpl-run@a", "stop"]).stdout("tpl-run@a: stopped\n").run();
    manage(&ran, ["tpl-run@a", "status"]).status(3).stdout_contains("tpl-run@a: stopped\n").run();
    assert_eq!(b.property("ActiveState"), "active");
    manage(&ran, ["tpl-run@", "stop"]).stdout("tpl-run@b: stopped\n").run();
    manage(&ran, ["tpl-run@", "stop"]).stdout("tpl-run@: stopped\n").run();
    manage(&ran, ["tpl-run@", "status"]).status(3).stdout_contains("tpl-run@: template\n").run();
    // In the same form without any.
    assert_eq!(json(["tpl-run@", "status"])["services"][0]["state"], "template");
    manage(&ran, ["tpl-run@", "remove"]).run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_a_template_cannot_do_is_said_with_what_to_type() {
    let ran = install("tpl-words", "");
    let refused = |words: &[&str], said: &str| {
        manage(&ran, words.iter().copied()).status(2).stdout("").stderr(said).run();
    };
    refused(
        &["tpl-words@", "start"],
        "ManageService: error: service `tpl-words@`: it is a template: only its instances run\n  help: `ManageService \
         tpl-words@INSTANCE start` starts one, with a name of yours for INSTANCE\n",
    );
    refused(
        &["tpl-words@", "restart"],
        "ManageService: error: service `tpl-words@`: no instance of it runs\n  help: `ManageService \
         tpl-words@INSTANCE start` starts one\n",
    );
    refused(
        &["tpl-words@a", "remove"],
        "ManageService: error: service `tpl-words@a`: it is an instance of `tpl-words@`, and what all instances share is \
         that\n  help: write `ManageService tpl-words@ ...`\n",
    );
    refused(
        &["tpl-words@", "enable"],
        "ManageService: error: service `tpl-words@`: it is a template without a default instance: its instances are \
         started at boot, or none\n  help: `ManageService tpl-words@INSTANCE enable`; or say `--property \
         Install.DefaultInstance=INSTANCE`\n",
    );
    manage(&ran, ["tpl-other@a", "start"]).status(4).run();
    manage(&ran, ["tpl-words@", "diff"]).stdout("").run();
    manage(&ran, ["tpl-words@", "remove"]).run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_instance_is_enabled_by_the_links_of_systemd_and_stays_so() {
    let instance = named("tpl-boot@a");
    let ran = install("tpl-boot", "");
    manage(&ran, ["tpl-boot@a", "enable"]).stdout("tpl-boot@a: enabled, it starts at boot\n").run();
    manage(&ran, ["tpl-boot@a", "enable"]).stdout("tpl-boot@a: unchanged\n").run();
    assert_eq!(instance.property("UnitFileState"), "enabled");
    assert!(fs::read_link(instance.boot_link()).unwrap().ends_with("tpl-boot@.service"));
    // That is no drift of the template.
    manage(&ran, ["tpl-boot@", "diff"]).stdout("").run();
    manage(&ran, ["tpl-boot@", "reinstall"]).run();
    assert!(instance.boot_link().is_symlink());
    manage(&ran, ["tpl-boot@a", "disable"]).stdout("tpl-boot@a: disabled, it does not start at boot\n").run();
    assert!(!instance.boot_link().is_symlink());
    manage(&ran, ["tpl-boot@a", "enable"]).run();
    manage(&ran, ["tpl-boot@", "remove"]).run();
    assert!(!instance.boot_link().is_symlink() && !named("tpl-boot@").unit().exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn the_default_instance_is_what_an_install_enables() {
    let instance = named("tpl-default@main");
    let ran = install("tpl-default", "systemd = { 'Install.DefaultInstance' = 'main' }");
    assert_eq!(instance.property("UnitFileState"), "enabled");
    assert!(instance.boot_link().is_symlink());
    manage(&ran, ["tpl-default@", "disable"]).run();
    assert!(!instance.boot_link().is_symlink());
    manage(&ran, ["tpl-default@", "enable"]).run();
    assert!(instance.boot_link().is_symlink());
    manage(&ran, ["tpl-default@", "diff"]).stdout("").run();
    manage(&ran, ["tpl-default@", "remove"]).run();
    assert!(!instance.boot_link().is_symlink());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_removal_stops_what_runs_of_it_and_a_new_version_leaves_it_running() {
    let instance = named("tpl-gone@a");
    let ran = install("tpl-gone", "");
    manage(&ran, ["tpl-gone@a", "start"]).run();
    let pid = instance.pid();
    let again = manifest(ran.then_install(), "tpl-gone", "environment = { A = '1' }").args(["--manifest", "m.toml"]);
    again.stderr_contains("tpl-gone@ restart").run();
    assert_eq!(instance.pid(), pid);
    manage(&ran, ["tpl-gone@", "stop_and_remove"]).stdout_contains("tpl-gone@: removed\n").run();
    assert_eq!(instance.property("ActiveState"), "inactive");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_of_the_whole_name_comes_before_the_template() {
    let instance = named("tpl-own@a");
    let (template, ran) = (named("tpl-own@"), install("tpl-own", ""));
    let own = "[[service]]\nname = 'tpl-own@a'\nexecutable = '/bin/sleep'\narguments = ['2000']\n\
               working_directory = '/srv'\n";
    ran.then_install().file("own.toml", own).args(["--manifest", "own.toml", "--start"]).run();
    let command = fs::read(format!("/proc/{}/cmdline", instance.pid())).unwrap();
    assert!(command.ends_with(b"sleep\x002000\0"), "{}", command.escape_ascii());
    manage(&ran, ["tpl-own@a", "diff"]).stdout("").run();
    manage(&ran, ["tpl-own@a", "stop_and_remove"]).run();
    assert!(!instance.unit().exists() && template.unit().exists());
    manage(&ran, ["tpl-own@", "remove"]).run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_instance_that_dies_leaves_its_name_in_the_error_log() {
    let folder = tempfile::tempdir_in("/srv").unwrap();
    let text = format!(
        "[[service]]\nname = 'tpl-dies@'\ncommand = ['/bin/sh -c \"echo lost; exit 3\"']\nrestart = 'never'\n\
         working_directory = '{}'\n",
        folder.path().display()
    );
    let ran = Test::install().file("m.toml", text).args(["--manifest", "m.toml"]).run();
    let failed = manage(&ran, ["tpl-dies@x", "start"]).status(1).run();
    let log = fs::read_to_string(folder.path().join("tpl-dies@_ERROR_LOG.txt")).unwrap();
    assert!(log.contains(" tpl-dies@x exit-code exited 3\n") && log.contains("lost"), "{log}");
    assert!(failed.stderr.contains("tpl-dies@_ERROR_LOG.txt"), "{}", failed.stderr);
    system("systemctl", &["reset-failed", "tpl-dies@x"]);
    manage(&ran, ["tpl-dies@", "remove"]).run();
}
