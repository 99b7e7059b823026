//! Every argument, environment value and directory reaches the program as it is, or is refused; by a
//! direct install and by the batch that cmd.exe runs.

use std::ffi::OsString;
use std::fs;
use std::os::windows::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use install_service::model::text::Text;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

use crate::bed::{NSSM, Received, install, key, nssm, probe, received_by, toml, toml_path};
use crate::corpus;
use crate::support::{Ran, difference};

/// What means something to one of the layers: cmd.exe, NSSM, a C runtime.
const OF_WINDOWS: &[&str] = &[
    "%TEMP%\\%PATH%",
    "%",
    "%%",
    "%%%",
    "100% %",
    "%a",
    "a%",
    "%PATH",
    "PATH%",
    "%=C:%",
    "%PATH:~0,3%",
    "%*",
    "%0",
    "%~f0",
    "%%i",
    "^",
    "^^",
    "^%PATH^%",
    "a^",
    "!PATH!",
    "!!",
    "a & b",
    "a&&b||c",
    "a > b < c",
    "\"a & b\"",
    "\\\"",
    "\\\\\"",
    "\\\\\\\"x",
    "x\\\\\\",
    "\"\"",
    "\"\"\"",
    "a\"b\"c d",
    "C:\\a b\\",
    "C:\\a b\\\\",
    "/c",
    "/?",
    "-?",
    "@echo off",
    "rem",
    ":label",
    "a\u{b}\u{c}b",
    "'%PATH%'",
    "%PATHEXT%",
    "%cd%",
    "%ERRORLEVEL%%",
    "%PATH:a=b%",
    "a^&b",
    "^^^&",
    "^|^",
    "(a)",
    ")",
    "a,b;c=d",
    "NUL",
    "CON",
    "\\\\server\\share\\",
    "\\\\?\\C:\\a b",
    "C:/a b/c",
    "file:///C:/a%20b%20c",
    "--x=\"a b\"",
    "-x\"",
    "\" \"",
    "a\\ b\\ ",
    "tab\tand \"quote\"\t",
    "😀%é%日",
    "goto :eof",
    "2>&1",
    "1>NUL",
];

/// Arguments one by one: the corpus, every control character, and lone surrogates.
pub(crate) fn hard() -> Vec<Text> {
    let mut texts: Vec<Text> = corpus::NASTY.iter().chain(OF_WINDOWS).map(|text| Text::from(*text)).collect();
    texts.extend((1..0x20).chain([0x7f, 0x85]).map(|c| Text::from(format!("a{}b", char::from_u32(c).unwrap()))));
    texts.extend(["\u{fffe}", "\u{fdd0}", "\u{1ffff}", "\u{10ffff}", "\u{200b}\u{200d}", "ﬀ İ ſ"].map(Text::from));
    for units in [&[0xd800][..], &[0xdfff, 0x25, 0xd83d], &[0x61, 0xdc00, 0x20, 0x22]] {
        texts.push(Text::from_bytes(OsString::from_wide(units).as_encoded_bytes()));
    }
    assert!(texts.len() >= 120, "{}", texts.len());
    texts
}

/// Values of a strategy, new ones in each run.
fn vectors(text: impl Strategy<Value = String>, count: usize) -> Vec<Vec<Text>> {
    let mut runner = TestRunner::new(Config::default());
    let strategy = prop::collection::vec(text, 20);
    let vector = |_| strategy.new_tree(&mut runner).expect("values").current();
    (0..count).map(vector).map(|texts| texts.iter().map(|text| text.as_str().into()).collect()).collect()
}

/// A service with the probe as its program, installed anew with other things.
struct Probed {
    name: String,
    program: PathBuf,
    ran: Ran,
}

impl Probed {
    fn new(name: &str) -> Self {
        let test = install();
        let program = probe(&test.folder().join("app"));
        let ran = test.arg("--version").run();
        Self { name: name.to_owned(), program, ran }
    }

    fn folder(&self) -> &Path {
        self.program.parent().unwrap()
    }

    /// The manifest of this service; it starts fast, and only when it is told to.
    fn manifest(&self, arguments: &[Text], more: &str) -> String {
        format!(
            "[[service]]\nname = '{}'\nexecutable = {}\narguments = [{}]\n{more}\n\
             [service.nssm]\nAppThrottle = '10'\nStart = 'SERVICE_DEMAND_START'\n",
            self.name,
            toml_path(&self.program),
            arguments.iter().map(toml).collect::<Vec<_>>().join(", "),
        )
    }

    fn install(&self, arguments: &[Text], more: &str) {
        let manifest = self.manifest(arguments, more);
        self.ran.then_install().file("service.toml", manifest).args(["--manifest", "service.toml"]).run();
    }

