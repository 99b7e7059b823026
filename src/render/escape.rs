//! The encoders: one type per grammar.
//!
//! Neither service manager has one quoting rule. Each directive of systemd and each layer between
//! us and a Windows program parses text in its own way, so each has a type here: the constructor
//! refuses what the grammar cannot say, `Display` gives the encoded text, and always quotes where
//! the grammar has quotes. Templates take these types and nothing else (see [`super::fence`]).
//!
//! Where a rule names `src/...`, it is a file of systemd 252.

use std::fmt::{self, Write};

pub use super::fence::{Checked, Encoded};

use crate::model::calendar::Calendar;
use crate::model::name::{EnvName, OneLine, ServiceName, UnitName, is_noncharacter};
use crate::model::span::Span;
use crate::model::systemd_table::Directive;
use crate::model::systemd_version::SystemdVersion;
use crate::model::text::Text;
use crate::model::version::SIGNATURE;

/// Longest argument and longest `NAME=value`, in bytes: the kernel's `MAX_ARG_STRLEN`, 32 pages of
/// 4 KiB, less the NUL that ends it (execve(2)).
pub const MAX_STRING: usize = 131_071;

/// Longest path, in bytes: the kernel's `PATH_MAX` less the NUL (path_resolution(7)).
pub const MAX_PATH: usize = 4095;

/// Longest line of a unit, also one joined by backslashes: systemd's `LONG_LINE_MAX`
/// (`src/basic/def.h`); a longer one keeps the unit from loading.
pub const MAX_UNIT_LINE: usize = 1_048_576;

/// Who cannot carry a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The operating system, between any two processes.
    Kernel,
    /// A unit of systemd.
    Unit,
    /// An environment file of systemd.
    EnvironmentFile,
    /// A credential of systemd.
    Credential,
    /// The registry of Windows as NSSM reads it.
    Nssm,
    /// A command batch of Windows.
    Batch,
    /// `cmd.exe` with a batch file to run.
    Cmd,
    /// The variable PATH.
    SearchPath,
    /// A file of YAML.
    Yaml,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kernel => "the operating system",
            Self::Unit => "a systemd unit",
            Self::EnvironmentFile => "a systemd environment file",
            Self::Credential => "a systemd credential",
            Self::Nssm => "NSSM",
            Self::Batch => "a command batch",
            Self::Cmd => "cmd.exe",
            Self::SearchPath => "the variable PATH",
            Self::Yaml => "a file of YAML",
        })
    }
}

/// Why a grammar cannot say a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsayable {
    /// What is in the way, with its verb: "holds U+0000", "has 140000 bytes".
    pub found: String,
    /// Who cannot carry it.
    pub layer: Layer,
    /// The reason.
    pub reason: &'static str,
}

impl Unsayable {
    pub(super) fn new(found: impl Into<String>, layer: Layer, reason: &'static str) -> Self {
        Self { found: found.into(), layer, reason }
    }

    pub(super) fn holds(c: char, layer: Layer, reason: &'static str) -> Self {
        let shown = if c.is_control() || is_noncharacter(c) { format!("U+{:04X}", c as u32) } else { format!("`{c}`") };
        Self::new(format!("contains {shown}"), layer, reason)
    }
}

impl fmt::Display for Unsayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, which {} cannot carry: {}", self.found, self.layer, self.reason)
    }
}

impl std::error::Error for Unsayable {}

