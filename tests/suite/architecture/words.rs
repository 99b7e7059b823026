//! What a room does not name.

use super::house::{File, House};
use super::mentions::What;

/// Every place of `rooms` that names one of `words`, but for the `exceptions`: a room, and exactly what it may name.
/// An exception that is not needed is a fault, too.
pub(crate) fn named(house: &House, rooms: &[&str], words: &[&str], exceptions: &[(&str, &str)]) -> Vec<String> {
    let mut unused = exceptions.to_vec();
    let mut faults = Vec::new();
    for (file, line, what) in mentions(house, rooms) {
        let text = text_of(what);
        let Some(word) = words.iter().find(|word| means(what, word)) else { continue };
        let exception = (file.room.as_str(), text.as_str());
        unused.retain(|other| *other != exception);
        if !exceptions.contains(&exception) {
            faults.push(format!("{}: `{}` names `{text}`, and may not name `{word}`", file.at(line), file.room));
        }
    }
    faults
        .extend(unused.iter().map(|(room, text)| format!("`{room}` does not name `{text}`: take the exception away")));
    faults.dedup();
    faults
}

/// Every place of `rooms` that names one of `packages`, other than those `allowed`. An allowed one that is not named is
/// a fault, too.
pub(crate) fn packages(house: &House, rooms: &[&str], packages: &[String], allowed: &[&str]) -> Vec<String> {
    let mut unused = allowed.to_vec();
    let mut faults = Vec::new();
    for (file, line, what) in mentions(house, rooms) {
        let (What::Path(path) | What::Import { path, .. } | What::Glob(path)) = what else { continue };
        unused.retain(|package| *package != path[0]);
        if packages.contains(&path[0]) && !allowed.contains(&path[0].as_str()) {
            faults.push(format!("{}: `{}` uses the package `{}`", file.at(line), file.room, path[0]));
        }
    }
    faults.extend(unused.iter().map(|package| format!("no pure room uses `{package}`: take it from the list")));
    faults.dedup();
    faults
}

/// Whatever keeps code from being seen at all.
pub(crate) fn hiding(house: &House) -> Vec<String> {
    let hidden = house.files.iter().flat_map(|file| file.mentions.iter().map(move |mention| (file, mention)));
    let fault = |(file, mention): (&File, &super::mentions::Mention)| match &mention.what {
        What::Hidden(what) => Some(format!("{}: {what}", file.at(mention.line))),
        What::Path(path) if path.last().is_some_and(|name| name == "include!") => {
            Some(format!("{}: include!", file.at(mention.line)))
        }
        _ => None,
    };
    hidden.filter_map(fault).collect()
}

fn mentions<'a>(house: &'a House, rooms: &'a [&str]) -> impl Iterator<Item = (&'a File, usize, &'a What)> {
    let files = house.files.iter().filter(|file| rooms.contains(&file.room.as_str()));
    files.flat_map(|file| file.mentions.iter().map(move |mention| (file, mention.line, &mention.what)))
}

fn text_of(what: &What) -> String {
    match what {
        What::Path(path) | What::Import { path, .. } => path.join("::"),
        What::Glob(path) => path.join("::") + "::*",
        What::Method(name) => format!(".{name}()"),
        What::Condition(name) => format!("cfg({name})"),
        What::Hidden(what) => what.clone(),
    }
}

/// Whether `what` is the word, or something below it.
fn means(what: &What, word: &str) -> bool {
    let segments: Vec<&str> = word.split("::").collect();
    let agrees = |path: &[String]| path.iter().zip(&segments).all(|(a, b)| a == b);
    let is_below = |path: &[String]| path.len() >= segments.len() && agrees(path);
    match what {
        What::Path(path) if word.ends_with('!') => path.last().is_some_and(|name| name == word),
        What::Path(path) if word.starts_with('.') => is_method_of_a_path(path, word),
        What::Import { path, .. } if word.ends_with('!') => path.join("::") + "!" == format!("std::{word}"),
        What::Path(path) | What::Import { path, .. } => is_below(path),
        // All of `std` has `std::fs` in it.
        What::Glob(path) => agrees(path),
        What::Method(_) | What::Condition(_) => text_of(what) == word,
        What::Hidden(_) => false,
    }
}

/// `Path::exists`, without a call.
fn is_method_of_a_path(path: &[String], word: &str) -> bool {
    let [.., of, name] = path else { return false };
    matches!(of.as_str(), "Path" | "PathBuf") && format!(".{name}()") == word
}
