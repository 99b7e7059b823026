//! A service gets another name, and is the same otherwise.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::booted::{folder_of, named};
use crate::support::system;

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_renamed_service_keeps_what_it_has() {
    let (old, new) = (named("rename-old"), named("rename-new"));
    let install = old.install().args(["--env", "TOKEN", "--env", "A=1", "--no-boot", "--start"]);
    let ran = install.env("TOKEN", "kept value").probe(["some", "arguments"]).run();
    let log = |name: &str| ran.folder().join(format!("{name}_ERROR_LOG.txt"));
    fs::write(log("rename-old"), "what went wrong\n").unwrap();
    let renamed = ran.then_manage().args(["rename-old", "rename", "rename-new"]).env("TOKEN", "of somebody else");
    let said =
        "installed: rename-new (/etc/systemd/system/rename-new.service)\nstarted: rename-new\nremoved: rename-old\n";
    renamed.stdout(said).run();
    let received = new.received();
    assert_eq!(received.argv[1..], ["some", "arguments"]);
    assert_eq!(["TOKEN", "A"].map(|name| received.variable(name).unwrap()), ["kept value", "1"]);
    assert_eq!(new.property("UnitFileState"), "disabled");
    // Nothing is left of the old one, not even what `remove` keeps.
    assert_eq!(old.property("LoadState"), "not-found");
    assert_eq!(old.host(&ran.folder().join("elsewhere")).len(), 0);
    let state = fs::read_dir(ran.folder().join("working_dir")).unwrap();
    let left: Vec<_> = state.filter_map(|entry| entry.unwrap().file_name().into_string().ok()).collect();
    assert!(!left.iter().any(|name| name.starts_with("rename-old")), "{left:?}");
    assert_eq!(fs::read_to_string(log("rename-new")).unwrap(), "what went wrong\n");
    assert!(!log("rename-old").exists());
    new.manage(&ran, "diff").stdout("").run();
    new.manage(&ran, "reinstall").stdout("unchanged: rename-new\n").run();
    old.manage(&ran, "status").status(4).run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_was_disabled_by_hand_and_does_not_run_stays_so() {
    let (old, new) = (named("rename-idle"), named("rename-idle-too"));
    let ran = old.install().probe([]).run();
    system("systemctl", &["disable", "--quiet", "rename-idle"]);
    ran.then_manage().args(["rename", "rename-idle", "rename-idle-too"]).run();
    assert_eq!([new.property("UnitFileState"), new.property("ActiveState")], ["disabled", "inactive"]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_name_that_is_taken_or_a_failure_leaves_it_as_it_was() {
    let (old, other) = (named("rename-stays"), named("rename-taken"));
    let never = named("rename-never");
    // It does not start under the new name.
    let script = "grep -q rename-never /proc/self/cgroup && exit 3; exec sleep 1000";
    let ran = old.install().args(["--env", "TOKEN", "--start"]).env("TOKEN", "value").script(script).run();
    other.install_again(&ran).probe([]).run();
    let rename = |new: &str| ran.then_manage().args(["rename-stays", "rename", new]);
    let taken = "ManageService: error: service name `rename-taken`: there is a service of that name\n  \
                 help: `ManageService rename-taken show` shows it\n";
    rename("rename-taken").status(2).stdout("").stderr(taken).run();
    let state = ran.folder().join("working_dir");
    let before = old.host(&state);
    rename("rename-never").status(1).stderr_contains("the host is as it was before").run();
    assert_eq!(old.host(&state), before);
    assert_eq!(never.property("LoadState"), "not-found");
    assert_eq!(old.property("ActiveState"), "active");
}

/// The directory can be that of an account, which has its own ideas of what lies in it.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_error_log_follows_where_the_owner_of_its_directory_could_rename_it() {
    for (name, other, mode, follows) in
        [("rename-open", "rename-opened", 0o700, true), ("rename-closed", "rename-closed-too", 0o500, false)]
    {
        let (old, new) = (named(name), named(other));
        let folder = folder_of("ann", &format!("/srv/{name}"));
        let log = |name: &str| folder.join(format!("{name}_ERROR_LOG.txt"));
        let install = old.install().args(["--account", "ann", "--working-directory", folder.to_str().unwrap()]);
        let ran = install.probe([]).run();
        fs::write(log(name), "what went wrong\n").unwrap();
        system("chown", &["ann", log(name).to_str().unwrap()]);
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        let renamed = ran.then_manage().args([name, "rename", other]).run();
        assert_eq!((log(other).exists(), log(name).exists()), (follows, !follows), "{name}");
        assert_eq!(renamed.stderr.contains("note: renaming `"), !follows, "{}", renamed.stderr);
        assert_eq!(new.property("LoadState"), "loaded");
    }
}
