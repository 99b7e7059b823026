//! What an argument's value is, and whether a given value is one.

use std::fmt;
use std::str::FromStr;

use super::regex;

/// The kind of an argument. A kind knows which values the program will take, so that a wrong one is
/// refused when the service is installed and not when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ArgKind {
    /// Any text.
    String,
    /// A file or a directory, there or not.
    Path,
    /// A directory that is there.
    ExistingDir,
    /// A file that is there.
    ExistingFile,
    /// A directory that is made when it is missing.
    CreateDir,
    /// An INI file that is there (see [`super::config_file`]), or the name of one the program brings.
    ConfigFile,
    /// A whole number.
    Int,
    /// A whole number, one or more.
    PositiveInt,
    /// A number, zero or more. (OpenMSIStream's callback of this name takes zero.)
    PositiveFloat,
    /// 1, 2, 4, 8 and so on.
    PowerOfTwo,
    /// A regular expression in Python's dialect.
    Regex,
    /// One of the words the argument lists.
    Choice,
    /// A level of Python's `logging`: its name in any case, or a number, zero or more.
    LogLevel,
    /// The name of an object store's bucket.
    BucketName,
    /// No value: given or left out.
    Flag,
    /// A text that nobody may see.
    Secret,
}

impl ArgKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [ArgKind; 16] = [
        ArgKind::String,
        ArgKind::Path,
        ArgKind::ExistingDir,
        ArgKind::ExistingFile,
        ArgKind::CreateDir,
        ArgKind::ConfigFile,
        ArgKind::Int,
        ArgKind::PositiveInt,
        ArgKind::PositiveFloat,
        ArgKind::PowerOfTwo,
        ArgKind::Regex,
        ArgKind::Choice,
        ArgKind::LogLevel,
        ArgKind::BucketName,
        ArgKind::Flag,
        ArgKind::Secret,
    ];

    /// The word for it in a catalog.
    pub fn name(self) -> &'static str {
        match self {
            ArgKind::String => "string",
            ArgKind::Path => "path",
            ArgKind::ExistingDir => "existing_dir",
            ArgKind::ExistingFile => "existing_file",
            ArgKind::CreateDir => "create_dir",
            ArgKind::ConfigFile => "config_file",
            ArgKind::Int => "int",
            ArgKind::PositiveInt => "positive_int",
            ArgKind::PositiveFloat => "positive_float",
            ArgKind::PowerOfTwo => "power_of_two",
            ArgKind::Regex => "regex",
            ArgKind::Choice => "choice",
            ArgKind::LogLevel => "log_level",
            ArgKind::BucketName => "bucket_name",
            ArgKind::Flag => "flag",
            ArgKind::Secret => "secret",
        }
    }

    /// True for the kinds whose value is a place on the host.
    pub fn is_path(self) -> bool {
        use ArgKind::{ConfigFile, CreateDir, ExistingDir, ExistingFile, Path};
        matches!(self, Path | ExistingDir | ExistingFile | CreateDir | ConfigFile)
    }

    /// How a value is called in a usage line, when the argument brings no better word.
    pub fn placeholder(self) -> &'static str {
        match self {
            ArgKind::String | ArgKind::Choice => "TEXT",
            ArgKind::Path => "PATH",
            ArgKind::ExistingDir | ArgKind::CreateDir => "DIR",
            ArgKind::ExistingFile => "FILE",
            ArgKind::ConfigFile => "CONFIG",
            ArgKind::Int | ArgKind::PositiveInt | ArgKind::PowerOfTwo => "N",
            ArgKind::PositiveFloat => "NUMBER",
            ArgKind::Regex => "REGEX",
            ArgKind::LogLevel => "LEVEL",
            ArgKind::BucketName => "BUCKET",
            ArgKind::Flag => "",
            ArgKind::Secret => "SECRET",
        }
    }

    /// Whether `value` is of this kind, as far as the value alone can tell: paths are looked at on
    /// the host, and a choice knows its words ([`super::ArgSpec::check`]).
    ///
    /// # Errors
    /// What is wrong with it and what to write instead, without the argument's name.
    pub fn check(self, value: &str) -> Result<(), String> {
        match self {
            ArgKind::Int => int(value).map(drop),
            ArgKind::PositiveInt => match int(value)? {
                Int { negative: false, digits } if digits != "0" => Ok(()),
                _ => Err(format!("`{value}` is not positive: write 1 or more")),
            },
            ArgKind::PositiveFloat => positive_float(value),
            ArgKind::PowerOfTwo => power_of_two(value),
            ArgKind::Regex => regex::check(value),
            ArgKind::LogLevel => log_level(value),
            ArgKind::BucketName => bucket_name(value),
            ArgKind::Flag => Err("a flag takes no value: give it or leave it out".to_owned()),
            ArgKind::String
            | ArgKind::Path
            | ArgKind::ExistingDir
            | ArgKind::ExistingFile
            | ArgKind::CreateDir
            | ArgKind::ConfigFile
            | ArgKind::Choice
            | ArgKind::Secret => Ok(()),
        }
    }
}

