//! The two commands as people type them: help, options and their spellings, what belongs to whom.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use install_service::catalog::{Catalog, SHIPPED};
use serde_json::Value;

use crate::support::{Test, difference, without_end};

/// Every option of InstallService: its usual spelling, and an example of a value where it takes one.
const OPTIONS: [(&str, Option<&str>); 56] = [
    ("--dry-run", None),
    ("--output", Some("tree")),
    ("--layout", Some("tree")),
    ("--check", None),
    ("--update", None),
    ("--adopt", None),
    ("--restart-now", None),
    ("--start", None),
    ("--enable-links", None),
    ("--no-nssm", None),
    ("--no-rollback", None),
    ("--prune", None),
    ("--account-password-stdin", None),
    ("--yes", None),
    ("--format", Some("text")),
    ("--service_name", Some("web")),
    ("--working-directory", Some("/")),
    ("--account", Some("root")),
    ("--user", None),
    ("--env", Some("A=b")),
    ("--secrets", Some("file")),
    ("--no-boot", None),
    ("--schedule", Some("daily")),
    ("--restart", Some("never")),
    ("--restart-sec", Some("3")),
    ("--stop-timeout", Some("1min 30s")),
    ("--stop-command", Some("/bin/true $MAINPID")),
    ("--no-network", None),
    ("--plain", None),
    ("--no-plain", None),
    ("--unset", Some("A")),
    ("--network", None),
    ("--boot", None),
    ("--after", Some("a.target")),
    ("--before", Some("b.target")),
    ("--requires", Some("c.target")),
    ("--wants", Some("d.target")),
    ("--property", Some("MemoryMax=1G")),
    ("--environment-file", Some("-/etc/default/web")),
    ("--log-file", Some("none")),
    ("--description", Some("x")),
    ("--display-name", Some("x")),
    ("--hardening", Some("none")),
    ("--path", Some("/usr/bin")),
    ("--python", Some("/usr/bin/python3")),
    ("--import-timeout", Some("90s")),
    ("--manifest", Some("services.toml")),
    ("--catalog", Some("catalog.toml")),
    ("--target", Some("systemd")),
    ("--assume", Some("systemd=250")),
    ("--state-dir", Some("/var/lib/elsewhere")),
    ("--nssm", Some("nssm.exe")),
    ("--nssm-archive", Some("nssm.zip")),
    ("--offline", None),
    ("--ca-file", Some("ca.pem")),
    ("--allow-unknown-nssm", None),
];

/// What InstallService does besides installing.
const COMMANDS: [&str; 5] = ["import", "discover", "properties", "completions", "schema"];

fn other_spelling(option: &str) -> String {
    let name = option.trim_start_matches("--");
    let other = if name.contains('_') { name.replace('_', "-") } else { name.replace('-', "_") };
    format!("--{other}")
}

/// A dry run of `/bin/true`, with options in front.
fn dry_run(options: &[&str]) -> Test {
    Test::install().args(["--dry-run", "--service_name", "web"]).args(options).args(["--", "/bin/true"])
}

fn json(test: Test) -> Value {
    serde_json::from_str(&test.run().stdout).expect("JSON")
}

/// The words after the program in the unit's `ExecStart=`, as the receipt of the dry run has them.
fn arguments(document: &Value) -> Vec<String> {
    let files = document["files"].as_array().unwrap();
    let receipt = files.iter().find(|file| file["path"].as_str().unwrap().ends_with("_install_args.toml")).unwrap();
    let receipt: toml::Table = toml::from_str(receipt["contents"].as_str().unwrap()).unwrap();
    let service = &receipt["service"][0];
    let words = service.get("arguments").and_then(toml::Value::as_array).cloned().unwrap_or_default();
    words.iter().map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned)).collect()
}

