//! Where an `nssm.exe` comes from, on either system: the one that is named, the archive that is named, the current
//! directory, PATH, what was downloaded before, the download. Nothing is used whose SHA-256 is not known, unless the
//! user says so: no note of anybody's stands for it.

use std::env;
use std::io::{self, Cursor, Read};

use super::fetch;
use super::{Need, Supply, TellSupply, Wishes};
use crate::error::{Error, Fault};
use crate::host::environment::{self, non_empty};
use crate::host::reading::{self, Limit, Links, Unread};
use crate::host::text::{path as to_path, text};
use crate::host::{files, interrupt};
use crate::model::artifact::Artifact;
use crate::model::nssm_release::{Bits, Release};
use crate::model::place::RUNNER;
use crate::model::platform::Platform;
use crate::model::text::Text;
use crate::render::checksums;

/// What it is called everywhere.
pub const NSSM: &str = "nssm.exe";

/// The larger archive has 351,793 bytes, the largest executable 368,640.
const LIMIT: u64 = 8 << 20;

/// An `nssm.exe` that may be used.
#[derive(Clone, Debug)]
pub struct Nssm {
    /// The program.
    pub exe: Vec<u8>,
    /// Where it came from.
    pub from: Text,
    /// Its release; of one that only the user knows there is none.
    pub release: Option<Release>,
}

/// How an `nssm.exe` is looked for.
#[derive(Debug)]
pub struct Search<'a> {
    /// What the command line says.
    pub wishes: &'a Wishes,
    /// What services need of it.
    pub need: Option<&'a Need>,
    /// For how many bits it has to be, where it comes from an archive.
    pub bits: Bits,
}

