//! What reads the files and answers of others, with inputs that nobody would write: no panic, no hang,
//! and nothing lost of what was taken.
//!
//! `INSTALLSERVICE_FUZZ_SECONDS` is the time for each target (a short one by default). Inputs are made
//! from the corpus in `fixtures/fuzz/TARGET`, from the fixtures beside it and from the words of each
//! grammar; one with an outcome that was not seen before joins them. An input that fails is written
//! into the corpus, where every later run begins with it, and so are, made as short as they can be,
//! some of those that had an outcome of their own in a long run.

use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use install_service::catalog::{Catalog, config_file, discover};
use install_service::executor::journal::Record;
use install_service::host::facts::Elsewhere;
use install_service::host::process::Outcome;
use install_service::import::procfile::{self, Procfile};
use install_service::import::{self, About, Taken, Unit, UnitFile, pm2};
use install_service::managers::{nssm, systemd as systemctl};
use install_service::manifest::{self, Manifest};
use install_service::model::calendar::Calendar;
use install_service::model::environment_file;
use install_service::model::name::{EnvName, OneLine, ServiceName};
use install_service::model::place::Place;
use install_service::model::span::Span;
use install_service::model::spec::Target;
use install_service::model::systemd_version::SystemdVersion;
use install_service::model::text::Text;
use install_service::render::escape::*;
use install_service::render::systemd;
use install_service::validate;

use crate::corpus;
use crate::grammar;

/// The longest that one input may take, also where the machine has much else to do.
const HANG: Duration = Duration::from_secs(120);
/// The longest that one is made shorter.
const SHORTEN: Duration = Duration::from_secs(2);
/// The longest input.
const LONGEST: usize = 64 * 1024;
/// Seconds from which on a run is a long one, and the files to which it fills each corpus.
const LONG: f64 = 60.0;
const KEPT: usize = 60;

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }

    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

fn seconds() -> f64 {
    std::env::var("INSTALLSERVICE_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(0.7)
}

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fuzz").join(target)
}

/// Files of the repository that are inputs of this target, too.
fn seeds(below: &str, ends: &str) -> Vec<Vec<u8>> {
    fn visit(folder: &Path, ends: &str, found: &mut Vec<Vec<u8>>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                visit(&path, ends, found);
            } else if path.to_string_lossy().ends_with(ends) {
                found.extend(fs::read(&path).ok().filter(|contents| contents.len() < LONGEST));
            }
        }
    }
    let mut found = Vec::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join(below), ends, &mut found);
    found
}

/// Changes an input a little, or much.
fn mutated(dice: &mut Dice, inputs: &[Vec<u8>], words: &[&[u8]]) -> Vec<u8> {
    let mut input = dice.pick(inputs).clone();
    for _ in 0..=dice.below(6) {
        let at = dice.below(input.len() + 1);
        let end = (at + 1 + dice.below(16)).min(input.len());
        match dice.below(9) {
            0 if at < input.len() => input[at] ^= 1 << dice.below(8),
            1 if at < input.len() => input[at] = dice.below(256) as u8,
            2 => drop(input.splice(at..at, dice.pick(words).iter().copied())),
            3 => drop(input.splice(at.min(end)..end, dice.pick(words).iter().copied())),
            4 => drop(input.drain(at.min(end)..end)),
            5 => {
                let again = input[at.min(end)..end].repeat(1 + dice.below(8));
                drop(input.splice(at..at, again));
            }
            6 => {
                let other = dice.pick(inputs);
                let from = dice.below(other.len() + 1);
                let to = (from + dice.below(64)).min(other.len());
                drop(input.splice(at..at, other[from..to].iter().copied()));
            }
            7 => {
                let text = dice.pick(corpus::NASTY);
                drop(input.splice(at..at, text.bytes()));
            }
            _ => {
                let raw = dice.pick(corpus::RAW);
                drop(input.splice(at..at, raw.iter().copied()));
            }
        }
    }
    input.truncate(LONGEST);
    input
}

/// What an error says, without what it says it of: an outcome of a kind.
fn kind(said: impl std::fmt::Display) -> String {
    let said = said.to_string();
    let words = said.split([' ', '\n']).filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase()));
    words.filter(|word| word.len() > 1).take(12).collect::<Vec<_>>().join(" ")
}

