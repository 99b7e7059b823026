//! What works in the shell of whoever installs and will not in the service is said at the install.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::support::Test;

/// A dry run of a program with these contents, which lies in the folder of the test.
fn program(contents: impl AsRef<[u8]>) -> (Test, PathBuf) {
    let test = Test::install().file("run", contents);
    let path = test.folder().join("run");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    (test.args(["--dry-run", "--service_name", "web"]), path)
}

#[test]
fn a_variable_of_the_session_that_a_script_mentions() {
    let script = "#!/bin/sh\nssh-add -l && echo \"$SSH_AUTH_SOCK\" \"$JAVA_HOME\"\n";
    let (test, path) = program(script);
    let test = test.env("SSH_AUTH_SOCK", "/tmp/agent").env("DISPLAY", ":0").env("JAVA_HOME", "/opt/java");
    let agent = "note: `web`: it mentions `SSH_AUTH_SOCK` (your SSH agent, with your keys), which you have and the service \
                 will not; it stops working when you log out\n";
    let java = "note: `web`: it mentions `JAVA_HOME` (where Java is), which you have and the service will not; \
                `--env JAVA_HOME=\"$JAVA_HOME\"` gives it to the service\n";
    test.arg("--").arg(path).stderr(format!("{java}{agent}")).run();

    // A script that an interpreter is given, and the words of a shell.
    let (test, path) = program(script);
    test.env("SSH_AUTH_SOCK", "/tmp/agent").args(["--", "/bin/sh"]).arg(path).stderr(agent).run();
    let (test, _) = program("");
    test.env("SSH_AUTH_SOCK", "/a").args(["--", "/bin/sh", "-c", "echo $SSH_AUTH_SOCK"]).stderr(agent).run();
    // What is given is not missing, and what the caller has not is not either.
    let (test, path) = program(script);
    let test = test.env("SSH_AUTH_SOCK", "/tmp/agent").args(["--env", "SSH_AUTH_SOCK=/run/agent"]);
    test.arg("--").arg(path).stderr("").run();
}

#[test]
fn a_library_that_only_the_shell_leads_to() {
    let mut contents = fs::read("/bin/sleep").unwrap();
    let at = contents.windows(10).position(|part| part == b"libc.so.6\0").expect("it needs the C library");
    contents[at..at + 4].copy_from_slice(b"libq");
    let (test, path) = program(&contents);
    let test = test.file("libraries/libq.so.6", "");
    let libraries = test.folder().join("libraries");
    let said = "note: `web`: `[TMP]/run` finds `libq.so.6` by your LD_LIBRARY_PATH, which the service will not have; \
                `--env LD_LIBRARY_PATH=[TMP]/libraries` gives it to the service\n";
    test.env("LD_LIBRARY_PATH", &libraries).arg("--").arg(path).stderr(said).run();
    let (test, path) = program(&contents);
    test.arg("--").arg(path).stderr("").run();
    let (test, _) = program("");
    test.env("LD_LIBRARY_PATH", "/usr/lib").args(["--", "/bin/sleep", "1"]).stderr("").run();
}

#[test]
fn a_python_that_is_not_of_the_active_environment() {
    let (test, _) = program("");
    let test = test.file("python3", "#!/bin/sh\n").env("VIRTUAL_ENV", "/srv/venv");
    let python = test.folder().join("python3");
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    let said = "the virtual environment `/srv/venv` is active, and the service will run `[TMP]/python3`, which does not \
                see its packages; `-- /srv/venv/bin/python` runs its Python\n";
    test.arg("--").arg(python).stderr_contains(said).run();
}

#[test]
fn a_program_that_the_kernel_will_not_start() {
    let (test, path) = program("#!python3\n");
    let said = "the first line of `[TMP]/run` names `python3`, which is no absolute path, so it will not start; \
                `sed -i '1s|^#! *|#!/usr/bin/env |' [TMP]/run` has it looked for on PATH";
    test.arg("--").arg(path).stderr_contains(said).run();

    let mut contents = fs::read("/bin/sleep").unwrap();
    // `e_machine`, of elf(5): IBM Z.
    contents[18] = 22;
    let (test, path) = program(&contents);
    test.arg("--").arg(path).stderr_contains("`[TMP]/run` is made for IBM Z (s390), and this machine is ").run();
}

#[test]
fn nothing_of_this_host_is_said_of_files_for_another() {
    let (test, path) = program("#!/bin/sh\necho $DISPLAY\n");
    let test = test.env("DISPLAY", ":0").args(["--target", "nssm", "--working-directory", "C:/data"]);
    test.arg("--").arg(format!("C:{}", path.display())).stderr("").run();
}
