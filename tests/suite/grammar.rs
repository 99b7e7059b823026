//! Readers of the grammars that `render::escape` writes, made from the manuals alone, for tests.

/// Splits a line into words like systemd: blanks outside quotes; quotes of both kinds, also inside
/// a word; C escapes if asked for, else a backslash keeps the next character (systemd.syntax(7)).
pub(crate) fn words(line: &str, c_escapes: bool) -> Vec<String> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if(|c| " \t\n\r".contains(*c)).is_some() {}
        if chars.peek().is_none() {
            return words;
        }
        let (mut word, mut quote) = (Vec::new(), None);
        while let Some(c) = chars.next() {
            match c {
                '\\' if c_escapes => unescape(&mut chars, &mut word),
                '\\' => put(&mut word, chars.next().expect("a character behind the backslash")),
                '"' | '\'' if quote.is_none() => quote = Some(c),
                _ if quote == Some(c) => quote = None,
                ' ' | '\t' | '\n' | '\r' if quote.is_none() => break,
                _ => put(&mut word, c),
            }
        }
        assert_eq!(quote, None, "an open quote in {line}");
        words.push(String::from_utf8(word).unwrap());
    }
}

fn put(word: &mut Vec<u8>, c: char) {
    word.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

fn hex(chars: &mut impl Iterator<Item = char>, digits: usize) -> u32 {
    u32::from_str_radix(&chars.take(digits).collect::<String>(), 16).unwrap()
}

fn unescape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, word: &mut Vec<u8>) {
    match chars.next().expect("a character behind the backslash") {
        'x' => word.push(u8::try_from(hex(chars, 2)).unwrap()),
        'u' => put(word, char::from_u32(hex(chars, 4)).unwrap()),
        'U' => put(word, char::from_u32(hex(chars, 8)).unwrap()),
        'a' => word.push(7),
        'b' => word.push(8),
        'f' => word.push(12),
        'n' => word.push(b'\n'),
        'r' => word.push(b'\r'),
        't' => word.push(b'\t'),
        'v' => word.push(11),
        's' => word.push(b' '),
        c @ ('\\' | '"' | '\'') => put(word, c),
        c => panic!("an unknown escape \\{c}"),
    }
}

/// Replaces specifiers: `%%` is `%`, `%i` nothing, as in a unit that is no instance; any other is a fault of ours.
pub(crate) fn specifiers(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '%' { chars.next() } else { None }) {
            ('%', Some('%')) => out.push('%'),
            ('%', Some('i')) => {}
            ('%', other) => panic!("a specifier %{other:?} in {text}"),
            _ => out.push(c),
        }
    }
    out
}

/// Expands `$` in one word (systemd.service(5), "Command lines"): `$$`, `${NAME}` anywhere, `$NAME`
/// as a word of its own. Every variable is `<NAME>`.
pub(crate) fn variables(word: &str) -> String {
    let whole = word.strip_prefix('$').filter(|rest| !rest.starts_with(['$', '{']));
    if let Some(name) = whole {
        return format!("<{name}>");
    }
    let mut out = String::new();
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(behind) = rest.strip_prefix('$') {
            out.push('$');
            rest = behind;
        } else if let Some((name, behind)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            out.push_str(&format!("<{name}>"));
            rest = behind;
        } else {
            out.push('$');
        }
    }
    out + rest
}

/// The value of a directive that is the rest of its line: outer blanks go, a backslash at the
/// end would continue it.
pub(crate) fn rest_of_line(line: &str) -> String {
    assert!(!line.contains(['\n', '\r', '\0']) && !line.ends_with('\\'), "more than one line: {line:?}");
    line.trim_matches([' ', '\t']).to_owned()
}

/// The one file that a glob(7) pattern without a live wildcard names.
pub(crate) fn glob(pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' | '?' | '[' => panic!("a wildcard in {pattern}"),
            '\\' => out.push(chars.next().expect("a character behind the backslash")),
            _ => out.push(c),
        }
    }
    out
}

