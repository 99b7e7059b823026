//! What is asked of NSSM, and the words for it.

use serde::{Deserialize, Serialize};

use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::parameter::Parameter;
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
    /// Set a parameter, or reset it where it has no value.
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

impl Operation {
    /// The command that does it; `exe` is `nssm.exe`.
    pub fn invocation(&self, exe: &Text) -> Invocation {
        let call = |words: Vec<Text>| Invocation(std::iter::once(exe.clone()).chain(words).collect());
        let simple = |verb: &str, name: &ServiceName| call(vec![verb.into(), name.as_str().into()]);
        match self {
            Self::Register { name, application } => {
                call(vec!["install".into(), name.as_str().into(), application.clone()])
            }
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
