//! Links to units: by them systemd starts a unit at boot, or knows it by another name.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::text::Text;

/// The links to one unit: their paths, and what they say.
pub type UnitLinks = BTreeMap<Text, Text>;

/// The links in a directory of units, by the unit that they lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links(BTreeMap<String, UnitLinks>);

impl Links {
    /// Notes a link to `unit`.
    pub fn add(&mut self, unit: &str, path: Text, target: Text) {
        self.0.entry(unit.to_owned()).or_default().insert(path, target);
    }

    /// The links to `unit`.
    pub fn of(&self, unit: &str) -> &UnitLinks {
        static NONE: UnitLinks = UnitLinks::new();
        self.0.get(unit).unwrap_or(&NONE)
    }

    /// The links to these units alone, also to those of them that have none.
    #[must_use]
    pub fn only(&self, units: &BTreeSet<String>) -> Self {
        Self(units.iter().map(|unit| (unit.clone(), self.of(unit).clone())).collect())
    }

    /// Every unit, with the links to it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &UnitLinks)> {
        self.0.iter().map(|(unit, links)| (unit.as_str(), links))
    }
}

/// The `[Install]` section of a unit: what `systemctl enable` makes of it (systemd.unit(5)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstallSection {
    wanted_by: Vec<String>,
    required_by: Vec<String>,
    upheld_by: Vec<String>,
    alias: Vec<String>,
    also: Vec<String>,
    default_instance: Option<String>,
}

impl InstallSection {
    /// Reads the section in the text of the unit `unit`.
    ///
    /// Words are separated by blanks, several lines add up, and an empty one forgets those before it
    /// (`config_parse_strv` in `src/shared/conf-parser.c`).
    pub fn read(contents: &[u8], unit: &str) -> Self {
        let text = String::from_utf8_lossy(contents);
        let mut section = Self::default();
        let mut is_install = false;
        for line in joined_lines(&text) {
            let line = line.trim();
            if line.starts_with('[') {
                is_install = line == "[Install]";
            }
            let Some((key, value)) = line.split_once('=').filter(|_| is_install) else { continue };
            if key.trim_end() == "DefaultInstance" {
                section.default_instance = expanded(value.trim(), unit).filter(|instance| !instance.is_empty());
            }
            let list = match key.trim_end() {
                "WantedBy" => &mut section.wanted_by,
                "RequiredBy" => &mut section.required_by,
                "UpheldBy" => &mut section.upheld_by,
                "Alias" => &mut section.alias,
                "Also" => &mut section.also,
                _ => continue,
            };
            if value.trim().is_empty() {
                list.clear();
            }
            list.extend(value.split_whitespace().filter_map(|word| expanded(word, unit)));
        }
        section
    }

    /// The links that `systemctl enable` makes, by their paths below the directory of units. Those of a template are
    /// links of its default instance; without one there are none but aliases (`DefaultInstance=` of systemd.unit(5)).
    pub fn links(&self, unit: &str) -> BTreeSet<Text> {
        let started = match (unit.strip_suffix("@.service"), &self.default_instance) {
            (None, _) => Some(unit.to_owned()),
            (Some(prefix), Some(instance)) => Some(format!("{prefix}@{instance}.service")),
            (Some(_), None) => None,
        };
        let folders = [("wants", &self.wanted_by), ("requires", &self.required_by), ("upholds", &self.upheld_by)];
        let below = folders.into_iter().flat_map(|(kind, targets)| {
            let started = started.iter();
            started.flat_map(move |unit| targets.iter().map(move |target| format!("{target}.{kind}/{unit}").into()))
        });
        below.chain(self.alias.iter().filter(|alias| *alias != unit).map(|alias| alias.as_str().into())).collect()
    }

    /// Units that are enabled and disabled together with this one.
    pub fn also(&self) -> &[String] {
        &self.also
    }
}

/// The lines of a unit without comments, with those that a backslash continues joined.
pub(super) fn joined_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut continues = false;
    for line in text.lines().filter(|line| !line.trim_start().starts_with(['#', ';'])) {
        let (part, goes_on) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
        match lines.last_mut() {
            Some(last) if continues => {
                last.push(' ');
                last.push_str(part);
            }
            _ => lines.push(part.to_owned()),
        }
        continues = goes_on;
    }
    lines
}

/// A word with the specifiers that are known without a look at the host; with others in it, nothing tells which link
/// it makes.
fn expanded(word: &str, unit: &str) -> Option<String> {
    let stem = unit.rsplit_once('.').map_or(unit, |(stem, _)| stem);
    let mut out = String::new();
    let mut rest = word.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match rest.next()? {
            '%' => out.push('%'),
            'n' => out.push_str(unit),
            'N' => out.push_str(stem),
            'p' => out.push_str(stem.split_once('@').map_or(stem, |(prefix, _)| prefix)),
            'i' => out.push_str(stem.split_once('@').map_or("", |(_, instance)| instance)),
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_tells_which_links_there_are_to_be() {
        let section = InstallSection::read(
            b"[Unit]\nWantedBy=no.target\n[Install]\n# WantedBy=c.target\nWantedBy = a.target \\\n  b.target\n\
              RequiredBy=r.target\nUpheldBy=u.target\nAlias=web.service w-%p.service %H.service\nAlso=x.socket y.service\n",
            "web.service",
        );
        let links: Vec<String> = section.links("web.service").iter().map(ToString::to_string).collect();
        assert_eq!(
            links,
            [
                "a.target.wants/web.service",
                "b.target.wants/web.service",
                "r.target.requires/web.service",
                "u.target.upholds/web.service",
                "w-web.service",
            ]
        );
        assert_eq!(section.also(), ["x.socket", "y.service"]);
    }

    #[test]
    fn a_template_is_linked_to_by_the_name_of_its_default_instance() {
        let links = |section: &str| InstallSection::read(section.as_bytes(), "a@.service").links("a@.service");
        assert!(links("[Install]\nWantedBy=x.target\n").is_empty());
        let default = links("[Install]\nWantedBy=x.target\nDefaultInstance=b\nAlias=c@.service\n");
        assert_eq!(default, ["x.target.wants/a@b.service", "c@.service"].map(Text::from).into());
        assert!(links("[Install]\nWantedBy=x.target\nDefaultInstance=b\nDefaultInstance=\n").is_empty());
    }

    #[test]
    fn an_instance_is_no_part_of_the_prefix() {
        let section = InstallSection::read(b"[Install]\nWantedBy=%p.target %i.target %N.target\n", "a@b.service");
        let links = ["a.target.wants/a@b.service", "a@b.target.wants/a@b.service", "b.target.wants/a@b.service"];
        assert_eq!(section.links("a@b.service"), links.map(Text::from).into());
    }

    #[test]
    fn an_empty_line_forgets_those_before_it() {
        let section =
            InstallSection::read(b"[Install]\nWantedBy=a.target\nWantedBy=\nWantedBy=b.target\n", "x.service");
        assert_eq!(section.links("x.service"), BTreeSet::from(["b.target.wants/x.service".into()]));
    }
}
