//! argv of InstallService, made into requests.
//!
//! clap knows the shape of the line and writes the help; values are checked later, all of them at
//! once. clap itself stops at the first fault, so a fault is noted, the word taken out, and the rest
//! parsed again.

use std::ffi::{OsStr, OsString};
use std::mem::ManuallyDrop;

use clap::builder::{StyledStr, Styles, ValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};
use indexmap::IndexMap;

use super::help::{self, COMMANDS, Depth};
use super::misplaced;
use super::options::install::{CATALOG, DRY_RUN, InstallCall, OPTIONS, SERVICE_NAME, STATE_DIRECTORY};
use super::options::{self, Given};
use super::output::HEADING;
use super::prose;
use super::styled::{Styled, guarded};
use super::typed;
use crate::catalog::{ArgKind, ArgSpec, Arity, Catalog, Program};
use crate::error::{Error, Fault};
use crate::host::sudo::Typed;
use crate::host::text::text;
use crate::manifest::{Arguments, Request, Value};
use crate::model::entry::PythonEntry;
use crate::model::text::Text;
use crate::validate;

/// How many faults of shape are looked for before the line is given up.
pub(super) const MOST_FAULTS: usize = 12;

/// What a command line asks for.
#[derive(Debug)]
pub enum InstallLine {
    /// One service, or the services of a manifest.
    Install {
        /// The options.
        call: Box<InstallCall>,
        /// The service of the line, if it names one.
        request: Option<Box<Request>>,
        /// What is wrong with the line itself.
        faults: Vec<Fault>,
        /// The line without its secrets, where it held any.
        typed: Option<Typed>,
        /// The same line without `--dry-run` and secrets.
        to_install: Vec<Text>,
        /// What is worth saying of the line though it is no fault.
        notes: Vec<String>,
    },
    /// `discover`.
    Discover {
        /// The interpreter to ask.
        python: Option<Text>,
        /// The package to ask about.
        package: Option<String>,
    },
    /// `import`.
    Import {
        /// What is taken over.
        what: Text,
        /// The options.
        call: Box<InstallCall>,
    },
    /// `properties`.
    Properties {
        /// What they have to have to do with.
        word: Option<String>,
        /// The options.
        call: Box<InstallCall>,
    },
    /// `completions`.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// `--help`, `--version`: text to print.
    Print(Styled),
}

/// The catalogs and the working directory that the line names, which have to be known before the
/// line can be parsed: what a program takes stands in them.
pub fn early(argv: &[OsString]) -> (Vec<Text>, Option<Text>) {
    let mut catalogs = Vec::new();
    let mut state_dir = None;
    let mut words = argv.iter().skip(1).peekable();
    while let Some(word) = words.next() {
        let Some(option) = word.to_str() else { continue };
        // What follows a `--` or a Python spec belongs to the program.
        if option == "--" || (!is_option(option) && PythonEntry::looks_like(option)) {
            break;
        }
        let (name, inline) = match option.split_once('=') {
            Some((name, value)) => (name, Some(Text::from(value))),
            None => (option, None),
        };
        // The value of another option may look like anything.
        let value = match options::takes_value(OPTIONS, name) {
            Some(true) => inline.or_else(|| words.next_if(|next| !is_option(&next.to_string_lossy())).map(text)),
            _ => None,
        };
        if CATALOG.is_spelt(name) {
            catalogs.extend(value);
        } else if STATE_DIRECTORY.is_spelt(name) {
            state_dir = value.or(state_dir);
        }
    }
    (catalogs, state_dir)
}

/// Where argv stops being ours: what follows is for a program that no catalog describes.
enum End {
    /// All of it is ours, a program of the catalog included.
    Never,
    /// At a `--`, which an executable follows.
    Dashes(usize),
    /// At a program's name or a Python spec.
    Program(usize),
}

