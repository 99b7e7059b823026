//! The JSON Schema of a manifest, made from its types. Editors complete and check with it; it is shipped
//! as `docs/manifest.schema.json`, and `InstallService schema` prints it.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{Manifest, Setting};
use crate::model::nssm_table::{APP_EVENTS, EVENTS, LATER, PARAMETERS};
use crate::model::systemd_table::{Section, directives, directives_of_timers, directives_of_timers_as_units};
use crate::model::word::Word;

/// The keys of a service that `[defaults]` has not: what it is called, and what it runs.
const OWN: [&str; 7] = ["name", "instances", "program", "python", "executable", "arguments", "command"];

/// The schema as text.
///
/// # Panics
/// Never: a schema has a JSON form.
pub fn schema() -> String {
    // What the TOML extensions of editors read.
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(without_null));
    let mut schema = settings.into_generator().into_root_schema_for::<Manifest>();
    schema.insert("title".into(), "Services for InstallService".into());
    let object = schema.ensure_object();
    let mut service = object["definitions"]["Service"].clone();
    let mut defaults = service.clone();
    let runs = ["program", "python", "executable", "command"].map(|key| json!({ "required": [key] }));
    // A plain service can have no more than what stops it.
    let none = json!({ "properties": { "plain": { "const": true } }, "required": ["plain"], "not": { "anyOf": runs } });
    service["oneOf"] = runs.iter().cloned().chain([none]).collect();
    service["minProperties"] = Value::from(1);
    service["dependencies"] = json!({ "instances": ["name"] });
    if let Some(properties) = defaults["properties"].as_object_mut() {
        properties.retain(|key, _| !OWN.contains(&key.as_str()));
    }
    defaults["description"] = "What services have that do not say otherwise.".into();
    object["definitions"]["Service"] = service;
    object["definitions"]["Defaults"] = defaults;
    let about = object["properties"]["defaults"]["description"].clone();
    object["properties"]["defaults"] = json!({ "description": about, "allOf": [{ "$ref": "#/definitions/Defaults" }] });
    serde_json::to_string_pretty(&schema).expect("a schema has a JSON form") + "\n"
}

/// What a key can be whose value is a word.
pub(super) fn words<T: Word>() -> Vec<&'static str> {
    T::words()
}

/// The table of systemd's further directives. One of [Service] may have its section before it, too.
pub(super) fn systemd_table(generator: &mut SchemaGenerator) -> Schema {
    let setting = generator.subschema_for::<Setting>();
    let names: Vec<String> = directives()
        .chain(directives_of_timers())
        .chain(directives_of_timers_as_units())
        .map(|directive| directive.key().trim_matches('"').to_owned())
        .collect();
    let services = directives().filter(|directive| directive.section == Section::Service);
    let services: Vec<String> = services.map(|directive| format!("Service.{}", directive.name)).collect();
    json_schema!({
        "type": "object",
        "additionalProperties": setting,
        "propertyNames": { "anyOf": [{ "enum": names }, { "enum": services }] },
    })
}

/// The table of NSSM's further parameters.
pub(super) fn nssm_table(generator: &mut SchemaGenerator) -> Schema {
    let setting = generator.subschema_for::<Setting>();
    let known = PARAMETERS.iter().chain(&LATER).map(|(name, _)| *name);
    let known = known.filter(|name| *name != APP_EVENTS).map(str::to_owned);
    let names: Vec<String> = known.chain(EVENTS.iter().map(|event| format!("{APP_EVENTS}.{event}"))).collect();
    json_schema!({
        "type": "object",
        "additionalProperties": setting,
        "propertyNames": { "anyOf": [{ "enum": names }, { "pattern": "^AppExit\\.(Default|[0-9]+)$" }] },
    })
}

/// TOML has no null, and no key has a default that is one.
fn without_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("default");
    object.remove("format");
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    for key in ["anyOf", "enum"] {
        let Some(Value::Array(choices)) = object.get_mut(key) else { continue };
        choices.retain(|choice| !choice.is_null() && choice != &json!({ "type": "null" }));
        if let (1, "anyOf", Some(Value::Object(only))) = (choices.len(), key, choices.first().cloned()) {
            object.remove("anyOf");
            object.extend(only);
        }
    }
}
