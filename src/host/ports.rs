//! Who listens on a port of this host, as the kernel of Linux tells root (proc_net(5), proc_pid_fd(5)).

use std::fs;

use crate::diagnose::start::Holder;

/// The files that list the sockets, and the state of one that listens: TCP_LISTEN, and for UDP, which has none, TCP_CLOSE
/// (`include/net/tcp_states.h` of Linux).
const LISTS: [(&str, &str); 4] =
    [("/proc/net/tcp", "0A"), ("/proc/net/tcp6", "0A"), ("/proc/net/udp", "07"), ("/proc/net/udp6", "07")];

/// The process that listens on a port, where that is told.
pub fn holder(port: u16) -> Option<Holder> {
    let sockets: Vec<String> = LISTS
        .iter()
        .flat_map(|(path, state)| listening(&fs::read_to_string(path).unwrap_or_default(), state, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    if sockets.is_empty() {
        return None;
    }
    let processes = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let has_it = |process: &u32| {
        let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        let mut targets = open.filter_map(|file| fs::read_link(file.path()).ok());
        targets.any(|target| sockets.iter().any(|socket| target.as_os_str() == socket.as_str()))
    };
    let process = processes.into_iter().find(has_it)?;
    let said = |file: &str| fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
    let (unit, user) = unit_of(&said("cgroup")).unzip();
    Some(Holder { program: said("comm").trim_end().to_owned(), process, unit, user: user.unwrap_or_default() })
}

/// The inodes of the sockets in `list` that listen on `port`.
fn listening(list: &str, state: &str, port: u16) -> Vec<String> {
    let end = format!(":{port:04X}");
    let inode = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_it = fields.get(1)?.ends_with(&end) && *fields.get(3)? == state;
        fields.get(9).filter(|_| is_it).map(|inode| (*inode).to_owned())
    };
    list.lines().filter_map(inode).collect()
}

/// The service that a process belongs to, and whether it is a user's, by its control groups: systemd's are called like
/// its units.
fn unit_of(groups: &str) -> Option<(String, bool)> {
    groups.lines().find_map(|line| {
        let path = line.strip_prefix("0::").or_else(|| line.split_once(":name=systemd:").map(|(_, path)| path))?;
        let mut units = path.rsplit('/').filter_map(|part| part.strip_suffix(".service"));
        let unit = units.next().filter(|unit| !unit.starts_with("user@"))?;
        Some((unit.to_owned(), units.any(|unit| unit.starts_with("user@"))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_is_read_from_the_list_of_the_kernel() {
        let list = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
                    0: 0100007F:4800 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100\n   \
                    1: 0100007F:4800 0100007F:9000 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 20\n   \
                    2: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100\n";
        assert_eq!(listening(list, "0A", 18432), ["4711"]);
        assert_eq!(listening(list, "0A", 80), ["4713"]);
        assert!(listening(list, "0A", 443).is_empty());
    }

    #[test]
    fn a_control_group_tells_the_unit() {
        let unit = |groups| unit_of(groups).map(|(unit, user)| (unit, if user { "a user's" } else { "of the system" }));
        let of = |name: &str, whose| Some((name.to_owned(), whose));
        assert_eq!(unit("0::/system.slice/nginx.service\n"), of("nginx", "of the system"));
        assert_eq!(unit("9:name=systemd:/system.slice/web@1.service\n8:pids:/\n0::/\n"), of("web@1", "of the system"));
        assert_eq!(
            unit("0::/user.slice/user-1000.slice/user@1000.service/app.slice/dev.service\n"),
            of("dev", "a user's")
        );
        assert_eq!(unit("0::/user.slice/user-1000.slice/session-3.scope\n"), None);
        assert_eq!(unit("0::/user.slice/user-1000.slice/user@1000.service/init.scope\n"), None);
    }
}
