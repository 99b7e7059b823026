//! Reading an environment file of systemd.

use super::text::Text;

/// Reads an environment file the way systemd does: what [the renderer] writes, and plain
/// `NAME=value` lines (`parse_env_file_internal` in `src/basic/env-file.c`). Where a name comes
/// twice, the last value counts, in the place of the first.
pub fn read(contents: &[u8]) -> Vec<(String, Text)> {
    enum State {
        Line,
        Key,
        Gap,
        Value,
        Escape,
        Single,
        Double,
        DoubleEscape,
        Comment,
        CommentEscape,
    }
    fn blank(byte: u8) -> bool {
        matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
    }
    fn take(found: &mut Vec<(String, Text)>, key: &mut Vec<u8>, value: &mut Vec<u8>) {
        let name = String::from_utf8_lossy(key.trim_ascii_end()).into_owned();
        let text = Text::from_bytes(std::mem::take(value));
        key.clear();
        match found.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = text,
            None => found.push((name, text)),
        }
    }

    let (mut found, mut key, mut value) = (Vec::new(), Vec::new(), Vec::new());
    // How much of the value stands when blanks at its unquoted end are dropped.
    let mut solid = 0;
    let mut state = State::Line;
    for &byte in contents {
        let line_break = matches!(byte, b'\n' | b'\r');
        state = match state {
            State::Line if matches!(byte, b'#' | b';') => State::Comment,
            State::Line if blank(byte) => State::Line,
            State::Key if line_break => {
                key.clear();
                State::Line
            }
            State::Key if byte == b'=' => {
                solid = 0;
                State::Gap
            }
            State::Line | State::Key => {
                key.push(byte);
                State::Key
            }
            State::Gap | State::Value if line_break => {
                value.truncate(solid);
                take(&mut found, &mut key, &mut value);
                State::Line
            }
            State::Gap if byte == b'\'' => State::Single,
            State::Gap if byte == b'"' => State::Double,
            State::Gap | State::Value if byte == b'\\' => State::Escape,
            State::Gap if blank(byte) => State::Gap,
            State::Gap | State::Value => {
                value.push(byte);
                if !blank(byte) {
                    solid = value.len();
                }
                State::Value
            }
            State::Escape => {
                if !line_break {
                    value.push(byte);
                }
                solid = value.len();
                State::Value
            }
            State::Single if byte == b'\'' => State::Gap,
            State::Double if byte == b'"' => State::Gap,
            State::Double if byte == b'\\' => State::DoubleEscape,
            State::Single => {
                value.push(byte);
                solid = value.len();
                State::Single
            }
            State::Double => {
                value.push(byte);
                solid = value.len();
                State::Double
            }
            State::DoubleEscape => {
                match byte {
                    b'"' | b'\\' | b'`' | b'$' => value.push(byte),
                    b'\n' => {}
                    _ => value.extend([b'\\', byte]),
                }
                solid = value.len();
                State::Double
            }
            State::Comment if byte == b'\\' => State::CommentEscape,
            State::Comment if line_break => State::Line,
            State::Comment | State::CommentEscape => State::Comment,
        };
    }
    if !matches!(state, State::Line | State::Key | State::Comment | State::CommentEscape) {
        value.truncate(solid);
        take(&mut found, &mut key, &mut value);
    }
    found
}
