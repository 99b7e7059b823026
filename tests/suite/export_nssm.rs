//! An export for NSSM brings the programs that the services run by, on Linux as on Windows: from where they are named, from
//! what was downloaded before, from the network; never one that is not what it should be.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::server::{Answer, Server, archive, authority, sha256};
use crate::support::{Ran, Test, output_of};

const MEMBER: &str = "nssm-2.24/win64/nssm.exe";

/// The checksums of the releases, which every batch knows.
const KNOWN: [&str; 2] = [
    "eee9c44c29c2be011f1f1e43bb8c3fca888cb81053022ec5a0060035de16d848",
    "f689ee9af94b00e9e3f0bb072b34caaf207f32dcb4f5782fc9ca351df9a06c97",
];

/// An export of one service into `tree`, on a machine whose way to nssm.cc ends at once.
fn export(test: Test) -> Test {
    let test = test.env("HTTPS_PROXY", "http://127.0.0.1:9").env("NO_PROXY", "127.0.0.1");
    test.args(["--target", "nssm", "--output", "tree", "--working-directory", r"C:\lab", "--service_name", "web"])
}

fn of_program(test: Test) -> Test {
    test.args(["--", r"C:\lab\web.exe"])
}

fn read(ran: &Ran, name: &str) -> Option<Vec<u8>> {
    fs::read(ran.folder().join("tree").join(name)).ok()
}

fn batch(ran: &Ran) -> String {
    String::from_utf8(read(ran, "install-web.cmd").expect("a batch")).expect("UTF-8")
}

#[test]
fn what_is_not_at_hand_is_told_and_no_failure() {
    let ran = of_program(export(Test::install()).arg("--offline")).run();
    for part in [
        "note: nssm.exe is not among the files: download https://nssm.cc/ci/nssm-2.24-101-g897c7ad.zip (SHA-256 99f5045f",
        "take `nssm-2.24-101-g897c7ad/win64/nssm.exe` out of it and put it beside the batches; or name the zip file: \
         `--nssm-archive FILE`; nssm.exe is not here, and `--offline` forbids to download it\n",
        "note: RunService.exe is not among the files, because it is not beside this program",
    ] {
        assert!(ran.stderr.contains(part), "`{part}` is not in\n{}", ran.stderr);
    }
    assert_eq!((read(&ran, "nssm.exe"), read(&ran, "RunService.exe")), (None, None));
    let text = batch(&ran);
    assert!(KNOWN.iter().all(|sum| text.contains(sum)) && !text.contains("--guard"), "{text}");
    // Nor is the network one that does not answer.
    let ran = of_program(export(Test::install())).run();
    assert!(ran.stderr.contains("; downloading NSSM failed:\n    https://nssm.cc/ci/"), "{}", ran.stderr);
    assert!(ran.stderr.contains("\n    https://nssm.cc/release/nssm-2.24.zip: "), "{}", ran.stderr);
    // Whoever has them elsewhere need not hear of it.
    let ran = of_program(export(Test::install()).arg("--no-nssm")).stderr("").run();
    assert_eq!(read(&ran, "nssm.exe"), None);
    assert_eq!(batch(&ran), text);
    let refused = Test::install().args(["--no-nssm", "--dry-run", "--service_name", "web", "--", "/bin/true"]);
    refused.status(2).stderr_contains("option `--no-nssm`: needs `--output DIR`").run();
}

