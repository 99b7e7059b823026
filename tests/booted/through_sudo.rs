//! What a command takes through sudo: everything that it needs of the person who types it, and no secret by a way that
//! sudo, the journal or another user could see.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::support::booted::{Named, named};
use crate::support::{Ran, Test, probe, system, tree};

/// It is in every value that is a secret here, and in no other word.
const MARK: &str = "zq-s3cr3t-zq";

/// Where a value is hard to carry: quotes, dollars, a line break, a letter that is not ASCII.
const HARD: &str = "zq-s3cr3t-zq \"a\" 'b' $HOME ${x} `id` \\ %n\nü=zq-s3cr3t-zq";

const SENDER: &str = r#"
[catalog]
name = "lab"
version = "1"
about = "Programs with secrets."
[[program]]
name = "Sender"
about = "Has secrets of every form."
python = "send:main"
[[program.argument]]
name = "key"
kind = "secret"
arity = "?"
help = "The key."
[[program.argument]]
flags = ["-p", "--password"]
kind = "secret"
help = "The password."
[[program.argument]]
flags = ["--token"]
kind = "secret"
repeat = true
help = "A token; there may be several."
[[program.argument]]
flags = ["-n", "--name"]
kind = "string"
help = "No secret."
[[program.argument]]
flags = ["-v", "--verbose"]
kind = "flag"
help = "No secret."
"#;

/// Installs the program with secrets, which shows what it was given.
fn sender(install: Test, person: &str) -> Test {
    let module = format!("import os\ndef main(arguments):\n    os.execv({0:?}, [{0:?}] + arguments)\n", probe::path());
    let install = typed_by(person, install.file("lab.toml", SENDER).file("send.py", module));
    install.args(["--catalog", "lab.toml", "--python", "/usr/bin/python3", "--restart", "never"])
}

/// Runs as this person, to whom the folder is given. Unlike `runuser` nothing here has its own words logged.
fn typed_by(person: &str, test: Test) -> Test {
    fs::create_dir_all(test.folder().join("home")).unwrap();
    system("chown", &["-R", person, test.folder().to_str().unwrap()]);
    test.through(&["setpriv", "--reuid", person, "--regid", person, "--init-groups"])
}

/// A person of that name, with what sudoers says of them.
fn person(name: &str, password: &str, rules: &str) {
    drop(Command::new("useradd").args(["--create-home", name]).output());
    system("sh", &["-c", &format!("echo '{name}:{password}' | chpasswd")]);
    let path = format!("/etc/sudoers.d/{name}");
    fs::write(&path, rules).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
}

/// Everything that the system has logged: each field of the journal, and what syslog keeps beside it.
fn logged() -> Vec<u8> {
    system("journalctl", &["--sync"]);
    let mut all = Command::new("journalctl").args(["--all", "--output=export"]).output().unwrap().stdout;
    assert!(!all.is_empty());
    for (path, contents) in tree(Path::new("/var/log")) {
        if !path.starts_with("journal") {
            all.extend(contents);
        }
    }
    all
}

fn tells(bytes: &[u8]) -> bool {
    bytes.windows(MARK.len()).any(|part| part == MARK.as_bytes())
}

#[track_caller]
fn nothing_is_logged_of_it() {
    let logged = logged();
    let lines: Vec<_> = logged.split(|byte| *byte == b'\n').filter(|line| tells(line)).collect();
    assert!(lines.is_empty(), "{}", String::from_utf8_lossy(&lines.concat()));
}

/// Runs it with every program that is started by it written down, with its words and its whole environment. But for the
/// command that was typed itself, none of them sees a secret; nor does anybody who reads what it says. The interpreter
/// may have it in its environment, where it imports the program as the service will.
#[track_caller]
fn followed(test: Test) -> Ran {
    let log = test.folder().join("strace.log");
    let options = ["-f", "-qq", "-v", "-s", "100000", "-e", "signal=none", "-e", "trace=execve", "-o"];
    let words: Vec<&str> = ["strace"].into_iter().chain(options).chain([log.to_str().unwrap()]).collect();
    let ran = test.through(&words).run();
    let record = fs::read_to_string(&log).unwrap();
    let typed = record.lines().position(|line| line.contains("/InstallService\", [")).expect("it was started");
    let (before, behind) = (record.lines().take(typed + 1), record.lines().skip(typed + 1));
    assert!(before.last().is_some_and(|line| tells(line.as_bytes())), "the record shows what it should: {record}");
    assert!(behind.clone().any(|line| line.contains("systemctl")), "{record}");
    let seen = |line: &&str| match line.split_once("execve(\"/usr/bin/python3\", ") {
        Some((_, words)) => tells(words.split("], [").next().unwrap().as_bytes()),
        None => tells(line.as_bytes()),
    };
    let telling: Vec<_> = behind.filter(seen).collect();
    assert!(telling.is_empty(), "{}", telling.join("\n"));
    assert!(!tells(ran.stdout.as_bytes()) && !tells(ran.stderr.as_bytes()), "{}{}", ran.stdout, ran.stderr);
    ran
}

