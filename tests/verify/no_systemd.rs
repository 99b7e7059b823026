//! A machine that systemd does not run: both commands say so, and what would bring it. Where it does run, it is hidden
//! from them, which takes root.

use std::fs;

use crate::support::Test;

/// The same command, with nothing below /run.
fn without_systemd(test: Test) -> Test {
    test.through(&["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run && exec \"$@\"", "sh"])
        .status(1)
        .stdout("")
}

/// The same where its program is not there either; where it is, an install has more to say (images.rs).
fn not_installed(test: Test) -> Test {
    without_systemd(test.through(&["sh", "-c", "mount -t tmpfs none /usr/lib/systemd && exec \"$@\"", "sh"]))
}

#[test]
#[ignore = "needs root: tests/run"]
fn an_install_says_what_installs_it() {
    let install = not_installed(Test::install().args(["--service_name", "x", "--", "/bin/true"]));
    let told = "InstallService: error: this machine is not running systemd, so nothing can be installed here\n  help: ";
    let ran = install.stderr_contains(told).run();
    if fs::read_to_string("/etc/os-release").unwrap_or_default().contains("ID=debian") {
        assert!(ran.stderr.contains("`sudo apt-get install systemd systemd-sysv` installs it"), "{}", ran.stderr);
    }
    assert!(!ran.folder().join("working_dir").exists());
}

/// A service by its name: the path of its unit can be typed.
#[test]
#[ignore = "needs root: tests/run"]
fn an_import_names_the_file() {
    let import = |name: &str| without_systemd(Test::install().args(["import", name]));
    let told = "InstallService: error: this machine is not running systemd, which would know a service `systemd-journald`\n  \
                help: `InstallService import /usr/lib/systemd/system/systemd-journald.service` reads the file\n";
    import("systemd-journald").stderr(told).run();
    import("no-such").stderr_contains("help: `InstallService import PATH` reads the file of a unit").run();
}

#[test]
#[ignore = "needs root: tests/run"]
fn no_mode_does_anything() {
    let ran = Test::install()
        .env("INSTALLSERVICE_WORKING_DIR", "")
        .args(["--output", "home", "--user", "--working-directory", "/srv", "--service_name", "uploader"])
        .args(["--", "/bin/true"])
        .run();
    for mode in ["start", "status", "stop", "restart", "remove", "reinstall", "logs", "doctor"] {
        let manage = ran.then_manage().env("INSTALLSERVICE_WORKING_DIR", "").args(["uploader", mode, "--user"]);
        let told = "ManageService: error: this machine is not running systemd, so no service of it can run here\n";
        let said = without_systemd(manage).stderr_contains(told).run().stderr;
        assert!(!said.contains("installs it"), "{said}");
    }
}
