//! No field of a request, a catalog or a manifest can add a directive, a section, a command, a line of a
//! batch or a parameter of NSSM: what comes out is read back, and its shape compared with that of the
//! same request whose texts are harmless.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use install_service::catalog::Catalog;
use install_service::host::facts::Elsewhere;
use install_service::manifest::{self, Arguments, Manifest, Request, Setting};
use install_service::model::place::Place;
use install_service::model::spec::Target;
use install_service::model::text::Text;
use install_service::render::{nssm, systemd};
use install_service::validate::{self, Validated};
use proptest::prelude::*;

use crate::corpus;
use crate::grammar;

/// Every text of a request that a person writes.
#[derive(Clone, Debug)]
struct Texts {
    argument: Text,
    value: Text,
    directory: Text,
    program: Text,
    path: Text,
    description: String,
    display_name: String,
    account: String,
    after: String,
    directive: String,
    parameter: String,
}

impl Texts {
    /// The same request with texts that mean nothing anywhere.
    fn harmless(windows: bool) -> Self {
        let path = |name: &str| Text::from(if windows { format!("C:\\{name}") } else { format!("/{name}") });
        Self {
            argument: "a".into(),
            value: "v".into(),
            directory: path("d"),
            program: path("p"),
            path: path("b"),
            description: "x".into(),
            display_name: "x".into(),
            account: "joe".into(),
            after: "a.service".into(),
            directive: "1".into(),
            parameter: "x".into(),
        }
    }

    fn request(&self, windows: bool) -> Request {
        let mut table = IndexMap::new();
        let key = if windows { "AppStdoutShareMode" } else { "LimitNOFILE" };
        table.insert(key.to_owned(), Setting::Text(if windows { "3".into() } else { self.directive.clone() }));
        let (mut of_systemd, mut of_nssm) = (IndexMap::new(), IndexMap::new());
        if windows {
            of_nssm = table;
            of_nssm.insert("DependOnService".into(), Setting::Lines(vec![self.parameter.clone()]));
        } else {
            of_systemd = table;
        }
        Request {
            name: Some("web".into()),
            executable: Some(self.program.clone()),
            arguments: Arguments::List(vec![self.argument.clone(), self.argument.clone()]),
            working_directory: Some(self.directory.clone()),
            environment: [("A".to_owned(), self.value.clone()), ("B".to_owned(), self.value.clone())].into(),
            path: vec![self.path.clone()],
            description: Some(self.description.clone()),
            display_name: Some(self.display_name.clone()),
            account: (!windows).then(|| self.account.clone()),
            after: if windows { Vec::new() } else { vec![self.after.clone()] },
            systemd: of_systemd,
            nssm: of_nssm,
            ..Request::default()
        }
    }
}

/// Texts that try it, in every field, or in some and harmless ones in the others.
fn texts(windows: bool) -> impl Strategy<Value = Texts> {
    let evil = || {
        prop_oneof![
            2 => corpus::bytes(),
            1 => prop::sample::select(vec![
                "x\nExecStartPre=/bin/evil", "x\n[Service]\nUser=root", "x\r\nnet user evil /add", "x & net user evil /add", "x\" & evil & \"",
                "x\\\nExecStart=/bin/evil", "\\", "x\\", "%i", "%\nevil", "^\nevil", "x\u{85}ExecStart=/bin/evil", "x\u{2028}evil", "x\u{b}evil\u{c}", "#\nevil",
                "x\0evil", "\u{feff}[Service]", "\" \"evil", "x ; /bin/evil", "!evil!", "\u{1a}evil",
            ]).prop_map(Text::from),
        ]
    };
    let root = if windows { "C:\\" } else { "/" };
    let path = move || evil().prop_map(move |text| Text::from_bytes([root.as_bytes(), text.as_bytes()].concat()));
    let word = || evil().prop_map(|text| text.to_string());
    let all =
        ((evil(), evil(), path(), path(), path()), (word(), word(), word(), word(), word(), word()), any::<u16>());
    all.prop_map(move |((argument, value, directory, program, path), words, which)| {
        let (description, display_name, account, after, directive, parameter) = words;
        let evil = Texts { argument, value, directory, program, path, description, display_name, account, after, directive, parameter };
        let plain = Texts::harmless(windows);
        // One field alone shows more than eleven of which one is refused.
        macro_rules! mixed {
            ($($number:literal $field:ident,)*) => {
                Texts { $($field: if which >> $number & 1 == 1 || which % 11 == $number { evil.$field } else { plain.$field },)* }
            };
        }
        mixed! { 0 argument, 1 value, 2 directory, 3 program, 4 path, 5 description, 6 display_name, 7 account, 8 after, 9 directive, 10 parameter, }
    })
}

fn validated(request: &Request, catalog: &Catalog, target: Target, state: &str) -> Option<Validated> {
    validate::validate(request, catalog, &Elsewhere, target, &state.into()).ok()
}

