//! Asking on the terminal that controls this process, which need not be its standard input.
//!
//! As readpassphrase(3) does it: the terminal reads a line as always, but shows nothing of it, and whatever ends or
//! stops this process in the meantime finds the terminal as it was. (rpassword 7.5.4 raises the signal before it
//! gives the echo back, and knows of Ctrl-C alone.)

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, raise};
use nix::sys::termios::{InputFlags, LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, tcgetpgrp};
use signal_hook::consts::{SIGCONT, SIGQUIT, SIGTSTP};
use signal_hook::flag;

use super::Answer;
use crate::error::Error;
use crate::host::interrupt;
use crate::model::text::Text;

const TERMINAL: &str = "/dev/tty";
/// What is kept of a line, its end included: "any input data after 4095 characters up to (but not including) any
/// terminating newline is discarded" (termios(3)).
const LONGEST: usize = 4095;
/// Time between two looks at whether a signal has come, in milliseconds.
const PAUSE: u8 = 20;

/// Nobody is asked, so that what is to stop or end this process does so at once.
static AT_EASE: AtomicBool = AtomicBool::new(true);
/// Ctrl-Z.
static STOPPED: AtomicBool = AtomicBool::new(false);
/// `fg`, or anything else that lets a process go on.
static CONTINUED: AtomicBool = AtomicBool::new(false);
/// Ctrl-\, which ends no process without leave that has hidden what is typed.
static QUIT: AtomicBool = AtomicBool::new(false);

/// From now on these signals are noted.
fn hear() -> io::Result<()> {
    static ONCE: Once = Once::new();
    let mut result = Ok(());
    ONCE.call_once(|| {
        result = (|| {
            for (signal, noted) in [(SIGTSTP, &STOPPED), (SIGQUIT, &QUIT)] {
                flag::register_conditional_default(signal, &AT_EASE)?;
                flag::register(signal, noted)?;
            }
            flag::register(SIGCONT, &CONTINUED).map(drop)
        })();
    });
    result
}

/// The terminal, which shows nothing of what is typed as long as this lives.
#[derive(Debug)]
pub struct Terminal {
    file: File,
    before: Termios,
}

/// How the wait for a line came to its end.
enum Heard {
    Line(Vec<u8>),
    Interrupt,
    Stop,
    /// A shell had the terminal, and shows what is typed.
    Back,
}

impl Terminal {
    /// Whether this process has a terminal.
    pub fn is_there() -> bool {
        File::open(TERMINAL).is_ok()
    }

    /// Begins to ask. From now on an interrupt is noted.
    ///
    /// # Errors
    /// When there is no terminal.
    pub fn begin() -> Result<Self, Error> {
        interrupt::listen();
        let begun = || -> io::Result<Self> {
            hear()?;
            let file = File::options().read(true).write(true).open(TERMINAL)?;
            let before = tcgetattr(&file)?;
            AT_EASE.store(false, Ordering::SeqCst);
            let terminal = Self { file, before };
            terminal.hide()?;
            Ok(terminal)
        };
        begun().map_err(gone)
    }

    /// Asks for one line.
    ///
    /// # Errors
    /// When the terminal goes away, and [`Error::Interrupted`].
    pub fn ask(&mut self, question: &str) -> Result<Answer, Error> {
        loop {
            write!(self.file, "{question}: ").map_err(gone)?;
            let heard = self.hear_line();
            // That of the one who typed has not been shown.
            _ = self.file.write_all(b"\n");
            match heard.map_err(gone)? {
                Heard::Line(line) if line.len() >= LONGEST => return Ok(Answer::TooLong { most: LONGEST - 1 }),
                Heard::Line(line) => return Ok(Answer::read(line)),
                Heard::Interrupt => return Err(Error::Interrupted),
                Heard::Stop => {
                    self.give_back();
                    // Stops as SIGTSTP does, which is noted. SIGSTOP would also stop one whom nobody can let go on.
                    _ = raise(Signal::SIGTTIN);
                    self.hide().map_err(gone)?;
                }
                Heard::Back => self.hide().map_err(gone)?,
            }
        }
    }

    fn hear_line(&mut self) -> io::Result<Heard> {
        let mut line = Vec::new();
        loop {
            if interrupt::has_come() || QUIT.load(Ordering::SeqCst) {
                return Ok(Heard::Interrupt);
            }
            if STOPPED.load(Ordering::SeqCst) {
                return Ok(Heard::Stop);
            }
            if CONTINUED.swap(false, Ordering::SeqCst) && !self.is_hidden() {
                return Ok(Heard::Back);
            }
            match poll(&mut [PollFd::new(self.file.as_fd(), PollFlags::POLLIN)], PollTimeout::from(PAUSE)) {
                Ok(0) | Err(Errno::EINTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            let mut piece = [0; LONGEST + 1];
            let length = self.file.read(&mut piece)?;
            line.extend_from_slice(&piece[..length]);
            // Ctrl-D hands over what there is, and behind nothing it is the end.
            if length == 0 || line.last() == Some(&b'\n') {
                line.pop_if(|byte| *byte == b'\n');
                return Ok(Heard::Line(line));
            }
        }
    }

    /// What is typed from now on is not shown, and nothing counts that was typed before.
    fn hide(&self) -> io::Result<()> {
        STOPPED.store(false, Ordering::SeqCst);
        let mut hidden = self.before.clone();
        hidden.input_flags.insert(InputFlags::ICRNL);
        hidden.local_flags.insert(LocalFlags::ICANON | LocalFlags::ISIG);
        hidden.local_flags.remove(LocalFlags::ECHO | LocalFlags::ECHONL);
        Ok(tcsetattr(&self.file, SetArg::TCSAFLUSH, &hidden)?)
    }

    fn is_hidden(&self) -> bool {
        tcgetattr(&self.file).is_ok_and(|now| !now.local_flags.contains(LocalFlags::ECHO))
    }

    /// The terminal is as it was. In the background it is not ours: who has it now has made it theirs, and would be
    /// disturbed, and we be stopped.
    fn give_back(&self) {
        if tcgetpgrp(&self.file) == Ok(getpgrp()) {
            _ = tcsetattr(&self.file, SetArg::TCSADRAIN, &self.before);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.give_back();
        AT_EASE.store(true, Ordering::SeqCst);
    }
}

fn gone(source: io::Error) -> Error {
    Error::io("asking on", &Text::from("the terminal"), source)
}
