//! `nssm.exe`: called directly, never through cmd.exe, with nothing on its standard input.
//!
//! Exit codes and the `SERVICE_*` words decide; messages are translated on some systems. A call
//! with a missing argument would open a window, so every call here is complete.

#[cfg(windows)]
mod account;
pub mod adopt;
#[cfg(windows)]
mod examine;
mod fetch;
#[cfg(windows)]
pub mod registry;
#[cfg(windows)]
mod runner;
mod source;
#[cfg(windows)]
mod supply;

use std::thread;
use std::time::{Duration, Instant};

use crate::diagnose::{self, Finding};
use crate::error::Error;
#[cfg(windows)]
use crate::host::files;
use crate::host::{interrupt, process};
use crate::managers::log_file;
use crate::model::artifact::Artifact;
use crate::model::command_line;
use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::nssm_release::{Bits, Release};
pub use crate::model::operation::nssm::Operation;
use crate::model::parameter::Parameter;
use crate::model::password::Password;
use crate::model::place::{Place, RUNNER};
use crate::model::registration::Registration;
use crate::model::runner_order::RunnerOrder;
use crate::model::status::{ServiceStatus, State};
use crate::model::text::Text;
use crate::render::checksums;
use crate::render::nssm::Executables;

/// Longest time that a call of NSSM may take which stops nothing; one that takes longer has opened a window.
const LIMIT: Duration = Duration::from_secs(60);
/// How long a service has to stay `SERVICE_RUNNING` to count as settled. NSSM says so once the
/// program has run for its throttle time, 1.5 s.
const SETTLE: Duration = Duration::from_millis(2500);
/// How long to wait for a service to settle: NSSM announces it after its throttle time at the latest.
const START_PATIENCE: Duration = Duration::from_secs(40);
/// How long to wait for a service to stop beyond the time of its stop methods, as long as NSSM has those that it does
/// not keep.
const STOP_PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait for one that does not begin to: what was asked of it was refused.
const REFUSED: Duration = Duration::from_secs(10);
/// How long somebody may have a service open that was removed.
const GONE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(200);

/// What the command line says about NSSM.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// The executable to copy.
    pub exe: Option<Text>,
    /// A zip file to take it from.
    pub archive: Option<Text>,
    /// Never download.
    pub offline: bool,
    /// Certificate authorities to trust.
    pub ca_file: Option<Text>,
    /// Use one whose checksum is not known.
    pub allow_unknown: bool,
    /// An export brings neither it nor `RunService.exe`.
    pub left_out: bool,
}

/// What services need of an `nssm.exe`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The oldest release that will do.
    pub release: Release,
    /// What needs it, such as `` `AppKillProcessTree` ``.
    pub what: String,
}

