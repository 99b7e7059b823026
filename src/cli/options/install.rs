//! The options of InstallService.

use std::time::Duration;

use super::value::ValueKind;
use super::value::ValueKind::{
    Called, Directory, DirectoryOrNone, Executable, File, FileOrNot, LogFileOrWord, Property, Words, WordsCalled,
};
use super::{Group, IMPORT_TIMEOUT, Opt, STATE_DIR, limit, plain, put, word};
use crate::cli::Format;
use crate::commands::install::Layout;
use crate::managers::nssm::Wishes;
use crate::manifest::{LogFile, Request, Time};
use crate::model::refused::Refused;
use crate::model::spec::{Hardening, Restart, SecretStore, Target};
use crate::model::text::Text;
use crate::model::word::Word;

/// What the options of one command line say.
#[derive(Debug, Default)]
pub(in crate::cli) struct InstallCall {
    pub dry_run: bool,
    pub output: Option<Text>,
    pub layout: Option<Layout>,
    pub check: bool,
    pub update: bool,
    /// What an update takes back of variables, secrets and entries, by name.
    pub unset: Vec<String>,
    pub adopt: bool,
    pub restart_now: bool,
    pub start: bool,
    pub no_rollback: bool,
    pub account_password_stdin: bool,
    pub yes: bool,
    pub format: Option<Format>,
    pub import_limit: Option<Duration>,
    /// What they say of the service, or of every service of the manifest.
    pub service: Request,
    /// What asks it to end, as one text: how that is read depends on the target.
    pub stop_command: Option<Text>,
    /// Entries of the table of the service manager, `NAME=VALUE`.
    pub properties: Vec<String>,
    pub manifest: Option<Text>,
    pub prune: bool,
    pub catalogs: Vec<Text>,
    pub target: Option<Target>,
    pub state_dir: Option<Text>,
    pub enable_links: bool,
    pub nssm: Wishes,
}

type O = Opt<InstallCall>;

pub(in crate::cli) const OPTIONS: &[Group<InstallCall>] = &[
    Group { heading: Some("What to do"), options: WHAT },
    Group { heading: Some("The service"), options: SERVICE },
    Group { heading: Some("Where things are"), options: WHERE },
];

const WHAT: &[O] = &[
    DRY_RUN,
    O::one(
        "output",
        Directory,
        "Write the files under DIR instead of installing them, for configuration management",
        |call, directory| put(&mut call.output, directory),
    )
    .common(),
    O::one(
        "layout",
        Words(Layout::words),
        "With --output: the files as they will lie on the host, or a role of Ansible [default: tree]",
        |call, layout| put(&mut call.layout, word(&layout)?),
    ),
    O::flag(
        "check",
        "Compare with what is installed: exit 0 if it is the same, 10 with a diff if not; change nothing",
        |call| call.check = true,
    ),
    O::flag(
        "update",
        "Change only what is said of the service that --service_name names; with --dry-run or --check as a diff. `none` takes back what was said with an option that has that word",
        |call| call.update = true,
    ),
    O::each(
        "unset",
        Called("NAME"),
        "With --update: take back a variable or secret that --env gave, or an entry that --property gave",
        |call, name| add(&mut call.unset, &name),
    ),
    O::flag(
        "adopt",
        "Take over a unit or service of this name that InstallService did not make: it is kept, and what runs goes on",
        |call| call.adopt = true,
    ),
    O::flag("restart-now", "With --adopt: restart what runs at once, so that it is as installed", |call| {
        call.restart_now = true;
    }),
    O::flag("start", "Start the service after installing it, and wait until it has settled", |call| call.start = true)
        .common(),
    O::flag("no-rollback", "With --start: keep the new version even if it does not settle", |call| {
        call.no_rollback = true;
    }),
    O::flag(
        "account-password-stdin",
        "Read the password of --account from standard input, one line, instead of asking for it (Windows)",
        |call| call.account_password_stdin = true,
    ),
    O::flag("yes", "Never ask", |call| call.yes = true),
    O::one(
        "format",
        Words(Format::words),
        "How the dry run and the check are printed [default: text]",
        |call, format| put(&mut call.format, word(&format)?),
    ),
    O::one("import-timeout", Called("SPAN"), IMPORT_TIMEOUT, |call, span| put(&mut call.import_limit, limit(&span)?)),
];

