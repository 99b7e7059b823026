//! Drift: how the host differs from what it should be, for people and for programs.

use serde::Serialize;

use super::HEADING;
use super::preview::{self, ADDED, REMOVED};
use crate::model::name::ServiceName;
use crate::model::observed::Observed;
use crate::model::place::Place;
use crate::model::text::Text;
use crate::plan::{self, Desired, Difference};

/// Every difference between the services as they should be and the host.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    version: u32,
    same: bool,
    files: Vec<File>,
    /// Parameters of NSSM that differ.
    parameters: Vec<ParameterChange>,
    /// Services that are not registered with NSSM.
    not_registered: Vec<String>,
    /// Services that should start at boot and do not.
    not_enabled: Vec<String>,
    /// Services of ours that are to be removed.
    surplus: Vec<String>,
    /// The administrator's files that override a unit of ours.
    drop_ins: Vec<Text>,
    /// What services need that is no longer there.
    gone: Vec<Gone>,
}

/// A directory, a program or an account that a service was installed with and that is gone.
#[derive(Debug, Serialize)]
pub(super) struct Gone {
    pub(super) service: String,
    pub(super) what: &'static str,
    pub(super) name: Text,
}

/// A parameter of NSSM that is not as it should be.
#[derive(Debug, Serialize)]
struct ParameterChange {
    service: String,
    parameter: String,
    found: Vec<Text>,
    wanted: Vec<Text>,
}

#[derive(Debug, Serialize)]
struct File {
    path: Text,
    state: State,
    /// A unified diff; of a secret file the names only.
    #[serde(skip)]
    text: String,
    diff: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Missing,
    Changed,
    Superfluous,
}

impl Comparison {
    pub(super) fn new(desired: &[Desired], observed: &Observed, place: &Place, surplus: &[ServiceName]) -> Self {
        let mut files = Vec::new();
        for service in desired {
            for artifact in &service.artifacts {
                let state = match plan::compare(observed, artifact) {
                    Difference::Same => continue,
                    Difference::Missing => State::Missing,
                    Difference::Changed => State::Changed,
                };
                let text = preview::difference(artifact, observed.files.get(&artifact.path));
                files.push(File { path: artifact.path.clone(), state, diff: plain(&text), text });
            }
            for path in place.files_of(&service.name) {
                let wanted = service.artifacts.iter().any(|artifact| artifact.path == path);
                if !wanted && observed.files.contains_key(&path) {
                    let text = format!("{HEADING}--- {path}{HEADING:#}\n{HEADING}+++ /dev/null{HEADING:#}\n");
                    files.push(File { path, state: State::Superfluous, diff: plain(&text), text });
                }
            }
        }
        let (mut parameters, mut not_registered) = (Vec::new(), Vec::new());
        for service in desired.iter().filter_map(|service| service.registration.as_ref()) {
            let Some(stored) = observed.registered.get(&service.name) else {
                not_registered.push(service.name.to_string());
                continue;
            };
            parameters.extend(plan::nssm::differing(service, stored).into_iter().map(|parameter| ParameterChange {
                service: service.name.to_string(),
                parameter: parameter.to_string(),
                found: plan::nssm::current(parameter, stored),
                wanted: parameter.values.clone(),
            }));
        }
        let of_systemd = desired.iter().filter(|service| service.registration.is_none());
        let disabled = of_systemd.filter(|service| !observed.enabled.contains(&service.name));
        let not_enabled: Vec<String> = disabled.map(|service| service.name.to_string()).collect();
        let drop_ins = observed.drop_ins.clone();
        let same = files.is_empty()
            && parameters.is_empty()
            && not_registered.is_empty()
            && not_enabled.is_empty()
            && surplus.is_empty()
            && drop_ins.is_empty();
        let surplus = surplus.iter().map(ToString::to_string).collect();
        Self { version: 1, same, files, parameters, not_registered, not_enabled, surplus, drop_ins, gone: Vec::new() }
    }

    /// With what is no longer there, which is a difference, too.
    pub(super) fn with_gone(self, gone: Vec<Gone>) -> Self {
        Self { same: self.same && gone.is_empty(), gone, ..self }
    }

    pub(super) fn is_same(&self) -> bool {
        self.same
    }

    pub(super) fn text(&self) -> String {
        let mut text: String = self.files.iter().map(|file| file.text.as_str()).collect();
        for change in &self.parameters {
            text += &format!("{HEADING}{} {}{HEADING:#}\n", change.service, change.parameter);
            for value in &change.found {
                text += &format!("{REMOVED}-{value}{REMOVED:#}\n");
            }
            for value in &change.wanted {
                text += &format!("{ADDED}+{value}{ADDED:#}\n");
            }
        }
        for name in &self.not_registered {
            text += &format!("{name} is not registered with NSSM\n");
        }
        for name in &self.not_enabled {
            text += &format!("{name} does not start at boot\n");
        }
        for name in &self.surplus {
            text += &format!("{name} is not in the manifest\n");
        }
        for path in &self.drop_ins {
            text += &format!("overridden by {path}\n");
        }
        for Gone { service, what, name } in &self.gone {
            text += &format!("the {what} of {service} is gone: {name}\n");
        }
        text
    }

    pub(super) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("text and numbers have a JSON form") + "\n"
    }
}

/// Styled text without its styles.
fn plain(styled: &str) -> String {
    anstream::adapter::strip_str(styled).to_string()
}
