//! The words of a command line of Windows.

use super::text::Text;

/// The arguments that a program sees behind its name, as Microsoft's C runtime reads them ("Parsing C command-line
/// arguments"): blanks separate them outside quotes, backslashes count only in front of a quote, where two are one, and
/// two quotes within quotes are one.
pub fn words(line: &Text) -> Vec<Text> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quoted = false;
    let mut rest = line.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b' ' | b'\t' if !quoted => words.extend(word.take().map(Text::from_bytes)),
            b'\\' => {
                let more = rest.iter().take_while(|byte| **byte == b'\\').count();
                let backslashes = more + 1;
                rest = &rest[more..];
                let is_before_quote = rest.first() == Some(&b'"');
                let kept = if is_before_quote { backslashes / 2 } else { backslashes };
                let word = word.get_or_insert_default();
                word.extend(std::iter::repeat_n(b'\\', kept));
                if is_before_quote && backslashes % 2 == 1 {
                    word.push(b'"');
                    rest = &rest[1..];
                }
            }
            b'"' => {
                let word = word.get_or_insert_default();
                if quoted && rest.first() == Some(&b'"') {
                    word.push(b'"');
                    rest = &rest[1..];
                } else {
                    quoted = !quoted;
                }
            }
            other => word.get_or_insert_default().push(*other),
        }
    }
    words.extend(word.map(Text::from_bytes));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_the_c_runtime_reads_them() {
        for (line, expected) in [
            ("", &[][..]),
            ("  a\tb ", &["a", "b"]),
            (r#""a b" """#, &["a b", ""]),
            (r#"C:\x\y "C:\a b\\" z"#, &[r"C:\x\y", r"C:\a b\", "z"]),
            (r#"a\\\"b \\x"#, &[r#"a\"b"#, r"\\x"]),
            (r#""x""y" z"#, &[r#"x"y"#, "z"]),
            (r#""a"%"PATH"%"b""#, &["a%PATH%b"]),
        ] {
            assert_eq!(
                words(&line.into()),
                expected.iter().map(|word| Text::from(*word)).collect::<Vec<_>>(),
                "{line}"
            );
        }
    }
}
