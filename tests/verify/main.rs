//! What other programs make of what is written: systemd's own parser, Python, shells, fish, patch, cargo.
//! `tests/run verify` has them all.
#![cfg(target_os = "linux")]

#[path = "../corpus/mod.rs"]
mod corpus;
#[path = "../support/mod.rs"]
mod support;

mod calendar;
mod completions;
mod golden;
mod images;
mod judge;
mod no_systemd;
mod python_readers;
mod python_script;
mod readme;
mod systemd_analyze;
mod unified_diff;
