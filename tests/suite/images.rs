//! Exports for the root of a system, such as an image: with the links that start services at boot, and with nothing of ours
//! in its `/`. tests/verify/images.rs boots one.

use std::fs;
use std::path::Path;

use crate::support::{Ran, Test, tree};

const UNITS: &str = "etc/systemd/system";
const STATE: &str = "var/lib/install-service";

fn export(test: Test, options: &[&str]) -> Test {
    let test = test.env("INSTALLSERVICE_WORKING_DIR", "").args(["--output", "root", "--working-directory", "/srv"]);
    test.args(["--service_name", "web"]).args(options).args(["--", "/bin/true"])
}

/// A folder that is the root of a system, as far as that shows.
fn root() -> Ran {
    Test::install().file("root/usr/lib/os-release", "ID=debian\n").arg("-V").run()
}

/// The links below the root, with what they say.
fn links(ran: &Ran) -> Vec<(String, String)> {
    let found = tree(&ran.folder().join("root")).into_keys();
    let link = |path: std::path::PathBuf| {
        let target = fs::read_link(ran.folder().join("root").join(&path)).ok()?;
        Some((path.to_str()?.to_owned(), target.to_str()?.to_owned()))
    };
    found.filter_map(link).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(path, target)| ((*path).to_owned(), (*target).to_owned())).collect()
}

