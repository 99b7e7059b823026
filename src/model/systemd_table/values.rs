//! The grammars of directives, as the parsers of systemd have them (`src/core/load-fragment.c`, `src/basic/parse-util.c`).
//!
//! Each gives the version that the value needs (0 for one that was always there), or the rule that it breaks, which is
//! what [`Grammar::rule`](super::Grammar::rule) says of it. What `%` stands for is known on the host alone, so a word with one is taken as it is.

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
pub(super) fn size(value: &str, rule: &str) -> Checked {
    let fits = value.is_empty() || value == "infinity" || is_size(value) || is_percent(value, 100.0);
    one(value, rule, fits)
}

/// How many tasks.
pub(super) fn tasks(value: &str, rule: &str) -> Checked {
    let fits = value.is_empty() || value == "infinity" || is_size(value) || is_percent(value, 100.0);
    one(value, rule, fits)
}

/// A share of the processors' time.
pub(super) fn percent(value: &str, rule: &str) -> Checked {
    one(value, rule, value.is_empty() || is_percent(value, f64::MAX))
}

/// A share of all.
pub(super) fn share(value: &str, rule: &str) -> Checked {
    one(value, rule, value.is_empty() || is_percent(value, 100.0))
}

/// A weight, or `idle`.
pub(super) fn weight_or_idle(value: &str, rule: &str) -> Checked {
    if value == "idle" {
        return Ok(252);
    }
    let number = value.parse::<u32>();
    one(value, rule, value.is_empty() || number.is_ok_and(|n| (1..=10_000).contains(&n)))
}

/// One limit, or a soft and a hard one.
fn limits(value: &str, rule: &str, fits: impl Fn(&str) -> bool) -> Checked {
    let parts: Vec<&str> = value.split(':').collect();
    one(value, rule, parts.len() <= 2 && parts.iter().all(|part| *part == "infinity" || fits(part)))
}

/// A resource limit that counts.
pub(super) fn limit(value: &str, rule: &str) -> Checked {
    limits(value, rule, is_number)
}

/// A resource limit of bytes.
pub(super) fn limit_of_bytes(value: &str, rule: &str) -> Checked {
    limits(value, rule, is_size)
}

/// A resource limit of time.
pub(super) fn limit_of_time(value: &str, rule: &str) -> Checked {
    limits(value, rule, |part| part.parse::<Span>().is_ok())
}

