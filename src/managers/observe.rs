//! What lies on the host: the services that are ours, and what is in the way of those that are to be.
//!
//! Read from files alone, so that it costs no process (but for what is encrypted) and works without a running
//! service manager.

use std::collections::BTreeSet;
use std::io;

use super::credential::Opened;
use super::systemd::adopt::{self, Adopting};
use super::systemd::presence;
use super::systemd::units::{self, Units};
use super::{log_file, nssm};
use crate::error::Error;
use crate::host::files::{self, Entry};
use crate::host::folder::Listed;
use crate::host::privilege;
use crate::host::state::Kept;
use crate::host::text::{path as to_path, text};
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::observed::{DropIn, Found, Observed, OtherUnit};
use crate::model::parameter::Parameter;
use crate::model::place::{ORIGINAL, Place, error_log_path};
use crate::model::site::Site;
use crate::model::spec::Scope;
use crate::model::text::Text;
use crate::render;

/// Observes `names`: their files, and what the service manager keeps of them. `opened` remembers what encrypted
/// files hold: the host is asked once for each.
///
/// # Errors
/// When a service of NSSM has one of the names and is not ours, or a file cannot be read.
pub fn observe(names: &[ServiceName], site: &Site, opened: &mut Opened) -> Result<Observed, Error> {
    observe_and_adopt(names, &Adopting::default(), site, opened)
}

/// As [`observe`]; of what has the names of `adopting` and is not ours, what can be taken over is.
///
/// # Errors
/// As there, and when one cannot be taken over.
pub fn observe_and_adopt(
    names: &[ServiceName],
    adopting: &Adopting,
    site: &Site,
    opened: &mut Opened,
) -> Result<Observed, Error> {
    let mut observed = nothing(site.manager);
    for directory in [&site.place.state_dir, &site.place.unit_dir] {
        if to_path(directory).is_dir() {
            observed.directories.push(directory.clone());
        }
    }
    let state = Kept::open(&site.place.state_dir)?;
    match site.manager {
        Manager::Systemd(scope) => {
            for name in names {
                if let Some((original, files)) = adopt::kept(name, &site.place, &state)? {
                    if original.service.path != site.place.unit(name) && !files::is_there(&original.service.path) {
                        observed.gone_originals.push(name.clone());
                    }
                    observed.originals.insert(name.clone(), original);
                    observed.files.extend(files);
                }
            }
            observe_units(names, Units::look(&site.place, scope), &site.place, &mut observed)?;
        }
        Manager::Nssm => {
            for name in names {
                if let Some((original, files)) = nssm::adopt::kept(name, &site.place, &state)? {
                    observed.originals.insert(name.clone(), original);
                    observed.files.extend(files);
                }
            }
            observe_registrations(names, &adopting.names, &site.place, &mut observed)?;
        }
    }
    for name in names {
        for path in site.place.files_of(name).into_iter().chain([site.place.legacy_receipt(name)]) {
            match state.look(&path) {
                // Only root reads values of secrets; the rest can be compared by anybody.
                Err(Error::Io { source, .. })
                    if source.kind() == io::ErrorKind::PermissionDenied
                        && site.place.secrets_files(name).contains(&path) =>
                {
                    observed.unreadable.push(path);
                }
                entry => {
                    if let Some(mut found) = file_of_ours(&path, entry?)? {
                        let stranger =
                            state.stranger(found.owner).filter(|_| site.place.secrets_files(name).contains(&path));
                        if let Some(reason) = stranger {
                            observed.lost.push((path.clone(), format!("is not used: {reason}")));
                        } else if path == site.place.encrypted_file(name) {
                            unseal(&path, &mut found, opened, &mut observed);
                        }
                        observed.files.insert(path, found);
                    }
                }
            }
        }
    }
    observed.logs_out = observed.logs_out.filter(|user| presence::logs_out(user));
    match site.manager {
        Manager::Systemd(_) => adopt::take_over(adopting, &mut observed, &site.place)?,
        Manager::Nssm => {}
    }
    Ok(observed)
}

/// The file, if one is there; what is none is not ours.
fn file_of_ours(path: &Text, entry: Entry) -> Result<Option<Found>, Error> {
    match entry {
        Entry::Missing => Ok(None),
        Entry::File(found) => Ok(Some(found)),
        Entry::Other(what) => Err(files::in_the_way(path, what)),
    }
}

/// Puts what an encrypted file holds in the place of its bytes. One of another host's key is no more than rubbish,
/// and is written anew.
fn unseal(path: &Text, found: &mut Found, opened: &mut Opened, observed: &mut Observed) {
    match opened.contents(&found.contents) {
        Ok(contents) => found.contents = contents,
        Err(reason) => observed.lost.push((path.clone(), format!("can no longer be decrypted: {reason}"))),
    }
}

