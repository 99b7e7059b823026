//! An install, an update, a reinstall and a removal that are killed, at every step boundary and at
//! any instant, that fail, or whose disk is full: what the next run finds is wholly old or wholly new.
//!
//! A short run tries some of the boundaries; `INSTALLSERVICE_SWEEP=full` tries every one, and 200
//! instants of each. What was done is printed, for the table in `docs/reliability.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support;
use crate::support::booted::{Named, named};
use crate::support::{Ran, Test};

/// The system calls that change anything outside the process. Killed at the entry of one, it has
/// done everything up to it and nothing of it.
const CHANGES: &str = "write,pwrite64,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,\
                       mkdirat,rmdir,chmod,fchmod,fchmodat,chown,lchown,fchown,fchownat,fsync,fdatasync,syncfs,\
                       ftruncate,flock,fcntl,clone,clone3,vfork,fork";
/// Those of them that need room on a disk.
const FILLS: &str = "write,pwrite64,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,fsync,fdatasync,syncfs";

/// How many points of each kind a short run tries.
const SHORT: usize = 6;
const INSTANTS: usize = 200;

fn is_full() -> bool {
    std::env::var_os("INSTALLSERVICE_SWEEP").is_some_and(|value| value == "full")
}

/// The points to try of all of them: every one in a full run.
fn points<T>(all: Vec<T>) -> Vec<T> {
    let step = if is_full() { 1 } else { all.len().div_ceil(SHORT).max(1) };
    // Not always the same ones.
    all.into_iter().skip(std::process::id() as usize % step).step_by(step).collect()
}

/// Numbers that look random, the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit.max(1)
    }
}

/// What is changed: how the host comes to be before it, and the command.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Install,
    Update,
    /// With secrets as credentials of systemd.
    UpdateEncrypted,
    /// Of a Python program, of which no more changes than the script; and nothing but us ever starts it again.
    UpdatePython,
    /// Of a unit that no longer asks for some of its links.
    UpdateLinks,
    /// Where a run that was ended by a power cut has left second names of files.
    UpdateAfterCut,
    ReinstallRunning,
    ReinstallStopped,
    Remove,
    /// Of a unit that somebody else wrote, and that runs.
    Adopt,
    /// What is given back to it.
    Release,
    /// Of a job whose timer waits.
    AdoptTimer,
    /// What is given back to that.
    ReleaseTimer,
}

impl Change {
    /// Whether all that runs goes on, whatever happens.
    fn disturbs_nothing(self) -> bool {
        matches!(self, Self::Adopt | Self::Release | Self::AdoptTimer | Self::ReleaseTimer)
    }

    /// Whether it is of a service that a timer starts.
    fn is_of_timer(self) -> bool {
        matches!(self, Self::AdoptTimer | Self::ReleaseTimer)
    }
}

/// Everything that has to be wholly old or wholly new.
#[derive(Clone, PartialEq)]
struct Host {
    /// Mode, owner and contents.
    files: BTreeMap<PathBuf, (u32, u32, Vec<u8>)>,
    properties: Vec<String>,
    /// What runs.
    argv: Vec<u8>,
}

impl Host {
    /// It is not mixed if only some of the second names are gone that nobody needs.
    fn without_what_lay_there(&self, before: &Self) -> Self {
        let mut host = self.clone();
        let is_second = |path: &Path| path.extension().is_some_and(|extension| extension == "before");
        host.files.retain(|path, file| !is_second(path) || before.files.get(path) != Some(file));
        host
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (path, (mode, owner, contents)) in &self.files {
            writeln!(f, "{} {mode:o} {owner} {:?}", path.display(), String::from_utf8_lossy(contents))?;
        }
        writeln!(f, "{:?}\n{:?}", self.properties, String::from_utf8_lossy(&self.argv))
    }
}

struct Bed {
    service: Named,
    change: Change,
    home: Ran,
    state: PathBuf,
}

impl Bed {
    fn new(name: &'static str, change: Change) -> Self {
        let service = named(name);
        let home = Test::manage().arg("--list").run();
        let state = home.folder().join("working_dir");
        Self { service, change, home, state }
    }

