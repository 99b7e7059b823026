//! Files of ours: read as they are, written whole or not at all, never through a link.

#[cfg(target_os = "linux")]
use std::collections::BTreeSet;
#[cfg(target_os = "linux")]
use std::fs::File;
#[cfg(unix)]
use std::fs::Permissions;
use std::fs::{self, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::TempPath;

use super::text::path as to_path;
use crate::error::Error;
use crate::model::observed::Found;
use crate::model::text::Text;
use crate::render::Artifact;

/// What lies at a path of ours.
#[derive(Debug, PartialEq, Eq)]
pub enum Entry {
    /// Nothing.
    Missing,
    /// A plain file.
    File(Found),
    /// A link, a directory or something else that we did not make.
    Other(&'static str),
}

/// Reads what lies at `path`, without following a link at its end.
///
/// # Errors
/// When it is there but cannot be read.
pub fn look(path: &Text) -> Result<Entry, Error> {
    let place = to_path(path);
    let failed = |source| Error::io("reading", path, source);
    let metadata = match fs::symlink_metadata(&place) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Entry::Missing);
        }
        Err(error) => return Err(failed(error)),
    };
    if metadata.is_symlink() {
        return Ok(Entry::Other("a symbolic link"));
    }
    if metadata.is_dir() {
        return Ok(Entry::Other("a directory"));
    }
    if !metadata.is_file() {
        return Ok(Entry::Other("neither a file nor a directory"));
    }
    let contents = fs::read(&place).map_err(failed)?;
    Ok(Entry::File(Found { contents, mode: mode_of(&metadata) }))
}

/// Reads a text file; `doing` says what for.
///
/// # Errors
/// When it is missing, not readable, or not UTF-8.
pub fn read_text(doing: &str, path: &Text) -> Result<String, Error> {
    fs::read_to_string(to_path(path)).map_err(|source| Error::io(doing, path, source))
}

/// The permission bits of a file; on Windows, which has none, those that every file of ours has.
#[cfg(unix)]
pub fn mode_of(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o7777
}

/// The permission bits of a file; on Windows, which has none, those that every file of ours has.
#[cfg(windows)]
pub fn mode_of(_metadata: &Metadata) -> u32 {
    0o644
}

#[cfg(unix)]
fn permissions(mode: u32) -> Permissions {
    use std::os::unix::fs::PermissionsExt;
    Permissions::from_mode(mode)
}

/// How the name of every temporary file of ours begins.
pub const TEMPORARY: &str = ".install-service-";

/// A file that is written but not yet in place: everything that can fail for want of room or
/// rights has succeeded, and one rename remains. Dropped, it leaves nothing behind.
///
/// It is not open any more: a plan may have more files than a process may have open.
#[derive(Debug)]
pub struct Staged {
    temporary: TempPath,
    path: Text,
}

/// Writes `artifact` beside its place.
///
/// The temporary file has its final mode from the first instant, so that a secret is never
/// readable by others, and it lies in the same directory, so that the rename is atomic.
///
/// # Errors
/// When the directory is missing, full, or not ours to write.
pub fn stage(artifact: &Artifact) -> Result<Staged, Error> {
    let failed = |source| Error::io("writing", &artifact.path, source);
    let place = to_path(&artifact.path);
    let directory = place.parent().unwrap_or(Path::new("/"));
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    builder.permissions(permissions(artifact.mode));
    let mut temporary = builder.tempfile_in(directory).map_err(failed)?;
    temporary.write_all(&artifact.contents).map_err(failed)?;
    // The caller's umask does not decide who may read a unit.
    #[cfg(unix)]
    if mode_of(&temporary.as_file().metadata().map_err(failed)?) != artifact.mode {
        temporary.as_file().set_permissions(permissions(artifact.mode)).map_err(failed)?;
    }
    // Where many files cannot be synced at once, each is while it is open.
    #[cfg(not(target_os = "linux"))]
    temporary.as_file().sync_all().map_err(failed)?;
    Ok(Staged { temporary: temporary.into_temp_path(), path: artifact.path.clone() })
}

/// Makes what was staged in `files` survive a power cut, at one price for all of them: each file
/// system is synced once.
///
/// # Errors
/// When the disk refuses.
#[cfg(target_os = "linux")]
pub fn sync<'a>(files: impl IntoIterator<Item = &'a Staged>) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt;
    let (mut directories, mut devices) = (BTreeSet::new(), BTreeSet::new());
    for file in files {
        let failed = |source| Error::io("syncing", &file.path, source);
        let directory = file.temporary.parent().unwrap_or(Path::new("/"));
        if directories.contains(directory) {
            continue;
        }
        let open = File::open(directory).map_err(failed)?;
        if devices.insert(open.metadata().map_err(failed)?.dev()) {
            nix::unistd::syncfs(&open).map_err(|error| failed(error.into()))?;
        }
        directories.insert(directory.to_owned());
    }
    Ok(())
}

