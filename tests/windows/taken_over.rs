//! Services that scripts have set up with NSSM are imported, adopted and given back, and the registry has what it had:
//! names, types and values.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Once;

use install_service::model::nssm_release::Release;

use crate::bed::{
    account, built, install, key, log_on_as, nssm_does, registry, release, run, starts, state, toml_path, user,
};
use crate::support::{Ran, Test, difference, wait_for};

/// A service as a script sets it up: the words behind `nssm install NAME`, then those behind each `nssm set NAME` or,
/// where they begin with `reg`, behind `reg add KEY`.
struct Script {
    name: &'static str,
    install: &'static [&'static str],
    set: &'static [&'static [&'static str]],
    /// What the manifest does not say, a word of each; the rest is exact.
    lost: &'static [&'static str],
}

const fn exact(
    name: &'static str,
    install: &'static [&'static str],
    set: &'static [&'static [&'static str]],
) -> Script {
    Script { name, install, set, lost: &[] }
}

const APP: &str = r"C:\svc\app\probe.exe";
const BLANKS: &str = r"C:\Program Files\My App (x86)\probe.exe";
const UNICODE: &str = r"C:\svc\Zähler 日本\probe.exe";

/// The one whose parameters NSSM 2.24 does not have.
const LATER: &str = "to-later";

