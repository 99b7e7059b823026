//! Running other programs: the one door, with their words kept.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

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
/// How long systemctl lets systemd take for a request, in seconds. It would give up after 25 otherwise, while
/// systemd goes on (`docs/ENVIRONMENT.md` of systemd).
const BUS_TIMEOUT: (&str, &str) = ("SYSTEMD_BUS_TIMEOUT", "300");

/// How a process of Windows ends that did not come to its first instruction (STATUS_DLL_INIT_FAILED of MS-ERREF 2.3),
/// as happens on a machine with too much to do: nothing was done, so it may be begun again.
#[cfg(windows)]
const NEVER_BEGAN: i32 = 0xc000_0142_u32.cast_signed();
/// How Windows refuses to start one that it has no means for at the moment (ERROR_INTERNAL_ERROR): likewise.
#[cfg(windows)]
const REFUSED: i32 = 1359;
/// How often it is.
#[cfg(windows)]
const BEGUN_AGAIN: usize = 3;
/// And after how long each time.
#[cfg(windows)]
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

/// What a program printed. NSSM writes UTF-16 without a mark and ends its lines in CR CR LF.
fn decode(bytes: &[u8]) -> String {
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
/// When it cannot be started, or does not end in time.
pub fn capture(invocation: &Invocation) -> Result<Outcome, Error> {
    capture_within(invocation, LIMIT)
}

/// [`capture`] of a command that may take as long as `limit`.
///
/// # Errors
/// As [`capture`].
pub fn capture_within(invocation: &Invocation, limit: Duration) -> Result<Outcome, Error> {
    captured(command(invocation), invocation, &[], limit)
}

/// [`capture`] of a question, which changes nothing and is answered soon or never; with `input` on its
/// standard input.
///
/// # Errors
/// As [`capture`].
pub fn ask(invocation: &Invocation, input: &[u8]) -> Result<Outcome, Error> {
    let words = u32::try_from(invocation.0.len()).unwrap_or(u32::MAX);
    captured(command(invocation), invocation, input, ANSWER_LIMIT.saturating_add(ANSWER_SHARE.saturating_mul(words)))
}

/// [`capture`], with further environment variables.
///
/// # Errors
/// As [`capture`].
pub fn capture_with(invocation: &Invocation, environment: &[(&str, OsString)]) -> Result<Outcome, Error> {
    let mut command = command(invocation);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    captured(command, invocation, &[], LIMIT)
}

fn captured(mut command: Command, invocation: &Invocation, input: &[u8], limit: Duration) -> Result<Outcome, Error> {
    #[cfg(windows)]
    for _ in 0..BEGUN_AGAIN {
        let outcome = captured_once(&mut command, invocation, input, limit)?;
        if outcome.code() != Some(NEVER_BEGAN) {
            return Ok(outcome);
        }
        thread::sleep(BREATH);
    }
    captured_once(&mut command, invocation, input, limit)
}

fn captured_once(
    command: &mut Command,
    invocation: &Invocation,
    input: &[u8],
    limit: Duration,
) -> Result<Outcome, Error> {
    let failed = |source: io::Error| could_not_run(invocation, &source);
    command.stdin(if input.is_empty() { nothing() } else { Stdio::piped() });
    let (stdout, end) = Sink::new().map_err(failed)?;
    command.stdout(end);
    let (stderr, end) = Sink::new().map_err(failed)?;
    command.stderr(end);
    let mut child = spawn(command).map_err(failed)?;
    // Our copies of the writing ends go.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(mut end) = child.stdin.take() {
        let input = input.to_vec();
        // One that does not read it to its end says why with its status.
        thread::spawn(move || drop(end.write_all(&input)));
    }
    let (stdout, stderr) = (stdout.collect(), stderr.collect());
    let status = wait(&mut child, invocation, limit)?;
    Ok(Outcome { status, stdout: stdout(), stderr: stderr() })
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

/// Where a command's output goes.
///
/// A pipe, emptied by a thread, so that no disk has to be in order to undo a plan. On Windows a
/// file, because what a service manager starts may keep a pipe open for ever.
struct Sink {
    #[cfg(unix)]
    read: io::PipeReader,
    #[cfg(windows)]
    read: std::fs::File,
}

impl Sink {
    #[cfg(unix)]
    fn new() -> io::Result<(Self, Stdio)> {
        let (read, write) = io::pipe()?;
        Ok((Self { read }, write.into()))
    }

    #[cfg(windows)]
    fn new() -> io::Result<(Self, Stdio)> {
        let read = tempfile::tempfile()?;
        let write = read.try_clone()?;
        Ok((Self { read }, write.into()))
    }

    /// Begins to read; what is given back waits for the end. What was read before an error is still
    /// worth showing.
    #[cfg(unix)]
    fn collect(mut self) -> impl FnOnce() -> Vec<u8> {
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            drop(self.read.read_to_end(&mut bytes));
            bytes
        });
        || reader.join().unwrap_or_default()
    }

    /// What is given back reads the file, once the command has ended.
    #[cfg(windows)]
    fn collect(mut self) -> impl FnOnce() -> Vec<u8> {
        use std::io::Seek;
        move || {
            let mut bytes = Vec::new();
            drop(self.read.rewind().and_then(|()| self.read.read_to_end(&mut bytes)));
            bytes
        }
    }
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
/// As [`run`].
pub fn answer(invocation: &Invocation, input: &[u8]) -> Result<Outcome, Error> {
    succeeded(invocation, ask(invocation, input)?)
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
/// Ctrl-C is for the command: we are there until it has ended, or a shell would show its prompt
/// while it still takes back what it had begun.
///
/// # Errors
/// When it cannot be started.
pub fn hand_over(invocation: &Invocation, environment: &[(OsString, OsString)]) -> Result<u8, Error> {
    interrupt::listen();
    let mut words = invocation.0.iter().map(os);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).envs(environment.iter().map(|(name, value)| (name, value)));
    let status = command.status().map_err(|source| could_not_run(invocation, &source))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(crate::error::exit::INTERRUPTED))
}

/// The command of `invocation`, with our own environment and messages in plain English.
fn command(invocation: &Invocation) -> Command {
    let mut words = invocation.0.iter().map(os);
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    command.env("LC_ALL", "C.UTF-8").env("SYSTEMD_COLORS", "0").env("SYSTEMD_PAGER", "cat");
    let (variable, seconds) = BUS_TIMEOUT;
    if std::env::var_os(variable).is_none() {
        command.env(variable, seconds);
    }
    if let Some(directory) = environment::user_runtime_directory() {
        command.env("XDG_RUNTIME_DIR", directory);
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

fn wait(child: &mut Child, invocation: &Invocation, limit: Duration) -> Result<ExitStatus, Error> {
    let failed = |source: io::Error| could_not_run(invocation, &source);
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Ok(status);
        }
        if begun.elapsed() > limit {
            child.kill().map_err(failed)?;
            child.wait().map_err(failed)?;
            return Err(Error::Command {
                command: invocation.summary(),
                outcome: format!("it did not end within {} s and was killed", limit.as_secs()),
                stderr: String::new(),
            });
        }
        // What is lost after its end is a small part of what it took.
        thread::sleep((begun.elapsed() / 32).clamp(Duration::from_micros(200), Duration::from_millis(10)));
    }
}