/// A type that holds its encoded text; a closure says which control characters it means.
macro_rules! encoded {
    ($(#[$doc:meta])* $name:ident) => { encoded! { $(#[$doc])* $name, |_| false } };
    ($(#[$doc:meta])* $name:ident, $means:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Encoded for $name {
            fn means(control: char) -> bool {
                let means: fn(char) -> bool = $means;
                means(control)
            }
        }
    };
}

/// No process can be given a NUL: it ends the text.
pub(super) fn no_nul(text: &Text) -> Result<(), Unsayable> {
    match text.as_bytes().contains(&0) {
        true => Err(Unsayable::holds('\0', Layer::Kernel, "a text that a process is given ends at the first NUL")),
        false => Ok(()),
    }
}

/// Text as systemd takes it: UTF-8 without NUL and without noncharacters
/// (`utf8_is_valid` in `src/basic/utf8.c`).
fn systemd_text(text: &Text, layer: Layer) -> Result<&str, Unsayable> {
    no_nul(text)?;
    let Some(valid) = text.as_str() else {
        let byte = text.as_bytes().utf8_chunks().find_map(|chunk| chunk.invalid().first()).copied().unwrap_or_default();
        return Err(Unsayable::new(format!("contains the byte 0x{byte:02X}"), layer, "it must be UTF-8"));
    };
    match valid.chars().find(|c| is_noncharacter(*c)) {
        Some(c) => Err(Unsayable::holds(c, layer, "systemd takes text with a Unicode noncharacter for broken UTF-8")),
        None => Ok(valid),
    }
}

/// An absolute path as systemd takes it: one line, no `..`, no component and no whole that the
/// kernel refuses (`path_simplify_and_warn` in `src/shared/parse-helpers.c`).
fn systemd_path(path: &Text) -> Result<&str, Unsayable> {
    let valid = systemd_text(path, Layer::Unit)?;
    if let Some(c) = valid.chars().find(|c| matches!(c, '\n' | '\r')) {
        return Err(Unsayable::holds(c, Layer::Unit, "a path there ends with its line"));
    }
    if valid.split('/').any(|part| part == "..") {
        return Err(Unsayable::new("contains `..`", Layer::Unit, "a path there has to be normalised"));
    }
    path_of_kernel(path)?;
    match valid.starts_with('/') {
        true => Ok(valid),
        false => Err(Unsayable::new("is relative", Layer::Unit, "a path there begins with `/`")),
    }
}

/// A path that the kernel can open: not too long as a whole and in each part.
pub(super) fn path_of_kernel(path: &Text) -> Result<(), Unsayable> {
    no_nul(path)?;
    if path.len() > MAX_PATH {
        return Err(Unsayable::new(
            format!("has {} bytes", path.len()),
            Layer::Kernel,
            "a path has at most 4095 bytes, and each part of it 255",
        ));
    }
    match path.as_bytes().split(|byte| *byte == b'/').map(<[u8]>::len).max() {
        Some(longest) if longest > 255 => Err(Unsayable::new(
            format!("has a part of {longest} bytes"),
            Layer::Kernel,
            "a path has at most 4095 bytes, and each part of it 255",
        )),
        _ => Ok(()),
    }
}

/// Rule E1: `"` around; `\`, `"` behind a backslash; `%` doubled; `$` doubled where it would be
/// expanded; control characters as `\xHH`.
fn quote_word(text: &str, expanded: bool) -> String {
    let mut word = String::with_capacity(text.len() + 2);
    word.push('"');
    push_word(&mut word, text, expanded);
    word.push('"');
    word
}

fn push_word(word: &mut String, text: &str, expanded: bool) {
    for c in text.chars() {
        match c {
            '"' | '\\' => word.extend(['\\', c]),
            '%' => word.push_str("%%"),
            '$' if expanded => word.push_str("$$"),
            '\0'..='\x1f' | '\x7f' => _ = write!(word, "\\x{:02x}", c as u32),
            _ => word.push(c),
        }
    }
}

encoded! {
    /// One word of `ExecStart=` and its kin.
    ///
    /// The line is split at blanks outside quotes, each word is unquoted and C-unescaped, then `%`
    /// specifiers are replaced, and at the start of the process `$` is expanded, unless the line
    /// has the prefix `:` (systemd.service(5), "Command lines"; `config_parse_exec` in
    /// `src/core/load-fragment.c`). As `%` comes after unescaping, `\x25` would not hide it.
    ExecWord, |c| ('\u{80}'..='\u{9f}').contains(&c)
}

impl ExecWord {
    /// A word for a line with the prefix `:`, where `$` stands for itself.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn verbatim(text: &Text) -> Result<Self, Unsayable> {
        Ok(Self(quote_word(systemd_text(text, Layer::Unit)?, false)))
    }

    /// A word for a line without the prefix `:`, where `$$` stands for `$`.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn expanded(text: &Text) -> Result<Self, Unsayable> {
        Ok(Self(quote_word(systemd_text(text, Layer::Unit)?, true)))
    }

    /// The path that goes on with `rest` behind the home directory of whoever runs the service: `%h`
    /// (systemd.unit(5), "Specifiers").
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn below_home(rest: &Text, expanded: bool) -> Result<Self, Unsayable> {
        let mut word = String::from("\"%h");
        push_word(&mut word, systemd_path(rest)?, expanded);
        word.push('"');
        Ok(Self(word))
    }

    /// `before` and the value of `variable`, for a line without the prefix `:`. `${NAME}` is
    /// replaced anywhere in a word, and what it is replaced by is not split again.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn reference(before: &Text, variable: &EnvName) -> Result<Self, Unsayable> {
        if !variable.is_identifier() {
            return Err(Unsayable::new(
                format!("refers to `{variable}`"),
                Layer::Unit,
                "a variable there is letters, digits and `_`, and does not begin with a digit",
            ));
        }
        let mut word = quote_word(systemd_text(before, Layer::Unit)?, true);
        word.pop();
        _ = write!(word, "${{{variable}}}\"");
        Ok(Self(word))
    }

    /// Length of the encoded word, in bytes.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

encoded! {
    /// The first word of a command line: the program.
    ///
    /// Quoted like any [`ExecWord`], but `$` is never expanded in it, and after unescaping systemd
    /// takes neither quotes nor backslashes nor control characters there ("Executable name contains
    /// special characters"), nor a `/` at the end. `argv[0]` becomes the same text, with `$`
    /// expanded where the line has no `:`; then, and where systemd would tidy the path (`//`,
    /// `/./`), the prefix `@` gives `argv[0]` as a word of its own.
    ExecPath, |c| ('\u{80}'..='\u{9f}').contains(&c)
}

impl ExecPath {
    /// The program at `path`, with the prefixes of its line in front: `:` unless `expanded`.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(path: &Text, expanded: bool) -> Result<Self, Unsayable> {
        let valid = systemd_path(path)?;
        if let Some(c) = valid.chars().find(|c| matches!(c, '"' | '\'' | '\\') || c.is_control()) {
            return Err(Unsayable::holds(c, Layer::Unit, "the path of a program there has no such character"));
        }
        if valid.ends_with('/') {
            return Err(Unsayable::new("ends with `/`", Layer::Unit, "a program is not a directory"));
        }
        let own_name = valid.contains("//") || valid.contains("/./") || (expanded && valid.contains('$'));
        let mut word = String::from(if expanded { "" } else { ":" });
        if own_name {
            word.push('@');
        }
        word.push_str(&quote_word(valid, false));
        if own_name {
            word.push(' ');
            word.push_str(&quote_word(valid, expanded));
        }
        Ok(Self(word))
    }

    /// Length of the encoded word, in bytes.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