#[test]
fn one_that_is_named_has_to_be_known_or_allowed() {
    let test = Test::install().file("mine.exe", "mine").file("nssm.exe", "another");
    let refused = of_program(export(test).args(["--nssm", "mine.exe"])).status(2).stdout("").run();
    for part in [&*sha256(b"mine"), KNOWN[0], KNOWN[1], "`--allow-unknown-nssm` uses it all the same"] {
        assert!(refused.stderr.contains(part), "`{part}` is not in\n{}", refused.stderr);
    }
    assert!(!refused.folder().join("tree").exists());
    // One that nobody has named is passed over.
    let passed = of_program(export(refused.then_install()).arg("--offline")).run();
    let note = format!("note: passing over `nssm.exe`: its SHA-256 is {}, and NSSM 2.24-101 has ", sha256(b"another"));
    let note = note.replace("`nssm.exe`", "`[TMP]/nssm.exe`");
    assert!(passed.stderr.contains(&note), "{note}{}", passed.stderr);
    assert_eq!(read(&passed, "nssm.exe"), None);

    let allowed = || export(refused.then_install()).args(["--allow-unknown-nssm", "--nssm", "mine.exe"]);
    let ran = of_program(allowed()).stdout_contains("tree/nssm.exe\n").run();
    assert_eq!(read(&ran, "nssm.exe").as_deref(), Some(&b"mine"[..]));
    assert!(batch(&ran).contains(&format!("if /i \"%sum%\"==\"{}\" goto found", sha256(b"mine"))));
    // It is ours to update, and to take away.
    fs::write(ran.folder().join("mine.exe"), "newer").unwrap();
    let ran = of_program(allowed()).run();
    assert_eq!(read(&ran, "nssm.exe").as_deref(), Some(&b"newer"[..]));
    fs::write(ran.folder().join("tree/nssm.exe"), "put there by somebody").unwrap();
    of_program(allowed()).status(2).stderr_contains("refusing to touch `tree/nssm.exe`").run();
    fs::write(ran.folder().join("tree/nssm.exe"), "newer").unwrap();
    let ran = of_program(export(ran.then_install()).arg("--no-nssm")).run();
    assert_eq!(read(&ran, "nssm.exe"), None);
}