    /// The texts of the batches that install it with one list of arguments after the other.
    fn batches(&self, lists: &[Vec<Text>]) -> Vec<String> {
        let numbered = |at: usize| format!("{}-{at}", self.name);
        let named = |(at, list): (usize, &Vec<Text>)| {
            self.manifest(list, "").replace(&format!("name = '{}'", self.name), &format!("name = '{}'", numbered(at)))
        };
        let manifest: String = lists.iter().enumerate().map(named).collect();
        let state = self.ran.folder().join("working_dir");
        let test = self.ran.then_install().file("services.toml", manifest);
        test.args(["--nssm", NSSM, "--manifest", "services.toml", "--output", "out", "--state-dir"]).arg(state).run();
        let read = |at: usize| {
            let path = self.ran.folder().join("out").join(format!("install-{}.cmd", numbered(at)));
            let text = fs::read_to_string(path).expect("a batch");
            // As if it had been exported under the one name.
            ["^\"", "%~dp0", "\\"].iter().fold(text, |text, before| {
                text.replace(&format!("{before}{}", numbered(at)), &format!("{before}{}", self.name))
            })
        };
        (0..lists.len()).map(read).collect()
    }

    /// Installs it by the batch that its manifest gives.
    fn install_by_batch(&self, manifest: &str) {
        let state = self.ran.folder().join("working_dir");
        let test = self.ran.then_install().file("service.toml", manifest);
        test.args(["--nssm", NSSM, "--manifest", "service.toml", "--output", "out", "--state-dir"]).arg(state).run();
        let batch = self.ran.folder().join("out").join(format!("install-{}.cmd", self.name));
        let output = crate::bed::run(&mut std::process::Command::new(&batch));
        assert!(output.status.success(), "{output:?}\n{}", fs::read_to_string(batch).unwrap_or_default());
    }

    /// What NSSM keeps of the arguments, behind the words that RunService reads.
    fn stored(&self) -> Text {
        let parameters = key(&self.name).unwrap().open_subkey("Parameters").unwrap();
        let all: OsString = parameters.get_value("AppParameters").unwrap();
        let output = self.ran.folder().join("working_dir").join(format!("{}_output.log", self.name));
        let own = format!("\"{}\" \"{}\" \"{}\"", self.name, output.display(), self.program.display());
        let all = all.as_encoded_bytes();
        Text::from_bytes(all.strip_prefix(own.as_bytes()).unwrap_or_else(|| panic!("{own} in {all:?}")))
    }

    fn receives(&self) -> Received {
        received_by(&self.name, self.folder())
    }

    fn remove(self) {
        self.ran.then_manage().args([&self.name, "remove"]).run();
    }
}

