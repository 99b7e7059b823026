//! Programs that end at once without an error: those that put themselves into the background, and those that find
//! nothing on standard input.

use super::{Finding, Kind, word};
use crate::model::platform::Platform;
use crate::model::text::Text;

/// What keeps a daemon in front, by the name of its program, as its manual page has it.
const IN_FRONT: [(&str, &str); 55] = [
    ("apache2", "-DFOREGROUND"),
    ("apache2ctl", "-DFOREGROUND"),
    ("apachectl", "-DFOREGROUND"),
    ("atd", "-f"),
    ("avahi-daemon", "without `-D`"),
    ("bluetoothd", "-n"),
    ("caddy", "`run`, not `start`"),
    ("catalina.sh", "`run`, not `start`"),
    ("chronyd", "-d"),
    ("collectd", "-f"),
    ("cron", "-f"),
    ("crond", "`-n`, or `-f` of BusyBox"),
    ("dhcpd", "-f"),
    ("dnsmasq", "--keep-in-foreground"),
    ("docker", "`run` without `-d`"),
    ("dropbear", "-F"),
    ("fail2ban-server", "-f"),
    ("gunicorn", "without `--daemon`"),
    ("haproxy", "-db"),
    ("hostapd", "without `-B`"),
    ("httpd", "-DFOREGROUND"),
    ("inetd", "-i"),
    ("keepalived", "-n"),
    ("lighttpd", "-D"),
    ("memcached", "without `-d`"),
    ("mongod", "without `--fork`"),
    ("monit", "-I"),
    ("mosquitto", "without `-d`"),
    ("named", "-f"),
    ("nginx", "-g 'daemon off;'"),
    ("nmbd", "--foreground --no-process-group"),
    ("ntpd", "-n"),
    ("openvpn", "without `--daemon`"),
    ("pg_ctl", "`postgres -D DIR` itself, not `pg_ctl start`"),
    ("pm2", "`pm2-runtime` in its place"),
    ("podman", "`run` without `-d`"),
    ("privoxy", "--no-daemon"),
    ("proftpd", "--nodaemon"),
    ("redis-server", "--daemonize no"),
    ("rpcbind", "-f"),
    ("rsync", "--no-detach"),
    ("rsyslogd", "-n"),
    ("screen", "-D -m"),
    ("smbd", "--foreground --no-process-group"),
    ("snmpd", "-f"),
    ("squid", "-N"),
    ("ssh", "without `-f`, and with `-N`"),
    ("sshd", "-D"),
    ("startup.sh", "`catalina.sh run` in its place"),
    ("supervisord", "-n"),
    ("transmission-daemon", "-f"),
    ("unbound", "-d"),
    ("valkey-server", "--daemonize no"),
    ("vsftpd", "-obackground=NO"),
    ("zabbix_agentd", "-f"),
];

/// Programs that read their commands from standard input when they are given none.
const READERS: [&str; 17] = [
    "ash", "bash", "bc", "cat", "dash", "fish", "irb", "ksh", "lua", "mysql", "node", "perl", "psql", "ruby", "sh",
    "sqlite3", "zsh",
];

/// What keeps a program in front, by its path.
pub fn in_front(program: &str) -> Option<&'static str> {
    let name = last(program);
    // php-fpm8.2 and its like.
    if name.starts_with("php-fpm") {
        return Some("--nodaemonize");
    }
    IN_FRONT.iter().find(|(known, _)| *known == name).map(|(_, how)| *how)
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn reads_input(words: &str) -> bool {
    let name = last(words);
    READERS.contains(&name) || name.starts_with("python")
}

/// What still ran of a service when its program had ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left<'a> {
    /// A process of this name.
    Process(&'a str),
    /// None.
    Nothing,
    /// Nobody has looked.
    Unknown,
}

