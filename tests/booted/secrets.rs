//! Values of environment variables: asked for once, kept for root only, and given to the program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::booted::named;

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_missing_value_is_asked_for_on_a_terminal_without_showing_it() {
    let service = named("secret-asked");
    let secret = "hunter 2 \\ \"$x\"";
    let terminal = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/terminal.py");
    let never = service.install().args(["--yes", "--env", "LAB_PASSWORD"]).probe([]).status(2);
    let never = never.through(&["/usr/bin/python3", terminal, "value of LAB_PASSWORD (not shown): ", secret, "--"]);
    never.stdout_contains("environment variable `LAB_PASSWORD`: the service needs it, and it is not set").run();

    let install = service.install().args(["--env", "LAB_PASSWORD"]).probe([]);
    let install = install.through(&["/usr/bin/python3", terminal, "value of LAB_PASSWORD (not shown): ", secret, "--"]);
    let ran = install.stdout_contains("installed: secret-asked").run();
    assert!(!ran.stdout.contains("hunter"), "{}", ran.stdout);

    let values = ran.folder().join("working_dir/secret-asked_env_vars.txt");
    assert_eq!(fs::metadata(&values).unwrap().permissions().mode() & 0o7777, 0o600);
    service.manage(&ran, "start").run();
    let received = service.received();
    assert_eq!(received.variable("LAB_PASSWORD"), Some(secret.as_ref()));

    // Known from now on: nobody is asked, with or without a terminal.
    service.manage(&ran, "stop_and_reinstall").stdout_contains("unchanged: secret-asked").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn without_a_terminal_every_missing_value_is_named() {
    let service = named("secret-missing");
    let install = service.install().args(["--env", "LAB_USER", "--env", "LAB_PASSWORD"]).probe([]).status(2);
    let install = install.stderr_contains("environment variable `LAB_PASSWORD`: ");
    install.stderr_contains("environment variable `LAB_USER`: ").run();
    assert!(!service.unit().exists());
}

/// At the second of two questions, so that something has been typed already.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn ctrl_c_at_a_question_changes_nothing_and_gives_the_terminal_back() {
    let service = named("secret-ctrl-c");
    let job = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/job.py");
    let first = ["see", "value of LAB_PASSWORD (not shown): ", "hidden", "-", "type", "hunter^M"];
    let second = ["see", "value of LAB_USER (not shown): ", "hidden", "-", "type", "half^C"];
    let install = service.install().args(["--env", "LAB_USER", "--env", "LAB_PASSWORD"]).probe([]);
    let install = install.through(&[&["/usr/bin/python3", job], &first[..], &second, &["--"]].concat());
    let seen = "value of LAB_PASSWORD (not shown): \nvalue of LAB_USER (not shown): \n\
                InstallService: error: interrupted; nothing was changed\n\
                [ended 130: echo on, lines on, signals on]\n";
    let ran = install.stdout(seen).run();
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_is_no_value_is_refused() {
    let service = named("secret-nothing");
    let terminal = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keys.py");
    for (typed, reason) in [
        ("\n", "the service needs it, and nothing was typed"),
        ("\u{4}", "the service needs it, and nothing was typed"),
        ("hunter\u{1b}[D\n", r"a key was typed that is no character of a value (`\x1b`)"),
    ] {
        let install = service.install().args(["--env", "LAB_PASSWORD"]).probe([]).status(2);
        let again = ["nothing was typed; value of LAB_PASSWORD (not shown): ", typed];
        let words = [&["/usr/bin/python3", terminal, "(not shown): ", typed][..], &again, &again, &["--"]].concat();
        let install = install.through(&words);
        let install = install.stdout_contains(format!("error: environment variable `LAB_PASSWORD`: {reason}\n"));
        let ran = install.stdout_contains("help: `export LAB_PASSWORD=...`, then type the same command again\n").run();
        assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
    }
}
