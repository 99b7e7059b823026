//! The journal: what undoes the plan that is being applied, on disk before its first step.
//!
//! `journal/plan.json` says for each step how it is taken back, `journal/N` hold the earlier
//! contents of files (mode 0600, so that an environment file's values stay as private as they
//! were), and `journal/begun` has a byte for each step: `.` when it begins, `u` when it is taken
//! back. A finished apply takes the directory away. A run that finds one takes the unfinished plan
//! back first, and one that is ended while it does so leaves the rest to the next.
//!
//! It holds commands and files that root puts in place, and the working directory can be another user's. So it is opened
//! once, must be root's or that of whoever runs this, and all in it is read and written by that descriptor: nothing that
//! is put in its place counts.
//!
//! Each file that will be replaced also gets a second name beside itself. To put it back then needs
//! one rename, and no room on a disk that may be full.

mod record;
mod undo;

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry as Seen};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::rc::Rc;

use crate::error::Error;
use crate::host::files::{self, Entry};
use crate::host::folder::{Folder, Listed, Opening, Staged};
use crate::host::interrupt;
use crate::host::reading::{Limit, Unread};
use crate::host::text::path as to_path;
use crate::managers;
use crate::model::artifact::{Artifact, ArtifactKind};
use crate::model::name::ServiceName;
use crate::model::place::Place;
use crate::model::site::Site;
use crate::model::text::Text;
use crate::plan::{Action, Plan};
pub use record::{Record, Unknown};
use record::{StepRecord, Undo};
use undo::Undoing;

const BEGUN: u8 = b'.';
const TAKEN_BACK: u8 = b'u';

/// The journal of a plan that is being applied.
#[derive(Debug)]
pub struct Journal {
    folder: Folder,
    /// The working directory, which it lies in.
    state: Folder,
    site: Site,
    record: Record,
    begun: File,
    marks: Vec<u8>,
}

/// What an undo did.
#[derive(Debug, Default)]
pub struct Undone {
    /// What was put back, one line each.
    pub restored: Vec<String>,
    /// What could not be put back, with the way to mend it by hand.
    pub left: Vec<String>,
}

/// The names of what a journal holds, and its own.
const JOURNAL: &str = "journal";
const PLAN: &str = "plan.json";
const MARKS: &str = "begun";

/// Whether anything lies in the place of the journal, also without a record.
pub fn has_remains(place: &Place) -> bool {
    files::is_there(&place.state_dir.with(&format!("/{JOURNAL}")))
}

/// Whether there is a journal: a run is at work, or was ended half way.
pub fn is_there(place: &Place) -> bool {
    // What lies there without a record was never begun, or has ended.
    files::is_there(&place.state_dir.with(&format!("/{JOURNAL}/{PLAN}")))
}

impl Journal {
    /// Writes the journal of `plan`; nothing else is changed.
    ///
    /// # Errors
    /// When a file that the plan changes cannot be read, or the journal cannot be written.
    pub fn begin(plan: &Plan, site: &Site, state: &Folder) -> Result<Self, Error> {
        let path = state.path_of(&JOURNAL.into());
        let folder = state.make_below(&JOURNAL.into(), 0o700).map_err(|source| match source.kind() {
            io::ErrorKind::NotADirectory => match no_directory(state) {
                Ok(what) => files::in_the_way(&path, what),
                Err(error) => error,
            },
            _ => Error::io("making the directory", &path, source),
        })?;
        folder.only_ours()?;
        match Self::write(plan, &folder, site) {
            Ok((record, begun)) => {
                let journal =
                    Self { folder, state: state.clone(), site: site.clone(), record, begun, marks: Vec::new() };
                journal.record.undos().filter_map(Undo::restores).for_each(files::keep_beside);
                Ok(journal)
            }
            Err(error) => {
                discard(&folder, state);
                Err(error)
            }
        }
    }

