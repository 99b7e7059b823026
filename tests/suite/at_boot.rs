//! Whether a service is started at boot, as far as it goes without a running systemd; tests/booted/at_boot.rs goes all
//! the way, and the files of an export are in fixtures/install.

use serde_json::{Value, json};

use crate::support::Test;

fn dry_run(words: &[&str]) -> Value {
    let ran = Test::install().args(["--dry-run", "--format", "json", "--service_name", "web"]).args(words).run();
    serde_json::from_str(&ran.stdout).expect("JSON")
}

#[test]
fn without_a_start_at_boot_the_unit_is_the_same_and_nothing_enables_it() {
    let usual = dry_run(&["--", "/bin/true"]);
    let not_at_boot = dry_run(&["--no-boot", "--", "/bin/true"]);
    let unit = |document: &Value| {
        let files = document["files"].as_array().unwrap().clone();
        let unit = files.into_iter().find(|file| file["path"].as_str().unwrap().ends_with("/web.service"));
        unit.expect("the unit")["contents"].clone()
    };
    assert_eq!(unit(&usual), unit(&not_at_boot));
    assert_eq!(usual["invocations"], json!([["systemctl", "enable", "web.service"]]));
    assert_eq!(not_at_boot["invocations"], json!([["systemctl", "daemon-reload"]]));
}

#[test]
fn windows_starts_it_on_demand() {
    let starts = |words: &[&str]| {
        let document = dry_run(&[&["--target", "nssm", "--working-directory", r"C:\lab"], words].concat());
        let invocations = document["invocations"].as_array().unwrap().clone();
        let words: Vec<Value> = invocations.into_iter().filter(|words| words[3] == "Start").collect();
        words.iter().map(|words| words[4].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(starts(&["--", r"C:\x.exe"]), ["SERVICE_AUTO_START"]);
    assert_eq!(starts(&["--no-boot", "--", r"C:\x.exe"]), ["SERVICE_DEMAND_START"]);
}

#[test]
fn the_receipt_says_so() {
    let document = dry_run(&["--no_boot", "--", "/bin/true"]);
    let files = document["files"].as_array().unwrap();
    let receipt = files.iter().find(|file| file["path"].as_str().unwrap().ends_with("web_install_args.toml"));
    assert!(receipt.unwrap()["contents"].as_str().unwrap().contains("\nat_boot = false\n"));
}

#[test]
fn of_several_services_one_is_enabled_and_one_is_not() {
    let manifest = "[defaults]\nat_boot = false\n[[service]]\nname = \"one\"\nexecutable = \"/bin/true\"\n\
                    [[service]]\nname = \"two\"\nat_boot = true\nexecutable = \"/bin/true\"\n";
    let test = Test::install().file("two.toml", manifest).args(["--manifest", "two.toml", "--dry-run"]);
    let document: Value = serde_json::from_str(&test.args(["--format", "json"]).run().stdout).unwrap();
    assert_eq!(document["invocations"], json!([["systemctl", "enable", "two.service"]]));
}
