//! Reads a unit file as systemd does (`config_parse` in its `src/shared/conf-parser.c`, `read_line` in
//! `src/basic/fileio.c`), and keeps what it passes over: comments, lines that it ignores, and where each stands.

use std::fmt;

/// The longest line, also one that backslashes have joined (`LONG_LINE_MAX` in `src/basic/fileio.h`).
const LONGEST: usize = 1 << 20;
/// What is trimmed, and what separates words (`WHITESPACE` in `src/basic/string-util.h`).
pub(super) const BLANKS: [char; 4] = [' ', '\t', '\n', '\r'];
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// What a unit is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Service,
    Timer,
}

impl Kind {
    /// Its sections (`service_vtable` in `src/core/service.c`, `timer_vtable` in `timer.c`), each with what a manifest
    /// calls it.
    fn sections(self) -> [(&'static str, &'static str); 3] {
        match self {
            Self::Service => [("Unit", "Unit"), ("Service", "Service"), ("Install", "Install")],
            Self::Timer => [("Unit", "Timer.Unit"), ("Timer", "Timer"), ("Install", "Install")],
        }
    }

    fn has_no_section(self) -> &'static str {
        match self {
            Self::Service => "a service has no such section",
            Self::Timer => "a timer has no such section",
        }
    }

    fn has_no_section_around(self) -> &'static str {
        match self {
            Self::Service => "it stands in a section that services do not have",
            Self::Timer => "it stands in a section that timers do not have",
        }
    }
}

/// Where a line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// The file, as it was called.
    pub file: String,
    /// The first line, counted from one.
    pub line: usize,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A directive and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// `Unit`, `Service` or `Install`; of a timer `Timer.Unit`, `Timer` or `Install`.
    pub section: String,
    /// The directive.
    pub name: String,
    /// What stands behind the `=`, without outer blanks and with continued lines joined.
    pub value: String,
    /// Where it stands.
    pub at: At,
    /// The comments in front of it, without the character that makes them one.
    pub comments: Vec<String>,
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

/// A line that systemd does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Where it stands.
    pub at: At,
    /// The line.
    pub line: String,
    /// Why it counts for nothing.
    pub why: &'static str,
}

/// A file of a unit: its own, or a drop-in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitFile {
    /// The comments at the beginning.
    pub head: Vec<String>,
    /// The directives, in order.
    pub assignments: Vec<Assignment>,
    /// Lines that systemd ignores.
    pub ignored: Vec<Passed>,
    /// The line at which systemd gives the file up. A unit with such a line is not loaded; of a drop-in what stands
    /// before counts (`unit_load_dropin` in `src/core/load-dropin.c`).
    pub broken: Option<Passed>,
}

impl UnitFile {
    /// Reads what `file`, which is of a service, has in it.
    pub fn read(file: &str, contents: &[u8]) -> Self {
        Self::read_as(Kind::Service, file, contents)
    }

    /// Reads what `file`, which is of a timer, has in it.
    pub fn of_timer(file: &str, contents: &[u8]) -> Self {
        Self::read_as(Kind::Timer, file, contents)
    }

    fn read_as(kind: Kind, file: &str, contents: &[u8]) -> Self {
        let (found, comments) = (Self::default(), Vec::new());
        let mut reader = Reader { kind, file, found, comments, section: In::Nothing, begun: false };
        if let Err(passed) = reader.read(contents) {
            reader.found.broken = Some(passed);
        }
        reader.found
    }
}

/// Which section lines are in.
enum In {
    Nothing,
    Known(&'static str),
    /// One that such a unit does not have.
    Unknown,
}

struct Reader<'a> {
    kind: Kind,
    file: &'a str,
    found: UnitFile,
    comments: Vec<String>,
    section: In,
    /// Whether there was anything but comments.
    begun: bool,
}

