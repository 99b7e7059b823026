//! How plans, differences and states are printed.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::HEADING;
use crate::model::artifact::Artifact;
use crate::model::environment_file;
use crate::model::invocation::Invocation;
use crate::model::observed::Found;
use crate::model::spec::Target;
use crate::model::text::Text;
use crate::plan::{self, Plan};

/// The version of the JSON that is printed; it grows when a key changes its meaning.
const VERSION: u32 = 1;

pub const ADDED: Style = AnsiColor::Green.on_default();
pub const REMOVED: Style = AnsiColor::Red.on_default();

#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    service: &'a str,
    services: &'a [String],
    target: &'a str,
    files: Vec<JsonFile>,
    /// Files that are taken away.
    removals: Vec<&'a Text>,
    invocations: Vec<Vec<&'a Text>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct JsonFile {
    path: Text,
    mode: String,
    contents: Text,
    /// Whether values in it were replaced because they are secret.
    redacted: bool,
    /// Whether it is encrypted on the host.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    encrypted: bool,
}

/// A plan as JSON: the keys of the design, and `services`, `removals`, `notes`, `redacted`.
pub fn json(plan: &Plan, services: &[String], target: Target, notes: &[String]) -> String {
    let files = plan
        .files()
        .map(|artifact| JsonFile {
            path: artifact.path.clone(),
            mode: format!("{:04o}", artifact.mode),
            contents: Text::from_bytes(shown(artifact)),
            redacted: artifact.is_secret(),
            encrypted: artifact.is_encrypted(),
        })
        .collect();
    let document = Json {
        version: VERSION,
        service: services.first().map(String::as_str).unwrap_or_default(),
        services,
        target: target.as_str(),
        files,
        removals: plan.removals().collect(),
        invocations: plan.invocations().map(|invocation| invocation.0.iter().collect()).collect(),
        notes,
    };
    serde_json::to_string_pretty(&document).expect("text and numbers have a JSON form") + "\n"
}

/// A plan to read: each file with its path and mode, then the commands.
pub fn text(plan: &Plan) -> String {
    let mut out = String::new();
    for artifact in plan.files() {
        let secret = match (artifact.is_secret(), artifact.is_encrypted()) {
            (_, true) => ", encrypted, values not shown",
            (true, false) => ", values not shown",
            (false, false) => "",
        };
        _ = writeln!(out, "{HEADING}{}{HEADING:#}  (mode {:04o}{secret})", artifact.path, artifact.mode);
        for line in String::from_utf8_lossy(&shown(artifact)).lines() {
            _ = writeln!(out, "    {line}");
        }
        out.push('\n');
    }
    for path in plan.removals() {
        _ = writeln!(out, "{HEADING}{path}{HEADING:#}  (removed)\n");
    }
    let commands: Vec<String> = plan.invocations().map(Invocation::typed).collect();
    if !commands.is_empty() {
        _ = writeln!(out, "{HEADING}then{HEADING:#}");
        for command in commands {
            _ = writeln!(out, "    {command}");
        }
    }
    out
}

/// What may be shown of a file: all of it, or, where it is secret, the names without the values.
fn shown(artifact: &Artifact) -> Vec<u8> {
    if artifact.is_secret() {
        return names_only(&artifact.contents)
            .map(|name| format!("{name}=********\n"))
            .collect::<String>()
            .into_bytes();
    }
    artifact.contents.to_vec()
}

fn names_only(contents: &[u8]) -> impl Iterator<Item = String> {
    environment_file::read(contents).into_iter().map(|(name, _)| name)
}

/// How a file on the host differs from what it should be, as a unified diff.
pub fn difference(artifact: &Artifact, found: Option<&Found>) -> String {
    let mut out = String::new();
    let before = found.map(|found| &*found.contents).unwrap_or_default();
    let from = if found.is_some() { artifact.path.to_string() } else { "/dev/null".to_owned() };
    // In front, as git has it, where `patch` reads over it.
    if let Some(found) = found.filter(|found| found.mode != artifact.mode) {
        _ = writeln!(out, "{HEADING}{}{HEADING:#}", artifact.path);
        _ = writeln!(out, "{REMOVED}old mode {:04o}{REMOVED:#}", found.mode);
        _ = writeln!(out, "{ADDED}new mode {:04o}{ADDED:#}", artifact.mode);
    }
    if found.is_some_and(|found| found.foreign) {
        _ = writeln!(out, "{HEADING}{}{HEADING:#}", artifact.path);
        _ = writeln!(out, "{REMOVED}old owner another user, who can change it{REMOVED:#}");
        _ = writeln!(out, "{ADDED}new owner you{ADDED:#}");
    }
    if found.is_some_and(|found| plan::holds_same(found, artifact)) {
        return out;
    }
    _ = writeln!(out, "{HEADING}--- {from}{HEADING:#}");
    _ = writeln!(out, "{HEADING}+++ {}{HEADING:#}", artifact.path);
    if artifact.is_secret() {
        out += &secret_difference(before, &artifact.contents);
    } else {
        out += &hunks(&String::from_utf8_lossy(before), &String::from_utf8_lossy(&artifact.contents));
    }
    out
}

fn hunks(before: &str, after: &str) -> String {
    let mut out = String::new();
    let diff = TextDiff::from_lines(before, after);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        _ = writeln!(out, "{}", hunk.header());
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            _ = match change.tag() {
                ChangeTag::Delete => writeln!(out, "{REMOVED}-{line}{REMOVED:#}"),
                ChangeTag::Insert => writeln!(out, "{ADDED}+{line}{ADDED:#}"),
                ChangeTag::Equal => writeln!(out, " {line}"),
            };
            if change.missing_newline() {
                _ = writeln!(out, "\\ No newline at end of file");
            }
        }
    }
    out
}

/// Names of variables that came, went or changed; never a value.
fn secret_difference(before: &[u8], after: &[u8]) -> String {
    let (before, after) = (environment_file::read(before), environment_file::read(after));
    let value_in = |list: &[(String, Text)], name: &str| {
        list.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    let mut out = String::new();
    for (name, value) in &after {
        _ = match value_in(&before, name) {
            None => writeln!(out, "{ADDED}+{name}=********{ADDED:#}"),
            Some(old) if old != *value => writeln!(out, " {name} has another value"),
            Some(_) => Ok(()),
        };
    }
    for (name, _) in before.iter().filter(|(name, _)| value_in(&after, name).is_none()) {
        _ = writeln!(out, "{REMOVED}-{name}=********{REMOVED:#}");
    }
    out
}
