//! [`Calendar`]: when a timer of systemd elapses.

use std::fmt;
use std::str::FromStr;

/// A calendar expression of systemd (systemd.time(7), "Calendar Events"), read as `calendar_spec_from_string` in
/// `src/shared/calendarspec.c` does.
///
/// It reads less than systemd in one thing: the short names of the time zone that a host happens to be in (`CEST`,
/// `PDT`) mean nothing on another one, and are refused. The cities of the time zone database change from year to
/// year: whether a host has `Europe/Berlin` is known there alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Calendar {
    text: String,
}

impl Calendar {
    /// As it was written, without blanks around it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What one is, for whoever wrote something else.
const RULE: &str = "must be a calendar expression such as `daily`, `Mon..Fri 08:00` or `*:0/15` (systemd.time(7))";

/// Words for whole expressions.
const SHORTHANDS: [&str; 13] = [
    "minutely",
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "yearly",
    "annually",
    "anually",
    "semiannually",
    "semi-annually",
    "biannually",
    "bi-annually",
];

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The error says what must be so, to stand behind the text at fault.
impl FromStr for Calendar {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim_matches([' ', '\t']);
        if is_of_cron(text) {
            return Err(format!("{RULE}, not one of cron: `*/15 * * * *` is `*:0/15`"));
        }
        let when = without_zone(text)?;
        if !SHORTHANDS.iter().any(|word| word.eq_ignore_ascii_case(when)) {
            expression(when)?;
        }
        Ok(Self { text: text.to_owned() })
    }
}

/// Whether all of it is five fields of crontab(5), which whoever comes from there writes first.
fn is_of_cron(text: &str) -> bool {
    let is_field = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit() || b"*,-/".contains(&byte));
    text.split_whitespace().count() == 5 && text.split_whitespace().take(4).all(is_field)
}

/// What stands before a time zone, which is the last word.
fn without_zone(text: &str) -> Result<&str, String> {
    let Some((when, last)) = text.rsplit_once(' ') else { return Ok(text) };
    if last.eq_ignore_ascii_case("UTC") || is_zone(last) {
        return Ok(when);
    }
    let is_name = last.starts_with(|c: char| c.is_ascii_alphabetic()) && weekday(last).is_none();
    match is_name && !SHORTHANDS.contains(&last) {
        true => Err(format!("the time zone `{}` must be `UTC` or one such as `Europe/Berlin`", last.escape_debug())),
        false => Ok(text),
    }
}

/// Whether the time zone database has such a name: an area with a place, or a name of its own (IANA, `backward`).
fn is_zone(word: &str) -> bool {
    const AREAS: [&str; 17] = [
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Brazil",
        "Canada",
        "Chile",
        "Etc",
        "Europe",
        "Indian",
        "Mexico",
        "Pacific",
        "US",
        "posix",
    ];
    const NAMES: [&str; 44] = [
        "CET",
        "CST6CDT",
        "Cuba",
        "EET",
        "EST",
        "EST5EDT",
        "Egypt",
        "Eire",
        "Factory",
        "GB",
        "GB-Eire",
        "GMT",
        "GMT+0",
        "GMT-0",
        "GMT0",
        "Greenwich",
        "HST",
        "Hongkong",
        "Iceland",
        "Iran",
        "Israel",
        "Jamaica",
        "Japan",
        "Kwajalein",
        "Libya",
        "MET",
        "MST",
        "MST7MDT",
        "NZ",
        "NZ-CHAT",
        "Navajo",
        "PRC",
        "PST8PDT",
        "Poland",
        "Portugal",
        "ROC",
        "ROK",
        "Singapore",
        "Turkey",
        "UCT",
        "Universal",
        "W-SU",
        "WET",
        "Zulu",
    ];
    let is_place = |place: &str| {
        place.split('/').all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte))
        })
    };
    match word.split_once('/') {
        Some((area, place)) => AREAS.contains(&area) && is_place(place),
        None => NAMES.contains(&word),
    }
}

