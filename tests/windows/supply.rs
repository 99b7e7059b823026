//! Where `nssm.exe` comes from: named, found, taken from an archive, downloaded; never one that is not
//! what it should be.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bed::{NSSM_24, NSSM_101, key, nssm_does, probe, state as state_of};
use crate::server::{Answer, Server, archive, authority, sha256};
use crate::support::{Ran, Test};

/// What is downloaded first, and what where that cannot be had.
const WANTED: &str = "https://nssm.cc/ci/nssm-2.24-101-g897c7ad.zip";
const OFFICIAL: &str = "https://nssm.cc/release/nssm-2.24.zip";
const MEMBER: &str = "nssm-2.24/win64/nssm.exe";

/// The archive as nssm.cc has it, with the one member that is wanted.
fn genuine() -> Vec<u8> {
    archive(&[("nssm-2.24/README.txt", b"NSSM"), (MEMBER, &fs::read(NSSM_24).unwrap())])
}

/// An install on a machine without NSSM, whose way to nssm.cc ends at once.
fn without_nssm() -> (Test, PathBuf) {
    let test = Test::install().env("PATH", r"C:\windows\system32");
    let program = probe(&test.folder().join("app"));
    let test = test.env("HTTPS_PROXY", "http://127.0.0.1:9").env("NO_PROXY", "127.0.0.1");
    (test, program)
}

fn service(test: Test, name: &str, program: &Path) -> Test {
    test.args(["--service_name", name, "--"]).arg(program)
}

fn state(ran: &Ran) -> PathBuf {
    ran.folder().join("working_dir")
}

