//! The .deb on three Debians: services go on when it is upgraded, removed and purged.

use crate::support::host::Host;
use crate::{first_service, host_of, package, scratch, sh};

/// The same package as a later version.
fn later(deb: &std::path::Path, folder: &std::path::Path) {
    sh(
        "dpkg-deb --raw-extract \"$1\" \"$2/later\"; sed -i 's/^Version: .*/&+later/' \"$2/later/DEBIAN/control\"; \
        dpkg-deb --root-owner-group -Znone --build \"$2/later\" \"$2/later.deb\"",
        &[deb, folder],
    );
}

#[track_caller]
fn goes_on(host: &Host, pid: &str) {
    assert_eq!(host.pid("clock.service"), *pid, "{}: clock was restarted", host.name);
    assert_eq!(host.sh("systemctl is-enabled clock.service"), "enabled\n");
}

fn life(debian: &str) {
    let deb = package("_amd64.deb");
    let host = host_of(debian);
    let shown = deb.display();
    // As somebody types it; apt has all that it needs.
    host.sh(&format!("apt-get install --yes --no-install-recommends {shown}"));
    for name in ["install-service", "InstallService", "manage-service", "ManageService"] {
        assert!(host.sh(&format!("command -v {name}; {name} --version")).contains(env!("CARGO_PKG_VERSION")), "{name}");
    }
    first_service(&host, "", "clock");
    let pid = host.pid("clock.service");

    // The folder of what was built is seen there, too.
    let built = std::path::Path::new(env!("CARGO_BIN_EXE_InstallService")).parent().expect("a folder");
    let folder = tempfile::tempdir_in(built).expect("a folder");
    later(&deb, folder.path());
    host.sh(&format!("apt-get install --yes {}/later.deb", folder.path().display()));
    assert!(host.sh("dpkg-query --show install-service").contains("+later"));
    goes_on(&host, &pid);
    host.sh("manage-service clock diff");

    host.sh("apt-get remove --yes install-service; ! command -v install-service");
    goes_on(&host, &pid);
    let purged = host.try_sh("apt-get purge --yes install-service 2>&1");
    let purged = String::from_utf8_lossy(&purged.stdout).into_owned();
    assert!(purged.contains("your services go on") && purged.contains("/var/lib/install-service"), "{purged}");
    goes_on(&host, &pid);
    assert_eq!(host.sh("stat -c %a /var/lib/install-service/clock_env_vars.txt"), "600\n");

    // Whoever comes back finds them.
    host.sh(&format!("apt-get install --yes {shown}"));
    host.sh("manage-service clock diff && manage-service clock remove");
    assert_eq!(host.sh("systemctl show --value --property=LoadState clock.service"), "not-found\n");
}

#[test]
#[ignore = "needs root, packages and booted systemds: tests/run packages"]
fn services_go_on_through_upgrade_and_purge_on_debian_11() {
    life("bullseye");
}

#[test]
#[ignore = "needs root, packages and booted systemds: tests/run packages"]
fn services_go_on_through_upgrade_and_purge_on_debian_12() {
    life("bookworm");
}

#[test]
#[ignore = "needs root, packages and booted systemds: tests/run packages"]
fn services_go_on_through_upgrade_and_purge_on_debian_13() {
    life("trixie");
}

#[test]
#[ignore = "needs packages and lintian: tests/run packages"]
fn lintian_has_no_errors() {
    let folder = scratch();
    let said = sh(
        "cd \"$2\"; lintian --fail-on error --info --tag-display-limit 0 --allow-root \"$1\" || { status=$?; [ $status = 2 ] && exit 1; }",
        &[&package("_amd64.deb"), folder.path()],
    );
    assert!(!said.lines().any(|line| line.starts_with("E:")), "{said}");
}

/// `install-service` behind a sudo is the path of the link that was typed.
#[test]
#[ignore = "needs root, packages and a booted systemd: tests/run packages"]
fn a_person_installs_through_sudo_by_the_second_name() {
    let host = host_of("bookworm");
    host.sh(&format!("apt-get install --yes {}", package("_amd64.deb").display()));
    host.sh("su joe -c 'cd; install-service --start --service_name joes -- /bin/sleep 1000'");
    let shown = host.sh("su joe -c 'install-service --dry-run --service_name joes -- /bin/sleep 1000'");
    assert!(
        shown.ends_with("type this to install:\n    install-service --service_name joes -- /bin/sleep 1000\n"),
        "{shown}"
    );
    assert_eq!(
        host.sh("su joe -c 'manage-service joes remove' > /dev/null; systemctl is-active joes || true"),
        "inactive\n"
    );
}
