//! What can be wrong with an installed service, without waiting for it to fail.

use super::program::Lies;
use super::start::{self, Known};
use super::{Finding, Kind, typed, word};
use crate::model::observed::OtherUnit;
use crate::model::overrides::Overridden;
use crate::model::platform::Platform;
use crate::model::status::{ServiceStatus, State};
use crate::model::text::Text;

/// What is found of one service of systemd.
#[derive(Clone, Debug)]
pub struct Installed {
    /// What it runs.
    pub known: Known,
    /// What it is doing.
    pub status: ServiceStatus,
    /// Whether its unit is there.
    pub has_unit: bool,
    /// Whether its receipt is there.
    pub has_receipt: bool,
    /// Whether its receipt wants it to be started at boot.
    pub at_boot: bool,
    /// Whether there is more of it than its unit, its receipt and its secrets: a script of ours, or a link to it.
    pub has_more: bool,
    /// Files of ours that its unit needs and that are gone.
    pub missing: Vec<Text>,
    /// Files with values of its secrets, or other files of variables, that are gone.
    pub secrets: Vec<Text>,
    /// A unit of the same name that is not ours.
    pub other: Option<OtherUnit>,
    /// What has become of what it overrides since it was adopted.
    pub original: Option<SinceAdopted>,
    /// Links that `systemctl enable` makes, and that are not there.
    pub links_missing: Vec<Text>,
    /// Links to it that lead elsewhere, and where.
    pub links_stale: Vec<(Text, Text)>,
    /// Whether its unit can be enabled.
    pub can_be_enabled: bool,
    /// Whether a timer starts it, which is enabled in its place.
    pub has_timer: bool,
    /// Whether systemd has read another version of its unit.
    pub needs_reload: bool,
    /// The user whose services end at the logout.
    pub logs_out: Option<String>,
    /// Paths of it below the home directory of somebody else, and who that is.
    pub in_homes: Vec<(Text, String)>,
    /// What drop-ins override of its unit.
    pub overridden: Vec<(Text, Vec<Overridden>)>,
    /// The same of its timer.
    pub overridden_timer: Vec<(Text, Vec<Overridden>)>,
    /// How long systemd waits before it starts it again, in its words.
    pub pace: String,
    /// For how many seconds it has been running.
    pub up_for: Option<u64>,
}

/// What has become of the unit of a package that an adopted service overrides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinceAdopted {
    /// It is not there any more.
    Gone {
        /// Where it was.
        path: Text,
    },
    /// It has changed.
    Changed {
        /// Where it is.
        path: Text,
        /// Where it is kept as it was.
        kept: Text,
    },
}

/// So often a service is started again before that is said of one which runs.
const OFTEN: u64 = 3;
/// For so many seconds such a service has been running at most.
const BRIEFLY: u64 = 120;

impl Installed {
    /// Whether it was removed: nothing is left of it but what `reinstall` needs.
    pub fn is_removed(&self) -> bool {
        !self.has_unit && self.other.is_none() && !self.has_more
    }

    /// Everything that is wrong, the graver first.
    pub fn findings(&self) -> Vec<Finding> {
        let service = &self.known.service;
        if !self.has_unit && self.other.is_none() {
            return vec![Finding::new(
                Kind::Receipt,
                format!("`{service}` has a receipt and no unit, and `ManageService` did not remove it"),
                "somebody has removed its unit: there is nothing to start",
                format!(
                    "`ManageService {service} reinstall` brings it back, `ManageService {service} remove \
                     --remove_install_args` forgets it"
                ),
            )];
        }
        let mut findings: Vec<Finding> = self.of_other_unit().into_iter().collect();
        findings.extend(self.of_original());
        findings.extend(self.of_files());
        findings.extend(self.of_program());
        if matches!(self.status.state, State::Failed | State::Restarting) {
            for cause in self.known.causes(&self.status) {
                if !findings.iter().any(|known| known.kind == cause.kind) {
                    findings.push(cause);
                }
            }
            let has_done_its_work = self.status.result.as_deref() == Some("success");
            if findings.is_empty() && !has_done_its_work {
                findings.push(Finding::new(
                    Kind::Failed,
                    format!("it has failed: {}", start::ended(&self.status)),
                    "what it said before that tells why",
                    format!("`ManageService {service} logs -n 50`"),
                ));
            }
        }
        // What puts itself into the background is started again and again.
        if !findings.iter().any(|known| matches!(known.kind, Kind::Background | Kind::Input)) {
            findings.extend(self.of_restarts());
        }
        findings.extend(self.of_boot());
        findings.extend(self.of_drop_ins());
        if self.needs_reload {
            findings.push(Finding::new(
                Kind::UnreadUnit,
                "systemd has read another version of its unit than the one that is there",
                "the next start runs what systemd has read",
                format!("`{} daemon-reload`", self.systemctl()),
            ));
        }
        if !self.has_receipt {
            findings.push(super::no_receipt());
        }
        findings
    }

