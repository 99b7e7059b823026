//! Files that service managers write the output of services to, and those that NSSM has set aside.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::error::Error;
use crate::host::files as on_disk;
use crate::host::interrupt;
use crate::host::reading::{self, Links, Opened, Unread};
use crate::host::text::{path as to_path, text};
use crate::model::text::Text;

/// How long NSSM may take to write down what a program has printed.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);
/// How long a log has to stay as it is to count as written to its end.
const QUIET: Duration = Duration::from_millis(500);
/// How long that may take: a program that is started again and again goes on.
const GROWTH: Duration = Duration::from_secs(2);
/// Time between two looks for what was added.
const FOLLOW_PAUSE: Duration = Duration::from_millis(200);

/// How much of the end of a log is looked at first, in bytes.
const END: u64 = 64 << 10;

/// How much of a log is in memory at most, in bytes.
const MOST: u64 = 16 << 20;

/// The log at `path`, and before it those that NSSM has set aside, whose names have the time in them
/// (`NAME_output-20261122T071811.772.log`).
pub fn files(path: &Text) -> Vec<Text> {
    let log = to_path(path);
    let part = |part: Option<&OsStr>| part.and_then(OsStr::to_str).unwrap_or_default().to_owned();
    let (stem, extension) = (part(log.file_stem()), part(log.extension()));
    let is_time = |text: &str| {
        let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
        text.chars().map(shape).eq("00000000T000000.000".chars())
    };
    let is_set_aside = |path: &PathBuf| {
        let name = part(path.file_name());
        let time = name
            .strip_prefix(&stem)
            .and_then(|rest| rest.strip_prefix('-')?.strip_suffix(&extension)?.strip_suffix('.'));
        time.is_some_and(is_time) && path.is_file()
    };
    // Theirs sort by time; the one that is written to is the last.
    let all = on_disk::parent(path).map(|folder| on_disk::list(&folder)).unwrap_or_default();
    let aside = all.into_iter().filter(is_set_aside).map(text);
    aside.chain(log.is_file().then(|| path.clone())).collect()
}

/// Where a log was at an instant.
#[derive(Debug)]
pub struct Mark {
    now: SystemTime,
    length: u64,
}

impl Mark {
    /// Where the log at `path` is now.
    pub fn now(path: &Text) -> Self {
        Self { now: SystemTime::now(), length: fs::metadata(to_path(path)).map_or(0, |found| found.len()) }
    }

    /// The last of what a program has printed into the log since: what stands in front of `line`, which was
    /// printed behind it. NSSM writes it a moment later; if it never does, the last that is there.
    pub fn printed_before(&self, line: &str, log: &Text) -> Vec<u8> {
        let begun = Instant::now();
        loop {
            let mut written = self.written(log);
            let at = written.windows(line.len()).rposition(|part| part == line.as_bytes());
            if at.is_some() || begun.elapsed() > PATIENCE {
                written.truncate(at.unwrap_or(written.len()));
                return written;
            }
            thread::sleep(PAUSE);
        }
    }

    /// What was written since, as far as it is of interest: NSSM may have set the log aside meanwhile.
    fn written(&self, log: &Text) -> Vec<u8> {
        let is_later = |path: &Path| {
            fs::metadata(path).and_then(|found| found.modified()).is_ok_and(|modified| modified >= self.now)
        };
        let mut parts = files(log);
        parts.retain(|part| part == log || is_later(&to_path(part)));
        let mut written = Vec::new();
        for (at, part) in parts.iter().enumerate().rev() {
            // Only the first of them was there.
            let skip = if at == 0 { self.length } else { 0 };
            let later = std::mem::replace(&mut written, end_of(part, skip).unwrap_or_default());
            written.extend(later);
            if written.len() as u64 >= END {
                break;
            }
        }
        written
    }
}

/// The end of a file, without its first `skip` bytes, if it has so many.
fn end_of(path: &Text, skip: u64) -> Option<Vec<u8>> {
    let mut file = reading::open(path, Links::Followed).ok()?;
    let length = file.metadata().len();
    let skip = if skip > length { 0 } else { skip };
    file.part(skip.max(length.saturating_sub(END)), END).ok()
}

