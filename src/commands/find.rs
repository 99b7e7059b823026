//! [`Managed`]: services of ours, found by their names: the machine's, or the user's own.

use std::collections::BTreeSet;

use super::change::begin_look;
use super::{Reporter, sources};
use crate::catalog::Catalog;
use crate::error::Error;
use crate::host::site;
use crate::managers::{self, observe};
use crate::model::name::ServiceName;
use crate::model::nearest::nearest;
use crate::model::site::Site;
use crate::model::spec::Scope;
use crate::model::text::Text;

/// Where services are looked for.
#[derive(Clone, Debug, Default)]
pub struct Where {
    /// Only those of the user.
    pub user: bool,
    /// The tool's own directory, where another than the usual one is asked for.
    pub state_dir: Option<Text>,
    /// Catalogs besides the usual ones.
    pub catalogs: Vec<Text>,
}

impl Where {
    /// Whose services are looked for, in this order.
    pub fn scopes(&self) -> impl Iterator<Item = Scope> {
        let scopes = managers::scopes_of_this_host().iter().copied();
        let only_user = self.user && scopes.len() > 1;
        scopes.filter(move |scope| *scope == Scope::User || !only_user)
    }

    /// Where the services of `scope` are.
    pub fn site(&self, scope: Scope) -> Site {
        site::here(managers::of_this_host(), scope, self.state_dir.as_ref())
    }
}

/// Every service of ours in a place, as its files tell.
pub fn known(place: &Where) -> Vec<ServiceName> {
    place.scopes().flat_map(|scope| observe::known_services(&place.site(scope).place)).collect()
}

/// The error of a service that is not among those that are known.
pub fn no_such_service(name: &str, known: &[ServiceName]) -> Error {
    let similar = nearest(name, known.iter().map(ServiceName::as_str));
    Error::NoSuchService { service: name.to_owned(), similar: similar.map(str::to_owned).into_iter().collect() }
}

/// Services of ours.
#[derive(Debug)]
pub struct Managed {
    /// Their names.
    pub names: Vec<ServiceName>,
    /// Those of `names`, or the templates of them, that are removed, but for their receipts.
    pub removed: Vec<ServiceName>,
    /// Those of `names` that are instances of a template of ours, with no unit of their own.
    pub(super) instances: Vec<ServiceName>,
    /// Where they are.
    pub site: Site,
    /// Catalogs besides the usual ones.
    pub(super) catalogs: Vec<Text>,
}

impl Managed {
    /// Looks for services of the machine, then for those of this user.
    ///
    /// # Errors
    /// [`Error::NoSuchService`], or when what is there cannot be read.
    pub fn find(names: Vec<ServiceName>, place: &Where, reporter: Reporter<'_>) -> Result<Self, Error> {
        for scope in place.scopes() {
            begin_look(&place.site(scope).place, scope, reporter)?;
        }
        Self::find_untouched(names, place)
    }

    /// The same on a host as it is, with what an interrupted run has left on it.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub fn find_untouched(names: Vec<ServiceName>, place: &Where) -> Result<Self, Error> {
        let mut known = Vec::new();
        let mut best: Option<(Vec<ServiceName>, Vec<ServiceName>, Site)> = None;
        for scope in place.scopes() {
            let site = place.site(scope);
            let here: BTreeSet<ServiceName> = observe::known_services(&site.place).into_iter().collect();
            // An instance is known by its template, unless there is a service of its whole name.
            let known_by = |name: &ServiceName| match here.contains(name) {
                true => Some(name.clone()),
                false => name.template().filter(|template| here.contains(template)),
            };
            if let Some(by) = names.iter().map(known_by).collect::<Option<Vec<_>>>() {
                let (mut removed, mut instances) = (Vec::new(), Vec::new());
                for (name, by) in names.iter().zip(by) {
                    if !observe::is_installed(&by, &site)? {
                        removed.push(by.clone());
                    }
                    if by != *name {
                        instances.push(name.clone());
                    }
                }
                // A receipt alone says little: one state directory may be that of both.
                if best.as_ref().is_none_or(|(fewest, _, _)| removed.len() < fewest.len()) {
                    best = Some((removed, instances, site));
                }
            }
            known.extend(here);
        }
        if let Some((removed, instances, site)) = best {
            return Ok(Self { names, removed, instances, site, catalogs: place.catalogs.clone() });
        }
        let missing = names.iter().find(|name| !known.contains(name)).or(names.first());
        Err(no_such_service(missing.map(ServiceName::as_str).unwrap_or_default(), &known))
    }

    /// The catalogs that their receipts may refer to.
    pub(super) fn catalog(&self) -> Result<Catalog, Error> {
        sources::catalogs(&self.site.place.state_dir, &self.catalogs)
    }
}
