//! Running other programs: the one door, with their words kept.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::talk::{Printed, Talk};
use super::text::os;
use super::{environment, interrupt};
use crate::error::{Error, words_of};
use crate::model::invocation::Invocation;
use crate::model::text::Text;

/// Longest time that a command may take of which nothing else is said.
const LIMIT: Duration = Duration::from_secs(400);
/// Longest time that an answer may take, whatever the question.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How much longer for each word of it: it may name hundreds of services, on a machine with much else to do.
const ANSWER_SHARE: Duration = Duration::from_millis(500);
/// How much is kept of the beginning of what a command prints, and as much of the end, in bytes.
const MOST: usize = 4 << 20;
/// How many lines may wait to be handed on.
const LINES_AHEAD: usize = 64;
/// A longer line is handed on in parts, in bytes.
const LONGEST_LINE: u64 = 1 << 20;
/// How long a command may take to end that is asked to.
const GRACE: Duration = Duration::from_millis(500);
/// Longest time between two looks at a command that runs, and at what is to end it.
const PAUSE: Duration = Duration::from_millis(10);
/// Shortest time between them.
const SHORTEST_PAUSE: Duration = Duration::from_micros(200);
/// How long systemctl lets systemd take for a request, in seconds. It would give up after 25 otherwise, while
/// systemd goes on (`docs/ENVIRONMENT.md` of systemd).
const BUS_TIMEOUT: (&str, &str) = ("SYSTEMD_BUS_TIMEOUT", "300");

/// How Windows refuses to start a process that it has no means for at the moment (ERROR_INTERNAL_ERROR).
#[cfg(windows)]
const REFUSED: i32 = 1359;
/// How often a command is begun again that did not come to its first instruction: nothing was done.
const BEGUN_AGAIN: usize = 3;
/// And after how long each time.
const BREATH: Duration = Duration::from_millis(500);

/// What a command of Windows reads: nothing, from a file that stays open until the command has ended, also
/// where we are killed before it.
#[cfg(windows)]
static LENT: std::sync::Mutex<Option<std::fs::File>> = std::sync::Mutex::new(None);

/// From now on every command has `file`, which is empty, for its standard input; with `None` it has nothing.
#[cfg(windows)]
pub fn lend(file: Option<std::fs::File>) {
    *LENT.lock().expect("nobody panics with it") = file;
}

/// Nothing to read.
fn nothing() -> Stdio {
    #[cfg(windows)]
    if let Some(file) = &*LENT.lock().expect("nobody panics with it")
        && let Ok(file) = file.try_clone()
    {
        return file.into();
    }
    Stdio::null()
}

/// How a command ended, with its output.
#[derive(Debug)]
pub struct Outcome {
    /// The exit status.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Whether it printed so much that a part of it is left out.
    pub is_cut: bool,
}

/// How a command is started, and waited for.
pub struct Manner<'a> {
    /// How long it may take.
    pub limit: Duration,
    /// How long it may take to end once it is asked to.
    pub grace: Duration,
    /// What is done once when it takes longer than this.
    pub long: Option<(Duration, &'a mut dyn FnMut())>,
    /// How much is kept of the beginning of what it prints, and as much of the end, in bytes.
    pub most: usize,
    /// Who it runs as; `None` is whoever runs this.
    #[cfg(unix)]
    pub account: Option<&'a super::account::Account>,
    /// What it belongs to with all that it starts.
    #[cfg(windows)]
    pub job: Option<&'a super::job::Own>,
}

impl Default for Manner<'_> {
    fn default() -> Self {
        Self {
            limit: LIMIT,
            grace: GRACE,
            long: None,
            most: MOST,
            #[cfg(unix)]
            account: None,
            #[cfg(windows)]
            job: None,
        }
    }
}

impl Outcome {
    /// The exit code; `None` when a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Standard output as text.
    pub fn text(&self) -> String {
        decode(&self.stdout)
    }

    /// Standard error as text.
    pub fn errors(&self) -> String {
        decode(&self.stderr)
    }
}