/// The value is in the one file that is for it, which only root reads.
#[track_caller]
fn only_in_its_file(service: &Named, ran: &Ran) {
    let host = service.host(&ran.folder().join("working_dir"));
    let holding = host.iter().filter(|(_, (_, contents))| tells(contents));
    let holding: Vec<_> = holding.map(|(path, (mode, _))| (path.file_name().unwrap(), mode & 0o7777)).collect();
    assert_eq!(holding, [(format!("{service}_env_vars.txt").as_ref(), 0o600)]);
}

/// What the program was given, that runs as this service.
fn given(service: &Named) -> Vec<String> {
    service.received().argv.into_iter().skip(1).map(|word| word.into_string().unwrap()).collect()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_secret_on_the_command_line_goes_through_sudo_unseen_in_every_spelling() {
    let spellings: [(&str, &[&str], &[&str]); 12] = [
        ("sudo-spelt-word", &["--password", "zq-s3cr3t-zq"], &["--password=zq-s3cr3t-zq"]),
        ("sudo-spelt-equals", &["--password=zq-s3cr3t-zq"], &["--password=zq-s3cr3t-zq"]),
        ("sudo-spelt-letter", &["-pzq-s3cr3t-zq"], &["--password=zq-s3cr3t-zq"]),
        ("sudo-spelt-letter-word", &["-p", "zq-s3cr3t-zq"], &["--password=zq-s3cr3t-zq"]),
        ("sudo-spelt-letter-equals", &["-p=zq-s3cr3t-zq"], &["--password=zq-s3cr3t-zq"]),
        ("sudo-spelt-letters", &["-vpzq-s3cr3t-zq"], &["--password=zq-s3cr3t-zq", "--verbose"]),
        ("sudo-spelt-place", &["zq-s3cr3t-zq"], &["zq-s3cr3t-zq"]),
        ("sudo-spelt-twice", &["--password", "zq-s3cr3t-zq-old", "-pzq-s3cr3t-zq"], &["--password=zq-s3cr3t-zq"]),
        (
            "sudo-spelt-list",
            &["--token=zq-s3cr3t-zq-1", "--token", "zq-s3cr3t-zq-2"],
            &["--token=zq-s3cr3t-zq-1", "--token=zq-s3cr3t-zq-2"],
        ),
        ("sudo-spelt-hard", &["--password", HARD, "--name=x"], &[&format!("--password={HARD}"), "--name=x"]),
        (
            "sudo-spelt-dollar",
            &["--password=$$zq-s3cr3t-zq", "-p$$HOME-zq-s3cr3t-zq"],
            &["--password=$$HOME-zq-s3cr3t-zq"],
        ),
        ("sudo-spelt-behind-dashes", &["-v", "--", "zq-s3cr3t-zq"], &["--verbose", "zq-s3cr3t-zq"]),
    ];
    for (name, typed, expected) in spellings {
        let service = named(name);
        let ran = followed(sender(service.install(), "joe").args(["--start", "Sender"]).args(typed));
        assert_eq!(given(&service), expected, "{typed:?}");
        only_in_its_file(&service, &ran);
    }
    nothing_is_logged_of_it();
}

/// A word that is the same by chance stays what it is.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_word_that_is_the_same_by_chance_is_not_taken_for_the_secret() {
    let service = named("sudo-chance");
    let install =
        sender(service.install(), "joe").args(["--start", "--env", "PLAIN=chance", "--description", "chance"]);
    install.args(["Sender", "--name", "chance", "-pchance", "chance"]).env("chance", "x").run();
    assert_eq!(given(&service), ["--password=chance", "--name=chance", "chance"]);
    assert_eq!(service.received().variable("PLAIN"), Some("chance".as_ref()));
    assert_eq!(service.property("Description"), "chance");
    // What was asked for can be read in the log, with references for the secrets.
    let logged = String::from_utf8_lossy(&logged()).into_owned();
    let asked = "--description chance Sender --name chance -p$PASSWORD $KEY";
    assert!(logged.contains(asked), "{logged}");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn secrets_of_the_environment_go_through_sudo_unseen() {
    // A line with a manifest names none of its services.
    let service = named("Sender");
    let manifest = "[[service]]\nname = \"sudo-manifest\"\nexecutable = \"/bin/sleep\"\narguments = [\"1000\"]\n\
                    secrets = [\"OF_MANIFEST\"]\n";
    let other = named("sudo-manifest");
    let install = sender(Test::install().file("more.toml", manifest), "joe").args(["--manifest", "more.toml"]);
    let install = install.arg("--start");
    let install = install.args(["--env", "TOKEN", "--env", "NAME=TOKEN"]).env("TOKEN", HARD);
    let install = install.env("OF_MANIFEST", format!("{MARK}-manifest")).env("REFERRED", format!("{MARK}-referred"));
    // Nobody has asked for these.
    let install = install.env("HTTPS_PROXY", format!("http://joe:{MARK}@proxy:3128")).env("OTHER", MARK);
    let ran = followed(install.args(["Sender", "--password", "$REFERRED"]));
    let received = service.received();
    assert_eq!(received.variable("TOKEN"), Some(HARD.as_ref()));
    assert_eq!(received.variable("NAME"), Some("TOKEN".as_ref()));
    assert_eq!(given(&service), [format!("--password={MARK}-referred")]);
    let environment = fs::read(format!("/proc/{}/environ", other.pid())).unwrap();
    assert!(
        environment.split(|byte| *byte == 0).any(|entry| entry == format!("OF_MANIFEST={MARK}-manifest").as_bytes())
    );
    assert!(!received.environment.iter().any(|entry| entry.as_bytes().starts_with(b"OTHER=")));
    drop(ran);
    nothing_is_logged_of_it();
}

/// sudo closes what its caller has opened, and a pipe can be read once.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_manifest_and_a_catalog_come_through_pipes() {
    let (first, second) = (named("sudo-piped"), named("sudo-piped-too"));
    let manifest = "[[service]]\nname = \"sudo-piped\"\nexecutable = \"/bin/sleep\"\narguments = [\"1000\"]\n";
    let install = Test::install().file("m.toml", manifest).file("lab.toml", SENDER).args(["--manifest", "/dev/stdin"]);
    let shell = "cat m.toml | \"$@\" --catalog <(cat lab.toml)";
    let ran = typed_by("joe", install.through(&["bash", "-c", shell, "--"])).run();
    assert_eq!(first.property("LoadState"), "loaded");
    // What came by the pipe is what was installed.
    let again = ran.then_install().args(["--manifest", "m.toml", "--check"]);
    again.stderr("the host is as it should be\n").run();
    let install = ran.then_install().file("send.py", "def main(arguments):\n    pass\n");
    let install = install.args(["--service_name", "sudo-piped-too", "--python", "/usr/bin/python3"]);
    let install = install.args(["--catalog", "/dev/stdin", "Sender", "--name", "x"]);
    typed_by("joe", install.through(&["bash", "-c", "cat lab.toml | \"$@\"", "--"])).run();
    assert_eq!(second.property("LoadState"), "loaded");
}

