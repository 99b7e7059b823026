//! Credentials of systemd: environment files that only this host reads, with a key of its own
//! (systemd-creds(1); the key is `/var/lib/systemd/credential.secret`, which systemd makes once).
//!
//! Above the host an encrypted file is known by what is in it. Encrypted twice, it would have other
//! bytes each time, and every install would find a difference.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::error::Error;
use crate::host::process;
use crate::model::artifact::Artifact;
use crate::model::invocation::Invocation;
use crate::model::place::CREDENTIAL;
use crate::model::text::Text;

/// `artifact` as it lies on the disk. What is secret goes through a pipe, never through an argv or a file.
///
/// With the key of the host alone: one in a TPM would be lost with a change of the firmware, and every
/// service with it.
///
/// # Errors
/// When systemd-creds refuses.
pub fn sealed(artifact: &Artifact) -> Result<Cow<'_, Artifact>, Error> {
    if !artifact.is_encrypted() {
        return Ok(Cow::Borrowed(artifact));
    }
    let words = ["encrypt".to_owned(), "--with-key=host".to_owned(), format!("--name={CREDENTIAL}")];
    let contents = creds(words, &artifact.contents)?;
    Ok(Cow::Owned(Artifact { contents: contents.into(), ..artifact.clone() }))
}

/// What encrypted files hold. To decrypt one takes a process, so each is decrypted once.
#[derive(Debug, Default)]
pub struct Opened(BTreeMap<Rc<[u8]>, Contents>);

/// What an encrypted file holds, or why the host does not tell.
type Contents = Result<Rc<[u8]>, String>;

impl Opened {
    /// What is in a file that [`sealed`] made.
    ///
    /// # Errors
    /// When this host cannot decrypt it: its key is another one than it was, or is gone.
    pub fn contents(&mut self, sealed: &Rc<[u8]>) -> Contents {
        let open = || {
            let words = ["decrypt".to_owned(), format!("--name={CREDENTIAL}")];
            creds(words, sealed).map(Rc::from).map_err(|error| error.to_string())
        };
        self.0.entry(Rc::clone(sealed)).or_insert_with(open).clone()
    }
}

fn creds(words: impl IntoIterator<Item = String>, input: &[u8]) -> Result<Vec<u8>, Error> {
    let own = ["-", "-"].map(Text::from);
    let words = std::iter::once("systemd-creds".into()).chain(words.into_iter().map(Text::from)).chain(own);
    let invocation = Invocation(words.collect());
    Ok(process::answer(&invocation, input)?.stdout)
}
