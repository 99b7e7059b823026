//! What the README and the first pages do on Linux, the page for newcomers to Windows does there: each option, mode and
//! command of their blocks stands on that page in a block that a test runs (`tests/windows/pages.rs`), or is named there as
//! one without a twin.

use std::collections::BTreeSet;

use crate::support::Test;
use crate::support::readme::{Block, blocks_of, pages};

const PAGE: &str = include_str!("../../docs/windows-start.md");

/// The pages of Linux for those who begin.
const OF_LINUX: [&str; 8] = [
    "README.md",
    "docs/first.md",
    "docs/python.md",
    "docs/openmsistream.md",
    "docs/secrets.md",
    "docs/manifests.md",
    "docs/import.md",
    "docs/adopt.md",
];

/// Where the page names what is only on Linux.
const WITHOUT: &str = "**What has no twin here:**";

/// What does something on Linux alone. Each is named in the last paragraph of the page, with what to use instead.
const ON_LINUX_ALONE: [&str; 4] = ["--user", "--schedule", "--hardening", "--secrets"];

/// The words that one of our two commands knows: options, modes and commands. Others are arguments, or of the program.
struct Known {
    command: &'static str,
    words: BTreeSet<String>,
}

impl Known {
    fn of(command: &'static str, test: Test) -> Self {
        let help = test.arg("--help").run().stdout;
        let mut words = BTreeSet::new();
        let mut heading = "";
        for line in help.lines() {
            if !line.starts_with(' ') {
                heading = line;
            }
            let mut typed = line.split_whitespace();
            let first = typed.next().unwrap_or_default();
            if first.starts_with('-') && line.trim_start() != line {
                // As in `-n, --lines <N>`.
                words.extend(
                    [first, typed.next().unwrap_or_default()].map(|word| word.trim_end_matches(',').to_owned()),
                );
            }
            if ["Modes:", "Commands:", "Programs:"].contains(&heading) && line.starts_with("  ") {
                words.insert(first.to_owned());
            }
        }
        words.retain(|word| !word.is_empty() && !word.starts_with(['<', '[']));
        Self { command, words }
    }

    /// What the lines of a block ask of the command.
    fn asked(&self, block: &Block) -> BTreeSet<String> {
        let text = block.text.replace("\\\n", " ").replace("cargo run --", "InstallService");
        let text = text.replace("install-service ", "InstallService ").replace("manage-service ", "ManageService ");
        let mut asked = BTreeSet::new();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            if words.next() != Some(self.command) {
                continue;
            }
            for word in words.take_while(|word| *word != "#") {
                if self.words.contains(word) {
                    asked.insert(format!("{} {word}", self.command));
                }
                if is_function(word) {
                    asked.insert(format!("{} package.module:function", self.command));
                }
                if word == "--" {
                    break;
                }
            }
        }
        asked
    }
}

fn is_function(word: &str) -> bool {
    let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c));
    word.split_once(':').is_some_and(|(module, function)| is_name(module) && is_name(function))
}

#[test]
fn what_the_first_pages_do_on_linux_the_page_does_on_windows() {
    let known = [Known::of("InstallService", Test::install()), Known::of("ManageService", Test::manage())];
    let asked = |blocks: &[Block]| -> BTreeSet<String> {
        blocks.iter().flat_map(|block| known.iter().flat_map(|known| known.asked(block))).collect()
    };
    let of_linux = pages().into_iter().filter(|page| OF_LINUX.contains(&&*page.path));
    let of_linux: Vec<Block> = of_linux
        .flat_map(|page| page.blocks())
        .filter(|block| ["clone", "dry", "booted", "user"].contains(&&*block.mark))
        .collect();
    let of_windows: Vec<Block> = blocks_of(PAGE).into_iter().filter(|block| block.mark == "run").collect();
    let (there, here) = (asked(&of_linux), asked(&of_windows));
    for word in ["InstallService --dry-run", "InstallService --", "InstallService import", "ManageService -n"] {
        assert!(there.contains(word), "the pages are read as {there:#?}");
    }
    let has_twin = |asked: &&String| {
        here.contains(*asked) || ON_LINUX_ALONE.iter().any(|option| asked.ends_with(&format!(" {option}")))
    };
    let missing: Vec<_> = there.iter().filter(|asked| !has_twin(asked)).collect();
    assert!(
        missing.is_empty(),
        "no block of docs/windows-start.md that is run has {missing:#?}; what is on Linux alone is named in its last \
         paragraph, and in ON_LINUX_ALONE"
    );
}

#[test]
fn what_has_no_twin_is_named_on_the_page() {
    let (_, named) = PAGE.split_once(WITHOUT).expect("the last paragraph");
    for option in ON_LINUX_ALONE {
        assert!(named.contains(&format!("`{option}")), "{option}");
    }
}
