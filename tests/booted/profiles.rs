//! What each profile of hardening takes away: the table of docs/hardening.md is held against what the commands in it do
//! as services.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::support::booted::{folder_of, named};
use crate::support::{checkout, difference, system, wait_for};

const PROFILES: [&str; 4] = ["none", "baseline", "service", "strict"];

/// Runs `0.sh`, `1.sh` and so on, and writes how each ended.
const ALL: &str = r#"#!/bin/sh
rm -f done results
for number in $(seq 0 "$1"); do
    if timeout 60 sh "$number.sh" > /dev/null; then echo yes; else echo no; fi
done > results
touch done
[ "$2" = shell ] || exec sleep infinity
"#;

/// A row of the table.
struct Row {
    /// What comes before the answers, with the bar behind it.
    start: String,
    command: String,
    answers: Vec<String>,
}

fn rows() -> Vec<Row> {
    let document = fs::read_to_string(checkout().join("docs/hardening.md")).unwrap();
    let lines = document.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let rows = lines.take_while(|line| line.starts_with('|')).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [what, command, answers @ ..] = &cells[..] else { panic!("{line}") };
        assert_eq!(answers.len(), PROFILES.len(), "{line}");
        Row {
            start: format!("| {what} | {command} |"),
            command: command.trim_matches('`').to_owned(),
            answers: answers.iter().map(|&answer| answer.to_owned()).collect(),
        }
    });
    rows.collect()
}

/// What the commands find: a folder for each account, with their scripts and what these need.
fn set_the_scene(folder: &Path, rows: &[Row]) {
    fs::write(folder.join("all.sh"), ALL).unwrap();
    fs::set_permissions(folder.join("all.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    for (number, row) in rows.iter().enumerate() {
        // A capability is asked of systemd.
        let script = if row.command.starts_with("CAP_") { "false" } else { &row.command };
        fs::write(folder.join(format!("{number}.sh")), format!("{script}\n")).unwrap();
    }
    let tiny = checkout().join("fixtures/behaviour/program_of_32_bits/tiny.s");
    let script = format!(
        "as --32 -o tiny.o '{}' && ld -m elf_i386 -o of-32-bits tiny.o
        cp /bin/ping ping && setcap cap_net_raw+ep ping
        cp /bin/true setgid && chmod 2755 setgid && tar -cf setgid.tar setgid && rm setgid
        [ -e /dev/lab0 ] || mknod -m 666 /dev/lab0 c 1 5
        mkdir -p -m 1777 /srv/elsewhere && rm -f /srv/elsewhere/file
        echo text > /srv/elsewhere/of-another && chown daemon /srv/elsewhere/of-another && chmod 600 /srv/elsewhere/of-another
        touch jobs
        echo text > /tmp/of-another-program",
        tiny.display(),
    );
    system("sh", &["-euc", &format!("cd '{}'; {script}", folder.display())]);
}

/// The answers, one for each row.
fn answers(folder: &Path) -> Vec<bool> {
    let results = fs::read_to_string(folder.join("results")).unwrap();
    results.lines().map(|answer| answer == "yes").collect()
}

/// What the login of an account can do.
fn in_a_shell(account: &str, rows: &[Row]) -> Vec<bool> {
    let folder = folder_of(account, "/srv/profiles");
    set_the_scene(&folder, rows);
    let script = format!("cd /srv/profiles && ./all.sh {} shell", rows.len() - 1);
    system("su", &["--login", "--command", &script, "--", account]);
    answers(&folder)
}

/// What a service of the account can do under a profile.
fn as_a_service(account: &str, profile: &str, rows: &[Row]) -> Vec<bool> {
    let service = named("profiles");
    let folder = folder_of(account, "/srv/profiles");
    set_the_scene(&folder, rows);
    let install = service.install().args(["--hardening", profile, "--working-directory", "/srv/profiles"]);
    let install = if account == "root" { install } else { install.args(["--account", account]) };
    let ran = install.args(["--start", "--", "/srv/profiles/all.sh", &(rows.len() - 1).to_string(), "service"]).run();
    wait_for("all commands to be through", 60, || folder.join("done").exists().then_some(()));
    let capabilities = service.property("CapabilityBoundingSet").to_uppercase();
    service.manage(&ran, "stop").run();
    service.manage(&ran, "remove").run();
    let has = |row: &Row| account == "root" && capabilities.split(' ').any(|name| name == row.command);
    rows.iter().zip(answers(&folder)).map(|(row, answer)| answer || has(row)).collect()
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn each_profile_takes_away_what_the_table_says() {
    let rows = rows();
    let mut found = BTreeMap::new();
    for account in ["root", "joe"] {
        let shell = in_a_shell(account, &rows);
        for profile in PROFILES {
            found.insert((profile, account), as_a_service(account, profile, &rows));
        }
        // Without a profile it may do what it may in a shell.
        for (row, (shell, service)) in rows.iter().zip(shell.iter().zip(&found[&("none", account)])) {
            let same = shell == service || row.command.starts_with("CAP_");
            assert!(same, "`{}` of {account}: {shell} in a shell, {service} as a service", row.command);
        }
    }
    let word = |number: usize, profile| match (found[&(profile, "root")][number], found[&(profile, "joe")][number]) {
        (true, true) => "yes",
        (true, false) => "root",
        (false, true) => "account",
        (false, false) => "no",
    };
    let table = |answers: &dyn Fn(usize, &Row) -> Vec<String>| -> String {
        let lines = rows.iter().enumerate();
        lines.map(|(number, row)| format!("{} {} |\n", row.start, answers(number, row).join(" | "))).collect()
    };
    let expected = table(&|_, row| row.answers.clone());
    let actual = table(&|number, _| PROFILES.iter().map(|&profile| word(number, profile).to_owned()).collect());
    let fault = difference("the table of docs/hardening.md", &expected, &actual);
    for account in ["root", "joe"] {
        drop(Command::new("crontab").args(["-u", account, "-r"]).output());
    }
    system("rm", &["-rf", "/srv/profiles", "/srv/elsewhere", "/dev/lab0", "/tmp/of-another-program"]);
    assert!(fault.is_none(), "{}", fault.unwrap_or_default());
}
