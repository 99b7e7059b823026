//! Hosts of our own, each a booted systemd of its own (`tests/beds/systemd.sh`), which a test looks at from outside.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

pub(crate) const BED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/beds/systemd.sh");

/// A booted systemd that is gone with this value, and with this process.
pub(crate) struct Host {
    /// What the bed is called.
    pub(crate) name: String,
    bed: Child,
}

impl Host {
    /// Begins to boot one, with these options of the bed. What was built is there, too.
    pub(crate) fn boot(options: &[&str]) -> Self {
        // Those of two tests run side by side.
        static NUMBERS: AtomicU32 = AtomicU32::new(1);
        let name = format!("host-{}-{}", std::process::id(), NUMBERS.fetch_add(1, Ordering::Relaxed));
        let mut bed = Command::new(BED);
        // It ends with its standard input.
        let target = Path::new(env!("CARGO_BIN_EXE_InstallService")).parent().expect("a folder");
        bed.args(["with", &name]).args(options).arg("--bind").arg(target).args(["sh", "-c", "echo up; exec cat"]);
        let bed = bed.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a bed");
        Self { name, bed }
    }

    /// Waits until it has.
    #[track_caller]
    pub(crate) fn wait(&mut self) {
        let mut line = String::new();
        BufReader::new(self.bed.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        assert_eq!(line, "up\n", "{} did not boot", self.name);
    }

    /// The output of a shell script on it.
    #[track_caller]
    pub(crate) fn sh(&self, script: &str) -> String {
        let output = self.try_sh(script);
        let said = [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat();
        assert!(output.status.success(), "{}: {script}: {said}", self.name);
        String::from_utf8(output.stdout).expect("text")
    }

    /// What a shell script on it comes to.
    pub(crate) fn try_sh(&self, script: &str) -> Output {
        Command::new(BED).args(["run", &self.name, "sh", "-c", script]).output().expect("nsenter")
    }

    /// The process that runs.
    pub(crate) fn pid(&self, unit: &str) -> String {
        self.sh(&format!("systemctl show --value --property=MainPID {unit}"))
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.bed.stdin.take());
        drop(self.bed.wait());
    }
}
