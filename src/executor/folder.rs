//! Directories below one that a person named, entered one at a time: no link leads out of it, also
//! where another user puts one there while we write.

use std::fs;
use std::io;
use std::path::{MAIN_SEPARATOR_STR as SEPARATOR, Path, PathBuf};

use crate::error::Error;
use crate::host::files::{self, Staged};
use crate::host::text::{path as to_path, text};
use crate::model::artifact::Artifact;
use crate::model::text::Text;

/// An open directory.
#[derive(Debug)]
pub struct Folder {
    /// What it is called in a message.
    shown: Text,
    /// A path that leads to this very directory, whatever is put in its place meanwhile.
    reach: PathBuf,
    #[cfg(unix)]
    open: fs::File,
}

impl Folder {
    /// The directory that a person named, made if it is not there; a link in its path is that person's word.
    ///
    /// # Errors
    /// When it cannot be made or entered.
    pub fn named(directory: &Text) -> Result<Self, Error> {
        files::make_plain_directory(directory, 0o755)?;
        Self::open(directory.clone(), &to_path(directory), false)
            .map_err(|source| Error::io("entering", directory, source))
    }

    /// The directory `name` in this one, which must not be a link; `None` if there is nothing of that name
    /// and it is not to be made.
    ///
    /// # Errors
    /// When something else has that name.
    pub fn below(&self, name: &Text, make: bool) -> Result<Option<Self>, Error> {
        let (shown, path) = (self.shown_file(name), self.reach.join(to_path(name)));
        if make {
            match files::make_one_directory(&path, 0o755) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(Error::io("making the directory", &shown, error));
                }
                _ => {}
            }
        }
        match Self::open(shown.clone(), &path, true) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !make => Ok(None),
            Err(error) => match fs::symlink_metadata(&path) {
                Ok(found) if !found.is_dir() => Err(in_the_way(shown)),
                _ => Err(Error::io("entering", &shown, error)),
            },
        }
    }

    #[cfg(unix)]
    fn open(shown: Text, path: &Path, no_link: bool) -> io::Result<Self> {
        use nix::fcntl::OFlag;
        use std::fs::OpenOptions;
        use std::os::fd::AsRawFd;
        use std::os::unix::fs::OpenOptionsExt;
        let flags = if no_link { OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW } else { OFlag::O_DIRECTORY };
        let open = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
        let by_number = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
        // Where there is no /proc, nobody may change the tree while we write.
        let reach = if by_number.is_dir() { by_number } else { path.to_owned() };
        Ok(Self { shown, reach, open })
    }

    #[cfg(windows)]
    fn open(shown: Text, path: &Path, no_link: bool) -> io::Result<Self> {
        let found = if no_link { fs::symlink_metadata(path)? } else { fs::metadata(path)? };
        if !found.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { shown, reach: path.to_owned() })
    }

    /// The path by which a file in it is read and written.
    pub fn file(&self, name: &Text) -> Text {
        text(self.reach.join(to_path(name)))
    }

    /// Writes a file beside its place in this directory.
    ///
    /// # Errors
    /// When that is refused.
    pub fn stage(&self, name: &Text, artifact: Artifact) -> Result<Staged, Error> {
        let artifact = Artifact { path: self.file(name), ..artifact };
        #[cfg(unix)]
        return files::stage_in(&artifact, &self.open);
        #[cfg(windows)]
        files::stage(&artifact)
    }

    /// Puts a file in its place that was staged in this directory.
    ///
    /// # Errors
    /// When that is refused.
    pub fn commit(&self, file: Staged) -> Result<(), Error> {
        #[cfg(unix)]
        return file.commit_in(&self.open);
        #[cfg(windows)]
        file.commit()
    }

    /// The path of a file in it, for a message.
    pub fn shown_file(&self, name: &Text) -> Text {
        let shown = if self.shown.as_bytes().ends_with(b"/") { self.shown.clone() } else { self.shown.with(SEPARATOR) };
        Text::from_bytes([shown.as_bytes(), name.as_bytes()].concat())
    }

    /// `error` of a file in it, with the path as it is shown.
    pub fn worded(&self, name: &Text, error: Error) -> Error {
        match error {
            Error::Io { doing, source, .. } => Error::Io { doing, path: self.shown_file(name), source },
            other => other,
        }
    }
}

/// What lies where something of ours belongs.
pub fn in_the_way(path: Text) -> Error {
    Error::Foreign {
        path,
        reason: "something is in its place that InstallService did not write".into(),
        help: "move it away, or give `--output` another directory".into(),
    }
}
