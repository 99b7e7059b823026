//! The units of a folder and of the folders in it.

use std::collections::{BTreeMap, BTreeSet};

use super::unit::{Source, aliased, companions, is_masked, is_of_user, last, timer, with_drop_ins, within};
use crate::error::Error;
use crate::host::files;
use crate::host::text::{path as to_path, text};
use crate::import::{About, Unit, UnitFile};
use crate::model::platform::Platform;
use crate::model::text::Text;

/// Where the units of a system lie, those first that win (systemd.unit(5), "Unit File Load Path").
const OF_SYSTEM: [&str; 5] = [
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];
/// Where those of its users lie.
const OF_USERS: [&str; 4] =
    ["etc/systemd/user", "run/systemd/user", "usr/local/lib/systemd/user", "usr/lib/systemd/user"];
/// Directories that belong to units (systemd.unit(5)).
const OF_UNITS: [&str; 4] = [".d", ".requires", ".upholds", ".wants"];
/// Units that are no services.
const OTHERS: [&str; 9] =
    [".automount", ".mount", ".path", ".scope", ".slice", ".socket", ".swap", ".target", ".timer"];

/// What was found in a folder.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) sources: Vec<Source>,
    /// What is not in the manifest, and why.
    pub(super) left: Vec<String>,
    /// What is worth saying besides.
    pub(super) notes: Vec<String>,
}

/// The units of a folder.
pub(super) fn read(folder: &Text, is_user: bool) -> Tree {
    let mut tree = Tree::default();
    for group in groups(folder) {
        tree.read(&group, is_user);
    }
    tree.without_clashes();
    tree
}

/// Directories whose units one systemd reads together.
struct Group {
    /// Those first that win.
    directories: Vec<Text>,
    /// The root of the system that they are of.
    root: Option<Text>,
}

impl Group {
    /// Where the file of a unit is: a link of another system leads to a file of that system.
    fn file(&self, path: &Text) -> Text {
        let target = files::link_target(path).filter(|target| Platform::Unix.is_absolute(target) && !is_masked(path));
        // Nothing leads above its root.
        let inside = |(root, target): (&Text, Text)| {
            let root = root.as_bytes().strip_suffix(b"/").unwrap_or(root.as_bytes());
            Text::from_bytes([root, Platform::Unix.normalised(&target).as_bytes()].concat())
        };
        self.root.as_ref().zip(target).map_or_else(|| path.clone(), inside)
    }
}

fn groups(folder: &Text) -> Vec<Group> {
    let (mut found, mut open) = (Vec::new(), vec![folder.clone()]);
    while let Some(directory) = open.pop() {
        let mut is_root = false;
        for places in [&OF_SYSTEM[..], &OF_USERS] {
            let mut seen = BTreeSet::new();
            let there = places.iter().map(|place| within(&directory, place)).filter(|place| {
                // `/lib` is `/usr/lib` on most systems.
                to_path(place).canonicalize().is_ok_and(|real| real.is_dir() && seen.insert(real))
            });
            let directories: Vec<Text> = there.collect();
            if !directories.is_empty() {
                is_root = true;
                found.push(Group { directories, root: Some(directory.clone()) });
            }
        }
        if is_root {
            continue;
        }
        let entries: Vec<Text> = files::list(&directory).into_iter().map(text).collect();
        if entries.iter().any(|path| last(path).ends_with(".service")) {
            found.push(Group { directories: vec![directory], root: None });
        }
        let is_of_unit = |path: &Text| OF_UNITS.iter().any(|end| last(path).ends_with(end));
        // The last one is looked into first.
        open.extend(entries.into_iter().rev().filter(|path| files::is_real_directory(path) && !is_of_unit(path)));
    }
    found
}

impl Tree {
    fn read(&mut self, group: &Group, is_user: bool) {
        let mut services: BTreeMap<String, Vec<Text>> = BTreeMap::new();
        let mut others = BTreeSet::new();
        for path in group.directories.iter().flat_map(files::list).map(text) {
            let name = last(&path);
            if name.ends_with(".service") {
                services.entry(name).or_default().push(path);
            } else if OTHERS.iter().any(|kind| name.ends_with(kind)) {
                others.insert(name);
            }
        }
        let (mut aliases, first) = (Vec::new(), self.sources.len());
        for (name, paths) in &services {
            let (path, farther) = (&paths[0], &paths[1..]);
            if let Some(real) = aliased(path) {
                aliases.push((path.clone(), real));
            } else {
                match self::service(path, name, group, is_user) {
                    Ok(source) => self.sources.push(source),
                    Err(error) => self.left.push(error.to_string()),
                }
            }
            self.notes.extend(farther.iter().map(|other| format!("`{other}` is left out: `{path}` takes its place")));
        }
        for source in &self.sources[first..] {
            others.remove(&format!("{}.timer", source.about.name));
            source.companions.iter().for_each(|companion| {
                others.remove(companion);
            });
        }
        self.aliases(first, &aliases);
        if let Some(more) = others.len().checked_sub(1) {
            let named: Vec<String> = others.iter().take(3).map(|name| format!("`{name}`")).collect();
            let rest = if more > 2 { format!(" and {} more", more - 2) } else { String::new() };
            self.notes.push(format!("only services are taken over, not {}{rest}", named.join(", ")));
        }
    }

    /// Other names of services: those that an `Alias=` makes come with it.
    fn aliases(&mut self, first: usize, aliases: &[(Text, String)]) {
        for (path, real) in aliases {
            let name = last(path);
            let source = self.sources[first..].iter().find(|source| format!("{}.service", source.about.name) == *real);
            let is_said = source.is_some_and(|source| {
                let mut read = source.files.iter().map(|(path, found)| UnitFile::read(&path.to_string(), found));
                let own = read.next().unwrap_or_default();
                let unit = Unit::merged(own, read.collect()).unwrap_or_default();
                let mut lines = unit.assignments.iter().filter(|line| line.name == "Alias");
                lines.any(|line| line.value.split_whitespace().any(|alias| alias == name))
            });
            match is_said {
                true => self.notes.push(format!("`{path}` is left out: it is the `Alias=` of `{real}`")),
                false => self.left.push(format!(
                    "`{path}`: it is another name of `{real}`; `\"Install.Alias\" = \"{name}\"` in the `systemd` table of \
                     that makes it"
                )),
            }
        }
    }

    /// A manifest has one service of each name.
    fn without_clashes(&mut self) {
        let mut names: BTreeMap<String, Text> = BTreeMap::new();
        for source in std::mem::take(&mut self.sources) {
            let (name, path) = (source.about.name.clone(), source.files[0].0.clone());
            match names.get(&name) {
                Some(other) => self.left.push(format!("`{path}`: `{other}` is a service of the same name")),
                None => {
                    names.insert(name, path);
                    self.sources.push(source);
                }
            }
        }
    }
}

/// A service of these directories.
fn service(path: &Text, name: &str, group: &Group, is_user: bool) -> Result<Source, Error> {
    let stem = name.trim_end_matches(".service");
    let directories = &group.directories;
    let files = with_drop_ins(&group.file(path), name, directories)?;
    let timer = timer(stem, directories)?;
    let about = About { name: stem.to_owned(), user: is_user || is_of_user(path), is_enabled: None };
    Ok(Source { about, files, timer, companions: companions(stem, directories), is_of_host: false })
}
