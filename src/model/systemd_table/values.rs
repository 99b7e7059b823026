//! The grammars of directives, as the parsers of systemd have them (`src/core/load-fragment.c`, `src/basic/parse-util.c`).
//!
//! Each gives the version that the value needs (0 for one that was always there), or the rule that it breaks, which is
//! what [`Grammar::rule`](super::Grammar::rule) says of it. What `%` stands for is known on the host alone, so a word with one is taken as it is.

use super::Words;
use super::names::{self, CAPABILITIES, ERRORS, EXIT_STATUSES, FAMILIES, SYSTEM_CALL_GROUPS, SYSTEM_CALLS};
use super::numbers::{share as part, size as bytes, up_to, whole};
use super::words::{specifiers, split, without_specifiers};
use crate::model::calendar::Calendar;
use crate::model::span::Span;

/// What a value needs, or the rule that it breaks.
pub(super) type Checked = Result<u32, String>;

fn broken(word: &str, rule: &str) -> String {
    format!("`{}` must be {rule}", word.escape_debug())
}

/// The words of a list, in which nothing is filled in.
fn all_of(value: &str, rule: &str, fits: impl Fn(&str) -> Option<u32>) -> Checked {
    let mut needed = 0;
    for word in split(value)? {
        needed = needed.max(fits(&word).ok_or_else(|| broken(&word, rule))?);
    }
    Ok(needed)
}

/// The words of a list, in which systemd fills in what `%` stands for: such a word is known on the host alone.
fn filled(value: &str, rule: &str, fits: impl Fn(&str) -> Option<u32>) -> Checked {
    let mut needed = 0;
    for word in split(value)? {
        needed = needed.max(specifiers(&word)?);
        if let Some(word) = without_specifiers(&word) {
            needed = needed.max(fits(&word).ok_or_else(|| broken(&word, rule))?);
        }
    }
    Ok(needed)
}

/// The same of a value that is one word, whatever is in it.
fn filled_whole(value: &str, rule: &str, fits: impl Fn(&str) -> bool) -> Checked {
    let needed = specifiers(value)?;
    match without_specifiers(value) {
        Some(word) if !word.is_empty() && !fits(&word) => Err(broken(value, rule)),
        _ => Ok(needed),
    }
}

fn one(value: &str, rule: &str, fits: bool) -> Checked {
    if fits { Ok(0) } else { Err(broken(value, rule)) }
}

/// What is so of any version.
fn always(fits: bool) -> Option<u32> {
    fits.then_some(0)
}

fn one_of(value: &str, rule: &str, fits: Option<u32>) -> Checked {
    fits.ok_or_else(|| broken(value, rule))
}

/// `config_parse_timer` in `src/core/load-fragment.c`; an empty one forgets those before it.
pub(super) fn calendar(value: &str) -> Checked {
    match value.parse::<Calendar>() {
        _ if value.is_empty() => Ok(0),
        _ if value.contains('%') => specifiers(value),
        Ok(_) => Ok(0),
        Err(rule) => Err(format!("`{}` {rule}", value.escape_debug())),
    }
}

/// A whole number from the first to the second.
pub(super) fn number(value: &str, least: i64, most: i64, rule: &str) -> Checked {
    let number = whole(value).filter(|(number, _)| (i128::from(least)..=i128::from(most)).contains(number));
    one_of(value, rule, number.map(|(_, since)| since))
}

/// An amount of memory, `least` bytes or more.
pub(super) fn size(value: &str, least: u64, rule: &str) -> Checked {
    let of_all = || part(value).filter(|(share, _)| *share <= ALL && *share >= least.min(1)).map(|(_, since)| since);
    let fits = match value {
        "" | "infinity" => Some(0),
        _ => always(bytes(value).is_some_and(|bytes| bytes >= least)).or_else(of_all),
    };
    one_of(value, rule, fits)
}

/// 100 %, in parts of ten thousand.
const ALL: u64 = 10_000;