/// Feeds `check` for as long as there is time. It gives the kind of the outcome, and panics if that is wrong.
fn fuzz(target: &'static str, mut inputs: Vec<Vec<u8>>, words: &[&[u8]], check: impl Fn(&[u8]) -> String) {
    let known = seeds(&format!("fixtures/fuzz/{target}"), "");
    inputs.extend(known);
    inputs.push(Vec::new());
    let current: Arc<Mutex<(Vec<u8>, Instant)>> = Arc::new(Mutex::new((Vec::new(), Instant::now())));
    let watched = Arc::clone(&current);
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_millis(500));
            let Ok(current) = watched.lock() else { return };
            // The test has ended, and took its half with it.
            if Arc::strong_count(&watched) == 1 {
                return;
            }
            if current.1.elapsed() > HANG {
                eprintln!("{target}: hangs at {}", keep(target, "hang", &current.0).display());
                std::process::abort();
            }
        }
    });
    let begun = Instant::now();
    let mut dice = Dice(begun.elapsed().subsec_nanos().into());
    dice.0 = 0x9E37_79B9_7F4A_7C15 ^ u64::from(std::process::id()) << 20 ^ dice.0 | 1;
    let (mut runs, mut outcomes, mut found) = (0_u64, HashSet::new(), Vec::new());
    let budget = Duration::from_secs_f64(seconds());
    // The corpus as it is, then changed.
    let mut known = inputs.clone().into_iter();
    while known.len() > 0 || begun.elapsed() < budget {
        let known = known.next();
        let is_known = known.is_some();
        let input = known.unwrap_or_else(|| mutated(&mut dice, &inputs, words));
        *current.lock().expect("no panic while it is held") = (input.clone(), Instant::now());
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&input)));
        runs += 1;
        match outcome {
            Ok(outcome) => {
                // Some words of an error are the input's own, so there is no end of outcomes.
                if inputs.len() < 5000 && outcomes.insert(outcome.clone()) && !is_known {
                    found.push((input.clone(), outcome));
                    inputs.push(input);
                }
            }
            Err(_) => panic!("{target}: {}", keep(target, "crash", &input).display()),
        }
    }
    println!("figures: {target}: {runs} inputs in {:.0} s", begun.elapsed().as_secs_f64());
    if seconds() >= LONG {
        let room = KEPT.saturating_sub(fs::read_dir(folder(target)).map_or(0, Iterator::count));
        for (input, outcome) in found.iter().step_by(found.len().div_ceil(room.max(1)).max(1)).take(room) {
            let short = shortened(input, |input| check(input) == *outcome);
            *current.lock().expect("no panic while it is held") = (short.clone(), Instant::now());
            keep(target, "seed", &short);
        }
    }
}

/// As much of it left out as can be while it `is_same`.
fn shortened(input: &[u8], is_same: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut input = input.to_vec();
    let begun = Instant::now();
    let mut size = input.len().div_ceil(2);
    while size > 0 && begun.elapsed() < SHORTEN {
        let mut at = 0;
        while at < input.len() && begun.elapsed() < SHORTEN {
            let without = [&input[..at], &input[(at + size).min(input.len())..]].concat();
            if is_same(&without) { input = without } else { at += size }
        }
        size /= 2;
    }
    input
}

fn keep(target: &str, what: &str, input: &[u8]) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let path = folder(target).join(format!("{what}-{:016x}", hasher.finish()));
    fs::create_dir_all(folder(target)).expect("a folder");
    fs::write(&path, input).expect("to keep it");
    path
}

const TOML: &[&[u8]] = &[
    b"[[program]]\n",
    b"[[program.argument]]\n",
    b"[[service]]\n",
    b"[defaults]\n",
    b"[service.systemd]\n",
    b"[service.nssm]\n",
    b"name = ",
    b"program = ",
    b"python = ",
    b"executable = ",
    b"arguments = ",
    b"environment = { A = ",
    b"secrets = [",
    b"kind = ",
    b"about = ",
    b"entry = ",
    b"default = ",
    b"required = true\n",
    b"choices = [",
    b"flag = ",
    b"nargs = ",
    b"count = ",
    b"\"\"\"",
    b"'''",
    b"\"",
    b"'",
    b"\\u0000",
    b"\\u000a",
    b"\\x",
    b"\n",
    b"\r\n",
    b"[",
    b"]",
    b"{",
    b"}",
    b"=",
    b".",
    b",",
    b"#",
    b"true",
    b"-9223372036854775809",
    b"1e400",
    b"nan",
    b"1979-05-27T07:32:00Z",
    b"\"/bin/true\"",
    b"\"*\"",
    b"$A",
    b"restart = ",
    b"restart_sec = ",
    b"LimitNOFILE = ",
    b"AppExit = { Default = ",
    b"assume = \"systemd=239\"\n",
    b"hardening = \"strict\"\n",
    b"user = true\n",
    b"account = ",
    b"after = [",
];