encoded! {
    /// The whole of one assignment in `Environment=`, name and value.
    ///
    /// Unquoted, C-unescaped and `%`-replaced like an [`ExecWord`]; `$` has no meaning
    /// (systemd.exec(5)). Names are identifiers; one that is not, and one whose value is not text to
    /// systemd, is dropped with a warning, so both are refused here.
    EnvAssignment, |c| ('\u{80}'..='\u{9f}').contains(&c)
}

impl EnvAssignment {
    /// `name=value`.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(name: &EnvName, value: &Text, systemd: SystemdVersion) -> Result<Self, Unsayable> {
        identifier(name, Layer::Unit)?;
        let value = systemd_text(value, Layer::Unit)?;
        no_lost_control(value, systemd, Layer::Unit)?;
        Ok(Self(quote_word(&format!("{name}={value}"), false)))
    }
}

fn identifier(name: &EnvName, layer: Layer) -> Result<(), Unsayable> {
    match name.is_identifier() {
        true => Ok(()),
        false => Err(Unsayable::new(
            format!("is named `{name}`"),
            layer,
            "a variable there is letters, digits and `_`, and does not begin with a digit",
        )),
    }
}

/// A raw path holds any control character but a line break.
const RAW: fn(char) -> bool = |c| !matches!(c, '\0' | '\n' | '\r');

encoded! {
    /// A path that is the rest of its line: `WorkingDirectory=`, `StandardOutput=append:`.
    ///
    /// No quotes, no escapes: only `%` is doubled (`config_parse_unit_path_printf` and
    /// `config_parse_working_directory` in `src/core/load-fragment.c`). Blanks at the end of a line
    /// are stripped and a backslash there continues it, so a directory gets a `/` behind either.
    RawPath, RAW
}

impl RawPath {
    /// A directory.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn directory(path: &Text) -> Result<Self, Unsayable> {
        let mut raw = systemd_path(path)?.replace('%', "%%");
        if raw.ends_with([' ', '\t', '\\']) {
            raw.push('/');
        }
        Ok(Self(raw))
    }

    /// A file.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn file(path: &Text) -> Result<Self, Unsayable> {
        let valid = systemd_path(path)?;
        match valid.chars().next_back() {
            Some(c @ (' ' | '\t' | '\\')) => Err(Unsayable::new(
                format!("ends with {c:?}"),
                Layer::Unit,
                "blanks at the end of a line are dropped there, and a backslash continues it",
            )),
            _ => Ok(Self(valid.replace('%', "%%"))),
        }
    }
}

encoded! {
    /// The path of `EnvironmentFile=`: the rest of the line, and a glob(7) pattern.
    ///
    /// `%` is doubled and a backslash put before `*`, `?`, `[` and `\`, which survives because
    /// nothing else of the line is unescaped (`config_parse_unit_env_file`, then `exec_context_load_environment`
    /// in `src/core/execute.c`).
    GlobPath, RAW
}

impl GlobPath {
    /// The file with this path behind the home directory of whoever runs the service.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn below_home(rest: &Text) -> Result<Self, Unsayable> {
        Self::new(rest).map(|Self(glob)| Self(format!("%h{glob}")))
    }

    /// Exactly this file.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(path: &Text) -> Result<Self, Unsayable> {
        let RawPath(raw) = RawPath::file(path)?;
        let mut glob = String::with_capacity(raw.len());
        for c in raw.chars() {
            if matches!(c, '*' | '?' | '[' | '\\') {
                glob.push('\\');
            }
            glob.push(c);
        }
        Ok(Self(glob))
    }
}

encoded! {
    /// One word of a list of paths: `ReadWritePaths=`, `RequiresMountsFor=`.
    ///
    /// The list is unquoted but not C-unescaped (`extract_first_word` without `EXTRACT_CUNESCAPE`): inside `"` a
    /// backslash keeps the next character and goes, so `\x20` would be `x20`. `%` is doubled.
    PathWord, RAW
}

impl PathWord {
    /// A path that has to be there.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(path: &Text) -> Result<Self, Unsayable> {
        Self::prefixed("", path)
    }

    /// A path that may be missing, for the lists that know the prefix `-`.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn if_there(path: &Text) -> Result<Self, Unsayable> {
        Self::prefixed("-", path)
    }

    fn prefixed(prefix: &str, path: &Text) -> Result<Self, Unsayable> {
        let mut word = format!("\"{prefix}");
        for c in systemd_path(path)?.chars() {
            match c {
                '"' | '\\' => word.extend(['\\', c]),
                '%' => word.push_str("%%"),
                _ => word.push(c),
            }
        }
        word.push('"');
        Ok(Self(word))
    }
}

encoded! {
    /// `Description=`: the rest of the line, `%` doubled (systemd.unit(5)).
    ///
    /// A backslash at the end would swallow the next line and nothing escapes it, so `%i` stands
    /// behind it: the instance of a unit that has none, an empty text.
    Description
}

impl Description {
    /// This description.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(line: &OneLine) -> Result<Self, Unsayable> {
        let mut text = line.as_str().replace('%', "%%");
        if text.len() > MAX_UNIT_LINE / 2 {
            return Err(Unsayable::new(
                format!("has {} bytes", line.as_str().len()),
                Layer::Unit,
                "it must be one line",
            ));
        }
        if text.ends_with('\\') {
            text.push_str("%i");
        }
        Ok(Self(text))
    }
}

encoded! {
    /// `User=`: a name, or a number (systemd.exec(5); `valid_user_group_name` in `src/basic/user-util.c`).
    ///
    /// systemd takes more than this (with a warning), but no tool that makes accounts does.
    Account
}

