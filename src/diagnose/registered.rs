//! What can be wrong with a service of NSSM, and around it, and why one has failed.

use super::pe::{self, Image};
use super::{Finding, Kind, said};
use crate::model::platform::Platform;
use crate::model::reach::{Drive, behind_letter, is_share, seen_as};
use crate::model::text::Text;

/// A path of a service, and what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The path.
    pub path: Text,
    /// Whether there is anything.
    pub is_there: bool,
    /// Where its letter leads.
    pub drive: Drive,
}

/// A service that another one needs and that keeps it from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Windows has none of that name.
    Missing(Text),
    /// It is disabled.
    Disabled(Text),
}

/// How a program ended, or that it did not start: what RunService says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End<'a> {
    /// It ended with this exit status.
    Exited(u32),
    /// Windows did not start it, for a reason that has a number and words.
    NotStarted(Option<u32>, &'a str),
}

impl<'a> End<'a> {
    /// The last end that RunService tells of in the output of `service`, and what was said before it, behind the end
    /// before that.
    fn last(service: &str, output: &'a str) -> Option<(Self, &'a str)> {
        let mut ends = Vec::new();
        let mut at = 0;
        for line in output.split_inclusive('\n') {
            ends.extend(Self::read(service, line.trim_end()).map(|end| (end, at, at + line.len())));
            at += line.len();
        }
        let (end, last, _) = ends.pop()?;
        let begun = ends.pop().map_or(0, |(.., behind)| behind);
        Some((end, &output[begun..last]))
    }

    /// A line of RunService about `service`.
    pub fn read(service: &str, line: &'a str) -> Option<Self> {
        let rest = line.strip_prefix(service)?;
        if let Some(rest) = rest.strip_prefix(" exit-code exited ") {
            return rest.split(' ').next()?.parse().ok().map(Self::Exited);
        }
        let (_, reason) = rest.strip_prefix(" cannot start `")?.rsplit_once("`: ")?;
        let number = reason.rsplit_once("(os error ").and_then(|(_, number)| number.strip_suffix(')')?.parse().ok());
        Some(Self::NotStarted(number, reason))
    }
}

/// What is found of one service of Windows.
#[derive(Clone, Debug, Default)]
pub struct Registered {
    /// Its name.
    pub service: String,
    /// Whether Windows has a service of that name with NSSM.
    pub is_registered: bool,
    /// Whether a script of ours is there that it is run with.
    pub has_script: bool,
    /// The script of ours that it is run with, if that is gone.
    pub no_script: Option<Text>,
    /// Whether its receipt is there.
    pub has_receipt: bool,
    /// The program.
    pub program: Option<Spot>,
    /// What the file of the program is; `None` where it cannot be read.
    pub image: Option<Image>,
    /// The kind of processor of this machine, where that is known.
    pub machine: Option<u16>,
    /// The working directory.
    pub directory: Option<Spot>,
    /// The directories of the files that its output goes to.
    pub logs: Vec<Spot>,
    /// Those of its arguments that are absolute paths.
    pub arguments: Vec<Spot>,
    /// Services that it needs, as far as they keep it from starting.
    pub lacks: Vec<Lack>,
    /// The account, as Windows has it; `None` is LocalSystem.
    pub account: Option<String>,
    /// Whether it has failed, or is waiting to be started again after it ended too soon.
    pub has_failed: bool,
    /// The exit status that Windows shows of it, if it has stopped because of an error.
    pub exit_status: Option<u32>,
    /// The last of its output.
    pub output: String,
}

impl Registered {
    /// Whether it was removed: nothing is left of it but what `reinstall` needs.
    pub fn is_removed(&self) -> bool {
        !self.is_registered && !self.has_script
    }

