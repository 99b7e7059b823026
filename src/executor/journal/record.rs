//! What a journal holds: how each step of a plan is taken back.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::invocation::Invocation;
use crate::model::links::Links;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::parameter::Parameter;
use crate::model::spec::Scope;
use crate::model::text::Text;
use crate::model::version::{TooNew, Version};
use crate::plan::Reversal;

/// The version that is written; it grows when a record changes its meaning.
const VERSION: u32 = 4;

/// How one step is taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Undo {
    /// Put a file back: the earlier contents are in the journal's file of this number.
    Restore { path: Text, backup: usize, mode: u32, owner: Option<(u32, u32)> },
    /// Take a file away that was not there.
    Remove { path: Text },
    /// Take back what was asked of the service manager.
    Reverse(Reversal),
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooNew(new) => new.fmt(f),
            Self::Broken(reason) => f.write_str(reason),
        }
    }
}

impl Undo {
    /// Whether it puts files or links in order, and runs nothing.
    pub(super) fn restores_file(&self) -> bool {
        match self {
            Self::Restore { .. } | Self::Remove { .. } => true,
            Self::Reverse(_) => self.links().is_some(),
        }
    }

    /// The links that it puts in order.
    pub(super) fn links(&self) -> Option<&Links> {
        match self {
            Self::Reverse(Reversal::Links(links)) => Some(links),
            Self::Restore { .. } | Self::Remove { .. } | Self::Reverse(_) => None,
        }
    }

    /// The file that it puts in order.
    pub(super) fn path(&self) -> Option<&Text> {
        match self {
            Self::Restore { path, .. } | Self::Remove { path } => Some(path),
            Self::Reverse(_) => None,
        }
    }

    /// The file that it puts back.
    pub(super) fn restores(&self) -> Option<&Text> {
        match self {
            Self::Restore { path, .. } => Some(path),
            Self::Remove { .. } | Self::Reverse(_) => None,
        }
    }
}

/// How one step of a plan is taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StepRecord {
    /// In this order.
    pub(super) undo: Vec<Undo>,
    /// Once all else is taken back, if the step was begun.
    pub(super) at_last: Vec<Reversal>,
}

/// What `plan.json` holds.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    version: u32,
    /// The version of InstallService that wrote it, which 0.1.0 did not say.
    #[serde(default)]
    by: String,
    /// Whose services the plan changes.
    pub(super) manager: Manager,
    pub(super) steps: Vec<StepRecord>,
    /// Done when every step is taken back.
    pub(super) after: Vec<Reversal>,
    /// Directories that were not there, the outer ones first.
    pub(super) directories: Vec<Text>,
}

/// What tells which kind of record it is.
#[derive(Deserialize)]
struct Versioned {
    version: u32,
    #[serde(default)]
    by: String,
}

/// Why a record is not read.
#[derive(Debug, PartialEq, Eq)]
pub enum Unknown {
    /// A later version of InstallService wrote it.
    TooNew(TooNew),
    /// It is none, or broken.
    Broken(String),
}

impl Record {
    /// A record of these steps.
    pub(super) fn new(manager: Manager, steps: Vec<StepRecord>, after: Vec<Reversal>, directories: Vec<Text>) -> Self {
        Self { version: VERSION, by: env!("CARGO_PKG_VERSION").to_owned(), manager, steps, after, directories }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// When these bytes are none, or one that this program does not know, with the version that does if that is a later
    /// one.
    pub fn parse(bytes: &[u8]) -> Result<Self, Unknown> {
        let worded = |error: serde_json::Error| error.to_string();
        let Versioned { version, by } =
            serde_json::from_slice(bytes).map_err(|error| Unknown::Broken(worded(error)))?;
        let read = match version {
            VERSION => serde_json::from_slice(bytes).map_err(worded),
            3 => serde_json::from_slice::<Record3>(bytes).map_err(worded).map(Record3::upgraded),
            other => Err(format!("it is of version {other}, and this program knows version {VERSION}")),
        };
        // A record that is understood says all that is done: its own version grows with its meaning.
        read.map_err(|reason| match by.parse().ok().and_then(Version::too_new) {
            Some(new) => Unknown::TooNew(new),
            None => Unknown::Broken(reason),
        })
    }

    /// The files that the plan changes.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Text> {
        self.undos().filter_map(Undo::path)
    }

