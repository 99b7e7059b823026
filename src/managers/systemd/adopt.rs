//! Taking over units that are not ours, and what is kept of them.

use std::io;

use super::super::original::{self, KeptFiles};
use super::units;
use crate::error::{Error, Fault};
use crate::host::files::{self, Entry};
use crate::host::state::Kept;
use crate::host::text::{path as to_path, text};
use crate::model::name::ServiceName;
use crate::model::observed::{Found, Observed, OtherUnit};
use crate::model::original::{Original, OriginalUnit, Replaced};
use crate::model::place::Place;
use crate::model::site::Site;
use crate::model::text::Text;

/// Services whose names ours may take.
#[derive(Clone, Debug, Default)]
pub struct Adopting {
    /// Their names.
    pub names: Vec<ServiceName>,
    /// Those of them that are to have timers, whose names ours may take, too.
    pub scheduled: Vec<ServiceName>,
}

/// Takes over every unit in `observed` that has one of the names and can be taken over; what cannot stays among the other
/// units and timers. Nothing on the host is changed.
///
/// # Errors
/// When one cannot be read, or the original of an earlier adoption would be lost.
pub fn take_over(adopting: &Adopting, observed: &mut Observed, place: &Place) -> Result<(), Error> {
    for name in &adopting.names {
        let (of_service, of_timer) = (OurUnit::service(name, place), OurUnit::timer(name, place));
        let service = observed.other_units.get(name).and_then(|other| of_service.adoptable(other, observed));
        let timer = observed.other_timers.get(name).filter(|_| adopting.scheduled.contains(name));
        let timer = timer.and_then(|other| of_timer.adoptable(other, observed));
        let kept = observed.originals.get(name).cloned();
        if service.is_none() && timer.is_none() {
            let newer = kept.map(|kept| newer_version(name, &kept, observed, place)).transpose()?.flatten();
            observed.adopted.extend(newer.map(|newer| (name.clone(), newer)));
            continue;
        }
        let (kept_service, kept_timer) = kept.map(|kept| (kept.service, kept.timer)).unzip();
        // Beside a service that has always been ours, a timer is somebody else's, who is to say what becomes of it.
        let Some(of_service) = of_service.take(service, kept_service, observed, place)? else { continue };
        observed.other_units.remove(name);
        let timer = of_timer.take(timer, kept_timer.flatten(), observed, place)?;
        if timer.is_some() {
            observed.other_timers.remove(name);
        }
        observed.adopted.insert(name.clone(), Original { service: of_service, timer });
    }
    Ok(())
}

/// A unit of ours that takes a name.
struct OurUnit<'a> {
    service: &'a ServiceName,
    /// Its name.
    unit: String,
    /// Where it lies.
    path: Text,
    /// The file that keeps what had its name.
    kept: Text,
}

impl<'a> OurUnit<'a> {
    fn service(service: &'a ServiceName, place: &Place) -> Self {
        Self { service, unit: service.unit(), path: place.unit(service), kept: place.original_unit(service) }
    }

    fn timer(service: &'a ServiceName, place: &Place) -> Self {
        Self { service, unit: service.timer(), path: place.timer(service), kept: place.original_timer(service) }
    }

    /// The path of the other unit of that name, if this one can take its place.
    fn adoptable(&self, other: &OtherUnit, observed: &Observed) -> Option<Text> {
        match other {
            OtherUnit::InPlace { path, is_unit: true, .. } => Some(path.clone()),
            // Beside one of ours it has no effect.
            OtherUnit::Beside { path, is_mask: false, counts: false, is_script: false } => {
                (!observed.files.contains_key(&self.path)).then(|| in_real_directory(path))
            }
            OtherUnit::Mask(_) | OtherUnit::InPlace { .. } | OtherUnit::Link { .. } | OtherUnit::Beside { .. } => None,
        }
    }

    /// The unit at `other`, which is taken over; `kept` is what is kept of an earlier one, and is kept on.
    fn take(
        &self,
        other: Option<Text>,
        kept: Option<OriginalUnit>,
        observed: &mut Observed,
        place: &Place,
    ) -> Result<Option<OriginalUnit>, Error> {
        let Some(path) = other else { return Ok(kept) };
        let found = unit_at(&path, &self.unit)?;
        let original = OriginalUnit::new(path.clone(), &found, observed.links.of(&self.unit).clone());
        // Somebody may have put it back.
        if kept.as_ref().is_some_and(|kept| kept.artifact() != original.artifact()) {
            let now = format!("`{path}` is another unit");
            return Err(original::would_be_lost(self.service, self.kept.clone(), &now, place));
        }
        if path == self.path {
            observed.files.insert(path, found);
        }
        Ok(Some(kept.unwrap_or(original)))
    }
}

