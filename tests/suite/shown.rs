//! On a terminal, what would not be seen in foreign text shows as an escape; in a pipe, a file and JSON it is what it
//! is.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use crate::support::{Ran, Test};

const UNITS: &str = "home/.config/systemd/user";

/// One of each class, and what it would do to a terminal.
const HIDDEN: [(&str, &str); 14] = [
    ("a colour", "\u{1b}[31mred"),
    ("another title", "\u{1b}]0;owned\u{7}"),
    ("a cleared screen", "\u{1b}[2J\u{1b}[H"),
    ("a line that is written over", "safe\rrm -rf"),
    ("a backspace", "ab\u{8}c"),
    ("a deletion", "ab\u{7f}"),
    ("a sequence of C1", "\u{9b}31mred\u{9d}0;x\u{9c}"),
    ("a right-to-left override", "\u{202e}gpj.exe\u{202c}"),
    ("an isolate", "\u{2067}abc\u{2069}"),
    ("marks of direction", "a\u{200e}b\u{200f}c\u{61c}"),
    ("no width", "pay\u{200b}pal\u{feff}\u{2060}\u{ad}"),
    ("tags", "x\u{e0041}\u{e007f}"),
    ("other ends of a line", "one\u{2028}two\u{2029}\u{b}\u{c}\u{85}"),
    ("annotations", "\u{fff9}a\u{fffa}b\u{fffb}"),
];

/// Independent of what the product thinks is hidden: by the list of the attacks.
fn is_hidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        _ = if is_hidden(c) { write!(out, "{}", c.escape_default()) } else { write!(out, "{c}") };
        out
    })
}

/// Without the styles that we write.
fn without_styles(text: &str) -> String {
    let style = fancy_regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap();
    style.replace_all(text, "").into_owned()
}

/// Both streams of a command in a pipe, and what is to be seen of it on a terminal without colours and with them.
#[track_caller]
fn three_times(command: impl Fn() -> Test, code: i32) -> (String, String) {
    let piped = command().status(code).run();
    let plain = command().status(code).env("NO_COLOR", "1").on_a_terminal().run().stdout;
    let coloured = command().status(code).on_a_terminal().run().stdout;
    assert!(!plain.chars().any(is_hidden), "{plain:?}");
    assert_eq!(without_styles(&coloured), plain);
    assert!(piped.stdout.is_empty() || piped.stderr.is_empty(), "their order is not known\n{}", piped.stderr);
    let piped = piped.stdout + &piped.stderr;
    assert_eq!(plain, escaped(&piped));
    (piped, coloured)
}

fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text:?}");
    }
}

/// A unit that somebody has written something into, of a user's service `odd` that lies where an install puts it.
fn edited(text: &str) -> Ran {
    let ran = Test::install()
        .env("INSTALLSERVICE_WORKING_DIR", "")
        .args(["--output", "home", "--user", "--working-directory", "/", "--service_name", "odd", "--", "/bin/true"])
        .run();
    let unit = unit(&ran);
    let right = fs::read_to_string(&unit).unwrap();
    fs::write(&unit, right.replace("[Service]\n", &format!("# {text}\n[Service]\n"))).unwrap();
    ran
}

fn unit(ran: &Ran) -> PathBuf {
    ran.folder().join(UNITS).join("odd.service")
}

fn manage(ran: &Ran, words: &[&str]) -> Test {
    ran.then_manage().env("INSTALLSERVICE_WORKING_DIR", "").arg("odd").args(words).arg("--user")
}

#[test]
fn of_a_unit_that_was_edited() {
    for (what, text) in HIDDEN {
        let ran = edited(text);
        for (mode, code) in [("diff", 10), ("show", 0)] {
            let (piped, coloured) = three_times(|| manage(&ran, &[mode]), code);
            contains(&piped, &[text]);
            contains(&coloured, &[&escaped(text), "\u{1b}[1m"]);
        }
        // A program that reads JSON finds the text, wherever it was printed.
        let [piped, shown] = [false, true].map(|on_a_terminal| {
            let test = manage(&ran, &["diff", "--format", "json"]).status(10);
            let printed = if on_a_terminal { test.on_a_terminal() } else { test }.run().stdout;
            // JSON itself has escapes for C0 alone.
            let is_raw = !on_a_terminal && text.chars().any(|c| c > '~');
            assert_eq!(printed.chars().any(is_hidden), is_raw, "{what}: {printed:?}");
            serde_json::from_str::<serde_json::Value>(&printed).unwrap()
        });
        assert_eq!(piped, shown);
        contains(piped["files"][0]["diff"].as_str().unwrap(), &[text]);
    }
}

