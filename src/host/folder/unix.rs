//! A directory by its descriptor (openat(2) and its like).

use std::ffi::OsString;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::rc::Rc;

use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, readlinkat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fchmod, fstatat, mkdirat};
#[cfg(target_os = "linux")]
use nix::unistd::{Uid, setfsuid};
use nix::unistd::{UnlinkatFlags, linkat, symlinkat, unlinkat};

use super::Opening;
use crate::host::files;
use crate::host::reading::{self, Links, Opened, Unread};
use crate::model::artifact::Artifact;
use crate::model::text::Text;

const DIRECTORY: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_CLOEXEC);

/// How a directory is opened to go on from: not every user may list what they may enter.
#[cfg(target_os = "linux")]
const ENTERED: OFlag = DIRECTORY.union(OFlag::O_PATH);
#[cfg(not(target_os = "linux"))]
const ENTERED: OFlag = DIRECTORY;

/// An open directory.
#[derive(Clone, Debug)]
pub(super) struct Directory(Rc<File>);

impl Directory {
    pub(super) fn open(path: &Path, links: Links) -> io::Result<Self> {
        Self::entered(AT_FDCWD, path, links)
    }

    pub(super) fn below(&self, name: &Path) -> io::Result<Self> {
        Self::entered(&*self.0, name, Links::Refused)
    }

    fn entered(above: impl AsFd, path: &Path, links: Links) -> io::Result<Self> {
        let no_link = if links == Links::Refused { OFlag::O_NOFOLLOW } else { OFlag::empty() };
        Ok(Self(Rc::new(openat(above, path, ENTERED | no_link, Mode::empty())?.into())))
    }

    pub(super) fn make_below(&self, name: &Path, mode: u32) -> io::Result<Self> {
        match mkdirat(&*self.0, name, bits(mode)) {
            Err(nix::Error::EEXIST) => self.below(name),
            Err(error) => Err(error.into()),
            Ok(()) => {
                let made = self.below(name)?;
                // Not the caller's umask decides who may enter.
                fchmod(made.readable()?, bits(mode))?;
                Ok(made)
            }
        }
    }

    pub(super) fn read(&self, name: &Path) -> Result<Opened, Unread> {
        reading::open_in(&*self.0, name, Links::Refused)
    }

    pub(super) fn file(&self, name: &Path, opening: Opening, mode: u32) -> Result<File, Unread> {
        let careful = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let append = if opening == Opening::Append { OFlag::O_APPEND } else { OFlag::empty() };
        let open = |more: OFlag| openat(&*self.0, name, OFlag::O_RDWR | careful | append | more, bits(mode));
        let there = if opening == Opening::New { Err(nix::Error::ENOENT) } else { open(OFlag::empty()) };
        match there {
            Err(nix::Error::ENOENT) => {}
            Err(nix::Error::ELOOP) => return Err(Unread::Failed(nix::Error::ELOOP.into())),
            // A socket or a device may refuse to be opened: then it is said what it is.
            Err(error) => return Err(self.read(name).err().unwrap_or_else(|| Unread::Failed(error.into()))),
            Ok(file) => {
                let opened = Opened::judged(file.into())?;
                // What is written there would stand somewhere else, too.
                let is_alone = opened.metadata().nlink() == 1;
                return is_alone.then(|| opened.into_file()).ok_or(Unread::NotAFile("a file with a second name"));
            }
        }
        let made = File::from(open(OFlag::O_CREAT | OFlag::O_EXCL).map_err(io::Error::from)?);
        // The caller's umask does not decide who may write it.
        fchmod(&made, bits(mode)).map_err(io::Error::from)?;
        Ok(made)
    }

    pub(super) fn stage(&self, name: &Path, artifact: &Artifact) -> io::Result<Temporary> {
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let open = |path: &Path| {
            let name = path.file_name().unwrap_or_default();
            Ok(File::from(openat(&*self.0, name, flags, bits(artifact.mode))?))
        };
        let prefix = files::temporary_prefix(name);
        // It is made and taken away here: the path in it means nothing.
        let (mut file, made) = files::named_for(&prefix).disable_cleanup(true).make_in("/", open)?.into_parts();
        let temporary = Temporary {
            directory: self.clone(),
            temporary: made.file_name().map(ToOwned::to_owned),
            name: name.as_os_str().to_owned(),
        };
        files::fill(&mut file, artifact)?;
        Ok(temporary)
    }

