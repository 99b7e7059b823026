//! `InstallService import` of more than one unit: a service with its timer, templates, and trees of folders.

use std::fs;
use std::os::unix::fs::symlink;

use install_service::manifest::Manifest;

use crate::support::{Ran, Test};

fn import(what: &str) -> Test {
    Test::install().env("PATH", "/nowhere").args(["import", what])
}

fn again(ran: &Ran, what: &str) -> Test {
    ran.then_install().env("PATH", "/nowhere").args(["import", what])
}

fn names(ran: &Ran) -> Vec<String> {
    let services = Manifest::parse(&ran.stdout, "m").unwrap().services();
    services.into_iter().map(|service| service.name.unwrap()).collect()
}

const JOB: &str = "[Unit]\nDescription=Job\n[Service]\nType=oneshot\nExecStart=/bin/true\n";

fn job(timer: &str) -> Test {
    import("./job.service").file("job.service", JOB).file("job.timer", timer)
}

/// What stands in the manifest behind the words that are the same for all.
fn said(ran: &Ran) -> String {
    let (_, said) = ran.stdout.split_once("command = [\"/bin/true\"]\n").expect("a command");
    said.replace("\n[service.systemd]\nType = \"oneshot\"\n", "")
}

#[test]
fn a_timer_comes_with_its_service() {
    let timer = "# Not at night\n\n[Unit]\nDescription=Job, daily\nDocumentation=man:job(8)\n[Timer]\n# as cron did\n\
                 OnCalendar=*-*-* 6:00\nPersistent=true\nOnCalendar=Sun 7:00\nUnit=job.service\n[Install]\n\
                 WantedBy=timers.target\n";
    let ran = job(timer)
        .file("job.timer.d/more.conf", "[Timer]\nRandomizedDelaySec=1h\nPersistent=no\n")
        .stderr("")
        .stdout_contains("# From ./job.service, ./job.timer, ./job.timer.d/more.conf\n")
        .run();
    let entries = r#"at_boot = true
# Not at night
# as cron did
schedule = "*-*-* 6:00"
"Timer.Unit.Description" = "Job, daily"
"Timer.Unit.Documentation" = "man:job(8)"
"Timer.OnCalendar" = "Sun 7:00"
"Timer.Persistent" = "no"
"Timer.RandomizedDelaySec" = "1h"
"#;
    assert_eq!(said(&ran), entries);
    // By its own name it is the same, and what is installed of it says the same.
    assert_eq!(again(&ran, "./job.timer").run().stdout, ran.stdout);
    let exported =
        ran.then_install().file("m.toml", &ran.stdout).args(["--manifest", "m.toml", "--output", "out"]).run();
    let unit = |name: &str| fs::read_to_string(exported.folder().join("out/etc/systemd/system").join(name)).unwrap();
    assert!(!unit("job.service").contains("[Install]"), "{}", unit("job.service"));
    assert!(unit("job.timer").contains("\nDescription=Job, daily\n"), "{}", unit("job.timer"));
    assert!(unit("job.timer").contains("\nWantedBy=timers.target\n"), "{}", unit("job.timer"));
    let third = again(&exported, "out/etc/systemd/system").stderr("").run();
    assert_eq!(said(&third), entries.replace("# Not at night\n# as cron did\n", ""));
}

#[test]
fn a_schedule_says_the_times_that_it_can_and_the_table_the_others() {
    for (timer, entries) in [
        ("[Timer]\nOnCalendar=daily\n", "schedule = \"daily\"\n\"Timer.Unit.Description\" = \"\"\n"),
        ("[Unit]\nDescription=Job\n[Timer]\nOnCalendar=daily\n", "schedule = \"daily\"\n"),
        (
            "[Unit]\nDescription=Job\n[Timer]\nOnActiveSec=15min\nOnUnitActiveSec=15min\nAccuracySec=1us\n",
            "schedule = \"15min\"\n\"Timer.AccuracySec\" = \"1us\"\n",
        ),
        (
            "[Unit]\nDescription=Job\n[Timer]\nOnBootSec=5min\nOnUnitActiveSec=1d\nOnBootSec=1h\n",
            "\"Timer.OnUnitActiveSec\" = \"1d\"\n\"Timer.OnBootSec\" = [\n    \"5min\",\n    \"1h\",\n]\n",
        ),
        // An empty time takes back all of them.
        (
            "[Unit]\nDescription=Job\n[Timer]\nOnBootSec=5min\nOnCalendar=\nOnCalendar=weekly\n",
            "schedule = \"weekly\"\n",
        ),
        (
            "[Unit]\nDescription=Job\nAfter=a.service\n[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=a.target\n",
            "schedule = \"daily\"\n\"Timer.Unit.After\" = \"a.service\"\n\"Install.WantedBy\" = \"a.target\"\n",
        ),
    ] {
        let ran = job(timer).stderr("").run();
        let sorted = |text: &str| {
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&said(&ran)), sorted(entries), "{timer}");
    }
}

