//! Kills at every step, failing commands, full disks, hostile surroundings, and where secrets are meanwhile: on a
//! booted systemd, `tests/run reliability`. Each test prints its figures, for `docs/reliability.md`.
#![cfg(target_os = "linux")]

#[path = "../support/mod.rs"]
mod support;

mod hostile;
mod kill;
mod power;
mod secrets;
