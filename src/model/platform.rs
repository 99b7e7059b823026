//! [`Platform`]: how an operating system writes paths.

use super::text::Text;

/// A family of operating systems: whose paths a service has, whatever manages it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Platform {
    /// Linux and its relatives: a path is a row of names behind a `/`.
    Unix,
    /// Windows: a path begins with a drive or a share, and has `\` or `/` between its names.
    Windows,
}

impl Platform {
    /// The one whose absolute paths look like `path`; one of Windows begins with a drive or a share.
    pub fn of(path: &Text) -> Self {
        if Self::Windows.is_absolute(path) { Self::Windows } else { Self::Unix }
    }

    /// Whether `path` is absolute: `/...`, or for Windows a drive (`C:\...`, `C:/...`) or a UNC path
    /// (`\\server\share`).
    pub fn is_absolute(self, path: &Text) -> bool {
        let path = path.as_bytes();
        match self {
            Self::Unix => path.starts_with(b"/"),
            Self::Windows => match path {
                [drive, b':', b'\\' | b'/', ..] => drive.is_ascii_alphabetic(),
                [b'\\', b'\\', first, ..] => !matches!(first, b'\\' | b'/'),
                _ => false,
            },
        }
    }

    /// Whether `path` is the root of all paths, or of a drive.
    pub fn is_root(self, path: &Text) -> bool {
        match self {
            Self::Unix => path.as_bytes() == b"/",
            Self::Windows => matches!(path.as_bytes(), [drive, b':', b'\\' | b'/'] if drive.is_ascii_alphabetic()),
        }
    }

    /// What a path has between two names.
    pub fn separator(self) -> &'static str {
        match self {
            Self::Unix => "/",
            Self::Windows => "\\",
        }
    }

    /// Whether a byte separates two names of a path.
    pub fn is_separator(self, byte: u8) -> bool {
        match self {
            Self::Unix => byte == b'/',
            Self::Windows => matches!(byte, b'/' | b'\\'),
        }
    }

    /// What tells the name of a variable, of a service or of its files from others: Windows does not look at the case of
    /// letters.
    pub fn distinct(self, name: &str) -> String {
        match self {
            Self::Unix => name.to_owned(),
            Self::Windows => name.to_uppercase(),
        }
    }

    /// The path of `name` in `directory`; a root ends with its separator already.
    pub fn join(self, directory: &Text, name: &str) -> Text {
        let ends = directory.as_bytes().last().is_some_and(|last| self.is_separator(*last));
        directory.with(if ends { "" } else { self.separator() }).with(name)
    }

    /// The last name of a path.
    pub fn file_name(self, path: &Text) -> Text {
        Text::from_bytes(path.as_bytes().rsplit(|byte| self.is_separator(*byte)).next().unwrap_or_default())
    }

    /// `path` without `.`, `..` and doubled separators.
    pub fn normalised(self, path: &Text) -> Text {
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in path.as_bytes().split(|byte| self.is_separator(*byte)) {
            match part {
                b"" | b"." => {}
                b".." => {
                    parts.pop();
                }
                part => parts.push(part),
            }
        }
        match self {
            Self::Unix => Text::from_bytes([b"/", parts.join(&b'/').as_slice()].concat()),
            Self::Windows => Text::from_bytes(parts.join(&b'\\')),
        }
    }

    /// A command as it could be typed at a prompt of this platform.
    pub fn typed(self, words: &[Text]) -> String {
        let words = words.iter().map(|word| match self {
            Self::Unix => for_shell(word),
            Self::Windows => for_windows(word),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// A word as a POSIX shell reads it. A NUL, which no shell can be given, stays as it is: it is for people.
fn for_shell(word: &Text) -> String {
    match shlex::bytes::try_quote(word.as_bytes()) {
        Ok(quoted) => Text::from_bytes(quoted.into_owned()).to_string(),
        Err(_) => word.to_string(),
    }
}

/// A word with quotes where it needs them, by the rule of Microsoft's C runtime. For people to read:
/// what a batch needs besides is the business of the renderer.
fn for_windows(word: &Text) -> String {
    let text = word.to_string();
    if !text.is_empty() && !text.contains([' ', '\t', '"']) {
        return text;
    }
    let mut quoted = String::from("\"");
    let mut backslashes = 0;
    for c in text.chars() {
        if c == '"' {
            quoted.extend(std::iter::repeat_n('\\', backslashes + 1));
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        quoted.push(c);
    }
    quoted.extend(std::iter::repeat_n('\\', backslashes));
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_absolute_in_the_syntax_of_its_platform() {
        for (path, unix, windows) in [
            ("/srv", true, false),
            ("srv", false, false),
            (r"C:\lab", false, true),
            ("C:/lab", false, true),
            ("C:lab", false, false),
            (r"\\server\share", false, true),
            (r"\\\x", false, false),
            (r"\lab", false, false),
        ] {
            let path = Text::from(path);
            assert_eq!((Platform::Unix.is_absolute(&path), Platform::Windows.is_absolute(&path)), (unix, windows));
        }
    }

    #[test]
    fn paths_are_joined_and_normalised() {
        assert_eq!(Platform::Unix.join(&"/".into(), "x"), "/x".into());
        assert_eq!(Platform::Windows.join(&r"C:\".into(), "x"), r"C:\x".into());
        assert_eq!(Platform::Windows.join(&r"C:\lab".into(), "x"), r"C:\lab\x".into());
        assert_eq!(Platform::Unix.normalised(&"/a/./b//../c".into()), "/a/c".into());
        assert_eq!(Platform::Windows.normalised(&r"C:\a/..\b".into()), r"C:\b".into());
    }
}
