//! The files of services, for other hosts.

use super::applied::{has_programs, need};
use super::{Installation, Layout, of_refusals};
use crate::commands::{Event, Reporter};
use crate::error::{Error, Fault};
use crate::executor::export::{self, Export};
use crate::host::site;
use crate::managers::nssm::{self, Brought};
use crate::manifest;
use crate::model::artifact::Artifact;
use crate::model::invocation::Invocation;
use crate::model::links::UnitLinks;
use crate::model::manager::Manager;
use crate::model::spec::Scope;
use crate::model::text::Text;
use crate::plan::{Desired, systemd};
use crate::render;
use crate::render::ansible::RoleService;
use crate::validate::Validated;

impl Installation {
    /// The files of an export: as they will lie on the host, and for NSSM the batches that put them
    /// there. An environment file is not among them, a list of its names is.
    pub(super) fn exported(
        &self,
        desired: Vec<Desired>,
        directory: &Text,
        layout: Layout,
        reporter: Reporter<'_>,
    ) -> Result<Export, Error> {
        let place = &self.site.place;
        let laid = self.laid(&desired, directory, layout, reporter)?;
        let below = match layout {
            Layout::Tree => "",
            Layout::Ansible => "files/",
        };
        let Brought { files: programs, executables, notes } = self.brought(&desired, directory, below, reporter)?;
        notes.iter().for_each(|line| reporter(Event::Note(line)));
        let (mut files, mut services, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for (Desired { name, artifacts, registration }, Validated { spec, .. }) in
            desired.into_iter().zip(&self.validated)
        {
            let has_secrets = !spec.secrets.is_empty();
            // A role says in its variables which secrets there are.
            let example = (has_secrets && layout == Layout::Tree)
                .then(|| render::example::artifact(&name, &spec.secrets, spec.secrets_in, place));
            let mut batches = Vec::new();
            if let Some(service) = registration.nssm() {
                let values = has_secrets.then(|| place.environment_file(&name));
                match render::nssm::batches(service, &artifacts, values.as_ref(), &executables, place) {
                    Ok(found) => {
                        if let Some(reason) = found.without_runner {
                            reporter(Event::Note(&format!("`{name}`: the batch will leave no error log: {reason}")));
                        }
                        batches.extend(found.files);
                    }
                    Err(refusals) => faults.extend(of_refusals(refusals)),
                }
            }
            match layout {
                Layout::Ansible => {
                    match self.site.manager {
                        Manager::Systemd(_) => {}
                        Manager::Nssm => batches.extend(artifacts.iter().cloned().map(render::nssm::beside)),
                    }
                    services.push(RoleService {
                        name,
                        files: artifacts,
                        batches,
                        secrets: spec.secrets.clone(),
                        at_boot: spec.at_boot,
                        systemd: spec.systemd,
                    });
                }
                Layout::Tree => match self.site.manager {
                    Manager::Systemd(_) => files.extend(artifacts.into_iter().chain(example)),
                    Manager::Nssm => {
                        files.extend(batches);
                        files.extend(artifacts.into_iter().chain(example).map(render::nssm::beside));
                    }
                },
            }
        }
        if layout == Layout::Ansible {
            match render::ansible::role(services, place, self.site.target()) {
                Ok(role) => files = role,
                Err(refusals) => faults.extend(of_refusals(refusals)),
            }
        }
        files.extend(
            programs.into_iter().map(|program| Artifact { path: format!("{below}{}", program.path).into(), ..program }),
        );
        let manifest = manifest::document(self.validated.iter().map(|service| &service.request));
        files.push(Artifact::plain(laid.about.with("/").with(export::MANIFEST), manifest.into_bytes()));
        if faults.is_empty() { Ok(Export { files, ..laid }) } else { Err(Error::Refused(faults)) }
    }

    /// An export without its files: with its links, and the place of what tells about it. In a system that is made of files
    /// that is the state directory: its `/` is nobody's to put something into.
    fn laid(
        &self,
        desired: &[Desired],
        directory: &Text,
        layout: Layout,
        reporter: Reporter<'_>,
    ) -> Result<Export, Error> {
        let place = &self.site.place;
        let scope = match (self.site.manager, layout) {
            (Manager::Systemd(scope), Layout::Tree) => scope,
            (Manager::Systemd(_), Layout::Ansible) | (Manager::Nssm, _) => return Ok(Export::default()),
        };
        let is_root = site::is_root_of_system(directory);
        if is_root && scope == Scope::User {
            let reason = "is the root of a system, and the files of a user's services lie in a home directory";
            let fault = Fault::new("option `--output`", reason).given(directory);
            let root = directory.as_str().unwrap_or_default().trim_end_matches('/');
            let help = format!("such as `--output {root}/home/NAME`, or `--output {root}/etc/skel` for users to come");
            return Err(Error::refused(fault.help(help)));
        }
        let enabled = systemd::enabled(desired, scope, place);
        let (links, about, about_before) = match (self.settings.enable_links, is_root) {
            (true, _) => (enabled.links, place.state_dir.clone(), Text::default()),
            (false, true) => (UnitLinks::new(), place.state_dir.clone(), Text::default()),
            (false, false) => (UnitLinks::new(), Text::default(), place.state_dir.clone()),
        };
        if is_root {
            self.tell_of_root(directory, reporter);
        }
        if self.settings.enable_links {
            for (name, unit) in enabled.also {
                let words =
                    ["systemctl".into(), "--root".into(), directory.clone(), "enable".into(), unit.as_str().into()];
                let command = Invocation(words.into());
                let command = command.typed();
                let line = format!("`{name}`: `Also=` names `{unit}`, which is not exported; `{command}` enables it");
                reporter(Event::Note(&line));
            }
        }
        Ok(Export { files: Vec::new(), links, about, about_before })
    }

    /// Says what the services of a system that is made of files still need.
    fn tell_of_root(&self, directory: &Text, reporter: Reporter<'_>) {
        let place = &self.site.place;
        let at_boot = self.validated.iter().any(|service| service.spec.at_boot);
        if at_boot && !self.settings.enable_links {
            let line = format!(
                "`{directory}` is the root of a system, in which nothing starts the services yet; `--enable-links` does, at boot"
            );
            reporter(Event::Note(&line));
        }
        for Validated { spec, .. } in self.validated.iter().filter(|service| !service.spec.secrets.is_empty()) {
            let file = place.environment_file(&spec.name);
            let line = format!(
                "`{}`: its secrets are not exported: before it starts, `{file}` must be there, with mode 0600; \
                 `{file}.example` names them",
                spec.name
            );
            reporter(Event::Note(&line));
        }
    }

    /// The programs that lie beside the files of an export, whose own are in the folder `below` its directory.
    fn brought(
        &self,
        desired: &[Desired],
        directory: &Text,
        below: &str,
        reporter: Reporter<'_>,
    ) -> Result<Brought, Error> {
        match self.site.manager {
            Manager::Systemd(_) => Ok(Brought::default()),
            Manager::Nssm => {
                let there = directory.with("/").with(below);
                let tell = &mut |supply: nssm::Supply<'_>| reporter(Event::Supply(supply));
                nssm::bring(&self.settings.nssm, need(desired).as_ref(), has_programs(desired), &there, tell)
            }
        }
    }
}