/// One that a manifest cannot say stays as it is; nothing is lost by that, unless it was asked for.
#[test]
fn a_timer_that_is_no_schedule_is_named_with_the_line() {
    let simple = "[Service]\nType=exec\nExecStart=/bin/true\n";
    let enabled = &format!("{JOB}[Install]\nWantedBy=multi-user.target\n");
    let daily = "[Timer]\nOnCalendar=daily\n";
    for (service, timer, why) in [
        (
            JOB,
            "[Timer]\nOnCalendar=daily\nUnit=b.service\n",
            "./job.timer:3: `Unit=b.service`: `schedule` starts `job.service` itself",
        ),
        (simple, daily, "./job.service:2: `Type=exec`: `schedule` is for services of `Type=oneshot`"),
        (
            enabled,
            daily,
            "./job.service:7: `WantedBy=multi-user.target`: with `schedule` the timer is enabled, not the service",
        ),
        (
            JOB,
            "[Timer]\nOnCalendar=*/15 * * * *\n",
            "./job.timer:2: `OnCalendar=*/15 * * * *`: `*/15 * * * *` must be a calendar expression",
        ),
        (
            JOB,
            "[Timer]\nOnCalendar=daily\nFromTomorrow=1\n",
            "./job.timer:3: `FromTomorrow=1`: [Timer] has no such directive",
        ),
        (JOB, "[Timer]\nPersistent=true\n", "systemd does not load it: it has no time at which it elapses"),
        (JOB, "[Timer\n", "./job.timer:1: `[Timer`: systemd does not load this timer"),
    ] {
        let ran = job(timer).file("job.service", service).run();
        let note = format!("note: `job`: `job.timer` stays a unit of its own: {why}");
        assert!(ran.stderr.starts_with(&note), "{note}\n{}", ran.stderr);
        assert!(!ran.stdout.contains("schedule") && !ran.stdout.contains("Timer"), "{}", ran.stdout);
        let asked = again(&ran, "./job.timer").status(10).run();
        assert!(asked.stderr.starts_with("not the same: "), "{}", asked.stderr);
    }
}

#[test]
fn a_template_is_taken_over_as_a_whole() {
    let unit = "[Unit]\nDescription=Tunnel to %i\n[Service]\nExecStart=/bin/tunnel %i\n[Install]\nWantedBy=multi-user.target\n\
                DefaultInstance=home\n";
    let ran = import("./t@.service")
        .file("t@.service", unit)
        .file("t@.service.d/nice.conf", "[Service]\nNice=5\n")
        .file("t@.timer", "[Timer]\nOnCalendar=daily\n")
        .stdout_contains("[[service]]\nname = \"t@\"\nplain = true\ncommand = [\"/bin/tunnel %i\"]\nat_boot = true\n")
        .stdout_contains("\"Install.DefaultInstance\" = \"home\"\n")
        .stdout_contains("Nice = \"5\"\n")
        .stderr_contains("note: `t@`: `t@.timer` stays a unit of its own: a manifest gives a template no timer")
        .run();
    // An instance has what its template has, and drop-ins of its own.
    fs::create_dir(ran.folder().join("t@x.service.d")).unwrap();
    fs::write(ran.folder().join("t@x.service.d/nice.conf"), "[Service]\nNice=7\n").unwrap();
    again(&ran, "./t@x.service")
        .stdout_contains("# From ./t@.service, ./t@x.service.d/nice.conf\n[[service]]\nname = \"t@x\"\n")
        .stdout_contains("Nice = \"7\"\n")
        .run();
}

#[test]
fn a_folder_gives_a_service_for_each_unit() {
    let ran = import("units/")
        .file("units/b.service", "[Service]\nExecStart=/bin/b\n")
        .file("units/a.service", "[Service]\nExecStart=/bin/a\n")
        .file("units/a.socket", "[Socket]\nListenStream=1\n")
        .file("units/all.target", "[Unit]\n")
        .file("units/none.service", "")
        .file("units/only.service", "[Unit]\nDescription=x\n")
        .file("units/x:y.service", "[Service]\nExecStart=/bin/x\n")
        .file("units/t@.service", "[Service]\nExecStart=/bin/t\n")
        .status(10)
        .stderr(
            "note: `a`: `a.socket` starts it, and stays a unit of its own: a manifest has services alone\n\
             note: only services are taken over, not `all.target`\n\
             left out: unit file `units/none.service`: it is empty, so this unit is masked: systemd does not start it\n\
             left out: unit file `units/only.service`: systemd does not load it as a service: it has neither \
             `ExecStart=` nor `ExecStop=`\n\
             left out: `units/x:y.service`: service name `x:y`: contains `:`; a service name must consist of letters, digits, \
             `_`, `.` and `-`; did you mean `x_y`?\n",
        )
        .run();
    assert_eq!(names(&ran), ["a", "b", "t@"]);
    // What it is can be installed.
    ran.then_install()
        .file("m.toml", &ran.stdout)
        .args(["--manifest", "m.toml", "--target", "systemd", "--output", "out"])
        .run();
}