/// Finds it by what the options in front take, and which program of the catalog comes before it.
fn end_of_ours(argv: &[OsString], catalog: &Catalog) -> (End, Option<String>) {
    let known = |word: &str| catalog.find(word).is_some() || COMMANDS.iter().any(|(command, ..)| *command == word);
    let mut at = 1;
    while let Some(word) = argv.get(at) {
        // A value that is not UTF-8 may follow the `=`.
        let text = &*word.to_string_lossy();
        if text == "--" {
            return (End::Dashes(at), None);
        }
        if !is_option(text) {
            return if known(text) { (End::Never, Some(text.to_owned())) } else { (End::Program(at), None) };
        }
        let next = argv.get(at + 1).and_then(|next| next.to_str()).unwrap_or_default();
        let takes_next = !text.contains('=')
            && !is_option(next)
            && match options::takes_value(OPTIONS, text) {
                Some(takes) => takes,
                // No option of ours. Its value, if it has one, is no program.
                None => text.starts_with("--") && !known(next) && !PythonEntry::looks_like(next),
            };
        at += if takes_next { 2 } else { 1 };
    }
    (End::Never, None)
}

/// Whether a word is an option and no value: `-` and negative numbers are values.
pub(super) fn is_option(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|rest| !rest.is_empty() && rest.parse::<f64>().is_err())
}

/// Parses argv.
///
/// # Errors
/// [`Error::Usage`] where clap gives up in a way that is no single fault.
pub fn parse(mut argv: Vec<OsString>, catalog: &Catalog) -> Result<InstallLine, Error> {
    let (end, program) = end_of_ours(&argv, catalog);
    let wanted = match program.as_deref().and_then(|name| catalog.find(name)) {
        Some(program) if argv[1] == *program.name => Wanted::First(program),
        _ => Wanted::Only(program.as_deref()),
    };
    let (ours, others) = argv.split_at(match end {
        End::Never => argv.len(),
        End::Dashes(at) | End::Program(at) => at,
    });
    let whole: Vec<Text> = without_dry_run(ours.iter().map(text)).chain(others.iter().map(text)).collect();
    let misplaced = match end {
        End::Program(_) if others.first().is_some_and(|name| PythonEntry::looks_like(&name.to_string_lossy())) => {
            let words = |words: &[OsString]| words.iter().map(text).collect::<Vec<_>>();
            misplaced::note(&words(ours), &words(others))
        }
        End::Program(_) | End::Dashes(_) | End::Never => None,
    };
    let rest: Vec<Text> = match end {
        End::Never => Vec::new(),
        End::Dashes(at) => argv.drain(at..).skip(1).map(text).collect(),
        End::Program(at) => argv.drain(at..).map(text).collect(),
    };
    if let Some(depth) = Depth::asked(&argv)
        && let Err(help) = for_good(command(catalog, Purpose::Help(depth), wanted)).try_get_matches_from_mut(&argv)
        && help.kind() == ErrorKind::DisplayHelp
    {
        return Ok(InstallLine::Print(page(&help.render(), &argv, program.as_deref(), catalog, depth)));
    }
    let mut command = for_good(command(catalog, Purpose::Parse, wanted));
    let (outcome, mut faults) = attempt(&mut command, argv.clone(), MOST_FAULTS);
    let program = program.as_deref().and_then(|name| catalog.find(name));
    if program.is_some_and(Program::has_secrets) {
        faults.iter_mut().for_each(|fault| hide_values(fault, &argv));
    }
    let matches = match outcome {
        Ok(matches) => matches,
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                return Ok(InstallLine::Print(raw(&error).into()));
            }
            _ if !faults.is_empty() => return Err(Error::Refused(faults)),
            _ => return Err(Error::Usage(worded(&error))),
        },
    };
    let mut line = read(&matches, &end, rest, catalog, faults)?;
    if let InstallLine::Install { faults, typed, to_install, notes, .. } = &mut line
        && faults.is_empty()
    {
        notes.extend(misplaced);
        *to_install = whole;
        if let Some(program) = program
            && let Some((_, sub)) = matches.subcommand()
        {
            *typed = typed::without_secrets(&argv, program, sub, &mut command);
        }
        if let (Some(typed), Some(own)) = (typed, argv.first()) {
            *to_install = [text(own)].into_iter().chain(without_dry_run(typed.words.iter().cloned())).collect();
        }
    }
    Ok(line)
}

/// Our words without that option.
fn without_dry_run(words: impl Iterator<Item = Text>) -> impl Iterator<Item = Text> {
    words.filter(|word| !word.as_str().is_some_and(|word| DRY_RUN.is_spelt(word)))
}

