//! [`Facts`]: the questions that validation has for a host.

use super::text::Text;

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// Nothing.
    Missing,
    /// A directory.
    Directory,
    /// A file that may be executed.
    Executable,
    /// Any other file.
    File,
}

/// What the host answers. `None` is "cannot know": the files are for another host.
pub trait Facts {
    /// What lies at `path`.
    fn path_kind(&self, path: &Text) -> Option<PathKind>;
    /// The directory where the command runs.
    fn current_directory(&self) -> Option<Text>;
    /// The program `name` on the caller's PATH, absolute.
    fn find_program(&self, name: &Text) -> Option<Text>;
    /// The interpreter of the active environment, absolute.
    fn interpreter(&self) -> Option<Text>;
    /// Whether there is an account of that name.
    fn account_exists(&self, account: &str) -> Option<bool>;
    /// The first directory or file on the way to `path` that the account may not enter or execute, itself
    /// included. An access list, which may allow more, is not looked at.
    fn closed_to(&self, account: &str, path: &Text) -> Option<Text>;
    /// Whether the account may write in a directory, with the same limit.
    fn may_write(&self, account: &str, directory: &Text) -> Option<bool>;
    /// The first line of an executable file that is text, without its end.
    fn first_line(&self, path: &Text) -> Option<Text>;
    /// The contents of a text file, if it can be read.
    fn read_text(&self, path: &Text) -> Option<String>;
    /// The file `relative` of the packages that `interpreter` sees.
    fn package_file(&self, interpreter: &Text, relative: &str) -> Option<Text>;
}