    /// The host as the change finds it.
    fn set_up(&self) {
        drop(named(leak(&self.service)));
        drop(fs::remove_dir_all(&self.state));
        match self.change {
            Change::Install => return,
            Change::UpdatePython => drop(self.python("1000.1").run()),
            Change::UpdateLinks => {
                let lines = "\"Install.Alias\" = \"NAME.alias.service\"\n\"Install.RequiredBy\" = \"NAME.x.target\"";
                drop(self.linked(lines).run());
            }
            Change::ReinstallStopped => drop(self.install("one").probe(["old"]).run()),
            Change::Adopt | Change::Release => self.theirs(),
            Change::AdoptTimer | Change::ReleaseTimer => self.their_job(),
            _ => drop(self.install("one").arg("--start").probe(["old"]).run()),
        }
        if matches!(self.change, Change::ReinstallRunning | Change::ReinstallStopped) {
            // What somebody has edited, and a reinstall puts right.
            let unit = self.service.unit_text().replace("\"old\"", "\"edited\"");
            fs::write(self.service.unit(), unit).unwrap();
            support::system("systemctl", &["daemon-reload"]);
            if self.change == Change::ReinstallRunning {
                support::system("systemctl", &["restart", &self.service.to_string()]);
            }
        }
    }

    /// A unit that is not ours, which runs and starts at boot, and for a release is adopted.
    fn theirs(&self) {
        let unit = self.service.unit();
        let text = format!(
            "[Service]\nExecStart=/bin/sleep 1000.4\n[Install]\nWantedBy=multi-user.target\nAlias={}.alias.service\n",
            self.service
        );
        fs::write(&unit, text).unwrap();
        fs::set_permissions(&unit, fs::Permissions::from_mode(0o640)).unwrap();
        support::system("chown", &["ann", unit.to_str().expect("plain text")]);
        support::system("systemctl", &["daemon-reload"]);
        support::system("systemctl", &["enable", "--quiet", "--now", &self.service.to_string()]);
        if self.change == Change::Release {
            self.adopt().run();
        }
    }

    /// The same of a job, whose timer waits.
    fn their_job(&self) {
        fs::write(self.service.unit(), "[Service]\nType=oneshot\nExecStart=/bin/true\n").unwrap();
        let timer = self.service.timer();
        fs::write(&timer, "[Timer]\nOnCalendar=yearly\n[Install]\nWantedBy=timers.target\n").unwrap();
        fs::set_permissions(&timer, fs::Permissions::from_mode(0o640)).unwrap();
        support::system("chown", &["ann", timer.to_str().expect("plain text")]);
        support::system("systemctl", &["daemon-reload"]);
        support::system("systemctl", &["enable", "--quiet", "--now", &format!("{}.timer", self.service)]);
        if self.change == Change::ReleaseTimer {
            self.adopt().run();
        }
    }

    fn adopt(&self) -> Test {
        let schedule: &[&str] = if self.change.is_of_timer() { &["--schedule", "monthly"] } else { &[] };
        self.install("two").arg("--adopt").args(schedule).probe(["new"])
    }

    /// What goes on: the main process, or since when the timer waits.
    fn running(&self) -> String {
        match self.change.is_of_timer() {
            true => self.service.timer_property("ActiveEnterTimestampMonotonic"),
            false => self.service.pid().to_string(),
        }
    }

    /// What lies there besides, and is nobody's.
    fn leave_behind(&self) {
        if self.change == Change::UpdateAfterCut {
            for path in [self.service.unit(), self.state.join(format!("{}_env_vars.txt", self.service))] {
                let name = path.file_name().expect("a file").to_str().expect("plain text");
                fs::copy(&path, path.with_file_name(format!(".install-service-{name}.before"))).unwrap();
            }
        }
    }

    /// A Python program that is seen to be started anew: it becomes another one, with its argument.
    fn python(&self, argument: &str) -> Test {
        let source = "import os\ndef main(arguments):\n    os.execv('/bin/sleep', ['sleep'] + arguments)\n";
        let options = ["--python", "/usr/bin/python3", "--restart", "never", "--start"];
        let install = self.service.install_again(&self.home).file("becomes.py", source).args(options);
        install.args(["becomes:main", argument])
    }

    fn linked(&self, lines: &str) -> Test {
        let lines = lines.replace("NAME", &self.service.to_string());
        let manifest = format!(
            "[[service]]\nname = \"{}\"\nexecutable = \"/bin/sleep\"\narguments = [\"1000.3\"]\n[service.systemd]\n{lines}\n",
            self.service
        );
        self.home.then_install().file("linked.toml", manifest).args(["--manifest", "linked.toml", "--start"])
    }

