//! RunService between NSSM and a program: the error log appears when, and only when, the program fails; all else is
//! as it would be without.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bed::{NSSM, PYTHON, RUNNER, install, key, nssm, nssm_does, probe, run, state};
use crate::support::{Ran, wait_for};

/// What the services here run; it is not installed as a Python program.
const WORK: &str = r#"
import ctypes, json, os, signal, subprocess, sys, time

def ignoring(flags=0):
    subprocess.Popen([sys.executable, __file__, "ignore"], creationflags=flags)

def until_interrupted(end):
    print("up", flush=True)
    try:
        while True:
            time.sleep(0.1)
    except KeyboardInterrupt:
        end()

def flush():
    time.sleep(2)
    with open("flushed", "w") as file:
        file.write("all of it")
    os._exit(7)

mode = sys.argv[1]
with open("parent-of-" + mode, "w") as file:
    file.write(str(os.getppid()))
if mode == "exit":
    print("to stdout", flush=True)
    sys.stderr.write("to stderr, half a line")
    sys.stderr.flush()
    time.sleep(2)
    ctypes.windll.kernel32.ExitProcess(int(sys.argv[2], 0))
elif mode == "many":
    for number in range(5000):
        print("line", number)
        if number % 500 == 499:
            sys.stdout.flush()
            time.sleep(0.1)  # what is set aside has the time in its name
    os._exit(4)
elif mode == "wait":
    print("up", flush=True)
    with open("pid", "w") as file:
        file.write(str(os.getpid()))
    time.sleep(600)
elif mode == "flush":
    until_interrupted(flush)
elif mode == "launch":
    subprocess.Popen([sys.executable, __file__, "flush"])
    until_interrupted(lambda: os._exit(3))
elif mode == "tree":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ignoring()
    while True:
        time.sleep(0.1)
elif mode == "leave":
    ignoring(flags=8)  # without our console
    while not os.path.exists("beats"):
        time.sleep(0.1)
elif mode == "ignore":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        with open("beats", "a") as file:
            file.write("x")
        time.sleep(0.1)
elif mode == "line":
    ctypes.windll.kernel32.GetCommandLineW.restype = ctypes.c_wchar_p
    record = [ctypes.windll.kernel32.GetCommandLineW(), os.getcwd(), sorted(os.environ.items())]
    with open("record", "w") as file:
        json.dump(record, file)
"#;

/// A service that works like that, and is not started again.
struct Working {
    name: &'static str,
    ran: Ran,
}

impl Working {
    fn new(name: &'static str, words: &[&str]) -> Self {
        let working = Self { name, ran: install().file("work.py", WORK).arg("--version").run() };
        working.install(words);
        working
    }

    /// Installs it, or installs it anew.
    fn install(&self, words: &[&str]) {
        let script = self.ran.folder().join("work.py");
        let options = ["--restart", "never", "--service_name", self.name, "--", PYTHON];
        self.ran.then_install().args(options).arg(script).args(words).run();
        // In place of 30 s.
        nssm_does(&["set", self.name, "AppStopMethodConsole", "8000"]);
    }

    fn file(&self, name: &str) -> PathBuf {
        self.ran.folder().join(name)
    }

    fn error_log(&self) -> Option<String> {
        fs::read_to_string(self.file(&format!("{}_ERROR_LOG.txt", self.name))).ok()
    }

    fn output(&self) -> String {
        fs::read_to_string(self.file("working_dir").join(format!("{}_output.log", self.name))).unwrap_or_default()
    }

    /// Starts it and waits until it has printed that it is up.
    #[track_caller]
    fn start(&self) {
        nssm(&["start", self.name]);
        wait_for("it to be up", 60, || self.output().contains("up").then_some(()));
        wait_for("it to run", 60, || (state(self.name) == "SERVICE_RUNNING").then_some(()));
    }

    #[track_caller]
    fn stop(&self) {
        nssm(&["stop", self.name]);
        self.await_end();
    }

    #[track_caller]
    fn await_end(&self) {
        wait_for("its end", 120, || (state(self.name) == "SERVICE_STOPPED").then_some(()));
    }

    /// Ends the process whose number it has written down there, with the exit code 9. (Wine's taskkill gives 0.)
    #[track_caller]
    fn kill(&self, file: &str) {
        let written = || fs::read_to_string(self.file(file)).ok().filter(|pid| !pid.is_empty());
        let pid = wait_for("its number", 60, written);
        let killed = run(Command::new(PYTHON).args(["-c", &format!("import os; os.kill({pid}, 9)")]));
        assert!(killed.status.success(), "{killed:?}");
    }

