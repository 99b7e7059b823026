//! The catalog: what is read, what is refused and with which words, and what the shipped one holds.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use install_service::catalog::{ArgKind, ArgSpec, Catalog, EntryPoint, SHIPPED};
use proptest::prelude::*;

fn shipped() -> Catalog {
    Catalog::parse(SHIPPED, "shipped").unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_shipped_catalog_is_the_same_in_json() {
    let wanted: serde_json::Value = toml::from_str(SHIPPED).unwrap();
    let wanted = wanted.to_string() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalog/openmsistream.json");
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap_or_default(),
        wanted,
        "UPDATE_GOLDEN=1 cargo test --test suite catalog writes it anew, and a build takes it"
    );
    assert_eq!(Catalog::shipped(), shipped());
}

fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/catalogs").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

#[test]
fn good_catalogs_are_read_and_written() {
    for path in fixtures("ok") {
        let catalog =
            Catalog::parse(&fs::read_to_string(&path).unwrap(), "ok").unwrap_or_else(|e| panic!("{path:?}: {e}"));
        let text = catalog.to_toml();
        assert_eq!(Catalog::parse(&text, "again").unwrap_or_else(|e| panic!("{e}\n{text}")), catalog, "{path:?}");
    }
    assert_eq!(Catalog::parse(&shipped().to_toml(), "again").unwrap(), shipped());
}

#[test]
fn broken_catalogs_are_refused_with_line_and_key() {
    for path in fixtures("broken") {
        let text = fs::read_to_string(&path).unwrap();
        let message = match Catalog::parse(&text, path.file_name().unwrap().to_str().unwrap()) {
            Ok(catalog) => panic!("{path:?} is read: {catalog:#?}"),
            Err(error) => format!("{error}\n"),
        };
        let golden = path.with_extension("stderr");
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &message).unwrap();
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(message, expected, "{path:?}; UPDATE_GOLDEN=1 rewrites it");
    }
}

#[test]
fn keys_mean_what_the_documentation_says() {
    let path = fixtures("ok").into_iter().find(|path| path.ends_with("every_key.toml")).unwrap();
    let catalog = Catalog::parse(&fs::read_to_string(path).unwrap(), "every_key").unwrap();
    let program = catalog.find("kinds").unwrap();
    let get = |name: &str| program.argument(name).unwrap_or_else(|| panic!("no `{name}`"));
    assert_eq!(get("level").help, "Takes the place of the one in the set.");
    assert_eq!((get("quiet").group.as_deref(), get("tag").group.as_deref()), (Some("Output"), None));
    let shared = catalog.find("every.key_1").unwrap().argument("level").unwrap();
    assert_eq!((shared.group.as_deref(), shared.default.as_deref()), (Some("Logging"), Some("20")));
    assert_eq!((get("first").required, get("count").required, get("size").required), (true, true, false));
    assert_eq!((get("many").value_name(), get("first").value_name()), ("PLACE", "FILE"));
    assert_eq!(get("perhaps").flags, ["--maybe"]);
    let defaults = ["offset", "seconds", "size", "mode"].map(|name| get(name).default.clone().unwrap());
    assert_eq!(defaults, ["-3", "0.5", "1024", "3"]);
    let arguments = || catalog.programs.values().flat_map(|program| &program.arguments);
    let unused = ArgKind::ALL.into_iter().find(|kind| arguments().all(|spec| spec.kind != *kind));
    assert_eq!(unused, None, "the file shows every kind");
}

#[test]
fn a_later_catalog_wins() {
    let mut catalog = shipped();
    let text = "[catalog]\nname = \"mine\"\n[[program]]\nname = \"DataFileUploadDirectory\"\nabout = \"Mine.\"\n\
                executable = \"/bin/mine\"\n[[program]]\nname = \"Mine\"\nabout = \"New.\"\npython = \"m:f\"\n";
    catalog.merge(Catalog::parse(text, "mine.toml").unwrap());
    assert_eq!(catalog.find("DataFileUploadDirectory").unwrap().entry, EntryPoint::Executable("/bin/mine".into()));
    assert_eq!(catalog.programs.keys().next().unwrap(), "DataFileUploadDirectory", "it keeps its place");
    assert!(catalog.find("Mine").is_some() && catalog.find("S3TransferStreamProcessor").is_some());
    assert_eq!(catalog.name.as_deref(), Some("openmsistream"));
    assert_eq!(catalog.suggest("datafileuploaddirectory"), Some("DataFileUploadDirectory"));
    assert_eq!(catalog.suggest("S3TransferStreamProccesor"), Some("S3TransferStreamProcessor"));
    assert_eq!(catalog.suggest("nginx"), None);
}