impl Search<'_> {
    /// The one of `--nssm`, if that is given.
    ///
    /// # Errors
    /// When it cannot be read, or may not be used.
    pub fn named(&self, tell: TellSupply<'_>) -> Result<Option<Nssm>, Error> {
        let Some(path) = &self.wishes.exe else { return Ok(None) };
        self.checked(read("option `--nssm`", path)?, path, tell).map(Some)
    }

    /// The one in the archive of `--nssm-archive`, if that is given.
    ///
    /// # Errors
    /// When it cannot be read, or may not be used.
    pub fn named_archive(&self, tell: TellSupply<'_>) -> Result<Option<Nssm>, Error> {
        const OPTION: &str = "option `--nssm-archive`";
        let Some(path) = &self.wishes.archive else { return Ok(None) };
        let exe = self
            .unpacked(&read(OPTION, path)?)
            .map_err(|reason| Error::refused(Fault::new(OPTION, reason).given(path)))?;
        self.checked(exe, path, tell).map(Some)
    }

    /// One that nobody has named: from here, from PATH, from the last download, or from the next. `Err` is why there
    /// is none.
    ///
    /// # Errors
    /// When it is interrupted.
    pub fn anywhere(&self, tell: TellSupply<'_>) -> Result<Result<Nssm, String>, Error> {
        for path in candidates() {
            let Ok(exe) = read(NSSM, &path) else { continue };
            let sha256 = sha256(&exe);
            match self.doubt(&sha256) {
                None => return Ok(Ok(self.told(exe, &path, tell))),
                Some(reason) => tell(Supply::PassesOver { path: &path, reason: &reason }),
            }
        }
        if let Some(nssm) = self.downloaded_before() {
            return Ok(Ok(nssm));
        }
        if self.wishes.offline {
            return Ok(Err("nssm.exe is not here, and `--offline` forbids to download it".into()));
        }
        let urls = self.mirrors();
        tell(Supply::Downloads(&urls));
        let accept = |bytes: Vec<u8>| self.unpacked(&bytes);
        match fetch::download(&urls, LIMIT, self.wishes.ca_file.as_ref(), accept) {
            Ok((exe, url)) => {
                let nssm = Nssm { release: Release::of(&sha256(&exe)), exe, from: url.into() };
                self.remember(&nssm);
                Ok(Ok(nssm))
            }
            Err(failures) => {
                interrupt::check()?;
                Ok(Err(format!("downloading NSSM failed:\n    {}", failures.join("\n    "))))
            }
        }
    }

    /// The executable of `release`, if the archive that is named has it, or it is here, on PATH or was downloaded before.
    #[cfg(windows)]
    pub fn at_hand(&self, release: Release) -> Option<Nssm> {
        let is_it = |exe: &Vec<u8>| Release::of(&sha256(exe)) == Some(release);
        let of = |path: Text, exe: Vec<u8>| Nssm { exe, from: path, release: Some(release) };
        let archived = self.wishes.archive.as_ref().and_then(|path| {
            let exe = self.unpacked(&read(NSSM, path).ok()?).ok().filter(is_it)?;
            Some(of(path.clone(), exe))
        });
        let lying =
            || candidates().into_iter().find_map(|path| Some(of(path.clone(), read(NSSM, &path).ok().filter(is_it)?)));
        archived.or_else(lying).or_else(|| self.downloaded_before().filter(|nssm| nssm.release == Some(release)))
    }

    /// The one at `path`, if it is that of a release that will do.
    pub fn put_already(&self, path: &Text) -> Option<Nssm> {
        let exe = reading::whole(path, Links::Refused, Limit::PROGRAM).ok()?;
        let release = Release::of(&sha256(&exe)).filter(|release| self.releases().any(|known| known == *release))?;
        Some(Nssm { exe, from: path.clone(), release: Some(release) })
    }

    /// `exe`, which lies at `path`, if it may be used.
    ///
    /// # Errors
    /// Why it may not.
    pub fn checked(&self, exe: Vec<u8>, path: &Text, tell: TellSupply<'_>) -> Result<Nssm, Error> {
        let sha256 = sha256(&exe);
        let Some(reason) = self.doubt(&sha256) else { return Ok(self.told(exe, path, tell)) };
        let help = match Release::of(&sha256) {
            Some(_) => "`ManageService --upgrade-nssm` brings that under all services",
            None => "`--allow-unknown-nssm` uses it all the same, at your own risk",
        };
        Err(Error::refused(Fault::new(NSSM, reason).given(path).help(help)))
    }

    /// What may be used, told where only the user knows it.
    fn told(&self, exe: Vec<u8>, path: &Text, tell: TellSupply<'_>) -> Nssm {
        let sha256 = sha256(&exe);
        let release = Release::of(&sha256);
        if release.is_none() {
            tell(Supply::Unknown { path, sha256: &sha256 });
        }
        Nssm { exe, from: path.clone(), release }
    }

    /// Why one of this checksum may not be used.
    fn doubt(&self, sha256: &str) -> Option<String> {
        let Some(release) = Release::of(sha256) else {
            let known = Release::WANTED.map(|release| {
                let [wide, narrow] = release.executables();
                format!("{} has {} (64 bits) or {} (32 bits)", release.version(), wide.sha256, narrow.sha256)
            });
            let reason = || format!("its SHA-256 is {sha256}, and NSSM {}", known.join(", and "));
            return (!self.wishes.allow_unknown).then(reason);
        };
        let Need { release: needed, what } = self.need.filter(|need| release < need.release)?;
        Some(format!("it is that of NSSM {}, and {what} needs {}", release.version(), needed.version()))
    }

    /// Mirrors named in the environment come first.
    fn mirrors(&self) -> Vec<String> {
        let named = env::var("INSTALLSERVICE_NSSM_URLS").unwrap_or_default();
        let named = named.split([' ', ',']).filter(|url| !url.is_empty()).map(str::to_owned);
        named.chain(self.releases().map(|release| release.archive().place.to_owned())).collect()
    }

    /// The releases that will do.
    fn releases(&self) -> impl Iterator<Item = Release> {
        Release::WANTED.into_iter().filter(|release| self.need.is_none_or(|need| *release >= need.release))
    }

    /// The executable in an archive of a known checksum.
    fn unpacked(&self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let found = sha256(bytes);
        let expected = env::var("INSTALLSERVICE_NSSM_SHA256").map_or_else(
            |_| self.releases().map(|release| release.archive().sha256.to_owned()).collect(),
            |sum| vec![sum],
        );
        if !expected.contains(&found) && !self.wishes.allow_unknown {
            return Err(format!("its SHA-256 is {found}, and that of NSSM must be {}", expected.join(" or ")));
        }
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
        for index in 0..archive.len() {
            let member = archive.by_index_raw(index).map_err(|error| error.to_string())?;
            if member.enclosed_name().is_none() {
                return Err(format!(
                    "its member `{}` would leave the folder",
                    String::from_utf8_lossy(member.name_raw())
                ));
            }
        }
        let known: Vec<_> = self.releases().map(|release| release.executable(self.bits)).collect();
        let Some(known) = known.iter().find(|known| archive.index_for_name(known.place).is_some()) else {
            let members: Vec<_> = known.iter().map(|known| format!("`{}`", known.place)).collect();
            return Err(format!("there is no {} in it", members.join(" and no ")));
        };
        let member = known.place;
        let mut exe = Vec::new();
        let file = archive.by_name(member).map_err(|error| format!("`{member}`: {error}"))?;
        file.take(LIMIT + 1).read_to_end(&mut exe).map_err(|error| format!("`{member}`: {error}"))?;
        if exe.len() as u64 > LIMIT {
            return Err(format!("`{member}` is larger than {LIMIT} bytes"));
        }
        let found = sha256(&exe);
        if found != known.sha256 && !self.wishes.allow_unknown {
            return Err(format!("the SHA-256 of `{member}` in it is {found}, and it should be {}", known.sha256));
        }
        Ok(exe)
    }

    /// What an earlier download left, if it is still what it was.
    fn downloaded_before(&self) -> Option<Nssm> {
        self.releases().find_map(|release| {
            let path = cached(release, self.bits)?;
            let exe = reading::whole(&path, Links::Refused, Limit::PROGRAM).ok()?;
            let is_it = sha256(&exe) == release.executable(self.bits).sha256;
            is_it.then_some(Nssm { exe, from: path, release: Some(release) })
        })
    }

    /// Keeps a download for the next time; a host where that cannot be downloads again.
    fn remember(&self, nssm: &Nssm) {
        let Some(path) = nssm.release.and_then(|release| cached(release, self.bits)) else { return };
        let kept = files::make_parent(&path).and_then(|()| files::write(&Artifact::plain(path, nssm.exe.clone())));
        drop(kept);
    }
}

