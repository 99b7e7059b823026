//! What is known of a service of systemd that does not run as it should.

use std::path::Path;

use super::{Properties, Written, parse_show};
use crate::diagnose::program::ProgramFile;
use crate::diagnose::refused::{self, Line};
use crate::diagnose::start::{Directory, Known};
use crate::diagnose::{Finding, said};
use crate::host::environment::non_empty;
use crate::host::facts::Host;
use crate::host::files;
use crate::host::reading::{self, Limit, Links};
use crate::host::state::Kept;
use crate::host::text::path as to_path;
use crate::host::{ports, privilege, process, program_file};
use crate::manifest::{Manifest, Request};
use crate::model::facts::{Facts, PathKind};
use crate::model::invocation::Invocation;
use crate::model::name::ServiceName;
use crate::model::place::Place;
use crate::model::site::Site;
use crate::model::spec::Scope;
use crate::model::status::ServiceStatus;
use crate::model::text::Text;

/// What a service runs, as systemd has it: with what drop-ins say.
#[derive(Debug, Default)]
pub struct Runs {
    /// The path of the program.
    pub program: Option<Text>,
    /// The command in one line.
    pub command: String,
    /// The account, where that is not root.
    pub account: Option<String>,
    /// Where it runs.
    pub directory: Option<Text>,
    /// The lines of the unit and of its drop-ins that count.
    pub lines: Vec<Line>,
}

/// What `name` runs. Nothing is known where systemd does not answer.
pub fn runs(name: &ServiceName, place: &Place, scope: Scope) -> Runs {
    let ask = |words: &[&str]| {
        let unit = name.unit();
        let words = ["show", "--no-pager"].iter().chain(words).copied().chain([unit.as_str()]);
        process::answer(&Invocation::systemctl(scope, words), &[]).map(|outcome| outcome.text()).unwrap_or_default()
    };
    // A path with a line break is a line of its own in an answer, so what can hold one is asked for by itself.
    let (program, command) = command_of(&ask(&["--property=ExecStart", "--value"]));
    let properties = parse_show(&ask(&["--property=FragmentPath,DropInPaths,User,WorkingDirectory"]));
    let properties = properties.into_iter().next().unwrap_or_default();
    let get = |key: &str| properties.get(key).map(String::as_str).unwrap_or_default();
    let account = match scope {
        Scope::System => Some(get("User").to_owned()).filter(|user| !matches!(user.as_str(), "" | "root" | "0")),
        Scope::User => privilege::user_name(),
    };
    let directory = get("WorkingDirectory").trim_start_matches(['-', '!']);
    Runs {
        program,
        command,
        account,
        directory: (directory.starts_with('/')).then(|| directory.into()),
        lines: marked(lines_of(&properties), &table(name, place)),
    }
}

/// The path and the words in an answer such as `{ path=/bin/sh ; argv[]=/bin/sh -c true ; ignore_errors=no ; ...`.
fn command_of(answer: &str) -> (Option<Text>, String) {
    let Some((path, rest)) = answer.split_once("{ path=").and_then(|(_, rest)| rest.split_once(" ; argv[]=")) else {
        return (None, String::new());
    };
    let words = rest.split_once(" ; ignore_errors=").map_or(rest, |(words, _)| words);
    (Some(path.into()), words.trim_end().to_owned())
}

/// The lines of the unit and of its drop-ins, which systemd names in the order in which it reads them.
fn lines_of(properties: &Properties) -> Vec<Line> {
    let get = |key: &str| properties.get(key).map(String::as_str).unwrap_or_default();
    let unit = Some(get("FragmentPath")).filter(|path| !path.is_empty()).into_iter().map(|path| (path, false));
    let drop_ins = get("DropInPaths").split_whitespace().map(|path| (path, true));
    let texts: Vec<(Text, bool, String)> = unit
        .chain(drop_ins)
        .filter_map(|(path, drop_in)| {
            let path = Text::from(path);
            let text = reading::whole_text(&path, Links::Followed, Limit::TEXT).ok()?;
            Some((path, drop_in, text))
        })
        .collect();
    refused::lines(texts.iter().map(|(path, drop_in, text)| (path, *drop_in, text.as_str())))
}

