//! Units and what lies around them: those of others, drop-ins, and links.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::links;
use crate::error::Error;
use crate::host::environment::{home, user_runtime_directory};
use crate::host::files::{self, Entry};
use crate::host::reading::{self, Limit};
use crate::host::text::{path as to_path, text};
use crate::model::invocation::Invocation;
use crate::model::links::Links;
use crate::model::name::ServiceName;
use crate::model::observed::OtherUnit;
use crate::model::place::Place;
use crate::model::spec::Scope;
use crate::model::text::Text;
use crate::render;

/// Where systemd looks for units of the machine besides the directory that we write to (systemd.unit(5)). What lies in
/// these counts before that.
const SYSTEM_ABOVE: [&str; 4] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
];
/// And what lies in these counts if there is nothing in that.
const SYSTEM_BELOW: [&str; 7] = [
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
];
/// The same for units of a user, below the runtime directory.
const RUNTIME_ABOVE: [&str; 3] = ["systemd/user.control", "systemd/transient", "systemd/generator.early"];
const RUNTIME_BELOW: [&str; 2] = ["systemd/user", "systemd/generator"];
const USER_BELOW: [&str; 6] = [
    "/etc/systemd/user",
    "/run/systemd/user",
    "/usr/local/share/systemd/user",
    "/usr/share/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
];

const INIT_SCRIPTS: &str = "/etc/init.d";

/// Directories in the runtime directory of the user, if there is one.
fn in_runtime(directories: &[&str]) -> impl Iterator<Item = Text> {
    let of = |runtime: PathBuf| directories.iter().map(move |directory| text(runtime.join(directory)));
    user_runtime_directory().into_iter().flat_map(of)
}

/// Where `systemctl mask --runtime` puts a mask, and the one place where `unmask --runtime` takes it away
/// (systemctl(1), `--runtime`).
fn masks_at_run_time(scope: Scope) -> Option<Text> {
    match scope {
        Scope::System => Some("/run/systemd/system".into()),
        Scope::User => in_runtime(&["systemd/user"]).next(),
    }
}

/// The directories in the order in which they count, each with whether that is before the one that we write to.
fn directories_of_others(place: &Place, scope: Scope) -> Vec<(Text, bool)> {
    let fixed = |directories: &[&str]| directories.iter().map(|directory| Text::from(*directory)).collect::<Vec<_>>();
    let (above, below) = match scope {
        Scope::System => (fixed(&SYSTEM_ABOVE), fixed(&SYSTEM_BELOW)),
        Scope::User => {
            let mut above = vec![place.unit_dir.with(".control")];
            above.extend(in_runtime(&RUNTIME_ABOVE));
            let mut below: Vec<Text> = in_runtime(&RUNTIME_BELOW).collect();
            below.push(home().with("/.local/share/systemd/user"));
            below.extend(fixed(&USER_BELOW));
            (above, below)
        }
    };
    let above = above.into_iter().map(|directory| (directory, true));
    above.chain(below.into_iter().map(|directory| (directory, false))).collect()
}

/// Those of them that are there, each once whatever links lead to it, and not the one that is ours.
fn distinct_directories_of_others(place: &Place, scope: Scope) -> impl Iterator<Item = (Text, bool)> {
    let mut seen: BTreeSet<PathBuf> = to_path(&place.unit_dir).canonicalize().into_iter().collect();
    let all = directories_of_others(place, scope).into_iter();
    all.filter(move |(directory, _)| to_path(directory).canonicalize().is_ok_and(|real| seen.insert(real)))
}

/// What lies in the directories of units: each is read once, for all services.
#[derive(Debug)]
pub struct Units<'a> {
    place: &'a Place,
    /// Units in the directories that are not ours to write to, each with whether it counts before ours.
    of_others: BTreeMap<OsString, (PathBuf, bool)>,
    /// The init scripts, each of which becomes a unit when systemd reloads, and is none until then.
    init_scripts: BTreeSet<PathBuf>,
    /// Links to units, in the directory that is ours to write to.
    pub links: Links,
    /// Directories of drop-ins, wherever systemd looks for them: all are the administrator's.
    drop_ins: BTreeMap<OsString, Vec<PathBuf>>,
}

