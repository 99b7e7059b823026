//! What the value of an option is: what the help calls it, and what a shell may complete it with.

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, ValueHint};

use crate::cli::parse::Purpose;

/// Stands in a script for the names of all properties: there are hundreds, each is only the beginning of a value, and
/// every program has the option.
pub(in crate::cli) const PROPERTIES: &str = "PROPERTIES";

/// A kind of value.
#[derive(Clone, Copy)]
pub(super) enum ValueKind {
    Directory,
    File,
    /// A file that may be missing where `-` stands in front of it, or the word `none`.
    FileOrNot,
    /// A file, or one of two words.
    LogFileOrWord,
    /// A directory, or the word `none`.
    DirectoryOrNone,
    Executable,
    /// One of a few words.
    Words(fn() -> Vec<&'static str>),
    /// One of more words than the help has room for, with what it calls them.
    WordsCalled(&'static str, fn() -> Vec<&'static str>),
    /// An entry of the service manager's own: shells know the names, see [`PROPERTIES`].
    Property,
    /// Anything else, with what the help calls it.
    Called(&'static str),
}

impl ValueKind {
    fn name(self) -> String {
        match self {
            Self::Directory => "DIR".to_owned(),
            Self::File => "FILE".to_owned(),
            Self::DirectoryOrNone => "DIR|none".to_owned(),
            Self::FileOrNot => "[-]FILE|none".to_owned(),
            Self::LogFileOrWord => "FILE|none|default".to_owned(),
            Self::Executable => "PATH".to_owned(),
            Self::Words(words) => words().join("|"),
            Self::Property => "NAME=VALUE".to_owned(),
            Self::WordsCalled(name, _) | Self::Called(name) => name.to_owned(),
        }
    }

    /// The argument, which takes such a value. It is read as it is, and judged together with everything else.
    pub(super) fn taken_by(self, arg: Arg, purpose: Purpose) -> Arg {
        let arg = arg.value_name(self.name()).allow_negative_numbers(true);
        let arg = if matches!(self, Self::FileOrNot) { arg.allow_hyphen_values(true) } else { arg };
        match (self, purpose) {
            (Self::Words(words) | Self::WordsCalled(_, words), Purpose::Complete) => {
                arg.value_parser(PossibleValuesParser::new(words()))
            }
            (Self::Property, Purpose::Complete) => arg.value_parser(PossibleValuesParser::new([PROPERTIES])),
            (Self::Directory | Self::DirectoryOrNone, Purpose::Complete) => arg.value_hint(ValueHint::DirPath),
            (Self::File | Self::FileOrNot | Self::LogFileOrWord, Purpose::Complete) => {
                arg.value_hint(ValueHint::FilePath)
            }
            (Self::Executable, Purpose::Complete) => arg.value_hint(ValueHint::ExecutablePath),
            (Self::Called(_), Purpose::Complete) | (_, Purpose::Parse | Purpose::Help(_)) => {
                arg.value_parser(ValueParser::os_string())
            }
        }
    }
}

/// An argument that is no option of ours, and takes an executable.
pub(in crate::cli) fn of_executable(arg: Arg, purpose: Purpose) -> Arg {
    ValueKind::Executable.taken_by(arg, purpose)
}
