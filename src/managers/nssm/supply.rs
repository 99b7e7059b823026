//! The `nssm.exe` of services, which lies in the working directory: it is put there, replaced and taken away. Where it
//! comes from, `source` says.
//!
//! What we put there has a note beside it, and only what has one is ever taken away. Whether it may be used is another
//! question, which its checksum answers alone.

use super::source::{self, NSSM, Nssm, Search};
use super::{Need, Supply, TellSupply, Wishes, registry};
use crate::diagnose::pe;
use crate::diagnose::registered::OtherNssm;
use crate::error::Error;
use crate::host::files;
use crate::host::reading::Limit;
use crate::model::artifact::Artifact;
use crate::model::name::ServiceName;
use crate::model::nssm_release::{Bits, Release};
use crate::model::place::Place;
use crate::model::text::Text;
use crate::render::escape::Signature;

/// Makes sure that there is an `nssm.exe` in the working directory.
///
/// # Errors
/// Which one was refused and why, or what to download, from where, and where to put it.
pub fn provide(wishes: &Wishes, need: Option<&Need>, place: &Place, tell: TellSupply<'_>) -> Result<(), Error> {
    let search = Search { wishes, need, bits: Bits::OWN };
    let kept = kept(place)?;
    if let Some(nssm) = search.named(tell)? {
        return if kept.as_ref() == Some(&nssm.exe) { Ok(()) } else { keep(nssm, place, tell) };
    }
    if let Some(exe) = kept {
        return match newer(&search, &exe, place, tell)? {
            Some(nssm) => keep(nssm, place, tell),
            None => search.checked(exe, &place.nssm(), tell).map(drop),
        };
    }
    match search.named_archive(tell)? {
        Some(nssm) => keep(nssm, place, tell),
        None => keep(anywhere(&search, place, tell)?, place, tell),
    }
}

/// What is to take the place of `exe`, the one in the working directory, where that is of an earlier release and no service
/// runs by it. It is downloaded only where the services need it: what runs well needs no network.
///
/// # Errors
/// When it is interrupted.
fn newer(search: &Search<'_>, exe: &[u8], place: &Place, tell: TellSupply<'_>) -> Result<Option<Nssm>, Error> {
    let [wanted, _] = Release::WANTED;
    let Some(release) = Release::of(&source::sha256(exe)).filter(|release| *release < wanted) else { return Ok(None) };
    let is_needed = search.need.is_some_and(|need| release < need.release);
    let nssm = search.at_hand(wanted);
    if !files::is_free(&place.nssm()) {
        if nssm.is_some() && !is_needed {
            tell(Supply::NssmStays { path: &place.nssm(), release, wanted });
        }
        return Ok(None);
    }
    match nssm {
        None if is_needed => search.anywhere(tell).map(Result::ok),
        nssm => Ok(nssm),
    }
}

/// The `nssm.exe` that is to replace the one in the working directory, as the files that do it; none where that is the
/// wanted one already.
///
/// # Errors
/// Which one was refused and why, or what to download, from where, and where to put it.
pub fn replacement(wishes: &Wishes, place: &Place, tell: TellSupply<'_>) -> Result<Option<[Artifact; 2]>, Error> {
    let [wanted, _] = Release::WANTED;
    let kept = kept(place)?;
    let need = Need { release: wanted, what: "an upgrade".to_owned() };
    let is_named = wishes.exe.is_some() || wishes.archive.is_some();
    let search = Search { wishes, need: (!is_named).then_some(&need), bits: Bits::OWN };
    if !is_named && kept.as_ref().is_some_and(|exe| Release::of(&source::sha256(exe)) == Some(wanted)) {
        return Ok(None);
    }
    let nssm = match search.named(tell)? {
        Some(nssm) => nssm,
        None => match search.named_archive(tell)? {
            Some(nssm) => nssm,
            None => anywhere(&search, place, tell)?,
        },
    };
    if kept.as_ref() == Some(&nssm.exe) {
        return Ok(None);
    }
    tell(Supply::Puts { what: NSSM, to: &place.nssm(), from: &nssm.from });
    Ok(Some(files_of(NSSM, nssm.exe, &nssm.from, &place.nssm(), &place.nssm_origin())))
}

/// The one in the working directory.
fn kept(place: &Place) -> Result<Option<Vec<u8>>, Error> {
    Ok(match files::look_up_to(&place.nssm(), Limit::PROGRAM)? {
        files::Entry::File(found) => Some(found.contents.to_vec()),
        _ => None,
    })
}

fn anywhere(search: &Search<'_>, place: &Place, tell: TellSupply<'_>) -> Result<Nssm, Error> {
    let to = format!("at `{}`", place.nssm());
    search.anywhere(tell)?.map_err(|reason| source::by_hand(reason, search.bits, &to))
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
        files::Entry::File(note) => String::from_utf8_lossy(&note.contents).contains(&source::sha256(exe)),
        _ => false,
    })
}

/// The `nssm.exe` at `path`, if it is that of no release.
pub(super) fn other(path: &Text) -> Option<OtherNssm> {
    let files::Entry::File(found) = files::look_up_to(path, Limit::PROGRAM).ok()? else { return None };
    let sha256 = source::sha256(&found.contents);
    let is_known = Release::of(&sha256).is_some();
    (!is_known).then(|| OtherNssm { path: path.clone(), sha256, version: pe::version(&found.contents) })
}

/// Puts `nssm` in its place, with the note that says where it came from.
fn keep(nssm: Nssm, place: &Place, tell: TellSupply<'_>) -> Result<(), Error> {
    tell(Supply::Puts { what: NSSM, to: &place.nssm(), from: &nssm.from });
    put(NSSM, nssm.exe, &nssm.from, &place.nssm(), &place.nssm_origin(), place)
}

/// Puts an executable that came `from` somewhere `to` the working directory, with the note `origin` that says so.
pub(super) fn put(what: &str, exe: Vec<u8>, from: &Text, to: &Text, origin: &Text, place: &Place) -> Result<(), Error> {
    files::make_directory(&place.state_dir, 0o755)?;
    files_of(what, exe, from, to, origin).iter().try_for_each(files::write)
}

/// An executable that came `from` somewhere and goes `to` the working directory, behind the note `origin` that says so.
fn files_of(what: &str, exe: Vec<u8>, from: &Text, to: &Text, origin: &Text) -> [Artifact; 2] {
    let sha256 = source::sha256(&exe);
    let line = Signature::new(format_args!(": {what} beside this file, SHA-256 {sha256}, from {from}"));
    let note = Artifact::plain(origin.clone(), format!("{line}\r\n").into_bytes());
    [note, Artifact { mode: 0o755, ..Artifact::plain(to.clone(), exe) }]
}
