//! One program of a catalog.

use std::fmt;
use std::rc::Rc;

use super::{ArgKind, ArgSpec};
use crate::model::entry::PythonEntry;
use crate::model::span::Span;

/// A program that can become a service by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// What the user types, and what the service is called unless they say otherwise.
    pub name: String,
    /// One sentence: what the program does.
    pub about: String,
    /// What is started.
    pub entry: EntryPoint,
    /// Its arguments: the positional ones in their order, the others in the order of the help. Those of a set are
    /// shared by the programs that include it.
    pub arguments: Vec<Rc<ArgSpec>>,
    /// How long it is waited before it is started again, unless the user says so.
    pub restart_sec: Option<Span>,
    /// Whether Ctrl-C ends it: a program of Python with threads of its own may go on for ever, and is stopped by SIGTERM
    /// alone then.
    pub ctrl_c: bool,
}

impl Program {
    /// The argument of this name.
    pub fn argument(&self, name: &str) -> Option<&ArgSpec> {
        self.arguments.iter().map(Rc::as_ref).find(|argument| argument.name == name)
    }

    /// Whether any of its arguments is a secret.
    pub fn has_secrets(&self) -> bool {
        self.arguments.iter().any(|argument| argument.kind == ArgKind::Secret)
    }

    /// The positional arguments, in order.
    pub fn positionals(&self) -> impl Iterator<Item = &ArgSpec> {
        self.arguments.iter().map(Rc::as_ref).filter(|argument| argument.is_positional())
    }
}

/// What a program of the catalog starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryPoint {
    /// Something in a Python module, run by the interpreter chosen at the install.
    Python(PythonEntry),
    /// An absolute path, in the syntax of the system the catalog is for.
    Executable(String),
}

impl fmt::Display for EntryPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EntryPoint::Python(entry) => entry.fmt(f),
            EntryPoint::Executable(path) => f.write_str(path),
        }
    }
}
