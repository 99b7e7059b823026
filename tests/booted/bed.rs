//! What the other booted tests rely on: the bed itself (`tests/beds/systemd.sh`) and the probe program.

use std::ffi::OsString;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::booted::services_of;
use crate::support::{probe, system, wait_for};

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn systemd_runs_and_keeps_a_journal() {
    // Not `is-system-running`: what other tests let fail at this moment is theirs.
    assert_eq!(system("systemctl", &["is-active", "multi-user.target"]), "active\n");
    fs::write("/etc/systemd/system/bed-journal.service", "[Service]\nType=oneshot\nExecStart=echo written down\n")
        .unwrap();
    system("systemctl", &["start", "bed-journal.service"]);
    wait_for("the journal to have the line", 10, || {
        let journal = system("journalctl", &["--unit=bed-journal", "--output=cat", "--no-pager"]);
        journal.lines().any(|line| line == "written down").then_some(())
    });
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn there_is_a_loopback() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = server.local_addr().expect("its number");
    TcpStream::connect_timeout(&address, Duration::from_secs(5)).expect("a connection");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn joe_may_use_sudo_and_ann_may_not() {
    let sudo = |person| {
        let mut command = Command::new("runuser");
        command.args(["-u", person, "--", "sudo", "--non-interactive", "true"]).stderr(Stdio::null());
        command.status().expect("runuser").success()
    };
    assert_eq!((sudo("joe"), sudo("ann")), (true, false));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_person_has_services_of_their_own() {
    system("loginctl", &["enable-linger", "ann"]);
    wait_for("the services of ann to be up", 20, || {
        let mut command = services_of("ann", &["is-system-running"]);
        command.stderr(Stdio::null());
        (command.output().expect("systemctl").stdout == b"running\n").then_some(())
    });
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn the_probe_loses_no_byte() {
    let word = OsString::from_vec((1..=255).collect());
    let mut probe = Command::new(probe::path());
    let mut child =
        probe.args([&word, &OsString::new()]).env_clear().env("ODD", &word).spawn().expect("the probe starts");
    let received = probe::Received::by(child.id());
    assert_eq!(received.argv, [probe::path().into_os_string(), word.clone(), OsString::new()]);
    assert_eq!(received.environment.len(), 1);
    assert_eq!(received.variable("ODD"), Some(word.as_os_str()));
    assert_eq!(received.cwd, std::env::current_dir().unwrap());
    assert_eq!(received.exe, probe::path());

    system("sh", &["-c", &format!("kill -TERM {}", child.id())]);
    let end = child.wait().expect("its end");
    assert_eq!((end.code(), end.signal()), (Some(0), None));
}
