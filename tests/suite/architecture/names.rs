//! What a path means: `self`, `super`, and the names that imports bring into a module.

use std::collections::{BTreeMap, BTreeSet};

use super::mentions::{Mention, Path, What};

/// How this package is called by its own commands.
const LIBRARY: &str = "install_service";

/// More imports than this behind each other are a circle.
const DEEPEST: usize = 16;

/// Every name that a module has, in the whole package.
pub(crate) struct Names {
    modules: BTreeSet<Path>,
    /// The path of a name, and the import behind it: its module, and what is written there.
    imports: BTreeMap<Path, (Path, Path)>,
    /// `use other::*` of each module.
    globs: BTreeMap<Path, Vec<Path>>,
}

impl Names {
    /// Those of files that are `modules`, in which there are `mentions`.
    pub(crate) fn of<'a>(modules: impl Iterator<Item = Path>, mentions: impl Iterator<Item = &'a Mention>) -> Self {
        let mut names = Self { modules: modules.collect(), imports: BTreeMap::new(), globs: BTreeMap::new() };
        for Mention { module, what, .. } in mentions {
            names.modules.insert(module.clone());
            match what {
                What::Import { path, name } => {
                    names.imports.insert(below(module, name), (module.clone(), path.clone()));
                }
                What::Glob(path) => names.globs.entry(module.clone()).or_default().push(path.clone()),
                What::Path(_) | What::Method(_) | What::Condition(_) | What::Hidden(_) => {}
            }
        }
        names
    }

    /// The whole path: `crate::...` if it is of this package, else what was written.
    pub(crate) fn absolute(&self, module: &Path, written: &Path) -> Path {
        self.follow(module, written, DEEPEST)
    }

    fn follow(&self, module: &Path, written: &Path, depth: usize) -> Path {
        let path = self.anchored(module, written, depth);
        let Some(depth) = depth.checked_sub(1) else { return path };
        for length in 2..=path.len() {
            if let Some((module, target)) = self.imports.get(&path[..length]) {
                let is_package = path[..length] == *below(module, &target[0]);
                let target = [&target[..], &path[length..]].concat();
                return if is_package { target } else { self.follow(module, &target, depth) };
            }
        }
        path
    }

    fn anchored(&self, module: &Path, written: &Path, depth: usize) -> Path {
        let root = if module.get(1).is_some_and(|room| room == "bin") { &module[..3] } else { &module[..1] };
        let (start, rest) = match written[0].as_str() {
            "" => return written[1..].to_vec(),
            "crate" => (root, &written[1..]),
            LIBRARY => (&module[..1], &written[1..]),
            "self" => (&module[..], &written[1..]),
            "super" => {
                let steps = written.iter().take_while(|segment| *segment == "super").count();
                (&module[..module.len().saturating_sub(steps).max(1)], &written[steps..])
            }
            first => match self.home(module, first, depth) {
                Some(home) => return [&home[..], written].concat(),
                None => return written.clone(),
            },
        };
        [start, rest].concat()
    }

    /// The module from which `module` has `name`: itself, or one whose names it imports all.
    fn home(&self, module: &Path, name: &str, depth: usize) -> Option<Path> {
        let own = below(module, name);
        if self.modules.contains(&own) || self.imports.contains_key(&own) {
            return Some(module.clone());
        }
        let depth = depth.checked_sub(1)?;
        let globs = self.globs.get(module)?;
        globs.iter().find_map(|glob| self.home(&self.follow(module, glob, depth), name, depth))
    }
}

fn below(module: &Path, name: &str) -> Path {
    [&module[..], &[name.to_owned()]].concat()
}