/// sudo asks for its password on the terminal, and so does the run behind it for the values.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn questions_are_asked_on_the_terminal_behind_sudo_too() {
    let terminal = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/terminal.py");
    for (name, service, defaults, times) in [
        ("lee", "sudo-asks-lee", "!use_pty", 1),
        ("liv", "sudo-asks-liv", "use_pty", 1),
        // Asked for each call of sudo: whether it is allowed, and to run.
        ("lou", "sudo-asks-lou", "timestamp_timeout=0", 2),
    ] {
        let service = named(service);
        person(name, "open sesame", &format!("Defaults:{name} {defaults}\n{name} ALL=(ALL:ALL) ALL\n"));
        let question = format!("password for {name}: ");
        let password = [&*question, "open sesame"].repeat(times);
        let value = ["value of LAB_PASSWORD (not shown): ", MARK, "--"];
        let talk = [vec!["/usr/bin/python3", terminal], password, value.to_vec()].concat();
        let install =
            sender(service.install(), name).args(["--start", "--env", "LAB_PASSWORD", "Sender", "--password"]);
        let install = install.arg(HARD).through(&talk).stdout_contains(format!("started: {service}"));
        let ran = install.run();
        // Behind a terminal of sudo's own nobody sees when the innermost one has stopped to show what is typed.
        assert!(name != "lee" || !tells(ran.stdout.as_bytes()), "{}", ran.stdout);
        assert_eq!(service.received().variable("LAB_PASSWORD"), Some(MARK.as_ref()));
        assert_eq!(given(&service), [format!("--password={HARD}")]);
        only_in_its_file(&service, &ran);
    }
    nothing_is_logged_of_it();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn without_rights_the_line_to_type_holds_no_secret() {
    let service = named("sudo-ann");
    let install =
        sender(service.install(), "ann").args(["Sender", "--password=zq-s3cr3t-zq", "--token", MARK, MARK]).status(5);
    let line = "Sender '--password=$PASSWORD' --token '$TOKEN' '$KEY'`\n";
    let ran = install
        .stderr_contains(concat!("help: type `sudo ", env!("CARGO_BIN_EXE_InstallService"), " "))
        .stderr_contains(line)
        .run();
    assert!(!tells(ran.stderr.as_bytes()), "{}", ran.stderr);
    nothing_is_logged_of_it();
}

