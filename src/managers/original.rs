//! What is kept of the services that were adopted.

use std::io;

use crate::error::{Error, Fault};
use crate::host::state::Kept;
use crate::model::name::ServiceName;
use crate::model::observed::Found;
use crate::model::original::Original;
use crate::model::place::Place;
use crate::model::text::Text;

/// The files that keep an original.
pub type KeptFiles = [(Text, Found); 2];

/// What is kept in these files, of which the second says what else was so.
///
/// # Errors
/// When it cannot be read or understood, or could be somebody else's words.
pub fn kept(paths: [Text; 2], place: &Place, state: &Kept) -> Result<Option<(Original, KeptFiles)>, Error> {
    let Some(record) = state.believed(&paths[1])? else { return Ok(None) };
    let broken = |reason: String| {
        let fault = Fault::new("the record of an adoption", reason).given(&paths[1]);
        Error::refused(
            fault
                .help(format!("look at it, and move it away if nothing needs it; `{}` is what it describes", paths[0])),
        )
    };
    let contents = match state.believed(&paths[0]) {
        Ok(Some(found)) => found,
        Ok(None) => return Err(broken(format!("`{}`, which it describes, is gone", paths[0]))),
        // One that was for root alone: who may not read it can compare everything else.
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error),
    };
    let original = Original::read(&record.contents, contents.contents.clone(), place).map_err(broken)?;
    let [of_contents, of_record] = paths;
    Ok(Some((original, [(of_contents, contents), (of_record, record)])))
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
