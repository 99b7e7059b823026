//! Procfiles: a line for each process, which foreman and honcho start by a shell, in the directory of the file, with the
//! variables of the `.env` beside it and a `PORT` of its own.
//!
//! What they do is read in `lib/foreman/procfile.rb`, `env.rb` and `engine.rb` of foreman 0.88, and in `honcho/environ.py`
//! of honcho 2.0.

use std::collections::BTreeMap;

use super::secrets;
use super::taken::{Loss, Remark, Taken};
use super::unit_file::At;
use crate::manifest::{Arguments, Request};
use crate::model::environment_file;
use crate::model::name::{ServiceName, is_identifier};
use crate::model::text::Text;

/// The port of the first process; the next ones have a hundred more each.
const PORT: u16 = 5000;
const STEP: u16 = 100;
/// What the shell alone understands at the beginning of a command: `exec` in front of it would be another command.
const BUILTINS: [&str; 24] = [
    ".", ":", "[", "case", "cd", "echo", "eval", "exec", "exit", "export", "for", "if", "printf", "set", "source",
    "test", "time", "trap", "ulimit", "umask", "unset", "until", "wait", "while",
];

/// A Procfile, and what lies around it.
#[derive(Clone, Debug, Default)]
pub struct Procfile<'a> {
    /// What it is called in messages.
    pub file: String,
    /// The directory that it lies in.
    pub folder: Text,
    /// What the services are called before the names of their processes.
    pub app: String,
    /// What it holds.
    pub contents: &'a [u8],
    /// The `.env` beside it: its path, and what it holds.
    pub env: Option<(Text, &'a [u8])>,
}

/// A process.
struct Process<'a> {
    line: usize,
    name: &'a str,
    command: &'a str,
}

/// The services of a Procfile, each with what it cannot have, and the lines that say no process.
pub fn read(procfile: &Procfile<'_>) -> (Vec<Taken>, Vec<String>) {
    let text = String::from_utf8_lossy(procfile.contents);
    let (mut processes, mut left) = (Vec::<Process<'_>>::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end();
        match process(line) {
            Some((name, command)) => {
                // Of one name the last line counts, in its own place.
                if let Some(at) = processes.iter().position(|known| known.name == name) {
                    let known = processes.remove(at);
                    left.push(format!("{}:{}: a later line has the same name, `{name}`", procfile.file, known.line));
                }
                processes.push(Process { line: index + 1, name, command });
            }
            None if line.trim_start().is_empty() || line.trim_start().starts_with('#') => {}
            None => {
                let at = format!("{}:{}", procfile.file, index + 1);
                left.push(format!("{at}: must be `NAME: COMMAND`, and is passed over by foreman and honcho, too"));
            }
        }
    }
    let several = processes.len() > 1;
    let taken = processes.iter().enumerate().map(|(index, process)| service(procfile, process, index, several));
    (taken.collect(), left)
}

/// The name and the command of a line: `^([A-Za-z0-9_-]+):\s*(.+)$`.
fn process(line: &str) -> Option<(&str, &str)> {
    let (name, command) = line.split_once(':')?;
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    Some((name, command.trim())).filter(|(_, command)| is_name && !command.is_empty())
}

