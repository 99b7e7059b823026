//! Installing, starting and removing, on a booted systemd of our own (`tests/beds/systemd.sh`), which all of these
//! share: `tests/run booted`.
#![cfg(target_os = "linux")]

#[path = "../corpus/mod.rs"]
mod corpus;
#[path = "../support/mod.rs"]
mod support;

mod bed;
mod credentials;
mod exact;
mod failures;
mod fleet;
mod foreign;
mod legacy;
mod lifecycle;
mod manifest;
mod odd_hosts;
mod privilege;
mod readme;
mod secrets;
mod undo;
mod user;

/// README and docs/fleet.md name their services alike, and keep them in the same directory: one page at a time.
static PAGES: std::sync::Mutex<()> = std::sync::Mutex::new(());
