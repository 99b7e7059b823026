//! Whether Python programs can be imported: tried once before anything is installed, as the services will do it.

use indexmap::IndexMap;

use super::install::Installation;
use super::{Event, Reporter};
use crate::error::{Error, Fault};
use crate::host::account::Account;
use crate::host::python::{self, Import};
use crate::host::{environment, site};
use crate::managers::systemd;
use crate::model::environment_file;
use crate::model::manager::Manager;
use crate::model::spec::{Run, Scope, ServiceSpec};
use crate::model::systemd_table::{Directive, Section};
use crate::model::text::Text;
use crate::plan::Desired;
use crate::render;
use crate::validate::Validated;

/// Variables with their values; of two of one name the later one counts.
type Variables = Vec<(Text, Text)>;

/// The account of a service that gets one of its own when it is started (`DynamicUser=`): nothing belongs to that one,
/// either.
const NOBODY: &str = "nobody";

/// What is imported, each once however many services import it, with the patterns that they are given.
type Imports<'a> = IndexMap<Import<'a>, Vec<(String, Text)>>;

impl Installation {
    /// Imports each Python program in its interpreter.
    ///
    /// # Errors
    /// A refused request for the first one that cannot be imported.
    pub(super) fn try_imports(&self, desired: &[Desired], reporter: Reporter<'_>) -> Result<(), Error> {
        for (import, patterns) in &self.imports(desired, |_| true)? {
            let module = import.entry.module();
            let mut tell = |told: python::Told<'_>| reporter(Event::Import(module, told));
            python::check_import(import, patterns, self.settings.import_limit, &mut tell)?;
        }
        Ok(())
    }

    /// Looks whether the modules are there at all, before anybody is asked for a password or a secret.
    ///
    /// # Errors
    /// A refused request for the first one that is certainly missing.
    pub(super) fn find_modules(&self, desired: &[Desired]) -> Result<(), Error> {
        // Where Python looks may be a secret that nobody has typed yet.
        let is_known = |spec: &ServiceSpec| !spec.secrets.iter().any(|name| name.as_str().starts_with("PYTHON"));
        self.imports(desired, is_known)?.keys().try_for_each(python::find_module)
    }

    /// What the services import of which `is_meant` is true.
    fn imports<'a>(
        &'a self,
        desired: &[Desired],
        is_meant: impl Fn(&ServiceSpec) -> bool,
    ) -> Result<Imports<'a>, Error> {
        let is_privileged = site::may_change(Scope::System);
        let mut of_all: Option<Variables> = None;
        let mut imports = Imports::new();
        for (Validated { spec, patterns, .. }, desired) in self.validated.iter().zip(desired) {
            let Run::Python { interpreter, entry, .. } = &spec.run else { continue };
            if !is_meant(spec) {
                continue;
            }
            let account = account_of(spec)?;
            let mut environment = match &of_all {
                Some(known) => known.clone(),
                None => of_all.insert(self.variables_of_all()?).clone(),
            };
            // Its packages are those of its account, and not of whoever types this.
            let of_root = || Account::of_service("root", None, &[]);
            let whose = match spec.scope {
                Scope::User => account.clone(),
                Scope::System => account.clone().or_else(of_root),
            };
            environment.extend(whose.iter().flat_map(Account::variables));
            environment.extend(self.variables_of(spec, desired));
            let account = account.filter(|_| is_privileged);
            let import = Import { interpreter, entry, directory: &spec.working_directory, environment, account };
            imports.entry(import).or_default().extend(patterns.iter().cloned());
        }
        Ok(imports)
    }

    /// What every service of the service manager has.
    fn variables_of_all(&self) -> Result<Variables, Error> {
        match self.site.manager {
            Manager::Systemd(scope) => systemd::environment::of_services(scope),
            Manager::Nssm => Ok(environment::of_interpreter()),
        }
    }

    /// What a service has besides: its settings, then its secrets.
    fn variables_of(&self, spec: &ServiceSpec, desired: &Desired) -> Variables {
        let mut variables: Variables = match self.site.manager {
            Manager::Systemd(_) => render::systemd::environment(spec),
            Manager::Nssm => {
                spec.environment.iter().map(|(name, value)| (name.as_str().into(), value.clone())).collect()
            }
        };
        for artifact in desired.artifacts.iter().filter(|artifact| artifact.is_secret()) {
            let secrets = environment_file::read(&artifact.contents).into_iter();
            variables.extend(secrets.map(|(name, value)| (name.into(), value)));
        }
        variables
    }
}

/// The account that a service runs as, where that is not ours.
///
/// # Errors
/// A refused request where there is no such account, or no such group.
fn account_of(spec: &ServiceSpec) -> Result<Option<Account>, Error> {
    let of_service = || spec.directives.iter().filter(|directive| directive.section() == Section::Service);
    let all = |name: &'static str| of_service().filter(move |directive| directive.name() == name);
    let is_dynamic = all("DynamicUser").any(Directive::is_on);
    let Some(name) = spec.account.as_deref().or(is_dynamic.then_some(NOBODY)) else { return Ok(None) };
    if cfg!(windows) {
        return Ok(None);
    }
    let more: Vec<&str> =
        all("SupplementaryGroups").flat_map(|directive| directive.value().split_whitespace()).collect();
    let account = Account::of_service(name, all("Group").next_back().map(Directive::value), &more);
    let missing = || {
        let reason = format!("there is no account `{name}` on this host, or not every group that it is given");
        Error::refused(Fault::new(format!("service `{}`", spec.name), reason))
    };
    account.map(Some).ok_or_else(missing)
}