/// One word of a POSIX shell that is made of quotes: `'...'`, `"${NAME}"` (which is `<NAME>`), `\c`.
pub(crate) fn shell_word(word: &[u8]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < word.len() {
        let until =
            |quote: u8, from: usize| word[from..].iter().position(|b| *b == quote).expect("a closing quote") + from;
        match word[at] {
            b'\'' => {
                let end = until(b'\'', at + 1);
                out.extend_from_slice(&word[at + 1..end]);
                at = end + 1;
            }
            b'"' => {
                let end = until(b'"', at + 1);
                let inside = word[at + 1..end].strip_prefix(b"${").and_then(|name| name.strip_suffix(b"}"));
                out.extend([b"<", inside.expect("a variable"), b">"].concat());
                at = end + 1;
            }
            b'\\' => {
                out.push(word[at + 1]);
                at += 2;
            }
            other => panic!("an unquoted {:?} in {}", other as char, String::from_utf8_lossy(word)),
        }
    }
    out
}

/// A double-quoted scalar of YAML on one line, and what Jinja makes of the text in it.
pub(crate) fn yaml(scalar: &str) -> String {
    let inner = scalar.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("quotes");
    let (mut out, mut chars) = (String::new(), inner.chars());
    while let Some(c) = chars.next() {
        let code = match c {
            '"' => panic!("a bare quote in {scalar}"),
            // Those that end a line (YAML 1.1, 5.4) or that PyYAML's reader refuses.
            '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => {
                panic!("a bare {c:?} in {scalar}")
            }
            '\\' => match chars.next().unwrap() {
                'x' => hex(&mut chars, 2),
                'u' => hex(&mut chars, 4),
                'U' => hex(&mut chars, 8),
                c @ ('"' | '\\') => c as u32,
                c => panic!("an unknown escape \\{c}"),
            },
            _ => c as u32,
        };
        out.push(char::from_u32(code).expect("a character"));
    }
    // An expression is all that Jinja finds, and each is this one.
    let parts = out.split("{{ '{' }}").collect::<Vec<_>>();
    assert!(parts.iter().all(|part| !part.contains('{')), "{scalar}");
    parts.join("{")
}

/// A Python string literal, as the bytes of PEP 383.
pub(crate) fn python_literal(literal: &str) -> Vec<u8> {
    let inner = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("quotes");
    let (mut out, mut chars) = (Vec::new(), inner.chars());
    while let Some(c) = chars.next() {
        let code = match c {
            '"' | '\n' | '\r' => panic!("a bare {c:?} in {literal}"),
            '\\' => match chars.next().unwrap() {
                'x' => hex(&mut chars, 2),
                'u' => hex(&mut chars, 4),
                'U' => hex(&mut chars, 8),
                'n' => 10,
                'r' => 13,
                't' => 9,
                c @ ('"' | '\\') => c as u32,
                c => panic!("an unknown escape \\{c}"),
            },
            _ => c as u32,
        };
        match char::from_u32(code) {
            Some(c) => put(&mut out, c),
            None => out.push(u8::try_from(code - 0xDC00).expect("a byte of PEP 383")),
        }
    }
    out
}

/// A path in plain quotes on a line of a batch: only `%` means something there.
pub(crate) fn cmd_path(quoted: &str) -> String {
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("quotes");
    assert!(!inner.contains(|c: char| c == '"' || c.is_control()), "{quoted}");
    let doubled = inner.split("%%").collect::<Vec<_>>();
    assert!(doubled.iter().all(|part| !part.contains('%')), "{quoted}");
    doubled.join("%")
}