/// What systemd has of services: their units, what overrides them, and the links to them.
fn observe_units(names: &[ServiceName], units: Units<'_>, place: &Place, observed: &mut Observed) -> Result<(), Error> {
    let directory = Listed::open(&place.unit_dir)?;
    for name in names {
        let path = place.unit(name);
        let entry = directory.look(&path)?;
        // What ours override since it was adopted is as it was meant to be.
        let original = observed.originals.get(name);
        let is_overridden = |is_adopted, other: &OtherUnit| is_adopted && adopt::is_overridden(other);
        let other = units.other(name, &entry).filter(|other| !is_overridden(original.is_some(), other));
        let has_timer = original.is_some_and(|original| original.timer.is_some());
        let (timer, of_others) = timer_of(name, place, &units, &directory)?;
        let of_others = of_others.filter(|other| !is_overridden(has_timer, other));
        match (&other, entry) {
            (Some(OtherUnit::Mask(_) | OtherUnit::InPlace { .. } | OtherUnit::Link { .. }), _) => {}
            (Some(OtherUnit::Beside { .. }) | None, Entry::File(found)) => drop(observed.files.insert(path, found)),
            (Some(OtherUnit::Beside { .. }) | None, Entry::Missing | Entry::Other(_)) => {}
        }
        observed.files.extend(timer.map(|found| (place.timer(name), found)));
        observed.other_timers.extend(of_others.map(|other| (name.clone(), other)));
        observed.other_units.extend(other.map(|other| (name.clone(), other)));
        let of_unit = units.drop_ins(name);
        observed.overriding.extend(contents_of(&of_unit).map(|drop_ins| (name.clone(), drop_ins)));
        let of_timer = units.drop_ins_of_timer(name);
        observed.overriding_timers.extend(contents_of(&of_timer).map(|drop_ins| (name.clone(), drop_ins)));
        let has_timer = observed.files.contains_key(&place.timer(name));
        for path in of_unit.into_iter().chain(of_timer.into_iter().filter(|_| has_timer)) {
            if !observed.drop_ins.contains(&path) {
                observed.drop_ins.push(path);
            }
        }
    }
    observed.links = units.links;
    Ok(())
}

/// What is in these drop-ins, as far as it can be read.
fn contents_of(paths: &[Text]) -> Option<Vec<DropIn>> {
    let of = |path: &Text| match files::look(path) {
        Ok(Entry::File(found)) => Some(DropIn { path: path.clone(), contents: found.contents }),
        Ok(Entry::Missing | Entry::Other(_)) | Err(_) => None,
    };
    let drop_ins: Vec<DropIn> = paths.iter().filter_map(of).collect();
    (!drop_ins.is_empty()).then_some(drop_ins)
}

/// What has the names of services and is not ours, and no more than that.
///
/// # Errors
/// When it cannot be seen, or a service of NSSM has one of the names and is not ours.
pub fn others(names: &[ServiceName], site: &Site) -> Result<Observed, Error> {
    let mut observed = nothing(site.manager);
    match site.manager {
        Manager::Systemd(scope) => {
            observe_units(names, Units::named(&site.place, scope, names), &site.place, &mut observed)?;
        }
        Manager::Nssm => observe_registrations(names, &[], &site.place, &mut observed)?,
    }
    Ok(observed)
}

/// The timer of ours of that name, and one that is not.
fn timer_of(
    name: &ServiceName,
    place: &Place,
    units: &Units<'_>,
    directory: &Listed,
) -> Result<(Option<Found>, Option<OtherUnit>), Error> {
    let entry = directory.look(&place.timer(name))?;
    let other = units.other_timer(name, &entry);
    // Beside one of ours, another has no effect unless it counts.
    let is_ours = matches!(&other, None | Some(OtherUnit::Beside { .. }));
    Ok(match entry {
        Entry::File(found) if is_ours => (Some(found), other.filter(|other| !adopt::is_overridden(other))),
        Entry::File(_) | Entry::Missing | Entry::Other(_) => (None, other),
    })
}

/// What NSSM has of services: their parameters, and the files that it writes their output to.
fn observe_registrations(
    names: &[ServiceName],
    adopted: &[ServiceName],
    place: &Place,
    observed: &mut Observed,
) -> Result<(), Error> {
    for name in names {
        if let Some(other) = adopted.contains(name).then(|| nssm::adoptable(name, place)).flatten() {
            nssm::adopt::take_over(name, &other, observed, place)?;
        } else {
            observed.registered.extend(nssm::registration(name, place)?.map(|stored| (name.clone(), stored)));
            observed.outputs.insert(name.clone(), log_file::files(&place.output(name)));
        }
        let written = observed.registered.get(name).map(|stored| written(name, stored)).unwrap_or_default();
        observed.written.insert(name.clone(), written);
    }
    Ok(())
}

