//! A catalog from a Python environment: asks it for its console scripts and their argparse arguments.
//!
//! [`SCRIPT`] runs inside that environment and prints what it sees; everything that is judged about
//! it is judged here. A new version of a package needs no new release of this tool.

use std::fmt;
use std::rc::Rc;

use indexmap::IndexMap;
use serde::Deserialize;

use super::check::{consistent, flag_syntax, name_of_flags, positional_order, program_name};
use super::{ArgKind, ArgSpec, Arity, Catalog, EntryPoint, Program};

/// The program to run as `PYTHON -c SCRIPT [PACKAGE] [--timeout SECONDS]`. It prints one JSON
/// document for [`parse_answer`] and ends with status 0; otherwise the reason is on its stderr.
/// Without a package it looks at every distribution in the environment. The time-out is for each
/// script, 60 seconds by default.
pub const SCRIPT: &str = concat!(
    "PROBE = r'''",
    include_str!("../../templates/python/probe.py"),
    "'''\n",
    include_str!("../../templates/python/discover.py")
);

/// What was found in a Python environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovered {
    /// The console scripts that can become a service, by name. It may hold none.
    pub catalog: Catalog,
    /// What could not be taken over, and why.
    pub skipped: Vec<Skipped>,
}

impl Discovered {
    /// The catalog as TOML: the same text for the same answer. If there is a program in it,
    /// [`Catalog::parse`] reads it back.
    pub fn to_toml(&self) -> String {
        self.catalog.to_toml()
    }
}

/// Something that could not be taken over into the catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The console script.
    pub script: String,
    /// Its argument, if the script itself was taken over.
    pub argument: Option<String>,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Skipped { script, argument, reason } = self;
        match argument {
            Some(argument) => write!(f, "argument `{argument}` of `{script}`: {reason}"),
            None => write!(f, "`{script}`: {reason}"),
        }
    }
}

/// Why the answer of [`SCRIPT`] could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerError {
    /// What the JSON reader says.
    pub reason: String,
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the Python environment gave an answer that cannot be read: {}", self.reason)
    }
}

impl std::error::Error for AnswerError {}

/// What [`SCRIPT`] prints.
#[derive(Deserialize)]
struct Answer {
    package: Option<String>,
    version: Option<String>,
    summary: Option<String>,
    scripts: Vec<ConsoleScript>,
}

#[derive(Deserialize)]
struct ConsoleScript {
    name: String,
    entry: String,
    summary: Option<String>,
    skipped: Option<String>,
    about: Option<String>,
    #[serde(default)]
    actions: Vec<Action>,
}