fn is_text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}

#[test]
fn catalogs() {
    let mut inputs = seeds("fixtures/catalogs", ".toml");
    inputs.extend(seeds("src/catalog", ".toml"));
    fuzz("catalog", inputs, TOML, |input| {
        let Some(text) = is_text(input) else { return String::new() };
        match Catalog::parse(text, "c") {
            Ok(_) => "a catalog".into(),
            Err(error) => {
                assert!(!error.reason.is_empty());
                kind(&error.reason)
            }
        }
    });
}

/// A unit is read, also as `systemctl cat` prints it, said again in a manifest, and that is read again.
#[test]
fn units() {
    let mut inputs = seeds("fixtures/install", ".service");
    inputs
        .push(b"# /a/x.service\n[Service]\nExecStart=/bin/x\n\n# /b/x.service.d/y.conf\n[Service]\nNice=1\n".to_vec());
    let place = Place { unit_dir: "/u".into(), state_dir: "/s".into(), home: None };
    fuzz("unit", inputs, UNIT, |input| {
        let files = import::of_cat(input).unwrap_or_else(|| vec![("x.service".into(), input)]);
        let mut files = files.into_iter().map(|(path, contents)| UnitFile::read(&path, contents));
        let own = files.next().expect("a file");
        match Unit::merged(own, files.collect()) {
            Ok(unit) => {
                let about = About { name: "x".into(), ..About::default() };
                let mut taken = Taken::of(&unit, &about);
                taken.check(&unit, None, &place);
                let text = import::document(&[(taken.clone(), "x".into())]);
                let services = Manifest::parse(&text, "m").unwrap_or_else(|error| panic!("{error}: {text}")).services();
                assert_eq!(services, [taken.request], "{text}");
                taken.losses.iter().map(|loss| kind(&loss.why)).take(2).collect()
            }
            Err(passed) => passed.why.into(),
        }
    });
}

/// A timer is read, and said again with its service, or not at all.
#[test]
fn timers() {
    let inputs = vec![
        b"[Unit]\nDescription=x\n[Timer]\nOnCalendar=daily\nPersistent=yes\nUnit=x.service\n[Install]\nWantedBy=timers.target\n"
            .to_vec(),
        b"# a\n[Timer]\nOnActiveSec=15min\nOnUnitActiveSec=15min\nOnBootSec=\nOnCalendar=Mon 08:00\nAccuracySec=1s\n".to_vec(),
    ];
    let place = Place { unit_dir: "/u".into(), state_dir: "/s".into(), home: None };
    let service = UnitFile::read("x.service", b"[Unit]\nDescription=x\n[Service]\nType=oneshot\nExecStart=/bin/x\n");
    let service = Unit::merged(service, Vec::new()).expect("a unit");
    fuzz("timer", inputs, UNIT, |input| match Unit::merged(UnitFile::of_timer("x.timer", input), Vec::new()) {
        Ok(timer) => {
            let mut taken = Taken::of(&service, &About { name: "x".into(), ..About::default() });
            if let Err(losses) = taken.add_timer(&timer, &service, None) {
                return losses.iter().map(|loss| kind(&loss.why)).take(2).collect();
            }
            assert!(
                taken.check(&service, Some(&timer), &place).is_some_and(|made| made.timer.is_some()),
                "{:?}",
                taken.losses
            );
            assert_eq!(taken.losses, [], "what is said is the same");
            let text = import::document(&[(taken.clone(), "x".into())]);
            let services = Manifest::parse(&text, "m").unwrap_or_else(|error| panic!("{error}: {text}")).services();
            assert_eq!(services, [taken.request], "{text}");
            "taken".into()
        }
        Err(passed) => passed.why.into(),
    });
}

/// What foreman and pm2 are given: no panic, and a manifest of it is one.
fn of_processes(mut taken: Vec<Taken>, left: &[String]) -> String {
    import::distinct(&mut taken);
    let services: Vec<(Taken, String)> = taken.into_iter().map(|taken| (taken.checked(), "x".into())).collect();
    let text = import::document(&services);
    let names: Vec<&String> = services.iter().filter_map(|(taken, _)| taken.request.name.as_ref()).collect();
    for name in &names {
        assert!(name.parse::<ServiceName>().is_ok(), "{name}");
    }
    let manifest = Manifest::parse(&text, "m").unwrap_or_else(|error| panic!("{error}: {text}"));
    let requests: Vec<_> = services.iter().map(|(taken, _)| taken.request.clone()).collect();
    assert_eq!(manifest.service, requests, "{text}");
    let losses = services.iter().flat_map(|(taken, _)| &taken.losses).map(|loss| kind(&loss.why)).take(2);
    format!("{}{}{}", names.len().min(5), left.len().min(3), losses.collect::<String>())
}

