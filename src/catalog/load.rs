//! From TOML to a [`Catalog`].
//!
//! serde reads the text into the types of [`super::schema`]. Only where something is wrong with it, it
//! is read once more, as a table with spans, which knows the line of every key.

use std::ops::Range;

use indexmap::IndexMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::check::{consistent, flag_syntax, is_absolute, name_of_flags, positional_order, program_name, unique_flags};
use super::schema::{RawArgument, RawCatalog, RawProgram, RawSet};
use super::suggest::nearest;
use super::{ArgKind, ArgSpec, Arity, Catalog, CatalogError, Entry, Program};
use crate::model::entry::PythonEntry;

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
    let placeless = Node { table: None, at: 0 };
    if let Ok(raw) = toml::from_str(text)
        && let Ok(catalog) = catalog(raw, &placeless)
    {
        return Ok(catalog);
    }
    let document = DeTable::parse(text).map_err(|error| syntax(text, &error))?;
    let raw = toml::from_str(text).map_err(|error| schema(document.get_ref(), &error))?;
    catalog(raw, &Node { table: Some(document.get_ref()), at: 0 })
}

fn catalog(raw: RawCatalog, root: &Node<'_>) -> Result<Catalog, Fault> {
    let sets = sets(raw.set, root)?;
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

/// A table and its place in the text; without the table, any table at no place.
struct Node<'a> {
    table: Option<&'a DeTable<'a>>,
    at: usize,
}

impl<'a> Node<'a> {
    /// Where the key stands, or the table if it has no such key.
    fn at(&self, key: &str) -> usize {
        let found = self.table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key));
        found.map_or(self.at, |(name, _)| name.span().start)
    }

    /// The tables of an array of tables, of which serde has found some already.
    fn tables(&self, key: &str) -> impl Iterator<Item = Node<'a>> {
        let found = self.table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key));
        let array = match found.map(|(_, value)| value.get_ref()) {
            Some(DeValue::Array(array)) => Some(array),
            _ => None,
        };
        let table = |value: &'a Spanned<DeValue<'a>>| match value.get_ref() {
            DeValue::Table(table) => Some(Node { table: Some(table), at: value.span().start }),
            _ => None,
        };
        array
            .into_iter()
            .flat_map(|array| array.iter())
            .filter_map(table)
            .chain(std::iter::repeat_with(|| Node { table: None, at: 0 }))
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

fn arguments(raw: Vec<RawArgument>, parent: &Node<'_>) -> Result<Vec<ArgSpec>, Fault> {
    let mut specs: Vec<ArgSpec> = Vec::with_capacity(raw.len());
    for (raw, node) in raw.into_iter().zip(parent.tables("argument")) {
        let spec = argument(raw, &node)?;
        if specs.iter().any(|earlier| earlier.name == spec.name) {
            let reason = format!("a second argument is called `{}`", spec.name);
            let key = if node.table.is_some_and(|table| table.contains_key("name")) { "name" } else { "flags" };
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
