//! What systemd had to kill, because it did not end when it was asked to.
//!
//! `systemctl stop` says nothing of it, and of a service that was started again nothing else does. So systemd's own lines
//! of the run that was stopped tell, which stand in the journal under its invocation (systemd.journal-fields(7)).

use super::{show, synced};
use crate::host::{privilege, process};
use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::spec::Scope;
use crate::model::status::{EndedBy, Killed, Late, Run, ServiceStatus};

/// How many lines of the program's own are shown.
const LINES: u32 = 10;

/// Those of `names` of which something was killed since they were as `before` says.
pub fn killed(names: &[ServiceName], before: &[ServiceStatus], scope: Scope) -> Vec<Killed> {
    let ran: Vec<_> =
        names.iter().zip(before).filter_map(|(name, status)| Some((name, status.run.as_ref()?))).collect();
    if ran.is_empty() {
        return Vec::new();
    }
    synced();
    let mut words = ["journalctl", "--no-pager", "--quiet", "--output=cat"].map(str::to_owned).to_vec();
    for (at, (_, run)) in ran.iter().enumerate() {
        words.extend((at > 0).then(|| "+".to_owned()));
        words.extend(match scope {
            Scope::System => ["_PID=1".to_owned(), format!("INVOCATION_ID={}", run.id)],
            Scope::User => [format!("_UID={}", privilege::user_id()), format!("USER_INVOCATION_ID={}", run.id)],
        });
    }
    let Ok(answer) = process::answer(&Invocation::new(words), &[]) else { return Vec::new() };
    let told = answer.text();
    // Where no journal is kept, there is nothing but what systemd says of those that are stopped and still loaded.
    let results = if told.is_empty() { show(names, scope).unwrap_or_default() } else { Vec::new() };
    let has_timed_out = |name: &ServiceName| {
        let of_it = results.iter().find(|found| found.get("Id").is_some_and(|id| *id == name.unit()));
        of_it.is_some_and(|found| found.get("Result").is_some_and(|result| result == "timeout"))
    };
    let of = |(name, run): (&ServiceName, &Run)| {
        let (processes, ended_by) =
            read(&told, &name.unit()).or_else(|| has_timed_out(name).then(|| (Vec::new(), Some(EndedBy::Kill))))?;
        let log = Invocation::new([
            "journalctl".to_owned(),
            "--no-pager".to_owned(),
            "--quiet".to_owned(),
            format!("--lines={LINES}"),
            format!("_SYSTEMD_INVOCATION_ID={}", run.id),
        ]);
        let log = process::answer(&log, &[]).map(|answer| answer.text()).unwrap_or_default();
        let late = ended_by.map(|ended_by| Late { stop_timeout: run.stop_timeout.clone(), ended_by });
        Some(Killed { service: name.clone(), processes, late, log })
    };
    ran.into_iter().filter_map(of).collect()
}

/// The processes of a unit that were killed, and what ended it, if it had been waited for; the words are those of
/// `unit_kill_context` and `service_dispatch_timer` in `src/core` of systemd.
fn read(told: &str, unit: &str) -> Option<(Vec<String>, Option<EndedBy>)> {
    let lines = || told.lines().filter_map(|line| line.strip_prefix(unit)?.strip_prefix(": "));
    let process = |line: &str| {
        let (_, name) = line.strip_prefix("Killing process ")?.split_once('(')?;
        Some(name.strip_suffix(" with signal SIGKILL.")?.strip_suffix(')')?.to_owned())
    };
    let processes: Vec<String> = lines().filter_map(process).collect();
    // That of `ExecStop=`.
    let is_asked_again =
        lines().any(|line| matches!(line, "Stopping timed out. Terminating." | "Stopping timed out. Aborting."));
    let is_killed = lines().any(|line| {
        line == "Stopping timed out. Killing." || line.starts_with("State '") && line.ends_with("' timed out. Killing.")
    });
    let ended_by = match (is_asked_again, is_killed) {
        (false, false) => None,
        (true, false) => Some(EndedBy::Term),
        (false, true) => Some(EndedBy::Kill),
        (true, true) => Some(EndedBy::KillAfterTerm),
    };
    (ended_by.is_some() || !processes.is_empty()).then_some((processes, ended_by))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_killed_is_read_from_the_words_of_systemd() {
        let told = "Stopping web.service - web...\n\
                    web.service: State 'stop-sigterm' timed out. Killing.\n\
                    web.service: Killing process 1381 (sh) with signal SIGKILL.\n\
                    web.service: Killing process 1387 (a) b (c) with signal SIGKILL.\n\
                    web.service: Main process exited, code=killed, status=9/KILL\n\
                    db.service: Killing process 7 (helper) with signal SIGKILL.\n\
                    quiet.service: Deactivated successfully.\n";
        let words = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(read(told, "web.service"), Some((words(&["sh", "a) b (c"]), Some(EndedBy::Kill))));
        assert_eq!(read(told, "db.service"), Some((words(&["helper"]), None)));
        assert_eq!(read(told, "quiet.service"), None);
    }

    #[test]
    fn what_did_not_answer_a_stop_command_is_ended_by_sigterm_or_after_it() {
        let told = "poll.service: Stopping timed out. Terminating.\n\
                    poll.service: Main process exited, code=killed, status=15/TERM\n\
                    poll.service: Failed with result 'timeout'.\n\
                    deaf.service: Stopping timed out. Terminating.\n\
                    deaf.service: State 'stop-sigterm' timed out. Killing.\n\
                    deaf.service: Killing process 7 (python3) with signal SIGKILL.\n\
                    post.service: State 'stop-post' timed out. Terminating.\n";
        assert_eq!(read(told, "poll.service"), Some((Vec::new(), Some(EndedBy::Term))));
        assert_eq!(read(told, "deaf.service"), Some((vec!["python3".to_owned()], Some(EndedBy::KillAfterTerm))));
        // It has ended; what follows an end took too long.
        assert_eq!(read(told, "post.service"), None);
    }
}
