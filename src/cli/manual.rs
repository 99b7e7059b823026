//! The manual pages: of both commands, made of the same rows as their help, and of manifests, made of their schema.
//!
//! They are shipped as `docs/man/`, where the tests write them and hold them to this.

use clap::Command;
use clap::builder::StyledStr;
use roff::{Inline, Roff, bold, italic, roman};
use serde_json::Value;

use super::help::{self, COMMANDS, Depth, EXIT_CODES_OF_INSTALL, EXIT_CODES_OF_MANAGE};
use super::manage;
use super::parse::{self, Purpose, Wanted};
use crate::catalog::Catalog;
use crate::manifest::schema::schema;

/// A page: the name of its file, and its contents.
#[derive(Debug)]
pub struct Page {
    /// `NAME.SECTION`.
    pub file: &'static str,
    /// In the language of man(7).
    pub contents: String,
}

/// All pages, for the programs of this catalog.
///
/// # Panics
/// Never: the schema of manifests is JSON.
pub fn pages(catalog: &Catalog) -> [Page; 3] {
    [
        Page { file: "InstallService.1", contents: of_install(catalog) },
        Page { file: "ManageService.1", contents: of_manage() },
        Page { file: "InstallService-manifest.5", contents: of_manifest() },
    ]
}

const PURPOSE: Purpose = Purpose::Help(Depth::Long);

fn of_install(catalog: &Catalog) -> String {
    let command = parse::command(catalog, PURPOSE, Wanted::Only(None));
    let mut page = begun("InstallService", "1", "turn any program into a service of systemd or NSSM");
    synopsis(&mut page, "install-service", &help::OF_INSTALL);
    section(&mut page, "DESCRIPTION");
    paragraphs(
        &mut page,
        &[
            "`InstallService` makes a service of a program: one that starts with the computer, is started again when it \
             fails, and writes its output to a log. On Linux it writes units of systemd, on Windows it has NSSM run the \
             program. `ManageService` looks after the service from then on.",
            "What is to run is a program of a catalog, a function or class of Python code, or any executable behind `--`. \
             Every argument reaches it byte for byte, or is refused with the reason.",
            "With `--dry-run` everything is printed that an install would write and run, and nothing is changed. An install \
             happens whole, or leaves the host as it was, also when it is killed half way.",
            "`install-service` is the same command, by a name that no other package has. (The Python package \
             openmsistream brings an `InstallService` of its own.)",
        ],
    );
    options(&mut page, &command);
    section(&mut page, "PROGRAMS");
    paragraphs(&mut page, &["Programs of the catalog. `InstallService PROGRAM -h` lists the arguments of one."]);
    catalog.programs.values().for_each(|program| entry(&mut page, vec![bold(&program.name)], &program.about));
    section(&mut page, "COMMANDS");
    for (name, takes, about) in COMMANDS {
        entry(&mut page, vec![bold(name), italic(takes)], about);
    }
    section(&mut page, "EXAMPLES");
    example(
        &mut page,
        "Show what it takes to make a service of a program, and change nothing:",
        &["InstallService --dry-run --service_name web -- /usr/bin/python3 -m http.server 8080"],
    );
    example(
        &mut page,
        "Make it and start it:",
        &["InstallService --start --service_name web -- /usr/bin/python3 -m http.server 8080"],
    );
    example(
        &mut page,
        "Make a program of OpenMSIStream a service:",
        &["InstallService DataFileUploadDirectory /data/in --config /etc/lab/prod.config"],
    );
    example(
        &mut page,
        "A job every morning, with a password that is asked for:",
        &["InstallService --schedule 'Mon..Fri 08:00' --env PASSWORD --service_name report -- /usr/local/bin/report"],
    );
    example(
        &mut page,
        "Install what a manifest says, and see later whether the host is still like that:",
        &["InstallService --manifest services.toml", "InstallService --manifest services.toml --check"],
    );
    exit_codes(&mut page, &EXIT_CODES_OF_INSTALL);
    section(&mut page, "ENVIRONMENT");
    for (name, meaning) in [
        ("INSTALLSERVICE_WORKING_DIR", "The tool's own directory, where `--state-dir` does not name it."),
        ("INSTALLSERVICE_NSSM_URLS", "Where NSSM is downloaded from; addresses with blanks between them."),
        ("VIRTUAL_ENV, CONDA_PREFIX", "The environment whose Python runs Python code."),
        ("NO_COLOR, CLICOLOR, CLICOLOR_FORCE", "Whether output has colours. Without them it has on a terminal alone."),
    ] {
        entry(&mut page, vec![bold(name)], meaning);
    }
    section(&mut page, "FILES");
    for (path, meaning) in [
        ("/etc/systemd/system/NAME.service", "The unit of a service; with `--user`, below `~/.config/systemd/user`."),
        (
            "/var/lib/install-service",
            "The tool's own directory: how each service was installed, and, readable by root alone, the values of secrets.",
        ),
        ("NAME_ERROR_LOG.txt", "In the working directory of a service that has failed: its last words."),
    ] {
        entry(&mut page, vec![italic(path)], meaning);
    }
    see_also(
        &mut page,
        "**ManageService**(1), **InstallService-manifest**(5), **systemd.service**(5), **systemctl**(1)",
    );
    page.render()
}

