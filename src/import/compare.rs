//! Whether the unit that a manifest makes says what the original says, directive by directive.

use super::merged::{Name, Said, Unit};
use super::taken::{Loss, is_of_words, shown};
use super::words;
use crate::model::span::Span;
use crate::model::systemd_table::{Grammar, KnownDirective, Takes};

/// The directives that mean something else in `ours` than in the `original`.
pub(super) fn differences(original: &Unit, ours: &Unit) -> Vec<Loss> {
    let (theirs, ours) = (original.said(), ours.said());
    let find =
        |all: &[Said<'_>], name: Name<'_>| all.iter().find(|said| said.name == name).map(meaning).unwrap_or_default();
    let mut losses = Vec::new();
    for said in theirs.iter().filter(|said| said.known.is_ok()) {
        let found = find(&ours, said.name);
        if meaning(said) != found {
            let line = said.lines.last().or(said.refused.last().map(|(line, _)| line));
            losses.push(Loss {
                at: line.map(|line| line.at.clone()),
                line: line.map(|line| shown(&line.to_string())).unwrap_or_default(),
                why: match found.is_empty() {
                    true => "the manifest does not say it".into(),
                    false => format!(
                        "the manifest makes `{}` of it",
                        shown(&format!("{}={}", said.name.name, found.join(" ")))
                    ),
                },
                help: None,
            });
        }
    }
    for said in ours.iter().filter(|said| !meaning(said).is_empty()) {
        if find(&theirs, said.name).is_empty() && theirs.iter().all(|known| known.name != said.name) {
            let why = "the manifest adds it";
            let lines = said.lines.iter().map(|line| Loss {
                at: None,
                line: shown(&line.to_string()),
                why: why.into(),
                help: None,
            });
            losses.extend(lines);
        }
    }
    losses
}

/// The values that count, in one spelling of those that are the same for systemd.
fn meaning(said: &Said<'_>) -> Vec<String> {
    let Ok(directive) = &said.known else { return Vec::new() };
    let values = said.lines.iter().map(|line| line.value.as_str());
    match (directive.name, directive.takes) {
        ("Environment", _) => environment(values),
        // A unit is named once, however often it is said.
        (_, Takes::Units) => {
            let mut units: Vec<String> = values.flat_map(str::split_whitespace).map(str::to_owned).collect();
            units.sort();
            units.dedup();
            units
        }
        ("WorkingDirectory", _) => values.map(simplified).collect(),
        _ => values.map(|value| spelled(*directive, value)).collect(),
    }
}

fn spelled(directive: KnownDirective, value: &str) -> String {
    match directive.takes {
        Takes::Switch | Takes::SwitchOr(_) | Takes::SwitchOrList(_) => match directive.with(value) {
            Ok(found) if found.is_on() => "yes".into(),
            Ok(found) if found.is_off() && !value.is_empty() => "no".into(),
            _ => words::tidy(value),
        },
        Takes::Span | Takes::Grammar(Grammar::FiniteSpan | Grammar::SpanFromASecond) => {
            value.parse::<Span>().map_or_else(|_| value.to_owned(), |span| span.to_string())
        }
        _ if is_of_words(directive) => words::tidy(value),
        _ => value.to_owned(),
    }
}

/// The variables, of which one that is said again keeps its place (`strv_env_replace_consume` in `src/basic/env-util.c`).
fn environment<'a>(values: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut variables: Vec<String> = Vec::new();
    for value in values {
        let name = |word: &str| word.split('=').next().unwrap_or_default().to_owned();
        for word in words::split(value).unwrap_or_else(|| vec![value.to_owned()]) {
            match variables.iter_mut().find(|known| name(known) == name(&word)) {
                Some(known) => *known = word,
                None => variables.push(word),
            }
        }
    }
    variables
}

/// `path_simplify` in `src/basic/path-util.c`.
fn simplified(path: &str) -> String {
    if !path.starts_with('/') {
        return path.to_owned();
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("/{}", parts.join("/"))
}