    fn write(plan: &Plan, folder: &Folder, site: &Site) -> Result<(Record, File), Error> {
        let failed = |source: io::Error| Error::io("writing the journal", folder.shown(), source);
        let record = record_of(plan, folder, site)?;
        let contents = serde_json::to_vec(&record).map_err(|error| failed(error.into()))?;
        if contents.len() as u64 > Limit::PLAN.bytes() {
            return Err(failed(io::ErrorKind::FileTooLarge.into()));
        }
        let begun = folder.file(&MARKS.into(), Opening::New, 0o600).map_err(|unread| of_marks(folder, unread))?;
        // The record comes last and whole: a journal without one is a journal that was never begun. What
        // lies beside it is synced with it, once for all.
        let record_file = stage(folder, PLAN, contents.into())?;
        folder.sync_files().map_err(failed)?;
        record_file.commit()?;
        folder.sync_names();
        Ok((record, begun))
    }

    /// Notes that the next step begins, and with it those behind it that change files alone: to take
    /// back a change of a file that was never made does nothing.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn step(&mut self, number: usize) -> Result<(), Error> {
        if number < self.marks.len() {
            return Ok(());
        }
        let changes_files = |step: &StepRecord| !step.undo.is_empty() && step.undo.iter().all(Undo::restores_file);
        let more = self.record.steps.iter().skip(number + 1).take_while(|step| changes_files(step)).count();
        let marks = vec![BEGUN; number + 1 + more - self.marks.len()];
        // Kept also when it fails: then too little is noted, and nothing of the step is done.
        self.begun
            .write_all(&marks)
            .and_then(|()| self.begun.sync_data())
            .map_err(|source| Error::io("writing the journal", self.folder.shown(), source))?;
        self.marks.extend(marks);
        Ok(())
    }

    /// Ends a plan that was applied whole.
    pub fn finish(self) {
        self.record.undos().filter_map(Undo::restores).for_each(files::forget_before);
        self.forget();
    }

    /// Takes the journal away. Without it nothing tells what was changed: that must have reached the disk first,
    /// whether the plan was applied or taken back.
    fn forget(self) {
        let mut directories: BTreeSet<Text> = self.record.paths().filter_map(files::parent).collect();
        directories.extend(self.record.directories.iter().filter_map(files::parent));
        let links = self.record.undos().filter_map(Undo::links);
        directories
            .extend(links.flat_map(|links| managers::systemd::links::directories(&self.site.place.unit_dir, links)));
        directories.iter().for_each(files::sync_directory);
        // Windows removes no file that is open.
        drop(self.begun);
        discard(&self.folder, &self.state);
    }

    /// Takes back every step that was begun, the last first. No interrupt ends that half way.
    pub fn undo(mut self) -> Undone {
        let _undisturbed = interrupt::undisturbed();
        let mut undone = Undone::default();
        let mut file_left = false;
        for number in (0..self.marks.len().min(self.record.steps.len())).rev() {
            if self.marks[number] == BEGUN {
                file_left |= self.undo_step(number, &mut undone);
            }
        }
        if !self.marks.is_empty() {
            self.end_undo(&mut undone);
        }
        // It is kept for a file's earlier contents alone: a command that fails has been told, and would
        // otherwise fail again in the way of every later run.
        if file_left {
            return undone;
        }
        files::sweep(self.record.paths());
        self.record.directories.iter().rev().for_each(files::remove_empty_directory);
        self.forget();
        undone
    }

    /// Takes one step back; says whether a file is left as it should not be.
    fn undo_step(&mut self, number: usize, undone: &mut Undone) -> bool {
        let undoing = Undoing { folder: &self.folder, site: &self.site };
        let step = &self.record.steps[number];
        let mut is_left = false;
        for undo in step.undo.iter().flat_map(|undo| undoing.resolved(undo)) {
            is_left |= !undone.note(undoing, &undo) && undo.restores_file();
        }
        if !is_left && !step.undo.is_empty() {
            // A command is not repeated by the run that goes on here after a kill: its unit may be gone.
            drop(self.begun.seek(SeekFrom::Start(number as u64)).and_then(|_| self.begun.write_all(&[TAKEN_BACK])));
        }
        is_left
    }

    /// What follows when every step is taken back.
    fn end_undo(&self, undone: &mut Undone) {
        let undoing = Undoing { folder: &self.folder, site: &self.site };
        let begun = &self.record.steps[..self.marks.len().min(self.record.steps.len())];
        let at_last = begun.iter().flat_map(|step| &step.at_last);
        for reversal in self.record.after.iter().chain(at_last) {
            undone.note(undoing, &Undo::Reverse(reversal.clone()));
        }
    }
}

