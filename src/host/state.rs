//! The tool's own working directory: its lock and its log.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::files;
use crate::error::Error;
use crate::model::text::Text;
use crate::render::Place;

/// How long a run waits for another one to end.
const PATIENCE: Duration = Duration::from_secs(20);

/// The exclusive right to change services. It ends with the value, also when the process is killed.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

/// Takes the lock of `place`, waiting a while for another run to end.
///
/// # Errors
/// When the directory cannot be made, or another run still holds the lock.
pub fn lock(place: &Place) -> Result<Lock, Error> {
    files::make_directory(&place.state_dir, 0o755)?;
    let path = place.state_dir.with("/.lock");
    let failed = |source| Error::io("taking the lock", &path, source);
    // For its owner alone: whoever may open it can hold the lock, and nobody could change anything.
    let file = files::open_to_append(&path, 0o600).map_err(failed)?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock(file)),
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => {
                super::interrupt::check()?;
                thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => return Err(Error::Locked { path }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
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
