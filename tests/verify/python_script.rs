//! The script of a Python service, run by the real interpreter.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Output};

use install_service::model::spec::Argument;
use install_service::model::text::Text;
use install_service::render::escape::PyStr;
use install_service::render::python::{Log, Secrets, script};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

use crate::corpus;

/// A service in a directory of its own, with this source as its module `program`.
struct Service {
    folder: TempDir,
    command: Command,
}

impl Service {
    fn new(source: &str, entry: &str, arguments: &[Argument]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let work = folder.path().join("work");
        fs::create_dir(&state).unwrap();
        fs::create_dir(&work).unwrap();
        fs::write(work.join("program.py"), source).unwrap();
        fs::write(state.join("program.py"), "raise RuntimeError('the folder of the script is in sys.path')").unwrap();
        let text = |path: &Path| Text::from_bytes(path.as_os_str().as_bytes());
        let log = text(&work.join("web_ERROR_LOG.txt"));
        let log = Log { path: &log, left_to_root: false };
        let path = state.join("web_service_executable.py");
        fs::write(
            &path,
            script(&"web".parse().unwrap(), &entry.parse().unwrap(), arguments, &text(&work), log, Secrets::Given),
        )
        .unwrap();
        let mut command = Command::new("python3");
        command.arg(path).current_dir(&work).env("PYTHONUTF8", "1").env_remove("NOTIFY_SOCKET");
        Self { folder, command }
    }

    fn run(&mut self) -> Output {
        self.command.output().unwrap()
    }

    fn log_path(&self) -> std::path::PathBuf {
        self.folder.path().join("work/web_ERROR_LOG.txt")
    }

    fn log(&self) -> Option<String> {
        fs::read(self.log_path()).ok().map(|log| String::from_utf8_lossy(&log).into_owned())
    }
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs `function` of the source; gives the exit status and the error log.
fn outcome(source: &str, function: &str) -> (Option<i32>, Option<String>) {
    let mut service = Service::new(source, &format!("program:{function}"), &[]);
    let output = service.run();
    (output.status.code(), service.log())
}

#[test]
#[ignore = "needs python3: tests/run"]
fn every_text_is_a_literal_that_python_reads_back() {
    let mut runner = TestRunner::deterministic();
    let mut texts: Vec<Text> = corpus::NASTY.iter().map(|text| Text::from(*text)).collect();
    texts.extend(corpus::RAW.iter().map(|raw| Text::from_bytes(*raw)));
    texts.extend((1..=255u8).map(|byte| Text::from_bytes([byte])));
    texts.extend((0..5000).map(|_| corpus::bytes().new_tree(&mut runner).unwrap().current()));
    let mut source = String::from("import os\nfor text in [\n");
    for text in &texts {
        source.push_str(&format!("    {},\n", PyStr::new(text)));
    }
    source.push_str("]:\n    print(os.fsencode(text).hex())\n");
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("texts.py"), source).unwrap();
    let output = Command::new("python3").arg("-Xutf8").arg(folder.path().join("texts.py")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = stdout(&output);
    assert_eq!(lines.lines().count(), texts.len());
    for (line, text) in lines.lines().zip(&texts) {
        let hex: String = text.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(line, hex, "{text}");
    }
}

#[test]
#[ignore = "needs python3: tests/run"]
fn the_script_is_python_3_7() {
    let service = Service::new("", "program:main", &[Argument::Literal("x".into())]);
    let check = "import ast, sys; ast.parse(open(sys.argv[1]).read(), feature_version=(3, 7))";
    let path = service.folder.path().join("state/web_service_executable.py");
    assert!(Command::new("python3").args(["-c", check]).arg(path).status().unwrap().success());
}

const SHOW: &str = "
import os, sys
def main(args):
    print([os.fsencode(arg).hex() for arg in args], sys.argv[0], sys.argv[1:] == args, sys.path[-1] == os.getcwd())
class Program:
    @classmethod
    def run_from_command_line(cls, args=None):
        print('class', args)
class Group:
    @staticmethod
    def main(args):
        print('nested', args)
";

#[test]
#[ignore = "needs python3: tests/run"]
fn functions_and_classes_are_given_their_arguments() {
    let arguments = [
        Argument::Literal(Text::from_bytes(*b"a\xff'\"\\")),
        Argument::Literal("".into()),
        Argument::Reference { before: "--pw=".into(), variable: "PW".parse().unwrap() },
    ];
    let mut service = Service::new(SHOW, "program:main", &arguments);
    service.command.env("PW", "s e");
    let output = service.run();
    assert_eq!(stdout(&output), "['61ff27225c', '', '2d2d70773d732065'] web True True\n", "{output:?}");
    assert!(output.status.success() && service.log().is_none());

    let arguments = [Argument::Literal("x".into())];
    assert_eq!(stdout(&Service::new(SHOW, "Program=program", &arguments).run()), "class ['x']\n");
    assert_eq!(stdout(&Service::new(SHOW, "program:Group.main", &arguments).run()), "nested ['x']\n");
    // Beside a function the class only names the program.
    assert_eq!(stdout(&Service::new(SHOW, "NoSuchClass=program:Group.main", &arguments).run()), "nested ['x']\n");
}

#[test]
#[ignore = "needs python3: tests/run"]
fn a_function_without_parameters_is_called_without_any() {
    let run = |source: &str| stdout(&Service::new(source, "program:main", &[Argument::Literal("x".into())]).run());
    assert_eq!(run("def main(): print('none')"), "none\n");
    assert_eq!(run("def main(*, key=1): print('keyword', key)"), "keyword 1\n");
    assert_eq!(run("def main(args=None): print('default', args)"), "default ['x']\n");
    assert_eq!(run("def main(*args): print('all', args)"), "all (['x'],)\n");
    assert_eq!(run("main = print"), "['x']\n");
    assert_eq!(run("main = dict.fromkeys"), "");
}

#[test]
#[ignore = "needs python3: tests/run"]
fn an_exception_leaves_its_traceback() {
    let source = "def main(args):\n    raise RuntimeError('é\\udcff\\ud800 wrong')\n";
    let mut service = Service::new(source, "program:main", &[]);
    let output = service.run();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("RuntimeError: é"));
    let log = service.log().unwrap();
    assert!(log.lines().next().unwrap().ends_with(" web"), "{log}");
    assert!(log.contains("line 2, in main") && log.contains("RuntimeError: é\\udcff\\ud800 wrong"), "{log}");
    service.run();
    assert_eq!(service.log().unwrap().matches("RuntimeError: ").count(), 2);

