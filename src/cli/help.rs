//! Help: the short one of `-h`, which people read, and the long one of `--help`, in which they search.
//!
//! clap writes the part with the arguments and options; what goes before and behind them is here.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction};

use super::options::COMMON_OPTIONS;
use super::output::HEADING;
use super::parse::Purpose;
use super::styled::Styled;
use crate::catalog::Program;

/// How much a help shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What many people need: `-h`, or no word at all.
    Short,
    /// All there is: `--help`.
    Long,
}

impl Depth {
    /// That of the help that a line asks for, if it asks for one.
    pub(super) fn asked(argv: &[OsString]) -> Option<Self> {
        let mut words = argv.iter().skip(1);
        let long = words.clone().any(|word| word == "--help").then_some(Self::Long);
        long.or_else(|| words.any(|word| word == "-h").then_some(Self::Short))
    }
}

/// What InstallService does besides installing: the word for it, what follows that, and a sentence.
pub(super) const COMMANDS: [(&str, &str, &str); 5] = [
    ("import", " NAME|FILE|FOLDER", "Write a manifest for existing services: units, NSSM's, Procfiles, pm2's"),
    ("discover", " [PACKAGE]", "Write a catalog of the console scripts in a Python environment"),
    ("properties", " [WORD]", "List what `--property` takes, and what it does"),
    ("completions", " SHELL", "Print the completions of a shell"),
    ("schema", "", "Print the JSON Schema of a manifest, for an editor"),
];

/// The sentence of a command.
pub(super) fn about(command: &str) -> &'static str {
    COMMANDS.iter().find(|(name, ..)| *name == command).map_or("", |(_, _, about)| about)
}

/// `-h` and `--help` themselves, and `--version`.
pub(super) fn args(purpose: Purpose) -> [Arg; 2] {
    let heading = match purpose {
        Purpose::Help(Depth::Short) => Some(COMMON_OPTIONS),
        Purpose::Parse | Purpose::Help(Depth::Long) | Purpose::Complete => None,
    };
    [
        Arg::new("help")
            .short('h')
            .long("help")
            .action(ArgAction::Help)
            .help("Print help: `-h` in short, `--help` all"),
        Arg::new("version").short('V').long("version").action(ArgAction::Version).help("Print version"),
    ]
    .map(|arg| arg.help_heading(heading).display_order(usize::MAX))
}

/// How InstallService is called.
pub(super) const OF_INSTALL: [&str; 3] = [
    "InstallService [OPTIONS] PROGRAM [PROGRAM ARGUMENTS] [OPTIONS]",
    "InstallService [OPTIONS] --service_name NAME -- EXECUTABLE [ARGUMENTS]",
    "InstallService [OPTIONS] --manifest FILE.toml",
];

/// How ManageService is called.
pub(super) const OF_MANAGE: [&str; 4] = [
    "ManageService NAME MODE [FLAGS]",
    "ManageService --manifest FILE MODE [FLAGS]",
    "ManageService doctor",
    "ManageService --list [--all]",
];

/// The pages that are made here have the arguments alone from clap, which breaks no usage.
pub(super) const ARGUMENTS_ALONE: &str = "{all-args}";

/// What the exit codes of InstallService mean ([`crate::error::exit`]).
pub(super) const EXIT_CODES_OF_INSTALL: [(&str, &str); 7] = [
    ("0", "done, or as it was before"),
    ("1", "failed; what was begun is undone"),
    ("2", "wrong usage, or a request that is refused"),
    ("4", "no such service, with `--update`"),
    ("5", "no administrator rights"),
    ("10", "different, with `--check`; not all of it can be said, with `import`"),
    ("130", "interrupted"),
];

/// What the exit codes of ManageService mean.
pub(super) const EXIT_CODES_OF_MANAGE: [(&str, &str); 8] = [
    ("0", "done or running"),
    ("1", "failed"),
    ("2", "wrong usage"),
    ("3", "not running"),
    ("4", "no such service"),
    ("5", "no administrator rights"),
    ("10", "different"),
    ("130", "interrupted"),
];

/// Ways to call a command, below each other behind a `Usage: `.
pub(super) fn below_each_other<const N: usize>(usage: [&str; N]) -> String {
    usage.join("\n       ")
}

