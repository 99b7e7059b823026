//! Rendered units as systemd itself reads them, without one that runs: `systemd-analyze verify`
//! prints what its own parser made of a unit.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use install_service::managers::systemd::verify::{Said, verify};
use install_service::model::artifact::Artifact;
use install_service::model::name::EnvName;
use install_service::model::place::{CREDENTIAL, Place};
use install_service::model::spec::{Argument, Hardening, Run, Scope, SecretStore, ServiceSpec};
use install_service::model::systemd_table::{
    Grammar, KnownDirective, Section, Takes, directives, directives_of_timers,
};
use install_service::model::systemd_version::SystemdVersion;
use install_service::model::text::Text;
use install_service::render::{escape, systemd};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::corpus;
use crate::support::Test;

const UNITS: usize = 3000;

fn text(path: &Path) -> Text {
    Text::from_bytes(path.as_os_str().as_bytes())
}

/// A service to verify, with what systemd has to make of it.
struct Case {
    unit: String,
    argv: Vec<Text>,
    lines: Vec<String>,
}

impl Case {
    /// Renders the spec as a unit of its own below `folder`, where its program exists.
    fn new(number: usize, mut spec: ServiceSpec, folder: &Path) -> Option<Self> {
        let version = [239, 241, 242, 252][number % 4];
        let place = Place { unit_dir: text(folder), state_dir: text(&folder.join("st ate%")), home: None };
        spec.systemd = version.into();
        spec.name = format!("s{number}").parse().unwrap();
        if let Run::Executable { path, .. } = &mut spec.run {
            let programs = folder.join(number.to_string());
            fs::create_dir(&programs).unwrap();
            let name = path.as_str().unwrap()[5..].replace('/', "_");
            let program = programs.join(if name.trim_matches('.').is_empty() { "x" } else { &name });
            fs::write(&program, "").unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
            *path = text(&program);
        }
        let files = systemd::artifacts(&spec, &place).ok()?;
        fs::write(folder.join(format!("s{number}.service")), &files[0].contents).unwrap();
        let launched = files.iter().any(|file| file.path == place.launcher(&spec.name));
        let argv = match &spec.run {
            _ if launched => vec!["/bin/sh".into(), place.launcher(&spec.name)],
            Run::Python { interpreter, .. } => vec![interpreter.clone(), place.python_script(&spec.name)],
            Run::Executable { path, arguments } => argv(path, arguments, version),
            Run::Commands { .. } => unreachable!("the corpus has none"),
        };
        let mut lines = vec![format!("Description: {}", described(&spec))];
        if !launched {
            let mut directory = spec.working_directory.as_str().unwrap().to_owned();
            while directory.contains("//") || directory.contains("/./") {
                directory = directory.replace("//", "/").replace("/./", "/");
            }
            let directory = directory.strip_suffix("/.").unwrap_or(&directory).trim_end_matches('/');
            lines.push(format!("\tWorkingDirectory: {directory}\n"));
            for (name, value) in &spec.environment {
                lines.push(format!("\tEnvironment: {name}={}\n", value.as_str().unwrap()));
            }
        }
        Some(Self { unit: format!("s{number}.service"), argv, lines })
    }
}

/// A unit without a description is described by its name.
fn described(spec: &ServiceSpec) -> String {
    let description = spec.description.as_str().trim_matches([' ', '\t']);
    if description.is_empty() { spec.name.unit() } else { description.to_owned() }
}

/// The words that systemd keeps until the start: with `$` doubled where it is going to expand them,
/// and with `${NAME}` as it stands.
fn argv(path: &Text, arguments: &[Argument], version: u32) -> Vec<Text> {
    let expanded = version < 242 || arguments.iter().any(|argument| matches!(argument, Argument::Reference { .. }));
    let word = |text: &Text| match expanded {
        true => Text::from(text.as_str().unwrap().replace('$', "$$")),
        false => text.clone(),
    };
    let words = arguments.iter().map(|argument| match argument {
        Argument::Literal(text) => word(text),
        Argument::Reference { before, variable } => word(before).with(&format!("${{{variable}}}")),
    });
    let own_name = expanded && path.as_str().unwrap().contains('$');
    std::iter::once(if own_name { word(path) } else { path.clone() }).chain(words).collect()
}

/// Reads the line that systemd prints for a command: words in C escapes, in `"` where needed.
fn printed_words(line: &str) -> Vec<Text> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), Vec::new(), false, false);
    let mut bytes = line.bytes();
    while let Some(byte) = bytes.next() {
        any |= byte != b' ' || quoted;
        match byte {
            b'"' => quoted = !quoted,
            b' ' if !quoted => {
                words.push(Text::from_bytes(std::mem::take(&mut word)));
                any = false;
            }
            b'\\' if quoted => match bytes.next().unwrap() {
                b'a' => word.push(7),
                b'b' => word.push(8),
                b't' => word.push(9),
                b'n' => word.push(10),
                b'v' => word.push(11),
                b'f' => word.push(12),
                b'r' => word.push(13),
                digit @ b'0'..=b'3' => {
                    let digits = [digit, bytes.next().unwrap(), bytes.next().unwrap()];
                    word.push(digits.iter().fold(0, |sum, digit| sum << 3 | (digit - b'0')));
                }
                other => word.push(other),
            },
            _ => word.push(byte),
        }
    }
    if any {
        words.push(Text::from_bytes(word));
    }
    words
}

