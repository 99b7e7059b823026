//! A unit that is not ours is taken over while it runs, and given back as it was.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use crate::support::booted::{Named, named};
use crate::support::{Ran, Test, system};

/// As somebody wrote it, with a byte that is no text.
const THEIRS: &[u8] = b"# caf\xe9\n[Service]\nExecStart=/bin/sleep 1000.1\n[Install]\nWantedBy=multi-user.target\n";

/// Every file and link in the directory of units that has the name in it: mode, owner and contents, or what it says.
fn units(service: &Named) -> BTreeMap<PathBuf, (u32, u32, Vec<u8>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![PathBuf::from("/etc/systemd/system")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let (path, metadata) = (entry.path(), entry.path().symlink_metadata().unwrap());
            if metadata.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().contains(&service.to_string()) {
                let contents = match fs::read_link(&path) {
                    Ok(target) => target.into_os_string().into_encoded_bytes(),
                    Err(_) => fs::read(&path).unwrap(),
                };
                found.insert(path, (metadata.mode(), metadata.uid(), contents));
            }
        }
    }
    found
}

/// A unit of the administrator that runs and starts at boot, with a mode and an owner of its own and a drop-in.
fn theirs(service: &Named) {
    let contents = [THEIRS, format!("Alias={service}-also.service\n").as_bytes()].concat();
    fs::write(service.unit(), contents).unwrap();
    fs::set_permissions(service.unit(), fs::Permissions::from_mode(0o640)).unwrap();
    system("chown", &["ann:ann", service.unit().to_str().unwrap()]);
    let drop_ins = service.unit().with_extension("service.d");
    fs::create_dir_all(&drop_ins).unwrap();
    fs::write(drop_ins.join("nice.conf"), "[Service]\nNice=5\n").unwrap();
    system("systemctl", &["daemon-reload"]);
    system("systemctl", &["enable", "--now", "--quiet", &service.to_string()]);
}

fn adopt(service: &Named) -> Test {
    service.install().args(["--no-network", "--adopt", "--", "/bin/sleep", "1000.2"])
}

fn adopt_again(service: &Named, ran: &Ran, options: &[&str]) -> Test {
    service.install_again(ran).args(options).args(["--no-network", "--", "/bin/sleep", "1000.2"])
}

