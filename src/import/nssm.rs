//! A service of NSSM in the words of a manifest: by a key where that sets exactly what the registry has, else in the
//! `nssm` table.

use indexmap::IndexMap;

use super::taken::{Loss, Remark, Taken};
use super::{AnyHost, At, secrets};
use crate::catalog::Catalog;
use crate::manifest::{Arguments, LogFile, Request, Setting, Time};
use crate::model::command_line;
use crate::model::name::{EnvName, OneLine, ServiceName, WindowsServiceName};
use crate::model::nssm_table;
use crate::model::parameter::{Kind, Parameter};
use crate::model::place::Place;
use crate::model::registration::{Registration, kind_of};
use crate::model::spec::{Restart, Target};
use crate::model::systemd_table::is_unit;
use crate::model::text::Text;
use crate::model::windows_account::WindowsAccount;
use crate::model::word::Word as _;
use crate::render::escape::{AppParameters, NssmEnvironment, NssmPath, TargetArg};
use crate::render::nssm::service;
use crate::validate;

/// What belongs to Windows and not to NSSM, beside what is none of a service's own.
const OF_WINDOWS: [&str; 8] = [
    "Environment",
    "FailureActions",
    "FailureCommand",
    "Group",
    "RequiredPrivileges",
    "ServiceSidType",
    "Tag",
    "LaunchProtected",
];

/// Parameters that have a line for each value.
const LISTS: [&str; 4] = ["AppEnvironment", "AppEnvironmentExtra", "DependOnGroup", "DependOnService"];

/// A service of NSSM in the words of a manifest, compared with what it was.
pub fn read(registration: &Registration) -> Taken {
    let stored = registration.parameters();
    let mut reading = Reading { registration, stored: &stored, taken: Taken::default() };
    reading.taken.request = Request {
        name: Some(registration.service.clone()),
        plain: Some(true),
        at_boot: Some(true),
        ..Request::default()
    };
    reading.name();
    reading.restart();
    reading.log_file();
    for parameter in &stored {
        reading.take(parameter);
    }
    reading.of_windows();
    reading.secrets();
    let mut taken = reading.taken;
    taken.compare_parameters(&stored);
    taken
}

/// A line of the registry for a message.
fn line(parameter: &Parameter) -> String {
    let values: Vec<String> = parameter.values.iter().map(ToString::to_string).collect();
    let kind = if parameter.kind == Kind::Usual { String::new() } else { format!("{} ", parameter.kind.word()) };
    let line = format!("{parameter} = {kind}{}", values.join(" | "));
    let is_environment = parameter.name.starts_with("AppEnvironment");
    let has_secret = parameter.values.iter().filter_map(Text::as_str).filter_map(|value| value.split_once('='));
    if is_environment && has_secret.into_iter().any(|(name, value)| secrets::is_likely(name, value)) {
        return format!("{parameter} = {kind}...");
    }
    match line.char_indices().nth(160) {
        Some((at, _)) => format!("{} ...", &line[..at]),
        None => line,
    }
}

fn loss(parameter: &Parameter, why: impl Into<String>) -> Loss {
    Loss { at: None, line: line(parameter), why: why.into(), help: None }
}

/// How NSSM shows a time.
fn time(millis: u32) -> Time {
    match millis % 1000 {
        0 => Time::Seconds(i64::from(millis / 1000)),
        _ => Time::Text(format!("{millis}ms")),
    }
}

struct Reading<'a> {
    registration: &'a Registration,
    stored: &'a [Parameter],
    taken: Taken,
}

