//! `ManageService NAME doctor` finds what is wrong with a service before it fails, and changes nothing.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use serde_json::Value;

use crate::support::booted::{Named, folder_of, named};
use crate::support::{Ran, Test, system, wait_for};

/// What tests have in common that run side by side: systemd, which reads all units again when one of them asks, and who
/// waits for the network.
static HOST: RwLock<()> = RwLock::new(());

/// Nobody else changes what surrounds services.
fn alone() -> impl Drop {
    HOST.write().unwrap_or_else(PoisonError::into_inner)
}

/// Somebody waits for the network, as on a machine with one: without, that is what is found of every service.
fn with_network() -> impl Drop {
    let shared = HOST.read().unwrap_or_else(PoisonError::into_inner);
    wait_for_network();
    shared
}

fn wait_for_network() {
    let unit = Path::new("/etc/systemd/system/doctor-wait-online.service");
    fs::write(unit, "[Service]\nType=oneshot\nExecStart=/bin/true\n[Install]\nWantedBy=network-online.target\n")
        .unwrap();
    system("systemctl", &["enable", "--quiet", "doctor-wait-online.service"]);
}

/// The findings of a service: their kinds, and what is to be typed.
#[track_caller]
fn findings(service: &Named, installed: &Ran) -> Vec<(String, String)> {
    let before = service.host(&installed.folder().join("working_dir"));
    let status = i32::from(has_any(service, installed)) * 10;
    let ran = service.manage(installed, "doctor").args(["--format", "json"]).status(status).run();
    assert_eq!(service.host(&installed.folder().join("working_dir")), before, "it changes nothing");
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(json["version"], 1);
    let of_service = &json["services"][0];
    assert_eq!(of_service["service"], service.to_string());
    let word = |finding: &Value, key: &str| finding[key].as_str().expect(key).to_owned();
    let findings = of_service["findings"].as_array().unwrap();
    findings.iter().map(|finding| (word(finding, "kind"), word(finding, "type"))).collect()
}

/// By its words on a terminal, which have to say the same.
#[track_caller]
fn has_any(service: &Named, installed: &Ran) -> bool {
    let (status, ran) = service.manage(installed, "doctor").run_to_any_end();
    let is_clean = ran.stdout == format!("{service}: nothing is wrong\n");
    assert_eq!(status, if is_clean { 0 } else { 10 }, "{}", ran.stdout);
    !is_clean
}

