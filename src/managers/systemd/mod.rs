//! What systemd says of a service, and waiting until it has made up its mind.

pub mod adopt;
pub mod environment;
pub mod examine;
pub mod judge;
pub mod killed;
pub mod links;
pub mod presence;
pub mod schedule;
pub mod security;
pub mod units;
pub mod verify;
pub mod why;

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use crate::diagnose::start;
use crate::error::{Error, Fault};
use crate::host::account::Account;
use crate::host::{self, interrupt, privilege, process};
use crate::managers::log_file;
use crate::model::invocation::Invocation;
use crate::model::log_part::LogPart;
use crate::model::name::ServiceName;
pub use crate::model::operation::systemd::Operation;
use crate::model::place::Place;
use crate::model::site::Site;
use crate::model::span::Span;
use crate::model::spec::Scope;
use crate::model::status::{LastRun, Run, ServiceStatus, State};
use crate::model::systemd_version::SystemdVersion;
use crate::model::text::Text;

/// The properties that are asked for. All are enumerations and numbers: a value with a line break
/// in it (an argument, say) could fake a property of its own.
const PROPERTIES: &str = "Id,LoadState,ActiveState,SubState,Type,Job,Result,ExecMainCode,ExecMainStatus,MainPID,NRestarts,\
                          UnitFileState,StateChangeTimestamp,InvocationID,TimeoutStopUSec,\
                          ExecMainStartTimestampMonotonic,ExecMainExitTimestampMonotonic";

/// Longest time that a command of systemd may take that stops nothing: `systemctl start` waits for TimeoutStartSec
/// (300 s in a Python unit of ours).
const LIMIT: Duration = Duration::from_secs(400);
/// How often a service is given the time of its unit to stop: to `ExecStop=`, after SIGTERM and after SIGKILL
/// (systemd.service(5), `TimeoutStopSec=`).
const STOPS: u32 = 3;
/// How long a service has to run on before it counts as settled.
const SETTLE: Duration = Duration::from_millis(1500);
/// How long to wait for a service to settle.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many of the last lines of a log are told, and searched for a cause.
const TOLD: u32 = 20;
/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// The properties of one unit.
pub type Properties = BTreeMap<String, String>;

/// Splits the answer of `systemctl show` for several units: `KEY=VALUE` lines, an empty line
/// between two units.
pub fn parse_show(answer: &str) -> Vec<Properties> {
    answer
        .split("\n\n")
        .map(|block| {
            block
                .lines()
                .filter_map(|line| line.split_once('='))
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect()
        })
        .filter(|properties: &Properties| !properties.is_empty())
        .collect()
}

/// The state of a service, from its properties.
pub fn status_of(properties: &Properties) -> ServiceStatus {
    let get = |key: &str| properties.get(key).map(String::as_str).unwrap_or_default();
    if get("Id").ends_with("@.service") {
        return ServiceStatus { state: State::Template, ..ServiceStatus::not_installed() };
    }
    let state = match (get("LoadState"), get("ActiveState"), get("SubState")) {
        ("not-found", "inactive", _) => State::NotInstalled,
        (_, "activating", "auto-restart") => State::Restarting,
        // What such a service is there for is done on the way up (systemd.service(5), `Type=`).
        (_, "activating", "start") if get("Type") == "oneshot" => State::Running,
        (_, "activating", _) => State::Starting,
        (_, "active" | "reloading", _) => State::Running,
        (_, "deactivating", _) => State::Stopping,
        // It is about to be started.
        (_, "inactive" | "failed", _) if !get("Job").is_empty() => State::Starting,
        (_, "failed", _) => State::Failed,
        _ => State::Stopped,
    };
    let number = |key: &str| get(key).parse::<u64>().ok();
    let text = |key: &str| Some(get(key)).filter(|value| !value.is_empty()).map(str::to_owned);
    ServiceStatus {
        state,
        pid: get("MainPID").parse().ok().filter(|pid| *pid != 0),
        since: text("StateChangeTimestamp"),
        restarts: number("NRestarts"),
        result: text("Result"),
        exit_status: (get("ExecMainCode") != "0").then(|| get("ExecMainStatus").parse().ok()).flatten(),
        enabled: Some(get("UnitFileState") == "enabled"),
        next: None,
        timer_waits: false,
        last: LastRun {
            // CLD_KILLED and CLD_DUMPED of waitid(2).
            signal: matches!(get("ExecMainCode"), "2" | "3"),
            // In microseconds.
            seconds: number("ExecMainExitTimestampMonotonic")
                .zip(number("ExecMainStartTimestampMonotonic"))
                .and_then(|(end, start)| end.checked_sub(start))
                .map(|lasted| lasted / 1_000_000),
        },
        run: text("InvocationID")
            .filter(|_| !matches!(state, State::Stopped | State::Failed | State::NotInstalled))
            .map(|id| Run { id, stop_timeout: get("TimeoutStopUSec").to_owned() }),
    }
}

