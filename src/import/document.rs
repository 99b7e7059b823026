//! The text of a manifest, with the comments of the units that it was made of.

use indexmap::IndexMap;
use toml::{Table, Value};

use super::taken::Taken;
use crate::manifest::Request;

/// The manifest of these services; `from` says where each comes from.
pub fn document(services: &[(Taken, String)]) -> String {
    let mut text = concat!("# Taken over by InstallService ", env!("CARGO_PKG_VERSION"), ".\n").to_owned();
    text += "# `InstallService --manifest FILE --dry-run` shows what it installs.\n";
    for (taken, from) in services {
        text += "\n";
        comments(&mut text, &[format!(" {from}")]);
        comments(&mut text, &taken.head);
        text += "[[service]]\n";
        keys(&mut text, &taken.request, &taken.comments);
    }
    text
}

const FIRST: [&str; 5] = ["name", "description", "plain", "user", "command"];

fn keys(text: &mut String, request: &Request, above: &IndexMap<String, Vec<String>>) {
    let table = Table::try_from(request).expect("a request has only types that TOML can say");
    let mut table: Vec<(String, Value)> = table.into_iter().collect();
    // What it is comes first, and what it is for.
    table.sort_by_key(|(key, _)| FIRST.iter().position(|first| first == key).unwrap_or(FIRST.len()));
    let mut tables = Vec::new();
    for (key, value) in &table {
        match value {
            Value::Table(entries) => tables.push((key, entries)),
            _ => entry(text, key, value, above.get(key)),
        }
    }
    for (name, entries) in tables {
        *text += &format!("\n[service.{name}]\n");
        for (key, value) in entries {
            entry(text, key, value, above.get(&format!("{name}.{key}")));
        }
    }
}

/// One key with its value, with comments above it.
fn entry(text: &mut String, key: &str, value: &Value, above: Option<&Vec<String>>) {
    above.iter().for_each(|lines| comments(text, lines));
    let one = |value: Value| -> Table { [(key.to_owned(), value)].into_iter().collect() };
    if has_table(value) {
        // On its own line: in a form of several it would be a table of its own, which ends the service.
        let named = toml::to_string(&one(Value::Boolean(true))).expect("a value of a table");
        *text += &format!("{}{value}\n", named.trim_end().trim_end_matches("true"));
    } else {
        *text += &toml::to_string_pretty(&one(value.clone())).expect("a value of a table");
    }
}

/// Whether it holds bytes that are no text, which a manifest says by a table.
fn has_table(value: &Value) -> bool {
    match value {
        Value::Table(_) => true,
        Value::Array(values) => values.iter().any(has_table),
        _ => false,
    }
}

fn comments(text: &mut String, lines: &[String]) {
    for line in lines {
        // TOML has no control characters in a comment but tabs.
        let line: String = line.chars().map(|c| if c.is_control() && c != '\t' { '\u{FFFD}' } else { c }).collect();
        *text += format!("#{line}").trim_end();
        text.push('\n');
    }
}
