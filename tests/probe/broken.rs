//! A command that begins and ends as ours do, and that panics, in the way named, with the value of a secret at
//! hand: `PASSWORD` of its environment.
#![allow(clippy::disallowed_methods, reason = "it is a program of its own, with effects of its own")]
#![allow(clippy::unnecessary_literal_unwrap, reason = "the ways to panic are the point")]

use std::ffi::OsString;
use std::process::ExitCode;

use install_service::cli;
use install_service::error::Error;
use install_service::model::artifact::{Artifact, ArtifactKind};
use install_service::model::text::Text;

fn main() -> ExitCode {
    cli::broken::start("InstallService", std::env::args_os().collect(), run)
}

fn run(words: Vec<OsString>) -> Result<u8, Error> {
    let secret = Text::from(std::env::var("PASSWORD").expect("PASSWORD"));
    let file = Artifact::private("/etc/secret".into(), ArtifactKind::Environment, secret.as_bytes());
    match words[1].to_str() {
        Some("words") => panic!("words of the source"),
        Some("formatted") => panic!("the value is {secret}"),
        Some("expect") => Err::<(), _>(secret).expect("no value"),
        Some("unwrap") => Err::<(), _>(file).unwrap(),
        Some("assert") => assert_eq!(Text::from("other"), secret),
        Some("any") => std::panic::panic_any(secret),
        Some("index") => drop(secret.as_bytes()[secret.as_bytes().len()..][0]),
        Some("thread") => std::thread::scope(|scope| {
            scope.spawn(|| panic!("{secret}"));
        }),
        other => panic!("{other:?} is no way to panic"),
    }
    Ok(0)
}