    /// Everything that is wrong, the graver first.
    pub fn findings(&self) -> Vec<Finding> {
        let service = &self.service;
        if !self.is_registered {
            return vec![Finding::new(
                Kind::Receipt,
                format!("`{service}` has a receipt, and Windows has no such service"),
                "somebody has removed it: there is nothing to start",
                format!(
                    "`ManageService {service} reinstall` brings it back, `ManageService {service} remove \
                     --remove_install_args` forgets it"
                ),
            )];
        }
        let mut findings = if self.has_failed { self.why() } else { self.causes() };
        for (what, spots) in [("the directory of its output", &self.logs), ("its argument", &self.arguments)] {
            for spot in spots {
                findings.extend(self.out_of_reach(what, spot));
            }
        }
        let gone = self.logs.iter().filter(|spot| !spot.is_there && self.out_of_reach("", spot).is_none());
        findings.extend(gone.map(|Spot { path, .. }| {
            Finding::new(
                Kind::MissingFile,
                format!("the directory of its output `{path}` is not there"),
                "NSSM runs the service all the same, and what it prints is lost",
                format!("`{}` makes it", Platform::Windows.typed(&["mkdir".into(), path.clone()])),
            )
        }));
        if !self.has_receipt {
            findings.push(super::no_receipt());
        }
        findings
    }

    /// [`causes`](Self::causes) of one that has failed; how it ended where there are none.
    pub fn why(&self) -> Vec<Finding> {
        let mut causes = self.causes();
        if causes.is_empty() {
            causes.push(Finding::new(
                Kind::Failed,
                self.ended().unwrap_or_else(|| "it has failed, and keeps ending soon after it starts".to_owned()),
                "what it said before that tells why",
                format!("`ManageService {} logs -n 50`", self.service),
            ));
        }
        causes
    }

    /// Why it does not start, or has failed, the surest cause first; nothing where nothing is known but how it ended.
    pub fn causes(&self) -> Vec<Finding> {
        let mut causes = Vec::new();
        for (kind, what, spot) in [
            (Kind::Program, "its program", &self.program),
            (Kind::WorkingDirectory, "its working directory", &self.directory),
        ] {
            let Some(spot) = spot else { continue };
            match self.out_of_reach(what, spot) {
                Some(finding) => causes.push(finding),
                None if !spot.is_there => causes.push(self.gone(kind, what, spot)),
                None => {}
            }
        }
        if let (Some(image), Some(program)) = (self.image, &self.program) {
            causes.extend(pe::fault(image, &program.path, &self.service, self.machine));
        }
        causes.extend(self.no_script.iter().map(|path| {
            Finding::new(
                Kind::MissingFile,
                format!("`{path}` is gone, which it is run with"),
                "Python ends at once without it",
                format!("`ManageService {} reinstall` writes it again", self.service),
            )
        }));
        causes.extend(self.lacks.iter().map(|lack| self.of_lack(lack)));
        if causes.is_empty() && self.has_failed {
            causes.extend(self.of_end());
        }
        causes
    }

    /// How it ended the last time, in a sentence, where that is known.
    pub fn ended(&self) -> Option<String> {
        match self.end()?.0 {
            End::Exited(code) => {
                let by_windows = if code >= OF_WINDOWS { format!(" (0x{code:08X})") } else { String::new() };
                let meaning = meaning(code).map(|meaning| format!(", by which Windows means that {meaning}"));
                Some(format!("it ended with exit status {code}{by_windows}{}", meaning.unwrap_or_default()))
            }
            End::NotStarted(_, reason) => Some(format!("Windows does not start its program: {reason}")),
        }
    }

    /// How it ended the last time, and what it said before.
    fn end(&self) -> Option<(End<'_>, &str)> {
        let by_output = End::last(&self.service, &self.output);
        by_output.or_else(|| self.exit_status.map(|code| (End::Exited(code), self.output.as_str())))
    }

    fn account(&self) -> &str {
        self.account.as_deref().unwrap_or("LocalSystem")
    }

    /// What makes a path none for the service, whatever is there for who asks.
    fn out_of_reach(&self, what: &str, spot: &Spot) -> Option<Finding> {
        let (path, service) = (&spot.path, &self.service);
        let rest = |of: &Text| behind_letter(path, of);
        let letter = path.as_bytes().first().map(|letter| char::from(*letter).to_ascii_uppercase()).unwrap_or_default();
        let known_only =
            "a letter is known only in the session of whoever gave it: for a service there is no such drive";
        match &spot.drive {
            Drive::Share(share) => Some(Finding::new(
                Kind::Drive,
                format!("{what} `{path}` is on the network drive `{letter}:`, which leads to `{share}`"),
                known_only,
                match seen_as(self.account()) {
                    Some((account, seen)) => format!(
                        "install `{service}` again with `{}`; {account} is seen there as {seen}, which must be let in, or \
                         copy it to a local disk",
                        rest(share)
                    ),
                    None => format!("install `{service}` again with `{}`", rest(share)),
                },
            )),
            Drive::Directory(directory) => Some(Finding::new(
                Kind::Drive,
                format!("{what} `{path}` is on the drive `{letter}:`, by which `subst` means `{directory}`"),
                known_only,
                format!("install `{service}` again with `{}`", rest(directory)),
            )),
            Drive::OfMachine if is_share(path) => {
                let (account, seen) = seen_as(self.account())?;
                Some(Finding::new(
                    Kind::Closed,
                    format!("{what} `{path}` is on another machine, and it runs as {account}"),
                    format!("the other machine sees {account} as {seen}: the share must be open to that"),
                    format!(
                        "copy it to a local disk and install `{service}` again; or set an account that the other machine \
                         knows, in services.msc, on the page \"Log On\""
                    ),
                ))
            }
            Drive::OfMachine => None,
        }
    }