/// The help of what the line names in front of the word that asks for it.
fn page(arguments: &StyledStr, argv: &[OsString], named: Option<&str>, catalog: &Catalog, depth: Depth) -> Styled {
    let asks = |word: &&OsString| **word == "-h" || **word == "--help";
    match argv.iter().take_while(|word| !asks(word)).find_map(|word| named.filter(|name| *word == **name)) {
        Some(name) => match catalog.find(name) {
            Some(program) => help::of_program(arguments, program, &usage(program), depth),
            None => {
                let mut page = Styled::default();
                page.sentences(Styled::of_clap(arguments));
                page
            }
        },
        None => help::of_install(arguments, depth),
    }
}

/// A command that lasts as long as the process, whose end gives back its many small pieces sooner than we would.
fn for_good(command: Command) -> ManuallyDrop<Command> {
    ManuallyDrop::new(command)
}

fn read(
    matches: &ArgMatches,
    end: &End,
    rest: Vec<Text>,
    catalog: &Catalog,
    mut faults: Vec<Fault>,
) -> Result<InstallLine, Error> {
    let mut given = Given::default();
    given.read(OPTIONS, matches);
    let mut rest = rest.into_iter();
    let mut request = match (end, rest.next()) {
        (End::Dashes(_), Some(executable)) => Some(Request {
            executable: Some(executable),
            arguments: Arguments::List(rest.collect()),
            ..Request::default()
        }),
        (End::Dashes(_), None) => {
            faults.push(Fault::new("executable", "nothing follows the `--`").help("put the program to run after it"));
            None
        }
        (End::Program(_), Some(name)) => Some(other_program(&name, rest.collect(), &mut given, &mut faults)),
        _ => None,
    };
    match matches.subcommand() {
        None => {}
        Some(("discover" | "import" | "properties" | "completions" | "schema", _)) if !faults.is_empty() => {
            return Err(Error::Refused(faults));
        }
        Some(("discover", sub)) => {
            let call: InstallCall = given.call(OPTIONS, &mut faults);
            let python = sub.get_one::<OsString>("python").map(text).or(call.service.interpreter);
            return Ok(InstallLine::Discover { python, package: sub.get_one::<String>("package").cloned() });
        }
        Some(("properties", sub)) => {
            given.read(OPTIONS, sub);
            let call: InstallCall = given.call(OPTIONS, &mut faults);
            if !faults.is_empty() {
                return Err(Error::Refused(faults));
            }
            return Ok(InstallLine::Properties { word: sub.get_one::<String>("word").cloned(), call: Box::new(call) });
        }
        Some(("import", sub)) => {
            given.read(OPTIONS, sub);
            let call: InstallCall = given.call(OPTIONS, &mut faults);
            let what = sub.get_one::<OsString>("what").map(text);
            if what.is_none() {
                let fault = Fault::new("import", "nothing to take over was given");
                faults.push(fault.help("name a service, a unit file, or a folder of them"));
            }
            return match what {
                Some(what) if faults.is_empty() => Ok(InstallLine::Import { what, call: Box::new(call) }),
                _ => Err(Error::Refused(faults)),
            };
        }
        Some(("schema", _)) => return Ok(InstallLine::Print(MANIFEST_SCHEMA.into())),
        Some(("completions", sub)) => {
            let word = sub.get_one::<OsString>("shell").map(text);
            let shell = word.as_ref().and_then(Text::as_str).and_then(|word| word.parse().ok());
            let Some(shell) = shell else {
                let mut fault = Fault::new("shell", "must be one of `bash`, `zsh`, `fish`, `powershell`, `elvish`");
                fault.given = word.map(|word| word.to_string());
                return Err(Error::refused(fault));
            };
            return Ok(InstallLine::Completions { shell });
        }
        Some((name, sub)) => {
            let program = catalog.find(name).expect("clap knows the catalog's programs only");
            given.read(OPTIONS, sub);
            request = Some(Request {
                program: Some(program.name.clone()),
                arguments: Arguments::Named(named_arguments(program, sub)),
                ..Request::default()
            });
        }
    }
    let call: InstallCall = given.call(OPTIONS, &mut faults);
    let request = request.map(|request| Box::new(request.with(call.service.clone())));
    Ok(InstallLine::Install {
        call: Box::new(call),
        request,
        faults,
        typed: None,
        to_install: Vec::new(),
        notes: Vec::new(),
    })
}

