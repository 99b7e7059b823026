//! Files of ours: read as they are, written whole or not at all, never through a link.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
#[cfg(unix)]
use std::fs::{File, Metadata, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::{NamedTempFile, TempPath};

use super::text::{os, path as to_path};
use crate::error::Error;
use crate::model::artifact::Artifact;
use crate::model::observed::Found;
#[cfg(windows)]
use crate::model::place;
use crate::model::text::Text;

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
    let contents = fs::read(&place).map_err(failed)?.into();
    #[cfg(unix)]
    let mode = mode_of(&metadata);
    #[cfg(windows)]
    let mode = usual_mode(path);
    #[cfg(unix)]
    let foreign = {
        use std::os::unix::fs::MetadataExt;
        metadata.uid() != 0 && metadata.uid() != nix::unistd::geteuid().as_raw()
    };
    #[cfg(windows)]
    let foreign = false;
    Ok(Entry::File(Found { contents, mode, foreign }))
}

/// Reads a text file; `doing` says what for.
///
/// # Errors
/// When it is missing, not readable, or not UTF-8.
pub fn read_text(doing: &str, path: &Text) -> Result<String, Error> {
    fs::read_to_string(to_path(path)).map_err(|source| Error::io(doing, path, source))
}

/// The permission bits of a file.
#[cfg(unix)]
pub fn mode_of(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o7777
}

/// The mode that a file of ours has been written with: Windows keeps none.
#[cfg(windows)]
fn usual_mode(path: &Text) -> u32 {
    if path.as_bytes().ends_with(place::ENVIRONMENT_FILE.as_bytes()) { 0o600 } else { 0o644 }
}

/// Full rights for SYSTEM and Administrators, by the numbers that stand for these names in every language.
#[cfg(windows)]
const ADMINISTRATORS: [&str; 2] = ["*S-1-5-18", "*S-1-5-32-544"];
#[cfg(windows)]
const USERS: &str = "*S-1-5-32-545";

/// The access list of a file or directory of ours, in place of what it inherits: administrators do
/// everything, and users read where `mode` lets others read.
///
/// # Errors
/// When `icacls` refuses: then nothing is written there.
#[cfg(windows)]
fn protect(path: &Text, mode: u32, is_directory: bool) -> Result<(), Error> {
    let below = if is_directory { "(OI)(CI)" } else { "" };
    let mut words: Vec<Text> = vec!["icacls.exe".into(), path.clone(), "/inheritance:r".into(), "/grant:r".into()];
    words.extend(ADMINISTRATORS.map(|group| Text::from(format!("{group}:{below}F"))));
    if mode & 0o004 != 0 {
        words.push(format!("{USERS}:{below}RX").into());
    }
    super::process::run(&crate::model::invocation::Invocation(words)).map(drop)
}

#[cfg(unix)]
fn permissions(mode: u32) -> Permissions {
    use std::os::unix::fs::PermissionsExt;
    Permissions::from_mode(mode)
}

/// The command that shows what lies at a path.
pub const LOOK: &str = if cfg!(windows) { "dir /a" } else { "ls -ld" };

/// How the name of every temporary file of ours begins.
const TEMPORARY: &str = ".install-service-";
/// How it ends: this many letters and digits.
const RANDOM: usize = 6;
/// The end of the second name that a file has while it may have to be put back.
const BEFORE: &str = "before";

/// The start of the temporary names that belong to `path`: whoever finds one knows whose it is, and
/// another run's in the same directory stays.
fn temporary_prefix(path: &Path) -> OsString {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    // A file's name has at most 255 bytes.
    let name = Text::from_bytes(&name[..name.len().min(200)]);
    let mut prefix = OsString::from(TEMPORARY);
    prefix.push(os(&name));
    prefix.push(".");
    prefix
}

/// A file that is written but not yet in place: everything that can fail for want of room or
/// rights has succeeded, and one rename remains. Dropped, it leaves nothing behind.
///
/// It is not open any more: a plan may have more files than a process may have open.
#[derive(Debug)]
pub struct Staged {
    temporary: TempPath,
    path: Text,
    /// Goes when the file has left it.
    #[cfg(windows)]
    _private: Option<PrivateDirectory>,
}

/// A directory that none but administrators look into: what is made in it was never open to others,
/// and keeps its access list when it is moved away.
#[cfg(windows)]
#[derive(Debug)]
struct PrivateDirectory(Text);