/// How many tasks (`config_parse_tasks_max`).
pub(super) fn tasks(value: &str, rule: &str) -> Checked {
    let count = || up_to(value, u64::MAX - 1).filter(|(count, _)| *count > 0).map(|(_, since)| since);
    let of_all = || part(value).filter(|(share, _)| *share <= ALL).map(|(_, since)| since);
    one_of(value, rule, always(value.is_empty() || value == "infinity").or_else(count).or_else(of_all))
}

/// A share of the processors' time.
pub(super) fn percent(value: &str, rule: &str) -> Checked {
    let share = || part(value).filter(|(share, _)| *share > 0).map(|(_, since)| since);
    one_of(value, rule, always(value.is_empty()).or_else(share))
}

/// A share of all.
pub(super) fn share(value: &str, rule: &str) -> Checked {
    let share = || part(value).filter(|(share, _)| *share <= ALL).map(|(_, since)| since);
    one_of(value, rule, always(value.is_empty()).or_else(share))
}

/// A weight, or `idle`.
pub(super) fn weight_or_idle(value: &str, rule: &str) -> Checked {
    match value {
        "" => Ok(0),
        "idle" => Ok(252),
        _ => number(value, 1, 10_000, rule),
    }
}

/// One limit, or a soft and a hard one, which is not below it.
fn limits<T: PartialOrd>(value: &str, rule: &str, read: impl Fn(&str) -> Option<(T, u32)>) -> Checked {
    let limit = |text: &str| match text {
        "infinity" => Some((None, 0)),
        _ => read(text).map(|(number, since)| (Some(number), since)),
    };
    let fits = match value.split_once(':') {
        None => limit(value).map(|(_, since)| since),
        Some((soft, hard)) => limit(soft).zip(limit(hard)).and_then(|((soft, since), (hard, needed))| {
            let is_above = match (soft, hard) {
                (_, None) => true,
                (None, Some(_)) => false,
                (Some(soft), Some(hard)) => soft <= hard,
            };
            is_above.then(|| since.max(needed))
        }),
    };
    one_of(value, rule, fits)
}

/// A resource limit that counts.
pub(super) fn limit(value: &str, rule: &str) -> Checked {
    limits(value, rule, |text| up_to(text, u64::MAX - 1))
}

/// A resource limit of bytes.
pub(super) fn limit_of_bytes(value: &str, rule: &str) -> Checked {
    limits(value, rule, |text| bytes(text).map(|bytes| (bytes, 0)))
}

/// A resource limit of time.
pub(super) fn limit_of_time(value: &str, rule: &str) -> Checked {
    limits(value, rule, |text| text.parse::<Span>().ok().map(|span| (span, 0)))
}

/// A signal by its name or number.
pub(super) fn signal(value: &str, rule: &str) -> Checked {
    one_of(value, rule, if value.is_empty() { Some(0) } else { signal_since(value) })
}

/// The version that knows a signal (`signal_from_string` in `src/basic/signal-util.c`).
fn signal_since(word: &str) -> Option<u32> {
    const NAMES: &str = "HUP INT QUIT ILL TRAP ABRT IOT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP \
                         TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS RTMIN RTMAX";
    // Those of real time, from 34 to 64.
    const MOST: u64 = 30;
    let name = word.strip_prefix("SIG").unwrap_or(word);
    if let Some((_, since)) = up_to(word, 64).filter(|(number, _)| *number > 0) {
        return Some(since);
    }
    match name.strip_prefix("RTMIN+").or_else(|| name.strip_prefix("RTMAX-")) {
        Some(offset) => up_to(offset, MOST).map(|(_, since)| since),
        None => always(names::has(NAMES, name)),
    }
}

/// The states that a process ends with: numbers, names of states, signals.
pub(super) fn exit_statuses(value: &str, rule: &str) -> Checked {
    all_of(value, rule, |word| {
        let number = up_to(word, 255).map(|(_, since)| since);
        // NEWS of systemd 244.
        let name = || names::has(EXIT_STATUSES, word).then_some(244);
        number.or_else(name).or_else(|| signal_since(word))
    })
}

