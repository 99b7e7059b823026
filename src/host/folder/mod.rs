//! [`Folder`]: an open directory. What is done in it is done in this very directory, whatever another user puts in its
//! place meanwhile, and no link is followed at the end of a name.
//!
//! Windows has no such descriptors; there it is a path, and access lists keep others out.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::{MAIN_SEPARATOR_STR as SEPARATOR, PathBuf};

#[cfg(unix)]
use self::unix::{Directory, Temporary};
#[cfg(windows)]
use self::windows::{Directory, Temporary};
use super::files::{self, Entry};
use super::reading::{Limit, Links, Unread};
use super::text::{os, path as to_path, text};
use crate::error::Error;
use crate::model::artifact::Artifact;
use crate::model::text::Text;

/// An open directory.
#[derive(Clone, Debug)]
pub struct Folder {
    /// What it is called in a message.
    shown: Text,
    open: Directory,
}

/// For what a file is opened, besides being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// To add to its end.
    Append,
    /// To change what is in it.
    Change,
    /// To fill it: nothing of its name is there.
    New,
}

/// A file that is written in a folder but not yet in its place: one rename remains. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Staged {
    temporary: Temporary,
    path: Text,
}

impl Folder {
    /// The directory at `path`; a link there is followed, for somebody named it.
    ///
    /// # Errors
    /// When it is no directory, or is not there.
    pub fn open(path: &Text) -> io::Result<Self> {
        Ok(Self { shown: path.clone(), open: Directory::open(&to_path(path), Links::Followed)? })
    }

    /// The directory `name` in this one, which must not be a link.
    ///
    /// # Errors
    /// When it is no directory, or is not there.
    pub fn below(&self, name: &Text) -> io::Result<Self> {
        Ok(Self { shown: self.path_of(name), open: self.open.below(&to_path(name))? })
    }

    /// The directory `name` in this one, made with `mode` if nothing of that name is there.
    ///
    /// # Errors
    /// When it cannot be made, or something else has that name.
    pub fn make_below(&self, name: &Text, mode: u32) -> io::Result<Self> {
        Ok(Self { shown: self.path_of(name), open: self.open.make_below(&to_path(name), mode)? })
    }

    /// What it is called in a message.
    pub fn shown(&self) -> &Text {
        &self.shown
    }

    /// The path of a file in it, for a message.
    pub fn path_of(&self, name: &Text) -> Text {
        let shown = if self.shown.as_bytes().ends_with(b"/") { self.shown.clone() } else { self.shown.with(SEPARATOR) };
        Text::from_bytes([shown.as_bytes(), name.as_bytes()].concat())
    }

