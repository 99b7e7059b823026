//! pm2's `ecosystem.config` in its JSON form: an entry for each application.
//!
//! What its keys mean is read in `lib/API/schema.json`, `lib/Common.js` and `lib/God` of pm2 5.

use serde_json::{Map, Number, Value};

use super::secrets;
use super::taken::{Loss, Remark, Taken};
use super::unit_file::At;
use crate::manifest::{Arguments, LogFile, Request, Setting, Time};
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

/// What runs a script depends on the release of pm2, by these ends of its name.
const OF_RELEASES: [&str; 3] = [".ls", ".ts", ".tsx"];

/// Keys that say nothing of how the service runs: how pm2 shows it, finds it and watches over itself, and what it hands
/// on of the shell that it is called from, of which a service has nothing.
const OF_PM2: [&str; 28] = [
    "append_env_to_name",
    "automation",
    "deep_monitoring",
    "disable_source_map_support",
    "disable_trace",
    "event_loop_inspector",
    "execute_command",
    "filter_env",
    "force",
    "ignore_watch",
    "io",
    "kill_retry_time",
    "namespace",
    "pmx",
    "post_update",
    "source_map_support",
    "trace",
    "username",
    "v8",
    "version",
    "vizion",
    "vizion_running",
    "vizion_runing",
    "watch_delay",
    "watch_options",
    "windowsHide",
    "write",
    "instance_var",
];

