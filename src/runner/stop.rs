//! A command that asks the program to end, in the place of Ctrl-C.
//!
//! NSSM asks by Ctrl-C, which everything in a console gets. So the program has a console of its own, and what NSSM sends
//! comes to us alone: we run the command and wait for the program. Where the command fails, we end, and where the program
//! goes on beyond the time that NSSM gives us, NSSM ends us; what is left of our processes NSSM asks next, each in its own
//! console and with the same patience, and ends it if need be (`kill_process_tree` in NSSM's `process.cpp`).

#![allow(clippy::disallowed_methods, reason = "it starts what the user has named to stop a service")]

use std::io;
use std::os::windows::process::CommandExt as _;
use std::process::{Command, Stdio};

use super::program::{called, is_stopping, say};
use crate::host::process::spawn;
use crate::host::text::os;
use crate::model::name::EnvName;
use crate::model::runner_order::RunnerOrder;
use crate::model::text::Text;
use crate::render::escape::{AppParameters, TargetArg};

/// What starts a program with a console of its own that has no window ("Process Creation Flags").
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// What stands for the number of the program's process at the end of a word, as on systemd.
const MAIN_PID: &[u8] = b"$MAINPID";

/// Has what `command` starts see no Ctrl-C of ours.
pub(super) fn keeps_interrupts(command: &mut Command) {
    command.creation_flags(CREATE_NO_WINDOW);
}

/// From now on a stop of the service runs its stop command, if it has one, for the program that runs as `process`.
pub(super) fn ask(order: &RunnerOrder, process: u32, variables: &[(EnvName, Text)]) {
    let service = order.service.clone();
    let words: Vec<Text> = order.stop_command.iter().map(|word| with_process(word, process)).collect();
    let Some((program, arguments)) = words.split_first().map(|(program, rest)| (program.clone(), rest.to_vec())) else {
        return;
    };
    let variables = variables.to_vec();
    // Windows sends something of the kind also when a user logs off.
    drop(ctrlc::set_handler(move || {
        if !is_stopping(&service) {
            return;
        }
        let why = match run(&program, &arguments, &variables) {
            Ok(0) => return,
            Ok(code) => format!("the stop command ended with exit code {code}"),
            Err(error) => format!("the stop command did not start: {error}"),
        };
        say(&format!("{why}; NSSM sends Ctrl-C now"));
        std::process::exit(0);
    }));
}

/// A word of the command with the number of that process.
fn with_process(word: &Text, process: u32) -> Text {
    match word.as_bytes().strip_suffix(MAIN_PID) {
        Some(before) => Text::from_bytes(before).with(&process.to_string()),
        None => word.clone(),
    }
}

/// Runs the command to its end and gives its exit code.
fn run(program: &Text, arguments: &[Text], variables: &[(EnvName, Text)]) -> io::Result<i32> {
    let unsayable = |fault| io::Error::new(io::ErrorKind::InvalidInput, format!("{fault}"));
    let words: Vec<TargetArg> = arguments.iter().map(TargetArg::new).collect::<Result<_, _>>().map_err(unsayable)?;
    let line = AppParameters::new(&words).map_err(unsayable)?;
    let mut command = called(program, arguments, &line)?;
    command.stdin(Stdio::null()).envs(variables.iter().map(|(name, value)| (name.as_str(), os(value))));
    Ok(spawn(&mut command)?.wait()?.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_the_process_stands_at_the_end_of_a_word() {
        for (word, expected) in [("$MAINPID", "7"), ("/PID:$MAINPID", "/PID:7"), ("$MAINPIDS", "$MAINPIDS"), ("", "")] {
            assert_eq!(with_process(&word.into(), 7), expected.into());
        }
    }
}
