//! Every service of ours, with what it is doing.

use std::collections::BTreeSet;

use super::Reporter;
use super::change::begin_look;
use super::find::Where;
use crate::error::Error;
use crate::host::files;
use crate::managers::{self, Purpose, observe};
use crate::model::name::ServiceName;
use crate::model::site::Site;
use crate::model::spec::{Scope, Target};
use crate::model::status::ServiceStatus;
use crate::model::text::Text;

/// A service of ours.
#[derive(Debug)]
pub struct Listed {
    /// Its name.
    pub service: ServiceName,
    /// What manages it.
    pub target: Target,
    /// Whose it is.
    pub scope: Scope,
    /// Whether the service manager has it; of a removed one there is a receipt.
    pub installed: bool,
    /// Whether what it was before it was adopted is kept.
    pub adopted: bool,
    /// What it is doing, where the service manager can be asked.
    pub status: Option<ServiceStatus>,
}

/// Services, with the instances of each template that run behind it.
fn with_instances(names: Vec<ServiceName>, site: &Site) -> Vec<ServiceName> {
    let mut all = Vec::new();
    for name in names {
        let instances = match name.is_template() && managers::need(site.manager, Purpose::Manage).is_ok() {
            true => managers::instances(site, &name).unwrap_or_default(),
            false => Vec::new(),
        };
        all.push(name);
        all.extend(instances);
    }
    let mut seen = BTreeSet::new();
    all.retain(|name| seen.insert(name.clone()));
    all
}

/// Every service of ours.
///
/// # Errors
/// When an unfinished plan cannot be taken back.
pub fn services(place: &Where, reporter: Reporter<'_>) -> Result<Vec<Listed>, Error> {
    let mut services = Vec::new();
    let mut seen: Vec<Text> = Vec::new();
    for scope in place.scopes() {
        let site = place.site(scope);
        begin_look(&site.place, scope, reporter)?;
        let is_installed = |name: &ServiceName| observe::is_installed(name, &site).unwrap_or(false);
        // One state directory for both, as a checkout has, holds each service once.
        let names: Vec<ServiceName> = observe::known_services(&site.place)
            .into_iter()
            .filter(|name| is_installed(name) || !seen.contains(&site.place.receipt(name)))
            .collect();
        seen.extend(names.iter().map(|name| site.place.receipt(name)));
        let names = with_instances(names, &site);
        let states = if names.is_empty() || managers::need(site.manager, Purpose::Manage).is_err() {
            None
        } else {
            managers::status(&site, &names).ok()
        };
        services.extend(names.into_iter().enumerate().map(|(at, name)| Listed {
            target: site.target(),
            scope,
            installed: is_installed(&name) || name.template().is_some_and(|template| is_installed(&template)),
            adopted: files::is_there(&site.place.original(&name)),
            status: states.as_ref().and_then(|states| states.get(at)).cloned(),
            service: name,
        }));
    }
    Ok(services)
}
