//! [`Parameter`]: one parameter that NSSM keeps for a service.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::Text;

/// The type that the registry has for a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// That which NSSM gives to this parameter.
    #[default]
    Usual,
    /// `REG_SZ`.
    Text,
    /// `REG_EXPAND_SZ`: variables in it are replaced.
    Expanded,
    /// `REG_DWORD`.
    Number,
    /// `REG_MULTI_SZ`.
    Lines,
    /// Another one, which NSSM reads nothing from.
    Other,
}

impl Kind {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    fn is_usual(&self) -> bool {
        *self == Self::Usual
    }

    /// Its name in the registry.
    pub fn word(self) -> &'static str {
        match self {
            Self::Usual => "its own type",
            Self::Text => "REG_SZ",
            Self::Expanded => "REG_EXPAND_SZ",
            Self::Number => "REG_DWORD",
            Self::Lines => "REG_MULTI_SZ",
            Self::Other => "REG_BINARY",
        }
    }
}

/// One parameter of a service, as `nssm set NAME PARAMETER [SUBPARAMETER] VALUE...` sets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name, such as `AppDirectory`.
    pub name: String,
    /// The exit code that `AppExit` is for, or `Default`.
    pub sub: Option<String>,
    /// Its values: one, or a line each of `AppEnvironmentExtra` and `DependOnService`.
    pub values: Vec<Text>,
    /// The type that they are stored with.
    #[serde(default, skip_serializing_if = "Kind::is_usual")]
    pub kind: Kind,
}

impl Parameter {
    /// A parameter of several values, or of none: then it is reset.
    pub fn lines(name: &str, values: Vec<Text>) -> Self {
        Self { name: name.to_owned(), sub: None, values, kind: Kind::Usual }
    }

    /// Whether it is the same parameter, of the same subparameter.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.name == other.name && self.sub == other.sub
    }

    /// A parameter of one value.
    pub fn new(name: &str, value: impl Into<Text>) -> Self {
        Self::lines(name, vec![value.into()])
    }

    /// A parameter that is a number.
    pub fn number(name: &str, value: u32) -> Self {
        Self::new(name, value.to_string())
    }

    /// What NSSM does when the program ends with `code`, or `Default` for any other.
    pub fn on_exit(code: &str, action: &str) -> Self {
        Self { sub: Some(code.to_owned()), ..Self::new("AppExit", action) }
    }
}

/// The name with its subparameter.
impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sub {
            Some(sub) => write!(f, "{} {sub}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
