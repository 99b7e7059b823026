//! The `systemd` table of a manifest: which further directives a unit of a service has, since which version of
//! systemd, and what each of them takes. systemd itself only warns of a directive that it does not know, or of a
//! value that it cannot read, and goes on without.
//!
//! The names are those of `systemd --dump-configuration-items` of 257, the versions those of its man pages, of NEWS, and
//! of `src/core/load-fragment-gperf.gperf.in` of each version; tests/verify/systemd_analyze.rs asks the systemd of the machine. What has a key of its own in a manifest is for `plain`
//! services alone, and only if the key is left open: two places for one thing could differ.

mod about;
mod command;
mod names;
mod numbers;
mod rows;
mod values;
mod words;

use std::fmt;

use super::nearest::nearest;
use super::refused::Refused;
use super::span;
use super::text::Text;
use rows::{DIRECTIVES, NEWEST, OF_TIMERS};

/// A section of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// What is so of every unit.
    Unit,
    /// What is so of a service.
    Service,
    /// What `systemctl enable` reads.
    Install,
    /// What is so of the timer of a service that has a schedule.
    Timer,
    /// What is so of that timer as of every unit.
    TimerUnit,
}
use Section::{Install, Service, Timer, TimerUnit, Unit};

/// A word, and the version that it came with; 0 for one that was always there.
type Words = &'static [(&'static str, u32)];

impl Section {
    /// Its name, as it stands in front of a directive: `Unit.OnFailure`.
    pub fn as_str(self) -> &'static str {
        match self {
            Unit => "Unit",
            Service => "Service",
            Install => "Install",
            Timer => "Timer",
            TimerUnit => "Timer.Unit",
        }
    }

    /// Whether it is about the timer, and not about the service.
    pub fn is_of_timer(self) -> bool {
        match self {
            Timer | TimerUnit => true,
            Unit | Service | Install => false,
        }
    }
}

/// What a directive takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// One line, in a grammar of its own.
    Any,
    /// `yes` or `no`.
    Switch,
    /// That, or one of these words.
    SwitchOr(Words),
    /// One of these words.
    Word(Words),
    /// A whole number from the first to the second.
    Number(i64, i64),
    /// Seconds, or a span such as `5min 20s`.
    Span,
    /// Permissions, in octal.
    Mode,
    /// Names of units.
    Units,
    /// That, or words of a list, of which `~` takes away.
    SwitchOrList(Words),
    /// Words of a list.
    List(Words),
    /// Any other grammar of systemd's.
    Grammar(Grammar),
}
use Takes::{Any, List, Mode, Number, Span, Switch, SwitchOr, SwitchOrList, Units, Word};

impl Takes {
    /// What a value is, or each of several.
    fn rule(self) -> String {
        match self {
            Any => "one line in a grammar of its own".to_owned(),
            Switch => "`yes` or `no`".to_owned(),
            SwitchOr(words) | SwitchOrList(words) => one_of(["yes", "no"].into_iter().chain(names(words))),
            Word(words) | List(words) => one_of(names(words)),
            Number(least, most) => format!("a number from {least} to {most}"),
            Span => "a time such as `90`, `5min 20s` or `infinity`".to_owned(),
            Mode => "a mode such as `0750`".to_owned(),
            Units => "the name of a unit".to_owned(),
            Takes::Grammar(grammar) => grammar.rule().to_owned(),
        }
    }

    fn takes_several(self) -> bool {
        match self {
            List(_) | SwitchOrList(_) | Units => true,
            Takes::Grammar(grammar) => grammar.takes_several(),
            Any | Switch | SwitchOr(_) | Word(_) | Number(..) | Span | Mode => false,
        }
    }
}

/// What it takes, in words.
impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = if self.takes_several() { ", or several" } else { "" };
        write!(f, "{}{several}", self.rule())
    }
}

/// The words to be told of: a number is another name for one of them.
fn names(words: Words) -> impl Iterator<Item = &'static str> {
    words.iter().map(|(word, _)| *word).filter(|word| word.parse::<u8>().is_err())
}

fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    format!("one of `{}`", words.collect::<Vec<_>>().join("`, `"))
}