    fn gone(&self, kind: Kind, what: &str, Spot { path, .. }: &Spot) -> Finding {
        Finding::new(
            kind,
            format!("{what} `{path}` is not there"),
            "NSSM starts nothing without it; a letter of a network drive is known only to whoever connected it",
            format!(
                "`{}` shows what is there; install `{}` again with the path that it has now",
                Platform::Windows.typed(&["dir".into(), path.clone()]),
                self.service
            ),
        )
    }

    fn of_lack(&self, lack: &Lack) -> Finding {
        let service = &self.service;
        let typed = |words: &[&str], name: &Text| {
            let words = words.iter().map(|word| Text::from(*word)).chain([name.clone()]).collect::<Vec<_>>();
            Platform::Windows.typed(&words)
        };
        match lack {
            Lack::Missing(name) => Finding::new(
                Kind::Dependency,
                format!("it depends on the service `{name}`, which Windows does not have"),
                "Windows starts it only once that one runs (error 1075)",
                format!(
                    "`{}` tells whether there is one by now; install `{service}` again with the name that it has, or \
                     without it",
                    typed(&["sc.exe", "query"], name)
                ),
            ),
            Lack::Disabled(name) => Finding::new(
                Kind::Dependency,
                format!("it depends on the service `{name}`, which is disabled"),
                "Windows starts it only once that one runs (error 1068)",
                format!("`{} start= demand` allows that one to start", typed(&["sc.exe", "config"], name)),
            ),
        }
    }

    fn program_path(&self) -> Text {
        self.program.as_ref().map(|program| program.path.clone()).unwrap_or_default()
    }

    fn of_end(&self) -> Option<Finding> {
        let (end, said) = self.end()?;
        match end {
            End::NotStarted(number, reason) => Some(self.not_started(number, reason)),
            End::Exited(code) => self.by_code(code).or_else(|| self.by_words(said)),
        }
    }

    /// Why Windows did not start the program ("System Error Codes" of the Windows API).
    fn not_started(&self, number: Option<u32>, reason: &str) -> Finding {
        let (service, program) = (&self.service, self.program_path());
        let shows = format!("`{}` shows who may run it", Platform::Windows.typed(&["icacls".into(), program.clone()]));
        let what = format!("Windows does not start `{program}`: {reason}");
        match number {
            Some(5) => Finding::new(
                Kind::Closed,
                what,
                format!("the account {} may not run it, or a policy or a virus scanner forbids it", self.account()),
                shows,
            ),
            Some(740) => Finding::new(
                Kind::Closed,
                what,
                format!(
                    "it wants the rights of an administrator, which the account {} does not have, and nobody is there to \
                     be asked",
                    self.account()
                ),
                format!("install `{service}` again with `--account LocalSystem`"),
            ),
            Some(225 | 226 | 1260) => Finding::new(
                Kind::Closed,
                what,
                "a policy or a virus scanner forbids it",
                "the Event Viewer (`eventvwr`) has the reason: below \"Windows Defender\" or \"AppLocker\"",
            ),
            _ => Finding::new(
                Kind::Program,
                what,
                "the service ends at once",
                format!(
                    "`{}` shows what is there; install `{service}` again with the path of the program",
                    Platform::Windows.typed(&["dir".into(), program])
                ),
            ),
        }
    }