#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn systemd_reads_every_unit_as_it_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let mut runner = TestRunner::deterministic();
    let specs = corpus::spec();
    let cases: Vec<Case> = (0..UNITS)
        .filter_map(|number| Case::new(number, specs.new_tree(&mut runner).unwrap().current(), folder.path()))
        .collect();
    assert!(cases.len() > UNITS / 2, "only {} of {UNITS} could be rendered", cases.len());
    let units = cases.iter().map(|case| format!("./{}", case.unit));
    let output = Command::new("systemd-analyze")
        .args(["verify", "--man=no", "--recursive-errors=no"])
        .args(units)
        .current_dir(folder.path())
        .env("SYSTEMD_LOG_LEVEL", "debug")
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr)
        .lines()
        .filter(|line| line.contains(".service:") && !line.contains("job"))
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let printed = String::from_utf8(output.stdout).unwrap();
    let read: HashMap<&str, &str> =
        printed.split("-> Unit ").skip(1).filter_map(|part| part.split_once(":\n")).collect();
    let mut direct = 0;
    for case in &cases {
        let Some(part) = read.get(case.unit.as_str()) else {
            panic!("{} did not load:\n{}", case.unit, complaints.join("\n"))
        };
        let (_, command) = part.split_once("-> ExecStart:\n\t\t\tCommand Line: ").unwrap();
        let (command, _) = command.split_once("\n\t\t-> ExecStop").unwrap();
        assert_eq!(printed_words(command), case.argv, "{}", case.unit);
        direct += usize::from(case.argv[0].as_bytes() != b"/bin/sh");
        for line in &case.lines {
            assert!(part.contains(line), "{} lacks {line:?}:\n{part}", case.unit);
        }
    }
    assert!(output.status.success(), "{}", complaints.join("\n"));
    assert!(direct > cases.len() / 4, "only {direct} of {} without a launcher", cases.len());
}

#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn the_profiles_have_their_exposure() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place { unit_dir: text(folder.path()), state_dir: "/var/lib/install-service".into(), home: None };
    let mut runner = TestRunner::deterministic();
    let mut spec = corpus::spec().new_tree(&mut runner).unwrap().current();
    spec.run = Run::Executable { path: "/bin/true".into(), arguments: Vec::new() };
    spec.working_directory = "/srv".into();
    spec.environment.clear();
    spec.writes.clear();
    for (hardening, account, wanted) in [
        (Hardening::None, None, 9.6),
        (Hardening::None, Some("www"), 9.2),
        // With what lets root become another user; 6.9 without.
        (Hardening::Baseline, None, 7.1),
        (Hardening::Baseline, Some("www"), 6.7),
        (Hardening::Service, Some("www"), 2.4),
        (Hardening::Strict, Some("www"), 1.8),
    ] {
        spec.hardening = hardening;
        spec.account = account.map(Into::into);
        let unit = folder.path().join("web.service");
        fs::write(&unit, &systemd::artifacts(&spec, &place).unwrap()[0].contents).unwrap();
        let mut analyze = Command::new("systemd-analyze");
        analyze.args(["security", "--offline=yes", "--no-pager", "--threshold=100"]).arg(&unit);
        let output = analyze.env("LC_ALL", "C.UTF-8").output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let score = printed
            .split("Overall exposure level for web.service: ")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        let score = score.unwrap_or_else(|| panic!("no score in {printed}{}", String::from_utf8_lossy(&output.stderr)));
        assert!((score - wanted).abs() <= 0.1 + f64::EPSILON, "{hardening:?} {account:?}: {score}, not {wanted}");
    }
}

#[test]
#[ignore = "needs dash and bash: tests/run"]
fn a_launcher_gives_the_program_what_it_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place { unit_dir: text(folder.path()), state_dir: text(folder.path()), home: None };
    let mut runner = TestRunner::deterministic();
    let (specs, raw) = (corpus::spec(), corpus::bytes());
    for number in 0..60 {
        let mut spec = specs.new_tree(&mut runner).unwrap().current();
        let directory = folder.path().join(format!("{number}\n'"));
        fs::create_dir(&directory).unwrap();
        spec.working_directory = text(&directory);
        spec.hardening = Hardening::None;
        spec.secrets_in = SecretStore::File;
        let environment = spec.environment.clone();
        let wanted: Vec<Text> = (0..20).map(|_| raw.new_tree(&mut runner).unwrap().current()).collect();
        let mut run = |program: &str, arguments: Vec<Text>, shell: &str| {
            let arguments = arguments.into_iter().map(Argument::Literal).collect();
            spec.run = Run::Executable { path: program.into(), arguments };
            let files = systemd::artifacts(&spec, &place).unwrap();
            let launcher = folder.path().join("launch.sh");
            let is_it = |file: &&Artifact| file.path.as_bytes().ends_with(b"_launch.sh");
            fs::write(&launcher, &files.iter().find(is_it).expect("a launcher").contents).unwrap();
            let output = Command::new(shell).arg(&launcher).env_clear().env("LANG", "C.UTF-8").output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout.split(|byte| *byte == 0).map(Text::from_bytes).collect::<Vec<_>>()
        };
        for shell in ["dash", "bash"] {
            let arguments = std::iter::once("%s\\0".into()).chain(wanted.iter().cloned()).collect();
            let mut printed = run("/usr/bin/printf", arguments, shell);
            assert_eq!(printed.pop(), Some("".into()));
            assert_eq!(printed, wanted);
            let mut variables = run("/usr/bin/env", vec!["-0".into()], shell);
            variables.retain(|variable| !variable.is_empty() && variable.as_bytes() != b"LANG=C.UTF-8");
            let unit_says = |name: &str| matches!(name, "A" | "LANG" | "PATH" | "LD_LIBRARY_PATH");
            for variable in variables {
                let name = variable.to_string().split('=').next().unwrap().to_owned();
                let value = environment.get(&name.parse::<EnvName>().unwrap());
                let value = value.unwrap_or_else(|| panic!("{shell} added {variable}"));
                assert_eq!(variable, Text::from_bytes([name.as_bytes(), b"=", value.as_bytes()].concat()));
            }
            for name in environment.keys().filter(|name| !unit_says(name.as_str())) {
                assert!(
                    run("/usr/bin/env", vec!["-0".into()], shell)
                        .iter()
                        .any(|variable| variable.as_bytes().starts_with(format!("{name}=").as_bytes()))
                );
            }
        }
    }
}

