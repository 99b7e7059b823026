//! A line of what each parameter of NSSM does, in our own words.

/// What a parameter does.
pub(super) fn about(name: &str) -> &'static str {
    ABOUT.iter().find(|(known, _)| *known == name).map_or("", |(_, line)| *line)
}

const ABOUT: &[(&str, &str)] = &[
    ("AppAffinity", "Processors that it may run on"),
    ("AppDirectory", "Directory that it runs in, with variables such as `%ProgramData%` replaced"),
    ("AppEnvironment", "All variables that it has: those of the system are not among them"),
    ("AppEnvironmentExtra", "Further variables, with others that they name in `%` replaced"),
    ("AppEvents.EVENT", "Command that is run at an event: `AppEvents.Start/Pre` (NSSM 2.24-101)"),
    ("AppExit.CODE", "What happens when it ends with this exit code: `AppExit.3`"),
    ("AppExit.Default", "What happens when it ends with any other exit code"),
    ("AppKillProcessTree", "Leave the processes that it started alone when it is stopped: 0 (NSSM 2.24-101)"),
    ("AppNoConsole", "Give it no console: 1"),
    ("AppParameters", "Its arguments as NSSM has them: one command line, with variables such as `%TEMP%` replaced"),
    ("AppPriority", "Priority of its processes"),
    ("AppRedirectHook", "Have its log take the output of hooks: 1 (NSSM 2.24-101)"),
    ("AppRotateBytes", "Begin a new file for its output only if the old one has so many bytes"),
    ("AppRotateBytesHigh", "As `AppRotateBytes`, in units of 4 GiB"),
    ("AppRotateDelay", "How many milliseconds to wait after a new file was begun (NSSM 2.24-101)"),
    ("AppRotateFiles", "Begin a new file for its output, and keep the old one, at each start: 1"),
    ("AppRotateOnline", "Begin new files while it runs, too: 1; or at the next line: 2"),
    ("AppRotateSeconds", "Begin a new file for its output only if the old one was last written so long ago"),
    ("AppStderr", "File that its error output goes to"),
    ("AppStderrCopyAndTruncate", "Copy and empty the file of `AppStderr` in place of renaming it: 1 (NSSM 2.24-101)"),
    (
        "AppStderrCreationDisposition",
        "How the file of `AppStderr` is opened (`CreateFile`): 4 adds to it, 2 begins it anew",
    ),
    ("AppStderrFlagsAndAttributes", "Flags and attributes with which the file of `AppStderr` is opened"),
    ("AppStderrShareMode", "Who else may open the file of `AppStderr` meanwhile: 1 to read, 2 to write, 3 both"),
    ("AppStdin", "File that its input comes from"),
    ("AppStdinCreationDisposition", "How the file of `AppStdin` is opened (`CreateFile`): 3 only if it is there"),
    ("AppStdinFlagsAndAttributes", "Flags and attributes with which the file of `AppStdin` is opened"),
    ("AppStdinShareMode", "Who else may open the file of `AppStdin` meanwhile: 1 to read, 2 to write, 3 both"),
    ("AppStdout", "File that its output goes to"),
    ("AppStdoutCopyAndTruncate", "Copy and empty the file of `AppStdout` in place of renaming it: 1 (NSSM 2.24-101)"),
    (
        "AppStdoutCreationDisposition",
        "How the file of `AppStdout` is opened (`CreateFile`): 4 adds to it, 2 begins it anew",
    ),
    ("AppStdoutFlagsAndAttributes", "Flags and attributes with which the file of `AppStdout` is opened"),
    ("AppStdoutShareMode", "Who else may open the file of `AppStdout` meanwhile: 1 to read, 2 to write, 3 both"),
    ("AppStopMethodConsole", "How many milliseconds it has to end after Ctrl-C"),
    (
        "AppStopMethodSkip",
        "Ways to stop it that are left out: 1 Ctrl-C, 2 its windows, 4 its threads, 8 killing it, added up",
    ),
    ("AppStopMethodThreads", "How many milliseconds it has to end after its threads were told to"),
    ("AppStopMethodWindow", "How many milliseconds it has to end after its windows were closed"),
    ("AppThrottle", "How many milliseconds it must run before another start is not put off"),
    ("AppTimestampLog", "Put the time in front of each line of its log: 1 (NSSM 2.24-101)"),
    ("DependOnGroup", "Groups of services of which one must run first"),
    ("DependOnService", "Services that are started first, and without which it does not start"),
    ("Start", "When it is started"),
    ("Type", "Whether it has a process of its own, or may also be seen on the desktop"),
];

#[cfg(test)]
mod tests {
    use super::super::parameters;
    use super::*;

    #[test]
    fn every_parameter_has_a_line_and_no_other_name() {
        let known: Vec<&str> = parameters().map(|(name, ..)| name).collect();
        for name in &known {
            assert!(!about(name).is_empty(), "{name}");
        }
        assert!(ABOUT.iter().all(|(name, _)| known.contains(name)) && ABOUT.is_sorted_by_key(|(name, _)| *name));
    }
}
