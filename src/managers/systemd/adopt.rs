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
use crate::model::original::Original;
use crate::model::place::Place;
use crate::model::site::Site;
use crate::model::text::Text;

/// Takes over every unit in `observed` that has one of `names` and can be taken over; what cannot stays among the other
/// units. Nothing on the host is changed.
///
/// # Errors
/// When one cannot be read, or the original of an earlier adoption would be lost.
pub fn take_over(names: &[ServiceName], observed: &mut Observed, place: &Place) -> Result<(), Error> {
    for name in names {
        let path = match observed.other_units.get(name) {
            Some(OtherUnit::InPlace { path, is_unit: true, .. }) => path.clone(),
            // Beside one of ours it has no effect.
            Some(OtherUnit::Beside { path, is_mask: false, counts: false, is_script: false })
                if !observed.files.contains_key(&place.unit(name)) =>
            {
                in_real_directory(path)
            }
            Some(
                OtherUnit::Mask(_) | OtherUnit::InPlace { .. } | OtherUnit::Link { .. } | OtherUnit::Beside { .. },
            )
            | None => {
                let newer = newer_version(name, observed, place)?;
                observed.adopted.extend(newer.map(|newer| (name.clone(), newer)));
                continue;
            }
        };
        let found = unit_at(&path, name)?;
        let original = Original::new(path.clone(), &found, observed.links.of(&name.unit()).clone());
        let original = match observed.originals.get(name) {
            None => original,
            // Somebody has put it back; what is kept of it is kept on.
            Some(kept) if kept.unit() == original.unit() => kept.clone(),
            Some(_) => {
                return Err(original::would_be_lost(
                    name,
                    place.original_unit(name),
                    &format!("`{path}` is another unit"),
                    place,
                ));
            }
        };
        if original.was_in_place(name, place) {
            observed.files.insert(path, found);
        }
        observed.other_units.remove(name);
        observed.adopted.insert(name.clone(), original);
    }
    Ok(())
}

/// The unit of a package that was adopted, where the package has brought another version since.
fn newer_version(name: &ServiceName, observed: &Observed, place: &Place) -> Result<Option<Original>, Error> {
    let kept = observed.originals.get(name).filter(|kept| !kept.was_in_place(name, place));
    let Some(kept) = kept.filter(|_| !observed.gone_originals.contains(name)) else { return Ok(None) };
    let now = Original::new(kept.path.clone(), &unit_at(&kept.path, name)?, kept.links.clone());
    Ok((now != *kept).then_some(now))
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
fn unit_at(path: &Text, name: &ServiceName) -> Result<Found, Error> {
    let real = to_path(path).canonicalize().map_err(|source| Error::io("reading", path, source))?;
    let real = text(real);
    if let Some(unit) = units::alias_of(name, &real) {
        return Err(Error::Foreign {
            path: path.clone(),
            reason: format!("it is a link to `{real}`"),
            help: format!("`--service_name {unit} --adopt` takes that over"),
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
        let Some(original) = observed.originals.get(name) else {
            let help = format!("`ManageService {name} remove` removes it");
            return Err(Error::refused(
                fault("it was not adopted, so there is nothing to give back".into()).help(help),
            ));
        };
        let unit = place.unit(name);
        if observed.gone_originals.contains(name) && observed.files.contains_key(&unit) {
            let help = format!(
                "`ManageService {name} remove` removes it; `{}` is a copy of the original",
                place.original_unit(name)
            );
            return Err(Error::refused(fault(format!("its original `{}` is gone", original.path)).help(help)));
        }
        match observed.other_units.get(name) {
            None => {}
            Some(OtherUnit::InPlace { path, is_unit: true, .. }) => {
                let found = unit_at(path, name)?;
                if Original::new(path.clone(), &found, original.links.clone()) != *original {
                    let kept = place.original_unit(name);
                    return Err(Error::Foreign {
                        path: path.clone(),
                        reason: format!("it is neither ours nor what `{name}` was before it was adopted"),
                        help: format!(
                            "move it away if nothing needs it, or to keep it, `{kept}` and `{}`",
                            place.original(name)
                        ),
                    });
                }
                observed.files.insert(unit, found);
            }
            Some(other) => units::not_foreign(name, other, observed.files.contains_key(&unit), site.scope())?,
        }
    }
    Ok(())
}

/// What is kept of the unit whose name the service has taken, with the files that keep it.
///
/// # Errors
/// When it cannot be read or understood, or could be somebody else's words.
pub fn kept(name: &ServiceName, place: &Place, state: &Kept) -> Result<Option<(Original, KeptFiles)>, Error> {
    original::kept([place.original_unit(name), place.original(name)], place, state)
}