/// The number of this machine's systemd.
fn version_here() -> u32 {
    let output = Command::new("systemctl").arg("--version").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

/// Whether a version has a directive and heeds it.
fn is_there(known: &KnownDirective, version: u32) -> bool {
    known.since <= version && known.gone.is_none_or(|gone| version < gone)
}

/// It has every directive that the table has of its version, and no other one that came with a later one.
#[test]
#[ignore = "needs systemd: tests/run"]
fn the_directives_are_those_of_systemd() {
    // Old names of what the table has by its new one, and what a timer of a service has no use for.
    const LEFT_OUT: [&str; 7] = [
        "Timer.Unit",
        "Unit.BindTo",
        "Unit.OnFailureIsolate",
        "Unit.PropagateReloadFrom",
        "Unit.PropagateReloadTo",
        "Unit.RequiresOverridable",
        "Unit.RequisiteOverridable",
    ];
    let output = Command::new("/usr/lib/systemd/systemd").arg("--dump-configuration-items").output().unwrap();
    let mut section = String::new();
    let mut there = Vec::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        match line.split_once('=') {
            Some((name, _)) => there.push(format!("{section}.{name}")),
            None => section = line.trim_matches(['[', ']']).to_owned(),
        }
    }
    there.retain(|key| {
        ["Unit", "Service", "Install", "Timer"].iter().any(|section| key.starts_with(&format!("{section}.")))
    });
    assert!(there.len() > 300, "{there:?}");
    let version = version_here();
    for key in &there {
        match KnownDirective::find(key) {
            Ok(directive) => {
                assert!(is_there(&directive, version), "{key} is older, or stays longer, than the table says");
            }
            Err(refused) => {
                assert!(LEFT_OUT.contains(&key.as_str()) || refused.reason.ends_with("key of its own"), "{key}");
            }
        }
    }
    for directive in directives().chain(directives_of_timers()).filter(|directive| is_there(directive, version)) {
        let key = format!("{}.{}", directive.section.as_str(), directive.name);
        assert!(there.contains(&key), "{key} is not there, or newer than the table says");
    }
}

/// What a grammar takes, and what not.
fn examples(grammar: Grammar) -> (&'static [&'static str], &'static [&'static str]) {
    match grammar {
        Grammar::SizeAboveZero => (&["1G", "10%", "infinity"], &["0", "0%", "0G", "16E", "110%"]),
        Grammar::Size => (&["0", "1G", "512M", "1.5G", "1048576", "50%", "infinity"], &["1GB", "lots", "1,5G", "110%"]),
        Grammar::Tasks => (&["100", "0x10", "10%", "infinity"], &["many", "-1", "0", "10K"]),
        Grammar::Percent => (&["80%", "200%", "12.5%", ""], &["80", "%", "-5%", "0%"]),
        Grammar::WeightOrIdle => (&["1", "10000", "idle", ""], &["0", "heavy", "10001"]),
        Grammar::Share => (&["60%", "12.5%", "100%", ""], &["60", "101%"]),
        Grammar::Sockets => (&["a.socket b.socket", ""], &["a.service", "a"]),
        Grammar::Limit => (&["1024", "0x10", "1024:65536", "infinity"], &["many", "1:2:3", "-1", "5:3", "infinity:1"]),
        Grammar::LimitOfBytes => (&["8M", "8M:infinity", "1024"], &["8MB", "lots"]),
        Grammar::LimitOfTime => (&["10s", "5min:infinity", "7"], &["5 fortnights", "x"]),
        Grammar::Signal => (&["SIGINT", "TERM", "9", "RTMIN+3"], &["SIGNOTHING", "65", "0", "RTMIN+40"]),
        Grammar::ExitStatuses => (&["1 2 SIGKILL", "0 255", ""], &["300", "sigkill", "FOO", "5%"]),
        Grammar::Path => (&["/x", "%h/x"], &["x", "/x/../y", "/%z"]),
        Grammar::PathOrNot => (&["/etc/default/x", "-/etc/default/x"], &[".env", "-x"]),
        Grammar::Paths => (&["/a -/b", ""], &["a", "/a b"]),
        Grammar::Directories => (&["web", "web/a b", ""], &["/web", "../web", "private"]),
        Grammar::LinkedDirectories => {
            (&["web", "\"web x\" b", "web:link", ""], &["/web", "../web", "private/x", "web:/link"])
        }
        Grammar::Output => (&["journal", "null", "append:/var/log/x", "file:/x"], &["/var/log/x.log", "append:x"]),
        Grammar::Input => (&["null", "tty", "data", "file:/x"], &["/dev/null", "keyboard"]),
        Grammar::Numbers => (&["0", "0-3 8", "0,2", ""], &["one", "1-x", "3-0", "numa"]),
        Grammar::Processors => (&["0", "0-3 8", "numa", ""], &["one", "9999"]),
        Grammar::Capabilities => (&["CAP_CHOWN CAP_KILL", "~CAP_SYS_TIME", "", "~"], &[]),
        Grammar::SystemCalls => {
            (&["@system-service", "~@mount", "~write:EPERM"], &["@nothing", "a:b:c", "nothing", "~read:EFOO"])
        }
        Grammar::SystemCallNames => (&["@system-service", "~read write"], &["@nothing", "~write:EPERM"]),
        Grammar::Mounts => (&["/a /b", ""], &["a", "-/a"]),
        Grammar::Families => (&["AF_INET AF_UNIX", "~AF_PACKET", "none"], &["INET"]),
        Grammar::Device => (
            &["/dev/ttyUSB0 rw", "char-usb_device rwm", "\"/dev/null\" r", "/dev/null", ""],
            &["ttyUSB0", "/dev/null rx"],
        ),
        Grammar::Slice => (&["lab.slice"], &["lab", "lab.service"]),
        Grammar::Groups => (&["dialout video", "20", ""], &["a:b"]),
        Grammar::Variables => (&["A B_1", ""], &["1st", "A=b", "a-b"]),
        Grammar::Assignments => (&["A B_1=c", ""], &["1st", "a-b"]),
        Grammar::Filled => (&["x y", "100%%", "%n"], &["%z"]),
        Grammar::DeviceLimit => (&["/dev/null 5M", "/dev/null infinity", ""], &["/dev/null", "/dev/null x"]),
        Grammar::DeviceWeight => (&["/dev/null 100", ""], &["/dev/null", "/dev/null 0", "/dev/null 100000"]),
        Grammar::DeviceLatency => (&["/dev/null 25ms", ""], &["/dev/null", "/dev/null x"]),
        Grammar::WorkingDirectory => (&["/srv", "-/srv/a b", "~", "-~", "%h/x", ""], &["srv", "/srv/../x"]),
        Grammar::Documents => (&["https://example.org man:x(8)", "file:/x", ""], &["example.org", "man:"]),
        Grammar::Calendar => (&["daily", "Mon..Fri 08:00", ""], &["soonish"]),
        Grammar::Command => (&["/bin/true x", "-+/bin/true", "@/bin/true true", ""], &["./run", "bin/true"]),
        Grammar::ConditionPath => (&["/x", "!/x", "|!/x", ""], &["x", "!|/x"]),
        Grammar::PidFile => (&["/run/web.pid", "web.pid", ""], &["../web.pid", "/run/../web.pid"]),
        Grammar::BusName => (&["org.example.Web", "a-b.c_d"], &["", "web", "org.1st", "org..x", "a b.c"]),
        Grammar::Binds => {
            (&["/a", "/a:/b", "-/a:/b:norbind", "/a:/b /c:/d:rbind", ""], &["a", "/a:b", "/a:/b:fast", "/a b"])
        }
        Grammar::Temporary => (&["/var", "/var:ro,mode=0700 /opt", ""], &["var"]),
        Grammar::Addresses => (
            &["127.0.0.1", "10.0.0.0/8 ::1", "fe80::/10", "any", "localhost link-local multicast", ""],
            &["10.0.0", "10.0.0.0/33", "::1/129", "example.org", "10.0.0.0/x"],
        ),
        Grammar::ErrorNumber => (&["EPERM", "eacces", "1", "kill", ""], &["5000", "NO"]),
        Grammar::Credential => (&["key:/etc/key", "key", "key:other", ""], &["a/b:/etc/key", "key:a/b", ":/etc/key"]),
        Grammar::CredentialText => (&["greeting:hello", ""], &["greeting", "a/b:hello", ":hello"]),
        Grammar::BpfNames => (&["any", "BPFMapTypeHash,BPFMapTypeArray", ""], &[]),
        Grammar::Quota => (&["1G", "0", "50%", "off", ""], &["no", "infinity", "110%"]),
        Grammar::Interface => (&["eth0", "vrf-mgmt", ""], &["7", "009", "a/b", "all"]),
        Grammar::OomRules => (&["web batch", ""], &["a/b", "..", "a*"]),
        Grammar::Sessions => (&["a b", ""], &["a:b", "\"a\""]),
        Grammar::FiniteSpan => (&["90", "1h 30min", "0"], &["5 fortnights", "x"]),
        Grammar::SpanFromASecond => (&["90", "1s", ""], &["0", "999ms", "infinity", "x"]),
        Grammar::Hostname => (&["yes", "Off", "1", "t"], &["perhaps"]),
        Grammar::Group => (&["dialout", "20", ""], &["a:b", "a/b", ".."]),
    }
}

