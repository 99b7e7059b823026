//! What is kept of the services that were adopted.

use std::io;
use std::rc::Rc;

use crate::error::{Error, Fault};
use crate::host::state::Kept;
use crate::model::name::ServiceName;
use crate::model::observed::Found;
use crate::model::original::Original;
use crate::model::place::Place;
use crate::model::text::Text;

/// The files that keep an original.
pub type KeptFiles = Vec<(Text, Found)>;

/// What is kept in these files, with what was found of them. The `timer` lies beside the `service` if there was one.
///
/// # Errors
/// When it cannot be read or understood, or could be somebody else's words.
pub fn kept(
    service: &Text,
    timer: Option<&Text>,
    record: &Text,
    place: &Place,
    state: &Kept,
) -> Result<Option<(Original, KeptFiles)>, Error> {
    let Some(found) = state.believed(record)? else { return Ok(None) };
    let broken = |reason: String| {
        let fault = Fault::new("the record of an adoption", reason).given(record);
        Error::refused(
            fault.help(format!("look at it, and move it away if nothing needs it; `{service}` is what it describes")),
        )
    };
    let mut files = Vec::new();
    for path in std::iter::once(service).chain(timer) {
        match state.believed(path) {
            Ok(Some(found)) => files.push((path.clone(), found)),
            Ok(None) if path == service => return Err(broken(format!("`{service}`, which it describes, is gone"))),
            Ok(None) => {}
            // One that was for root alone: who may not read it can compare everything else.
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let contents = |path: &Text| files.iter().find(|(of, _)| of == path).map(|(_, found)| Rc::clone(&found.contents));
    let of_timer = timer.and_then(contents);
    let original = Original::read(&found.contents, contents(service).unwrap_or_default(), of_timer, place);
    let original = original.map_err(broken)?;
    files.push((record.clone(), found));
    Ok(Some((original, files)))
}

/// What is kept already is of something else: a second adoption would lose it. `now` says what has the name by now.
pub fn would_be_lost(name: &ServiceName, kept: Text, now: &str, place: &Place) -> Error {
    Error::Foreign {
        reason: format!("it is the original of an earlier adoption of `{name}`, and {now}"),
        help: format!(
            "`ManageService {name} show` shows the one that is kept; move `{kept}` and `{}` away to adopt the other one",
            place.original(name)
        ),
        path: kept,
    }
}
