//! Files of ours: read as they are, written whole or not at all, never through a link.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
#[cfg(unix)]
use std::fs::Permissions;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::{NamedTempFile, TempPath};

use super::reading::{self, Limit, Links, Opened, Unread};
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
/// When it is there but cannot be read, or is larger than a file of ours can be.
pub fn look(path: &Text) -> Result<Entry, Error> {
    look_up_to(path, Limit::TEXT)
}

/// [`look`], with a limit of its own.
///
/// # Errors
/// When it is there but cannot be read, or is larger than `limit`.
pub fn look_up_to(path: &Text, limit: Limit) -> Result<Entry, Error> {
    entry(reading::open(path, Links::Refused), path, limit)
}

/// What lies at `path`, which was opened without following a link.
pub(super) fn entry(opened: Result<Opened, Unread>, path: &Text, limit: Limit) -> Result<Entry, Error> {
    match opened.and_then(|opened| found(opened, path, limit)) {
        Ok(found) => Ok(Entry::File(found)),
        Err(Unread::NotAFile(kind)) => Ok(Entry::Other(kind)),
        Err(Unread::Failed(error)) if is_missing(&error) => Ok(Entry::Missing),
        Err(Unread::Failed(error)) => Err(Error::io("reading", path, error)),
        Err(Unread::Distrusted(reason)) => {
            Err(Error::Foreign { path: path.clone(), reason, help: look_and_move_away(path) })
        }
        Err(Unread::TooLarge(limit)) => Err(Error::Foreign {
            path: path.clone(),
            reason: format!("it is larger than {limit}, and InstallService writes no such file"),
            help: look_and_move_away(path),
        }),
    }
}

/// The file at `path` as it is, by its one descriptor.
#[cfg_attr(unix, expect(unused_variables, reason = "Windows tells the mode by the path"))]
fn found(opened: Opened, path: &Text, limit: Limit) -> Result<Found, Unread> {
    #[cfg(unix)]
    let mode = mode_of(opened.metadata());
    #[cfg(windows)]
    let mode = usual_mode(path);
    let owner = opened.owner();
    let foreign = owner.is_some_and(|(user, _)| !is_ours(user));
    Ok(Found { contents: opened.whole(limit)?.into(), mode, owner, foreign })
}

/// Whether a user is whoever runs this, or root, who may change everything anyway.
pub(super) fn is_ours(user: u32) -> bool {
    user == 0 || user == super::privilege::user_id()
}

/// Whether nothing is there.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Whether there is anything at `path`, even a link that leads to nothing.
pub fn is_there(path: &Text) -> bool {
    to_path(path).symlink_metadata().is_ok()
}

/// The error of something at `path`, such as `a FIFO`, where only a file of ours belongs.
pub fn in_the_way(path: &Text, what: &str) -> Error {
    Error::Foreign {
        path: path.clone(),
        reason: format!("{what} is in its place, which InstallService did not make"),
        help: look_and_move_away(path),
    }
}

fn look_and_move_away(path: &Text) -> String {
    format!("look at it with `{LOOK} {path}`, and move it away if nothing needs it")
}

/// The permission bits of a file.
#[cfg(unix)]
pub fn mode_of(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o7777
}

/// Whether a file may be executed.
#[cfg(unix)]
pub fn is_executable(metadata: &Metadata) -> bool {
    mode_of(metadata) & 0o111 != 0
}

/// Whether a file may be executed: Windows asks the name of a file, and not the file.
#[cfg(windows)]
pub fn is_executable(_metadata: &Metadata) -> bool {
    true
}

