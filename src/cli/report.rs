//! The words for what happens while a use case is at work, and for what came of it.

use super::output::{HEADING, note, print, print_plain, say};
use super::{Format, drift, preview};
use crate::commands::Event;
use crate::commands::install::{Applied, AppliedChange, AppliedService, Outcome};
use crate::error::exit;
use crate::executor::Progress;
use crate::executor::export::Written;
use crate::model::manager::Manager;
use crate::model::spec::Scope;

/// Tells what happens.
pub(super) fn tell(event: Event<'_>) {
    match event {
        Event::Note(line) | Event::Doubt(line) => note(line),
        Event::Changes(comparison) => print(&drift::text(comparison)),
        Event::Progress(progress) => tell_progress(&progress),
        Event::Unfinished { needs_rights: false } => {
            note(
                "another run is in progress, or an earlier one was interrupted; the next run that changes anything undoes it",
            );
        }
        Event::Unfinished { needs_rights: true } => {
            note(
                "another run is in progress, or an earlier one was interrupted; the next run with administrator rights undoes it",
            );
        }
        Event::OthersAtWork => note("another run is in progress"),
        Event::TakesBackEarlier => note("an earlier run was interrupted; undoing what it had started"),
        Event::PutBack(line) => say(&format!("  put back: {line}")),
        Event::Lost { path, reason } => note(&format!("`{path}` can no longer be decrypted: {reason}")),
        Event::WasRemoved(name) => {
            note(&format!("`{name}` was removed; `ManageService {name} reinstall` brings it back as it was"));
        }
        Event::LogOf(name) => print(&format!("{HEADING}{name}{HEADING:#}\n")),
        Event::Log(text) => print(text),
        Event::FollowsOne => note("`--follow` follows one service"),
        Event::NoNssmHere => note("`--remove_nssm` has an effect on Windows only"),
    }
}

fn tell_progress(progress: &Progress<'_>) {
    match progress {
        Progress::Runs(command) => say(&format!("  {}", command.typed())),
        Progress::Tolerated { error, consequence: "" } => say(&format!("  note: {error}")),
        Progress::Tolerated { error, consequence } => say(&format!("  note: {error}\nnote: {consequence}")),
        Progress::KeepsUnsettled => say("  note: the new version stays"),
        Progress::TakesBack => say("  a step failed; undoing the earlier ones"),
        Progress::Interrupted => say("  interrupted; taking back what was begun"),
    }
}

/// Prints what came of an install, and gives the exit code.
pub(super) fn outcome(outcome: &Outcome, format: Format) -> u8 {
    match outcome {
        Outcome::Preview(preview) => match format {
            Format::Json => print_plain(&preview::json(preview)),
            Format::Text => {
                preview.notes.iter().for_each(|line| note(line));
                print(&preview::text(preview));
            }
        },
        Outcome::Exported(Written { files, kept }) => {
            for path in kept {
                note(&format!("`{path}` is no longer needed, but was changed after it was written, so it stays"));
            }
            print(&files.iter().map(|path| format!("{path}\n")).collect::<String>());
        }
        Outcome::Compared { comparison, unreadable } => {
            match format {
                Format::Json => print_plain(&drift::json(comparison)),
                Format::Text => print(&drift::text(comparison)),
            }
            if comparison.is_same() && format == Format::Text {
                say("the host is as it should be");
            }
            for path in unreadable {
                note(&format!("only root can compare `{path}`"));
            }
            return if comparison.is_same() { exit::OK } else { exit::DIFFERENT };
        }
        Outcome::Unchanged(names) => {
            let names = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            print(&format!("unchanged: {names}\n"));
        }
        Outcome::Applied(applied) => tell_applied(applied),
        Outcome::RunAgain(code) => return *code,
    }
    exit::OK
}

fn tell_applied(applied: &Applied) {
    applied.stopped.iter().for_each(|name| print(&format!("stopped: {name}\n")));
    applied.services.iter().for_each(|service| tell_service(service, applied));
    applied.removed.iter().for_each(|name| print(&format!("removed: {name}\n")));
}

fn tell_service(AppliedService { name, change, started, was_active }: &AppliedService, applied: &Applied) {
    let (done, changed) = match change {
        AppliedChange::Unchanged => ("unchanged", false),
        AppliedChange::Updated => ("updated", true),
        AppliedChange::Installed => ("installed", true),
    };
    match applied.site.manager {
        Manager::Systemd(_) if changed => print(&format!("{done}: {name} ({})\n", applied.site.place.unit(name))),
        Manager::Systemd(_) | Manager::Nssm => print(&format!("{done}: {name}\n")),
    }
    let user = match applied.site.scope() {
        Scope::System => "",
        Scope::User => " --user",
    };
    if *started {
        print(&format!("started: {name}\n"));
    } else if !was_active {
        say(&format!("`ManageService {name} start{user}` starts it"));
    } else if changed {
        say(&format!(
            "the earlier version is still running; `ManageService {name} restart{user}` switches to the new one"
        ));
    }
}