impl Reading<'_> {
    fn find(&self, name: &str) -> Option<&Parameter> {
        self.stored.iter().find(|parameter| parameter.name == name)
    }

    fn lose(&mut self, parameter: &Parameter, why: impl Into<String>) {
        self.taken.losses.push(loss(parameter, why));
    }

    fn remark(&mut self, parameter: &Parameter, said: String) {
        let at = At { file: format!(r"{}\Parameters\{}", self.registration.path(), parameter.name), line: 1 };
        self.taken.remarks.push(Remark { at, said, help: None, is_of_secret: false });
    }

    /// Windows takes names that systemd and our files cannot have.
    fn name(&mut self) {
        let name = &self.registration.service;
        let (Err(_), Some(near)) = (name.parse::<ServiceName>(), ServiceName::near(name)) else { return };
        let why = "a service name must consist of letters, digits, `_`, `.` and `-` here".to_owned();
        let help = format!(
            "the manifest calls it `{near}`; type `nssm remove \"{name}\"` before you install that, as Windows lets no two \
             services be shown by one name"
        );
        self.taken.losses.push(Loss { at: None, line: name.clone(), why, help: Some(help) });
        self.taken.request.name = Some(near.to_string());
    }

    fn take(&mut self, parameter: &Parameter) {
        if self.is_unread(parameter) {
            return;
        }
        let [value] = parameter.values.as_slice() else { return self.take_lines(parameter) };
        if LISTS.contains(&parameter.name.as_str()) {
            return self.take_lines(parameter);
        }
        let request = &mut self.taken.request;
        let name = request.name.as_deref().unwrap_or_default();
        match (parameter.name.as_str(), value.as_str()) {
            ("AppExit", _) if request.restart.is_some() => {}
            ("AppStdout" | "AppStderr", _) if request.log_file.is_some() => {}
            ("ImagePath", _) => {}
            ("Application", _) => {
                request.executable = Some(value.clone());
                if parameter.kind == Kind::Usual && NssmPath::new(value).is_err() {
                    self.lose(parameter, "NSSM replaces variables in it; a manifest names a program by its path");
                }
            }
            ("AppParameters", _) if value.is_empty() => {}
            ("AppParameters", _) => self.arguments(parameter, value),
            ("AppDirectory", _) if NssmPath::new(value).is_ok_and(|path| path.to_string() == value.to_string()) => {
                request.working_directory = Some(value.clone());
            }
            ("DisplayName", Some(shown)) if shown == name => {}
            ("DisplayName", Some(shown)) if is_line(shown) => request.display_name = Some(shown.to_owned()),
            ("Description", Some(said)) if is_line(said) => request.description = Some(said.to_owned()),
            ("DisplayName" | "Description", _) => self.lose(parameter, "must be one line of plain text in a manifest"),
            ("Start", Some("SERVICE_AUTO_START")) => {}
            ("Start", Some("SERVICE_DEMAND_START")) => request.at_boot = Some(false),
            ("ObjectName", Some("LocalSystem")) => {}
            ("ObjectName", _) => self.account(parameter, value),
            ("AppRestartDelay", Some(millis)) if millis.parse::<u32>().is_ok_and(|millis| millis > 0) => {
                request.restart_sec = millis.parse().ok().map(time);
            }
            ("AppStopMethodConsole", Some(millis)) if millis.parse::<u32>().is_ok_and(|millis| millis > 0) => {
                request.stop_timeout = millis.parse().ok().map(time);
            }
            _ => self.table(parameter),
        }
    }

    /// Whether NSSM reads nothing from it, or reads it as no install stores it.
    fn is_unread(&mut self, parameter: &Parameter) -> bool {
        let has_variable = parameter.values.iter().any(|value| value.as_bytes().contains(&b'%'));
        let why = match (parameter.kind, kind_of(&parameter.name)) {
            (Kind::Usual, _) | (_, Kind::Usual) => return false,
            (Kind::Text, Kind::Expanded) if !has_variable || parameter.name == "AppParameters" => return false,
            (Kind::Text, Kind::Expanded) => "an install stores it so that NSSM replaces what stands between two `%`",
            (Kind::Expanded, Kind::Text) => return false,
            _ => "NSSM reads nothing from a value of this type",
        };
        self.lose(parameter, why);
        true
    }

    fn take_lines(&mut self, parameter: &Parameter) {
        match parameter.name.as_str() {
            _ if parameter.values.is_empty() => {}
            "AppEnvironmentExtra" if self.environment(parameter) => {}
            "DependOnService" if self.requires(parameter) => {}
            _ => self.table(parameter),
        }
    }

    /// As words, where they are quoted as they stand there; else the whole line as NSSM has it.
    fn arguments(&mut self, parameter: &Parameter, line: &Text) {
        let words = command_line::words(line);
        let quoted: Result<Vec<_>, _> = words.iter().map(TargetArg::new).collect();
        let rendered = quoted.and_then(|words| AppParameters::new(&words)).map(|line| line.as_text());
        let is_replaced = line.as_bytes().iter().filter(|byte| **byte == b'%').count() > 1;
        match rendered {
            Ok(rendered) if rendered == *line => self.taken.request.arguments = Arguments::List(words),
            Ok(_) if parameter.kind == Kind::Text && is_replaced => {
                self.taken.request.arguments = Arguments::List(words);
                let said = "nothing between two `%` is replaced in a value of type REG_SZ; an install stores another type, \
                            and quotes the words so that nothing is replaced either";
                self.remark(parameter, said.to_owned());
            }
            _ => {
                self.table(parameter);
                let words: Option<Vec<String>> = words.iter().map(|word| word.as_str().map(str::to_owned)).collect();
                if let Some(words) = words.filter(|_| !is_replaced) {
                    let words: toml::Value = words.into();
                    let comment = format!(" The same for the program: arguments = {words}");
                    self.taken.comments.insert("nssm.AppParameters".into(), vec![comment]);
                }
            }
        }
    }

    /// The account, by its name; an account's password is nowhere to be read.
    fn account(&mut self, parameter: &Parameter, account: &Text) {
        let name = account.to_string();
        let read = WindowsAccount::registered(&name).in_manifest(&self.registration.service);
        let service = self.registration.service.parse().ok();
        match WindowsAccount::parse(&read, service.as_ref(), None) {
            Ok(account) => {
                if account.has_password() {
                    self.taken.losses.push(Loss {
                        help: Some(
                            "`--adopt` keeps it as it is; otherwise an install asks for it, or reads it with \
                             `--account-password-stdin`"
                                .into(),
                        ),
                        ..loss(parameter, "nobody can read its password")
                    });
                }
                self.taken.request.account = Some(read);
            }
            Err(refused) => self.lose(parameter, refused.reason),
        }
    }

    /// By what an action for each exit code means, where there is a word for it.
    fn restart(&mut self) {
        let actions: Vec<(&str, &str)> = self
            .stored
            .iter()
            .filter(|parameter| parameter.name == "AppExit" && parameter.kind == Kind::Usual)
            .filter_map(|parameter| Some((parameter.sub.as_deref()?, parameter.values.first()?.as_str()?)))
            .collect();
        let of = |code: &str| actions.iter().find(|(known, _)| *known == code).map(|(_, action)| *action);
        let restart = match (of("Default").unwrap_or("Restart"), of("0"), actions.len()) {
            ("Restart", None, 0 | 1) => Restart::Always,
            ("Exit", None, 1) => Restart::Never,
            ("Restart", Some("Exit"), 1 | 2) if of("Default").is_some() || actions.len() == 1 => Restart::OnFailure,
            ("Exit", Some("Restart"), 2) => Restart::OnSuccess,
            _ => return,
        };
        if restart == Restart::Always && of("Default").is_none() && !actions.is_empty() {
            return;
        }
        let word = Restart::WORDS.iter().find(|(_, known)| *known == restart);
        self.taken.request.restart = word.map(|(word, _)| (*word).to_owned());
    }

    /// The one file that both of its outputs go to.
    fn log_file(&mut self) {
        let (Some(output), Some(errors)) = (self.find("AppStdout"), self.find("AppStderr")) else { return };
        let [path] = output.values.as_slice() else { return };
        let is_path = Target::Nssm.platform().is_absolute(path) && NssmPath::new(path).is_ok();
        if output.values == errors.values && output.kind == errors.kind && is_path {
            self.taken.request.log_file = Some(LogFile::File(path.clone()));
        }
    }

    /// As variables, where they are written as they stand there.
    fn environment(&mut self, parameter: &Parameter) -> bool {
        let mut variables: IndexMap<String, Text> = IndexMap::new();
        let mut named: Vec<(EnvName, Text)> = Vec::new();
        for entry in &parameter.values {
            let Some((name, value)) = entry.as_str().and_then(|entry| entry.split_once('=')) else { return false };
            let Ok(variable) = name.parse::<EnvName>() else { return false };
            if named.iter().any(|(known, _)| known.as_str().eq_ignore_ascii_case(name)) {
                return false;
            }
            named.push((variable, value.into()));
            variables.insert(name.to_owned(), value.into());
        }
        let is_same = NssmEnvironment::new(&named)
            .is_ok_and(|environment| environment.entries().eq(parameter.values.iter().cloned()));
        if is_same {
            self.taken.request.environment = variables;
        }
        is_same
    }

    fn requires(&mut self, parameter: &Parameter) -> bool {
        let names: Option<Vec<&str>> = parameter.values.iter().map(Text::as_str).collect();
        let Some(names) = names else { return false };
        let is_plain = |name: &&str| {
            !is_unit(name) && name.parse::<WindowsServiceName>().is_ok_and(|parsed| parsed.as_str() == *name)
        };
        let mut once = names.clone();
        once.sort_unstable();
        once.dedup();
        let can_be_said = names.iter().all(is_plain) && once.len() == names.len();
        if can_be_said {
            self.taken.request.requires = names.into_iter().map(str::to_owned).collect();
        }
        can_be_said
    }

    /// By an entry of the `nssm` table.
    fn table(&mut self, parameter: &Parameter) {
        let key = match &parameter.sub {
            Some(sub) => format!("{}.{sub}", parameter.name),
            None => parameter.name.clone(),
        };
        let values: Option<Vec<String>> =
            parameter.values.iter().map(|value| value.as_str().map(str::to_owned)).collect();
        let Some(mut values) = values else { return self.lose(parameter, "is not text") };
        match nssm_table::parameter(&key, &values) {
            Ok(_) => {
                let setting = match values.as_slice() {
                    [value] if value.parse::<i64>().is_ok_and(|number| number.to_string() == *value) => {
                        Setting::Integer(value.parse().unwrap_or_default())
                    }
                    [_] => Setting::Text(values.remove(0)),
                    _ => Setting::Lines(values),
                };
                self.taken.request.nssm.insert(key, setting);
            }
            Err(refused) => {
                let mut lost = loss(parameter, refused.reason);
                if !nssm_table::goes_unasked(&parameter.name) {
                    lost.help = Some("`--adopt` leaves it as it is".into());
                }
                self.taken.losses.push(lost);
            }
        }
    }

    /// What the manifest does not say of what every service of Windows can have.
    fn of_windows(&mut self) {
        for value in &self.registration.values {
            let is_it = value.key.is_empty() && OF_WINDOWS.contains(&value.name.as_str())
                || value.key.starts_with("TriggerInfo");
            if is_it {
                self.taken.losses.push(Loss {
                    at: None,
                    line: format!(r"{}\{}", value.key, value.name).trim_start_matches('\\').to_owned(),
                    why: "it is of Windows and not of NSSM, and no manifest says it".into(),
                    help: Some("`--adopt` leaves it as it is".into()),
                });
            }
        }
    }

    fn secrets(&mut self) {
        let environments = ["AppEnvironment", "AppEnvironmentExtra"];
        for parameter in self.stored.iter().filter(|parameter| environments.contains(&parameter.name.as_str())) {
            for (number, entry) in parameter.values.iter().enumerate() {
                let Some((name, value)) = entry.as_str().and_then(|entry| entry.split_once('=')) else { continue };
                if secrets::is_likely(name, value) {
                    let file = format!(r"{}\Parameters\{}", self.registration.path(), parameter.name);
                    self.taken.remarks.push(Remark {
                        at: At { file, line: number + 1 },
                        said: format!(
                            "the value of `{name}` looks like a secret, and every user of the machine can read the registry"
                        ),
                        help: Some(format!(
                            "for a program of Python write `secrets = [\"{name}\"]` in its place: its value is asked for \
                             then, and kept in a file that is not for everybody"
                        )),
                        is_of_secret: true,
                    });
                }
            }
        }
    }
}

