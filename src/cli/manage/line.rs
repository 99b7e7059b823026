//! The command line of ManageService: from argv to what is asked for.

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::ValueParser;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueEnum};

use crate::cli::options::{IMPORT_TIMEOUT, STATE_DIR, import_limit};
use crate::cli::output::HEADING;
use crate::cli::parse::Purpose;
use crate::cli::styled::Styled;
use crate::cli::{Format, parse};
use crate::commands::find::Where;
use crate::commands::logs::Part;
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
}

/// What a command line asks for.
pub(super) enum Line {
    /// Nothing was typed: the help, on the other stream.
    Nothing(Styled),
    /// The help or the version.
    Information(Styled),
    /// Every service of ours.
    List(Options, Format),
    /// One thing done to services.
    Do(Mode, Names, Options, Shape),
}

/// The services that something is done to.
pub(super) struct Names {
    pub(super) names: Vec<ServiceName>,
    /// A manifest named them, and not the command line its one.
    pub(super) several: bool,
}

/// What a command line says beside that.
pub(super) struct Options {
    pub(super) place: Where,
    pub(super) yes: bool,
    pub(super) remove_env_vars: bool,
    pub(super) remove_install_args: bool,
    pub(super) remove_nssm: bool,
    pub(super) part: Part,
    pub(super) import_limit: Duration,
}

/// How something is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Text or JSON.
    Plain(Format),
    /// A manifest, which installs it again.
    Manifest,
}

impl Shape {
    pub(super) fn plain(self) -> Format {
        match self {
            Self::Plain(format) => format,
            Self::Manifest => Format::Text,
        }
    }
}

/// Reads a command line, and the manifest that it names.
///
/// # Errors
/// Every fault of the line at once, and a manifest that cannot be read.
pub(super) fn read(argv: Vec<OsString>) -> Result<Line, Error> {
    let help = || Styled::of_clap(&command().render_help());
    if argv.len() < 2 {
        return Ok(Line::Nothing(help()));
    }
    let mut command = command().styles(Purpose::Parse.styles());
    let (outcome, mut faults) = parse::attempt(&mut command, argv, parse::MOST_FAULTS);
    let matches = match outcome {
        Ok(matches) => matches,
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp => return Ok(Line::Information(help())),
            ErrorKind::DisplayVersion => return Ok(Line::Information(parse::raw(&error).into())),
            _ if !faults.is_empty() => return Err(Error::Refused(faults)),
            _ => return Err(Error::Usage(parse::worded(&error))),
        },
    };
    let word = |id: &str| matches.get_one::<OsString>(id).map(text);
    let manifest = word("manifest");
    // `ManageService --manifest FILE MODE`: its one word is the mode.
    let (name, mode) = match (&manifest, word("name"), word("mode")) {
        (None, name, mode) => (name, mode),
        (Some(_), name, None) => (None, name),
        (Some(_), Some(name), mode) => {
            faults.push(Fault::new("argument", "a manifest names the services itself").given(name));
            (None, mode)
        }
        (Some(_), None, mode) => (None, mode),
    };
    let wants_list = matches.get_flag("list");
    if wants_list {
        for (what, given) in [("argument", &name), ("option `--manifest`", &manifest), ("argument", &mode)] {
            let fault = given.as_ref().map(|given| Fault::new(what, "`--list` lists every service").given(given));
            faults.extend(fault);
        }
    }
    let mode = match mode {
        _ if wants_list => Ok(None),
        Some(word) => mode_of(&word).map(Some).map_err(|fault| match name.as_ref().map(mode_of) {
            // `ManageService start web`
            Some(Ok(_)) => Fault::new("mode", "the name comes first, then what to do with it")
                .given(&word)
                .help("`ManageService NAME MODE`"),
            _ => fault,
        }),
        None => Err(Fault::new("mode", "no mode was given").help(known_modes())),
    };
    let shape = match (&mode, matches.get_one::<String>("format").map(String::as_str)) {
        (Ok(Some(Mode::Show)), Some("manifest")) => Shape::Manifest,
        (_, format) => Shape::Plain(Format::read(format, &mut faults)),
    };
    let names = match (&name, &manifest) {
        _ if wants_list => Vec::new(),
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
    let options = options(&matches, &mut faults);
    let mode = mode.unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    if !faults.is_empty() {
        return Err(Error::Refused(faults));
    }
    Ok(match mode {
        Some(mode) => Line::Do(mode, Names { names, several: manifest.is_some() }, options, shape),
        None => Line::List(options, shape.plain()),
    })
}

