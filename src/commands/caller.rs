//! What the shell of whoever installs has, and a service will not.

use super::install::Installation;
use crate::diagnose::caller::{OF_SESSIONS, Shell};
use crate::diagnose::elf::{Elf, Needs};
use crate::diagnose::program::{ProgramFile, Runs};
use crate::host::environment::non_empty;
use crate::host::facts::Host;
use crate::host::reading::{self, Limit, Links};
use crate::host::text::path as to_path;
use crate::host::{account, files, program_file};
use crate::model::facts::Facts;
use crate::model::spec::{Argument, Run, Scope, ServiceSpec};
use crate::model::text::Text;

/// Where the loader looks in any case (ld.so(8)), besides what `ld.so.conf` names.
const USUAL: [&str; 4] = ["/lib", "/usr/lib", "/lib64", "/usr/lib64"];

impl Installation {
    /// What will be otherwise in a service of this host than in the caller's shell, as far as that can be seen now.
    pub(super) fn otherwise_than_here(spec: &ServiceSpec) -> Vec<String> {
        let account = spec.account.as_deref().filter(|account| *account != "root");
        let Some(path) = spec.run.program() else { return Vec::new() };
        let program = program_file::look(path, account);
        let is_given = |name: &str| spec.environment.keys().chain(&spec.secrets).any(|given| given.as_str() == name);
        let is_executable = !matches!(spec.run, Run::Python { .. });
        let names = OF_SESSIONS.iter().map(|(name, _)| *name);
        let directories = non_empty("LD_LIBRARY_PATH").filter(|_| !is_given("LD_LIBRARY_PATH"));
        let is_closed = |path: &Text| account.is_some_and(|account| Host::default().closed_to(account, path).is_some());
        let in_homes = [path, &spec.working_directory].into_iter().filter_map(|path| {
            let owner = account::owner_of_home(path)?;
            let is_another = account.is_some_and(|account| account != owner);
            // Where it is closed now, that is said already.
            (is_another && !is_closed(path)).then(|| (path.clone(), owner))
        });
        let shell = Shell {
            runs: Runs { service: spec.name.as_str(), account, machine: program_file::machine() },
            user: spec.scope == Scope::User,
            texts: if is_executable { texts(spec, path) } else { Vec::new() },
            variables: names.filter(|name| non_empty(name).is_some() && !is_given(name)).collect(),
            libraries: directories.map(|directories| (directories.clone(), only_by(&directories, &program))),
            environment: ["VIRTUAL_ENV", "CONDA_PREFIX"].into_iter().find_map(non_empty).filter(|_| is_executable),
            in_homes: in_homes.collect(),
            program: &program,
        };
        shell.notes()
    }
}

/// The texts that a service runs: its program where that is a script, the script that an interpreter is given, and what
/// stands behind a `-c`.
fn texts(spec: &ServiceSpec, program: &Text) -> Vec<String> {
    let arguments: Vec<&Text> = spec.run.arguments().iter().map(Argument::text).collect();
    let inline = arguments.windows(2).filter(|pair| pair[0].as_bytes() == b"-c");
    let mut texts: Vec<String> = inline.filter_map(|pair| pair[1].as_str().map(str::to_owned)).collect();
    let scripts = arguments.into_iter().filter(|word| word.as_bytes().starts_with(b"/"));
    for path in std::iter::once(program).chain(scripts.take(1)) {
        texts.extend(reading::whole_text(path, Links::Followed, Limit::SYSTEM));
    }
    texts
}

/// The libraries that a program needs and that are found in `directories` alone.
fn only_by(directories: &Text, program: &ProgramFile) -> Vec<String> {
    let Ok(mut file) = reading::open(&program.path, Links::Followed) else { return Vec::new() };
    let Some(elf) = Elf::of(&mut file) else { return Vec::new() };
    let Needs { libraries: needed, paths: own } = elf.needs(&mut file).unwrap_or_default();
    let here = |directory: &Text, library: &str| to_path(directory).join(library).is_file();
    let listed: Vec<Text> = directories
        .as_bytes()
        .split(|byte| matches!(byte, b':' | b';'))
        .filter(|directory| !directory.is_empty())
        .map(Text::from_bytes)
        .collect();
    let origin = files::parent(&program.path).unwrap_or_default().to_string();
    let own = own.iter().map(|path| path.replace("$ORIGIN", &origin).replace("${ORIGIN}", &origin).into());
    let usual: Vec<Text> = own.chain(USUAL.map(Text::from)).chain(configured()).collect();
    let is_only_there = |library: &String| {
        listed.iter().any(|directory| here(directory, library))
            && !usual.iter().any(|directory| here(directory, library))
    };
    needed.into_iter().filter(is_only_there).collect()
}

/// The directories that the administrator names for libraries (ldconfig(8)).
fn configured() -> Vec<Text> {
    let more = files::list(&"/etc/ld.so.conf.d".into()).into_iter().map(crate::host::text::text);
    let texts = std::iter::once("/etc/ld.so.conf".into()).chain(more);
    let texts = texts.filter_map(|path: Text| reading::whole_text(&path, Links::Followed, Limit::SYSTEM).ok());
    let lines = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    lines.filter(|line| line.starts_with('/')).map(|line| Text::from(line.trim())).collect()
}
