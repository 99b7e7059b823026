//! The promise of the name: OpenMSIStream's own programs, made into services, carry a file from one
//! folder to another through a broker, are back after a crash, and go without a trace.
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use support::{Ran, Test, system, wait_for};

const UP: &str = "omsi-up";
const DOWN: &str = "omsi-down";
const BROKER: &str = "127.0.0.1:9092";

/// The frequent heartbeat lets a consumer join its group in a second instead of twenty.
const CONFIG: &str = "\
[broker]
bootstrap.servers = $KAFKA_LOCAL

[producer]
key.serializer = StringSerializer
value.serializer = DataFileChunkSerializer

[consumer]
group.id = create_new
auto.offset.reset = earliest
enable.auto.commit = False
heartbeat.interval.ms = 500
session.timeout.ms = 6000
key.deserializer = StringDeserializer
value.deserializer = DataFileChunkDeserializer
";

#[test]
#[ignore = "needs a booted systemd, OpenMSIStream and a broker: tests/run"]
fn files_travel_through_services() {
    let _broker = Broker::start();
    let (up, down) = (Path::new("/srv/omsi/up"), Path::new("/srv/omsi/down"));
    fs::create_dir_all(up).unwrap();
    fs::create_dir_all(down).unwrap();
    fs::write("/srv/omsi/local.config", CONFIG).unwrap();

    let ran = install(Test::install(), "DataFileUploadDirectory", up, UP);
    let ran = install(ran.then_install(), "DataFileDownloadDirectory", down, DOWN);
    for service in [UP, DOWN] {
        manage(&ran, service, "status", 3);
        manage(&ran, service, "start", 0);
        manage(&ran, service, "status", 0);
    }
    let units = [UP, DOWN].map(|service| fs::read(unit(service)).unwrap());

    wait_for_listening(1);
    travels("one.bin", up, down);

    for service in [UP, DOWN] {
        system("systemctl", &["kill", "--kill-whom=main", "--signal=KILL", service]);
    }
    wait_for_listening(2);
    for service in [UP, DOWN] {
        assert_eq!(system("systemctl", &["show", "--value", "--property=NRestarts", service]), "1\n");
        manage(&ran, service, "status", 0);
    }
    travels("two.bin", up, down);

    for (service, before) in [UP, DOWN].iter().zip(units) {
        manage(&ran, service, "stop", 0);
        manage(&ran, service, "status", 3);
        manage(&ran, service, "reinstall", 0);
        assert_eq!(fs::read(unit(service)).unwrap(), before, "reinstalled with the same arguments");
        let remove = ran.then_manage().args([service, "remove", "--remove_env_vars", "--remove_install_args"]);
        remove.env("KAFKA_LOCAL", BROKER).run();
        manage(&ran, service, "status", 4);
        assert_eq!(system("systemctl", &["show", "--value", "--property=LoadState", service]), "not-found\n");
    }
    for folder in ["/etc/systemd/system", "/etc/systemd/system/multi-user.target.wants"] {
        assert_eq!(named_after_us(Path::new(folder)), [] as [PathBuf; 0]);
    }
    assert_eq!(named_after_us(&ran.folder().join("working_dir")), [] as [PathBuf; 0]);
}

fn install(test: Test, program: &str, folder: &Path, service: &str) -> Ran {
    test.arg(program)
        .arg(folder)
        .args(["--config", "/srv/omsi/local.config", "--topic_name", "test", "--service_name", service])
        .args(["--python", &tool("OMSI_PYTHON"), "--restart-sec", "2", "--yes"])
        .env("KAFKA_LOCAL", BROKER)
        .run()
}

#[track_caller]
fn manage(ran: &Ran, service: &str, mode: &str, status: i32) {
    ran.then_manage().args([service, mode]).env("KAFKA_LOCAL", BROKER).status(status).run();
}

/// Waits until each program has said so `times` times: only files that come after that are uploaded.
#[track_caller]
fn wait_for_listening(times: usize) {
    for service in [UP, DOWN] {
        wait_for(&format!("{service} to listen"), 60, || {
            let journal = system("journalctl", &["--unit", service, "--output=cat", "--no-pager"]);
            (journal.matches("Listening for files").count() >= times).then_some(())
        });
    }
}

/// Puts a file of several chunks, of all bytes, into one folder, and waits for it in the other.
#[track_caller]
fn travels(name: &str, up: &Path, down: &Path) {
    let contents: Vec<u8> = (0..3_000_000_u32).map(|at| (at.wrapping_mul(at) >> 7) as u8).collect();
    // In one piece, as an instrument should.
    fs::write(up.with_file_name(name), &contents).unwrap();
    fs::rename(up.with_file_name(name), up.join(name)).unwrap();
    wait_for(&format!("{name} to arrive"), 120, || (fs::read(down.join(name)).ok()? == contents).then_some(()));
}

fn unit(service: &str) -> PathBuf {
    format!("/etc/systemd/system/{service}.service").into()
}

fn named_after_us(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("omsi-")).collect()
}

fn tool(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run this test by tests/run"))
}

/// A broker with the topic `test`; it ends with the test.
struct Broker(Child);

impl Broker {
    fn start() -> Self {
        let (tansu, url) = (tool("OMSI_BROKER"), format!("tcp://{BROKER}"));
        let mut broker = Command::new(&tansu);
        broker.args(["broker", "--listener-url", &url, "--advertised-listener-url", &url]);
        let broker = Self(broker.stdin(Stdio::null()).spawn().expect("the broker starts"));
        wait_for("the broker to make a topic", 30, || {
            let mut topic = Command::new(&tansu);
            topic.args(["topic", "create", "test", "--broker", &url]).stderr(Stdio::null());
            topic.status().expect("the broker's tool starts").success().then_some(())
        });
        broker
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
