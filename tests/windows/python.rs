//! A Python program as a service: its secret, its PATH, its end.

use std::fs;

use crate::bed::{PYTHON, install, key, registry};
use crate::support::wait_for;

const PROGRAM: &str = "\
import os, sys, time
def main(arguments):
    print('started with', arguments, os.environ['PW'], os.environ['PATH'].split(os.pathsep)[:3], os.getcwd(), flush=True)
    if arguments[0] == 'fail':
        raise RuntimeError('went wrong: \\u00e9 \\u65e5\\u672c')
    try:
        time.sleep(600)
    except KeyboardInterrupt:
        print('flushed', flush=True)
        raise
";

#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn a_python_service_runs_and_its_traceback_is_kept() {
    let test = install().file("lab/prog.py", PROGRAM);
    let lab = test.folder().join("lab");
    let secret = "s3cr\u{e9}t \"%PATH%\"\nline";
    let install = |test: crate::support::Test, argument: &str| {
        let test = test.args(["--python", PYTHON, "--working-directory"]).arg(&lab).args([
            "--env",
            "PW",
            "--path",
            r"C:\Program Files",
        ]);
        test.args(["prog:main", argument, "100%", "--service_name", "snake"])
    };
    let ran = install(test.env("PW", secret), "run").run();
    let state = ran.folder().join("working_dir");
    let values = state.join("snake_env_vars.txt");
    assert!(fs::read_to_string(&values).unwrap().contains("line"));
    for text in [registry("snake").join("\n"), ran.stdout.clone(), ran.stderr.clone()] {
        assert!(!text.contains("s3cr"), "{text}");
    }
    let left: Vec<_> = fs::read_dir(&state).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".install-service-")), "{left:?}");
    // The value is kept, so it is neither asked for nor needed again.
    install(ran.then_install(), "run").stdout("unchanged: snake\n").run();

    ran.then_manage().args(["snake", "start"]).stdout("snake: started, it runs\n").run();
    let log = || fs::read_to_string(state.join("snake_output.log")).unwrap_or_default().replace('\r', "");
    // NSSM writes down what a program prints a moment later.
    let has = |part: &str| wait_for(part, 10, || Some(log()).filter(|said| said.contains(part)));
    let said = has(r"\\Scripts']");
    assert!(said.contains("started with ['run', '100%'] s3cr\u{e9}t \"%PATH%\"\nline"), "{said}");
    assert!(said.contains(r"['C:\\Program Files', 'C:\\python', 'C:\\python\\Scripts']"), "{said}");
    ran.then_manage().args(["snake", "status"]).stdout_contains("(none so far)").run();
    // Ctrl-C, and time to flush.
    ran.then_manage().args(["snake", "stop"]).run();
    has("flushed");
    let error_log = lab.join("snake_ERROR_LOG.txt");
    assert!(!error_log.exists());

    // One argument changes, so only the script is written anew.
    let updated = install(ran.then_install(), "fail").run();
    assert!(
        updated.stdout.contains("snake_service_executable.py") && !updated.stderr.contains("nssm.exe set"),
        "{}",
        updated.stderr
    );
    let failed = ran.then_manage().args(["snake", "start"]).status(1).run();
    for part in ["starting `snake`: ", "RuntimeError: went wrong: é 日本", "its errors are kept in `"] {
        assert!(failed.stderr.contains(part), "`{part}` is not in\n{}", failed.stderr);
    }
    let text = wait_for("the error log", 10, || fs::read_to_string(&error_log).ok()).replace('\r', "");
    for part in ["snake\nTraceback (most recent call last)", "prog.py", "RuntimeError: went wrong: é 日本"] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    ran.then_manage()
        .args(["snake", "status"])
        .status(3)
        .stdout_contains("error log    [TMP]\\lab\\snake_ERROR_LOG.txt\n")
        .run();
    let removed = ran.then_manage().args(["snake", "stop_and_remove"]).run();
    assert!(removed.stderr.contains("kept: ") && removed.stderr.contains("(its errors)"), "{}", removed.stderr);
    assert!(values.exists() && error_log.exists() && key("snake").is_none());
    ran.then_manage().args(["snake", "remove", "--remove_env_vars", "--remove_install_args"]).run();
    assert!(!values.exists());
}

/// A failing `icacls` refuses the install before a value is written.
#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn a_secret_that_cannot_be_protected_is_not_written() {
    let test = install().file("prog.py", PROGRAM).file("working_dir/keep", "");
    // It is found first, and ends with 1.
    let bin = test.folder().join("bin");
    fs::create_dir_all(&bin).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_InstallService"), bin.join("InstallService.exe")).unwrap();
    fs::copy(crate::bed::NSSM, bin.join("icacls.exe")).unwrap();
    let state = test.folder().join("working_dir");
    let typed = ["--python", PYTHON, "--env", "PW", "prog:main", "x", "--service_name", "open"];
    let mut command = std::process::Command::new(bin.join("InstallService.exe"));
    command.args(typed).current_dir(test.folder()).env("PW", "s3cret").env("INSTALLSERVICE_WORKING_DIR", &state);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(bin.clone()).chain(std::env::split_paths(&path))).unwrap();
    command.env("PATH", path);
    let output = crate::bed::run(&mut command);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("running `icacls.exe ") && said.contains("/inheritance:r"), "{said}");
    assert!(key("open").is_none());
    for entry in fs::read_dir(&state).unwrap().flatten() {
        let contents = fs::read(entry.path()).unwrap_or_default();
        assert!(!contents.windows(6).any(|part| part == b"s3cret"), "{:?}", entry.path());
    }
}
