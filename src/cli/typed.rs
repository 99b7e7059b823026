//! A command line without its secrets, to be typed again where others see it.

use std::ffi::OsString;

use clap::{ArgMatches, Command};

use super::parse;
use crate::catalog::{ArgKind, Program};
use crate::host::sudo::Typed;
use crate::host::text::{os, text};
use crate::model::text::Text;
use crate::validate;

/// The line with a reference in the place of each secret; `None` where it holds none.
///
/// `matches` is what `command` made of the words behind the program's name. A value may stand in a word of its
/// own, behind a `=` or behind a letter, and other words may be the same by chance: the right place is the one
/// where a reference makes this value another one, and nothing else.
///
/// # Panics
/// Where a value stands in no word, which would be a fault of ours.
pub fn without_secrets(
    argv: &[OsString],
    program: &Program,
    matches: &ArgMatches,
    command: &mut Command,
) -> Option<Typed> {
    let mut typed = Typed { words: argv.iter().map(text).collect(), secrets: parse::secrets(program, matches) };
    if typed.secrets.is_empty() {
        return None;
    }
    let mut values = values_of(matches);
    for spec in program.arguments.iter().filter(|spec| spec.kind == ArgKind::Secret) {
        let id = parse::id(spec);
        let Some(at) = values.iter().position(|(known, _)| *known == id) else { continue };
        for nth in 0..values[at].1.len() {
            let value = values[at].1[nth].clone();
            if value.is_empty() || validate::is_reference(&value) {
                continue;
            }
            // Of an option that is given twice, the last one counts.
            let number = if parse::is_list(spec) && nth > 0 { format!("_{}", nth + 1) } else { String::new() };
            let reference = Text::from(format!("${}{number}", spec.variable()));
            values[at].1[nth] = reference.clone();
            let candidates = (1..typed.words.len()).filter_map(|word| {
                let before = typed.words[word].as_bytes().strip_suffix(value.as_bytes())?;
                let mut words = typed.words.clone();
                words[word] = Text::from_bytes([before, reference.as_bytes()].concat());
                Some(words)
            });
            let is_right = |words: &Vec<Text>| {
                let matches = command.try_get_matches_from_mut(words.iter().map(os)).ok();
                matches.as_ref().and_then(ArgMatches::subcommand).is_some_and(|(_, sub)| values_of(sub) == values)
            };
            typed.words = { candidates }.find(is_right).expect("each value of clap stands in a word");
        }
    }
    typed.words.remove(0);
    Some(typed)
}

/// Every value behind the program's name, by the names that clap has for what they belong to.
fn values_of(matches: &ArgMatches) -> Vec<(String, Vec<Text>)> {
    let values = |id: &str| matches.get_raw(id).into_iter().flatten().map(text).collect();
    let mut found: Vec<_> = matches.ids().map(|id| (id.to_string(), values(id.as_str()))).collect();
    found.sort();
    found
}
