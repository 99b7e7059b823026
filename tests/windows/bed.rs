//! What the tests of Windows services share: programs to install, NSSM itself, the registry.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use install_service::host::process;
use install_service::model::nssm_release::Release;
use install_service::model::text::Text;
use install_service::render::checksums;
use windows_permissions::constants::{SeObjectType, SecurityInformation};
use windows_permissions::wrappers::SetNamedSecurityInfo;
use windows_permissions::{LocalBox, SecurityDescriptor};
use windows_service::service::{ServiceAccess, ServiceState};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use winreg::RegKey;
use winreg::enums::HKEY_LOCAL_MACHINE;

pub(crate) use crate::support::output_of as run;
use crate::support::{Test, wait_for};

/// The release that the suite is run with: 2.24, and for much of it a second time 2.24-101.
pub(crate) const NSSM: &str = r"C:\nssm\nssm.exe";
pub(crate) const NSSM_24: &str = r"C:\nssm\nssm-24.exe";
pub(crate) const NSSM_101: &str = r"C:\nssm\nssm-101.exe";
pub(crate) const PYTHON: &str = r"C:\python\python.exe";
pub(crate) const RUNNER: &str = env!("CARGO_BIN_EXE_RunService");

/// InstallService in a new folder, whose working directory has an `nssm.exe` that somebody put there.
pub(crate) fn install() -> Test {
    Test::install().file("working_dir/nssm.exe", fs::read(NSSM).expect("the genuine NSSM"))
}

/// Which release [`NSSM`] is of.
pub(crate) fn release() -> Release {
    let exe = fs::read(NSSM).expect("the genuine NSSM");
    Release::of(&checksums::hexadecimal(&checksums::sha256(&exe))).expect("a known release")
}

/// A program of `tests/probe`.
pub(crate) fn built(name: &str) -> PathBuf {
    let examples = Path::new(env!("CARGO_BIN_EXE_InstallService")).with_file_name("examples");
    examples.join(name).with_extension("exe")
}

/// A copy of the probe program in a folder of its own.
pub(crate) fn probe(folder: &Path) -> PathBuf {
    let built = built("probe");
    fs::create_dir_all(folder).expect("a folder");
    let copy = folder.join("probe.exe");
    fs::copy(&built, &copy).unwrap_or_else(|error| panic!("{}: {error}", built.display()));
    copy
}

/// What the probe received: words in WTF-8.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) argv: Vec<Text>,
    pub(crate) environment: Vec<Text>,
    pub(crate) cwd: Text,
}

impl Received {
    /// By the probe in `folder`, waiting for it to say so. What it said is removed.
    #[track_caller]
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let path = wait_for(&format!("a record in {}", folder.display()), 90, || {
            let mut entries = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
            entries.find(|path| path.extension().is_some_and(|extension| extension == "json"))
        });
        let record: serde_json::Value = serde_json::from_slice(&fs::read(&path).expect("a record")).expect("JSON");
        fs::remove_file(&path).expect("to remove the record");
        let words = |key: &str| words_of(&record, key);
        Self { argv: words("argv"), environment: words("environment"), cwd: word(&record["cwd"]) }
    }

    pub(crate) fn variable(&self, name: &str) -> Option<Text> {
        let prefix = format!("{name}=");
        let value = self.environment.iter().find_map(|entry| entry.as_bytes().strip_prefix(prefix.as_bytes()));
        value.map(Text::from_bytes)
    }
}

/// The words that a record of the probe has there.
pub(crate) fn words_of(record: &serde_json::Value, key: &str) -> Vec<Text> {
    record[key].as_array().expect("a list").iter().map(word).collect()
}

fn word(value: &serde_json::Value) -> Text {
    let digits = value.as_str().expect("text").as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("digits");
    Text::from_bytes(digits.map(byte).collect::<Vec<u8>>())
}

/// Runs NSSM itself: its exit code, and what it printed.
pub(crate) fn nssm(words: &[&str]) -> (i32, String) {
    let output = run(Command::new(NSSM).args(words));
    let said = process::decode(&output.stdout).replace('\r', "");
    (output.status.code().expect("an exit code"), said.trim().to_owned())
}

/// A command that must succeed.
#[track_caller]
pub(crate) fn nssm_does(words: &[&str]) -> String {
    let (code, said) = nssm(words);
    assert_eq!(code, 0, "nssm {words:?}: {said}");
    said
}

/// Starts a service, without waiting for more than that it is about to run.
#[track_caller]
pub(crate) fn starts(service: &str) {
    // On a busy machine Wine gives up now and then before a service has said that it is there; and NSSM waits less long
    // than that takes.
    wait_for(&format!("{service} to start"), 90, || {
        nssm(&["start", service]);
        (state(service) != "SERVICE_STOPPED").then_some(())
    });
}

