//! A fleet: the role that `--layout ansible` writes, applied by the real `ansible-playbook` to three hosts
//! of our own (`tests/beds/systemd.sh`).
//!
//! `tests/run fleet` sets `ANSIBLE_PLAYBOOK`. What the page says of Puppet and Salt is in modules of their own. The hosts are reached by `tests/fleet/connection_plugins/bed.py`,
//! which enters a bed's namespaces; everything else is Ansible's own.
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod page;
mod puppet;
mod salt;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::host::{BED, Host};
use support::{Ran, Test};

const PLUGINS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fleet/connection_plugins");

/// The hosts, a role in a folder, and what was given to `ansible-playbook` last.
struct Fleet {
    hosts: Vec<Host>,
    ran: Ran,
}

/// What Ansible did on one host.
#[derive(Debug, PartialEq)]
struct Stats {
    changed: u64,
    failed: u64,
}

struct Played {
    stats: BTreeMap<String, Stats>,
    /// The names of the tasks that changed something, with the host and the item.
    changes: Vec<(String, String, String)>,
    text: String,
}

impl Played {
    #[track_caller]
    fn every(&self, changed: impl Fn(u64) -> bool) -> &Self {
        assert_eq!(self.stats.len(), 3, "{}", self.text);
        self.played(changed)
    }

    /// The same of the hosts that it was limited to.
    #[track_caller]
    fn played(&self, changed: impl Fn(u64) -> bool) -> &Self {
        assert!(!self.stats.is_empty(), "{}", self.text);
        for (host, stats) in &self.stats {
            assert!(changed(stats.changed) && stats.failed == 0, "{host}: {stats:?}\n{}", self.text);
        }
        self
    }

    /// The items for which a task changed something on a host.
    fn changed_by(&self, task: &str, host: &str) -> Vec<&str> {
        let it = |(name, of, _): &&(String, String, String)| name == task && of == host;
        self.changes.iter().filter(it).map(|(.., item)| item.as_str()).collect()
    }
}

const SECRET: &str = "pa\"ss\\w`or$d {{ 1 + 1 }} 'é'";

/// Three services: one with a secret, one Python program, one that is started by a launcher.
fn manifest(word: &str) -> String {
    format!(
        r#"
        [defaults]
        working_directory = "/srv"
        restart_sec = 1
        [[service]]
        name = "yes"
        executable = "/bin/sleep"
        arguments = ["1000"]
        [[service]]
        name = "fleet-secret"
        executable = {probe:?}
        arguments = ["{word}", "{{{{ 1 + 1 }}}}", "a\nb"]
        secrets = ["TOKEN", "NO"]
        [[service]]
        name = "fleet-launched"
        executable = {probe:?}
        environment = {{ ODD = {{ hex = "ff" }} }}
        "#,
        probe = support::probe::path(),
    )
}

impl Fleet {
    /// So many hosts, and the role of a manifest.
    fn new(hosts: u32, manifest: &str) -> Self {
        let mut hosts: Vec<Host> = (0..hosts).map(|_| Host::boot(&[])).collect();
        hosts.iter_mut().for_each(Host::wait);
        let inventory: String = hosts.iter().map(|host| format!("{}\n", host.name)).collect();
        let playbook = "- hosts: all\n  gather_facts: false\n  roles: [install_service]\n";
        let test = Test::install().file("inventory", inventory).file("play.yml", playbook);
        let test = test.file("values.yml", values(SECRET));
        Self { hosts, ran: export(test, manifest).run() }
    }

    fn export(&mut self, manifest: &str) {
        self.ran = export(self.ran.then_install(), manifest).run();
    }

    /// Runs the play on one host.
    fn play_on(&self, number: usize, arguments: &[&str]) -> Played {
        self.play(&[&["--limit", &self.hosts[number].name], arguments].concat())
    }

    /// Runs the play with these further arguments.
    fn play(&self, arguments: &[&str]) -> Played {
        let folder = self.ran.folder();
        let program = std::env::var_os("ANSIBLE_PLAYBOOK").expect("ANSIBLE_PLAYBOOK: tests/run fleet sets it");
        let run = |callback: &str| {
            let mut command = Command::new(&program);
            command
                .args(["--inventory", "inventory", "--connection", "bed", "--extra-vars", "@values.yml"])
                .args(["--extra-vars", "ansible_python_interpreter=/usr/bin/python3", "play.yml"])
                .args(arguments)
                .current_dir(folder)
                .env("INSTALLSERVICE_BED", BED)
                .env("ANSIBLE_CONNECTION_PLUGINS", PLUGINS)
                .env("ANSIBLE_STDOUT_CALLBACK", callback)
                .env("ANSIBLE_HOME", folder.join("home/.ansible"))
                .env("ANSIBLE_LOCALHOST_WARNING", "false")
                .env("ANSIBLE_PIPELINING", "true")
                .env("LC_ALL", "C.UTF-8")
                .stdin(Stdio::null());
            command.output().expect("ansible-playbook")
        };
        let output = run("default");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let plain = strip(&text);
        assert!(!plain.contains("pa\"ss") && !plain.contains("or$d"), "a secret is shown:\n{plain}");
        Played { stats: stats(&plain), changes: changes(&plain), text: plain }
    }
}