impl Reader<'_> {
    fn read(&mut self, contents: &[u8]) -> Result<(), Passed> {
        let mut joined: Option<(usize, Vec<u8>)> = None;
        let mut mark_seen = false;
        for (index, line) in PhysicalLines(contents).enumerate() {
            let number = index + 1;
            if line.len() >= LONGEST {
                return Err(self.passed(number, &line[..60], "the line is longer than 1 MiB"));
            }
            let text =
                line.iter().position(|byte| !BLANKS.contains(&char::from(*byte))).map_or(&[][..], |at| &line[at..]);
            if let [b'#' | b';', comment @ ..] = text {
                self.comments.push(String::from_utf8_lossy(comment).trim_end().to_owned());
                continue;
            }
            if text.is_empty() && joined.is_none() && !self.begun {
                self.comments_are_head();
            }
            let line = match line.strip_prefix(BYTE_ORDER_MARK) {
                Some(rest) if !mark_seen => {
                    mark_seen = true;
                    rest
                }
                _ => line,
            };
            let (first, mut whole) = joined.take().unwrap_or((number, Vec::new()));
            if whole.len() + line.len() > LONGEST {
                return Err(self.passed(first, &whole[..60.min(whole.len())], "the line is longer than 1 MiB"));
            }
            whole.extend_from_slice(line);
            // What was joined before ends in a blank, which escapes nothing.
            let is_continued = line.iter().fold(false, |escaped, byte| !escaped && *byte == b'\\');
            if is_continued {
                whole.pop();
                whole.push(b' ');
                joined = Some((first, whole));
                continue;
            }
            self.line(first, &whole)?;
        }
        match joined {
            Some((first, whole)) => self.line(first, &whole),
            None => Ok(()),
        }
    }

    fn line(&mut self, number: usize, line: &[u8]) -> Result<(), Passed> {
        let Some(line) = plain(line) else {
            return Err(self.passed(number, line, "it is not UTF-8"));
        };
        let line = line.trim_matches(BLANKS);
        if line.is_empty() {
            return Ok(());
        }
        if !self.begun {
            self.begun = true;
            if line.starts_with('[') {
                self.comments_are_head();
            }
        }
        let passed = |why: &'static str| Passed { at: self.at(number), line: line.to_owned(), why };
        if let Some(rest) = line.strip_prefix('[') {
            let Some(name) = rest.strip_suffix(']') else {
                return Err(passed("the header of a section must end in `]`"));
            };
            // `string_is_safe` in `src/basic/string-util.c`.
            if name.chars().any(|c| c.is_ascii_control() || "\"'\\".contains(c)) {
                return Err(passed("the header of a section must be plain text"));
            }
            self.section = match self.kind.sections().into_iter().find(|(known, _)| *known == name) {
                Some((_, called)) => In::Known(called),
                None => {
                    let passed = passed(self.kind.has_no_section());
                    self.found.ignored.push(passed);
                    In::Unknown
                }
            };
            return Ok(());
        }
        let section = match self.section {
            In::Known(section) => section,
            In::Unknown => {
                let passed = passed(self.kind.has_no_section_around());
                self.found.ignored.push(passed);
                return Ok(());
            }
            In::Nothing => {
                let passed = passed("it stands before the first section");
                self.found.ignored.push(passed);
                return Ok(());
            }
        };
        match line.split_once('=') {
            None => {
                let passed = passed("it has no `=`");
                self.found.ignored.push(passed);
            }
            Some(("", _)) => {
                let passed = passed("nothing stands before its `=`");
                self.found.ignored.push(passed);
            }
            Some((name, value)) => {
                let comments = std::mem::take(&mut self.comments);
                self.found.assignments.push(Assignment {
                    section: section.to_owned(),
                    name: name.trim_matches(BLANKS).to_owned(),
                    value: value.trim_matches(BLANKS).to_owned(),
                    at: self.at(number),
                    comments,
                });
            }
        }
        Ok(())
    }

    fn comments_are_head(&mut self) {
        self.found.head.append(&mut self.comments);
    }

    fn at(&self, line: usize) -> At {
        At { file: self.file.to_owned(), line }
    }

    fn passed(&self, number: usize, line: &[u8], why: &'static str) -> Passed {
        Passed { at: self.at(number), line: String::from_utf8_lossy(line).trim().to_owned(), why }
    }
}

/// Text that systemd calls UTF-8 (`utf8_is_valid` in `src/basic/utf8.c`).
fn plain(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line).ok().filter(|text| !text.chars().any(crate::model::name::is_noncharacter))
}

/// Lines as `read_line_full` gives them: one ends at any run of line feed, carriage return and NUL that has none of them
/// twice, and a NUL ends the run.
struct PhysicalLines<'a>(&'a [u8]);

impl<'a> Iterator for PhysicalLines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r' | b'\0');
        let length = self.0.iter().position(is_end).unwrap_or(self.0.len());
        let (line, mut rest) = self.0.split_at(length);
        let mut seen = Vec::new();
        while let [byte, behind @ ..] = rest
            && is_end(byte)
            && !seen.contains(byte)
            && !seen.contains(&b'\0')
        {
            seen.push(*byte);
            rest = behind;
        }
        self.0 = rest;
        Some(line)
    }
}