/// What the table refuses and systemd leaves out without a word, or finds out only when it starts the service.
fn silent_examples(grammar: Grammar) -> &'static [&'static str] {
    match grammar {
        Grammar::Capabilities => &["CAP_FLY", "chown"],
        Grammar::DeviceLimit => &["sda 5M"],
        // It complains of these, and does not say where.
        Grammar::BpfNames => &["any,BPFMapTypeHash", "BPFMapTypeHash BPFMapTypeArray"],
        Grammar::FiniteSpan => &["infinity"],
        _ => &[],
    }
}

/// A value of each kind that systemd takes, and ones that it does not.
fn examples_of(takes: Takes, version: u32) -> (Vec<String>, Vec<String>) {
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let words = |words: &[(&'static str, u32)]| {
        words.iter().filter(|(_, since)| *since <= version).map(|(word, _)| (*word).to_owned()).collect::<Vec<_>>()
    };
    let number = |number: i64| number.to_string();
    match takes {
        Takes::Any => (Vec::new(), Vec::new()),
        // What of it an x86-64 takes.
        Takes::Word(more) if more.iter().any(|(word, _)| *word == "s390x") => {
            (owned(&["x86", "x86-64"]), owned(&["perhaps"]))
        }
        Takes::Switch => (owned(&["yes", "Off", "1", "t"]), owned(&["perhaps"])),
        Takes::SwitchOr(more) => ([words(more), owned(&["no"])].concat(), owned(&["perhaps"])),
        Takes::Word(more) => (words(more), owned(&["perhaps"])),
        Takes::WordOrNumber(more) => {
            let there = more.iter().filter(|(_, _, since)| *since <= version);
            (
                there.flat_map(|(word, number, _)| [(*word).to_owned(), number.to_string()]).collect(),
                owned(&["perhaps"]),
            )
        }
        Takes::Number(least, most) => (vec![number(least), number(most)], vec![number(least - 1), "x".into()]),
        Takes::Span => {
            (owned(&["90", "1h 30.5min", "2 weeks", "3us", "1.5 M"]), owned(&["5 fortnights", "x", "1.2.3"]))
        }
        Takes::Mode => (owned(&["0750", "027"]), owned(&["rwx", "09"])),
        Takes::Units => (owned(&["a.service b@%n.service"]), owned(&["b"])),
        Takes::SwitchOrList(more) | Takes::List(more) => (vec![words(more).join(" ")], owned(&["perhaps"])),
        Takes::Grammar(grammar) => {
            let (taken, refused) = examples(grammar);
            (owned(taken), owned(refused))
        }
    }
}

/// The directives that most units use, of those that have no key of their own: counted in units of projects, of people
/// at home, and of Debian.
const COMMON: [&str; 169] = [
    "Unit.AssertPathExists",
    "Unit.Before",
    "Unit.BindsTo",
    "Unit.CollectMode",
    "Unit.ConditionDirectoryNotEmpty",
    "Unit.ConditionFileIsExecutable",
    "Unit.ConditionFileNotEmpty",
    "Unit.ConditionNeedsUpdate",
    "Unit.ConditionPathExists",
    "Unit.ConditionPathExistsGlob",
    "Unit.ConditionPathIsDirectory",
    "Unit.ConditionPathIsMountPoint",
    "Unit.ConditionPathIsReadWrite",
    "Unit.ConditionPathIsSymbolicLink",
    "Unit.Conflicts",
    "Unit.DefaultDependencies",
    "Unit.Documentation",
    "Unit.FailureAction",
    "Unit.JobTimeoutSec",
    "Unit.JoinsNamespaceOf",
    "Unit.OnFailure",
    "Unit.OnSuccess",
    "Unit.PartOf",
    "Unit.PropagatesReloadTo",
    "Unit.RefuseManualStart",
    "Unit.RefuseManualStop",
    "Unit.Requires",
    "Unit.RequiresMountsFor",
    "Unit.Requisite",
    "Unit.StartLimitAction",
    "Unit.StartLimitBurst",
    "Unit.StartLimitIntervalSec",
    "Unit.StopWhenUnneeded",
    "Unit.SuccessAction",
    "Unit.Wants",
    "AmbientCapabilities",
    "BindPaths",
    "BindReadOnlyPaths",
    "BusName",
    "CPUAccounting",
    "CPUAffinity",
    "CPUQuota",
    "CPUSchedulingPolicy",
    "CPUSchedulingPriority",
    "CPUWeight",
    "CacheDirectory",
    "CacheDirectoryMode",
    "CapabilityBoundingSet",
    "ConfigurationDirectory",
    "ConfigurationDirectoryMode",
    "Delegate",
    "DeviceAllow",
    "DevicePolicy",
    "DynamicUser",
    "EnvironmentFile",
    "ExecCondition",
    "ExecReload",
    "ExecStartPost",
    "ExecStartPre",
    "ExecStop",
    "ExecStopPost",
    "FileDescriptorStoreMax",
    "FinalKillSignal",
    "Group",
    "GuessMainPID",
    "IOAccounting",
    "IOSchedulingClass",
    "IOSchedulingPriority",
    "IOWeight",
    "IPAccounting",
    "IPAddressAllow",
    "IPAddressDeny",
    "IgnoreSIGPIPE",
    "InaccessiblePaths",
    "KeyringMode",
    "KillMode",
    "KillSignal",
    "LimitAS",
    "LimitCORE",
    "LimitCPU",
    "LimitDATA",
    "LimitFSIZE",
    "LimitMEMLOCK",
    "LimitNOFILE",
    "LimitNPROC",
    "LimitRTPRIO",
    "LimitSIGPENDING",
    "LimitSTACK",
    "LoadCredential",
    "LockPersonality",
    "LogLevelMax",
    "LogRateLimitBurst",
    "LogRateLimitIntervalSec",
    "LogsDirectory",
    "LogsDirectoryMode",
    "MemoryAccounting",
    "MemoryDenyWriteExecute",
    "MemoryHigh",
    "MemoryLow",
    "MemoryMax",
    "MemoryMin",
    "MemorySwapMax",
    "Nice",
    "NoNewPrivileges",
    "NotifyAccess",
    "OOMPolicy",
    "OOMScoreAdjust",
    "PIDFile",
    "PassEnvironment",
    "PermissionsStartOnly",
    "PrivateDevices",
    "PrivateIPC",
    "PrivateMounts",
    "PrivateNetwork",
    "PrivateTmp",
    "PrivateUsers",
    "ProcSubset",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "ReadOnlyPaths",
    "ReadWritePaths",
    "RemainAfterExit",
    "RemoveIPC",
    "RestartForceExitStatus",
    "RestartKillSignal",
    "RestartPreventExitStatus",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "RootDirectory",
    "RuntimeDirectory",
    "RuntimeDirectoryMode",
    "RuntimeDirectoryPreserve",
    "RuntimeMaxSec",
    "SendSIGHUP",
    "SendSIGKILL",
    "SetCredential",
    "Slice",
    "Sockets",
    "StandardError",
    "StandardInput",
    "StandardOutput",
    "StateDirectory",
    "StateDirectoryMode",
    "SuccessExitStatus",
    "SupplementaryGroups",
    "SyslogFacility",
    "SyslogLevel",
    "SystemCallArchitectures",
    "SystemCallErrorNumber",
    "SystemCallFilter",
    "TTYPath",
    "TasksMax",
    "TemporaryFileSystem",
    "TimeoutSec",
    "TimeoutStartSec",
    "TimeoutStopSec",
    "Type",
    "UMask",
    "UnsetEnvironment",
    "WatchdogSec",
];

/// Each of them is of a kind, and has values here that systemd takes, and ones that it does not.
#[test]
fn the_common_directives_have_kinds_and_examples() {
    for key in COMMON {
        let directive = KnownDirective::find(key).unwrap_or_else(|refused| panic!("{key}: {}", refused.reason));
        let (taken, mut refused) = examples_of(directive.takes, u32::MAX);
        if let Takes::Grammar(grammar) = directive.takes {
            refused.extend(silent_examples(grammar).iter().map(|value| (*value).to_owned()));
        }
        assert!(!taken.is_empty() && !refused.is_empty(), "{key}: {taken:?}, {refused:?}");
    }
}

/// It takes the values that the table takes, and complains of the others.
#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn their_values_are_those_of_systemd() {
    let version = version_here();
    let folder = tempfile::tempdir().unwrap();
    // The lines of a unit that systemd complains of.
    let complaints = |lines: &[(Section, String)]| -> Vec<String> {
        let mut unit = String::new();
        for section in [Section::Unit, Section::Service] {
            unit += &format!("[{}]\n", section.as_str());
            unit += if section == Section::Service { "ExecStart=/bin/true\n" } else { "" };
            unit +=
                &lines.iter().filter(|line| line.0 == section).map(|line| line.1.clone() + "\n").collect::<String>();
        }
        let path = folder.path().join("probe.service");
        fs::write(&path, &unit).unwrap();
        let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let numbers =
            said.lines().filter_map(|line| line.split_once("probe.service:")?.1.split_once(':')?.0.parse().ok());
        numbers.map(|number: usize| unit.lines().nth(number - 1).unwrap().to_owned()).collect()
    };
    let (mut good, mut bad, mut silent) = (Vec::new(), Vec::new(), Vec::new());
    for directive in
        directives().filter(|directive| is_there(directive, version) && directive.section != Section::Install)
    {
        let (taken, refused) = examples_of(directive.takes, version);
        if let Takes::Grammar(grammar) = directive.takes {
            for value in silent_examples(grammar) {
                assert!(directive.with(value).is_err(), "{}={value}", directive.name);
                silent.push((directive.section, format!("{}={value}", directive.name)));
            }
        }
        for (values, lines, is_taken) in [(taken, &mut good, true), (refused, &mut bad, false)] {
            for value in values {
                let checked = directive.with(&value).map(|directive| directive.since());
                assert_eq!(checked.is_ok(), is_taken, "{}={value}: {checked:?}", directive.name);
                lines.push((directive.section, format!("{}={value}", directive.name)));
            }
        }
    }
    assert!(good.len() > 250 && bad.len() > 100, "{} {}", good.len(), bad.len());
    // It reads these, and warns of what they mean, or that they are old.
    let is_old = |line: &String| line.starts_with("MemoryLimit=") || line.starts_with("BlockIO");
    let is_heard = |line: &String| line != "KillMode=none" && !is_old(line);
    let of_good: Vec<String> = complaints(&good).into_iter().filter(is_heard).collect();
    assert_eq!(of_good, [""; 0]);
    assert_eq!(complaints(&silent), [""; 0], "move these to the examples");
    // After some of them it reads no further: those that it did not come to have a second turn, by themselves.
    let found: Vec<String> = bad.chunks(20).flat_map(complaints).collect();
    let rest: Vec<_> = bad.iter().filter(|(_, line)| !found.contains(line)).collect();
    let unheard: Vec<_> = rest.into_iter().filter(|line| complaints(&[(*line).clone()]).is_empty()).collect();
    // Which it leaves out without a word.
    let unheard: Vec<_> = unheard.into_iter().filter(|(_, line)| line != "SecureBits=perhaps").collect();
    assert!(unheard.is_empty(), "systemd takes {unheard:?}");
}

