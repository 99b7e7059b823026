//! [`Place`]: where the files of services belong.

use super::name::ServiceName;
use super::platform::Platform;
use super::spec::SecretStore;
use super::text::Text;

/// How the name of a file ends that holds the secrets of a service.
pub const ENVIRONMENT_FILE: &str = "_env_vars.txt";
const ENCRYPTED_FILE: &str = "_env_vars.cred";

/// How the names of the scripts of a service end: what a Python service runs, what starts what a unit cannot say, what
/// asks a Python program to end as Ctrl-C does, and what leaves an error log behind.
pub const SCRIPTS: [&str; 4] = [PYTHON_SCRIPT, LAUNCHER, STOP_SCRIPT, ERROR_LOG_SCRIPT];
const PYTHON_SCRIPT: &str = "_service_executable.py";
const LAUNCHER: &str = "_launch.sh";
const STOP_SCRIPT: &str = "_stop.sh";
const ERROR_LOG_SCRIPT: &str = "_error_log.sh";

/// How the name of a file ends that says what a service was before it was adopted.
pub const ORIGINAL: &str = "_original.toml";

/// What stands between NSSM and a program, and leaves its error log behind.
pub const RUNNER: &str = "RunService.exe";

/// The name of the credential that holds a service's environment file.
pub const CREDENTIAL: &str = "environment";

/// Where the files of services belong, and for which service manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The directory of units: an absolute path.
    pub unit_dir: Text,
    /// The tool's own working directory: an absolute path.
    pub state_dir: Text,
    /// The home directory of the person whose services they are; empty where that can be anybody, for then
    /// all of these paths begin there.
    pub home: Option<Text>,
}

impl Place {
    /// The unit of a service.
    pub fn unit(&self, name: &ServiceName) -> Text {
        self.unit_dir.with("/").with(&name.unit())
    }

    /// The timer of a service that has a schedule.
    pub fn timer(&self, name: &ServiceName) -> Text {
        self.unit_dir.with("/").with(&name.timer())
    }

    /// The file that holds the secrets of a service.
    pub fn environment_file(&self, name: &ServiceName) -> Text {
        self.state(name.as_str(), ENVIRONMENT_FILE)
    }

    /// The environment file of a service as a credential that only this host decrypts.
    pub fn encrypted_file(&self, name: &ServiceName) -> Text {
        self.state(name.as_str(), ENCRYPTED_FILE)
    }

    /// The file that holds the secrets of a service, with the one or the other store.
    pub fn secrets_file(&self, name: &ServiceName, store: SecretStore) -> Text {
        match store {
            SecretStore::EncryptedCredential => self.encrypted_file(name),
            SecretStore::Credential | SecretStore::File => self.environment_file(name),
        }
    }

    /// Both files that can hold them.
    pub fn secrets_files(&self, name: &ServiceName) -> [Text; 2] {
        [self.environment_file(name), self.encrypted_file(name)]
    }

    /// The script that a Python service runs.
    pub fn python_script(&self, name: &ServiceName) -> Text {
        self.state(name.as_str(), PYTHON_SCRIPT)
    }

    /// The script that starts what a unit cannot say.
    pub fn launcher(&self, name: &ServiceName) -> Text {
        self.state(name.as_str(), LAUNCHER)
    }

    /// The script that leaves an error log behind when the service dies of an error.
    pub fn error_log_script(&self, name: &ServiceName) -> Text {
        self.state(name.as_str(), ERROR_LOG_SCRIPT)
    }

    /// The script that asks the processes of a Python program to end as Ctrl-C does.
    pub fn stop_script(&self, name: &ServiceName) -> Text {
        self.state(name.as_str(), STOP_SCRIPT)
    }

    /// The receipt of a service.
    pub fn receipt(&self, name: &ServiceName) -> Text {
        self.state(name.as_str(), "_install_args.toml")
    }

    /// The list of arguments that OpenMSIStream kept for a service: the program, then one a line.
    pub fn legacy_receipt(&self, name: &ServiceName) -> Text {
        self.state(name.as_str(), "_install_args.txt")
    }

    /// The unit that a service of ours has taken the name of.
    pub fn original_unit(&self, name: &ServiceName) -> Text {
        self.state(name.as_str(), "_original.service")
    }

    /// What NSSM had for a service whose name one of ours has taken, as `reg import` takes it.
    pub fn original_registration(&self, name: &ServiceName) -> Text {
        self.state(name.as_str(), "_original.reg")
    }

    /// What else was so when that was adopted.
    pub fn original(&self, name: &ServiceName) -> Text {
        self.state(name.as_str(), ORIGINAL)
    }

    /// Every file that a service can have in the working directory, but for what is kept of its original.
    pub fn files_of(&self, name: &ServiceName) -> [Text; 7] {
        let [plain, encrypted] = self.secrets_files(name);
        let [python, launcher, stop, error_log] = SCRIPTS.map(|ending| self.state(name.as_str(), ending));
        [python, launcher, stop, error_log, plain, encrypted, self.receipt(name)]
    }

    /// The log of what was done to services.
    pub fn log(&self) -> Text {
        self.state("", "Services.log")
    }

    /// What a service of NSSM prints.
    pub fn output(&self, name: &ServiceName) -> Text {
        self.state(name.as_str(), "_output.log")
    }

    /// What NSSM says while a batch installs a service; gone when that is done.
    pub fn words(&self) -> Text {
        self.state("", "nssm_words.txt")
    }

    /// The `nssm.exe` that is kept for services.
    pub fn nssm(&self) -> Text {
        self.state("", "nssm.exe")
    }

    /// The note that says where that `nssm.exe` came from, if we put it there.
    pub fn nssm_origin(&self) -> Text {
        self.state("", "nssm_origin.txt")
    }

    /// The `RunService.exe` that is kept for services.
    pub fn runner(&self) -> Text {
        self.state("", RUNNER)
    }

    /// The note that says where that `RunService.exe` came from, if we put it there.
    pub fn runner_origin(&self) -> Text {
        self.state("", "RunService_origin.txt")
    }

    /// The rest of a path that lies below the home directory of whoever runs the services.
    pub fn below_home(&self, path: &Text) -> Option<Text> {
        let rest = path.as_bytes().strip_prefix(self.home.as_ref()?.as_bytes())?;
        rest.starts_with(b"/").then(|| Text::from_bytes(rest))
    }

    fn state(&self, name: &str, suffix: &str) -> Text {
        below(&self.state_dir, &format!("{name}{suffix}"))
    }
}

/// The name of the file that appears in the working directory of a service that died of an error.
pub fn error_log(name: &ServiceName) -> String {
    format!("{name}_ERROR_LOG.txt")
}

/// Where that file appears.
pub fn error_log_path(working_directory: &Text, name: &ServiceName) -> Text {
    below(working_directory, &error_log(name))
}

/// The path of `name` in a directory of either platform.
fn below(directory: &Text, name: &str) -> Text {
    Platform::of(directory).join(directory, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_log_lies_in_the_working_directory() {
        let name = "web".parse().expect("a name");
        let path = |directory: &str| error_log_path(&directory.into(), &name).to_string();
        assert_eq!(path("/srv"), "/srv/web_ERROR_LOG.txt");
        assert_eq!(path("/"), "/web_ERROR_LOG.txt");
        assert_eq!(path(r"/a\"), r"/a\/web_ERROR_LOG.txt");
        assert_eq!(path(r"C:\lab"), r"C:\lab\web_ERROR_LOG.txt");
        assert_eq!(path(r"C:\"), r"C:\web_ERROR_LOG.txt");
    }
}