fn options(matches: &ArgMatches, faults: &mut Vec<Fault>) -> Options {
    let word = |id: &str| matches.get_one::<OsString>(id).map(text);
    let lines = word("lines").map_or(Some(DEFAULT_LINES), |lines| lines.as_str()?.parse().ok());
    if lines.is_none() {
        let lines = word("lines").unwrap_or_default();
        faults.push(Fault::new("option `--lines`", "must be a whole number").given(lines));
    }
    Options {
        place: Where {
            user: matches.get_flag("user"),
            state_dir: word("state-dir"),
            catalogs: matches.get_many::<OsString>("catalog").into_iter().flatten().map(text).collect(),
        },
        yes: matches.get_flag("yes"),
        remove_env_vars: matches.get_flag("remove_env_vars"),
        remove_install_args: matches.get_flag("remove_install_args"),
        remove_nssm: matches.get_flag("remove_nssm"),
        part: Part { lines: lines.unwrap_or(DEFAULT_LINES), follow: matches.get_flag("follow") },
        import_limit: import_limit(word("import-timeout").as_ref(), faults),
    }
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

/// How many lines `logs` shows.
const DEFAULT_LINES: u32 = 50;

pub(super) fn command() -> Command {
    let flag = |long: &'static str, help: &'static str| {
        let other = if long.contains('_') { long.replace('_', "-") } else { long.replace('-', "_") };
        let arg = Arg::new(long).long(long).help(help).action(ArgAction::SetTrue);
        if other == long { arg } else { arg.alias(other) }
    };
    Command::new("ManageService")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Look after the services that InstallService made")
        .override_usage("ManageService NAME MODE [FLAGS]\n       ManageService --manifest FILE MODE [FLAGS]\n       ManageService --list")
        .arg(Arg::new("name").value_name("NAME").value_parser(ValueParser::os_string()).help("The service"))
        .arg(
            Arg::new("mode")
                .value_name("MODE")
                .value_parser(ValueParser::os_string())
                .help("What to do with it: one of the modes below"),
        )
        .arg(
            Arg::new("manifest")
                .long("manifest")
                .value_name("FILE")
                .value_parser(ValueParser::os_string())
                .help("The services that this TOML file describes, in the place of NAME"),
        )
        .arg(flag("list", "List the services that InstallService made"))
        .arg(flag("remove_env_vars", "With `remove`: also the values of its environment variables"))
        .arg(flag("remove_install_args", "With `remove`: also the receipt that `reinstall` needs"))
        .arg(flag("remove_nssm", "With `remove`: also nssm.exe, if no other service uses it (Windows)"))
        .arg(flag("user", "A service of your own (`systemctl --user`)"))
        .arg(flag("yes", "Never ask"))
        .arg(flag("follow", "With `logs`: go on as new lines come").short('f'))
        .arg(
            Arg::new("lines")
                .long("lines")
                .short('n')
                .value_name("N")
                .value_parser(ValueParser::os_string())
                .allow_negative_numbers(true)
                .help("With `logs`: how many lines [default: 50]"),
        )
        .arg(Arg::new("format").long("format").value_name("text|json|manifest").help("How it is printed [default: text]; `show` has a manifest, too"))
        .arg(
            Arg::new("catalog")
                .long("catalog")
                .value_name("FILE")
                .value_parser(ValueParser::os_string())
                .action(ArgAction::Append)
                .help("With `reinstall`: read more programs from this catalog"),
        )
        .arg(
            Arg::new("import-timeout")
                .long("import-timeout")
                .alias("import_timeout")
                .value_name("SPAN")
                .value_parser(ValueParser::os_string())
                .help(IMPORT_TIMEOUT),
        )
        .arg(
            Arg::new("state-dir")
                .long("state-dir")
                .alias("state_dir")
                .value_name("DIR")
                .value_parser(ValueParser::os_string())
                .help(STATE_DIR),
        )
        .after_help(after_help())
        .args_override_self(true)
}

fn after_help() -> String {
    let modes: String = modes().map(|(name, help)| format!("  {name:<20}{help}\n")).collect();
    format!(
        "{HEADING}Modes:{HEADING:#}\n{modes}\n\
         {HEADING}Exit codes:{HEADING:#} 0 done or running, 1 failed, 2 wrong usage, 3 not running, 4 no such service,\n\
         5 no administrator rights, 10 different, 130 interrupted"
    )
}