/// `-h` of both commands and of every program, and `--help` of both commands and of a program, kept in `fixtures/help`
/// (`UPDATE_GOLDEN=1` rewrites).
#[test]
fn help() {
    let catalog = Catalog::parse(SHIPPED, "shipped").unwrap();
    let mut pages = Vec::new();
    for (word, behind) in [("-h", ""), ("--help", "--help")] {
        pages.push((format!("InstallService{behind}"), Test::install().arg(word)));
        pages.push((format!("ManageService{behind}"), Test::manage().arg(word)));
    }
    pages.extend(COMMANDS.map(|name| (name.to_owned(), Test::install().args([name, "-h"]))));
    pages.extend(catalog.programs.keys().map(|name| (name.clone(), Test::install().args([name, "-h"]))));
    let program = "DataFileUploadDirectory";
    pages.push((format!("{program}--help"), Test::install().args([program, "--help"])));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/help");
    let mut faults = String::new();
    for (name, test) in pages {
        let ran = test.stderr("").run();
        let wide = |line: &&str| line.chars().count() > 100 && !line.starts_with("Usage: ");
        assert_eq!(ran.stdout.lines().find(wide), None, "{name}: a line is too long");
        let path = folder.join(format!("{name}.txt"));
        if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
            fs::create_dir_all(&folder).unwrap();
            fs::write(path, ran.stdout).unwrap();
            continue;
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        faults.extend(difference(&path.display().to_string(), &expected, &ran.stdout));
    }
    assert!(faults.is_empty(), "if this is right, run again with UPDATE_GOLDEN=1\n{faults}");
}

/// The first words of the lines below a heading that are not those of the line above.
fn below<'a>(page: &'a str, heading: &str) -> Vec<&'a str> {
    let lines = page.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| !line.is_empty());
    let entries = lines.filter(|line| line.starts_with("  ") && !line.starts_with("          "));
    entries.filter_map(|line| line.split_whitespace().find(|word| !matches!(*word, "-h," | "-V,"))).collect()
}

#[test]
fn the_short_help_has_what_many_people_need() {
    let page = Test::install().arg("-h").run().stdout;
    let common = below(&page, "Common options:");
    for option in ["--dry-run", "--start", "--service_name", "--account", "--user", "--env", "--help"] {
        assert!(common.contains(&option), "{option}: {common:?}");
    }
    // Those of NSSM are in the long one alone, where this is Linux.
    assert!(!page.contains("nssm") && !page.contains("(Windows)"), "{page}");
    assert_eq!(below(&page, "Commands:"), COMMANDS);
    assert!(page.contains("\n  InstallService --help "), "{page}");
    let long = Test::install().arg("--help").run().stdout;
    assert!(long.lines().count() > page.lines().count() + 40, "{long}");
    assert_eq!(below(&long, "Commands:"), COMMANDS);
}

#[test]
fn the_help_of_a_program_begins_with_what_cannot_be_left_out() {
    let catalog = "[[program]]\nname = \"Sender\"\nabout = \"Sends.\"\nexecutable = \"/bin/true\"\n\
                   [[program.argument]]\nflags = [\"--often\"]\nkind = \"flag\"\nhelp = \"Often.\"\n\
                   [[program.argument]]\nflags = [\"--to\"]\nkind = \"string\"\nrequired = true\nhelp = \"To.\"\n";
    let test = || Test::install().file("own.toml", catalog).args(["--catalog", "own.toml", "Sender"]);
    let page = test().arg("-h").run().stdout;
    assert_eq!(below(&page, "Required arguments:"), ["--to"]);
    assert_eq!(below(&page, "Program arguments:"), ["--often"]);
    assert!(page.find("Required arguments:") < page.find("Program arguments:"), "{page}");
    assert!(below(&page, "Common options:").contains(&"--account"), "{page}");
    assert!(!page.contains("--hardening"), "{page}");
    let long = test().arg("--help").run().stdout;
    assert!(long.contains("--hardening") && long.contains("--nssm-archive"), "{long}");
}

/// In front of a program it is that of InstallService.
#[test]
fn help_is_of_what_stands_before_it() {
    let page = Test::install().arg("-h").run().stdout;
    Test::install().args(["-h", "DataFileUploadDirectory"]).stdout(page).run();
    let page = Test::install().args(["DataFileUploadDirectory", "-h"]).run().stdout;
    Test::install().args(["--start", "--nssm", "x", "DataFileUploadDirectory", "--env", "A", "-h"]).stdout(page).run();
}

#[test]
fn without_a_word_the_help_is_an_error() {
    let help = Test::install().arg("-h").run().stdout;
    Test::install().status(2).stdout("").stderr(help).run();
    let help = Test::manage().arg("-h").run().stdout;
    Test::manage().status(2).stdout("").stderr(help).run();
}

#[test]
fn versions() {
    let version = env!("CARGO_PKG_VERSION");
    Test::install().arg("-V").stdout(format!("InstallService {version}\n")).stderr("").run();
    Test::manage().arg("--version").stdout(format!("ManageService {version}\n")).stderr("").run();
}

