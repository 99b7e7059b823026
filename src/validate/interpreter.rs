//! What runs a program: the interpreter that its first line names, where a service finds it, and whether it is Python.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::check::Check;
use crate::manifest::Request;
use crate::model::facts::{Facts, PathKind};
use crate::model::first_line::{self, DEEPEST, FirstLine, Starts, is_env};
use crate::model::name::EnvName;
use crate::model::platform::Platform;
use crate::model::spec::{Argument, Run, Target};
use crate::model::text::Text;
use crate::render::systemd::SEARCH_PATH;

impl<F: Facts> Check<'_, F> {
    /// The directories that a service needs on its PATH besides, because what it runs is found on the PATH of whoever
    /// installs it and not on that of a service. `given` is the executable as it was typed.
    pub(super) fn folders(
        &mut self,
        given: Option<&Text>,
        run: &Run,
        account: Option<&str>,
        request: &Request,
        environment: &IndexMap<EnvName, Text>,
    ) -> Vec<Text> {
        let (Some(program), false) = (run.program(), matches!(run, Run::Python { .. })) else { return Vec::new() };
        let arguments = run.arguments();
        match self.target {
            // It has the PATH that it says.
            Target::Systemd if request.plain == Some(true) => return Vec::new(),
            Target::Systemd if self.facts.path_kind(program).is_some() => {}
            // Of another host nothing is known, and Windows has one PATH for all services.
            Target::Systemd => return request.found_path.clone(),
            Target::Nssm => return Vec::new(),
        }
        let path = &request.path;
        let own = environment.iter().find(|(name, _)| name.as_str() == "PATH").map(|(_, value)| value.clone());
        let (own, usual) = own.map_or((SEARCH_PATH.into(), true), |own| (own, false));
        let own: Vec<Text> = own.as_bytes().split(|byte| *byte == b':').map(Text::from_bytes).collect();
        let usual = own.iter().filter(|folder| usual && !path.contains(folder)).cloned().collect();
        // Those of an earlier install count as long as they hold what is looked for, whoever installs now.
        let folders = path.iter().chain(&request.found_path).cloned().chain(own).collect();
        let earlier = request.found_path.clone();
        let mut found =
            Search { facts: self.facts, account, folders, usual, earlier, added: Vec::new(), notes: Vec::new() };
        match given.filter(|given| !given.as_bytes().contains(&b'/')) {
            Some(name) => drop(found.look(name, program)),
            None => found.keep(folder_of(program)),
        }
        let words: Vec<Text> = arguments.iter().filter_map(literal).cloned().collect();
        let mut next = match is_env(program).then(|| named_by_env(&words)).flatten() {
            Some(name) => found.look(&name, program),
            None => Some(program.clone()),
        };
        for _ in 0..DEEPEST {
            let Some(script) = next else { break };
            next = match started_by(self.facts, &script) {
                Some(Starts::File(path)) => Some(path),
                Some(Starts::Named(name)) => found.look(&name, &script),
                None => None,
            };
        }
        let Search { added, notes, .. } = found;
        notes.into_iter().for_each(|note| self.note(note));
        added
    }

    /// Whether Python runs an executable. Of a host that is not this one the receipt tells what an install has found.
    pub(super) fn is_script_of_python(&self, run: &Run, request: &Request) -> bool {
        match run {
            Run::Python { .. } => false,
            Run::Executable { .. } | Run::Commands { .. } => match run.program() {
                Some(path) if self.facts.path_kind(path).is_none() => {
                    request.found_python.unwrap_or_else(|| self.is_python(run))
                }
                Some(_) | None => self.is_python(run),
            },
        }
    }

    /// Whether an executable is Python, or what Python runs, as far as its names, its first lines and, where it is a
    /// shell script, its text can tell.
    fn is_python(&self, run: &Run) -> bool {
        let Some(path) = run.program() else { return false };
        let platform = self.platform;
        let words: Vec<&Text> = run.arguments().iter().filter_map(literal).collect();
        if is_of_python(platform, path) || self.names_python(path) {
            return true;
        }
        if is_shell(platform, path) {
            let text = words.iter().position(|word| word.as_bytes() == b"-c").and_then(|at| words.get(at + 1));
            return match text {
                Some(text) => mentions_python(text),
                None => words.iter().any(|word| is_of_python(platform, word) || self.names_python(word)),
            };
        }
        runs_others(platform, path) && words.iter().any(|word| is_of_python(platform, word))
    }

    fn names_python(&self, script: &Text) -> bool {
        let mut script = script.clone();
        for _ in 0..DEEPEST {
            let interpreter = match started_by(self.facts, &script) {
                Some(Starts::Named(name)) => name,
                Some(Starts::File(path)) => path,
                None => return false,
            };
            if is_of_python(self.platform, &interpreter) {
                return true;
            }
            if is_shell(self.platform, &interpreter) {
                let text = self.facts.read_text(&script).and_then(Result::ok);
                return text.is_some_and(|text| mentions_python(&text.into()));
            }
            script = interpreter;
        }
        false
    }
}

