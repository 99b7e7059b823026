//! The command line of ManageService: from argv to what is asked for.

use std::ffi::OsString;

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, ValueEnum};

use crate::cli::help::{self, Depth};
use crate::cli::options::manage::{ManageCall, OPTIONS, Shape};
use crate::cli::options::{self, Given};
use crate::cli::parse::{self, Purpose};
use crate::cli::prose;
use crate::cli::styled::Styled;
use crate::commands::sources;
use crate::error::{Error, Fault};
use crate::host::text::text;
use crate::managers;
use crate::model::name::ServiceName;
use crate::model::nearest::nearest;
use crate::model::text::Text;
use crate::validate;

/// What is done with a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum Mode {
    /// Start it, and wait until it has settled
    Start,
    /// Show what it is doing: exit 0 running, 3 not running
    Status,
    /// Stop it
    Stop,
    /// Stop it and start it again
    Restart,
    /// Stop it and remove its files and registration
    Remove,
    /// Install it again as it was installed the last time
    Reinstall,
    /// Stop, then remove
    StopAndRemove,
    /// Stop, remove, then reinstall
    StopAndReinstall,
    /// Stop, remove, reinstall, then start
    StopAndRestart,
    /// Show its output
    Logs,
    /// Show what is installed, and from which arguments
    Show,
    /// Compare it with what was installed: exit 0 the same, 10 different
    Diff,
    /// Find what is wrong with it, or will be: exit 0 nothing, 10 something
    Doctor,
}

/// What a command line asks for.
pub(super) enum ManageLine {
    /// Nothing was typed: the help, on the other stream.
    Nothing(Styled),
    /// The help or the version.
    Information(Styled),
    /// Every service of ours.
    List(ManageCall),
    /// What is wrong with any of them.
    Doctor(ManageCall),
    /// One thing done to services.
    Do(Mode, Names, ManageCall),
}

/// The services that something is done to.
pub(super) struct Names {
    pub(super) names: Vec<ServiceName>,
    /// A manifest named them, and not the command line its one.
    pub(super) several: bool,
}

/// Reads a command line, and the manifest that it names.
///
/// # Errors
/// Every fault of the line at once, and a manifest that cannot be read.
pub(super) fn read(argv: Vec<OsString>) -> Result<ManageLine, Error> {
    let help = |depth| {
        let arguments = command(Purpose::Help(depth)).render_help();
        help::of_manage(&arguments, &modes().collect::<Vec<_>>(), depth)
    };
    if argv.len() < 2 {
        return Ok(ManageLine::Nothing(help(Depth::Short)));
    }
    let depth = Depth::asked(&argv).unwrap_or(Depth::Short);
    let mut command = command(Purpose::Parse);
    let (outcome, mut faults) = parse::attempt(&mut command, argv, parse::MOST_FAULTS);
    let matches = match outcome {
        Ok(matches) => matches,
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp => return Ok(ManageLine::Information(help(depth))),
            ErrorKind::DisplayVersion => return Ok(ManageLine::Information(parse::raw(&error).into())),
            _ if !faults.is_empty() => return Err(Error::Refused(faults)),
            _ => return Err(Error::Usage(parse::worded(&error))),
        },
    };
    let mut given = Given::default();
    given.read(OPTIONS, &matches);
    let call: ManageCall = given.call(OPTIONS, &mut faults);
    let word = |id: &str| matches.get_one::<OsString>(id).map(text);
    // `ManageService --manifest FILE MODE`: its one word is the mode.
    let (name, mode) = match (&call.manifest, word("name"), word("mode")) {
        (None, name, mode) => (name, mode),
        (Some(_), name, None) => (None, name),
        (Some(_), Some(name), mode) => {
            faults.push(Fault::new("argument", "a manifest names the services itself").given(name));
            (None, mode)
        }
        (Some(_), None, mode) => (None, mode),
    };
    // `ManageService doctor`: of every service.
    if !call.list && call.manifest.is_none() && mode.is_none() && name.as_ref().is_some_and(is_doctor) {
        if call.shape == Some(Shape::Manifest) {
            faults.push(only_show());
        }
        return if faults.is_empty() { Ok(ManageLine::Doctor(call)) } else { Err(Error::Refused(faults)) };
    }
    if call.list {
        for (what, given) in [("argument", &name), ("option `--manifest`", &call.manifest), ("argument", &mode)] {
            let fault = given.as_ref().map(|given| Fault::new(what, "`--list` lists every service").given(given));
            faults.extend(fault);
        }
    }
    let mode = match mode {
        _ if call.list => Ok(None),
        Some(word) => mode_of(&word).map(Some).map_err(|fault| match name.as_ref().map(mode_of) {
            // `ManageService start web`
            Some(Ok(_)) => Fault::new("mode", "the name comes first, then what to do with it")
                .given(&word)
                .help("`ManageService NAME MODE`"),
            _ => fault,
        }),
        None => Err(Fault::new("mode", "no mode was given").help(known_modes())),
    };
    if call.shape == Some(Shape::Manifest) && !matches!(mode, Ok(Some(Mode::Show)) | Err(_)) {
        faults.push(only_show());
    }
    let names = match (&name, &call.manifest) {
        _ if call.list => Vec::new(),
        (Some(name), _) => match name.to_string().parse::<ServiceName>() {
            Ok(name) => vec![name],
            Err(reason) => {
                faults.push(Fault::new("service name", reason).given(name));
                Vec::new()
            }
        },
        (None, Some(path)) => names_in(path, &mut faults)?,
        (None, None) => Vec::new(),
    };
    let mode = mode.unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    Ok(match mode {
        Some(mode) => ManageLine::Do(mode, Names { names, several: call.manifest.is_some() }, call),
        None => ManageLine::List(call),
    })
}

