//! What NSSM keeps in the registry, read from there: exactly what is stored, without a process.
//! [`Registration`] says what that means.

use winreg::RegKey;
use winreg::enums::HKEY_LOCAL_MACHINE;

use crate::model::name::ServiceName;
use crate::model::parameter::Parameter;
use crate::model::registration::{Registration, RegistryValue};
use crate::model::text::Text;

const SERVICES: &str = r"SYSTEM\CurrentControlSet\Services";

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
    registration(name.as_str()).map(|found| found.parameters()).unwrap_or_default()
}

/// What the registry has for the service of that name, if there is one.
pub fn registration(service: &str) -> Option<Registration> {
    let key = open(&format!(r"{SERVICES}\{service}"))?;
    let mut values = Vec::new();
    visit(&key, "", &mut values);
    Some(Registration::new(&spelled(service), values))
}

/// The name of a service as the registry spells it.
fn spelled(service: &str) -> String {
    services().into_iter().find(|known| same(known, service)).unwrap_or_else(|| service.to_owned())
}

fn visit(key: &RegKey, path: &str, values: &mut Vec<RegistryValue>) {
    for (name, value) in key.enum_values().flatten() {
        values.push(RegistryValue { key: path.to_owned(), name, kind: value.vtype as u32, data: value.bytes.to_vec() });
    }
    for name in key.enum_keys().flatten() {
        let Ok(inner) = key.open_subkey(&name) else { continue };
        let below = if path.is_empty() { name } else { format!(r"{path}\{name}") };
        visit(&inner, &below, values);
    }
}
