//! Units that exist, taken over, and what other programs run services by ([`procfile`], [`pm2`]): each becomes a service of a manifest which renders to a unit of the same meaning, and
//! what it cannot say is named line by line.
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
mod unit_file;
mod words;

pub use document::document;
pub use merged::{Unit, drop_in_directories};
pub use secrets::hidden;
pub use taken::{About, Loss, Remark, Taken};
pub use unit_file::{Assignment, At, Passed, UnitFile, of_cat};

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

    /// Renders it, and adds to its losses whatever means something else in the unit that it makes. Gives that unit.
    pub fn check(&mut self, original: &Unit, place: &Place) -> Option<Vec<u8>> {
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
        let path = place.unit(&spec.name);
        let files = match systemd::artifacts(&spec, place) {
            Ok(files) => files,
            Err(refusals) => {
                self.losses.extend(refusals.into_iter().map(|refusal| refused(refusal.to_string(), None)));
                return None;
            }
        };
        let unit = files.into_iter().find(|file| file.path == path)?.contents;
        let ours = Unit::merged(UnitFile::read(&path.to_string(), &unit), Vec::new());
        match ours {
            Ok(ours) => {
                let known = std::mem::take(&mut self.losses);
                let is_known = |loss: &Loss| known.iter().any(|other| loss.at.is_some() && other.at == loss.at);
                let more = compare::differences(original, &ours).into_iter().filter(|loss| !is_known(loss));
                self.losses = known.iter().cloned().chain(more).collect();
            }
            Err(Passed { line, why, .. }) => self.losses.push(refused(format!("the unit has `{line}`: {why}"), None)),
        }
        Some(unit.to_vec())
    }
}
