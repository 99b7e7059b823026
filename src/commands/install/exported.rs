//! The files of services, for other hosts.

use super::applied::{has_programs, need};
use super::{Installation, Layout, of_refusals};
use crate::commands::{Event, Reporter};
use crate::error::Error;
use crate::executor::export;
use crate::managers::nssm::{self, Brought};
use crate::manifest;
use crate::model::artifact::Artifact;
use crate::model::manager::Manager;
use crate::model::text::Text;
use crate::plan::Desired;
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
    ) -> Result<Vec<Artifact>, Error> {
        let place = &self.site.place;
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
        files.push(Artifact::plain(export::MANIFEST.into(), manifest.into_bytes()));
        if faults.is_empty() { Ok(files) } else { Err(Error::Refused(faults)) }
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
