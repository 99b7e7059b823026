//! Batch files as programs: cmd.exe gives them every argument as it is, or it is refused; they end when their service does.

use std::fs;
use std::os::windows::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use install_service::host::text::{os, text};
use install_service::model::text::Text;
use install_service::render::batch_line::{BatchLine, carried};

use crate::bed::{NSSM, PYTHON, RUNNER, Received, install, key, nssm, nssm_does, probe, run, state, toml};
use crate::exact::{hard, same};
use crate::support::{Ran, Test, temporary_folder, wait_for};

/// Writes down its arguments behind the first, which names the file, each as it is in WTF-8.
const ARGV: &str = "\
import json, sys
words = [word.encode('utf-8', 'surrogatepass').hex() for word in sys.argv[2:]]
open(sys.argv[1], 'w').write(json.dumps({'argv': words}))
";

/// What a batch file ends with whose last program cmd.exe has not started.
const NOT_FOUND: i32 = 9009;

/// A folder with a batch file whose arguments are written down: all at once, and one by one.
struct Batch {
    folder: PathBuf,
    batch: Text,
}

impl Batch {
    fn new(folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("argv.py"), ARGV).unwrap();
        let line = |file: &str, words: &str| format!("\"{PYTHON}\" \"%~dp0argv.py\" \"%~dp0{file}\" {words}\r\n");
        let each: Vec<String> = (1..=9).map(|number| format!("%{number}")).collect();
        let lines = [line("all.json", "%*"), line("each.json", &each.join(" "))].concat();
        fs::write(folder.join("given.bat"), format!("@echo off\r\n{lines}")).unwrap();
        Self { folder: folder.to_owned(), batch: text(folder.join("given.bat")) }
    }

    /// What was written down by a run; nothing where it was not.
    fn given(&self) -> [Option<Vec<Text>>; 2] {
        ["all.json", "each.json"].map(|file| {
            let path = self.folder.join(file);
            let record = fs::read(&path).ok()?;
            fs::remove_file(path).unwrap();
            let record: serde_json::Value = serde_json::from_slice(&record).ok()?;
            Some(crate::bed::words_of(&record, "argv"))
        })
    }
}

/// What cmd.exe is given arrives byte for byte, as `%*` and as `%1` to `%9`.
#[test]
#[ignore = "needs Windows or Wine, and a Python: tests/run"]
fn arguments_arrive_by_runservice_byte_for_byte() {
    let folder = temporary_folder();
    let batch = Batch::new(&folder.path().join("Program Files (x86) & more"));
    let arguments: Vec<Text> = hard().into_iter().filter(|text| carried(text).is_ok()).collect();
    // U+FFFF NSSM does not carry, wherever it is to go.
    let arguments: Vec<Text> = arguments.into_iter().filter(|text| !text.to_string().contains('\u{ffff}')).collect();
    assert!(arguments.len() >= 100, "{}", arguments.len());
    println!("figures: {} arguments through RunService and cmd.exe", arguments.len());
    for nine in arguments.chunks(9) {
        let mut command = Command::new(RUNNER);
        command.args(["given", ""]).arg(os(&batch.batch)).args(nine.iter().map(os)).current_dir(folder.path());
        let mut output = run(&mut command);
        // On a busy machine Wine fails to start a process now and then, and its cmd.exe takes that for a missing one.
        if output.status.code() == Some(NOT_FOUND) {
            drop(batch.given());
            output = run(&mut command);
        }
        assert!(output.status.success(), "{nine:?}: {output:?}");
        let [all, each] = batch.given().map(|given| given.unwrap_or_else(|| panic!("{nine:?}: {output:?}")));
        same(nine, &all);
        same(nine, &each);
    }
}

/// What is refused is what would not arrive. (Wine's cmd.exe carries line breaks within quotes; Microsoft's ends the line
/// there, for which Rust's standard library refuses them, too.)
#[test]
#[ignore = "needs Windows or Wine, and a Python: tests/run"]
fn what_is_refused_would_not_arrive() {
    let folder = temporary_folder();
    let batch = Batch::new(folder.path());
    let is_refused = |c: &char| carried(&c.to_string().into()).is_err();
    let refused: Vec<char> = ('\u{1}'..='\u{2fff}').filter(is_refused).collect();
    assert_eq!(refused, ['\n', '\r', '"', '%']);
    for argument in ["a\"b", "a\" & echo b \"", "%SystemRoot%", "a%cd%b"].map(Text::from) {
        assert!(carried(&argument).is_err());
        let placed = BatchLine::new(&batch.batch, &["place holder".into()]).unwrap().as_text();
        let line = placed.as_str().unwrap().replace("place holder", argument.as_str().unwrap());
        let mut command = Command::new("cmd.exe");
        let output = run(command.raw_arg(line).stdin(Stdio::null()).current_dir(folder.path()));
        for given in batch.given() {
            assert_ne!(given, Some(vec![argument.clone()]), "{output:?}");
        }
    }
}

