//! [`Registration`]: what the registry has for a service of Windows, value by value, and as a file of `reg.exe`.
//!
//! `HKLM\SYSTEM\CurrentControlSet\Services\NAME` holds what every service has, its key `Parameters` what NSSM adds, and
//! `Parameters\AppExit` an action for each exit code (read in the source of NSSM 2.24). A parameter that has NSSM's own
//! default is not stored.

use std::fmt::Write as _;

use super::nssm_table;
use super::parameter::{Kind, Parameter};
use super::text::Text;

/// Where services are.
pub const SERVICES: &str = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services";

/// The key of a service that holds what NSSM adds.
pub const PARAMETERS: &str = "Parameters";

const SZ: u32 = 1;
const EXPAND_SZ: u32 = 2;
const DWORD: u32 = 4;
const MULTI_SZ: u32 = 7;

/// Parameters that lie beside those of every other service.
const NATIVE: [&str; 7] =
    ["DisplayName", "Description", "Start", "ObjectName", "DependOnGroup", "DependOnService", "ImagePath"];

/// Of a service that may show windows.
const INTERACTIVE: u32 = 0x100;

/// The priority classes of CreateProcess.
const PRIORITIES: [(&str, &str); 6] = [
    ("256", "REALTIME_PRIORITY_CLASS"),
    ("128", "HIGH_PRIORITY_CLASS"),
    ("32768", "ABOVE_NORMAL_PRIORITY_CLASS"),
    ("32", "NORMAL_PRIORITY_CLASS"),
    ("16384", "BELOW_NORMAL_PRIORITY_CLASS"),
    ("64", "IDLE_PRIORITY_CLASS"),
];

/// One value of the registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegistryValue {
    /// The key that it is in, below that of the service.
    pub key: String,
    /// Its name; empty for the key's own value.
    pub name: String,
    /// The number of its type.
    pub kind: u32,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// What the registry has for one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registration {
    /// The name of the service.
    pub service: String,
    /// The values, by their keys and names.
    pub values: Vec<RegistryValue>,
}

/// The type that NSSM gives to a parameter; that of what every service has is Windows' own.
fn usual(name: &str) -> Option<u32> {
    Some(match name {
        "Application" | "AppParameters" | "AppDirectory" | "AppStdin" | "AppStdout" | "AppStderr" | "AppEvents" => {
            EXPAND_SZ
        }
        "AppAffinity" | "AppExit" => SZ,
        "AppEnvironment" | "AppEnvironmentExtra" => MULTI_SZ,
        _ if nssm_table::is_number_of_nssm(name) => DWORD,
        _ => return None,
    })
}

/// The type that NSSM gives to a parameter, by its own name.
pub fn kind_of(name: &str) -> Kind {
    match usual(name) {
        Some(SZ) => Kind::Text,
        Some(EXPAND_SZ) => Kind::Expanded,
        Some(DWORD) => Kind::Number,
        Some(MULTI_SZ) => Kind::Lines,
        _ => Kind::Usual,
    }
}

/// A parameter that is stored though it has the value that NSSM has without it: NSSM itself would forget it.
pub fn stored_as_it_is(parameter: &Parameter) -> Parameter {
    let number = |value: &Text| {
        let known = PRIORITIES.iter().find(|(_, word)| value.as_bytes() == word.as_bytes());
        known.map_or_else(|| value.clone(), |(code, _)| (*code).into())
    };
    match usual(&parameter.name) {
        Some(DWORD) => {
            Parameter { kind: Kind::Number, values: parameter.values.iter().map(number).collect(), ..parameter.clone() }
        }
        Some(SZ) if parameter.sub.is_none() => Parameter { kind: Kind::Text, ..parameter.clone() },
        _ => parameter.clone(),
    }
}

impl RegistryValue {
    /// The values as texts: one, or a line each.
    fn texts(&self) -> Vec<Text> {
        let text = || from_utf16(self.units().collect::<Vec<_>>().as_slice());
        match self.kind {
            SZ | EXPAND_SZ => vec![without_end(text())],
            DWORD => {
                let bytes: Option<[u8; 4]> = self.data.as_slice().try_into().ok();
                vec![bytes.map(|bytes| u32::from_le_bytes(bytes).to_string()).unwrap_or_default().into()]
            }
            MULTI_SZ => {
                let units: Vec<u16> = self.units().collect();
                units.split(|unit| *unit == 0).filter(|line| !line.is_empty()).map(from_utf16).collect()
            }
            _ => vec![hex(&self.data).into()],
        }
    }