/// The last `lines` lines of a log, as far as they are in its last 16 MiB.
///
/// # Errors
/// When it is there and cannot be read.
pub fn tail(path: &Text, lines: usize) -> Result<String, Error> {
    let Some(mut log) = open(path)? else { return Ok(String::new()) };
    let length = log.metadata().len();
    let mut size = END;
    let end = loop {
        let end = log.part(length.saturating_sub(size), size).map_err(|source| Error::io("reading", path, source))?;
        // One line end more: the first line may be cut.
        let is_enough = end.iter().filter(|byte| **byte == b'\n').count() > lines;
        if is_enough || size >= length.min(MOST) {
            break shown(&end);
        }
        size *= 4;
    };
    let all: Vec<&str> = end.lines().collect();
    Ok(all[all.len().saturating_sub(lines)..].iter().map(|line| format!("{line}\n")).collect())
}

/// The last `lines` lines that a program has printed which has just ended: NSSM reads them from a pipe, and may not have
/// written the last of them yet.
///
/// # Errors
/// When the log is there and cannot be read.
pub fn tail_of_ended(path: &Text, lines: usize) -> Result<String, Error> {
    let length = || fs::metadata(to_path(path)).map_or(0, |found| found.len());
    let begun = Instant::now();
    let (mut known, mut since) = (length(), begun);
    while since.elapsed() < QUIET && begun.elapsed() < GROWTH {
        thread::sleep(PAUSE);
        let now = length();
        if now != known {
            (known, since) = (now, Instant::now());
        }
    }
    tail(path, lines)
}

/// Whether the caller may read the log at `path`, if there is one.
pub fn is_open(path: &Text) -> bool {
    open(path).is_ok()
}

/// Gives what is added to a log to `say`, until an interrupt comes.
///
/// # Errors
/// When the log cannot be read, or [`Error::Interrupted`].
pub fn follow(path: &Text, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
    interrupt::listen();
    let mut told = open(path)?.map_or(0, |log| log.metadata().len());
    loop {
        told = tell_from(path, told, say)?;
        thread::sleep(FOLLOW_PAUSE);
    }
}

/// Gives what a log holds behind its first `told` bytes to `say`, and says how many there are now.
fn tell_from(path: &Text, mut told: u64, say: &mut dyn FnMut(&str)) -> Result<u64, Error> {
    interrupt::check()?;
    let Some(mut log) = open(path)? else { return Ok(0) };
    let length = log.metadata().len();
    // A log that was set aside begins anew.
    if length < told {
        told = 0;
    }
    while told < length {
        interrupt::check()?;
        let mut part = log.part(told, MOST.min(length - told)).map_err(|source| Error::io("reading", path, source))?;
        if told + (part.len() as u64) < length {
            // Not in the middle of a line, if it has an end.
            part.truncate(part.iter().rposition(|byte| *byte == b'\n').map_or(part.len(), |at| at + 1));
        }
        if part.is_empty() {
            break;
        }
        say(&shown(&part));
        told += part.len() as u64;
    }
    Ok(told)
}

/// The log at `path`; none if there is no such file.
fn open(path: &Text) -> Result<Option<Opened>, Error> {
    // The user may have named one that leads elsewhere.
    match reading::open(path, Links::Followed) {
        Ok(opened) => Ok(Some(opened)),
        Err(Unread::Failed(source)) if source.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("reading", path, source))
        }
        Err(_) => Ok(None),
    }
}