/// What a program printed. NSSM 2.24 writes UTF-16 without a mark and ends its lines in CR CR LF, 2.24-101 writes bytes.
pub fn decode(bytes: &[u8]) -> String {
    let is_utf16 = bytes.len() >= 2 && bytes.iter().skip(1).step_by(2).any(|byte| *byte == 0);
    if !is_utf16 {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    String::from_utf16_lossy(&units).replace('\r', "")
}

/// Runs `invocation` with nothing on its standard input, whatever its exit code.
///
/// Messages are asked for in plain English: tests and people compare them, and no code reads them.
///
/// # Errors
/// When it cannot be started, or does not end in time; [`Error::Interrupted`] when it was ended by an interrupt.
pub fn capture(invocation: &Invocation) -> Result<Outcome, Error> {
    capture_within(invocation, LIMIT)
}

/// [`capture`] of a command that may take as long as `limit`.
///
/// # Errors
/// As [`capture`].
pub fn capture_within(invocation: &Invocation, limit: Duration) -> Result<Outcome, Error> {
    captured(invocation, &[], limit)
}

/// [`capture`] of a question, which changes nothing and is answered soon or never; with `input` on its
/// standard input.
///
/// # Errors
/// As [`capture`].
pub fn ask(invocation: &Invocation, input: &[u8]) -> Result<Outcome, Error> {
    let words = u32::try_from(invocation.0.len()).unwrap_or(u32::MAX);
    captured(invocation, input, ANSWER_LIMIT.saturating_add(ANSWER_SHARE.saturating_mul(words)))
}

fn captured(invocation: &Invocation, input: &[u8], limit: Duration) -> Result<Outcome, Error> {
    let outcome = run_for(command(invocation), invocation, input, Manner { limit, ..Manner::default() })?;
    outcome.ok_or_else(|| too_late(invocation, limit))
}

/// The error of a command that did not end within `limit`.
pub fn too_late(invocation: &Invocation, limit: Duration) -> Error {
    let outcome = format!("it did not end within {} s and was killed", limit.as_secs());
    Error::Command { command: invocation.summary(), outcome, stderr: String::new() }
}

/// Runs a command that is called `invocation` in messages; `None` where it had to be ended, because it was not done in
/// time.
///
/// # Errors
/// As [`capture`].
pub fn run_for(
    mut command: Command,
    invocation: &Invocation,
    input: &[u8],
    mut manner: Manner,
) -> Result<Option<Outcome>, Error> {
    for _ in 0..BEGUN_AGAIN {
        let outcome = run_once(&mut command, invocation, input, &mut manner)?;
        if !outcome.as_ref().is_some_and(|outcome| never_began(outcome.status)) {
            return Ok(outcome);
        }
        // Also time for the interrupt to be noted that was meant for us.
        thread::sleep(BREATH);
        interrupt::check()?;
    }
    run_once(&mut command, invocation, input, &mut manner)
}

/// Whether a process of Windows did not come to its first instruction (STATUS_DLL_INIT_FAILED of MS-ERREF 2.3), as
/// happens on a machine with too much to do.
#[cfg(windows)]
fn never_began(status: ExitStatus) -> bool {
    const NEVER_BEGAN: i32 = 0xc000_0142_u32.cast_signed();
    status.code() == Some(NEVER_BEGAN)
}

/// Whether Ctrl-C has hit a command in the instant before it had a process group of its own. Where interrupts are not
/// heard, it has none.
#[cfg(unix)]
fn never_began(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    interrupt::is_heard() && status.signal() == Some(nix::sys::signal::Signal::SIGINT as i32)
}

fn run_once(
    command: &mut Command,
    invocation: &Invocation,
    input: &[u8],
    manner: &mut Manner,
) -> Result<Option<Outcome>, Error> {
    let failed = |source: io::Error| could_not_run(invocation, &source);
    command.stdin(if input.is_empty() { nothing() } else { Stdio::piped() });
    let mut talk = Talk::prepare(command, manner.most).map_err(failed)?;
    let mut child = manner.spawn(command).map_err(failed)?;
    talk.begin(command, &mut child, input).map_err(failed)?;
    let waited = wait(&mut child, &mut talk, manner);
    let unsaid = talk.unsaid();
    let [Printed { bytes: stdout, is_cut }, Printed { bytes: stderr, .. }] = talk.end();
    match waited.map_err(failed)? {
        Waited::Ended(status) => match unsaid {
            // One that failed says why by itself.
            Some(source) if status.success() => Err(Error::Command {
                command: invocation.summary(),
                outcome: format!("it could not be told all that was for it: {}", words_of(&source)),
                stderr: String::new(),
            }),
            Some(_) | None => Ok(Some(Outcome { status, stdout, stderr, is_cut })),
        },
        Waited::Late => Ok(None),
        Waited::Interrupted => Err(Error::Interrupted),
    }
}

impl Manner<'_> {
    #[cfg(unix)]
    fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        match self.account {
            None => spawn(command),
            Some(account) => account.spawn(command),
        }
    }

    #[cfg(windows)]
    fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        let child = spawn(command)?;
        self.job.iter().for_each(|job| job.take(&child));
        Ok(child)
    }
}

/// Starts a command.
///
/// # Errors
/// When there is no such program, or the system does not start it.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    #[cfg(windows)]
    for _ in 0..BEGUN_AGAIN {
        match command.spawn() {
            Err(error) if error.raw_os_error() == Some(REFUSED) => thread::sleep(BREATH),
            spawned => return spawned,
        }
    }
    command.spawn()
}