/// The directives of a unit with their sections, as systemd finds them: a line that ends in a
/// backslash goes on, comments and empty lines are nothing.
fn directives(unit: &[u8]) -> BTreeMap<String, usize> {
    let unit = std::str::from_utf8(unit).expect("a unit is UTF-8");
    let mut found = BTreeMap::new();
    let (mut section, mut line) = (String::new(), String::new());
    // systemd ends a line at CR, LF or NUL.
    for part in unit.split(['\n', '\r', '\0']) {
        if line.is_empty() && part.trim_start_matches([' ', '\t']).starts_with(['#', ';']) {
            continue;
        }
        line.push_str(part);
        if part.ends_with('\\') {
            line.pop();
            line.push(' ');
            continue;
        }
        let whole = std::mem::take(&mut line);
        let whole = whole.trim_matches([' ', '\t']);
        if whole.is_empty() {
            continue;
        }
        if let Some(name) = whole.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
            *found.entry(format!("[{section}]")).or_default() += 1;
        } else {
            let key = whole.split_once('=').unwrap_or_else(|| panic!("no directive: {whole:?}")).0;
            *found.entry(format!("{section}.{}", key.trim_end())).or_default() += 1;
        }
    }
    found
}

fn unit_of(found: &Validated) -> Option<Vec<u8>> {
    let place = Place { unit_dir: "/etc/systemd/system".into(), state_dir: "/var/lib/x".into(), home: None };
    Some(systemd::artifacts(&found.spec, &place).ok()?.swap_remove(0).contents.to_vec())
}