/// What somebody may write for any directive, whatever that takes.
const ANYTHING: &str = "0|00|1|2|3|4|7|8|9|-1|-20|19|20|+5|010|0x10|0b11|0o17|1e3|.5|5.|1.5|99|100|255|256|1000|4096|10000|10001|65535|65536|\
    262144|4294967295|4294967296|18446744073709551615|18446744073709551616|0K|10K|10k|1KB|1KiB|1M|1.5G|1G 512M|1 G|0G|8E|16E|32E|infinity|Infinity|\
    max|unlimited|0%|0.5%|1%|12.34%|12.345%|50%|50 %|99.99%|100%|100.01%|101%|200%|1000%|100000%|5‰|-5%|0s|5|5s|-5s|5 s|1d|2h30m|1y|1min 30s|90sec|5min20|\
    1month|5us|5ns|3 fortnights|1:2|1:2:3|:1|1:|infinity:1|1:infinity|5:3|8M:16M|yes|YES|Yes|y|no|on|Off|true|false|T|F|perhaps|auto|none|all|strict|full|tmpfs|\
    /|//|/a|/a/|/a/../b|/a//b|/a b|/é|/a\\x20b|\"/a b\"|'/a'|-/a|+/a|-+/a|+-/a|!/a|!!/a|:/a|@/a|~/a|~|~/|-~|/a:/b|/a:b|a:/b|/a:/b:ro|/a:ro|-/a:/b|a|a b|\
    a,b|a/b|../a|./a|.|..|%h|%h/a|/%i/a|%z|%%|100%%|%|$HOME|${A}|$$|a=b|A=b|A|a-b|a.b|a_b|a@b|a@|@a|a;b|;|#a|\"|'|\"a|\\x41|é|日本|\
    a.service|a@.service|a@b.service|a.socket|a.slice|a-b.slice|-.slice|-a.slice|a--b.slice|a.target|a.mount|a..service|a b.service|a.b|.service|\
    SIGTERM|sigterm|TERM|SIG15|SIGRTMIN|RTMIN+3|RTMIN-1|RTMAX-1|RTMIN+40|SIGKILL SIGTERM|SIGFOO|0 1 2|1 SIGTERM|TEMPFAIL|tempfail|NOTINSTALLED|FOO|300|\
    CAP_CHOWN|cap_chown|CHOWN|CAP_CHOWN CAP_KILL|CAP_CHOWN,CAP_KILL|~CAP_CHOWN|AF_INET|af_inet|AF_INET AF_UNIX|~AF_INET|AF_FOO|INET|\
    read|read write|~read|@mount|~@mount|@mount:EPERM|~@mount:EPERM|~read:kill|~read:1|~read:0|~read:4095|~read:4096|~read:EFOO|@foo|foo|READ|EPERM|eperm|kill|\
    0-3|0,2|3-0|0 1,2|0-|-3|numa|1-2-3|8191|8192|9999|/dev/null|/dev/null rw|/dev/null rwm|/dev/null r w|/dev/null x|\"/dev/null\" rw|/dev/a*|char-tty|char-*|block-*|char-|\
    /dev|/proc/x|/dev/null 5M|/dev/null 100|/dev/null 0|/dev/null 1s|/dev/null infinity|journal|kmsg|syslog|inherit|tty|null|socket|data|fd|fd:a|fd:|file:/a|file:a|append:/a|append:a|truncate:/a|journal+console|file:%h/a|\
    http://a|https://a.b/c d|file:/a|file:a|man:a(8)|man:|info:a|ftp://a|org.a.B|org.1a|org|127.0.0.1|10.0.0.0/8|10.0.0.0/33|::1|::1/129|any|localhost|[::1]|1.2.3|\
    a:b|a:/b|a:b:c|a b:/c|a:%h/b|0750|750|7777|10000|0o750|u=rwx|009|rwx|27|root|0|1000|a b c|-a|a-|_a|$a|1a|user:group|\
    x86-64|x86_64|X86|amd64|arm64|native|linux|kern|daemon|local0|LOCAL0|local8|info|INFO|emerg|error|warn|other|fifo|rr|realtime|best-effort|idle|batch|normal|\
    simple|forking|oneshot|dbus|notify|process|mixed|control-group|on-failure|always|keep-caps|noroot|keep-caps noroot|noroot foo|cgroup|ipc net|~ipc|ipc foo|\
    default|bind|private|slave|shared|stop|continue|reboot|exit|force|pid|ptraceable|invisible|terminate|abort|main|exec|cpu|cpu memory|cpu foo|closed|cgroup foo|\
    daily|Mon..Fri 08:00|*:0/15|soonish|25:00|2026-02-30";

