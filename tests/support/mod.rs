//! What the integration tests share: [`Test`] runs one of the two commands in a folder of its own and
//! compares what came out, [`same_tree`] holds a folder against a golden one, [`probe`] reads what the
//! probe program received.
//!
//! ```ignore
//! Test::install().args(["--dry-run", "--", "/bin/true"]).stdout("…").run();
//! Test::manage().args(["web", "status"]).status(4).stderr_contains("help: ").run();
//! ```
#![allow(dead_code, reason = "every test file uses another part of it")]
#![allow(clippy::disallowed_methods, reason = "tests may touch the machine")]

#[cfg(target_os = "linux")]
pub(crate) mod booted;
#[cfg(target_os = "linux")]
pub(crate) mod host;
pub(crate) mod readme;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;

use tempfile::TempDir;

/// One run of a command, with what is expected of it. What is not expected is not compared, except
/// that the exit code is to be 0.
///
/// It runs in an empty temporary folder (kept between runs by [`Ran::then_manage`] and its like), with
/// no environment variables but `PATH`, `LC_ALL`, `HOME` and `INSTALLSERVICE_WORKING_DIR` (both below
/// that folder), and nothing to read on its standard input. Expected texts say `[TMP]` for the folder.
#[must_use = "nothing happens before `run`"]
pub(crate) struct Test {
    folder: Rc<TempDir>,
    command: Command,
    stdin: Vec<u8>,
    stdout_to: Option<Stdio>,
    stderr_to: Option<Stdio>,
    status: i32,
    stdout: Option<String>,
    stderr: Option<String>,
    stdout_contains: Vec<String>,
    stderr_contains: Vec<String>,
    files: Vec<(PathBuf, Vec<u8>)>,
}

