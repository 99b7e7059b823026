//! What systemd had to kill, because it did not end when it was asked to.
//!
//! `systemctl stop` says nothing of it, and of a service that was started again nothing else does. So systemd's own lines
//! of the run that was stopped tell, which stand in the journal under its invocation (systemd.journal-fields(7)).

use super::{show, synced};
use crate::host::{privilege, process};
use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::spec::Scope;
use crate::model::status::{Killed, Run, ServiceStatus};

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
        let (processes, is_deaf) =
            read(&told, &name.unit()).or_else(|| has_timed_out(name).then(|| (Vec::new(), true)))?;
        let log = Invocation::new([
            "journalctl".to_owned(),
            "--no-pager".to_owned(),
            "--quiet".to_owned(),
            format!("--lines={LINES}"),
            format!("_SYSTEMD_INVOCATION_ID={}", run.id),
        ]);
        let log = process::answer(&log, &[]).map(|answer| answer.text()).unwrap_or_default();
        let waited = is_deaf.then(|| run.stop_timeout.clone());
        Some(Killed { service: name.clone(), processes, waited, log })
    };
    ran.into_iter().filter_map(of).collect()
}

/// The processes of a unit that were killed, and whether it had been waited for them; the words are those of
/// `unit_kill_context` and `service_dispatch_timer` in `src/core` of systemd.
fn read(told: &str, unit: &str) -> Option<(Vec<String>, bool)> {
    let lines = || told.lines().filter_map(|line| line.strip_prefix(unit)?.strip_prefix(": "));
    let process = |line: &str| {
        let (_, name) = line.strip_prefix("Killing process ")?.split_once('(')?;
        Some(name.strip_suffix(" with signal SIGKILL.")?.strip_suffix(')')?.to_owned())
    };
    let processes: Vec<String> = lines().filter_map(process).collect();
    let is_deaf = lines().any(|line| line.starts_with("State '") && line.ends_with("' timed out. Killing."));
    (is_deaf || !processes.is_empty()).then_some((processes, is_deaf))
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
        assert_eq!(read(told, "web.service"), Some((words(&["sh", "a) b (c"]), true)));
        assert_eq!(read(told, "db.service"), Some((words(&["helper"]), false)));
        assert_eq!(read(told, "quiet.service"), None);
    }
}
