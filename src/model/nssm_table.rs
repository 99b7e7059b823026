//! The `nssm` table of a manifest: which further parameters NSSM has, and what each of them takes.
//!
//! Read from NSSM 2.24 and 2.24-101 (`settings.cpp`, `registry.h`). What has a key of its own in a manifest is not among
//! them: two places for one thing could differ.

mod about;

use std::fmt;

use super::nearest::nearest;
use super::nssm_release::Release;
use super::parameter::Parameter;
use super::platform::Platform;
use super::refused::Refused;

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A number of 32 bits, in decimal: NSSM itself would read `010` as 8.
    Number,
    /// One of these words.
    Word(&'static [&'static str]),
    /// `All`, or processors such as `0-2,4`.
    Processors,
    /// An absolute path.
    Path,
    /// Names, one a line.
    Names,
    /// A command line, with variables such as `%TEMP%` replaced.
    CommandLine,
    /// Variables such as `NAME=value`, one a line, with those that others name in `%` replaced.
    Variables,
}

/// What NSSM does when the program ends.
const ON_EXIT: Takes = Takes::Word(&["Restart", "Ignore", "Exit", "Suicide"]);

/// The parameter that has one value for each exit code: `AppExit.3`, `AppExit.Default`.
const APP_EXIT: &str = "AppExit";

/// The parameters that a manifest may set, and what they take.
pub const PARAMETERS: [(&str, Takes); 33] = [
    ("AppAffinity", Takes::Processors),
    ("AppDirectory", Takes::Path),
    ("AppEnvironment", Takes::Variables),
    ("AppEnvironmentExtra", Takes::Variables),
    ("AppNoConsole", Takes::Number),
    ("AppParameters", Takes::CommandLine),
    (
        "AppPriority",
        Takes::Word(&[
            "REALTIME_PRIORITY_CLASS",
            "HIGH_PRIORITY_CLASS",
            "ABOVE_NORMAL_PRIORITY_CLASS",
            "NORMAL_PRIORITY_CLASS",
            "BELOW_NORMAL_PRIORITY_CLASS",
            "IDLE_PRIORITY_CLASS",
        ]),
    ),
    ("AppRotateBytes", Takes::Number),
    ("AppRotateBytesHigh", Takes::Number),
    ("AppRotateFiles", Takes::Number),
    ("AppRotateOnline", Takes::Number),
    ("AppRotateSeconds", Takes::Number),
    ("AppStderr", Takes::Path),
    ("AppStderrCreationDisposition", Takes::Number),
    ("AppStderrFlagsAndAttributes", Takes::Number),
    ("AppStderrShareMode", Takes::Number),
    ("AppStdin", Takes::Path),
    ("AppStdinCreationDisposition", Takes::Number),
    ("AppStdinFlagsAndAttributes", Takes::Number),
    ("AppStdinShareMode", Takes::Number),
    ("AppStdout", Takes::Path),
    ("AppStdoutCreationDisposition", Takes::Number),
    ("AppStdoutFlagsAndAttributes", Takes::Number),
    ("AppStdoutShareMode", Takes::Number),
    ("AppStopMethodConsole", Takes::Number),
    ("AppStopMethodSkip", Takes::Number),
    ("AppStopMethodThreads", Takes::Number),
    ("AppStopMethodWindow", Takes::Number),
    ("AppThrottle", Takes::Number),
    ("DependOnGroup", Takes::Names),
    ("DependOnService", Takes::Names),
    (
        "Start",
        Takes::Word(&["SERVICE_AUTO_START", "SERVICE_DELAYED_AUTO_START", "SERVICE_DEMAND_START", "SERVICE_DISABLED"]),
    ),
    ("Type", Takes::Word(&["SERVICE_WIN32_OWN_PROCESS", "SERVICE_INTERACTIVE_PROCESS"])),
];

/// Parameters that have a key of their own in a manifest, and that key.
const OTHERWISE: [(&str, &str); 7] = [
    ("AppRestartDelay", "restart_sec"),
    ("Application", "executable"),
    ("Description", "description"),
    ("DisplayName", "display_name"),
    ("ImagePath", "executable"),
    ("Name", "name"),
    ("ObjectName", "account"),
];