impl Account {
    /// This account.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(account: &str) -> Result<Self, Unsayable> {
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '+' | '$' | '\\');
        if let Some(c) = account.chars().find(|c| !allowed(*c)) {
            return Err(Unsayable::holds(c, Layer::Unit, "the name of an account there has no such character"));
        }
        match account.chars().next() {
            None => Err(Unsayable::new("is empty", Layer::Unit, "an account has a name")),
            Some(c @ ('-' | '+' | '.' | '\\')) => {
                Err(Unsayable::new(format!("begins with `{c}`"), Layer::Unit, "the name of an account there does not"))
            }
            Some(_) if account.ends_with('\\') => {
                Err(Unsayable::new("ends with a backslash", Layer::Unit, "it would swallow the next line"))
            }
            Some(_) if account.len() > 255 => {
                Err(Unsayable::new(format!("has {} bytes", account.len()), Layer::Unit, "an account has at most 255"))
            }
            Some(_) => Ok(Self(account.to_owned())),
        }
    }
}

encoded! {
    /// A name or a word that every grammar takes as it is.
    Token
}

impl From<&ServiceName> for Token {
    fn from(name: &ServiceName) -> Self {
        Self(name.as_str().to_owned())
    }
}

/// Unit names have `\` only as a part of an escape such as `\x2d`; the suffix keeps it from the end.
impl From<&UnitName> for Token {
    fn from(name: &UnitName) -> Self {
        Self(name.as_str().to_owned())
    }
}

impl From<&EnvName> for Token {
    fn from(name: &EnvName) -> Self {
        Self(name.as_str().to_owned())
    }
}

/// Digits and letters.
impl From<&Span> for Token {
    fn from(span: &Span) -> Self {
        Self(span.to_string())
    }
}

/// Digits, letters and the signs between them; its reader takes nothing else.
impl From<&Calendar> for Token {
    fn from(calendar: &Calendar) -> Self {
        Self(calendar.to_string())
    }
}

/// The hexadecimal digits of a SHA-256.
impl From<&[u8; 32]> for Token {
    fn from(sum: &[u8; 32]) -> Self {
        Self(sum.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl From<&'static str> for Token {
    fn from(word: &'static str) -> Self {
        Self(word.to_owned())
    }
}

encoded! {
    /// `Key=value`, as an administrator wrote it: the value is in the grammar of that directive
    /// already, so only what would end the line or reach into the next one is refused.
    DirectiveLine, |c| matches!(c, '\t' | '\n')
}

impl DirectiveLine {
    /// One line of a section.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(directive: &Directive) -> Result<Self, Unsayable> {
        let (name, value) = (directive.name(), Text::from(directive.value()));
        let valid = systemd_text(&value, Layer::Unit)?;
        // A directive has a line break only behind the backslash that continues its line.
        if let Some(c) = valid.chars().find(|c| c.is_control() && !Self::means(*c)) {
            return Err(Unsayable::holds(c, Layer::Unit, "a setting there is one line"));
        }
        if name.len() + 1 + valid.len() > MAX_UNIT_LINE {
            return Err(Unsayable::new(format!("has {} bytes", valid.len()), Layer::Unit, "a line has at most 1 MiB"));
        }
        Ok(Self(format!("{name}={valid}")))
    }
}

encoded! {
    /// A value in an environment file, with its quotes (systemd.exec(5), `EnvironmentFile=`; `parse_env_file_internal` in
    /// `src/basic/env-file.c`). Text that is not UTF-8 spoils the whole file. Line breaks are themselves between quotes
    /// alone. What a backslash does depends on the version:
    ///
    /// | | no quotes | between `"` | between `'` |
    /// | --- | --- | --- | --- |
    /// | to 240 | keeps the next character | keeps the next character | keeps the next character |
    /// | 241 to 246 | keeps the next character | keeps `"`, and stays before anything else | stays |
    /// | from 247 on | keeps the next character | keeps `"`, `\`, `` ` `` and `$`, and stays before others | stays |
    ///
    /// (245.9 and 246.16 do as 247 does, and read all that is written here.)
    EnvFileValue, |c| c != '\0'
}

impl EnvFileValue {
    /// This value, as that version of systemd and, but for line breaks beside `\`, `` ` `` and `$`, every other reads it.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(value: &Text, systemd: SystemdVersion) -> Result<Self, Unsayable> {
        let text = systemd_text(value, Layer::EnvironmentFile)?;
        no_lost_control(text, systemd, Layer::EnvironmentFile)?;
        let is_special = |c: char| matches!(c, '\\' | '`' | '$');
        let quoted = match text.contains(is_special) && !systemd.has(ENV_FILE_ESCAPES) {
            false => double_quoted(text),
            true if !text.contains('\n') => backslashed(text),
            true if systemd.has(ENV_FILE_PLAIN_QUOTES) => single_quoted(text),
            true => double_quoted(text),
        };
        Ok(Self(quoted))
    }
}

/// The version from which on a backslash between `"` keeps `\`, `` ` `` and `$`.
const ENV_FILE_ESCAPES: u32 = 247;
/// The version from which on a backslash is itself between `'`.
const ENV_FILE_PLAIN_QUOTES: u32 = 241;

/// The version from which on a variable keeps its control characters.
const CONTROLS_IN_VARIABLES: u32 = 247;