/// Whether everybody may put files into a directory of this mode, or take the place of what lies there: `above` counts
/// how many directories deeper that is. In one such as /tmp nobody takes away what belongs to somebody else (the sticky
/// bit of chmod(1)).
#[cfg(unix)]
pub fn is_for_everybody(mode: u32, above: usize) -> bool {
    const STICKY: u32 = 0o1000;
    mode & 0o002 != 0 && (above == 0 || mode & STICKY == 0)
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
pub(super) fn temporary_prefix(path: &Path) -> OsString {
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

fn temporary_file(artifact: &Artifact, directory: &Path) -> Result<NamedTempFile, Error> {
    let prefix = temporary_prefix(&to_path(&artifact.path));
    #[cfg_attr(windows, expect(unused_mut, reason = "Windows keeps no mode"))]
    let mut builder = named_for(&prefix);
    #[cfg(unix)]
    builder.permissions(permissions(artifact.mode));
    builder.tempfile_in(directory).map_err(|source| Error::io("writing", &artifact.path, source))
}

/// What makes a temporary file whose name has this prefix.
pub(super) fn named_for(prefix: &OsStr) -> tempfile::Builder<'_, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(prefix).rand_bytes(RANDOM);
    builder
}

/// The file with its contents, closed.
fn filled(mut temporary: NamedTempFile, artifact: &Artifact) -> Result<TempPath, Error> {
    fill(temporary.as_file_mut(), artifact).map_err(|source| Error::io("writing", &artifact.path, source))?;
    Ok(temporary.into_temp_path())
}

/// Writes the contents of `artifact` into a new file, and sets its mode.
///
/// # Errors
/// When the disk refuses.
pub(super) fn fill(file: &mut File, artifact: &Artifact) -> io::Result<()> {
    file.write_all(&artifact.contents)?;
    // The caller's umask does not decide who may read a unit.
    #[cfg(unix)]
    if mode_of(&file.metadata()?) != artifact.mode {
        file.set_permissions(permissions(artifact.mode))?;
    }
    // Where many files cannot be synced at once, each is while it is open.
    #[cfg(not(target_os = "linux"))]
    file.sync_all()?;
    Ok(())
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
        let open = open_directory(directory).map_err(failed)?;
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
        let Self { path, mut temporary, .. } = self;
        let begun = Instant::now();
        loop {
            match temporary.persist(to_path(&path)) {
                Ok(()) => return Ok(()),
                // Until the process that ran it has ended, a program on Windows stays as it is.
                Err(error) if may_become_free(begun) => temporary = error.path,
                Err(error) => return Err(Error::io("writing", &path, error.error)),
            }
        }
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
    let staged = stage_for(artifact, owner)?;
    sync([&staged])?;
    staged.commit()
}

/// [`stage`], for a file that belongs to `owner`.
///
/// # Errors
/// As [`stage`], and when it may not be given away.
pub fn stage_for(artifact: &Artifact, owner: Option<(u32, u32)>) -> Result<Staged, Error> {
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
    Ok(staged)
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
    let mut names: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    for place in paths.into_iter().map(to_path) {
        names.entry(place.parent().unwrap_or(Path::new("/")).to_owned()).or_default().push(place);
    }
    for (directory, names) in names {
        #[cfg(windows)]
        drop(fs::remove_dir_all(directory.join(format!("{TEMPORARY}private"))));
        let temporary = Temporary::of(names.iter().map(PathBuf::as_path));
        for entry in list(&super::text::text(directory)) {
            if temporary.has(entry.file_name().unwrap_or_default()) {
                drop(fs::remove_file(entry));
            }
        }
    }
}

/// The names that temporary files of some files have.
#[derive(Debug)]
pub(super) struct Temporary(BTreeSet<Vec<u8>>);

impl Temporary {
    /// Those of the files at `paths`, which are in one directory.
    pub(super) fn of<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        Self(paths.into_iter().map(|path| temporary_prefix(path).into_encoded_bytes()).collect())
    }

    /// Whether this is such a name.
    pub(super) fn has(&self, name: &OsStr) -> bool {
        let name = name.as_encoded_bytes();
        let parts = name.split_at_checked(name.len().saturating_sub(RANDOM));
        parts.is_some_and(|(prefix, random)| random.iter().all(u8::is_ascii_alphanumeric) && self.0.contains(prefix))
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

/// What the link at `path` leads to, as it stands there; nothing where there is no link.
pub fn link_target(path: &Text) -> Option<Text> {
    fs::read_link(to_path(path)).ok().map(super::text::text)
}

/// Whether `path` is a directory, and no link to one.
pub fn is_real_directory(path: &Text) -> bool {
    fs::symlink_metadata(to_path(path)).is_ok_and(|metadata| metadata.is_dir())
}

/// The directory that `path` lies in.
pub fn parent(path: &Text) -> Option<Text> {
    to_path(path).parent().map(super::text::text)
}

/// Makes the names in a directory survive a power cut. Where that cannot be done, they survive all else.
pub fn sync_directory(directory: &Text) {
    #[cfg(unix)]
    drop(open_directory(&to_path(directory)).and_then(|directory| directory.sync_all()));
    #[cfg(windows)]
    let _ = directory;
}

/// Opens a directory to sync it. For a FIFO in its place nobody is waited for.
#[cfg(unix)]
fn open_directory(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).custom_flags(nix::fcntl::OFlag::O_DIRECTORY.bits()).open(path)
}

/// With these options no link is followed at the end of the path, and for a FIFO there nobody is waited for.
pub(super) fn no_link(options: &mut OpenOptions) {
    #[cfg(unix)]
    {
        use nix::fcntl::OFlag;
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits());
    }
    #[cfg(windows)]
    {
        use std::os::windows::fs::OpenOptionsExt;
        /// FILE_FLAG_OPEN_REPARSE_POINT of CreateFile.
        const THE_LINK_ITSELF: u32 = 0x0020_0000;
        options.custom_flags(THE_LINK_ITSELF);
    }
}

