//! Reading a TOML document that people write (a catalog, a manifest), so that a fault names its line and
//! its key, and what would have been right.
//!
//! serde reads the text into types. Only where something is wrong with it, it is read once more, as a
//! table with spans, which knows the line of every key.

use std::fmt;
use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error;
use crate::model::nearest::nearest;
use crate::model::version::Version;

/// The first fault of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentError {
    /// What kind of document it is, such as `catalog`.
    pub what: &'static str,
    /// What the document was called when it was read: the path of its file.
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

impl DocumentError {
    /// Where it stands: document, line and key.
    fn place(&self) -> String {
        let key = self.key.as_ref().map(|key| format!(", key `{key}`")).unwrap_or_default();
        format!("{} `{}`, line {}{key}", self.what, self.file, self.line)
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.reason)?;
        match &self.help {
            Some(help) => write!(f, "; help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for DocumentError {}

impl From<DocumentError> for error::Fault {
    fn from(error: DocumentError) -> Self {
        let mut fault = Self::new(error.place(), error.reason);
        fault.help = error.help;
        fault
    }
}

/// A fault at a byte of the text.
#[derive(Debug)]
pub(crate) struct DocumentFault {
    at: usize,
    key: Option<String>,
    reason: String,
    help: Option<String>,
}

impl DocumentFault {
    pub(crate) fn new(at: usize, key: &str, reason: impl Into<String>) -> DocumentFault {
        DocumentFault { at, key: Some(key.to_owned()), reason: reason.into(), help: None }
    }

    pub(crate) fn help(self, help: impl Into<String>) -> DocumentFault {
        DocumentFault { help: Some(help.into()), ..self }
    }

    /// Names the nearest of the words that would have been right, or all of them.
    pub(crate) fn expected(self, given: &str, words: &[&str]) -> DocumentFault {
        match nearest(given, words.iter().copied()) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None => self.help(format!("write one of `{}`", words.join("`, `"))),
        }
    }
}

/// Reads `text`, a `what` that is called `origin`. `make` makes the value of what serde read; it is given
/// the table at the root, which knows places only when it is called again after a failure.
///
/// # Errors
/// The first fault, with its place; of what a later version wrote that it did.
pub(crate) fn read<R: DeserializeOwned, T>(
    what: &'static str,
    text: &str,
    origin: &str,
    make: impl Fn(R, &Node<'_>) -> Result<T, DocumentFault>,
) -> Result<T, DocumentError> {
    let read = read_any(what, text, origin, make);
    let too_new = Version::of(text.as_bytes()).and_then(|version| match &read {
        Ok(_) => version.known().err(),
        Err(_) => version.too_new(),
    });
    match too_new {
        None => read,
        Some(new) => Err(DocumentError {
            what,
            file: origin.to_owned(),
            line: 1,
            key: None,
            reason: new.to_string(),
            help: Some(new.help()),
        }),
    }
}

/// The same whoever wrote it.
fn read_any<R: DeserializeOwned, T>(
    what: &'static str,
    text: &str,
    origin: &str,
    make: impl Fn(R, &Node<'_>) -> Result<T, DocumentFault>,
) -> Result<T, DocumentError> {
    if let Ok(raw) = toml::from_str(text)
        && let Ok(value) = make(raw, &Node::NOWHERE)
    {
        return Ok(value);
    }
    let with_places = || {
        let document = DeTable::parse(text).map_err(|error| syntax(text, &error))?;
        let raw = toml::from_str(text).map_err(|error| schema(document.get_ref(), &error))?;
        make(raw, &Node { table: Some(document.get_ref()), at: 0 })
    };
    with_places().map_err(|DocumentFault { at, key, reason, help }| DocumentError {
        what,
        file: origin.to_owned(),
        line: text.as_bytes()[..at.min(text.len())].iter().filter(|&&b| b == b'\n').count() + 1,
        key,
        reason,
        help,
    })
}

/// A table and its place in the text; without the table, any table at no place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<'a> {
    table: Option<&'a DeTable<'a>>,
    pub(crate) at: usize,
}

impl<'a> Node<'a> {
    /// Any table, at no place.
    pub(crate) const NOWHERE: Self = Self { table: None, at: 0 };

    /// Where the key stands, or the table if it has no such key.
    pub(crate) fn at(&self, key: &str) -> usize {
        let found = self.table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key));
        found.map_or(self.at, |(name, _)| name.span().start)
    }

    /// Whether the table has that key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// The table of that key.
    pub(crate) fn table(&self, key: &str) -> Node<'a> {
        let found = self.table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key));
        let table = match found.map(|(_, value)| value.get_ref()) {
            Some(DeValue::Table(table)) => Some(table),
            _ => None,
        };
        Node { table, at: self.at(key) }
    }

    /// The tables of an array of tables, of which serde has found some already.
    pub(crate) fn tables(&self, key: &str) -> impl Iterator<Item = Node<'a>> {
        let found = self.table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key));
        let array = match found.map(|(_, value)| value.get_ref()) {
            Some(DeValue::Array(array)) => Some(array),
            _ => None,
        };
        let table = |value: &'a Spanned<DeValue<'a>>| match value.get_ref() {
            DeValue::Table(table) => Some(Node { table: Some(table), at: value.span().start }),
            _ => None,
        };
        array
            .into_iter()
            .flat_map(|array| array.iter())
            .filter_map(table)
            .chain(std::iter::repeat_with(|| Node { table: None, at: 0 }))
    }
}

