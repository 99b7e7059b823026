//! [`Access`]: who owns a file or directory of Windows, and who may do what with it.
//!
//! It is read from the text that Windows makes of a security descriptor ("Security Descriptor String Format" of the
//! Windows API, [MS-DTYP] 2.5.1): the same in every language, and data that tests can write down.

use std::fmt;

/// An account or a group by its number, as `S-1-5-18`: the same in every language.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sid(String);

/// Those that every Windows has: the letters for it in a security descriptor, its number, its name in English
/// ([MS-DTYP] 2.4.2.4 and 2.5.1.1).
const KNOWN: [(&str, &str, &str); 20] = [
    ("WD", "S-1-1-0", "Everyone"),
    ("CO", "S-1-3-0", "CREATOR OWNER"),
    ("CG", "S-1-3-1", "CREATOR GROUP"),
    ("OW", "S-1-3-4", "OWNER RIGHTS"),
    ("NU", "S-1-5-2", "NETWORK"),
    ("IU", "S-1-5-4", "INTERACTIVE"),
    ("SU", "S-1-5-6", "SERVICE"),
    ("AN", "S-1-5-7", "ANONYMOUS LOGON"),
    ("PS", "S-1-5-10", "SELF"),
    ("AU", "S-1-5-11", "Authenticated Users"),
    ("SY", "S-1-5-18", "SYSTEM"),
    ("LS", "S-1-5-19", "LOCAL SERVICE"),
    ("NS", "S-1-5-20", "NETWORK SERVICE"),
    ("BA", "S-1-5-32-544", "Administrators"),
    ("BU", "S-1-5-32-545", "Users"),
    ("BG", "S-1-5-32-546", "Guests"),
    ("PU", "S-1-5-32-547", "Power Users"),
    ("SO", "S-1-5-32-549", "Server Operators"),
    ("BO", "S-1-5-32-551", "Backup Operators"),
    ("AC", "S-1-15-2-1", "ALL APPLICATION PACKAGES"),
];

/// The service that updates Windows: what belongs to Windows itself belongs to it.
const TRUSTED_INSTALLER: &str = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";

/// Whoever runs Wine, whose files are all said to be that account's (`server/token.c` there): no Windows gives a number of
/// this kind to anybody, and nobody can become one.
const USER_OF_WINE: &str = "S-1-5-21-0-0-0-1000";

/// Those who have all rights on a machine anyway.
const ALMIGHTY: [&str; 4] = ["S-1-5-18", "S-1-5-32-544", TRUSTED_INSTALLER, USER_OF_WINE];

/// Those that stand for whoever owns or makes something, which is said of its owner.
const OWNERS: [&str; 3] = ["S-1-3-0", "S-1-3-1", "S-1-3-4"];

impl Sid {
    /// By its number, or by the letters for it.
    pub fn new(word: &str) -> Self {
        let number = KNOWN.iter().find(|(letters, ..)| *letters == word).map_or(word, |(_, number, _)| number);
        Self(number.to_owned())
    }

    /// Its number; letters of those that have another number on every machine.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its name in English, if every Windows has it.
    pub fn name(&self) -> Option<&'static str> {
        let known = KNOWN.iter().find(|(_, number, _)| *number == self.0).map(|(.., name)| *name);
        known.or_else(|| (self.0 == TRUSTED_INSTALLER).then_some("TrustedInstaller"))
    }

    /// Whether it has all rights on the machine anyway: SYSTEM, Administrators or TrustedInstaller.
    pub fn is_almighty(&self) -> bool {
        ALMIGHTY.contains(&self.as_str())
    }

    /// Whether it stands for whoever owns something.
    pub fn is_the_owner(&self) -> bool {
        OWNERS.contains(&self.as_str())
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name().unwrap_or(&self.0))
    }
}

/// Rights, as the bits of an access mask ("File Access Rights Constants" of the Windows API).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights(pub u32);

impl Rights {
    /// To write a file, or to add one to a directory.
    pub const WRITE_DATA: Self = Self(0x2);
    /// To add to a file, or a directory to a directory.
    pub const APPEND_DATA: Self = Self(0x4);
    /// To delete what is in a directory, whosever it is.
    pub const DELETE_CHILD: Self = Self(0x40);
    /// To delete or rename it.
    pub const DELETE: Self = Self(0x1_0000);
    /// To change who may do what.
    pub const WRITE_DAC: Self = Self(0x4_0000);
    /// To become its owner.
    pub const WRITE_OWNER: Self = Self(0x8_0000);
    /// Everything.
    pub const GENERIC_ALL: Self = Self(0x1000_0000);
    /// What writing takes.
    pub const GENERIC_WRITE: Self = Self(0x4000_0000);
    /// What a word says that nobody here knows.
    const UNKNOWN: Self = Self(u32::MAX);

