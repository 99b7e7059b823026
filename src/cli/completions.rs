//! Completions: what a shell has to know of both commands, with what a value can be.

use clap::builder::PossibleValuesParser;
use clap::{Command, ValueHint};
use clap_complete::Shell;

use super::options::PROPERTIES;
use super::parse::{self, Purpose, Wanted};
use super::{manage, properties};
use crate::catalog::{ArgKind, Catalog};
use crate::managers;

/// The script that a shell reads.
pub(super) fn script(shell: Shell, catalog: &Catalog) -> String {
    let mut install = parse::command(catalog, Purpose::Complete, Wanted::All);
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
    let manage = manage::command(Purpose::Complete);
    let more = by_both_names(shell, &of(manage.clone(), "ManageService"), "ManageService", "manage-service");
    let install = with_properties(shell, &of(install, "InstallService"));
    let install = by_both_names(shell, &install, "InstallService", "install-service");
    if shell == Shell::Fish {
        return value_before_the_cursor(&install) + &more + &modes_for_fish(&manage);
    }
    // PowerShell wants these before everything else, where the first script has them.
    let more = more.lines().filter(|line| !line.starts_with("using namespace"));
    let all = install + &more.map(|line| format!("{line}\n")).collect::<String>();
    // A method without its parentheses is not in the language's grammar, though PowerShell takes it.
    if shell == Shell::PowerShell { all.replace(".Where{", " | Where-Object {") } else { all }
}

/// The script for a command that has a second name. Elvish has one table for each name, and no words for that.
fn by_both_names(shell: Shell, script: &str, name: &str, second: &str) -> String {
    match shell {
        Shell::Bash => script.replace(&format!(" -o default {name}\n"), &format!(" -o default {name} {second}\n")),
        Shell::Zsh => {
            let script = script.replacen(&format!("#compdef {name}\n"), &format!("#compdef {name} {second}\n"), 1);
            script.replace(&format!("compdef _{name} {name}\n"), &format!("compdef _{name} {name} {second}\n"))
        }
        Shell::Fish => format!("{script}complete -c {second} -w {name}\n"),
        Shell::PowerShell => {
            script.replace(&format!("-CommandName '{name}'"), &format!("-CommandName '{name}', '{second}'"))
        }
        _ => script.to_owned(),
    }
}

/// The script with the names that `--property` takes, each up to its `=`: behind that a value follows without a blank,
/// which clap has no word for. Elvish is offered no values of options at all.
fn with_properties(shell: Shell, script: &str) -> String {
    let known = properties::names(managers::of_this_host());
    let names = known.iter().map(|(name, _)| format!("{name}=")).collect::<Vec<_>>();
    match shell {
        Shell::Bash => {
            let here = format!("COMPREPLY=($(compgen -W \"{PROPERTIES}\" -- \"${{cur}}\"))");
            let all = "compopt -o nospace; COMPREPLY=($(compgen -W \"${_InstallService_properties}\" -- \"${cur}\"))";
            format!("_InstallService_properties='{}'\n{}", names.join(" "), script.replace(&here, all))
        }
        Shell::Zsh => {
            let all = format!(
                "_InstallService_properties() {{\n    compadd \"$@\" -S '' -- {}\n}}\n\n_InstallService() {{",
                names.join(" ")
            );
            let script = script.replace(&format!(":({PROPERTIES})"), ":_InstallService_properties");
            script.replacen("_InstallService() {", &all, 1)
        }
        Shell::Fish => {
            let here = format!("\"{PROPERTIES}\\t''\"");
            let rows =
                known.iter().map(|(name, about)| format!("        '{name}=' '{}' \\\n", about.replace('\'', "\\'")));
            format!(
                "function __fish_InstallService_properties\n    printf '%s\\t%s\\n' \\\n{}\nend\n{}",
                rows.collect::<String>().trim_end_matches(" \\\n"),
                script.replace(&here, "\"(__fish_InstallService_properties)\"")
            )
        }
        Shell::PowerShell => {
            let words = "    $commandElements = $commandAst.CommandElements\n";
            let all = format!(
                "{words}    \
                     $before = $commandElements.Count - $(if ($wordToComplete -eq '') {{ 1 }} else {{ 2 }})\n    \
                     if ($before -gt 0 -and \"$($commandElements[$before])\" -eq '--property') {{\n        \
                         @('{}') | Where-Object {{ $_ -like \"$wordToComplete*\" }} | ForEach-Object {{\n            \
                             [CompletionResult]::new($_, $_, [CompletionResultType]::ParameterValue, $_)\n        \
                         }}\n        \
                         return\n    \
                     }}\n",
                names.join("', '")
            );
            script.replacen(words, &all, 1)
        }
        _ => script.to_owned(),
    }
}

/// The script for fish, which would not see that an option before the cursor still wants its value.
fn value_before_the_cursor(script: &str) -> String {
    let parse = "argparse -s (__fish_InstallService_global_optspecs) -- $cmd 2>/dev/null\n";
    let again = format!("    {parse}    or begin\n        set -e cmd[-1]\n        {parse}    end\n");
    script.replacen(&format!("    {parse}"), &again, 1)
}

/// The modes, of which the script for fish says nothing: before the names or behind them, as long as there is none yet.
fn modes_for_fish(command: &Command) -> String {
    let options = command.get_arguments().filter_map(|arg| {
        let short = arg.get_short().map(|short| format!("{short}/")).unwrap_or_default();
        let value = if arg.get_action().takes_values() { "=" } else { "" };
        Some(format!("{short}{}{value}", arg.get_long()?))
    });
    let modes = manage::modes().join(" ");
    format!(
        "\nfunction __fish_ManageService_needs_mode\n    \
             set -l cmd (commandline -opc)\n    \
             set -e cmd[1]\n    \
             argparse {} -- $cmd 2>/dev/null\n    \
             or return\n    \
             for mode in {modes}\n        \
             contains -- $mode $argv\n        \
             and return 1\n    \
             end\n    \
             return 0\n\
         end\n\n\
         complete -c ManageService -f\n\
         complete -c ManageService -n __fish_ManageService_needs_mode -a '{modes}'\n",
        options.collect::<Vec<_>>().join(" "),
    )
}

fn hint_of(kind: ArgKind) -> ValueHint {
    match kind {
        ArgKind::ExistingDir | ArgKind::CreateDir => ValueHint::DirPath,
        ArgKind::ExistingFile | ArgKind::ConfigFile => ValueHint::FilePath,
        ArgKind::Path => ValueHint::AnyPath,
        _ => ValueHint::Other,
    }
}
