//! Where the `nssm.exe` of services comes from, which lies in the working directory. In this order:
//! the one that is named, the one that is there, the archive that is named, the current directory,
//! PATH, the download. Nothing is used whose SHA-256 is not known, unless the user says so.
//!
//! What we put there has a note beside it, and only what has one is ever taken away.

use std::env;
use std::io::{self, Cursor, Read};

use super::fetch;
use super::{Supply, TellSupply, Wishes, registry};
use crate::diagnose::pe;
use crate::diagnose::registered::OtherNssm;
use crate::error::{Error, Fault};
use crate::host::reading::{self, Limit, Links, Unread};
use crate::host::text::text;
use crate::host::{files, interrupt};
use crate::model::artifact::Artifact;
use crate::model::name::ServiceName;
use crate::model::place::Place;
use crate::model::text::Text;
use crate::render::checksums;
use crate::render::escape::Signature;

/// The only release with a version number that is not a preview (nssm.cc, 2014).
const URL: &str = "https://nssm.cc/release/nssm-2.24.zip";
const ARCHIVE_SHA256: &str = "727d1e42275c605e0f04aba98095c38a8e1e46def453cdffce42869428aa6743";

/// The executables in that archive: member, SHA-256.
const WIN64: (&str, &str) =
    ("nssm-2.24/win64/nssm.exe", "f689ee9af94b00e9e3f0bb072b34caaf207f32dcb4f5782fc9ca351df9a06c97");
const WIN32: (&str, &str) =
    ("nssm-2.24/win32/nssm.exe", "472232ca821b5c2ef562ab07f53638bc2cc82eae84cea13fbe674d6022b6481c");

/// The executables of other versions that many have: version, SHA-256. winget and Chocolatey install this preview, which
/// nssm.cc names for Windows 10 from 1703 on.
const PREVIEWS: [(&str, &str); 2] = [
    ("2.24-101-g897c7ad", "eee9c44c29c2be011f1f1e43bb8c3fca888cb81053022ec5a0060035de16d848"),
    ("2.24-101-g897c7ad", "682f1025b4c410ae78b1c5bdc4de7ad315f2eff292c66947c13969930028c98d"),
];

/// The archive has 351,793 bytes, the larger executable 331,264.
const LIMIT: u64 = 8 << 20;

/// Makes sure that there is an `nssm.exe` in the working directory.
///
/// # Errors
/// Which one was refused and why, or what to download, from where, and where to put it.
pub fn provide(wishes: &Wishes, place: &Place, tell: TellSupply<'_>) -> Result<(), Error> {
    let kept = place.nssm();
    let found = match files::look_up_to(&kept, Limit::PROGRAM)? {
        files::Entry::File(found) => Some(found.contents.to_vec()),
        _ => None,
    };
    if let Some(path) = &wishes.exe {
        let bytes = read("option `--nssm`", path)?;
        known(path, &bytes, wishes, tell)?;
        return if found.as_ref() == Some(&bytes) { Ok(()) } else { keep(bytes, path, place, tell) };
    }
    if let Some(bytes) = found {
        // It was looked at when it was put there, and allowed if it is another one.
        return if is_noted(&place.nssm_origin(), &bytes)? { Ok(()) } else { known(&kept, &bytes, wishes, tell) };
    }
    if let Some(path) = &wishes.archive {
        let exe = from_archive(&read("option `--nssm-archive`", path)?, wishes)
            .map_err(|reason| Error::refused(Fault::new("option `--nssm-archive`", reason).given(path)))?;
        return keep(exe, path, place, tell);
    }
    let here = env::current_dir().ok().map(|folder| folder.join("nssm.exe")).filter(|path| path.is_file());
    if let Some(path) = here.or_else(|| which::which("nssm.exe").ok()) {
        let path = text(path);
        let bytes = read("nssm.exe", &path)?;
        known(&path, &bytes, wishes, tell)?;
        return keep(bytes, &path, place, tell);
    }
    if wishes.offline {
        return Err(by_hand(place, "nssm.exe is not here, and `--offline` forbids to download it".into()));
    }
    let urls = mirrors();
    tell(Supply::Downloads(&urls));
    match fetch::download(&urls, LIMIT, wishes.ca_file.as_ref(), |bytes| from_archive(&bytes, wishes)) {
        Ok((exe, url)) => keep(exe, &url.into(), place, tell),
        Err(failures) => {
            interrupt::check()?;
            Err(by_hand(place, format!("downloading NSSM failed:\n    {}", failures.join("\n    "))))
        }
    }
}

/// Takes away the `nssm.exe` of the working directory, after the services `removed` were; says why not
/// where it stays.
///
/// # Errors
/// When it cannot be removed.
pub fn withdraw(place: &Place, removed: &[ServiceName]) -> Result<Option<String>, Error> {
    let (exe, origin) = (place.nssm(), place.nssm_origin());
    let files::Entry::File(found) = files::look_up_to(&exe, Limit::PROGRAM)? else {
        return Ok(Some("it is not there".into()));
    };
    if !is_noted(&origin, &found.contents)? {
        return Ok(Some("InstallService did not put it there".into()));
    }
    if let Some(others) = needed(registry::users_of(&exe), removed) {
        return Ok(Some(others));
    }
    // The last process of what was removed may need a moment to end.
    files::remove_when_free(&exe)?;
    files::remove(&origin)?;
    Ok(None)
}

/// Why an executable that has these `users` stays after the services `removed` have gone.
pub(super) fn needed(users: Vec<String>, removed: &[ServiceName]) -> Option<String> {
    let is_removed = |user: &String| removed.iter().any(|name| name.as_str() == *user);
    let others: Vec<String> = users.into_iter().filter(|user| !is_removed(user)).collect();
    (!others.is_empty()).then(|| format!("`{}` needs it", others.join("`, `")))
}

