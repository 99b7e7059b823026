//! Taking one step back, and saying how a person does it where that failed.

use std::io;

use super::record::Undo;
use crate::error::Error;
use crate::host::files::{self, Entry};
use crate::host::folder::Folder;
use crate::host::process;
use crate::host::reading::Limit;
use crate::managers::systemd::links;
use crate::managers::{self, nssm};
use crate::model::artifact::{Artifact, ArtifactKind};
use crate::model::invocation::Invocation;
use crate::model::observed::Found;
use crate::model::operation::{Operation, nssm as of_nssm, systemd as of_systemd};
use crate::model::site::Site;
use crate::model::text::Text;
use crate::plan::{self, Reversal};

/// What is taken back with, and where the journal lies.
#[derive(Clone, Copy)]
pub(super) struct Undoing<'a> {
    pub(super) folder: &'a Folder,
    pub(super) site: &'a Site,
}

impl Undoing<'_> {
    /// `undo` itself, or what is to be asked of NSSM by now.
    pub(super) fn resolved(self, undo: &Undo) -> Vec<Undo> {
        let Undo::Reverse(Reversal::Registration { name, earlier }) = undo else { return vec![undo.clone()] };
        let now = nssm::stored(&self.site.place.nssm(), name);
        // One that runs stays registered until it ends; after a restart of the machine it may run.
        let stop = (earlier.is_none() && now.is_some()).then(|| Reversal::Stop(name.clone()));
        let operations = plan::nssm::brings_back(name, now.as_deref(), earlier.as_deref());
        let operations = operations.into_iter().map(|operation| Reversal::Run(Operation::Nssm(operation)));
        stop.into_iter().chain(operations).map(Undo::Reverse).collect()
    }

    /// Takes the step back; says what was put back, if anything had to be.
    pub(super) fn apply(self, undo: &Undo) -> Result<Option<String>, Error> {
        match undo {
            Undo::Restore { path, backup, mode, owner } => self.restore(path, *backup, *mode, *owner),
            Undo::Remove { path } => {
                if files::look(path)? == Entry::Missing {
                    return Ok(None);
                }
                files::remove(path)?;
                Ok(Some(format!("`{path}` (it was not there)")))
            }
            Undo::Reverse(Reversal::Links(earlier)) => {
                let changed = links::restore(&self.site.place.unit_dir, earlier)?;
                let paths = changed.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
                let links = if changed.len() == 1 { "link" } else { "links" };
                Ok((!changed.is_empty()).then(|| format!("the {links} {paths}")))
            }
            Undo::Reverse(reversal) => {
                let has_changed = self.reverse(reversal)?;
                Ok(has_changed.then(|| format!("by `{}`", self.command_of(reversal).typed())))
            }
        }
    }

    /// Takes back what was asked of the service manager; says whether that changed anything.
    fn reverse(self, reversal: &Reversal) -> Result<bool, Error> {
        let exe = self.site.place.nssm();
        match reversal {
            Reversal::Run(operation) => managers::run(operation, self.site).map(|()| true),
            Reversal::Try(operation) => {
                drop(managers::run(operation, self.site));
                Ok(false)
            }
            Reversal::Command(command) => process::run(command).map(|_| true),
            Reversal::Start(name) => nssm::bring_up(&exe, name),
            Reversal::Stop(name) => nssm::bring_down(&exe, name),
            Reversal::Registration { .. } | Reversal::Links(_) => unreachable!("resolved"),
        }
    }

    /// Puts a file back from its second name beside it, or else from the copy in the journal.
    fn restore(
        self,
        path: &Text,
        backup: usize,
        mode: u32,
        owner: Option<(u32, u32)>,
    ) -> Result<Option<String>, Error> {
        let Entry::File(kept) = self.folder.look(&backup.to_string().into(), Limit::TEXT)? else {
            return Err(Error::io("reading the journal", self.folder.shown(), io::ErrorKind::NotFound.into()));
        };
        let is_it = |path: &Text| {
            let same = |found: &Found| (&found.contents, found.mode, found.owner) == (&kept.contents, mode, owner);
            files::look(path).is_ok_and(|entry| matches!(entry, Entry::File(found) if same(&found)))
        };
        if is_it(path) {
            // Before a service is started again: Windows takes no name away from a program that runs.
            files::forget_before(path);
            return Ok(None);
        }
        // A directory in its place, or the like, is told by the write.
        if !is_it(&files::before(path)) || files::put_back(path).is_err() {
            let (kind, contents) = (ArtifactKind::Plain, kept.contents.clone());
            files::write_for(&Artifact { path: path.clone(), mode, kind, contents }, owner)?;
        }
        Ok(Some(format!("`{path}`")))
    }

    /// Where the earlier contents of a file are, for a person.
    fn kept(self, backup: usize) -> Text {
        self.folder.path_of(&backup.to_string().into())
    }

    /// What a person does where the undo failed.
    pub(super) fn by_hand(self, undo: &Undo, error: &Error) -> String {
        let again = "the next run tries it again, or by hand:";
        match undo {
            Undo::Restore { path, backup, mode, owner } => {
                let kept = self.kept(*backup);
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
            Undo::Remove { path } => {
                let verb = if cfg!(windows) { "del" } else { "rm" };
                format!("`{path}`; {again} `{}` ({error})", Invocation::new([verb.into(), path.clone()]).typed())
            }
            Undo::Reverse(Reversal::Links(earlier)) => {
                let units: Vec<&str> = earlier.iter().map(|(unit, _)| unit).collect();
                format!("the links to `{}`; the next run tries it again ({error})", units.join("`, `"))
            }
            Undo::Reverse(reversal) => {
                let command = self.command_of(reversal).typed();
                format!("run `{command}` by hand{} ({error})", self.forgetting(reversal))
            }
        }
    }

    /// What a person types to do the same.
    fn command_of(self, reversal: &Reversal) -> Invocation {
        let nssm = |operation: of_nssm::Operation| operation.invocation(&self.site.place.nssm());
        match reversal {
            Reversal::Run(operation) | Reversal::Try(operation) => operation.invocation(self.site),
            Reversal::Command(command) => command.clone(),
            Reversal::Start(name) => nssm(of_nssm::Operation::Start(name.clone())),
            Reversal::Stop(name) => nssm(of_nssm::Operation::Stop(name.clone())),
            Reversal::Registration { .. } | Reversal::Links(_) => unreachable!("resolved"),
        }
    }

    /// What follows a stop by hand: the files of a unit are gone when it is stopped, and with them what it runs at
    /// its end, so that it may count as failed.
    fn forgetting(self, reversal: &Reversal) -> String {
        let Reversal::Run(Operation::Systemd(of_systemd::Operation::Stop(names))) = reversal else {
            return String::new();
        };
        let forget = of_systemd::Operation::ResetFailed(names.clone()).invocation(self.site.scope());
        format!(", and `{}` if it counts as failed then", forget.typed())
    }
}
