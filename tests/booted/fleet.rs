//! docs/fleet.md is true: its manifest is one, its commands run, and the package that it makes of a tree
//! installs the services on a booted systemd. (Its role of Ansible, and what it says of
//! Puppet and Salt, are in tests/fleet.)

use std::fs;
use std::path::Path;

use install_service::manifest::Manifest;

use crate::support::readme::{Block, blocks_of, shell};
use crate::support::{system, wait_for};

fn block(language: &str, part: &str) -> String {
    let is_it = |block: &Block| block.language == language && block.text.contains(part);
    let found = blocks_of(include_str!("../../docs/fleet.md")).into_iter().find(is_it);
    found.unwrap_or_else(|| panic!("no block with {part:?}")).text
}

#[track_caller]
fn run(script: &str, folder: &Path) {
    let output = shell(script, folder).output().expect("bash");
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// A folder with the manifest in it.
fn with_manifest() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("services.toml"), block("toml", "[[service]]")).expect("to write");
    folder
}

#[test]
fn the_manifest_is_one_and_is_exported() {
    let manifest =
        Manifest::parse(&block("toml", "[[service]]"), "docs/fleet.md").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(manifest.services().len(), 2);
    let folder = with_manifest();
    run(&block("sh", "--output tree"), folder.path());
    run(&block("sh", "--layout ansible"), folder.path());
    for path in ["tree/etc/systemd/system/watch.service", "tree/MANIFEST.toml", "roles/install_service/tasks/main.yml"]
    {
        assert!(folder.path().join(path).exists(), "{path}");
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn the_package_installs_the_services() {
    let folder = with_manifest();
    run(&block("sh", "--output tree"), folder.path());
    run(&block("sh", "dpkg-deb"), folder.path());
    let package = folder.path().join("lab-services.deb");
    system("dpkg", &["--install", package.to_str().expect("plain text")]);
    let enabled = system("systemctl", &["is-enabled", "uploader.service", "watch.service"]);
    assert_eq!(enabled, "enabled\nenabled\n");
    // systemd takes the units as they are; there are no programs behind them here.
    for unit in ["uploader", "watch"] {
        assert_eq!(system("systemctl", &["show", "--value", "--property=LoadState", unit]), "loaded\n");
        assert!(Path::new("/var/lib/install-service").join(format!("{unit}_install_args.toml")).exists());
    }
    system("dpkg", &["--remove", "lab-services"]);
    wait_for("the units to be gone", 5, || (!Path::new("/etc/systemd/system/watch.service").exists()).then_some(()));
    drop(fs::remove_dir_all("/var/lib/install-service"));
}
