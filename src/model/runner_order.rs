//! [`RunnerOrder`]: the words that RunService is given, in the order in which it takes them.
//!
//! Services keep them in the registry, so what is read here once, is read for ever.

use super::name::ServiceName;
use super::text::Text;

/// The word in front of a file with variables for the program alone.
const ENVIRONMENT_FILE: &str = "--environment-file";

/// The word that leaves the error log to the program.
const NO_ERROR_LOG: &str = "--no-error-log";

/// The word in front of how many logs are kept that were set aside.
const LOG_KEEP: &str = "--log-keep";

/// The word in front of a command that asks the program to end, and of the number of words that it has.
const STOP_COMMAND: &str = "--stop-command";

/// What RunService is told: `[--no-error-log] [--log-keep N] [--stop-command COUNT WORD...] [--environment-file FILE]...
/// NAME OUTPUT PROGRAM [ARGUMENT]...`. No service has a name that begins with a dash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunnerOrder {
    /// Whether it leaves an error log behind; a Python program does that itself.
    pub error_log: bool,
    /// How many logs are kept that NSSM has set aside; `None` is all of them.
    pub log_keep: Option<u32>,
    /// What asks the program to end in the place of Ctrl-C, a program and its arguments; empty where nothing does.
    pub stop_command: Vec<Text>,
    /// Files with variables for the program, behind a `-` if one may be missing.
    pub variables: Vec<Text>,
    /// The service.
    pub service: ServiceName,
    /// The file that NSSM writes the program's errors to; empty where it writes none.
    pub output: Text,
    /// What to run.
    pub program: Text,
    /// What it is given.
    pub arguments: Vec<Text>,
}

impl RunnerOrder {
    /// The order that these words are.
    ///
    /// # Errors
    /// What is missing, or is no name of a service.
    pub fn read(words: impl IntoIterator<Item = Text>) -> Result<Self, String> {
        let mut words = words.into_iter().peekable();
        let error_log = words.next_if(|word| word.as_bytes() == NO_ERROR_LOG.as_bytes()).is_none();
        let mut log_keep = None;
        if words.next_if(|word| word.as_bytes() == LOG_KEEP.as_bytes()).is_some() {
            let number = words.next().unwrap_or_default().to_string();
            log_keep = Some(number.parse().map_err(|_| format!("`{LOG_KEEP}` `{number}`: must be a number"))?);
        }
        let mut stop_command = Vec::new();
        if words.next_if(|word| word.as_bytes() == STOP_COMMAND.as_bytes()).is_some() {
            let count = words.next().unwrap_or_default().to_string();
            let count = count.parse().map_err(|_| format!("`{STOP_COMMAND}` `{count}`: must be a number of words"))?;
            stop_command.extend(words.by_ref().take(count));
        }
        let mut variables = Vec::new();
        while words.next_if(|word| word.as_bytes() == ENVIRONMENT_FILE.as_bytes()).is_some() {
            variables.extend(words.next());
        }
        let (Some(service), Some(output), Some(program)) = (words.next(), words.next(), words.next()) else {
            return Err("NSSM runs it for a service: RunService NAME OUTPUT PROGRAM [ARGUMENT]...".to_owned());
        };
        let service =
            service.to_string().parse().map_err(|fault| format!("`{service}` is no name of a service: {fault}"))?;
        Ok(Self { error_log, log_keep, stop_command, variables, service, output, program, arguments: words.collect() })
    }

    /// The words of this order in front of the arguments.
    pub fn front(&self) -> Vec<Text> {
        let error_log = (!self.error_log).then(|| NO_ERROR_LOG.into());
        let variables = self.variables.iter().flat_map(|file| [ENVIRONMENT_FILE.into(), file.clone()]);
        let log_keep = self.log_keep.into_iter().flat_map(|keep| [LOG_KEEP.into(), keep.to_string().into()]);
        let count = (!self.stop_command.is_empty()).then(|| self.stop_command.len().to_string().into());
        let stop =
            count.into_iter().flat_map(|count: Text| [STOP_COMMAND.into(), count]).chain(self.stop_command.clone());
        let words = error_log.into_iter().chain(log_keep).chain(stop).chain(variables);
        words.chain([self.service.as_str().into(), self.output.clone(), self.program.clone()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(words: &[&str]) -> Result<RunnerOrder, String> {
        RunnerOrder::read(words.iter().map(|word| Text::from(*word)))
    }

    #[test]
    fn files_with_variables_stand_in_front() {
        let words = [
            NO_ERROR_LOG,
            LOG_KEEP,
            "3",
            STOP_COMMAND,
            "2",
            r"C:\nginx.exe",
            ENVIRONMENT_FILE,
            ENVIRONMENT_FILE,
            r"C:\st\web.env",
            ENVIRONMENT_FILE,
            r"-C:\own.env",
            "web",
            "",
            r"C:\web.exe",
            ENVIRONMENT_FILE,
        ];
        let order = order(&words).unwrap();
        assert_eq!((order.error_log, order.log_keep), (false, Some(3)));
        assert_eq!(order.stop_command, [r"C:\nginx.exe", ENVIRONMENT_FILE].map(Text::from));
        assert_eq!(order.variables, [r"C:\st\web.env".into(), r"-C:\own.env".into()]);
        assert_eq!((order.service.as_str(), &order.arguments[..]), ("web", &[ENVIRONMENT_FILE.into()][..]));
        assert_eq!(order.front(), words[..14].iter().map(|word| Text::from(*word)).collect::<Vec<_>>());
    }

    #[test]
    fn what_nobody_should_type_is_refused() {
        assert!(order(&["web", "out"]).unwrap_err().contains("NAME OUTPUT PROGRAM"));
        assert_eq!(order(&[LOG_KEEP, "x"]), Err("`--log-keep` `x`: must be a number".to_owned()));
        assert_eq!(order(&[STOP_COMMAND, "x"]), Err("`--stop-command` `x`: must be a number of words".to_owned()));
        assert!(order(&["a/b", "out", "web.exe"]).unwrap_err().starts_with("`a/b` is no name of a service: "));
    }
}
