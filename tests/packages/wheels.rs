//! The wheels: in a virtual environment of an old Debian, beside openmsistream, in a Python of Windows.

use std::path::Path;

use crate::archives::wine_says;
use crate::{first_service, host_of, package, said, scratch, sh};

const LINUX: &str = "manylinux_2_17_x86_64.whl";
const WINDOWS: &str = "win_amd64.whl";

#[test]
#[ignore = "needs root, packages and a booted systemd: tests/run packages"]
fn a_virtual_environment_of_debian_11() {
    let host = host_of("bullseye");
    host.sh(&format!("python3 -m venv /opt/lab && /opt/lab/bin/pip install --no-index {}", package(LINUX).display()));
    first_service(&host, "/opt/lab/bin/", "clock");

    // Its Python is the one that runs Python programs, active or not; where another one is active, that one does.
    host.sh("mkdir /srv/lab && echo 'import time\ndef main(arguments): time.sleep(1000)' > /srv/lab/stream.py");
    let snake = "--working-directory /srv/lab --service_name snake stream:main";
    host.sh(&format!("cd /; /opt/lab/bin/install-service --start {snake}"));
    let pid = host.pid("snake.service");
    assert!(host.sh(&format!("tr '\\0' ' ' < /proc/{}/cmdline", pid.trim())).starts_with("/opt/lab/bin/python"));
    host.sh("python3 -m venv /opt/other");
    let shown = host.sh(&format!("cd /; . /opt/other/bin/activate; /opt/lab/bin/install-service --dry-run {snake}"));
    assert!(shown.contains("/opt/other/bin/python"), "{shown}");
    host.sh("/opt/lab/bin/manage-service snake remove; /opt/lab/bin/manage-service clock remove");
    // What lies beside the programs: the page of the manual, and what an export for Windows takes along.
    host.sh("ls /opt/lab/share/man/man1/InstallService.1 /opt/lab/share/install-service/RunService.exe");
}

/// Which of the two answers.
fn answers(environment: &Path, command: &str) -> &'static str {
    let script = "head --bytes 2 \"$1/bin/$2\"";
    if sh(script, &[environment, Path::new(command)]) == "#!" { "openmsistream" } else { "ours" }
}

fn environment(folder: &Path, wheels: &[&Path]) -> std::path::PathBuf {
    let environment = folder.join("venv");
    sh("/usr/bin/python3 -m venv \"$1\"", &[&environment]);
    for wheel in wheels {
        add(&environment, wheel);
    }
    environment
}

fn add(environment: &Path, wheel: &Path) {
    sh("\"$1/bin/pip\" install --quiet --no-index --no-deps --force-reinstall \"$2\"", &[environment, wheel]);
}

/// Whichever comes last has `InstallService`; `install-service` is nobody else's.
#[test]
#[ignore = "needs packages and openmsistream: tests/run packages"]
fn openmsistream_and_this_one_in_both_orders() {
    let (ours, theirs) = (package(LINUX), said("OPENMSISTREAM"));
    let folder = scratch();
    let first = environment(folder.path(), &[&theirs]);
    assert_eq!(answers(&first, "InstallService"), "openmsistream");
    add(&first, &ours);
    for command in ["InstallService", "ManageService", "install-service", "manage-service"] {
        assert_eq!(answers(&first, command), "ours");
    }
    // Back to the old one, and forth.
    add(&first, &theirs);
    assert_eq!(answers(&first, "InstallService"), "openmsistream");
    assert_eq!(answers(&first, "ManageService"), "openmsistream");
    assert_eq!(answers(&first, "install-service"), "ours");
    let version = sh("\"$1/bin/install-service\" --version", &[&first]);
    assert_eq!(version, concat!("InstallService ", env!("CARGO_PKG_VERSION"), "\n"));

    let folder = scratch();
    let second = environment(folder.path(), &[&ours, &theirs]);
    assert_eq!(answers(&second, "InstallService"), "openmsistream");
    assert_eq!(answers(&second, "manage-service"), "ours");
    // What messages name is what was typed: the other name is not ours there.
    let shown = sh("\"$1/bin/install-service\" -h", &[&second]);
    assert!(shown.contains("install-service") && !shown.contains("Usage: InstallService"), "{shown}");
}

/// openmsistream's programs are known without a word, by the Python that has them.
#[test]
#[ignore = "needs packages and pip for Windows: tests/run packages"]
fn a_python_of_windows() {
    let drive = said("WINE_PREFIX").join("drive_c");
    let wheel = package(WINDOWS);
    for from in [&wheel, &said("PIP")] {
        std::fs::copy(from, drive.join(from.file_name().expect("a name"))).expect("a copy");
    }
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    // As `python -m pip install`. Wine has no `_wmi`, and ends who asks it.
    let pip = format!(
        r"import runpy, sys; sys.modules['_wmi'] = None; sys.path.insert(0, r'C:\{}'); runpy.run_module('pip', run_name='__main__')",
        name(&said("PIP"))
    );
    let wheel = format!(r"C:\{}", name(&wheel));
    wine_says(
        &drive,
        &[r"C:\python\python.exe", "-c", &pip, "install", "--no-index", "--no-warn-script-location", &wheel],
    );
    let scripts = r"C:\python\Scripts";
    let nssm = drive.join("nssm");
    let program = [r"C:\python\python.exe", "-c", "import time; time.sleep(600)"];
    let install = format!(r"{scripts}\install-service.exe");
    let words = [&[install.as_str(), "--start", "--service_name", "wheeled", "--"], program.as_slice()].concat();
    // In the folder of NSSM, where it is found.
    wine_says(&nssm, &words);
    let manage = format!(r"{scripts}\manage-service.exe");
    let status = wine_says(&nssm, &[&manage, "wheeled", "status"]);
    assert!(status.contains("wheeled: "), "{status}");
    wine_says(&nssm, &[&manage, "wheeled", "remove"]);
}
