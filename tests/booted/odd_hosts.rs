//! Hosts that are not as most are: another umask, folders that are closed to the account, units in other places.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::booted::{folder_of, named};

/// A Python program that runs on.
const RUNS_ON: &str = "import time\ndef main(arguments):\n    time.sleep(1000)\n";

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn the_umask_of_who_installs_decides_nothing() {
    for (umask, service) in [("077", named("odd-umask-077")), ("000", named("odd-umask-000"))] {
        let folder = folder_of("ann", &format!("/srv/{service}"));
        fs::write(folder.join("odd.py"), RUNS_ON).unwrap();
        let state = folder.join("more/state");
        let install = service.install().args(["--account", "ann", "--start", "--state-dir"]).arg(&state);
        let install = install.arg("--working-directory").arg(&folder).args(["--env", "TOKEN", "odd:main"]);
        let in_shell = format!("umask {umask}; exec \"$@\"");
        install.env("TOKEN", "x").through(&["sh", "-c", &in_shell, "sh"]).run();
        assert_eq!(service.property("ActiveState"), "active");
        let modes = ["..", "", "Services.log", ".lock"].map(|name| mode(state.join(name)));
        assert_eq!(modes, [0o755, 0o755, 0o644, 0o600], "{umask}");
        assert_eq!(mode(state.join(format!("{service}_env_vars.txt"))), 0o600);
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn units_may_lie_in_another_directory_behind_a_link() {
    let service = named("odd-link");
    let ran = service.install().probe([]).run();
    let elsewhere = "cp /etc/systemd/system/odd-link.service /run/odd-link.service
        mount -t tmpfs none /etc/systemd && mount -t tmpfs none /usr/local/lib && mkdir -p /usr/local/lib/systemd/system
        mv /run/odd-link.service /usr/local/lib/systemd/system && ln -s /usr/local/lib/systemd/system /etc/systemd/system
        exec \"$@\"";
    let check = service.install_again(&ran).arg("--check").probe([]);
    let check = check.through(&["unshare", "--mount", "sh", "-c", elsewhere, "sh"]);
    check.status(10).stdout("odd-link does not start at boot\n").run();
}