fn service(procfile: &Procfile<'_>, process: &Process<'_>, index: usize, several: bool) -> Taken {
    let at = At { file: procfile.file.clone(), line: process.line };
    let remark = |said: String, help: Option<String>| Remark { at: at.clone(), said, help, is_of_secret: false };
    let (executable, arguments) = command(process.command);
    let mut taken = Taken {
        request: Request {
            name: Some(name_of(&procfile.app, process.name)),
            executable: Some(executable),
            arguments: Arguments::List(arguments),
            working_directory: Some(procfile.folder.clone()),
            ..Request::default()
        },
        ..Taken::default()
    };
    if process.command.contains('\u{FFFD}') {
        taken.losses.push(Loss {
            at: Some(at.clone()),
            line: process.command.to_owned(),
            why: "it is not UTF-8".into(),
            help: Some("write the command into the manifest, with `{ hex = \"...\" }` for such a word".into()),
        });
    }
    if process.name == "release" {
        let said = "`release` is run once before a release by those who deploy; a service runs it again and again";
        let help = "omit it, or say `restart = \"never\"` and `at_boot = false`".to_owned();
        taken.remarks.push(remark(said.into(), Some(help)));
    }
    let variables = procfile.env.as_ref().map(|(_, contents)| variables(contents)).unwrap_or_default();
    let said_port =
        variables.iter().find(|(name, _)| name == "PORT").and_then(|(_, value)| value.as_str()?.parse::<u16>().ok());
    let step = u16::try_from(index).unwrap_or(u16::MAX).saturating_mul(STEP);
    let port = said_port.unwrap_or(PORT).saturating_add(step);
    // A variable of the file counts before one of the unit (systemd.exec(5), `EnvironmentFile=`).
    let is_port_of_file = said_port == Some(port);
    if let Some((path, contents)) = &procfile.env {
        let is_same = is_same_for_systemd(contents, &variables);
        if is_same && (said_port.is_none() || is_port_of_file) {
            taken.request.environment_file = Some(path.clone());
        } else {
            let why = match is_same {
                true => format!("the `PORT` in `{path}` is that of the first process alone"),
                false => format!("systemd would read other values in `{path}`"),
            };
            taken.remarks.extend(
                apart(&mut taken.request, &variables)
                    .map(|(said, help)| remark(format!("{why}, so its variables stand in the manifest{said}"), help)),
            );
        }
    }
    if taken.request.environment_file.is_none() || !is_port_of_file {
        taken.request.environment.insert("PORT".into(), port.to_string().into());
    }
    if several && said_port.is_none() && process.command.contains("PORT") {
        taken.remarks.push(remark(format!("`PORT` is {port}, as foreman counts from {PORT}"), None));
    }
    taken
}

/// Puts the variables of a file into the request, secrets by their names alone; gives what is to be said of it.
fn apart(request: &mut Request, variables: &[(String, Text)]) -> Option<(String, Option<String>)> {
    for (name, value) in variables.iter().filter(|(name, _)| name != "PORT") {
        if secrets::is_likely(name, &value.to_string()) {
            request.secrets.push(name.clone());
        } else {
            request.environment.insert(name.clone(), value.clone());
        }
    }
    let help = "an install takes their values from its environment, or asks for them".to_owned();
    match request.secrets.as_slice() {
        [first, ..] => Some((format!(", of secrets such as `{first}` the names"), Some(help))),
        [] => (!request.environment.is_empty()).then(|| (String::new(), None)),
    }
}

/// The name of a service: that of the process behind that of the application.
fn name_of(app: &str, process: &str) -> String {
    let app: String = app.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    let app = app.trim_matches('-');
    let name = if app.is_empty() { process.to_owned() } else { format!("{app}-{process}") };
    // A process may be called `-x`, and an application be as long as a path allows.
    let name = name.trim_start_matches(['-', '_']);
    match name.parse::<ServiceName>() {
        Ok(name) => name.to_string(),
        Err(_) => format!("service-{}", process.trim_matches(['-', '_'])),
    }
}

/// What runs a command: its own program where that is all it says, else the shell that foreman gives it to. `exec` makes
/// the program the main process of the service.
fn command(line: &str) -> (Text, Vec<Text>) {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " ./_-+:,@%".contains(c) || c == '=';
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    let is_command = !first.contains(['=', '\'', '"', '$', '\\', '(', '{', '!']) && !BUILTINS.contains(&first);
    if is_command && line.chars().all(is_plain) && !first.contains('/') | first.starts_with('/') {
        return (first.into(), words.map(Text::from).collect());
    }
    let is_one = is_command && !line.contains([';', '&', '|', '\n', '`']);
    let exec = if is_one { "exec " } else { "" };
    ("/bin/sh".into(), vec!["-c".into(), format!("{exec}{line}").into()])
}