/// Refuses what belongs to `user` and has this mode, if somebody else could have written it.
#[cfg(unix)]
pub(super) fn closed_to_others(path: &Text, user: u32, mode: u32) -> Result<(), Error> {
    let reason = if !is_ours(user) {
        format!("it belongs to {}, who could have written anything into it", who(user))
    } else if mode & 0o022 != 0 {
        format!("others may write it (mode {mode:04o})")
    } else {
        return Ok(());
    };
    Err(Error::Foreign { path: path.clone(), reason, help: look_and_move_away(path) })
}

/// Refuses a file that somebody else could have written. Windows keeps that in the access list of its directory.
///
/// # Errors
/// [`Error::Foreign`].
pub fn only_ours(path: &Text, found: &Found) -> Result<(), Error> {
    #[cfg(unix)]
    return found.owner.map_or(Ok(()), |(user, _)| closed_to_others(path, user, found.mode));
    #[cfg(windows)]
    {
        let _ = (path, found);
        Ok(())
    }
}

/// The name of a user, or the number of one who has none.
pub fn who(user: u32) -> String {
    #[cfg(unix)]
    if let Ok(Some(known)) = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(user)) {
        return format!("`{}`", known.name);
    }
    format!("the user {user}")
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
    let begun = Instant::now();
    loop {
        match remove(path) {
            Err(_) if may_become_free(begun) => {}
            removed => return removed,
        }
    }
}

/// Whether no process runs the executable: one that runs cannot be opened to write.
#[cfg(windows)]
pub fn is_free(exe: &Text) -> bool {
    fs::OpenOptions::new().write(true).open(to_path(exe)).is_ok()
}

/// Waits a moment for a process to end that holds a file open; not when that has been tried since `begun` for long.
fn may_become_free(begun: Instant) -> bool {
    const PATIENCE: Duration = Duration::from_secs(10);
    let is_worth_it = cfg!(windows) && begun.elapsed() < PATIENCE && !super::interrupt::has_come();
    if is_worth_it {
        std::thread::sleep(PATIENCE / 50);
    }
    is_worth_it
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

/// Adds `entry` to the log at `path`, which is begun anew once it is larger than `limit`; never through a link.
///
/// # Errors
/// When it is no file, or cannot be written.
pub fn append(path: &Text, entry: &[u8], limit: u64) -> io::Result<()> {
    let place = to_path(path);
    let is_large = fs::symlink_metadata(&place).is_ok_and(|found| found.len() > limit);
    let mut options = OpenOptions::new();
    options.create(true).append(!is_large).write(true).truncate(is_large);
    no_link(&mut options);
    match Opened::judged(options.open(place)?) {
        Ok(opened) => opened.into_file().write_all(entry),
        Err(Unread::Failed(error)) => Err(error),
        Err(_) => Err(io::Error::other("it is not a file")),
    }
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