/// The commands of a batch: of a call of NSSM what is called and which parameter, every other line as
/// it stands.
fn commands(batch: &[u8]) -> Vec<String> {
    let batch = std::str::from_utf8(batch).expect("a batch is UTF-8");
    let call = r#""C:\st\nssm.exe" "#;
    // cmd.exe ends a line at LF, and the file at 1A.
    assert!(!batch.contains('\u{1a}'));
    let lines = batch.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    lines
        .map(|line| match line.strip_prefix(call) {
            Some(words) => {
                assert!(!words.contains('\r'), "{words:?}");
                // What the template itself says behind a call.
                let words = words.strip_suffix(" >nul 2>nul").unwrap_or(words);
                let words = words.strip_suffix(r#" >"C:\st\nssm_words.txt" 2>&1"#).unwrap_or(words);
                let mut words = grammar::c_runtime(&grammar::cmd(words));
                // What follows is the value.
                let names = match (words[0].as_str(), words.get(2).map(String::as_str)) {
                    ("install", _) => 2,
                    (_, Some("AppExit")) => 4,
                    _ => 3,
                };
                words.truncate(names);
                words.join(" ")
            }
            None => line.to_owned(),
        })
        .collect()
}

fn batches_of(found: &Validated) -> Option<[Vec<u8>; 2]> {
    let place = Place { unit_dir: "C:\\".into(), state_dir: "C:\\st".into(), home: None };
    let service = nssm::service(&found.spec, &place).ok()?;
    let files = nssm::artifacts(&found.spec, &place);
    let executables = nssm::Executables { nssm: vec![[7; 32]], runner: Some([8; 32]) };
    nssm::batches(&service, &files, None, &executables, &place)
        .ok()
        .map(|batches| batches.files.map(|batch| batch.contents.to_vec()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_text_of_a_request_adds_a_directive(texts in texts(false)) {
        let catalog = &Catalog::shipped();
        let plain = validated(&Texts::harmless(false).request(false), catalog, Target::Systemd, "/var/lib/x").unwrap();
        let plain = directives(&unit_of(&plain).unwrap());
        if let Some(unit) = validated(&texts.request(false), catalog, Target::Systemd, "/var/lib/x").as_ref().and_then(unit_of) {
            let found = directives(&unit);
            // A launcher takes some of them out of the unit; none can come in.
            let more: Vec<_> = found.iter().filter(|(key, count)| plain.get(*key).is_none_or(|known| known < count)).collect();
            prop_assert!(more.is_empty(), "{more:?} in {}", String::from_utf8_lossy(&unit));
            for key in ["[Unit]", "[Service]", "[Install]", "Service.ExecStart", "Service.ExecStopPost"] {
                prop_assert_eq!(found.get(key), plain.get(key), "{}", key);
            }
        }
    }

    #[test]
    fn no_text_of_a_request_adds_a_command_to_a_batch(texts in texts(true)) {
        let catalog = &Catalog::shipped();
        let plain = validated(&Texts::harmless(true).request(true), catalog, Target::Nssm, "C:\\st").unwrap();
        let plain = batches_of(&plain).unwrap().map(|batch| commands(&batch));
        if let Some(found) = validated(&texts.request(true), catalog, Target::Nssm, "C:\\st").as_ref().and_then(batches_of) {
            let without_empty = |lines: Vec<String>| lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>();
            for (found, plain) in found.iter().zip(plain) {
                let (found, plain) = (without_empty(commands(found)), without_empty(plain));
                prop_assert_eq!(found, plain);
            }
        }
    }

    /// Every line of the script is the same but for one literal, which a reader of Python's own finds closed.
    #[test]
    fn no_text_of_a_request_adds_a_statement_to_a_script(texts in texts(false)) {
        let catalog = &Catalog::shipped();
        let script = |texts: &Texts| {
            let request = Request {
                executable: None,
                python: Some("a.b:c".into()),
                interpreter: Some("/usr/bin/python3".into()),
                ..texts.request(false)
            };
            let found = validated(&request, catalog, Target::Systemd, "/var/lib/x")?;
            let place = Place { unit_dir: "/etc/systemd/system".into(), state_dir: "/var/lib/x".into(), home: None };
            let artifacts = systemd::artifacts(&found.spec, &place).ok()?;
            let path = place.python_script(&found.spec.name);
            let contents = artifacts.into_iter().find(|artifact| artifact.path == path).expect("a script").contents;
            Some(String::from_utf8(contents.to_vec()).expect("a script is UTF-8"))
        };
        let plain = script(&Texts::harmless(false)).unwrap();
        if let Some(found) = script(&texts) {
            let lines = |text: &str| text.split(['\n', '\r']).map(str::to_owned).collect::<Vec<_>>();
            let (found, plain) = (lines(&found), lines(&plain));
            prop_assert_eq!(found.len(), plain.len());
            for (found, plain) in found.iter().zip(&plain).filter(|(found, plain)| found != plain) {
                let (head, _) = plain.split_once('"').expect("a literal");
                let (_, tail) = plain.rsplit_once('"').expect("a literal");
                let literal = found.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail));
                // One that begins with a `$` is a variable's name.
                let literal = literal.map(|text| text.strip_prefix("os.environ[").and_then(|rest| rest.strip_suffix("]")).unwrap_or(text));
                grammar::python_literal(literal.unwrap_or_else(|| panic!("{found}")));
            }
        }
    }

    /// Through the text of a manifest, with the texts where keys, tables and values are.
    #[test]
    fn no_text_of_a_manifest_adds_a_service(texts in texts(false), key in corpus::text()) {
        let mut request = texts.request(false);
        request.systemd.insert(key, Setting::Text(texts.directive.clone()));
        let document = manifest::document([&request]);
        let services = Manifest::parse(&document, "m").map(Manifest::services);
        match services {
            Ok(services) => prop_assert_eq!(services, [request]),
            // A text that no TOML holds is refused when it is read, not changed.
            Err(error) => prop_assert!(document.contains('\0') || error.to_string().contains("key"), "{error}\n{document}"),
        }
    }

    /// A key of the systemd table is a key, and its value one line.
    #[test]
    fn a_further_directive_is_one_directive(key in corpus::text(), value in corpus::text()) {
        let mut request = Texts::harmless(false).request(false);
        let catalog = &Catalog::shipped();
        let plain = directives(&unit_of(&validated(&request, catalog, Target::Systemd, "/var/lib/x").unwrap()).unwrap());
        request.systemd.insert(key.clone(), Setting::Text(value.clone()));
        request.systemd.insert("Nice".into(), Setting::Text(value));
        if let Some(unit) = validated(&request, catalog, Target::Systemd, "/var/lib/x").as_ref().and_then(unit_of) {
            let found = directives(&unit);
            let more = found.values().sum::<usize>() - plain.values().sum::<usize>();
            prop_assert!(more <= 2, "{key:?} added {more}:\n{}", String::from_utf8_lossy(&unit));
            prop_assert!(found.keys().filter(|key| key.starts_with('[')).eq(plain.keys().filter(|key| key.starts_with('['))));
        }
    }

    /// What a catalog says of a program reaches the unit, too.
    #[test]
    fn no_text_of_a_catalog_adds_a_directive(about in corpus::text(), default in corpus::text(), argument in corpus::text()) {
        let program = |about: &str, default: &str| {
            let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
            let text = format!(
                "[catalog]\nname = \"c\"\nversion = \"1\"\nabout = {0}\n[[program]]\nname = \"P\"\nabout = {0}\npython = \"a.b:c\"\n\
                 [[program.argument]]\nflags = [\"--x\"]\nkind = \"string\"\nhelp = {0}\ndefault = {1}\n",
                quoted(about),
                quoted(default)
            );
            Catalog::parse(&text, "c")
        };
        let request = |argument: &str| Request {
            name: Some("web".into()),
            program: Some("P".into()),
            interpreter: Some("/usr/bin/python3".into()),
            working_directory: Some("/d".into()),
            arguments: Arguments::Named([("x".to_owned(), toml::from_str::<toml::Table>(&format!("x = {}", toml::Value::String(argument.to_owned()))).unwrap().remove("x").unwrap().try_into().unwrap())].into()),
            ..Request::default()
        };
        let unit = |catalog: &Catalog, argument: &str| {
            validated(&request(argument), catalog, Target::Systemd, "/var/lib/x").as_ref().and_then(unit_of)
        };
        let plain = directives(&unit(&program("x", "y").unwrap(), "z").unwrap());
        if let Some(unit) = program(&about, &default).ok().and_then(|catalog| unit(&catalog, &argument)) {
            let mut found = directives(&unit);
            // A reference to a variable makes the service read its environment file.
            found.remove("Service.EnvironmentFile");
            prop_assert_eq!(found, plain);
        }
    }
}
