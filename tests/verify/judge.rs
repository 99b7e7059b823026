//! systemd itself compares two units without loading either of them into the manager that runs.

use install_service::managers::systemd::judge::{self, Judgement, Pair};
use install_service::model::text::Text;

type Files = Vec<(Text, Vec<u8>)>;

fn files(of: &[(&str, &str)]) -> Files {
    of.iter().map(|(path, contents)| (Text::from(*path), contents.as_bytes().to_vec())).collect()
}

fn judge(name: &str, original: &Files, other: &str) -> Judgement {
    judge::judge(&[Pair { name, original, other: other.as_bytes() }]).expect("what systemd-analyze says")
}

#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn systemd_tells_what_it_makes_of_two_units() {
    let unit = "[Unit]\nAfter=b.service a.service\n[Service]\nExecStart=/bin/true  -x \"a b\"\nRestartSec=1000ms\nNonsense=1\n";
    let drop_in = "[Service]\nNice=5\nSystemCallFilter=@system-service\n";
    let files = files(&[("/etc/x.service", unit), ("/etc/x.service.d/a.conf", drop_in)]);
    let other = "[Unit]\nAfter=a.service\nAfter=b.service\n[Service]\nExecStart=/bin/true -x \"a b\"\nRestartSec=1\nNice=5\n\
                 SystemCallFilter=@system-service\n";
    let judgement = judge("judged-x.service", &files, other);
    assert_eq!(judgement.differ, []);
    let is_told = |(file, line, said): &(Text, usize, String)| {
        (file, *line) == (&Text::from("/etc/x.service"), 6) && said.contains("Nonsense")
    };
    assert!(judgement.ignored.iter().any(is_told), "{judgement:?}");

    for (from, to, property) in [
        ("Nice=5", "Nice=6", "Nice"),
        ("a b", "a  b", "ExecStart"),
        ("After=a.service\n", "", "After"),
        ("RestartSec=1\n", "RestartSec=2\n", "RestartSec"),
        ("@system-service", "@system-service @mount", "SystemCallFilter"),
    ] {
        let other = other.replace(from, to);
        let judgement = judge("judged-x.service", &files, &other);
        let named = judgement.differ.iter().any(|(theirs, _)| theirs.starts_with(property));
        assert!(named, "{from} for {to}: {judgement:?}");
    }
}

/// An instance, and a unit of which this host has drop-ins.
#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn a_name_has_its_meaning() {
    let template = "[Unit]\nDescription=%i of %p\n[Service]\nExecStart=/bin/echo %i\n";
    let plain = "[Unit]\nDescription=home of tunnel\n[Service]\nExecStart=/bin/echo home\n";
    let judgement = judge("tunnel@home.service", &files(&[("tunnel@.service", template)]), plain);
    assert_eq!(judgement.differ, []);
}

/// Of a template an instance is read, with what it says.
#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn a_template_is_compared_as_a_whole() {
    let template = "[Unit]\nDescription=%i of %p\n[Service]\nExecStart=/bin/echo %i\nNonsense=1\n";
    let judged = |other: &str| {
        judge(
            "judged@.service",
            &files(&[("/etc/judged@.service", template), ("/x.conf", "[Service]\nNice=5\n")]),
            other,
        )
    };
    let same = judged(&template.replace("Nonsense=1", "Nice=5"));
    assert_eq!(same.differ, []);
    assert!(
        same.ignored.iter().any(|(file, line, _)| (file.to_string().as_str(), *line) == ("/etc/judged@.service", 5))
    );
    assert_eq!(judged(template).differ.len(), 1);
}

/// A timer is compared beside the service that it starts.
#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn a_timer_is_compared_with_its_service() {
    let service = "[Service]\nType=oneshot\nExecStart=/bin/true\n";
    let timer = "[Unit]\nDescription=x\n[Timer]\nOnCalendar=daily\nOnBootSec=5min\nPersistent=yes\nNonsense=1\n";
    let (of_service, of_timer) = (files(&[("/s.service", service)]), files(&[("/t.timer", timer)]));
    let judged = |other: &str| {
        let service = Pair { name: "judged-t.service", original: &of_service, other: service.as_bytes() };
        let timer = Pair { name: "judged-t.timer", original: &of_timer, other: other.as_bytes() };
        judge::judge(&[service, timer]).expect("what systemd-analyze says")
    };
    let same = judged(&timer.replace("OnBootSec=5min\nPersistent=yes\nNonsense=1", "Persistent=true\nOnBootSec=300"));
    assert_eq!(same.differ, []);
    let told: Vec<_> = same.ignored.iter().map(|(file, line, _)| (file.to_string(), *line)).collect();
    assert_eq!(told, [("/t.timer".to_owned(), 7)]);
    for (from, to) in
        [("daily", "weekly"), ("5min", "6min"), ("Persistent=yes\n", ""), ("Description=x", "Description=y")]
    {
        assert!(!judged(&timer.replace(from, to)).differ.is_empty(), "{from} for {to}");
    }
}