    /// Starts it and waits until it has ended.
    #[track_caller]
    fn run(&self) {
        nssm(&["start", self.name]);
        self.await_end();
    }

    fn remove(&self) {
        self.ran.then_manage().args([self.name, "remove"]).run();
    }
}

/// The lines of one entry, and of a time the shape alone.
fn entries(log: &str) -> Vec<Vec<String>> {
    let shape = |line: &str| match line.split_once(' ') {
        Some((time, rest)) if time.ends_with('Z') && time.len() == 20 => format!("TIME {rest}"),
        _ => line.to_owned(),
    };
    let log = log.replace('\r', "");
    let entries = log.split_terminator("\n\n").map(|entry| entry.lines().map(shape).collect());
    entries.collect()
}

#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn a_program_that_fails_leaves_an_error_log_behind() {
    let service = Working::new("fails", &["exit", "3"]);
    service.run();
    let entry = |end: &str| {
        vec![format!("TIME fails exit-code exited {end}"), "to stdout".into(), "to stderr, half a line".into()]
    };
    assert_eq!(entries(&service.error_log().unwrap()), [entry("3")]);
    // NSSM is told the exit code. What is set by hand goes with the next install.
    service.install(&["exit", "5"]);
    nssm_does(&["set", "fails", "AppExit", "5", "Ignore"]);
    nssm(&["start", "fails"]);
    wait_for("the second entry", 60, || service.error_log().filter(|log| entries(log).len() == 2));
    assert_eq!(state("fails"), "SERVICE_RUNNING");
    service.stop();
    // What crashes, in the words of Windows; only what this run has printed.
    service.install(&["exit", "0xC0000005"]);
    service.run();
    let log = service.error_log().unwrap();
    assert_eq!(entries(&log), [entry("3"), entry("5"), entry("3221225477 (0xC0000005)")]);
    // Killed by somebody else.
    service.install(&["wait"]);
    service.start();
    service.kill("pid");
    service.await_end();
    let killed = vec!["TIME fails exit-code exited 9".to_owned(), "up".to_owned()];
    assert_eq!(entries(&service.error_log().unwrap()).last(), Some(&killed));

    // Those who look after it are told.
    service.install(&["exit", "3"]);
    let path = "[TMP]\\fails_ERROR_LOG.txt";
    let failed = service.ran.then_manage().args(["fails", "start"]).status(1).run();
    for part in ["to stderr, half a line", &format!("its errors are kept in `{path}`")] {
        assert!(failed.stderr.contains(part), "`{part}` is not in\n{}", failed.stderr);
    }
    service
        .ran
        .then_manage()
        .args(["fails", "status"])
        .status(3)
        .stdout_contains(format!("error log    {path}\n"))
        .run();
    let removed = service.ran.then_manage().args(["fails", "remove"]).run();
    assert!(removed.stderr.contains(&format!("kept: {path} (its errors)")), "{}", removed.stderr);
}

#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn what_nssm_has_set_aside_is_looked_at() {
    let service = Working::new("turns", &["many"]);
    nssm_does(&["set", "turns", "AppRotateBytes", "4000"]);
    service.run();
    let last = (4950..5000).map(|number| format!("line {number}"));
    let expected: Vec<String> = std::iter::once("TIME turns exit-code exited 4".to_owned()).chain(last).collect();
    assert_eq!(entries(&service.error_log().unwrap()), [expected]);
    let logs = fs::read_dir(service.file("working_dir")).unwrap().flatten();
    let aside = logs.filter(|log| log.file_name().to_string_lossy().starts_with("turns_output-"));
    assert!(aside.count() > 2);
    service.remove();
}

#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn a_program_that_does_not_fail_leaves_none() {
    let service = Working::new("calm", &["exit", "0"]);
    service.run();
    // Ended by Ctrl-C, whoever sent it.
    service.install(&["exit", "0xC000013A"]);
    service.run();
    // Stopped, with another exit code, and with time to flush.
    service.install(&["flush"]);
    service.start();
    service.stop();
    assert_eq!(fs::read_to_string(service.file("flushed")).unwrap(), "all of it");
    assert_eq!(service.error_log(), None);
    let status = service.ran.then_manage().args(["calm", "status"]).status(3);
    status.stdout_contains("calm_ERROR_LOG.txt (none so far)\n").run();
    service.remove();
}

