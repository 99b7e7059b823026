//! Accounts of services of Windows, and paths that a service cannot have, or has only as long as something else is so.

use std::collections::BTreeSet;

use super::check::Check;
use crate::error::Fault;
use crate::model::facts::Facts;
use crate::model::name::ServiceName;
use crate::model::reach::{Drive, behind_letter, is_share, is_store_alias, seen_as};
use crate::model::spec::{Argument, Output, Run, Target};
use crate::model::text::Text;
use crate::model::windows_account::{AccountKind, WindowsAccount};

/// The longest path of a program or a file, in UTF-16 units: 260 with the NUL behind it (`MAX_PATH`, "Maximum Path Length
/// Limitation"), because NSSM does not say in its manifest that it can do with longer ones.
const LONGEST: usize = 259;
/// The longest working directory: `CreateProcess` needs room for a separator, whatever the manifest says.
const LONGEST_DIRECTORY: usize = 258;

impl<F: Facts> Check<'_, F> {
    /// Says what a service of Windows sees otherwise than whoever installs it, and refuses paths that are too long for it.
    pub(super) fn paths_of_windows(
        &mut self,
        account: Option<&str>,
        run: Option<&Run>,
        working_directory: Option<&Text>,
        output: &Output,
    ) {
        match self.target {
            Target::Systemd => return,
            Target::Nssm => {}
        }
        self.writes_of_windows(account, working_directory);
        let program = run.and_then(Run::program);
        let output = match output {
            Output::File(path) => Some(path),
            Output::Usual | Output::Dropped => None,
        };
        let its = [
            ("its program", program, LONGEST),
            ("its working directory", working_directory, LONGEST_DIRECTORY),
            ("its log", output, LONGEST),
        ];
        let its = its.into_iter().filter_map(|(what, path, longest)| Some((what, path?, longest)));
        its.clone().for_each(|(what, path, longest)| self.not_too_long(what, path, longest));
        let arguments = run.map(Run::arguments).unwrap_or_default().iter().filter_map(|argument| match argument {
            Argument::Literal(text) if self.platform.is_absolute(text) => Some(("its argument", text)),
            Argument::Literal(_) | Argument::Reference { .. } => None,
        });
        let paths: Vec<_> = its.map(|(what, path, _)| (what, path)).chain(arguments).collect();
        self.elsewhere(account.unwrap_or("LocalSystem"), &paths);
    }

    /// An account of Windows, for the service of that name.
    pub(super) fn account_of_windows(
        &mut self,
        what: &str,
        account: &str,
        service: Option<&ServiceName>,
    ) -> Option<String> {
        let machine = self.facts.machine_name();
        let account = match WindowsAccount::parse(account, service, machine.as_deref()) {
            Ok(account) => account,
            Err(refused) => {
                self.fault(Fault { help: refused.help, ..Fault::new(what, refused.reason) }.given(Text::from(account)));
                return None;
            }
        };
        if self.facts.account_exists(account.name()) == Some(false) {
            let help = r"`NT SERVICE\*` is an account of the service's own, which there always is";
            self.fault(Fault::new(what, "there is no such account").given(account.name()).help(help));
            return None;
        }
        if account.kind() == AccountKind::Managed {
            self.note(format!(
                "`{}` needs the right \"Log on as a service\", which an install does not give to a managed account: add it \
                 in secpol.msc, \"Local Policies\", \"User Rights Assignment\"",
                account.name()
            ));
        }
        Some(account.name().to_owned())
    }

    /// Says what lets the account write into the working directory, where its logs are.
    fn writes_of_windows(&mut self, account: Option<&str>, working_directory: Option<&Text>) {
        let (Some(account), Some(directory)) = (account.map(WindowsAccount::registered), working_directory) else {
            return;
        };
        if account.is_system() || self.facts.may_write(&account, directory) == Some(true) {
            return;
        }
        let whom = format!("{}:(OI)(CI)M", account.in_access_list());
        let grant = self.platform.typed(&["icacls".into(), directory.clone(), "/grant".into(), whom.into()]);
        let own = match account.kind() {
            AccountKind::Own => ", once it is installed",
            AccountKind::BuiltIn | AccountKind::Managed | AccountKind::User => "",
        };
        self.note(format!("`{}` must be allowed to write in `{directory}`; `{grant}` allows it{own}", account.name()));
    }

    fn not_too_long(&mut self, what: &str, path: &Text, longest: usize) {
        let units = path.to_string().encode_utf16().count();
        if units > longest {
            let reason = format!("has {units} characters; for a service Windows takes at most {longest} here");
            let help = "`dir /x` shows the short names of the folders, which will do as well";
            self.fault(Fault::new(what, reason).given(path).help(help));
        }
    }

    /// Tells of letters that only this session knows, each once, and of shares that the account has to be let in to.
    fn elsewhere(&mut self, account: &str, paths: &[(&str, &Text)]) {
        const NONE: &str = "a letter is known only in the session of whoever gave it, and a service has none";
        let mut told = BTreeSet::new();
        for (what, path) in paths {
            let letter = path.as_bytes().first().map(u8::to_ascii_uppercase).map(char::from).unwrap_or_default();
            let note = match self.facts.drive(path) {
                Drive::Share(share) => format!(
                    "{what} `{path}` is on the network drive `{letter}:`: {NONE}; write `{}`",
                    behind_letter(path, &share)
                ),
                Drive::Directory(directory) => format!(
                    "{what} `{path}` is on the drive `{letter}:` of `subst`: {NONE}; write `{}`",
                    behind_letter(path, &directory)
                ),
                Drive::OfMachine if is_share(path) => {
                    let Some((account, seen)) = seen_as(account) else { continue };
                    format!(
                        "{what} `{path}` is on another machine, which sees {account} as {seen}; copy it to a local disk, or \
                         open the share to that"
                    )
                }
                Drive::OfMachine => continue,
            };
            if told.insert(letter) {
                self.note(note);
            }
        }
    }

    /// Refuses a link to a program of the Microsoft Store: it is one of the user, and for no other account. Says whether it
    /// did.
    pub(super) fn refuses_alias(&mut self, what: &str, path: &Text) -> bool {
        let is_alias = match self.target {
            Target::Systemd => false,
            Target::Nssm => is_store_alias(path),
        };
        if is_alias {
            let reason =
                "this is a link of the Microsoft Store, which works for the user who has it alone, and for no service";
            let help =
                "install the program for all users, such as Python by the installer of python.org, and name that one";
            self.fault(Fault::new(what, reason).given(path).help(help));
        }
        is_alias
    }
}
