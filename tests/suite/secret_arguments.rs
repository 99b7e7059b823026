//! Arguments of the kind `secret`: a value that is typed becomes a variable, and is in nothing that is shown or kept; an
//! executable gets none on its command line, unless that is asked for.

use install_service::catalog::Catalog;
use install_service::host::facts::Elsewhere;
use install_service::manifest::{self, Arguments, Manifest};
use install_service::model::spec::Target;
use install_service::model::text::Text;
use install_service::validate::{self, Validated};

#[cfg(unix)]
use crate::support::Test;

const CATALOG: &str = r#"
[catalog]
name = "lab"
version = "1"
about = "x"
[[program]]
name = "Sender"
about = "x"
python = "send:main"
[[program.argument]]
name = "key"
kind = "secret"
arity = "?"
help = "x"
[[program.argument]]
flags = ["-p", "--password"]
kind = "secret"
help = "x"
[[program.argument]]
flags = ["--token"]
kind = "secret"
repeat = true
help = "x"
[[program.argument]]
flags = ["--2fa"]
kind = "secret"
help = "x"
[[program.argument]]
flags = ["--user"]
kind = "string"
help = "x"
[[program.argument]]
flags = ["--ask"]
kind = "flag"
help = "x"
[[program]]
name = "Vault"
about = "x"
executable = "/usr/bin/vault"
[[program.argument]]
name = "key"
kind = "secret"
arity = "?"
help = "x"
[[program.argument]]
flags = ["--password"]
kind = "secret"
help = "x"
[[program.argument]]
flags = ["--user"]
kind = "string"
help = "x"
"#;

/// The one service of a manifest.
#[track_caller]
fn validated(service: &str) -> Validated {
    let catalog = Catalog::parse(CATALOG, "lab.toml").expect("a catalog");
    let text = format!("[[service]]\nprogram = \"Sender\"\ninterpreter = \"/usr/bin/python3\"\n{service}");
    let request = Manifest::parse(&text, "lab.toml").expect("a manifest").services().remove(0);
    let directory = Text::from("/srv");
    validate::validate(&request, &catalog, &Elsewhere, Target::Systemd, &directory).expect("no fault")
}

/// The variables with the values of secrets that were typed; none of the values is in the receipt.
#[track_caller]
fn typed(service: &str) -> Vec<(String, String)> {
    let Validated { given_secrets, request, .. } = validated(service);
    let receipt = manifest::receipt(&request);
    for value in given_secrets.values() {
        assert!(!receipt.contains(value.as_str().expect("text")), "{receipt}");
    }
    given_secrets.iter().map(|(name, value)| (name.to_string(), value.as_str().expect("text").to_owned())).collect()
}

#[track_caller]
fn becomes(service: &str, variables: &[(&str, &str)]) {
    let expected: Vec<(String, String)> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert_eq!(typed(service), expected, "{service}");
}

#[test]
fn a_value_that_is_typed_becomes_a_variable() {
    becomes("arguments = { password = \"hunter2\" }", &[("PASSWORD", "hunter2")]);
    becomes("arguments = { password = 271828 }", &[("PASSWORD", "271828")]);
    becomes("arguments = { key = [\"hunter2\"] }", &[("KEY", "hunter2")]);
    becomes("arguments = { token = [\"one-1\", \"two-2\"] }", &[("TOKEN", "one-1"), ("TOKEN_2", "two-2")]);
    becomes("arguments = { token = [\"one-1\", \"one-1\"] }", &[("TOKEN", "one-1")]);
    // A name that a reference can have.
    becomes("arguments = { 2fa = \"hunter2\" }", &[("_2FA", "hunter2")]);
}

/// `$NAME` is a reference, `$$NAME` the text `$NAME`, as in every other argument.
#[test]
fn a_dollar_means_what_it_means_elsewhere() {
    becomes("arguments = { password = \"$hunter2\" }", &[]);
    becomes("arguments = { password = \"$$hunter2\" }", &[("PASSWORD", "$hunter2")]);
    becomes("arguments = { password = \"$2y$10$x\" }", &[("PASSWORD", "$2y$10$x")]);
}

