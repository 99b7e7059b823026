//! What is asked of NSSM, and the words for it.

use serde::{Deserialize, Serialize};

use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::nssm_table;
use crate::model::parameter::{Kind, Parameter};
use crate::model::registration::{PARAMETERS, SERVICES, kind_of};
use crate::model::text::Text;

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
        /// The number that stands for the account in every language, with a `*` in front.
        account: String,
    },
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
                let verb = if parameter.values.is_empty() { "reset" } else { "set" };
                let words = [verb, name.as_str(), &parameter.name].into_iter().chain(parameter.sub.as_deref());
                call(words.map(Text::from).chain(parameter.values.iter().cloned()).collect())
            }
            // Without `confirm` NSSM opens a window.
            Self::Unregister(name) => call(vec!["remove".into(), name.as_str().into(), "confirm".into()]),
            Self::Start(name) => simple("start", name),
            Self::Stop(name) => simple("stop", name),
            Self::GrantRead { file, account } => {
                Invocation(vec!["icacls.exe".into(), file.clone(), "/grant".into(), format!("{account}:R").into()])
            }
        }
    }

    /// The services that it starts, or starts again.
    pub fn starts(&self) -> &[ServiceName] {
        match self {
            Self::Start(name) => std::slice::from_ref(name),
            Self::Register { .. } | Self::Set { .. } | Self::Unregister(_) | Self::Stop(_) | Self::GrantRead { .. } => {
                &[]
            }
        }
    }
}
