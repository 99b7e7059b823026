//! The logs that NSSM has set aside, which it never deletes itself.

use std::thread;
use std::time::Duration;

use crate::host::files;
use crate::managers::log_file;
use crate::model::text::Text;

use super::program::say;

/// How long it is waited before the next look: NSSM sets a log aside once it has 10 MiB.
const PAUSE: Duration = Duration::from_secs(60);

/// From now on no more than the last `keep` logs are there that were set aside of `output`.
pub(super) fn keep(output: &Text, keep: u32) {
    take_away(output, keep);
    let output = output.clone();
    // It ends with the program.
    thread::spawn(move || {
        loop {
            thread::sleep(PAUSE);
            take_away(&output, keep);
        }
    });
}

/// Deletes those that are older than the last `keep`.
fn take_away(output: &Text, keep: u32) {
    let mut aside = log_file::files(output);
    aside.retain(|path| path != output);
    let surplus = aside.len().saturating_sub(usize::try_from(keep).unwrap_or(usize::MAX));
    for path in &aside[..surplus] {
        if let Err(error) = files::remove(path) {
            say(&format!("cannot delete the log `{path}`: {error}"));
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the files that are looked at")]
mod tests {
    use super::*;

    #[test]
    fn the_last_ones_stay_and_nothing_else_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let aside = ["web-20261122T071811.772.log", "web-20261123T071811.772.log", "web-20261124T071811.772.log"];
        let others = ["web.log", "web-1.log", "other-20261122T071811.772.log"];
        for name in aside.iter().chain(&others) {
            std::fs::write(path(name), "").unwrap();
        }
        take_away(&path("web.log").display().to_string().into(), 1);
        let left = |names: &[&str]| names.iter().map(|name| path(name).exists()).collect::<Vec<_>>();
        assert_eq!(left(&aside), [false, false, true]);
        assert_eq!(left(&others), [true, true, true]);
        take_away(&path("web.log").display().to_string().into(), 0);
        assert_eq!((left(&aside)[2], left(&others)[0]), (false, true));
    }
}
