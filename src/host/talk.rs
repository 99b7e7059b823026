//! What is said to a command, and what it says: with an end, and within bounds.
//!
//! What a command has started may have its output open for ever, and a program may print without end. Neither
//! keeps us waiting, nor fills the memory.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What a pipe may hold (`/proc/sys/fs/pipe-max-size` for others than root).
#[cfg(unix)]
const PIPE: usize = 1 << 20;
/// Shortest time between two looks at a command that says nothing more: it is about to end.
#[cfg(unix)]
const MOMENT: Duration = Duration::from_micros(100);

/// What a command has printed to one of its streams.
#[derive(Debug, Default)]
pub struct Printed {
    /// All of it; or the first part and the last, with a line between them that says so.
    pub bytes: Vec<u8>,
    /// Whether it was so much that some of it is left out.
    pub is_cut: bool,
}

/// The first part and the last of what comes.
#[derive(Debug)]
struct Kept {
    /// How much of either, in bytes.
    most: usize,
    first: Vec<u8>,
    last: VecDeque<u8>,
    left_out: u64,
}

impl Kept {
    fn at_most(most: usize) -> Self {
        Self { most, first: Vec::new(), last: VecDeque::new(), left_out: 0 }
    }

    fn push(&mut self, bytes: &[u8]) {
        let (first, rest) = bytes.split_at(bytes.len().min(self.most - self.first.len()));
        self.first.extend_from_slice(first);
        self.last.extend(rest);
        let surplus = self.last.len().saturating_sub(self.most);
        self.last.drain(..surplus);
        self.left_out += surplus as u64;
    }

    /// Takes what can be read now, at most `most` bytes; says whether more may come.
    fn read(&mut self, mut from: impl Read, most: usize) -> bool {
        let mut piece = [0; 1 << 16];
        let mut taken = 0;
        while taken < most {
            match from.read(&mut piece) {
                Ok(0) => return false,
                Ok(length) => {
                    self.push(&piece[..length]);
                    taken += length;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
        true
    }

    fn end(self) -> Printed {
        let Self { first: mut bytes, last, left_out, .. } = self;
        if left_out > 0 {
            bytes.extend_from_slice(format!("\n[... {left_out} bytes ...]\n").as_bytes());
        }
        bytes.extend(last);
        Printed { bytes, is_cut: left_out > 0 }
    }
}

/// The conversation with a command that runs: through pipes, of which nobody waits for the end.
#[cfg(unix)]
pub struct Talk<'a> {
    input: Option<(std::process::ChildStdin, &'a [u8])>,
    /// What could not be said, and why.
    unsaid: Option<io::Error>,
    streams: [(Option<io::PipeReader>, Kept); 2],
    silent_since: Option<std::time::Instant>,
}

#[cfg(unix)]
impl<'a> Talk<'a> {
    /// Gives `command` its standard streams. Of each `most` bytes are kept from the beginning, and from the end.
    ///
    /// # Errors
    /// When there is no room for another pipe.
    pub fn prepare(command: &mut Command, most: usize) -> io::Result<Self> {
        let (stdout, end) = io::pipe()?;
        command.stdout(end);
        let (stderr, end) = io::pipe()?;
        command.stderr(end);
        let never_waits = |pipe: io::PipeReader| {
            without_waiting(&pipe)?;
            Ok::<_, io::Error>((Some(pipe), Kept::at_most(most)))
        };
        Ok(Self {
            input: None,
            unsaid: None,
            streams: [never_waits(stdout)?, never_waits(stderr)?],
            silent_since: None,
        })
    }

    /// The command has been started: `input` is for its standard input, if that is a pipe.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn begin(&mut self, command: &mut Command, child: &mut Child, input: &'a [u8]) -> io::Result<()> {
        // Our copies of the writing ends go.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(end) = child.stdin.take() {
            without_waiting(&end)?;
            self.input = Some((end, input));
        }
        Ok(())
    }

    /// Waits for at most `pause` until there is something to be said or heard.
    pub fn go_on(&mut self, pause: Duration) {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::AsFd;
        let mut ends: Vec<PollFd> = Vec::with_capacity(3);
        ends.extend(self.input.as_ref().map(|(end, _)| PollFd::new(end.as_fd(), PollFlags::POLLOUT)));
        let open = self.streams.iter().filter_map(|(end, _)| end.as_ref());
        ends.extend(open.map(|end| PollFd::new(end.as_fd(), PollFlags::POLLIN)));
        if ends.is_empty() {
            let silent = self.silent_since.get_or_insert_with(std::time::Instant::now).elapsed();
            std::thread::sleep((silent / 8).clamp(MOMENT, pause.max(MOMENT)));
            return;
        }
        let pause = pause.max(Duration::from_millis(1));
        // Where a signal has ended it, there is no harm in looking.
        _ = poll(&mut ends, PollTimeout::try_from(pause).unwrap_or(PollTimeout::MAX));
        self.say();
        self.hear(PIPE);
    }

    /// Why the command was not told all of what was for it, where that is so: it may have done its work with a part.
    pub fn unsaid(&mut self) -> Option<io::Error> {
        let rest = self.input.take().map(|_| io::ErrorKind::BrokenPipe.into());
        self.unsaid.take().or(rest)
    }

    /// The command has ended: what it said last, and nothing of what it has left behind.
    pub fn end(mut self) -> [Printed; 2] {
        self.hear(PIPE);
        self.streams.map(|(_, kept)| kept.end())
    }

    fn say(&mut self) {
        use std::io::Write;
        let Some((end, rest)) = &mut self.input else { return };
        match end.write(rest) {
            Ok(length) if length < rest.len() => *rest = &rest[length..],
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Ok(_) => self.input = None,
            Err(error) => {
                self.unsaid = Some(error);
                self.input = None;
            }
        }
    }

    fn hear(&mut self, most: usize) {
        for (end, kept) in &mut self.streams {
            if end.as_ref().is_some_and(|open| !kept.read(open, most)) {
                *end = None;
            }
        }
    }
}

#[cfg(unix)]
fn without_waiting(end: impl std::os::fd::AsFd) -> io::Result<()> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    fcntl(end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(())
}

/// The conversation with a command that runs. What it prints goes to files: what a service manager starts may
/// keep a pipe open for ever.
#[cfg(windows)]
pub struct Talk<'a> {
    files: [std::fs::File; 2],
    most: usize,
    of: std::marker::PhantomData<&'a [u8]>,
}