    /// Refuses a directory that somebody else could have filled. Windows keeps that in its access list.
    ///
    /// # Errors
    /// [`Error::Foreign`].
    pub fn only_ours(&self) -> Result<(), Error> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let found = self.metadata().map_err(|source| Error::io("reading", &self.shown, source))?;
            files::closed_to_others(&self.shown, found.uid(), files::mode_of(&found))?;
        }
        Ok(())
    }

    /// Reads what lies there under `name`.
    ///
    /// # Errors
    /// When it is there but cannot be read, or is larger than `limit`.
    pub fn look(&self, name: &Text, limit: Limit) -> Result<Entry, Error> {
        files::entry(self.open.read(&to_path(name)), &self.path_of(name), limit)
    }

    /// Opens the file `name`, made with `mode` if it is not there. It neither waits for anybody nor leads elsewhere.
    ///
    /// # Errors
    /// When it is no file, or has another name as well, or is not for us to write.
    pub fn file(&self, name: &Text, opening: Opening, mode: u32) -> Result<File, Unread> {
        self.open.file(&to_path(name), opening, mode)
    }

    /// Writes the contents of `artifact` beside the place of the file `name` in this directory.
    ///
    /// # Errors
    /// When that is refused.
    pub fn stage(&self, name: &Text, artifact: &Artifact) -> Result<Staged, Error> {
        let path = self.path_of(name);
        match self.open.stage(&to_path(name), artifact) {
            Ok(temporary) => Ok(Staged { temporary, path }),
            Err(source) => Err(Error::io("writing", &path, source)),
        }
    }

    /// Makes what was staged here survive a power cut; elsewhere than on Linux it does already.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync_files(&self) -> io::Result<()> {
        self.open.sync_files()
    }

    /// Makes the names in it survive a power cut. Where that cannot be done, they survive all else.
    pub fn sync_names(&self) {
        self.open.sync_names();
    }

    /// What the link `name` says; `None` if nothing of that name is there.
    ///
    /// # Errors
    /// When it is something else, or cannot be read.
    pub fn link(&self, name: &Text) -> io::Result<Option<Text>> {
        match self.open.link(&to_path(name)) {
            Ok(target) => Ok(Some(text(target))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes the link `name`, where nothing of that name is.
    ///
    /// # Errors
    /// When it cannot be made; Windows has no links that a system of Linux reads.
    pub fn make_link(&self, name: &Text, target: &Text) -> Result<(), Error> {
        let made = self.open.make_link(&to_path(name), &to_path(target));
        made.map_err(|source| Error::io("making the link", &self.path_of(name), source))
    }

    /// Takes the file `name` away; one that is gone already is fine.
    ///
    /// # Errors
    /// When it is there and cannot be removed.
    pub fn remove(&self, name: &Text) -> Result<(), Error> {
        match self.open.remove(&to_path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("removing", &self.path_of(name), error))
            }
            _ => Ok(()),
        }
    }

    /// Gives the file `name` another name, unless there is no such file, or something has that name already. Nothing is
    /// done by it that the owner of the directory could not do.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub fn move_aside(&self, name: &Text, other: &Text) -> Result<(), Error> {
        match self.open.move_aside(&to_path(name), &to_path(other)) {
            Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists) => {
                Err(Error::io("renaming", &self.path_of(name), error))
            }
            _ => Ok(()),
        }
    }

    /// Takes the directory `name` away if it is empty.
    pub fn remove_empty(&self, name: &Text) {
        self.open.remove_empty(&to_path(name));
    }

    /// The names of what is in it.
    ///
    /// # Errors
    /// When it may not be listed, or its disk fails.
    pub fn names(&self) -> io::Result<Vec<Text>> {
        self.open.names()
    }

    /// Takes away what a killed run left of the files `names` that it had not finished.
    pub fn sweep(&self, names: &[Text]) {
        let paths: Vec<PathBuf> = names.iter().map(to_path).collect();
        let temporary = files::Temporary::of(paths.iter().map(PathBuf::as_path));
        for left in self.names().into_iter().flatten().filter(|left| temporary.has(&os(left))) {
            drop(self.remove(&left));
        }
    }
}

#[cfg(unix)]
impl Folder {
    /// What the system says of it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn metadata(&self) -> io::Result<std::fs::Metadata> {
        self.open.metadata()
    }

    /// The modes of it and of each directory above it, as they lie there.
    ///
    /// # Errors
    /// When one of them may not be looked at.
    pub fn modes_up_to_root(&self) -> io::Result<Vec<u32>> {
        self.open.modes_up_to_root()
    }
}

impl Staged {
    /// Puts the file in its place, in one instant.
    ///
    /// # Errors
    /// When the rename is refused.
    pub fn commit(self) -> Result<(), Error> {
        let Self { temporary, path } = self;
        temporary.commit().map_err(|source| Error::io("writing", &path, source))
    }
}

/// A directory while one looks for many files in it: it is opened once, and its names are read once, because most of what
/// could be there is not. Where they may not be listed, a file may be opened all the same; elsewhere than on Linux it
/// may have its name in other letters, and is asked for by itself.
#[derive(Debug)]
pub struct Listed(Option<(Folder, Option<BTreeSet<Text>>)>);

