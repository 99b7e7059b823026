//! What can be wrong with a service of NSSM, and around it.

use super::{Finding, Kind};
use crate::model::platform::Platform;
use crate::model::text::Text;

/// What is found of one service of Windows.
#[derive(Clone, Debug, Default)]
pub struct Registered {
    /// Its name.
    pub service: String,
    /// Whether Windows has a service of that name with NSSM.
    pub is_registered: bool,
    /// Whether a script of ours is there that it is run with.
    pub has_script: bool,
    /// Whether its receipt is there.
    pub has_receipt: bool,
    /// The program, and whether it is there.
    pub program: Option<(Text, bool)>,
    /// The working directory, and whether it is there.
    pub directory: Option<(Text, bool)>,
    /// The account, as Windows has it; `None` is LocalSystem.
    pub account: Option<String>,
}

impl Registered {
    /// Whether it was removed: nothing is left of it but what `reinstall` needs.
    pub fn is_removed(&self) -> bool {
        !self.is_registered && !self.has_script
    }

    /// Everything that is wrong, the graver first.
    pub fn findings(&self) -> Vec<Finding> {
        let service = &self.service;
        if !self.is_registered {
            return vec![Finding::new(
                Kind::Receipt,
                format!("`{service}` has a receipt, and Windows has no such service"),
                "somebody has removed it: there is nothing to start",
                format!(
                    "`ManageService {service} reinstall` brings it back, `ManageService {service} remove \
                     --remove_install_args` forgets it"
                ),
            )];
        }
        let mut findings = Vec::new();
        let is_local_system = self.account.as_deref().is_none_or(|account| account.eq_ignore_ascii_case("LocalSystem"));
        for (kind, what, path) in
            [(Kind::Program, "program", &self.program), (Kind::WorkingDirectory, "working directory", &self.directory)]
        {
            let Some((path, is_there)) = path else { continue };
            if path.as_bytes().starts_with(br"\\") && is_local_system {
                findings.push(Finding::new(
                    Kind::Closed,
                    format!("its {what} `{path}` is on another machine, and it runs as LocalSystem"),
                    "LocalSystem is nobody on another machine, so the share is closed to it",
                    format!(
                        "copy it to a local disk and install `{service}` again; or set an account that the other machine \
                         knows, in services.msc, on the page \"Log On\""
                    ),
                ));
            } else if !is_there {
                findings.push(Finding::new(
                    kind,
                    format!("its {what} `{path}` is not there"),
                    "NSSM starts nothing without it; a letter of a network drive is known only to whoever connected it",
                    format!(
                        "`{}` shows what is there; install `{service}` again with the path that it has now",
                        Platform::Windows.typed(&["dir".into(), path.clone()])
                    ),
                ));
            }
        }
        if !self.has_receipt {
            findings.push(super::no_receipt());
        }
        findings
    }
}

/// The programs of ours that services of Windows run through.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    /// Where `nssm.exe` should be, if it is not there.
    pub no_nssm: Option<Text>,
    /// An `nssm.exe` that is not that of the release, with its SHA-256.
    pub unknown_nssm: Option<(Text, String)>,
    /// Where `RunService.exe` should be, if services need it and it is not there.
    pub no_runner: Option<Text>,
    /// A `RunService.exe` that is not the one of this version.
    pub old_runner: Option<Text>,
    /// Whether an earlier run of ours was interrupted, or another one is in progress.
    pub unfinished: bool,
}

impl Programs {
    /// Everything that is wrong around services.
    pub fn findings(&self) -> Vec<Finding> {
        const AGAIN: &str = "`ManageService NAME reinstall` puts it there again";
        let gone = |path: &Text| {
            let what = format!("`{path}` is gone");
            Finding::new(Kind::MissingFile, what, "services are started by it: none of them starts", AGAIN)
        };
        let mut findings: Vec<Finding> = self.no_nssm.iter().chain(&self.no_runner).map(gone).collect();
        findings.extend(self.unknown_nssm.as_ref().map(|(path, sha256)| {
            Finding::new(
                Kind::MissingFile,
                format!("`{path}` is not that of NSSM 2.24: its SHA-256 is {sha256}"),
                "it runs with all rights, and nobody knows what it does",
                "`ManageService NAME reinstall`, after you have moved it away, puts the known one there",
            )
        }));
        findings.extend(self.old_runner.as_ref().map(|path| {
            Finding::new(
                Kind::MissingFile,
                format!("`{path}` is not the one of this version"),
                "services run through what an earlier version brought",
                "`ManageService NAME stop_and_reinstall` brings the newer one, while no service runs it",
            )
        }));
        if self.unfinished {
            findings.push(super::unfinished());
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fine() -> Registered {
        Registered {
            service: "web".into(),
            is_registered: true,
            has_script: false,
            has_receipt: true,
            program: Some((r"C:\web.exe".into(), true)),
            directory: Some((r"C:\data".into(), true)),
            account: None,
        }
    }

    #[track_caller]
    fn kinds(registered: &Registered, expected: &[Kind]) {
        let found = registered.findings();
        assert_eq!(found.iter().map(|finding| finding.kind).collect::<Vec<_>>(), expected, "{found:#?}");
    }

    #[test]
    fn what_is_wrong_with_a_service_of_windows_is_found() {
        kinds(&fine(), &[]);
        let gone = Registered { is_registered: false, has_script: true, ..fine() };
        kinds(&gone, &[Kind::Receipt]);
        assert_eq!((gone.is_removed(), Registered { has_script: false, ..gone }.is_removed()), (false, true));
        kinds(&Registered { has_receipt: false, ..fine() }, &[Kind::Receipt]);
        kinds(&Registered { program: Some((r"Z:\web.exe".into(), false)), ..fine() }, &[Kind::Program]);
        kinds(&Registered { directory: Some((r"C:\gone".into(), false)), ..fine() }, &[Kind::WorkingDirectory]);
        let share = Registered { directory: Some((r"\\server\share".into(), true)), ..fine() };
        kinds(&share, &[Kind::Closed]);
        kinds(&Registered { account: Some(r"LAB\joe".into()), ..share }, &[]);
    }

    #[test]
    fn what_is_wrong_with_the_programs_of_ours_is_found() {
        assert_eq!(Programs::default().findings(), []);
        let all = Programs {
            no_nssm: Some("n".into()),
            unknown_nssm: Some(("n".into(), "ab".into())),
            no_runner: Some("r".into()),
            old_runner: Some("r".into()),
            unfinished: true,
        };
        assert_eq!(all.findings().len(), 5);
    }
}