/// A rule for the command alone is enough: nothing of one's own environment is asked of sudo.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_rule_for_the_command_alone_is_enough() {
    let service = named("sudo-kim");
    let path = env!("CARGO_BIN_EXE_InstallService");
    person("kim", "x", &format!("kim ALL=(root) NOPASSWD: {path}\n"));
    let install = typed_by("kim", service.install()).args(["--env", "TOKEN", "--start"]).env("TOKEN", MARK);
    let ran = followed(install.probe([]));
    assert_eq!(service.received().variable("TOKEN"), Some(MARK.as_ref()));
    only_in_its_file(&service, &ran);
}

/// Who may run certain words alone gets no say over root's environment by it: those words are to be typed.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_rule_for_certain_words_allows_no_others() {
    let service = named("sudo-max");
    let ran = service.install().probe([]).run();
    let (path, state) = (env!("CARGO_BIN_EXE_ManageService"), ran.folder().join("working_dir"));
    let words = format!("sudo-max start --state-dir {}", state.display());
    let said = format!("help: type `sudo {path} sudo-max start --state-dir [TMP]/working_dir`");
    person("max", "x", &format!("max ALL=(root) NOPASSWD: {path} {words}\n"));
    let manage = || service.manage(&ran, "start").arg("--state-dir").arg(&state).by_person("max");
    manage().status(5).stderr_contains(&said).run();
    system("runuser", &["-u", "max", "--", "sh", "-c", &format!("sudo -n {path} {words}")]);
    assert_ne!(service.pid(), 0);
}

/// What says that something was handed over is a word of ours, and what comes with it is read by nobody else.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_the_user_pipes_in_is_left_alone() {
    let service = named("sudo-stdin");
    let install = service.install().probe([]).by_person("joe");
    let ran = install.through(&["sh", "-c", "\"$@\"; cat", "sh"]).stdin("mine\n").run();
    assert!(ran.stdout.ends_with("\nmine\n"), "{}", ran.stdout);
    for input in ["", "mine\n", "{\"variables\":{}}"] {
        let manage = Test::manage().args(["--through-sudo", "sudo-stdin", "start"]).stdin(input).status(2).stdout("");
        manage.stderr_contains("`--through-sudo` must not be typed").run();
    }
}

/// What is no secret arrives by the same way.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_is_no_secret_arrives() {
    let service = named("sudo-arrives");
    let install = service.install();
    let (tools, venv) = (install.folder().join("tools"), install.folder().join("venv"));
    fs::create_dir_all(&tools).unwrap();
    fs::create_dir_all(venv.join("bin")).unwrap();
    symlink(probe::path(), tools.join("joes-probe")).unwrap();
    symlink("/usr/bin/python3", venv.join("bin/python")).unwrap();
    let search = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let ran = install.by_person("joe").env("PATH", &search).args(["--", "joes-probe"]).run();
    assert!(service.unit_text().contains(&format!("ExecStart=:\"{}/joes-probe\"", tools.display())));
    assert!(ran.folder().join("working_dir/sudo-arrives_install_args.toml").exists(), "INSTALLSERVICE_WORKING_DIR");

    let python = named("sudo-venv");
    let install = python.install_again(&ran).file("mine.py", "def main(arguments):\n    pass\n").by_person("joe");
    install.env("VIRTUAL_ENV", &venv).arg("mine:main").run();
    assert!(python.unit_text().contains(&format!("ExecStart=:\"{}/bin/python\"", venv.display())));

    // Colours are there for who wants them, and not for others.
    let status = |name: &str, value: &str| {
        let told = python.install_again(&ran).by_person("joe").env("TERM", "xterm").env(name, value);
        told.args(["--description", value, "--env", "A=1", "mine:main"]).run().stdout
    };
    assert!(!status("NO_COLOR", "1").contains('\x1b'));
    assert!(status("CLICOLOR_FORCE", "1").contains('\x1b'));
}

