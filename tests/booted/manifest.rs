//! Many services of one manifest on a booted systemd: one plan for all of them, `--prune` in it, and
//! ManageService with the same manifest.

use std::fs;

use crate::support;
use crate::support::booted::{Named, named};
use crate::support::{Ran, Test, system};

/// A manifest of services that run the probe, with an argument each.
fn manifest(services: &[(&Named, &str)]) -> String {
    let probe = support::probe::path();
    let block = |(service, word): &(&Named, &str)| {
        format!("[[service]]\nname = \"{service}\"\nexecutable = {probe:?}\narguments = [\"{word}\"]\n")
    };
    "[defaults]\nworking_directory = \"/srv\"\n".to_owned() + &services.iter().map(block).collect::<String>()
}

fn apply(test: Test, services: &[(&Named, &str)], options: &[&str]) -> Test {
    test.file("many.toml", manifest(services)).args(["--manifest", "many.toml"]).args(options)
}

fn manage(ran: &Ran, mode: &str) -> Test {
    ran.then_manage().args(["--manifest", "many.toml", mode])
}

/// How often the service manager was called.
fn calls(ran: &Ran) -> usize {
    ran.stderr.lines().filter(|line| line.starts_with("  systemctl ")).count()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_the_manifest_no_longer_lists_is_removed_in_the_same_plan() {
    let [a, b, c] = ["many-a", "many-b", "many-c"].map(named);
    let ran = apply(Test::install(), &[(&a, "1"), (&b, "1")], &["--start"]).run();
    let other = named("many-other");
    other.install().arg("--start").probe([]).run();

    // Shown first, with nothing changed.
    let before = a.host(&ran.folder().join("working_dir"));
    let shown = apply(ran.then_install(), &[(&b, "1"), (&c, "1")], &["--prune", "--dry-run"]).run();
    for line in [
        "/etc/systemd/system/many-a.service  (removed)\n",
        "    systemctl stop many-a.service\n    systemctl disable --no-reload many-a.service\n    systemctl enable",
    ] {
        assert!(shown.stdout.contains(line), "{}", shown.stdout);
    }
    apply(ran.then_install(), &[(&b, "1"), (&c, "1")], &["--prune", "--check"])
        .status(10)
        .stdout_contains("many-a is not in the manifest\n")
        .run();
    assert_eq!(a.host(&ran.folder().join("working_dir")), before);

    let pid = b.pid();
    let done = apply(ran.then_install(), &[(&b, "1"), (&c, "1")], &["--prune", "--start"])
        .stdout_contains("removed: many-a\n")
        .run();
    assert_eq!(calls(&done), 4, "stop, disable, one enable, start: {}", done.stderr);
    assert!(!a.unit().exists() && !a.boot_link().exists());
    assert_eq!(a.property("LoadState"), "not-found");
    assert_eq!((b.pid(), c.property("ActiveState").as_str()), (pid, "active"));
    assert_eq!(other.property("ActiveState"), "active", "it is kept in another state directory");
    apply(ran.then_install(), &[(&b, "1"), (&c, "1")], &["--prune"]).stdout_contains("unchanged: ").run();
    // As after `remove`, it comes back as it was.
    ran.then_manage().args(["many-a", "reinstall"]).run();
    assert!(a.unit().exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn instances_come_and_go_as_services_of_their_own() {
    let [a, b] = ["instance-a", "instance-b"].map(named);
    let manifest = |instances: &str| {
        let probe = support::probe::path();
        format!(
            "[[service]]\nname = \"instance\"\ninstances = {instances}\nexecutable = {probe:?}\n\
             arguments = [\"{{instance}}\", \"{{{{instance}}}}\"]\nworking_directory = \"/srv\"\n"
        )
    };
    let apply = |test: Test, instances: &str, options: &[&str]| {
        test.file("many.toml", manifest(instances)).args(["--manifest", "many.toml"]).args(options).run()
    };
    let ran = apply(Test::install(), "[\"a\", \"b\"]", &["--start"]);
    for (service, instance) in [(&a, "a"), (&b, "b")] {
        assert_eq!(service.property("ActiveState"), "active");
        let command = fs::read(format!("/proc/{}/cmdline", service.pid())).unwrap();
        assert!(command.ends_with(format!("\0{instance}\0{{instance}}\0").as_bytes()), "{}", command.escape_ascii());
    }
    // Each has a receipt of its own, so that it can be installed again alone.
    ran.then_manage().args(["instance-b", "stop_and_restart"]).run();
    apply(ran.then_install(), "[\"a\", \"b\"]", &["--check"]);
    apply(ran.then_install(), "[\"a\"]", &["--prune"]);
    assert_eq!((a.property("ActiveState").as_str(), b.property("LoadState").as_str()), ("active", "not-found"));
    manage(&ran, "stop_and_remove").run();
    assert!(!a.unit().exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_failure_brings_the_removed_one_back() {
    let [gone, bad] = ["prune-gone", "prune-bad"].map(named);
    let ran = apply(Test::install(), &[(&gone, "1")], &["--start"]).run();
    let before = gone.host(&ran.folder().join("working_dir"));
    let manifest = "[[service]]\nname = \"prune-bad\"\nexecutable = \"/bin/false\"\nworking_directory = \"/srv\"\n";
    let failed = ran.then_install().file("bad.toml", manifest).args(["--manifest", "bad.toml", "--prune", "--start"]);
    failed.status(1).stderr_contains("the host is as it was before").run();
    assert_eq!(gone.host(&ran.folder().join("working_dir")), before);
    assert_eq!(gone.property("ActiveState"), "active");
    assert!(gone.boot_link().exists() && !bad.unit().exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn one_thing_is_done_to_all_of_them() {
    let [a, b] = ["all-a", "all-b"].map(named);
    let ran = apply(Test::install(), &[(&a, "1"), (&b, "1")], &[]).run();
    manage(&ran, "status").status(3).run();
    manage(&ran, "start").stdout("all-a: started, it runs\nall-b: started, it runs\n").run();
    manage(&ran, "status").run();
    let json = manage(&ran, "status").args(["--format", "json"]).run().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["services"][0]["service"], &json["services"][1]["state"]), (&"all-a".into(), &"running".into()));
    let pids = [a.pid(), b.pid()];
    manage(&ran, "restart").stdout("all-a: restarted, it runs\nall-b: restarted, it runs\n").run();
    assert!(a.pid() != pids[0] && b.pid() != pids[1]);
    let logs = manage(&ran, "logs").run().stdout;
    assert!(logs.contains("all-a.service") && logs.contains("all-b.service"), "{logs}");

    manage(&ran, "diff").run();
    fs::write(b.unit(), b.unit_text() + "# edited\n").unwrap();
    manage(&ran, "diff").status(10).stdout_contains("-# edited\n").run();
    let again = manage(&ran, "reinstall").run();
    assert_eq!(calls(&again), 1, "{}", again.stderr);
    manage(&ran, "diff").run();

    manage(&ran, "stop").stdout("all-a: stopped\nall-b: stopped\n").run();
    manage(&ran, "status").status(3).run();
    let removed = manage(&ran, "remove").stdout("all-a: removed\nall-b: removed\n").run();
    assert_eq!(calls(&removed), 2, "disable, reload: {}", removed.stderr);
    manage(&ran, "start").status(4).run();
    manage(&ran, "stop_and_restart").run();
    assert_eq!((a.property("ActiveState"), b.property("ActiveState")), ("active".into(), "active".into()));
    let log = fs::read_to_string(ran.folder().join("working_dir/Services.log")).unwrap();
    assert!(log.contains(" remove all-a all-b: done\n"), "{log}");
    manage(&ran, "stop_and_reinstall").run();
    assert_eq!((a.property("ActiveState"), b.property("ActiveState")), ("inactive".into(), "inactive".into()));

    // What is shown of them installs them again as they are.
    let shown = manage(&ran, "show").args(["--format", "manifest"]).run().stdout;
    let again = ran.then_install().file("shown.toml", &shown).args(["--manifest", "shown.toml"]);
    again.stdout("unchanged: all-a all-b\n").run();
    assert!(manage(&ran, "show").run().stdout.contains("all-b.service\n"));
    manage(&ran, "stop_and_remove").args(["--remove_install_args"]).run();
    manage(&ran, "reinstall").status(4).run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn several_hundred_fit_a_small_limit_of_open_files() {
    let names: Vec<String> = (0..400).map(|number| format!("few-files-{number}")).collect();
    let blocks: String = names
        .iter()
        .map(|name| format!("[[service]]\nname = \"{name}\"\nexecutable = \"/bin/sleep\"\narguments = [\"9\"]\nworking_directory = \"/\"\n"))
        .collect();
    let ran = Test::install()
        .file("many.toml", blocks)
        .args(["--manifest", "many.toml"])
        .through(&["prlimit", "--nofile=64"])
        .run();
    assert_eq!(system("sh", &["-c", "ls /etc/systemd/system | grep -c '^few-files-.*service$'"]), "400\n");
    ran.then_manage()
        .args(["--manifest", "many.toml", "remove", "--remove_install_args"])
        .through(&["prlimit", "--nofile=64"])
        .run();
    assert_eq!(system("sh", &["-c", "ls /etc/systemd/system | grep -c '^few-files-' || true"]), "0\n");
}