/// Whether a path is absolute and does not go up (`path_simplify_and_warn` in `src/shared/parse-helpers.c`).
fn is_path(path: &str) -> bool {
    path.starts_with('/') && !goes_up(path)
}

fn goes_up(path: &str) -> bool {
    path.split('/').any(|part| part == "..")
}

/// An absolute path.
pub(super) fn path(value: &str, rule: &str) -> Checked {
    filled_whole(value, rule, is_path)
}

/// An absolute path, behind `-` if nothing needs to be there.
pub(super) fn path_or_not(value: &str, rule: &str) -> Checked {
    filled_whole(value.strip_prefix('-').unwrap_or(value), rule, is_path)
}

/// A list of absolute paths with the prefixes `-` and `+`.
pub(super) fn paths(value: &str, rule: &str) -> Checked {
    filled(value, rule, |word| {
        let word = word.strip_prefix('-').unwrap_or(word);
        always(is_path(word.strip_prefix('+').unwrap_or(word)))
    })
}

/// A list of absolute paths.
pub(super) fn mounts(value: &str, rule: &str) -> Checked {
    filled(value, rule, |word| always(is_path(word)))
}

/// A list of absolute paths, each with the options of a mount behind `:`.
pub(super) fn temporary(value: &str, rule: &str) -> Checked {
    filled(value, rule, |word| always(is_path(word.split(':').next().unwrap_or_default())))
}

/// A list of directories below one of systemd's own, such as `/run`; since 251 with a link to it behind `:`, and since
/// 257 with `ro` behind that (`config_parse_exec_directories`).
pub(super) fn directories(value: &str, can_be_linked: bool, rule: &str) -> Checked {
    let is_relative = |path: &str| !path.starts_with('/') && !goes_up(path) && path != ".";
    filled(value, rule, |word| {
        let mut parts = word.splitn(3, ':');
        let (path, link, flags) = (parts.next()?, parts.next(), parts.next());
        if !is_relative(path) || path.split('/').next() == Some("private") {
            return None;
        }
        match (link, flags) {
            (None, _) => Some(0),
            (Some(_), _) if !can_be_linked => None,
            (Some(link), None) => is_relative(link).then_some(251),
            (Some(link), Some("ro" | "")) => is_relative(link).then_some(257),
            (Some(_), Some(_)) => None,
        }
    })
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
    let at = |prefix: &str, since: u32| value.strip_prefix(prefix).map(|path| (since, path));
    let of_input = words.contains(&"data");
    let files = [at("file:", 236), at("append:", 240), at("truncate:", 248)];
    let files = if of_input { &files[..1] } else { &files[..] };
    if let Some((since, path)) = files.iter().flatten().next() {
        let needed = filled_whole(path, rule, is_path).map_err(|_| broken(value, rule))?;
        return if path.is_empty() { Err(broken(value, rule)) } else { Ok(needed.max(*since)) };
    }
    let is_descriptor = |name: &str| name.bytes().all(|byte| (b' '..127).contains(&byte) && byte != b':');
    let fits = match value.strip_prefix("fd:") {
        Some(name) => return filled_whole(name, rule, is_descriptor),
        None => value == "fd" || words.contains(&value),
    };
    one(value, rule, fits)
}

/// Processors that a program runs on: theirs, or since 246 those of its memory.
pub(super) fn processors(value: &str, rule: &str) -> Checked {
    if value == "numa" { Ok(246) } else { numbers(value, rule) }
}

/// Numbers of processors or memory nodes (`parse_cpu_set_full` in `src/shared/cpu-set-util.c`).
pub(super) fn numbers(value: &str, rule: &str) -> Checked {
    const MOST: u64 = 8191;
    filled(&value.replace(',', " "), rule, |word| match word.split_once('-') {
        Some((first, last)) => {
            let ((first, since), (last, needed)) = up_to(first, MOST).zip(up_to(last, MOST))?;
            (first <= last).then(|| since.max(needed))
        }
        None => up_to(word, MOST).map(|(_, since)| since),
    })
}

