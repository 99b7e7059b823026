//! A directory by its path.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::Opening;
use crate::error::Error;
use crate::host::files;
use crate::host::reading::{self, Links, Opened, Unread};
use crate::host::text::text;
use crate::model::artifact::Artifact;
use crate::model::text::Text;

/// A directory that is there.
#[derive(Clone, Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn open(path: &Path, links: Links) -> io::Result<Self> {
        let found = match links {
            Links::Followed => fs::metadata(path)?,
            Links::Refused => fs::symlink_metadata(path)?,
        };
        if found.is_dir() { Ok(Self(path.to_owned())) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    pub(super) fn below(&self, name: &Path) -> io::Result<Self> {
        Self::open(&self.0.join(name), Links::Refused)
    }

    /// One that is private is closed to what it would inherit.
    pub(super) fn make_below(&self, name: &Path, mode: u32) -> io::Result<Self> {
        let path = text(self.0.join(name));
        let is_private = mode & 0o077 == 0;
        let made =
            if is_private { files::make_directory(&path, mode) } else { files::make_plain_directory(&path, mode) };
        made.map_err(cause)?;
        self.below(name)
    }

    pub(super) fn read(&self, name: &Path) -> Result<Opened, Unread> {
        reading::open_at(&self.0.join(name), Links::Refused)
    }

    pub(super) fn file(&self, name: &Path, opening: Opening, _mode: u32) -> Result<File, Unread> {
        let mut options = OpenOptions::new();
        match opening {
            Opening::Append => options.append(true).create(true),
            Opening::Change => options.read(true).write(true).create(true).truncate(false),
            Opening::New => options.write(true).create_new(true),
        };
        files::no_link(&mut options);
        Ok(options.open(self.0.join(name))?)
    }

    pub(super) fn stage(&self, name: &Path, artifact: &Artifact) -> io::Result<Temporary> {
        let path = text(self.0.join(name));
        files::stage_as_private(&Artifact { path, ..artifact.clone() }).map(Temporary).map_err(cause)
    }

    pub(super) fn link(&self, name: &Path) -> io::Result<PathBuf> {
        fs::read_link(self.0.join(name))
    }

    /// Its links are other ones, and need rights of their own.
    #[expect(clippy::unused_self, reason = "as on Unix")]
    pub(super) fn make_link(&self, _name: &Path, _target: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn remove(&self, name: &Path) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    pub(super) fn move_aside(&self, name: &Path, other: &Path) -> io::Result<()> {
        let (from, to) = (self.0.join(name), self.0.join(other));
        match fs::symlink_metadata(&from)?.is_file() && fs::symlink_metadata(&to).is_err() {
            true => fs::rename(from, to),
            false => Ok(()),
        }
    }

    pub(super) fn remove_empty(&self, name: &Path) {
        drop(fs::remove_dir(self.0.join(name)));
    }

    pub(super) fn names(&self) -> io::Result<Vec<Text>> {
        fs::read_dir(&self.0)?.map(|entry| Ok(text(entry?.file_name()))).collect()
    }

    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on Linux; each file was synced")]
    pub(super) fn sync_files(&self) -> io::Result<()> {
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "as on Unix; Windows does that by itself")]
    pub(super) fn sync_names(&self) {}
}

/// A file with a name of its own, beside its place.
#[derive(Debug)]
pub(super) struct Temporary(files::Staged);

impl Temporary {
    pub(super) fn commit(self) -> io::Result<()> {
        self.0.commit().map_err(cause)
    }
}

fn cause(error: Error) -> io::Error {
    match error {
        Error::Io { source, .. } => source,
        other => io::Error::other(other.to_string()),
    }
}
