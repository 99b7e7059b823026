//! A unit of files: its own, its drop-ins, and the timer that starts it.

use std::collections::BTreeMap;

use crate::error::{Error, Fault};
use crate::host::files;
use crate::host::reading::{self, Limit, Links, Unread};
use crate::host::text::text;
use crate::import::{self, About};
use crate::model::platform::Platform;
use crate::model::text::Text;

/// Where a unit is masked (systemd.unit(5)).
const NOTHING: &str = "/dev/null";

/// The files of a unit, each with its path: its own, then its drop-ins.
pub(super) type Files = Vec<(Text, Vec<u8>)>;

/// A unit as it was found, and what is known of it.
pub(super) struct Source {
    pub(super) about: About,
    pub(super) files: Files,
    /// The timer of the same name.
    pub(super) timer: Option<TimerSource>,
    /// Other units that start it.
    pub(super) companions: Vec<String>,
    /// Whether systemd of this host has told of it.
    pub(super) is_of_host: bool,
}

/// A timer as it was found.
pub(super) struct TimerSource {
    pub(super) files: Files,
    /// Whether it is started at boot, where that is known.
    pub(super) is_enabled: Option<bool>,
    /// Whether it is what was asked for.
    pub(super) is_wanted: bool,
}

/// The last component of a path.
pub(super) fn last(path: &Text) -> String {
    Platform::Unix.file_name(path).to_string()
}

/// The path of a file in the same directory.
pub(super) fn beside(path: &Text, name: &str) -> Text {
    let folder = path.as_bytes().iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    Text::from_bytes([&path.as_bytes()[..folder], name.as_bytes()].concat())
}

/// The path of a file in a directory; of the current one it is the name.
pub(super) fn within(directory: &Text, name: &str) -> Text {
    if directory.is_empty() { name.into() } else { Platform::Unix.join(directory, name) }
}

/// Whether a unit or a drop-in there is masked: a link to nothing.
pub(super) fn is_masked(path: &Text) -> bool {
    let mut path = path.clone();
    // As many as Linux follows.
    for _ in 0..40 {
        match files::link_target(&path) {
            None => return path == NOTHING.into(),
            Some(target) if Platform::Unix.is_absolute(&target) => path = target,
            Some(target) => path = beside(&path, &target.to_string()),
        }
    }
    false
}

/// The name that a service really has of which a link with another name is an alias. The instance of a template, as
/// systemctl enables it, is none.
pub(super) fn aliased(path: &Text) -> Option<String> {
    let (name, target) = (last(path), last(&files::link_target(path)?));
    let is_unit = target.ends_with(".service") && target != name;
    let is_instance = target.split_once("@.").is_some_and(|(prefix, _)| name.starts_with(&format!("{prefix}@")));
    (is_unit && !is_instance).then_some(target)
}

/// The template that an instance is of.
pub(super) fn template_of(unit: &str) -> Option<String> {
    let (prefix, rest) = unit.split_once('@')?;
    let (instance, kind) = rest.rsplit_once('.')?;
    (!instance.is_empty()).then(|| format!("{prefix}@.{kind}"))
}

/// The drop-ins of a unit in these directories, of which the first win: in the order of their names, and of one name the
/// nearest, which may mask the others.
pub(super) fn drop_ins(directories: &[Text], unit: &str) -> Vec<Text> {
    let mut found: BTreeMap<String, Text> = BTreeMap::new();
    for directory in directories {
        for folder in import::drop_in_directories(unit) {
            for path in files::list(&within(directory, &folder)).into_iter().map(text) {
                let name = last(&path);
                if name.ends_with(".conf") {
                    found.entry(name).or_insert(path);
                }
            }
        }
    }
    found.into_values().filter(|path| !is_masked(path)).collect()
}

/// The file of a unit at `path` with its drop-ins in these directories.
pub(super) fn with_drop_ins(path: &Text, unit: &str, directories: &[Text]) -> Result<Files, Error> {
    let mut files = vec![(path.clone(), contents(path)?)];
    if files[0].1.is_empty() {
        return Err(masked(path, "it is empty"));
    }
    for path in drop_ins(directories, unit) {
        let read = contents(&path)?;
        files.push((path, read));
    }
    Ok(files)
}