/// Makes what was staged in `files` survive a power cut: elsewhere than on Linux it does already.
///
/// # Errors
/// None here.
#[cfg(not(target_os = "linux"))]
pub fn sync<'a>(_files: impl IntoIterator<Item = &'a Staged>) -> Result<(), Error> {
    Ok(())
}

impl Staged {
    /// Puts the file in its place, in one instant.
    ///
    /// # Errors
    /// When the rename is refused.
    pub fn commit(self) -> Result<(), Error> {
        let path = self.path;
        self.temporary.persist(to_path(&path)).map_err(|error| Error::io("writing", &path, error.error))
    }
}

/// Writes one file whole.
///
/// # Errors
/// As [`stage`] and [`Staged::commit`].
pub fn write(artifact: &Artifact) -> Result<(), Error> {
    let staged = stage(artifact)?;
    sync([&staged])?;
    staged.commit()
}

/// Removes a file; one that is gone already is fine.
///
/// # Errors
/// When it is there and cannot be removed.
pub fn remove(path: &Text) -> Result<(), Error> {
    match fs::remove_file(to_path(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::io("removing", path, error)),
        _ => Ok(()),
    }
}

/// Who owns the file at `path`, as user and group id.
#[cfg(unix)]
pub fn owner(path: &Text) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    fs::symlink_metadata(to_path(path)).ok().map(|metadata| (metadata.uid(), metadata.gid()))
}

/// Who owns the file at `path`; Windows keeps that in the access list.
#[cfg(windows)]
pub fn owner(_path: &Text) -> Option<(u32, u32)> {
    None
}

/// Gives the file at `path` to `owner`, as [`owner`] told it.
///
/// # Errors
/// When the operating system refuses.
pub fn give_to(path: &Text, owner: Option<(u32, u32)>) -> Result<(), Error> {
    #[cfg(unix)]
    if let Some((user, group)) = owner {
        std::os::unix::fs::lchown(to_path(path), Some(user), Some(group))
            .map_err(|source| Error::io("giving back", path, source))?;
    }
    #[cfg(windows)]
    let _ = (path, owner);
    Ok(())
}

/// Makes a directory and what is missing above it, each with `mode`.
///
/// Not the caller's umask decides who may enter: the account of a service has to reach the script
/// that it runs, and nobody else may write beside it.
///
/// # Errors
/// When it cannot be made.
pub fn make_directory(path: &Text, mode: u32) -> Result<(), Error> {
    let failed = |source| Error::io("making the directory", path, source);
    let place = to_path(path);
    let missing: Vec<&Path> = place.ancestors().take_while(|directory| !directory.exists()).collect();
    for directory in missing.into_iter().rev().filter(|directory| *directory != Path::new("")) {
        match make_one_directory(directory, mode) {
            // Another run was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => {}
            made => made.map_err(failed)?,
        }
    }
    if place.is_dir() { Ok(()) } else { Err(failed(io::ErrorKind::NotADirectory.into())) }
}

#[cfg(unix)]
fn make_one_directory(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(mode).create(path)?;
    fs::set_permissions(path, permissions(mode))
}

#[cfg(windows)]
fn make_one_directory(path: &Path, _mode: u32) -> io::Result<()> {
    fs::create_dir(path)
}

/// Makes the directory that `path` lies in, and what is missing above it, as the caller's umask has it.
///
/// # Errors
/// When it cannot be made.
pub fn make_parent(path: &Text) -> Result<(), Error> {
    let Some(parent) = to_path(path).parent().map(ToOwned::to_owned) else { return Ok(()) };
    fs::create_dir_all(&parent).map_err(|source| Error::io("making the directory", &super::text::text(parent), source))
}

/// Opens a file of the tool's own to write at its end, and makes it with `mode` if it is not there.
///
/// # Errors
/// When it cannot be opened.
pub fn open_to_append(path: &Text, mode: u32) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.append(true);
    let place = to_path(path);
    match options.open(&place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => return opened,
    }
    options.create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    let file = options.open(&place)?;
    // The caller's umask does not decide who may write it.
    #[cfg(unix)]
    file.set_permissions(permissions(mode))?;
    #[cfg(windows)]
    let _ = mode;
    Ok(file)
}

/// Removes a directory if it is empty.
pub fn remove_empty_directory(path: &Text) {
    // One that holds anything is not ours to empty, and stays.
    drop(fs::remove_dir(to_path(path)));
}

/// The entries of a directory, sorted; none when it is not there or not readable.
pub fn list(directory: &Text) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(to_path(directory)).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    entries
}
