//! Secrets as credentials on a systemd that cannot encrypt them (247 to 249): refused, and with `--assume` given to the
//! program from the file that only root reads. Later ones do that too when they are told to.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::booted::{named, systemd_version};

const SECRET: &str = "hunter 2 \\ \"$x\" `id` ' ! %n\n#second=line é\t";

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_cannot_be_encrypted_reaches_the_program_from_a_file() {
    let service = named("credentials-plain");
    let install = || service.install().args(["--secrets", "credentials", "--env", "TOKEN"]).env("TOKEN", SECRET);
    let version = systemd_version();
    if version < 250 {
        let refused = format!(
            "InstallService: error: systemd: this host has version {version}, and the unit is written for 250\n  \
             help: `--assume systemd={version}` uses only what this version knows\n"
        );
        install().probe([]).status(2).stderr(refused).run();
        assert!(!service.unit().exists());
    }
    let assumed = format!("systemd={}", version.min(249));
    let ran = install().args(["--assume", &assumed, "--start"]).probe([]).run();
    let kept = ran.folder().join("working_dir/credentials-plain_env_vars.txt");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o7777, 0o600);
    assert!(service.unit_text().contains(&format!("\nLoadCredential=environment:{}\n", kept.display())));
    assert_eq!(service.received().variable("TOKEN"), Some(SECRET.as_ref()));
    service.manage(&ran, "diff").run();
    service.manage(&ran, "remove").args(["--remove_env_vars", "--remove_install_args"]).run();
    assert!(service.host(&ran.folder().join("working_dir")).is_empty());
}
