//! Whose the files and directories of Windows are, and who may do what with them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use windows_permissions::constants::{SeObjectType, SecurityInformation};
use windows_permissions::wrappers::{
    ConvertSecurityDescriptorToStringSecurityDescriptor, ConvertSidToStringSid, GetSecurityInfo, LookupAccountName,
    LookupAccountSid,
};
use windows_permissions::{LocalBox, Sid as Identifier};

use super::files;
use super::reading::Links;
use super::text::{path as to_path, text};
use crate::diagnose::guarded::{Guarded, StateDirectory};
use crate::model::access::{Access, Rights, Sid};
use crate::model::text::Text;
use crate::model::windows_account::{AccountKind, WindowsAccount};

/// To read who owns something, and who may do what with it.
const READ_CONTROL: u32 = 0x0002_0000;
/// What it takes to open a directory (CreateFileW).
const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;

/// Whose a file or directory is, and who may do what with it. `None` where that is not for us to know, or nothing is
/// there.
pub fn of(path: &Path, links: Links) -> Option<Access> {
    let as_it_is = match links {
        Links::Followed => 0,
        Links::Refused => FILE_FLAG_OPEN_REPARSE_POINT,
    };
    let mut options = OpenOptions::new();
    let opened =
        options.access_mode(READ_CONTROL).custom_flags(FILE_FLAG_BACKUP_SEMANTICS | as_it_is).open(path).ok()?;
    let parts = SecurityInformation::Owner | SecurityInformation::Dacl;
    let descriptor = GetSecurityInfo(&opened, SeObjectType::SE_FILE_OBJECT, parts).ok()?;
    Access::parse(ConvertSecurityDescriptorToStringSecurityDescriptor(&descriptor, parts).ok()?.to_str()?)
}

/// The name of an account or group as this machine writes it, such as `PC\joe`; of one that is gone there is none.
fn name_of(sid: &Sid) -> Option<String> {
    let identifier: LocalBox<Identifier> = sid.as_str().parse().ok()?;
    let (name, domain) = LookupAccountSid(&identifier).ok()?;
    let [name, domain] = [name, domain].map(|part| part.to_string_lossy().into_owned());
    Some(if domain.is_empty() { name } else { format!(r"{domain}\{name}") })
}

/// Groups that every service is in, whatever its account.
const OF_SERVICES: [&str; 5] = ["S-1-1-0", "S-1-5-6", "S-1-5-11", "S-1-5-32-545", "S-1-2-0"];
/// The group of the own accounts of services.
const OWN_ACCOUNTS: &str = "S-1-5-80-0";
/// What Windows says of a name that no account has (`ERROR_NONE_MAPPED`).
const NONE_MAPPED: i32 = 1332;

/// The number of an account, where Windows knows it.
///
/// # Errors
/// What Windows says.
fn sid_of(account: &WindowsAccount) -> io::Result<Sid> {
    let listed = account.in_access_list();
    if let Some(number) = listed.strip_prefix('*') {
        return Ok(Sid::new(number));
    }
    let (sid, ..) = LookupAccountName(None::<&OsStr>, listed)?;
    Ok(Sid::new(&ConvertSidToStringSid(&sid)?.to_string_lossy()))
}

/// Whether there is such an account; of a domain that is not for this machine to know.
pub fn account_exists(account: &WindowsAccount) -> Option<bool> {
    account.name().strip_prefix(r".\")?;
    match sid_of(account) {
        Ok(_) => Some(true),
        Err(error) => (error.raw_os_error() == Some(NONE_MAPPED)).then_some(false),
    }
}

/// Whether an account may put files into a directory, as far as what it is granted itself and what every service is
/// granted tell.
pub fn may_write(account: &WindowsAccount, directory: &Path) -> Option<bool> {
    let access = of(directory, Links::Followed)?;
    // Its own is unknown as long as there is no such service.
    let own = sid_of(account).ok();
    let is_its = |sid: &Sid| {
        let is_own_account = account.kind() == AccountKind::Own && sid.as_str() == OWN_ACCOUNTS;
        OF_SERVICES.contains(&sid.as_str()) || is_own_account || own.as_ref() == Some(sid)
    };
    let may_as_owner = own.as_ref() == Some(&access.owner);
    let adds = Rights::WRITE_DATA.and(Rights::GENERIC_WRITE).and(Rights::GENERIC_ALL);
    Some(may_as_owner || access.others(adds).iter().any(is_its))
}

/// The state directory `directory`, with all that it lies in, also where a link leads to it, and all that lies in it.
pub fn state_directory(directory: &Text) -> StateDirectory {
    let path = to_path(directory);
    let guarded = |path: &Path, links| Some(Guarded { path: text(path), access: of(path, links)? });
    let is_link = fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
    let real = fs::canonicalize(&path).map(|real| plain(&real)).unwrap_or_default();
    let above = path.ancestors().skip(usize::from(!is_link)).chain(real.ancestors().skip(1));
    let mut found = StateDirectory {
        itself: guarded(&path, Links::Followed),
        above: above.filter_map(|above| guarded(above, Links::Refused)).collect(),
        inside: files::list(directory).iter().filter_map(|inside| guarded(inside, Links::Refused)).collect(),
        names: BTreeMap::new(),
    };
    for Guarded { access, .. } in found.itself.iter().chain(&found.above).chain(&found.inside) {
        let granted = access.grants.iter().flatten().map(|grant| &grant.to);
        for sid in granted.chain([&access.owner]).filter(|sid| !sid.is_almighty() && !sid.is_the_owner()) {
            if !found.names.contains_key(sid) {
                found.names.extend(name_of(sid).map(|name| (sid.clone(), name)));
            }
        }
    }
    found
}

/// A path without what Windows puts in front of one whose links were followed.
fn plain(path: &Path) -> PathBuf {
    path.to_str().and_then(|path| path.strip_prefix(r"\\?\")).map_or_else(|| path.to_owned(), PathBuf::from)
}
