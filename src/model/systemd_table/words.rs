//! Words of a value: how quotes and backslashes join them, and what systemd fills in.

use super::values::Checked;

/// Letters that systemd fills in behind `%`, by the version that they came with (systemd.unit(5), "SPECIFIERS"; NEWS).
const SPECIFIERS: [(&str, u32); 6] = [
    // `c`, `r` and `R` are old: it has a warning for them.
    ("bcCEfhHiIjJLmnNpPrRsStTuUvV%", 0),
    ("gG", 240),
    ("aBlowW", 246),
    ("AM", 249),
    ("dqyY", 251),
    ("D", 256),
];

/// The version that everything needs which systemd is to fill in, or what means nothing to it.
pub(super) fn specifiers(word: &str) -> Checked {
    let mut needed = 0;
    let mut rest = word;
    while let Some((_, behind)) = rest.split_once('%') {
        // `%` at the end stays as it is (`specifier_printf` in `src/shared/specifier.c`).
        let Some(letter) = behind.chars().next() else { break };
        let Some((_, since)) = SPECIFIERS.iter().find(|(letters, _)| letters.contains(letter)) else {
            let odd = letter.escape_debug();
            return Err(format!("`%{odd}` is nothing that systemd fills in; `%%` is a single `%`"));
        };
        needed = needed.max(*since);
        rest = &behind[letter.len_utf8()..];
    }
    Ok(needed)
}

/// The word as it is for every host, if nothing in it is filled in.
pub(super) fn without_specifiers(word: &str) -> Option<String> {
    let known = word.replace("%%", "");
    (!known.strip_suffix('%').unwrap_or(&known).contains('%')).then(|| word.replace("%%", "%"))
}

/// The words of a value, as they are read.
pub(super) fn split(value: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = value.trim_start();
    while !rest.is_empty() {
        let (_, word, behind) = first_word(rest)?;
        words.push(word);
        rest = behind.trim_start();
    }
    Ok(words)
}

/// The first word as it is written and as it is read, and what follows it (`extract_first_word` in
/// `src/basic/extract-word.c`).
pub(super) fn first_word(text: &str) -> Result<(&str, String, &str), String> {
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