/// What Kafka has: one batch file that calls another, which starts a program.
fn kafka(folder: &Path, program: &Path) -> PathBuf {
    let bin = folder.join("Program Files (x86)").join("kafka").join("bin").join("windows");
    fs::create_dir_all(&bin).unwrap();
    fs::write(
        bin.join("kafka-server-start.bat"),
        "@echo off\r\nsetlocal\r\nIF [%1] EQU [] (\r\n echo USAGE: %0 server.properties\r\n EXIT /B 1\r\n)\r\n\
         \"%~dp0kafka-run-class.bat\" kafka.Kafka %*\r\nendlocal\r\n",
    )
    .unwrap();
    let run_class = format!("@echo off\r\nset /p asked=\r\necho asked: [%asked%]\r\n\"{}\" %*\r\n", program.display());
    fs::write(bin.join("kafka-run-class.bat"), run_class).unwrap();
    bin.join("kafka-server-start.bat")
}

/// Starts and stops a service of a batch file, whose program is the probe in `folder`.
fn received(service: &str, folder: &Path) -> Received {
    wait_for(&format!("{service} to start"), 90, || {
        nssm(&["start", service]);
        (state(service) != "SERVICE_STOPPED").then_some(())
    });
    let received = Received::in_folder(folder);
    wait_for("it to run", 60, || (state(service) == "SERVICE_RUNNING").then_some(()));
    let begun = std::time::Instant::now();
    nssm(&["stop", service]);
    wait_for("its end", 60, || (state(service) == "SERVICE_STOPPED").then_some(()));
    // Nobody has waited for an answer until the time was over.
    assert!(begun.elapsed().as_secs() < 25, "{:?}", begun.elapsed());
    received
}

