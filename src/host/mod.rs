//! Everything that touches the world: files, processes, the environment, the terminal, the clock.
//!
//! Only this module and [`crate::executor`] change anything.
#![allow(clippy::disallowed_methods, reason = "this is the one place for effects")]

#[cfg(windows)]
pub mod access;
pub mod account;
pub mod called;
#[cfg(windows)]
pub mod drive;
pub mod environment;
pub mod facts;
pub mod files;
pub mod folder;
pub mod interrupt;
#[cfg(windows)]
pub mod job;
pub mod keeper;
pub mod namesake;
pub mod ports;
pub mod privilege;
pub mod process;
pub mod program_file;
pub mod prompt;
pub mod python;
pub mod reading;
pub mod site;
pub mod state;
pub mod sudo;
pub mod systemd;
mod talk;
pub mod text;
