//! What each rule sees: a house with a fault, and the place that is named.

use super::house::House;
use super::{FLOORS, KNOWING, MANAGERS, OUTPUT, SILENT, decisions, floors, words};

/// The faults of a house with these files are one each, at these places.
#[track_caller]
fn seen(found: &[String], places: &[&str]) {
    assert_eq!(found.len(), places.len(), "{found:#?}");
    for place in places {
        assert!(found.iter().any(|fault| fault.contains(place)), "{place} is not in {found:#?}");
    }
}

#[test]
fn an_import_from_above_is_seen_however_it_is_written() {
    for import in [
        "use crate::host::files;",
        "use crate::{model::Name, host::files};",
        "fn f() { crate::host::files::read(); }",
        "use super::host as below;",
    ] {
        let house = House::of(&[("src/plan.rs", import), ("src/host.rs", ""), ("src/model.rs", "")]);
        seen(&floors::upwards(&house, &FLOORS), &["src/plan.rs:1"]);
    }
    let down = House::of(&[("src/plan.rs", "use crate::model::Name;"), ("src/model.rs", "pub struct Name;")]);
    seen(&floors::upwards(&down, &FLOORS), &[]);
}

#[test]
fn a_circle_of_rooms_is_seen() {
    let house = House::of(&[("src/plan.rs", "use crate::validate::a;"), ("src/validate.rs", "use crate::plan::b;")]);
    assert!(!floors::circles(&house).is_empty());
}

#[test]
fn what_a_silent_room_prints_is_seen() {
    for line in ["fn f() { println!(); }", "use std::io::stdout;", "fn f() { std::io::stderr(); }"] {
        let house = House::of(&[("src/commands.rs", line)]);
        seen(&words::named(&house, &SILENT, &OUTPUT, &[]), &["src/commands.rs:1"]);
    }
}

#[test]
fn a_decision_that_no_compiler_asks_about_is_seen() {
    for body in [
        "match m { Manager::Nssm => 1, _ => 2 }",
        "if let Manager::Nssm = m { 1 } else { 2 }",
        "if m == Manager::Nssm { 1 } else { 2 }",
        "if matches!(m, Manager::Nssm) { 1 } else { 2 }",
    ] {
        let text = format!("fn f(m: Manager) -> u8 {{ {body} }}");
        let house = House::of(&[("src/commands.rs", &text)]);
        seen(&decisions::incomplete(&house, &MANAGERS, &KNOWING), &["src/commands.rs:1"]);
    }
    let whole = "fn f(m: Manager) -> u8 { match m { Manager::Systemd(_) => 1, Manager::Nssm => 2 } }";
    seen(&decisions::incomplete(&House::of(&[("src/commands.rs", whole)]), &MANAGERS, &KNOWING), &[]);
}