    /// What Windows itself says with an exit status.
    fn by_code(&self, code: u32) -> Option<Finding> {
        let service = &self.service;
        let meaning = meaning(code)?;
        let (kind, why, cure) = match code {
            BAD_COMMAND => (
                Kind::SearchPath,
                "a service has the PATH of the machine, and not that of whoever installs",
                format!(
                    "`ManageService {service} logs -n 50` names it; `--path DIR` at an install adds its directory, or \
                     name it with its whole path"
                ),
            ),
            DLL_NOT_FOUND | ORDINAL_NOT_FOUND | ENTRYPOINT_NOT_FOUND => (
                Kind::Library,
                "Windows looks for it beside the program, in System32, and on the PATH of the service, which is that of \
                 the machine and not yours",
                format!(
                    "install what brings it, such as the \"Visual C++ Redistributable\", or install `{service}` again with \
                     `--path DIR`"
                ),
            ),
            INVALID_IMAGE => (
                Kind::WrongMachine,
                "a program of 64 bits loads no library of 32 bits, nor the other way round",
                format!(
                    "install the library that fits the program; `--path DIR` at an install of `{service}` adds its directory"
                ),
            ),
            _ => return None,
        };
        Some(Finding::new(kind, meaning, why, cure))
    }

    /// What the program said that ended with an error of its own.
    fn by_words(&self, said: &str) -> Option<Finding> {
        let service = &self.service;
        if let Some(port) = said::port_in_use(said) {
            let (what, filter) = match port {
                Some(port) => (format!("port {port} is in use by another program"), format!(" | findstr :{port}")),
                None => ("its port is in use by another program".to_owned(), String::new()),
            };
            let cure = format!(
                "`netstat -ano{filter}` shows the number of the process that has it: stop that one, or give `{service}` \
                 another port"
            );
            return Some(Finding::new(Kind::Port, what, "only one program can listen there", cure));
        }
        if said::port_reserved(said) {
            return Some(Finding::new(
                Kind::Port,
                "Windows does not let it listen on its port",
                "Windows keeps ranges of ports for itself, such as for Hyper-V",
                format!(
                    "`netsh interface ipv4 show excludedportrange protocol=tcp` shows them: give `{service}` a port \
                     outside of them"
                ),
            ));
        }
        if let Some(path) = said::denied_on_windows(said) {
            return Some(Finding::new(
                Kind::NotWritable,
                format!("the account {} may not open `{path}`", self.account()),
                "a service has the rights of its account, not yours",
                "`icacls PATH` shows who may do what there, `icacls PATH /grant ACCOUNT:(OI)(CI)M` lets an account write",
            ));
        }
        said::no_input(said).then(|| {
            Finding::new(
                Kind::Input,
                "it wants to be answered, or a terminal; standard input is empty in a service",
                "nobody is there to answer",
                format!(
                    "install `{service}` again with its option for running without questions (often `--yes`, `--batch`, \
                     `--non-interactive`)"
                ),
            )
        })
    }
}

/// Above it codes are of Windows itself, which people know in hexadecimal.
const OF_WINDOWS: u32 = 0x8000_0000;

/// What cmd.exe returns for a program that it does not find (MSG_DIR_BAD_COMMAND_OR_FILE).
const BAD_COMMAND: u32 = 9009;
/// Of MS-ERREF 2.3.1.
const INVALID_IMAGE: u32 = 0xc000_007b;
const DLL_NOT_FOUND: u32 = 0xc000_0135;
const ORDINAL_NOT_FOUND: u32 = 0xc000_0138;
const ENTRYPOINT_NOT_FOUND: u32 = 0xc000_0139;

/// What an exit status says that Windows itself gives to a program (MS-ERREF 2.3.1).
fn meaning(code: u32) -> Option<&'static str> {
    Some(match code {
        BAD_COMMAND => "cmd.exe does not find a program that it is to run",
        0xc000_0005 => "it crashed: it used memory that is not its own",
        0xc000_001d => "it crashed: this processor does not have an instruction that it uses",
        0xc000_00fd => "it crashed: its stack overflowed",
        0xc000_0409 => "it crashed: it found itself damaged, or gave up",
        INVALID_IMAGE => "a library (DLL) that it loads is made for another kind of processor",
        DLL_NOT_FOUND => "a library (DLL) that it needs is not found",
        ORDINAL_NOT_FOUND | ENTRYPOINT_NOT_FOUND => "a library (DLL) that it needs is there in another version",
        0xc000_0142 => "a library (DLL) of it could not begin its work",
        _ => return None,
    })
}

