//! The words for what happens while a use case is at work, and for what came of it.

use super::output::{HEADING, HELP, advise, note, noted, print, print_done, print_json, say, say_styled};
use super::styled::Styled;
use super::{Format, drift, preview};
use crate::commands::Event;
use crate::commands::install::{Applied, AppliedChange, AppliedService, Outcome};
use crate::error::exit;
use crate::executor::Progress;
use crate::executor::export::Written;
use crate::host::prompt;
use crate::host::python::Told;
use crate::managers::nssm::Supply;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::observed::OtherUnit;
use crate::model::site::Site;
use crate::model::spec::{Scope, ServiceSpec};
use crate::model::status::{EndedBy, Killed, Late};
use crate::model::text::Text;

/// How many services are shown before sudo asks for a password.
const MOST_SHOWN: usize = 5;

/// Tells what happens.
pub(super) fn tell(event: Event<'_>) {
    match event {
        Event::Note(line) | Event::Doubt(line) => note(line),
        Event::Changes(comparison) => print(drift::text(comparison)),
        Event::Import(module, told) => tell_of_code(&format!("importing `{module}`"), &told),
        Event::Discover(told) => tell_of_code("asking the console scripts for their arguments", &told),
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
        Event::NeedsRights(services, site) => tell_of_rights(services, site),
        Event::OthersAtWork => note("another run is in progress"),
        Event::TakesBackEarlier => note("an earlier run was interrupted; undoing what it had started"),
        Event::PutBack(line) => say(format_args!("  put back: {line}")),
        Event::Supply(supply) => tell_supply(&supply),
        Event::Lost { path, reason } => note(format_args!("`{path}` {reason}")),
        Event::OtherUnit(name, other) => tell_other_unit(name, other),
        Event::WasRemoved(name) => {
            note(format_args!("`{name}` was removed; `ManageService {name} reinstall` brings it back as it was"));
        }
        Event::Killed(killed) => say_styled(&of_killed(killed)),
        Event::LogOf(name) => {
            let mut out = Styled::default();
            out.styled(HEADING, name).plain('\n');
            print(out);
        }
        Event::Log(bytes) => {
            let mut out = Styled::default();
            out.bytes(bytes);
            print(out);
        }
        Event::FollowsOne => note("`--follow` follows one service"),
        Event::NoNssmHere => note("`--remove_nssm` has an effect on Windows only"),
    }
}

/// Before sudo asks for a password: for what.
pub(super) fn of_rights(doing: &str, services: &[ServiceName], site: &Site) -> Styled {
    let named = |name: &ServiceName| match site.manager {
        Manager::Systemd(_) => format!("`{name}` (`{}`)", site.place.unit(name)),
        Manager::Nssm => format!("`{name}`"),
    };
    let what = match services {
        [only] => named(only),
        [first, others @ ..] => format!("{} and {} more", named(first), others.len()),
        [] => String::new(),
    };
    let mut out = Styled::default();
    out.prose(0, format_args!("{doing} {what} needs administrator rights: asking sudo for them"));
    out
}

/// The same for an install. Who can read it is shown what will run, too.
fn tell_of_rights(services: &[ServiceSpec], site: &Site) {
    let names: Vec<ServiceName> = services.iter().map(|service| service.name.clone()).collect();
    let mut out = of_rights("installing", &names, site);
    if prompt::can_ask() {
        services.iter().take(MOST_SHOWN).for_each(|service| preview::add_service(&mut out, service, site.target()));
    }
    say_styled(&out);
}

fn tell_other_unit(name: &ServiceName, other: &OtherUnit) {
    match other {
        OtherUnit::Mask(path) => note(format_args!("`{name}` is masked: `{path}` leads to `/dev/null`")),
        OtherUnit::InPlace { path, reason, .. } => note(format_args!("`{path}`: {reason}")),
        OtherUnit::Link { path, target } => note(format_args!("`{path}`: it is a link to `{target}`")),
        OtherUnit::Beside { path, counts: true, .. } => {
            note(format_args!("`{path}` counts, and the unit that InstallService wrote has no effect"));
        }
        OtherUnit::Beside { path, is_mask: true, .. } => {
            note(format_args!("`{name}` is masked by `{path}`, which has no effect until its own unit is removed"));
        }
        OtherUnit::Beside { path, .. } => {
            note(format_args!("`{path}` is another unit of that name; it has no effect until ours is removed"));
        }
    }
}

