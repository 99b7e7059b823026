//! [`Release`]: the releases of NSSM whose files are known by their checksums.

/// A release of NSSM, the older one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// 2.24, the last one that is not called a preview (2014).
    V2_24,
    /// 2.24-101, which nssm.cc names for Windows 10 from 1703 on, where 2.24 may not start services (2017). winget and
    /// Chocolatey install it.
    V2_24_101,
}

/// For how many bits an executable is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bits {
    /// 32.
    Of32,
    /// 64.
    Of64,
}

impl Bits {
    /// Those of this program, which `nssm.exe` on this machine has, too.
    pub const OWN: Self = if cfg!(target_pointer_width = "64") { Self::Of64 } else { Self::Of32 };
}

/// A file of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Where it is: an address, or a member of an archive.
    pub place: &'static str,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: &'static str,
}

impl Release {
    /// All of them, the one that is wanted most first.
    pub const WANTED: [Self; 2] = [Self::V2_24_101, Self::V2_24];

    /// The release that has an executable of this checksum.
    pub fn of(sha256: &str) -> Option<Self> {
        let has_it = |release: &Self| release.executables().iter().any(|known| known.sha256 == sha256);
        Self::WANTED.into_iter().find(has_it)
    }

    /// What it is called.
    pub fn version(self) -> &'static str {
        match self {
            Self::V2_24 => "2.24",
            Self::V2_24_101 => "2.24-101",
        }
    }

    /// Its archive.
    pub fn archive(self) -> Known {
        match self {
            Self::V2_24 => Known {
                place: "https://nssm.cc/release/nssm-2.24.zip",
                sha256: "727d1e42275c605e0f04aba98095c38a8e1e46def453cdffce42869428aa6743",
            },
            Self::V2_24_101 => Known {
                place: "https://nssm.cc/ci/nssm-2.24-101-g897c7ad.zip",
                sha256: "99f5045fffbffb745d67fe3a065a953c4a3d9c253b868892d9b685b0ee7d07b8",
            },
        }
    }

    /// The executable in it.
    pub fn executable(self, bits: Bits) -> Known {
        match (self, bits) {
            (Self::V2_24, Bits::Of64) => Known {
                place: "nssm-2.24/win64/nssm.exe",
                sha256: "f689ee9af94b00e9e3f0bb072b34caaf207f32dcb4f5782fc9ca351df9a06c97",
            },
            (Self::V2_24, Bits::Of32) => Known {
                place: "nssm-2.24/win32/nssm.exe",
                sha256: "472232ca821b5c2ef562ab07f53638bc2cc82eae84cea13fbe674d6022b6481c",
            },
            (Self::V2_24_101, Bits::Of64) => Known {
                place: "nssm-2.24-101-g897c7ad/win64/nssm.exe",
                sha256: "eee9c44c29c2be011f1f1e43bb8c3fca888cb81053022ec5a0060035de16d848",
            },
            (Self::V2_24_101, Bits::Of32) => Known {
                place: "nssm-2.24-101-g897c7ad/win32/nssm.exe",
                sha256: "682f1025b4c410ae78b1c5bdc4de7ad315f2eff292c66947c13969930028c98d",
            },
        }
    }

    /// Both executables in it.
    pub fn executables(self) -> [Known; 2] {
        [self.executable(Bits::Of64), self.executable(Bits::Of32)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_executable_tells_its_release() {
        for release in Release::WANTED {
            for known in release.executables() {
                assert_eq!(Release::of(known.sha256), Some(release));
            }
            assert_eq!(Release::of(release.archive().sha256), None);
        }
        assert!(Release::V2_24_101 > Release::V2_24);
    }
}