#[test]
fn the_root_of_a_system_is_told_from_a_tree() {
    let ran = export(root().then_install(), &[])
        .stderr(
            "note: `root` is the root of a system, in which nothing starts the services yet; `--enable-links` does, at boot\n",
        )
        .run();
    assert!(!ran.stdout.contains("root/MANIFEST") && ran.stdout.contains(&format!("root/{STATE}/MANIFEST.toml\n")));
    let top: Vec<_> =
        fs::read_dir(ran.folder().join("root")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(top.len(), 3, "etc, usr and var: {top:?}");
    assert!(links(&ran).is_empty());
    // One without secrets or a start at boot has nothing more to be told of.
    export(root().then_install(), &["--no-boot"]).stderr("").run();
    export(root().then_install(), &["--enable-links", "--env", "TOKEN"])
        .stderr(format!(
            "note: `web`: its secrets are not exported: before it starts, `/{STATE}/web_env_vars.txt` must be there, with \
             mode 0600; `/{STATE}/web_env_vars.txt.example` names them\n"
        ))
        .run();
}

#[test]
fn the_links_are_those_that_systemctl_enable_makes() {
    let ran = export(Test::install(), &["--enable-links"]).stderr("").run();
    let link = format!("{UNITS}/multi-user.target.wants/web.service");
    assert!(ran.stdout.contains(&format!("root/{link}\n")), "{}", ran.stdout);
    assert_eq!(links(&ran), pairs(&[(&link, "/etc/systemd/system/web.service")]));
    // A service with a schedule is started by its timer; an alias is a link, too.
    let ran = export(Test::install(), &["--enable-links", "--schedule", "daily"]).run();
    let timer = format!("{UNITS}/timers.target.wants/web.timer");
    assert_eq!(links(&ran), pairs(&[(&timer, "/etc/systemd/system/web.timer")]));
    let options = ["--enable-links", "--property", "Install.Alias=www.service", "--property", "Install.Also=x.socket"];
    let told = "note: `web`: `Also=` names `x.socket`, which is not exported; `systemctl --root root enable x.socket` enables it\n";
    let ran = export(Test::install(), &options).stderr(told).run();
    let alias = format!("{UNITS}/www.service");
    let unit = "/etc/systemd/system/web.service";
    assert_eq!(links(&ran), pairs(&[(&link, unit), (&alias, unit)]));
    let ran = export(Test::install(), &["--enable-links", "--no-boot"]).run();
    assert!(links(&ran).is_empty());
}

/// In any home directory, so they lead from where they lie.
#[test]
fn links_of_a_user_hold_in_any_home() {
    let ran = export(Test::install(), &["--enable-links", "--user"]).run();
    let link = ".config/systemd/user/default.target.wants/web.service";
    assert_eq!(links(&ran), pairs(&[(link, "../web.service")]));
    assert!(ran.folder().join("root").join(link).canonicalize().is_ok(), "it leads to the unit");
    assert!(ran.folder().join("root/.local/state/install-service/MANIFEST.sha256").exists());
    let help = "help: such as `--output root/home/NAME`, or `--output root/etc/skel` for users to come\n";
    export(root().then_install(), &["--user"]).status(2).stdout("").stderr_contains(help).run();
}

#[test]
fn a_second_export_takes_links_and_the_other_list_away() {
    // Of a tree with its list at the top; then with links, and then without.
    let ran = export(Test::install(), &[]).run();
    assert!(ran.folder().join("root/MANIFEST.sha256").exists());
    let ran = export(ran.then_install(), &["--enable-links"]).run();
    assert!(!ran.folder().join("root/MANIFEST.sha256").exists() && !ran.folder().join("root/MANIFEST.toml").exists());
    assert_eq!(links(&ran).len(), 1);
    let once = tree(&ran.folder().join("root"));
    let ran = export(ran.then_install(), &["--enable-links"]).run();
    assert_eq!(tree(&ran.folder().join("root")), once);
    let ran = export(ran.then_install(), &["--enable-links", "--no-boot"]).run();
    assert!(links(&ran).is_empty() && !ran.folder().join("root").join(UNITS).join("multi-user.target.wants").exists());
    export(ran.then_install(), &["--enable-links"]).run();
    let ran = export(ran.then_install(), &[]).run();
    assert!(links(&ran).is_empty() && !ran.folder().join("root").join(STATE).join("MANIFEST.sha256").exists());
    assert_eq!(tree(&ran.folder().join("root")), tree(&export(Test::install(), &[]).run().folder().join("root")));
}

#[test]
fn links_of_others_stay() {
    let wants = format!("root/{UNITS}/multi-user.target.wants");
    let with = |name: &str, target: &str| {
        let ran = Test::install().file(format!("{wants}/.keep"), "").arg("-V").run();
        std::os::unix::fs::symlink(target, ran.folder().join(&wants).join(name)).unwrap();
        ran
    };
    // One that starts the same unit is as good, and is not ours to take away.
    let ran = with("web.service", "../web.service");
    export(ran.then_install(), &["--enable-links"]).run();
    let ran = export(ran.then_install(), &["--enable-links", "--no-boot"]).run();
    assert_eq!(links(&ran).len(), 1);
    // One that is something else is in the way; nothing is written then.
    let ran = with("web.service", "/dev/null");
    let told = format!("refusing to touch `{wants}/web.service`: something is in its place");
    export(ran.then_install(), &["--enable-links"]).status(2).stdout("").stderr_contains(told).run();
    assert!(!ran.folder().join("root").join(UNITS).join("web.service").exists());
    let ran = with("other.service", "/etc/systemd/system/other.service");
    export(ran.then_install(), &["--enable-links"]).run();
    let ran = export(ran.then_install(), &["--enable-links", "--no-boot"]).run();
    assert_eq!(links(&ran).len(), 1);
}

#[test]
fn links_are_for_a_tree_of_systemd() {
    for (options, reason) in [
        (&["--dry-run"][..], "needs `--output DIR`: an install has the service manager make them"),
        (&["--output", "root", "--layout", "ansible"], "a role enables the services by itself"),
        (&["--output", "root", "--target", "nssm", "--no-nssm"], "must be for systemd: NSSM knows no links"),
    ] {
        let test = Test::install().args(["--enable-links", "--service_name", "web"]).args(options);
        let told = format!("InstallService: error: option `--enable-links`: {reason}\n");
        let ran = test.args(["--", "/bin/true"]).status(2).stdout("").stderr_contains(told).run();
        assert!(!Path::new("root").exists() && !ran.folder().join("root").exists());
    }
}