/// Nothing of NSSM is left behind.
#[track_caller]
fn keeps_nothing(ran: &Ran, name: &str) {
    let entries = fs::read_dir(state(ran)).into_iter().flatten().flatten();
    let left: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert!(left.iter().all(|file| matches!(file.as_str(), ".lock" | ".commands" | "Services.log")), "{left:?}");
    assert!(key(name).is_none());
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn from_here_by_name_and_from_an_archive() {
    let nssm = fs::read(NSSM_24).unwrap();
    let is_there = |ran: &Ran| assert!(fs::read(state(ran).join("nssm.exe")).unwrap() == nssm);
    // The current directory; it is copied, not moved.
    let (test, program) = without_nssm();
    let ran = service(test.file("nssm.exe", &nssm), "from-here", &program)
        .stderr_contains("nssm.exe`, from `[TMP]\\nssm.exe`")
        .run();
    is_there(&ran);
    assert!(ran.folder().join("nssm.exe").exists());
    ran.then_manage().args(["from-here", "remove", "--remove_nssm", "--remove_install_args"]).run();
    assert!(!state(&ran).join("nssm.exe").exists() && ran.folder().join("nssm.exe").exists());
    fs::remove_file(ran.folder().join("nssm.exe")).unwrap();

    // By its name, wherever it is and whatever it is called.
    let again = |option: &str, file: &Path| {
        let test = ran.then_install().env("PATH", r"C:\windows\system32").arg(option).arg(file);
        service(test, "from-here", &program)
    };
    let named = ran.folder().join("my nssm.bin");
    fs::write(&named, &nssm).unwrap();
    again("--nssm", &named).run();
    is_there(&ran);
    again("--nssm", &named).stdout("unchanged: from-here\n").run();
    ran.then_manage().args(["from-here", "remove", "--remove_nssm"]).run();

    // From an archive, also offline.
    let zip = ran.folder().join("nssm.zip");
    fs::write(&zip, genuine()).unwrap();
    let expected = sha256(&genuine());
    again("--nssm-archive", &zip).arg("--offline").status(2).run();
    let unknown = again("--nssm-archive", &zip).status(2).run();
    let official = [
        "727d1e42275c605e0f04aba98095c38a8e1e46def453cdffce42869428aa6743",
        "99f5045fffbffb745d67fe3a065a953c4a3d9c253b868892d9b685b0ee7d07b8",
    ];
    for part in [expected.as_str()].into_iter().chain(official) {
        assert!(unknown.stderr.contains(part), "`{part}` is not in\n{}", unknown.stderr);
    }
    keeps_nothing_but_receipts(&ran);
    let test = ran.then_install().env("PATH", "").env("INSTALLSERVICE_NSSM_SHA256", &expected);
    service(test.args(["--offline", "--nssm-archive"]).arg(&zip), "from-here", &program).run();
    is_there(&ran);
    ran.then_manage().args(["from-here", "remove"]).run();
}

fn keeps_nothing_but_receipts(ran: &Ran) {
    assert!(!state(ran).join("nssm.exe").exists() && !state(ran).join("nssm_origin.txt").exists());
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn another_nssm_is_used_only_when_that_is_said() {
    let (test, program) = without_nssm();
    let mut other = fs::read(NSSM_24).unwrap();
    // Behind its end, so that it runs as well.
    other.extend_from_slice(b"...");
    let found = sha256(&other);
    let ran = service(test.file("nssm.exe", &other).arg("--offline"), "other-nssm", &program).status(1).run();
    for part in [
        "note: passing over `[TMP]\\nssm.exe`: its SHA-256 is ",
        &found,
        "f689ee9af94b00e9e3f0bb072b34caaf207f32dcb4f5782fc9ca351df9a06c97",
        "eee9c44c29c2be011f1f1e43bb8c3fca888cb81053022ec5a0060035de16d848",
        "`--offline` forbids to download it",
    ] {
        assert!(ran.stderr.contains(part), "`{part}` is not in\n{}", ran.stderr);
    }
    keeps_nothing(&ran, "other-nssm");
    // The search goes on, here to the next folder of PATH.
    let on_path = ran.then_install().env("PATH", r"C:\nssm;C:\windows\system32").arg("--offline");
    let on_path = service(on_path, "other-nssm", &program).run();
    assert!(on_path.stderr.contains("passing over `[TMP]\\nssm.exe`"), "{}", on_path.stderr);
    assert!(on_path.stderr.contains(r"from `C:\nssm\nssm.exe`"), "{}", on_path.stderr);
    ran.then_manage().args(["other-nssm", "remove", "--remove_nssm", "--remove_install_args"]).run();
    // One that is named is not passed over.
    let named = service(ran.then_install().args(["--nssm", "nssm.exe"]), "other-nssm", &program).status(2).run();
    assert!(named.stderr.contains("`--allow-unknown-nssm` uses it all the same"), "{}", named.stderr);

    let test = ran.then_install().env("PATH", "").arg("--allow-unknown-nssm");
    let allowed = service(test, "other-nssm", &program).run();
    assert!(
        allowed.stderr.contains("note: using `[TMP]\\nssm.exe`") && allowed.stderr.contains(&found),
        "{}",
        allowed.stderr
    );
    // The note beside it says where it came from, and not that it may be used.
    let note = fs::read_to_string(state(&ran).join("nssm_origin.txt")).unwrap();
    assert!(note.contains(&found), "{note}");
    let again = || service(ran.then_install().env("PATH", ""), "other-nssm", &program);
    again().status(2).stderr_contains("nssm.exe `[TMP]\\working_dir\\nssm.exe`: its SHA-256 is ").run();
    let reinstall = || ran.then_manage().args(["other-nssm", "reinstall"]);
    reinstall().status(2).stderr_contains("`--allow-unknown-nssm` uses it all the same").run();
    reinstall().arg("--allow-unknown-nssm").stdout("unchanged: other-nssm\n").run();
    ran.then_manage().args(["other-nssm", "remove"]).run();

    let (test, program) = without_nssm();
    let ran = service(test.arg("--offline"), "no-nssm", &program).status(1).run();
    let state_dir = "[TMP]\\working_dir\\nssm.exe";
    for part in [
        "`--offline` forbids to download it",
        WANTED,
        "99f5045fffbffb745d67fe3a065a953c4a3d9c253b868892d9b685b0ee7d07b8",
        "nssm-2.24-101-g897c7ad/win64/nssm.exe",
        state_dir,
    ] {
        assert!(ran.stderr.contains(part), "`{part}` is not in\n{}", ran.stderr);
    }
    keeps_nothing(&ran, "no-nssm");
    let (test, program) = without_nssm();
    let ran = service(test.args(["--nssm", r"C:\no\nssm.exe"]), "no-nssm", &program).status(2).run();
    assert!(ran.stderr.contains(r"option `--nssm` `C:\no\nssm.exe`: there is no such file"), "{}", ran.stderr);
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn downloads() {
    let good = genuine();
    let expected = sha256(&good);
    let plain = Server::start(None, vec![("/good.zip", Answer::Body(good.clone()))]);
    let (pem, tls) = authority();
    let changed = archive(&[(MEMBER, b"something else")]);
    let bomb = archive(&[(MEMBER, &vec![0; 9 << 20])]);
    let leaving = archive(&[(MEMBER, &fs::read(NSSM_24).unwrap()), ("../../evil.exe", b"evil")]);
    let server = Server::start(
        Some(tls),
        vec![
            ("/good.zip", Answer::Body(good.clone())),
            ("/changed.zip", Answer::Body(changed.clone())),
            ("/bomb.zip", Answer::Body(bomb.clone())),
            ("/leaving.zip", Answer::Body(leaving.clone())),
            ("/truncated.zip", Answer::Truncated(good.clone())),
            ("/busy.zip", Answer::Status("503 Service Unavailable")),
            ("/moved.zip", Answer::Redirect("/good.zip".to_owned())),
            ("/downgraded.zip", Answer::Redirect(format!("http://127.0.0.1:{}/good.zip", plain.port))),
            ("/endless.zip", Answer::Endless),
        ],
    );
    let (test, program) = without_nssm();
    let ran = test.file("ca.pem", &pem).arg("--version").run();
    let url = |path: &str| format!("https://127.0.0.1:{}{path}", server.port);
    let attempt = |paths: &[&str], sum: &str| {
        let urls: Vec<String> =
            paths.iter().map(|path| if path.starts_with("http") { (*path).to_owned() } else { url(path) }).collect();
        let test = ran.then_install().env("PATH", "").env("INSTALLSERVICE_NSSM_URLS", urls.join(" "));
        let test = test.env("INSTALLSERVICE_NSSM_SHA256", sum).args(["--ca-file", "ca.pem"]);
        service(test.env("HTTPS_PROXY", "http://127.0.0.1:9").env("NO_PROXY", "127.0.0.1"), "download", &program)
    };
    let fails = |paths: &[&str], sum: &str, parts: &[&str]| {
        let failed = attempt(paths, sum).status(1).run();
        for part in parts.iter().chain(&["put it at `[TMP]\\working_dir\\nssm.exe`"]) {
            assert!(failed.stderr.contains(part), "{paths:?}: `{part}` is not in\n{}", failed.stderr);
        }
        keeps_nothing(&ran, "download");
    };
    // Both values of a wrong checksum; the way to nssm.cc is tried last and named.
    fails(&["/changed.zip"], &expected, &[&sha256(&changed), &expected, WANTED, OFFICIAL, "connect"]);
    let member = sha256(b"something else");
    fails(
        &["/changed.zip"],
        &sha256(&changed),
        &[&member, "f689ee9af94b00e9e3f0bb072b34caaf207f32dcb4f5782fc9ca351df9a06c97"],
    );
    fails(&["/bomb.zip"], &sha256(&bomb), &["is larger than 8388608 bytes"]);
    fails(&["/leaving.zip"], &sha256(&leaving), &["`../../evil.exe` would leave the folder"]);
    fails(&["/truncated.zip"], &expected, &["/truncated.zip: "]);
    fails(
        &["/missing.zip", "/busy.zip"],
        &expected,
        &["/missing.zip: ", "404 Not Found", "/busy.zip: ", "503 Service Unavailable"],
    );
    fails(&["/endless.zip"], &expected, &["it is larger than 8388608 bytes"]);
    fails(&["/downgraded.zip"], &expected, &["/downgraded.zip: "]);
    fails(&[&format!("http://127.0.0.1:{}/good.zip", plain.port)], &expected, &["URL scheme is not allowed"]);
    assert_eq!(plain.seen(), [""; 0], "nothing is asked without TLS");

    // A redirect that stays with TLS, and the mirror after those that fail.
    let done = attempt(&["/missing.zip", "/busy.zip", "/moved.zip"], &expected).run();
    assert!(done.stderr.contains("/moved.zip`"), "{}", done.stderr);
    assert_eq!(fs::read(state(&ran).join("nssm.exe")).unwrap(), fs::read(NSSM_24).unwrap());
    let note = fs::read_to_string(state(&ran).join("nssm_origin.txt")).unwrap();
    assert!(
        note.contains("/moved.zip")
            && note.contains("f689ee9af94b00e9e3f0bb072b34caaf207f32dcb4f5782fc9ca351df9a06c97"),
        "{note}"
    );
    let asked = server.seen().len();
    attempt(&["/good.zip"], &expected).stdout("unchanged: download\n").run();
    assert_eq!(server.seen().len(), asked, "what is there is not downloaded again");
    ran.then_manage().args(["download", "remove", "--remove_nssm", "--remove_install_args"]).run();

    // A server that the authorities in the file do not vouch for.
    let (other, _) = authority();
    fs::write(ran.folder().join("ca.pem"), other).unwrap();
    fails(&["/good.zip"], &expected, &["certificate"]);
    fs::write(ran.folder().join("ca.pem"), "no certificate").unwrap();
    fails(&["/good.zip"], &expected, &["downloading NSSM failed"]);

    // A proxy is asked to connect.
    let proxy = Server::start(None, Vec::new());
    let test = ran.then_install().env("PATH", "").env("HTTPS_PROXY", format!("http://127.0.0.1:{}", proxy.port));
    service(test, "download", &program).status(1).run();
    // Once for each release.
    assert_eq!(proxy.seen(), ["CONNECT nssm.cc:443 HTTP/1.1"; 2]);
    keeps_nothing(&ran, "download");
}

/// The later release is put under services that run by the earlier one, with consent and as one thing.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn an_upgrade_replaces_the_nssm_of_all_services() {
    let test = Test::install().file("working_dir/nssm.exe", fs::read(NSSM_24).unwrap());
    let program = probe(&test.folder().join("app"));
    let ran = service(test.arg("--start"), "upgraded-1", &program).run();
    service(ran.then_install(), "upgraded-2", &program).run();
    let kept = state(&ran).join("nssm.exe");
    let is = |exe: &str| fs::read(&kept).unwrap() == fs::read(exe).unwrap();
    let upgrade = || ran.then_manage().env("PATH", "").args(["--upgrade-nssm", "--offline"]);
    let named = || upgrade().args(["--nssm", NSSM_101]);

    // None is to be had; what runs is not stopped unasked; and neither names nor modes have anything to do with it.
    upgrade().status(1).stderr_contains("`--offline` forbids to download it").run();
    let refused = named().status(2).run();
    for part in ["`upgraded-1` run by the nssm.exe", "`ManageService --upgrade-nssm --yes` stops what runs"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    named().arg("upgraded-1").status(2).stderr_contains("`--upgrade-nssm` is for all services").run();
    assert!(is(NSSM_24) && state_of("upgraded-1") == "SERVICE_RUNNING");

    // A service that does not come up again takes all of it back. (The same with some bytes behind its end: under Wine
    // 2.24-101 does not end when it should.)
    let directory = nssm_does(&["get", "upgraded-1", "AppDirectory"]);
    nssm_does(&["set", "upgraded-1", "AppDirectory", r"C:\nowhere"]);
    fs::write(ran.folder().join("other.exe"), [&fs::read(NSSM_24).unwrap()[..], b"..."].concat()).unwrap();
    let other = upgrade().args(["--yes", "--allow-unknown-nssm", "--nssm", "other.exe"]).status(1).run();
    assert!(other.stderr.contains("starting `upgraded-1`: it has stopped") && is(NSSM_24), "{}", other.stderr);
    nssm_does(&["set", "upgraded-1", "AppDirectory", &directory]);
    ran.then_manage().args(["upgraded-1", "start"]).run();

    named().arg("--yes").stdout("upgraded: nssm.exe\nrestarted: upgraded-1\n").run();
    assert!(is(NSSM_101));
    assert_eq!(["upgraded-1", "upgraded-2"].map(state_of), ["SERVICE_RUNNING", "SERVICE_STOPPED"]);
    named().stdout("unchanged: nssm.exe\n").run();
    upgrade().stdout("unchanged: nssm.exe\n").run();
    let note = fs::read_to_string(state(&ran).join("nssm_origin.txt")).unwrap();
    assert!(note.contains("eee9c44c29c2be011f1f1e43bb8c3fca888cb81053022ec5a0060035de16d848"), "{note}");
    for name in ["upgraded-1", "upgraded-2"] {
        ran.then_manage().args([name, "diff"]).run();
        ran.then_manage().args([name, "doctor"]).run_to_any_end();
    }

    for name in ["upgraded-1", "upgraded-2"] {
        ran.then_manage().args([name, "stop_and_remove"]).run();
    }
}

/// While nothing runs by it, an install puts the later release in the place of the earlier one, where that is at hand.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn an_install_upgrades_what_does_not_run() {
    let test = Test::install().file("working_dir/nssm.exe", fs::read(NSSM_24).unwrap());
    let program = probe(&test.folder().join("app"));
    let newer = test.folder().join("newer");
    fs::create_dir(&newer).unwrap();
    fs::copy(NSSM_101, newer.join("nssm.exe")).unwrap();
    let ran = test.arg("--version").run();
    let install = |name: &str, path: &Path, more: &[&str]| {
        let test = ran.then_install().env("PATH", path).args(["--offline", "--start"]).args(more);
        service(test, name, &program)
    };
    let kept = state(&ran).join("nssm.exe");
    let is = |exe: &str| fs::read(&kept).unwrap() == fs::read(exe).unwrap();
    install("upgrades-1", Path::new(""), &[]).run();
    let stays = install("upgrades-2", &newer, &[]).run();
    let note = "nssm.exe` is running and stays NSSM 2.24; `ManageService --upgrade-nssm --yes` stops what runs and brings 2.24-101";
    assert!(stays.stderr.contains(note) && is(NSSM_24), "{}", stays.stderr);
    let needs = install("upgrades-2", &newer, &["--property", "AppTimestampLog=1"]).status(2).run();
    assert!(needs.stderr.contains("`ManageService --upgrade-nssm` brings that under all services"), "{}", needs.stderr);
    for name in ["upgrades-1", "upgrades-2"] {
        ran.then_manage().args([name, "stop"]).run();
    }
    let upgraded = install("upgrades-2", &newer, &[]).run();
    assert!(upgraded.stderr.contains(r"nssm.exe`, from `[TMP]\newer\nssm.exe`") && is(NSSM_101), "{}", upgraded.stderr);
    for name in ["upgrades-1", "upgrades-2"] {
        ran.then_manage().args([name, "start"]).run_to_any_end();
        assert_eq!(state_of(name), "SERVICE_RUNNING");
        ran.then_manage().args([name, "stop_and_remove"]).run();
    }
}