/// Days of the week, a date, a time: each may be left out, but not all of them.
fn expression(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err(RULE.to_owned());
    }
    let rest = weekdays(text)?;
    if let Some(timestamp) = rest.strip_prefix('@') {
        return seconds_since_1970(timestamp);
    }
    let behind = if rest.is_empty() { None } else { date(rest)? };
    match behind.unwrap_or(rest) {
        "" => Ok(()),
        rest => time(rest),
    }
}

/// The number of the weekday that a text is the name of, in full or its first three letters; Monday is 0.
fn weekday(name: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    WEEKDAYS.iter().position(|day| *day == name || day[..3] == *name)
}

/// What stands behind the days of the week, if there are any.
fn weekdays(text: &str) -> Result<&str, String> {
    let (list, rest) = text.split_once(' ').unwrap_or((text, ""));
    if !list.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(text);
    }
    // One comma at the end is let pass.
    for range in list.strip_suffix(',').unwrap_or(list).split(',') {
        // A `-` instead of `..` is an old form.
        let (first, last) = range.split_once("..").or_else(|| range.split_once('-')).unwrap_or((range, range));
        let (Some(from), Some(to)) = (weekday(first), weekday(last)) else { return Err(RULE.to_owned()) };
        if from > to {
            return Err(format!("a week must begin on Monday: `{range}` is `{first}..Sun,Mon..{last}`"));
        }
    }
    Ok(rest.trim_start_matches(' '))
}

/// A point in time: seconds from 1970, up to the end of 2199.
fn seconds_since_1970(text: &str) -> Result<(), String> {
    const END_OF_2199: u64 = 7_258_118_399;
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(seconds) if is_number && seconds <= END_OF_2199 => Ok(()),
        _ => Err(format!("`@{}` must be seconds since 1970, such as `@1893456000`", text.escape_debug())),
    }
}

/// What a number counts, with the least and the most that it can be.
struct Part {
    name: &'static str,
    least: u64,
    most: u64,
}

const YEAR: Part = Part { name: "year", least: 1970, most: 2199 };
const MONTH: Part = Part { name: "month", least: 1, most: 12 };
const DAY: Part = Part { name: "day", least: 1, most: 31 };
/// Counted from the end of the month: never more than the shortest one has.
const DAY_FROM_END: Part = Part { name: "day from the end of the month", least: 1, most: 28 };
const HOUR: Part = Part { name: "hour", least: 0, most: 23 };
const MINUTE: Part = Part { name: "minute", least: 0, most: 59 };
/// In microseconds.
const SECONDS: Part = Part { name: "second", least: 0, most: 60 * SECOND - 1 };

const SECOND: u64 = 1_000_000;

/// One of a list: a number, a range, and how far it is from one time to the next.
#[derive(Clone, Copy)]
struct Component<'a> {
    text: &'a str,
    start: u64,
    stop: Option<u64>,
    step: Option<u64>,
}

impl Component<'_> {
    fn numbers(&self) -> (u64, Option<u64>, Option<u64>) {
        (self.start, self.stop, self.step)
    }
}

/// What stands behind a date (nothing, if this is a time).
fn date(text: &str) -> Result<Option<&str>, String> {
    let (first, rest) = chain(text, false)?;
    let Some((second_is_last, rest)) = separator(rest) else {
        return match rest.starts_with(':') {
            true => Ok(None),
            false => Err(RULE.to_owned()),
        };
    };
    let (second, rest) = chain(rest, false)?;
    let day = |from_end: bool| if from_end { DAY_FROM_END } else { DAY };
    let rest = match separator(rest) {
        None => {
            MONTH.check(first)?;
            day(second_is_last).check(second)?;
            rest
        }
        Some(_) if second_is_last => return Err(RULE.to_owned()),
        Some((third_is_last, rest)) => {
            let (third, rest) = chain(rest, false)?;
            YEAR.check(first.into_iter().map(in_full).collect())?;
            MONTH.check(second)?;
            day(third_is_last).check(third)?;
            rest
        }
    };
    match rest.is_empty() || rest.starts_with(' ') {
        true => Ok(Some(rest.trim_start_matches(' '))),
        false => Err(RULE.to_owned()),
    }
}

/// Years of two digits are those from 1970 to 2069.
fn in_full(component: Component) -> Component {
    let year = |year| match year {
        0..70 => year + 2000,
        70..100 => year + 1900,
        year => year,
    };
    Component { start: year(component.start), stop: component.stop.map(year), ..component }
}

