//! RunService: stands between NSSM and a program, and leaves an error log behind when the program fails.
//!
//! NSSM 2.24 has no hook that runs when a program ends. So it is this that NSSM starts, with the words
//! `[--environment-file FILE]... NAME OUTPUT PROGRAM [ARGUMENT]...`: files with variables for the program alone, the
//! service, the file that NSSM writes its output to, and what to run. The program has the command line that NSSM would
//! have given it, to the last quote, and all the rest it inherits. What stands here has to go on understanding those
//! words: services keep them in the registry.
//!
//! The batches of an export call it, too, with `--guard DIRECTORY` and `--print FILE`: no service has such a name.

mod batch;
mod program;
mod report;
mod variables;

use std::ffi::OsString;

use crate::host::files;
use crate::host::text::text;
use crate::managers::log_file::Mark;
use crate::model::name::ServiceName;
use crate::model::place;
use crate::model::text::Text;
use crate::render::escape::{AppParameters, TargetArg};
use program::{End, Program};

/// What a wrong command line ends with: nobody types one, and NSSM shows it as the service's own.
const USAGE: i32 = 2;

/// What there is to run.
#[derive(Debug, PartialEq, Eq)]
struct Order {
    /// Files with variables for the program, behind a `-` if one may be missing.
    variables: Vec<Text>,
    service: ServiceName,
    output: Text,
    program: Text,
    arguments: Vec<Text>,
    /// The arguments as `AppParameters` would hold them.
    line: AppParameters,
}

impl Order {
    fn read(argv: &[OsString]) -> Result<Self, String> {
        let mut words = argv.iter().skip(1).map(text).peekable();
        let mut variables = Vec::new();
        while words.next_if(|word| word.as_bytes() == place::ENVIRONMENT_FILE_OF_RUNNER.as_bytes()).is_some() {
            variables.extend(words.next());
        }
        let (Some(service), Some(output), Some(program)) = (words.next(), words.next(), words.next()) else {
            return Err("NSSM runs it for a service: RunService NAME OUTPUT PROGRAM [ARGUMENT]...".to_owned());
        };
        let service =
            service.to_string().parse().map_err(|fault| format!("`{service}` is no name of a service: {fault}"))?;
        let arguments: Vec<Text> = words.collect();
        let encoded: Result<Vec<TargetArg>, _> = arguments.iter().map(TargetArg::new).collect();
        let line =
            encoded.and_then(|words| AppParameters::new(&words)).map_err(|fault| format!("the arguments: {fault}"))?;
        Ok(Self { variables, service, output, program, arguments, line })
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
    let mark = Mark::now(&order.output);
    let Order { service, program, arguments, line, .. } = &order;
    let variables = match variables::read(&order.variables) {
        Ok(variables) => variables,
        Err(reason) => {
            tell(&order, &report::without_variables(service, &reason), &mark);
            return USAGE;
        }
    };
    match Program::start(service, program, arguments, line, variables).and_then(Program::wait) {
        Ok(End { code, asked }) => {
            if report::is_failure(code) && !asked {
                tell(&order, &report::ended(service, code), &mark);
            }
            code.cast_signed()
        }
        Err(error) => {
            tell(&order, &report::not_started(service, program, &error), &mark);
            // Such as 2, which `net helpmsg 2` explains.
            error.raw_os_error().unwrap_or(USAGE)
        }
    }
}

/// Says how the program ended, and adds it with the last lines of its output to the error log in our directory.
fn tell(Order { service, output, .. }: &Order, what: &str, mark: &Mark) {
    // NSSM writes this line behind all that the program has printed: what is in front of it is complete.
    program::say(what);
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

    fn order(words: &[&str]) -> Result<Order, String> {
        Order::read(&std::iter::once(&"RunService").chain(words).map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_line_of_the_program_is_what_nssm_would_have_given() {
        let order = order(&["web", r"C:\st\web_output.log", r"C:\a b\web.exe", "x y", "%PATH%", "", r#"q"\"#]).unwrap();
        assert_eq!((order.service.as_str(), order.program), ("web", r"C:\a b\web.exe".into()));
        assert_eq!(order.line.as_text(), r#""x y" ""%"PATH"%"" "" "q\"\\""#.into());
    }

    #[test]
    fn files_with_variables_stand_in_front() {
        let file = place::ENVIRONMENT_FILE_OF_RUNNER;
        let order = order(&[file, r"C:\st\web.env", file, "-C:\\own.env", "web", "", "web.exe", file]).unwrap();
        assert_eq!(order.variables, [r"C:\st\web.env".into(), r"-C:\own.env".into()]);
        assert_eq!((order.service.as_str(), order.arguments), ("web", vec![file.into()]));
    }

    #[test]
    fn what_nobody_should_type_is_refused() {
        assert!(order(&["web", "out"]).unwrap_err().contains("NAME OUTPUT PROGRAM"));
        assert!(order(&["a/b", "out", "web.exe"]).unwrap_err().starts_with("`a/b` is no name of a service: "));
    }
}
