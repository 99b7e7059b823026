//! A fault of our own says where it is, and no value that was at hand.

use std::path::Path;
use std::process::Command;

const SECRET: &str = "zq-s3cr3t-zq";

#[track_caller]
fn panics(way: &str, backtrace: &str) -> String {
    let examples = Path::new(env!("CARGO_BIN_EXE_InstallService")).with_file_name("examples");
    let mut command = Command::new(examples.join("broken").with_extension(std::env::consts::EXE_EXTENSION));
    let output = command
        .arg(way)
        .env("PASSWORD", SECRET)
        .env("RUST_BACKTRACE", backtrace)
        .output()
        .expect("cargo build --examples");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{way}: {said}");
    assert!(!said.contains(SECRET), "{way}: {said}");
    assert!(said.contains("help: report the line above; `ManageService --list` undoes"), "{way}: {said}");
    said
}

#[test]
fn a_panic_tells_where_and_no_secret() {
    for way in ["formatted", "expect", "unwrap", "assert", "any", "index", "thread"] {
        let said = panics(way, "0");
        let first = said.lines().next().unwrap();
        let (before, place) = first.split_once(" at ").unwrap_or_else(|| panic!("{way}: {said}"));
        assert_eq!(before, "InstallService: error: this is a bug", "{way}");
        assert!(place.contains(".rs:") && !place.contains(' '), "{way}: {said}");
    }
}

#[test]
fn words_of_the_source_are_told() {
    let said = panics("words", "0");
    assert!(said.lines().next().unwrap().ends_with(": words of the source"), "{said}");
}

#[test]
fn a_backtrace_is_given_where_it_is_asked_for() {
    assert!(panics("formatted", "1").contains("broken::main"));
}
