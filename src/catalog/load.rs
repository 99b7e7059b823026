//! From TOML to a [`Catalog`].

use std::rc::Rc;

use indexmap::IndexMap;

use super::check::{
    consistent, flag_syntax, is_absolute, name_of_flags, new_flags, positional_order, program_name, unique_flags,
};
use super::schema::{RawArgument, RawCatalog, RawProgram, RawSet};
use super::{ArgKind, ArgSpec, Arity, Catalog, EntryPoint, Program};
use crate::document::{self, DocumentError, DocumentFault, Node};
use crate::model::entry::PythonEntry;

/// See [`Catalog::parse`].
pub(super) fn parse(text: &str, origin: &str) -> Result<Catalog, DocumentError> {
    document::read("catalog", text, origin, catalog)
}

/// See [`Catalog::shipped`].
pub(super) fn shipped(json: &str) -> Catalog {
    let raw = serde_json::from_str(json).expect("a catalog of ours");
    catalog(raw, &Node::NOWHERE).expect("a catalog of ours")
}

/// See [`Catalog::to_toml`].
pub(super) fn to_toml(catalog: &Catalog) -> String {
    toml::to_string(&RawCatalog::from(catalog)).expect("texts, lists and tables are always TOML")
}

fn catalog(raw: RawCatalog, root: &Node<'_>) -> Result<Catalog, DocumentFault> {
    let sets = sets(raw.set, root)?;
    if raw.program.is_empty() {
        return Err(DocumentFault::new(0, "program", "the catalog holds no program"));
    }
    let mut programs = IndexMap::new();
    for (raw, node) in raw.program.into_iter().zip(root.tables("program")) {
        let program = program(raw, &node, &sets)?;
        if programs.contains_key(&program.name) {
            let reason = format!("a second program is called `{}`", program.name);
            return Err(DocumentFault::new(node.at("name"), "name", reason));
        }
        programs.insert(program.name.clone(), program);
    }
    let (name, version, about) = raw.catalog.map_or((None, None, None), |info| (info.name, info.version, info.about));
    Ok(Catalog { name, version, about, programs })
}

/// The shared arguments, by the name of their set.
fn sets(raw: Vec<RawSet>, root: &Node<'_>) -> Result<IndexMap<String, Vec<Rc<ArgSpec>>>, DocumentFault> {
    let mut sets = IndexMap::new();
    for (raw, node) in raw.into_iter().zip(root.tables("set")) {
        if sets.contains_key(&raw.name) {
            let reason = format!("a second set is called `{}`", raw.name);
            return Err(DocumentFault::new(node.at("name"), "name", reason));
        }
        let mut specs = arguments(raw.argument, &node)?;
        for spec in &mut specs {
            Rc::make_mut(spec).group.get_or_insert_with(|| raw.name.clone());
        }
        sets.insert(raw.name, specs);
    }
    Ok(sets)
}

fn program(
    raw: RawProgram,
    node: &Node<'_>,
    sets: &IndexMap<String, Vec<Rc<ArgSpec>>>,
) -> Result<Program, DocumentFault> {
    let RawProgram { name, about, python, executable, restart_sec, ctrl_c, include, argument } = raw;
    if let Err(reason) = program_name(&name) {
        return Err(DocumentFault::new(node.at("name"), "name", reason));
    }
    if about.trim().is_empty() {
        return Err(DocumentFault::new(node.at("about"), "about", "it says nothing"));
    }
    let entry = match (python, executable) {
        (Some(spec), None) => match spec.parse::<PythonEntry>() {
            Ok(entry) => EntryPoint::Python(entry),
            Err(error) => {
                let help = "write `package.module:function` or `Class=package.module`";
                let reason = format!("`{spec}` is not a Python spec: {}", error.reason);
                return Err(DocumentFault::new(node.at("python"), "python", reason).help(help));
            }
        },
        (None, Some(path)) if is_absolute(&path) => EntryPoint::Executable(path),
        (None, Some(path)) => {
            let reason = format!("`{path}` is not an absolute path");
            return Err(DocumentFault::new(node.at("executable"), "executable", reason));
        }
        (None, None) => {
            let reason = "it is not said what the program starts";
            let help = "write `python = \"package.module:function\"` or `executable = \"/path\"`";
            return Err(DocumentFault::new(node.at, "python", reason).help(help));
        }
        (Some(_), Some(_)) => {
            let reason = "a program has either `python` or `executable`, not both";
            return Err(DocumentFault::new(node.at("executable"), "executable", reason));
        }
    };

    let mut arguments = arguments(argument, node)?;
    for name in include {
        let Some(set) = sets.get(&name) else {
            let known: Vec<&str> = sets.keys().map(String::as_str).collect();
            let reason = format!("there is no set `{name}`");
            return Err(DocumentFault::new(node.at("include"), "include", reason).expected(&name, &known));
        };
        for spec in set {
            if arguments.iter().all(|own| own.name != spec.name) {
                arguments.push(Rc::clone(spec));
            }
        }
    }
    unique_flags(&arguments).map_err(|why| DocumentFault::new(node.at("include"), "include", why))?;
    positional_order(&arguments).map_err(|why| DocumentFault::new(node.at("argument"), "argument", why))?;
    let restart_sec = restart_sec.map(|span| span.0.parse());
    let restart_sec =
        restart_sec.transpose().map_err(|why| DocumentFault::new(node.at("restart_sec"), "restart_sec", why))?;
    Ok(Program { name, about, entry, arguments, restart_sec, ctrl_c: ctrl_c.unwrap_or(true) })
}

fn arguments(raw: Vec<RawArgument>, parent: &Node<'_>) -> Result<Vec<Rc<ArgSpec>>, DocumentFault> {
    let mut specs: Vec<Rc<ArgSpec>> = Vec::with_capacity(raw.len());
    for (raw, node) in raw.into_iter().zip(parent.tables("argument")) {
        let spec = argument(raw, &node)?;
        if specs.iter().any(|earlier| earlier.name == spec.name) {
            let reason = format!("a second argument is called `{}`", spec.name);
            let key = if node.has("name") { "name" } else { "flags" };
            return Err(DocumentFault::new(node.at(key), key, reason));
        }
        new_flags(&spec, &specs).map_err(|why| DocumentFault::new(node.at("flags"), "flags", why))?;
        specs.push(Rc::new(spec));
    }
    Ok(specs)
}

fn argument(raw: RawArgument, node: &Node<'_>) -> Result<ArgSpec, DocumentFault> {
    let fault = |key: &str, reason: String| DocumentFault::new(node.at(key), key, reason);
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
        return Err(fault("name", format!("`{name}` contains {c:?}, which an argument's name cannot")));
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
