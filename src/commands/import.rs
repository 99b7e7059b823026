//! Taking over what exists: units of this host, unit files, folders of them, and services of our own by their receipts.

mod host;
mod nssm;
mod others;
mod tree;
mod unit;

use super::find::{Managed, Where};
use super::receipt::ReadWords;
use crate::catalog::Catalog;
use crate::error::{Error, Fault};
use crate::host::facts::Host;
use crate::host::files::{self, Entry};
use crate::host::site;
use crate::import::{self, Loss, Passed, Remark, Taken, Unit, UnitFile};
use crate::managers;
use crate::managers::systemd::judge;
use crate::manifest;
use crate::model::artifact::{Artifact, ArtifactKind};
use crate::model::facts::{Facts, PathKind};
use crate::model::name::ServiceName;
use crate::model::spec::{Scope, Target};
use crate::model::text::Text;
use tree::Tree;
use unit::{Files, Source};

/// What is to be taken over.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// A service of this host, a unit file, or a folder of them.
    pub what: Text,
    /// Where services of ours are looked for, and whose.
    pub place: Where,
    /// The file that the manifest goes to.
    pub output: Option<Text>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Imported {
    /// The manifest.
    pub manifest: String,
    /// The services in it that are no services of ours.
    pub services: Vec<TakenOver>,
    /// What is not in it, and why.
    pub left: Vec<String>,
    /// What is worth saying besides.
    pub notes: Vec<String>,
    /// The file that it was to go to.
    pub output: Option<Output>,
}

/// The file of a manifest.
#[derive(Debug)]
pub struct Output {
    /// Its path.
    pub path: Text,
    /// Whether it was there already, just like that.
    pub is_unchanged: bool,
}

/// A service that was taken over.
#[derive(Debug)]
pub struct TakenOver {
    /// Its name.
    pub name: String,
    /// What the manifest does not say.
    pub losses: Vec<Loss>,
    /// What is worth saying besides.
    pub remarks: Vec<Remark>,
    /// Units that start it: they are not taken over.
    pub companions: Vec<String>,
    /// Its timer, if that is none of what the manifest says, with the lines for which it is not.
    pub timer: Vec<Loss>,
}

impl TakenOver {
    /// What is said of it where nothing else belongs to it.
    fn of(taken: &Taken) -> Self {
        Self {
            name: taken.request.name.clone().unwrap_or_default(),
            losses: taken.losses.clone(),
            remarks: taken.remarks.clone(),
            companions: Vec::new(),
            timer: Vec::new(),
        }
    }
}

impl Imported {
    /// Whether the manifest says all that there was.
    pub fn is_exact(&self) -> bool {
        self.left.is_empty() && self.services.iter().all(|service| service.losses.is_empty())
    }
}

