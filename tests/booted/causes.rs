//! A start that fails names the cause, and what to type: to whoever starts the service, and in its status.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::booted::{Named, folder_of, named};
use crate::support::{Ran, Test, system};

/// A program that everybody may execute, in a folder of its own for everybody to enter.
fn program(service: &Named, contents: &[u8]) -> PathBuf {
    let path = folder_of("root", &format!("/srv/{service}")).join("program");
    fs::write(&path, contents).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The service is started, and fails; both the start and the status have `cause` and `help`.
#[track_caller]
fn fails_for(service: &Named, installed: &Ran, cause: &str, help: &str) {
    let start = service.manage(installed, "start").status(1);
    start.stderr_contains(format!("  cause: {cause}")).stderr_contains(help).run();
    let status = service.manage(installed, "status").status(3);
    status.stdout_contains(format!("  cause        {cause}")).stdout_contains(help).run();
}

fn installed(service: &Named, program: &Path) -> Ran {
    service.install().arg("--").arg(program).run()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_first_line_that_ends_as_on_windows() {
    for (name, contents) in
        [("cause-cr", "#!/bin/sh\r\nexec sleep 9\r\n"), ("cause-cr-env", "#!/usr/bin/env sh\r\nexit\r\n")]
    {
        let service = named(name);
        let path = program(&service, contents.as_bytes());
        let ran = installed(&service, &path);
        let cause = format!("the first line of `{}` ends with a carriage return, as on Windows; ", path.display());
        fails_for(&service, &ran, &cause, &format!("`sed -i 's/\\r$//' {}`", path.display()));
        // What is to be typed helps.
        system("sed", &["-i", r"s/\r$//; s/^exit$/exec sleep 9/", path.to_str().unwrap()]);
        service.manage(&ran, "start").run();
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_interpreter_that_is_gone() {
    let service = named("cause-interpreter");
    let path = program(&service, b"#!/srv/venv/bin/python\n");
    let cause = format!("the first line of `{}` names `/srv/venv/bin/python`, which is not there; ", path.display());
    fails_for(&service, &installed(&service, &path), &cause, "a virtual environment that moved is made again");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_program_that_env_finds_on_the_path_of_the_shell_alone() {
    let service = named("cause-env");
    let path = program(&service, b"#!/usr/bin/env only-in-a-shell\n");
    let folder = path.parent().unwrap().join("tools");
    fs::create_dir(&folder).unwrap();
    fs::copy("/bin/sleep", folder.join("only-in-a-shell")).unwrap();
    // Another first line than the one that is installed with: an install looks at that.
    fs::write(&path, "#!/bin/sh\nexec only-in-a-shell 1000\n").unwrap();
    let ran = installed(&service, &path);
    fs::write(&path, "#!/usr/bin/env only-in-a-shell\n").unwrap();
    let search = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let start = service.manage(&ran, "start").env("PATH", search).status(1);
    let start = start.stderr_contains("  cause: `only-in-a-shell` is not on the service's PATH; ");
    start.stderr_contains(format!("install `cause-env` again with `--path {}`", folder.display())).run();
    service.manage(&ran, "start").status(1).stderr_contains("`command -v only-in-a-shell`").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_file_system_without_execution() {
    let service = named("cause-noexec");
    let path = program(&service, b"#!/bin/sh\nexec sleep 1000\n");
    let ran = installed(&service, &path);
    let folder = path.parent().unwrap().to_str().unwrap();
    system("mount", &["--bind", folder, folder]);
    system("mount", &["-o", "remount,bind,noexec", folder]);
    let cause = format!("`{}` lies on a file system that is mounted with `noexec`; ", path.display());
    fails_for(&service, &ran, &cause, &format!("`-- /bin/sh {}`", path.display()));
    service.manage(&ran, "stop").run();
    system("umount", &[folder]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_program_for_another_machine() {
    let service = named("cause-machine");
    let mut contents = fs::read("/bin/sleep").unwrap();
    // `e_machine`, of elf(5): IBM Z, which no test runs on.
    contents[18] = 22;
    let path = program(&service, &contents);
    let cause = format!("`{}` is made for IBM Z (s390), and this machine is ", path.display());
    fails_for(&service, &installed(&service, &path), &cause, &format!("`file {}`", path.display()));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_loader_that_is_not_there() {
    let service = named("cause-loader");
    let contents = fs::read("/bin/sleep").unwrap();
    let at = contents.windows(9).position(|part| part == b"ld-linux-" || part == b"ld-linux.").unwrap();
    let mut contents = contents;
    contents[at..at + 7].copy_from_slice(b"ld-musl");
    let path = program(&service, &contents);
    let cause = format!("`{}` is made for musl, a C library that this system does not have: ", path.display());
    fails_for(&service, &installed(&service, &path), &cause, "`sudo apt-get install musl`");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_forbidden_system_call_names_the_line_of_the_profile() {
    let service = named("cause-sigsys");
    let manifest = "[[service]]\nname = \"cause-sigsys\"\nexecutable = \"/bin/sh\"\nhardening = \"baseline\"\n\
                    arguments = [\"-c\", \"kill -SYS $$\"]\n";
    let ran = Test::install().file("s.toml", manifest).args(["--manifest", "s.toml"]).run();
    let start = service.manage(&ran, "start").status(1).stderr_contains("it was ended by signal 31\n");
    let start = start.stderr_contains("that is the line `SystemCallArchitectures=native` of the hardening profile");
    start.stderr_contains("help: install `cause-sigsys` again with `--hardening none`\n").run();
}

/// An executable for 32-bit x86, which asks for its process id for ever: `mov eax, 20; int 0x80; jmp back` (elf(5),
/// `arch/x86/entry/syscalls/syscall_32.tbl` of Linux).
#[cfg(target_arch = "x86_64")]
fn narrow() -> Vec<u8> {
    const CODE: [u8; 9] = [0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7];
    const AT: u32 = 0x0804_8000;
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let length = 84 + 9;
    let mut file = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x03\0".to_vec();
    file.extend(words(&[1, AT + 84, 52, 0, 0]));
    file.extend([52_u16, 32, 1, 0, 0, 0].iter().flat_map(|half| half.to_le_bytes()));
    file.extend(words(&[1, 0, AT, AT, length, length, 5, 0x1000]));
    file.extend(CODE);
    file
}

#[test]
#[cfg(target_arch = "x86_64")]
#[ignore = "needs a booted systemd: tests/run"]
fn a_32_bit_program_under_a_profile_names_the_line() {
    let service = named("cause-narrow");
    let path = program(&service, &narrow());
    let ran = service.install().args(["--hardening", "baseline", "--"]).arg(&path).run();
    let cause = "the program is a 32-bit one, and the unit lets it make no 32-bit system call; that is the line \
                 `SystemCallArchitectures=native` of the hardening profile";
    fails_for(&service, &ran, cause, "install `cause-narrow` again with `--hardening none`");
    // And that helps.
    service.install_again(&ran).args(["--hardening", "none", "--start", "--"]).arg(&path).run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn rights_that_the_profile_takes_away() {
    for (name, script, line) in [
        ("cause-sudo", "sudo -n true", "RestrictSUIDSGID=yes NoNewPrivileges=yes"),
        ("cause-unshare", "unshare --user true", "RestrictNamespaces=yes"),
        ("cause-setgid", "d=$(mktemp -d) && chmod g+s $d", "RestrictSUIDSGID=yes"),
    ] {
        let service = named(name);
        let folder = folder_of("ann", &format!("/srv/{name}"));
        let install = service.install().args(["--hardening", "baseline", "--account", "ann"]);
        let install = install.arg("--working-directory").arg(&folder);
        let ran = install.script(&format!("{script} || exit 1; exec sleep 1000")).run();
        let start = service.manage(&ran, "start").status(1);
        let start = start.stderr_contains(format!("help: install `{name}` again with `--hardening none`\n")).run();
        assert!(
            line.split(' ').any(|line| start.stderr.contains(&format!("`{line}` of the hardening profile"))),
            "{}",
            start.stderr
        );
        // And that helps, but for sudo: ann may not use it.
        let install = service.install_again(&ran).args(["--hardening", "none", "--account", "ann", "--start"]);
        if name != "cause-sudo" {
            install
                .arg("--working-directory")
                .arg(&folder)
                .script(&format!("{script} || exit 1; exec sleep 1000"))
                .run();
        }
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_library_that_only_the_shell_knows() {
    let service = named("cause-library");
    let path = program(&service, b"#!/bin/sh\necho '/opt/x: error while loading shared libraries: libq.so.7: cannot open shared object file: No such file or directory' >&2\nexit 127\n");
    let ran = installed(&service, &path);
    let libraries = path.parent().unwrap();
    fs::write(libraries.join("libq.so.7"), "").unwrap();
    let start = service.manage(&ran, "start").env("LD_LIBRARY_PATH", libraries.to_str().unwrap()).status(1);
    let start = start.stderr_contains("  cause: the library `libq.so.7` is not found; ");
    start.stderr_contains(format!("with `--env LD_LIBRARY_PATH={}`", libraries.display())).run();
    service.manage(&ran, "start").status(1).stderr_contains("`ldd ").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_program_that_goes_into_the_background() {
    let service = named("cause-background");
    let ran = service.install().script("sleep 1000 &").run();
    let cause = "the command ends with `&`, which puts it into the background; ";
    fails_for(&service, &ran, cause, "install `cause-background` again without the `&`");

    // A daemon that is known by its name.
    let service = named("cause-daemon");
    let folder = folder_of("root", "/srv/cause-daemon");
    let path = folder.join("mosquitto");
    fs::write(&path, "#!/bin/sh\nsetsid sleep 1000 < /dev/null &\nexit 0\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = installed(&service, &path);
    fails_for(&service, &ran, "`mosquitto` puts itself into the background; ", "without `-d`");

    let service = named("cause-input");
    let ran = service.install().args(["--", "/bin/cat"]).run();
    fails_for(&service, &ran, "`cat` reads what it should do from standard input", "`-- /bin/cat SCRIPT`");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_port_that_is_in_use() {
    let service = named("cause-port");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let code =
        format!("import socket; s = socket.socket(); print('port {port}', flush=True); s.bind(('127.0.0.1', {port}))");
    let ran = service.install().args(["--", "/usr/bin/env", "python3", "-c", &code]).run();
    fails_for(&service, &ran, "its port or socket is in use by another program; ", "`sudo ss -ltnp` shows who has it");
    let service = named("cause-port-number");
    let ran =
        service.install().script(&format!("echo 'listen tcp :{port}: bind: address already in use'; exit 1")).run();
    let (process, name) = (std::process::id(), fs::read_to_string("/proc/self/comm").unwrap());
    let cause = format!("port {port} is in use by `{}`, process {process}; ", name.trim_end());
    fails_for(
        &service,
        &ran,
        &cause,
        &format!("`sudo kill {process}` ends that one; or give `cause-port-number` another"),
    );
    // Who has it is gone.
    drop(listener);
    fails_for(&service, &ran, &format!("port {port} is in use by another program; "), &format!("'sport = :{port}'"));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_directory_that_is_not_for_the_account() {
    let service = named("cause-write");
    folder_of("root", "/srv/cause-write");
    let install = service.install().args(["--account", "ann", "--working-directory", "/"]);
    let ran = install.script("exec > /srv/cause-write/out; exec sleep 1000").run();
    let cause = "the account `ann` may not read or write `/srv/cause-write/out`; ";
    fails_for(&service, &ran, cause, "`sudo chown -R ann DIR`");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_working_directory_that_is_gone() {
    let service = named("cause-directory");
    let folder = folder_of("root", "/srv/cause-directory");
    let ran = service.install().arg("--working-directory").arg(&folder).script("exec sleep 1000").run();
    fs::remove_dir(&folder).unwrap();
    fails_for(
        &service,
        &ran,
        "its working directory `/srv/cause-directory` is gone; ",
        "`mkdir -p /srv/cause-directory`",
    );
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_start_limit() {
    let service = named("cause-limit");
    let manifest = "[[service]]\nname = \"cause-limit\"\nexecutable = \"/bin/sh\"\nrestart_sec = 0\n\
                    arguments = [\"-c\", \"echo 'bind: address already in use'; exit 1\"]\n\
                    [service.systemd]\n\"Unit.StartLimitIntervalSec\" = \"60\"\n\"Unit.StartLimitBurst\" = \"2\"\n";
    let ran = Test::install().file("s.toml", manifest).args(["--manifest", "s.toml"]).run();
    service.manage(&ran, "start").status(1).run();
    crate::support::wait_for("the limit", 10, || (service.property("ActiveState") == "failed").then_some(()));
    let status = service.manage(&ran, "status").status(3);
    let status =
        status.stdout_contains("  cause        it was started more often than `StartLimitBurst=` of its unit allows");
    status.stdout_contains("`ManageService cause-limit start` resets the count").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_kill_under_a_limit_of_memory_names_the_limit() {
    let service = named("cause-memory");
    let manifest = "[[service]]\nname = \"cause-memory\"\nexecutable = \"/bin/sh\"\n\
                    arguments = [\"-c\", \"kill -KILL $$\"]\n\
                    [service.systemd]\nMemoryMax = \"32M\"\n";
    let ran = Test::install().file("s.toml", manifest).args(["--manifest", "s.toml"]).run();
    let start = service.manage(&ran, "start").status(1);
    // The kernel of the bed counts no memory; a limit that is reached ends a process with this very signal.
    start.stderr_contains("it was killed, probably because it exceeded what the line `MemoryMax=32M` of `").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn the_causes_are_in_the_json_of_the_status() {
    let service = named("cause-json");
    let ran = service.install().script("echo 'listen tcp :8080: bind: address already in use'; exit 1").run();
    service.manage(&ran, "start").status(1).run();
    let status = service.manage(&ran, "status").args(["--format", "json"]).status(3).run();
    let json: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    let cause = &json["causes"][0];
    assert_eq!(cause["kind"], "port");
    for key in ["what", "why", "type"] {
        assert!(cause[key].as_str().is_some_and(|text| !text.is_empty()), "{cause}");
    }
}
