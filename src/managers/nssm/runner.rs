//! Where the `RunService.exe` of services comes from, which lies in the working directory beside `nssm.exe`: from
//! the folder of this program. As with `nssm.exe`, what we put there has a note beside it.

use super::source::{self, run_service as beside};
use super::{Supply, TellSupply, registry, supply};
use crate::diagnose::registered::OldRunner;
use crate::error::Error;
use crate::host::files::{self, Entry};
use crate::host::reading::Limit;
use crate::host::text::path as to_path;
use crate::model::name::ServiceName;
use crate::model::place::{Place, RUNNER};
use crate::render;

/// Whether services can have one.
pub(super) fn is_at_hand(place: &Place) -> bool {
    beside().is_some() || to_path(&place.runner()).is_file()
}

/// Makes sure that the one in the working directory is the one beside this program, if there is one. While a
/// service runs, Windows keeps what it runs as it is; so the next install is in time to replace that.
///
/// # Errors
/// When it cannot be put there.
pub(super) fn provide(place: &Place, tell: TellSupply<'_>) -> Result<(), Error> {
    let (kept, Some(beside)) = (place.runner(), beside()) else { return Ok(()) };
    let exe = source::read("RunService.exe", &beside)?;
    match files::look_up_to(&kept, Limit::PROGRAM)? {
        Entry::File(found) if *found.contents == *exe => Ok(()),
        Entry::File(_) if !files::is_free(&kept) => {
            tell(Supply::RunnerStays(&kept));
            Ok(())
        }
        _ => {
            tell(Supply::Puts { what: RUNNER, to: &kept, from: &beside });
            supply::put(RUNNER, exe, &beside, &kept, &place.runner_origin(), place)
        }
    }
}

/// The one in the working directory, if it is another one than that beside this program; where none is beside it, if
/// another version has put it there.
pub(super) fn old(place: &Place) -> Option<OldRunner> {
    let path = place.runner();
    let Entry::File(found) = files::look_up_to(&path, Limit::PROGRAM).ok()? else { return None };
    let note = match files::look(&place.runner_origin()) {
        Ok(Entry::File(note)) if supply::is_noted(&place.runner_origin(), &found.contents).ok()? => Some(note),
        _ => None,
    };
    let version = note.and_then(|note| render::version_of(&note.contents));
    let version = version.filter(|version| version != env!("CARGO_PKG_VERSION"));
    let is_other = match beside().map(|beside| source::read(RUNNER, &beside)) {
        Some(Ok(newer)) => *found.contents != *newer,
        Some(Err(_)) | None => version.is_some(),
    };
    is_other.then_some(OldRunner { path, version })
}

/// Takes away the one in the working directory, after the services `removed` were; says why not where it stays.
///
/// # Errors
/// When it cannot be removed.
pub(super) fn withdraw(place: &Place, removed: &[ServiceName]) -> Result<Option<String>, Error> {
    let (exe, origin) = (place.runner(), place.runner_origin());
    let Entry::File(found) = files::look_up_to(&exe, Limit::PROGRAM)? else { return Ok(Some("it is no file".into())) };
    if !supply::is_noted(&origin, &found.contents)? {
        return Ok(Some("InstallService did not put it there".into()));
    }
    if let Some(others) = supply::needed(registry::running(&exe), removed) {
        return Ok(Some(others));
    }
    // The last process of what was removed may need a moment to end.
    files::remove_when_free(&exe)?;
    files::remove(&origin)?;
    Ok(None)
}