/// What a service with these parameters has written as its account: its output and its error log, as far as they are
/// there.
fn written(name: &ServiceName, stored: &[Parameter]) -> Vec<Text> {
    let value = |name: &str| stored.iter().find(|known| known.name == name)?.values.first().cloned();
    let error_log = value("AppDirectory").map(|directory| error_log_path(&directory, name));
    let mut written: Vec<Text> = [value("AppStdout"), value("AppStderr"), error_log].into_iter().flatten().collect();
    written.dedup();
    written.retain(files::is_there);
    written
}

/// What is found where nothing of ours is: what a dry run is made for.
pub fn nothing(manager: Manager) -> Observed {
    let logs_out = match manager.scope() {
        Scope::User => privilege::user_name(),
        Scope::System => None,
    };
    Observed { logs_out, ..Observed::default() }
}

/// The names that are taken: under them nothing can be installed, for this reason.
pub fn taken<'a>(observed: &'a Observed, site: &'a Site) -> impl Iterator<Item = (&'a ServiceName, Error)> {
    observed.other_units.iter().filter_map(|(name, other)| {
        let is_installed = observed.files.contains_key(&site.place.unit(name));
        Some((name, units::not_foreign(name, other, is_installed, site.scope()).err()?))
    })
}

/// As [`observe_and_adopt`], for what is to be installed.
///
/// # Errors
/// As there, and when a name is taken.
pub fn observe_to_install(
    names: &[ServiceName],
    adopting: &Adopting,
    site: &Site,
    opened: &mut Opened,
) -> Result<Observed, Error> {
    let observed = observe_and_adopt(names, adopting, site, opened)?;
    let taken = taken(&observed, site).next().map(|(_, error)| error);
    taken.map_or(Ok(observed), Err)
}

/// Whether the service manager has a service `name` of ours, be it that an administrator has masked it.
///
/// # Errors
/// When it cannot be read.
pub fn is_installed(name: &ServiceName, site: &Site) -> Result<bool, Error> {
    match site.manager {
        Manager::Systemd(_) => Ok(match files::look(&site.place.unit(name))? {
            Entry::File(found) => render::is_ours(&found.contents) || units::is_predecessor(name, &found.contents),
            Entry::Other(_) => units::is_mask(&to_path(&site.place.unit(name))) && has_receipt(name, &site.place),
            Entry::Missing => false,
        }),
        Manager::Nssm => Ok(nssm::is_registered(name) && nssm::registration(name, &site.place)?.is_some()),
    }
}

fn has_receipt(name: &ServiceName, place: &Place) -> bool {
    [place.receipt(name), place.legacy_receipt(name)].iter().any(files::is_there)
}

/// The services of ours at `site` that are not among `wanted`: they have a receipt there, and the service
/// manager has them.
///
/// # Errors
/// When one of them cannot be read.
pub fn surplus(wanted: &[ServiceName], site: &Site) -> Result<Vec<ServiceName>, Error> {
    let wanted: BTreeSet<_> = wanted.iter().collect();
    let mut surplus = Vec::new();
    for name in known_services(&site.place).into_iter().filter(|name| !wanted.contains(name)) {
        if files::is_there(&site.place.receipt(&name)) && is_installed(&name, site)? {
            surplus.push(name);
        }
    }
    Ok(surplus)
}

/// Every service of ours: those with a receipt here, and those with a unit that we wrote.
pub fn known_services(place: &Place) -> Vec<ServiceName> {
    let mut names = Vec::new();
    for path in files::list(&place.state_dir) {
        let last = path.file_name().and_then(|name| name.to_str().map(str::to_owned)).unwrap_or_default();
        let stem = last.strip_suffix("_install_args.toml").or_else(|| last.strip_suffix("_install_args.txt"));
        let stem = stem.or_else(|| last.strip_suffix(ORIGINAL));
        names.extend(stem.and_then(|stem| stem.parse().ok()));
    }
    for path in files::list(&place.unit_dir).into_iter().map(text) {
        let Some(stem) = path.as_str().and_then(|path| path.rsplit('/').next()?.strip_suffix(".service")) else {
            continue;
        };
        let Ok(name) = stem.parse::<ServiceName>() else { continue };
        if let Ok(Entry::File(found)) = files::look(&path)
            && (render::is_ours(&found.contents) || units::is_predecessor(&name, &found.contents))
        {
            names.push(name);
        }
    }
    names.sort();
    names.dedup();
    names
}