/// What several directives take; `values.rs` has the grammars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// An amount of memory.
    Size,
    /// One above 0.
    SizeAboveZero,
    /// How many tasks.
    Tasks,
    /// A share of time.
    Percent,
    /// A share of all.
    Share,
    /// A weight, or `idle`.
    WeightOrIdle,
    /// A resource limit that counts.
    Limit,
    /// One of bytes.
    LimitOfBytes,
    /// One of time.
    LimitOfTime,
    /// A signal.
    Signal,
    /// Exit statuses and signals.
    ExitStatuses,
    /// An absolute path.
    Path,
    /// One that may be missing behind `-`.
    PathOrNot,
    /// A list of absolute paths.
    Paths,
    /// A list of absolute paths without prefixes.
    Mounts,
    /// A list of relative ones.
    Directories,
    /// A list of those, each with a link to it.
    LinkedDirectories,
    /// Where output goes.
    Output,
    /// Where input comes from.
    Input,
    /// Numbers of processors or memory nodes.
    Numbers,
    /// Numbers of processors, or those of the memory.
    Processors,
    /// Capabilities.
    Capabilities,
    /// System calls.
    SystemCalls,
    /// Those, and no error that they are to end with.
    SystemCallNames,
    /// Families of addresses.
    Families,
    /// A device and its access.
    Device,
    /// A slice.
    Slice,
    /// Sockets.
    Sockets,
    /// Groups.
    Groups,
    /// Names of variables.
    Variables,
    /// Names of variables, or one with its value.
    Assignments,
    /// Addresses of documents.
    Documents,
    /// A command line.
    Command,
    /// An absolute path that something has to be so of.
    ConditionPath,
    /// Where a program writes its number.
    PidFile,
    /// A name on D-Bus.
    BusName,
    /// Places that are seen elsewhere, too.
    Binds,
    /// Directories that are empty for the service.
    Temporary,
    /// Addresses and networks.
    Addresses,
    /// An error of a system call.
    ErrorNumber,
    /// A credential by its path.
    Credential,
    /// A credential by its text.
    CredentialText,
    /// A group.
    Group,
    /// Where a program begins.
    WorkingDirectory,
    /// Any text, in which systemd fills in what `%` stands for.
    Filled,
    /// A device, and an amount of bytes or of a count.
    DeviceLimit,
    /// A device, and a weight.
    DeviceWeight,
    /// A device, and a time.
    DeviceLatency,
    /// Times of a calendar.
    Calendar,
}

