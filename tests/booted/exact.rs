//! Every argument, environment value, directory and path reaches the program byte for byte, or is refused.
//! Thousands of them, in services that one command installs and starts.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use install_service::manifest::{self, Arguments, Request};
use install_service::model::text::Text;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use crate::corpus;
use crate::support::{Ran, Test, probe, system};

/// What systemd itself adds to the environment of a service, as a login does.
const SYSTEMD: [&str; 11] = [
    "LANG",
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
    "SYSTEMD_EXEC_PID",
    // Since 254, where there is the unified hierarchy of control groups only.
    "MEMORY_PRESSURE_WATCH",
    "MEMORY_PRESSURE_WRITE",
];

/// The kernel's limit for one argument, and for one variable with its name.
const MOST: usize = 131_071;

/// A service, and the secrets that the environment of the install has for it.
struct Case {
    service: Request,
    secrets: Vec<(String, String)>,
}

/// Values of a strategy, new ones in each run.
struct Any(TestRunner);

impl Any {
    fn new() -> Self {
        Self(TestRunner::new(proptest::test_runner::Config::default()))
    }

    fn of<T: std::fmt::Debug>(&mut self, strategy: impl Strategy<Value = T>) -> T {
        strategy.new_tree(&mut self.0).expect("a value").current()
    }
}

/// A file name of any bytes.
fn name(any: &mut Any) -> Vec<u8> {
    let mut name = any.of(corpus::bytes()).as_bytes().to_vec();
    name.retain(|byte| *byte != b'/');
    if matches!(&name[..], b"" | b"." | b"..") { b"x".to_vec() } else { name }
}

/// Names that a shell, a linker or systemd means something by, and names that are no identifiers.
const VARIABLES: [&str; 26] = [
    "A",
    "b_1",
    "lower.case",
    "with-dash",
    "with space",
    "1st",
    "ünï",
    "%n",
    "$X",
    "\"",
    "'",
    "\\",
    "IFS",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
    "UID",
    "PS4",
    "ENV",
    "BASH_ENV",
    "HOME",
    "LANG",
    "LD_LIBRARY_PATH",
    "POSIXLY_CORRECT",
    "JOURNAL_STREAM",
];

fn random(any: &mut Any, folder: &Path, number: usize) -> Case {
    let folder = folder.join(number.to_string());
    let (directory, program) = (folder.join(OsString::from_vec(name(any))), folder.join("bin"));
    let program = program.join(OsString::from_vec(name(any)));
    fs::create_dir_all(&directory).expect("a directory");
    fs::create_dir_all(program.parent().expect("a parent")).expect("a directory");
    // Half of all services hold plain text only: these need no launcher.
    let plain = number.is_multiple_of(2);
    let mut word = || if plain { any.of(corpus::text()).into() } else { any.of(corpus::bytes()) };
    let arguments = (0..10).map(|_| word()).collect();
    let values: Vec<Text> = (0..4).map(|_| word()).collect();
    let names = any.of(prop::sample::subsequence(VARIABLES.to_vec(), 4));
    let names =
        names.into_iter().enumerate().map(|(at, name)| if plain { format!("PLAIN_{at}") } else { name.to_owned() });
    let environment = names.zip(values).collect();
    let secrets: Vec<_> = (0..2).map(|at| (format!("SECRET_{number}_{at}"), any.of(corpus::text()))).collect();
    let service = Request {
        name: Some(format!("exact-{number}")),
        executable: Some(at(&program)),
        arguments: Arguments::List(arguments),
        working_directory: Some(at(&directory)),
        environment,
        secrets: secrets.iter().map(|(name, _)| name.clone()).collect(),
        ..Request::default()
    };
    Case { service, secrets }
}

/// A service of these arguments and variables alone.
fn of_size(name: &str, arguments: Vec<Text>, environment: &[(&str, Vec<u8>)]) -> Case {
    let environment: IndexMap<_, _> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), Text::from_bytes(value.clone()))).collect();
    let service = Request {
        name: Some(name.to_owned()),
        executable: Some(at(&probe::path())),
        arguments: Arguments::List(arguments),
        working_directory: Some("/".into()),
        environment,
        ..Request::default()
    };
    Case { service, secrets: Vec::new() }
}

fn at(path: &Path) -> Text {
    Text::from_bytes(path.as_os_str().as_bytes())
}

fn os(text: &Text) -> &OsStr {
    OsStr::from_bytes(text.as_bytes())
}

