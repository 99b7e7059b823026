//! What lies on the host: the services that are ours, and units that are not.
//!
//! Read from files alone, so that it costs no process and works without a running systemd.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::credential;
use super::nssm;
use crate::error::Error;
use crate::host::files::{self, Entry};
use crate::host::privilege;
use crate::host::text::{path as to_path, text};
use crate::model::artifact;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::observed::Observed;
use crate::model::parameter::Parameter;
use crate::model::place::Place;
use crate::model::spec::Scope;
use crate::model::text::Text;
use crate::render;

/// Where systemd looks for units besides the directory that we write to (systemd.unit(5)).
const SYSTEM_UNITS: [&str; 9] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/system",
    "/run/systemd/generator.early",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
];
const USER_UNITS: [&str; 4] =
    ["/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"];

/// Observes `names`: their files, and whether they start at boot.
///
/// # Errors
/// When a unit of one of the names is not ours to change, or a file cannot be read.
pub fn observe(names: &[ServiceName], place: &Place, manager: &Manager) -> Result<Observed, Error> {
    let mut observed = nothing(manager);
    let scope = manager.scope();
    for directory in [&place.state_dir, &place.unit_dir] {
        if to_path(directory).is_dir() {
            observed.directories.push(directory.clone());
        }
    }
    let others = match manager {
        Manager::Systemd(scope) => other_units(*scope, &place.unit_dir),
        Manager::Nssm(_) => BTreeMap::new(),
    };
    let drop_ins = match manager {
        Manager::Systemd(scope) => DropIns::look(place, *scope),
        Manager::Nssm(_) => DropIns(BTreeMap::new()),
    };
    for name in names {
        let of_manager = match manager {
            Manager::Systemd(_) => {
                not_foreign(name, &place.unit(name), manager.scope(), &others)?;
                Some(place.unit(name))
            }
            Manager::Nssm(_) => {
                observed.registered.extend(registration(name, place)?.map(|stored| (name.clone(), stored)));
                observed.outputs.insert(name.clone(), nssm::log::files(&place.output(name)));
                None
            }
        };
        for path in place.files_of(name).into_iter().chain(of_manager).chain([place.legacy_receipt(name)]) {
            let entry = match files::look(&path) {
                // Only root reads values of secrets; the rest can be compared by anybody.
                Err(Error::Io { source, .. })
                    if source.kind() == io::ErrorKind::PermissionDenied
                        && place.secrets_files(name).contains(&path) =>
                {
                    observed.unreadable.push(path);
                    continue;
                }
                entry => entry?,
            };
            match entry {
                Entry::Missing => {}
                Entry::File(mut found) => {
                    // One of another host's key is no more than rubbish, and is written anew.
                    if artifact::is_encrypted(&path)
                        && let Ok(contents) = credential::opened(&found.contents)
                    {
                        found.contents = contents.into();
                    }
                    observed.files.insert(path, found);
                }
                Entry::Other(what) => {
                    return Err(Error::Foreign {
                        reason: format!("{what} lies there, which InstallService did not make"),
                        help: format!("look at it with `{} {path}`, and move it away if nothing needs it", files::LOOK),
                        path,
                    });
                }
            }
        }
        if let Manager::Systemd(_) = manager {
            observed.drop_ins.extend(
                drop_ins.of(name).into_iter().filter(|path| !observed.drop_ins.contains(path)).collect::<Vec<_>>(),
            );
            if is_enabled(name, place, scope) {
                observed.enabled.push(name.clone());
            }
        }
    }
    if observed.logs_out.as_ref().is_some_and(|user| Path::new("/var/lib/systemd/linger").join(user).exists()) {
        observed.logs_out = None;
    }
    Ok(observed)
}

/// What is found where nothing of ours is: what a dry run is made for.
pub fn nothing(manager: &Manager) -> Observed {
    let logs_out = if manager.scope() == Scope::User { privilege::user_name() } else { None };
    Observed { logs_out, ..Observed::default() }
}

