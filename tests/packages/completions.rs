//! The completions of the package, in real shells, for both names of each command.

use std::path::Path;
use std::process::Command;

use crate::support::output_of;
use crate::{package, sh, unpacked};

const COMMANDS: [(&str, &str); 4] = [
    ("InstallService", "--service"),
    ("install-service", "--service"),
    ("ManageService", "--upgrade"),
    ("manage-service", "--upgrade"),
];

#[test]
#[ignore = "needs packages and bash-completion: tests/run packages"]
fn bash_finds_and_completes_them() {
    let folder = unpacked(&package("_amd64.deb"), "dpkg-deb --extract \"$1\" .");
    for (command, word) in COMMANDS {
        // As a key would ask: bash-completion loads what is named after the command.
        let script = format!(
            "source /usr/share/bash-completion/bash_completion; BASH_COMPLETION_USER_DIR=/nowhere \
             XDG_DATA_DIRS=$1/usr/share _completion_loader {command}; complete -p {command} > /dev/null || exit 3; \
             COMP_WORDS=({command} {word}); COMP_CWORD=1; COMP_LINE='{command} {word}'; COMP_POINT=${{#COMP_LINE}}; \
             function=$(complete -p {command} | sed 's/.*-F \\([^ ]*\\).*/\\1/'); $function {command} {word} {command}; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let output = output_of(Command::new("bash").args(["-c", &script, "bash"]).arg(folder.path()));
        let said = [output.stdout.as_slice(), &output.stderr].map(String::from_utf8_lossy).concat();
        assert!(said.lines().any(|line| line.trim().starts_with(word)), "{command}: {said}");
    }
}

#[test]
#[ignore = "needs packages and zsh: tests/run packages"]
fn zsh_finds_and_completes_them() {
    let folder = unpacked(&package("_amd64.deb"), "dpkg-deb --extract \"$1\" .");
    for (command, word) in COMMANDS {
        let line = format!("{command} {word}");
        let found = sh(
            "zsh \"$1\" \"$2/usr/share/zsh/vendor-completions\" \"$3\"",
            &[
                Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packages/complete.zsh")),
                folder.path(),
                Path::new(&line),
            ],
        );
        assert!(found.lines().any(|offered| offered.starts_with(word)), "{command}: {found}");
    }
}