/// What stands behind `-` or `~`, and whether it is `~`: what follows is counted from the end of the month.
fn separator(text: &str) -> Option<(bool, &str)> {
    let rest = text.strip_prefix(['-', '~'])?;
    Some((text.starts_with('~'), rest))
}

/// Hours, minutes, and seconds if they are more than none.
fn time(text: &str) -> Result<(), String> {
    let (hours, rest) = chain(text, false)?;
    let Some(rest) = rest.strip_prefix(':') else { return Err(RULE.to_owned()) };
    let (minutes, rest) = chain(rest, false)?;
    let seconds = match rest.strip_prefix(':') {
        Some(rest) => {
            let (seconds, rest) = chain(rest, true)?;
            if rest.is_empty() { Ok(seconds) } else { Err(RULE.to_owned()) }
        }
        None if rest.is_empty() => Ok(Vec::new()),
        None => Err(RULE.to_owned()),
    }?;
    HOUR.check(hours)?;
    MINUTE.check(minutes)?;
    SECONDS.check(seconds)
}

/// The components of a list, with what stands behind it; none for `*`.
fn chain(text: &str, micros: bool) -> Result<(Vec<Component<'_>>, &str), String> {
    if let Some(rest) = text.strip_prefix('*') {
        return Ok((Vec::new(), rest));
    }
    let mut components = Vec::new();
    let mut rest = text;
    loop {
        let (component, behind) = component(rest, micros)?;
        components.push(component);
        match behind.strip_prefix(',') {
            Some(next) => rest = next,
            None => return Ok((components, behind)),
        }
    }
}

fn component(text: &str, micros: bool) -> Result<(Component<'_>, &str), String> {
    let (start, mut rest) = number(text, micros)?;
    let (mut stop, mut step) = (None, None);
    if let Some(behind) = rest.strip_prefix("..") {
        let (number, behind) = number(behind, micros)?;
        (stop, rest) = (Some(number), behind);
    }
    if let Some(behind) = rest.strip_prefix('/') {
        let (number, behind) = number(behind, micros)?;
        (step, rest) = (Some(number), behind);
    }
    let text = &text[..text.len() - rest.len()];
    Ok((Component { text, start, stop, step }, rest))
}

/// A number with what stands behind it: in microseconds for seconds, which have decimals.
fn number(text: &str, micros: bool) -> Result<(u64, &str), String> {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (whole, rest) = text.split_at(digits(text));
    if whole.is_empty() {
        return Err(RULE.to_owned());
    }
    // What does not fit is more than any part of a date can be.
    let whole = u64::from(whole.parse::<u32>().unwrap_or(u32::MAX));
    if !micros {
        return Ok((whole, rest));
    }
    let whole = whole * SECOND;
    // `..` is not a point.
    let Some(part) = rest.strip_prefix('.').filter(|rest| !rest.starts_with('.')) else { return Ok((whole, rest)) };
    let (part, rest) = part.split_at(digits(part));
    if part.is_empty() {
        return Err(RULE.to_owned());
    }
    let digit = |at: usize| part.as_bytes().get(at).map_or(0, |byte| u64::from(byte - b'0'));
    let micros = (0..6).fold(0, |sum, at| sum * 10 + digit(at));
    Ok((whole + micros + u64::from(digit(6) >= 5), rest))
}

impl Part {
    /// Whether each of a list is one of these (`calendar_spec_normalize`, `chain_valid`).
    fn check(&self, components: Vec<Component>) -> Result<(), String> {
        let components = components.into_iter().map(|component| self.normal(component));
        let mut components = components.collect::<Result<Vec<_>, _>>()?;
        components.sort_by_key(Component::numbers);
        components.dedup_by_key(|component| component.numbers());
        let last = |at: u64| if self.is_from_end() { self.most.saturating_sub(3 * at) } else { self.most };
        // What is left out at the end of a month is left out anew for each of a list: `*~24,28` is none of systemd's.
        (0..).map(last).zip(&components).try_for_each(|(most, component)| self.check_one(component, most))
    }

