//! `NAME_ERROR_LOG.txt`: for root and the owner of its directory alone, and no way for an account to gain anything by
//! the part of its unit that root runs.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::booted::{Named, folder_of, named};
use crate::support::{Ran, Test, system, wait_for};

/// A new folder of ann, and the log in it.
fn folder(service: &Named) -> (String, PathBuf) {
    let folder = format!("/srv/{service}");
    folder_of("ann", &folder);
    let log = Path::new(&folder).join(format!("{service}_ERROR_LOG.txt"));
    (folder, log)
}

/// Installs a program of ann that dies at once, starts it, and waits for its end.
fn die(service: &Named, folder: &str) -> Ran {
    let install = service.install().args(["--account", "ann", "--working-directory", folder, "--restart", "never"]);
    let ran = install.script("echo gone; exit 9").run();
    service.manage(&ran, "start").status(1).run();
    over(service);
    ran
}

/// Waits until nothing of the service runs.
fn over(service: &Named) {
    wait_for("the end of it", 30, || (service.property("ActiveState") == "failed").then_some(()));
    assert!(matches!(&*service.property("TasksCurrent"), "[not set]" | "0"));
}

/// An entry, in a file for ann alone.
#[track_caller]
fn of_ann(log: &Path, lines: usize) {
    let (text, found) = (fs::read_to_string(log).unwrap(), log.symlink_metadata().unwrap());
    assert_eq!(text.matches("exit-code exited 9\ngone\n").count(), lines, "{text}");
    assert!(found.is_file() && found.nlink() == 1);
    assert_eq!(found.permissions().mode() & 0o7777, 0o600);
    assert_eq!(found.uid(), fs::metadata(log.parent().unwrap()).unwrap().uid());
}