/// A note that was told before sudo is not told again behind it.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_note_is_told_once() {
    let service = named("sudo-notes");
    let ran = sender(service.install(), "joe").args(["Sender", "--password", MARK]).run();
    assert_eq!(ran.stderr.matches("goes into the environment file as `PASSWORD`").count(), 1, "{}", ran.stderr);
}

/// Before a password is asked for: for what.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_it_is_for_is_said_before_the_password_is_asked_for() {
    let service = named("sudo-what");
    person("pia", "open sesame", "pia ALL=(ALL:ALL) ALL\n");
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keys.py");
    let install = typed_by("pia", service.install()).env("NO_COLOR", "1").args(["--", "/bin/sleep", "1 h"]).status(130);
    let ran = install.through(&["/usr/bin/python3", keys, "password for pia: ", "^C", "--"]).run();
    let shown = format!(
        "installing `{service}` (`/etc/systemd/system/{service}.service`) needs administrator rights: asking sudo for them\n\
         {service}\n    runs  /bin/sleep '1 h'\n    as    root\n    in    [TMP]\n\n[sudo] password for pia: \n"
    );
    assert!(ran.stdout.starts_with(&shown), "{}", ran.stdout);
    // Whoever says that nothing was changed says it once sudo has said its words.
    assert!(ran.stdout.ends_with("\nInstallService: error: interrupted; nothing was changed\n"), "{}", ran.stdout);
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
}

/// The same where sudo asks a second time, to run the command.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn ctrl_c_at_any_question_of_sudo_says_that_nothing_was_changed() {
    let service = named("sudo-ctrl-c");
    person("pam", "open sesame", "Defaults:pam timestamp_timeout=0\npam ALL=(ALL:ALL) ALL\n");
    let keys = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keys.py");
    let question = "password for pam: ";
    let install = typed_by("pam", service.install()).env("NO_COLOR", "1").probe([]).status(130);
    let steps = [question, "open sesame\n", question, "^C", "--"];
    let ran = install.through(&[&["/usr/bin/python3", keys][..], &steps].concat()).run();
    assert!(ran.stdout.ends_with("\nInstallService: error: interrupted; nothing was changed\n"), "{}", ran.stdout);
    assert_eq!(service.host(&ran.folder().join("working_dir")), [].into());
}

/// Nobody types a password, or a secret, to be told then that the interpreter lacks the module.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_module_that_is_missing_is_told_before_anything_is_asked() {
    person("pim", "open sesame", "pim ALL=(ALL:ALL) ALL\n");
    let terminal = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/keys.py");
    let refused = "InstallService: error: Python program `nowhere.watch:main`: importing `nowhere.watch` fails: \
                   ModuleNotFoundError: No module named 'nowhere'\n  help: ";
    let words = ["--python", "/usr/bin/python3", "--env", "LAB_PASSWORD", "--account", "pim", "nowhere.watch:main"];
    for by_root in [true, false] {
        let service = named("sudo-module");
        let test = service.install();
        let test = if by_root { test } else { typed_by("pim", test) };
        let ran = test.args(words).through(&["/usr/bin/python3", terminal, "--"]).status(2).run();
        assert!(ran.stdout.starts_with(refused), "{}", ran.stdout);
        assert!(!ran.stdout.contains("password for"), "{}", ran.stdout);
    }
    // What whoever types cannot see is left to the import, as the account that can.
    let service = named("sudo-hidden");
    let install = service.install().file("hidden/concealed.py", "def main(arguments):\n    pass\n");
    let hidden = install.folder().join("hidden");
    let install = typed_by("joe", install);
    system("chown", &["-R", "pim", hidden.to_str().unwrap()]);
    fs::set_permissions(&hidden, fs::Permissions::from_mode(0o700)).unwrap();
    let path = format!("PYTHONPATH={}", hidden.display());
    install.args(["--python", "/usr/bin/python3", "--account", "pim", "--env", &path, "concealed:main"]).run();
    assert_eq!(service.property("LoadState"), "loaded");
}

/// The same of what ManageService takes the words of a command line for.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_note_of_manage_service_is_told_once() {
    let (service, other) = (named("stop"), named("restart"));
    let ran = service.install().probe([]).run();
    let ran = other.install_again(&ran).probe([]).run();
    let manage = ran.then_manage().by_person("joe").args(["restart", "stop"]);
    let told = manage.stdout("restart: stopped\n").run().stderr;
    let rights = "stopping `restart` (`/etc/systemd/system/restart.service`) needs administrator rights";
    assert!(told.contains(rights), "{told}");
    assert_eq!(told.matches("`stop` is taken for the mode").count(), 1, "{told}");
}
