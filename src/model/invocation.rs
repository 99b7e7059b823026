//! [`Invocation`]: a program and its argv.

use serde::{Deserialize, Serialize};

use super::platform::Platform;
use super::spec::Scope;
use super::text::Text;

/// A program and its argv.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invocation(pub Vec<Text>);

impl Invocation {
    /// The command that `words` make.
    pub fn new<T: Into<Text>>(words: impl IntoIterator<Item = T>) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }

    /// `systemctl`, for the machine or for the user, with `words`.
    pub fn systemctl<T: Into<Text>>(scope: Scope, words: impl IntoIterator<Item = T>) -> Self {
        let mut argv: Vec<Text> = vec!["systemctl".into()];
        if scope == Scope::User {
            argv.push("--user".into());
        }
        argv.extend(words.into_iter().map(Into::into));
        Self(argv)
    }

    /// The command for a message: a word that is a script of many lines shows as `...`.
    pub fn summary(&self) -> String {
        let word = |word: &Text| if word.as_bytes().contains(&b'\n') { "...".into() } else { word.clone() };
        Self(self.0.iter().map(word).collect()).typed()
    }

    /// The command as it could be typed: in a shell, or for a program of Windows at its prompt.
    pub fn typed(&self) -> String {
        let of_windows = |program: &Text| program.as_bytes().ends_with(b".exe");
        let platform = match self.0.first() {
            Some(program) if of_windows(program) => Platform::Windows,
            Some(program) => Platform::of(program),
            None => Platform::Unix,
        };
        platform.typed(&self.0)
    }
}