/// Whether `exe` is what we put into the working directory, by the note beside it.
pub(super) fn is_noted(origin: &Text, exe: &[u8]) -> Result<bool, Error> {
    Ok(match files::look(origin)? {
        files::Entry::File(note) => String::from_utf8_lossy(&note.contents).contains(&sha256(exe)),
        _ => false,
    })
}

/// Mirrors named in the environment come first.
fn mirrors() -> Vec<String> {
    let named = env::var("INSTALLSERVICE_NSSM_URLS").unwrap_or_default();
    let named = named.split([' ', ',']).filter(|url| !url.is_empty()).map(str::to_owned);
    named.chain([URL.to_owned()]).collect()
}

/// The executable in an archive of the expected checksum.
fn from_archive(bytes: &[u8], wishes: &Wishes) -> Result<Vec<u8>, String> {
    let expected = env::var("INSTALLSERVICE_NSSM_SHA256").unwrap_or_else(|_| ARCHIVE_SHA256.to_owned());
    let found = sha256(bytes);
    if found != expected && !wishes.allow_unknown {
        return Err(format!("its SHA-256 is {found}, and that of NSSM 2.24 is {expected}"));
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).map_err(|error| error.to_string())?;
        if member.enclosed_name().is_none() {
            return Err(format!("its member `{}` would leave the folder", String::from_utf8_lossy(member.name_raw())));
        }
    }
    let (member, expected) = if cfg!(target_pointer_width = "64") { WIN64 } else { WIN32 };
    let mut exe = Vec::new();
    let file = archive.by_name(member).map_err(|error| format!("`{member}`: {error}"))?;
    file.take(LIMIT + 1).read_to_end(&mut exe).map_err(|error| format!("`{member}`: {error}"))?;
    if exe.len() as u64 > LIMIT {
        return Err(format!("`{member}` is larger than {LIMIT} bytes"));
    }
    let found = sha256(&exe);
    if found != expected && !wishes.allow_unknown {
        return Err(format!("the SHA-256 of `{member}` in it is {found}, and it should be {expected}"));
    }
    Ok(exe)
}

/// The `nssm.exe` at `path`, if it is neither of the two in the release.
pub(super) fn other(path: &Text) -> Option<OtherNssm> {
    let files::Entry::File(found) = files::look_up_to(path, Limit::PROGRAM).ok()? else { return None };
    let sha256 = sha256(&found.contents);
    let known = PREVIEWS.iter().find(|(_, of_it)| *of_it == sha256).map(|(version, _)| *version);
    let is_ours = [WIN64.1, WIN32.1].contains(&sha256.as_str());
    (!is_ours).then(|| OtherNssm { path: path.clone(), sha256, known, version: pe::version(&found.contents) })
}

/// Refuses an executable that is neither of the two in the release.
fn known(path: &Text, bytes: &[u8], wishes: &Wishes, tell: TellSupply<'_>) -> Result<(), Error> {
    let found = sha256(bytes);
    if [WIN64.1, WIN32.1].contains(&found.as_str()) {
        return Ok(());
    }
    if wishes.allow_unknown {
        tell(Supply::Unknown { path, sha256: &found });
        return Ok(());
    }
    let reason =
        format!("its SHA-256 is {found}, and that of NSSM 2.24 is {} (64 bits) or {} (32 bits)", WIN64.1, WIN32.1);
    Err(Error::refused(
        Fault::new("nssm.exe", reason)
            .given(path)
            .help("`--allow-unknown-nssm` uses it all the same, at your own risk"),
    ))
}

/// Puts `exe`, which came `from` somewhere, in its place, with the note that says so.
fn keep(exe: Vec<u8>, from: &Text, place: &Place, tell: TellSupply<'_>) -> Result<(), Error> {
    tell(Supply::Puts { what: "nssm.exe", to: &place.nssm(), from });
    put("nssm.exe", exe, from, &place.nssm(), &place.nssm_origin(), place)
}

/// Puts an executable that came `from` somewhere `to` the working directory, with the note `origin` that says so.
pub(super) fn put(what: &str, exe: Vec<u8>, from: &Text, to: &Text, origin: &Text, place: &Place) -> Result<(), Error> {
    files::make_directory(&place.state_dir, 0o755)?;
    let line = Signature::new(format_args!(": {what} beside this file, SHA-256 {}, from {from}", sha256(&exe)));
    let note = Artifact::plain(origin.clone(), format!("{line}\r\n").into_bytes());
    files::write(&note)?;
    files::write(&Artifact { mode: 0o755, ..Artifact::plain(to.clone(), exe) })
}

/// A program, or an archive with one.
pub(super) fn read(what: &str, path: &Text) -> Result<Vec<u8>, Error> {
    let reason = match reading::whole(path, Links::Followed, Limit::PROGRAM) {
        Ok(bytes) => return Ok(bytes),
        Err(Unread::Failed(source)) if source.kind() == io::ErrorKind::NotFound => "there is no such file".to_owned(),
        Err(Unread::Failed(source)) => return Err(Error::io("reading", path, source)),
        Err(unread) => unread.to_string(),
    };
    Err(Error::refused(Fault::new(what, reason).given(path)))
}

fn by_hand(place: &Place, reason: String) -> Error {
    Error::NoServiceManager {
        reason,
        help: format!(
            "download {URL} (SHA-256 {ARCHIVE_SHA256}), take `{}` out of it and put it at `{}`; \
             or name the zip file: `--nssm-archive FILE`",
            WIN64.0,
            place.nssm()
        ),
    }
}

fn sha256(bytes: &[u8]) -> String {
    checksums::hexadecimal(&checksums::sha256(bytes))
}