    fn install(&self, secret: &str) -> Test {
        let store = if self.change == Change::UpdateEncrypted { "credentials" } else { "file" };
        let install = self.service.install_again(&self.home).args(["--env", "SECRET", "--secrets", store]);
        install.env("SECRET", secret)
    }

    fn command(&self) -> Test {
        match self.change {
            Change::UpdatePython => self.python("1000.2"),
            Change::UpdateLinks => self.linked(""),
            Change::Install | Change::Update | Change::UpdateEncrypted | Change::UpdateAfterCut => {
                self.install("two").arg("--start").probe(["new"])
            }
            Change::ReinstallRunning => self.service.manage(&self.home, "stop_and_restart"),
            Change::ReinstallStopped => self.service.manage(&self.home, "reinstall"),
            Change::Adopt | Change::AdoptTimer => self.adopt(),
            Change::Release | Change::ReleaseTimer => self.service.manage(&self.home, "release"),
            Change::Remove => {
                let remove = self.service.manage(&self.home, "remove");
                remove.args(["--remove_env_vars", "--remove_install_args"])
            }
        }
    }

    /// Any other command: what was left half way is taken back by it.
    fn look(&self) -> Ran {
        self.home.then_manage().arg("--list").run()
    }

    fn host(&self) -> Host {
        let files = self.service.host(&self.state).into_iter();
        let files = files.map(|(path, (mode, contents))| {
            let owner = path.symlink_metadata().map_or(0, |metadata| metadata.uid());
            // Encrypted twice it has other bytes.
            let contents = match path.extension().is_some_and(|extension| extension == "cred") {
                true => opened(&path).unwrap_or(contents),
                false => contents,
            };
            (path, (mode, owner, contents))
        });
        let keys = ["LoadState", "ActiveState", "SubState", "UnitFileState", "NeedDaemonReload"];
        let mut properties: Vec<String> =
            keys.iter().map(|key| format!("{key}={}", self.service.property(key))).collect();
        if self.change.is_of_timer() {
            properties.push(self.service.timer_property(&[&keys[..], &["TimersCalendar"]].concat().join(",")));
        }
        let argv = fs::read(format!("/proc/{}/cmdline", self.service.pid())).unwrap_or_default();
        Host { files: files.collect(), properties, argv }
    }

    /// The host, once it is `old`, or still so with some of what lay there `before`, or `new`; what it is if it becomes
    /// none of them.
    fn settled(&self, [before, old, new]: [&Host; 3]) -> Result<&'static str, Host> {
        // A limit for what never settles: a machine may be busy.
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let host = self.host();
            if host == *old || host.without_what_lay_there(before) == *old {
                return Ok("old");
            }
            if host == *new {
                return Ok("new");
            }
            if Instant::now() > end {
                return Err(host);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Each of `calls` that an undisturbed run makes, as strace names it: the call and its number.
    fn calls(&self, calls: &str) -> Vec<(String, usize)> {
        let log = self.home.folder().join("strace.log");
        let trace = format!("trace={calls}");
        let words = ["strace", "-qq", "-e", "signal=none", "-e", &trace, "-o", log.to_str().expect("plain text")];
        self.command().through(&words).run();
        let mut counts = BTreeMap::new();
        let log = fs::read_to_string(log).unwrap();
        let names = log.lines().filter_map(|line| line.split_once('(')).map(|(name, _)| name.to_owned());
        names
            .map(|name| {
                let count = counts.entry(name.clone()).or_default();
                *count += 1;
                (name, *count)
            })
            .collect()
    }
}

/// What is in a credential, if it is one.
fn opened(path: &Path) -> Option<Vec<u8>> {
    let mut decrypt = Command::new("systemd-creds");
    let output = decrypt.args(["decrypt", "--name=environment"]).arg(path).arg("-").output().ok()?;
    output.status.success().then_some(output.stdout)
}

/// The name again, for the type that removes what has it.
fn leak(service: &Named) -> &'static str {
    Box::leak(service.to_string().into_boxed_str())
}

/// What came of the runs of one sweep.
#[derive(Default)]
struct Tally {
    tried: usize,
    old: usize,
    new: usize,
    unharmed: usize,
    faults: String,
}

impl Tally {
    fn note(&mut self, point: &str, result: Result<&'static str, Host>, ran: &str) {
        self.tried += 1;
        match result {
            Ok("old") => self.old += 1,
            Ok(_) => self.new += 1,
            Err(host) => writeln!(self.faults, "== {point}:\n{host:?}{ran}").expect("memory"),
        }
    }

