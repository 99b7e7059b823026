//! Everything that can be wrong with installed services, found without changing anything.

use super::find::{Managed, Where};
use crate::diagnose::Finding;
use crate::error::Error;
use crate::executor::journal;
use crate::managers::{self, Purpose, observe};
use crate::model::name::ServiceName;
use crate::model::site::Site;
use crate::model::spec::Scope;

/// What was found.
#[derive(Debug, Default)]
pub struct Diagnosis {
    /// Of what surrounds the services.
    pub host: Vec<Finding>,
    /// Of each service.
    pub services: Vec<Examined>,
}

/// What was found of one service.
#[derive(Debug)]
pub struct Examined {
    /// The service.
    pub service: ServiceName,
    /// Whose it is.
    pub scope: Scope,
    /// Whether it was removed, but for what `reinstall` needs.
    pub removed: bool,
    /// What is wrong with it, the graver first.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.host.is_empty() && self.services.iter().all(|examined| examined.findings.is_empty())
    }

    fn add(&mut self, names: &[ServiceName], site: &Site) -> Result<(), Error> {
        let (of_services, of_host) = managers::examine(site, names, journal::is_there(&site.place))?;
        self.services.extend(names.iter().zip(of_services).map(|(service, findings)| Examined {
            service: service.clone(),
            scope: site.scope(),
            removed: findings.is_none(),
            findings: findings.unwrap_or_default(),
        }));
        for finding in of_host {
            if !self.host.contains(&finding) {
                self.host.push(finding);
            }
        }
        Ok(())
    }
}

impl Managed {
    /// What is wrong with them.
    ///
    /// # Errors
    /// When the service manager does not answer.
    pub fn doctor(&self) -> Result<Diagnosis, Error> {
        let mut diagnosis = Diagnosis::default();
        diagnosis.add(&self.names, &self.site)?;
        Ok(diagnosis)
    }
}

/// What is wrong with every service of ours that is not removed.
///
/// # Errors
/// When the service manager of the machine does not answer.
pub fn all(place: &Where) -> Result<Diagnosis, Error> {
    let mut diagnosis = Diagnosis::default();
    let sites: Vec<Site> = place.scopes().map(|scope| place.site(scope)).collect();
    let is_in = |name: &ServiceName, site: &Site| observe::is_installed(name, site).unwrap_or(false);
    let mut seen: Vec<ServiceName> = Vec::new();
    for site in &sites {
        let is_elsewhere = |name: &ServiceName| sites.iter().any(|site| is_in(name, site));
        let mut names = observe::known_services(&site.place);
        // One state directory for both, as a checkout has, holds each service once.
        names.retain(|name| is_in(name, site) || !seen.contains(name) && !is_elsewhere(name));
        seen.extend(names.iter().cloned());
        if !names.is_empty() {
            managers::need(site.manager, Purpose::Manage)?;
            diagnosis.add(&names, site)?;
            // Each has a receipt for as long as nobody takes that away, too.
            diagnosis.services.retain(|examined| !examined.removed);
        }
    }
    Ok(diagnosis)
}
