//! `cargo bench`: the wall time of whole commands, from start to end of the process.
//!
//! The time of help and dry run is compared with that of starting `/bin/true`. As root, and with the
//! packages of tests/beds/packages.sh, an install is compared with writing the same unit and running one
//! `systemctl enable`, on a booted systemd that is thrown away afterwards. With `OMSI_PYTHON`, the
//! interpreter of an environment that has OpenMSIStream, its own commands are timed, too.
//!
//! Measurements are taken in turns (one of each, then again), so that what else the machine does falls on
//! all of them. docs/benchmarks.md has the figures. `cargo bench -- exporting many` takes these parts alone.
#![allow(clippy::disallowed_methods, reason = "a benchmark may touch the machine")]
#![allow(missing_docs, reason = "a program")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

/// The goals: a median, over the median of the first row of its table.
const HELP: f64 = 2.5;
const INSTALL: f64 = 1.10;
const EXPORT: f64 = 2.0;

/// One row of a table: what is timed, and what is done before each time without being timed.
struct Row {
    name: &'static str,
    before: Box<dyn FnMut()>,
    run: Box<dyn FnMut()>,
    goal: Option<f64>,
}

impl Row {
    fn new(name: &'static str, goal: Option<f64>, run: impl FnMut() + 'static) -> Self {
        Self { name, before: Box::new(|| ()), run: Box::new(run), goal }
    }

    fn before(mut self, before: impl FnMut() + 'static) -> Self {
        self.before = Box::new(before);
        self
    }
}

/// Takes `rounds` measurements of each row in turns and prints a table; false if a goal is missed.
fn table(title: &str, rounds: usize, mut rows: Vec<Row>) -> bool {
    let mut times: Vec<Vec<Duration>> = vec![Vec::with_capacity(rounds); rows.len()];
    for round in 0..=rounds {
        for (row, times) in rows.iter_mut().zip(&mut times) {
            (row.before)();
            let begun = Instant::now();
            (row.run)();
            // The first round warms the caches.
            if round > 0 {
                times.push(begun.elapsed());
            }
        }
    }
    println!("\n{title} ({rounds} rounds)\n");
    println!("| | median | fastest | over the first | goal |");
    println!("| --- | --- | --- | --- | --- |");
    let medians: Vec<f64> = times
        .iter_mut()
        .map(|times| {
            times.sort();
            times[times.len() / 2].as_secs_f64() * 1e3
        })
        .collect();
    let mut met = true;
    for ((row, median), times) in rows.iter().zip(&medians).zip(&times) {
        let over = median / medians[0];
        let goal = row.goal.map(|goal| {
            met &= over <= goal;
            format!("{goal} {}", if over <= goal { "met" } else { "MISSED" })
        });
        let fastest = times[0].as_secs_f64() * 1e3;
        println!("| {} | {median:.2} ms | {fastest:.2} ms | {over:.2} | {} |", row.name, goal.unwrap_or_default());
    }
    met
}

fn install_service() -> &'static str {
    env!("CARGO_BIN_EXE_InstallService")
}