/// Asks systemd for the properties of services, in the order given, with one call. It has none of a template, and
/// refuses to be asked: of such there is but its name.
///
/// # Errors
/// When systemd does not answer.
pub fn show(names: &[ServiceName], scope: Scope) -> Result<Vec<Properties>, Error> {
    let asked: Vec<String> = names.iter().filter(|name| !name.is_template()).map(ServiceName::unit).collect();
    let mut answers = Vec::new().into_iter();
    if !asked.is_empty() {
        let words = ["show".to_owned(), format!("--property={PROPERTIES}")];
        let invocation = Invocation::systemctl(scope, words.into_iter().chain(asked));
        answers = parse_show(&process::answer(&invocation, &[])?.text()).into_iter();
    }
    let of = |name: &ServiceName| match name.is_template() {
        true => Some(Properties::from([("Id".to_owned(), name.unit())])),
        false => answers.next(),
    };
    Ok(names.iter().map_while(of).collect())
}

/// The instances of a template that run, or have failed, by their names.
///
/// # Errors
/// When systemd does not answer.
pub fn instances(template: &ServiceName, scope: Scope) -> Result<Vec<ServiceName>, Error> {
    let words = ["show".to_owned(), "--property=Id,ActiveState".to_owned(), template.loaded_units()];
    let answers = parse_show(&process::answer(&Invocation::systemctl(scope, words), &[])?.text());
    let runs = answers.iter().filter(|found| found.get("ActiveState").is_some_and(|state| state != "inactive"));
    let names = runs.filter_map(|found| found.get("Id")?.strip_suffix(".service")?.parse::<ServiceName>().ok());
    let mut names: Vec<_> = names.filter(|name| name.template().as_ref() == Some(template)).collect();
    // systemd answers in an order of its own.
    names.sort();
    Ok(names)
}

/// What services and their timers are doing, in the order of their names.
///
/// # Errors
/// When systemd does not answer.
pub fn statuses(names: &[ServiceName], place: &Place, scope: Scope) -> Result<Vec<ServiceStatus>, Error> {
    let mut statuses: Vec<ServiceStatus> = show(names, scope)?.iter().map(status_of).collect();
    schedule::add(&mut statuses, names, place, scope)?;
    Ok(statuses)
}

fn text_of(question: &Invocation) -> Result<String, Error> {
    Ok(process::answer(question, &[])?.text())
}

/// The state of one service.
///
/// # Errors
/// When systemd does not answer.
pub fn status(name: &ServiceName, scope: Scope) -> Result<ServiceStatus, Error> {
    Ok(show(std::slice::from_ref(name), scope)?.first().map_or_else(ServiceStatus::not_installed, status_of))
}

/// Refuses a systemd that is older than the version that the units are written for.
///
/// # Errors
/// A refused request that names the option which helps.
pub fn need_version(wanted: SystemdVersion) -> Result<(), Error> {
    let found = host::systemd::version();
    match found {
        Some(found) if found < wanted.number() => Err(Error::refused(
            Fault::new("systemd", format!("this host has version {found}, and the unit is written for {wanted}"))
                .help(format!("`--assume systemd={found}` uses only what this version knows")),
        )),
        _ => Ok(()),
    }
}

