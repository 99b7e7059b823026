//! The links to units that lie in a directory of units, and putting them back as they were.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::host::files;
use crate::host::text::{path as to_path, text};
use crate::model::links::Links;
use crate::model::text::Text;

/// Directories of links, by the ends of their names (systemd.unit(5)).
const FOLDERS: [&[u8]; 3] = [b".wants", b".requires", b".upholds"];

/// The links in a directory of units, of which `entries` are there.
pub fn look(entries: &[PathBuf]) -> Links {
    let mut links = Links::default();
    for entry in entries {
        let name = entry.file_name().unwrap_or_default().as_encoded_bytes();
        if FOLDERS.iter().any(|end| name.ends_with(end)) {
            files::list(&text(entry)).iter().for_each(|path| note(path, &mut links));
        } else {
            note(entry, &mut links);
        }
    }
    links
}

/// Notes what lies at `path`, if it is a link: it leads to the unit that its target is called.
fn note(path: &Path, links: &mut Links) {
    let Ok(target) = fs::read_link(path) else { return };
    if let Some(unit) = target.file_name().and_then(|name| name.to_str()) {
        links.add(unit, text(path), text(&target));
    }
}

/// Makes the links to the units in `earlier` what they were: those that have come go, and those that are gone come
/// back. Says which paths changed.
///
/// # Errors
/// When one cannot be made or removed.
pub fn restore(unit_dir: &Text, earlier: &Links) -> Result<Vec<Text>, Error> {
    let now = look(&files::list(unit_dir));
    let mut changed = Vec::new();
    for (unit, before) in earlier.iter() {
        for path in now.of(unit).keys().filter(|path| !before.contains_key(*path)) {
            files::remove(path)?;
            changed.push(path.clone());
        }
        for (path, target) in before.iter().filter(|(path, target)| now.of(unit).get(*path) != Some(*target)) {
            make(path, target).map_err(|source| Error::io("putting back the link", path, source))?;
            changed.push(path.clone());
        }
    }
    Ok(changed)
}

/// The directories in which there is, or was, a link to one of the units in `earlier`.
pub fn directories(unit_dir: &Text, earlier: &Links) -> Vec<Text> {
    let now = look(&files::list(unit_dir));
    let paths = earlier.iter().flat_map(|(unit, before)| before.keys().chain(now.of(unit).keys()));
    paths.filter_map(files::parent).collect()
}

/// Makes a link, in the place of another one.
#[cfg(unix)]
fn make(path: &Text, target: &Text) -> io::Result<()> {
    let place = to_path(path);
    if let Some(directory) = place.parent() {
        match files::make_one_directory(directory, 0o755) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    match fs::symlink_metadata(&place) {
        Ok(there) if there.is_symlink() => fs::remove_file(&place)?,
        Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => {}
    }
    std::os::unix::fs::symlink(to_path(target), place)
}

/// Makes a link: elsewhere there are no units.
#[cfg(not(unix))]
fn make(path: &Text, _target: &Text) -> io::Result<()> {
    let _ = to_path(path);
    Err(io::ErrorKind::Unsupported.into())
}
