//! The options of InstallService: one row for each, from which the parser, the help and the
//! completions are made. Both spellings of an option, with `_` and with `-`, work everywhere.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches};

use crate::error::Fault;
use crate::host::python::IMPORT_LIMIT;
use crate::host::text::text;
use crate::manifest::Service;
use crate::model::text::Text;

/// One option: its spelling, what its value is called (`None`: it takes none), what it means.
struct OptionSpec {
    long: &'static str,
    value: Option<&'static str>,
    group: &'static str,
    help: &'static str,
}

const fn flag(long: &'static str, group: &'static str, help: &'static str) -> OptionSpec {
    OptionSpec { long, value: None, group, help }
}

const fn value(long: &'static str, value: &'static str, group: &'static str, help: &'static str) -> OptionSpec {
    OptionSpec { long, value: Some(value), group, help }
}

const WHAT: &str = "What to do";
const SERVICE: &str = "The service";
const WHERE: &str = "Where things are";

/// The help of the option that both commands have.
pub(super) const STATE_DIR: &str = if cfg!(windows) {
    r"The tool's own directory [default: C:\ProgramData\InstallService]"
} else {
    "The tool's own directory [default: /var/lib/install-service]"
};

/// The help of another one.
pub(super) const IMPORT_TIMEOUT: &str =
    "How long importing a Python program may take before it is installed, such as `90` or `5min` [default: 60 s]";

const OPTIONS: [OptionSpec; 34] = [
    flag("dry-run", WHAT, "Print the files, their modes and the commands; change nothing"),
    value("output", "DIR", WHAT, "Write the files under DIR instead of installing them, for configuration management"),
    value(
        "layout",
        "tree|ansible",
        WHAT,
        "With --output: the files as they will lie on the host, or a role of Ansible [default: tree]",
    ),
    flag(
        "check",
        WHAT,
        "Compare with what is installed: exit 0 if it is the same, 10 with a diff if not; change nothing",
    ),
    flag("start", WHAT, "Start the service after installing it, and wait until it has settled"),
    flag("no-rollback", WHAT, "With --start: keep the new version also when it does not settle"),
    flag("yes", WHAT, "Never ask"),
    value("format", "text|json", WHAT, "How the dry run and the check are printed [default: text]"),
    value("service_name", "NAME", SERVICE, "The name of the service [default: the program's name]"),
    value(
        "working-directory",
        "DIR",
        SERVICE,
        "Where the service runs, and where NAME_ERROR_LOG.txt appears when it dies [default: this directory]",
    ),
    value("account", "NAME", SERVICE, "The account that it runs as [default: root, or LocalSystem]"),
    flag("user", SERVICE, "A service of your own, managed by `systemctl --user`, without administrator rights"),
    value(
        "env",
        "NAME=VALUE|NAME",
        SERVICE,
        "NAME=VALUE sets a variable, visible to everybody; NAME alone is a secret: taken from your environment or asked for, and kept in a file that only root reads",
    ),
    value(
        "secrets",
        "file|credentials",
        SERVICE,
        "Where the values of secrets are kept: in that file, or in a credential of systemd, encrypted with the key of this host [default: file]",
    ),
    value("restart", "always|on-failure|never", SERVICE, "When it is started again [default: always]"),
    value("restart-sec", "N", SERVICE, "Seconds before it is started again [default: 120]"),
    value("after", "UNIT", SERVICE, "Start it after this unit"),
    value("description", "TEXT", SERVICE, "One line on what it is for"),
    value("display-name", "TEXT", SERVICE, "The name that Windows shows"),
    value(
        "hardening",
        "none|baseline|service|strict",
        SERVICE,
        "How much of the system it is kept away from [default: baseline]",
    ),
    value("path", "DIR", SERVICE, "Put DIR in front of the service's PATH"),
    value(
        "python",
        "PATH",
        SERVICE,
        "The interpreter of a Python program [default: of the active venv or conda environment, else from PATH]",
    ),
    value("import-timeout", "SPAN", WHAT, IMPORT_TIMEOUT),
    value("manifest", "FILE", WHERE, "Install the services that this TOML file describes"),
    flag("prune", WHERE, "With --manifest: remove the services of ours that it does not list"),
    value("catalog", "FILE", WHERE, "Read more programs from this catalog"),
    value("target", "systemd|nssm", WHERE, "The service manager [default: that of this system]"),
    value("assume", "systemd=VERSION", WHERE, "Use only what this version of systemd knows"),
    value("state-dir", "DIR", WHERE, STATE_DIR),
    value("nssm", "PATH", WHERE, "The nssm.exe to use (Windows)"),
    value("nssm-archive", "FILE", WHERE, "Take nssm.exe from this zip file (Windows)"),
    flag("offline", WHERE, "Never download anything (Windows)"),
    value("ca-file", "FILE", WHERE, "Trust only the certificate authorities in this file (Windows)"),
    flag("allow-unknown-nssm", WHERE, "Use an nssm.exe whose checksum is not known (Windows)"),
];