#[test]
fn procfiles() {
    let words: &[&[u8]] = &[
        b"web: ",
        b"worker:",
        b"\n",
        b"\0",
        b"PORT=",
        b"A='",
        b"\"",
        b"\\",
        b"exec ",
        b"&&",
        b"$PORT",
        b"#",
        b"_TOKEN=x y",
    ];
    let inputs =
        vec![b"web: bin/x -p $PORT\nw: node a.js\n\0PORT=1\nA=\"b\\n\"\n".to_vec(), b"a: b\na: c\n\0A=1\n".to_vec()];
    fuzz("procfile", inputs, words, |input| {
        // Behind a NUL it is the `.env`.
        let mut parts = input.splitn(2, |byte| *byte == 0);
        let contents = parts.next().unwrap_or_default();
        let env = parts.next().map(|env| ("/srv/.env".into(), env));
        let procfile = Procfile { file: "Procfile".into(), folder: "/srv".into(), app: "app".into(), contents, env };
        let (taken, left) = procfile::read(&procfile);
        of_processes(taken, &left)
    });
}

#[test]
fn ecosystems_of_pm2() {
    let words: &[&[u8]] = &[
        b"{\"apps\":[",
        b"\"script\":",
        b"\"name\":",
        b"\"instances\":",
        b"\"env\":{",
        b"\"args\":",
        b"\"cwd\":",
        b"}",
        b"]",
        b"\"max_memory_restart\":",
        b"\"kill_timeout\":",
        b"\"out_file\":",
        b"\"uid\":",
        b"null",
        b"1",
        b"\"a b\"",
        b",",
    ];
    let inputs = vec![
        b"{\"apps\":[{\"name\":\"api\",\"script\":\"a.js\",\"instances\":2,\"env\":{\"A\":\"{instance}\"}}]}".to_vec(),
        b"[{\"script\":\"/x\",\"args\":[\"a\",1],\"autorestart\":false,\"watch\":true,\"uid\":\"www\"}]".to_vec(),
    ];
    fuzz("pm2", inputs, words, |input| match pm2::read(input, "e.json", &"/srv".into()) {
        Ok((taken, left)) => of_processes(taken, &left),
        Err(reason) => kind(&reason),
    });
}

const UNIT: &[&[u8]] = &[
    b"[Unit]\n",
    b"[Service]\n",
    b"[Install]\n",
    b"[X-Other]\n",
    b"ExecStart=",
    b"ExecStart=/bin/x\n",
    b"Environment=",
    b"EnvironmentFile=-/",
    b"Restart=",
    b"RestartSec=",
    b"TimeoutSec=",
    b"User=",
    b"WorkingDirectory=/",
    b"Description=",
    b"After=",
    b"WantedBy=",
    b"CapabilityBoundingSet=~",
    b"ConditionPathExists=\n",
    b"\\\n",
    b"\r",
    b"\0",
    b"\xEF\xBB\xBF",
    b"#",
    b";",
    b"%%",
    b"%i",
    b"\\x41",
    b"\"",
    b"'",
    b"\n\n# /etc/systemd/system/x.service.d/a.conf\n",
];

/// A manifest is read, checked and rendered; what was taken is written again without a loss.
#[test]
fn manifests() {
    let mut inputs = seeds("fixtures/install", ".toml");
    inputs.extend(seeds("fixtures/fuzz/manifest", ""));
    let catalog = Catalog::parse(install_service::catalog::SHIPPED, "shipped").unwrap();
    fuzz("manifest", inputs, TOML, |input| {
        let Some(text) = is_text(input) else { return String::new() };
        let services = match Manifest::parse(text, "m") {
            Ok(manifest) => manifest.services(),
            Err(error) => return kind(error.to_string()),
        };
        let written = manifest::document(&services);
        let again = Manifest::parse(&written, "m").unwrap_or_else(|error| panic!("{error}\n{written}")).services();
        // As they are shown: a NaN is not equal to itself.
        assert_eq!(format!("{again:?}"), format!("{services:?}"), "{written}");
        let mut outcome = String::new();
        for service in &services {
            for target in [Target::Systemd, Target::Nssm] {
                outcome += &match validate::validate(service, &catalog, &Elsewhere, target, &"/var/lib/x".into()) {
                    Ok(found) if target == Target::Systemd => rendered(&found.spec),
                    Ok(_) => "nssm".into(),
                    Err(faults) => faults.iter().map(|fault| kind(&fault.reason)).collect(),
                };
            }
        }
        outcome
    });
}

