//! What a unit says, in the words of a manifest: by a key where there is one that means exactly that, else in the
//! `systemd` table.

use indexmap::IndexMap;

use super::merged::{Name, Said, Unit};
use super::secrets;
use super::unit_file::{Assignment, At, Passed};
use super::words;
use crate::manifest::{Request, Setting, Time};
use crate::model::name::{EnvName, OneLine, UnitName};
use crate::model::span::Span;
use crate::model::spec::Restart;
use crate::model::systemd_table::{Grammar, KnownDirective, Takes};
use crate::model::text::Text;
use crate::model::word::Word;
use crate::render::escape::{Account, EnvAssignment, GlobPath, RawPath};

/// What is known of a service beside its unit.
#[derive(Clone, Debug, Default)]
pub struct About {
    /// Its name, without `.service`.
    pub name: String,
    /// Whether it is a user's own.
    pub user: bool,
    /// Whether it is started at boot, where that is known: it is, if its [Install] says so and nobody has disabled it.
    pub is_enabled: Option<bool>,
}

/// A line of the original that the manifest does not say, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Where it stands; nothing for what is ours.
    pub at: Option<At>,
    /// The line.
    pub line: String,
    /// Why it is not said.
    pub why: String,
    /// What can be done.
    pub help: Option<String>,
}

/// What is worth saying of a line though nothing is lost by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Where it stands.
    pub at: At,
    /// What is said of it.
    pub said: String,
    /// What can be done.
    pub help: Option<String>,
    /// Whether it is about a value that looks like a secret.
    pub is_of_secret: bool,
}

/// A unit in the words of a manifest.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// The service.
    pub request: Request,
    /// The comments at the beginning of the unit.
    pub head: Vec<String>,
    /// The comments in front of each key; those of an entry of a table stand at `TABLE.KEY`.
    pub comments: IndexMap<String, Vec<String>>,
    /// What is not said.
    pub losses: Vec<Loss>,
    /// What is worth saying besides.
    pub remarks: Vec<Remark>,
}

/// The word that starts a service at boot.
fn at_boot_target(user: bool) -> &'static str {
    if user { "default.target" } else { "multi-user.target" }
}

impl Taken {
    /// A unit in the words of a manifest.
    pub fn of(unit: &Unit, about: &About) -> Self {
        let mut taken = Self { head: unit.head.clone(), ..Self::default() };
        taken.request.name = Some(about.name.clone());
        taken.request.plain = Some(true);
        taken.request.user = about.user.then_some(true);
        for Passed { at, line, why } in &unit.ignored {
            let said = format!("`{}` is left out: systemd ignores it, because {why}", shown(line));
            taken.remarks.push(Remark { at: at.clone(), said, help: None, is_of_secret: false });
        }
        let all = unit.said();
        let can_be_enabled = all.iter().any(|said| said.name.section == "Install" && !said.lines.is_empty());
        if can_be_enabled && about.is_enabled == Some(false) {
            taken.request.at_boot = Some(false);
        }
        for said in &all {
            for (line, fault) in &said.refused {
                taken.losses.push(Loss {
                    at: Some(line.at.clone()),
                    line: shown(&line.to_string()),
                    why: fault.reason.clone(),
                    help: fault.help.clone(),
                });
            }
            match &said.known {
                Err(fault) => taken.losses.extend(said.lines.iter().map(|line| Loss {
                    at: Some(line.at.clone()),
                    line: shown(&line.to_string()),
                    why: fault.reason.clone(),
                    help: fault.help.clone(),
                })),
                Ok(_) if said.lines.is_empty() => {}
                Ok(directive) => taken.take(said, *directive, &all),
            }
        }
        for (line, name) in secrets::likely(unit) {
            taken.remarks.push(Remark {
                at: line.at.clone(),
                said: format!("the value of `{name}` looks like a secret, and every user of the host can read it"),
                help: Some(format!(
                    "take it out of the manifest and write `secrets = [\"{name}\"]`: its value is asked for then, and \
                     kept in a file of mode 0600"
                )),
                is_of_secret: true,
            });
        }
        taken
    }