    /// These and `other`.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any of `other` is among them.
    pub const fn have_any_of(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// A number, or words of two letters.
    fn read(text: &str) -> Self {
        let number = text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u32::from_str_radix(hex, 16).ok());
        if let Some(bits) = number {
            return Self(bits);
        }
        let words = text.as_bytes().chunks(2);
        words.fold(Self(0), |rights, word| rights.and(Self::word(word)))
    }

    fn word(word: &[u8]) -> Self {
        Self(match word {
            b"CC" => 0x1,
            b"DC" => 0x2,
            b"LC" => 0x4,
            b"SW" => 0x8,
            b"RP" => 0x10,
            b"WP" => 0x20,
            b"DT" => 0x40,
            b"LO" => 0x80,
            b"CR" => 0x100,
            b"SD" => Self::DELETE.0,
            b"RC" => 0x2_0000,
            b"WD" => Self::WRITE_DAC.0,
            b"WO" => Self::WRITE_OWNER.0,
            b"GA" => Self::GENERIC_ALL.0,
            b"GX" => 0x2000_0000,
            b"GW" => Self::GENERIC_WRITE.0,
            b"GR" => 0x8000_0000,
            b"FA" => 0x1f_01ff,
            b"FR" => 0x12_0089,
            b"FW" => 0x12_0116,
            b"FX" => 0x12_00a0,
            _ => Self::UNKNOWN.0,
        })
    }
}

/// What somebody is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// To whom.
    pub to: Sid,
    /// What.
    pub rights: Rights,
    /// Whether that holds of the thing itself, and not only of what will be made in it.
    pub here: bool,
}

/// Who owns a file or directory, and who may do what with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Its owner, who may change the list at any time.
    pub owner: Sid,
    /// What its list allows; without a list everybody may do everything. What a list forbids is left out: who is judged
    /// by this is judged by the most that they may do.
    pub grants: Option<Vec<Grant>>,
}

impl Access {
    /// What a security descriptor with an owner says, such as `O:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)`.
    pub fn parse(descriptor: &str) -> Option<Self> {
        let (owner, rest) = sid_of(descriptor.strip_prefix("O:")?);
        let owner = Sid::new(owner);
        let rest = rest.strip_prefix("G:").map_or(rest, |rest| sid_of(rest).1);
        let Some(list) = rest.strip_prefix("D:") else { return Some(Self { owner, grants: None }) };
        let flags = list.split('(').next().unwrap_or_default();
        if flags.contains("NO_ACCESS_CONTROL") {
            return Some(Self { owner, grants: None });
        }
        Some(Self { owner, grants: Some(entries(&list[flags.len()..]).filter_map(grant).collect()) })
    }

    /// Everybody but the almighty who may do any of `rights`, the owner left out; each once.
    pub fn others(&self, rights: Rights) -> Vec<Sid> {
        let Some(grants) = &self.grants else { return vec![Sid::new("WD")] };
        let mut others: Vec<Sid> = Vec::new();
        for Grant { to, rights: theirs, here } in grants {
            let counts = *here && theirs.have_any_of(rights) && !to.is_almighty() && !to.is_the_owner();
            if counts && *to != self.owner && !others.contains(to) {
                others.push(to.clone());
            }
        }
        others
    }
}

/// The account that a text begins with, and what is behind it.
fn sid_of(text: &str) -> (&str, &str) {
    let length = match text.strip_prefix("S-1-") {
        Some(number) => 4 + number.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'-').count(),
        None => text.len().min(2),
    };
    if text.is_char_boundary(length) { text.split_at(length) } else { (text, "") }
}

/// What stands in the parentheses of a list, of which an entry with a condition has some of its own; the list ends where
/// the next part of a descriptor begins.
fn entries(mut list: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let inside = list.strip_prefix('(')?;
        let (mut depth, mut quoted) = (1, false);
        let end = inside.bytes().position(|byte| {
            quoted ^= byte == b'"';
            depth += match byte {
                b'(' if !quoted => 1,
                b')' if !quoted => -1,
                _ => 0,
            };
            depth == 0
        });
        let end = end?;
        list = &inside[end + 1..];
        Some(&inside[..end])
    })
}

