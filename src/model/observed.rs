//! [`Observed`]: what was found on the host about some services.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::links::Links;
use super::name::ServiceName;
use super::original::Original;
use super::parameter::Parameter;
use super::place::Place;
use super::text::Text;

/// A file on the host as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What is in it.
    pub contents: Rc<[u8]>,
    /// Its permission bits.
    pub mode: u32,
    /// Whose it is, as user and group id; Windows keeps that in the access list.
    pub owner: Option<(u32, u32)>,
    /// Whether it belongs to somebody else, who can change it at will; root is nobody else.
    pub foreign: bool,
}

/// A drop-in as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropIn {
    /// The file.
    pub path: Text,
    /// What is in it.
    pub contents: Rc<[u8]>,
}

/// A unit of systemd that has the name of a service, and is not ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OtherUnit {
    /// In the place of ours: a link to nothing, by which an administrator keeps the name from being started.
    Mask(Text),
    /// In the place of ours, something else.
    InPlace {
        /// The unit, or what is in its place.
        path: Text,
        /// Why it is not ours.
        reason: String,
        /// Whether it is a unit in a file of its own.
        is_unit: bool,
    },
    /// In the place of ours, a link to a unit.
    Link {
        /// The link.
        path: Text,
        /// What it says.
        target: Text,
    },
    /// In another directory where systemd looks.
    Beside {
        /// The unit, or the script that becomes one.
        path: Text,
        /// Whether it is a mask.
        is_mask: bool,
        /// Whether it counts, and not one that lies in the directory of ours.
        counts: bool,
        /// Whether it is a script that becomes a unit.
        is_script: bool,
    },
}

impl OtherUnit {
    /// Where it is.
    pub fn path(&self) -> &Text {
        match self {
            Self::Mask(path) | Self::InPlace { path, .. } | Self::Link { path, .. } | Self::Beside { path, .. } => path,
        }
    }
}

/// What was found on the host about some services.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The files of ours that are there.
    pub files: BTreeMap<Text, Found>,
    /// The files with the output of services. What is in them changes while one looks.
    pub outputs: BTreeMap<ServiceName, Vec<Text>>,
    /// The files that services of Windows write as their accounts: output and error log, those of them that are there.
    pub written: BTreeMap<ServiceName, Vec<Text>>,
    /// Files that are there but not for us to read.
    pub unreadable: Vec<Text>,
    /// Files with secrets whose values are not used, and why: words to follow the path.
    pub lost: Vec<(Text, String)>,
    /// Directories that are there.
    pub directories: Vec<Text>,
    /// Units of the same names that are not ours, the one that counts most for each.
    pub other_units: BTreeMap<ServiceName, OtherUnit>,
    /// What is kept of what services of ours have taken the names of.
    pub originals: BTreeMap<ServiceName, Original>,
    /// Those of them whose service a package brought, and that are gone.
    pub gone_originals: Vec<ServiceName>,
    /// What is taken over now. A unit in the place of ours is among the files, too.
    pub adopted: BTreeMap<ServiceName, Original>,
    /// Timers of the same names that are not ours.
    pub other_timers: BTreeMap<ServiceName, OtherUnit>,
    /// The links to units of systemd.
    pub links: Links,
    /// Services that run.
    pub active: Vec<ServiceName>,
    /// Drop-ins of the administrator that override our units and timers.
    pub drop_ins: Vec<Text>,
    /// What is in those of each service, in the order in which systemd reads them.
    pub overriding: BTreeMap<ServiceName, Vec<DropIn>>,
    /// The same of their timers, be there one or not.
    pub overriding_timers: BTreeMap<ServiceName, Vec<DropIn>>,
    /// The parameters that services have with NSSM; one that is not registered is not among them.
    pub registered: BTreeMap<ServiceName, Vec<Parameter>>,
    /// The user whose services would end at the logout, where that is so (user scope only).
    pub logs_out: Option<String>,
}

impl Observed {
    /// Whether a timer starts the service: one of ours, or one that is taken over.
    pub fn has_timer(&self, name: &ServiceName, place: &Place) -> bool {
        let is_taken_over = || self.adopted.get(name).is_some_and(|original| original.timer.is_some());
        self.files.contains_key(&place.timer(name)) || is_taken_over()
    }

    /// Whether the same was found of `names`: files, registrations and links.
    pub fn is_same(&self, other: &Self, names: &[ServiceName]) -> bool {
        let has_same_links = |name: &ServiceName| {
            [name.unit(), name.timer()].iter().all(|unit| self.links.of(unit) == other.links.of(unit))
        };
        self.files == other.files
            && self.other_units == other.other_units
            && self.other_timers == other.other_timers
            && self.originals == other.originals
            && self.adopted == other.adopted
            && self.registered == other.registered
            && names.iter().all(has_same_links)
    }
}
