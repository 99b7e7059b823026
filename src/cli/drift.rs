//! The words for drift: how the host differs from what it should be, for people and for programs.

use std::fmt::Write;

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::output::{ADDED, HEADING, REMOVED};
use super::styled::Styled;
use crate::commands::drift::{
    Adoption, Comparison, DropInDrift, FileDrift, Gone, LinkChange, LinkState, ParameterDrift,
};
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
    /// Services that should not start at boot and do.
    enabled: Vec<ServiceName>,
    /// Users whose services end at the logout, and do not start at boot.
    not_lingering: Vec<String>,
    /// Links to units that are not as they should be.
    links: Vec<JsonLink>,
    /// Services of ours that are to be removed.
    surplus: Vec<ServiceName>,
    /// The administrator's files that override a unit of ours.
    drop_ins: Vec<Text>,
    /// What they override.
    overridden: Vec<JsonOverridden>,
    /// What services need that is no longer there.
    gone: Vec<JsonGone>,
    /// Units that are not ours, and that are taken over.
    adopted: Vec<JsonAdoption>,
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
struct JsonOverridden {
    service: ServiceName,
    path: Text,
    section: String,
    directive: String,
    /// The values of our unit that count no longer.
    ours: Vec<String>,
    /// Those of the drop-in.
    theirs: Vec<String>,
}

#[derive(Serialize)]
struct JsonAdoption {
    service: ServiceName,
    path: Text,
    kept: Text,
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
    let gone = |Gone { service, what, name, is_new: _ }: &Gone| JsonGone {
        service: service.clone(),
        what,
        name: name.clone(),
    };
    let adoption = |Adoption { service, path, kept }: &Adoption| JsonAdoption {
        service: service.clone(),
        path: path.clone(),
        kept: kept.clone(),
    };
    let document = Json {
        version: 1,
        same: comparison.is_same(),
        files: comparison.files.iter().map(json_of_file).collect(),
        parameters: comparison.parameters.iter().map(parameter).collect(),
        not_registered: comparison.not_registered.clone(),
        not_enabled: comparison.not_enabled.clone(),
        enabled: comparison.enabled.clone(),
        not_lingering: comparison.not_lingering.clone(),
        links: comparison.links.iter().map(link).collect(),
        surplus: comparison.surplus.clone(),
        drop_ins: comparison.drop_ins.clone(),
        overridden: comparison.overridden.iter().flat_map(json_of_drop_in).collect(),
        gone: comparison.gone.iter().map(gone).collect(),
        adopted: comparison.adopted.iter().map(adoption).collect(),
    };
    serde_json::to_string_pretty(&document).expect("text and numbers have a JSON form") + "\n"
}

fn json_of_drop_in(DropInDrift { service, path, overridden }: &DropInDrift) -> impl Iterator<Item = JsonOverridden> {
    overridden.iter().map(|one| JsonOverridden {
        service: service.clone(),
        path: path.clone(),
        section: one.section.clone(),
        directive: one.directive.clone(),
        ours: one.ours.clone(),
        theirs: one.theirs.clone(),
    })
}

fn json_of_file(file: &FileDrift) -> JsonFile {
    let (path, state) = match file {
        FileDrift::Missing(wanted) => (&wanted.path, "missing"),
        FileDrift::Changed { wanted, .. } => (&wanted.path, "changed"),
        FileDrift::Overrides { wanted, .. } => (&wanted.path, "overrides"),
        FileDrift::Superfluous(path) => (path, "superfluous"),
    };
    let mut diff = Styled::default();
    add_file(&mut diff, file);
    JsonFile { path: path.clone(), state, diff: String::from_utf8_lossy(&diff.without_styles()).into_owned() }
}

/// A comparison for people: a unified diff of the files, then a line for each thing besides.
pub(super) fn text(comparison: &Comparison) -> Styled {
    let mut out = Styled::default();
    comparison.files.iter().for_each(|file| add_file(&mut out, file));
    for ParameterDrift { service, wanted, found } in &comparison.parameters {
        out.line(HEADING, format_args!("{service} {wanted}"));
        for value in found {
            out.line(REMOVED, format_args!("-{value}"));
        }
        for value in &wanted.values {
            out.line(ADDED, format_args!("+{value}"));
        }
    }
    for name in &comparison.not_registered {
        _ = writeln!(out, "{name} is not registered with NSSM");
    }
    for name in &comparison.not_enabled {
        _ = writeln!(out, "{name} does not start at boot");
    }
    for name in &comparison.enabled {
        _ = writeln!(out, "{name} starts at boot, and should not");
    }
    for user in &comparison.not_lingering {
        _ = writeln!(out, "lingering is off for {user}: what runs ends at the logout, and starts at the login");
    }
    for LinkChange { service, path, state } in &comparison.links {
        _ = match state {
            // That is what it means.
            LinkState::Stale if comparison.enabled.contains(service) => continue,
            LinkState::Missing if comparison.not_enabled.contains(service) => continue,
            LinkState::Missing => writeln!(out, "the link {path} is missing"),
            LinkState::Stale => writeln!(out, "{service} no longer asks for the link {path}"),
            LinkState::Foreign => writeln!(out, "{service} never asked for the link {path}"),
        };
    }
    for name in &comparison.surplus {
        _ = writeln!(out, "{name} is not in the manifest");
    }
    for path in &comparison.drop_ins {
        _ = writeln!(out, "overridden by {path}");
        add_overridden(&mut out, comparison.overridden.iter().filter(|drift| drift.path == *path));
    }
    for Adoption { service, path, kept } in &comparison.adopted {
        _ = writeln!(out, "{service} takes over {path}, which is kept as {kept}");
    }
    for Gone { service, what, name, is_new } in &comparison.gone {
        let state = if *is_new { "not there" } else { "gone" };
        _ = writeln!(out, "the {what} of {service} is {state}: {name}");
    }
    out
}

