//! Every link to a unit of ours is part of the plan: compared, journalled, and put back.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::booted::{Named, named};
use crate::support::{Ran, Test, system};
use serde_json::json;

/// A `systemctl` that enables, and then says that it could not.
const ENABLE_FAILS_LATE: &str = "[ $1 = enable ] || exec $real \"$@\"; $real \"$@\"; echo 'no luck today' >&2; exit 1";
/// One that does not reload, the first time that it is asked to.
const NO_RELOAD: &str =
    "[ $1 = daemon-reload ] && [ ! -e asked ] || exec $real \"$@\"; : > asked; echo 'no luck today' >&2; exit 1";

/// A manifest with one service, whose unit has these lines in [Install].
fn manifest(service: &Named, install: &str) -> String {
    format!(
        "[[service]]\nname = \"{service}\"\nexecutable = \"/bin/sleep\"\narguments = [\"1000\"]\n\
         [service.systemd]\n{install}\n"
    )
}

fn install(service: &Named, lines: &str) -> Test {
    Test::install().file("services.toml", manifest(service, lines)).args(["--manifest", "services.toml"])
}

fn again(ran: &Ran, service: &Named, lines: &str) -> Test {
    ran.then_install().file("services.toml", manifest(service, lines)).args(["--manifest", "services.toml"])
}

fn link(path: &str) -> PathBuf {
    Path::new("/etc/systemd/system").join(path)
}

fn is_link(path: &str) -> bool {
    link(path).symlink_metadata().is_ok()
}

/// A unit of the administrator, which is gone when this goes.
struct Other(Named);

impl Other {
    fn new(name: &'static str) -> Self {
        let other = named(name);
        fs::write(other.unit(), "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n").unwrap();
        Self(other)
    }