fn argv(service: &Named) -> String {
    String::from_utf8(fs::read(format!("/proc/{}/cmdline", service.pid())).unwrap()).unwrap().replace('\0', " ")
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_runs_goes_on_and_all_is_given_back() {
    let service = named("adopt-life");
    theirs(&service);
    let (before, pid) = (units(&service), service.pid());
    // Both ways are named, and the preview is of this host.
    let refused = service.install().args(["--", "/bin/sleep", "1000.2"]).status(2);
    let refused = refused.stderr_contains("`InstallService import adopt-life` prints a manifest of it, and `--adopt`");
    let home = refused.run();
    let preview = service.install().args(["--dry-run", "--", "/bin/sleep", "1000.2"]);
    preview
        .stderr_contains("note: an install is refused: `/etc/systemd/system/adopt-life.service`: this unit was")
        .stdout_contains("; once the name is free, type this to install:\n")
        .run();
    let takes_over = "adopt-life takes over /etc/systemd/system/adopt-life.service, which is kept as ";
    for (option, status) in [("--dry-run", 0), ("--check", 10)] {
        let look = adopt_again(&service, &home, &["--adopt", option]).status(status);
        let look = look.stderr_contains("adopt-life.service` is not for everybody to read, and ours is: `--env NAME`");
        look.stdout_contains("-ExecStart=/bin/sleep 1000.1\n").stdout_contains(takes_over).run();
    }
    assert_eq!(units(&service), before);

    let ran = adopt_again(&service, &home, &["--adopt"]).stdout_contains("adopted: adopt-life").run();
    assert!(ran.stderr.contains("what runs goes on as it was started; `ManageService adopt-life restart`"));
    assert_eq!((service.pid(), service.property("NeedDaemonReload")), (pid, "no".to_owned()));
    assert!(service.unit_text().contains("1000.2"));
    assert!(!Path::new("/etc/systemd/system/adopt-life-also.service").exists());
    assert_eq!(service.property("Nice"), "5");

    // It is one of ours from now on, and a second adoption is none.
    let again = adopt_again(&service, &ran, &["--adopt"]).stdout("unchanged: adopt-life\n").run();
    service.manage(&again, "diff").status(10).stdout_contains("overridden by").run();
    ran.then_manage().arg("--list").stdout_contains("running  (adopted)\n").run();
    let shown = service.manage(&ran, "show").run().stdout;
    let kept = "adopt-life_original.service";
    assert!(shown.contains(kept) && shown.contains("1000.1") && shown.contains("mode = \"0640\""), "{shown}");
    service.install_again(&ran).args(["--adopt", "--", "/bin/sleep", "1000.3"]).stdout_contains("updated: ").run();
    service.manage(&ran, "restart").run();
    let pid = service.pid();
    assert!(argv(&service).contains("1000.3"));

    let released = service.manage(&ran, "release").stdout_contains("released, it is what it was").run();
    assert!(released.stderr.contains("`sudo systemctl restart adopt-life` runs what is there now"));
    assert_eq!((units(&service), service.pid()), (before, pid));
    assert_eq!(service.property("NeedDaemonReload"), "no");
    let left: Vec<PathBuf> = service.host(&ran.folder().join("working_dir")).into_keys().collect();
    assert!(left.iter().all(|path| path.starts_with("/etc")), "{left:?}");
    service.manage(&ran, "release").status(4).run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_restart_is_asked_for() {
    let service = named("adopt-restart");
    theirs(&service);
    let pid = service.pid();
    service.install().args(["--restart-now", "--", "/bin/sleep", "1"]).status(2).run();
    // A start is of what does not run.
    let ran = service.install().args(["--adopt", "--start", "--", "/bin/sleep", "1000.2"]).run();
    assert_eq!(service.pid(), pid);
    service.manage(&ran, "release").run();
    let restart = ["--adopt", "--restart-now"];
    adopt_again(&service, &ran, &restart).stdout_contains("started: adopt-restart\n").run();
    assert_ne!(service.pid(), pid);
    assert!(argv(&service).contains("1000.2"));
    service.manage(&ran, "release").run();
    // What does not come up is taken back, and theirs runs again.
    let dies = service.install_again(&ran).args(restart).args(["--restart", "never"]).script("exit 3").status(1);
    dies.stderr_contains("the host is as it was before").run();
    system("systemctl", &["is-active", "adopt-restart"]);
    assert!(argv(&service).contains("1000.1"));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_unit_of_a_package_is_overridden() {
    let service = named("adopt-packaged");
    let packaged = Path::new("/usr/lib/systemd/system/adopt-packaged.service");
    let text = "[Service]\nExecStart=/bin/sleep 1000.1\n[Install]\nWantedBy=multi-user.target\n";
    fs::write(packaged, text).unwrap();
    system("systemctl", &["daemon-reload"]);
    system("systemctl", &["enable", "--now", "--quiet", "adopt-packaged"]);
    let (before, pid) = (units(&service), service.pid());
    let ran = adopt(&service).stdout_contains("--- /usr/lib/systemd/system/adopt-packaged.service\n").run();
    assert_eq!(service.pid(), pid);
    assert!(service.unit_text().contains("1000.2") && service.boot_link().symlink_metadata().is_ok());
    assert_eq!(service.property("FragmentPath"), service.unit().to_str().unwrap());
    service.manage(&ran, "diff").stdout("").stderr("the host is as it should be\n").run();
    service.manage(&ran, "doctor").run();
    // What its package brings later is told, and taken note of.
    fs::write(packaged, format!("{text}# newer\n")).unwrap();
    system("systemctl", &["daemon-reload"]);
    service.manage(&ran, "doctor").status(10).stdout_contains("has changed since it was adopted").run();
    adopt_again(&service, &ran, &["--adopt"]).run();
    service.manage(&ran, "doctor").run();
    adopt_again(&service, &ran, &["--adopt"]).stdout("unchanged: adopt-packaged\n").run();

    service.manage(&ran, "release").run();
    assert_eq!((units(&service), service.pid()), (before, pid));
    assert_eq!(fs::read_to_string(packaged).unwrap(), format!("{text}# newer\n"));
    assert_eq!(Path::new(&service.property("FragmentPath")).canonicalize().unwrap(), packaged);

    // Without its package there is nothing to give back.
    adopt_again(&service, &ran, &["--adopt"]).run();
    fs::remove_file(packaged).unwrap();
    service.manage(&ran, "doctor").status(10).stdout_contains("its package was removed").run();
    service.manage(&ran, "release").status(2).stderr_contains("`ManageService adopt-packaged remove`").run();
    service.manage(&ran, "remove").arg("--remove_install_args").run();
    assert!(!ran.folder().join("working_dir/adopt-packaged_original.toml").exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_removal_keeps_what_it_was() {
    let service = named("adopt-remove");
    theirs(&service);
    let before = units(&service);
    let ran = adopt(&service).run();
    let kept = service.manage(&ran, "remove").run().stderr;
    assert!(kept.contains("`ManageService adopt-remove release` gives it back"), "{kept}");
    assert!(!service.unit().exists());
    ran.then_manage().args(["--list", "--all"]).stdout_contains("removed (what it was").run();
    // It comes back as ours, still adopted, or as it was.
    service.manage(&ran, "reinstall").run();
    service.manage(&ran, "remove").arg("--remove_install_args").run();
    service.manage(&ran, "release").run();
    assert_eq!(units(&service), before);
    system("systemctl", &["start", "adopt-remove"]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn another_name_leaves_it_to_be_given_back() {
    let (service, other) = (named("adopt-name"), named("adopted-otherwise"));
    theirs(&service);
    let before = units(&service);
    let ran = adopt(&service).run();
    let rename = ran.then_manage().args(["adopt-name", "rename", "adopted-otherwise"]);
    rename.stderr_contains("`ManageService adopt-name release` gives it back").run();
    assert!(!service.unit().exists() && other.unit().exists());
    service.manage(&ran, "release").run();
    assert_eq!(units(&service), before);
    assert_eq!(other.property("ActiveState"), "active");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_cannot_be_taken_over_is_refused_with_what_to_type() {
    let refused = |service: &Named, help: &str| {
        adopt(service).status(2).stderr_contains(help).run();
    };
    let (masked, linked, alias) = (named("adopt-masked"), named("adopt-linked"), named("adopt-alias"));
    symlink("/dev/null", masked.unit()).unwrap();
    refused(&masked, "`sudo systemctl unmask adopt-masked.service` undoes that");
    symlink("/opt/adopt-linked.service", linked.unit()).unwrap();
    refused(
        &linked,
        "`sudo cp --remove-destination /opt/adopt-linked.service /etc/systemd/system/adopt-linked.service`",
    );
    symlink("/usr/lib/systemd/system/systemd-journald.service", alias.unit()).unwrap();
    refused(&alias, "`--service_name systemd-journald --adopt` takes that over");
    [&masked, &linked, &alias].iter().for_each(|service| fs::remove_file(service.unit()).unwrap());
    let transient = named("adopt-transient");
    system("systemd-run", &["--unit=adopt-transient", "sleep", "1000"]);
    refused(&transient, "`--service_name my-adopt-transient`");
    system("systemctl", &["stop", "adopt-transient"]);
    // One that somebody put in the place of ours, while the first one is kept.
    let service = named("adopt-twice");
    theirs(&service);
    let ran = adopt(&service).run();
    fs::write(service.unit(), "[Service]\nExecStart=/bin/sleep 1000.4\n").unwrap();
    let twice = adopt_again(&service, &ran, &["--adopt"]).status(2);
    twice.stderr_contains("is the original of an earlier adoption of `adopt-twice`").run();
    service.manage(&ran, "release").status(2).stderr_contains("it is neither ours nor what").run();
    // Put back by hand, it is as if it was never gone.
    let kept = ran.folder().join("working_dir/adopt-twice_original.service");
    fs::copy(&kept, service.unit()).unwrap();
    fs::set_permissions(service.unit(), fs::Permissions::from_mode(0o640)).unwrap();
    system("chown", &["ann:ann", service.unit().to_str().unwrap()]);
    let again = adopt_again(&service, &ran, &["--adopt"]).run();
    service.manage(&again, "release").run();
}

/// Every later step fails once: what is put back is theirs, with its links, and it goes on.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_fails_is_taken_back() {
    let service = named("adopt-fails");
    theirs(&service);
    let (before, pid) = (units(&service), service.pid());
    let fails = |verb: &str| {
        format!(
            "[ $1 = {verb} ] && [ ! -e asked ] || exec $real \"$@\"; : > asked; $real \"$@\"; echo 'no luck today' >&2; exit 1"
        )
    };
    // Not enabled, so that it is to be.
    system("systemctl", &["disable", "--quiet", "adopt-fails"]);
    let disabled = units(&service);
    adopt(&service).instead_of("systemctl", &fails("enable")).status(1).stderr_contains("no luck today").run();
    assert_eq!((units(&service), service.pid()), (disabled, pid));
    system("systemctl", &["enable", "--quiet", "adopt-fails"]);
    let failing = adopt(&service).instead_of("systemctl", &fails("daemon-reload")).status(1);
    let ran = failing.stderr_contains("the host is as it was before").run();
    assert_eq!((units(&service), service.pid()), (before.clone(), pid));
    assert_eq!(service.property("NeedDaemonReload"), "no");
    // And so is a release.
    fs::remove_file(ran.folder().join("asked")).unwrap();
    let ran = adopt_again(&service, &ran, &["--adopt"]).run();
    let ours = units(&service);
    let failing = service.manage(&ran, "release").instead_of("systemctl", &fails("daemon-reload")).status(1);
    failing.stderr_contains("the host is as it was before").run();
    assert_eq!((units(&service), service.pid()), (ours, pid));
    service.manage(&ran, "release").run();
    assert_eq!((units(&service), service.pid()), (before, pid));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_manifest_adopts_what_is_there_and_installs_the_rest() {
    let (service, new) = (named("adopt-some"), named("adopt-none"));
    theirs(&service);
    let pid = service.pid();
    let text: String = ["adopt-some", "adopt-none"]
        .iter()
        .map(|name| format!("[[service]]\nname = \"{name}\"\nexecutable = \"/bin/sleep\"\narguments = [\"1000.2\"]\n"))
        .collect();
    let manifest =
        Test::install().file("services.toml", text).args(["--manifest", "services.toml", "--adopt", "--start"]);
    let ran = manifest.stdout_contains("adopted: adopt-some").stdout_contains("installed: adopt-none").run();
    assert_eq!((service.pid(), new.property("ActiveState")), (pid, "active".to_owned()));
    service.manage(&ran, "release").run();
}

/// A job of somebody else's in `folder`, with a timer that is enabled and waits: the files of both.
fn theirs_by_timer(service: &Named, folder: &str) -> [PathBuf; 2] {
    let path = |ours: PathBuf| Path::new(folder).join(ours.file_name().unwrap());
    let [unit, timer] = [path(service.unit()), path(service.timer())];
    fs::write(&unit, "[Service]\nType=oneshot\nExecStart=/bin/true theirs\n").unwrap();
    fs::write(&timer, "[Timer]\nOnCalendar=yearly\nPersistent=true\n[Install]\nWantedBy=timers.target\n").unwrap();
    system("systemctl", &["daemon-reload"]);
    system("systemctl", &["enable", "--now", "--quiet", &format!("{service}.timer")]);
    [unit, timer]
}

/// What `import` says of it is adopted, but for the schedule.
fn adopt_monthly(service: &Named, ran: &Ran, options: &[&str]) -> Test {
    let manifest = ran.then_install().args(["import", &service.to_string()]).stderr("").run().stdout;
    let manifest = manifest.replace("schedule = \"yearly\"", "schedule = \"monthly\"");
    assert!(manifest.contains("\"monthly\""), "{manifest}");
    ran.then_install().file("job.toml", &manifest).args(["--adopt", "--manifest", "job.toml"]).args(options)
}

/// When the timer elapses, and since when it waits.
fn timer(service: &Named) -> (String, String) {
    let calendar = service.timer_property("TimersCalendar");
    let words = calendar.split_once("OnCalendar=").map(|(_, rest)| rest.split(" ;").next().unwrap().to_owned());
    (words.unwrap_or_default(), service.timer_property("ActiveEnterTimestampMonotonic"))
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_timer_is_taken_over_with_its_service() {
    let service = named("adopt-job");
    theirs_by_timer(&service, "/etc/systemd/system");
    fs::set_permissions(service.timer(), fs::Permissions::from_mode(0o600)).unwrap();
    let (before, (yearly, since)) = (units(&service), timer(&service));
    let ran = Test::manage().arg("--list").run();
    let look = adopt_monthly(&service, &ran, &["--dry-run"]).stdout_contains("+OnCalendar=monthly\n");
    let look = look.stdout_contains("adopt-job takes over /etc/systemd/system/adopt-job.service, which is kept as ");
    let look = look.stdout_contains("adopt-job takes over /etc/systemd/system/adopt-job.timer, which is kept as ");
    look.stderr_contains("adopt-job.timer` is not for everybody to read").run();
    assert_eq!(units(&service), before);

    // It goes on waiting, by the new schedule.
    let ran = adopt_monthly(&service, &ran, &[]).stdout_contains("adopted: adopt-job (").run();
    assert!(!ran.stderr.contains("restart"), "{}", ran.stderr);
    assert_eq!(timer(&service), ("*-*-01 00:00:00".to_owned(), since.clone()));
    service.manage(&ran, "status").stdout_contains("waiting").run();
    service.manage(&ran, "diff").stdout("").run();
    service.manage(&ran, "doctor").run();
    service.manage(&ran, "show").stdout_contains("adopt-job_original.timer").run();
    ran.then_install().args(["--adopt", "--manifest", "job.toml"]).stdout("unchanged: adopt-job\n").run();
    service.manage(&ran, "release").stderr("  systemctl daemon-reload\n").run();
    assert_eq!((units(&service), timer(&service)), (before.clone(), (yearly.clone(), since.clone())));
    let left: Vec<PathBuf> = service.host(&ran.folder().join("working_dir")).into_keys().collect();
    assert!(left.iter().all(|path| path.starts_with("/etc")), "{left:?}");

    // A removal keeps what it was, and a restart begins anew.
    adopt_monthly(&service, &ran, &["--restart-now"]).stdout_contains("started: adopt-job").run();
    assert_ne!(timer(&service).1, since);
    let kept = service.manage(&ran, "remove").stderr_contains("adopt-job_original.timer").run();
    assert!(!service.timer().exists());
    service.manage(&kept, "reinstall").run();
    service.manage(&kept, "release").run();
    assert_eq!((units(&service), timer(&service).0), (before, yearly));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_timer_of_a_package_is_overridden() {
    let service = named("adopt-brought-job");
    let packaged = theirs_by_timer(&service, "/usr/lib/systemd/system");
    let (before, theirs) = (units(&service), timer(&service));
    let ran = adopt_monthly(&service, &Test::manage().arg("--list").run(), &["--start"]).run();
    assert_eq!(timer(&service), ("*-*-01 00:00:00".to_owned(), theirs.1.clone()));
    service.manage(&ran, "diff").stdout("").run();
    service.manage(&ran, "doctor").run();
    fs::write(&packaged[1], "[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n").unwrap();
    system("systemctl", &["daemon-reload"]);
    let told = "adopt-brought-job.timer` has changed since it was adopted";
    service.manage(&ran, "doctor").status(10).stdout_contains(told).run();
    ran.then_install().args(["--adopt", "--manifest", "job.toml"]).run();
    service.manage(&ran, "doctor").run();
    service.manage(&ran, "release").run();
    assert_eq!((units(&service), timer(&service).0), (before, "*-*-* 00:00:00".to_owned()));
    system("systemctl", &["disable", "--now", "--quiet", "adopt-brought-job.timer"]);
    packaged.iter().for_each(|path| fs::remove_file(path).unwrap());
}

/// A timer beside a service that is ours: whose it is, nobody knows.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_timer_alone_is_not_taken_over() {
    let service = named("adopt-timer");
    let ran = service.install().args(["--", "/bin/true"]).run();
    fs::write(service.timer(), "[Timer]\nOnCalendar=yearly\n").unwrap();
    for options in [&["--adopt"][..], &[]] {
        let again = service.install_again(&ran).args(options).args(["--schedule", "daily", "--", "/bin/true"]);
        again.status(2).stderr_contains("such as `--service_name my-adopt-timer`").run();
    }
    // One that was left alone when its service was adopted can be taken over later.
    let adopted = named("adopt-later");
    theirs_by_timer(&adopted, "/etc/systemd/system");
    let before = units(&adopted);
    let ran = adopted.install().args(["--adopt", "--", "/bin/true"]).run();
    assert_eq!(fs::read(adopted.timer()).unwrap(), before[&adopted.timer()].2);
    let scheduled =
        |options: &[&str]| adopted.install_again(&ran).args(options).args(["--schedule", "daily", "--", "/bin/true"]);
    scheduled(&[]).status(2).stderr_contains("`--adopt` takes it over; or choose another name").run();
    scheduled(&["--adopt"]).run();
    adopted.manage(&ran, "release").run();
    assert_eq!(units(&adopted), before);
}
