//! Manifests: the JSON Schema that is shipped is made from the types and takes what the types take, and
//! nothing that a manifest says brings the tool down.

use std::path::{Path, PathBuf};
use std::{env, fs};

use install_service::catalog::{Catalog, SHIPPED};
use install_service::host::facts::Elsewhere;
use install_service::manifest::{Manifest, receipt, schema::schema};
use install_service::model::place::Place;
use install_service::model::spec::Target;
use install_service::model::systemd_table::{Grammar, KnownDirective, Takes};
use install_service::render;
use install_service::validate::validate;
use proptest::prelude::*;
use serde_json::Value;

use crate::support::difference;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_schema_that_is_shipped_is_that_of_the_types() {
    let path = root().join("docs/manifest.schema.json");
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, schema()).unwrap();
    }
    let shipped = fs::read_to_string(&path).unwrap();
    if let Some(difference) = difference("docs/manifest.schema.json", &schema(), &shipped) {
        panic!("{difference}\nUPDATE_GOLDEN=1 cargo test --test suite manifest writes it anew");
    }
}

fn validator() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    jsonschema::draft7::meta::validate(&schema).unwrap_or_else(|error| panic!("no schema: {error}"));
    jsonschema::validator_for(&schema).unwrap()
}

/// A manifest as a schema sees it.
fn document(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap_or_else(|error| panic!("{error}\n{text}"))).unwrap()
}

/// Every TOML file of services that lies in the checkout: examples, golden manifests and receipts.
fn manifests(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            manifests(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml")
            && fs::read_to_string(&path).unwrap().contains("[[service]]")
        {
            found.push(path);
        }
    }
}

#[test]
fn every_manifest_of_the_checkout_fits_the_schema_and_the_types() {
    let mut found = Vec::new();
    for folder in ["fixtures", "docs"] {
        manifests(&root().join(folder), &mut found);
    }
    assert!(found.len() > 40, "these are not all of them: {found:?}");
    let validator = validator();
    for path in found {
        let text = fs::read_to_string(&path).unwrap();
        let manifest = Manifest::parse(&text, "it").unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let faults: Vec<String> = validator.iter_errors(&document(&text)).map(|error| error.to_string()).collect();
        assert!(faults.is_empty(), "{}: {faults:#?}", path.display());
        for service in manifest.services() {
            let again = receipt(&service);
            assert_eq!(Manifest::parse(&again, "again").unwrap().services(), [service], "{again}");
            assert!(validator.is_valid(&document(&again)), "{again}");
        }
    }
}

/// What one refuses, the other refuses.
#[test]
fn the_schema_refuses_what_the_types_refuse() {
    let validator = validator();
    for text in [
        "[[service]]\nname = \"x\"\nexecutable = \"/x\"\nrestrat = \"always\"\n",
        "[[services]]\n",
        "[defaults]\nname = \"x\"\n",
        "[defaults]\nexecutable = \"/x\"\n",
        "[defaults]\ninstances = [\"a\"]\n",
        "[[service]]\nname = \"x\"\ninstances = []\nexecutable = \"/x\"\n",
        "[[service]]\nname = \"x\"\ninstances = [\"a\", \"a\"]\nexecutable = \"/x\"\n",
        "[[service]]\ninstances = [\"a\"]\nexecutable = \"/x\"\n",
        "[[service]]\nexecutable = 3\n",
        "[[service]]\nexecutable = \"/x\"\nsecrets = { A = \"x\" }\n",
        "[[service]]\nexecutable = \"/x\"\narguments = 3\n",
        "[[service]]\nexecutable = \"/x\"\nuser = \"yes\"\n",
        "[[service]]\nexecutable = { hex = 3 }\n",
        "[[service]]\nexecutable = { hexx = \"00\" }\n",
        "[[service]]\nexecutable = { hex = \"0\" }\n",
        "[[service]]\nexecutable = \"/x\"\nsystemd = { LimitNOFILE = 1.5 }\n",
        "[[service]]\nexecutable = \"/x\"\nenvironment = { A = 1 }\n",
    ] {
        Manifest::parse(text, "it").expect_err(text);
        assert!(!validator.is_valid(&document(text)), "{text}");
    }
}

