//! Whoever types `install-service` is told `install-service` and `manage-service`: the other names may be another
//! program's.

use crate::support::Test;

#[test]
#[cfg(unix)]
fn messages_name_the_commands_that_were_typed() {
    Test::hyphenated("install-service")
        .args(["--dry-run", "--", "relative/program"])
        .status(2)
        .stderr_contains(
            "install-service: error: executable `relative/program`: a path of the service must be absolute",
        )
        .run();
    let unknown = "manage-service: error: there is no service `nobody`\n  help: `manage-service --list` shows the services \
                   that InstallService knows\n";
    Test::hyphenated("manage-service").args(["nobody", "start"]).status(4).stderr(unknown).run();
}

#[test]
fn help_names_the_commands_that_were_typed() {
    for (name, other, depth) in [
        ("install-service", "manage-service", "-h"),
        ("install-service", "manage-service", "--help"),
        ("manage-service", "install-service", "-h"),
        ("manage-service", "install-service", "--help"),
    ] {
        let help = Test::hyphenated(name).arg(depth).run().stdout;
        assert!(help.contains(&format!("Usage: {name} ")), "{help}");
        for line in help.lines().filter(|line| line.contains("InstallService ") || line.contains("ManageService ")) {
            // The product, in a sentence.
            assert!(line.contains("that InstallService"), "{name} {depth}: {line}");
        }
        assert!(name.starts_with("manage") || help.contains(other), "{help}");
    }
}

#[test]
fn help_of_a_command_names_what_was_typed() {
    for command in ["discover", "import", "properties", "completions"] {
        let help = Test::hyphenated("install-service").args([command, "-h"]).run().stdout;
        assert!(help.contains(&format!("Usage: install-service {command}")), "{help}");
    }
}

/// What is written for a service is the same by either name.
#[test]
#[cfg(unix)]
fn a_dry_run_is_the_same_by_either_name() {
    let arguments = ["--dry-run", "--service_name", "web", "--working-directory", "/", "--", "/bin/true"];
    let words = |test: Test| {
        let ran = test.args(arguments).run();
        let (plan, typed) = ran.stdout.rsplit_once("type this").expect("what to type");
        assert!(typed.contains("--service_name web --working-directory / -- /bin/true"), "{typed}");
        plan.to_owned()
    };
    assert_eq!(words(Test::hyphenated("install-service")), words(Test::install()));
}