/// The files in what `systemctl cat` prints, each with its path: the unit's own, then the drop-ins. Nothing where the text
/// is no such thing.
pub fn of_cat(text: &[u8]) -> Option<Vec<(String, &[u8])>> {
    let header = |line: &[u8]| {
        let path = std::str::from_utf8(line.strip_prefix(b"# ")?).ok()?.trim_end();
        (path.starts_with('/') && !path.contains(char::is_whitespace)).then(|| path.to_owned())
    };
    let is_drop_in = |path: &str| {
        let mut parts = path.rsplit('/');
        parts.next().is_some_and(|file| file.ends_with(".conf")) && parts.next().is_some_and(|of| of.ends_with(".d"))
    };
    let mut files: Vec<(String, &[u8])> = Vec::new();
    let (mut at, mut begun, mut was_blank) = (0, 0, true);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let found = header(line).filter(|path| match files.is_empty() {
            true => at == 0 && path.ends_with(".service"),
            false => was_blank && is_drop_in(path),
        });
        if let Some(path) = found {
            if let Some(last) = files.last_mut() {
                last.1 = &text[begun..at];
            }
            begun = at + line.len();
            files.push((path, &text[begun..]));
        } else if at == 0 {
            return None;
        }
        was_blank = line.trim_ascii().is_empty();
        at += line.len();
    }
    (!files.is_empty()).then_some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(contents: &[u8]) -> Vec<String> {
        let file = UnitFile::read("u", contents);
        let of = |assignment: &Assignment| format!("{} {}.{assignment}", assignment.at.line, assignment.section);
        file.assignments.iter().map(of).collect()
    }

    fn ignored(contents: &[u8]) -> Vec<String> {
        let file = UnitFile::read("u", contents);
        file.ignored.iter().chain(&file.broken).map(|Passed { at, line, why }| format!("{at}: {line}: {why}")).collect()
    }

    #[test]
    fn lines_are_those_of_systemd() {
        assert_eq!(said(b"[Unit]\nA=1\n [Service] \n B = 2 \n"), ["2 Unit.A=1", "4 Service.B=2"]);
        // Line ends of every kind, and none at the end.
        assert_eq!(said(b"\xEF\xBB\xBF[Unit]\r\nA=1\rB=2\n\rC=3"), ["2 Unit.A=1", "3 Unit.B=2", "4 Unit.C=3"]);
        assert_eq!(said(b"[Unit]\nA=1\n\nB=2"), ["2 Unit.A=1", "4 Unit.B=2"]);
        assert_eq!(said(b"[Unit]\nA=1\0\nB=2"), ["2 Unit.A=1", "4 Unit.B=2"]);
    }

    #[test]
    fn a_backslash_at_the_end_joins_lines_also_around_comments() {
        assert_eq!(
            said(b"[Service]\nX=a \\\n  # no\n; no\n  b\\\nc\nY=1\n"),
            ["2 Service.X=a    b c", "7 Service.Y=1"]
        );
        assert_eq!(said(b"[Service]\nX=a\\\\\nY=1\n"), ["2 Service.X=a\\\\", "3 Service.Y=1"]);
        assert_eq!(said(b"[Service]\nX=a\\"), ["2 Service.X=a"]);
        assert_eq!(said(b"[Service]\nX=a\\\n\nY=1"), ["2 Service.X=a", "4 Service.Y=1"]);
    }

    #[test]
    fn what_systemd_passes_over_is_named() {
        assert_eq!(
            ignored(b"A=1\n[Unit]\nnothing\n=x\n[X-Tool]\nB=2\n[Service]\nC=3\n"),
            [
                "u:1: A=1: it stands before the first section",
                "u:3: nothing: it has no `=`",
                "u:4: =x: nothing stands before its `=`",
                "u:5: [X-Tool]: a service has no such section",
                "u:6: B=2: it stands in a section that services do not have",
            ]
        );
    }

    #[test]
    fn what_ends_the_file_for_systemd_is_named() {
        assert_eq!(ignored(b"[Unit]\nA=\xff\nB=1\n"), ["u:2: A=\u{FFFD}: it is not UTF-8"]);
        assert_eq!(ignored(b"[Unit]\nA=\xEF\xBF\xBE\n"), ["u:2: A=\u{FFFE}: it is not UTF-8"]);
        assert_eq!(ignored(b"[Unit\nA=1\n"), ["u:1: [Unit: the header of a section must end in `]`"]);
        assert_eq!(said(b"[Unit]\nB=1\n[Unit\nA=1\n"), ["2 Unit.B=1"]);
        let long = [b"[Unit]\nA=".as_slice(), &b"x".repeat(LONGEST)].concat();
        assert!(UnitFile::read("u", &long).broken.is_some());
    }

    #[test]
    fn comments_are_kept_where_they_stand() {
        let file = UnitFile::read("u", b"# head\n;more\n\n# of a\n[Unit]\n# of b\n\n  #of c\nA=1\nB=2\n");
        assert_eq!(file.head, [" head", "more", " of a"]);
        assert_eq!(
            (&file.assignments[0].comments[..], file.assignments[1].comments.len()),
            (&[" of b".to_owned(), "of c".to_owned()][..], 0)
        );
    }

    #[test]
    fn what_systemctl_cat_prints_is_told_apart() {
        let cat = b"# /lib/systemd/system/x.service\n[Unit]\nA=1\n\n# /etc/hosts\n[Service]\n\n\
                    # /etc/systemd/system/x.service.d/a.conf\n[Service]\nB=1\n";
        let files = of_cat(cat).unwrap();
        assert_eq!(files.len(), 2);
        assert_eq!(
            files[0],
            ("/lib/systemd/system/x.service".into(), &b"[Unit]\nA=1\n\n# /etc/hosts\n[Service]\n\n"[..])
        );
        assert_eq!(files[1], ("/etc/systemd/system/x.service.d/a.conf".into(), &b"[Service]\nB=1\n"[..]));
        assert_eq!(of_cat(b"[Unit]\n# /lib/systemd/system/x.service\n"), None);
        assert_eq!(of_cat(b""), None);
    }
}