/// The variables of a `.env` as foreman reads it: `NAME=value` a line, the value in quotes or as it is. It may be anything
/// but text.
fn variables(contents: &[u8]) -> Vec<(String, Text)> {
    let mut found: Vec<(String, Text)> = Vec::new();
    for line in contents.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(at) = line.iter().position(|byte| *byte == b'=') else { continue };
        let (name, value) = (&line[..at], &line[at + 1..]);
        let Some(name) = std::str::from_utf8(name).ok().filter(|name| is_identifier(name)) else { continue };
        let quoted = |quote: &[u8]| value.strip_prefix(quote)?.strip_suffix(quote);
        let value = match (quoted(b"'"), quoted(b"\"")) {
            (Some(inner), _) => Text::from_bytes(inner),
            (None, Some(inner)) => Text::from_bytes(unescaped(inner)),
            (None, None) => Text::from_bytes(value),
        };
        match found.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => found.push((name.to_owned(), value)),
        }
    }
    found
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'\\' => match rest.next() {
                Some(b'n') => out.push(b'\n'),
                Some(byte) => out.push(*byte),
                None => out.push(b'\\'),
            },
            byte => out.push(*byte),
        }
    }
    out
}

/// Whether systemd reads a `.env` as foreman does. Of one name the last line counts for both, and the order means nothing.
fn is_same_for_systemd(contents: &[u8], variables: &[(String, Text)]) -> bool {
    // It takes no file that is not text (`load_env_file_push` in `src/basic/env-file.c`).
    if std::str::from_utf8(contents).is_err() {
        return false;
    }
    let theirs: BTreeMap<String, Text> = environment_file::read(contents).into_iter().collect();
    theirs == variables.iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        let (executable, arguments) = command(line);
        std::iter::once(executable).chain(arguments).map(|word| word.to_string()).collect()
    }

    #[test]
    fn a_command_is_given_to_a_shell_where_it_says_more_than_words() {
        for (line, runs) in [
            ("bundle exec puma -C config/puma.rb", &["bundle", "exec", "puma", "-C", "config/puma.rb"][..]),
            ("/usr/bin/python3  app.py --at=1", &["/usr/bin/python3", "app.py", "--at=1"]),
            ("bundle exec puma -p $PORT", &["/bin/sh", "-c", "exec bundle exec puma -p $PORT"]),
            ("node 'a b.js' > out.log 2>out.err", &["/bin/sh", "-c", "exec node 'a b.js' > out.log 2>out.err"]),
            // Of the working directory, and not of PATH.
            ("bin/rails server", &["/bin/sh", "-c", "exec bin/rails server"]),
            ("cd web && npm start", &["/bin/sh", "-c", "cd web && npm start"]),
            ("A=1 npm start", &["/bin/sh", "-c", "A=1 npm start"]),
            ("while :; do date; done", &["/bin/sh", "-c", "while :; do date; done"]),
            ("npm start | tee log", &["/bin/sh", "-c", "npm start | tee log"]),
        ] {
            assert_eq!(words(line), runs, "{line}");
        }
    }

    #[test]
    fn a_file_of_variables_is_read_as_foreman_does() {
        let read = |text: &str| variables(text.as_bytes());
        let pairs = |list: &[(&str, &str)]| -> Vec<(String, Text)> {
            list.iter().map(|(name, value)| ((*name).to_owned(), Text::from(*value))).collect()
        };
        assert_eq!(
            read("# x\nA=1\nB='a\\n'\nC=\"a\\n\\\"\"\nD=a # b\nexport E=1\nA=2\n"),
            pairs(&[("A", "2"), ("B", "a\\n"), ("C", "a\n\""), ("D", "a # b")])
        );
    }

    #[test]
    fn a_name_is_one_of_a_service() {
        assert_eq!(name_of("my app", "web"), "my-app-web");
        assert_eq!(name_of("", "web"), "web");
        assert_eq!(name_of("--", "-x"), "x");
        assert_eq!(name_of(&"n".repeat(300), "web"), "service-web");
    }
}
