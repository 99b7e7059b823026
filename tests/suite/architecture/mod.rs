//! The floors of the house (CONTRIBUTING.md): nothing imports upwards or in a circle, the pure core touches
//! nothing, use cases print nothing, and what is done for a service manager is decided where the compiler asks
//! for every one.
//!
//! The rules are the tables below. `src/` is parsed, so an import counts however it is written; `snippets.rs` shows
//! what each rule sees.
#![allow(clippy::disallowed_methods, reason = "tests may touch the machine")]

mod decisions;
mod floors;
mod house;
mod mentions;
mod names;
mod patterns;
mod snippets;
mod words;

use std::fs;
use std::path::Path;

use house::House;

/// The rooms, from the ground up. Those of one floor may know each other, though not in a circle.
const FLOORS: [&[&str]; 13] = [
    &["model"],
    &["diagnose"],
    &["error"],
    &["document"],
    &["catalog", "manifest", "render"],
    &["plan", "validate"],
    &["import"],
    &["host"],
    &["managers"],
    &["executor"],
    &["commands"],
    &["cli", "runner"],
    &["bin"],
];

/// Text in, text out, the same on every operating system.
const PURE: [&str; 10] =
    ["catalog", "diagnose", "document", "error", "import", "manifest", "model", "plan", "render", "validate"];

/// What a pure room does not name: paths and what is below them, macros, methods, conditions.
const EFFECTS: [&str; 32] = [
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
    "crate::host",
    "crate::managers",
    "crate::executor",
    "print!",
    "println!",
    "eprint!",
    "eprintln!",
    "dbg!",
    "cfg(windows)",
    "cfg(unix)",
    "cfg(target_family)",
    "cfg(target_os)",
    "cfg_select!",
    // The methods of `std::path::Path` that ask the disk.
    ".canonicalize()",
    ".exists()",
    ".is_dir()",
    ".is_file()",
    ".is_symlink()",
    ".metadata()",
    ".read_dir()",
    ".read_link()",
    ".symlink_metadata()",
    ".try_exists()",
];

/// The packages that touch nothing either: all that a pure room may use.
const PURE_PACKAGES: [&str; 11] = [
    "askama",
    "fancy_regex",
    "indexmap",
    "schemars",
    "serde",
    "serde_json",
    "sha2",
    "shlex",
    "strsim",
    "toml",
    "unicode_ident",
];

/// What one pure room may name all the same: an error of ours wraps one of the operating system's.
const EXCEPTIONS: [(&str, &str); 4] = [
    ("error", "std::io"),
    ("error", "std::io::Error"),
    ("error", "std::io::ErrorKind::PermissionDenied"),
    ("error", "std::io::ErrorKind::StorageFull"),
];

/// Rooms that tell what happens by values, and leave it to others to print them.
const SILENT: [&str; 1] = ["commands"];

/// What a silent room does not name.
const OUTPUT: [&str; 8] =
    ["print!", "println!", "eprint!", "eprintln!", "dbg!", "std::io::stdout", "std::io::stderr", "anstream"];

/// Types with one variant for each service manager: whoever adds one is led by the compiler to all that it takes.
const MANAGERS: [&str; 2] = ["Manager", "Target"];

/// Rooms that know the service managers apart, and may ask which one it is.
const KNOWING: [&str; 2] = ["managers", "model"];

/// The packages that this one depends on, by the names that code has for them.
fn packages() -> Vec<String> {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let of_targets = manifest["target"].as_table().into_iter().flat_map(toml::Table::values);
    let tables = std::iter::once(&manifest["dependencies"]).chain(of_targets.filter_map(|of| of.get("dependencies")));
    tables.filter_map(toml::Value::as_table).flat_map(toml::Table::keys).map(|name| name.replace('-', "_")).collect()
}

/// Fails with every fault on a line of its own, and what to do.
#[track_caller]
fn none(faults: &[String], help: &str) {
    assert!(faults.is_empty(), "\n{}\nhelp: {help}\n", faults.join("\n"));
}

#[test]
fn every_module_is_declared_on_one_floor() {
    let house = House::of_this_package();
    let mut known: Vec<&str> = FLOORS.concat();
    known.retain(|room| *room != "bin");
    known.sort_unstable();
    assert_eq!(house.declared(), known, "the rooms of src/lib.rs, and those of `FLOORS`");
    let rules = [&PURE[..], &SILENT, &KNOWING].concat();
    let missing: Vec<_> = rules.into_iter().filter(|room| !known.contains(room)).collect();
    assert!(missing.is_empty(), "rules for rooms that are not there: {missing:?}");
}

#[test]
fn every_import_can_be_seen() {
    none(
        &words::hiding(&House::of_this_package()),
        "keep each module in the file of its name, and write imports so that they can be read",
    );
}

#[test]
fn nothing_imports_upwards() {
    none(
        &floors::upwards(&House::of_this_package(), &FLOORS),
        "hand in what is needed from above, or move it down to the floor where it belongs (CONTRIBUTING.md)",
    );
}

#[test]
fn no_rooms_import_each_other_in_a_circle() {
    none(
        &floors::circles(&House::of_this_package()),
        "take one arrow of the circle away: move what both rooms need to the lower of them",
    );
}

#[test]
fn the_pure_core_touches_nothing() {
    let house = House::of_this_package();
    let mut faults = words::named(&house, &PURE, &EFFECTS, &EXCEPTIONS);
    faults.extend(words::packages(&house, &PURE, &packages(), &PURE_PACKAGES));
    none(&faults, "let `host` ask, and hand in the answer; a package that touches nothing goes to `PURE_PACKAGES`");
}

#[test]
fn use_cases_print_nothing() {
    none(
        &words::named(&House::of_this_package(), &SILENT, &OUTPUT, &[]),
        "tell it to the reporter as an event, and let `cli` word it",
    );
}

#[test]
fn decisions_by_service_manager_are_complete() {
    none(
        &decisions::incomplete(&House::of_this_package(), &MANAGERS, &KNOWING),
        "`match` with an arm for each variant, or ask a method of `model` or `managers` that does",
    );
}
