//! The names of a service's secrets, in the place of the file that holds their values.

use askama::Template;

use super::escape::{Comment, Signature, Token};
use super::fence;
use crate::model::artifact::Artifact;
use crate::model::name::{EnvName, ServiceName};
use crate::model::place::{CREDENTIAL, Place};
use crate::model::spec::SecretStore;

#[derive(Template)]
#[template(path = "example.env", askama = fence)]
struct Example {
    signature: Signature,
    /// What makes the file of one like this, where the host encrypts it.
    command: Option<Comment>,
    names: Vec<Token>,
}

/// The file that an export has in the place of the one with the values.
pub fn artifact(name: &ServiceName, variables: &[EnvName], store: SecretStore, place: &Place) -> Artifact {
    let path = place.secrets_file(name, store);
    let shown = place.below_home(&path).map_or_else(|| path.to_string(), |rest| format!("~{rest}"));
    let (signature, command) = match store {
        SecretStore::File | SecretStore::Credential => (
            Signature::new(format_args!(
                ": what `{name}` needs in {shown}, which only its owner may read (mode 0600)."
            )),
            None,
        ),
        SecretStore::EncryptedCredential => (
            Signature::new(format_args!(
                ": what `{name}` needs in {shown}, made on its host of such a file with NAME=\"VALUE\" lines:"
            )),
            Some(format!("systemd-creds encrypt --with-key=host --name={CREDENTIAL} FILE {shown}")),
        ),
    };
    let command = command.map(|command| Comment::new(&command.into()));
    let example = Example { signature, command, names: variables.iter().map(Token::from).collect() };
    let contents = example.render().expect("every field is checked") + "\n";
    Artifact::plain(path.with(".example"), contents.into_bytes())
}
