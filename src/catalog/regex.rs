//! Kind `regex`: patterns in Python's dialect.
//!
//! There is no parser of that dialect in Rust. `fancy-regex` reads the nearest one and is used for
//! what it shares with Python's `re`: refused is only what both call an error, so that a mistake is
//! found when the service is installed, and a construct only Python knows is never in the way.
//! `tests/verify/python_readers.rs` compares the answers with a real Python's over thousands of random patterns.

use fancy_regex::{Error, Expr, ParseError};

/// Refuses a pattern that is certainly an error in Python.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    let outline = Outline::of(pattern);
    let Err(Error::ParseError(_, error)) = Expr::parse_tree(&outline.text) else {
        return Ok(());
    };
    let reason = match error {
        ParseError::UnclosedOpenParen => "a `(` is never closed; for the character itself write `\\(`",
        ParseError::GeneralParseError(_) if outline.closes_too_much => {
            "a `)` closes nothing; for the character itself write `\\)`"
        }
        // Only fancy-regex knows comments, so both have to say it.
        ParseError::InvalidClass if outline.open_class && !pattern.contains("(?#") => {
            "a `[` is never closed; for the character itself write `\\[`"
        }
        ParseError::TrailingBackslash => "it ends with a single backslash; for the character itself write `\\\\`",
        ParseError::InvalidBackref => "it refers to a group that is not there",
        // Python also repeats look-arounds and empty groups.
        ParseError::TargetNotRepeatable if !pattern.contains("(?") => {
            "there is nothing before a `*`, `+`, `?` or `{` to repeat; for any text write `.*`"
        }
        _ => return Ok(()),
    };
    Err(format!("`{pattern}` is not a regular expression: {reason}"))
}

/// What a look at groups and classes alone tells about a pattern.
struct Outline {
    /// The pattern with a backslash before each `[`, `&` and `~` inside a class. They stand for
    /// themselves there in Python ("Regular Expression Syntax" of the `re` module); to fancy-regex
    /// they begin a class within the class, or an operation on two classes.
    text: String,
    /// The last class has no end.
    open_class: bool,
    /// More groups are closed than were opened.
    closes_too_much: bool,
}

impl Outline {
    fn of(pattern: &str) -> Outline {
        let mut text = String::with_capacity(pattern.len());
        let (mut in_class, mut open, mut closes_too_much) = (false, 0_usize, false);
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            if in_class && matches!(c, '[' | '&' | '~') {
                text.push('\\');
            }
            text.push(c);
            match c {
                '\\' => text.extend(chars.next()),
                ']' => in_class = false,
                '[' if !in_class => {
                    in_class = true;
                    text.extend(chars.next_if_eq(&'^'));
                    // The first `]` of a class is one of its members.
                    if chars.next_if_eq(&']').is_some() {
                        text.push_str("\\]");
                    }
                }
                '(' if !in_class => open += 1,
                ')' if !in_class && open == 0 => closes_too_much = true,
                ')' if !in_class => open -= 1,
                _ => {}
            }
        }
        Outline { text, open_class: in_class, closes_too_much }
    }
}
