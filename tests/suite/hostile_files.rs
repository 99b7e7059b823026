//! What somebody puts in the place of a file: a FIFO, a device, a socket, five gigabytes. Nothing of it is read, and
//! nobody is kept waiting. What the caller hands over by a pipe is.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Ran, Test, without_end};

/// It is ended if it waits for anybody, or takes the memory for such a file.
fn watched(test: Test) -> Test {
    test.through(&["timeout", "--kill-after=5", "20", "prlimit", "--as=1000000000"])
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Five gigabytes that take no room on the disk.
fn large(path: &Path) {
    fs::File::create(path).unwrap().set_len(5 << 30).unwrap();
}

/// What is no file that anybody reads, in a folder, and how each is refused.
fn prepared() -> (Ran, Vec<(PathBuf, &'static str)>) {
    let ran = Test::manage().arg("-V").run();
    let path = |name: &str| ran.folder().join(name);
    fifo(&path("fifo"));
    symlink(path("fifo"), path("to-fifo")).unwrap();
    symlink("/dev/zero", path("to-zero")).unwrap();
    large(&path("large"));
    // It lies there until the test ends.
    std::mem::forget(UnixListener::bind(path("socket")).unwrap());
    let refused = vec![
        (path("fifo"), "this is a FIFO, not a file"),
        (path("to-fifo"), "this is a FIFO, not a file"),
        (path("to-zero"), "this is a device, not a file"),
        ("/dev/zero".into(), "this is a device, not a file"),
        (path("socket"), "this is a socket, not a file"),
        (path("large"), "must be at most 16 MiB large"),
    ];
    (ran, refused)
}

#[test]
fn a_manifest_and_a_catalog() {
    let (ran, all) = prepared();
    for (path, reason) in &all {
        for what in ["manifest", "catalog"] {
            let shown = path.display().to_string().replace(ran.folder().to_str().unwrap(), "[TMP]");
            let test = watched(ran.then_install()).arg("--dry-run").arg(format!("--{what}")).arg(path);
            let test = if what == "catalog" { test.args(["--", "/bin/true"]) } else { test };
            test.status(2).stdout("").stderr_contains(format!("{what} `{shown}`: {reason}\n")).run();
        }
    }
    let named = ran.folder().join("working_dir/catalog.d");
    fs::create_dir_all(&named).unwrap();
    fifo(&named.join("more.toml"));
    watched(ran.then_install()).arg("-h").status(2).stderr_contains("more.toml`: this is a FIFO, not a file").run();
}

#[test]
fn a_config_file() {
    let (ran, all) = prepared();
    for (path, reason) in &all {
        let test =
            watched(ran.then_install()).args(["DataFileUploadDirectory", "/tmp", "--dry-run", "--config"]).arg(path);
        test.status(2).stdout("").stderr_contains(format!("`: {reason}\n")).run();
    }
}

#[test]
fn a_program() {
    let (ran, _) = prepared();
    let fifo = ran.folder().join("fifo");
    Command::new("chmod").arg("+x").arg(&fifo).status().unwrap();
    let test = watched(ran.then_install()).args(["--dry-run", "--service_name", "web", "--"]).arg(&fifo);
    test.status(2).stderr_contains("`[TMP]/fifo`: this is a FIFO, not a program\n").run();
}

const MANIFEST: &str = "[[service]]\nname = \"web\"\nworking_directory = \"/srv\"\nexecutable = \"/bin/true\"\n";

#[test]
fn what_the_caller_hands_over_is_read() {
    let by_file = Test::install().file("m.toml", MANIFEST).args(["--dry-run", "--manifest", "m.toml"]).run();
    let same = |test: Test| assert_eq!(without_end(&test.run().stdout), without_end(&by_file.stdout));
    for path in ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"] {
        same(watched(by_file.then_install()).stdin(MANIFEST).args(["--dry-run", "--manifest", path]));
    }
    let substituted = ["bash", "-c", "exec \"$@\" --dry-run --manifest <(cat m.toml)", "bash"];
    same(by_file.then_install().through(&substituted));
    let from_file = ["bash", "-c", "exec \"$@\" --dry-run --manifest /dev/stdin < m.toml", "bash"];
    same(by_file.then_install().through(&from_file));
    // A pipe that never ends is left when it is too much.
    let endless = ["bash", "-c", "exec \"$@\" --dry-run --manifest <(yes '# more')", "bash"];
    let test = watched(by_file.then_install()).through(&endless);
    test.status(2).stderr_contains("`: must be at most 16 MiB large\n  help: divide it, or name another file\n").run();
}

/// A user's service, as it lies on a host, with what is put in its place.
fn installed() -> Ran {
    let ran = Test::install()
        .env("INSTALLSERVICE_WORKING_DIR", "")
        .args(["--output", "home", "--user", "--working-directory", "/srv", "--service_name", "web", "--", "/bin/true"])
        .run();
    for of_the_tree in ["MANIFEST.toml", "MANIFEST.sha256"] {
        fs::remove_file(ran.folder().join("home").join(of_the_tree)).unwrap();
    }
    ran
}

const STATE: &str = "home/.local/state/install-service";

#[test]
fn a_file_of_a_service() {
    for (name, refused) in [
        (format!("{STATE}/web_install_args.toml"), "web_install_args.toml"),
        (format!("{STATE}/web_env_vars.txt"), "web_env_vars.txt"),
        (format!("{STATE}/web_launch.sh"), "web_launch.sh"),
    ] {
        let ran = installed();
        let path = ran.folder().join(&name);
        for (put, said) in [
            (&fifo as &dyn Fn(&Path), "`: a FIFO is in its place, which InstallService did not make\n"),
            (&large, "`: it is larger than 16 MiB, and InstallService writes no such file\n"),
        ] {
            drop(fs::remove_file(&path));
            put(&path);
            let test = watched(ran.then_manage()).env("INSTALLSERVICE_WORKING_DIR", "").args(["web", "diff"]);
            let test = test.status(2).stderr_contains(format!("refusing to touch `[TMP]/{name}{said}"));
            test.stderr_contains(format!("{refused}`, and move it away if nothing needs it")).run();
        }
    }
}

#[test]
fn a_unit_of_somebody_else() {
    let ran = installed();
    let units = ran.folder().join("home/.config/systemd/user");
    large(&units.join("large.service"));
    fifo(&units.join("fifo.service"));
    let test = watched(ran.then_manage()).env("INSTALLSERVICE_WORKING_DIR", "").args(["--list", "--format", "json"]);
    let listed = test.run().stdout;
    assert!(listed.contains("\"web\"") && !listed.contains("large") && !listed.contains("fifo"), "{listed}");
}

#[test]
fn the_lock_and_the_journal() {
    let ran = installed();
    let state = ran.folder().join(STATE);
    let list = || watched(ran.then_manage()).env("INSTALLSERVICE_WORKING_DIR", "").args(["--list", "--user"]);
    // Something is to be taken back: the lock is needed.
    let record = r#"{"version":4,"manager":{"systemd":"user"},"steps":[],"after":[],"directories":[]}"#;
    fs::create_dir(state.join("journal")).unwrap();
    fs::write(state.join("journal/plan.json"), record).unwrap();
    fifo(&state.join(".lock"));
    list().status(2).stderr_contains("/.lock`: a FIFO is in its place, which InstallService did not make\n").run();
    fs::remove_file(state.join(".lock")).unwrap();
    // Another name of something else: it would lose what is in it.
    fs::write(ran.folder().join("precious"), "precious\n").unwrap();
    fs::hard_link(ran.folder().join("precious"), state.join(".lock")).unwrap();
    list().status(2).stderr_contains("/.lock`: a file with a second name is in its place").run();
    assert_eq!(fs::read_to_string(ran.folder().join("precious")).unwrap(), "precious\n");
    fs::remove_file(state.join(".lock")).unwrap();
    large(&state.join("journal/plan.json"));
    list().status(2).stderr_contains("/journal/plan.json`: it is larger than 256 MiB").run();
    fs::write(state.join("journal/plan.json"), record).unwrap();
    fifo(&state.join("journal/begun"));
    list().status(2).stderr_contains("/journal/begun`: a FIFO is in its place").run();
    fs::remove_file(state.join("journal/begun")).unwrap();
    large(&state.join("journal/begun"));
    list().run();
    assert!(!state.join("journal").exists());
}