    let (status, log) = outcome("import no_such_module", "main");
    assert_eq!(status, Some(1));
    assert!(log.unwrap().contains("ModuleNotFoundError: No module named 'no_such_module'"));
    assert!(outcome("", "main").1.unwrap().contains("AttributeError"));
}

#[test]
#[ignore = "needs python3: tests/run"]
fn the_exit_status_is_the_programs_own() {
    let exit = |how: &str| outcome(&format!("import sys\ndef main(args):\n    {how}\n"), "main");
    for how in [
        "return",
        "return 0",
        "return True",
        "return 'x'",
        "sys.exit()",
        "sys.exit(0)",
        "sys.exit(143)",
        "return 143",
        "raise KeyboardInterrupt",
    ] {
        assert_eq!(exit(how), (Some(0), None), "{how}");
    }
    for (how, status) in [("sys.exit(3)", 3), ("return 7", 7), ("sys.exit('sorry')", 1)] {
        let (code, log) = exit(how);
        assert_eq!(code, Some(status), "{how}");
        assert!(log.is_some(), "{how}");
    }
}

#[test]
#[ignore = "needs python3: tests/run"]
fn the_error_log_is_bounded_and_for_its_owner_alone() {
    let mut service = Service::new("def main(): raise RuntimeError('wrong')", "program:main", &[]);
    fs::write(service.log_path(), vec![b'x'; 1 << 20]).unwrap();
    service.run();
    assert!(service.log().unwrap().starts_with("xxx"));
    service.run();
    let log = service.log().unwrap();
    assert!(!log.contains("xxx") && log.contains("wrong"));
    assert_eq!(fs::metadata(service.log_path()).unwrap().permissions().mode() & 0o7777, 0o600);
}

/// Nothing that somebody has put in its place is opened to be written, or waited for.
#[test]
#[ignore = "needs python3: tests/run"]
fn what_lies_in_the_place_of_the_error_log_is_replaced() {
    let mut service = Service::new("def main(): raise RuntimeError('wrong')", "program:main", &[]);
    let (log, victim) = (service.log_path(), service.folder.path().join("victim"));
    fs::write(&victim, "untouched").unwrap();
    let ways: [&dyn Fn(); 4] = [
        &|| std::os::unix::fs::symlink(&victim, &log).unwrap(),
        &|| fs::hard_link(&victim, &log).unwrap(),
        &|| assert!(Command::new("mkfifo").arg(&log).status().unwrap().success()),
        &|| fs::File::create(&log).unwrap().set_len(5 << 30).unwrap(),
    ];
    for put in ways {
        drop(fs::remove_file(&log));
        put();
        assert_eq!(service.run().status.code(), Some(1));
        let text = service.log().unwrap();
        assert!(text.len() < 10_000 && text.contains("RuntimeError: wrong"), "{text}");
        assert!(fs::symlink_metadata(&log).unwrap().is_file());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    }
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();
    assert!(String::from_utf8_lossy(&service.run().stderr).contains("cannot write the error log"));
    let left = fs::read_dir(log.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: BTreeSet<_> = left.filter(|name| name != "__pycache__").collect();
    assert_eq!(left, ["program.py", "web_ERROR_LOG.txt"].map(Into::into).into());
}

#[test]
#[ignore = "needs python3: tests/run"]
fn a_reference_to_a_missing_variable_is_an_error_with_its_name() {
    let arguments = [Argument::Reference { before: "".into(), variable: "NO_SUCH_VARIABLE".parse().unwrap() }];
    let mut service = Service::new(SHOW, "program:main", &arguments);
    assert_eq!(service.run().status.code(), Some(1));
    assert!(service.log().unwrap().contains("KeyError: 'NO_SUCH_VARIABLE'"));
}

#[test]
#[ignore = "needs python3: tests/run"]
fn systemd_hears_that_it_is_up_once_the_import_succeeded() {
    use std::os::linux::net::SocketAddrExt;

    let heard = |source: &str, socket: &UnixDatagram, address: &str| {
        socket.set_read_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
        let mut service = Service::new(source, "program:main", &[]);
        service.command.env("NOTIFY_SOCKET", address);
        service.run();
        let mut buffer = [0; 64];
        socket.recv(&mut buffer).ok().map(|length| String::from_utf8_lossy(&buffer[..length]).into_owned())
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let named = UnixDatagram::bind(&path).unwrap();
    let path = path.to_str().unwrap();
    assert_eq!(heard("def main(): pass", &named, path).as_deref(), Some("READY=1"));
    assert_eq!(heard("import no_such_module", &named, path), None);
    assert_eq!(heard("", &named, path), None);

    let name = format!("install-service-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let nameless = UnixDatagram::bind_addr(&address).unwrap();
    assert_eq!(heard("def main(): raise RuntimeError", &nameless, &format!("@{name}")).as_deref(), Some("READY=1"));
}