impl Grammar {
    /// What a value is, or each of several.
    fn rule(self) -> &'static str {
        match self {
            Self::Size | Self::SizeAboveZero => "an amount of memory such as `512M`, `1G`, `10%` or `infinity`",
            Self::Tasks => "a number, a share such as `10%`, or `infinity`",
            Self::Share => "a share such as `60%`",
            Self::Sockets => "the name of a socket such as `web.socket`",
            Self::Percent => "a share such as `50%`; `200%` are two processors",
            Self::WeightOrIdle => "a number from 1 to 10000, or `idle`",
            Self::Limit => "a number or `infinity`, or a soft and a hard one such as `1024:65536`",
            Self::LimitOfBytes => "a size such as `8M` or `infinity`, or a soft and a hard one such as `8M:infinity`",
            Self::LimitOfTime => "a time such as `10s` or `infinity`, or a soft and a hard one",
            Self::Signal => "a signal such as `SIGINT`",
            Self::ExitStatuses => "an exit status from 0 to 255 or a signal such as `SIGKILL`",
            Self::Path | Self::Paths | Self::Mounts => "an absolute path",
            Self::PathOrNot => "an absolute path, with `-` in front if it may be missing",
            Self::Directories => "a relative path such as `web`",
            Self::LinkedDirectories => "a relative path such as `web`, or two such as `web:link`",
            Self::Filled => "one line; `%%` is a single `%`",
            Self::DeviceLimit => "a path of a device and a limit such as `/dev/sda 5M`",
            Self::DeviceWeight => "a path of a device and a weight such as `/dev/sda 200`",
            Self::DeviceLatency => "a path of a device and a time such as `/dev/sda 25ms`",
            Self::WorkingDirectory => "an absolute path or `~`, with `-` in front if it may be missing",
            Self::Capabilities => "a capability such as `CAP_NET_BIND_SERVICE`",
            Self::Families => "a family of addresses such as `AF_INET`",
            Self::Device => "a device and its access such as `/dev/ttyUSB0 rw` or `char-usb_device rwm`",
            Self::Slice => "the name of a slice such as `lab.slice`",
            Self::Group | Self::Groups => "the name of a group",
            Self::Variables | Self::Assignments => "the name of an environment variable",
            Self::Documents => "an address such as `https://...`, `file:/...` or `man:name(8)`",
            Self::Output => "`journal`, `null`, `inherit`, `append:/path`, `file:/path` or `truncate:/path`",
            Self::Input => "`null`, `tty`, `data`, `socket` or `file:/path`",
            Self::Numbers | Self::Processors => "a list of numbers such as `0-3 8`",
            Self::SystemCalls | Self::SystemCallNames => "a system call, or a group such as `@system-service`",
            Self::Command => "a program by its absolute path, and its arguments",
            Self::ConditionPath => "an absolute path, with `!` in front if it must not be so",
            Self::PidFile => "an absolute path, or one below `/run`",
            Self::BusName => "a name on D-Bus such as `org.example.Web`",
            Self::Binds => "an absolute path, or two such as `/from:/to`",
            Self::Temporary => "an absolute path, with options of a mount behind it such as `/var:ro`",
            Self::Addresses => "an address or a network such as `10.0.0.0/8`, `localhost` or `any`",
            Self::ErrorNumber => "an error of the kernel such as `EPERM`, or `kill`",
            Self::Credential => "a name and the absolute path of a file such as `key:/etc/web.key`",
            Self::CredentialText => "a name and a text such as `greeting:hello`",
            Self::Calendar => "times such as `daily`, `Mon..Fri 08:00` or `*:0/15`",
        }
    }

    /// Whether several may stand behind each other.
    fn takes_several(self) -> bool {
        matches!(
            self,
            Self::ExitStatuses
                | Self::Paths
                | Self::Mounts
                | Self::Directories
                | Self::LinkedDirectories
                | Self::Capabilities
                | Self::SystemCalls
                | Self::SystemCallNames
                | Self::Families
                | Self::Groups
                | Self::Sockets
                | Self::Variables
                | Self::Assignments
                | Self::Documents
                | Self::Binds
                | Self::Temporary
                | Self::Addresses
        )
    }

    fn check(self, value: &str) -> values::Checked {
        let rule = self.rule();
        match self {
            Self::Size => values::size(value, 0, rule),
            Self::SizeAboveZero => values::size(value, 1, rule),
            Self::Tasks => values::tasks(value, rule),
            Self::Share => values::share(value, rule),
            Self::Sockets => values::sockets(value, rule),
            Self::Percent => values::percent(value, rule),
            Self::WeightOrIdle => values::weight_or_idle(value, rule),
            Self::Limit => values::limit(value, rule),
            Self::LimitOfBytes => values::limit_of_bytes(value, rule),
            Self::LimitOfTime => values::limit_of_time(value, rule),
            Self::Signal => values::signal(value, rule),
            Self::ExitStatuses => values::exit_statuses(value, rule),
            Self::Path => values::path(value, rule),
            Self::PathOrNot => values::path_or_not(value, rule),
            Self::Paths => values::paths(value, rule),
            Self::Mounts => values::mounts(value, rule),
            Self::Directories => values::directories(value, false, rule),
            Self::LinkedDirectories => values::directories(value, true, rule),
            Self::Output => values::output(value, rule),
            Self::Input => values::input(value, rule),
            Self::Numbers => values::numbers(value, rule),
            Self::Processors => values::processors(value, rule),
            Self::Capabilities => values::capabilities(value, rule),
            Self::SystemCalls => values::system_calls(value, rule),
            Self::SystemCallNames => values::system_call_names(value, rule),
            Self::Families => values::families(value, rule),
            Self::Device => values::device(value, rule),
            Self::Slice => values::slice(value, rule),
            Self::Groups => values::groups(value, rule),
            Self::Variables => values::variables(value, false, rule),
            Self::Assignments => values::variables(value, true, rule),
            Self::Documents => values::documents(value, rule),
            Self::Command => command::check(value),
            Self::ConditionPath => values::condition_path(value, rule),
            Self::PidFile => values::pid_file(value, rule),
            Self::BusName => values::bus_name(value, rule),
            Self::Binds => values::binds(value, rule),
            Self::Temporary => values::temporary(value, rule),
            Self::WorkingDirectory => values::working_directory(value, rule),
            Self::Filled => values::filled_text(value),
            Self::DeviceLimit => values::device_limit(value, rule),
            Self::DeviceWeight => values::device_weight(value, rule),
            Self::DeviceLatency => values::device_latency(value, rule),
            Self::Addresses => values::addresses(value, rule),
            Self::ErrorNumber => values::error_number(value, rule),
            Self::Credential => values::credential(value, rule),
            Self::CredentialText => values::credential_text(value, rule),
            Self::Group => values::group(value, rule),
            Self::Calendar => values::calendar(value),
        }
    }
}

