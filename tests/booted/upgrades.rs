//! A host where 0.1.0 has installed services, or was killed half way (`fixtures/0.1.0`): this version looks after them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::support::{Ran, Test, system, tree, wait_for};
use crate::user::{JOE, Session, joe};

const STATE: &str = "/var/lib/install-service";
const UNITS: &str = "/etc/systemd/system";
const NAMES: [&str; 8] = ["odd", "one", "plain", "secret", "strict", "two", "uploader", "watch"];

/// One at a time: they have one state directory, that of a host.
static HOST: Mutex<()> = Mutex::new(());

struct Host(#[expect(dead_code, reason = "held for its lock")] MutexGuard<'static, ()>);

impl Host {
    /// A host as 0.1.0 has left it in this folder.
    fn of(folder: &str) -> Self {
        let host = Self(HOST.lock().unwrap_or_else(PoisonError::into_inner));
        host.clear();
        put(folder, "/");
        closed(STATE);
        fs::create_dir_all("/srv/lab").unwrap();
        fs::write("/srv/lab/watch.py", "import time\n\ndef main(arguments):\n    time.sleep(1000)\n").unwrap();
        system("systemctl", &["daemon-reload"]);
        host
    }

    fn clear(&self) {
        let units: Vec<String> = NAMES.iter().chain(&["new", "gone"]).map(|name| format!("{name}.service")).collect();
        for unit in units.iter().filter(|unit| Path::new(UNITS).join(unit).exists()) {
            system("systemctl", &["disable", "--quiet", "--now", unit]);
            fs::remove_file(Path::new(UNITS).join(unit)).unwrap();
        }
        drop(fs::remove_dir_all(STATE));
        system("systemctl", &["daemon-reload"]);
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.clear();
        }
    }
}

/// Puts a folder of the fixtures onto the host.
fn put(folder: &str, place: &str) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/0.1.0").join(folder);
    system("cp", &["--recursive", "--no-target-directory", from.to_str().unwrap(), place]);
}

/// The modes that 0.1.0 gave to what others may not read, which git does not keep.
fn closed(state: &str) {
    let journal = format!("{state}/journal");
    let is_closed = |path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.contains("_env_vars.txt") || path.starts_with(&journal)
    };
    for name in tree(Path::new(state)).into_keys() {
        let path = Path::new(state).join(name);
        if is_closed(&path) {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
    if Path::new(&journal).exists() {
        fs::set_permissions(journal, fs::Permissions::from_mode(0o700)).unwrap();
    }
}

/// Our files on the host, with what is in them.
fn ours() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for folder in [UNITS, STATE] {
        files.extend(
            tree(Path::new(folder)).into_iter().map(|(name, contents)| (Path::new(folder).join(name), contents)),
        );
    }
    files.retain(|path, _| !path.ends_with(".lock") && !path.ends_with("Services.log"));
    files
}

/// ManageService as it is typed on a host: nothing names another state directory.
fn manage(words: &[&str]) -> Test {
    Test::manage().env("INSTALLSERVICE_WORKING_DIR", "").args(words)
}

fn variables_of(name: &str) -> Vec<String> {
    let pid = system("systemctl", &["show", "--value", "--property=MainPID", name]);
    let environment = fs::read(format!("/proc/{}/environ", pid.trim())).unwrap();
    environment.split(|byte| *byte == 0).map(|variable| String::from_utf8_lossy(variable).into_owned()).collect()
}