/// The directives that the `systemd` table of a service says, by its receipt.
fn table(name: &ServiceName, place: &Place) -> Vec<String> {
    let request = receipt(name, place);
    let keys = request.iter().flat_map(|request| request.systemd.keys());
    // `Unit.OnFailure` names its section.
    keys.map(|key| key.rsplit('.').next().unwrap_or(key).to_owned()).collect()
}

fn marked(mut lines: Vec<Line>, table: &[String]) -> Vec<Line> {
    lines.iter_mut().for_each(|line| line.in_table = !line.drop_in && table.contains(&line.name));
    lines
}

/// How a service was installed, where its receipt tells.
pub(super) fn receipt(name: &ServiceName, place: &Place) -> Option<Request> {
    // An instance is as its template was installed.
    let template = name.template().filter(|_| !files::is_there(&place.receipt(name)));
    let name = template.as_ref().unwrap_or(name);
    let path = place.receipt(name);
    let found = Kept::open(&place.state_dir).and_then(|kept| kept.believed(&path)).ok()??;
    let manifest = Manifest::parse_receipt(&String::from_utf8_lossy(&found.contents), &path.to_string()).ok()?;
    manifest.services().into_iter().find(|request| request.name.as_deref() == Some(name.as_str()))
}

/// What is known of a service, with what it wrote last.
pub(super) fn known(name: &ServiceName, place: &Place, scope: Scope, log: &Written) -> Known {
    let Runs { program, command, account, directory, lines } = runs(name, place, scope);
    let host = Host::default();
    let program: Option<ProgramFile> = program.map(|path| program_file::look(&path, account.as_deref()));
    let directory = directory.map(|path| Directory {
        is_there: !matches!(host.path_kind(&path), Some(PathKind::Missing)),
        closed: account.as_ref().and_then(|account| host.closed_to(account, &path)),
        path,
    });
    let mut known = Known {
        service: name.to_string(),
        user: scope == Scope::User,
        program,
        command,
        account,
        machine: program_file::machine(),
        lines,
        directory,
        said: said::last_run(&log.journal, scope == Scope::User) + "\n" + &log.file,
        found: None,
        libraries: None,
        holder: None,
    };
    known.found = known.wanted().and_then(|wanted| host.find_program(&wanted.as_str().into()));
    known.holder = known.port_in_use().and_then(ports::holder);
    known.libraries = said::missing_library(&known.said).and_then(|library| directories_of(&library));
    known
}

/// Why a service has failed, with what it wrote last.
pub(in crate::managers) fn causes(
    name: &ServiceName,
    site: &Site,
    status: &ServiceStatus,
    log: &Written,
) -> Vec<Finding> {
    known(name, &site.place, site.scope(), log).causes(status)
}

/// The caller's `LD_LIBRARY_PATH`, if it leads to the library.
fn directories_of(library: &str) -> Option<Text> {
    let directories = non_empty("LD_LIBRARY_PATH")?;
    let mut each = directories.as_bytes().split(|byte| matches!(byte, b':' | b';')).map(Text::from_bytes);
    each.any(|directory| Path::join(&to_path(&directory), library).exists()).then_some(directories)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_table_says_is_marked() {
        let unit = "/u/web.service".into();
        let lines = refused::lines([(&unit, false, "[Service]\nProtectSystem=strict\nNoNewPrivileges=yes\n")]);
        let marked = marked(lines, &["ProtectSystem".to_owned()]);
        assert_eq!(marked.iter().map(|line| line.in_table).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn the_program_is_read_from_the_answer_of_systemctl() {
        let answer = "{ path=/bin/sh ; argv[]=/bin/sh -c sleep 1 & ; ignore_errors=no ; start_time=[n/a] ; pid=0 }\n";
        let (path, words) = command_of(answer);
        assert_eq!(path.unwrap().to_string(), "/bin/sh");
        assert_eq!(words, "/bin/sh -c sleep 1 &");
        assert_eq!(command_of("\n"), (None, String::new()));
    }
}
