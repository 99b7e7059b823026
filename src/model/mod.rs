//! Types that cannot hold a wrong value: names, texts and the validated service spec.
//!
//! A value of these types has passed its check when it was made, so nothing behind this module
//! checks it again. Nothing here reads files, the environment, the clock or the operating system.

pub mod access;
pub mod artifact;
pub mod calendar;
pub mod command_line;
pub mod entry;
pub mod environment_file;
pub mod facts;
pub mod first_line;
pub mod invocation;
pub mod links;
pub mod log_part;
pub mod manager;
pub mod name;
pub mod nearest;
pub mod nssm_release;
pub mod nssm_table;
pub mod observed;
pub mod operation;
pub mod original;
pub mod overrides;
pub mod parameter;
pub mod password;
pub mod place;
pub mod platform;
pub mod privileges;
pub mod reach;
pub mod refused;
pub mod registration;
pub mod run_by;
pub mod runner_order;
pub mod schedule;
pub mod site;
pub mod span;
pub mod spec;
pub mod status;
pub mod systemd_table;
pub mod systemd_version;
pub mod text;
pub mod version;
pub mod windows_account;
pub mod word;
