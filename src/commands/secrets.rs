//! The values of secrets: typed, in the environment, kept on the host, or asked for. They go into the
//! environment file, or the credential, and nowhere else.

use indexmap::IndexMap;

use crate::error::{Error, Fault};
use crate::host::environment;
use crate::host::prompt::{self, Answer, Terminal};
use crate::model::environment_file;
use crate::model::name::{EnvName, ServiceName};
use crate::model::observed::Observed;
use crate::model::place::Place;
use crate::model::text::Text;
use crate::validate::Validated;

/// Values of a service's secrets, by their names.
pub type Values = IndexMap<EnvName, Text>;

/// The values that the host keeps for a service, of those files that could be read.
pub fn kept(name: &ServiceName, observed: &Observed, place: &Place) -> Values {
    let mut values = Values::new();
    for path in place.secrets_files(name) {
        let is_lost = observed.lost.iter().any(|(lost, _)| *lost == path);
        let Some(found) = observed.files.get(&path).filter(|_| !is_lost) else { continue };
        let read = environment_file::read(&found.contents).into_iter();
        values.extend(read.filter_map(|(name, value)| Some((name.parse().ok()?, value))));
    }
    values
}

/// Every secret with stars for its value: a dry run needs none and shows none.
pub fn hidden(service: &Validated) -> Values {
    service.spec.secrets.iter().map(|name| (name.clone(), Text::from("********"))).collect()
}

/// The values that are known without asking: typed, then from the environment, then kept; of those that are
/// `kept_first`, as a repeated install and a comparison have them, what is kept comes before the environment.
pub fn known(service: &Validated, kept: &Values, kept_first: impl Fn(&EnvName) -> bool) -> Values {
    let mut values = Values::new();
    for name in &service.spec.secrets {
        let typed = service.given_secrets.get(name).cloned();
        let set = environment::variable(name.as_str());
        let kept = kept.get(name).cloned();
        let value = if kept_first(name) { typed.or(kept).or(set) } else { typed.or(set).or(kept) };
        if let Some(value) = value {
            values.insert(name.clone(), value);
        }
    }
    values
}

/// The secrets whose values nobody knows yet.
pub fn missing(services: &[Validated], observed: &Observed, place: &Place) -> Vec<EnvName> {
    let mut missing = Vec::new();
    for service in services {
        let known = known(service, &kept(&service.spec.name, observed, place), |_| true);
        missing.extend(service.spec.secrets.iter().filter(|name| !known.contains_key(*name)).cloned());
    }
    missing.sort();
    missing.dedup();
    missing
}

/// How often a value is asked for of which nothing is typed.
const QUESTIONS: usize = 3;

/// Asks for each value on a terminal, without echo; without one, every missing name is a fault.
///
/// # Errors
/// When nobody can be asked, or the terminal goes away.
pub fn ask_for(missing: &[EnvName]) -> Result<Values, Error> {
    if !missing.is_empty() && !prompt::can_ask() {
        let faults = missing.iter().map(|name| {
            Fault::new(format!("environment variable `{name}`"), "the service needs it, and it is not set")
                .help(how_to_set(name))
        });
        return Err(Error::Refused(faults.collect()));
    }
    let mut values = Values::new();
    if !missing.is_empty() {
        let mut terminal = Terminal::begin()?;
        for name in missing {
            let question = format!("value of {name} (not shown)");
            let mut typed = terminal.ask(&question)?;
            for _ in 1..QUESTIONS {
                if typed == Answer::Nothing {
                    typed = terminal.ask(&format!("nothing was typed; {question}"))?;
                }
            }
            values.insert(name.clone(), value_of(name, typed).map_err(Error::refused)?);
        }
    }
    Ok(values)
}

/// The value that was typed, or why it is none.
fn value_of(name: &EnvName, typed: Answer) -> Result<Text, Fault> {
    let reason = match typed {
        Answer::Value(value) => return Ok(value),
        Answer::Nothing => "the service needs it, and nothing was typed".to_owned(),
        Answer::Key(byte) => {
            format!("a key was typed that is no character of a value (`{}`)", byte.escape_ascii())
        }
        Answer::TooLong { most } => format!("a terminal takes at most {most} bytes in one line"),
    };
    Err(Fault::new(format!("environment variable `{name}`"), reason).help(how_to_set(name)))
}

fn how_to_set(name: &EnvName) -> String {
    let set = if cfg!(windows) { "set" } else { "export" };
    format!("`{set} {name}=...`, then type the same command again")
}