fn rendered(spec: &install_service::model::spec::ServiceSpec) -> String {
    let place = Place { unit_dir: "/etc/systemd/system".into(), state_dir: "/var/lib/x".into(), home: None };
    match systemd::artifacts(spec, &place) {
        Ok(files) => {
            let unit = String::from_utf8(files[0].contents.to_vec()).expect("a unit is text");
            assert!(!unit.contains('\0') && unit.ends_with('\n'));
            format!("{} files", files.len())
        }
        Err(refusals) => refusals.iter().map(|refusal| kind(&refusal.fault)).collect(),
    }
}

#[test]
fn receipts() {
    fuzz("receipt", seeds("fixtures/install", "_install_args.toml"), TOML, |input| {
        let Some(text) = is_text(input) else { return String::new() };
        match Manifest::parse_receipt(text, "r") {
            Ok(manifest) => {
                let services = manifest.services();
                for service in &services {
                    let again =
                        Manifest::parse_receipt(&manifest::receipt(service), "r").expect("our own receipt").services();
                    assert_eq!(format!("{again:?}"), format!("{:?}", std::slice::from_ref(service)));
                }
                format!("{} services", services.len().min(3))
            }
            Err(error) => kind(error.to_string()),
        }
    });
}

/// What OpenMSIStream left behind is read by the command itself, which prints a difference and changes nothing.
#[cfg(target_os = "linux")]
#[test]
fn legacy_receipts() {
    let words: &[&[u8]] = &[
        b"\n",
        b"--config",
        b"--service_name",
        b"--",
        b"-h",
        b"--dry-run",
        b"--output",
        b"--env",
        b"S3TransferStreamProcessor",
        b"DataFileUploadDirectory",
        b"/bin/true",
        b"a.b:c",
        b"A=a.b.c",
        b"--n_threads",
        b"99999999999999999999",
        b"--upload_regex",
        b"(((",
        b"=",
        b" ",
        b"\r",
        b"\0",
    ];
    let inputs = vec![
        b"DataFileUploadDirectory\n/tmp\n--config\n/etc/hostname\n--topic_name\nx\n".to_vec(),
        b"S3TransferStreamProcessor\nbucket\n--config\n/etc/hostname\n".to_vec(),
        b"Watcher=lab.watch\n/data\n--flag\n".to_vec(),
    ];
    let folder = tempfile::tempdir().unwrap();
    fuzz("legacy", inputs, words, |input| {
        fs::write(folder.path().join("old_install_args.txt"), input).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_ManageService"))
            .args(["old", "diff"])
            .current_dir(folder.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", folder.path())
            .env("INSTALLSERVICE_WORKING_DIR", folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            matches!(output.status.code(), Some(0 | 1 | 2 | 10)) && !said.contains("panicked"),
            "{}\n{said}",
            output.status
        );
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "it changes nothing");
        format!("{:?}{}", output.status.code(), kind(said))
    });
}

const INI: &[&[u8]] = &[
    b"[a]\n",
    b"[DEFAULT]\n",
    b"[a b]\n",
    b"[]\n",
    b"[",
    b"]",
    b"a=b\n",
    b"a : b\n",
    b"  more\n",
    b"\t",
    b" ",
    b"\n",
    b"\r",
    b"\r\n",
    b"#",
    b";",
    b"=",
    b":",
    b"%",
    b"%(a)s",
    b"$A",
    b"\x0b",
    b"\x0c",
    b"\x1c",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
    b"\xef\xbb\xbf",
    b"key\n",
    b"=\n",
    b"\xc4\xb0",
];

#[test]
fn config_files() {
    let mut inputs = vec![b"[main]\nhost = $HOST\npath = /a\n  b\n# no\n".to_vec()];
    inputs.extend(seeds("fixtures", ".config"));
    fuzz("ini", inputs, INI, |input| {
        let Some(text) = is_text(input) else { return String::new() };
        match config_file::read(text) {
            Ok(read) => {
                let lines = text.split(['\n', '\r']).count();
                assert!(read.settings.iter().all(|setting| setting.line >= 1 && setting.line <= lines + text.len()));
                format!("{} settings", read.settings.len().min(12))
            }
            Err(error) => kind(error.reason),
        }
    });
}

