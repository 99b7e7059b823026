//! Completions: what a shell has to know of both commands, with what a value can be.

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, ValueHint};
use clap_complete::Shell;

use super::manage;
use super::parse::{self, Purpose, Wanted};
use crate::catalog::{ArgKind, Catalog};

/// The script that a shell reads.
pub(super) fn script(shell: Shell, catalog: &Catalog) -> String {
    let mut install = with_values(parse::command(catalog, Purpose::Help, Wanted::All));
    for program in catalog.programs.values() {
        install = install.mut_subcommand(program.name.clone(), |mut command| {
            for spec in program.arguments.iter().filter(|spec| spec.kind != ArgKind::Flag) {
                command = command.mut_arg(parse::id(spec), |arg| match spec.choices.as_slice() {
                    [] => arg.value_hint(hint_of(spec.kind)),
                    choices => arg.value_parser(PossibleValuesParser::new(choices.to_vec())),
                });
            }
            command
        });
    }
    let of = |mut command: Command, name: &str| {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command, name, &mut script);
        String::from_utf8_lossy(&script).into_owned()
    };
    let more = of(with_values(manage::command()), "ManageService");
    // PowerShell wants these before everything else, where the first script has them.
    let more = more.lines().filter(|line| !line.starts_with("using namespace"));
    of(install, "InstallService") + &more.map(|line| format!("{line}\n")).collect::<String>()
}

/// The command, with what the names of its values say of them: `DIR`, `FILE`, or the words that there are.
fn with_values(command: Command) -> Command {
    fn of(arg: Arg) -> Arg {
        let name = arg.get_value_names().and_then(<[_]>::first).cloned().unwrap_or_default();
        match name.as_str() {
            "DIR" => arg.value_hint(ValueHint::DirPath),
            "FILE" | "FILE.toml" => arg.value_hint(ValueHint::FilePath),
            "PATH" => arg.value_hint(ValueHint::ExecutablePath),
            "MODE" => arg.value_parser(PossibleValuesParser::new(manage::modes())),
            words if words.contains('|') && !words.contains('=') => {
                let words: Vec<String> = words.split('|').map(str::to_owned).collect();
                arg.value_parser(PossibleValuesParser::new(words))
            }
            _ => arg,
        }
    }
    command.mut_args(of).mut_subcommands(|command| command.mut_args(of))
}

fn hint_of(kind: ArgKind) -> ValueHint {
    match kind {
        ArgKind::ExistingDir | ArgKind::CreateDir => ValueHint::DirPath,
        ArgKind::ExistingFile | ArgKind::ConfigFile => ValueHint::FilePath,
        ArgKind::Path => ValueHint::AnyPath,
        _ => ValueHint::Other,
    }
}
