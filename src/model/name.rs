//! Names with rules of their own: of a service, an environment variable, a unit, an account.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Gives a checked string type its `Display`, its `as_str` and its serde form.
macro_rules! string_type {
    ($name:ident) => {
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    };
}

/// The name of a service: `A-Z a-z 0-9 _ . -`, beginning with a letter or digit, at most
/// [`ServiceName::MAX`] characters. Between two such parts there may be one `@`, as in `tunnel@home`; with nothing
/// behind it, it is that of a template.
///
/// It is the part of the names of both service managers that is safe in a file name, in a command
/// and in a batch: systemd allows `A-Za-z0-9:-_.\@` and 255 characters with the suffix
/// (systemd.unit(5)), where what stands behind `@` is the instance of a template: a unit file of the
/// whole name comes before the template. NSSM 2.24 builds registry paths in a buffer that fails from
/// 202 characters on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServiceName(String);

string_type!(ServiceName);

impl ServiceName {
    /// Longest name, in characters.
    pub const MAX: usize = 200;

    /// The name that comes nearest to what may be none, if there is one.
    pub fn near(text: &str) -> Option<Self> {
        let allowed = Self::allowed(text);
        let near: String = text.chars().map(|c| if allowed(c) { c } else { '_' }).collect();
        near.trim_start_matches(['_', '.', '-']).parse().ok()
    }

    /// What may stand in it: one `@` makes it a template or an instance.
    fn allowed(text: &str) -> impl Fn(char) -> bool + use<> {
        let is_instance = text.matches('@').count() == 1;
        move |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') || c == '@' && is_instance
    }

    /// The unit that this service is for systemd.
    pub fn unit(&self) -> String {
        format!("{}.service", self.0)
    }

    /// Whether it is a template, of which only instances run (systemd.unit(5)).
    pub fn is_template(&self) -> bool {
        self.0.ends_with('@')
    }

    /// The template that it is an instance of, if there is one.
    pub fn template(&self) -> Option<Self> {
        let (prefix, instance) = self.0.split_once('@')?;
        (!instance.is_empty()).then(|| Self(format!("{prefix}@")))
    }

    /// What the units of it that are loaded are called: of a template those of its instances, as a pattern (systemctl(1),
    /// "Parameter Syntax").
    pub fn loaded_units(&self) -> String {
        if self.is_template() { format!("{}*.service", self.0) } else { self.unit() }
    }

    /// The unit that starts it at the times of its schedule.
    pub fn timer(&self) -> String {
        format!("{}.timer", self.0)
    }
}

impl FromStr for ServiceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = Self::allowed(text);
        let rule = "a service name must consist of letters, digits, `_`, `.` and `-`";
        if text.is_empty() {
            return Err("a service name must not be empty".into());
        }
        if let Some(c) = text.chars().find(|c| !allowed(*c)) {
            let hint = Self::near(text).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(format!("contains `{}`; {rule}{hint}", c.escape_debug()));
        }
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(format!("it begins with `{}`; a service name must begin with a letter or a digit", &text[..1]));
        }
        if text.len() > Self::MAX {
            return Err(format!("it has {} characters; a service name must have at most {}", text.len(), Self::MAX));
        }
        if let Some(stem) = text.strip_suffix(".service") {
            return Err(format!("the service manager adds `.service` by itself; did you mean `{stem}`?"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// The name of an environment variable: not empty, no `=`, no NUL, no line break.
///
/// What the kernel can carry is more than what a shell or systemd can name; see
/// [`EnvName::is_identifier`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EnvName(String);

string_type!(EnvName);

impl EnvName {
    /// Whether the name is `[A-Za-z_][A-Za-z0-9_]*`, the form that systemd accepts in
    /// `Environment=` and in an environment file (systemd.exec(5)).
    pub fn is_identifier(&self) -> bool {
        is_identifier(&self.0)
    }
}

impl FromStr for EnvName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("the name of an environment variable must not be empty".into());
        }
        match text.chars().find(|c| *c == '=' || c.is_control()) {
            Some(c) => {
                Err(format!("contains `{}`, which the name of an environment variable must not", c.escape_debug()))
            }
            None => Ok(Self(text.to_owned())),
        }
    }
}

/// Whether `text` is `[A-Za-z_][A-Za-z0-9_]*`.
pub fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A systemd unit that a service can be ordered after, with its suffix (systemd.unit(5)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitName(String);

string_type!(UnitName);

impl FromStr for UnitName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const SUFFIXES: [&str; 11] =
            ["service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer", "slice", "scope"];
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.' | '\\' | '@');
        if let Some(c) = text.chars().find(|c| !allowed(*c)) {
            return Err(format!("contains `{}`, which the name of a systemd unit must not", c.escape_debug()));
        }
        match text.rsplit_once('.') {
            Some((stem, suffix)) if !stem.is_empty() && SUFFIXES.contains(&suffix) && text.len() < 256 => {
                Ok(Self(text.to_owned()))
            }
            _ if text.is_empty() || text.len() > 247 => {
                Err("the name of a systemd unit must have 1 to 255 characters".into())
            }
            _ => Ok(Self(format!("{text}.service"))),
        }
    }
}