    fn units(&self) -> impl Iterator<Item = u16> + '_ {
        self.data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
    }

    fn number(&self) -> Option<u32> {
        (self.kind == DWORD).then(|| self.data.as_slice().try_into().ok().map(u32::from_le_bytes))?
    }

    fn kind_of(&self, parameter: &str) -> Kind {
        match self.kind {
            kind if usual(parameter) == Some(kind) || NATIVE.contains(&parameter) => Kind::Usual,
            SZ => Kind::Text,
            EXPAND_SZ => Kind::Expanded,
            DWORD => Kind::Number,
            MULTI_SZ => Kind::Lines,
            _ => Kind::Other,
        }
    }

    fn parameter(&self, name: &str, sub: Option<String>) -> Parameter {
        let mut values = self.texts();
        let kind = self.kind_of(name);
        // The word that `nssm set` takes for the number of Windows.
        if let ("AppPriority", [number]) = (name, values.as_slice())
            && let Some((_, word)) = PRIORITIES.iter().find(|(code, _)| number.as_bytes() == code.as_bytes())
        {
            values = vec![(*word).into()];
        }
        Parameter { name: name.to_owned(), sub, values, kind }
    }
}

impl Registration {
    /// A registration of these values.
    pub fn new(service: &str, mut values: Vec<RegistryValue>) -> Self {
        values.sort();
        Self { service: service.to_owned(), values }
    }

    /// The key of the service.
    pub fn path(&self) -> String {
        format!(r"{SERVICES}\{}", self.service)
    }

    /// The value of that name in a key.
    pub fn value(&self, key: &str, name: &str) -> Option<&RegistryValue> {
        self.values.iter().find(|value| value.key == key && value.name.eq_ignore_ascii_case(name))
    }

    /// Whether NSSM runs it.
    pub fn is_of_nssm(&self) -> bool {
        self.value(PARAMETERS, "Application").is_some()
    }

    /// The command that Windows starts for it.
    pub fn image_path(&self) -> Option<Text> {
        self.value("", "ImagePath").and_then(|value| value.texts().pop())
    }

    /// Every parameter that is stored for it.
    pub fn parameters(&self) -> Vec<Parameter> {
        let number = |name: &str| self.value("", name).and_then(RegistryValue::number);
        let mut found: Vec<Parameter> =
            NATIVE.iter().filter_map(|name| Some(self.value("", name)?.parameter(name, None))).collect();
        if let Some(start) = found.iter_mut().find(|known| known.name == "Start") {
            let delayed = number("DelayedAutostart").is_some_and(|delayed| delayed != 0);
            let word = match number("Start") {
                Some(2) if delayed => Some("SERVICE_DELAYED_AUTO_START"),
                Some(2) => Some("SERVICE_AUTO_START"),
                Some(3) => Some("SERVICE_DEMAND_START"),
                Some(4) => Some("SERVICE_DISABLED"),
                _ => None,
            };
            start.values = word.map_or_else(|| start.values.clone(), |word| vec![word.into()]);
        }
        if number("Type").is_some_and(|kind| kind & INTERACTIVE != 0) {
            found.push(Parameter::new("Type", "SERVICE_INTERACTIVE_PROCESS"));
        }
        for value in &self.values {
            let Some(below) = value.key.strip_prefix(PARAMETERS) else { continue };
            found.push(match below.strip_prefix('\\').map(|key| key.split('\\').collect::<Vec<_>>()).as_deref() {
                None => value.parameter(&value.name, None),
                // The action of `Default` is the key's own value.
                Some([key]) if value.name.is_empty() => value.parameter(key, Some("Default".into())),
                Some([key]) => value.parameter(key, Some(value.name.clone())),
                Some([key, rest @ ..]) => {
                    let sub = rest.iter().chain([&value.name.as_str()]).copied().collect::<Vec<_>>().join("/");
                    value.parameter(key, Some(sub))
                }
                Some([]) => continue,
            });
        }
        found
    }

