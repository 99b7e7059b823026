//! An install, an update, one of the account and a secret, a reinstall, a removal and an upgrade of NSSM that are killed,
//! at every call of NSSM, at every step and at any instant, or whose calls fail: what the next run finds is wholly old or
//! wholly new.
//!
//! A short run tries some of the points; `INSTALLSERVICE_SWEEP=full` tries every one, and 200 instants of
//! each. What was done is printed, for the table in `docs/reliability.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use install_service::host::access;
use install_service::host::reading::Links;

use crate::bed::{NSSM_24, account, built, key, nssm, nssm_does, probe, registry, state, toml_path, user, words_of};
use crate::server::sha256;
use crate::support::{Ran, Test, difference};

/// How many instants a full run tries; a short one tries two of them.
const INSTANTS: usize = 200;

/// What the tool keeps for itself, what the service has said, and what the sweep works with.
const NOT_THE_HOST: [&str; 10] = [
    // The second name of a program that runs, which Wine takes away no more than the first: that of a run which was killed
    // before it had stopped the service. It has the bytes of the first, and goes with the next upgrade.
    ".install-service-nssm.exe.before",
    ".lock",
    ".commands",
    "Services.log",
    "RunService.exe",
    "RunService_origin.txt",
    "calls",
    "order",
    "ready",
    "_output.log",
];

/// What an upgrade of NSSM changes, and nothing else does.
const OF_NSSM: [&str; 2] = ["nssm.exe", "nssm_origin.txt"];

/// The value of the secret, before and after the change of the account.
const SECRETS: [&str; 2] = ["s3cret of the \u{e9}arlier", "t0ken of the \"n\u{e9}xt\""];

fn is_full() -> bool {
    std::env::var_os("INSTALLSERVICE_SWEEP").is_some_and(|value| value == "full")
}

/// What is changed: how the host comes to be before it, and the command.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Install,
    Update,
    /// From an account without a password to one with, which a call of ours sets and not NSSM; the secret has another value,
    /// and the log is another one's to write.
    UpdateAccount,
    ReinstallRunning,
    ReinstallStopped,
    Remove,
    /// Another NSSM in the place of 2.24, under a service that runs. It is the genuine one that runs services, so its calls
    /// are not counted; and the other one is the same with some bytes behind its end, because under Wine 2.24-101 does not
    /// end when it should.
    UpgradeNssm,
}

/// Everything that has to be wholly old or wholly new.
#[derive(Clone, PartialEq)]
struct Host {
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// Whose the files are, and who may do what with them, as far as Wine keeps that: what is written by the service, too.
    access: BTreeMap<PathBuf, String>,
    registry: Vec<String>,
    state: &'static str,
    /// What runs, and the secret that it has.
    argv: Vec<String>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (path, contents) in &self.files {
            writeln!(f, "{} {:?}", path.display(), String::from_utf8_lossy(contents))?;
        }
        for (path, access) in &self.access {
            writeln!(f, "{} {access}", path.display())?;
        }
        writeln!(f, "{}\n{} {:?}", self.registry.join("\n"), self.state, self.argv)
    }
}

