//! The one door by which files are read.
//!
//! What lies at a path is opened once. That descriptor tells what it is, whose it is and what is in it, whatever is put
//! in its place meanwhile. Only files are read: a FIFO keeps one waiting, a device gives bytes for ever or does something
//! when it is opened. And each is read up to a [`Limit`], before it can take all the memory.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::text::path as to_path;
use crate::diagnose::elf::Parts;
use crate::error::words_of;
use crate::model::text::Text;

/// How much of a file is read at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Limit(u64);

impl Limit {
    /// What people write, and what we write of a service: manifests, catalogs, config files, units, receipts, scripts,
    /// values of secrets. The largest that systemd itself takes is a line of 1 MiB.
    pub const TEXT: Self = Self(16 << 20);
    /// The plan in a journal: it grows with the number of services, by some kibibytes for each.
    pub const PLAN: Self = Self(256 << 20);
    /// `nssm.exe` and `RunService.exe`, which has 40 MB when it is built for the tests, and archives of the first.
    pub const PROGRAM: Self = Self(256 << 20);
    /// What the kernel and the distribution say of themselves.
    pub const SYSTEM: Self = Self(1 << 20);

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MiB", self.0 >> 20)
    }
}

/// What happens to a link at the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Somebody named the path, and the link is their word.
    Followed,
    /// We make none there.
    Refused,
}

/// Why a file is not read.
#[derive(Debug)]
pub enum Unread {
    /// Something else lies there, such as `a FIFO`.
    NotAFile(&'static str),
    /// It is larger than this.
    TooLarge(Limit),
    /// What it says counts for nothing, because of this.
    Distrusted(String),
    /// The system refuses, or nothing is there.
    Failed(io::Error),
}

impl fmt::Display for Unread {
    /// The reason, to follow what the file is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAFile(kind) => write!(f, "this is {kind}, not a file"),
            Self::TooLarge(limit) => write!(f, "must be at most {limit} large"),
            Self::Distrusted(reason) => f.write_str(reason),
            Self::Failed(error) => f.write_str(&words_of(error)),
        }
    }
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// A file that is open, and what the system says of it.
#[derive(Debug)]
pub struct Opened {
    file: File,
    metadata: Metadata,
}

impl Opened {
    /// A file that was opened in a way that neither waits nor changes anything.
    ///
    /// # Errors
    /// When it is no file.
    pub(super) fn judged(file: File) -> Result<Self, Unread> {
        let metadata = file.metadata()?;
        match other_kind(&metadata) {
            Some(kind) => Err(Unread::NotAFile(kind)),
            None => Ok(Self { file, metadata }),
        }
    }

    /// What the system says of it.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Whose it is, as user and group id.
    #[cfg(unix)]
    pub fn owner(&self) -> Option<(u32, u32)> {
        use std::os::unix::fs::MetadataExt;
        Some((self.metadata.uid(), self.metadata.gid()))
    }

    /// Whose it is: Windows keeps that in the access list.
    #[cfg(windows)]
    #[expect(clippy::unused_self, reason = "as on Unix")]
    pub fn owner(&self) -> Option<(u32, u32)> {
        None
    }

    /// The file itself.
    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// All that is in it.
    ///
    /// # Errors
    /// When it holds more than `limit`, or cannot be read.
    pub fn whole(self, limit: Limit) -> Result<Vec<u8>, Unread> {
        all_of(self.file, self.metadata.len(), limit)
    }

    /// All that is in it, as text.
    ///
    /// # Errors
    /// As [`whole`](Self::whole), and when it is not UTF-8.
    pub fn whole_text(self, limit: Limit) -> Result<String, Unread> {
        as_text(self.whole(limit)?)
    }

    /// At most `length` bytes from its beginning.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn start(self, length: u64) -> io::Result<Vec<u8>> {
        let mut start = Vec::new();
        self.file.take(length).read_to_end(&mut start)?;
        Ok(start)
    }

    /// At most `length` bytes from `offset` on.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn part(&mut self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(offset))?;
        let mut part = Vec::new();
        (&self.file).take(length).read_to_end(&mut part)?;
        Ok(part)
    }
}

/// What cannot be read is not there.
impl Parts for Opened {
    fn part(&mut self, offset: u64, length: u64) -> Vec<u8> {
        Self::part(self, offset, length).unwrap_or_default()
    }
}

/// What `from` gives; it says itself that there are `length` bytes, but need not be right.
fn all_of(from: impl Read, length: u64, limit: Limit) -> Result<Vec<u8>, Unread> {
    if length > limit.bytes() {
        return Err(Unread::TooLarge(limit));
    }
    let mut contents = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    from.take(limit.bytes() + 1).read_to_end(&mut contents)?;
    if contents.len() as u64 > limit.bytes() { Err(Unread::TooLarge(limit)) } else { Ok(contents) }
}

