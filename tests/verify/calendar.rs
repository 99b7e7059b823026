//! Calendar expressions and spans, as `systemd-analyze calendar` and `systemd-analyze timespan` read them.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use install_service::model::calendar::Calendar;
use install_service::model::span::Span;
use proptest::collection::vec;
use proptest::option;
use proptest::sample::select;
use proptest::strategy::{Just, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// Those of a list that systemd cannot read, asked so many at a time.
fn refused(what: &str, at_once: usize, texts: &[String]) -> HashSet<String> {
    let mut refused = HashSet::new();
    for texts in texts.chunks(at_once) {
        let output =
            Command::new("systemd-analyze").args([what, "--"]).args(texts).env("LC_ALL", "C.UTF-8").output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        for text in texts {
            // `Failed to parse calendar specification 'TEXT': Invalid argument`
            if said.contains(&format!(" '{text}': ")) {
                refused.insert(text.clone());
            }
        }
    }
    refused
}

/// Both take the same of these, and there are many of each kind.
fn both_agree(texts: &[String], takes: impl Fn(&str) -> bool, refused: &HashSet<String>) {
    let differ: Vec<&String> = texts.iter().filter(|text| takes(text) == refused.contains(*text)).collect();
    assert!(differ.is_empty(), "{differ:#?}");
    let taken = texts.len() - refused.len();
    assert!(taken > texts.len() / 10 && refused.len() > texts.len() / 10, "{taken} of {}", texts.len());
}

/// Texts that look like calendar expressions, and are some often enough.
fn expressions() -> impl Strategy<Value = String> {
    let number = || {
        select(vec![
            "0",
            "1",
            "2",
            "07",
            "12",
            "13",
            "23",
            "24",
            "28",
            "29",
            "31",
            "32",
            "59",
            "60",
            "69",
            "70",
            "1970",
            "2030",
            "2199",
            "2200",
            "99999999999",
            "",
        ])
    };
    let second = || select(vec!["0", "5", "59", "60", "0.5", "30.25", "59.9999994", "59.9999996", "1.", "3000"]);
    fn parts(number: impl Strategy<Value = &'static str> + Clone) -> impl Strategy<Value = String> {
        let part = (number.clone(), option::weighted(0.2, number.clone()), option::weighted(0.2, number)).prop_map(
            |(start, stop, step)| {
                let stop = stop.map(|stop| format!("..{stop}")).unwrap_or_default();
                format!("{start}{stop}{}", step.map(|step| format!("/{step}")).unwrap_or_default())
            },
        );
        let parts = vec(part, 1..3).prop_map(|parts| parts.join(","));
        proptest::prop_oneof![1 => Just("*".to_owned()), 2 => parts]
    }
    let days = vec(
        (select(vec!["Mon", "tue", "Wednesday", "FRI", "Sun", "Tues"]), select(vec!["..", ",", "-", ".", ""])),
        1..3,
    )
    .prop_map(|days| days.into_iter().map(|(day, sign)| format!("{day}{sign}")).collect::<String>());
    let date = (option::of(parts(number())), parts(number()), select(vec!["-", "~"]), parts(number())).prop_map(
        |(year, month, sign, day)| {
            format!("{}{month}{sign}{day}", year.map(|year| format!("{year}-")).unwrap_or_default())
        },
    );
    let time = (parts(number()), parts(number()), option::of(parts(second()))).prop_map(|(hour, minute, second)| {
        format!("{hour}:{minute}{}", second.map(|second| format!(":{second}")).unwrap_or_default())
    });
    let zone = select(vec!["UTC", "utc", "Europe/Berlin", "europe/berlin", "CET", "/UTC", "+01:00"]);
    let (days, date) = (option::weighted(0.3, days), option::weighted(0.5, date));
    (days, date, option::weighted(0.7, time), option::weighted(0.2, zone.prop_map(str::to_owned))).prop_map(
        |(days, date, time, zone)| [days, date, time, zone].into_iter().flatten().collect::<Vec<_>>().join(" "),
    )
}

#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn calendar_expressions_are_read_as_systemd_reads_them() {
    let mut texts: Vec<String> = [
        "daily",
        "DAILY",
        "hourly",
        "minutely",
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
        "fortnightly",
        "daily UTC",
        "daily Europe/Berlin",
        "UTC",
        "Mon daily",
        "daily,weekly",
        "5",
        "Mon 5",
        "Mon,",
        "Mon, 08:00",
        "Mon..",
        "Fri..Mon",
        "Mon-Fri",
        "Mon..Wed..Fri",
        "Mon-Tue-Wed",
        "Mon..Wed,Fri",
        "Mon  08:00",
        ",Mon",
        "Mon,,Tue",
        "Mon Tue",
        "Mon.Tue",
        "08:00  UTC",
        "08:00\tUTC",
        "8:00 UTC UTC",
        "8:00 Zulu",
        "8:00 GMT+0",
        "8:00 Etc/GMT+5",
        "8:00 posix/Europe/Rome",
        "@0",
        "@1395716396",
        "Mon @5",
        "@5 UTC",
        "@5 Europe/Berlin",
        "@1.5",
        "@-1",
        "@",
        "@7258118399",
        "@7258118400",
        "@5 5:00",
        "*-*~1",
        "*-02~01..05",
        "*~1",
        "1-2~3",
        "1~2~3",
        "1~2-3",
        "*-*~29",
        "*-*~28/27",
        "*-*~28/28",
        "*-*~5..20/29",
        "*~24,28",
        "*~28,24",
        "*~1,25",
        "*~1,2,22",
        "*~1,2,23",
        "*~3,3,25",
        "70-1-1",
        "100-1-1",
        "*:*:0.5",
        "*:*:0..1",
        "*:*:0..0.5",
        "*:*:0..0.5/0.1",
        "*:*:5..5",
        "*:0/60",
        "*:0/0",
        "*:30..20",
        "*:30..30",
        "*:20..30/11",
        "*:0..5/60",
        "*:*:0..5/3000",
        "*:0..5/9999999999",
        "24:00",
        "*",
        "*-*",
        "*:*",
        "*:*:*",
        "*-*-* *",
        "2020-01-01T00:00",
        "8:00:",
        "+1:00",
        "**:0",
        "*/2:00",
        "*-*-*/2",
        "*:0,,5",
        "*:0,*",
        "*:0,5,",
        "1, 2-5",
        "00008:00",
        "Mon-",
        "0..*:00",
        "*-*-1..",
        "* * * * *",
        "0 3 * * 1-5",
        "*:0/15",
        "Mon..Fri *-*-* 08:00",
        "Sat,Sun *-*-1..7 18:00:00",
        "15min",
        "tomorrow",
        "now",
        "08h00",
        "8.00",
    ]
    .map(str::to_owned)
    .to_vec();
    let mut runner = TestRunner::deterministic();
    texts.extend((0..6000).map(|_| expressions().new_tree(&mut runner).unwrap().current()));
    // An empty one cannot be told from none in what is said.
    texts.retain(|text| !text.is_empty());
    both_agree(&texts, |text| text.parse::<Calendar>().is_ok(), &refused("calendar", 300, &texts));
}

