//! What a service says in systemd's own words: commands, and units without a line of ours.

use crate::support::{Ran, Test};

fn preview(manifest: &str) -> Test {
    Test::install().file("m.toml", manifest).args(["--dry-run", "--target", "systemd", "--manifest", "m.toml"])
}

/// The lines of the unit in a preview, but for its head.
fn unit(ran: &Ran) -> Vec<&str> {
    let behind = ran.stdout.split("web.service  (mode 0644)\n").nth(1).expect(&ran.stdout);
    let lines = behind.lines().take_while(|line| line.starts_with("    ") || line.is_empty());
    lines.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn plain(rest: &str) -> Ran {
    preview(&format!("[[service]]\nname = 'web'\nplain = true\n{rest}")).run()
}

#[test]
fn a_plain_unit_has_what_is_said_and_nothing_else() {
    assert_eq!(unit(&plain("executable = '/bin/true'\n")), ["[Unit]", "[Service]", "ExecStart=:\"/bin/true\""]);
    assert_eq!(unit(&plain("command = ['/bin/a $B']\n")), ["[Unit]", "[Service]", "ExecStart=/bin/a $B"]);
    let said = "command = ['/bin/a']\ndescription = 'A'\nnetwork = true\nrestart = 'on-failure'\nrestart_sec = 3\n\
                stop_timeout = 9\naccount = 'daemon'\nworking_directory = '/'\nat_boot = true\nafter = ['x.target']\n\
                environment = { A = '1' }\nsystemd = { KillMode = 'mixed' }\n";
    let lines = [
        "[Unit]",
        "Description=A",
        "Wants=network-online.target",
        "After=network-online.target remote-fs.target",
        "After=x.target",
        "[Service]",
        "User=daemon",
        "WorkingDirectory=/",
        "Environment=\"A=1\"",
        "ExecStart=/bin/a",
        "Restart=on-failure",
        "RestartSec=3",
        "TimeoutStopSec=9",
        "KillMode=mixed",
        "[Install]",
        "WantedBy=multi-user.target",
    ];
    assert_eq!(unit(&plain(said)), lines);
}

#[test]
fn a_plain_unit_can_say_all_in_the_words_of_systemd() {
    let said = "command = ['-/bin/a', '/bin/b']\n[service.systemd]\nUser = '%i'\nWorkingDirectory = '~'\n\
                \"Unit.Description\" = 'Of %i'\nRestart = 'no'\nEnvironment = 'A=%h \"B=c d\"'\nType = 'oneshot'\n\
                \"Install.WantedBy\" = 'graphical.target'\n";
    let ran = plain(said);
    for line in ["User=%i", "WorkingDirectory=~", "Description=Of %i", "ExecStart=-/bin/a", "ExecStart=/bin/b"] {
        assert!(unit(&ran).contains(&line), "{line}\n{}", ran.stdout);
    }
    assert!(ran.stdout.contains("systemctl enable web.service"), "{}", ran.stdout);
}

#[test]
fn what_nothing_starts_at_boot_is_not_enabled() {
    for said in ["", "at_boot = false\n", "systemd = { 'Install.WantedBy' = '' }\n"] {
        let ran = plain(&format!("command = ['/bin/a']\n{said}"));
        assert!(!ran.stdout.contains("systemctl enable"), "{said}\n{}", ran.stdout);
    }
    let ran =
        preview("[[service]]\nname = 'web'\nexecutable = '/bin/true'\nsystemd = { 'Install.WantedBy' = '' }\n").run();
    assert!(ran.stdout.contains("systemctl daemon-reload") && !ran.stdout.contains("enable"), "{}", ran.stdout);
}

#[test]
fn a_profile_of_a_plain_unit_leaves_the_whole_file_system_closed() {
    let ran = plain("executable = '/bin/true'\nhardening = 'strict'\n");
    assert!(unit(&ran).contains(&"ProtectSystem=strict"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("ReadWritePaths=\"-/\""), "{}", ran.stdout);
}

#[test]
fn a_plain_unit_is_asked_to_stop_as_it_says() {
    let ran = plain("executable = '/bin/sleep'\narguments = ['9']\nstop_command = ['/bin/kill', '$MAINPID']\n");
    let stops: Vec<&str> = unit(&ran).into_iter().filter(|line| line.starts_with("ExecStop")).collect();
    assert_eq!(stops, ["ExecStop=\"/bin/kill\" \"${MAINPID}\""]);
}

/// Two backslashes stand for one, and continue no line.
#[test]
fn no_value_reaches_into_the_next_line() {
    for key in ["command = ['''/bin/sleep 5 ", "systemd = { ExecStop = '''/bin/sleep 5 "] {
        let end = if key.starts_with("command") { "''']" } else { "''' }\nexecutable = '/bin/true'" };
        preview(&format!("[[service]]\nname = 'web'\n{key}\\\\\nUser=nobody{end}\n"))
            .status(2)
            .stderr_contains("must be one line of plain text that does not end in a backslash")
            .run();
    }
    let ran = plain("command = ['''/bin/echo a\\\\''']\n");
    assert!(unit(&ran).contains(&r"ExecStart=/bin/echo a\\"), "{}", ran.stdout);
}

#[test]
fn one_thing_is_said_in_one_place() {
    for (said, key) in [
        ("account = 'daemon'\nsystemd = { User = 'x' }", "User"),
        ("restart = 'no'\nsystemd = { Restart = 'no' }", "Restart"),
        ("at_boot = true\nsystemd = { 'Install.WantedBy' = 'x.target' }", "WantedBy"),
        ("network = true\nsystemd = { 'Unit.After' = 'x.target' }", "After"),
    ] {
        preview(&format!("[[service]]\nname = 'web'\nplain = true\ncommand = ['/bin/a']\n{said}\n"))
            .status(2)
            .stderr_contains(format!("systemd directive `{key}`: the key `"))
            .run();
    }
    preview("[[service]]\nname = 'web'\ncommand = ['/bin/a']\nsystemd = { User = 'x' }\n")
        .status(2)
        .stderr_contains("systemd directive `User`: this has a key of its own")
        .run();
    preview("[[service]]\nname = 'web'\nplain = true\nexecutable = '/bin/true'\nsystemd = { ExecStart = '/bin/b' }\n")
        .status(2)
        .stderr_contains("help: write `command = ...`")
        .run();
}

#[test]
fn commands_are_checked_as_systemd_reads_them() {
    for (command, said) in [
        ("[\"/bin/a 'b\"]", "`'b` must have a second `'`, which ends what the first begins"),
        ("['bin/a']", "`bin/a` must be a program by its absolute path, and its arguments"),
        ("['/bin/a/']", "`/bin/a/` must be a program by its absolute path, and its arguments"),
        ("['/bin/a', '--port']", "`-port` must be the name of a program; each entry is a whole command line"),
        ("['/bin/a %Z']", "`%Z` is nothing that systemd fills in; `%%` is a single `%`"),
        ("['@/bin/a']", "`@/bin/a` must have a second word, which the program is called by"),
        ("['']", "must not be empty"),
        ("['/bin/a', '/bin/b']", "only a service of `Type=oneshot` runs several commands"),
        ("[\"/bin/a \\\\\\n # b\"]", "`# b` would be a comment there"),
    ] {
        preview(&format!("[[service]]\nname = 'web'\ncommand = {command}\n"))
            .status(2)
            .stderr_contains(format!("key `command`: {said}"))
            .run();
    }
}

#[test]
fn what_goes_with_a_command_of_systemd_and_what_does_not() {
    let web = |rest: &str| preview(&format!("[[service]]\nname = 'web'\ncommand = ['/bin/a']\n{rest}\n"));
    web("executable = '/bin/b'").status(2).stderr_contains("runs one of `program`, `python`, `executable`").run();
    web("arguments = ['b']").status(2).stderr_contains("each entry of `command` is a whole command line").run();
    web("account = 'daemon'\nenvironment = { LD_PRELOAD = 'x' }")
        .status(2)
        .stderr_contains("environment variable `LD_PRELOAD`")
        .run();
    let windows = web("").args(["--target", "nssm"]).status(2);
    windows.stderr_contains("`executable` and `arguments` say what runs on either system").run();
}

/// What every service of NSSM has, and what is asked for.
#[test]
fn a_plain_service_of_nssm_has_what_is_said() {
    let test = Test::install().args(["--dry-run", "--target", "nssm", "--plain", "--service_name", "web"]);
    let said =
        ["--restart-sec", "3", "--property", "AppPriority=IDLE_PRIORITY_CLASS", "--property", "AppParameters=-x %A%"];
    let ran = test.args(said).args(["--", r"C:\app\web.exe"]).run();
    let set = |line: &str| line.split(" web App").nth(1).map(str::to_owned);
    let lines: Vec<String> = ran.stdout.lines().filter(|line| line.contains("nssm.exe")).filter_map(set).collect();
    let expected = [
        r"lication C:\app\web.exe",
        r#"Parameters "-x %A%""#,
        r"Directory C:\app",
        "Exit Default Restart",
        "RestartDelay 3000",
        "Priority IDLE_PRIORITY_CLASS",
    ];
    assert_eq!(lines, expected, "{}", ran.stdout);
    assert!(!ran.stdout.contains("RunService"), "{}", ran.stdout);
}

/// A receipt that is read again says the same.
#[test]
fn a_plain_service_stays_as_it_is_when_it_is_installed_again() {
    let ran = plain("command = ['/bin/a']\n");
    let receipt = ran.stdout.split("web_service.toml").nth(1).unwrap_or(&ran.stdout);
    for line in ["plain = true", "command = [\"/bin/a\"]"] {
        assert!(receipt.contains(line), "{receipt}");
    }
    assert!(!receipt.contains("working_directory"), "{receipt}");
}
