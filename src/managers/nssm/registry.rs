//! What NSSM keeps in the registry, read from there: exactly what is stored, without a process.
//!
//! `HKLM\SYSTEM\CurrentControlSet\Services\NAME` holds what every service has, its key `Parameters`
//! what NSSM adds, `Parameters\AppExit` an action for each exit code (read in the source of NSSM
//! 2.24). A parameter that has NSSM's own default is not stored.

use std::ffi::OsString;

use winreg::RegKey;
use winreg::enums::{HKEY_LOCAL_MACHINE, REG_DWORD, REG_MULTI_SZ};

use crate::host::text::text;
use crate::model::name::ServiceName;
use crate::model::parameter::Parameter;
use crate::model::text::Text;

const SERVICES: &str = r"SYSTEM\CurrentControlSet\Services";

/// Parameters that lie beside those of every other service.
const NATIVE: [&str; 6] = ["DisplayName", "Description", "Start", "ObjectName", "DependOnGroup", "DependOnService"];

/// Of a service that may show windows.
const INTERACTIVE: u32 = 0x100;

/// The priority classes of CreateProcess.
const PRIORITIES: [(&str, &str); 6] = [
    ("256", "REALTIME_PRIORITY_CLASS"),
    ("128", "HIGH_PRIORITY_CLASS"),
    ("32768", "ABOVE_NORMAL_PRIORITY_CLASS"),
    ("32", "NORMAL_PRIORITY_CLASS"),
    ("16384", "BELOW_NORMAL_PRIORITY_CLASS"),
    ("64", "IDLE_PRIORITY_CLASS"),
];

fn open(path: &str) -> Option<RegKey> {
    RegKey::predef(HKEY_LOCAL_MACHINE).open_subkey(path).ok()
}

fn service(name: &ServiceName) -> Option<RegKey> {
    open(&format!(r"{SERVICES}\{name}"))
}

/// Whether there is a service of this name.
pub fn is_registered(name: &ServiceName) -> bool {
    service(name).is_some()
}

/// Whether NSSM runs the service of this name.
pub fn is_of_nssm(name: &ServiceName) -> bool {
    open(&format!(r"{SERVICES}\{name}\Parameters")).is_some_and(|key| key.get_raw_value("Application").is_ok())
}

/// Of a service that Windows does not start.
pub const DISABLED: u32 = 4;

/// When Windows starts a service, as its number for that; `None` where there is none of that name.
pub fn start_of(service: &str) -> Option<u32> {
    open(&format!(r"{SERVICES}\{service}"))?.get_value::<u32, _>("Start").ok()
}

