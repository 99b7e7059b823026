//! What was done is done, also where the disk is full that was to take the report.

use std::fs::File;

use crate::support::Test;
use crate::support::booted::named;

fn full_disk() -> File {
    File::options().write(true).open("/dev/full").expect("/dev/full")
}

#[track_caller]
fn done_and_not_told(test: Test) {
    let test = test.stdout_to(full_disk()).status(1);
    test.stderr_contains("error: writing to standard output: no space left on device\nwhat was asked for is done\n")
        .run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_change_stays_that_could_not_be_told() {
    let service = named("full-change");
    let ran = service.install().args(["--dry-run"]).probe([]).run();
    done_and_not_told(service.install_again(&ran).probe(["one"]));
    assert_eq!((service.boot_link().exists(), service.property("ActiveState").as_str()), (true, "inactive"));
    // Also what an update is about to change is told on standard output.
    done_and_not_told(service.install_again(&ran).arg("--start").probe(["two"]));
    assert_eq!(service.received().argv[1], "two");
    for (mode, state) in
        [("restart", "active"), ("stop", "inactive"), ("start", "active"), ("stop_and_restart", "active")]
    {
        done_and_not_told(service.manage(&ran, mode));
        assert_eq!(service.property("ActiveState"), state, "{mode}");
    }
    done_and_not_told(service.manage(&ran, "remove"));
    assert!(!service.unit().exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_is_only_told_is_a_failure() {
    let service = named("full-told");
    let ran = service.install().probe([]).run();
    let failed = "ManageService: error: writing to standard output: no space left on device\n";
    for words in [&["status"][..], &["status", "--format", "json"], &["show"]] {
        let test = ran.then_manage().arg(service.to_string()).args(words).stdout_to(full_disk()).status(1);
        test.stderr(failed).run();
    }
    for words in [&["--list"][..], &["--list", "--format", "json"]] {
        ran.then_manage().args(words).stdout_to(full_disk()).status(1).stderr(failed).run();
    }
    let again = service.install_again(&ran).probe([]).stdout_to(full_disk()).status(1);
    again.stderr(failed.replace("Manage", "Install")).run();
}