/// Every time zone of this machine is one that a calendar expression may have.
#[test]
#[ignore = "needs the time zone database: tests/run"]
fn every_time_zone_is_known() {
    let list = ["tzdata.zi", "zone1970.tab"].map(|name| Path::new("/usr/share/zoneinfo").join(name));
    let text: String = list.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect();
    // `Z Europe/Berlin ...` is a zone, `L Europe/Berlin Arctic/Longyearbyen` another name of it.
    let names: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            match words.next()? {
                "Z" => words.next(),
                "L" => words.nth(1),
                _ => None,
            }
        })
        .collect();
    assert!(names.len() > 400, "{}", names.len());
    for name in names {
        let calendar = format!("08:00 {name}").parse::<Calendar>();
        assert!(calendar.is_ok(), "{calendar:?}");
    }
}

#[test]
#[ignore = "needs systemd-analyze: tests/run"]
fn spans_are_read_as_systemd_reads_them() {
    let mut texts: Vec<String> = [
        "1",
        "-1",
        "1e3",
        "1 1",
        "5 5s",
        "1.",
        ".5",
        "1.5.5",
        "- 5",
        "1 ,5",
        "0x5",
        "1s1",
        "1y2",
        "5µs",
        "5 μs",
        "1week2days",
        "5 fortnights",
        "min",
        "2 h",
        "1M",
        "1m",
        "1 Month",
        "0.5us",
    ]
    .map(str::to_owned)
    .to_vec();
    let part = (
        select(vec!["1", "90", "1.5", ".25", "1.", "-3", "", "007"]),
        select(vec!["", " ", "  "]),
        select(vec!["", "s", "ms", "usec", "min", "m", "hours", "d", "weeks", "M", "y", "S", "hrs", "century"]),
        select(vec!["", " "]),
    )
        .prop_map(|(number, blank, unit, end)| format!("{number}{blank}{unit}{end}"));
    let spans = vec(part, 1..3).prop_map(|parts| parts.concat().trim().to_owned());
    let mut runner = TestRunner::deterministic();
    texts.extend((0..300).map(|_| spans.new_tree(&mut runner).unwrap().current()));
    texts.retain(|text| !text.is_empty());
    // It stops at the first that it cannot read.
    both_agree(&texts, |text| text.parse::<Span>().is_ok(), &refused("timespan", 1, &texts));
}