    fn systemctl(&self) -> &'static str {
        if self.known.user { "systemctl --user" } else { "sudo systemctl" }
    }

    fn of_other_unit(&self) -> Option<Finding> {
        let service = &self.known.service;
        let masked = |path: &Text, words: &str| {
            Finding::new(
                Kind::Masked,
                format!("it is masked: `{path}` leads to `/dev/null`"),
                "nothing can be started by that name, not even at boot",
                format!("`{} unmask {words}{service}.service`", self.systemctl()),
            )
        };
        let other = |path: &Text, why: &str| {
            Finding::new(
                Kind::OtherUnit,
                format!("`{path}` is another unit of that name"),
                why,
                format!("`systemctl cat {service}` shows it; move it away, or install yours with another name"),
            )
        };
        let in_place = |path: &Text, reason: &str| {
            Finding::new(
                Kind::OtherUnit,
                format!("`{path}`: {reason}"),
                "what InstallService wrote is not there any more",
                format!("`systemctl cat {service}` shows what is; `ManageService {service} diff` compares"),
            )
        };
        Some(match self.other.as_ref()? {
            OtherUnit::Mask(path) => masked(path, ""),
            OtherUnit::Beside { path, is_mask: true, .. } => masked(path, "--runtime "),
            OtherUnit::InPlace { path, reason, .. } => in_place(path, reason),
            OtherUnit::Link { path, target } => in_place(path, &format!("it is a link to `{target}`")),
            OtherUnit::Beside { path, counts: true, .. } => {
                other(path, "it counts, and the unit that InstallService wrote has no effect")
            }
            OtherUnit::Beside { path, .. } => {
                other(path, "it has no effect now, and counts as soon as ours is removed")
            }
        })
    }

    fn of_original(&self) -> Option<Finding> {
        let service = &self.known.service;
        Some(match self.original.as_ref()? {
            SinceAdopted::Gone { path } if path.as_bytes().ends_with(b".timer") => Finding::new(
                Kind::Original,
                format!("`{path}` is gone, which its timer overrides since it was adopted"),
                "its package has no timer for it any more, and ours goes on starting it",
                format!("`ManageService {service} release` gives back the service, which nothing starts then"),
            ),
            SinceAdopted::Gone { path } => Finding::new(
                Kind::Original,
                format!("`{path}` is gone, which it overrides since it was adopted"),
                "its package was removed, so there is nothing to give back, and what it runs may be gone, too",
                format!("`ManageService {service} remove` removes it"),
            ),
            SinceAdopted::Changed { path, kept } => Finding::new(
                Kind::Original,
                format!("`{path}` has changed since it was adopted"),
                "its package has brought another version, which has no effect",
                format!(
                    "`{}` compares them; the same `InstallService` command with `--adopt` notes that you have seen it",
                    Platform::Unix.typed(&["diff".into(), kept.clone(), path.clone()])
                ),
            ),
        })
    }

    fn of_files(&self) -> Vec<Finding> {
        let service = &self.known.service;
        let ours = self.missing.iter().map(|path| {
            Finding::new(
                Kind::MissingFile,
                format!("`{path}` is gone, which its unit needs"),
                "the service does not start without it, or leaves no error log",
                format!("`ManageService {service} reinstall` writes it again"),
            )
        });
        let secrets = self.secrets.iter().map(|path| {
            Finding::new(
                Kind::Secrets,
                format!("the file of variables `{path}` is gone"),
                "systemd does not start a service without it",
                format!("`ManageService {service} reinstall` asks for the values of its secrets and writes it again"),
            )
        });
        ours.chain(secrets).collect()
    }

    fn of_program(&self) -> Vec<Finding> {
        let service = &self.known.service;
        let mut findings = self.known.program.as_ref().map(|file| file.faults(self.known.runs())).unwrap_or_default();
        findings.extend(self.known.in_directory());
        let is_closed = findings.iter().any(|finding| finding.kind == Kind::Closed);
        let program = self.known.program.as_ref().filter(|file| file.lies == Lies::File);
        if let (Some(file), Some(account), false) = (program, &self.known.account, is_closed)
            && file.unreadable
        {
            let path = &file.path;
            findings.push(Finding::new(
                Kind::Closed,
                format!("the account `{account}` may not read `{path}`"),
                "an interpreter reads its script as the account of the service",
                format!(
                    "{}, or {}",
                    typed("sudo chmod o+r", path),
                    typed(&format!("sudo setfacl -m {}", word(&format!("u:{account}:r").into())), path)
                ),
            ));
        }
        for (path, owner) in self.in_homes.iter().filter(|_| !is_closed) {
            findings.push(Finding::new(
                Kind::HomeOfAnother,
                format!("`{path}` is below the home directory of `{owner}`, and it runs as another account"),
                format!(
                    "`{owner}` can close it or change it at any time, and an encrypted home is there only after a login"
                ),
                format!("move it to /opt or /srv, and install `{service}` again from there"),
            ));
        }
        findings
    }

    fn of_restarts(&self) -> Option<Finding> {
        let service = &self.known.service;
        let count = self.status.restarts?;
        let repeats = match self.status.state {
            State::Restarting => count >= 1 && self.status.last.is_brief(BRIEFLY),
            State::Running | State::Starting => count >= OFTEN && self.up_for.is_some_and(|seconds| seconds < BRIEFLY),
            State::Stopping
            | State::Stopped
            | State::Waiting
            | State::Failed
            | State::NotInstalled
            | State::Template => false,
        };
        repeats.then(|| {
            Finding::new(
                Kind::Repeats,
                format!("it ends and is started again: {count} times so far, {} after each end", self.pace),
                "it runs only briefly each time",
                format!("`ManageService {service} logs -n 50` shows what it says before it ends"),
            )
        })
    }

    fn of_boot(&self) -> Vec<Finding> {
        let service = &self.known.service;
        let mut findings = Vec::new();
        if self.other.as_ref().is_some_and(|other| matches!(other, OtherUnit::Mask(_))) || !self.can_be_enabled {
            return findings;
        }
        let enabled = if self.has_timer { format!("{service}.timer") } else { service.clone() };
        let enable = format!("`{} reenable {enabled}` makes the links again", self.systemctl());
        if !self.at_boot {
            if self.status.enabled == Some(true) {
                findings.push(Finding::new(
                    Kind::NotEnabled,
                    "it is enabled, and its receipt says that it is not to be started at boot",
                    if self.known.user { "it starts with your session" } else { "it starts at boot" },
                    format!("`ManageService {service} disable`, or `ManageService {service} enable` if that is meant"),
                ));
            }
        } else if self.status.enabled == Some(false) {
            findings.push(Finding::new(
                Kind::NotEnabled,
                "it is not enabled",
                if self.known.user { "it does not start with your session" } else { "it does not start at boot" },
                match self.has_receipt {
                    true => format!("`ManageService {service} enable`"),
                    false => format!("`{} enable {enabled}`", self.systemctl()),
                },
            ));
        } else {
            findings.extend(self.links_missing.iter().map(|path| {
                let why = "what it belongs to starts without it";
                Finding::new(Kind::Links, format!("the link `{path}` is not there"), why, &enable)
            }));
        }
        findings.extend(self.links_stale.iter().map(|(path, target)| {
            let why = "systemd starts what a link leads to, and not the unit that InstallService wrote";
            Finding::new(Kind::Links, format!("the link `{path}` leads to `{target}`"), why, &enable)
        }));
        if let Some(user) = &self.logs_out {
            findings.push(Finding::new(
                Kind::Lingering,
                format!("lingering is off for `{user}`"),
                "the service stops when you log out, and does not start at boot",
                typed("loginctl enable-linger", &user.as_str().into()),
            ));
        }
        findings
    }

    fn of_drop_ins(&self) -> Vec<Finding> {
        let service = &self.known.service;
        let said = |Overridden { directive, ours, theirs, .. }: &Overridden| {
            format!("`{directive}={}` for `{}`", theirs.join(" "), ours.join(" "))
        };
        let finding = |(path, all): &(Text, Vec<Overridden>), what: &str, unit: &str| {
            let said: Vec<String> = all.iter().map(said).collect();
            Finding::new(
                Kind::Overridden,
                format!("the drop-in `{path}` overrides its {what}: {}", said.join(", ")),
                "what InstallService wrote has no effect there, and neither has what a later install says of it",
                format!("`{} edit {unit}` changes it, `{0} revert {unit}` removes it", self.systemctl()),
            )
        };
        let of_unit = self.overridden.iter().map(|one| finding(one, "unit", service.as_str()));
        let of_timer = self.overridden_timer.iter().map(|one| finding(one, "timer", &format!("{service}.timer")));
        of_unit.chain(of_timer).collect()
    }
}

