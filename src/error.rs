//! Everything that can go wrong, in one enum of fields with one wording.
//!
//! The wording is lower case: what we tried, the thing in backticks, the cause. The `help:` line
//! that follows holds the next command to type.

use std::fmt;
use std::io;

use crate::diagnose::Finding;
use crate::model::text::Text;
use crate::model::version::TooNew;

/// Exit codes, the same on both systems (the table of the README).
pub mod exit {
    /// Done, or nothing to do.
    pub const OK: u8 = 0;
    /// Something failed; the host is as it was.
    pub const FAILED: u8 = 1;
    /// Wrong usage, or a request that was refused.
    pub const USAGE: u8 = 2;
    /// `status`: the service is not running.
    pub const NOT_RUNNING: u8 = 3;
    /// There is no such service.
    pub const NO_SUCH_SERVICE: u8 = 4;
    /// Administrator rights are missing.
    pub const NOT_PRIVILEGED: u8 = 5;
    /// `--check`, `diff`: the host differs.
    pub const DIFFERENT: u8 = 10;
    /// Ended by Ctrl-C.
    pub const INTERRUPTED: u8 = 130;
}

/// One thing that is wrong with a request: what, what was given, why not, what to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The option, argument or key, such as `argument `upload_dir``.
    pub what: String,
    /// What was given for it, if anything.
    pub given: Option<String>,
    /// Why it is refused.
    pub reason: String,
    /// What to type instead.
    pub help: Option<String>,
}

impl Fault {
    /// A fault of `what`.
    pub fn new(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { what: what.into(), given: None, reason: reason.into(), help: None }
    }

    /// The same with what was given.
    #[must_use]
    pub fn given(mut self, given: impl fmt::Display) -> Self {
        // A line break in it would look like another line of ours.
        self.given = Some(Text::from(given.to_string()).to_string());
        self
    }

    /// The same, where several services are asked for.
    #[must_use]
    pub fn of_service(mut self, name: &str) -> Self {
        self.what = format!("service `{name}`, {}", self.what);
        self
    }

    /// The same with what to type instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        if let Some(given) = &self.given {
            write!(f, " `{}`", shortened(given))?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// At most 120 characters of `text`; a value of 100 KiB says nothing more by being printed whole.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 120 {
        return text.to_owned();
    }
    text.chars().take(80).chain(" ... ".chars()).collect::<String>() + &format!("({} bytes)", text.len())
}

/// An error of a whole call.
#[derive(Debug)]
pub enum Error {
    /// The journal of an unfinished plan cannot be understood.
    BadJournal {
        /// Its directory.
        directory: Text,
        /// What is wrong with it.
        reason: String,
    },
    /// Another run changed the same services while this one was at work.
    Overtaken {
        /// The services.
        services: String,
    },
    /// A child command failed.
    Command {
        /// The command as it could be typed.
        command: String,
        /// How it ended.
        outcome: String,
        /// Its own words.
        stderr: String,
    },
    /// The service did not come up.
    DidNotStart {
        /// The service.
        service: String,
        /// What the service manager says.
        state: String,
        /// Why, as far as that is known.
        causes: Box<[Finding]>,
        /// The last lines of its log.
        log: String,
        /// Its error log, where there is one.
        error_log: Option<String>,
        /// Whether it is still installed.
        installed: bool,
    },
    /// A file of that name is not ours to change.
    Foreign {
        /// The file.
        path: Text,
        /// How we know.
        reason: String,
        /// What to do about it.
        help: String,
    },
    /// Ctrl-C or SIGTERM.
    Interrupted,
    /// A file could not be read or written.
    Io {
        /// What we tried.
        doing: String,
        /// The file.
        path: Text,
        /// The cause.
        source: io::Error,
    },
    /// Another run of ours is at work.
    Locked {
        /// The lock.
        path: Text,
    },
    /// There is no service of that name.
    NoSuchService {
        /// The name.
        service: String,
        /// Names that look like it.
        similar: Vec<String>,
    },
    /// The service manager is not there, or cannot do this.
    NoServiceManager {
        /// What is missing.
        reason: String,
        /// What installs it.
        help: String,
    },
    /// What was asked for could not be printed.
    NotPrinted {
        /// Why not.
        source: io::Error,
        /// Whether it was to say what has been done: that is done all the same.
        is_done: bool,
    },
    /// Administrator rights are missing.
    NotPrivileged {
        /// How the command gets them, and what does without.
        help: Vec<String>,
    },
    /// The request is refused.
    Refused(Vec<Fault>),
    /// A later version of InstallService wrote it.
    TooNew {
        /// What we tried.
        doing: &'static str,
        /// The file or directory.
        path: Text,
        /// Which version that was.
        new: TooNew,
    },
    /// A step failed and the earlier ones were undone.
    Undone {
        /// The failure.
        cause: Box<Error>,
        /// What was put back, one line each.
        restored: Vec<String>,
        /// What could not be put back, with the way to mend it by hand.
        left: Vec<String>,
    },
    /// An earlier run was ended half way, and not all of it could be taken back.
    Unfinished {
        /// What was put back, one line each.
        restored: Vec<String>,
        /// What could not be put back, with the way to mend it by hand.
        left: Vec<String>,
    },
    /// Wrong usage of the command line, in clap's words.
    Usage(String),
}

