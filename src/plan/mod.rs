//! What will be done, as plain data: printable, comparable, and executed by nobody in here.
//!
//! A plan is made from the files that a service should have and from what lies on the host. It
//! holds only what differs, so an empty plan means that there is nothing to do. The preview prints
//! the very plan that an install applies, made for a host that has nothing yet.

pub mod nssm;
mod step;
pub mod systemd;

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::model::artifact::Artifact;
use crate::model::environment_file;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::observed::{Found, Observed};
use crate::model::password::Password;
use crate::model::place::Place;
use crate::model::site::Site;
use crate::model::text::Text;
use crate::render::nssm::NssmService;
pub use step::{Action, Plan, Reversal, Step};

/// The files that one service should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// The service.
    pub name: ServiceName,
    /// Its files; the unit is among them.
    pub artifacts: Vec<Artifact>,
    /// What its service manager knows it by.
    pub registration: Registration,
}

impl Desired {
    /// Whether a timer starts it, and not the boot.
    pub fn has_timer(&self, place: &Place) -> bool {
        let timer = place.timer(&self.name);
        self.artifacts.iter().any(|artifact| artifact.path == timer)
    }
}

/// How a service manager comes to know a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registration {
    /// systemd reads its unit, which is among the files.
    Unit {
        /// Whether it is enabled.
        at_boot: bool,
    },
    /// NSSM keeps these parameters.
    Nssm(Box<NssmService>),
}

impl Registration {
    /// What NSSM keeps of it.
    pub fn nssm(&self) -> Option<&NssmService> {
        match self {
            Self::Unit { .. } => None,
            Self::Nssm(service) => Some(service),
        }
    }
}

/// How an artifact compares with the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is not there.
    Missing,
    /// It has other contents or another mode.
    Changed,
    /// It is as it should be.
    Same,
}

/// How `artifact` compares with what is there.
pub fn compare(observed: &Observed, artifact: &Artifact) -> Difference {
    match observed.files.get(&artifact.path) {
        None if observed.unreadable.contains(&artifact.path) => Difference::Same,
        None => Difference::Missing,
        Some(found) if holds_same(found, artifact) && found.mode == artifact.mode && !found.foreign => Difference::Same,
        Some(_) => Difference::Changed,
    }
}

/// Whether a file holds what it should. Of one with secrets the values count: whatever wrote it in our place, a
/// person or a configuration management, has other words around them.
pub fn holds_same(found: &Found, artifact: &Artifact) -> bool {
    let values = |contents| environment_file::read(contents).into_iter().collect::<BTreeMap<_, _>>();
    found.contents == artifact.contents || artifact.is_secret() && values(&found.contents) == values(&artifact.contents)
}

/// Keeps the contents of files that are as they should be once, and not twice.
pub fn share_contents(desired: &[Desired], observed: &mut Observed) {
    for artifact in desired.iter().flat_map(|service| &service.artifacts) {
        if let Some(found) = observed.files.get_mut(&artifact.path)
            && found.contents == artifact.contents
        {
            found.contents = Rc::clone(&artifact.contents);
        }
    }
}

/// Whether the service manager has the service already.
pub fn is_installed(observed: &Observed, name: &ServiceName, site: &Site) -> bool {
    match site.manager {
        Manager::Systemd(_) => observed.files.contains_key(&site.place.unit(name)),
        Manager::Nssm => observed.registered.contains_key(name),
    }
}

/// Steps that put the files of a service in order: those that differ, and those that should go.
fn file_steps(observed: &Observed, service: &Desired, place: &Place) -> Vec<Step> {
    let wrong = service.artifacts.iter().filter(|artifact| compare(observed, artifact) != Difference::Same);
    let mut steps: Vec<Step> = wrong.map(|artifact| Step::plain(Action::Write(artifact.clone()))).collect();
    for stale in place.files_of(&service.name).into_iter().chain([place.timer(&service.name)]) {
        let wanted = service.artifacts.iter().any(|artifact| artifact.path == stale);
        if !wanted && observed.files.contains_key(&stale) {
            steps.push(Step::plain(Action::Remove(stale)));
        }
    }
    steps
}

/// Steps that make those of `directories` that are not there.
fn directory_steps(observed: &Observed, directories: &[&Text]) -> Vec<Step> {
    let missing = directories.iter().filter(|directory| !observed.directories.contains(directory));
    missing.map(|path| Step::plain(Action::MakeDirectory { path: (*path).clone(), mode: 0o755 })).collect()
}

/// Steps that remove the files of a service, `more` of them included, but for those that are kept.
fn removal_steps(observed: &Observed, name: &ServiceName, place: &Place, keep: Keep, more: &[Text]) -> Vec<Step> {
    let kept = |path: &Text| {
        keep.env_vars && place.secrets_files(name).contains(path)
            || keep.install_args && (*path == place.receipt(name) || *path == place.legacy_receipt(name))
    };
    let all = place.files_of(name).into_iter().chain([place.legacy_receipt(name)]).chain(more.iter().cloned());
    all.filter(|path| observed.files.contains_key(path) && !kept(path))
        .map(|path| Step::plain(Action::Remove(path)))
        .collect()
}

