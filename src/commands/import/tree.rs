//! The units of a folder and of the folders in it.

use std::collections::{BTreeMap, BTreeSet};

use super::unit::{
    Source, TimerSource, aliased, companions, is_masked, is_of_user, last, template_of, timer, with_drop_ins, within,
};
use crate::error::Error;
use crate::host::files;
use crate::host::text::{path as to_path, text};
use crate::import::{About, Unit, UnitFile};
use crate::model::platform::Platform;
use crate::model::text::Text;

/// Where the units of a system lie, those first that win (systemd.unit(5), "Unit File Load Path").
pub(super) const OF_SYSTEM: [&str; 5] = [
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];
/// Where those of its users lie.
const OF_USERS: [&str; 4] =
    ["etc/systemd/user", "run/systemd/user", "usr/local/lib/systemd/user", "usr/lib/systemd/user"];
/// Directories that belong to units (systemd.unit(5)): of drop-ins, and of links to units that are started with them.
const DROP_INS: &str = ".d";
const LINKS: [&str; 3] = [".requires", ".upholds", ".wants"];
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
    /// Those in which `systemctl enable` makes links.
    enabling: Vec<Text>,
}

impl Group {
    /// Units that are started with others, as `systemctl enable` makes it, each with the link. A system that has no such
    /// link was never set up, and says nothing of what it starts.
    fn enabled(&self) -> Option<BTreeMap<String, Text>> {
        let is_for_links = |path: &Text| LINKS.iter().any(|end| last(path).ends_with(end));
        let folders = self.enabling.iter().flat_map(files::list).map(text).filter(is_for_links);
        let links: BTreeMap<String, Text> =
            folders.flat_map(|folder| files::list(&folder)).map(text).map(|link| (last(&link), link)).collect();
        (!links.is_empty()).then_some(links)
    }

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
            let there = places.iter().map(|place| (place, within(&directory, place))).filter(|(_, place)| {
                // `/lib` is `/usr/lib` on most systems.
                to_path(place).canonicalize().is_ok_and(|real| real.is_dir() && seen.insert(real))
            });
            let there: Vec<(&&str, Text)> = there.collect();
            if !there.is_empty() {
                is_root = true;
                let is_enabling = |place: &str| place.starts_with("etc/") || place.starts_with("run/");
                found.push(Group {
                    enabling: there
                        .iter()
                        .filter(|(place, _)| is_enabling(place))
                        .map(|(_, path)| path.clone())
                        .collect(),
                    directories: there.into_iter().map(|(_, path)| path).collect(),
                    root: Some(directory.clone()),
                });
            }
        }
        if is_root {
            continue;
        }
        let entries: Vec<Text> = files::list(&directory).into_iter().map(text).collect();
        if entries.iter().any(|path| last(path).ends_with(".service")) {
            found.push(Group { directories: vec![directory], root: None, enabling: Vec::new() });
        }
        let is_of_unit = |path: &Text| LINKS.iter().chain([&DROP_INS]).any(|end| last(path).ends_with(end));
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
        let (mut aliases, first, enabled) = (Vec::new(), self.sources.len(), group.enabled());
        for (name, paths) in &services {
            let (path, farther) = (&paths[0], &paths[1..]);
            if let Some(real) = aliased(path) {
                aliases.push((path.clone(), real));
            } else {
                match self::service(path, name, group, enabled.as_ref(), is_user) {
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
        self.instances(first, &enabled.unwrap_or_default());
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

    /// Instances of templates that are started at boot: a manifest has the template alone.
    fn instances(&mut self, first: usize, enabled: &BTreeMap<String, Text>) {
        for (unit, link) in enabled {
            let template = template_of(unit);
            let is_here = |source: &Source| template == Some(format!("{}.service", source.about.name));
            if let Some((source, name)) =
                self.sources[first..].iter().find(|it| is_here(it)).zip(unit.strip_suffix(".service"))
            {
                let user = if source.about.user { " --user" } else { "" };
                self.notes.push(format!(
                    "`{link}` starts an instance at boot; after an install, `ManageService{user} {name} enable` does that"
                ));
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

/// A service of these directories; `enabled` has what is started at boot, where that is known.
fn service(
    path: &Text,
    name: &str,
    group: &Group,
    enabled: Option<&BTreeMap<String, Text>>,
    is_user: bool,
) -> Result<Source, Error> {
    let stem = name.trim_end_matches(".service");
    let directories = &group.directories;
    let files = with_drop_ins(&group.file(path), name, directories)?;
    let is_enabled = |unit: &str| enabled.map(|units| units.contains_key(unit));
    let timer = timer(stem, directories)?
        .map(|timer| TimerSource { is_enabled: is_enabled(&format!("{stem}.timer")), ..timer });
    // Of a template, instances are.
    let is_enabled = is_enabled(name).filter(|_| !stem.ends_with('@'));
    let about = About { name: stem.to_owned(), user: is_user || is_of_user(path), is_enabled };
    Ok(Source { about, files, timer, companions: companions(stem, directories) })
}