/// The way through the PATH of a service, and what is missing on it.
struct Search<'a, F> {
    facts: &'a F,
    account: Option<&'a str>,
    folders: Vec<Text>,
    /// Those of them that the user has not named.
    usual: Vec<Text>,
    /// Those that an earlier install has put in front.
    earlier: Vec<Text>,
    added: Vec<Text>,
    notes: Vec<String>,
}

impl<F: Facts> Search<'_, F> {
    /// Where a service finds a program that `whose` asks for, after what had to be added for that.
    fn look(&mut self, name: &Text, whose: &Text) -> Option<Text> {
        let typed = self.facts.find_program(name);
        let own = self.folders.iter().map(|folder| beside(folder, name)).find(|path| self.is_there(path));
        match (own, typed) {
            (Some(own), Some(typed)) if self.is_another(&typed, &own) => {
                // What is typed is started by its path, whatever there is on PATH.
                let what = match typed == *whose {
                    true => format!("`{name}` is `{typed}` on your PATH"),
                    false => format!("`{name}` is `{typed}` on your PATH, and a service would find `{own}`"),
                };
                self.put_in_front(&what, typed)
            }
            (Some(own), _) => {
                self.keep(folder_of(&own));
                Some(own)
            }
            (None, Some(typed)) => self.put_in_front(&format!("`{name}` is found only on your PATH"), typed),
            (None, None) => {
                let beside_it = folder_of(whose).filter(|folder| self.is_there(&beside(folder, name)));
                let folder = beside_it.map_or("DIR".to_owned(), |folder| Platform::Unix.typed(&[folder]));
                self.notes.push(format!(
                    "`{whose}` needs `{name}`, which is on no PATH here, so it will end with 127; \
                     `--path {folder}` puts the directory of `{name}` in front of the service's PATH"
                ));
                None
            }
        }
    }

    /// Keeps a directory that an earlier install has put in front.
    fn keep(&mut self, folder: Option<Text>) {
        let kept = folder.filter(|folder| self.earlier.contains(folder) && !self.added.contains(folder));
        self.added.extend(kept);
    }

    /// Puts the directory of a program in front, unless everybody may put programs there.
    fn put_in_front(&mut self, what: &str, program: Text) -> Option<Text> {
        let folder = folder_of(&program)?;
        if let Some(open) = self.facts.open_to_everybody(&folder) {
            self.notes.push(format!(
                "{what}, where everybody may put programs (`{open}` is open to all), so the service does not look there; \
                 `{}` closes it",
                Platform::Unix.typed(&["chmod".into(), "o-w".into(), open.clone()])
            ));
            return None;
        }
        let whoever = match self.facts.owner(&folder) {
            Some(owner) if Some(owner.as_str()) != self.account && owner != "root" => {
                let account = self.account.unwrap_or("root");
                format!("; what `{owner}` puts there runs as `{account}`")
            }
            _ => String::new(),
        };
        self.notes.push(format!("{what}: `{folder}` is put in front of the service's PATH{whoever}"));
        self.folders.insert(0, folder.clone());
        self.added.push(folder);
        Some(program)
    }

    /// Whether what the caller runs is not what a service would, such as the interpreter of a version manager in front of
    /// that of the system: not where the user has named the directory that the service finds it in, and not what the
    /// account of the service could not use.
    fn is_another(&self, typed: &Text, own: &Text) -> bool {
        let is_usual = folder_of(own).is_some_and(|folder| self.usual.contains(&folder));
        let is_new = folder_of(typed).is_some_and(|folder| !self.folders.contains(&folder));
        let is_closed = || self.account.is_some_and(|account| self.facts.closed_to(account, typed).is_some());
        is_usual && is_new && !is_closed()
    }

    fn is_there(&self, path: &Text) -> bool {
        self.facts.path_kind(path) == Some(PathKind::Executable)
    }
}