/// What an entry allows, such as `A;OICI;FA;;;SY`; one with a condition counts as if that were met.
fn grant(entry: &str) -> Option<Grant> {
    let mut fields = entry.split(';');
    let mut next = || fields.next();
    let (kind, flags, rights) = (next()?, next()?, next()?);
    let to = fields.nth(2)?;
    let allows = matches!(kind, "A" | "XA" | "OA" | "ZA");
    let here = !flags.as_bytes().chunks(2).any(|flag| flag == b"IO");
    allows.then(|| Grant { to: Sid::new(to), rights: Rights::read(rights), here })
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOE: &str = "S-1-5-21-1-2-3-1001";

    fn parsed(descriptor: &str) -> Access {
        Access::parse(descriptor).expect("a descriptor")
    }

    fn writers(descriptor: &str) -> Vec<String> {
        parsed(descriptor).others(Rights::WRITE_DATA).iter().map(Sid::to_string).collect()
    }

    #[test]
    fn the_owner_is_read_whatever_follows() {
        for (descriptor, owner) in [
            ("O:SYG:SYD:P(A;OICI;FA;;;SY)", "SYSTEM"),
            ("O:BAD:", "Administrators"),
            (&format!("O:{TRUSTED_INSTALLER}G:{TRUSTED_INSTALLER}D:PAI(A;;FA;;;BA)"), "TrustedInstaller"),
            (&format!("O:{JOE}D:(A;;FA;;;SY)"), JOE),
            (&format!("O:{JOE}"), JOE),
            ("O:LAG:DUD:", "LA"),
        ] {
            assert_eq!(parsed(descriptor).owner.to_string(), owner, "{descriptor}");
        }
        assert_eq!(Access::parse("D:(A;;FA;;;SY)"), None);
        assert_eq!(Access::parse(""), None);
    }

    #[test]
    fn those_who_may_write_are_named() {
        let of_programs = "O:SYG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)(A;OICIIO;GA;;;CO)";
        assert_eq!(writers(of_programs), [""; 0]);
        // As `C:\ProgramData` hands it down to what an administrator makes there.
        let handed_down =
            "O:BAG:DUD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;0x1200a9;;;BU)(A;CIID;DCLCRPCR;;;BU)";
        assert_eq!(writers(handed_down), ["Users"]);
        assert_eq!(writers(&format!("O:BAD:(A;;FA;;;{JOE})(A;;FW;;;WD)(A;;GA;;;{JOE})")), [JOE, "Everyone"]);
        assert_eq!(writers("O:BAD:(A;;0x1301bf;;;AU)(A;;GR;;;BG)"), ["Authenticated Users"]);
        // Its owner is told of as such.
        assert_eq!(writers(&format!("O:{JOE}D:(A;;FA;;;{JOE})(A;;FA;;;OW)(A;;FA;;;CO)")), [""; 0]);
        // Only for what will be made there, or forbidden.
        assert_eq!(writers("O:BAD:(A;OICIIO;FA;;;AU)(D;;FA;;;WD)"), [""; 0]);
    }

    #[test]
    fn without_a_list_everybody_may_do_everything() {
        for descriptor in ["O:BA", "O:BAG:BA", "O:BAD:NO_ACCESS_CONTROL", "O:BAD:PNO_ACCESS_CONTROL"] {
            assert_eq!(writers(descriptor), ["Everyone"], "{descriptor}");
        }
        // An empty list lets nobody in.
        assert_eq!(writers("O:BAD:"), [""; 0]);
    }

    #[test]
    fn what_is_not_understood_counts_as_a_right() {
        assert_eq!(writers("O:BAD:(A;;QQ;;;BU)"), ["Users"]);
        let with_condition = r#"O:BAD:(XA;;FW;;;BU;(@User.Title=="a)" && (Member_of {SID(BA)})))(A;;FW;;;WD)"#;
        assert_eq!(writers(with_condition), ["Users", "Everyone"]);
        let of_an_object = "O:BAD:(OA;;FW;ab;;AU)S:AI(AU;SAFA;FA;;;WD)";
        assert_eq!(writers(of_an_object), ["Authenticated Users"]);
    }

    #[test]
    fn a_descriptor_that_ends_too_soon_does_no_harm() {
        let whole = format!("O:{JOE}G:BAD:PAI(A;OICI;FA;;;SY)(A;;0x1200a9;;;{JOE})S:(ML;;NW;;;HI)");
        for end in 0..=whole.len() {
            Access::parse(&whole[..end]);
        }
        assert_eq!(sid_of("é:"), ("é", ":"));
    }
}