fn double_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        if matches!(c, '"' | '\\' | '`' | '$') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Without quotes, and a backslash before all that is no letter or digit: blanks at the ends would be lost.
fn backslashed(text: &str) -> String {
    let mut quoted = String::new();
    for c in text.chars() {
        if c.is_ascii() && !c.is_ascii_alphanumeric() {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

/// Refuses control characters that a version before 247.3 drops with the whole variable, writing its value into the
/// journal (`env_assignment_is_valid` in `src/basic/env-util.c`; of 247 itself the first two releases).
fn no_lost_control(text: &str, systemd: SystemdVersion, layer: Layer) -> Result<(), Unsayable> {
    let is_lost = |c: char| (c < ' ' && !matches!(c, '\t' | '\n')) || c == '\u{7f}';
    match text.chars().find(|c| is_lost(*c) && !systemd.has(CONTROLS_IN_VARIABLES)) {
        Some(c) => Err(Unsayable::holds(
            c,
            layer,
            "systemd before 247 drops a variable with a control character, and writes its value into the journal",
        )),
        None => Ok(()),
    }
}

encoded! {
    /// A name in an environment file: an identifier, or the line is skipped with a warning.
    EnvFileName
}

impl EnvFileName {
    /// This name.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(name: &EnvName) -> Result<Self, Unsayable> {
        identifier(name, Layer::EnvironmentFile)?;
        Ok(Self(name.as_str().to_owned()))
    }
}

/// Where the bytes that are not UTF-8 stand in a rendered text: 0x80 is U+10FF80.
const FOLD: u32 = 0x0010_FF00;

encoded! {
    /// One word of a shell script: `'` around, and `'\''` for a `'` (POSIX, XCU 2.2.2 "Single-Quotes").
    ///
    /// A shell script holds any byte but NUL, and a template holds text, so each byte that is not
    /// UTF-8 is folded into a character of the last private-use block; [`bytes`] unfolds them. A
    /// character of that block itself is folded byte by byte, so none is mistaken.
    ShellWord, |c| c != '\0'
}

impl ShellWord {
    /// This word.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(text: &Text) -> Result<Self, Unsayable> {
        no_nul(text)?;
        let mut word = String::from("'");
        push_shell(&mut word, text);
        word.push('\'');
        Ok(Self(word))
    }

    /// The path of the file `name` that lies beside the script, which is called by its own path.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn beside(name: &Text) -> Result<Self, Unsayable> {
        let Self(word) = Self::new(name)?;
        Ok(Self(format!("\"${{0%/*}}\"/{word}")))
    }

    /// `before` and the value of `variable`.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn reference(before: &Text, variable: &EnvName) -> Result<Self, Unsayable> {
        identifier(variable, Layer::Unit)?;
        let Self(word) = Self::new(before)?;
        Ok(Self(format!("{word}\"${{{variable}}}\"")))
    }
}

fn push_shell(word: &mut String, text: &Text) {
    for chunk in text.as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' => word.push_str(r"'\''"),
                _ => push_folded(word, c),
            }
        }
        chunk.invalid().iter().for_each(|byte| fold(word, *byte));
    }
}

fn push_folded(word: &mut String, c: char) {
    match c as u32 >= FOLD {
        true => c.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| fold(word, byte)),
        false => word.push(c),
    }
}

fn fold(word: &mut String, byte: u8) {
    word.extend(char::from_u32(FOLD + u32::from(byte)));
}

/// The bytes of a rendered text, with what [`ShellWord`] folded unfolded.
pub fn bytes(rendered: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rendered.len());
    for c in rendered.chars() {
        match u8::try_from((c as u32).wrapping_sub(FOLD)) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

encoded! {
    /// A Python string literal (the Python Language Reference, 2.4.1).
    ///
    /// Bytes that are not UTF-8 become the lone surrogates U+DC80 to U+DCFF of PEP 383, so that
    /// `os.fsencode` gives them back. What Unicode can show stays readable; the rest is escaped.
    PyStr
}

impl PyStr {
    /// This text.
    pub fn new(text: &Text) -> Self {
        let mut literal = String::from("\"");
        for chunk in text.as_bytes().utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '"' | '\\' => literal.extend(['\\', c]),
                    '\n' => literal.push_str("\\n"),
                    '\r' => literal.push_str("\\r"),
                    '\t' => literal.push_str("\\t"),
                    ' '..='~' => literal.push(c),
                    '\0'..='\u{ff}' if c.is_control() => _ = write!(literal, "\\x{:02x}", c as u32),
                    _ if c.escape_debug().len() == 1 => literal.push(c),
                    '\0'..='\u{ffff}' => _ = write!(literal, "\\u{:04x}", c as u32),
                    _ => _ = write!(literal, "\\U{:08x}", c as u32),
                }
            }
            for byte in chunk.invalid() {
                _ = write!(literal, "\\udc{byte:02x}");
            }
        }
        literal.push('"');
        Self(literal)
    }
}

impl From<&str> for PyStr {
    fn from(text: &str) -> Self {
        Self::new(&text.into())
    }
}

encoded! {
    /// A Python expression: a literal, or what is known when it is started, such as the value of a variable.
    PyExpression
}

impl From<PyStr> for PyExpression {
    fn from(literal: PyStr) -> Self {
        Self(literal.0)
    }
}

impl PyExpression {
    /// `before` and the value of `variable`; starting without the variable is an error.
    pub fn reference(before: &Text, variable: &EnvName) -> Self {
        let value = format!("os.environ[{}]", PyStr::from(variable.as_str()));
        match before.is_empty() {
            true => Self(value),
            false => Self(format!("{} + {value}", PyStr::new(before))),
        }
    }
}