/// The keys of the file for each kind of output, the usual one first (`alias` in schema.json).
const OUT: [&str; 4] = ["out_file", "out", "output", "out_log"];
const ERROR: [&str; 5] = ["error_file", "error", "err", "err_file", "err_log"];
const LOG: [&str; 2] = ["log_file", "log"];
/// What names the script (`verifyConfs` in lib/Common.js).
const SCRIPT: [&str; 4] = ["script", "exec", "cmd", "command"];
const INTERPRETER: [&str; 2] = ["exec_interpreter", "interpreter"];
const OF_INTERPRETER: [&str; 3] = ["node_args", "interpreter_args", "interpreterArgs"];
const ACCOUNT: [&str; 2] = ["uid", "user"];
const MERGED: [&str; 2] = ["merge_logs", "combine_logs"];

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
            left.extend(all.keys().map(|key| format!("{file}: key `{key}`: it says nothing of a service")));
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
        let script = |app: &Map<String, Value>| {
            SCRIPT
                .iter()
                .find_map(|key| app.get(*key).and_then(Value::as_str).filter(|script| !script.is_empty()))
                .map(str::to_owned)
        };
        match app.as_object().and_then(|app| Some((app, script(app)?))) {
            Some((app, script)) => {
                let lines: Vec<&Line> = lines.iter().filter(|line| line.app == index).collect();
                taken.push(App { keys: app, lines: &lines, file, folder, taken: Taken::default() }.service(&script));
            }
            None => left.push(format!("{file}: `apps[{index}]`: it has no `script`, which is what pm2 runs")),
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

    /// What a key says, if it is there: null is nothing.
    fn value(&self, key: &str) -> Option<&Value> {
        self.keys.get(key).filter(|value| !value.is_null())
    }

    /// The first of several names of one key that is there.
    fn first(&self, names: &[&'static str]) -> Option<&'static str> {
        names.iter().copied().find(|key| self.value(key).is_some())
    }

    /// What counts of several names of one key, as text. What is something else, or a second one, is named.
    fn one_text(&mut self, names: &[&'static str]) -> Option<String> {
        let key = self.first(names)?;
        let value = self.keys[key].clone();
        for other in names.iter().filter(|other| **other != key) {
            if self.value(other).is_some_and(|other| *other != value) {
                self.lose(other, &format!("`{key}` says it, too"), None);
            }
        }
        match &value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(as_javascript(number)),
            _ => {
                self.lose(key, "must be text", None);
                None
            }
        }
    }

    fn text(&self, key: &str) -> Option<String> {
        match self.value(key)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(as_javascript(number)),
            _ => None,
        }
    }

    /// Whether a key says yes, which is a word of JSON.
    fn switch(&mut self, key: &str) -> Option<bool> {
        match self.value(key)? {
            Value::Bool(on) => Some(*on),
            _ => {
                self.lose(key, "must be true or false", None);
                None
            }
        }
    }

    /// The path that a key says, from the directory of the application on. `~` is somebody's home directory.
    fn path(&mut self, key: &str, path: &str, directory: &Text) -> Option<Text> {
        if path == "~" || path.starts_with("~/") {
            self.lose(key, "`~` is the home directory of whoever calls pm2; write it out", None);
            return None;
        }
        Some(resolved(directory, path))
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
        let cwd = self.one_text(&["cwd"]);
        let folder = self.folder.clone();
        let directory = cwd.and_then(|cwd| self.path("cwd", &cwd, &folder)).unwrap_or(folder);
        self.request().working_directory = Some(directory.clone());
        let name = self.one_text(&["name"]).unwrap_or_else(|| stem(script).to_owned());
        self.request().name = Some(name_of(&name));
        // pm2 asks with SIGINT (`KILL_SIGNAL` of its constants.js), for which applications wait.
        self.directive("KillSignal", "SIGINT".into());
        let instances = self.instances();
        self.program(script, &directory);
        self.environment();
        self.account();
        self.output(instances > 1, &directory);
        for key in self.keys.keys().map(String::as_str).collect::<Vec<_>>() {
            if self.value(key).is_some() {
                self.key(key, instances > 1);
            }
        }
        self.taken
    }

    fn program(&mut self, script: &str, directory: &Text) {
        let key = self.first(&SCRIPT).unwrap_or(SCRIPT[0]);
        let given = self.one_text(&INTERPRETER);
        if script.contains(' ') {
            // A command line (`verifyConfs` in lib/Common.js).
            for key in INTERPRETER.iter().chain(&OF_INTERPRETER).chain(&["args"]) {
                self.lose(key, "pm2 runs a script with blanks by `bash -c`, and leaves this out", None);
            }
            self.request().executable = Some("bash".into());
            let script = self.literal(script.to_owned());
            self.request().arguments = Arguments::List(vec!["-c".into(), script]);
            return;
        }
        let by_name =
            INTERPRETERS.iter().find(|(end, _)| script.ends_with(end)).map(|(_, program)| (*program).to_owned());
        let is_name = !script.contains('/') && by_name.is_none();
        let is_said = given.is_some();
        let interpreter = match given.as_deref() {
            Some("none") => None,
            Some(versioned) if versioned.starts_with("node@") => {
                let key = self.first(&INTERPRETER).unwrap_or(INTERPRETER[0]);
                self.lose(key, "pm2 takes this version from nvm; write the path of its `node`", None);
                Some("node".to_owned())
            }
            Some(_) => given,
            None => by_name,
        };
        // A name alone is one of PATH.
        let path = if is_name { script.into() } else { resolved(directory, script) };
        let mut words: Vec<Text> = OF_INTERPRETER.iter().flat_map(|key| self.words(key)).collect();
        let executable = match &interpreter {
            Some(interpreter) => {
                words.push(path);
                interpreter.as_str().into()
            }
            None => {
                for key in OF_INTERPRETER {
                    self.lose(key, "no interpreter runs the script", None);
                }
                words.clear();
                path
            }
        };
        if interpreter.is_none() && !is_said {
            if OF_RELEASES.iter().any(|end| script.ends_with(end)) {
                let help = "name it by `interpreter`, such as `ts-node` or `bun`";
                self.lose(key, "what runs it depends on the release of pm2; here it is executed itself", Some(help));
            } else {
                let said = format!("`{script}` is executed itself: pm2 has node run it if it is no binary");
                self.remark(key, said, Some("a script needs a first line such as `#!/usr/bin/env node`"), false);
            }
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
    fn words(&mut self, key: &str) -> Vec<Text> {
        match self.value(key).cloned() {
            None => Vec::new(),
            Some(Value::String(text)) => split(&text).into_iter().map(|word| self.literal(word)).collect(),
            Some(Value::Array(words)) if words.iter().all(|word| scalar(word).is_some()) => {
                words.iter().filter_map(scalar).map(|word| self.literal(word)).collect()
            }
            Some(_) => {
                self.lose(key, "must be text, or a list of words", None);
                Vec::new()
            }
        }
    }

    fn environment(&mut self) {
        let mut variables = match self.value("env") {
            None => Map::new(),
            Some(Value::Object(variables)) => variables.clone(),
            Some(_) => {
                self.lose("env", "must be a table of variables", None);
                Map::new()
            }
        };
        // Counts before `PORT` of the table (`prepareAppConf` in lib/Common.js).
        if let Some(port) = self.one_text(&["port"]) {
            variables.insert("PORT".to_owned(), Value::String(port));
        }
        for (name, value) in variables {
            // What is no text pm2 hands on as JSON (`mergeEnvironmentVariables` in lib/Common.js).
            let value = scalar(&value).unwrap_or_else(|| value.to_string());
            if secrets::is_likely(&name, &value) {
                let said = format!("the value of `{name}` looks like a secret, and every user can read it in the unit");
                self.remark("env", said, Some("write its name into `secrets`, and omit it here"), true);
            }
            let value = self.literal(value);
            self.request().environment.insert(name, value);
        }
    }

    fn account(&mut self) {
        self.request().account = self.one_text(&ACCOUNT);
        if let Some(group) = self.one_text(&["gid"]) {
            self.directive("Group", group);
        }
    }

    /// Where the output goes: without files of its own into the journal, as into pm2's logs.
    fn output(&mut self, several: bool, directory: &Text) {
        let is_merged = self.first(&MERGED).and_then(|key| self.switch(key)).unwrap_or(!several);
        let mut files = [&OUT[..], &ERROR, &LOG].map(|names| {
            let key = self.first(names)?;
            if names == LOG && matches!(self.keys[key], Value::Bool(_)) {
                return None;
            }
            let path = self.one_text(names)?;
            if matches!(path.as_str(), "/dev/null" | "NULL") {
                return Some((key, None));
            }
            if !is_merged {
                let why = "each instance has a file of its own, and the number in its name is that of pm2";
                self.lose(key, why, Some("its output goes to the journal: `ManageService NAME logs` shows it"));
                return None;
            }
            Some((key, Some(self.path(key, &path, directory)?)))
        });
        if self.switch("disable_logs") == Some(true) {
            self.request().log_file = Some(LogFile::Switch(false));
            return;
        }
        // What goes to this file goes to the other ones as well.
        if let Some((key, Some(path))) = files[2].take() {
            let is_alone = files[..2].iter().flatten().all(|(_, other)| other.as_ref() == Some(&path));
            match is_alone {
                true => files = [Some((key, Some(path.clone()))), Some((key, Some(path))), None],
                false => self.lose(key, "a service writes each output to one file, and another key names it", None),
            }
        }
        let [out, error, _] = files.map(|file| file.map(|(_, path)| path));
        let said = |path: Option<Text>| path.map_or_else(|| "null".to_owned(), |path| format!("append:{path}"));
        match (out, error) {
            (Some(Some(path)), Some(Some(other))) if path == other => {
                self.request().log_file = Some(LogFile::File(path));
            }
            (Some(None), Some(None)) => self.request().log_file = Some(LogFile::Switch(false)),
            (Some(out), error) => {
                self.directive("StandardOutput", said(out));
                // Otherwise it would go where the other one goes (systemd.exec(5), `StandardError=`).
                self.directive("StandardError", error.map_or_else(|| "journal".to_owned(), said));
            }
            (None, Some(error)) => self.directive("StandardError", said(error)),
            (None, None) => {}
        }
    }

    /// How many there are.
    fn instances(&mut self) -> u64 {
        let variable = self.one_text(&["instance_var"]).unwrap_or_else(|| "NODE_APP_INSTANCE".to_owned());
        let count = match self.value("instances") {
            None => return 1,
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        match count {
            Some(1) => 1,
            Some(count @ 2..=256) => {
                self.request().instances = Some((0..count).map(|index| index.to_string()).collect());
                self.request().environment.insert(variable, "{instance}".into());
                count
            }
            _ => {
                let help = "`instances = [\"0\", \"1\"]` names them";
                self.lose("instances", "how many there are is known on the host alone; this is one", Some(help));
                1
            }
        }
    }

    /// Accounts for one key that is not accounted for yet.
    fn key(&mut self, key: &str, several: bool) {
        let read = ["args", "cwd", "disable_logs", "env", "gid", "instances", "name", "port"];
        let by_several = [&SCRIPT[..], &INTERPRETER, &OF_INTERPRETER, &ACCOUNT, &MERGED, &OUT, &ERROR, &LOG];
        if read.contains(&key) || OF_PM2.contains(&key) || by_several.iter().any(|names| names.contains(&key)) {
            return;
        }
        // What is off says nothing.
        let is_off = matches!(&self.keys[key], Value::Bool(false)) || self.text(key).is_some_and(|text| text == "0");
        match key {
            "exec_mode" => match self.text(key).as_deref().map(|mode| mode.trim_end_matches("_mode")) {
                Some("fork") => {}
                Some("cluster") if !several => {}
                Some("cluster") => {
                    let help = "give each a port of its own by `{instance}`, or run the cluster in the program";
                    self.lose(key, "services do not share a port that one of them listens on", Some(help));
                }
                _ => self.lose(key, "must be `fork` or `cluster`", None),
            },
            "autorestart" => {
                let on = self.switch(key);
                self.request().restart = on.map(|on| if on { "always" } else { "never" }.to_owned());
            }
            "autostart" => {
                let on = self.switch(key);
                self.request().at_boot = on.filter(|on| !on);
            }
            "treekill" => {
                if self.switch(key) == Some(false) {
                    self.directive("KillMode", "process".into());
                }
            }
            "restart_delay" | "kill_timeout" => {
                let milliseconds = self.text(key).and_then(|text| text.parse::<u32>().ok());
                let time = milliseconds.map(|number| Time::Text(format!("{number}ms")));
                match (time, key) {
                    (None, _) => self.lose(key, "must be a whole number of milliseconds", None),
                    (time, "restart_delay") => self.request().restart_sec = time,
                    (time, _) => self.request().stop_timeout = time,
                }
            }
            "stop_exit_codes" => {
                let codes = match &self.keys[key] {
                    Value::Array(codes) => codes.clone(),
                    one => vec![one.clone()],
                };
                let codes: Option<Vec<String>> = codes.iter().map(|code| Some(code.as_u64()?.to_string())).collect();
                match codes {
                    Some(codes) => self.directive("RestartPreventExitStatus", codes.join(" ")),
                    None => self.lose(key, "must be a list of exit codes", None),
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
            "time" | "log_date_format" if is_off => {}
            "time" | "log_date_format" => {
                let said = "the journal has the time of each line; a file has it only if the program writes it";
                self.remark(key, said.into(), None, false);
            }
            "watch" if is_off => {}
            "watch" => self.lose(key, "a service is not started again when files change", None),
            "cron_restart" | "cron" if is_off => {}
            "cron_restart" | "cron" => {
                let help = "a timer that runs `systemctl restart NAME` does that";
                self.lose(key, "a service is not started again at a time of day", Some(help));
            }
            "exp_backoff_restart_delay" | "wait_ready" | "shutdown_with_message" if is_off => {}
            "max_restarts" | "min_uptime" | "exp_backoff_restart_delay" => {
                let help = "`\"Unit.StartLimitBurst\"` and `\"Unit.StartLimitIntervalSec\"` in its `systemd` table set a limit";
                self.lose(key, "a service is started again without end", Some(help));
            }
            "wait_ready" | "listen_timeout" | "shutdown_with_message" => {
                let help = "`Type = \"notify\"` in its `systemd` table, if the program tells systemd that it is ready";
                self.lose(key, "systemd does not read the messages that node sends to pm2", Some(help));
            }
            "pid_file" | "pid" => {
                let help = "`systemctl show --property=MainPID NAME` tells it";
                self.lose(key, "systemd knows the process without a file", Some(help));
            }
            "increment_var" => {
                let help = "`{instance}` in a value is the number of the instance";
                self.lose(key, "a manifest does not count up a variable", Some(help));
            }
            "log_type" => self.lose(key, "what the program writes is not changed", None),
            other if other.starts_with("env_") => {
                let help = "write what you start it with into its `environment`";
                self.lose(key, "pm2 takes it with `--env` alone; a service has one environment", Some(help));
            }
            _ => self.lose(key, "InstallService does not know this key of pm2", None),
        }
    }
}

/// A number as JavaScript writes it into a text.
fn as_javascript(number: &Number) -> String {
    let text = number.to_string();
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
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
        Value::Number(number) => Some(as_javascript(number)),
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

/// The last component of a path without an extension (`renderApplicationName` in lib/Common.js).
fn stem(path: &str) -> &str {
    let last = path.rsplit('/').next().unwrap_or(path);
    last.rsplit_once('.').map_or(last, |(stem, _)| stem).trim_matches('.')
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
