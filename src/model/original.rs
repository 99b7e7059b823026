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
use super::version::{SIGNATURE, Version};

/// What had the name of a service before one of ours took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// Its unit; or the registration of a service of NSSM.
    pub service: OriginalUnit,
    /// The timer of that name, where a timer of ours has taken its place.
    pub timer: Option<OriginalUnit>,
}

/// A unit that is not ours, as it was when one of ours took its name; or the registration of a service of NSSM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalUnit {
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

/// One of the units of an original, with the unit of ours that has its name.
#[derive(Clone, Debug)]
pub struct Replaced<'a> {
    /// The unit as it was.
    pub original: &'a OriginalUnit,
    /// The name of both, such as `web.timer`.
    pub unit: String,
    /// Where the unit of ours lies.
    pub ours: Text,
    /// The file that the original is kept in.
    pub kept: Text,
}

/// What is written of an original beside its contents.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    service: UnitRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    timer: Option<UnitRecord>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitRecord {
    unit: Text,
    mode: String,
    owner: Option<(u32, u32)>,
    /// By their paths below the directory of units, so that none leads out of it.
    links: BTreeMap<String, Text>,
}

impl OriginalUnit {
    /// The unit at `path` as it was found, with the links to it.
    pub fn new(path: Text, found: &Found, links: UnitLinks) -> Self {
        Self { path, contents: Rc::clone(&found.contents), mode: found.mode, owner: found.owner, links }
    }

    /// Whether others could not read it: what it holds may be secret.
    pub fn is_private(&self) -> bool {
        const READABLE_BY_OTHERS: u32 = 0o004;
        self.mode & READABLE_BY_OTHERS == 0
    }

    /// The unit as it was.
    pub fn artifact(&self) -> Artifact {
        Artifact {
            path: self.path.clone(),
            mode: self.mode,
            kind: ArtifactKind::Plain,
            contents: Rc::clone(&self.contents),
        }
    }

    /// The file that keeps it. What others could write there they could put into the unit.
    fn kept_at(&self, path: Text) -> Artifact {
        const WRITABLE_BY_OTHERS: u32 = 0o022;
        Artifact { path, mode: self.mode & !WRITABLE_BY_OTHERS & 0o777, ..self.artifact() }
    }

    fn record(&self, place: &Place) -> UnitRecord {
        let inside = |path: &Text| {
            let rest = path.as_bytes().strip_prefix(place.unit_dir.as_bytes())?.strip_prefix(b"/")?;
            String::from_utf8(rest.to_vec()).ok()
        };
        UnitRecord {
            unit: self.path.clone(),
            mode: format!("{:04o}", self.mode),
            owner: self.owner,
            links: self.links.iter().filter_map(|(path, target)| Some((inside(path)?, target.clone()))).collect(),
        }
    }

