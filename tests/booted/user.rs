//! Services of a person: installed without rights, and running without a session.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use crate::support::booted::{folder_of, services_of, systemd_version};
use crate::support::{Ran, Test, probe, system, wait_for};

/// One at a time: they log joe in and out.
pub(crate) static JOE: Mutex<()> = Mutex::new(());

/// joe, at a terminal until this goes.
pub(crate) struct Session(Child);

impl Session {
    pub(crate) fn begin() -> Self {
        let mut login = Command::new("su");
        login.args(["--login", "joe", "--command", "exec sleep 1000"]).stdin(Stdio::null());
        let session = Self(login.spawn().expect("su"));
        wait_for("joe's service manager", 20, || joe(&["is-system-running"]).filter(|state| state == "running\n"));
        session
    }
}

impl Session {
    /// joe logs out, with what that ends.
    fn end(&mut self) {
        system("kill", &[&self.0.id().to_string()]);
        self.0.wait().expect("its end");
        let sessions = || system("loginctl", &["list-sessions", "--no-legend"]);
        // Since 256 their service manager is a session, too, of the class `manager`.
        let logged_in = |line: &str| line.contains(" joe ") && !line.contains(" manager");
        wait_for("joe's session to end", 20, || (!sessions().lines().any(logged_in)).then_some(()));
        // logind's UserStopDelaySec, which the bed makes short, has passed then.
        std::thread::sleep(std::time::Duration::from_secs(3));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let uid = system("id", &["-u", "joe"]).trim_end().to_owned();
        // Whatever joe's services are, and whether the test has failed.
        drop(fs::remove_file("/var/lib/systemd/linger/joe"));
        drop(fs::remove_dir_all("/home/joe/.config/systemd"));
        drop(Command::new("systemctl").args(["kill", "--signal=KILL", &format!("user-{uid}.slice")]).output());
        self.0.wait().expect("its end");
        wait_for("joe to be gone", 30, || (!Path::new(&format!("/run/user/{uid}/systemd")).exists()).then_some(()));
    }
}

/// What joe's service manager says; it may not be there.
pub(crate) fn joe(words: &[&str]) -> Option<String> {
    let output = services_of("joe", words).output().expect("systemctl");
    String::from_utf8(output.stdout).ok().filter(|text| !text.is_empty())
}

fn unit(name: &str) -> PathBuf {
    format!("/home/joe/.config/systemd/user/{name}.service").into()
}

/// `InstallService --user`, as joe does it: with nothing in the environment that a session would set.
pub(crate) fn install(name: &str) -> Test {
    folder_of("joe", &format!("/srv/{name}"));
    let test = Test::install().by_person("joe").env("HOME", "/home/joe");
    test.args(["--user", "--service_name", name, "--working-directory", &format!("/srv/{name}")])
}

pub(crate) fn manage(ran: &Ran, name: &str, mode: &str) -> Test {
    ran.then_manage().by_person("joe").env("HOME", "/home/joe").args([name, mode])
}