    /// The file from which `reg import` makes all of it.
    pub fn file(&self) -> Vec<u8> {
        let mut text = String::from("Windows Registry Editor Version 5.00\r\n");
        let mut key = None;
        for value in &self.values {
            if key != Some(&value.key) {
                let below = if value.key.is_empty() { String::new() } else { format!(r"\{}", value.key) };
                _ = write!(text, "\r\n[{}{below}]\r\n", self.path());
                key = Some(&value.key);
            }
            let name = match value.name.as_str() {
                "" => "@".to_owned(),
                name => format!("\"{}\"", escaped(name)),
            };
            _ = write!(text, "{name}={}\r\n", data(value));
        }
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    }

    /// Reads such a file: the services that it has something of.
    ///
    /// # Errors
    /// With the line that cannot be understood, and why.
    pub fn read(file: &[u8]) -> Result<Vec<Self>, String> {
        let text = text_of(file)?;
        let mut lines = text.lines().enumerate();
        if lines.next().is_none_or(|(_, line)| line.trim() != "Windows Registry Editor Version 5.00") {
            return Err("must begin with the line `Windows Registry Editor Version 5.00`".into());
        }
        let mut services: Vec<Self> = Vec::new();
        let mut key: Option<String> = None;
        while let Some((number, line)) = lines.next() {
            let mut line = line.to_owned();
            let broken = |why: &str| format!("line {}: {why}", number + 1);
            while line.ends_with('\\') && is_hex(&line) {
                line.pop();
                line += lines.next().ok_or_else(|| broken("ends in the middle of a value"))?.1.trim_start();
            }
            if let Some(path) = line.strip_prefix('[') {
                let path = path.trim_end().strip_suffix(']').ok_or_else(|| broken("has no `]`"))?;
                key = None;
                let Some((service, below)) = service_of(path) else { continue };
                if services.iter().all(|known| !known.service.eq_ignore_ascii_case(service)) {
                    services.push(Self { service: service.to_owned(), values: Vec::new() });
                }
                // Those of one service may stand apart.
                if let Some(at) = services.iter().position(|known| known.service.eq_ignore_ascii_case(service)) {
                    let known = services.remove(at);
                    services.push(known);
                }
                key = Some(below.to_owned());
                continue;
            }
            let line = line.trim();
            if line.is_empty() || line.starts_with(';') {
                continue;
            }
            let (Some(key), Some(registration)) = (&key, services.last_mut()) else { continue };
            let (name, rest) = match line.strip_prefix('@') {
                Some(rest) => (String::new(), rest),
                None => quoted(line).ok_or_else(|| broken("must begin with `@` or a name in quotes"))?,
            };
            let rest = rest.trim_start().strip_prefix('=').ok_or_else(|| broken("has no `=`"))?;
            let (kind, data) = read_data(rest.trim()).ok_or_else(|| broken("has a value that cannot be read"))?;
            registration.values.push(RegistryValue { key: key.clone(), name, kind, data });
        }
        services.iter_mut().for_each(|service| service.values.sort());
        Ok(services)
    }
}

/// The service that a key is of, and what stands behind it.
fn service_of(path: &str) -> Option<(&str, &str)> {
    let mut parts = path.splitn(5, '\\');
    let roots = ["HKEY_LOCAL_MACHINE", "HKLM"];
    parts.next().filter(|root| roots.iter().any(|known| known.eq_ignore_ascii_case(root)))?;
    parts.next().filter(|part| part.eq_ignore_ascii_case("SYSTEM"))?;
    parts.next().filter(|part| part.to_ascii_lowercase().contains("controlset"))?;
    parts.next().filter(|part| part.eq_ignore_ascii_case("Services"))?;
    let rest = parts.next()?;
    Some(rest.split_once('\\').unwrap_or((rest, "")))
}

fn is_hex(line: &str) -> bool {
    line.split_once('=').map_or(!line.contains('"'), |_| {
        let behind = line.rsplit_once("=hex").map(|(_, behind)| behind);
        behind.is_some_and(|behind| !behind.contains('"'))
    })
}

