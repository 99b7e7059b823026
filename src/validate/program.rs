//! The arguments of a catalog program: each checked by its kind, all of them made a command line.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::check::Check;
use super::{reference, referred};
use crate::catalog::{ArgKind, ArgSpec, EntryPoint, Program, config_file};
use crate::error::Fault;
use crate::manifest::{Arguments, Request, Value};
use crate::model::facts::{Facts, PathKind};
use crate::model::name::EnvName;
use crate::model::spec::{Argument, Target};
use crate::model::text::Text;

/// The arguments of a catalog program on their way from names to words.
pub(super) struct ProgramLine<'a, 'b, F> {
    check: &'a mut Check<'b, F>,
    program: &'a Program,
    interpreter: Option<&'a Text>,
    given_values: IndexMap<String, Value>,
    /// The program's command line.
    pub(super) words: Vec<Argument>,
    /// The arguments as the receipt keeps them.
    pub(super) named: IndexMap<String, Value>,
    /// Directories that the program writes to.
    pub(super) writes: Vec<Text>,
    /// Secrets that were typed.
    pub(super) given: IndexMap<EnvName, Text>,
    /// Variables that are set plainly.
    plain: BTreeSet<EnvName>,
    /// Variables that the arguments refer to.
    referred_to: BTreeSet<EnvName>,
    /// Variables that a config file asks for.
    pub(super) needed: Vec<EnvName>,
    /// Arguments that are Python regular expressions, with their names.
    pub(super) patterns: Vec<(String, Text)>,
}

impl<'a, 'b, F: Facts> ProgramLine<'a, 'b, F> {
    pub(super) fn new(
        check: &'a mut Check<'b, F>,
        program: &'a Program,
        request: &Request,
        interpreter: Option<&'a Text>,
    ) -> Self {
        let given_values = match &request.arguments {
            Arguments::Named(values) => values.clone(),
            Arguments::List(words) if words.is_empty() => IndexMap::new(),
            Arguments::List(_) => {
                check.fault(Fault::new(
                    "arguments",
                    "a program of the catalog takes its arguments by name, such as { config = \"/etc/x\" }",
                ));
                IndexMap::new()
            }
        };
        let plain = request.environment.keys().filter_map(|name| name.parse().ok()).collect();
        let referred_to = given_values.values().flat_map(Value::words).filter_map(|word| referred(&word)).collect();
        Self {
            plain,
            referred_to,
            check,
            program,
            interpreter,
            given_values,
            words: Vec::new(),
            named: IndexMap::new(),
            writes: Vec::new(),
            given: IndexMap::new(),
            needed: Vec::new(),
            patterns: Vec::new(),
        }
    }

    pub(super) fn check_all(&mut self) {
        let program = self.program;
        for name in self.given_values.keys() {
            if !program.arguments.iter().any(|spec| spec.name == *name) {
                self.check.fault(
                    Fault::new(format!("argument `{name}`"), format!("`{}` has no such argument", program.name))
                        .help(format!("`InstallService {} -h` lists them", program.name)),
                );
            }
        }
        // Options first, so that a value that begins with a dash can stand behind a `--`.
        let mut greedy = false;
        for spec in program.arguments.iter().filter(|spec| !spec.is_positional()) {
            if let Some((words, value)) = self.values_of(spec) {
                greedy = spec.arity.bounds() != (1, Some(1)) && spec.kind != ArgKind::Flag;
                self.option(spec, words, &value);
                self.named.insert(spec.name.clone(), value);
            }
        }
        let mut values = Vec::new();
        for spec in program.positionals() {
            if let Some((words, value)) = self.values_of(spec) {
                values.extend(words);
                self.named.insert(spec.name.clone(), value);
            }
        }
        // Behind an option of many values, or where one begins with a dash, the positional ones need
        // the `--` that ends the options.
        let dashed = values.iter().any(|word| word.as_bytes().starts_with(b"-") && word.len() > 1);
        if dashed || greedy && !values.is_empty() {
            self.words.push(Argument::Literal("--".into()));
        }
        self.words.extend(values.into_iter().map(|word| reference(Text::default(), &word)));
        let order = |name: &String| program.arguments.iter().position(|spec| spec.name == *name);
        self.named.sort_by(|a, _, b, _| order(a).cmp(&order(b)));
    }

