//! Who can change what the services of Windows run: whoever can put a file beside `nssm.exe`, or another one in its
//! place, has it run as LocalSystem.

use std::collections::BTreeMap;

use super::{Finding, Kind};
use crate::model::access::{Access, Rights, Sid};
use crate::model::platform::Platform;
use crate::model::text::Text;

/// What lets somebody put another file, or an additional one, into a directory, or change a file.
const WRITE: Rights = Rights::WRITE_DATA
    .and(Rights::APPEND_DATA)
    .and(Rights::DELETE_CHILD)
    .and(Rights::DELETE)
    .and(Rights::WRITE_DAC)
    .and(Rights::WRITE_OWNER)
    .and(Rights::GENERIC_WRITE)
    .and(Rights::GENERIC_ALL);

/// What lets somebody put another directory in the place of one below.
const REPLACE: Rights =
    Rights::DELETE_CHILD.and(Rights::DELETE).and(Rights::WRITE_DAC).and(Rights::WRITE_OWNER).and(Rights::GENERIC_ALL);

/// The root of a drive cannot be renamed.
const REPLACE_BELOW_ROOT: Rights =
    Rights::DELETE_CHILD.and(Rights::WRITE_DAC).and(Rights::WRITE_OWNER).and(Rights::GENERIC_ALL);

/// A file or directory, and whoever counts there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded {
    /// Its path.
    pub path: Text,
    /// Whose it is, and who may do what with it.
    pub access: Access,
}

/// The state directory, as far as Windows tells who may change it.
#[derive(Clone, Debug, Default)]
pub struct StateDirectory {
    /// The directory itself.
    pub itself: Option<Guarded>,
    /// Those that it lies in, the nearest first, up to the root of the drive.
    pub above: Vec<Guarded>,
    /// What lies in it.
    pub inside: Vec<Guarded>,
    /// The names of those who count there, as this machine writes them.
    pub names: BTreeMap<Sid, String>,
}

/// Those who can change something without having all rights anyway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strangers {
    /// Its owner, if it belongs neither to SYSTEM nor to Administrators nor to TrustedInstaller.
    pub owner: Option<Sid>,
    /// Who else may change it.
    pub writers: Vec<Sid>,
}

impl Strangers {
    fn of(access: &Access, rights: Rights) -> Self {
        let owner = Some(access.owner.clone()).filter(|owner| !owner.is_almighty());
        Self { owner, writers: access.others(rights) }
    }

    /// Those who are not among `known` already.
    fn besides(mut self, known: &[Sid]) -> Self {
        self.owner = self.owner.filter(|owner| !known.contains(owner));
        self.writers.retain(|writer| !known.contains(writer));
        self
    }

    fn all(&self) -> impl Iterator<Item = &Sid> {
        self.owner.iter().chain(&self.writers)
    }

    fn is_nobody(&self) -> bool {
        self.all().next().is_none()
    }
}

impl StateDirectory {
    /// Everything that lets somebody else change what services run: of the directory first, then of what lies in it, and
    /// of what it lies in. Each is told of where it counts first.
    pub fn findings(&self) -> Vec<Finding> {
        let (mut own, above) = self.findings_apart();
        own.extend(above);
        own
    }

    /// The same: what is said of the directory and what lies in it, and apart from that what is said of those that it
    /// lies in.
    pub fn findings_apart(&self) -> (Vec<Finding>, Vec<Finding>) {
        let mut known: Vec<Sid> = Vec::new();
        let mut found = |of: &Guarded, rights: Rights, finding: &dyn Fn(&Guarded, &Strangers) -> Finding| {
            let strangers = Strangers::of(&of.access, rights).besides(&known);
            known.extend(strangers.all().cloned());
            (!strangers.is_nobody()).then(|| finding(of, &strangers))
        };
        let mut own = Vec::new();
        if let Some(directory) = &self.itself {
            own.extend(found(directory, WRITE, &|of, who| self.of_directory(of, who)));
        }
        for file in &self.inside {
            own.extend(found(file, WRITE, &|of, who| self.of_file(of, who)));
        }
        let mut above = Vec::new();
        for directory in &self.above {
            let is_root = Platform::Windows.is_root(&directory.path);
            let rights = if is_root { REPLACE_BELOW_ROOT } else { REPLACE };
            above.extend(found(directory, rights, &|of, who| self.of_above(of, who)));
        }
        (own, above)
    }

    fn of_directory(&self, of: &Guarded, who: &Strangers) -> Finding {
        let inside = Platform::Windows.join(&of.path, "*");
        let mut steps = Vec::new();
        if who.owner.is_some() {
            steps.push(format!("{} and {} give it to Administrators", taken(&of.path), taken(&inside)));
        }
        steps.push(format!("{} lets nobody else write there", closed(&of.path, true, who)));
        finding(
            self.said(of, who, "may write there"),
            "services run `nssm.exe` and more from there, most of them as LocalSystem: whoever writes there can have \
             anything run with all rights",
            &steps,
        )
    }