impl<'a> Units<'a> {
    /// The units of the machine or of the user.
    pub fn look(place: &'a Place, scope: Scope) -> Self {
        let ours = files::list(&place.unit_dir);
        let (mut of_others, mut drop_ins) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        let mut note_drop_ins = |path: PathBuf| {
            let is_folder = |name: &&OsStr| {
                [b".service.d".as_slice(), b".timer.d"].iter().any(|end| name.as_encoded_bytes().ends_with(end))
            };
            if let Some(name) = path.file_name().filter(is_folder) {
                drop_ins.entry(name.to_owned()).or_default().push(path);
            }
        };
        let links = links::look(&ours);
        ours.into_iter().for_each(&mut note_drop_ins);
        for (directory, counts) in distinct_directories_of_others(place, scope) {
            for path in files::list(&directory) {
                if let Some(name) = path.file_name() {
                    // The first directory counts.
                    of_others.entry(name.to_owned()).or_insert_with(|| (path.clone(), counts));
                }
                note_drop_ins(path);
            }
        }
        let init_scripts = match scope {
            Scope::User => BTreeSet::new(),
            Scope::System => files::list(&INIT_SCRIPTS.into()).into_iter().collect(),
        };
        Self { place, of_others, init_scripts, links, drop_ins }
    }

    /// Those of others that have the names of these services, and neither links nor drop-ins: directories need not be
    /// listed for that.
    pub fn named(place: &'a Place, scope: Scope, names: &[ServiceName]) -> Self {
        let of_name = |name: &ServiceName| {
            let template = name.template().map(|template| template.unit());
            [name.unit(), name.timer()].into_iter().chain(template)
        };
        let units: Vec<String> = names.iter().flat_map(of_name).collect();
        let is_there = |path: &PathBuf| path.symlink_metadata().is_ok();
        let mut of_others = BTreeMap::new();
        for (directory, counts) in distinct_directories_of_others(place, scope) {
            let directory = to_path(&directory);
            for (unit, path) in units.iter().map(|unit| (unit, directory.join(unit))).filter(|(_, path)| is_there(path))
            {
                of_others.entry(unit.into()).or_insert((path, counts));
            }
        }
        let script = |name: &ServiceName| Path::new(INIT_SCRIPTS).join(name.as_str());
        let init_scripts = match scope {
            Scope::User => BTreeSet::new(),
            Scope::System => names.iter().map(script).filter(is_there).collect(),
        };
        Self { place, of_others, init_scripts, links: Links::default(), drop_ins: BTreeMap::new() }
    }

    /// The unit of this name that is not ours, if there is one; `found` is what lies in the place of ours.
    pub fn other(&self, name: &ServiceName, found: &Entry) -> Option<OtherUnit> {
        let is_ours = |unit: &[u8]| render::is_ours(unit) || is_predecessor(name, unit);
        // A script is no unit where there is one of its name (systemd-sysv-generator(8)).
        if let Some(other) = self.other_unit(&name.unit(), self.place.unit(name), found, is_ours) {
            return Some(other);
        }
        // An instance of somebody else's template has a unit without one of its own.
        let of_template = name.template().and_then(|template| {
            let own = to_path(&self.place.unit(&template));
            let beside = self.of_others.get(OsStr::new(&template.unit()));
            let is_foreign = |path: &Path| {
                reading::whole_text(&text(path), reading::Links::Followed, Limit::SYSTEM)
                    .is_ok_and(|unit| !render::is_ours(unit.as_bytes()))
            };
            if own.exists() { is_foreign(&own).then_some((own, true)) } else { beside.cloned() }
        });
        if let Some((path, counts)) = of_template {
            return Some(OtherUnit::Beside { path: text(path), is_mask: false, counts, is_script: false });
        }
        let script = self.init_scripts.get(&Path::new(INIT_SCRIPTS).join(name.as_str()))?;
        Some(OtherUnit::Beside { path: text(script), is_mask: false, counts: false, is_script: true })
    }