/// A run that is disturbed, and where.
#[derive(Clone, Debug)]
enum Point {
    /// At the call of NSSM of this number; how stands in `tests/probe/unlucky_nssm.rs`.
    Call(usize, &'static str),
    /// As soon as the journal says that this many steps are begun.
    Step(usize),
    /// So many milliseconds after the journal has said so.
    Within(usize, u64),
    /// After so many milliseconds.
    Instant(u64),
}

/// What a run that nothing disturbs is made of.
struct Course {
    /// How long it takes, in milliseconds.
    whole: u64,
    /// The calls of NSSM.
    calls: usize,
    steps: usize,
    /// The step that sets the account, and how long it takes, in milliseconds.
    account: Option<(usize, u64)>,
}

struct Bed {
    service: &'static str,
    change: Change,
    home: Ran,
    app: PathBuf,
    state: PathBuf,
}

impl Bed {
    fn new(service: &'static str, change: Change) -> Self {
        let test = Test::install();
        let app = test.folder().join("app");
        let program = probe(&app);
        let manifest = |word: &str| {
            let account = match change {
                Change::UpdateAccount => {
                    let account = if word == "old" { r"NT SERVICE\*".to_owned() } else { format!(r".\{}", user()) };
                    let folder = toml_path(&app);
                    format!("account = '{account}'\nsecrets = ['TOKEN']\nworking_directory = {folder}\n")
                }
                _ => String::new(),
            };
            format!(
                "[[service]]\nname = '{service}'\nexecutable = {}\narguments = ['{word}', '100%']\n\
                 description = '{word} one'\n{account}environment = {{ WORD = '{word}' }}\n[service.nssm]\n\
                 AppThrottle = '10'\n",
                toml_path(&program)
            )
        };
        let home = test.file("old.toml", manifest("old")).file("new.toml", manifest("new")).arg("--version").run();
        let state = home.folder().join("working_dir");
        let bed = Self { service, change, home, app, state };
        // The working directory with the unlucky one in it, and its note.
        if change == Change::UpgradeNssm {
            let other = [&fs::read(NSSM_24).unwrap()[..], b"..."].concat();
            fs::write(bed.home.folder().join("other.exe"), other).unwrap();
            return bed;
        }
        let install = bed.home.then_install().args(["--allow-unknown-nssm", "--nssm"]).arg(built("unlucky-nssm"));
        install.args(["--manifest", "old.toml"]).env("TOKEN", SECRETS[0]).run();
        bed
    }