/// The parameters that NSSM keeps for a service of ours, if it is registered.
///
/// # Errors
/// When a service of that name is not NSSM's, or was not made by us: ours write into our directory.
#[cfg(windows)]
fn registration(name: &ServiceName, place: &Place) -> Result<Option<Vec<Parameter>>, Error> {
    use nssm::registry;
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
    let output = place.output(name);
    let writes_here = stored.iter().any(|known| known.name == "AppStdout" && known.values == [output.clone()]);
    if !writes_here && files::look(&place.receipt(name))? == Entry::Missing {
        return Err(foreign("a service of NSSM has that name already, and InstallService did not make it"));
    }
    Ok(Some(stored))
}

/// The parameters that NSSM keeps for a service: elsewhere than on Windows there are none.
///
/// # Errors
/// None here.
#[cfg(not(windows))]
fn registration(_name: &ServiceName, _place: &Place) -> Result<Option<Vec<Parameter>>, Error> {
    Ok(None)
}

/// Whether a target wants the unit at boot: the link that `systemctl enable` makes.
fn is_enabled(name: &ServiceName, place: &Place, scope: Scope) -> bool {
    let target = if scope == Scope::User { "default.target" } else { "multi-user.target" };
    let link = place.unit_dir.with(&format!("/{target}.wants/{}", name.unit()));
    to_path(&link).symlink_metadata().is_ok()
}

fn directories_of_others(scope: Scope) -> &'static [&'static str] {
    if scope == Scope::User { &USER_UNITS } else { &SYSTEM_UNITS }
}

/// The units in the directories that are not ours to write to, by their names: read once for all. One
/// that `ours` is a link to is ours.
fn other_units(scope: Scope, ours: &Text) -> BTreeMap<OsString, PathBuf> {
    let ours = to_path(ours).canonicalize().ok();
    let others = directories_of_others(scope).iter().rev();
    let others = others.filter(|directory| Path::new(directory).canonicalize().ok() != ours);
    let found = others.flat_map(|directory| files::list(&Text::from(*directory)));
    found.filter_map(|path| Some((path.file_name()?.to_owned(), path))).collect()
}

/// Refuses a unit of this name that we did not write: one of the distribution would be replaced in
/// silence, one of the administrator lost. `others` are the [`other_units`].
fn not_foreign(
    name: &ServiceName,
    unit: &Text,
    scope: Scope,
    others: &BTreeMap<OsString, PathBuf>,
) -> Result<(), Error> {
    let foreign = |path: Text, reason: &str| Error::Foreign {
        path,
        reason: reason.to_owned(),
        help: format!("choose another name with `--service_name`, such as `--service_name my-{name}`"),
    };
    match files::look(unit)? {
        Entry::File(found) if render::is_ours(&found.contents) || is_predecessor(name, &found.contents) => {}
        Entry::File(_) => return Err(foreign(unit.clone(), "this unit was not written by InstallService")),
        Entry::Other(what) => {
            return Err(foreign(
                unit.clone(),
                &format!("it is {what} (an alias or a masked unit), not a unit of ours"),
            ));
        }
        Entry::Missing => {}
    }
    // An init script becomes a unit when systemd reloads, and is none while it does.
    let script = Text::from(format!("/etc/init.d/{name}"));
    let script = (scope == Scope::System && files::look(&script)? != Entry::Missing).then_some(script);
    if let Some(path) = script.or_else(|| others.get(OsStr::new(&name.unit())).map(text)) {
        return Err(foreign(path, "a unit of that name is there already, and ours would replace it in silence"));
    }
    Ok(())
}

/// Whether a unit is one that OpenMSIStream's own InstallService wrote for this service.
///
/// It starts `NAME_service_executable.py` and has no header (read from version 1.8.8).
pub fn is_predecessor(name: &ServiceName, unit: &[u8]) -> bool {
    let unit = String::from_utf8_lossy(unit);
    let script = format!("/{name}_service_executable.py");
    unit.lines().any(|line| line.starts_with("ExecStart = ") && line.ends_with(&script))
        && unit.lines().any(|line| line == "KillMode = none")
}

