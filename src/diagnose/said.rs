//! What the last lines of a service's log tell: what it did not find, what is taken, what it may not write.

use crate::model::platform::Platform;

/// What was said of the last run that has ended, in an answer of `journalctl`: without the date and the name in front of
/// each line.
///
/// `user`: whether it is of a user's own service. Of the machine's services process 1 tells, whose number nobody else has.
pub fn last_run(log: &str, user: bool) -> String {
    let lines: Vec<(bool, &str)> = log.lines().map(|line| message(line, user)).collect();
    let is_end = |(of_systemd, text): &(bool, &str)| {
        *of_systemd
            && ["Main process exited", "Failed with result", "Deactivated successfully", "Failed to start"]
                .iter()
                .any(|end| text.contains(end))
    };
    let Some(end) = lines.iter().rposition(is_end) else {
        return joined(&lines);
    };
    let begins = |word: &str, before: usize| {
        lines[..before].iter().rposition(|(of_systemd, text)| *of_systemd && text.starts_with(word))
    };
    // On a busy machine journald reads what a program said before what systemd said of its start: so a run begins behind
    // what systemd said before that.
    let start = begins("Starting ", end).or_else(|| begins("Started ", end));
    let before = start.and_then(|at| lines[..at].iter().rposition(|(of_systemd, _)| *of_systemd));
    let begun = before.map_or(0, |at| at + 1);
    let next = lines[end..].iter().position(|(of_systemd, text)| *of_systemd && text.starts_with("Start"));
    joined(&lines[begun..next.map_or(lines.len(), |at| end + at)])
}

fn joined(lines: &[(bool, &str)]) -> String {
    lines.iter().map(|(_, text)| *text).collect::<Vec<_>>().join("\n")
}

/// What a line of the journal says, and whether systemd says it: `Nov 27 10:00:00 host systemd[1]: Started x.` The other
/// lines of a message of several begin with blanks.
fn message(line: &str, user: bool) -> (bool, &str) {
    let Some((head, text)) = line.split_once("]: ").filter(|_| !line.starts_with(' ')) else { return (false, line) };
    match head.rsplit_once('[') {
        Some((names, pid)) if pid.bytes().all(|byte| byte.is_ascii_digit()) => {
            // Month, day, time, host, and who says it.
            let is_systemd = names.split_whitespace().skip(4).eq(["systemd"]);
            (is_systemd && (user || pid == "1"), text)
        }
        _ => (false, line),
    }
}

/// A program that was not found, by what `env` and shells say of one.
pub fn missing_program(said: &str) -> Option<String> {
    said.lines().rev().find_map(|line| {
        // GNU's, with quotes of the language, and BusyBox's.
        if let Some(rest) = after(line, "env: ") {
            let name = rest.strip_prefix("can't execute ").unwrap_or(rest);
            let name = between(name, &['\u{2018}', '\''], &['\u{2019}', '\'']).or_else(|| name.split(':').next())?;
            return (rest.contains("No such file") && !name.contains('/')).then(|| name.to_owned());
        }
        // `sh: 1: node: not found`, `run.sh: line 2: node: command not found`; `zsh: command not found: node`.
        let name = match line.split_once("command not found: ") {
            Some((_, name)) => name,
            None => {
                let line = line.strip_suffix(": command not found").or_else(|| line.strip_suffix(": not found"))?;
                line.rsplit(": ").next()?
            }
        };
        (!name.is_empty() && !name.contains(['/', ' '])).then(|| name.to_owned())
    })
}

/// A library that was not found, by what the loader (ld.so(8)) or the one of musl says of it.
pub fn missing_library(said: &str) -> Option<String> {
    said.lines().rev().find_map(|line| {
        if let Some(rest) = after(line, "error while loading shared libraries: ") {
            return rest
                .contains("cannot open shared object file")
                .then(|| rest.split(':').next().unwrap_or(rest).into());
        }
        if let Some(rest) = after(line, "Error loading shared library ") {
            return rest.split(':').next().map(str::to_owned);
        }
        // As Python says it of a module, whose library is behind a colon.
        let rest = line.strip_suffix(": cannot open shared object file: No such file or directory")?;
        rest.rsplit([' ', ':']).next().filter(|name| name.contains(".so")).map(str::to_owned)
    })
}

