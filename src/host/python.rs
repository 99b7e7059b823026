//! Questions to the interpreter that will run a service.
//!
//! It answers them as the service will run: as its account, where it runs, with its variables and no others. Nothing
//! of ours tells it where to look for modules, neither where we are nor who has typed the command.

use std::time::Duration;

use super::account::Account;
use super::keeper::{self, Kept, Task};
use super::process;
use crate::catalog::discover;
use crate::error::{Error, Fault};
use crate::model::entry::PythonEntry;
use crate::model::invocation::Invocation;
use crate::model::nearest::nearest;
use crate::model::text::Text;

/// How long an import may take of which nothing else is said.
pub const IMPORT_LIMIT: Duration = Duration::from_secs(60);
/// The exit status of the script that imports where something else is wrong than a module that is missing.
const NO_MODULE_MISSING: i32 = 3;
/// That of the script that looks for a module where it is missing.
const NO_MODULE: i32 = 1;
/// How long the look for a module may take. What takes longer is left to the import.
const FIND_LIMIT: Duration = Duration::from_secs(20);
/// After which time it is said that one takes long.
const LONG: Duration = Duration::from_secs(5);
/// Longest time that an environment may take to describe all its console scripts; each of them has a limit of its own.
const DISCOVER_LIMIT: Duration = Duration::from_secs(400);

/// What a service imports, and as what.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Import<'a> {
    /// The interpreter.
    pub interpreter: &'a Text,
    /// The module, and what is in it.
    pub entry: &'a PythonEntry,
    /// Where the service runs.
    pub directory: &'a Text,
    /// All variables of the service.
    pub environment: Vec<(Text, Text)>,
    /// The account of the service, where it is not ours.
    pub account: Option<Account>,
}

