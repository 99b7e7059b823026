//! [`Facts`]: the questions that validation has for a host.

use super::reach::Drive;
use super::text::Text;
use super::windows_account::WindowsAccount;

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// Nothing.
    Missing,
    /// A directory.
    Directory,
    /// What is neither of them nor a file, such as `a FIFO`.
    Other(&'static str),
    /// A file that may be executed.
    Executable,
    /// Any other file.
    File,
}

/// What the host answers. `None` is "cannot know", which is the answer to every question that is not taken
/// up: the files are for another host.
pub trait Facts {
    /// What lies at `path`.
    fn path_kind(&self, _path: &Text) -> Option<PathKind> {
        None
    }
    /// The directory where the command runs.
    fn current_directory(&self) -> Option<Text> {
        None
    }
    /// The program `name` on the caller's PATH, absolute.
    fn find_program(&self, _name: &Text) -> Option<Text> {
        None
    }
    /// The interpreter of the active environment, absolute.
    fn interpreter(&self) -> Option<Text> {
        None
    }
    /// Whether there is an account of that name.
    fn account_exists(&self, _account: &str) -> Option<bool> {
        None
    }
    /// The name of the machine itself.
    fn machine_name(&self) -> Option<String> {
        None
    }
    /// The first directory or file on the way to `path` that the account may not enter or execute, itself
    /// included. Of what has an access list, which may allow more, nothing is
    /// known.
    fn closed_to(&self, _account: &str, _path: &Text) -> Option<Text> {
        None
    }
    /// Whether an account of Windows may put files into a directory.
    fn may_write(&self, _account: &WindowsAccount, _directory: &Text) -> Option<bool> {
        None
    }
    /// The first directory on the way to `folder`, itself included, where everybody may put files; one such as /tmp, where
    /// nobody takes away what belongs to somebody else, only if it is `folder`.
    fn open_to_everybody(&self, _folder: &Text) -> Option<Text> {
        None
    }
    /// The name of the account that a directory belongs to.
    fn owner(&self, _folder: &Text) -> Option<String> {
        None
    }
    /// Where the letter leads that a path of Windows begins with.
    fn drive(&self, _path: &Text) -> Drive {
        Drive::OfMachine
    }
    /// The first line of an executable file that is text, without its end.
    fn first_line(&self, _path: &Text) -> Option<Text> {
        None
    }
    /// The contents of a text file; or why no program should be given it, such as that it is no file.
    fn read_text(&self, _path: &Text) -> Option<Result<String, String>> {
        None
    }
    /// The version of systemd that the host has.
    fn systemd_version(&self) -> Option<u32> {
        None
    }
    /// The file `relative` of the packages that `interpreter` sees.
    fn package_file(&self, _interpreter: &Text, _relative: &str) -> Option<Text> {
        None
    }
}
