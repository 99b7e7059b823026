//! RunService: stands between NSSM and a program, and leaves an error log behind when the program fails.
//!
//! NSSM 2.24 has no hook that runs when a program ends. So it is this that NSSM starts, with the words
//! `[--no-error-log] [--log-keep N] [--stop-command COUNT WORD...] [--environment-file FILE]... NAME OUTPUT PROGRAM
//! [ARGUMENT]...`: whether the program does that itself, how many logs are kept that were set aside, what asks the program
//! to end, files with variables for the program alone, the service, the file that NSSM writes its output to, and what to run. The program has the command line that NSSM would
//! have given it, to the last quote, and all the rest it inherits. What stands here has to go on understanding those
//! words: services keep them in the registry.
//!
//! The batches of an export call it, too, with `--guard DIRECTORY` and `--print FILE`: no service has such a name.

mod aside;
mod batch;
mod program;
mod report;
#[cfg(windows)]
mod stop;
mod variables;

use std::ffi::OsString;

use crate::host::files;
use crate::host::text::text;
use crate::managers::log_file::Mark;
use crate::model::place;
use crate::model::runner_order::RunnerOrder;
use crate::model::text::Text;
use crate::render::escape::{AppParameters, TargetArg};
use program::{End, Program};

/// What a wrong command line ends with: nobody types one, and NSSM shows it as the service's own.
const USAGE: i32 = 2;

/// What there is to run.
#[derive(Debug, PartialEq, Eq)]
struct Order {
    words: RunnerOrder,
    /// The arguments as `AppParameters` would hold them.
    line: AppParameters,
}

impl Order {
    fn read(argv: &[OsString]) -> Result<Self, String> {
        let words = RunnerOrder::read(argv.iter().skip(1).map(text))?;
        let encoded: Result<Vec<TargetArg>, _> = words.arguments.iter().map(TargetArg::new).collect();
        let line =
            encoded.and_then(|words| AppParameters::new(&words)).map_err(|fault| format!("the arguments: {fault}"))?;
        Ok(Self { words, line })
    }
}

/// Runs the command `RunService` with this argv and gives its exit code, which is that of the program; or does for a batch
/// what cmd.exe cannot.
pub fn run(argv: &[OsString]) -> i32 {
    if let [_, word, path] = argv
        && let Some(done) = batch::help(word, &text(path))
    {
        return done;
    }
    let order = match Order::read(argv) {
        Ok(order) => order,
        Err(reason) => {
            program::say(&format!("error: {reason}"));
            return USAGE;
        }
    };
    let Order { words, line } = &order;
    let RunnerOrder { service, program, .. } = words;
    let mark = Mark::now(&words.output);
    if let Some(keep) = words.log_keep {
        aside::keep(&words.output, keep);
    }
    let variables = match variables::read(&words.variables) {
        Ok(variables) => variables,
        Err(reason) => {
            tell(words, &report::without_variables(service, &reason), &mark);
            return USAGE;
        }
    };
    match Program::start(words, line, &variables).and_then(Program::wait) {
        Ok(End { code, asked }) => {
            if report::is_failure(code) && !asked {
                tell(words, &report::ended(service, code), &mark);
            }
            code.cast_signed()
        }
        Err(error) => {
            tell(words, &report::not_started(service, program, &error), &mark);
            // Such as 2, which `net helpmsg 2` explains.
            error.raw_os_error().unwrap_or(USAGE)
        }
    }
}

/// Says how the program ended, and adds it with the last lines of its output to the error log in our directory.
fn tell(RunnerOrder { service, output, error_log, .. }: &RunnerOrder, what: &str, mark: &Mark) {
    // NSSM writes this line behind all that the program has printed: what is in front of it is complete.
    program::say(what);
    if !error_log {
        return;
    }
    // Where its output goes nowhere, there is nothing to wait for.
    let printed = if output.is_empty() { Vec::new() } else { mark.printed_before(what, output) };
    let entry = report::entry(&program::time(), what, &printed);
    let path = Text::from(place::error_log(service));
    if let Err(error) = files::append(&path, &entry, report::LIMIT) {
        program::say(&format!("cannot write the error log `{path}`: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_program_is_what_nssm_would_have_given() {
        let words = ["RunService", "web", "", r"C:\a b\web.exe", "x y", "%PATH%", "", r#"q"\"#];
        let order = Order::read(&words.map(OsString::from)).unwrap();
        assert_eq!((order.words.service.as_str(), order.words.program), ("web", r"C:\a b\web.exe".into()));
        assert_eq!(order.line.as_text(), r#""x y" ""%"PATH"%"" "" "q\"\\""#.into());
    }
}