/// What surrounds the services of a host.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Services that are started behind `network-online.target`, for which nobody waits.
    pub unwaited: Vec<String>,
    /// The unit that would wait for the network, where that is known.
    pub waiter: Option<&'static str>,
    /// Whether what services say outlasts a restart of the machine.
    pub journal_is_kept: bool,
    /// Whoever asks, if they may not read the journal.
    pub shut_out: Option<String>,
    /// Whether an earlier run of ours was interrupted, or another one is in progress.
    pub unfinished: bool,
}

impl Surroundings {
    /// Everything that is wrong around services.
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.unfinished {
            findings.push(super::unfinished());
        }
        if !self.unwaited.is_empty() {
            findings.push(Finding::new(
                Kind::Network,
                format!(
                    "nothing on this host delays `network-online.target`, behind which `{}` is started, until the network \
                     is up",
                    self.unwaited.join("`, `")
                ),
                "the service may be started before there is a network, and fail or work without it",
                self.waiter.map_or_else(
                    || "`systemctl list-unit-files '*wait-online*'` shows what can wait; `sudo systemctl enable` it".to_owned(),
                    |waiter| format!("`sudo systemctl enable {waiter}`"),
                ),
            ));
        }
        if !self.journal_is_kept {
            findings.push(Finding::new(
                Kind::JournalVolatile,
                "the journal is kept in memory only",
                "what a service said before the machine went down is lost",
                "`sudo mkdir -p /var/log/journal && sudo systemctl restart systemd-journald` keeps it on the disk",
            ));
        }
        if let Some(user) = &self.shut_out {
            findings.push(Finding::new(
                Kind::JournalClosed,
                format!("`{user}` may not read what services write to the journal"),
                "`logs` and `status` show it to root only",
                format!(
                    "{}, from the next login on",
                    typed("sudo usermod --append --groups systemd-journal", &user.as_str().into())
                ),
            ));
        }
        findings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::status::LastRun;

