//! What a Python program imports is tried before it is installed: as the service will do it, and so that nothing of it
//! stays.
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::booted::{Named, folder_of, named};
use crate::support::{Test, runs, system, wait_for};

const MAIN: &str = "\ndef main(arguments):\n    import time\n    time.sleep(1000)\n";

/// An install of `mine:main` with this source, which is where the service runs; typed elsewhere.
fn install(service: &Named, source: &str) -> Test {
    let test = service.install().file("work/mine.py", format!("{source}{MAIN}")).cwd("typed");
    let work = test.folder().join("work");
    test.args(["--python", "/usr/bin/python3", "--working-directory"]).arg(work).arg("mine:main")
}

/// Python code that leaves a mark.
fn marks(folder: &Path, name: &str) -> String {
    format!("open({:?}, 'a').close()\n", folder.join(name).to_str().unwrap())
}

/// Where the caller is, what the caller's PYTHONPATH names and the caller's own packages.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn nothing_that_only_the_caller_has_is_run() {
    let service = named("import-hostile");
    let mut test = install(&service, "");
    let folder = test.folder().to_owned();
    let version = system("/usr/bin/python3", &["-c", "import sys; print('python%d.%d' % sys.version_info[:2])"]);
    let user_site = format!("home/.local/lib/{}/site-packages", version.trim());
    for place in ["typed", "path", &user_site] {
        let modules = ["importlib", "re", "encodings", "sitecustomize", "usercustomize", "mine", "json", "warnings"];
        for module in modules {
            test = test.file(format!("{place}/{module}.py"), marks(&folder, "mark"));
        }
        test = test.file(format!("{place}/evil.pth"), format!("import os; {}", marks(&folder, "mark")));
    }
    let startup = folder.join("typed/importlib.py");
    let test = test.env("PYTHONPATH", folder.join("path")).env("PYTHONSTARTUP", startup).env("PYTHONINSPECT", "1");
    let ran = test.env("PYTHONUSERBASE", folder.join("home/.local")).run();
    assert!(!folder.join("mark").exists());
    service.manage(&ran, "start").run();
    assert!(!folder.join("mark").exists(), "neither does the service");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_the_service_will_have_is_there() {
    let service = named("import-has");
    let source = "import os, other\nassert os.environ['PLAIN'] == 'a b'\nassert os.environ['SECRET'] == 's3 \"$x\"'\n\
                  assert 'CALLERS' not in os.environ\nassert os.getcwd() == os.path.dirname(__file__)\n";
    let test = install(&service, source).file("work/lib/other.py", "").env("SECRET", "s3 \"$x\"").env("CALLERS", "1");
    let options = ["--env", "PLAIN=a b", "--env", "SECRET", "--env", "PYTHONPATH=lib", "--start"];
    let ran = test.first(&options).run();
    service.manage(&ran, "status").run();

    // The search path as a secret, which is there before the first module is looked for, too.
    let service = named("import-has-path");
    let test = install(&service, "import other\n").file("work/lib/other.py", "").env("PYTHONPATH", "lib");
    let ran = test.first(&["--env", "PYTHONPATH", "--start"]).run();
    service.manage(&ran, "status").run();
    let refused = install(&named("import-has-none"), "import other\n").file("work/lib/other.py", "");
    refused.env("PYTHONPATH", "lib").status(2).stderr_contains("No module named 'other'").run();
}

const WHO: &str = "
import os
def tty():
    try:
        return os.open('/dev/tty', os.O_RDWR)
    except OSError:
        return None
def opened():
    return [os.readlink(path) for path in map('/proc/self/fd/{}'.format, range(64)) if os.path.islink(path)]
def root():
    try:
        os.setresuid(0, 0, 0)
        return True
    except OSError:
        return False
open('who', 'w').write(repr((os.getresuid(), sorted(os.getgroups()), os.environ.get('HOME'), os.environ.get('USER'),
    tty(), root(), [path for path in opened() if 'shadow' in path or '.lock' in path])))
