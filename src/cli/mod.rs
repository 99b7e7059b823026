//! The command line: from argv to a call of the library, and from its answer to text and an exit code.

pub mod broken;
mod call;
mod comparison;
mod completions;
pub mod install;
pub mod manage;
mod options;
mod parse;
mod preview;
mod secrets;

use std::io::{self, Write};
use std::process::ExitCode;

use anstream::ColorChoice;
use anstream::adapter::strip_str;
use anstyle::{AnsiColor, Style};

use crate::catalog::Catalog;
use crate::document::DocumentError;
use crate::error::{Error, Fault, exit};
use crate::executor::journal::{self, Undone};
use crate::host::text::text;
use crate::host::{facts, files, interrupt, privilege, state};
use crate::manifest::{Manifest, Service};
use crate::model::manager::Manager;
use crate::model::place::Place;
use crate::model::spec::Scope;
use crate::model::text::Text;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();
const NOTE: Style = AnsiColor::Yellow.on_default().bold();
const HEADING: Style = Style::new().bold();

/// Ends a command: prints its error, if any, and gives the exit code.
fn end(name: &str, result: Result<u8, Error>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            report(name, &error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn report(name: &str, error: &Error) {
    let mut out = String::new();
    match error {
        // Each fault with its own help below it.
        Error::Refused(faults) => {
            for fault in faults {
                out += &format!("{name}: {ERROR}error{ERROR:#}: {fault}\n");
                if let Some(help) = &fault.help {
                    out += &format!("  {HELP}help{HELP:#}: {help}\n");
                }
            }
            if faults.len() > 1 {
                out += &format!("{name}: {} faults, nothing was changed\n", faults.len());
            }
        }
        _ => {
            out += &format!("{name}: {ERROR}error{ERROR:#}: {error}\n");
            for help in error.help() {
                out += &format!("  {HELP}help{HELP:#}: {help}\n");
            }
        }
    }
    say_styled(&out);
}

/// Prints what the command was asked for. A reader who has gone away (`| head`) is no error.
fn print(text: &str) {
    match anstream::stdout().current_choice() {
        ColorChoice::Never => {
            // In large pieces: a stream that takes colours out writes each stretch between them by itself.
            let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
            drop(strip_str(text).try_for_each(|piece| out.write_all(piece.as_bytes())).and_then(|()| out.flush()));
        }
        _ => drop(anstream::stdout().lock().write_all(text.as_bytes())),
    }
}

/// Prints bytes that are not for a terminal, such as JSON.
fn print_plain(text: &str) {
    drop(io::stdout().lock().write_all(text.as_bytes()));
}

/// Tells what goes on, beside what the command was asked for.
fn say(line: &str) {
    say_styled(&format!("{line}\n"));
}

fn note(line: &str) {
    say_styled(&format!("{NOTE}note{NOTE:#}: {line}\n"));
}

fn say_styled(text: &str) {
    match anstream::stderr().current_choice() {
        ColorChoice::Never => drop(io::stderr().lock().write_all(strip_str(text).to_string().as_bytes())),
        _ => drop(anstream::stderr().lock().write_all(text.as_bytes())),
    }
}

/// Text or JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Format {
    #[default]
    Text,
    Json,
}

impl Format {
    fn read(word: Option<&str>, faults: &mut Vec<Fault>) -> Self {
        match word {
            None | Some("text") => Self::Text,
            Some("json") => Self::Json,
            Some(other) => {
                faults.push(Fault::new("option `--format`", "it is `text` or `json`").given(other));
                Self::Text
            }
        }
    }
}

/// The catalogs, the later ones winning: shipped, of the machine, of the working directory, named.
///
/// # Errors
/// When one is broken or a named one is missing.
fn catalogs(state_dir: &Text, named: &[Text]) -> Result<Catalog, Error> {
    let broken = |error: DocumentError| Error::refused(error.into());
    let mut catalog = Catalog::parse(crate::catalog::SHIPPED, "openmsistream.toml").map_err(broken)?;
    // On Windows every user may make a folder `\etc`.
    let of_machine = (!cfg!(windows)).then(|| Text::from("/etc/install-service/catalog.d"));
    let folders: Vec<Text> = of_machine.into_iter().chain([state_dir.with("/catalog.d")]).collect();
    let found = folders.iter().flat_map(files::list).map(text).filter(|path| path.as_bytes().ends_with(b".toml"));
    for path in found.chain(named.iter().cloned()) {
        let text = read_named("catalog", &path)?;
        catalog.merge(Catalog::parse(&text, &path.to_string()).map_err(broken)?);
    }
    Ok(catalog)
}

/// Reads a file that the command line names; one that is not there, or no text, is a wrong request.
///
/// # Errors
/// When it is missing or cannot be read.
fn read_named(what: &str, path: &Text) -> Result<String, Error> {
    let read = files::read_text(&format!("reading the {what}"), path);
    let reason = match &read {
        Err(Error::Io { source, .. }) => match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => "there is no such file",
            io::ErrorKind::IsADirectory => "this is a directory, not a file",
            io::ErrorKind::InvalidData => "it is not UTF-8 text",
            _ => return read,
        },
        _ => return read,
    };
    Err(Error::refused(Fault::new(what, reason).given(path)))
}

