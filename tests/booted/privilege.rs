//! Who may not change the machine's services is told so, and who may need not type `sudo`.

use std::fs;

use crate::support::booted::named;
use crate::support::{Test, probe};

/// sudo looks for programs in directories of its own, so the line to type has the whole path.
const INSTALL: &str = env!("CARGO_BIN_EXE_InstallService");
const MANAGE: &str = env!("CARGO_BIN_EXE_ManageService");

/// A sudo that writes down how it was called.
const RECORD: &str = "printf '%s\\n' \"$@\" > sudo-argv; env > sudo-env; exec $real \"$@\"";

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn without_rights_nothing_is_changed_and_the_line_to_type_is_told() {
    let service = named("privilege-ann");
    let install = service.install().by_person("ann").probe(["two words"]).status(5);
    let line =
        format!("type `sudo {INSTALL} --service_name privilege-ann -- {} 'two words'`\n", probe::path().display());
    let own = format!("without these rights, `{INSTALL} --user --service_name privilege-ann -- ");
    let export = format!("help: `{INSTALL} --output DIR --service_name privilege-ann -- ");
    let install = install.stderr_contains("nothing was changed").stderr_contains(line).stderr_contains(own);
    let ran = install.stderr_contains(export).run();
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());

    let ran = service.install_again(&ran).arg("--start").probe([]).run();
    let (before, pid) = (service.host(&ran.folder().join("working_dir")), service.pid());
    for mode in ["stop", "restart", "start", "remove", "stop_and_reinstall"] {
        let manage = service.manage(&ran, mode).by_person("ann").status(5);
        manage.stderr_contains(format!("help: type `sudo {MANAGE} privilege-ann {mode}`\n")).run();
    }
    service.manage(&ran, "status").by_person("ann").run();
    service.manage(&ran, "show").by_person("ann").stdout_contains("ExecStart=").run();
    // The journal of the system is not for ann; journalctl itself would show nothing.
    let logs = service.manage(&ran, "logs").by_person("ann").status(5).stdout("");
    logs.stderr_contains(format!("help: type `sudo {MANAGE} privilege-ann logs`\n")).run();
    service.manage(&ran, "logs").by_person("joe").stdout_contains("privilege-ann.service").run();
    assert_eq!((service.host(&ran.folder().join("working_dir")), service.pid()), (before, pid));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_dry_run_needs_no_rights() {
    let service = named("privilege-dry");
    let ran = service.install().by_person("ann").arg("--dry-run").probe([]).run();
    assert_eq!(ran.stderr, "");
    assert!(!ran.folder().join("working_dir").exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn with_rights_the_command_runs_again_through_sudo_once() {
    let service = named("privilege-joe");
    let install =
        service.install().by_person("joe").instead_of("sudo", RECORD).args(["--start", "--env", "JOES_TOKEN"]);
    let ran = install.env("JOES_TOKEN", "ü \"$HOME\"\n2").probe(["a b", ""]).run();
    let what = "installing `privilege-joe` (`/etc/systemd/system/privilege-joe.service`)";
    let said = ran.stderr.matches(&format!("{what} needs administrator rights: asking sudo for them\n")).count();
    assert_eq!(said, 1, "{}", ran.stderr);
    let received = service.received();
    assert_eq!(received.argv[1..], ["a b", ""]);
    assert_eq!(received.variable("JOES_TOKEN"), Some("ü \"$HOME\"\n2".as_ref()));
    assert_eq!(received.cwd, ran.folder(), "where joe typed it");
    let argv = fs::read_to_string(ran.folder().join("sudo-argv")).unwrap();
    assert!(argv.contains("JOES_TOKEN") && !argv.contains("$HOME"), "{argv}");

    let unit = "`privilege-joe` (`/etc/systemd/system/privilege-joe.service`)";
    let said = format!("stopping {unit} needs administrator rights: asking sudo for them\n");
    service.manage(&ran, "stop").by_person("joe").stderr_contains(said).run();
    service.manage(&ran, "status").by_person("joe").status(3).stderr("").run();
    service.manage(&ran, "remove").by_person("joe").arg("--remove_env_vars").run();
    assert_eq!(service.property("LoadState"), "not-found");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_is_refused_is_refused_before_sudo() {
    let service = named("privilege-refused");
    let install = service.install().by_person("joe").instead_of("sudo", RECORD);
    let ran = install.args(["--restart", "perhaps", "--env", "NOT_SET"]).probe([]).status(2).run();
    assert!(!ran.folder().join("sudo-argv").exists());
    assert!(!ran.folder().join("working_dir").exists());
    Test::manage().args(["privilege-refused", "start"]).by_person("joe").status(4).run();
}