/// A signal by its name or number.
pub(super) fn signal(value: &str, rule: &str) -> Checked {
    one(value, rule, value.is_empty() || is_signal(value))
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
pub(super) fn exit_statuses(value: &str, rule: &str) -> Checked {
    all_of(value, rule, |word| {
        if is_number(word) {
            return word.parse::<u32>().is_ok_and(|number| number <= 255);
        }
        // Names such as `TEMPFAIL` came with 244; a signal has its `SIG`, or not.
        is_signal(word) || word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    })
}

/// An absolute path.
pub(super) fn path(value: &str, rule: &str) -> Checked {
    one(value, rule, value.is_empty() || value.starts_with(['/', '%']))
}

/// An absolute path, behind `-` if nothing needs to be there.
pub(super) fn path_or_not(value: &str, rule: &str) -> Checked {
    one(value, rule, value.is_empty() || value.strip_prefix('-').unwrap_or(value).starts_with(['/', '%']))
}

/// A list of absolute paths with the prefixes `-` and `+`.
pub(super) fn paths(value: &str, rule: &str) -> Checked {
    // Inside quotes there can be anything.
    if value.contains(['"', '\'', '\\']) {
        return Ok(0);
    }
    all_of(value, rule, |word| {
        let word = word.strip_prefix('-').unwrap_or(word);
        word.strip_prefix('+').unwrap_or(word).starts_with('/')
    })
}

/// A list of absolute paths.
pub(super) fn mounts(value: &str, rule: &str) -> Checked {
    if value.contains(['"', '\'', '\\']) {
        return Ok(0);
    }
    all_of(value, rule, |word| word.starts_with('/'))
}

/// A list of directories below one of systemd's own, such as `/run`.
pub(super) fn directories(value: &str, rule: &str) -> Checked {
    if value.contains(['"', '\'', '\\']) {
        return Ok(0);
    }
    all_of(value, rule, |word| !word.starts_with('/') && !word.split('/').any(|part| part == "..") && word != ".")
}

/// Where output goes.
pub(super) fn output(value: &str, rule: &str) -> Checked {
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
    stream(value, &WORDS, rule)
}

/// Where input comes from.
pub(super) fn input(value: &str, rule: &str) -> Checked {
    const WORDS: [&str; 6] = ["null", "tty", "tty-force", "tty-fail", "data", "socket"];
    stream(value, &WORDS, rule)
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
pub(super) fn numbers(value: &str, rule: &str) -> Checked {
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
        Some(odd) => Err(format!("`{}` must be {rule}", odd.escape_debug())),
    }
}

/// Capabilities, or behind `~` those that it has not.
pub(super) fn capabilities(value: &str, rule: &str) -> Checked {
    all_of(value.strip_prefix('~').unwrap_or(value), rule, |word| {
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
pub(super) fn system_calls(value: &str, rule: &str) -> Checked {
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
    let rule = if takes_away { SYSTEM_CALL_OR_ERROR } else { rule };
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

const SYSTEM_CALL_OR_ERROR: &str =
    "a system call, or a group such as `@mount`, and the error that it ends with: `@mount:EPERM`";

/// The same, without the error that a system call is to end with.
pub(super) fn system_call_names(value: &str, rule: &str) -> Checked {
    match value.contains(':') {
        true => one(value, rule, false),
        false => system_calls(value, rule),
    }
}

/// Families of addresses.
pub(super) fn families(value: &str, rule: &str) -> Checked {
    if value == "none" {
        return Ok(249);
    }
    all_of(value.strip_prefix('~').unwrap_or(value), rule, |word| {
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
pub(super) fn device(value: &str, rule: &str) -> Checked {
    let mut words = value.split_whitespace();
    let Some(node) = words.next() else { return Ok(0) };
    let is_node =
        ["/dev/", "/run/systemd/inaccessible/", "char-", "block-", "%"].iter().any(|start| node.starts_with(start));
    let is_access = |word: &str| word.bytes().all(|byte| b"rwm".contains(&byte));
    let fits = is_node && words.next().is_none_or(is_access) && words.next().is_none();
    one(value, rule, fits)
}

/// The name of a unit of one kind.
pub(super) fn slice(value: &str, rule: &str) -> Checked {
    one(value, rule, value.is_empty() || value.contains('%') || value.ends_with(".slice"))
}

/// The names of units of one kind.
pub(super) fn sockets(value: &str, rule: &str) -> Checked {
    all_of(value, rule, |word| word.ends_with(".socket"))
}

/// Names of accounts or groups.
pub(super) fn groups(value: &str, rule: &str) -> Checked {
    all_of(value, rule, |word| is_number(word) || !word.starts_with('-') && !word.contains([':', '/', '"', '\'', '\\']))
}

/// Names of environment variables.
pub(super) fn variables(value: &str, rule: &str) -> Checked {
    all_of(value, rule, |word| {
        let name = word.split_once('=').map_or(word, |(name, _)| name).trim_matches(['"', '\'']);
        !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// Addresses of documents.
pub(super) fn documents(value: &str, rule: &str) -> Checked {
    all_of(value, rule, |word| {
        ["http://", "https://", "file:/", "info:", "man:"]
            .iter()
            .any(|start| word.strip_prefix(start).is_some_and(|rest| !rest.is_empty()))
    })
}

/// An absolute path behind `|` and `!` (`config_parse_unit_condition_path`).
pub(super) fn condition_path(value: &str, rule: &str) -> Checked {
    let path = value.strip_prefix('|').unwrap_or(value);
    let path = path.strip_prefix('!').unwrap_or(path);
    one(value, rule, value.is_empty() || path.starts_with(['/', '%']))
}

/// A path, which is below `/run` where it is relative (`config_parse_pid_file`).
pub(super) fn pid_file(value: &str, rule: &str) -> Checked {
    one(value, rule, value.is_empty() || value.contains('%') || !value.split('/').any(|part| part == ".."))
}

/// A name of D-Bus: two elements or more (`service_name_is_valid` in `src/libsystemd/sd-bus/bus-internal.c`).
pub(super) fn bus_name(value: &str, rule: &str) -> Checked {
    let is_element = |element: &str| {
        element.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
            && !element.is_empty()
            && !element.starts_with(|c: char| c.is_ascii_digit())
    };
    let fits = value.contains('.') && value.len() <= 255 && value.split('.').all(is_element);
    one(value, rule, value.contains('%') || fits)
}

/// Mounts of something elsewhere, each `FROM`, `FROM:TO` or `FROM:TO:OPTIONS` (`config_parse_bind_paths`).
pub(super) fn binds(value: &str, rule: &str) -> Checked {
    if value.contains(['"', '\'', '\\']) {
        return Ok(0);
    }
    all_of(value, rule, |word| {
        let parts: Vec<&str> = word.strip_prefix('-').unwrap_or(word).splitn(3, ':').collect();
        let are_options =
            |options: &&str| options.split(',').all(|option| matches!(option, "rbind" | "norbind" | "idmap"));
        parts[0].starts_with('/')
            && parts.get(1).is_none_or(|to| to.is_empty() || to.starts_with('/'))
            && parts.get(2).is_none_or(are_options)
    })
}

/// Addresses and networks (`config_parse_in_addr_prefixes`).
pub(super) fn addresses(value: &str, rule: &str) -> Checked {
    all_of(value, rule, |word| {
        if matches!(word, "any" | "localhost" | "link-local" | "multicast") {
            return true;
        }
        let (address, length) = word.split_once('/').map_or((word, None), |(address, length)| (address, Some(length)));
        match address.parse::<core::net::IpAddr>() {
            Ok(address) => {
                let most = if address.is_ipv4() { 32 } else { 128 };
                length
                    .is_none_or(|length| is_number(length) && length.parse::<u32>().is_ok_and(|length| length <= most))
            }
            Err(_) => false,
        }
    })
}

/// The error of a system call that is not allowed (`config_parse_syscall_errno`).
pub(super) fn error_number(value: &str, rule: &str) -> Checked {
    if value == "kill" {
        return Ok(247);
    }
    let is_name = value.starts_with(['E', 'e']) && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_errno = is_number(value) && value.parse::<u32>().is_ok_and(|number| number <= 4095);
    one(value, rule, value.is_empty() || is_name || is_errno)
}

/// A credential and where it comes from: `ID:PATH` (`config_parse_load_credential`).
pub(super) fn credential(value: &str, rule: &str) -> Checked {
    let (id, path) = value.split_once(':').unwrap_or((value, ""));
    let fits = is_credential(id) && (path.is_empty() || path.starts_with(['/', '%']) || is_credential(path));
    one(value, rule, value.is_empty() || fits)
}

/// A credential and its text: `ID:TEXT` (`config_parse_set_credential`).
pub(super) fn credential_text(value: &str, rule: &str) -> Checked {
    one(value, rule, value.is_empty() || value.split_once(':').is_some_and(|(id, _)| is_credential(id)))
}

/// A name of a file, short and plain.
fn is_credential(id: &str) -> bool {
    let is_plain = id.bytes().all(|byte| byte.is_ascii_graphic() && !b"/\"'\\".contains(&byte));
    id.contains('%') || is_plain && !id.is_empty() && id.len() <= 255 && id != "." && id != ".."
}

/// A group by its name or number (`config_parse_user_group_compat`).
pub(super) fn group(value: &str, rule: &str) -> Checked {
    let is_name = |name: &str| !name.contains([':', '/']) && name != "." && name != ".." && !name.starts_with('-');
    one(value, rule, value.is_empty() || value.contains('%') || is_name(value))
}