";

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn it_is_done_as_the_account() {
    let service = named("import-account");
    drop(Command::new("groupadd").arg("import-group").output());
    // An account of its own: the groups of the others are those that other tests know.
    drop(Command::new("useradd").args(["--create-home", "--groups", "import-group", "importer"]).output());
    let folder = folder_of("importer", "/srv/import-account");
    fs::write(folder.join("mine.py"), format!("{WHO}{MAIN}")).unwrap();
    let install = |service: &Named, more: &[&str]| {
        let test = service.install().args(["--python", "/usr/bin/python3", "--working-directory"]).arg(&folder);
        // With a descriptor of the caller's.
        test.args(more).arg("mine:main").through(&["sh", "-c", "exec \"$@\" 7< /etc/shadow", "sh"])
    };
    install(&service, &["--account", "importer"]).run();
    let who = fs::read_to_string(folder.join("who")).unwrap();
    let id = |option: &str| system("id", &[option, "importer"]).trim().to_owned();
    let mut groups: Vec<u32> = id("-G").split(' ').map(|group| group.parse().unwrap()).collect();
    groups.sort_unstable();
    let uid = id("-u");
    let expected = format!("(({uid}, {uid}, {uid}), {groups:?}, '/home/importer', 'importer', None, False, [])");
    assert_eq!(who, expected);

    // What has no account of its own is nobody, and what has a number alone is that.
    system("chmod", &["777", folder.to_str().unwrap()]);
    let table = |line: &str| {
        let manifest = format!(
            "[[service]]\nname = \"import-table\"\npython = \"mine:main\"\ninterpreter = \"/usr/bin/python3\"\n\
             working_directory = {folder:?}\n{line}"
        );
        fs::remove_file(folder.join("who")).unwrap();
        Test::install().file("s.toml", manifest).args(["--manifest", "s.toml"])
    };
    let _service = named("import-table");
    let nobody = system("id", &["-u", "nobody"]);
    let dynamic = "[service.systemd]\nDynamicUser = \"yes\"\n";
    for (line, uid) in [(dynamic, nobody.trim()), ("account = \"4242\"\n", "4242")] {
        table(line).run();
        let who = fs::read_to_string(folder.join("who")).unwrap();
        assert!(who.starts_with(&format!("(({uid}, {uid}, {uid}), ")), "{who}");
    }
    let no_group = "account = \"ann\"\n[service.systemd]\nGroup = \"no-such-group\"\n";
    table(no_group).status(2).stderr_contains("or not every group that it is given\n").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_it_leaves_behind_is_ended() {
    let sources = [
        "import subprocess\nsubprocess.Popen(['sleep', '300.11'], start_new_session=True)\n",
        "import os, time\nif os.fork() == 0:\n    os.execvp('sleep', ['sleep', '300.11'])\n",
        "import os, signal\nif os.fork() == 0:\n    os.setsid()\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    \
         if os.fork() == 0:\n        os.execvp('sleep', ['sleep', '300.11'])\n    os._exit(0)\n",
        "import os\nfor _ in range(100):\n    if os.fork() == 0:\n        os.execvp('sleep', ['sleep', '300.11'])\n",
    ];
    for (number, source) in sources.into_iter().enumerate() {
        let service = named("import-leaves");
        let note = "note: importing `mine` left processes running, which were ended: `sleep`\n";
        let ran = install(&service, source).stderr_contains(note).spawn().end_soon();
        assert!(!runs("sleep 300.11"), "{number}");
        // The lock is free.
        service.manage(&ran, "remove").spawn().end_soon();
    }
    // What comes to its end by itself is not worth a word.
    let service = named("import-leaves-not");
    let ran = install(&service, "import subprocess\nsubprocess.Popen(['sleep', '0.01'])\n").run();
    assert!(!ran.stderr.contains("left processes"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn one_that_does_not_end_is_ended() {
    let service = named("import-endless");
    let source = "import signal, subprocess\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
                  subprocess.run(['sleep', '300.12'])\n";
    let test = install(&service, source).first(&["--import-timeout", "2s"]).status(2);
    let test = test.stderr_contains("importing `mine` did not end within 2 s, and was ended\n");
    let ran = test.stderr_contains("help: `--import-timeout 10` gives it more time\n").spawn().end_soon();
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
    assert!(!runs("sleep 300.12"));
    service.install_again(&ran).probe([]).run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn one_that_takes_long_is_told() {
    let service = named("import-slow");
    let ran = install(&service, "import time\ntime.sleep(6)\n").run();
    let note = "note: importing `mine` takes long; it is ended after 60 s\n";
    assert_eq!(ran.stderr.matches(note).count(), 1, "{}", ran.stderr);
    fs::write(ran.folder().join("work/mine.py"), format!("import time\ntime.sleep(3)\n{MAIN}")).unwrap();
    service.manage(&ran, "remove").run();
    let again = service.manage(&ran, "reinstall").args(["--import-timeout", "1"]).status(2);
    again.stderr_contains("within 1 s, and was ended").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_interrupt_ends_it() {
    let service = named("import-interrupt");
    let source = "import subprocess, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
                  signal.signal(signal.SIGINT, signal.SIG_IGN)\n\
                  subprocess.Popen(['sleep', '300.13'], start_new_session=True)\nsubprocess.run(['sleep', '300.13'])\n";
    for signal in ["INT", "TERM"] {
        let run = install(&service, source)
            .status(130)
            .stderr("InstallService: error: interrupted; nothing was changed\n")
            .spawn();
        wait_for("the import", 20, || runs("sleep 300.13").then_some(()));
        run.signal(signal);
        let ran = run.end_soon();
        assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
        assert!(!runs("sleep 300.13"), "{signal}");
        service.install_again(&ran).probe([]).run();
        service.manage(&ran, "remove").run();
    }
    // Also where nobody is left to do it.
    let run = install(&service, source).status(137).spawn();
    wait_for("the import", 20, || runs("sleep 300.13").then_some(()));
    run.signal("KILL");
    run.end_soon();
    wait_for("the end of the import", 20, || (!runs("sleep 300.13")).then_some(()));
}

/// As a terminal does it, and with a program that would read from it.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn ctrl_c_on_a_terminal_ends_it() {
    let service = named("import-ctrl-c");
    let source = "import time, sys\ntime.sleep(6 if not sys.stdin.read() else 0)\ntime.sleep(300)\n";
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keys.py");
    let test = install(&service, source).through(&["/usr/bin/python3", keys, "takes long", "^C^C", "--"]).status(130);
    let ran = test.stdout_contains("error: interrupted; nothing was changed\n").spawn().end_soon();
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn one_that_ends_the_interpreter_or_prints_without_end_is_told() {
    let service = named("import-odd");
    let test = install(&service, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n").status(2);
    test.stderr_contains("Python program `mine:main`: the interpreter ended with signal: 9 (SIGKILL)\n").run();
    install(&service, "import os\nos._exit(3)\n").status(2).stderr_contains("ended with exit status: 3\n").run();

    let source = "import sys\nprint('first', file=sys.stderr)\nfor _ in range(2000):\n    print('y' * 1000000)\n\
                  sys.stdout.flush()\nraise ValueError('the last word')\n";
    let test = install(&service, source).through(&["prlimit", "--as=1000000000"]).status(2);
    test.stderr_contains("first\nimporting `mine` fails: ValueError: the last word\n").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_name_that_the_module_lacks_is_looked_for_among_its_own() {
    let source = "class Sender:\n    @classmethod\n    def run_from_command_line(cls, arguments):\n        pass\n\
                  class Holder:\n    @staticmethod\n    def start(arguments):\n        pass\n\
                  main_setting = 1\n_mains = print\n";
    for (spec, refused, help) in [
        ("mine:mian", "`mine` has no function `mian`", Some("mine:main")),
        ("mine:Holder.strat", "`mine` has no function `Holder.strat`", Some("mine:Holder.start")),
        ("Sendr=mine", "`mine` has no class `Sendr`", Some("Sender=mine")),
        ("mine:something_else", "`mine` has no function `something_else`", None),
    ] {
        let service = named("import-name");
        let test = service.install().file("work/mine.py", format!("{source}{MAIN}"));
        let work = test.folder().join("work");
        let test = test.args(["--python", "/usr/bin/python3", "--working-directory"]).arg(work).arg(spec);
        let help = help.map_or_else(
            || "`/usr/bin/python3` is the interpreter that was asked; `--python PATH` names another".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        );
        let said = format!("InstallService: error: Python program `{spec}`: {refused}\n  help: {help}\n");
        let ran = test.status(2).stderr_contains(said).run();
        assert!(!ran.stderr.contains("pip"), "{}", ran.stderr);
    }
    let service = named("import-module");
    let test = service.install().args(["--python", "/usr/bin/python3", "not_there_at_all:main"]).status(2);
    test.stderr_contains("-m pip install PACKAGE` adds what is missing\n").run();
}
