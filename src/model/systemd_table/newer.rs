//! The grammars of directives and values that came with systemd 257 and later, as its parsers have them
//! (`src/core/load-fragment.c`); what each gives is what those of `values.rs` give.

use super::numbers::{share, size, up_to};
use super::values::{Checked, broken, filled, one};
use super::words::{specifiers, without_specifiers};
use super::{NO, YES};
use crate::model::span::Span;

/// What of BPF is handed on: all of it, or names with a comma between (`config_parse_bpf_delegate`). Which names there
/// are is up to the kernel, so their form is checked alone.
pub(super) fn bpf_names(value: &str, rule: &str) -> Checked {
    let is_name = |name: &str| {
        name.is_empty() || name.starts_with("BPF") && name.len() > 3 && name.bytes().all(|c| c.is_ascii_alphanumeric())
    };
    one(value, rule, value == "any" || value.split(',').all(is_name))
}

/// A limit of what lies in a directory: an amount, a share of the file system, or `off` (`config_parse_exec_quota`).
pub(super) fn quota(value: &str, rule: &str) -> Checked {
    const ALL: u64 = 10_000;
    let is_share = || share(value).is_some_and(|(share, _)| share <= ALL);
    one(value, rule, matches!(value, "" | "off") || size(value).is_some() || is_share())
}

/// The name of one network interface (`ifname_valid_full` in `src/basic/socket-util.c`).
pub(super) fn interface(value: &str, rule: &str) -> Checked {
    // `ALTIFNAMSIZ`, less the zero at its end.
    const MOST: usize = 127;
    let is_plain = |c: char| c.is_ascii_graphic() && !":/%".contains(c);
    let is_reserved = |name: &str| {
        matches!(name, "." | ".." | "all" | "default")
            || up_to(name, u64::MAX).is_some()
            || name.bytes().all(|byte| byte.is_ascii_digit())
    };
    let needed = specifiers(value)?;
    let fits = without_specifiers(value)
        .is_none_or(|name| name.is_empty() || name.len() <= MOST && name.chars().all(is_plain) && !is_reserved(&name));
    one(value, rule, fits).map(|_| needed)
}

/// Names of sets of rules, each of which has a file of that name (`config_parse_oom_rules`).
pub(super) fn oom_rules(value: &str, rule: &str) -> Checked {
    let is_file = |name: &str| !name.is_empty() && !name.contains('/') && name != "." && name != "..";
    filled(value, rule, |word| (is_file(word) && !value.contains(['*', '?', '[', '\\'])).then_some(0))
}

/// Names of sessions, in which nothing is quoted and nothing filled in (`config_parse_luo_session`).
pub(super) fn sessions(value: &str, rule: &str) -> Checked {
    let is_plain = |c: char| c.is_ascii_graphic() && !":\"'\\".contains(c);
    match value.split_ascii_whitespace().find(|name| !name.chars().all(is_plain)) {
        None => Ok(0),
        Some(odd) => Err(broken(odd, rule)),
    }
}

/// A time that ends, and is not shorter than that; an empty one stands for the usual, unless none may be had.
pub(super) fn finite_span(value: &str, least: Span, rule: &str) -> Checked {
    let is_usual = value.is_empty() && least > Span::seconds(0);
    one(value, rule, is_usual || value.parse::<Span>().is_ok_and(|span| span >= least))
}

/// Whether a service can set the name of the host, and which one it has instead: since 258 `private`, and a name behind
/// a colon (`config_parse_protect_hostname`).
pub(super) fn hostname(value: &str, rule: &str) -> Checked {
    let is_in = |words: &[&str], word: &str| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    match value.split_once(':') {
        None if value == "private" => Ok(258),
        None => one(value, rule, is_in(&YES, value) || is_in(&NO, value)),
        Some((mode, name)) => {
            let needed = specifiers(name)?;
            let fits = without_specifiers(name).is_none_or(|name| is_hostname(&name));
            one(value, rule, fits && (mode == "private" || is_in(&YES, mode))).map(|_| needed.max(258))
        }
    }
}

/// `hostname_is_valid` in `src/basic/hostname-util.c`, without a dot at the end.
fn is_hostname(name: &str) -> bool {
    const MOST: usize = 64;
    let is_label = |label: &str| {
        label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= MOST && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_is_taken() {
        type Check = fn(&str, &str) -> Checked;
        let rows: [(Check, &[&str], &[&str]); 5] = [
            (
                bpf_names,
                &["any", "BPFMapCreate,BPFProgLoad", ""],
                &["any,BPFProgLoad", "BPFProgLoad x", "~BPFProgLoad"],
            ),
            (quota, &["1G", "0", "50%", "off", ""], &["no", "infinity", "110%", "16E"]),
            (interface, &["eth0", "vrf-%i", ""], &["7", "0x10", "009", "a/b", "..", "all", "100%%"]),
            (oom_rules, &["a b", ""], &["a/b", "..", "a*"]),
            (sessions, &["a b", "%z", ""], &["a:b", "\"a b\"", "é"]),
        ];
        for (check, taken, refused) in rows {
            for value in taken {
                assert!(check(value, "it").is_ok(), "{value}");
            }
            for value in refused {
                assert!(check(value, "it").is_err(), "{value}");
            }
        }
    }

    #[test]
    fn a_span_has_an_end_and_a_beginning() {
        let (none, second) = (Span::seconds(0), Span::seconds(1));
        for (value, least, is_taken) in [
            ("0", none, true),
            ("infinity", none, false),
            ("", none, false),
            ("", second, true),
            ("999ms", second, false),
        ] {
            assert_eq!(finite_span(value, least, "it").is_ok(), is_taken, "{value}");
        }
    }

    #[test]
    fn a_name_for_the_host_needs_its_version() {
        for (value, since) in [("yes", 0), ("private", 258), ("private:web", 258), ("TRUE:%H", 258)] {
            assert_eq!(hostname(value, "it"), Ok(since), "{value}");
        }
        for value in ["", "no:web", "private:", "private:a_b", "private:a..b", "private:-a", "x:y"] {
            assert!(hostname(value, "it").is_err(), "{value}");
        }
    }
}