    /// What takes each step back.
    pub(super) fn undos(&self) -> impl Iterator<Item = &Undo> {
        self.steps.iter().flat_map(|step| &step.undo)
    }
}

/// The record of version 0.1.0: commands as words.
#[derive(Deserialize)]
struct Record3 {
    steps: Vec<Vec<Undo3>>,
    after: Vec<Invocation>,
    restarts: Vec<(usize, Reversal3)>,
    directories: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Undo3 {
    Restore { path: Text, backup: usize, mode: u32, owner: Option<(u32, u32)> },
    Remove { path: Text },
    Reverse(Reversal3),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Reversal3 {
    Run(Invocation),
    Registration { name: ServiceName, earlier: Option<Vec<Parameter>> },
    Start(ServiceName),
    Stop(ServiceName),
}

impl Record3 {
    fn upgraded(self) -> Record {
        let undo = |undo| match undo {
            Undo3::Restore { path, backup, mode, owner } => Undo::Restore { path, backup, mode, owner },
            Undo3::Remove { path } => Undo::Remove { path },
            Undo3::Reverse(reversal) => Undo::Reverse(reversal.upgraded()),
        };
        let mut steps: Vec<StepRecord> = self
            .steps
            .into_iter()
            .map(|step| StepRecord { undo: step.into_iter().map(undo).collect(), at_last: Vec::new() })
            .collect();
        for (number, reversal) in self.restarts {
            if let Some(step) = steps.get_mut(number) {
                step.at_last.push(reversal.upgraded());
            }
        }
        // Its commands say themselves whose services they are for; what is NSSM's is known by its place.
        let manager = if cfg!(windows) { Manager::Nssm } else { Manager::Systemd(Scope::System) };
        let after = self.after.into_iter().map(Reversal::Command).collect();
        Record::new(manager, steps, after, self.directories)
    }
}

impl Reversal3 {
    fn upgraded(self) -> Reversal {
        match self {
            Self::Run(command) => Reversal::Command(command),
            Self::Registration { name, earlier } => Reversal::Registration { name, earlier },
            Self::Start(name) => Reversal::Start(name),
            Self::Stop(name) => Reversal::Stop(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::operation::{self, systemd};

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let web: ServiceName = "web".parse().unwrap();
        let stop = operation::Operation::Systemd(systemd::Operation::Stop(vec![web]));
        let step = StepRecord { undo: vec![Undo::Remove { path: "/x".into() }], at_last: vec![Reversal::Run(stop)] };
        let record = Record::new(Manager::Systemd(Scope::User), vec![step], Vec::new(), vec!["/y".into()]);
        assert_eq!(Record::parse(&serde_json::to_vec(&record).unwrap()), Ok(record));
    }

    /// Written by 0.1.0 while it updated a service that ran.
    #[test]
    fn a_record_of_the_first_version_is_understood() {
        let text = include_bytes!("../../../fixtures/journals/update-of-0.1.0.json");
        let record = Record::parse(text).unwrap();
        let command = |words: &str| Reversal::Command(Invocation::new(words.split(' ')));
        assert_eq!(record.steps[1].undo, [Undo::Reverse(command("systemctl disable --no-reload web.service"))]);
        assert_eq!(record.steps[2].at_last, [command("systemctl restart web.service")]);
        assert_eq!(record.after, [command("systemctl daemon-reload")]);
        assert_eq!(record.paths().collect::<Vec<_>>(), ["/etc/systemd/system/web.service"].map(Text::from).each_ref());
    }

    #[test]
    fn a_record_of_a_later_version_is_refused_with_the_version_that_is_needed() {
        let parse = |text: &str| Record::parse(text.as_bytes()).unwrap_err();
        let newer = Unknown::TooNew("99.1.2".parse::<Version>().unwrap().too_new().unwrap());
        assert_eq!(parse(r#"{"version":5,"by":"99.1.2"}"#), newer);
        // Also where it is one step that is not known.
        let step = r#"{"version":4,"by":"99.1.2","manager":"nssm","steps":[{"undo":["new"]}]}"#;
        assert_eq!(parse(step), newer);
        let broken = "it is of version 5, and this program knows version 4".to_owned();
        assert_eq!(parse(r#"{"version":5}"#), Unknown::Broken(broken));
    }
}