/// A module of the name that the program of OpenMSIStream has, in an environment at the path that the receipt names.
fn python_of_the_receipts() {
    drop(fs::remove_dir_all("/opt/lab"));
    drop(fs::remove_file("/opt/lab"));
    system("/usr/bin/python3", &["-m", "venv", "--without-pip", "/opt/lab"]);
    let packages = system("/opt/lab/bin/python", &["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]);
    let package = Path::new(packages.trim()).join("openmsistream/data_file_io/actor");
    fs::create_dir_all(&package).unwrap();
    let code = "import os, time\n\ndef main(arguments):\n    time.sleep(1000)\n";
    fs::write(package.join("data_file_upload_directory.py"), code).unwrap();
    fs::create_dir_all("/data/in").unwrap();
    fs::create_dir_all("/etc/lab").unwrap();
    fs::write("/etc/lab/prod.config", "[broker]\npassword = $KAFKA_PASSWORD\n").unwrap();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn services_of_0_1_0_are_looked_after() {
    let _host = Host::of("host");
    python_of_the_receipts();
    let listed = manage(&["--list", "--all"]).run().stdout;
    for name in NAMES.iter().chain(&["gone"]) {
        assert!(listed.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name}: {listed}");
    }
    for name in NAMES {
        manage(&[name, "status"]).status(3).run();
        let receipt = fs::read_to_string(format!("{STATE}/{name}_install_args.toml")).unwrap();
        manage(&[name, "show"]).stdout_contains(receipt.lines().last().unwrap()).run();
        manage(&[name, "diff"]).status(10).run();
    }
    // They run as 0.1.0 has written them, and go on while they are brought up to date.
    let secrets = ours().into_iter().filter(|(path, _)| path.to_string_lossy().ends_with("_env_vars.txt"));
    let secrets: Vec<_> = secrets.collect();
    assert_eq!(secrets.len(), 3);
    for name in ["secret", "watch", "uploader"] {
        manage(&[name, "start"]).stdout(format!("{name}: started, it runs\n")).run();
    }
    for name in NAMES {
        manage(&[name, "reinstall"]).stdout_contains(format!("updated: {name}")).run();
        manage(&[name, "diff"]).status(0).run();
    }
    for (path, values) in secrets {
        let now = fs::read_to_string(&path).unwrap();
        let then = String::from_utf8(values).unwrap();
        assert_eq!(now.lines().last(), then.lines().last(), "{}", path.display());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    for name in ["secret", "watch", "uploader", "one"] {
        manage(&[name, "restart"]).run();
    }
    assert!(variables_of("secret").contains(&r#"TOKEN=pa"ss\w`or$d"#.to_owned()));
    assert!(variables_of("uploader").contains(&"KAFKA_PASSWORD=kafka".to_owned()));
    // What 0.1.0 has removed comes back, and all of it goes.
    manage(&["gone", "reinstall"]).stdout_contains("installed: gone").run();
    for name in NAMES.iter().chain(&["gone"]) {
        manage(&[name, "remove", "--remove_install_args", "--remove_env_vars"]).run();
    }
    let left: Vec<_> = ours().into_keys().filter(|path| path.starts_with(STATE)).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_of_0_1_0_is_removed_as_it_is() {
    let _host = Host::of("host");
    manage(&["plain", "stop_and_remove", "--remove_install_args"]).run();
    assert!(ours().into_keys().all(|path| !path.to_string_lossy().contains("plain")), "{:?}", ours().keys());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_of_a_person_is_brought_up_to_date() {
    let _one = JOE.lock().unwrap_or_else(PoisonError::into_inner);
    let _session = Session::begin();
    fs::create_dir_all("/home/joe").unwrap();
    put("home", "/home/joe");
    system("chown", &["--recursive", "joe:", "/home/joe"]);
    joe(&["daemon-reload"]);
    let by_joe = |words: &[&str]| manage(words).by_person("joe").env("HOME", "/home/joe");
    by_joe(&["mine", "diff"]).status(10).run();
    by_joe(&["mine", "reinstall"]).stdout_contains("updated: mine").run();
    by_joe(&["mine", "diff"]).run();
    by_joe(&["mine", "start"]).stdout("mine: started, it runs\n").run();
    by_joe(&["mine", "stop_and_remove", "--remove_install_args"]).run();
    fs::remove_dir_all("/home/joe/.local/state/install-service").unwrap();
}

fn takes_back(words: &[&str]) -> Ran {
    manage(words).stderr_contains("note: an earlier run was interrupted; undoing what it had started\n").run()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_update_that_0_1_0_was_killed_in_is_taken_back() {
    let _host = Host::of("killed-update-before");
    system("systemctl", &["start", "secret"]);
    let before = ours();
    put("killed-update", "/");
    closed(STATE);
    system("systemctl", &["daemon-reload"]);
    assert_ne!(ours(), before);
    takes_back(&["--list"]);
    assert_eq!(ours(), before);
    wait_for("its start", 20, || {
        let state = system("systemctl", &["show", "--value", "--property=ActiveState", "secret"]);
        (state == "active\n").then_some(())
    });
    assert!(variables_of("secret").contains(&r#"TOKEN=pa"ss\w`or$d"#.to_owned()));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_install_that_0_1_0_was_killed_in_is_taken_back() {
    let _host = Host::of("killed-install");
    takes_back(&["--list"]);
    let left: Vec<_> = ours().into_keys().filter(|path| path.to_string_lossy().contains("new")).collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(!Path::new(STATE).join("journal").exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_that_a_later_version_has_installed_is_managed_and_not_written() {
    let _host = Host::of("host");
    let receipt = format!("{STATE}/plain_install_args.toml");
    let text = fs::read_to_string(&receipt).unwrap();
    fs::write(&receipt, text.replace("InstallService 0.1.0", "InstallService 99.1.2")).unwrap();
    let before = ours();
    let told = format!("receipt `{receipt}`, line 1: written by InstallService 99.1.2, which is later than this one, ");
    for mode in ["reinstall", "stop_and_reinstall", "diff"] {
        let refused = manage(&["plain", mode]).status(2).stderr_contains(&told);
        refused.stderr_contains("help: install InstallService 99.1.2 or later\n").run();
    }
    let update = Test::install().env("INSTALLSERVICE_WORKING_DIR", "").args(["--update", "--service_name", "plain"]);
    update.args(["--no-boot"]).status(2).stderr_contains(&told).run();
    assert_eq!(ours(), before);
    manage(&["plain", "start"]).stdout("plain: started, it runs\n").run();
    manage(&["plain", "status"]).run();
    manage(&["plain", "stop"]).stdout("plain: stopped\n").run();
    manage(&["plain", "remove"]).run();
}