fn pid(ran: &Ran, name: &str) -> u32 {
    let status = manage(ran, name, "status").args(["--format", "json"]).run();
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    status["pid"].as_u64().unwrap().try_into().unwrap()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_ends_with_the_session_is_found() {
    let _alone = JOE.lock();
    let _session = Session::begin();
    let ran = install("user-doctor").arg("--start").probe([]).run();
    let found = || {
        let (_, ran) = manage(&ran, "user-doctor", "doctor").args(["--format", "json"]).run_to_any_end();
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let findings = json["services"][0]["findings"].as_array().unwrap().clone();
        findings.into_iter().map(|finding| (finding["kind"].clone(), finding["type"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(found(), []);
    fs::remove_file("/var/lib/systemd/linger/joe").unwrap();
    assert_eq!(found(), [("lingering".into(), "`loginctl enable-linger joe`".into())]);
    fs::write("/var/lib/systemd/linger/joe", "").unwrap();
    fs::remove_file("/home/joe/.config/systemd/user/default.target.wants/user-doctor.service").unwrap();
    let again = "`systemctl --user reenable user-doctor` makes the links again";
    assert_eq!(found(), [("links".into(), again.into())]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_of_a_person_outlives_the_session() {
    let _alone = JOE.lock();
    let mut session = Session::begin();
    let ran = install("user-life").args(["--env", "TOKEN"]).env("TOKEN", "x").probe(["a b"]).run();
    assert!(!ran.stderr.contains("sudo"), "{}", ran.stderr);
    assert!(unit("user-life").exists());
    manage(&ran, "user-life", "status").status(3).run();
    manage(&ran, "user-life", "start").stdout("user-life: started, it runs\n").run();
    let received = probe::Received::by(pid(&ran, "user-life"));
    assert_eq!(received.argv[1..], ["a b"]);
    assert_eq!((received.variable("TOKEN"), received.cwd.to_str()), (Some("x".as_ref()), Some("/srv/user-life")));
    manage(&ran, "user-life", "logs").run();

    session.end();
    manage(&ran, "user-life", "status").run();
    assert!(Path::new("/var/lib/systemd/linger/joe").exists());

    manage(&ran, "user-life", "restart").run();
    let list = ran.then_manage().by_person("joe").env("HOME", "/home/joe").arg("--list");
    list.stdout_contains("user-life  running  (user)\n").run();
    manage(&ran, "user-life", "remove").args(["--remove_env_vars", "--remove_install_args"]).run();
    assert!(!unit("user-life").exists());
    manage(&ran, "user-life", "status").status(4).run();
}

const LINGERS: &str = "/var/lib/systemd/linger/joe";

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn lingering_that_was_turned_off_is_seen_and_turned_on_again() {
    let _alone = JOE.lock();
    let _session = Session::begin();
    let ran = install("user-linger").stderr_contains("  loginctl enable-linger joe\n").probe([]).run();
    manage(&ran, "user-linger", "diff").stdout("").run();
    manage(&ran, "user-linger", "status").status(3).stdout_contains("  at boot      starts\n").run();
    system("loginctl", &["disable-linger", "joe"]);
    let off = "lingering is off for joe: what runs ends at the logout, and starts at the login\n";
    manage(&ran, "user-linger", "diff").status(10).stdout(off).run();
    let told = manage(&ran, "user-linger", "diff").args(["--format", "json"]).status(10).run().stdout;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&told).unwrap()["not_lingering"], serde_json::json!(["joe"]));
    let at_boot = "  at boot      starts at the next login, not at boot: lingering is off\n";
    manage(&ran, "user-linger", "status").status(3).stdout_contains(at_boot).run();
    manage(&ran, "user-linger", "reinstall").stderr_contains("  loginctl enable-linger joe\n").run();
    assert!(Path::new(LINGERS).exists());
    manage(&ran, "user-linger", "reinstall").stdout("unchanged: user-linger\n").stderr("").run();
    // It stays, which is said once nothing of ours needs it.
    let kept = "kept: lingering of joe (`loginctl disable-linger joe` ends it, if nothing else needs it)\n";
    let other = install("user-other").probe([]).run();
    let removed = manage(&other, "user-other", "remove").run().stderr;
    assert!(!removed.contains("lingering"), "{removed}");
    manage(&ran, "user-linger", "remove").stderr_contains(kept).run();
    assert!(Path::new(LINGERS).exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn lingering_is_off_again_where_the_install_fails() {
    let _alone = JOE.lock();
    let _session = Session::begin();
    let failing = install("user-undone").arg("--start").script("exit 3").status(1);
    failing.stderr_contains("the host is as it was before").run();
    assert!(!Path::new(LINGERS).exists());
    // On before, on after.
    system("loginctl", &["enable-linger", "joe"]);
    let failing = install("user-undone").arg("--start").script("exit 3").status(1);
    failing.stderr_contains("the host is as it was before").run();
    assert!(Path::new(LINGERS).exists());
}

/// A tree that somebody else wrote, elsewhere, serves any home directory that it is copied into.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_exported_service_runs_in_any_home() {
    let _alone = JOE.lock();
    let _session = Session::begin();
    let hostile = ["a b", "%h", "$HOME", "${TOKEN}", "\\", "\"", "", "line\nbreak", "*"];
    // The second one is more than a unit can say: a launcher in the home directory starts it.
    for (name, directory) in [("user-tree", "/srv/user-tree"), ("user-launched", "/srv/user\nlaunched")] {
        folder_of("joe", directory);
        let export = Test::install()
            .args(["--output", "tree", "--user", "--service_name", name, "--working-directory", directory])
            .args(["--env", "TOKEN"]);
        // What is exported is for 248 and later, unless another version is said.
        let version = systemd_version();
        let export = if version < 248 { export.args(["--assume", &format!("systemd={version}")]) } else { export };
        let ran = export.probe(hostile).run();
        let tree = ran.folder().join("tree");
        let values = tree.join(format!(".local/state/install-service/{name}_env_vars.txt"));
        fs::write(&values, "TOKEN=\"a \\$b %h \\\"c\\\"\"\n").unwrap();
        system("chmod", &["0600", values.to_str().unwrap()]);
        system("/bin/sh", &["-c", &format!("cp -r {0}/.config {0}/.local ~joe && chown -R joe: ~joe", tree.display())]);
        joe(&["daemon-reload"]);
        joe(&["enable", "--now", name]);
        // Here, and not where the tests keep what they install.
        let manage = |mode: &str| manage(&ran, name, mode).env("INSTALLSERVICE_WORKING_DIR", "");
        let status: serde_json::Value =
            serde_json::from_str(&manage("status").args(["--format", "json"]).run().stdout).unwrap();
        let received = probe::Received::by(status["pid"].as_u64().unwrap().try_into().unwrap());
        assert_eq!(received.argv[1..], hostile);
        assert_eq!(received.variable("TOKEN"), Some("a $b %h \"c\"".as_ref()));
        assert_eq!(received.cwd, Path::new(directory));
        // The same as if joe had installed it, but for what no file of joe's says.
        system("loginctl", &["enable-linger", "joe"]);
        manage("diff").stdout("").stderr("the host is as it should be\n").run();
        manage("remove").args(["--remove_env_vars", "--remove_install_args"]).run();
        assert!(!unit(name).exists());
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn without_lingering_it_ends_with_the_session() {
    let _alone = JOE.lock();
    let mut session = Session::begin();
    let denied = "echo 'Could not enable linger: Access denied' >&2; exit 1";
    let install = install("user-short").instead_of("loginctl", denied).arg("--start").probe([]);
    let install = install.stderr_contains("Could not enable linger: Access denied");
    let note = "note: without it the service stops when you log out, and does not start at boot; \
                `sudo loginctl enable-linger joe` allows it";
    let ran = install.stderr_contains(note).run();
    let process = format!("/proc/{}", pid(&ran, "user-short"));
    assert!(Path::new(&process).exists());
    session.end();
    wait_for("joe's service to end", 20, || (!Path::new(&process).exists()).then_some(()));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_crash_is_told_and_leaves_the_error_log() {
    let _alone = JOE.lock();
    let _session = Session::begin();
    let ran = install("user-crash").script("echo mine broke; exit 5").run();
    let start = manage(&ran, "user-crash", "start").status(1).stderr_contains("it ended with exit status 5\n");
    start.stderr_contains("mine broke").run();
    let log = wait_for("the error log", 10, || {
        let text = fs::read_to_string("/srv/user-crash/user-crash_ERROR_LOG.txt").ok()?;
        text.contains("mine broke\n").then_some(text)
    });
    assert!(log.contains("user-crash exit-code exited 5\n"), "{log}");
    manage(&ran, "user-crash", "status").status(3).stdout_contains("user-crash: restarting\n").run();
    manage(&ran, "user-crash", "remove").run();
    assert_eq!(joe(&["show", "--property=LoadState", "user-crash"]).unwrap(), "LoadState=not-found\n");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn every_hardening_profile_starts() {
    let _alone = JOE.lock();
    let _session = Session::begin();
    for profile in ["none", "baseline", "service", "strict"] {
        let name = format!("user-{profile}");
        let ran = install(&name).args(["--start", "--hardening", profile]).probe([]).run();
        let text = fs::read_to_string(unit(&name)).unwrap();
        let given = ["NoNewPrivileges=yes", "SystemCallArchitectures=native", "LockPersonality=yes"];
        for line in given {
            assert_eq!(text.lines().any(|known| known == line), profile != "none", "{line} in {profile}");
        }
        assert_eq!(text.contains("SystemCallFilter="), matches!(profile, "service" | "strict"));
        // A user's own service manager may make no mount namespaces and drop no capabilities.
        assert!(!text.contains("Protect") && !text.contains("Private") && !text.contains("Capability"), "{text}");
        manage(&ran, &name, "remove").run();
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn without_a_service_manager_of_their_own_the_line_that_brings_one_is_told() {
    let _alone = JOE.lock();
    // nobody has never logged in.
    let install = Test::install().by_person("nobody").args(["--user", "--service_name", "user-nobody"]).probe([]);
    let install = install.status(1).stderr_contains("no service manager is running for `nobody`");
    install.stderr_contains("`loginctl enable-linger nobody` starts it now").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_unit_of_a_person_is_shown_to_systemd_first() {
    let _alone = JOE.lock();
    let _session = Session::begin();
    let bad = install("verify-user").args(["--property", "Personality=s390x"]).probe([]).status(2);
    // systemd's words: another order since 258.
    bad.stderr_contains("the systemd of this host would leave it out").stderr_contains("    Failed to parse ").run();
    assert!(!unit("verify-user").exists());
    let ran = install("verify-user").args(["--property", "Nice=5"]).probe([]).run();
    assert!(unit("verify-user").exists());
    manage(&ran, "verify-user", "remove").run();
}