    /// What systemd has said of a line that it ignores: that it is not said again loses nothing.
    pub fn ignored_by_systemd(&mut self, at: &At, words: &str) {
        self.losses.retain(|loss| {
            let is_it = loss.at.as_ref() == Some(at);
            if is_it {
                let said = format!("`{}` is left out: {words}", loss.line);
                self.remarks.push(Remark { at: at.clone(), said, help: None, is_of_secret: false });
            }
            !is_it
        });
    }

    fn take(&mut self, said: &Said<'_>, directive: KnownDirective, all: &[Said<'_>]) {
        let key = match self.by_key(said, all) {
            Some(key) => key,
            None => self.by_table(said, directive),
        };
        if said.name != ENVIRONMENT || key != "environment" {
            let comments = said.lines.iter().flat_map(|line| line.comments.iter().cloned());
            self.comments.entry(key).or_default().extend(comments);
        }
    }

    /// By a key of its own, if that means the same.
    fn by_key(&mut self, said: &Said<'_>, all: &[Said<'_>]) -> Option<String> {
        let Name { section, name } = said.name;
        let values: Vec<&str> = said.lines.iter().map(|line| line.value.as_str()).collect();
        let last = *values.last()?;
        let request = &mut self.request;
        match (section, name) {
            ("Service", "ExecStart") => {
                request.command = values.iter().map(|value| one_line(value)).collect();
                return Some("command".into());
            }
            ("Unit", "Description") => {
                last.parse::<OneLine>().ok().filter(|line| line.as_str() == last)?;
                request.description = Some(without_specifiers(last)?);
                return Some("description".into());
            }
            ("Service", "User") => {
                let account = without_specifiers(last)?;
                Account::new(&account).ok().filter(|said| said.to_string() == last)?;
                request.account = Some(account);
                return Some("account".into());
            }
            ("Service", "WorkingDirectory") => {
                let path = Text::from(without_specifiers(last)?);
                RawPath::directory(&path).ok().filter(|said| said.to_string() == last && last.starts_with('/'))?;
                request.working_directory = Some(path);
                return Some("working_directory".into());
            }
            ("Service", "Environment") => return self.environment(said),
            ("Service", "EnvironmentFile") => {
                let [value] = values[..] else { return None };
                let (path, optional) = value.strip_prefix('-').map_or((value, false), |path| (path, true));
                let path = Text::from(without_specifiers(path)?);
                let said = GlobPath::new(&path).ok()?.to_string();
                (path.as_bytes().starts_with(b"/") && value.strip_prefix('-').unwrap_or(value) == said).then_some(())?;
                let mark = if optional { Text::from("-") } else { Text::default() };
                request.environment_file = Some(Text::from_bytes([mark.as_bytes(), path.as_bytes()].concat()));
                return Some("environment_file".into());
            }
            ("Service", "Restart") => {
                let restart = Restart::WORDS.iter().find(|(word, _)| *word == last)?.1;
                let word = Restart::WORDS.iter().find(|(_, other)| *other == restart)?.0;
                request.restart = Some(word.to_owned());
                return Some("restart".into());
            }
            ("Service", "RestartSec") => {
                request.restart_sec = Some(time(last)?);
                return Some("restart_sec".into());
            }
            ("Service", "TimeoutStopSec") => {
                // What sets this limit and another one is in the table, where the order of the two counts.
                let is_alone = values.len() == 1 && all.iter().all(|said| said.name.name != "TimeoutSec");
                // 0 is no limit for systemd, and no time at all for a manifest.
                let span = last.parse::<Span>().ok().filter(|span| is_alone && *span != Span::seconds(0));
                span?;
                request.stop_timeout = Some(time(last)?);
                return Some("stop_timeout".into());
            }
            ("Install", "WantedBy") if request.at_boot.is_none() => {
                let target = at_boot_target(request.user == Some(true));
                values.iter().all(|value| value.split_whitespace().all(|word| word == target)).then_some(())?;
                request.at_boot = Some(true);
                return Some("at_boot".into());
            }
            _ => {}
        }
        let list = match (section, name) {
            ("Unit", "After") => &mut request.after,
            ("Unit", "Before") => &mut request.before,
            ("Unit", "Requires") => &mut request.requires,
            ("Unit", "Wants") => &mut request.wants,
            _ => return None,
        };
        let words = values.iter().flat_map(|value| value.split_whitespace());
        let is_plain = |word: &str| word.parse::<UnitName>().is_ok_and(|unit| unit.as_str() == word);
        words.clone().all(is_plain).then_some(())?;
        *list = words.map(str::to_owned).collect();
        Some(name.to_lowercase())
    }

    /// The variables of all lines, if every one is said again as it is.
    fn environment(&mut self, said: &Said<'_>) -> Option<String> {
        let mut variables: IndexMap<String, Text> = IndexMap::new();
        let mut comments: Vec<(String, Vec<String>)> = Vec::new();
        for line in &said.lines {
            let mut above = Some(&line.comments);
            for word in words::split(&line.value)? {
                let word = without_specifiers(&word)?;
                let (name, value) = word.split_once('=')?;
                let variable: EnvName = name.parse().ok()?;
                let value = Text::from(value);
                EnvAssignment::new(&variable, &value).ok().filter(|_| variable.is_identifier())?;
                variables.insert(name.to_owned(), value);
                comments.extend(above.take().map(|lines| (format!("environment.{name}"), lines.clone())));
            }
        }
        self.request.environment = variables;
        for (key, lines) in comments {
            self.comments.entry(key).or_default().extend(lines);
        }
        Some("environment".into())
    }

    /// By an entry of the `systemd` table.
    fn by_table(&mut self, said: &Said<'_>, directive: KnownDirective) -> String {
        let key = said.name.to_string();
        let value = |line: &&Assignment| match is_of_words(directive) {
            true => words::tidy(&line.value),
            false => line.value.clone(),
        };
        let mut lines: Vec<String> = said.lines.iter().map(value).collect();
        let setting = match lines.len() {
            1 => Setting::Text(lines.remove(0)),
            _ => Setting::Lines(lines),
        };
        self.request.systemd.insert(key.clone(), setting);
        format!("systemd.{key}")
    }
}

