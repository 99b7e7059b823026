//! What is installed, and from which arguments.

use super::Managed;
use super::line::Shape;
use crate::cli::{HEADING, print, print_plain};
use crate::error::{Error, exit};
use crate::host::files::{self, Entry};
use crate::host::process;
use crate::managers::observe::{self, DropIns};
use crate::manifest;
use crate::model::invocation::Invocation;
use crate::model::manager::Manager;
use crate::model::name::ServiceName;
use crate::model::text::Text;

impl Managed {
    pub(super) fn show(&self) -> Result<u8, Error> {
        if self.shape == Shape::Manifest {
            let requests = self.requests(&self.catalog()?)?;
            print_plain(&match requests.as_slice() {
                [only] => manifest::receipt(only),
                all => manifest::receipts(all),
            });
            return Ok(exit::OK);
        }
        let mut out = String::new();
        for name in &self.names {
            self.show_one(name, &mut out)?;
        }
        print(&out);
        Ok(exit::OK)
    }

    fn show_one(&self, name: &ServiceName, out: &mut String) -> Result<(), Error> {
        let mut section = |path: &Text, contents: &str| {
            *out += &format!("{HEADING}{path}{HEADING:#}\n");
            for line in contents.lines() {
                *out += &format!("    {line}\n");
            }
            out.push('\n');
        };
        let receipts = [self.place.receipt(name), self.place.legacy_receipt(name)];
        let overrides = match self.manager {
            Manager::Systemd(scope) => DropIns::look(&self.place, scope).of(name),
            Manager::Nssm(_) => Vec::new(),
        };
        for path in receipts.into_iter().chain(self.unit(name)).chain(overrides) {
            if let Entry::File(found) = files::look(&path)? {
                section(&path, &String::from_utf8_lossy(&found.contents));
            }
        }
        if let Manager::Nssm(_) = self.manager {
            let observed = observe::observe(std::slice::from_ref(name), &self.place, &self.manager)?;
            let stored = observed.registered.get(name).into_iter().flatten();
            let rows: String = stored
                .flat_map(|parameter| parameter.values.iter().map(move |value| format!("{parameter} = {value}\n")))
                .collect();
            section(&"parameters of NSSM".into(), &rows);
        }
        if !self.removed.contains(name)
            && let Some(score) = self.unit(name).as_ref().and_then(exposure)
        {
            *out += &format!("exposure by systemd-analyze security: {score}\n");
        }
        Ok(())
    }
}

/// What systemd-analyze thinks of a unit, such as `6.9 MEDIUM`; nothing where it is not there or too
/// old to look at a file (250).
fn exposure(unit: &Text) -> Option<String> {
    let mut words: Vec<Text> = ["systemd-analyze", "security", "--no-pager", "--offline=yes"].map(Text::from).to_vec();
    words.push(unit.clone());
    let outcome = process::ask(&Invocation(words), &[]).ok()?;
    let text = outcome.text();
    let line = text.lines().find(|line| line.contains("Overall exposure level"))?;
    let score = line.rsplit_once(": ")?.1;
    Some(score.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned())
}