#[cfg(windows)]
impl PrivateDirectory {
    fn within(directory: &Path) -> Result<Self, Error> {
        let path = super::text::text(directory.join(format!("{TEMPORARY}private")));
        make_directory(&path, 0o700)?;
        // Also one that an earlier run left, or somebody else made.
        protect(&path, 0o700, true)?;
        Ok(Self(path))
    }
}

#[cfg(windows)]
impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        remove_empty_directory(&self.0);
    }
}

/// Writes `artifact` beside its place.
///
/// The temporary file has its final mode from the first instant, so that a secret is never
/// readable by others, and it lies in the same directory, so that the rename is atomic. On Windows
/// a secret is made in a directory of its own, beside its place.
///
/// # Errors
/// When the directory is missing, full, or not ours to write.
pub fn stage(artifact: &Artifact) -> Result<Staged, Error> {
    #[cfg(windows)]
    if artifact.mode & 0o077 == 0 {
        let place = to_path(&artifact.path);
        let private = PrivateDirectory::within(place.parent().unwrap_or(Path::new("\\")))?;
        let temporary = temporary_file(artifact, &to_path(&private.0))?;
        // Its own list, which outlasts a change of the directory that it moves to.
        protect(&super::text::text(temporary.path()), artifact.mode, false)?;
        let temporary = filled(temporary, artifact)?;
        return Ok(Staged { temporary, path: artifact.path.clone(), _private: Some(private) });
    }
    stage_as_private(artifact)
}

/// [`stage`], where the directory itself keeps others out.
///
/// # Errors
/// As [`stage`].
pub fn stage_as_private(artifact: &Artifact) -> Result<Staged, Error> {
    let place = to_path(&artifact.path);
    let temporary = temporary_file(artifact, place.parent().unwrap_or(Path::new("/")))?;
    Ok(Staged {
        temporary: filled(temporary, artifact)?,
        path: artifact.path.clone(),
        #[cfg(windows)]
        _private: None,
    })
}

/// [`stage`] in the directory of its place, which is open: the kernel need not walk to it.
///
/// # Errors
/// As [`stage`].
#[cfg(unix)]
pub fn stage_in(artifact: &Artifact, directory: &File) -> Result<Staged, Error> {
    use nix::fcntl::{OFlag, openat};
    use nix::sys::stat::Mode;
    let place = to_path(&artifact.path);
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
    let mode = Mode::from_bits_truncate(artifact.mode as nix::libc::mode_t);
    let open = |path: &Path| Ok(openat(directory, path.file_name().unwrap_or_default(), flags, mode)?.into());
    let made = tempfile::Builder::new()
        .prefix(&temporary_prefix(&place))
        .rand_bytes(RANDOM)
        .make_in(place.parent().unwrap_or(Path::new("/")), open)
        .map_err(|source| Error::io("writing", &artifact.path, source))?;
    Ok(Staged { temporary: filled(made, artifact)?, path: artifact.path.clone() })
}

fn temporary_file(artifact: &Artifact, directory: &Path) -> Result<NamedTempFile, Error> {
    let prefix = temporary_prefix(&to_path(&artifact.path));
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).rand_bytes(RANDOM);
    #[cfg(unix)]
    builder.permissions(permissions(artifact.mode));
    builder.tempfile_in(directory).map_err(|source| Error::io("writing", &artifact.path, source))
}

