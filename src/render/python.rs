//! The script that a Python service runs, on Linux and on Windows.

use askama::Template;

use super::escape::{PyExpression, PyStr, Signature};
use super::fence;
use crate::model::entry::PythonEntry;
use crate::model::name::ServiceName;
use crate::model::spec::Argument;
use crate::model::text::Text;

#[derive(Template)]
#[template(path = "python/service_executable.py", askama = fence)]
struct Script {
    signature: Signature,
    name: PyStr,
    module: PyStr,
    class: Option<PyStr>,
    function: Option<PyStr>,
    arguments: Vec<PyExpression>,
    working_directory: PyStr,
    error_log: PyStr,
    environment_file: Option<PyStr>,
}

/// The script: it imports what `entry` names, tells systemd that the service is up, calls it with
/// `arguments`, and writes the traceback to `error_log` when an exception ends it.
///
/// `environment_file` is read first where the service manager does not (NSSM has no such thing).
///
/// A Python source says every text, so nothing is refused here.
pub fn script(
    name: &ServiceName,
    entry: &PythonEntry,
    arguments: &[Argument],
    working_directory: &Text,
    error_log: &Text,
    environment_file: Option<&Text>,
) -> Vec<u8> {
    let script = Script {
        signature: Signature::new(format_args!(" for the service {name}; written anew by every install.")),
        name: PyStr::from(name.as_str()),
        module: PyStr::from(entry.module()),
        // Beside a function the class only names the program.
        class: entry.class().filter(|_| entry.function().is_none()).map(PyStr::from),
        function: entry.function().map(PyStr::from),
        arguments: arguments.iter().map(expression).collect(),
        working_directory: PyStr::new(working_directory),
        error_log: PyStr::new(error_log),
        environment_file: environment_file.map(PyStr::new),
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