impl PyExpression {
    /// The path of a credential (systemd.exec(5), `$CREDENTIALS_DIRECTORY`).
    pub fn credential(name: &'static str) -> Self {
        Self(format!("os.path.join(os.environ[\"CREDENTIALS_DIRECTORY\"], {})", PyStr::from(name)))
    }
}

encoded! {
    /// The first line of every file, after which [`super::is_ours`] knows it again.
    Signature
}

impl Signature {
    /// For a file whose first line goes on with `rest`.
    pub fn new(rest: fmt::Arguments<'_>) -> Self {
        Self(format!("{SIGNATURE}{}{rest}", env!("CARGO_PKG_VERSION")))
    }
}

encoded! {
    /// The rest of a line behind a `#`, for people: what could end the line is shown as an escape.
    Comment
}

impl Comment {
    /// This text.
    pub fn new(text: &Text) -> Self {
        Self(text.to_string())
    }
}

encoded! {
    /// A text in YAML that Ansible takes as it is.
    ///
    /// The double-quoted style (YAML 1.1, 5.7 and 9.3; PyYAML's `scan_flow_scalar`): `"` and `\` behind a
    /// backslash, every character that a reader may refuse, drop or take for a line break as `\xHH`,
    /// `\uHHHH` or `\UHHHHHHHH`. Ansible then reads expressions of Jinja in it, each of which begins with a
    /// `{`: so that stands as `{{ '{' }}`. (The tag `!unsafe` would keep Jinja away, but a quoted `"NO"` behind
    /// it is false.)
    YamlText
}

impl YamlText {
    /// This text.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(text: &Text) -> Result<Self, Unsayable> {
        let valid =
            text.as_str().ok_or_else(|| Unsayable::new("is not UTF-8", Layer::Yaml, "it must be Unicode text"))?;
        let mut scalar = "\"".to_owned();
        for c in valid.chars() {
            match c {
                '"' | '\\' => scalar.extend(['\\', c]),
                '{' => scalar.push_str("{{ '{' }}"),
                '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                    _ = write!(scalar, "\\u{:04x}", c as u32);
                }
                c if c.is_control() => _ = write!(scalar, "\\x{:02x}", c as u32),
                c if is_noncharacter(c) => _ = write!(scalar, "\\U{:08x}", c as u32),
                c => scalar.push(c),
            }
        }
        scalar.push('"');
        Ok(Self(scalar))
    }
}

/// Text for Windows: UTF-16 without NUL and without U+FFFF, at which NSSM 2.24 stops printing.
///
/// A lone surrogate, which is no character, is folded as [`ShellWord`] folds bytes; [`bytes`] gives
/// its WTF-8 back. A batch, which is UTF-8, has no way to say one.
fn windows_text(text: &Text, layer: Layer) -> Result<String, Unsayable> {
    no_nul(text)?;
    let mut folded = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    let mut after_lead = false;
    while !rest.is_empty() {
        let chunk = rest.utf8_chunks().next().map(|chunk| chunk.valid()).unwrap_or_default();
        chunk.chars().for_each(|c| push_folded(&mut folded, c));
        rest = &rest[chunk.len()..];
        after_lead &= chunk.is_empty();
        match rest {
            [] => {}
            [0xED, second @ 0xA0..=0xBF, 0x80..=0xBF, more @ ..] => {
                let is_lead = *second < 0xB0;
                if layer != Layer::Nssm {
                    return Err(Unsayable::new("contains a lone surrogate", layer, "it is UTF-8, which has none"));
                }
                if after_lead && !is_lead {
                    return Err(Unsayable::new("contains a split character", layer, "its halves would become one"));
                }
                rest[..3].iter().for_each(|byte| fold(&mut folded, *byte));
                (rest, after_lead) = (more, is_lead);
            }
            [byte, ..] => {
                return Err(Unsayable::new(
                    format!("contains the byte 0x{byte:02X}"),
                    layer,
                    "it must be Unicode text",
                ));
            }
        }
    }
    match folded.contains('\u{ffff}') {
        true => Err(Unsayable::holds('\u{ffff}', Layer::Nssm, "NSSM stops at it")),
        false => Ok(folded),
    }
}

/// Text that was folded by [`windows_text`], and quoted since.
fn unfolded(folded: &str) -> Text {
    Text::from_bytes(bytes(folded))
}

/// Length in UTF-16 units of text that was folded. Of the bytes of a surrogate, each its own chunk,
/// the first is ED.
fn units(folded: &str) -> usize {
    let text = bytes(folded);
    text.utf8_chunks().map(|chunk| chunk.valid().encode_utf16().count() + usize::from(chunk.invalid() == [0xED])).sum()
}

/// The rule of Microsoft's C runtime for one argument ("Parsing C command-line arguments"):
/// `"` around; backslashes doubled before a `"`, also the closing one; `"` behind a backslash.
/// With `split_percent` the quotes are closed before each `%` and opened again behind it.
fn quote_argument(text: &str, split_percent: bool) -> String {
    let mut quoted = String::from("\"");
    let mut backslashes = 0;
    for c in text.chars() {
        match c {
            '"' => quoted.extend(std::iter::repeat_n('\\', backslashes + 1)),
            '%' if split_percent => {
                quoted.extend(std::iter::repeat_n('\\', backslashes));
                quoted.push_str("\"%\"");
                backslashes = 0;
                continue;
            }
            _ => {}
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        quoted.push(c);
    }
    quoted.extend(std::iter::repeat_n('\\', backslashes));
    quoted.push('"');
    quoted
}

encoded! {
    /// One argument inside [`AppParameters`].
    ///
    /// NSSM replaces `%NAME%` in the whole text (`ExpandEnvironmentStrings`), inside quotes too. So
    /// there is a `"` between any two `%`, which no variable has in its name, and the C runtime of
    /// the program drops it: `a%PATH%b` is `"a"%"PATH"%"b"`.
    TargetArg, |c| c != '\0'
}

impl TargetArg {
    /// This argument.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(text: &Text) -> Result<Self, Unsayable> {
        Ok(Self(quote_argument(&windows_text(text, Layer::Nssm)?, true)))
    }
}

