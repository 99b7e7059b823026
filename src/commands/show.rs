//! What is installed, and from which arguments.

use std::io;

use super::find::Managed;
use super::receipt::ReadWords;
use crate::error::Error;
use crate::host::facts::Before;
use crate::host::files::{self, Entry};
use crate::managers::credential::Opened;
use crate::managers::observe;
use crate::managers::systemd::security;
use crate::managers::systemd::units::Units;
use crate::manifest::Request;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::registration;
use crate::model::spec::Hardening;
use crate::model::text::Text;
use crate::model::word::Word;
use crate::{render, validate};

/// What is installed of one service.
#[derive(Debug, Default)]
pub struct Shown {
    /// Its files, by their paths: receipts, unit, drop-ins.
    pub files: Vec<(Text, Vec<u8>)>,
    /// The parameters that NSSM has for it, where that manages it, with their values.
    pub parameters: Option<Vec<(String, Text)>>,
    /// How exposed it is, in the words of systemd-analyze.
    pub exposure: Option<String>,
    /// What each profile of hardening would make of that.
    pub with_profiles: Vec<(&'static str, String)>,
}

impl Managed {
    /// How they were installed, as a manifest has it.
    ///
    /// # Errors
    /// When a receipt is gone, or cannot be understood.
    pub fn as_requests(&self, read: ReadWords<'_>) -> Result<Vec<Request>, Error> {
        self.requests(&self.catalog()?, read)
    }

    /// What is installed of each.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn show(&self, read: ReadWords<'_>) -> Result<Vec<Shown>, Error> {
        self.names.iter().map(|name| self.show_one(name, read)).collect()
    }

    fn show_one(&self, name: &ServiceName, read: ReadWords<'_>) -> Result<Shown, Error> {
        let place = &self.site.place;
        let mut shown = Shown::default();
        let overrides = match self.site.manager {
            Manager::Systemd(scope) => {
                let units = Units::look(place, scope);
                let of_timer = self.timer(name).map(|_| units.drop_ins_of_timer(name));
                units.drop_ins(name).into_iter().chain(of_timer.into_iter().flatten()).collect()
            }
            Manager::Nssm => Vec::new(),
        };
        let receipts = [place.receipt(name), place.legacy_receipt(name)];
        for path in receipts.into_iter().chain(self.unit(name)).chain(self.timer(name)).chain(overrides) {
            if let Entry::File(found) = files::look(&path)? {
                shown.files.push((path, found.contents.to_vec()));
            }
        }
        // The unit may have been for root alone: the record tells of it all the same.
        for path in [place.original(name), place.original_unit(name), place.original_registration(name)] {
            match files::look(&path) {
                Ok(Entry::File(found)) if path == place.original_registration(name) => {
                    let text = registration::text_of(&found.contents);
                    shown.files.push((path, text.map_or_else(|_| found.contents.to_vec(), String::into_bytes)));
                }
                Ok(Entry::File(found)) => shown.files.push((path, found.contents.to_vec())),
                Ok(Entry::Missing | Entry::Other(_)) => {}
                Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::PermissionDenied => {}
                Err(error) => return Err(error),
            }
        }
        match self.site.manager {
            Manager::Systemd(_) if self.removed.contains(name) => {}
            Manager::Systemd(_) => {
                shown.exposure = security::exposure(&place.unit(name));
                if shown.exposure.is_some() {
                    shown.with_profiles = self.with_profiles(name, read).unwrap_or_default();
                }
            }
            Manager::Nssm => {
                let observed = observe::observe(std::slice::from_ref(name), &self.site, &mut Opened::default())?;
                let stored = observed.registered.get(name).into_iter().flatten();
                let values = stored.flat_map(|parameter| {
                    parameter.values.iter().map(move |value| (parameter.to_string(), value.clone()))
                });
                shown.parameters = Some(values.collect());
            }
        }
        Ok(shown)
    }

    /// What each profile would make of the exposure of a service. Without a receipt that holds nothing is known of it.
    fn with_profiles(&self, name: &ServiceName, read: ReadWords<'_>) -> Result<Vec<(&'static str, String)>, Error> {
        let (place, catalog) = (&self.site.place, self.catalog()?);
        let request = self.request(name, &catalog, read)?;
        let of_profile = |profile: &'static str| {
            let request = Request { hardening: Some(profile.to_owned()), ..request.clone() };
            let target = self.site.target();
            let valid = validate::validate(&request, &catalog, &Before::default(), target, &place.state_dir).ok()?;
            let files = render::systemd::artifacts(&valid.spec, place).ok()?;
            let unit = files.into_iter().find(|file| file.path == place.unit(name))?;
            Some((profile, security::exposure_of(&name.unit(), &unit.contents)?))
        };
        Ok(Hardening::WORDS
            .iter()
            .filter(|(_, profile)| *profile != Hardening::None)
            .filter_map(|(word, _)| of_profile(word))
            .collect())
    }
}