/// What `ignore` does is seen by its beats.
fn is_left(folder: &Path) -> bool {
    let beats = || fs::metadata(folder.join("beats")).map_or(0, |found| found.len());
    let before = beats();
    assert!(before > 0, "it has begun");
    std::thread::sleep(std::time::Duration::from_secs(3));
    beats() > before
}

#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn nothing_of_a_program_is_left() {
    // One that ends at once, and what it has started takes its time.
    let service = Working::new("family", &["launch"]);
    service.start();
    service.stop();
    assert_eq!(fs::read_to_string(service.file("flushed")).unwrap(), "all of it");
    // One that does not care: after one time limit, not one for each process.
    service.install(&["tree"]);
    nssm(&["start", "family"]);
    wait_for("its child", 60, || service.file("beats").exists().then_some(()));
    let begun = std::time::Instant::now();
    service.stop();
    assert!(!is_left(service.ran.folder()));
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    // One whose RunService is ended by somebody else: NSSM ends it.
    for file in ["beats", "parent-of-ignore"] {
        fs::remove_file(service.file(file)).unwrap();
    }
    service.install(&["ignore"]);
    nssm(&["start", "family"]);
    wait_for("its beats", 60, || service.file("beats").exists().then_some(()));
    service.kill("parent-of-ignore");
    service.await_end();
    assert!(!is_left(service.ran.folder()));
    // One that ends by itself and leaves another one behind.
    fs::remove_file(service.file("beats")).unwrap();
    service.install(&["leave"]);
    service.run();
    assert!(!is_left(service.ran.folder()));
    assert_eq!(service.error_log(), None);
    service.remove();
}

/// It has no console, and so never sees a Ctrl-C.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_program_with_windows_is_asked_to_close_them() {
    let notepad = r"C:\windows\notepad.exe";
    let ran = install().args(["--restart", "never", "--service_name", "windows", "--", notepad]).run();
    nssm_does(&["set", "windows", "AppStopMethodConsole", "90000"]);
    nssm(&["start", "windows"]);
    wait_for("it to run", 60, || (state("windows") == "SERVICE_RUNNING").then_some(()));
    nssm(&["stop", "windows"]);
    // Sooner than it would have been ended for not hearing.
    wait_for("its end", 60, || (state("windows") == "SERVICE_STOPPED").then_some(()));
    assert!(!ran.folder().join("windows_ERROR_LOG.txt").exists());
    ran.then_manage().args(["windows", "remove"]).run();
}

#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn a_program_is_given_what_nssm_would_give_it() {
    let words = ["line", "", "a b", "%PATH%", r#"q"\"#, r"x\\", "é日本😀", "^&|<>()!", "last\\"];
    let service = Working::new("same-line", &words);
    let record = |service: &Working| {
        service.run();
        let path = service.file("record");
        let text = fs::read_to_string(&path).unwrap();
        fs::remove_file(path).unwrap();
        text
    };
    let through = record(&service);
    assert!(nssm_does(&["get", "same-line", "Application"]).ends_with("RunService.exe"));
    // The three words that RunService reads are in front.
    let parameters = nssm_does(&["get", "same-line", "AppParameters"]);
    let (_, own) = parameters.split_once(&format!("\"{PYTHON}\" ")).unwrap();
    nssm_does(&["set", "same-line", "Application", PYTHON]);
    nssm_does(&["set", "same-line", "AppParameters", own]);
    assert_eq!(record(&service), through);
    service.remove();
}

