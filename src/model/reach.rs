//! What a service of Windows sees of a path: letters of drives that only a session knows, and shares of other machines.

use super::platform::Platform;
use super::text::Text;

/// Where the letter that a path begins with leads, as far as this session knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Drive {
    /// To a drive of the machine; or nobody knows.
    #[default]
    OfMachine,
    /// To a share of another machine (`net use`).
    Share(Text),
    /// To a directory (`subst`).
    Directory(Text),
}

/// Whether a path names a share of another machine, and not a device such as `\\.\COM3` ("Naming Files, Paths, and
/// Namespaces").
pub fn is_share(path: &Text) -> bool {
    let path = path.as_bytes();
    path.strip_prefix(br"\\").is_some_and(|rest| !rest.starts_with(b".") && !rest.starts_with(b"?"))
        || path.starts_with(br"\\?\UNC\")
}

/// The path that `path` means, whose letter stands for the directory or share `of`.
pub fn behind_letter(path: &Text, of: &Text) -> Text {
    let tail = path.as_bytes().get(3..).unwrap_or_default();
    Platform::Windows.join(of, &Text::from_bytes(tail).to_string())
}

/// The accounts that a machine has for services, and as whom another machine sees them.
const SERVICE_ACCOUNTS: [(&str, &str); 3] =
    [("LocalSystem", COMPUTER), ("NetworkService", COMPUTER), ("LocalService", "nobody")];
const COMPUTER: &str = "the account of this computer, and as nobody where there is no domain";

/// An account of the name `account`, where that is one that a machine has for services, and as whom another machine sees
/// it.
pub fn seen_as(account: &str) -> Option<(&'static str, &'static str)> {
    let name = account.rsplit('\\').next().unwrap_or(account).replace(' ', "");
    SERVICE_ACCOUNTS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(&name))
}

/// Whether a path of Windows is one of the links to programs of the Microsoft Store that each user has
/// (`%LOCALAPPDATA%\Microsoft\WindowsApps`).
pub fn is_store_alias(path: &Text) -> bool {
    path.to_string().replace('/', r"\").to_ascii_lowercase().contains(r"\microsoft\windowsapps\")
}