/// Capabilities, or behind `~` those that it has not.
pub(super) fn capabilities(value: &str, rule: &str) -> Checked {
    all_of(value.strip_prefix('~').unwrap_or(value), rule, |word| {
        let name = word.to_ascii_lowercase();
        always(name.strip_prefix("cap_").is_some_and(|name| names::has(CAPABILITIES, name)))
    })
}

/// System calls and their groups; only what is taken away can end with an error of its own.
pub(super) fn system_calls(value: &str, rule: &str) -> Checked {
    let (value, takes_away) = value.strip_prefix('~').map_or((value, false), |value| (value, true));
    let rule = if takes_away { SYSTEM_CALL_OR_ERROR } else { rule };
    all_of(value, rule, |word| {
        let (name, error) = word.split_once(':').map_or((word, None), |(name, error)| (name, Some(error)));
        let is_known = match name.strip_prefix('@') {
            Some(group) => names::has(SYSTEM_CALL_GROUPS, group),
            None => names::has(SYSTEM_CALLS, name),
        };
        match error {
            None => always(is_known),
            Some(error) => error_since(error).filter(|_| is_known && takes_away),
        }
    })
}

/// The version that knows an error of a system call (`seccomp_parse_errno_or_action` in `src/shared/seccomp-util.h`).
fn error_since(error: &str) -> Option<u32> {
    match error {
        "kill" => Some(247),
        _ if names::has(ERRORS, &error.to_ascii_uppercase()) => Some(0),
        _ => up_to(error, 4095).map(|(_, since)| since),
    }
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
        always(word.strip_prefix("AF_").is_some_and(|name| names::has(FAMILIES, name)))
    })
}

/// A list of words; with `can_take_away`, `~` before the first leaves out all that follow.
pub(super) fn list(value: &str, words: Words, can_take_away: bool) -> Checked {
    let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let value = value.strip_prefix('~').filter(|_| can_take_away).unwrap_or(value);
    let since = |word: &str| words.iter().find(|(known, _)| *known == word).map(|(_, since)| *since);
    all_of(value, &format!("one of `{}`", names.join("`, `")), since)
}

/// A device and what is allowed with it.
pub(super) fn device(value: &str, rule: &str) -> Checked {
    let needed = specifiers(value)?;
    let words = split(value)?;
    let mut words = words.iter().map(String::as_str);
    let Some(node) = words.next() else { return Ok(0) };
    let is_node = match without_specifiers(node) {
        Some(node) => {
            let is_below = |folder: &str| node.strip_prefix(folder).is_some_and(|name| !name.is_empty());
            ["/dev/", "/run/systemd/inaccessible/", "char-", "block-"].into_iter().any(is_below) && !goes_up(&node)
        }
        None => true,
    };
    let is_access = |word: &str| word.bytes().all(|byte| b"rwm".contains(&byte));
    let fits = is_node && words.next().is_none_or(is_access) && words.next().is_none();
    one(value, rule, fits).map(|_| needed)
}

/// The name of a slice: it is below the slices that the parts of its name are (`slice_name_is_valid` in
/// `src/basic/unit-name.c`).
pub(super) fn slice(value: &str, rule: &str) -> Checked {
    filled_whole(value, rule, |name| {
        let stem = name.strip_suffix(".slice").unwrap_or_default();
        stem == "-" || stem.split('-').all(|part| !part.is_empty() && !part.contains(['/', ' ', '@']))
    })
}

/// Names of units, whatever their kind.
pub(super) fn units(value: &str, rule: &str, is_unit: impl Fn(&str) -> bool) -> Checked {
    filled(value, rule, |word| always(is_unit(word)))
}

/// The names of units of one kind.
pub(super) fn sockets(value: &str, rule: &str) -> Checked {
    filled(value, rule, |word| always(word.ends_with(".socket") && !word.contains(['/', ' '])))
}

