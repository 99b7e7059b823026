//! The tool's own working directory: its lock and its log.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::MAIN_SEPARATOR_STR as SEPARATOR;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::files;
use super::text::path as to_path;
use crate::error::Error;
use crate::model::place::Place;
use crate::model::text::Text;

/// How long a run waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// The exclusive right to change services.
///
/// It ends with the value, also when the process is killed; but only once the command that was
/// running then has ended too, which has inherited it: until then the host goes on changing.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

#[cfg(windows)]
impl Drop for Lock {
    fn drop(&mut self) {
        super::process::lend(None);
    }
}

/// Takes the lock of `place`, waiting a while for another run to end.
///
/// # Errors
/// When the directory cannot be made or is not safe, or another run still holds the lock.
pub fn lock(place: &Place) -> Result<Lock, Error> {
    files::make_directory(&place.state_dir, 0o755)?;
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
    files::make_directory(&place.state_dir, 0o755)?;
    try_lock(place, false)
}

/// Takes the lock of `place` before a look at the host: `None` while another run is in progress. One that
/// was killed is not, and the command that it left behind ends soon.
///
/// # Errors
/// As [`lock`].
pub fn lock_to_look(place: &Place) -> Result<Option<Lock>, Error> {
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
    let number = std::fs::read_to_string(to_path(&lock_path(place))).unwrap_or_default();
    // Elsewhere than on Linux nothing tells: who holds the lock is at work.
    !cfg!(target_os = "linux") || std::path::Path::new("/proc").join(number.trim()).join("exe").exists()
}

/// Whether a run is there that holds the lock, which on Windows no command inherits.
#[cfg(windows)]
fn is_at_work(place: &Place) -> bool {
    let lock = File::open(to_path(&lock_path(place)));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

fn lock_path(place: &Place) -> Text {
    place.state_dir.with(SEPARATOR).with(".lock")
}

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
    not_for_everybody(&place.state_dir)?;
    let path = lock_path(place);
    let failed = |source| Error::io("taking the lock", &path, source);
    // For its owner alone: whoever may open it can hold the lock, and nobody could change anything.
    let file = files::open_to_append(&path, 0o600).map_err(failed)?;
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
            Ok(Some(Lock(file)))
        }
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Refuses a directory that everybody may write, or whose place everybody may take: what lies in it
/// is run with our rights.
///
/// # Errors
/// [`Error::Foreign`].
#[cfg(unix)]
fn not_for_everybody(directory: &Text) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt;
    const STICKY: u32 = 0o1000;
    let failed = |source| Error::io("reading", directory, source);
    let real = std::fs::canonicalize(to_path(directory)).map_err(failed)?;
    for (above, place) in real.ancestors().enumerate() {
        let mode = std::fs::metadata(place).map_err(failed)?.mode();
        // In a directory such as /tmp nobody takes away what belongs to somebody else.
        let safe = mode & 0o002 == 0 || above > 0 && mode & STICKY != 0;
        if !safe {
            let place = super::text::text(place);
            return Err(Error::Foreign {
                reason: format!(
                    "everybody may write there (mode {:04o}), and it contains what services run",
                    mode & 0o7777
                ),
                help: format!("`chmod o-w {place}`, or keep the services' files elsewhere with `--state-dir DIR`"),
                path: place,
            });
        }
    }
    Ok(())
}

#[cfg(windows)]
fn not_for_everybody(_directory: &Text) -> Result<(), Error> {
    Ok(())
}

/// Whose the directory is, where it is somebody's who gains our rights by it: said, not refused,
/// because OpenMSIStream keeps its own in a user's Python environment.
#[cfg(unix)]
pub fn doubt(place: &Place) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(to_path(&place.state_dir)).ok()?;
    let directory = &place.state_dir;
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

/// Whose the directory is: Windows keeps that in its access list.
#[cfg(windows)]
pub fn doubt(_place: &Place) -> Option<String> {
    None
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
    let path: Text = place.log();
    if let Ok(mut file) = files::open_to_append(&path, 0o644) {
        drop(file.write_all(line.as_bytes()));
    }
}