/// What it is that is no file.
pub(super) fn other_kind(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    #[cfg(unix)]
    use std::os::unix::fs::FileTypeExt;
    match () {
        () if kind.is_file() => None,
        () if kind.is_symlink() => Some("a symbolic link"),
        () if kind.is_dir() => Some("a directory"),
        #[cfg(unix)]
        () if kind.is_fifo() => Some("a FIFO"),
        #[cfg(unix)]
        () if kind.is_socket() => Some("a socket"),
        #[cfg(unix)]
        () if kind.is_char_device() || kind.is_block_device() => Some("a device"),
        () => Some("neither a file nor a directory"),
    }
}

/// Opens the file at `path` to read it.
///
/// # Errors
/// When it is no file, or may not be read.
pub fn open(path: &Text, links: Links) -> Result<Opened, Unread> {
    #[cfg(unix)]
    return open_in(nix::fcntl::AT_FDCWD, &to_path(path), links);
    #[cfg(windows)]
    open_at(&to_path(path), links)
}

/// Opens a file below an open directory to read it.
///
/// # Errors
/// When it is no file, or may not be read.
#[cfg(unix)]
pub(super) fn open_in(folder: impl std::os::fd::AsFd, path: &Path, links: Links) -> Result<Opened, Unread> {
    use nix::fcntl::{OFlag, openat};
    use nix::sys::stat::Mode;
    let no_link = if links == Links::Refused { OFlag::O_NOFOLLOW } else { OFlag::empty() };
    let reading = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        // It is found without being opened, for some devices do something at that, and then opened by its number,
        // which leads to this very file (open(2), `O_PATH`).
        let found = openat(&folder, path, OFlag::O_PATH | OFlag::O_CLOEXEC | no_link, Mode::empty());
        let found = Opened::judged(found.map_err(io::Error::from)?.into())?;
        let by_number = format!("/proc/self/fd/{}", found.file.as_raw_fd());
        match nix::fcntl::open(by_number.as_str(), reading, Mode::empty()) {
            // There is no /proc.
            Err(nix::Error::ENOENT) => {}
            opened => return Ok(Opened { file: opened.map_err(io::Error::from)?.into(), metadata: found.metadata }),
        }
    }
    match openat(&folder, path, reading | no_link, Mode::empty()) {
        Err(nix::Error::ELOOP) if links == Links::Refused => Err(Unread::NotAFile("a symbolic link")),
        opened => Opened::judged(opened.map_err(io::Error::from)?.into()),
    }
}

/// Opens the file at `path` to read it. Windows has no descriptors of what is not opened: it is looked at twice.
///
/// # Errors
/// When it is no file, or may not be read.
#[cfg(windows)]
pub(super) fn open_at(path: &Path, links: Links) -> Result<Opened, Unread> {
    let found = match links {
        Links::Followed => std::fs::metadata(path)?,
        Links::Refused => std::fs::symlink_metadata(path)?,
    };
    if let Some(kind) = other_kind(&found) {
        return Err(Unread::NotAFile(kind));
    }
    Opened::judged(File::open(path)?)
}

/// All that is in the file at `path`.
///
/// # Errors
/// When it is no file, holds more than `limit`, or may not be read.
pub fn whole(path: &Text, links: Links, limit: Limit) -> Result<Vec<u8>, Unread> {
    open(path, links)?.whole(limit)
}

/// All that is in the file at `path`, as text.
///
/// # Errors
/// As [`whole`], and when it is not UTF-8.
pub fn whole_text(path: &Text, links: Links, limit: Limit) -> Result<String, Unread> {
    open(path, links)?.whole_text(limit)
}

/// The text that somebody hands to us at `path`: a file, or what the caller has opened for us, such as the pipe that
/// `/dev/stdin` and `<(...)` of a shell stand for. A FIFO that only has a name is none.
///
/// # Errors
/// As [`whole_text`].
pub fn given_text(path: &Text, limit: Limit) -> Result<String, Unread> {
    if !is_descriptor_of_ours(path) {
        return whole_text(path, Links::Followed, limit);
    }
    let mut given = given();
    if let Some(text) = given.get(path) {
        return Ok(text.clone());
    }
    let file = open_descriptor(&to_path(path))?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(Unread::NotAFile("a directory"));
    }
    let text = as_text(all_of(file, metadata.len(), limit)?)?;
    given.insert(path.clone(), text.clone());
    Ok(text)
}

/// What was read of descriptors, by their paths: of a pipe that is possible once, and behind sudo there is none of them.
static GIVEN: Mutex<BTreeMap<Text, String>> = Mutex::new(BTreeMap::new());

fn given() -> MutexGuard<'static, BTreeMap<Text, String>> {
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What [`given_text`] has read of what the caller had opened for us.
pub fn given_texts() -> Vec<(Text, String)> {
    given().clone().into_iter().collect()
}

/// What a run before this one has read so: paths of files are none of its business.
pub fn were_given(texts: Vec<(Text, String)>) {
    given().extend(texts.into_iter().filter(|(path, _)| is_descriptor_of_ours(path)));
}