/// What is in a log, with the line ends of this world.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> (tempfile::TempDir, Text) {
        let folder = tempfile::tempdir().unwrap();
        let log = text(folder.path().join("web_output.log"));
        (folder, log)
    }

    fn write(path: &Text, contents: &str) {
        fs::write(to_path(path), contents).unwrap();
    }

    fn read(mark: &Mark, log: &Text) -> String {
        String::from_utf8(mark.printed_before("END", log)).unwrap()
    }

    #[test]
    fn what_an_earlier_run_has_printed_is_left_out() {
        let (_folder, log) = log();
        write(&log, "earlier\n");
        let mark = Mark::now(&log);
        write(&log, "earlier\nnow\nEND\n");
        assert_eq!(read(&mark, &log), "now\n");
        // Begun anew.
        write(&log, "now\nEND");
        assert_eq!(read(&mark, &log), "now\n");
    }

    #[test]
    fn what_was_set_aside_meanwhile_counts() {
        let (folder, log) = log();
        let aside = |time: &str| text(folder.path().join(format!("web_output-20261122T07181{time}.log")));
        write(&aside("0.000"), "long ago\n");
        write(&log, "earlier\n");
        let an_hour = Duration::from_secs(3600);
        let is_old = fs::File::options().write(true).open(to_path(&aside("0.000"))).unwrap();
        is_old.set_modified(SystemTime::now() - an_hour).unwrap();
        let mark = Mark { now: SystemTime::now() - an_hour / 2, ..Mark::now(&log) };
        write(&aside("1.000"), "earlier\none\n");
        write(&log, "two\nEND\n");
        assert_eq!(files(&log), [aside("0.000"), aside("1.000"), log.clone()]);
        assert_eq!(read(&mark, &log), "one\ntwo\n");
        write(&aside("2.000"), "tw");
        write(&log, "o\nthree\nEND\n");
        assert_eq!(read(&mark, &log), "one\ntwo\nthree\n");
    }

    #[test]
    fn the_last_lines_are_read_alone() {
        let (_folder, log) = log();
        assert_eq!(tail(&log, 5).unwrap(), "");
        write(&log, "one\r\ntwo\nthree");
        assert_eq!(tail(&log, 2).unwrap(), "two\nthree\n");
        let many: String = (0..100_000).map(|number| format!("line {number}\n")).collect();
        write(&log, &many);
        assert_eq!(tail(&log, 2).unwrap(), "line 99998\nline 99999\n");
        assert!(many.ends_with(&tail(&log, 50_000).unwrap()));
        // Five gigabytes that take no room on the disk, and one line end.
        let file = fs::File::options().write(true).open(to_path(&log)).unwrap();
        file.set_len(5 << 30).unwrap();
        drop(file);
        let mut file = fs::File::options().append(true).open(to_path(&log)).unwrap();
        std::io::Write::write_all(&mut file, b"\nlast\n").unwrap();
        assert_eq!(tail(&log, 1).unwrap(), "last\n");
        assert!(tail(&log, 3).unwrap().len() as u64 <= MOST + 1);
    }

    #[test]
    fn what_is_added_is_told_piece_by_piece() {
        let (_folder, log) = log();
        let mut told = Vec::new();
        write(&log, "earlier\n");
        let line = "ä".repeat(1000) + "\n";
        let more = line.repeat(20_000);
        write(&log, &format!("earlier\n{more}"));
        let length = tell_from(&log, 8, &mut |part| told.push(part.to_owned())).unwrap();
        assert!(told.len() > 1 && told.iter().all(|part| part.ends_with("ä\n")));
        assert_eq!((told.concat().len(), length), (more.len(), 8 + more.len() as u64));
        // Set aside, and begun anew.
        write(&log, "anew\n");
        told.clear();
        assert_eq!(tell_from(&log, length, &mut |part| told.push(part.to_owned())).unwrap(), 5);
        assert_eq!(told, ["anew\n"]);
        fs::remove_file(to_path(&log)).unwrap();
        assert_eq!(tell_from(&log, 5, &mut |_| unreachable!()).unwrap(), 0);
    }

    #[test]
    fn a_long_log_is_read_from_its_end() {
        let (_folder, log) = log();
        let mark = Mark::now(&log);
        write(&log, &("x".repeat(1 << 20) + "\nlast\nEND\n"));
        let found = read(&mark, &log);
        assert!(found.len() < 1 << 17 && found.ends_with("x\nlast\n"));
    }
}
