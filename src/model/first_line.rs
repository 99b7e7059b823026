//! [`FirstLine`]: what the first line of a script has the kernel start, and `env` in its place.

use super::platform::Platform;
use super::text::Text;

/// What some editors of Windows put in front of a text of UTF-8. It is no blank, so a `#!` behind it is none.
pub const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How many scripts may be the interpreters of each other (`exec_binprm` in `fs/exec.c` of Linux).
pub const DEEPEST: usize = 5;

/// The first line of a script, behind its `#!` (execve(2), "Interpreter scripts").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstLine {
    /// The interpreter, as it is written there; empty where the line ends behind `#!`.
    pub interpreter: Text,
    /// The rest of the line, which is one argument.
    pub argument: Option<Text>,
}

/// What a first line, or a command line, starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Starts {
    /// The file of this path.
    File(Text),
    /// The program of this name, wherever PATH has it.
    Named(Text),
}

impl FirstLine {
    /// The first line of a file that begins with `start`, if it is one of a script.
    ///
    /// The kernel takes blanks and tabs away at both ends, and a carriage return for a letter (`load_script` in
    /// `fs/binfmt_script.c`).
    pub fn of(start: &[u8]) -> Option<Self> {
        let rest = trimmed(start.split(|byte| *byte == b'\n').next()?.strip_prefix(b"#!")?);
        let end = rest.iter().position(|byte| is_blank(*byte)).unwrap_or(rest.len());
        let argument = trimmed(&rest[end..]);
        Some(Self {
            interpreter: Text::from_bytes(&rest[..end]),
            argument: (!argument.is_empty()).then(|| Text::from_bytes(argument)),
        })
    }

    /// Whether it ends with a carriage return, which belongs to a name then.
    pub fn ends_as_on_windows(&self) -> bool {
        self.argument.as_ref().unwrap_or(&self.interpreter).as_bytes().ends_with(b"\r")
    }

    /// The words that `env` takes for one name, because no `-S` in front of them says that they are several (env(1)).
    pub fn one_name(&self) -> Option<&Text> {
        let words = self.argument.as_ref().filter(|_| is_env(&self.interpreter))?;
        let is_several = words.as_bytes().iter().any(|byte| is_blank(*byte));
        (is_several && !words.as_bytes().starts_with(b"-")).then_some(words)
    }

    /// What it starts, or would without a carriage return at its end; nothing where that cannot be.
    pub fn starts(&self) -> Option<Starts> {
        let interpreter = without_return(&self.interpreter);
        if interpreter.is_empty() || self.one_name().is_some() {
            return None;
        }
        match is_env(&interpreter) {
            true => named_by_env(self.argument.iter().map(without_return)).map(Starts::Named),
            false => Some(Starts::File(interpreter)),
        }
    }
}

/// Whether a program is `env`, which looks for another one on PATH.
pub fn is_env(program: &Text) -> bool {
    Platform::Unix.file_name(program).as_bytes() == b"env"
}

/// The program that `env` starts by its name: behind its options and the variables that it sets (env(1)).
pub fn named_by_env(words: impl IntoIterator<Item = Text>) -> Option<Text> {
    let mut rest: Vec<String> = words.into_iter().filter_map(|word| word.as_str().map(str::to_owned)).collect();
    rest.reverse();
    while let Some(word) = rest.pop() {
        let split = ["-S", "-vS", "--split-string="].into_iter().find_map(|option| word.strip_prefix(option));
        match split {
            Some(words) => rest.extend(words.split_ascii_whitespace().rev().map(str::to_owned)),
            None if word == "--split-string" => {
                let words = rest.pop()?;
                rest.extend(words.split_ascii_whitespace().rev().map(str::to_owned));
            }
            // What they change is a word of its own.
            None if ["-u", "--unset", "-C", "--chdir", "-a", "--argv0"].contains(&&*word) => drop(rest.pop()),
            None if word.is_empty() || word.starts_with('-') || word.contains('=') => {}
            None => return (!word.contains('/')).then(|| word.into()),
        }
    }
    None
}

fn without_return(word: &Text) -> Text {
    Text::from_bytes(word.as_bytes().strip_suffix(b"\r").unwrap_or(word.as_bytes()))
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_blank(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_blank(*last)
    {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn line(start: &str) -> FirstLine {
        FirstLine::of(start.as_bytes()).unwrap_or_else(|| panic!("{start:?}"))
    }

    #[test]
    fn a_line_has_an_interpreter_and_one_argument() {
        for (start, interpreter, argument) in [
            ("#!/bin/sh\n", "/bin/sh", None),
            ("#! /usr/bin/python3 -u -B \nx", "/usr/bin/python3", Some("-u -B")),
            ("#!\t/bin/sh\t-e\t", "/bin/sh", Some("-e")),
            ("#!/bin/sh\r\nexit\r\n", "/bin/sh\r", None),
            ("#!", "", None),
        ] {
            let FirstLine { interpreter: found, argument: rest } = line(start);
            assert_eq!((found.to_string(), rest), (Text::from(interpreter).to_string(), argument.map(Text::from)));
        }
        for start in ["", "echo", " #!/bin/sh", "\u{feff}#!/bin/sh"] {
            assert_eq!(FirstLine::of(start.as_bytes()), None, "{start:?}");
        }
    }

    #[test]
    fn what_it_starts_is_a_file_or_a_name_on_path() {
        let named = |name: &str| Some(Starts::Named(name.into()));
        for (start, starts) in [
            ("#!/bin/sh -e", Some(Starts::File("/bin/sh".into()))),
            ("#!/bin/sh\r", Some(Starts::File("/bin/sh".into()))),
            ("#!", None),
            ("#!/usr/bin/env node", named("node")),
            ("#!/usr/bin/env node\r", named("node")),
            ("#!/usr/bin/env -S node --flag", named("node")),
            ("#!/usr/bin/env -Snode", named("node")),
            ("#!/usr/bin/env -S A=b node", named("node")),
            ("#!/usr/bin/env -S -u FOO python3", named("python3")),
            ("#!/usr/bin/env -S -i -C /srv python3", named("python3")),
            // All of it is one name, and none that is there.
            ("#!/usr/bin/env python3 -u", None),
            ("#!/usr/bin/env -i", None),
            ("#!/usr/bin/env /opt/x", None),
        ] {
            assert_eq!(line(start).starts(), starts, "{start}");
        }
        assert_eq!(line("#!/usr/bin/env python3 -u").one_name(), Some(&"python3 -u".into()));
        assert_eq!(line("#!/usr/bin/python3 -u -B").one_name(), None);
    }

    #[test]
    fn the_words_of_a_command_line_are_several_already() {
        let words = |words: &[&str]| named_by_env(words.iter().map(|word| Text::from(*word)));
        assert_eq!(words(&["-u", "FOO", "A=b", "node", "x"]), Some("node".into()));
        assert_eq!(words(&["--split-string", "node x"]), Some("node".into()));
        assert_eq!(words(&["--unset"]), None);
    }

    #[test]
    fn a_carriage_return_is_seen() {
        assert!(line("#!/bin/sh\r").ends_as_on_windows());
        assert!(line("#!/usr/bin/env python3\r\n").ends_as_on_windows());
        assert!(!line("#!/usr/bin/env python3\n").ends_as_on_windows());
    }
}
