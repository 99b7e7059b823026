//! Services of Windows, with the genuine NSSM: on Windows itself, or under Wine in a prefix of its own.
//!
//! `nssm.exe` is expected in C:\nssm, a Python in C:\python (`tests/beds/windows.sh prefix` makes it so).
#![cfg(windows)]
#![allow(clippy::disallowed_methods, reason = "tests may touch the machine")]

mod corpus;
mod support;

#[path = "windows/batch.rs"]
mod batch;
#[path = "windows/bed.rs"]
mod bed;
#[path = "windows/error_log.rs"]
mod error_log;
#[path = "windows/exact.rs"]
mod exact;
#[path = "windows/failures.rs"]
mod failures;
#[path = "windows/lifecycle.rs"]
mod lifecycle;
#[path = "windows/parameters.rs"]
mod parameters;
#[path = "windows/python.rs"]
mod python;
#[path = "windows/supply.rs"]
mod supply;
#[path = "windows/sweep.rs"]
mod sweep;
