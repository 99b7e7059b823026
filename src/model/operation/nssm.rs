//! What is asked of NSSM, and the words for it.

use serde::{Deserialize, Serialize};

use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::nssm_table;
use crate::model::parameter::{Kind, Parameter};
use crate::model::registration::{PARAMETERS, SERVICES, kind_of};
use crate::model::text::Text;
use crate::model::windows_account::{AccountKind, WindowsAccount};

/// What is asked of NSSM, each of one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Register a service.
    Register {
        /// The service.
        name: ServiceName,
        /// What it runs.
        application: Text,
    },
    /// Set a parameter, or reset it where it has no value; in the registry itself what NSSM would not do.
    Set {
        /// The service.
        name: ServiceName,
        /// The parameter.
        parameter: Parameter,
    },
    /// Unregister a service.
    Unregister(ServiceName),
    /// Start a service.
    Start(ServiceName),
    /// Stop a service.
    Stop(ServiceName),
    /// Let an account read a file.
    GrantRead {
        /// The file.
        file: Text,
        /// The account, as `icacls` takes it: also a number that stands for it in every language, with a `*` in front.
        account: String,
    },
    /// Let an account change and delete a file.
    GrantChange {
        /// The file.
        file: Text,
        /// The account, as `icacls` takes it.
        account: String,
    },
    /// Take from an account what it was granted of a file.
    Revoke {
        /// The file.
        file: Text,
        /// The account, as `icacls` takes it.
        account: String,
    },
    /// Have a service run as an account with a password, which is handed over beside this.
    LogOnAs {
        /// The service.
        name: ServiceName,
        /// The account.
        account: String,
    },
    /// Let an account log on as a service. NSSM does so before it sets the account (`grant_logon_as_service`), with a word
    /// in the place of the password, which is to be set behind it.
    LetLogOn {
        /// The service, whose account it becomes.
        name: ServiceName,
        /// The account.
        account: String,
    },
}

/// What is shown of a password.
const HIDDEN: &str = "********";

/// What stands in the place of a password where NSSM asks for one.
const NO_PASSWORD: &str = "-";

/// A change of the access list of a file.
fn in_list(file: &Text, verb: &str, whom: String) -> Invocation {
    Invocation(vec!["icacls.exe".into(), file.clone(), verb.into(), whom.into()])
}

/// The account that a parameter is, where NSSM 2.24 would ask for its password.
fn own_account(parameter: &Parameter) -> Option<WindowsAccount> {
    let name = parameter.values.first().filter(|_| parameter.name == "ObjectName")?;
    let account = WindowsAccount::registered(&name.to_string());
    (account.kind() != AccountKind::BuiltIn).then_some(account)
}

/// The command that sets the account of a service. `password` stands for that of an account that has one, which no command
/// line of ours ever holds: an install calls what `sc.exe` would call.
fn log_on_as(name: &ServiceName, account: &WindowsAccount, password: Option<&str>) -> Invocation {
    let words = ["sc.exe", "config", name.as_str(), "obj=", account.name()].map(Text::from).into_iter();
    Invocation(words.chain(password.into_iter().flat_map(|word| ["password=".into(), word.into()])).collect())
}

/// Whether `nssm.exe` stores the parameter with the type that it is to have.
fn is_set_by_nssm(parameter: &Parameter) -> bool {
    let is_known = nssm_table::is_reset_by_nssm(&parameter.name, parameter.sub.as_deref());
    is_known && parameter.kind == Kind::Usual
}