#[test]
fn the_help_and_this_file_know_the_same_options() {
    let help = Test::install().arg("--help").run().stdout;
    let mut told: Vec<&str> = help
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("--").map(|rest| rest.split([' ', '<']).next().unwrap()))
        .filter(|option| !option.is_empty())
        .collect();
    let mut known: Vec<&str> = OPTIONS.iter().map(|(option, _)| option.trim_start_matches("--")).collect();
    told.sort_unstable();
    known.sort_unstable();
    assert_eq!(told, known);
}

#[test]
fn every_option_has_two_spellings() {
    for (option, value) in OPTIONS {
        // Whatever it says, it says it to both spellings.
        let run = |spelling: &str, value: Option<&str>| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_InstallService"));
            command.args([spelling].into_iter().chain(value)).args([
                "--dry-run",
                "--service_name",
                "x",
                "--",
                "/bin/true",
            ]);
            let output = command.current_dir("/").output().unwrap();
            let said = |bytes| String::from_utf8(bytes).unwrap();
            (output.status.code(), said(output.stderr), without_end(&said(output.stdout)).to_owned())
        };
        let one = run(option, value);
        assert!(!one.1.contains("no such option"), "{option}: {}", one.1);
        let two = run(&other_spelling(option), value);
        assert_eq!((one.0, &one.1, &one.2), (two.0, &two.1, &two.2), "{option}");
        if let Some(value) = value {
            let joined = run(&format!("{option}={value}"), None);
            assert_eq!((one.0, &one.1, &one.2), (joined.0, &joined.1, &joined.2), "{option}=");
        }
    }
}

#[test]
fn an_option_without_its_value() {
    for (option, _) in OPTIONS.iter().filter(|(_, value)| value.is_some()) {
        Test::install()
            .args(["--dry-run", option])
            .status(2)
            .stderr_contains(format!("error: option `{option}`: needs a value\n"))
            .run();
        // Nor is the `--` its value.
        Test::install()
            .args([option, "--", "/bin/true"])
            .status(2)
            .stderr_contains(format!("error: option `{option}`: needs a value\n"))
            .run();
    }
}

#[test]
fn a_flag_with_a_value() {
    for (option, _) in OPTIONS.iter().filter(|(_, value)| value.is_none()) {
        Test::install()
            .args([format!("{option}=yes"), "--".to_owned(), "/bin/true".to_owned()])
            .status(2)
            .stderr_contains(format!("error: option `{option}=yes`: takes no value\n"))
            .run();
    }
}

#[test]
fn the_last_of_a_repeated_option_counts_and_lists_grow() {
    let document = json(dry_run(&[
        "--dry-run",
        "--format",
        "text",
        "--format",
        "json",
        "--service_name",
        "b",
        "--env",
        "A=1",
        "--env",
        "B=2",
        "--env",
        "A=3",
        "--after",
        "x",
        "--after",
        "y.target",
        "--restart=never",
        "--restart=always",
    ]));
    assert_eq!(document["service"], "b");
    let unit = document["files"][0]["contents"].as_str().unwrap();
    assert!(unit.contains("Environment=\"A=3\"\nEnvironment=\"B=2\"\n"), "{unit}");
    assert!(unit.contains("After=x.service\nAfter=y.target\n"), "{unit}");
    assert!(unit.contains("Restart=always\n"), "{unit}");
}

#[test]
fn options_stand_before_and_behind_a_program_of_the_catalog() {
    let test = |arguments: &[&str]| {
        Test::install()
            .file("in/x", "")
            .args(["--working-directory", "/", "--python", "/usr/bin/env"])
            .args(["--dry-run"])
            .args(arguments)
            .args(["--config", "prod"])
    };
    let options = ["--service_name", "up", "--restart", "never", "--env", "A=1"];
    let mut before = options.to_vec();
    before.extend(["DataFileUploadDirectory", "/tmp", "--topic_name", "raw"]);
    let mut behind = vec!["DataFileUploadDirectory", "--topic_name", "raw"];
    behind.extend(options);
    behind.push("/tmp");
    let one = test(&before).run().stdout;
    assert!(one.contains("/up.service"));
    assert_eq!(without_end(&test(&behind).run().stdout), without_end(&one));
}