#[track_caller]
pub(crate) fn same(expected: &[Text], got: &[Text]) {
    let lines = |texts: &[Text]| texts.iter().map(|text| format!("{}\n", toml(text))).collect::<String>();
    if let Some(difference) = difference("arguments", &lines(expected), &lines(got)) {
        panic!("{difference}");
    }
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn hard_arguments_by_a_direct_install() {
    let service = Probed::new("exact-hard");
    let hard = hard();
    println!("figures: {} hard arguments by a direct install", hard.len());
    for arguments in hard.chunks(hard.len().div_ceil(4)) {
        service.install(arguments, "");
        same(arguments, &service.receives().argv[1..]);
    }
    // None, one that is empty, nearly as much as RunService leaves room for, and as much as NSSM takes.
    for arguments in [vec![], vec!["".into()], vec!["x".repeat(16_000).into()], vec![Text::from("x".repeat(16_380))]] {
        service.install(&arguments, "");
        same(&arguments, &service.receives().argv[1..]);
    }
    service.remove();
}

/// The lines of a batch up to the first call of NSSM, and those that set the arguments; all of them
/// when it is the first.
fn short(batch: &str) -> String {
    let is_call = |line: &&str| line.contains(r"\nssm.exe") && line.contains("^\"");
    let start: String = batch.lines().take(4).map(|line| format!("{line}\r\n")).collect();
    // Where there is RunService.
    let set = batch.lines().rfind(|line| is_call(line) && line.contains("^\"AppParameters^\"")).expect("a line");
    format!("{start}{set}\r\nif %errorlevel% neq 0 exit /b %errorlevel%\r\nexit /b 0\r\n")
}

/// By a direct install, and by the batch; the registry has the very same bytes, and the program the
/// very same words.
fn both_ways(name: &str, lists: &[Vec<Text>]) {
    let (direct, batched) = (Probed::new(name), Probed::new(&format!("{name}-batch")));
    for (at, (arguments, text)) in lists.iter().zip(batched.batches(lists)).enumerate() {
        direct.install(arguments, "");
        same(arguments, &direct.receives().argv[1..]);

        let path = batched.ran.folder().join("out").join(format!("install-{}.cmd", batched.name));
        let receipt = path.with_file_name(format!("{}_install_args.toml", batched.name));
        fs::copy(path.with_file_name(format!("{}-{at}_install_args.toml", batched.name)), receipt).expect("a receipt");
        // All of it once; then what differs.
        fs::write(&path, if at == 0 { text.clone() } else { short(&text) }).expect("a batch");
        let output = crate::bed::run(&mut std::process::Command::new(&path));
        assert!(output.status.success(), "{output:?}\n{text}");
        assert_eq!(batched.stored(), direct.stored(), "{text}");
        same(arguments, &batched.receives().argv[1..]);
    }
    direct.remove();
    batched.remove();
}

/// What a batch can say.
fn speakable(text: &Text) -> bool {
    text.as_str().is_some_and(|text| !text.contains(|c: char| c.is_control() && c != '\t' || c == '\u{ffff}'))
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn hard_arguments_both_ways() {
    let hard: Vec<Text> = hard().into_iter().filter(speakable).collect();
    println!("figures: {} hard arguments by a direct install and by the batch", hard.len());
    assert!(hard.len() >= 120, "{}", hard.len());
    let lists: Vec<Vec<Text>> = hard.chunks(hard.len().div_ceil(4)).map(<[Text]>::to_vec).collect();
    both_ways("exact-both", &lists);
}

/// A part of the 40 vectors, because they take long one after the other.
fn ten_random_vectors_both_ways(name: &str) {
    let text =
        corpus::text().prop_map(|text| text.replace(|c: char| c.is_control() && c != '\t' || c == '\u{ffff}', "_"));
    let vectors = vectors(text, 10);
    println!("figures: {} random vectors of 20 arguments by a direct install and by the batch", vectors.len());
    both_ways(name, &vectors);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn random_arguments_both_ways_1_of_4() {
    ten_random_vectors_both_ways("exact-random-1");
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn random_arguments_both_ways_2_of_4() {
    ten_random_vectors_both_ways("exact-random-2");
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn random_arguments_both_ways_3_of_4() {
    ten_random_vectors_both_ways("exact-random-3");
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn random_arguments_both_ways_4_of_4() {
    ten_random_vectors_both_ways("exact-random-4");
}

/// With the characters that a batch cannot say.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn random_arguments_by_a_direct_install() {
    let service = Probed::new("exact-controls");
    for arguments in vectors(corpus::text().prop_filter("NSSM", |text| !text.contains('\u{ffff}')), 10) {
        service.install(&arguments, "");
        same(&arguments, &service.receives().argv[1..]);
    }
    service.remove();
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn environment_values() {
    let service = Probed::new("exact-environment");
    let plain = |text: &Text| {
        let valid = text.as_str().unwrap_or("x");
        !valid.contains(|c: char| c.is_control() && c != '\t')
            // `%NAME%` is a variable there.
            && !valid.rsplit('%').skip(1).any(|name| !name.is_empty() && valid.contains(&format!("%{name}%")))
            && !text.is_empty()
    };
    let mut values: Vec<Text> = hard().into_iter().filter(plain).collect();
    for vector in vectors(corpus::text().prop_filter("NSSM", |text| !text.contains('\u{ffff}')), 4) {
        values.extend(vector.into_iter().filter(plain));
    }
    values.push("".into());
    assert!(values.len() > 100, "{}", values.len());
    let name = |at: usize| format!("V_{at}");
    let table = |values: &[Text]| {
        let entries = values.iter().enumerate().map(|(at, value)| format!("{} = {}", name(at), toml(value)));
        format!("environment = {{ {} }}", entries.collect::<Vec<_>>().join(", "))
    };
    let got = |service: &Probed, count: usize| -> Vec<Text> {
        let received = service.receives();
        (0..count).map(|at| received.variable(&name(at)).unwrap_or_else(|| "(none)".into())).collect()
    };
    service.install(&[], &table(&values));
    same(&values, &got(&service, values.len()));
    // A line of a batch has its limit.
    let batched = Probed::new("exact-environment-batch");
    let sayable: Vec<Text> = values.iter().filter(|value| speakable(value)).cloned().collect();
    println!("figures: {} environment values by a direct install, {} by the batch", values.len(), sayable.len());
    for values in sayable.chunks(sayable.len().div_ceil(5)) {
        batched.install_by_batch(&batched.manifest(&[], &table(values)));
        same(values, &got(&batched, values.len()));
    }
    batched.remove();
    // Names that are no identifiers, and the PATH with a folder in front.
    service.install(
        &[],
        "environment = { \"with space\" = \"1\", \"ünï\" = \"2\", \"a-b.c(d)\" = \"3\" }\npath = ['C:\\Program Files']",
    );
    let received = service.receives();
    for (name, value) in [("with space", "1"), ("ünï", "2"), ("a-b.c(d)", "3")] {
        assert_eq!(received.variable(name), Some(value.into()), "{name}");
    }
    let path = received.environment.iter().find(|entry| entry.to_string().to_lowercase().starts_with("path=")).unwrap();
    assert!(path.to_string()["path=".len()..].starts_with(r"C:\Program Files;C:\windows\system32;"), "{path}");
    service.remove();
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn directories_and_programs() {
    let service = Probed::new("exact-directories");
    let names =
        ["with blanks", "50% off", "a&b ^ (c) !d!", "é日本😀", "it's;a,b=c", "%one", "trailing [x]", "$HOME @ #{}~`"];
    println!("figures: {} directories by a direct install, and by the batch", names.len());
    for (name, by_batch) in names.into_iter().flat_map(|name| [(name, false), (name, true)]) {
        let folder = service.ran.folder().join("folders").join(name);
        let program = probe(&folder.join("bin"));
        let manifest = service.manifest(&["x".into()], &format!("working_directory = {}", toml_path(&folder)));
        let manifest = manifest.replace(&toml_path(&service.program), &toml_path(&program));
        if by_batch {
            // It has to bring everything that the direct install has just set.
            nssm(&["remove", &service.name, "confirm"]);
            service.install_by_batch(&manifest);
        } else {
            service.ran.then_install().file("service.toml", manifest).args(["--manifest", "service.toml"]).run();
        }
        let received = received_by(&service.name, program.parent().unwrap());
        assert_eq!(received.cwd, Text::from_bytes(folder.as_os_str().as_encoded_bytes()));
        assert_eq!(received.argv, [Text::from_bytes(program.as_os_str().as_encoded_bytes()), "x".into()]);
    }
    service.remove();
}

/// What cannot be carried is refused, with the layer and the reason, and nothing else is.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn what_cannot_be_carried_is_refused() {
    let service = Probed::new("exact-refused");
    let refused = |arguments: &[Text], more: &str, output: bool, expected: &str| {
        let test = service.ran.then_install().file("service.toml", service.manifest(arguments, more));
        let test = test.args(["--manifest", "service.toml"]).status(2).stderr_contains(expected);
        if output {
            test.args(["--no-nssm", "--output", "out"]).run()
        } else {
            test.run()
        };
    };
    refused(&["a\u{ffff}".into()], "", false, "argument 1: contains U+FFFF, which NSSM cannot carry: NSSM stops at it");
    refused(&["x".repeat(16_381).into()], "", false, "beyond 16382 NSSM starts the program without any arguments");
    let environment = |value: &str| format!("environment = {{ A = {value} }}");
    refused(
        &[],
        &environment("\"a%PATH%b\""),
        false,
        "contains `%PATH%`, which NSSM cannot carry: it is replaced by the value",
    );
    refused(
        &[],
        &environment("\"a\\nb\""),
        false,
        "contains U+000A, which NSSM cannot carry: a variable there is one line",
    );
    let two = "environment = { A = \"\", B = \"\" }";
    refused(&[], two, false, "`B`: is the second empty one, which NSSM cannot carry: NSSM drops what stands behind");
    let batch = |text: Text, expected: &str| {
        refused(std::slice::from_ref(&text), "", true, expected);
        // The direct install carries it.
        service.install(std::slice::from_ref(&text), "");
        same(&[text], &service.receives().argv[1..]);
    };
    batch(
        "a\nb".into(),
        "the arguments: contains U+000A, which a command batch cannot carry: a command there is one line",
    );
    batch("a\u{1a}b".into(), "contains U+001A, which a command batch cannot carry");
    batch(
        Text::from_bytes(*b"\xed\xa0\x80"),
        "contains a lone surrogate, which a command batch cannot carry: it is UTF-8",
    );
    batch("x".repeat(8000).into(), "which a command batch cannot carry: cmd.exe cuts a line after 8191");
    for (program, expected) in [
        (r"C:\a.bat", "the service: needs RunService for a batch file, which NSSM cannot carry: RunService.exe is not"),
        (r"C:\%a%\b.exe", "the executable: contains two `%`, which NSSM cannot carry: what stands between them"),
    ] {
        let manifest = format!("[[service]]\nname = 'x'\nexecutable = '{program}'\n");
        let test = service.ran.then_install().file("service.toml", manifest).args(["--manifest", "service.toml"]);
        test.args(["--no-nssm", "--output", "out"]).status(2).stderr_contains(expected).run();
    }
    assert_eq!(nssm(&["status", "x"]).0, 3);
    service.remove();
}
