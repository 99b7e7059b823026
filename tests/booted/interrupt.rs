//! Ctrl-C and SIGTERM are answered at once, whatever a command waits for, and what it had begun is taken back.
//!
//! No clock tells how soon: each of these waits for something that would take minutes, and has ended long before.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::booted::{Named, named};
use crate::support::{Test, runs, system, wait_for};

/// Long beyond every patience, and told from the others by its fraction.
fn minutes(of: u32) -> String {
    format!("300.{of}")
}

/// A manifest of one service whose start takes [`minutes`] once there is a file `slow` beside it.
fn slow_to_start(service: &Named, of: u32, folder: &Path) -> String {
    let slow = folder.join("slow");
    let before = format!("/bin/sh -c 'test ! -e {} || exec sleep {}'", slow.display(), minutes(of));
    format!(
        "[[service]]\nname = \"{service}\"\nexecutable = \"/bin/sleep\"\narguments = [\"1000\"]\n\
         [service.systemd]\nExecStartPre = '''{before}'''\nTimeoutStartSec = \"infinity\"\n"
    )
}

#[track_caller]
fn until_it_waits(of: u32) {
    wait_for("the slow start", 10, || runs(&format!("sleep {}", minutes(of))).then_some(()));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_install_that_waits_for_a_slow_start_is_taken_back() {
    let service = named("interrupt-install");
    for signal in ["INT", "TERM", "HUP"] {
        let test = Test::install().file("slow", "").status(130);
        let manifest = slow_to_start(&service, 1, test.folder());
        let test = test.file("s.toml", manifest).args(["--start", "--manifest", "s.toml"]);
        let test = test.stderr_contains("interrupted; undoing what was started\n");
        let run = test.stderr_contains("error: interrupted\nthe host is as it was before\n").spawn();
        until_it_waits(1);
        run.signal(signal);
        let ran = run.end_soon();
        assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
        let states = ["LoadState", "ActiveState", "Job"].map(|property| service.property(property));
        assert_eq!(states, ["not-found", "inactive", ""]);
        assert!(!runs(&format!("sleep {}", minutes(1))));
        // The lock is free.
        service.install_again(&ran).probe([]).run();
        service.manage(&ran, "remove").run();
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_update_that_waits_for_a_slow_start_is_taken_back() {
    let service = named("interrupt-update");
    let ran = service.install().arg("--start").probe(["old"]).run();
    let before = service.host(&ran.folder().join("working_dir"));
    let manifest = slow_to_start(&service, 2, ran.folder());
    let test = ran.then_install().file("slow", "").file("s.toml", manifest).args(["--start", "--manifest", "s.toml"]);
    let run = test.status(130).stderr_contains("the host is as it was before\n").spawn();
    until_it_waits(2);
    run.signal("TERM");
    run.end_soon();
    assert_eq!(service.host(&ran.folder().join("working_dir")), before);
    assert_eq!(service.received().argv[1], "old");
}

/// As a terminal does it: Ctrl-C is for everything in the foreground, and nobody types it once.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_second_ctrl_c_does_not_end_the_undo() {
    let service = named("interrupt-twice");
    let slow_stop = "[ $1 = stop ] || exec $real \"$@\"; echo 'it stops' > /dev/tty; sleep 1; exec $real \"$@\"";
    let test = Test::install().file("slow", "").instead_of("systemctl", slow_stop);
    let manifest = slow_to_start(&service, 3, test.folder());
    let test = test.file("s.toml", manifest).args(["--start", "--manifest", "s.toml"]);
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keys.py");
    let typed = ["systemctl start interrupt-twice.service", "^C", "it stops", "^C^C"];
    let test = test.through(&[&["/usr/bin/python3", keys], &typed[..], &["--"]].concat()).status(130);
    let test = test.stdout_contains("interrupted; undoing what was started\n");
    let ran = test.stdout_contains("error: interrupted\nthe host is as it was before\n").spawn().end_soon();
    assert!(!ran.stdout.contains("NOT put back"), "{}", ran.stdout);
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
    assert!(!runs(&format!("sleep {}", minutes(3))));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_starts_or_stops_a_service_leaves_it_as_it_was() {
    let service = named("interrupt-manage");
    let test = Test::install();
    let manifest = slow_to_start(&service, 4, test.folder());
    let ran = test.file("s.toml", manifest).args(["--manifest", "s.toml"]).run();
    let interrupted = |mode: &str, signal: &str, of_it: &str| {
        let run = service.manage(&ran, mode).status(130).stderr_contains(of_it).spawn();
        until_it_waits(4);
        run.signal(signal);
        run.end_soon()
    };
    fs::write(ran.folder().join("slow"), "").unwrap();
    for (mode, signal) in [("start", "INT"), ("start", "TERM"), ("restart", "TERM")] {
        interrupted(mode, signal, "put back: by `systemctl stop interrupt-manage.service`\n");
        assert_eq!(service.property("ActiveState"), "inactive", "{mode}");
        assert!(!runs(&format!("sleep {}", minutes(4))));
    }
    fs::remove_file(ran.folder().join("slow")).unwrap();
    service.manage(&ran, "start").run();
    // It runs no longer; that it will again is all that can be put back.
    fs::write(ran.folder().join("slow"), "").unwrap();
    interrupted("restart", "TERM", "put back: by `systemctl start --no-block interrupt-manage.service`\n");
    assert_eq!(service.property("ActiveState"), "activating");
    system("pkill", &["--full", "--exact", &format!("sleep {}", minutes(4))]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_stop_that_takes_long_is_taken_back() {
    let service = named("interrupt-stop");
    let script = "trap : TERM; while [ ! -e end.$$ ]; do sleep 0.1; done";
    let manifest = format!(
        "[[service]]\nname = \"interrupt-stop\"\nexecutable = \"/bin/sh\"\narguments = [\"-c\", '{script}']\n\
         [service.systemd]\nTimeoutStopSec = \"300\"\n"
    );
    let ran = Test::install().file("s.toml", manifest).args(["--start", "--manifest", "s.toml"]).run();
    let earlier = service.pid();
    let run =
        service.manage(&ran, "stop").status(130).stderr_contains("put back: by `systemctl start --no-block").spawn();
    wait_for("the slow stop", 10, || (service.property("ActiveState") == "deactivating").then_some(()));
    run.signal("TERM");
    run.end_soon();
    fs::write(ran.folder().join(format!("end.{earlier}")), "").unwrap();
    wait_for("its end, and its start", 10, || {
        (service.property("ActiveState") == "active" && service.pid() != earlier).then_some(())
    });
    system("systemctl", &["kill", "--signal=KILL", "interrupt-stop.service"]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_run_that_waits_for_another_one_is_ended() {
    let service = named("interrupt-lock");
    let ran = service.install().probe([]).run();
    let lock = fs::File::open(ran.folder().join("working_dir/.lock")).unwrap();
    lock.lock().unwrap();
    let run = service
        .manage(&ran, "remove")
        .status(130)
        .stderr("ManageService: error: interrupted; nothing was changed\n")
        .spawn();
    std::thread::sleep(Duration::from_millis(500));
    run.signal("TERM");
    run.end_soon();
    assert!(service.unit().exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_log_that_is_followed_is_left() {
    let service = named("interrupt-logs");
    let ran = service.install().arg("--start").script("echo here it is; exec sleep 1000").run();
    let mark = "interrupt-logs.service";
    let run = service.manage(&ran, "logs").arg("--follow").status(130).stdout_contains("here it is").spawn();
    let follows = || Command::new("pgrep").args(["--full", &format!("journalctl.*follow.*{mark}")]).output().unwrap();
    wait_for("journalctl", 10, || follows().status.success().then_some(()));
    std::thread::sleep(Duration::from_millis(500));
    run.signal("TERM");
    run.end_soon();
    assert!(!follows().status.success());
}

/// A signal to the command that was typed reaches the one that sudo runs.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_interrupt_goes_through_sudo() {
    let service = named("interrupt-sudo");
    for through in [vec!["runuser", "-u", "joe", "--"], vec!["setsid", "runuser", "-u", "joe", "--"]] {
        let test = Test::install().file("slow", "");
        fs::create_dir_all(test.folder().join("home")).unwrap();
        let manifest = slow_to_start(&service, 5, test.folder());
        let test = test.file("s.toml", manifest).args(["--start", "--manifest", "s.toml"]);
        system("chown", &["-R", "joe", test.folder().to_str().unwrap()]);
        let test = test.through(&through).stderr_contains("asking sudo for them\n").status(130);
        let run = test.stderr_contains("error: interrupted\nthe host is as it was before\n").spawn();
        until_it_waits(5);
        let typed = system("pgrep", &["--uid", "joe", "--full", "^[^ ]*/InstallService --start --manifest s.toml"]);
        system("runuser", &["-u", "joe", "--", "kill", "-TERM", typed.lines().next().unwrap()]);
        let ran = run.end_soon();
        assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
        assert!(!runs(&format!("sleep {}", minutes(5))));
    }
}

/// What a command leaves behind may have its output for ever; nobody waits for that.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_command_is_over_when_it_has_ended() {
    let service = named("interrupt-left");
    let leaves = format!("[ $1 = enable ] || exec $real \"$@\"; sleep {} & exec $real \"$@\"", minutes(6));
    let run = service.install().instead_of("systemctl", &leaves).probe([]).spawn();
    run.end_soon();
    system("pkill", &["--full", "--exact", &format!("sleep {}", minutes(6))]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_command_that_prints_without_end_does_not_fill_the_memory() {
    let service = named("interrupt-prints");
    let prints =
        "[ $1 = enable ] || exec $real \"$@\"; echo first >&2; yes | head --bytes 2G >&2; echo last >&2; exit 1";
    let test = service.install().instead_of("systemctl", prints).probe([]);
    let test = test.through(&["prlimit", "--as=1000000000"]).status(1).stderr_contains("    first\n    y\n");
    let ran = test.stderr_contains("    last\n").stderr_contains(" bytes ...]\n").run();
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
}
