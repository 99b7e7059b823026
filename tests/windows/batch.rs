//! The command batches: they leave what a direct install leaves.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bed::{
    CLOSED, NSSM, OPEN, RUNNER, account, built, give_away, key, nssm, nssm_does, probe, registry, run, set_list, user,
};
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
fn export(ran: &Ran, folder: &str, manifest: &str, more: &[&str]) -> PathBuf {
    let state = ran.folder().join("working_dir");
    let test =
        ran.then_install().file("service.toml", manifest).args(["--manifest", "service.toml", "--output", folder]);
    test.args(more).arg("--state-dir").arg(state).run();
    ran.folder().join(folder)
}

/// What a batch ends with, and what it says: every byte of that is read as UTF-8. On a busy machine the `cmd.exe` of Wine
/// fails now and then to start a program that is there; then the batch is run again, which is what it is made for.
#[track_caller]
fn run_batch(path: &Path, words: &[&str]) -> (Option<i32>, String) {
    const NOT_STARTED: i32 = 9009;
    let ran = || {
        let output = run(Command::new(path).args(words));
        let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
        (output.status.code(), text.replace('\r', ""))
    };
    let mut ended = ran();
    for _ in 0..3 {
        if ended.0 != Some(NOT_STARTED) {
            break;
        }
        ended = ran();
    }
    ended
}

/// A service whose batches are in a folder of their own, and where they put their files.
struct Exported {
    ran: Ran,
    folder: PathBuf,
    state: PathBuf,
    name: &'static str,
}

impl Exported {
    fn new(name: &'static str, more: &[&str]) -> Self {
        let test = Test::install();
        let program = probe(&test.folder().join("app"));
        let ran = test.arg("--version").run();
        let folder = export(&ran, "out", &manifest(name, &program, ""), more);
        let state = ran.folder().join("working_dir");
        Self { ran, folder, state, name }
    }

    fn batch(&self, verb: &str) -> PathBuf {
        self.folder.join(format!("{verb}-{}.cmd", self.name))
    }

    /// Runs the batch that installs it, or another one.
    #[track_caller]
    fn does(&self, verb: &str, words: &[&str], code: i32, parts: &[&str]) -> String {
        let (found, said) = run_batch(&self.batch(verb), words);
        assert_eq!(found, Some(code), "{said}");
        for part in parts {
            assert!(said.contains(part), "`{part}` is not in\n{said}");
        }
        said
    }

    /// The batch with a change in its text.
    fn changed(&self, verb: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.batch(verb)).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        fs::write(self.batch(verb), text.replace(from, to)).unwrap();
    }

    fn is_free(&self) -> bool {
        key(self.name).is_none()
    }
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
    // From a folder that cmd.exe could trip over, without any program in it.
    let folder = export(&ran, "a & b (c) ! é", &manifest("twice", &program, ""), &["--no-nssm"]);
    let batch = folder.join("install-twice.cmd");
    let (code, said) = run_batch(&batch, &[]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("nssm.exe is missing: put it beside this batch, or at"), "{said}");
    assert!(key("twice").is_none());
    fs::copy(NSSM, folder.join("nssm.exe")).unwrap();
    // A host may do without RunService: then somebody has to look whose the folder is.
    let (code, said) = run_batch(&batch, &[]);
    assert_eq!(code, Some(2), "{said}");
    for part in ["is there already. Whose it is", "\n  takeown /a /f \"", "with the word trusted behind its name"] {
        assert!(said.contains(part), "{said}");
    }
    let (code, said) = run_batch(&batch, &["trusted"]);
    assert_eq!((code, said.as_str()), (Some(0), "installed: twice\nThis starts it: net start twice\n"));
    assert_eq!(nssm_does(&["get", "twice", "Application"]), program.display().to_string());
    // What was put beside the batches is taken as it is, and RunService comes to it.
    let folder = export(&ran, "a & b (c) ! é", &manifest("twice", &program, ""), &["--offline"]);
    assert!(fs::read(folder.join("nssm.exe")).unwrap() == fs::read(NSSM).unwrap());
    assert!(fs::read(folder.join("RunService.exe")).unwrap() == fs::read(RUNNER).unwrap());
    let (code, said) = run_batch(&batch, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("updated: twice\nIf it runs, "), "{said}");
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
    let updated = "updated: twice\nIf it runs, it takes up what is new once it is stopped and started: \
                   net stop twice, net start twice\n";
    assert_eq!(run_batch(&batch, &[]), (Some(0), updated.to_owned()));
    assert_eq!(registry("twice"), by_batch);
    assert_eq!(gets("twice"), gets_by_batch);
    assert_eq!(run_batch(&batch, &[]), (Some(0), "unchanged: twice\n".to_owned()));
    // Nor is it overlooked where only a file is another.
    fs::write(state.join("twice_install_args.toml"), "# Generated by InstallService").unwrap();
    assert_eq!(run_batch(&batch, &[]), (Some(0), updated.to_owned()));

    // A line that fails stops it, with its exit code and the words of NSSM.
    let missing = manifest("twice", &program, "").replace("['Spooler']", "['NoSuchService']");
    let broken = export(&ran, "broken", &missing, &["--nssm", NSSM]);
    let (code, said) = run_batch(&broken.join("install-twice.cmd"), &[]);
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("NoSuchService") && !said.contains('\0') && !said.contains("updated"), "{said}");
    assert!(!state.join("nssm_words.txt").exists());

    nssm(&["start", "twice"]);
    let (code, said) = run_batch(&folder.join("remove-twice.cmd"), &[]);
    assert_eq!((code, said.as_str()), (Some(0), "removed: twice\n"));
    assert!(key("twice").is_none() && !state.join("twice_install_args.toml").exists());
    let (code, said) = run_batch(&folder.join("remove-twice.cmd"), &[]);
    assert_eq!(code, Some(0), "removing what is gone: {said}");
}

