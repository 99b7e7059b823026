//! The page for newcomers is true: what it has for a prompt of Windows is run there, from its first line to its last.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::bed::{NSSM, PYTHON, key, nssm_does, run, starts};
use crate::support::readme::blocks_of;
use crate::support::temporary_folder;

/// Where the page comes from, as the tests were compiled.
const PAGE: &str = include_str!("../../docs/windows-start.md");

/// Where OpenMSIStream's own tool keeps its files, by the page.
const OLD: &str = r"C:\openmsistream\services\working_dir";

/// A package that stands for OpenMSIStream, with a service that its own tool has made.
fn make_an_old_service() {
    let module = Path::new(r"C:\openmsistream\openmsistream\data_file_io\actor\data_file_upload_directory.py");
    for folder in [Path::new(OLD), module.parent().expect("a folder")] {
        fs::create_dir_all(folder).expect("a folder");
    }
    fs::write(module, "import time\n\ndef main(arguments):\n    time.sleep(600)\n").expect("a module");
    let list = "DataFileUploadDirectory\nC:\\data\\in\n--config\nC:\\lab\\prod.config\n";
    let script = format!(r"{OLD}\old-uploader_service_executable.py");
    fs::write(format!(r"{OLD}\old-uploader_install_args.txt"), list).expect("the list");
    fs::write(&script, "import time\ntime.sleep(600)\n").expect("a script");
    nssm_does(&["install", "old-uploader", PYTHON, &script]);
    nssm_does(&["set", "old-uploader", "AppDirectory", r"C:\openmsistream"]);
    starts("old-uploader");
}

/// Each line ends the batch if it fails, and says which it was.
fn batch(lines: &str) -> String {
    let checked =
        |line: &str| format!("{line}\r\nif errorlevel 1 echo failed: {line}\r\nif errorlevel 1 exit /b 1\r\n");
    let lines: String = lines.lines().map(checked).collect();
    format!("@echo off\r\n{lines}")
}

#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn what_a_newcomer_types_works() {
    let folder = temporary_folder();
    for path in [r"C:\lab", r"C:\data\in"] {
        fs::create_dir_all(path).expect("a folder");
    }
    fs::write(r"C:\lab\prod.config", "[broker]\nbootstrap.servers = lab:9092\n").expect("a config file");
    fs::copy(crate::bed::built("probe"), r"C:\lab\clock.exe").expect("a program");
    make_an_old_service();
    let own = Path::new(env!("CARGO_BIN_EXE_InstallService")).parent().expect("a folder");
    let before = std::env::var_os("PATH").unwrap_or_default();
    let folders = [own, Path::new(NSSM).parent().expect("a folder"), Path::new(PYTHON).parent().expect("a folder")];
    let folders = folders.map(Path::to_owned).into_iter().chain(std::env::split_paths(&before));
    let path = std::env::join_paths(folders).expect("a PATH");
    let mut ran = 0;
    for block in blocks_of(PAGE) {
        if let Some(file) = block.mark.strip_prefix("file: ") {
            fs::write(file, &block.text).expect("a file of the page");
        }
        if block.mark != "run" {
            continue;
        }
        let script = folder.path().join("typed.cmd");
        fs::write(&script, batch(&block.text)).expect("a batch");
        let mut prompt = Command::new("cmd.exe");
        prompt.arg("/c").arg(&script).current_dir(folder.path()).env("PATH", &path);
        if !block.text.contains("SERVICES_WORKING_DIR") {
            prompt.env("INSTALLSERVICE_WORKING_DIR", folder.path().join("state"));
        }
        let output = run(&mut prompt);
        let said = [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat();
        assert!(output.status.success(), "{}\n{said}", block.text);
        ran += 1;
    }
    assert!(ran >= 13, "{ran}");
    let output: String = key("old-uploader")
        .expect("a service")
        .open_subkey("Parameters")
        .expect("a key")
        .get_value("AppStdout")
        .expect("an output");
    assert_eq!(output, format!(r"{OLD}\old-uploader_output.log"));
}
