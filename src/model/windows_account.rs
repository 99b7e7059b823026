//! [`WindowsAccount`]: an account that a service of Windows runs as, in the words of its service manager.
//!
//! `lpServiceStartName` of `ChangeServiceConfig` ("Service User Accounts", "Managed Service Accounts" of the Windows API)
//! takes all of them; NSSM 2.24 by itself only the three that every Windows has.

use super::name::ServiceName;
use super::refused::Refused;

/// Those that every Windows has for services, as NSSM writes them (`account.cpp`), each with the number that stands for it
/// in every language.
const BUILT_IN: [(&str, &str); 3] =
    [(SYSTEM, "*S-1-5-18"), (r"NT AUTHORITY\LocalService", "*S-1-5-19"), (r"NT AUTHORITY\NetworkService", "*S-1-5-20")];

/// The account of a service of which nobody says another one.
pub const SYSTEM: &str = "LocalSystem";

/// What stands in front of the name of a service in that of its own account.
const OF_SERVICE: &str = r"NT SERVICE\";

/// What no name of a user has (`NetUserAdd`), but for `@` and blanks.
const NOT_IN_NAMES: [char; 16] = ['"', '/', '\\', '[', ']', ':', ';', '|', '=', ',', '+', '*', '?', '<', '>', '%'];

/// What kind of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// One that every Windows has for services.
    BuiltIn,
    /// The service's own, `NT SERVICE\NAME`, which there is as long as there is the service.
    Own,
    /// A managed one of a domain, `DOMAIN\NAME$`, whose password the domain knows alone.
    Managed,
    /// That of a user, with a password.
    User,
}

/// An account that a service of Windows runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowsAccount {
    name: String,
    kind: AccountKind,
}

impl WindowsAccount {
    /// The account that `typed` means for `service`, on the machine of that name where it is known. Windows writes an
    /// account of the machine itself with a dot in the place of its name.
    ///
    /// # Errors
    /// What no service can run as, or what does not say whose the account is.
    pub fn parse(typed: &str, service: Option<&ServiceName>, machine: Option<&str>) -> Result<Self, Refused> {
        if let Some(name) = built_in(typed) {
            return Ok(Self { name: name.to_owned(), kind: AccountKind::BuiltIn });
        }
        if let Some(of) = strip_prefix(typed, OF_SERVICE) {
            return own(of, service);
        }
        let is_user =
            || Refused::new(r"must be `DOMAIN\USER`, `.\USER` or `USER@DOMAIN`, or an account without a password");
        let (domain, user) = match (typed.split_once('\\'), typed.rsplit_once('@')) {
            (Some((domain, user)), _) => (domain, user),
            (None, Some((user, domain))) => (domain, user),
            (None, None) if is_name(typed) => {
                return Err(Refused::new("must say whose account it is")
                    .help(format!(r"`.\{typed}` is one of this machine, `DOMAIN\{typed}` one of a domain")));
            }
            (None, None) => return Err(is_user()),
        };
        if is_of_windows(domain) {
            return Err(Refused::new("is no account that a service can run as")
                .help(r"`NT SERVICE\*` is the service's own; LocalSystem, LocalService and NetworkService are those of Windows"));
        }
        if !is_name(user) || domain.is_empty() || domain != "." && !is_name(domain) {
            return Err(is_user());
        }
        let is_here = domain == "." || machine.is_some_and(|machine| machine.eq_ignore_ascii_case(domain));
        match (user.ends_with('$'), typed.contains('\\')) {
            (true, has_domain) if is_here || !has_domain => {
                Err(Refused::new("must be a managed account of a domain, or one without `$` at its end")
                    .help(r"`DOMAIN\NAME$` is how Windows writes a managed account"))
            }
            (true, _) => Ok(Self { name: typed.to_owned(), kind: AccountKind::Managed }),
            (false, true) if is_here => Ok(Self { name: format!(r".\{user}"), kind: AccountKind::User }),
            (false, _) => Ok(Self { name: typed.to_owned(), kind: AccountKind::User }),
        }
    }

    /// The account of that name, as the registry has it.
    pub fn registered(name: &str) -> Self {
        let kind = match () {
            () if built_in(name).is_some() => AccountKind::BuiltIn,
            () if strip_prefix(name, OF_SERVICE).is_some() => AccountKind::Own,
            () if name.contains('\\') && name.ends_with('$') => AccountKind::Managed,
            () => AccountKind::User,
        };
        Self { name: built_in(name).unwrap_or(name).to_owned(), kind }
    }

    /// Its name, as Windows keeps it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What kind of account it is.
    pub fn kind(&self) -> AccountKind {
        self.kind
    }

    /// Whether Windows has to be told its password.
    pub fn has_password(&self) -> bool {
        self.kind == AccountKind::User
    }

    /// Whether it may do everything on the machine anyway.
    pub fn is_system(&self) -> bool {
        self.name == SYSTEM
    }

