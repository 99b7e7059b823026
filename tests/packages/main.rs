//! The packages that `packaging/build` makes, each installed where it is meant for.
//!
//! `tests/run packages` makes them, and sets `PACKAGES` to their folder, `PACKAGES_AGAIN` to one with
//! those that were made once more, `BULLSEYE` and `TRIXIE` to roots of Debian 11 and
//! 13, `WINE_PREFIX` to a fresh prefix of Wine, and `PIP` and `OPENMSISTREAM` to wheels of those two.
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod archives;
mod completions;
mod contents;
mod crates;
mod debian;
mod rpm;
mod wheels;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::host::Host;
use support::{output_of, temporary_folder};

/// What `tests/run packages` has set.
#[track_caller]
fn said(variable: &str) -> PathBuf {
    std::env::var_os(variable).unwrap_or_else(|| panic!("{variable}: tests/run packages sets it")).into()
}

/// The one package whose name ends so.
#[track_caller]
fn package(end: &str) -> PathBuf {
    let folder = said("PACKAGES");
    let entries = std::fs::read_dir(&folder).expect("the packages").flatten().map(|entry| entry.path());
    let found: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(end)).collect();
    assert_eq!(found.len(), 1, "*{end} in {}: {found:?}", folder.display());
    found[0].clone()
}

/// The standard output of a shell script on this machine, with what `$1`, `$2` and so on stand for.
#[track_caller]
fn sh(script: &str, words: &[&Path]) -> String {
    let output = output_of(Command::new("sh").args(["-euc", script, "sh"]).args(words));
    let said = [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat();
    assert!(output.status.success(), "{script}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A host of that Debian, which sees the packages. This machine is a Debian 12 (bookworm).
fn host_of(debian: &str) -> Host {
    let packages = said("PACKAGES").display().to_string();
    let root = (debian != "bookworm").then(|| said(&debian.to_uppercase()).display().to_string());
    let mut options = vec!["--bind", packages.as_str()];
    options.extend(root.iter().flat_map(|root| ["--root", root]));
    let mut host = Host::boot(&options);
    host.wait();
    host
}

/// Makes the first service with the commands in `folder`, with a secret and odd arguments, and sees that it runs.
#[track_caller]
fn first_service(host: &Host, folder: &str, name: &str) {
    let odd = r#"'100% $HOME "x"'"#;
    host.sh(&format!(
        "cd /; TOKEN=' s3cr\\et ' {folder}install-service --start --env TOKEN --service_name {name} -- /bin/sh -c 'sleep 1000; :' {odd}"
    ));
    let status = host.sh(&format!("{folder}manage-service {name} status"));
    assert!(status.starts_with(&format!("{name}: running")), "{status}");
    let pid = host.pid(&format!("{name}.service"));
    let argv = host.sh(&format!("tr '\\0' '|' < /proc/{}/cmdline", pid.trim()));
    assert_eq!(argv, "/bin/sh|-c|sleep 1000; :|100% $HOME \"x\"|");
    assert!(host.sh(&format!("tr '\\0' '|' < /proc/{}/environ", pid.trim())).contains("|TOKEN= s3cr\\et |"));
}

/// A folder of its own with what is in an archive.
#[track_caller]
fn unpacked(archive: &Path, by: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    sh(&format!("cd \"$2\"; {by}"), &[archive, folder.path()]);
    folder
}

/// A temporary folder, kept as long as the value.
fn scratch() -> std::rc::Rc<tempfile::TempDir> {
    temporary_folder()
}
