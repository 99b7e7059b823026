//! A secret is in no argv, unit, preview, log, journal, receipt, message or exported file, and in no file
//! that others could read for an instant.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::booted::{Named, named};
use crate::support::{Ran, Test, wait_for};

const OLD: &str = "zq-0ld-s3cr3t-zq";
const NEW: &str = "zq-n3w-s3cr3t-zq";
const SLOW_ENABLE: &str = "[ $1 = enable ] || exec $real \"$@\"; : > begun; sleep 2; exec $real \"$@\"";
const NO_ENABLE: &str = "[ $1 = enable ] || exec $real \"$@\"; echo no luck today >&2; exit 1";

fn tells(text: &str) -> bool {
    text.contains(OLD) || text.contains(NEW)
}

/// The files below a folder that hold a secret, with their modes.
fn holders(folder: &Path) -> BTreeSet<(PathBuf, u32)> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = entry.file_type().expect("its type");
        if kind.is_dir() {
            found.extend(holders(&path));
        } else if kind.is_file() && fs::read(&path).is_ok_and(|bytes| tells(&String::from_utf8_lossy(&bytes))) {
            found.insert((path.clone(), path.metadata().expect("a file").permissions().mode() & 0o7777));
        }
    }
    found
}

/// Runs it with every command that it starts, with its environment, and every file that it makes, written down;
/// nothing that is said or started tells a secret. Gives the record.
#[track_caller]
fn watched(test: Test) -> (Ran, String) {
    let log = test.folder().join("strace.log");
    let words = [
        "strace",
        "-f",
        "-qq",
        "-v",
        "-s",
        "100000",
        "-e",
        "signal=none",
        "-e",
        "trace=execve,openat,fchmod,chmod,fchmodat",
        "-o",
    ];
    let words: Vec<&str> = words.into_iter().chain([log.to_str().expect("plain text")]).collect();
    let (_, ran) = test.through(&words).run_to_any_end();
    assert!(!tells(&ran.stdout) && !tells(&ran.stderr), "{}{}", ran.stdout, ran.stderr);
    let record = fs::read_to_string(&log).expect("the record");
    // What was typed is started first, with the value in its environment.
    let (typed, started) = record.split_once('\n').expect("its first line");
    assert!(typed.contains("execve(") && typed.contains("\"PATH="), "{typed}");
    assert!(!tells(started), "{started}");
    fs::remove_file(log).expect("to remove it");
    (ran, record)
}

