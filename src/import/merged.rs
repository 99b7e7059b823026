//! A unit as systemd puts it together: its own file, then its drop-ins (systemd.unit(5)), and which of all lines count.

use std::fmt;

use super::unit_file::{Assignment, Passed, UnitFile};
use crate::model::refused::Refused;
use crate::model::systemd_table::{Grammar, KnownDirective, Section, Takes};

/// A unit with its drop-ins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// The comments at the beginning of its own file.
    pub head: Vec<String>,
    /// The directives, in the order in which systemd reads them.
    pub assignments: Vec<Assignment>,
    /// Lines that systemd ignores.
    pub ignored: Vec<Passed>,
}

/// What a unit says of one directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said<'a> {
    /// Its section and name.
    pub(super) name: Name<'a>,
    /// The directive, if a manifest can say it.
    pub(super) known: Result<KnownDirective, Refused>,
    /// The lines that count, in order. None where the last of them takes the others back.
    pub(super) lines: Vec<&'a Assignment>,
    /// Lines whose value is wrong as far as is known here.
    pub(super) refused: Vec<(&'a Assignment, Refused)>,
}

/// A directive by its section and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name<'a> {
    pub(super) section: &'a str,
    pub(super) name: &'a str,
}

/// As a manifest calls it.
impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.section {
            "Service" => f.write_str(self.name),
            section => write!(f, "{section}.{}", self.name),
        }
    }
}

/// What several lines of one directive come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Several {
    /// The last one counts.
    Last,
    /// They add up; an empty one takes back those before it, and stands for nothing itself.
    Added,
    /// They add up, and nothing takes them back: "dependencies cannot be reset" (systemd.unit(5)).
    Dependencies,
    /// As they stand, from the last empty one on: that is not nothing, but the empty set (`CapabilityBoundingSet=`).
    AsTheyStand,
}

impl Several {
    fn of(directive: KnownDirective) -> Self {
        match (directive.section, directive.name) {
            (_, "Environment" | "PassEnvironment") => return Self::Added,
            (Section::Timer, name) if is_time(name) => return Self::Added,
            (_, "Description" | "User" | "Group" | "WorkingDirectory" | "PIDFile" | "BusName" | "SyslogIdentifier") => {
                return Self::Last;
            }
            // Of the two that one directive sets and each sets alone, nothing is left out.
            (_, "TimeoutSec" | "TimeoutStartSec" | "TimeoutStopSec") => return Self::AsTheyStand,
            _ => {}
        }
        match directive.takes {
            Takes::Units if matches!(directive.section, Section::Unit | Section::TimerUnit) => Self::Dependencies,
            Takes::Units => Self::Added,
            Takes::Switch
            | Takes::SwitchOr(_)
            | Takes::Word(_)
            | Takes::Number(..)
            | Takes::Span
            | Takes::Mode
            | Takes::Grammar(
                Grammar::Size
                | Grammar::SizeAboveZero
                | Grammar::Tasks
                | Grammar::Percent
                | Grammar::WeightOrIdle
                | Grammar::Limit
                | Grammar::LimitOfBytes
                | Grammar::LimitOfTime
                | Grammar::Signal
                | Grammar::Path
                | Grammar::WorkingDirectory
                | Grammar::Output
                | Grammar::Input
                | Grammar::Slice,
            ) => Self::Last,
            Takes::Grammar(
                Grammar::PathOrNot
                | Grammar::Paths
                | Grammar::Mounts
                | Grammar::Directories
                | Grammar::LinkedDirectories
                | Grammar::Documents
                | Grammar::ExitStatuses
                | Grammar::Groups
                | Grammar::Variables
                | Grammar::Assignments
                | Grammar::Device
                | Grammar::Command,
            ) => Self::Added,
            _ => Self::AsTheyStand,
        }
    }
}

impl Unit {
    /// Its own file with its drop-ins, in the order of their names.
    ///
    /// # Errors
    /// The line for which systemd does not load the unit.
    pub fn merged(own: UnitFile, drop_ins: Vec<UnitFile>) -> Result<Self, Passed> {
        if let Some(broken) = own.broken {
            return Err(broken);
        }
        let mut unit = Self { head: own.head, ..Self::default() };
        unit.add(own.assignments, own.ignored);
        for UnitFile { head, mut assignments, ignored, broken } in drop_ins {
            if let Some(first) = assignments.first_mut() {
                first.comments.splice(0..0, head);
            }
            unit.add(assignments, ignored);
            unit.ignored.extend(broken);
        }
        Ok(unit)
    }