const SCRIPTS: &[Script] = &[
    exact("to-java", &[APP, "-Xmx512m", "-jar", r"C:\svc\app\x.jar", "--port", "8080"], &[]),
    exact(
        "to-rotation",
        &[APP],
        &[
            &["AppDirectory", r"C:\svc"],
            &["AppStdout", r"C:\svc\logs\out.log"],
            &["AppStderr", r"C:\svc\logs\out.log"],
            &["AppRotateFiles", "1"],
            &["AppRotateOnline", "1"],
            &["AppRotateSeconds", "86400"],
            &["AppRotateBytes", "1048576"],
        ],
    ),
    exact(
        "to-two-logs",
        &[APP],
        &[
            &["AppStdout", r"C:\svc\logs\out.log"],
            &["AppStderr", r"C:\svc\logs\err.log"],
            &["AppStdoutCreationDisposition", "2"],
            &["AppStderrCreationDisposition", "2"],
        ],
    ),
    exact("to-one-log", &[APP], &[&["AppStdout", r"C:\svc\logs\only out.log"]]),
    exact("to-never", &[APP], &[&["AppExit", "Default", "Exit"]]),
    exact("to-on-failure", &[APP], &[&["AppExit", "0", "Exit"]]),
    exact("to-on-success", &[APP], &[&["AppExit", "Default", "Exit"], &["AppExit", "0", "Restart"]]),
    exact(
        "to-codes",
        &[APP],
        &[
            &["AppExit", "Default", "Restart"],
            &["AppExit", "2", "Ignore"],
            &["AppExit", "3", "Exit"],
            &["AppExit", "7", "Suicide"],
        ],
    ),
    exact("to-delays", &[APP], &[&["AppRestartDelay", "30000"], &["AppThrottle", "5000"]]),
    exact("to-odd-delay", &[APP], &[&["AppRestartDelay", "2500"], &["AppThrottle", "0"]]),
    exact("to-environment", &[APP], &[&["AppEnvironmentExtra", "A=1", "B=two words", "C=\"quoted\" = & ^", "E="]]),
    exact("to-expanded", &[APP], &[&["AppEnvironmentExtra", r"PATH=C:\svc\bin;%PATH%", "HOME_DIR=%TEMP%"]]),
    exact("to-whole", &[APP], &[&["AppEnvironment", "SystemRoot=%SystemRoot%", r"PATH=C:\svc"]]),
    exact("to-priority", &[APP], &[&["AppPriority", "BELOW_NORMAL_PRIORITY_CLASS"], &["AppAffinity", "0-1"]]),
    exact("to-depends", &[APP], &[&["DisplayName", "Needs another"], &["DependOnService", "Spooler", "EventLog"]]),
    exact("to-system", &[APP], &[&["ObjectName", "LocalSystem"], &["Start", "SERVICE_AUTO_START"]]),
    exact("to-blanks", &[BLANKS, r#"--name "My Server" --path "C:\Program Files\x\\" -q "" "#], &[]),
    exact("to-our-words", &[APP, r#""a b" "c\"d" "x"%"TEMP"%"""#], &[&["AppDirectory", r"C:\svc\app\"]]),
    exact("to-percent", &[APP, r"--log %TEMP%\x.log --rate 50%"], &[]),
    exact(
        "to-unicode",
        &[UNICODE, "--größe", "日本"],
        &[&["DisplayName", "Zähler “日本” 😀"], &["Description", "Zählt: 100% & <mehr> \"quoted\""]],
    ),
    exact(
        "to-stop",
        &[APP],
        &[
            &["AppStopMethodSkip", "6"],
            &["AppStopMethodConsole", "20000"],
            &["AppStopMethodWindow", "0"],
            &["AppStopMethodThreads", "0"],
        ],
    ),
    exact("to-at-once", &[APP], &[&["AppStopMethodConsole", "0"]]),
    exact("to-no-console", &[APP], &[&["AppNoConsole", "1"], &["Start", "SERVICE_DEMAND_START"]]),
    exact("to-disabled", &[APP], &[&["Start", "SERVICE_DISABLED"]]),
    exact("to-desktop", &[APP], &[&["Type", "SERVICE_INTERACTIVE_PROCESS"]]),
    exact("to-batch", &[r"C:\svc\run.bat", r#"C:\svc\server.properties "a b""#], &[]),
    exact("to-bare-batch", &[r"C:\svc\run.bat"], &[]),
    exact("to-cmd", &[r"C:\windows\system32\cmd.exe", r#"/c ""C:\svc\run.bat" "a b" > C:\svc\logs\x.log""#], &[]),
    exact(
        "to-stdin",
        &[APP],
        &[&["AppStdin", r"C:\svc\in.txt"], &["AppStdinShareMode", "1"], &["AppStdoutFlagsAndAttributes", "2"]],
    ),
    exact(
        "to-folders",
        &[APP],
        &[
            &["AppDirectory", r"%ProgramData%\app"],
            &["AppStdout", r"%ProgramData%\out.log"],
            &["AppStderr", r"%ProgramData%\out.log"],
        ],
    ),
    exact(
        LATER,
        &[APP],
        &[
            &["reg", "Parameters", "/v", "AppKillProcessTree", "/t", "REG_DWORD", "/d", "0"],
            &["reg", r"Parameters\AppEvents\Start", "/v", "Pre", "/t", "REG_EXPAND_SZ", "/d", r"C:\svc\run.bat %TEMP%"],
        ],
    ),
    Script {
        name: "to-literal",
        install: &[APP],
        set: &[&["reg", "Parameters", "/v", "AppStdout", "/t", "REG_SZ", "/d", r"C:\svc\logs\%a%.log"]],
        lost: &["`AppStdout = REG_SZ "],
    },
    Script {
        name: "to-recovery",
        install: &[APP],
        set: &[&["reg", "", "/v", "FailureActions", "/t", "REG_BINARY", "/d", "00"]],
        lost: &["`FailureActions`: it is of Windows"],
    },
    Script {
        name: "to-number-as-text",
        install: &[APP],
        set: &[&["reg", "Parameters", "/v", "AppThrottle", "/t", "REG_SZ", "/d", "7"]],
        lost: &["`AppThrottle = REG_SZ 7`: NSSM reads nothing"],
    },
];

/// Puts the folders and programs of the scripts there, once: what runs cannot be written.
fn programs() {
    static ONCE: Once = Once::new();
    ONCE.call_once(put_programs);
}

fn put_programs() {
    for folder in [r"C:\svc\logs", r"C:\ProgramData\app"] {
        fs::create_dir_all(folder).expect("a folder");
    }
    for path in [APP, BLANKS, UNICODE].map(Path::new) {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::copy(built("probe"), path).expect("the probe");
    }
    fs::write(r"C:\svc\run.bat", "@echo off\r\n").expect("a batch");
}

fn reg(service: &str, key: &str, words: &[&str]) {
    let key = format!(r"HKLM\SYSTEM\CurrentControlSet\Services\{service}\{key}");
    let output = run(Command::new("reg.exe").args(["add", key.trim_end_matches('\\')]).args(words).arg("/f"));
    assert!(output.status.success(), "reg add {key} {words:?}");
}

impl Script {
    /// Sets the service up; gives what the registry has for it.
    fn set_up(&self) -> Vec<String> {
        nssm_does(&[&["install", self.name], self.install].concat());
        for words in self.set {
            match words {
                ["reg", key, words @ ..] => reg(self.name, key, words),
                words => drop(nssm_does(&[&["set", self.name], *words].concat())),
            }
        }
        registry(self.name)
    }
}

/// The registry has what it had; a difference is shown line by line.
#[track_caller]
fn same(what: &str, before: &[String], after: &[String]) {
    let text = |lines: &[String]| lines.join("\n") + "\n";
    if let Some(difference) = difference(what, &text(before), &text(after)) {
        panic!("{difference}");
    }
}

/// The registry without the path of `nssm.exe`, which is another one after an install.
fn without_image(registry: &[String]) -> Vec<String> {
    registry.iter().filter(|line| !line.starts_with("\\ImagePath")).cloned().collect()
}

fn remove(name: &str) {
    nssm_does(&["remove", name, "confirm"]);
    assert!(key(name).is_none(), "{name}");
}

/// Imports the service into `NAME.toml`; gives what was said.
fn imported(ran: &Ran, name: &str) -> (i32, Ran) {
    ran.then_install().args(["import", name, "--output", &format!("{name}.toml")]).run_to_any_end()
}

fn with_manifest(ran: &Ran, name: &str) -> Test {
    ran.then_install().args(["--manifest", &format!("{name}.toml")])
}

/// It may only rise.
#[test]
fn of_31_services_of_nssm_nothing_is_lost() {
    let is_exact = |script: &&Script| script.lost.is_empty();
    assert_eq!(SCRIPTS.iter().filter(is_exact).count(), 31);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn services_of_scripts_are_taken_over_as_they_are_1_of_4() {
    every_fourth_is_taken_over_as_it_is(0);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn services_of_scripts_are_taken_over_as_they_are_2_of_4() {
    every_fourth_is_taken_over_as_it_is(1);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn services_of_scripts_are_taken_over_as_they_are_3_of_4() {
    every_fourth_is_taken_over_as_it_is(2);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn services_of_scripts_are_taken_over_as_they_are_4_of_4() {
    every_fourth_is_taken_over_as_it_is(3);
}

fn every_fourth_is_taken_over_as_it_is(first: usize) {
    programs();
    let ran = install().arg("--version").run();
    for script in SCRIPTS.iter().skip(first).step_by(4) {
        let name = script.name;
        let before = script.set_up();
        let (code, said) = imported(&ran, name);
        let manifest = fs::read_to_string(ran.folder().join(format!("{name}.toml"))).unwrap_or_default();
        if !script.lost.is_empty() {
            assert_eq!(code, 10, "{name}: {}\n{manifest}", said.stderr);
            for lost in script.lost {
                assert!(said.stderr.contains(lost), "{name}: `{lost}` is not in\n{}", said.stderr);
            }
            let lines = said.stderr.lines().filter(|line| line.starts_with("not the same")).count();
            assert_eq!(lines, script.lost.len(), "{name}: {}", said.stderr);
            remove(name);
            continue;
        }
        assert_eq!(code, 0, "{name}: {}\n{manifest}", said.stderr);
        if name == LATER && release() == Release::V2_24 {
            let refused = with_manifest(&ran, name).arg("--adopt").status(2).run();
            assert!(refused.stderr.contains("of the service `to-later` needs 2.24-101"), "{}", refused.stderr);
            same(name, &before, &registry(name));
            remove(name);
            continue;
        }
        // Without a word of it nothing is touched.
        with_manifest(&ran, name).status(2).stderr_contains("`--adopt` takes it over").run();
        with_manifest(&ran, name).arg("--adopt").stdout_contains(format!("adopted: {name}\n")).run();
        same(&format!("{name}, adopted\n{manifest}"), &before, &registry(name));
        with_manifest(&ran, name).stdout(format!("unchanged: {name}\n")).run();
        ran.then_manage().args([name, "diff"]).run();
        ran.then_manage().args([name, "release"]).run();
        same(&format!("{name}, given back\n{manifest}"), &before, &registry(name));
        remove(name);
        with_manifest(&ran, name).stdout(format!("installed: {name}\n")).run();
        let after = registry(name);
        same(&format!("{name}, installed anew\n{manifest}"), &without_image(&before), &without_image(&after));
        ran.then_manage().args([name, "diff"]).run();
        ran.then_manage().args([name, "remove", "--remove_install_args"]).run();
        assert!(key(name).is_none(), "{name}");
    }
}

/// What runs is the same process before and after; what an undo, a removal and a release leave is what there was.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn an_adopted_service_is_given_back_with_types_and_all() {
    programs();
    let ran = install().arg("--version").run();
    let name = "to-give-back";
    let script = Script {
        name,
        install: &[APP, "one"],
        set: &[
            &["AppExit", "3", "Exit"],
            &["AppRotateFiles", "1"],
            &["AppEnvironmentExtra", "A=1", "B=2"],
            &["Description", "What it was"],
            &["reg", "Parameters", "/v", "AppParameters", "/t", "REG_SZ", "/d", "--at %TEMP%\\x"],
            &["reg", "Parameters", "/v", "AppThrottle", "/t", "REG_DWORD", "/d", "1500"],
            &["reg", "Parameters", "/v", "AppPriority", "/t", "REG_DWORD", "/d", "32"],
            &["reg", "Parameters", "/v", "AppNoConsole", "/t", "REG_SZ", "/d", "1"],
            &["reg", "Parameters", "/v", "AppKillProcessTree", "/t", "REG_DWORD", "/d", "0"],
            &["reg", r"Parameters\AppEvents\Exit", "/v", "Post", "/t", "REG_EXPAND_SZ", "/d", "x.cmd"],
            &["reg", "Parameters", "/v", "Of another tool", "/t", "REG_SZ", "/d", "stays"],
        ],
        lost: &[],
    };
    let before = script.set_up();
    let manifest =
        format!("[[service]]\nname = '{name}'\nexecutable = {}\narguments = ['two']\n", toml_path(Path::new(APP)));
    let apply = |more: &str| {
        ran.then_install().file("ours.toml", format!("{manifest}{more}")).args(["--manifest", "ours.toml", "--adopt"])
    };
    // The preview is the difference, and says where the original is kept.
    let preview = apply("").args(["--dry-run"]).run();
    for part in [
        "to-give-back AppExit 3\n-Exit\n",
        "to-give-back AppKillProcessTree\n-0\n",
        "to-give-back AppEvents Exit/Post\n-x.cmd\n",
        "takes over HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\to-give-back, which is kept as",
    ] {
        assert!(preview.stdout.contains(part), "`{part}` is not in\n{}", preview.stdout);
    }
    assert_eq!(registry(name), before);

    starts(name);
    let running = crate::bed::Received::in_folder(Path::new(APP).parent().unwrap());
    assert_eq!(running.argv[1..], ["--at".into(), "%TEMP%\\x".into()]);
    wait_for("it to run", 30, || (state(name) == "SERVICE_RUNNING").then_some(()));

    // It stays what it was where an install fails, and what ran goes on.
    let broken = "[service.nssm]\nDependOnService = ['there-is-none']\n";
    apply(broken).status(1).stderr_contains("to-give-back").run();
    same("after an undo", &before, &registry(name));
    assert_eq!(state(name), "SERVICE_RUNNING");

    apply("").stdout_contains(format!("adopted: {name}\n")).run();
    let now = registry(name);
    assert_ne!(now, before);
    for gone in ["AppExit\\3", "AppKillProcessTree", "AppEvents\\Exit\\Post", "AppNoConsole: REG_SZ"] {
        assert!(now.iter().all(|line| !line.contains(gone)), "{gone}: {now:#?}");
    }
    assert!(now.iter().any(|line| line.contains("Of another tool")), "{now:#?}");
    assert_eq!(state(name), "SERVICE_RUNNING");
    let shown = ran.then_manage().args([name, "show"]).run().stdout;
    assert!(shown.contains("to-give-back_original.reg") && shown.contains("\"Of another tool\"=\"stays\""), "{shown}");
    ran.then_manage().args(["--list"]).stdout_contains("(adopted)").run();

    ran.then_manage().args([name, "release"]).stdout_contains("released").run();
    same("given back", &before, &registry(name));
    assert_eq!(state(name), "SERVICE_RUNNING");
    let left = fs::read_dir(ran.folder().join("working_dir")).unwrap().flatten();
    let left: Vec<_> =
        left.map(|entry| entry.file_name()).filter(|file| file.to_string_lossy().contains(name)).collect();
    assert!(left.is_empty(), "{left:?}");
    ran.then_manage().args([name, "release"]).status(4).run();

    // At once, where that is asked for.
    apply("").arg("--restart-now").stdout_contains(format!("adopted: {name}")).run();
    let received = crate::bed::Received::in_folder(Path::new(APP).parent().unwrap());
    assert_eq!(received.argv[1..], ["two".into()]);

    // Removed, it is brought back whole.
    let removed = ran.then_manage().args([name, "remove"]).run();
    assert!(removed.stderr.contains("to-give-back_original.reg"), "{}", removed.stderr);
    assert!(key(name).is_none());
    ran.then_manage().args([name, "release"]).run();
    let again = registry(name);
    let of_ours = |lines: &[String]| -> Vec<String> {
        lines.iter().filter(|line| !line.contains("Of another tool")).cloned().collect()
    };
    same("brought back", &of_ours(&before), &of_ours(&again));
    remove(name);
}

/// Whatever account a service has, it keeps it when it is adopted, unless another one is asked for; and it has it again when
/// it is given back. Of one with a password the risk is told before, and what has to be typed after.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn an_adopted_service_has_its_account_again() {
    programs();
    let ran = install().arg("--version").run();
    let name = "to-account";
    let of_user = format!(r".\{}", user());
    for (theirs, ours) in [
        (r"NT SERVICE\to-account", r"LAB\pump$"),
        (r"LAB\pump$", r"NT SERVICE\*"),
        (of_user.as_str(), r"NT SERVICE\*"),
        (of_user.as_str(), "LocalSystem"),
        ("LocalSystem", r"NT SERVICE\*"),
    ] {
        let set: &[&[&str]] = &[&["AppExit", "3", "Exit"], &["Description", "What it was"]];
        Script { name, install: &[APP, "one"], set, lost: &[] }.set_up();
        if theirs != "LocalSystem" {
            log_on_as(name, theirs);
        }
        let before = registry(name);
        assert_eq!(account(name), theirs);
        let has_password = theirs == of_user;

        // By what `import` says of it, which is all but an account that has a password.
        let (code, said) = imported(&ran, name);
        assert_eq!(code, if has_password { 10 } else { 0 }, "{theirs}: {}", said.stderr);
        with_manifest(&ran, name).arg("--adopt").stdout_contains("adopted: to-account\n").run();
        same(&format!("{theirs}, adopted"), &before, &registry(name));
        ran.then_manage().args([name, "release"]).run();
        same(&format!("{theirs}, given back"), &before, &registry(name));

        // Where nobody asks for an account, it stays.
        let typed = |more: &[&str]| {
            let test = ran.then_install().args(["--service_name", name, "--adopt"]).args(more);
            test.args(["--", APP, "two"])
        };
        let risk =
            format!("note: `{name}` runs as `{theirs}` now, whose password nobody can read: if this is taken back");
        let adopted = typed(&[]).stdout_contains("adopted: to-account\n").run();
        assert!(!adopted.stderr.contains("password"), "{}", adopted.stderr);
        assert_eq!(account(name), theirs);
        assert_ne!(registry(name), before);
        let released = ran.then_manage().args([name, "release"]).run();
        assert!(!released.stderr.contains("password"), "{}", released.stderr);
        same(&format!("{theirs}, given back by a release"), &before, &registry(name));

        // Another one, taken back because the adoption fails, and because somebody says so.
        let failed = typed(&["--account", ours, "--property", "DependOnService=there-is-none"]).status(1).run();
        same(&format!("{theirs}, after an undo"), &before, &registry(name));
        let adopted = typed(&["--account", ours]).stdout_contains("adopted: to-account\n").run();
        assert_eq!(account(name), ours.replace('*', name));
        let released = ran.then_manage().args([name, "release"]).run();
        same(&format!("{theirs}, given back by {ours}"), &before, &registry(name));
        let back = format!("note: `{name}` gets the account `{theirs}` back, whose password nobody can read");
        for (said, part) in [(&failed, &risk), (&adopted, &risk), (&released, &back)] {
            assert_eq!(said.stderr.contains(part), has_password, "{theirs}, {part}\n{}", said.stderr);
        }
        remove(name);
        fs::remove_file(ran.folder().join("to-account.toml")).expect("what was imported");
    }
}

/// One of each parameter that an update could leave behind, set by hand, too: that is drift, and the update or the batch
/// leaves none of it.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn an_update_leaves_nothing_of_what_was() {
    programs();
    let ran = install().arg("--version").run();
    let name = "to-update";
    let install = |more: &[&str]| {
        ran.then_install()
            .args(["--service_name", name, "--working-directory", r"C:\svc"])
            .args(more)
            .args(["--", APP, "one"])
    };
    install(&[]).run();
    let clean = registry(name);
    install(&["--restart", "on-failure"]).run();
    assert_ne!(registry(name), clean);
    install(&["--check"]).status(10).stdout_contains("to-update AppExit 0\n-Exit\n").run();
    install(&[]).run();
    same("after `--restart on-failure`", &clean, &registry(name));

    let by_hand: &[&[&str]] = &[
        &["AppExit", "0", "Exit"],
        &["AppExit", "9", "Ignore"],
        &["AppPriority", "IDLE_PRIORITY_CLASS"],
        &["AppAffinity", "0"],
        &["AppStdin", r"C:\svc\in.txt"],
        &["AppStdinShareMode", "1"],
        &["AppStdoutCreationDisposition", "2"],
        &["AppRotateSeconds", "60"],
        &["AppRotateBytesHigh", "1"],
        &["AppEnvironment", "A=1"],
        &["AppEnvironmentExtra", "B=1"],
        &["AppStopMethodSkip", "4"],
        &["Type", "SERVICE_INTERACTIVE_PROCESS"],
        &["reg", "Parameters", "/v", "AppKillProcessTree", "/t", "REG_DWORD", "/d", "0"],
        &["reg", r"Parameters\AppEvents\Start", "/v", "Pre", "/t", "REG_EXPAND_SZ", "/d", "x.cmd"],
        &["reg", r"Parameters\AppExit", "/v", "a word", "/t", "REG_SZ", "/d", "Exit"],
        &["reg", "Parameters", "/v", "AppParameters", "/t", "REG_SZ", "/d", "%TEMP%"],
        // Wine forgets it with any change of what every service has.
        &["DependOnService", "Spooler"],
    ];
    let change = || {
        for words in by_hand {
            match words {
                ["reg", key, words @ ..] => reg(name, key, words),
                words => drop(nssm_does(&[&["set", name], *words].concat())),
            }
        }
    };
    change();
    let drift = ran.then_manage().args([name, "diff"]).status(10).run().stdout;
    for words in by_hand {
        let heading = match words {
            ["reg", "Parameters", _, parameter, ..] => format!("{name} {parameter}\n"),
            ["reg", key, _, sub, ..] if key.ends_with("AppExit") => format!("{name} AppExit {sub}\n"),
            ["reg", ..] => format!("{name} AppEvents Start/Pre\n"),
            ["AppExit", code, ..] => format!("{name} AppExit {code}\n"),
            [parameter, ..] => format!("{name} {parameter}\n"),
            [] => unreachable!("words"),
        };
        assert!(drift.contains(&heading), "`{heading}` is not in\n{drift}");
    }
    install(&[]).stdout_contains("updated: to-update").run();
    same("after an update", &clean, &registry(name));
    ran.then_manage().args([name, "diff"]).run();

    // And the batch.
    let state = ran.folder().join("working_dir");
    ran.then_install()
        .args(["--service_name", name, "--working-directory", r"C:\svc", "--output", "batches", "--state-dir"])
        .arg(&state)
        .args(["--", APP, "one"])
        .run();
    change();
    let output = run(&mut Command::new(ran.folder().join("batches").join(format!("install-{name}.cmd"))));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout).replace('\0', ""));
    same("after the batch", &clean, &registry(name));
    // Again, with nothing to reset.
    let output = run(&mut Command::new(ran.folder().join("batches").join(format!("install-{name}.cmd"))));
    assert!(output.status.success());
    same("after the batch, again", &clean, &registry(name));
    ran.then_manage().args([name, "remove"]).run();
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn what_nssm_does_not_run_is_not_taken_over() {
    let ran = install().arg("--version").run();
    let said = ran.then_install().args(["import", "Spooler"]).status(2).run();
    assert!(said.stderr.contains("NSSM does not run this service; Windows starts `"), "{}", said.stderr);
    ran.then_install()
        .args(["import", "there-is-none"])
        .status(2)
        .stderr_contains("there is no service of that name")
        .run();
    programs();
    ran.then_install()
        .args(["--service_name", "Spooler", "--adopt", "--", APP])
        .status(2)
        .stderr_contains("NSSM does not run it")
        .run();
}

/// Windows takes a name that no unit and no file of ours could have: the manifest has the nearest one, and it works.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_name_with_blanks_gets_one_that_works() {
    programs();
    let ran = install().arg("--version").run();
    let theirs = "to lab (x86)";
    nssm_does(&["install", theirs, APP, "one"]);
    let (code, said) = imported(&ran, theirs);
    assert_eq!(code, 10, "{}", said.stderr);
    assert!(said.stderr.contains("the manifest calls it `to_lab__x86_`"), "{}", said.stderr);
    nssm_does(&["remove", theirs, "confirm"]);
    with_manifest(&ran, theirs).stdout("installed: to_lab__x86_\n").run();
    let shown: String = key("to_lab__x86_").expect("a service").get_value("DisplayName").expect("a display name");
    assert_eq!(shown, theirs);
    ran.then_manage().args(["to_lab__x86_", "remove", "--remove_install_args"]).run();
}

/// The catalog's program in place of the real one: it says what it is given.
const UPLOAD: &str = "\
import os, time
def main(arguments):
    print('started with', arguments, os.environ['KAFKA_LOCAL'], os.getcwd(), flush=True)
    time.sleep(600)
";

/// OpenMSIStream 1.8.8 registers its script with NSSM, whose every other parameter stays as it is, and lists the program
/// and its arguments, and the names of variables.
#[test]
#[ignore = "needs Windows or Wine, NSSM and a Python: tests/run"]
fn a_service_of_openmsistream_is_reinstalled_as_one_of_ours() {
    let module = "lab/openmsistream/data_file_io/actor/data_file_upload_directory.py";
    let test = install().file(module, UPLOAD).file("lab/x.config", "[broker]\nbootstrap.servers = $KAFKA_LOCAL\n");
    let test = test.file("working_dir/to-upload_service_executable.py", "import time\ntime.sleep(600)\n");
    let ran = test.file("working_dir/to-upload_env_vars.txt", "KAFKA_LOCAL\n").arg("--version").run();
    let (lab, state) = (ran.folder().join("lab"), ran.folder().join("working_dir"));
    let list = format!("DataFileUploadDirectory\n{0}\n--config\n{0}\\x.config\n", lab.display());
    fs::write(state.join("to-upload_install_args.txt"), list).expect("the list");
    let script = state.join("to-upload_service_executable.py");
    nssm_does(&["install", "to-upload", crate::bed::PYTHON, script.to_str().expect("a path")]);
    nssm_does(&["set", "to-upload", "AppDirectory", lab.to_str().expect("a path")]);
    starts("to-upload");

    let imported = ran.then_install().args(["import", "to-upload"]).run().stdout;
    for part in [
        "name = \"to-upload\"\nprogram = \"DataFileUploadDirectory\"\n".to_owned(),
        "interpreter = 'C:\\python\\python.exe'\nworking_directory = '[TMP]\\lab'\n".to_owned(),
        "config = '[TMP]\\lab\\x.config'\n".to_owned(),
    ] {
        assert!(imported.contains(&part), "`{part}` is not in\n{imported}");
    }
    ran.then_manage().arg("--list").stdout_contains("to-upload").run();
    ran.then_manage().args(["to-upload", "stop"]).run();
    // The file has no value, and one has to be said.
    ran.then_manage().args(["to-upload", "reinstall"]).status(2).stderr_contains("KAFKA_LOCAL").run();
    ran.then_manage().args(["to-upload", "reinstall"]).env("KAFKA_LOCAL", "lab:9092").run();
    let parameters = key("to-upload").and_then(|key| key.open_subkey("Parameters").ok()).expect("its parameters");
    let output: String = parameters.get_value("AppStdout").expect("an output");
    assert!(output.ends_with("to-upload_output.log"), "{output}");
    ran.then_manage().args(["to-upload", "start"]).run();
    let log = fs::read_to_string(state.join("to-upload_output.log")).unwrap_or_default();
    assert!(log.contains("started with ['--config=") && log.contains("lab:9092"), "{log}");
    ran.then_manage().args(["to-upload", "stop_and_remove", "--remove_env_vars", "--remove_install_args"]).run();
    assert!(key("to-upload").is_none());
}