fn of_manage() -> String {
    let mut page = begun("ManageService", "1", "look after the services that InstallService made");
    synopsis(&mut page, "manage-service", &help::OF_MANAGE);
    section(&mut page, "DESCRIPTION");
    paragraphs(
        &mut page,
        &[
            "`ManageService` starts, stops, shows, changes and removes the services that `InstallService` made. Several \
             names may be given, and the mode may stand in front of them.",
            "`manage-service` is the same command, by a name that no other package has.",
        ],
    );
    section(&mut page, "MODES");
    for (name, about) in manage::modes_with_help() {
        entry(&mut page, vec![bold(name)], &about);
    }
    options(&mut page, &manage::command(PURPOSE));
    section(&mut page, "EXAMPLES");
    example(&mut page, "The services and how they are:", &["ManageService --list"]);
    example(
        &mut page,
        "Whether one runs, and what it has said last:",
        &["ManageService web status", "ManageService web logs -n 20"],
    );
    example(
        &mut page,
        "What is wrong with it, and what somebody has changed by hand:",
        &["ManageService web doctor", "ManageService web diff"],
    );
    example(
        &mut page,
        "Take it away, and bring it back as it was:",
        &["ManageService web remove", "ManageService web reinstall"],
    );
    exit_codes(&mut page, &EXIT_CODES_OF_MANAGE);
    see_also(&mut page, "**InstallService**(1), **InstallService-manifest**(5), **systemctl**(1), **journalctl**(1)");
    page.render()
}

fn of_manifest() -> String {
    let mut page = begun("InstallService-manifest", "5", "services as a file in TOML");
    section(&mut page, "DESCRIPTION");
    paragraphs(
        &mut page,
        &[
            "A manifest says which services a host has. `InstallService --manifest FILE` installs or updates all of them or \
             none, and with `--check` compares the host with them. `[defaults]` holds for every service that does not say \
             otherwise; tables are merged key by key, and a service's own list takes the place of the default one.",
            "Each `[[service]]` has one of `program`, `python`, `executable` and `command`. Every other key is an option of \
             `InstallService` with underscores, but `interpreter` is `--python`, and `secrets_in` is `--secrets`.",
            "An editor completes and checks a manifest with the schema that `InstallService schema` prints. `InstallService \
             properties` lists what the tables `systemd` and `nssm` take.",
        ],
    );
    section(&mut page, "KEYS OF A SERVICE");
    let schema: Value = serde_json::from_str(&schema()).expect("JSON");
    let keys = schema["definitions"]["Service"]["properties"].as_object().expect("keys");
    for (key, value) in keys {
        let about = value["description"].as_str().unwrap_or_default().replace('\n', " ");
        entry(&mut page, vec![bold(key), roman(" = "), italic(kind(value))], &about);
    }
    section(&mut page, "EXAMPLES");
    let lines = [
        "[defaults]",
        "restart = \"on-failure\"",
        "",
        "[[service]]",
        "name = \"clock\"",
        "executable = \"/bin/sh\"",
        "arguments = [\"-c\", \"while date; do sleep 60; done\"]",
        "environment = { TZ = \"Europe/Berlin\" }",
        "secrets = [\"KAFKA_PASSWORD\"]",
        "",
        "[service.systemd]",
        "MemoryMax = \"1G\"",
    ];
    example(&mut page, "A service with a limit of memory, and a password that is kept in a file of root's:", &lines);
    see_also(&mut page, "**InstallService**(1), **ManageService**(1), **systemd.exec**(5)");
    page.render()
}