/// Directives that have a key of their own in a manifest, and that key.
const OTHERWISE: [(Section, &str, &str); 8] = [
    (Unit, "After", "after"),
    (Unit, "Description", "description"),
    (Service, "Environment", "environment"),
    (Service, EXEC_START.name, "command"),
    (Service, "Restart", "restart"),
    (Service, "RestartSec", "restart_sec"),
    (Service, "User", "account"),
    (Service, "WorkingDirectory", "working_directory"),
];

/// What only a key of its own says.
const EXEC_START: KnownDirective =
    KnownDirective { section: Service, name: "ExecStart", since: 0, takes: Takes::Grammar(Grammar::Command) };

/// A directive that systemd knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownDirective {
    /// The section that it stands in.
    pub section: Section,
    /// Its name.
    pub name: &'static str,
    /// The version that it came with; 0 if it was always there.
    pub since: u32,
    /// What it takes.
    pub takes: Takes,
}

/// Every directive of the units of a service: its own, and its timer.
pub fn all_directives() -> impl Iterator<Item = KnownDirective> {
    directives().chain(directives_of_timers())
}

/// Every directive of a unit of a service.
pub fn directives() -> impl Iterator<Item = KnownDirective> {
    known(DIRECTIVES)
}

/// Every directive of a timer.
pub fn directives_of_timers() -> impl Iterator<Item = KnownDirective> {
    known(OF_TIMERS)
}

/// Every directive that a timer has as every unit has it.
pub fn directives_of_timers_as_units() -> impl Iterator<Item = KnownDirective> {
    let of_units = directives().filter(|directive| directive.section == Unit);
    of_units.map(|directive| KnownDirective { section: TimerUnit, ..directive })
}

fn known(rows: &'static [(Section, u32, Takes, &'static str)]) -> impl Iterator<Item = KnownDirective> {
    rows.iter().flat_map(|&(section, since, takes, names)| {
        names.split(' ').map(move |name| KnownDirective { section, name, since, takes })
    })
}

/// What has a key of its own in a manifest, as a table would call it, with that key.
pub fn own_keys() -> impl Iterator<Item = (String, &'static str)> {
    OTHERWISE.into_iter().map(|(section, name, key)| (key_of(section, name), key))
}

/// A name with its section, where that is not the one of a service.
fn key_of(section: Section, name: &str) -> String {
    match section {
        Service => name.to_owned(),
        section => format!("{}.{name}", section.as_str()),
    }
}

impl KnownDirective {
    /// The directive of a command that a service runs.
    pub fn exec_start() -> Self {
        EXEC_START
    }