/// Without it the same line installs.
pub(in crate::cli) const DRY_RUN: O =
    O::flag("dry-run", "Print the files, their modes and the commands; change nothing", |call| call.dry_run = true)
        .common();

/// Each of these has a key in a manifest (see [`Request`]).
const SERVICE: &[O] = &[
    SERVICE_NAME,
    O::one(
        "working-directory",
        Directory,
        "Where the service runs, and where NAME_ERROR_LOG.txt appears when it dies [default: this directory]",
        |call, directory| put(&mut call.service.working_directory, directory),
    ).common(),
    O::one(
        "account",
        Called("NAME"),
        "The account that it runs as [default: root, or LocalSystem]",
        |call, account| say(&mut call.service.account, &account),
    ).common(),
    O::flag("plain", "Write only the lines or parameters that you ask for, and none of InstallService's own", |call| {
        call.service.plain = Some(true);
    }),
    O::flag("no-plain", "Write InstallService's own again, where an earlier --plain is to be taken back", |call| {
        call.service.plain = Some(false);
    }),
    O::flag("user", "A service of your own, managed by `systemctl --user`, without administrator rights", |call| {
        call.service.user = Some(true);
    }).common_with(Target::Systemd),
    O::each(
        "env",
        Called("NAME=VALUE|NAME"),
        "NAME=VALUE sets a variable, visible to everybody; NAME alone is a secret: taken from your environment or asked for, and kept in a file that only root reads",
        |call, setting| variable(&mut call.service, &setting),
    ).common(),
    O::one(
        "secrets",
        Words(SecretStore::words),
        "Where the values of secrets are kept: in that file, or in a credential of systemd, encrypted with the key of this host [default: file]",
        |call, store| say(&mut call.service.secrets_in, &store),
    ),
    O::flag("no-boot", "Do not start it at boot", |call| call.service.at_boot = Some(false)),
    O::flag("boot", "Start it at boot, where an earlier --no-boot is to be taken back with --update", |call| {
        call.service.at_boot = Some(true);
    }),
    O::one(
        "schedule",
        Called("WHEN|none"),
        "Run it as a job that ends, at times of a calendar such as daily or 'Mon..Fri 08:00', or again and again after a span such as 15min. With --start its timer runs from now on; `ManageService NAME start` also runs the job at once. A run that was missed while the machine was off is made up for, but not of a span (Linux)",
        |call, schedule| say(&mut call.service.schedule, &schedule),
    ),
    O::one(
        "restart",
        WordsCalled("WHEN", Restart::words),
        "When it is started again: always, on-failure, never, on-success, on-abnormal, on-abort or on-watchdog [default: always]",
        |call, restart| say(&mut call.service.restart, &restart),
    ),
    O::one(
        "restart-sec",
        Called("SPAN"),
        "How long to wait before it is started again, such as 500ms or 1min 30s [default: 10s]",
        |call, span| put(&mut call.service.restart_sec, time(&span)?),
    ),
    O::one(
        "stop-timeout",
        Called("SPAN"),
        "How long a stop waits for its processes to end before it kills them [default: 90s, on Windows 30s]",
        |call, span| put(&mut call.service.stop_timeout, time(&span)?),
    ),
    O::one(
        "stop-command",
        Called("WORDS|none"),
        "The command that asks it to end, such as 'kill -INT $MAINPID', in place of SIGTERM, or of Ctrl-C on Windows; $MAINPID, as a word or at the end of one, becomes the number of its main process. If it goes on for all that, the signal follows after --stop-timeout",
        |call, command| {
            call.stop_command = Some(command);
            Ok(())
        },
    ),
    O::flag("no-network", "Start it without waiting for the network", |call| call.service.network = Some(false)),
    O::flag("network", "Wait for the network, where an earlier --no-network is to be taken back with --update", |call| {
        call.service.network = Some(true);
    }),
    O::each("after", UNIT, "Start it after this unit", |call, unit| add(&mut call.service.after, &unit)),
    O::each("before", UNIT, "Start it before this unit", |call, unit| add(&mut call.service.before, &unit)),
    O::each("requires", UNIT, "Start this unit, too, and do not start without it", |call, unit| {
        add(&mut call.service.requires, &unit)
    }),
    O::each("wants", UNIT, "Start this unit, too", |call, unit| add(&mut call.service.wants, &unit)),
    O::each(
        "property",
        Property,
        "An entry of the service manager's own: a directive of systemd such as MemoryMax=1G or Unit.OnFailure=alarm.service, or a parameter of NSSM such as AppPriority=...; `InstallService properties` lists them",
        |call, property| {
            call.properties.push(plain(&property)?.to_owned());
            Ok(())
        },
    ),
    O::one(
        "environment-file",
        FileOrNot,
        "A file of yours with further variables, a line NAME=VALUE each; with `-` in front it may be missing",
        |call, file| put(&mut call.service.environment_file, file),
    ),
    O::one(
        "log-file",
        LogFileOrWord,
        "The file that its output is added to, in a directory that is there; none for no output, default for the usual one [default: the journal, on Windows NAME_output.log]",
        |call, file| put(&mut call.service.log_file, log_file(file)),
    ),
    O::one("description", Called("TEXT"), "One line on what it is for", |call, text| {
        say(&mut call.service.description, &text)
    }),
    O::one("display-name", Called("TEXT"), "The name that Windows shows", |call, text| {
        say(&mut call.service.display_name, &text)
    }),
    O::one(
        "hardening",
        Words(Hardening::words),
        "How much of the system it is kept from [default: none]",
        |call, profile| say(&mut call.service.hardening, &profile),
    ),
    O::each("path", DirectoryOrNone, "Put DIR in front of the service's PATH", |call, directory| {
        call.service.path.push(directory);
        Ok(())
    }),
    O::one(
        "python",
        Executable,
        "The interpreter of a Python program [default: of the active venv or conda environment, else from PATH]",
        |call, interpreter| put(&mut call.service.interpreter, interpreter),
    ).common(),
    O::one("assume", Called("systemd=VERSION|none"), "Use only what this version of systemd knows", |call, version| {
        say(&mut call.service.assume, &version)
    }),
];