/// What a run left behind; the folder goes when the last of these is dropped.
pub(crate) struct Ran {
    folder: Rc<TempDir>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Test {
    /// InstallService, in a new folder.
    pub(crate) fn install() -> Self {
        Self::new(env!("CARGO_BIN_EXE_InstallService"), temporary_folder())
    }

    /// InstallService in a new folder, with this `RunService.exe` beside it, as a release for Windows has it.
    pub(crate) fn install_beside(runner: &[u8]) -> Self {
        let folder = temporary_folder();
        let built = Path::new(env!("CARGO_BIN_EXE_InstallService"));
        let program = folder.path().join("bin").join(built.file_name().expect("a program"));
        write(&program.with_file_name("RunService.exe"), runner);
        fs::copy(built, &program).expect("a copy");
        Self::new(program, folder)
    }

    /// ManageService, in a new folder.
    pub(crate) fn manage() -> Self {
        Self::new(env!("CARGO_BIN_EXE_ManageService"), temporary_folder())
    }

    /// One of our commands by the name that no other package has, in a new folder.
    pub(crate) fn hyphenated(name: &str) -> Self {
        let built = Path::new(env!("CARGO_BIN_EXE_install-service"));
        Self::new(built.with_file_name(name).with_extension(std::env::consts::EXE_EXTENSION), temporary_folder())
    }

    fn new(program: impl AsRef<OsStr>, folder: Rc<TempDir>) -> Self {
        let mut command = Command::new(program);
        command
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", folder.path().join("home"))
            .env("INSTALLSERVICE_WORKING_DIR", folder.path().join("working_dir"));
        // Without it a program does not start on Windows.
        command.envs(std::env::var_os("SystemRoot").map(|root| ("SystemRoot", root)));
        Self {
            folder,
            command,
            stdin: Vec::new(),
            stdout_to: None,
            stderr_to: None,
            status: 0,
            stdout: None,
            stderr: None,
            stdout_contains: Vec::new(),
            stderr_contains: Vec::new(),
            files: Vec::new(),
        }
    }

    /// The folder of this test.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, relative to the folder, before the run.
    pub(crate) fn file(self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> Self {
        write(&self.folder.path().join(path), contents.as_ref());
        self
    }

    /// One more argument, of any bytes.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// More arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// More arguments, in front of those that are there: what follows a Python program belongs to it.
    pub(crate) fn first(mut self, arguments: &[&str]) -> Self {
        let mut command = Command::new(self.command.get_program());
        command.args(arguments).args(self.command.get_args());
        self.command = with_surroundings(command, &self.command);
        self
    }

    /// An environment variable of the command.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// What the command reads on its standard input.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// Where it runs, relative to the folder; made if missing.
    pub(crate) fn cwd(mut self, path: impl AsRef<Path>) -> Self {
        let path = self.folder.path().join(path);
        fs::create_dir_all(&path).expect("a folder to run in");
        self.command.current_dir(path);
        self
    }

    /// The exit code to expect.
    pub(crate) fn status(mut self, code: i32) -> Self {
        self.status = code;
        self
    }

    /// The whole standard output to expect.
    pub(crate) fn stdout(mut self, text: impl Into<String>) -> Self {
        self.stdout = Some(text.into());
        self
    }

    /// The whole standard error to expect.
    pub(crate) fn stderr(mut self, text: impl Into<String>) -> Self {
        self.stderr = Some(text.into());
        self
    }

    /// A part of the standard output to expect.
    pub(crate) fn stdout_contains(mut self, text: impl Into<String>) -> Self {
        self.stdout_contains.push(text.into());
        self
    }

    /// A part of the standard error to expect.
    pub(crate) fn stderr_contains(mut self, text: impl Into<String>) -> Self {
        self.stderr_contains.push(text.into());
        self
    }

    /// A file, relative to the folder, to expect after the run.
    pub(crate) fn expect_file(mut self, path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> Self {
        self.files.push((self.folder.path().join(path), contents.as_ref().to_vec()));
        self
    }

    /// Puts another command in front, such as `unshare --mount`; what follows is added behind.
    pub(crate) fn through(mut self, words: &[&str]) -> Self {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg(self.command.get_program()).args(self.command.get_args());
        self.command = with_surroundings(command, &self.command);
        self
    }

    /// Its standard output is this file, or anything else that is opened to be written to.
    pub(crate) fn stdout_to(mut self, file: impl Into<Stdio>) -> Self {
        self.stdout_to = Some(file.into());
        self
    }

    /// Its standard error is this file.
    pub(crate) fn stderr_to(mut self, file: impl Into<Stdio>) -> Self {
        self.stderr_to = Some(file.into());
        self
    }

    /// Runs on a terminal of its own. What is to be seen there, of both streams, is its standard output.
    pub(crate) fn on_a_terminal(self) -> Self {
        let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keys.py");
        self.env("TERM", "xterm-256color").through(&["/usr/bin/python3", keys, "--"])
    }

    /// The same on one that is so wide.
    pub(crate) fn on_a_terminal_of(self, columns: usize) -> Self {
        self.env("COLUMNS", columns.to_string()).on_a_terminal()
    }

    /// Runs the command; every difference from what is expected is printed before it panics.
    #[track_caller]
    pub(crate) fn run(self) -> Ran {
        self.spawn().end()
    }

    /// Runs the command, whatever comes of it, and gives its exit code (128 and its number for a signal).
    pub(crate) fn run_to_any_end(self) -> (i32, Ran) {
        self.spawn().end_anyhow()
    }

    /// Starts the command, and leaves it running.
    #[track_caller]
    pub(crate) fn spawn(mut self) -> Running {
        fs::create_dir_all(self.folder.path().join("home")).expect("a home");
        let (stdout, stderr) = (Sink::new(), Sink::new());
        let (to_stdout, to_stderr) = (self.stdout_to.take(), self.stderr_to.take());
        let piped = self.command.stdin(Stdio::piped());
        piped.stdout(to_stdout.unwrap_or_else(|| stdout.end())).stderr(to_stderr.unwrap_or_else(|| stderr.end()));
        let mut child = start(piped).unwrap_or_else(|error| panic!("cannot start {:?}: {error}", self.command));
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = std::mem::take(&mut self.stdin);
        // Beside the reading of its output, or both could wait for each other for ever. A command that
        // does not read its input is no failure.
        let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
        Running { test: self, child, writer, stdout, stderr }
    }

    #[track_caller]
    fn compare(self, output: &std::process::Output) -> Ran {
        let (stdout, stderr) = (self.readable(&output.stdout), self.readable(&output.stderr));
        let mut faults = Vec::new();
        if exit_code(output.status) != self.status {
            faults.push(format!("expected exit code {}, got {}", self.status, output.status));
        }
        for (what, expected, actual) in [("stdout", &self.stdout, &stdout), ("stderr", &self.stderr, &stderr)] {
            faults.extend(expected.as_ref().and_then(|expected| difference(what, expected, actual)));
        }
        for (what, parts, actual) in
            [("stdout", &self.stdout_contains, &stdout), ("stderr", &self.stderr_contains, &stderr)]
        {
            let missing = parts.iter().filter(|part| !actual.contains(part.as_str()));
            faults.extend(missing.map(|part| format!("{what} does not contain {part:?}")));
        }
        for (path, expected) in &self.files {
            let name = self.readable(path.as_os_str().as_encoded_bytes());
            match fs::read(path) {
                Err(error) => faults.push(format!("{name}: {error}")),
                Ok(actual) if actual == *expected => {}
                Ok(actual) => faults.push(
                    difference(&name, &self.readable(expected), &self.readable(&actual))
                        .unwrap_or_else(|| format!("{name}: differs in bytes that are not text")),
                ),
            }
        }
        assert!(
            faults.is_empty(),
            "{:?}\n{}\n--- stdout ---\n{stdout}--- stderr ---\n{stderr}",
            self.command,
            faults.join("\n"),
        );
        Ran { folder: self.folder, stdout, stderr }
    }

    fn readable(&self, bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).replace(&*self.folder.path().to_string_lossy(), "[TMP]")
    }
}

/// `command` with the environment of another one, and where that runs.
fn with_surroundings(mut command: Command, other: &Command) -> Command {
    command.env_clear().envs(other.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(other.get_current_dir().expect("it has a folder"));
    command
}

/// A command that runs.
pub(crate) struct Running {
    test: Test,
    child: std::process::Child,
    writer: std::thread::JoinHandle<()>,
    stdout: Sink,
    stderr: Sink,
}

/// Where a command writes to: a pipe, but on Windows a file, because what it makes the service manager
/// start may hold a pipe open for ever.
struct Sink(#[cfg(windows)] fs::File);

impl Sink {
    #[cfg(unix)]
    fn new() -> Self {
        Self()
    }

    #[cfg(unix)]
    fn end(&self) -> Stdio {
        Stdio::piped()
    }

    #[cfg(unix)]
    fn instead(self, piped: Vec<u8>) -> Vec<u8> {
        piped
    }

    #[cfg(windows)]
    fn new() -> Self {
        Self(tempfile::tempfile().expect("a temporary file"))
    }

    #[cfg(windows)]
    fn end(&self) -> Stdio {
        self.0.try_clone().expect("its handle").into()
    }

    #[cfg(windows)]
    fn instead(mut self, _piped: Vec<u8>) -> Vec<u8> {
        use std::io::{Read as _, Seek as _};
        let mut bytes = Vec::new();
        self.0.rewind().and_then(|()| self.0.read_to_end(&mut bytes)).expect("its output");
        bytes
    }
}

/// Starts a command. On a busy machine Wine fails to do so now and then, with an "internal error"; and a program that was
/// just copied is busy as long as a child of another test, which is about to become its own program, has it open.
fn start(command: &mut Command) -> std::io::Result<std::process::Child> {
    const INTERNAL_ERROR: i32 = 1359;
    for _ in 0..5 {
        match command.spawn() {
            Err(error)
                if cfg!(windows) && error.raw_os_error() == Some(INTERNAL_ERROR)
                    || error.kind() == std::io::ErrorKind::ExecutableFileBusy =>
            {
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
            spawned => return spawned,
        }
    }
    command.spawn()
}

/// Runs a command with nothing to read, and gives what it wrote.
#[track_caller]
pub(crate) fn output_of(command: &mut Command) -> std::process::Output {
    let (stdout, stderr) = (Sink::new(), Sink::new());
    let spawned = start(command.stdin(Stdio::null()).stdout(stdout.end()).stderr(stderr.end()));
    let child = spawned.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let output = child.wait_with_output().expect("its output");
    let (stdout, stderr) = (stdout.instead(output.stdout), stderr.instead(output.stderr));
    std::process::Output { status: output.status, stdout, stderr }
}

impl Running {
    /// The folder it runs in.
    pub(crate) fn folder(&self) -> &Path {
        self.test.folder.path()
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, such as `INT`; its children get none.
    pub(crate) fn signal(&self, name: &str) {
        system("sh", &["-c", &format!("kill -{name} {}", self.child.id())]);
    }

    /// Ends it at once, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("to kill it");
    }

    /// Whether it has come to its end.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_some()
    }

    /// [`Running::end`] of what ends soon: it is not waited for as long as what it may be waiting for.
    #[track_caller]
    pub(crate) fn end_soon(mut self) -> Ran {
        wait_for("its end", 20, || self.has_ended().then_some(()));
        self.end()
    }

    /// Waits for its end, and compares nothing.
    pub(crate) fn end_anyhow(self) -> (i32, Ran) {
        let mut output = self.child.wait_with_output().expect("its output");
        output.stdout = self.stdout.instead(output.stdout);
        output.stderr = self.stderr.instead(output.stderr);
        self.writer.join().expect("no panic while writing");
        let (stdout, stderr) = (self.test.readable(&output.stdout), self.test.readable(&output.stderr));
        (exit_code(output.status), Ran { folder: self.test.folder, stdout, stderr })
    }

    /// Waits for its end, and compares as [`Test::run`] does.
    #[track_caller]
    pub(crate) fn end(self) -> Ran {
        let mut output = self.child.wait_with_output().expect("its output");
        output.stdout = self.stdout.instead(output.stdout);
        output.stderr = self.stderr.instead(output.stderr);
        self.writer.join().expect("no panic while writing");
        self.test.compare(&output)
    }
}

/// The exit code as a shell gives it: of a process that a signal ended, 128 and its number.
fn exit_code(status: std::process::ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().expect("an exit code")
}

/// A dry run without its end, which repeats the words that were typed.
pub(crate) fn without_end(dry_run: &str) -> &str {
    dry_run.split_once("\nnothing was changed; ").map_or(dry_run, |(plan, _)| plan)
}

impl Ran {
    /// The folder it ran in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// InstallService once more, in the same folder.
    pub(crate) fn then_install(&self) -> Test {
        Test::new(env!("CARGO_BIN_EXE_InstallService"), Rc::clone(&self.folder))
    }

    /// ManageService, in the same folder.
    pub(crate) fn then_manage(&self) -> Test {
        Test::new(env!("CARGO_BIN_EXE_ManageService"), Rc::clone(&self.folder))
    }
}

pub(crate) fn temporary_folder() -> Rc<TempDir> {
    Rc::new(tempfile::Builder::new().prefix("install-service-").tempdir().expect("a temporary folder"))
}

fn write(path: &Path, contents: &[u8]) {
    fs::create_dir_all(path.parent().expect("a file in a folder")).expect("its folder");
    fs::write(path, contents).expect("to write it");
}

/// A unified difference, or nothing if there is none.
pub(crate) fn difference(what: &str, expected: &str, actual: &str) -> Option<String> {
    (expected != actual).then(|| {
        let diff = similar::TextDiff::from_lines(expected, actual);
        diff.unified_diff().header(&format!("{what}, expected"), &format!("{what}, got")).to_string()
    })
}

/// Compares a folder, file by file, with a golden one; with `UPDATE_GOLDEN=1` makes the golden one like
/// it. A symbolic link counts as a file that says where it points. Empty folders count for nothing: git
/// could not keep them.
#[track_caller]
pub(crate) fn same_tree(golden: &Path, actual: &Path) {
    let got = tree(actual);
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        if golden.exists() {
            fs::remove_dir_all(golden).expect("to remove the old golden folder");
        }
        fs::create_dir_all(golden).expect("a golden folder");
        got.iter().for_each(|(name, contents)| write(&golden.join(name), contents));
        return;
    }
    let expected = tree(golden);
    let names: std::collections::BTreeSet<_> = expected.keys().chain(got.keys()).collect();
    let text = |bytes: Option<&Vec<u8>>| String::from_utf8_lossy(bytes.map_or(b"", |bytes| bytes)).into_owned();
    let mut faults = Vec::new();
    for name in names {
        let (expected, got) = (expected.get(name), got.get(name));
        match (expected, got) {
            (None, Some(_)) => faults.push(format!("{}: not expected", name.display())),
            (Some(_), None) => faults.push(format!("{}: missing", name.display())),
            _ if expected == got => continue,
            _ => {}
        }
        faults.extend(difference(&name.display().to_string(), &text(expected), &text(got)));
    }
    assert!(
        faults.is_empty(),
        "{} is not as expected; if it is right, run again with UPDATE_GOLDEN=1\n{}",
        golden.display(),
        faults.join("\n"),
    );
}

pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn visit(folder: &Path, below: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let entry = entry.expect("an entry");
            let (path, name) = (entry.path(), below.join(entry.file_name()));
            let kind = entry.file_type().expect("its type");
            if kind.is_dir() {
                visit(&path, &name, files);
            } else if kind.is_symlink() {
                let target = fs::read_link(&path).ok();
                files.extend(target.map(|target| (name, format!("-> {}\n", target.display()).into_bytes())));
            } else {
                // A test beside this one may have removed it just now.
                files.extend(fs::read(&path).ok().map(|contents| (name, contents)));
            }
        }
    }
    let mut files = BTreeMap::new();
    if folder.exists() {
        visit(folder, Path::new(""), &mut files);
    }
    files
}

/// Waits until `ready` has a value, and fails saying what it waited for if there is none in time: `seconds` are
/// what a machine needs at the very most that has nothing else to do, and others get five times that.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, seconds: u64, mut ready: impl FnMut() -> Option<T>) -> T {
    let seconds = 5 * seconds;
    let end = std::time::Instant::now() + std::time::Duration::from_secs(seconds);
    let mut pause = std::time::Duration::from_millis(50);
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(std::time::Instant::now() < end, "waited {seconds} s for {what}");
        std::thread::sleep(pause);
        // To ask is work, too, and many wait side by side.
        pause = (pause * 3 / 2).min(std::time::Duration::from_secs(1));
    }
}

