//! Taking over what exists: units of this host, unit files, folders of them, and services of our own by their receipts.

use std::collections::BTreeMap;

use super::find::{Managed, Where};
use super::import_nssm;
use super::receipt::ReadWords;
use crate::catalog::Catalog;
use crate::error::{Error, Fault};
use crate::host::facts::Host;
use crate::host::files::{self, Entry};
use crate::host::process;
use crate::host::reading::{self, Limit, Links, Unread};
use crate::host::site;
use crate::host::text::text;
use crate::import::{self, About, At, Loss, Remark, Taken, Unit, UnitFile};
use crate::managers;
use crate::managers::systemd::{judge, parse_show};
use crate::manifest;
use crate::model::artifact::{Artifact, ArtifactKind};
use crate::model::facts::{Facts, PathKind};
use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::platform::Platform;
use crate::model::spec::{Scope, Target};
use crate::model::text::Text;

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
#[derive(Debug)]
pub struct Imported {
    /// The manifest.
    pub manifest: String,
    /// The services in it that are no services of ours.
    pub services: Vec<TakenOver>,
    /// What is not in it, and why.
    pub left: Vec<String>,
    /// Whether a file has been written.
    pub written: Option<Text>,
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
    /// Units that start it, or that belong to it: they are not taken over.
    pub companions: Vec<String>,
}

impl Imported {
    /// Whether the manifest says all that there was.
    pub fn is_exact(&self) -> bool {
        self.left.is_empty() && self.services.iter().all(|service| service.losses.is_empty())
    }
}

/// The files of a unit, and what is known of it.
struct Source {
    about: About,
    /// Its own file, then its drop-ins, each with its path.
    files: Vec<(Text, Vec<u8>)>,
    companions: Vec<String>,
}