#[test]
fn folders_in_it_are_read_too_and_names_that_clash_are_named() {
    let unit = "[Service]\nExecStart=/bin/x\n";
    let ran = import("units")
        .file("units/web/web.service", unit)
        .file("units/web/web.service.d/nice.conf", "[Service]\nNice=5\n")
        .file("units/web.service.d/other.conf", "[Service]\nUMask=0077\n")
        .file("units/db/deep/db.service", unit)
        .file("units/old/web.service", unit)
        .file("units/old/web.target.wants/z.service", unit)
        .status(10)
        .stderr("left out: `units/web/web.service`: `units/old/web.service` is a service of the same name\n")
        .run();
    assert_eq!(names(&ran), ["db", "web"]);
    assert!(!ran.stdout.contains("UMask"), "{}", ran.stdout);
    import("empty")
        .file("empty/x/y.txt", "")
        .status(2)
        .stderr_contains("there is no unit file of a service in it")
        .run();
}

/// As systemd looks for units in the directories of a system (systemd.unit(5)).
#[test]
fn of_an_image_the_nearer_unit_wins() {
    let ran = import("image")
        .file("image/usr/lib/systemd/system/web.service", "[Service]\nExecStart=/bin/vendor\n")
        .file("image/usr/lib/systemd/system/web.service.d/a.conf", "[Service]\nNice=1\n")
        .file("image/usr/lib/systemd/system/web.service.d/b.conf", "[Service]\nUMask=0077\n")
        .file("image/usr/lib/systemd/system/other.service", "[Service]\nExecStart=/bin/other\n")
        .file("image/usr/lib/systemd/system/off.service", "[Service]\nExecStart=/bin/off\n")
        .file("image/etc/systemd/system/web.service", "[Service]\nExecStart=/bin/admin\n")
        .file("image/etc/systemd/system/other.service.d/a.conf", "[Service]\nNice=2\n")
        .file("image/etc/systemd/system/web.service.d/a.conf", "[Service]\nNice=3\n")
        .file("image/etc/systemd/system/off.service", "")
        .file("image/usr/lib/systemd/user/mine.service", "[Service]\nExecStart=/bin/mine\n")
        .file("image/opt/x.service", "[Service]\nExecStart=/bin/x\n")
        .status(10)
        .stdout_contains("command = [\"/bin/admin\"]\n\n[service.systemd]\nNice = \"3\"\nUMask = \"0077\"\n")
        .stdout_contains("command = [\"/bin/other\"]\n\n[service.systemd]\nNice = \"2\"\n")
        .stdout_contains("name = \"mine\"\nplain = true\nuser = true\ncommand = [\"/bin/mine\"]\n")
        .stderr(
            "note: `image/usr/lib/systemd/system/off.service` is left out: `image/etc/systemd/system/off.service` takes its \
             place\n\
             note: `image/usr/lib/systemd/system/web.service` is left out: `image/etc/systemd/system/web.service` takes its \
             place\n\
             left out: unit file `image/etc/systemd/system/off.service`: it is empty, so this unit is masked: systemd does \
             not start it\n",
        )
        .run();
    assert_eq!(names(&ran), ["other", "web", "mine"]);
}

/// A link in an image leads to a file of the image, and not to one of this host.
#[test]
fn a_link_of_an_image_stays_in_it() {
    let ran = import("image")
        .file("image/etc/systemd/system/a.service", "[Service]\nExecStart=/bin/a\n")
        .file("image/opt/here/linked.service", "[Service]\nExecStart=/bin/linked\n")
        .run();
    let units = ran.folder().join("image/etc/systemd/system");
    symlink("/opt/here/linked.service", units.join("linked.service")).unwrap();
    let outside = ran.folder().join("outside.service");
    fs::write(&outside, "[Service]\nExecStart=/bin/outside\n").unwrap();
    symlink(&outside, units.join("outside.service")).unwrap();
    symlink("/dev/null", units.join("masked.service")).unwrap();
    let ran = again(&ran, "image")
        .status(10)
        .stdout_contains("# From image/opt/here/linked.service\n[[service]]\nname = \"linked\"\n")
        .stderr_contains("left out: unit file `image/etc/systemd/system/masked.service`: it is a link to `/dev/null`")
        .stderr_contains("outside.service`: there is no such file\n")
        .run();
    assert_eq!(names(&ran), ["a", "linked"]);
}