/// Whether a process is there whose command line is this.
pub(crate) fn runs(words: &str) -> bool {
    let found = Command::new("pgrep").args(["--full", "--exact", words]).output();
    found.expect("pgrep").status.success()
}

/// Runs a command of the system that must succeed, and returns its standard output.
#[track_caller]
pub(crate) fn system(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {}\n{stderr}", output.status);
    String::from_utf8(output.stdout).unwrap_or_else(|error| panic!("{program} {arguments:?}: {error}"))
}

/// The folder of the checkout, with its drive where there are drives.
pub(crate) fn checkout() -> PathBuf {
    std::path::absolute(env!("CARGO_MANIFEST_DIR")).expect("a path")
}

/// The probe program (`tests/probe`), and what it received.
#[cfg(unix)]
pub(crate) mod probe {
    use super::{OsStr, Path, PathBuf, fs, wait_for};
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    /// The executable; cargo makes it whenever it makes the tests.
    pub(crate) fn path() -> PathBuf {
        let path = Path::new(env!("CARGO_BIN_EXE_InstallService")).with_file_name("examples").join("probe");
        assert!(path.exists(), "{} is missing: cargo build --example probe", path.display());
        path
    }

    /// What the probe of that process id received, waiting for it to say so.
    #[derive(Debug, PartialEq)]
    pub(crate) struct Received {
        pub(crate) argv: Vec<OsString>,
        /// `NAME=value`, in order.
        pub(crate) environment: Vec<OsString>,
        pub(crate) cwd: OsString,
        pub(crate) exe: OsString,
    }

    impl Received {
        #[track_caller]
        pub(crate) fn by(pid: u32) -> Self {
            let path = format!("/run/install-service-probe/{pid}.json");
            let text = wait_for(&path, 10, || fs::read_to_string(&path).ok());
            let record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            let words = |key: &str| record[key].as_array().expect("a list").iter().map(word).collect();
            let (cwd, exe) = (word(&record["cwd"]), word(&record["exe"]));
            Self { argv: words("argv"), environment: words("environment"), cwd, exe }
        }

        /// The value of a variable.
        pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
            use std::os::unix::ffi::OsStrExt as _;
            let prefix = format!("{name}=");
            let bytes = self.environment.iter().find_map(|entry| entry.as_bytes().strip_prefix(prefix.as_bytes()));
            bytes.map(OsStr::from_bytes)
        }
    }

    fn word(value: &serde_json::Value) -> OsString {
        let digits = value.as_str().expect("text").as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("digits");
        OsString::from_vec(digits.map(byte).collect())
    }
}