/// A Python spec with what follows it, which belongs to the program but for the last
/// `--service_name NAME` before a `--`, as in the original.
fn other_program(name: &Text, mut words: Vec<Text>, given: &mut Given, faults: &mut Vec<Fault>) -> Request {
    let spec = name.as_str().filter(|name| PythonEntry::looks_like(name));
    let Some(spec) = spec else {
        // Refused by validation, together with everything else.
        return Request { program: Some(name.to_string()), ..Request::default() };
    };
    let end = words.iter().position(|word| word.as_bytes() == b"--").unwrap_or(words.len());
    let is_option = |word: &Text| {
        let option = word.as_bytes().split(|byte| *byte == b'=').next().unwrap_or_default();
        std::str::from_utf8(option).is_ok_and(|option| SERVICE_NAME.is_spelt(option))
    };
    let at = words[..end].iter().rposition(is_option);
    if end < words.len() {
        words.remove(end);
    }
    if let Some(at) = at {
        let option = words.remove(at);
        match option.as_bytes().iter().position(|byte| *byte == b'=') {
            Some(equals) => given.add(&SERVICE_NAME, Text::from_bytes(&option.as_bytes()[equals + 1..])),
            None if at < end - 1 => given.add(&SERVICE_NAME, words.remove(at)),
            None => faults.push(Fault::new("option `--service_name`", "needs a value")),
        }
    }
    Request { python: Some(spec.to_owned()), arguments: Arguments::List(words), ..Request::default() }
}

fn named_arguments(program: &Program, matches: &ArgMatches) -> IndexMap<String, Value> {
    let mut named = IndexMap::new();
    for spec in &program.arguments {
        if spec.kind == ArgKind::Flag {
            if matches.get_flag(&id(spec)) {
                named.insert(spec.name.clone(), Value::Flag(true));
            }
            continue;
        }
        let Some(found) = matches.get_many::<OsString>(&id(spec)) else { continue };
        let mut values: Vec<Value> = found.map(|value| Value::Word(text(value))).collect();
        let value = if is_list(spec) {
            Value::List(values)
        } else {
            // Given twice, the last one counts, as in the original.
            match values.pop() {
                Some(value) => value,
                None => continue,
            }
        };
        named.insert(spec.name.clone(), value);
    }
    named
}

/// The secrets among the arguments of a program that are values, and no references to variables.
pub(super) fn secrets(program: &Program, matches: &ArgMatches) -> IndexMap<String, Value> {
    let mut secrets = named_arguments(program, matches);
    secrets.retain(|name, value| {
        program.argument(name).is_some_and(|spec| spec.kind == ArgKind::Secret)
            && !value.words().iter().all(validate::is_reference)
    });
    secrets
}

/// What clap calls an argument of a program: an argument `path` is not our option `path`.
pub(super) fn id(spec: &ArgSpec) -> String {
    format!("program:{}", spec.name)
}

pub(super) fn is_list(spec: &ArgSpec) -> bool {
    spec.repeat || !matches!(spec.arity, Arity::One | Arity::Optional)
}

/// Parses, and parses again without each word that clap stumbles over.
pub(super) fn attempt(
    command: &mut Command,
    mut argv: Vec<OsString>,
    patience: usize,
) -> (Result<ArgMatches, clap::Error>, Vec<Fault>) {
    let error = match command.try_get_matches_from_mut(&argv) {
        Ok(matches) => return (Ok(matches), Vec::new()),
        Err(error) => error,
    };
    let Some(at) = stumbling_word(&error, &argv) else { return (Err(error), Vec::new()) };
    if patience == 0 {
        return (Err(error), Vec::new());
    }
    let fault = fault_of(&error, &argv[at]);
    let word = argv.remove(at);
    let (mut outcome, mut faults) = attempt(command, argv.clone(), patience - 1);
    // `--bogus value`: whether the value belongs to the unknown option is seen by what fits better.
    let follows = argv.get(at).is_some_and(|next| !next.as_encoded_bytes().starts_with(b"-"));
    if error.kind() == ErrorKind::UnknownArgument
        && word.as_encoded_bytes().starts_with(b"-")
        && follows
        && !faults.is_empty()
    {
        argv.remove(at);
        let without = attempt(command, argv, patience - 1);
        if without.1.len() < faults.len() {
            (outcome, faults) = without;
        }
    }
    faults.insert(0, fault);
    (outcome, faults)
}