/// Whether a port or a socket was in use, and which, as far as that is said.
pub fn port_in_use(said: &str) -> Option<Option<String>> {
    line_with(
        said,
        &["address already in use", "eaddrinuse", "address in use", "only one usage of each socket", "[errno 98]"],
    )
    .map(port_of)
}

/// Whether a port was not for the account to have, and which, as far as that is said.
pub fn port_denied(said: &str) -> Option<Option<String>> {
    let is_denied = |line: &&str| {
        let line = line.to_lowercase();
        (line.contains("permission denied") || line.contains("eacces"))
            && ["bind", "listen", "port "].iter().any(|word| line.contains(word))
    };
    said.lines().rev().find(is_denied).map(port_of)
}

/// Whether Windows kept a port for itself (WSAEACCES).
pub fn port_reserved(said: &str) -> bool {
    line_with(said, &["winerror 10013", "(os error 10013)", "a socket in a way forbidden"]).is_some()
}

/// A path of Windows that could not be opened for want of rights.
pub fn denied_on_windows(said: &str) -> Option<String> {
    said.lines().rev().find_map(|line| {
        let lower = line.to_lowercase();
        let words = ["access is denied", "permission denied", "winerror 5]", "(os error 5)"];
        let quotes: &[char] = &['\'', '"', '`'];
        let quoted = line.split(quotes).skip(1).step_by(2);
        let mut paths = quoted.filter(|path| Platform::Windows.is_absolute(&(*path).into()));
        words.iter().any(|word| lower.contains(word)).then(|| paths.next().map(str::to_owned))?
    })
}

/// The number of a port in a line such as `listen tcp :8080: bind: ...` or `bind() to 0.0.0.0:80 failed (98: ...`.
fn port_of(line: &str) -> Option<String> {
    let is_port = |text: &&str| (2..=5).contains(&text.len()) && text.parse::<u16>().is_ok();
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let behind = |mark: &str| {
        line.match_indices(mark).find_map(|(at, _)| {
            let rest = &line[at + mark.len()..];
            Some(&rest[..digits(rest)]).filter(is_port)
        })
    };
    behind(":").or_else(|| behind("port ")).or_else(|| behind("port: ")).or_else(|| behind("', ")).map(str::to_owned)
}

/// A file or directory that could not be written or opened, and whether its file system is read-only.
pub fn not_writable(said: &str) -> Option<(String, bool)> {
    said.lines().rev().find_map(|line| {
        let lower = line.to_lowercase();
        let read_only = lower.contains("read-only file system") || lower.contains("erofs");
        let denied = lower.contains("permission denied") || lower.contains("eacces");
        (read_only || denied).then(|| path_in(line))?.map(|path| (path, read_only))
    })
}

/// The first path that a line names, which is not the program that speaks.
fn path_in(line: &str) -> Option<String> {
    let quotes: [(&[char], &[char]); 2] =
        [(&['\u{2018}', '\'', '"', '`'], &['\u{2019}', '\'', '"', '`']), (&['('], &[')'])];
    let quoted =
        quotes.iter().find_map(|(open, close)| between(line, open, close)).filter(|path| path.starts_with('/'));
    let plain = || {
        let words = line.rsplit([' ', '\t', '=', '(', ')']);
        let mut paths = words.filter(|word| word.starts_with('/') && word.len() > 1);
        // `/bin/sh: 1: cannot create /x: Permission denied`: the last one.
        paths.next().map(|path| path.trim_end_matches([':', ',', '.', '\'', '"']))
    };
    quoted.or_else(plain).map(str::to_owned)
}

/// Whether it missed a terminal or its input.
pub fn no_input(said: &str) -> bool {
    line_with(
        said,
        &[
            "eoferror",
            "eof when reading a line",
            "inappropriate ioctl for device",
            "not a tty",
            "not a terminal",
            "no tty present",
            "a terminal is required",
            "unexpected eof on stdin",
        ],
    )
    .is_some()
}

/// Whether the kernel or systemd says that it has ended a process for want of memory.
pub fn out_of_memory(said: &str) -> bool {
    line_with(said, &["killed by the oom killer", "out of memory: killed process", "oom-kill"]).is_some()
}

/// Whether systemd says that it starts the service no more, because it did so too often.
pub fn too_often(said: &str) -> bool {
    line_with(said, &["start request repeated too quickly"]).is_some()
}

