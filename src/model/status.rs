//! [`ServiceStatus`]: what a service is doing now, in the words of neither service manager.

use serde::Serialize;

use super::name::ServiceName;

/// What a service is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The program runs.
    Running,
    /// On the way up.
    Starting,
    /// On the way down.
    Stopping,
    /// Not running, and its timer waits for its next run.
    Waiting,
    /// The program ended, and the service manager is about to start it again.
    Restarting,
    /// Not running, without an error.
    Stopped,
    /// Not running, because of an error.
    Failed,
    /// The service manager does not know the service.
    NotInstalled,
    /// It never runs itself: its instances do.
    Template,
}

impl State {
    /// Whether the program runs or is about to.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Starting | Self::Restarting)
    }

    /// The word that people and JSON get.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Starting => "starting",
            Self::Stopping => "stopping",
            Self::Waiting => "waiting",
            Self::Restarting => "restarting",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::NotInstalled => "not-installed",
            Self::Template => "template",
        }
    }
}

/// The observed state of one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceStatus {
    /// What it is doing.
    pub state: State,
    /// The program's process, while there is one.
    pub pid: Option<u32>,
    /// Since when it is in this state, in the service manager's words.
    pub since: Option<String>,
    /// How often the service manager started it again by itself.
    pub restarts: Option<u64>,
    /// How the last run ended, in the service manager's words (`success`, `exit-code`, ...).
    pub result: Option<String>,
    /// The exit status of the last run, or the number of the signal that ended it.
    pub exit_status: Option<i64>,
    /// Whether it starts at boot.
    pub enabled: Option<bool>,
    /// When its timer starts it next, in the service manager's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whether its timer, if it has one, waits for that.
    #[serde(skip)]
    pub timer_waits: bool,
    /// How long the last run took, and whether a signal ended it.
    #[serde(skip)]
    pub last: LastRun,
    /// The run that goes on, where the service manager tells one from another.
    #[serde(skip)]
    pub run: Option<Run>,
}

/// The last run of a service that has ended, as far as the service manager tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastRun {
    /// Whether a signal ended it, whose number the exit status is then.
    pub signal: bool,
    /// For how many seconds it ran.
    pub seconds: Option<u64>,
}

impl LastRun {
    /// Whether it ran for less than so many seconds; that counts also where nobody knows.
    pub fn is_brief(self, seconds: u64) -> bool {
        self.seconds.is_none_or(|lasted| lasted < seconds)
    }
}

/// One run of a service, from its start to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What systemd calls it: its invocation.
    pub id: String,
    /// How long it is waited for when it is stopped, in systemd's words.
    pub stop_timeout: String,
}

/// A service that did not end by itself when it was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Killed {
    /// The service.
    pub service: ServiceName,
    /// The names of the processes that were killed.
    pub processes: Vec<String>,
    /// How it was waited for, if it was: processes that the main one leaves behind may be killed at once.
    pub late: Option<Late>,
    /// Its last lines.
    pub log: String,
}

/// How a service came to its end that did not answer within its stop timeout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Late {
    /// The time, in systemd's words.
    pub stop_timeout: String,
    /// What ended it then.
    pub ended_by: EndedBy,
}

/// What ended a service that did not answer within its stop timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// SIGKILL.
    Kill,
    /// SIGTERM: its stop command had run out of time, which is how a program is asked as by Ctrl-C.
    Term,
    /// SIGKILL, after it had had the same time once more to answer SIGTERM.
    KillAfterTerm,
}

impl ServiceStatus {
    /// Whether its program runs or is about to, or its timer waits for a time to start it.
    pub fn is_active(&self) -> bool {
        self.state.is_active() || self.timer_waits
    }

    /// A service that the service manager does not know.
    pub fn not_installed() -> Self {
        Self {
            state: State::NotInstalled,
            pid: None,
            since: None,
            restarts: None,
            result: None,
            exit_status: None,
            enabled: None,
            next: None,
            timer_waits: false,
            last: LastRun::default(),
            run: None,
        }
    }
}
