//! InstallService: from what is typed to a call.

use std::ffi::OsString;

use super::options::{Given, import_limit};
use super::output::{note, print, say_styled};
use super::parse::{self, Line, Purpose, Wanted};
use super::styled::Styled;
use super::{Format, completions, report};
use crate::catalog::{ArgKind, Catalog};
use crate::commands::install::{InstallMode, Installation, Layout, Settings};
use crate::commands::{discover, sources};
use crate::error::{Error, Fault, exit};
#[cfg(unix)]
use crate::host::keeper;
use crate::host::sudo::{self, Typed};
use crate::host::{privilege, prompt, site};
use crate::managers;
use crate::managers::nssm::Wishes;
use crate::manifest::{Arguments, Service};
use crate::model::spec::{Scope, Target};
use crate::model::text::Text;

/// Runs the command `InstallService` with this argv and gives its exit code.
///
/// # Errors
/// Everything that ends it otherwise.
pub fn run(argv: Vec<OsString>) -> Result<u8, Error> {
    #[cfg(unix)]
    if keeper::is_asked_for(&argv) {
        return keeper::serve();
    }
    privilege::hide_memory();
    let argv = super::arrived(argv)?;
    let (named, state_dir) = parse::early(&argv);
    let site = site::here(managers::of_this_host(), Scope::System, state_dir.as_ref());
    let catalog = sources::catalogs(&site.place.state_dir, &named)?;
    if argv.len() < 2 {
        let help = parse::command(&catalog, Purpose::Help, Wanted::Only(None)).render_help();
        say_styled(&Styled::of_clap(&help));
        return Ok(exit::USAGE);
    }
    match parse::parse(argv, &catalog)? {
        Line::Print(text) => {
            print(text);
            Ok(exit::OK)
        }
        Line::Completions { shell } => {
            print(completions::script(shell, &catalog));
            Ok(exit::OK)
        }
        Line::Discover { python, package } => {
            let found = discover::programs(python, package.as_deref(), &mut report::tell)?;
            found.skipped.iter().for_each(|skipped| note(format_args!("left out: {skipped}")));
            print(found.to_toml());
            Ok(exit::OK)
        }
        Line::Install { given, mut request, faults, typed } => {
            request.iter_mut().for_each(|request| restore_secrets(request, &catalog));
            let (installation, format) = installation(&given, request, faults, typed, &catalog)?;
            let outcome = installation.run(&mut report::tell)?;
            Ok(report::outcome(&outcome, format))
        }
    }
}

/// Puts the secrets that were typed back into the request of the line, which has references for them behind sudo.
fn restore_secrets(request: &mut Service, catalog: &Catalog) {
    let program = request.program.as_ref().and_then(|name| catalog.find(name));
    let (Some(program), Arguments::Named(arguments)) = (program, &mut request.arguments) else { return };
    for (name, value) in arguments {
        if let Some(secret) = sudo::secret(name)
            && program.argument(name).is_some_and(|spec| spec.kind == ArgKind::Secret)
        {
            value.clone_from(secret);
        }
    }
}

/// What a command line asks for, and how it is printed.
fn installation(
    given: &Given,
    request: Option<Box<Service>>,
    mut faults: Vec<Fault>,
    typed: Option<Typed>,
    catalog: &Catalog,
) -> Result<(Installation, Format), Error> {
    let mut requests: Vec<Service> = request.map(|request| *request).into_iter().collect();
    if let Some(path) = given.one("manifest") {
        match services_of_manifest(path, given) {
            Ok(services) => requests.extend(services),
            Err(Error::Refused(found)) => faults.extend(found),
            Err(error) => return Err(error),
        }
    }
    if given.flag("yes") {
        prompt::never_ask();
    }
    let mode = mode(given, &mut faults);
    let format = Format::read(given.word("format").as_deref(), &mut faults);
    let settings = Settings {
        mode,
        target: target(given, &mut faults),
        state_dir: given.one("state-dir").cloned(),
        stop: false,
        start: given.flag("start"),
        no_rollback: given.flag("no-rollback"),
        prune: given.flag("prune"),
        nssm: Wishes {
            exe: given.one("nssm").cloned(),
            archive: given.one("nssm-archive").cloned(),
            offline: given.flag("offline"),
            ca_file: given.one("ca-file").cloned(),
            allow_unknown: given.flag("allow-unknown-nssm"),
        },
        kept_first: false,
        typed,
        import_limit: import_limit(given.one("import-timeout"), &mut faults),
    };
    if given.flag("layout") && !matches!(settings.mode, InstallMode::Export(..)) {
        faults.push(Fault::new("option `--layout`", "needs `--output DIR`: it says how the files are laid out"));
    }
    if matches!(settings.mode, InstallMode::Export(_, Layout::Ansible))
        && requests.iter().any(|request| request.user == Some(true))
    {
        faults.push(Fault::new("option `--layout`", "a role is for services of the machine, not for a user's"));
    }
    if settings.prune && given.one("manifest").is_none() {
        faults.push(
            Fault::new("option `--prune`", "needs a manifest: it removes what that does not list")
                .help("`--manifest FILE` names one"),
        );
    }
    if settings.prune && matches!(settings.mode, InstallMode::Export(..)) {
        faults.push(Fault::new("option `--prune`", "an export removes its own stale files without it"));
    }
    if requests.is_empty() && faults.is_empty() {
        faults.push(
            Fault::new("program", "nothing to install was given")
                .help("`InstallService -h` lists the programs; any other program goes after `--`"),
        );
    }
    Ok((Installation::new(settings, &requests, faults, catalog)?, format))
}

/// The services of a manifest, with what the command line says on top.
fn services_of_manifest(path: &Text, given: &Given) -> Result<Vec<Service>, Error> {
    let mut services = sources::manifest(path)?;
    let mut faults = Vec::new();
    for service in &mut services {
        // What is wrong with an option is wrong once.
        faults.clear();
        given.fill(service, &mut faults);
    }
    if faults.is_empty() { Ok(services) } else { Err(Error::Refused(faults)) }
}

fn target(given: &Given, faults: &mut Vec<Fault>) -> Target {
    match given.word("target").as_deref() {
        None => managers::of_this_host(),
        Some("systemd") => Target::Systemd,
        Some("nssm") => Target::Nssm,
        Some(other) => {
            faults.push(Fault::new("option `--target`", "must be `systemd` or `nssm`").given(other));
            managers::of_this_host()
        }
    }
}

fn mode(given: &Given, faults: &mut Vec<Fault>) -> InstallMode {
    let asked: Vec<&str> = ["dry-run", "output", "check"].into_iter().filter(|long| given.flag(long)).collect();
    if let [first, second, ..] = asked[..] {
        faults.push(Fault::new(format!("option `--{second}`"), format!("cannot be combined with `--{first}`")));
    }
    match asked.first() {
        Some(&"dry-run") => InstallMode::DryRun,
        Some(&"output") => InstallMode::Export(given.one("output").cloned().unwrap_or_default(), layout(given, faults)),
        Some(&"check") => InstallMode::Check,
        _ => InstallMode::Install,
    }
}

fn layout(given: &Given, faults: &mut Vec<Fault>) -> Layout {
    match given.word("layout").as_deref() {
        None | Some("tree") => Layout::Tree,
        Some("ansible") => Layout::Ansible,
        Some(other) => {
            faults.push(Fault::new("option `--layout`", "must be `tree` or `ansible`").given(other));
            Layout::Tree
        }
    }
}
