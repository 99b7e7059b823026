//! [`LogPart`]: which part of what services have written is asked for.

use super::text::Text;

/// Which part of what services have written is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPart {
    /// How many lines at the end; `None` is all of them.
    pub lines: Option<u32>,
    /// Whether to go on as new lines come.
    pub follow: bool,
    /// From when on, in the words of the service manager.
    pub since: Option<Text>,
    /// Until when.
    pub until: Option<Text>,
    /// Only lines that match this pattern.
    pub grep: Option<Text>,
}

impl LogPart {
    /// The last lines.
    pub fn last(lines: u32) -> Self {
        Self { lines: Some(lines), ..Self::default() }
    }

    /// The options that choose lines by more than their number, with what was given for each.
    pub fn choices(&self) -> impl Iterator<Item = (&'static str, &Text)> {
        let all = [("since", &self.since), ("until", &self.until), ("grep", &self.grep)];
        all.into_iter().filter_map(|(option, value)| Some((option, value.as_ref()?)))
    }
}
