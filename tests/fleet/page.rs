//! The page docs/fleet.md, whose snippets are what the tests apply: a tree of its manifest on a host, by a configuration
//! management that runs there by itself.

use std::fs;
use std::path::Path;

use crate::support::Test;
use crate::support::host::Host;
use crate::support::readme::{Block, blocks_of};

/// A value with everything that an environment file has a meaning for.
pub(crate) const TOKEN: &str = r#"pa"ss\w`or$d 'x' {{ 1 }} %{y} #z"#;

/// The block of the page in this language that has `part`.
pub(crate) fn block(language: &str, part: &str) -> String {
    let is_it = |block: &Block| block.language == language && block.text.contains(part);
    let found = blocks_of(include_str!("../../docs/fleet.md")).into_iter().find(is_it);
    found.unwrap_or_else(|| panic!("no block with {part:?}")).text
}

/// Exports the page's manifest into a folder, where another export may be; `word` is what its program does.
pub(crate) fn export(folder: &Path, word: &str) {
    let manifest = block("toml", "[[service]]").replace("while date", &format!("while {word}"));
    let test = Test::install().env("INSTALLSERVICE_WORKING_DIR", "").file("services.toml", manifest);
    test.args(["--manifest", "services.toml", "--output"]).arg(folder).run();
}

/// Its service runs, as the page promises: with its secret, in a closed file, and as it was installed.
pub(crate) fn is_as_promised(host: &Host, word: &str) {
    assert_eq!(host.sh("systemctl is-active uploader; systemctl is-enabled uploader"), "active\nenabled\n");
    let secret = "/var/lib/install-service/uploader_env_vars.txt";
    assert_eq!(host.sh(&format!("stat -c '%a %U' {secret}")), "600 root\n");
    let pid = host.pid("uploader");
    let environment = host.sh(&format!("tr '\\0' '\\n' < /proc/{}/environ", pid.trim()));
    assert!(environment.lines().any(|line| line == format!("TOKEN={TOKEN}")), "{environment}");
    let arguments = host.sh(&format!("tr '\\0' '\\n' < /proc/{}/cmdline", pid.trim()));
    assert!(arguments.contains(&format!("while {word};")), "{arguments}");
    assert_eq!(host.sh(&format!("{} uploader diff", env!("CARGO_BIN_EXE_ManageService"))), "");
    assert_eq!(host.sh("systemctl show --value --property=NeedDaemonReload uploader"), "no\n");
}

/// A host, with a folder that it has, too.
pub(crate) fn host() -> (Host, tempfile::TempDir) {
    let target = Path::new(env!("CARGO_BIN_EXE_InstallService")).parent().expect("a folder");
    // What is bound there is what was built.
    let folder = tempfile::tempdir_in(target).expect("a folder");
    let mut host = Host::boot(&[]);
    host.wait();
    (host, folder)
}

/// Writes a file, with its folders.
pub(crate) fn write(path: &Path, contents: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, contents).expect("to write");
}
