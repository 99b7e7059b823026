//! [`Invocation`]: a program and its argv.

use super::spec::Scope;
use super::text::Text;

/// A program and its argv.
#[derive(Clone, Debug, PartialEq, Eq)]
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

    /// The command as it could be typed in a shell.
    pub fn typed(&self) -> String {
        let words = self.0.iter().map(|word| match shlex::bytes::try_quote(word.as_bytes()) {
            Ok(quoted) => Text::from_bytes(quoted.into_owned()).to_string(),
            Err(_) => word.to_string(),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}
