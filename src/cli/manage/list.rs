//! Every service of ours, with what it is doing.

use serde::Serialize;

use super::find::{manager_of, place_of, scopes_of};
use super::line::Options;
use crate::cli::{Format, begin_look, need_manager, print, print_plain, say};
use crate::error::{Error, exit};
use crate::managers::{self, observe};
use crate::model::name::ServiceName;
use crate::model::spec::Scope;
use crate::model::status::ServiceStatus;
use crate::model::text::Text;

#[derive(Serialize)]
struct ListJson {
    version: u32,
    services: Vec<ListEntry>,
}

#[derive(Serialize)]
struct ListEntry {
    service: String,
    target: &'static str,
    user: bool,
    installed: bool,
    #[serde(flatten)]
    status: Option<ServiceStatus>,
}

pub(super) fn list(options: &Options, format: Format) -> Result<u8, Error> {
    let scopes = scopes_of(options);
    let mut services = Vec::new();
    let mut seen: Vec<Text> = Vec::new();
    for scope in scopes.iter().copied() {
        let place = place_of(options, scope);
        begin_look(&place, scope)?;
        let manager = manager_of(&place, scope);
        let is_installed = |name: &ServiceName| observe::is_installed(name, &place, &manager).unwrap_or(false);
        // One state directory for both, as a checkout has, holds each service once.
        let names: Vec<ServiceName> = observe::known_services(&place)
            .into_iter()
            .filter(|name| is_installed(name) || !seen.contains(&place.receipt(name)))
            .collect();
        seen.extend(names.iter().map(|name| place.receipt(name)));
        let states = if names.is_empty() || need_manager(&manager).is_err() {
            None
        } else {
            managers::status(&manager, &names).ok()
        };
        for (at, name) in names.iter().enumerate() {
            services.push(ListEntry {
                service: name.to_string(),
                target: manager.target().as_str(),
                user: scope == Scope::User,
                installed: is_installed(name),
                status: states.as_ref().and_then(|states| states.get(at)).cloned(),
            });
        }
    }
    match format {
        Format::Json => {
            let document = ListJson { version: 1, services };
            print_plain(&(serde_json::to_string_pretty(&document).expect("plain data has a JSON form") + "\n"));
        }
        Format::Text if services.is_empty() => {
            say("no services yet; `InstallService -h` shows how to install one");
        }
        Format::Text => {
            let width = services.iter().map(|service| service.service.len()).max().unwrap_or_default();
            for entry in &services {
                let state = match &entry.status {
                    _ if !entry.installed => "removed (its receipt is kept)",
                    Some(status) => status.state.as_str(),
                    None => "installed",
                };
                let user = if entry.user { "  (user)" } else { "" };
                print(&format!("{:<width$}  {state}{user}\n", entry.service));
            }
        }
    }
    Ok(exit::OK)
}