/// The text of such a file, which `reg export` writes as UTF-16.
///
/// # Errors
/// When it is no text.
pub fn text_of(file: &[u8]) -> Result<String, String> {
    let units = |bytes: &[u8]| -> Vec<u16> {
        bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
    };
    match file {
        [0xFF, 0xFE, rest @ ..] => String::from_utf16(&units(rest)).map_err(|_| "is not UTF-16".to_owned()),
        [0xEF, 0xBB, 0xBF, rest @ ..] | rest => {
            String::from_utf8(rest.to_vec()).map_err(|_| "is neither UTF-16 nor UTF-8".to_owned())
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"")
}

/// The text at the beginning that stands in quotes, and what stands behind them.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut found = String::new();
    let mut chars = text.strip_prefix('"')?.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => found.push(chars.next()?.1),
            '"' => return Some((found, &text[at + 2..])),
            c => found.push(c),
        }
    }
    None
}

/// A value as the file has it: a line of text in quotes, a number, or bytes.
fn data(value: &RegistryValue) -> String {
    if let Some(number) = value.number() {
        return format!("dword:{number:08x}");
    }
    if value.kind == SZ
        && let Some(text) = value.texts().first().and_then(Text::as_str)
        && utf16(text) == value.data
        && !text.contains(char::is_control)
    {
        return format!("\"{}\"", escaped(text));
    }
    let kind = if value.kind == 3 { String::new() } else { format!("({:x})", value.kind) };
    let mut text = format!("hex{kind}:");
    let mut width = value.name.len() + text.len() + 4;
    for (number, byte) in value.data.iter().enumerate() {
        let is_last = number + 1 == value.data.len();
        _ = write!(text, "{byte:02x}{}", if is_last { "" } else { "," });
        width += 3;
        if width > 76 && !is_last {
            text += "\\\r\n  ";
            width = 2;
        }
    }
    text
}

fn read_data(text: &str) -> Option<(u32, Vec<u8>)> {
    if let Some((text, "")) = quoted(text) {
        return Some((SZ, utf16(&text)));
    }
    if let Some(number) = text.strip_prefix("dword:") {
        return Some((DWORD, u32::from_str_radix(number.trim(), 16).ok()?.to_le_bytes().to_vec()));
    }
    let (kind, bytes) = text.strip_prefix("hex")?.split_once(':')?;
    let kind = match kind {
        "" => 3,
        kind => u32::from_str_radix(kind.strip_prefix('(')?.strip_suffix(')')?, 16).ok()?,
    };
    let bytes = bytes.split(',').map(str::trim).filter(|byte| !byte.is_empty());
    Some((kind, bytes.map(|byte| u8::from_str_radix(byte, 16).ok()).collect::<Option<_>>()?))
}

