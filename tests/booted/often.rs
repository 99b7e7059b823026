//! What is started or restarted is never refused for having been started often, and what did not start leaves nothing
//! behind. Five starts are systemd's own limit (`DefaultStartLimitBurst=` of systemd-system.conf(5)), here within an
//! hour in the place of ten seconds.

use crate::support::booted::{Named, named};
use crate::support::{Ran, Test, system};

/// More often than the limit.
const OFTEN: usize = 7;

/// A Python program that is not started again when it ends. Its arguments stand in a script, so an update that changes
/// them leaves the unit as it is, and systemd has no reason to read it again, which would clear its count.
fn start(test: Test, service: &Named, argument: &str) -> Test {
    let program = "import time\ndef main(arguments):\n    assert arguments[0] != 'bad'\n    time.sleep(1000)\n";
    let manifest = format!(
        "[[service]]\nname = \"{service}\"\npython = \"program:main\"\narguments = [\"{argument}\"]\n\
         interpreter = \"/usr/bin/python3\"\nrestart = \"never\"\n\
         [service.systemd]\n\"Unit.StartLimitIntervalSec\" = \"1h\"\n"
    );
    test.file("program.py", program).file("often.toml", manifest).args(["--manifest", "often.toml", "--start"])
}

fn running(service: &Named) -> Ran {
    start(Test::install(), service, "0").run()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn good_updates_start_it_every_time() {
    let service = named("often-good");
    let ran = running(&service);
    for number in 1..=OFTEN {
        start(ran.then_install(), &service, &number.to_string()).stdout_contains("started: often-good\n").run();
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn failing_updates_leave_the_old_version_running_every_time() {
    let service = named("often-bad");
    let ran = running(&service);
    for _ in 0..OFTEN {
        let failed = start(ran.then_install(), &service, "bad").status(1).run();
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
