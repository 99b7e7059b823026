//! The environment that systemd starts services with, before what their units add to it.

use crate::error::Error;
use crate::host::process;
use crate::model::invocation::Invocation;
use crate::model::spec::Scope;
use crate::model::text::Text;

/// What every service of this scope has: the search path, the language, what the administrator or the user's login has
/// set for all.
///
/// # Errors
/// When systemd does not answer.
pub fn of_services(scope: Scope) -> Result<Vec<(Text, Text)>, Error> {
    let outcome = process::answer(&Invocation::systemctl(scope, ["show-environment"]), &[])?;
    Ok(parse(&outcome.stdout))
}

/// Reads lines of `NAME=VALUE`, where a value with anything odd in it is `$'...'` (`shell_maybe_quote` in
/// `src/basic/escape.c`; below systemd 246 it stands as it is).
fn parse(answer: &[u8]) -> Vec<(Text, Text)> {
    let lines = answer.split(|byte| *byte == b'\n');
    let setting = |line: &[u8]| {
        let (name, value) = line.split_at(line.iter().position(|byte| *byte == b'=')?);
        let quoted = value[1..].strip_prefix(b"$'").and_then(|value| value.strip_suffix(b"'"));
        Some((Text::from_bytes(name), Text::from_bytes(quoted.map_or_else(|| value[1..].to_vec(), unescaped))))
    };
    lines.filter_map(setting).collect()
}

/// The escapes of C that `cescape_char` makes: a letter, a sign, or three octal digits.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'\\' {
            plain.push(byte);
            continue;
        }
        let Some((&escape, behind)) = rest.split_first() else { break };
        rest = behind;
        plain.push(match escape {
            b'a' => 7,
            b'b' => 8,
            b't' => b'\t',
            b'n' => b'\n',
            b'v' => 11,
            b'f' => 12,
            b'r' => b'\r',
            b'0'..=b'7' if rest.len() >= 2 => {
                let value = rest[..2]
                    .iter()
                    .fold(escape - b'0', |value, digit| value.wrapping_mul(8).wrapping_add(digit.wrapping_sub(b'0')));
                rest = &rest[2..];
                value
            }
            sign => sign,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemctl_escapes_is_read_back() {
        let answer =
            "LANG=C.UTF-8\nE=\nB=$'a!b'\nC=$'\\001x\\377'\nD=$'$x\"y`z\\\\w'\nNL=$'a\\nb'\nQ=$'it\\'s'\nU=$'ü €'\n";
        let read: Vec<(String, Vec<u8>)> = parse(answer.as_bytes())
            .into_iter()
            .map(|(name, value)| (name.to_string(), value.as_bytes().into()))
            .collect();
        let expected: [(&str, &[u8]); 8] = [
            ("LANG", b"C.UTF-8"),
            ("E", b""),
            ("B", b"a!b"),
            ("C", b"\x01x\xff"),
            ("D", b"$x\"y`z\\w"),
            ("NL", b"a\nb"),
            ("Q", b"it's"),
            ("U", "ü €".as_bytes()),
        ];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_vec())));
    }
}
