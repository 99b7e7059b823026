//! An install happens whole, or leaves the host as it was: whatever fails, and however it is ended.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::support;
use crate::support::booted::named;
use crate::support::{Running, Test, system, wait_for};

/// A `systemctl` that refuses to enable anything.
const NO_ENABLE: &str = "[ $1 = enable ] || exec $real \"$@\"; echo 'Failed to enable unit: no luck today' >&2; exit 1";
/// One that takes its time to enable a service, and says when it has begun.
const SLOW_ENABLE: &str = "[ $1 = enable ] || exec $real \"$@\"; : > begun; sleep 2; exec $real \"$@\"";

/// Waits until [`SLOW_ENABLE`] has begun.
fn begun(run: &Running) {
    let mark = run.folder().join("begun");
    wait_for("the step to begin", 10, || mark.exists().then_some(()));
    fs::remove_file(mark).unwrap();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_failing_step_of_a_first_install_is_undone() {
    let service = named("undo-first");
    let install = service.install().instead_of("systemctl", NO_ENABLE).args(["--env", "T=1"]).probe(["x"]).status(1);
    let ran = install
        .stderr_contains("error: running `systemctl enable undo-first.service`: it ended with exit status: 1\n")
        .stderr_contains("    Failed to enable unit: no luck today\n")
        .stderr_contains("the host is as it was before\n")
        .run();
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
    assert_eq!(service.property("LoadState"), "not-found");
    let log = fs::read_to_string(ran.folder().join("working_dir/Services.log")).unwrap();
    assert!(log.contains("install undo-first: failed: running `systemctl enable"), "{log}");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_failing_step_of_an_update_is_undone() {
    let service = named("undo-update");
    let ran = service.install().arg("--start").args(["--env", "T"]).env("T", "1").probe(["old"]).run();
    let (state, pid) = (ran.folder().join("working_dir"), service.pid());
    let before = service.host(&state);
    let update = service.install_again(&ran).instead_of("systemctl", NO_ENABLE).args(["--env", "T"]).env("T", "2");
    update.probe(["new"]).status(1).stderr_contains("no luck today").stderr_contains("the host is as it was").run();
    assert_eq!(service.host(&state), before);
    assert_eq!((service.pid(), service.property("NeedDaemonReload")), (pid, "no".into()));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_update_that_does_not_start_leaves_the_old_version_running() {
    let service = named("undo-restart");
    let ran = service.install().arg("--start").script("echo good; exec sleep 1000").run();
    let state = ran.folder().join("working_dir");
    let before = service.host(&state);
    let update = service.install_again(&ran).arg("--start").script("echo bad; exit 1").status(1);
    update.stderr_contains("    ").stderr_contains("bad").stderr_contains("the host is as it was before").run();
    assert_eq!(service.host(&state), before);
    service.manage(&ran, "status").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn no_rollback_keeps_a_version_that_does_not_start() {
    let service = named("undo-kept");
    let ran = service.install().arg("--start").script("echo good; exec sleep 1000").run();
    let update = service.install_again(&ran).args(["--start", "--no-rollback"]).script("echo bad; exit 1").status(1);
    let update = update.stderr_contains("the new version stays\n").run();
    assert!(!update.stderr.contains("as it was before"), "{}", update.stderr);
    assert!(service.unit_text().contains("echo bad"));
    assert!(!ran.folder().join("working_dir/journal").exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_failing_removal_is_undone() {
    let service = named("undo-remove");
    let ran = service.install().arg("--start").probe([]).run();
    let state = ran.folder().join("working_dir");
    let before = service.host(&state);
    let no_reload = "[ $1 = daemon-reload ] && [ ! -e once ] || exec $real \"$@\"; : > once; echo no >&2; exit 1";
    let remove = service.manage(&ran, "remove").instead_of("systemctl", no_reload).status(1);
    remove.stderr_contains("running `systemctl daemon-reload`").stderr_contains("the host is as it was before").run();
    assert_eq!(service.host(&state), before);
    assert_eq!(service.property("ActiveState"), "active");
    service.manage(&ran, "remove").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_full_disk_changes_nothing() {
    let service = named("undo-full");
    let full = "mkdir working_dir; mount -t tmpfs -o size=8k,mode=755 full working_dir; exec \"$@\"";
    let long = "x".repeat(20_000);
    let install = service.install().probe([&long]).through(&["unshare", "--mount", "sh", "-c", full, "sh"]);
    let ran = install.status(1).stderr_contains("no space left on device").stderr_contains("help: make room").run();
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_read_only_unit_directory_changes_nothing() {
    let service = named("undo-readonly");
    let read_only = "mount --bind -o ro /etc/systemd/system /etc/systemd/system; exec \"$@\"";
    let install = service.install().probe([]).through(&["unshare", "--mount", "sh", "-c", read_only, "sh"]);
    let refused = install.status(1).stderr_contains("writing `/etc/systemd/system/undo-readonly.service`: read-only");
    let ran = refused.run();
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn two_runs_do_not_interleave() {
    let services = [named("undo-lock-1"), named("undo-lock-2")];
    let first = services[0].install().instead_of("systemctl", SLOW_ENABLE).probe([]).spawn();
    begun(&first);
    let state = first.folder().join("working_dir");
    let second = services[1].install().args(["--state-dir".as_ref(), state.as_os_str()]).probe([]).spawn();
    std::thread::sleep(Duration::from_millis(500));
    assert!(!services[1].unit().exists(), "it waits for the first one");
    // Its folder is the state directory of both.
    let _first = first.end();
    second.end();
    assert!(services.iter().all(|service| service.boot_link().symlink_metadata().is_ok()));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_interrupt_is_undone() {
    for signal in ["INT", "TERM"] {
        let service = named("undo-interrupt");
        let install = service.install().instead_of("systemctl", SLOW_ENABLE).probe([]).status(130);
        let run =
            install.stderr_contains("error: interrupted\n").stderr_contains("the host is as it was before\n").spawn();
        begun(&run);
        run.signal(signal);
        let ran = run.end();
        assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
        assert_eq!(service.property("LoadState"), "not-found");
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn ctrl_c_that_ends_the_command_of_a_step_is_an_interrupt() {
    let service = named("undo-ctrl-c");
    // As a terminal does it: to everybody in the foreground.
    let killed = "[ $1 = enable ] || exec $real \"$@\"; kill -INT $PPID; sleep 0.1; kill -INT $$; sleep 9";
    let install = service.install().instead_of("systemctl", killed).probe([]).status(130);
    let ran = install.stderr_contains("error: interrupted\n").run();
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_a_killed_install_began_is_taken_back_by_the_next_run() {
    let service = named("undo-killed");
    let install = service.install().instead_of("systemctl", SLOW_ENABLE).probe(["old"]).status(137);
    let run = install.spawn();
    begun(&run);
    assert!(service.unit().exists());
    run.signal("KILL");
    let ran = run.end();
    // The command that it left behind.
    std::thread::sleep(Duration::from_millis(2500));

    let refused = service.install_again(&ran).args(["--working-directory", "/no/such/place"]).probe([]).status(2);
    refused.run();
    let other = named("undo-killed-other");
    let next = other.install_again(&ran).probe([]).stderr_contains("note: an earlier run was interrupted");
    next.stderr_contains("put back: `/etc/systemd/system/undo-killed.service` (it was not there)").run();
    assert!(!service.unit().exists() && service.boot_link().symlink_metadata().is_err());
    assert!(!ran.folder().join("working_dir/journal").exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_a_killed_update_began_is_taken_back_by_the_next_run() {
    let service = named("undo-killed-update");
    let ran = service.install().arg("--start").probe(["old"]).run();
    let state = ran.folder().join("working_dir");
    let before = service.host(&state);
    let update = service.install_again(&ran).instead_of("systemctl", SLOW_ENABLE).probe(["new"]).status(137).spawn();
    begun(&update);
    assert!(service.unit_text().contains("\"new\""));
    update.signal("KILL");
    update.end();
    let restart = service.manage(&ran, "restart").stderr_contains("an earlier run was interrupted");
    restart.run();
    assert_eq!(service.host(&state), before);
    assert_eq!(service.received().argv[1], "old");
    let left: Vec<_> = fs::read_dir("/etc/systemd/system").unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(
        !left.iter().any(|name| name.to_string_lossy().contains(".install-service-undo-killed-update")),
        "{left:?}"
    );
    assert!(!Path::new(&state).join("journal").exists());
}

/// A run that is killed before its record is whole, or after it is gone, leaves no work, but files.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_journal_without_a_record_goes_with_the_next_look() {
    let list = Test::manage().file("working_dir/journal/.install-service-plan.json.E47chO", "{").arg("--list");
    let journal = list.folder().join("working_dir/journal");
    list.run();
    assert!(!journal.exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_undo_that_fails_is_told_once() {
    let service = named("undo-fails");
    let no_luck = "case $1 in enable | daemon-reload) echo no luck >&2; exit 1;; esac; exec $real \"$@\"";
    let install = service.install().instead_of("systemctl", no_luck).probe([]).status(1);
    let ran = install.stderr_contains("NOT put back: run `systemctl daemon-reload`").run();
    assert!(!service.unit().exists());
    let again = service.install_again(&ran).probe([]).run();
    assert!(!again.stderr.contains("an earlier run"), "{}", again.stderr);
}

/// Of a manifest with services that run and services that are new, at two instants.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_interrupt_of_many_services_is_undone() {
    let services = ["undo-many-1", "undo-many-2", "undo-many-3", "undo-many-4"].map(named);
    let manifest = |count: usize, word: &str| {
        let service = |service| {
            let probe = support::probe::path();
            format!("[[service]]\nname = \"{service}\"\nexecutable = {probe:?}\narguments = [\"{word}\"]\n")
        };
        services[..count].iter().map(service).collect::<String>()
    };
    let start = |test: Test, count, word| {
        test.file("services.toml", manifest(count, word)).args(["--manifest", "services.toml", "--start"])
    };
    let ran = start(Test::install(), 2, "old").run();
    let state = ran.folder().join("working_dir");
    let host = || {
        let running = services.each_ref().map(|service| (service.property("ActiveState"), service.pid()));
        (services.each_ref().map(|service| service.host(&state)), running)
    };
    let before = host();
    for (signal, verb) in [("INT", "enable"), ("TERM", "enable"), ("INT", "start"), ("TERM", "start")] {
        let slow = SLOW_ENABLE.replace("enable", verb);
        let update = start(ran.then_install(), 4, "new").instead_of("systemctl", &slow).status(130);
        let run =
            update.stderr_contains("error: interrupted\n").stderr_contains("the host is as it was before\n").spawn();
        begun(&run);
        run.signal(signal);
        run.end();
        assert_eq!(host(), before, "{signal} {verb}");
    }
}

/// What cannot be put back is told with a command for each, which a person can type as it stands.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_is_left_is_mended_by_the_commands_that_are_told() {
    let service = named("by-hand");
    let ran = service.install().probe(["old"]).run();
    let state = ran.folder().join("working_dir");
    let before = service.host(&state);
    for by_hand in [true, false] {
        // The units become read-only in the middle of it, for this run alone.
        let own = "mount --bind /etc/systemd/system /etc/systemd/system; exec \"$@\"";
        let closed = "[ $1 = enable ] || exec $real \"$@\"
            mount -o remount,bind,ro /etc/systemd/system; echo no luck today >&2; exit 1";
        let update = service.install_again(&ran).instead_of("systemctl", closed).probe(["new"]).status(1);
        let update = update.through(&["unshare", "--mount", "sh", "-c", own, "sh"]);
        let told = update.stderr_contains("NOT put back: `/etc/systemd/system/by-hand.service`; ").run().stderr;
        assert!(!told.contains("the host is as it was before"), "{told}");
        assert!(service.unit_text().contains("\"new\""));
        if by_hand {
            let command = told.split("or by hand: `").nth(1).expect("a command").split("` (").next().expect("its end");
            let command = command.replace("[TMP]", ran.folder().to_str().expect("plain text"));
            system("sh", &["-c", &command]);
            system("systemctl", &["daemon-reload"]);
            assert!(service.unit_text().contains("\"old\""), "{command}");
        }
        let next = ran.then_manage().arg("--list").run();
        assert!(next.stderr.contains("an earlier run was interrupted"), "{}", next.stderr);
        assert_eq!(service.host(&state), before, "{told}{}", next.stderr);
    }
}
