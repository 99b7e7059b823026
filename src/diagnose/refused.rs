//! What the hardening of a unit refuses to a program, and the line of the unit that does it.

use super::{Finding, Kind};
use crate::model::privileges::BRING_NO_NEW_PRIVILEGES;
use crate::model::text::Text;

/// One line of a unit, or of a drop-in of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The file.
    pub path: Text,
    /// Whether the administrator wrote the file, and not we.
    pub drop_in: bool,
    /// Whether the `systemd` table of the service says it, and not its hardening profile.
    pub in_table: bool,
    /// What stands in front of the `=`.
    pub name: String,
    /// What stands behind it.
    pub value: String,
}

/// The lines of the section `[Service]` of a unit, given with its drop-ins in the order in which systemd reads them.
pub fn lines<'a>(files: impl IntoIterator<Item = (&'a Text, bool, &'a str)>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (path, drop_in, text) in files {
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                section = line;
            } else if section == "[Service]"
                && !line.starts_with(['#', ';'])
                && let Some((name, value)) = line.split_once('=')
            {
                let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
                lines.push(Line { path: path.clone(), drop_in, in_table: false, name, value });
            }
        }
    }
    lines
}

/// The last line of this name, which is the one that counts where a directive has one value.
pub fn last<'a>(lines: &'a [Line], name: &str) -> Option<&'a Line> {
    lines.iter().rev().find(|line| line.name == name)
}

impl Line {
    /// Whether it takes anything away.
    fn is_on(&self) -> bool {
        !matches!(self.value.to_ascii_lowercase().as_str(), "no" | "false" | "off" | "0")
            && (!self.value.is_empty() || self.name == "CapabilityBoundingSet")
    }
}

/// What a program says that is refused something: what it wanted, the lines of a unit that refuse it, words of the
/// program, in lower case, and the error that it has to be. The first that fits counts.
struct Refusal {
    wanted: &'static str,
    by: &'static [&'static str],
    said: &'static [&'static str],
    error: &'static str,
}

/// What a file system says that is read-only; a mode or an access list says something else.
const READ_ONLY: &str = "read-only file system";

const GAINS: &str = "to gain privileges (sudo, su, a setuid or setgid program, file capabilities)";