/// What the table refuses of it though systemd says nothing: what that leaves out without a word, and numbers in the place
/// of a word that nobody has a use for.
fn is_refused_for_the_user(directive: &str, value: &str) -> bool {
    const SILENT: [&str; 4] = ["AmbientCapabilities", "CapabilityBoundingSet", "SecureBits", "RestrictAddressFamilies"];
    const BY_NUMBER: [&str; 5] =
        ["CPUSchedulingPolicy", "IOSchedulingClass", "LogLevelMax", "SyslogFacility", "SyslogLevel"];
    let is_number = value.starts_with(|c: char| c.is_ascii_digit() || c == '+');
    SILENT.contains(&directive)
        || directive.starts_with("BPFDelegate")
        || directive.ends_with("Quota") && value == "18446744073709551615"
        || directive == "LUOSession" && value.contains('\\')
        // These it complains of without their line.
        || ["OOMRules=%z", "RestartRandomizedDelaySec=infinity"].contains(&&*format!("{directive}={value}"))
        || is_number && BY_NUMBER.contains(&directive)
        // A plus in front of a time or a size.
        || value == "+5"
        // Quotes of which the second is missing, a colon with nothing on one side, or more than it reads.
        || ["\"", "'", "\"a", ":1", "1:", "::1", "::1/129", "[::1]", "1:2:3", "a:b:c", "fd:", "man:"].contains(&value)
        // A path that is not absolute.
        || directive.starts_with("IO") && ["1G 512M", "1min 30s", "0 1 2"].contains(&value)
        || ["-a.slice", "a--b.slice", "char-", "/dev", "4294967295", "cpu foo"].contains(&value)
}

