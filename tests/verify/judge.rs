//! systemd itself compares two units without loading either of them into the manager that runs.

use install_service::managers::systemd::judge::judge;

#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn systemd_tells_what_it_makes_of_two_units() {
    let unit = b"[Unit]\nAfter=b.service a.service\n[Service]\nExecStart=/bin/true  -x \"a b\"\nRestartSec=1000ms\nNonsense=1\n";
    let drop_in = b"[Service]\nNice=5\nSystemCallFilter=@system-service\n";
    let files = [("x.service", &unit[..]), ("a.conf", &drop_in[..])];
    let other = "[Unit]\nAfter=a.service\nAfter=b.service\n[Service]\nExecStart=/bin/true -x \"a b\"\nRestartSec=1\nNice=5\n\
                 SystemCallFilter=@system-service\n";
    let judgement = judge("judged-x.service", &files, other.as_bytes()).expect("what systemd-analyze says");
    assert_eq!(judgement.differ, []);
    let is_told = |(file, line, said): &(usize, usize, String)| (*file, *line) == (0, 6) && said.contains("Nonsense");
    assert!(judgement.ignored.iter().any(is_told), "{judgement:?}");

    for (from, to, property) in [
        ("Nice=5", "Nice=6", "Nice"),
        ("a b", "a  b", "ExecStart"),
        ("After=a.service\n", "", "After"),
        ("RestartSec=1\n", "RestartSec=2\n", "RestartSec"),
        ("@system-service", "@system-service @mount", "SystemCallFilter"),
    ] {
        let other = other.replace(from, to);
        let judgement = judge("judged-x.service", &files, other.as_bytes()).expect("what systemd-analyze says");
        let named = judgement.differ.iter().any(|(theirs, _)| theirs.starts_with(property));
        assert!(named, "{from} for {to}: {judgement:?}");
    }
}

/// An instance, and a unit of which this host has drop-ins.
#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn a_name_has_its_meaning() {
    let template = b"[Unit]\nDescription=%i of %p\n[Service]\nExecStart=/bin/echo %i\n";
    let plain = b"[Unit]\nDescription=home of tunnel\n[Service]\nExecStart=/bin/echo home\n";
    let judgement = judge("tunnel@home.service", &[("tunnel@.service", template)], plain).expect("what it says");
    assert_eq!(judgement.differ, []);
}