#[test]
fn the_shipped_catalog_is_sound() {
    let catalog = shipped();
    assert_eq!((catalog.name.as_deref(), catalog.version.as_deref()), (Some("openmsistream"), Some("1.8.8")));
    let names: Vec<&String> = catalog.programs.keys().collect();
    let services = ["Upload", "Download"].map(|word| format!("DataFile{word}Directory"));
    let others = ["S3Transfer", "GirderUpload"].map(|word| format!("{word}StreamProcessor"));
    assert_eq!(names, services.iter().chain(&others).collect::<Vec<_>>());
    for program in catalog.programs.values() {
        assert!(is_a_sentence(&program.about), "{}: {}", program.name, program.about);
        assert!(matches!(program.entry, EntryPoint::Python(_)));
        for spec in &program.arguments {
            let place = format!("{} {}", program.name, spec.name);
            assert!(is_a_sentence(&spec.help), "{place}: {}", spec.help);
            assert!(!spec.help.contains(['`', '\n']), "{place} is shown as plain text");
            assert!(spec.help.len() < 220, "{place} is too long to read");
            if let Some(default) = &spec.default {
                spec.check(default).unwrap_or_else(|reason| panic!("{place}: {reason}"));
            }
            assert_eq!(
                spec.kind == ArgKind::ConfigFile,
                spec.package_dir.is_some() && spec.suffix.is_some(),
                "{place}"
            );
        }
    }
}

/// Begins with a capital letter, ends with a full stop, and says more than a word or two.
fn is_a_sentence(text: &str) -> bool {
    text.starts_with(char::is_uppercase) && text.ends_with('.') && text.split(' ').count() > 4
}

#[test]
fn kinds_take_what_the_program_takes() {
    for (kind, good, bad) in KINDS {
        for value in *good {
            assert_eq!(kind.check(value), Ok(()), "{kind} {value:?}");
        }
        for (value, reason) in *bad {
            assert_eq!(kind.check(value), Err((*reason).to_owned()), "{kind} {value:?}");
        }
    }
    let covered: Vec<ArgKind> = KINDS.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(covered, ArgKind::ALL);
}

type Bad = (&'static str, &'static str);

