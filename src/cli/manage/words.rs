//! The words for what came of ManageService.

use std::fmt::Display;

use serde::Serialize;

use super::Call;
use crate::cli::Format;
use crate::cli::output::{self, HEADING, HELP, advise, print, print_done, say, say_styled};
use crate::cli::styled::Styled;
use crate::commands::doctor::{Diagnosis, Examined};
use crate::commands::list::Listed;
use crate::commands::show::Shown;
use crate::commands::status::Report;
use crate::commands::upgrade::Upgrade;
use crate::commands::verbs::{AllDone, Done, Kept, Removal};
use crate::diagnose::Finding;
use crate::error::exit;
use crate::manifest::{self, Request};
use crate::model::name::ServiceName;
use crate::model::observed::OtherUnit;
use crate::model::spec::Scope;
use crate::model::status::{ServiceStatus, State};
use crate::model::text::Text;

/// The version of the JSON that is printed; it grows when a key changes its meaning.
const VERSION: u32 = 1;

/// How far in a line goes on that a terminal is too narrow for.
const FURTHER_IN: usize = 2;
/// How far behind the beginning of its key a value of a status begins.
const VALUES: usize = "last result  ".len();

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
    adopted: bool,
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
                    _ if !listed.installed && listed.adopted => "removed (what it was before it was adopted is kept)",
                    _ if !listed.installed => "removed (its receipt is kept)",
                    Some(status) => status.state.as_str(),
                    None => "installed",
                };
                let user = if is_user(listed) { "  (user)" } else { "" };
                let adopted = if listed.installed && listed.adopted { "  (adopted)" } else { "" };
                let next = listed.status.as_ref().and_then(|status| status.next.as_deref());
                let next = next.map(|next| format!(", next run {next}")).unwrap_or_default();
                out += &format!("{:<width$}  {state}{next}{user}{adopted}\n", listed.service.as_str());
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
        adopted: listed.adopted,
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
    let mut services =
        reports.iter().map(|report| report.status.state).filter(|state| *state != State::Template).peekable();
    let all_run = services.peek().is_some() && services.all(|state| matches!(state, State::Running | State::Waiting));
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
    row("next run", status.next.clone());
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
        for (key, value) in [("cause", format!("{what}; {why}")), ("help", cure.clone())] {
            out.advice(VALUES, format_args!("  {key:<12} {value}"));
        }
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
    removed: bool,
    findings: &'a [Finding],
}

/// What is wrong with services, and around them; gives the exit code.
pub(super) fn diagnosis(diagnosis: &Diagnosis, format: Format) -> u8 {
    match format {
        Format::Json => {
            let services = diagnosis.services.iter().map(|Examined { service, scope, removed, findings }| {
                ExaminedJson { service: service.as_str(), user: is_users(*scope), removed: *removed, findings }
            });
            print_json(&DiagnosisJson { version: VERSION, host: &diagnosis.host, services: services.collect() });
        }
        Format::Text if diagnosis.services.is_empty() => say(NO_SERVICES),
        Format::Text => {
            let mut out = Styled::default();
            for Examined { service, removed, findings, .. } in &diagnosis.services {
                match removed {
                    true => add_removed(&mut out, service),
                    false => add_findings(&mut out, service.as_str(), findings),
                }
            }
            if !diagnosis.host.is_empty() {
                add_findings(&mut out, "this host", &diagnosis.host);
            }
            print(out);
        }
    }
    if diagnosis.is_clean() { exit::OK } else { exit::DIFFERENT }
}

fn add_removed(out: &mut Styled, service: &ServiceName) {
    let mut line = Styled::default();
    line.styled(HEADING, service)
        .plain(format_args!(": it was removed; `ManageService {service} reinstall` brings it back"));
    out.advice(FURTHER_IN, line);
}

