//! What lies where a program should: its first bytes, its mode, the mount that it is on, and what it needs to start.

use std::fs;
use std::io;
use std::sync::OnceLock;

use super::facts::{Host, may_read};
use super::files;
use super::reading::{self, Links};
use super::text::{path as to_path, text};
use crate::diagnose::program::{Format, Lies, ProgramFile, START};
use crate::model::facts::Facts;
use crate::model::first_line::DEEPEST;
use crate::model::text::Text;

/// Looks at the program `path`, as `account` would start it; `None` is root.
pub fn look(path: &Text, account: Option<&str>) -> ProgramFile {
    look_at(path, account, DEEPEST)
}

fn look_at(path: &Text, account: Option<&str>, deepest: usize) -> ProgramFile {
    let mut file = ProgramFile {
        path: path.clone(),
        lies: Lies::File,
        format: None,
        executable: true,
        noexec: false,
        closed: account.and_then(|account| Host::default().closed_to(account, path)),
        unreadable: false,
        leads_to: None,
        next: None,
    };
    match fs::metadata(to_path(path)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            file.lies = Lies::Nothing;
            file.leads_to = fs::read_link(to_path(path)).ok().map(text);
            file.executable = false;
        }
        // It is not for us to look at, which says nothing of the service.
        Err(_) => {}
        Ok(metadata) => match reading::other_kind(&metadata) {
            Some(kind) => file.lies = Lies::NoFile(kind),
            None => {
                file.executable = files::is_executable(&metadata);
                file.noexec = is_on_noexec(path);
                let opened = reading::open(path, Links::Followed).ok();
                file.format = opened.and_then(|opened| opened.start(START).ok()).map(|start| Format::of(&start));
            }
        },
    }
    let is_text = matches!(file.format, Some(Format::Script(_) | Format::Marked | Format::Text));
    file.unreadable = is_text && account.is_some_and(|account| may_read(account, path) == Some(false));
    let next = match &file.format {
        Some(Format::Script(line)) if !line.ends_as_on_windows() && line.interpreter != *path => {
            Some(&line.interpreter)
        }
        Some(Format::Elf { loader, .. }) => loader.as_ref(),
        Some(Format::Empty | Format::Script(_) | Format::Marked | Format::Text | Format::Other) | None => None,
    };
    let next = next.filter(|next| deepest > 0 && next.as_bytes().starts_with(b"/"));
    file.next = next.map(|next| Box::new(look_at(next, account, deepest - 1)));
    file
}

#[cfg(target_os = "linux")]
fn is_on_noexec(path: &Text) -> bool {
    use nix::sys::statvfs::{FsFlags, statvfs};
    statvfs(&to_path(path)).is_ok_and(|of| of.flags().contains(FsFlags::ST_NOEXEC))
}

#[cfg(not(target_os = "linux"))]
fn is_on_noexec(_path: &Text) -> bool {
    false
}

/// `e_machine` of the programs that run here, which is that of this one. Where the kernel was told of interpreters for
/// others (`binfmt_misc`), nothing is known.
pub fn machine() -> Option<u16> {
    static MACHINE: OnceLock<Option<u16>> = OnceLock::new();
    *MACHINE.get_or_init(look_at_machine)
}

fn look_at_machine() -> Option<u16> {
    let others = fs::read_dir("/proc/sys/fs/binfmt_misc").into_iter().flatten().flatten();
    if others.into_iter().any(|entry| !matches!(entry.file_name().to_str(), Some("register" | "status"))) {
        return None;
    }
    let this = reading::open(&"/proc/self/exe".into(), Links::Followed).ok()?.start(START).ok()?;
    match Format::of(&this) {
        Format::Elf { machine, .. } => Some(machine),
        Format::Empty | Format::Script(_) | Format::Marked | Format::Text | Format::Other => None,
    }
}
