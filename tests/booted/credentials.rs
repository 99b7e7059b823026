//! Secrets as credentials of systemd: encrypted on the disk, given to the program alone, and otherwise kept,
//! compared, changed and taken back like those in a file.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::Command;

use crate::support;
use crate::support::booted::{Named, folder_of, named};
use crate::support::{Ran, Test, system};

const SECRET: &str = "hunter 2 \\ \"$x\" `id` ' ! %n\n#second=line é\t";
const OTHER: &str = "another 'one\\";

fn install(service: &Named, ran: &Ran, secret: &str, options: &[&str]) -> Test {
    let install = service.install_again(ran).args(["--secrets", "credentials", "--env", "TOKEN"]);
    install.env("TOKEN", secret).args(options).probe([])
}

fn state(ran: &Ran, service: &Named, end: &str) -> PathBuf {
    ran.folder().join(format!("working_dir/{service}_{end}"))
}

/// What the program that runs now was given.
#[track_caller]
fn token(service: &Named) -> String {
    service.received().variable("TOKEN").expect("it is set").to_str().expect("text").to_owned()
}

fn somewhere() -> Ran {
    Test::manage().arg("-V").run()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_is_encrypted_reaches_the_program() {
    let service = named("credentials-whole");
    let ran = somewhere();
    let told = install(&service, &ran, SECRET, &["--dry-run"]).run().stdout;
    assert!(told.contains("_env_vars.cred  (mode 0600, encrypted, values not shown)\n    TOKEN=********\n"), "{told}");
    install(&service, &ran, SECRET, &["--start"]).run();
    assert_eq!(token(&service), SECRET);

    let kept = state(&ran, &service, "env_vars.cred");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o7777, 0o600);
    let encrypted = fs::read_to_string(&kept).unwrap();
    assert!(!encrypted.contains("hunter") && !encrypted.contains("TOKEN"), "{encrypted}");
    let opened = system("systemd-creds", &["decrypt", "--name=environment", kept.to_str().unwrap(), "-"]);
    assert!(opened.contains("\nTOKEN=\"hunter 2 "), "{opened}");
    assert!(!state(&ran, &service, "env_vars.txt").exists());
    assert!(service.unit_text().contains("\nLoadCredentialEncrypted=environment:"));
    assert!(!system("systemctl", &["show", &service.to_string()]).contains("hunter"));

    // Encrypted anew it would be another file: it is compared by what is in it.
    install(&service, &ran, SECRET, &[]).stdout("unchanged: credentials-whole\n").run();
    install(&service, &ran, SECRET, &["--check"]).run();
    service.manage(&ran, "diff").run();
    assert_eq!(fs::read_to_string(&kept).unwrap(), encrypted);

    let told = install(&service, &ran, OTHER, &["--start"]).stdout_contains(" TOKEN has another value\n").run();
    assert!(!told.stdout.contains("another '") && !told.stderr.contains("another '"), "{}{}", told.stdout, told.stderr);
    assert_eq!(token(&service), OTHER);
    let shown = service.manage(&ran, "show").run().stdout;
    assert!(shown.contains("secrets_in = \"credentials\"") && !shown.contains("another '"), "{shown}");

    service.manage(&ran, "remove").stderr_contains("env_vars.cred (`--remove_env_vars` removes it)").run();
    service.manage(&ran, "reinstall").run();
    service.manage(&ran, "start").run();
    assert_eq!(token(&service), OTHER);
    service.manage(&ran, "remove").args(["--remove_env_vars", "--remove_install_args"]).run();
    assert!(service.host(&ran.folder().join("working_dir")).is_empty());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn python_is_given_them_too_and_its_arguments() {
    let service = named("credentials-python");
    let module = format!(
        "import os\ndef main(arguments):\n    os.execv({probe:?}, [{probe:?}] + arguments)\n",
        probe = support::probe::path()
    );
    let python = ["--python", "/usr/bin/python3", "--secrets", "credentials", "--restart", "never"];
    let install = service.install().args(python).file("credential_user.py", module).env("TOKEN", SECRET).arg("--start");
    install.args(["credential_user:main", "$TOKEN"]).run();
    let received = service.received();
    assert_eq!(received.variable("TOKEN"), Some(SECRET.as_ref()));
    assert_eq!(received.argv[1], SECRET);
    let cmdline = service.unit_text();
    assert!(!cmdline.contains("hunter") && cmdline.contains("LoadCredentialEncrypted="), "{cmdline}");
}

/// systemd opens them for the account, whose service has no other right to them.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_account_is_given_its_own() {
    let service = named("credentials-account");
    let folder = folder_of("ann", "/srv/credentials-account");
    let install = service.install().args(["--state-dir", "/var/lib/credentials-account", "--working-directory"]);
    let install = install.arg(&folder).args(["--account", "ann", "--hardening", "service"]);
    let install = install.args(["--secrets", "credentials", "--env", "TOKEN", "--start"]).env("TOKEN", SECRET);
    install.probe([]).run();
    assert_eq!(token(&service), SECRET);
    let owner = fs::metadata(format!("/proc/{}", service.pid())).unwrap().uid();
    assert_eq!(owner, fs::metadata(&folder).unwrap().uid());
    let read = "cat /var/lib/credentials-account/credentials-account_env_vars.cred /run/credentials/*/environment";
    let refused = Command::new("runuser").args(["-u", "joe", "--", "sh", "-c", read]).output().unwrap();
    assert!(refused.stdout.is_empty(), "{}", String::from_utf8_lossy(&refused.stdout));
}

