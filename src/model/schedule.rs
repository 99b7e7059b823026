//! [`Schedule`]: when a job is run.

use std::fmt;
use std::str::FromStr;

use super::calendar::Calendar;
use super::span::Span;

/// When a job is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// At these times.
    Calendar(Calendar),
    /// So long after its timer was started, and then so long after each start of the job.
    Every(Span),
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calendar(calendar) => calendar.fmt(f),
            Self::Every(span) => span.fmt(f),
        }
    }
}

/// A span has a unit: a bare number could be meant for either.
impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse::<Span>() {
            Ok(span) if span == Span::seconds(0) => Err("must be longer than 0".to_owned()),
            Ok(span) if text.contains(char::is_alphabetic) => Ok(Self::Every(span)),
            Ok(_) => Err("must have a unit, such as `15min`, or be a time of day such as `08:00`".to_owned()),
            Err(_) => {
                text.parse().map(Self::Calendar).map_err(|rule: String| format!("{rule}, or a span such as `15min`"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_an_expression_or_a_span() {
        for (text, is_span) in
            [("daily", false), ("Mon..Fri 08:00", false), ("*:0/15", false), ("15min", true), ("1w", true)]
        {
            let schedule: Schedule = text.parse().unwrap();
            assert_eq!(matches!(schedule, Schedule::Every(_)), is_span, "{text}");
        }
        for (text, rule) in [("0s", "longer than 0"), ("15", "must have a unit"), ("now and then", "or a span such as")]
        {
            let refused = text.parse::<Schedule>().unwrap_err();
            assert!(refused.contains(rule), "{text}: {refused}");
        }
    }
}
