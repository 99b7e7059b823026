//! What a drop-in changes of a unit: which lines of ours count no longer, and which lines count in their place.

use super::links::joined_lines;

/// A directive of a unit that a drop-in says something else of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overridden {
    /// The section, such as `Service`.
    pub section: String,
    /// The directive.
    pub directive: String,
    /// The values that it has in the unit and that count no longer.
    pub ours: Vec<String>,
    /// Those that the drop-in adds.
    pub theirs: Vec<String>,
}

/// Directives of which every line counts, until an empty one takes away those before it. Of any other the last line
/// counts. (systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5): "may be specified more than once".)
const ADD_UP: [&str; 50] = [
    "After",
    "AmbientCapabilities",
    "AssertPathExists",
    "Before",
    "BindPaths",
    "BindReadOnlyPaths",
    "BindsTo",
    "CapabilityBoundingSet",
    "ConditionPathExists",
    "Conflicts",
    "DeviceAllow",
    "Documentation",
    "Environment",
    "EnvironmentFile",
    "ExecPaths",
    "ExecReload",
    "ExecStart",
    "ExecStartPost",
    "ExecStartPre",
    "ExecStop",
    "ExecStopPost",
    "InaccessiblePaths",
    "IPAddressAllow",
    "IPAddressDeny",
    "LoadCredential",
    "LoadCredentialEncrypted",
    "LogsDirectory",
    "NoExecPaths",
    "OnFailure",
    "OnSuccess",
    "PartOf",
    "PassEnvironment",
    "ReadOnlyPaths",
    "ReadWritePaths",
    "Requires",
    "RequiresMountsFor",
    "Requisite",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RuntimeDirectory",
    "SetCredential",
    "SetCredentialEncrypted",
    "StateDirectory",
    "SuccessExitStatus",
    "SupplementaryGroups",
    "SystemCallArchitectures",
    "SystemCallFilter",
    "TemporaryFileSystem",
    "UnsetEnvironment",
    "Wants",
];

/// What `drop_in` overrides of `unit`, in the order of the drop-in. What it says as the unit does is not among it.
pub fn of(unit: &[u8], drop_in: &[u8]) -> Vec<Overridden> {
    let ours = assignments(unit);
    let mut overridden: Vec<Overridden> = Vec::new();
    for (section, directive, value) in assignments(drop_in) {
        let is_it = |known: &&mut Overridden| known.section == section && known.directive == directive;
        let index = match overridden.iter_mut().find(is_it) {
            Some(known) => known,
            None => {
                overridden.push(Overridden { section, directive, ours: Vec::new(), theirs: Vec::new() });
                overridden.last_mut().expect("it was pushed")
            }
        };
        let adds_up = ADD_UP.contains(&&*index.directive);
        if value.is_empty() || !adds_up {
            let of_ours =
                ours.iter().filter(|(section, name, _)| (section, name) == (&index.section, &index.directive));
            index.ours = of_ours.map(|(.., value)| value.clone()).collect();
            index.theirs.clear();
        }
        if !value.is_empty() || !adds_up {
            index.theirs.push(value);
        }
    }
    overridden.retain(|known| known.ours != known.theirs);
    overridden
}

/// Section, directive and value of each line.
fn assignments(text: &[u8]) -> Vec<(String, String, String)> {
    let text = String::from_utf8_lossy(text);
    let mut section = String::new();
    let mut found = Vec::new();
    for line in joined_lines(&text) {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((directive, value)) = line.split_once('=') {
            found.push((section.clone(), directive.trim_end().to_owned(), value.trim_start().to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: &str = "[Unit]\nAfter=a.target\n[Service]\nExecStart=:\"/bin/true\"\nRestart=always\nEnvironment=A=1\n\
                        Environment=B=2\nNice=5\n";

    fn lines(drop_in: &str) -> Vec<String> {
        let of = |Overridden { section, directive, ours, theirs }: Overridden| {
            let ours = ours.into_iter().map(|value| format!("-{value}"));
            let values: Vec<String> = ours.chain(theirs.into_iter().map(|value| format!("+{value}"))).collect();
            format!("{section}.{directive} {}", values.join(" "))
        };
        super::of(UNIT.as_bytes(), drop_in.as_bytes()).into_iter().map(of).collect()
    }

    #[test]
    fn the_last_line_counts() {
        assert_eq!(lines("[Service]\nRestart=no\nRestart=on-failure\n"), ["Service.Restart -always +on-failure"]);
        assert_eq!(lines("[Service]\nNice=\n"), ["Service.Nice -5 +"]);
        assert_eq!(lines("# Restart=no\n[Service]\nUser = joe\n"), ["Service.User +joe"]);
    }

    #[test]
    fn lists_add_up_until_an_empty_line() {
        assert_eq!(
            lines("[Service]\nEnvironment=C=3\n[Unit]\nAfter=b.target\n"),
            ["Service.Environment +C=3", "Unit.After +b.target"]
        );
        assert_eq!(
            lines("[Service]\nExecStart=\nExecStart=/bin/false \\\n  x\n"),
            ["Service.ExecStart -:\"/bin/true\" +/bin/false    x"]
        );
        assert_eq!(lines("[Service]\nEnvironment=C=3\nEnvironment=\n"), ["Service.Environment -A=1 -B=2"]);
    }

    #[test]
    fn what_is_said_as_the_unit_says_it_overrides_nothing() {
        assert_eq!(lines("[Service]\nRestart=always\nNice=5\n[Install]\n"), [""; 0]);
    }
}
