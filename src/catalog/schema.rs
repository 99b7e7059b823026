//! The TOML of a catalog, as serde reads and writes it. What the keys mean is said at [`ArgSpec`] and
//! [`Program`].

use std::fmt;
use std::rc::Rc;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::check::name_of_flags;
use super::{ArgSpec, Arity, Catalog, EntryPoint, Program};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCatalog {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) catalog: Option<RawInfo>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) set: Vec<RawSet>,
    #[serde(default)]
    pub(super) program: Vec<RawProgram>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) about: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSet {
    pub(super) name: String,
    #[serde(default)]
    pub(super) argument: Vec<RawArgument>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProgram {
    pub(super) name: String,
    pub(super) about: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) python: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) executable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) restart_sec: Option<Scalar>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ctrl_c: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) include: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) argument: Vec<RawArgument>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawArgument {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) flags: Vec<String>,
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) required: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) default: Option<Scalar>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) choices: Vec<Scalar>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "sign_or_number")]
    pub(super) arity: Option<Scalar>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) repeat: bool,
    pub(super) help: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metavar: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) package_dir: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) suffix: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_false(value: &bool) -> bool {
    !value
}

/// A text that may also be written as a number: `default = 300`.
pub(super) struct Scalar(pub(super) String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a number")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar(number.to_string()))
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Scalar, E> {
                match number.is_finite() {
                    true => Ok(Scalar(format!("{number:?}"))),
                    false => Err(E::custom("it is not a finite number")),
                }
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

fn sign_or_number<S: Serializer>(arity: &Option<Scalar>, serializer: S) -> Result<S::Ok, S::Error> {
    match arity.as_ref().map(|text| (text, text.0.parse::<u16>())) {
        Some((_, Ok(number))) => serializer.serialize_u16(number),
        Some((text, Err(_))) => text.serialize(serializer),
        None => serializer.serialize_none(),
    }
}

impl From<&Catalog> for RawCatalog {
    fn from(catalog: &Catalog) -> Self {
        let Catalog { name, version, about, programs } = catalog;
        let info = RawInfo { name: name.clone(), version: version.clone(), about: about.clone() };
        let known = name.is_some() || version.is_some() || about.is_some();
        RawCatalog {
            catalog: known.then_some(info),
            set: Vec::new(),
            program: programs.values().map(RawProgram::from).collect(),
        }
    }
}

impl From<&Program> for RawProgram {
    fn from(program: &Program) -> Self {
        let (python, executable) = match &program.entry {
            EntryPoint::Python(entry) => (Some(entry.to_string()), None),
            EntryPoint::Executable(path) => (None, Some(path.clone())),
        };
        RawProgram {
            name: program.name.clone(),
            about: program.about.clone(),
            python,
            executable,
            restart_sec: program.restart_sec.map(|span| Scalar(span.to_string())),
            ctrl_c: (!program.ctrl_c).then_some(false),
            include: Vec::new(),
            argument: program.arguments.iter().map(Rc::as_ref).map(RawArgument::from).collect(),
        }
    }
}

impl From<&ArgSpec> for RawArgument {
    fn from(spec: &ArgSpec) -> Self {
        let implied = spec.is_positional() && spec.arity.bounds().0 > 0;
        RawArgument {
            name: (name_of_flags(&spec.flags).as_ref() != Some(&spec.name)).then(|| spec.name.clone()),
            flags: spec.flags.clone(),
            kind: spec.kind.to_string(),
            required: (spec.required != implied).then_some(spec.required),
            default: spec.default.clone().map(Scalar),
            choices: spec.choices.iter().cloned().map(Scalar).collect(),
            arity: (spec.arity != Arity::One).then(|| Scalar(spec.arity.to_string())),
            repeat: spec.repeat,
            help: spec.help.clone(),
            metavar: spec.metavar.clone(),
            group: spec.group.clone(),
            package_dir: spec.package_dir.clone(),
            suffix: spec.suffix.clone(),
        }
    }
}
