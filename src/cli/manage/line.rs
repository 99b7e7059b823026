//! The command line of ManageService: from argv to what is asked for.

use std::cell::LazyCell;
use std::ffi::OsString;

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, ValueEnum};

use super::order::{self, Sorted};
use crate::cli::help::{self, Depth};
use crate::cli::options::manage::{ManageCall, OPTIONS, Shape};
use crate::cli::options::{self, Given};
use crate::cli::parse::{self, Purpose};
use crate::cli::prose;
use crate::cli::styled::Styled;
use crate::commands::find::{self, Where};
use crate::commands::sources;
use crate::commands::templates::DoneTo;
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
    /// Have it read its configuration again, where its unit says how
    Reload,
    /// Start it at boot
    Enable,
    /// Do not start it at boot
    Disable,
    /// Give it the name that follows
    Rename,
    /// Give an adopted one back: its own unit and links again, what runs goes on
    Release,
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

impl Mode {
    /// What is going on while it is done, with the services behind it.
    pub(super) fn doing(self) -> &'static str {
        match self {
            Self::Start => "starting",
            Self::Status => "looking at",
            Self::Stop => "stopping",
            Self::Restart => "restarting",
            Self::Reload => "reloading",
            Self::Enable => "enabling",
            Self::Disable => "disabling",
            Self::Rename => "renaming",
            Self::Release => "releasing",
            Self::Remove | Self::StopAndRemove => "removing",
            Self::Reinstall | Self::StopAndReinstall | Self::StopAndRestart => "reinstalling",
            Self::Logs => "reading the output of",
            Self::Show => "showing",
            Self::Diff => "comparing",
            Self::Doctor => "examining",
        }
    }

    /// What it is done to, where there are templates.
    pub(super) fn done_to(self) -> DoneTo {
        match self {
            Self::Start => DoneTo::Started,
            Self::Restart | Self::Reload => DoneTo::Running,
            Self::Stop => DoneTo::Stopped,
            Self::Status => DoneTo::Shown,
            Self::Enable | Self::Disable | Self::Logs => DoneTo::Any,
            Self::Rename
            | Self::Release
            | Self::Remove
            | Self::StopAndRemove
            | Self::Reinstall
            | Self::StopAndReinstall
            | Self::StopAndRestart
            | Self::Show
            | Self::Diff
            | Self::Doctor => DoneTo::Installed,
        }
    }

    /// The word for it.
    fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
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
    /// A newer `nssm.exe` for all of them.
    UpgradeNssm(ManageCall),
    /// One thing done to services.
    Do(Mode, Names, ManageCall),
}

/// The services that something is done to.
pub(super) struct Names {
    pub(super) names: Vec<ServiceName>,
    /// A manifest named them, or the command line more than one.
    pub(super) several: bool,
    /// What the words were taken for, where that was not clear.
    pub(super) note: Option<String>,
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
    let words: Vec<Text> = matches.get_many::<OsString>("word").into_iter().flatten().map(text).collect();
    // `ManageService doctor`: of every service.
    if let ([word], false, None) = (words.as_slice(), call.list, &call.manifest)
        && is_doctor(word)
    {
        if call.shape == Some(Shape::Manifest) {
            faults.push(only_show());
        }
        return if faults.is_empty() { Ok(ManageLine::Doctor(call)) } else { Err(Error::Refused(faults)) };
    }
    if call.list {
        return alone("--list", "lists every service", &words, call, faults).map(ManageLine::List);
    }
    if call.upgrade_nssm {
        return alone("--upgrade-nssm", "is for all services", &words, call, faults).map(ManageLine::UpgradeNssm);
    }
    if call.all {
        faults.push(Fault::new("option `--all`", "must stand with `--list`").help("`ManageService --list --all`"));
    }
    let here = LazyCell::new(|| find::known(&place(&call)));
    let exists = |word: &Text| here.iter().any(|name| word.as_str() == Some(name.as_str()));
    let all: Vec<String> = modes().map(|(name, _)| name).collect();
    let Sorted { mut mode, mut names, is_ambiguous } =
        order::sorted(words, &all, |word| call.manifest.is_none() && exists(word));
    if call.manifest.is_some() {
        // `ManageService --manifest FILE MODE`: its one word is the mode.
        mode = mode.or_else(|| names.pop());
        faults.extend(
            names.drain(..).map(|name| Fault::new("argument", "a manifest names the services itself").given(name)),
        );
    }
    let others = names.iter().filter(|name| mode_of(name).is_ok() && !exists(name));
    faults.extend(others.map(|word| {
        Fault::new("mode", "a command line has one mode, and there is no service of that name").given(word)
    }));
    let missing = names.iter().find(|name| !exists(name) && mode.as_ref().is_none_or(|mode| mode_of(mode).is_err()));
    let missing = missing.map(|name| find::no_such_service(&name.to_string(), &here));
    let note = mode.as_ref().filter(|_| is_ambiguous).map(|mode| {
        let names = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        format!("`{mode}` is taken for the mode, and {names} for the service: the mode stands last")
    });
    let mode = match mode {
        Some(word) => mode_of(&word),
        None => Err(Fault::new("mode", "no mode was given").help(known_modes())),
    };
    if call.shape == Some(Shape::Manifest) && !matches!(mode, Ok(Mode::Show) | Err(_)) {
        faults.push(only_show());
    }
    let names = match &call.manifest {
        Some(path) => names_in(path, &mut faults)?,
        None => names_of(&names, &mode, &mut faults),
    };
    if let (Ok(Mode::Rename), true) = (&mode, call.manifest.is_some() || names.len() != 2) {
        faults.push(Fault::new("mode", "needs one service, and its new name").given("rename").help(RENAME));
    }
    match (mode, missing) {
        // What can be done with a service is of no use to somebody whose service is not there.
        (Err(_), Some(missing)) if faults.is_empty() => Err(missing),
        (Err(fault), _) => {
            faults.push(fault);
            Err(Error::Refused(faults))
        }
        (Ok(_), _) if !faults.is_empty() => Err(Error::Refused(faults)),
        (Ok(mode), _) => {
            let several = call.manifest.is_some() || names.len() > 1;
            Ok(ManageLine::Do(mode, Names { names, several, note }, call))
        }
    }
}

