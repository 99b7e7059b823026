//! Prose on a terminal: lines that end between words, and go on below the words that they began with.
//!
//! What stands in backticks is never broken, so that it can be copied. A command to type stands on a line of its own,
//! without them.

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};

/// Longer lines are hard to read; it is clap's limit where the width is not known.
pub(super) const WIDEST: usize = 100;
/// How much further in a command stands than the words around it.
const OF_COMMAND: usize = 4;

/// The lines of a text that go on `hang` columns in. Those behind four blanks are another program's, and stay.
///
/// `own_lines`: the commands in it are there to be typed.
pub(super) fn wrapped(text: &str, width: usize, hang: usize, own_lines: bool) -> String {
    let width = width.min(WIDEST);
    // Rows of a table that leave no room beside their first column.
    let hang = if hang > width / 2 { 2 * OF_COMMAND } else { hang };
    let mut out = String::new();
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 && line.starts_with("    ") {
            out += line;
            out.push('\n');
            continue;
        }
        let hang = hang + line.len() - line.trim_start_matches(' ').len();
        let indent = " ".repeat(hang);
        let mut is_first = true;
        for part in parts(line, own_lines) {
            match part {
                Part::Command(command) => out += &format!("{}{command}\n", " ".repeat(hang + OF_COMMAND)),
                Part::Words(words) => {
                    let first = if is_first { "" } else { &*indent };
                    let options = Options::new(width)
                        .initial_indent(first)
                        .subsequent_indent(&indent)
                        .break_words(false)
                        .word_separator(WordSeparator::Custom(words_of))
                        .word_splitter(WordSplitter::NoHyphenation);
                    textwrap::wrap(words, options).iter().for_each(|line| out += &format!("{line}\n"));
                }
            }
            is_first = false;
        }
    }
    out
}

enum Part<'a> {
    Words(&'a str),
    Command(&'a str),
}

/// A line, and the commands in it by themselves.
fn parts(line: &str, own_lines: bool) -> Vec<Part<'_>> {
    let (mut parts, mut begin) = (Vec::new(), 0);
    for (from, to) in spans(line) {
        let command = &line[from + 1..to];
        if own_lines && is_command(command) {
            parts.push(Part::Words(line[begin..from].trim_end()));
            parts.push(Part::Command(command));
            // What separated it from the words behind it is the end of the line now.
            begin = to + 1;
            begin += line[begin..].len() - line[begin..].trim_start_matches([',', ';', ' ']).len();
        }
    }
    parts.push(Part::Words(&line[begin..]));
    parts.retain(|part| !matches!(part, Part::Words("")));
    if parts.is_empty() { vec![Part::Words("")] } else { parts }
}

/// Where backticks stand that belong together.
fn spans(line: &str) -> Vec<(usize, usize)> {
    let ticks: Vec<usize> = line.match_indices('`').map(|(at, _)| at).collect();
    ticks.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

/// Whether this is a command with its arguments.
fn is_command(code: &str) -> bool {
    let Some((program, _)) = code.split_once(' ') else { return false };
    let program = program.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_python =
        program.strip_prefix("python").is_some_and(|rest| rest.chars().all(|c| matches!(c, '0'..='9' | '.')));
    let known = [
        "InstallService",
        "ManageService",
        "install-service",
        "manage-service",
        "chmod",
        "chown",
        "command",
        "coredumpctl",
        "dir",
        "export",
        "file",
        "findmnt",
        "free",
        "getent",
        "journalctl",
        "ldd",
        "loginctl",
        "ls",
        "mkdir",
        "namei",
        "rm",
        "sed",
        "set",
        "setfacl",
        "sudo",
        "systemctl",
    ];
    is_python || known.contains(&program)
}

/// The words of a line: blanks between backticks are no ends of words.
fn words_of(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let spans = spans(line);
    let is_inside = move |at: usize| spans.iter().any(|(from, to)| (*from..*to).contains(&at));
    let (mut words, mut begin, mut was_blank) = (Vec::new(), 0, false);
    for (at, c) in line.char_indices() {
        let is_blank = c == ' ' && !is_inside(at);
        if was_blank && !is_blank {
            words.push(Word::from(&line[begin..at]));
            begin = at;
        }
        was_blank = is_blank;
    }
    words.push(Word::from(&line[begin..]));
    Box::new(words.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words_and_go_on_further_in() {
        let text = "note: one two three four five";
        assert_eq!(wrapped(text, 20, 6, true), "note: one two three\n      four five\n");
        assert_eq!(wrapped(text, 80, 6, true), "note: one two three four five\n");
    }

    #[test]
    fn what_stands_in_backticks_is_not_broken() {
        let text = "error: `a b c d e f g h i j k` is too long";
        assert_eq!(wrapped(text, 20, 2, false), "error:\n  `a b c d e f g h i j k`\n  is too long\n");
    }

    #[test]
    fn a_command_has_a_line_of_its_own() {
        let text = "  help: `sudo /a/b/InstallService --service_name web`, then try again";
        assert_eq!(
            wrapped(text, 30, 6, true),
            "  help:\n            sudo /a/b/InstallService --service_name web\n        then try again\n"
        );
        let text = "note: `web` is there; `ManageService web start` starts it";
        assert_eq!(
            wrapped(text, 80, 6, true),
            "note: `web` is there;\n          ManageService web start\n      starts it\n"
        );
    }

    #[test]
    fn every_command_of_a_diagnosis_is_known_as_one() {
        for command in
            ["sed -i 's/x/y/' f", "mkdir -p /x", "findmnt -T /x", "ls -l /x", "namei -l /x", "getent passwd x"]
        {
            assert!(is_command(command), "{command}");
        }
    }

    #[test]
    fn the_words_of_another_program_stay_as_they_are() {
        let text = "error: running `x`: exit status: 1\n    a very long line of somebody else";
        assert_eq!(wrapped(text, 20, 2, false).lines().last(), Some("    a very long line of somebody else"));
    }

    #[test]
    fn styles_take_no_room() {
        let text = "\u{1b}[1mnote\u{1b}[0m: one two three four";
        assert_eq!(wrapped(text, 19, 6, true), "\u{1b}[1mnote\u{1b}[0m: one two three\n      four\n");
    }
}