/// Parameters that came after NSSM 2.24, which itself neither sets nor resets them, and goes by none of them: 2.24-101
/// has them all.
pub const LATER: [(&str, Takes); 7] = [
    (APP_EVENTS, Takes::CommandLine),
    ("AppKillProcessTree", Takes::Number),
    ("AppRedirectHook", Takes::Number),
    ("AppRotateDelay", Takes::Number),
    ("AppStderrCopyAndTruncate", Takes::Number),
    ("AppStdoutCopyAndTruncate", Takes::Number),
    ("AppTimestampLog", Takes::Number),
];

/// The parameter that has one command for each event: `AppEvents.Start/Pre`.
pub const APP_EVENTS: &str = "AppEvents";

/// The events, each with what is before or behind it.
pub const EVENTS: [&str; 8] =
    ["Exit/Post", "Power/Change", "Power/Resume", "Rotate/Post", "Rotate/Pre", "Start/Post", "Start/Pre", "Stop/Pre"];

/// The release that brought the parameter of this name.
pub fn since(name: &str) -> Release {
    if is_later(name) { Release::V2_24_101 } else { Release::V2_24 }
}

/// Whether a parameter came after NSSM 2.24.
pub fn is_later(name: &str) -> bool {
    LATER.iter().any(|(known, _)| *known == name)
}

/// What every service of Windows has. Of these nothing is reset that nobody asks for: the account because no one could
/// bring its password back, and what is left because an install sets it in any case.
const NATIVE: [&str; 5] = ["Description", "DisplayName", "ImagePath", "ObjectName", "Start"];

/// The parameters that are reset where they are stored and nobody asks for them, but for `AppExit`.
pub fn resettable() -> impl Iterator<Item = &'static str> {
    PARAMETERS.iter().map(|(name, _)| *name).chain(["AppRestartDelay"]).filter(|name| !NATIVE.contains(name))
}

/// Whether a parameter that is stored goes where nobody asks for it. What NSSM does not know is none of its parameters.
pub fn goes_unasked(name: &str) -> bool {
    name == APP_EXIT || is_later(name) || resettable().any(|known| known == name)
}

/// Whether NSSM keeps a number for the parameter.
pub fn is_number_of_nssm(name: &str) -> bool {
    let is_it = |(known, takes): &(&str, Takes)| *known == name && *takes == Takes::Number;
    ["AppPriority", "AppRestartDelay"].contains(&name) || PARAMETERS.iter().chain(&LATER).any(is_it)
}

/// Whether `nssm.exe` itself resets the parameter: it knows codes of `AppExit`, and nothing that came after it.
pub fn is_reset_by_nssm(name: &str, sub: Option<&str>) -> bool {
    !is_later(name) && sub.is_none_or(|sub| sub == "Default" || sub.parse::<u32>().is_ok())
}

/// The processors that a value of `AppAffinity` means; nothing where it is none.
pub fn processors(text: &str) -> Option<Vec<u8>> {
    let mut found = Vec::new();
    for range in text.split(',').filter(|_| text != "All") {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        found.extend(first.trim().parse().ok()?..=last.trim().parse::<u8>().ok()?);
    }
    found.sort_unstable();
    found.dedup();
    Some(found)
}

/// The parameter of this key with these values, one a line; a subparameter stands behind a dot of the key.
///
/// # Errors
/// Where there is no such parameter, a manifest says it elsewhere, or NSSM would refuse a value or read it as something
/// else.
pub fn parameter(key: &str, values: &[String]) -> Result<Parameter, Refused> {
    takes(key)?.check(values)?;
    let (name, sub) = key.split_once('.').map_or((key, None), |(name, sub)| (name, Some(sub.to_owned())));
    let values = values.iter().map(|value| value.as_str().into()).collect();
    Ok(Parameter { sub, ..Parameter::lines(name, values) })
}