/// Every kind, values it takes, and values it does not take with what is said about them.
const KINDS: &[(ArgKind, &[&str], &[Bad])] = &[
    (ArgKind::String, &["", "x", "$HOME", "ä\n\t\"'\\"], &[]),
    (ArgKind::Path, &["/x", "relative", "C:\\x"], &[]),
    (ArgKind::ExistingDir, &["/x"], &[]),
    (ArgKind::ExistingFile, &["/x"], &[]),
    (ArgKind::CreateDir, &["/x"], &[]),
    (ArgKind::ConfigFile, &["test", "/x.config"], &[]),
    (
        ArgKind::Int,
        &["0", "-0", "300", "+7", "-3", "007", "1_000", " 5\t", "99999999999999999999999999999999999999999"],
        &[
            ("", "`` is not a whole number: write digits only, such as 300"),
            ("1.0", "`1.0` is not a whole number: write digits only, such as 300"),
            ("1e3", "`1e3` is not a whole number: write digits only, such as 300"),
            ("0x10", "`0x10` is not a whole number: write digits only, such as 300"),
            ("1__0", "`1__0` is not a whole number: write digits only, such as 300"),
            ("_1", "`_1` is not a whole number: write digits only, such as 300"),
            ("1_", "`1_` is not a whole number: write digits only, such as 300"),
            ("--1", "`--1` is not a whole number: write digits only, such as 300"),
            ("- 1", "`- 1` is not a whole number: write digits only, such as 300"),
            ("+", "`+` is not a whole number: write digits only, such as 300"),
            ("five", "`five` is not a whole number: write digits only, such as 300"),
        ],
    ),
    (
        ArgKind::PositiveInt,
        &["1", "+1", "0010", "500"],
        &[
            ("0", "`0` is not positive: write 1 or more"),
            ("-00", "`-00` is not positive: write 1 or more"),
            ("-2", "`-2` is not positive: write 1 or more"),
            ("2.5", "`2.5` is not a whole number: write digits only, such as 300"),
        ],
    ),
    (
        ArgKind::PositiveFloat,
        &["0", "0.0", "-0.0", "5", "5.", ".5", "1e3", "1E-3", "+2", " 60.0 ", "1_000.5"],
        &[
            ("-0.1", "`-0.1` is negative: write 0 or more"),
            ("inf", "`inf` is not a finite number"),
            ("NaN", "`NaN` is not a finite number"),
            ("1e999", "`1e999` is not a finite number"),
            ("", "`` is not a number: write something like 5 or 0.5"),
            ("1,5", "`1,5` is not a number: write something like 5 or 0.5"),
            ("5s", "`5s` is not a number: write something like 5 or 0.5"),
            ("1_.5", "`1_.5` is not a number: write something like 5 or 0.5"),
        ],
    ),
    (
        ArgKind::PowerOfTwo,
        &["1", "2", "524288", "1_024", "170141183460469231731687303715884105728"],
        &[
            ("1000", "`1000` is not a power of two: write 512 or 1024"),
            ("3", "`3` is not a power of two: write 2 or 4"),
            ("0", "`0` is not a power of two: write 1, 2, 4, 8 and so on"),
            ("-2", "`-2` is not a power of two: write 1, 2, 4, 8 and so on"),
            (
                "999999999999999999999999999999999999999999",
                "`999999999999999999999999999999999999999999` is not a power of two: write 1, 2, 4, 8 and so on",
            ),
            ("2k", "`2k` is not a whole number: write digits only, such as 300"),
        ],
    ),
    (
        ArgKind::Regex,
        &[
            "",
            ".*",
            r"^((?!(\.|.*.log))).*$",
            r"(?P<year>\d{4})-(?P=year)",
            r"(a)(?(1)b|c)",
            "(?#comment)x",
            "[[]",
            "[]]",
            "[^]]",
            "[a&&b~~c]",
            "a{,3}",
            "a{",
            "}]",
            "(?>a)b*+",
            r"\N{DIGIT ONE}",
            r"(?=x)*",
            r"(?:)*",
            r"x\Z",
            r"(?x) a # ( comment",
        ],
        &[
            (
                "*.txt",
                "`*.txt` is not a regular expression: there is nothing before a `*`, `+`, `?` or `{` to repeat; for any text write `.*`",
            ),
            ("(a|b", "`(a|b` is not a regular expression: a `(` is never closed; for the character itself write `\\(`"),
            ("a)b", "`a)b` is not a regular expression: a `)` closes nothing; for the character itself write `\\)`"),
            ("[a-z", "`[a-z` is not a regular expression: a `[` is never closed; for the character itself write `\\[`"),
            ("[]", "`[]` is not a regular expression: a `[` is never closed; for the character itself write `\\[`"),
            (
                r"data\",
                r"`data\` is not a regular expression: it ends with a single backslash; for the character itself write `\\`",
            ),
        ],
    ),
    (ArgKind::Choice, &["the words are the argument's"], &[]),
    (
        ArgKind::LogLevel,
        &["notset", "DEBUG", "Info", "warning", "error", "critical", "0", "20", " 35 "],
        &[
            ("-1", "`-1` is negative: a log level is 0 or more"),
            (
                "warn",
                "`warn` is not a log level: write one of notset, debug, info, warning, error, critical, or a number such as 20",
            ),
            (
                "",
                "`` is not a log level: write one of notset, debug, info, warning, error, critical, or a number such as 20",
            ),
        ],
    ),
    (
        ArgKind::BucketName,
        &["lab-data", "lab.data_2", "ä", "a,b;c(d)[e]~^"],
        &[
            ("", "the name of a bucket is missing"),
            ("a b", "`a b` contains ' ', which no bucket name can: write letters, digits, `-` and `.`"),
            ("s3://x", "`s3://x` contains ':', which no bucket name can: write letters, digits, `-` and `.`"),
            ("a\\b", "`a\\b` contains '\\\\', which no bucket name can: write letters, digits, `-` and `.`"),
        ],
    ),
    (ArgKind::Flag, &[], &[("true", "a flag takes no value: give it or leave it out")]),
    (ArgKind::Secret, &["", "x", "$x"], &[]),
];

#[test]
fn choices_name_the_nearest() {
    let catalog = shipped();
    let mode: &ArgSpec = catalog.find("S3TransferStreamProcessor").unwrap().argument("mode").unwrap();
    assert_eq!(mode.check("both"), Ok(()));
    assert_eq!(mode.check("memry").unwrap_err(), "`memry` is not one of memory, disk, both: did you mean `memory`?");
    assert_eq!(mode.check("Disk").unwrap_err(), "`Disk` is not one of memory, disk, both: did you mean `disk`?");
    assert_eq!(mode.check("x").unwrap_err(), "`x` is not one of memory, disk, both");
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in r"(?s)(\[\[?|\]\]?|program|argument|[=\x22'\n.a-z0-9{}, ]|\PC){0,60}") {
        let _ = Catalog::parse(&text, "x");
    }

    #[test]
    fn arbitrary_values_never_panic(value in r"(?s)([-+_0-9.e \[\](){}\\^?*|&~]|\PC){0,40}") {
        for kind in ArgKind::ALL {
            let _ = kind.check(&value);
        }
    }

    #[test]
    fn powers_of_two_are_told_from_others(number in 1_u128..) {
        prop_assert_eq!(ArgKind::PowerOfTwo.check(&number.to_string()).is_ok(), number.is_power_of_two());
    }
}