#[test]
fn answers_of_systemctl() {
    let words: &[&[u8]] = &[
        b"\n\n",
        b"\n",
        b"=",
        b"Id=a.service\n",
        b"LoadState=loaded\n",
        b"LoadState=not-found\n",
        b"ActiveState=active\n",
        b"ActiveState=activating\n",
        b"SubState=auto-restart\n",
        b"Result=exit-code\n",
        b"ExecMainCode=1\n",
        b"ExecMainStatus=",
        b"NRestarts=18446744073709551616\n",
        b"MainPID=-1\n",
        b"\r",
    ];
    let inputs = vec![
        b"Id=a.service\nLoadState=loaded\nActiveState=active\nSubState=running\nMainPID=7\nNRestarts=0\n\nId=b.service\n".to_vec(),
        b"LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=signal\nExecMainCode=2\nExecMainStatus=9\n".to_vec(),
    ];
    fuzz("systemctl", inputs, words, |input| {
        let outcome = Outcome { status: Default::default(), stdout: input.to_vec(), stderr: Vec::new(), is_cut: false };
        let states = systemctl::parse_show(&outcome.text());
        states.iter().map(|properties| format!("{:?};", systemctl::status_of(properties).state)).take(6).collect()
    });
}

/// NSSM writes UTF-16; what it says is decoded, and a state is a word of its own.
#[test]
fn answers_of_nssm() {
    let words: &[&[u8]] = &[
        b"S\0E\0",
        b"\r\0\r\0\n\0",
        b"\xff\xfe",
        b"\0",
        b"\x00\xd8",
        b"\x00\xdc",
        b"SERVICE_RUNNING",
        b"\r\r\n",
        b"_\0",
    ];
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let inputs = vec![
        wide("SERVICE_RUNNING\r\r\n"),
        wide("SERVICE_PAUSED\r\r\n"),
        b"SERVICE_STOPPED\r\n".to_vec(),
        wide("Can't open service!\r\r\n"),
    ];
    fuzz("nssm", inputs, words, |input| {
        let outcome =
            Outcome { status: Default::default(), stdout: input.to_vec(), stderr: input.to_vec(), is_cut: false };
        let text = outcome.text();
        assert!(text.len() <= 3 * input.len() + 3, "{text:?}");
        assert_eq!(outcome.errors(), text);
        format!("{:?}{}", nssm::state_of(text.trim()), text.len().min(64))
    });
}

#[test]
fn journals() {
    let words: &[&[u8]] = &[
        b"\"version\":3",
        b"\"version\":4",
        b"\"steps\":[",
        b"\"after\":[]",
        b"\"restarts\":[[0,{\"start\":\"x\"}]]",
        b"\"directories\":[]",
        b"\"manager\":\"nssm\"",
        b"\"manager\":{\"systemd\":\"user\"}",
        b"{\"undo\":[],\"at_last\":[]}",
        b"{\"restore\":{\"path\":\"/x\",\"backup\":0,\"mode\":420,\"owner\":null}}",
        b"{\"remove\":{\"path\":\"/x\"}}",
        b"{\"reverse\":{\"command\":[\"x\"]}}",
        b"{\"reverse\":{\"registration\":{\"name\":\"x\",\"earlier\":null}}}",
        b"{\"try\":{\"systemd\":{\"reset-failed\":[\"x\"]}}}",
        b"{\"stop\":\"x\"}",
        b"[",
        b"]",
        b"{",
        b"}",
        b",",
        b":",
        b"\"",
        b"null",
        b"-1",
        b"4294967296",
        b"1e9",
        b"\\u0000",
        b"\\ud800",
    ];
    let inputs = seeds("fixtures/journals", ".json");
    assert_eq!(inputs.iter().filter(|input| Record::parse(input).is_ok()).count(), 2, "one of each version");
    fuzz("journal", inputs, words, |input| match Record::parse(input) {
        Ok(record) => {
            let written = serde_json::to_vec(&record).expect("a record has a JSON form");
            let again = Record::parse(&written).expect("our own record");
            assert_eq!(serde_json::to_vec(&again).expect("the same"), written);
            "a record".into()
        }
        Err(reason) => kind(reason),
    });
}

