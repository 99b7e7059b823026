//! Kind `config_file`: what a service has to know about an INI file its program reads.
//!
//! The dialect is that of Python's `configparser.ConfigParser` with its defaults, read by the rules
//! of its documentation ("Supported INI File Structure") and of `RawConfigParser._read`. The INI
//! crates read other dialects: they cut values at an inline `#`, turn backslashes into control
//! characters, or let a key stand twice. `tests/verify/python_readers.rs` compares this reader with a real Python's.

use std::collections::HashSet;
use std::fmt;

/// The settings of an INI file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigFile {
    /// All of them, in the order of the file.
    pub settings: Vec<ConfigSetting>,
}

/// One setting of an INI file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigSetting {
    /// The line of its key, counted from one.
    pub line: usize,
    /// The section it stands in; `DEFAULT` counts for all of them.
    pub section: String,
    /// The key, in lower case, as Python reads it.
    pub key: String,
    /// The value, with a line break where it goes on in another line.
    pub value: String,
}

/// Why Python could not read the file either.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFileError {
    /// The line of the fault, counted from one.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

impl fmt::Display for ConfigFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for ConfigFileError {}

/// Reads an INI file.
///
/// # Errors
/// The first fault over which `configparser` stumbles, too. A `%` that it would take for an
/// interpolation is left alone, since other readers of such files do not interpolate.
pub fn read(text: &str) -> Result<ConfigFile, ConfigFileError> {
    let mut settings: Vec<ConfigSetting> = Vec::new();
    let mut sections = HashSet::new();
    let mut keys = HashSet::new();
    let mut section: Option<String> = None;
    let mut in_value = false;
    let mut indent = 0;
    for (at, line) in lines(text).enumerate() {
        let fault = |reason: String| Err(ConfigFileError { line: at + 1, reason });
        let content = line.trim_matches(blank);
        if content.starts_with(['#', ';']) {
            continue;
        }
        if content.is_empty() {
            if let (true, Some(setting)) = (in_value, settings.last_mut()) {
                setting.value.push('\n');
            }
            continue;
        }
        let indented = line.chars().take_while(|&c| blank(c)).count();
        if let (true, true, Some(setting)) = (in_value, indented > indent, settings.last_mut()) {
            setting.value.push('\n');
            setting.value.push_str(content);
            continue;
        }
        indent = indented;
        if let Some(name) = header(content) {
            if name != "DEFAULT" && !sections.insert(name) {
                return fault(format!("the section `[{name}]` is there twice"));
            }
            section = Some(name.to_owned());
            in_value = false;
            continue;
        }
        let Some(section) = section.clone() else {
            return fault(match content.starts_with('\u{feff}') {
                true => "the file begins with a byte order mark; save it as UTF-8 without one".to_owned(),
                false => format!("`{content}` stands before the first `[section]`"),
            });
        };
        let Some((key, value)) = content.split_once(['=', ':']) else {
            return fault(format!("`{content}` has no `=` and no value"));
        };
        let key = key.trim_end_matches(blank).to_lowercase();
        if key.is_empty() {
            return fault(format!("`{content}` has no key"));
        }
        if !keys.insert((section.clone(), key.clone())) {
            return fault(format!("`{key}` is there twice in the section `[{section}]`"));
        }
        let value = value.trim_start_matches(blank).to_owned();
        settings.push(ConfigSetting { line: at + 1, section, key, value });
        in_value = true;
    }
    for setting in &mut settings {
        setting.value.truncate(setting.value.trim_end_matches(blank).len());
    }
    Ok(ConfigFile { settings })
}

/// The lines of a file opened as text: Python ends them at `\n`, `\r\n` and `\r`.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).flat_map(|line| line.split('\r'))
}

