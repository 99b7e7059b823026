//! Where `nssm.exe` comes from: named, found, taken from an archive, downloaded; never one that is not
//! what it should be.

use std::fs;
use std::io::{BufRead as _, BufReader, Cursor, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::bed::{NSSM, key, probe};
use crate::support::{Ran, Test};

const OFFICIAL: &str = "https://nssm.cc/release/nssm-2.24.zip";
const MEMBER: &str = "nssm-2.24/win64/nssm.exe";

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, contents) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(contents).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The archive as nssm.cc has it, with the one member that is wanted.
fn genuine() -> Vec<u8> {
    archive(&[("nssm-2.24/README.txt", b"NSSM"), (MEMBER, &fs::read(NSSM).unwrap())])
}

/// What a server answers; the connection is closed after it.
enum Answer {
    Body(Vec<u8>),
    Status(&'static str),
    Redirect(String),
    /// Half of what it promises.
    Truncated(Vec<u8>),
    Endless,
}

fn answer(stream: &mut (impl Read + Write), answer: &Answer) -> std::io::Result<()> {
    let head = |status: &str, more: &str| format!("HTTP/1.1 {status}\r\nConnection: close\r\n{more}\r\n");
    match answer {
        Answer::Body(bytes) => {
            stream.write_all(head("200 OK", &format!("Content-Length: {}\r\n", bytes.len())).as_bytes())?;
            stream.write_all(bytes)
        }
        Answer::Status(status) => stream.write_all(head(status, "Content-Length: 0\r\n").as_bytes()),
        Answer::Redirect(to) => {
            stream.write_all(head("302 Found", &format!("Location: {to}\r\nContent-Length: 0\r\n")).as_bytes())
        }
        Answer::Truncated(bytes) => {
            stream.write_all(head("200 OK", &format!("Content-Length: {}\r\n", bytes.len())).as_bytes())?;
            stream.write_all(&bytes[..bytes.len() / 2])
        }
        Answer::Endless => {
            stream.write_all(head("200 OK", "").as_bytes())?;
            loop {
                stream.write_all(&[b'x'; 1 << 16])?;
            }
        }
    }
}

/// A server on this machine; `seen` are the first lines of its requests.
struct Server {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(tls: Option<Arc<rustls::ServerConfig>>, answers: Vec<(&'static str, Answer)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (noted, answers) = (Arc::clone(&seen), Arc::new(answers));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, noted, answers) = (tls.clone(), Arc::clone(&noted), Arc::clone(&answers));
                // A client that goes away is what some of the tests are about.
                thread::spawn(move || drop(serve(stream, tls, &noted, &answers)));
            }
        });
        Self { port, seen }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(
    tcp: TcpStream,
    tls: Option<Arc<rustls::ServerConfig>>,
    seen: &Mutex<Vec<String>>,
    answers: &[(&str, Answer)],
) -> std::io::Result<()> {
    fn one(
        stream: &mut (impl Read + Write),
        seen: &Mutex<Vec<String>>,
        answers: &[(&str, Answer)],
    ) -> std::io::Result<()> {
        let mut request = BufReader::new(&mut *stream);
        let mut first = String::new();
        request.read_line(&mut first)?;
        let mut line = String::new();
        while request.read_line(&mut line)? > 2 {
            line.clear();
        }
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        seen.lock().unwrap().push(first.trim_end().to_owned());
        let found = answers.iter().find(|(known, _)| *known == path).map(|(_, found)| found);
        answer(stream, found.unwrap_or(&Answer::Status("404 Not Found")))
    }
    let mut tcp = tcp;
    match tls {
        None => one(&mut tcp, seen, answers),
        Some(config) => {
            let connection = rustls::ServerConnection::new(config).map_err(std::io::Error::other)?;
            let mut stream = rustls::StreamOwned::new(connection, tcp);
            one(&mut stream, seen, answers)?;
            stream.conn.send_close_notify();
            stream.flush()
        }
    }
}

/// A certificate authority of the test's own, and a server that it vouches for.
fn authority() -> (String, Arc<rustls::ServerConfig>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let signer = KeyPair::generate().unwrap();
    let pem = params.self_signed(&signer).unwrap().pem();
    let issuer = Issuer::new(params, signer);
    let own = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&own, &issuer).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(own.serialize_der()).unwrap())
        .unwrap();
    (pem, Arc::new(config))
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
    let nssm = fs::read(NSSM).unwrap();
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
    for part in [&expected, "727d1e42275c605e0f04aba98095c38a8e1e46def453cdffce42869428aa6743"] {
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
    let mut other = fs::read(NSSM).unwrap();
    // Behind its end, so that it runs as well.
    other.extend_from_slice(b"...");
    let found = sha256(&other);
    let ran = service(test.file("nssm.exe", &other), "other-nssm", &program).status(2).run();
    for part in
        [&found, "f689ee9af94b00e9e3f0bb072b34caaf207f32dcb4f5782fc9ca351df9a06c97", "`--allow-unknown-nssm` uses it"]
    {
        assert!(ran.stderr.contains(part), "`{part}` is not in\n{}", ran.stderr);
    }
    keeps_nothing(&ran, "other-nssm");
    let test = ran.then_install().env("PATH", "").arg("--allow-unknown-nssm");
    let allowed = service(test, "other-nssm", &program).run();
    assert!(
        allowed.stderr.contains("note: using `[TMP]\\nssm.exe`") && allowed.stderr.contains(&found),
        "{}",
        allowed.stderr
    );
    ran.then_manage().args(["other-nssm", "remove"]).run();

    let (test, program) = without_nssm();
    let ran = service(test.arg("--offline"), "no-nssm", &program).status(1).run();
    let state_dir = "[TMP]\\working_dir\\nssm.exe";
    for part in [
        "`--offline` forbids to download it",
        OFFICIAL,
        "727d1e42275c605e0f04aba98095c38a8e1e46def453cdffce42869428aa6743",
        MEMBER,
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
    let leaving = archive(&[(MEMBER, &fs::read(NSSM).unwrap()), ("../../evil.exe", b"evil")]);
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
    fails(&["/changed.zip"], &expected, &[&sha256(&changed), &expected, OFFICIAL, "connect"]);
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
    assert_eq!(fs::read(state(&ran).join("nssm.exe")).unwrap(), fs::read(NSSM).unwrap());
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
    assert_eq!(proxy.seen(), ["CONNECT nssm.cc:443 HTTP/1.1"]);
    keeps_nothing(&ran, "download");
}