/// What is told while the executables are put where services are to have them.
#[derive(Debug)]
pub enum Supply<'a> {
    /// NSSM is downloaded from the first of these that has it.
    Downloads(&'a [String]),
    /// An executable is put somewhere.
    Puts {
        /// Its name.
        what: &'a str,
        /// Where it is put.
        to: &'a Text,
        /// Where it comes from.
        from: &'a Text,
    },
    /// An `nssm.exe` is passed over, and the search goes on.
    PassesOver {
        /// Where it is.
        path: &'a Text,
        /// Why it is not used.
        reason: &'a str,
    },
    /// An `nssm.exe` is used that is that of no release.
    Unknown {
        /// Where it is.
        path: &'a Text,
        /// Its checksum, in hexadecimal digits.
        sha256: &'a str,
    },
    /// The `nssm.exe` there is of an earlier release and in use, so that the one at hand has to wait.
    NssmStays {
        /// Where it is.
        path: &'a Text,
        /// Its release.
        release: Release,
        /// The one that is at hand.
        wanted: Release,
    },
    /// The `RunService.exe` there is in use, so that a newer one has to wait.
    RunnerStays(&'a Text),
}

/// Who is told.
pub type TellSupply<'a> = &'a mut dyn FnMut(Supply<'_>);

/// Makes sure that `nssm.exe` is where it is wanted.
///
/// # Errors
/// Which one was refused and why, or what to download, from where, and where to put it.
#[cfg(windows)]
pub fn provide(wishes: &Wishes, need: Option<&Need>, place: &Place, tell: TellSupply<'_>) -> Result<(), Error> {
    supply::provide(wishes, need, place, tell)
}

/// Makes sure that `nssm.exe` is where it is wanted: elsewhere than on Windows it never is.
///
/// # Errors
/// None here; nothing is installed with NSSM elsewhere.
#[cfg(not(windows))]
pub fn provide(_wishes: &Wishes, _need: Option<&Need>, _place: &Place, _tell: TellSupply<'_>) -> Result<(), Error> {
    Ok(())
}

/// The files that put a newer `nssm.exe`, or the one that is named, in the place of the one that services have; none where
/// that is there already.
///
/// # Errors
/// Which one was refused and why, or what to download, from where, and where to put it.
#[cfg(windows)]
pub fn replacement(wishes: &Wishes, place: &Place, tell: TellSupply<'_>) -> Result<Option<[Artifact; 2]>, Error> {
    supply::replacement(wishes, place, tell)
}

/// The files of a newer `nssm.exe`: elsewhere than on Windows services have none.
///
/// # Errors
/// None here.
#[cfg(not(windows))]
pub fn replacement(_wishes: &Wishes, _place: &Place, _tell: TellSupply<'_>) -> Result<Option<[Artifact; 2]>, Error> {
    Ok(None)
}

/// The names of the services that the `nssm.exe` of `place` runs, whoever made them.
#[cfg(windows)]
pub fn users(place: &Place) -> Vec<String> {
    registry::users_of(&place.nssm())
}

/// The names of the services that an `nssm.exe` runs: elsewhere than on Windows there are none.
#[cfg(not(windows))]
pub fn users(_place: &Place) -> Vec<String> {
    Vec::new()
}

/// What an export brings for services of NSSM.
#[derive(Debug, Default)]
pub struct Brought {
    /// The executables, by their names.
    pub files: Vec<Artifact>,
    /// What a batch has to know of them.
    pub executables: Executables,
    /// What is not among them, and what follows from that.
    pub notes: Vec<String>,
}

/// The executables that lie beside the batches of an export, on either system: so they need no network where they run.
/// What is not at hand is told and no failure, because somebody can put it `there` later, or has; what was named has to be
/// at hand.
///
/// # Errors
/// When one that was named cannot be read, or may not be used.
pub fn bring(
    wishes: &Wishes,
    need: Option<&Need>,
    has_programs: bool,
    there: &Text,
    tell: TellSupply<'_>,
) -> Result<Brought, Error> {
    let mut brought = Brought::default();
    let known = Release::WANTED.into_iter().filter(|release| need.is_none_or(|need| *release >= need.release));
    let known =
        known.flat_map(Release::executables).filter_map(|known| checksums::of_hexadecimal(known.sha256.as_bytes()));
    brought.executables.nssm = known.collect();
    if wishes.left_out {
        return Ok(brought);
    }
    let search = source::Search { wishes, need, bits: Bits::Of64 };
    let mut nssm = search.named(tell)?;
    if nssm.is_none() {
        nssm = search.named_archive(tell)?;
    }
    let nssm = match nssm.or_else(|| search.put_already(&there.with(source::NSSM))) {
        Some(nssm) => Ok(nssm),
        None => search.anywhere(tell)?,
    };
    match nssm {
        Ok(nssm) => {
            let sum = checksums::sha256(&nssm.exe);
            if !brought.executables.nssm.contains(&sum) {
                brought.executables.nssm.push(sum);
            }
            let to = there.with(source::NSSM);
            if nssm.from != to {
                tell(Supply::Puts { what: source::NSSM, to: &to, from: &nssm.from });
            }
            brought.files.push(Artifact::plain(source::NSSM.into(), nssm.exe));
        }
        Err(reason) => {
            let by_hand = source::by_hand(String::new(), Bits::Of64, "beside the batches").help().concat();
            brought.notes.push(format!("nssm.exe is not among the files: {by_hand}; {reason}"));
        }
    }
    match source::run_service() {
        Some(path) => {
            let exe = source::read(RUNNER, &path)?;
            brought.executables.runner = Some(checksums::sha256(&exe));
            brought.files.push(Artifact::plain(RUNNER.into(), exe));
        }
        None if has_programs => brought.notes.push(format!(
            "{RUNNER} is not among the files, because it is not beside this program: the services will leave no error log; \
             a release for Windows has it"
        )),
        None => {}
    }
    Ok(brought)
}

/// Whether services can have `RunService.exe`: it lies beside this program, or where they are to have it.
#[cfg(windows)]
pub fn has_runner(place: &Place) -> bool {
    runner::is_at_hand(place)
}

/// Whether services can have `RunService.exe`: elsewhere than on Windows there are none.
#[cfg(not(windows))]
pub fn has_runner(_place: &Place) -> bool {
    false
}

/// Makes sure that `RunService.exe` is where services are to have it.
///
/// # Errors
/// When it cannot be put there.
#[cfg(windows)]
pub fn provide_runner(place: &Place, tell: TellSupply<'_>) -> Result<(), Error> {
    runner::provide(place, tell)
}

/// Makes sure that `RunService.exe` is where services are to have it: elsewhere than on Windows there are none.
///
/// # Errors
/// None here.
#[cfg(not(windows))]
pub fn provide_runner(_place: &Place, _tell: TellSupply<'_>) -> Result<(), Error> {
    Ok(())
}

/// An executable of services in the working directory, and why it stays there, if it does.
pub type Withdrawn = (Text, Option<String>);

/// Takes away the `nssm.exe` and the `RunService.exe` that we put into the working directory, after the
/// services `removed` were; says which of them went, and why not where one stays.
///
/// # Errors
/// When one cannot be removed.
#[cfg(windows)]
pub fn withdraw(place: &Place, removed: &[ServiceName]) -> Result<Vec<Withdrawn>, Error> {
    let mut withdrawn = vec![(place.nssm(), supply::withdraw(place, removed)?)];
    if files::is_there(&place.runner()) {
        withdrawn.push((place.runner(), runner::withdraw(place, removed)?));
    }
    Ok(withdrawn)
}

/// Takes away the `nssm.exe` that we put into the working directory: elsewhere there is none.
///
/// # Errors
/// None here.
#[cfg(not(windows))]
pub fn withdraw(place: &Place, _removed: &[ServiceName]) -> Result<Vec<Withdrawn>, Error> {
    Ok(vec![(place.nssm(), Some("it is not there".into()))])
}

/// The state that a word of `nssm status` means.
///
/// `SERVICE_PAUSED` is a program that ended too soon and is waiting to be started again.
pub fn state_of(word: &str) -> Option<State> {
    Some(match word {
        "SERVICE_RUNNING" => State::Running,
        "SERVICE_START_PENDING" => State::Starting,
        "SERVICE_STOP_PENDING" => State::Stopping,
        "SERVICE_PAUSED" | "SERVICE_PAUSE_PENDING" | "SERVICE_CONTINUE_PENDING" => State::Restarting,
        "SERVICE_STOPPED" => State::Stopped,
        _ => return None,
    })
}

/// What a service is doing.
///
/// # Errors
/// When NSSM does not answer with a state.
pub fn status(exe: &Text, name: &ServiceName) -> Result<ServiceStatus, Error> {
    let mut status = ServiceStatus::not_installed();
    if !is_registered(name) {
        return Ok(status);
    }
    let invocation = Invocation::new([exe.clone(), "status".into(), name.as_str().into()]);
    let outcome = process::capture_within(&invocation, LIMIT)?;
    match (outcome.code(), state_of(outcome.text().trim())) {
        (Some(0), Some(state)) => status.state = state,
        // It went away since we looked.
        (Some(3), _) => {}
        _ => return Err(process::failure(&invocation, &outcome)),
    }
    status.enabled = starts_at_boot(name);
    Ok(status)
}

/// Longest time that `operation` may take: to stop a service, as long as its stop methods.
pub(super) fn limit_of(operation: &Operation, exe: &Text) -> Duration {
    match operation {
        Operation::Stop(name) => stop_patience(&stored(exe, name).unwrap_or_default()),
        Operation::Register { .. }
        | Operation::Set { .. }
        | Operation::Unregister(_)
        | Operation::Start(_)
        | Operation::GrantRead { .. }
        | Operation::GrantChange { .. }
        | Operation::Revoke { .. }
        | Operation::LogOnAs { .. }
        | Operation::LetLogOn { .. } => LIMIT,
    }
}

/// How long to wait for a service with these parameters to stop: longer than all its stop methods together, each of
/// which has milliseconds of its own. What a stop command does not end has them once more.
fn stop_patience(stored: &[Parameter]) -> Duration {
    let is_time = |parameter: &&Parameter| {
        matches!(&*parameter.name, "AppStopMethodConsole" | "AppStopMethodWindow" | "AppStopMethodThreads")
    };
    let millis = |parameter: &Parameter| parameter.values.first()?.as_str()?.parse().ok();
    let all: u64 = stored.iter().filter(is_time).filter_map(millis).fold(0, u64::saturating_add);
    let line = stored.iter().find(|parameter| parameter.name == "AppParameters").and_then(|line| line.values.first());
    let order = line.and_then(|line| RunnerOrder::read(command_line::words(line)).ok());
    let rounds = if order.is_some_and(|order| !order.stop_command.is_empty()) { 2 } else { 1 };
    STOP_PATIENCE.saturating_add(Duration::from_millis(all.saturating_mul(rounds)))
}

/// Asks NSSM to start a service. Its own verdict is none: it waits less long than services take.
///
/// # Errors
/// When NSSM cannot be run.
pub fn start(exe: &Text, name: &ServiceName) -> Result<(), Error> {
    process::capture_within(&Operation::Start(name.clone()).invocation(exe), LIMIT).map(drop)
}

/// Asks NSSM to stop a service.
///
/// # Errors
/// When NSSM cannot be run.
pub fn stop(exe: &Text, name: &ServiceName) -> Result<(), Error> {
    let operation = Operation::Stop(name.clone());
    process::capture_within(&operation.invocation(exe), limit_of(&operation, exe)).map(drop)
}

/// Starts a service that does not run, and waits until the service manager says that it does; says whether
/// it had to.
///
/// # Errors
/// [`Error::DidNotStart`] when it has not come up, with the end of its log.
pub fn bring_up(exe: &Text, name: &ServiceName) -> Result<bool, Error> {
    if status(exe, name)?.state.is_active() {
        return Ok(false);
    }
    start(exe, name)?;
    let begun = Instant::now();
    loop {
        interrupt::check()?;
        match status(exe, name)?.state {
            State::Running | State::Restarting => return Ok(true),
            State::NotInstalled => return Err(died(name, "it is not registered")),
            State::Stopped if begun.elapsed() > PAUSE * 2 => return Err(died(name, "it has stopped")),
            _ if begun.elapsed() > START_PATIENCE => return Err(too_slow(name)),
            _ => thread::sleep(PAUSE),
        }
    }
}

/// Stops a service that runs, and waits for its end; says whether it had to.
///
/// # Errors
/// When it goes on running.
pub fn bring_down(exe: &Text, name: &ServiceName) -> Result<bool, Error> {
    if matches!(status(exe, name)?.state, State::Stopped | State::NotInstalled) {
        return Ok(false);
    }
    stop(exe, name)?;
    await_stop(exe, name)?;
    Ok(true)
}

/// Waits until a service has run for a while.
///
/// # Errors
/// [`Error::DidNotStart`] when it stopped or waits to be started again, with the end of its log.
pub fn settle(exe: &Text, name: &ServiceName) -> Result<(), Error> {
    let begun = Instant::now();
    let mut running_since: Option<Instant> = None;
    loop {
        interrupt::check()?;
        let now = Instant::now();
        match status(exe, name)?.state {
            State::Running => {
                if now.duration_since(*running_since.get_or_insert(now)) >= SETTLE {
                    return Ok(());
                }
            }
            State::Restarting => return Err(died(name, "it keeps ending soon after it starts")),
            State::Stopped if begun.elapsed() > PAUSE * 2 => return Err(died(name, "it has stopped")),
            State::NotInstalled => return Err(died(name, "it is not registered")),
            _ => running_since = None,
        }
        if begun.elapsed() > START_PATIENCE {
            return Err(too_slow(name));
        }
        thread::sleep(PAUSE);
    }
}

fn too_slow(name: &ServiceName) -> Error {
    died(name, &format!("it has not come up within {} s", START_PATIENCE.as_secs()))
}

fn died(name: &ServiceName, state: &str) -> Error {
    let log = output_of(name).and_then(|path| log_file::tail_of_ended(&path, 20).ok()).unwrap_or_default();
    Error::DidNotStart {
        service: name.to_string(),
        state: state.to_owned(),
        causes: Box::default(),
        log,
        error_log: None,
        installed: true,
    }
}

/// Waits until a service has stopped.
///
/// # Errors
/// When it goes on running.
pub fn await_stop(exe: &Text, name: &ServiceName) -> Result<(), Error> {
    let begun = Instant::now();
    let patience_of_stop = limit_of(&Operation::Stop(name.clone()), exe);
    loop {
        interrupt::check()?;
        let state = status(exe, name)?.state;
        if matches!(state, State::Stopped | State::NotInstalled) {
            return Ok(());
        }
        let patience = if state == State::Stopping { patience_of_stop } else { REFUSED };
        if begun.elapsed() > patience {
            return Err(Error::Command {
                command: Operation::Stop(name.clone()).invocation(exe).typed(),
                outcome: format!("after {} s the service is still {}", begun.elapsed().as_secs(), state.as_str()),
                stderr: String::new(),
            });
        }
        thread::sleep(PAUSE);
    }
}

/// Waits until Windows has forgotten a service that was removed: it is only marked for that as long as somebody has it
/// open, and none of that name can be made.
///
/// # Errors
/// When it stays.
pub fn await_gone(name: &ServiceName) -> Result<(), Error> {
    let begun = Instant::now();
    while is_registered(name) {
        interrupt::check()?;
        if begun.elapsed() > GONE {
            return Err(Error::Command {
                command: Operation::Unregister(name.clone()).invocation(&"nssm.exe".into()).typed(),
                outcome:
                    "Windows has only marked the service for deletion: close services.msc and other programs that \
                          show it, or restart"
                        .to_owned(),
                stderr: String::new(),
            });
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// The parameters that NSSM keeps for a service of ours, if it is registered.
///
/// # Errors
/// When a service of that name is not NSSM's, or was not made by us: ours write into our directory.
#[cfg(windows)]
pub fn registration(name: &ServiceName, place: &Place) -> Result<Option<Vec<Parameter>>, Error> {
    let foreign = |reason: &str| Error::Foreign {
        path: name.as_str().into(),
        reason: reason.to_owned(),
        help: format!("choose another name with `--service_name`, such as `--service_name my-{name}`"),
    };
    if !registry::is_registered(name) {
        let other = registry::displayed_as(name.as_str());
        return other.map_or(Ok(None), |other| {
            Err(foreign(&format!("it is the display name of the service `{other}`, which NSSM would take for it")))
        });
    }
    if !registry::is_of_nssm(name) {
        return Err(foreign("a service of that name is there already, and NSSM does not run it"));
    }
    let stored = registry::stored(name);
    if !is_ours(name, &stored, place) {
        return Err(Error::Foreign {
            path: name.as_str().into(),
            reason: "a service of NSSM has that name already, and InstallService did not make it".to_owned(),
            help: format!(
                "`InstallService import {name}` prints a manifest of it, and `--adopt` takes it over; or choose another \
                 name with `--service_name`, such as `--service_name my-{name}`"
            ),
        });
    }
    Ok(Some(stored))
}

/// Whether we made the service: it writes into our directory, or there is a receipt of it. OpenMSIStream's own
/// InstallService lets NSSM write no output; it runs a script in that directory, and has a receipt of another form (read
/// from version 1.8.8).
#[cfg(windows)]
fn is_ours(name: &ServiceName, stored: &[Parameter], place: &Place) -> bool {
    let is = |parameter: &str, path: &Text| {
        let is_path = |value: &Text| value.to_string().trim_matches('"').eq_ignore_ascii_case(&path.to_string());
        stored.iter().any(|known| known.name == parameter && matches!(&known.values[..], [value] if is_path(value)))
    };
    let is_predecessor =
        || is("AppParameters", &place.python_script(name)) && files::is_there(&place.legacy_receipt(name));
    is("AppStdout", &place.output(name)) || files::is_there(&place.receipt(name)) || is_predecessor()
}

/// Has a service run as `account` from its next start on, which NSSM does not set by itself; without a password where the
/// account has none, or where nobody knows it.
///
/// # Errors
/// When Windows refuses.
#[cfg(windows)]
pub fn log_on_as(exe: &Text, name: &ServiceName, account: &str, password: Option<&Password>) -> Result<(), Error> {
    account::log_on_as(exe, name, account, password)
}

/// Has a service run as an account: elsewhere than on Windows there is none.
///
/// # Errors
/// None here.
#[cfg(not(windows))]
pub fn log_on_as(_exe: &Text, _name: &ServiceName, _account: &str, _password: Option<&Password>) -> Result<(), Error> {
    Ok(())
}

/// What the registry has for a service of that name, if there is one.
#[cfg(windows)]
pub fn registered_as(service: &str) -> Option<Registration> {
    registry::registration(service)
}

/// What the registry has for a service of that name: elsewhere than on Windows there is none.
#[cfg(not(windows))]
pub fn registered_as(_service: &str) -> Option<Registration> {
    None
}

/// What the registry has for a service of NSSM that is not ours, and that can be taken over.
#[cfg(windows)]
pub fn adoptable(name: &ServiceName, place: &Place) -> Option<Registration> {
    let found = registry::registration(name.as_str()).filter(Registration::is_of_nssm)?;
    (!is_ours(name, &found.parameters(), place)).then_some(found)
}

/// What can be taken over: elsewhere than on Windows nothing.
#[cfg(not(windows))]
pub fn adoptable(_name: &ServiceName, _place: &Place) -> Option<Registration> {
    None
}

/// The parameters that NSSM keeps for a service: elsewhere than on Windows there are none.
///
/// # Errors
/// None here.
#[cfg(not(windows))]
pub fn registration(_name: &ServiceName, _place: &Place) -> Result<Option<Vec<Parameter>>, Error> {
    Ok(None)
}

/// Whether there is a service of exactly this name; NSSM itself answers to display names, too.
#[cfg(windows)]
pub fn is_registered(name: &ServiceName) -> bool {
    registry::is_registered(name)
}

/// What NSSM has for a service that it runs, if there is one. Of one that it is about to make there is
/// the name of this `nssm.exe` alone.
#[cfg(windows)]
pub fn stored(exe: &Text, name: &ServiceName) -> Option<Vec<Parameter>> {
    let is_its = registry::is_of_nssm(name) || registry::users_of(exe).iter().any(|user| user == name.as_str());
    is_its.then(|| registry::stored(name))
}

#[cfg(windows)]
fn starts_at_boot(name: &ServiceName) -> Option<bool> {
    registry::value(name, "Start").map(|value| value.ends_with("AUTO_START"))
}

/// Where a service's output goes.
#[cfg(windows)]
pub fn output_of(name: &ServiceName) -> Option<Text> {
    registry::value(name, "AppStdout").map(Text::from)
}

/// Whether NSSM starts RunService for a service, which starts its program.
#[cfg(windows)]
pub fn runs_through_runner(name: &ServiceName, place: &Place) -> bool {
    registry::runs(name.as_str(), &place.runner())
}

/// Whether there is a service of exactly this name: elsewhere than on Windows there is none.
#[cfg(not(windows))]
pub fn is_registered(_name: &ServiceName) -> bool {
    false
}

/// What is wrong with services, for each of them, and with what they all run through.
///
/// # Errors
/// When a file or the registry cannot be read.
#[cfg(windows)]
pub fn examine(names: &[ServiceName], place: &Place, unfinished: bool) -> Result<diagnose::Found, Error> {
    examine::examine(names, place, unfinished)
}

/// What is wrong with services: elsewhere than on Windows there are none.
///
/// # Errors
/// None here.
#[cfg(not(windows))]
pub fn examine(names: &[ServiceName], _place: &Place, _unfinished: bool) -> Result<diagnose::Found, Error> {
    Ok((vec![None; names.len()], Vec::new()))
}

/// Why Windows would not start the program of a service, by its first bytes.
#[cfg(windows)]
pub fn not_started(program: &Text, service: &ServiceName) -> Option<Finding> {
    examine::not_started(program, service)
}

/// Why Windows would not start a program: elsewhere nothing is known of that.
#[cfg(not(windows))]
pub fn not_started(_program: &Text, _service: &ServiceName) -> Option<Finding> {
    None
}

/// Why a service has failed, if it has.
#[cfg(windows)]
pub fn causes(name: &ServiceName, place: &Place) -> Vec<Finding> {
    examine::causes(name, place)
}

/// Why a service has failed: elsewhere than on Windows there is none.
#[cfg(not(windows))]
pub fn causes(_name: &ServiceName, _place: &Place) -> Vec<Finding> {
    Vec::new()
}

/// The error of a service that did not start, with the causes.
#[cfg(windows)]
pub fn explained(error: Error, place: &Place) -> Error {
    examine::explained(error, place)
}

/// The error of a service that did not start: elsewhere than on Windows there is none.
#[cfg(not(windows))]
pub fn explained(error: Error, _place: &Place) -> Error {
    error
}

/// What NSSM has for a service: elsewhere than on Windows nothing.
#[cfg(not(windows))]
pub fn stored(_exe: &Text, _name: &ServiceName) -> Option<Vec<Parameter>> {
    None
}

#[cfg(not(windows))]
fn starts_at_boot(_name: &ServiceName) -> Option<bool> {
    None
}

/// Where a service's output goes: elsewhere there is none.
#[cfg(not(windows))]
pub fn output_of(_name: &ServiceName) -> Option<Text> {
    None
}

/// Whether NSSM starts RunService for a service: elsewhere there is none.
#[cfg(not(windows))]
pub fn runs_through_runner(_name: &ServiceName, _place: &Place) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_may_take_as_long_as_all_its_methods() {
        let number = Parameter::number;
        let stored = [
            number("AppStopMethodSkip", 7_000_000),
            number("AppStopMethodConsole", 600_000),
            number("AppStopMethodWindow", 5_000),
            number("AppThrottle", 9_000_000),
        ];
        assert_eq!(stop_patience(&stored), STOP_PATIENCE + Duration::from_secs(605));
        assert_eq!(stop_patience(&[]), STOP_PATIENCE);
    }

    #[test]
    fn a_throttled_service_is_restarting() {
        assert_eq!(state_of("SERVICE_PAUSED"), Some(State::Restarting));
        assert_eq!(state_of("SERVICE_RUNNING"), Some(State::Running));
        assert_eq!(state_of("Dienst"), None);
    }
}