/// Text without colours.
fn strip(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// The numbers of the recap.
fn stats(text: &str) -> BTreeMap<String, Stats> {
    let recap = text.split("PLAY RECAP").nth(1).unwrap_or_default();
    let number = |line: &str, key: &str| {
        let rest = line.split(&format!("{key}=")).nth(1).unwrap_or_default();
        rest.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or(99)
    };
    let lines = recap.lines().filter(|line| line.contains("changed="));
    lines
        .map(|line| {
            let host = line.split_whitespace().next().unwrap_or_default().to_owned();
            (
                host,
                Stats {
                    changed: number(line, "changed"),
                    failed: number(line, "failed") + number(line, "unreachable"),
                },
            )
        })
        .collect()
}

/// Task, host and item of every `changed: [HOST] => (item=ITEM)`.
fn changes(text: &str) -> Vec<(String, String, String)> {
    let (mut task, mut found) = (String::new(), Vec::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("TASK [").or_else(|| line.strip_prefix("RUNNING HANDLER [")) {
            task = rest.split(']').next().unwrap_or_default().rsplit(" : ").next().unwrap_or_default().to_owned();
        } else if let Some(rest) = line.strip_prefix("changed: [") {
            let (host, rest) = rest.split_once(']').unwrap_or_default();
            let item = rest.split_once("(item=").map(|(_, item)| item.trim_end_matches(')').trim()).unwrap_or_default();
            found.push((task.clone(), host.to_owned(), item.to_owned()));
        }
    }
    found
}

/// The variables of the secrets.
fn values(token: &str) -> String {
    format!("install_service_secrets: {{fleet-secret: {{TOKEN: !unsafe {token:?}, 'NO': 'two\n\n lines'}}}}\n")
}

fn export(test: Test, manifest: &str) -> Test {
    test.file("services.toml", manifest).env("INSTALLSERVICE_WORKING_DIR", "").args([
        "--manifest",
        "services.toml",
        "--output",
        "roles/install_service",
        "--layout",
        "ansible",
    ])
}

const START: &[&str] = &["--extra-vars", "install_service_start=true install_service_restart=true"];
const UNITS: [&str; 3] = ["fleet-secret.service", "yes.service", "fleet-launched.service"];

#[test]
#[ignore = "needs root, three booted systemds and Ansible: tests/run fleet"]
fn a_fleet_is_brought_up_kept_and_put_right() {
    let mut fleet = Fleet::new(3, &manifest("one"));

    // A check changes nothing, says what would, and does not fail for what is not there yet.
    let checked = fleet.play_on(0, &[START, &["--check", "--diff"]].concat());
    checked.played(|changed| changed > 0);
    assert!(checked.text.contains("+++ ") && checked.text.contains("+[Service]"), "{}", checked.text);
    let files = "ls /etc/systemd/system /var/lib/install-service 2>/dev/null | grep -c fleet || true";
    assert_eq!(fleet.hosts[0].sh(files), "0\n");

    // The first run brings all of them up; without being asked for, nothing is started.
    fleet.play(&[]).every(|changed| changed > 0);
    for host in &fleet.hosts {
        assert_eq!(host.sh("systemctl is-active yes.service || true"), "inactive\n");
        assert_eq!(host.sh("systemctl is-enabled yes.service fleet-secret.service"), "enabled\nenabled\n");
    }
    fleet.play(START).every(|changed| changed == 1);

    // What was exported is there byte by byte, and the secret reaches the program.
    for host in &fleet.hosts {
        for unit in UNITS {
            assert_eq!(host.sh(&format!("systemctl is-active {unit}")), "active\n");
            let exported = fleet.ran.folder().join("roles/install_service/files/etc/systemd/system").join(unit);
            let there = host.sh(&format!("cat /etc/systemd/system/{unit}"));
            assert_eq!(there, fs::read_to_string(exported).unwrap());
        }
        assert_eq!(host.sh("stat -c '%a %U' /var/lib/install-service/fleet-secret_env_vars.txt"), "600 root\n");
        let pid = host.pid("fleet-secret.service");
        let environment = host.sh(&format!("tr '\\0' '\\1' < /proc/{}/environ", pid.trim()));
        let variables: Vec<&str> = environment.split('\u{1}').collect();
        assert!(variables.contains(&format!("TOKEN={SECRET}").as_str()), "{variables:?}");
        assert!(variables.contains(&"NO=two\nlines"), "{variables:?}");
        let argv = host.sh(&format!("tr '\\0' '|' < /proc/{}/cmdline", pid.trim()));
        assert!(argv.ends_with("|one|{{ 1 + 1 }}|a\nb|"), "{argv}");
        // What ManageService makes of it: nothing differs.
        let manage = env!("CARGO_BIN_EXE_ManageService");
        host.sh(&format!("{manage} fleet-secret diff && {manage} yes diff && {manage} fleet-launched diff"));
    }

    // The second run changes nothing.
    fleet.play(START).every(|changed| changed == 0);

    // A changed argument restarts that service alone, and only if that is asked for.
    let before: Vec<_> = fleet.hosts.iter().map(|host| UNITS.map(|unit| host.pid(unit))).collect();
    fleet.export(&manifest("two"));
    let quiet = fleet.play_on(0, &[]);
    assert_eq!(quiet.text.matches("RUNNING HANDLER [install_service : Reload systemd]").count(), 1, "{}", quiet.text);
    for (host, before) in fleet.hosts.iter().zip(&before).take(1) {
        assert_eq!(quiet.changed_by("Write the units", &host.name), ["/etc/systemd/system/fleet-secret.service"]);
        assert_eq!(UNITS.map(|unit| host.pid(unit)), *before, "nothing is restarted");
        assert_eq!(host.sh("systemctl show --value -p NeedDaemonReload fleet-secret.service"), "no\n");
    }
    fleet.export(&manifest("three"));
    let played = fleet.play(START);
    for (host, before) in fleet.hosts.iter().zip(&before) {
        let restarted = played.changed_by("Restart what runs and has changed", &host.name);
        assert_eq!(restarted, ["fleet-secret.service"], "{}", played.text);
        let now = UNITS.map(|unit| host.pid(unit));
        assert!(now[0] != before[0] && now[1..] == before[1..], "{now:?} {before:?}");
        assert!(host.sh(&format!("tr '\\0' '|' < /proc/{}/cmdline", now[0].trim())).contains("|three|"));
    }

    // A host that was tampered with is put right; the others are left alone.
    fleet.hosts[1].sh(
        "echo '# edited' >> /etc/systemd/system/yes.service; systemctl disable -q fleet-launched.service; \
         chmod 0666 /var/lib/install-service/fleet-secret_env_vars.txt; echo X=1 >> /var/lib/install-service/fleet-secret_env_vars.txt; \
         rm /var/lib/install-service/fleet-launched_launch.sh; systemctl stop fleet-secret.service; systemctl daemon-reload",
    );
    let differs = fleet.play_on(1, &[START, &["--check", "--diff"]].concat());
    assert!(differs.text.contains("-# edited"), "{}", differs.text);
    let mended = fleet.play(START);
    for (number, host) in fleet.hosts.iter().enumerate() {
        assert_eq!(mended.stats[&host.name].changed > 0, number == 1, "{}", mended.text);
        assert_eq!(host.sh("systemctl is-active yes fleet-secret fleet-launched"), "active\nactive\nactive\n");
        let manage = env!("CARGO_BIN_EXE_ManageService");
        host.sh(&format!("{manage} fleet-secret diff && {manage} yes diff && {manage} fleet-launched diff"));
        assert_eq!(host.sh("stat -c '%a' /var/lib/install-service/fleet-secret_env_vars.txt"), "600\n");
    }
    fleet.play_on(1, &[START, &["--check", "--diff"]].concat()).played(|changed| changed == 0);

    // Another secret restarts what reads it; what is no longer listed goes, if that is asked for.
    let manifest =
        manifest("three").replace("[[service]]\n        name = \"yes\"", "[[service]]\n        name = \"new\"");
    fleet.export(&manifest);
    fs::write(fleet.ran.folder().join("values.yml"), values("pa\"ss another")).unwrap();
    let prune = [START, &["--extra-vars", "install_service_prune=true"]].concat();
    let host = &fleet.hosts[0];
    // (One of the others does not run, which is no reason to leave this one alone.)
    let before = UNITS.map(|unit| host.pid(unit));
    let shown = fleet.play_on(0, &[&prune[..], &["--check"]].concat());
    assert_eq!(shown.changed_by("Stop what is no longer listed", &host.name), ["yes"], "{}", shown.text);
    assert_eq!(host.sh("systemctl is-active yes.service"), "active\n");
    let pruned = fleet.play_on(0, &prune);
    assert_eq!(
        pruned.changed_by("Restart what runs and has changed", &host.name),
        ["fleet-secret.service"],
        "{}",
        pruned.text
    );
    let environment = host.sh("tr '\\0' '\\1' < /proc/$(systemctl show --value -p MainPID fleet-secret)/environ");
    assert!(environment.split('\u{1}').any(|variable| variable == "TOKEN=pa\"ss another"), "{environment}");
    assert_eq!(host.pid(UNITS[2]), before[2]);
    assert_eq!(
        host.sh("systemctl is-active new.service; systemctl show --value -p LoadState yes.service"),
        "active\nnot-found\n"
    );
    host.sh("test ! -e /etc/systemd/system/multi-user.target.wants/yes.service");
    fleet.play_on(0, &prune).played(|changed| changed == 0);
    // As after `remove`.
    host.sh(&format!("{} yes reinstall", env!("CARGO_BIN_EXE_ManageService")));

    // A secret that nobody gave, and a unit of somebody else, stop the play before anything is written.
    let missing = fleet.play_on(1, &["--extra-vars", "install_service_secrets={}"]);
    assert!(missing.stats.values().all(|stats| stats.failed == 1 && stats.changed == 0), "{}", missing.text);
    assert!(missing.text.contains("needs install_service_secrets.fleet-secret.TOKEN"), "{}", missing.text);
    fleet.hosts[2].sh("echo '[Service]' > /etc/systemd/system/new.service");
    let foreign = fleet.play_on(2, START);
    assert_eq!(foreign.stats[&fleet.hosts[2].name].failed, 1, "{}", foreign.text);
    assert_eq!(fleet.hosts[2].sh("cat /etc/systemd/system/new.service"), "[Service]\n");
}

/// A job with or without its schedule, and where `others` are listed, a Python program and a template.
fn jobs(schedule: &str, others: bool) -> String {
    let others = if others {
        r#"
        [[service]]
        name = "fleet-python"
        python = "http.server:test"
        interpreter = "/usr/bin/python3"
        [[service]]
        name = "fleet-timed"
        executable = "/bin/true"
        schedule = "weekly"
        [[service]]
        name = "fleet-relay@"
        command = ["/bin/sleep 100%i"]
        "#
    } else {
        ""
    };
    format!(
        r#"
        [defaults]
        working_directory = "/srv"
        [[service]]
        name = "fleet-job"
        executable = "/bin/sleep"
        arguments = ["1000"]
        {schedule}
        {others}
        "#
    )
}

#[test]
#[ignore = "needs root, a booted systemd and Ansible: tests/run fleet"]
fn what_a_service_no_longer_has_goes_with_what_it_did() {
    let mut fleet = Fleet::new(1, &jobs("schedule = \"daily\"", true));
    let manage = env!("CARGO_BIN_EXE_ManageService");
    let of_us = "cd /etc/systemd/system; ls -d fleet-* */fleet-* /var/lib/install-service/fleet-* | sort";

    // A template is installed, and neither started nor looked for in vain.
    fleet.play(&[START, &["--check"]].concat()).played(|changed| changed > 0);
    fleet.play(START).played(|changed| changed > 0);
    fleet.play(START).played(|changed| changed == 0);
    let host = &fleet.hosts[0];
    assert_eq!(host.sh("systemctl is-active fleet-job.timer fleet-timed.timer"), "active\nactive\n");
    host.sh("systemctl start fleet-relay@1 && systemctl enable --quiet fleet-relay@1");
    host.sh(&format!("{manage} fleet-job diff && {manage} fleet-relay@ diff && {manage} fleet-python diff"));
    assert!(host.sh(of_us).contains("fleet-python_stop.sh"));

    // A service that has lost its schedule has no timer any more, and runs all the time.
    fleet.export(&jobs("", true));
    let shown = fleet.play(&[START, &["--check"]].concat());
    let host = &fleet.hosts[0];
    assert_eq!(shown.changed_by("Stop timers that are no longer listed", &host.name), ["fleet-job"], "{}", shown.text);
    assert_eq!(host.sh("systemctl is-active fleet-job.timer"), "active\n", "a check changes nothing");
    fleet.play(START).played(|changed| changed > 0);
    let states = "systemctl is-active fleet-job.service; systemctl is-enabled fleet-job.service; \
                  systemctl show --value -p LoadState -p ActiveState fleet-job.timer";
    assert_eq!(host.sh(states), "active\nenabled\nnot-found\ninactive\n");
    host.sh(&format!("test ! -e /etc/systemd/system/fleet-job.timer && {manage} fleet-job diff"));
    assert_eq!(host.sh("systemctl is-active fleet-timed.timer"), "active\n", "that of another service stays");
    fleet.play(START).played(|changed| changed == 0);

    // And one that has a schedule again is started by its timer alone.
    fleet.export(&jobs("schedule = \"daily\"", true));
    fleet.play(START).played(|changed| changed > 0);
    let host = &fleet.hosts[0];
    host.sh(&format!(
        "test ! -e /etc/systemd/system/multi-user.target.wants/fleet-job.service; {manage} fleet-job diff"
    ));
    fleet.play(START).played(|changed| changed == 0);

    // What is no longer listed leaves its receipt alone.
    fleet.export(&jobs("schedule = \"daily\"", false));
    let prune = [START, &["--extra-vars", "install_service_prune=true"]].concat();
    fleet.play(&[&prune[..], &["--check"]].concat()).played(|changed| changed > 0);
    fleet.play(&prune).played(|changed| changed > 0);
    let host = &fleet.hosts[0];
    let left: Vec<String> =
        host.sh(of_us).lines().filter(|line| !line.contains("fleet-job")).map(str::to_owned).collect();
    let receipts = ["fleet-python", "fleet-relay@", "fleet-timed"];
    assert_eq!(left, receipts.map(|name| format!("/var/lib/install-service/{name}_install_args.toml")));
    assert_eq!(host.sh("systemctl list-units --all --plain --no-legend 'fleet-[prt]*'"), "");
    fleet.play(&prune).played(|changed| changed == 0);

    // A timer of somebody else stops the play before anything is written.
    host.sh("systemctl disable --now --quiet fleet-job.timer && echo '[Timer]' > /etc/systemd/system/fleet-job.timer");
    let foreign = fleet.play(START);
    assert_eq!(foreign.stats[&fleet.hosts[0].name].failed, 1, "{}", foreign.text);
    assert_eq!(fleet.hosts[0].sh("cat /etc/systemd/system/fleet-job.timer"), "[Timer]\n");
}

/// Ansible itself reads the role for Windows; its modules are in the collection ansible.windows.
#[test]
#[ignore = "needs Ansible: tests/run fleet"]
fn the_role_for_windows_is_read() {
    let manifest = "[[service]]\nname = \"yes\"\npython = \"lab.watch:main\"\ninterpreter = 'C:\\py\\python.exe'\n\
                    working_directory = 'C:\\lab'\nsecrets = [\"TOKEN\"]\n";
    let ran = Test::install()
        .file("services.toml", manifest)
        .args(["--manifest", "services.toml", "--target", "nssm", "--output", "role", "--layout", "ansible"])
        .run();
    let python =
        Path::new(&std::env::var_os("ANSIBLE_PLAYBOOK").expect("tests/run fleet sets it")).with_file_name("python");
    let read = "import json, yaml, sys\n\
                yaml.SafeLoader.add_constructor('!unsafe', lambda loader, node: loader.construct_scalar(node))\n\
                print(json.dumps([yaml.safe_load(open(name, encoding='utf-8')) for name in sys.argv[1:]]))";
    let files =
        ["vars/main.yml", "tasks/main.yml", "defaults/main.yml"].map(|path| ran.folder().join("role").join(path));
    let output = Command::new(python).args(["-c", read]).args(&files).output().expect("Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let documents: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let service = &documents[0]["install_service_services"][0];
    assert_eq!(service["service"], "yes");
    assert_eq!(service["batch"], r"C:\ProgramData\InstallService\ansible\install-yes.cmd");
    // No module but those of ansible-core and of ansible.windows.
    for task in documents[1].as_array().expect("tasks") {
        let modules: Vec<&String> = task.as_object().expect("a task").keys().filter(|key| key.contains('.')).collect();
        let [module] = modules[..] else { panic!("{task}") };
        assert!(module.starts_with("ansible.windows.") || module.starts_with("ansible.builtin."), "{module}");
    }
    for file in documents[0]["install_service_files"].as_array().expect("files") {
        let source = ran.folder().join("role/files").join(file["src"].as_str().expect("a path"));
        assert!(source.exists(), "{}", source.display());
    }
}
