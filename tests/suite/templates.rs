//! Templates of systemd, as far as they go without one that runs; tests/booted/templates.rs goes all the way.

use std::fs;

use crate::support::{Ran, Test};

const RELAY: &str = "[[service]]\nname = 'relay@'\nworking_directory = '/srv'\n";

fn manifest(rest: &str) -> Test {
    Test::install().file("m.toml", format!("{RELAY}{rest}\n")).args(["--manifest", "m.toml"])
}

fn previewed(rest: &str) -> Ran {
    manifest(rest).args(["--dry-run", "--target", "systemd"]).run()
}

#[test]
fn a_template_has_the_words_of_systemd_and_arguments_byte_for_byte() {
    let ran = previewed("command = ['/usr/bin/relay %i']");
    for line in ["ExecStart=/usr/bin/relay %i", "SyslogIdentifier=relay@%i", "systemctl daemon-reload"] {
        assert!(ran.stdout.lines().any(|known| known.trim() == line), "{line}\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains("systemctl enable"), "{}", ran.stdout);
    let ran = previewed("executable = '/bin/echo'\narguments = ['%i']");
    assert!(ran.stdout.contains("ExecStart=:\"/bin/echo\" \"%%i\"\n"), "{}", ran.stdout);
}

#[test]
fn its_default_instance_is_enabled_with_it() {
    let said = "command = ['/usr/bin/relay %i']\nsystemd = { 'Install.DefaultInstance' = 'north' }";
    let ran = previewed(said);
    assert!(ran.stdout.contains("    systemctl enable relay@.service\n"), "{}", ran.stdout);
    let ran = previewed(&format!("at_boot = false\n{said}"));
    assert!(!ran.stdout.contains("systemctl enable"), "{}", ran.stdout);
}

#[test]
fn it_is_exported_under_its_name() {
    let ran = manifest("command = ['/usr/bin/relay %i']").args(["--target", "systemd", "--output", "tree"]).run();
    let unit = fs::read_to_string(ran.folder().join("tree/etc/systemd/system/relay@.service")).unwrap();
    assert!(unit.contains("\nExecStart=/usr/bin/relay %i\n"), "{unit}");
    assert!(fs::read_to_string(ran.folder().join("tree/MANIFEST.toml")).unwrap().contains("name = \"relay@\"\n"));
}

#[test]
fn it_is_not_started() {
    manifest("command = ['/usr/bin/relay %i']")
        .args(["--dry-run", "--target", "systemd", "--start"])
        .status(2)
        .stdout("")
        .stderr(
            "InstallService: error: service `relay@`: it is a template: only its instances run\n  help: `ManageService \
             relay@INSTANCE start` starts one, with a name of yours for INSTANCE\n",
        )
        .run();
}

#[test]
fn nssm_has_none() {
    Test::install()
        .args(["--dry-run", "--target", "nssm", "--service_name", "relay@", "--working-directory", r"C:\srv"])
        .args(["--", r"C:\relay.exe"])
        .status(2)
        .stdout("")
        .stderr(
            "InstallService: error: service name `relay@`: must not be that of a template, which only systemd has\n  help: \
             `instances = [\"a\", \"b\"]` in a manifest makes a service for each\n",
        )
        .run();
}
