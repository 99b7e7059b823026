//! The values of secrets: typed, in the environment, kept on the host, or asked for. They go into the
//! environment file, or the credential, and nowhere else.

use indexmap::IndexMap;

use super::note;
use crate::error::{Error, Fault};
use crate::host::{facts, files, prompt};
use crate::managers::credential;
use crate::model::artifact;
use crate::model::environment_file;
use crate::model::name::{EnvName, ServiceName};
use crate::model::place::Place;
use crate::model::text::Text;
use crate::validate::Validated;

/// Values of a service's secrets, by their names.
pub(super) type Values = IndexMap<EnvName, Text>;

/// The values that are kept on the host; none where they cannot be read.
pub(super) fn kept_values(name: &ServiceName, place: &Place) -> Values {
    let mut values = Values::new();
    for path in place.secrets_files(name) {
        let Ok(files::Entry::File(found)) = files::look(&path) else { continue };
        let contents = match artifact::is_encrypted(&path) {
            true => credential::opened(&found.contents).unwrap_or_default().into(),
            false => found.contents,
        };
        let read = environment_file::read(&contents).into_iter();
        values.extend(read.filter_map(|(name, value)| Some((name.parse().ok()?, value))));
    }
    values
}

/// Says which values are lost, because this host's key is no longer the one that encrypted them.
pub(super) fn tell_lost(services: &[Validated], place: &Place) {
    for path in services.iter().map(|service| place.encrypted_file(&service.spec.name)) {
        if let Ok(files::Entry::File(found)) = files::look(&path)
            && let Err(error) = credential::opened(&found.contents)
        {
            note(&format!("`{path}` cannot be decrypted any more: {error}"));
        }
    }
}

/// Every secret with stars for its value: a dry run needs none and shows none.
pub(super) fn hidden_values(service: &Validated) -> Values {
    service.spec.secrets.iter().map(|name| (name.clone(), Text::from("********"))).collect()
}

/// The values that are known without asking: typed, then from the environment, then kept; a
/// repeated install and a comparison prefer what is kept.
pub(super) fn known_values(service: &Validated, kept: &Values, kept_first: bool) -> Values {
    let mut values = Values::new();
    for name in &service.spec.secrets {
        let typed = service.given_secrets.get(name).cloned();
        let set = facts::variable(name);
        let kept = kept.get(name).cloned();
        let value = if kept_first { typed.or(kept).or(set) } else { typed.or(set).or(kept) };
        if let Some(value) = value {
            values.insert(name.clone(), value);
        }
    }
    values
}

/// The secrets whose values nobody knows yet.
pub(super) fn missing_values(services: &[Validated], place: &Place) -> Result<Vec<EnvName>, Error> {
    let mut missing = Vec::new();
    for service in services {
        let known = known_values(service, &kept_values(&service.spec.name, place), true);
        missing.extend(service.spec.secrets.iter().filter(|name| !known.contains_key(*name)).cloned());
    }
    missing.sort();
    missing.dedup();
    Ok(missing)
}

/// Asks for each value on a terminal, without echo; without one, every missing name is a fault.
pub(super) fn ask_for(missing: &[EnvName]) -> Result<Values, Error> {
    if !missing.is_empty() && !prompt::can_ask() {
        let set = if cfg!(windows) { "set" } else { "export" };
        let faults = missing.iter().map(|name| {
            Fault::new(format!("environment variable `{name}`"), "the service needs it, and it is not set")
                .help(format!("`{set} {name}=...`, then type the same command again"))
        });
        return Err(Error::Refused(faults.collect()));
    }
    let mut values = Values::new();
    for name in missing {
        values.insert(name.clone(), prompt::secret(&format!("value of {name} (not shown)"))?);
    }
    Ok(values)
}