/// A unit of these lists; `none` takes back those that were said before.
const UNIT: ValueKind = Called("UNIT|none");

/// It can also stand among the arguments of a Python program.
pub(in crate::cli) const SERVICE_NAME: O =
    O::one("service_name", Called("NAME"), "The name of the service [default: the program's name]", |call, name| {
        say(&mut call.service.name, &name)
    })
    .common();

const WHERE: &[O] = &[
    O::one("manifest", File, "Install the services that this TOML file describes", |call, path| {
        put(&mut call.manifest, path)
    }),
    O::flag("prune", "With --manifest: remove the services of ours that it does not list", |call| call.prune = true),
    CATALOG,
    O::one("target", Words(Target::words), "The service manager [default: that of this system]", |call, target| {
        put(&mut call.target, word(&target)?)
    }),
    STATE_DIRECTORY,
    O::one("nssm", Executable, "The nssm.exe to use (NSSM)", |call, path| put(&mut call.nssm.exe, path)),
    O::one("nssm-archive", File, "Take nssm.exe from this zip file (NSSM)", |call, path| {
        put(&mut call.nssm.archive, path)
    }),
    O::flag("offline", "Never download anything (NSSM)", |call| call.nssm.offline = true),
    O::one("ca-file", File, "Trust only the certificate authorities in this file (NSSM)", |call, path| {
        put(&mut call.nssm.ca_file, path)
    }),
    O::flag("allow-unknown-nssm", "Use an nssm.exe whose checksum is not known (NSSM)", |call| {
        call.nssm.allow_unknown = true;
    }),
    O::flag("enable-links", "With --output: add the links that start the services at boot (systemd)", |call| {
        call.enable_links = true;
    }),
    O::flag("no-nssm", "With --output: put neither nssm.exe nor RunService.exe beside the files (NSSM)", |call| {
        call.nssm.left_out = true;
    }),
];

