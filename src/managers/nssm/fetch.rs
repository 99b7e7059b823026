//! Downloads: over TLS only, with a limit on size and time, from the first mirror that delivers.

use std::io::{IsTerminal, Read};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use reqwest::blocking::Client;

use crate::host::interrupt;
use crate::host::reading::{self, Limit, Links};
use crate::model::text::Text;

/// Longest time for a whole download.
const TIMEOUT: Duration = Duration::from_secs(120);
/// Longest time to reach a server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Time between two looks at whether an interrupt has come.
const PAUSE: Duration = Duration::from_millis(100);

/// Downloads the first of `urls` that `accept` takes, in at most `limit` bytes, and says which one.
///
/// Proxy variables of the environment count. With `ca_file` the certificate authorities in it are
/// the only ones that are trusted.
///
/// # Errors
/// A line for each mirror with what went wrong there.
pub fn download<T>(
    urls: &[String],
    limit: u64,
    ca_file: Option<&Text>,
    accept: impl Fn(Vec<u8>) -> Result<T, String>,
) -> Result<(T, String), Vec<String>> {
    let client = match client(ca_file) {
        Ok(client) => client,
        Err(reason) => return Err(vec![reason]),
    };
    let mut failures = Vec::new();
    for url in urls {
        match fetch_or_leave(&client, url, limit).and_then(&accept) {
            Ok(value) => return Ok((value, url.clone())),
            Err(reason) => failures.push(format!("{url}: {reason}")),
        }
        if interrupt::has_come() {
            break;
        }
    }
    Err(failures)
}

/// [`fetch`], which is waited for until an interrupt comes.
fn fetch_or_leave(client: &Client, url: &str, limit: u64) -> Result<Vec<u8>, String> {
    let (sender, fetched) = mpsc::channel();
    let (client, url) = (client.clone(), url.to_owned());
    // Nobody hears it after an interrupt; it ends with us.
    thread::spawn(move || drop(sender.send(fetch(&client, &url, limit))));
    loop {
        match fetched.recv_timeout(PAUSE) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) if !interrupt::has_come() => {}
            Err(_) => return Err("it was left".into()),
        }
    }
}

fn client(ca_file: Option<&Text>) -> Result<Client, String> {
    // A second call finds the provider installed, which is what it wants.
    drop(rustls::crypto::ring::default_provider().install_default());
    // Also a redirect must not lead away from TLS.
    let mut builder = Client::builder().https_only(true).timeout(TIMEOUT).connect_timeout(CONNECT_TIMEOUT);
    if let Some(path) = ca_file {
        let pem = reading::whole(path, Links::Followed, Limit::TEXT)
            .map_err(|unread| format!("reading the certificate authorities `{path}`: {unread}"))?;
        let authorities = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| chain(&error))?;
        builder = builder.tls_certs_only(authorities);
    }
    builder.build().map_err(|error| chain(&error))
}

fn fetch(client: &Client, url: &str, limit: u64) -> Result<Vec<u8>, String> {
    let response = client
        .get(url)
        .send()
        .and_then(reqwest::blocking::Response::error_for_status)
        .map_err(|error| chain(&error))?;
    let expected = response.content_length();
    if expected.is_some_and(|length| length > limit) {
        return Err(format!("it is larger than {limit} bytes"));
    }
    let bar = progress(expected);
    let mut bytes = Vec::new();
    bar.wrap_read(response).take(limit + 1).read_to_end(&mut bytes).map_err(|error| chain(&error))?;
    bar.finish_and_clear();
    if bytes.len() as u64 > limit {
        return Err(format!("it is larger than {limit} bytes"));
    }
    Ok(bytes)
}

/// A bar on a terminal, nothing elsewhere.
fn progress(length: Option<u64>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = length.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let style = ProgressStyle::with_template("  {bytes}/{total_bytes} [{bar:30}] {bytes_per_sec}");
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}

/// An error with the reasons behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