    /// The key of a manifest that says it, if it has one of its own.
    pub fn own_key(&self) -> Option<&'static str> {
        OTHERWISE.iter().find(|known| (known.0, known.1) == (self.section, self.name)).map(|known| known.2)
    }

    /// The directive of this key: a name, with `Unit.` or `Install.` before it where it is not one of a service.
    ///
    /// # Errors
    /// Where there is no such directive, or a manifest says it elsewhere.
    pub fn find(key: &str) -> Result<Self, Refused> {
        let found = Self::find_any(key)?;
        match found.own_key() {
            None => Ok(found),
            Some(own) => Err(Refused::own_word(own)),
        }
    }

    /// The same, also where a manifest has a key for it: a `plain` service can say everything in systemd's own words, but
    /// for its commands.
    ///
    /// # Errors
    /// Where there is no such directive.
    pub fn find_any(key: &str) -> Result<Self, Refused> {
        let (section, name) = match key.rsplit_once('.') {
            None => (Service, key),
            Some((word, name)) => {
                match [Unit, Service, Install, Timer, TimerUnit].into_iter().find(|section| section.as_str() == word) {
                    Some(section) => (section, name),
                    None => {
                        return Err(Refused::new(format!("a unit of a service has no section `{word}`"))
                            .help("there are `Unit`, `Service`, `Install`, `Timer` and `Timer.Unit`"));
                    }
                }
            }
        };
        let all = || all_directives().chain(directives_of_timers_as_units());
        if let Some(found) = all().find(|known| known.section == section && known.name == name) {
            return Ok(found);
        }
        if let Some(own) = (section == Service && name == EXEC_START.name).then(|| EXEC_START.own_key()).flatten() {
            return Err(Refused::own_word(own));
        }
        let refused = Refused::new(format!("[{}] has no such directive in systemd up to {NEWEST}", section.as_str()));
        if let Some(elsewhere) = all().find(|known| known.name == name) {
            let typed = format!("write `--property {}=...`", elsewhere.word());
            return Err(refused.help(format!("write `{}`", elsewhere.key())).typed(typed));
        }
        let near = nearest(name, all().filter(|known| known.section == section).map(|known| known.name));
        Err(refused.help(match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "what only a newer one has goes into a drop-in: `systemctl edit NAME`".to_owned(),
        }))
    }

    /// What it does, in a line.
    pub fn about(&self) -> String {
        about::about(self.name)
    }

    /// What `--property` calls it.
    pub fn word(&self) -> String {
        key_of(self.section, self.name)
    }

    /// What a manifest calls it.
    pub fn key(&self) -> String {
        match self.section {
            Service => self.word(),
            Unit | Install | Timer | TimerUnit => format!("\"{}\"", self.word()),
        }
    }

    /// This directive with a value.
    ///
    /// # Errors
    /// Where systemd would not read it.
    pub fn with(self, value: &str) -> Result<Directive, Refused> {
        let since = self.check(value)?;
        Ok(Directive { section: self.section, name: self.name, value: value.to_owned(), since })
    }

    /// Checks one value, and gives the version that it needs.
    fn check(&self, value: &str) -> Result<u32, Refused> {
        let value = &joined(value)?;
        let refused = || Refused::new(format!("`{}` must be {}", value.escape_debug(), self.takes.rule()));
        match self.takes {
            Any => {}
            Switch if is_switch(value) => {}
            Switch => return Err(refused()),
            SwitchOr(_) if is_switch(value) => {}
            Word(words) | SwitchOr(words) => match words.iter().find(|(word, _)| *word == value) {
                Some((_, since)) => return Ok(self.since.max(*since)),
                None => {
                    return Err(match nearest(value, names(words)) {
                        Some(near) => refused().help(format!("did you mean `{near}`?")),
                        None => refused(),
                    });
                }
            },
            Number(least, most) => {
                let checked = values::number(value, least, most, &self.takes.rule());
                return checked.map(|since| self.since.max(since)).map_err(Refused::new);
            }
            Span if is_span(value) => {}
            Span => return Err(refused()),
            // `02755` is one, too (`parse_mode` in `src/basic/parse-util.c`).
            Mode if (1..=5).contains(&value.len())
                && value.starts_with(|c: char| c.is_ascii_digit())
                && u32::from_str_radix(value, 8).is_ok_and(|mode| mode <= 0o7777) => {}
            Mode => return Err(refused()),
            SwitchOrList(_) if is_switch(value) => {}
            SwitchOrList(words) | List(words) => {
                // `config_parse_restrict_namespaces`.
                let can_take_away = self.name == "RestrictNamespaces";
                return values::list(value, words, can_take_away)
                    .map(|since| self.since.max(since))
                    .map_err(Refused::new);
            }
            Takes::Grammar(grammar) => {
                return grammar.check(value).map(|since| self.since.max(since)).map_err(Refused::new);
            }
            Units => {
                let checked = values::units(value, &self.takes.rule(), is_unit).map(|since| self.since.max(since));
                // Most of those that lack their kind are services.
                let odd = value.split_whitespace().find(|word| !word.contains(['%', '.']));
                return checked.map_err(|reason| match odd {
                    Some(odd) => {
                        Refused::new(reason).help(format!("a service is called `{}.service`", odd.escape_debug()))
                    }
                    None => Refused::new(reason),
                });
            }
        }
        Ok(self.since)
    }
}

