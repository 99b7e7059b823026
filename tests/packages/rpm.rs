//! The .rpm, as far as an rpm without Fedora can show it: installed, a first service, erased.

use crate::{first_service, host_of, package};

#[test]
#[ignore = "needs root, packages, rpm and a booted systemd: tests/run packages"]
fn services_go_on_when_it_is_erased() {
    let host = host_of("bookworm");
    // What it needs is known to dpkg there.
    host.sh(&format!("rpm --install --nodeps {}", package(".x86_64.rpm").display()));
    first_service(&host, "", "clock");
    let pid = host.pid("clock.service");
    let erased = host.sh("rpm --erase install-service 2>&1");
    assert!(erased.contains("your services go on") && erased.contains("/var/lib/install-service"), "{erased}");
    assert_eq!(host.pid("clock.service"), pid);
    assert_eq!(host.sh("ls /usr/bin/*nstall-service /usr/share/install-service 2> /dev/null || true"), "");
}

#[test]
#[ignore = "needs packages and rpm: tests/run packages"]
fn it_asks_for_an_old_glibc_and_nothing_else() {
    let asks = crate::sh(
        "rpm --query --package --requires \"$1\" | grep --invert-match '^rpmlib(\\|^/bin/sh'",
        &[&package(".x86_64.rpm")],
    );
    assert_eq!(asks, "glibc >= 2.17\n");
}