/// What is in the folder besides the log.
fn others(folder: &str, log: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    found.filter(|path| path != log).collect()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn it_is_for_the_owner_of_the_directory_alone() {
    let service = named("log-mode");
    let (folder, log) = folder(&service);
    // What 0.1.0 wrote could be read by everybody.
    fs::write(&log, "earlier\n").unwrap();
    system("chown", &["ann", log.to_str().unwrap()]);
    fs::set_permissions(&log, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = die(&service, &folder);
    of_ann(&log, 1);
    assert!(fs::read_to_string(&log).unwrap().starts_with("earlier\n"));
    service.manage(&ran, "start").status(1).run();
    over(&service);
    of_ann(&log, 2);
    assert_eq!(others(&folder, &log), Vec::<PathBuf>::new());

    // In a directory of root's it is root's, also where the account may not write.
    let service = named("log-of-root");
    let folder = "/srv/log-of-root";
    drop(fs::remove_dir_all(folder));
    fs::create_dir(folder).unwrap();
    die(&service, folder);
    of_ann(&Path::new(folder).join("log-of-root_ERROR_LOG.txt"), 1);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_entry_begins_with_the_cause_where_the_program_cannot_say_it() {
    let service = named("log-cause");
    let (folder, log) = folder(&service);
    for (script, head) in [
        ("/no/such/program", "exit-code exited 127\ncause: a program or a library that it needs was not found\n"),
        ("kill -SYS $$", "signal killed SYS\ncause: a filter of system calls ended it"),
        ("exit 3", "exit-code exited 3\n\n"),
    ] {
        drop(fs::remove_file(&log));
        let install =
            service.install().args(["--account", "ann", "--working-directory", &folder, "--restart", "never"]);
        let ran = install.script(&format!("ulimit -c 0; {script}")).run();
        service.manage(&ran, "start").status(1).run();
        over(&service);
        let text = fs::read_to_string(&log).unwrap();
        assert!(text.contains(head), "{text}");
    }
}

/// An account cannot give a file to somebody else, so root writes what an exception of Python leaves.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn of_python_it_is_for_the_owner_of_the_directory_too() {
    for (owner, mode) in [("ann", 0o755), ("root", 0o755), ("daemon", 0o777)] {
        let service = named("log-python");
        let folder = folder_of(owner, "/srv/log-python");
        fs::write(folder.join("gone.py"), "def main():\n    raise RuntimeError('gone')\n").unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        let install = service.install().args(["--account", "ann", "--working-directory", "/srv/log-python"]);
        let install = install.args(["--state-dir", "/srv/log-python-state", "--python", "/usr/bin/python3"]);
        let ran = install.args(["--restart", "never", "gone:main"]).run();
        let start = service.manage(&ran, "start").args(["--state-dir", "/srv/log-python-state"]);
        start.status(1).run();
        over(&service);
        let log = folder.join("log-python_ERROR_LOG.txt");
        let (text, found) = (fs::read_to_string(&log).unwrap(), fs::metadata(&log).unwrap());
        assert_eq!(text.matches("RuntimeError: gone").count(), 1, "{owner}: {text}");
        assert_eq!(text.contains("log-python exit-code exited 1\n"), owner != "ann", "{owner}: {text}");
        assert_eq!((found.uid(), found.mode() & 0o7777), (fs::metadata(&folder).unwrap().uid(), 0o600), "{owner}");
    }
}

/// What it repeats is limited, however much was said at once.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_entry_is_bounded() {
    let service = named("log-bounded");
    let (folder, log) = folder(&service);
    // The protocol of the journal (systemd.io, "Native Journal Protocol"), with a file in the place of a long datagram.
    let say = "import array, os, socket\n\
               said = os.memfd_create('said', os.MFD_ALLOW_SEALING)\n\
               text = b'x' * (8 << 20) + b'gone'\n\
               os.write(said, b'MESSAGE\\n' + len(text).to_bytes(8, 'little') + text + b'\\n')\n\
               import fcntl\n\
               fcntl.fcntl(said, 1033, 15)\n\
               to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
               to.connect('/run/systemd/journal/socket')\n\
               to.sendmsg([], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', [said]))])\n";
    fs::write(format!("{folder}/say.py"), say).unwrap();
    let install = service.install().args(["--account", "ann", "--working-directory", &folder, "--restart", "never"]);
    let ran = install.script("/usr/bin/python3 say.py && exit 9").run();
    service.manage(&ran, "start").status(1).run();
    over(&service);
    let text = fs::read_to_string(&log).unwrap();
    assert!((200 << 10..300 << 10).contains(&text.len()), "{} bytes", text.len());
    assert!(text.contains("log-bounded exit-code exited 9\n") && text.ends_with("xgone\n\n"));
}

/// Whatever lies in its place, it is not opened, and it keeps nobody waiting.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_somebody_put_in_its_place_is_replaced() {
    let service = named("log-hostile");
    let (folder, log) = folder(&service);
    let victim = Path::new("/srv/log-hostile-victim");
    fs::write(victim, "precious").unwrap();
    let place = log.to_str().unwrap();
    let ways: [(&str, &dyn Fn()); 5] = [
        ("a pipe", &|| drop(system("mkfifo", &[place]))),
        ("a device", &|| drop(system("mknod", &[place, "c", "1", "5"]))),
        ("a link", &|| symlink(victim, &log).unwrap()),
        ("another name of a file of root's", &|| fs::hard_link(victim, &log).unwrap()),
        ("a huge file", &|| fs::File::create(&log).unwrap().set_len(5 << 30).unwrap()),
    ];
    for (what, put) in ways {
        drop(fs::remove_file(&log));
        put();
        drop(Command::new("chown").args(["--no-dereference", "ann", place]).status());
        die(&service, &folder);
        of_ann(&log, 1);
        assert_eq!(fs::read_to_string(victim).unwrap(), "precious", "{what}");
        assert_eq!(others(&folder, &log), Vec::<PathBuf>::new(), "{what}");
    }
    // A directory stays; nothing else is left.
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();
    die(&service, &folder);
    assert_eq!((log.is_dir(), others(&folder, &log)), (true, Vec::new()));
}

/// A library that notes as whom it was loaded by what runs in this directory.
fn library(folder: &str) -> PathBuf {
    let (source, library) = (format!("{folder}/spy.c"), Path::new(folder).join("spy.so"));
    let code = format!(
        "#include <stdio.h>\n#include <string.h>\n#include <unistd.h>\n\
         __attribute__((constructor)) static void note(void) {{\n\
             char here[4096];\n\
             if (!getcwd(here, sizeof here) || strcmp(here, \"{folder}\")) return;\n\
             FILE *file = fopen(\"{folder}/loaded\", \"a\");\n\
             if (file) {{ fprintf(file, \"%d\\n\", (int) geteuid()); fclose(file); }}\n\
         }}\n"
    );
    fs::write(&source, code).unwrap();
    system("gcc", &["-shared", "-fPIC", "-o", library.to_str().unwrap(), &source]);
    library
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn no_library_of_the_account_is_loaded_by_root() {
    for way in ["plainly", "by a drop-in", "passed on", "from a file", "to a made-up user"] {
        let service = named("log-preload");
        let (folder, log) = folder(&service);
        let library = library(&folder);
        let setting = format!("LD_PRELOAD={}", library.display());
        let loaded = Path::new(&folder).join("loaded");
        fs::write(&loaded, "").unwrap();
        system("chown", &["ann", loaded.to_str().unwrap()]);
        let table = match way {
            "passed on" => {
                system("systemctl", &["set-environment", &setting]);
                "PassEnvironment = \"LD_PRELOAD\"".to_owned()
            }
            "from a file" => {
                fs::write(format!("{folder}/file"), format!("{setting}\n")).unwrap();
                format!("EnvironmentFile = \"{folder}/file\"")
            }
            "to a made-up user" => {
                // Of the names that can be given to a file of everybody's, root's is the one that counts.
                fs::set_permissions(&loaded, fs::Permissions::from_mode(0o666)).unwrap();
                "DynamicUser = \"yes\"\nReadWritePaths = \"/srv\"".to_owned()
            }
            _ => String::new(),
        };
        let account = if way == "to a made-up user" { "" } else { "account = \"ann\"\n" };
        if way == "by a drop-in" {
            let drop_ins = service.unit().with_extension("service.d");
            fs::create_dir_all(&drop_ins).unwrap();
            fs::write(drop_ins.join("spy.conf"), format!("[Service]\nEnvironment={setting}\n")).unwrap();
        }
        let plain = if matches!(way, "plainly" | "to a made-up user") {
            format!("environment = {{ LD_PRELOAD = \"{}\" }}", library.display())
        } else {
            String::new()
        };
        let manifest = format!(
            "[[service]]\nname = \"{service}\"\nexecutable = \"/bin/sh\"\narguments = [\"-c\", \"echo gone; exit 9\"]\n\
             {account}working_directory = \"{folder}\"\nrestart = \"never\"\n{plain}\n[service.systemd]\n{table}\n"
        );
        // Not below `/tmp`, of which a made-up user has one of its own.
        let state = ["--state-dir", "/srv/log-preload-state"];
        let ran = Test::install().file("spy.toml", manifest).args(["--manifest", "spy.toml"]).args(state).run();
        service.manage(&ran, "start").args(state).status(1).run();
        over(&service);
        if way == "passed on" {
            system("systemctl", &["unset-environment", "LD_PRELOAD"]);
        }
        let by = fs::read_to_string(&loaded).unwrap();
        assert!(by.lines().all(|user| user != "0"), "{way}: {by}");
        // Set plainly, it is the program's to have.
        assert_eq!(!by.is_empty(), !plain.is_empty(), "{way}: {by}");
        of_ann(&log, 1);
    }
}

/// systemd counts an end by SIGPIPE as clean; whoever runs a service has not asked for it.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_end_by_sigpipe_is_a_failure_but_at_a_stop() {
    let entry = "success killed PIPE\ngone\n";
    // It is started again, and runs the second time.
    let service = named("log-pipe");
    let (folder, log) = folder(&service);
    let install = service.install().args(["--account", "ann", "--working-directory", &folder, "--restart-sec", "1s"]);
    let script = "[ -e ended ] && exec sleep 1000; touch ended; echo gone; kill -PIPE $$";
    let _installed = install.args(["--restart", "on-failure"]).script(script).run();
    system("systemctl", &["start", "log-pipe"]);
    wait_for("its second run", 30, || (service.property("NRestarts") == "1").then_some(()));
    wait_for("that it runs", 30, || (service.property("ActiveState") == "active").then_some(()));
    let text = fs::read_to_string(&log).unwrap();
    assert_eq!(text.matches(entry).count(), 1, "{text}");

    // A stop may have its pipes end before its programs.
    let service = named("log-pipe-stop");
    let (folder, log) = self::folder(&service);
    let install = service.install().args(["--account", "ann", "--working-directory", &folder]);
    let script = "trap 'echo gone; kill -PIPE $$' TERM; touch ready; while :; do sleep 0.1; done";
    let ran = install.args(["--restart", "on-failure", "--start"]).script(script).run();
    wait_for("its trap", 30, || Path::new(&folder).join("ready").exists().then_some(()));
    service.manage(&ran, "stop").stdout("log-pipe-stop: stopped\n").run();
    assert_eq!((service.property("ExecMainStatus").as_str(), log.exists()), ("13", false));
}