impl Undone {
    /// Does one undo and notes how it went; says whether it went well.
    fn note(&mut self, undoing: Undoing<'_>, undo: &Undo) -> bool {
        match undoing.apply(undo) {
            Ok(line) => self.restored.extend(line),
            Err(error) => {
                self.left.push(undoing.by_hand(undo, &error));
                return false;
            }
        }
        true
    }
}

/// How each step of `plan` is taken back; the earlier contents of files are kept in `folder`.
fn record_of(plan: &Plan, folder: &Folder, site: &Site) -> Result<Record, Error> {
    let mut backups = 0;
    let mut listed: BTreeMap<Text, Listed> = BTreeMap::new();
    let mut steps = Vec::new();
    let mut directories = Vec::new();
    for step in &plan.steps {
        let mut undo: Vec<Undo> = step.undo.iter().cloned().map(Undo::Reverse).collect();
        match &step.action {
            Action::Write(Artifact { path, .. }) | Action::PutBack(Artifact { path, .. }, _) | Action::Remove(path) => {
                let found = match listed.entry(files::parent(path).unwrap_or_else(|| "/".into())) {
                    Seen::Occupied(directory) => directory.get().look(path)?,
                    Seen::Vacant(new) => {
                        let directory = Listed::open(new.key())?;
                        new.insert(directory).look(path)?
                    }
                };
                undo.push(keep(path, found, folder, &mut backups)?);
            }
            Action::MakeDirectory { path, .. } => directories.extend(files::missing_directories(path)),
            Action::Unlink(_)
            | Action::Relink(_)
            | Action::Discard(_)
            | Action::Run(_)
            | Action::RunWith(..)
            | Action::Try(..)
            | Action::Load(_)
            | Action::Settle(_)
            | Action::AwaitStop(_) => {}
        }
        steps.push(StepRecord { undo, at_last: step.at_last.clone() });
    }
    Ok(Record::new(site.manager, steps, plan.after_undo.clone(), directories))
}

/// Takes back the plan that an earlier run left unfinished, if there is one in the working directory `state`.
///
/// # Errors
/// When its journal is there and cannot be read, or somebody else could have written it.
pub fn recover(place: &Place, state: &Folder) -> Result<Option<Undone>, Error> {
    let path = state.path_of(&JOURNAL.into());
    let folder = match state.below(&JOURNAL.into()) {
        Ok(folder) => folder,
        Err(error) => {
            return match error.kind() {
                io::ErrorKind::NotFound => Ok(None),
                io::ErrorKind::NotADirectory => Err(files::in_the_way(&path, no_directory(state)?)),
                _ => Err(Error::io("entering", &path, error)),
            };
        }
    };
    // It holds commands that are about to be run.
    folder.only_ours()?;
    let plan = match folder.look(&PLAN.into(), Limit::PLAN)? {
        Entry::File(plan) => plan,
        Entry::Missing | Entry::Other(_) => {
            discard(&folder, state);
            return Ok(None);
        }
    };
    files::only_ours(&folder.path_of(&PLAN.into()), &plan)?;
    let record = Record::parse(&plan.contents).map_err(|unknown| match unknown {
        Unknown::Broken(reason) => Error::BadJournal { directory: path, reason },
        Unknown::TooNew(new) => Error::TooNew { doing: "reading the journal", path, new },
    })?;
    let mut begun = folder.file(&MARKS.into(), Opening::Change, 0o600).map_err(|unread| of_marks(&folder, unread))?;
    let mut marks = Vec::new();
    // One for each step.
    let most = record.steps.len() as u64;
    (&mut begun).take(most).read_to_end(&mut marks).map_err(|source| of_marks(&folder, source.into()))?;
    let site = Site { manager: record.manager, place: place.clone() };
    Ok(Some(Journal { folder, state: state.clone(), site, record, begun, marks }.undo()))
}