    fn add(&mut self, assignments: Vec<Assignment>, ignored: Vec<Passed>) {
        self.ignored.extend(ignored);
        for assignment in assignments {
            if assignment.name.starts_with("X-") {
                let Assignment { at, .. } = &assignment;
                let why = "what begins with `X-` is for other programs than systemd";
                self.ignored.push(Passed { at: at.clone(), line: assignment.to_string(), why });
                continue;
            }
            // An empty condition takes back all conditions, whatever they are called (systemd.unit(5)), and an empty time
            // of a timer all its times (systemd.timer(5)).
            let is_one = |line: &Assignment, kind: &str| match line.section.as_str() {
                "Unit" | "Timer.Unit" => kind != "On" && line.name.starts_with(kind),
                "Timer" => kind == "On" && is_time(&line.name),
                _ => false,
            };
            for kind in ["Condition", "Assert", "On"] {
                if assignment.value.is_empty() && is_one(&assignment, kind) {
                    self.assignments.retain(|before| !is_one(before, kind));
                }
            }
            self.assignments.push(assignment);
        }
    }

    /// Whether systemd loads it as a service: one has to do something when it is started or stopped (`service_verify` in
    /// `src/core/service.c`).
    pub fn does_something(&self) -> bool {
        let does = |said: &Said<'_>| match (said.name.section, said.name.name) {
            ("Service", "ExecStart" | "ExecStop") => true,
            ("Unit", "SuccessAction") => said.lines.iter().any(|line| line.value != "none"),
            _ => false,
        };
        // What is not known here may still be a command for systemd.
        self.said().iter().any(|said| does(said) && !(said.lines.is_empty() && said.refused.is_empty()))
    }

    /// What it says, in the order in which each directive comes first.
    pub(super) fn said(&self) -> Vec<Said<'_>> {
        let mut all: Vec<(Name<'_>, Vec<&Assignment>)> = Vec::new();
        for assignment in &self.assignments {
            let name = Name { section: &assignment.section, name: &assignment.name };
            match all.iter_mut().find(|(known, _)| *known == name) {
                Some((_, lines)) => lines.push(assignment),
                None => all.push((name, vec![assignment])),
            }
        }
        all.into_iter().map(|(name, lines)| said(name, lines)).collect()
    }
}

/// Whether a directive of a timer is a time at which it elapses.
pub(super) fn is_time(name: &str) -> bool {
    name == "OnCalendar" || name.starts_with("On") && name.ends_with("Sec")
}

fn said<'a>(name: Name<'a>, mut lines: Vec<&'a Assignment>) -> Said<'a> {
    let known = match (name.section, name.name) {
        ("Service", "ExecStart") => Ok(KnownDirective::exec_start()),
        _ => KnownDirective::find_any(&name.to_string()),
    };
    let Ok(directive) = known else { return Said { name, known, lines, refused: Vec::new() } };
    let several = Several::of(directive);
    let is_empty = |line: &&Assignment| line.value.is_empty();
    let last_empty = lines.iter().rposition(is_empty);
    match several {
        Several::Dependencies => lines.retain(|line| !line.value.is_empty()),
        Several::Added => drop(lines.drain(..last_empty.map_or(0, |at| at + 1))),
        Several::AsTheyStand => drop(lines.drain(..last_empty.unwrap_or_default())),
        Several::Last => {}
    }
    let mut refused = Vec::new();
    // What an empty value takes back, where a value is a number or a word (`config_parse_exec_nice` and its like in
    // `src/core/load-fragment.c`).
    let resets =
        matches!(directive.name, "CPUSchedulingPolicy" | "IOSchedulingClass" | "KillMode" | "Nice" | "OOMScoreAdjust");
    let mut check = |line: &&'a Assignment| match directive.with(&line.value) {
        Ok(_) => true,
        Err(_) if resets && line.value.is_empty() => true,
        Err(fault) => {
            refused.push((*line, fault));
            false
        }
    };
    match several {
        // A value that systemd cannot read leaves the one before it.
        Several::Last => {
            let counts = lines.iter().rposition(&mut check);
            lines = counts.map(|at| lines[at]).into_iter().filter(|line| !line.value.is_empty()).collect();
            if lines.is_empty() {
                // Nothing is there that an empty line could take back.
                refused.retain(|(line, _)| !line.value.is_empty());
            }
        }
        Several::Added | Several::Dependencies | Several::AsTheyStand => lines.retain(check),
    }
    Said { name, known, lines, refused }
}