/// Where the word that clap complains of stands in argv.
fn stumbling_word(error: &clap::Error, argv: &[OsString]) -> Option<usize> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let is_it = |given: &OsStr| {
                let given = given.to_string_lossy();
                given == word.as_str() || given.split('=').next() == Some(word.as_str())
            };
            argv.iter().skip(1).rposition(|given| is_it(given)).map(|at| at + 1)
        }
        // `--config <PATH>` without a value, `--flag=value` with one too many.
        ErrorKind::InvalidValue
        | ErrorKind::TooManyValues
        | ErrorKind::TooFewValues
        | ErrorKind::WrongNumberOfValues => {
            let option = word.split([' ', '=']).next()?;
            let is_it = |given: &OsStr| {
                given.to_str().is_some_and(|given| given == option || given.split('=').next() == Some(option))
            };
            let short = |given: &OsString| matches!(given.as_encoded_bytes(), [b'-', letter] if *letter != b'-');
            let words = argv.iter().skip(1);
            // clap names the long form of an option that was typed as `-n`.
            words.clone().rposition(|given| is_it(given)).or_else(|| words.clone().rposition(short)).map(|at| at + 1)
        }
        _ => None,
    }
}

fn fault_of(error: &clap::Error, word: &OsStr) -> Fault {
    let given = text(word);
    let is_option = given.as_bytes().starts_with(b"-");
    let mut fault = match error.kind() {
        ErrorKind::UnknownArgument if is_option => {
            // What follows a `=` may be a secret of an option that was typed wrongly.
            let name = given.as_bytes().split(|byte| *byte == b'=').next().unwrap_or_default();
            Fault::new("option", "there is no such option").given(Text::from_bytes(name))
        }
        ErrorKind::UnknownArgument => Fault::new(STRAY, "not expected here").given(&given),
        ErrorKind::TooManyValues => Fault::new(format!("option `{given}`"), "takes no value"),
        _ => Fault::new(format!("option `{given}`"), "needs a value"),
    };
    fault.help = match error.get(ContextKind::SuggestedArg) {
        Some(ContextValue::String(near)) => Some(format!("did you mean `{}`?", options::usual_spelling(near))),
        _ => match error.get(ContextKind::SuggestedSubcommand) {
            Some(ContextValue::Strings(near)) if !near.is_empty() => {
                Some(format!("did you mean `{}`?", near.join("` or `")))
            }
            _ if error.kind() == ErrorKind::UnknownArgument && is_option => Some("`-h` lists the options".to_owned()),
            _ => None,
        },
    };
    fault
}

/// What is wrong where nothing takes a word.
const STRAY: &str = "argument";

/// Takes out of a fault of the line what may be a secret there: a word that nothing takes, and the value of an option
/// that takes none.
fn hide_values(fault: &mut Fault, argv: &[OsString]) {
    if fault.what == STRAY {
        let word = fault.given.take();
        let at = argv.iter().position(|known| word.as_ref().is_some_and(|word| text(known).to_string() == *word));
        fault.what = format!("word {} of the command line", at.unwrap_or_default());
        fault.reason += " (not shown, because it may be a secret)";
    } else if let Some((option, _)) = fault.what.split_once('=') {
        fault.what = format!("{option}`");
    }
}

/// clap's message without its own `error:`, which our wording adds.
pub(super) fn worded(error: &clap::Error) -> String {
    let text = raw(error);
    text.strip_prefix("error: ").unwrap_or(&text).trim_end().to_owned()
}

/// clap's message, of a command without styles: what looks like one was typed.
pub(super) fn raw(error: &clap::Error) -> String {
    error.render().ansi().to_string()
}

/// What a command is made for. To describe itself it says which arguments are required; a line is parsed
/// without that, because a missing one is reported together with all other faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To read a line.
    Parse,
    /// To describe itself to people, for [`Styled::of_clap`].
    Help(Depth),
    /// To describe itself to a shell.
    Complete,
}

impl Purpose {
    /// Text of a catalog, as clap is given it.
    fn text(self, foreign: &str) -> String {
        match self {
            Self::Help(_) => guarded(foreign),
            Self::Parse | Self::Complete => foreign.to_owned(),
        }
    }