fn syntax(text: &str, error: &toml::de::Error) -> DocumentFault {
    let at = error.span().map_or(0, |span| span.start).min(text.len());
    let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let key = line.split_once('=').map(|(key, _)| key.trim().to_owned());
    DocumentFault { at, key, reason: format!("this is not TOML: {}", error.message()), help: None }
}

/// An error of serde: its message is the only thing that tells a missing key from an unknown one.
fn schema(document: &DeTable<'_>, error: &toml::de::Error) -> DocumentFault {
    let at = error.span().map_or(0, |span| span.start);
    let message = error.message();
    let mut words = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field") {
        let given = words.next().unwrap_or_default();
        let known: Vec<&str> = words.collect();
        return DocumentFault::new(at, given, "there is no such key here").expected(given, &known);
    }
    if message.starts_with("missing field") {
        return DocumentFault::new(at, words.next().unwrap_or_default(), "this key is missing");
    }
    let key = innermost_key(document, at);
    let help = match &key {
        // At the root every list is one of tables.
        Some(key) if message == "invalid type: map, expected a sequence" && document.contains_key(key.as_str()) => {
            Some(format!("each one begins with `[[{key}]]`"))
        }
        _ => None,
    };
    // In the words of the document, not in those of Rust.
    let reason = message.replace("expected i64", "expected a whole number").replace("a boolean", "true or false");
    let reason = reason.replace("map, expected a sequence", "table, expected a list");
    DocumentFault { at, key, reason, help }
}

/// The innermost key whose value or name stands at a byte of the text.
fn innermost_key(table: &DeTable<'_>, at: usize) -> Option<String> {
    fn within(value: &Spanned<DeValue<'_>>, at: usize) -> Option<Option<String>> {
        let inner = match value.get_ref() {
            DeValue::Table(table) => innermost_key(table, at),
            DeValue::Array(array) => array.iter().find_map(|value| within(value, at)).flatten(),
            _ => None,
        };
        let holds = |span: Range<usize>| span.contains(&at);
        (inner.is_some() || holds(value.span())).then_some(inner)
    }
    table.iter().find_map(|(key, value)| match within(value, at) {
        Some(inner) => Some(inner.unwrap_or_else(|| key.get_ref().to_string())),
        None => key.span().contains(&at).then(|| key.get_ref().to_string()),
    })
}