#[test]
fn what_follows_the_dashes_is_verbatim() {
    let words = ["--", "-h", "--help", "--service_name", "other", "--dry-run", "$NAME", "$$NAME", "%n", "", "-", "-3"];
    let document = json(
        Test::install().args(["--dry-run", "--format", "json", "--service_name", "x", "--", "/bin/echo"]).args(words),
    );
    assert_eq!(document["service"], "x");
    assert_eq!(arguments(&document), words);
}

#[test]
fn what_follows_a_python_spec_belongs_to_it() {
    let run = |words: &[&str]| {
        let options = ["--dry-run", "--format", "json", "--python", "/usr/bin/env"];
        json(Test::install().args(options).arg("lab.watch:main").args(words))
    };
    for (words, name, given) in [
        (&["-h", "--help", "-V", "--dry-run"][..], "watch", &["-h", "--help", "-V", "--dry-run"][..]),
        (&["a", "--service_name", "x", "b"], "x", &["a", "b"]),
        (&["--service-name=x", "b"], "x", &["b"]),
        // The last one before a `--` is ours.
        (&["--service_name", "a", "--service_name", "b"], "b", &["--service_name", "a"]),
        (&["--service_name", "a", "--", "--service_name", "b"], "a", &["--service_name", "b"]),
        (&["--", "--service_name", "b"], "watch", &["--service_name", "b"]),
        (&["--", "a", "--", "b"], "watch", &["a", "--", "b"]),
        (&["--", "--"], "watch", &["--"]),
        (&["--restart", "never", "$HOME", "$$HOME"], "watch", &["--restart", "never", "$HOME", "$$HOME"]),
    ] {
        let document = run(words);
        assert_eq!(document["service"], name, "{words:?}");
        assert_eq!(arguments(&document), given, "{words:?}");
    }
}

/// All of these words are the program's; that they were meant to be is not likely.
#[test]
fn options_behind_a_python_spec_are_noted_with_the_line_that_was_meant() {
    let own = env!("CARGO_BIN_EXE_InstallService");
    let noted = |words: &[&str]| {
        let ran =
            Test::install().args(["--python", "/usr/bin/python3", "--dry-run", "--format", "json"]).args(words).run();
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        let notes = document["notes"].as_array().unwrap().iter().filter_map(Value::as_str);
        let own = format!("{own} --python /usr/bin/python3 --dry-run --format json ");
        let notes =
            notes.filter(|note| note.contains("the program, as all words")).map(|note| note.replace(&own, "I "));
        (arguments(&document), notes.collect::<Vec<_>>())
    };
    let (given, notes) =
        noted(&["watch:main", "/da ta", "--service_name", "watch", "--restart-sec", "2", "--start", "x"]);
    assert_eq!(given, ["/da ta", "--restart-sec", "2", "--start", "x"]);
    assert_eq!(
        notes,
        [
            "`--restart-sec 2 --start` belong to the program, as all words behind `watch:main` do; if you meant options of \
             InstallService, type `I --restart-sec 2 --start watch:main '/da ta' --service_name watch x`, and if not, a \
             `--` behind `watch:main` omits this note"
        ]
    );
    let (given, notes) = noted(&["watch:main", "--dry_run"]);
    assert_eq!(given, ["--dry_run"]);
    assert_eq!(notes.len(), 1, "{notes:?}");
    // Nobody else's options, nothing behind a `--`, and nothing that is ours there, too.
    for words in [
        &["watch:main", "--verbose", "--", "--start"][..],
        &["watch:main", "--", "--start"],
        &["watch:main", "--service_name", "w"],
        &["--service_name", "w", "--", "/bin/echo", "--start"],
    ] {
        assert_eq!(noted(words).1, [""; 0], "{words:?}");
    }
}

#[test]
fn an_executable_of_the_path_is_stored_absolute() {
    let ran = Test::install()
        .args(["--dry-run", "--service_name", "x", "--", "tool", "a"])
        .file("bin/tool", "")
        .env("PATH", "/usr/bin:/bin")
        .status(2)
        .stdout("")
        .stderr("InstallService: error: executable `tool`: there is no program of that name on PATH\n  help: give its absolute path\n")
        .run();
    let tool = ran.folder().join("bin/tool");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&tool, mode).unwrap();
    ran.then_install()
        .env("PATH", tool.parent().unwrap())
        .args(["--dry-run", "--service_name", "x", "--", "tool", "a"])
        .stdout_contains("ExecStart=:\"[TMP]/bin/tool\" \"a\"\n")
        .run();
}