    #[track_caller]
    fn end(self, what: &str, old: &Host, new: &Host) {
        let Self { tried, old: olds, new: news, unharmed, faults } = self;
        println!("figures: {what}: {tried} runs, {unharmed} of them came to their end; {olds} old, {news} new");
        assert!(faults.is_empty(), "{what}\n{faults}\n== old:\n{old:?}== new:\n{new:?}");
        assert!(tried > 0);
    }
}

/// Runs `disturb` for every point, each time on the old host, and compares what a next run finds.
fn sweep(bed: &Bed, what: &str, points: Vec<String>, mut disturb: impl FnMut(&Bed, &str) -> Ended) {
    bed.set_up();
    let old = bed.host();
    bed.command().run();
    let new = bed.host();
    assert_ne!(old, new);
    let mut tally = Tally::default();
    bed.set_up();
    bed.leave_behind();
    // It may be that nothing was looked at yet.
    let before = bed.host();
    let hosts = [&before, &old, &new];
    for point in points {
        let running = bed.running();
        let mut ended = disturb(bed, &point);
        tally.unharmed += usize::from(ended.code == 0);
        let result = match ended.mends {
            true => {
                let next = bed.look();
                writeln!(ended.said, "then: {}", next.stderr).expect("memory");
                let result = bed.settled(hosts);
                if bed.state.join("journal").exists() { Err(bed.host()) } else { result }
            }
            false => bed.settled(hosts),
        };
        // One that came to its end did what it said, and one that failed took it back: but where nothing more could
        // be written it cannot say that all is done.
        let is_untold = ended.said.contains("what was asked for is done") || point.ends_with('+');
        let result = match (ended.code, result) {
            (0, Ok("old")) => Err(bed.host()),
            (1, Ok("new")) if !is_untold => Err(bed.host()),
            (_, result) => result,
        };
        let result = match result {
            Ok(_) if bed.change.disturbs_nothing() && bed.running() != running => Err(bed.host()),
            result => result,
        };
        let is_old = matches!(result, Ok("old"));
        tally.note(&point, result, &ended.said);
        if !is_old {
            bed.set_up();
        }
        bed.leave_behind();
    }
    tally.end(what, &old, &new);
}

/// How a disturbed run ended.
struct Ended {
    code: i32,
    said: String,
    /// A next run may have something to take back.
    mends: bool,
}

fn run(test: Test) -> Ended {
    let (code, ran) = test.run_to_any_end();
    Ended { code, said: format!("{code}\n{}{}", ran.stdout, ran.stderr), mends: true }
}

fn injected(bed: &Bed, injection: &str) -> Ended {
    let log = bed.home.folder().join("strace.log");
    let calls = injection.split(':').next().expect("calls");
    let (trace, inject) = (format!("trace={calls}"), format!("inject={injection}"));
    let log = log.to_str().expect("plain text");
    let words = ["strace", "-qq", "-e", "signal=none", "-e", &trace, "-e", &inject, "-o", log];
    run(bed.command().through(&words))
}

fn kill_at_every_boundary(bed: &Bed) {
    bed.set_up();
    let calls = bed.calls(CHANGES);
    let what = format!("kill -9 at the boundaries of {:?} ({} of them)", bed.change, calls.len());
    let points = points(calls).iter().map(|(call, number)| format!("{call}:signal=SIGKILL:when={number}")).collect();
    sweep(bed, &what, points, injected);
}

/// Every instant of a run; the time it takes is that of a whole one.
fn kill_at_random_instants(bed: &Bed) {
    // The shortest of some: what comes to its end before it is killed shows nothing.
    let whole = (0..3).map(|_| {
        bed.set_up();
        let begun = Instant::now();
        bed.command().run();
        begun.elapsed()
    });
    let whole = u64::try_from(whole.min().expect("three").as_micros()).expect("a short time");
    let mut dice = Dice(u64::from(std::process::id()));
    let count = if is_full() { INSTANTS } else { SHORT };
    // The first instants are the process's own start, the last ones its wait for the service.
    let points = (0..count).map(|_| dice.below(whole).to_string()).collect();
    let killed = |bed: &Bed, micros: &str| {
        let running = bed.command().spawn();
        std::thread::sleep(Duration::from_micros(micros.parse().expect("a number")));
        running.signal("KILL");
        let (code, ran) = running.end_anyhow();
        Ended { code, said: format!("{}{}", ran.stdout, ran.stderr), mends: true }
    };
    sweep(bed, &format!("kill -9 at random instants of {:?} (in {} ms)", bed.change, whole / 1000), points, killed);
}

