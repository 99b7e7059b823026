//! What is started or restarted is never refused for having been started often, and what did not start leaves nothing
//! behind. Five starts within ten seconds are systemd's own limit (`DefaultStartLimitBurst=` of systemd-system.conf(5)).
#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "tests may touch the machine")]

mod support;

use support::booted::{Named, named};
use support::{Ran, system};

/// More often than the limit.
const OFTEN: usize = 7;

/// A service without a restart, for which the unit lifts no limit, that runs.
fn running(service: &Named) -> Ran {
    service.install().args(["--restart", "never", "--start"]).script("echo 0; exec sleep 1000").run()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn good_updates_start_it_every_time() {
    let service = named("often-good");
    let ran = running(&service);
    for number in 1..=OFTEN {
        let update = service.install_again(&ran).args(["--restart", "never", "--start"]);
        update.script(&format!("echo {number}; exec sleep 1000")).stdout_contains("started: often-good\n").run();
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn failing_updates_leave_the_old_version_running_every_time() {
    let service = named("often-bad");
    let ran = running(&service);
    for number in 1..=OFTEN {
        let update = service.install_again(&ran).args(["--restart", "never", "--start"]);
        let failed = update.script(&format!("echo {number}; exit 1")).status(1).run();
        assert!(failed.stderr.contains("the host is as it was before"), "{}", failed.stderr);
        assert_eq!(service.property("ActiveState"), "active");
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn every_verb_that_starts_it_does() {
    let service = named("often-verbs");
    let ran = running(&service);
    for verb in ["restart", "stop_and_restart"] {
        for _ in 0..OFTEN {
            service.manage(&ran, verb).run();
        }
    }
    for _ in 0..OFTEN {
        service.manage(&ran, "stop").run();
        service.manage(&ran, "start").run();
    }
    assert_eq!(service.property("ActiveState"), "active");
}

/// A limit of the user's own, which one start is enough to reach.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn whatever_the_unit_says_of_a_limit() {
    let service = named("often-limit");
    let manifest = "[[service]]\nname = \"often-limit\"\nexecutable = \"/bin/sleep\"\narguments = [\"1000\"]\n\
                    restart = \"never\"\n[service.systemd]\n\"Unit.StartLimitBurst\" = 1\n\
                    \"Unit.StartLimitIntervalSec\" = \"1h\"\n";
    let install = support::Test::install().file("m.toml", manifest).args(["--manifest", "m.toml", "--start"]);
    let ran = install.run();
    for _ in 0..3 {
        service.manage(&ran, "restart").run();
    }
    service.manage(&ran, "stop").run();
    service.manage(&ran, "start").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_first_start_that_fails_leaves_nothing_that_failed() {
    let service = named("often-first");
    for restart in ["never", "always"] {
        let install = service.install().args(["--restart", restart, "--start"]).script("exit 3").status(1);
        install.stderr_contains("the host is as it was before").run();
        let failed = system("systemctl", &["list-units", "--all", "--no-legend", "--plain", "often-first*"]);
        assert_eq!(failed, "", "{restart}");
        assert_eq!(service.property("LoadState"), "not-found");
    }
}
