//! [`Artifact`]: a file that makes a service.

use std::rc::Rc;

use super::text::Text;

/// A file that makes a service, before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Where it belongs.
    pub path: Text,
    /// Its permissions.
    pub mode: u32,
    /// What is in it.
    pub kind: ArtifactKind,
    /// What it holds; the plan that writes it has the same one.
    pub contents: Rc<[u8]>,
}

/// What is in an [`Artifact`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArtifactKind {
    /// Nothing that is secret.
    #[default]
    Plain,
    /// An environment file with the values of secrets.
    Environment,
    /// The same, which the host encrypts with a key of its own (systemd-creds(1)): on the disk it is a
    /// credential, and everywhere else an environment file.
    SealedEnvironment,
}

impl Artifact {
    /// A file that everybody may read.
    pub fn plain(path: Text, contents: impl Into<Rc<[u8]>>) -> Self {
        Self { path, mode: 0o644, kind: ArtifactKind::Plain, contents: contents.into() }
    }

    /// A file for its owner alone.
    pub fn private(path: Text, kind: ArtifactKind, contents: impl Into<Rc<[u8]>>) -> Self {
        Self { path, mode: 0o600, kind, contents: contents.into() }
    }

    /// Whether it holds values that must not be shown: then it is an environment file.
    pub fn is_secret(&self) -> bool {
        match self.kind {
            ArtifactKind::Plain => false,
            ArtifactKind::Environment | ArtifactKind::SealedEnvironment => true,
        }
    }

    /// Whether the host encrypts what is in it.
    pub fn is_encrypted(&self) -> bool {
        match self.kind {
            ArtifactKind::Plain | ArtifactKind::Environment => false,
            ArtifactKind::SealedEnvironment => true,
        }
    }
}