/// The file with its contents, closed.
fn filled(mut temporary: NamedTempFile, artifact: &Artifact) -> Result<TempPath, Error> {
    let failed = |source| Error::io("writing", &artifact.path, source);
    temporary.write_all(&artifact.contents).map_err(failed)?;
    // The caller's umask does not decide who may read a unit.
    #[cfg(unix)]
    if mode_of(&temporary.as_file().metadata().map_err(failed)?) != artifact.mode {
        temporary.as_file().set_permissions(permissions(artifact.mode)).map_err(failed)?;
    }
    // Where many files cannot be synced at once, each is while it is open.
    #[cfg(not(target_os = "linux"))]
    temporary.as_file().sync_all().map_err(failed)?;
    Ok(temporary.into_temp_path())
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

#[cfg(unix)]
impl Staged {
    /// [`commit`](Self::commit) in the open directory where it was staged: the kernel need not walk two paths.
    ///
    /// # Errors
    /// When the rename is refused.
    pub fn commit_in(self, directory: &File) -> Result<(), Error> {
        let Self { temporary, path } = self;
        let place = to_path(&path);
        let names = temporary.file_name().zip(place.file_name()).expect("a file has a name");
        nix::fcntl::renameat(directory, names.0, directory, names.1)
            .map_err(|error| Error::io("writing", &path, error.into()))?;
        // There is nothing of that name any more.
        drop(temporary.keep());
        Ok(())
    }
}

/// Writes one file whole.
///
/// # Errors
/// As [`stage`] and [`Staged::commit`].
pub fn write(artifact: &Artifact) -> Result<(), Error> {
    write_for(artifact, None)
}

/// Writes one file whole, that belongs to `owner` from its first instant in its place.
///
/// # Errors
/// As [`write()`], and when it may not be given away.
pub fn write_for(artifact: &Artifact, owner: Option<(u32, u32)>) -> Result<(), Error> {
    let staged = stage(artifact)?;
    #[cfg(unix)]
    if let Some((user, group)) = owner {
        // A change of the owner takes some bits of the mode away.
        std::os::unix::fs::lchown(&staged.temporary, Some(user), Some(group))
            .and_then(|()| fs::set_permissions(&staged.temporary, permissions(artifact.mode)))
            .map_err(|source| Error::io("giving back", &artifact.path, source))?;
    }
    #[cfg(windows)]
    let _ = owner;
    sync([&staged])?;
    staged.commit()
}

/// The second name of the file at `path` while it may have to be put back.
pub fn before(path: &Text) -> Text {
    let place = to_path(path);
    let mut name = temporary_prefix(&place);
    name.push(BEFORE);
    super::text::text(place.with_file_name(name))
}

/// Gives the file at `path` its second name. Where the file system has no such thing, a copy of the
/// file has to do.
pub fn keep_beside(path: &Text) {
    drop(fs::hard_link(to_path(path), to_path(&before(path))));
}

/// Puts the file of the second name in its place, which needs no room on the disk.
///
/// # Errors
/// When the rename is refused.
pub fn put_back(path: &Text) -> Result<(), Error> {
    fs::rename(to_path(&before(path)), to_path(path)).map_err(|source| Error::io("putting back", path, source))
}

/// Takes the second name of the file at `path` away.
pub fn forget_before(path: &Text) {
    drop(fs::remove_file(to_path(&before(path))));
}

/// Removes the temporary files of `paths` that a killed run left, and their second names.
pub fn sweep<'a>(paths: impl IntoIterator<Item = &'a Text>) {
    let mut prefixes: BTreeMap<PathBuf, BTreeSet<Vec<u8>>> = BTreeMap::new();
    for place in paths.into_iter().map(to_path) {
        let prefix = temporary_prefix(&place).into_encoded_bytes();
        prefixes.entry(place.parent().unwrap_or(Path::new("/")).to_owned()).or_default().insert(prefix);
    }
    for (directory, prefixes) in prefixes {
        #[cfg(windows)]
        drop(fs::remove_dir_all(directory.join(format!("{TEMPORARY}private"))));
        for entry in list(&super::text::text(directory)) {
            let name = entry.file_name().unwrap_or_default().as_encoded_bytes();
            let Some((prefix, random)) = name.split_at_checked(name.len().saturating_sub(RANDOM)) else { continue };
            if random.iter().all(u8::is_ascii_alphanumeric) && prefixes.contains(prefix) {
                drop(fs::remove_file(entry));
            }
        }
    }
}

/// The temporary files in a directory, and second names of files, each with the name of the file that it is of.
pub fn leftovers(directory: &Text) -> Vec<(Text, PathBuf)> {
    let of = |path: PathBuf| {
        let name = path.file_name()?.as_encoded_bytes().strip_prefix(TEMPORARY.as_bytes())?;
        let (name, random) = name.split_at_checked(name.len().checked_sub(RANDOM)?)?;
        let name = Text::from_bytes(name.strip_suffix(b".")?);
        random.iter().all(u8::is_ascii_alphanumeric).then_some((name, path))
    };
    list(directory).into_iter().filter_map(of).collect()
}

/// The directory that `path` lies in.
pub fn parent(path: &Text) -> Option<Text> {
    to_path(path).parent().map(super::text::text)
}

/// Makes the names in a directory survive a power cut. Where that cannot be done, they survive all else.
pub fn sync_directory(directory: &Text) {
    #[cfg(unix)]
    drop(File::open(to_path(directory)).and_then(|directory| directory.sync_all()));
    #[cfg(windows)]
    let _ = directory;
}

/// A file that is made with these options is for its owner alone, and is not a link to another one.
pub fn private(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    no_link(options);
}

/// With these options no link is followed at the end of the path.
pub fn no_link(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(nix::fcntl::OFlag::O_NOFOLLOW.bits());
    }
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        /// FILE_FLAG_OPEN_REPARSE_POINT of CreateFile.
        const THE_LINK_ITSELF: u32 = 0x0020_0000;
        options.custom_flags(THE_LINK_ITSELF);
    }
}

