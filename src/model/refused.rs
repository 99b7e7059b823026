//! Why a value is refused.

/// Where an entry of the table of a service manager was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a manifest.
    Manifest,
    /// By `--property`.
    CommandLine,
}

impl Origin {
    /// How an entry is written there.
    pub fn entry(self, name: &str, value: &str) -> String {
        match self {
            Self::CommandLine => format!("`--property {name}={value}`"),
            Self::Manifest if value.parse::<i64>().is_ok() => format!("`{name} = {value}`"),
            Self::Manifest => format!("`{name} = \"{value}\"`"),
        }
    }

    /// What to do about something that has a word of its own there.
    fn own_word(self, key: &str) -> Refused {
        match (self, key) {
            (Self::Manifest, _) => Refused::new("this has a key of its own").help(format!("write `{key} = ...`")),
            (Self::CommandLine, "arguments" | "command" | "executable") => {
                Refused::new("what runs is no property").help("write the program and its arguments behind `--`")
            }
            (Self::CommandLine, key) => {
                Refused::new("this has an option of its own").help(format!("`{}`", option_of(key)))
            }
        }
    }
}

/// The option that says what a key of a manifest says, with what it takes.
fn option_of(key: &str) -> String {
    match key {
        "environment" => "--env NAME=VALUE".to_owned(),
        "name" => "--service_name NAME".to_owned(),
        key => format!("--{} ...", key.replace('_', "-")),
    }
}

/// Why a value is refused, and what would do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The reason.
    pub reason: String,
    /// What to write instead, where that is known.
    pub help: Option<String>,
    /// The same for whoever gave it on the command line, where the words are others there.
    on_command_line: Option<Box<Refused>>,
}

impl Refused {
    /// For this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), help: None, on_command_line: None }
    }

    /// For an entry of the table of a service manager that the key of a manifest says, or an option.
    pub fn own_word(key: &str) -> Self {
        let on_command_line = Some(Box::new(Origin::CommandLine.own_word(key)));
        Self { on_command_line, ..Origin::Manifest.own_word(key) }
    }

    /// The same with what to write instead.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The same with what to type instead on the command line.
    #[must_use]
    pub fn typed(self, help: impl Into<String>) -> Self {
        let on_command_line = Some(Box::new(Self::new(self.reason.clone()).help(help)));
        Self { on_command_line, ..self }
    }

    /// In the words of where it was given.
    #[must_use]
    pub fn of(self, origin: Origin) -> Self {
        match (origin, self) {
            (Origin::CommandLine, Self { on_command_line: Some(refused), .. }) => *refused,
            (Origin::CommandLine | Origin::Manifest, refused) => refused,
        }
    }
}