/// Runs `invocation` and gives its output; an exit code other than 0 is an error with its words.
///
/// # Errors
/// When it cannot be started, does not end in time, or fails.
pub fn run(invocation: &Invocation) -> Result<Outcome, Error> {
    succeeded(invocation, capture(invocation)?)
}

/// [`run`] of a command that may take as long as `limit`.
///
/// # Errors
/// As [`run`].
pub fn run_within(invocation: &Invocation, limit: Duration) -> Result<Outcome, Error> {
    succeeded(invocation, capture_within(invocation, limit)?)
}

/// [`ask`], and gives the output; an exit code other than 0 is an error with its words.
///
/// # Errors
/// As [`run`], and when the answer is too long to be one.
pub fn answer(invocation: &Invocation, input: &[u8]) -> Result<Outcome, Error> {
    let outcome = succeeded(invocation, ask(invocation, input)?)?;
    if outcome.is_cut { Err(too_long(invocation)) } else { Ok(outcome) }
}

/// The error of an answer that is too long to be one.
pub fn too_long(invocation: &Invocation) -> Error {
    let outcome = "it printed more than any answer is long".to_owned();
    Error::Command { command: invocation.summary(), outcome, stderr: String::new() }
}

fn succeeded(invocation: &Invocation, outcome: Outcome) -> Result<Outcome, Error> {
    if outcome.status.success() { Ok(outcome) } else { Err(failure(invocation, &outcome)) }
}

/// The error of a command that ended with `outcome`.
pub fn failure(invocation: &Invocation, outcome: &Outcome) -> Error {
    let errors = outcome.errors();
    let said = if errors.trim().is_empty() { outcome.text() } else { errors };
    Error::Command { command: invocation.summary(), outcome: format!("it ended with {}", outcome.status), stderr: said }
}

/// Runs `invocation` on our own terminal and gives its exit code (130 for an interrupt).
///
/// `more` are variables of ours that it needs besides those of every command. `input` is what it reads; without
/// one it reads what we would.
///
/// An interrupt is for the command: we are there until it has ended, or a shell would show its prompt while it still
/// takes back what it had begun. Ctrl-C has reached it already; a signal to us alone is passed on to it.
///
/// # Errors
/// When it cannot be started; [`Error::Interrupted`] when an interrupt came and it has ended without reading `input`.
pub fn hand_over(invocation: &Invocation, more: &[&str], input: Option<Vec<u8>>) -> Result<u8, Error> {
    let failed = |source: io::Error| could_not_run(invocation, &source);
    interrupt::listen();
    let mut command = bare(invocation, environment::of_command_on_terminal(more));
    let unread = match input {
        Some(input) => {
            let (reader, mut writer) = io::pipe().map_err(failed)?;
            command.stdin(reader.try_clone().map_err(failed)?);
            // Beside the waiting: it may ask a question first. One that does not read it to its end says why with its
            // status.
            thread::spawn(move || drop(writer.write_all(&input)));
            Some(reader)
        }
        None => None,
    };
    let mut child = command.spawn().map_err(failed)?;
    let mut is_told = false;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if interrupt::has_come() && !is_told {
            is_told = true;
            ask_to_end(&child);
        }
        thread::sleep(PAUSE);
    };
    // It was asking a question itself, as sudo does for a password, and what it was to run has not begun.
    if interrupt::has_come() && unread.is_some_and(|pipe| holds_something(&pipe)) {
        return Err(Error::Interrupted);
    }
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(crate::error::exit::INTERRUPTED))
}

/// Whether nobody has read what was written to this pipe.
#[cfg(unix)]
fn holds_something(pipe: &io::PipeReader) -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd;
    let mut end = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
    let seen = poll(&mut end, PollTimeout::ZERO);
    seen.is_ok() && end[0].revents().is_some_and(|events| events.contains(PollFlags::POLLIN))
}

/// On Windows nothing is handed over to what asks questions.
#[cfg(windows)]
fn holds_something(_pipe: &io::PipeReader) -> bool {
    false
}

/// Runs `invocation`, hands every line that it prints to `say` as it comes, and gives its exit code (130 for an
/// interrupt). What goes wrong it says on our own standard error.
///
/// # Errors
/// When it cannot be started.
pub fn stream(invocation: &Invocation, say: &mut dyn FnMut(&[u8])) -> Result<u8, Error> {
    let failed = |source: io::Error| could_not_run(invocation, &source);
    interrupt::listen();
    let mut command = bare(invocation, environment::of_command_on_terminal(&[]));
    let mut child = command.stdin(nothing()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    let (sender, lines) = mpsc::sync_channel(LINES_AHEAD);
    if let Some(end) = child.stdout.take() {
        thread::spawn(move || {
            let mut end = BufReader::new(end);
            let mut line = Vec::new();
            while matches!((&mut end).take(LONGEST_LINE).read_until(b'\n', &mut line), Ok(1..)) {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    break;
                }
            }
        });
    }
    let mut is_told = false;
    loop {
        match lines.recv_timeout(PAUSE) {
            Ok(line) => say(&line),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if interrupt::has_come() && !is_told {
            is_told = true;
            ask_to_end(&child);
        }
    }
    let status = child.wait().map_err(failed)?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(crate::error::exit::INTERRUPTED))
}

