//! What a service says beyond what runs: dependencies, a file of variables, when it is started again, and entries of the
//! service manager's own.

use crate::support::{Ran, Test};

fn dry_run(options: &[&str]) -> Test {
    Test::install()
        .args(["--dry-run", "--service_name", "web", "--working-directory", "/"])
        .args(options)
        .args(["--", "/bin/true"])
}

/// The lines of the unit, without their indentation.
fn has(ran: &Ran, lines: &[&str]) {
    for line in lines {
        assert!(ran.stdout.contains(&format!("    {line}\n")), "{line}\n{}", ran.stdout);
    }
}

#[test]
fn units_before_and_after_it() {
    let ran = dry_run(&[
        "--after",
        "postgresql",
        "--before",
        "shutdown.target",
        "--requires",
        "data.mount",
        "--wants",
        "a",
        "--wants",
        "b",
    ])
    .run();
    has(
        &ran,
        &[
            "After=postgresql.service",
            "Before=shutdown.target",
            "Requires=data.mount",
            "Wants=a.service",
            "Wants=b.service",
            "Wants=network-online.target",
        ],
    );
    dry_run(&["--requires", "x y"]).status(2).stderr_contains("option `--requires` `x y`: contains ` `").run();
}

#[test]
fn a_file_of_variables() {
    has(&dry_run(&["--environment-file", "-/etc/default/web"]).run(), &["EnvironmentFile=-/etc/default/web"]);
    has(&dry_run(&["--environment-file", "/etc/passwd"]).run(), &["EnvironmentFile=/etc/passwd"]);
    dry_run(&["--environment-file", "/no/such"]).status(2).stderr_contains("there is no such file").run();
    dry_run(&["--environment-file", "web.env"]).status(2).stderr_contains("must be absolute").run();
}

#[test]
fn systemds_words_for_a_restart() {
    for word in ["on-success", "on-abnormal", "on-abort", "on-watchdog"] {
        has(&dry_run(&["--restart", word]).run(), &[&format!("Restart={word}"), "RestartSec=10"]);
    }
    let never = dry_run(&["--restart", "no"]).run();
    has(&never, &["Restart=no"]);
    assert!(!never.stdout.contains("RestartSec"), "{}", never.stdout);
}

#[test]
fn entries_of_systemd() {
    let ran = dry_run(&[
        "--property",
        "MemoryMax=1G",
        "--property",
        "Unit.OnFailure=alarm.service",
        "--property",
        "ExecStartPre=/bin/a",
        "--property",
        "ExecStartPre=/bin/b =c",
        "--property",
        "KillMode=mixed",
    ])
    .run();
    has(
        &ran,
        &["MemoryMax=1G", "OnFailure=alarm.service", "ExecStartPre=/bin/a", "ExecStartPre=/bin/b =c", "KillMode=mixed"],
    );
    assert!(!ran.stdout.contains("control-group") && !ran.stdout.contains("StartLimitIntervalSec"), "{}", ran.stdout);
    has(
        &ran,
        &["MemoryMax = \"1G\"", "ExecStartPre = [\"/bin/a\", \"/bin/b =c\"]", "\"Unit.OnFailure\" = \"alarm.service\""],
    );
    dry_run(&["--property", "MemoryMax"])
        .status(2)
        .stderr_contains(
            "option `--property` `MemoryMax`: must be `NAME=VALUE`\n  help: such as `--property MemoryMax=1G`",
        )
        .run();
    dry_run(&["--property", "MemroyMax=1G"]).status(2).stderr_contains("did you mean `MemoryMax`?").run();
}

#[test]
fn it_adds_to_the_table_of_a_manifest() {
    let manifest = "[[service]]\nname = 'web'\nexecutable = '/bin/true'\nworking_directory = '/'\n\
                    [service.systemd]\nMemoryMax = '1G'\nNice = 5\n";
    let ran = Test::install()
        .file("m.toml", manifest)
        .args(["--dry-run", "--manifest", "m.toml", "--property", "MemoryMax=2G"])
        .run();
    has(&ran, &["MemoryMax=2G", "Nice=5"]);
}

