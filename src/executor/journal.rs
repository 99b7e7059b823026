//! The journal: what undoes the plan that is being applied, on disk before its first step.
//!
//! `journal/plan.json` says for each step how it is taken back, `journal/N` hold the earlier
//! contents of files (mode 0600, so that an environment file's values stay as private as they
//! were), and `journal/begun` grows by a byte when a step begins. A finished apply takes the
//! directory away. A run that finds one takes the unfinished plan back first.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::host::files::{self, Entry};
use crate::host::process;
use crate::host::text::{path as to_path, text};
use crate::model::invocation::Invocation;
use crate::model::observed::Found;
use crate::model::text::Text;
use crate::plan::{Action, Plan};
use crate::render::{Artifact, Place};

/// How one step is taken back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Undo {
    /// Put a file back: the earlier contents are in the journal's file of this number.
    Restore { path: Text, backup: usize, mode: u32, owner: Option<(u32, u32)> },
    /// Take a file away that was not there.
    Remove { path: Text },
    /// Take a directory away if it is empty.
    RemoveDirectory { path: Text },
    /// Run a command.
    Run { argv: Vec<Text> },
}

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    version: u32,
    steps: Vec<Vec<Undo>>,
    after: Vec<Vec<Text>>,
}

/// The journal of a plan that is being applied.
#[derive(Debug)]
pub struct Journal {
    directory: Text,
    record: Record,
    begun: File,
    count: usize,
}

/// What an undo did.
#[derive(Debug, Default)]
pub struct Undone {
    /// What was put back, one line each.
    pub restored: Vec<String>,
    /// What could not be put back, with the way to mend it by hand.
    pub left: Vec<String>,
}

fn directory(place: &Place) -> Text {
    place.state_dir.with("/journal")
}

impl Journal {
    /// Writes the journal of `plan`; nothing else is changed.
    ///
    /// # Errors
    /// When a file that the plan changes cannot be read, or the journal cannot be written.
    pub fn begin(plan: &Plan, place: &Place) -> Result<Self, Error> {
        let directory = directory(place);
        let failed = |source: io::Error| Error::io("writing the journal", &directory, source);
        files::make_directory(&place.state_dir, 0o755)?;
        files::make_directory(&directory, 0o700)?;
        let mut backups = 0;
        let mut steps = Vec::new();
        for step in &plan.steps {
            let mut undo: Vec<Undo> = step.undo.iter().map(|command| Undo::Run { argv: command.0.clone() }).collect();
            match &step.action {
                Action::Write(Artifact { path, .. }) | Action::Remove(path) => {
                    undo.push(keep(path, &directory, &mut backups)?);
                }
                Action::MakeDirectory { path, .. } => undo.push(Undo::RemoveDirectory { path: path.clone() }),
                Action::Run(_) | Action::Try(..) | Action::Settle(_) | Action::AwaitStop(_) => {}
            }
            steps.push(undo);
        }
        let after = plan.after_undo.iter().map(|command| command.0.clone()).collect();
        let record = Record { version: 1, steps, after };
        let contents = serde_json::to_vec(&record).map_err(|error| failed(error.into()))?;
        // The record comes last and whole: a journal without one is a journal that was never begun.
        let begun = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .open(to_path(&directory.with("/begun")))
            .map_err(failed)?;
        let record_file =
            files::stage_as_private(&Artifact { path: directory.with("/plan.json"), mode: 0o600, contents })?;
        files::sync([&record_file])?;
        record_file.commit()?;
        Ok(Self { directory, record, begun, count: 0 })
    }

    /// Notes that the next step begins.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn step(&mut self) -> Result<(), Error> {
        self.begun.write_all(b".").map_err(|source| Error::io("writing the journal", &self.directory, source))?;
        self.count += 1;
        Ok(())
    }

    /// Ends a plan that was applied whole.
    pub fn finish(self) {
        // Windows removes no file that is open.
        drop(self.begun);
        discard(&self.directory);
    }

    /// Takes back every step that was begun, the last first.
    pub fn undo(self) -> Undone {
        let mut undone = Undone::default();
        let mut file_left = false;
        for step in self.record.steps.iter().take(self.count).rev() {
            for undo in step {
                match undo.apply(&self.directory) {
                    Ok(Some(line)) => undone.restored.push(line),
                    Ok(None) => {}
                    Err(error) => {
                        file_left |= !matches!(undo, Undo::Run { .. });
                        undone.left.push(undo.by_hand(&error));
                    }
                }
            }
        }
        if self.count > 0 {
            for argv in &self.record.after {
                let command = Invocation(argv.clone());
                if let Err(error) = process::run(&command) {
                    undone.left.push(format!("run `{}`: {error}", command.typed()));
                }
            }
        }
        // It is kept for a file's earlier contents alone: a command that fails has been told, and would
        // otherwise fail again in the way of every later run.
        if !file_left {
            drop(self.begun);
            discard(&self.directory);
        }
        undone
    }
}

