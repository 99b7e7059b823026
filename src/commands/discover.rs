//! Asking a Python environment which programs it has.

use super::{Event, Reporter};
use crate::catalog::discover;
use crate::error::{Error, Fault};
use crate::host::facts::Host;
use crate::host::{interrupt, python};
use crate::model::facts::Facts;
use crate::model::text::Text;

/// The programs of the environment of an interpreter, or of one package in it. Without an interpreter it is that of
/// the active environment.
///
/// # Errors
/// When there is none, or it does not answer.
pub fn programs(
    python: Option<Text>,
    package: Option<&str>,
    reporter: Reporter<'_>,
) -> Result<discover::Discovered, Error> {
    let host = Host::default();
    let python = match python {
        Some(given) => host.find_program(&given).ok_or_else(|| {
            Fault::new("option `--python`", "there is no such file, or it is not marked as executable").given(given)
        }),
        None => host
            .interpreter()
            .ok_or_else(|| Fault::new("interpreter", "no Python was found").help("`--python PATH` names it")),
    }
    .map_err(Error::refused)?;
    interrupt::listen();
    let answer = python::discover(&python, package, &mut |told| reporter(Event::Discover(told)))?;
    discover::parse_answer(&answer)
        .map_err(|error| Error::refused(Fault::new("discover", error.to_string()).given(&python)))
}
