//! Why a start failed: from how it ended, what is on the host, and what was said last, to the cause.

use super::background::Left;
use super::program::{Format, ProgramFile, Runs, closed};
use super::refused::{self, Line};
use super::{Finding, Kind, background, plain, said, setting, typed, word};
use crate::model::status::{ServiceStatus, State};
use crate::model::text::Text;

/// What is known of a service: what it runs, as whom and where, and what it said.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Its name.
    pub service: String,
    /// Whether it is a user's own.
    pub user: bool,
    /// What its program is, and what lies there.
    pub program: Option<ProgramFile>,
    /// The command, in systemd's words.
    pub command: String,
    /// The account, where that is not root.
    pub account: Option<String>,
    /// `e_machine` of what runs on this host.
    pub machine: Option<u16>,
    /// The lines of its unit and of its drop-ins.
    pub lines: Vec<Line>,
    /// Its working directory.
    pub directory: Option<Directory>,
    /// What was written last of it to the log.
    pub said: String,
    /// Where the caller's PATH has the program that [`Known::wanted`] names.
    pub found: Option<Text>,
    /// The caller's `LD_LIBRARY_PATH`.
    pub libraries: Option<Text>,
    /// Who has the port that [`Known::port_in_use`] names.
    pub holder: Option<Holder>,
}

/// A process that listens on a port.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The name of its program.
    pub program: String,
    /// Its number.
    pub process: u32,
    /// The service that it belongs to.
    pub unit: Option<String>,
    /// Whether that is a user's own.
    pub user: bool,
}

/// A directory in which a service runs.
#[derive(Clone, Debug)]
pub struct Directory {
    /// Its path.
    pub path: Text,
    /// Whether it is one.
    pub is_there: bool,
    /// What is closed to the account on the way to it.
    pub closed: Option<Text>,
}

/// How a run ended, in a sentence.
pub fn ended(status: &ServiceStatus) -> String {
    match (status.result.as_deref(), status.exit_status) {
        (Some("exit-code"), Some(code)) => match meaning(code) {
            Some(meaning) => format!("it ended with exit status {code}, by which systemd means that {meaning}"),
            None => format!("it ended with exit status {code}"),
        },
        (Some("signal" | "core-dump"), Some(signal)) => format!("it was ended by signal {signal}"),
        (Some("success"), signal) if status.state == State::Restarting => {
            let how = match (status.last.signal, signal) {
                (true, Some(signal)) => format!("was ended by {}, which counts as no error", signal_name(signal)),
                _ if status.last.is_brief(AT_ONCE) => "ended at once, without an error".to_owned(),
                _ => "ended without an error".to_owned(),
            };
            format!("it {how}, and is waiting to be started again")
        }
        (Some("start-limit-hit"), _) => "it was started too often, and systemd has stopped starting it".to_owned(),
        (Some("oom-kill"), _) => "it was ended because memory ran out".to_owned(),
        (Some(result), _) if result != "success" => format!("it failed ({result})"),
        _ => format!("it is {}", status.state.as_str()),
    }
}

/// For so many seconds a program has run at most of which is said that it ended at once.
const AT_ONCE: u64 = 5;

/// The signals that systemd takes for a clean end (systemd.service(5), `SuccessExitStatus=`), and others by number.
fn signal_name(signal: i64) -> String {
    match signal {
        1 => "SIGHUP".to_owned(),
        2 => "SIGINT".to_owned(),
        PIPE => "SIGPIPE".to_owned(),
        15 => "SIGTERM".to_owned(),
        other => format!("signal {other}"),
    }
}

/// What an exit status says that systemd gives to a program that it could not start (systemd.exec(5),
/// "Process Exit Codes"), for those that a request can bring about.
fn meaning(code: i64) -> Option<&'static str> {
    Some(match code {
        200 => "it could not enter the working directory",
        203 => "it could not execute the program",
        208 => "it could not open standard input",
        209 => "it could not open what standard output goes to",
        216 | 217 => "it could not become the account",
        218 => "it could not take away or give the capabilities that the unit asks for",
        226 => "it could not set up the file system that the hardening asks for",
        228 => "it could not set up the filter of system calls that the hardening asks for",
        243 => "it could not be handed its credential",
        _ => return None,
    })
}

/// SIGSYS, SIGKILL, SIGPIPE (signal(7)).
const SYS: i64 = 31;
const KILL: i64 = 9;
const PIPE: i64 = 13;
/// What a shell returns for a program that was ended by a signal, less the signal.
const BY_SIGNAL: i64 = 128;