/// An `nssm.exe` that is not that of the release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherNssm {
    /// Where it is.
    pub path: Text,
    /// Its SHA-256.
    pub sha256: String,
    /// The version that it calls itself.
    pub version: Option<String>,
}

/// A `RunService.exe` that is not the one of this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldRunner {
    /// Where it is.
    pub path: Text,
    /// The version that put it there, if that is another one than this.
    pub version: Option<String>,
}

/// The programs of ours that services of Windows run through.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    /// Where `nssm.exe` should be, if it is not there.
    pub no_nssm: Option<Text>,
    /// An `nssm.exe` that is not that of the release.
    pub other_nssm: Option<OtherNssm>,
    /// Where `RunService.exe` should be, if services need it and it is not there.
    pub no_runner: Option<Text>,
    /// A `RunService.exe` that is not the one of this program.
    pub old_runner: Option<OldRunner>,
    /// Whether an earlier run of ours was interrupted, or another one is in progress.
    pub unfinished: bool,
}

impl Programs {
    /// Everything that is wrong around services.
    pub fn findings(&self) -> Vec<Finding> {
        const AGAIN: &str = "`ManageService NAME reinstall` puts it there again";
        let gone = |path: &Text| {
            let what = format!("`{path}` is gone");
            Finding::new(Kind::MissingFile, what, "services are started by it: none of them starts", AGAIN)
        };
        let mut findings: Vec<Finding> = self.no_nssm.iter().chain(&self.no_runner).map(gone).collect();
        findings.extend(self.other_nssm.as_ref().map(OtherNssm::finding));
        findings.extend(self.old_runner.as_ref().map(|OldRunner { path, version }| {
            Finding::new(
                Kind::OtherVersion,
                match version {
                    Some(version) => format!(
                        "`{path}` is that of InstallService {version}, and this is {}",
                        env!("CARGO_PKG_VERSION")
                    ),
                    None => format!("`{path}` is not the one of this version"),
                },
                "services run through what another version brought",
                "`ManageService NAME stop_and_reinstall` brings the one of this version, once no service runs the other",
            )
        }));
        if self.unfinished {
            findings.push(super::unfinished());
        }
        findings
    }
}

