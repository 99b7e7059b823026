//! What people have written: catalogs and manifests.

use std::io;

use crate::catalog::{self, Catalog};
use crate::document::DocumentError;
use crate::error::{Error, Fault};
use crate::host::files;
use crate::host::text::text;
use crate::manifest::{Manifest, Service};
use crate::model::text::Text;

/// The catalogs, the later ones winning: shipped, of the machine, of the working directory, named.
///
/// # Errors
/// When one is broken or a named one is missing.
pub fn catalogs(state_dir: &Text, named: &[Text]) -> Result<Catalog, Error> {
    let broken = |error: DocumentError| Error::refused(error.into());
    let mut catalog = Catalog::parse(catalog::SHIPPED, "openmsistream.toml").map_err(broken)?;
    // On Windows every user may make a folder `\etc`.
    let of_machine = (!cfg!(windows)).then(|| Text::from("/etc/install-service/catalog.d"));
    let folders: Vec<Text> = of_machine.into_iter().chain([state_dir.with("/catalog.d")]).collect();
    let found = folders.iter().flat_map(files::list).map(text).filter(|path| path.as_bytes().ends_with(b".toml"));
    for path in found.chain(named.iter().cloned()) {
        let text = read_named("catalog", &path)?;
        catalog.merge(Catalog::parse(&text, &path.to_string()).map_err(broken)?);
    }
    Ok(catalog)
}

/// The services of a manifest, of which there is at least one.
///
/// # Errors
/// When it cannot be read, or its shape is wrong.
pub fn manifest(path: &Text) -> Result<Vec<Service>, Error> {
    let text = read_named("manifest", path)?;
    let manifest = Manifest::parse(&text, &path.to_string()).map_err(|error| Error::refused(error.into()))?;
    let services = manifest.services();
    if services.is_empty() {
        let fault =
            Fault::new("manifest", "it describes no service").given(path).help("each one begins with `[[service]]`");
        return Err(Error::refused(fault));
    }
    Ok(services)
}

/// Reads a file that the command line names; one that is not there, or no text, is a wrong request.
fn read_named(what: &str, path: &Text) -> Result<String, Error> {
    let read = files::read_text(&format!("reading the {what}"), path);
    let reason = match &read {
        Err(Error::Io { source, .. }) => match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "there is no such file",
            io::ErrorKind::IsADirectory => "this is a directory, not a file",
            io::ErrorKind::InvalidData => "must be UTF-8 text",
            _ => return read,
        },
        _ => return read,
    };
    Err(Error::refused(Fault::new(what, reason).given(path)))
}