#[cfg(windows)]
impl<'a> Talk<'a> {
    /// Gives `command` its standard streams. Of each `most` bytes are kept from the beginning, and from the end.
    ///
    /// # Errors
    /// When there is no room for a file.
    pub fn prepare(command: &mut Command, most: usize) -> io::Result<Self> {
        let (stdout, stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
        command.stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
        Ok(Self { files: [stdout, stderr], most, of: std::marker::PhantomData })
    }

    /// The command has been started: `input` is for its standard input, if that is a pipe.
    ///
    /// # Errors
    /// None here.
    pub fn begin(&mut self, command: &mut Command, child: &mut Child, input: &'a [u8]) -> io::Result<()> {
        use std::io::Write;
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(mut end) = child.stdin.take() {
            let input = input.to_vec();
            // One that does not read it to its end says why with its status.
            std::thread::spawn(move || drop(end.write_all(&input)));
        }
        Ok(())
    }

    /// Waits for `pause`.
    pub fn go_on(&mut self, pause: Duration) {
        std::thread::sleep(pause);
    }

    /// Nothing is known of that: what is said here goes by a thread of its own.
    pub fn unsaid(&mut self) -> Option<io::Error> {
        None
    }

    /// The command has ended: what it has printed until now.
    pub fn end(self) -> [Printed; 2] {
        use std::io::Seek;
        self.files.map(|mut file| {
            let mut kept = Kept::at_most(self.most);
            let length = file.metadata().map_or(0, |metadata| metadata.len());
            if file.rewind().is_ok() {
                kept.read(&file, usize::try_from(length).unwrap_or(usize::MAX));
            }
            kept.end()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: usize = 1 << 20;

    #[test]
    fn of_very_much_the_beginning_and_the_end_are_kept() {
        let mut kept = Kept::at_most(PART);
        let line = |number: usize| format!("{number:015}\n").into_bytes();
        let lines = 3 * PART / 16;
        (0..lines).for_each(|number| kept.push(&line(number)));
        let Printed { bytes, is_cut } = kept.end();
        assert!(is_cut && bytes.len() < 2 * PART + 64, "{}", bytes.len());
        assert!(bytes.starts_with(&line(0)) && bytes.ends_with(&line(lines - 1)));
        let said = format!("\n[... {PART} bytes ...]\n");
        assert!(bytes[PART..].starts_with(said.as_bytes()));
    }

    #[test]
    fn what_fits_is_kept_as_it_is() {
        let mut kept = Kept::at_most(PART);
        let all: Vec<u8> = (0..2 * PART).map(|at| (at % 251) as u8).collect();
        all.chunks(70_001).for_each(|piece| kept.push(piece));
        let Printed { bytes, is_cut } = kept.end();
        assert!(!is_cut && bytes == all);
    }
}