/// The words and names that the schema lists are those that validation takes.
#[test]
fn the_words_of_the_schema_are_taken() {
    let (schema, validator): (Value, _) = (serde_json::from_str(&schema()).unwrap(), validator());
    let properties = &schema["definitions"]["Service"]["properties"];
    let words = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    let faults = |target, lines: &str| {
        let text = format!("[[service]]\nname = \"x\"\nexecutable = \"C:/x\"\nworking_directory = \"C:/\"\n{lines}");
        let text = if target == Target::Systemd { text.replace("C:/", "/") } else { text };
        // Something has to say when a timer elapses.
        let text = text.replace("systemd = { \"Timer.", "schedule = \"daily\"\nsystemd = { \"Timer.");
        let service = Manifest::parse(&text, "it").unwrap().services().remove(0);
        let faults = validate(&service, &Catalog::default(), &Elsewhere, target, &"/".into()).err();
        assert_eq!(validator.is_valid(&document(&text)), faults.is_none(), "{text} {faults:?}");
        faults
    };
    for key in ["restart", "hardening"] {
        for word in words(&properties[key]["enum"]) {
            assert_eq!(faults(Target::Systemd, &format!("{key} = \"{word}\"\n")), None);
        }
        assert!(faults(Target::Systemd, &format!("{key} = \"perhaps\"\n")).is_some());
    }
    for key in ["restart_sec", "stop_timeout"] {
        for time in ["7", "\"500ms\"", "\"1min 30s\"", "\".5h\""] {
            assert_eq!(faults(Target::Systemd, &format!("{key} = {time}\n")), None);
        }
        for time in ["-1", "\"5 fortnights\"", "\"soon\"", "\"\""] {
            assert!(faults(Target::Systemd, &format!("{key} = {time}\n")).is_some());
        }
    }
    let known = properties["systemd"]["propertyNames"]["anyOf"].as_array().unwrap();
    let mut known: Vec<String> = known.iter().flat_map(|list| words(&list["enum"])).collect();
    // Without another each of these would count for nothing.
    let needs_another = ["RestartSteps", "RestartMaxDelaySec", "RuntimeRandomizedExtraSec"];
    known.retain(|name| !needs_another.contains(&name.trim_start_matches("Service.")));
    assert!(known.len() > 600);
    for name in known {
        let known = KnownDirective::find_any(&name).unwrap();
        if known.own_key() == Some("working_directory") {
            continue; // the rest of this manifest says it
        }
        let plain = known.own_key().map_or("", |_| "plain = true\n");
        let value = match known.takes {
            Takes::Any | Takes::Units => "a.service".to_owned(),
            Takes::Switch | Takes::SwitchOr(_) => "yes".to_owned(),
            Takes::Word(words) => words[0].0.to_owned(),
            Takes::WordOrNumber(words) => words[0].0.to_owned(),
            Takes::Number(least, _) => least.to_string(),
            Takes::Span => "10".to_owned(),
            Takes::Mode => "0755".to_owned(),
            Takes::SwitchOrList(words) | Takes::List(words) => words[0].0.to_owned(),
            Takes::Grammar(Grammar::Output | Grammar::Input) => "null".to_owned(),
            Takes::Grammar(Grammar::Limit | Grammar::LimitOfBytes | Grammar::LimitOfTime) => "1".to_owned(),
            Takes::Grammar(Grammar::Slice) => "a.slice".to_owned(),
            Takes::Grammar(Grammar::Hostname) => "yes".to_owned(),
            Takes::Grammar(Grammar::FiniteSpan) => "10".to_owned(),
            Takes::Grammar(Grammar::BusName) => "org.example.Web".to_owned(),
            Takes::Grammar(_) => String::new(),
        };
        let said = format!("{plain}systemd = {{ \"{name}\" = \"{value}\" }}\n");
        assert_eq!(faults(Target::Systemd, &said), None, "{name}");
    }
    for name in ["LimitNOFLE", "OnFailure", "ExecStart", "Unit.User", "Socket.Accept", "Unit", ""] {
        assert!(faults(Target::Systemd, &format!("systemd = {{ \"{name}\" = \"1\" }}\n")).is_some(), "{name}");
    }
    let names = &properties["nssm"]["propertyNames"]["anyOf"][0]["enum"];
    assert!(words(names).len() > 25);
    let names = words(names).into_iter().chain(["AppExit.Default".into(), "AppExit.3".into()]);
    // The rest of this manifest says the directory.
    for name in names.filter(|name| name != "AppDirectory") {
        let value = match name.as_str() {
            "AppPriority" => "NORMAL_PRIORITY_CLASS",
            "Start" => "SERVICE_DEMAND_START",
            "Type" => "SERVICE_WIN32_OWN_PROCESS",
            "AppStdin" | "AppStdout" | "AppStderr" => "C:/x.log",
            "AppAffinity" => "All",
            "AppEnvironment" | "AppEnvironmentExtra" => "A=1",
            name if name.starts_with("AppExit") => "Exit",
            _ => "1",
        };
        assert_eq!(faults(Target::Nssm, &format!("nssm = {{ \"{name}\" = \"{value}\" }}\n")), None, "{name}");
    }
    for name in ["AppPriorty", "AppRestartDelay", "AppExit", "AppExit.x", "AppEvents", "AppEvents.Start/Post/x"] {
        assert!(faults(Target::Nssm, &format!("nssm = {{ \"{name}\" = \"1\" }}\n")).is_some(), "{name}");
    }
}