/// These two have to be known before the rest of the line can be read: what a program takes stands in a catalog.
pub(in crate::cli) const CATALOG: O = O::each("catalog", File, "Read more programs from this catalog", |call, path| {
    call.catalogs.push(path);
    Ok(())
});
pub(in crate::cli) const STATE_DIRECTORY: O =
    O::one("state-dir", Directory, STATE_DIR, |call, directory| put(&mut call.state_dir, directory));

fn say(place: &mut Option<String>, value: &Text) -> Result<(), Refused> {
    put(place, plain(value)?.to_owned())
}

fn add(list: &mut Vec<String>, unit: &Text) -> Result<(), Refused> {
    list.push(plain(unit)?.to_owned());
    Ok(())
}

/// A length of time, in seconds where there is no unit.
fn time(span: &Text) -> Result<Time, Refused> {
    let text = plain(span)?;
    Ok(text.parse().map_or_else(|_| Time::Text(text.to_owned()), Time::Seconds))
}

fn log_file(file: Text) -> LogFile {
    match file.as_bytes() {
        b"none" => LogFile::Switch(false),
        b"default" => LogFile::Switch(true),
        _ => LogFile::File(file),
    }
}

/// `NAME=VALUE`, whose value can be any bytes, or the name of a secret.
fn variable(service: &mut Request, setting: &Text) -> Result<(), Refused> {
    let bytes = setting.as_bytes();
    let (name, value) = match bytes.iter().position(|byte| *byte == b'=') {
        Some(at) => (&bytes[..at], Some(Text::from_bytes(&bytes[at + 1..]))),
        None => (bytes, None),
    };
    let name = std::str::from_utf8(name).map_err(|_| Refused::new("the name of a variable must be UTF-8 text"))?;
    match value {
        Some(value) => drop(service.environment.insert(name.to_owned(), value)),
        None => service.secrets.push(name.to_owned()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::options::Given;

    /// What an option of a service sets has the option's word for its key; but for those that [`Request`] names.
    #[test]
    fn every_option_of_a_service_has_its_key() {
        // The key of the one is the name of the entry; how the other is read depends on the target.
        let is_of_its_own = |long: &str| ["property", "stop-command"].contains(&long);
        for option in SERVICE.iter().filter(|option| !is_of_its_own(option.long)) {
            let mut given = Given::default();
            given.add(option, if matches!(option.long, "restart-sec" | "stop-timeout") { "7" } else { "x" }.into());
            let mut faults = Vec::new();
            let call: InstallCall = given.call(OPTIONS, &mut faults);
            assert_eq!(faults, []);
            let table: toml::Table = toml::from_str(&toml::to_string(&call.service).unwrap()).unwrap();
            let key = match option.long {
                "service_name" => "name".to_owned(),
                "python" => "interpreter".to_owned(),
                "env" => "secrets".to_owned(),
                "secrets" => "secrets_in".to_owned(),
                "no-network" => "network".to_owned(),
                "no-plain" => "plain".to_owned(),
                "boot" | "no-boot" => "at_boot".to_owned(),
                long => long.replace('-', "_"),
            };
            assert_eq!(table.keys().collect::<Vec<_>>(), [&key], "--{}", option.long);
        }
    }

    #[test]
    fn no_other_option_says_something_of_a_service() {
        for option in WHAT.iter().chain(WHERE) {
            let mut given = Given::default();
            given.add(option, "x".into());
            let call: InstallCall = given.call(OPTIONS, &mut Vec::new());
            assert!(call.service.is_empty(), "--{}", option.long);
        }
    }
}
