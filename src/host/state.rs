//! The tool's own working directory: its lock, its log, and what is believed of what lies there.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::MAIN_SEPARATOR_STR as SEPARATOR;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::files::{self, Entry};
use super::folder::{Folder, Listed, Opening};
use super::reading::{self, Limit, Links, Unread};
use super::text::{path as to_path, text};
#[cfg(windows)]
use crate::diagnose::Finding;
use crate::error::Error;
#[cfg(windows)]
use crate::error::Fault;
use crate::model::observed::Found;
use crate::model::place::Place;
use crate::model::text::Text;

/// How long a run waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// The exclusive right to change services.
///
/// It ends with the value, also when the process is killed; but only once the command that was
/// running then has ended too, which has inherited it: until then the host goes on changing.
#[derive(Debug)]
pub struct Lock {
    /// The directory that it is the lock of.
    pub state: Folder,
    #[expect(dead_code, reason = "held for its lock")]
    file: File,
}

#[cfg(windows)]
impl Drop for Lock {
    fn drop(&mut self) {
        super::process::lend(None);
    }
}

/// Makes the directory, where it is not there. Nobody else may change it, neither before nor at the moment that it is made.
fn make(place: &Place) -> Result<(), Error> {
    guard_directory(&place.state_dir)?;
    files::make_directory(&place.state_dir, 0o755)?;
    guard_directory(&place.state_dir)
}

/// Refuses a directory that others than administrators can change, or in which they can change something: whoever makes
/// one below `C:\ProgramData` owns it, and services run what lies there with all rights.
///
/// # Errors
/// Who can, with the commands that put it right.
#[cfg(windows)]
pub fn guard_directory(directory: &Text) -> Result<(), Error> {
    let (own, _) = super::access::state_directory(directory).findings_apart();
    if own.is_empty() {
        return Ok(());
    }
    let fault = |finding: Finding| {
        Fault::new("the state directory", format!("{}: {}", finding.what, finding.why)).help(finding.cure)
    };
    Err(Error::Refused(own.into_iter().map(fault).collect()))
}

/// Refuses a directory that others can change: on Linux that is told, by [`doubt`].
///
/// # Errors
/// None here.
#[cfg(unix)]
pub fn guard_directory(_directory: &Text) -> Result<(), Error> {
    Ok(())
}

/// Takes the lock of `place`, waiting a while for another run to end.
///
/// # Errors
/// When the directory cannot be made or is not safe, or another run still holds the lock.
pub fn lock(place: &Place) -> Result<Lock, Error> {
    make(place)?;
    let begun = Instant::now();
    loop {
        let is_late = begun.elapsed() > PATIENCE;
        if let Some(lock) = try_lock(place, is_late)? {
            return Ok(lock);
        }
        if is_late {
            return Err(Error::Locked { path: lock_path(place) });
        }
        super::interrupt::check()?;
        thread::sleep(Duration::from_millis(20));
    }
}

/// Takes the lock of `place` if nobody else holds it.
///
/// # Errors
/// When the directory cannot be made or is not safe.
pub fn lock_if_free(place: &Place) -> Result<Option<Lock>, Error> {
    make(place)?;
    try_lock(place, false)
}