fn install(service: &Named, ran: &Ran, value: &str) -> Test {
    service.install_again(ran).args(["--env", "SECRET"]).env("SECRET", value)
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_secret_is_nowhere_but_in_its_file() {
    let service = named("secrets-audit");
    let home = Test::manage().arg("-V").run();
    let state = home.folder().join("working_dir");
    let values = state.join("secrets-audit_env_vars.txt");
    let only_there = |what: &str| {
        let mut found = holders(&state);
        found.extend(holders(Path::new("/etc/systemd/system")));
        assert_eq!(found, [(values.clone(), 0o600)].into(), "{what}");
    };

    for options in [&["--dry-run"][..], &["--dry-run", "--format", "json"], &["--output", "tree"], &["--check"]] {
        watched(install(&service, &home, OLD).args(options).probe([]));
        assert_eq!(holders(home.folder()), [].into(), "{options:?}");
    }
    let (_, record) = watched(install(&service, &home, OLD).arg("--start").probe([]));
    only_there("a first install");
    // From its first instant it is for its owner alone, and its mode is never another one.
    let made: Vec<&str> =
        record.lines().filter(|line| line.contains("env_vars.txt") && line.contains("O_CREAT")).collect();
    assert!(
        !made.is_empty() && made.iter().all(|line| line.contains("O_EXCL") && line.contains(", 0600)")),
        "{made:?}"
    );
    assert!(!record.lines().any(|line| line.contains("chmod") && line.contains("env_vars")), "{record}");

    watched(install(&service, &home, NEW).args(["--check"]).probe([]));
    watched(install(&service, &home, NEW).arg("--start").probe([]));
    only_there("an update");
    // What is kept is taken from the file.
    watched(service.install_again(&home).args(["--env", "SECRET", "--description", "x"]).probe([]));
    only_there("an update that takes the old value");
    assert!(fs::read_to_string(&values).unwrap().contains(NEW));
    for mode in ["status", "show", "diff", "reinstall", "stop_and_restart", "logs", "stop"] {
        watched(service.manage(&home, mode));
        only_there(mode);
    }
    watched(install(&service, &home, OLD).instead_of("systemctl", NO_ENABLE).args(["--description", "y"]).probe([]));
    only_there("an install that failed");
    assert!(fs::read_to_string(&values).unwrap().contains(NEW));
    watched(service.manage(&home, "remove"));
    only_there("a removal");
    watched(service.manage(&home, "remove").arg("--remove_env_vars"));
    assert_eq!(holders(home.folder()), [].into());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn the_journal_and_the_memory_are_closed() {
    let service = named("secrets-journal");
    let home = Test::manage().arg("-V").run();
    let state = home.folder().join("working_dir");
    install(&service, &home, OLD).probe([]).run();
    let update = install(&service, &home, NEW).args(["--description", "x"]).instead_of("systemctl", SLOW_ENABLE);
    let run = update.probe([]).spawn();
    let mark = run.folder().join("begun");
    wait_for("the step to begin", 20, || mark.exists().then_some(()));
    let found = holders(&state);
    assert!(found.iter().any(|(path, _)| path.starts_with(state.join("journal"))), "{found:?}");
    assert!(found.iter().all(|(_, mode)| *mode == 0o600), "{found:?}");
    assert_eq!(state.join("journal").metadata().unwrap().permissions().mode() & 0o7777, 0o700);
    let limits = fs::read_to_string(format!("/proc/{}/limits", run.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert!(core.split_whitespace().filter(|word| *word == "0").count() == 2, "{core}");
    run.signal("QUIT");
    let (code, _) = run.end_anyhow();
    assert_eq!(code, 128 + 3);
    service.manage(&home, "status").run_to_any_end();
    assert!(fs::read_to_string(state.join("secrets-journal_env_vars.txt")).unwrap().contains(OLD));
    assert_eq!(holders(&state).len(), 1);
}

/// As a credential it is in no file at all.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_encrypted_secret_is_nowhere() {
    let service = named("secrets-encrypted");
    let home = Test::manage().arg("-V").run();
    let run = |value: &str, options: &[&str], what: &str| {
        let install = install(&service, &home, value).args(["--secrets", "credentials"]).args(options).probe([]);
        let (ran, record) = watched(install);
        assert_eq!(holders(home.folder()), [].into(), "{what}");
        assert_eq!(holders(Path::new("/etc/systemd/system")), [].into(), "{what}");
        (ran, record)
    };
    let (_, record) = run(OLD, &["--start"], "a first install");
    assert!(record.contains("\"encrypt\""), "{record}");
    run(NEW, &["--check"], "a comparison");
    run(NEW, &["--start"], "an update");
    assert_eq!(service.received().variable("SECRET"), Some(NEW.as_ref()));
    let failing = install(&service, &home, OLD).args(["--secrets", "credentials", "--description", "y"]);
    watched(failing.instead_of("systemctl", NO_ENABLE).probe([]));
    for mode in ["status", "show", "diff", "reinstall", "stop_and_restart", "logs", "remove"] {
        watched(service.manage(&home, mode));
    }
    assert_eq!(holders(home.folder()), [].into());
}

/// What neither store can hold is refused in words that do not tell it, and changes nothing.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_secret_that_cannot_be_kept_is_refused_and_not_told() {
    let service = named("secrets-odd");
    let home = Test::manage().arg("-V").run();
    let odd = OsStr::from_bytes(b"zq-0ld-s3cr3t-zq\xff");
    for store in ["file", "credentials"] {
        let install = service.install_again(&home).args(["--secrets", store, "--env", "SECRET"]).env("SECRET", odd);
        let reason =
            "environment variable `SECRET`: contains the byte 0xFF, which a systemd environment file cannot carry";
        let ran = install.probe([]).status(2).stderr_contains(reason).run();
        assert!(!tells(&ran.stdout) && !tells(&ran.stderr), "{}{}", ran.stdout, ran.stderr);
    }
    assert!(!service.unit().exists());
}
