//! Other programs that are called as ours are. The Python package openmsistream brings its own `InstallService` and
//! `ManageService` into each environment, and they take the same words.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

use super::called::Called;
use super::environment::search_path;
use super::text::{path as to_path, text};
use crate::model::text::Text;

/// Each with the name that nobody else has.
const OURS: [(&str, &str); 2] = [("InstallService", "install-service"), ("ManageService", "manage-service")];

/// Another program that has the name of one of ours.
#[derive(Debug, PartialEq, Eq)]
pub struct Namesake {
    /// The name.
    pub name: &'static str,
    /// The other one.
    pub other: Text,
    /// Ours: the name that is nobody else's, where that means ours; else its path.
    pub own: Text,
    /// Whether the name alone means the other one, where this was typed; else it lies beside an interpreter.
    pub is_first: bool,
}

/// Those that come first on PATH, and those that lie beside these interpreters.
///
/// None for somebody who types the names that are nobody else's.
pub fn namesakes<'a>(interpreters: impl Iterator<Item = &'a Text>) -> Vec<Namesake> {
    match Called::now() {
        Called::Classic => {}
        Called::Hyphenated => return Vec::new(),
    }
    let Some(folder) = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned())) else {
        return Vec::new();
    };
    let folders: BTreeSet<PathBuf> = interpreters.filter_map(|path| Some(to_path(path).parent()?.to_owned())).collect();
    let mut found = Vec::new();
    for (name, hyphenated) in OURS {
        let beside = |name: &str| folder.join(name).with_extension(env::consts::EXE_EXTENSION);
        let own = beside(name);
        if !own.is_file() {
            continue;
        }
        let is_another = |path: &PathBuf| path.is_file() && !is_same(path, &own);
        let first = |name| which::which_in(name, Some(search_path()), &folder).ok();
        let is_ours = |path: &PathBuf| is_same(path, &beside(hyphenated));
        let typed = first(hyphenated).filter(is_ours).map_or_else(|| text(&own), |_| hyphenated.into());
        let namesake = |path: &Path, is_first| Namesake { name, other: text(path), own: typed.clone(), is_first };
        let first = first(name);
        if let Some(other) = first.clone().filter(is_another) {
            found.push(namesake(&other, true));
        }
        let beside = folders.iter().map(|folder| folder.join(name).with_extension(env::consts::EXE_EXTENSION));
        let beside = beside.filter(|path| first.as_ref() != Some(path)).filter(is_another);
        found.extend(beside.map(|other| namesake(&other, false)));
    }
    found
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