/// The directories with drop-ins of a unit, by their names, those first that win where a file has the same name
/// (`unit_file_find_dirs` in `src/shared/dropin.c`).
pub fn drop_in_directories(unit: &str) -> Vec<String> {
    let (stem, kind) = unit.rsplit_once('.').unwrap_or((unit, "service"));
    let (prefix, instance) = stem.split_once('@').map_or((stem, None), |(prefix, instance)| (prefix, Some(instance)));
    let mut directories = vec![format!("{unit}.d")];
    if instance.is_some_and(|instance| !instance.is_empty()) {
        directories.push(format!("{prefix}@.{kind}.d"));
    }
    let at = if instance.is_some() { "@" } else { "" };
    let mut prefix = prefix;
    while let Some((before, _)) = prefix.trim_end_matches('-').rsplit_once('-') {
        directories.push(format!("{before}-{at}.{kind}.d"));
        prefix = before;
    }
    directories.push(format!("{kind}.d"));
    directories
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(own: &str, drop_ins: &[&str]) -> Vec<String> {
        let read = |text: &&str| UnitFile::read("d", text.as_bytes());
        let unit = Unit::merged(UnitFile::read("u", own.as_bytes()), drop_ins.iter().map(read).collect()).unwrap();
        let said = unit.said();
        let lines = said.iter().flat_map(|said| said.lines.iter().map(|line| format!("{}={}", said.name, line.value)));
        let refused = said.iter().flat_map(|said| said.refused.iter().map(|(line, _)| format!("refused {line}")));
        lines.chain(refused).collect()
    }

    #[test]
    fn of_one_value_the_last_that_can_be_read_counts() {
        assert_eq!(
            counting("[Service]\nNice=5\nNice=6\n", &["[Service]\nNice=much\n"]),
            ["Nice=6", "refused Nice=much"]
        );
        assert_eq!(counting("[Service]\nMemoryMax=1G\n", &["[Service]\nMemoryMax=\n"]), [""; 0]);
    }

    #[test]
    fn lists_add_up_until_an_empty_line() {
        assert_eq!(
            counting(
                "[Service]\nExecStartPre=/a\nSystemCallFilter=read\nCapabilityBoundingSet=CAP_CHOWN\n",
                &[
                    "[Service]\nExecStartPre=\nExecStartPre=/b\nSystemCallFilter=write\nCapabilityBoundingSet=\nCapabilityBoundingSet=~CAP_KILL\n"
                ]
            ),
            [
                "ExecStartPre=/b",
                "SystemCallFilter=read",
                "SystemCallFilter=write",
                "CapabilityBoundingSet=",
                "CapabilityBoundingSet=~CAP_KILL"
            ]
        );
    }

    #[test]
    fn dependencies_stay_and_conditions_go_together() {
        assert_eq!(
            counting(
                "[Unit]\nWants=a.service\nConditionPathExists=/a\nConditionHost=b\nAssertHost=c\n",
                &["[Unit]\nWants=\nConditionPathIsDirectory=\nConditionHost=d\n"]
            ),
            ["Unit.Wants=a.service", "Unit.AssertHost=c", "Unit.ConditionPathIsDirectory=", "Unit.ConditionHost=d"]
        );
    }

    #[test]
    fn drop_ins_lie_where_systemd_looks() {
        assert_eq!(
            drop_in_directories("a-b-c.service"),
            ["a-b-c.service.d", "a-b-.service.d", "a-.service.d", "service.d"]
        );
        assert_eq!(
            drop_in_directories("a-b@c-d.service"),
            ["a-b@c-d.service.d", "a-b@.service.d", "a-@.service.d", "service.d"]
        );
        assert_eq!(drop_in_directories("a.service"), ["a.service.d", "service.d"]);
    }
}
