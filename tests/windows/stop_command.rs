//! A command that asks a service to end, in the place of Ctrl-C, which comes after it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bed::{PYTHON, install, key, state};
use crate::support::{Ran, wait_for};

/// Ends when the file `quit` is there, and says how it was asked.
const SERVER: &str = "\
import os, sys, time
print('up as', os.getpid(), flush=True)
try:
    while not os.path.exists('quit'):
        time.sleep(0.1)
    print('asked to quit', flush=True)
except KeyboardInterrupt:
    print('interrupted', flush=True)
";

/// Says what it was given, and does what the first word says.
const ASK: &str = "\
import os, sys, time
print('asking', sys.argv[1:], os.environ.get('MARK'), flush=True)
if sys.argv[1] == 'quit':
    open('quit', 'w').close()
sys.exit(3 if sys.argv[1] == 'fail' else 0)
";

struct Server {
    ran: Ran,
    name: &'static str,
}

impl Server {
    /// Installs and starts it; the stop command gets `word`.
    fn start(name: &'static str, word: &str, more: &[&str]) -> Self {
        let test = install().file("lab/server.py", SERVER).file("lab/ask.py", ASK).file("lab/ask.cmd", "");
        let lab = test.folder().join("lab");
        let python = format!("\"{PYTHON}\" \"{}\"", lab.join("ask.py").display());
        fs::write(lab.join("ask.cmd"), format!("@{python} %*\r\n")).expect("a batch file");
        let asker = if more.contains(&"cmd") { format!("\"{}\"", lab.join("ask.cmd").display()) } else { python };
        let command = format!("{asker} {word} \"a b\" pid=$MAINPID");
        let more: Vec<&str> = more.iter().copied().filter(|word| *word != "cmd").collect();
        let test = test.args(["--service_name", name, "--env", "MARK=blue", "--stop-command", &command]);
        let test = test.args(more).arg("--working-directory").arg(&lab).args(["--", PYTHON, "server.py"]);
        let server = Self { ran: test.run(), name };
        server.ran.then_manage().args([name, "start"]).run();
        wait_for("the server", 20, || server.log().contains("up as").then_some(()));
        server
    }

    fn lab(&self) -> PathBuf {
        self.ran.folder().join("lab")
    }

    fn log(&self) -> String {
        let log: &Path = &self.ran.folder().join("working_dir").join(format!("{}_output.log", self.name));
        fs::read_to_string(log).unwrap_or_default().replace('\r', "")
    }

    /// Stops it; gives its log.
    fn stop(&self) -> String {
        self.ran.then_manage().args([self.name, "stop"]).stdout(format!("{}: stopped\n", self.name)).run();
        assert_eq!(state(self.name), "SERVICE_STOPPED");
        self.log()
    }

    /// Its end was asked for: that is no error. Then it goes.
    fn end(self) {
        assert!(!self.lab().join(format!("{}_ERROR_LOG.txt", self.name)).exists());
        self.ran.then_manage().args([self.name, "diff"]).run();
        self.ran.then_manage().args([self.name, "remove", "--remove_install_args"]).run();
        assert!(key(self.name).is_none());
    }
}

#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn it_is_run_in_the_place_of_ctrl_c() {
    for (name, more) in [("asked", &[][..]), ("asked-by-cmd", &["cmd"])] {
        let server = Server::start(name, "quit", more);
        let log = server.stop();
        let pid = log.lines().find_map(|line| line.strip_prefix("up as ")).expect("a number").to_owned();
        assert!(log.contains(&format!("asking ['quit', 'a b', 'pid={pid}'] blue\n")), "{log}");
        assert!(log.contains("asked to quit\n") && !log.contains("interrupted"), "{log}");
        server.end();
    }
}

#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn where_it_fails_ctrl_c_comes_at_once() {
    let server = Server::start("ask-fails", "fail", &["--stop-timeout", "5min"]);
    let log = server.stop();
    assert!(log.contains("the stop command ended with exit code 3; NSSM sends Ctrl-C now\n"), "{log}");
    assert!(log.contains("interrupted\n") && !log.contains("asked to quit"), "{log}");
    server.end();
}

#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn what_goes_on_for_all_that_gets_ctrl_c_after_its_time() {
    let server = Server::start("ask-in-vain", "nothing", &["--stop-timeout", "3s"]);
    let log = server.stop();
    assert!(log.contains("asking ['nothing'"), "{log}");
    assert!(log.contains("interrupted\n") && !log.contains("asked to quit"), "{log}");
    server.end();
}
