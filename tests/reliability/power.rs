//! What is said has reached the disk: a copy of the disk, taken when the message is there, is what a power cut would
//! leave.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Ran, Test, system, wait_for};

/// A `systemctl` that does nothing, and one that enables nothing: the units are for nobody.
const WILLING: &str = "exit 0";
const UNWILLING: &str = "[ \"$2\" != enable ] || { echo 'no luck today' >&2; exit 1; }";

/// The folder of a disk, with where it is mounted (`tests/run`).
fn power(disk: &str) -> PathBuf {
    let folder = std::env::var_os("INSTALLSERVICE_TEST_POWER").expect("tests/run reliability makes two disks");
    Path::new(&folder).join(disk)
}

/// A copy of a disk, with the journal of its file system carried out, as it is when it is mounted again.
struct Copy(PathBuf);

impl Copy {
    /// Copies of both: of that with the units, and of that with the state directory.
    fn of_both() -> [Self; 2] {
        let copies = ["units", "state"].map(|disk| (power(disk).join("disk"), Self(power(disk).join("copy"))));
        for (disk, Self(copy)) in &copies {
            system("cp", &["--sparse=always", disk.to_str().unwrap(), copy.to_str().unwrap()]);
        }
        copies.map(|(_, copy)| {
            // It exits 1 if there was anything to carry out.
            drop(Command::new("e2fsck").arg("-fy").arg(&copy.0).output().expect("e2fsck"));
            copy
        })
    }

    fn ask(&self, request: &str) -> String {
        system("debugfs", &["-R", request, self.0.to_str().unwrap()])
    }

    fn file(&self, path: &str) -> String {
        self.ask(&format!("cat {path}"))
    }

    /// The names in a directory, but for the lock, the log, and a journal that has ended.
    fn names(&self, directory: &str) -> Vec<String> {
        let listed = self.ask(&format!("ls -p {directory}"));
        let names = listed.lines().filter_map(|line| line.split('/').nth(5));
        let mut names: Vec<String> =
            names.filter(|name| !matches!(*name, "" | "." | "..")).map(str::to_owned).collect();
        if names.iter().any(|name| name == "journal") {
            assert!(!self.names(&format!("{directory}/journal")).contains(&"plan.json".to_owned()));
        }
        names.retain(|name| !matches!(&**name, ".lock" | "Services.log" | "journal"));
        names.sort();
        names
    }
}

fn install(ran: &Ran, systemctl: &str, argument: &str) -> Test {
    let [units, state] = ["units", "state"].map(|disk| power(disk).join("mounted"));
    let test = ran.then_install().instead_of("systemctl", systemctl).env("XDG_CONFIG_HOME", units);
    let state = state.join("state");
    let test = test.args(["--user", "--state-dir", state.to_str().unwrap(), "--service_name", "power"]);
    test.args(["--working-directory", "/", "--env", "TOKEN", "--", "/bin/echo", argument]).env("TOKEN", argument)
}

#[test]
#[ignore = "needs a booted systemd, and a disk: tests/run"]
fn what_is_said_has_reached_the_disk() {
    const UNITS: &str = "/systemd/user";
    const UNIT: &str = "/systemd/user/power.service";
    let files = ["power_env_vars.txt", "power_error_log.sh", "power_install_args.toml", "power_stop.sh"];
    system("loginctl", &["enable-linger", "joe"]);
    let uid = system("id", &["-u", "joe"]);
    let runtime = format!("/run/user/{}", uid.trim_end());
    wait_for("joe's systemd", 30, || Path::new(&runtime).join("systemd/private").exists().then_some(()));
    for disk in ["units", "state"] {
        system("chown", &["joe", power(disk).join("mounted").to_str().unwrap()]);
    }
    let by_joe = |test: Test| test.env("XDG_RUNTIME_DIR", &runtime).by_person("joe");

    let ran = Test::manage().arg("-V").run();
    by_joe(install(&ran, WILLING, "one")).stdout_contains("installed: power").run();
    let [units, state] = Copy::of_both();
    let (unit, receipt) = (units.file(UNIT), state.file("/state/power_install_args.toml"));
    assert!(unit.contains("\"one\"") && receipt.contains("\"one\""), "{unit}\n{receipt}");
    let before = files.map(|file| state.file(&format!("/state/{file}")));
    assert_eq!(
        (state.names("/state"), units.names(UNITS)),
        (files.map(str::to_owned).into(), vec!["power.service".into()])
    );

    let failing = by_joe(install(&ran, UNWILLING, "two")).status(1);
    failing.stderr_contains("the host is as it was before").run();
    let [units, state] = Copy::of_both();
    assert_eq!((units.file(UNIT), files.map(|file| state.file(&format!("/state/{file}")))), (unit, before));
    assert_eq!(
        (state.names("/state"), units.names(UNITS)),
        (files.map(str::to_owned).into(), vec!["power.service".into()])
    );
    system("loginctl", &["disable-linger", "joe"]);
}
