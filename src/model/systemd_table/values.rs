//! The grammars of directives, as the parsers of systemd have them (`src/core/load-fragment.c`, `src/basic/parse-util.c`).
//!
//! Each gives the version that the value needs (0 for one that was always there), or the rule that it breaks. What `%`
//! stands for is known on the host alone, so a word with one is taken as it is.

use super::Words;
use crate::model::calendar::Calendar;
use crate::model::span::Span;

/// What a value needs, or the rule that it breaks.
pub(super) type Checked = Result<u32, String>;

/// A word of systemd's that stands in a list.
fn all_of(value: &str, rule: &str, fits: impl Fn(&str) -> bool) -> Checked {
    match value.split_whitespace().find(|word| !word.contains('%') && !fits(word)) {
        None => Ok(0),
        Some(odd) => Err(format!("`{}` must be {rule}", odd.escape_debug())),
    }
}

fn one(value: &str, rule: &str, fits: bool) -> Checked {
    if fits { Ok(0) } else { Err(format!("`{}` must be {rule}", value.escape_debug())) }
}

/// `config_parse_timer` in `src/core/load-fragment.c`; an empty one forgets those before it.
pub(super) fn calendar(value: &str) -> Checked {
    match value.parse::<Calendar>() {
        _ if value.is_empty() || value.contains('%') => Ok(0),
        Ok(_) => Ok(0),
        Err(rule) => Err(format!("`{}` {rule}", value.escape_debug())),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `parse_size`: numbers, each with a unit of 1024 at most once.
fn is_size(text: &str) -> bool {
    let mut rest = text.trim();
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let number = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
        let (digits, behind) = rest.split_at(number);
        if digits.is_empty() || digits.starts_with('.') || digits.parse::<f64>().is_err() {
            return false;
        }
        let behind = behind.trim_start();
        rest = behind.strip_prefix(['K', 'M', 'G', 'T', 'P', 'E', 'B']).unwrap_or(behind).trim_start();
        if rest.len() == behind.len() && !rest.is_empty() {
            return false;
        }
    }
    true
}

/// `parse_permille`, which takes up to two decimals behind the point.
fn is_percent(text: &str, most: f64) -> bool {
    let number = text.strip_suffix('%');
    number.is_some_and(|number| {
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        is_number(whole)
            && is_number(part)
            && part.len() <= 2
            && number.parse::<f64>().is_ok_and(|number| number <= most)
    })
}

/// An amount of memory.
pub(super) fn size(value: &str) -> Checked {
    let fits = value.is_empty() || value == "infinity" || is_size(value) || is_percent(value, 100.0);
    one(value, "an amount of memory such as `512M`, `1G`, `10%` or `infinity`", fits)
}

/// How many tasks.
pub(super) fn tasks(value: &str) -> Checked {
    let fits = value.is_empty() || value == "infinity" || is_size(value) || is_percent(value, 100.0);
    one(value, "a number, a share such as `10%`, or `infinity`", fits)
}

/// A share of the processors' time.
pub(super) fn percent(value: &str) -> Checked {
    one(value, "a share such as `50%`; `200%` are two processors", value.is_empty() || is_percent(value, f64::MAX))
}

/// A weight, or `idle`.
pub(super) fn weight_or_idle(value: &str) -> Checked {
    if value == "idle" {
        return Ok(252);
    }
    let number = value.parse::<u32>();
    one(
        value,
        "a number from 1 to 10000, or `idle`",
        value.is_empty() || number.is_ok_and(|n| (1..=10_000).contains(&n)),
    )
}

/// One limit, or a soft and a hard one.
fn limits(value: &str, rule: &str, fits: impl Fn(&str) -> bool) -> Checked {
    let parts: Vec<&str> = value.split(':').collect();
    one(value, rule, parts.len() <= 2 && parts.iter().all(|part| *part == "infinity" || fits(part)))
}

/// A resource limit that counts.
pub(super) fn limit(value: &str) -> Checked {
    limits(value, "a number or `infinity`, or a soft and a hard one such as `1024:65536`", is_number)
}

/// A resource limit of bytes.
pub(super) fn limit_of_bytes(value: &str) -> Checked {
    limits(value, "a size such as `8M` or `infinity`, or a soft and a hard one such as `8M:infinity`", is_size)
}

/// A resource limit of time.
pub(super) fn limit_of_time(value: &str) -> Checked {
    limits(value, "a time such as `10s` or `infinity`, or a soft and a hard one", |part| part.parse::<Span>().is_ok())
}

/// A signal by its name or number.
pub(super) fn signal(value: &str) -> Checked {
    one(value, "a signal such as `SIGINT`", value.is_empty() || is_signal(value))
}

fn is_signal(word: &str) -> bool {
    const NAMES: [&str; 34] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "IOT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
        "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM",
        "PROF", "WINCH", "IO", "PWR", "SYS", "RTMIN", "RTMAX",
    ];
    if is_number(word) {
        return word.parse::<u32>().is_ok_and(|number| (1..=64).contains(&number));
    }
    let name = word.strip_prefix("SIG").unwrap_or(word);
    match name.split_once(['+', '-']) {
        Some(("RTMIN" | "RTMAX", offset)) => is_number(offset),
        Some(_) => false,
        None => NAMES.contains(&name),
    }
}

