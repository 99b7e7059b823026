//! From TOML to a [`Catalog`] and back.
//!
//! The text is read twice: by serde into the `Raw` types, which are the file's schema in both
//! directions, and as a table with spans, which knows the line of every key.

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

use indexmap::IndexMap;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::suggest::nearest;
use super::{ArgKind, ArgSpec, Arity, Catalog, CatalogError, Entry, Program};
use crate::model::entry::PythonEntry;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawCatalog {
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog: Option<RawInfo>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    set: Vec<RawSet>,
    #[serde(default)]
    program: Vec<RawProgram>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawSet {
    name: String,
    #[serde(default)]
    argument: Vec<RawArgument>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawProgram {
    name: String,
    about: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    python: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    executable: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    include: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    argument: Vec<RawArgument>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawArgument {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    flags: Vec<String>,
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<Scalar>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    choices: Vec<Scalar>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "sign_or_number")]
    arity: Option<Scalar>,
    #[serde(default, skip_serializing_if = "is_false")]
    repeat: bool,
    help: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    metavar: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    package_dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suffix: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A text that may also be written as a number: `default = 300`.
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Scalar, E> {
                match number.is_finite() {
                    true => Ok(Scalar(format!("{number:?}"))),
                    false => Err(E::custom("it is not a finite number")),
                }
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

fn sign_or_number<S: Serializer>(arity: &Option<Scalar>, serializer: S) -> Result<S::Ok, S::Error> {
    match arity.as_ref().map(|text| (text, text.0.parse::<u16>())) {
        Some((_, Ok(number))) => serializer.serialize_u16(number),
        Some((text, Err(_))) => text.serialize(serializer),
        None => serializer.serialize_none(),
    }
}

/// See [`Catalog::parse`].
pub(super) fn parse(text: &str, origin: &str) -> Result<Catalog, CatalogError> {
    read(text).map_err(|Fault { at, key, reason, help }| CatalogError {
        file: origin.to_owned(),
        line: text.as_bytes()[..at.min(text.len())].iter().filter(|&&b| b == b'\n').count() + 1,
        key,
        reason,
        help,
    })
}

/// See [`Catalog::to_toml`].
pub(super) fn to_toml(catalog: &Catalog) -> String {
    toml::to_string(&RawCatalog::from(catalog)).expect("texts, lists and tables are always TOML")
}

/// A fault at a byte of the text.
struct Fault {
    at: usize,
    key: Option<String>,
    reason: String,
    help: Option<String>,
}

impl Fault {
    fn new(at: usize, key: &str, reason: impl Into<String>) -> Fault {
        Fault { at, key: Some(key.to_owned()), reason: reason.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Fault {
        Fault { help: Some(help.into()), ..self }
    }

    /// Names the nearest of the words that would have been right, or all of them.
    fn expected(self, given: &str, words: &[&str]) -> Fault {
        match nearest(given, words.iter().copied()) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self.help(format!("write one of `{}`", words.join("`, `"))),
        }
    }
}

fn read(text: &str) -> Result<Catalog, Fault> {
    let document = DeTable::parse(text).map_err(|error| syntax(text, &error))?;
    let raw: RawCatalog = toml::from_str(text).map_err(|error| schema(document.get_ref(), &error))?;

    let root = Node { table: document.get_ref(), at: 0 };
    let sets = sets(raw.set, &root)?;
    if raw.program.is_empty() {
        return Err(Fault::new(0, "program", "the catalog holds no program"));
    }
    let mut programs = IndexMap::new();
    for (raw, node) in raw.program.into_iter().zip(root.tables("program")) {
        let program = program(raw, &node, &sets)?;
        if programs.contains_key(&program.name) {
            let reason = format!("a second program is called `{}`", program.name);
            return Err(Fault::new(node.at("name"), "name", reason));
        }
        programs.insert(program.name.clone(), program);
    }
    let (name, version, about) = raw.catalog.map_or((None, None, None), |info| (info.name, info.version, info.about));
    Ok(Catalog { name, version, about, programs })
}

/// A table and its place in the text.
struct Node<'a> {
    table: &'a DeTable<'a>,
    at: usize,
}

impl<'a> Node<'a> {
    /// Where the key stands, or the table if it has no such key.
    fn at(&self, key: &str) -> usize {
        let found = self.table.iter().find(|(name, _)| name.get_ref() == key);
        found.map_or(self.at, |(name, _)| name.span().start)
    }

    /// The tables of an array of tables.
    fn tables(&self, key: &str) -> Vec<Node<'a>> {
        let found = self.table.iter().find(|(name, _)| name.get_ref() == key);
        let Some(DeValue::Array(array)) = found.map(|(_, value)| value.get_ref()) else {
            return Vec::new();
        };
        let table = |value: &'a Spanned<DeValue<'a>>| match value.get_ref() {
            DeValue::Table(table) => Some(Node { table, at: value.span().start }),
            _ => None,
        };
        array.iter().filter_map(table).collect()
    }
}

fn syntax(text: &str, error: &toml::de::Error) -> Fault {
    let at = error.span().map_or(0, |span| span.start).min(text.len());
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let key = line.split_once('=').map(|(key, _)| key.trim().to_owned());
    Fault { at, key, reason: format!("this is not TOML: {}", error.message()), help: None }
}

/// An error of serde: its message is the only thing that tells a missing key from an unknown one.
fn schema(document: &DeTable<'_>, error: &toml::de::Error) -> Fault {
    let at = error.span().map_or(0, |span| span.start);
    let message = error.message();
    let mut words = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field") {
        let given = words.next().unwrap_or_default();
        let known: Vec<&str> = words.collect();
        return Fault::new(at, given, "there is no such key here").expected(given, &known);
    }
    if message.starts_with("missing field") {
        return Fault::new(at, words.next().unwrap_or_default(), "this key is missing");
    }
    let key = innermost_key(document, at);
    Fault { at, key, reason: message.to_owned(), help: None }
}

/// The innermost key whose value or name stands at a byte of the text.
fn innermost_key(table: &DeTable<'_>, at: usize) -> Option<String> {
    fn within(value: &Spanned<DeValue<'_>>, at: usize) -> Option<Option<String>> {
        let inner = match value.get_ref() {
            DeValue::Table(table) => innermost_key(table, at),
            DeValue::Array(array) => array.iter().find_map(|value| within(value, at)).flatten(),
            _ => None,
        };
        let holds = |span: Range<usize>| span.contains(&at);
        (inner.is_some() || holds(value.span())).then_some(inner)
    }
    table.iter().find_map(|(key, value)| match within(value, at) {
        Some(inner) => Some(inner.unwrap_or_else(|| key.get_ref().to_string())),
        None => key.span().contains(&at).then(|| key.get_ref().to_string()),
    })
}

/// The shared arguments, by the name of their set.
fn sets(raw: Vec<RawSet>, root: &Node<'_>) -> Result<IndexMap<String, Vec<ArgSpec>>, Fault> {
    let mut sets = IndexMap::new();
    for (raw, node) in raw.into_iter().zip(root.tables("set")) {
        if sets.contains_key(&raw.name) {
            let reason = format!("a second set is called `{}`", raw.name);
            return Err(Fault::new(node.at("name"), "name", reason));
        }
        let mut specs = arguments(raw.argument, &node)?;
        for spec in &mut specs {
            spec.group.get_or_insert_with(|| raw.name.clone());
        }
        sets.insert(raw.name, specs);
    }
    Ok(sets)
}

fn program(raw: RawProgram, node: &Node<'_>, sets: &IndexMap<String, Vec<ArgSpec>>) -> Result<Program, Fault> {
    let RawProgram { name, about, python, executable, include, argument } = raw;
    if let Err(reason) = program_name(&name) {
        return Err(Fault::new(node.at("name"), "name", reason));
    }
    if about.trim().is_empty() {
        return Err(Fault::new(node.at("about"), "about", "it says nothing"));
    }
    let entry = match (python, executable) {
        (Some(spec), None) => match spec.parse::<PythonEntry>() {
            Ok(entry) => Entry::Python(entry),
            Err(error) => {
                let help = "write `package.module:function` or `Class=package.module`";
                let reason = format!("`{spec}` is not a Python spec: {}", error.reason);
                return Err(Fault::new(node.at("python"), "python", reason).help(help));
            }
        },
        (None, Some(path)) if is_absolute(&path) => Entry::Executable(path),
        (None, Some(path)) => {
            let reason = format!("`{path}` is not an absolute path");
            return Err(Fault::new(node.at("executable"), "executable", reason));
        }
        (None, None) => {
            let reason = "it is not said what the program starts";
            let help = "write `python = \"package.module:function\"` or `executable = \"/path\"`";
            return Err(Fault::new(node.at, "python", reason).help(help));
        }
        (Some(_), Some(_)) => {
            let reason = "a program has either `python` or `executable`, not both";
            return Err(Fault::new(node.at("executable"), "executable", reason));
        }
    };

    let mut arguments = arguments(argument, node)?;
    for name in include {
        let Some(set) = sets.get(&name) else {
            let known: Vec<&str> = sets.keys().map(String::as_str).collect();
            let reason = format!("there is no set `{name}`");
            return Err(Fault::new(node.at("include"), "include", reason).expected(&name, &known));
        };
        for spec in set {
            if arguments.iter().all(|own| own.name != spec.name) {
                arguments.push(spec.clone());
            }
        }
    }
    unique_flags(&arguments).map_err(|why| Fault::new(node.at("include"), "include", why))?;
    positional_order(&arguments).map_err(|why| Fault::new(node.at("argument"), "argument", why))?;
    Ok(Program { name, about, entry, arguments })
}

/// A program's name is typed where a path, a Python spec or an option could stand, and becomes the
/// name of a service.
pub(super) fn program_name(name: &str) -> Result<(), String> {
    let odd = |c: char| !(c.is_alphanumeric() || "._-+@".contains(c));
    match name.chars().next() {
        None => Err("the name is empty".to_owned()),
        Some('-' | '.') => Err(format!("`{name}` must begin with a letter or a digit")),
        Some(_) => match name.chars().find(|&c| odd(c)) {
            Some(c) => Err(format!("`{name}` holds {c:?}, which a program's name cannot")),
            None => Ok(()),
        },
    }
}

/// Absolute on Linux or on Windows: which of them the catalog is for is not known here.
fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    let drive = matches!(bytes, [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
    path.starts_with('/') || path.starts_with("\\\\") || drive
}

fn arguments(raw: Vec<RawArgument>, parent: &Node<'_>) -> Result<Vec<ArgSpec>, Fault> {
    let mut specs: Vec<ArgSpec> = Vec::with_capacity(raw.len());
    for (raw, node) in raw.into_iter().zip(parent.tables("argument")) {
        let spec = argument(raw, &node)?;
        if specs.iter().any(|earlier| earlier.name == spec.name) {
            let reason = format!("a second argument is called `{}`", spec.name);
            let key = if node.table.contains_key("name") { "name" } else { "flags" };
            return Err(Fault::new(node.at(key), key, reason));
        }
        specs.push(spec);
        unique_flags(&specs).map_err(|why| Fault::new(node.at("flags"), "flags", why))?;
    }
    Ok(specs)
}

fn argument(raw: RawArgument, node: &Node<'_>) -> Result<ArgSpec, Fault> {
    let fault = |key: &str, reason: String| Fault::new(node.at(key), key, reason);
    let Ok(kind) = raw.kind.parse::<ArgKind>() else {
        let names = ArgKind::ALL.map(ArgKind::name);
        return Err(fault("kind", format!("there is no kind `{}`", raw.kind)).expected(&raw.kind, &names));
    };
    for flag in &raw.flags {
        flag_syntax(flag).map_err(|why| fault("flags", why))?;
    }
    let Some(name) = raw.name.or_else(|| name_of_flags(&raw.flags)) else {
        let help = "a positional argument has `name`, an option has `flags`";
        return Err(fault("name", "the argument has neither a name nor flags".into()).help(help));
    };
    if let Some(c) = name.chars().find(|&c| !(c.is_alphanumeric() || "._-".contains(c))) {
        return Err(fault("name", format!("`{name}` holds {c:?}, which an argument's name cannot")));
    }
    if name.is_empty() {
        return Err(fault("name", "the name is empty".into()));
    }
    if raw.help.trim().is_empty() {
        return Err(fault("help", "the help is empty".into()));
    }
    let arity = match &raw.arity {
        None => Arity::One,
        Some(text) => text.0.parse().map_err(|()| {
            fault("arity", format!("`{}` is not a number of values", text.0))
                .help("write \"?\", \"*\", \"+\" or a number of at least 1")
        })?,
    };
    let positional = raw.flags.is_empty();
    let spec = ArgSpec {
        required: raw.required.unwrap_or(positional && arity.bounds().0 > 0),
        name,
        flags: raw.flags,
        kind,
        default: raw.default.map(|scalar| scalar.0),
        choices: raw.choices.into_iter().map(|scalar| scalar.0).collect(),
        arity,
        repeat: raw.repeat,
        help: raw.help,
        metavar: raw.metavar,
        group: raw.group,
        package_dir: raw.package_dir,
        suffix: raw.suffix,
    };
    consistent(&spec).map_err(|(key, reason)| fault(key, reason))?;
    Ok(spec)
}

/// Whether the keys of an argument go together: the key at fault and the reason, if not.
pub(super) fn consistent(spec: &ArgSpec) -> Result<(), (&'static str, String)> {
    let fault = |key: &'static str, reason: String| Err((key, reason));
    let positional = spec.is_positional();
    match spec.kind {
        ArgKind::Choice if spec.choices.is_empty() => {
            return fault("choices", "a choice needs its words".into());
        }
        ArgKind::Choice => {}
        kind if !spec.choices.is_empty() => {
            return fault("choices", format!("only kind `choice` has words, not `{kind}`"));
        }
        ArgKind::Flag if positional => {
            return fault("kind", "a positional argument cannot be a flag".into());
        }
        ArgKind::Flag if spec.arity != Arity::One => {
            return fault("arity", "a flag takes no value".into());
        }
        ArgKind::Flag if spec.required => {
            return fault("required", "a flag that must be given says nothing".into());
        }
        _ => {}
    }
    let mut seen = HashSet::new();
    if let Some(twice) = spec.choices.iter().find(|choice| !seen.insert(choice.as_str())) {
        return fault("choices", format!("`{twice}` stands there twice"));
    }
    if positional && spec.repeat {
        return fault("repeat", "a positional argument has its values in `arity`".into());
    }
    if let Some(default) = &spec.default {
        match (spec.kind, spec.arity) {
            (ArgKind::Flag, _) => return fault("default", "a flag has no default".into()),
            (ArgKind::Secret, _) => {
                return fault("default", "a secret does not stand in a catalog".into());
            }
            _ if spec.required => {
                return fault("default", "an argument that must be given has no default".into());
            }
            (_, Arity::One | Arity::Optional) => {
                spec.check(default).map_err(|reason| ("default", reason))?;
            }
            _ => {
                return fault("default", "an argument of many values has no default".into());
            }
        }
    }
    let config = spec.kind == ArgKind::ConfigFile;
    match &spec.package_dir {
        Some(_) if !config => {
            return fault("package_dir", "only kind `config_file` has this key".into());
        }
        Some(dir) if is_absolute(dir) || dir.split('/').any(|part| matches!(part, "" | "." | "..")) => {
            let reason = format!("`{dir}` is not a directory inside the package, such as `pkg/dir`");
            return fault("package_dir", reason);
        }
        _ => {}
    }
    match spec.suffix.as_deref() {
        Some(_) if !config => fault("suffix", "only kind `config_file` has this key".into()),
        Some(suffix) if suffix.len() < 2 || !suffix.starts_with('.') => {
            fault("suffix", format!("`{suffix}` is not a suffix, such as `.config`"))
        }
        _ => Ok(()),
    }
}

/// `-x` or `--some-name`. A single dash before a longer name, which argparse allows, reads as a row
/// of short flags to everyone else.
pub(super) fn flag_syntax(flag: &str) -> Result<(), String> {
    let word = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    match flag.strip_prefix("--") {
        _ if matches!(flag, "-h" | "--help") => Err(format!("`{flag}` always shows the help")),
        Some(name) if word(name) => Ok(()),
        None if flag.strip_prefix('-').is_some_and(|name| name.len() == 1 && word(name)) => Ok(()),
        _ => Err(format!("`{flag}` is not a flag, such as `-x` or `--some_name`")),
    }
}

/// What argparse calls an option that is not given a name: its first long flag, or else its first
/// one, without the dashes in front and with `_` for those within.
pub(super) fn name_of_flags(flags: &[String]) -> Option<String> {
    let flag = flags.iter().find(|flag| flag.starts_with("--")).or_else(|| flags.first())?;
    Some(flag.trim_start_matches('-').replace('-', "_"))
}

fn unique_flags(arguments: &[ArgSpec]) -> Result<(), String> {
    let mut seen = HashSet::new();
    match arguments.iter().flat_map(|spec| &spec.flags).find(|flag| !seen.insert(flag.as_str())) {
        Some(flag) => Err(format!("two arguments have the flag `{flag}`")),
        None => Ok(()),
    }
}

/// Positional arguments are told apart by their place alone: the optional ones come last, and only
/// the last may take an open number of values (or the one before it, if the last takes exactly one).
pub(super) fn positional_order(arguments: &[ArgSpec]) -> Result<(), String> {
    let positionals: Vec<&ArgSpec> = arguments.iter().filter(|spec| spec.is_positional()).collect();
    for (at, spec) in positionals.iter().enumerate() {
        let rest = &positionals[at + 1..];
        if let Some(later) = rest.iter().find(|later| later.required && !spec.required) {
            let (earlier, later) = (&spec.name, &later.name);
            return Err(format!("`{later}` must be given, but `{earlier}` before it need not be"));
        }
        let told_apart = match rest {
            [] => true,
            [last] => last.required && last.arity == Arity::One,
            _ => false,
        };
        let (fewest, most) = spec.arity.bounds();
        if most != Some(fewest) && !(told_apart || spec.arity == Arity::Optional) {
            let name = &spec.name;
            return Err(format!("nobody can tell where the values of `{name}` end"));
        }
    }
    Ok(())
}

impl From<&Catalog> for RawCatalog {
    fn from(catalog: &Catalog) -> Self {
        let Catalog { name, version, about, programs } = catalog;
        let info = RawInfo { name: name.clone(), version: version.clone(), about: about.clone() };
        let known = name.is_some() || version.is_some() || about.is_some();
        RawCatalog {
            catalog: known.then_some(info),
            set: Vec::new(),
            program: programs.values().map(RawProgram::from).collect(),
        }
    }
}

impl From<&Program> for RawProgram {
    fn from(program: &Program) -> Self {
        let (python, executable) = match &program.entry {
            Entry::Python(entry) => (Some(entry.to_string()), None),
            Entry::Executable(path) => (None, Some(path.clone())),
        };
        RawProgram {
            name: program.name.clone(),
            about: program.about.clone(),
            python,
            executable,
            include: Vec::new(),
            argument: program.arguments.iter().map(RawArgument::from).collect(),
        }
    }
}

impl From<&ArgSpec> for RawArgument {
    fn from(spec: &ArgSpec) -> Self {
        let implied = spec.is_positional() && spec.arity.bounds().0 > 0;
        RawArgument {
            name: (name_of_flags(&spec.flags).as_ref() != Some(&spec.name)).then(|| spec.name.clone()),
            flags: spec.flags.clone(),
            kind: spec.kind.to_string(),
            required: (spec.required != implied).then_some(spec.required),
            default: spec.default.clone().map(Scalar),
            choices: spec.choices.iter().cloned().map(Scalar).collect(),
            arity: (spec.arity != Arity::One).then(|| Scalar(spec.arity.to_string())),
            repeat: spec.repeat,
            help: spec.help.clone(),
            metavar: spec.metavar.clone(),
            group: spec.group.clone(),
            package_dir: spec.package_dir.clone(),
            suffix: spec.suffix.clone(),
        }
    }
}
