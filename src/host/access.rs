//! Whose the files and directories of Windows are, and who may do what with them.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use windows_permissions::constants::{SeObjectType, SecurityInformation};
use windows_permissions::wrappers::{
    ConvertSecurityDescriptorToStringSecurityDescriptor, GetSecurityInfo, LookupAccountSid,
};
use windows_permissions::{LocalBox, Sid as Identifier};

use super::files;
use super::reading::Links;
use super::text::{path as to_path, text};
use crate::diagnose::guarded::{Guarded, StateDirectory};
use crate::model::access::{Access, Sid};
use crate::model::text::Text;

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
