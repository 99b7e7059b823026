//! What the systemd of this host makes of units that it has not read yet (`systemd-analyze verify`).

use std::fs;
use std::path::Path;
use std::rc::Rc;

use crate::error::{Error, Fault};
use crate::host::process;
use crate::host::text::text;
use crate::model::invocation::Invocation;
use crate::model::spec::Scope;
use crate::model::text::Text;

/// What it says of a unit.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    /// The unit.
    unit: String,
    /// The line of the unit that it is about.
    line: Option<String>,
    /// Its words.
    words: String,
    /// Whether it leaves that line out, or does not load the unit.
    refuses: bool,
}

impl Said {
    /// What is at fault, if anything is.
    pub fn fault(&self) -> Option<Fault> {
        let Self { unit, line, words, refuses } = self;
        let fault = |what: String, would: &str| {
            Fault::new(what, format!("the systemd of this host would {would}; nothing was changed\n    {words}"))
        };
        refuses.then(|| match line {
            Some(line) => fault(format!("line `{}` of `{unit}`", line.escape_debug()), "leave it out"),
            None => fault(format!("unit `{unit}`"), "not take it as it is"),
        })
    }
}

/// As a note.
impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "systemd says of `{}`: {}", self.unit, self.words)
    }
}

/// Shows it units by their names and contents, in a directory that is nobody else's.
///
/// # Errors
/// When it cannot be asked.
pub fn verify(units: &[(String, Rc<[u8]>)], scope: Scope) -> Result<Vec<Said>, Error> {
    let failed = |source| Error::io("writing", &text(std::env::temp_dir()), source);
    // Only its owner may enter it.
    let folder = tempfile::tempdir().map_err(failed)?;
    // As it stands in the answer.
    let place = folder.path().canonicalize().map_err(failed)?;
    let mut words: Vec<Text> = ["systemd-analyze", "verify", "--man=no"].map(Text::from).to_vec();
    words.extend(match scope {
        Scope::System => None,
        Scope::User => Some("--user".into()),
    });
    for (name, contents) in units {
        let path = place.join(name);
        fs::write(&path, contents).map_err(failed)?;
        words.push(text(path));
    }
    Ok(read(&process::ask(&Invocation(words), &[])?.errors(), &place, units))
}

/// What is said of the units in an answer: others that they need are read, too.
fn read(answer: &str, folder: &Path, units: &[(String, Rc<[u8]>)]) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    for line in answer.lines() {
        for (unit, contents) in units {
            if let Some(one) = about_line(line, &folder.join(unit).to_string_lossy(), unit, contents)
                .or_else(|| about_unit(line, unit))
                // What a line is refused for stands there already.
                .filter(|one| {
                    one.line.is_some()
                        || !one.is_summary()
                        || said.iter().all(|earlier| !earlier.refuses || earlier.unit != *unit)
                })
            {
                said.push(one);
            }
        }
    }
    said
}

impl Said {
    /// Whether it says no more than that there was something.
    fn is_summary(&self) -> bool {
        SUMMARIES.iter().any(|words| self.words.contains(words))
    }
}

/// `PATH:LINE: WORDS`, or before version 243 `[PATH:LINE] WORDS` (`log_syntax_internal` in `src/basic/log.c`).
fn about_line(line: &str, path: &str, unit: &str, contents: &[u8]) -> Option<Said> {
    let rest = line.trim_start_matches('[').strip_prefix(path)?.strip_prefix(':')?;
    let (number, words) = rest.split_once([':', ']'])?;
    let number: usize = number.parse().ok()?;
    let words = words.trim().to_owned();
    let refuses = !HARMLESS.iter().any(|start| words.starts_with(start)) && says_one_of(&words, &LEFT_OUT);
    let contents = String::from_utf8_lossy(contents);
    let line = contents.lines().nth(number.checked_sub(1)?).unwrap_or_default().to_owned();
    Some(Said { unit: unit.to_owned(), line: Some(line), words, refuses })
}