    /// As `icacls` takes it: by its number where it has the same everywhere; an account of the machine without the dot,
    /// which `LookupAccountName` does not know.
    pub fn in_access_list(&self) -> &str {
        let number = BUILT_IN.iter().find(|(name, _)| *name == self.name).map(|(_, number)| *number);
        number.or_else(|| self.name.strip_prefix(r".\")).unwrap_or(&self.name)
    }

    /// As a manifest has it: the service's own without the name of the service.
    pub fn in_manifest(&self, service: &str) -> String {
        match strip_prefix(&self.name, OF_SERVICE) {
            Some(of) if of.eq_ignore_ascii_case(service) => format!("{OF_SERVICE}*"),
            _ => self.name.clone(),
        }
    }

    /// Whether Windows takes both names for one account.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.name.to_lowercase() == other.name.to_lowercase()
    }
}

/// The account that every Windows has by that name, however it is spelled.
fn built_in(typed: &str) -> Option<&'static str> {
    let plain = |name: &str| name.to_lowercase().replace([' ', '.'], "").replace(r"ntauthority\", "");
    let typed = plain(typed);
    let wanted = if typed == "system" { "localsystem" } else { typed.trim_start_matches('\\') };
    BUILT_IN.iter().map(|(name, _)| *name).find(|name| plain(name) == wanted)
}

/// The account of a service, `of` being the name in it.
fn own(of: &str, service: Option<&ServiceName>) -> Result<WindowsAccount, Refused> {
    let made = |of: &str| WindowsAccount { name: format!("{OF_SERVICE}{of}"), kind: AccountKind::Own };
    match service {
        // Its own name is told as a fault.
        None => Ok(made(of)),
        Some(service) if of == "*" || of.eq_ignore_ascii_case(service.as_str()) => Ok(made(service.as_str())),
        Some(service) => {
            Err(Refused::new(format!("must be the account of this service: that of `{of}` is for `{of}` alone"))
                .help(format!(r"`NT SERVICE\*` is the service's own, here `{OF_SERVICE}{service}`")))
        }
    }
}

/// Whether Windows has no accounts of users there, but groups and itself.
fn is_of_windows(domain: &str) -> bool {
    ["NT AUTHORITY", "BUILTIN", "NT SERVICE", "IIS APPPOOL", "NT VIRTUAL MACHINE", "Window Manager", "Font Driver Host"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(domain))
}

/// Whether it can be the name of a user or a domain.
fn is_name(name: &str) -> bool {
    let is_plain = |c: char| !c.is_control() && !NOT_IN_NAMES.contains(&c);
    !name.is_empty() && name.trim() == name && name.chars().all(is_plain)
}

fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(typed: &str) -> Result<(String, AccountKind), String> {
        let web: ServiceName = "web".parse().expect("a name");
        let account = WindowsAccount::parse(typed, Some(&web), Some("PC-7"));
        account.map(|account| (account.name, account.kind)).map_err(|refused| refused.reason)
    }

    #[test]
    fn accounts_are_written_as_windows_keeps_them() {
        for (typed, name, kind) in [
            ("LocalSystem", "LocalSystem", AccountKind::BuiltIn),
            ("system", "LocalSystem", AccountKind::BuiltIn),
            (r"NT AUTHORITY\SYSTEM", "LocalSystem", AccountKind::BuiltIn),
            (r".\LocalSystem", "LocalSystem", AccountKind::BuiltIn),
            ("local service", r"NT AUTHORITY\LocalService", AccountKind::BuiltIn),
            (r"nt authority\network service", r"NT AUTHORITY\NetworkService", AccountKind::BuiltIn),
            (r"NT SERVICE\*", r"NT SERVICE\web", AccountKind::Own),
            (r"nt service\WEB", r"NT SERVICE\web", AccountKind::Own),
            (r"LAB\pump$", r"LAB\pump$", AccountKind::Managed),
            (r"lab.example\pump$", r"lab.example\pump$", AccountKind::Managed),
            (r".\joe", r".\joe", AccountKind::User),
            (r"pc-7\joe", r".\joe", AccountKind::User),
            (r"LAB\joe é", r"LAB\joe é", AccountKind::User),
            ("joe@lab.example", "joe@lab.example", AccountKind::User),
        ] {
            assert_eq!(parsed(typed), Ok((name.to_owned(), kind)), "{typed}");
            let read = WindowsAccount::registered(name);
            assert_eq!((read.name(), read.kind()), (name, kind), "{name}");
            assert_eq!(parsed(&read.in_manifest("web")), Ok((name.to_owned(), kind)), "{name}");
        }
    }

    #[test]
    fn what_no_service_runs_as_is_refused() {
        let whose = "must say whose account it is";
        let user = r"must be `DOMAIN\USER`, `.\USER` or `USER@DOMAIN`, or an account without a password";
        let managed = "must be a managed account of a domain, or one without `$` at its end";
        let none = "is no account that a service can run as";
        for (typed, reason) in [
            ("joe", whose),
            ("", user),
            (r"LAB\", user),
            (r"\joe", user),
            (r"LAB\joe\x", user),
            ("LAB\\jo\"e", user),
            ("LAB\\joe\n", user),
            (r"LAB\jo%e", user),
            (r"LAB\ joe", user),
            ("@lab", user),
            ("joe@", user),
            (r".\pump$", managed),
            (r"PC-7\pump$", managed),
            ("pump$@lab", managed),
            (r"BUILTIN\Users", none),
            (r"nt authority\everyone", none),
            (r"IIS APPPOOL\x", none),
            (
                r"NT SERVICE\ALL SERVICES",
                "must be the account of this service: that of `ALL SERVICES` is for `ALL SERVICES` alone",
            ),
        ] {
            assert_eq!(parsed(typed), Err(reason.to_owned()), "{typed}");
        }
    }

    #[test]
    fn an_access_list_names_them_so_that_windows_finds_them() {
        for (name, listed) in [
            (r"NT AUTHORITY\LocalService", "*S-1-5-19"),
            (r"nt authority\networkservice", "*S-1-5-20"),
            (r"NT SERVICE\web", r"NT SERVICE\web"),
            (r".\joe", "joe"),
            (r"LAB\joe", r"LAB\joe"),
        ] {
            assert_eq!(WindowsAccount::registered(name).in_access_list(), listed);
        }
    }
}
