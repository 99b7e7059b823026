//! `InstallService import`: what came of it, in words.

use super::output::{note, print, say};
use crate::commands::import::{Imported, Output, TakenOver};
use crate::error::exit;
use crate::import::{At, Loss, Remark};

/// Prints the manifest, and beside it what it does not say; gives the exit code.
pub(super) fn outcome(imported: Imported) -> u8 {
    for service in &imported.services {
        tell(service);
    }
    imported.notes.iter().for_each(note);
    imported.left.iter().for_each(|left| say(format_args!("left out: {left}")));
    let code = if imported.is_exact() { exit::OK } else { exit::DIFFERENT };
    match &imported.output {
        Some(Output { path, is_unchanged: true }) => say(format_args!("unchanged: {path}")),
        Some(Output { path, is_unchanged: false }) => say(format_args!("written: {path}")),
        None => print(imported.manifest),
    }
    code
}

fn tell(service: &TakenOver) {
    let TakenOver { name, losses, remarks, companions, timer } = service;
    for companion in companions {
        note(format_args!(
            "`{name}`: `{companion}` starts it, and stays a unit of its own: a manifest has services alone"
        ));
    }
    for loss in timer {
        note(format_args!("`{name}`: `{name}.timer` stays a unit of its own: {}", said(loss, None)));
    }
    for Remark { at, said, help, .. } in remarks {
        let help = help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        note(format_args!("{at}: {said}{help}"));
    }
    for loss in losses {
        say(format_args!("not the same: {}", said(loss, Some(name))));
    }
}

/// A line that is not said, where it stands, and why; what stands nowhere is the service's.
fn said(loss: &Loss, name: Option<&str>) -> String {
    let Loss { at, line, why, help } = loss;
    let at = match (at, name) {
        (Some(At { file, line }), _) => format!("{file}:{line}: "),
        (None, Some(name)) => format!("{name}: "),
        (None, None) => String::new(),
    };
    let line = if line.is_empty() { String::new() } else { format!("`{line}`: ") };
    let help = help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{at}{line}{why}{help}")
}