/// A service that did not end by itself, with its last words, and how it gets more time.
fn of_killed(Killed { service, processes, late, log }: &Killed) -> Styled {
    let names = processes.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let line = match late {
        Some(Late { stop_timeout, ended_by }) => {
            let names = if names.is_empty() { String::new() } else { format!(": {names}") };
            let then = match ended_by {
                EndedBy::Kill => format!("and was killed{names}"),
                EndedBy::Term => "and SIGTERM ended it".to_owned(),
                EndedBy::KillAfterTerm => format!("nor within the same time after SIGTERM, and was killed{names}"),
            };
            format!("`{service}` did not end within {stop_timeout} when it was asked to, its stop timeout, {then}")
        }
        None => format!("`{service}` left processes behind when it ended, and they were killed: {names}"),
    };
    let mut out = noted(line);
    out.indented(log.trim_end().as_bytes());
    if let Some(Late { ended_by, .. }) = late {
        let mut help = Styled::default();
        help.plain("  ").styled(HELP, "help").plain(": `InstallService` with `--stop-timeout SPAN` gives it more time");
        match ended_by {
            EndedBy::Kill => {}
            // A command that asks it, which is often ours, did not end it.
            EndedBy::Term | EndedBy::KillAfterTerm => {
                help.plain(
                    "; where Ctrl-C does not end it, `--property KillSignal=SIGTERM` asks it by SIGTERM at once",
                );
            }
        }
        out.advice("help: ".len(), help);
    }
    out
}

/// Tells of code that is not ours, and that we run.
fn tell_of_code(doing: &str, told: &Told<'_>) {
    let names = |processes: &[Text]| processes.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match told {
        Told::TakesLong(limit) => note(format_args!("{doing} takes long; it is ended after {} s", limit.as_secs())),
        Told::Left(processes) => {
            note(format_args!("{doing} left processes running, which were ended: {}", names(processes)));
        }
        Told::Stays(processes) => {
            note(format_args!("{doing} left processes running, which could not be ended: {}", names(processes)));
        }
    }
}

fn tell_progress(progress: &Progress<'_>) {
    match progress {
        Progress::Runs(command) => say(format_args!("  {}", command.typed())),
        Progress::Tolerated { error, consequence: "" } => say(format_args!("  note: {error}")),
        Progress::Tolerated { error, consequence } => say(format_args!("  note: {error}\nnote: {consequence}")),
        Progress::KeepsUnsettled => say("  note: the new version stays"),
        Progress::TakesBack => say("  a step failed; undoing the earlier ones"),
        Progress::Interrupted => say("  interrupted; undoing what was started"),
    }
}

fn tell_supply(supply: &Supply<'_>) {
    match supply {
        Supply::Downloads(urls) => say(format_args!("  downloading NSSM from {}", urls.join(", then "))),
        Supply::Puts { what, to, from } => say(format_args!("  {what} is put at `{to}`, from `{from}`")),
        Supply::Unknown { path, sha256 } => {
            note(format_args!("using `{path}`, whose SHA-256 {sha256} is that of no release of NSSM"));
        }
        Supply::PassesOver { path, reason } => note(format_args!("passing over `{path}`: {reason}")),
        Supply::NssmStays { path, release, wanted } => note(format_args!(
            "`{path}` is running and stays NSSM {}; `ManageService --upgrade-nssm --yes` stops what runs and brings {}, and so \
             does an install while nothing runs",
            release.version(),
            wanted.version()
        )),
        Supply::RunnerStays(path) => note(format_args!(
            "`{path}` is running and stays as it is; an install while no service runs it brings the newer one"
        )),
    }
}

/// Prints what came of an install, and gives the exit code.
pub(super) fn outcome(outcome: &Outcome, format: Format) -> u8 {
    match outcome {
        Outcome::Preview(preview) => match format {
            Format::Json => print_json(&preview::json(preview)),
            Format::Text => {
                preview.notes.iter().for_each(note);
                print(preview::text(preview));
            }
        },
        Outcome::Exported(Written { files, kept }) => {
            for path in kept {
                note(format_args!("`{path}` is no longer needed, but was changed after it was written, so it stays"));
            }
            print_done(files.iter().map(|path| format!("{path}\n")).collect::<String>());
        }
        Outcome::Compared { comparison, unreadable } => {
            match format {
                Format::Json => print_json(&drift::json(comparison)),
                Format::Text => print(drift::text(comparison)),
            }
            if comparison.is_same() && format == Format::Text {
                say("the host is as it should be");
            }
            for path in unreadable {
                note(format_args!("only root can compare `{path}`"));
            }
            return if comparison.is_same() { exit::OK } else { exit::DIFFERENT };
        }
        Outcome::Unchanged(names) => {
            let names = names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            print(format_args!("unchanged: {names}\n"));
        }
        Outcome::Applied(applied) => tell_applied(applied),
        Outcome::RunAgain(code) => return *code,
    }
    exit::OK
}