fn literal(argument: &Argument) -> Option<&Text> {
    match argument {
        Argument::Literal(text) => Some(text),
        Argument::Reference { .. } => None,
    }
}

fn beside(folder: &Text, name: &Text) -> Text {
    folder.with("/").with(&name.to_string())
}

fn folder_of(path: &Text) -> Option<Text> {
    let bytes = path.as_bytes();
    bytes.iter().rposition(|byte| *byte == b'/').filter(|at| *at > 0).map(|at| Text::from_bytes(&bytes[..at]))
}

/// What the first line of a script has the kernel start.
fn started_by(facts: &impl Facts, script: &Text) -> Option<Starts> {
    FirstLine::of(facts.first_line(script)?.as_bytes())?.starts()
}

/// The program that `env` starts by its name.
fn named_by_env(words: &[Text]) -> Option<Text> {
    first_line::named_by_env(words.iter().cloned())
}

fn is_shell(platform: Platform, program: &Text) -> bool {
    let shells: BTreeSet<&str> = ["sh", "bash", "dash", "ksh", "mksh", "zsh", "ash"].into();
    platform.file_name(program).as_str().is_some_and(|name| shells.contains(name))
}

/// Whether a word is a script of Python, or a Python: `python3.11`, `pypy3`, `poll.py`.
pub(super) fn is_of_python(platform: Platform, word: &Text) -> bool {
    let name = platform.file_name(word);
    let Some(name) = name.as_str() else { return false };
    let name = if platform == Platform::Windows { name.to_ascii_lowercase() } else { name.to_owned() };
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    let version = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy"));
    let is_version = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'w' | 't' | 'd'));
    version.is_some_and(is_version) || name.len() > 3 && name.ends_with(".py")
}

/// Whether one of the words of a shell script is, comments aside.
fn mentions_python(text: &Text) -> bool {
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"'`;&|()$={}".contains(byte);
    text.as_bytes().split(|byte| *byte == b'\n').any(|line| {
        let words = line.split(is_end).filter(|word| !word.is_empty());
        words
            .take_while(|word| !word.starts_with(b"#"))
            .any(|word| is_of_python(Platform::Unix, &Text::from_bytes(word)))
    })
}

/// Whether a program starts another one that its arguments name.
fn runs_others(platform: Platform, program: &Text) -> bool {
    const NAMES: [&str; 31] = [
        "env",
        "nice",
        "ionice",
        "nohup",
        "setsid",
        "stdbuf",
        "timeout",
        "taskset",
        "chrt",
        "numactl",
        "setpriv",
        "runuser",
        "su",
        "sudo",
        "flock",
        "xvfb-run",
        "strace",
        "time",
        "unbuffer",
        "uv",
        "poetry",
        "pipenv",
        "pdm",
        "hatch",
        "rye",
        "conda",
        "mamba",
        "micromamba",
        "pixi",
        "tini",
        "dumb-init",
    ];
    platform.file_name(program).as_str().is_some_and(|name| NAMES.contains(&name.strip_suffix(".exe").unwrap_or(name)))
}
