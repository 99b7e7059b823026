//! What was asked for and could not be written is a failure, and a reader who has gone away is none.

use std::fs::File;
use std::io::{Read as _, pipe};
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::support::{Ran, Test};

/// A service of a user `full`, lying where an install puts it, and a manifest of it.
fn exported() -> Ran {
    let test = Test::install().env("INSTALLSERVICE_WORKING_DIR", "").file(
        "full.toml",
        "[[service]]\nname = \"full\"\nexecutable = \"/bin/true\"\nuser = true\nworking_directory = \"/\"\n",
    );
    test.args(["--output", "home", "--manifest", "full.toml"]).run()
}

/// Every command that prints what it was asked for and needs no systemd, with its exit code.
fn printing(ran: &Ran) -> Vec<(Test, i32)> {
    let install = |words: &[&str]| ran.then_install().env("INSTALLSERVICE_WORKING_DIR", "").args(words);
    let manage = |words: &[&str]| ran.then_manage().env("INSTALLSERVICE_WORKING_DIR", "").args(words);
    vec![
        (install(&["-h"]), 0),
        (install(&["--help"]), 0),
        (install(&["--version"]), 0),
        (install(&["DataFileUploadDirectory", "-h"]), 0),
        (install(&["schema"]), 0),
        (install(&["completions", "bash"]), 0),
        (install(&["completions", "fish"]), 0),
        (install(&["discover", "--python", "/usr/bin/python3"]), 0),
        (install(&["--dry-run", "--", "/bin/true"]), 0),
        (install(&["--dry-run", "--format", "json", "--", "/bin/true"]), 0),
        (install(&["--dry-run", "--target", "nssm", "--working-directory", r"C:\", "--", r"C:\true.exe"]), 0),
        (install(&["--check", "--manifest", "full.toml"]), 10),
        (install(&["--check", "--format", "json", "--manifest", "full.toml"]), 10),
        (manage(&["-h"]), 0),
        (manage(&["--version"]), 0),
        (manage(&["--list", "--user"]), 0),
        (manage(&["--list", "--user", "--format", "json"]), 0),
        (manage(&["full", "show", "--user"]), 0),
        (manage(&["full", "show", "--user", "--format", "manifest"]), 0),
        (manage(&["full", "diff", "--user"]), 10),
        (manage(&["full", "diff", "--user", "--format", "json"]), 10),
    ]
}

fn full_disk() -> File {
    File::options().write(true).open("/dev/full").expect("/dev/full")
}

#[test]
fn a_full_disk_is_a_failure_and_says_so() {
    let ran = exported();
    for (test, _) in printing(&ran) {
        let test = test.stdout_to(full_disk()).status(1);
        test.stderr_contains("error: writing to standard output: no space left on device\n").run();
    }
}

#[test]
fn what_was_done_is_done_though_it_could_not_be_told() {
    let export = Test::install().args([
        "--output",
        "tree",
        "--working-directory",
        "/",
        "--service_name",
        "web",
        "--",
        "/bin/true",
    ]);
    let ran = export
        .stdout_to(full_disk())
        .status(1)
        .stderr(
            "InstallService: error: writing to standard output: no space left on device\nwhat was asked for is done\n",
        )
        .run();
    assert!(ran.folder().join("tree/etc/systemd/system/web.service").exists());
}

#[test]
fn a_reader_who_has_gone_away_changes_nothing() {
    let ran = exported();
    for (test, code) in printing(&ran) {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let ran = test.stdout_to(writer).status(code).run();
        assert!(!ran.stderr.contains("error"), "{}", ran.stderr);
    }
}

/// As the shell does it: `| head -1`.
#[test]
fn a_reader_of_one_line_gets_it() {
    for words in [&["-h"][..], &["completions", "bash"], &["--dry-run", "--service_name", "web", "--", "/bin/true"]] {
        let command = "set -o pipefail; \"$0\" \"$@\" | head -1 > first";
        let ran = Test::install().args(words).through(&["bash", "-c", command]).stderr("").run();
        assert_eq!(std::fs::read_to_string(ran.folder().join("first")).unwrap().lines().count(), 1);
    }
}

/// The standard library opens /dev/null in its place, before `main`; so nobody wants what is printed.
#[test]
fn a_closed_standard_output_is_one_that_nobody_reads() {
    let ran = exported();
    for (test, code) in printing(&ran) {
        test.through(&["sh", "-c", "exec \"$0\" \"$@\" >&-"]).status(code).run();
    }
}

#[test]
fn a_standard_output_that_is_open_for_reading_alone_is_a_failure() {
    let test = Test::install().args(["--dry-run", "--", "/bin/true"]).stdout_to(File::open("/dev/null").unwrap());
    test.status(1).stderr_contains("error: writing to standard output: bad file descriptor\n").run();
}

/// Other programs leave a pipe or a terminal like that to whoever shares it with them.
#[test]
fn a_reader_is_waited_for_also_where_writing_does_not_wait() {
    let dry_run = |test: Test| {
        let words = (0..4000).map(|number| format!("--env=NAME{number}={}", "x".repeat(40)));
        test.arg("--dry-run").args(words).args(["--", "/bin/true"])
    };
    let ran = dry_run(Test::install()).run();
    let whole = ran.stdout.replace("[TMP]", &ran.folder().to_string_lossy());
    assert!(whole.len() > 1 << 17, "more than a pipe holds");
    let (mut reader, writer) = pipe().unwrap();
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    let slow = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        text
    });
    dry_run(ran.then_install()).stdout_to(Stdio::from(OwnedFd::from(writer))).run();
    assert!(slow.join().unwrap() == whole, "not all of it arrived");
}

#[test]
fn a_standard_error_that_cannot_be_written_changes_nothing() {
    Test::install().stderr_to(full_disk()).status(2).run();
    Test::install().args(["--bogus"]).stderr_to(full_disk()).status(2).run();
    Test::manage().stderr_to(full_disk()).status(2).run();
    let noted = Test::install().args(["--dry-run", "--env", "LD_PRELOAD=/x", "--", "/bin/true"]);
    noted.stderr_to(full_disk()).stdout_contains("true.service").run();
}