/// Takes back the plan that an earlier run left unfinished, if there is one.
///
/// # Errors
/// When its journal is there and cannot be read.
pub fn recover(place: &Place) -> Result<Option<Undone>, Error> {
    let directory = directory(place);
    let Entry::File(plan) = files::look(&directory.with("/plan.json"))? else {
        discard(&directory);
        return Ok(None);
    };
    let failed = |source: io::Error| Error::io("reading the journal", &directory, source);
    let record: Record = serde_json::from_slice(&plan.contents).map_err(|error| failed(error.into()))?;
    let path = to_path(&directory.with("/begun"));
    let count = fs::metadata(&path).map(|metadata| metadata.len()).unwrap_or_default();
    let begun = OpenOptions::new().append(true).create(true).open(&path).map_err(failed)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    sweep(&record);
    Ok(Some(Journal { directory, record, begun, count }.undo()))
}

/// Removes the temporary files that a killed run left beside the files it was about to replace.
fn sweep(record: &Record) {
    let mut directories: Vec<_> = record
        .steps
        .iter()
        .flatten()
        .filter_map(|undo| match undo {
            Undo::Restore { path, .. } | Undo::Remove { path } => to_path(path).parent().map(ToOwned::to_owned),
            _ => None,
        })
        .collect();
    directories.sort();
    directories.dedup();
    for entry in directories.iter().flat_map(|directory| files::list(&text(directory))) {
        if entry.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(files::TEMPORARY.as_bytes())) {
            drop(fs::remove_file(entry));
        }
    }
}

/// Keeps what lies at `path`, and says how it is put back.
fn keep(path: &Text, directory: &Text, backups: &mut usize) -> Result<Undo, Error> {
    match files::look(path)? {
        Entry::Missing => Ok(Undo::Remove { path: path.clone() }),
        Entry::Other(what) => Err(Error::Foreign {
            path: path.clone(),
            reason: format!("{what} lies there, which InstallService did not make"),
            help: format!("look at it with `ls -l {path}`, and move it away if nothing needs it"),
        }),
        Entry::File(found) => {
            let backup = *backups;
            *backups += 1;
            let copy = Artifact { path: directory.with(&format!("/{backup}")), mode: 0o600, contents: found.contents };
            // Synced with the record that names it, once for all.
            files::stage_as_private(&copy)?.commit()?;
            Ok(Undo::Restore { path: path.clone(), backup, mode: found.mode, owner: files::owner(path) })
        }
    }
}

impl Undo {
    /// Takes the step back; says what was put back, if anything had to be.
    fn apply(&self, directory: &Text) -> Result<Option<String>, Error> {
        match self {
            Self::Restore { path, backup, mode, owner } => {
                let Entry::File(kept) = files::look(&directory.with(&format!("/{backup}")))? else {
                    return Err(Error::io("reading the journal", directory, io::ErrorKind::NotFound.into()));
                };
                if files::look(path)? == Entry::File(Found { contents: kept.contents.clone(), mode: *mode }) {
                    return Ok(None);
                }
                files::write(&Artifact { path: path.clone(), mode: *mode, contents: kept.contents })?;
                files::give_to(path, *owner)?;
                Ok(Some(format!("`{path}`")))
            }
            Self::Remove { path } => {
                if files::look(path)? == Entry::Missing {
                    return Ok(None);
                }
                files::remove(path)?;
                Ok(Some(format!("`{path}` (it was not there)")))
            }
            Self::RemoveDirectory { path } => {
                files::remove_empty_directory(path);
                Ok(None)
            }
            Self::Run { argv } => {
                let command = Invocation(argv.clone());
                process::run(&command)?;
                Ok(Some(format!("by `{}`", command.typed())))
            }
        }
    }

    /// What a person does where the undo failed.
    fn by_hand(&self, error: &Error) -> String {
        match self {
            Self::Restore { path, .. } => format!("`{path}`; its earlier contents are kept in the journal ({error})"),
            Self::Remove { path } => format!("`{path}`; remove it by hand ({error})"),
            Self::RemoveDirectory { path } => format!("`{path}` ({error})"),
            Self::Run { argv } => format!("run `{}` by hand ({error})", Invocation(argv.clone()).typed()),
        }
    }
}

fn discard(directory: &Text) {
    // The record goes first: without it the rest is rubbish, not a journal.
    drop(fs::remove_file(to_path(&directory.with("/plan.json"))));
    drop(fs::remove_dir_all(to_path(directory)));
}
