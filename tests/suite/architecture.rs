//! The floors of the house (CONTRIBUTING.md): nothing imports upwards, and the pure core touches nothing.
#![allow(clippy::disallowed_methods, reason = "tests may touch the machine")]

use std::fs;
use std::path::{Path, PathBuf};

/// From the ground up. Modules of one floor may know each other.
const FLOORS: [&[&str]; 11] = [
    &["model"],
    &["error"],
    &["document"],
    &["catalog", "manifest", "render"],
    &["plan", "validate"],
    &["host"],
    &["managers"],
    &["executor"],
    &["commands"],
    &["cli", "runner"],
    &["bin"],
];

/// Text in, text out, the same on every operating system.
const PURE: [&str; 7] = ["catalog", "document", "manifest", "model", "plan", "render", "validate"];

/// What a pure module does not name.
const EFFECTS: [&str; 14] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "Instant",
    "SystemTime",
    "println!",
    "crate::host",
    "crate::executor",
    "cfg(windows)",
    "cfg(unix)",
];

struct Source {
    module: String,
    path: PathBuf,
    /// Its lines, without comments, and their numbers.
    lines: Vec<(usize, String)>,
}

fn sources() -> Vec<Source> {
    fn visit(folder: &Path, root: &Path, found: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, root, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let below = path.strip_prefix(root).unwrap();
                let first = below.components().next().unwrap().as_os_str().to_str().unwrap();
                let text = fs::read_to_string(&path).unwrap();
                let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
                found.push(Source {
                    module: first.trim_end_matches(".rs").to_owned(),
                    lines: text.lines().enumerate().map(|(at, line)| (at + 1, code(line))).collect(),
                    path: below.to_owned(),
                });
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    visit(&root, &root, &mut found);
    found.retain(|source| source.module != "lib");
    assert!(found.len() > 30, "these are not all of them");
    found
}

fn floor(module: &str) -> usize {
    let floor = FLOORS.iter().position(|modules| modules.contains(&module));
    floor.unwrap_or_else(|| panic!("`{module}` is on no floor yet: add it here and in CONTRIBUTING.md"))
}

/// The modules of this crate that a line names.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn nothing_imports_upwards() {
    let mut faults = Vec::new();
    for Source { module, path, lines } in sources() {
        let here = floor(&module);
        for (number, line) in &lines {
            for other in named(line).filter(|other| !other.is_empty()) {
                if floor(other) > here {
                    faults.push(format!("src/{}:{number}: `{module}` is below `{other}`: {line}", path.display()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_pure_core_touches_nothing() {
    let mut faults = Vec::new();
    for Source { module, path, lines } in sources() {
        for (number, line) in lines.iter().filter(|_| PURE.contains(&&*module)) {
            for effect in EFFECTS.iter().filter(|effect| line.contains(**effect)) {
                faults.push(format!("src/{}:{number}: `{module}` names `{effect}`: {line}", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_module_is_declared_on_one_floor() {
    let library = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let mut declared: Vec<&str> =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut known: Vec<&str> = FLOORS.iter().copied().flatten().copied().filter(|module| *module != "bin").collect();
    declared.sort_unstable();
    known.sort_unstable();
    assert_eq!(declared, known);
}