/// Refuses units that systemd has read and not loaded. Of a template there is nothing to be asked before an instance runs.
///
/// # Errors
/// A refused request with what systemd says of the first of them.
pub fn need_loaded(names: &[ServiceName], scope: Scope) -> Result<(), Error> {
    let names: Vec<&ServiceName> = names.iter().filter(|name| !name.is_template()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let words = ["show".to_owned(), "--property=LoadState,LoadError".to_owned()];
    let invocation = Invocation::systemctl(scope, words.into_iter().chain(names.iter().map(|name| name.unit())));
    let answer = process::answer(&invocation, &[])?.text();
    for (name, properties) in names.iter().zip(parse_show(&answer)) {
        let get = |key: &str| properties.get(key).map(String::as_str).unwrap_or_default();
        if get("LoadState") != "loaded" {
            let reason = format!("systemd does not load it (`{}`)\n    {}", get("LoadState"), get("LoadError"));
            let help = format!("`systemd-analyze verify {}` says more of such a unit", name.unit());
            return Err(Error::refused(Fault::new(format!("unit `{}`", name.unit()), reason).help(help)));
        }
    }
    Ok(())
}

/// Waits until every service has run on for a while with the same process, or has ended without an
/// error and is not started again.
///
/// `systemctl start` alone says nothing: it reports success for a program that ends at once.
///
/// # Errors
/// [`Error::DidNotStart`] for the first service that died, with the last lines of its log.
pub fn settle(names: &[ServiceName], site: &Site) -> Result<(), Error> {
    let scope = site.scope();
    let mut watch = None;
    loop {
        interrupt::check()?;
        let asked = Instant::now();
        let answers = show(names, scope)?;
        let answered = Instant::now();
        let watch = watch.get_or_insert_with(|| Watch::begin(&answers, answered));
        match watch.look(&answers, asked, answered) {
            Verdict::Settled => return Ok(()),
            Verdict::Died(at, status) => return Err(died(&names[at], site, &status)),
            Verdict::Undecided => thread::sleep(PAUSE),
        }
    }
}

/// Services that have just been started, look by look. A look at hundreds of them may take a busy systemd a minute:
/// that counts neither for a service nor against it.
struct Watch {
    /// When the first look was over.
    begun: Instant,
    /// The run of each that was seen first, and when.
    seen: Vec<(String, Instant)>,
}

/// What a look says of all of them.
#[derive(Debug, PartialEq)]
enum Verdict {
    Settled,
    Undecided,
    /// The one at this place, and what is known of it.
    Died(usize, ServiceStatus),
}

impl Watch {
    /// After the first look.
    fn begin(answers: &[Properties], now: Instant) -> Self {
        Self { begun: now, seen: answers.iter().map(|properties| (run_of(properties), now)).collect() }
    }

    /// Judges what was answered to a question.
    fn look(&mut self, answers: &[Properties], asked: Instant, answered: Instant) -> Verdict {
        let patient = asked.saturating_duration_since(self.begun) < PATIENCE;
        let mut verdict = Verdict::Settled;
        for (at, (properties, (known, since))) in answers.iter().zip(&mut self.seen).enumerate() {
            let (status, run) = (status_of(properties), run_of(properties));
            match status.state {
                State::Stopped if status.result.as_deref() == Some("success") => continue,
                State::Running if run == *known => {
                    if asked.saturating_duration_since(*since) >= SETTLE {
                        continue;
                    }
                }
                // It was only on its way up when it was seen first.
                State::Running if known.is_empty() => (*known, *since) = (run, answered),
                State::Starting | State::Stopping if patient => {}
                // Also another process than the one we saw: that died, and was started again.
                _ => return Verdict::Died(at, status),
            }
            verdict = Verdict::Undecided;
        }
        verdict
    }
}

/// What tells one run of a service from the next: empty while it is not running.
fn run_of(properties: &Properties) -> String {
    let get = |key: &str| properties.get(key).map(String::as_str).unwrap_or_default();
    let is_job = get("Type") == "oneshot";
    if is_job && status_of(properties).state == State::Running {
        // Its commands have a process each.
        format!("{} {}", get("InvocationID"), get("NRestarts"))
    } else if matches!(get("ActiveState"), "active" | "reloading") {
        format!("{} {} {}", get("InvocationID"), get("MainPID"), get("NRestarts"))
    } else {
        String::new()
    }
}

fn died(name: &ServiceName, site: &Site, status: &ServiceStatus) -> Error {
    let log = log_of_failure(name, site);
    Error::DidNotStart {
        service: name.to_string(),
        state: start::ended(status),
        causes: why::causes(name, site, status, &log).into(),
        log: log.shown(),
        error_log: None,
        installed: true,
    }
}

/// The error of a start that systemctl itself reported; with the last lines of its log where one of
/// `names` has died.
pub fn with_log(error: Error, names: &[ServiceName], site: &Site) -> Error {
    let states = show(names, site.scope()).unwrap_or_default().iter().map(status_of).collect::<Vec<_>>();
    let mut known = names.iter().zip(&states);
    match known.find(|(_, status)| matches!(status.state, State::Failed | State::Restarting)) {
        Some((name, status)) => died(name, site, status),
        None => error,
    }
}

/// What a service wrote last, as far as the caller may read it.
#[derive(Debug, Default)]
pub struct Written {
    /// The end of the journal, with what systemd said of it.
    pub journal: String,
    /// The end of the file that it writes to in place of the journal.
    pub file: String,
}

impl Written {
    /// All of it.
    fn shown(self) -> String {
        self.journal + &self.file
    }
}

/// The file that the output of a service goes to, where that is not the journal: by its receipt.
pub fn output_of(name: &ServiceName, place: &Place) -> Option<Text> {
    why::receipt(name, place)?.output_file()
}

/// The end of the journal of a service, with what systemd said of it.
fn recent_journal(name: &ServiceName, scope: Scope) -> Result<String, Error> {
    synced();
    Ok(process::answer(&logs(std::slice::from_ref(name), scope, &LogPart::last(TOLD)), &[])?.text())
}

/// Waits until the journal has what was written so far: what a service said just before it died may be on its way still.
/// Only root may ask for that.
fn synced() {
    if process::ask(&Invocation::new(["journalctl", "--sync"]), &[]).is_ok_and(|outcome| !outcome.status.success()) {
        thread::sleep(PAUSE * 3);
    }
}

/// What a service that has failed wrote last.
pub(super) fn log_of_failure(name: &ServiceName, site: &Site) -> Written {
    let may_read = match site.scope() {
        Scope::System => presence::may_read_journal(),
        Scope::User => true,
    };
    let journal = if may_read { recent_journal(name, site.scope()).unwrap_or_default() } else { String::new() };
    let file = output_of(name, &site.place).and_then(|path| log_file::tail(&path, TOLD as usize).ok());
    Written { journal, file: file.unwrap_or_default() }
}

/// The command that shows a part of the log of services, the oldest line first.
///
/// # Errors
/// When the journal cannot be read.
pub fn logs_of(names: &[ServiceName], scope: Scope, part: &LogPart) -> Result<Invocation, Error> {
    let (Some(_), Some(_), false) = (part.lines, &part.grep, part.follow) else { return Ok(logs(names, scope, part)) };
    // journalctl shows the last lines that match in the reverse order (journalctl(1), `--grep=`): the first of them is
    // asked for, and then all from there on.
    let Invocation(mut words) = logs(names, scope, part);
    words.extend(["--output=json", "--output-fields=__CURSOR"].map(Text::from));
    let found = process::ask(&Invocation(words), &[])?.text();
    let oldest = found.lines().last().and_then(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let cursor = oldest.and_then(|entry| Some(entry.get("__CURSOR")?.as_str()?.to_owned()));
    let Some(cursor) = cursor else { return Ok(logs(names, scope, part)) };
    let Invocation(mut words) = logs(names, scope, &LogPart { lines: None, since: None, ..part.clone() });
    words.push(format!("--cursor={cursor}").into());
    Ok(Invocation(words))
}

/// The command that shows a part of the log of services, with every byte that they have written: without `--all`
/// journalctl shows a line with a control or another character that it cannot print as `[26B blob data]`.
fn logs(names: &[ServiceName], scope: Scope, part: &LogPart) -> Invocation {
    let mut words: Vec<Text> = ["journalctl", "--no-pager", "--quiet", "--all"].map(Text::from).to_vec();
    words.extend(part.lines.map(|lines| format!("--lines={lines}").into()));
    if part.follow {
        words.push("--follow".into());
    }
    words.extend(part.choices().map(|(option, value)| {
        let mut word = format!("--{option}=").into_bytes();
        word.extend_from_slice(value.as_bytes());
        Text::from_bytes(word)
    }));
    // A pattern is for an option alone.
    if names.iter().any(ServiceName::is_template) {
        let option = match scope {
            Scope::System => "--unit",
            Scope::User => "--user-unit",
        };
        words.extend(names.iter().map(|name| format!("{option}={}", name.loaded_units()).into()));
        return Invocation(words);
    }
    for (at, fields) in of_services(names, scope).into_iter().enumerate() {
        // It begins another alternative.
        words.extend((at > 0).then(|| "+".into()));
        words.extend(fields.into_iter().map(Text::from));
    }
    Invocation(words)
}

/// What entries of the journal have that are of services, each list one alternative.
///
/// The unit of a process is read from the process, and is not known of one that has ended already: a user's, and one that
/// a program has started. The name that is given to its output always is; everybody may take it, so the account counts,
/// too. The other alternatives for a service of the system are those of `--unit=` (`add_matches_for_unit` in
/// `src/shared/logs-show.c` of systemd).
fn of_services(names: &[ServiceName], scope: Scope) -> Vec<Vec<String>> {
    match scope {
        Scope::System => {
            let users = users(names);
            let of = |(name, user): (&ServiceName, Option<u32>)| {
                let (unit, root) = (name.unit(), "_UID=0".to_owned());
                let output = |user| {
                    let name = format!("SYSLOG_IDENTIFIER={name}");
                    vec![name, "_TRANSPORT=stdout".to_owned(), format!("_UID={user}")]
                };
                let mut alternatives = vec![
                    vec![format!("_SYSTEMD_UNIT={unit}")],
                    vec![format!("UNIT={unit}"), "_PID=1".to_owned()],
                    vec![format!("OBJECT_SYSTEMD_UNIT={unit}"), root.clone()],
                    vec![format!("COREDUMP_UNIT={unit}"), root],
                ];
                alternatives.extend(user.map(output));
                alternatives
            };
            names.iter().zip(users).flat_map(of).collect()
        }
        Scope::User => {
            let user = format!("_UID={}", privilege::user_id());
            let of = |name: &ServiceName| {
                let unit = name.unit();
                [format!("_SYSTEMD_USER_UNIT={unit}"), format!("USER_UNIT={unit}"), format!("SYSLOG_IDENTIFIER={name}")]
            };
            names.iter().flat_map(of).map(|field| vec![field, user.clone()]).collect()
        }
    }
}

/// The numbers of the accounts that services run as, as far as they are known.
fn users(names: &[ServiceName]) -> Vec<Option<u32>> {
    let words = ["show", "--property=Id,User"].map(str::to_owned).into_iter();
    let invocation = Invocation::systemctl(Scope::System, words.chain(names.iter().map(ServiceName::unit)));
    let answer = process::answer(&invocation, &[]).map(|outcome| outcome.text()).unwrap_or_default();
    let known = parse_show(&answer);
    let of = |name: &ServiceName| {
        let found = known.iter().find(|found| found.get("Id").is_some_and(|id| *id == name.unit()))?;
        match found.get("User").map(String::as_str).unwrap_or_default() {
            "" => Some(0),
            account => Account::of_service(account, None, &[]).map(|account| account.id()),
        }
    };
    names.iter().map(of).collect()
}

/// From now on systemd starts services however often they were started lately: it counts starts by hand, too, and
/// refuses one when the limit of the unit is reached (systemd.unit(5), `StartLimitIntervalSec=`). `reset-failed` clears
/// the count (systemctl(1)).
pub(super) fn allow_start(names: &[ServiceName], scope: Scope) {
    // It fails for a unit that is not loaded, of which there is no count.
    drop(act(&Operation::ResetFailed(names.to_vec()), scope));
}

/// Those of `names` whose units say nothing of a reload (`CanReload` of org.freedesktop.systemd1(5)).
///
/// # Errors
/// When systemd does not answer.
pub(super) fn not_reloadable(names: &[ServiceName], scope: Scope) -> Result<Vec<ServiceName>, Error> {
    let words = ["show".to_owned(), "--property=Id,CanReload".to_owned()];
    let invocation = Invocation::systemctl(scope, words.into_iter().chain(names.iter().map(ServiceName::unit)));
    let answers = parse_show(&process::answer(&invocation, &[])?.text());
    let can_reload = |(_, found): &(&ServiceName, &Properties)| found.get("CanReload").is_some_and(|can| can == "yes");
    let others = names.iter().zip(&answers).filter(|pair| !can_reload(pair));
    Ok(others.map(|(name, _)| name.clone()).collect())
}

/// Longest time that `operation` may take: as long as systemd waits for the services that it stops. They may do so one
/// after the other.
pub fn limit_of(operation: &Operation, scope: Scope) -> Duration {
    let names = operation.stops();
    if names.is_empty() {
        return LIMIT;
    }
    let words = ["show".to_owned(), "--property=TimeoutStopUSec".to_owned()];
    let invocation = Invocation::systemctl(scope, words.into_iter().chain(names.iter().map(ServiceName::loaded_units)));
    // Whoever does not answer this does not do the other either.
    let answers = process::answer(&invocation, &[]).map(|answer| parse_show(&answer.text())).unwrap_or_default();
    answers
        .iter()
        .filter_map(|found| found.get("TimeoutStopUSec"))
        .fold(LIMIT, |limit, span| limit.saturating_add(time_of(span).saturating_mul(STOPS)))
}

/// A length of time in systemd's words; what has no end is `infinity`.
fn time_of(span: &str) -> Duration {
    span.parse().map_or(Duration::MAX, Span::as_duration)
}

/// Does `operation` with one call, and gives systemctl's own error if it fails.
///
/// # Errors
/// When systemctl says so.
pub(super) fn act(operation: &Operation, scope: Scope) -> Result<(), Error> {
    process::run_within(&operation.invocation(scope), limit_of(operation, scope)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(text: &str) -> Properties {
        parse_show(text).remove(0)
    }

    /// The properties of a service in that state, with that process.
    fn service(active: &str, pid: u32) -> Vec<Properties> {
        parse_show(&format!("LoadState=loaded\nActiveState={active}\nSubState=x\nResult=success\nMainPID={pid}\n"))
    }

    #[test]
    fn a_systemd_that_is_long_in_answering_is_no_fault_of_a_service() {
        let begun = Instant::now();
        let minute = |number: u32| begun + number * Duration::from_secs(60);
        let (starting, running) = (service("activating", 7), service("active", 7));
        let mut watch = Watch::begin(&running, minute(1));
        assert_eq!(watch.look(&running, minute(0), minute(1)), Verdict::Undecided);
        assert_eq!(watch.look(&running, minute(1), minute(2)), Verdict::Undecided);
        assert_eq!(watch.look(&running, minute(1) + SETTLE, minute(3)), Verdict::Settled);
        assert_eq!(watch.look(&service("reloading", 7), minute(3), minute(4)), Verdict::Settled);
        // One that comes up between two looks has to run on from then.
        let mut watch = Watch::begin(&starting, minute(1));
        assert_eq!(watch.look(&starting, minute(0), minute(1)), Verdict::Undecided);
        assert_eq!(watch.look(&running, minute(2), minute(3)), Verdict::Undecided);
        assert_eq!(watch.look(&running, minute(3), minute(4)), Verdict::Undecided);
        assert_eq!(watch.look(&running, minute(4), minute(5)), Verdict::Settled);
    }

    #[test]
    fn another_process_and_an_endless_start_are_faults() {
        let now = Instant::now();
        let mut watch = Watch::begin(&service("active", 7), now);
        assert!(matches!(watch.look(&service("active", 8), now, now), Verdict::Died(0, _)));
        let starting = service("activating", 7);
        let mut watch = Watch::begin(&starting, now);
        assert_eq!(watch.look(&starting, now, now), Verdict::Undecided);
        assert!(matches!(watch.look(&starting, now + PATIENCE, now + PATIENCE), Verdict::Died(0, _)));
        let ended = service("inactive", 0);
        assert_eq!(Watch::begin(&ended, now).look(&ended, now, now), Verdict::Settled);
    }

    #[test]
    fn times_are_read_in_the_words_of_systemd() {
        for (span, seconds) in [("1min 30s", 90), ("1h 2min", 3720), ("500ms", 0), ("1month 1w", 3_234_600)] {
            assert_eq!(time_of(span).as_secs(), seconds, "{span}");
        }
        assert_eq!(time_of("infinity").saturating_mul(STOPS), Duration::MAX);
    }

    #[test]
    fn units_are_told_apart_by_an_empty_line() {
        let answers = parse_show("Id=a.service\nMainPID=1\n\nId=b.service\nMainPID=0\n");
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[1]["Id"], "b.service");
    }

    #[test]
    fn a_crashing_service_is_restarting_not_starting() {
        let status = status_of(&properties(
            "LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nResult=exit-code\n\
             ExecMainCode=1\nExecMainStatus=2\nMainPID=0\nNRestarts=3\nUnitFileState=enabled\n\
             ExecMainStartTimestampMonotonic=5000000\nExecMainExitTimestampMonotonic=7900000\n",
        ));
        assert_eq!(status.last, LastRun { signal: false, seconds: Some(2) });
        assert_eq!(status.state, State::Restarting);
        assert_eq!(status.exit_status, Some(2));
        assert_eq!(status.restarts, Some(3));
        assert_eq!(status.pid, None);
    }

    #[test]
    fn a_template_is_no_service_that_is_stopped() {
        assert_eq!(status_of(&properties("Id=a@.service\n")).state, State::Template);
        assert_eq!(status_of(&properties("Id=a@b.service\nLoadState=loaded\n")).state, State::Stopped);
    }

    #[test]
    fn a_unit_that_systemd_does_not_know_is_not_installed() {
        let status = status_of(&properties("LoadState=not-found\nActiveState=inactive\nSubState=dead\n"));
        assert_eq!(status.state, State::NotInstalled);
    }
}
