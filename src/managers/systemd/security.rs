//! What systemd-analyze thinks of a unit.

use std::fs;

use crate::host::process;
use crate::host::text::text;
use crate::model::invocation::Invocation;
use crate::model::text::Text;

/// The exposure of a unit, such as `6.9 MEDIUM`; nothing where systemd-analyze is not there or too old to look at a
/// file (250).
pub fn exposure(unit: &Text) -> Option<String> {
    look_at(unit)
}

/// The exposure that a unit of this name and with these contents would have.
pub fn exposure_of(unit: &str, contents: &[u8]) -> Option<String> {
    let folder = tempfile::tempdir().ok()?;
    let path = folder.path().join(unit);
    fs::write(&path, contents).ok()?;
    look_at(&text(path))
}

fn look_at(unit: &Text) -> Option<String> {
    let mut words: Vec<Text> = ["systemd-analyze", "security", "--no-pager", "--offline=yes"].map(Text::from).to_vec();
    words.push(unit.clone());
    let outcome = process::ask(&Invocation(words), &[]).ok()?;
    let text = outcome.text();
    let line = text.lines().find(|line| line.contains("Overall exposure level"))?;
    let score = line.rsplit_once(": ")?.1;
    Some(score.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned())
}
