//! Which systemd this machine has.

use super::process;
use super::reading::{self, Limit, Links};
use crate::model::invocation::Invocation;

/// The version of the systemd of this machine, whether it runs or not; `None` where there is none.
pub fn version() -> Option<u32> {
    running_version().or_else(|| {
        let answer = process::answer(&Invocation::new(["systemctl", "--version"]), &[]).ok()?.text();
        // `systemd 252 (252.39-1~deb12u1)`
        answer.split_whitespace().nth(1)?.parse().ok()
    })
}

/// The version of the systemd that runs this machine, by the library that process 1 has loaded.
///
/// It saves a process, which is a tenth of a whole install. Only root may look; where this does not
/// tell, `systemctl --version` does.
fn running_version() -> Option<u32> {
    version_of_maps(&reading::whole_text(&"/proc/1/maps".into(), Links::Followed, Limit::SYSTEM).ok()?)
}

/// `.../libsystemd-shared-252.so`, with the packager's own number as `libsystemd-shared-255.10-1.fc40.so`.
fn version_of_maps(maps: &str) -> Option<u32> {
    let (_, rest) = maps.split_once("/libsystemd-shared-")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_of_process_1_tells_the_version() {
        let maps =
            |library: &str| format!("7f0-7f1 r--p 0 08:01 5 /usr/lib/x/libc.so.6\n7f2-7f3 r--p 0 08:01 6 {library}\n");
        for (library, version) in [
            ("/usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared-252.so", Some(252)),
            ("/usr/lib/systemd/libsystemd-shared-255.10-1.fc40.so", Some(255)),
            ("/usr/lib/systemd/libsystemd-core-252.so", None),
            ("/usr/lib/systemd/libsystemd-shared-.so", None),
        ] {
            assert_eq!(version_of_maps(&maps(library)), version, "{library}");
        }
    }
}