    /// The timer of this name that is not ours, if there is one; `found` is what lies in the place of ours.
    pub fn other_timer(&self, name: &ServiceName, found: &Entry) -> Option<OtherUnit> {
        self.other_unit(&name.timer(), self.place.timer(name), found, render::is_ours)
    }

    /// What has the name of a unit and is not ours: at `path`, where ours would lie and `found` does, or elsewhere.
    fn other_unit(&self, unit: &str, path: Text, found: &Entry, is_ours: impl Fn(&[u8]) -> bool) -> Option<OtherUnit> {
        match found {
            Entry::File(found) if is_ours(&found.contents) => {}
            Entry::File(_) => {
                let reason = "this unit was not written by InstallService".to_owned();
                return Some(OtherUnit::InPlace { path, reason, is_unit: true });
            }
            Entry::Other(_) if is_mask(&to_path(&path)) => return Some(OtherUnit::Mask(path)),
            Entry::Other(what) => {
                if let Ok(target) = to_path(&path).read_link() {
                    return Some(OtherUnit::Link { path, target: text(target) });
                }
                let reason = format!("it is {what}, not a unit of ours");
                return Some(OtherUnit::InPlace { path, reason, is_unit: false });
            }
            Entry::Missing => {}
        }
        let (path, counts) = self.of_others.get(OsStr::new(unit))?;
        let (path, is_mask) = (text(path), is_mask(path));
        Some(OtherUnit::Beside { path, is_mask, counts: *counts, is_script: false })
    }

    /// The drop-ins for `name`: in `a-b.service.d`, and in `a-.service.d`, which is for everything that begins so
    /// (systemd.unit(5)). What is for all services of the machine is no drift of one.
    pub fn drop_ins(&self, name: &ServiceName) -> Vec<Text> {
        self.drop_ins_of(name, "service")
    }

    /// The same for its timer.
    pub fn drop_ins_of_timer(&self, name: &ServiceName) -> Vec<Text> {
        self.drop_ins_of(name, "timer")
    }

    fn drop_ins_of(&self, name: &ServiceName, kind: &str) -> Vec<Text> {
        let prefixes = name.as_str().match_indices('-').map(|(at, _)| &name.as_str()[..=at]);
        let stems = prefixes.chain([name.as_str()]);
        let folders = stems.filter_map(|stem| self.drop_ins.get(OsStr::new(&format!("{stem}.{kind}.d"))));
        let files = folders.flatten().flat_map(|folder| files::list(&text(folder)));
        files.map(text).filter(|path| path.as_bytes().ends_with(b".conf")).collect()
    }
}

/// Whether this is what `systemctl mask` makes: a link to `/dev/null` (systemd.unit(5)).
pub fn is_mask(path: &Path) -> bool {
    path.canonicalize().is_ok_and(|target| target == Path::new("/dev/null"))
}