/// `bytes` bytes of everything that has to be escaped somewhere.
fn long(bytes: usize) -> Text {
    Text::from_bytes("\"\\$%'`é\n\t ".bytes().cycle().take(bytes - 1).chain([b'.']).collect::<Vec<_>>())
}

/// The install of `cases` by one manifest; the folder is gone at the end.
fn install(test: Test, cases: &[Case]) -> Test {
    let document = manifest::document(cases.iter().map(|case| &case.service));
    let test = test.file("many.toml", document).args(["--manifest", "many.toml"]);
    cases.iter().flat_map(|case| &case.secrets).fold(test, |test, (name, value)| test.env(name, value))
}

/// Removes services when the test ends, all at once.
struct Cleared(Vec<String>);

impl Drop for Cleared {
    fn drop(&mut self) {
        let run = |verb: &str| drop(std::process::Command::new("systemctl").arg(verb).args(&self.0).output());
        run("stop");
        run("disable");
        for name in &self.0 {
            drop(fs::remove_file(format!("/etc/systemd/system/{name}.service")));
        }
        drop(std::process::Command::new("systemctl").arg("daemon-reload").output());
    }
}

/// What each service received, against what it was to receive.
fn compare(cases: &[Case]) {
    let names: Vec<&str> = cases.iter().map(|case| case.service.name.as_deref().unwrap()).collect();
    let pids = system("systemctl", &[&["show", "--property=MainPID"], &names[..]].concat());
    let pids = pids.lines().filter_map(|line| line.strip_prefix("MainPID=")?.parse::<u32>().ok());
    let mut faults = Vec::new();
    let mut compared = 0;
    for (case, pid) in cases.iter().zip(pids) {
        let Request { name: Some(name), executable: Some(program), arguments, environment, .. } = &case.service else {
            unreachable!("made above")
        };
        let Arguments::List(arguments) = arguments else { unreachable!("made above") };
        let received = probe::Received::by(pid);
        let mut same = |what: String, expected: &OsStr, got: Option<&OsStr>| {
            compared += 1;
            if got != Some(expected) {
                faults.push(format!("{name}: {what}\n  expected {}\n  got      {}", shown(Some(expected)), shown(got)));
            }
        };
        same(
            "number of arguments".into(),
            OsStr::new(&(arguments.len() + 1).to_string()),
            Some(OsStr::new(&received.argv.len().to_string())),
        );
        for (index, expected) in std::iter::once(program).chain(arguments).enumerate() {
            same(format!("argument {index}"), os(expected), received.argv.get(index).map(OsString::as_os_str));
        }
        same("executable".into(), os(program), Some(&received.exe));
        let directory = fs::canonicalize(os(case.service.working_directory.as_ref().unwrap())).unwrap();
        same("directory".into(), directory.as_os_str(), Some(&received.cwd));
        let mut expected: BTreeMap<&str, &OsStr> =
            environment.iter().map(|(name, value)| (&**name, os(value))).collect();
        expected.extend(case.secrets.iter().map(|(name, value)| (&**name, OsStr::new(value))));
        for (variable, expected) in &expected {
            same(format!("variable {variable:?}"), expected, received.variable(variable));
        }
        for entry in &received.environment {
            let entry = entry.to_string_lossy();
            let variable = entry.split('=').next().unwrap();
            if !expected.contains_key(variable) && !SYSTEMD.contains(&variable) {
                faults.push(format!("{name}: a variable that nobody asked for: {entry:?}"));
            }
        }
    }
    println!("{compared} values compared");
    assert!(faults.is_empty(), "{} of {compared} differ:\n{}", faults.len(), faults[..faults.len().min(20)].join("\n"));
}

