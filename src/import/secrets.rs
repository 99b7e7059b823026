//! Values in a unit that look like secrets: every user of a host can read its units.

use super::merged::Unit;
use super::unit_file::Assignment;
use super::words;

/// Words of a name that mean a secret.
const WORDS: [&str; 15] = [
    "APIKEY",
    "AUTHTOKEN",
    "CREDENTIAL",
    "CREDENTIALS",
    "KEY",
    "PASS",
    "PASSPHRASE",
    "PASSWD",
    "PASSWORD",
    "PAT",
    "PRIVATEKEY",
    "PWD",
    "SALT",
    "SECRET",
    "TOKEN",
];
/// Words behind which it is not the secret itself: where it is kept, or what it is called.
const NOT_ITSELF: [&str; 9] = ["DIR", "FILE", "ID", "LENGTH", "NAME", "PATH", "TTL", "TYPE", "URL"];

/// The variables of `Environment=` whose values look like secrets, each with its line.
pub(super) fn likely(unit: &Unit) -> Vec<(&Assignment, String)> {
    let mut found = Vec::new();
    for line in unit.assignments.iter().filter(|line| line.section == "Service" && line.name == "Environment") {
        for word in words::split(&line.value).unwrap_or_default() {
            found.extend(
                word.split_once('=')
                    .filter(|(name, value)| is_likely(name, value))
                    .map(|(name, _)| (line, name.to_owned())),
            );
        }
    }
    found
}

pub(super) fn is_likely(name: &str, value: &str) -> bool {
    has_password(value) || is_named_so(name) && !value.is_empty() && !is_plain(value)
}

/// Word by word, so that `MONKEY` is no key.
fn is_named_so(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let is_secret = |word: &&str| WORDS.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit()));
    // The variable of the shell that is called like a password.
    name != "PWD" && words.iter().any(is_secret) && !words.last().is_some_and(|last| NOT_ITSELF.contains(last))
}

/// A path, a switch or a small number is nothing to guess with.
fn is_plain(value: &str) -> bool {
    let is_switch =
        ["true", "false", "yes", "no", "on", "off", "none"].iter().any(|word| word.eq_ignore_ascii_case(value));
    value.starts_with(['/', '~', '%']) || is_switch || value.len() < 4 && value.parse::<u32>().is_ok()
}

/// An address with a password: `scheme://user:password@host`.
fn has_password(value: &str) -> bool {
    let authority = value.split("://").skip(1).filter_map(|rest| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        rest[..end].rsplit_once('@')
    });
    authority.filter_map(|(who, _)| who.split_once(':')).any(|(_, password)| !password.is_empty())
}

/// A line without the values that look like secrets.
pub fn hidden(line: &str) -> String {
    let value = line.split_once('=').filter(|(key, _)| key.trim() == "Environment").map(|(_, value)| value);
    let Some(value) = value else { return line.to_owned() };
    let is_secret = |word: &String| word.split_once('=').is_some_and(|(name, value)| is_likely(name, value));
    let words = words::split(value);
    // What cannot be read may hold anything.
    match words.is_none_or(|words| words.iter().any(is_secret)) {
        true => "Environment=...".into(),
        false => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_at_word_by_word() {
        for (name, value, is_secret) in [
            ("DB_PASSWORD", "hunter2", true),
            ("API_KEY", "abc123", true),
            ("token", "abc", true),
            ("SECRET2", "x-y", true),
            ("DATABASE_URL", "postgres://joe:hunter2@db/x", true),
            ("DATABASE_URL", "postgres://joe@db/x", false),
            ("DATABASE_URL", "postgres://db/x?at=a:b@c", false),
            ("MONKEY", "business", false),
            ("TLS_KEY", "/etc/ssl/key.pem", false),
            ("TOKEN_FILE", "tokens", false),
            ("AWS_SECRET_KEY_ID", "AKIA", false),
            ("PASSWORD", "", false),
            ("USE_TOKEN", "true", false),
            ("PWD", "abcdef", false),
        ] {
            assert_eq!(is_likely(name, value), is_secret, "{name}={value}");
        }
    }

    #[test]
    fn no_message_has_such_a_value() {
        assert_eq!(hidden("Environment=A=1 'TOKEN=abc def'"), "Environment=...");
        assert_eq!(hidden("Environment=\"TOKEN=abc"), "Environment=...");
        assert_eq!(hidden("Environment=A=1"), "Environment=A=1");
    }
}