/// What the parameter of this key takes.
fn takes(key: &str) -> Result<Takes, Refused> {
    let (name, sub) = key.split_once('.').map_or((key, None), |(name, sub)| (name, Some(sub)));
    if name == APP_EXIT {
        return match sub {
            Some("Default") => Ok(ON_EXIT),
            Some(code) if is_number(code) => Ok(ON_EXIT),
            _ => Err(Refused::new("it is set for one exit code, or for all others")
                .help("write `\"AppExit.3\" = \"Exit\"` or `\"AppExit.Default\" = \"Restart\"`")
                .typed("write `--property AppExit.3=Exit` or `--property AppExit.Default=Restart`")),
        };
    }
    if let Some((_, other)) = OTHERWISE.iter().find(|(known, _)| *known == name) {
        return Err(Refused::own_word(other));
    }
    if name == APP_EVENTS {
        return match sub {
            Some(event) if EVENTS.contains(&event) => Ok(Takes::CommandLine),
            _ => Err(Refused::new("it is set for one event")
                .help(format!("write `\"AppEvents.EVENT\" = \"...\"`, with one of `{}`", EVENTS.join("`, `")))),
        };
    }
    match PARAMETERS.iter().chain(&LATER).find(|(known, _)| *known == name) {
        Some((_, takes)) if sub.is_none() => Ok(*takes),
        Some(_) => Err(Refused::new("only `AppExit` and `AppEvents` have anything behind a dot")),
        None => {
            let refused = Refused::new("NSSM has no such parameter");
            let known = PARAMETERS.iter().map(|(known, _)| *known).chain(["AppExit.Default", "AppEvents.Start/Pre"]);
            Err(match nearest(name, known) {
                Some(near) => refused.help(format!("did you mean `{near}`?")),
                None => refused
                    .help(format!("there are `{}` and `AppExit.CODE`", PARAMETERS.map(|(name, _)| name).join("`, `"))),
            })
        }
    }
}

/// The parameters of a service, each with what it takes and what it does in a line: all that a manifest may set.
pub fn parameters() -> impl Iterator<Item = (&'static str, Takes, &'static str)> {
    let known = PARAMETERS.into_iter().chain(LATER).chain([("AppExit.CODE", ON_EXIT), ("AppExit.Default", ON_EXIT)]);
    let known = known.map(|(name, takes)| if name == APP_EVENTS { ("AppEvents.EVENT", takes) } else { (name, takes) });
    known.map(|(name, takes)| (name, takes, about::about(name)))
}

/// What has a key of its own in a manifest, with that key.
pub fn own_keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    OTHERWISE.into_iter()
}

/// What it takes, in words.
impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number => write!(f, "a number from 0 to {}", u32::MAX),
            Self::Word(words) => write!(f, "one of `{}`", words.join("`, `")),
            Self::Processors => f.write_str("`All` or processors such as `0-2,4`"),
            Self::Path => f.write_str(r"an absolute path such as `C:\logs\x.log`"),
            Self::Names => f.write_str("a name, or several"),
            Self::CommandLine => f.write_str("a command line"),
            Self::Variables => f.write_str("a variable such as `NAME=value`, or several"),
        }
    }
}

impl Takes {
    /// Checks the values of one parameter.
    fn check(self, values: &[String]) -> Result<(), Refused> {
        if let Some(c) = values.iter().flat_map(|value| value.chars()).find(|c| c.is_control()) {
            return Err(Refused::new(format!("a value contains {c:?}, which no parameter can have")));
        }
        if self == Self::Names {
            return match values.iter().any(std::string::String::is_empty) {
                true => Err(Refused::new("a name is empty")),
                false => Ok(()),
            };
        }
        if self == Self::Variables {
            let is_named = |value: &String| value.split_once('=').is_some_and(|(name, _)| !name.is_empty());
            return match values.iter().find(|value| !is_named(value)) {
                Some(value) => Err(Refused::new(format!("`{value}` must be such as `NAME=value`"))),
                None => Ok(()),
            };
        }
        let [value] = values else {
            return Err(Refused::new(format!("must have one value, not {}", values.len())));
        };
        match self {
            Self::Number if is_number(value) => Ok(()),
            Self::Processors if value == "All" || are_processors(value) => Ok(()),
            Self::Path if Platform::Windows.is_absolute(&value.as_str().into()) || begins_with_variable(value) => {
                Ok(())
            }
            Self::Number | Self::Processors | Self::Path => Err(Refused::new(format!("`{value}` must be {self}"))),
            Self::Word(words) if words.contains(&value.as_str()) => Ok(()),
            Self::Word(words) => Err(match nearest(value, words.iter().copied()) {
                Some(near) => Refused::new(format!("must be {self}")).help(format!("did you mean `{near}`?")),
                None => Refused::new(format!("must be {self}")),
            }),
            Self::Names | Self::CommandLine | Self::Variables => Ok(()),
        }
    }
}