/// The states that a process ends with: numbers, names of states, signals.
pub(super) fn exit_statuses(value: &str) -> Checked {
    all_of(value, "an exit status from 0 to 255 or a signal such as `SIGKILL`", |word| {
        if is_number(word) {
            return word.parse::<u32>().is_ok_and(|number| number <= 255);
        }
        // Names such as `TEMPFAIL` came with 244; a signal has its `SIG`, or not.
        is_signal(word) || word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    })
}

/// An absolute path.
pub(super) fn path(value: &str) -> Checked {
    one(value, "an absolute path", value.is_empty() || value.starts_with(['/', '%']))
}

/// An absolute path, behind `-` if nothing needs to be there.
pub(super) fn path_or_not(value: &str) -> Checked {
    one(
        value,
        "an absolute path, with `-` in front if it may be missing",
        value.is_empty() || value.strip_prefix('-').unwrap_or(value).starts_with(['/', '%']),
    )
}

/// A list of absolute paths with the prefixes `-` and `+`.
pub(super) fn paths(value: &str) -> Checked {
    // Inside quotes there can be anything.
    if value.contains(['"', '\'', '\\']) {
        return Ok(0);
    }
    all_of(value, "an absolute path", |word| {
        let word = word.strip_prefix('-').unwrap_or(word);
        word.strip_prefix('+').unwrap_or(word).starts_with('/')
    })
}

/// A list of absolute paths.
pub(super) fn mounts(value: &str) -> Checked {
    if value.contains(['"', '\'', '\\']) {
        return Ok(0);
    }
    all_of(value, "an absolute path", |word| word.starts_with('/'))
}

/// A list of directories below one of systemd's own, such as `/run`.
pub(super) fn directories(value: &str) -> Checked {
    if value.contains(['"', '\'', '\\']) {
        return Ok(0);
    }
    all_of(value, "a relative path such as `web`", |word| {
        !word.starts_with('/') && !word.split('/').any(|part| part == "..") && word != "."
    })
}

/// Where output goes.
pub(super) fn output(value: &str) -> Checked {
    const WORDS: [&str; 10] = [
        "inherit",
        "null",
        "tty",
        "journal",
        "kmsg",
        "journal+console",
        "kmsg+console",
        "socket",
        "syslog",
        "syslog+console",
    ];
    stream(value, &WORDS, "`journal`, `null`, `inherit`, `append:/path`, `file:/path` or `truncate:/path`")
}

/// Where input comes from.
pub(super) fn input(value: &str) -> Checked {
    const WORDS: [&str; 6] = ["null", "tty", "tty-force", "tty-fail", "data", "socket"];
    stream(value, &WORDS, "`null`, `tty`, `data`, `socket` or `file:/path`")
}

fn stream(value: &str, words: &[&str], rule: &str) -> Checked {
    let at = |prefix: &str, since: u32| value.strip_prefix(prefix).map(|path| (since, path.starts_with(['/', '%'])));
    let of_input = words.contains(&"data");
    let files = [at("file:", 236), at("append:", 240), at("truncate:", 248)];
    let files = if of_input { &files[..1] } else { &files[..] };
    if let Some((since, is_absolute)) = files.iter().flatten().next() {
        return one(value, rule, *is_absolute).map(|_| *since);
    }
    let is_descriptor = value == "fd" || value.starts_with("fd:");
    one(value, rule, words.contains(&value) || is_descriptor)
}

/// Numbers of processors or memory nodes.
pub(super) fn numbers(value: &str) -> Checked {
    let is_range = |word: &str| match word.split_once('-') {
        Some((first, last)) => is_number(first) && is_number(last),
        None => is_number(word),
    };
    match value
        .split([' ', ',', '\t'])
        .filter(|word| !word.is_empty())
        .find(|word| !word.contains('%') && !is_range(word))
    {
        None => Ok(0),
        Some(_) if value == "numa" => Ok(249),
        Some(odd) => Err(format!("`{}` must be a list of numbers such as `0-3 8`", odd.escape_debug())),
    }
}

