//! Installing, starting and removing, on a booted systemd of our own (`tests/beds/systemd.sh`): `tests/run booted` runs
//! these modules on it one after the other.
#![cfg(target_os = "linux")]

#[path = "../corpus/mod.rs"]
mod corpus;
#[path = "../support/mod.rs"]
mod support;

mod adopt;
mod at_boot;
mod bed;
mod behaviour;
mod causes;
mod credentials;
mod credentials_in_plain;
mod doctor;
mod error_log;
mod exact;
mod failures;
mod fleet;
mod foreign;
mod import;
mod interrupt;
mod killed;
mod legacy;
mod lifecycle;
mod links;
mod logs;
mod manifest;
mod not_written;
mod odd_hosts;
mod often;
mod privilege;
mod profiles;
mod readme;
mod rename;
mod schedule;
mod secrets;
mod taken_over;
mod templates;
mod through_sudo;
mod undo;
mod update;
mod user;
mod verified;