/// Names of accounts or groups.
pub(super) fn groups(value: &str, rule: &str) -> Checked {
    filled(value, rule, |word| always(is_group(word)))
}

/// Names of environment variables; with `can_be_assigned` also ones with their value.
pub(super) fn variables(value: &str, can_be_assigned: bool, rule: &str) -> Checked {
    filled(value, rule, |word| {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_name = !name.is_empty() && name.bytes().all(fits) && !name.starts_with(|c: char| c.is_ascii_digit());
        always(is_name && (can_be_assigned || value.is_none()))
    })
}

/// Addresses of documents.
pub(super) fn documents(value: &str, rule: &str) -> Checked {
    filled(value, rule, |word| {
        let starts = |start: &&str| word.strip_prefix(*start).is_some_and(|rest| !rest.is_empty());
        always(["http://", "https://", "file:/", "info:", "man:"].iter().any(starts))
    })
}

/// An absolute path behind `|` and `!` (`config_parse_unit_condition_path`).
pub(super) fn condition_path(value: &str, rule: &str) -> Checked {
    let path = value.strip_prefix('|').unwrap_or(value);
    let path = path.strip_prefix('!').unwrap_or(path);
    if value.is_empty() { Ok(0) } else { filled_whole(path, rule, is_path).map_err(|_| broken(value, rule)) }
}

/// A path, which is below `/run` where it is relative (`config_parse_pid_file`).
pub(super) fn pid_file(value: &str, rule: &str) -> Checked {
    filled_whole(value, rule, |path| !goes_up(path))
}

/// A name of D-Bus: two elements or more (`service_name_is_valid` in `src/libsystemd/sd-bus/bus-internal.c`).
pub(super) fn bus_name(value: &str, rule: &str) -> Checked {
    let is_element = |element: &str| {
        element.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
            && !element.is_empty()
            && !element.starts_with(|c: char| c.is_ascii_digit())
    };
    let is_name = |name: &str| name.contains('.') && name.len() <= 255 && name.split('.').all(is_element);
    if value.is_empty() { Err(broken(value, rule)) } else { filled_whole(value, rule, is_name) }
}

/// Mounts of something elsewhere, each `FROM`, `FROM:TO` or `FROM:TO:OPTIONS` (`config_parse_bind_paths`).
pub(super) fn binds(value: &str, rule: &str) -> Checked {
    filled(value, rule, |word| {
        let parts: Vec<&str> = word.strip_prefix('-').unwrap_or(word).splitn(3, ':').collect();
        let are_options =
            |options: &&str| options.split(',').all(|option| matches!(option, "rbind" | "norbind" | "idmap"));
        let fits = is_path(parts[0])
            && parts.get(1).is_none_or(|to| to.is_empty() || is_path(to))
            && parts.get(2).is_none_or(are_options);
        always(fits)
    })
}

/// Addresses and networks (`config_parse_in_addr_prefixes`).
pub(super) fn addresses(value: &str, rule: &str) -> Checked {
    filled(value, rule, |word| {
        if matches!(word, "any" | "localhost" | "link-local" | "multicast") {
            return Some(0);
        }
        let (address, length) = word.split_once('/').map_or((word, None), |(address, length)| (address, Some(length)));
        let address = address.parse::<core::net::IpAddr>().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        length.map_or(Some(0), |length| up_to(length, most).map(|(_, since)| since))
    })
}

/// The error of a system call that is not allowed (`config_parse_syscall_errno`).
pub(super) fn error_number(value: &str, rule: &str) -> Checked {
    let is_none = up_to(value, 0).is_some();
    one_of(value, rule, if value.is_empty() { Some(0) } else { error_since(value).filter(|_| !is_none) })
}

