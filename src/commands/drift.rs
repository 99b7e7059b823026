//! Drift: how the host differs from what it should be.

use crate::model::artifact::Artifact;
use crate::model::name::ServiceName;
use crate::model::observed::{DropIn, Found, Observed};
use crate::model::original::Original;
use crate::model::overrides::{self, Overridden};
use crate::model::parameter::Parameter;
use crate::model::place::Place;
use crate::model::text::Text;
use crate::plan::systemd::LinkDrift;
use crate::plan::{self, Desired, Difference, Registration};
use crate::render::nssm::current;

/// Every difference between the services as they should be and the host.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Files that differ.
    pub files: Vec<FileDrift>,
    /// Parameters of NSSM that differ.
    pub parameters: Vec<ParameterDrift>,
    /// Services that are not registered with NSSM.
    pub not_registered: Vec<ServiceName>,
    /// Services that should start at boot and do not.
    pub not_enabled: Vec<ServiceName>,
    /// Services that should not start at boot and do.
    pub enabled: Vec<ServiceName>,
    /// Users whose services end at the logout, and do not start at boot.
    pub not_lingering: Vec<String>,
    /// Links to units that are not as they should be.
    pub links: Vec<LinkChange>,
    /// Services of ours that are to be removed.
    pub surplus: Vec<ServiceName>,
    /// The administrator's files that override a unit of ours.
    pub drop_ins: Vec<Text>,
    /// What they override.
    pub overridden: Vec<DropInDrift>,
    /// What services need that is no longer there.
    pub gone: Vec<Gone>,
    /// Units that are not ours, and that are taken over.
    pub adopted: Vec<Adoption>,
}

/// A unit that is not ours, and that is taken over.
#[derive(Debug)]
pub struct Adoption {
    /// The service that takes its name.
    pub service: ServiceName,
    /// Where it lies.
    pub path: Text,
    /// Where it is kept.
    pub kept: Text,
}

/// A file that is not as it should be.
#[derive(Debug)]
pub enum FileDrift {
    /// It is not there.
    Missing(Artifact),
    /// It holds something else, or has another mode or owner.
    Changed {
        /// As it should be.
        wanted: Artifact,
        /// As it is.
        found: Found,
    },
    /// It overrides one that is taken over, and lies elsewhere.
    Overrides {
        /// As it should be.
        wanted: Artifact,
        /// What it overrides.
        original: Original,
    },
    /// It is there and should not.
    Superfluous(Text),
}

/// A link to a unit that is not as it should be.
#[derive(Debug)]
pub struct LinkChange {
    /// The service.
    pub service: ServiceName,
    /// The link.
    pub path: Text,
    /// What is wrong with it.
    pub state: LinkState,
}

/// What is wrong with a link to a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It is not there.
    Missing,
    /// The unit no longer asks for it.
    Stale,
    /// Somebody else made it.
    Foreign,
}

/// What a drop-in overrides of the unit of a service.
#[derive(Debug)]
pub struct DropInDrift {
    /// The service.
    pub service: ServiceName,
    /// The drop-in.
    pub path: Text,
    /// What is different by it.
    pub overridden: Vec<Overridden>,
}

/// A parameter of NSSM that is not as it should be.
#[derive(Debug)]
pub struct ParameterDrift {
    /// The service.
    pub service: ServiceName,
    /// The parameter as it should be.
    pub wanted: Parameter,
    /// The values that it has.
    pub found: Vec<Text>,
}

/// A directory, a program or an account that a service was installed with and that is gone.
#[derive(Debug)]
pub struct Gone {
    /// The service.
    pub service: ServiceName,
    /// What it was to the service, such as `working directory`.
    pub what: &'static str,
    /// Its path or name.
    pub name: Text,
    /// Whether the service is not installed yet, so that nothing says that it was ever there.
    pub is_new: bool,
}