const REFUSALS: [Refusal; 17] = [
    Refusal {
        wanted: GAINS,
        by: &["NoNewPrivileges"],
        said: &[
            "effective uid is not 0",
            "no new privileges",
            "must be setuid root",
            "must be suid",
            "is not setuid",
            "unable to look up public/pickup",
            "mail_queue_enter: create file maildrop",
            "cannot set user id",
            "unable to change to root gid",
            "seteuid:",
            "setuid: operation not permitted",
            "missing cap_net_raw",
            "socket: operation not permitted",
            "icmp open socket: operation not permitted",
        ],
        error: "",
    },
    // Where programs that belong to a group keep what is handed over: mail, jobs of cron and at.
    Refusal {
        wanted: GAINS,
        by: &["NoNewPrivileges"],
        said: &["/var/spool/", "/etc/dma/"],
        error: "permission denied",
    },
    Refusal {
        wanted: "to make a namespace (a sandbox or a container)",
        by: &["RestrictNamespaces", "NoNewPrivileges", "PrivateDevices"],
        said: &[
            "cannot set user namespace",
            "unshare failed",
            "unshare: ",
            "no permissions to create new namespace",
            "creating new namespace failed",
            "cannot clone",
            "no usable sandbox",
            "newuidmap",
            "setns: operation not permitted",
            "failed to move to new namespace",
        ],
        error: "",
    },
    Refusal {
        wanted: "to set the setuid or setgid bit of a file",
        by: &["RestrictSUIDSGID"],
        said: &[
            "changing permissions of",
            "cannot change permissions",
            "cannot change mode to",
            "set permissions on",
            "unable to chmod",
        ],
        error: "",
    },
    Refusal {
        wanted: "to be scheduled in real time",
        by: &["RestrictRealtime"],
        said: &["sched_setscheduler", "failed to set pid", "sched_fifo", "sched_rr", "real-time priority"],
        error: "",
    },
    Refusal {
        wanted: "to change the name of the host",
        by: &["ProtectHostname"],
        said: &["sethostname", "hostname: you must be root", "set hostname"],
        error: "",
    },
    Refusal {
        wanted: "to set the clock",
        by: &["ProtectClock"],
        said: &["cannot set date", "settimeofday", "adjtimex", "clock_settime", "hwclock"],
        error: "",
    },
    Refusal {
        wanted: "to change the execution domain (personality(2))",
        by: &["LockPersonality"],
        said: &["personality"],
        error: "",
    },
    Refusal {
        wanted: "to load a kernel module",
        by: &["ProtectKernelModules"],
        said: &["could not insert", "modprobe:", "insmod:"],
        error: "",
    },
    Refusal {
        wanted: "to read the kernel's log",
        by: &["ProtectKernelLogs"],
        said: &["read kernel buffer failed", "/dev/kmsg"],
        error: "",
    },
    Refusal {
        wanted: "to change control groups",
        by: &["ProtectControlGroups"],
        said: &["/sys/fs/cgroup"],
        error: READ_ONLY,
    },
    Refusal {
        wanted: "to change settings of the kernel",
        by: &["ProtectKernelTunables"],
        said: &["/proc/sys", "/sys/", "sysctl:"],
        error: READ_ONLY,
    },
    Refusal { wanted: "to open a device", by: &["PrivateDevices"], said: &["/dev/"], error: "no such file" },
    // A list of devices that may be opened, which `ProtectClock=` makes, too.
    Refusal {
        wanted: "to open a device",
        by: &["DevicePolicy", "DeviceAllow", "PrivateDevices", "ProtectClock"],
        said: &["/dev/"],
        error: "operation not permitted",
    },
    Refusal {
        wanted: "to use a family of network addresses",
        by: &["RestrictAddressFamilies"],
        said: &["address family not supported"],
        error: "",
    },
    Refusal {
        wanted: "to write to the system",
        by: &["ProtectSystem", "ProtectHome", "ReadOnlyPaths"],
        said: &[READ_ONLY],
        error: "",
    },
    Refusal {
        wanted: "to do what only root may",
        by: &[
            "CapabilityBoundingSet",
            "SystemCallFilter",
            "NoNewPrivileges",
            "RestrictNamespaces",
            "RestrictSUIDSGID",
            "ProtectKernelTunables",
        ],
        said: &["operation not permitted", "[errno 1]", "eperm"],
        error: "",
    },
];

/// What counts as a refusal: without one of these a line only has the same words.
const DENIED: [&str; 11] = [
    "operation not permitted",
    "permission denied",
    "read-only file system",
    "not permitted",
    "not supported",
    "no such file",
    "effective uid is not 0",
    "no new privileges",
    "setuid",
    "eperm",
    "no usable sandbox",
];

/// What the hardening has refused to the program, by what it said.
pub fn by_its_words(service: &str, said: &str, hardening: &[Line], has_account: bool) -> Option<Finding> {
    said.lines().rev().find_map(|line| {
        let text = line.to_lowercase();
        if !DENIED.iter().any(|word| text.contains(word))
            && !text.contains("no permissions")
            && !text.contains("pickup")
        {
            return None;
        }
        let fits =
            |refusal: &&Refusal| text.contains(refusal.error) && refusal.said.iter().any(|words| text.contains(words));
        let refusals = REFUSALS.iter().filter(fits);
        refusals.into_iter().find_map(|refusal| {
            let culprit = culprit(refusal.by, hardening, has_account)?;
            Some(finding(
                service,
                format!("the program wanted {}, which the hardening of the unit refuses", refusal.wanted),
                culprit,
            ))
        })
    })
}