    /// No styles in what clap says of words that were typed: there, an ESC is one of these words.
    pub(super) fn styles(self) -> Styles {
        match self {
            Self::Parse => Styles::plain(),
            Self::Help(_) | Self::Complete => Styles::styled().header(HEADING).usage(HEADING),
        }
    }
}

/// Whose arguments a command has: making those of every program takes longer than all the rest.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// Every program's.
    All,
    /// Those of the program that the line names, if any.
    Only(Option<&'a str>),
    /// Those of the program that the line begins with: nothing else can stand there.
    First(&'a Program),
}

/// The command, without what it takes.
fn bare(purpose: Purpose) -> Command {
    Command::new("InstallService")
        // Else clap says what was typed, on Windows with its `.exe`.
        .bin_name("InstallService")
        .version(env!("CARGO_PKG_VERSION"))
        .styles(purpose.styles())
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .max_term_width(prose::WIDEST)
        .args_override_self(true)
        .args(help::args(purpose))
}

/// The whole command, with a subcommand for each program of the catalog.
pub fn command(catalog: &Catalog, purpose: Purpose, wanted: Wanted<'_>) -> Command {
    if let Wanted::First(program) = wanted {
        return bare(purpose).subcommand(program_command(program, purpose));
    }
    let help_arg = || help::args(Purpose::Complete).into_iter().next();
    let mut command = bare(purpose)
        .help_template(help::ARGUMENTS_ALONE)
        .override_usage(help::below_each_other(help::OF_INSTALL))
        .subcommand_help_heading("Programs")
        .subcommand_value_name("PROGRAM")
        .args(options::args(OPTIONS, &[], purpose))
        .arg(
            Arg::new("command")
                .last(true)
                .num_args(1..)
                .value_name("EXECUTABLE [ARGUMENTS]")
                .value_parser(ValueParser::os_string())
                .hide(purpose == Purpose::Help(Depth::Short))
                .help("Any executable and its arguments, all of them as they are"),
        )
        .subcommand(
            Command::new("discover")
                .hide(true)
                .about(help::about("discover"))
                .arg(
                    options::of_executable(Arg::new("python"), purpose).long("python").help(
                        "The interpreter to ask [default: of the active venv or conda environment, else from PATH]",
                    ),
                )
                .arg(Arg::new("package").value_name("PACKAGE").help("Only the console scripts of this package"))
                .args(help_arg()),
        )
            .subcommand(
                Command::new("import")
                    .hide(true)
                    .about(help::about("import"))
                    .arg(
                        Arg::new("what")
                            .value_name("NAME|FILE|FOLDER")
                            .value_parser(ValueParser::os_string())
                            .value_hint(ValueHint::AnyPath)
                            .help("A service of this host, a unit file or what `systemctl cat` has printed, or a folder of unit files"),
                    )
                    .args(options::chosen(OPTIONS, &["user", "state-dir"], purpose))
                    .arg(
                        Arg::new("output")
                            .long("output")
                            .value_name("FILE")
                            .value_parser(ValueParser::os_string())
                            .value_hint(ValueHint::FilePath)
                            .help("Write the manifest into this file, which must not be there yet [default: standard output]"),
                    )
                    .args(help_arg()),
            )
        .subcommand(
            Command::new("properties")
                .hide(true)
                .about(help::about("properties"))
                .arg(Arg::new("word").value_name("WORD").help("Only those that have it in their name or their line"))
                .args(options::chosen(OPTIONS, &["target", "format"], Purpose::Parse))
                .mut_arg("format", |arg| arg.help("How they are printed [default: text]"))
                .args(help_arg()),
        )
        .subcommand(Command::new("schema").hide(true).about(help::about("schema")).args(help_arg()))
        .subcommand(
            Command::new("completions")
                .hide(true)
                .about(help::about("completions"))
                .arg(
                    Arg::new("shell")
                        .value_name("SHELL")
                        .value_parser(ValueParser::os_string())
                        .help("bash, zsh, fish, powershell or elvish"),
                )
                .args(help_arg()),
        );
    for program in catalog.programs.values() {
        command = command.subcommand(match wanted {
            Wanted::Only(name) if name != Some(&program.name) => {
                Command::new(program.name.clone()).about(purpose.text(&program.about))
            }
            _ => program_command(program, purpose),
        });
    }
    command
}

/// Made from the types by tests/suite/manifest.rs.
const MANIFEST_SCHEMA: &str = include_str!("../../docs/manifest.schema.json");

fn program_command(program: &Program, purpose: Purpose) -> Command {
    let mut taken: Vec<&str> = Vec::new();
    let mut command = Command::new(program.name.clone())
        .about(purpose.text(&program.about))
        .help_template(help::ARGUMENTS_ALONE)
        .override_usage(purpose.text(&usage(program)))
        .disable_help_flag(true);
    let options = program.arguments.iter().filter(|spec| !spec.is_positional());
    // Those first that cannot be left out.
    let (required, others): (Vec<_>, Vec<_>) = options.partition(|spec| spec.required);
    // clap puts the positional ones last otherwise.
    for (at, spec) in program.positionals().enumerate() {
        let required = spec.required && purpose != Purpose::Parse;
        command = command.arg(program_arg(spec, purpose).display_order(at).required(required));
    }
    command = command.next_display_order(program.arguments.len());
    for spec in required.into_iter().chain(others) {
        taken.extend(spec.flags.iter().map(String::as_str));
        command = command.arg(program_arg(spec, purpose));
    }
    let [help, _] = help::args(purpose);
    command.args(options::args(OPTIONS, &taken, purpose)).arg(help)
}

fn usage(program: &Program) -> String {
    let mut usage = format!("InstallService [OPTIONS] {}", program.name);
    for spec in program.positionals() {
        let name = spec.metavar.as_deref().unwrap_or(&spec.name).to_uppercase();
        usage += &if spec.required { format!(" {name}") } else { format!(" [{name}]") };
    }
    usage + " [PROGRAM ARGUMENTS] [OPTIONS]"
}

fn program_arg(spec: &ArgSpec, purpose: Purpose) -> Arg {
    let mut help = spec.help.clone();
    let mut facts = Vec::new();
    if !spec.choices.is_empty() {
        facts.push(format!("one of {}", spec.choices.join(", ")));
    }
    if let Some(default) = spec.default.as_ref().filter(|_| spec.kind != ArgKind::Flag) {
        facts.push(format!("default: {default}"));
    }
    if spec.required && !spec.is_positional() && purpose == Purpose::Complete {
        facts.push("required".to_owned());
    }
    if !facts.is_empty() {
        help += &format!(" [{}]", facts.join("; "));
    }
    let heading = match &spec.group {
        _ if spec.required => "Required arguments".to_owned(),
        Some(group) => purpose.text(group),
        None => "Program arguments".to_owned(),
    };
    let mut arg = Arg::new(id(spec)).help(purpose.text(&help)).help_heading(heading);
    if spec.is_positional() {
        arg = arg.value_name(purpose.text(&spec.metavar.as_deref().unwrap_or(&spec.name).to_uppercase()));
    }
    for flag in &spec.flags {
        arg = match (flag.strip_prefix("--"), flag.strip_prefix('-').and_then(|rest| rest.chars().next())) {
            (Some(long), _) if arg.get_long().is_none() => arg.long(long.to_owned()),
            (Some(long), _) => arg.visible_alias(long.to_owned()),
            (None, Some(short)) if arg.get_short().is_none() => arg.short(short),
            (None, Some(short)) => arg.visible_short_alias(short),
            (None, None) => arg,
        };
    }
    if spec.kind == ArgKind::Flag {
        return arg.action(ArgAction::SetTrue);
    }
    arg = arg.value_parser(ValueParser::os_string()).allow_negative_numbers(true);
    if !spec.is_positional() {
        arg = arg.value_name(purpose.text(spec.value_name()));
    }
    let (fewest, most) = spec.arity.bounds();
    match most {
        // A second word for it is one too many; an option given twice counts the last time.
        Some(1) if spec.is_positional() => return arg.num_args(1),
        // Whether there are enough is checked with everything else.
        Some(most) if spec.is_positional() => arg.num_args(..=most),
        Some(most) => arg.num_args(fewest..=most),
        None => arg.num_args(fewest..),
    }
    .action(ArgAction::Append)
}