impl Known {
    /// A program that the service did not find on its PATH, by what it said: it may be on the caller's.
    pub fn wanted(&self) -> Option<String> {
        said::missing_program(&self.said)
    }

    /// A port that was in use, by what the program said.
    pub fn port_in_use(&self) -> Option<u16> {
        said::port_in_use(&self.said)??.parse().ok()
    }

    /// Why it failed, the surest cause first; nothing where nothing is known but how it ended.
    pub fn causes(&self, status: &ServiceStatus) -> Vec<Finding> {
        let result = status.result.as_deref().unwrap_or_default();
        let code = status.exit_status;
        let mut causes = Vec::new();
        let is_at_limit = result == "start-limit-hit" || status.state == State::Failed && said::too_often(&self.said);
        if is_at_limit {
            causes.push(self.start_limit());
        }
        if result == "oom-kill" || said::out_of_memory(&self.said) {
            causes.push(self.memory());
        }
        match (result, code) {
            ("exit-code", Some(200)) => causes.extend(self.in_directory()),
            ("exit-code", Some(203)) => causes.extend(self.not_executed()),
            ("exit-code", Some(216 | 217)) => causes.push(self.no_account()),
            ("exit-code", Some(218 | 226 | 228)) => causes.push(self.no_sandbox()),
            ("exit-code", Some(243)) | ("resources", _) => causes.extend(self.no_environment()),
            ("timeout", _) => causes.push(self.too_slow()),
            ("signal" | "core-dump", Some(signal)) => causes.extend(self.by_signal(signal)),
            ("exit-code", Some(code)) if code == BY_SIGNAL + SYS => causes.extend(self.by_signal(SYS)),
            _ => {}
        }
        match result {
            "exit-code" if causes.iter().all(|cause| cause.kind == Kind::StartLimit) => {
                causes.extend(self.by_words(code));
            }
            "start-limit-hit" => causes.extend(self.by_words(code)),
            _ => {}
        }
        if result == "success" && status.state == State::Restarting {
            causes.extend(self.without_error(status));
        }
        let mut kinds = Vec::new();
        causes.retain(|cause| {
            !kinds.contains(&cause.kind) && {
                kinds.push(cause.kind);
                true
            }
        });
        causes
    }

    /// Why it ended without an error; nothing where it has done its work for a while.
    fn without_error(&self, status: &ServiceStatus) -> Option<Finding> {
        let service = &self.service;
        if let (true, Some(signal)) = (status.last.signal, status.exit_status) {
            let name = signal_name(signal);
            return Some(Finding::new(
                Kind::Signal,
                format!("it was ended by {name}, which systemd takes for no error"),
                match signal {
                    PIPE => "it wrote to a pipe or a connection that nobody reads any more",
                    _ => {
                        "somebody asked it to end, or it did so itself; `ManageService stop` would have kept it stopped"
                    }
                },
                format!("`ManageService {service} logs -n 50` shows what it said before"),
            ));
        }
        status
            .last
            .is_brief(AT_ONCE)
            .then(|| background::ended(service, &self.program_path(), &self.command, self.left()))
    }

