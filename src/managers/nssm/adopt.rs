//! Taking over services of NSSM that are not ours, and what is kept of them.

use super::super::original::{self, KeptFiles};
use crate::error::{Error, Fault};
use crate::host::state::Kept;
use crate::model::name::ServiceName;
use crate::model::observed::Observed;
use crate::model::original::Original;
use crate::model::place::Place;
use crate::model::registration::Registration;

/// Notes that `registration`, which is not ours, is taken over. Nothing on the host is changed.
///
/// # Errors
/// When the original of an earlier adoption would be lost.
pub fn take_over(
    name: &ServiceName,
    registration: &Registration,
    observed: &mut Observed,
    place: &Place,
) -> Result<(), Error> {
    let original = Original::of_nssm(registration);
    if observed.originals.get(name).is_some_and(|kept| *kept != original) {
        return Err(original::would_be_lost(
            name,
            place.original_registration(name),
            "that service is another one now",
            place,
        ));
    }
    observed.registered.insert(name.clone(), registration.parameters());
    observed.adopted.insert(name.clone(), original);
    Ok(())
}

/// Refuses what cannot be given back: what was not adopted.
///
/// # Errors
/// With the reason.
pub fn may_give_back(names: &[ServiceName], observed: &Observed) -> Result<(), Error> {
    let not_adopted = names.iter().find(|name| !observed.originals.contains_key(*name));
    not_adopted.map_or(Ok(()), |name| {
        let fault = Fault::new(format!("service `{name}`"), "it was not adopted, so there is nothing to give back");
        Err(Error::refused(fault.help(format!("`ManageService {name} remove` removes it"))))
    })
}

/// What is kept of the service whose name one of ours has taken, with the files that keep it.
///
/// # Errors
/// When it cannot be read or understood, or could be somebody else's words.
pub fn kept(name: &ServiceName, place: &Place, state: &Kept) -> Result<Option<(Original, KeptFiles)>, Error> {
    original::kept([place.original_registration(name), place.original(name)], place, state)
}