/// A line of a unit that only the `systemd` table of a manifest says: a directive with a value that systemd reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    section: Section,
    name: &'static str,
    value: String,
    since: u32,
}

impl Directive {
    /// The section that it stands in.
    pub fn section(&self) -> Section {
        self.section
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its value, in the grammar of the directive.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// How many commands its value has, if it is a command line.
    pub fn commands(&self) -> usize {
        command::count(&self.one_line())
    }

    /// The program of its first command and what it is given, if it is a command line: as far as they are the same on
    /// every host.
    pub fn known_words(&self) -> (Option<Text>, Vec<Text>) {
        command::known_words(&self.one_line())
    }

    fn one_line(&self) -> String {
        joined(&self.value).unwrap_or_default()
    }

    /// Whether its value is a yes (`parse_boolean` in `src/basic/parse-util.c`).
    pub fn is_on(&self) -> bool {
        YES.iter().any(|word| word.eq_ignore_ascii_case(&self.value))
    }

    /// Whether its value is a no, or empty, which is the same for what takes a list.
    pub fn is_off(&self) -> bool {
        self.value.is_empty() || NO.iter().any(|word| word.eq_ignore_ascii_case(&self.value))
    }

    /// The version of systemd that has it, with this value; 0 if it was always there.
    pub fn since(&self) -> u32 {
        self.since
    }
}

/// A value whose lines, but the last, end in a backslash, as the one line that systemd reads: a blank is in the place of
/// the backslash, and a line that begins like a comment is left out (`config_parse` in `src/shared/conf-parser.c`).
fn joined(value: &str) -> Result<String, Refused> {
    let refused = || Refused::new("must be one line of plain text that does not end in a backslash");
    // An even number of them stands for half as many, and continues nothing.
    let continues = |line: &str| (line.len() - line.trim_end_matches('\\').len()) % 2 == 1;
    let lines: Vec<&str> = value.split('\n').collect();
    let (last, earlier) = lines.split_last().unwrap_or((&"", &[]));
    if !earlier.iter().all(|line| continues(line)) || continues(last.trim_end()) {
        return Err(refused());
    }
    let comment = lines.iter().skip(1).find(|line| line.trim_start().starts_with(['#', ';']));
    if let Some(comment) = comment {
        return Err(Refused::new(format!("`{}` would be a comment there", comment.trim().escape_debug())));
    }
    let parts = earlier.iter().map(|line| line[..line.len() - 1].to_owned() + " ");
    let joined: String = parts.chain([(*last).to_owned()]).collect();
    if joined.chars().any(|c| c.is_control() && c != '\t') {
        return Err(refused());
    }
    Ok(joined)
}

/// Whether a service with these lines ends when it is done: what has a schedule does (`is_job`), unless its type is said.
pub fn is_oneshot(directives: &[Directive], is_job: bool) -> bool {
    let last = directives.iter().rev().find(|directive| directive.name() == "Type");
    last.map_or(is_job, |last| last.value() == "oneshot")
}

/// The words of `parse_boolean` in `src/basic/parse-util.c`.
const YES: [&str; 6] = ["1", "yes", "y", "true", "t", "on"];
const NO: [&str; 6] = ["0", "no", "n", "false", "f", "off"];

fn is_switch(value: &str) -> bool {
    YES.iter().chain(&NO).any(|word| word.eq_ignore_ascii_case(value))
}

/// A length of time, or none at all.
fn is_span(value: &str) -> bool {
    value.trim() == "infinity" || value.parse::<span::Span>().is_ok()
}

/// Whether a word ends as the names of units do.
pub fn is_unit(word: &str) -> bool {
    const TYPES: [&str; 11] =
        ["service", "socket", "device", "mount", "automount", "swap", "target", "path", "timer", "slice", "scope"];
    let fits = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte));
    word.rsplit_once('.').is_some_and(|(name, kind)| !name.is_empty() && fits(name) && TYPES.contains(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, value: &str) -> Result<u32, String> {
        KnownDirective::find(key).and_then(|directive| directive.check(value)).map_err(|refused| {
            refused.help.map_or(refused.reason.clone(), |help| format!("{}; {help}", refused.reason))
        })
    }

    #[test]
    fn what_systemd_has_is_taken() {
        for (key, value, since) in [
            ("LimitNOFILE", "65536", 0),
            ("Service.MemoryMax", "50%", 231),
            ("PrivateTmp", "TRUE", 0),
            ("ProtectSystem", "full", 0),
            ("ProtectSystem", "strict", 232),
            ("Type", "notify-reload", 253),
            ("Nice", "-20", 0),
            ("UMask", "027", 0),
            ("LogsDirectoryMode", "02755", 235),
            ("RuntimeMaxSec", "1h 30.5min 20", 229),
            ("TimeoutStopSec", "infinity", 0),
            ("Unit.OnFailure", "mail@%n.service other.target", 0),
            ("Unit.Requires", "", 0),
            ("Install.UpheldBy", "x.target", 254),
            ("StandardOutput", "append:/var/log/x", 240),
            ("CPUWeight", "idle", 252),
            ("Timer.OnCalendar", "Mon..Fri 08:00", 0),
            ("Timer.RandomizedDelaySec", "5min", 229),
            ("RestrictNamespaces", "~user", 233),
            ("ReadWritePaths", "-/a +/b", 231),
        ] {
            assert_eq!(check(key, value), Ok(since), "{key}={value}");
        }
    }

    #[test]
    fn the_rest_is_refused_with_the_reason() {
        for (key, value, said) in [
            ("LimitNOFLE", "1", "[Service] has no such directive in systemd up to 257; did you mean `LimitNOFILE`?"),
            (
                "OnFailure",
                "x.service",
                "[Service] has no such directive in systemd up to 257; write `\"Unit.OnFailure\"`",
            ),
            (
                "Xyzzy",
                "1",
                "[Service] has no such directive in systemd up to 257; \
                 what only a newer one has goes into a drop-in: `systemctl edit NAME`",
            ),
            (
                "Socket.Accept",
                "yes",
                "a unit of a service has no section `Socket`; there are `Unit`, `Service`, `Install`, `Timer` and `Timer.Unit`",
            ),
            ("User", "joe", "this has a key of its own; write `account = ...`"),
            ("PrivateTmp", "perhaps", "`perhaps` must be one of `yes`, `no`, `disconnected`"),
            ("NoNewPrivileges", "", "`` must be `yes` or `no`"),
            (
                "KillMode",
                "procces",
                "`procces` must be one of `control-group`, `process`, `mixed`, `none`; did you mean `process`?",
            ),
            (
                "Timer.OnCalendar",
                "soonish",
                "`soonish` must be a calendar expression such as `daily`, `Mon..Fri 08:00` or `*:0/15` (systemd.time(7))",
            ),
            ("Nice", "20", "`20` must be a number from -20 to 19"),
            ("RuntimeMaxSec", "5 fortnights", "`5 fortnights` must be a time such as `90`, `5min 20s` or `infinity`"),
            ("UMask", "rwx", "`rwx` must be a mode such as `0750`"),
            ("UMask", "17777", "`17777` must be a mode such as `0750`"),
            // systemd leaves these out, and says so to nobody.
            ("AmbientCapabilities", "CAP_FLY", "`CAP_FLY` must be a capability such as `CAP_NET_BIND_SERVICE`"),
            ("MemoryMax", "1GB", "`1GB` must be an amount of memory such as `512M`, `1G`, `10%` or `infinity`"),
            ("CPUQuota", "80", "`80` must be a share such as `50%`; `200%` are two processors"),
            ("EnvironmentFile", ".env", "`.env` must be an absolute path, with `-` in front if it may be missing"),
            ("Unit.Requires", "a.service b", "`b` must be the name of a unit; a service is called `b.service`"),
            ("ExecStartPre", "/bin/x\nUser=root", "must be one line of plain text that does not end in a backslash"),
        ] {
            assert_eq!(check(key, value), Err(said.to_owned()), "{key}={value}");
        }
    }

    #[test]
    fn each_is_there_once() {
        let mut keys: Vec<String> = directives().map(|directive| directive.key()).collect();
        let count = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!((count, keys.len()), (387, 387));
    }
}