/// Makes a manifest of what exists.
///
/// # Errors
/// When there is no such thing, it cannot be read, or systemd itself does not load it.
pub fn import(wanted: &Import, catalog: &Catalog, read: ReadWords<'_>) -> Result<Imported, Error> {
    let mut left = Vec::new();
    let kind = Host::default().path_kind(&wanted.what);
    let is_folder = kind == Some(PathKind::Directory);
    if !is_folder && let Some(imported) = of_others(wanted)? {
        return Ok(imported);
    }
    let sources = match kind {
        Some(PathKind::Directory) => folder(wanted, &mut left),
        Some(PathKind::Missing) | None if !is_path(&wanted.what) => {
            let name = wanted.what.to_string();
            if let Some(imported) = import_nssm::of_host(&name, wanted)? {
                return Ok(imported);
            }
            if let Some(imported) = of_ours(&name, wanted, catalog, read)? {
                return Ok(imported);
            }
            match managers::of_this_host() {
                Target::Systemd => vec![of_host(&name, wanted)?],
                Target::Nssm => {
                    let fault = Fault::new("import", "there is no service of that name, and no such file");
                    return Err(Error::refused(
                        fault.given(&wanted.what).help("`sc query state= all` lists the services of Windows"),
                    ));
                }
            }
        }
        _ => vec![file(&wanted.what, wanted)?],
    };
    let mut services = Vec::new();
    let mut taken = Vec::new();
    for source in sources {
        match take(&source) {
            Ok(one) => {
                services.push(TakenOver {
                    name: source.about.name.clone(),
                    losses: one.losses.clone(),
                    remarks: one.remarks.clone(),
                    companions: source.companions.clone(),
                });
                taken.push((one, from(&source.files)));
            }
            Err(error) if is_folder => left.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    if taken.is_empty() {
        let fault = Fault::new("import", "there is no unit file of a service in it").given(&wanted.what);
        return Err(Error::refused(fault));
    }
    let imported = Imported { manifest: import::document(&taken), services, left, written: None };
    written(imported, wanted)
}

/// Writes the manifest where it was asked for. Nothing that is there is overwritten.
pub(super) fn written(mut imported: Imported, wanted: &Import) -> Result<Imported, Error> {
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
    imported.written = Some(path.clone());
    Ok(imported)
}

/// What foreman, honcho or pm2 are given, by the name of the file.
fn of_others(wanted: &Import) -> Result<Option<Imported>, Error> {
    let path = &wanted.what;
    let name = last(path);
    if name.to_ascii_lowercase().ends_with(".reg") {
        return import_nssm::of_file(path, wanted).map(Some);
    }
    let is_procfile = name.starts_with("Procfile") || name.ends_with(".procfile");
    if [".config.js", ".config.cjs", ".config.mjs"].iter().any(|end| name.ends_with(end)) {
        let fault = Fault::new("import", "it is a program of JavaScript, and only node tells what it says").given(path);
        let help = format!(
            "`node -p 'JSON.stringify(require(\"./{name}\"))' > ecosystem.json`, and then `InstallService import \
             ecosystem.json`"
        );
        return Err(Error::refused(fault.help(help)));
    }
    if !is_procfile && !name.ends_with(".json") {
        return Ok(None);
    }
    let here = Host::default().current_directory().unwrap_or_default();
    let is_absolute = Platform::Unix.is_absolute(path);
    let whole =
        if is_absolute { path.clone() } else { Text::from_bytes([here.as_bytes(), b"/", path.as_bytes()].concat()) };
    let folder = files::parent(&Platform::Unix.normalised(&whole)).unwrap_or(here);
    let contents = contents(path)?;
    let (services, left) = match is_procfile {
        true => {
            let beside = Platform::Unix.join(&folder, ".env");
            let env = if files::is_there(&beside) { Some(self::contents(&beside)?) } else { None };
            import::procfile::read(&import::procfile::Procfile {
                file: path.to_string(),
                app: last(&folder),
                folder,
                contents: &contents,
                env: env.as_ref().map(|contents| (beside, contents.as_slice())),
            })
        }
        false => import::pm2::read(&contents, &path.to_string(), &folder)
            .map_err(|reason| Error::refused(Fault::new("import", reason).given(path)))?,
    };
    if services.is_empty() {
        let fault = Fault::new("import", "there is nothing to run in it").given(path);
        return Err(Error::refused(fault));
    }
    let services: Vec<(Taken, String)> =
        services.into_iter().map(|taken| (taken.checked(), format!("From {path}"))).collect();
    let of = |taken: &Taken| TakenOver {
        name: taken.request.name.clone().unwrap_or_default(),
        losses: taken.losses.clone(),
        remarks: taken.remarks.clone(),
        companions: Vec::new(),
    };
    let imported = Imported {
        manifest: import::document(&services),
        services: services.iter().map(|(taken, _)| of(taken)).collect(),
        left,
        written: None,
    };
    written(imported, wanted).map(Some)
}

/// Whether a word can only be a path: names of units have no slashes.
fn is_path(what: &Text) -> bool {
    what.as_bytes().iter().any(|byte| *byte == b'/' || cfg!(windows) && *byte == b'\\')
}

/// Where a service comes from, in words.
fn from(files: &[(Text, Vec<u8>)]) -> String {
    let paths: Vec<String> = files.iter().map(|(path, _)| path.to_string()).collect();
    format!("From {}", paths.join(", "))
}

/// The service of ours of that name, as it was installed.
fn of_ours(name: &str, wanted: &Import, catalog: &Catalog, read: ReadWords<'_>) -> Result<Option<Imported>, Error> {
    let Ok(service) = name.strip_suffix(".service").unwrap_or(name).parse::<ServiceName>() else { return Ok(None) };
    let found = match Managed::find_untouched(vec![service], &wanted.place) {
        Ok(found) if found.removed.is_empty() => found,
        Ok(_) | Err(Error::NoSuchService { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let manifest = found.requests(catalog, read)?.iter().map(manifest::receipt).collect();
    let imported = Imported { manifest, services: Vec::new(), left: Vec::new(), written: None };
    written(imported, wanted).map(Some)
}

/// A unit in the words of a manifest, compared with what it was, also by systemd where that can be asked.
fn take(source: &Source) -> Result<Taken, Error> {
    let mut read = source.files.iter().map(|(path, contents)| UnitFile::read(&path.to_string(), contents));
    let own = read.next().unwrap_or_default();
    let unit = Unit::merged(own, read.collect()).map_err(|passed| {
        let reason = format!("systemd does not load this unit: {}", passed.why);
        Error::refused(Fault::new(passed.at.to_string(), reason).given(import::hidden(&passed.line)))
    })?;
    if unit.assignments.is_empty() {
        let fault = Fault::new(
            "unit file",
            "it says nothing that systemd would take: it has no line in [Unit], [Service] or [Install]",
        );
        return Err(Error::refused(fault.given(&source.files[0].0)));
    }
    let mut taken = Taken::of(&unit, &source.about);
    let scope = if source.about.user { Scope::User } else { Scope::System };
    let place = site::exported(Target::Systemd, scope, None).place;
    let Some(ours) = taken.check(&unit, &place) else { return Ok(taken) };
    let name = format!("{}.service", source.about.name);
    let named: Vec<(String, &[u8])> =
        source.files.iter().map(|(path, contents)| (last(path), contents.as_slice())).collect();
    let named: Vec<judge::NamedFile<'_>> = named.iter().map(|(name, contents)| (name.as_str(), *contents)).collect();
    if let Some(judgement) = judge::judge(&name, &named, &ours) {
        // Of a line it may ignore a word alone: then the rest of it is missing in ours.
        if judgement.differ.is_empty() {
            for (file, line, said) in judgement.ignored {
                let at = At { file: source.files[file].0.to_string(), line };
                taken.ignored_by_systemd(&at, &said);
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
    Ok(taken)
}

fn last(path: &Text) -> String {
    Platform::Unix.file_name(path).to_string()
}

/// The unit files of a folder.
fn folder(wanted: &Import, left: &mut Vec<String>) -> Vec<Source> {
    let mut sources = Vec::new();
    for path in files::list(&wanted.what).into_iter().map(text) {
        let name = last(&path);
        let Some(stem) = name.strip_suffix(".service") else { continue };
        match if stem.ends_with('@') { Err(Error::refused(template(&path))) } else { file(&path, wanted) } {
            Ok(source) => sources.push(source),
            Err(error) => left.push(error.to_string()),
        }
    }
    sources
}

fn template(path: &Text) -> Fault {
    let name = last(path);
    let instance = name.replacen("@.", "@INSTANCE.", 1);
    Fault::new("unit file", "it is a template, of which an instance can be taken over")
        .given(path)
        .help(format!("`InstallService import {}`", path.to_string().replace(&name, &instance)))
}

/// A unit file with its drop-ins beside it, or what `systemctl cat` has printed.
fn file(path: &Text, wanted: &Import) -> Result<Source, Error> {
    let mut path = path.clone();
    let name = last(&path);
    if name.ends_with("@.service") {
        return Err(Error::refused(template(&path)));
    }
    let mut unit = name;
    if let Some((prefix, _)) = unit.split_once('@')
        && !files::is_there(&path)
    {
        path = beside(&path, &format!("{prefix}@.service"));
    }
    let contents = contents(&path)?;
    let mut files = match import::of_cat(&contents) {
        Some(parts) => parts.into_iter().map(|(path, part)| (Text::from(path), part.to_vec())).collect(),
        None => vec![(path.clone(), contents)],
    };
    let is_cat = files[0].0 != path;
    if is_cat {
        unit = last(&files[0].0);
    }
    let Some(name) = unit.strip_suffix(".service") else {
        let fault = Fault::new("unit file", "must be that of a service, and have a name that ends in `.service`");
        return Err(Error::refused(fault.given(&path)));
    };
    if files[0].1.is_empty() {
        let fault = Fault::new("unit file", "it is empty, so this unit is masked: systemd does not start it");
        return Err(Error::refused(fault.given(&path)));
    }
    if !is_cat {
        for path in drop_ins(&path, &unit) {
            let read = self::contents(&path)?;
            files.push((path, read));
        }
    }
    let is_of_user = files[0].0.as_bytes().windows(14).any(|part| part == b"/systemd/user/");
    let companions = [".socket", ".timer", ".path"].into_iter().map(|kind| beside(&path, &format!("{name}{kind}")));
    Ok(Source {
        about: About { name: name.to_owned(), user: wanted.place.user || is_of_user, is_enabled: None },
        companions: companions.filter(files::is_there).map(|path| last(&path)).collect(),
        files,
    })
}

/// The path of a file in the same directory.
fn beside(path: &Text, name: &str) -> Text {
    let folder = path.as_bytes().iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    Text::from_bytes([&path.as_bytes()[..folder], name.as_bytes()].concat())
}

/// The drop-ins of a unit beside it: in the order of their names, and of one name the nearest.
fn drop_ins(path: &Text, unit: &str) -> Vec<Text> {
    let mut found: BTreeMap<String, Text> = BTreeMap::new();
    for directory in import::drop_in_directories(unit) {
        for path in files::list(&beside(path, &directory)).into_iter().map(text) {
            let name = last(&path);
            if name.ends_with(".conf") {
                found.entry(name).or_insert(path);
            }
        }
    }
    found.into_values().collect()
}

pub(super) fn contents(path: &Text) -> Result<Vec<u8>, Error> {
    let fault = |reason: String| Error::refused(Fault::new("unit file", reason).given(path));
    let read = match reading::whole(path, Links::Followed, Limit::TEXT) {
        // What the caller has opened for us, as in `systemctl cat NAME | InstallService import /dev/stdin`.
        Err(Unread::NotAFile(kind)) => {
            reading::given_text(path, Limit::TEXT).map(String::into_bytes).map_err(|_| Unread::NotAFile(kind))
        }
        read => read,
    };
    match read {
        Ok(contents) => Ok(contents),
        Err(Unread::Failed(source)) if source.kind() == std::io::ErrorKind::NotFound => {
            Err(fault("there is no such file".into()))
        }
        // A unit is masked by a link to /dev/null (systemd.unit(5)).
        Err(Unread::NotAFile(kind)) => Err(fault(format!("it is {kind}, or leads to one: such a unit is masked"))),
        Err(Unread::Failed(source)) => Err(Error::io("reading", path, source)),
        Err(unread) => Err(fault(unread.to_string())),
    }
}

/// A unit of this host, with its drop-ins, as systemd has found them.
fn of_host(name: &str, wanted: &Import) -> Result<Source, Error> {
    let stem = name.strip_suffix(".service").unwrap_or(name);
    let mut found = None;
    for (index, scope) in wanted.place.scopes().enumerate() {
        match show(stem, scope) {
            Ok(properties) if properties.get("LoadState").is_some_and(|state| state == "not-found") => {}
            Ok(properties) => {
                found = Some((properties, scope));
                break;
            }
            Err(error) if index == 0 => return Err(error),
            // Root has no services of its own.
            Err(_) => {}
        }
    }
    let (properties, scope) = found.ok_or_else(|| Error::refused(no_such_unit(name)))?;
    let get = |key: &str| properties.get(key).map(String::as_str).unwrap_or_default();
    match get("LoadState") {
        "loaded" => {}
        "masked" => {
            let fault = Fault::new("service", "it is masked: systemd does not start it").given(name);
            return Err(Error::refused(fault.help(format!("`systemctl unmask {stem}` gives it back"))));
        }
        state => {
            let fault = Fault::new("service", format!("systemd does not load it: {state}")).given(name);
            return Err(Error::refused(fault.help(format!("`systemctl status {stem}` says why"))));
        }
    }
    let paths = std::iter::once(get("FragmentPath")).chain(get("DropInPaths").split_whitespace());
    let files = paths.filter(|path| !path.is_empty()).map(|path| {
        let path = Text::from(path);
        contents(&path).map(|contents| (path, contents))
    });
    let files = files.collect::<Result<Vec<_>, _>>()?;
    if files.is_empty() || get("FragmentPath").is_empty() {
        let fault = Fault::new("service", "it has no unit file: a program has made it while the host runs").given(name);
        return Err(Error::refused(fault));
    }
    let id = get("Id");
    Ok(Source {
        about: About {
            name: id.strip_suffix(".service").unwrap_or(stem).to_owned(),
            user: scope == Scope::User,
            is_enabled: match get("UnitFileState") {
                "enabled" | "enabled-runtime" => Some(true),
                "disabled" => Some(false),
                _ => None,
            },
        },
        files,
        companions: get("TriggeredBy").split_whitespace().map(str::to_owned).collect(),
    })
}

fn no_such_unit(name: &str) -> Fault {
    Fault::new("import", "there is no such service, and no such file")
        .given(name)
        .help("`systemctl list-unit-files --type=service` shows the services of this host")
}

fn show(stem: &str, scope: Scope) -> Result<BTreeMap<String, String>, Error> {
    const ASKED: &str = "--property=Id,LoadState,FragmentPath,DropInPaths,UnitFileState,TriggeredBy";
    let unit = format!("{stem}.service");
    let answer = process::answer(&Invocation::systemctl(scope, ["show", ASKED, "--", &unit]), &[])?;
    Ok(parse_show(&answer.text()).into_iter().next().unwrap_or_default())
}
