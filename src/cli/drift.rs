//! The words for drift: how the host differs from what it should be, for people and for programs.

use std::fmt::Write;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::output::{ADDED, HEADING, REMOVED, without_styles};
use crate::commands::drift::{Comparison, FileDrift, Gone, LinkChange, LinkState, ParameterDrift};
use crate::model::artifact::Artifact;
use crate::model::environment_file;
use crate::model::name::ServiceName;
use crate::model::observed::Found;
use crate::model::text::Text;
use crate::plan;

/// A comparison as JSON.
#[derive(Serialize)]
struct Json {
    version: u32,
    same: bool,
    files: Vec<JsonFile>,
    /// Parameters of NSSM that differ.
    parameters: Vec<JsonParameter>,
    /// Services that are not registered with NSSM.
    not_registered: Vec<ServiceName>,
    /// Services that should start at boot and do not.
    not_enabled: Vec<ServiceName>,
    /// Links to units that are not as they should be.
    links: Vec<JsonLink>,
    /// Services of ours that are to be removed.
    surplus: Vec<ServiceName>,
    /// The administrator's files that override a unit of ours.
    drop_ins: Vec<Text>,
    /// What services need that is no longer there.
    gone: Vec<JsonGone>,
}

#[derive(Serialize)]
struct JsonFile {
    path: Text,
    state: &'static str,
    /// A unified diff; of a secret file the names only.
    diff: String,
}

#[derive(Serialize)]
struct JsonParameter {
    service: ServiceName,
    parameter: String,
    found: Vec<Text>,
    wanted: Vec<Text>,
}

#[derive(Serialize)]
struct JsonLink {
    service: ServiceName,
    path: Text,
    state: &'static str,
}

#[derive(Serialize)]
struct JsonGone {
    service: ServiceName,
    what: &'static str,
    name: Text,
}

/// A comparison for programs.
pub(super) fn json(comparison: &Comparison) -> String {
    let parameter = |ParameterDrift { service, wanted, found }: &ParameterDrift| JsonParameter {
        service: service.clone(),
        parameter: wanted.to_string(),
        found: found.clone(),
        wanted: wanted.values.clone(),
    };
    let link = |LinkChange { service, path, state }: &LinkChange| JsonLink {
        service: service.clone(),
        path: path.clone(),
        state: match state {
            LinkState::Missing => "missing",
            LinkState::Stale => "stale",
            LinkState::Foreign => "foreign",
        },
    };
    let gone = |Gone { service, what, name }: &Gone| JsonGone { service: service.clone(), what, name: name.clone() };
    let document = Json {
        version: 1,
        same: comparison.is_same(),
        files: comparison.files.iter().map(json_of_file).collect(),
        parameters: comparison.parameters.iter().map(parameter).collect(),
        not_registered: comparison.not_registered.clone(),
        not_enabled: comparison.not_enabled.clone(),
        links: comparison.links.iter().map(link).collect(),
        surplus: comparison.surplus.clone(),
        drop_ins: comparison.drop_ins.clone(),
        gone: comparison.gone.iter().map(gone).collect(),
    };
    serde_json::to_string_pretty(&document).expect("text and numbers have a JSON form") + "\n"
}

fn json_of_file(file: &FileDrift) -> JsonFile {
    let (path, state) = match file {
        FileDrift::Missing(wanted) => (&wanted.path, "missing"),
        FileDrift::Changed { wanted, .. } => (&wanted.path, "changed"),
        FileDrift::Superfluous(path) => (path, "superfluous"),
    };
    JsonFile { path: path.clone(), state, diff: without_styles(&text_of_file(file)) }
}

/// A comparison for people: a unified diff of the files, then a line for each thing besides.
pub(super) fn text(comparison: &Comparison) -> String {
    let mut text: String = comparison.files.iter().map(text_of_file).collect();
    for ParameterDrift { service, wanted, found } in &comparison.parameters {
        text += &format!("{HEADING}{service} {wanted}{HEADING:#}\n");
        for value in found {
            text += &format!("{REMOVED}-{value}{REMOVED:#}\n");
        }
        for value in &wanted.values {
            text += &format!("{ADDED}+{value}{ADDED:#}\n");
        }
    }
    for name in &comparison.not_registered {
        text += &format!("{name} is not registered with NSSM\n");
    }
    for name in &comparison.not_enabled {
        text += &format!("{name} does not start at boot\n");
    }
    for LinkChange { service, path, state } in &comparison.links {
        text += &match state {
            // That is what it means.
            LinkState::Missing if comparison.not_enabled.contains(service) => continue,
            LinkState::Missing => format!("the link {path} is missing\n"),
            LinkState::Stale => format!("{service} no longer asks for the link {path}\n"),
            LinkState::Foreign => format!("{service} never asked for the link {path}\n"),
        };
    }
    for name in &comparison.surplus {
        text += &format!("{name} is not in the manifest\n");
    }
    for path in &comparison.drop_ins {
        text += &format!("overridden by {path}\n");
    }
    for Gone { service, what, name } in &comparison.gone {
        text += &format!("the {what} of {service} is gone: {name}\n");
    }
    text
}

fn text_of_file(file: &FileDrift) -> String {
    match file {
        FileDrift::Missing(wanted) => difference(wanted, None),
        FileDrift::Changed { wanted, found } => difference(wanted, Some(found)),
        FileDrift::Superfluous(path) => {
            format!("{HEADING}--- {path}{HEADING:#}\n{HEADING}+++ /dev/null{HEADING:#}\n")
        }
    }
}

/// How a file on the host differs from what it should be, as a unified diff.
fn difference(artifact: &Artifact, found: Option<&Found>) -> String {
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