/// The timer of the service `stem` in these directories, of which the first wins.
pub(super) fn timer(stem: &str, directories: &[Text]) -> Result<Option<TimerSource>, Error> {
    let unit = format!("{stem}.timer");
    let Some(path) = directories.iter().map(|directory| within(directory, &unit)).find(is_there) else {
        return Ok(None);
    };
    if is_masked(&path) {
        return Ok(None);
    }
    let files = with_drop_ins(&path, &unit, directories)?;
    Ok(Some(TimerSource { files, is_enabled: None, is_wanted: false }))
}

/// Sockets and paths of the service `stem` in these directories.
pub(super) fn companions(stem: &str, directories: &[Text]) -> Vec<String> {
    let is_in = |name: &String| directories.iter().any(|directory| is_there(&within(directory, name)));
    [".socket", ".path"].into_iter().map(|kind| format!("{stem}{kind}")).filter(is_in).collect()
}

/// Whether there is a file or a link, wherever it leads to.
fn is_there(path: &Text) -> bool {
    files::is_there(path) || files::link_target(path).is_some()
}

fn masked(path: &Text, how: &str) -> Error {
    let reason = format!("{how}, so this unit is masked: systemd does not start it");
    Error::refused(Fault::new("unit file", reason).given(path))
}

/// What a file holds that was named or found.
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
        Err(Unread::NotAFile(_)) if is_masked(path) => Err(masked(path, "it is a link to `/dev/null`")),
        Err(Unread::Failed(source)) => Err(Error::io("reading", path, source)),
        Err(unread) => Err(fault(unread.to_string())),
    }
}

/// The unit that a file or the name of one stands for: a service, the timer of one, or what `systemctl cat` has printed.
pub(super) fn file(path: &Text, is_user: bool) -> Result<Source, Error> {
    let (mut unit, mut is_wanted, mut path) = (last(path), false, path.clone());
    if let Some(stem) = unit.strip_suffix(".timer") {
        let service = format!("{stem}.service");
        let is_found = |name: &str| files::is_there(&beside(&path, name));
        if !is_found(&service) && !template_of(&service).is_some_and(|template| is_found(&template)) {
            return Err(Error::refused(no_service(&path, &service)?));
        }
        (path, unit, is_wanted) = (beside(&path, &service), service, true);
    }
    if let Some(real) = aliased(&path) {
        let target = files::link_target(&path).unwrap_or_default();
        path = if Platform::Unix.is_absolute(&target) { target } else { beside(&path, &target.to_string()) };
        unit = real;
    }
    if let Some(template) = template_of(&unit)
        && !files::is_there(&path)
    {
        path = beside(&path, &template);
    }
    let directory = beside(&path, "");
    if let Some(stem) = unit.strip_suffix(".service") {
        let directories = [directory];
        let files = with_drop_ins(&path, &unit, &directories)?;
        let timer = timer(stem, &directories)?.map(|timer| TimerSource { is_wanted, ..timer });
        let about = About { name: stem.to_owned(), user: is_user || is_of_user(&files[0].0), is_enabled: None };
        return Ok(Source { about, files, timer, companions: companions(stem, &directories), is_of_host: false });
    }
    let contents = contents(&path)?;
    let parts = import::of_cat(&contents).ok_or_else(|| {
        let fault = Fault::new("unit file", "must be that of a service, and have a name that ends in `.service`");
        Error::refused(fault.given(&path))
    })?;
    let files: Files = parts.into_iter().map(|(path, part)| (Text::from(path), part.to_vec())).collect();
    let name = last(&files[0].0).trim_end_matches(".service").to_owned();
    let about = About { name, user: is_user || is_of_user(&files[0].0), is_enabled: None };
    Ok(Source { about, files, timer: None, companions: Vec::new(), is_of_host: false })
}

/// Why a timer cannot be taken over beside which there is no service of its name.
fn no_service(timer: &Text, service: &str) -> Result<Fault, Error> {
    contents(timer)?;
    let reason = format!("there is no `{service}` beside it, and a manifest has a timer only with its service");
    let fault = Fault::new("unit file", reason).given(timer);
    Ok(fault.help("`InstallService import SERVICE` takes over the service that it starts"))
}

/// Whether a unit lies where those of users do.
pub(super) fn is_of_user(path: &Text) -> bool {
    path.as_bytes().windows(14).any(|part| part == b"/systemd/user/")
}
