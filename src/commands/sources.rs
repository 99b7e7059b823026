//! What people have written: catalogs and manifests.

use std::io;

use crate::catalog::Catalog;
use crate::document::DocumentError;
use crate::error::{Error, Fault};
use crate::host::files;
use crate::host::reading::{self, Limit, Links, Unread};
use crate::host::state::Kept;
use crate::host::text::text;
use crate::manifest::{Manifest, Request};
use crate::model::text::Text;

/// The catalogs, the later ones winning: shipped, of the machine, of the working directory, named.
///
/// # Errors
/// When one is broken or a named one is missing.
pub fn catalogs(state_dir: &Text, named: &[Text]) -> Result<Catalog, Error> {
    let broken = |error: DocumentError| Error::refused(error.into());
    let mut catalog = Catalog::shipped();
    let mut add = |path: &Text, read: Result<String, Unread>| {
        let text = read.map_err(|unread| refused("catalog", path, unread))?;
        catalog.merge(Catalog::parse(&text, &path.to_string()).map_err(broken)?);
        Ok(())
    };
    // On Windows every user may make a folder `\etc`.
    if !cfg!(windows) {
        let of_machine = catalogs_in(&"/etc/install-service/catalog.d".into());
        of_machine.iter().try_for_each(|path| add(path, reading::whole_text(path, Links::Followed, Limit::TEXT)))?;
    }
    let kept = catalogs_in(&state_dir.with("/catalog.d"));
    if !kept.is_empty() {
        let state = Kept::open(state_dir)?;
        kept.iter().try_for_each(|path| add(path, state.text(path)))?;
    }
    named.iter().try_for_each(|path| add(path, reading::given_text(path, Limit::TEXT)))?;
    Ok(catalog)
}

/// The catalogs in a directory, in the order of their names.
fn catalogs_in(directory: &Text) -> Vec<Text> {
    files::list(directory).into_iter().map(text).filter(|path| path.as_bytes().ends_with(b".toml")).collect()
}

/// The services of a manifest, of which there is at least one.
///
/// # Errors
/// When it cannot be read, or its shape is wrong.
pub fn manifest(path: &Text) -> Result<Vec<Request>, Error> {
    let text = reading::given_text(path, Limit::TEXT).map_err(|unread| refused("manifest", path, unread))?;
    let manifest = Manifest::parse(&text, &path.to_string()).map_err(|error| Error::refused(error.into()))?;
    let services = manifest.services();
    if services.is_empty() {
        let fault =
            Fault::new("manifest", "it describes no service").given(path).help("each one begins with `[[service]]`");
        return Err(Error::refused(fault));
    }
    Ok(services)
}

/// The error of a text that is not read; one that is not there, or no text, is a wrong request.
fn refused(what: &str, path: &Text, unread: Unread) -> Error {
    let fault = |reason: &str| Fault::new(what, reason).given(path);
    Error::refused(match unread {
        Unread::Failed(source) => match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => fault("there is no such file"),
            io::ErrorKind::InvalidData => fault("must be UTF-8 text"),
            _ => return Error::io(format!("reading the {what}"), path, source),
        },
        Unread::TooLarge(_) => fault(&unread.to_string()).help("divide it, or name another file"),
        Unread::NotAFile(_) | Unread::Distrusted(_) => fault(&unread.to_string()),
    })
}
