//! What is run by something else, what Windows does not start, and what a program is given that nobody else sees.

use std::fs;

use crate::bed::{NSSM, PYTHON, install, key, nssm, nssm_does, probe, received_by, registry, run, state};
use crate::support::{Test, wait_for};

/// As every Windows has it, with these folders in front of PATH.
fn with_path(test: Test, folders: &str) -> Test {
    test.env("PATHEXT", ".COM;.EXE;.BAT;.CMD").env("PATH", format!(r"{folders};C:\windows\system32"))
}

#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn scripts_are_run_by_what_runs_them() {
    let script = "import os, sys, time\nprint('up', sys.argv[1:], sys.stdout.encoding, os.environ['PATH'].split(';')[0], 'é')\n\
                  time.sleep(600)\n";
    let test = install().file("lab.py", script).file("lab.ps1", "").file("app.jar", "PK");
    let (folder, java) = (test.folder().to_owned(), test.folder().join("java"));
    fs::rename(probe(&java), java.join("java.exe")).unwrap();
    let typed = |test: Test, file: &str| {
        let test = with_path(test, r"C:\python").args(["--restart", "never", "--service_name", "lab", "--"]);
        test.arg(folder.join(file)).args(["a b", "x"])
    };
    let ran = typed(test, "lab.py").stderr_contains("lab.py` by itself: `C:\\python\\python.exe` runs it").run();
    nssm(&["start", "lab"]);
    let log = folder.join("working_dir").join("lab_output.log");
    // Unbuffered, in UTF-8, with the folder of the interpreter on PATH.
    let said = wait_for("what it prints", 60, || fs::read_to_string(&log).ok().filter(|said| said.contains('\n')));
    assert_eq!(said.trim_end(), r"up ['a b', 'x'] utf-8 C:\python é");
    wait_for("it to run", 60, || (state("lab") == "SERVICE_RUNNING").then_some(()));
    // Whoever installs it again may have no Python on PATH.
    ran.then_manage().args(["lab", "stop"]).run();
    ran.then_manage().args(["lab", "reinstall"]).stdout_contains("unchanged: lab").run();

    typed(ran.then_install(), "lab.ps1").run();
    let parameters = nssm_does(&["get", "lab", "AppParameters"]);
    let expected = r#"powershell.exe" "-NoProfile" "-ExecutionPolicy" "Bypass" "-File" ""#;
    assert!(parameters.contains(expected) && parameters.ends_with(r#"\lab.ps1" "a b" "x""#), "{parameters}");
    typed(ran.then_install(), "app.jar").status(2).stderr_contains("`java.exe` is not on PATH here").run();
    let jar = typed(ran.then_install(), "app.jar");
    with_path(jar, &java.display().to_string()).run();
    let argv: Vec<String> = received_by("lab", &java).argv[1..].iter().map(ToString::to_string).collect();
    assert_eq!(argv, ["-jar", &folder.join("app.jar").display().to_string(), "a b", "x"]);
    ran.then_manage().args(["lab", "remove"]).run();
}

/// `python.exe -m module`, too, is Python.
#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn a_module_of_python_has_its_path_and_encoding() {
    let ran = install().args(["--service_name", "module", "--", PYTHON, "-m", "http.server"]).run();
    let environment = nssm_does(&["get", "module", "AppEnvironmentExtra"]);
    for entry in
        [r"PATH=C:\python;C:\python\Scripts;C:\python\Library\bin;", "PYTHONUNBUFFERED=1", "PYTHONIOENCODING=utf-8"]
    {
        assert!(environment.contains(entry), "{environment}");
    }
    ran.then_manage().args(["module", "remove"]).run();
}

/// The header of an executable for another kind of processor.
fn for_arm() -> Vec<u8> {
    let mut file = vec![0; 0x80];
    file[..2].copy_from_slice(b"MZ");
    file[0x3c] = 0x80;
    file.extend(b"PE\0\0\x64\xaa");
    file.extend([0; 18]);
    file
}