/// What was adopted of a package, where the package has brought another version since.
fn newer_version(
    name: &ServiceName,
    kept: &Original,
    observed: &Observed,
    place: &Place,
) -> Result<Option<Original>, Error> {
    if observed.gone_originals.contains(name) {
        return Ok(None);
    }
    let now = |Replaced { original, unit, ours, .. }: Replaced<'_>| {
        let is_beside = original.path != ours && files::is_there(&original.path);
        let found = is_beside.then(|| unit_at(&original.path, &unit)).transpose()?;
        let now = |found| OriginalUnit::new(original.path.clone(), &found, original.links.clone());
        Ok(found.map_or_else(|| original.clone(), now))
    };
    let mut units = kept.units(name, place).map(now).collect::<Result<Vec<_>, Error>>()?.into_iter();
    let newer = units.next().map(|service| Original { service, timer: units.next() });
    Ok(newer.filter(|newer| newer != kept))
}

/// Whether this is a unit that ours overrides, as an administrator would.
pub fn is_overridden(other: &OtherUnit) -> bool {
    matches!(other, OtherUnit::Beside { is_mask: false, counts: false, .. })
}

/// The path of a unit in the directory that it really lies in: where `/lib` is a link to `/usr/lib`, one systemd says the
/// one and another the other.
pub fn in_real_directory(path: &Text) -> Text {
    let place = to_path(path);
    let directory = place.parent().and_then(|directory| directory.canonicalize().ok());
    directory.zip(place.file_name()).map_or_else(|| path.clone(), |(directory, name)| text(directory.join(name)))
}

/// The unit of that name; a link to a file of another name is another name of that.
fn unit_at(path: &Text, unit: &str) -> Result<Found, Error> {
    let real = to_path(path).canonicalize().map_err(|source| Error::io("reading", path, source))?;
    let real = text(real);
    if let Some(other) = units::alias_of(unit, &real) {
        return Err(Error::Foreign {
            path: path.clone(),
            reason: format!("it is a link to `{real}`"),
            help: format!("`--service_name {other} --adopt` takes that over"),
        });
    }
    match files::look(&real)? {
        Entry::File(found) => Ok(found),
        Entry::Missing => Err(Error::io("reading", path, io::ErrorKind::NotFound.into())),
        Entry::Other(what) => Err(files::in_the_way(&real, what)),
    }
}

/// Refuses what cannot be given back: what was not adopted, and what would leave something else behind than it was.
/// A unit that somebody has put back already is noted as ours, which it is no more.
///
/// # Errors
/// With the reason.
pub fn may_give_back(names: &[ServiceName], observed: &mut Observed, site: &Site) -> Result<(), Error> {
    let place = &site.place;
    for name in names {
        let fault = |reason: String| Fault::new(format!("service `{name}`"), reason);
        let Some(original) = observed.originals.get(name).cloned() else {
            let help = format!("`ManageService {name} remove` removes it");
            return Err(Error::refused(
                fault("it was not adopted, so there is nothing to give back".into()).help(help),
            ));
        };
        let has_ours = observed.files.contains_key(&place.unit(name));
        if observed.gone_originals.contains(name) && has_ours {
            let help = format!(
                "`ManageService {name} remove` removes it; `{}` is a copy of the original",
                place.original_unit(name)
            );
            let reason = format!("its original `{}` is gone", original.service.path);
            return Err(Error::refused(fault(reason).help(help)));
        }
        for replaced in original.units(name, place) {
            let is_service = replaced.ours == place.unit(name);
            match if is_service { observed.other_units.get(name) } else { observed.other_timers.get(name) } {
                None => {}
                Some(OtherUnit::InPlace { path, is_unit: true, .. }) => {
                    let found = put_back(name, path, &replaced, place)?;
                    observed.files.insert(replaced.ours, found);
                }
                Some(other) if is_service => units::not_foreign(name, other, has_ours, site.scope())?,
                Some(other) => units::not_foreign_timer(name, other, false, site.scope())?,
            }
        }
    }
    Ok(())
}

/// The unit that somebody has put in the place of ours, if it is what had that before.
fn put_back(name: &ServiceName, path: &Text, replaced: &Replaced<'_>, place: &Place) -> Result<Found, Error> {
    let Replaced { original, unit, kept, .. } = replaced;
    let found = unit_at(path, unit)?;
    if OriginalUnit::new(path.clone(), &found, original.links.clone()) == **original {
        return Ok(found);
    }
    Err(Error::Foreign {
        path: path.clone(),
        reason: format!("it is neither ours nor what `{name}` was before it was adopted"),
        help: format!("move it away if nothing needs it, or to keep it, `{kept}` and `{}`", place.original(name)),
    })
}

/// What is kept of the unit whose name the service has taken, with the files that keep it.
///
/// # Errors
/// When it cannot be read or understood, or could be somebody else's words.
pub fn kept(name: &ServiceName, place: &Place, state: &Kept) -> Result<Option<(Original, KeptFiles)>, Error> {
    let timer = place.original_timer(name);
    original::kept(&place.original_unit(name), Some(&timer), &place.original(name), place, state)
}
