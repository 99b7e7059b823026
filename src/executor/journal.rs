//! The journal: what undoes the plan that is being applied, on disk before its first step.
//!
//! `journal/plan.json` says for each step how it is taken back, `journal/N` hold the earlier
//! contents of files (mode 0600, so that an environment file's values stay as private as they
//! were), and `journal/begun` has a byte for each step: `.` when it begins, `u` when it is taken
//! back. A finished apply takes the directory away. A run that finds one takes the unfinished plan
//! back first, and one that is ended while it does so leaves the rest to the next.
//!
//! Each file that will be replaced also gets a second name beside itself. To put it back then needs
//! one rename, and no room on a disk that may be full.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::host::files::{self, Entry};
use crate::host::process;
use crate::host::text::path as to_path;
use crate::managers::nssm;
use crate::model::artifact::Artifact;
use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::observed::Found;
use crate::model::place::Place;
use crate::model::text::Text;
use crate::plan::{self, Action, Plan, Reversal};

const VERSION: u32 = 3;
const BEGUN: u8 = b'.';
const TAKEN_BACK: u8 = b'u';

/// How one step is taken back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Undo {
    /// Put a file back: the earlier contents are in the journal's file of this number.
    Restore { path: Text, backup: usize, mode: u32, owner: Option<(u32, u32)> },
    /// Take a file away that was not there.
    Remove { path: Text },
    /// Take back what was asked of the service manager.
    Reverse(Reversal),
}

/// What `plan.json` holds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    version: u32,
    steps: Vec<Vec<Undo>>,
    after: Vec<Vec<Text>>,
    /// Done after those, where the step of this number was begun.
    restarts: Vec<(usize, Reversal)>,
    /// Directories that were not there, the outer ones first.
    directories: Vec<Text>,
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// When these bytes are none, or one of another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let record: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match record.version {
            VERSION => Ok(record),
            other => Err(format!("it is of version {other}, and this program knows version {VERSION}")),
        }
    }

    /// The files that the plan changes.
    fn paths(&self) -> impl Iterator<Item = &Text> {
        self.steps.iter().flatten().filter_map(|undo| match undo {
            Undo::Restore { path, .. } | Undo::Remove { path } => Some(path),
            Undo::Reverse(_) => None,
        })
    }
}

/// The journal of a plan that is being applied.
#[derive(Debug)]
pub struct Journal {
    directory: Text,
    nssm: Text,
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

fn directory(place: &Place) -> Text {
    place.state_dir.with("/journal")
}

/// Whether there is a journal: a run is at work, or was ended half way.
pub fn is_there(place: &Place) -> bool {
    to_path(&directory(place)).symlink_metadata().is_ok()
}

impl Journal {
    /// Writes the journal of `plan`; nothing else is changed.
    ///
    /// # Errors
    /// When a file that the plan changes cannot be read, or the journal cannot be written.
    pub fn begin(plan: &Plan, place: &Place) -> Result<Self, Error> {
        let directory = directory(place);
        files::make_directory(&directory, 0o700)?;
        files::only_ours(&directory)?;
        Self::write(plan, &directory, place.nssm()).inspect_err(|_| discard(&directory))
    }

    fn write(plan: &Plan, directory: &Text, nssm: Text) -> Result<Self, Error> {
        let failed = |source: io::Error| Error::io("writing the journal", directory, source);
        let mut backups = 0;
        let mut steps = Vec::new();
        let mut directories = Vec::new();
        for step in &plan.steps {
            let mut undo: Vec<Undo> = step.undo.iter().cloned().map(Undo::Reverse).collect();
            match &step.action {
                Action::Write(Artifact { path, .. }) | Action::Remove(path) => {
                    undo.push(keep(path, directory, &mut backups)?);
                }
                Action::MakeDirectory { path, .. } => directories.extend(files::missing_directories(path)),
                Action::Discard(_) | Action::Run(_) | Action::Try(..) | Action::Settle(_) | Action::AwaitStop(_) => {}
            }
            steps.push(undo);
        }
        let after = plan.after_undo.iter().map(|command| command.0.clone()).collect();
        let record = Record { version: VERSION, steps, after, restarts: plan.restarts.clone(), directories };
        let contents = serde_json::to_vec(&record).map_err(|error| failed(error.into()))?;
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        files::private(&mut options);
        let begun = options.open(to_path(&directory.with("/begun"))).map_err(failed)?;
        // The record comes last and whole: a journal without one is a journal that was never begun. What
        // lies beside it is synced with it, once for all.
        let record_file = files::stage_as_private(&Artifact {
            path: directory.with("/plan.json"),
            mode: 0o600,
            contents: contents.into(),
        })?;
        files::sync([&record_file])?;
        record_file.commit()?;
        files::sync_directory(directory);
        let journal = Self { directory: directory.clone(), nssm, record, begun, marks: Vec::new() };
        for path in journal.record.steps.iter().flatten().filter_map(Undo::restores) {
            files::keep_beside(path);
        }
        Ok(journal)
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
        let changes_files = |undo: &Vec<Undo>| !undo.is_empty() && undo.iter().all(|undo| undo.restores_file());
        let more = self.record.steps.iter().skip(number + 1).take_while(|undo| changes_files(undo)).count();
        let marks = vec![BEGUN; number + 1 + more - self.marks.len()];
        // Kept also when it fails: then too little is noted, and nothing of the step is done.
        self.begun
            .write_all(&marks)
            .and_then(|()| self.begun.sync_data())
            .map_err(|source| Error::io("writing the journal", &self.directory, source))?;
        self.marks.extend(marks);
        Ok(())
    }