    /// A service with which nothing is wrong.
    fn fine() -> Installed {
        Installed {
            known: Known { service: "web".into(), ..Known::default() },
            status: ServiceStatus { state: State::Running, enabled: Some(true), ..ServiceStatus::not_installed() },
            has_unit: true,
            has_receipt: true,
            at_boot: true,
            has_more: true,
            missing: Vec::new(),
            secrets: Vec::new(),
            other: None,
            original: None,
            links_missing: Vec::new(),
            links_stale: Vec::new(),
            can_be_enabled: true,
            has_timer: false,
            needs_reload: false,
            logs_out: None,
            in_homes: Vec::new(),
            overridden: Vec::new(),
            overridden_timer: Vec::new(),
            pace: "10s".into(),
            up_for: Some(10_000),
        }
    }

    /// The one finding.
    #[track_caller]
    fn finds(installed: &Installed, kind: Kind, cure: &str) {
        let findings = installed.findings();
        let [only] = findings.as_slice() else { panic!("{findings:#?}") };
        assert_eq!(only.kind, kind, "{only:?}");
        assert!(only.cure.contains(cure), "{only:?}");
    }

    fn status(state: State, restarts: u64) -> ServiceStatus {
        ServiceStatus { state, restarts: Some(restarts), ..fine().status }
    }