#[test]
fn a_parameter_of_the_later_release_needs_that() {
    let later = |test: Test| of_program(export(test).args(["--no-nssm", "--property", "AppTimestampLog=1"]));
    let text = batch(&later(Test::install()).run());
    assert!(text.contains(KNOWN[0]) && !text.contains(KNOWN[1]), "{text}");
    // Not by `nssm.exe`: that of the host may be one that does not know the parameter.
    assert!(text.contains(r#"\reg.exe" ^"add^" "#), "{text}");
    assert!(text.contains(r#"^"AppTimestampLog^" ^"/t^" ^"REG_DWORD^" ^"/d^" ^"1^""#), "{text}");
}

#[test]
fn downloads() {
    let good = archive(&[(MEMBER, b"an nssm.exe")]);
    let leaving = archive(&[(MEMBER, b"an nssm.exe"), ("../../evil.exe", b"evil")]);
    let empty = archive(&[("README.txt", b"nothing")]);
    let plain = Server::start(None, vec![("/good.zip", Answer::Body(good.clone()))]);
    let (pem, tls) = authority();
    let answers = vec![
        ("/good.zip", Answer::Body(good.clone())),
        ("/leaving.zip", Answer::Body(leaving.clone())),
        ("/empty.zip", Answer::Body(empty.clone())),
        ("/truncated.zip", Answer::Truncated(good.clone())),
        ("/busy.zip", Answer::Status("503 Service Unavailable")),
        ("/moved.zip", Answer::Redirect("/good.zip".to_owned())),
        ("/downgraded.zip", Answer::Redirect(format!("http://127.0.0.1:{}/good.zip", plain.port))),
        ("/endless.zip", Answer::Endless),
    ];
    let server = Server::start(Some(tls), answers);
    let ran = Test::install().file("ca.pem", pem).arg("--version").run();
    let export_from = |path: &str, more: &[&str]| {
        let url =
            if path.starts_with("http") { path.to_owned() } else { format!("https://127.0.0.1:{}{path}", server.port) };
        let test = export(ran.then_install()).env("INSTALLSERVICE_NSSM_URLS", url).args(["--ca-file", "ca.pem"]);
        of_program(test.args(more))
    };
    let fails = |path: &str, parts: &[&str]| {
        let told = export_from(path, &[]).run();
        for part in parts {
            assert!(told.stderr.contains(part), "{path}: `{part}` is not in\n{}", told.stderr);
        }
        assert_eq!(read(&told, "nssm.exe"), None);
    };
    fails("/good.zip", &[&sha256(&good), "99f5045fffbffb745d67fe3a065a953c4a3d9c253b868892d9b685b0ee7d07b8"]);
    fails("/truncated.zip", &["/truncated.zip: "]);
    fails("/busy.zip", &["503 Service Unavailable"]);
    fails("/missing.zip", &["404 Not Found"]);
    fails("/endless.zip", &["it is larger than 8388608 bytes"]);
    fails("/downgraded.zip", &["/downgraded.zip: "]);
    fails(&format!("http://127.0.0.1:{}/good.zip", plain.port), &["URL scheme is not allowed"]);
    assert_eq!(plain.seen(), [""; 0], "nothing is asked without TLS");

    // An archive of a known checksum still has to hold what it should.
    let vouched = |path: &str, zip: &[u8], said: &str| {
        let told = export_from(path, &[]).env("INSTALLSERVICE_NSSM_SHA256", sha256(zip)).run();
        assert!(told.stderr.contains(said), "{path}: {}", told.stderr);
        assert_eq!(read(&told, "nssm.exe"), None);
    };
    let other = format!("the SHA-256 of `{MEMBER}` in it is {}, and it should be {}", sha256(b"an nssm.exe"), KNOWN[1]);
    vouched("/good.zip", &good, &other);
    vouched("/leaving.zip", &leaving, "its member `../../evil.exe` would leave the folder");
    vouched("/empty.zip", &empty, &format!("and no `{MEMBER}` in it"));

    // Who allows it has it, and only of what is known something is kept for the next time.
    let done = export_from("/moved.zip", &["--allow-unknown-nssm"]).run();
    assert!(done.stderr.contains("nssm.exe is put at `tree/nssm.exe`, from `https://127.0.0.1:"), "{}", done.stderr);
    assert_eq!(read(&done, "nssm.exe").as_deref(), Some(&b"an nssm.exe"[..]));
    assert!(!ran.folder().join("home/.cache").exists());
    // A file of that name there that is not what it says is no cache.
    let cache = ran.folder().join("home/.cache/install-service");
    fs::create_dir_all(&cache).unwrap();
    fs::write(cache.join("nssm-2.24-101-win64.exe"), "not it").unwrap();
    fs::remove_dir_all(ran.folder().join("tree")).unwrap();
    fails("/busy.zip", &["503 Service Unavailable"]);
}

/// This program beside a `RunService.exe`, as a release for Windows has it.
#[test]
fn run_service_comes_from_beside_this_program() {
    let ran = Test::install_beside(b"a RunService").arg("--version").run();
    let program: PathBuf = ran.folder().join("bin/InstallService");
    let export = |layout: &str, tree: &str, argument: &str| {
        let words = ["--target", "nssm", "--offline", "--layout", layout, "--output", tree, "--service_name", "web"];
        let mut command = Command::new(&program);
        command.args(words).args(["--working-directory", r"C:\lab", "--", r"C:\lab\web.exe", argument]);
        let output = output_of(command.current_dir(ran.folder()).env("HOME", ran.folder()));
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    let said = export("tree", "tree", "x");
    assert!(said.contains("nssm.exe is not among the files") && !said.contains("RunService.exe is not"), "{said}");
    assert_eq!(read(&ran, "RunService.exe").as_deref(), Some(&b"a RunService"[..]));
    let sum = sha256(b"a RunService");
    let text = batch(&ran);
    for part in [
        format!("if /i \"%sum%\"==\"{sum}\" set \"helps=yes\""),
        format!("if /i \"%sum%\"==\"{sum}\" goto has_runner"),
        "\"%~dp0RunService.exe\" --guard \"C:\\ProgramData\\InstallService\"".to_owned(),
    ] {
        assert!(text.contains(&part), "`{part}` is not in\n{text}");
    }
    // A line has its limit: then NSSM runs the program itself.
    assert!(batch(&ran).contains("goto through"));
    let said = export("tree", "tree", &"x".repeat(7830));
    let note =
        "note: `web`: the batch will leave no error log: its arguments leave no room for RunService in a line there\n";
    assert!(said.contains(note) && !batch(&ran).contains("goto through") && batch(&ran).contains("--guard"), "{said}");
    // A role has them among its files.
    export("ansible", "role", "x");
    assert_eq!(fs::read(ran.folder().join("role/files/RunService.exe")).unwrap(), b"a RunService");
}

/// Windows keeps one of two names that differ in the case of their letters alone, and says nothing.
#[test]
fn names_that_windows_takes_for_one_are_refused_together() {
    let twice = of_program(export(Test::install()).args(["--no-nssm", "--env", "Mode=one", "--env", "MODE=two"]));
    twice.status(2).stderr_contains("environment variable `MODE`: Windows takes `Mode` and `MODE` for one name").run();
    let secret = of_program(export(Test::install()).args(["--no-nssm", "--env", "Mode=one", "--env", "MODE"]));
    secret.status(2).stderr_contains("Windows takes `Mode` and `MODE` for one name").run();
    let service = |name: &str| format!("[[service]]\nname = '{name}'\nexecutable = 'C:\\web.exe'\n");
    let both = Test::install().file("both.toml", service("web") + &service("Web"));
    let both = both.args(["--target", "nssm", "--no-nssm", "--manifest", "both.toml", "--output", "tree"]).status(2);
    let ran = both.stderr_contains("service name `Web`: Windows takes `web` and `Web` for one name").run();
    assert!(!ran.folder().join("tree").exists());
    // systemd tells them apart.
    let words = ["--dry-run", "--target", "systemd", "--env", "Mode=one", "--env", "MODE=two", "--service_name", "web"];
    Test::install().args(words).args(["--", "/bin/true"]).run();
}

/// What a service sees otherwise than whoever installs it, and what Windows takes from none.
#[test]
fn paths_of_windows() {
    let of = |test: Test, program: &str, more: &[&str]| {
        export(test).arg("--no-nssm").args(more).args(["--", program]).args([r"\\nas\in", "plain"])
    };
    let share = of(Test::install(), r"\\nas\tools\web.exe", &[]).run();
    let note = "note: `web`: its program `\\\\nas\\tools\\web.exe` is on another machine, which sees LocalSystem as the account \
                of this computer, and as nobody where there is no domain; copy it to a local disk, or open the share to that\n";
    assert_eq!(share.stderr.matches("is on another machine").count(), 1, "{}", share.stderr);
    assert!(share.stderr.contains(note), "{}", share.stderr);
    let nobody = of(Test::install(), r"C:\web.exe", &["--account", "LocalService"]);
    nobody.stderr_contains(r"its argument `\\nas\in` is on another machine, which sees LocalService as nobody;").run();

    let path = |units: usize| format!(r"C:\{}.exe", "é".repeat(units - 7));
    of(Test::install(), &path(259), &[]).run();
    let long = of(Test::install(), &path(260), &[]).status(2).run();
    let reason = "(513 bytes)`: has 260 characters; for a service Windows takes at most 259 here\n";
    assert!(long.stderr.contains(reason) && long.stderr.contains("`dir /x` shows the short names"), "{}", long.stderr);
    let alias = r"C:\Users\jo\AppData\Local\Microsoft\WindowsApps\python.exe";
    of(Test::install(), alias, &[]).status(2).stderr_contains("this is a link of the Microsoft Store").run();
    let python = export(Test::install()).args(["--no-nssm", "--python", alias, "package.module:run"]).status(2);
    python.stderr_contains("this is a link of the Microsoft Store").run();
}
