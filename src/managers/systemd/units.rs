//! Units and what lies around them: those of others, drop-ins, and links.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::links;
use crate::error::Error;
use crate::host::files::{self, Entry};
use crate::host::text::{path as to_path, text};
use crate::model::links::Links;
use crate::model::name::ServiceName;
use crate::model::place::Place;
use crate::model::spec::Scope;
use crate::model::text::Text;
use crate::render;

/// Where systemd looks for units besides the directory that we write to (systemd.unit(5)).
const SYSTEM_UNITS: [&str; 9] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/system",
    "/run/systemd/generator.early",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
];
const USER_UNITS: [&str; 4] =
    ["/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user"];

/// What lies in the directories of units: each is read once, for all services.
#[derive(Debug)]
pub struct Units<'a> {
    place: &'a Place,
    scope: Scope,
    /// Units in the directories that are not ours to write to.
    of_others: BTreeMap<OsString, PathBuf>,
    /// Links to units, in the directory that is ours to write to.
    pub links: Links,
    /// Directories of drop-ins, wherever systemd looks for them: all are the administrator's.
    drop_ins: BTreeMap<OsString, Vec<PathBuf>>,
}

impl<'a> Units<'a> {
    /// The units of the machine or of the user.
    pub fn look(place: &'a Place, scope: Scope) -> Self {
        let ours = files::list(&place.unit_dir);
        let is_same = to_path(&place.unit_dir).canonicalize().ok();
        let (mut of_others, mut drop_ins) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        let mut note_drop_ins = |path: PathBuf| {
            if let Some(name) = path.file_name().filter(|name| name.as_encoded_bytes().ends_with(b".service.d")) {
                drop_ins.entry(name.to_owned()).or_default().push(path);
            }
        };
        let links = links::look(&ours);
        ours.into_iter().for_each(&mut note_drop_ins);
        for directory in directories_of_others(scope) {
            // One that ours is a link to is ours.
            let is_ours = Path::new(directory).canonicalize().ok() == is_same;
            for path in files::list(&Text::from(*directory)) {
                if let Some(name) = path.file_name().filter(|_| !is_ours) {
                    // The first directory counts.
                    of_others.entry(name.to_owned()).or_insert_with(|| path.clone());
                }
                note_drop_ins(path);
            }
        }
        Self { place, scope, of_others, links, drop_ins }
    }

    /// Refuses a unit of this name that we did not write: one of the distribution would be replaced in
    /// silence, one of the administrator lost.
    ///
    /// # Errors
    /// [`Error::Foreign`].
    pub fn not_foreign(&self, name: &ServiceName) -> Result<(), Error> {
        let foreign = |path: Text, reason: &str| Error::Foreign {
            path,
            reason: reason.to_owned(),
            help: format!("choose another name with `--service_name`, such as `--service_name my-{name}`"),
        };
        let unit = self.place.unit(name);
        match files::look(&unit)? {
            Entry::File(found) if render::is_ours(&found.contents) || is_predecessor(name, &found.contents) => {}
            Entry::File(_) => return Err(foreign(unit, "this unit was not written by InstallService")),
            Entry::Other(what) => {
                let reason = format!("it is {what} (an alias or a masked unit), not a unit of ours");
                return Err(foreign(unit, &reason));
            }
            Entry::Missing => {}
        }
        let other = self.init_script(name)?.or_else(|| self.of_others.get(OsStr::new(&name.unit())).map(text));
        other.map_or(Ok(()), |path| {
            Err(foreign(path, "a unit of that name is there already, and ours would replace it in silence"))
        })
    }

    /// The init script of that name: it becomes a unit when systemd reloads, and is none while it does.
    fn init_script(&self, name: &ServiceName) -> Result<Option<Text>, Error> {
        match self.scope {
            Scope::User => Ok(None),
            Scope::System => {
                let script = Text::from(format!("/etc/init.d/{name}"));
                Ok(files::is_there(&script).then_some(script))
            }
        }
    }

    /// The drop-ins for `name`: in `a-b.service.d`, and in `a-.service.d`, which is for everything that begins so
    /// (systemd.unit(5)). What is for all services of the machine is no drift of one.
    pub fn drop_ins(&self, name: &ServiceName) -> Vec<Text> {
        let prefixes = name.as_str().match_indices('-').map(|(at, _)| &name.as_str()[..=at]);
        let stems = prefixes.chain([name.as_str()]);
        let folders = stems.filter_map(|stem| self.drop_ins.get(OsStr::new(&format!("{stem}.service.d"))));
        let files = folders.flatten().flat_map(|folder| files::list(&text(folder)));
        files.map(text).filter(|path| path.as_bytes().ends_with(b".conf")).collect()
    }
}

fn directories_of_others(scope: Scope) -> &'static [&'static str] {
    match scope {
        Scope::System => &SYSTEM_UNITS,
        Scope::User => &USER_UNITS,
    }
}

/// Whether a unit is one that OpenMSIStream's own InstallService wrote for this service.
///
/// It starts `NAME_service_executable.py` and has no header (read from version 1.8.8).
pub fn is_predecessor(name: &ServiceName, unit: &[u8]) -> bool {
    let unit = String::from_utf8_lossy(unit);
    let script = format!("/{name}_service_executable.py");
    unit.lines().any(|line| line.starts_with("ExecStart = ") && line.ends_with(&script))
        && unit.lines().any(|line| line == "KillMode = none")
}
