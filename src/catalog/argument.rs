//! One argument of a program.

use std::fmt;
use std::str::FromStr;

use super::ArgKind;
use crate::model::nearest::nearest;

/// An argument a program takes: what it is called, what it takes, and what it is for. The fields
/// are those of Python's argparse, which the catalogs describe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgSpec {
    /// What a manifest calls it; unique in its program. argparse's `dest`.
    pub name: String,
    /// How it is typed, such as `-c` and `--config`. Empty for a positional argument.
    pub flags: Vec<String>,
    /// What its values are.
    pub kind: ArgKind,
    /// True when the program does not start without it.
    pub required: bool,
    /// What the program takes when it is left out, written as it would be typed; a relative path is
    /// relative to the service's working directory. It is here for the help and for the checks:
    /// left out of the command line, it stays the program's own.
    pub default: Option<String>,
    /// The words a [`ArgKind::Choice`] takes. Empty for every other kind.
    pub choices: Vec<String>,
    /// How many values follow it.
    pub arity: Arity,
    /// True when it may be given more than once and every value counts (argparse's `append`).
    pub repeat: bool,
    /// One sentence or two for its user.
    pub help: String,
    /// How its value is called in the usage line.
    pub metavar: Option<String>,
    /// The heading it stands under in the help.
    pub group: Option<String>,
    /// For a [`ArgKind::ConfigFile`]: where the installed package keeps the files that may be named
    /// without a directory, relative to the directory that holds the package, with `/`.
    pub package_dir: Option<String>,
    /// For a [`ArgKind::ConfigFile`]: what is appended to a value without a dot, such as `.config`.
    pub suffix: Option<String>,
}

impl ArgSpec {
    /// True when it is known by its place and not by a flag.
    pub fn is_positional(&self) -> bool {
        self.flags.is_empty()
    }

    /// The longest flag, which says most; the name of a positional argument.
    pub fn display_name(&self) -> &str {
        self.flags.iter().max_by_key(|flag| flag.len()).unwrap_or(&self.name)
    }

    /// How its value is called in the usage line.
    pub fn value_name(&self) -> &str {
        self.metavar.as_deref().unwrap_or_else(|| self.kind.placeholder())
    }

    /// What the variable is called that keeps its value, where that is a secret: a name that can be referred to.
    pub fn variable(&self) -> String {
        let name = self.name.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
    }

    /// Whether one value is of the argument's kind, as far as the value alone can tell: paths are
    /// looked at on the host.
    ///
    /// # Errors
    /// What is wrong with the value and what to write instead, without the argument's name.
    pub fn check(&self, value: &str) -> Result<(), String> {
        if self.kind == ArgKind::Choice && !self.choices.iter().any(|choice| choice == value) {
            let choices = self.choices.join(", ");
            return Err(match nearest(value, self.choices.iter().map(String::as_str)) {
                Some(near) => format!("`{value}` is not one of {choices}: did you mean `{near}`?"),
                None => format!("`{value}` is not one of {choices}"),
            });
        }
        self.kind.check(value)
    }
}

/// How many values follow an argument: argparse's `nargs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arity {
    /// One; the usual. A [`ArgKind::Flag`] takes none, whatever stands here.
    #[default]
    One,
    /// `?`: one or none.
    Optional,
    /// `*`: any number, also none.
    Any,
    /// `+`: one or more.
    Some,
    /// Exactly so many, at least one. `nargs=1` is not quite [`Arity::One`] to the program (it gets
    /// a list), but is typed the same.
    Exactly(u16),
}

impl Arity {
    /// The fewest and the most values; `None` is without bound.
    pub fn bounds(self) -> (usize, Option<usize>) {
        match self {
            Arity::One => (1, Some(1)),
            Arity::Optional => (0, Some(1)),
            Arity::Any => (0, None),
            Arity::Some => (1, None),
            Arity::Exactly(n) => (n.into(), Some(n.into())),
        }
    }
}

impl fmt::Display for Arity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Arity::One => f.write_str("one"),
            Arity::Optional => f.write_str("?"),
            Arity::Any => f.write_str("*"),
            Arity::Some => f.write_str("+"),
            Arity::Exactly(n) => write!(f, "{n}"),
        }
    }
}

impl FromStr for Arity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "one" => Ok(Arity::One),
            "?" => Ok(Arity::Optional),
            "*" => Ok(Arity::Any),
            "+" => Ok(Arity::Some),
            number => match number.parse() {
                Ok(n) if n > 0 => Ok(Arity::Exactly(n)),
                _ => Err(()),
            },
        }
    }
}
