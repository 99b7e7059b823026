//! `ManageService NAME doctor` finds what is wrong with a service of Windows, and a start that fails says its cause.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};
use winreg::RegKey;
use winreg::enums::{HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE};

use crate::bed::{CLOSED, OPEN, PYTHON, give_away, install, nssm_does, probe, run, set_list, state, toml_path};
use crate::support::{Ran, wait_for};

/// What doctor finds of the service, and around it: the kind, what is so, and what to type.
struct Found {
    service: Vec<[String; 3]>,
    around: Vec<[String; 3]>,
}

impl Found {
    #[track_caller]
    fn of(service: &str, installed: &Ran) -> Self {
        let (_, ran) = installed.then_manage().args([service, "doctor", "--format", "json"]).run_to_any_end();
        Self::read(service, &ran.stdout)
    }

    #[track_caller]
    fn read(service: &str, json: &str) -> Self {
        let json: Value = serde_json::from_str(json).expect("JSON");
        let words = |findings: &Value| {
            let of = |finding: &Value| ["kind", "what", "type"].map(|key| finding[key].as_str().expect(key).to_owned());
            findings.as_array().expect("findings").iter().map(of).collect()
        };
        let services = json["services"].as_array().expect("services");
        let of_it = services.iter().find(|one| one["service"] == service).expect("the service");
        Self { service: words(&of_it["findings"]), around: words(&json["host"]) }
    }

    /// The one thing that is wrong with the service.
    #[track_caller]
    fn only(&self, kind: &str, what: &str, cure: &str) {
        let [found] = self.service.as_slice() else { panic!("{:#?}", self.service) };
        assert!(
            found[0] == kind && found[1].contains(what) && found[2].contains(cure),
            "{kind} {what} {cure}: {found:#?}"
        );
    }

    /// Something that is wrong around it.
    #[track_caller]
    fn around(&self, kind: &str, what: &str, cure: &str) {
        let is_it = |found: &[String; 3]| found[0] == kind && found[1].contains(what) && found[2].contains(cure);
        assert!(self.around.iter().any(is_it), "{kind} {what} {cure}: {:#?}", self.around);
    }

    /// How many things of that kind are wrong around it.
    fn count(&self, kind: &str) -> usize {
        self.around.iter().filter(|found| found[0] == kind).count()
    }
}

/// A service that runs the probe, and its program.
fn runs_probe(service: &str) -> (Ran, std::path::PathBuf) {
    let test = install();
    let program = probe(&test.folder().join("app"));
    let ran = test.args(["--service_name", service, "--"]).arg(&program).run();
    (ran, program)
}

