//! How requests are carried out.

use std::time::Duration;

use crate::host::python;
use crate::host::sudo::Typed;
use crate::managers;
use crate::managers::nssm::Wishes;
use crate::model::name::ServiceName;
use crate::model::spec::Target;
use crate::model::text::Text;
use crate::model::word::Word;
use crate::plan::InstallOptions;

/// What happens with the plan.
#[derive(Debug, PartialEq, Eq)]
pub enum InstallMode {
    /// It is shown.
    DryRun,
    /// Its files are written below a directory.
    Export(Text, Layout),
    /// It is compared with the host.
    Check,
    /// It is applied.
    Install,
}

/// How an export is laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// As the files will lie on the host; for NSSM with the batches that put them there.
    #[default]
    Tree,
    /// As a role of Ansible.
    Ansible,
}

impl Word for Layout {
    const WORDS: &'static [(&'static str, Self)] = &[("tree", Self::Tree), ("ansible", Self::Ansible)];
}

/// How requests are carried out.
#[derive(Debug)]
pub struct Settings {
    /// What happens with the plan.
    pub mode: InstallMode,
    /// The service manager.
    pub target: Target,
    /// The tool's own directory, where another than the usual one is asked for.
    pub state_dir: Option<Text>,
    /// Whether what runs is stopped first, and started again if the rest fails.
    pub stop: bool,
    /// Whether services are started.
    pub start: bool,
    /// Whether units that are not ours are taken over, and what runs of them goes on.
    pub adopt: bool,
    /// Whether it is started again instead.
    pub restart_now: bool,
    /// Whether a new version that does not settle stays.
    pub no_rollback: bool,
    /// Whether services of ours that were not asked for are removed.
    pub prune: bool,
    /// The service whose place the one that is asked for takes.
    pub renamed: Option<ServiceName>,
    /// Whether an export has the links that start its services at boot.
    pub enable_links: bool,
    /// Where NSSM comes from.
    pub nssm: Wishes,
    /// Whether the password of an account of Windows is read from standard input.
    pub account_password_stdin: bool,
    /// Whether a value that is kept on the host counts before one in the environment.
    pub kept_first: bool,
    /// The secrets of which it does not: an update names those that may have a new value.
    pub said_secrets: Vec<String>,
    /// Whether what was installed is compared, and not what is to be.
    pub compares_receipts: bool,
    /// The command line without its secrets, where it held any.
    pub typed: Option<Typed>,
    /// The command line of a dry run as it would be typed to install, without secrets.
    pub to_install: Vec<Text>,
    /// What is worth saying of the command line though it is no fault.
    pub notes: Vec<String>,
    /// How long the import of a Python program may take.
    pub import_limit: Duration,
}

impl Settings {
    /// Installing what a receipt says: nothing is asked that is known already.
    pub fn reinstall(state_dir: &Text, options: &InstallOptions) -> Self {
        Self {
            mode: InstallMode::Install,
            target: managers::of_this_host(),
            state_dir: Some(state_dir.clone()),
            stop: options.stop,
            start: options.start,
            adopt: false,
            restart_now: false,
            no_rollback: options.no_rollback,
            prune: false,
            renamed: None,
            enable_links: false,
            nssm: Wishes::default(),
            account_password_stdin: false,
            kept_first: true,
            said_secrets: Vec::new(),
            compares_receipts: false,
            typed: None,
            to_install: Vec::new(),
            notes: Vec::new(),
            import_limit: python::IMPORT_LIMIT,
        }
    }

    /// Comparing what a receipt says with the host.
    pub fn compare(state_dir: &Text) -> Self {
        Self {
            mode: InstallMode::Check,
            compares_receipts: true,
            ..Self::reinstall(state_dir, &InstallOptions::default())
        }
    }
}