encoded! {
    /// The registry value `AppParameters`: the command line of the program without its name.
    ///
    /// NSSM 2.24 reads it into 16383 UTF-16 units and gives the program no arguments at all when it
    /// is longer.
    AppParameters, |c| c != '\0'
}

impl AppParameters {
    /// Longest value, in UTF-16 units.
    pub const MAX: usize = 16_382;

    /// These arguments.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(arguments: &[TargetArg]) -> Result<Self, Unsayable> {
        let joined = arguments.iter().map(|argument| argument.0.as_str()).collect::<Vec<_>>().join(" ");
        let units = units(&joined);
        match units > Self::MAX {
            true => Err(Unsayable::new(
                format!("have {units} characters once they are quoted"),
                Layer::Nssm,
                "beyond 16382 NSSM starts the program without any arguments",
            )),
            false => Ok(Self(joined)),
        }
    }

    /// The value itself, to be given to NSSM as one argument.
    pub fn as_text(&self) -> Text {
        unfolded(&self.0)
    }
}

encoded! {
    /// One argument on the command line of `nssm.exe` itself, by the rule of Microsoft's C runtime.
    NssmArg, |c| c != '\0'
}

impl NssmArg {
    /// This argument.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(text: &Text) -> Result<Self, Unsayable> {
        Ok(Self(quote_argument(&windows_text(text, Layer::Nssm)?, false)))
    }
}

encoded! {
    /// An [`NssmArg`] on a line of a command batch.
    ///
    /// cmd.exe does not know `\"`, so it must never see a quote open: every `" & | < > ^ ( ) !` has a
    /// `^` before it, and every `%` is doubled. Line breaks end the command and other control
    /// characters may end the batch.
    CmdToken, |c| c == '\t'
}

impl CmdToken {
    /// This argument.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(text: &Text) -> Result<Self, Unsayable> {
        if let Some(c) = windows_text(text, Layer::Batch)?.chars().find(|c| c.is_control() && *c != '\t') {
            return Err(Unsayable::holds(c, Layer::Batch, "a command there is one line without control characters"));
        }
        let argument = String::from_utf8_lossy(&bytes(&NssmArg::new(text)?.0)).into_owned();
        let mut token = String::with_capacity(argument.len() * 2);
        for c in argument.chars() {
            match c {
                '"' | '&' | '|' | '<' | '>' | '^' | '(' | ')' | '!' => token.extend(['^', c]),
                '%' => token.push_str("%%"),
                _ => token.push(c),
            }
        }
        Ok(Self(token))
    }
}

encoded! {
    /// One command of a batch: `nssm.exe` in plain quotes, its arguments, and the file that its words go to.
    ///
    /// cmd.exe cuts a line after 8191 characters and runs what is left, so a longer one than
    /// [`CmdLine::MAX`] is refused.
    CmdLine, |c| c == '\t'
}

/// The `reg.exe` of Windows, whatever lies where a batch runs.
const REG: &str = r#""%SystemRoot%\System32\reg.exe""#;

/// The `sc.exe` and the `icacls.exe` of Windows.
const SC: &str = r#""%SystemRoot%\System32\sc.exe""#;
const ICACLS: &str = r#""%SystemRoot%\System32\icacls.exe""#;

impl CmdLine {
    /// Longest line, in UTF-16 units and in bytes.
    pub const MAX: usize = 8000;

    /// `nssm` with `arguments`, whose words go to the file `words`.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(nssm: &CmdPath, arguments: &[CmdToken], words: &CmdPath) -> Result<Self, Unsayable> {
        Self::of(&nssm.0, arguments, &format!(" >{words} 2>&1"))
    }

    /// `reg.exe` of Windows itself, whatever lies where the batch runs, with `arguments`; what it says goes to the file
    /// `words`.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn reg(arguments: &[CmdToken], words: &CmdPath) -> Result<Self, Unsayable> {
        Self::of(REG, arguments, &format!(" >{words} 2>&1"))
    }

    /// `sc.exe` of Windows itself with `arguments`; what it says goes to the file `words`.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn sc(arguments: &[CmdToken], words: &CmdPath) -> Result<Self, Unsayable> {
        Self::of(SC, arguments, &format!(" >{words} 2>&1"))
    }

    /// `icacls.exe` of Windows itself with `arguments`; what it says goes to the file `words`.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn icacls(arguments: &[CmdToken], words: &CmdPath) -> Result<Self, Unsayable> {
        Self::of(ICACLS, arguments, &format!(" >{words} 2>&1"))
    }

    /// `reg.exe` with `arguments`, of which its end alone counts.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn reg_in_silence(arguments: &[CmdToken]) -> Result<Self, Unsayable> {
        Self::of(REG, arguments, " >nul 2>nul")
    }

    fn of(program: &str, arguments: &[CmdToken], end: &str) -> Result<Self, Unsayable> {
        let mut line = program.to_owned();
        for argument in arguments {
            line.push(' ');
            line.push_str(&argument.0);
        }
        line.push_str(end);
        match line.len() > Self::MAX {
            true => Err(Unsayable::new(
                format!("makes a command of {} bytes", line.len()),
                Layer::Batch,
                "cmd.exe cuts a line after 8191 and runs what is left",
            )),
            false => Ok(Self(line)),
        }
    }
}