#[test]
fn answers_of_python() {
    let mut inputs = seeds("fixtures/discover", ".json");
    inputs.push(b"{}".to_vec());
    let words: &[&[u8]] = &[
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b",",
        b":",
        b"null",
        b"true",
        b"\"name\":",
        b"\"type\":",
        b"\"choices\":",
        b"\"default\":",
        b"1e999",
        b"\\n",
    ];
    fuzz("discover", inputs, words, |input| {
        let Some(text) = is_text(input) else { return String::new() };
        match discover::parse_answer(text) {
            Ok(found) => {
                let written = found.to_toml();
                // What it writes is a catalog, or holds nothing.
                let read = Catalog::parse(&written, "discovered");
                assert!(
                    read.is_ok() || !written.contains("[[program]]") && !written.contains("[program"),
                    "{}\n{written}",
                    read.unwrap_err().reason
                );
                format!("{} skipped", found.skipped.len().min(9))
            }
            Err(error) => kind(error.to_string()),
        }
    });
}

#[test]
fn environment_files() {
    let words: &[&[u8]] =
        &[b"A=", b"\n", b"\\\n", b"\"", b"'", b"\\", b"$", b"`", b"#", b";", b"export ", b"=", b" ", b"\r", b"\0"];
    let inputs = vec![b"# x\nA=\"a\\\"b\\$\"\nB='c'\nC=d\\\ne\n".to_vec()];
    fuzz("environment", inputs, words, |input| {
        let read = environment_file::read(input);
        let mut file = String::new();
        let mut wanted = Vec::new();
        for (name, value) in read {
            let (Ok(variable), Ok(written)) =
                (name.parse::<EnvName>(), EnvFileValue::new(&value, SystemdVersion::USUAL))
            else {
                continue;
            };
            let Ok(variable) = EnvFileName::new(&variable) else { continue };
            file.push_str(&format!("{variable}={written}\n"));
            wanted.push((name, value));
        }
        // Read once, it is written so that it is read the same again: reinstalling loses no value.
        assert_eq!(environment_file::read(file.as_bytes()), wanted, "{file:?}");
        format!("{}", wanted.len().min(20))
    });
}

#[test]
fn names() {
    let inputs = vec![b"web".to_vec(), b"DOMAIN\\joe".to_vec(), b"a@b.c".to_vec()];
    fuzz("names", inputs, &[b"@", b".", b"-", b"/", b"\\", b" ", b"%", b".service"], |input| {
        let Some(text) = is_text(input) else { return String::new() };
        let service = text.parse::<ServiceName>();
        if let Ok(name) = &service {
            assert_eq!(name.as_str(), text);
            assert!(
                text.len() <= 240 && !text.contains(['/', '\\', '%', '\n', ' ']) && !text.starts_with(['.', '-', '@'])
            );
            assert!(text.matches('@').count() <= 1 && name.is_template() == text.ends_with('@'));
        }
        let variable = text.parse::<EnvName>();
        assert!(variable.is_err() || !text.contains(['=', '\0', '\n']));
        format!("{:?}{:?}", service.map_err(kind).map(|_| ()), variable.map_err(kind).map(|_| ()))
    });
}

#[test]
fn times() {
    let inputs = ["Mon..Fri *-02~01 0/6:30,45:05.5 UTC", "@1893456000", "weekly Europe/Rome", "1h 30.5min 20us"];
    let inputs = inputs.map(|text| text.as_bytes().to_vec()).to_vec();
    let words: &[&[u8]] = &[b"*", b"..", b"/", b"~", b"-", b":", b",", b".", b" ", b"99999999999", b"Sun", b"y"];
    fuzz("times", inputs, words, |input| {
        let Some(text) = is_text(input) else { return String::new() };
        let calendar = text.parse::<Calendar>();
        if let Ok(calendar) = &calendar {
            // One line of a unit, without anything that systemd fills in.
            assert!(calendar.as_str().bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'%'), "{text:?}");
            assert_eq!(calendar.as_str().parse().as_ref(), Ok(calendar));
        }
        let span = text.parse::<Span>();
        if let Ok(span) = span {
            assert_eq!(span.to_string().parse(), Ok(span), "{text:?}");
        }
        format!("{:?}{}", calendar.map_err(kind).map(|_| ()), span.is_ok())
    });
}

