//! The passwords of accounts that services of Windows run as: read from standard input or asked for, and handed to the
//! service manager. They are kept nowhere.

use std::collections::BTreeMap;

use crate::error::{Error, Fault};
use crate::host::prompt::{self, Answer, Terminal};
use crate::model::name::ServiceName;
use crate::model::observed::Observed;
use crate::model::original::Original;
use crate::model::password::Password;
use crate::model::refused::Refused;
use crate::model::spec::Target;
use crate::model::windows_account::WindowsAccount;
use crate::plan::Desired;
use crate::render::nssm::{account_of, account_with_password};
use crate::validate::Validated;

/// Passwords, by the services whose accounts they are of.
pub type Passwords = BTreeMap<ServiceName, Password>;

/// The option that reads one from standard input.
const OPTION: &str = "option `--account-password-stdin`";

/// How often a password is asked for of which nothing is typed.
const QUESTIONS: usize = 3;

/// The accounts with a password, by their services.
fn accounts(services: &[Validated]) -> impl Iterator<Item = (&ServiceName, WindowsAccount)> {
    services.iter().filter_map(|service| {
        let account = WindowsAccount::registered(service.spec.account.as_deref()?);
        account.has_password().then_some((&service.spec.name, account))
    })
}

/// Whether any service has an account with a password.
pub fn may_be_needed(services: &[Validated], target: Target) -> bool {
    match target {
        Target::Systemd => false,
        Target::Nssm => accounts(services).next().is_some(),
    }
}

/// Why one line of standard input cannot be the password of these services: there is no account for it, or more than one.
pub fn not_one_account(services: &[Validated], target: Target) -> Option<Fault> {
    let mut all = match target {
        Target::Systemd => Vec::new(),
        Target::Nssm => accounts(services).map(|(_, account)| account).collect(),
    };
    all.dedup_by(|one, other| one.is_same_as(other));
    match all.as_slice() {
        [] => Some(
            Fault::new(OPTION, "there is no account with a password that it could be of")
                .help(r"`--account 'DOMAIN\USER'` names one; only those of users of Windows have a password"),
        ),
        [_] => None,
        [one, other, ..] => Some(
            Fault::new(
                OPTION,
                format!("must be of one account, and these are two: `{}` and `{}`", one.name(), other.name()),
            )
            .help("install their services one after the other"),
        ),
    }
}

/// The services whose accounts have a password that Windows has to be told: it has another account for them, or a password
/// `is_given`.
pub fn needed(services: &[Validated], observed: &Observed, is_given: bool) -> Vec<(ServiceName, WindowsAccount)> {
    let has_it = |name: &ServiceName, account: &WindowsAccount| {
        observed.registered.get(name).and_then(|stored| account_of(stored)).is_some_and(|now| now.is_same_as(account))
    };
    let all = accounts(services).filter(|(name, account)| is_given || !has_it(name, account));
    all.map(|(name, account)| (name.clone(), account)).collect()
}

/// The line of standard input as the password of all these.
///
/// # Errors
/// When it cannot be read, or is no password.
pub fn of_input(needed: &[(ServiceName, WindowsAccount)]) -> Result<Passwords, Error> {
    if needed.is_empty() {
        return Ok(Passwords::new());
    }
    let line = prompt::line_of_input()?;
    let password = Password::new(line).map_err(|refused| refusal(OPTION.to_owned(), refused))?;
    Ok(needed.iter().map(|(name, _)| (name.clone(), password.clone())).collect())
}

/// Asks for the password of each account on a terminal, without echo.
///
/// # Errors
/// When nobody can be asked, or the terminal goes away.
pub fn ask_for(needed: &[(ServiceName, WindowsAccount)]) -> Result<Passwords, Error> {
    if !needed.is_empty() && !prompt::can_ask() {
        let fault = |(_, account): &(ServiceName, WindowsAccount)| {
            Fault::new(of(account), "Windows needs it, and there is nobody to ask")
                .help("`--account-password-stdin` reads it from standard input")
        };
        return Err(Error::Refused(needed.iter().map(fault).collect()));
    }
    let mut passwords = Passwords::new();
    let mut known: Vec<(&WindowsAccount, Password)> = Vec::new();
    for (name, account) in needed {
        let password = match known.iter().find(|(known, _)| known.is_same_as(account)) {
            Some((_, password)) => password.clone(),
            None => ask(account)?,
        };
        known.push((account, password.clone()));
        passwords.insert(name.clone(), password);
    }
    Ok(passwords)
}