encoded! {
    /// A path on a line of a command batch, in plain quotes.
    ///
    /// Inside quotes only `%` means something to cmd.exe (delayed expansion is off); it is doubled.
    CmdPath
}

impl CmdPath {
    /// This path.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(path: &Text) -> Result<Self, Unsayable> {
        windows_text(path, Layer::Batch)?;
        let path = unfolded(&NssmPath::new(path)?.0).to_string();
        Ok(Self(format!("\"{}\"", path.replace('%', "%%"))))
    }

    /// The file `name` in the folder of the batch itself.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn beside(name: &str) -> Result<Self, Unsayable> {
        let Self(quoted) = Self::new(&name.into())?;
        Ok(Self(format!("\"%~dp0{}", &quoted[1..])))
    }
}

encoded! {
    /// A path in NSSM's registry: `Application`, `AppDirectory`, `AppStdout`, `AppStderr`.
    ///
    /// `%NAME%` is replaced and quotes cannot hide it, so a path has at most one `%`; and Windows
    /// has no path with `"` or a control character.
    NssmPath
}

impl NssmPath {
    /// This path.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(path: &Text) -> Result<Self, Unsayable> {
        let valid = windows_text(path, Layer::Nssm)?;
        if let Some(c) = valid.chars().find(|c| c.is_control() || matches!(c, '"' | '<' | '>' | '|' | '*' | '?')) {
            return Err(Unsayable::holds(c, Layer::Nssm, "a path of Windows has no such character"));
        }
        if valid.matches('%').count() > 1 {
            return Err(Unsayable::new(
                "contains two `%`",
                Layer::Nssm,
                "what stands between them is taken for a variable",
            ));
        }
        Ok(Self(valid))
    }

    /// A program: a batch is none, because cmd.exe would parse its arguments once more. (Windows
    /// drops dots and blanks at the end of a name.)
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn program(path: &Text) -> Result<Self, Unsayable> {
        let program = Self::new(path)?;
        let lower = program.0.trim_end_matches(['.', ' ']).to_ascii_lowercase();
        match lower.ends_with(".cmd") || lower.ends_with(".bat") {
            true => Err(Unsayable::new(
                "is a command batch",
                Layer::Nssm,
                "cmd.exe parses the arguments of a batch once more; run cmd.exe with arguments of your own quoting",
            )),
            false => Ok(program),
        }
    }
}

encoded! {
    /// One entry of `AppEnvironmentExtra`, `NAME=value`.
    ///
    /// NSSM stores the entries as lines and replaces `%NAME%` in each.
    NssmAssignment, |c| c == '\t'
}

/// All entries of `AppEnvironmentExtra`, in an order that NSSM 2.24 keeps: its reader steps over
/// the entry behind an empty value, so the one that may be empty stands last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NssmEnvironment(Vec<NssmAssignment>);

impl NssmEnvironment {
    /// These variables; the fault comes with the name of its variable.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn new(variables: &[(EnvName, Text)]) -> Result<Self, Vec<(EnvName, Unsayable)>> {
        let (mut entries, mut empty, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for (name, value) in variables {
            match NssmAssignment::new(name, value) {
                Ok(entry) if !value.is_empty() => entries.push(entry),
                Ok(entry) if empty.is_empty() => empty.push(entry),
                Ok(_) => faults.push((
                    name.clone(),
                    Unsayable::new(
                        "is the second empty one",
                        Layer::Nssm,
                        "NSSM drops what stands behind an empty value",
                    ),
                )),
                Err(fault) => faults.push((name.clone(), fault)),
            }
        }
        entries.append(&mut empty);
        if faults.is_empty() { Ok(Self(entries)) } else { Err(faults) }
    }

    /// The entry that puts `folders` in front of the PATH that services have. It holds the one
    /// `%PATH%` that is meant to be replaced.
    ///
    /// # Errors
    /// What this grammar cannot carry.
    pub fn search_path(folders: &[Text]) -> Result<Text, Unsayable> {
        let mut value = String::from("PATH=");
        for folder in folders {
            let NssmPath(folder) = NssmPath::new(folder)?;
            if let Some(c) = folder.chars().find(|c| matches!(c, ';' | '%')) {
                return Err(Unsayable::holds(c, Layer::SearchPath, "it means something else there"));
            }
            value += &folder;
            value.push(';');
        }
        Ok(unfolded(&(value + "%PATH%")))
    }

    /// The entries, to be given to NSSM as one argument each, all in one call.
    pub fn entries(&self) -> impl Iterator<Item = Text> + '_ {
        self.0.iter().map(|entry| unfolded(&entry.0))
    }
}

impl NssmAssignment {
    fn new(name: &EnvName, value: &Text) -> Result<Self, Unsayable> {
        let value = windows_text(value, Layer::Nssm)?;
        let entry = format!("{name}={value}");
        if let Some(c) = entry.chars().find(|c| c.is_control() && *c != '\t') {
            return Err(Unsayable::holds(c, Layer::Nssm, "a variable there is one line"));
        }
        let mut parts = entry.split('%').skip(1).peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_some() && !part.is_empty() {
                return Err(Unsayable::new(
                    format!("contains `%{part}%`"),
                    Layer::Nssm,
                    "it is replaced by the value of that variable",
                ));
            }
        }
        Ok(Self(entry))
    }
}
