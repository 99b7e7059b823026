//! What a catalog may say: names, flags, and which keys go together.

use std::collections::HashSet;
use std::rc::Rc;

use super::{ArgKind, ArgSpec, Arity};

/// A program's name is typed where a path, a Python spec or an option could stand, and becomes the
/// name of a service.
pub(super) fn program_name(name: &str) -> Result<(), String> {
    let odd = |c: char| !(c.is_alphanumeric() || "._-+@".contains(c));
    match name.chars().next() {
        None => Err("the name is empty".to_owned()),
        Some('-' | '.') => Err(format!("`{name}` must begin with a letter or a digit")),
        Some(_) => match name.chars().find(|&c| odd(c)) {
            Some(c) => Err(format!("`{name}` contains {c:?}, which a program's name cannot")),
            None => Ok(()),
        },
    }
}

/// Absolute on Linux or on Windows: which of them the catalog is for is not known here.
pub(super) fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    let drive = matches!(bytes, [letter, b':', b'/' | b'\\', ..] if letter.is_ascii_alphabetic());
    path.starts_with('/') || path.starts_with("\\\\") || drive
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

/// Whether no flag belongs to two arguments.
pub(super) fn unique_flags(arguments: &[Rc<ArgSpec>]) -> Result<(), String> {
    arguments.iter().enumerate().try_for_each(|(at, spec)| new_flags(spec, &arguments[..at]))
}

/// Whether no flag of `spec` stands there twice, or belongs to one of the `earlier` arguments.
pub(super) fn new_flags(spec: &ArgSpec, earlier: &[Rc<ArgSpec>]) -> Result<(), String> {
    let is_taken = |flag: &String| earlier.iter().any(|other| other.flags.contains(flag));
    let twice = spec.flags.iter().enumerate().find(|(at, flag)| spec.flags[..*at].contains(flag) || is_taken(flag));
    twice.map_or(Ok(()), |(_, flag)| Err(format!("two arguments have the flag `{flag}`")))
}

/// Positional arguments are told apart by their place alone: the optional ones come last, and only
/// the last may take an open number of values (or the one before it, if the last takes exactly one).
pub(super) fn positional_order(arguments: &[Rc<ArgSpec>]) -> Result<(), String> {
    let positionals: Vec<&ArgSpec> = arguments.iter().map(Rc::as_ref).filter(|spec| spec.is_positional()).collect();
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
