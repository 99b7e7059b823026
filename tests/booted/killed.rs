//! A service that does not end when it is asked to: whoever stops it is told.

use crate::support::Ran;
use crate::support::booted::{Named, named};

/// A program that ends for nobody, and says something before.
const DEAF: &str = "trap '' TERM; echo still working; while :; do sleep 0.1; done";
/// One that ends at once, and leaves a deaf process behind.
const LEAVES_ONE: &str =
    "(trap '' TERM; while :; do sleep 0.1; done) & trap 'exit 0' TERM; while :; do sleep 0.1; done";

fn started(service: &Named, script: &str, lines: &str) -> Ran {
    let manifest = format!(
        "[[service]]\nname = \"{service}\"\nexecutable = \"/bin/sh\"\narguments = [\"-c\", \"\"\"{script}\"\"\"]\n\
         [service.systemd]\n{lines}\n"
    );
    let test = crate::support::Test::install().file("deaf.toml", manifest);
    test.args(["--manifest", "deaf.toml", "--start"]).run()
}

fn is_told(ran: &Ran, service: &Named) {
    let said = &ran.stderr;
    let note =
        format!("note: `{service}` did not end within 1s when it was asked to, its stop timeout, and was killed: ");
    assert!(said.contains(&note) && said.contains("`sh`"), "{said}");
    assert!(said.contains("still working\n"), "{said}");
    assert!(said.contains("  help: `InstallService` with `--stop-timeout SPAN` gives it more time\n"), "{said}");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_stop_that_had_to_kill_says_so_and_fails() {
    let service = named("killed-stop");
    let ran = started(&service, DEAF, "TimeoutStopSec = 1");
    let stopped = service.manage(&ran, "stop").status(1).stdout("killed-stop: killed, it did not answer\n").run();
    is_told(&stopped, &service);
    // It does not run any more; there is nothing more to be told.
    service.manage(&ran, "stop").stdout("killed-stop: stopped\n").stderr("").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_restart_and_a_removal_say_so_and_succeed() {
    let service = named("killed-restart");
    let ran = started(&service, DEAF, "TimeoutStopSec = 1");
    let restarted = service.manage(&ran, "restart").stdout("killed-restart: restarted, it runs\n").run();
    is_told(&restarted, &service);
    let again = service.manage(&ran, "stop_and_restart").stdout_contains("started: killed-restart\n").run();
    is_told(&again, &service);
    let removed = service.manage(&ran, "remove").stdout("killed-restart: removed\n").run();
    is_told(&removed, &service);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn processes_that_are_left_behind_are_named() {
    let service = named("killed-left");
    let ran = started(&service, LEAVES_ONE, "KillMode = \"mixed\"");
    let stopped = service.manage(&ran, "stop").stdout("killed-left: stopped\n").run();
    let note = "note: `killed-left` left processes behind when it ended, and they were killed: `sh`";
    assert!(stopped.stderr.contains(note), "{}", stopped.stderr);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_ends_by_itself_is_stopped_without_a_word() {
    let service = named("killed-not");
    let ran = started(&service, "exec sleep 1000", "");
    service.manage(&ran, "restart").stdout("killed-not: restarted, it runs\n").stderr("").run();
    service.manage(&ran, "stop").stdout("killed-not: stopped\n").stderr("").run();
}