#[test]
#[ignore = "needs Windows or Wine: tests/run"]
fn what_windows_does_not_start_is_refused_before_it_is_installed() {
    let ran = install().arg("--version").run();
    for (name, contents, said) in [
        ("app.lnk", &b"L\0\0\0"[..], "the path that the shortcut leads to"),
        ("empty.exe", b"", "is empty"),
        ("notes", b"not a program\n", "is no program of Windows: it does not begin as one"),
        ("linux", b"\x7fELF\x02", "is a program of Linux"),
        ("arm.exe", &for_arm(), "is made for 64-bit ARM, and this machine is x86-64"),
    ] {
        for dry in [&["--dry-run"][..], &[]] {
            let test = ran.then_install().file(name, contents).args(dry).args(["--service_name", "none", "--"]);
            let test = test.arg(ran.folder().join(name)).status(2).stderr_contains("error: executable: `");
            test.stderr_contains(said).run();
        }
    }
    assert!(key("none").is_none());
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn secrets_and_files_of_variables_reach_the_program_alone() {
    let secret = "s3cr\u{e9}t \"%PATH%\" ^&|\nline";
    let test = install().file("own.env", "FROM_FILE=\"a b\"\nPLAIN=of the file\nTOKEN=not this\n").env("TOKEN", secret);
    let program = probe(&test.folder().join("app"));
    let own = test.folder().join("own.env");
    let typed = |test: Test, file: &str| {
        let words = ["--restart", "never", "--service_name", "secret", "--env", "TOKEN", "--env", "PLAIN=given"];
        test.args(words).args(["--environment-file", file, "--"]).arg(&program).arg("x")
    };
    let ran = typed(test, &own.display().to_string()).run();
    let received = received_by("secret", program.parent().unwrap());
    let variable = |name: &str| received.variable(name).map(|value| value.as_str().unwrap().to_owned());
    assert_eq!(variable("TOKEN").as_deref(), Some(secret));
    assert_eq!(variable("FROM_FILE").as_deref(), Some("a b"));
    assert_eq!(variable("PLAIN").as_deref(), Some("of the file"));
    assert_eq!(received.argv.len(), 2);
    let shown = ran.then_manage().args(["secret", "show"]).run();
    for text in [registry("secret").join("\n"), ran.stdout.clone(), ran.stderr.clone(), shown.stdout] {
        assert!(!text.contains("s3cr") && !text.contains("115, 0, 51, 0, 99, 0, 114, 0"), "{text}");
    }
    let file = ran.folder().join("working_dir").join("secret_env_vars.txt");
    assert!(fs::read_to_string(&file).unwrap().contains("s3cr"));
    // The value is kept, and the file of the user's may be missing, if that is said.
    fs::remove_file(&own).unwrap();
    typed(ran.then_install(), &format!("-{}", own.display())).run();
    let again = received_by("secret", program.parent().unwrap());
    assert_eq!(again.variable("TOKEN"), Some(secret.into()));
    assert_eq!(again.variable("PLAIN"), Some("given".into()));
    // Without its secrets it does not start, and says why.
    fs::rename(&file, file.with_extension("kept")).unwrap();
    nssm(&["start", "secret"]);
    let log = ran.folder().join("secret_ERROR_LOG.txt");
    let entry = wait_for("the error log", 60, || fs::read_to_string(&log).ok());
    assert!(entry.contains("secret cannot read its environment file: `") && entry.contains("is not there"), "{entry}");
    ran.then_manage().args(["secret", "stop_and_remove"]).run();

    // The batch of an export makes an empty file, which somebody fills in.
    let out = ran.folder().join("out");
    let test = ran.then_install().args(["--nssm", NSSM, "--output", "out", "--state-dir"]);
    typed(test.arg(ran.folder().join("working_dir")), r"-C:\none.env").run();
    let installed = run(std::process::Command::new(out.join("install-secret.cmd")).arg("trusted"));
    assert!(installed.status.success(), "{installed:?}");
    fs::write(&file, "TOKEN=of the batch\n").unwrap();
    let received = received_by("secret", program.parent().unwrap());
    assert_eq!(received.variable("TOKEN"), Some("of the batch".into()));
    nssm(&["remove", "secret", "confirm"]);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn where_runservice_cannot_be_secrets_are_refused() {
    let test = install().env("TOKEN", "s3cret");
    let program = probe(&test.folder().join("app"));
    let ran = test.arg("--version").run();
    for (words, said) in [
        (&["--plain"][..], "needs RunService for secrets, which NSSM cannot carry: it is plain"),
        (&["--property", "AppPriority=HIGH_PRIORITY_CLASS"], "RunService cannot pass its `AppPriority` on"),
        (&["--no-nssm", "--output", "out"], "RunService.exe is not among the files; put it beside this program"),
    ] {
        let test =
            ran.then_install().env("TOKEN", "s3cret").args(words).args(["--service_name", "bare", "--env", "TOKEN"]);
        test.arg("--").arg(&program).status(2).stderr_contains(said).run();
    }
    assert!(key("bare").is_none());
}

/// Logs that were set aside are deleted but for the last ones; a log of the program's own is left alone.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn logs_are_kept_as_it_is_said() {
    let test = install();
    let program = probe(&test.folder().join("app"));
    let state_dir = test.folder().join("working_dir");
    let manifest = |key: &str| format!("[[service]]\nname = 'logs'\nexecutable = '{}'\n{key}\n", program.display());
    let apply = |test: Test, key: &str| test.file("one.toml", manifest(key)).args(["--manifest", "one.toml"]);
    let days = [20, 21, 22, 23].map(|day| state_dir.join(format!("logs_output-202611{day}T071811.772.log")));
    let own = program.with_file_name("logs_output-20261120T071811.772.log");
    let ran = apply(test, "log_keep = 2").run();
    for path in days.iter().chain([&own]) {
        fs::write(path, "earlier").unwrap();
    }
    assert!(nssm_does(&["get", "logs", "AppParameters"]).starts_with("\"--log-keep\" \"2\" \"logs\" "));
    received_by("logs", program.parent().unwrap());
    assert_eq!(days.each_ref().map(|path| path.exists()), [false, false, true, true]);
    assert!(own.exists());

    apply(ran.then_install(), "log_keep = 2\nlog_file = false")
        .status(2)
        .stderr_contains("key `log_keep` `2`: there is")
        .run();
    apply(ran.then_install(), "log_file = false").run();
    assert_eq!(nssm_does(&["get", "logs", "AppStdout"]), "");
    received_by("logs", program.parent().unwrap());
    ran.then_manage().args(["logs", "remove"]).run();
    assert!(own.exists() && key("logs").is_none());
}

/// A service that somebody has open is only marked for deletion: that it is removed is said once it is gone.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_removal_waits_until_the_service_is_gone() {
    use windows_service::service::ServiceAccess;
    use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
    let test = install();
    let program = probe(&test.folder().join("app"));
    let ran = test.args(["--service_name", "held", "--"]).arg(&program).run();
    let (opened, is_open) = std::sync::mpsc::channel();
    let release = std::thread::spawn(move || {
        let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT).unwrap();
        let held = manager.open_service("held", ServiceAccess::QUERY_STATUS).unwrap();
        opened.send(()).unwrap();
        std::thread::sleep(std::time::Duration::from_secs(4));
        drop(held);
    });
    is_open.recv().unwrap();
    let begun = std::time::Instant::now();
    ran.then_manage().args(["held", "remove"]).run();
    assert!(key("held").is_none() && begun.elapsed().as_secs() >= 3, "{:?}", begun.elapsed());
    release.join().unwrap();
}
