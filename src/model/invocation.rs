//! [`Invocation`]: a program and its argv.

use serde::{Deserialize, Serialize};

use super::spec::{Scope, Target};
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

    /// Whether it starts a service: by its verb, because a description may be `start`, too.
    pub fn starts(&self) -> bool {
        let verb = self.0.iter().skip(1).find(|word| !word.as_bytes().starts_with(b"-"));
        verb.is_some_and(|verb| matches!(verb.as_bytes(), b"start" | b"restart"))
    }

    /// The command for a message: a word that is a script of many lines shows as `...`.
    pub fn summary(&self) -> String {
        let word = |word: &Text| if word.as_bytes().contains(&b'\n') { "...".into() } else { word.clone() };
        Self(self.0.iter().map(word).collect()).typed()
    }

    /// The command as it could be typed: in a shell, or for a program of Windows at its prompt.
    pub fn typed(&self) -> String {
        let is_windows = self
            .0
            .first()
            .is_some_and(|program| Target::Nssm.is_absolute(program) || program.as_bytes().ends_with(b".exe"));
        let words = self.0.iter().map(|word| {
            if is_windows {
                return for_windows(word);
            }
            match shlex::bytes::try_quote(word.as_bytes()) {
                Ok(quoted) => Text::from_bytes(quoted.into_owned()).to_string(),
                Err(_) => word.to_string(),
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// A word with quotes where it needs them, by the rule of Microsoft's C runtime. For people to read:
/// what a batch needs besides is the business of the renderer.
fn for_windows(word: &Text) -> String {
    let text = word.to_string();
    if !text.is_empty() && !text.contains([' ', '\t', '"']) {
        return text;
    }
    let mut quoted = String::from("\"");
    let mut backslashes = 0;
    for c in text.chars() {
        if c == '"' {
            quoted.extend(std::iter::repeat_n('\\', backslashes + 1));
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        quoted.push(c);
    }
    quoted.extend(std::iter::repeat_n('\\', backslashes));
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_is_no_value() {
        for (command, starts) in [
            ("systemctl start web.service", true),
            ("systemctl --user restart web.service", true),
            ("systemctl enable start.service", false),
            (r"C:\nssm.exe start web", true),
            (r"C:\nssm.exe set web Description start", false),
            (r"C:\nssm.exe set start Start SERVICE_AUTO_START", false),
        ] {
            assert_eq!(Invocation::new(command.split(' ')).starts(), starts, "{command}");
        }
    }
}