/// The services of a manifest, of which there is at least one.
///
/// # Errors
/// When it cannot be read, or its shape is wrong.
fn read_manifest(path: &Text) -> Result<Vec<Service>, Error> {
    let text = read_named("manifest", path)?;
    let manifest = Manifest::parse(&text, &path.to_string()).map_err(|error| Error::refused(error.into()))?;
    let services = manifest.services();
    if services.is_empty() {
        let fault =
            Fault::new("manifest", "it describes no service").given(path).help("each one begins with `[[service]]`");
        return Err(Error::refused(fault));
    }
    Ok(services)
}

/// The right to change the host.
struct Change {
    _lock: state::Lock,
    /// What an earlier run had begun was taken back first.
    recovered: bool,
}

/// Ready to change the host: an interrupt is noted from here on, nobody else is at work, and what
/// an earlier run left unfinished is taken back.
///
/// # Errors
/// When another run holds the lock, or an unfinished plan cannot be taken back.
fn begin_change(place: &Place) -> Result<Change, Error> {
    interrupt::listen();
    let lock = state::lock(place)?;
    if let Some(doubt) = state::doubt(place) {
        note(&doubt);
    }
    let recovered = take_back(place)?;
    Ok(Change { _lock: lock, recovered })
}

/// Before a look at the host: takes back what an earlier run left unfinished, if nobody is at work.
///
/// # Errors
/// When it cannot be taken back.
fn begin_look(place: &Place, scope: Scope) -> Result<(), Error> {
    if !journal::is_there(place) {
        return Ok(());
    }
    if !facts::may_change(scope) {
        note("a run is at work, or was ended half way; the next one with administrator rights takes it back");
        return Ok(());
    }
    interrupt::listen();
    match state::lock_to_look(place)? {
        Some(_lock) => take_back(place).map(drop),
        None => {
            note("another run is at work");
            Ok(())
        }
    }
}

/// Takes back what an earlier run left unfinished, and says so.
fn take_back(place: &Place) -> Result<bool, Error> {
    let Some(Undone { restored, left }) = journal::recover(place)? else { return Ok(false) };
    note("an earlier run was ended half way; what it had begun is taken back");
    if !left.is_empty() {
        return Err(Error::Unfinished { restored, left });
    }
    restored.iter().for_each(|line| say(&format!("  put back: {line}")));
    Ok(true)
}

/// Fails where the service manager does not run, or none for this user, with what to do about it.
///
/// # Errors
/// [`Error::NoServiceManager`].
fn need_manager(manager: &Manager) -> Result<(), Error> {
    let (system, here) = match manager {
        Manager::Systemd(_) => ("systemd can be installed on Linux", cfg!(target_os = "linux")),
        Manager::Nssm(_) => ("NSSM can be installed on Windows", cfg!(windows)),
    };
    if !here {
        return Err(Error::NoServiceManager {
            reason: format!("services for {system} only"),
            help: "`--dry-run` and `--output DIR` work here too".into(),
        });
    }
    let Manager::Systemd(scope) = manager else { return Ok(()) };
    if facts::systemd_is_running() {
        if *scope == Scope::System || facts::user_systemd_is_running() {
            return Ok(());
        }
        let user = privilege::user_name().unwrap_or_else(|| "$USER".into());
        return Err(Error::NoServiceManager {
            reason: format!("no service manager runs for `{user}`: it comes with a login, and with lingering"),
            help: format!(
                "`loginctl enable-linger {user}` starts it now and at every boot; some systems want `sudo` for it"
            ),
        });
    }
    Err(Error::NoServiceManager {
        reason: "systemd does not run this machine, so nothing can be installed here".into(),
        help: facts::how_to_install_systemd(),
    })
}

/// The exit code of a comparison.
fn compared(same: bool) -> u8 {
    if same { exit::OK } else { exit::DIFFERENT }
}
