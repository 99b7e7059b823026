//! What is unpacked by hand: the archives for Linux, and the zip for Windows.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::output_of;
use crate::{first_service, host_of, package, said, sh, unpacked};

#[test]
#[ignore = "needs root, packages and a booted systemd: tests/run packages"]
fn a_first_service_from_the_archive() {
    let host = host_of("bullseye");
    let archive = package("-linux-x86_64.tar.gz");
    host.sh(&format!("tar --extract --file {} --directory /usr/local --strip-components 1", archive.display()));
    first_service(&host, "/usr/local/bin/", "clock");
    assert!(host.sh("cat /usr/local/share/man/man1/install-service.1").starts_with(".ie"));
}

#[test]
#[ignore = "needs packages and qemu-user: tests/run packages"]
fn the_programs_for_arm_start() {
    let folder = unpacked(&package("-linux-aarch64.tar.gz"), "tar --extract --file \"$1\" --strip-components 1");
    let script = "cd \"$1\"; qemu-aarch64 -L /usr/aarch64-linux-gnu bin/install-service --dry-run --assume systemd=252 \
                  --service_name clock -- /bin/sleep '100%'";
    let shown = sh(script, &[folder.path()]);
    assert!(shown.contains("ExecStart=:\"/bin/sleep\" \"100%%\"\n"), "{shown}");
    assert!(sh("file \"$1/bin/ManageService\"", &[folder.path()]).contains("aarch64"));
}

/// Runs a program of the C: drive of the tests.
pub(crate) fn wine(folder: &Path, words: &[&str]) -> Output {
    let windows = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/beds/windows.sh");
    let mut command = Command::new(windows);
    command.arg("run").arg(said("WINE_PREFIX")).args(words).current_dir(folder);
    output_of(command.env("INSTALLSERVICE_WORKING_DIR", r"C:\state"))
}

/// What it printed; it must have succeeded.
#[track_caller]
pub(crate) fn wine_says(folder: &Path, words: &[&str]) -> String {
    let output = wine(folder, words);
    let said = [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat();
    assert!(output.status.success(), "{words:?}: {said}");
    said
}

/// Where the zip is unpacked to, by its README.txt.
pub(crate) const TOOLS: &str = "drive_c/Tools/InstallService";

#[test]
#[ignore = "needs packages, Wine and NSSM: tests/run packages"]
fn a_first_service_from_the_zip() {
    let drive = said("WINE_PREFIX");
    let tools = drive.join(TOOLS);
    // What an earlier try has left.
    drop(fs::remove_dir_all(&tools));
    fs::create_dir_all(tools.parent().expect("a folder")).expect("a folder");
    sh(
        "cd \"$2\"; unzip -q \"$1\"; mv install-service-* InstallService",
        &[&package("-windows-x86_64.zip"), tools.parent().expect("a folder")],
    );
    let readme = fs::read_to_string(tools.join("README.txt")).expect("a page");
    assert!(readme.lines().count() <= 60 && readme.matches("\r\n").count() == readme.lines().count(), "{readme}");
    fs::copy(drive.join("drive_c/nssm/nssm.exe"), tools.join("nssm.exe")).expect("the genuine NSSM");
    let service = [r"C:\python\python.exe", "-c", "import time; time.sleep(600)"];
    let install = |program: &str, mode: &str| {
        let words = [&[program, mode, "--service_name", "zipped", "--"], service.as_slice()].concat();
        wine_says(&tools, &words)
    };
    let shown = install(r"C:\Tools\InstallService\InstallService.exe", "--dry-run");
    assert!(shown.contains(r"C:\state\zipped_output.log"), "{shown}");
    // RunService is found beside it, whose version goes with it.
    install(r"C:\Tools\InstallService\install-service.exe", "--start");
    let status = wine_says(&tools, &[r"C:\Tools\InstallService\manage-service.exe", "zipped", "status"]);
    assert!(status.contains("zipped: "), "{status}");
    wine_says(&tools, &[r"C:\Tools\InstallService\ManageService.exe", "zipped", "remove"]);
}