const RENAME: &str = "`ManageService NAME rename NEW`";

/// `ManageService --list` and its like: there is nothing to be named with it.
fn alone(
    option: &str,
    does: &str,
    words: &[Text],
    call: ManageCall,
    mut faults: Vec<Fault>,
) -> Result<ManageCall, Error> {
    let named = words.iter().map(|word| ("argument", word));
    let named = named.chain(call.manifest.as_ref().map(|path| ("option `--manifest`", path)));
    faults.extend(named.map(|(what, given)| Fault::new(what, format!("`{option}` {does}")).given(given)));
    if call.list && call.upgrade_nssm {
        faults.push(Fault::new("option `--upgrade-nssm`", "cannot be combined with `--list`"));
    }
    if faults.is_empty() { Ok(call) } else { Err(Error::Refused(faults)) }
}

/// Where the services of a call are.
pub(super) fn place(call: &ManageCall) -> Where {
    Where { user: call.user, state_dir: call.state_dir.clone(), catalogs: call.catalogs.clone() }
}

/// The names that stand on the command line, each once.
fn names_of(words: &[Text], mode: &Result<Mode, Fault>, faults: &mut Vec<Fault>) -> Vec<ServiceName> {
    let mut names = Vec::new();
    for word in words {
        match word.to_string().parse::<ServiceName>() {
            Ok(name) if names.contains(&name) => {}
            Ok(name) => names.push(name),
            Err(reason) => faults.push(Fault::new("service name", reason).given(word)),
        }
    }
    if let (Ok(mode), []) = (mode, words) {
        let help = format!("`ManageService NAME {}`; `ManageService --list` shows the names", mode.word());
        faults.push(Fault::new("service name", "none was given").help(help));
    }
    names
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
    let text = order::spelt(word).unwrap_or_default();
    Mode::from_str(&text, false).map_err(|_| {
        let modes: Vec<String> = modes().map(|(name, _)| name).collect();
        let near = nearest(&text, modes.iter().map(String::as_str));
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
    let word = Arg::new("word").value_name("NAME").num_args(0..);
    let name =
        || Arg::new("name").value_name("NAME").help("The service; there may be several, and MODE may come first");
    let mode = || Arg::new("mode").value_name("MODE").help("What to do with it: one of the modes below");
    let words = match purpose {
        Purpose::Complete => {
            vec![word.value_parser(PossibleValuesParser::new(modes().map(|(name, _)| name)))]
        }
        Purpose::Parse => vec![word.value_parser(ValueParser::os_string())],
        Purpose::Help(_) => vec![name(), mode()],
    };
    Command::new("ManageService")
        .version(env!("CARGO_PKG_VERSION"))
        .help_template(help::ARGUMENTS_ALONE)
        .override_usage(help::below_each_other(help::OF_MANAGE))
        .args(words)
        .args(options::args(OPTIONS, &[], purpose))
        .styles(purpose.styles())
        .max_term_width(prose::WIDEST)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(help::args(purpose))
        .args_override_self(true)
}
