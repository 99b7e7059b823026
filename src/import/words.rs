//! Words of a line, as systemd takes them apart (`extract_first_word` in `src/basic/extract-word.c`, with
//! `EXTRACT_UNQUOTE|EXTRACT_CUNESCAPE`).

use super::unit_file::BLANKS;

/// The words without their quotes and escapes. Nothing where systemd drops the line: a quote that is open, an escape
/// that there is not, a word that is not UTF-8.
pub(super) fn split(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if(|c| BLANKS.contains(c)).is_some() {}
        if chars.peek().is_none() {
            return Some(words);
        }
        let (mut word, mut quote) = (Vec::new(), None);
        while let Some(c) = chars.next() {
            match c {
                '\\' => unescape(&mut chars, &mut word)?,
                '"' | '\'' if quote.is_none() => quote = Some(c),
                _ if quote == Some(c) => quote = None,
                _ if quote.is_none() && BLANKS.contains(&c) => break,
                _ => put(&mut word, c),
            }
        }
        if quote.is_some() {
            return None;
        }
        words.push(String::from_utf8(word).ok()?);
    }
}

fn put(word: &mut Vec<u8>, c: char) {
    word.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// `cunescape_one` in `src/basic/escape.c`: no NUL, and bytes only by `\x` and in octal.
fn unescape(chars: &mut impl Iterator<Item = char>, word: &mut Vec<u8>) -> Option<()> {
    let first = chars.next()?;
    let mut number = |digits: usize, radix: u32| {
        let text: String = chars.by_ref().take(digits).collect();
        let is_whole = text.chars().count() == digits && text.chars().all(|c| c.is_digit(radix));
        u32::from_str_radix(&text, radix).ok().filter(|_| is_whole)
    };
    match first {
        'a' => word.push(7),
        'b' => word.push(8),
        'f' => word.push(12),
        'n' => word.push(b'\n'),
        'r' => word.push(b'\r'),
        't' => word.push(b'\t'),
        'v' => word.push(11),
        's' => word.push(b' '),
        '\\' | '"' | '\'' => put(word, first),
        'x' => word.push(byte(number(2, 16)?)?),
        'u' => put(word, char::from_u32(number(4, 16)?).filter(|c| *c != '\0')?),
        'U' => put(word, char::from_u32(number(8, 16)?).filter(|c| *c != '\0')?),
        '0'..='7' => word.push(byte(first.to_digit(8)? << 6 | number(2, 8)?)?),
        _ => return None,
    }
    Some(())
}

fn byte(code: u32) -> Option<u8> {
    u8::try_from(code).ok().filter(|byte| *byte != 0)
}

/// The line with one blank between its words: what a backslash at the end of a line has joined, in words. Nothing
/// inside quotes changes.
pub(super) fn tidy(line: &str) -> String {
    let mut out = String::new();
    let (mut quote, mut is_escaped, mut is_between) = (None, false, false);
    for c in line.chars() {
        let was_between = std::mem::take(&mut is_between);
        match c {
            _ if is_escaped => {
                is_escaped = false;
                out.push(c);
                continue;
            }
            '\\' => is_escaped = true,
            '"' | '\'' if quote.is_none() => quote = Some(c),
            _ if quote == Some(c) => quote = None,
            _ if quote.is_none() && BLANKS.contains(&c) => {
                // One that a backslash has made a part of a word is another.
                if !was_between {
                    out.push(' ');
                }
                is_between = true;
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_systemd() {
        for (line, words) in [
            ("", Some(vec![])),
            (" a  b\t", Some(vec!["a", "b"])),
            (r#""A=b c" 'd "e' f"g h"'i'"#, Some(vec!["A=b c", "d \"e", "fg hi"])),
            (r#"\x41\101\u00e9\U0001F600\s\n \"\'"#, Some(vec!["AA\u{e9}\u{1F600} \n", "\"'"])),
            (r"\xc3\xa9", Some(vec!["\u{e9}"])),
            (r#"'' """#, Some(vec!["", ""])),
            (r#""a"#, None),
            (r"a\q", None),
            (r"a\", None),
            (r"\x00", None),
            (r"\x4", None),
            (r"\777", None),
            (r"\xff", None),
            (r"\ud800", None),
        ] {
            let words: Option<Vec<String>> = words.map(|words| words.into_iter().map(str::to_owned).collect());
            assert_eq!(split(line), words, "{line}");
        }
    }

    #[test]
    fn only_blanks_between_words_are_made_one() {
        assert_eq!(tidy("a  b\t\tc  \"d  e\" f\\  g 'h\t\"'  i"), "a b c \"d  e\" f\\  g 'h\t\"' i");
    }
}