/// Whether a path begins in a folder that a variable names, such as `%ProgramData%\logs`.
fn begins_with_variable(path: &str) -> bool {
    let behind = path.strip_prefix('%').and_then(|rest| rest.split_once('%'));
    behind.is_some_and(|(name, rest)| !name.is_empty() && (rest.is_empty() || rest.starts_with(['\\', '/'])))
}

/// A number in decimal, without the zeros in front that NSSM takes for octal.
fn is_number(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|number| number.to_string() == text)
}

fn are_processors(text: &str) -> bool {
    let is_processor = |text: &str| is_number(text) && text.len() <= 2;
    text.split(',').all(|range| match range.split_once('-') {
        Some((first, last)) => is_processor(first) && is_processor(last),
        None => is_processor(range),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, values: &[&str]) -> Result<(), String> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        parameter(key, &values).map(drop).map_err(|refused| {
            refused.help.map_or(refused.reason.clone(), |help| format!("{}; {help}", refused.reason))
        })
    }

    #[test]
    fn what_nssm_has_is_taken() {
        for (key, values) in [
            ("AppExit.3", &["Exit"][..]),
            ("AppExit.Default", &["Ignore"]),
            ("AppEvents.Start/Pre", &[r"C:\lab\before.exe now"]),
            ("AppPriority", &["IDLE_PRIORITY_CLASS"]),
            ("AppAffinity", &["0-2,4"]),
            ("AppAffinity", &["All"]),
            ("AppThrottle", &["0"]),
            ("AppStdout", &[r"D:\logs\x.log"]),
            ("DependOnService", &["Tcpip", "Dhcp"]),
            ("Start", &["SERVICE_DELAYED_AUTO_START"]),
            ("AppParameters", &[r#"-x "%TEMP%\a b""#]),
            ("AppStdout", &[r"%ProgramData%\x.log"]),
            ("AppEnvironment", &["A=1", "B="]),
        ] {
            assert_eq!(check(key, values), Ok(()), "{key} {values:?}");
        }
    }

    #[test]
    fn the_rest_is_refused_with_the_reason() {
        for (key, values, said) in [
            (
                "AppExit",
                &["Exit"][..],
                "it is set for one exit code, or for all others; write `\"AppExit.3\" = \"Exit\"` or `\"AppExit.Default\" = \"Restart\"`",
            ),
            ("AppExit.3", &["Stop"], "must be one of `Restart`, `Ignore`, `Exit`, `Suicide`"),
            ("AppPriorty", &["x"], "NSSM has no such parameter; did you mean `AppPriority`?"),
            (
                "AppPriority",
                &["IDLE_PRIORITY"],
                "must be one of `REALTIME_PRIORITY_CLASS`, `HIGH_PRIORITY_CLASS`, `ABOVE_NORMAL_PRIORITY_CLASS`, \
                 `NORMAL_PRIORITY_CLASS`, `BELOW_NORMAL_PRIORITY_CLASS`, `IDLE_PRIORITY_CLASS`; did you mean \
                 `IDLE_PRIORITY_CLASS`?",
            ),
            ("AppRestartDelay", &["1"], "this has a key of its own; write `restart_sec = ...`"),
            ("AppEnvironment", &["A=1", "B"], "`B` must be such as `NAME=value`"),
            ("AppThrottle", &["010"], "`010` must be a number from 0 to 4294967295"),
            ("AppThrottle", &["1", "2"], "must have one value, not 2"),
            ("AppThrottle.1", &["1"], "only `AppExit` and `AppEvents` have anything behind a dot"),
            (
                "AppEvents.Start/Before",
                &["x.exe"],
                "it is set for one event; write `\"AppEvents.EVENT\" = \"...\"`, with one of `Exit/Post`, `Power/Change`, \
                 `Power/Resume`, `Rotate/Post`, `Rotate/Pre`, `Start/Post`, `Start/Pre`, `Stop/Pre`",
            ),
            ("AppStdin", &["x.txt"], "`x.txt` must be an absolute path such as `C:\\logs\\x.log`"),
            ("AppAffinity", &["1-"], "`1-` must be `All` or processors such as `0-2,4`"),
            ("DependOnGroup", &["a\nb"], "a value contains '\\n', which no parameter can have"),
        ] {
            assert_eq!(check(key, values), Err(said.to_owned()), "{key} {values:?}");
        }
    }
}