/// The word of Windows for the kind of processor of this machine, whatever kind of program asks.
pub fn processor() -> Option<String> {
    let key = open(r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment")?;
    key.get_value::<String, _>("PROCESSOR_ARCHITECTURE").ok()
}

/// The names of all services.
fn services() -> Vec<String> {
    open(SERVICES).map(|services| services.enum_keys().flatten().collect()).unwrap_or_default()
}

fn text_of(service: &str, entry: &str) -> Option<String> {
    open(&format!(r"{SERVICES}\{service}"))?.get_value::<String, _>(entry).ok()
}

/// The services that this `nssm.exe` runs.
pub fn users_of(exe: &Text) -> Vec<String> {
    let is_it = |path: String| same(path.trim_matches('"'), &exe.to_string());
    services().into_iter().filter(|service| text_of(service, "ImagePath").is_some_and(is_it)).collect()
}

/// Whether NSSM starts this program for the service.
pub fn runs(service: &str, program: &Text) -> bool {
    let application = text_of(&format!(r"{service}\Parameters"), "Application");
    application.is_some_and(|application| same(&application, &program.to_string()))
}

/// The services for which NSSM starts this program.
pub fn running(program: &Text) -> Vec<String> {
    services().into_iter().filter(|service| runs(service, program)).collect()
}

/// The service that shows `name` as its display name and is called otherwise: for want of a service of
/// that name, NSSM would take this one.
pub fn displayed_as(name: &str) -> Option<String> {
    let shown = |service: &String| text_of(service, "DisplayName").is_some_and(|shown| same(&shown, name));
    services().into_iter().filter(|service| !same(service, name)).find(shown)
}

/// The names of services and of files differ in more than the case of their letters.
fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// One value of a service as text.
pub fn value(name: &ServiceName, parameter: &str) -> Option<String> {
    stored(name)
        .iter()
        .find(|known| known.name == parameter)
        .and_then(|known| known.values.first())
        .map(Text::to_string)
}

/// Every parameter that is stored for a service.
pub fn stored(name: &ServiceName) -> Vec<Parameter> {
    let mut found = Vec::new();
    if let Some(key) = service(name) {
        for parameter in NATIVE {
            found.extend(values(&key, parameter).map(|values| named(parameter, None, values)));
        }
        if key.get_value::<u32, _>("DelayedAutostart").is_ok_and(|delayed| delayed != 0) {
            let start = found.iter_mut().find(|known| known.name == "Start");
            start.into_iter().for_each(|start| start.values = vec!["SERVICE_DELAYED_AUTO_START".into()]);
        }
        if key.get_value::<u32, _>("Type").is_ok_and(|kind| kind & INTERACTIVE != 0) {
            found.push(named("Type", None, vec!["SERVICE_INTERACTIVE_PROCESS".into()]));
        }
        // NSSM writes it without quotes, and where it has some they were set.
        let quoted = |values: &Vec<Text>| values.iter().any(|value| value.as_bytes().starts_with(b"\""));
        found.extend(values(&key, "ImagePath").filter(quoted).map(|values| named("ImagePath", None, values)));
    }
    let Some(key) = open(&format!(r"{SERVICES}\{name}\Parameters")) else { return found };
    for (parameter, _) in key.enum_values().flatten() {
        found.extend(values(&key, &parameter).map(|values| named(&parameter, None, values)));
    }
    for parameter in key.enum_keys().flatten() {
        let Ok(inner) = key.open_subkey(&parameter) else { continue };
        for (code, _) in inner.enum_values().flatten() {
            // The action of `Default` is the key's own unnamed value.
            let sub = if code.is_empty() { "Default" } else { &code };
            found.extend(values(&inner, &code).map(|values| named(&parameter, Some(sub), values)));
        }
        // The hooks of 2.24-101: a key for each event, and in it a command for each moment of that.
        for event in inner.enum_keys().flatten() {
            let Ok(of_event) = inner.open_subkey(&event) else { continue };
            for (moment, _) in of_event.enum_values().flatten() {
                let hook = format!("{event}/{moment}");
                found.extend(values(&of_event, &moment).map(|values| named(&parameter, Some(&hook), values)));
            }
        }
    }
    found
}

fn named(parameter: &str, sub: Option<&str>, values: Vec<Text>) -> Parameter {
    let values = match (parameter, values.as_slice()) {
        // The words that `nssm set` takes for the numbers of Windows.
        ("Start", [number]) if number.as_bytes() == b"2" => vec!["SERVICE_AUTO_START".into()],
        ("Start", [number]) if number.as_bytes() == b"3" => vec!["SERVICE_DEMAND_START".into()],
        ("Start", [number]) if number.as_bytes() == b"4" => vec!["SERVICE_DISABLED".into()],
        ("AppPriority", [number]) => {
            let known = PRIORITIES.iter().find(|(code, _)| number.as_bytes() == code.as_bytes());
            known.map_or(values, |(_, word)| vec![Text::from(*word)])
        }
        _ => values,
    };
    Parameter { name: parameter.to_owned(), sub: sub.map(str::to_owned), values }
}

fn values(key: &RegKey, entry: &str) -> Option<Vec<Text>> {
    let raw = key.get_raw_value(entry).ok()?;
    match raw.vtype {
        REG_DWORD => key.get_value::<u32, _>(entry).map(|number| vec![number.to_string().into()]).ok(),
        REG_MULTI_SZ => key
            .get_value::<Vec<OsString>, _>(entry)
            .map(|lines| lines.into_iter().filter(|line| !line.is_empty()).map(text).collect())
            .ok(),
        _ => key.get_value::<OsString, _>(entry).map(|value| vec![text(value)]).ok(),
    }
}