    #[test]
    fn nothing_is_found_of_a_service_that_is_fine() {
        assert_eq!(fine().findings(), []);
        let kept = Surroundings { journal_is_kept: true, ..Surroundings::default() };
        assert_eq!(kept.findings(), []);
    }

    #[test]
    fn what_is_gone_is_found() {
        let without_unit = Installed { has_unit: false, ..fine() };
        finds(&without_unit, Kind::Receipt, "--remove_install_args");
        assert!(!without_unit.is_removed());
        assert!(Installed { has_more: false, ..without_unit }.is_removed());
        assert!(!Installed { has_more: false, ..fine() }.is_removed());
        finds(&Installed { has_receipt: false, ..fine() }, Kind::Receipt, "`InstallService` command again");
        finds(&Installed { missing: vec!["/s/x.sh".into()], ..fine() }, Kind::MissingFile, "reinstall");
        finds(&Installed { secrets: vec!["/s/x.txt".into()], ..fine() }, Kind::Secrets, "reinstall");
    }

    #[test]
    fn other_units_of_the_name_are_found() {
        let other = |other| Installed { other: Some(other), ..fine() };
        let beside = |is_mask, counts| {
            other(OtherUnit::Beside { path: "/run/web.service".into(), is_mask, counts, is_script: false })
        };
        finds(&other(OtherUnit::Mask("/etc/web.service".into())), Kind::Masked, "`sudo systemctl unmask web.service`");
        finds(&beside(true, false), Kind::Masked, "unmask --runtime web.service");
        finds(&beside(false, true), Kind::OtherUnit, "another name");
        finds(&beside(false, false), Kind::OtherUnit, "another name");
        // The place of the unit is taken by it: it has one, whatever there is.
        let path = Text::from("/etc/web.service");
        let in_place = OtherUnit::InPlace { path: path.clone(), reason: "it is theirs".into(), is_unit: true };
        let link = OtherUnit::Link { path, target: "theirs.service".into() };
        for in_its_place in [in_place, link] {
            finds(&Installed { has_unit: false, ..other(in_its_place) }, Kind::OtherUnit, "diff");
        }
    }

    #[test]
    fn what_has_become_of_an_original_is_found() {
        let since = |original| Installed { original: Some(original), ..fine() };
        let path = Text::from("/lib/web.service");
        finds(&since(SinceAdopted::Gone { path: path.clone() }), Kind::Original, "`ManageService web remove`");
        let timer = SinceAdopted::Gone { path: "/lib/web.timer".into() };
        finds(&since(timer), Kind::Original, "`ManageService web release` gives back the service");
        let changed = SinceAdopted::Changed { path, kept: "/s/a b.service".into() };
        finds(&since(changed), Kind::Original, "`diff '/s/a b.service' /lib/web.service`");
    }

