//! The words for what came of ManageService.

use std::fmt::Display;

use serde::Serialize;

use super::Call;
use crate::cli::Format;
use crate::cli::output::{self, HEADING, HELP, print, print_done, say, say_styled};
use crate::cli::styled::Styled;
use crate::commands::doctor::{Diagnosis, Examined};
use crate::commands::list::Listed;
use crate::commands::show::Shown;
use crate::commands::status::Report;
use crate::commands::verbs::{AllDone, Done, Kept, Removal};
use crate::diagnose::Finding;
use crate::error::exit;
use crate::manifest::{self, Request};
use crate::model::observed::OtherUnit;
use crate::model::spec::Scope;
use crate::model::status::{ServiceStatus, State};
use crate::model::text::Text;

/// The version of the JSON that is printed; it grows when a key changes its meaning.
const VERSION: u32 = 1;

const NO_SERVICES: &str = "no services yet; `InstallService -h` shows how to install one";

#[derive(Serialize)]
struct ListJson<'a> {
    version: u32,
    services: Vec<ListEntry<'a>>,
}

#[derive(Serialize)]
struct ListEntry<'a> {
    service: &'a str,
    target: &'static str,
    user: bool,
    installed: bool,
    #[serde(flatten)]
    status: Option<&'a ServiceStatus>,
}

/// The services of ours that are installed, or with `all` also those that were removed, a line each.
pub(super) fn list(known: &[Listed], all: bool, format: Format) {
    let services: Vec<&Listed> = known.iter().filter(|listed| all || listed.installed).collect();
    match format {
        Format::Json => {
            print_json(&ListJson { version: VERSION, services: services.into_iter().map(list_entry).collect() });
        }
        Format::Text if services.is_empty() && !known.is_empty() => {
            say("no services are installed; `ManageService --list --all` shows those that were removed");
        }
        Format::Text if services.is_empty() => {
            say(NO_SERVICES);
        }
        Format::Text => {
            let width = services.iter().map(|listed| listed.service.as_str().len()).max().unwrap_or_default();
            let mut out = String::new();
            for listed in services {
                let state = match &listed.status {
                    _ if !listed.installed => "removed (its receipt is kept)",
                    Some(status) => status.state.as_str(),
                    None => "installed",
                };
                let user = if is_user(listed) { "  (user)" } else { "" };
                out += &format!("{:<width$}  {state}{user}\n", listed.service.as_str());
            }
            print(out);
        }
    }
}

fn list_entry(listed: &Listed) -> ListEntry<'_> {
    ListEntry {
        service: listed.service.as_str(),
        target: listed.target.as_str(),
        user: is_user(listed),
        installed: listed.installed,
        status: listed.status.as_ref(),
    }
}

fn is_user(listed: &Listed) -> bool {
    is_users(listed.scope)
}

fn is_users(scope: Scope) -> bool {
    match scope {
        Scope::System => false,
        Scope::User => true,
    }
}

#[derive(Serialize)]
struct StatusJson<'a> {
    version: u32,
    service: &'a str,
    target: &'a str,
    #[serde(flatten)]
    status: &'a ServiceStatus,
    unit: Option<&'a Text>,
    error_log: Option<&'a Text>,
    error_log_exists: bool,
    causes: &'a [Finding],
    #[serde(skip_serializing_if = "Option::is_none")]
    lingering: Option<bool>,
}

#[derive(Serialize)]
struct StatusesJson<'a> {
    version: u32,
    services: Vec<StatusJson<'a>>,
}

/// What each service is doing; gives the exit code.
pub(super) fn status(reports: &[Report], call: &Call) -> u8 {
    match call.shape.plain() {
        Format::Json => {
            let target = call.services.site.target().as_str();
            let services: Vec<StatusJson> = reports.iter().map(|report| status_json(report, target)).collect();
            match services.as_slice() {
                [only] if !call.several => print_json(only),
                _ => print_json(&StatusesJson { version: VERSION, services }),
            }
        }
        Format::Text => {
            let mut out = Styled::default();
            reports.iter().for_each(|report| add_status(&mut out, report));
            print(out);
        }
    }
    let all_run = reports.iter().all(|report| report.status.state == State::Running);
    if all_run { exit::OK } else { exit::NOT_RUNNING }
}

