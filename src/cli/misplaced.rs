//! Options of ours that stand where every word belongs to the program.

use super::options;
use super::options::install::{OPTIONS, SERVICE_NAME};
use super::parse::is_option;
use crate::model::invocation::Invocation;
use crate::model::text::Text;

/// What is worth saying of options behind a Python spec, with the line that was probably meant.
///
/// `ours` are the words in front of the spec, the command itself among them; `theirs` begin with it. Behind a `--`
/// nothing is taken for a mistake.
pub(super) fn note(ours: &[Text], theirs: &[Text]) -> Option<String> {
    let (spec, words) = theirs.split_first()?;
    let (mut options, mut rest) = (Vec::new(), Vec::new());
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        if word.as_bytes() == b"--" {
            rest.push(word.clone());
            rest.extend(words.cloned());
            break;
        }
        let name = word.as_str().map(|word| word.split('=').next().unwrap_or_default());
        match name.and_then(|name| options::takes_value(OPTIONS, name)) {
            // It is ours there, too.
            Some(_) if name.is_some_and(|name| SERVICE_NAME.is_spelt(name)) => rest.push(word.clone()),
            Some(takes_value) => {
                options.push(word.clone());
                let is_value = |next: &&Text| !next.as_str().is_some_and(is_option);
                let next = takes_value && !word.as_bytes().contains(&b'=');
                options.extend(if next { words.next_if(is_value).cloned() } else { None });
            }
            None => rest.push(word.clone()),
        }
    }
    if options.is_empty() {
        return None;
    }
    let belong = if options.iter().filter(|word| word.as_bytes().starts_with(b"--")).count() == 1 { "s" } else { "" };
    let given = Invocation(options.clone()).typed();
    let meant = Invocation([ours, &options, std::slice::from_ref(spec), &rest].concat()).typed();
    Some(format!(
        "`{given}` belong{belong} to the program, as all words behind `{spec}` do; if you meant options of \
         InstallService, type `{meant}`, and if not, a `--` behind `{spec}` omits this note"
    ))
}