/// Whatever it is given, the table takes what systemd takes, and refuses what it complains of.
#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn anything_is_read_as_systemd_reads_it() {
    let version = version_here();
    let folder = tempfile::tempdir().unwrap();
    let values: Vec<String> = ANYTHING.split('|').map(|value| value.trim().to_owned()).collect();
    let known = directives()
        .filter(|known| is_there(known, version) && known.section != Section::Install && known.takes != Takes::Any);
    let directives: Vec<KnownDirective> = known.collect();
    let unit_of = |section: Section, lines: &[String]| {
        let lines = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        match section {
            Section::Unit => format!("[Service]\nExecStart=/bin/true\n[Unit]\n{lines}"),
            _ => format!("[Unit]\n[Service]\nExecStart=/bin/true\n{lines}"),
        }
    };
    // The units and the lines of those that systemd complains of; the first line that was given is the fourth.
    let complaints = |units: &[(String, String)]| -> HashSet<(String, usize)> {
        for (name, unit) in units {
            fs::write(folder.path().join(name), unit).unwrap();
        }
        let mut analyze = Command::new("systemd-analyze");
        analyze.args(["verify", "--man=no"]).args(units.iter().map(|(name, _)| folder.path().join(name)));
        let said = String::from_utf8_lossy(&analyze.output().unwrap().stderr).into_owned();
        let place = |line: &str| {
            let (path, rest) = line.split_once(".service:")?;
            let number: usize = rest.split_once(':')?.0.parse().ok()?;
            Some((format!("{}.service", path.rsplit('/').next()?), number - 4))
        };
        said.lines().filter_map(place).collect()
    };
    let lines: Vec<Vec<String>> = directives
        .iter()
        .map(|directive| values.iter().map(|value| format!("{}={value}", directive.name)).collect())
        .collect();
    let all = directives.iter().zip(&lines).enumerate();
    let all: Vec<_> =
        all.map(|(at, (known, lines))| (format!("u{at}.service"), unit_of(known.section, lines))).collect();
    let refused: HashSet<(String, usize)> = all.chunks(50).flat_map(complaints).collect();
    assert!(refused.len() > 10_000, "systemd complained of {} lines", refused.len());
    let (mut misread, mut unheard) = (Vec::new(), Vec::new());
    for (at, directive) in directives.iter().enumerate() {
        for (number, value) in values.iter().enumerate() {
            let line = &lines[at][number];
            let ours = directive.with(value).map(|directive| directive.since());
            // It has a warning for these, though it reads them.
            let is_old = directive.name == "MemoryLimit"
                || directive.name.starts_with("BlockIO")
                || ["KillMode=none", "StandardOutput=syslog", "StandardError=syslog"].contains(&&**line);
            // What these stand for is known on the host alone.
            let is_of_the_host = value.contains("%h") || value.contains("%i") || line == "Personality=arm64";
            // A name that an earlier line has, too.
            let is_said_twice = directive.name == "LUOSession";
            match (refused.contains(&(format!("u{at}.service"), number)), ours) {
                (true, Ok(since)) if since <= version && !is_old && !is_of_the_host && !is_said_twice => {
                    misread.push(format!("systemd refuses {line}"));
                }
                (false, Err(_)) if !is_refused_for_the_user(directive.name, value) => {
                    unheard.push((directive.section, line.clone()));
                }
                _ => {}
            }
        }
    }
    // After some of them it reads no further: those that it did not come to have a second turn, by themselves.
    let alone = unheard.iter().enumerate();
    let alone: Vec<_> = alone
        .map(|(at, (section, line))| (format!("v{at}.service"), unit_of(*section, std::slice::from_ref(line))))
        .collect();
    let heard: HashSet<(String, usize)> = alone.chunks(100).flat_map(complaints).collect();
    for (at, (_, line)) in unheard.iter().enumerate() {
        if !heard.contains(&(format!("v{at}.service"), 0)) {
            misread.push(format!("systemd takes {line}"));
        }
    }
    assert!(misread.is_empty(), "{}\n{}", misread.len(), misread.join("\n"));
}