const ENVIRONMENT: Name<'_> = Name { section: "Service", name: "Environment" };

/// Whether a value is a list of words, of which blanks are nothing but the ends.
pub(super) fn is_of_words(directive: KnownDirective) -> bool {
    match directive.takes {
        Takes::Units | Takes::SwitchOrList(_) | Takes::List(_) => true,
        Takes::Grammar(grammar) => matches!(
            grammar,
            Grammar::Command
                | Grammar::Paths
                | Grammar::Mounts
                | Grammar::Directories
                | Grammar::Documents
                | Grammar::ExitStatuses
                | Grammar::Groups
                | Grammar::Variables
                | Grammar::Capabilities
                | Grammar::SystemCalls
                | Grammar::SystemCallNames
                | Grammar::Families
                | Grammar::Numbers
        ),
        _ => directive.name == "Environment",
    }
}

/// A command on one line.
fn one_line(value: &str) -> String {
    words::tidy(value)
}

/// The text in which `%%` is `%`; nothing where systemd fills in something.
fn without_specifiers(text: &str) -> Option<String> {
    let plain = text.replace("%%", "\0");
    (!plain.contains('%')).then(|| plain.replace('\0', "%"))
}

fn time(text: &str) -> Option<Time> {
    text.parse::<Span>().ok()?;
    Some(match text.parse::<i64>() {
        Ok(seconds) if seconds.to_string() == text => Time::Seconds(seconds),
        _ => Time::Text(text.to_owned()),
    })
}

/// A line for a message: as much as fits, and nothing of what may be a secret.
pub(super) fn shown(line: &str) -> String {
    let line = secrets::hidden(line);
    match line.char_indices().nth(100) {
        Some((at, _)) => format!("{} ...", &line[..at]),
        None => line,
    }
}