    /// What still ran when its program had ended: our stop script says it.
    fn left(&self) -> Left<'_> {
        let looks = |line: &Line| line.name == "ExecStop" && line.value.ends_with("_stop.sh\"");
        match said::left_behind(&self.said) {
            Some(name) => Left::Process(name),
            None if !self.said.is_empty() && self.lines.iter().any(looks) => Left::Nothing,
            None => Left::Unknown,
        }
    }

    pub(super) fn runs(&self) -> Runs<'_> {
        Runs { service: &self.service, account: self.account.as_deref(), machine: self.machine }
    }

    fn program_path(&self) -> Text {
        self.program.as_ref().map_or_else(|| "".into(), |program| program.path.clone())
    }

    fn start_limit(&self) -> Finding {
        let service = &self.service;
        Finding::new(
            Kind::StartLimit,
            "it was started more often than `StartLimitBurst=` of its unit allows, and failed each time",
            "systemd has stopped starting it; what ended it the last time is the cause",
            format!(
                "`ManageService {service} logs -n 50` shows that; `ManageService {service} start` resets the count and starts it"
            ),
        )
    }

    /// The line that limits its memory.
    fn limit(&self) -> Option<&Line> {
        let of = |name: &&str| refused::last(&self.lines, name).filter(|line| line.value != "infinity");
        ["MemoryMax", "MemoryLimit", "MemoryHigh"].iter().find_map(of)
    }

    fn memory(&self) -> Finding {
        match self.limit() {
            Some(line) => self.over(line, "it used more memory than"),
            None => Finding::new(
                Kind::Memory,
                "the kernel ended a process of it because this machine, or the container, had no memory left",
                "it is ended again whenever memory runs out",
                "`sudo journalctl -k --grep 'out of memory'` tells who used it; `free -h` shows what there is",
            ),
        }
    }

    fn over(&self, line: &Line, what: &str) -> Finding {
        let Line { name, value, path, .. } = line;
        Finding::new(
            Kind::Memory,
            format!("{what} the line `{name}={value}` of `{path}` allows"),
            "the kernel ends a process of the service then, and systemd the rest of it",
            format!("{}, with a larger `{name}=` below `[Service]`", self.edit()),
        )
    }

    pub(super) fn in_directory(&self) -> Option<Finding> {
        let Directory { path, is_there, closed: at } = self.directory.as_ref()?;
        let service = &self.service;
        if !is_there {
            return Some(Finding::new(
                Kind::WorkingDirectory,
                format!("its working directory `{path}` is gone"),
                "systemd enters it before it starts the program: the service fails with 200",
                format!(
                    "{} makes it; `--working-directory DIR` names another one at an install",
                    typed("mkdir -p", path)
                ),
            ));
        }
        at.as_ref().map(|at| Finding {
            why: format!("systemd enters it as this account: `{service}` fails with 200"),
            ..closed(path, at, self.runs())
        })
    }

    fn not_executed(&self) -> Vec<Finding> {
        let mut found = self.program.as_ref().map(|program| program.faults(self.runs())).unwrap_or_default();
        if found.is_empty() && self.said.to_lowercase().contains("exec format error") {
            let path = self.program_path();
            found.push(Finding::new(
                Kind::Program,
                format!("the kernel does not know what kind of program `{path}` is (\"Exec format error\")"),
                "a file that a shell would read as a script is nothing to the kernel",
                format!(
                    "{} shows what it is; name what runs it in front of it: {}",
                    typed("file", &path),
                    typed("-- /path/of/it", &path)
                ),
            ));
        }
        found
    }

    fn no_account(&self) -> Finding {
        let account = self.account.as_deref().unwrap_or("root");
        Finding::new(
            Kind::Account,
            format!("there is no account `{account}`, or no group that the unit names"),
            "systemd cannot become who is not there",
            format!(
                "{} makes one; {} shows it",
                typed("sudo useradd --system --shell /usr/sbin/nologin", &account.into()),
                typed("getent passwd", &account.into())
            ),
        )
    }

    fn no_sandbox(&self) -> Finding {
        let service = &self.service;
        Finding::new(
            Kind::Hardening,
            "this kernel or container does not let systemd set up what the hardening of the unit asks for",
            "the program is not started without it",
            format!(
                "`ManageService {service} logs -n 50` names the line; install `{service}` again with `--hardening none`"
            ),
        )
    }

    fn no_environment(&self) -> Option<Finding> {
        let said = self.said.lines().rev().find(|line| {
            line.contains("Failed to load environment files")
                || line.contains("Failed to set up credentials")
                || line.contains("Failed at step CREDENTIALS")
        })?;
        let service = &self.service;
        Some(Finding::new(
            Kind::Environment,
            format!("the values of its secrets could not be read: {}", tail_of(said)),
            "systemd reads them before it starts the program",
            format!(
                "`ManageService {service} doctor` names the file; `ManageService {service} reinstall` asks for what is missing"
            ),
        ))
    }

    fn too_slow(&self) -> Finding {
        let service = &self.service;
        Finding::new(
            Kind::Timeout,
            "it took longer to start or to stop than its unit allows",
            "systemd ends what does not say in time that it is ready, or does not stop in time",
            format!(
                "`ManageService {service} logs -n 50` shows how far it came; {}, with `TimeoutStartSec=` or `TimeoutStopSec=` below `[Service]`",
                self.edit()
            ),
        )
    }

    /// What to type to add a line to its unit.
    fn edit(&self) -> String {
        let systemctl = if self.user { "systemctl --user" } else { "sudo systemctl" };
        format!("`{systemctl} edit {}`", self.service)
    }

    fn by_signal(&self, signal: i64) -> Option<Finding> {
        match signal {
            SYS => {
                let narrow = self.program.as_ref().and_then(|program| match program.format {
                    Some(Format::Elf { wide, .. }) => Some(!wide),
                    Some(Format::Empty | Format::Script(_) | Format::Marked | Format::Text | Format::Other) | None => {
                        None
                    }
                });
                // A shell or an interpreter is a program of 64 bits that may start one of 32.
                let narrow =
                    narrow.filter(|narrow| *narrow || refused::last(&self.lines, "SystemCallArchitectures").is_none());
                Some(refused::by_filter(&self.service, narrow, &self.lines))
            }
            KILL => self.limit().map(|line| self.over(line, "it was killed, probably because it exceeded what")),
            _ => None,
        }
    }

    /// What the program said that ended with an error of its own.
    fn by_words(&self, code: Option<i64>) -> Vec<Finding> {
        let service = &self.service;
        if let Some(program) = &self.program
            && matches!(code, Some(126 | 127))
            && let Some(line) = program.format.as_ref().and_then(Format::first_line)
            && (line.ends_as_on_windows() || line.one_name().is_some())
        {
            return program.faults(self.runs());
        }
        if let Some(library) = said::missing_library(&self.said) {
            return vec![self.no_library(&library)];
        }
        // What a shell and `env` return for it; another program may say `not found` of anything.
        let is_sure = matches!(code, Some(126 | 127)) || self.said.contains("command not found");
        if let Some(name) = self.wanted().filter(|_| is_sure) {
            return vec![self.not_on_path(&name)];
        }
        if let Some(port) = said::port_in_use(&self.said) {
            return vec![self.no_port(port.as_deref())];
        }
        if let Some(port) = said::port_denied(&self.said)
            && let Some(account) = &self.account
        {
            let number = port.map(|port| format!(" {port}")).unwrap_or_default();
            return vec![Finding::new(
                Kind::Port,
                format!("the account `{account}` may not listen on port{number}"),
                "ports below 1024 are for root, and for programs with the capability CAP_NET_BIND_SERVICE",
                match self.user {
                    true => format!("give `{service}` a port of 1024 or more"),
                    false => format!(
                        "{}, with `AmbientCapabilities=CAP_NET_BIND_SERVICE` below `[Service]`; or a port of 1024 or more",
                        self.edit()
                    ),
                },
            )];
        }
        if let Some(finding) = refused::by_its_words(service, &self.said, &self.lines, self.account.is_some()) {
            return vec![finding];
        }
        if let Some((path, read_only)) = said::not_writable(&self.said) {
            return vec![self.not_writable(&path, read_only)];
        }
        if said::no_input(&self.said) {
            return vec![Finding::new(
                Kind::Input,
                "it wants to be answered, or a terminal; standard input is `/dev/null` in a service",
                "nobody is there to answer",
                format!(
                    "install `{service}` again with its option for running without questions (often `--yes`, `--batch`, `--non-interactive`)"
                ),
            )];
        }
        if said::no_memory(&self.said) {
            return vec![self.refused_memory()];
        }
        Vec::new()
    }

    /// It was refused memory, and not killed for it.
    fn refused_memory(&self) -> Finding {
        let service = &self.service;
        let of = |name: &&str| refused::last(&self.lines, name).filter(|line| line.value != "infinity");
        if let Some(Line { name, value, path, .. }) = ["LimitAS", "LimitDATA"].iter().find_map(of) {
            return Finding::new(
                Kind::Memory,
                format!("the program was refused memory that it asked for, by the line `{name}={value}` of `{path}`"),
                "the kernel refuses what is more than that, and most programs end then",
                format!("{}, with a larger `{name}=` below `[Service]`", self.edit()),
            );
        }
        Finding::new(
            Kind::Memory,
            "the program was refused memory that it asked for, and ended by itself",
            "that is a limit of its own, such as `-Xmx` of Java, or one of the unit or of the machine",
            match self.limit() {
                Some(line) => format!(
                    "give it a higher limit of its own, or {}, with a larger `{}=` below `[Service]`",
                    self.edit(),
                    line.name
                ),
                None => format!(
                    "give it a higher limit of its own; `ManageService {service} show` has those of its unit, `free -h` what there is"
                ),
            },
        )
    }

    fn no_port(&self, port: Option<&str>) -> Finding {
        let service = &self.service;
        let (which, filter) = match port {
            Some(port) => (format!("port {port}"), format!(" 'sport = :{port}'")),
            None => ("its port or socket".to_owned(), String::new()),
        };
        let (by, stop) = match &self.holder {
            Some(Holder { program, unit: Some(unit), user, .. }) => {
                let systemctl = if *user { "systemctl --user" } else { "sudo systemctl" };
                let stop = typed(&format!("{systemctl} stop"), &unit.as_str().into());
                (format!("`{program}` of the service `{unit}`"), format!("{stop} stops that one; or give"))
            }
            Some(Holder { program, process, unit: None, .. }) => {
                (format!("`{program}`, process {process}"), format!("`sudo kill {process}` ends that one; or give"))
            }
            None => (
                "another program".to_owned(),
                format!("`sudo ss -ltnp{filter}` shows who has it: stop that one, or give"),
            ),
        };
        Finding::new(
            Kind::Port,
            format!("{which} is in use by {by}"),
            "only one program can listen there",
            format!("{stop} `{service}` another port"),
        )
    }

    fn no_library(&self, library: &str) -> Finding {
        let service = &self.service;
        let cure = match &self.libraries {
            Some(directories) => format!(
                "your shell has `LD_LIBRARY_PATH={directories}`, and the service does not: install `{service}` again with {}",
                setting("LD_LIBRARY_PATH", directories)
            ),
            None => format!(
                "{} shows what is missing; install the package that has it, or install `{service}` again with \
                 `--env LD_LIBRARY_PATH=DIR`",
                typed("ldd", &self.program_path())
            ),
        };
        let why =
            "a service has no LD_LIBRARY_PATH but what it is given, so libraries are found where ld.so.conf(5) says";
        Finding::new(Kind::Library, format!("the library `{library}` is not found"), why, cure)
    }

    fn not_on_path(&self, name: &str) -> Finding {
        let service = &self.service;
        let cure = match &self.found {
            Some(found) => {
                let path = found.as_bytes();
                let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or_default().max(1);
                let directory = Text::from_bytes(&path[..end]);
                format!(
                    "your shell finds it in `{directory}`: install `{service}` again with {}",
                    typed("--path", &directory)
                )
            }
            None => format!(
                "{} shows where it is, if it is installed; `--path DIR` at an install adds its directory",
                typed("command -v", &plain(&name.into()).unwrap_or("PROGRAM").into())
            ),
        };
        Finding::new(
            Kind::SearchPath,
            format!("`{name}` is not on the service's PATH"),
            "a service does not read the files of a shell, such as ~/.profile, that may add to PATH",
            cure,
        )
    }

    fn not_writable(&self, path: &str, read_only: bool) -> Finding {
        let service = &self.service;
        // The program names it, and may be told to by whoever uses it.
        let file = path.into();
        let file = plain(&file).unwrap_or("FILE").into();
        if read_only {
            return Finding::new(
                Kind::NotWritable,
                format!("`{path}` is on a file system that is read-only for the service"),
                "nothing can be written there",
                format!("{} shows the mount", typed("findmnt -T", &file)),
            );
        }
        let account = self.account.as_deref().unwrap_or("root");
        let (what, cure) = if path.starts_with("/dev/") || path.ends_with(".sock") {
            (
                format!("the account `{account}` may not open `{path}`"),
                format!(
                    "{} shows its group; {}, then `ManageService {service} restart`",
                    typed("ls -l", &file),
                    typed("sudo usermod --append --groups GROUP", &account.into())
                ),
            )
        } else {
            (
                format!("the account `{account}` may not read or write `{path}`"),
                format!(
                    "{} shows the rights on the way; {} gives a directory to the account",
                    typed("namei -l", &file),
                    format_args!("`sudo chown -R {} DIR`", word(&account.into()))
                ),
            )
        };
        Finding::new(Kind::NotWritable, what, "a service has the rights of its account, not yours", cure)
    }
}