/// What is told of code that is run to answer a question.
#[derive(Debug)]
pub enum Told<'a> {
    /// It takes long, and is ended after this time.
    TakesLong(Duration),
    /// It has left processes of these names behind, which were ended.
    Left(&'a [Text]),
    /// It has left processes of these names behind, which could not be ended.
    Stays(&'a [Text]),
}

/// Imports what the service will import, for at most `limit`. `patterns` are regular expressions, each with the name of
/// its argument.
///
/// # Errors
/// A refused request that says what is missing, in Python's own words.
pub fn check_import(
    import: &Import<'_>,
    patterns: &[(String, Text)],
    limit: Duration,
    tell: &mut dyn FnMut(Told<'_>),
) -> Result<(), Error> {
    const SCRIPT: &str = include_str!("../../templates/python/check_import.py");
    let Import { interpreter, entry, directory, .. } = import;
    let mut argv: Vec<Text> = vec![(*interpreter).clone(), "-c".into(), SCRIPT.into(), (*directory).clone()];
    argv.push(entry.module().into());
    argv.push(entry.function().or(entry.class()).unwrap_or_default().into());
    argv.push(if entry.function().is_some() { "function" } else { "class" }.into());
    for (name, pattern) in patterns {
        argv.push(name.as_str().into());
        argv.push(pattern.clone());
    }
    let mut environment = import.environment.clone();
    // What is imported now may be so with other rights than those of whoever keeps the modules.
    environment.push(("PYTHONDONTWRITEBYTECODE".into(), "1".into()));
    let task =
        Task { argv: Invocation(argv), directory: (*directory).clone(), environment, account: import.account.clone() };
    let mut tell_long = || tell(Told::TakesLong(limit));
    let Kept { outcome, left, stays } = keeper::run(&task, limit, (limit > LONG).then_some((LONG, &mut tell_long)))?;
    tell_left(&left, &stays, tell);
    let refused = |reason: String, help: String| {
        Err(Error::refused(Fault::new(format!("Python program `{entry}`"), reason).help(help)))
    };
    match outcome {
        Some(outcome) if outcome.status.success() => Ok(()),
        Some(outcome) if outcome.status.code() == Some(NO_MODULE_MISSING) => {
            let said = said(&outcome);
            let (reason, names) = said.rsplit_once('\n').unwrap_or((&said, ""));
            let wanted = entry.function().or(entry.class()).unwrap_or_default();
            let help = nearest(wanted, names.split_whitespace()).map_or_else(
                || asked(interpreter),
                |near| {
                    let meant = match (entry.class(), entry.function()) {
                        (Some(class), Some(_)) => format!("{class}={}:{near}", entry.module()),
                        (Some(_), None) => format!("{near}={}", entry.module()),
                        (None, _) => format!("{}:{near}", entry.module()),
                    };
                    format!("did you mean `{meant}`?")
                },
            );
            refused(reason.to_owned(), help)
        }
        Some(outcome) => Err(Error::refused(missing_module(interpreter, entry, said(&outcome)))),
        None => refused(
            format!("importing `{}` did not end within {} s, and was ended", entry.module(), limit.as_secs()),
            format!("`--import-timeout {}` gives it more time", limit.as_secs() * 5),
        ),
    }
}

/// Looks whether the module is there that a service will import, without running anything of it.
///
/// # Errors
/// A refused request where it is certainly missing, and [`Error::Interrupted`]. What cannot be found out is left to
/// [`check_import`].
pub fn find_module(import: &Import<'_>) -> Result<(), Error> {
    const SCRIPT: &str = include_str!("../../templates/python/find_module.py");
    let Import { interpreter, entry, directory, .. } = import;
    let words = [(*interpreter).clone(), "-c".into(), SCRIPT.into(), (*directory).clone(), entry.module().into()];
    let mut environment = import.environment.clone();
    environment.push(("PYTHONDONTWRITEBYTECODE".into(), "1".into()));
    let task = Task {
        argv: Invocation(words.to_vec()),
        directory: (*directory).clone(),
        environment,
        account: import.account.clone(),
    };
    match keeper::run(&task, FIND_LIMIT, None) {
        Ok(Kept { outcome: Some(outcome), .. }) if outcome.status.code() == Some(NO_MODULE) => {
            Err(Error::refused(missing_module(interpreter, entry, said(&outcome))))
        }
        Err(Error::Interrupted) => Err(Error::Interrupted),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn missing_module(interpreter: &Text, entry: &PythonEntry, reason: String) -> Fault {
    Fault::new(format!("Python program `{entry}`"), reason)
        .help(format!("{}, and `{interpreter} -m pip install PACKAGE` adds what is missing", asked(interpreter)))
}

fn asked(interpreter: &Text) -> String {
    format!("`{interpreter}` is the interpreter that was asked; `--python PATH` names another")
}

/// What an interpreter said that did not succeed.
fn said(outcome: &process::Outcome) -> String {
    let errors = outcome.errors();
    // The list of names, which can be empty, is a line.
    let errors = errors.strip_suffix('\n').unwrap_or(&errors);
    match errors.trim() {
        "" => format!("the interpreter ended with {}", outcome.status),
        _ => errors.trim_start().to_owned(),
    }
}

/// Asks a Python environment for its console scripts, and gives the answer of the script.
///
/// # Errors
/// When the interpreter cannot be run or fails.
pub fn discover(interpreter: &Text, package: Option<&str>, tell: &mut dyn FnMut(Told<'_>)) -> Result<String, Error> {
    let mut argv: Vec<Text> = vec![interpreter.clone(), "-c".into(), discover::SCRIPT.into()];
    argv.extend(package.map(Text::from));
    let task = Task {
        argv: Invocation(argv),
        directory: neutral_directory(interpreter),
        environment: super::environment::of_interpreter(),
        account: None,
    };
    let Kept { outcome, left, stays } = keeper::run(&task, DISCOVER_LIMIT, None)?;
    tell_left(&left, &stays, tell);
    match outcome {
        Some(outcome) if !outcome.status.success() => Err(process::failure(&task.argv, &outcome)),
        Some(outcome) if outcome.is_cut => Err(process::too_long(&task.argv)),
        Some(outcome) => Ok(outcome.text()),
        None => Err(process::too_late(&task.argv, DISCOVER_LIMIT)),
    }
}

fn tell_left(left: &[Text], stays: &[Text], tell: &mut dyn FnMut(Told<'_>)) {
    if !left.is_empty() {
        tell(Told::Left(left));
    }
    if !stays.is_empty() {
        tell(Told::Stays(stays));
    }
}

/// A directory in which nobody puts modules for others.
#[cfg(unix)]
fn neutral_directory(_interpreter: &Text) -> Text {
    "/".into()
}

/// A directory in which nobody puts modules who may not change the interpreter.
#[cfg(windows)]
fn neutral_directory(interpreter: &Text) -> Text {
    let folder = super::text::path(interpreter).parent().map(super::text::text);
    folder.unwrap_or_else(|| interpreter.clone())
}
