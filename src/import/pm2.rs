//! pm2's `ecosystem.config` in its JSON form: an entry for each application.
//!
//! What its keys mean is read in `lib/API/schema.json`, `lib/Common.js` and `lib/God` of pm2 5.

use serde_json::{Map, Value};

use super::secrets;
use super::taken::{Loss, Remark, Taken};
use super::unit_file::At;
use crate::manifest::{Arguments, Request, Setting, Time};
use crate::model::platform::Platform;
use crate::model::text::Text;

/// What runs a script, by the end of its name (`lib/API/interpreter.json`).
const INTERPRETERS: [(&str, &str); 9] = [
    (".sh", "bash"),
    (".py", "python3"),
    (".rb", "ruby"),
    (".php", "php"),
    (".pl", "perl"),
    (".js", "node"),
    (".cjs", "node"),
    (".mjs", "node"),
    (".coffee", "coffee"),
];

/// Keys that say nothing of how the service runs: how pm2 shows it, finds it and watches over itself.
const OF_PM2: [&str; 16] = [
    "automation",
    "disable_source_map_support",
    "disable_trace",
    "force",
    "ignore_watch",
    "name",
    "namespace",
    "pmx",
    "post_update",
    "source_map_support",
    "time",
    "trace",
    "vizion",
    "vizion_running",
    "watch_delay",
    "watch_options",
];

/// The services of a file, each with what it cannot have, and what else there is in it; `file` is what it is called in
/// messages, and `folder` the directory that it lies in.
///
/// # Errors
/// Why it is no such file.
pub fn read(contents: &[u8], file: &str, folder: &Text) -> Result<(Vec<Taken>, Vec<String>), String> {
    let text = std::str::from_utf8(contents).map_err(|_| "must be UTF-8 text".to_owned())?;
    let document: Value = serde_json::from_str(text).map_err(|error| format!("this is not JSON: {error}"))?;
    let mut left = Vec::new();
    let apps = match document {
        Value::Array(apps) => apps,
        Value::Object(mut all) if all.contains_key("apps") => {
            let apps = all.remove("apps");
            left.extend(all.keys().map(|key| format!("{file}: key `{key}`: it is not about a service")));
            match apps {
                Some(Value::Array(apps)) => apps,
                Some(app @ Value::Object(_)) => vec![app],
                _ => return Err("`apps` must be a list of applications".into()),
            }
        }
        app @ Value::Object(_) => vec![app],
        _ => return Err("must have `apps`, a list of applications".into()),
    };
    let (mut taken, lines) = (Vec::new(), lines(text));
    for (index, app) in apps.iter().enumerate() {
        match app.as_object().and_then(|app| Some((app, app.get("script").or(app.get("cmd"))?.as_str()?))) {
            Some((app, script)) => {
                let lines: Vec<&Line> = lines.iter().filter(|line| line.app == index).collect();
                taken.push(App { keys: app, lines: &lines, file, folder, taken: Taken::default() }.service(script));
            }
            None => left.push(format!("{file}: `apps[{index}]`: it names no `script`, which is what pm2 runs")),
        }
    }
    Ok((taken, left))
}

/// An application on its way to a service.
struct App<'a> {
    keys: &'a Map<String, Value>,
    lines: &'a [&'a Line],
    file: &'a str,
    folder: &'a Text,
    taken: Taken,
}

/// Where a key of an application stands.
struct Line {
    /// Which application it is.
    app: usize,
    key: String,
    /// Counted from one.
    number: usize,
}

/// The lines of the keys of applications: of the objects in the list `apps`, in the list that is the document, or of the
/// one object that it is.
fn lines(text: &str) -> Vec<Line> {
    let (mut found, mut open, mut names) = (Vec::new(), Vec::new(), Vec::<String>::new());
    let (mut apps, mut number, mut last) = (0_usize, 1, String::new());
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        match c {
            '\n' => number += 1,
            '{' | '[' => {
                open.push(c);
                names.push(std::mem::take(&mut last));
                let is_app = match open.as_slice() {
                    ['{', '[', '{'] | ['{', '{'] => names[1] == "apps",
                    open => open == ['[', '{'],
                };
                apps += usize::from(is_app);
            }
            '}' | ']' => {
                open.pop();
                names.pop();
            }
            '"' => {
                let mut end = at + 1;
                while let Some((next, c)) = rest.next() {
                    match c {
                        '\\' => drop(rest.next()),
                        '"' => {
                            end = next;
                            break;
                        }
                        _ => {}
                    }
                }
                if text[end..].trim_start_matches('"').trim_start().starts_with(':') {
                    last = text.get(at + 1..end).unwrap_or_default().to_owned();
                    let is_of_app = match open.as_slice() {
                        ['{', '[', '{'] | ['{', '{'] => names[1] == "apps",
                        ['[', '{'] | ['{'] => true,
                        _ => false,
                    };
                    if is_of_app {
                        found.push(Line { app: apps.saturating_sub(1), key: last.clone(), number });
                    }
                }
            }
            _ => {}
        }
    }
    found
}

