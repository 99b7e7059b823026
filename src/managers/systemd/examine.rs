//! What is found of an installed service, and around it, without changing anything.

use std::io;

use super::adopt;
use super::units::{self, Units};
use super::{Written, log_of_failure, parse_show, presence, statuses, why};
use crate::diagnose::installed::{Installed, SinceAdopted, Surroundings};
use crate::diagnose::start::Known;
use crate::error::Error;
use crate::host::files::{self, Entry};
use crate::host::folder::Listed;
use crate::host::reading::{self, Limit, Links, Unread};
use crate::host::state::Kept;
use crate::host::text::path as to_path;
use crate::host::{account, privilege, process};
use crate::model::invocation::Invocation;
use crate::model::links::InstallSection;
use crate::model::name::ServiceName;
use crate::model::original::Replaced;
use crate::model::overrides::{self, Overridden};
use crate::model::place::Place;
use crate::model::platform::Platform;
use crate::model::site::Site;
use crate::model::spec::Scope;
use crate::model::status::State;
use crate::model::text::Text;
use crate::render;

/// Where everybody waits for the network (systemd.special(7)).
const ONLINE: &str = "network-online.target";
/// What sets up the network, and what waits for it.
const WAITERS: [(&str, &str); 3] = [
    ("NetworkManager.service", "NetworkManager-wait-online.service"),
    ("systemd-networkd.service", "systemd-networkd-wait-online.service"),
    ("networking.service", "networking.service"),
];

/// What is found of services, and of what surrounds them.
///
/// # Errors
/// When systemd does not answer, or a file cannot be read.
pub fn examine(names: &[ServiceName], site: &Site) -> Result<(Vec<Installed>, Surroundings), Error> {
    let (place, scope) = (&site.place, site.scope());
    let units = Units::look(place, scope);
    let directory = Listed::open(&place.unit_dir)?;
    let state = Kept::open(&place.state_dir)?;
    let mut found = Vec::new();
    let mut surroundings = Surroundings {
        journal_is_kept: is_kept(),
        shut_out: (scope == Scope::System && !presence::may_read_journal()).then(privilege::user_name).flatten(),
        ..Surroundings::default()
    };
    for (name, status) in names.iter().zip(statuses(names, place, scope)?) {
        let entry = directory.look(&place.unit(name))?;
        let has_failed = matches!(status.state, State::Failed | State::Restarting);
        let log = if has_failed { log_of_failure(name, site) } else { Written::default() };
        let known = why::known(name, place, scope, &log);
        let more =
            ask(&name.unit(), "After,DropInPaths,NeedDaemonReload,RestartUSec,ActiveEnterTimestampMonotonic", scope);
        let get = |key: &str| more.get(key).map(String::as_str).unwrap_or_default();
        if scope == Scope::System && get("After").split_whitespace().any(|unit| unit == ONLINE) {
            surroundings.unwaited.push(name.to_string());
        }
        let unit = match &entry {
            Entry::File(unit) => Some(unit.contents.clone()),
            Entry::Missing | Entry::Other(_) => None,
        };
        // What is enabled: its timer, where it has one.
        let timer = match directory.look(&place.timer(name))? {
            Entry::File(timer) if render::is_ours(&timer.contents) => Some(timer.contents.clone()),
            Entry::File(_) | Entry::Missing | Entry::Other(_) => None,
        };
        let (enabled, enabled_path) = match &timer {
            Some(_) => (name.timer(), place.timer(name)),
            None => (name.unit(), place.unit(name)),
        };
        let asked = timer.as_ref().or(unit.as_ref()).map(|unit| InstallSection::read(unit, &enabled).links(&enabled));
        let asked = asked.unwrap_or_default().into_iter();
        let asked: Vec<Text> = asked.map(|link| Platform::Unix.join(&place.unit_dir, &link.to_string())).collect();
        let there = units.links.of(&enabled);
        let leads_to_ours = |target: &Text| target.as_bytes().ends_with(enabled.as_bytes());
        let original = adopt::kept(name, place, &state)?.map(|(original, _)| original);
        let originals: Vec<_> = original.iter().flat_map(|original| original.units(name, place)).collect();
        let is_to_original = |target: &Text| {
            let target = adopt::in_real_directory(target);
            originals.iter().any(|replaced| replaced.original.path == target)
        };
        found.push(Installed {
            has_unit: unit.is_some(),
            at_boot: why::receipt(name, place).and_then(|request| request.at_boot).unwrap_or(true),
            has_more: !there.is_empty() || scripts(name, place).iter().any(files::is_there),
            has_receipt: [place.receipt(name), place.legacy_receipt(name)].iter().any(files::is_there),
            missing: missing(name, place, unit.as_deref().unwrap_or_default()),
            secrets: variables(&known, place).into_iter().filter(|path| !files::is_there(path)).collect(),
            other: units.other(name, &entry).filter(|other| original.is_none() || !adopt::is_overridden(other)),
            original: originals.iter().find_map(since_adopted),
            has_timer: timer.is_some(),
            can_be_enabled: !asked.is_empty(),
            links_missing: asked.into_iter().filter(|path| !there.contains_key(path)).collect(),
            links_stale: there
                .iter()
                .filter(|(_, target)| !leads_to_ours(target) || !leads_to(target, &enabled_path))
                // What counts is the name, and a link to what ours overrides has it.
                .filter(|(_, target)| !is_to_original(target))
                .map(|(path, target)| (path.clone(), target.clone()))
                .collect(),
            needs_reload: get("NeedDaemonReload") == "yes" && !is_said_of_all(scope)
                || has_unread(&units.drop_ins(name), get("DropInPaths")),
            logs_out: (scope == Scope::User)
                .then(privilege::user_name)
                .flatten()
                .filter(|user| presence::logs_out(user)),
            in_homes: in_homes(&known),
            overridden: overridden(unit.as_deref().unwrap_or_default(), &units.drop_ins(name)),
            overridden_timer: timer
                .as_ref()
                .map_or_else(Vec::new, |timer| overridden(timer, &units.drop_ins_of_timer(name))),
            pace: get("RestartUSec").to_owned(),
            up_for: up_for(get("ActiveEnterTimestampMonotonic")),
            status,
            known,
        });
    }
    if !surroundings.unwaited.is_empty() {
        let target = ask(ONLINE, "Wants,Requires", scope);
        if target.values().any(|units| !units.trim().is_empty()) {
            surroundings.unwaited.clear();
        }
        let is_active =
            |unit: &str| ask(unit, "ActiveState", scope).get("ActiveState").is_some_and(|of| of == "active");
        surroundings.waiter = WAITERS.iter().find(|(unit, _)| is_active(unit)).map(|(_, waiter)| *waiter);
    }
    Ok((found, surroundings))
}

