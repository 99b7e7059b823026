//! The options of ManageService.

use std::time::Duration;

use super::value::ValueKind::{Called, Directory, Executable, File, Words};
use super::{Group, IMPORT_TIMEOUT, Opt, STATE_DIR, limit, put, word};
use crate::cli::Format;
use crate::managers::nssm::Wishes;
use crate::model::log_part::LogPart;
use crate::model::refused::Refused;
use crate::model::text::Text;
use crate::model::word::Word;

/// What the options of one command line say.
#[derive(Debug, Default)]
pub(in crate::cli) struct ManageCall {
    pub manifest: Option<Text>,
    pub list: bool,
    pub all: bool,
    pub remove_env_vars: bool,
    pub remove_install_args: bool,
    pub remove_nssm: bool,
    pub user: bool,
    pub yes: bool,
    pub follow: bool,
    pub lines: Option<u32>,
    pub since: Option<Text>,
    pub until: Option<Text>,
    pub grep: Option<Text>,
    pub shape: Option<Shape>,
    pub catalogs: Vec<Text>,
    pub import_limit: Option<Duration>,
    pub state_dir: Option<Text>,
    pub account_password_stdin: bool,
    pub upgrade_nssm: bool,
    pub nssm: Wishes,
}

/// How something is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Shape {
    /// Text or JSON.
    Plain(Format),
    /// A manifest, which installs it again.
    Manifest,
}

impl Default for Shape {
    fn default() -> Self {
        Self::Plain(Format::default())
    }
}

impl Shape {
    /// How it is printed where a manifest cannot be.
    pub(in crate::cli) fn plain(self) -> Format {
        match self {
            Self::Plain(format) => format,
            Self::Manifest => Format::Text,
        }
    }
}

impl Word for Shape {
    const WORDS: &'static [(&'static str, Self)] =
        &[("text", Self::Plain(Format::Text)), ("json", Self::Plain(Format::Json)), ("manifest", Self::Manifest)];
}

impl ManageCall {
    /// What `logs` shows: the last lines, or all of those that are chosen.
    pub(in crate::cli) fn log_part(&self) -> LogPart {
        let part = LogPart {
            lines: self.lines,
            follow: self.follow,
            since: self.since.clone(),
            until: self.until.clone(),
            grep: self.grep.clone(),
        };
        let is_chosen = part.choices().next().is_some();
        LogPart { lines: part.lines.or((!is_chosen).then_some(DEFAULT_LINES)), ..part }
    }
}

/// How many lines `logs` shows where nothing else chooses them.
const DEFAULT_LINES: u32 = 50;

type O = Opt<ManageCall>;

pub(in crate::cli) const OPTIONS: &[Group<ManageCall>] = &[Group { heading: None, options: ALL }];

const ALL: &[O] = &[
    O::one("manifest", File, "The services that this TOML file describes, instead of NAME", |call, path| {
        put(&mut call.manifest, path)
    }),
    O::flag("list", "List the services that InstallService made", |call| call.list = true).common(),
    O::flag("all", "With `--list`: also those that were removed, as long as their receipts are kept", |call| {
        call.all = true;
    }),
    O::flag("remove_env_vars", "With `remove`: also the values of its environment variables", |call| {
        call.remove_env_vars = true;
    }),
    O::flag("remove_install_args", "With `remove`: also the receipt that `reinstall` needs", |call| {
        call.remove_install_args = true;
    }),
    O::flag("remove_nssm", "With `remove`: also nssm.exe, if no other service uses it (Windows)", |call| {
        call.remove_nssm = true;
    }),
    O::flag("user", "A service of your own (`systemctl --user`)", |call| call.user = true).common(),
    O::flag("yes", "Never ask", |call| call.yes = true),
    O::flag("follow", "With `logs`: go on as new lines come", |call| call.follow = true).common().short('f'),
    O::one(
        "lines",
        Called("N"),
        "With `logs`: how many lines [default: 50, or all that the next three choose]",
        |call, lines| {
            let number = lines.as_str().and_then(|lines| lines.parse().ok());
            put(&mut call.lines, number.ok_or_else(|| Refused::new("must be a whole number"))?)
        },
    )
    .common()
    .short('n'),
    O::one(
        "since",
        Called("TIME"),
        "With `logs`: from then on, such as `yesterday`, `1h ago` or `2026-01-31 12:00`",
        |call, time| put(&mut call.since, time),
    ),
    O::one("until", Called("TIME"), "With `logs`: until then", |call, time| put(&mut call.until, time)),
    O::one("grep", Called("PATTERN"), "With `logs`: lines that match this regular expression", |call, pattern| {
        put(&mut call.grep, pattern)
    })
    .short('g'),
    O::one(
        "format",
        Words(Shape::words),
        "How it is printed [default: text]; `show` has a manifest, too",
        |call, shape| put(&mut call.shape, word(&shape)?),
    ),
    O::each("catalog", File, "With `reinstall`: read more programs from this catalog", |call, path| {
        call.catalogs.push(path);
        Ok(())
    }),
    O::one("import-timeout", Called("SPAN"), IMPORT_TIMEOUT, |call, span| put(&mut call.import_limit, limit(&span)?)),
    O::flag(
        "account-password-stdin",
        "With `reinstall` or `rename`: read the password of its account from standard input, one line (Windows)",
        |call| call.account_password_stdin = true,
    ),
    O::flag(
        "upgrade-nssm",
        "Put the newest nssm.exe under all services; with `--yes` what runs is stopped for it and started again (Windows)",
        |call| call.upgrade_nssm = true,
    ),
    O::one("nssm", Executable, "With `--upgrade-nssm` or `reinstall`: the nssm.exe to use (Windows)", |call, path| {
        put(&mut call.nssm.exe, path)
    }),
    O::one("nssm-archive", File, "With these: take nssm.exe from this zip file (Windows)", |call, path| {
        put(&mut call.nssm.archive, path)
    }),
    O::flag("offline", "With these: never download anything (Windows)", |call| call.nssm.offline = true),
    O::one(
        "ca-file",
        File,
        "With these: trust only the certificate authorities in this file (Windows)",
        |call, path| put(&mut call.nssm.ca_file, path),
    ),
    O::flag("allow-unknown-nssm", "With these: use an nssm.exe whose checksum is not known (Windows)", |call| {
        call.nssm.allow_unknown = true;
    }),
    O::one("state-dir", Directory, STATE_DIR, |call, directory| put(&mut call.state_dir, directory)),
];