    fn of_file(&self, of: &Guarded, who: &Strangers) -> Finding {
        let mut steps = Vec::new();
        if who.owner.is_some() {
            steps.push(format!("{} gives it to Administrators", taken(&of.path)));
        }
        steps.push(format!("{} lets nobody else write to it", closed(&of.path, false, who)));
        finding(
            self.said(of, who, "may write to it"),
            "it lies where services have what they run, and what InstallService goes by, with all rights",
            &steps,
        )
    }

    fn of_above(&self, of: &Guarded, who: &Strangers) -> Finding {
        finding(
            self.said(of, who, "may rename what is in it"),
            "the state directory lies below it: another directory can be put in its place, and services run what lies there",
            &[
                format!("{} shows who may do what", command(&["icacls"], &of.path, &[])),
                "a state directory below `C:\\ProgramData`, where an install without `--state-dir` has it, is out of their \
                 reach"
                    .to_owned(),
            ],
        )
    }

    /// `it belongs to A, and B and C may write there`.
    fn said(&self, of: &Guarded, who: &Strangers, may: &str) -> String {
        let name = |sid: &Sid| format!("`{}`", self.names.get(sid).map_or_else(|| sid.to_string(), Clone::clone));
        let owner = who.owner.as_ref().map(|owner| format!("belongs to {}", name(owner)));
        let writers: Vec<String> = who.writers.iter().map(name).collect();
        let path = &of.path;
        match (owner, writers.as_slice()) {
            (Some(owner), []) => format!("`{path}` {owner}"),
            (Some(owner), writers) => format!("`{path}` {owner}, and {} {may}", writers.join(", ")),
            (None, writers) => format!("`{path}` is open: {} {may}", writers.join(", ")),
        }
    }
}

fn finding(what: String, why: &str, steps: &[String]) -> Finding {
    Finding::new(Kind::OpenToOthers, what, why, format!("as an administrator: {}", steps.join("; ")))
}

/// The command that makes Administrators the owner.
fn taken(path: &Text) -> String {
    command(&["takeown", "/a", "/f"], path, &[])
}

/// The command that leaves SYSTEM and Administrators all rights, users those to read, and takes them from everybody who
/// was found there. Numbers stand for names, which are others in every language.
fn closed(path: &Text, is_directory: bool, who: &Strangers) -> String {
    const SYSTEM: &str = "*S-1-5-18";
    const ADMINISTRATORS: &str = "*S-1-5-32-544";
    const USERS: &str = "S-1-5-32-545";
    let below = if is_directory { "(OI)(CI)" } else { "" };
    // PowerShell takes parentheses that have no quotes around them for its own.
    let granted = [(SYSTEM, "F"), (ADMINISTRATORS, "F"), (&format!("*{USERS}"), "RX")]
        .map(|(who, right)| format!("\"{who}:{below}{right}\""));
    // What users have is replaced.
    let removed: Vec<String> = who.all().filter(|sid| sid.as_str() != USERS).map(by_number).collect();
    let mut words = vec!["/inheritance:r", "/grant:r"];
    words.extend(granted.iter().map(String::as_str));
    words.extend((!removed.is_empty()).then_some("/remove:g"));
    words.extend(removed.iter().map(String::as_str));
    command(&["icacls"], path, &words)
}

/// An account as `icacls` takes it.
fn by_number(sid: &Sid) -> String {
    format!("\"*{}\"", sid.as_str())
}