/// `UNIT: WORDS`, and what comes of a unit that it does not load.
fn about_unit(line: &str, unit: &str) -> Option<Said> {
    // Of a template systemd reads an instance.
    let instance = unit.strip_suffix("@.service").and_then(|template| {
        let end = line.strip_prefix(template)?.strip_prefix('@')?.find(".service")?;
        Some(format!("{template}@{}.service", &line[template.len() + 1..template.len() + 1 + end]))
    });
    let unit = instance.as_deref().unwrap_or(unit);
    let words = match line.strip_prefix(unit).and_then(|rest| rest.strip_prefix(": ")) {
        Some(words) => words,
        None if line.contains(&format!("nit {unit} has a bad unit file setting")) => line,
        None => return None,
    };
    let refuses = says_one_of(words, &NOT_LOADED) || says_one_of(words, &SUMMARIES);
    Some(Said { unit: unit.to_owned(), line: None, words: words.to_owned(), refuses })
}

fn says_one_of(words: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| words.contains(part))
}

/// What it says of a line that it cannot use (`src/core/load-fragment.c`, `src/shared/conf-parser.c`).
const LEFT_OUT: [&str; 13] = [
    "gnoring",
    "gnored",
    "Failed to",
    "nvalid",
    "Unknown",
    "Cannot ",
    "Neither a valid",
    "nbalanced",
    "not absolute",
    "too long",
    "not supported",
    "no effect",
    "efus",
];

/// What begins a warning of a line that it takes all the same.
const HARMLESS: [&str; 5] = [
    "Ignoring unknown escape sequence",
    "Special user ",
    "Standard output type ",
    "Unit uses ",
    "Unit configured to use ",
];

/// What it says of a unit that it does not load, or of which a line counts for nothing (`service_verify` in
/// `src/core/service.c`, `unit_load` in `src/core/unit.c`).
const NOT_LOADED: [&str; 3] = ["efusing", "gnoring", "no effect"];

/// What it says of the unit after it has said more of it.
const SUMMARIES: [&str; 2] = ["has fatal error", "has a bad unit file setting"];

// Paths as systemd writes them.
#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const UNIT: &[u8] = b"[Service]\nExecStart=/bin/true\nKillMode=none\nPersonality=x\n";

    fn read_of(answer: &str) -> Vec<Said> {
        read(answer, Path::new("/tmp/x"), &[("web.service".to_owned(), UNIT.into())])
    }

    fn faults(answer: &str) -> Vec<String> {
        read_of(answer).iter().filter_map(Said::fault).map(|fault| fault.to_string()).collect()
    }

    #[test]
    fn a_line_that_it_leaves_out_is_a_fault() {
        let wanted = "line `Personality=x` of `web.service`: the systemd of this host would leave it out; nothing was changed\n    \
                      Failed to parse personality, ignoring: x";
        for answer in [
            "/tmp/x/web.service:4: Failed to parse personality, ignoring: x\n",
            "[/tmp/x/web.service:4] Failed to parse personality, ignoring: x\n",
        ] {
            assert_eq!(faults(answer), [wanted]);
        }
    }

    #[test]
    fn a_unit_that_it_does_not_load_is_a_fault() {
        let answer = "web.service: Service is of type D-Bus but no D-Bus service name has been specified. Refusing.\n\
                      Unit web.service has a bad unit file setting.\n";
        assert_eq!(
            faults(answer),
            ["unit `web.service`: the systemd of this host would not take it as it is; nothing was changed\n    \
              Service is of type D-Bus but no D-Bus service name has been specified. Refusing."]
        );
        // Where it says no more.
        assert_eq!(
            faults("Failed to create web.service/start: Unit web.service has a bad unit file setting.\n").len(),
            1
        );
        assert_eq!(faults("web.service: Unit configuration has fatal error, unit will not be started.\n").len(), 1);
    }

    #[test]
    fn advice_is_a_note_and_other_units_are_no_matter() {
        let answer = "/tmp/x/web.service:3: Unit uses KillMode=none. This is unsafe, ...\n\
                      web.service: Command /no/such is not executable: No such file or directory\n\
                      /lib/systemd/system/other.service:9: Unknown key name 'X' in section 'Service', ignoring.\n\
                      other.service: Service has no ExecStart=. Refusing.\n\
                      Unit other.service has a bad unit file setting.\n";
        let said = read_of(answer);
        assert_eq!(faults(answer), [""; 0]);
        assert_eq!(
            said.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "systemd says of `web.service`: Unit uses KillMode=none. This is unsafe, ...",
                "systemd says of `web.service`: Command /no/such is not executable: No such file or directory",
            ]
        );
    }
}
