//! The files of `src/`, and what each of them names.

use std::fs;
use std::path::Path as FilePath;

use super::mentions::{self, Mention, Path, What};
use super::names::Names;

/// The files of a package.
pub(crate) struct House {
    pub(crate) files: Vec<File>,
}

/// A file of `src/`.
pub(crate) struct File {
    /// Its path, from `src/` on, with slashes.
    pub(crate) path: String,
    /// The module below the root that it belongs to, `bin`, or nothing for `lib.rs`.
    pub(crate) room: String,
    pub(crate) syntax: syn::File,
    /// What it names, by whole paths.
    pub(crate) mentions: Vec<Mention>,
}

impl House {
    /// The house that is tested.
    pub(crate) fn of_this_package() -> Self {
        let root = FilePath::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        collect(root, &root.join("src"), &mut files);
        assert!(files.len() > 30, "these are not all of them");
        let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        Self::of(&files)
    }

    /// A house of files with these texts.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut files: Vec<File> = files.iter().map(|(path, text)| File::of(path, text)).collect();
        let modules = files.iter().map(|file| module_of(&file.path));
        let names = Names::of(modules, files.iter().flat_map(|file| &file.mentions));
        for mention in files.iter_mut().flat_map(|file| &mut file.mentions) {
            if let What::Path(path) | What::Import { path, .. } | What::Glob(path) = &mut mention.what {
                *path = names.absolute(&mention.module, path);
            }
        }
        Self { files }
    }

    /// The modules that `lib.rs` declares, in order, and whatever else it has.
    pub(crate) fn declared(&self) -> Vec<String> {
        let library = self.files.iter().find(|file| file.room.is_empty()).expect("there is a lib.rs");
        let mut declared: Vec<String> = library.syntax.items.iter().map(name_of_module).collect();
        declared.sort_unstable();
        declared
    }
}

impl File {
    fn of(path: &str, text: &str) -> Self {
        let module = module_of(path);
        let syntax = syn::parse_file(text).unwrap_or_else(|fault| panic!("{path}: {fault}"));
        let tokens = text.parse().unwrap_or_else(|fault| panic!("{path}: {fault}"));
        Self {
            path: path.to_owned(),
            room: module.get(1).cloned().unwrap_or_default(),
            syntax,
            mentions: mentions::read(&module, tokens),
        }
    }

    /// A line of it, as messages name one.
    pub(crate) fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }
}

fn collect(root: &FilePath, folder: &FilePath, files: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            files.push((name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// `src/a/b.rs` and `src/a/b/mod.rs` are `crate::a::b`; a command is named as if it were a module of the library.
fn module_of(path: &str) -> Path {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    let segments = inside.split('/').filter(|segment| !matches!(*segment, "lib" | "main" | "mod"));
    std::iter::once("crate").chain(segments).map(str::to_owned).collect()
}

fn name_of_module(item: &syn::Item) -> String {
    match item {
        syn::Item::Mod(module) if module.content.is_none() => module.ident.to_string(),
        _ => "something that is no `mod name;`".to_owned(),
    }
}
