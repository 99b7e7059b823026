//! Everything that needs neither root nor a network; one module for each promise. `cargo test --test suite cli_drift`
//! runs one of them.

#[path = "../corpus/mod.rs"]
mod corpus;
mod grammar;
#[cfg(unix)]
#[path = "../support/server.rs"]
mod server;
#[path = "../support/mod.rs"]
mod support;

#[cfg(target_os = "linux")]
mod accounts;
#[cfg(target_os = "linux")]
mod adopt;
mod architecture;
#[cfg(unix)]
mod at_boot;
mod broken;
mod called;
#[cfg(target_os = "linux")]
mod caller;
mod catalog;
#[cfg(unix)]
mod cli;
#[cfg(target_os = "linux")]
mod cli_drift;
#[cfg(unix)]
mod cli_dry_run;
#[cfg(unix)]
mod cli_export;
#[cfg(unix)]
mod cli_faults;
#[cfg(unix)]
mod cli_manage;
mod config_file;
mod escape;
#[cfg(unix)]
mod export_nssm;
mod fuzz;
mod golden;
#[cfg(target_os = "linux")]
mod hostile_files;
#[cfg(unix)]
mod images;
#[cfg(unix)]
mod import;
#[cfg(unix)]
mod import_trees;
mod injection;
#[cfg(unix)]
mod instances;
#[cfg(unix)]
mod interpreter;
#[cfg(unix)]
mod manifest;
#[cfg(target_os = "linux")]
mod manual;
#[cfg(target_os = "linux")]
mod narrow;
#[cfg(unix)]
mod not_written;
#[cfg(unix)]
mod pages;
#[cfg(target_os = "linux")]
mod pictures;
#[cfg(unix)]
mod plain;
#[cfg(unix)]
mod processes;
#[cfg(target_os = "linux")]
mod prompt;
mod properties;
#[cfg(unix)]
mod readme;
#[cfg(target_os = "linux")]
mod reference;
mod render_systemd;
#[cfg(unix)]
mod run_service;
#[cfg(unix)]
mod saying;
mod secret_arguments;
#[cfg(target_os = "linux")]
mod shown;
#[cfg(unix)]
mod support_itself;
#[cfg(unix)]
mod templates;
mod twins;
#[cfg(target_os = "linux")]
mod update;
#[cfg(target_os = "linux")]
mod upgrades;
