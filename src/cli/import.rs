//! `InstallService import`: what came of it, in words.

use super::output::{note, print, say};
use crate::commands::import::{Imported, TakenOver};
use crate::error::exit;
use crate::import::{At, Loss, Remark};

/// Prints the manifest, and beside it what it does not say; gives the exit code.
pub(super) fn outcome(imported: Imported) -> u8 {
    for service in &imported.services {
        tell(service);
    }
    imported.left.iter().for_each(|left| say(format_args!("left out: {left}")));
    let code = if imported.is_exact() { exit::OK } else { exit::DIFFERENT };
    match &imported.written {
        Some(path) => say(format_args!("written: {path}")),
        None => print(imported.manifest),
    }
    code
}

fn tell(service: &TakenOver) {
    let TakenOver { name, losses, remarks, companions } = service;
    for companion in companions {
        note(format_args!("`{name}`: `{companion}` belongs to it, and is not taken over"));
    }
    for Remark { at, said, help, .. } in remarks {
        let help = help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        note(format_args!("{at}: {said}{help}"));
    }
    for Loss { at, line, why, help } in losses {
        let at = at.as_ref().map_or_else(|| format!("{name}: "), |At { file, line }| format!("{file}:{line}: "));
        let line = if line.is_empty() { String::new() } else { format!("`{line}`: ") };
        let help = help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        say(format_args!("not the same: {at}{line}{why}{help}"));
    }
}
