//! The command of docs/install.md that installs the tool from a clone. It compiles everything once more.

use std::path::Path;
use std::process::Command;

use crate::support::readme::{page, shell};

#[test]
#[ignore = "compiles everything once more: tests/run"]
fn the_tool_installs_itself() {
    let block = page("install.md").blocks().into_iter().find(|block| block.mark == "install").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut install = shell(&block.text, Path::new(env!("CARGO_MANIFEST_DIR")));
    // What is asked is whether it installs, not how fast it is: optimised as a release, it takes ten minutes of a processor.
    install.envs([
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ]);
    let output = install.env("CARGO_INSTALL_ROOT", folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for command in ["InstallService", "ManageService"] {
        let output = Command::new(folder.path().join("bin").join(command)).arg("--version").output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{command} {}\n", env!("CARGO_PKG_VERSION")));
    }
    let installed = std::fs::read_dir(folder.path().join("bin")).unwrap();
    let mut installed: Vec<_> = installed.map(|entry| entry.unwrap().file_name()).collect();
    installed.sort();
    assert_eq!(installed, ["InstallService", "ManageService", "RunService", "install-service", "manage-service"]);
}