fn status_json<'a>(report: &'a Report, target: &'a str) -> StatusJson<'a> {
    StatusJson {
        version: VERSION,
        service: report.service.as_str(),
        target,
        status: &report.status,
        unit: report.unit.as_ref(),
        error_log: report.error_log.as_ref(),
        error_log_exists: report.error_log_exists,
        causes: &report.causes,
        lingering: report.lingering,
    }
}

fn add_status(out: &mut Styled, report: &Report) {
    let Report { service, status, unit, output, error_log, error_log_exists, causes, lingering } = report;
    out.styled(HEADING, service).plain(format_args!(": {}\n", status.state.as_str()));
    let mut row = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            out.plain(format_args!("  {key:<12} {value}\n"));
        }
    };
    row("pid", status.pid.map(|pid| pid.to_string()));
    row("since", status.since.clone());
    row("restarts", status.restarts.map(|count| count.to_string()));
    row("last result", last_result(status));
    row(
        "at boot",
        status.enabled.map(|enabled| {
            let starts = match (enabled, lingering) {
                (false, _) => "does not start",
                (true, Some(false)) => "starts at the next login, not at boot: lingering is off",
                (true, Some(true) | None) => "starts",
            };
            starts.into()
        }),
    );
    row("unit", unit.as_ref().map(ToString::to_string));
    row("output", output.as_ref().map(ToString::to_string));
    let none = if *error_log_exists { "" } else { " (none so far)" };
    row("error log", error_log.as_ref().map(|path| format!("{path}{none}")));
    for Finding { what, why, cure, .. } in causes {
        row("cause", Some(format!("{what}; {why}")));
        row("help", Some(cure.clone()));
    }
}

fn last_result(status: &ServiceStatus) -> Option<String> {
    let result = status.result.clone()?;
    Some(match status.exit_status {
        Some(code) if result != "success" => format!("{result} ({code})"),
        _ => result,
    })
}

#[derive(Serialize)]
struct DiagnosisJson<'a> {
    version: u32,
    host: &'a [Finding],
    services: Vec<ExaminedJson<'a>>,
}

#[derive(Serialize)]
struct ExaminedJson<'a> {
    service: &'a str,
    user: bool,
    findings: &'a [Finding],
}

/// What is wrong with services, and around them; gives the exit code.
pub(super) fn diagnosis(diagnosis: &Diagnosis, format: Format) -> u8 {
    match format {
        Format::Json => {
            let services = diagnosis.services.iter().map(|Examined { service, scope, findings }| ExaminedJson {
                service: service.as_str(),
                user: is_users(*scope),
                findings,
            });
            print_json(&DiagnosisJson { version: VERSION, host: &diagnosis.host, services: services.collect() });
        }
        Format::Text if diagnosis.services.is_empty() => say(NO_SERVICES),
        Format::Text => {
            let mut out = Styled::default();
            for Examined { service, findings, .. } in &diagnosis.services {
                add_findings(&mut out, service.as_str(), findings);
            }
            if !diagnosis.host.is_empty() {
                add_findings(&mut out, "this host", &diagnosis.host);
            }
            print(out);
        }
    }
    if diagnosis.is_clean() { exit::OK } else { exit::DIFFERENT }
}

fn add_findings(out: &mut Styled, of: &str, findings: &[Finding]) {
    out.styled(HEADING, of).plain(if findings.is_empty() { ": nothing is wrong\n" } else { ":\n" });
    for Finding { what, why, cure, .. } in findings {
        out.plain(format_args!("  {what}\n    {why}\n    ")).styled(HELP, "help").plain(format_args!(": {cure}\n"));
    }
}

/// What was done to each service.
pub(super) fn done(done: &AllDone) {
    print_done(done.iter().map(|(name, done)| format!("{name}: {}\n", done.as_str())).collect::<String>());
}

