//! What both commands do: each use case, from what is asked for to what came of it.
//!
//! Nothing here reads words or prints any. What happens on the way is told to a [`Reporter`] as [`Event`]s, and what
//! came of it is given back as plain data; [`crate::cli`] has the words for both.

mod caller;
pub mod change;
pub mod discover;
pub mod doctor;
pub mod drift;
pub mod event;
pub mod find;
pub mod import;
pub mod install;
pub mod list;
pub mod logs;
pub mod passwords;
mod python_import;
pub mod receipt;
pub mod secrets;
pub mod show;
pub mod sources;
pub mod status;
pub mod templates;
pub mod upgrade;
pub mod verbs;

pub use event::{Event, Reporter};