/// One action of an argparse parser. The fields are argparse's, but for `action`, the name of
/// argparse's own class behind it, and the last three.
#[derive(Clone, Deserialize)]
struct Action {
    dest: String,
    flags: Vec<String>,
    action: String,
    r#type: Option<String>,
    nargs: Option<Nargs>,
    default: Option<String>,
    choices: Option<Vec<String>>,
    required: bool,
    help: String,
    metavar: Option<String>,
    group: Option<String>,
    package_dir: Option<String>,
    suffix: Option<String>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Nargs {
    Number(u16),
    Sign(String),
}

/// Turns the answer of [`SCRIPT`] into a catalog.
///
/// # Errors
/// If it is not an answer of [`SCRIPT`] at all. What is only odd in it is skipped, with the reason.
pub fn parse_answer(json: &str) -> Result<Discovered, AnswerError> {
    let answer: Answer = serde_json::from_str(json).map_err(|error| AnswerError { reason: error.to_string() })?;
    let mut programs = IndexMap::new();
    let mut skipped = Vec::new();
    for script in answer.scripts {
        let name = script.name.clone();
        match program(script, &mut skipped) {
            Ok(program) => drop(programs.insert(name, program)),
            Err(reason) => skipped.push(Skipped { script: name, argument: None, reason }),
        }
    }
    let catalog = Catalog { name: answer.package, version: answer.version, about: answer.summary, programs };
    Ok(Discovered { catalog, skipped })
}

fn program(script: ConsoleScript, skipped: &mut Vec<Skipped>) -> Result<Program, String> {
    if let Some(reason) = script.skipped {
        return Err(reason);
    }
    program_name(&script.name)?;
    let entry = script.entry.parse().map_err(|error| format!("{error}"))?;
    if let Some(action) = script.actions.iter().find(|action| action.action == "_SubParsersAction") {
        let commands = action.choices.as_deref().unwrap_or_default().join(", ");
        return Err(format!("it has sub-commands ({commands}), which a catalog cannot describe"));
    }
    let mut arguments: Vec<Rc<ArgSpec>> = Vec::new();
    for action in script.actions.iter().filter(|action| !is_about_itself(action)) {
        for action in one_flag_each(action) {
            let added = argument(&action).and_then(|spec| {
                let clash = |flag: &String| arguments.iter().any(|earlier| earlier.flags.contains(flag));
                if arguments.iter().any(|earlier| earlier.name == spec.name) || spec.flags.iter().any(clash) {
                    return Err(format!("another argument is called `{}`, too", spec.name));
                }
                Ok(spec)
            });
            match added {
                Ok(spec) => arguments.push(Rc::new(spec)),
                Err(reason) => {
                    let argument = action.flags.last().unwrap_or(&action.dest).clone();
                    if must_be_given(&action) {
                        return Err(format!("its argument `{argument}` must be given, but {reason}"));
                    }
                    skipped.push(Skipped { script: script.name.clone(), argument: Some(argument), reason });
                }
            }
        }
    }
    positional_order(&arguments)?;
    let about = [script.about.as_deref(), script.summary.as_deref()].into_iter().flatten().map(first_paragraph);
    let about = about.map(|text| text.replace("%(prog)s", &script.name)).find(|text| !text.is_empty());
    let about = about.unwrap_or_else(|| "It does not say what it does.".to_owned());
    // It is not written in a package: what is known of a program stays known in another version of its package.
    let shipped = Catalog::shipped();
    let known = shipped.find(&script.name);
    let (restart_sec, ctrl_c) = (known.and_then(|known| known.restart_sec), known.is_none_or(|known| known.ctrl_c));
    Ok(Program { name: script.name, about, entry: EntryPoint::Python(entry), arguments, restart_sec, ctrl_c })
}

fn first_paragraph(text: &str) -> String {
    let paragraph = text.trim().split("\n\n").next().unwrap_or_default();
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `-h` and `--version` print something and stop; a service has no use for them.
fn is_about_itself(action: &Action) -> bool {
    matches!(action.action.as_str(), "_HelpAction" | "_VersionAction")
}

/// Positional arguments must be given unless they take no value, whatever argparse says: it marks a
/// `*` as required when it has no default.
fn must_be_given(action: &Action) -> bool {
    match (&action.nargs, action.flags.is_empty()) {
        (Some(Nargs::Sign(sign)), true) if matches!(sign.as_str(), "?" | "*" | "...") => false,
        (_, true) => true,
        (_, false) => action.required,
    }
}

/// A `BooleanOptionalAction` is two flags, `--x` and `--no-x`; every other action is itself.
fn one_flag_each(action: &Action) -> Vec<Action> {
    if action.action != "BooleanOptionalAction" {
        return vec![action.clone()];
    }
    let (off, on): (Vec<String>, Vec<String>) =
        action.flags.iter().cloned().partition(|flag| flag.starts_with("--no-"));
    let opposite = format!("The opposite of {}.", on.first().map_or("the flag above", String::as_str));
    let part = |flags, help: &String| Action { flags, help: help.clone(), required: false, ..action.clone() };
    [part(on, &action.help), part(off, &opposite)].into_iter().filter(|part| !part.flags.is_empty()).collect()
}

fn argument(action: &Action) -> Result<ArgSpec, String> {
    let arity = match &action.nargs {
        Some(Nargs::Sign(sign)) => sign.parse().map_err(|()| match sign.as_str() {
            "..." => "taking all the rest of the command line (REMAINDER) is not supported".to_owned(),
            sign => format!("`nargs={sign}` is not supported"),
        })?,
        Some(Nargs::Number(0)) | None => Arity::One,
        Some(Nargs::Number(n)) => Arity::Exactly(*n),
    };
    let mut flags: Vec<String> = Vec::new();
    // argparse does not mind one that is given twice.
    for flag in action.flags.iter().filter(|flag| flag_syntax(flag).is_ok()) {
        if !flags.contains(flag) {
            flags.push(flag.clone());
        }
    }
    if flags.is_empty() && !action.flags.is_empty() {
        return Err(format!("a flag written `{}` is not supported", action.flags.join("`, `")));
    }
    let long = flags.iter().any(|flag| flag.starts_with("--"));
    let name = if long { name_of_flags(&flags) } else { None }.unwrap_or_else(|| action.dest.clone());
    let name: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    let kind = kind(action, &name);
    let config = kind == ArgKind::ConfigFile;
    let mut spec = ArgSpec {
        required: must_be_given(action) && kind != ArgKind::Flag,
        flags,
        kind,
        default: None,
        choices: if kind == ArgKind::Choice { action.choices.clone().unwrap_or_default() } else { Vec::new() },
        arity,
        repeat: matches!(action.action.as_str(), "_AppendAction" | "_ExtendAction" | "_CountAction"),
        help: if action.help.is_empty() { "The program does not explain it.".to_owned() } else { action.help.clone() },
        metavar: action.metavar.clone().filter(|metavar| !metavar.is_empty()),
        group: action.group.clone(),
        package_dir: action.package_dir.clone().filter(|_| config),
        suffix: action.suffix.clone().filter(|suffix| config && suffix.len() > 1),
        name,
    };
    consistent(&spec).map_err(|(_, reason)| reason)?;
    // A default that could not be typed is the program's own affair.
    let with_default = ArgSpec { default: action.default.clone(), ..spec.clone() };
    if consistent(&with_default).is_ok() {
        spec = with_default;
    }
    Ok(spec)
}

/// The kind of an action, by argparse's class and by the name of the function that reads the value.
/// The names are those of Python's library, OpenMSIStream and its `openmsitoolbox`; a function that is
/// not known takes any text, since the program checks it itself.
fn kind(action: &Action, name: &str) -> ArgKind {
    let no_value = ["_StoreTrueAction", "_StoreFalseAction", "_StoreConstAction", "_AppendConstAction"];
    let class = action.action.as_str();
    if no_value.contains(&class)
        || matches!(class, "_CountAction" | "BooleanOptionalAction")
        || matches!(action.nargs, Some(Nargs::Number(0)))
    {
        return ArgKind::Flag;
    }
    if action.choices.as_ref().is_some_and(|choices| !choices.is_empty()) {
        return ArgKind::Choice;
    }
    let Some(function) = action.r#type.as_deref() else {
        return if is_secret(name) { ArgKind::Secret } else { ArgKind::String };
    };
    match function.rsplit('.').next().unwrap_or_default() {
        "str" if is_secret(name) => ArgKind::Secret,
        "Path" | "PosixPath" | "WindowsPath" | "PurePath" | "abspath" | "realpath" => ArgKind::Path,
        "existing_dir" => ArgKind::ExistingDir,
        "existing_file" => ArgKind::ExistingFile,
        "create_dir" => ArgKind::CreateDir,
        "config_path" => ArgKind::ConfigFile,
        "int" => ArgKind::Int,
        "positive_int" => ArgKind::PositiveInt,
        "positive_float" => ArgKind::PositiveFloat,
        "int_power_of_two" => ArgKind::PowerOfTwo,
        "compile" if function.starts_with("re.") => ArgKind::Regex,
        "logger_string_to_level" => ArgKind::LogLevel,
        "detect_bucket_name" => ArgKind::BucketName,
        _ => ArgKind::String,
    }
}

/// Whether an argument of this name takes a text nobody may see: one of its words is that of a
/// secret, and it does not say that it only points to one (`password_file`, `token_url`).
fn is_secret(name: &str) -> bool {
    const SECRET: [&str; 8] =
        ["password", "passwd", "passphrase", "secret", "token", "apikey", "credential", "credentials"];
    const POINTER: [&str; 10] = ["file", "path", "dir", "name", "id", "url", "env", "type", "length", "count"];
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split('_').collect();
    let key = |pair: &[&str]| matches!(pair, ["api" | "access" | "private" | "auth" | "secret", "key"]);
    let secret = words.iter().any(|word| SECRET.contains(word)) || words.windows(2).any(key);
    secret && !words.last().is_some_and(|last| POINTER.contains(last))
}
