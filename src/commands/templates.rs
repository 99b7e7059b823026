//! Templates of systemd: which of its units a name stands for, the file that all instances share or those that run.

use std::collections::BTreeSet;

use super::find::Managed;
use crate::error::{Error, Fault};
use crate::host::files;
use crate::managers;
use crate::model::name::ServiceName;

/// What is done to services, as far as it is not the same for a template and for what runs of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoneTo {
    /// What was installed: a template is that, an instance is none of its own.
    Installed,
    /// What is about to run: an instance, but no template.
    Started,
    /// What runs. Of a template these are its instances; there has to be one.
    Running,
    /// What runs, if anything does.
    Stopped,
    /// What is there: a template with its instances.
    Shown,
    /// Either of them, each as it is.
    Any,
}

impl Managed {
    /// These services with the instances in the place of templates where `to` is about those.
    ///
    /// # Errors
    /// A refused request, where it cannot be done to one of them.
    pub fn meant(mut self, to: DoneTo) -> Result<Self, Error> {
        let mut faults = Vec::new();
        let mut names = Vec::new();
        for name in std::mem::take(&mut self.names) {
            let fault = |reason: &str| Fault::new(format!("service `{name}`"), reason);
            let template = if self.is_instance(&name) { name.template() } else { None };
            match (to, template) {
                (DoneTo::Installed, Some(template)) => {
                    let reason = format!("it is an instance of `{template}`, and what all instances share is that");
                    faults.push(fault(&reason).help(format!("write `ManageService {template} ...`")));
                }
                (DoneTo::Started, None) if name.is_template() => faults.push(no_start(&name)),
                (DoneTo::Running | DoneTo::Stopped | DoneTo::Shown, None) if name.is_template() => {
                    managers::need(self.site.manager, managers::Purpose::Manage)?;
                    let running = managers::instances(&self.site, &name)?;
                    match to {
                        DoneTo::Running if running.is_empty() => faults.push(
                            fault("no instance of it runs")
                                .help(format!("`ManageService {name}INSTANCE start` starts one")),
                        ),
                        DoneTo::Shown => names.push(name.clone()),
                        DoneTo::Stopped if running.is_empty() => names.push(name.clone()),
                        _ => {}
                    }
                    let of_template = running.iter().filter(|name| !files::is_there(&self.site.place.unit(name)));
                    self.instances.extend(of_template.cloned());
                    names.extend(running);
                }
                _ => names.push(name),
            }
        }
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        self.names = names;
        if faults.is_empty() { Ok(self) } else { Err(Error::Refused(faults)) }
    }

    /// Whether it is an instance of a template, with no unit of its own.
    pub(super) fn is_instance(&self, name: &ServiceName) -> bool {
        self.instances.contains(name)
    }
}

/// Why a template is not started.
pub(super) fn no_start(template: &ServiceName) -> Fault {
    Fault::new(format!("service `{template}`"), "it is a template: only its instances run")
        .help(format!("`ManageService {template}INSTANCE start` starts one, with a name of yours for INSTANCE"))
}