/// Whether a manifest says the text as it is.
fn is_line(text: &str) -> bool {
    text.parse::<OneLine>().is_ok_and(|line| line.as_str() == text)
}

impl Taken {
    /// Adds to its losses whatever an install would set that is not so, and the other way round.
    fn compare_parameters(&mut self, stored: &[Parameter]) {
        let refused = |why: String, help: Option<String>| Loss { at: None, line: String::new(), why, help };
        let place = Place { unit_dir: "/".into(), state_dir: r"C:\ProgramData\InstallService".into(), home: None };
        let checked = validate::validate(&self.request, &Catalog::default(), &AnyHost, Target::Nssm, &place.state_dir);
        let spec = match checked {
            Ok(validated) => validated.spec,
            Err(faults) => {
                self.losses.extend(faults.into_iter().map(|fault| refused(fault.to_string(), fault.help.clone())));
                return;
            }
        };
        match service(&spec, &place) {
            Ok(service) => {
                let differing = service.differing(stored).into_iter().filter(|wanted| wanted.name != "ImagePath");
                for wanted in differing {
                    let found = stored.iter().find(|known| known.is_same_as(&wanted));
                    let original = found.map(line).unwrap_or_default();
                    let is_said_as_words =
                        wanted.name == "AppParameters" && found.is_some_and(|known| known.kind == Kind::Text);
                    if is_said_as_words || self.losses.iter().any(|loss| loss.line == original && found.is_some()) {
                        continue;
                    }
                    let why = match found {
                        Some(_) if wanted.values.is_empty() => "the manifest does not say it".to_owned(),
                        Some(_) => format!("the manifest makes `{}` of it", line(&wanted)),
                        None => format!("the manifest adds `{}`", line(&wanted)),
                    };
                    self.losses.push(Loss { at: None, line: original, why, help: None });
                }
            }
            Err(refusals) => {
                self.losses.extend(refusals.into_iter().map(|refusal| refused(refusal.to_string(), None)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::document;
    use crate::model::registration::RegistryValue;

    const PARAMETERS: &str = "Parameters";

    /// A key below that of the service, the name of a value there, its type and its bytes.
    type Value<'a> = (&'a str, &'a str, (u32, Vec<u8>));

    fn text(kind: u32, text: &str) -> (u32, Vec<u8>) {
        (kind, text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect())
    }

    fn number(number: u32) -> (u32, Vec<u8>) {
        (4, number.to_le_bytes().to_vec())
    }

    /// A service as `nssm install web C:\app\web.exe` leaves it, with `more`.
    fn taken(more: &[Value<'_>]) -> Taken {
        let installed = [
            ("", "DisplayName", text(1, "web")),
            ("", "ObjectName", text(1, "LocalSystem")),
            ("", "Start", number(2)),
            ("", "Type", number(0x10)),
            ("", "ImagePath", text(2, r"C:\tools\nssm.exe")),
            (PARAMETERS, "Application", text(2, r"C:\app\web.exe")),
            (PARAMETERS, "AppDirectory", text(2, r"C:\app")),
            (PARAMETERS, "AppParameters", text(2, "")),
            (r"Parameters\AppExit", "", text(1, "Restart")),
        ];
        let is_other = |(key, name, _): &&Value<'_>| more.iter().all(|(other, of, _)| (other, of) != (key, name));
        let values = installed.iter().filter(is_other).chain(more).map(|(key, name, (kind, data))| RegistryValue {
            key: (*key).to_owned(),
            name: (*name).to_owned(),
            kind: *kind,
            data: data.clone(),
        });
        read(&Registration::new("web", values.collect()))
    }

    /// The lines of the manifest that say something of `taken`, and the losses.
    fn said(taken: &Taken) -> (String, Vec<String>) {
        let manifest = document(&[(taken.clone(), String::new())]);
        let usual = ["name = \"web\"", "plain = true", r"executable = 'C:\app\web.exe'", "[[service]]", ""];
        let lines = manifest.lines().skip(4).filter(|line| !usual.contains(line));
        let losses = taken.losses.iter().map(|loss| format!("{}: {}", loss.line, loss.why)).collect();
        (lines.collect::<Vec<_>>().join("\n"), losses)
    }

    #[track_caller]
    fn exact(more: &[Value<'_>], expected: &[&str]) {
        let (manifest, losses) = said(&taken(more));
        assert_eq!(losses, [""; 0], "{manifest}");
        for line in expected {
            assert!(manifest.lines().any(|known| known == *line), "`{line}` is not in\n{manifest}");
        }
    }

    #[track_caller]
    fn lost(more: &[Value<'_>], expected: &str) {
        let (manifest, losses) = said(&taken(more));
        assert_eq!(losses, [expected], "{manifest}");
    }

    #[test]
    fn what_every_service_has_needs_three_lines() {
        let (manifest, losses) = said(&taken(&[]));
        assert_eq!(losses, [""; 0]);
        assert_eq!(manifest, "working_directory = 'C:\\app'\nat_boot = true\nrestart = \"always\"");
    }

    /// Wine has neither a delayed start nor other accounts.
    #[test]
    fn what_windows_alone_has_is_read_too() {
        let account = |name: &str| ("", "ObjectName", text(1, name));
        exact(&[("", "DelayedAutostart", number(1))], &["Start = \"SERVICE_DELAYED_AUTO_START\""]);
        exact(&[account(r"NT AUTHORITY\LocalService")], &[r"account = 'NT AUTHORITY\LocalService'"]);
        exact(&[account(r"nt authority\networkservice")], &[r"account = 'NT AUTHORITY\NetworkService'"]);
        exact(&[account(r"NT SERVICE\web")], &[r"account = 'NT SERVICE\*'"]);
        exact(&[account(r"LAB\gmsa$")], &[r"account = 'LAB\gmsa$'"]);
        for name in [r".\joe", r"LAB\joe", "joe@lab.example"] {
            lost(&[account(name)], &format!("ObjectName = {name}: nobody can read its password"));
            let (manifest, _) = said(&taken(&[account(name)]));
            assert!(manifest.contains(&format!("account = {}", toml::Value::from(name))), "{manifest}");
        }
        let other = "must be the account of this service: that of `other` is for `other` alone";
        lost(&[account(r"NT SERVICE\other")], &format!(r"ObjectName = NT SERVICE\other: {other}"));
        // What NSSM sets by itself on a real Windows is nothing of the script's.
        exact(&[("", "FailureActionsOnNonCrashFailures", number(1)), ("", "DelayedAutostart", number(0))], &[]);
        lost(&[("", "Group", text(1, "TDI"))], "Group: it is of Windows and not of NSSM, and no manifest says it");
        lost(
            &[(r"TriggerInfo\0", "Type", number(1))],
            r"TriggerInfo\0\Type: it is of Windows and not of NSSM, and no manifest says it",
        );
    }

    #[test]
    fn a_command_line_is_words_where_they_are_quoted_so() {
        let line = |line: &str| (PARAMETERS, "AppParameters", text(2, line));
        exact(&[line(r#""a b" "c\"d" "x"%"TEMP"%"""#)], &[r#"    "x%TEMP%","#]);
        exact(
            &[line("-x 1")],
            &["AppParameters = \"-x 1\"", "# The same for the program: arguments = [\"-x\", \"1\"]"],
        );
        exact(&[line(r"--to %TEMP%\x")], &[r"AppParameters = '--to %TEMP%\x'"]);
        // What is not replaced there would be by the line that an install stores.
        let literal = taken(&[(PARAMETERS, "AppParameters", text(1, "--to %TEMP%"))]);
        let (manifest, losses) = said(&literal);
        assert!(
            losses.is_empty() && manifest.contains("arguments = [\n    \"--to\",\n    \"%TEMP%\",\n]"),
            "{manifest}"
        );
        assert!(literal.remarks[0].said.starts_with("nothing between two `%` is replaced"));
        lost(&[line("a\nb")], "AppParameters = a\\nb: a value contains '\\n', which no parameter can have");
    }

    #[test]
    fn a_type_that_nssm_reads_otherwise_is_named() {
        lost(
            &[(PARAMETERS, "AppThrottle", text(1, "7"))],
            "AppThrottle = REG_SZ 7: NSSM reads nothing from a value of this type",
        );
        lost(
            &[(PARAMETERS, "AppStdout", text(1, r"C:\%a%.log"))],
            r"AppStdout = REG_SZ C:\%a%.log: an install stores it so that NSSM replaces what stands between two `%`",
        );
        exact(&[(PARAMETERS, "AppStdout", text(1, r"C:\a.log"))], &[r"AppStdout = 'C:\a.log'"]);
        lost(&[(PARAMETERS, "Color", number(3))], "Color = REG_DWORD 3: NSSM has no such parameter");
    }

    #[test]
    fn actions_have_a_word_where_there_is_one() {
        let on = |code: &'static str, action: &str| (r"Parameters\AppExit", code, text(1, action));
        exact(&[on("", "Exit")], &["restart = \"never\""]);
        exact(&[on("0", "Exit")], &["restart = \"on-failure\""]);
        exact(&[on("", "Exit"), on("0", "Restart")], &["restart = \"on-success\""]);
        exact(&[on("3", "Ignore")], &["\"AppExit.3\" = \"Ignore\"", "\"AppExit.Default\" = \"Restart\""]);
        exact(&[on("0", "Restart")], &["\"AppExit.0\" = \"Restart\""]);
    }

    #[test]
    fn a_value_that_looks_like_a_secret_is_pointed_out_and_in_no_message() {
        let entries = "LANG=C\0API_TOKEN=abc123\0";
        let taken = taken(&[(PARAMETERS, "AppEnvironmentExtra", text(7, entries))]);
        let remark = &taken.remarks[0];
        assert!(remark.is_of_secret && remark.said.contains("`API_TOKEN` looks like a secret"), "{}", remark.said);
        assert!(remark.at.to_string().ends_with(r"\Parameters\AppEnvironmentExtra:2"));
        let broken = text(2, "API_TOKEN=abc123");
        let taken = self::taken(&[(PARAMETERS, "AppEnvironmentExtra", broken)]);
        assert_eq!(taken.losses[0].line, "AppEnvironmentExtra = REG_EXPAND_SZ ...");
    }
}