/// Takes the lock of `place` before a look at the host: `None` while another run is in progress. One that
/// was killed is not, and the command that it left behind ends soon.
///
/// # Errors
/// As [`lock`].
pub fn lock_to_look(place: &Place) -> Result<Option<Lock>, Error> {
    guard_directory(&place.state_dir)?;
    let begun = Instant::now();
    loop {
        let is_late = begun.elapsed() > PATIENCE;
        let lock = try_lock(place, is_late)?;
        if lock.is_some() || is_at_work(place) || is_late {
            return Ok(lock);
        }
        super::interrupt::check()?;
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether the run is there that wrote its number into the lock.
#[cfg(unix)]
fn is_at_work(place: &Place) -> bool {
    let written = Kept::open(&place.state_dir).and_then(|kept| kept.look(&lock_path(place)));
    let number = match written {
        Ok(Entry::File(found)) => String::from_utf8_lossy(&found.contents).trim().parse::<u32>().ok(),
        _ => None,
    };
    let is_there = |number| std::path::Path::new(&format!("/proc/{number}/exe")).exists();
    // Elsewhere than on Linux nothing tells: who holds the lock is at work.
    !cfg!(target_os = "linux") || number.is_some_and(is_there)
}

/// Whether a run is there that holds the lock, which on Windows no command inherits.
#[cfg(windows)]
fn is_at_work(place: &Place) -> bool {
    let lock = File::open(to_path(&lock_path(place)));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

fn lock_path(place: &Place) -> Text {
    place.state_dir.with(SEPARATOR).with(LOCK)
}

/// The name of the lock.
const LOCK: &str = ".lock";

/// The file that every command of a run has open. Nobody else can open it meanwhile: what a command
/// inherits on Windows is the file, and not a lock on it.
#[cfg(windows)]
fn open_for_commands(place: &Place) -> Result<Option<File>, Error> {
    use std::os::windows::fs::OpenOptionsExt;
    const SHARING_VIOLATION: i32 = 32;
    let path = place.state_dir.with(SEPARATOR).with(".commands");
    let opened = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .share_mode(0)
        .open(to_path(&path));
    match opened {
        Err(error) if error.raw_os_error() == Some(SHARING_VIOLATION) => Ok(None),
        opened => opened.map(Some).map_err(|source| Error::io("taking the lock", &path, source)),
    }
}

/// The lock, if it is free. On Windows a command that is there after the patience of a run without the run
/// that made it will do nothing more: its maker was killed before it let it begin. It counts no longer.
fn try_lock(place: &Place, is_late: bool) -> Result<Option<Lock>, Error> {
    #[cfg(unix)]
    let _ = is_late;
    let state = open(&place.state_dir)?;
    not_for_everybody(&state)?;
    let path = lock_path(place);
    let failed = |source| Error::io("taking the lock", &path, source);
    // For its owner alone: whoever may open it can hold the lock, and nobody could change anything.
    let file = state.file(&LOCK.into(), Opening::Append, 0o600).map_err(|unread| match unread {
        Unread::Failed(source) => failed(source),
        Unread::NotAFile(what) => files::in_the_way(&path, what),
        Unread::TooLarge(_) | Unread::Distrusted(_) => unreachable!("nothing is read"),
    })?;
    match file.try_lock() {
        Ok(()) => {
            #[cfg(unix)]
            // For whoever waits for it. On a full disk they wait a little longer.
            drop(file.set_len(0).and_then(|()| writeln!(&file, "{}", std::process::id())));
            #[cfg(unix)]
            nix::fcntl::fcntl(&file, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()))
                .map_err(|error| failed(error.into()))?;
            #[cfg(windows)]
            match open_for_commands(place)? {
                None if !is_late => return Ok(None),
                lent => super::process::lend(lent),
            }
            #[cfg(windows)]
            super::job::end_with_us();
            Ok(Some(Lock { state, file }))
        }
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// The working directory, open.
fn open(directory: &Text) -> Result<Folder, Error> {
    Folder::open(directory).map_err(|source| Error::io("entering", directory, source))
}

/// Refuses a directory that everybody may write, or whose place everybody may take: what lies in it
/// is run with our rights.
///
/// # Errors
/// [`Error::Foreign`].
#[cfg(unix)]
fn not_for_everybody(state: &Folder) -> Result<(), Error> {
    let failed = |source| Error::io("reading", state.shown(), source);
    for (above, mode) in state.modes_up_to_root().map_err(failed)?.into_iter().enumerate() {
        if files::is_for_everybody(mode, above) {
            let real = std::fs::canonicalize(to_path(state.shown())).map_err(failed)?;
            let place = real.ancestors().nth(above).map_or_else(|| state.shown().clone(), text);
            return Err(Error::Foreign {
                reason: format!("everybody may write there (mode {mode:04o}), and it contains what services run"),
                help: format!("`chmod o-w {place}`, or keep the services' files elsewhere with `--state-dir DIR`"),
                path: place,
            });
        }
    }
    Ok(())
}

#[cfg(windows)]
fn not_for_everybody(_state: &Folder) -> Result<(), Error> {
    Ok(())
}

/// Whose the directory is, where it is somebody's who gains our rights by it: said, not refused,
/// because OpenMSIStream keeps its own in a user's Python environment.
#[cfg(unix)]
pub fn doubt(state: &Folder) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let metadata = state.metadata().ok()?;
    let directory = state.shown();
    if !nix::unistd::geteuid().is_root() {
        return None;
    }
    if metadata.uid() != 0 {
        let who = files::who(metadata.uid());
        return Some(format!("`{directory}` belongs to {who}, who can change what services run there"));
    }
    let group_writes = metadata.mode() & 0o020 != 0 && metadata.gid() != 0;
    group_writes.then(|| format!("the group of `{directory}` can change what services run there"))
}

/// Whose the directories are that it lies in; what is wrong with itself is refused ([`guard_directory`]).
#[cfg(windows)]
pub fn doubt(state: &Folder) -> Option<String> {
    let (_, above) = super::access::state_directory(state.shown()).findings_apart();
    above.into_iter().next().map(|finding| format!("{}: {}", finding.what, finding.why))
}

/// The working directory while one looks at what lies there: opened once, so that what is found is judged with the
/// directory that it was found in.
#[derive(Debug)]
pub struct Kept(Listed);

impl Kept {
    /// The one at `path`, which need not be there.
    ///
    /// # Errors
    /// When it may not be entered.
    pub fn open(path: &Text) -> Result<Self, Error> {
        Listed::open(path).map(Self)
    }

    /// What lies at `path`, which is in this directory.
    ///
    /// # Errors
    /// When it is there but cannot be read, or is larger than a file of ours can be.
    pub fn look(&self, path: &Text) -> Result<Entry, Error> {
        self.0.look(path)
    }

    /// The contents of the file at `path`, if one is there, to go by what it says.
    ///
    /// # Errors
    /// When it cannot be read, or [`Error::Foreign`] when it is no file, or a stranger's.
    pub fn believed(&self, path: &Text) -> Result<Option<Found>, Error> {
        let found = match self.look(path)? {
            Entry::Missing => return Ok(None),
            Entry::Other(what) => return Err(files::in_the_way(path, what)),
            Entry::File(found) => found,
        };
        match self.stranger(found.owner) {
            None => Ok(Some(found)),
            Some(reason) => {
                let who = super::privilege::user_name().unwrap_or_else(|| "root".into());
                let help = format!("read it, and if it says what you want, type `chown {who} {path}`");
                Err(Error::Foreign { path: path.clone(), reason, help })
            }
        }
    }

    /// The text at `path`, which somebody has put below this directory; they may have put a link there.
    ///
    /// # Errors
    /// When it is no file or a stranger's, or cannot be read.
    pub fn text(&self, path: &Text) -> Result<String, Unread> {
        let opened = reading::open(path, Links::Followed)?;
        match self.stranger(opened.owner()) {
            None => opened.whole_text(Limit::TEXT),
            Some(reason) => Err(Unread::Distrusted(reason)),
        }
    }

    /// Why nobody goes by what a file in this directory says: it belongs neither to root, nor to whoever runs this,
    /// nor to the owner of the directory, who is told of whenever something changes. Windows keeps others out by its
    /// access list.
    pub fn stranger(&self, owner: Option<(u32, u32)>) -> Option<String> {
        let ((user, _), keeper) = (owner?, self.0.folder().map_or(0, keeper));
        let is_known = files::is_ours(user) || user == keeper;
        (!is_known).then(|| format!("it belongs to {}, and the directory to {}", files::who(user), files::who(keeper)))
    }
}

/// Whose a directory is.
#[cfg(unix)]
fn keeper(folder: &Folder) -> u32 {
    use std::os::unix::fs::MetadataExt;
    folder.metadata().map_or(0, |metadata| metadata.uid())
}

/// Whose a directory is: on Windows nobody is asked.
#[cfg(windows)]
fn keeper(_folder: &Folder) -> u32 {
    0
}

/// Adds a line to `Services.log`: when, what, with what result. Never a value of a secret.
///
/// A log that cannot be written fails nothing: the work it tells of is done.
pub fn log(place: &Place, what: &str, result: Result<&str, &Error>) {
    let result = match result {
        Ok(done) => done.to_owned(),
        Err(error) => format!("failed: {}", error.to_string().replace('\n', " | ")),
    };
    let line = format!("{} {what}: {result}\n", humantime::format_rfc3339_seconds(SystemTime::now()));
    let log = to_path(&place.log());
    let name = text(log.file_name().unwrap_or_default());
    let opened = open(&place.state_dir).ok().and_then(|state| state.file(&name, Opening::Append, 0o644).ok());
    drop(opened.map(|mut file| file.write_all(line.as_bytes())));
}
