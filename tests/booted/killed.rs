//! A service that does not end when it is asked to: whoever stops it is told.

use std::fs;
use std::time::Duration;

use install_service::managers::systemd::{Operation, limit_of};
use install_service::model::spec::Scope;

use crate::support::booted::{Named, folder_of, named};
use crate::support::{Ran, wait_for};

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

/// Python that is asked as by Ctrl-C, and does not end by that.
const DEAF_TO_CTRL_C: [(&str, &str, &str); 3] = [
    ("killed-thread", "and SIGTERM ended it", "threading.Thread(target=lambda: time.sleep(10000)).start()\n"),
    ("killed-continue", "and SIGTERM ended it", ""),
    (
        "killed-both",
        "nor within the same time after SIGTERM, and was killed: `python3`",
        "threading.Thread(target=signal.pthread_sigmask, args=(signal.SIG_BLOCK, [signal.SIGTERM])).start()\n\
         signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n",
    ),
];

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_program_of_python_that_ctrl_c_does_not_end_is_told_of() {
    for (name, end, before) in DEAF_TO_CTRL_C {
        let service = named(name);
        let caught = if name == "killed-thread" { "raise" } else { "continue" };
        let code = format!(
            "import signal, threading, time\n{before}print('still working', flush=True)\nopen('ready', 'w')\n\
             while True:\n    try:\n        time.sleep(10000)\n    except KeyboardInterrupt:\n        {caught}\n"
        );
        let folder = folder_of("root", &format!("/srv/{name}"));
        fs::write(folder.join("deaf.py"), code).unwrap();
        let install = service.install().args(["--working-directory", folder.to_str().unwrap(), "--stop-timeout", "2s"]);
        let ran = install.args(["--start", "--", "/usr/bin/python3", "deaf.py"]).run();
        wait_for("its beginning", 30, || folder.join("ready").exists().then_some(()));
        let said = format!("{name}: killed, it did not answer\n");
        let stopped = service.manage(&ran, "stop").status(1).stdout(said).run().stderr;
        let note = format!("note: `{name}` did not end within 2s when it was asked to, its stop timeout, {end}\n");
        assert!(stopped.contains(&note) && stopped.contains("still working\n"), "{stopped}");
    }
}

/// What has more rights than its account, such as by capabilities of its program, keeps others from looking into it.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_program_of_python_that_nobody_may_look_into_has_its_time_to_clean_up() {
    let service = named("killed-closed");
    let folder = folder_of("ann", "/srv/killed-closed");
    // PR_SET_DUMPABLE of prctl(2), as the kernel does for such a program.
    let code = "import ctypes, time\nctypes.CDLL(None).prctl(4, 0)\n\
                try:\n    open('ready', 'w')\n    time.sleep(10000)\nfinally:\n    time.sleep(1)\n    open('cleaned', 'w')\n";
    fs::write(folder.join("closed.py"), code).unwrap();
    let install = service.install().args(["--account", "ann", "--working-directory", folder.to_str().unwrap()]);
    let ran = install.args(["--start", "--", "/usr/bin/python3", "closed.py"]).run();
    wait_for("its beginning", 30, || folder.join("ready").exists().then_some(()));
    service.manage(&ran, "stop").stdout("killed-closed: stopped\n").stderr("").run();
    assert!(folder.join("cleaned").exists());
}

/// A stop is waited for as long as systemd waits, which may be longer than any other command of it takes.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_stop_may_take_as_long_as_its_unit_says() {
    let service = named("killed-long");
    let ran = service.install().args(["--stop-timeout", "10min"]).probe([]).run();
    let limit =
        |operation: fn(Vec<_>) -> Operation| limit_of(&operation(vec!["killed-long".parse().unwrap()]), Scope::System);
    for stops in [Operation::Stop, Operation::Restart] {
        assert!(limit(stops) > 3 * Duration::from_secs(600));
    }
    assert!(limit(Operation::Start) < Duration::from_secs(600));
    drop(ran);
}