/// The command of `invocation` with this environment and no other.
fn bare(invocation: &Invocation, environment: Vec<(OsString, OsString)>) -> Command {
    let mut words = invocation.0.iter().map(os);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).env_clear().envs(environment);
    command
}

/// The command of `invocation`, with what commands need of our environment and messages in plain English.
fn command(invocation: &Invocation) -> Command {
    let mut command = bare(invocation, environment::of_command());
    command.env("LC_ALL", "C.UTF-8").env("SYSTEMD_COLORS", "0").env("SYSTEMD_PAGER", "cat");
    // systemd-analyze before 248 colours what it says of a unit, whoever reads it.
    command.env("SYSTEMD_LOG_COLOR", "0");
    let (variable, seconds) = BUS_TIMEOUT;
    if std::env::var_os(variable).is_none() {
        command.env(variable, seconds);
    }
    // What a terminal sends on Ctrl-C is for us: it must not end a command that takes something back.
    #[cfg(unix)]
    if interrupt::is_heard() {
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
    }
    command
}

fn could_not_run(invocation: &Invocation, source: &io::Error) -> Error {
    let program = invocation.0.first().map(Text::to_string).unwrap_or_default();
    match source.kind() {
        io::ErrorKind::NotFound => Error::Command {
            command: invocation.summary(),
            outcome: format!("there is no program `{program}` here"),
            stderr: String::new(),
        },
        _ => Error::Command { command: invocation.summary(), outcome: words_of(source), stderr: String::new() },
    }
}

/// How the waiting for a command came to its end; but for the first one it was ended.
enum Waited {
    Ended(ExitStatus),
    Late,
    Interrupted,
}

fn wait(child: &mut Child, talk: &mut Talk, manner: &mut Manner) -> io::Result<Waited> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Waited::Ended(status));
        }
        let passed = begun.elapsed();
        if interrupt::has_come() {
            end(child, talk, manner.grace)?;
            return Ok(Waited::Interrupted);
        }
        if passed > manner.limit {
            end(child, talk, manner.grace)?;
            return Ok(Waited::Late);
        }
        if let Some((_, tell)) = manner.long.take_if(|(long, _)| passed > *long) {
            tell();
        }
        // What is lost after its end is a small part of what it took.
        talk.go_on((passed / 32).clamp(SHORTEST_PAUSE, PAUSE));
    }
}

/// Ends a command that is waited for no longer: it is asked to, and after `grace` it is made to.
fn end(child: &mut Child, talk: &mut Talk, grace: Duration) -> io::Result<()> {
    ask_to_end(child);
    let asked = Instant::now();
    while child.try_wait()?.is_none() {
        if asked.elapsed() > grace {
            make_end(child)?;
            child.wait()?;
            break;
        }
        talk.go_on(PAUSE);
    }
    Ok(())
}

/// Asks a command to end, and with it what is of its group, where it has one.
#[cfg(unix)]
fn ask_to_end(child: &Child) {
    drop(signal(child, nix::sys::signal::Signal::SIGTERM));
}

/// Ends a command, and with it what is of its group, where it has one.
#[cfg(unix)]
fn make_end(child: &mut Child) -> io::Result<()> {
    signal(child, nix::sys::signal::Signal::SIGKILL)
}

#[cfg(unix)]
fn signal(child: &Child, signal: nix::sys::signal::Signal) -> io::Result<()> {
    use nix::sys::signal::{kill, killpg};
    let process = nix::unistd::Pid::from_raw(child.id().cast_signed());
    // There is no group of its number but the one that it has made.
    Ok(killpg(process, signal).or_else(|_| kill(process, signal))?)
}

/// Nothing asks a command of Windows to end that has no console of its own.
#[cfg(windows)]
fn ask_to_end(_child: &Child) {}

#[cfg(windows)]
fn make_end(child: &mut Child) -> io::Result<()> {
    child.kill()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_was_not_told_all_has_not_succeeded() {
        let input = vec![b'x'; 4 << 20];
        let takes = |script: &str| ask(&Invocation(["/bin/sh", "-c", script].map(Text::from).to_vec()), &input);
        let taken = takes("wc -c").unwrap();
        assert_eq!(taken.text().trim(), input.len().to_string());
        let error = takes("exit 0").unwrap_err().to_string();
        assert!(error.contains("it could not be told all that was for it: "), "{error}");
        // Its own reason comes first.
        assert_eq!(takes("exit 7").unwrap().code(), Some(7));
    }
}