/// A command with a path in it, in backticks, as cmd.exe and PowerShell take it: a path has no quotes of its own on
/// Windows.
fn command(begin: &[&str], path: &Text, end: &[&str]) -> String {
    let quoted = format!("\"{}\"", path.to_string().trim_end_matches('\\'));
    // The root of a drive is no directory without its separator, and a quote behind one backslash is none.
    let quoted = if Platform::Windows.is_root(path) { path.to_string() } else { quoted };
    let words: Vec<&str> = begin.iter().copied().chain([quoted.as_str()]).chain(end.iter().copied()).collect();
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOE: &str = "S-1-5-21-1-2-3-1001";
    const STATE: &str = r"C:\ProgramData\InstallService";

    fn guarded(path: &str, descriptor: &str) -> Guarded {
        Guarded { path: path.into(), access: Access::parse(descriptor).expect("a descriptor") }
    }

    /// As an install makes it, on a Windows as it was set up.
    fn fine() -> StateDirectory {
        let file = "O:BAD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)";
        StateDirectory {
            itself: Some(guarded(STATE, "O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)")),
            above: vec![
                guarded(
                    r"C:\ProgramData",
                    "O:SYD:PAI(A;OICIIO;GA;;;CO)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;CI;DCLCRPCR;;;BU)",
                ),
                guarded(
                    r"C:\",
                    "O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464D:PAI(A;;LC;;;AU)\
                     (A;OICIIO;SDGXGWGR;;;AU)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)",
                ),
            ],
            inside: vec![
                guarded(&format!(r"{STATE}\nssm.exe"), file),
                guarded(&format!(r"{STATE}\web_env_vars.txt"), "O:BAD:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;LS)"),
            ],
            names: BTreeMap::from([(Sid::new(JOE), r"PC\joe".to_owned())]),
        }
    }

    /// What is found, and what to type.
    #[track_caller]
    fn finds(directory: &StateDirectory, what: &str) -> String {
        let findings = directory.findings();
        let [only] = findings.as_slice() else { panic!("{findings:#?}") };
        assert_eq!((only.kind, only.what.as_str()), (Kind::OpenToOthers, what));
        only.cure.clone()
    }

    #[test]
    fn nothing_is_found_of_a_directory_that_an_install_made() {
        assert_eq!(fine().findings(), []);
        assert_eq!(StateDirectory::default().findings(), []);
    }

    #[test]
    fn a_directory_that_users_may_write_is_found() {
        let inherits = "O:BAD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;0x1200a9;;;BU)(A;CIID;DCLCRPCR;;;BU)";
        let open = StateDirectory { itself: Some(guarded(STATE, inherits)), ..fine() };
        let cure = finds(&open, r"`C:\ProgramData\InstallService` is open: `Users` may write there");
        assert_eq!(
            cure,
            "as an administrator: `icacls \"C:\\ProgramData\\InstallService\" /inheritance:r /grant:r \
             \"*S-1-5-18:(OI)(CI)F\" \"*S-1-5-32-544:(OI)(CI)F\" \"*S-1-5-32-545:(OI)(CI)RX\"` lets nobody else write there"
        );
    }

    #[test]
    fn a_directory_that_somebody_made_before_is_found() {
        let joes = format!("O:{JOE}D:AI(A;;FA;;;{JOE})(A;OICI;0x1301bf;;;AU)(A;;FA;;;SY)(A;;FA;;;BA)");
        // What lies there is theirs as well: that is said once.
        let mut theirs = StateDirectory { itself: Some(guarded(STATE, &joes)), ..fine() };
        theirs.inside.push(guarded(&format!(r"{STATE}\version.dll"), &joes));
        let what = r"`C:\ProgramData\InstallService` belongs to `PC\joe`, and `Authenticated Users` may write there";
        let cure = finds(&theirs, what);
        assert_eq!(
            cure,
            "as an administrator: `takeown /a /f \"C:\\ProgramData\\InstallService\"` and `takeown /a /f \
             \"C:\\ProgramData\\InstallService\\*\"` give it to Administrators; `icacls \
             \"C:\\ProgramData\\InstallService\" /inheritance:r /grant:r \"*S-1-5-18:(OI)(CI)F\" \
             \"*S-1-5-32-544:(OI)(CI)F\" \"*S-1-5-32-545:(OI)(CI)RX\" /remove:g \"*S-1-5-21-1-2-3-1001\" \"*S-1-5-11\"` \
             lets nobody else write there"
        );
    }

    #[test]
    fn a_file_that_somebody_else_may_change_is_found() {
        let path = format!(r"{STATE}\nssm.exe");
        let joes = StateDirectory { inside: vec![guarded(&path, &format!("O:{JOE}D:(A;;FA;;;BA)"))], ..fine() };
        let cure = finds(&joes, &format!(r"`{path}` belongs to `PC\joe`"));
        assert!(cure.contains(&format!("`takeown /a /f \"{path}\"` gives it to Administrators; ")), "{cure}");
        assert!(cure.contains(&format!("/remove:g \"*{JOE}\"`")) && !cure.contains("(OI)"), "{cure}");
        let open = StateDirectory { inside: vec![guarded(&path, "O:BA")], ..fine() };
        finds(&open, &format!("`{path}` is open: `Everyone` may write to it"));
    }

    #[test]
    fn a_directory_whose_place_somebody_can_take_is_found() {
        let of_joe = |path: &str, descriptor: &str| {
            let above = vec![guarded(path, descriptor), guarded(r"D:\", "O:SYD:(A;OICI;0x1301bf;;;AU)")];
            StateDirectory { above, ..fine() }
        };
        let cure = finds(&of_joe(r"D:\joe", &format!("O:{JOE}D:")), r"`D:\joe` belongs to `PC\joe`");
        assert!(cure.contains("`icacls \"D:\\joe\"` shows who may do what"), "{cure}");
        let what = r"`D:\lab` is open: `Users` may rename what is in it";
        finds(&of_joe(r"D:\lab", "O:BAD:(A;;DT;;;BU)"), what);
        // A file that is added there does no harm.
        assert_eq!(of_joe(r"D:\lab", "O:BAD:(A;;DCLC;;;BU)").findings(), []);
    }

    #[test]
    fn the_root_of_a_drive_is_typed_as_it_is() {
        assert_eq!(command(&["icacls"], &r"D:\".into(), &[]), r"`icacls D:\`");
        assert_eq!(command(&["icacls"], &r"D:\a b\".into(), &["/t"]), "`icacls \"D:\\a b\" /t`");
    }
}