/// What a key takes, in a word.
fn kind(schema: &Value) -> &'static str {
    let reference = || schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str()).unwrap_or_default();
    match schema["type"].as_str() {
        Some("boolean") => "true|false",
        Some("integer") => "number",
        Some("array") => "[...]",
        Some("object") => "{...}",
        Some(_) => "\"...\"",
        None if reference().ends_with("/Arguments") => "[...] or {...}",
        None if reference().ends_with("/Time") => "\"SPAN\"",
        None => "\"...\"",
    }
}

fn begun(name: &str, number: &str, about: &str) -> Roff {
    let mut page = Roff::new();
    let version = concat!("InstallService ", env!("CARGO_PKG_VERSION"));
    let manual = if number == "5" { "File formats" } else { "User commands" };
    // A blank for the date, which no page has: without it the others would stand one place too early.
    page.control("TH", [name, number, " ", version, manual]);
    section(&mut page, "NAME");
    page.text([roman(format!("{name} - {about}"))]);
    page
}

fn section(page: &mut Roff, heading: &str) {
    page.control("SH", [heading]);
}

/// The ways to call a command, each on a line of its own; and the other name that it has.
fn synopsis(page: &mut Roff, other: &str, usage: &[&str]) {
    section(page, "SYNOPSIS");
    for (at, line) in usage.iter().enumerate() {
        if at > 0 {
            page.control("br", []);
        }
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        page.text([bold(name), roman(format!(" {rest}"))]);
    }
    page.control("br", []);
    page.text([bold(other), roman(" ...")]);
}

fn paragraphs(page: &mut Roff, texts: &[&str]) {
    for (at, text) in texts.iter().enumerate() {
        if at > 0 {
            page.control("PP", []);
        }
        page.text(marked(text));
    }
}

/// A term and what it means.
fn entry(page: &mut Roff, term: Vec<Inline>, meaning: &str) {
    page.control("TP", []);
    page.text(term);
    page.text(marked(meaning));
}

/// Commands below the sentence that says what they do.
fn example(page: &mut Roff, sentence: &str, lines: &[&str]) {
    page.control("PP", []);
    page.text(marked(sentence));
    page.control("PP", []);
    page.control("RS", ["4"]);
    page.control("nf", []);
    for line in lines {
        page.text([roman(*line)]);
    }
    page.control("fi", []);
    page.control("RE", []);
}

fn exit_codes(page: &mut Roff, codes: &[(&str, &str)]) {
    section(page, "EXIT STATUS");
    for (code, meaning) in codes {
        entry(page, vec![bold(*code)], meaning);
    }
}

fn see_also(page: &mut Roff, pages: &str) {
    section(page, "SEE ALSO");
    let parts = pages.split("**").enumerate();
    page.text(parts.map(|(at, part)| if at % 2 == 1 { bold(part) } else { roman(part) }).collect::<Vec<_>>());
}

/// The options of a command, below the headings of its help.
fn options(page: &mut Roff, command: &Command) {
    let mut heading = None;
    for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let Some(long) = arg.get_long() else { continue };
        let of_arg = Some(arg.get_help_heading().unwrap_or("Options").to_uppercase());
        if heading != of_arg {
            section(page, of_arg.as_deref().unwrap_or_default());
            heading = of_arg;
        }
        let mut term = Vec::new();
        if let Some(short) = arg.get_short() {
            term.extend([bold(format!("-{short}")), roman(", ")]);
        }
        term.push(bold(format!("--{long}")));
        if arg.get_action().takes_values() {
            let names = arg.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect::<Vec<_>>();
            term.extend([roman(" "), italic(names.join(" "))]);
        }
        entry(page, term, &plain(arg.get_long_help().or(arg.get_help())));
    }
}

/// Help without its styles.
fn plain(help: Option<&StyledStr>) -> String {
    help.map(ToString::to_string).unwrap_or_default()
}

/// Text in which what stands in backticks is to be typed.
fn marked(text: &str) -> Vec<Inline> {
    let parts = text.split('`').enumerate();
    parts
        .filter(|(_, part)| !part.is_empty())
        .map(|(at, part)| if at % 2 == 1 { bold(part) } else { roman(part) })
        .collect()
}
