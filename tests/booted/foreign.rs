//! A unit that InstallService did not write is never touched, wherever it comes from.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::booted::{Named, named};
use crate::support::{Ran, system};

/// Refused because of what lies at `path`, and nothing is changed.
#[track_caller]
fn refused(service: &Named, path: impl AsRef<Path>) -> Ran {
    refused_with(service, path, &format!("`--service_name`, such as `--service_name my-{service}`"))
}

#[track_caller]
fn refused_with(service: &Named, path: impl AsRef<Path>, help: &str) -> Ran {
    let path = path.as_ref();
    let before = fs::read(path).ok();
    for start in [&[][..], &["--start"]] {
        let install = service.install().args(start).probe([]).status(2);
        let install = install.stderr_contains(format!("refusing to touch `{}`: ", path.display()));
        let ran = install.stderr_contains(help).run();
        assert_eq!(fs::read(path).ok(), before);
        assert!(!ran.folder().join("working_dir").join(format!("{service}_install_args.toml")).exists());
    }
    service.install().arg("--check").probe([]).status(2).run()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_unit_of_the_administrator() {
    let service = named("foreign-admin");
    fs::write(service.unit(), "[Service]\nExecStart=/bin/sleep 1000\n").unwrap();
    let ran = refused(&service, service.unit());
    for mode in ["start", "stop", "remove", "reinstall"] {
        service.manage(&ran, mode).status(4).run();
    }
    assert!(service.unit().exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_masked_unit_and_an_alias() {
    let (masked, alias) = (named("foreign-masked"), named("foreign-alias"));
    symlink("/dev/null", masked.unit()).unwrap();
    refused_with(&masked, masked.unit(), "`sudo systemctl unmask foreign-masked.service` undoes that");
    assert_eq!(fs::read_link(masked.unit()).unwrap(), Path::new("/dev/null"));
    symlink("/usr/lib/systemd/system/systemd-journald.service", alias.unit()).unwrap();
    refused(&alias, alias.unit());
    for service in [masked, alias] {
        fs::remove_file(service.unit()).unwrap();
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_unit_of_the_distribution() {
    let service = named("systemd-journal-flush");
    refused(&service, "/lib/systemd/system/systemd-journal-flush.service");
    assert!(!service.unit().exists());
    // It must not be touched when the name is given back.
    std::mem::forget(service);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_package_that_brings_a_unit_of_the_same_name_later() {
    let service = named("foreign-packaged");
    let ran = service.install().arg("--start").probe([]).run();
    let packaged = Path::new("/usr/lib/systemd/system/foreign-packaged.service");
    fs::write(packaged, "[Service]\nExecStart=/bin/sleep 1000.7\n").unwrap();
    system("systemctl", &["daemon-reload"]);
    let note = "foreign-packaged.service` is another unit of that name; it has no effect until ours is removed\n";
    service.manage(&ran, "diff").stderr_contains(note).run();
    // An update stays one of ours.
    service.install_again(&ran).probe(["new"]).stderr_contains(note).run();
    let kept = "foreign-packaged.service (not made by InstallService; it is what `foreign-packaged` is now)\n";
    service.manage(&ran, "remove").stderr_contains(kept).run();
    assert!(!service.unit().exists());
    system("systemctl", &["start", "foreign-packaged"]);
    // What is kept of ours can be removed, and theirs goes on.
    service.manage(&ran, "diff").status(10).stderr_contains("is another unit of that name").run();
    service.manage(&ran, "remove").arg("--remove_install_args").run();
    assert_eq!(service.property("ActiveState"), "active");
    system("systemctl", &["stop", "foreign-packaged"]);
    fs::remove_file(packaged).unwrap();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_unit_that_counts_before_the_one_of_ours() {
    let service = named("foreign-control");
    let ran = service.install().probe([]).run();
    let control = Path::new("/etc/systemd/system.control");
    let theirs = control.join("foreign-control.service");
    fs::create_dir_all(control).unwrap();
    fs::write(&theirs, "[Service]\nExecStart=/bin/sleep 1000.8\n").unwrap();
    system("systemctl", &["daemon-reload"]);
    let note = "foreign-control.service` counts, and the unit that InstallService wrote has no effect\n";
    service.manage(&ran, "diff").stderr_contains(note).run();
    let update = service.install_again(&ran).probe(["new"]).status(2);
    update.stderr_contains("a unit of that name is there already, and ours would have no effect beside it\n").run();
    service.manage(&ran, "remove").run();
    assert_eq!((service.unit().exists(), theirs.exists()), (false, true));
    fs::remove_dir_all(control).unwrap();
    // A mask there is none that `systemctl unmask --runtime` would take away.
    let control = Path::new("/run/systemd/system.control");
    let mask = control.join("foreign-control.service");
    fs::create_dir_all(control).unwrap();
    symlink("/dev/null", &mask).unwrap();
    system("systemctl", &["daemon-reload"]);
    refused(&service, &mask);
    fs::remove_file(mask).unwrap();
    system("systemctl", &["daemon-reload"]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_of_ours_that_is_masked_at_run_time() {
    let service = named("foreign-run-mask");
    let ran = service.install().arg("--start").probe([]).run();
    system("systemctl", &["mask", "--runtime", "foreign-run-mask"]);
    let note = "`foreign-run-mask` is masked by `/run/systemd/system/foreign-run-mask.service`, which has no effect until its own unit is removed\n";
    service.manage(&ran, "diff").stderr_contains(note).run();
    service.manage(&ran, "remove").stderr_contains("(`foreign-run-mask` is masked: ").run();
    assert_eq!((service.unit().exists(), service.property("LoadState")), (false, "masked".to_owned()));
    let help = "`sudo systemctl unmask --runtime foreign-run-mask.service` undoes that\n";
    service.manage(&ran, "reinstall").status(2).stderr_contains(help).run();
    system("systemctl", &["unmask", "--runtime", "foreign-run-mask"]);
    service.manage(&ran, "reinstall").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_of_ours_that_is_masked() {
    let service = named("foreign-mask");
    let ran = service.install().arg("--start").probe([]).run();
    // As `systemctl mask` would, but that refuses to where a file is in its place.
    fs::remove_file(service.unit()).unwrap();
    symlink("/dev/null", service.unit()).unwrap();
    system("systemctl", &["daemon-reload"]);
    service.manage(&ran, "diff").status(10).stderr_contains("note: `foreign-mask` is masked: ").run();
    let help = "`sudo systemctl unmask foreign-mask.service` undoes that\n";
    service.manage(&ran, "reinstall").status(2).stderr_contains(help).run();
    service.manage(&ran, "remove").run();
    assert_eq!(fs::read_link(service.unit()).unwrap(), Path::new("/dev/null"));
    assert_eq!(service.property("ActiveState"), "inactive");
    system("systemctl", &["unmask", "foreign-mask"]);
    service.manage(&ran, "reinstall").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_transient_unit() {
    let service = named("foreign-transient");
    system("systemd-run", &["--unit=foreign-transient", "sleep", "1000"]);
    refused(&service, "/run/systemd/transient/foreign-transient.service");
    assert_eq!(service.property("ActiveState"), "active");
    system("systemctl", &["stop", "foreign-transient"]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_init_script() {
    let service = named("foreign-sysv");
    let script = Path::new("/etc/init.d/foreign-sysv");
    fs::create_dir_all("/etc/init.d").unwrap();
    fs::write(script, "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: foreign-sysv\n### END INIT INFO\nexit 0\n").unwrap();
    system("chmod", &["+x", "/etc/init.d/foreign-sysv"]);
    system("systemctl", &["daemon-reload"]);
    refused(&service, "/etc/init.d/foreign-sysv");
    fs::remove_file(script).unwrap();
    system("systemctl", &["daemon-reload"]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_directory_in_the_way() {
    let service = named("foreign-folder");
    fs::create_dir(service.unit()).unwrap();
    refused(&service, service.unit());
    fs::remove_dir(service.unit()).unwrap();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_link_in_place_of_a_file_of_ours_is_not_written_through() {
    let service = named("foreign-link");
    let ran = service.install().probe(["old"]).run();
    let receipt = ran.folder().join("working_dir/foreign-link_install_args.toml");
    let elsewhere = ran.folder().join("elsewhere");
    fs::write(&elsewhere, "precious").unwrap();
    fs::remove_file(&receipt).unwrap();
    symlink(&elsewhere, &receipt).unwrap();
    let unit = service.unit_text();
    let again = service.install_again(&ran).probe(["new"]).status(2);
    again.stderr_contains("foreign-link_install_args.toml`: a symbolic link is in its place").run();
    assert_eq!((fs::read_to_string(&elsewhere).unwrap(), service.unit_text()), ("precious".into(), unit));
}
