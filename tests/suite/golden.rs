//! Golden directories: `fixtures/install/NN-name/` holds what is typed and the whole tree that
//! `InstallService --output DIR` writes of it.
//!
//! * `args`: one argument a line. `\n` is a line break, `\xHH` a byte, `\\` a backslash.
//! * `env` (optional): one `NAME=value` a line; the environment of the command.
//! * `RunService.exe` (optional): what stands for that of a release, which lies beside the command then.
//! * `expected/`: the tree. `UPDATE_GOLDEN=1 cargo test --test suite golden::` writes it anew. The checksums of its
//!   files, in `MANIFEST.sha256`, follow from them and are not kept.
//!
//! The command runs in the case's directory, so `args` can name other files there.
//! tests/verify/golden.rs shows the same units to systemd. On Windows the files are the same.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use install_service::render::checksums;

use crate::support::{Test, checkout, same_tree, tree};

fn cases() -> Vec<PathBuf> {
    let root = checkout().join("fixtures/install");
    let mut cases: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    // Windows has no arguments but Unicode.
    #[cfg(windows)]
    cases.retain(|case| {
        fs::read_to_string(case.join("args")).unwrap().lines().all(|line| String::from_utf8(bytes_of(line)).is_ok())
    });
    cases
}

/// An argument as `args` spells it.
fn argument(line: &str) -> OsString {
    let bytes = bytes_of(line);
    #[cfg(unix)]
    return std::os::unix::ffi::OsStringExt::from_vec(bytes);
    #[cfg(windows)]
    String::from_utf8(bytes).expect("the case is left out").into()
}

fn bytes_of(line: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = line.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => (b'\\', after),
            (b'\\', [b'n', after @ ..]) => (b'\n', after),
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digit = |c: &u8| char::from(*c).to_digit(16).expect("a hex digit") as u8;
                (digit(high) << 4 | digit(low), after)
            }
            (b'\\', _) => panic!("`{line}`: a backslash is written `\\\\`"),
            (byte, after) => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    bytes
}

/// The arguments of a case.
fn arguments(case: &Path) -> Vec<OsString> {
    let text = fs::read_to_string(case.join("args")).unwrap();
    let mut typed: Vec<OsString> = Vec::new();
    if !text.starts_with("--target\n") {
        // What is meant where nothing is said.
        typed.extend(["--target".into(), "systemd".into()]);
    }
    typed.extend(text.lines().map(argument));
    typed
}

/// A run in the directory of a case, with its environment and nothing of ours set. What is typed
/// follows.
fn run_in(case: &Path) -> Test {
    let runner = fs::read(case.join("RunService.exe")).ok();
    let test = runner.map_or_else(Test::install, |runner| Test::install_beside(&runner));
    let mut test = test.cwd(case).env("INSTALLSERVICE_WORKING_DIR", "");
    for line in fs::read_to_string(case.join("env")).unwrap_or_default().lines() {
        let (name, value) = line.split_once('=').expect("NAME=value");
        test = test.env(name, value);
    }
    test
}

fn export(test: Test, directory: &Path, typed: impl IntoIterator<Item = impl AsRef<OsStr>>) {
    // In front, where no `--` makes it an argument of the program.
    test.arg("--output").arg(directory).args(typed).run();
}

#[cfg(unix)]
fn files_below(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

#[test]
fn exports_are_as_expected() {
    for case in cases() {
        let output = tempfile::tempdir().unwrap();
        export(run_in(&case), output.path(), arguments(&case));
        take_checksums(output.path());
        same_tree(&case.join("expected"), output.path());
        #[cfg(unix)]
        for file in files_below(output.path()) {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode, 0o644, "{} has mode {mode:o}", file.display());
        }
    }
}

/// Takes the list of the files away, which says of each what it holds.
fn take_checksums(folder: &Path) {
    let list = folder.join("MANIFEST.sha256");
    let found = checksums::read(&fs::read(&list).unwrap());
    fs::remove_file(list).unwrap();
    let sum = |contents: Vec<u8>| vec![checksums::sha256(&contents)];
    let files =
        tree(folder).into_iter().map(|(name, contents)| (name.to_string_lossy().replace('\\', "/"), sum(contents)));
    let named = found.into_iter().map(|(path, sums)| (path.to_string(), sums));
    assert_eq!(named.collect::<BTreeMap<_, _>>(), files.collect());
}

/// What an export says of itself is enough to make it again.
#[test]
fn the_manifest_of_an_export_gives_the_same_export() {
    for case in cases() {
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let typed = arguments(&case);
        export(run_in(&case), first.path(), &typed);
        let mut again = vec!["--manifest".into(), first.path().join("MANIFEST.toml").into_os_string()];
        // Where things are and what they are for is not in a manifest.
        again.extend(typed.iter().filter(|word| ["--no-nssm", "--offline"].iter().any(|known| word == known)).cloned());
        for option in ["--catalog", "--layout", "--state-dir", "--target"] {
            if let Some(at) = typed.iter().position(|word| word == option) {
                again.extend_from_slice(&typed[at..at + 2]);
            }
        }
        export(run_in(&case), second.path(), again);
        same_tree(first.path(), second.path());
    }
}
