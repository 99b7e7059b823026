//! A job and its timer are one thing: installed, run, listed, stopped and removed together.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::booted::{Named, named};
use crate::support::{Ran, system, wait_for};
use crate::user::{self, joe};

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
    // What only looks says the same, also of a service that is installed.
    for how in [&["--check"][..], &["--dry-run"], &["--update", "--dry-run"], &["--update", "--check"]] {
        let test = service.install_again(&ran).args(how).args(["--schedule", "daily"]);
        let test = if how.contains(&"--update") { test } else { test.script("true") };
        test.status(2).stdout("").stderr_contains("a timer of that name").run();
    }
    // What has none does not care.
    service.install_again(&ran).arg("--check").script("sleep 1000").run();
    service.manage(&ran, "diff").run();
    service.manage(&ran, "remove").run();
    assert_eq!(fs::read_to_string(timer).unwrap(), theirs);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_job_of_a_person_runs_at_its_times() {
    let _alone = user::JOE.lock();
    let _session = user::Session::begin();
    let log = Path::new("/srv/job-joe/log");
    let install = user::install("job-joe").args(["--schedule", "*:*:0/2", "--start"]);
    let ran = install.script("id -un >> /srv/job-joe/log").run();
    wait_for("three runs", 60, || (runs(log) > 2).then_some(()));
    assert!(fs::read_to_string(log).unwrap().starts_with("joe\n"));
    assert_eq!(joe(&["is-enabled", "job-joe.timer"]).unwrap(), "enabled\n");
    wait_for("the next time", 20, || {
        let status = user::manage(&ran, "job-joe", "status").run().stdout;
        (status.starts_with("job-joe: waiting\n") && status.contains("\n  next run     ")).then_some(())
    });
    user::manage(&ran, "job-joe", "diff").run();
    user::manage(&ran, "job-joe", "remove").run();
    assert_eq!(joe(&["show", "--property=LoadState", "job-joe.timer"]).unwrap(), "LoadState=not-found\n");
    let ended = runs(log);
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(runs(log), ended);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_program_of_python_runs_at_its_times_and_leaves_its_traceback() {
    let (service, _timer) = (named("job-python"), Timer("job-python"));
    let module = "import os\n\ndef main():\n    with open('log', 'a') as log:\n        print('ran', file=log)\n    \
                  if os.path.exists('break'):\n        raise RuntimeError('no luck')\n";
    let install = service.install().file("job_of_python.py", module).args(["--schedule", "*:*:0/2", "--start"]);
    let ran = install.arg("job_of_python:main").run();
    let log = ran.folder().join("log");
    wait_for("three runs", 60, || (runs(&log) > 2).then_some(()));
    let errors = ran.folder().join("job-python_ERROR_LOG.txt");
    assert!(!errors.exists());
    fs::write(ran.folder().join("break"), "").unwrap();
    wait_for("its traceback", 30, || {
        fs::read_to_string(&errors).is_ok_and(|text| text.contains("RuntimeError: no luck")).then_some(())
    });
    // What has failed is run again at its next time.
    let failed = runs(&log);
    wait_for("the next run", 30, || (runs(&log) > failed).then_some(()));
    service.manage(&ran, "remove").run();
    assert_eq!(timer_is("job-python", "LoadState"), "not-found");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_schedule_that_is_taken_back_leaves_no_timer() {
    let (service, _timer) = (named("job-back"), Timer("job-back"));
    let ran = service.install().args(["--schedule", "hourly", "--start"]).script("sleep 1000").run();
    assert_eq!(timer_is("job-back", "ActiveState"), "active");
    service.install_again(&ran).args(["--update", "--schedule", "none"]).run();
    assert_eq!(
        (timer_is("job-back", "LoadState"), timer_is("job-back", "ActiveState")),
        ("not-found".into(), "inactive".into())
    );
    assert!(!Path::new("/etc/systemd/system/timers.target.wants/job-back.timer").is_symlink());
    assert!(!Path::new("/etc/systemd/system/job-back.timer").exists());
    assert!(service.boot_link().exists());
    service.manage(&ran, "start").run();
    service.manage(&ran, "diff").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_overrides_the_timer_is_a_drift() {
    let (service, _timer) = (named("job-drop"), Timer("job-drop"));
    let ran = service.install().args(["--schedule", "hourly"]).script("true").run();
    let folder = Path::new("/etc/systemd/system/job-drop.timer.d");
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("often.conf"), "[Timer]\nOnCalendar=\nOnCalendar=minutely\n").unwrap();
    let told = "overridden by /etc/systemd/system/job-drop.timer.d/often.conf\n [Timer]\n-OnCalendar=hourly\n+OnCalendar=minutely\n";
    service.manage(&ran, "diff").status(10).stdout(told).run();
    service.install_again(&ran).args(["--check", "--schedule", "hourly"]).script("true").status(10).stdout(told).run();
    let json = service.manage(&ran, "diff").args(["--format", "json"]).status(10).run().stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["drop_ins"], serde_json::json!(["/etc/systemd/system/job-drop.timer.d/often.conf"]));
    assert_eq!(json["overridden"][0]["theirs"], serde_json::json!(["minutely"]));
    assert!(service.manage(&ran, "show").run().stdout.contains("OnCalendar=minutely\n"));
    let (_, doctor) = service.manage(&ran, "doctor").run_to_any_end();
    assert!(doctor.stdout.contains("systemctl edit job-drop.timer"), "{}", doctor.stdout);
    // Without a timer it overrides nothing.
    service.install_again(&ran).args(["--update", "--schedule", "none"]).run();
    service.manage(&ran, "diff").run();
    service.manage(&ran, "remove").run();
    fs::remove_dir_all(folder).unwrap();
}