/// The names of the services that a manifest describes.
fn names_in(path: &Text, faults: &mut Vec<Fault>) -> Result<Vec<ServiceName>, Error> {
    let mut names = Vec::new();
    for service in sources::manifest(path)? {
        match validate::name_of(&service, managers::of_this_host()) {
            Ok(name) => names.push(name),
            Err(fault) => faults.push(fault),
        }
    }
    Ok(names)
}

fn only_show() -> Fault {
    Fault::new("option `--format`", "only `show` prints a manifest").given("manifest")
}

fn is_doctor(word: &Text) -> bool {
    matches!(mode_of(word), Ok(Mode::Doctor))
}

fn mode_of(word: &Text) -> Result<Mode, Fault> {
    let text = word.as_str().unwrap_or_default();
    // Both spellings, as for options.
    Mode::from_str(&text.replace('-', "_"), false).map_err(|_| {
        let modes: Vec<String> = modes().map(|(name, _)| name).collect();
        let near = nearest(text, modes.iter().map(String::as_str));
        let help = near.map_or_else(known_modes, |near| format!("did you mean `{near}`?"));
        Fault::new("mode", "there is no such mode").given(word).help(help)
    })
}

fn known_modes() -> String {
    let modes: Vec<String> = modes().map(|(name, _)| format!("`{name}`")).collect();
    format!("the modes are {}", modes.join(", "))
}

/// The modes with a sentence each, in the order of the help.
pub(super) fn modes() -> impl Iterator<Item = (String, String)> {
    Mode::value_variants()
        .iter()
        .filter_map(Mode::to_possible_value)
        .map(|mode| (mode.get_name().to_owned(), mode.get_help().map(ToString::to_string).unwrap_or_default()))
}

pub(super) fn command(purpose: Purpose) -> Command {
    let mode = Arg::new("mode").value_name("MODE").help("What to do with it: one of the modes below");
    Command::new("ManageService")
        .version(env!("CARGO_PKG_VERSION"))
        .help_template(help::ARGUMENTS_ALONE)
        .override_usage(help::below_each_other(help::OF_MANAGE))
        .arg(Arg::new("name").value_name("NAME").value_parser(ValueParser::os_string()).help("The service"))
        .arg(match purpose {
            Purpose::Complete => mode.value_parser(PossibleValuesParser::new(modes().map(|(name, _)| name))),
            Purpose::Parse | Purpose::Help(_) => mode.value_parser(ValueParser::os_string()),
        })
        .args(options::args(OPTIONS, &[], purpose))
        .styles(purpose.styles())
        .max_term_width(prose::WIDEST)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(help::args(purpose))
        .args_override_self(true)
}