/// Reads, checks and renders, as a preview for another host does.
fn preview(text: &str) {
    let Ok(manifest) = Manifest::parse(text, "it") else { return };
    let catalog = Catalog::parse(SHIPPED, "shipped").unwrap();
    for (target, state_dir) in [(Target::Systemd, "/var/lib/x"), (Target::Nssm, r"C:\x")] {
        let place = Place { unit_dir: "/etc/systemd/system".into(), state_dir: state_dir.into(), home: None };
        for service in manifest.clone().services() {
            let Ok(valid) = validate(&service, &catalog, &Elsewhere, target, &place.state_dir) else { continue };
            drop(render::systemd::artifacts(&valid.spec, &place));
            if let Ok(service) = render::nssm::service(&valid.spec, &place) {
                let (files, executables) = (render::nssm::artifacts(&valid.spec, &place), Default::default());
                drop(render::nssm::batches(&service, &files, None, &executables, &place));
            }
            receipt(&valid.request);
        }
    }
}

fn value() -> impl Strategy<Value = String> {
    let text = any::<String>().prop_map(|text| toml::Value::String(text).to_string());
    let plain =
        "(true|false|nan|-?inf|-?[0-9]{1,20}|[0-9]\\.[0-9]e[0-9]{1,3}|1979-05-27|\"[/$%a-zA-Z:.= \\\\]{0,9}\"|'')";
    let leaf = prop_oneof![text, "[a-zA-Z/$%:]{0,12}".prop_map(|text| format!("'{text}'")), plain];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let key = "([a-zA-Z_]{1,8}|\"AppExit\\.[0-9]{1,3}\"|hex|LimitNOFILE|Unit\\.x)";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(", "))),
            prop::collection::btree_map(key, inner, 0..4).prop_map(|table| {
                let rows: Vec<String> = table.iter().map(|(key, value)| format!("{key} = {value}")).collect();
                format!("{{ {} }}", rows.join(", "))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_brings_it_down(text in any::<String>()) {
        preview(&text);
    }

    #[test]
    fn no_manifest_brings_it_down(
        rows in prop::collection::btree_map(
            "(name|instances|program|python|executable|arguments|command|plain|environment|secrets|interpreter|working_directory|account|user|schedule|restart|restart_sec|stop_timeout|stop_command|network|after|before|requires|wants|environment_file|log_file|log_keep|description|display_name|hardening|path|found_path|found_python|assume|systemd|nssm|x)",
            value(),
            0..7,
        ),
        defaults in any::<bool>(),
    ) {
        let rows: String = rows.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        let head = if defaults { "[defaults]\n" } else { "[[service]]\n" };
        preview(&format!("{head}{rows}[[service]]\nname = 'x'\nexecutable = '/bin/x'\nworking_directory = '/'\n"));
    }

    /// A good one with one stretch replaced.
    #[test]
    fn no_slip_of_the_finger_brings_it_down(at in 0..900_usize, length in 0..9_usize, text in "[\\PC\n]{0,4}") {
        let mut good = include_str!("../../fixtures/install/21-further-directives/services.toml").to_owned();
        let start = (0..=at.min(good.len())).rev().find(|at| good.is_char_boundary(*at)).unwrap();
        let end = (0..=(start + length).min(good.len())).rev().find(|at| good.is_char_boundary(*at)).unwrap();
        good.replace_range(start..end.max(start), &text);
        preview(&good);
    }
}
