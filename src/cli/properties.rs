//! `InstallService properties`: what `--property` and the table of a manifest take.

use serde::Serialize;

use super::Format;
use super::output::{self, HEADING};
use super::styled::Styled;
use crate::error::{Error, Fault};
use crate::model::nearest::nearest;
use crate::model::nssm_table;
use crate::model::spec::Target;
use crate::model::systemd_table::{self, KnownDirective};

/// The version of the JSON.
const VERSION: u32 = 1;
/// Where a table is narrow enough for its last column.
const WIDEST_NAME: usize = 28;

/// An entry of the table of a service manager.
#[derive(Debug, Serialize)]
pub(super) struct Property {
    name: String,
    /// Where it stands in a unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    section: Option<&'static str>,
    /// The version that it came with, where that is no very old one.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<u32>,
    takes: String,
    about: String,
}

/// What was looked for.
pub(super) struct Found {
    properties: Vec<Property>,
    /// What has a key of its own, and that.
    own_keys: Vec<(String, &'static str)>,
}

/// The names that `--property` takes.
pub(super) fn names(target: Target) -> Vec<(String, String)> {
    all(target).into_iter().map(|property| (property.name, property.about)).collect()
}

fn all(target: Target) -> Vec<Property> {
    match target {
        Target::Systemd => systemd_table::all_directives()
            .filter(|directive| KnownDirective::find(&directive.word()).is_ok())
            .map(|directive| Property {
                name: directive.word(),
                section: Some(directive.section.as_str()),
                since: Some(directive.since).filter(|since| *since > 0),
                takes: directive.takes.to_string(),
                about: directive.about(),
            })
            .collect(),
        Target::Nssm => nssm_table::parameters()
            .map(|(name, takes, about)| Property {
                name: name.to_owned(),
                section: None,
                since: None,
                takes: takes.to_string(),
                about: about.to_owned(),
            })
            .collect(),
    }
}

/// All of them, or those that have a word in their name or in their line, by their names.
///
/// # Errors
/// When there is none.
pub(super) fn found(target: Target, word: Option<&str>) -> Result<Found, Error> {
    let looked_for = word.unwrap_or_default().to_lowercase();
    // `--property` and unit files have an `=` behind it.
    let looked_for = looked_for.trim_end_matches('=');
    let has = |text: &str| text.to_lowercase().contains(looked_for);
    let mut properties = all(target);
    let mut own_keys: Vec<(String, &str)> = match target {
        Target::Systemd => systemd_table::own_keys().collect(),
        Target::Nssm => nssm_table::own_keys().map(|(name, key)| (name.to_owned(), key)).collect(),
    };
    let names: Vec<String> = properties.iter().map(|property| property.name.clone()).collect();
    properties.retain(|property| has(&property.name) || has(&property.about));
    own_keys.retain(|(name, key)| has(name) || has(key));
    if properties.is_empty() && own_keys.is_empty() {
        let manager = match target {
            Target::Systemd => "systemd",
            Target::Nssm => "NSSM",
        };
        let fault =
            Fault::new("property", format!("{manager} has no entry with this word in its name or its description"));
        let bare = names.iter().map(|name| name.rsplit('.').next().unwrap_or(name));
        let near = nearest(looked_for, names.iter().map(String::as_str).chain(bare));
        let help = near.map_or_else(
            || "`InstallService properties` lists all of them".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(Error::refused(fault.given(word.unwrap_or_default()).help(help)));
    }
    properties.sort_by(|a, b| (order(a), &a.name).cmp(&(order(b), &b.name)));
    Ok(Found { properties, own_keys })
}

/// As the sections stand in a unit.
fn order(property: &Property) -> usize {
    ["Unit", "Service", "Timer", "Install"]
        .iter()
        .position(|section| property.section == Some(section))
        .unwrap_or_default()
}

#[derive(Serialize)]
struct PropertiesJson<'a> {
    version: u32,
    target: &'static str,
    properties: &'a [Property],
}

/// Prints them, a line each.
pub(super) fn print(found: &Found, target: Target, format: Format) {
    match format {
        Format::Json => {
            let document = PropertiesJson { version: VERSION, target: target.as_str(), properties: &found.properties };
            output::print_json(&(serde_json::to_string_pretty(&document).expect("plain data has a JSON form") + "\n"));
        }
        Format::Text => output::print(table(found)),
    }
}

fn table(found: &Found) -> Styled {
    let Found { properties, own_keys } = found;
    let names = properties.iter().map(|property| &property.name).chain(own_keys.iter().map(|(name, _)| name));
    let width = names.map(String::len).filter(|width| *width <= WIDEST_NAME).max().unwrap_or_default();
    let mut out = Styled::default();
    let row = |out: &mut Styled, name: &str, text: &str| {
        out.prose(width + 2, format_args!("  {name:<width$}  {text}"));
    };
    let mut section = None;
    for property in properties {
        if section != Some(property.section) {
            let text = property.section.map_or_else(|| "Parameters".to_owned(), |name| format!("[{name}]"));
            heading(&mut out, &text);
            section = Some(property.section);
        }
        let since = property.since.map_or_else(String::new, |since| format!("; since systemd {since}"));
        row(&mut out, &property.name, &format!("{} [{}{since}]", property.about, property.takes));
    }
    if !own_keys.is_empty() {
        heading(&mut out, "Elsewhere");
    }
    for (name, key) in own_keys {
        row(&mut out, name, &format!("Has a key of its own in a manifest: `{key}`"));
    }
    out
}

fn heading(out: &mut Styled, text: &str) {
    if *out != Styled::default() {
        out.plain('\n');
    }
    out.line(HEADING, format_args!("{text}:"));
}
