//! Timers, which start jobs: what they wait for.

use super::{Properties, parse_show, text_of};
use crate::error::{Error, Fault};
use crate::host::files::{self, Entry};
use crate::host::process;
use crate::model::calendar::Calendar;
use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::place::Place;
use crate::model::spec::Scope;
use crate::model::status::{ServiceStatus, State};
use crate::render;

/// Those of `names` that timers of ours start.
pub fn timed(names: &[ServiceName], place: &Place) -> Vec<ServiceName> {
    names.iter().filter(|name| is_timed(name, place)).cloned().collect()
}

/// Whether a timer of ours starts the service.
pub fn is_timed(name: &ServiceName, place: &Place) -> bool {
    matches!(files::look(&place.timer(name)), Ok(Entry::File(found)) if render::is_ours(&found.contents))
}

/// Those of `names` whose timers wait, be they ours or not.
///
/// # Errors
/// When systemd does not answer.
pub fn waiting(names: &[ServiceName], scope: Scope) -> Result<Vec<ServiceName>, Error> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let words = ["show", "--property=Id,ActiveState"].map(str::to_owned).into_iter();
    let found = parse_show(&text_of(&Invocation::systemctl(scope, words.chain(names.iter().map(ServiceName::timer))))?);
    let is_active = |properties: &Properties| properties.get("ActiveState").is_some_and(|state| state == "active");
    Ok(names.iter().zip(&found).filter(|(_, properties)| is_active(properties)).map(|(name, _)| name.clone()).collect())
}

/// Adds to what services are doing what their timers wait for.
///
/// # Errors
/// When systemd does not answer.
pub(super) fn add(
    statuses: &mut [ServiceStatus],
    names: &[ServiceName],
    place: &Place,
    scope: Scope,
) -> Result<(), Error> {
    let timed = timed(names, place);
    if timed.is_empty() {
        return Ok(());
    }
    let timers: Vec<String> = timed.iter().map(ServiceName::timer).collect();
    let ask = |words: &[&str]| {
        let words = words.iter().map(|word| (*word).to_owned()).chain(timers.iter().cloned());
        text_of(&Invocation::systemctl(scope, words))
    };
    let found = parse_show(&ask(&["show", "--property=Id,ActiveState,UnitFileState"])?);
    let listed = ask(&["list-timers", "--all", "--full", "--no-legend", "--no-pager"])?;
    for (name, properties) in timed.iter().zip(&found) {
        let is = |key: &str, value: &str| properties.get(key).is_some_and(|found| found == value);
        let at = names.iter().position(|known| known == name);
        let Some(status) = at.and_then(|at| statuses.get_mut(at)) else { continue };
        status.enabled = Some(is("UnitFileState", "enabled"));
        status.timer_waits = is("ActiveState", "active");
        status.next = next(&listed, &name.timer()).filter(|_| status.timer_waits);
        if status.timer_waits && status.state == State::Stopped {
            status.state = State::Waiting;
        }
    }
    Ok(())
}

/// When a timer elapses next, in an answer of `systemctl list-timers`, whose lines begin with that: the day of the week,
/// the date, the time and the time zone, or `-` where it waits for no time.
fn next(listed: &str, timer: &str) -> Option<String> {
    let line = listed.lines().find(|line| line.split_whitespace().any(|word| word == timer))?;
    let words: Vec<&str> = line.split_whitespace().take(4).collect();
    let is_date = |word: &str| word.len() == 10 && word.bytes().filter(|byte| *byte == b'-').count() == 2;
    (words.len() == 4 && is_date(words[1])).then(|| words.join(" "))
}

/// Has the systemd of this host judge a calendar expression, where it can.
///
/// # Errors
/// A refused request, with what it says of one that it does not read.
pub fn judge(calendar: &Calendar) -> Result<(), Error> {
    let Ok(outcome) = process::ask(&Invocation::new(["systemd-analyze", "calendar", calendar.as_str()]), &[]) else {
        return Ok(());
    };
    if outcome.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&outcome.stderr);
    let reason = format!("the systemd of this host does not read it: {}", said.lines().next().unwrap_or_default());
    Err(Error::refused(Fault::new("option `--schedule`", reason).given(calendar.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_run_is_read_from_the_list() {
        let listed = "Fri 2026-11-27 20:15:00 UTC 14min left Fri 2026-11-27 20:00:00 UTC 14s ago web.timer web.service\n\
                      -                           -         -                           -       idle.timer idle.service\n\
                      n/a                         n/a       n/a                         n/a     old.timer  old.service\n";
        assert_eq!(next(listed, "web.timer").as_deref(), Some("Fri 2026-11-27 20:15:00 UTC"));
        assert_eq!(next(listed, "idle.timer"), None);
        assert_eq!(next(listed, "old.timer"), None);
        assert_eq!(next(listed, "eb.timer"), None);
    }
}
