//! A unit of this host, as systemd has found it.

use std::collections::BTreeMap;

use super::Import;
use super::unit::{Files, Source, TimerSource, companions, contents, is_masked, timer, with_drop_ins, within};
use crate::error::{Error, Fault};
use crate::host::{files, process};
use crate::import::About;
use crate::managers::systemd::parse_show;
use crate::model::invocation::Invocation;
use crate::model::spec::Scope;
use crate::model::text::Text;

/// A service of this host with its drop-ins and its timer; `name` may also be that of the timer, or of a template.
pub(super) fn unit(name: &str, wanted: &Import) -> Result<Source, Error> {
    let of_timer = name.strip_suffix(".timer");
    let stem = of_timer.or(name.strip_suffix(".service")).unwrap_or(name);
    if stem.ends_with('@') {
        return template(stem, wanted).and_then(|found| found.ok_or_else(|| Error::refused(no_such_unit(name))));
    }
    let mut found = None;
    for (index, scope) in wanted.place.scopes().enumerate() {
        match show(&format!("{stem}.service"), scope) {
            Ok(shown) if shown.get("LoadState") == "not-found" => {}
            Ok(shown) => {
                found = Some((shown, scope));
                break;
            }
            Err(error) if index == 0 => return Err(error),
            // Root has no services of its own.
            Err(_) => {}
        }
    }
    let (shown, scope) = found.ok_or_else(|| Error::refused(no_such_unit(name)))?;
    match shown.get("LoadState") {
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
    let files = shown.files()?;
    if files.is_empty() {
        let fault = Fault::new("service", "it has no unit file: a program has made it while the host runs").given(name);
        return Err(Error::refused(fault));
    }
    let own = shown.get("Id").strip_suffix(".service").unwrap_or(stem).to_owned();
    let timer = match show(&format!("{own}.timer"), scope) {
        Ok(timer) if timer.get("LoadState") == "loaded" => {
            Some(TimerSource { files: timer.files()?, is_enabled: timer.is_enabled(), is_wanted: of_timer.is_some() })
        }
        _ => None,
    };
    if of_timer.is_some() && timer.is_none() {
        return Err(Error::refused(no_such_unit(name)));
    }
    let timer = timer.filter(|timer| !timer.files.is_empty());
    let other = |unit: &&str| timer.is_none() || **unit != format!("{own}.timer");
    Ok(Source {
        companions: shown.get("TriggeredBy").split_whitespace().filter(other).map(str::to_owned).collect(),
        about: About { name: own, user: scope == Scope::User, is_enabled: shown.is_enabled() },
        files,
        timer,
        is_of_host: true,
    })
}

/// A template, which systemd does not load: it is found where units are looked for.
fn template(stem: &str, wanted: &Import) -> Result<Option<Source>, Error> {
    for scope in wanted.place.scopes() {
        let answer = process::answer(&Invocation::systemctl(scope, ["show", "--property=UnitPath"]), &[]);
        let Ok(answer) = answer else { continue };
        let shown = parse_show(&answer.text()).into_iter().next().unwrap_or_default();
        let directories: Vec<Text> =
            shown.get("UnitPath").map(|all| all.split_whitespace().map(Text::from).collect()).unwrap_or_default();
        let unit = format!("{stem}.service");
        let path = directories.iter().map(|directory| within(directory, &unit)).find(files::is_there);
        if let Some(path) = path {
            return Ok(Some(Source {
                about: About { name: stem.to_owned(), user: scope == Scope::User, is_enabled: None },
                files: with_drop_ins(&path, &unit, &directories)?,
                timer: timer(stem, &directories)?,
                companions: companions(stem, &directories),
                is_of_host: true,
            }));
        }
    }
    Ok(None)
}

fn no_such_unit(name: &str) -> Fault {
    Fault::new("import", "there is no such service, and no such file")
        .given(name)
        .help("`systemctl list-unit-files --type=service` shows the services of this host")
}

/// What systemd says of a unit.
struct Shown(BTreeMap<String, String>);

impl Shown {
    fn get(&self, key: &str) -> &str {
        self.0.get(key).map(String::as_str).unwrap_or_default()
    }

    fn is_enabled(&self) -> Option<bool> {
        match self.get("UnitFileState") {
            "enabled" | "enabled-runtime" => Some(true),
            "disabled" => Some(false),
            _ => None,
        }
    }

    /// Its files; none where it has no file of its own.
    fn files(&self) -> Result<Files, Error> {
        let own = self.get("FragmentPath");
        if own.is_empty() {
            return Ok(Files::new());
        }
        let paths = std::iter::once(own).chain(self.get("DropInPaths").split_whitespace()).map(Text::from);
        let paths = paths.filter(|path| path == &own.into() || !is_masked(path));
        paths.map(|path| contents(&path).map(|contents| (path, contents))).collect()
    }
}

fn show(unit: &str, scope: Scope) -> Result<Shown, Error> {
    const ASKED: &str = "--property=Id,LoadState,FragmentPath,DropInPaths,UnitFileState,TriggeredBy";
    let answer = process::answer(&Invocation::systemctl(scope, ["show", ASKED, "--", unit]), &[])?;
    Ok(Shown(parse_show(&answer.text()).into_iter().next().unwrap_or_default()))
}
