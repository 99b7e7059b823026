//! Command lines, as `ExecStart=` and its like have them (systemd.service(5), "COMMAND LINES"; `config_parse_exec` in
//! `src/core/load-fragment.c`).

use super::values::Checked;
use crate::model::text::Text;

const RULE: &str = "a program by its absolute path, and its arguments";

/// What stands in front of a program: how it is called, whether it may fail, whether variables are filled in, and what
/// rights it has.
const PREFIXES: [char; 6] = ['@', '-', ':', '+', '!', '|'];

/// Letters that systemd fills in behind `%` (systemd.unit(5), "SPECIFIERS").
const SPECIFIERS: &str = "aAbBCdDEfgGhHiIjJlLmMnNopPqsStTuUvVwWyY%";

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
    let commands = commands(value)?;
    for Command { prefixes, words } in &commands {
        let path = words.first().map_or("", String::as_str);
        if prefixes.contains('@') && words.len() < 2 {
            return Err(format!("`@{path}` must have a second word, which the program is called by"));
        }
        let is_name = !path.contains('/');
        if path.is_empty() || path.ends_with('/') || !(path.starts_with(['/', '%']) || is_name) {
            return Err(format!("`{}` must be {RULE}", value.trim().escape_debug()));
        }
        if path.starts_with('-') {
            return Err(format!("`{path}` must be the name of a program; each entry is a whole command line"));
        }
        if let Some(odd) = words.iter().find_map(|word| unknown_specifier(word)) {
            return Err(format!("`%{odd}` is nothing that systemd fills in; `%%` is a single `%`"));
        }
    }
    // NEWS of systemd 258.
    Ok(if commands.iter().any(|command| command.prefixes.contains('|')) { 258 } else { 0 })
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

/// The letter behind the first `%` that means nothing.
fn unknown_specifier(word: &str) -> Option<String> {
    let mut rest = word;
    while let Some((_, behind)) = rest.split_once('%') {
        let letter = behind.chars().next();
        match letter {
            // `%` at the end stays as it is (`specifier_printf` in `src/shared/specifier.c`).
            None => return None,
            Some(letter) if SPECIFIERS.contains(letter) => rest = &behind[letter.len_utf8()..],
            Some(letter) => return Some(letter.to_string()),
        }
    }
    None
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

/// The first word as it is written and as it is read, and what follows it (`extract_first_word` in
/// `src/basic/extract-word.c`).
fn first_word(text: &str) -> Result<(&str, String, &str), String> {
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (_, '\\') => {
                let escape = chars.as_str();
                let (read, length) = unescaped(escape)?;
                word.push_str(&read);
                chars.nth(length.saturating_sub(1));
            }
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, c) if c.is_ascii_whitespace() => return Ok((&text[..at], word, &text[at..])),
            _ => word.push(c),
        }
    }
    match quote {
        None => Ok((text, word, "")),
        Some(quote) => Err(format!("`{}` must have a second `{quote}`, which ends what the first begins", text.trim())),
    }
}

/// What a backslash and the characters behind it stand for, and how many of these there are (`cunescape_one` in
/// `src/basic/escape.c`). What means nothing stays as it is, for which systemd has only a warning.
fn unescaped(escape: &str) -> Result<(String, usize), String> {
    let Some(first) = escape.chars().next() else {
        return Err("must not end in a backslash".to_owned());
    };
    let coded = |skip: usize, count: usize, radix: u32| {
        let digits: String = escape.chars().skip(skip).take(count).collect();
        let code = u32::from_str_radix(&digits, radix).ok().filter(|code| digits.chars().count() == count && *code > 0);
        code.and_then(char::from_u32).map(|c| (c.to_string(), skip + count))
    };
    let simple = |c: &str| Some((c.to_owned(), 1));
    let read = match first {
        'a' => simple("\x07"),
        'b' => simple("\x08"),
        'f' => simple("\x0c"),
        'n' => simple("\n"),
        'r' => simple("\r"),
        't' => simple("\t"),
        'v' => simple("\x0b"),
        's' => simple(" "),
        '\\' | '"' | '\'' => simple(&first.to_string()),
        'x' => coded(1, 2, 16),
        'u' => coded(1, 4, 16),
        'U' => coded(1, 8, 16),
        '0'..='7' => coded(0, 3, 8),
        _ => None,
    };
    Ok(read.unwrap_or_else(|| (format!("\\{first}"), 1)))
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