fn remove(service: &str, ran: &Ran) {
    ran.then_manage().args([service, "stop_and_remove"]).run();
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn nothing_is_wrong_with_a_service_that_runs() {
    let (ran, _) = runs_probe("well");
    ran.then_manage().args(["well", "start"]).run();
    let found = Found::of("well", &ran);
    assert_eq!(found.service, [[""; 3]; 0]);
    // Somebody may be able to rename what the folder of a test lies in.
    assert_eq!(found.count("open-to-others"), found.around.len(), "{:#?}", found.around);
    let (_, told) = ran.then_manage().args(["well", "doctor"]).run_to_any_end();
    assert!(told.stdout.starts_with("well: nothing is wrong\n"), "{}", told.stdout);
    remove("well", &ran);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_state_directory_that_others_may_write() {
    let (ran, _) = runs_probe("guarded");
    let directory = ran.folder().join("working_dir");
    let quoted = format!("\"{}\"", directory.display());
    let everybody = |found: &Found| found.around.iter().filter(|found| found[2].contains("*S-1-1-0")).count();
    set_list(&directory, CLOSED);
    assert_eq!(everybody(&Found::of("guarded", &ran)), 0);

    set_list(&directory, OPEN);
    let found = Found::of("guarded", &ran);
    let cure = format!("`icacls {quoted} /inheritance:r /grant:r \"*S-1-5-18:(OI)(CI)F\"");
    found.around("open-to-others", "working_dir` is open: ", &cure);
    found.around("open-to-others", " may write there", "\"*S-1-1-0\"` lets nobody else write there");
    assert_eq!(everybody(&found), 1);
    // Nothing is installed or removed then, and nothing is touched.
    let refused = |installed: &Ran, why: &str| {
        let again = installed.then_install().args(["--service_name", "guarded-2", "--", r"C:\windows\notepad.exe"]);
        again.status(2).stderr_contains(why).stderr_contains("`icacls \"[TMP]\\working_dir\" /inheritance:r").run();
        installed.then_manage().args(["guarded", "remove"]).status(2).stderr_contains(why).run();
        assert!(crate::bed::key("guarded").is_some() && crate::bed::key("guarded-2").is_none());
    };
    refused(&ran, "error: the state directory: `[TMP]\\working_dir` is open: ");
    set_list(&directory, CLOSED);
    give_away(&directory);
    let found = Found::of("guarded", &ran);
    found.around("open-to-others", "working_dir` belongs to `", &format!("`takeown /a /f {quoted}`"));
    refused(&ran, "error: the state directory: `[TMP]\\working_dir` belongs to `");
    crate::bed::take_back(&directory);

    // A file in it that was made open.
    let exe = directory.join("nssm.exe");
    set_list(&exe, OPEN);
    let found = Found::of("guarded", &ran);
    found.around("open-to-others", "nssm.exe` is open: ", &format!("`icacls \"{}\" /inheritance:r", exe.display()));
    assert_eq!(everybody(&found), 1);
    set_list(&exe, CLOSED);

    // Somebody can put another directory in its place.
    set_list(ran.folder(), OPEN);
    Found::of("guarded", &ran).around("open-to-others", "may rename what is in it", "shows who may do what");
    set_list(ran.folder(), CLOSED);
    assert_eq!(everybody(&Found::of("guarded", &ran)), 0);
    remove("guarded", &ran);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn another_version_of_nssm() {
    let (ran, _) = runs_probe("versions");
    let exe = ran.folder().join("working_dir").join("nssm.exe");
    let genuine = fs::read(&exe).unwrap();
    fs::write(&exe, [&genuine[..], b"and more"].concat()).unwrap();
    let found = Found::of("versions", &ran);
    found.around(
        "other-version",
        "nssm.exe` is that of no release of NSSM: its SHA-256 is ",
        "`ManageService --upgrade-nssm`",
    );
    found.around("other-version", ", and it calls itself 2.24", "");
    fs::remove_file(&exe).unwrap();
    Found::of("versions", &ran).around("missing-file", "nssm.exe` is gone", "`ManageService NAME reinstall`");
    fs::write(&exe, genuine).unwrap();
    assert_eq!(Found::of("versions", &ran).count("missing-file"), 0);
    remove("versions", &ran);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_run_service_that_is_gone_or_of_another_version() {
    let (ran, _) = runs_probe("through");
    let directory = ran.folder().join("working_dir");
    let exe = directory.join("RunService.exe");
    let ours = fs::read(&exe).unwrap();
    let theirs = [&ours[..], b"and more"].concat();
    fs::write(&exe, &theirs).unwrap();
    let cure = "`ManageService NAME stop_and_reinstall` brings the one of this version";
    Found::of("through", &ran).around("other-version", "RunService.exe` is not the one of this version", cure);
    ran.then_manage().args(["through", "stop_and_reinstall"]).run();
    assert_eq!(Found::of("through", &ran).count("other-version"), 0);
    fs::remove_file(&exe).unwrap();
    Found::of("through", &ran).around("missing-file", "RunService.exe` is gone", "`ManageService NAME reinstall`");
    ran.then_manage().args(["through", "reinstall"]).run();
    assert!(exe.exists());

    // Where none lies beside the program, the note tells which version has put it there.
    let digits: String = Sha256::digest(&theirs).iter().map(|byte| format!("{byte:02x}")).collect();
    let note = directory.join("RunService_origin.txt");
    fs::write(&exe, &theirs).unwrap();
    fs::write(&note, format!("# Generated by InstallService 0.0.9: RunService.exe, SHA-256 {digits}\r\n")).unwrap();
    let alone = ran.folder().join("alone").join("ManageService.exe");
    fs::create_dir(alone.parent().unwrap()).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_ManageService"), &alone).unwrap();
    let doctor = |state: &Path| {
        let mut command = Command::new(&alone);
        let output = run(command.args(["through", "doctor", "--format", "json", "--state-dir"]).arg(state));
        Found::read("through", &String::from_utf8(output.stdout).unwrap())
    };
    doctor(&directory).around("other-version", "RunService.exe` is that of InstallService 0.0.9, and this is ", cure);
    fs::write(&note, "# something else\r\n").unwrap();
    assert_eq!(doctor(&directory).count("other-version"), 0);
    remove("through", &ran);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn what_a_service_does_not_reach() {
    let (ran, program) = runs_probe("reach");
    let folder = ran.folder().display().to_string();
    let set = |directory: &str| nssm_does(&["set", "reach", "AppDirectory", directory]);
    set(r"\\server\share");
    Found::of("reach", &ran).only(
        "closed",
        r"its working directory `\\server\share` is on another machine",
        "services.msc",
    );

    // A letter that its user has connected at every login.
    let (network, _) = RegKey::predef(HKEY_CURRENT_USER).create_subkey(r"Network\Q").unwrap();
    network.set_value("RemotePath", &r"\\server\share").unwrap();
    set(r"Q:\data");
    let what = r"its working directory `Q:\data` is on the network drive `Q:`, which leads to `\\server\share`";
    Found::of("reach", &ran).only("drive", what, r"install `reach` again with `\\server\share\data`; LocalSystem");
    // An install says so beforehand, of each letter once.
    let install = ran.then_install().args(["--dry-run", "--service_name", "reach", "--"]).arg(&program);
    let noted = install.args([r"q:\data\in", r"Q:\data\out"]).run();
    for part in [
        r"its argument `q:\data\in` is on the network drive `Q:`: a letter is known only in the session of whoever gave it",
        r"and a service has none; write `\\server\share\data\in`",
    ] {
        assert!(noted.stderr.contains(part), "`{part}` is not in\n{}", noted.stderr);
    }
    assert_eq!(noted.stderr.matches("network drive").count(), 1, "{}", noted.stderr);
    RegKey::predef(HKEY_CURRENT_USER).delete_subkey_all(r"Network\Q").unwrap();
    let what = r"its working directory `Q:\data` is not there";
    Found::of("reach", &ran).only("working-directory", what, r"`dir Q:\data` shows what is there");
    set(&folder);

    // What it is given, behind the words of RunService.
    ran.then_install().args(["--service_name", "reach", "--"]).arg(&program).args([r"\\server\in", r"\\.\COM3"]).run();
    Found::of("reach", &ran).only("closed", r"its argument `\\server\in` is on another machine", "local disk");
    ran.then_install().args(["--service_name", "reach", "--"]).arg(&program).run();
    assert_eq!(Found::of("reach", &ran).service, [[""; 3]; 0]);

    nssm_does(&["set", "reach", "AppStdout", &format!(r"{folder}\logs\reach.log")]);
    Found::of("reach", &ran).only("missing-file", r"\logs` is not there", "`mkdir ");
    remove("reach", &ran);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn services_that_it_needs() {
    let (ran, _) = runs_probe("needy");
    nssm_does(&["install", "needed", r"C:\windows\system32\notepad.exe"]);
    nssm_does(&["set", "needed", "Start", "SERVICE_DISABLED"]);
    let path = r"SYSTEM\CurrentControlSet\Services\needy";
    let key = RegKey::predef(HKEY_LOCAL_MACHINE).open_subkey_with_flags(path, winreg::enums::KEY_SET_VALUE).unwrap();
    let depend = |names: &[&str]| key.set_value("DependOnService", &names.to_vec()).unwrap();
    depend(&["needed", "+Network"]);
    Found::of("needy", &ran).only("dependency", "`needed`, which is disabled", "`sc.exe config needed start= demand`");
    depend(&["no such service"]);
    let what = "`no such service`, which Windows does not have";
    Found::of("needy", &ran).only("dependency", what, "`sc.exe query \"no such service\"`");
    nssm_does(&["set", "needed", "Start", "SERVICE_DEMAND_START"]);
    depend(&["needed"]);
    assert_eq!(Found::of("needy", &ran).service, [[""; 3]; 0]);
    remove("needy", &ran);
    nssm_does(&["remove", "needed", "confirm"]);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_program_or_directory_that_is_no_more() {
    let test = install();
    let program = probe(&test.folder().join("app"));
    let data = test.folder().join("data");
    fs::create_dir(&data).unwrap();
    let test = test.args(["--service_name", "changed", "--working-directory"]).arg(&data);
    let ran = test.arg("--").arg(&program).run();
    let image = fs::read(&program).unwrap();
    let fails = |kind: &str, what: &str, cure: &str| {
        Found::of("changed", &ran).only(kind, what, cure);
        let failed = ran.then_manage().args(["changed", "start"]).status(1).run();
        let [what, cure] = [what, cure].map(|text| text.replace(&ran.folder().display().to_string(), "[TMP]"));
        assert!(failed.stderr.contains("\n  cause: ") && failed.stderr.contains(&what), "{what}: {}", failed.stderr);
        assert!(failed.stderr.contains(&cure), "{cure}: {}", failed.stderr);
        let status = ran.then_manage().args(["changed", "status"]).status(3).run().stdout;
        assert!(status.contains("cause        ") && status.contains(&what), "{status}");
        ran.then_manage().args(["changed", "stop"]).run();
    };
    let exe = program.display();

    fs::write(&program, "print('hello')\r\n").unwrap();
    fails("program", &format!("`{exe}` is no program of Windows"), "install `changed` again");
    fs::write(&program, "").unwrap();
    fails("program", &format!("`{exe}` is empty"), &format!("`dir {exe}` shows it"));
    // The header says where its own begins, and that for which processor it is.
    let mut foreign = image.clone();
    let header = usize::from(u16::from_le_bytes([image[0x3c], image[0x3d]]));
    foreign[header + 4..header + 6].copy_from_slice(&0xaa64_u16.to_le_bytes());
    fs::write(&program, foreign).unwrap();
    fails("wrong-machine", "is made for 64-bit ARM, and this machine is x86-64", "install the one for x86-64");
    fs::remove_file(&program).unwrap();
    fails("program", &format!("its program `{exe}` is not there"), &format!("`dir {exe}` shows what is there"));
    fs::write(&program, image).unwrap();
    fs::remove_dir_all(&data).unwrap();
    fails("working-directory", &format!("its working directory `{}` is not there", data.display()), "`dir ");
    remove("changed", &ran);
}

/// Says something, and ends with an exit status.
const ENDS: &str =
    "import ctypes, sys\nprint(sys.argv[1], flush=True)\nctypes.windll.kernel32.ExitProcess(int(sys.argv[2]))\n";

#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn a_program_that_ends_at_once() {
    let test = install().file("ends.py", ENDS);
    let script = test.folder().join("ends.py").display().to_string();
    let mut ran = test.args(["--service_name", "ends", "--", PYTHON, &script, "hello", "3"]).run();
    let failed = ran.then_manage().args(["ends", "start"]).status(1).run();
    for part in ["it keeps ending soon after it starts: it ended with exit status 3\n", "    hello\n"] {
        assert!(failed.stderr.contains(part), "`{part}` is not in\n{}", failed.stderr);
    }
    assert!(!failed.stderr.contains("cause:"), "{}", failed.stderr);
    Found::of("ends", &ran).only("failed", "it ended with exit status 3", "`ManageService ends logs -n 50`");
    ran.then_manage()
        .args(["ends", "status"])
        .status(3)
        .stdout_contains("cause        it ended with exit status 3;")
        .run();
    ran.then_manage().args(["ends", "stop"]).run();
    // One that was stopped has not failed.
    assert_eq!(Found::of("ends", &ran).service, [[""; 3]; 0]);

    let in_use = "OSError: [WinError 10048] Only one usage of each socket address: ('0.0.0.0', 8080)";
    ran = ran.then_install().args(["--service_name", "ends", "--", PYTHON, &script, in_use, "1"]).run();
    let failed = ran.then_manage().args(["ends", "start"]).status(1).run();
    for part in ["\n  cause: port 8080 is in use by another program", "`netstat -ano | findstr :8080`"] {
        assert!(failed.stderr.contains(part), "`{part}` is not in\n{}", failed.stderr);
    }
    ran.then_manage().args(["ends", "stop"]).run();

    // Not started again: Windows has its exit status.
    let dll_not_found = 0xc000_0135_u32.to_string();
    let words = ["--service_name", "ends", "--restart", "never", "--", PYTHON, &script, "bye", &dll_not_found];
    ran = ran.then_install().args(words).run();
    let failed = ran.then_manage().args(["ends", "start"]).status(1).run();
    assert!(failed.stderr.contains("cause: a library (DLL) that it needs is not found"), "{}", failed.stderr);
    wait_for("its end", 20, || (state("ends") == "SERVICE_STOPPED").then_some(()));
    Found::of("ends", &ran).only("library", "a library (DLL) that it needs is not found", "`--path DIR`");
    remove("ends", &ran);
}

#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn the_script_of_a_python_service() {
    let test = install().file("lab.py", "def main(arguments):\n    pass\n");
    let lab = test.folder().to_owned();
    let words = ["lab:main", "--service_name", "lab"];
    let ran = test.args(["--python", PYTHON, "--working-directory"]).arg(&lab).args(words).run();
    assert_eq!(Found::of("lab", &ran).service, [[""; 3]; 0]);
    fs::remove_file(lab.join("working_dir").join("lab_service_executable.py")).unwrap();
    let cure = "`ManageService lab reinstall` writes it again";
    Found::of("lab", &ran).only("missing-file", "lab_service_executable.py` is gone", cure);
    ran.then_manage().args(["lab", "reinstall"]).run();
    assert_eq!(Found::of("lab", &ran).service, [[""; 3]; 0]);
    remove("lab", &ran);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn every_service_is_looked_at() {
    let test = install();
    let program = toml_path(&probe(&test.folder().join("app")));
    let one = |name: &str| format!("[[service]]\nname = '{name}'\nexecutable = {program}\n");
    let ran = test.file("two.toml", one("each-1") + &one("each-2")).args(["--manifest", "two.toml"]).run();
    // As somebody does who knows nothing of us.
    nssm_does(&["remove", "each-2", "confirm"]);
    let (_, all) = ran.then_manage().args(["doctor", "--format", "json"]).run_to_any_end();
    let found = |name: &str| Found::read(name, &all.stdout);
    assert_eq!(found("each-1").service, [[""; 3]; 0]);
    assert!(!all.stdout.contains("each-2"), "{}", all.stdout);
    let (_, removed) = ran.then_manage().args(["each-2", "doctor"]).run_to_any_end();
    assert!(removed.stdout.contains("it was removed"), "{}", removed.stdout);
    remove("each-1", &ran);
}
