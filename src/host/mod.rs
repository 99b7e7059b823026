//! Everything that touches the world: files, processes, the environment, the terminal, the clock.
//!
//! Only this module and [`crate::executor`] change anything.
#![allow(clippy::disallowed_methods, reason = "this is the one place for effects")]

pub mod credential;
pub mod export;
pub mod facts;
#[cfg(windows)]
pub mod fetch;
pub mod files;
pub mod folder;
pub mod interrupt;
#[cfg(windows)]
pub mod job;
pub mod manager;
pub mod nssm;
pub mod observe;
pub mod privilege;
pub mod process;
pub mod program;
pub mod prompt;
pub mod python;
pub mod state;
pub mod systemctl;
pub mod text;