/// What stopping did to each service; gives the exit code.
pub(super) fn stopped(all: &AllDone) -> u8 {
    done(all);
    let is_killed = all.iter().any(|(_, done)| *done == Done::Killed);
    if is_killed { exit::FAILED } else { exit::OK }
}

/// What was removed, and what is left.
pub(super) fn removed(removal: &Removal) {
    done(&removal.done);
    say_styled(&left(removal));
}

/// What a removal has left, a line each.
fn left(removal: &Removal) -> Styled {
    let mut out = Styled::default();
    for kept in &removal.kept {
        let line = match kept {
            Kept::Receipt(name, path) => {
                format!("kept: {path} (`ManageService {name} reinstall` needs it; `--remove_install_args` removes it)")
            }
            Kept::Values(path) => format!("kept: {path} (`--remove_env_vars` removes it)"),
            Kept::DropIn(path) => format!("kept: {path} (not made by InstallService)"),
            Kept::OtherUnit(name, OtherUnit::Mask(path) | OtherUnit::Beside { path, is_mask: true, .. }) => {
                format!("kept: {path} (`{name}` is masked: nothing can be started by that name)")
            }
            Kept::OtherUnit(name, OtherUnit::InPlace { path, .. } | OtherUnit::Beside { path, .. }) => {
                format!("kept: {path} (not made by InstallService; it is what `{name}` is now)")
            }
            Kept::Lingering(user) => {
                format!(
                    "kept: lingering of {user} (`loginctl disable-linger {user}` ends it, if nothing else needs it)"
                )
            }
            Kept::ErrorLog(path) => format!("kept: {path} (its errors)"),
        };
        out.prose("kept: ".len(), line);
    }
    for (exe, reason) in &removal.withdrawn {
        match reason {
            None => out.prose("removed: ".len(), format_args!("removed: {exe}")),
            Some(reason) => out.prose("kept: ".len(), format_args!("kept: {exe} ({reason})")),
        };
    }
    out
}

/// How services were installed, as a manifest.
pub(super) fn manifest(requests: &[Request]) -> String {
    match requests {
        [only] => manifest::receipt(only),
        all => manifest::receipts(all),
    }
}

/// What is installed: each file with its contents.
pub(super) fn shown(services: &[Shown]) -> Styled {
    let mut out = Styled::default();
    for Shown { files, parameters, exposure, with_profiles } in services {
        for (path, contents) in files {
            add_section(&mut out, path, contents);
        }
        if let Some(parameters) = parameters {
            let rows: String = parameters.iter().map(|(parameter, value)| format!("{parameter} = {value}\n")).collect();
            add_section(&mut out, "parameters of NSSM", rows.as_bytes());
        }
        if let Some(score) = exposure {
            out.plain(format_args!("exposure by systemd-analyze security: {score}\n"));
        }
        for (profile, score) in with_profiles {
            out.plain(format_args!("    with `--hardening {profile}`: {score}\n"));
        }
    }
    out
}

fn add_section(out: &mut Styled, title: impl Display, contents: &[u8]) {
    out.styled(HEADING, title).plain('\n').indented(contents).plain('\n');
}

fn print_json(document: &impl Serialize) {
    output::print_json(&(serde_json::to_string_pretty(document).expect("plain data has a JSON form") + "\n"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::styled::Look;

    #[test]
    fn what_is_kept_is_wrapped_on_a_terminal_below_its_beginning() {
        let kept = vec![
            Kept::Receipt("web".parse().unwrap(), "/var/lib/install-service/web.toml".into()),
            Kept::Lingering("lab".to_owned()),
        ];
        let left = left(&Removal { done: Vec::new(), kept, withdrawn: Vec::new() });
        let look = Look { is_terminal: true, has_styles: false, width: Some(60) };
        assert_eq!(
            String::from_utf8(left.rendered(look)).unwrap(),
            "kept: /var/lib/install-service/web.toml\n      \
                (`ManageService web reinstall` needs it;\n      \
                `--remove_install_args` removes it)\n\
             kept: lingering of lab (`loginctl disable-linger lab` ends\n      \
                it, if nothing else needs it)\n"
        );
        assert_eq!(String::from_utf8(left.without_styles()).unwrap().lines().count(), 2);
    }
}
