//! What is refused, and in which words: what was given, why not, what to type instead. All faults of
//! one call are told together, and nothing is changed.

use std::fs;

use crate::support::Test;

/// The one fault of a command: exit code 2, nothing on standard output, these words.
#[track_caller]
fn refused(test: Test, said: &str) {
    test.status(2).stdout("").stderr(said).run();
}

fn install<const N: usize>(arguments: [&str; N]) -> Test {
    Test::install().args(arguments)
}

#[test]
fn every_fault_of_an_executable_at_once() {
    refused(
        install([
            "--dryrun",
            "--service_name",
            "my svc",
            "--restart",
            "sometimes",
            "--restart-sec",
            "-3",
            "--hardening",
            "max",
            "--account",
            "a b",
            "--after",
            "x y",
            "--working-directory",
            "sub",
            "--env",
            "=x",
            "--env",
            "A B",
            "--path",
            "../rel",
            "--format",
            "yaml",
            "--target",
            "systemd",
            "--assume",
            "252",
            "--description",
            "a\nb",
            "--",
            "./run.sh",
        ]),
        r"InstallService: error: option `--dryrun`: there is no such option
  help: did you mean `--dry-run`?
InstallService: error: option `--format` `yaml`: must be `text` or `json`
InstallService: error: executable `./run.sh`: a path of the service must be absolute: it runs in another directory than you
  help: `[TMP]/run.sh`
InstallService: error: service name `my svc`: contains ` `; a service name must consist of letters, digits, `_`, `.` and `-`; did you mean `my_svc`?
InstallService: error: option `--working-directory` `sub`: a path of the service must be absolute: it runs in another directory than you
  help: `[TMP]/sub`
InstallService: error: environment variable ``: the name of an environment variable must not be empty
InstallService: error: secret `A B`: systemd reads only names of letters, digits and `_` from an environment file
  help: `--env 'A B=VALUE'` sets it plainly, visible to every user of the machine
InstallService: error: option `--assume` `252`: must be `systemd=VERSION`, such as `systemd=239`
InstallService: error: option `--account` `a b`: must be the name of an account
InstallService: error: option `--restart` `sometimes`: must be one of `always`, `on-failure`, `never`, `on-success`, `on-abnormal`, `on-abort`, `on-watchdog`, `no`
InstallService: error: option `--hardening` `max`: must be one of `none`, `baseline`, `service`, `strict`
InstallService: error: option `--restart-sec` `-3`: must be a time such as `90`, `500ms` or `1min 30s`
InstallService: error: option `--after` `x y`: contains ` `, which the name of a systemd unit must not
InstallService: error: option `--description` `a\nb`: contains `\u{a}`; must be one line of plain text
InstallService: error: option `--path` `../rel`: a path of the service must be absolute: it runs in another directory than you
  help: `/tmp/rel`
InstallService: 15 errors; nothing was changed
",
    );
}

#[test]
fn every_fault_of_a_program_at_once() {
    refused(
        install([
            "--python",
            "/usr/bin/env",
            "DataFileUploadDirectory",
            "data",
            "--config",
            "prod.config",
            "--chunk_size",
            "1000",
            "--n_threads",
            "0",
            "--upload_regex",
            "(",
            "--watchdog_lag_time",
            "a",
            "--update_seconds",
            "1.5",
            "--logger_stream_level",
            "loud",
            "--max_wait_per_decrypt",
            "-1",
            "--logger_file_path",
            "x.log",
            "--topc_name",
            "x",
        ]),
        r"InstallService: error: option `--topc_name`: there is no such option
  help: did you mean `--topic_name`?
InstallService: error: argument `--upload_regex`: `(` is not a regular expression: a `(` is never closed; for the character itself write `\(`
InstallService: error: argument `--watchdog_lag_time`: `a` is not a whole number: write digits only, such as 300
InstallService: error: argument `--chunk_size`: `1000` is not a power of two: write 512 or 1024
InstallService: error: argument `--n_threads`: `0` is not positive: write 1 or more
InstallService: error: argument `--config` `prod.config`: a path of the service must be absolute: it runs in another directory than you
  help: `[TMP]/prod.config`
InstallService: error: argument `--max_wait_per_decrypt`: `-1` is negative: write 0 or more
InstallService: error: argument `--update_seconds`: `1.5` is not a whole number: write digits only, such as 300
InstallService: error: argument `--logger_stream_level`: `loud` is not a log level: write one of notset, debug, info, warning, error, critical, or a number such as 20
InstallService: error: argument `--logger_file_path` `x.log`: a path of the service must be absolute: it runs in another directory than you
  help: `[TMP]/x.log`
InstallService: error: argument `upload_dir` `data`: a path of the service must be absolute: it runs in another directory than you
  help: `[TMP]/data`
InstallService: 11 errors; nothing was changed
",
    );
}

