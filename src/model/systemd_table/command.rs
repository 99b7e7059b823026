//! Command lines, as `ExecStart=` and its like have them (systemd.service(5), "COMMAND LINES"; `config_parse_exec` in
//! `src/core/load-fragment.c`).

use super::values::Checked;
use super::words::{first_word, specifiers};
use crate::model::text::Text;

const RULE: &str = "a program by its absolute path, and its arguments";

/// What stands in front of a program: how it is called, whether it may fail, whether variables are filled in, and what
/// rights it has.
const PREFIXES: [char; 6] = ['@', '-', ':', '+', '!', '|'];

/// One command, split into its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Command {
    prefixes: String,
    words: Vec<String>,
}

/// Whether systemd takes a value: prefixes, a path or since 239 a name of a program, arguments; several commands stand
/// between `;`.
pub(super) fn check(value: &str) -> Checked {
    if value.trim().is_empty() {
        return Ok(0);
    }
    let mut needed = 0;
    for Command { prefixes, words } in &commands(value)? {
        let path = words.first().map_or("", String::as_str);
        if prefixes.contains('@') && words.len() < 2 {
            return Err(format!("`@{path}` must have a second word, which the program is called by"));
        }
        let is_name = !path.contains('/');
        let is_folder = path.ends_with('/') || path == "." || path == "..";
        if path.is_empty() || is_folder || !(path.starts_with(['/', '%']) || is_name) {
            return Err(format!("`{}` must be {RULE}", value.trim().escape_debug()));
        }
        if path.starts_with('-') {
            return Err(format!("`{path}` must be the name of a program; each entry is a whole command line"));
        }
        for word in words {
            needed = needed.max(specifiers(word)?);
        }
        // NEWS of systemd 258.
        needed = needed.max(if prefixes.contains('|') { 258 } else { 0 });
    }
    Ok(needed)
}

/// How many commands a value has.
pub(super) fn count(value: &str) -> usize {
    commands(value).map_or(0, |commands| commands.len())
}

/// The program of the first command, and what it is given, as far as they are the same on every host: up to the first
/// word in which something is filled in.
pub(super) fn known_words(value: &str) -> (Option<Text>, Vec<Text>) {
    let Some(Command { prefixes, words }) = commands(value).ok().and_then(|commands| commands.into_iter().next())
    else {
        return (None, Vec::new());
    };
    let fills_in = !prefixes.contains(':');
    let known = words.iter().map_while(|word| literal(word, fills_in));
    let mut known = known.collect::<Vec<_>>().into_iter();
    let program = known.next().filter(|program| program.starts_with('/'));
    // Behind `@` it is told what it is called.
    let arguments = known.skip(usize::from(prefixes.contains('@'))).map(Text::from).collect();
    (program.map(Text::from), arguments)
}

/// A word in which nothing is filled in.
fn literal(word: &str, fills_in: bool) -> Option<String> {
    let without = word.replace("%%", "");
    if without.contains('%') || fills_in && without.replace("$$", "").contains('$') {
        return None;
    }
    let word = word.replace("%%", "%");
    Some(if fills_in { word.replace("$$", "$") } else { word })
}

/// The commands of a value, which is one line.
fn commands(value: &str) -> Result<Vec<Command>, String> {
    let mut commands = vec![Command::default()];
    let mut rest = value.trim_start();
    while !rest.is_empty() {
        let is_first = commands.last().is_some_and(|command| command.words.is_empty());
        if is_first {
            let (prefixes, behind) = prefixes_of(rest);
            commands.last_mut().expect("there is one").prefixes = prefixes.to_owned();
            rest = behind;
        }
        let (raw, word, behind) = first_word(rest)?;
        rest = behind.trim_start();
        match (raw, is_first) {
            (";", false) => {
                if !rest.is_empty() {
                    commands.push(Command::default());
                }
            }
            (r"\;", _) => commands.last_mut().expect("there is one").words.push(";".to_owned()),
            _ => commands.last_mut().expect("there is one").words.push(word),
        }
    }
    Ok(commands)
}

/// The prefixes of a command, and the rest of it. Each counts once, but for `!!`.
fn prefixes_of(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let is_prefix = |at: usize| {
        let c = char::from(bytes[at]);
        let earlier = bytes[..at].iter().filter(|byte| **byte == bytes[at]).count();
        PREFIXES.contains(&c) && earlier <= usize::from(c == '!')
    };
    text.split_at((0..bytes.len()).take_while(|at| is_prefix(*at)).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_that_systemd_reads() {
        for (line, words) in [
            (r#"/bin/a "b c" 'd'e f\x20g \; "#, &["/bin/a", "b c", "de", "f g", ";"][..]),
            ("-@/bin/a b  c\td", &["/bin/a", "b", "c", "d"]),
            (r"/bin/a \q \n \101 \u00e9", &["/bin/a", r"\q", "\n", "A", "é"]),
            (r#""/opt/a b" ''"#, &["/opt/a b", ""]),
        ] {
            assert_eq!(commands(line).unwrap()[0].words, words, "{line}");
        }
        assert_eq!(count("/bin/a ; -/bin/b x"), 2);
        assert_eq!(count("/bin/a ;"), 1);
        assert_eq!(count(r"/bin/a \; b"), 1);
    }

    #[test]
    fn what_is_known_ends_where_something_is_filled_in() {
        let (program, arguments) = known_words("!@/bin/python3 py a%%b c$$d $E f");
        assert_eq!(program, Some("/bin/python3".into()));
        assert_eq!(arguments, ["a%b", "c$d"].map(Text::from));
        assert_eq!(known_words(":/bin/a $b").1, ["$b".into()]);
        assert_eq!(known_words("%h/bin/a b").0, None);
        assert_eq!(known_words("sleep 5").0, None);
    }
}
