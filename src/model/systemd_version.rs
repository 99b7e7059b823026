//! Versions of systemd: what a unit is written for.

use std::fmt;
use std::str::FromStr;

/// A version of systemd that units are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SystemdVersion(u32);

impl SystemdVersion {
    /// That of RHEL 8, and the oldest that we write for: before it systemd reads neither every argument nor every variable
    /// as it is written.
    pub const OLDEST: Self = Self(239);

    /// The one that units are written for unless another one is named, or the host that they are for is known to have an
    /// earlier one, as Debian 11 has. Nothing that we render by ourselves needs a newer one, so it serves Ubuntu 22.04,
    /// RHEL 9 and what came later.
    pub const USUAL: Self = Self(248);

    /// Whether it has what came with `since`.
    pub fn has(self, since: u32) -> bool {
        self.0 >= since
    }

    /// Its number.
    pub fn number(self) -> u32 {
        self.0
    }
}

impl From<u32> for SystemdVersion {
    fn from(number: u32) -> Self {
        Self(number.max(Self::OLDEST.0))
    }
}

impl fmt::Display for SystemdVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SystemdVersion {
    type Err = String;

    /// Reads `systemd=239`.
    fn from_str(word: &str) -> Result<Self, String> {
        match word.strip_prefix("systemd=").and_then(|number| number.parse().ok()) {
            Some(number) if number >= Self::OLDEST.0 => Ok(Self(number)),
            Some(_) => Err(format!("{} is the oldest version that units can be written for", Self::OLDEST)),
            None => Err("must be `systemd=VERSION`, such as `systemd=239`".to_owned()),
        }
    }
}