    #[test]
    fn what_keeps_it_from_starting_at_boot_is_found() {
        let disabled = ServiceStatus { enabled: Some(false), ..fine().status };
        let links_missing = vec!["/etc/multi-user.target.wants/web.service".into()];
        let off = Installed { status: disabled, links_missing: links_missing.clone(), ..fine() };
        finds(&off, Kind::NotEnabled, "`ManageService web enable`");
        // That is how it was asked for.
        assert_eq!(Installed { at_boot: false, ..off.clone() }.findings(), []);
        finds(&Installed { at_boot: false, ..fine() }, Kind::NotEnabled, "`ManageService web disable`");
        assert_eq!(Installed { can_be_enabled: false, ..off }.findings(), []);
        finds(&Installed { links_missing, ..fine() }, Kind::Links, "`sudo systemctl reenable web`");
        let links_stale = vec![("/etc/x.wants/web.service".into(), "/opt/web.service".into())];
        finds(&Installed { links_stale, ..fine() }, Kind::Links, "reenable");
        let user = Installed { logs_out: Some("ann".into()), ..fine() };
        finds(&user, Kind::Lingering, "`loginctl enable-linger ann`");
        finds(&Installed { needs_reload: true, ..fine() }, Kind::UnreadUnit, "`sudo systemctl daemon-reload`");
    }

    #[test]
    fn a_service_that_never_lasts_is_found() {
        let pace = "`ManageService web logs -n 50`";
        let kinds: Vec<Kind> = Installed { status: status(State::Restarting, 1), ..fine() }
            .findings()
            .into_iter()
            .map(|finding| finding.kind)
            .collect();
        assert_eq!(kinds, [Kind::Failed, Kind::Repeats]);
        finds(&Installed { status: status(State::Running, 3), up_for: Some(5), ..fine() }, Kind::Repeats, pace);
        assert_eq!(Installed { status: status(State::Running, 3), ..fine() }.findings(), []);
        assert_eq!(Installed { status: status(State::Running, 0), up_for: Some(5), ..fine() }.findings(), []);
        // It has done its work for weeks, or puts itself into the background: one finding at most.
        let ended = |seconds| ServiceStatus {
            result: Some("success".into()),
            last: LastRun { signal: false, seconds: Some(seconds) },
            ..status(State::Restarting, 1)
        };
        assert_eq!(Installed { status: ended(60 * 60 * 24 * 21), ..fine() }.findings(), []);
        finds(&Installed { status: ended(1), ..fine() }, Kind::Background, "--help");
    }

    #[test]
    fn a_failure_that_nothing_explains_is_found_all_the_same() {
        let failed =
            ServiceStatus { result: Some("exit-code".into()), exit_status: Some(3), ..status(State::Failed, 0) };
        finds(&Installed { status: failed, ..fine() }, Kind::Failed, "logs -n 50");
    }

    #[test]
    fn a_drop_in_that_overrides_is_found_with_both_lines() {
        let overridden = Overridden {
            section: "Service".into(),
            directive: "Restart".into(),
            ours: vec!["always".into()],
            theirs: vec!["no".into()],
        };
        let with = Installed { overridden: vec![("/u/web.service.d/a.conf".into(), vec![overridden])], ..fine() };
        finds(&with, Kind::Overridden, "`sudo systemctl revert web` removes it");
        assert!(with.findings()[0].what.ends_with("`Restart=no` for `always`"));
    }

    #[test]
    fn the_home_of_somebody_else_is_found() {
        let in_homes = vec![("/home/joe/x".into(), "joe".into())];
        finds(&Installed { in_homes, ..fine() }, Kind::HomeOfAnother, "/opt or /srv");
    }

    #[test]
    fn what_surrounds_services_is_found() {
        let of = |surroundings: Surroundings| {
            surroundings.findings().into_iter().map(|finding| (finding.kind, finding.cure)).collect::<Vec<_>>()
        };
        let kept = Surroundings { journal_is_kept: true, ..Surroundings::default() };
        assert_eq!(of(Surroundings::default())[0].0, Kind::JournalVolatile);
        let found = of(Surroundings { shut_out: Some("ann".into()), ..kept.clone() });
        assert_eq!(
            found,
            [(
                Kind::JournalClosed,
                "`sudo usermod --append --groups systemd-journal ann`, from the next login on".into()
            )]
        );
        let found = of(Surroundings {
            unwaited: vec!["web".into()],
            waiter: Some("NetworkManager-wait-online.service"),
            ..kept.clone()
        });
        assert_eq!(found, [(Kind::Network, "`sudo systemctl enable NetworkManager-wait-online.service`".into())]);
        assert_eq!(of(Surroundings { unfinished: true, ..kept })[0].0, Kind::Unfinished);
    }
}