impl Listed {
    /// The one at `path`, which need not be there.
    ///
    /// # Errors
    /// When it may not be entered.
    pub fn open(path: &Text) -> Result<Self, Error> {
        match Folder::open(path) {
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Ok(Self(None))
            }
            Err(source) => Err(Error::io("entering", path, source)),
            Ok(folder) => {
                let names = folder.names().ok().filter(|_| cfg!(target_os = "linux")).map(BTreeSet::from_iter);
                Ok(Self(Some((folder, names))))
            }
        }
    }

    /// The directory, if it is there.
    pub fn folder(&self) -> Option<&Folder> {
        self.0.as_ref().map(|(folder, _)| folder)
    }

    /// What lies at `path`, which is in this directory.
    ///
    /// # Errors
    /// When it is there but cannot be read, or is larger than a file of ours can be.
    pub fn look(&self, path: &Text) -> Result<Entry, Error> {
        let place = to_path(path);
        match (&self.0, place.file_name().map(text)) {
            (Some((folder, names)), Some(name)) if names.as_ref().is_none_or(|names| names.contains(&name)) => {
                folder.look(&name, Limit::TEXT)
            }
            _ => Ok(Entry::Missing),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::host::text::text;
    use crate::model::artifact::ArtifactKind;
    use std::fs;

    fn contents(folder: &Folder, name: &str) -> String {
        match folder.look(&name.into(), Limit::TEXT).unwrap() {
            Entry::File(found) => String::from_utf8(found.contents.to_vec()).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn what_is_put_in_its_place_counts_for_nothing() {
        let top = tempfile::tempdir().unwrap();
        let path = |name: &str| top.path().join(name);
        let above = Folder::open(&text(top.path())).unwrap();
        let folder = above.make_below(&"journal".into(), 0o700).unwrap();
        let stage = |name: &str, word: &str| {
            let contents = word.as_bytes().to_vec();
            folder.stage(&name.into(), &Artifact::private(name.into(), ArtifactKind::Plain, contents)).unwrap()
        };
        stage("plan", "ours").commit().unwrap();
        let late = stage("late", "late");
        fs::rename(path("journal"), path("aside")).unwrap();
        fs::create_dir(path("journal")).unwrap();
        fs::write(path("journal/plan"), "theirs").unwrap();
        assert_eq!(contents(&folder, "plan"), "ours");
        late.commit().unwrap();
        drop(stage("dropped", "dropped"));
        folder.file(&"begun".into(), Opening::New, 0o600).unwrap();
        let mut names = folder.names().unwrap();
        names.sort();
        assert_eq!(names, ["begun", "late", "plan"].map(Text::from));
        folder.remove(&"plan".into()).unwrap();
        assert_eq!(fs::read_to_string(path("journal/plan")).unwrap(), "theirs");
        assert_eq!(contents(&above.below(&"journal".into()).unwrap(), "plan"), "theirs");
    }

    #[test]
    fn only_directories_are_entered_and_only_files_are_written() {
        let top = tempfile::tempdir().unwrap();
        let path = |name: &str| top.path().join(name);
        let folder = Folder::open(&text(top.path())).unwrap();
        fs::create_dir(path("folder")).unwrap();
        fs::write(path("file"), "precious").unwrap();
        fs::hard_link(path("file"), path("second")).unwrap();
        std::os::unix::fs::symlink("folder", path("link")).unwrap();
        std::os::unix::fs::symlink("file", path("to-file")).unwrap();
        nix::unistd::mkfifo(&path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for name in ["file", "link", "fifo"] {
            for entered in [folder.below(&name.into()), folder.make_below(&name.into(), 0o755)] {
                assert_eq!(entered.unwrap_err().kind(), io::ErrorKind::NotADirectory, "{name}");
            }
        }
        for name in ["fifo", "second", "to-file", "folder"] {
            folder.file(&name.into(), Opening::Append, 0o600).unwrap_err();
        }
        assert_eq!(fs::read_to_string(path("file")).unwrap(), "precious");
    }

    #[test]
    fn a_file_is_renamed_unless_it_is_none_or_the_name_is_taken() {
        let top = tempfile::tempdir().unwrap();
        let path = |name: &str| top.path().join(name);
        let folder = Folder::open(&text(top.path())).unwrap();
        fs::write(path("log"), "said").unwrap();
        fs::write(path("taken"), "precious").unwrap();
        std::os::unix::fs::symlink("taken", path("link")).unwrap();
        fs::create_dir(path("folder")).unwrap();
        for (name, other) in [("log", "taken"), ("link", "new"), ("folder", "new"), ("missing", "new")] {
            folder.move_aside(&name.into(), &other.into()).unwrap();
            assert!(!path("new").exists() && path("link").is_symlink() && path("folder").is_dir(), "{name}");
        }
        assert_eq!(fs::read_to_string(path("taken")).unwrap(), "precious");
        folder.move_aside(&"log".into(), &"new".into()).unwrap();
        assert_eq!(fs::read_to_string(path("new")).unwrap(), "said");
        assert!(!path("log").exists());
    }
}