/// Refuses a name that a unit has which is not ours: one of the distribution would be replaced in silence, one of the
/// administrator lost. Beside one of ours (`is_installed`), neither happens, unless the other one counts.
///
/// # Errors
/// [`Error::Foreign`].
pub fn not_foreign(name: &ServiceName, other: &OtherUnit, is_installed: bool, scope: Scope) -> Result<(), Error> {
    let another_name = format!("choose another name with `--service_name`, such as `--service_name my-{name}`");
    let adopt = format!(
        "`InstallService import {name}` prints a manifest of it, and `--adopt` takes it over; or {another_name}"
    );
    let (user, own) = match scope {
        Scope::System => ("sudo systemctl", "sudo "),
        Scope::User => ("systemctl --user", ""),
    };
    let (reason, help) = match other {
        OtherUnit::Beside { counts: false, .. } if is_installed => return Ok(()),
        OtherUnit::Mask(_) => ("the unit is masked".to_owned(), format!("`{user} unmask {name}.service` undoes that")),
        OtherUnit::Beside { path, is_mask: true, .. } if files::parent(path) == masks_at_run_time(scope) => {
            ("the unit is masked".to_owned(), format!("`{user} unmask --runtime {name}.service` undoes that"))
        }
        OtherUnit::Beside { is_mask: true, .. } => ("the unit is masked".to_owned(), another_name),
        OtherUnit::InPlace { reason, is_unit: true, .. } => (reason.clone(), adopt),
        OtherUnit::InPlace { reason, is_unit: false, .. } => (reason.clone(), another_name),
        OtherUnit::Link { path, target } => {
            let help = match alias_of(&name.unit(), target) {
                Some(unit) => format!("`--service_name {unit} --adopt` takes that over; or {another_name}"),
                None => {
                    let copy = ["cp".into(), "--remove-destination".into(), beside(target, path), path.clone()];
                    let copy = Invocation::new(copy).typed();
                    format!(
                        "`{own}{copy}` makes it a unit in a file of its own, which `--adopt` takes over; or {another_name}"
                    )
                }
            };
            (format!("it is a link to `{target}`"), help)
        }
        OtherUnit::Beside { counts: true, .. } => {
            ("a unit of that name is there already, and ours would have no effect beside it".to_owned(), another_name)
        }
        OtherUnit::Beside { is_script: true, .. } => {
            ("this init script has that name, and our unit would replace it in silence".to_owned(), another_name)
        }
        OtherUnit::Beside { .. } => {
            ("a unit of that name is there already, and ours would replace it in silence".to_owned(), adopt)
        }
    };
    Err(Error::Foreign { path: other.path().clone(), reason, help })
}

/// Refuses a schedule for a name that a timer has which is not ours.
///
/// # Errors
/// [`Error::Foreign`], with `--adopt` if that takes it over: where it has not been said, and the service of that name is
/// not one that has always been ours.
pub fn not_foreign_timer(name: &ServiceName, other: &OtherUnit, can_adopt: bool, scope: Scope) -> Result<(), Error> {
    let another_name = format!("choose another name with `--service_name`, such as `--service_name my-{name}`");
    let user = match scope {
        Scope::System => "sudo systemctl",
        Scope::User => "systemctl --user",
    };
    let (reason, help) = match other {
        OtherUnit::Mask(_) => ("the timer is masked", format!("`{user} unmask {name}.timer` undoes that")),
        OtherUnit::Beside { is_mask: true, .. } => ("the timer is masked", another_name),
        OtherUnit::InPlace { is_unit: true, .. } | OtherUnit::Beside { counts: false, .. } if can_adopt => (
            "a timer of that name is there already, and InstallService did not write it",
            format!("`--adopt` takes it over; or {another_name}"),
        ),
        OtherUnit::InPlace { .. } | OtherUnit::Link { .. } | OtherUnit::Beside { .. } => {
            ("a timer of that name is there already, and InstallService did not write it", another_name)
        }
    };
    Err(Error::Foreign { path: other.path().clone(), reason: reason.to_owned(), help })
}

/// The service whose unit, or whose timer, a link called `unit` is another name of, by what the link says.
pub fn alias_of(unit: &str, target: &Text) -> Option<ServiceName> {
    let (_, kind) = unit.rsplit_once('.')?;
    let other = target.as_str()?.rsplit('/').next().filter(|other| *other != unit)?;
    other.strip_suffix(kind)?.strip_suffix('.')?.parse().ok()
}

/// What a link at `path` leads to: a target that is not absolute begins in its directory.
fn beside(target: &Text, path: &Text) -> Text {
    text(to_path(path).parent().unwrap_or(Path::new("/")).join(to_path(target)))
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
