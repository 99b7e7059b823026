//! `InstallService import`: a unit that exists becomes a manifest that says the same, or it is told what it does not say.
//!
//! Without a PATH there is no systemd-analyze, so what is told is what our own reading tells. What systemd makes of real
//! units is compared by tests/booted/taken_over.rs.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use install_service::import::{About, Taken, Unit, UnitFile, document};
use install_service::manifest::Manifest;
use install_service::model::place::Place;
use install_service::model::systemd_table::{KnownDirective, Takes, directives};
use proptest::prelude::*;

use crate::support::Test;

fn import(what: &str) -> Test {
    Test::install().env("PATH", "/nowhere").args(["import", what])
}

/// A unit `web.service` in the words of a manifest, with what is lost.
fn taken(unit: &str) -> (Taken, Vec<String>) {
    taken_of(unit, &About { name: "web".into(), ..About::default() })
}

fn taken_of(unit: &str, about: &About) -> (Taken, Vec<String>) {
    let unit = Unit::merged(UnitFile::read("u", unit.as_bytes()), Vec::new()).expect("a unit that loads");
    let mut taken = Taken::of(&unit, about);
    let place = Place { unit_dir: "/etc/systemd/system".into(), state_dir: "/var/lib/x".into(), home: None };
    taken.check(&unit, None, &place);
    let losses = taken.losses.iter().map(|loss| format!("{}: {}", loss.line, loss.why)).collect();
    (taken, losses)
}

/// The entries of its service, as they are written.
fn written(unit: &str) -> String {
    let (taken, losses) = taken(unit);
    assert_eq!(losses, [""; 0], "{unit}");
    let text = document(&[(taken, String::new())]);
    text.split_once("plain = true\n").expect("a plain service").1.to_owned()
}

const WEB: &str = "# Copyright of the web team

[Unit]
Description=The web, 100%% of it
After=network-online.target postgresql.service
Wants=network-online.target

[Service]
Type=notify
# Nobody else may see it
User=www-data
Environment=A=1 \"B=x y\"
WorkingDirectory=/srv/web
ExecStartPre=-/bin/sh -c 'echo  $HOME'
ExecStart=/usr/bin/web --port ${PORT} \\
    # the data
    --data /srv/data
Restart=on-failure
RestartSec=100ms

[Install]
WantedBy=multi-user.target
";

#[test]
fn a_unit_becomes_a_manifest_with_its_drop_ins_and_its_comments() {
    let drop_in = "# More of them\n[Service]\nEnvironment=C=3\nLimitNOFILE=1024\nExecStartPre=\n";
    import("units/web.service")
        .file("units/web.service", WEB)
        .file("units/web.service.d/20-more.conf", drop_in)
        .file("units/service.d/10-all.conf", "[Service]\nLimitNOFILE=512\nNice=5\n")
        // One of the same name that is nearer takes its place.
        .file("units/service.d/20-more.conf", "[Service]\nUMask=0077\n")
        .stderr("")
        .stdout(concat!(
            "# Taken over by InstallService ",
            env!("CARGO_PKG_VERSION"),
            r#".
# `InstallService --manifest FILE --dry-run` shows what it installs.

# From units/web.service, units/service.d/10-all.conf, units/web.service.d/20-more.conf
# Copyright of the web team
[[service]]
name = "web"
description = "The web, 100% of it"
plain = true
# the data
command = ["/usr/bin/web --port ${PORT} --data /srv/data"]
working_directory = "/srv/web"
# Nobody else may see it
account = "www-data"
at_boot = true
restart = "on-failure"
restart_sec = "100ms"
after = [
    "network-online.target",
    "postgresql.service",
]
wants = ["network-online.target"]

[service.environment]
A = "1"
B = "x y"
# More of them
C = "3"

[service.systemd]
Type = "notify"
LimitNOFILE = "1024"
Nice = "5"
"#
        ))
        .run();
}

#[test]
fn what_it_cannot_say_is_named_by_its_line() {
    import("web.service")
        .file(
            "web.service",
            "[Unit]\nDescription=x\nnothing\n[Service]\nExecStart=/bin/true\nNice=much\nMemoryMax=1GB\nFromTomorrow=1\n\
             X-Ours=1\n[X-Tool]\nA=1\n",
        )
        .status(10)
        .stdout_contains("command = [\"/bin/true\"]\n")
        .stderr(
            "note: web.service:3: `nothing` is left out: systemd ignores it, because it has no `=`\n\
             note: web.service:10: `[X-Tool]` is left out: systemd ignores it, because a service has no such section\n\
             note: web.service:11: `A=1` is left out: systemd ignores it, because it stands in a section that services \
             do not have\n\
             note: web.service:9: `X-Ours=1` is left out: systemd ignores it, because what begins with `X-` is for other \
             programs than systemd\n\
             not the same: web.service:6: `Nice=much`: `much` must be a number from -20 to 19\n\
             not the same: web.service:7: `MemoryMax=1GB`: `1GB` must be an amount of memory such as `512M`, `1G`, `10%` \
             or `infinity`\n\
             not the same: web.service:8: `FromTomorrow=1`: [Service] has no such directive in systemd up to 257; what \
             only a newer one has goes into a drop-in: `systemctl edit NAME`\n",
        )
        .run();
}