    pub(super) fn link(&self, name: &Path) -> io::Result<OsString> {
        Ok(readlinkat(&*self.0, name)?)
    }

    pub(super) fn make_link(&self, name: &Path, target: &Path) -> io::Result<()> {
        Ok(symlinkat(target, &*self.0, name)?)
    }

    pub(super) fn remove(&self, name: &Path) -> io::Result<()> {
        Ok(unlinkat(&*self.0, name, UnlinkatFlags::NoRemoveDir)?)
    }

    /// As the owner of the directory, whose files may be anybody's to change.
    pub(super) fn move_aside(&self, name: &Path, other: &Path) -> io::Result<()> {
        let found = fstatat(&*self.0, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
        if SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
            return Ok(());
        }
        let _as_owner = AsOwner::begin(self.metadata()?.uid());
        // A second name is refused where a rename would replace what has it (link(2), rename(2)).
        linkat(&*self.0, name, &*self.0, other, AtFlags::empty())?;
        self.remove(name)
    }

    pub(super) fn remove_empty(&self, name: &Path) {
        _ = unlinkat(&*self.0, name, UnlinkatFlags::RemoveDir);
    }

    pub(super) fn names(&self) -> io::Result<Vec<Text>> {
        let open = nix::dir::Dir::openat(&*self.0, ".", DIRECTORY, Mode::empty())?;
        let name = |entry: nix::Result<nix::dir::Entry>| Ok(Text::from_bytes(entry?.file_name().to_bytes()));
        let is_below =
            |name: &io::Result<Text>| !matches!(name, Ok(name) if [&b"."[..], b".."].contains(&name.as_bytes()));
        open.into_iter().map(name).filter(is_below).collect()
    }

    #[cfg(target_os = "linux")]
    pub(super) fn sync_files(&self) -> io::Result<()> {
        Ok(nix::unistd::syncfs(self.readable()?)?)
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on Linux")]
    pub(super) fn sync_files(&self) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn sync_names(&self) {
        drop(self.readable().and_then(|directory| directory.sync_all()));
    }

    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        self.0.metadata()
    }

    #[allow(clippy::useless_conversion, reason = "elsewhere than on Linux a mode is shorter")]
    pub(super) fn modes_up_to_root(&self) -> io::Result<Vec<u32>> {
        let (mut modes, mut path, mut last) = (Vec::new(), ".".to_owned(), None);
        loop {
            let FileStat { st_dev, st_ino, st_mode, .. } = fstatat(&*self.0, path.as_str(), AtFlags::empty())?;
            // The root is above itself.
            if last.replace((st_dev, st_ino)) == Some((st_dev, st_ino)) {
                return Ok(modes);
            }
            modes.push(u32::from(st_mode) & 0o7777);
            path += "/..";
        }
    }

    /// The same directory, open to be listed and synced.
    fn readable(&self) -> io::Result<File> {
        Ok(openat(&*self.0, ".", DIRECTORY, Mode::empty())?.into())
    }
}

fn bits(mode: u32) -> Mode {
    Mode::from_bits_truncate(mode as nix::libc::mode_t)
}

/// While it lives, files are looked at and changed with the rights of somebody else (setfsuid(2)): of root's own nothing
/// is left then. Whoever is not root stays who they are. Linux alone has it.
struct AsOwner {
    #[cfg(target_os = "linux")]
    before: Uid,
}

impl AsOwner {
    #[cfg(target_os = "linux")]
    fn begin(owner: u32) -> Self {
        Self { before: setfsuid(Uid::from_raw(owner)) }
    }

    #[cfg(not(target_os = "linux"))]
    fn begin(_owner: u32) -> Self {
        Self {}
    }
}

impl Drop for AsOwner {
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        setfsuid(self.before);
    }
}

/// A file with a name of its own, beside its place.
#[derive(Debug)]
pub(super) struct Temporary {
    directory: Directory,
    /// Until it has the other name.
    temporary: Option<OsString>,
    name: OsString,
}

impl Temporary {
    pub(super) fn commit(mut self) -> io::Result<()> {
        let temporary = self.temporary.as_deref().unwrap_or_default();
        renameat(&*self.directory.0, temporary, &*self.directory.0, self.name.as_os_str())?;
        // There is nothing of that name any more.
        self.temporary = None;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(name) = self.temporary.take() {
            _ = unlinkat(&*self.directory.0, name.as_os_str(), UnlinkatFlags::NoRemoveDir);
        }
    }
}