/// Why the program of a service has ended at once without an error. `words` is the command.
pub fn ended(service: &str, program: &Text, words: &str, left: Left<'_>) -> Finding {
    const AT_ITS_END: &str = "when the program of a service ends, the service has ended, and what it left in the background \
                              is ended too";
    let background = |what: String, cure: String| Finding::new(Kind::Background, what, AT_ITS_END, cure);
    if words.trim_end_matches(['"', '\'', ' ']).ends_with('&') {
        return background(
            "the command ends with `&`, which puts it into the background".into(),
            format!("install `{service}` again without the `&`"),
        );
    }
    let called = Platform::Unix.file_name(program).to_string();
    if words.split([' ', '"', '\'']).any(|word| last(word) == "nohup") && words.contains('&') {
        return background(
            "`nohup ... &` puts the program into the background".into(),
            format!("install `{service}` again without `nohup` and `&`: a service needs neither"),
        );
    }
    let by_words = words.split(['"', ' ']).find_map(|word| in_front(word).map(|how| (last(word), how)));
    if let Some((name, how)) = in_front(&called).map(|how| (&*called, how)).or(by_words) {
        let how = match () {
            () if how.starts_with("without") => how.to_owned(),
            () if how.starts_with('`') => format!("with {how}"),
            () => format!("with `{how}`"),
        };
        return background(
            format!("`{name}` puts itself into the background"),
            format!("install `{service}` again {how}, which keeps it in front"),
        );
    }
    if let Left::Process(left) = left {
        return background(
            format!("the program put itself into the background: `{left}` still ran when it ended"),
            format!(
                "look for an option that keeps it in front (often `--foreground`, `--no-daemon`, `-f` or `-F`): \
                 {}",
                help_of(program)
            ),
        );
    }
    if reads_input(words.trim_matches('"')) {
        return Finding::new(
            Kind::Input,
            format!("`{called}` reads what it should do from standard input, which is `/dev/null` in a service"),
            "it finds the end of its input at once, and ends",
            format!(
                "install `{service}` again with what it should run, such as {}",
                format_args!("`-- {} SCRIPT`", word(program))
            ),
        );
    }
    if left == Left::Nothing {
        return Finding::new(
            Kind::Input,
            "nothing of it runs any more: it has done its work, or found no input, which is `/dev/null` in a service",
            "what waits for Enter or for a command finds the end of its input at once, and ends",
            format!(
                "look for an option that keeps it running without input (often `--daemon`, `--server` or `--headless`): {}; \
                 where it has done its work and should not start again, install it with `--restart on-failure`",
                help_of(program)
            ),
        );
    }
    Finding::new(
        Kind::Background,
        "it put itself into the background, or found no input: standard input is `/dev/null` in a service",
        AT_ITS_END,
        format!(
            "look for an option that keeps it in front (often `--foreground`, `--no-daemon`, `-f` or `-F`): \
             {}; where it has done its work and should not start again, install it with `--restart on-failure`",
            help_of(program)
        ),
    )
}

fn help_of(program: &Text) -> String {
    format!("`{} --help`", word(program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn ends(program: &str, words: &str, left: Left<'_>) -> (Kind, String, String) {
        let found = ended("web", &program.into(), words, left);
        (found.kind, found.what, found.cure)
    }

    #[test]
    fn the_daemons_are_each_there_once() {
        assert!(IN_FRONT.is_sorted_by(|(a, _), (b, _)| a < b));
        assert!(READERS.is_sorted());
    }

    #[test]
    fn a_known_daemon_is_told_how_to_stay_in_front() {
        for (program, how) in [
            ("/usr/sbin/cron", "`-f`"),
            ("/usr/sbin/nginx", "`-g 'daemon off;'`"),
            ("/usr/sbin/sshd", "`-D`"),
            ("/usr/bin/redis-server", "`--daemonize no`"),
            ("/usr/sbin/php-fpm8.2", "`--nodaemonize`"),
            ("/usr/sbin/hostapd", "without `-B`"),
        ] {
            let (kind, what, cure) = ends(program, program, Left::Unknown);
            assert_eq!(kind, Kind::Background);
            assert_eq!(what, format!("`{}` puts itself into the background", last(program)));
            assert!(cure.contains(&format!("{how}, which keeps it in front")), "{cure}");
        }
        let (_, what, _) = ends("/bin/sh", "/bin/sh -c \"/usr/sbin/cron\"", Left::Unknown);
        assert_eq!(what, "`cron` puts itself into the background");
    }

    #[test]
    fn an_ampersand_is_seen() {
        let (_, what, _) = ends("/bin/sh", "/bin/sh -c \"sleep 100 &\"", Left::Unknown);
        assert_eq!(what, "the command ends with `&`, which puts it into the background");
        let (_, what, _) = ends("/bin/sh", "/bin/sh -c \"nohup sleep 100 & echo done\"", Left::Unknown);
        assert!(what.starts_with("`nohup ... &`"), "{what}");
    }

    #[test]
    fn what_still_ran_gives_an_unknown_daemon_away() {
        let (kind, what, cure) = ends("/opt/mine", "/opt/mine", Left::Process("mine"));
        assert_eq!((kind, what.contains("`mine` still ran")), (Kind::Background, true));
        assert!(cure.ends_with("`/opt/mine --help`"), "{cure}");
        let (_, _, cure) = ends("/opt/my $(id)", "/opt/my", Left::Process("mine"));
        assert!(cure.ends_with("`'/opt/my $(id)' --help`"), "{cure}");
    }

    #[test]
    fn an_interpreter_without_a_script_waits_for_input() {
        for program in ["/bin/bash", "/usr/bin/python3.11", "/usr/bin/node"] {
            assert_eq!(ends(program, program, Left::Unknown).0, Kind::Input, "{program}");
        }
        assert_eq!(ends("/bin/bash", "/bin/bash run.sh", Left::Unknown).0, Kind::Background);
        assert!(ends("/opt/mine", "/opt/mine", Left::Unknown).1.contains("`/dev/null`"));
        let (kind, what, cure) = ends("/opt/mine", "/opt/mine", Left::Nothing);
        assert_eq!((kind, what.contains("background")), (Kind::Input, false));
        assert!(cure.contains("`/opt/mine --help`"), "{cure}");
    }
}
