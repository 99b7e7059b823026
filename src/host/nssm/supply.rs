//! Where `nssm.exe` comes from. In this order: the one that is named, the working directory, the
//! current directory, PATH, then the archive that is named or downloaded. Nothing is used whose
//! SHA-256 is not known, unless the user says so.

use std::io::{Cursor, Read};
use std::{env, fs};

use sha2::{Digest, Sha256};

use super::Wishes;
use crate::error::{Error, Fault};
use crate::host::fetch;
use crate::host::files;
use crate::host::text::{path as to_path, text};
use crate::model::text::Text;
use crate::render::{Artifact, Place};

/// The only release with a version number that is not a preview (nssm.cc, 2014).
const URL: &str = "https://nssm.cc/release/nssm-2.24.zip";
const ARCHIVE_SHA256: &str = "727d1e42275c605e0f04aba98095c38a8e1e46def453cdffce42869428aa6743";

/// The executables in that archive: member, SHA-256.
const WIN64: (&str, &str) =
    ("nssm-2.24/win64/nssm.exe", "f689ee9af94b00e9e3f0bb072b34caaf207f32dcb4f5782fc9ca351df9a06c97");
const WIN32: (&str, &str) =
    ("nssm-2.24/win32/nssm.exe", "472232ca821b5c2ef562ab07f53638bc2cc82eae84cea13fbe674d6022b6481c");

/// The archive has 351,793 bytes, the larger executable 331,264.
const LIMIT: u64 = 8 << 20;

/// Makes sure that there is an `nssm.exe` where [`Wishes::wanted_path`] says.
///
/// # Errors
/// Which one was refused and why, or what to download, from where, and where to put it.
pub fn provide(wishes: &Wishes, place: &Place) -> Result<(), Error> {
    if let Some(path) = &wishes.exe {
        return known(path, &read(path)?, wishes);
    }
    let kept = place.nssm();
    if let files::Entry::File(found) = files::look(&kept)? {
        return known(&kept, &found.contents, wishes);
    }
    if let Some(path) = &wishes.archive {
        let bytes = read(path)?;
        let exe = from_archive(&bytes, wishes)
            .map_err(|reason| Error::refused(Fault::new("option `--nssm-archive`", reason).given(path)))?;
        return keep(exe, place);
    }
    let here = env::current_dir().ok().map(|folder| folder.join("nssm.exe")).filter(|path| path.is_file());
    if let Some(path) = here.or_else(|| which::which("nssm.exe").ok()) {
        let path = text(path);
        let bytes = read(&path)?;
        known(&path, &bytes, wishes)?;
        eprintln!("  copying `{path}` to `{kept}`");
        return keep(bytes, place);
    }
    if wishes.offline {
        return Err(by_hand(place, "nssm.exe is not here, and `--offline` forbids to download it".into()));
    }
    let urls = mirrors();
    eprintln!("  downloading NSSM from {}", urls.join(", then "));
    match fetch::download(&urls, LIMIT, wishes.ca_file.as_ref(), |bytes| from_archive(&bytes, wishes)) {
        Ok(exe) => keep(exe, place),
        Err(failures) => Err(by_hand(place, format!("downloading NSSM failed: {}", failures.join("; ")))),
    }
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

/// Refuses an executable that is neither of the two in the release.
fn known(path: &Text, bytes: &[u8], wishes: &Wishes) -> Result<(), Error> {
    let found = sha256(bytes);
    if [WIN64.1, WIN32.1].contains(&found.as_str()) {
        return Ok(());
    }
    if wishes.allow_unknown {
        eprintln!("note: using `{path}`, whose SHA-256 {found} is not that of NSSM 2.24");
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

fn keep(exe: Vec<u8>, place: &Place) -> Result<(), Error> {
    files::make_directory(&place.state_dir, 0o755)?;
    files::write(&Artifact { path: place.nssm(), mode: 0o755, contents: exe })
}

fn read(path: &Text) -> Result<Vec<u8>, Error> {
    fs::read(to_path(path)).map_err(|source| Error::io("reading", path, source))
}

fn by_hand(place: &Place, reason: String) -> Error {
    Error::NoServiceManager {
        reason,
        help: format!(
            "download {URL} (SHA-256 {ARCHIVE_SHA256}), take `{}` out of it and put it at `{}`; \
             or name the zip file with `--nssm-archive FILE`",
            WIN64.0,
            place.nssm()
        ),
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