/// What a filter of system calls has ended the program for (seccomp(2): SIGSYS).
pub fn by_filter(service: &str, is_narrow: Option<bool>, hardening: &[Line]) -> Finding {
    let of = |name: &str| last(hardening, name).filter(|line| line.is_on());
    let architectures = of("SystemCallArchitectures");
    let filter = of("SystemCallFilter");
    let (what, culprit) = match (is_narrow, architectures, filter) {
        (Some(true), Some(line), _) => {
            ("the program is a 32-bit one, and the unit lets it make no 32-bit system call", line)
        }
        (Some(false), _, Some(line)) | (_, None, Some(line)) => {
            ("the program made a system call that the unit does not allow", line)
        }
        (_, Some(line), _) => (
            "the program, or one that it started, made a system call of another kind of processor, as 32-bit programs do, \
             and the unit does not allow that",
            line,
        ),
        (_, None, None) => {
            return Finding::new(
                Kind::Hardening,
                "the program made a system call that a filter does not allow",
                "the kernel ends it at once (SIGSYS), without a word in its log; the filter is not one of the unit, so it \
                 is the program's own or that of a container",
                format!("`sudo journalctl -k --grep SECCOMP` and `coredumpctl info {service}.service` name the call"),
            );
        }
    };
    finding(service, what.into(), culprit)
}

/// The line that does it: a drop-in's, or the first that is on.
fn culprit<'a>(by: &[&str], hardening: &'a [Line], has_account: bool) -> Option<&'a Line> {
    let of = |name: &str| last(hardening, name).filter(|line| line.is_on());
    let implied = || BRING_NO_NEW_PRIVILEGES.iter().find_map(|name| of(name)).filter(|_| has_account);
    by.iter().find_map(|name| of(name).or_else(|| if *name == "NoNewPrivileges" { implied() } else { None }))
}