/// A credential and where it comes from: `ID:PATH` (`config_parse_load_credential`).
pub(super) fn credential(value: &str, rule: &str) -> Checked {
    let (id, source) = value.split_once(':').unwrap_or((value, ""));
    let needed = specifiers(value)?;
    // `path_is_normalized` in `src/basic/path-util.c`.
    let is_normal = |path: &str| !path.contains("//") && !path.split('/').any(|part| part == "." || part == "..");
    let is_source = |source: &str| if source.starts_with('/') { is_normal(source) } else { is_credential(source) };
    let source = without_specifiers(source).unwrap_or_default();
    let fits = is_filled_credential(id) && (source.is_empty() || is_source(&source));
    one(value, rule, value.is_empty() || fits).map(|_| needed)
}

/// A credential and its text: `ID:TEXT` (`config_parse_set_credential`).
pub(super) fn credential_text(value: &str, rule: &str) -> Checked {
    let is_it = |(id, text): (&str, &str)| is_filled_credential(id) && !text.is_empty();
    one(value, rule, value.is_empty() || value.split_once(':').is_some_and(is_it)).and_then(|_| specifiers(value))
}

fn is_filled_credential(id: &str) -> bool {
    without_specifiers(id).is_none_or(|id| is_credential(&id))
}

/// A name of a file, short and plain (`credential_name_valid` in `src/shared/creds-util.c`).
fn is_credential(id: &str) -> bool {
    let is_plain = id.bytes().all(|byte| (b' '..127).contains(&byte) && !b"/:".contains(&byte));
    is_plain && !id.is_empty() && id.len() <= 255 && id != "." && id != ".."
}

/// A group by its name or number (`config_parse_user_group_compat`).
pub(super) fn group(value: &str, rule: &str) -> Checked {
    filled_whole(value, rule, is_group)
}

/// What `valid_user_group_name` in `src/basic/user-util.c` takes where it is not strict: numbers without zeros in front
/// that are no marks for "nobody", and names that the files of accounts can have.
fn is_group(name: &str) -> bool {
    const NOBODY: [u32; 2] = [u16::MAX as u32, u32::MAX];
    let digits = name.strip_prefix('-').unwrap_or(name);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return name.parse::<u32>().is_ok_and(|id| id.to_string() == name && !NOBODY.contains(&id));
    }
    !name.is_empty() && !name.contains([':', '/']) && name != "." && name != ".." && name.trim_matches(' ') == name
}

/// Where a program begins: an absolute path, or the home of its account, behind `-` if it may be missing
/// (`config_parse_working_directory`).
pub(super) fn working_directory(value: &str, rule: &str) -> Checked {
    match value.strip_prefix('-').unwrap_or(value) {
        "~" => Ok(0),
        path => filled_whole(path, rule, is_path).map_err(|_| broken(value, rule)),
    }
}

/// Any text, in which systemd fills in what `%` stands for.
pub(super) fn filled_text(value: &str) -> Checked {
    specifiers(value)
}

/// A path, and what is so of the device that has it; an empty value forgets those before.
fn of_device(value: &str, rule: &str, fits: impl Fn(&str) -> Option<u32>) -> Checked {
    let (path, rest) = value.trim().split_once(char::is_whitespace).unwrap_or((value, ""));
    if value.is_empty() {
        return Ok(0);
    }
    let needed = filled_whole(path, rule, is_path).map_err(|_| broken(value, rule))?;
    one_of(value, rule, fits(rest.trim())).map(|since| since.max(needed))
}

/// `config_parse_io_limit`.
pub(super) fn device_limit(value: &str, rule: &str) -> Checked {
    // With units of 1000, of which it has as many, and the same greatest.
    of_device(value, rule, |limit| always(limit == "infinity" || bytes(limit).is_some_and(|bytes| bytes > 0)))
}

/// `config_parse_io_device_weight`.
pub(super) fn device_weight(value: &str, rule: &str) -> Checked {
    of_device(value, rule, |weight| up_to(weight, 10_000).filter(|(weight, _)| *weight > 0).map(|(_, since)| since))
}

/// `config_parse_io_device_latency`.
pub(super) fn device_latency(value: &str, rule: &str) -> Checked {
    of_device(value, rule, |time| always(time == "infinity" || time.parse::<Span>().is_ok()))
}
