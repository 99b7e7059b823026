//! [`Original`]: what had the name of a service before InstallService adopted it.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::artifact::{Artifact, ArtifactKind};
use super::links::{Links, UnitLinks};
use super::name::ServiceName;
use super::observed::Found;
use super::place::Place;
use super::platform::Platform;
use super::registration::{Registration, SERVICES};
use super::text::Text;

/// A unit that is not ours, as it was when a service of ours took its name; or the registration of a service of NSSM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// Where it lay; or where it lies, if it is another directory than that of our units.
    pub path: Text,
    /// What was in it.
    pub contents: Rc<[u8]>,
    /// Its permission bits.
    pub mode: u32,
    /// Whose it was, as user and group id.
    pub owner: Option<(u32, u32)>,
    /// The links to it in the directory of our units.
    pub links: UnitLinks,
}

/// What is written of an original beside its contents.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    unit: Text,
    mode: String,
    owner: Option<(u32, u32)>,
    /// By their paths below the directory of units, so that none leads out of it.
    links: BTreeMap<String, Text>,
}

impl Original {
    /// The unit at `path` as it was found, with the links to it.
    pub fn new(path: Text, found: &Found, links: UnitLinks) -> Self {
        Self { path, contents: Rc::clone(&found.contents), mode: found.mode, owner: found.owner, links }
    }

    /// A service of NSSM as the registry has it.
    pub fn of_nssm(registration: &Registration) -> Self {
        // Every user may read that of any service.
        const READABLE: u32 = 0o644;
        Self {
            path: registration.path().into(),
            contents: registration.file().into(),
            mode: READABLE,
            owner: None,
            links: UnitLinks::new(),
        }
    }

    /// What the registry had, where it is a service of NSSM.
    pub fn registration(&self) -> Option<Registration> {
        self.path.as_str().filter(|path| path.starts_with(SERVICES))?;
        Registration::read(&self.contents).ok()?.pop()
    }

    /// The file that it is kept in.
    pub fn kept_at(&self, name: &ServiceName, place: &Place) -> Text {
        match self.registration() {
            Some(_) => place.original_registration(name),
            None => place.original_unit(name),
        }
    }

    /// Whether it lay where the unit of the service lies; another one is overridden by that, and stays.
    pub fn was_in_place(&self, name: &ServiceName, place: &Place) -> bool {
        self.path == place.unit(name)
    }

    /// Whether others could not read it: what it holds may be secret.
    pub fn is_private(&self) -> bool {
        const READABLE_BY_OTHERS: u32 = 0o004;
        self.mode & READABLE_BY_OTHERS == 0
    }

    /// The unit as it was.
    pub fn unit(&self) -> Artifact {
        Artifact {
            path: self.path.clone(),
            mode: self.mode,
            kind: ArtifactKind::Plain,
            contents: Rc::clone(&self.contents),
        }
    }

    /// The links to the unit as they were.
    pub fn links(&self, name: &ServiceName) -> Links {
        let mut links = Links::default().only(&[name.unit()].into());
        for (path, target) in &self.links {
            links.add(&name.unit(), path.clone(), target.clone());
        }
        links
    }

    /// The files that keep it in the working directory. What others could write there they could put into the unit.
    pub fn kept(&self, name: &ServiceName, place: &Place) -> [Artifact; 2] {
        const WRITABLE_BY_OTHERS: u32 = 0o022;
        let unit =
            Artifact { path: self.kept_at(name, place), mode: self.mode & !WRITABLE_BY_OTHERS & 0o777, ..self.unit() };
        [unit, Artifact::plain(place.original(name), self.record(name, place).into_bytes())]
    }

    fn record(&self, name: &ServiceName, place: &Place) -> String {
        let inside = |path: &Text| {
            let rest = path.as_bytes().strip_prefix(place.unit_dir.as_bytes())?.strip_prefix(b"/")?;
            String::from_utf8(rest.to_vec()).ok()
        };
        let record = Record {
            unit: self.path.clone(),
            mode: format!("{:04o}", self.mode),
            owner: self.owner,
            links: self.links.iter().filter_map(|(path, target)| Some((inside(path)?, target.clone()))).collect(),
        };
        format!(
            "# What `{name}` was before InstallService adopted it: `ManageService {name} release` gives it back.\n{}",
            toml::to_string(&record).expect("texts, numbers and a table are always TOML")
        )
    }