    /// A range that ends where its last step comes to.
    fn normal<'a>(&self, component: Component<'a>) -> Result<Component<'a>, String> {
        let Component { text, start, stop, step } = component;
        let one_step = step.unwrap_or(self.unit());
        // It counts with an `int`.
        if one_step == 0 || one_step > u64::from(i32::MAX.unsigned_abs()) {
            return Err(self.refused(text, "a value with a step from 1 to 2147483647"));
        }
        match stop {
            Some(stop) if stop < start => Err(self.refused(text, "a range from the earlier to the later one")),
            Some(stop) if self.unit() > 1 && step.is_none() && start + one_step > stop => {
                Err(self.refused(text, "a range of a second or more"))
            }
            Some(stop) if stop - start < one_step => Ok(Component { stop: None, step: None, ..component }),
            Some(stop) => Ok(Component { stop: Some(stop - (stop - start) % one_step), ..component }),
            None => Ok(component),
        }
    }

    fn check_one(&self, component: &Component, most: u64) -> Result<(), String> {
        let Component { text, start, stop, step } = *component;
        if !(self.least..=most).contains(&start) || stop.is_some_and(|stop| stop > most) {
            return Err(self.refused(text, &format!("from {} to {}", self.least, most / self.unit())));
        }
        let comes_again = match (stop, step) {
            (None, Some(step)) if self.is_from_end() => start >= self.least + step,
            (None, Some(step)) => start + step <= most,
            _ => true,
        };
        match comes_again {
            true => Ok(()),
            false => Err(self.refused(text, "a value whose step leads to another one")),
        }
    }

    fn refused(&self, text: &str, rule: &str) -> String {
        format!("the {} `{text}` must be {rule}", self.name)
    }

    /// How many of what it is counted in are one of it.
    fn unit(&self) -> u64 {
        if self.most >= SECOND { SECOND } else { 1 }
    }

    fn is_from_end(&self) -> bool {
        self.name == DAY_FROM_END.name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemd_reads_is_taken_as_it_was_written() {
        for text in [
            "daily",
            "Weekly UTC",
            "Mon..Fri 08:00",
            "Sat,Sun *-*-1..7 18:00:00",
            "*:0/15",
            "*-*-* 0/6:30",
            "*-02~01",
            "2030-01-01 00:00:00.5 Europe/Berlin",
            "99-12-31",
            "@1893456000",
        ] {
            assert_eq!(text.parse::<Calendar>().map(|calendar| calendar.to_string()), Ok(text.to_owned()), "{text}");
        }
        assert_eq!(" hourly\t".parse::<Calendar>().as_ref().map(Calendar::as_str), Ok("hourly"));
    }

    #[test]
    fn the_rest_is_refused_with_what_must_be() {
        for (text, rule) in [
            ("", RULE),
            ("5", RULE),
            ("15min", RULE),
            ("Mon Tue", RULE),
            ("1~2-3", RULE),
            ("24:00", "the hour `24` must be from 0 to 23"),
            ("8:60", "the minute `60` must be from 0 to 59"),
            ("*:*:59.9999996", "the second `59.9999996` must be from 0 to 59"),
            ("*-13-1", "the month `13` must be from 1 to 12"),
            ("2200-1-1", "the year `2200` must be from 1970 to 2199"),
            ("*-*~29", "the day from the end of the month `29` must be from 1 to 28"),
            ("*:0/60", "the minute `0/60` must be a value whose step leads to another one"),
            ("*:30..20", "the minute `30..20` must be a range from the earlier to the later one"),
            ("Fri..Mon", "a week must begin on Monday: `Fri..Mon` is `Fri..Sun,Mon..Mon`"),
            ("8:00 CEST", "the time zone `CEST` must be `UTC` or one such as `Europe/Berlin`"),
            ("@-1", "`@-1` must be seconds since 1970, such as `@1893456000`"),
        ] {
            assert_eq!(text.parse::<Calendar>(), Err(rule.to_owned()), "{text}");
        }
        let cron = "0 3 * * 1-5".parse::<Calendar>().unwrap_err();
        assert!(cron.ends_with("not one of cron: `*/15 * * * *` is `*:0/15`"), "{cron}");
    }
}