#[test]
fn an_alias_is_no_service_of_its_own() {
    let ran = import("units")
        .file("units/log.service", "[Service]\nExecStart=/bin/log\n[Install]\nAlias=syslog.service\n")
        .file("units/t@.service", "[Service]\nExecStart=/bin/t %i\n")
        .run();
    symlink("log.service", ran.folder().join("units/syslog.service")).unwrap();
    symlink("t@.service", ran.folder().join("units/t@x.service")).unwrap();
    let ran = again(&ran, "units")
        .stderr("note: `units/syslog.service` is left out: it is the `Alias=` of `log.service`\n")
        .run();
    assert_eq!(names(&ran), ["log", "t@", "t@x"]);
    // By its name it is what it leads to.
    again(&ran, "units/syslog.service").stdout_contains("[[service]]\nname = \"log\"\n").run();
    symlink("/lib/systemd/system/log.service", ran.folder().join("units/by-hand.service")).unwrap();
    again(&ran, "units")
        .status(10)
        .stderr_contains(
            "left out: `units/by-hand.service`: it is another name of `log.service`; `\"Install.Alias\" = \
             \"by-hand.service\"` in the `systemd` table of that makes it\n",
        )
        .run();
}

#[test]
fn a_drop_in_that_leads_to_nothing_masks_those_of_its_name() {
    let ran = import("./a-b.service")
        .file("a-b.service", "[Service]\nExecStart=/bin/true\n")
        .file("a-.service.d/nice.conf", "[Service]\nNice=5\n")
        .file("a-.service.d/mask.conf", "[Service]\nUMask=0077\n")
        .stdout_contains("Nice = \"5\"\n")
        .run();
    fs::create_dir(ran.folder().join("a-b.service.d")).unwrap();
    symlink("/dev/null", ran.folder().join("a-b.service.d/nice.conf")).unwrap();
    let ran = again(&ran, "./a-b.service").stderr("").stdout_contains("UMask = \"0077\"\n").run();
    assert!(!ran.stdout.contains("Nice"), "{}", ran.stdout);
}

/// What starts at boot is what links say, as in the `etc` of an image; where there are none, the units do.
#[test]
fn a_system_says_by_links_what_starts_at_boot() {
    let unit = "[Service]\nExecStart=/bin/x\n[Install]\nWantedBy=multi-user.target\n";
    let timer = "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n";
    let test = Test::install()
        .file("image/usr/lib/systemd/system/on.service", unit)
        .file("image/etc/systemd/system/off.service", unit)
        .file("image/usr/lib/systemd/system/tunnel@.service", unit)
        .file("image/usr/lib/systemd/system/job.service", "[Service]\nType=oneshot\nExecStart=/bin/x\n")
        .file("image/usr/lib/systemd/system/job.timer", timer)
        // One of the vendor is no `enable` of an administrator.
        .file("image/usr/lib/systemd/system/multi-user.target.wants/off.service", "");
    let services = |ran: &Ran| {
        let manifest: toml::Table = toml::from_str(&ran.stdout).unwrap();
        let services = manifest["service"].as_array().unwrap().iter();
        let at_boot = |service: &toml::Value| service.get("at_boot").map(|value| value.as_bool().unwrap());
        services.map(|service| (service["name"].as_str().unwrap().to_owned(), at_boot(service))).collect::<Vec<_>>()
    };
    let expected = |on, off, timer| {
        let pairs = [("job", timer), ("off", off), ("on", on), ("tunnel@", Some(true))];
        pairs.map(|(name, at_boot): (&str, Option<bool>)| (name.to_owned(), at_boot)).to_vec()
    };
    let bare = test.args(["import", "image"]).stderr("").run();
    assert_eq!(services(&bare), expected(Some(true), Some(true), Some(true)));

    let wants = bare.folder().join("image/etc/systemd/system/multi-user.target.wants");
    fs::create_dir_all(&wants).unwrap();
    for (name, target) in [("on.service", "on.service"), ("tunnel@home.service", "tunnel@.service")] {
        symlink(format!("/usr/lib/systemd/system/{target}"), wants.join(name)).unwrap();
    }
    let note = "note: `image/etc/systemd/system/multi-user.target.wants/tunnel@home.service` starts an instance at boot; \
                after an install, `ManageService tunnel@home enable` does that\n";
    let set_up = bare.then_install().args(["import", "image"]).stderr(note).run();
    assert_eq!(services(&set_up), expected(Some(true), Some(false), Some(false)));
}
