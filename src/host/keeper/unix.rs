//! A process of our own, the keeper, stands between. It has nothing of ours open, no terminal and nothing of our
//! environment; whoever loses its parent below it becomes its child (PR_SET_CHILD_SUBREAPER of prctl(2)), so that it
//! can end them all. It does so once the code has ended, when it is asked to, and when we are gone.
//!
//! What it is to do comes through a pipe: variables may be secret.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::{Kept, Long, Task};
use crate::error::Error;
use crate::host::process::{self, Manner, Outcome};
use crate::host::text::os;
use crate::host::{interrupt, privilege};
use crate::model::text::Text;

/// The name by which our executable knows that it is the keeper.
const NAME: &str = "InstallService-keeper";

/// How long what the code has started may go on after its end, in the keeping of which it is: what it does not wait
/// for itself ends a moment later.
const BREATH: Duration = Duration::from_millis(100);
/// How long it takes at most to end what has to be ended.
const PATIENCE: Duration = Duration::from_secs(5);
/// Time between two looks at that.
const PAUSE: Duration = Duration::from_millis(2);
/// How much is taken of what the keeper says: all that it keeps of what the code has printed.
const MOST: usize = 32 << 20;

/// What the keeper says of it, before what the code has printed to the one stream and to the other.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Report {
    /// Why it could not be started.
    failure: Option<String>,
    status: i32,
    /// How much it has printed, in bytes.
    stdout: usize,
    stderr: usize,
    is_cut: bool,
    left: Vec<Text>,
    stays: Vec<Text>,
}

/// Runs `task` for at most `limit`. When it takes `long`, something is done.
///
/// # Errors
/// When it cannot be started; [`Error::Interrupted`] when it was ended by an interrupt.
pub fn run(task: &Task, limit: Duration, long: Long<'_>) -> Result<Kept, Error> {
    let failed = |outcome: String| Error::Command { command: task.argv.summary(), outcome, stderr: String::new() };
    let input = serde_json::to_vec(task).map_err(|error| failed(error.to_string()))?;
    let mut command = Command::new(executable().map_err(|error| failed(error.to_string()))?);
    command.arg0(NAME).env_clear().current_dir("/");
    let manner = Manner { limit, grace: PATIENCE * 2, long, most: MOST, account: None };
    let Some(said) = process::run_for(command, &task.argv, &input, manner)? else {
        return Ok(Kept { outcome: None, left: Vec::new(), stays: Vec::new() });
    };
    let (report, printed) =
        Report::read(&said.stdout).ok_or_else(|| failed(format!("it ended with {}", said.status)))?;
    if let Some(reason) = report.failure {
        return Err(failed(reason));
    }
    let (stdout, stderr) = printed.split_at(report.stdout);
    let outcome = Outcome {
        status: ExitStatus::from_raw(report.status),
        stdout: stdout.to_vec(),
        stderr: stderr.to_vec(),
        is_cut: report.is_cut,
    };
    Ok(Kept { outcome: Some(outcome), left: report.left, stays: report.stays })
}

/// This very program, also where its file is another one by now.
fn executable() -> io::Result<std::path::PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

impl Report {
    fn read(said: &[u8]) -> Option<(Self, &[u8])> {
        let end = said.iter().position(|byte| *byte == b'\n')?;
        let report: Self = serde_json::from_slice(&said[..end]).ok()?;
        let printed = &said[end + 1..];
        (printed.len() == report.stdout + report.stderr).then_some((report, printed))
    }
}

/// Whether this process was started to be the keeper.
pub fn is_asked_for(argv: &[std::ffi::OsString]) -> bool {
    matches!(argv, [name] if name == NAME)
}