    /// Ends a plan that was applied whole.
    pub fn finish(self) {
        // Without the journal nothing tells what was changed: that must have reached the disk.
        let directories: BTreeSet<Text> = self.record.paths().filter_map(files::parent).collect();
        directories.iter().for_each(files::sync_directory);
        self.record.steps.iter().flatten().filter_map(Undo::restores).for_each(files::forget_before);
        self.forget();
    }

    fn forget(self) {
        // Windows removes no file that is open.
        drop(self.begun);
        discard(&self.directory);
    }

    /// Takes back every step that was begun, the last first.
    pub fn undo(mut self) -> Undone {
        let mut undone = Undone::default();
        let mut file_left = false;
        for number in (0..self.marks.len().min(self.record.steps.len())).rev() {
            if self.marks[number] != BEGUN {
                continue;
            }
            let mut is_left = false;
            for undo in self.record.steps[number].iter().flat_map(|undo| undo.resolved(&self.nssm)) {
                match undo.apply(&self.directory, &self.nssm) {
                    Ok(Some(line)) => undone.restored.push(line),
                    Ok(None) => {}
                    Err(error) => {
                        is_left |= undo.restores_file();
                        undone.left.push(undo.by_hand(&self.directory, &self.nssm, &error));
                    }
                }
            }
            file_left |= is_left;
            if !is_left && !self.record.steps[number].is_empty() {
                // A command is not repeated by the run that goes on here after a kill: its unit may be gone.
                drop(self.begun.seek(SeekFrom::Start(number as u64)).and_then(|_| self.begun.write_all(&[TAKEN_BACK])));
            }
        }
        if !self.marks.is_empty() {
            let begun = |number: &usize| *number < self.marks.len();
            let restarts = self.record.restarts.iter().filter(|(number, _)| begun(number)).map(|(_, undo)| undo);
            let after = self.record.after.iter().map(|argv| Reversal::Run(Invocation(argv.clone())));
            for undo in after.chain(restarts.cloned()).map(Undo::Reverse) {
                if let Err(error) = undo.apply(&self.directory, &self.nssm) {
                    undone.left.push(undo.by_hand(&self.directory, &self.nssm, &error));
                }
            }
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
}

/// Takes back the plan that an earlier run left unfinished, if there is one.
///
/// # Errors
/// When its journal is there and cannot be read, or somebody else could have written it.
pub fn recover(place: &Place) -> Result<Option<Undone>, Error> {
    let directory = directory(place);
    if to_path(&directory).symlink_metadata().is_err() {
        return Ok(None);
    }
    // It holds commands that are about to be run.
    files::only_ours(&directory)?;
    let path = directory.with("/plan.json");
    let Entry::File(plan) = files::look(&path)? else {
        discard(&directory);
        return Ok(None);
    };
    files::only_ours(&path)?;
    let record =
        Record::parse(&plan.contents).map_err(|reason| Error::BadJournal { directory: directory.clone(), reason })?;
    let path = directory.with("/begun");
    let failed = |source: io::Error| Error::io("reading the journal", &path, source);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    files::private(&mut options);
    let mut begun = options.open(to_path(&path)).map_err(failed)?;
    let mut marks = Vec::new();
    begun.read_to_end(&mut marks).map_err(failed)?;
    Ok(Some(Journal { directory, nssm: place.nssm(), record, begun, marks }.undo()))
}

/// Keeps what lies at `path`, and says how it is put back.
fn keep(path: &Text, directory: &Text, backups: &mut usize) -> Result<Undo, Error> {
    match files::look(path)? {
        Entry::Missing => Ok(Undo::Remove { path: path.clone() }),
        Entry::Other(what) => Err(Error::Foreign {
            path: path.clone(),
            reason: format!("{what} lies there, which InstallService did not make"),
            help: format!("look at it with `{} {path}`, and move it away if nothing needs it", files::LOOK),
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
    /// Whether it puts a file in order, and runs nothing.
    fn restores_file(&self) -> bool {
        !matches!(self, Self::Reverse(_))
    }

    /// The file that it puts back.
    fn restores(&self) -> Option<&Text> {
        match self {
            Self::Restore { path, .. } => Some(path),
            Self::Remove { .. } | Self::Reverse(_) => None,
        }
    }

    /// Itself, or the calls of NSSM that it takes by now.
    fn resolved(&self, nssm: &Text) -> Vec<Self> {
        let Self::Reverse(Reversal::Registration { name, earlier }) = self else { return vec![self.clone()] };
        let now = nssm::stored(nssm, name);
        // One that runs stays registered until it ends; after a restart of the machine it may run.
        let stop = (earlier.is_none() && now.is_some()).then(|| Reversal::Stop(name.clone()));
        let calls = plan::nssm::calls_back(nssm, name, now.as_deref(), earlier.as_deref());
        stop.into_iter().chain(calls.into_iter().map(Reversal::Run)).map(Self::Reverse).collect()
    }

    /// Takes the step back; says what was put back, if anything had to be.
    fn apply(&self, directory: &Text, nssm: &Text) -> Result<Option<String>, Error> {
        match self {
            Self::Restore { path, backup, mode, owner } => {
                let Entry::File(kept) = files::look(&directory.with(&format!("/{backup}")))? else {
                    return Err(Error::io("reading the journal", directory, io::ErrorKind::NotFound.into()));
                };
                let is_it = |path: &Text| {
                    let same = |found: &Found| found.contents == kept.contents && found.mode == *mode;
                    let entry = files::look(path);
                    entry.is_ok_and(|entry| matches!(entry, Entry::File(found) if same(&found)))
                        && files::owner(path) == *owner
                };
                if is_it(path) {
                    return Ok(None);
                }
                // A directory in its place, or the like, is told by the write.
                if !is_it(&files::before(path)) || files::put_back(path).is_err() {
                    let artifact = Artifact { path: path.clone(), mode: *mode, contents: kept.contents.clone() };
                    files::write_for(&artifact, *owner)?;
                }
                Ok(Some(format!("`{path}`")))
            }
            Self::Remove { path } => {
                if files::look(path)? == Entry::Missing {
                    return Ok(None);
                }
                files::remove(path)?;
                Ok(Some(format!("`{path}` (it was not there)")))
            }
            Self::Reverse(reversal) => {
                let has_changed = match reversal {
                    Reversal::Run(command) => process::run(command).map(|_| true)?,
                    Reversal::Start(name) => nssm::bring_up(nssm, name)?,
                    Reversal::Stop(name) => nssm::bring_down(nssm, name)?,
                    Reversal::Registration { .. } => unreachable!("resolved"),
                };
                Ok(has_changed.then(|| format!("by `{}`", command_of(reversal, nssm).typed())))
            }
        }
    }

    /// What a person does where the undo failed.
    fn by_hand(&self, directory: &Text, nssm: &Text, error: &Error) -> String {
        let again = "the next run tries it again, or by hand:";
        match self {
            Self::Restore { path, backup, mode, owner } => {
                let kept = directory.with(&format!("/{backup}"));
                let typed = if cfg!(windows) {
                    Invocation::new(["copy".into(), kept, path.clone()]).typed()
                } else {
                    let (user, group) = owner.unwrap_or_default();
                    let mut words: Vec<Text> = vec!["install".into(), "-m".into(), format!("{mode:04o}").into()];
                    words.extend(["-o".into(), user.to_string().into(), "-g".into(), group.to_string().into()]);
                    words.extend([kept, path.clone()]);
                    Invocation(words).typed()
                };
                format!("`{path}`; {again} `{typed}` ({error})")
            }
            Self::Remove { path } => {
                let verb = if cfg!(windows) { "del" } else { "rm" };
                format!("`{path}`; {again} `{}` ({error})", Invocation::new([verb.into(), path.clone()]).typed())
            }
            Self::Reverse(reversal) => run_by_hand(&command_of(reversal, nssm), error),
        }
    }
}

/// What a person types to do the same.
fn command_of(reversal: &Reversal, nssm: &Text) -> Invocation {
    let call = |verb: &str, name: &ServiceName| Invocation::new([nssm.clone(), verb.into(), name.as_str().into()]);
    match reversal {
        Reversal::Run(command) => command.clone(),
        Reversal::Start(name) => call("start", name),
        Reversal::Stop(name) => call("stop", name),
        Reversal::Registration { .. } => unreachable!("resolved"),
    }
}

/// The command that a person runs because it failed here.
fn run_by_hand(command: &Invocation, error: &Error) -> String {
    let mut line = format!("run `{}` by hand", command.typed());
    if let Some(at) = command.0.iter().position(|word| word.as_bytes() == b"stop")
        && command.0[0].as_bytes() == b"systemctl"
    {
        // Its files are gone when it is stopped, and with them what it runs at its end.
        let mut forget = command.clone();
        forget.0[at] = "reset-failed".into();
        line += &format!(", and `{}` if it counts as failed then", forget.typed());
    }
    format!("{line} ({error})")
}

fn discard(directory: &Text) {
    // The record goes first: without it the rest is rubbish, not a journal.
    drop(fs::remove_file(to_path(&directory.with("/plan.json"))));
    files::sync_directory(directory);
    drop(fs::remove_dir_all(to_path(directory)));
}