/// The programs called `nssm.exe` that are at hand: in the current directory, and, where one could be installed, on PATH.
fn candidates() -> Vec<Text> {
    let here = env::current_dir().ok().map(|folder| folder.join(NSSM)).filter(|path| path.is_file());
    let search_path = environment::search_path();
    let on_path = env::split_paths(&search_path).map(|folder| folder.join(NSSM));
    let on_path = on_path.filter(|path| cfg!(windows) && path.is_absolute() && path.is_file());
    let mut found: Vec<Text> = Vec::new();
    for path in here.into_iter().chain(on_path).map(text) {
        if !found.contains(&path) {
            found.push(path);
        }
    }
    found
}

/// The `RunService.exe` of this version: it lies beside this program, or, where a package of Linux has brought it for
/// exports, in the folder that packages have for what is no program there (section 4.11 of the Filesystem Hierarchy
/// Standard).
pub fn run_service() -> Option<Text> {
    let beside = env::current_exe().ok()?.with_file_name(RUNNER);
    let shared = beside.parent()?.parent().map(|prefix| prefix.join("share/install-service").join(RUNNER));
    [Some(beside), shared].into_iter().flatten().find(|path| path.is_file()).map(text)
}

/// Where a download is kept: in the user's own folder for what can be had again.
fn cached(release: Release, bits: Bits) -> Option<Text> {
    let folder = if cfg!(windows) {
        non_empty("LOCALAPPDATA").map(|folder| folder.with(r"\InstallService"))
    } else {
        let folder = non_empty("XDG_CACHE_HOME").or_else(|| non_empty("HOME").map(|home| home.with("/.cache")));
        folder.map(|folder| folder.with("/install-service"))
    }?;
    let bits = match bits {
        Bits::Of32 => "win32",
        Bits::Of64 => "win64",
    };
    let path = Platform::of(&folder).join(&folder, &format!("nssm-{}-{bits}.exe", release.version()));
    to_path(&path).is_absolute().then_some(path)
}

/// A program, or an archive with one.
///
/// # Errors
/// When it cannot be read.
pub fn read(what: &str, path: &Text) -> Result<Vec<u8>, Error> {
    let reason = match reading::whole(path, Links::Followed, Limit::PROGRAM) {
        Ok(bytes) => return Ok(bytes),
        Err(Unread::Failed(source)) if source.kind() == io::ErrorKind::NotFound => "there is no such file".to_owned(),
        Err(Unread::Failed(source)) => return Err(Error::io("reading", path, source)),
        Err(unread) => unread.to_string(),
    };
    Err(Error::refused(Fault::new(what, reason).given(path)))
}

/// What to do by hand where no `nssm.exe` is to be had: it is to be put `to` somewhere.
pub fn by_hand(reason: String, bits: Bits, to: &str) -> Error {
    let [wanted, _] = Release::WANTED;
    let archive = wanted.archive();
    Error::NoServiceManager {
        reason,
        help: format!(
            "download {} (SHA-256 {}), take `{}` out of it and put it {to}; or name the zip file: `--nssm-archive FILE`",
            archive.place,
            archive.sha256,
            wanted.executable(bits).place,
        ),
    }
}

/// A checksum, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    checksums::hexadecimal(&checksums::sha256(bytes))
}
