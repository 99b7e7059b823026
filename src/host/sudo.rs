//! Running again with administrator rights, through sudo.
//!
//! sudo writes what it runs into the log of the system: every word, and the values of the variables that it is
//! told to keep. So no value goes that way. The run behind sudo reads what it has to know of the caller from
//! its standard input, and asks its questions on the terminal, as sudo does.

use std::env;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Read};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::environment::{self, Variables};
use super::text::text;
use super::{called, interrupt, process, prompt, reading};
use crate::error::Error;
use crate::manifest::Value;
use crate::model::invocation::Invocation;
use crate::model::name::EnvName;
use crate::model::text::Text;

/// The first word of a run behind sudo. A rule of sudoers that allows certain words only does not allow this
/// one by the way, so it gives nobody a say over root's environment.
const MARK: &str = "--through-sudo";

/// The most that is read: many times what the system lets a command line and an environment have, and room for a few of
/// the largest manifests.
const LIMIT: u64 = 64 << 20;

/// What sudo may need of our environment to ask for a password, or to do without: sudo(8), pam_krb5 and
/// pam_ssh_agent_auth.
const OF_SUDO: [&str; 7] =
    ["SUDO_ASKPASS", "SUDO_PROMPT", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "KRB5CCNAME", "SSH_AUTH_SOCK"];

/// A command line that can be typed again where others see it.
#[derive(Clone, Debug)]
pub struct Typed {
    /// The words behind the command's own name, none of which holds a secret.
    pub words: Vec<Text>,
    /// The secrets that it held, by the names of the program's arguments.
    pub secrets: IndexMap<String, Value>,
}

impl Typed {
    /// The command line of this process, which holds no secret.
    pub fn without_secrets() -> Self {
        Self { words: env::args_os().skip(1).map(text).collect(), secrets: IndexMap::new() }
    }
}

/// What the run behind sudo is told.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Handed {
    variables: Variables,
    secrets: IndexMap<String, Value>,
    /// The manifests and catalogs that came by a descriptor of the caller's, which sudo closes.
    texts: Vec<(Text, String)>,
    /// The notes that the caller has read already.
    notes: Vec<String>,
    can_ask: bool,
}

static HANDED: OnceLock<Handed> = OnceLock::new();

/// Reads what the run before sudo has handed to this one, if there was one; gives the words that were typed.
///
/// Without the mark nothing is read: what the user pipes into the command is not ours.
///
/// # Errors
/// [`Error::Usage`] where the mark was typed by somebody else.
pub fn arrive(mut argv: Vec<OsString>) -> Result<Vec<OsString>, Error> {
    if cfg!(windows) || argv.get(1).is_none_or(|word| word != MARK) {
        return Ok(argv);
    }
    argv.remove(1);
    let mut handed = read().ok_or_else(|| {
        Error::Usage(format!("`{MARK}` must not be typed: this command uses it when it runs itself again"))
    })?;
    environment::is_of_caller(handed.variables.clone());
    prompt::can_ask_as_before(handed.can_ask);
    reading::were_given(std::mem::take(&mut handed.texts));
    // Read once.
    drop(HANDED.set(handed));
    Ok(argv)
}

fn read() -> Option<Handed> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return None;
    }
    let mut document = Vec::new();
    stdin.lock().take(LIMIT).read_to_end(&mut document).ok()?;
    serde_json::from_slice(&document).ok()
}

/// The secret that was typed as the value of an argument, where the command line has a reference to it now.
pub fn secret(argument: &str) -> Option<&'static Value> {
    HANDED.get()?.secrets.get(argument)
}

/// Whether the caller has read this note already.
pub fn was_noted(note: &str) -> bool {
    HANDED.get().is_some_and(|handed| handed.notes.iter().any(|known| known == note))
}

/// Runs a command line again through sudo and gives its exit code. `variables` are those that services need,
/// `notes` those that have been told. `announce` tells what it is for, before sudo asks anything.
///
/// # Errors
/// [`Error::NotPrivileged`] with the line to type when this user may not, and [`Error::Interrupted`] when sudo was not
/// answered; nothing has changed then.
pub fn run_again(
    typed: Typed,
    variables: &[EnvName],
    notes: Vec<String>,
    announce: &mut dyn FnMut(),
) -> Result<u8, Error> {
    let program = called::own_path();
    let again = Invocation(
        ["sudo".into(), "--".into(), program.clone(), MARK.into()].into_iter().chain(typed.words.clone()).collect(),
    );
    // Where sudo gives other rights than root's we are here for the second time.
    let is_there = !cfg!(windows) && which::which("sudo").is_ok();
    let not_privileged = || Error::NotPrivileged { help: vec![how_to_type(&program, &typed.words, is_there)] };
    if HANDED.get().is_some() || !is_there {
        return Err(not_privileged());
    }
    if prompt::can_ask() {
        announce();
    }
    if !sudo_lets(&again)? {
        return Err(not_privileged());
    }
    if !prompt::can_ask() {
        announce();
    }
    let handed = Handed {
        variables: environment::of_caller(variables),
        secrets: typed.secrets,
        texts: reading::given_texts(),
        notes,
        can_ask: prompt::can_ask(),
    };
    let document = serde_json::to_vec(&handed).expect("texts and words are JSON");
    process::hand_over(&again, &OF_SUDO, Some(document))
}

fn how_to_type(program: &Text, words: &[Text], has_sudo: bool) -> String {
    if cfg!(windows) {
        let own = super::text::path(program).file_stem().map_or_else(|| program.clone(), text);
        let line = Invocation([&[own], words].concat()).typed();
        return format!("in a prompt opened with \"Run as administrator\", type `{line}`");
    }
    // With its whole path: sudo looks for programs in directories of its own (`secure_path` of sudoers(5)).
    let own = [std::slice::from_ref(program), words].concat();
    match has_sudo {
        true => format!("type `{}`", Invocation([&["sudo".into()], &*own].concat()).typed()),
        false => format!("as root, type `{}`", Invocation(own).typed()),
    }
}

/// The same command line with an option in front of it, as the user would type it.
pub fn with_option(typed: &Typed, option: &[&str]) -> String {
    let own = env::args_os().next().map(text).unwrap_or_default();
    let option = option.iter().map(|word| Text::from(*word));
    Invocation([own].into_iter().chain(option).chain(typed.words.iter().cloned()).collect()).typed()
}

/// Whether sudo lets this user run the command, by its own list (`sudo -l COMMAND`): asked without a question
/// where nobody can answer one.
///
/// # Errors
/// [`Error::Interrupted`]: sudo has ended by then, and given the terminal back.
fn sudo_lets(again: &Invocation) -> Result<bool, Error> {
    interrupt::listen();
    let mut ask = Command::new("sudo");
    ask.env_clear().envs(environment::of_command_on_terminal(&OF_SUDO)).arg("--list");
    if !prompt::can_ask() {
        ask.arg("--non-interactive").stderr(Stdio::null());
    }
    ask.args(again.0.iter().skip(1).map(super::text::os)).stdin(Stdio::null()).stdout(Stdio::null());
    let lets = ask.status().is_ok_and(|status| status.success());
    interrupt::check()?;
    Ok(lets)
}
