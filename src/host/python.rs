//! Questions to the interpreter that will run a service.

use super::process;
use crate::catalog::discover;
use crate::error::{Error, Fault};
use crate::model::entry::PythonEntry;
use crate::model::invocation::Invocation;
use crate::model::text::Text;

/// Imports what the service will import, in its interpreter and its directory.
///
/// # Errors
/// A refused request that says what is missing, in Python's own words.
pub fn check_import(
    interpreter: &Text,
    entry: &PythonEntry,
    working_directory: &Text,
    patterns: &[(String, Text)],
) -> Result<(), Error> {
    const SCRIPT: &str = include_str!("../../templates/python/check_import.py");
    let mut argv: Vec<Text> = vec![interpreter.clone(), "-c".into(), SCRIPT.into()];
    argv.push(working_directory.clone());
    argv.push(entry.module().into());
    argv.push(entry.function().or(entry.class()).unwrap_or_default().into());
    argv.push(if entry.function().is_some() { "function" } else { "class" }.into());
    for (name, pattern) in patterns {
        argv.push(name.as_str().into());
        argv.push(pattern.clone());
    }
    let invocation = Invocation(argv);
    let outcome = process::capture(&invocation)?;
    if outcome.status.success() {
        return Ok(());
    }
    let mut fault = Fault::new(format!("Python program `{entry}`"), outcome.errors().trim().to_owned());
    fault.help = Some(format!(
        "`{interpreter}` is the interpreter that was asked; `--python PATH` names another, and \
         `{interpreter} -m pip install PACKAGE` adds what is missing"
    ));
    Err(Error::refused(fault))
}

/// Asks a Python environment for its console scripts, and gives the answer of the script.
///
/// # Errors
/// When the interpreter cannot be run or fails.
pub fn discover(interpreter: &Text, package: Option<&str>) -> Result<String, Error> {
    let mut argv: Vec<Text> = vec![interpreter.clone(), "-c".into(), discover::SCRIPT.into()];
    argv.extend(package.map(Text::from));
    Ok(process::run(&Invocation(argv))?.text())
}