/// Whether the program itself says that it found no memory.
pub fn no_memory(said: &str) -> bool {
    line_with(said, &["cannot allocate memory", "memoryerror", "std::bad_alloc", "java.lang.outofmemoryerror"])
        .is_some()
}

/// What still ran of the service when its program had ended, as the stop script says it, and systemd of each process that
/// it ends or finds.
pub fn left_behind(said: &str) -> Option<&str> {
    said.lines().rev().find_map(|line| {
        if let Some(name) = line.strip_prefix("left in the background: ") {
            return Some(name);
        }
        let rest = after(line, "Killing process ").or_else(|| after(line, "Unit process "))?;
        between(rest, &['('], &[')'])
    })
}

/// The last line that has one of `words`, which are in lower case.
fn line_with<'a>(said: &'a str, words: &[&str]) -> Option<&'a str> {
    said.lines().rev().find(|line| {
        let line = line.to_lowercase();
        words.iter().any(|word| line.contains(word))
    })
}

fn after<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    line.split_once(mark).map(|(_, rest)| rest)
}

fn between<'a>(text: &'a str, open: &[char], close: &[char]) -> Option<&'a str> {
    let (_, rest) = text.split_once(open)?;
    rest.split_once(close).map(|(inside, _)| inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_run_that_has_ended_counts() {
        let run = |words: &str| {
            format!(
                "Nov 27 10:00:00 h systemd[1]: Starting web.service - web...\n\
                 Nov 27 10:00:00 h systemd[1]: Started web.service - web.\n\
                 Nov 27 10:00:01 h web[12]: {words}\n\
                 Nov 27 10:00:01 h systemd[1]: web.service: Main process exited, code=exited, status=1/FAILURE\n\
                 Nov 27 10:00:01 h systemd[1]: web.service: Failed with result 'exit-code'.\n"
            )
        };
        let log = run("Address already in use") + &run("[x]: Permission denied: '/x'");
        let said = last_run(&log, false);
        assert!(said.contains("\n[x]: Permission denied: '/x'\nweb.service: Main process"), "{said}");
        assert!(!said.contains("Address"), "{said}");
        // The next run has begun.
        let next =
            log + "Nov 27 10:00:09 h systemd[1]: Starting web.service - web...\nNov 27 10:00:09 h web[13]: hello\n";
        assert_eq!(last_run(&next, false), said);
        assert_eq!(last_run("plain\nlines", false), "plain\nlines");
    }

    #[test]
    fn a_line_that_the_journal_has_before_the_start_counts() {
        let log = "Nov 27 10:00:00 h systemd[1]: web.service: Failed with result 'exit-code'.\n\
                   Nov 27 10:00:01 h web[12]: Address already in use\n\
                   Nov 27 10:00:01 h systemd[1]: Starting web.service - web...\n\
                   Nov 27 10:00:01 h systemd[1]: Started web.service - web.\n\
                   Nov 27 10:00:01 h systemd[1]: web.service: Main process exited, code=exited, status=1/FAILURE\n";
        assert!(last_run(log, false).starts_with("Address already in use\n"), "{}", last_run(log, false));
    }

    #[test]
    fn only_systemd_tells_where_a_run_ends() {
        let log = |tag: &str| {
            format!(
                "Nov  7 10:00:00 h systemd[1]: Started web.service - web.\n\
                 Nov  7 10:00:01 h web[12]: open /x: Permission denied\n\
                 Nov  7 10:00:01 h {tag}: web.service: Main process exited, code=exited, status=1/FAILURE\n\
                 Nov  7 10:00:02 h {tag}: Started web.service - web.\n\
                 Nov  7 10:00:03 h web[12]: Address already in use\n\
                 Nov  7 10:00:03 h {tag}: web.service: Main process exited, code=exited, status=1/FAILURE\n"
            )
        };
        assert!(!last_run(&log("systemd[1]"), false).contains("denied"));
        // `logger -t systemd`, and a message of several lines.
        for tag in ["systemd[4711]", "systemd", "x\n             Nov  7 10:00:03 h systemd[1]"] {
            let said = last_run(&log(tag), false);
            assert!(said.contains("denied") && said.contains("in use"), "{tag}: {said}");
        }
        // The manager of a user has any number.
        assert!(!last_run(&log("systemd[4711]"), true).contains("denied"));
    }

    #[test]
    fn a_program_that_was_not_found() {
        for (said, name) in [
            ("/usr/bin/env: \u{2018}node\u{2019}: No such file or directory", Some("node")),
            ("/usr/bin/env: 'node': No such file or directory", Some("node")),
            ("env: can't execute 'node': No such file or directory", Some("node")),
            ("/bin/sh: 1: node: not found", Some("node")),
            ("/srv/run.sh: line 2: node: command not found", Some("node")),
            ("zsh: command not found: node", Some("node")),
            ("404 page: not found here", None),
            ("/bin/sh: 1: /opt/x: not found", None),
        ] {
            assert_eq!(missing_program(said).as_deref(), name, "{said}");
        }
    }

    #[test]
    fn a_library_that_was_not_found() {
        for (said, name) in [
            (
                "/opt/x: error while loading shared libraries: libq.so.1: cannot open shared object file: No such file or directory",
                Some("libq.so.1"),
            ),
            ("Error loading shared library libq.so.1: No such file or directory (needed by /opt/x)", Some("libq.so.1")),
            ("ImportError: libq.so.1: cannot open shared object file: No such file or directory", Some("libq.so.1")),
            ("error while loading shared libraries: libq.so: wrong ELF class: ELFCLASS32", None),
            ("loading libraries", None),
        ] {
            assert_eq!(missing_library(said).as_deref(), name, "{said}");
        }
    }

    #[test]
    fn a_port_and_its_number() {
        for (said, port) in [
            ("listen tcp :8080: bind: address already in use", Some(Some("8080"))),
            ("nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)", Some(Some("80"))),
            ("Error: listen EADDRINUSE: address already in use :::3000", Some(Some("3000"))),
            ("OSError: [Errno 98] Address already in use", Some(None)),
            ("Address already in use\nPort 5000 is in use by another program.", Some(None)),
            ("all is well on port 8080", None),
            ("processed (98) items", None),
        ] {
            assert_eq!(port_in_use(said), port.map(|port| port.map(str::to_owned)), "{said}");
        }
        let denied = "listen tcp :443: bind: permission denied";
        assert_eq!(port_denied(denied), Some(Some("443".into())));
        assert_eq!(port_denied("open /x: permission denied"), None);
    }

    #[test]
    fn what_could_not_be_written() {
        for (said, path) in [
            ("PermissionError: [Errno 13] Permission denied: '/var/lib/x/y'", Some(("/var/lib/x/y", false))),
            ("/bin/sh: 1: cannot create /srv/data/x: Permission denied", Some(("/srv/data/x", false))),
            ("mkdir: cannot create directory \u{2018}/srv/x\u{2019}: Permission denied", Some(("/srv/x", false))),
            ("open /srv/x.db: permission denied", Some(("/srv/x.db", false))),
            ("touch: cannot touch '/etc/x': Read-only file system", Some(("/etc/x", true))),
            ("Permission denied (publickey)", None),
        ] {
            let expected = path.map(|(path, read_only)| (path.to_owned(), read_only));
            assert_eq!(not_writable(said), expected, "{said}");
        }
    }

    #[test]
    fn what_windows_did_not_let_it_open() {
        for (said, path) in [
            (r"PermissionError: [WinError 5] Access is denied: 'C:\\x\\y'", Some(r"C:\\x\\y")),
            (r#"open "\\server\share\x": Permission denied"#, Some(r"\\server\share\x")),
            ("Access is denied.", None),
            ("Permission denied: '/srv/x'", None),
            (r"no such file: 'C:\x'", None),
        ] {
            assert_eq!(denied_on_windows(said).as_deref(), path, "{said}");
        }
        assert!(port_reserved("[WinError 10013] An attempt was made ...") && !port_reserved("port 10013 is fine"));
    }

    #[test]
    fn what_still_ran() {
        let said = "web.service: Killing process 4711 (mine) with signal SIGKILL.\nweb.service: Scheduled restart job";
        assert_eq!(left_behind(said), Some("mine"));
        let said = "web.service: Unit process 4711 (mine) remains running after unit stopped.";
        assert_eq!(left_behind(said), Some("mine"));
        assert_eq!(left_behind("left in the background: mine\nweb.service: Deactivated successfully."), Some("mine"));
        assert_eq!(left_behind("Started x (y)"), None);
    }
}
