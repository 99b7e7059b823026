//! The package for crates.io, installed from its sources.

use std::path::Path;

use crate::{package, sh, unpacked};

#[test]
#[ignore = "needs packages and a compiler: tests/run packages"]
fn cargo_installs_all_commands_from_it() {
    let sources = unpacked(&package(".crate"), "tar --extract --gzip --file \"$1\" --strip-components 1");
    let root = tempfile::tempdir().expect("a folder");
    // What it is made of lies there; a release takes ten minutes of a processor.
    let built = Path::new(env!("CARGO_BIN_EXE_InstallService")).ancestors().nth(2).expect("the target folder");
    sh(
        "cargo install --quiet --debug --locked --path \"$1\" --root \"$2\" --target-dir \"$3\"",
        &[sources.path(), root.path(), built],
    );
    assert_eq!(
        sh("cd \"$1/bin\"; ls", &[root.path()]),
        "InstallService\nManageService\nRunService\ninstall-service\nmanage-service\n"
    );
    let version = sh("\"$1/bin/install-service\" --version", &[root.path()]);
    assert_eq!(version, concat!("InstallService ", env!("CARGO_PKG_VERSION"), "\n"));
}