    /// The checked words of one argument, and its value for the receipt.
    fn values_of(&mut self, spec: &ArgSpec) -> Option<(Vec<Text>, Value)> {
        let what = format!("argument `{}`", spec.display_name());
        let Some(value) = self.given_values.get(&spec.name).cloned() else {
            if spec.required {
                self.check.fault(
                    Fault::new(&what, format!("`{}` needs it: {}", self.program.name, spec.help))
                        .help(format!("`InstallService {} -h` explains every argument", self.program.name)),
                );
            } else if spec.kind == ArgKind::ConfigFile
                && let Some(default) = &spec.default
            {
                self.config_file(spec, &what, &default.as_str().into(), false);
            }
            return None;
        };
        if spec.kind == ArgKind::Flag {
            return match value {
                Value::Flag(true) => Some((Vec::new(), value)),
                Value::Flag(false) => None,
                _ => {
                    self.check.fault(Fault::new(what, "must be true or false"));
                    None
                }
            };
        }
        if matches!(value, Value::Flag(_)) {
            self.check.fault(Fault::new(what, "must have a value, not true or false"));
            return None;
        }
        let words = value.words();
        let (fewest, most) = spec.arity.bounds();
        if !spec.repeat && (words.len() < fewest || most.is_some_and(|most| words.len() > most)) {
            let wanted = match (fewest, most) {
                (1, Some(1)) => "one value".to_owned(),
                (fewest, None) => format!("{fewest} or more values"),
                (fewest, Some(most)) if fewest == most => format!("{most} values"),
                (fewest, Some(most)) => format!("{fewest} to {most} values"),
            };
            self.check.fault(Fault::new(what, format!("must have {wanted}, not {}", words.len())));
            return None;
        }
        let before = self.check.faults.len();
        let words: Vec<Text> = words.into_iter().map(|word| self.value(spec, &what, word)).collect();
        if self.check.faults.len() > before {
            return None;
        }
        let value = match (spec.kind, &value, words.as_slice()) {
            // In the place of a secret there is a reference now.
            (ArgKind::Secret, Value::List(_), words) => Value::List(words.iter().cloned().map(Value::Word).collect()),
            (ArgKind::Secret, _, [word]) | (_, Value::Word(_), [word]) => Value::Word(word.clone()),
            _ => value,
        };
        Some((words, value))
    }

    /// One value of one argument, checked; a secret becomes a reference.
    fn value(&mut self, spec: &ArgSpec, what: &str, word: Text) -> Text {
        if spec.kind == ArgKind::Secret && referred(&word).is_none() {
            return self.secret(spec, what, word);
        }
        if !self.check.no_nul(what, &word) {
            return word;
        }
        if let Some(variable) = referred(&word) {
            self.tell_of_command_line(what, &variable);
            return word;
        }
        match spec.kind {
            ArgKind::ExistingDir => {
                self.writes.extend(self.check.directory(what, &word));
            }
            ArgKind::ExistingFile => {
                self.check.file(what, &word);
            }
            ArgKind::CreateDir => {
                if let Some(path) = self.check.absolute(what, &word) {
                    match self.check.facts.path_kind(&path) {
                        Some(PathKind::File | PathKind::Executable) => {
                            self.check.fault(Fault::new(what, "this is a file, not a directory").given(&path));
                        }
                        Some(PathKind::Other(kind)) => {
                            self.check.fault(Fault::new(what, format!("this is {kind}, not a directory")).given(&path));
                        }
                        _ => self.writes.push(path),
                    }
                }
            }
            ArgKind::Path => {
                self.check.absolute(what, &word);
            }
            ArgKind::ConfigFile => self.config_file(spec, what, &word, true),
            _ => match word.as_str() {
                Some(text) => {
                    if let Err(reason) = spec.check(text) {
                        // The reason names the value.
                        self.check.fault(Fault::new(what, reason));
                    } else if spec.kind == ArgKind::Regex {
                        self.patterns.push((spec.name.clone(), word.clone()));
                    }
                }
                None if spec.kind == ArgKind::String => {}
                None => self.check.fault(Fault::new(what, "must be UTF-8 text").given(&word)),
            },
        }
        word
    }

    /// A secret that was typed moves into the environment file; the argument becomes a reference.
    fn secret(&mut self, spec: &ArgSpec, what: &str, word: Text) -> Text {
        let fault = match &self.program.entry {
            // The word is in no fault.
            _ if word.as_bytes().contains(&0) => {
                Some(Fault::new(what, "must not contain a NUL: no program can be given one"))
            }
            EntryPoint::Executable(_) => Some(self.for_everybody_to_see(spec, what)),
            EntryPoint::Python(_) => None,
        };
        if let Some(fault) = fault {
            self.check.fault(fault);
            return word;
        }
        // `$$NAME` is the text `$NAME`, here as well.
        let value = reference(Text::default(), &word).text().clone();
        let variable = self.variable_for(spec, &value);
        self.check.note(format!(
            "the value of `{}` goes into the environment file as `{variable}`; your shell's history keeps what you \
             typed, so type '${variable}' instead and you are asked for it",
            spec.name
        ));
        let reference = Text::from(format!("${variable}"));
        self.given.insert(variable, value);
        reference
    }