/// What stands behind the name of the unit in a line of systemd's.
fn tail_of(line: &str) -> &str {
    line.split_once(".service: ").map_or(line, |(_, rest)| rest).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::status::LastRun;

    fn file(path: &str, format: Format) -> ProgramFile {
        ProgramFile::sound(path, format)
    }

    fn saying(said: &str) -> Known {
        Known {
            service: "web".into(),
            program: Some(file("/opt/x", Format::Other)),
            command: "/opt/x".into(),
            account: Some("ann".into()),
            machine: Some(62),
            said: said.into(),
            ..Known::default()
        }
    }

    fn status(result: &str, code: Option<i64>) -> ServiceStatus {
        ServiceStatus {
            state: State::Restarting,
            result: Some(result.into()),
            exit_status: code,
            ..ServiceStatus::not_installed()
        }
    }

    fn lines(text: &str) -> Vec<Line> {
        refused::lines([(&"/etc/systemd/system/web.service".into(), false, text)])
    }

    /// The one cause.
    #[track_caller]
    fn cause(known: &Known, result: &str, code: Option<i64>) -> Finding {
        match known.causes(&status(result, code)).as_slice() {
            [only] => only.clone(),
            other => panic!("{other:#?}"),
        }
    }

    #[test]
    fn who_has_a_port_is_named() {
        let with = |unit: Option<&str>, user| {
            let unit = unit.map(str::to_owned);
            let holder = Some(Holder { program: "nginx".into(), process: 4711, unit, user });
            let known = Known { holder, ..saying("listen tcp :8080: bind: address already in use") };
            let found = cause(&known, "exit-code", Some(1));
            (found.what, found.cure)
        };
        let says = |what: &str, cure: &str| {
            (format!("port 8080 is in use by {what}"), format!("{cure}; or give `web` another port"))
        };
        assert_eq!(
            with(Some("proxy"), false),
            says("`nginx` of the service `proxy`", "`sudo systemctl stop proxy` stops that one")
        );
        assert_eq!(
            with(Some("dev"), true),
            says("`nginx` of the service `dev`", "`systemctl --user stop dev` stops that one")
        );
        assert_eq!(with(None, false), says("`nginx`, process 4711", "`sudo kill 4711` ends that one"));
    }

    #[test]
    fn memory_that_a_line_refuses_is_told_with_it() {
        let known = Known { lines: lines("[Service]\nLimitAS=300M\n"), ..saying("MemoryError") };
        let found = cause(&known, "exit-code", Some(1));
        assert!(found.what.ends_with("by the line `LimitAS=300M` of `/etc/systemd/system/web.service`"), "{found:?}");
        assert!(found.cure.ends_with("with a larger `LimitAS=` below `[Service]`"), "{found:?}");
    }

    #[test]
    fn a_mail_that_is_not_handed_over_names_the_profile() {
        let words = "sendmail: can not open config `/etc/dma/dma.conf': Permission denied";
        let known = Known { lines: lines("[Service]\nNoNewPrivileges=yes\n"), ..saying(words) };
        assert_eq!(cause(&known, "exit-code", Some(66)).kind, Kind::Hardening);
        assert_eq!(cause(&saying(words), "exit-code", Some(66)).kind, Kind::NotWritable);
    }

    #[test]
    fn where_our_script_has_looked_nothing_is_left_in_the_background() {
        let brief = ServiceStatus { last: LastRun { signal: false, seconds: Some(0) }, ..status("success", Some(0)) };
        let kind = |unit: &str, said: &str| Known { lines: lines(unit), ..saying(said) }.causes(&brief)[0].kind;
        let ours = "[Service]\nExecStop=-:\"/bin/sh\" \"/var/lib/install-service/web_stop.sh\"\n";
        assert_eq!(kind(ours, "Started web"), Kind::Input);
        assert_eq!(kind(ours, "left in the background: mine"), Kind::Background);
        // Who may not read the log does not know.
        assert_eq!(kind(ours, ""), Kind::Background);
        assert_eq!(kind("[Service]\n", "Started web"), Kind::Background);
    }

    #[track_caller]
    fn said(words: &str, kind: Kind, cure: &str) {
        let found = cause(&saying(words), "exit-code", Some(1));
        assert_eq!(found.kind, kind, "{words}: {found:?}");
        assert!(found.cure.contains(cure), "{words}: {found:?}");
    }

    #[test]
    fn what_a_program_says_is_explained() {
        said("listen tcp :8080: bind: address already in use", Kind::Port, "`sudo ss -ltnp 'sport = :8080'`");
        said("listen tcp :80: bind: permission denied", Kind::Port, "AmbientCapabilities=CAP_NET_BIND_SERVICE");
        said("open /srv/x: permission denied", Kind::NotWritable, "`namei -l /srv/x`");
        said("open /dev/ttyUSB0: permission denied", Kind::NotWritable, "--groups GROUP ann");
        said("dial unix /run/docker.sock: connect: permission denied", Kind::NotWritable, "--groups GROUP ann");
        said("touch: cannot touch '/srv/x': Read-only file system", Kind::NotWritable, "`findmnt -T /srv/x`");
        said("EOFError: EOF when reading a line", Kind::Input, "--batch");
        for words in ["std::bad_alloc", "MemoryError", "java.lang.OutOfMemoryError: Java heap space"] {
            said(words, Kind::Memory, "a higher limit of its own");
            let found = cause(&saying(words), "exit-code", Some(1));
            assert!(!found.what.contains("kernel"), "nobody has killed it: {found:?}");
        }
    }

    #[test]
    fn what_a_program_says_is_no_command() {
        for words in ["/bin/sh: 1: cannot create /x;id/y: Permission denied", "open '/x;id': Read-only file system"] {
            let found = cause(&saying(words), "exit-code", Some(1));
            assert!(!found.cure.contains("id") && found.cure.contains(" FILE`"), "{found:?}");
        }
        let found = saying("/bin/sh: 1: $(reboot): not found").causes(&status("exit-code", Some(127)));
        assert!(found.iter().all(|found| !found.cure.contains("reboot")), "{found:?}");
        let known =
            Known { libraries: Some("/opt/my lib".into()), ..saying("Error loading shared library libq.so: x") };
        let found = cause(&known, "exit-code", Some(127));
        assert!(found.cure.ends_with("`--env LD_LIBRARY_PATH='/opt/my lib'`"), "{found:?}");
    }

    #[test]
    fn an_error_that_says_nothing_known_has_no_cause() {
        assert_eq!(saying("Error: settings.yaml: not found").causes(&status("exit-code", Some(1))), []);
        assert_eq!(saying("the wheels came off").causes(&status("exit-code", Some(7))), []);
        assert_eq!(saying("").causes(&status("signal", Some(11))), []);
        // A line of the kind is no cause of a run that is fine.
        let running = ServiceStatus { state: State::Stopped, ..status("success", Some(0)) };
        assert_eq!(saying("Address already in use").causes(&running), []);
    }

    #[test]
    fn a_library_is_told_from_what_the_shell_has() {
        let words =
            "/opt/x: error while loading shared libraries: libq.so.1: cannot open shared object file: No such file";
        let found = cause(&saying(words), "exit-code", Some(127));
        assert!(found.cure.contains("`ldd /opt/x`"), "{found:?}");
        let known = Known { libraries: Some("/opt/lib".into()), ..saying(words) };
        let found = cause(&known, "exit-code", Some(127));
        assert!(found.cure.contains("your shell has `LD_LIBRARY_PATH=/opt/lib`"), "{found:?}");
        assert!(found.cure.contains("`--env LD_LIBRARY_PATH=/opt/lib`"), "{found:?}");
    }

    #[test]
    fn a_program_on_the_path_of_the_shell_alone() {
        let words = "/usr/bin/env: \u{2018}node\u{2019}: No such file or directory";
        let found = cause(&saying(words), "exit-code", Some(127));
        assert_eq!(found.kind, Kind::SearchPath);
        assert!(found.cure.contains("`command -v node`"), "{found:?}");
        let known = Known { found: Some("/home/ann/.nvm/bin/node".into()), ..saying(words) };
        let found = cause(&known, "exit-code", Some(127));
        assert!(found.cure.contains("`--path /home/ann/.nvm/bin`"), "{found:?}");
    }

    #[test]
    fn a_carriage_return_is_named_for_203_and_127() {
        let script = Format::of(b"#!/usr/bin/env python3\r\n");
        let known = Known { program: Some(file("/srv/x", script)), ..saying("env: 'python3\\r': No such file") };
        for code in [203, 127] {
            assert_eq!(cause(&known, "exit-code", Some(code)).kind, Kind::CarriageReturn);
        }
    }

    #[test]
    fn a_format_that_nobody_knows_is_told_by_what_systemd_says() {
        let known = saying("web.service: Failed at step EXEC spawning /opt/x: Exec format error");
        assert!(cause(&known, "exit-code", Some(203)).cure.contains("`file /opt/x`"));
    }

    #[test]
    fn the_profile_is_named_for_sigsys_and_for_what_it_refuses() {
        let text = "[Service]\nNoNewPrivileges=yes\nSystemCallArchitectures=native\n";
        let hardened = |words: &str| Known { lines: lines(text), ..saying(words) };
        for (result, code) in [("signal", 31), ("core-dump", 31), ("exit-code", 159)] {
            let found = cause(&hardened(""), result, Some(code));
            assert_eq!(found.kind, Kind::Hardening);
            assert!(found.why.contains("`SystemCallArchitectures=native`"), "{found:?}");
            assert!(found.cure.contains("`--hardening none`"), "{found:?}");
        }
        let found =
            cause(&hardened("sudo: effective uid is not 0, is sudo installed setuid root?"), "exit-code", Some(1));
        assert!(found.why.contains("`NoNewPrivileges=yes`"), "{found:?}");
    }

    #[test]
    fn memory_is_told_with_the_limit() {
        let limited = Known { lines: lines("[Service]\nMemoryMax=64M\n"), ..saying("") };
        for (result, code) in [("oom-kill", Some(9)), ("signal", Some(9))] {
            let found = cause(&limited, result, code);
            assert!(found.what.contains("`MemoryMax=64M`"), "{found:?}");
            assert!(found.cure.starts_with("`sudo systemctl edit web`"), "{found:?}");
            let own = cause(&Known { user: true, ..limited.clone() }, result, code);
            assert!(own.cure.starts_with("`systemctl --user edit web`"), "{own:?}");
        }
        let found = cause(&saying(""), "oom-kill", Some(9));
        assert!(found.what.contains("this machine"), "{found:?}");
        // Nothing says that it was the memory.
        assert_eq!(saying("").causes(&status("signal", Some(9))), []);
    }

    #[test]
    fn a_start_limit_comes_with_the_cause_of_the_last_failure() {
        let known = saying("listen tcp :8080: bind: address already in use");
        let kinds = |causes: Vec<Finding>| causes.into_iter().map(|cause| cause.kind).collect::<Vec<_>>();
        let causes = known.causes(&ServiceStatus { state: State::Failed, ..status("start-limit-hit", Some(1)) });
        assert_eq!(kinds(causes), [Kind::StartLimit, Kind::Port]);
        // Where systemd itself has restarted it, the result is that of the last run.
        let known = saying("bind: address already in use\nweb.service: Start request repeated too quickly.");
        let causes = known.causes(&ServiceStatus { state: State::Failed, ..status("exit-code", Some(1)) });
        assert_eq!(kinds(causes), [Kind::StartLimit, Kind::Port]);
    }

    #[test]
    fn an_end_without_an_error_is_explained() {
        let cron = Known {
            program: Some(file("/usr/sbin/cron", Format::Other)),
            command: "/usr/sbin/cron".into(),
            ..saying("")
        };
        let found = cause(&cron, "success", Some(0));
        assert!(found.cure.contains("`-f`"), "{found:?}");
        let found = cause(&saying("web.service: Killing process 7 (mine) with signal SIGKILL."), "success", Some(0));
        assert!(found.what.contains("`mine` still ran"), "{found:?}");
    }

    #[test]
    fn an_end_without_an_error_after_a_while_is_no_cause() {
        let after = |seconds| LastRun { signal: false, seconds: Some(seconds) };
        let cron = Known { program: Some(file("/usr/sbin/cron", Format::Other)), ..saying("") };
        let worked = ServiceStatus { last: after(60 * 60 * 24 * 21), ..status("success", Some(0)) };
        assert_eq!(cron.causes(&worked), []);
        assert_eq!(ended(&worked), "it ended without an error, and is waiting to be started again");
        let brief = ServiceStatus { last: after(1), ..status("success", Some(0)) };
        assert_eq!(cron.causes(&brief)[0].kind, Kind::Background);
    }

    #[test]
    fn a_signal_that_counts_as_no_error_is_named() {
        for (signal, name) in [(13, "SIGPIPE"), (15, "SIGTERM"), (1, "SIGHUP"), (2, "SIGINT")] {
            let killed =
                ServiceStatus { last: LastRun { signal: true, seconds: Some(1) }, ..status("success", Some(signal)) };
            let found = match saying("").causes(&killed).as_slice() {
                [only] => only.clone(),
                other => panic!("{other:#?}"),
            };
            assert_eq!((found.kind, found.what.contains(name)), (Kind::Signal, true), "{found:?}");
            assert!(ended(&killed).contains(name));
        }
    }

    #[test]
    fn what_systemd_could_not_do_is_explained() {
        let there = |is_there, closed: Option<&str>| Known {
            directory: Some(Directory { path: "/srv/w".into(), is_there, closed: closed.map(Text::from) }),
            ..saying("")
        };
        assert_eq!(cause(&there(false, None), "exit-code", Some(200)).kind, Kind::WorkingDirectory);
        let found = cause(&there(true, Some("/srv")), "exit-code", Some(200));
        assert!(found.what.contains("`/srv` is closed"), "{found:?}");
        assert_eq!(cause(&saying(""), "exit-code", Some(217)).kind, Kind::Account);
        assert_eq!(cause(&saying(""), "exit-code", Some(226)).kind, Kind::Hardening);
        assert_eq!(cause(&saying(""), "timeout", None).kind, Kind::Timeout);
        let said = "web.service: Failed to load environment files: No such file or directory";
        let found = cause(&saying(said), "resources", None);
        assert!(found.what.ends_with("Failed to load environment files: No such file or directory"), "{found:?}");
    }

    #[test]
    fn statuses_of_systemd_are_put_into_words() {
        let sentence = |result, code| ended(&status(result, code));
        assert_eq!(sentence("exit-code", Some(7)), "it ended with exit status 7");
        assert!(
            sentence("exit-code", Some(203)).ends_with("by which systemd means that it could not execute the program")
        );
        assert_eq!(sentence("signal", Some(11)), "it was ended by signal 11");
        assert!(sentence("success", Some(0)).starts_with("it ended at once, without an error"));
    }
}