fn add_findings(out: &mut Styled, of: &str, findings: &[Finding]) {
    out.styled(HEADING, of).plain(if findings.is_empty() { ": nothing is wrong\n" } else { ":\n" });
    for Finding { what, why, cure, .. } in findings {
        let mut help = Styled::default();
        help.plain("    ").styled(HELP, "help").plain(format_args!(": {cure}"));
        out.prose(FURTHER_IN, format_args!("  {what}"));
        out.prose(FURTHER_IN, format_args!("    {why}"));
        out.advice("help: ".len(), help);
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

/// What was given back, and what runs on as it was started.
pub(super) fn released(all: &AllDone, running: &[ServiceName], scope: Scope) {
    done(all);
    let systemctl = if is_users(scope) { "systemctl --user" } else { "sudo systemctl" };
    running.iter().for_each(|name| {
        advise(format!("what runs goes on as it was started; `{systemctl} restart {name}` runs what is there now"));
    });
}

/// What was removed, and what is left.
pub(super) fn removed(removal: &Removal) {
    done(&removal.done);
    say_styled(&left(removal));
}

/// Says whether the services have a newer `nssm.exe`, and gives the exit code.
pub(super) fn upgraded(upgrade: &Upgrade) -> u8 {
    match upgrade {
        Upgrade::Unchanged => print("unchanged: nssm.exe\n"),
        Upgrade::Done(restarted) => {
            let restarted: String = restarted.iter().map(|name| format!("restarted: {name}\n")).collect();
            print(format!("upgraded: nssm.exe\n{restarted}"));
        }
        Upgrade::RunAgain(code) => return *code,
    }
    exit::OK
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
            Kept::Original(name, path) => {
                format!(
                    "kept: {path} (what `{name}` was before it was adopted; `ManageService {name} release` gives it back)"
                )
            }
            Kept::OtherUnit(
                name,
                OtherUnit::InPlace { path, .. } | OtherUnit::Link { path, .. } | OtherUnit::Beside { path, .. },
            ) => {
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
    use crate::diagnose::Kind;

    #[test]
    fn what_is_kept_is_wrapped_on_a_terminal_below_its_beginning() {
        let kept = vec![
            Kept::Receipt("web".parse().unwrap(), "/var/lib/install-service/web.toml".into()),
            Kept::Lingering("lab".to_owned()),
        ];
        let left = left(&Removal { done: Vec::new(), kept, withdrawn: Vec::new() });
        let look = Look { is_terminal: true, width: Some(60), ..Look::default() };
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

    /// What a terminal of 60 columns shows.
    fn shown(out: &Styled) -> String {
        let look = Look { is_terminal: true, width: Some(60), ..Look::default() };
        String::from_utf8(out.rendered(look)).expect("plain text")
    }

    fn found() -> Finding {
        Finding::new(
            Kind::CarriageReturn,
            "the first line of `/srv/run.sh` ends with a carriage return, as on Windows",
            "the carriage return belongs to the name of the interpreter then, and there is none of that name",
            r"`sed -i 's/\r$//' /srv/run.sh` makes its lines end as on Linux",
        )
    }

    #[test]
    fn a_finding_is_wrapped_and_its_command_stands_by_itself() {
        let mut out = Styled::default();
        add_findings(&mut out, "web", &[found()]);
        assert_eq!(
            shown(&out),
            "web:\n\
             \x20 the first line of `/srv/run.sh` ends with a carriage\n\
             \x20   return, as on Windows\n\
             \x20   the carriage return belongs to the name of the\n\
             \x20     interpreter then, and there is none of that name\n\
             \x20   help:\n\
             \x20             sed -i 's/\\r$//' /srv/run.sh\n\
             \x20         makes its lines end as on Linux\n"
        );
    }

    #[test]
    fn a_cause_of_a_status_is_wrapped_behind_its_key() {
        let report = Report {
            service: "web".parse().expect("a name"),
            status: ServiceStatus { state: State::Failed, ..ServiceStatus::not_installed() },
            unit: None,
            output: None,
            error_log: None,
            error_log_exists: false,
            causes: vec![found()],
            lingering: None,
        };
        let mut out = Styled::default();
        add_status(&mut out, &report);
        let shown = shown(&out);
        assert!(shown.lines().all(|line| line.len() <= 60), "{shown}");
        assert!(shown.lines().any(|line| line.trim() == r"sed -i 's/\r$//' /srv/run.sh"), "{shown}");
    }
}
