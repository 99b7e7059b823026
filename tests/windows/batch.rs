//! The command batches: they leave what a direct install leaves.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::bed::{NSSM, RUNNER, key, nssm, nssm_does, probe, registry, run};
use crate::support::{Ran, Test, difference};

/// One of each parameter.
fn manifest(name: &str, program: &Path, more: &str) -> String {
    format!(
        "[[service]]\nname = '{name}'\nexecutable = '{}'\narguments = [\"a b\", \"%PATH%\", \"é日本\", \"q\\\"\", \"\"]\n\
         description = 'What & why (50%)'\nworking_directory = 'C:\\windows'\nenvironment = {{ A = 'b & c', E = '' }}\n\
         path = ['C:\\windows']\nrestart = 'on-failure'\nrestart_sec = 3\nafter = ['Spooler']\n{more}\n\
         [service.nssm]\n\"AppExit.3\" = 'Exit'\nStart = 'SERVICE_DEMAND_START'\n",
        program.display()
    )
}

/// Exports the service below `folder` and gives the folder of its batches.
fn export(ran: &Ran, folder: &str, manifest: &str) -> std::path::PathBuf {
    let state = ran.folder().join("working_dir");
    let test =
        ran.then_install().file("service.toml", manifest).args(["--manifest", "service.toml", "--output", folder]);
    test.arg("--state-dir").arg(state).run();
    ran.folder().join(folder)
}

#[track_caller]
fn run_batch(path: &Path) -> (Option<i32>, String) {
    let output = run(&mut Command::new(path));
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).replace('\0', "");
    (output.status.code(), text)
}

/// What NSSM says of each parameter, and of what it does on three exit codes.
fn gets(service: &str) -> (Vec<String>, [String; 3]) {
    let one = |parameter: &&str| nssm_does(&["get", service, parameter]);
    let names = [
        "Application",
        "AppParameters",
        "AppDirectory",
        "DisplayName",
        "Description",
        "Start",
        "ObjectName",
        "AppStdout",
        "AppStderr",
        "AppRotateFiles",
        "AppRotateOnline",
        "AppRotateBytes",
        "AppRestartDelay",
        "AppThrottle",
        "AppStopMethodSkip",
        "AppStopMethodConsole",
        "AppStopMethodWindow",
        "AppStopMethodThreads",
        "AppNoConsole",
        "AppEnvironmentExtra",
    ];
    let exits = ["Default", "0", "3"].map(|code| nssm_does(&["get", service, "AppExit", code]));
    (names.iter().map(one).collect::<Vec<_>>(), exits)
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_batch_leaves_what_a_direct_install_leaves() {
    let test = Test::install();
    let program = probe(&test.folder().join("app"));
    let ran = test.arg("--version").run();
    // From a folder that cmd.exe could trip over, with nssm.exe beside it.
    let folder = export(&ran, "a & b (c) ! é", &manifest("twice", &program, ""));
    let (code, said) = run_batch(&folder.join("install-twice.cmd"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("nssm.exe is missing: put it beside this batch, or at"), "{said}");
    assert!(key("twice").is_none());
    fs::copy(NSSM, folder.join("nssm.exe")).unwrap();
    // A host may do without RunService.
    let (code, said) = run_batch(&folder.join("install-twice.cmd"));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(nssm_does(&["get", "twice", "Application"]), program.display().to_string());
    fs::copy(RUNNER, folder.join("RunService.exe")).unwrap();
    let (code, said) = run_batch(&folder.join("install-twice.cmd"));
    assert_eq!(code, Some(0), "{said}");
    let (by_batch, gets_by_batch) = (registry("twice"), gets("twice"));
    let state = ran.folder().join("working_dir");
    assert_eq!(nssm_does(&["get", "twice", "Application"]), state.join("RunService.exe").display().to_string());
    assert!(state.join("nssm.exe").exists() && state.join("twice_install_args.toml").exists());

    // Ours: nothing to do for a direct install, and ManageService knows it.
    let direct =
        |manifest: &str| ran.then_install().file("service.toml", manifest).args(["--manifest", "service.toml"]);
    direct(&manifest("twice", &program, "")).stdout("unchanged: twice\n").run();
    ran.then_manage().args(["twice", "diff"]).status(0).run();
    ran.then_manage().args(["twice", "remove", "--remove_install_args"]).run();
    direct(&manifest("twice", &program, "")).stdout_contains("installed: twice").run();
    let lines = |lines: &[String]| lines.join("\n") + "\n";
    if let Some(difference) = difference("registry", &lines(&by_batch), &lines(&registry("twice"))) {
        panic!("{difference}");
    }
    assert_eq!(gets("twice"), gets_by_batch);
    assert_eq!(gets_by_batch.1, ["Restart", "Exit", "Exit"].map(str::to_owned));

    // A second run updates: what differs is as it should be again, and nothing else.
    nssm_does(&["set", "twice", "AppRotateBytes", "7"]);
    nssm_does(&["set", "twice", "Description", "other"]);
    let (code, said) = run_batch(&folder.join("install-twice.cmd"));
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(registry("twice"), by_batch);
    assert_eq!(gets("twice"), gets_by_batch);

    // A line that fails stops it, with its exit code.
    let broken = export(&ran, "broken", &manifest("twice", &program, "").replace("['Spooler']", "['NoSuchService']"));
    let (code, said) = run_batch(&broken.join("install-twice.cmd"));
    assert_eq!(code, Some(6), "{said}");

    nssm(&["start", "twice"]);
    let (code, said) = run_batch(&folder.join("remove-twice.cmd"));
    assert_eq!(code, Some(0), "{said}");
    assert!(key("twice").is_none() && !state.join("twice_install_args.toml").exists());
    let (code, said) = run_batch(&folder.join("remove-twice.cmd"));
    assert_eq!(code, Some(0), "removing what is gone: {said}");
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_batch_brings_the_script_and_asks_for_the_secrets() {
    let test = Test::install().file(
        "lab.py",
        "import os\ndef main():\n    print('PW is', os.environ['PW'])\n    import time; time.sleep(600)\n",
    );
    let ran = test.arg("--version").run();
    let state = ran.folder().join("working_dir");
    let test =
        ran.then_install().args(["--output", "out", "--python", crate::bed::PYTHON, "--env", "PW", "--state-dir"]);
    test.arg(&state)
        .arg("--working-directory")
        .arg(ran.folder())
        .args(["lab:main", "--service_name", "batch-python"])
        .run();
    let out = ran.folder().join("out");
    fs::copy(NSSM, out.join("nssm.exe")).unwrap();
    let (code, said) = run_batch(&out.join("install-batch-python.cmd"));
    assert_eq!(code, Some(0), "{said}");
    let values = state.join("batch-python_env_vars.txt");
    assert!(said.contains("Fill in \"") && said.contains("batch-python_env_vars.txt\" as in"), "{said}");
    assert_eq!(fs::read(&values).unwrap(), b"");
    fs::write(&values, "PW=\"s e%c\"\n").unwrap();
    // It is not overwritten by the next run.
    let (code, said) = run_batch(&out.join("install-batch-python.cmd"));
    assert_eq!(code, Some(0), "{said}");
    nssm(&["start", "batch-python"]);
    crate::support::wait_for("its output", 20, || {
        fs::read_to_string(state.join("batch-python_output.log")).ok().filter(|text| text.contains("PW is s e%c"))
    });
    ran.then_manage().args(["batch-python", "stop_and_remove", "--remove_env_vars"]).run();
    assert!(!values.exists() && key("batch-python").is_none());
}