/// What a page begins with: what it is about, how that is called, and what clap says of the arguments.
fn page(about: &str, usage: &[&str], arguments: &StyledStr) -> Styled {
    let mut page = Styled::default();
    page.prose(0, about).plain('\n');
    for (at, line) in usage.iter().enumerate() {
        let mut text = Styled::default();
        match at {
            0 => text.styled(HEADING, "Usage:").plain(' '),
            _ => text.plain("       "),
        };
        text.plain(line);
        page.prose(if at == 0 { "Usage: ".len() + 4 } else { 4 }, text);
    }
    page.plain('\n').sentences(Styled::of_clap(arguments));
    page
}

/// The page of InstallService itself.
pub(super) fn of_install(arguments: &StyledStr, depth: Depth) -> Styled {
    let about = "Turn any program into a service: systemd on Linux, NSSM on Windows";
    let mut page = page(about, &OF_INSTALL, arguments);
    section(&mut page, "Other programs");
    rows(
        &mut page,
        &[
            ("-- EXECUTABLE [ARGUMENTS]", "Any executable; everything behind the `--` is for it"),
            ("package.module:function", "A function of a Python module; what follows it is for it"),
            ("Class=package.module", "A class with `run_from_command_line`; what follows it is for it"),
        ],
    );
    section(&mut page, "Commands");
    let commands = COMMANDS.map(|(name, takes, about)| (format!("{name}{takes}"), about));
    rows(&mut page, &commands.each_ref().map(|(name, about)| (name.as_str(), *about)));
    section(&mut page, "Examples");
    for example in [
        "InstallService --dry-run --service_name web -- /usr/bin/python3 -m http.server 8080",
        "InstallService DataFileUploadDirectory /data/in --config /etc/lab/prod.config",
        "ManageService DataFileUploadDirectory start",
    ] {
        page.prose(4, format_args!("  {example}"));
    }
    section(&mut page, "More");
    let all = match depth {
        Depth::Short => Some(("InstallService --help", "All options")),
        Depth::Long => None,
    };
    let more = [
        Some(("InstallService PROGRAM -h", "The arguments of one of the programs")),
        all,
        Some(("ManageService -h", "What can be done with a service once it is installed")),
    ];
    rows(&mut page, &more.into_iter().flatten().collect::<Vec<_>>());
    match depth {
        Depth::Short => {}
        Depth::Long => exit_codes(&mut page, &EXIT_CODES_OF_INSTALL),
    }
    page
}

/// The page of a program of the catalog.
pub(super) fn of_program(arguments: &StyledStr, program: &Program, usage: &str, depth: Depth) -> Styled {
    let mut page = page(&program.about, &[usage], arguments);
    match depth {
        Depth::Short => {
            section(&mut page, "More");
            rows(&mut page, &[(&*format!("InstallService {} --help", program.name), "All options")]);
        }
        Depth::Long => {}
    }
    page
}

/// The page of ManageService.
pub(super) fn of_manage(arguments: &StyledStr, modes: &[(String, String)], depth: Depth) -> Styled {
    let mut page = page("Look after the services that InstallService made", &OF_MANAGE, arguments);
    section(&mut page, "Modes");
    rows(&mut page, &modes.iter().map(|(name, help)| (name.as_str(), help.as_str())).collect::<Vec<_>>());
    match depth {
        Depth::Short => {
            section(&mut page, "Examples");
            for example in ["--list", "web status", "web logs --follow"] {
                page.prose(4, format_args!("  ManageService {example}"));
            }
            section(&mut page, "More");
            rows(&mut page, &[("ManageService --help", "All options, and the exit codes")]);
        }
        Depth::Long => {
            exit_codes(&mut page, &EXIT_CODES_OF_MANAGE);
        }
    }
    page
}

fn exit_codes(page: &mut Styled, codes: &[(&str, &str)]) {
    section(page, "Exit codes");
    rows(page, codes);
}

fn section(page: &mut Styled, heading: &str) {
    page.plain('\n').line(HEADING, format_args!("{heading}:"));
}

/// Rows of a word and what it means, the meanings below each other.
fn rows(page: &mut Styled, rows: &[(&str, &str)]) {
    let width = rows.iter().map(|(word, _)| word.len()).max().unwrap_or_default();
    for (word, meaning) in rows {
        page.prose(width + 2, format_args!("  {word:<width$}  {meaning}"));
    }
}