/// A `systemctl` whose call of that number fails, or it and every one after it.
fn failing(number: &str, later: bool) -> String {
    let compare = if later { "-ge" } else { "-eq" };
    format!(
        "n=$(($(cat calls 2> /dev/null || echo 0) + 1)); echo $n > calls\n\
         [ $n {compare} {number} ] || exec $real \"$@\"; echo no luck today >&2; exit 1"
    )
}

fn fail_every_command(bed: &Bed) {
    bed.set_up();
    let calls = bed.home.folder().join("calls");
    drop(fs::remove_file(&calls));
    bed.command().instead_of("systemctl", &failing("100000", false)).run();
    let last: usize = fs::read_to_string(&calls).unwrap().trim().parse().unwrap();
    let numbers: Vec<String> = points((1..=last).map(|number| number.to_string()).collect());
    sweep(bed, &format!("one failing systemctl in {:?} ({last} calls)", bed.change), numbers.clone(), |bed, number| {
        drop(fs::remove_file(&calls));
        Ended { mends: false, ..run(bed.command().instead_of("systemctl", &failing(number, false))) }
    });
    // The undo fails too: it says with which commands a person brings back what was.
    sweep(bed, &format!("systemctl failing from one call on in {:?}", bed.change), numbers, |bed, number| {
        drop(fs::remove_file(&calls));
        let mut ended = run(bed.command().instead_of("systemctl", &failing(number, true)));
        let lines: Vec<String> = ended
            .said
            .lines()
            .filter_map(|line| line.strip_prefix("  NOT put back: run "))
            .map(str::to_owned)
            .collect();
        for line in lines {
            let commands = line.split_once(" (").expect("how to mend it").0;
            for command in commands.split('`').skip(1).step_by(2) {
                writeln!(ended.said, "by hand: {command}").expect("memory");
                drop(Command::new("sh").args(["-c", command]).output());
            }
        }
        ended.mends = false;
        ended
    });
}

fn fill_the_disk(bed: &Bed) {
    bed.set_up();
    let calls = bed.calls(FILLS);
    let what = format!("a full disk at each write of {:?} ({} of them)", bed.change, calls.len());
    // Once, and from there on for good. What could not be put back then is put back by the next run.
    let points = points(calls)
        .into_iter()
        .flat_map(|(call, number)| ["", "+"].map(|later| format!("{call}:error=ENOSPC:when={number}{later}")));
    sweep(bed, &what, points.collect(), injected);
}

macro_rules! sweeps {
    ($($name:ident, $service:literal, $change:ident;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            #[ignore = "needs a booted systemd: tests/run"]
            fn killed_at_every_boundary() {
                kill_at_every_boundary(&Bed::new(concat!("sweep-boundary-", $service), Change::$change));
            }

            #[test]
            #[ignore = "needs a booted systemd: tests/run"]
            fn killed_at_any_instant() {
                kill_at_random_instants(&Bed::new(concat!("sweep-instant-", $service), Change::$change));
            }

            #[test]
            #[ignore = "needs a booted systemd: tests/run"]
            fn with_failing_commands() {
                fail_every_command(&Bed::new(concat!("sweep-fail-", $service), Change::$change));
            }

            #[test]
            #[ignore = "needs a booted systemd: tests/run"]
            fn on_a_full_disk() {
                fill_the_disk(&Bed::new(concat!("sweep-full-", $service), Change::$change));
            }
        }
    )*};
}

sweeps! {
    install, "install", Install;
    update, "update", Update;
    update_encrypted, "encrypted-update", UpdateEncrypted;
    update_python, "python-update", UpdatePython;
    update_links, "links-update", UpdateLinks;
    update_after_cut, "update-after-cut", UpdateAfterCut;
    reinstall_running, "reinstall-on", ReinstallRunning;
    reinstall_stopped, "reinstall-off", ReinstallStopped;
    remove, "remove", Remove;
    adopt, "adopt", Adopt;
    release, "release", Release;
    adopt_timer, "adopt-timer", AdoptTimer;
    release_timer, "release-timer", ReleaseTimer;
}