impl OtherNssm {
    fn finding(&self) -> Finding {
        let Self { path, sha256, version } = self;
        let called = version.as_ref().map(|version| format!(", and it calls itself {version}")).unwrap_or_default();
        Finding::new(
            Kind::OtherVersion,
            format!("`{path}` is that of no release of NSSM: its SHA-256 is {sha256}{called}"),
            "it runs with all rights, and nobody knows what it does",
            "`ManageService --upgrade-nssm` puts that of a release there",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(path: &str) -> Spot {
        Spot { path: path.into(), is_there: true, drive: Drive::OfMachine }
    }

    fn gone(path: &str) -> Option<Spot> {
        Some(Spot { is_there: false, ..spot(path) })
    }

    fn fine() -> Registered {
        Registered {
            service: "web".into(),
            is_registered: true,
            has_receipt: true,
            program: Some(spot(r"C:\web.exe")),
            image: Some(Image::Portable { machine: 0x8664, is_library: false }),
            machine: Some(0x8664),
            directory: Some(spot(r"C:\data")),
            logs: vec![spot(r"C:\state")],
            arguments: vec![spot(r"C:\data\in")],
            ..Registered::default()
        }
    }

    #[track_caller]
    fn kinds(registered: &Registered, expected: &[Kind]) -> Vec<Finding> {
        let found = registered.findings();
        assert_eq!(found.iter().map(|finding| finding.kind).collect::<Vec<_>>(), expected, "{found:#?}");
        found
    }

    #[test]
    fn what_is_wrong_with_a_service_of_windows_is_found() {
        kinds(&fine(), &[]);
        let gone_one = Registered { is_registered: false, has_script: true, ..fine() };
        kinds(&gone_one, &[Kind::Receipt]);
        assert_eq!((gone_one.is_removed(), Registered { has_script: false, ..gone_one }.is_removed()), (false, true));
        kinds(&Registered { has_receipt: false, ..fine() }, &[Kind::Receipt]);
        kinds(&Registered { program: gone(r"Z:\web.exe"), image: None, ..fine() }, &[Kind::Program]);
        kinds(&Registered { directory: gone(r"C:\gone"), ..fine() }, &[Kind::WorkingDirectory]);
        kinds(&Registered { image: Some(Image::Other), ..fine() }, &[Kind::Program]);
        kinds(
            &Registered { no_script: Some(r"C:\s\web_service_executable.py".into()), ..fine() },
            &[Kind::MissingFile],
        );
        let found =
            kinds(&Registered { logs: gone(r"C:\my logs").into_iter().collect(), ..fine() }, &[Kind::MissingFile]);
        assert_eq!(found[0].cure, "`mkdir \"C:\\my logs\"` makes it");
        // What an argument names is for the program to make.
        kinds(&Registered { arguments: gone(r"C:\data\out").into_iter().collect(), ..fine() }, &[]);
    }

    #[test]
    fn a_share_is_found_where_the_account_is_none_there() {
        let share = Registered { directory: Some(spot(r"\\server\share")), ..fine() };
        let found = kinds(&share, &[Kind::Closed]);
        assert!(found[0].why.contains("sees LocalSystem as the account of this computer"), "{found:?}");
        for account in [r"NT AUTHORITY\NetworkService", r"NT AUTHORITY\LOCAL SERVICE"] {
            kinds(&Registered { account: Some(account.into()), ..share.clone() }, &[Kind::Closed]);
        }
        kinds(&Registered { account: Some(r"LAB\joe".into()), ..share.clone() }, &[]);
        // A device is none.
        kinds(&Registered { arguments: vec![spot(r"\\.\COM3"), spot(r"\\?\C:\x")], ..fine() }, &[]);
        kinds(&Registered { arguments: vec![spot(r"\\?\UNC\server\x")], ..fine() }, &[Kind::Closed]);
        // Wherever it is named; and of what is not to be seen from here nothing else is said.
        let everywhere = Registered {
            program: gone(r"\\server\share\web.exe"),
            image: None,
            logs: gone(r"\\server\share\logs").into_iter().collect(),
            arguments: vec![spot(r"\\server\share\in")],
            ..fine()
        };
        kinds(&everywhere, &[Kind::Closed; 3]);
    }

    #[test]
    fn a_letter_that_only_a_session_has_is_found() {
        let mapped = |path: &str| Spot { drive: Drive::Share(r"\\server\share".into()), ..spot(path) };
        let found = kinds(&Registered { directory: Some(mapped(r"z:\data")), ..fine() }, &[Kind::Drive]);
        assert_eq!(
            found[0].what,
            r"its working directory `z:\data` is on the network drive `Z:`, which leads to `\\server\share`"
        );
        assert!(
            found[0].cure.starts_with(r"install `web` again with `\\server\share\data`; LocalSystem is"),
            "{found:?}"
        );
        let as_joe = Registered { account: Some(r"LAB\joe".into()), arguments: vec![mapped(r"Z:\")], ..fine() };
        let found = kinds(&as_joe, &[Kind::Drive]);
        assert_eq!(found[0].cure, r"install `web` again with `\\server\share\`");
        let subst = Spot { drive: Drive::Directory(r"C:\lab".into()), ..spot(r"X:\in") };
        let found = kinds(&Registered { logs: vec![subst], ..fine() }, &[Kind::Drive]);
        assert_eq!(found[0].cure, r"install `web` again with `C:\lab\in`");
    }

    #[test]
    fn services_that_it_needs_are_found() {
        let lacks = vec![Lack::Missing("No Such".into()), Lack::Disabled("Spooler".into())];
        let found = kinds(&Registered { lacks, ..fine() }, &[Kind::Dependency; 2]);
        assert!(found[0].cure.starts_with("`sc.exe query \"No Such\"` tells"), "{found:?}");
        assert!(found[1].cure.starts_with("`sc.exe config Spooler start= demand` allows"), "{found:?}");
    }

    /// Of a service that has failed with this last output.
    fn failed(output: &str) -> Registered {
        Registered { has_failed: true, output: output.into(), ..fine() }
    }

    #[test]
    fn how_it_ended_is_told() {
        let plain = failed("one\nweb exit-code exited 7\ntwo\nweb exit-code exited 3\n");
        let found = kinds(&plain, &[Kind::Failed]);
        assert_eq!(found[0].what, "it ended with exit status 3");
        assert_eq!(plain.causes(), []);
        let by_windows = Registered { exit_status: Some(0xc000_0005), ..failed("") };
        assert_eq!(
            by_windows.ended().unwrap(),
            "it ended with exit status 3221225477 (0xC0000005), by which Windows means that it crashed: it used memory that \
             is not its own"
        );
        let unknown = kinds(&failed("hello\n"), &[Kind::Failed]);
        assert_eq!(unknown[0].what, "it has failed, and keeps ending soon after it starts");
        // One that runs may have failed before.
        kinds(&Registered { has_failed: false, ..plain }, &[]);
    }

    #[test]
    fn what_windows_says_of_a_program_is_explained() {
        let of = |end: &str, kind| kinds(&failed(&format!("web {end}\r\n")), &[kind]).remove(0);
        assert!(of("exit-code exited 3221225781 (0xC0000135)", Kind::Library).what.ends_with("is not found"));
        of("exit-code exited 3221225595 (0xC000007B)", Kind::WrongMachine);
        of("exit-code exited 9009", Kind::SearchPath);
        let denied = of(r"cannot start `C:\web.exe`: Access is denied. (os error 5)", Kind::Closed);
        assert_eq!(denied.what, r"Windows does not start `C:\web.exe`: Access is denied. (os error 5)");
        assert!(
            of(r"cannot start `C:\web.exe`: in any language (os error 740)", Kind::Closed).cure.contains("LocalSystem")
        );
        of(r"cannot start `C:\web.exe`: blocked (os error 1260)", Kind::Closed);
        of(r"cannot start `C:\web.exe`: no such file (os error 2)", Kind::Program);
        of(r"cannot start `C:\web.exe`: no number", Kind::Program);
    }

    #[test]
    fn what_a_program_says_is_explained() {
        let of = |said: &str, kind| kinds(&failed(&format!("{said}\nweb exit-code exited 1\n")), &[kind]).remove(0);
        let in_use = "OSError: [WinError 10048] Only one usage of each socket address (protocol/network address/port) is \
                      normally permitted: ('0.0.0.0', 8080)";
        assert!(of(in_use, Kind::Port).cure.contains("netstat -ano"));
        assert!(
            of("listen tcp :8080: bind: address in use", Kind::Port).cure.contains("`netstat -ano | findstr :8080`")
        );
        let reserved = "PermissionError: [WinError 10013] An attempt was made to access a socket in a way forbidden by its \
                        access permissions";
        assert!(of(reserved, Kind::Port).cure.contains("excludedportrange"));
        let denied = r"PermissionError: [Errno 13] Permission denied: 'D:\\data\\x.db'";
        assert_eq!(of(denied, Kind::NotWritable).what, r"the account LocalSystem may not open `D:\\data\\x.db`");
        of("EOFError: EOF when reading a line", Kind::Input);
        // What was said in an earlier run is not of this one.
        kinds(&failed(&format!("{in_use}\nweb exit-code exited 1\nbye\nweb exit-code exited 2\n")), &[Kind::Failed]);
    }

    #[test]
    fn what_is_wrong_with_the_programs_of_ours_is_found() {
        assert_eq!(Programs::default().findings(), []);
        let other = OtherNssm { path: "n".into(), sha256: "ab".into(), version: None };
        let all = Programs {
            no_nssm: Some("n".into()),
            other_nssm: Some(other.clone()),
            no_runner: Some("r".into()),
            old_runner: Some(OldRunner { path: "r".into(), version: None }),
            unfinished: true,
        };
        assert_eq!(all.findings().len(), 5);
        let what =
            |other_nssm| Programs { other_nssm: Some(other_nssm), ..Programs::default() }.findings().remove(0).what;
        assert_eq!(what(other.clone()), "`n` is that of no release of NSSM: its SHA-256 is ab");
        let calls_itself = OtherNssm { version: Some("2.25".into()), ..other };
        let said = "`n` is that of no release of NSSM: its SHA-256 is ab, and it calls itself 2.25";
        assert_eq!(what(calls_itself), said);
        let old = OldRunner { path: "r".into(), version: Some("0.0.9".into()) };
        let found = Programs { old_runner: Some(old), ..Programs::default() }.findings();
        assert!(found[0].what.starts_with("`r` is that of InstallService 0.0.9, and this is "), "{found:?}");
    }
}
