//! Scripts as the program of a service on Windows, which starts executables alone.

use super::check::Check;
use crate::error::Fault;
use crate::model::facts::{Facts, PathKind};
use crate::model::platform::Platform;
use crate::model::run_by::{POWERSHELL, RunBy};
use crate::model::spec::{Argument, Run, Target};
use crate::model::text::Text;

impl<F: Facts> Check<'_, F> {
    /// What is started to run the file `path` with these arguments: itself, or what runs files of its kind. Linux goes
    /// by the first line of a script.
    pub(super) fn started(&mut self, path: Text, arguments: Vec<Argument>, python: Option<&Text>) -> Option<Run> {
        let run_by = match self.target {
            Target::Systemd => None,
            Target::Nssm => RunBy::of(&path),
        };
        let Some(run_by) = run_by else { return Some(Run::Executable { path, arguments }) };
        let Some(program) = self.runs(run_by, python) else {
            let typed = Platform::Windows.typed(std::slice::from_ref(&path));
            let reason = format!("Windows does not start it by itself, and `{}` is not on PATH here", run_by.program);
            let help = format!("name what runs it in front, by its absolute path: `-- {} {typed}`", run_by.typed());
            self.fault(Fault::new("executable", reason).given(&path).help(help));
            return None;
        };
        self.note(format!("Windows does not start `{path}` by itself: `{program}` runs it"));
        let words = run_by.words.iter().map(|word| Text::from(*word)).chain([path]).map(Argument::Literal);
        Some(Run::Executable { path: program, arguments: words.chain(arguments).collect() })
    }

    /// Where the program is that runs such files.
    fn runs(&self, run_by: RunBy, python: Option<&Text>) -> Option<Text> {
        if run_by.is_python() {
            return python.cloned().or_else(|| self.facts.interpreter());
        }
        self.facts.find_program(&run_by.program.into()).or_else(|| {
            let powershell = Text::from(POWERSHELL);
            let is_it = run_by.program == "powershell.exe";
            // Of another host nothing is known but that it has this.
            (is_it && self.facts.path_kind(&powershell) != Some(PathKind::Missing)).then_some(powershell)
        })
    }
}
