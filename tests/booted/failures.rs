//! A service that fails says so: to whoever starts it, and in `NAME_ERROR_LOG.txt`.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::booted::{folder_of, named};
use crate::support::{Ran, Test, system, wait_for};

fn error_log(ran: &Ran, service: &str) -> PathBuf {
    ran.folder().join(format!("{service}_ERROR_LOG.txt"))
}

/// The error log, once it has all of `parts`.
#[track_caller]
fn written(path: &Path, parts: &[&str]) -> String {
    let mut last = String::new();
    let end = Instant::now() + Duration::from_secs(10);
    while Instant::now() < end {
        last = fs::read_to_string(path).unwrap_or_default();
        if parts.iter().all(|part| last.contains(part)) {
            return last;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{} has not {parts:?}:\n{last}", path.display());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_crash_at_once_is_told_with_the_last_lines() {
    let service = named("fail-at-once");
    let ran = service.install().script("echo the wheels came off >&2; exit 7").run();
    let start = service.manage(&ran, "start").status(1).stderr_contains("it ended with exit status 7\n");
    let start =
        start.stderr_contains("the wheels came off").stderr_contains("help: `ManageService fail-at-once logs -n 50`");
    start.stderr_contains("its errors are kept in `[TMP]/fail-at-once_ERROR_LOG.txt`").run();
    let log =
        written(&error_log(&ran, "fail-at-once"), &["fail-at-once exit-code exited 7\n", "\nthe wheels came off\n"]);
    assert_eq!(log.lines().count(), 3, "{log}");

    // Now, and not when systemd would start it again.
    let started = Instant::now();
    service.manage(&ran, "start").status(1).run();
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());

    let status = service.manage(&ran, "status").status(3).stdout_contains("fail-at-once: restarting\n");
    status
        .stdout_contains("last result  exit-code (7)\n")
        .stdout_contains("error log    [TMP]/fail-at-once_ERROR_LOG.txt\n")
        .run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_crash_after_a_second_is_told_too() {
    let service = named("fail-later");
    let ran = service.install().script("sleep 1; echo too late; kill -SEGV $$").run();
    let start = service.manage(&ran, "start").status(1).stderr_contains("it was ended by signal 11\n");
    start.stderr_contains("too late").run();
    written(&error_log(&ran, "fail-later"), &[" SEGV\n", "too late\n"]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_program_that_cannot_be_started_is_told() {
    let service = named("fail-exec");
    let install = service.install().file("no-interpreter", "#!/no/such/interpreter\n");
    let program = install.folder().join("no-interpreter");
    system("chmod", &["+x", program.to_str().unwrap()]);
    let ran = install.arg("--").arg(program).run();
    let start = service.manage(&ran, "start").status(1).stderr_contains("No such file or directory");
    start.stderr_contains("exit status 203, by which systemd means that it could not execute the program\n").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_install_that_starts_a_failing_service_is_undone() {
    let service = named("fail-start");
    let install = service.install().arg("--start").script("echo not today; exit 4").status(1);
    let ran = install.stderr_contains("not today").stderr_contains("the host is as it was before").run();
    assert!(!ran.stderr.contains("ManageService"), "it cannot be asked any more: {}", ran.stderr);
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
    assert_eq!(service.property("LoadState"), "not-found");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_end_without_an_error_is_none() {
    let service = named("fail-not");
    let ran = service.install().args(["--restart", "on-failure"]).script("echo all done").run();
    service.manage(&ran, "start").stdout("fail-not: started, and it has ended without an error\n").run();
    service.manage(&ran, "status").status(3).stdout_contains("fail-not: stopped\n").run();

    let service = named("fail-not-stopped");
    let ran = service.install().arg("--start").script("echo it runs; exec sleep 1000").run();
    service.manage(&ran, "stop").run();
    assert!(!error_log(&ran, "fail-not").exists() && !error_log(&ran, "fail-not-stopped").exists());

    // What shells and Java return that were asked to stop.
    let service = named("fail-not-143");
    let ran = service.install().arg("--start").script("trap 'exit 143' TERM; while :; do sleep 0.1; done").run();
    service.manage(&ran, "stop").run();
    service.manage(&ran, "status").status(3).stdout_contains("fail-not-143: stopped\n").run();
    assert!(!error_log(&ran, "fail-not-143").exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_that_does_not_stop_is_killed_which_is_an_error() {
    let service = named("fail-stop");
    // What writes the log has as long (TimeoutStopSec= of systemd.service(5)).
    let manifest = "[[service]]\nname = \"fail-stop\"\nexecutable = \"/bin/sh\"\n\
                    arguments = [\"-c\", \"trap : TERM; while :; do sleep 0.1; done\"]\n\
                    [service.systemd]\nTimeoutStopSec = \"5\"\n";
    let ran = Test::install().file("s.toml", manifest).args(["--start", "--manifest", "s.toml"]).run();
    service.manage(&ran, "stop").status(1).run();
    service.manage(&ran, "status").status(3).stdout_contains("fail-stop: failed\n").run();
    written(&error_log(&ran, "fail-stop"), &["fail-stop timeout killed KILL\n"]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn the_error_log_belongs_to_the_account_and_grows_to_a_limit() {
    let service = named("fail-account");
    folder_of("ann", "/srv/fail-account");
    let install = service.install().args(["--account", "ann", "--working-directory", "/srv/fail-account"]);
    let ran = install.args(["--restart-sec", "1"]).script("id -un; exit 9").run();
    service.manage(&ran, "start").status(1).run();
    let log = Path::new("/srv/fail-account/fail-account_ERROR_LOG.txt");
    written(log, &["fail-account exit-code exited 9\nann\n"]);
    assert_eq!(fs::metadata(log).unwrap().uid(), fs::metadata("/srv/fail-account").unwrap().uid());
    // One entry for each run of it.
    wait_for("a second entry", 10, || (fs::read_to_string(log).unwrap().matches("exited 9").count() > 1).then_some(()));

    fs::OpenOptions::new().write(true).open(log).unwrap().set_len(2 << 20).unwrap();
    wait_for("the log to be begun anew", 20, || (fs::metadata(log).unwrap().len() < 1 << 20).then_some(()));
    written(log, &["exited 9\nann\n"]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn the_error_log_is_not_written_through_a_link() {
    for (service, account) in [(named("fail-link-root"), None), (named("fail-link-ann"), Some("ann"))] {
        let folder = format!("/srv/{service}");
        let victim = format!("/srv/{service}-victim");
        folder_of("ann", &folder);
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, format!("{folder}/{service}_ERROR_LOG.txt")).unwrap();
        let install = service.install().args(["--working-directory", &folder]);
        let install = account.into_iter().fold(install, |install, name| install.args(["--account", name]));
        let ran = install.script("echo gone; exit 1").run();
        service.manage(&ran, "start").status(1).run();
        wait_for("the end of it", 10, || (service.property("SubState") == "auto-restart").then_some(()));
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_missing_import_is_reported_before_anything_is_installed() {
    let service = named("fail-import");
    let module = "import a_module_that_nobody_has\ndef main(arguments):\n    pass\n";
    let install = service.install().file("broken.py", module).arg("broken:main").status(2);
    let ran = install.stderr_contains("a_module_that_nobody_has").run();
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());

    let install = service.install().file("short.py", "").arg("short:main").status(2);
    install.stderr_contains("main").run();
    service.install().arg("no_such_module:main").status(2).stderr_contains("no_such_module").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_error_in_python_leaves_its_traceback() {
    let service = named("fail-python");
    let module = "import time\ndef main(arguments):\n    time.sleep(0.3)\n    raise ValueError(arguments[0])\n";
    let install = service.install().file("boom.py", module).args(["--restart", "never", "boom:main", "--", "ünlucky"]);
    let ran = install.run();
    let start = service.manage(&ran, "start").status(1).stderr_contains("ValueError: ünlucky");
    start.stderr_contains("its errors are kept in `[TMP]/fail-python_ERROR_LOG.txt`").run();
    let log =
        written(&error_log(&ran, "fail-python"), &["Traceback (most recent call last):", "ValueError: ünlucky\n"]);
    assert!(log.contains("boom.py\", line 4, in main"), "{log}");
    assert_eq!(log.matches("Traceback").count(), 1, "once: {log}");

    // Killed, it could write nothing itself.
    let service = named("fail-python-killed");
    let module = "import os, signal\ndef main(arguments):\n    print('before', flush=True)\n    os.kill(os.getpid(), signal.SIGKILL)\n";
    let ran = service.install().file("killed.py", module).arg("killed:main").run();
    service.manage(&ran, "start").status(1).run();
    written(&error_log(&ran, "fail-python-killed"), &["fail-python-killed signal killed KILL\n", "before\n"]);
}

/// A systemd that is stuck is told after a minute, where nothing is to be changed.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_systemctl_that_hangs_is_not_waited_for() {
    let service = named("failure-hangs");
    let ran = service.install().probe([]).run();
    let begun = Instant::now();
    let status = service.manage(&ran, "status").instead_of("systemctl", "exec sleep 1000").status(1);
    status.stderr_contains("it did not end within 62 s and was killed").run();
    assert!(begun.elapsed() < Duration::from_secs(300), "{:?}", begun.elapsed());
}
