//! Where a Python program begins.

use std::fmt;
use std::str::FromStr;

/// What a service starts inside a Python interpreter, written as
///
/// * `package.module:function`: the function is called with the list of arguments,
/// * `Class=package.module`: the class's `run_from_command_line` is called with it,
/// * `Class=package.module:function`: the function is called; the class only names the program.
///
/// The grammar is that of Python's entry points ("Entry points specification", packaging.python.org),
/// where the part after the colon may itself be dotted (`module:Class.main`), and of the tool this
/// one replaces. Read it with [`str::parse`]; [`fmt::Display`] gives the same text back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PythonEntry {
    module: String,
    class: Option<String>,
    function: Option<String>,
}

impl PythonEntry {
    /// The dotted name of the module to import.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The class named before the `=`.
    pub fn class(&self) -> Option<&str> {
        self.class.as_deref()
    }

    /// The function named after the `:`, dotted when it is an attribute of something in the module.
    pub fn function(&self) -> Option<&str> {
        self.function.as_deref()
    }

    /// The last word of the spec's most telling part, the name of a service nobody named:
    /// the class, else the function, unless that is only `main` or `run`; then the module.
    pub fn short_name(&self) -> &str {
        let last = |dotted: &'_ str| dotted.rfind('.').map_or(0, |dot| dot + 1);
        match (&self.class, &self.function) {
            (Some(class), _) => class,
            (None, Some(function)) if !matches!(function.as_str(), "main" | "run") => &function[last(function)..],
            _ => &self.module[last(&self.module)..],
        }
    }

    /// True when `text` has the shape of a Python spec, well-formed or not: an executable's path or
    /// a program's name holds neither `=` nor `:` in these places.
    pub fn looks_like(text: &str) -> bool {
        !text.contains(['/', '\\']) && text.contains(['=', ':'])
    }
}

impl FromStr for PythonEntry {
    type Err = PythonEntryError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = |reason: String| PythonEntryError { text: text.to_owned(), reason };
        let (class, rest) = match text.split_once('=') {
            Some((class, rest)) => (Some(class), rest),
            None => (None, text),
        };
        let (module, function) = match rest.split_once(':') {
            Some((module, function)) => (module, Some(function)),
            None => (rest, None),
        };
        if class.is_none() && function.is_none() {
            return Err(fault("it names a module, but neither a class nor a function".to_owned()));
        }
        if let Some(class) = class {
            identifier(class).map_err(|why| fault(format!("the class {why}")))?;
        }
        dotted(module).map_err(|why| fault(format!("the module {why}")))?;
        if let Some(function) = function {
            dotted(function).map_err(|why| fault(format!("the function {why}")))?;
        }
        Ok(PythonEntry {
            module: module.to_owned(),
            class: class.map(str::to_owned),
            function: function.map(str::to_owned),
        })
    }
}

impl fmt::Display for PythonEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(class) = &self.class {
            write!(f, "{class}=")?;
        }
        f.write_str(&self.module)?;
        match &self.function {
            Some(function) => write!(f, ":{function}"),
            None => Ok(()),
        }
    }
}

/// Why a text is no [`PythonEntry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonEntryError {
    /// The text that was read.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for PythonEntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PythonEntryError { text, reason } = self;
        write!(
            f,
            "`{text}` is not a Python spec: {reason}; \
             help: write `package.module:function` or `Class=package.module`"
        )
    }
}

impl std::error::Error for PythonEntryError {}

/// Identifiers joined by dots.
fn dotted(name: &str) -> Result<(), String> {
    name.split('.').try_for_each(|part| match part {
        "" if !name.is_empty() => Err(format!("`{name}` has an empty part between its dots")),
        _ => identifier(part),
    })
}

/// One identifier: "Identifiers and keywords" of the Python language reference. Soft keywords
/// (`match`, `type`, `_`) are identifiers.
fn identifier(name: &str) -> Result<(), String> {
    const KEYWORDS: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];
    let first = |c: char| c == '_' || unicode_ident::is_xid_start(c);
    match name.chars().next() {
        None => Err("is missing".to_owned()),
        Some(c) if !first(c) => Err(format!("`{name}` begins with {c:?}, not a letter")),
        Some(_) if KEYWORDS.contains(&name) => Err(format!("`{name}` is a word Python reserves")),
        Some(_) => match name.chars().find(|&c| !unicode_ident::is_xid_continue(c)) {
            Some(c) => Err(format!("`{name}` contains {c:?}, which no Python name can have")),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_come_back_as_written() {
        for (text, short) in [
            ("package.module:function", "function"),
            ("module:Class.main", "main"),
            ("package.uploader:main", "uploader"),
            ("Class=package.module", "Class"),
            ("Class=package.module:function", "Class"),
            ("Größe=paket._m1:_", "Größe"),
        ] {
            let entry: PythonEntry = text.parse().unwrap();
            assert_eq!((entry.to_string().as_str(), entry.short_name()), (text, short));
        }
    }

    #[test]
    fn faults_name_the_part() {
        for (text, reason) in [
            ("", "it names a module, but neither a class nor a function"),
            ("package.module", "it names a module, but neither a class nor a function"),
            ("=package.module", "the class is missing"),
            ("A.B=package.module", "the class `A.B` contains '.', which no Python name can have"),
            ("Class=", "the module is missing"),
            ("a..b:main", "the module `a..b` has an empty part between its dots"),
            ("my-app:main", "the module `my-app` contains '-', which no Python name can have"),
            ("a:b:c", "the function `b:c` contains ':', which no Python name can have"),
            ("a:1st", "the function `1st` begins with '1', not a letter"),
            ("a.b:class", "the function `class` is a word Python reserves"),
            ("A=B=c.d", "the module `B=c` contains '=', which no Python name can have"),
            ("m:f [extra]", "the function `f [extra]` contains ' ', which no Python name can have"),
        ] {
            assert_eq!(text.parse::<PythonEntry>().unwrap_err().reason, reason, "{text}");
        }
    }
}
