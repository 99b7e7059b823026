//! Who may not change the machine's services is told so, and who may need not type `sudo`.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use crate::support::booted::named;
use crate::support::{Test, probe};

/// A sudo that writes down how it was called.
const RECORD: &str = "printf '%s\\n' \"$@\" > sudo-argv; env > sudo-env; exec $real \"$@\"";

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn without_rights_nothing_is_changed_and_the_line_to_type_is_told() {
    let service = named("privilege-ann");
    let install = service.install().by_person("ann").probe(["two words"]).status(5);
    let line =
        format!("type `sudo InstallService --service_name privilege-ann -- {} 'two words'`", probe::path().display());
    let ran = install.stderr_contains("nothing was changed").stderr_contains(line).run();
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());

    let ran = service.install_again(&ran).arg("--start").probe([]).run();
    let (before, pid) = (service.host(&ran.folder().join("working_dir")), service.pid());
    for mode in ["stop", "restart", "start", "remove", "stop_and_reinstall"] {
        let manage = service.manage(&ran, mode).by_person("ann").status(5);
        manage.stderr_contains(format!("help: type `sudo ManageService privilege-ann {mode}`")).run();
    }
    service.manage(&ran, "status").by_person("ann").run();
    service.manage(&ran, "show").by_person("ann").stdout_contains("ExecStart=").run();
    // The journal of the system is not for ann; journalctl itself would show nothing.
    let logs = service.manage(&ran, "logs").by_person("ann").status(5).stdout("");
    logs.stderr_contains("help: type `sudo ManageService privilege-ann logs`").run();
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
    let said = ran.stderr.matches("this needs administrator rights: running it again through sudo\n").count();
    assert_eq!(said, 1, "{}", ran.stderr);
    let received = service.received();
    assert_eq!(received.argv[1..], ["a b", ""]);
    assert_eq!(received.variable("JOES_TOKEN"), Some("ü \"$HOME\"\n2".as_ref()));
    assert_eq!(received.cwd, ran.folder(), "where joe typed it");
    let argv = fs::read_to_string(ran.folder().join("sudo-argv")).unwrap();
    assert!(argv.contains("JOES_TOKEN") && !argv.contains("$HOME"), "{argv}");

    service.manage(&ran, "stop").by_person("joe").run();
    service.manage(&ran, "status").by_person("joe").status(3).stderr("").run();
    service.manage(&ran, "remove").by_person("joe").arg("--remove_env_vars").run();
    assert_eq!(service.property("LoadState"), "not-found");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn sudo_and_its_log_see_no_secret() {
    let service = named("privilege-secret");
    let catalog = format!(
        "[[program]]\nname = \"Vault\"\nabout = \"Has a secret.\"\nexecutable = {:?}\n\
         [[program.argument]]\nname = \"key\"\nkind = \"secret\"\nrequired = true\nhelp = \"The key.\"\n\
         [[program.argument]]\nflags = [\"--password\"]\nkind = \"secret\"\nhelp = \"The password.\"\n",
        probe::path()
    );
    let install = service.install().file("vault.toml", catalog).by_person("joe").instead_of("sudo", RECORD);
    let ran = install.args(["--start", "--catalog", "vault.toml", "Vault", "k3y-k3y", "--password=s3cret"]).run();
    let argv = fs::read_to_string(ran.folder().join("sudo-argv")).unwrap();
    assert!(!argv.contains("k3y-k3y") && !argv.contains("s3cret"), "{argv}");
    let argv = service.received().argv;
    let argv: Vec<_> = argv[1..].iter().map(|word| word.to_str().unwrap()).collect();
    assert_eq!((argv.contains(&"k3y-k3y"), argv.contains(&"--password=s3cret")), (true, true), "{argv:?}");
    for (path, (mode, contents)) in service.host(&ran.folder().join("working_dir")) {
        let holds = String::from_utf8_lossy(&contents).contains("s3cret");
        assert_eq!(holds, path.ends_with("privilege-secret_env_vars.txt"), "{}", path.display());
        assert!(!holds || mode & 0o777 == 0o600, "{}: {mode:o}", path.display());
    }
    assert!(!(ran.stdout + &ran.stderr).contains("s3cret"));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn path_and_virtual_environment_of_the_caller_count_behind_sudo() {
    let service = named("privilege-path");
    let install = service.install();
    let (tools, venv) = (install.folder().join("tools"), install.folder().join("venv"));
    fs::create_dir_all(&tools).unwrap();
    fs::create_dir_all(venv.join("bin")).unwrap();
    symlink(probe::path(), tools.join("joes-probe")).unwrap();
    symlink("/usr/bin/python3", venv.join("bin/python")).unwrap();
    let search = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let ran = install.by_person("joe").env("PATH", &search).args(["--", "joes-probe"]).run();
    assert!(service.unit_text().contains(&format!("ExecStart=:\"{}/joes-probe\"", tools.display())));

    let python = named("privilege-venv");
    let install = python.install_again(&ran).file("mine.py", "def main(arguments):\n    pass\n").by_person("joe");
    install.env("PATH", &search).env("VIRTUAL_ENV", &venv).arg("mine:main").run();
    assert!(python.unit_text().contains(&format!("ExecStart=:\"{}/bin/python\"", venv.display())));
}

/// A rule for the command alone gives no right to one's own environment: sudo would refuse in words that say
/// nothing of what to do.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn rights_without_setenv_are_told() {
    let service = named("privilege-kim");
    drop(Command::new("useradd").args(["--create-home", "kim"]).output());
    let rule = |tags: &str| {
        let rule = format!("kim ALL=(root) {tags} {}\n", env!("CARGO_BIN_EXE_InstallService"));
        fs::write("/etc/sudoers.d/kim", rule).unwrap();
        fs::set_permissions("/etc/sudoers.d/kim", fs::Permissions::from_mode(0o440)).unwrap();
    };
    rule("NOPASSWD:");
    let install = || service.install().by_person("kim").args(["--env", "TOKEN"]).env("TOKEN", "x").probe([]);
    install().status(5).stderr_contains("an administrator writes `SETENV:` in front of its path").run();
    assert!(!service.unit().exists());
    rule("NOPASSWD: SETENV:");
    install().run();
    fs::remove_file("/etc/sudoers.d/kim").unwrap();
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