    /// The variable that keeps the value of a secret: one that is used for nothing else.
    fn variable_for(&self, spec: &ArgSpec, value: &Text) -> EnvName {
        let name = spec.variable();
        let numbered = (1..).map(|number| if number == 1 { name.clone() } else { format!("{name}_{number}") });
        let is_free = |name: &EnvName| {
            let is_other = self.plain.contains(name) || self.referred_to.contains(name);
            !is_other && self.given.get(name).is_none_or(|known| known == value)
        };
        let mut names = numbered.map(|name| name.parse().expect("letters, digits and `_` are a name"));
        names.find(is_free).expect("there is always another number")
    }

    /// The fault of a secret that an executable would be given on its command line (`/proc/PID/cmdline` of proc(5)).
    fn for_everybody_to_see(&self, spec: &ArgSpec, what: &str) -> Fault {
        let name = spec.variable();
        let help = match self.check.target {
            Target::Systemd => format!(
                "if the program can read it from an environment variable, use `--env {name}`; if it can read it from a \
                 file, pass that. To put it on the command line anyway, type '${name}'"
            ),
            Target::Nssm => "if the program can read it from a file, pass that".to_owned(),
        };
        Fault::new(what, "a secret must not be on a command line, where every user can see it (`ps`)").help(help)
    }

    /// Says so where an executable is given a secret on its command line on purpose. NSSM cannot do that.
    fn tell_of_command_line(&mut self, what: &str, variable: &EnvName) {
        match (self.check.target, &self.program.entry) {
            (Target::Systemd, EntryPoint::Executable(_)) if !self.plain.contains(variable) => self.check.note(format!(
                "{what}: every user can see the value of `{variable}` on the program's command line (`ps`); they cannot \
                 if the program reads it from an environment variable or a file"
            )),
            (Target::Systemd | Target::Nssm, EntryPoint::Executable(_) | EntryPoint::Python(_)) => {}
        }
    }

    /// An INI file whose `$NAME` values the service needs, and whose relative paths are reported.
    fn config_file(&mut self, spec: &ArgSpec, what: &str, word: &Text, typed: bool) {
        let bare = word.as_str().filter(|name| !name.contains(['/', '\\', '.']) && !name.is_empty());
        let path = match (bare, &spec.package_dir) {
            (Some(name), Some(package_dir)) => {
                let relative = format!("{package_dir}/{name}{}", spec.suffix.as_deref().unwrap_or_default());
                let found = self.interpreter.and_then(|python| self.check.facts.package_file(python, &relative));
                if found.is_none() {
                    self.check.note(format!(
                        "the config file `{name}` lies inside the program's package, which was not found here; \
                         the environment variables that it names are not known"
                    ));
                }
                found
            }
            _ if typed => self.check.file(what, word),
            _ => None,
        };
        let Some(path) = path else { return };
        let text = match self.check.facts.read_text(&path) {
            Some(Ok(text)) => text,
            Some(Err(reason)) => {
                let fault = Fault::new(what, reason).given(&path);
                return self.check.fault(fault.help("name the file itself that holds the settings"));
            }
            None => {
                return self.check.note(format!(
                    "`{path}` is not read here; if it names environment variables, `--env NAME` makes each of them \
                     known"
                ));
            }
        };
        match config_file::read(&text) {
            Ok(config) => {
                for relative in config.relative_paths() {
                    self.check.note(format!(
                        "in `{path}`, [{}] {} = {} looks like a relative path; the service runs elsewhere, write an absolute one",
                        relative.section, relative.key, relative.value
                    ));
                }
                self.needed.extend(config.variables().into_iter().filter_map(|name| name.parse().ok()));
            }
            Err(error) => self.check.fault(Fault::new(what, error.to_string()).given(&path)),
        }
    }

    fn option(&mut self, spec: &ArgSpec, words: Vec<Text>, value: &Value) {
        let flag = spec.display_name();
        if spec.kind == ArgKind::Flag {
            if *value == Value::Flag(true) {
                self.words.push(Argument::Literal(flag.into()));
            }
            return;
        }
        // `--option=value` in one word, so that a value may begin with a dash.
        let single = spec.arity.bounds() == (1, Some(1));
        if single && flag.starts_with("--") {
            self.words.extend(words.into_iter().map(|word| reference(Text::from(format!("{flag}=")), &word)));
            return;
        }
        self.words.push(Argument::Literal(flag.into()));
        self.words.extend(words.into_iter().map(|word| reference(Text::default(), &word)));
    }
}