/// Is the keeper: does the one task that comes on standard input, and says what came of it; gives the exit code.
///
/// # Errors
/// When the task does not come whole, or nobody is there to be told.
pub fn serve() -> Result<u8, Error> {
    let failed = |source: io::Error| Error::io("keeping what was started", &Text::from(NAME), source);
    close_all_but_the_usual();
    interrupt::listen();
    leave_everything();
    let mut input = Vec::new();
    io::stdin().read_to_end(&mut input).map_err(failed)?;
    let task: Task = serde_json::from_slice(&input).map_err(|error| failed(error.into()))?;
    let mut command = Command::new(os(task.argv.0.first().unwrap_or(&Text::default())));
    command.args(task.argv.0.iter().skip(1).map(os)).current_dir(os(&task.directory)).env_clear();
    command.envs(task.environment.iter().map(|(name, value)| (os(name), os(value))));
    let manner =
        Manner { limit: Duration::MAX, grace: Duration::ZERO, account: task.account.as_ref(), ..Manner::default() };
    let result = process::run_for(command, &task.argv, &[], manner);
    let (left, stays) = end_descendants(if result.is_ok() { BREATH } else { Duration::ZERO });
    let mut report = Report { left, stays, ..Report::default() };
    let mut printed = [Vec::new(), Vec::new()];
    match result {
        Ok(Some(outcome)) => {
            report.status = outcome.status.into_raw();
            report.is_cut = outcome.is_cut;
            (report.stdout, report.stderr) = (outcome.stdout.len(), outcome.stderr.len());
            printed = [outcome.stdout, outcome.stderr];
        }
        Ok(None) => {}
        Err(Error::Command { outcome, .. }) => report.failure = Some(outcome),
        Err(error) => report.failure = Some(error.to_string()),
    }
    let mut said = serde_json::to_vec(&report).map_err(|error| failed(error.into()))?;
    said.push(b'\n');
    printed.iter().for_each(|printed| said.extend_from_slice(printed));
    io::stdout().write_all(&said).map_err(failed)?;
    Ok(crate::error::exit::OK)
}

/// Closes what we have inherited beside the three usual streams: what is ours to hold, such as the lock, and what the
/// caller had open.
fn close_all_but_the_usual() {
    let listed = fs::read_dir("/dev/fd").into_iter().flatten().flatten();
    let numbers: Vec<i32> = listed.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // The one by which they were listed is closed already.
        _ = nix::unistd::close(number);
    }
}

/// From now on this process has no terminal, whose input whoever has it could type, and no core; it is the parent of
/// whoever below it loses one, and is asked to end when its own parent is gone.
fn leave_everything() {
    _ = nix::unistd::setsid();
    privilege::hide_memory();
    #[cfg(target_os = "linux")]
    {
        _ = nix::sys::prctl::set_child_subreaper(true);
        _ = nix::sys::prctl::set_pdeathsig(Signal::SIGTERM);
    }
}

/// Ends all that descends from this process and has not come to its end within `breath`; gives the names of what was
/// ended, and of what could not be.
fn end_descendants(breath: Duration) -> (Vec<Text>, Vec<Text>) {
    let begun = Instant::now();
    let mut ended: Vec<(Pid, Text)> = Vec::new();
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => {}
            // Without a child there is no descendant: whoever lost its parent would be one.
            Err(Errno::ECHILD) => return (names(ended), Vec::new()),
            _ => continue,
        }
        let passed = begun.elapsed();
        if passed >= breath {
            let found = descendants();
            if passed > PATIENCE {
                ended.retain(|(process, _)| !found.iter().any(|(other, _)| other == process));
                return (names(ended), names(found));
            }
            for (process, name) in found {
                _ = kill(process, Signal::SIGKILL);
                if !ended.iter().any(|(other, _)| *other == process) {
                    ended.push((process, name));
                }
            }
        }
        std::thread::sleep(PAUSE);
    }
}

fn names(processes: Vec<(Pid, Text)>) -> Vec<Text> {
    let mut names: Vec<Text> = processes.into_iter().map(|(_, name)| name).collect();
    names.sort();
    names.dedup();
    names
}

/// All that descends from this process, with its name (`/proc/PID/stat` of proc(5)).
fn descendants() -> Vec<(Pid, Text)> {
    let listed = fs::read_dir("/proc").into_iter().flatten().flatten();
    let all: Vec<(Pid, Pid, Text)> = listed.filter_map(|entry| relation(&entry.path().join("stat"))).collect();
    let mut found: Vec<(Pid, Text)> = Vec::new();
    let mut parents = vec![Pid::this()];
    while let Some(parent) = parents.pop() {
        for (process, _, name) in all.iter().filter(|(_, of, _)| *of == parent) {
            parents.push(*process);
            found.push((*process, name.clone()));
        }
    }
    found
}

/// A process, its parent and its name: `17 (a (b) c) S 1 ...`.
fn relation(stat: &std::path::Path) -> Option<(Pid, Pid, Text)> {
    let stat = fs::read(stat).ok()?;
    let (open, close) = (stat.iter().position(|byte| *byte == b'(')?, stat.iter().rposition(|byte| *byte == b')')?);
    let number = |word: &[u8]| std::str::from_utf8(word).ok()?.trim().parse().ok().map(Pid::from_raw);
    let process = number(&stat[..open])?;
    let parent = number(stat.get(close + 1..)?.trim_ascii_start().split(|byte| *byte == b' ').nth(1)?)?;
    Some((process, parent, Text::from_bytes(&stat[open + 1..close])))
}
