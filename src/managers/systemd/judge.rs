//! What systemd itself makes of a unit, without loading it into the manager that runs: `systemd-analyze verify` prints
//! all that it has read of a unit when it is to debug (`verify_unit` in `src/analyze/analyze-verify-util.c`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::host::process;
use crate::host::text::text;
use crate::model::invocation::Invocation;
use crate::model::platform::Platform;
use crate::model::text::Text;

/// What differs of units, and which lines of the originals systemd ignores.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The properties that differ: of the original, then of the other one.
    pub differ: Vec<(String, String)>,
    /// Lines that systemd has ignored: the file, the number of the line, and its words.
    pub ignored: Vec<(Text, usize, String)>,
}

/// A unit, and what is to be the same.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// What the unit is called.
    pub name: &'a str,
    /// Its files by their paths: its own first, then its drop-ins.
    pub original: &'a [(Text, Vec<u8>)],
    /// The other one.
    pub other: &'a [u8],
}

/// Compares units, such as a service and its timer, with others of the same names. Nothing where systemd-analyze does not
/// tell.
pub fn judge(units: &[Pair<'_>]) -> Option<Judgement> {
    let (theirs, ours) = (tempfile::tempdir().ok()?, tempfile::tempdir().ok()?);
    let mut placed = Vec::new();
    for Pair { name: unit, original, other } in units {
        for (index, (path, contents)) in original.iter().enumerate() {
            let name = Platform::Unix.file_name(path).to_string();
            let to = match index {
                0 => theirs.path().join(unit),
                _ => drop_in(theirs.path(), unit, &name)?,
            };
            fs::write(&to, contents).ok()?;
            placed.push((to, path));
            // The drop-ins of this host, if it has that unit, are none of the other's: an empty one of the same name that
            // is found first takes their place (systemd.unit(5)).
            if index > 0 {
                fs::write(drop_in(ours.path(), unit, &name)?, "").ok()?;
            }
        }
        fs::write(ours.path().join(unit), other).ok()?;
    }
    let mut judgement = Judgement::default();
    for Pair { name: unit, .. } in units {
        let (first, words) = dump(&theirs.path().join(unit))?;
        let (second, _) = dump(&ours.path().join(unit))?;
        judgement.differ.extend(differences(&first, &second));
        // Of each unit the lines of its own are told, once.
        let is_of_it = |line: &&str| line.contains(&format!("/{unit}:")) || line.contains(&format!("/{unit}.d/"));
        judgement.ignored.extend(words.lines().filter(is_of_it).filter_map(|line| {
            let (path, rest) = placed.iter().find_map(|(place, path)| {
                Some((*path, line.strip_prefix(&*place.to_string_lossy())?.strip_prefix(':')?))
            })?;
            let (number, said) = rest.split_once(": ")?;
            said.contains("ignoring").then_some((path.clone(), number.parse().ok()?, said.to_owned()))
        }));
    }
    Some(judgement)
}

fn drop_in(folder: &Path, unit: &str, name: &str) -> Option<std::path::PathBuf> {
    let folder = folder.join(format!("{unit}.d"));
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join(name))
}

/// The properties of a unit, and what systemd has said on the way. Of a template it reads an instance.
fn dump(path: &Path) -> Option<(BTreeMap<String, Vec<String>>, String)> {
    let mut words: Vec<Text> =
        ["env", "LC_ALL=C.UTF-8", "SYSTEMD_LOG_LEVEL=debug", "systemd-analyze", "verify", "--man=no"]
            .map(Text::from)
            .to_vec();
    words.push(text(path));
    let outcome = process::ask(&Invocation(words), &[]).ok()?;
    let properties = properties(&outcome.text());
    (!properties.is_empty()).then(|| (properties, outcome.errors()))
}

/// What no two units that lie in two places have in common.
const OF_ITS_PLACE: [&str; 2] = ["Fragment Path", "DropIn Path"];

/// The properties in a dump, each with its values. What is further in belongs to the line above it.
fn properties(dump: &str) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut last = None;
    for line in dump.lines().skip_while(|line| !line.trim_start().starts_with("-> Unit ")).skip(1) {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        let (name, value) = match text.strip_prefix("-> ") {
            Some(name) => (name.trim_end_matches(':'), ""),
            None => text.split_once(": ").unwrap_or((text.trim_end_matches(':'), "")),
        };
        match &last {
            Some(parent) if depth > 2 => found.entry(String::clone(parent)).or_default().push(text.to_owned()),
            _ if OF_ITS_PLACE.contains(&name) => last = None,
            _ => {
                last = Some(name.to_owned());
                found.entry(name.to_owned()).or_default().push(value.to_owned());
            }
        }
    }
    found
}

fn differences(first: &BTreeMap<String, Vec<String>>, second: &BTreeMap<String, Vec<String>>) -> Vec<(String, String)> {
    let said = |name: &str, values: Option<&Vec<String>>| match values {
        Some(values) => format!("{name}: {}", values.join(" ").trim()),
        None => format!("no {name}"),
    };
    let names: std::collections::BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let differs = |name: &&String| {
        let sorted = |all: &BTreeMap<String, Vec<String>>| {
            let mut values = all.get(*name).cloned().unwrap_or_default();
            // Dependencies, conditions and system calls come in any order; that of commands has a meaning.
            if matches!(name.as_str(), "SystemCallFilter" | "SystemCallArchitectures") {
                values = values
                    .iter()
                    .flat_map(|value| value.trim_start_matches('~').split(' '))
                    .map(str::to_owned)
                    .collect();
            }
            if !name.starts_with("Exec") {
                values.sort();
            }
            values
        };
        sorted(first) != sorted(second)
    };
    names.into_iter().filter(differs).map(|name| (said(name, first.get(name)), said(name, second.get(name)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "\t-> Unit x.service:\n\t\tDescription: x\n\t\tFragment Path: /tmp/x.service\n\t\tAfter: a.target (file)\n\
                        \t\tAfter: b.target (file)\n\t\t-> ExecStart:\n\t\t\tCommand Line: /bin/true\n\t\t\tCommand Line: /bin/false\n\
                        \t\tType: simple\n";

    #[test]
    fn a_dump_is_read_whatever_the_order_of_its_dependencies() {
        let first = properties(DUMP);
        assert_eq!(first["ExecStart"], ["", "Command Line: /bin/true", "Command Line: /bin/false"]);
        let again =
            DUMP.replace("a.target", "c.target").replace("b.target", "a.target").replace("c.target", "b.target");
        assert_eq!(differences(&first, &properties(&again.replace("/tmp", "/etc"))), []);
        let other = DUMP.replace("/bin/true", "/bin/x").replace("\t\tType: simple\n", "");
        assert_eq!(
            differences(&first, &properties(&other)),
            [
                (
                    "ExecStart: Command Line: /bin/true Command Line: /bin/false".to_owned(),
                    "ExecStart: Command Line: /bin/x Command Line: /bin/false".to_owned()
                ),
                ("Type: simple".to_owned(), "no Type".to_owned()),
            ]
        );
    }
}
