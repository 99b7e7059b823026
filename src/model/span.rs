//! [`Span`]: a length of time as systemd writes it.

use std::fmt;
use std::str::FromStr;

/// A length of time, to the microsecond: what systemd counts in (systemd.time(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    micros: u64,
}

/// The units with their microseconds (systemd.time(7), "Parsing Time Spans").
const UNITS: &[(&[&str], u64)] = &[
    (&["us", "usec", "µs", "μs"], 1),
    (&["ms", "msec"], 1_000),
    (&["s", "sec", "second", "seconds"], SECOND),
    (&["m", "min", "minute", "minutes"], 60 * SECOND),
    (&["h", "hr", "hour", "hours"], 3_600 * SECOND),
    (&["d", "day", "days"], 86_400 * SECOND),
    (&["w", "week", "weeks"], 7 * 86_400 * SECOND),
    (&["M", "month", "months"], 2_629_800 * SECOND),
    (&["y", "year", "years"], 31_557_600 * SECOND),
];

const SECOND: u64 = 1_000_000;

/// What a span is, for whoever wrote none.
const RULE: &str = "must be a time such as `90`, `500ms` or `1min 30s`";

impl Span {
    /// What one looks like, for those that only check the form of a text.
    pub const PATTERN: &str = "^\\s*([0-9]*\\.?[0-9]+\\s*(us|usec|µs|μs|ms|msec|s|sec|seconds?|m|min|minutes?|h|hr|hours?|d|days?|w|weeks?|M|months?|y|years?)?\\s*)+$";

    /// So many seconds.
    pub const fn seconds(seconds: u32) -> Self {
        Self { micros: seconds as u64 * SECOND }
    }

    /// Its milliseconds, which is what Windows counts in: what is less than one counts as one.
    pub fn millis(self) -> u64 {
        self.micros.div_ceil(1_000)
    }

    /// The same, for the standard library.
    pub fn as_duration(self) -> std::time::Duration {
        std::time::Duration::from_micros(self.micros)
    }
}

/// As systemd reads it: numbers with units one after the other, of which seconds are the usual.
impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || RULE.to_owned();
        let mut rest = text.trim();
        let mut micros: u64 = 0;
        if rest.is_empty() {
            return Err(refused());
        }
        while !rest.is_empty() {
            let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
            let (number, behind) = rest.split_at(number);
            rest = behind.trim_start();
            let unit = rest.len() - rest.trim_start_matches(char::is_alphabetic).len();
            let (unit, behind) = rest.split_at(unit);
            rest = behind.trim_start();
            let factor = match UNITS.iter().find(|(names, _)| names.contains(&unit)) {
                Some((_, factor)) => *factor,
                None if unit.is_empty() => SECOND,
                None => return Err(refused()),
            };
            let part = in_micros(number, factor).ok_or_else(refused)?;
            micros = micros.checked_add(part).ok_or_else(refused)?;
        }
        Ok(Self { micros })
    }
}

/// A decimal number of units; what is less than a microsecond is left out.
fn in_micros(number: &str, factor: u64) -> Option<u64> {
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    if part.is_empty() || part.contains('.') || number.is_empty() {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let mut micros = whole.checked_mul(factor)?;
    let mut worth = factor;
    for digit in part.chars() {
        worth /= 10;
        micros = micros.checked_add(worth.checked_mul(u64::from(digit.to_digit(10)?))?)?;
    }
    Some(micros)
}

/// In the largest unit that says it with one number; seconds go without one.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.micros {
            micros if micros % SECOND == 0 => write!(f, "{}", micros / SECOND),
            micros if micros % 1_000 == 0 => write!(f, "{}ms", micros / 1_000),
            micros => write!(f, "{micros}us"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_read_as_systemd_reads_it() {
        for (text, written) in [
            ("0", "0"),
            ("90", "90"),
            ("500ms", "500ms"),
            ("5s", "5"),
            ("1min 30s", "90"),
            ("1min30", "90"),
            (" 2 h ", "7200"),
            ("1.5s", "1500ms"),
            (".25", "250ms"),
            ("1h 30.5min 20", "5450"),
            ("3us", "3us"),
            ("1M", "2629800"),
        ] {
            assert_eq!(text.parse::<Span>().map(|span| span.to_string()), Ok(written.to_owned()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            " ",
            "-1",
            "5 fortnights",
            "s",
            "1..5",
            "1.",
            "1.s",
            ".",
            "infinity",
            "1e3",
            "99999999999999999999",
            "1,5",
        ] {
            assert_eq!(text.parse::<Span>(), Err(RULE.to_owned()), "{text}");
        }
    }

    #[test]
    fn windows_waits_no_shorter() {
        assert_eq!("1us".parse::<Span>().map(Span::millis), Ok(1));
        assert_eq!(Span::seconds(30).millis(), 30_000);
    }
}