    /// Reads what was kept: the record, and the unit beside it.
    ///
    /// # Errors
    /// When the record is none of ours.
    pub fn read(record: &[u8], contents: Rc<[u8]>, place: &Place) -> Result<Self, String> {
        let text = std::str::from_utf8(record).map_err(|error| error.to_string())?;
        let Record { unit, mode, owner, links } = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let mode = u32::from_str_radix(&mode, 8).ok().filter(|mode| *mode <= 0o7777);
        let mode = mode.ok_or_else(|| "`mode` must be such as `0644`".to_owned())?;
        let mut absolute = UnitLinks::new();
        for (path, target) in links {
            // A link in the directory of units, or in a directory there.
            let parts: Vec<&str> = path.split('/').collect();
            if parts.len() > 2 || parts.iter().any(|part| ["", ".", ".."].contains(part)) {
                return Err(format!("the link `{path}` leads out of the directory of units"));
            }
            absolute.insert(Platform::Unix.join(&place.unit_dir, &path), target);
        }
        Ok(Self { path: unit, contents, mode, owner, links: absolute })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::registration::RegistryValue;

    fn place() -> Place {
        Place { unit_dir: "/etc/systemd/system".into(), state_dir: "/var/lib/x".into(), home: None }
    }

    fn original() -> Original {
        let link = |path: &str| Text::from(format!("/etc/systemd/system/{path}"));
        let links = [
            (link("multi-user.target.wants/web.service"), link("web.service")),
            (link("www.service"), Text::from_bytes(b"w\xffb.service")),
        ];
        Original {
            path: link("web.service"),
            contents: Rc::from(&b"[Service]\nExecStart=/bin/w\xffb\n"[..]),
            mode: 0o666,
            owner: Some((3, 4)),
            links: links.into(),
        }
    }

    #[test]
    fn what_is_kept_is_read_as_it_was() {
        let name = "web".parse().unwrap();
        let [unit, record] = original().kept(&name, &place());
        assert_eq!((unit.path.to_string(), unit.mode), ("/var/lib/x/web_original.service".to_owned(), 0o644));
        assert_eq!(Original::read(&record.contents, unit.contents, &place()), Ok(original()));
    }

    #[test]
    fn a_registration_is_kept_as_it_was() {
        let value =
            RegistryValue { key: "Parameters".into(), name: "Application".into(), kind: 1, data: vec![65, 0, 0, 0] };
        let registration = Registration::new("web", vec![value]);
        let original = Original::of_nssm(&registration);
        let place = Place { state_dir: r"C:\state".into(), ..place() };
        let [values, record] = original.kept(&"web".parse().unwrap(), &place);
        assert_eq!(values.path.to_string(), r"C:\state\web_original.reg");
        let read = Original::read(&record.contents, values.contents, &place).unwrap();
        assert_eq!((read.registration(), &read), (Some(registration), &original));
    }

    #[test]
    fn a_record_that_leads_out_of_the_directory_is_refused() {
        let read = |line: &str| {
            let text = format!("unit = \"/x\"\nmode = \"0644\"\nowner = [0, 0]\n[links]\n{line}\n");
            Original::read(text.as_bytes(), Rc::from(&b""[..]), &place()).map(|original| original.links.len())
        };
        assert_eq!(read("\"a.wants/web.service\" = \"x\"\n\"www.service\" = \"x\""), Ok(2));
        for path in ["../web.service", "/etc/shadow", "a/b/c", "a/..", ".", ""] {
            let reason = format!("the link `{path}` leads out of the directory of units");
            assert_eq!(read(&format!("\"{path}\" = \"x\"")), Err(reason));
        }
        assert!(Original::read(b"nothing", Rc::from(&b""[..]), &place()).is_err());
    }
}