/// A service of Windows that another one can depend on, by its key name. Windows allows every character but slashes
/// (`CreateServiceW`); a list of them in an argv of NSSM is separated by blanks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WindowsServiceName(String);

string_type!(WindowsServiceName);

impl FromStr for WindowsServiceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.strip_suffix(".service").unwrap_or(text);
        if name.is_empty() || name.chars().count() > 256 {
            return Err("the name of a service of Windows must have 1 to 256 characters".into());
        }
        match name.chars().find(|c| matches!(c, '/' | '\\') || c.is_whitespace() || c.is_control()) {
            Some(c) => Err(format!("contains `{}`, which the name of a service of Windows must not", c.escape_debug())),
            None => Ok(Self(name.to_owned())),
        }
    }
}

/// Text of one line: no control characters, no line separators (descriptions and display names).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OneLine(String);

string_type!(OneLine);

impl FromStr for OneLine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.chars().find(|c| c.is_control() || is_noncharacter(*c)) {
            Some(c) => Err(format!("contains `{}`; must be one line of plain text", c.escape_unicode())),
            None => Ok(Self(text.trim().to_owned())),
        }
    }
}

/// Whether Unicode sets `c` aside for ever (U+FDD0..U+FDEF and the last two of each plane).
///
/// systemd 252 calls text with such a character not UTF-8 (`unichar_is_valid` in its
/// `src/basic/utf8.c`): a unit that holds one does not load, and where one is smuggled in as an
/// escape `systemctl status` of that unit fails.
pub fn is_noncharacter(c: char) -> bool {
    let code = c as u32;
    (0xFDD0..=0xFDEF).contains(&code) || code & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_names_are_safe_everywhere_or_refused_with_a_reason() {
        for good in ["a", "web", "omsi-up.1", "FidUPPER", "fid-n.a_b", "tunnel@home-1", "tunnel@", &"n".repeat(200)] {
            assert_eq!(good.parse::<ServiceName>().unwrap().as_str(), good);
        }
        for (bad, reason) in [
            ("", "empty"),
            ("my svc", "did you mean `my_svc`?"),
            ("a@b@c", "did you mean `a_b_c`?"),
            ("@", "begins with"),
            ("@b", "begins with"),
            ("a@b c", "` `"),
            ("a@b.service", "did you mean `a@b`?"),
            ("-x", "begins with"),
            (".x", "begins with"),
            ("a/../b", "`/`"),
            ("a\nb", "`\\n`"),
            ("web.service", "did you mean `web`?"),
            ("é", "`é`"),
            (&"n".repeat(201), "201 characters"),
        ] {
            let said = bad.parse::<ServiceName>().unwrap_err();
            assert!(said.contains(reason), "{bad}: {said}");
        }
    }

    #[test]
    fn a_template_is_told_from_its_instances() {
        let name = |text: &str| text.parse::<ServiceName>().unwrap();
        assert_eq!(
            (name("a@").is_template(), name("a@b").is_template(), name("a").is_template()),
            (true, false, false)
        );
        assert_eq!(
            (name("a@").template(), name("a@b").template(), name("a").template()),
            (None, Some(name("a@")), None)
        );
        assert_eq!([name("a@").loaded_units(), name("a@b").loaded_units()], ["a@*.service", "a@b.service"]);
    }

    #[test]
    fn a_unit_without_a_suffix_is_a_service() {
        assert_eq!("postgresql".parse::<UnitName>().unwrap().as_str(), "postgresql.service");
        assert_eq!("remote-fs.target".parse::<UnitName>().unwrap().as_str(), "remote-fs.target");
        assert_eq!("foo.1".parse::<UnitName>().unwrap().as_str(), "foo.1.service");
        assert!("a b".parse::<UnitName>().is_err());
        assert!("".parse::<UnitName>().is_err());
    }

    #[test]
    fn noncharacters_are_told_from_their_neighbours() {
        for c in ['\u{FDD0}', '\u{FDEF}', '\u{FFFE}', '\u{FFFF}', '\u{1FFFE}', '\u{10FFFF}'] {
            assert!(is_noncharacter(c));
        }
        for c in ['\u{FDCF}', '\u{FDF0}', '\u{FFFD}', '\u{10000}', 'a'] {
            assert!(!is_noncharacter(c));
        }
    }
}