/// Opens once more what is open: it need not wait for somebody who writes into a FIFO, but then for what they write.
#[cfg(unix)]
fn open_descriptor(path: &Path) -> io::Result<File> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use std::os::unix::fs::OpenOptionsExt;
    let at_once = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = std::fs::OpenOptions::new().read(true).custom_flags(at_once.bits()).open(path)?;
    fcntl(&file, FcntlArg::F_SETFL(OFlag::empty()))?;
    Ok(file)
}

/// Windows has no such paths.
#[cfg(windows)]
fn open_descriptor(path: &Path) -> io::Result<File> {
    File::open(path)
}

/// Whether a path stands for what is open already (proc(5), `/proc/PID/fd`, and the links to it in `/dev`).
fn is_descriptor_of_ours(path: &Text) -> bool {
    let number = path.as_str().and_then(|path| {
        if path == "/dev/stdin" {
            return Some("0");
        }
        path.strip_prefix("/dev/fd/").or_else(|| path.strip_prefix("/proc/self/fd/"))
    });
    cfg!(unix) && number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

fn as_text(contents: Vec<u8>) -> Result<String, Unread> {
    String::from_utf8(contents).map_err(|_| Unread::Failed(io::ErrorKind::InvalidData.into()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::host::text::text;
    use nix::sys::stat::Mode;

    const SMALL: Limit = Limit(1 << 20);

    fn folder() -> (tempfile::TempDir, impl Fn(&str) -> Text) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        (folder, move |name: &str| text(path.join(name)))
    }

    /// What reading gives, as a person would be told.
    fn told(read: Result<Vec<u8>, Unread>) -> String {
        match read {
            Ok(contents) => String::from_utf8(contents).unwrap(),
            Err(Unread::NotAFile(kind)) => kind.to_owned(),
            Err(Unread::TooLarge(limit)) => format!("larger than {limit}"),
            Err(Unread::Distrusted(reason)) => reason,
            Err(Unread::Failed(error)) => format!("{:?}", error.kind()),
        }
    }

    #[test]
    fn only_files_are_read() {
        let (_folder, path) = folder();
        std::fs::write(to_path(&path("file")), "text").unwrap();
        nix::unistd::mkfifo(&to_path(&path("fifo")), Mode::S_IRWXU).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(to_path(&path("socket"))).unwrap();
        for (name, target) in [("link", "file"), ("to-zero", "/dev/zero"), ("to-fifo", "fifo")] {
            std::os::unix::fs::symlink(target, to_path(&path(name))).unwrap();
        }
        let expected = [
            ("file", "text", "text"),
            ("link", "text", "a symbolic link"),
            ("fifo", "a FIFO", "a FIFO"),
            ("to-fifo", "a FIFO", "a symbolic link"),
            ("to-zero", "a device", "a symbolic link"),
            ("socket", "a socket", "a socket"),
            (".", "a directory", "a directory"),
            ("nothing", "NotFound", "NotFound"),
        ];
        for (name, followed, refused) in expected {
            assert_eq!(told(whole(&path(name), Links::Followed, SMALL)), followed, "{name}");
            assert_eq!(told(whole(&path(name), Links::Refused, SMALL)), refused, "{name}");
        }
    }

    #[test]
    fn nothing_is_read_of_what_is_too_large() {
        let (_folder, path) = folder();
        let file = File::create(to_path(&path("large"))).unwrap();
        file.set_len(SMALL.bytes()).unwrap();
        assert_eq!(whole(&path("large"), Links::Refused, SMALL).unwrap().len() as u64, SMALL.bytes());
        // It takes no room, and would take all the memory.
        file.set_len(1 << 42).unwrap();
        assert_eq!(told(whole(&path("large"), Links::Refused, SMALL)), "larger than 1 MiB");
        // What says that there is nothing in it gives no more either.
        assert_eq!(told(all_of(io::repeat(b'x'), 0, SMALL)), "larger than 1 MiB");
    }

    #[test]
    fn what_the_kernel_makes_up_is_read_to_its_end() {
        let maps = whole(&"/proc/self/maps".into(), Links::Followed, SMALL).unwrap();
        assert!(!maps.is_empty());
    }

    #[test]
    fn parts_of_a_file_are_read_alone() {
        let (_folder, path) = folder();
        std::fs::write(to_path(&path("file")), "0123456789").unwrap();
        let mut file = open(&path("file"), Links::Refused).unwrap();
        assert_eq!(file.part(8, 64).unwrap(), b"89");
        assert_eq!(file.part(2, 3).unwrap(), b"234");
        assert_eq!(open(&path("file"), Links::Refused).unwrap().start(4).unwrap(), b"0123");
    }

    #[test]
    fn descriptors_are_told_by_their_paths() {
        for path in ["/dev/stdin", "/dev/fd/63", "/proc/self/fd/0"] {
            assert!(is_descriptor_of_ours(&path.into()), "{path}");
        }
        for path in ["/dev/fd/", "/dev/fd/../zero", "/dev/stdin/x", "/dev/zero", "dev/stdin", "/dev/fd/+1"] {
            assert!(!is_descriptor_of_ours(&path.into()), "{path}");
        }
    }
}