/// What it says of a value that it cannot read is understood as that, and what it takes is no fault: one unit for each.
#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn what_it_says_of_a_unit_is_understood() {
    let version = version_here();
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let known = directives().filter(|known| is_there(known, version) && known.section != Section::Install);
    for directive in known.filter(|known| known.name != "SecureBits") {
        let (taken, refused) = examples_of(directive.takes, version);
        let unit = |value: &String| {
            let line = format!("{}={value}", directive.name);
            let (unit, service) = if directive.section == Section::Unit { (&*line, "") } else { ("", &*line) };
            format!("[Unit]\n{unit}\n[Service]\nExecStart=/bin/true\n{service}\n")
        };
        good.extend(taken.iter().map(unit));
        bad.extend(refused.iter().map(unit));
    }
    // What nobody but systemd reads.
    for line in ["Personality=x", "LogNamespace=a/b", "CoredumpFilter=x", "StandardInputData=$", "SyslogIdentifier=%z"]
    {
        bad.push(format!("[Service]\nExecStart=/bin/true\n{line}\n"));
    }
    let needs_another = ["Type=dbus", "USBFunction", "RuntimeRandomizedExtraSec", "RestartSteps", "RestartMaxDelaySec"];
    let mut misread = Vec::new();
    for (units, has_faults) in [(good, false), (bad, true)] {
        for units in units.chunks(100) {
            let named = units.iter().enumerate().map(|(at, unit)| (format!("u{at}.service"), unit.as_bytes().into()));
            let named: Vec<(String, Rc<[u8]>)> = named.collect();
            let faults: Vec<String> = verify(&named, Scope::System)
                .unwrap()
                .iter()
                .filter_map(Said::fault)
                .map(|it| it.to_string())
                .collect();
            for (at, unit) in units.iter().enumerate() {
                let of_it: Vec<_> = faults.iter().filter(|fault| fault.contains(&format!("`u{at}.service`"))).collect();
                if of_it.is_empty() == has_faults && !needs_another.iter().any(|name| unit.contains(name)) {
                    misread.push(format!("{unit}{of_it:?}"));
                }
            }
        }
    }
    assert!(misread.is_empty(), "{}", misread.join("\n"));
}

/// What no version takes.
const NEVER: u32 = u32::MAX;

/// Lines that systemd does not take together, with the version that has them all, and the one that takes them.
const PAIRS: [(u32, u32, &[&str]); 12] = [
    (0, NEVER, &["Type=dbus"]),
    (0, 256, &["Type=oneshot", "RestartForceExitStatus=3"]),
    (229, NEVER, &["Type=oneshot", "RuntimeMaxSec=1h"]),
    (250, NEVER, &["Type=oneshot", "ExitType=cgroup"]),
    (0, NEVER, &["PAMName=login", "KillMode=process"]),
    (0, NEVER, &["PAMName=login", "KillMode=none"]),
    (250, NEVER, &["RuntimeRandomizedExtraSec=1h"]),
    (227, NEVER, &["USBFunctionDescriptors=/x"]),
    (227, NEVER, &["USBFunctionStrings=/x"]),
    (254, NEVER, &["RestartSteps=3"]),
    (254, NEVER, &["RestartMaxDelaySec=1h"]),
    (234, NEVER, &["Unit.JobTimeoutSec=3", "Unit.JobRunningTimeoutSec=5"]),
];

/// Each of them is refused, and by systemd, too; of two lines the first alone is not.
#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn the_pairs_that_are_refused_are_those_of_systemd() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("web.service");
    let complains = |lines: &[&str]| {
        let (unit, service): (Vec<&str>, Vec<&str>) = lines.iter().partition(|line| line.starts_with("Unit."));
        let unit = unit.join("\n").replace("Unit.", "");
        fs::write(&path, format!("[Unit]\n{unit}\n[Service]\nExecStart=/bin/true\n{}\n", service.join("\n"))).unwrap();
        let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&path).output().unwrap();
        String::from_utf8_lossy(&output.stderr).contains("web.service: ")
    };
    for (since, until, lines) in PAIRS {
        let test = |assumed: &[&str]| {
            let test = Test::install().args(["--dry-run", "--service_name", "web", "--restart", "never"]).args(assumed);
            test.args(lines.iter().flat_map(|line| ["--property", line])).args(["--", "/bin/true"])
        };
        let before = format!("systemd={}", until - 1);
        let (refused, taken) = match until {
            NEVER => (test(&[]), None),
            _ => (test(&["--assume", &before]), Some(test(&[]))),
        };
        refused.status(2).stderr_contains("error: systemd directive").run();
        taken.map(Test::run);
        if since <= version_here() {
            assert_eq!(complains(lines), version_here() < until, "{lines:?}");
        }
        assert!(lines.len() < 2 || !complains(&lines[..1]), "{lines:?}");
    }
}

/// What systemd hands over as a credential, a launcher reads with its shell: the same values as systemd
/// itself would read from the file.
#[test]
#[ignore = "needs dash and bash: tests/run"]
fn a_shell_reads_secrets_as_systemd_does() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place { unit_dir: "/etc/systemd/system".into(), state_dir: "/var/lib/x".into(), home: None };
    let mut runner = TestRunner::deterministic();
    let texts = (0..300).map(|_| corpus::text().new_tree(&mut runner).unwrap().current());
    let texts = corpus::NASTY.iter().map(|text| (*text).to_owned()).chain(texts).filter(|text| !text.contains('\0'));
    let secrets: Vec<(EnvName, Text)> = texts
        .filter(|text| text.len() < 1000)
        .enumerate()
        .map(|(index, text)| (format!("S{index}").parse().unwrap(), Text::from(text)))
        .filter(|(_, text)| escape::EnvFileValue::new(text, SystemdVersion::USUAL).is_ok())
        .collect();
    let file = systemd::environment_file(
        &"web".parse().unwrap(),
        &place,
        SecretStore::Credential,
        SystemdVersion::USUAL,
        &secrets,
    )
    .unwrap();
    fs::write(folder.path().join(CREDENTIAL), &file.contents).unwrap();
    for shell in ["dash", "bash"] {
        // As in a launcher.
        let script =
            format!("set -a\n. \"$CREDENTIALS_DIRECTORY/{CREDENTIAL}\" || exit 243\nset +a\nexec /usr/bin/env -0");
        let output = Command::new(shell)
            .args(["-c", &script])
            .env_clear()
            .env("CREDENTIALS_DIRECTORY", folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{shell}: {}", String::from_utf8_lossy(&output.stderr));
        let given: HashMap<&[u8], &[u8]> = output
            .stdout
            .split(|byte| *byte == 0)
            .filter_map(|line| {
                let at = line.iter().position(|byte| *byte == b'=')?;
                Some((&line[..at], &line[at + 1..]))
            })
            .collect();
        for (name, value) in &secrets {
            assert_eq!(given.get(name.as_str().as_bytes()), Some(&value.as_bytes()), "{shell}: {name}");
        }
    }
    assert!(secrets.len() > 200, "{}", secrets.len());
}
