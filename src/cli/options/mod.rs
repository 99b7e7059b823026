//! The options of both commands. Each has one row, in [`install`] or in [`manage`]: how it is spelt, what it takes, what
//! it means, and what it sets. The parser, the help and the completions are made of the rows, and so is the typed call
//! that a command line is read into.
//!
//! Both spellings of an option, with `_` and with `-`, work everywhere.

pub(super) mod install;
pub(super) mod manage;
mod value;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches};

use self::value::ValueKind;
pub(super) use self::value::{PROPERTIES, of_executable};
use super::help::Depth;
use super::parse::Purpose;
use crate::error::Fault;
use crate::host::text::text;
use crate::managers;
use crate::model::refused::Refused;
use crate::model::span::Span;
use crate::model::spec::Target;
use crate::model::text::Text;
use crate::model::word::Word;

/// An option of the command whose options set `C`.
pub(super) struct Opt<C: 'static> {
    long: &'static str,
    short: Option<char>,
    help: &'static str,
    common: Common,
    takes: Takes<C>,
}

/// Whether many people need an option: the short help shows those alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Common {
    No,
    Yes,
    /// Where this is the service manager of the host.
    With(Target),
}

/// What an option takes, and what it sets.
enum Takes<C: 'static> {
    Nothing(fn(&mut C)),
    /// A value. Of several, the last one counts, as in the original.
    One(ValueKind, Set<C>),
    /// A value each time that it is given.
    Each(ValueKind, Set<C>),
}

/// Sets what a value says, or refuses the value with the rule that it breaks.
type Set<C> = fn(&mut C, Text) -> Result<(), Refused>;

impl<C> Opt<C> {
    const fn flag(long: &'static str, help: &'static str, set: fn(&mut C)) -> Self {
        Self { long, short: None, help, common: Common::No, takes: Takes::Nothing(set) }
    }

    const fn one(long: &'static str, value: ValueKind, help: &'static str, set: Set<C>) -> Self {
        Self { long, short: None, help, common: Common::No, takes: Takes::One(value, set) }
    }

    const fn each(long: &'static str, value: ValueKind, help: &'static str, set: Set<C>) -> Self {
        Self { long, short: None, help, common: Common::No, takes: Takes::Each(value, set) }
    }

    const fn short(mut self, letter: char) -> Self {
        self.short = Some(letter);
        self
    }

    /// Many people need it.
    const fn common(mut self) -> Self {
        self.common = Common::Yes;
        self
    }

    /// Many people need it who have this service manager.
    const fn common_with(mut self, target: Target) -> Self {
        self.common = Common::With(target);
        self
    }

    fn is_common(&self) -> bool {
        match self.common {
            Common::No => false,
            Common::Yes => true,
            Common::With(target) => target == managers::of_this_host(),
        }
    }

    fn takes_value(&self) -> bool {
        match self.takes {
            Takes::Nothing(_) => false,
            Takes::One(..) | Takes::Each(..) => true,
        }
    }

    /// The other spelling.
    fn other(&self) -> impl Iterator<Item = char> {
        let (from, to) = if self.long.contains('_') { ('_', '-') } else { ('-', '_') };
        self.long.chars().map(move |c| if c == from { to } else { c })
    }

    /// Whether this is how it is spelt, with its dashes.
    pub(super) fn is_spelt(&self, word: &str) -> bool {
        word.strip_prefix("--")
            .is_some_and(|word| word == self.long || word.len() == self.long.len() && word.chars().eq(self.other()))
    }

    fn arg(&self, purpose: Purpose) -> Arg {
        let arg = Arg::new(self.long).long(self.long).help(self.help);
        let arg = match self.short {
            Some(letter) => arg.short(letter),
            None => arg,
        };
        let other: String = self.other().collect();
        let arg = if other == self.long { arg } else { arg.alias(other) };
        match &self.takes {
            Takes::Nothing(_) => arg.action(ArgAction::SetTrue),
            Takes::One(value, _) => value.taken_by(arg, purpose),
            Takes::Each(value, _) => value.taken_by(arg, purpose).action(ArgAction::Append),
        }
    }
}

/// Options under the heading that the help has for them; `None` is that of `-h`.
pub(super) struct Group<C: 'static> {
    heading: Option<&'static str>,
    options: &'static [Opt<C>],
}

fn all<C>(groups: &'static [Group<C>]) -> impl Iterator<Item = &'static Opt<C>> {
    groups.iter().flat_map(|group| group.options)
}

/// Whether the option that `word` spells takes a value; `None` where there is no such option.
pub(super) fn takes_value<C>(groups: &'static [Group<C>], word: &str) -> Option<bool> {
    all(groups).find(|option| option.is_spelt(word)).map(Opt::takes_value)
}

/// `--dry-run` for `--dry_run`: an option as the help spells it.
pub(super) fn usual_spelling(word: &str) -> String {
    let known = all(install::OPTIONS).map(|option| (option.long, option.is_spelt(word)));
    let mut known = known.chain(all(manage::OPTIONS).map(|option| (option.long, option.is_spelt(word))));
    known.find(|(_, is_it)| *is_it).map_or_else(|| word.to_owned(), |(long, _)| format!("--{long}"))
}

/// The options as clap takes them, but for those whose spelling is in `taken`: a program's own
/// argument wins behind the program's name, and ours can still stand before it.
pub(super) fn args<C>(groups: &'static [Group<C>], taken: &[&str], purpose: Purpose) -> Vec<Arg> {
    let is_free = |option: &&Opt<C>| !taken.iter().any(|flag| option.is_spelt(flag));
    let of = |group: &'static Group<C>| {
        let options = group.options.iter().filter(is_free);
        let arg = |option: &Opt<C>| match purpose {
            Purpose::Help(Depth::Short) => option.arg(purpose).help_heading(COMMON_OPTIONS).hide(!option.is_common()),
            Purpose::Parse | Purpose::Help(Depth::Long) | Purpose::Complete => {
                option.arg(purpose).help_heading(group.heading)
            }
        };
        options.map(arg).collect::<Vec<_>>()
    };
    groups.iter().flat_map(of).collect()
}