impl Error {
    /// An [`Error::Io`].
    pub fn io(doing: impl Into<String>, path: &Text, source: io::Error) -> Self {
        Self::Io { doing: doing.into(), path: path.clone(), source }
    }

    /// One fault that refuses the whole request.
    pub fn refused(fault: Fault) -> Self {
        Self::Refused(vec![fault])
    }

    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Foreign { .. } | Self::Refused(_) | Self::TooNew { .. } | Self::Usage(_) => exit::USAGE,
            Self::Interrupted => exit::INTERRUPTED,
            Self::NoSuchService { .. } => exit::NO_SUCH_SERVICE,
            Self::NotPrivileged { .. } => exit::NOT_PRIVILEGED,
            Self::Undone { cause, .. } => cause.exit_code(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => exit::NOT_PRIVILEGED,
            Self::BadJournal { .. }
            | Self::Command { .. }
            | Self::DidNotStart { .. }
            | Self::Io { .. }
            | Self::Locked { .. }
            | Self::NoServiceManager { .. }
            | Self::NotPrinted { .. }
            | Self::Overtaken { .. }
            | Self::Unfinished { .. } => exit::FAILED,
        }
    }

    /// The lines that say what to do next.
    pub fn help(&self) -> Vec<String> {
        match self {
            Self::BadJournal { directory, .. } => vec![format!(
                "it records what an earlier run had started: check the files that `{directory}/plan.json` names, then \
                 type `rm -r {directory}` and the same command again"
            )],
            Self::Overtaken { .. } => {
                vec![
                    "`--check` compares what is there now with this request; the same command again replaces it".into(),
                ]
            }
            Self::DidNotStart { service, causes, error_log, installed, .. } => {
                let logs = format!("`ManageService {service} logs -n 50` shows more of its output");
                let cures = causes.iter().map(|cause| cause.cure.clone());
                // Of a service that was taken back there is nothing to look after.
                let mut lines: Vec<String> =
                    cures.filter(|cure| *installed || !cure.contains("ManageService")).collect();
                lines.extend(installed.then_some(logs).filter(|logs| !lines.iter().any(|line| line.contains(logs))));
                lines.extend(error_log.iter().map(|path| format!("its errors are kept in `{path}`")));
                lines
            }
            Self::Foreign { help, .. } | Self::NoServiceManager { help, .. } => vec![help.clone()],
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                vec!["an administrator may; on Linux, put `sudo` in front of the same command".into()]
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                vec!["make room on that file system, then type the same command again".into()]
            }
            Self::Locked { .. } => {
                vec!["another InstallService or ManageService is running; try again when it has finished".into()]
            }
            Self::NoSuchService { similar, .. } if similar.is_empty() => {
                vec!["`ManageService --list` shows the services that InstallService knows".into()]
            }
            Self::NoSuchService { similar, .. } => vec![format!("did you mean `{}`?", similar.join("` or `"))],
            Self::NotPrivileged { help } => help.clone(),
            Self::Refused(faults) => faults.iter().filter_map(|fault| fault.help.clone()).collect(),
            Self::TooNew { new, .. } => vec![format!("{}, then type the same command again", new.help())],
            Self::Undone { cause, .. } => cause.help(),
            Self::Command { .. }
            | Self::Interrupted
            | Self::Io { .. }
            | Self::NotPrinted { .. }
            | Self::Unfinished { .. }
            | Self::Usage(_) => Vec::new(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { command, outcome, stderr } => {
                write!(f, "running `{command}`: {outcome}")?;
                indented(f, stderr)
            }
            Self::DidNotStart { service, state, causes, log, .. } => {
                write!(f, "starting `{service}`: {state}")?;
                indented(f, log)?;
                causes.iter().try_for_each(|Finding { what, why, .. }| write!(f, "\n  cause: {what}; {why}"))
            }
            Self::Foreign { path, reason, .. } => write!(f, "refusing to touch `{path}`: {reason}"),
            Self::Interrupted => f.write_str("interrupted; nothing was changed"),
            Self::Io { doing, path, source } => write!(f, "{doing} `{path}`: {}", words_of(source)),
            Self::Locked { path } => write!(f, "taking the lock `{path}`: it is held"),
            Self::NoSuchService { service, .. } => write!(f, "there is no service `{service}`"),
            Self::NoServiceManager { reason, .. } => f.write_str(reason),
            Self::NotPrinted { source, is_done } => {
                write!(f, "writing to standard output: {}", words_of(source))?;
                if *is_done { f.write_str("\nwhat was asked for is done") } else { Ok(()) }
            }
            Self::NotPrivileged { .. } => f.write_str("this needs administrator rights; nothing was changed"),
            Self::Refused(faults) => {
                for (number, fault) in faults.iter().enumerate() {
                    if number > 0 {
                        f.write_str("\n")?;
                    }
                    write!(f, "{fault}")?;
                }
                Ok(())
            }
            Self::Undone { cause, restored, left } => {
                match cause.as_ref() {
                    Self::Interrupted => f.write_str("interrupted")?,
                    cause => write!(f, "{cause}")?,
                }
                if left.is_empty() {
                    write!(f, "\nthe host is as it was before")?;
                }
                put_back(f, restored, left)
            }
            Self::Unfinished { restored, left } => {
                f.write_str("undoing what an earlier run had started: not everything could be put back")?;
                put_back(f, restored, left)
            }
            Self::BadJournal { directory, reason } => write!(f, "reading the journal `{directory}`: {reason}"),
            Self::Overtaken { services } => {
                write!(f, "installing {services}: another run changed it in the meantime; this one changed nothing")
            }
            Self::TooNew { doing, path, new } => write!(f, "{doing} `{path}`: {new}; nothing was changed"),
            Self::Usage(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}

/// The operating system's words without Rust's `(os error 13)`.
pub fn words_of(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_lowercase(),
        None => text,
    }
}

fn put_back(f: &mut fmt::Formatter<'_>, restored: &[String], left: &[String]) -> fmt::Result {
    restored.iter().try_for_each(|line| write!(f, "\n  put back: {line}"))?;
    left.iter().try_for_each(|line| write!(f, "\n  NOT put back: {line}"))
}

fn indented(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    text.trim_end().lines().try_for_each(|line| write!(f, "\n    {line}"))
}
