//! `sc.exe config NAME obj= ACCOUNT`, which that of Wine does not have: by the same call of Windows.
#![allow(clippy::disallowed_methods, reason = "it is a program of its own, with effects of its own")]

use std::process::ExitCode;

#[cfg(windows)]
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [config, service, obj, account] = words.as_slice() else { return ExitCode::FAILURE };
    if (config.as_str(), obj.as_str()) != ("config", "obj=") {
        return ExitCode::FAILURE;
    }
    match log_on_as(service, account) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(windows)]
fn log_on_as(service: &str, account: &str) -> windows_service::Result<()> {
    use windows_service::service::{ServiceAccess, ServiceInfo};
    use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
    let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT)?;
    let opened = manager.open_service(service, ServiceAccess::QUERY_CONFIG | ServiceAccess::CHANGE_CONFIG)?;
    let found = opened.query_config()?;
    opened.change_config(&ServiceInfo {
        name: service.into(),
        display_name: found.display_name,
        service_type: found.service_type,
        start_type: found.start_type,
        error_control: found.error_control,
        executable_path: found.executable_path,
        launch_arguments: Vec::new(),
        dependencies: found.dependencies,
        account_name: Some(account.into()),
        account_password: None,
    })
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    ExitCode::FAILURE
}