/// A service of that name that is another one's, of NSSM or not, survives both batches, and nothing else is made.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_service_of_somebody_else_stays() {
    let exported = Exported::new("theirs-batch", &["--nssm", NSSM]);
    let vendor = exported.ran.folder().join("vendor");
    fs::create_dir(&vendor).unwrap();
    let theirs = vendor.join("nssm.exe");
    fs::copy(NSSM, &theirs).unwrap();
    let survives = |exported: &Exported| {
        let before = registry(exported.name);
        for verb in ["install", "remove"] {
            exported.does(verb, &[], 2, &["InstallService did not make it: nothing was changed."]);
        }
        assert_eq!(registry(exported.name), before);
        assert!(!exported.state.exists());
    };
    let does = |words: &[&str]| assert!(run(Command::new(&theirs).args(words)).status.success(), "{words:?}");
    does(&["install", "theirs-batch", r"C:\windows\system32\notepad.exe"]);
    survives(&exported);
    // Nor does it help that there was one of ours once.
    fs::create_dir(&exported.state).unwrap();
    fs::write(exported.state.join("theirs-batch_install_args.toml"), "# Generated by InstallService").unwrap();
    exported.does("remove", &[], 2, &["There is a service theirs-batch, and InstallService did not make it"]);
    fs::remove_dir_all(&exported.state).unwrap();
    does(&["remove", "theirs-batch", "confirm"]);

    let spooler = Exported::new("Spooler", &["--nssm", NSSM]);
    survives(&spooler);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn without_the_rights_a_batch_makes_nothing() {
    let exported = Exported::new("rightless", &["--nssm", NSSM]);
    for verb in ["install", "remove"] {
        exported.changed(verb, r"HKU\S-1-5-19", r"HKU\S-1-5-19-closed");
        let said = exported.does(verb, &[], 5, &["Administrator rights are missing"]);
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    assert!(!exported.state.exists() && exported.is_free());
}

/// The programs beside a batch have to be those that were exported with it; where nothing tells, they are not used.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn only_programs_of_known_checksums_are_used() {
    let exported = Exported::new("summed", &["--nssm", NSSM]);
    let [nssm, runner] = ["nssm.exe", "RunService.exe"].map(|name| exported.folder.join(name));
    let genuine = [&nssm, &runner].map(|path| fs::read(path).unwrap());
    let kept = exported.state.join("nssm.exe");
    let spoil = |path: &Path, genuine: &[u8]| fs::write(path, [genuine, b"..."].concat()).unwrap();

    spoil(&nssm, &genuine[0]);
    exported.does("install", &[], 2, &["nssm.exe is none that this batch may use: its SHA-256 is "]);
    assert!(!kept.exists() && exported.is_free());
    fs::write(&nssm, &genuine[0]).unwrap();

    // The folder is there now, and RunService looks whose it is.
    spoil(&runner, &genuine[1]);
    let other = "RunService.exe beside this batch is not the one that was exported with it: its SHA-256 is ";
    exported.does("install", &[], 2, &[other, "is there already. Whose it is"]);
    assert!(exported.is_free());
    let said = exported.does("install", &["trusted"], 0, &["installed: summed"]);
    assert!(said.contains("leaves no error log behind") && !exported.state.join("RunService.exe").exists(), "{said}");
    fs::write(&runner, &genuine[1]).unwrap();

    // One that lies there is no more than one beside the batch.
    spoil(&kept, &genuine[0]);
    exported.does("install", &[], 2, &["nssm.exe is none that this batch may use"]);
    fs::write(&kept, &genuine[0]).unwrap();
    spoil(&exported.state.join("RunService.exe"), &genuine[1]);
    exported.does("install", &[], 0, &["updated: summed"]);
    assert!(fs::read(exported.state.join("RunService.exe")).unwrap() == genuine[1]);
    exported.does("remove", &[], 0, &["removed: summed"]);

    // Without certutil, or with one that says nothing, nothing is known.
    fs::remove_dir_all(&exported.state).unwrap();
    for other in ["no-certutil.exe", "nowhere.exe"] {
        exported.changed("install", "certutil.exe", other);
        exported.does("install", &[], 2, &["its SHA-256 is unknown"]);
        assert!(!kept.exists() && exported.is_free());
        fs::remove_dir_all(&exported.state).unwrap();
        exported.changed("install", other, "certutil.exe");
    }
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_folder_that_others_can_change_is_refused_by_a_batch() {
    let exported = Exported::new("guarded-batch", &["--nssm", NSSM]);
    let state = &exported.state;
    fs::create_dir(state).unwrap();
    set_list(state, OPEN);
    let quoted = format!("\"{}\"", state.display());
    exported.does("install", &[], 2, &["may write there", &format!("`icacls {quoted} /inheritance:r /grant:r")]);
    set_list(state, CLOSED);
    give_away(state);
    exported.does("install", &[], 2, &["belongs to ", &format!("`takeown /a /f {quoted}`")]);
    assert!(fs::read_dir(state).unwrap().next().is_none() && exported.is_free());
}

/// A service that cannot have its account is none that starts as `LocalSystem`. (The `sc.exe` of Wine sets no account; and
/// NSSM none of a user, because Wine lets nobody log on.)
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_batch_that_cannot_set_the_account_leaves_what_was() {
    let own = Exported::new("fails-closed", &["--nssm", NSSM, "--account", r"NT SERVICE\*"]);
    let receipt = own.state.join("fails-closed_install_args.toml");
    let refused = r#"The account "NT SERVICE\fails-closed" could not be set."#;
    // It ends with the code of `sc.exe`, which is 1 in Wine 8 and 1639 in Wine 10.
    let fails = |ends: &str| {
        let (code, said) = run_batch(&own.batch("install"), &[]);
        assert!(code.is_some_and(|code| code != 0), "{code:?}: {said}");
        assert!(said.contains(refused) && said.contains(ends) && !said.contains("updated"), "{said}");
    };
    fails("\nnot installed: fails-closed was removed again.\n");
    assert!(own.is_free() && !receipt.exists());
    // That fails, too: Windows does not start it.
    own.changed("install", "sc.exe delete", "no-sc.exe delete");
    let stays =
        "fails-closed could not be removed again: remove-fails-closed.cmd does that.\nUntil then it is disabled.\n";
    fails(stays);
    let start: u32 = key("fails-closed").expect("a service").get_value("Start").expect("a number");
    assert_eq!(start, 4);
    assert_ne!(nssm(&["start", "fails-closed"]).0, 0);
    own.does("remove", &[], 0, &["removed: fails-closed"]);
    own.changed("install", "no-sc.exe delete", "sc.exe delete");

    let user = format!(r".\{}", user());
    let of_user = Exported::new("fails-closed", &["--nssm", NSSM, "--account", &user]);
    // NSSM does not survive there that nobody may log on.
    let (code, said) = run_batch(&of_user.batch("install"), &[]);
    let end = format!("The account \"{user}\" could not be set.\nnot installed: fails-closed was removed again.\n");
    assert!(code != Some(0) && said.ends_with(&end) && !said.contains("type the password"), "{code:?} {said}");
    assert!(of_user.is_free());

    // Of one that is there everything stays, its files included.
    let direct = own.ran.then_install().args(["--service_name", "fails-closed", "--description", "the old one", "--"]);
    direct.args([r"C:\windows\system32\cmd.exe", "/c", "pause"]).run();
    let before = (registry("fails-closed"), fs::read(&receipt).unwrap());
    let had = "fails-closed has the account and the settings that it had.\n";
    fails(had);
    assert_eq!((registry("fails-closed"), fs::read(&receipt).unwrap()), before);
    own.ran.then_manage().args(["fails-closed", "remove", "--remove_install_args"]).run();

    // With an `sc.exe` as that of Windows.
    let config = |name: &str| format!(r#""{name}" ^"config^""#);
    let (of_wine, other) = (config(r"%SystemRoot%\System32\sc.exe"), config(&built("sc-config").display().to_string()));
    own.changed("install", &of_wine, &other);
    let said = own.does("install", &[], 0, &["installed: fails-closed\n"]);
    assert!(!said.contains("could not"), "{said}");
    assert_eq!(account("fails-closed"), r"NT SERVICE\fails-closed");
    let by_batch = registry("fails-closed");
    own.does("install", &[], 0, &["unchanged: fails-closed\n"]);
    own.ran.then_manage().args(["fails-closed", "diff"]).run();
    let typed = ["--manifest", "service.toml", "--account", r"NT SERVICE\*"];
    own.ran.then_install().args(typed).stdout("unchanged: fails-closed\n").run();
    assert_eq!(registry("fails-closed"), by_batch);
    // From another one.
    own.ran.then_install().args(["--manifest", "service.toml", "--account", "LocalSystem"]).run();
    own.does("install", &[], 0, &["updated: fails-closed\n"]);
    assert_eq!(registry("fails-closed"), by_batch);
    own.does("remove", &[], 0, &["removed: fails-closed"]);
}

/// What a new service lacks when a later line fails it would start without.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_new_service_that_a_batch_cannot_finish_is_removed_again() {
    let exported = Exported::new("half-way", &["--nssm", NSSM]);
    exported.changed("install", "^\"Spooler^\"", "^\"NoSuchService^\"");
    exported.does("install", &[], 6, &["NoSuchService", "\nnot installed: half-way was removed again.\n"]);
    assert!(exported.is_free());
    exported.changed("install", "^\"NoSuchService^\"", "^\"Spooler^\"");
    exported.does("install", &[], 0, &["installed: half-way"]);
    exported.changed("install", "^\"Spooler^\"", "^\"NoSuchService^\"");
    let rest = "half-way may have only some of its settings: run this batch again once that is mended.\n";
    exported.does("install", &[], 6, &["NoSuchService", rest]);
    exported.does("remove", &[], 0, &["removed: half-way"]);
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
    let test = ran.then_install().args([
        "--nssm",
        NSSM,
        "--output",
        "out",
        "--python",
        crate::bed::PYTHON,
        "--env",
        "PW",
        "--state-dir",
    ]);
    test.arg(&state)
        .arg("--working-directory")
        .arg(ran.folder())
        .args(["lab:main", "--service_name", "batch-python"])
        .run();
    let out = ran.folder().join("out");
    let (code, said) = run_batch(&out.join("install-batch-python.cmd"), &[]);
    assert_eq!(code, Some(0), "{said}");
    let values = state.join("batch-python_env_vars.txt");
    assert!(said.contains("Fill in \"") && said.contains("batch-python_env_vars.txt\" as in"), "{said}");
    assert_eq!(fs::read(&values).unwrap(), b"");
    fs::write(&values, "PW=\"s e%c\"\n").unwrap();
    // It is not overwritten by the next run.
    let (code, said) = run_batch(&out.join("install-batch-python.cmd"), &[]);
    assert_eq!(code, Some(0), "{said}");
    nssm(&["start", "batch-python"]);
    crate::support::wait_for("its output", 20, || {
        fs::read_to_string(state.join("batch-python_output.log")).ok().filter(|text| text.contains("PW is s e%c"))
    });
    ran.then_manage().args(["batch-python", "stop_and_remove", "--remove_env_vars"]).run();
    assert!(!values.exists() && key("batch-python").is_none());
}
