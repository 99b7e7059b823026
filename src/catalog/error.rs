//! What is wrong with a catalog, and where.

use std::fmt;

/// The first fault of a catalog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogError {
    /// What the catalog was called when it was read: the path of its file.
    pub file: String,
    /// The line of the fault, counted from one.
    pub line: usize,
    /// The key at fault, if the fault is that of a key.
    pub key: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// What to write instead, if that is known.
    pub help: Option<String>,
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CatalogError { file, line, key, reason, help } = self;
        write!(f, "catalog `{file}`, line {line}")?;
        if let Some(key) = key {
            write!(f, ", key `{key}`")?;
        }
        write!(f, ": {reason}")?;
        match help {
            Some(help) => write!(f, "; help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CatalogError {}
