//! InstallService turns any program into a service on Linux (systemd) and Windows (NSSM).
//!
//! The road of the data, from the command line to the host:
//!
//! ```text
//! argv ─ cli ─ catalog ─▶ install request ─ validate(host facts) ─▶ service spec
//!                                                                      │ render (pure)
//!      preview (--dry-run) ◀─┐                                         ▼
//!      export  (--output)  ◀─┼── plan ◀── compare(observed state) ◀─ artifacts + invocations
//!      apply   (executor)  ◀─┘     └─▶ receipt in working_dir ─▶ ManageService
//! ```
//!
//! Decide first, then do: a plan is plain data, the executor has no opinions, rendering never
//! touches the host, and touching the host never renders.
//!
//! `CONTRIBUTING.md` describes the modules and who may import whom.

#![warn(clippy::disallowed_methods)]
// As those in Cargo.toml, but not for tests: their numbers are small, and their tables long. `cli::output` alone prints.
#![cfg_attr(
    not(test),
    deny(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_sign_loss,
        clippy::needless_pass_by_value,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::too_many_lines
    )
)]

pub mod catalog;
pub mod cli;
pub mod commands;
pub mod diagnose;
pub mod document;
pub mod error;
pub mod executor;
pub mod host;
pub mod import;
pub mod managers;
pub mod manifest;
pub mod model;
pub mod plan;
pub mod render;
pub mod runner;
pub mod validate;