/// What the service has printed; nobody was asked anything.
fn output(ran: &Ran, service: &str) -> String {
    let log = ran.folder().join("working_dir").join(format!("{service}_output.log"));
    let text = fs::read_to_string(log).unwrap().replace('\r', "");
    assert!(!text.contains("Terminate batch job"), "{text}");
    text
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_batch_file_is_a_service_by_a_direct_install_and_by_a_batch() {
    let test = install();
    let program = probe(&test.folder().join("java"));
    let batch = kafka(test.folder(), &program);
    let arguments = [r"C:\kafka\config\server.properties", "a b & c", "", r"C:\d e\", "é日本", "^!x"];
    let typed = |test: Test| {
        let test = test.args(["--restart", "never", "--service_name", "kafka"]);
        test.arg("--").arg(&batch).args(arguments)
    };
    let ran = typed(test).run();
    assert!(nssm_does(&["get", "kafka", "Application"]).ends_with(r"\working_dir\RunService.exe"));
    let expected: Vec<Text> = std::iter::once(text(program.as_os_str()))
        .chain(["kafka.Kafka"].into_iter().chain(arguments).map(Text::from))
        .collect();
    same(&expected, &received("kafka", program.parent().unwrap()).argv);
    assert_eq!(output(&ran, "kafka"), "asked: []\n");
    typed(ran.then_install()).stdout("unchanged: kafka\n").run();
    ran.then_manage().args(["kafka", "doctor"]).stdout_contains("kafka").run();
    ran.then_manage().args(["kafka", "remove"]).run();

    // The batch of an export does the same, and nothing without RunService.
    let out = ran.folder().join("out");
    let test = ran.then_install().args(["--nssm", NSSM, "--output", "out", "--state-dir"]);
    typed(test.arg(ran.folder().join("working_dir"))).run();
    let runner = out.join("RunService.exe");
    for beside in [&runner, &ran.folder().join("working_dir").join("RunService.exe")] {
        fs::remove_file(beside).unwrap();
    }
    let run_batch = |name: &str| run(Command::new(out.join(name)).arg("trusted"));
    let refused = run_batch("install-kafka.cmd");
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(
        refused.status.code() == Some(2) && said.contains("The service needs the RunService.exe that was"),
        "{refused:?}"
    );
    assert!(key("kafka").is_none());
    fs::copy(RUNNER, &runner).unwrap();
    let done = run_batch("install-kafka.cmd");
    assert!(done.status.success(), "{done:?}");
    same(&expected, &received("kafka", program.parent().unwrap()).argv);
    let done = run_batch("remove-kafka.cmd");
    assert!(done.status.success() && key("kafka").is_none(), "{done:?}");
}

/// What npm is: a batch file on PATH, beside a shell script of the same name.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn npm_is_found_on_path() {
    let test = install().file("nodejs/npm", "#!/bin/sh\nexec node npm-cli.js\n");
    let program = probe(&test.folder().join("app"));
    let lines = format!(
        "@ECHO OFF\r\nSETLOCAL\r\nSET \"NODE_EXE=%~dp0\\node.exe\"\r\nIF NOT EXIST \"%NODE_EXE%\" (\r\n  SET \"NODE_EXE={}\"\r\n)\r\n\
         \"%NODE_EXE%\" \"npm-cli.js\" %*\r\n",
        program.display()
    );
    let folder = test.folder().join("nodejs");
    // As every Windows has it.
    let test = test.env("PATHEXT", ".COM;.EXE;.BAT;.CMD;.VBS;.JS");
    let test = test.file("nodejs/npm.cmd", lines).env("PATH", format!(r"{};C:\windows\system32", folder.display()));
    let typed = ["--restart", "never", "--service_name", "node", "--", "npm", "run", "start"];
    let ran = test.args(typed).run();
    let parameters = nssm_does(&["get", "node", "AppParameters"]);
    assert!(parameters.to_lowercase().contains(r#"\nodejs\npm.cmd" "run" "start""#), "{parameters}");
    let argv = received("node", program.parent().unwrap()).argv;
    same(&["npm-cli.js", "run", "start"].map(Text::from), &argv[1..]);
    ran.then_manage().args(["node", "remove"]).run();
}

/// An exit code goes through; and what the batch has started ends on a stop, though it does not hear of it.
#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn a_batch_file_fails_and_ends_like_a_program() {
    let deaf = "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nprint('up', flush=True)\n\
                while True:\n    open('beats', 'a').write('x')\n    time.sleep(0.1)\n";
    let fails = "@echo off\r\necho no camera\r\nexit /b 7\r\n";
    let stays = format!("@echo off\r\n\"{PYTHON}\" deaf.py\r\n");
    let test = install().file("deaf.py", deaf).file("fails.bat", fails).file("stays.cmd", stays);
    let ran = test.arg("--version").run();
    let install = |batch: &str| {
        let test =
            ran.then_install().args(["--restart", "never", "--stop-timeout", "3", "--service_name", "camera", "--"]);
        test.arg(ran.folder().join(batch)).run();
    };
    install("fails.bat");
    nssm(&["start", "camera"]);
    let log = ran.folder().join("camera_ERROR_LOG.txt");
    let entry = wait_for("the error log", 60, || {
        fs::read_to_string(&log).ok().filter(|log| log.ends_with("\n\n") || log.ends_with("\r\n\n"))
    });
    assert!(entry.contains("camera exit-code exited 7\nno camera"), "{entry}");
    wait_for("its end", 60, || (state("camera") == "SERVICE_STOPPED").then_some(()));
    install("stays.cmd");
    nssm(&["start", "camera"]);
    wait_for("its beats", 60, || ran.folder().join("beats").exists().then_some(()));
    wait_for("it to run", 60, || (state("camera") == "SERVICE_RUNNING").then_some(()));
    nssm(&["stop", "camera"]);
    wait_for("its end", 60, || (state("camera") == "SERVICE_STOPPED").then_some(()));
    let beats = || fs::metadata(ran.folder().join("beats")).unwrap().len();
    let before = beats();
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(beats(), before);
    ran.then_manage().args(["camera", "remove"]).run();
}

#[test]
#[ignore = "needs Windows or Wine: tests/run"]
fn what_a_batch_file_cannot_be_is_refused() {
    let test = install().file("x.bat", "@echo off\r\n");
    let batch = test.folder().join("x.bat");
    let ran = test.arg("--version").run();
    let typed = |words: &[&str]| {
        let test = ran.then_install().args(["--service_name", "x"]).args(words.iter().take(words.len() - 1));
        test.arg("--").arg(&batch).arg(words[words.len() - 1]).status(2)
    };
    typed(&["50%"])
        .stderr_contains("argument 1: contains `%`, which cmd.exe cannot carry: it puts the value of a")
        .run();
    typed(&["a\"b"]).stderr_contains("argument 1: contains `\"`, which cmd.exe cannot carry: a quote ends").run();
    let manifest =
        format!("[[service]]\nname = 'x'\nexecutable = {}\narguments = [\"a\\nb\"]\n", toml(&text(batch.as_os_str())));
    let test = ran.then_install().file("x.toml", manifest).args(["--manifest", "x.toml"]).status(2);
    test.stderr_contains("argument 1: contains U+000A, which cmd.exe cannot carry: its line ends there").run();
    let high = ["--property", "AppPriority=HIGH_PRIORITY_CLASS", "a"];
    typed(&high)
        .stderr_contains("needs RunService for a batch file, which NSSM cannot carry: RunService cannot pass")
        .run();
    // Without RunService beside it.
    let folder = ran.folder().join("bin");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_InstallService"), folder.join("InstallService.exe")).unwrap();
    let mut command = Command::new(folder.join("InstallService.exe"));
    command.current_dir(ran.folder()).env("INSTALLSERVICE_WORKING_DIR", ran.folder().join("working_dir"));
    let refused = run(command.args(["--service_name", "x", "--"]).arg(&batch));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    for part in [
        "error: service `x`: needs RunService.exe for a batch file, which is neither beside this program nor at `",
        "help: put the `RunService.exe` of this release beside `InstallService.exe`, and install again",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(key("x").is_none());
}