/// Capabilities, or behind `~` those that it has not.
pub(super) fn capabilities(value: &str) -> Checked {
    all_of(value.strip_prefix('~').unwrap_or(value), "a capability such as `CAP_NET_BIND_SERVICE`", |word| {
        let name = word.to_ascii_lowercase();
        name.strip_prefix("cap_").is_some_and(|name| CAPABILITIES.contains(&name))
    })
}

/// Those of capabilities(7).
const CAPABILITIES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

/// System calls and their groups; only what is taken away can end with an error of its own.
pub(super) fn system_calls(value: &str) -> Checked {
    const GROUPS: [&str; 31] = [
        "default",
        "aio",
        "basic-io",
        "chown",
        "clock",
        "cpu-emulation",
        "debug",
        "file-system",
        "io-event",
        "ipc",
        "keyring",
        "memlock",
        "module",
        "mount",
        "network-io",
        "obsolete",
        "pkey",
        "privileged",
        "process",
        "raw-io",
        "reboot",
        "resources",
        "sandbox",
        "setuid",
        "signal",
        "swap",
        "sync",
        "system-service",
        "timer",
        "known",
        "user-namespaces",
    ];
    let (value, takes_away) = value.strip_prefix('~').map_or((value, false), |value| (value, true));
    let rule = if takes_away { SYSTEM_CALL_OR_ERROR } else { SYSTEM_CALL };
    all_of(value, rule, |word| {
        let (name, error) = word.split_once(':').map_or((word, None), |(name, error)| (name, Some(error)));
        let is_error = |word: &str| {
            word == "kill"
                || word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) && !word.is_empty()
        };
        let is_known = match name.strip_prefix('@') {
            Some(group) => GROUPS.contains(&group),
            None => name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
        };
        is_known && error.is_none_or(|error| takes_away && is_error(error))
    })
}

const SYSTEM_CALL: &str = "a system call, or a group such as `@system-service`";
const SYSTEM_CALL_OR_ERROR: &str =
    "a system call, or a group such as `@mount`, and the error that it ends with: `@mount:EPERM`";

/// The same, without the error that a system call is to end with.
pub(super) fn system_call_names(value: &str) -> Checked {
    match value.contains(':') {
        true => one(value, SYSTEM_CALL, false),
        false => system_calls(value),
    }
}

/// Families of addresses.
pub(super) fn families(value: &str) -> Checked {
    if value == "none" {
        return Ok(249);
    }
    all_of(value.strip_prefix('~').unwrap_or(value), "a family of addresses such as `AF_INET`", |word| {
        word.strip_prefix("AF_").is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        })
    })
}

/// A list of words, of which `~` before the first leaves out all that follow.
pub(super) fn list(value: &str, words: Words) -> Checked {
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let value = value.strip_prefix('~').unwrap_or(value);
    all_of(value, &format!("one of `{}`", names.join("`, `")), |word| names.contains(&word))?;
    let since = |word: &str| words.iter().find(|(known, _)| *known == word).map_or(0, |(_, since)| *since);
    Ok(value.split_whitespace().map(since).max().unwrap_or_default())
}

/// A device and what is allowed with it.
pub(super) fn device(value: &str) -> Checked {
    let mut words = value.split_whitespace();
    let Some(node) = words.next() else { return Ok(0) };
    let is_node =
        ["/dev/", "/run/systemd/inaccessible/", "char-", "block-", "%"].iter().any(|start| node.starts_with(start));
    let is_access = |word: &str| word.bytes().all(|byte| b"rwm".contains(&byte));
    let fits = is_node && words.next().is_none_or(is_access) && words.next().is_none();
    one(value, "a device and its access such as `/dev/ttyUSB0 rw` or `char-usb_device rwm`", fits)
}

/// The name of a unit of one kind.
pub(super) fn slice(value: &str) -> Checked {
    one(
        value,
        "the name of a slice such as `lab.slice`",
        value.is_empty() || value.contains('%') || value.ends_with(".slice"),
    )
}

/// Names of accounts or groups.
pub(super) fn groups(value: &str) -> Checked {
    all_of(value, "the name of a group", |word| {
        is_number(word) || !word.starts_with('-') && !word.contains([':', '/', '"', '\'', '\\'])
    })
}

/// Names of environment variables.
pub(super) fn variables(value: &str) -> Checked {
    all_of(value, "the name of an environment variable", |word| {
        let name = word.split_once('=').map_or(word, |(name, _)| name).trim_matches(['"', '\'']);
        !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// Addresses of documents.
pub(super) fn documents(value: &str) -> Checked {
    all_of(value, "an address such as `https://...`, `file:/...` or `man:name(8)`", |word| {
        ["http://", "https://", "file:/", "info:", "man:"]
            .iter()
            .any(|start| word.strip_prefix(start).is_some_and(|rest| !rest.is_empty()))
    })
}
