//! InstallService: from what is typed to a call.

use std::ffi::OsString;
use std::mem::ManuallyDrop;

use indexmap::IndexMap;

use super::help::{self, Depth};
use super::options::install::InstallCall;
use super::output::{note, print, say_styled};
use super::parse::{self, InstallLine, Purpose, Wanted};
use super::{Format, completions, manage, properties, report};
use crate::catalog::{ArgKind, Catalog};
use crate::commands::Event;
use crate::commands::find::{Managed, Where};
use crate::commands::install::{InstallMode, Installation, Layout, Settings};
use crate::commands::{discover, import, sources};
use crate::error::{Error, Fault, exit};
#[cfg(unix)]
use crate::host::keeper;
use crate::host::python::IMPORT_LIMIT;
use crate::host::sudo::{self, Typed};
use crate::host::{privilege, prompt, site};
use crate::managers;
use crate::manifest::{Arguments, Request, Setting};
use crate::model::command_line;
use crate::model::name::ServiceName;
use crate::model::nearest::nearest;
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
    // The end of the process gives back thousands of small pieces sooner than we would.
    let catalog = ManuallyDrop::new(sources::catalogs(&site.place.state_dir, &named)?);
    if argv.len() < 2 {
        let mut command = parse::command(&catalog, Purpose::Help(Depth::Short), Wanted::Only(None));
        say_styled(&help::of_install(&command.render_help(), Depth::Short));
        return Ok(exit::USAGE);
    }
    match parse::parse(argv, &catalog)? {
        InstallLine::Print(text) => {
            print(text);
            Ok(exit::OK)
        }
        InstallLine::Properties { word, call } => {
            let target = call.target.unwrap_or_else(managers::of_this_host);
            properties::print(&properties::found(target, word.as_deref())?, target, call.format.unwrap_or_default());
            Ok(exit::OK)
        }
        InstallLine::Completions { shell } => {
            print(completions::script(shell, &catalog));
            Ok(exit::OK)
        }
        InstallLine::Import { what, call } => {
            let place =
                Where { user: call.service.user == Some(true), state_dir: call.state_dir, catalogs: call.catalogs };
            let wanted = import::Import { what, place, output: call.output };
            Ok(super::import::outcome(import::import(&wanted, &catalog, &manage::read_words)?))
        }
        InstallLine::Discover { python, package } => {
            let found = discover::programs(python, package.as_deref(), &mut report::tell)?;
            found.skipped.iter().for_each(|skipped| note(format_args!("left out: {skipped}")));
            print(found.to_toml());
            Ok(exit::OK)
        }
        InstallLine::Install { call, mut request, faults, typed, to_install, notes } => {
            request.iter_mut().for_each(|request| restore_secrets(request, &catalog));
            let is_preview = call.dry_run && compares(&call);
            let (installation, format) =
                installation(*call, request, faults, Line { typed, to_install, notes }, &catalog)?;
            let outcome = installation.run(&mut report::tell)?;
            match report::outcome(&outcome, format) {
                // A preview that shows something is no failure.
                exit::DIFFERENT if is_preview => Ok(exit::OK),
                code => Ok(code),
            }
        }
    }
}