fn ask(account: &WindowsAccount) -> Result<Password, Error> {
    let mut terminal = Terminal::begin()?;
    let question = format!("{} (not shown)", of(account).replace('`', ""));
    let mut typed = terminal.ask(&question)?;
    for _ in 1..QUESTIONS {
        if typed == Answer::Nothing {
            typed = terminal.ask(&format!("nothing was typed; {question}"))?;
        }
    }
    let password = match typed {
        Answer::Value(value) => Password::new(value.as_bytes().to_vec()),
        Answer::Nothing => Err(Refused::new("Windows needs it, and nothing was typed")),
        Answer::Key(byte) => {
            Err(Refused::new(format!("a key was typed that is no character (`{}`)", byte.escape_ascii())))
        }
        Answer::TooLong { most } => Err(Refused::new(format!("a terminal takes at most {most} bytes in one line"))),
    };
    password.map_err(|refused| refusal(of(account), refused))
}

/// What is asked for.
fn of(account: &WindowsAccount) -> String {
    format!("password of `{}`", account.name())
}

fn refusal(what: String, refused: Refused) -> Error {
    Error::refused(Fault { help: refused.help, ..Fault::new(what, refused.reason) })
}

/// What an undo could not bring back: the password of the account that a service has now, where that is another one, or
/// gets a new password, or where the service is among the `surplus`.
pub fn at_risk(
    desired: &[Desired],
    observed: &Observed,
    surplus: &[ServiceName],
    passwords: &Passwords,
) -> Vec<String> {
    let now = |name: &ServiceName| {
        let account = observed.registered.get(name).and_then(|stored| account_of(stored))?;
        account.has_password().then_some((name.clone(), account))
    };
    let changing = desired.iter().filter_map(|service| {
        let (name, account) = now(&service.name)?;
        let parameters = &service.registration.nssm()?.parameters;
        let is_other = account_of(parameters).is_some_and(|wanted| !wanted.is_same_as(&account));
        let is_new =
            || passwords.contains_key(&name) && parameters.iter().any(|one| account_with_password(one).is_some());
        (is_other || is_new()).then_some((name, account))
    });
    let lines = changing.chain(surplus.iter().filter_map(now)).map(|(name, account)| {
        format!(
            "`{name}` runs as `{account}` now, whose password nobody can read: if this is taken back, it has the account \
             again, and the password has to be typed in services.msc, on the page \"Log On\" of `{name}`",
            account = account.name()
        )
    });
    lines.collect()
}

/// What follows when the services `names` are given back: the account that one of them had before it was adopted comes
/// without its password, and that of the account it has now is lost.
pub fn at_release(names: &[ServiceName], observed: &Observed) -> Vec<String> {
    let mut notes = Vec::new();
    for name in names {
        let original = observed.originals.get(name).and_then(Original::registration);
        let Some(account) = original.and_then(|original| account_of(&original.parameters())) else { continue };
        let now = observed.registered.get(name).and_then(|stored| account_of(stored));
        if now.is_some_and(|now| now.is_same_as(&account)) {
            continue;
        }
        notes.extend(at_risk(&[], observed, std::slice::from_ref(name), &Passwords::new()));
        if account.has_password() {
            notes.push(format!(
                "`{name}` gets the account `{account}` back, whose password nobody can read: it does not start before that \
                 is typed in services.msc, on the page \"Log On\" of `{name}`",
                account = account.name()
            ));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::parameter::Parameter;
    use crate::render::nssm::OBJECT_NAME;

    fn account(name: &str) -> WindowsAccount {
        WindowsAccount::registered(name)
    }

    fn observed(name: &str, account: &str) -> Observed {
        let mut observed = Observed::default();
        let registered = vec![Parameter::new(OBJECT_NAME, account)];
        observed.registered.insert(name.parse().expect("a name"), registered);
        observed
    }

    #[test]
    fn what_is_removed_has_a_password_that_is_lost() {
        let web: ServiceName = "web".parse().expect("a name");
        let lines = at_risk(&[], &observed("web", r"LAB\joe"), std::slice::from_ref(&web), &Passwords::new());
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with(r"`web` runs as `LAB\joe` now, whose password nobody can read:"), "{lines:?}");
        for without in ["LocalSystem", r"NT SERVICE\web", r"LAB\pump$"] {
            let lines = at_risk(&[], &observed("web", without), std::slice::from_ref(&web), &Passwords::new());
            assert_eq!(lines, [""; 0]);
        }
    }

    #[test]
    fn without_anybody_to_ask_each_account_is_told() {
        prompt::never_ask();
        let needed = [("web".parse().expect("a name"), account(r"LAB\joe"))];
        let Err(Error::Refused(faults)) = ask_for(&needed) else { panic!("asked") };
        assert_eq!(faults[0].to_string(), r"password of `LAB\joe`: Windows needs it, and there is nobody to ask");
    }
}
