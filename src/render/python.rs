//! The script that a Python service runs, on Linux and on Windows.

use askama::Template;

use super::escape::{PyExpression, PyStr, Signature};
use super::fence;
use crate::model::entry::PythonEntry;
use crate::model::name::ServiceName;
use crate::model::place::CREDENTIAL;
use crate::model::spec::Argument;
use crate::model::text::Text;

#[derive(Template)]
#[template(path = "python/service_executable.py", askama = fence)]
struct ServiceScript {
    signature: Signature,
    name: PyStr,
    module: PyStr,
    class: Option<PyStr>,
    function: Option<PyStr>,
    arguments: Vec<PyExpression>,
    working_directory: PyStr,
    error_log: PyStr,
    left_to_root: bool,
    environment_file: Option<PyExpression>,
}

/// Where the script finds the secrets, where the service manager puts none into its environment.
#[derive(Clone, Copy, Debug)]
pub enum Secrets<'a> {
    /// In the environment, or there are none.
    Given,
    /// In this environment file.
    File(&'a Text),
    /// In the credential that systemd hands over.
    Credential,
}

/// The error log of a Python service.
#[derive(Clone, Copy, Debug)]
pub struct Log<'a> {
    /// Where it is.
    pub path: &'a Text,
    /// Whether root writes it where its directory is not the account's: the service manager does what the script cannot,
    /// which is to give a file to somebody else.
    pub left_to_root: bool,
}

/// The script: it imports what `entry` names, tells systemd that the service is up, calls it with
/// `arguments`, and writes the traceback to the error log when an exception ends it.
///
/// `secrets` are read first.
///
/// A Python source says every text, so nothing is refused here.
pub fn script(
    name: &ServiceName,
    entry: &PythonEntry,
    arguments: &[Argument],
    working_directory: &Text,
    log: Log<'_>,
    secrets: Secrets<'_>,
) -> Vec<u8> {
    let script = ServiceScript {
        signature: Signature::new(format_args!(" for the service {name}; written anew by every install.")),
        name: PyStr::from(name.as_str()),
        module: PyStr::from(entry.module()),
        // Beside a function the class only names the program.
        class: entry.class().filter(|_| entry.function().is_none()).map(PyStr::from),
        function: entry.function().map(PyStr::from),
        arguments: arguments.iter().map(expression).collect(),
        working_directory: PyStr::new(working_directory),
        error_log: PyStr::new(log.path),
        left_to_root: log.left_to_root,
        environment_file: match secrets {
            Secrets::Given => None,
            Secrets::File(path) => Some(PyStr::new(path).into()),
            Secrets::Credential => Some(PyExpression::credential(CREDENTIAL)),
        },
    };
    let mut source = script.render().expect("every field is checked").into_bytes();
    source.push(b'\n');
    source
}

fn expression(argument: &Argument) -> PyExpression {
    match argument {
        Argument::Literal(text) => PyStr::new(text).into(),
        Argument::Reference { before, variable } => PyExpression::reference(before, variable),
    }
}