/// From a file to credentials and back no value is asked for again, and none lies in both.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn the_store_can_be_changed() {
    let service = named("credentials-store");
    let ran = somewhere();
    let (plain, encrypted) = (state(&ran, &service, "env_vars.txt"), state(&ran, &service, "env_vars.cred"));
    install(&service, &ran, SECRET, &["--start"]).run();
    for (options, left, line) in [
        (&["--secrets", "file"][..], [true, false], "EnvironmentFile="),
        (&["--secrets", "credentials"], [false, true], "LoadCredentialEncrypted="),
        (&["--secrets", "credentials", "--assume", "systemd=249"], [true, false], "LoadCredential="),
        (&["--secrets", "credentials"], [false, true], "LoadCredentialEncrypted="),
    ] {
        service.install_again(&ran).args(options).args(["--env", "TOKEN", "--start"]).probe([]).run();
        assert_eq!([plain.exists(), encrypted.exists()], left, "{options:?}");
        assert!(service.unit_text().contains(&format!("\n{line}")), "{options:?}");
        assert_eq!(token(&service), SECRET, "{options:?}");
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_fails_puts_the_earlier_one_back() {
    let service = named("credentials-undo");
    let ran = somewhere();
    install(&service, &ran, SECRET, &["--start"]).run();
    let before = service.host(&ran.folder().join("working_dir"));
    let update = || install(&service, &ran, OTHER, &["--description", "x", "--start"]).status(1);
    let enable = "[ \"$1\" != enable ] || { echo no luck today >&2; exit 1; }; exec $real \"$@\"";
    update().instead_of("systemctl", enable).stderr_contains("the host is as it was before").run();
    assert_eq!(service.host(&ran.folder().join("working_dir")), before);
    update()
        .instead_of("systemd-creds", "cat > /dev/null; echo no key today >&2; exit 1")
        .stderr_contains("no key today")
        .run();
    assert_eq!(service.host(&ran.folder().join("working_dir")), before);
    assert_eq!(token(&service), SECRET);

    // Another host's: it is said, nothing is lost but the value, and that is asked for again.
    fs::write(state(&ran, &service, "env_vars.cred"), "bm8gY3JlZGVudGlhbA==\n").unwrap();
    let again = || service.install_again(&ran).args(["--secrets", "credentials", "--env", "TOKEN"]);
    let lost = "can no longer be decrypted: running `systemd-creds decrypt";
    let refused = again().probe([]).status(2).stderr_contains("`TOKEN`: the service needs it, and it is not set").run();
    assert_eq!(refused.stderr.matches(lost).count(), 1, "{}", refused.stderr);
    service.manage(&ran, "diff").status(10).stderr_contains(lost).run();
    again().env("TOKEN", SECRET).probe([]).run();
    service.manage(&ran, "restart").run();
    assert_eq!(token(&service), SECRET);
}

/// To decrypt one takes a process: many services would take many.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn each_is_decrypted_once() {
    const COUNTING: &str = "echo $1 >> calls; exec $real \"$@\"";
    let services = ["credentials-a", "credentials-b", "credentials-c", "credentials-d", "credentials-e"].map(named);
    let service = |service: &Named| {
        format!(
            "[[service]]\nname = \"{service}\"\nexecutable = \"/bin/sleep\"\narguments = [\"1000\"]\n\
             secrets = [\"TOKEN\"]\nsecrets_in = \"credentials\"\n"
        )
    };
    let manifest: String = services.iter().map(service).collect();
    let ran = somewhere();
    let install = || {
        let test = ran.then_install().file("many.toml", &manifest).args(["--manifest", "many.toml"]);
        test.env("TOKEN", SECRET).instead_of("systemd-creds", COUNTING)
    };
    let calls = || {
        let calls = fs::read_to_string(ran.folder().join("calls")).unwrap_or_default();
        drop(fs::remove_file(ran.folder().join("calls")));
        let count = |verb: &str| calls.lines().filter(|call| *call == verb).count();
        (count("encrypt"), count("decrypt"))
    };
    install().run();
    assert_eq!(calls(), (5, 0));
    install().run();
    assert_eq!(calls(), (0, 5));
    install().arg("--check").run();
    assert_eq!(calls(), (0, 5));
    let manage = |words: &[&str]| {
        let test = ran.then_manage().args(["--manifest", "many.toml"]).args(words);
        test.instead_of("systemd-creds", COUNTING).run();
    };
    manage(&["stop_and_reinstall"]);
    assert_eq!(calls(), (0, 5));
}
