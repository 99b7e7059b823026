//! Services of the booted systemd that all tests of a run share: each test has names of its own, and
//! leaves none behind.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Ran, Test, probe, system, tree};

/// A name that is free, and is free again when this goes.
pub(crate) struct Named(&'static str);

/// Nothing of this name is left when the test ends, however it ends.
pub(crate) fn named(name: &'static str) -> Named {
    Named(name)
}

impl Named {
    /// The unit's file.
    pub(crate) fn unit(&self) -> PathBuf {
        format!("/etc/systemd/system/{self}.service").into()
    }

    /// The unit as it stands.
    #[track_caller]
    pub(crate) fn unit_text(&self) -> String {
        fs::read_to_string(self.unit()).expect("the unit")
    }

    /// The link that starts it at boot.
    pub(crate) fn boot_link(&self) -> PathBuf {
        format!("/etc/systemd/system/multi-user.target.wants/{self}.service").into()
    }

    /// What systemd says of it.
    #[track_caller]
    pub(crate) fn property(&self, property: &str) -> String {
        let answer = system("systemctl", &["show", "--value", &format!("--property={property}"), &self.to_string()]);
        answer.trim_end().to_owned()
    }

    /// The file of its timer.
    pub(crate) fn timer(&self) -> PathBuf {
        format!("/etc/systemd/system/{self}.timer").into()
    }

    /// What systemd says of its timer.
    #[track_caller]
    pub(crate) fn timer_property(&self, property: &str) -> String {
        let answer =
            system("systemctl", &["show", "--value", &format!("--property={property}"), &format!("{self}.timer")]);
        answer.trim_end().to_owned()
    }

    /// The process that runs.
    #[track_caller]
    pub(crate) fn pid(&self) -> u32 {
        self.property("MainPID").parse().expect("a number")
    }

    /// What the probe received that runs as this service.
    #[track_caller]
    pub(crate) fn received(&self) -> probe::Received {
        probe::Received::by(self.pid())
    }

    /// `InstallService --service_name NAME`, in a new folder.
    pub(crate) fn install(&self) -> Test {
        Test::install().args(["--service_name", self.0])
    }

    /// `InstallService --service_name NAME`, in the same folder.
    pub(crate) fn install_again(&self, ran: &Ran) -> Test {
        ran.then_install().args(["--service_name", self.0])
    }

    /// `ManageService NAME MODE`, in the same folder.
    pub(crate) fn manage(&self, ran: &Ran, mode: &str) -> Test {
        ran.then_manage().args([self.0, mode])
    }

    /// Everything on the host that has to do with it, and with what is kept in `state`: name, mode and
    /// contents. The lock and the log are of no service.
    pub(crate) fn host(&self, state: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut files = BTreeMap::new();
        for folder in [Path::new("/etc/systemd/system"), state] {
            for (name, contents) in tree(folder) {
                let path = folder.join(&name);
                // Not those of a service whose name begins with this one.
                let of_it = |part: &str| {
                    let part = part.strip_prefix(".install-service-").unwrap_or(part);
                    part.strip_prefix(self.0).is_some_and(|rest| rest.starts_with('.'))
                };
                let ours = folder == state || name.to_string_lossy().split('/').any(of_it);
                if ours && !matches!(name.to_str(), Some(".lock" | "Services.log")) {
                    let mode = path.symlink_metadata().map_or(0, |metadata| metadata.permissions().mode());
                    files.insert(path, (mode, contents));
                }
            }
        }
        files
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let run = |words: &[&str], unit: &str| drop(Command::new("systemctl").args(words).arg(unit).output());
        for (unit, path) in [(format!("{self}.timer"), self.timer()), (self.to_string(), self.unit())] {
            let drop_ins = PathBuf::from(format!("{}.d", path.display()));
            if path.symlink_metadata().is_ok() || drop_ins.exists() {
                run(&["disable", "--now", "--quiet"], &unit);
                drop(fs::remove_file(path));
                drop(fs::remove_dir_all(drop_ins));
                drop(Command::new("systemctl").arg("daemon-reload").output());
            }
        }
        run(&["reset-failed", "--quiet"], self.0);
    }
}

/// `systemctl --user` of that person, asked by root. (`--machine=PERSON@` came with systemd 248.)
pub(crate) fn services_of(person: &str, words: &[&str]) -> Command {
    let mut command = Command::new("runuser");
    let ask = "XDG_RUNTIME_DIR=/run/user/$(id -u) exec systemctl --user \"$@\"";
    command.args(["-u", person, "--", "sh", "-c", ask, "sh"]).args(words);
    command
}

/// The version of the systemd that runs.
pub(crate) fn systemd_version() -> u32 {
    let told = system("systemctl", &["--version"]);
    told.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("`systemd 252 (252.39-1)`")
}

/// A new folder of that person, for everybody to enter, which the folders of [`Test`] are not.
pub(crate) fn folder_of(person: &str, path: &str) -> PathBuf {
    drop(fs::remove_dir_all(path));
    fs::create_dir_all(path).expect("a folder");
    system("chown", &[person, path]);
    path.into()
}

impl Test {
    /// The probe is what is installed, with these arguments.
    pub(crate) fn probe<const N: usize>(self, arguments: [&str; N]) -> Self {
        self.arg("--").arg(probe::path()).args(arguments)
    }

    /// A shell script is what is installed.
    pub(crate) fn script(self, script: &str) -> Self {
        self.args(["--", "/bin/sh", "-c", script])
    }

    /// Runs as this person, to whom the folder is given.
    pub(crate) fn by_person(self, person: &str) -> Self {
        fs::create_dir_all(self.folder().join("home")).expect("a home");
        system("chown", &["-R", person, self.folder().to_str().expect("plain text")]);
        self.through(&["runuser", "-u", person, "--"])
    }

    /// A script that stands in for a program of the system: it is found first. In it, `real` is the program.
    pub(crate) fn instead_of(self, program: &str, script: &str) -> Self {
        let real = which::which(program).expect("the program");
        let folder = self.folder().join(format!("instead-of-{program}"));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join(program);
        fs::write(&path, format!("#!/bin/sh\nreal={}\n{script}\n", real.display())).expect("to write it");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("to make it executable");
        let search = std::env::var("PATH").expect("a PATH");
        self.env("PATH", format!("{}:{search}", folder.display()))
    }
}