#[test]
fn what_is_no_text_at_all_is_shown_byte_for_byte() {
    let ran = edited("mark");
    let odd = fs::read_to_string(unit(&ran)).unwrap().replace("mark", "caf\\xe9");
    let bytes: Vec<u8> = odd.split("\\xe9").map(str::as_bytes).collect::<Vec<_>>().join(&0xe9);
    fs::write(unit(&ran), &bytes).unwrap();
    for (mode, code) in [("diff", 10), ("show", 0)] {
        let shown = manage(&ran, &[mode]).status(code).on_a_terminal().run().stdout;
        contains(&shown, &["# caf\\xe9"]);
        let file = fs::File::create(ran.folder().join("piped")).unwrap();
        manage(&ran, &[mode]).status(code).stdout_to(file).run();
        let piped = fs::read(ran.folder().join("piped")).unwrap();
        assert!(piped.windows(6).any(|bytes| bytes == b"# caf\xe9"), "{mode}");
    }
}

#[test]
fn of_a_preview() {
    for (_, text) in HIDDEN {
        let command = |more: &[&str]| {
            let test = Test::install().args(["--dry-run", "--working-directory", "/", "--env", &format!("A={text}")]);
            test.args(more).args(["--service_name", "web", "--", "/bin/echo", text])
        };
        three_times(|| command(&[]), 0);
        if !text.chars().any(char::is_control) {
            let (piped, coloured) = three_times(|| command(&["--description", text]), 0);
            contains(&piped, &[&format!("Description={text}\n")]);
            contains(&coloured, &[&format!("Description={}\n", escaped(text))]);
        }
    }
}

#[test]
fn of_a_catalog() {
    for (what, text) in HIDDEN {
        let quoted = serde_json::to_string(&format!("about {text} it")).unwrap().replace('\u{7f}', "\\u007f");
        let catalog = format!(
            "[[program]]\nname = \"Odd\"\nabout = {quoted}\nexecutable = \"/bin/true\"\n\
             [[program.argument]]\nname = \"place\"\nkind = \"string\"\nmetavar = {quoted}\nhelp = {quoted}\n\
             required = true\n\
             [[program.argument]]\nflags = [\"--how\"]\nkind = \"choice\"\nchoices = [{quoted}, \"other\"]\n\
             default = {quoted}\nhelp = \"How.\"\ngroup = {quoted}\n"
        );
        let install =
            |words: &[&str]| Test::install().file("odd.toml", &catalog).args(["--catalog", "odd.toml"]).args(words);
        for words in [&["-h"][..], &["Odd", "-h"]] {
            // Help is as wide as the terminal, and in a pipe as wide as it gets.
            let plain = install(words).env("NO_COLOR", "1").on_a_terminal().run().stdout;
            assert!(!plain.chars().any(is_hidden), "{what}: {plain:?}");
            let coloured = install(words).on_a_terminal().run().stdout;
            assert_eq!(without_styles(&coloured), plain, "{what}");
            contains(&coloured, &["\u{1b}[1m"]);
            contains(&coloured.replace(char::is_whitespace, ""), &[&escaped(text).replace(char::is_whitespace, "")]);
            let piped = install(words).run().stdout;
            contains(&piped.replace(char::is_whitespace, ""), &[&text.replace(char::is_whitespace, "")]);
            assert!(!piped.contains('\u{fdd0}'));
        }
        let script = install(&["completions", "fish"]).run().stdout;
        assert!(!script.contains('\u{fdd0}'));
        let missing = three_times(|| install(&["--dry-run", "Odd", "x", "--how", text]), 2).0;
        contains(&missing, &["--how"]);
    }
}

#[test]
fn of_words_that_were_typed() {
    let ran = edited("");
    for (_, text) in HIDDEN {
        for words in [&["--dry-run", text][..], &["--dry-run", &format!("--{text}")], &["--manifest", text]] {
            three_times(|| Test::install().args(words), 2);
        }
        for words in [&[text, "status"][..], &["odd", "status", &format!("--{text}")]] {
            three_times(|| Test::manage().args(words), 2);
        }
        three_times(|| Test::manage().arg(text), 2);
        three_times(|| manage(&ran, &[text]), 2);
    }
}

#[test]
fn of_a_manifest() {
    for (_, text) in HIDDEN {
        let quoted = serde_json::to_string(text).unwrap().replace('\u{7f}', "\\u007f");
        for manifest in [
            format!("[[service]]\nname = {quoted}\nexecutable = \"/bin/true\"\n"),
            format!("[[service]]\nname = \"x\"\nexecutable = \"/bin/true\"\n{quoted} = 1\n"),
            format!("[[service]]\nname = \"x\"\nexecutable = {quoted}\nrestart = {quoted}\n"),
            format!("[[service]]\nname = \"x\"\nexecutable = \"/bin/true\"\n[service.systemd]\n{quoted} = {quoted}\n"),
            // No TOML at all: its line is shown.
            format!("[[service]]\nname = {text}\n"),
        ] {
            let command = || Test::install().file("odd.toml", &manifest).args(["--dry-run", "--manifest", "odd.toml"]);
            three_times(command, 2);
        }
    }
}

#[test]
fn what_is_no_attack_is_shown_as_it_is() {
    let text = "naïve 日本語 שלום e\u{301} 🚀\ttab";
    let ran = edited(text);
    let (piped, coloured) = three_times(|| manage(&ran, &["diff"]), 10);
    contains(&piped, &[text]);
    contains(&coloured, &[text]);
}
