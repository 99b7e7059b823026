//! Every parameter that a manifest may set: it is set once, and then it is as it should be.

use install_service::model::nssm_table::{self, PARAMETERS, Takes};

use winreg::RegKey;
use winreg::enums::HKEY_LOCAL_MACHINE;

use crate::bed::{NSSM_24, NSSM_101, install, key, nssm_does, probe, registry, release, toml_path};

/// What NSSM does where nothing is set, and something else.
fn values(name: &str, takes: Takes) -> [&'static str; 2] {
    match (name, takes) {
        ("AppDirectory", _) => [r"C:\windows", r"C:\windows\system32"],
        ("AppAffinity", _) => ["All", "0"],
        ("AppPriority", _) => ["NORMAL_PRIORITY_CLASS", "IDLE_PRIORITY_CLASS"],
        ("Type", _) => ["SERVICE_WIN32_OWN_PROCESS", "SERVICE_INTERACTIVE_PROCESS"],
        ("Start", _) => ["SERVICE_AUTO_START", "SERVICE_DEMAND_START"],
        ("AppStdinShareMode", _) => ["2", "1"],
        ("AppStdinCreationDisposition", _) => ["3", "4"],
        ("AppStdoutShareMode" | "AppStderrShareMode", _) => ["3", "1"],
        ("AppStdoutCreationDisposition" | "AppStderrCreationDisposition", _) => ["4", "2"],
        (_, Takes::Number) if name.ends_with("FlagsAndAttributes") => ["128", "2"],
        ("AppThrottle", _) => ["1500", "10"],
        ("AppKillProcessTree", _) => ["1", "0"],
        (_, Takes::Number) if name.starts_with("AppStopMethod") && name != "AppStopMethodSkip" => ["1500", "700"],
        (_, Takes::Number) => ["0", "1"],
        (_, Takes::Path) => [r"C:\logs\a.log", r"C:\logs\b.log"],
        (_, Takes::CommandLine) => [r#"-x "a b""#, r#"-x "%TEMP%""#],
        (_, Takes::Variables) => ["A=1", "A=%TEMP%"],
        (_, Takes::Word(_) | Takes::Processors | Takes::Names) => unreachable!("{name}"),
    }
}

/// Those that the release has which the suite is run with.
fn parameters() -> impl Iterator<Item = (&'static str, Takes)> {
    let release = release();
    PARAMETERS.into_iter().filter(move |(name, takes)| *takes != Takes::Names && nssm_table::since(name) <= release)
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn every_parameter_is_set_once() {
    let test = install();
    let program = probe(&test.folder().join("app"));
    let manifest = |which: usize| {
        let mut table: String =
            parameters().map(|(name, takes)| format!("{name} = '{}'\n", values(name, takes)[which])).collect();
        if release() >= nssm_table::since("AppEvents") {
            table += &format!("\"AppEvents.Start/Pre\" = 'cmd.exe /c rem {which}'\n");
        }
        format!(
            "[[service]]\nname = 'every'\nexecutable = {}\n[service.nssm]\n{table}\"AppExit.3\" = 'Exit'\n",
            toml_path(&program)
        )
    };
    let ran = test.arg("--version").run();
    // Groups that NSSM knows; Wine has none.
    let control =
        RegKey::predef(HKEY_LOCAL_MACHINE).create_subkey(r"SYSTEM\CurrentControlSet\Control\ServiceGroupOrder");
    let (groups, _) = control.unwrap();
    if groups.get_raw_value("List").is_err() {
        groups.set_value("List", &vec!["TDI"]).unwrap();
    }
    let apply =
        |which: usize| ran.then_install().file("every.toml", manifest(which)).args(["--manifest", "every.toml"]);
    let mut seen = Vec::new();
    for which in [0, 1, 0] {
        apply(which).run();
        apply(which).stdout("unchanged: every\n").run();
        ran.then_manage().args(["every", "diff"]).run();
        for (name, takes) in parameters() {
            let got = nssm_does(&["get", "every", name]);
            assert_eq!(got, values(name, takes)[which], "{name}");
        }
        seen.push(registry("every"));
    }
    assert_eq!(seen[0], seen[2]);
    // Wine forgets these with any change that comes after them.
    for one in ["DependOnGroup = ['TDI']", "DependOnService = ['Spooler']"] {
        let manifest =
            format!("[[service]]\nname = 'every'\nexecutable = {}\n[service.nssm]\n{one}\n", toml_path(&program));
        let apply = || ran.then_install().file("every.toml", &manifest).args(["--manifest", "every.toml"]);
        apply().run();
        apply().stdout("unchanged: every\n").run();
    }
    ran.then_manage().args(["every", "remove"]).run();
}

/// What 2.24 does not have is not asked of it: neither is the service made, nor is there a word of the failure of NSSM.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_parameter_of_a_later_release_needs_that() {
    let test = crate::support::Test::install().env("PATH", r"C:\windows\system32");
    let program = probe(&test.folder().join("app"));
    let ran = test.arg("--version").run();
    let install = |name: &str| {
        let test = ran.then_install().env("PATH", "").args(["--offline", "--property", "AppTimestampLog=1"]);
        test.args(["--service_name", name])
    };
    let of_program = |test: crate::support::Test| test.arg("--").arg(&program);
    let refused = of_program(install("later").args(["--nssm", NSSM_24])).status(2).run();
    let why = "it is that of NSSM 2.24, and `AppTimestampLog` of the service `later` needs 2.24-101";
    assert!(refused.stderr.contains(why), "{}", refused.stderr);
    assert!(key("later").is_none());
    of_program(install("later").args(["--nssm", NSSM_101])).run();
    assert_eq!(
        crate::bed::run(std::process::Command::new(NSSM_101).args(["get", "later", "AppTimestampLog"])).stdout[0],
        b'1'
    );
    ran.then_manage().args(["later", "diff"]).run();
    ran.then_manage().args(["later", "remove"]).run();
}