#[test]
fn a_key_says_it_only_if_it_means_the_same() {
    for (said, entries) in [
        ("User=%i", "User = \"%i\""),
        ("User=joe", "account = \"joe\""),
        ("WorkingDirectory=~", "WorkingDirectory = \"~\""),
        ("WorkingDirectory=-/srv", "WorkingDirectory = \"-/srv\""),
        ("WorkingDirectory=/a b", "working_directory = \"/a b\""),
        ("Environment=HOME=%h", "Environment = \"HOME=%h\""),
        ("Environment=A=50%%", "\n[service.environment]\nA = \"50%\""),
        ("Environment=A=1 B=2\nEnvironment=\nEnvironment=C=3", "\n[service.environment]\nC = \"3\""),
        ("EnvironmentFile=-/etc/default/x", "environment_file = \"-/etc/default/x\""),
        ("EnvironmentFile=/etc/x/*.conf", "EnvironmentFile = \"/etc/x/*.conf\""),
        ("EnvironmentFile=/a\nEnvironmentFile=/b", "EnvironmentFile = [\n    \"/a\",\n    \"/b\",\n]"),
        ("Restart=no", "restart = \"never\""),
        ("RestartSec=5", "restart_sec = 5"),
        ("TimeoutStopSec=1min 30s", "stop_timeout = \"1min 30s\""),
        ("TimeoutStopSec=0", "TimeoutStopSec = \"0\""),
        ("TimeoutStopSec=infinity", "TimeoutStopSec = \"infinity\""),
        ("TimeoutSec=5\nTimeoutStopSec=9", "TimeoutSec = \"5\"\nTimeoutStopSec = \"9\""),
        ("[Unit]\nAfter=%i.service", "\"Unit.After\" = \"%i.service\""),
        ("[Unit]\nAfter=a.service\nAfter=\nAfter=b.target", "after = [\n    \"a.service\",\n    \"b.target\",\n]"),
        ("[Install]\nWantedBy=graphical.target", "\"Install.WantedBy\" = \"graphical.target\""),
        ("[Unit]\nDescription=%n", "\"Unit.Description\" = \"%n\""),
        ("CapabilityBoundingSet=", "CapabilityBoundingSet = \"\""),
    ] {
        let written = written(&format!("[Service]\nExecStart=/bin/true\n{said}\n"));
        let entries = entries.trim_start_matches('\n');
        let rest = written.replace("command = [\"/bin/true\"]\n", "").replace("[service.systemd]\n", "");
        assert_eq!(rest.trim(), entries, "{said}");
    }
}

#[test]
fn a_unit_may_run_nothing_or_several_commands() {
    let stops = written("[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/bin/x\n");
    assert!(!stops.contains("command"), "{stops}");
    let ran = import("./stops.service")
        .file("stops.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/bin/x\n");
    let ran = ran.run();
    ran.then_install()
        .file("m.toml", &ran.stdout)
        .args(["--manifest", "m.toml", "--target", "systemd", "--dry-run"])
        .stdout_contains("stops\n    runs  nothing at its start\n")
        .run();
    let several = written("[Service]\nType=oneshot\nExecStart=-/bin/a \"x\ty\"\nExecStart=@/bin/b b $X ${Y} %i\n");
    assert!(several.contains("command = [\n    '-/bin/a \"x\ty\"',\n    \"@/bin/b b $X ${Y} %i\",\n]"), "{several}");
}

#[test]
fn what_is_disabled_stays_so() {
    let about = About { name: "web".into(), user: false, is_enabled: Some(false) };
    let unit = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";
    let (taken, losses) = taken_of(unit, &about);
    assert_eq!((taken.request.at_boot, losses.len()), (Some(false), 0));
    let by_alias = "[Service]\nExecStart=/bin/true\n[Install]\nAlias=www.service\n";
    assert_eq!(taken_of(by_alias, &about).1, [""; 0]);
    let (taken, _) = taken_of("[Service]\nExecStart=/bin/true\n", &about);
    assert_eq!(taken.request.at_boot, None);
}