/// The command by which the registry has a parameter with its type, or has it no more. NSSM reads it at the next start.
fn in_registry(name: &ServiceName, parameter: &Parameter) -> Invocation {
    let mut key = format!(r"{SERVICES}\{name}\{PARAMETERS}");
    let mut value = parameter.name.as_str();
    if let Some(sub) = &parameter.sub {
        key = format!(r"{key}\{value}");
        value = sub;
        if let Some((below, last)) = sub.rsplit_once('/') {
            key = format!(r"{key}\{}", below.replace('/', r"\"));
            value = last;
        }
    }
    let verb = if parameter.values.is_empty() { "delete" } else { "add" };
    let mut words: Vec<Text> = vec!["reg.exe".into(), verb.into(), key.into()];
    match (value, &parameter.sub) {
        ("Default", Some(_)) => words.push("/ve".into()),
        _ => words.extend(["/v".into(), value.into()]),
    }
    if !parameter.values.is_empty() {
        // `\0` is what `reg.exe` takes for the end of a line.
        let kind = if parameter.kind == Kind::Usual { kind_of(&parameter.name) } else { parameter.kind };
        let lines: Vec<&[u8]> = parameter.values.iter().map(Text::as_bytes).collect();
        words.extend(["/t".into(), kind.word().into(), "/d".into(), Text::from_bytes(lines.join(&br"\0"[..]))]);
    }
    words.push("/f".into());
    Invocation(words)
}

impl Operation {
    /// The command that does it; `exe` is `nssm.exe`.
    pub fn invocation(&self, exe: &Text) -> Invocation {
        let call = |words: Vec<Text>| Invocation(std::iter::once(exe.clone()).chain(words).collect());
        let simple = |verb: &str, name: &ServiceName| call(vec![verb.into(), name.as_str().into()]);
        match self {
            Self::Register { name, application } => {
                call(vec!["install".into(), name.as_str().into(), application.clone()])
            }
            Self::Set { name, parameter } if !is_set_by_nssm(parameter) => in_registry(name, parameter),
            Self::Set { name, parameter } => {
                if let Some(account) = own_account(parameter) {
                    return log_on_as(name, &account, None);
                }
                let verb = if parameter.values.is_empty() { "reset" } else { "set" };
                let words = [verb, name.as_str(), &parameter.name].into_iter().chain(parameter.sub.as_deref());
                call(words.map(Text::from).chain(parameter.values.iter().cloned()).collect())
            }
            // Without `confirm` NSSM opens a window.
            Self::Unregister(name) => call(vec!["remove".into(), name.as_str().into(), "confirm".into()]),
            Self::Start(name) => simple("start", name),
            Self::Stop(name) => simple("stop", name),
            Self::GrantRead { file, account } => in_list(file, "/grant", format!("{account}:R")),
            Self::GrantChange { file, account } => in_list(file, "/grant", format!("{account}:M")),
            Self::Revoke { file, account } => in_list(file, "/remove:g", account.clone()),
            Self::LogOnAs { name, account } => log_on_as(name, &WindowsAccount::registered(account), Some(HIDDEN)),
            Self::LetLogOn { name, account } => {
                let words = ["set", name.as_str(), "ObjectName", account.as_str(), NO_PASSWORD];
                call(words.map(Text::from).to_vec())
            }
        }
    }

    /// The service that it has run as an account that NSSM does not set by itself, and that account: such a one is set by
    /// a call of ours.
    pub fn account(&self) -> Option<(&ServiceName, String)> {
        match self {
            Self::Set { name, parameter } => Some((name, own_account(parameter)?.name().to_owned())),
            Self::LogOnAs { name, account } => Some((name, account.clone())),
            Self::Register { .. }
            | Self::Unregister(_)
            | Self::Start(_)
            | Self::Stop(_)
            | Self::GrantRead { .. }
            | Self::GrantChange { .. }
            | Self::Revoke { .. }
            | Self::LetLogOn { .. } => None,
        }
    }

    /// The services that it starts, or starts again.
    pub fn starts(&self) -> &[ServiceName] {
        match self {
            Self::Start(name) => std::slice::from_ref(name),
            Self::Register { .. }
            | Self::Set { .. }
            | Self::Unregister(_)
            | Self::Stop(_)
            | Self::GrantRead { .. }
            | Self::GrantChange { .. }
            | Self::Revoke { .. }
            | Self::LogOnAs { .. }
            | Self::LetLogOn { .. } => &[],
        }
    }
}
