//! What works in the shell of whoever installs a service, and will not in the service: what can be seen of it at the
//! install.

use super::program::{ProgramFile, Runs};
use super::{Kind, setting, typed};
use crate::model::text::Text;

/// Variables of a session that a service has not, each with what it is for.
pub const OF_SESSIONS: [(&str, &str); 12] = [
    ("DBUS_SESSION_BUS_ADDRESS", "the message bus of your session"),
    ("DISPLAY", "the screen of your session"),
    ("GEM_HOME", "where Ruby finds its packages"),
    ("JAVA_HOME", "where Java is"),
    ("KRB5CCNAME", "your Kerberos tickets"),
    ("NODE_PATH", "where Node.js finds its packages"),
    ("PERL5LIB", "where Perl finds its packages"),
    ("PYTHONPATH", "where Python finds its packages"),
    ("SSH_AUTH_SOCK", "your SSH agent, with your keys"),
    ("WAYLAND_DISPLAY", "the screen of your session"),
    ("XAUTHORITY", "the right to the screen of your session"),
    ("XDG_RUNTIME_DIR", "the sockets of your session"),
];

/// Those that a service of the user's own has from its manager (user@.service of systemd).
const OF_USER_MANAGERS: [&str; 2] = ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"];

/// Those that lead to what ends with the session: to hand over their values helps until the next logout.
const ENDS: [&str; 6] =
    ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "SSH_AUTH_SOCK", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR"];

/// What is known at the install of a service.
#[derive(Clone, Debug)]
pub struct Shell<'a> {
    /// Its program.
    pub program: &'a ProgramFile,
    /// Who runs it.
    pub runs: Runs<'a>,
    /// Whether it is a user's own.
    pub user: bool,
    /// Texts that it runs: its script, or what a shell is given.
    pub texts: Vec<String>,
    /// Variables of [`OF_SESSIONS`] that the caller has and the service is not given.
    pub variables: Vec<&'static str>,
    /// The caller's `LD_LIBRARY_PATH`, and the libraries that the program needs and that only this leads to.
    pub libraries: Option<(Text, Vec<String>)>,
    /// The virtual environment that is active.
    pub environment: Option<Text>,
    /// Paths of the service below the home directory of somebody else, and who that is.
    pub in_homes: Vec<(Text, String)>,
}

impl Shell<'_> {
    /// A sentence for each thing that will be otherwise.
    pub fn notes(&self) -> Vec<String> {
        let path = &self.program.path;
        let mut notes = Vec::new();
        for fault in self.program.faults(self.runs) {
            // What is closed to the account is told by the checks of a request.
            if fault.kind != Kind::Closed {
                notes.push(format!("{}, so it will not start; {}", fault.what, fault.cure));
            }
        }
        if let Some((directories, libraries)) = self.libraries.as_ref().filter(|(_, libraries)| !libraries.is_empty()) {
            notes.push(format!(
                "`{path}` finds `{}` by your LD_LIBRARY_PATH, which the service will not have; \
                 {} gives it to the service",
                libraries.join("`, `"),
                setting("LD_LIBRARY_PATH", directories)
            ));
        }
        if let Some(environment) = self.environment.as_ref().filter(|of| is_python(path) && !is_below(path, of)) {
            notes.push(format!(
                "the virtual environment `{environment}` is active, and the service will run `{path}`, which does not see \
                 its packages; {} runs its Python",
                typed("--", &environment.with("/bin/python"))
            ));
        }
        for (name, what) in OF_SESSIONS.iter().filter(|(name, _)| self.variables.contains(name)) {
            let has_it = self.user && OF_USER_MANAGERS.contains(name);
            if has_it || !self.texts.iter().any(|text| mentions(text, name)) {
                continue;
            }
            notes.push(match ENDS.contains(name) {
                true => format!(
                    "it mentions `{name}` ({what}), which you have and the service will not; it stops working when \
                     you log out"
                ),
                false => format!(
                    "it mentions `{name}` ({what}), which you have and the service will not; `--env {name}=\"${name}\"` gives \
                     it to the service"
                ),
            });
        }
        for (path, owner) in &self.in_homes {
            let account = self.runs.account.unwrap_or("root");
            notes.push(format!(
                "`{path}` is below the home directory of `{owner}`, who can close it to `{account}` or change it at any time; \
                 /opt and /srv are for what a service needs"
            ));
        }
        notes
    }
}

fn is_python(path: &Text) -> bool {
    path.as_bytes().rsplit(|byte| *byte == b'/').next().is_some_and(|name| name.starts_with(b"python"))
}

