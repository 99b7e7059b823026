//! The command line that has `cmd.exe` run a batch file with arguments.
//!
//! cmd reads one text by rules of its own. With `/s /c` it takes the first and the last quote of what follows away, and
//! nothing else (`cmd /?`). What it then finds outside of quotes it may act on, so all but the plainest words stand in
//! quotes; what acts inside of them as well cannot be said.

use super::escape::{Layer, Unsayable};
use crate::model::text::Text;

/// The longest line that cmd takes ("Command prompt line string limitation" of Windows' documentation).
const MOST: usize = 8191;

/// What cmd is given behind its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchLine(String);

impl BatchLine {
    /// The batch file with its arguments, each of which it has as `%1`, `%2` ... and together as `%*`.
    ///
    /// # Errors
    /// What cmd would act on, or a batch file could not have.
    pub fn new(batch: &Text, arguments: &[Text]) -> Result<Self, Unsayable> {
        // Neither what is started by itself (`/d`), nor `!NAME!` (`/v:off`); extensions are what batch files count on.
        let mut line = format!("/d /e:on /v:off /s /c \"\"{}\"", carried(batch)?);
        for argument in arguments {
            line.push(' ');
            line.push_str(&word(carried(argument)?));
        }
        line.push('"');
        match line.encode_utf16().count() {
            length if length > MOST => {
                Err(Unsayable::new(format!("has {length} characters"), Layer::Cmd, "a line has at most 8191 there"))
            }
            _ => Ok(Self(line)),
        }
    }

    /// Whether this is a batch file, by its name.
    pub fn is_for(program: &Text) -> bool {
        let name = program.as_bytes().to_ascii_lowercase();
        name.ends_with(b".bat") || name.ends_with(b".cmd")
    }

    /// It as one text.
    pub fn as_text(&self) -> Text {
        self.0.as_str().into()
    }
}

/// A text in which cmd finds nothing to act on inside of quotes.
fn carried(text: &Text) -> Result<&str, Unsayable> {
    let text = text.as_str().ok_or_else(|| Unsayable::new("is no Unicode text", Layer::Cmd, "it reads characters"))?;
    let reason = |c: char| match c {
        '"' => Some("a quote ends the quotes around it"),
        '%' => Some("it puts the value of a variable there"),
        '\n' | '\r' => Some("its line ends there"),
        c if c.is_control() && c != '\t' => Some("it takes it for something else, or leaves it out"),
        _ => None,
    };
    match text.chars().find_map(|c| Some((c, reason(c)?))) {
        Some((c, reason)) => Err(Unsayable::holds(c, Layer::Cmd, reason)),
        None => Ok(text),
    }
}

/// A word: in quotes, unless nothing in it means anything to cmd or to the programs that a batch file gives it to.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "#$*+-./:?@\\_".contains(c);
    // For most programs a backslash in front of the last quote makes that a part of the word.
    let backslashes = text.len() - text.trim_end_matches('\\').len();
    match !text.is_empty() && backslashes == 0 && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("\"{text}{}\"", &text[text.len() - backslashes..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(batch: &str, arguments: &[&str]) -> Result<String, String> {
        let arguments: Vec<Text> = arguments.iter().map(|argument| (*argument).into()).collect();
        let line = BatchLine::new(&batch.into(), &arguments);
        line.map(|BatchLine(line)| line).map_err(|fault| fault.to_string())
    }

    #[test]
    fn words_stand_in_quotes_where_they_mean_something() {
        assert_eq!(
            line(r"C:\Program Files (x86)\k\start.bat", &[r"C:\k\server.properties", "a b", "", "a&b", "é", "a,b", r"C:\d\"]),
            Ok(concat!(
                r#"/d /e:on /v:off /s /c ""C:\Program Files (x86)\k\start.bat" C:\k\server.properties "a b" "" "a&b" é "#,
                r#""a,b" "C:\d\\"""#
            )
            .to_owned())
        );
    }

    #[test]
    fn what_cmd_acts_on_is_refused_with_the_reason() {
        for (argument, said) in [
            ("a\"b", "contains `\"`, which cmd.exe cannot carry: a quote ends the quotes around it"),
            ("50%", "contains `%`, which cmd.exe cannot carry: it puts the value of a variable there"),
            ("a\nb", "contains U+000A, which cmd.exe cannot carry: its line ends there"),
            ("a\u{7}", "contains U+0007, which cmd.exe cannot carry: it takes it for something else, or leaves it out"),
        ] {
            assert_eq!(line("C:\\x.bat", &[argument]), Err(said.to_owned()));
        }
        assert!(line(r"C:\100%\x.bat", &[]).is_err());
        let long = "x".repeat(9000);
        assert_eq!(
            line("C:\\x.bat", &[&long]),
            Err("has 9035 characters, which cmd.exe cannot carry: a line has at most 8191 there".to_owned())
        );
    }

    #[test]
    fn batch_files_are_known_by_their_names() {
        for (name, is_one) in [("C:\\x.BAT", true), ("npm.cmd", true), ("x.bat.exe", false), ("bat", false)] {
            assert_eq!(BatchLine::is_for(&name.into()), is_one, "{name}");
        }
    }
}