#[track_caller]
fn finds(service: &Named, installed: &Ran, kind: &str, cure: &str) {
    let found = findings(service, installed);
    assert!(found.iter().any(|(known, typed)| known == kind && typed.contains(cure)), "{kind} {cure}: {found:#?}");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn nothing_is_found_of_a_service_that_is_fine() {
    let _shared = with_network();
    let service = named("doctor-fine");
    let ran = service.install().arg("--start").probe([]).run();
    assert_eq!(findings(&service, &ran), []);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_program_and_a_directory_that_are_gone() {
    let _shared = with_network();
    let service = named("doctor-gone");
    let folder = folder_of("root", "/srv/doctor-gone");
    let program = folder.join("program");
    fs::copy("/bin/sleep", &program).unwrap();
    let directory = folder.join("work");
    fs::create_dir(&directory).unwrap();
    let install = service.install().arg("--working-directory").arg(&directory).arg("--").arg(&program).arg("1000");
    let ran = install.run();
    assert_eq!(findings(&service, &ran), []);
    fs::remove_file(&program).unwrap();
    fs::remove_dir(&directory).unwrap();
    finds(&service, &ran, "program", "install `doctor-gone` again");
    finds(&service, &ran, "working-directory", "`mkdir -p /srv/doctor-gone/work`");
    // A virtual environment whose Python was taken away.
    let service = named("doctor-venv");
    let python = folder.join("python3");
    symlink("/usr/bin/env", &python).unwrap();
    let ran = service.install().arg("--").arg(&python).args(["sleep", "1000"]).run();
    fs::remove_file(&python).unwrap();
    symlink("/usr/bin/python3.1", &python).unwrap();
    finds(&service, &ran, "interpreter", "`python3 -m venv DIR`");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_program_out_of_reach_of_the_account() {
    let _shared = with_network();
    let service = named("doctor-closed");
    let folder = folder_of("root", "/srv/doctor-closed");
    let program = folder.join("program");
    fs::write(&program, "#!/bin/sh\nexec sleep 1000\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let install = service.install().args(["--account", "ann", "--working-directory", "/"]);
    let ran = install.arg("--").arg(&program).run();
    assert_eq!(findings(&service, &ran), []);
    fs::set_permissions(&program, fs::Permissions::from_mode(0o711)).unwrap();
    finds(&service, &ran, "closed", "`sudo chmod o+r /srv/doctor-closed/program`");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    finds(&service, &ran, "closed", "`sudo chmod o+x /srv/doctor-closed`");

    let service = named("doctor-home");
    let home = folder_of("joe", "/home/joe/doctor");
    fs::set_permissions("/home/joe", fs::Permissions::from_mode(0o755)).unwrap();
    let install = service.install().args(["--account", "ann"]).arg("--working-directory").arg(&home);
    let said = "`/home/joe/doctor` is below the home directory of `joe`, who can close it to `ann`";
    let ran = install.args(["--", "/bin/sleep", "1000"]).stderr_contains(said).run();
    finds(&service, &ran, "home-of-another", "/opt or /srv");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn files_of_ours_that_are_gone() {
    let _shared = with_network();
    let service = named("doctor-files");
    let ran = service.install().args(["--env", "SECRET"]).env("SECRET", "x").probe([]).run();
    assert_eq!(findings(&service, &ran), []);
    let state = ran.folder().join("working_dir");
    fs::remove_file(state.join("doctor-files_env_vars.txt")).unwrap();
    finds(&service, &ran, "secrets", "`ManageService doctor-files reinstall`");
    service.manage(&ran, "reinstall").env("SECRET", "x").run();
    fs::remove_file(state.join("doctor-files_install_args.toml")).unwrap();
    finds(&service, &ran, "receipt", "`InstallService` command again");

    let service = named("doctor-python");
    let words = ["--", "/usr/bin/python3", "-c", "import time; time.sleep(1000)"];
    let ran = service.install().args(words).run();
    assert_eq!(findings(&service, &ran), []);
    fs::remove_file(ran.folder().join("working_dir/doctor-python_stop.sh")).unwrap();
    finds(&service, &ran, "missing-file", "`ManageService doctor-python reinstall`");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_an_administrator_did_to_the_unit() {
    let _alone = alone();
    wait_for_network();
    let service = named("doctor-unit");
    // While it runs, systemd keeps what it has read.
    let ran = service.install().arg("--start").probe([]).run();
    assert_eq!(findings(&service, &ran), []);
    let drop_ins = service.unit().with_extension("service.d");
    fs::create_dir(&drop_ins).unwrap();
    fs::write(drop_ins.join("a.conf"), "[Service]\nRestart=no\n").unwrap();
    finds(&service, &ran, "unread-unit", "`sudo systemctl daemon-reload`");
    system("systemctl", &["daemon-reload"]);
    let found = findings(&service, &ran);
    assert!(found.iter().all(|(kind, _)| kind == "overridden") && found.len() == 1, "{found:?}");
    system("systemctl", &["revert", "doctor-unit"]);

    system("systemctl", &["disable", "--quiet", "doctor-unit"]);
    finds(&service, &ran, "not-enabled", "`ManageService doctor-unit enable`");
    system("systemctl", &["enable", "--quiet", "doctor-unit"]);
    assert_eq!(findings(&service, &ran), []);

    system("systemctl", &["mask", "--runtime", "doctor-unit"]);
    finds(&service, &ran, "masked", "`sudo systemctl unmask --runtime doctor-unit.service`");
    system("systemctl", &["unmask", "--runtime", "doctor-unit"]);

    let other = Path::new("/run/systemd/system/doctor-unit.service");
    fs::write(other, "[Service]\nExecStart=/bin/true\n").unwrap();
    finds(&service, &ran, "other-unit", "`systemctl cat doctor-unit`");
    fs::remove_file(other).unwrap();

    let unit = fs::read(service.unit()).unwrap();
    fs::remove_file(service.unit()).unwrap();
    finds(&service, &ran, "receipt", "`ManageService doctor-unit reinstall`");
    fs::write(service.unit(), unit).unwrap();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_that_was_removed_is_no_fault() {
    let _shared = with_network();
    let service = named("doctor-removed");
    let ran = service.install().probe([]).run();
    service.manage(&ran, "remove").run();
    let told = "doctor-removed: it was removed; `ManageService doctor-removed reinstall` brings it back\n";
    service.manage(&ran, "doctor").stdout(told).run();
    let json = service.manage(&ran, "doctor").args(["--format", "json"]).run().stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json["services"][0]["removed"], &json["services"][0]["findings"]),
        (&true.into(), &serde_json::json!([]))
    );
    // Asked of all services, it is none of them.
    let (_, all) = ran.then_manage().args(["doctor", "--format", "json"]).run_to_any_end();
    let json: Value = serde_json::from_str(&all.stdout).unwrap();
    // Those of other tests may be there.
    let is_it = |found: &Value| found["service"] == "doctor-removed";
    assert!(!json["services"].as_array().unwrap().iter().any(is_it), "{json}");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_is_not_to_be_started_at_boot_is_no_fault() {
    let _shared = with_network();
    let service = named("doctor-no-boot");
    let ran = service.install().arg("--no-boot").probe([]).run();
    assert_eq!(findings(&service, &ran), []);
    service.manage(&ran, "enable").run();
    assert_eq!(findings(&service, &ran), []);
    service.manage(&ran, "disable").run();
    assert_eq!(findings(&service, &ran), []);
    // Behind our back.
    system("systemctl", &["enable", "--quiet", "doctor-no-boot"]);
    finds(&service, &ran, "not-enabled", "`ManageService doctor-no-boot disable`");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_has_done_its_work_is_no_fault() {
    let _shared = with_network();
    let service = named("doctor-worker");
    let ran = service.install().args(["--start", "--restart-sec", "1h"]).script("sleep 6").run();
    wait_for("its end", 20, || (service.property("SubState") == "auto-restart").then_some(()));
    let found = findings_of_any(&service, &ran);
    assert!(!found.contains(&"background".to_owned()), "{found:?}");

    let service = named("doctor-signal");
    let ran = service.install().args(["--start", "--restart-sec", "1h"]).script("sleep 3; kill -PIPE $$").run();
    wait_for("its end", 20, || (service.property("SubState") == "auto-restart").then_some(()));
    let found = findings_of_any(&service, &ran);
    assert!(found.contains(&"signal".to_owned()) && !found.contains(&"background".to_owned()), "{found:?}");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_line_of_the_systemd_table_is_not_taken_for_one_of_a_profile() {
    let _shared = with_network();
    let service = named("doctor-table");
    let manifest = "[[service]]\nname = \"doctor-table\"\nexecutable = \"/usr/bin/touch\"\narguments = [\"/etc/doctor-table\"]\n\
                    working_directory = \"/\"\n[service.systemd]\nProtectSystem = \"strict\"\n";
    let ran = Test::install().file("m.toml", manifest).args(["--manifest", "m.toml"]).run();
    let said = service.manage(&ran, "start").status(1).run().stderr;
    assert!(said.contains("remove the key `ProtectSystem` of the `systemd` table"), "{said}");
    assert!(!said.contains("--hardening none"), "{said}");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_that_is_started_again_and_again() {
    let _shared = with_network();
    let service = named("doctor-loop");
    let install = service.install().args(["--restart-sec", "1"]);
    let ran = install.script("echo 'listen tcp :8080: bind: address already in use'; exit 1").run();
    service.manage(&ran, "start").status(1).run();
    wait_for("a second start", 20, || {
        let again = service.property("NRestarts").parse::<u32>().is_ok_and(|count| count > 1);
        (again && service.property("SubState") == "auto-restart").then_some(())
    });
    // Its second of rest may be over before it is looked at.
    wait_for("what is found", 20, || {
        let found = findings_of_any(&service, &ran);
        let has = |kind: &str| found.iter().any(|known| known == kind);
        (has("repeats") && has("port")).then_some(())
    });
}

/// The kinds of what is found, whatever that is at the moment.
#[track_caller]
fn findings_of_any(service: &Named, installed: &Ran) -> Vec<String> {
    let (_, ran) = service.manage(installed, "doctor").args(["--format", "json"]).run_to_any_end();
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let findings = json["services"][0]["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["kind"].as_str().unwrap().to_owned()).collect()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_surrounds_services_is_found_for_all_of_them() {
    let _alone = alone();
    let waiter = Path::new("/etc/systemd/system/network-online.target.wants");
    drop(fs::remove_dir_all(waiter));
    let service = named("doctor-all");
    let ran = service.install().probe([]).run();
    let all = || ran.then_manage().args(["doctor", "--format", "json"]).status(10).run();
    let json: Value = serde_json::from_str(&all().stdout).unwrap();
    let host = json["host"].as_array().unwrap();
    assert!(host.iter().any(|finding| finding["kind"] == "network"), "{host:#?}");
    let is_it = |examined: &&Value| examined["service"] == "doctor-all";
    let of_it = json["services"].as_array().unwrap().iter().find(is_it).unwrap();
    assert_eq!(of_it["findings"], serde_json::json!([]));
    let text = ran.then_manage().arg("doctor").status(10).run().stdout;
    assert!(text.contains("doctor-all: nothing is wrong\n"), "{text}");
    assert!(
        text.contains("\nthis host:\n  nothing on this host delays `network-online.target`, behind which `"),
        "{text}"
    );
    wait_for_network();
    assert_eq!(findings(&service, &ran), []);
}