#[test]
fn a_missing_argument_is_explained() {
    refused(
        install(["--python", "/usr/bin/env", "S3TransferStreamProcessor", "--mode", "dick"]),
        "InstallService: error: argument `--mode`: `dick` is not one of memory, disk, both: did you mean `disk`?
InstallService: error: argument `bucket_name`: `S3TransferStreamProcessor` needs it: The bucket to store the files in. Where the store is and its access keys stand in the [s3] section of the configuration file.
  help: `InstallService S3TransferStreamProcessor -h` explains every argument
InstallService: 2 errors; nothing was changed
",
    );
}

#[test]
fn a_word_too_many_and_a_value_too_few() {
    refused(
        install(["DataFileUploadDirectory", "/tmp", "/srv", "--upload_existing=yes", "--config"]),
        "InstallService: error: argument `/srv`: not expected here
InstallService: error: option `--upload_existing=yes`: takes no value
InstallService: error: option `--config`: needs a value
InstallService: 3 errors; nothing was changed
",
    );
}

#[test]
fn an_unknown_option_without_a_likeness() {
    refused(
        install(["--bogus", "value", "--", "/bin/true"]),
        "InstallService: error: option `--bogus`: there is no such option\n  help: `-h` lists the options\n",
    );
    refused(
        install(["-x", "--", "/bin/true"]),
        "InstallService: error: option `-x`: there is no such option\n  help: `-h` lists the options\n",
    );
}

#[test]
fn nothing_to_install() {
    let help = "  help: `InstallService -h` lists the programs; any other program goes after `--`\n";
    refused(install(["--dry-run"]), &format!("InstallService: error: program: nothing to install was given\n{help}"));
    refused(
        install(["--dry-run", "--"]),
        "InstallService: error: executable: nothing follows the `--`\n  help: put the program to run after it\n",
    );
}

#[test]
fn an_unknown_program() {
    refused(
        install(["DataFileUplodDirectory", "/x", "--any", "thing"]),
        "InstallService: error: program `DataFileUplodDirectory`: there is no such program in the catalog\n  \
         help: did you mean `DataFileUploadDirectory`?\n",
    );
    // One that might be meant as an executable.
    refused(
        install(["--account", "a b", "/usr/bin/my tool", "x"]),
        "InstallService: error: program `/usr/bin/my tool`: there is no such program in the catalog
  help: `InstallService -h` lists the programs; any other one goes after `--`: `InstallService --service_name NAME -- '/usr/bin/my tool'`
InstallService: error: option `--account` `a b`: must be the name of an account
InstallService: 2 errors; nothing was changed
",
    );
}

#[test]
fn executables_that_cannot_be_run() {
    let ran = Test::install().file("plain", "").args(["-V"]).run();
    let plain = ran.folder().join("plain");
    let folder = ran.folder().to_owned();
    let run = |path: &str| ran.then_install().args(["--service_name", "x", "--", path]);
    refused(run("/nonexistent/x"), "InstallService: error: executable `/nonexistent/x`: there is no such file\n");
    refused(
        run(folder.to_str().unwrap()),
        "InstallService: error: executable `[TMP]`: this is a directory, not a program\n",
    );
    refused(
        run(plain.to_str().unwrap()),
        "InstallService: error: executable `[TMP]/plain`: it is not marked as executable\n  \
         help: `chmod +x [TMP]/plain`, or name its interpreter in front of it\n",
    );
    refused(run(""), "InstallService: error: executable: must not be empty: it is a path\n");
    refused(
        run("no-such-program"),
        "InstallService: error: executable `no-such-program`: there is no program of that name on PATH\n  help: give its absolute path\n",
    );
    // It lies here.
    refused(
        run("plain"),
        "InstallService: error: executable `plain`: there is no program of that name on PATH\n  help: `[TMP]/plain`\n",
    );
}

#[test]
fn directories_that_are_not_there() {
    let run = |directory: &str| {
        install(["--working-directory", directory, "--service_name", "x", "--", "/bin/true"]).file("file", "")
    };
    refused(
        run("/nonexistent/my data"),
        "InstallService: error: option `--working-directory` `/nonexistent/my data`: there is no such directory\n  \
         help: `mkdir -p '/nonexistent/my data'` makes it\n",
    );
    refused(
        run("/bin/true"),
        "InstallService: error: option `--working-directory` `/bin/true`: this is a file, not a directory\n",
    );
}

