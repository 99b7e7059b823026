//! `discover`: a catalog from a Python environment.

#[path = "../support/mod.rs"]
mod support;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use install_service::catalog::discover::{self, Discovered};
use install_service::catalog::{ArgKind, ArgSpec, Arity, Catalog, Program, SHIPPED};
use support::{Test, runs, wait_for};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/discover")
}

fn fixture(name: &str) -> String {
    fs::read_to_string(fixtures().join(name)).unwrap()
}

/// Runs the script as the tool does.
fn ask(python: &Path, arguments: &[&str]) -> String {
    let output = Command::new(python)
        .args(["-c", discover::SCRIPT])
        .args(arguments)
        .env("PYTHONPATH", fixtures().join("package"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn gadgets() -> Discovered {
    discover::parse_answer(&fixture("gadgets.json")).unwrap()
}

#[test]
fn the_catalog_of_an_answer_reads_back_the_same() {
    let discovered = gadgets();
    let toml = discovered.to_toml();
    assert_eq!(Catalog::parse(&toml, "gadgets.toml").unwrap_or_else(|e| panic!("{e}\n{toml}")), discovered.catalog);
    assert_eq!(toml, gadgets().to_toml(), "the same answer gives the same text");
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(fixtures().join("gadgets.toml"), &toml).unwrap();
    }
    assert_eq!(toml, fixture("gadgets.toml"), "UPDATE_GOLDEN=1 rewrites it");
}

#[test]
fn what_is_skipped_is_named_with_the_reason() {
    let skipped: Vec<String> = gadgets().skipped.iter().map(ToString::to_string).collect();
    let expected = [
        "`gadget-commands`: it has sub-commands (start, stop), which a catalog cannot describe",
        "`gadget-crash`: it cannot be imported: RuntimeError: no licence found",
        "`gadget-exit`: it ended without asking argparse for its arguments",
        "`gadget-hang`: it did not come to its arguments within 3 seconds",
        "`gadget-module`: its entry point names no function",
        "`gadget-needy`: `last` must be given, but `sources` before it need not be",
        "`gadget-plain`: it does not use argparse",
        "`gadget-raise`: it failed before it asked argparse for its arguments: ValueError: no display",
        "argument `-single` of `gadget-serve`: a flag written `-single` is not supported",
        "argument `rest` of `gadget-serve`: taking all the rest of the command line (REMAINDER) is not supported",
        "`gadget-typo`: it cannot be imported: AttributeError: module 'gadgets' has no attribute 'serev'",
    ];
    assert_eq!(skipped, expected, "{skipped:#?}");
}

#[test]
fn arguments_come_out_as_argparse_has_them() {
    let discovered = gadgets();
    let serve = discovered.catalog.find("gadget-serve").unwrap();
    let get = |name: &str| serve.argument(name).unwrap_or_else(|| panic!("no `{name}` in {serve:#?}"));
    assert_eq!((serve.about.as_str(), serve.entry.to_string().as_str()), ("Serves a directory.", "gadgets:serve"));
    assert!(serve.arguments.iter().all(|spec| spec.name != "help" && spec.name != "version"));
    assert_eq!((get("pair").arity, get("pair").required), (Arity::Exactly(2), true));
    assert_eq!((get("extra").arity, get("extra").required), (Arity::Any, false));
    assert_eq!((get("names").arity, &get("names").default), (Arity::Some, &None));
    assert_eq!((get("maybe").arity, get("maybe").default.as_deref()), (Arity::Optional, Some("no")));
    assert_eq!(get("port").help, "where, by default 8080");
    assert_eq!(get("port").flags, ["-p", "--port"]);
    assert_eq!((get("tag").repeat, get("verbose").repeat, get("verbose").kind), (true, true, ArgKind::Flag));
    assert_eq!(
        (get("cache").flags.as_slice(), get("no_cache").flags.as_slice()),
        (["--cache".to_owned()].as_slice(), ["--no-cache".to_owned()].as_slice(),)
    );
    assert_eq!((get("fast").kind, get("slow").kind), (ArgKind::Flag, ArgKind::Flag));
    assert_eq!((get("api_key").kind, &get("api_key").default), (ArgKind::Secret, &None));
    assert_eq!(get("token_file").kind, ArgKind::String);
    assert_eq!((get("must").required, &get("must").default), (true, &None));
    assert_eq!((get("bad_size").kind, &get("bad_size").default), (ArgKind::PowerOfTwo, &None));
    assert_eq!(get("pattern").default.as_deref(), Some(r"\.txt$"));
    assert_eq!(get("host").group.as_deref(), Some("Network"));
    assert_eq!(get("object").help, "100% of its own making");
    assert!(!fixture("gadgets.toml").contains("do-not-tell"), "a secret's default stays out");
    let method = discovered.catalog.find("gadget-method").unwrap();
    assert_eq!(method.about, "gadget-method is a method.");
    assert_eq!(method.arguments[0].choices, ["1", "2", "3"]);
}

#[test]
fn an_answer_that_is_none_is_refused() {
    for text in ["", "[]", "{}", "hello {\"scripts\": []}", r#"{"scripts": [{"name": 1}]}"#] {
        let error = discover::parse_answer(text).unwrap_err().to_string();
        assert!(error.starts_with("the Python environment gave an answer that cannot be read: "), "{error}");
    }
    let empty = discover::parse_answer(r#"{"scripts": []}"#).unwrap();
    assert_eq!(empty.catalog, Catalog::default());
}

#[test]
fn an_odd_script_is_skipped_and_not_the_rest() {
    let script = |name: &str, entry: &str| format!(r#"{{"name": "{name}", "entry": "{entry}"}}"#);
    let scripts = [script("good", "a.b:main"), script("bad name", "a:b"), script("bad-entry", "a-b:c")].join(",");
    let found = discover::parse_answer(&format!(r#"{{"scripts": [{scripts}]}}"#)).unwrap();
    assert_eq!(found.catalog.programs.keys().collect::<Vec<_>>(), ["good"]);
    assert_eq!(found.skipped.len(), 2, "{:#?}", found.skipped);
}

/// The script is put together from two files with `'''` around the first.
#[test]
fn the_script_holds_together() {
    assert_eq!(discover::SCRIPT.matches("'''").count(), 2);
    // The longest command line of Windows is 32767 characters.
    assert!(discover::SCRIPT.len() < 30_000);
}

#[test]
#[ignore = "needs python3: tests/run"]
fn a_package_of_every_oddity_gives_the_captured_answer() {
    let answer = ask(Path::new("python3"), &["gadgets", "--timeout", "3"]);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(fixtures().join("gadgets.json"), &answer).unwrap();
    }
    assert_eq!(discover::parse_answer(&answer).unwrap(), gadgets());
    let everything = discover::parse_answer(&ask(Path::new("python3"), &["--timeout", "3"])).unwrap();
    assert_eq!(everything.catalog.name, None);
    assert_eq!(everything.catalog.find("gadget-serve"), gadgets().catalog.find("gadget-serve"));
}

#[test]
#[ignore = "needs python3: tests/run"]
fn an_unknown_package_is_an_error() {
    let output = Command::new("python3").args(["-c", discover::SCRIPT, "no-such-package"]).output().unwrap();
    assert!(!output.status.success());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.starts_with("the package no-such-package is not installed for "), "{stderr}");
    assert!(output.stdout.is_empty());
}

/// An environment with the package of every oddity, and a further console script of this source.
fn environment_with(folder: &Path, source: &str) -> PathBuf {
    let environment = folder.join("environment");
    let made = Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(&environment).status().unwrap();
    assert!(made.success());
    let python = environment.join("bin/python");
    let site = Command::new(&python).args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]).output();
    let site = PathBuf::from(String::from_utf8(site.unwrap().stdout).unwrap().trim());
    let info = site.join("odd-1.0.dist-info");
    fs::create_dir_all(&info).unwrap();
    fs::write(info.join("METADATA"), "Metadata-Version: 2.1\nName: odd\nVersion: 1.0\nSummary: odd\n").unwrap();
    fs::write(info.join("entry_points.txt"), "[console_scripts]\nodd = odd:main\n").unwrap();
    let main = "\nimport argparse\ndef main():\n    argparse.ArgumentParser().parse_args()\n";
    fs::write(site.join("odd.py"), format!("{source}{main}")).unwrap();
    python
}

/// Where the caller is, what the caller's PYTHONPATH names and the caller's own packages.
#[test]
#[ignore = "needs python3: tests/run"]
fn no_module_of_the_caller_is_run() {
    let mut test = Test::install().cwd("typed");
    let folder = test.folder().to_owned();
    let python = environment_with(&folder, "");
    let version =
        Command::new("python3").args(["-c", "import sys; print('python%d.%d' % sys.version_info[:2])"]).output();
    let version = String::from_utf8(version.unwrap().stdout).unwrap();
    let mark = format!("open({:?}, 'a').close()\n", folder.join("mark").to_str().unwrap());
    for place in ["typed", "path", &format!("home/.local/lib/{}/site-packages", version.trim())] {
        for module in ["concurrent", "json", "os", "importlib", "argparse", "sitecustomize", "usercustomize", "odd"] {
            test = test.file(format!("{place}/{module}.py"), &mark);
        }
    }
    let test = test.env("PYTHONPATH", folder.join("path")).env("PYTHONUSERBASE", folder.join("home/.local"));
    test.args(["discover", "--python"]).arg(python).stdout_contains("name = \"odd\"").run();
    assert!(!folder.join("mark").exists());
}

#[test]
#[ignore = "needs python3: tests/run"]
fn what_console_scripts_leave_behind_is_ended() {
    let source = "import os\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        \
                  os.execvp('sleep', ['sleep', '300.21'])\n    os._exit(0)\n";
    let test = Test::install();
    let python = environment_with(test.folder(), source);
    let test = test.args(["discover", "--python"]).arg(python).arg("odd").stdout_contains("name = \"odd\"");
    let said =
        "note: asking the console scripts for their arguments left processes running, which were ended: `sleep`\n";
    test.stderr_contains(said).run();
    assert!(!runs("sleep 300.21"));
}

#[test]
#[ignore = "needs python3: tests/run"]
fn an_interrupt_ends_console_scripts() {
    let source = "import subprocess\nsubprocess.Popen(['sleep', '300.22'], start_new_session=True).wait()\n";
    for signal in ["INT", "TERM"] {
        let test = Test::install();
        let python = environment_with(test.folder(), source);
        let run = test.args(["discover", "--python"]).arg(python).status(130).spawn();
        wait_for("the console script", 20, || runs("sleep 300.22").then_some(()));
        run.signal(signal);
        run.end();
        assert!(!runs("sleep 300.22"), "{signal}");
    }
}

/// The shipped catalog, argument by argument, against what the real package says about itself. What
/// is compared is what decides whether a command line is right; texts and headings are our own.
#[test]
#[ignore = "needs OpenMSIStream 1.8.8 from PyPI: tests/run"]
fn the_shipped_catalog_is_what_openmsistream_says() {
    let python = env::var_os("OMSI_PYTHON").expect("OMSI_PYTHON is the interpreter OpenMSIStream is installed for");
    let found = discover::parse_answer(&ask(Path::new(&python), &["openmsistream"])).unwrap();
    let shipped = Catalog::parse(SHIPPED, "shipped").unwrap();
    assert_eq!((&found.catalog.name, &found.catalog.version), (&shipped.name, &shipped.version));
    Catalog::parse(&found.to_toml(), "discovered").unwrap();

    let mut differences = Vec::new();
    for program in shipped.programs.values() {
        match found.catalog.find(&program.name) {
            Some(real) => compare(program, real, &mut differences),
            None => differences.push(format!("{} is not there any more", program.name)),
        }
    }
    assert!(differences.is_empty(), "shipped (-) and real (+) differ:\n{}", differences.join("\n"));
}

fn compare(shipped: &Program, real: &Program, differences: &mut Vec<String>) {
    if shipped.entry != real.entry {
        differences.push(format!("{}\n  - {}\n  + {}", shipped.name, shipped.entry, real.entry));
    }
    let positionals = |program: &Program| program.positionals().map(|spec| spec.name.clone()).collect::<Vec<_>>();
    if positionals(shipped) != positionals(real) {
        differences.push(format!("{}\n  - {:?}\n  + {:?}", shipped.name, positionals(shipped), positionals(real)));
    }
    let names = shipped.arguments.iter().chain(&real.arguments).map(|spec| spec.name.as_str());
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let facts = |program: &Program| program.argument(name).map_or("(missing)".to_owned(), facts);
        let (ours, theirs) = (facts(shipped), facts(real));
        if ours != theirs {
            differences.push(format!("{} {name}\n  - {ours}\n  + {theirs}", shipped.name));
        }
    }
}

/// Everything about an argument but its texts and its place in the help.
fn facts(spec: &ArgSpec) -> String {
    let ArgSpec { name: _, flags, kind, required, default, choices, arity, repeat, .. } = spec;
    let ArgSpec { help: _, metavar: _, group: _, package_dir, suffix, .. } = spec;
    format!(
        "flags {flags:?}, kind {kind}, required {required}, default {default:?}, choices {choices:?}, \
         arity {arity}, repeat {repeat}, package_dir {package_dir:?}, suffix {suffix:?}"
    )
}

#[test]
#[ignore = "needs python3: tests/run"]
fn a_broken_package_says_nothing_about_the_others() {
    let folder = tempfile::tempdir().unwrap();
    for (package, points) in [("broken", &b"[console_scripts]\n\xff"[..]), ("whole", b"[console_scripts]\na = b:c\n")] {
        let info = folder.path().join(format!("{package}-1.0.dist-info"));
        fs::create_dir(&info).unwrap();
        fs::write(info.join("METADATA"), format!("Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")).unwrap();
        fs::write(info.join("entry_points.txt"), points).unwrap();
    }
    let asked =
        Command::new("python3").args(["-c", discover::SCRIPT]).env("PYTHONPATH", folder.path()).output().unwrap();
    assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
    let found = discover::parse_answer(&String::from_utf8(asked.stdout).unwrap()).unwrap();
    let skipped: Vec<String> = found.skipped.iter().map(ToString::to_string).collect();
    let says = |part: &str| skipped.iter().any(|line| line.contains(part));
    assert!(says("broken-1.0.dist-info`: its console scripts cannot be read: UnicodeDecodeError"), "{skipped:#?}");
    assert!(says("`a`: it cannot be imported: ModuleNotFoundError"), "{skipped:#?}");
}