    fn read(record: UnitRecord, contents: Rc<[u8]>, place: &Place) -> Result<Self, String> {
        let UnitRecord { unit, mode, owner, links } = record;
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

impl Original {
    /// One that is a service alone.
    pub fn of_service(service: OriginalUnit) -> Self {
        Self { service, timer: None }
    }

    /// A service of NSSM as the registry has it.
    pub fn of_nssm(registration: &Registration) -> Self {
        // Every user may read that of any service.
        const READABLE: u32 = 0o644;
        Self::of_service(OriginalUnit {
            path: registration.path().into(),
            contents: registration.file().into(),
            mode: READABLE,
            owner: None,
            links: UnitLinks::new(),
        })
    }

    /// What the registry had, where it is a service of NSSM.
    pub fn registration(&self) -> Option<Registration> {
        self.service.path.as_str().filter(|path| path.starts_with(SERVICES))?;
        Registration::read(&self.service.contents).ok()?.pop()
    }

    /// The service, and the timer if there is one, with what has their place and what they are kept in.
    pub fn units(&self, name: &ServiceName, place: &Place) -> impl Iterator<Item = Replaced<'_>> + use<'_> {
        let service = Replaced {
            original: &self.service,
            unit: name.unit(),
            ours: place.unit(name),
            kept: match self.registration() {
                Some(_) => place.original_registration(name),
                None => place.original_unit(name),
            },
        };
        let (unit, ours, kept) = (name.timer(), place.timer(name), place.original_timer(name));
        let timer = self.timer.as_ref().map(|original| Replaced { original, unit, ours, kept });
        std::iter::once(service).chain(timer)
    }

    /// The links to the units as they were.
    pub fn links(&self, name: &ServiceName, place: &Place) -> Links {
        let units: Vec<_> = self.units(name, place).collect();
        let mut links = Links::default().only(&units.iter().map(|replaced| replaced.unit.clone()).collect());
        for Replaced { original, unit, .. } in &units {
            for (path, target) in &original.links {
                links.add(unit, path.clone(), target.clone());
            }
        }
        links
    }

    /// The files that keep it in the working directory.
    pub fn kept(&self, name: &ServiceName, place: &Place) -> Vec<Artifact> {
        let units = self.units(name, place).map(|Replaced { original, kept, .. }| original.kept_at(kept));
        let record = Artifact::plain(place.original(name), self.record(name, place).into_bytes());
        units.chain([record]).collect()
    }

    fn record(&self, name: &ServiceName, place: &Place) -> String {
        let record =
            Record { service: self.service.record(place), timer: self.timer.as_ref().map(|timer| timer.record(place)) };
        format!(
            "{SIGNATURE}{}: what `{name}` was before it was adopted.\n\
             # `ManageService {name} release` gives it back.\n{}",
            env!("CARGO_PKG_VERSION"),
            toml::to_string(&record).expect("texts, numbers and a table are always TOML")
        )
    }

    /// Reads what was kept: the record, and the units beside it.
    ///
    /// # Errors
    /// When the record is none of ours, or there is no timer and it describes one.
    pub fn read(record: &[u8], service: Rc<[u8]>, timer: Option<Rc<[u8]>>, place: &Place) -> Result<Self, String> {
        let text = std::str::from_utf8(record).map_err(|error| error.to_string())?;
        let version = Version::of(record);
        version.map_or(Ok(()), Version::known).map_err(|new| format!("{new}; {}", new.help()))?;
        let record: Record = toml::from_str(text).map_err(|error| match version.and_then(Version::too_new) {
            Some(new) => format!("{new}; {}", new.help()),
            None => error.message().to_owned(),
        })?;
        let read_timer = |record| {
            let contents = timer.ok_or_else(|| "the timer that it describes is gone".to_owned())?;
            OriginalUnit::read(record, contents, place)
        };
        let timer = record.timer.map(read_timer).transpose()?;
        Ok(Self { service: OriginalUnit::read(record.service, service, place)?, timer })
    }
}

impl Replaced<'_> {
    /// Whether it lay where the unit of ours lies; another one is overridden by that, and stays.
    pub fn was_in_place(&self) -> bool {
        self.original.path == self.ours
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::registration::RegistryValue;

    fn place() -> Place {
        Place { unit_dir: "/etc/systemd/system".into(), state_dir: "/var/lib/x".into(), home: None }
    }

    fn link(path: &str) -> Text {
        Text::from(format!("/etc/systemd/system/{path}"))
    }

    fn original() -> Original {
        let links = [
            (link("multi-user.target.wants/web.service"), link("web.service")),
            (link("www.service"), Text::from_bytes(b"w\xffb.service")),
        ];
        Original::of_service(OriginalUnit {
            path: link("web.service"),
            contents: Rc::from(&b"[Service]\nExecStart=/bin/w\xffb\n"[..]),
            mode: 0o666,
            owner: Some((3, 4)),
            links: links.into(),
        })
    }

    fn timer() -> OriginalUnit {
        OriginalUnit {
            path: "/usr/lib/systemd/system/web.timer".into(),
            contents: Rc::from(&b"[Timer]\n"[..]),
            mode: 0o644,
            owner: Some((0, 0)),
            links: [(link("timers.target.wants/web.timer"), "/usr/lib/systemd/system/web.timer".into())].into(),
        }
    }

    #[test]
    fn what_is_kept_is_read_as_it_was() {
        let name = "web".parse().unwrap();
        let [unit, record] = original().kept(&name, &place()).try_into().unwrap();
        assert_eq!((unit.path.to_string(), unit.mode), ("/var/lib/x/web_original.service".to_owned(), 0o644));
        assert_eq!(Original::read(&record.contents, unit.contents, None, &place()), Ok(original()));
    }

    #[test]
    fn a_timer_is_kept_beside_its_service() {
        let name = "web".parse().unwrap();
        let with_timer = Original { timer: Some(timer()), ..original() };
        let [unit, timer, record] = with_timer.kept(&name, &place()).try_into().unwrap();
        assert_eq!(timer.path.to_string(), "/var/lib/x/web_original.timer");
        let read = |timer| Original::read(&record.contents, unit.contents.clone(), timer, &place());
        assert_eq!(read(Some(timer.contents)), Ok(with_timer));
        assert_eq!(read(None), Err("the timer that it describes is gone".to_owned()));
    }

    #[test]
    fn a_registration_is_kept_as_it_was() {
        let value =
            RegistryValue { key: "Parameters".into(), name: "Application".into(), kind: 1, data: vec![65, 0, 0, 0] };
        let registration = Registration::new("web", vec![value]);
        let original = Original::of_nssm(&registration);
        let place = Place { state_dir: r"C:\state".into(), ..place() };
        let [values, record] = original.kept(&"web".parse().unwrap(), &place).try_into().unwrap();
        assert_eq!(values.path.to_string(), r"C:\state\web_original.reg");
        let read = Original::read(&record.contents, values.contents, None, &place).unwrap();
        assert_eq!((read.registration(), &read), (Some(registration), &original));
    }

    #[test]
    fn a_record_that_leads_out_of_the_directory_is_refused() {
        let read = |line: &str| {
            let text = format!("[service]\nunit = \"/x\"\nmode = \"0644\"\nowner = [0, 0]\n[service.links]\n{line}\n");
            let read = Original::read(text.as_bytes(), Rc::from(&b""[..]), None, &place());
            read.map(|original| original.service.links.len())
        };
        assert_eq!(read("\"a.wants/web.service\" = \"x\"\n\"www.service\" = \"x\""), Ok(2));
        for path in ["../web.service", "/etc/shadow", "a/b/c", "a/..", ".", ""] {
            let reason = format!("the link `{path}` leads out of the directory of units");
            assert_eq!(read(&format!("\"{path}\" = \"x\"")), Err(reason));
        }
        assert!(Original::read(b"nothing", Rc::from(&b""[..]), None, &place()).is_err());
    }
}
