//! Whether a service is started at boot: said at the install, changed by `enable` and `disable`, kept by `reinstall`.

use serde_json::{Value, json};

use crate::support::booted::{Named, named};
use crate::support::{Ran, Test};

/// What systemd itself says.
fn is_enabled(service: &Named) -> String {
    service.property("UnitFileState")
}

fn install(service: &Named) -> Test {
    service.install()
}

fn status(ran: &Ran, service: &Named) -> Value {
    let told = service.manage(ran, "status").args(["--format", "json"]).run_to_any_end().1.stdout;
    serde_json::from_str(&told).unwrap()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_is_disabled_and_enabled_again() {
    let service = named("boot-switched");
    let ran = install(&service).arg("--start").script("exec sleep 1000").run();
    let pid = service.pid();
    assert_eq!(is_enabled(&service), "enabled");
    let unit = service.unit_text();
    service.manage(&ran, "disable").stdout("boot-switched: disabled, it does not start at boot\n").run();
    service.manage(&ran, "disable").stdout("boot-switched: unchanged\n").run();
    assert_eq!((is_enabled(&service), status(&ran, &service)["enabled"].clone()), ("disabled".into(), json!(false)));
    // It runs on, by the same unit, and nothing differs from what was asked for.
    assert_eq!((service.pid(), service.unit_text()), (pid, unit));
    service.manage(&ran, "diff").stdout("").run();
    service.manage(&ran, "reinstall").stdout("unchanged: boot-switched\n").run();
    service.manage(&ran, "stop_and_restart").run();
    assert_eq!(is_enabled(&service), "disabled");
    service.manage(&ran, "enable").stdout("boot-switched: enabled, it starts at boot\n").run();
    service.manage(&ran, "enable").stdout("boot-switched: unchanged\n").run();
    assert_eq!(is_enabled(&service), "enabled");
    service.manage(&ran, "diff").stdout("").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_is_installed_without_a_start_at_boot() {
    let service = named("boot-never");
    let ran = install(&service).arg("--no-boot").script("exec sleep 1000").run();
    assert_eq!(is_enabled(&service), "disabled");
    assert!(service.unit_text().contains("WantedBy=multi-user.target\n"));
    let again = || service.install_again(&ran);
    again().arg("--no-boot").script("exec sleep 1000").stdout("unchanged: boot-never\n").run();
    // An administrator does it by hand: that is seen, and taken away.
    crate::support::system("systemctl", &["enable", "--quiet", "boot-never"]);
    service.manage(&ran, "diff").status(10).stdout("boot-never starts at boot, and should not\n").run();
    service.manage(&ran, "reinstall").stdout_contains("updated: boot-never").run();
    assert_eq!(is_enabled(&service), "disabled");
    // The command without the word is the usual one.
    again().script("exec sleep 1000").run();
    assert_eq!(is_enabled(&service), "enabled");
    again().arg("--no-boot").script("exec sleep 1000").run();
    assert_eq!(is_enabled(&service), "disabled");
    service.manage(&ran, "remove").stdout("boot-never: removed\n").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_fails_leaves_the_links_and_the_receipt_as_they_were() {
    let service = named("boot-undone");
    let ran = install(&service).script("exec sleep 1000").run();
    let state = ran.folder().join("working_dir");
    let before = service.host(&state);
    let fails = |mode: &str, word: &str| {
        let script = format!("[ $1 = {word} ] && [ ! -e {mode}ed ] || exec $real \"$@\"; : > {mode}ed; exit 1");
        let failing = service.manage(&ran, mode).instead_of("systemctl", &script);
        failing.status(1).stderr_contains("the host is as it was before").run();
    };
    fails("disable", "daemon-reload");
    assert_eq!(service.host(&state), before);
    service.manage(&ran, "disable").run();
    let before = service.host(&state);
    fails("enable", "enable");
    assert_eq!(service.host(&state), before);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn several_are_switched_in_one_go() {
    let (one, two) = (named("boot-one"), named("boot-two"));
    let ran = install(&one).arg("--no-boot").script("exec sleep 1000").run();
    two.install_again(&ran).script("exec sleep 1000").run();
    let said = "boot-one: unchanged\nboot-two: disabled, it does not start at boot\n";
    ran.then_manage().args(["disable", "boot-one", "boot-two"]).stdout(said).run();
    assert_eq!([is_enabled(&one), is_enabled(&two)], ["disabled", "disabled"]);
}