fn is_below(path: &Text, directory: &Text) -> bool {
    path.as_bytes().strip_prefix(directory.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"))
}

/// Whether a text has the name as a word of its own that is no comment: `$DISPLAY`, `environ["DISPLAY"]`.
fn mentions(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.lines().filter(|line| !line.trim_start().starts_with('#')).any(|line| {
        line.match_indices(name).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let behind = line[at + name.len()..].chars().next();
            // What it sets itself it has.
            let is_set = behind == Some('=') && !before.is_some_and(|c| matches!(c, '{' | '$'));
            !before.is_some_and(is_part) && !behind.is_some_and(is_part) && !is_set
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::program::Format;
    use super::*;

    fn file(path: &str) -> ProgramFile {
        ProgramFile::sound(path, Format::Other)
    }

    fn shell(program: &ProgramFile) -> Shell<'_> {
        Shell {
            program,
            runs: Runs { service: "web", account: None, machine: None },
            user: false,
            texts: Vec::new(),
            variables: Vec::new(),
            libraries: None,
            environment: None,
            in_homes: Vec::new(),
        }
    }

    #[track_caller]
    fn one(shell: &Shell<'_>, parts: &[&str]) {
        let notes = shell.notes();
        assert_eq!(notes.len(), 1, "{notes:?}");
        for part in parts {
            assert!(notes[0].contains(part), "{part}: {notes:?}");
        }
    }

    #[test]
    fn nothing_is_noted_of_a_program_that_needs_nothing() {
        let program = file("/usr/bin/x");
        let all = OF_SESSIONS.map(|(name, _)| name).to_vec();
        assert_eq!(Shell { variables: all, ..shell(&program) }.notes(), [""; 0]);
        let found = Shell {
            libraries: Some(("/opt/lib".into(), Vec::new())),
            environment: Some("/v".into()),
            ..shell(&program)
        };
        assert_eq!(found.notes(), [""; 0]);
    }

    #[test]
    fn a_variable_is_noted_where_it_is_mentioned() {
        let program = file("/srv/x.sh");
        let with = |text: &str, variables: &[&'static str]| Shell {
            texts: vec![text.to_owned()],
            variables: variables.to_vec(),
            ..shell(&program)
        };
        one(
            &with("ssh-add -l; echo $SSH_AUTH_SOCK", &["SSH_AUTH_SOCK"]),
            &["`SSH_AUTH_SOCK` (your SSH agent", "when you log out"],
        );
        one(&with("x = os.environ[\"JAVA_HOME\"]", &["JAVA_HOME"]), &["`--env JAVA_HOME=\"$JAVA_HOME\"`"]);
        one(&with("[ -n \"${DISPLAY:-}\" ]", &["DISPLAY"]), &["`DISPLAY`"]);
        for (text, variables) in [
            ("echo $DISPLAY", &[][..]),
            ("# echo $DISPLAY", &["DISPLAY"][..]),
            ("export DISPLAY=:0", &["DISPLAY"][..]),
            ("echo $DISPLAYS $MY_DISPLAY", &["DISPLAY"][..]),
        ] {
            assert_eq!(with(text, variables).notes(), [""; 0], "{text}");
        }
        let own = Shell { user: true, ..with("echo $XDG_RUNTIME_DIR", &["XDG_RUNTIME_DIR"]) };
        assert_eq!(own.notes(), [""; 0]);
    }

    #[test]
    fn a_python_of_another_environment_is_noted() {
        let program = file("/usr/bin/python3");
        let active = |environment: &str| Some(Text::from(environment));
        one(&Shell { environment: active("/v"), ..shell(&program) }, &["`/v` is active", "`-- /v/bin/python`"]);
        let own = file("/v/bin/python3");
        assert_eq!(Shell { environment: active("/v"), ..shell(&own) }.notes(), [""; 0]);
    }

    #[test]
    fn libraries_and_homes_are_noted() {
        let program = file("/opt/x");
        let libraries = Some(("/opt/lib".into(), vec!["libq.so.1".into()]));
        one(
            &Shell { libraries, ..shell(&program) },
            &["`libq.so.1` by your LD_LIBRARY_PATH", "`--env LD_LIBRARY_PATH=/opt/lib`"],
        );
        one(
            &Shell { in_homes: vec![("/home/joe/x".into(), "joe".into())], ..shell(&program) },
            &["home directory of `joe`"],
        );
        let there = ProgramFile { noexec: true, ..file("/mnt/x") };
        one(&shell(&there), &["`noexec`, so it will not start; `findmnt -T /mnt/x`"]);
    }
}