/// Whether the service manager has a service `name` of ours.
///
/// # Errors
/// When it cannot be read.
pub fn is_installed(name: &ServiceName, place: &Place, manager: &Manager) -> Result<bool, Error> {
    if let Manager::Nssm(_) = manager {
        return Ok(nssm::is_registered(name) && registration(name, place)?.is_some());
    }
    Ok(match files::look(&place.unit(name))? {
        Entry::File(found) => render::is_ours(&found.contents) || is_predecessor(name, &found.contents),
        Entry::Missing | Entry::Other(_) => false,
    })
}

/// The services of ours in `place` that are not among `wanted`: they have a receipt there, and the service
/// manager has them.
///
/// # Errors
/// When one of them cannot be read.
pub fn surplus(wanted: &[ServiceName], place: &Place, manager: &Manager) -> Result<Vec<ServiceName>, Error> {
    let wanted: BTreeSet<_> = wanted.iter().collect();
    let mut surplus = Vec::new();
    for name in known_services(place).into_iter().filter(|name| !wanted.contains(name)) {
        if files::look(&place.receipt(&name))? != Entry::Missing && is_installed(&name, place, manager)? {
            surplus.push(name);
        }
    }
    Ok(surplus)
}

/// The drop-ins that override units of services, wherever systemd looks for them: ours are none, all are
/// the administrator's.
#[derive(Debug)]
pub struct DropIns(BTreeMap<OsString, Vec<PathBuf>>);

impl DropIns {
    /// Those of services of the machine or of the user; the directories are read once for all.
    pub fn look(place: &Place, scope: Scope) -> Self {
        let mut found: BTreeMap<OsString, Vec<PathBuf>> = BTreeMap::new();
        let others = directories_of_others(scope).iter().map(|directory| Text::from(*directory));
        for path in std::iter::once(place.unit_dir.clone()).chain(others).flat_map(|directory| files::list(&directory))
        {
            if let Some(name) = path.file_name().filter(|name| name.as_encoded_bytes().ends_with(b".service.d")) {
                found.entry(name.to_owned()).or_default().push(path);
            }
        }
        Self(found)
    }

    /// Those for `name`: `a-b.service.d`, and `a-.service.d`, which is for everything that begins so
    /// (systemd.unit(5)). What is for all services of the machine is no drift of one.
    pub fn of(&self, name: &ServiceName) -> Vec<Text> {
        let prefixes = name.as_str().match_indices('-').map(|(at, _)| &name.as_str()[..=at]);
        let folders =
            prefixes.chain([name.as_str()]).filter_map(|stem| self.0.get(OsStr::new(&format!("{stem}.service.d"))));
        let files = folders.flatten().flat_map(|folder| files::list(&text(folder)));
        files.map(text).filter(|path| path.as_bytes().ends_with(b".conf")).collect()
    }
}

/// Every service of ours: those with a receipt here, and those with a unit that we wrote.
pub fn known_services(place: &Place) -> Vec<ServiceName> {
    let mut names = Vec::new();
    for path in files::list(&place.state_dir) {
        let last = path.file_name().and_then(|name| name.to_str().map(str::to_owned)).unwrap_or_default();
        let stem = last.strip_suffix("_install_args.toml").or_else(|| last.strip_suffix("_install_args.txt"));
        names.extend(stem.and_then(|stem| stem.parse().ok()));
    }
    for path in files::list(&place.unit_dir).into_iter().map(text) {
        let Some(stem) = path.as_str().and_then(|path| path.rsplit('/').next()?.strip_suffix(".service")) else {
            continue;
        };
        let Ok(name) = stem.parse::<ServiceName>() else { continue };
        if let Ok(Entry::File(found)) = files::look(&path)
            && (render::is_ours(&found.contents) || is_predecessor(&name, &found.contents))
        {
            names.push(name);
        }
    }
    names.sort();
    names.dedup();
    names
}