/// Puts the secrets that were typed back into the request of the line, which has references for them behind sudo.
fn restore_secrets(request: &mut Request, catalog: &Catalog) {
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

/// The line as it was typed.
struct Line {
    /// Without its secrets, where it held any.
    typed: Option<Typed>,
    to_install: Vec<Text>,
    notes: Vec<String>,
}

/// What a command line asks for, and how it is printed.
fn installation(
    mut call: InstallCall,
    request: Option<Box<Request>>,
    mut faults: Vec<Fault>,
    Line { typed, to_install, notes }: Line,
    catalog: &Catalog,
) -> Result<(Installation, Format), Error> {
    let target = call.target.unwrap_or_else(managers::of_this_host);
    let mut requests: Vec<Request> = request.map(|request| *request).into_iter().collect();
    if let Some(command) = call.stop_command.take() {
        match words(&command, target) {
            Ok(words) => {
                let all = requests.iter_mut().chain([&mut call.service]);
                all.for_each(|request| request.stop_command.clone_from(&words));
            }
            Err(reason) => faults.push(Fault::new("option `--stop-command`", reason).given(command)),
        }
    }
    if let Some(path) = &call.manifest {
        match sources::manifest(path) {
            Ok(services) => requests.extend(services.into_iter().map(|service| service.with(call.service.clone()))),
            Err(Error::Refused(found)) => faults.extend(found),
            Err(error) => return Err(error),
        }
    }
    let entries = entries(&call.properties, target, &mut faults);
    requests.iter_mut().for_each(|request| request.add(target, &entries));
    if call.yes {
        prompt::never_ask();
    }
    let mut said_secrets = Vec::new();
    if call.update {
        let said = requests.pop().unwrap_or_else(|| call.service.clone());
        said_secrets.clone_from(&said.secrets);
        faults.extend(not_an_update(&call));
        if faults.is_empty() {
            let mut installed = installed(&call, said.name.as_deref().unwrap_or_default(), catalog)?;
            faults.extend(unset(&mut installed, &call.unset, target));
            requests.push(installed.updated(said));
        }
    }
    let settings = Settings {
        mode: mode(&call, &mut faults),
        target,
        state_dir: call.state_dir,
        stop: false,
        start: call.start,
        adopt: call.adopt,
        restart_now: call.restart_now,
        no_rollback: call.no_rollback,
        prune: call.prune,
        renamed: None,
        enable_links: call.enable_links,
        nssm: call.nssm,
        account_password_stdin: call.account_password_stdin,
        // Of an update the values that are kept count; but who names a secret may have a new value for it.
        kept_first: call.update,
        said_secrets,
        compares_receipts: false,
        typed,
        to_install,
        notes,
        import_limit: call.import_limit.unwrap_or(IMPORT_LIMIT),
    };
    if !call.update && !call.unset.is_empty() {
        faults.push(Fault::new("option `--unset`", "needs `--update`: it takes back what an earlier install said"));
    }
    if call.restart_now && !call.adopt {
        let help = "`ManageService NAME restart` starts a service again";
        faults.push(Fault::new("option `--restart-now`", "needs `--adopt`: it is for what is taken over").help(help));
    }
    if call.adopt {
        faults.extend(no_adoption(&settings.mode));
    }
    if settings.account_password_stdin && matches!(settings.mode, InstallMode::Export(..)) {
        let fault = Fault::new("option `--account-password-stdin`", "cannot be combined with `--output`");
        faults.push(fault.help("omit it: no file holds a password, and the batch says what to do"));
    }
    if call.layout.is_some() && !matches!(settings.mode, InstallMode::Export(..)) {
        faults.push(Fault::new("option `--layout`", "needs `--output DIR`: it says how the files are laid out"));
    }
    if matches!(settings.mode, InstallMode::Export(_, Layout::Ansible))
        && requests.iter().any(|request| request.user == Some(true))
    {
        faults.push(Fault::new("option `--layout`", "a role is for services of the machine, not for a user's"));
    }
    if settings.nssm.left_out && !matches!(settings.mode, InstallMode::Export(..)) {
        faults.push(Fault::new("option `--no-nssm`", "needs `--output DIR`: an install needs nssm.exe"));
    }
    if settings.enable_links {
        faults.extend(no_links(&settings.mode, target));
    }
    if settings.prune && call.manifest.is_none() {
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
    Ok((Installation::new(settings, &requests, faults, catalog)?, call.format.unwrap_or_default()))
}

/// The words of a command line as they are read where it runs: by a shell, or by a program of Windows.
fn words(line: &Text, target: Target) -> Result<Vec<Text>, &'static str> {
    let words = match target {
        Target::Systemd => {
            let words = shlex::bytes::split(line.as_bytes()).ok_or("has a quote without its end")?;
            words.into_iter().map(Text::from_bytes).collect()
        }
        Target::Nssm => command_line::words(line),
    };
    if words.is_empty() { Err("must be a program and what it is given") } else { Ok(words) }
}

/// What `--property` says, by its name: several of one name are several lines.
fn entries(given: &[String], target: Target, faults: &mut Vec<Fault>) -> IndexMap<String, Setting> {
    let mut table = IndexMap::new();
    for property in given {
        let Some((name, value)) = property.split_once('=') else {
            let example = match target {
                Target::Systemd => "`--property MemoryMax=1G`",
                Target::Nssm => "`--property AppPriority=IDLE_PRIORITY_CLASS`",
            };
            let fault = Fault::new("option `--property`", "must be `NAME=VALUE`").given(Text::from(property.as_str()));
            faults.push(fault.help(format!("such as {example}")));
            continue;
        };
        match table.entry(name.to_owned()).or_insert_with(|| Setting::Lines(Vec::new())) {
            Setting::Lines(lines) => lines.push(value.to_owned()),
            Setting::Switch(_) | Setting::Integer(_) | Setting::Text(_) => unreachable!("made above"),
        }
    }
    let one = |setting: Setting| match setting {
        Setting::Lines(mut lines) if lines.len() == 1 => Setting::Text(lines.remove(0)),
        setting => setting,
    };
    table.into_iter().map(|(name, setting)| (name, one(setting))).collect()
}

/// What nothing can be taken over with.
fn no_adoption(mode: &InstallMode) -> Vec<Fault> {
    let mut reasons = Vec::new();
    if matches!(mode, InstallMode::Export(..)) {
        reasons.push("cannot be combined with `--output`, which takes over nothing on this host");
    }
    reasons.into_iter().map(|reason| Fault::new("option `--adopt`", reason)).collect()
}

/// Where no links can be made.
fn no_links(mode: &InstallMode, target: Target) -> Option<Fault> {
    let reason = match mode {
        InstallMode::Export(_, Layout::Ansible) => "a role enables the services by itself",
        InstallMode::Export(_, Layout::Tree) => match target {
            Target::Systemd => return None,
            Target::Nssm => "must be for systemd: NSSM knows no links",
        },
        InstallMode::DryRun | InstallMode::Check | InstallMode::Install => {
            "needs `--output DIR`: an install has the service manager make them"
        }
    };
    Some(Fault::new("option `--enable-links`", reason))
}

/// Whether a dry run is of this host: then it is what would change.
fn compares(call: &InstallCall) -> bool {
    call.update || call.adopt
}

/// What an update cannot be combined with, and what it needs.
fn not_an_update(call: &InstallCall) -> Vec<Fault> {
    let mut faults = Vec::new();
    if call.service.name.is_none() {
        let help = "`--service_name NAME`; `ManageService --list` shows the names";
        faults.push(Fault::new("option `--update`", "needs the name of an installed service").help(help));
    }
    let others = [
        ("manifest", call.manifest.is_some()),
        ("output", call.output.is_some()),
        ("adopt", call.adopt),
        ("target", call.target.is_some_and(|target| target != managers::of_this_host())),
    ];
    let given = others.into_iter().filter(|(_, is_given)| *is_given);
    faults.extend(given.map(|(long, _)| {
        Fault::new(
            format!("option `--{long}`"),
            "cannot be combined with `--update`, which changes a service of this host",
        )
    }));
    faults
}

/// Takes settings back, and gives those that there are not.
fn unset(installed: &mut Request, names: &[String], target: Target) -> Vec<Fault> {
    let mut faults = Vec::new();
    for name in names {
        if installed.unset(target, name) {
            continue;
        }
        let near = nearest(name, installed.settings(target)).map(|near| format!("did you mean `{near}`?"));
        let mut fault = Fault::new("option `--unset`", "it has no variable, secret or entry of that name");
        fault.help = near;
        faults.push(fault.given(Text::from(name.as_str())));
    }
    faults
}

/// How the service of that name was installed.
fn installed(call: &InstallCall, name: &str, catalog: &Catalog) -> Result<Request, Error> {
    let name: ServiceName =
        name.parse().map_err(|reason: String| Error::refused(Fault::new("service name", reason).given(name)))?;
    let place = Where {
        user: call.service.user == Some(true),
        state_dir: call.state_dir.clone(),
        catalogs: call.catalogs.clone(),
    };
    let found = Managed::find(vec![name], &place, &mut report::tell)?;
    if let Some(removed) = found.removed.first() {
        report::tell(Event::WasRemoved(removed));
        return Err(Error::NoSuchService { service: removed.to_string(), similar: Vec::new() });
    }
    let mut requests = found.requests(catalog, &manage::read_words)?;
    Ok(requests.pop().unwrap_or_default())
}

fn mode(call: &InstallCall, faults: &mut Vec<Fault>) -> InstallMode {
    let asked = [("dry-run", call.dry_run), ("output", call.output.is_some()), ("check", call.check)];
    let asked: Vec<&str> = asked.into_iter().filter(|(_, asked)| *asked).map(|(long, _)| long).collect();
    if let [first, second, ..] = asked[..] {
        faults.push(Fault::new(format!("option `--{second}`"), format!("cannot be combined with `--{first}`")));
    }
    match &call.output {
        // The preview of an update is what it changes, and that of an adoption what it replaces.
        _ if call.dry_run && compares(call) => InstallMode::Check,
        _ if call.dry_run => InstallMode::DryRun,
        Some(directory) => InstallMode::Export(directory.clone(), call.layout.unwrap_or_default()),
        None if call.check => InstallMode::Check,
        None => InstallMode::Install,
    }
}
