//! A job and its timer are one thing: installed, run, listed, stopped and removed together.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::booted::{Named, named};
use crate::support::{Ran, system, wait_for};

fn timer_is(name: &str, property: &str) -> String {
    let answer = system("systemctl", &["show", "--value", &format!("--property={property}"), &format!("{name}.timer")]);
    answer.trim_end().to_owned()
}

fn runs(log: &Path) -> usize {
    fs::read_to_string(log).unwrap_or_default().lines().count()
}

/// A job that adds a line to a file every two seconds, started.
fn every_two_seconds(service: &Named, log: &Path) -> Ran {
    let script = format!("echo ran >> {}", log.display());
    service.install().args(["--schedule", "*:*:0/2", "--start"]).script(&script).run()
}

/// What a test leaves of the timer when it fails.
struct Timer(&'static str);

impl Drop for Timer {
    fn drop(&mut self) {
        let timer = format!("{}.timer", self.0);
        let path = format!("/etc/systemd/system/{timer}");
        if Path::new(&path).exists() {
            drop(Command::new("systemctl").args(["disable", "--now", "--quiet", &timer]).output());
            drop(fs::remove_file(path));
        }
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_job_runs_at_its_times_until_it_is_stopped() {
    let (service, _timer) = (named("job-times"), Timer("job-times"));
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let ran = every_two_seconds(&service, &log);
    // More often than systemd starts other units in a row.
    wait_for("six runs", 60, || (runs(&log) > 6).then_some(()));
    assert_eq!(
        (timer_is("job-times", "ActiveState"), timer_is("job-times", "UnitFileState")),
        ("active".into(), "enabled".into())
    );
    assert_eq!(service.property("UnitFileState"), "static");
    // While it runs, nothing is known of its next time.
    wait_for("the next time", 20, || {
        let list = ran.then_manage().args(["--list", "--format", "json"]).run().stdout;
        let list: Value = serde_json::from_str(&list).unwrap();
        let entry = list["services"].as_array().unwrap().iter().find(|entry| entry["service"] == "job-times").unwrap();
        assert_eq!(entry["enabled"], true);
        entry["next"].as_str().is_some_and(|next| next.contains(':')).then_some(())
    });
    wait_for("the same in words", 20, || {
        let status = service.manage(&ran, "status").run().stdout;
        (status.starts_with("job-times: waiting\n") && status.contains("\n  next run     ")).then_some(())
    });
    assert!(service.manage(&ran, "show").run().stdout.contains("OnCalendar=*:*:0/2\n"));
    service.manage(&ran, "diff").run();
    let (_, doctor) = service.manage(&ran, "doctor").run_to_any_end();
    assert!(doctor.stdout.starts_with("job-times: nothing is wrong\n"), "{}", doctor.stdout);

    service.manage(&ran, "stop").run();
    assert_eq!(timer_is("job-times", "ActiveState"), "inactive");
    let stopped = runs(&log);
    service.manage(&ran, "status").status(3).run();
    // Runs it now, and lets its timer go on.
    service.manage(&ran, "start").run();
    assert!(runs(&log) > stopped);
    assert_eq!(timer_is("job-times", "ActiveState"), "active");

    service.manage(&ran, "disable").run();
    assert_eq!(timer_is("job-times", "UnitFileState"), "disabled");
    service.manage(&ran, "diff").run();
    service.manage(&ran, "enable").run();
    assert_eq!(timer_is("job-times", "UnitFileState"), "enabled");

    service.manage(&ran, "remove").run();
    assert_eq!(timer_is("job-times", "LoadState"), "not-found");
    assert!(!Path::new("/etc/systemd/system/timers.target.wants/job-times.timer").exists());
    service.manage(&ran, "reinstall").run();
    assert_eq!(
        (timer_is("job-times", "UnitFileState"), timer_is("job-times", "ActiveState")),
        ("enabled".into(), "inactive".into())
    );
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_span_counts_from_the_start_of_its_timer() {
    let (service, _timer) = (named("job-span"), Timer("job-span"));
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let script = format!("echo ran >> {}", log.display());
    let _ran = service.install().args(["--schedule", "2s", "--start"]).script(&script).run();
    wait_for("three runs", 60, || (runs(&log) > 2).then_some(()));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_job_that_takes_its_time_runs_and_one_that_fails_is_told() {
    let (service, _timer) = (named("job-fails"), Timer("job-fails"));
    let ran = service.install().args(["--schedule", "yearly"]).script("sleep 1000").run();
    assert_eq!(timer_is("job-fails", "ActiveState"), "inactive");
    service.manage(&ran, "start").stdout("job-fails: started, it runs\n").run();
    assert!(service.manage(&ran, "status").run().stdout.starts_with("job-fails: running\n"));
    service.manage(&ran, "stop").run();
    service.install_again(&ran).args(["--schedule", "yearly"]).script("echo no luck; exit 3").run();
    service.manage(&ran, "start").status(1).stderr_contains("no luck").run();
    let entry = fs::read_to_string(ran.folder().join("job-fails_ERROR_LOG.txt")).unwrap();
    assert!(entry.contains(" job-fails exit-code exited 3\n"), "{entry}");
    // What has failed waits for its next time all the same.
    assert_eq!(timer_is("job-fails", "ActiveState"), "active");
    service.manage(&ran, "status").status(3).run();
    service.manage(&ran, "remove").run();
    assert_eq!(timer_is("job-fails", "ActiveState"), "inactive");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_becomes_a_job_and_a_job_a_service() {
    let (service, _timer) = (named("job-turns"), Timer("job-turns"));
    let ran = service.install().args(["--start"]).script("sleep 1000").run();
    let state = ran.folder().join("working_dir");
    let before = service.host(&state);
    let pid = service.pid();
    let update = |options: &[&str]| service.install_again(&ran).arg("--update").args(options);
    // What fails at its end leaves no trace.
    let fails = "case \"$*\" in \"start job-turns.timer\") exit 1 ;; esac; exec \"$real\" \"$@\"";
    update(&["--schedule", "hourly", "--start"]).instead_of("systemctl", fails).status(1).run();
    assert_eq!(service.host(&state), before);
    assert_eq!(service.property("ActiveState"), "active");
    assert_ne!(service.pid(), pid);
    assert_eq!(timer_is("job-turns", "LoadState"), "not-found");

    update(&["--schedule", "hourly", "--start"]).run();
    assert!(!service.boot_link().exists());
    assert_eq!(
        (timer_is("job-turns", "ActiveState"), service.property("ActiveState")),
        ("active".into(), "inactive".into())
    );
    let renamed = named("job-renamed");
    let _timer = Timer("job-renamed");
    ran.then_manage().args(["job-turns", "rename", "job-renamed"]).run();
    assert_eq!(
        (timer_is("job-renamed", "ActiveState"), timer_is("job-renamed", "UnitFileState")),
        ("active".into(), "enabled".into())
    );
    assert_eq!(timer_is("job-turns", "LoadState"), "not-found");

    renamed.install_again(&ran).args(["--start"]).script("sleep 1000").run();
    assert_eq!(timer_is("job-renamed", "LoadState"), "not-found");
    assert_eq!(renamed.property("ActiveState"), "active");
    assert!(renamed.boot_link().exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_timer_of_somebody_else_is_left_alone() {
    let (service, _timer) = (named("job-theirs"), Timer("job-theirs"));
    let timer = Path::new("/etc/systemd/system/job-theirs.timer");
    let theirs = "[Timer]\nOnCalendar=yearly\n";
    fs::write(timer, theirs).unwrap();
    service
        .install()
        .args(["--schedule", "daily"])
        .script("true")
        .status(2)
        .stderr_contains("a timer of that name")
        .run();
    let ran = service.install().script("sleep 1000").run();
    service.manage(&ran, "remove").run();
    assert_eq!(fs::read_to_string(timer).unwrap(), theirs);
}
