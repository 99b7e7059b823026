//! Accounts of Linux.

use std::ffi::CString;
use std::io;
use std::process::{Child, Command};

use nix::unistd::{Gid, Group, Uid, User, getgrouplist, setgroups, setresgid, setresuid};
use serde::{Deserialize, Serialize};

use crate::host::text::text;
use crate::model::text::Text;

const ROOT: Uid = Uid::from_raw(0);

/// An account, and what a process of it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Account {
    name: String,
    home: Text,
    shell: Text,
    user: u32,
    group: u32,
    groups: Vec<u32>,
}

impl Account {
    /// The account that systemd makes the process of a service: with the group `Group=` in the place of its own, and
    /// with `SupplementaryGroups=` besides those that it is in. `None` where one of them is not there.
    pub fn of_service(name: &str, group: Option<&str>, more: &[&str]) -> Option<Self> {
        let by_number = || name.parse().ok().map(Uid::from_raw);
        let user = match User::from_name(name).ok()? {
            Some(user) => Some(user),
            None => User::from_uid(by_number()?).ok()?,
        };
        // A number that no account has is one all the same.
        let (id, own_group) = user.as_ref().map_or_else(
            || Some((by_number()?, Gid::from_raw(by_number()?.as_raw()))),
            |user| Some((user.uid, user.gid)),
        )?;
        let group = group.map_or(Some(own_group), id_of_group)?;
        let mut groups = match &user {
            Some(user) => getgrouplist(&CString::new(user.name.as_str()).ok()?, group).ok()?,
            None => vec![group],
        };
        for name in more {
            groups.push(id_of_group(name)?);
        }
        Some(Self {
            name: user.as_ref().map_or_else(|| name.to_owned(), |user| user.name.clone()),
            home: user.as_ref().map_or_else(|| "/".into(), |user| text(&user.dir)),
            shell: user.as_ref().map_or_else(|| "/bin/sh".into(), |user| text(&user.shell)),
            user: id.as_raw(),
            group: group.as_raw(),
            groups: groups.into_iter().map(Gid::as_raw).collect(),
        })
    }

    /// The variables that a service of it has (systemd.exec(5), "Environment Variables Set or Propagated by the
    /// Service Manager").
    pub fn variables(&self) -> Vec<(Text, Text)> {
        let name = Text::from(self.name.as_str());
        let of = [("HOME", &self.home), ("LOGNAME", &name), ("SHELL", &self.shell), ("USER", &name)];
        of.map(|(variable, value)| (variable.into(), value.clone())).to_vec()
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.user
    }

    /// Starts a command as this account; only root may.
    ///
    /// What a process executes has the real and the effective id of that process, and its effective one for the saved
    /// one (execve(2)): the command has no way back, and we have, through the saved id.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        let (user, group) = (Uid::from_raw(self.user), Gid::from_raw(self.group));
        let groups: Vec<Gid> = self.groups.iter().copied().map(Gid::from_raw).collect();
        setgroups(&groups)?;
        setresgid(group, group, group)?;
        setresuid(user, user, ROOT)?;
        let spawned = command.spawn();
        setresuid(ROOT, ROOT, ROOT)?;
        spawned
    }
}

/// The account in whose home directory a path lies, where homes are where they usually are.
pub fn owner_of_home(path: &Text) -> Option<String> {
    let path = path.as_str()?;
    let home = match path.strip_prefix("/home/") {
        Some(rest) => format!("/home/{}", rest.split('/').next()?),
        None => path.starts_with("/root/").then(|| "/root".to_owned())?,
    };
    let name = home.strip_prefix("/home/").unwrap_or("root");
    let user = User::from_name(name).ok()??;
    (user.dir.as_os_str() == home.as_str()).then_some(user.name)
}

fn id_of_group(name: &str) -> Option<Gid> {
    let by_number = || name.parse().ok().map(Gid::from_raw);
    Group::from_name(name).ok()?.map(|group| group.gid).or_else(by_number)
}
