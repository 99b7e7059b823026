//! `instances` in a manifest: one `[[service]]` for several services.

use std::fs;

use crate::support::{Ran, Test};

const TWO: &str = "[[service]]\nname = 'relay'\ninstances = ['a', 'b']\nexecutable = '/bin/echo'\n\
                   arguments = ['{instance}', '{{instance}}']\nworking_directory = '/'\n";

fn manifest(text: &str) -> Test {
    Test::install().file("m.toml", text).args(["--target", "systemd", "--manifest", "m.toml"])
}

fn previewed(text: &str) -> Ran {
    manifest(text).args(["--dry-run"]).run()
}

#[test]
fn each_instance_is_a_service_with_a_receipt_of_its_own() {
    let ran = previewed(TWO);
    for line in [
        "    ExecStart=:\"/bin/echo\" \"a\" \"{instance}\"",
        "    ExecStart=:\"/bin/echo\" \"b\" \"{instance}\"",
        "    name = \"relay-b\"",
        "    arguments = [\"b\", \"{instance}\"]",
    ] {
        assert!(ran.stdout.lines().any(|known| known == line), "{line}\n{}", ran.stdout);
    }
    assert!(ran.stdout.contains("systemctl enable relay-a.service relay-b.service"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("instances"), "{}", ran.stdout);
}

#[test]
fn options_beside_the_manifest_are_for_every_instance() {
    let ran = manifest(TWO).args(["--dry-run", "--restart", "on-failure"]).run();
    assert_eq!(ran.stdout.matches("    Restart=on-failure").count(), 2, "{}", ran.stdout);
}

#[test]
fn an_export_lists_them_one_by_one_and_gives_the_same_tree_again() {
    let ran = manifest(TWO).args(["--output", "tree"]).run();
    let written = fs::read_to_string(ran.folder().join("tree/MANIFEST.toml")).unwrap();
    assert_eq!(written.matches("[[service]]").count(), 2, "{written}");
    assert!(!written.contains("instances"), "{written}");
    ran.then_install().args(["--target", "systemd", "--manifest", "tree/MANIFEST.toml", "--output", "tree"]).run();
    assert_eq!(fs::read_to_string(ran.folder().join("tree/MANIFEST.toml")).unwrap(), written);
}

#[test]
fn an_instance_that_is_no_longer_listed_leaves_the_export() {
    let ran = manifest(TWO).args(["--output", "tree"]).run();
    assert!(ran.folder().join("tree/etc/systemd/system/relay-b.service").exists());
    let again = ran.then_install().file("m.toml", TWO.replace(", 'b'", ""));
    again.args(["--target", "systemd", "--manifest", "m.toml", "--output", "tree"]).run();
    assert!(!ran.folder().join("tree/etc/systemd/system/relay-b.service").exists());
    assert!(ran.folder().join("tree/etc/systemd/system/relay-a.service").exists());
}

#[test]
fn two_services_of_one_name_are_refused_as_ever() {
    let text = format!("{TWO}[[service]]\nname = 'relay-b'\nexecutable = '/bin/true'\nworking_directory = '/'\n");
    manifest(&text)
        .args(["--dry-run"])
        .status(2)
        .stdout("")
        .stderr("InstallService: error: service name `relay-b`: two services of one run must not have the same name\n")
        .run();
}

#[test]
fn a_name_that_no_service_can_have_is_told_with_its_line() {
    manifest(&TWO.replace("'b'", "'north east'"))
        .args(["--dry-run"])
        .status(2)
        .stdout("")
        .stderr(
            "InstallService: error: manifest `m.toml`, line 3, key `instances`: `north east` makes the service name \
             `relay-north east`: contains ` `; a service name must consist of letters, digits, `_`, `.` and `-`; did \
             you mean `relay-north_east`?\n",
        )
        .run();
}