fn for_windows(options: &[&str]) -> Test {
    Test::install()
        .args(["--dry-run", "--target", "nssm", "--service_name", "web", "--working-directory", "C:\\x"])
        .args(options)
        .args(["--", "C:\\x\\web.exe"])
}

#[test]
fn of_windows() {
    let ran =
        for_windows(&["--after", "MSSQL$SQLEXPRESS", "--requires", "Tcpip.service", "--restart", "on-success"]).run();
    for call in
        ["set web DependOnService MSSQL$SQLEXPRESS Tcpip", "set web AppExit Default Exit", "set web AppExit 0 Restart"]
    {
        assert!(ran.stdout.contains(call), "{call}\n{}", ran.stdout);
    }
    let ran = for_windows(&["--property", "AppPriority=IDLE_PRIORITY_CLASS"]).run();
    assert!(ran.stdout.contains("set web AppPriority IDLE_PRIORITY_CLASS"), "{}", ran.stdout);
    // As Windows reads a command line, and not as a shell does.
    let ran = for_windows(&["--stop-command", r#"C:\nginx\nginx.exe -s "q uit" /PID:$MAINPID"#]).run();
    let words = r#"\"--stop-command\" \"4\" \"C:\nginx\nginx.exe\" \"-s\" \"q uit\" \"/PID:$MAINPID\" \"web\""#;
    assert!(ran.stdout.contains(words), "{words}\n{}", ran.stdout);
    for_windows(&["--stop-command", r"C:\x.exe", "--property", "AppKillProcessTree=0"])
        .status(2)
        .stderr_contains(
            "needs RunService for a stop command, which NSSM cannot carry: what its stop command does not end",
        )
        .run();
    for (options, said) in [
        (&["--before", "x"][..], "option `--before`: a service of Windows can only be started after others"),
        (&["--wants", "x"], "`--after SERVICE` or `--requires SERVICE` starts that one first"),
        (&["--restart", "on-abort"], "Windows has no signals, which this is about"),
        (&["--after", "a\\b"], "contains `\\\\`, which the name of a service of Windows must not"),
    ] {
        for_windows(options).status(2).stderr_contains(said).run();
    }
}

/// systemd would not load the unit.
#[test]
fn pairs_that_systemd_refuses() {
    let oneshot = dry_run(&["--property", "Type=oneshot"]).run();
    has(&oneshot, &["Type=oneshot", "Restart=no"]);
    assert!(oneshot.stderr.contains("`Type=oneshot` ends when it is done"), "{}", oneshot.stderr);
    has(&dry_run(&["--property", "Type=oneshot", "--restart", "on-failure"]).run(), &["Restart=on-failure"]);
    for word in ["always", "on-success"] {
        dry_run(&["--property", "Type=oneshot", "--restart", word])
            .status(2)
            .stderr_contains(
                "option `--restart`: `Type=oneshot` cannot be started again after it has ended without an error",
            )
            .run();
    }
    dry_run(&["--property", "Type=dbus"])
        .status(2)
        .stderr_contains("systemd directive `Type` `dbus`: needs `BusName`")
        .run();
    has(
        &dry_run(&["--property", "Type=dbus", "--property", "BusName=org.example.X"]).run(),
        &["BusName=org.example.X"],
    );
}

/// What a version leaves out again is refused for it, and taken for those before.
#[test]
fn what_a_later_systemd_leaves_out() {
    let of = |version: &str| dry_run(&["--property", "CPUAccounting=yes", "--assume", version]);
    has(&of("systemd=257").run(), &["CPUAccounting=yes"]);
    of("systemd=258")
        .status(2)
        .stderr_contains(
            "directive `CPUAccounting`: has no effect from systemd 258 on, and the unit is written for 258",
        )
        .run();
    has(
        &dry_run(&["--property", "ProtectHostname=private:web", "--assume", "systemd=258"]).run(),
        &["ProtectHostname=private:web"],
    );
    dry_run(&["--property", "ProtectHostname=private:web", "--assume", "systemd=257"])
        .status(2)
        .stderr_contains("it came with systemd 258, and the unit is written for 257")
        .run();
}

/// It leaves one of them out, or does not load the unit.
#[test]
fn pairs_of_which_one_would_count_for_nothing() {
    for (lines, said) in [
        (&["Type=oneshot", "ExitType=cgroup"][..], "`ExitType` `cgroup`: cannot be combined with `Type=oneshot`"),
        (
            &["Type=oneshot", "RuntimeMaxSec=1h"],
            "`RuntimeMaxSec` `1h`: has no effect with `Type=oneshot`\n  help: `TimeoutStartSec` limits",
        ),
        (&["PAMName=login", "KillMode=none"], "`KillMode` `none`: must be `control-group` or `mixed` with `PAMName`"),
        (
            &["RestartSteps=3"],
            "`RestartSteps` `3`: has no effect without `RestartMaxDelaySec`\n  \
             help: write `--property RestartMaxDelaySec=5min` beside it",
        ),
        (
            &["Unit.JobTimeoutSec=3", "Unit.JobRunningTimeoutSec=5"],
            "`JobRunningTimeoutSec` `5`: has no effect when it is",
        ),
    ] {
        let lines: Vec<&str> = lines.iter().flat_map(|line| ["--property", line]).collect();
        dry_run(&lines).status(2).stderr_contains(format!("error: systemd directive {said}")).run();
    }
    let oneshot = ["--property", "Type=oneshot", "--restart", "on-failure", "--assume"];
    dry_run(&[&oneshot[..], &["systemd=243"]].concat())
        .status(2)
        .stderr_contains(
            "option `--restart`: systemd 243 cannot restart a service of `Type=oneshot`; 244 and later can",
        )
        .run();
    dry_run(&[&oneshot[..], &["systemd=244"]].concat()).run();
    let forced = ["--property", "Type=oneshot", "--property", "RestartForceExitStatus=3"];
    dry_run(&[&forced[..], &["--assume", "systemd=255"]].concat())
        .status(2)
        .stderr_contains(
            "error: systemd directive `RestartForceExitStatus` `3`: cannot be combined with `Type=oneshot` before systemd \
             256, and the unit is written for 255\n",
        )
        .run();
    has(&dry_run(&forced).run(), &["RestartForceExitStatus=3"]);
    for lines in [["Type=oneshot", "RuntimeMaxSec=infinity"], ["RestartSteps=3", "RestartMaxDelaySec=5min"]] {
        dry_run(&["--property", lines[0], "--property", lines[1]]).run();
    }
}

/// systemd leaves out what it cannot read, or does not load the unit.
#[test]
fn values_that_systemd_would_ignore() {
    for property in [
        "CPUQuota=80",
        "MemoryMax=1GB",
        "StandardOutput=/var/log/x.log",
        "EnvironmentFile=.env",
        "DeviceAllow=ttyUSB0",
        "KillSignal=SIGNOTHING",
        "SuccessExitStatus=300",
        "SystemCallFilter=@nothing",
        "Slice=lab",
        "LimitNOFILE=many",
        "AmbientCapabilities=CAP_FLY",
        "RestrictNamespaces=maybe",
        "ExecStartPre=./run",
        "StateDirectory=/var/lib/x",
        "CPUAffinity=one",
        "SyslogLevel=loud",
        "Install.WantedBy=multi-user",
        "Unit.Documentation=example.org",
    ] {
        let (name, value) = property.split_once('=').unwrap();
        let ran = dry_run(&["--property", property]).status(2).run();
        assert!(ran.stderr.contains(&format!("systemd directive `{name}`: `{value}` must be")), "{}", ran.stderr);
    }
}