/// Steps that keep what a service takes the name of.
fn keeping_steps(observed: &Observed, name: &ServiceName, place: &Place) -> Vec<Step> {
    let kept = observed.adopted.get(name).map(|original| original.kept(name, place));
    let missing = kept.into_iter().flatten().filter(|artifact| compare(observed, artifact) != Difference::Same);
    missing.map(|artifact| Step::plain(Action::Write(artifact))).collect()
}

/// Steps that take away what is kept of an original.
fn kept_away<'a>(observed: &'a Observed, name: &ServiceName, place: &Place) -> impl Iterator<Item = Step> + use<'a> {
    let units = [place.original_unit(name), place.original_timer(name), place.original_registration(name)];
    let paths = units.into_iter().chain([place.original(name)]);
    paths.filter(|path| observed.files.contains_key(path)).map(|path| Step::plain(Action::Remove(path)))
}

/// What an install does besides putting files in place.
#[derive(Clone, Debug, Default)]
pub struct InstallOptions {
    /// Stop the services first.
    pub stop: bool,
    /// Start the services, and start changed ones again.
    pub start: bool,
    /// Start what runs and is taken over again, too.
    pub restart_now: bool,
    /// Keep a new version that does not settle.
    pub no_rollback: bool,
    /// Services of ours to remove in the same plan, as [`remove`] does with [`Keep::ALL`].
    pub remove: Vec<ServiceName>,
    /// Those that are removed go on under another name: nothing is kept for them, and what they have written stays.
    pub renames: bool,
    /// The passwords of the accounts of services of Windows, as far as they were given.
    pub passwords: BTreeMap<ServiceName, Password>,
    /// Services that the service manager may fail to take in.
    pub loads: Vec<ServiceName>,
}

impl InstallOptions {
    /// What those leave behind that are removed.
    fn keep(&self) -> Keep {
        if self.renames { Keep::default() } else { Keep::ALL }
    }
}

/// What `remove` leaves behind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keep {
    /// The values of secrets.
    pub env_vars: bool,
    /// The receipt.
    pub install_args: bool,
}

impl Keep {
    /// Everything that `reinstall` needs.
    pub const ALL: Self = Self { env_vars: true, install_args: true };
}

/// The plan that installs `desired`, or brings it up to date.
pub fn install(desired: &[Desired], observed: &Observed, site: &Site, options: &InstallOptions) -> Plan {
    let make = |observed: &Observed| match site.manager {
        Manager::Systemd(_) => systemd::install(desired, observed, &site.place, options),
        Manager::Nssm => nssm::install(desired, observed, &site.place, options),
    };
    let running: Vec<ServiceName> =
        desired.iter().map(|service| &service.name).filter(|name| observed.active.contains(name)).cloned().collect();
    let mut plan = if options.stop && !running.is_empty() {
        // Stopping is part of it: what is undone after it runs again.
        let others = observed.active.iter().filter(|name| !running.contains(name)).cloned().collect();
        let mut plan = make(&Observed { active: others, ..observed.clone() });
        plan.steps.splice(
            0..0,
            match site.manager {
                Manager::Systemd(_) => systemd::stop(&running, observed, &site.place),
                Manager::Nssm => nssm::stop_all(&running),
            },
        );
        plan
    } else {
        make(observed)
    };
    plan.keep_unsettled = options.no_rollback;
    plan
}

/// The plan after which services are started at boot, or are not, with the `receipts` that say so.
pub fn at_boot(names: &[ServiceName], at_boot: bool, receipts: &[Artifact], observed: &Observed, site: &Site) -> Plan {
    let mut plan = match site.manager {
        Manager::Systemd(_) => systemd::at_boot(names, at_boot, observed, &site.place),
        Manager::Nssm => nssm::at_boot(names, at_boot, observed),
    };
    let wrong = receipts.iter().filter(|receipt| compare(observed, receipt) != Difference::Same);
    plan.steps.splice(0..0, wrong.map(|receipt| Step::plain(Action::Write(receipt.clone()))));
    plan
}

/// The plan that puts `files` in the place of the `nssm.exe` that services run by, with those that are `running` stopped
/// meanwhile.
pub fn upgrade_nssm(files: &[Artifact], running: &[ServiceName]) -> Plan {
    nssm::upgrade(files, running)
}

/// The plan after which instances of templates are started at boot, or are not.
pub fn instances_at_boot(names: &[ServiceName], at_boot: bool, observed: &Observed, site: &Site) -> Plan {
    match site.manager {
        Manager::Systemd(_) => systemd::instances_at_boot(names, at_boot, observed, &site.place),
        Manager::Nssm => Plan::of(Vec::new()),
    }
}

/// The plan that gives adopted services back to what had their names, and takes away all of ours. What runs goes on.
pub fn release(names: &[ServiceName], observed: &Observed, site: &Site) -> Plan {
    match site.manager {
        Manager::Systemd(_) => systemd::release(names, observed, &site.place),
        Manager::Nssm => nssm::release(names, observed, &site.place),
    }
}

/// The plan that removes services, and leaves what `keep` says.
pub fn remove(names: &[ServiceName], observed: &Observed, site: &Site, keep: Keep) -> Plan {
    match site.manager {
        Manager::Systemd(_) => systemd::remove(names, observed, &site.place, keep),
        Manager::Nssm => nssm::remove(names, observed, &site.place, keep),
    }
}