/// What Python's `str.isspace` holds for blank: Unicode's white space and the four separators.
fn blank(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// The name in `[name]`; what stands behind the last bracket is ignored.
fn header(content: &str) -> Option<&str> {
    let name = content.strip_prefix('[')?;
    name.rfind(']').filter(|&end| end > 0).map(|end| &name[..end])
}

impl ConfigFile {
    /// The environment variables the values refer to, each once, in the order of the file. A value
    /// is a reference when it begins with `$`; what counts in it is `$NAME` and `${NAME}`, as
    /// Python's `os.path.expandvars` has it.
    pub fn variables(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for setting in self.settings.iter().filter(|setting| setting.value.starts_with('$')) {
            for text in setting.value.split('$').skip(1) {
                let name = match text.strip_prefix('{') {
                    Some(braced) => braced.split_once('}').map_or("", |(name, _)| name),
                    None => {
                        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                        &text[..text.find(|c| !word(c)).unwrap_or(text.len())]
                    }
                };
                if !name.is_empty() && !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// The settings that look like a path and are not absolute: a service runs in another directory
    /// than the shell in which the file was tried.
    ///
    /// A value is taken for such a path when it
    /// * begins with `./`, `../` or `~/` (which nobody expands in an INI file), or
    /// * stands behind a key whose last word says file, directory or path, or `location` (if the
    ///   value has a slash or an extension), or
    /// * is made of plain words with slashes and ends with a slash or an extension (`dir/file.txt`), or
    /// * is a single word with the extension of a certificate or a key store.
    ///
    /// It is never one when it is empty, absolute on Linux or on Windows, a number, a boolean, a URL, a
    /// pattern with `*`, an interpolation, or holds an environment variable.
    pub fn relative_paths(&self) -> impl Iterator<Item = &ConfigSetting> {
        self.settings.iter().filter(|setting| {
            let value = |line: &str| is_relative_path(&setting.key, line.trim_matches(blank));
            setting.value.lines().any(value)
        })
    }
}

fn is_relative_path(key: &str, value: &str) -> bool {
    // KafkaCrypto marks the files among its values so.
    let value = value.strip_prefix("file#").unwrap_or(value);
    let slashed = value.replace('\\', "/");
    if slashed.starts_with('/') || slashed.get(1..3) == Some(":/") || slashed.contains("://") {
        return false;
    }
    if value.is_empty() || value.contains(['$', '*', '?', '|', '<', '>']) || value.contains("%(") {
        return false;
    }
    if matches!(value, "." | "..") || ["./", "../", "~/"].iter().any(|dots| slashed.starts_with(dots)) {
        return true;
    }
    if is_plain_constant(value) {
        return false;
    }
    let (folder, name) = slashed.rsplit_once('/').unwrap_or(("", &slashed));
    let extension = extension(name);
    match key.rsplit(['.', '_', '-', ' ']).next().unwrap_or_default() {
        "location" | "locations" => !folder.is_empty() || extension.is_some(),
        word if names_a_path(word) => true,
        _ => {
            let plain = |part: &str| part.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
            let words = folder.split('/').all(plain) && !name.contains(char::is_whitespace);
            match (folder.is_empty(), extension) {
                (false, Some(_)) => words,
                (false, None) => words && name.is_empty(),
                (true, Some(extension)) => words && is_of_certificates(extension),
                (true, None) => false,
            }
        }
    }
}

/// `cafile` and `logdir` as well as `file` and `dir`, but no `profile`.
fn names_a_path(word: &str) -> bool {
    let word = word.strip_suffix('s').unwrap_or(word);
    let ends = ["file", "filename", "filepath", "dir", "directory", "folder", "path", "keytab"];
    word != "profile" && ends.iter().any(|end| word.ends_with(end))
}

/// Words and numbers that are values of some switch, and `host:port`.
fn is_plain_constant(value: &str) -> bool {
    const SWITCHES: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "none", "null", "probe"];
    let port = value.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let number = value.parse::<f64>().is_ok();
    number || port || SWITCHES.iter().any(|switch| value.eq_ignore_ascii_case(switch))
}

/// One to eight letters or digits behind the last dot, at least one of them a letter.
fn extension(name: &str) -> Option<&str> {
    let (_, extension) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty())?;
    let sane = (1..=8).contains(&extension.len())
        && extension.bytes().all(|b| b.is_ascii_alphanumeric())
        && extension.bytes().any(|b| b.is_ascii_alphabetic());
    sane.then_some(extension)
}

fn is_of_certificates(extension: &str) -> bool {
    const KNOWN: [&str; 7] = ["pem", "crt", "cer", "p12", "pfx", "jks", "keytab"];
    KNOWN.iter().any(|known| extension.eq_ignore_ascii_case(known))
}