impl fmt::Display for ArgKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ArgKind {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        ArgKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or(())
    }
}

/// A whole number of any size: its sign, and its digits without leading zeros.
struct Int {
    negative: bool,
    digits: String,
}

/// Reads what Python's `int()` reads: blanks around it, one sign, decimal digits with single
/// underscores between them, leading zeros ("Integer literals" and `int` in Python's reference).
fn int(value: &str) -> Result<Int, String> {
    let fault = || format!("`{value}` is not a whole number: write digits only, such as 300");
    let text = value.trim();
    let (negative, unsigned) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let digits = without_underscores(unsigned).ok_or_else(fault)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(fault());
    }
    let digits = match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        significant => significant.to_owned(),
    };
    Ok(Int { negative: negative && digits != "0", digits })
}

/// Reads what Python's `float()` reads; Rust's own grammar is the same but for blanks and
/// underscores. Infinities and NaN are numbers to Python, but no program can use them as a time.
fn positive_float(value: &str) -> Result<(), String> {
    let number = without_underscores(value.trim()).and_then(|text| text.parse::<f64>().ok());
    match number {
        None => Err(format!("`{value}` is not a number: write something like 5 or 0.5")),
        Some(number) if !number.is_finite() => Err(format!("`{value}` is not a finite number")),
        Some(number) if number < 0.0 => Err(format!("`{value}` is negative: write 0 or more")),
        Some(_) => Ok(()),
    }
}

/// The text without its underscores, if each stands between two digits, as Python wants them.
fn without_underscores(text: &str) -> Option<String> {
    let digit = |b: Option<&u8>| b.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let sane = (0..bytes.len())
        .filter(|&at| bytes[at] == b'_')
        .all(|at| at > 0 && digit(bytes.get(at - 1)) && digit(bytes.get(at + 1)));
    sane.then(|| text.replace('_', ""))
}

fn power_of_two(value: &str) -> Result<(), String> {
    let Int { negative, digits } = int(value)?;
    let number = digits.parse::<u128>().ok().filter(|&n| n > 0 && !negative);
    match number {
        Some(number) if number.is_power_of_two() => Ok(()),
        Some(number) => {
            let above = number.checked_next_power_of_two();
            let below = 1_u128 << number.ilog2();
            Err(match above {
                Some(above) => format!("`{number}` is not a power of two: write {below} or {above}"),
                None => format!("`{number}` is not a power of two: write {below}"),
            })
        }
        None => Err(format!("`{value}` is not a power of two: write 1, 2, 4, 8 and so on")),
    }
}

fn log_level(value: &str) -> Result<(), String> {
    const NAMES: [&str; 6] = ["notset", "debug", "info", "warning", "error", "critical"];
    if NAMES.iter().any(|name| value.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    match int(value) {
        Ok(Int { negative: false, .. }) => Ok(()),
        Ok(_) => Err(format!("`{value}` is negative: a log level is 0 or more")),
        Err(_) => {
            Err(format!("`{value}` is not a log level: write one of {}, or a number such as 20", NAMES.join(", ")))
        }
    }
}

/// The characters OpenMSIStream refuses in a bucket's name (its `detect_bucket_name`). What an
/// object store itself allows is narrower, and differs between stores.
fn bucket_name(value: &str) -> Result<(), String> {
    const ILLEGAL: &str = "#%&{}\\/<>*? $!'\":@+`|=";
    match value.chars().find(|&c| ILLEGAL.contains(c) || c.is_control()) {
        Some(c) => {
            Err(format!("`{value}` contains {c:?}, which no bucket name can: write letters, digits, `-` and `.`"))
        }
        None if value.is_empty() => Err("the name of a bucket is missing".to_owned()),
        None => Ok(()),
    }
}
