//! How a plan is shown before anybody applies it.

use std::fmt::Write;

use serde::Serialize;

use super::output::HEADING;
use super::styled::Styled;
use crate::commands::install::Preview;
use crate::model::artifact::Artifact;
use crate::model::environment_file;
use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::text::Text;

/// The version of the JSON that is printed; it grows when a key changes its meaning.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    service: &'a str,
    services: &'a [ServiceName],
    target: &'a str,
    files: Vec<JsonFile>,
    /// Files that are taken away.
    removals: Vec<&'a Text>,
    invocations: &'a [Invocation],
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
pub(super) fn json(Preview { plan, site, services, notes }: &Preview) -> String {
    let invocations: Vec<Invocation> = plan.invocations(site).collect();
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
        service: services.first().map(ServiceName::as_str).unwrap_or_default(),
        services,
        target: site.target().as_str(),
        files,
        removals: plan.removals().collect(),
        invocations: &invocations,
        notes,
    };
    serde_json::to_string_pretty(&document).expect("text and numbers have a JSON form") + "\n"
}

/// A plan to read: each file with its path and mode, then the commands.
pub(super) fn text(Preview { plan, site, .. }: &Preview) -> Styled {
    let mut out = Styled::default();
    for artifact in plan.files() {
        let secret = match (artifact.is_secret(), artifact.is_encrypted()) {
            (_, true) => ", encrypted, values not shown",
            (true, false) => ", values not shown",
            (false, false) => "",
        };
        out.styled(HEADING, &artifact.path);
        _ = writeln!(out, "  (mode {:04o}{secret})", artifact.mode);
        out.indented(&shown(artifact)).plain('\n');
    }
    for path in plan.removals() {
        out.styled(HEADING, path).plain("  (removed)\n\n");
    }
    let commands: Vec<String> = plan.invocations(site).map(|invocation| invocation.typed()).collect();
    if !commands.is_empty() {
        out.styled(HEADING, "then").plain('\n');
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