/// The other spelling of an option.
fn other_spelling(long: &str) -> String {
    if long.contains('_') { long.replace('_', "-") } else { long.replace('-', "_") }
}

/// Whether the option that `word` spells takes a value; `None` where there is no such option.
pub fn takes_value(word: &str) -> Option<bool> {
    let long = word.strip_prefix("--")?;
    let is_it = |option: &&OptionSpec| option.long == long || other_spelling(option.long) == long;
    OPTIONS.iter().find(is_it).map(|option| option.value.is_some())
}

/// `--dry-run` for `--dry_run`: an option as the help spells it.
pub fn usual_spelling(word: &str) -> String {
    let is_it = |option: &&OptionSpec| word.strip_prefix("--") == Some(&other_spelling(option.long));
    OPTIONS.iter().find(is_it).map_or_else(|| word.to_owned(), |option| format!("--{}", option.long))
}

/// The options as clap takes them, but for those whose spelling is in `taken`: a program's own
/// argument wins behind the program's name, and ours can still stand before it.
pub fn args(taken: &[&str]) -> Vec<Arg> {
    OPTIONS
        .iter()
        .filter(|option| {
            let other = other_spelling(option.long);
            !taken.iter().any(|flag| flag.strip_prefix("--").is_some_and(|flag| flag == option.long || flag == other))
        })
        .map(arg)
        .collect()
}

fn arg(option: &OptionSpec) -> Arg {
    let arg = Arg::new(option.long).long(option.long).help(option.help).help_heading(option.group);
    let other = other_spelling(option.long);
    let arg = if other == option.long { arg } else { arg.alias(other) };
    match option.value {
        None => arg.action(ArgAction::SetTrue),
        Some(name) => arg
            .value_name(name)
            .value_parser(ValueParser::os_string())
            .action(ArgAction::Append)
            .allow_negative_numbers(true),
    }
}

/// What `--import-timeout` says: seconds, or a span with units.
pub(super) fn import_limit(given: Option<&Text>, faults: &mut Vec<Fault>) -> Duration {
    let Some(given) = given else { return IMPORT_LIMIT };
    let seconds = |text: &str| text.parse().map(Duration::from_secs).ok();
    let span = given.as_str().and_then(|text| seconds(text).or_else(|| humantime::parse_duration(text).ok()));
    span.filter(|span| span.as_secs() > 0).unwrap_or_else(|| {
        let fault = Fault::new("option `--import-timeout`", "must be a time of at least a second");
        faults.push(fault.given(given).help("`--import-timeout 90s` or `--import-timeout 5min`"));
        IMPORT_LIMIT
    })
}

/// The options that were given, before the program's name and behind it.
#[derive(Debug, Default)]
pub struct Given {
    values: BTreeMap<&'static str, Vec<Text>>,
}

impl Given {
    /// Adds the options of one stretch of the command line.
    pub fn read(&mut self, matches: &ArgMatches) {
        for option in &OPTIONS {
            // An option that the program's own argument has displaced is not there to ask for.
            if option.value.is_none() {
                if let Ok(Some(true)) = matches.try_get_one::<bool>(option.long) {
                    self.values.entry(option.long).or_default();
                }
            } else if let Ok(Some(found)) = matches.try_get_many::<OsString>(option.long) {
                self.values.entry(option.long).or_default().extend(found.map(text));
            }
        }
    }

    /// Names the service, as `--service_name` does.
    pub fn name_service(&mut self, name: Text) {
        self.values.entry("service_name").or_default().push(name);
    }

    /// Whether a flag was given.
    pub fn flag(&self, long: &str) -> bool {
        self.values.contains_key(long)
    }

    /// Every value of an option, in order.
    pub fn all(&self, long: &str) -> &[Text] {
        self.values.get(long).map(Vec::as_slice).unwrap_or_default()
    }

    /// The value of an option; the last one counts, as in the original.
    pub fn one(&self, long: &str) -> Option<&Text> {
        self.all(long).last()
    }

    /// The value of an option whose values are words.
    pub fn word(&self, long: &str) -> Option<String> {
        self.one(long).map(plain)
    }