/// Makes a manifest of what exists.
///
/// # Errors
/// When there is no such thing, it cannot be read, or systemd itself does not load it.
pub fn import(wanted: &Import, catalog: &Catalog, read: ReadWords<'_>) -> Result<Imported, Error> {
    if wanted.what.is_empty() {
        let fault = Fault::new("import", "must be the name of a service, a file or a folder").given(&wanted.what);
        return Err(Error::refused(fault));
    }
    let kind = Host::default().path_kind(&wanted.what);
    let is_folder = kind == Some(PathKind::Directory);
    if !is_folder && wanted.what.as_bytes().to_ascii_lowercase().ends_with(b".reg") {
        return nssm::of_file(&wanted.what, wanted);
    }
    if !is_folder && let Some(imported) = others::read(&wanted.what)? {
        return written(imported, wanted);
    }
    let is_user = wanted.place.user;
    let Tree { sources, mut left, mut notes } = match kind {
        Some(PathKind::Directory) => tree::read(&wanted.what, is_user),
        Some(PathKind::Missing) | None if !is_path(&wanted.what) => {
            let name = wanted.what.to_string();
            if let Some(imported) = nssm::of_host(&name, wanted)? {
                return Ok(imported);
            }
            if let Some(imported) = of_ours(&name, wanted, catalog, read)? {
                return Ok(imported);
            }
            match managers::of_this_host() {
                Target::Systemd => Tree { sources: vec![host::unit(&name, wanted)?], ..Tree::default() },
                Target::Nssm => {
                    let fault = Fault::new("import", "there is no service of that name, and no such file");
                    return Err(Error::refused(
                        fault.given(&wanted.what).help("`sc query state= all` lists the services of Windows"),
                    ));
                }
            }
        }
        _ => Tree { sources: vec![unit::file(&wanted.what, is_user)?], ..Tree::default() },
    };
    let mut services = Vec::new();
    let mut taken = Vec::new();
    for source in sources {
        match take(&source) {
            // One service that cannot be installed would keep all of them from it.
            Ok((_, said)) if is_folder && !said.can_be_installed => {
                let path = &source.files[0].0;
                left.extend(said.service.losses.iter().map(|loss| format!("`{path}`: {}", loss.why)));
            }
            Ok((one, said)) => {
                if source.is_of_host && said.has_timer {
                    let name = &source.about.name;
                    notes.push(format!(
                        "`{name}`: `--adopt` takes over no timer: without `schedule`, `at_boot` and the `Timer.` entries it \
                         takes over the service, which `{name}.timer` goes on starting"
                    ));
                }
                services.push(said.service);
                taken.push((one, from(&source, said.has_timer)));
            }
            Err(error) if is_folder => left.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    if taken.is_empty() {
        let reason = match left.as_slice() {
            [] => "there is no unit file of a service in it".to_owned(),
            left => format!("no service in it can be taken over\n    {}", left.join("\n    ")),
        };
        return Err(Error::refused(Fault::new("import", reason).given(&wanted.what)));
    }
    let imported = Imported { manifest: import::document(&taken), services, left, notes, output: None };
    written(imported, wanted)
}

/// Writes the manifest where it was asked for. Nothing that is there is overwritten.
fn written(mut imported: Imported, wanted: &Import) -> Result<Imported, Error> {
    let Some(path) = &wanted.output else { return Ok(imported) };
    let is_same = match files::look(path)? {
        Entry::Missing => false,
        Entry::File(found) if *found.contents == *imported.manifest.as_bytes() => true,
        Entry::File(_) | Entry::Other(_) => {
            let fault = Fault::new("option `--output`", "something is there already, and is not overwritten");
            return Err(Error::refused(
                fault.given(path).help("name a file that is not there yet, or move that one away"),
            ));
        }
    };
    if !is_same {
        let contents = imported.manifest.as_bytes().to_vec();
        let has_secret =
            imported.services.iter().flat_map(|service| &service.remarks).any(|remark| remark.is_of_secret);
        files::write(&match has_secret {
            true => Artifact::private(path.clone(), ArtifactKind::Plain, contents),
            false => Artifact::plain(path.clone(), contents),
        })?;
    }
    imported.output = Some(Output { path: path.clone(), is_unchanged: is_same });
    Ok(imported)
}

/// Whether a word can only be a path: names of units have no slashes.
fn is_path(what: &Text) -> bool {
    what.as_bytes().iter().any(|byte| *byte == b'/' || cfg!(windows) && *byte == b'\\')
}

/// Where a service comes from, in words.
fn from(source: &Source, has_timer: bool) -> String {
    let of_timer = source.timer.iter().filter(|_| has_timer).flat_map(|timer| &timer.files);
    let paths: Vec<String> = source.files.iter().chain(of_timer).map(|(path, _)| path.to_string()).collect();
    format!("From {}", paths.join(", "))
}

/// The service of ours of that name, as it was installed.
fn of_ours(name: &str, wanted: &Import, catalog: &Catalog, read: ReadWords<'_>) -> Result<Option<Imported>, Error> {
    let Ok(service) = stem(name).parse::<ServiceName>() else { return Ok(None) };
    let found = match Managed::find_untouched(vec![service], &wanted.place) {
        Ok(found) if found.removed.is_empty() => found,
        Ok(_) | Err(Error::NoSuchService { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let manifest = found.requests(catalog, read)?.iter().map(manifest::receipt).collect();
    let imported = Imported { manifest, ..Imported::default() };
    written(imported, wanted).map(Some)
}

/// The name of a service in that of its unit or of its timer.
fn stem(name: &str) -> &str {
    name.strip_suffix(".service").or(name.strip_suffix(".timer")).unwrap_or(name)
}

/// What is said of a service that was taken.
struct Said {
    service: TakenOver,
    has_timer: bool,
    can_be_installed: bool,
}

/// A unit as systemd puts its files together.
fn merged(files: &Files, read: impl Fn(&str, &[u8]) -> UnitFile) -> Result<Unit, Passed> {
    let mut read = files.iter().map(|(path, contents)| read(&path.to_string(), contents));
    let own = read.next().unwrap_or_default();
    Unit::merged(own, read.collect())
}

/// A unit in the words of a manifest, compared with what it was, also by systemd where that can be asked.
fn take(source: &Source) -> Result<(Taken, Said), Error> {
    let unit = merged(&source.files, UnitFile::read).map_err(|passed| {
        let reason = format!("systemd does not load this unit: {}", passed.why);
        Error::refused(Fault::new(passed.at.to_string(), reason).given(import::hidden(&passed.line)))
    })?;
    let refused = |reason: &str| Error::refused(Fault::new("unit file", reason).given(&source.files[0].0));
    if unit.assignments.is_empty() {
        return Err(refused("systemd takes nothing of it: it has no line in [Unit], [Service] or [Install]"));
    }
    if !unit.does_something() {
        return Err(refused("systemd does not load it as a service: it has neither `ExecStart=` nor `ExecStop=`"));
    }
    let mut taken = Taken::of(&unit, &source.about);
    let (timer, of_timer) = with_timer(&mut taken, &unit, source);
    let scope = if source.about.user { Scope::User } else { Scope::System };
    let place = site::exported(Target::Systemd, scope, None).place;
    let made = taken.check(&unit, timer.as_ref(), &place);
    let said = |taken: &Taken| Said {
        service: TakenOver {
            name: source.about.name.clone(),
            companions: source.companions.clone(),
            timer: of_timer.clone(),
            ..TakenOver::of(taken)
        },
        has_timer: timer.is_some(),
        can_be_installed: made.is_some(),
    };
    let Some(made) = &made else {
        let said = said(&taken);
        return Ok((taken, said));
    };
    let names = ["service", "timer"].map(|kind| format!("{}.{kind}", source.about.name));
    let mut pairs = vec![judge::Pair { name: &names[0], original: &source.files, other: &made.service }];
    if let (Some(original), Some(other)) = (&source.timer, &made.timer) {
        pairs.push(judge::Pair { name: &names[1], original: &original.files, other });
    }
    if let Some(judgement) = judge::judge(&pairs) {
        // Of a line it may ignore a word alone: then the rest of it is missing in ours.
        if judgement.differ.is_empty() {
            for (file, line, said) in judgement.ignored {
                taken.ignored_by_systemd(&import::At { file: file.to_string(), line }, &said);
            }
        }
        if taken.losses.is_empty() {
            taken.losses.extend(judgement.differ.into_iter().map(|(theirs, ours)| Loss {
                at: None,
                line: theirs,
                why: format!("for systemd the manifest makes `{ours}` of it"),
                help: None,
            }));
        }
    }
    let said = said(&taken);
    Ok((taken, said))
}

/// Adds the timer to what was taken, if a manifest can say it: gives that timer, or why it stays what it is. One that was
/// asked for is lost then.
fn with_timer(taken: &mut Taken, unit: &Unit, source: &Source) -> (Option<Unit>, Vec<Loss>) {
    let Some(timer) = &source.timer else { return (None, Vec::new()) };
    let read = merged(&timer.files, UnitFile::of_timer).map_err(|passed| {
        let why = format!("systemd does not load this timer: {}", passed.why);
        vec![Loss { at: Some(passed.at), line: passed.line, why, help: None }]
    });
    match read.and_then(|read| taken.add_timer(&read, unit, timer.is_enabled).map(|()| read)) {
        Ok(read) => (Some(read), Vec::new()),
        Err(losses) if timer.is_wanted => {
            taken.losses.extend(losses);
            (None, Vec::new())
        }
        Err(losses) => (None, losses),
    }
}
