//! The account of a service, set by a call of ours: so that a password is in no command line, and for accounts that NSSM
//! 2.24 does not set without one.

use std::ffi::OsString;
use std::path::PathBuf;

use windows_service::service::{Service, ServiceAccess, ServiceConfig, ServiceInfo, ServiceType};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

use super::Operation;
use crate::error::Error;
use crate::host::process;
use crate::model::name::ServiceName;
use crate::model::parameter::Parameter;
use crate::model::password::Password;
use crate::model::text::Text;
use crate::model::windows_account::WindowsAccount;

/// Has a service run as `account` from its next start on (`ChangeServiceConfig`). All else of it stays as it is.
///
/// # Errors
/// When Windows refuses.
pub fn log_on_as(exe: &Text, name: &ServiceName, account: &str, password: Option<&Password>) -> Result<(), Error> {
    let operation = Operation::LogOnAs { name: name.clone(), account: account.to_owned() };
    let refused = |error: windows_service::Error| Error::Command {
        command: operation.invocation(exe).typed(),
        outcome: format!("Windows refuses: {}", reason(&error)),
        stderr: String::new(),
    };
    let service = open(name).map_err(refused)?;
    let before = service.query_config().map_err(refused)?;
    let image = before.executable_path.clone();
    service.change_config(&with_account(name, before, account, password)).map_err(refused)?;
    // The call puts quotes where it takes them to be needed, and nowhere else.
    if service.query_config().map_err(refused)?.executable_path != image {
        let image = Text::from(image.to_string_lossy().into_owned());
        let back = Operation::Set { name: name.clone(), parameter: Parameter::new("ImagePath", image) };
        process::run_within(&back.invocation(exe), super::LIMIT)?;
    }
    Ok(())
}

fn open(name: &ServiceName) -> windows_service::Result<Service> {
    let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)?;
    manager.open_service(name.as_str(), ServiceAccess::QUERY_CONFIG | ServiceAccess::CHANGE_CONFIG)
}

/// What Windows says, without a word of what was asked for: that held the password.
fn reason(error: &windows_service::Error) -> String {
    match error {
        windows_service::Error::Winapi(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// The service as it is, but for its account. Only LocalSystem may show windows: Windows refuses that of another one.
fn with_account(name: &ServiceName, found: ServiceConfig, account: &str, password: Option<&Password>) -> ServiceInfo {
    let is_system = WindowsAccount::registered(account).is_system();
    let shown = if is_system { ServiceType::empty() } else { ServiceType::INTERACTIVE_PROCESS };
    let (executable_path, launch_arguments) = parts(&found.executable_path.to_string_lossy());
    ServiceInfo {
        name: name.as_str().into(),
        display_name: found.display_name,
        service_type: found.service_type.difference(shown),
        start_type: found.start_type,
        error_control: found.error_control,
        executable_path,
        launch_arguments,
        dependencies: found.dependencies,
        account_name: Some(account.into()),
        account_password: password.map(|password| password.reveal().into()),
    }
}

/// A command line in the parts that the call joins to the same one: it quotes those alone that have blanks in them.
fn parts(command: &str) -> (PathBuf, Vec<OsString>) {
    let quoted = command.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    if let Some(path) = quoted.filter(|path| !path.contains('"')) {
        return (path.into(), Vec::new());
    }
    let mut words = command.split(' ');
    (words.next().unwrap_or_default().into(), words.map(OsString::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_in_parts_that_need_no_other_quotes() {
        let joined = |command: &str| {
            let (path, words) = parts(command);
            let words = words.iter().map(|word| word.to_string_lossy().into_owned());
            [path.to_string_lossy().into_owned()].into_iter().chain(words).collect::<Vec<_>>()
        };
        assert_eq!(joined(r"C:\nssm\nssm.exe"), [r"C:\nssm\nssm.exe"]);
        assert_eq!(joined(r#""C:\Program Files\nssm.exe""#), [r"C:\Program Files\nssm.exe"]);
        assert_eq!(joined(r"C:\Program Files\nssm.exe"), [r"C:\Program", r"Files\nssm.exe"]);
        assert_eq!(joined(r#""C:\a b\x.exe" "y""#), [r#""C:\a"#, r#"b\x.exe""#, r#""y""#]);
    }
}