impl App<'_> {
    /// Where a key stands.
    fn at(&self, key: &str) -> At {
        let line = self.lines.iter().find(|line| line.key == key);
        At { file: self.file.to_owned(), line: line.map_or(1, |line| line.number) }
    }

    fn text(&self, key: &str) -> Option<String> {
        match self.keys.get(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    fn lose(&mut self, key: &str, why: &str, help: Option<&str>) {
        let Some(value) = self.keys.get(key) else { return };
        let line = match value {
            Value::Object(_) | Value::Array(_) => key.to_owned(),
            value if secrets::is_likely(key, &value.to_string()) => format!("{key}: ..."),
            value => format!("{key}: {value}"),
        };
        let at = Some(self.at(key));
        self.taken.losses.push(Loss { at, line, why: why.to_owned(), help: help.map(str::to_owned) });
    }

    fn remark(&mut self, key: &str, said: String, help: Option<&str>, is_of_secret: bool) {
        let at = self.at(key);
        self.taken.remarks.push(Remark { at, said, help: help.map(str::to_owned), is_of_secret });
    }

    fn request(&mut self) -> &mut Request {
        &mut self.taken.request
    }

    fn directive(&mut self, name: &str, value: String) {
        self.request().systemd.insert(name.to_owned(), Setting::Text(value));
    }

    /// The service, every key of the application accounted for.
    fn service(mut self, script: &str) -> Taken {
        let directory = self.text("cwd").map_or_else(|| self.folder.clone(), |cwd| resolved(self.folder, &cwd));
        self.request().working_directory = Some(directory.clone());
        let name = self.text("name").unwrap_or_else(|| stem(script).to_owned());
        self.request().name = Some(name_of(&name));
        // pm2 asks with SIGINT (`KILL_SIGNAL` of its constants.js), for which applications wait.
        self.directive("KillSignal", "SIGINT".into());
        let instances = self.instances();
        self.program(script, &directory);
        self.environment();
        for key in self.keys.keys().map(String::as_str).collect::<Vec<_>>() {
            self.key(key, instances > 1, &directory);
        }
        self.taken
    }

    fn program(&mut self, script: &str, directory: &Text) {
        let given = self.text("interpreter").or_else(|| self.text("exec_interpreter"));
        let by_name =
            INTERPRETERS.iter().find(|(end, _)| script.ends_with(end)).map(|(_, program)| (*program).to_owned());
        let is_name = !script.contains('/') && by_name.is_none();
        let interpreter = match given.as_deref() {
            Some("none") => None,
            Some(_) => given,
            None => by_name,
        };
        // A name alone is one of PATH.
        let path = if is_name { script.into() } else { resolved(directory, script) };
        let mut words: Vec<Text> = Vec::new();
        for key in ["interpreter_args", "interpreterArgs", "node_args"] {
            words.extend(self.words(key));
        }
        let executable = match &interpreter {
            Some(interpreter) => {
                words.push(path);
                interpreter.as_str().into()
            }
            None => {
                if !words.is_empty() {
                    self.lose("interpreter_args", "nothing interprets the script", None);
                    words.clear();
                }
                path
            }
        };
        if interpreter.is_none() && self.text("interpreter").is_none() {
            let said = format!("`{script}` is executed itself: pm2 has node run it if it is no binary");
            self.remark("script", said, Some("a script needs a first line such as `#!/usr/bin/env node`"), false);
        }
        words.extend(self.words("args"));
        self.request().executable = Some(executable);
        self.request().arguments = Arguments::List(words);
    }

    /// A text as a manifest has it: only where there are instances, braces may mean one.
    fn literal(&self, text: String) -> Text {
        let is_one = self.taken.request.instances.is_none();
        if is_one { text.into() } else { text.replace("{instance}", "{{instance}}").into() }
    }

    /// A list, or the words of a text: separated by blanks, in quotes or not.
    fn words(&self, key: &str) -> Vec<Text> {
        match self.keys.get(key) {
            Some(Value::Array(words)) => words.iter().filter_map(scalar).map(|word| self.literal(word)).collect(),
            Some(Value::String(text)) => split(text).into_iter().map(|word| self.literal(word)).collect(),
            _ => Vec::new(),
        }
    }

    fn environment(&mut self) {
        let Some(Value::Object(variables)) = self.keys.get("env") else { return };
        for (name, value) in variables {
            let Some(value) = scalar(value) else {
                let line = format!("env.{name}");
                let at = Some(self.at("env"));
                self.taken.losses.push(Loss { at, line, why: "it is no text".into(), help: None });
                continue;
            };
            if secrets::is_likely(name, &value) {
                let said = format!("the value of `{name}` looks like a secret, and every user can read it in the unit");
                self.remark("env", said, Some("write its name into `secrets`, and omit it here"), true);
            }
            let value = self.literal(value);
            self.request().environment.insert(name.clone(), value);
        }
    }

    /// How many there are.
    fn instances(&mut self) -> u64 {
        let count = match self.keys.get("instances") {
            None => return 1,
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        match count {
            Some(1) => 1,
            Some(count @ 2..=256) => {
                self.request().instances = Some((0..count).map(|index| index.to_string()).collect());
                self.request().environment.insert("NODE_APP_INSTANCE".into(), "{instance}".into());
                count
            }
            _ => {
                let help = "`instances = [\"0\", \"1\"]` names them";
                self.lose("instances", "how many there are is known on the host alone; this is one", Some(help));
                1
            }
        }
    }

    /// Accounts for one key.
    fn key(&mut self, key: &str, several: bool, directory: &Text) {
        match key {
            "script" | "cmd" | "cwd" | "env" | "interpreter" | "exec_interpreter" | "interpreter_args"
            | "interpreterArgs" | "node_args" | "args" | "instances" | "merge_logs" | "combine_logs" => {}
            known if OF_PM2.contains(&known) => {}
            "exec_mode" => {
                if several && self.text(key).is_some_and(|mode| mode.starts_with("cluster")) {
                    let help = "give each a port of its own by `{instance}`, or run the cluster in the program";
                    self.lose(key, "services do not share a port that one of them listens on", Some(help));
                }
            }
            "autorestart" => match self.keys[key] {
                Value::Bool(on) => self.request().restart = Some(if on { "always" } else { "never" }.to_owned()),
                _ => self.lose(key, "must be true or false", None),
            },
            "restart_delay" | "kill_timeout" => {
                let milliseconds = self.text(key).and_then(|text| text.parse::<u32>().ok());
                let time = milliseconds.map(|number| Time::Text(format!("{number}ms")));
                match (time, key) {
                    (None, _) => self.lose(key, "must be a whole number of milliseconds", None),
                    (time, "restart_delay") => self.request().restart_sec = time,
                    (time, _) => self.request().stop_timeout = time,
                }
            }
            "max_memory_restart" => match self.text(key).and_then(|text| memory(&text)) {
                Some(limit) => {
                    self.directive("MemoryMax", limit);
                    self.remark(
                        key,
                        "at `max_memory_restart` systemd kills the service, and starts it again; pm2 asks it to end"
                            .into(),
                        Some("`MemoryHigh` slows it down before that"),
                        false,
                    );
                }
                None => self.lose(key, "must be an amount of memory such as `300M`", None),
            },
            "uid" | "user" => {
                self.request().account = self.text(key);
            }
            "gid" => {
                if let Some(group) = self.text(key) {
                    self.directive("Group", group);
                }
            }
            "out_file" | "output" | "error_file" | "error" => {
                let name = if key.starts_with("out") { "StandardOutput" } else { "StandardError" };
                match self.text(key) {
                    Some(path) if matches!(path.as_str(), "/dev/null" | "NULL") => self.directive(name, "null".into()),
                    Some(path) if !several || self.keys.get("merge_logs") == Some(&Value::Bool(true)) => {
                        let path = resolved(directory, &path);
                        self.directive(name, format!("append:{path}"));
                    }
                    _ => self.lose(key, "its output goes to the journal", Some("`ManageService NAME logs` shows it")),
                }
            }
            "watch" if self.keys[key] == Value::Bool(false) => {}
            "watch" => self.lose(key, "a service is not started again when files change", None),
            "cron_restart" | "cron" => {
                let help = "a timer that runs `systemctl restart NAME` does that";
                self.lose(key, "a service is not started again at a time of day", Some(help));
            }
            "max_restarts" | "min_uptime" | "exp_backoff_restart_delay" => {
                let help = "`\"Unit.StartLimitBurst\"` and `\"Unit.StartLimitIntervalSec\"` in its `systemd` table set a limit";
                self.lose(key, "a service is started again without end", Some(help));
            }
            "wait_ready" | "listen_timeout" | "shutdown_with_message" => {
                let help = "`Type = \"notify\"` in its `systemd` table, if the program tells systemd that it is ready";
                self.lose(key, "messages of node to pm2 are not for systemd", Some(help));
            }
            other if other.starts_with("env_") => {
                let help = "write what you start it with into its `environment`";
                self.lose(key, "pm2 takes it with `--env` alone; a service has one environment", Some(help));
            }
            _ => self.lose(key, "a service has nothing like that", None),
        }
    }
}

/// A path, from a directory on.
fn resolved(directory: &Text, path: &str) -> Text {
    let given = Text::from(path);
    let path = if Platform::Unix.is_absolute(&given) { given } else { Platform::Unix.join(directory, path) };
    Platform::Unix.normalised(&path)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(on.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The words of a text; quotes hold one together.
fn split(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// An amount of memory in the words of systemd: pm2 knows bytes, `K`, `M` and `G`.
fn memory(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches(['B', 'b']);
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text[digits.len()..].to_ascii_uppercase();
    digits
        .parse::<u64>()
        .ok()
        .filter(|_| ["", "K", "M", "G"].contains(&unit.as_str()))
        .map(|size| format!("{size}{unit}"))
}

/// The last component of a path without an extension.
fn stem(path: &str) -> &str {
    let last = path.rsplit('/').next().unwrap_or(path);
    last.split_once('.').map_or(last, |(stem, _)| stem)
}

/// The name of an application as one of a service.
fn name_of(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let name: String = name.chars().map(|c| if allowed(c) { c } else { '-' }).take(180).collect();
    let name = name.trim_start_matches(['-', '_', '.']).trim_end_matches(".service");
    if name.is_empty() { "app".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_where_they_stand() {
        let found = |text: &str| -> Vec<(usize, String, usize)> {
            lines(text).into_iter().map(|line| (line.app, line.key, line.number)).collect()
        };
        let apps = "{\"x\": {\"y\": 1},\n\"apps\": [{\"a\": \"}\\\"\",\n\"b\": {\"a\": 1}},\n{ \"c\" : [{\"d\": 1}]}]}";
        let of_apps = |list: &[(usize, &str, usize)]| -> Vec<(usize, String, usize)> {
            list.iter().map(|(app, key, line)| (*app, (*key).to_owned(), *line)).collect()
        };
        let known = found(apps).into_iter().filter(|(_, key, _)| key.len() == 1 && key != "x").collect::<Vec<_>>();
        assert_eq!(known, of_apps(&[(0, "a", 2), (0, "b", 3), (1, "c", 4)]));
        assert_eq!(found("[{\"a\": 1},\n{\"b\": 2}]"), of_apps(&[(0, "a", 1), (1, "b", 2)]));
        assert_eq!(found("{\"script\":\n\"x\", \"name\": 1}"), of_apps(&[(0, "script", 1), (0, "name", 2)]));
    }

    #[test]
    fn words_are_held_together_by_quotes() {
        assert_eq!(split(" a  'b c' \"d\"e '' "), ["a", "b c", "de", ""]);
    }

    #[test]
    fn amounts_of_memory_are_those_of_systemd() {
        for (text, amount) in [
            ("300M", Some("300M")),
            ("1g", Some("1G")),
            ("1073741824", Some("1073741824")),
            ("2GB", Some("2G")),
            ("x", None),
        ] {
            assert_eq!(memory(text).as_deref(), amount, "{text}");
        }
    }

    #[test]
    fn names_are_those_of_services() {
        for (name, is) in [("api", "api"), ("my app", "my-app"), ("@x/y", "x-y"), ("..", "app"), ("a.service", "a")] {
            assert_eq!(name_of(name), is);
        }
    }
}