/// Refuses what somebody else could have put at `path`, or could change there.
///
/// # Errors
/// When it is a link, belongs to another user (root excepted), or others may write it.
pub fn only_ours(path: &Text) -> Result<(), Error> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let metadata = fs::symlink_metadata(to_path(path)).map_err(|source| Error::io("reading", path, source))?;
        let own = nix::unistd::geteuid().as_raw();
        let reason = if metadata.is_symlink() {
            "it is a symbolic link, which InstallService did not make".to_owned()
        } else if metadata.uid() != own && metadata.uid() != 0 {
            format!("it belongs to {}, who could have written anything into it", who(metadata.uid()))
        } else if mode_of(&metadata) & 0o022 != 0 {
            format!("others may write it (mode {:04o})", mode_of(&metadata))
        } else {
            return Ok(());
        };
        let help = format!("look at it with `{LOOK} {path}`, and move it away if nothing needs it");
        Err(Error::Foreign { path: path.clone(), reason, help })
    }
    #[cfg(windows)]
    {
        let _ = path;
        Ok(())
    }
}

/// The name of a user, or the number of one who has none.
#[cfg(unix)]
pub fn who(user: u32) -> String {
    let known = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(user)).ok().flatten();
    known.map_or_else(|| format!("the user {user}"), |known| format!("`{}`", known.name))
}

/// `path` and the directories above it that are not there, the outer ones first.
pub fn missing_directories(path: &Text) -> Vec<Text> {
    let place = to_path(path);
    let missing = place.ancestors().take_while(|directory| {
        !directory.as_os_str().is_empty()
            && fs::symlink_metadata(directory).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    });
    let mut missing: Vec<Text> = missing.map(super::text::text).collect();
    missing.reverse();
    missing
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

/// Removes a file that a process may hold open which is about to end: on Windows it stays until then.
///
/// # Errors
/// When it cannot be removed after a while.
pub fn remove_when_free(path: &Text) -> Result<(), Error> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let begun = Instant::now();
    loop {
        match remove(path) {
            Err(_) if cfg!(windows) && begun.elapsed() < PATIENCE && !super::interrupt::has_come() => {
                std::thread::sleep(PATIENCE / 50);
            }
            removed => return removed,
        }
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

/// Makes a directory of ours and what is missing above it, as [`make_plain_directory`] does. On
/// Windows a new one is closed to what it would inherit: in C:\ProgramData every user may put files,
/// and `nssm.exe` loads what lies beside it.
///
/// # Errors
/// When it cannot be made.
pub fn make_directory(path: &Text, mode: u32) -> Result<(), Error> {
    #[cfg(windows)]
    let is_new = !to_path(path).exists();
    make_plain_directory(path, mode)?;
    #[cfg(windows)]
    if is_new && let Err(error) = protect(path, mode, true) {
        remove_empty_directory(path);
        return Err(error);
    }
    Ok(())
}

/// Makes a directory and what is missing above it, each with `mode`.
///
/// Not the caller's umask decides who may enter: the account of a service has to reach the script
/// that it runs, and nobody else may write beside it.
///
/// # Errors
/// When it cannot be made.
pub fn make_plain_directory(path: &Text, mode: u32) -> Result<(), Error> {
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

/// Makes one directory with `mode`.
///
/// # Errors
/// When it cannot be made, also because something of that name is there.
#[cfg(unix)]
pub fn make_one_directory(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(mode).create(path)?;
    fs::set_permissions(path, permissions(mode))
}

/// Makes one directory; Windows keeps no mode.
///
/// # Errors
/// When it cannot be made, also because something of that name is there.
#[cfg(windows)]
pub fn make_one_directory(path: &Path, _mode: u32) -> io::Result<()> {
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
    let mut options = OpenOptions::new();
    options.append(true);
    no_link(&mut options);
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

/// Adds `entry` to the log at `path`, which is begun anew once it is larger than `limit`; never through a link.
///
/// # Errors
/// When it cannot be written.
pub fn append(path: &Text, entry: &[u8], limit: u64) -> io::Result<()> {
    let place = to_path(path);
    let is_large = fs::symlink_metadata(&place).is_ok_and(|found| found.len() > limit);
    let mut options = OpenOptions::new();
    options.create(true).append(!is_large).write(true).truncate(is_large);
    no_link(&mut options);
    options.open(place)?.write_all(entry)
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