    /// Fills in the keys of a request that have an option.
    pub fn fill(&self, service: &mut Service, faults: &mut Vec<Fault>) {
        let words = |long: &str| self.all(long).iter().map(plain).collect::<Vec<_>>();
        for long in WORDS {
            let odd = self.all(long).iter().filter(|value| value.as_str().is_none());
            faults.extend(odd.map(|value| Fault::new(format!("option `--{long}`"), "must be UTF-8 text").given(value)));
        }
        service.name = self.word("service_name").or(service.name.take());
        service.working_directory = self.one("working-directory").cloned().or(service.working_directory.take());
        service.account = self.word("account").or(service.account.take());
        service.secrets_in = self.word("secrets").or(service.secrets_in.take());
        service.restart = self.word("restart").or(service.restart.take());
        service.description = self.word("description").or(service.description.take());
        service.display_name = self.word("display-name").or(service.display_name.take());
        service.hardening = self.word("hardening").or(service.hardening.take());
        service.interpreter = self.one("python").cloned().or(service.interpreter.take());
        service.assume = self.word("assume").or(service.assume.take());
        service.after.extend(words("after"));
        service.path.extend(self.all("path").iter().cloned());
        if self.flag("user") {
            service.user = Some(true);
        }
        if let Some(seconds) = self.word("restart-sec") {
            match seconds.parse() {
                Ok(number) => service.restart_sec = Some(number),
                Err(_) => {
                    faults.push(
                        Fault::new("option `--restart-sec`", "must be a whole number of seconds, 0 or more")
                            .given(seconds),
                    );
                }
            }
        }
        for setting in self.all("env") {
            let bytes = setting.as_bytes();
            match bytes.iter().position(|byte| *byte == b'=') {
                Some(at) => match std::str::from_utf8(&bytes[..at]) {
                    Ok(name) => {
                        service.environment.insert(name.to_owned(), Text::from_bytes(&bytes[at + 1..]));
                    }
                    Err(_) => faults.push(odd_name(Text::from_bytes(&bytes[..at]))),
                },
                None if setting.as_str().is_none() => faults.push(odd_name(setting.clone())),
                None => service.secrets.push(plain(setting)),
            }
        }
    }
}

/// The options whose values are words of the request, which are text.
const WORDS: [&str; 10] = [
    "service_name",
    "account",
    "secrets",
    "restart",
    "restart-sec",
    "after",
    "description",
    "display-name",
    "hardening",
    "assume",
];

/// The text as it is; what is not UTF-8 in it is refused elsewhere.
fn plain(text: &Text) -> String {
    String::from_utf8_lossy(text.as_bytes()).into_owned()
}

fn odd_name(name: Text) -> Fault {
    Fault::new("environment variable", "its name must be UTF-8 text").given(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Options of one call, which say nothing of a service.
    const OF_THE_CALL: [&str; 18] = [
        "allow-unknown-nssm",
        "ca-file",
        "catalog",
        "check",
        "dry-run",
        "format",
        "import-timeout",
        "layout",
        "manifest",
        "nssm",
        "nssm-archive",
        "offline",
        "output",
        "prune",
        "start",
        "state-dir",
        "yes",
        "no-rollback",
    ];

    /// What the option fills in has the option's word for its key; but for those that [`Service`] names.
    #[test]
    fn every_option_of_a_service_has_its_key() {
        for option in OPTIONS.iter().filter(|option| option.long != "target" && !OF_THE_CALL.contains(&option.long)) {
            let mut given = Given::default();
            let value = if option.long == "restart-sec" { "7" } else { "systemd=7" };
            given.values.insert(option.long, option.value.map(|_| value.into()).into_iter().collect());
            let (mut service, mut faults) = (Service::default(), Vec::new());
            given.fill(&mut service, &mut faults);
            assert_eq!(faults, []);
            let table: toml::Table = toml::from_str(&toml::to_string(&service).unwrap()).unwrap();
            let key = match option.long {
                "service_name" => "name".to_owned(),
                "python" => "interpreter".to_owned(),
                "env" => "environment".to_owned(),
                "secrets" => "secrets_in".to_owned(),
                long => long.replace('-', "_"),
            };
            assert_eq!(table.keys().collect::<Vec<_>>(), [&key], "--{}", option.long);
        }
        assert!(OF_THE_CALL.iter().all(|long| OPTIONS.iter().any(|option| option.long == *long)));
    }

    #[test]
    fn no_two_options_share_a_spelling() {
        let mut spellings: Vec<String> =
            OPTIONS.iter().flat_map(|option| [option.long.to_owned(), other_spelling(option.long)]).collect();
        spellings.sort();
        spellings.dedup();
        let expected: usize =
            OPTIONS.iter().map(|option| if other_spelling(option.long) == option.long { 1 } else { 2 }).sum();
        assert_eq!(spellings.len(), expected);
    }
}