/// Our lines that count no longer, and those of the drop-in; of several services with the name of each.
fn add_overridden<'a>(out: &mut Styled, of_services: impl Iterator<Item = &'a DropInDrift> + Clone) {
    let are_several = of_services.clone().count() > 1;
    for DropInDrift { service, overridden, .. } in of_services {
        if are_several && !overridden.is_empty() {
            out.line(HEADING, service);
        }
        let mut section = "";
        for one in overridden {
            if one.section != section {
                section = &one.section;
                _ = writeln!(out, " [{section}]");
            }
            for value in &one.ours {
                out.line(REMOVED, format_args!("-{}={value}", one.directive));
            }
            for value in &one.theirs {
                out.line(ADDED, format_args!("+{}={value}", one.directive));
            }
        }
    }
}

fn add_file(out: &mut Styled, file: &FileDrift) {
    match file {
        FileDrift::Missing(wanted) => add_difference(out, wanted, None),
        FileDrift::Changed { wanted, found } => add_difference(out, wanted, Some(found)),
        FileDrift::Overrides { wanted, original } => {
            out.line(HEADING, format_args!("--- {}", original.path)).line(HEADING, format_args!("+++ {}", wanted.path));
            add_hunks(out, &original.contents, &wanted.contents);
        }
        FileDrift::Superfluous(path) => {
            out.line(HEADING, format_args!("--- {path}")).line(HEADING, "+++ /dev/null");
        }
    }
}

/// How a file on the host differs from what it should be, as a unified diff.
fn add_difference(out: &mut Styled, artifact: &Artifact, found: Option<&Found>) {
    let before = found.map(|found| &*found.contents).unwrap_or_default();
    let from = if found.is_some() { artifact.path.to_string() } else { "/dev/null".to_owned() };
    // In front, as git has it, where `patch` reads over it.
    if let Some(found) = found.filter(|found| found.mode != artifact.mode) {
        out.line(HEADING, &artifact.path);
        out.line(REMOVED, format_args!("old mode {:04o}", found.mode));
        out.line(ADDED, format_args!("new mode {:04o}", artifact.mode));
    }
    if found.is_some_and(|found| found.foreign) {
        out.line(HEADING, &artifact.path);
        out.line(REMOVED, "old owner another user, who can change it");
        out.line(ADDED, "new owner you");
    }
    if found.is_some_and(|found| plan::holds_same(found, artifact)) {
        return;
    }
    out.line(HEADING, format_args!("--- {from}")).line(HEADING, format_args!("+++ {}", artifact.path));
    if artifact.is_secret() {
        add_secret_difference(out, before, &artifact.contents);
    } else {
        add_hunks(out, before, &artifact.contents);
    }
}

fn add_hunks<'a>(out: &mut Styled, before: &'a [u8], after: &'a [u8]) {
    // As `patch` counts them: a lone CR ends no line.
    let lines = |text: &'a [u8]| text.split_inclusive(|byte| *byte == b'\n').collect::<Vec<_>>();
    let diff = TextDiff::from_slices(&lines(before), &lines(after));
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        _ = writeln!(out, "{}", hunk.header());
        for change in hunk.iter_changes() {
            let whole = change.value().strip_suffix(b"\n");
            let line = whole.unwrap_or(change.value());
            match change.tag() {
                ChangeTag::Delete => out.begin(REMOVED).plain('-').bytes(line).end(REMOVED),
                ChangeTag::Insert => out.begin(ADDED).plain('+').bytes(line).end(ADDED),
                ChangeTag::Equal => out.plain(' ').bytes(line),
            }
            .plain('\n');
            if whole.is_none() {
                _ = writeln!(out, "\\ No newline at end of file");
            }
        }
    }
}

/// Names of variables that came, went or changed; never a value.
fn add_secret_difference(out: &mut Styled, before: &[u8], after: &[u8]) {
    let (before, after) = (environment_file::read(before), environment_file::read(after));
    let value_in = |list: &[(String, Text)], name: &str| {
        list.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    };
    for (name, value) in &after {
        match value_in(&before, name) {
            None => out.line(ADDED, format_args!("+{name}=********")),
            Some(old) if old != *value => out.plain(format_args!(" {name} has another value\n")),
            Some(_) => out,
        };
    }
    for (name, _) in before.iter().filter(|(name, _)| value_in(&after, name).is_none()) {
        out.line(REMOVED, format_args!("-{name}=********"));
    }
}
