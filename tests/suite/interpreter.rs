//! What runs a program: where a service finds the interpreter of its first line, and which programs are Python.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Ran, Test};

/// An executable file.
fn program(test: Test, path: &str, contents: &str) -> Test {
    let test = test.file(path, contents);
    fs::set_permissions(test.folder().join(path), fs::Permissions::from_mode(0o755)).unwrap();
    test
}

/// A dry run for systemd with these words behind `--`, in which `{}` is the folder; with `bin` of the folder in front
/// of the PATH.
fn dry_run(test: Test, options: &[&str], words: &[&str]) -> Ran {
    let folder = test.folder().display().to_string();
    let path = format!("{folder}/bin:{}", std::env::var("PATH").unwrap());
    let words = words.iter().map(|word| word.replace("{}", &folder));
    test.env("PATH", path)
        .args(["--dry-run", "--service_name", "web", "--target", "systemd"])
        .args(options)
        .arg("--")
        .args(words)
        .run()
}

fn with_bin(name: &str, first_line: &str) -> Test {
    program(Test::install(), &format!("bin/{name}"), first_line)
}

const FRONT: &str = "PATH=[TMP]/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[test]
fn the_folder_of_an_interpreter_that_only_the_caller_finds_is_put_in_front() {
    let said = "`node7` is found only on your PATH: `[TMP]/bin` is put in front of the service's PATH";
    for first_line in ["#!/usr/bin/env node7", "#! /usr/bin/env -S node7 --quiet", "#!/usr/bin/env -S A=b node7"] {
        let test = program(with_bin("node7", "#!/bin/sh\n"), "app", &format!("{first_line}\n"));
        let ran = dry_run(test, &[], &["{}/app"]);
        assert!(
            ran.stdout.contains(FRONT) && ran.stdout.contains("    found_path = [\"[TMP]/bin\"]\n"),
            "{}",
            ran.stdout
        );
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

#[test]
fn what_the_caller_runs_goes_before_what_the_system_has_of_that_name() {
    let script = || program(with_bin("sed", "#!/bin/sh\n"), "app", "#!/usr/bin/env sed\n");
    let ran = dry_run(script(), &[], &["{}/app"]);
    assert!(ran.stdout.contains(FRONT), "{}", ran.stdout);
    let said =
        "`sed` is `[TMP]/bin/sed` on your PATH, and a service would find `/usr/bin/sed`: `[TMP]/bin` is put in front";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);

    // But not before what the user has named.
    for named in [["--path", "/usr/bin"], ["--env", "PATH=/usr/bin:/bin"]] {
        let ran = dry_run(script(), &named, &["{}/app"]);
        assert!(!ran.stdout.contains("[TMP]/bin:") && !ran.stderr.contains("in front"), "{}{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn two_levels_deep() {
    let test = with_bin("node7", "#!/bin/sh\n");
    let test = program(program(test, "bin/npm7", "#!/usr/bin/env node7\n"), "app", "#!/usr/bin/env npm7\n");
    let ran = dry_run(test, &[], &["{}/app"]);
    assert!(ran.stdout.contains(FRONT), "{}", ran.stdout);
    assert!(ran.stderr.contains("`npm7` is found only on your PATH"), "{}", ran.stderr);
}

#[test]
fn a_program_that_is_called_by_its_name_has_its_neighbours() {
    let ran = dry_run(with_bin("uploader7", "#!/bin/sh\n"), &[], &["uploader7"]);
    assert!(ran.stdout.contains(FRONT), "{}", ran.stdout);
    let ran = dry_run(with_bin("node7", "#!/bin/sh\n"), &[], &["/usr/bin/env", "node7", "app.js"]);
    assert!(ran.stdout.contains(FRONT), "{}", ran.stdout);
}

/// A shell would not find it either.
#[test]
fn an_interpreter_beside_its_script_is_not_on_path() {
    let test = program(program(Test::install(), "kit/node7", "#!/bin/sh\n"), "kit/npm7", "#!/usr/bin/env node7\n");
    let ran = dry_run(test, &[], &["{}/kit/npm7"]);
    assert!(ran.stderr.contains("`[TMP]/kit/npm7` needs `node7`, which is on no PATH here"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`--path [TMP]/kit` puts the directory"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("\"PATH="), "{}", ran.stdout);
}

#[test]
fn where_everybody_may_put_programs_a_service_does_not_look() {
    let test = program(with_bin("node7", "#!/bin/sh\n"), "app", "#!/usr/bin/env node7\n");
    fs::set_permissions(test.folder().join("bin"), fs::Permissions::from_mode(0o777)).unwrap();
    let ran = dry_run(test, &[], &["{}/app"]);
    assert!(!ran.stdout.contains("\"PATH="), "{}", ran.stdout);
    assert!(ran.stderr.contains("everybody may put programs (`[TMP]/bin` is open to all)"), "{}", ran.stderr);
    assert!(ran.stderr.contains("`chmod o-w [TMP]/bin` closes it"), "{}", ran.stderr);
}

/// The receipt keeps what was found apart from what was said: what is gone is no fault then.
#[test]
fn what_was_found_is_looked_for_anew() {
    let receipt = "[[service]]\nname = 'web'\nexecutable = '/usr/bin/env'\narguments = ['sh']\nworking_directory = '/'\n\
                   found_path = ['/no/longer/there']\nfound_python = true\n";
    let ran = Test::install().file("m.toml", receipt).args(["--dry-run", "--manifest", "m.toml"]).run();
    assert!(!ran.stdout.contains("/no/longer/there") && !ran.stdout.contains("PYTHONUNBUFFERED"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
}

/// root's PATH has no directory of nvm, and what was found before stays.
#[test]
fn what_was_found_stays_where_it_is_still_found() {
    let test = program(with_bin("node7", "#!/bin/sh\n"), "app", "#!/usr/bin/env node7\n");
    let folder = test.folder().display().to_string();
    let receipt = format!(
        "[[service]]\nname = 'web'\nexecutable = '{folder}/app'\nworking_directory = '/'\nfound_path = ['{folder}/bin']\n"
    );
    let ran = test.file("m.toml", receipt).args(["--dry-run", "--manifest", "m.toml"]).run();
    assert!(ran.stdout.contains(FRONT) && ran.stdout.contains("    found_path = [\"[TMP]/bin\"]\n"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
}

#[test]
fn what_nobody_finds_is_said() {
    let test = program(Test::install(), "app", "#!/usr/bin/env node7\n");
    let ran = dry_run(test, &[], &["{}/app"]);
    assert!(ran.stderr.contains("`[TMP]/app` needs `node7`, which is on no PATH here, so it will end with 127"));
}

#[test]
fn what_a_service_finds_anyway_is_left_alone() {
    let ran = dry_run(program(Test::install(), "app", "#!/usr/bin/env sh\n"), &[], &["{}/app"]);
    assert!(!ran.stdout.contains("\"PATH="), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
    // The user has put it there.
    let test = program(with_bin("node7", "#!/bin/sh\n"), "app", "#!/usr/bin/env node7\n");
    let bin = test.folder().join("bin").display().to_string();
    let ran = dry_run(test, &["--path", &bin], &["{}/app"]);
    assert_eq!(ran.stderr, "");
    let test = program(with_bin("node7", "#!/bin/sh\n"), "app", "#!/usr/bin/env node7\n");
    let own = format!("PATH={}/bin:/usr/bin", test.folder().display());
    let ran = dry_run(test, &["--env", &own], &["{}/app"]);
    assert_eq!(ran.stderr, "");
}

/// Whether the service is one of Python: told to write without a buffer.
fn is_python(ran: &Ran) -> bool {
    ran.stdout.contains("Environment=\"PYTHONUNBUFFERED=1\"\n")
}

#[test]
fn python_is_recognised_however_it_is_started() {
    let scripts = |test: Test| {
        let test = program(test, "poll.py", "#!/usr/bin/env python3\nprint()\n");
        let test = program(test, "console-script", "#!/opt/venv/bin/python3.11\nprint()\n");
        let test = program(test, "wrapper", "#!/bin/sh\ncd /srv && exec python3 -m poll\n");
        program(test, "deep", "#!/usr/bin/env -S bash -e\n\"$HERE\"/bin/python x\n")
    };
    for words in [
        &["/usr/bin/python3", "/x/poll.py"][..],
        &["/usr/bin/python3", "-m", "poll"],
        &["/usr/bin/env", "python3", "poll.py"],
        &["/usr/bin/nice", "/opt/venv/bin/python", "x"],
        &["/bin/sh", "-c", "cd /srv; python3 poll.py | logger"],
        &["{}/poll.py"],
        &["{}/console-script", "--port", "80"],
        &["{}/wrapper"],
        &["/bin/sh", "{}/wrapper"],
        &["{}/deep"],
    ] {
        assert!(is_python(&dry_run(scripts(Test::install()), &[], words)), "{words:?}");
    }
}

#[test]
fn other_programs_are_not_python() {
    let scripts = |test: Test| {
        let test =
            program(test, "wrapper", "#!/bin/sh\n# python is great, and so is poll.py\nexec java -jar pythonic.jar\n");
        program(test, "perl", "#!/usr/bin/perl\nsystem 'python3';\n")
    };
    for words in [
        &["/bin/sleep", "python lessons"][..],
        &["/usr/bin/tail", "-F", "/var/log/app.py"],
        &["{}/wrapper"],
        &["/bin/sh", "-c", "exec true"],
        &["{}/perl"],
    ] {
        assert!(!is_python(&dry_run(scripts(Test::install()), &[], words)), "{words:?}");
    }
}

#[test]
fn what_the_user_set_is_kept() {
    let ran = dry_run(Test::install(), &["--env", "PYTHONUNBUFFERED="], &["/usr/bin/python3", "poll.py"]);
    assert!(ran.stdout.contains("Environment=\"PYTHONUNBUFFERED=\"\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("PYTHONUNBUFFERED=1"), "{}", ran.stdout);
}

#[test]
fn what_a_program_called_by_its_name_has_beside_it_stays_on_its_path_when_it_is_installed_again() {
    let test = program(Test::install(), "bin/deploy", "#!/bin/sh\nhelper\n");
    let folder = test.folder().display().to_string();
    let manifest = format!(
        "[[service]]\nname = 'web'\nexecutable = '{folder}/bin/deploy'\nworking_directory = '/'\nfound_path = ['{folder}/bin', '/gone']\n"
    );
    let ran = test.file("m.toml", &manifest).args(["--dry-run", "--target", "systemd", "--manifest", "m.toml"]).run();
    assert!(ran.stdout.contains("    found_path = [\"[TMP]/bin\"]\n"), "{}", ran.stdout);
}
