//! How a plan is shown before anybody applies it.

use std::fmt::Write;

use serde::Serialize;

use super::output::HEADING;
use super::styled::Styled;
use crate::commands::install::Preview;
use crate::managers;
use crate::model::artifact::Artifact;
use crate::model::environment_file;
use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::spec::{Argument, Run, Scope, ServiceSpec, Target};
use crate::model::systemd_table::Directive;
use crate::model::text::Text;

/// The version of the JSON that is printed; it grows when a key changes its meaning.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Json<'a> {
    version: u32,
    service: &'a str,
    services: Vec<&'a ServiceName>,
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
pub(super) fn json(Preview { plan, site, services, notes, .. }: &Preview) -> String {
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
        service: services.first().map(|service| service.name.as_str()).unwrap_or_default(),
        services: services.iter().map(|service| &service.name).collect(),
        target: site.target().as_str(),
        files,
        removals: plan.removals().collect(),
        invocations: &invocations,
        notes,
    };
    serde_json::to_string_pretty(&document).expect("text and numbers have a JSON form") + "\n"
}

/// A plan to read: what runs, as whom and where; each file with its path and mode, then the commands; and what
/// installs it.
pub(super) fn text(preview @ Preview { plan, site, services, .. }: &Preview) -> Styled {
    let mut out = Styled::default();
    services.iter().for_each(|service| add_service(&mut out, service, site.target()));
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
        out.plain('\n');
    }
    add_end(&mut out, preview);
    out
}

pub(super) fn add_service(out: &mut Styled, service: &ServiceSpec, target: Target) {
    out.line(HEADING, &service.name);
    let with = match &service.run {
        Run::Executable { .. } | Run::Commands { .. } => String::new(),
        Run::Python { interpreter, .. } => format!("  (with {interpreter})"),
    };
    _ = writeln!(out, "    runs  {}{with}", command_of(&service.run));
    _ = writeln!(out, "    as    {}", whom(service, target));
    _ = writeln!(out, "    in    {}\n", service.working_directory);
}

/// What a service runs, as it would be typed.
fn command_of(run: &Run) -> String {
    let program = match run {
        Run::Commands { lines, .. } => {
            return match lines.as_slice() {
                // A unit may have no more than what stops it (systemd.service(5), `ExecStop=`).
                [] => "nothing at its start".to_owned(),
                lines => lines.iter().map(Directive::value).collect::<Vec<_>>().join("\n          "),
            };
        }
        Run::Executable { path, .. } => path.clone(),
        Run::Python { entry, .. } => entry.to_string().into(),
    };
    let word = |argument: &Argument| match argument.variable() {
        Some(variable) => argument.text().with(&format!("${variable}")),
        None => argument.text().clone(),
    };
    Invocation([program].into_iter().chain(run.arguments().iter().map(word)).collect()).typed()
}

fn whom(service: &ServiceSpec, target: Target) -> String {
    let of_manager = match (service.scope, target) {
        (Scope::User, Target::Systemd | Target::Nssm) => "you",
        (Scope::System, Target::Systemd) => "root",
        (Scope::System, Target::Nssm) => "LocalSystem",
    };
    service.account.as_deref().unwrap_or(of_manager).to_owned()
}

/// What an install would do, and what is typed for it.
fn add_end(out: &mut Styled, Preview { plan, site, services, starts, to_install, is_taken, .. }: &Preview) {
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let mut does = vec![format!("writes {}", count(plan.files().count(), "file"))];
    let removals = plan.removals().count();
    if removals > 0 {
        does.push(format!("removes {removals}"));
    }
    does.push(format!("runs {}", count(plan.invocations(site).count(), "command")));
    if *starts {
        let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
        does.push(format!("starts {}", names.join(", ")));
    }
    let last = does.pop().unwrap_or_default();
    let elsewhere = match site.target() {
        Target::Systemd => " on a host with systemd",
        Target::Nssm => " on Windows",
    };
    let place = if site.target() == managers::of_this_host() { "" } else { elsewhere };
    let when = if *is_taken { "once the name is free, " } else { "" };
    out.prose(
        0,
        format_args!(
            "nothing was changed; an install {} and {last}; {when}type this{place} to install:",
            does.join(", ")
        ),
    );
    _ = writeln!(out, "    {}", to_install.typed());
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
