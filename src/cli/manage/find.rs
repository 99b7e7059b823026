//! Where the services are: the machine's, or the user's own.

use std::collections::BTreeSet;

use super::Managed;
use super::line::{Names, Options, Shape};
use crate::cli::begin_look;
use crate::error::Error;
use crate::host::facts;
use crate::managers::observe;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::place::Place;
use crate::model::spec::{Scope, Target};

/// Where services are looked for: the machine's, then the user's own, which only systemd has.
pub(super) fn scopes_of(options: &Options) -> &'static [Scope] {
    match facts::target_of_this_host() {
        Target::Nssm => &[Scope::System],
        Target::Systemd if options.user => &[Scope::User],
        Target::Systemd => &[Scope::System, Scope::User],
    }
}

pub(super) fn place_of(options: &Options, scope: Scope) -> Place {
    facts::place(facts::target_of_this_host(), scope, options.state_dir.as_ref())
}

/// The service manager of this host, for services of the machine or of the user.
pub(super) fn manager_of(place: &Place, scope: Scope) -> Manager {
    match facts::target_of_this_host() {
        Target::Systemd => Manager::Systemd(scope),
        Target::Nssm => Manager::Nssm(place.nssm()),
    }
}
impl Managed {
    /// Looks for services of the machine, then for those of this user.
    pub(super) fn find(Names { names, several }: Names, options: &Options, shape: Shape) -> Result<Self, Error> {
        let mut found = Self {
            names: Vec::new(),
            removed: Vec::new(),
            several,
            manager: Manager::Systemd(Scope::System),
            place: place_of(options, Scope::System),
            shape,
            catalogs: options.catalogs.clone(),
        };
        let mut known = Vec::new();
        let mut best: Option<(usize, Vec<ServiceName>, Scope, Place)> = None;
        for scope in scopes_of(options).iter().copied() {
            let place = place_of(options, scope);
            begin_look(&place, scope)?;
            let here: BTreeSet<ServiceName> = observe::known_services(&place).into_iter().collect();
            if names.iter().all(|name| here.contains(name)) {
                let manager = manager_of(&place, scope);
                let mut removed = Vec::new();
                for name in &names {
                    if !observe::is_installed(name, &place, &manager)? {
                        removed.push(name.clone());
                    }
                }
                // A receipt alone says little: one state directory may be that of both.
                if best.as_ref().is_none_or(|(fewest, ..)| removed.len() < *fewest) {
                    best = Some((removed.len(), removed, scope, place));
                }
            }
            known.extend(here);
        }
        if let Some((_, removed, scope, place)) = best {
            found.manager = manager_of(&place, scope);
            (found.names, found.removed, found.place) = (names, removed, place);
            return Ok(found);
        }
        let missing = names.iter().find(|name| !known.contains(name)).or(names.first());
        let missing = missing.map(ToString::to_string).unwrap_or_default();
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        let similar = crate::model::nearest::nearest(&missing, known.iter().map(String::as_str)).map(str::to_owned);
        Err(Error::NoSuchService { service: missing, similar: similar.into_iter().collect() })
    }
}