fn ask(unit: &str, properties: &str, scope: Scope) -> super::Properties {
    let invocation =
        Invocation::systemctl(scope, ["show".to_owned(), format!("--property={properties}"), unit.to_owned()]);
    let answer = process::answer(&invocation, &[]).map(|outcome| outcome.text()).unwrap_or_default();
    parse_show(&answer).into_iter().next().unwrap_or_default()
}

/// Whether the journal of the machine is on the disk (journald.conf(5), `Storage=`).
fn is_kept() -> bool {
    files::list(&"/var/log/journal".into()).iter().any(|of| of.join("system.journal").exists())
}

/// Whether systemd has not read one of these drop-ins: it does not look into a directory that was not there when it read
/// the units, until something has it look for another unit. One of the same name in another directory replaces one.
fn has_unread(drop_ins: &[Text], read: &str) -> bool {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let read: Vec<String> = read.split_whitespace().map(last).collect();
    let plain = drop_ins.iter().filter(|path| !units::is_mask(&to_path(path))).filter_map(Text::as_str);
    plain.filter(|path| !path.contains([' ', '"', '\\'])).any(|path| !read.contains(&last(path)))
}

/// Whether systemd asks for a reload for all units: as of 257 it does so when some unit was enabled or disabled and nothing
/// read again since (252 does not). The unit that stands for all has no file that could have changed.
fn is_said_of_all(scope: Scope) -> bool {
    ask("init.scope", "NeedDaemonReload", scope).get("NeedDaemonReload").is_some_and(|needs| needs == "yes")
}

/// The files of ours that a service is run with: all that it can have but its secrets and its receipt.
fn scripts(name: &ServiceName, place: &Place) -> Vec<Text> {
    let secrets = place.secrets_files(name);
    let is_script = |path: &Text| !secrets.contains(path) && *path != place.receipt(name);
    place.files_of(name).into_iter().filter(is_script).collect()
}

