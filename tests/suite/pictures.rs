//! The pictures of the pages are drawn from what the pages have: the plots from the tables below them, the terminal from
//! `docs/pictures/terminal.txt`, which `tests/booted/readme.rs` holds against a real run. `UPDATE_GOLDEN=1` draws them anew.

use std::fmt::Write as _;
use std::{env, fs};

use crate::support::readme::page;
use crate::support::{checkout, difference};

/// One bar: what it is of, and its parts with their lengths, each of the series of that place.
struct Bar {
    label: String,
    parts: Vec<f64>,
    /// What stands behind it.
    told: String,
}

const COLOURS: [&str; 2] = ["#4878a8", "#e0a030"];
const WIDTH: f64 = 760.0;

fn text(x: f64, y: f64, words: &str, more: &str) -> String {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    format!("<text x=\"{x}\" y=\"{y}\" {more}>{words}</text>\n")
}

/// Bars from left to right, the parts of each one behind the other.
fn plot(title: &str, series: &[&str], bars: &[Bar]) -> String {
    let (left, top, step) = (250.0, 64.0, 26.0);
    let longest = bars.iter().map(|bar| bar.parts.iter().sum::<f64>()).fold(0.0, f64::max);
    let scale = (WIDTH - left - 170.0) / longest;
    let mut drawn = text(16.0, 26.0, title, "font-size=\"16\" font-weight=\"bold\"");
    for (at, name) in series.iter().enumerate() {
        let x = 16.0 + 150.0 * f64::from(u32::try_from(at).expect("a few"));
        _ = writeln!(drawn, "<rect x=\"{x}\" y=\"40\" width=\"12\" height=\"12\" fill=\"{}\"/>", COLOURS[at]);
        drawn += &text(x + 18.0, 51.0, name, "font-size=\"13\"");
    }
    let mut y = top;
    for bar in bars {
        drawn += &text(left - 8.0, y + 14.0, &bar.label, "font-size=\"13\" text-anchor=\"end\"");
        let mut x = left;
        for (part, colour) in bar.parts.iter().zip(COLOURS) {
            let width = part * scale;
            _ = writeln!(drawn, "<rect x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"18\" fill=\"{colour}\"/>");
            x += width;
        }
        drawn += &text(x + 6.0, y + 14.0, &bar.told, "font-size=\"13\"");
        y += step;
    }
    svg(y + 8.0, "#ffffff", "#202020", "sans-serif", &drawn)
}

fn svg(height: f64, paper: &str, ink: &str, font: &str, drawn: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"{font}\" fill=\"{ink}\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" rx=\"8\" fill=\"{paper}\"/>\n{drawn}</svg>\n"
    )
}

/// The rows of all tables of a page whose first line has this in it, cell by cell.
fn rows(name: &str, heading: &str) -> Vec<Vec<String>> {
    let page = page(name);
    let mut rows = Vec::new();
    let mut is_it = false;
    for line in page.text.lines() {
        if !line.starts_with('|') {
            is_it = false;
        } else if line.contains(heading) {
            is_it = true;
        } else if is_it && !line.starts_with("| ---") {
            rows.push(line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect());
        }
    }
    assert!(!rows.is_empty(), "{name} has no table with {heading}");
    rows
}

fn number(text: &str) -> f64 {
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || *c == '.').collect();
    digits.parse().unwrap_or_else(|_| panic!("`{text}` is no number"))
}

/// What the host was after each run of the sweep: cells such as `125 (74 old, 51 new)`.
fn sweep() -> String {
    let bar = |row: Vec<String>| {
        let (mut old, mut new) = (0.0, 0.0);
        for cell in &row[1..] {
            if let Some((before, after)) = cell.split_once(" old, ") {
                old += number(before.rsplit('(').next().unwrap_or_default());
                new += number(after);
            }
        }
        let neither = row.last().expect("the last cell");
        Bar {
            label: row[0].replace('`', ""),
            parts: vec![old, new],
            told: format!("{} runs, neither: {neither}", old + new),
        }
    };
    let bars: Vec<Bar> = rows("reliability.md", "killed at the boundaries").into_iter().map(bar).collect();
    plot("Killed, failing, full: how the host was afterwards", &["wholly old", "wholly new"], &bars)
}

fn services(count: &str) -> String {
    if count == "1" { "1 service".to_owned() } else { format!("{count} services") }
}

/// Medians of one manifest and of the same by hand.
fn many() -> String {
    let mut bars = Vec::new();
    for row in rows("benchmarks.md", "| `InstallService --manifest` |") {
        let (hand, ours) = (number(&row[1]), number(&row[2]));
        bars.push(Bar { label: services(&row[0]), parts: vec![hand], told: format!("{hand} ms") });
        bars.push(Bar { label: String::new(), parts: vec![0.0, ours], told: format!("{ours} ms") });
    }
    plot("Installing many services", &["by hand", "InstallService --manifest"], &bars)
}

/// The same commands of both tools.
fn openmsistream() -> String {
    let mut bars = Vec::new();
    for row in rows("benchmarks.md", "| OpenMSIStream |") {
        let (ours, theirs) = (number(&row[1]), number(&row[2]));
        bars.push(Bar {
            label: row[0].replace("InstallService ", "").replace('`', ""),
            parts: vec![ours],
            told: format!("{ours} ms"),
        });
        bars.push(Bar { label: String::new(), parts: vec![0.0, theirs], told: format!("{theirs} ms") });
    }
    plot("The same command", &["InstallService", "OpenMSIStream 1.8.8"], &bars)
}

/// What was typed, and what was said.
fn terminal() -> String {
    let said = fs::read_to_string(checkout().join("docs/pictures/terminal.txt")).expect("what was said");
    let mut drawn = String::new();
    let mut y = 26.0;
    for line in said.lines() {
        let colour = match line {
            _ if line.starts_with("$ ") => "#ffffff\" font-weight=\"bold",
            _ if line.contains(": error: ") => "#ff9080",
            _ if line.starts_with("  systemctl") => "#90a0b0",
            _ => "#d0d8e0",
        };
        if line.starts_with("$ ") && y > 30.0 {
            y += 10.0;
        }
        drawn += &text(16.0, y, line, &format!("xml:space=\"preserve\" font-size=\"11.5\" fill=\"{colour}\""));
        y += 17.0;
    }
    svg(y, "#18202c", "#d0d8e0", "ui-monospace, Menlo, Consolas, monospace", &drawn)
}

#[test]
fn the_pictures_are_those_of_the_data() {
    let folder = checkout().join("docs/pictures");
    let all = [
        ("terminal.svg", terminal()),
        ("sweep.svg", sweep()),
        ("many.svg", many()),
        ("openmsistream.svg", openmsistream()),
    ];
    for (name, drawn) in all {
        let path = folder.join(name);
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &drawn).expect("to draw");
        }
        let shipped = fs::read_to_string(&path).unwrap_or_default();
        if let Some(difference) = difference(name, &drawn, &shipped) {
            panic!("{difference}\nUPDATE_GOLDEN=1 cargo test --test suite pictures draws it anew");
        }
    }
}
