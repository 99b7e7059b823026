//! Units that exist, taken over, and what other programs run services by ([`procfile`], [`pm2`]): each becomes a service
//! of a manifest which renders to a unit of the same meaning, and what it cannot say is named line by line.
//!
//! Nothing here reads a file: [`UnitFile`] is given what is in one, [`Unit`] puts those of a unit together, [`Taken`]
//! says it in the words of a manifest, and [`Taken::check`] renders that and compares.

mod compare;
mod document;
mod merged;
pub mod nssm;
pub mod pm2;
pub mod procfile;
mod secrets;
mod taken;
mod timer;
mod unit_file;
mod words;

pub use document::document;
pub use merged::{Unit, drop_in_directories};
pub use secrets::hidden;
pub use taken::{About, Loss, Remark, Taken};
pub use unit_file::{Assignment, At, Passed, UnitFile, of_cat};

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::manifest::{Manifest, Request};
use crate::model::facts::Facts;
use crate::model::place::Place;
use crate::model::platform::Platform;
use crate::model::spec::Target;
use crate::model::text::Text;
use crate::render::systemd;
use crate::validate;

/// A host of which nothing is known: a manifest is for any.
struct AnyHost;

impl Facts for AnyHost {}

/// Any host that has the programs which are called by their names.
struct AnyHostWithPrograms;

impl Facts for AnyHostWithPrograms {
    fn find_program(&self, name: &Text) -> Option<Text> {
        Some(Platform::Unix.join(&"/usr/bin".into(), name.as_str()?))
    }
}

/// Gives services whose names are those of others before them new ones, and tells it: a manifest has each name once.
pub fn distinct(services: &mut [Taken]) {
    let mut used = BTreeSet::new();
    for taken in services {
        let names = |request: &Request| -> Vec<Option<String>> {
            let manifest = Manifest { defaults: Request::default(), service: vec![request.clone()] };
            manifest.services().into_iter().map(|service| service.name).collect()
        };
        let name = taken.request.name.clone().unwrap_or_default();
        let mut number = 1;
        while names(&taken.request).iter().any(|name| used.contains(name)) {
            number += 1;
            taken.request.name = Some(format!("{name}-{number}"));
        }
        if number > 1 {
            let why = format!("another one before it is called `{name}`, too, so this one has a new name");
            taken.losses.push(Loss { at: None, line: String::new(), why, help: None });
        }
        used.extend(names(&taken.request));
    }
}

impl Taken {
    /// Adds to its losses what no service can have of what it says.
    #[must_use]
    pub fn checked(mut self) -> Self {
        let manifest = Manifest { defaults: Request::default(), service: vec![self.request.clone()] };
        // Of instances the first has what all have.
        if let Some(service) = manifest.services().first()
            && let Err(faults) =
                validate::validate(service, &Catalog::default(), &AnyHostWithPrograms, Target::Systemd, &"/".into())
        {
            self.losses.extend(faults.into_iter().map(|fault| Loss {
                at: None,
                line: String::new(),
                why: fault.to_string(),
                help: fault.help.clone(),
            }));
        }
        self
    }

    /// Renders it, and adds to its losses whatever means something else in the units that it makes. Gives those, if it is
    /// a service that can be installed.
    pub fn check(&mut self, original: &Unit, timer: Option<&Unit>, place: &Place) -> Option<Made> {
        let refused = |why: String, help: Option<String>| Loss { at: None, line: String::new(), why, help };
        let checked = validate::validate(&self.request, &Catalog::default(), &AnyHost, Target::Systemd, &"/".into());
        let spec = match checked {
            Ok(validated) => validated.spec,
            Err(faults) => {
                let losses = faults.into_iter().map(|fault| refused(fault.to_string(), fault.help.clone()));
                self.losses.extend(losses);
                return None;
            }
        };
        let files = match systemd::artifacts(&spec, place) {
            Ok(files) => files,
            Err(refusals) => {
                self.losses.extend(refusals.into_iter().map(|refusal| refused(refusal.to_string(), None)));
                return None;
            }
        };
        let contents = |path: &Text| Some(files.iter().find(|file| file.path == *path)?.contents.to_vec());
        let (service, of_timer) = (place.unit(&spec.name), place.timer(&spec.name));
        let made = Made { service: contents(&service)?, timer: timer.and_then(|_| contents(&of_timer)) };
        self.compare(original, UnitFile::read(&service.to_string(), &made.service));
        if let (Some(timer), Some(made)) = (timer, &made.timer) {
            self.compare(timer, UnitFile::of_timer(&of_timer.to_string(), made));
        }
        Some(made)
    }

    fn compare(&mut self, original: &Unit, ours: UnitFile) {
        match Unit::merged(ours, Vec::new()) {
            Ok(ours) => {
                let is_known = |loss: &Loss| self.losses.iter().any(|other| loss.at.is_some() && other.at == loss.at);
                let more: Vec<Loss> =
                    compare::differences(original, &ours).into_iter().filter(|loss| !is_known(loss)).collect();
                self.losses.extend(more);
            }
            Err(Passed { line, why, .. }) => self.losses.push(Loss {
                at: None,
                line: String::new(),
                why: format!("the unit has `{line}`: {why}"),
                help: None,
            }),
        }
    }
}

/// The units that a manifest makes of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// That of the service.
    pub service: Vec<u8>,
    /// That of the timer which starts it.
    pub timer: Option<Vec<u8>>,
}
