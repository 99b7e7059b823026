//! What the systemd of the host would leave out, or not load, is not installed.

use std::fs;

use crate::support::booted::named;

/// The value is in a grammar of its own, which only systemd reads.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_line_that_systemd_leaves_out_is_refused_with_its_words() {
    let service = named("verify-line");
    let ran = service
        .install()
        .args(["--property", "Personality=s390x", "--property", "LogNamespace=a/b"])
        .probe([])
        .status(2)
        .stderr_contains(
            "error: line `Personality=s390x` of `verify-line.service`: the systemd of this host would leave it out; \
             nothing was changed\n    Failed to parse personality, ignoring: s390x\n",
        )
        .stderr_contains("error: line `LogNamespace=a/b` of `verify-line.service`: ")
        .run();
    assert!(!service.unit().exists() && !ran.folder().join("working_dir/verify-line_install_args.toml").exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn so_is_a_line_of_the_timer() {
    let service = named("verify-timer");
    let ran = service
        .install()
        .args(["--property", "Timer.OnCalendar=%n"])
        .script("true")
        .status(2)
        .stderr_contains(
            "error: line `OnCalendar=%n` of `verify-timer.timer`: the systemd of this host would leave it out",
        )
        .run();
    assert!(!service.unit().exists() && !ran.folder().join("working_dir/verify-timer_install_args.toml").exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_update_that_it_refuses_leaves_what_runs_alone() {
    let service = named("verify-update");
    let ran = service.install().arg("--start").probe(["one"]).run();
    let (pid, unit) = (service.pid(), service.unit_text());
    let bad = service.install_again(&ran).args(["--start", "--property", "CoredumpFilter=x"]).probe(["two"]);
    bad.status(2).stderr_contains("error: line `CoredumpFilter=x` of `verify-update.service`: ").run();
    assert_eq!((service.pid(), service.unit_text()), (pid, unit));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_it_only_advises_is_a_note() {
    let service = named("verify-note");
    let ran = service.install().args(["--property", "KillMode=none", "--property", "ExecStartPre=/no/such"]).probe([]);
    ran.stderr_contains("note: systemd says of `verify-note.service`: Unit uses KillMode=none.")
        .stderr_contains("note: systemd says of `verify-note.service`: Command /no/such is not executable: ")
        .stdout_contains("installed: verify-note")
        .run();
}

/// It is not asked about what is all ours, and where it cannot be asked, the service is installed all the same.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn it_is_asked_only_about_words_of_the_users_own() {
    let service = named("verify-asked");
    let without = |test: crate::support::Test| test.instead_of("systemd-analyze", "echo asked >>asked; exit 127");
    let ran = without(service.install()).probe([]).run();
    let asked = ran.folder().join("asked");
    assert!(!asked.exists());
    without(service.install_again(&ran)).args(["--property", "Nice=5"]).probe([]).run();
    assert_eq!(fs::read_to_string(asked).unwrap(), "asked\n");
    assert_eq!(service.property("Nice"), "5");
}

/// A drop-in of the administrator makes of it what systemd does not load.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_unit_that_it_does_not_load_is_taken_back() {
    let service = named("verify-load");
    let drop_in = service.unit().with_extension("service.d").join("10-theirs.conf");
    fs::create_dir_all(drop_in.parent().unwrap()).unwrap();
    fs::write(&drop_in, "[Service]\nType=dbus\n").unwrap();
    let refused = service.install().args(["--property", "Nice=5"]).probe([]);
    // As a systemd does that cannot be asked.
    refused
        .instead_of("systemd-analyze", "exit 0")
        .status(2)
        .stderr_contains("unit `verify-load.service`: systemd does not load it (`bad-setting`)\n")
        .run();
    assert!(!service.unit().exists() && !service.boot_link().exists());
    // Where it can, nothing is begun.
    let refused = service.install().args(["--property", "Nice=5"]).probe([]).status(2);
    refused.stderr_contains("Service is of type D-Bus but no D-Bus service name has been specified. Refusing.").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_its_version_lacks_is_refused() {
    let service = named("verify-version");
    let ran = service.install().args(["--property", "PrivatePIDs=yes"]).probe([]).status(2).run();
    assert!(ran.stderr.contains("and the unit is written for 257") && !service.unit().exists(), "{}", ran.stderr);
}