/// A variable that is something else already keeps its value.
#[test]
fn a_variable_is_one_thing_only() {
    let plain = "environment = { PASSWORD = \"plain\" }\narguments = { password = \"hunter2\" }";
    becomes(plain, &[("PASSWORD_2", "hunter2")]);
    becomes("arguments = { user = \"$PASSWORD\", password = \"hunter2\" }", &[("PASSWORD_2", "hunter2")]);
    becomes("arguments = { token = [\"$TOKEN\", \"hunter2\"] }", &[("TOKEN_2", "hunter2")]);
    let Arguments::Named(arguments) = validated(plain).request.arguments else { panic!("they have names") };
    assert_eq!(arguments["password"].words(), [Text::from("$PASSWORD_2")]);
}

#[cfg(unix)]
fn dry_run<const N: usize>(words: [&str; N]) -> Test {
    let test = Test::install().file("lab.toml", CATALOG);
    test.args(["--dry-run", "--catalog", "lab.toml", "--python", "/usr/bin/python3"]).args(words)
}

#[cfg(unix)]
#[test]
fn an_executable_gets_no_secret_on_its_command_line() {
    let said = "InstallService: error: argument `--password`: a secret must not be on a command line, where every user \
                can see it (`ps`)\n  help: if the program can read it from an environment variable, use `--env PASSWORD`; \
                if it can read it from a file, pass that. To put it on the command line anyway, type '$PASSWORD'\n";
    for words in [&["--password", "hunter2"][..], &["--password=hunter2"]] {
        dry_run(["--assume", "systemd=252", "Vault"]).args(words).status(2).stdout("").stderr_contains(said).run();
    }
    let key =
        dry_run(["Vault", "hunter2"]).status(2).stderr_contains("error: argument `key`: a secret must not be").run();
    assert!(!key.stderr.contains("hunter2"), "{}", key.stderr);
    // NSSM has no variables that every user could not read.
    let there = dry_run(["--target", "nssm", "--working-directory", "C:\\lab", "Vault", "--password=hunter2"]);
    let there = there.status(2).stderr_contains("help: if the program can read it from a file, pass that\n").run();
    assert!(!there.stderr.contains("--env"), "{}", there.stderr);
}

/// Whoever insists types a reference, and is told what follows from it.
#[cfg(target_os = "linux")]
#[test]
fn a_reference_puts_it_there_all_the_same() {
    // Validation looks for the program.
    let catalog = CATALOG.replace("/usr/bin/vault", "/usr/bin/env");
    let vault = |words: &[&str]| {
        let test = Test::install().file("lab.toml", &catalog).args(["--dry-run", "--catalog", "lab.toml"]);
        test.args(words).run()
    };
    let said = "every user can see the value of `PASSWORD` on the program's command line (`ps`)";
    for argument in ["--password=$PASSWORD", "--user=$PASSWORD"] {
        let ran = vault(&["Vault", argument]);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        assert!(ran.stdout.contains("PASSWORD=********"), "{}", ran.stdout);
    }
    // What is set plainly is no secret, and Python is given nothing on its command line.
    assert!(!vault(&["--env", "PASSWORD=x", "Vault", "--user=$PASSWORD"]).stderr.contains("can see"));
    let python = dry_run(["Sender", "--password=$PASSWORD"]).run();
    assert!(!python.stderr.contains("can see"), "{}", python.stderr);
}

/// What is refused may be a secret: of an option that was typed wrongly, or a word too many.
#[cfg(unix)]
#[test]
fn a_refusal_shows_no_value() {
    for (words, said) in [
        (&["--pass=hunter2"][..], "option `--pass`: there is no such option\n  help: did you mean `--password`?\n"),
        (&["--pass", "hunter2", "k3y"], "option `--pass`: there is no such option"),
        (
            &["k3y", "hunter2"],
            "word 9 of the command line: not expected here (not shown, because it may be a secret)\n",
        ),
        (&["--ask=hunter2"], "option `--ask`: takes no value\n"),
        (&["-xhunter2"], "unexpected argument '-x' found"),
    ] {
        let ran = dry_run(["--start", "Sender"]).args(words).status(2).stdout("").stderr_contains(said).run();
        assert!(!ran.stderr.contains("hunter2") && !ran.stderr.contains("k3y"), "{}", ran.stderr);
    }
    let nul = "[[service]]\nprogram = \"Sender\"\narguments = { password = \"hunter2\\u0000\" }\n";
    let ran =
        dry_run(["--manifest", "m.toml"]).file("m.toml", nul).status(2).stderr_contains("must not contain a NUL").run();
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
}
