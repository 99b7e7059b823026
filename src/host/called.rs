//! What our commands are called. Each package brings them under two names: `InstallService`, which the Python package
//! openmsistream brings, too, and `install-service`, which is nobody else's.

use std::env;
use std::path::Path;

use crate::model::text::Text;

use super::text::text;

/// Which names somebody types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Called {
    /// `InstallService` and `ManageService`.
    #[default]
    Classic,
    /// `install-service` and `manage-service`.
    Hyphenated,
}

impl Called {
    /// Those that this command was called by.
    pub fn now() -> Self {
        match env::args_os().next() {
            Some(own) if is_hyphenated(Path::new(&own)) => Self::Hyphenated,
            Some(_) | None => Self::Classic,
        }
    }
}

fn is_hyphenated(program: &Path) -> bool {
    let stem = program.file_stem().and_then(|stem| stem.to_str());
    matches!(stem, Some("install-service" | "manage-service"))
}

/// The path of this command, by the name that was typed: where that is a link, the system would give the name of what it
/// leads to.
pub fn own_path() -> Text {
    let typed = env::args_os().next().unwrap_or_default();
    let Ok(own) = env::current_exe() else { return text(typed) };
    let named = Path::new(&typed).file_name().map(|name| own.with_file_name(name));
    text(named.filter(|named| leads_to(named, &own)).unwrap_or(own))
}

fn leads_to(link: &Path, own: &Path) -> bool {
    matches!((link.canonicalize(), own.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
