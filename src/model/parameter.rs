//! [`Parameter`]: one parameter that NSSM keeps for a service.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::Text;

/// One parameter of a service, as `nssm set NAME PARAMETER [SUBPARAMETER] VALUE...` sets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name, such as `AppDirectory`.
    pub name: String,
    /// The exit code that `AppExit` is for, or `Default`.
    pub sub: Option<String>,
    /// Its values: one, or a line each of `AppEnvironmentExtra` and `DependOnService`.
    pub values: Vec<Text>,
}

impl Parameter {
    /// A parameter of one value.
    pub fn new(name: &str, value: impl Into<Text>) -> Self {
        Self { name: name.to_owned(), sub: None, values: vec![value.into()] }
    }

    /// A parameter that is a number.
    pub fn number(name: &str, value: u32) -> Self {
        Self::new(name, value.to_string())
    }

    /// What NSSM does when the program ends with `code`, or `Default` for any other.
    pub fn on_exit(code: &str, action: &str) -> Self {
        Self { name: "AppExit".to_owned(), sub: Some(code.to_owned()), values: vec![action.into()] }
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
