//! Which of the words of a command line is the mode, and which are names: people type them in either order.

use crate::model::nearest::nearest;
use crate::model::text::Text;

/// The words, told apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sorted {
    pub(super) mode: Option<Text>,
    pub(super) names: Vec<Text>,
    /// Another reading of them makes sense, too.
    pub(super) is_ambiguous: bool,
}

/// Tells the mode from the names of services. `NAME MODE` is how it is documented, so that counts where services that
/// are called like modes leave it open; `exists` is asked only where the words alone do not tell.
pub(super) fn sorted(words: Vec<Text>, modes: &[String], exists: impl Fn(&Text) -> bool) -> Sorted {
    let is_mode = |word: &Text| modes.iter().any(|mode| Some(mode) == spelt(word).as_ref());
    let is_near = |word: &Text| nearest(&spelt(word).unwrap_or_default(), modes.iter().map(String::as_str)).is_some();
    let makes_sense = |at: &usize| words.iter().enumerate().all(|(other, word)| other == *at || exists(word));
    let of_modes: Vec<usize> = (0..words.len()).filter(|at| is_mode(&words[*at])).collect();
    let (mode, is_ambiguous) = match (words.as_slice(), of_modes.as_slice()) {
        ([], _) => (None, false),
        ([only], of_modes) => (of_modes.first().filter(|_| !exists(only)).copied(), false),
        (_, [only]) => (Some(*only), false),
        (all, []) => {
            let slip = (0..all.len()).rev().find(makes_sense);
            let slip = slip.or_else(|| (0..all.len()).rev().find(|at| is_near(&all[*at]) && !exists(&all[*at])));
            (slip.or(Some(all.len() - 1)), false)
        }
        (_, several) => {
            let sense: Vec<usize> = several.iter().copied().filter(makes_sense).collect();
            (sense.last().or(several.last()).copied(), sense.len() > 1)
        }
    };
    let mut names = words;
    let mode = mode.map(|at| names.remove(at));
    Sorted { mode, names, is_ambiguous }
}

/// A word as modes are spelt: with `_` or with `-`, as options are.
pub(super) fn spelt(word: &Text) -> Option<String> {
    word.as_str().map(|word| word.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mode and the names of a line, where these services are there.
    fn told(line: &str, services: &str) -> String {
        let modes = ["start", "stop", "stop_and_remove"].map(str::to_owned);
        let words = |line: &str| line.split_whitespace().map(Text::from).collect::<Vec<_>>();
        let services = words(services);
        let Sorted { mode, names, is_ambiguous } = sorted(words(line), &modes, |word| services.contains(word));
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mode = mode.map_or("-".to_owned(), |mode| mode.to_string());
        format!("{mode}: {}{}", names.join(" "), if is_ambiguous { " ?" } else { "" })
    }

    #[test]
    fn a_mode_is_told_from_names_in_any_order() {
        for (line, services, expected) in [
            ("web start", "", "start: web"),
            ("start web", "", "start: web"),
            ("start a b", "", "start: a b"),
            ("a b stop-and-remove", "", "stop-and-remove: a b"),
            ("a start b", "", "start: a b"),
            ("web", "", "-: web"),
            ("start", "", "start: "),
        ] {
            assert_eq!(told(line, services), expected, "{line}");
        }
    }

    #[test]
    fn a_service_that_is_called_like_a_mode_is_meant_where_that_makes_sense() {
        for (line, services, expected) in [
            ("start", "start", "-: start"),
            ("start stop", "start", "stop: start"),
            ("start stop", "stop", "start: stop"),
            ("start start", "start", "start: start ?"),
            ("start stop", "start stop", "stop: start ?"),
            ("start web stop", "web stop", "start: web stop"),
            ("start stop", "", "stop: start"),
        ] {
            assert_eq!(told(line, services), expected, "{line} with {services}");
        }
    }

    #[test]
    fn a_slip_of_the_finger_is_told_from_a_service() {
        for (line, services, expected) in [
            ("web strat", "web", "strat: web"),
            ("strat web", "web", "strat: web"),
            ("strat web", "", "strat: web"),
            ("a b x", "a b", "x: a b"),
            ("a b", "", "b: a"),
        ] {
            assert_eq!(told(line, services), expected, "{line} with {services}");
        }
    }
}
