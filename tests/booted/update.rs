//! `InstallService --update`: what is said changes, and all else of a service stays.

use std::fs;

use crate::support::Test;
use crate::support::booted::named;

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_update_keeps_arguments_secrets_and_the_rest() {
    let service = named("update-one");
    let install = service.install().args(["--env", "TOKEN", "--env", "A=1", "--no-boot", "--start"]);
    let ran = install.env("TOKEN", "kept value").probe(["some", "arguments"]).run();
    let update = |words: &[&str]| -> Test { service.install_again(&ran).arg("--update").args(words) };
    // Nobody is asked, and a variable of whoever updates is not taken for the secret.
    let updated = update(&["--env", "B=2", "--start"]).env("TOKEN", "of somebody else");
    updated.stdout_contains("updated: update-one").run();
    let received = service.received();
    assert_eq!(received.argv[1..], ["some", "arguments"]);
    let variable = |name: &str| received.variable(name).and_then(|value| value.to_str().map(str::to_owned));
    let all = ["TOKEN", "A", "B"].map(|name| variable(name).unwrap());
    assert_eq!(all, ["kept value", "1", "2"]);
    assert_eq!(service.property("UnitFileState"), "disabled");
    update(&["--env", "B=2"]).stdout("unchanged: update-one\n").run();
    // Who names the secret has a new value for it.
    update(&["--env", "TOKEN", "--start"]).env("TOKEN", "new value").run();
    assert_eq!(service.received().variable("TOKEN"), Some("new value".as_ref()));
    // Another one is none of its business; the preview knows that, too.
    let other =
        |more: &str| update(&["--env", "OTHER", more]).env("TOKEN", "of somebody else").env("OTHER", "its value");
    let changes = other("--dry-run").run().stdout;
    assert!(changes.contains("OTHER") && !changes.contains("TOKEN="), "{changes}");
    other("--start").run();
    let received = service.received();
    assert_eq!(received.variable("TOKEN"), Some("new value".as_ref()));
    assert_eq!(received.variable("OTHER"), Some("its value".as_ref()));
    update(&["--boot"]).stdout_contains("updated: update-one").run();
    assert_eq!(service.property("UnitFileState"), "enabled");
    let description = service.property("Description");
    update(&["--description", "Another one"]).run();
    assert_ne!(service.property("Description"), description);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_update_goes_through_sudo() {
    let service = named("update-sudo");
    let ran = service.install().probe(["mine"]).run();
    let update = service.install_again(&ran).args(["--update", "--description", "By joe"]).by_person("joe");
    update.stdout_contains("updated: update-sudo").run();
    assert_eq!(service.property("Description"), "By joe");
}

/// Version 0.1.0 wrote the profile `baseline` where nothing was said.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn the_loss_of_a_profile_that_was_the_default_is_told() {
    let service = named("update-profile");
    let ran = service.install().args(["--hardening", "baseline"]).probe(["mine"]).run();
    let receipt = ran.folder().join("working_dir/update-profile_install_args.toml");
    let said = fs::read_to_string(&receipt).unwrap();
    fs::write(&receipt, said.replacen("hardening = \"baseline\"\n", "", 1)).unwrap();
    let keeps = "`InstallService --update --service_name update-profile --hardening baseline` brings it back\n";
    service.manage(&ran, "diff").status(10).stderr_contains(keeps).run();
    service.manage(&ran, "reinstall").stderr_contains(keeps).run();
    assert_eq!(service.property("NoNewPrivileges"), "no");
    let update = |profile: &str| service.install_again(&ran).args(["--update", "--hardening", profile]).run().stderr;
    let told = update("baseline");
    assert!(!told.contains(keeps), "{told}");
    assert_eq!(service.property("NoNewPrivileges"), "yes");
    // Who says `none` knows what that means.
    let told = update("none");
    assert!(!told.contains(keeps), "{told}");
}
