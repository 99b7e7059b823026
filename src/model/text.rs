//! [`Text`]: an argument, a value or a path, exactly as the operating system gave it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes of an argument, an environment value or a path.
///
/// On Unix these are the bytes themselves; on Windows the UTF-8 of the text, with lone surrogates
/// in the three-byte form of WTF-8 (<https://simonsapin.github.io/wtf-8/>). Nearly always this is
/// UTF-8, and [`Text::as_str`] gives it; the rest must survive too, so nothing here is lossy but
/// `Display`, which is for messages.
///
/// In TOML and JSON a text is a string, or `{ hex = "61ff62" }` where it is not UTF-8.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Vec<u8>);

impl Text {
    /// A text of these bytes.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes as they are.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text as a string, or `None` where it is not UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text with `more` behind it.
    #[must_use]
    pub fn with(&self, more: &str) -> Self {
        let mut bytes = self.0.clone();
        bytes.extend_from_slice(more.as_bytes());
        Self(bytes)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

/// For messages: control characters and bytes that are not UTF-8 show as escapes.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    write!(f, "{c}")?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged, deny_unknown_fields)]
enum Written {
    Plain(String),
    /// Bytes that are not UTF-8, in pairs of hex digits.
    Hex {
        #[cfg_attr(feature = "schema", schemars(regex(pattern = "^([0-9a-fA-F]{2})*$")))]
        hex: String,
    },
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_str() {
            Some(text) => serializer.serialize_str(text),
            None => {
                Written::Hex { hex: self.0.iter().map(|byte| format!("{byte:02x}")).collect() }.serialize(serializer)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer) {
            Ok(Written::Plain(text)) => Ok(text.into()),
            Ok(Written::Hex { hex }) => from_hex(&hex)
                .map(Self)
                .ok_or_else(|| de::Error::custom(format!("`{hex}` is not a row of hex digit pairs"))),
            Err(_) => Err(de::Error::custom(
                "expected a string, or a table such as { hex = \"61ff62\" } for bytes that are not UTF-8",
            )),
        }
    }
}

fn from_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let digits = digits?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_utf8_survive_toml() {
        #[derive(Serialize, Deserialize)]
        struct Holder {
            value: Text,
        }
        for bytes in [&b"plain"[..], b"", b"a\xffb", b"\n\0\x7f", "日本".as_bytes()] {
            let text = toml::to_string(&Holder { value: Text::from_bytes(bytes) }).unwrap();
            let back: Holder = toml::from_str(&text).unwrap();
            assert_eq!(back.value.as_bytes(), bytes, "{text}");
        }
    }

    #[test]
    fn messages_show_what_cannot_be_seen() {
        assert_eq!(Text::from_bytes(&b"a\n\xffb"[..]).to_string(), "a\\n\\xffb");
    }
}
