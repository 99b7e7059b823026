//! What services have written: every byte of it, chosen by time and pattern, of several services at once.

use std::fs;
use std::process::Command;

use crate::support::booted::{Named, named};
use crate::support::{Ran, system, wait_for};

/// A script that writes this, and then a last line of its own.
fn until_the_end(script: &str) -> String {
    format!("{script}; echo the end of {}; exec sleep 1000", std::process::id())
}

/// Installs and starts a service that writes this, and waits until the journal has its last line.
fn wrote(service: &Named, script: &str) -> Ran {
    let ran = service.install().script(&until_the_end(script)).run();
    begin(service, &ran);
    ran
}

fn begin(service: &Named, ran: &Ran) {
    service.manage(ran, "start").run();
    let (last, unit) = (format!("--grep=^the end of {}$", std::process::id()), format!("--unit={service}"));
    wait_for("the last line", 20, || {
        system("journalctl", &["--sync"]);
        let found = Command::new("journalctl").args(["--quiet", &last, &unit]).output().unwrap();
        found.status.success().then_some(())
    });
}

/// The lines of the service itself, without their heads.
fn lines(service: &Named, logs: &str) -> Vec<String> {
    let own = logs.lines().filter(|line| line.contains(&format!(" {service}[")));
    own.map(|line| line.split_once("]: ").unwrap().1.to_owned()).collect()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn every_byte_is_readable_and_no_byte_reaches_a_terminal() {
    let service = named("logs-bytes");
    let ran = wrote(&service, r"printf 'red \033[31m, rewritten\rX, no text \377\n'");
    let logs = || service.manage(&ran, "logs");
    // What goes into a file is what was written.
    let file = ran.folder().join("said");
    logs().stdout_to(fs::File::create(&file).unwrap()).run();
    let said = fs::read(file).unwrap();
    let written = b"red \x1b[31m, rewritten\rX, no text \xff\n";
    assert!(said.windows(written.len()).any(|part| part == written), "{}", String::from_utf8_lossy(&said));
    let shown = logs().on_a_terminal().run().stdout;
    assert!(shown.contains(r"red \u{1b}[31m, rewritten\rX, no text \xff"), "{shown}");
    assert!(!shown.contains("blob data") && !shown.contains("\u{1b}[31m"), "{shown}");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn lines_are_chosen_by_pattern_and_time() {
    let service = named("logs-chosen");
    // The journal may have those of an earlier run of this test.
    let id = std::process::id();
    let ran = wrote(&service, &format!("for n in 1 2 3 4; do echo {id} apple $n; echo {id} pear $n; done"));
    let logs = |options: &[&str]| {
        let (_, ran) = service.manage(&ran, "logs").args(options).run_to_any_end();
        let own = lines(&service, &ran.stdout).into_iter();
        own.filter_map(|line| Some(line.strip_prefix(&format!("{id} "))?.to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(logs(&["--grep", "pear"]), ["pear 1", "pear 2", "pear 3", "pear 4"]);
    // The last ones, in the order in which they were written.
    assert_eq!(logs(&["--grep", "apple", "-n", "2"]), ["apple 3", "apple 4"]);
    assert_eq!(logs(&["-g", "nothing like it"]), [""; 0]);
    assert_eq!(logs(&["--since", "1h ago"]).len(), 8);
    assert_eq!(logs(&["--since", "1h ago", "--until", "now", "--grep", "apple [12]", "-n", "1"]), ["apple 2"]);
    assert_eq!(logs(&["--until", "1h ago"]), [""; 0]);
    service.manage(&ran, "logs").args(["--since", "not a time"]).status(1).stderr_contains("not a time").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn several_services_are_interleaved_by_time() {
    let (one, two) = (named("logs-one"), named("logs-two"));
    let id = std::process::id();
    let ran = wrote(&one, &format!("echo {id} of one"));
    two.install_again(&ran).script(&until_the_end(&format!("echo {id} of two"))).run();
    begin(&two, &ran);
    one.manage(&ran, "restart").run();
    begin(&one, &ran);
    let pattern = format!("{id} of (one|two)");
    let logs = ran.then_manage().args(["logs", "logs-one", "logs-two", "--grep", &pattern]).run().stdout;
    let heads: Vec<&str> =
        logs.lines().map(|line| line.split('[').next().unwrap().rsplit(' ').next().unwrap()).collect();
    assert_eq!(heads, ["logs-one", "logs-two", "logs-one"], "{logs}");
    // Both are followed.
    let file = ran.folder().join("followed");
    let follow = ran.then_manage().args(["logs", "logs-one", "logs-two", "--follow", "--since", "now"]).status(130);
    let running = follow.stdout_to(fs::File::create(&file).unwrap()).spawn();
    let has = |what: &str| fs::read_to_string(&file).unwrap().contains(what).then_some(());
    for (service, what) in [(&one, "of one"), (&two, "of two")] {
        // The first time it may be before journalctl looks.
        wait_for(what, 20, || {
            service.manage(&ran, "restart").run();
            has(what)
        });
    }
    running.signal("INT");
    running.end_soon();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_log_file_is_read_in_place_of_the_journal() {
    let (service, usual) = (named("logs-file"), named("logs-usual"));
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("100% of\tit.log");
    let log = log.to_str().unwrap();
    let script = "echo began; echo to stderr >&2; for n in 1 2; do echo line $n; done; exec sleep 1000";
    let ran = service
        .install()
        .args(["--log-file", log, "--start", "--account", "daemon", "--working-directory", "/"])
        .script(script)
        .run();
    let logs = |options: &[&str]| service.manage(&ran, "logs").args(options);
    let written = "began\nto stderr\nline 1\nline 2\n";
    assert_eq!(fs::read_to_string(log).unwrap(), written);
    assert_eq!(logs(&[]).run().stdout, written);
    assert_eq!(logs(&["-n", "1"]).run().stdout, "line 2\n");
    logs(&["--grep", "line"]).status(2).stderr_contains("grep TEXT").run();
    let status = service.manage(&ran, "status").run().stdout;
    assert!(status.contains(&format!("  output       {}\n", log.replace('\t', "\\t"))), "{status}");
    // Each from where it writes to.
    usual.install_again(&ran).args(["--start"]).script(&until_the_end("echo of the journal")).run();
    let both = ran.then_manage().args(["logs", "logs-file", "logs-usual"]).run().stdout;
    assert!(both.starts_with("logs-file\nbegan\n") && both.contains(": of the journal\n"), "{both}");
    // It goes on behind what is there.
    service.manage(&ran, "restart").run();
    assert_eq!(fs::read_to_string(log).unwrap(), written.repeat(2));
    let file = ran.folder().join("followed");
    let running = logs(&["-f", "-n", "1"]).status(130).stdout_to(fs::File::create(&file).unwrap()).spawn();
    wait_for("a line that is added", 20, || {
        service.manage(&ran, "restart").run();
        fs::read_to_string(&file).unwrap().contains("began\n").then_some(())
    });
    running.signal("INT");
    running.end_soon();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_a_service_wrote_to_its_log_file_tells_why_it_failed() {
    let service = named("logs-why");
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("x.log");
    let script = "echo 'listen tcp :8080: bind: address already in use'; exit 1";
    let (_, ran) = service
        .install()
        .args(["--log-file", log.to_str().unwrap(), "--start", "--restart", "never", "--no-rollback"])
        .args(["--working-directory", folder.path().to_str().unwrap()])
        .script(script)
        .run_to_any_end();
    assert!(ran.stderr.contains("listen tcp :8080") && ran.stderr.contains("port 8080"), "{}", ran.stderr);
    let entry = fs::read_to_string(folder.path().join("logs-why_ERROR_LOG.txt")).unwrap();
    assert!(entry.contains("listen tcp :8080"), "{entry}");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_without_output_writes_nothing_anywhere() {
    let service = named("logs-none");
    let ran = service.install().args(["--log-file", "none", "--start"]).script("echo lost; exec sleep 1000").run();
    system("journalctl", &["--sync"]);
    assert!(!service.manage(&ran, "logs").run().stdout.contains("lost"));
}