#[test]
fn names_of_services() {
    for (name, reason) in [
        ("", "a service name must not be empty"),
        ("-x", "it begins with `-`; a service name must begin with a letter or a digit"),
        (
            "a/../b",
            "contains `/`; a service name must consist of letters, digits, `_`, `.` and `-`; did you mean `a_.._b`?",
        ),
        (
            "a@b@c",
            "contains `@`; a service name must consist of letters, digits, `_`, `.` and `-`; did you mean `a_b_c`?",
        ),
        ("web.service", "the service manager adds `.service` by itself; did you mean `web`?"),
    ] {
        let option = format!("--service_name={name}");
        refused(
            install([&option, "--", "/bin/true"]),
            &format!("InstallService: error: service name `{name}`: {reason}\n"),
        );
    }
    let long = "n".repeat(201);
    let shown = format!("{} ... (201 bytes)", "n".repeat(80));
    refused(
        install(["--service_name", &long, "--", "/bin/true"]),
        &format!(
            "InstallService: error: service name `{shown}`: it has 201 characters; a service name must have at most 200\n"
        ),
    );
}

#[test]
fn accounts() {
    refused(
        install(["--account", "no-such-person", "--service_name", "x", "--", "/bin/true"]),
        "InstallService: error: option `--account` `no-such-person`: there is no such account\n  \
         help: `sudo useradd --system --shell /usr/sbin/nologin no-such-person` makes one\n",
    );
    refused(
        install(["--user", "--account", "root", "--service_name", "x", "--", "/bin/true"]),
        "InstallService: error: option `--account` `root`: a user service runs as the user who installs it\n",
    );
}

#[test]
fn python_specs() {
    let help = "  help: write `package.module:function` or `Class=package.module`\n";
    for (spec, reason) in [
        ("lab.watch:1main", "the function `1main` begins with '1', not a letter"),
        ("lab.watch:", "the function is missing"),
        ("Watcher=", "the module is missing"),
        ("my-lab:main", "the module `my-lab` contains '-', which no Python name can have"),
    ] {
        refused(
            install(["--python", "/usr/bin/env", spec]),
            &format!("InstallService: error: Python spec `{spec}`: {reason}\n{help}"),
        );
    }
    refused(
        install(["--python", "/usr/bin/env", "lab.watch:main", "--service_name"]),
        "InstallService: error: option `--service_name`: needs a value\n",
    );
}

#[test]
fn no_interpreter() {
    refused(
        install(["lab.watch:main"]).env("PATH", "/nonexistent"),
        "InstallService: error: interpreter: no Python was found: no virtual environment is active and none is on PATH\n  \
         help: `--python PATH` names it\n",
    );
}

#[test]
fn what_cannot_be_carried() {
    // More than can be typed.
    let long = "a".repeat(131_072);
    refused(
        Test::install()
            .file("m.toml", format!("[[service]]\nexecutable = \"/bin/true\"\narguments = [\"x\", \"{long}\"]\npath = [\"/opt/a:b\"]\n"))
            .args(["--output", "tree", "--working-directory", "/", "--manifest", "m.toml"]),
        "InstallService: error: the directory `/opt/a:b` for PATH: contains `:`, which the variable PATH cannot carry: its directories are separated by `:`
InstallService: error: argument 2: has 131072 bytes, which the operating system cannot carry: one argument, and one variable with its name, has at most 131071
InstallService: 2 errors; nothing was changed
",
    );
    refused(
        install([
            "--dry-run",
            "--plain",
            "--target",
            "nssm",
            "--env",
            "TOKEN",
            "--working-directory",
            "C:\\",
            "--",
            "C:\\x.exe",
        ]),
        "InstallService: error: the service: needs RunService for secrets, which NSSM cannot carry: it is plain\n",
    );
}

#[test]
fn modes_that_exclude_each_other() {
    refused(
        install(["--dry-run", "--output", "x", "--service_name", "x", "--", "/bin/true"]),
        "InstallService: error: option `--output`: cannot be combined with `--dry-run`\n",
    );
}

