//! The command of docs/install.md that installs the tool from a clone.

use std::path::Path;
use std::process::Command;

use crate::support::readme::{page, shell};

#[test]
#[ignore = "compiles the crate once more: tests/run"]
fn the_tool_installs_itself() {
    let block = page("install.md").blocks().into_iter().find(|block| block.mark == "install").unwrap();
    let folder = tempfile::tempdir().unwrap();
    // What is asked is whether it installs, not how fast it is: a release takes ten minutes of a processor.
    let command = format!("{} --debug", block.text.trim_end());
    let mut install = shell(&command, Path::new(env!("CARGO_MANIFEST_DIR")));
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