fn shown(bytes: Option<&OsStr>) -> String {
    let text: String = bytes.map_or("nothing".into(), |bytes| format!("\"{}\"", bytes.as_bytes().escape_ascii()));
    if text.len() < 400 { text } else { format!("{} ... ({} characters)", &text[..400], text.len()) }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn every_byte_arrives() {
    let folder = PathBuf::from("/srv/exact");
    drop(fs::remove_dir_all(&folder));
    let mut any = Any::new();
    let mut cases: Vec<Case> = (0..240).map(|number| random(&mut any, &folder, number)).collect();
    let program = folder.join("probe");
    fs::copy(probe::path(), &program).unwrap();
    for case in &cases {
        fs::hard_link(&program, os(case.service.executable.as_ref().unwrap())).unwrap();
    }
    // Each nasty text in each place, whatever chance has chosen.
    for (number, texts) in corpus::NASTY.chunks(8).enumerate() {
        let arguments = texts.iter().map(|text| Text::from(*text)).collect();
        let values: Vec<_> =
            texts.iter().enumerate().map(|(at, text)| (format!("NASTY_{at}"), text.as_bytes().to_vec())).collect();
        let values: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        cases.push(of_size(&format!("exact-nasty-{number}"), arguments, &values));
    }
    let raw: Vec<Text> = corpus::RAW.iter().map(|bytes| Text::from_bytes(*bytes)).collect();
    cases.push(of_size("exact-raw", raw.clone(), &[("RAW", raw[0].as_bytes().to_vec())]));
    cases.push(of_size("exact-many", (0..20_000).map(|number| number.to_string().into()).collect(), &[]));
    let _cleared = Cleared(cases.iter().map(|case| case.service.name.clone().unwrap()).collect());

    let ran = install(Test::install(), &cases).arg("--start").run();
    compare(&cases);
    // What was recorded is what was asked for, to the byte.
    let receipts: String = cases.iter().map(|case| receipt(&ran, case)).collect();
    let check = ran.then_install().file("receipts.toml", receipts).args(["--manifest", "receipts.toml", "--check"]);
    check.stdout("").stderr("the host is as it should be\n").run();
}

fn receipt(ran: &Ran, case: &Case) -> String {
    let name = case.service.name.as_deref().unwrap();
    fs::read_to_string(ran.folder().join("working_dir").join(format!("{name}_install_args.toml"))).expect("a receipt")
        + "\n"
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn the_command_line_carries_any_byte() {
    let folder = PathBuf::from("/srv/exact-line");
    drop(fs::remove_dir_all(&folder));
    let mut any = Any::new();
    let mut cases: Vec<Case> = (2000..2008).map(|number| random(&mut any, &folder, number)).collect();
    for case in &mut cases {
        case.secrets.clear();
        fs::copy(probe::path(), os(case.service.executable.as_ref().unwrap())).unwrap();
    }
    let _cleared = Cleared(cases.iter().map(|case| case.service.name.clone().unwrap()).collect());
    for Case { service, .. } in &cases {
        let Arguments::List(arguments) = &service.arguments else { unreachable!("made above") };
        let mut install = Test::install().args(["--start", "--service_name", service.name.as_deref().unwrap()]);
        for (number, (name, value)) in service.environment.iter().enumerate() {
            let setting = [name.as_bytes(), b"=", value.as_bytes()].concat();
            install = match number % 2 {
                0 => install.arg(OsString::from_vec([b"--env=", &setting[..]].concat())),
                _ => install.arg("--env").arg(OsString::from_vec(setting)),
            };
        }
        let install = install.arg("--working-directory").arg(os(service.working_directory.as_ref().unwrap()));
        install.arg("--").arg(os(service.executable.as_ref().unwrap())).args(arguments.iter().map(os)).run();
    }
    compare(&cases);
}

/// 6 MiB less what is kept for the service manager, in arguments as long as they can be.
const MOST_ARGUMENTS: usize = 47;

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_is_as_long_as_it_can_be_arrives() {
    let cases = [
        of_size("exact-long", vec![long(MOST)], &[("V", long(MOST - 2).as_bytes().to_vec())]),
        of_size("exact-line", vec![long(120_000); 10], &[]),
        of_size("exact-all", vec![long(MOST); MOST_ARGUMENTS], &[]),
    ];
    let _cleared = Cleared(cases.iter().map(|case| case.service.name.clone().unwrap()).collect());
    install(Test::install(), &cases).arg("--start").run();
    compare(&cases);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_cannot_arrive_is_refused_by_name() {
    let refused = |case: Case, part: &str| {
        let refused = install(Test::install(), &[case]).arg("--start").status(2).stderr_contains(part).run();
        assert!(!refused.folder().join("working_dir").exists());
    };
    refused(of_size("exact-no", vec!["a".into(), long(MOST + 1)], &[]), "argument 2: has 131072 bytes");
    refused(
        of_size("exact-no", vec![], &[("V", long(MOST - 1).as_bytes().to_vec())]),
        "variable `V`: has 131072 bytes",
    );
    refused(of_size("exact-no", vec![long(MOST); MOST_ARGUMENTS + 1], &[]), "bytes together");

    // A NUL anywhere, and nothing else.
    let mut any = Any::new();
    let folder = PathBuf::from("/srv/exact-nul");
    let mut cases: Vec<Case> = (0..200).map(|number| random(&mut any, &folder, number)).collect();
    for case in &mut cases {
        fs::copy("/bin/true", os(case.service.executable.as_ref().unwrap())).unwrap();
    }
    install(Test::install(), &cases).arg("--dry-run").run();
    for (number, case) in cases.iter_mut().enumerate() {
        let service = &mut case.service;
        let Arguments::List(arguments) = &mut service.arguments else { unreachable!("made above") };
        let text = match number % 4 {
            0 => &mut arguments[number % 10],
            1 => service.environment.values_mut().next().unwrap(),
            2 => service.working_directory.as_mut().unwrap(),
            _ => service.executable.as_mut().unwrap(),
        };
        let at = any.of(0..=text.len()).max(usize::from(number % 4 > 1));
        let bytes = [&text.as_bytes()[..at], b"\0", &text.as_bytes()[at..]].concat();
        *text = Text::from_bytes(bytes);
    }
    let ran = install(Test::install(), &cases).arg("--dry-run").status(2).run();
    for case in &cases {
        let name = case.service.name.as_deref().unwrap();
        let fault = ran.stderr.lines().find(|line| line.contains(&format!("error: service `{name}`, ")));
        assert!(fault.is_some_and(|fault| fault.contains("must not contain a NUL")), "{name}: {fault:?}");
    }
    assert!(ran.stderr.ends_with("InstallService: 200 errors; nothing was changed\n"), "{}", ran.stderr);
}

/// Writes down what it is given, where and in the form in which the probe does.
const RECORDER: &str = "\
import json, os, time
def main(arguments):
    words = lambda words: [os.fsencode(word).hex() for word in words]
    variables = [name + b'=' + value for name, value in os.environb.items()]
    record = {'argv': words(arguments), 'environment': words(variables), 'cwd': words([os.getcwd()])[0], 'exe': ''}
    path = '/run/install-service-probe/%d.json' % os.getpid()
    with open(path + '.unfinished', 'w') as file:
        json.dump(record, file)
    os.rename(path + '.unfinished', path)
    time.sleep(1000)
";

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn every_byte_arrives_in_python() {
    let folder = PathBuf::from("/srv/exact-python");
    drop(fs::remove_dir_all(&folder));
    let mut any = Any::new();
    let mut cases: Vec<Case> = (1000..1030).map(|number| random(&mut any, &folder, number)).collect();
    for Case { service, .. } in &mut cases {
        fs::write(Path::new(os(service.working_directory.as_ref().unwrap())).join("recorder.py"), RECORDER).unwrap();
        service.executable = None;
        service.python = Some("recorder:main".into());
        let Arguments::List(arguments) = &mut service.arguments else { unreachable!("made above") };
        arguments.extend((0..10).map(|_| any.of(corpus::text()).into()));
        // `$NAME` refers to a variable, `$$NAME` is the text `$NAME`.
        for word in arguments.iter_mut() {
            *word = Text::from_bytes([if refers(word) { &b"$"[..] } else { b"" }, word.as_bytes()].concat());
        }
    }
    let _cleared = Cleared(cases.iter().map(|case| case.service.name.clone().unwrap()).collect());
    install(Test::install(), &cases).arg("--start").run();

    let mut compared = 0;
    for Case { service, .. } in &cases {
        let name = service.name.as_deref().unwrap();
        let pid = system("systemctl", &["show", "--value", "--property=MainPID", name]);
        let received = probe::Received::by(pid.trim_end().parse().unwrap());
        let Arguments::List(arguments) = &service.arguments else { unreachable!("made above") };
        let typed = |word: &Text| os(word).as_bytes()[usize::from(refers(word))..].to_vec();
        let expected: Vec<OsString> = arguments.iter().map(|word| OsString::from_vec(typed(word))).collect();
        assert_eq!(received.argv, expected, "{name}");
        for (variable, value) in &service.environment {
            assert_eq!(received.variable(variable), Some(os(value)), "{name}: {variable}");
        }
        compared += expected.len() + service.environment.len();
    }
    println!("{compared} values compared");
}

/// Whether a Python spec takes `word` for a reference, or for one with a `$` in front of it.
fn refers(word: &Text) -> bool {
    let name = |word: &str| word.strip_prefix('$').map(|rest| rest.trim_start_matches('$').to_owned());
    word.as_str().and_then(name).is_some_and(|name| {
        !name.starts_with(|c: char| c.is_ascii_digit())
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    })
}