fn finding(service: &str, what: String, line: &Line) -> Finding {
    let written = shortened(&format!("{}={}", line.name, line.value));
    let (why, cure) = match (line.drop_in, line.in_table) {
        (true, _) => (
            format!("that is the line `{written}` of `{}`", line.path),
            format!(
                "take the line out of `{}`: `systemctl revert {service}` removes all drop-ins, then `ManageService {service} \
                 restart`",
                line.path
            ),
        ),
        (false, true) => (
            format!("that is the line `{written}` of its `systemd` table, in `{}`", line.path),
            format!(
                "remove the key `{}` of the `systemd` table (or omit `--property {0}=...`), and install `{service}` again",
                line.name
            ),
        ),
        (false, false) => (
            format!("that is the line `{written}` of the hardening profile, in `{}`", line.path),
            format!("install `{service}` again with `--hardening none`"),
        ),
    };
    Finding::new(Kind::Hardening, what, why, cure)
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 60 { text.to_owned() } else { text.chars().take(57).chain("...".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASELINE: &str = "[Unit]\nDescription=x\n[Service]\nExecStart=/x\nNoNewPrivileges=yes\nProtectKernelTunables=yes\n\
                            RestrictRealtime=yes\nRestrictSUIDSGID=yes\nRestrictNamespaces=yes\nLockPersonality=yes\n\
                            ProtectHostname=yes\nSystemCallArchitectures=native\n[Install]\nWantedBy=x\n";

    fn profile(text: &str) -> Vec<Line> {
        lines([(&"/etc/systemd/system/web.service".into(), false, text)])
    }

    #[track_caller]
    fn blamed(said: &str, hardening: &[Line], line: &str) -> Finding {
        let found = by_its_words("web", said, hardening, true).unwrap_or_else(|| panic!("nothing for {said}"));
        assert!(found.why.contains(&format!("`{line}`")), "{said}: {found:?}");
        found
    }

    #[test]
    fn the_line_of_the_profile_is_named_for_what_a_program_says() {
        let baseline = profile(BASELINE);
        for (said, line) in [
            ("sudo: effective uid is not 0, is sudo installed setuid root?", "NoNewPrivileges=yes"),
            (
                "sudo: The \"no new privileges\" flag is set, which prevents sudo from running as root.",
                "NoNewPrivileges=yes",
            ),
            ("ping: socket: Operation not permitted", "NoNewPrivileges=yes"),
            ("postdrop: warning: unable to look up public/pickup: No such file or directory", "NoNewPrivileges=yes"),
            ("bwrap: No permissions to create new namespace, likely because ...", "RestrictNamespaces=yes"),
            ("unshare: unshare failed: Operation not permitted", "RestrictNamespaces=yes"),
            ("Error: cannot set user namespace: Operation not permitted", "RestrictNamespaces=yes"),
            ("[12:0] FATAL: No usable sandbox! Update your kernel", "RestrictNamespaces=yes"),
            ("chmod: changing permissions of 'd': Operation not permitted", "RestrictSUIDSGID=yes"),
            ("tar: d: Cannot change mode to rwxrwsr-x: Operation not permitted", "RestrictSUIDSGID=yes"),
            ("chrt: failed to set pid 0's policy: Operation not permitted", "RestrictRealtime=yes"),
            ("hostname: you must be root to change the host name: Operation not permitted", "ProtectHostname=yes"),
            ("setarch: failed to set personality to x86_64: Operation not permitted", "LockPersonality=yes"),
            ("sh: 1: cannot create /proc/sys/net/ipv4/ip_forward: Read-only file system", "ProtectKernelTunables=yes"),
            ("PermissionError: [Errno 1] Operation not permitted: 'x'", "NoNewPrivileges=yes"),
        ] {
            let found = blamed(said, &baseline, line);
            assert_eq!(found.cure, "install `web` again with `--hardening none`");
        }
    }

    #[test]
    fn a_unit_without_hardening_is_not_blamed() {
        let plain = profile("[Service]\nExecStart=/x\nNoNewPrivileges=no\nRestrictNamespaces=false\n");
        for said in ["sudo: effective uid is not 0", "unshare: unshare failed: Operation not permitted"] {
            assert_eq!(by_its_words("web", said, &plain, true), None, "{said}");
        }
        // And nothing is refused where nothing of the kind is said.
        for said in ["listening on /dev/ttyUSB0", "sysctl: done", "all is well", "nginx: worker process started"] {
            assert_eq!(by_its_words("web", said, &profile(BASELINE), true), None, "{said}");
        }
    }

    #[test]
    fn another_line_implies_it_for_an_account() {
        let text = "[Service]\nNoNewPrivileges=no\nRestrictRealtime=yes\n";
        blamed("sudo: effective uid is not 0", &profile(text), "RestrictRealtime=yes");
        assert_eq!(by_its_words("web", "sudo: effective uid is not 0", &profile(text), false), None);
    }

    #[test]
    fn a_drop_in_counts_after_the_unit_and_is_named() {
        let (unit, drop_in) = ("/u/web.service".into(), "/u/web.service.d/a.conf".into());
        let off = lines([(&unit, false, BASELINE), (&drop_in, true, "[Service]\nRestrictSUIDSGID=no\n")]);
        let said = "chmod: changing permissions of 'd': Operation not permitted";
        blamed(said, &off, "NoNewPrivileges=yes");
        let on = lines([(&unit, false, "[Service]\n"), (&drop_in, true, "[Service]\nRestrictSUIDSGID=yes\n")]);
        let found = blamed(said, &on, "RestrictSUIDSGID=yes");
        assert!(found.cure.starts_with("take the line out of `/u/web.service.d/a.conf`"), "{found:?}");
    }

    #[test]
    fn a_line_of_the_table_is_told_from_one_of_the_profile() {
        let mut own = profile("[Service]\nProtectSystem=strict\n");
        own.iter_mut().for_each(|line| line.in_table = true);
        let found = blamed("touch: cannot touch '/etc/x': Read-only file system", &own, "ProtectSystem=strict");
        assert!(!found.why.contains("profile"), "{found:?}");
        assert!(found.cure.starts_with("remove the key `ProtectSystem` of the `systemd` table"), "{found:?}");
    }

    #[test]
    fn a_filter_of_system_calls_is_named() {
        let baseline = profile(BASELINE);
        for is_narrow in [Some(true), None] {
            let found = by_filter("web", is_narrow, &baseline);
            assert!(found.why.contains("`SystemCallArchitectures=native` of the hardening profile"), "{found:?}");
            assert!(found.what.contains("32-bit"), "{found:?}");
        }
        let filter = profile("[Service]\nSystemCallFilter=@system-service\nSystemCallArchitectures=native\n");
        let found = by_filter("web", Some(false), &filter);
        assert!(found.why.contains("`SystemCallFilter=@system-service`"), "{found:?}");
        let found = by_filter("web", Some(false), &[]);
        assert!(!found.cure.contains("--hardening"), "{found:?}");
    }
}