    /// Takes the service away, whatever has become of it.
    fn clear(&self) {
        drop(fs::remove_file(self.state.join("order")));
        if key(self.service).is_some() {
            nssm(&["stop", self.service]);
            nssm_does(&["remove", self.service, "confirm"]);
        }
        for path in entries(&self.state).into_iter().filter(|path| self.is_of_host(path)) {
            drop(fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path)));
        }
        self.forget_records();
    }

    /// The host as the change finds it.
    fn set_up(&self) {
        self.clear();
        if self.change == Change::Install {
            return;
        }
        match self.change {
            Change::Update | Change::UpdateAccount | Change::Remove => self.install_the_old_one(&["--start"]),
            Change::UpgradeNssm => self.install_the_old_one(&["--start", "--nssm", NSSM_24]),
            _ => {
                self.install_the_old_one(&[]);
                // What somebody has edited, and a reinstall puts right.
                let arguments = nssm_does(&["get", self.service, "AppParameters"]);
                nssm_does(&["set", self.service, "AppParameters", &format!("{arguments} edited")]);
                nssm_does(&["set", self.service, "AppExit", "7", "Exit"]);
                nssm_does(&["set", self.service, "Start", "SERVICE_DEMAND_START"]);
            }
        }
        if self.change == Change::ReinstallRunning {
            nssm(&["start", self.service]);
            crate::support::wait_for("it to run", 30, || (state(self.service) == "SERVICE_RUNNING").then_some(()));
        }
    }

    /// On a busy machine Wine fails to start a process now and then, with an "internal error"; that is
    /// taken back as any failure is.
    fn install_the_old_one(&self, more: &[&str]) {
        let install = || {
            let test = self.home.then_install().args(["--allow-unknown-nssm", "--manifest", "old.toml"]).args(more);
            test.env("TOKEN", SECRETS[0])
        };
        let (code, ran) = install().run_to_any_end();
        if code != 0 {
            assert!(ran.stderr.contains("internal error"), "{code}\n{}", ran.stderr);
            install().run();
        }
    }

    fn command(&self) -> Test {
        // The unlucky NSSM has no known checksum.
        let again = |mode: &str| self.home.then_manage().args([self.service, mode, "--allow-unknown-nssm"]);
        let new = || self.home.then_install().args(["--allow-unknown-nssm", "--manifest", "new.toml", "--start"]);
        match self.change {
            Change::Install | Change::Update => new(),
            Change::UpdateAccount => new().arg("--account-password-stdin").stdin("a password").env("TOKEN", SECRETS[1]),
            Change::ReinstallRunning => again("stop_and_restart"),
            Change::ReinstallStopped => again("reinstall"),
            Change::Remove => self.home.then_manage().args([self.service, "remove", "--remove_install_args"]),
            Change::UpgradeNssm => {
                let upgrade = self.home.then_manage().args(["--upgrade-nssm", "--yes", "--allow-unknown-nssm"]);
                upgrade.args(["--nssm", "other.exe"])
            }
        }
    }

    /// What it runs, by the last record of the probe.
    fn argv(&self) -> Vec<String> {
        let records = entries(&self.app).into_iter().filter(|path| is_record(path));
        let last = records.max_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok());
        let record = last.and_then(|path| fs::read(path).ok()).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let record: serde_json::Value = record.unwrap_or_default();
        if record.is_null() {
            return Vec::new();
        }
        let [argv, environment] = ["argv", "environment"].map(|key| words_of(&record, key));
        let secret = environment.iter().filter(|entry| entry.as_bytes().starts_with(b"TOKEN="));
        argv.iter().chain(secret).map(ToString::to_string).collect()
    }

    fn host(&self) -> Host {
        let files = entries(&self.state).into_iter().filter(|path| self.is_of_host(path));
        let contents = |path: &PathBuf| {
            let contents = fs::read(path).unwrap_or_default();
            let is_program = path.extension().is_some_and(|extension| extension == "exe");
            if is_program { sha256(&contents).into_bytes() } else { contents }
        };
        let files: BTreeMap<PathBuf, Vec<u8>> = files.map(|path| (path.clone(), contents(&path))).collect();
        let written = entries(&self.app).into_iter().filter(|path| !is_record(path));
        let list = |path: PathBuf| Some((path.clone(), format!("{:?}", access::of(&path, Links::Refused)?)));
        let access = files.keys().cloned().chain(written).filter_map(list).collect();
        let registered = key(self.service).is_some();
        let state = if registered { state(self.service) } else { "" };
        let argv = if state == "SERVICE_RUNNING" { self.argv() } else { Vec::new() };
        Host { files, access, registry: if registered { registry(self.service) } else { Vec::new() }, state, argv }
    }

    /// The host, once what runs has said what it is.
    fn host_that_has_said(&self) -> Host {
        crate::support::wait_for("what runs", 60, || {
            let is_whole = |host: &Host| match host.state {
                "SERVICE_RUNNING" => !host.argv.is_empty(),
                "SERVICE_STOPPED" => true,
                // A busy Wine may not have started the NSSM that was asked.
                _ => host.registry.is_empty(),
            };
            Some(self.host()).filter(is_whole)
        })
    }

    /// Takes away what was said of what ran.
    fn forget_records(&self) {
        entries(&self.app).iter().filter(|path| is_record(path)).for_each(|path| drop(fs::remove_file(path)));
    }

    fn is_of_host(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.change == Change::UpgradeNssm && OF_NSSM.contains(&name.as_str())
            || !NOT_THE_HOST.iter().chain(&OF_NSSM).any(|other| name.ends_with(other))
    }

    /// The host, once it is `old` or `new`; with what it is if it does not become either.
    fn settled(&self, old: &Host, new: &Host) -> Result<&'static str, Host> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let host = self.host();
            if host == *old {
                return Ok("old");
            }
            if host == *new {
                return Ok("new");
            }
            if Instant::now() > end {
                return Err(host);
            }
            sleep(Duration::from_millis(100));
        }
    }

    fn order(&self, order: &str) {
        drop(fs::remove_file(self.state.join("calls")));
        drop(fs::remove_file(self.state.join("ready")));
        fs::write(self.state.join("order"), order).unwrap();
    }

    /// The account of the service, where that is what changes.
    fn account(&self) -> Option<String> {
        (self.change == Change::UpdateAccount).then(|| account(self.service))
    }

    /// How many steps are begun.
    fn begun(&self) -> usize {
        let begun = self.state.join("journal").join("begun");
        fs::metadata(begun).map_or(0, |begun| usize::try_from(begun.len()).expect("a few steps"))
    }

    /// Runs the command to its end, and watches it.
    fn course(&self) -> Course {
        self.order("");
        // What ran before is not taken for what runs then.
        self.forget_records();
        let before = self.account();
        let now = Instant::now();
        let mut running = self.command().spawn();
        // When the last of the steps that are begun was.
        let (mut steps, mut since, mut setting) = (0, now, None);
        while !running.has_ended() {
            let begun = self.begun();
            if begun > steps {
                (steps, since) = (begun, Instant::now());
            }
            if setting.is_none() && self.account() != before {
                setting = Some((steps, millis(since.elapsed())));
            }
            sleep(Duration::from_millis(1));
        }
        running.end();
        let whole = millis(now.elapsed());
        // While somebody looks at a file of the journal, Windows does not take its folder away. Any other command does.
        self.home.then_manage().arg("--list").run();
        let calls = fs::metadata(self.state.join("calls")).map_or(0, |calls| calls.len() as usize);
        Course { whole, calls, steps, account: setting }
    }

    /// Runs the command, disturbed: how it ended, and what it said.
    fn disturbed(&self, point: &Point) -> (i32, String) {
        self.order(&match point {
            Point::Call(number, what) => format!("{number} {what}"),
            _ => String::new(),
        });
        let ready = self.state.join("ready");
        let mut running = self.command().spawn();
        let now = Instant::now();
        let mut since = None;
        let mut is_time = || match point {
            Point::Call(_, "fail") => false,
            Point::Call(..) => ready.exists(),
            Point::Step(number) => self.begun() >= *number,
            Point::Within(number, millis) => {
                if since.is_none() && self.begun() >= *number {
                    since = Some(Instant::now());
                }
                since.is_some_and(|since: Instant| since.elapsed() >= Duration::from_millis(*millis))
            }
            Point::Instant(millis) => now.elapsed() >= Duration::from_millis(*millis),
        };
        while !running.has_ended() {
            if is_time() {
                running.kill();
                break;
            }
            sleep(Duration::from_millis(1));
        }
        let (code, ran) = running.end_anyhow();
        drop(fs::remove_file(ready));
        (code, format!("{code}\n{}{}", ran.stdout, ran.stderr))
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn is_record(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json" || extension == "unfinished")
}

/// The points to try of all of them: every one in a full run, else so many.
fn some(count: usize, all: Vec<Point>) -> Vec<Point> {
    let step = if is_full() { 1 } else { all.len().div_ceil(count).max(1) };
    // Not always the same ones.
    all.into_iter().skip(std::process::id() as usize / 4 % step).step_by(step).collect()
}

/// Numbers that look random.
fn dice(seed: u32, limit: u64) -> impl Iterator<Item = u64> {
    let mut number = u64::from(seed);
    std::iter::repeat_with(move || {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) % limit.max(1)
    })
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("a short time")
}

