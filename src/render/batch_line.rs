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
pub struct BatchLine(Text);

impl BatchLine {
    /// The batch file with its arguments, each of which it has as `%1`, `%2` ... and together as `%*`.
    ///
    /// # Errors
    /// What cmd would act on, or a batch file could not have.
    pub fn new(batch: &Text, arguments: &[Text]) -> Result<Self, Unsayable> {
        // Neither what is started by itself (`/d`), nor `!NAME!` (`/v:off`); extensions are what batch files count on.
        carried(batch)?;
        let mut line = [b"/d /e:on /v:off /s /c \"\"", batch.as_bytes(), b"\""].concat();
        for argument in arguments {
            carried(argument)?;
            line.push(b' ');
            line.extend(word(argument));
        }
        line.push(b'"');
        match units(&line) {
            length if length > MOST => {
                Err(Unsayable::new(format!("has {length} characters"), Layer::Cmd, "a line has at most 8191 there"))
            }
            _ => Ok(Self(Text::from_bytes(line))),
        }
    }

    /// Whether this is a batch file, by its name. (Windows drops dots and blanks at the end of one.)
    pub fn is_for(program: &Text) -> bool {
        let name = program.to_string().to_ascii_lowercase();
        let name = name.trim_end_matches(['.', ' ']);
        name.ends_with(".bat") || name.ends_with(".cmd")
    }

    /// It as one text.
    pub fn as_text(&self) -> Text {
        self.0.clone()
    }
}

/// Nothing, where cmd finds nothing to act on in this text inside of quotes.
///
/// # Errors
/// What it would act on.
pub fn carried(text: &Text) -> Result<(), Unsayable> {
    let reason = |byte: u8| match byte {
        b'"' => Some("a quote ends the quotes around it"),
        b'%' => Some("it puts the value of a variable there"),
        b'\n' | b'\r' => Some("its line ends there"),
        _ => None,
    };
    match text.as_bytes().iter().find_map(|byte| Some((*byte, reason(*byte)?))) {
        Some((byte, reason)) => Err(Unsayable::holds(char::from(byte), Layer::Cmd, reason)),
        None => Ok(()),
    }
}

/// A word: in quotes, unless nothing in it means anything to cmd or to the programs that a batch file gives it to, some of
/// which put the names of files in the place of `*` and `?`.
fn word(text: &Text) -> Vec<u8> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"#$+-./:@\\_".contains(byte);
    let bytes = text.as_bytes();
    // For most programs a backslash in front of the last quote makes that a part of the word.
    let backslashes = bytes.iter().rev().take_while(|byte| **byte == b'\\').count();
    match !bytes.is_empty() && backslashes == 0 && bytes.iter().all(is_plain) {
        true => bytes.to_vec(),
        false => [b"\"", bytes, &bytes[bytes.len() - backslashes..], b"\""].concat(),
    }
}

/// How many units of UTF-16 a text has: one for each character, and two for one that has four bytes here.
fn units(text: &[u8]) -> usize {
    text.iter().map(|byte| usize::from(byte & 0xc0 != 0x80) + usize::from(*byte >= 0xf0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(batch: &str, arguments: &[&str]) -> Result<String, String> {
        let arguments: Vec<Text> = arguments.iter().map(|argument| (*argument).into()).collect();
        let line = BatchLine::new(&batch.into(), &arguments);
        line.map(|BatchLine(line)| line.to_string()).map_err(|fault| fault.to_string())
    }

    #[test]
    fn words_stand_in_quotes_where_they_mean_something() {
        assert_eq!(
            line(r"C:\Program Files (x86)\k\start.bat", &[r"C:\k\server.properties", "a b", "", "a&b", "é", "a,b", r"C:\d\"]),
            Ok(concat!(
                r#"/d /e:on /v:off /s /c ""C:\Program Files (x86)\k\start.bat" C:\k\server.properties "a b" "" "a&b" "é" "#,
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
        for (name, is_one) in
            [("C:\\x.BAT", true), ("npm.cmd", true), ("x.bat. ", true), ("x.bat.exe", false), ("bat", false)]
        {
            assert_eq!(BatchLine::is_for(&name.into()), is_one, "{name}");
        }
    }
}