#[test]
fn manifests() {
    let run = |text: &str| Test::install().file("m.toml", text).args(["--dry-run", "--manifest", "m.toml"]);
    refused(
        install(["--dry-run", "--manifest", "m.toml"]),
        "InstallService: error: manifest `m.toml`: there is no such file\n",
    );
    refused(
        install(["--dry-run", "--manifest", "/"]),
        "InstallService: error: manifest `/`: this is a directory, not a file\n",
    );
    refused(
        Test::install().file("m.toml", b"\xff").args(["--dry-run", "--manifest", "m.toml"]),
        "InstallService: error: manifest `m.toml`: must be UTF-8 text\n",
    );
    refused(
        run(""),
        "InstallService: error: manifest `m.toml`: it describes no service\n  help: each one begins with `[[service]]`\n",
    );
    refused(
        run("[[service]\n"),
        "InstallService: error: manifest `m.toml`, line 1: this is not TOML: unclosed array table, expected `]`\n",
    );
    refused(
        run("[[service]]\nname = \"x\"\nexecutable = \"/bin/true\"\nrestrat = \"always\"\n"),
        "InstallService: error: manifest `m.toml`, line 4, key `restrat`: there is no such key here\n  \
         help: did you mean `restart`?\n",
    );
    refused(
        run("[defaults]\nexecutable = \"/bin/true\"\n"),
        "InstallService: error: manifest `m.toml`, line 2, key `executable`: services cannot share it\n  \
         help: write it into each `[[service]]`\n",
    );
    // Every fault of every service, each with the service's name.
    refused(
        run(r#"
            [defaults]
            restart = "sometimes"
            [[service]]
            name = "a"
            executable = "/bin/true"
            program = "DataFileUploadDirectory"
            [[service]]
            executable = "bin/x"
            [[service]]
            python = "lab.watch:main"
            interpreter = "/usr/bin/env"
            arguments = { a = 1 }
            restart = "never"
            "#),
        "InstallService: error: service `a`, program: a service runs one of `program`, `python`, `executable` and `command`, not several
InstallService: error: service `a`, option `--restart` `sometimes`: must be one of `always`, `on-failure`, `never`, `on-success`, `on-abnormal`, `on-abort`, `on-watchdog`, `no`
InstallService: error: service `bin/x`, executable `bin/x`: a path of the service must be absolute: it runs in another directory than you
  help: `[TMP]/bin/x`
InstallService: error: service `bin/x`, option `--restart` `sometimes`: must be one of `always`, `on-failure`, `never`, `on-success`, `on-abnormal`, `on-abort`, `on-watchdog`, `no`
InstallService: error: service `lab.watch:main`, arguments: arguments by name are for programs of the catalog; write a list, such as [\"a\", \"b\"]
InstallService: 5 errors; nothing was changed
",
    );
    refused(
        run("[[service]]\nname=\"x\"\nexecutable=\"/bin/true\"\n[[service]]\nname=\"x\"\nexecutable=\"/bin/sh\"\n"),
        "InstallService: error: service name `x`: two services of one run must not have the same name\n",
    );
}

#[test]
fn parameters_of_nssm() {
    let run = |table: &str| {
        let manifest = format!(
            "[[service]]\nname = 'x'\nexecutable = 'C:/x.exe'\nworking_directory = 'C:/'\n[service.nssm]\n{table}"
        );
        Test::install().file("m.toml", manifest).args(["--dry-run", "--target", "nssm", "--manifest", "m.toml"])
    };
    let words = "InstallService: error: parameter `";
    refused(
        run(
            "AppPriorty = 'IDLE_PRIORITY_CLASS'\nAppExit = 'Exit'\n'AppExit.3' = 'Stop'\nAppThrottle = -1\nObjectName = 'x'\nAppNoConsole = '1\\n2'\n",
        ),
        &format!(
            "{words}AppPriorty` of NSSM: NSSM has no such parameter\n  help: did you mean `AppPriority`?\n\
             {words}AppExit` of NSSM: it is set for one exit code, or for all others\n  \
             help: write `\"AppExit.3\" = \"Exit\"` or `\"AppExit.Default\" = \"Restart\"`\n\
             {words}AppExit.3` of NSSM: must be one of `Restart`, `Ignore`, `Exit`, `Suicide`\n\
             {words}AppThrottle` of NSSM: `-1` must be a number from 0 to 4294967295\n\
             {words}ObjectName` of NSSM: this has a key of its own\n  help: write `account = ...`\n\
             {words}AppNoConsole` of NSSM: `1\\n2` must be a number from 0 to 4294967295\n\
             InstallService: 6 errors; nothing was changed\n"
        ),
    );
    // What is right is set as it stands: true is 1 there.
    let set = run("AppNoConsole = true\n'AppExit.3' = 'Exit'\n").run().stdout;
    for line in ["set x AppNoConsole 1\n", "set x AppExit 3 Exit\n"] {
        assert!(set.contains(line), "{set}");
    }
}

#[test]
fn directives_of_systemd() {
    let run = |table: &str, options: &[&str]| {
        let manifest = format!(
            "[[service]]\nname = 'x'\nexecutable = '/bin/x'\nworking_directory = '/'\n[service.systemd]\n{table}"
        );
        Test::install().file("m.toml", manifest).args(["--output", "tree", "--manifest", "m.toml"]).args(options)
    };
    let words = "InstallService: error: systemd directive `";
    refused(
        run("LimitNOFLE = 1\nOnFailure = 'x.service'\nUser = 'joe'\nPrivateTmp = 'perhaps'\nType = 'a\\'\n", &[]),
        &format!(
            "{words}LimitNOFLE`: [Service] has no such directive in systemd up to 262\n  help: did you mean `LimitNOFILE`?\n\
             {words}OnFailure`: [Service] has no such directive in systemd up to 262\n  help: write `\"Unit.OnFailure\"`\n\
             {words}User`: this has a key of its own\n  help: write `account = ...`\n\
             {words}PrivateTmp`: `perhaps` must be one of `yes`, `no`, `disconnected`\n\
             {words}Type`: must be one line of plain text that does not end in a backslash\n\
             InstallService: 5 errors; nothing was changed\n"
        ),
    );
    // Of two that say the same, one would count in silence.
    refused(
        run("TimeoutStopSec = 5\n", &["--stop-timeout", "10min"]),
        "InstallService: error: option `--stop-timeout`: the key `TimeoutStopSec` of the `systemd` table says it, too; omit \
         one of the two\n",
    );
    run("TimeoutStartSec = 5\n", &["--stop-timeout", "10min"]).run();
    refused(
        run("ExecStop = '/bin/true'\n", &["--stop-command", "/bin/true"]),
        "InstallService: error: option `--stop-command`: the key `ExecStop` of the `systemd` table says it, too; omit one of \
         the two\n",
    );
    // What a version does not have is not written for it.
    let newer = "ExecCondition = '/bin/true'\nType = 'exec'\nLimitNOFILE = 9\n";
    refused(
        run(newer, &["--assume", "systemd=239"]),
        &format!(
            "{words}ExecCondition`: it came with systemd 243, and the unit is written for 239\n\
             {words}Type`: it came with systemd 240, and the unit is written for 239\n\
             InstallService: 2 errors; nothing was changed\n"
        ),
    );
    run(newer, &["--assume", "systemd=243"]).run();
    // Where none is assumed, the unit is for one that has it all.
    let role = run("MemoryZSwapWriteback = false\n", &["--layout", "ansible"]).run();
    let variables = fs::read_to_string(role.folder().join("tree/vars/main.yml")).unwrap();
    assert!(variables.contains("\ninstall_service_systemd: 256\n"), "{variables}");
    refused(
        run("", &["--assume", "systemd=238"]),
        "InstallService: error: option `--assume` `systemd=238`: 239 is the oldest version that units can be written for\n",
    );
}

#[test]
fn options_of_a_manifest() {
    refused(
        install(["site.toml"]),
        "InstallService: error: program `site.toml`: there is no such program in the catalog\n  \
         help: `--manifest site.toml` reads a manifest\n",
    );
    refused(
        install(["--prune", "--service_name", "x", "--", "/bin/true"]),
        "InstallService: error: option `--prune`: needs a manifest: it removes what that does not list\n  help: `--manifest FILE` names one\n",
    );
    refused(
        install(["--prune", "--output", "tree", "--manifest", "m.toml"])
            .file("m.toml", "[[service]]\nexecutable='/bin/true'\n"),
        "InstallService: error: option `--prune`: an export removes its own stale files without it\n",
    );
}

#[test]
fn the_command_line_counts_before_a_manifest() {
    Test::install()
        .file("m.toml", "[[service]]\nexecutable = \"/bin/true\"\nrestart = \"never\"\nenvironment = { A = \"1\" }\n")
        .args([
            "--dry-run",
            "--manifest",
            "m.toml",
            "--restart",
            "on-failure",
            "--env",
            "B=2",
            "--service_name",
            "other",
        ])
        .stdout_contains("/other.service")
        .stdout_contains("Restart=on-failure\n")
        .stdout_contains("    Environment=\"A=1\"\n    Environment=\"B=2\"\n")
        .run();
}

#[test]
fn catalogs() {
    refused(
        install(["--catalog", "nowhere.toml", "--dry-run", "--", "/bin/true"]),
        "InstallService: error: catalog `nowhere.toml`: there is no such file\n",
    );
    let broken = "[[program]]\nname = \"A\"\nabout = \"b\"\nexecutable = \"/bin/true\"\nkindd = 1\n";
    let said = |path: &str| {
        format!("InstallService: error: catalog `{path}`, line 5, key `kindd`: there is no such key here\n  help: ")
    };
    Test::install()
        .file("bad.toml", broken)
        .args(["--catalog", "bad.toml", "-h"])
        .status(2)
        .stdout("")
        .stderr_contains(said("bad.toml"))
        .run();
    Test::install()
        .file("working_dir/catalog.d/bad.toml", broken)
        .arg("-h")
        .status(2)
        .stdout("")
        .stderr_contains(said("[TMP]/working_dir/catalog.d/bad.toml"))
        .run();
    Test::install()
        .file("elsewhere/catalog.d/bad.toml", broken)
        .args(["-h", "--state-dir", "elsewhere"])
        .status(2)
        .stdout("")
        .stderr_contains(said("elsewhere/catalog.d/bad.toml"))
        .run();
}

#[test]
fn a_program_of_a_catalog_of_ones_own() {
    let catalog = "[[program]]\nname = \"Sender\"\nabout = \"Sends.\"\nexecutable = \"/bin/true\"\n\
                   [[program.argument]]\nflags = [\"-n\"]\nkind = \"positive_int\"\nhelp = \"How many.\"\n";
    let ran = Test::install().file("working_dir/catalog.d/own.toml", catalog).arg("-h").stdout_contains("Sender").run();
    ran.then_install()
        .args(["--dry-run", "Sender", "-n", "3", "--service_name", "s"])
        .stdout_contains("ExecStart=:\"/bin/true\" \"-n\" \"3\"\n")
        .run();
    refused(
        ran.then_install().args(["--dry-run", "Sender", "-n"]),
        "InstallService: error: option `-n`: needs a value\n",
    );
}

#[test]
fn discover() {
    refused(
        install(["discover"]).env("PATH", "/nonexistent"),
        "InstallService: error: interpreter: no Python was found\n  help: `--python PATH` names it\n",
    );
    refused(
        install(["discover", "--python", "/nonexistent/python"]),
        "InstallService: error: option `--python` `/nonexistent/python`: there is no such file, or it is not marked as executable\n",
    );
    Test::install()
        .args(["discover", "--python", "/bin/false", "package"])
        .status(1)
        .stdout("")
        .stderr("InstallService: error: running `/bin/false -c ... package`: it ended with exit status: 1\n")
        .run();
    refused(
        install(["discover", "--python", "/bin/true"]),
        "InstallService: error: discover `/bin/true`: the Python environment gave an answer that cannot be read: EOF while parsing a value at line 1 column 0\n",
    );
    refused(
        install(["discover", "--python", "/bin/true", "a", "b"]),
        "InstallService: error: argument `b`: not expected here\n",
    );
}

#[test]
fn completions_of_a_shell_that_we_do_not_know() {
    let words = "must be one of `bash`, `zsh`, `fish`, `powershell`, `elvish`\n";
    refused(install(["completions"]), &format!("InstallService: error: shell: {words}"));
    refused(install(["completions", "tcsh"]), &format!("InstallService: error: shell `tcsh`: {words}"));
}

/// Each says who cannot do it, and what to do instead.
#[test]
fn credentials_where_there_are_none() {
    let dry = |options: &[&str]| {
        let install = install(["--dry-run", "--service_name", "web", "--secrets", "credentials"]).args(options);
        install.args(["--", "/bin/true"])
    };
    refused(
        dry(&["--user"]),
        "InstallService: error: option `--secrets` `credentials`: a credential is encrypted with a key that only root reads, and a user service is not root's
  help: omit `--secrets`: the values are then kept in a file that only you can read\n",
    );
    refused(
        dry(&["--assume", "systemd=246"]),
        "InstallService: error: option `--secrets` `credentials`: systemd 246 has no credentials, which came with 247\n",
    );
    refused(
        dry(&["--env", "IFS", "--env", "A"]),
        "InstallService: error: the secret `IFS`: is a variable of the shell that reads it, which a systemd credential cannot carry: it is read too late for that; `--secrets file` has no such limit\n",
    );
    refused(
        install(["--dry-run", "--secrets", "credentials", "--python", "/usr/bin/env", "--env", "PYTHONPATH", "a.b:c"]),
        "InstallService: error: the secret `PYTHONPATH`: is a variable of the interpreter, which a systemd credential cannot carry: it is read too late for that; `--secrets file` has no such limit\n",
    );
    let role = install(["--output", "role", "--layout", "ansible", "--service_name", "web", "--env", "A"]);
    refused(
        role.args(["--secrets", "credentials", "--working-directory", "/srv", "--", "/bin/true"]),
        "InstallService: error: option `--secrets` `credentials`: a role of Ansible does not encrypt: that is done on each host
  help: `--assume systemd=249` hands them over as credentials all the same, from a file of mode 0600\n",
    );
    let windows = install(["--dry-run", "--target", "nssm", "--service_name", "web", "--secrets", "credentials"]);
    let windows = windows.args(["--working-directory", "C:\\", "--", "C:\\x.exe"]);
    windows.stderr_contains("`web`: credentials exist on systemd only; on Windows the values are kept in a file").run();
}

#[test]
fn a_time_for_an_import_is_a_span() {
    for given in ["soon", "0", "0s", "-1", ""] {
        let expected = format!(
            "InstallService: error: option `--import-timeout` `{given}`: must be a time of at least a second\n  \
             help: `--import-timeout 90s` or `--import-timeout 5min`\n"
        );
        refused(install(["--dry-run", "--import-timeout", given, "a.b:c"]), &expected);
    }
    for given in ["90", "90s", "5min", "1h 30m"] {
        install(["--dry-run", "--import-timeout", given, "--service_name", "x", "--", "/bin/true"]).run();
    }
    Test::manage().args(["x", "reinstall", "--import_timeout", "soon"]).status(2).stderr_contains("`soon`").run();
}

#[test]
fn a_stop_command_is_a_program_with_its_words() {
    let run = |target: &str, words: &str| {
        let windows = ["--working-directory", "C:\\srv", "--", "C:\\x.exe"];
        let unix = ["--working-directory", "/srv", "--", "/bin/true"];
        install(["--dry-run", "--service_name", "web", "--target", target, "--stop-command", words])
            .args(if target == "nssm" { windows } else { unix })
    };
    let option = "InstallService: error: option `--stop-command`";
    refused(run("systemd", "/bin/kill 'x"), &format!("{option} `/bin/kill 'x`: has a quote without its end\n"));
    refused(run("systemd", " "), &format!("{option} ` `: must be a program and what it is given\n"));
    refused(
        run("systemd", "bin/kill $MAINPID"),
        &format!(
            "{option} `bin/kill`: a path of the service must be absolute: it runs in another directory than you\n  \
             help: `[TMP]/bin/kill`\n"
        ),
    );
    refused(
        run("nssm", r"C:\app\stop.py now"),
        &format!(
            "{option} `C:\\app\\stop.py`: Windows does not start such a file by itself\n  \
             help: write `python.exe` in front of it\n"
        ),
    );
    refused(
        run("nssm", r"C:\app\stop.cmd 50%"),
        "InstallService: error: the stop command's argument 1: contains `%`, which cmd.exe cannot carry: it puts the value of \
         a variable there\n",
    );
}

#[test]
fn a_log_file_lies_in_a_directory_that_is_there() {
    let run = |options: &[&str]| {
        Test::install()
            .file("logs/x", "")
            .args(["--dry-run", "--service_name", "web", "--working-directory", "/"])
            .args(options)
            .args(["--", "/bin/true"])
    };
    let option = "InstallService: error: option `--log-file`";
    refused(
        run(&["--log-file", "web.log"]),
        &format!(
            "{option} `web.log`: a path of the service must be absolute: it runs in another directory than you\n  \
             help: `[TMP]/web.log`\n"
        ),
    );
    refused(
        run(&["--log-file", "/no/such/web.log"]),
        &format!("{option} `/no/such`: there is no such directory\n  help: `mkdir -p /no/such` makes it\n"),
    );
    for directory in ["/usr", "/usr/"] {
        let said = format!("{option} `{directory}`: this is a directory, not a file\n  help: `/usr/output.log`\n");
        refused(run(&["--log-file", directory]), &said);
    }
    refused(
        run(&["--log-file", "/web.log", "--assume", "systemd=239"]),
        &format!("{option} `/web.log`: systemd 239 cannot append to a file, which came with 240\n"),
    );
    run(&["--log-file", "none", "--assume", "systemd=239"]).run();
    // Of two that say the same, one would count in silence.
    refused(
        run(&["--log-file", "none", "--property", "StandardError=inherit"]),
        &format!("{option}: `--property StandardError=...` says it, too; omit one of the two\n"),
    );
    refused(
        run(&["--log-file", "/var/log/web.log "]),
        &format!(
            "{option}: ends with ' ', which a systemd unit cannot carry: blanks at the end of a line are dropped there, and a \
             backslash continues it\n"
        ),
    );
    let of_manifest = |said: &str| {
        let manifest = format!("[[service]]\nname = 'x'\nexecutable = '/bin/true'\nworking_directory = '/'\n{said}\n");
        Test::install().file("m.toml", manifest).args(["--dry-run", "--manifest", "m.toml", "--target", "systemd"])
    };
    for (word, help) in
        [("none", "`log_file = false` for no output"), ("default", "`log_file = true` for the usual one")]
    {
        refused(
            of_manifest(&format!("log_file = '{word}'")),
            &format!(
                "InstallService: error: key `log_file` `{word}`: must be the path of a file, or `true` or `false`\n  \
                 help: write {help}\n"
            ),
        );
    }
    // What it is anyhow.
    assert_eq!(of_manifest("log_file = true").run().stdout, of_manifest("").run().stdout);
}

/// What has a word of its own is named as it is written where it was given.
#[test]
fn what_has_a_word_of_its_own_is_named_by_where_it_was_given() {
    let given = |target: &str, property: &str| {
        let directory = if target == "nssm" { r"C:\\" } else { "/" };
        let program = if target == "nssm" { r"C:\x.exe" } else { "/bin/true" };
        let test = Test::install().args(["--dry-run", "--target", target, "--service_name", "web"]);
        test.args(["--working-directory", directory, "--property", property, "--", program]).status(2)
    };
    for (target, property, said) in [
        ("systemd", "Restart=always", "`Restart`: this has an option of its own\n  help: `--restart ...`\n"),
        ("systemd", "RestartSec=3", "`RestartSec`: this has an option of its own\n  help: `--restart-sec ...`\n"),
        ("systemd", "User=x", "`User`: this has an option of its own\n  help: `--account ...`\n"),
        ("systemd", "Environment=A=1", "`Environment`: this has an option of its own\n  help: `--env NAME=VALUE`\n"),
        ("systemd", "Unit.After=x.service", "`Unit.After`: this has an option of its own\n  help: `--after ...`\n"),
        (
            "systemd",
            "ExecStart=/bin/x",
            "`ExecStart`: what runs is no property\n  help: write the program and its arguments behind `--`\n",
        ),
        ("systemd", "OnFailure=x.service", "help: write `--property Unit.OnFailure=...`\n"),
        ("systemd", "Type=dbus", "help: write `--property BusName=org.example.Name` beside it\n"),
        ("nssm", "ObjectName=x", "`ObjectName` of NSSM: this has an option of its own\n  help: `--account ...`\n"),
        ("nssm", "AppExit=Exit", "help: write `--property AppExit.3=Exit` or `--property AppExit.Default=Restart`\n"),
    ] {
        given(target, property).stderr_contains(said).run();
    }
    let manifest = "[[service]]\nname = 'x'\nexecutable = '/bin/true'\nsystemd = { Restart = 'always' }\n";
    let test =
        Test::install().file("m.toml", manifest).args(["--dry-run", "--manifest", "m.toml", "--target", "systemd"]);
    test.status(2).stderr_contains("this has a key of its own\n  help: write `restart = ...`\n").run();
}

/// systemd sends a signal to a job that runs, and carries out the command when there is nothing left to ask.
#[test]
fn a_job_has_no_stop_command() {
    let job = |options: &[&str]| {
        let test = Test::install().args(["--dry-run", "--service_name", "job", "--working-directory", "/"]);
        test.args(["--target", "systemd", "--stop-command", "/bin/kill $MAINPID"])
            .args(options)
            .args(["--", "/bin/true"])
    };
    job(&["--schedule", "daily"])
        .status(2)
        .stdout("")
        .stderr(
            "InstallService: error: option `--stop-command`: cannot be combined with `--schedule`: systemd asks a job \
             that runs by its signal alone\n  help: `--property KillSignal=SIGINT` names another signal than SIGTERM\n",
        )
        .run();
    job(&["--property", "Type=oneshot"]).status(2).stderr_contains("cannot be combined with `Type=oneshot`").run();
    job(&["--property", "Type=oneshot", "--property", "RemainAfterExit=yes"]).run();
    job(&["--schedule", "daily", "--property", "Type=exec"]).run();
}

#[test]
fn a_schedule_is_one_of_systemd() {
    let run = |options: &[&str]| {
        Test::install()
            .args(["--dry-run", "--service_name", "job", "--working-directory", "/"])
            .args(options)
            .args(["--", "/bin/true"])
    };
    let option = "InstallService: error: option `--schedule`";
    refused(
        run(&["--schedule", "15"]),
        &format!("{option} `15`: must have a unit, such as `15min`, or be a time of day such as `08:00`\n"),
    );
    refused(
        run(&["--schedule", "*/15 * * * *"]),
        &format!(
            "{option} `*/15 * * * *`: must be a calendar expression such as `daily`, `Mon..Fri 08:00` or `*:0/15` \
             (systemd.time(7)), not one of cron: `*/15 * * * *` is `*:0/15`, or a span such as `15min`\n"
        ),
    );
    refused(
        run(&["--schedule", "daily", "--restart", "always"]),
        "InstallService: error: option `--restart`: `Type=oneshot` cannot be started again after it has ended without an \
         error\n  help: `--restart on-failure` and `--restart never` can be\n",
    );
    refused(
        run(&["--schedule", "daily", "--restart", "on-failure", "--assume", "systemd=243"]),
        "InstallService: error: option `--restart`: systemd 243 cannot restart a service of `Type=oneshot`; 244 and later can\n  help: `--restart never` starts it once\n",
    );
    refused(
        run(&["--property", "Timer.Persistent=no"]),
        "InstallService: error: systemd directive `Timer.Persistent`: nothing says when the timer starts the service\n  \
         help: `--schedule daily` does, or `--property Timer.OnBootSec=5min`\n",
    );
    run(&["--property", "Timer.OnBootSec=5min"]).run();
    let windows = ["--dry-run", "--target", "nssm", "--service_name", "job", "--working-directory", "C:\\srv"];
    for (schedule, when) in [("15min", "MINUTE /MO 15"), ("08:00", "DAILY /ST 08:00"), ("weekly", "WEEKLY")] {
        refused(
            install(windows).args(["--schedule", schedule, "--", "C:\\a b\\x.exe", "y z"]),
            &format!(
                "{option} `{schedule}`: a service of Windows runs all the time\n  help: `schtasks /Create /TN job /SC {when} \
                 /RU SYSTEM /TR \"\\\"C:\\a b\\x.exe\\\" \\\"y z\\\"\"` has Windows run it\n"
            ),
        );
    }
}
