//! The log that NSSM writes the output of a service to, and those that it has set aside.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crate::host::files as on_disk;
use crate::host::text::{path as to_path, text};
use crate::model::text::Text;

/// How long NSSM may take to write down what a program has printed.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// How much of the end of a log is looked at.
const END: u64 = 64 << 10;

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
            let later = std::mem::replace(&mut written, end_of(&to_path(part), skip).unwrap_or_default());
            written.extend(later);
            if written.len() as u64 >= END {
                break;
            }
        }
        written
    }
}

/// The end of a file, without its first `skip` bytes, if it has so many.
fn end_of(path: &Path, skip: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let skip = if skip > length { 0 } else { skip };
    file.seek(SeekFrom::Start(skip.max(length.saturating_sub(END))))?;
    let mut end = Vec::new();
    file.take(END).read_to_end(&mut end)?;
    Ok(end)
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
        let is_old = File::options().write(true).open(to_path(&aside("0.000"))).unwrap();
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
    fn a_long_log_is_read_from_its_end() {
        let (_folder, log) = log();
        let mark = Mark::now(&log);
        write(&log, &("x".repeat(1 << 20) + "\nlast\nEND\n"));
        let found = read(&mark, &log);
        assert!(found.len() < 1 << 17 && found.ends_with("x\nlast\n"));
    }
}