/// A text as the registry has it, with its NUL.
fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// The text of UTF-16, with the surrogates in WTF-8 that stand alone.
fn from_utf16(units: &[u16]) -> Text {
    let mut bytes = Vec::with_capacity(units.len());
    for c in char::decode_utf16(units.iter().copied()) {
        match c {
            Ok(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            Err(lone) => {
                let [low, high] = lone.unpaired_surrogate().to_le_bytes();
                bytes.extend([0xED, 0x80 | (high & 0x0F) << 2 | low >> 6, 0x80 | low & 0x3F]);
            }
        }
    }
    Text::from_bytes(bytes)
}

/// Without the NUL at its end, and what stands behind the first one: nobody reads that.
fn without_end(text: Text) -> Text {
    let bytes = text.as_bytes();
    match bytes.iter().position(|byte| *byte == 0) {
        Some(end) => Text::from_bytes(&bytes[..end]),
        None => text,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(key: &str, name: &str, kind: u32, data: &[u8]) -> RegistryValue {
        RegistryValue { key: key.into(), name: name.into(), kind, data: data.to_vec() }
    }

    fn web() -> Registration {
        let text = |text: &str| utf16(text);
        Registration::new(
            "web",
            vec![
                value("", "DisplayName", SZ, &text("Web \"é日\" C:\\x")),
                value("", "Start", DWORD, &2u32.to_le_bytes()),
                value("", "DelayedAutostart", DWORD, &1u32.to_le_bytes()),
                value("", "Type", DWORD, &0x110u32.to_le_bytes()),
                value("", "FailureActions", 3, &[1, 2, 3]),
                value("", "ImagePath", EXPAND_SZ, &text(r"C:\nssm\nssm.exe")),
                value(PARAMETERS, "Application", EXPAND_SZ, &text(r"C:\a b\web.exe")),
                value(PARAMETERS, "AppParameters", SZ, &text("--at \"%PATH%\"\n")),
                value(PARAMETERS, "AppPriority", DWORD, &64u32.to_le_bytes()),
                value(PARAMETERS, "AppThrottle", SZ, &text("7")),
                value(PARAMETERS, "AppEnvironmentExtra", MULTI_SZ, &utf16("A=1\0B=2\0")),
                value(r"Parameters\AppExit", "", SZ, &text("Restart")),
                value(r"Parameters\AppExit", "3", SZ, &text("Exit")),
                value(r"Parameters\AppEvents\Start", "Pre", EXPAND_SZ, &text("x.cmd")),
                value(PARAMETERS, "AppStdout", EXPAND_SZ, &[0x3D, 0xD8, 0x61, 0, 0, 0]),
            ],
        )
    }

    #[test]
    fn parameters_are_named_as_nssm_names_them_with_types_that_are_not_its_own() {
        let found: Vec<String> = web()
            .parameters()
            .iter()
            .map(|parameter| {
                let values = parameter.values.iter().map(ToString::to_string).collect::<Vec<_>>().join("|");
                format!("{parameter}={values} {}", parameter.kind.word())
            })
            .collect();
        let expected = [
            "DisplayName=Web \"é日\" C:\\x its own type",
            "Start=SERVICE_DELAYED_AUTO_START its own type",
            "ImagePath=C:\\nssm\\nssm.exe its own type",
            "Type=SERVICE_INTERACTIVE_PROCESS its own type",
            "AppEnvironmentExtra=A=1|B=2 its own type",
            "AppParameters=--at \"%PATH%\"\\n REG_SZ",
            "AppPriority=IDLE_PRIORITY_CLASS its own type",
            "AppStdout=\\xed\\xa0\\xbda its own type",
            "AppThrottle=7 REG_SZ",
            "Application=C:\\a b\\web.exe its own type",
            "AppEvents Start/Pre=x.cmd its own type",
            "AppExit Default=Restart its own type",
            "AppExit 3=Exit its own type",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_holds_names_types_and_values() {
        let file = web().file();
        assert_eq!(Registration::read(&file), Ok(vec![web()]));
    }

    /// Written by `reg export`.
    #[test]
    fn an_export_is_read() {
        let text = "Windows Registry Editor Version 5.00\r\n\r\n\
            [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\web]\r\n\"Start\"=dword:00000004\r\n\r\n\
            [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\web\\Parameters]\r\n\
            \"AppEnvironment\"=hex(7):51,00,3d,00,25,00,50,00,41,00,54,00,48,00,25,00,00,00,\\\r\n  00,00\r\n\
            \"AppAffinity\"=\"0,1\"\r\n\r\n\
            [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\web\\Parameters\\AppExit]\r\n@=\"Restart\"\r\n\r\n\
            [HKEY_LOCAL_MACHINE\\SOFTWARE\\x]\r\n\"a\"=\"b\"\r\n";
        let read = Registration::read(text.as_bytes()).unwrap();
        let found: Vec<String> = read[0].parameters().iter().map(|one| format!("{one}={}", one.values[0])).collect();
        assert_eq!(read.len(), 1);
        assert_eq!(
            found,
            ["Start=SERVICE_DISABLED", "AppAffinity=0,1", "AppEnvironment=Q=%PATH%", "AppExit Default=Restart"]
        );
        for (line, said) in [
            ("x", "line 3: must begin with `@` or a name in quotes"),
            ("\"a\"=hex(2):zz", "line 3: has a value that cannot be read"),
            ("\"a\"=dword:1", ""),
        ] {
            let file =
                format!("Windows Registry Editor Version 5.00\n[HKLM\\SYSTEM\\CurrentControlSet\\Services\\w]\n{line}");
            assert_eq!(Registration::read(file.as_bytes()).err().unwrap_or_default(), said);
        }
        assert!(Registration::read(b"REGEDIT4").is_err());
    }
}
