//! How a service was installed: its receipt, or OpenMSIStream's list of install arguments.

use std::ffi::OsString;

use super::Managed;
use crate::catalog::Catalog;
use crate::cli::catalogs;
use crate::cli::parse::{self, Line};
use crate::error::{Error, Fault};
use crate::host::files::{self, Entry};
use crate::managers::observe;
use crate::manifest::{Manifest, Service};
use crate::model::name::ServiceName;
use crate::model::text::Text;

impl Managed {
    pub(super) fn catalog(&self) -> Result<Catalog, Error> {
        catalogs(&self.place.state_dir, &self.catalogs)
    }

    pub(super) fn requests(&self, catalog: &Catalog) -> Result<Vec<Service>, Error> {
        self.names.iter().map(|name| self.request(name, catalog)).collect()
    }

    /// How a service was installed: from its receipt, or from OpenMSIStream's list of arguments.
    fn request(&self, name: &ServiceName, catalog: &Catalog) -> Result<Service, Error> {
        let path = self.place.receipt(name);
        if let Entry::File(found) = files::look(&path)? {
            let text = String::from_utf8_lossy(&found.contents).into_owned();
            let services = Manifest::parse_receipt(&text, &path.to_string())
                .map_err(|error| Error::refused(error.into()))?
                .services();
            return services.into_iter().find(|service| service.name.as_deref() == Some(name.as_str())).ok_or_else(
                || Error::refused(Fault::new("receipt", format!("it does not describe `{name}`")).given(&path)),
            );
        }
        let legacy = self.place.legacy_receipt(name);
        let Entry::File(found) = files::look(&legacy)? else {
            let fault =
                Fault::new("receipt", "it is gone, so nothing tells how the service was installed").given(&path);
            return Err(Error::refused(fault.help("type the `InstallService` command again")));
        };
        self.legacy_request(name, &String::from_utf8_lossy(&found.contents), catalog)
    }

    /// The request in OpenMSIStream's list: the program, then one argument a line. Where it ran and
    /// with which interpreter stands in the unit that OpenMSIStream wrote.
    fn legacy_request(&self, name: &ServiceName, list: &str, catalog: &Catalog) -> Result<Service, Error> {
        let mut argv: Vec<OsString> = vec!["InstallService".into()];
        argv.extend(list.lines().map(|line| line.trim().into()));
        let Line::Install { request: Some(mut request), faults, .. } = parse::parse(argv, catalog)? else {
            let path = self.place.legacy_receipt(name);
            return Err(Error::refused(Fault::new("receipt", "it does not name a program").given(path)));
        };
        if !faults.is_empty() {
            return Err(Error::Refused(faults));
        }
        request.name = Some(name.to_string());
        if let Some(unit) = self.predecessors_unit(name)? {
            let field = |key: &str| {
                unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = ")).map(str::to_owned)
            };
            request.working_directory = field("WorkingDirectory").map(Text::from);
            let command = field("ExecStart").unwrap_or_default();
            request.interpreter = command.rsplit_once(' ').map(|(interpreter, _)| interpreter.into());
        }
        Ok(*request)
    }

    /// The unit, if it is still the one that OpenMSIStream wrote.
    pub(super) fn predecessors_unit(&self, name: &ServiceName) -> Result<Option<String>, Error> {
        let Entry::File(unit) = files::look(&self.place.unit(name))? else { return Ok(None) };
        let is_theirs = observe::is_predecessor(name, &unit.contents);
        Ok(is_theirs.then(|| String::from_utf8_lossy(&unit.contents).into_owned()))
    }
}