/// All of it at once: there may be many services.
fn tell_applied(applied: &Applied) {
    let mut done: String = applied.stopped.iter().map(|name| format!("stopped: {name}\n")).collect();
    let mut more = Vec::new();
    for service in &applied.services {
        done += &done_to(service, applied);
        more.extend(what_follows(service, applied.site.scope()));
    }
    done.extend(applied.removed.iter().map(|name| format!("removed: {name}\n")));
    print_done(done);
    more.iter().for_each(advise);
}

fn done_to(AppliedService { name, change, started, .. }: &AppliedService, applied: &Applied) -> String {
    let (done, changed) = match change {
        AppliedChange::Unchanged => ("unchanged", false),
        AppliedChange::Updated => ("updated", true),
        AppliedChange::Installed => ("installed", true),
        AppliedChange::Adopted => ("adopted", true),
    };
    let unit = match applied.site.manager {
        Manager::Systemd(_) if changed => format!(" ({})", applied.site.place.unit(name)),
        Manager::Systemd(_) | Manager::Nssm => String::new(),
    };
    let started = if *started { format!("started: {name}\n") } else { String::new() };
    format!("{done}: {name}{unit}\n{started}")
}

/// What the user may want to type next.
fn what_follows(applied: &AppliedService, scope: Scope) -> Option<String> {
    let AppliedService { name, change, started, was_active, has_timer, had_timer } = applied;
    let user = match scope {
        Scope::System => "",
        Scope::User => " --user",
    };
    match (started, was_active, change) {
        (true, _, _) | (false, true, AppliedChange::Unchanged) => None,
        (false, false, _) if name.is_template() => {
            Some(format!("`ManageService {name}INSTANCE start{user}` starts an instance of it"))
        }
        // systemd reads the times anew.
        (false, true, _) if *has_timer && *had_timer => None,
        (false, true, AppliedChange::Adopted) => Some(format!(
            "what runs goes on as it was started; `ManageService {name} restart{user}` switches to what was installed"
        )),
        (false, false, _) if *has_timer => {
            Some(format!("`ManageService {name} start{user}` starts its timer, and runs it once now"))
        }
        // What waited for its next run does not run.
        (false, true, _) if *had_timer => Some(format!("`ManageService {name} start{user}` starts it")),
        (false, false, _) => Some(format!("`ManageService {name} start{user}` starts it")),
        (false, true, AppliedChange::Updated | AppliedChange::Installed) => Some(format!(
            "the earlier version is still running; `ManageService {name} restart{user}` switches to the new one"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::styled::Look;

    fn killed(processes: &[&str], ended_by: EndedBy) -> Killed {
        Killed {
            service: "web".parse().unwrap(),
            processes: processes.iter().map(|name| (*name).to_owned()).collect(),
            late: Some(Late { stop_timeout: "1min 30s".to_owned(), ended_by }),
            log: "its last words, which stay on the one line that they are\n".to_owned(),
        }
    }

    #[test]
    fn what_ended_a_service_that_did_not_answer_is_told() {
        let first_line = |killed: &Killed| {
            let text = String::from_utf8(of_killed(killed).without_styles()).unwrap();
            text.lines().next().unwrap_or_default().to_owned()
        };
        let asked = "note: `web` did not end within 1min 30s when it was asked to, its stop timeout,";
        for (processes, ended_by, then) in [
            (&["sh", "sleep"][..], EndedBy::Kill, "and was killed: `sh`, `sleep`"),
            (&[], EndedBy::Kill, "and was killed"),
            (&[], EndedBy::Term, "and SIGTERM ended it"),
            (&["python3"], EndedBy::KillAfterTerm, "nor within the same time after SIGTERM, and was killed: `python3`"),
        ] {
            assert_eq!(first_line(&killed(processes, ended_by)), format!("{asked} {then}"));
        }
    }

    #[test]
    fn its_help_is_wrapped_on_a_terminal_and_its_last_words_are_not() {
        let look = Look { is_terminal: true, width: Some(40), ..Look::default() };
        let text = String::from_utf8(of_killed(&killed(&[], EndedBy::Term)).rendered(look)).unwrap();
        let end = "    its last words, which stay on the one line that they are\n  \
                   help: `InstallService` with\n        \
                   `--stop-timeout SPAN` gives it\n        \
                   more time; where Ctrl-C does not\n        \
                   end it,\n        \
                   `--property KillSignal=SIGTERM`\n        \
                   asks it by SIGTERM at once\n";
        assert!(text.ends_with(end), "{text}");
    }
}