/// Every encoder, read back by a reader made from the manual of its grammar.
#[test]
fn encoders() {
    let mut inputs: Vec<Vec<u8>> = corpus::NASTY.iter().map(|text| text.as_bytes().to_vec()).collect();
    inputs.extend(corpus::RAW.iter().map(|raw| raw.to_vec()));
    let words: &[&[u8]] = &[
        b"%",
        b"$",
        b"\\",
        b"\"",
        b"'",
        b"^",
        b"!",
        b"&",
        b"\n",
        b"\r",
        b"\t",
        b" ",
        b"\x7f",
        b"\xe2\x80\xa8",
        b"\xef\xbf\xbe",
        b"=",
        b";",
        b"`",
        b"%PATH%",
    ];
    let name: EnvName = "A".parse().unwrap();
    fuzz("encoders", inputs, words, |input| {
        let text = Text::from_bytes(input);
        let mut outcome = String::new();
        let mut done =
            |what: &str, result: Result<(), Unsayable>| outcome += &result.map_or_else(kind, |()| what.to_owned());
        let one = |line: &str, escapes| {
            let words = grammar::words(line, escapes);
            assert_eq!(words.len(), 1, "{line:?}");
            words.into_iter().next().expect("one")
        };
        let same = |back: String| assert_eq!(back.as_bytes(), input);
        done("exec", ExecWord::verbatim(&text).map(|word| same(grammar::specifiers(&one(&word.to_string(), true)))));
        done(
            "expanded",
            ExecWord::expanded(&text)
                .map(|word| same(grammar::variables(&grammar::specifiers(&one(&word.to_string(), true))))),
        );
        done(
            "assignment",
            EnvAssignment::new(&name, &text, SystemdVersion::USUAL).map(|word| {
                assert_eq!(
                    grammar::specifiers(&one(&word.to_string(), true)).strip_prefix("A=").map(str::as_bytes),
                    Some(input)
                );
            }),
        );
        let path = Text::from_bytes([b"/d/", input].concat());
        let same_path = |back: String| assert_eq!(back.as_bytes(), path.as_bytes());
        done("word", PathWord::new(&path).map(|word| same_path(grammar::specifiers(&one(&word.to_string(), false)))));
        done(
            "file",
            RawPath::file(&path).map(|raw| same_path(grammar::specifiers(&grammar::rest_of_line(&raw.to_string())))),
        );
        done(
            "glob",
            GlobPath::new(&path)
                .map(|raw| same_path(grammar::glob(&grammar::specifiers(&grammar::rest_of_line(&raw.to_string()))))),
        );
        done(
            "value",
            EnvFileValue::new(&text, SystemdVersion::USUAL).map(|value| {
                let read = environment_file::read(format!("A={value}\n").as_bytes());
                assert_eq!(read, [("A".to_owned(), text.clone())]);
            }),
        );
        done(
            "shell",
            ShellWord::new(&text).map(|word| assert_eq!(grammar::shell_word(&bytes(&word.to_string())), input)),
        );
        done(
            "reference",
            ExecWord::reference(&text, &name).map(|word| {
                let back = grammar::variables(&grammar::specifiers(&one(&word.to_string(), true)));
                assert_eq!(back.as_bytes(), [input, b"<A>"].concat());
            }),
        );
        assert_eq!(grammar::python_literal(&PyStr::new(&text).to_string()), input);
        if let Some(valid) = is_text(input) {
            done(
                "nssm",
                TargetArg::new(&text).and_then(|argument| AppParameters::new(&[argument])).map(|stored| {
                    let line = stored.as_text();
                    assert_eq!(grammar::c_runtime(&grammar::expand_windows(line.as_str().expect("text"))), [valid]);
                }),
            );
            if let Ok(line) = valid.parse::<OneLine>() {
                let written = Description::new(&line).map(|written| {
                    let back = grammar::specifiers(&grammar::rest_of_line(&written.to_string()));
                    assert_eq!(back, line.as_str().trim_matches([' ', '\t']));
                });
                done("description", written);
            }
            done("yaml", YamlText::new(&text).map(|scalar| assert_eq!(grammar::yaml(&scalar.to_string()), valid)));
            let path = format!("C:\\{valid}");
            done(
                "batch path",
                CmdPath::new(&path.as_str().into())
                    .map(|quoted| assert_eq!(grammar::cmd_path(&quoted.to_string()), path)),
            );
            done(
                "registry",
                NssmEnvironment::new(&[(name.clone(), text.clone())])
                    .map_err(|mut faults| faults.remove(0).1)
                    .map(|entry| assert_eq!(entry.entries().collect::<Vec<_>>(), [Text::from(format!("A={valid}"))])),
            );
            done(
                "batch",
                CmdToken::new(&text)
                    .map(|token| assert_eq!(grammar::c_runtime(&grammar::cmd(&token.to_string())), [valid])),
            );
        }
        outcome
    });
}