/// A command that must succeed, without output.
#[track_caller]
fn run(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) {
    let mut command = Command::new(&program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status().unwrap_or_else(|error| panic!("{:?}: {error}", program.as_ref()));
    assert!(status.success(), "{:?} {arguments:?}: {status}", program.as_ref());
}

const CLOCK: [&str; 6] = ["--service_name", "clock", "--", "/bin/sh", "-c", "while date; do sleep 60; done"];

fn with_clock(options: &[&'static str]) -> Vec<&'static str> {
    options.iter().copied().chain(CLOCK).collect()
}

/// What needs no rights: reading the command line, and printing.
fn starting() -> bool {
    let ours =
        |name, arguments: Vec<&'static str>| Row::new(name, Some(HELP), move || run(install_service(), &arguments));
    let rows = vec![
        Row::new("`/bin/true`", None, || run("/bin/true", &[])),
        ours("`InstallService -h`", vec!["-h"]),
        ours("`InstallService DataFileUploadDirectory -h`", vec!["DataFileUploadDirectory", "-h"]),
        ours("`InstallService --dry-run ... -- /bin/sh ...`", with_clock(&["--dry-run"])),
        ours("the same with `--format json`", with_clock(&["--dry-run", "--format", "json"])),
    ];
    let met = table("Help and dry run", 400, rows);
    if let Some(bin) = openmsistream() {
        let commands = [
            ("`InstallService -h`", vec!["-h"]),
            ("`InstallService DataFileUploadDirectory -h`", vec!["DataFileUploadDirectory", "-h"]),
        ];
        for (name, arguments) in commands {
            let (theirs, words) = (bin.join("InstallService"), arguments.clone());
            let rows = vec![
                Row::new(name, None, move || run(install_service(), &arguments)),
                Row::new("OpenMSIStream's", None, move || run(&theirs, &words)),
            ];
            table("Against OpenMSIStream", 30, rows);
        }
    }
    met
}

/// The folder of OpenMSIStream's own commands.
fn openmsistream() -> Option<PathBuf> {
    Some(Path::new(&env::var_os("OMSI_PYTHON")?).parent()?.to_owned())
}

const UNIT: &str = "/etc/systemd/system/clock.service";
const STATE: &str = "/var/lib/install-service";

/// Takes the service away by hand, and lets systemd forget it.
fn clean() {
    for path in [UNIT, "/etc/systemd/system/multi-user.target.wants/clock.service"] {
        drop(fs::remove_file(path));
    }
    drop(fs::remove_dir_all(STATE));
    run("systemctl", &["daemon-reload"]);
}

/// What changes the machine; only ever on a booted systemd that is thrown away.
fn installing() -> bool {
    clean();
    run(install_service(), &CLOCK);
    let unit = fs::read(UNIT).expect("the unit that was just installed");
    let by_hand = move || {
        fs::write(UNIT, &unit).expect("to write the unit");
        run("systemctl", &["enable", "clock.service"]);
    };
    let rows = vec![
        Row::new("write the unit, `systemctl enable`", None, by_hand).before(clean),
        Row::new("`InstallService ...`", Some(INSTALL), || run(install_service(), &CLOCK)).before(clean),
        Row::new("the same again: nothing to do", None, || run(install_service(), &CLOCK)),
    ];
    let met = table("Installing", 100, rows);
    if let Some(bin) = openmsistream() {
        against_openmsistream(&bin);
    }
    met
}

/// The same service of one of its programs, installed by ours and by its own command.
fn against_openmsistream(bin: &Path) {
    fs::create_dir_all("/srv/lab").expect("a directory to upload");
    fs::write("/srv/lab/lab.config", "[broker]\nbootstrap.servers = localhost:9092\n").expect("a config file");
    let arguments =
        |name| ["DataFileUploadDirectory", "/srv/lab", "--config", "/srv/lab/lab.config", "--service_name", name];
    let python = bin.join("python").into_os_string().into_string().expect("a path of plain text");
    let forget = || {
        drop(fs::remove_file("/etc/systemd/system/ours.service"));
        drop(fs::remove_dir_all(STATE));
        run("systemctl", &["daemon-reload"]);
    };
    let theirs = bin.join("InstallService");
    let rows = vec![
        Row::new("`InstallService DataFileUploadDirectory ...`, its import checked", None, move || {
            run(install_service(), &[&["--python", &python][..], &arguments("ours")].concat());
        })
        .before(forget),
        Row::new("OpenMSIStream's", None, move || run(&theirs, &arguments("theirs"))),
    ];
    table("Installing, against OpenMSIStream", 15, rows);
}

/// A manifest of so many services, in a file.
fn manifest(count: usize) -> String {
    let path = format!("{FOLDER}/many-{count}.toml");
    let blocks: String = (0..count)
        .map(|number| {
            format!(
                "[[service]]\nname = \"many-{number}\"\nexecutable = \"/bin/sleep\"\narguments = [\"{}\"]\n\
                 environment = {{ NUMBER = \"{number}\" }}\n",
                1000 + number
            )
        })
        .collect();
    fs::create_dir_all(FOLDER).expect("a folder");
    fs::write(&path, format!("[defaults]\nworking_directory = \"/srv\"\n{blocks}")).expect("a manifest");
    path
}

/// Where manifests and trees of the benchmark lie, in memory where that is so.
const FOLDER: &str = "/tmp/install-service-bench";

/// Takes many services away by hand.
fn clean_many() {
    drop(fs::remove_dir_all(STATE));
    run("find", &["/etc/systemd/system", "-name", "many-*", "-delete"]);
    run("systemctl", &["daemon-reload"]);
}

/// One manifest of many services, beside the same files copied and enabled by hand, and beside one call for each.
fn many() -> bool {
    let mut met = true;
    for (count, rounds) in [(1, 21), (10, 15), (100, 9), (500, 9)] {
        let manifest = manifest(count);
        let tree = format!("{FOLDER}/tree-{count}");
        drop(fs::remove_dir_all(&tree));
        run(install_service(), &["--manifest", &manifest, "--output", &tree]);
        let units: Vec<String> = (0..count).map(|number| format!("many-{number}.service")).collect();
        let by_hand = move || {
            run("cp", &["-r", &format!("{tree}/etc"), &format!("{tree}/var"), "/"]);
            run("systemctl", &[&["enable"], &*units.iter().map(String::as_str).collect::<Vec<_>>()].concat());
        };
        let ours = manifest.clone();
        let again = manifest.clone();
        let mut rows = vec![
            Row::new("copy the files, one `systemctl enable`", None, by_hand).before(clean_many),
            Row::new("`InstallService --manifest`", Some(INSTALL), move || {
                run(install_service(), &["--manifest", &ours]);
            })
            .before(clean_many),
            Row::new("the same again: nothing to do", None, move || run(install_service(), &["--manifest", &again])),
        ];
        // Half a second each: 500 of them are not worth the wait.
        if (2..=100).contains(&count) {
            let one_by_one = move || {
                for number in 0..count {
                    let (name, seconds) = (format!("many-{number}"), (1000 + number).to_string());
                    let variable = format!("NUMBER={number}");
                    let line = ["--service_name", &name, "--working-directory", "/srv", "--env", &variable];
                    run(install_service(), &[&line[..], &["--", "/bin/sleep", &seconds]].concat());
                }
            };
            rows.push(Row::new("one call for each", None, one_by_one).before(clean_many));
        }
        met &= table(&format!("{count} services"), if count == 100 { 3 } else { rounds }, rows);
        clean_many();
    }
    met
}

/// What commands take, by themselves, and how it grows.
#[cfg(unix)]
mod growth {
    use super::{Command, FOLDER, Stdio, clean_many, env, fs, install_service, manifest, run};

    /// Seconds of processor time that a call for 500 services with nothing to do may take, itself alone.
    const AGAIN: f64 = 1.0;
    /// What 500 services may take of memory, over what one takes.
    const MEMORY: f64 = 2.5;

    /// What one command takes, itself alone.
    #[derive(Clone, Copy)]
    pub(super) struct Taken {
        /// Seconds of processor time, in user space and in the kernel.
        pub(super) seconds: f64,
        megabytes: f64,
    }

    /// Runs a command in a process that has no other child, which can tell what it took.
    pub(super) fn taken(program: &str, arguments: &[&str]) -> Taken {
        let mut teller = Command::new(env::current_exe().expect("its own path"));
        let output = teller.arg(TELL).arg(program).args(arguments).stderr(Stdio::inherit()).output().expect("itself");
        let text = String::from_utf8(output.stdout).expect("numbers");
        let numbers: Vec<f64> = text.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        let [seconds, megabytes] = numbers[..] else { panic!("{program} {arguments:?}: {text:?}") };
        Taken { seconds, megabytes }
    }

    pub(super) const TELL: &str = "--tell";

    /// The other side of [`taken`].
    pub(super) fn tell(words: &[String]) {
        use nix::sys::resource::{UsageWho, getrusage};
        let arguments: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        run(&words[0], &arguments);
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("what it took");
        let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
        println!("{} {}", seconds(usage.user_time()) + seconds(usage.system_time()), usage.max_rss() as f64 / 1024.0);
    }

    /// A table of what calls for a growing number of services take. False if the last but one, for 500, takes
    /// too much of the goals that are given.
    fn growth(title: &str, calls: &[(usize, Vec<Taken>)], names: &[&str], again: Option<usize>) -> bool {
        println!("\n{title}: processor time and memory of the command alone, median\n");
        println!("| services | {} |", names.join(" | "));
        println!("| --- |{}", " --- |".repeat(names.len()));
        for (count, taken) in calls {
            let cells = taken.iter().map(|taken| format!("{:.0} ms, {:.1} MB", taken.seconds * 1e3, taken.megabytes));
            println!("| {count} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
        let of = |wanted: usize| calls.iter().find(|(count, _)| *count == wanted).map(|(_, taken)| taken.as_slice());
        let (Some(one), Some(many)) = (of(1), of(500)) else { panic!("no row of one and of 500") };
        let flat = one.iter().zip(many).all(|(one, many)| many.megabytes <= MEMORY * one.megabytes);
        let short = again.is_none_or(|at| many[at].seconds <= AGAIN);
        println!("\nmemory flat: {flat}; 500 again within {AGAIN} s: {short}");
        flat && short
    }

    /// The one in the middle, by time.
    fn median(mut all: Vec<Taken>) -> Taken {
        all.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
        all[all.len() / 2]
    }

    /// What it takes to preview and to export many.
    pub(super) fn needs() -> bool {
        let new = format!("{FOLDER}/new");
        let rows: Vec<(usize, Vec<Taken>)> = [1, 10, 100, 500, 10_000]
            .into_iter()
            .map(|count| {
                let manifest = manifest(count);
                let preview = (0..5).map(|_| taken(install_service(), &["--manifest", &manifest, "--dry-run"]));
                let export = (0..5).map(|_| {
                    drop(fs::remove_dir_all(&new));
                    taken(install_service(), &["--manifest", &manifest, "--output", &new])
                });
                (count, vec![median(preview.collect()), median(export.collect())])
            })
            .collect();
        drop(fs::remove_dir_all(FOLDER));
        growth("Without a service manager", &rows, &["`--dry-run`", "`--output`"], None)
    }

    /// What it takes to install many, and again.
    pub(super) fn installing_needs() -> bool {
        let rows: Vec<(usize, Vec<Taken>)> = [1, 10, 100, 500]
            .into_iter()
            .map(|count| {
                let manifest = manifest(count);
                clean_many();
                let first = taken(install_service(), &["--manifest", &manifest]);
                let again = (0..5).map(|_| taken(install_service(), &["--manifest", &manifest]));
                (count, vec![first, median(again.collect())])
            })
            .collect();
        clean_many();
        growth("On a booted systemd", &rows, &["install", "again"], Some(1))
    }
}

/// What of an install is ours, and not systemd's: one `systemctl enable` is its only child, which the table of
/// [`installing`] has, too.
#[cfg(unix)]
fn share() -> bool {
    println!("\nWhat is ours of an install\n");
    println!("| services | processor time, `systemctl` included | syncs | child processes |");
    println!("| --- | --- | --- | --- |");
    let mut met = true;
    for count in [1, 10, 100, 500] {
        let manifest = manifest(count);
        let log = format!("{FOLDER}/strace.log");
        clean_many();
        let seconds = growth::taken(install_service(), &["--manifest", &manifest]).seconds;
        clean_many();
        let calls = ["-f", "-qq", "-e", "signal=none", "-e", "trace=fsync,fdatasync,syncfs,sync,execve", "-o", &log];
        run("strace", &[&calls[..], &[install_service(), "--manifest", &manifest]].concat());
        let log = fs::read_to_string(log).expect("what strace saw");
        let started = log.lines().filter(|line| line.contains(" execve(") && line.ends_with(" = 0")).count();
        let syncs = log.lines().filter(|line| line.contains("sync") && line.contains('(')).count();
        println!("| {count} | {:.0} ms | {syncs} | {} |", seconds * 1e3, started - 1);
        met &= started == 2;
    }
    clean_many();
    met
}

/// `--output` of ten thousand services, beside copying the tree.
fn exporting() -> bool {
    let manifest = manifest(10_000);
    let [tree, copy] = ["tree", "copy"].map(|name| format!("{FOLDER}/{name}"));
    run(install_service(), &["--manifest", &manifest, "--output", &tree]);
    let forget = |path: String| move || drop(fs::remove_dir_all(&path));
    let (from, to, new) = (tree.clone(), copy.clone(), format!("{FOLDER}/new"));
    let rows = vec![
        Row::new("`cp -r` of the tree", None, move || run("cp", &["-r", &from, &to])).before(forget(copy)),
        Row::new("`InstallService --output`", Some(EXPORT), {
            let (manifest, new) = (manifest.clone(), new.clone());
            move || run(install_service(), &["--manifest", &manifest, "--output", &new])
        })
        .before(forget(new)),
        Row::new("the same again: an update", None, move || {
            run(install_service(), &["--manifest", &manifest, "--output", &tree]);
        }),
    ];
    let met = table("Exporting 10,000 services", 9, rows);
    drop(fs::remove_dir_all(FOLDER));
    met
}

/// Runs these parts of the benchmark again on a booted systemd.
fn in_a_bed(parts: &[String]) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let itself = env::current_exe().expect("its own path");
    let target = Path::new(install_service()).parent().and_then(Path::parent).expect("the target directory");
    let mut bed = Command::new(root.join("tests/beds/systemd.sh"));
    bed.args(["with", &format!("bench-{}", std::process::id()), "--bind"]).arg(target);
    bed.arg("env");
    if let Some(python) = env::var_os("OMSI_PYTHON") {
        bed.arg({
            let mut setting = std::ffi::OsString::from("OMSI_PYTHON=");
            setting.push(python);
            setting
        });
    }
    bed.arg(itself).arg("--in-the-bed").args(parts).status().is_ok_and(|status| status.success())
}

#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

/// Its name, whether it wants a booted systemd, and what it measures: false if a goal is missed.
type Part = (&'static str, bool, fn() -> bool);

const PARTS: &[Part] = &[
    ("starting", false, starting),
    #[cfg(unix)]
    ("needs", false, growth::needs),
    ("exporting", false, exporting),
    ("installing", true, installing),
    #[cfg(unix)]
    ("installing-needs", true, growth::installing_needs),
    #[cfg(unix)]
    ("share", true, share),
    ("many", true, many),
];

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    #[cfg(unix)]
    if words.first().is_some_and(|word| word == growth::TELL) {
        growth::tell(&words[1..]);
        return ExitCode::SUCCESS;
    }
    let named = |name: &str| words.iter().any(|word| word == name);
    let all = !PARTS.iter().any(|(name, ..)| named(name));
    let inside = named("--in-the-bed");
    let mut met = true;
    for (_, _, part) in PARTS.iter().filter(|(name, bed, _)| *bed == inside && (all || named(name))) {
        met &= part();
    }
    let wanted: Vec<String> = PARTS
        .iter()
        .filter(|(name, bed, _)| *bed && (all || named(name)))
        .map(|(name, ..)| (*name).to_owned())
        .collect();
    if !inside && !wanted.is_empty() {
        if is_root() && Path::new("/usr/bin/systemd-nspawn").exists() {
            met &= in_a_bed(&wanted);
        } else {
            println!(
                "\nInstalling is timed as root, where systemd-nspawn is: sudo env PATH=\"$PATH\" HOME=\"$HOME\" cargo bench"
            );
        }
    }
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
