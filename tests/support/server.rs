//! A server on this machine for downloads, and archives for it to send.

use std::io::{BufRead as _, BufReader, Cursor, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, contents) in members {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(contents).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// What a server answers; the connection is closed after it.
pub(crate) enum Answer {
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
pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(tls: Option<Arc<rustls::ServerConfig>>, answers: Vec<(&'static str, Answer)>) -> Self {
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

    pub(crate) fn seen(&self) -> Vec<String> {
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
pub(crate) fn authority() -> (String, Arc<rustls::ServerConfig>) {
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
