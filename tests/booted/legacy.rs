//! A service that OpenMSIStream's own InstallService installed is taken over by `ManageService NAME reinstall`.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use crate::support::booted::{Named, folder_of, named};
use crate::support::{Test, system, wait_for};

/// A module of the name that the catalog calls, in place of the real one: it writes down what it is given.
const PACKAGE: &str = "\
import json, os, sys, time
def main(arguments):
    with open('received.json', 'w') as file:
        json.dump({'arguments': arguments, 'broker': os.environ['KAFKA_LOCAL'], 'python': sys.executable}, file)
    time.sleep(1000)
";

/// Writes what version 1.8.8 leaves behind, in its shape: a unit with blanks around `=` and no last line
/// break, a list of arguments, values as they are, and a script. Gives its working directory.
fn installed_by_openmsistream(service: &Named, arguments: &[&str]) -> String {
    let home = format!("/srv/{service}");
    folder_of("root", &home);
    let state = format!("{home}/openmsistream/services/working_dir");
    let actor = format!("{home}/run/openmsistream/data_file_io/actor");
    for folder in [&state, &actor, &format!("{home}/data"), &format!("{home}/env/bin")] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(format!("{actor}/data_file_upload_directory.py"), PACKAGE).unwrap();
    symlink("/usr/bin/python3", format!("{home}/env/bin/python3")).unwrap();
    // A virtual environment sees no package of the machine.
    fs::write(format!("{home}/env/pyvenv.cfg"), "home = /usr/bin\ninclude-system-site-packages = false\n").unwrap();
    fs::write(format!("{home}/x.config"), "[broker]\nbootstrap.servers = $KAFKA_LOCAL\n").unwrap();

    let list: String = arguments.iter().map(|word| format!("{word}\n")).collect();
    fs::write(format!("{state}/{service}_install_args.txt"), list).unwrap();
    let values = format!("{state}/{service}_env_vars.txt");
    fs::write(&values, "KAFKA_LOCAL=127.0.0.1:9092\n").unwrap();
    fs::set_permissions(&values, fs::Permissions::from_mode(0o600)).unwrap();
    let script = format!("{state}/{service}_service_executable.py");
    fs::write(&script, "if __name__ == \"__main__\":\n    import time\n    time.sleep(1000)\n").unwrap();
    let unit = format!(
        "[Unit]\nDescription = Class representing a directory.     :param dirpath: 100% of it    :type dirpath: x\n\
         Requires = network-online.target local-fs.target remote-fs.target\n\
         After = network-online.target local-fs.target remote-fs.target\n\n\
         [Service]\nType = simple\nKillMode = none\nUser = root\n\
         ExecStart = {home}/env/bin/python3 {script}\nEnvironmentFile = {values}\n\
         WorkingDirectory = {home}/run\nRestart = always\nRestartSec = 120\n\n\
         [Install]\nWantedBy = multi-user.target"
    );
    fs::write(service.unit(), unit).unwrap();
    system("systemctl", &["enable", "--now", "--quiet", &service.to_string()]);
    home
}

fn manage(service: &Named, home: &str, mode: &str) -> Test {
    let state = format!("{home}/openmsistream/services/working_dir");
    Test::manage()
        .args([&service.to_string(), mode])
        .env("OPENMSISTREAM_SERVICES_WORKING_DIR", state)
        .env("INSTALLSERVICE_WORKING_DIR", "")
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn import_says_it_in_the_words_of_a_manifest() {
    let service = named("legacy-import");
    let config = "/srv/legacy-import/x.config";
    let home = installed_by_openmsistream(&service, &["DataFileUploadDirectory", "/srv/data", "--config", config]);
    Test::install()
        .args(["import", "legacy-import"])
        .env("OPENMSISTREAM_SERVICES_WORKING_DIR", format!("{home}/openmsistream/services/working_dir"))
        .env("INSTALLSERVICE_WORKING_DIR", "")
        .stdout_contains("name = \"legacy-import\"\nprogram = \"DataFileUploadDirectory\"\n")
        .stdout_contains("working_directory = \"/srv/legacy-import/run\"\n")
        .stdout_contains("config = \"/srv/legacy-import/x.config\"\n")
        .run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn reinstall_takes_it_over_without_a_question() {
    let service = named("legacy-up");
    let home = "/srv/legacy-up";
    let arguments = ["DataFileUploadDirectory", "/srv/legacy-up/data", "--config", "/srv/legacy-up/x.config"];
    let more = ["--topic_name", "lab data", "--upload_regex", r"^.*\.bin$"];
    installed_by_openmsistream(&service, &[&arguments[..], &more].concat());
    manage(&service, home, "status").stdout_contains("legacy-up: running\n").run();
    let old = service.pid();

    manage(&service, home, "reinstall")
        .stdout_contains("-KillMode = none\n")
        .stdout_contains("updated: legacy-up")
        .run();
    assert_eq!(service.pid(), old, "it still runs the old one");
    manage(&service, home, "restart").run();
    assert!(!Path::new(&format!("/proc/{old}")).exists(), "nothing of the old one is left");
    let path = Path::new("/srv/legacy-up/run/received.json");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while !path.exists() {
        let log = || system("journalctl", &["--no-pager", "--unit=legacy-up"]);
        assert!(std::time::Instant::now() < end, "the program wrote nothing:\n{}", log());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let received = fs::read_to_string(path).unwrap();
    let received: serde_json::Value = serde_json::from_str(&received).unwrap();
    let mut words: Vec<&str> =
        received["arguments"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    words.sort_unstable();
    let expected = [
        "--config=/srv/legacy-up/x.config",
        "--topic_name=lab data",
        r"--upload_regex=^.*\.bin$",
        "/srv/legacy-up/data",
    ];
    assert_eq!(words, expected);
    assert_eq!(
        (&received["broker"], &received["python"]),
        (&"127.0.0.1:9092".into(), &"/srv/legacy-up/env/bin/python3".into())
    );

    manage(&service, home, "diff").run();
    manage(&service, home, "reinstall").stdout("unchanged: legacy-up\n").run();
    manage(&service, home, "remove").args(["--remove_env_vars", "--remove_install_args"]).run();
    let left = fs::read_dir(format!("{home}/openmsistream/services/working_dir")).unwrap();
    let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [".lock", "Services.log"]);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn it_can_be_removed_as_it_is() {
    let service = named("legacy-old");
    let home = installed_by_openmsistream(&service, &["DataFileUploadDirectory", "/srv/legacy-old/data"]);
    let old = service.pid();
    manage(&service, &home, "stop_and_remove").args(["--remove_env_vars", "--remove_install_args"]).run();
    assert_eq!(service.property("LoadState"), "not-found");
    ended(old);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_its_own_stop_left_running_is_ended() {
    let service = named("legacy-left");
    let home = installed_by_openmsistream(&service, &["DataFileUploadDirectory", "/srv/legacy-left/data"]);
    let old = service.pid();
    manage(&service, &home, "stop").run();
    ended(old);

    system("systemctl", &["start", "legacy-left"]);
    let old = service.pid();
    system("systemctl", &["stop", "legacy-left"]);
    assert!(Path::new(&format!("/proc/{old}")).exists(), "its unit says KillMode=none");
    manage(&service, &home, "reinstall").run();
    ended(old);
}

/// Waits until the process is gone.
#[track_caller]
fn ended(pid: u32) {
    wait_for("the old process to end", 5, || (!Path::new(&format!("/proc/{pid}")).exists()).then_some(()));
}
