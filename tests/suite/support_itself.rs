//! The helpers of the other tests, tested on a small scale; and that no test is left out.

use std::{fs, panic};

use crate::support::{Test, checkout, difference, same_tree};

#[test]
fn a_command_runs_in_a_folder_of_its_own() {
    let ran = Test::install().file("a/b", "text").cwd("a").arg("--version").expect_file("a/b", "text").run();
    assert!(ran.folder().is_absolute());
    ran.then_manage().arg("--version").expect_file("a/b", "text").run();
}

#[test]
fn what_is_not_as_expected_fails() {
    let wrong: [fn(Test) -> Test; 5] = [
        |test| test.status(77),
        |test| test.stdout("never said\n"),
        |test| test.stdout_contains("never said"),
        |test| test.stderr("never said\n"),
        |test| test.expect_file("missing", ""),
    ];
    for expectation in wrong {
        let test = expectation(Test::install().arg("--version"));
        panic::catch_unwind(panic::AssertUnwindSafe(|| test.run())).map(drop).expect_err("must not pass");
    }
}

#[test]
fn a_difference_shows_the_lines() {
    assert_eq!(difference("x", "a\nb\n", "a\nb\n"), None);
    assert_eq!(
        difference("x", "a\nb\n", "a\nc\n").as_deref(),
        Some("--- x, expected\n+++ x, got\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n")
    );
}

#[test]
fn trees_are_compared_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    for root in [&one, &other] {
        fs::create_dir_all(root.join("deep/er")).expect("a folder");
        fs::write(root.join("deep/er/file"), b"\xff same").expect("a file");
    }
    same_tree(&one, &other);
    fs::write(other.join("more"), "").expect("a file");
    panic::catch_unwind(|| same_tree(&one, &other)).expect_err("one file too many");
}

/// Cargo finds each `main.rs` by itself, and the compiler reads what that names and no other file.
#[test]
fn every_file_beside_a_main_is_one_of_its_modules() {
    let mains = fs::read_dir(checkout().join("tests")).expect("the tests").filter_map(|entry| {
        let folder = entry.expect("an entry").path();
        Some((fs::read_to_string(folder.join("main.rs")).ok()?, folder))
    });
    let mut left_out = Vec::new();
    for (main, folder) in mains {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_str().expect("plain text");
            let is_module = path.extension().is_some_and(|extension| extension == "rs") && name != "main";
            if is_module && !main.lines().any(|line| line == format!("mod {name};")) {
                left_out.push(path);
            }
        }
    }
    assert!(left_out.is_empty(), "no main.rs has a `mod` for {left_out:#?}");
}