/// The commands in a folder of their own, as if they had been copied there without RunService.
fn alone(home: &Path) -> impl Fn(&str) -> Command {
    let (home, folder) = (home.to_owned(), home.join("bin"));
    fs::create_dir_all(&folder).unwrap();
    for exe in [env!("CARGO_BIN_EXE_InstallService"), env!("CARGO_BIN_EXE_ManageService")] {
        fs::copy(exe, folder.join(Path::new(exe).file_name().unwrap())).unwrap();
    }
    move |name: &str| {
        let mut command = Command::new(folder.join(name).with_extension("exe"));
        command.current_dir(&home).env("INSTALLSERVICE_WORKING_DIR", home.join("working_dir"));
        command
    }
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn without_runservice_there_is_none_and_that_is_said() {
    let ran = install().arg("--version").run();
    let program = probe(&ran.folder().join("app")).display().to_string();
    let command = alone(ran.folder());
    let said = |command: &mut Command| {
        let output = run(command);
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code(), text)
    };
    let typed = ["--service_name", "bare", "--", &program, "x"];
    let (code, text) = said(command("InstallService").args(typed));
    let note = "note: `bare`: it will leave no error log: RunService.exe is neither beside this program nor at `";
    assert!(code == Some(0) && text.contains(note), "{text}");
    assert_eq!(nssm_does(&["get", "bare", "Application"]), program);
    assert_eq!(nssm_does(&["get", "bare", "AppParameters"]), "\"x\"");
    let (_, text) = said(command("ManageService").args(["bare", "status"]));
    assert!(!text.contains("error log"), "{text}");
    let (code, text) = said(command("ManageService").args(["bare", "diff"]));
    assert_eq!(code, Some(0), "{text}");

    // Once it is there, that is a difference, and the next install takes it up.
    let runner = ran.folder().join("working_dir").join("RunService.exe");
    fs::copy(RUNNER, &runner).unwrap();
    let (code, text) = said(command("InstallService").arg("--check").args(typed));
    assert!(code == Some(10) && text.contains("bare Application\n"), "{text}");
    let (code, text) = said(command("InstallService").args(typed));
    assert!(code == Some(0) && !text.contains("note: "), "{text}");
    assert_eq!(nssm_does(&["get", "bare", "Application"]), runner.display().to_string());
    // We did not put it there.
    let (code, text) = said(command("ManageService").args(["bare", "remove", "--remove_nssm"]));
    assert!(code == Some(0) && text.contains("RunService.exe (InstallService did not put it there)"), "{text}");
    assert!(runner.exists() && key("bare").is_none());
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_newer_runservice_takes_its_place_once_it_is_free() {
    let ran = install().arg("--version").run();
    let program = probe(&ran.folder().join("app"));
    let command = alone(ran.folder());
    let beside = ran.folder().join("bin").join("RunService.exe");
    let kept = ran.folder().join("working_dir").join("RunService.exe");
    let is_new = || fs::read(&kept).unwrap() == fs::read(&beside).unwrap();
    let does = |name: &str, words: &[&str]| {
        let output = run(command(name).args(words));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    };
    let program = program.display().to_string();
    let install = || does("InstallService", &["--service_name", "newer", "--", &program]);
    fs::copy(RUNNER, &beside).unwrap();
    install();
    assert!(is_new());
    does("ManageService", &["newer", "start"]);
    // Behind its end, so that it runs as well.
    fs::write(&beside, [fs::read(RUNNER).unwrap(), b"...".to_vec()].concat()).unwrap();
    let said = install();
    assert!(!is_new() && said.contains("is running and stays as it is"), "{said}");
    does("ManageService", &["newer", "stop"]);
    install();
    assert!(is_new());
    does("ManageService", &["newer", "start"]);
    does("ManageService", &["newer", "remove", "--remove_nssm"]);
    assert!(!kept.exists());
}

/// Arguments that fit into what NSSM keeps of them, but not with the words of RunService; and a priority that only
/// who starts a program can give it.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn what_runservice_cannot_run_is_run_without_it() {
    let test = install();
    let program = probe(&test.folder().join("app"));
    let manifest = |argument: &str, priority: &str| {
        format!(
            "[[service]]\nname = 'without'\nexecutable = '{}'\narguments = ['{argument}']\n\
             [service.nssm]\nAppPriority = '{priority}'\n",
            program.display()
        )
    };
    let ran = test.arg("--version").run();
    let install = |argument: &str, priority: &str, note: &str| {
        let test = ran.then_install().file("one.toml", manifest(argument, priority)).args(["--manifest", "one.toml"]);
        test.stderr_contains(note).run();
        nssm_does(&["get", "without", "Application"])
    };
    let none = "note: `without`: it will leave no error log: ";
    let long = "x".repeat(16_380);
    for (argument, priority, reason) in [
        (&*long, "NORMAL_PRIORITY_CLASS", "its arguments leave no room for RunService"),
        ("x", "HIGH_PRIORITY_CLASS", "RunService cannot pass its `AppPriority` on"),
    ] {
        let application = install(argument, priority, &format!("{none}{reason}\n"));
        assert_eq!(application, program.display().to_string());
    }
    assert!(install("x", "IDLE_PRIORITY_CLASS", "").ends_with("RunService.exe"));
    ran.then_manage().args(["without", "remove"]).run();
    assert_eq!(run(Command::new(NSSM).args(["status", "without"])).status.code(), Some(3));
}
