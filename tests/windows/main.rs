//! Services of Windows, with the genuine NSSM: on Windows itself, or under Wine in a prefix of its own.
//!
//! `nssm.exe` is expected in C:\nssm, a Python in C:\python (`tests/beds/windows.sh prefix` makes it so).
#![cfg(windows)]

#[path = "../corpus/mod.rs"]
mod corpus;
#[path = "../support/server.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;

mod accounts;
mod batch;
mod batch_files;
mod bed;
mod doctor;
mod error_log;
mod exact;
mod failures;
mod lifecycle;
mod pages;
mod parameters;
mod programs;
mod python;
mod stop_command;
mod supply;
mod sweep;
mod taken_over;
mod undo;