/// Disturbs the change at every point, each time on the old host, and compares what a next run finds.
#[track_caller]
fn sweep(service: &'static str, change: Change) {
    let bed = Bed::new(service, change);
    bed.set_up();
    let old = bed.host_that_has_said();
    let Course { whole, calls, steps, account: setting } = bed.course();
    // Of an upgrade it is the genuine NSSM that is called.
    let few = if change == Change::UpgradeNssm { 3 } else { 1 };
    let new = bed.host_that_has_said();
    let new_account = bed.account();
    assert_ne!(old, new);
    let at_calls = |what: &'static str| (1..=calls).map(move |number| Point::Call(number, what));
    let count = if is_full() { INSTANTS } else { 2 };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    let instants = dice(now, whole * 5 / 4).take(count).map(Point::Instant).collect();
    assert_eq!(setting.is_some(), change == Change::UpdateAccount);
    let within = setting.into_iter().flat_map(|(step, millis)| {
        let count = if is_full() { INSTANTS / 4 } else { 2 };
        dice(now, millis * 2 + 2).take(count).map(move |millis| Point::Within(step, millis))
    });
    let groups = [
        ("killed at a call of NSSM", some(2, ["before", "during", "after"].into_iter().flat_map(at_calls).collect())),
        // One more than there are: that one comes to its end.
        ("killed at a step", some(few, (1..=steps + 1).map(Point::Step).collect())),
        ("killed while the account is set", within.collect()),
        ("killed at a random instant", instants),
        ("with one failing call of NSSM", some(1, at_calls("fail").collect())),
    ];
    let mut faults = String::new();
    let mut is_old = false;
    for (what, points) in groups {
        let (mut olds, mut news, mut unharmed, mut with_account) = (0, 0, 0, 0);
        let tried = points.len();
        for point in points {
            if !is_old {
                bed.set_up();
                assert_eq!(bed.host_that_has_said(), old, "set up again");
            }
            let (code, mut said) = bed.disturbed(&point);
            unharmed += usize::from(code == 0);
            with_account += usize::from(new_account.is_some() && bed.account() == new_account);
            bed.order("");
            // Any other command takes back what was left half way.
            let next = bed.home.then_manage().arg("--list").run();
            write!(said, "then: {}{}", next.stdout, next.stderr).unwrap();
            let result = bed.settled(&old, &new);
            let is_wrong = match (&result, &point) {
                (Err(_) | Ok("old"), _) if code == 0 => true,
                (Ok("new"), Point::Call(_, "fail")) => code != 0,
                (Ok("old"), Point::Call(_, "fail")) => code != 1,
                (result, _) => result.is_err(),
            };
            if is_wrong || bed.state.join("journal").exists() {
                writeln!(faults, "== {what}, {point:?}:\n{}\n{said}", told(&result, &old, &new)).unwrap();
            }
            is_old = result == Ok("old");
            olds += usize::from(is_old);
            news += usize::from(result == Ok("new"));
        }
        if tried > 0 {
            println!(
                "figures: {change:?} {what}: {tried} runs, {unharmed} of them came to their end; {olds} old, {news} new; \
                 {with_account} had another account by then"
            );
        }
    }
    assert!(faults.is_empty(), "{faults}");
    bed.clear();
}

/// What was found, or how it differs from the old host and from the new one.
fn told(result: &Result<&'static str, Host>, old: &Host, new: &Host) -> String {
    let differs = |what: &str, from: &Host, host: &Host| {
        difference(what, &format!("{from:?}"), &format!("{host:?}")).unwrap_or_default()
    };
    match result {
        Ok(which) => (*which).to_owned(),
        Err(host) => differs("the old host", old, host) + &differs("the new host", new, host),
    }
}

macro_rules! sweeps {
    ($($name:ident, $service:literal, $change:ident;)*) => {$(
        #[test]
        #[ignore = "needs Windows or Wine, and NSSM: tests/run"]
        fn $name() {
            sweep($service, Change::$change);
        }
    )*};
}

sweeps! {
    install, "sweep-install", Install;
    update, "sweep-update", Update;
    update_of_account_and_secret, "sweep-account", UpdateAccount;
    reinstall_of_what_runs, "sweep-reinstall-on", ReinstallRunning;
    reinstall_of_what_is_stopped, "sweep-reinstall-off", ReinstallStopped;
    removal, "sweep-remove", Remove;
    upgrade_of_nssm, "sweep-upgrade", UpgradeNssm;
}