#[test]
fn a_secret_is_pointed_out_and_never_repeated() {
    let unit = "[Service]\nExecStart=/bin/true\nEnvironment=A=1 DB_PASSWORD=hunter2 %z\n";
    let ran = import("web.service")
        .file("web.service", unit)
        .args(["--output", "out.toml"])
        .stderr_contains("`DB_PASSWORD` looks like a secret")
        .stderr_contains("write `secrets = [\"DB_PASSWORD\"]`")
        .run_to_any_end()
        .1;
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    let mode = ran.folder().join("out.toml").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_file_that_is_there_is_not_overwritten() {
    let unit = "[Service]\nExecStart=/bin/true\n";
    let import = |test: Test| test.env("PATH", "/nowhere").args(["import", "./web.service", "--output", "out.toml"]);
    let ran = import(Test::install()).file("web.service", unit).stdout("").stderr("written: out.toml\n").run();
    let text = fs::read_to_string(ran.folder().join("out.toml")).unwrap();
    assert_eq!(ran.folder().join("out.toml").metadata().unwrap().permissions().mode() & 0o777, 0o644);
    import(ran.then_install()).stderr("unchanged: out.toml\n").run();
    import(ran.then_install())
        .file("web.service", unit.to_owned() + "Nice=5\n")
        .status(2)
        .stderr_contains("something is there already, and is not overwritten")
        .expect_file("out.toml", text)
        .run();
}

#[test]
fn what_is_no_unit_of_a_service_is_refused() {
    for (file, contents, said) in [
        ("a.socket", "[Socket]\nListenStream=1\n", "must be that of a service"),
        ("a.service", "[D-BUS Service]\nExec=/bin/x\n", "systemd takes nothing of it"),
        (
            "a.service",
            "[Service\nExecStart=/bin/x\n",
            "systemd does not load this unit: the header of a section must end",
        ),
        ("a.service", "", "it is empty, so this unit is masked"),
        ("a.service", "[Unit]\nDescription=x\n", "it has neither `ExecStart=` nor `ExecStop=`"),
        ("a.service", "[Service]\nExecStart=/bin/x\nExecStart=\n", "it has neither `ExecStart=` nor `ExecStop=`"),
        ("a.timer", "[Timer]\nOnCalendar=daily\n", "there is no `a.service` beside it"),
    ] {
        import(&format!("./{file}")).file(file, contents).status(2).stdout("").stderr_contains(said).run();
    }
    import("./none.service").status(2).stderr_contains("there is no such file").run();
    import("./none.timer").status(2).stderr_contains("there is no such file").run();
    import("").status(2).stderr_contains("must be the name of a service, a file or a folder").run();
    Test::install().arg("import").status(2).stderr_contains("nothing to take over was given").run();
}

/// Masked is what leads to nothing, and not whatever is no file.
#[test]
fn only_what_leads_to_nothing_is_masked() {
    let ran = import("./web.service").file("web.service", "[Service]\nExecStart=/bin/true\n").run();
    let path = |name: &str| ran.folder().join(name);
    symlink("/dev/null", path("no.service")).unwrap();
    symlink("no.service", path("none.service")).unwrap();
    fs::create_dir(path("folder.service")).unwrap();
    fs::create_dir(path("in")).unwrap();
    fs::create_dir(path("in/dir.service")).unwrap();
    nix::unistd::mkfifo(&path("fifo.service"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (file, said) in [
        ("./no.service", "it is a link to `/dev/null`, so this unit is masked"),
        ("./none.service", "it is a link to `/dev/null`, so this unit is masked"),
        ("./fifo.service", "this is a FIFO, not a file"),
        ("in", "this is a directory, not a file"),
    ] {
        ran.then_install().args(["import", file]).status(2).stdout("").stderr_contains(said).run();
    }
}

#[test]
fn what_systemctl_cat_prints_is_a_unit_with_its_drop_ins() {
    let cat = "# /lib/systemd/system/cron.service\n[Service]\nExecStart=/usr/sbin/cron -f\n\n\
               # /etc/systemd/system/cron.service.d/nice.conf\n[Service]\nNice=5\n";
    let said = "name = \"cron\"\nplain = true\ncommand = [\"/usr/sbin/cron -f\"]\n\n[service.systemd]\nNice = \"5\"\n";
    import("cat.txt").file("cat.txt", cat).stdout_contains(said).run();
    import("/dev/stdin").stdin(cat).stdout_contains(said).run();
    // A unit may say at its top where it goes.
    let unit = "# /etc/systemd/system/other.service\n[Service]\nExecStart=/bin/true\n";
    import("./web.service")
        .file("web.service", unit)
        .stdout_contains("# From ./web.service\n# /etc/systemd/system/other.service\n[[service]]\nname = \"web\"\n")
        .run();
}

/// A unit of ours says all that it has by itself, so it comes back the same as a plain one.
#[test]
fn an_exported_unit_comes_back_the_same() {
    let unit = |ran: &crate::support::Ran, folder: &str| {
        fs::read_to_string(ran.folder().join(folder).join("etc/systemd/system/web.service")).unwrap()
    };
    let export =
        Test::install().args(["--output", "first", "--service_name", "web", "--account", "joe", "--env", "A=b c"]);
    let ran = export.args(["--hardening", "strict", "--", "/usr/bin/x", "a b", "$HOME", "100%"]).run();
    let imported =
        ran.then_install().env("PATH", "/nowhere").args(["import", "first/etc/systemd/system"]).stderr("").run();
    let again = imported.then_install().file("m.toml", &imported.stdout);
    let again = again.args(["--manifest", "m.toml", "--output", "second"]).run();
    // A directive and one of its values: the units behind it are lines of their own in a plain unit.
    let lines = |text: String| {
        let text =
            text.replace("network-online.target remote-fs.target", "network-online.target\nAfter=remote-fs.target");
        let mut lines: Vec<String> = text.lines().filter(|line| line.contains('=')).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert!(!imported.stdout.contains("Generated by"), "{}", imported.stdout);
    assert_eq!(lines(unit(&again, "second")), lines(unit(&ran, "first")));
    // And what is plain already is the same manifest.
    let third = again.then_install().env("PATH", "/nowhere").args(["import", "second/etc/systemd/system"]).run();
    let services = |text: &str| Manifest::parse(text, "m").unwrap().services();
    assert_eq!(services(&third.stdout), services(&imported.stdout));
}

/// Values that a directive takes, of which some fit each kind.
const VALUES: [&str; 34] = [
    "yes",
    "no",
    "5",
    "1",
    "10%",
    "1G",
    "infinity",
    "5min 20s",
    "0750",
    "a.service b.target",
    "%i.service",
    "a.slice",
    "SIGINT",
    "/srv/x",
    "/srv/x /srv/y",
    "-/srv/x",
    "relative",
    "0-3",
    "CAP_KILL CAP_CHOWN",
    "~CAP_KILL",
    "@system-service",
    "AF_UNIX AF_INET",
    "/dev/null rw",
    "joe",
    "A B",
    "https://example.org/ man:x(1)",
    "/bin/echo  'a  b' $X ${Y} %i",
    "journal",
    "null",
    "exec",
    "process",
    "text with  blanks",
    "x=y",
    "native",
];

/// Directives that systemd refuses with, or without, another one.
const PAIRED: [&str; 15] = [
    "BusName",
    "DynamicUser",
    "ExecStart",
    "JobRunningTimeoutSec",
    "JobTimeoutSec",
    "PAMName",
    "Restart",
    "RestartMaxDelaySec",
    "RestartSteps",
    "RuntimeMaxSec",
    "RuntimeRandomizedExtraSec",
    "Type",
    "USBFunctionDescriptors",
    "USBFunctionStrings",
    "User",
];

fn lines() -> impl Strategy<Value = Vec<(usize, usize)>> {
    proptest::collection::vec((0..directives().count(), 0..VALUES.len()), 0..40)
}

proptest! {
    /// Random units of all directives are said again as they are.
    #[test]
    fn units_of_the_directives_that_there_are_survive(lines in lines()) {
        let all: Vec<KnownDirective> = directives().collect();
        let mut unit = [("Unit", String::new()), ("Service", String::new()), ("Install", String::new())];
        for (directive, value) in lines {
            let directive = all[directive];
            // What fits is looked for from here on.
            let fits = VALUES.iter().cycle().skip(value).take(VALUES.len()).find(|value| directive.with(value).is_ok());
            // What runs, and how it ends, goes together, and what does not is refused.
            let is_paired = PAIRED.contains(&directive.name);
            let (Some(value), false) = (fits, is_paired) else { continue };
            let (_, text) = unit.iter_mut().find(|(name, _)| *name == directive.section.as_str()).unwrap();
            *text += &format!("{}={value}\n", directive.name);
        }
        let text: String = unit.iter().map(|(name, text)| format!("[{name}]\n{text}")).collect();
        let text = text.replace("[Service]\n", "[Service]\nExecStart=/bin/true\n");
        let (taken, losses) = taken(&text);
        prop_assert_eq!(losses, vec![""; 0], "{}", text);
        let written = document(&[(taken.clone(), String::new())]);
        prop_assert_eq!(Manifest::parse(&written, "m").unwrap().services(), vec![taken.request], "{}", written);
    }
}

#[test]
fn the_values_fit_most_kinds() {
    let fits = |directive: &KnownDirective| VALUES.iter().any(|value| directive.with(value).is_ok());
    let without: Vec<_> =
        directives().filter(|directive| !fits(directive) && !matches!(directive.takes, Takes::Word(_))).collect();
    assert!(without.len() < 10, "{without:?}");
}
