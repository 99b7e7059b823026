//! How a service was installed: its receipt, or OpenMSIStream's list of install arguments.

use super::find::Managed;
use crate::catalog::Catalog;
use crate::error::{Error, Fault};
use crate::host::files::{self, Entry};
use crate::host::state::Kept;
use crate::managers::nssm;
use crate::managers::systemd::units;
use crate::manifest::{Manifest, Request};
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::place;
use crate::model::text::Text;

/// Reads the words of OpenMSIStream's list of install arguments, as its command line had them.
pub type ReadWords<'a> = &'a dyn Fn(Vec<String>, &Catalog) -> Result<Option<Request>, Error>;

impl Managed {
    /// How each of the services was installed.
    ///
    /// # Errors
    /// When a receipt is gone, or cannot be understood.
    pub fn requests(&self, catalog: &Catalog, read: ReadWords<'_>) -> Result<Vec<Request>, Error> {
        self.names.iter().map(|name| self.request(name, catalog, read)).collect()
    }

    /// How a service was installed: from its receipt, or from OpenMSIStream's list of arguments.
    pub(super) fn request(&self, name: &ServiceName, catalog: &Catalog, read: ReadWords<'_>) -> Result<Request, Error> {
        let path = self.site.place.receipt(name);
        let kept = Kept::open(&self.site.place.state_dir)?;
        if let Some(found) = kept.believed(&path)? {
            let text = String::from_utf8_lossy(&found.contents).into_owned();
            let services = Manifest::parse_receipt(&text, &path.to_string())
                .map_err(|error| Error::refused(error.into()))?
                .services();
            return services.into_iter().find(|service| service.name.as_deref() == Some(name.as_str())).ok_or_else(
                || Error::refused(Fault::new("receipt", format!("it does not describe `{name}`")).given(&path)),
            );
        }
        let legacy = self.site.place.legacy_receipt(name);
        let Some(found) = kept.believed(&legacy)? else {
            let fault = Fault::new("receipt", "it is missing, so there is no record of how the service was installed")
                .given(&path);
            return Err(Error::refused(fault.help("type the `InstallService` command again")));
        };
        self.legacy_request(name, &String::from_utf8_lossy(&found.contents), catalog, read)
    }

    /// The request in OpenMSIStream's list: the program, then one argument a line. Where it ran and with which
    /// interpreter, the service manager knows.
    fn legacy_request(
        &self,
        name: &ServiceName,
        list: &str,
        catalog: &Catalog,
        read: ReadWords<'_>,
    ) -> Result<Request, Error> {
        let words = list.lines().map(|line| line.trim().to_owned()).collect();
        let mut request = read(words, catalog)?.ok_or_else(|| {
            let path = self.site.place.legacy_receipt(name);
            Error::refused(Fault::new("receipt", "it does not name a program").given(path))
        })?;
        request.name = Some(name.to_string());
        (request.interpreter, request.working_directory) = self.predecessors_place(name)?;
        Ok(request)
    }

    /// The interpreter of OpenMSIStream's service, and where it ran.
    fn predecessors_place(&self, name: &ServiceName) -> Result<(Option<Text>, Option<Text>), Error> {
        Ok(match self.site.manager {
            Manager::Systemd(_) => {
                let unit = self.predecessors_unit(name)?.unwrap_or_default();
                let field = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
                let interpreter = field("ExecStart").and_then(|command| command.rsplit_once(' '));
                (interpreter.map(|(interpreter, _)| interpreter.into()), field("WorkingDirectory").map(Text::from))
            }
            Manager::Nssm => {
                let stored = nssm::registered_as(name.as_str()).map(|found| found.parameters()).unwrap_or_default();
                let value = |name: &str| stored.iter().find(|known| known.name == name)?.values.first().cloned();
                (value("Application"), value("AppDirectory"))
            }
        })
    }

    /// The unit, if it is still the one that OpenMSIStream wrote.
    pub(super) fn predecessors_unit(&self, name: &ServiceName) -> Result<Option<String>, Error> {
        let Entry::File(unit) = files::look(&self.site.place.unit(name))? else { return Ok(None) };
        let is_theirs = units::is_predecessor(name, &unit.contents);
        Ok(is_theirs.then(|| String::from_utf8_lossy(&unit.contents).into_owned()))
    }

    /// Where a service's errors are written: its working directory stands in the receipt. All instances of a template have
    /// one such file.
    pub(super) fn error_log(&self, name: &ServiceName) -> Option<Text> {
        let place = &self.site.place;
        let template = if self.is_instance(name) { name.template() } else { None };
        let name = template.as_ref().unwrap_or(name);
        let found = Kept::open(&place.state_dir).and_then(|kept| kept.believed(&place.receipt(name))).ok()??;
        let receipt = Manifest::parse_receipt(&String::from_utf8_lossy(&found.contents), "").ok()?;
        let directory = receipt.services().into_iter().next()?.working_directory?;
        let writes_one = match self.site.manager {
            Manager::Systemd(_) => true,
            // The script of a Python service writes it, and RunService for other programs.
            Manager::Nssm => files::is_there(&place.python_script(name)) || nssm::runs_through_runner(name, place),
        };
        writes_one.then(|| place::error_log_path(&directory, name))
    }
}

/// The error of a service that did not start, with the place of its error log if there is one; `path` says where it
/// would be.
pub(super) fn with_error_log(mut error: Error, path: impl Fn(&str) -> Option<Text>) -> Error {
    let inner = match &mut error {
        Error::Undone { cause, .. } => cause.as_mut(),
        other => other,
    };
    if let Error::DidNotStart { service, error_log, .. } = inner {
        *error_log = path(service).filter(files::is_there).map(|path| path.to_string());
    }
    error
}