#[test]
fn the_name_of_an_executable_names_the_service() {
    let document = json(Test::install().args(["--dry-run", "--format=json", "--", "/bin/true"]));
    assert_eq!(document["service"], "true");
}

#[test]
fn words_that_are_not_utf8_survive() {
    let odd = OsStr::from_bytes(b"caf\xe9");
    let ran = Test::install()
        .args(["--dry-run", "--format", "json", "--service_name", "x", "--working-directory", "/"])
        .arg(OsStr::from_bytes(b"--env=DRINK=caf\xe9"))
        .args(["--", "/bin/echo"])
        .arg(odd)
        .run();
    assert!(ran.stdout.contains(r#""hex": ""#), "{}", ran.stdout);
    Test::install()
        .args(["--dry-run", "--service_name"])
        .arg(odd)
        .args(["--", "/bin/true"])
        .status(2)
        .stderr_contains(r"error: option `--service_name` `caf\xe9`: must be UTF-8 text")
        .run();
    Test::install()
        .arg("--dry-run")
        .arg(OsStr::from_bytes(b"--env=caf\xe9=x"))
        .args(["--", "/bin/true"])
        .status(2)
        .stderr("InstallService: error: option `--env` `caf\\xe9=x`: the name of a variable must be UTF-8 text\n")
        .run();
}

#[test]
fn completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = Test::install().args(["completions", shell]).stderr("").run().stdout;
        for word in ["DataFileUploadDirectory", "dry-run", "upload_regex", "ManageService", "remove_env_vars"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
        let mut lines = script.lines().skip_while(|line| line.is_empty() || line.starts_with("using "));
        assert!(lines.all(|line| !line.starts_with("using ")), "{shell}");
    }
    let script = Test::install().args(["completions", "bash"]).run();
    let path = script.folder().join("completions.bash");
    fs::write(&path, &script.stdout).unwrap();
    // The last word of the line is completed.
    let complete = "source \"$0\"; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); compopt() { :; }; \
                    _$1 $1 \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; echo \"${COMPREPLY[@]}\"";
    for (line, completed) in [
        ("InstallService Data", "DataFileUploadDirectory DataFileDownloadDirectory"),
        ("InstallService --hardening b", "baseline"),
        (
            "InstallService DataFileUploadDirectory --restart ",
            "always on-failure never on-success on-abnormal on-abort on-watchdog no",
        ),
        ("InstallService --manifest comp", "completions.bash"),
        ("InstallService --property MemoryMa", "MemoryMax="),
        ("InstallService DataFileUploadDirectory --property Unit.OnF", "Unit.OnFailure= Unit.OnFailureJobMode="),
        ("InstallService --property Use", "UserNamespacePath="),
        ("ManageService web stop_and_re", "stop_and_remove stop_and_reinstall stop_and_restart"),
        ("ManageService web show --format m", "manifest"),
    ] {
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", complete]).arg(&path).args(line.split(' ')).current_dir(script.folder());
        let output = bash.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{completed}\n"), "{line}: {said}");
    }
}

#[test]
fn no_colour_in_a_pipe_and_none_where_nobody_wants_it() {
    for test in [dry_run(&[]), dry_run(&[]).env("TERM", "xterm-256color").env("NO_COLOR", "1")] {
        let ran = test.run();
        assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains('\x1b'));
    }
    let coloured = dry_run(&[]).env("CLICOLOR_FORCE", "1").run();
    assert!(coloured.stdout.contains("\x1b["), "{}", coloured.stdout);
    let fault = Test::install().env("CLICOLOR_FORCE", "1").args(["--", "relative/path"]).status(2).run();
    assert!(fault.stderr.contains("\x1b[1m\x1b[31merror\x1b[0m"), "{:?}", fault.stderr);
    // What a program reads has no colours, whatever is forced.
    let plain = dry_run(&["--format", "json"]).env("CLICOLOR_FORCE", "1").run();
    assert!(!plain.stdout.contains('\x1b'));
}

#[test]
fn a_reader_who_has_gone_away_is_no_error() {
    for arguments in [
        &["-h"][..],
        &["--dry-run", "--service_name", "web", "--", "/bin/true"],
        &["--dry-run", "--format=json", "--service_name", "web", "--", "/bin/true"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_InstallService"));
        let output = command.args(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", output.status);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{arguments:?}");
    }
}