/// What lies in the place of a journal.
fn no_directory(state: &Folder) -> Result<&'static str, Error> {
    Ok(match state.look(&JOURNAL.into(), Limit::PLAN)? {
        Entry::Other(what) => what,
        Entry::File(_) | Entry::Missing => "a file",
    })
}

/// The error of a file that notes which steps were begun.
fn of_marks(folder: &Folder, unread: Unread) -> Error {
    let path = folder.path_of(&MARKS.into());
    match unread {
        Unread::Failed(source) => Error::io("opening the journal", &path, source),
        Unread::NotAFile(what) => files::in_the_way(&path, what),
        Unread::TooLarge(_) | Unread::Distrusted(_) => unreachable!("no more is read of it than there are steps"),
    }
}

/// Takes away what an earlier run left beside files of ours when it was ended after its journal was gone, or by a power
/// cut: temporary files, and second names. Nobody else may be at work with this state directory. In the directory of
/// units, where runs with another one may be, those of `names` and of services with a receipt here are ours.
pub fn clear_leftovers(place: &Place, names: &[ServiceName]) {
    let mut left: Vec<PathBuf> = files::leftovers(&place.state_dir).into_iter().map(|(_, path)| path).collect();
    let is_ours = |unit: &Text| {
        let stem = |unit: &str| [".service", ".timer"].iter().find_map(|end| unit.strip_suffix(end)?.parse().ok());
        let name: Option<ServiceName> = unit.as_str().and_then(stem);
        name.is_some_and(|name| names.contains(&name) || to_path(&place.receipt(&name)).is_file())
    };
    let beside_units = files::leftovers(&place.unit_dir).into_iter();
    left.extend(beside_units.filter(|(unit, _)| is_ours(unit)).map(|(_, path)| path));
    left.iter().for_each(|path| drop(fs::remove_file(path)));
}

/// Keeps what was found at `path`, and says how it is put back.
fn keep(path: &Text, found: Entry, folder: &Folder, backups: &mut usize) -> Result<Undo, Error> {
    match found {
        Entry::Missing => Ok(Undo::Remove { path: path.clone() }),
        Entry::Other(what) => Err(files::in_the_way(path, what)),
        Entry::File(found) => {
            let backup = *backups;
            *backups += 1;
            // Synced with the record that names it, once for all.
            stage(folder, &backup.to_string(), found.contents)?.commit()?;
            Ok(Undo::Restore { path: path.clone(), backup, mode: found.mode, owner: found.owner })
        }
    }
}

/// Writes a file of a journal beside its place.
fn stage(folder: &Folder, name: &str, contents: Rc<[u8]>) -> Result<Staged, Error> {
    let name = Text::from(name);
    folder.stage(&name, &Artifact::private(folder.path_of(&name), ArtifactKind::Plain, contents))
}

/// Takes a journal away that lies in `state`.
fn discard(folder: &Folder, state: &Folder) {
    // The record goes first: without it the rest is rubbish, not a journal.
    drop(folder.remove(&PLAN.into()));
    folder.sync_names();
    for name in folder.names().into_iter().flatten() {
        drop(folder.remove(&name));
    }
    state.remove_empty(&JOURNAL.into());
}