/// Starts a service and stops it once its probe has said what it received.
#[track_caller]
pub(crate) fn received_by(service: &str, folder: &Path) -> Received {
    starts(service);
    let received = Received::in_folder(folder);
    nssm(&["stop", service]);
    wait_for(&format!("{service} to stop"), 40, || (state(service) == "SERVICE_STOPPED").then_some(()));
    received
}

/// How a service is, by its name in the interface of Windows; nothing where there is none.
pub(crate) fn state(service: &str) -> &'static str {
    let manager = ServiceManager::local_computer(None::<&str>, ServiceManagerAccess::CONNECT).expect("services");
    let asked = manager.open_service(service, ServiceAccess::QUERY_STATUS).and_then(|service| service.query_status());
    match asked.map(|status| status.current_state) {
        Ok(ServiceState::Running) => "SERVICE_RUNNING",
        Ok(ServiceState::Stopped) => "SERVICE_STOPPED",
        Ok(ServiceState::StartPending) => "SERVICE_START_PENDING",
        Ok(ServiceState::StopPending) => "SERVICE_STOP_PENDING",
        Ok(ServiceState::Paused) => "SERVICE_PAUSED",
        Ok(ServiceState::PausePending) => "SERVICE_PAUSE_PENDING",
        Ok(ServiceState::ContinuePending) => "SERVICE_CONTINUE_PENDING",
        Err(_) => "",
    }
}

pub(crate) fn key(service: &str) -> Option<RegKey> {
    let path = format!(r"SYSTEM\CurrentControlSet\Services\{service}");
    RegKey::predef(HKEY_LOCAL_MACHINE).open_subkey(path).ok()
}

/// What the registry has for the account of a service.
pub(crate) fn account(service: &str) -> String {
    key(service).expect("a service").get_value("ObjectName").expect("an account")
}

/// Has a service run as an account, by the call of Windows that services.msc makes: what NSSM 2.24 does for some alone.
pub(crate) fn log_on_as(service: &str, account: &str) {
    let output = run(Command::new(built("sc-config")).args(["config", service, "obj=", account]));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// An account of a user that this machine has.
pub(crate) fn user() -> String {
    std::env::var("USERNAME").expect("a name")
}

/// Everything that the registry has for a service: key, entry, type and bytes.
pub(crate) fn registry(service: &str) -> Vec<String> {
    fn visit(key: &RegKey, name: &str, found: &mut Vec<String>) {
        for (entry, value) in key.enum_values().flatten() {
            found.push(format!("{name}\\{entry}: {:?} {:?}", value.vtype, value.bytes));
        }
        for inner in key.enum_keys().flatten() {
            visit(&key.open_subkey(&inner).expect("a key"), &format!("{name}\\{inner}"), found);
        }
    }
    let mut found = Vec::new();
    visit(&key(service).expect("a service"), "", &mut found);
    found.sort();
    found
}

/// A text as TOML has it.
pub(crate) fn toml(text: &Text) -> String {
    toml::Value::try_from(text).expect("a value").to_string()
}

/// A text that needs nothing special.
pub(crate) fn toml_path(path: &Path) -> String {
    toml(&Text::from_bytes(path.as_os_str().as_encoded_bytes()))
}

/// Sets who may do what with a file or directory; under Wine that is what the mode of the file can say.
pub(crate) fn set_list(path: &Path, descriptor: &str) {
    let descriptor: LocalBox<SecurityDescriptor> = descriptor.parse().expect("a descriptor");
    let list = descriptor.dacl().expect("a list");
    let part = SecurityInformation::Dacl | SecurityInformation::ProtectedDacl;
    SetNamedSecurityInfo(path, SeObjectType::SE_FILE_OBJECT, part, None, None, Some(list), None).expect("to set it");
}

pub(crate) const CLOSED: &str = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FRFX;;;WD)";
pub(crate) const OPEN: &str = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;WD)";

/// Makes a directory that of somebody else. Wine takes whoever runs it for its one user, so that is done below it.
pub(crate) fn give_away(path: &Path) {
    own(path, "65534");
}

/// Makes it one's own again.
pub(crate) fn take_back(path: &Path) {
    own(path, "0");
}

fn own(path: &Path, user: &str) {
    let found = run(Command::new("winepath.exe").arg("-u").arg(path));
    let below = String::from_utf8(found.stdout).expect("a path");
    let done = run(Command::new("start.exe").args(["/wait", "/unix", "/usr/bin/chown", user, below.trim()]));
    assert!(done.status.success(), "{done:?}");
}