impl Comparison {
    /// Compares `desired` with what was observed; `surplus` are services that are to be removed.
    pub fn new(desired: &[Desired], observed: &Observed, place: &Place, surplus: &[ServiceName]) -> Self {
        let mut comparison = Self {
            surplus: surplus.to_vec(),
            drop_ins: observed.drop_ins.clone(),
            not_lingering: observed.logs_out.iter().cloned().collect(),
            adopted: observed.adopted.iter().map(|(name, original)| Adoption::of(name, original, place)).collect(),
            ..Self::default()
        };
        for service in desired {
            comparison.files.extend(file_drift(service, observed, place));
            let of_timer = if service.has_timer(place) { observed.overriding_timers.get(&service.name) } else { None };
            for (path, drop_ins) in [
                (place.unit(&service.name), observed.overriding.get(&service.name)),
                (place.timer(&service.name), of_timer),
            ] {
                comparison.overridden.extend(drop_in_drift(service, &path, drop_ins));
            }
            for DropIn { path, .. } in of_timer.into_iter().flatten() {
                if !comparison.drop_ins.contains(path) {
                    comparison.drop_ins.push(path.clone());
                }
            }
            match &service.registration {
                Registration::Unit { .. } => {
                    let drift = LinkDrift::of(service, observed, place);
                    if drift.is_disabled {
                        comparison.not_enabled.push(service.name.clone());
                    }
                    if drift.is_enabled {
                        comparison.enabled.push(service.name.clone());
                    }
                    comparison.links.extend(link_drift(drift, &service.name));
                }
                Registration::Nssm(wanted) => match observed.registered.get(&service.name) {
                    None => comparison.not_registered.push(service.name.clone()),
                    Some(stored) => {
                        let differing = wanted.differing(stored).into_iter();
                        comparison.parameters.extend(differing.map(|parameter| ParameterDrift {
                            service: service.name.clone(),
                            found: current(&parameter, stored),
                            wanted: parameter,
                        }));
                    }
                },
            }
        }
        comparison
    }

    /// Leaves out the files that these services have not had: what is replaced is left.
    pub fn leave_out_new(&mut self, services: &[ServiceName], place: &Place) {
        let is_of = |path: &Text| services.iter().any(|name| place.files_of(name).contains(path));
        self.files.retain(|file| !matches!(file, FileDrift::Missing(wanted) if is_of(&wanted.path)));
    }

    /// Whether the host is as it should be.
    pub fn is_same(&self) -> bool {
        // What drop-ins override is told with them.
        let Self {
            files,
            parameters,
            not_registered,
            not_enabled,
            enabled,
            not_lingering,
            links,
            surplus,
            drop_ins,
            overridden: _,
            gone,
            adopted,
        } = self;
        files.is_empty()
            && parameters.is_empty()
            && not_registered.is_empty()
            && not_enabled.is_empty()
            && enabled.is_empty()
            && not_lingering.is_empty()
            && links.is_empty()
            && surplus.is_empty()
            && drop_ins.is_empty()
            && gone.is_empty()
            && adopted.is_empty()
    }
}

impl Adoption {
    fn of(name: &ServiceName, original: &Original, place: &Place) -> Self {
        Self { service: name.clone(), path: original.path.clone(), kept: original.kept_at(name, place) }
    }
}

/// What drop-ins override of the unit at `path`.
fn drop_in_drift(service: &Desired, path: &Text, drop_ins: Option<&Vec<DropIn>>) -> Vec<DropInDrift> {
    let unit = service.artifacts.iter().find(|artifact| artifact.path == *path);
    let (Some(unit), Some(drop_ins)) = (unit, drop_ins) else { return Vec::new() };
    let of = |DropIn { path, contents }: &DropIn| DropInDrift {
        service: service.name.clone(),
        path: path.clone(),
        overridden: overrides::of(&unit.contents, contents),
    };
    drop_ins.iter().map(of).collect()
}

fn link_drift(drift: LinkDrift, service: &ServiceName) -> impl Iterator<Item = LinkChange> {
    let LinkDrift { missing, stale, foreign, .. } = drift;
    let states = [(LinkState::Missing, missing), (LinkState::Stale, stale), (LinkState::Foreign, foreign)];
    states.into_iter().flat_map(move |(state, paths)| {
        paths.into_iter().map(move |path| LinkChange { service: service.clone(), path, state })
    })
}

fn file_drift(service: &Desired, observed: &Observed, place: &Place) -> Vec<FileDrift> {
    let mut drift = Vec::new();
    for artifact in &service.artifacts {
        match (plan::compare(observed, artifact), observed.files.get(&artifact.path)) {
            (Difference::Same, _) => {}
            (Difference::Changed, Some(found)) => {
                drift.push(FileDrift::Changed { wanted: artifact.clone(), found: found.clone() });
            }
            (Difference::Missing | Difference::Changed, _) => {
                let wanted = artifact.clone();
                let original = observed.adopted.get(&service.name).filter(|_| wanted.path == place.unit(&service.name));
                drift.push(match original.cloned() {
                    Some(original) => FileDrift::Overrides { wanted, original },
                    None => FileDrift::Missing(wanted),
                });
            }
        }
    }
    for path in place.files_of(&service.name).into_iter().chain([place.timer(&service.name)]) {
        let wanted = service.artifacts.iter().any(|artifact| artifact.path == path);
        if !wanted && observed.files.contains_key(&path) {
            drift.push(FileDrift::Superfluous(path));
        }
    }
    drift
}