/// Splits a command line like Microsoft's C runtime ("Parsing C command-line arguments").
pub(crate) fn c_runtime(line: &str) -> Vec<String> {
    let chars: Vec<char> = line.chars().collect();
    let (mut arguments, mut at) = (Vec::new(), 0);
    loop {
        while chars.get(at).is_some_and(|c| " \t".contains(*c)) {
            at += 1;
        }
        if at == chars.len() {
            return arguments;
        }
        let (mut argument, mut quoted) = (String::new(), false);
        while at < chars.len() && (quoted || !" \t".contains(chars[at])) {
            let backslashes = chars[at..].iter().take_while(|c| **c == '\\').count();
            at += backslashes;
            if chars.get(at) == Some(&'"') {
                argument.extend(std::iter::repeat_n('\\', backslashes / 2));
                if backslashes % 2 == 1 {
                    argument.push('"');
                } else if quoted && chars.get(at + 1) == Some(&'"') {
                    argument.push('"');
                    at += 1;
                } else {
                    quoted = !quoted;
                }
                at += 1;
            } else {
                argument.extend(std::iter::repeat_n('\\', backslashes));
                if backslashes == 0 {
                    argument.push(chars[at]);
                    at += 1;
                }
            }
        }
        arguments.push(argument);
    }
}

/// `ExpandEnvironmentStrings` on a machine where every variable exists whose name Windows allows in practice:
/// any text without `"` or `=` between two `%`. Its value is `<NAME>`.
pub(crate) fn expand_windows(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.split_once('%') {
            Some((name, behind)) if !name.is_empty() && !name.contains(['"', '=']) => {
                out.push_str(&format!("<{name}>"));
                rest = behind;
            }
            _ => out.push('%'),
        }
    }
    out + rest
}

/// One line of a batch as cmd.exe reads it: `%%` is `%`, any other `%` a variable; `^` keeps the
/// next character; what is left of `" & | < > ( )` unescaped would be live.
pub(crate) fn cmd(line: &str) -> String {
    let (mut halved, mut chars) = (String::new(), line.chars().peekable());
    while let Some(c) = chars.next() {
        assert!(c != '%' || chars.next_if_eq(&'%').is_some(), "a live % in {line}");
        halved.push(c);
    }
    let (mut out, mut chars) = (String::new(), halved.chars());
    while let Some(c) = chars.next() {
        match c {
            '^' => out.push(chars.next().expect("a character behind the ^")),
            '"' | '&' | '|' | '<' | '>' | '(' | ')' | '!' => panic!("a live {c} in {line}"),
            _ => out.push(c),
        }
    }
    out
}

/// The value that a line `NAME=...` of an environment file has for that version of systemd: what `parse_env_file_internal`
/// does there (`src/basic/env-file.c` of v239, v241 and v247); nothing where the variable is dropped.
pub(crate) fn environment_value(written: &str, version: u32) -> Option<String> {
    let keeps = |c: char, in_double: bool| match version {
        ..241 => true,
        241..247 => !in_double || c == '"',
        247.. => !in_double || "\"\\`$".contains(c),
    };
    let (mut value, mut quote) = (String::new(), None);
    // Quotes have no meaning behind the first character that stands outside of them.
    let mut is_bare = false;
    // How much of it stands when blanks at its end are dropped.
    let mut solid = 0;
    let mut chars = written.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\n' | '\r') => break,
            (None, '\'' | '"') if !is_bare => quote = Some(c),
            (None, ' ' | '\t') if !is_bare => {}
            (None, '\\') => {
                let next = chars.next()?;
                is_bare = true;
                value.extend(Some(next).filter(|c| *c != '\n'));
                solid = value.len();
            }
            (None, _) => {
                is_bare = true;
                value.push(c);
                solid = if " \t".contains(c) { solid } else { value.len() };
            }
            (Some(open), _) if c == open => quote = None,
            (Some(open), '\\') if open == '"' || version < 241 => {
                let next = chars.next()?;
                if !keeps(next, open == '"') {
                    value.push('\\');
                }
                value.extend(Some(next).filter(|c| *c != '\n'));
                solid = value.len();
            }
            (Some(_), _) => {
                value.push(c);
                solid = value.len();
            }
        }
    }
    assert_eq!(quote, None, "an open quote in {written}");
    value.truncate(solid);
    let is_dropped = |c: char| version < 247 && c.is_ascii_control() && !"\t\n".contains(c);
    Some(value).filter(|value| !value.contains(is_dropped))
}
