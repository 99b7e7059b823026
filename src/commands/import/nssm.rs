//! Taking over services of NSSM: of this host by their names, or out of a file that `reg export` has written.

use super::unit::contents;
use super::{Import, Imported, TakenOver, written};
use crate::error::{Error, Fault};
use crate::import::{self, Taken};
use crate::managers::nssm;
use crate::model::name::ServiceName;
use crate::model::registration::Registration;
use crate::model::spec::Scope;
use crate::model::text::Text;

/// The service of this host that has exactly this name, if it is not ours.
///
/// # Errors
/// When NSSM does not run it.
pub(super) fn of_host(name: &str, wanted: &Import) -> Result<Option<Imported>, Error> {
    let Some(registration) = nssm::registered_as(name) else { return Ok(None) };
    if !registration.is_of_nssm() {
        return Err(Error::refused(not_of_nssm(&registration).given(name)));
    }
    // One of ours has a receipt, which says more.
    let place = wanted.place.site(Scope::System).place;
    if name.parse::<ServiceName>().is_ok_and(|name| nssm::adoptable(&name, &place).is_none()) {
        return Ok(None);
    }
    imported(&[registration], Vec::new(), wanted).map(Some)
}

/// The services in a file of the registry.
///
/// # Errors
/// When it cannot be read, or has no service of NSSM.
pub(super) fn of_file(path: &Text, wanted: &Import) -> Result<Imported, Error> {
    let refused = |reason: String| Error::refused(Fault::new("import", reason).given(path));
    let found = Registration::read(&contents(path)?).map_err(refused)?;
    let (of_nssm, others): (Vec<_>, Vec<_>) = found.into_iter().partition(Registration::is_of_nssm);
    if of_nssm.is_empty() {
        let fault = match others.first() {
            Some(other) => not_of_nssm(other),
            None => Fault::new("import", "there is no service in it").help(
                r"`reg export HKLM\SYSTEM\CurrentControlSet\Services\NAME FILE.reg` writes one, in a window of an administrator",
            ),
        };
        return Err(Error::refused(fault.given(path)));
    }
    let left = others.iter().map(|other| format!("`{}`: {}", other.service, what_it_is(other))).collect();
    imported(&of_nssm, left, wanted)
}

fn imported(registrations: &[Registration], left: Vec<String>, wanted: &Import) -> Result<Imported, Error> {
    let taken: Vec<(Taken, String)> = registrations
        .iter()
        .map(|registration| (import::nssm::read(registration), format!("From {}", registration.path())))
        .collect();
    let services = taken.iter().map(|(taken, _)| TakenOver::of(taken)).collect();
    let imported = Imported { manifest: import::document(&taken), services, left, ..Imported::default() };
    written(imported, wanted)
}

fn not_of_nssm(registration: &Registration) -> Fault {
    Fault::new("import", format!("NSSM does not run this service; {}", what_it_is(registration)))
        .help("`InstallService --service_name NAME -- PROGRAM` makes a service of its own of a program")
}

/// What Windows starts for a service.
fn what_it_is(registration: &Registration) -> String {
    match registration.image_path() {
        Some(command) => format!("Windows starts `{command}` for it"),
        None => "Windows starts no program for it".to_owned(),
    }
}