/// The files of ours that a unit names and that are gone.
fn missing(name: &ServiceName, place: &Place, unit: &[u8]) -> Vec<Text> {
    let names = |path: &Text| {
        let last = path.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
        unit.windows(last.len()).any(|part| part == last)
    };
    scripts(name, place).into_iter().filter(|path| names(path) && !files::is_there(path)).collect()
}

/// The files of variables that have to be there: those of secrets, and the administrator's own.
fn variables(known: &Known, place: &Place) -> Vec<Text> {
    let mut paths = Vec::new();
    for line in &known.lines {
        let path = match line.name.as_str() {
            "EnvironmentFile" => line.value.trim_matches('"'),
            "LoadCredential" | "LoadCredentialEncrypted" => line.value.split_once(':').map_or("", |(_, path)| path),
            _ => continue,
        };
        let path = match (path.strip_prefix("%h"), &place.home) {
            (Some(rest), Some(home)) => home.with(rest),
            _ => path.into(),
        };
        // A `-` in front says that it may be gone; with anything odd in it systemd reads it otherwise than it stands here.
        let is_plain =
            path.as_bytes().starts_with(b"/") && !path.as_bytes().iter().any(|byte| br#"*?[%\""#.contains(byte));
        if is_plain {
            paths.push(path);
        }
    }
    paths
}

fn leads_to(target: &Text, unit: &Text) -> bool {
    // A target that is not absolute is beside the unit.
    !target.as_bytes().starts_with(b"/") || target == unit
}

/// What has become of the unit of a package that one of ours overrides since the service was adopted.
fn since_adopted(replaced: &Replaced<'_>) -> Option<SinceAdopted> {
    if replaced.was_in_place() {
        return None;
    }
    let Replaced { original, kept, .. } = replaced;
    let path = original.path.clone();
    match reading::whole(&path, Links::Followed, Limit::TEXT) {
        Ok(contents) if contents == *original.contents => None,
        Ok(_) => Some(SinceAdopted::Changed { path, kept: kept.clone() }),
        Err(Unread::Failed(error)) if error.kind() == io::ErrorKind::NotFound => Some(SinceAdopted::Gone { path }),
        // Who may not read it can find nothing.
        Err(_) => None,
    }
}

/// What drop-ins override of a unit; one that only adds to it overrides nothing.
fn overridden(unit: &[u8], drop_ins: &[Text]) -> Vec<(Text, Vec<Overridden>)> {
    let of = |path: &Text| {
        let Ok(Entry::File(found)) = files::look(path) else { return None };
        let mut all = overrides::of(unit, &found.contents);
        all.retain(|overridden| !overridden.ours.is_empty());
        (!all.is_empty()).then(|| (path.clone(), all))
    };
    drop_ins.iter().filter_map(of).collect()
}

/// What a service needs below the home directory of somebody else than its account.
fn in_homes(known: &Known) -> Vec<(Text, String)> {
    let Some(account) = &known.account else { return Vec::new() };
    let program = known.program.as_ref().map(|program| &program.path);
    let paths = program.into_iter().chain(known.directory.as_ref().map(|directory| &directory.path));
    let owned = paths.filter_map(|path| Some((path.clone(), account::owner_of_home(path)?)));
    owned.filter(|(_, owner)| owner != account).collect()
}

/// For how many seconds it has been so, since a moment in microseconds after the boot.
fn up_for(since: &str) -> Option<u64> {
    let since = since.parse::<u64>().ok().filter(|since| *since > 0)? / 1_000_000;
    let uptime = reading::whole_text(&"/proc/uptime".into(), Links::Followed, Limit::SYSTEM).ok()?;
    uptime.split('.').next()?.parse::<u64>().ok()?.checked_sub(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_that_a_unit_can_name_is_looked_for() {
        let name = "web".parse().expect("a name");
        let place = Place { unit_dir: "/u".into(), state_dir: "/no/such/state".into(), home: None };
        let scripts = scripts(&name, &place);
        assert_eq!(scripts.len(), 4);
        let unit: String = scripts.iter().map(|path| format!("X={path}\n")).collect();
        assert_eq!(missing(&name, &place, unit.as_bytes()), scripts);
        assert_eq!(missing(&name, &place, b""), []);
    }
}