/// Those of these names, for a command that has no others.
pub(super) fn chosen<C>(groups: &'static [Group<C>], longs: &[&str], purpose: Purpose) -> Vec<Arg> {
    all(groups).filter(|option| longs.contains(&option.long)).map(|option| option.arg(purpose)).collect()
}

/// The options that stand on a command line, as they were typed.
#[derive(Debug, Default)]
pub(super) struct Given {
    values: BTreeMap<&'static str, Vec<Text>>,
}

impl Given {
    /// Adds the options of one stretch of the line: they may stand before the program's name and behind it.
    pub(super) fn read<C>(&mut self, groups: &'static [Group<C>], matches: &ArgMatches) {
        for option in all(groups) {
            // One that the program's own argument has displaced is not there to ask for.
            if !option.takes_value() {
                if let Ok(Some(true)) = matches.try_get_one::<bool>(option.long) {
                    self.values.entry(option.long).or_default();
                }
            } else if let Ok(Some(found)) = matches.try_get_many::<OsString>(option.long) {
                self.values.entry(option.long).or_default().extend(found.map(text));
            }
        }
    }

    /// Adds one that clap was not shown.
    pub(super) fn add<C>(&mut self, option: &Opt<C>, value: Text) {
        self.values.entry(option.long).or_default().push(value);
    }

    /// What they say.
    pub(super) fn call<C: Default>(mut self, groups: &'static [Group<C>], faults: &mut Vec<Fault>) -> C {
        let mut call = C::default();
        for no in self.values.keys() {
            if let Some(long) = no.strip_prefix("no-").filter(|long| self.values.contains_key(long)) {
                let reason = format!("cannot be combined with `--{long}`");
                faults.push(Fault::new(format!("option `--{no}`"), reason));
            }
        }
        for option in all(groups) {
            let Some(mut values) = self.values.remove(option.long) else { continue };
            let set = match option.takes {
                Takes::Nothing(set) => {
                    set(&mut call);
                    continue;
                }
                Takes::One(_, set) => {
                    values.drain(..values.len().saturating_sub(1));
                    set
                }
                Takes::Each(_, set) => set,
            };
            for value in values {
                if let Err(Refused { reason, help, .. }) = set(&mut call, value.clone()) {
                    let fault = Fault::new(format!("option `--{}`", option.long), reason).given(value);
                    faults.push(Fault { help, ..fault });
                }
            }
        }
        call
    }
}

/// The heading of the options in the short help.
pub(super) const COMMON_OPTIONS: &str = "Common options";

/// The help of two options that both commands have.
const STATE_DIR: &str = if cfg!(windows) {
    r"The tool's own directory [default: C:\ProgramData\InstallService]"
} else {
    "The tool's own directory [default: /var/lib/install-service]"
};
const IMPORT_TIMEOUT: &str =
    "How long importing a Python program may take before it is installed, such as `90` or `5min` [default: 60 s]";

/// Sets a value: of several, the last one counts.
fn put<T>(place: &mut Option<T>, value: T) -> Result<(), Refused> {
    *place = Some(value);
    Ok(())
}

/// The one of `T` whose word this is.
fn word<T: Word>(given: &Text) -> Result<T, Refused> {
    T::of(plain(given)?).map_err(Refused::new)
}

/// What is text; programs are given anything, and we are not.
fn plain(given: &Text) -> Result<&str, Refused> {
    given.as_str().ok_or_else(|| Refused::new("must be UTF-8 text"))
}

/// `--import-timeout`: a time of a second or more; seconds, or a span with units.
fn limit(given: &Text) -> Result<Duration, Refused> {
    let span = given.as_str().and_then(|text| text.parse().ok()).map(Span::as_duration);
    span.filter(|span| span.as_secs() > 0).ok_or_else(|| {
        Refused::new("must be a time of at least a second").help("`--import-timeout 90s` or `--import-timeout 5min`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn spellings<C>(groups: &'static [Group<C>]) -> Vec<String> {
        let of = |option: &Opt<C>| BTreeSet::from([option.long.to_owned(), option.other().collect()]);
        let mut spellings: Vec<String> = all(groups).flat_map(of).collect();
        spellings.sort();
        spellings
    }

    #[test]
    fn no_two_options_share_a_spelling() {
        for mut spellings in [spellings(install::OPTIONS), spellings(manage::OPTIONS)] {
            let number = spellings.len();
            spellings.dedup();
            assert_eq!(spellings.len(), number);
        }
    }
}