    fn is_enabled(&self) -> bool {
        self.0.boot_link().symlink_metadata().is_ok()
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_failing_install_leaves_what_it_also_enables_as_it_was() {
    for was_enabled in [true, false] {
        let (service, other) = (named("links-also"), Other::new("links-also-other"));
        if was_enabled {
            system("systemctl", &["enable", "--quiet", "links-also-other.service"]);
        }
        let install = install(&service, "\"Install.Also\" = \"links-also-other.service\"");
        let ran = install.instead_of("systemctl", ENABLE_FAILS_LATE).status(1).stderr_contains("no luck today").run();
        assert!(ran.stderr.contains("the host is as it was before"), "{}", ran.stderr);
        assert_eq!((other.is_enabled(), is_link("multi-user.target.wants/links-also.service")), (was_enabled, false));
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_update_takes_away_what_the_unit_no_longer_asks_for() {
    let service = named("links-update");
    let lines = "\"Install.Alias\" = \"links-other-name.service\"\n\"Install.WantedBy\" = \"graphical.target\"";
    let ran = install(&service, lines).run();
    let links = ["links-other-name.service", "graphical.target.wants/links-update.service"];
    assert_eq!(links.map(is_link), [true, true]);
    again(&ran, &service, lines).stdout("unchanged: links-update\n").run();
    // A failing one brings them back.
    let failing = again(&ran, &service, "").instead_of("systemctl", ENABLE_FAILS_LATE).status(1);
    failing.stderr_contains("the host is as it was before").run();
    assert_eq!(links.map(is_link), [true, true]);
    let check = || again(&ran, &service, "").arg("--check");
    let stale = "links-update no longer asks for the link /etc/systemd/system/links-other-name.service\n";
    check().status(10).stdout_contains(stale).run();
    again(&ran, &service, "").run();
    assert_eq!(links.map(is_link), [false, false]);
    assert!(service.boot_link().symlink_metadata().is_ok());
    check().stdout("").run();
    again(&ran, &service, "").stdout("unchanged: links-update\n").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn missing_links_are_seen_and_made_again() {
    let service = named("links-missing");
    let lines = "\"Install.Alias\" = \"links-missing-too.service\"";
    let ran = install(&service, lines).run();
    fs::remove_file(link("links-missing-too.service")).unwrap();
    let diff = || service.manage(&ran, "diff");
    let missing = "the link /etc/systemd/system/links-missing-too.service is missing\n";
    diff().status(10).stdout(missing).run();
    let told = diff().status(10).args(["--format", "json"]).run().stdout;
    let document: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        document["links"],
        json!([{"service": "links-missing", "path": "/etc/systemd/system/links-missing-too.service",
                "state": "missing"}])
    );
    assert_eq!(document["not_enabled"], json!([]));
    fs::remove_file(service.boot_link()).unwrap();
    diff().status(10).stdout("links-missing does not start at boot\n").run();
    service.manage(&ran, "reinstall").run();
    assert!(is_link("links-missing-too.service") && service.boot_link().symlink_metadata().is_ok());
    diff().stdout("").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_somebody_else_linked_is_told_and_stays() {
    let service = named("links-foreign");
    let ran = install(&service, "").run();
    system("systemctl", &["add-wants", "--quiet", "rescue.target", "links-foreign.service"]);
    let foreign = "rescue.target.wants/links-foreign.service";
    let told = format!("links-foreign never asked for the link /etc/systemd/system/{foreign}\n");
    service.manage(&ran, "diff").status(10).stdout(told).run();
    again(&ran, &service, "Nice = 5").run();
    assert!(is_link(foreign));
    service.manage(&ran, "remove").run();
    assert!(!is_link(foreign));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_failing_removal_brings_every_link_back() {
    let service = named("links-removal");
    let ran = install(&service, "\"Install.Alias\" = \"links-removal-too.service\"").run();
    system("systemctl", &["add-wants", "--quiet", "rescue.target", "links-removal.service"]);
    let links = ["links-removal-too.service", "rescue.target.wants/links-removal.service"];
    let failing = service.manage(&ran, "remove").instead_of("systemctl", NO_RELOAD).status(1);
    failing.stderr_contains("the host is as it was before").run();
    assert_eq!(links.map(is_link), [true, true]);
    assert!(service.boot_link().symlink_metadata().is_ok());
    service.manage(&ran, "remove").run();
    assert_eq!(links.map(is_link), [false, false]);
}

/// What a power cut brings back, or a kill behind the journal's end leaves.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_lies_around_without_a_journal_is_taken_away() {
    let service = named("links-leftovers");
    let ran = install(&service, "").run();
    let state = ran.folder().join("working_dir");
    let ours = [
        link(".install-service-links-leftovers.service.before"),
        link(".install-service-links-leftovers.service.a1B2c3"),
        state.join(".install-service-links-leftovers_install_args.toml.before"),
    ];
    // Of a run that may be at work with another state directory, and of nobody.
    let elsewhere = named("links-elsewhere");
    install(&elsewhere, "").run();
    let others = [
        link(".install-service-links-elsewhere.service.a1B2c3"),
        link(".install-service-links-of-others.service.a1B2c3"),
        link(".install-service-links-leftovers.service.notes"),
    ];
    ours.iter().chain(&others).for_each(|path| fs::write(path, "").unwrap());
    service.manage(&ran, "stop").run();
    assert!(ours.iter().all(|path| !path.exists()));
    assert!(others.iter().all(|path| path.exists()));
    others.iter().for_each(|path| fs::remove_file(path).unwrap());
}

/// A service that nothing starts at boot has no links, also where its earlier unit had some.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_nothing_starts_at_boot_is_not_enabled() {
    let service = named("links-none");
    let ran = install(&service, "").run();
    assert!(service.boot_link().symlink_metadata().is_ok());
    let none = "\"Install.WantedBy\" = \"\"";
    again(&ran, &service, none).run();
    assert!(service.boot_link().symlink_metadata().is_err());
    again(&ran, &service, none).arg("--check").stdout("").run();
    again(&ran, &service, none).stdout("unchanged: links-none\n").run();
    let enable = ran.then_manage().args(["links-none", "enable"]).status(2);
    enable.stderr_contains("its unit has no line that starts it at boot").run();
    again(&ran, &service, "").run();
    assert!(service.boot_link().symlink_metadata().is_ok());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_plain_unit_is_enabled_if_it_says_so() {
    let service = named("links-plain");
    let plain = |ran: Option<&Ran>, rest: &str| {
        let text = format!("[[service]]\nname = \"{service}\"\nplain = true\ncommand = [\"/bin/sleep 1000\"]\n{rest}");
        let test = ran.map_or_else(Test::install, Ran::then_install);
        test.file("services.toml", &text).args(["--manifest", "services.toml"])
    };
    let ran = plain(None, "").run();
    assert!(service.boot_link().symlink_metadata().is_err());
    plain(Some(&ran), "").arg("--check").stdout("").run();
    let at_boot = ["--update", "--service_name", "links-plain", "--boot"];
    ran.then_install().args(at_boot).run();
    assert!(service.boot_link().symlink_metadata().is_ok());
    ran.then_manage().args(["links-plain", "disable"]).run();
    assert!(service.boot_link().symlink_metadata().is_err());
    ran.then_manage().args(["links-plain", "enable"]).run();
    ran.then_manage().args(["links-plain", "diff"]).stdout("").run();
    let unit = fs::read_to_string(service.unit()).unwrap();
    let said = ["[Unit]", "", "[Service]", "ExecStart=/bin/sleep 1000", "", "[Install]", "WantedBy=multi-user.target"];
    assert_eq!(unit.lines().skip(1).collect::<Vec<_>>(), said);
}
