//! The file of a program: what its first bytes say, and why a kernel would not start it.

use super::elf::Elf;
use super::{Finding, Kind, plain, typed, word};
use crate::model::first_line::{BYTE_ORDER_MARK, FirstLine};
use crate::model::text::Text;

/// How many bytes of a file are looked at. The name of an executable's loader lies within the first of its pages.
pub const START: u64 = 8192;

/// What a file is, by its first bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Nothing is in it.
    Empty,
    /// An executable of the Executable and Linkable Format (elf(5)).
    Elf {
        /// Whether it is made for 64 bits.
        wide: bool,
        /// `e_machine`: the kind of processor.
        machine: u16,
        /// The program that loads it, where it needs one.
        loader: Option<Text>,
    },
    /// A text whose first line names its interpreter.
    Script(FirstLine),
    /// A text that begins with a byte-order mark.
    Marked,
    /// A text whose first line names no interpreter.
    Text,
    /// Something else.
    Other,
}

impl Format {
    /// What a file is that begins with `start`.
    pub fn of(start: &[u8]) -> Self {
        if start.is_empty() {
            return Self::Empty;
        }
        if start.starts_with(b"\x7fELF") {
            let mut start = start;
            return Elf::of(&mut start).map_or(Self::Other, |elf| {
                let loader = elf.loader(&mut start);
                Self::Elf { wide: elf.wide, machine: elf.machine, loader }
            });
        }
        if let Some(line) = FirstLine::of(start) {
            return Self::Script(line);
        }
        let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let is_text = !first.contains(&0) && start.iter().take(256).all(|byte| !matches!(byte, 0..=8 | 14..=26));
        match () {
            () if !is_text => Self::Other,
            () if start.starts_with(BYTE_ORDER_MARK) => Self::Marked,
            () => Self::Text,
        }
    }

    /// The first line of a script.
    pub fn first_line(&self) -> Option<&FirstLine> {
        match self {
            Self::Script(line) => Some(line),
            Self::Empty | Self::Elf { .. } | Self::Marked | Self::Text | Self::Other => None,
        }
    }
}

/// What lies where a program should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lies {
    /// Nothing.
    Nothing,
    /// A directory, or something else that is no file.
    NoFile(&'static str),
    /// A file.
    File,
}

/// The file of a program, as it is on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramFile {
    /// Its path.
    pub path: Text,
    /// What is there.
    pub lies: Lies,
    /// What it is; `None` where it cannot be read.
    pub format: Option<Format>,
    /// Whether anybody may execute it.
    pub executable: bool,
    /// Whether it lies on a file system that is mounted with `noexec` (mount(8)).
    pub noexec: bool,
    /// The first directory or file on the way to it that is closed to the account.
    pub closed: Option<Text>,
    /// Whether it is a script that the account may not read.
    pub unreadable: bool,
    /// Where a link in its place leads, if nothing is there.
    pub leads_to: Option<Text>,
    /// The interpreter of a script, or the loader of an executable.
    pub next: Option<Box<ProgramFile>>,
}

/// Who runs a program, and on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runs<'a> {
    /// The service.
    pub service: &'a str,
    /// The account of it, where that is not root.
    pub account: Option<&'a str>,
    /// `e_machine` of what runs on this host, where that is known.
    pub machine: Option<u16>,
}

const WILL_NOT_START: &str = "the kernel does not start it, and the service fails with 203";

impl ProgramFile {
    /// Why the kernel does not start it, the surest cause first; nothing where nothing is wrong with it.
    pub fn faults(&self, runs: Runs<'_>) -> Vec<Finding> {
        let path = &self.path;
        match self.lies {
            Lies::Nothing => return vec![self.gone(runs)],
            Lies::NoFile(kind) => {
                return vec![Finding::new(
                    Kind::Program,
                    format!("`{path}` is {kind}, not a program"),
                    WILL_NOT_START,
                    format!(
                        "{} shows it; install `{}` again with the path of the program",
                        typed("ls -ld", path),
                        runs.service
                    ),
                )];
            }
            Lies::File => {}
        }
        let mut faults = Vec::new();
        if !self.executable {
            faults.push(Finding::new(
                Kind::NotExecutable,
                format!("`{path}` is not marked as executable"),
                WILL_NOT_START,
                typed("chmod +x", path),
            ));
        }
        faults.extend(self.closed.as_ref().map(|at| closed(path, at, runs)));
        if self.noexec {
            faults.push(self.on_noexec());
        }
        match &self.format {
            None | Some(Format::Other) => {}
            Some(Format::Empty) => faults.push(Finding::new(
                Kind::Program,
                format!("`{path}` is empty"),
                WILL_NOT_START,
                format!("{} shows it; copy the program there again", typed("ls -l", path)),
            )),
            Some(Format::Text) => faults.push(Finding::new(
                Kind::Interpreter,
                format!("`{path}` is a text whose first line is not `#!/path/of/its/interpreter`"),
                "a shell makes up for that, and a service manager does not: the service fails with 203",
                format!(
                    "{} adds the line for a shell script, or name what runs it in front of it: {}",
                    typed("sed -i '1i #!/bin/sh'", path),
                    typed("-- /bin/sh", path)
                ),
            )),
            Some(Format::Marked) => faults.push(Finding::new(
                Kind::Interpreter,
                format!("`{path}` begins with a byte-order mark, as some editors of Windows write it"),
                "the kernel looks for `#!` in its place: the service fails with 203",
                format!("{} takes it away", typed(r"sed -i '1s/^\xEF\xBB\xBF//'", path)),
            )),
            Some(Format::Script(line)) => faults.extend(self.script_faults(line, runs)),
            Some(Format::Elf { wide, machine, loader }) => {
                faults.extend(self.elf_faults(*wide, *machine, loader.as_ref(), runs));
            }
        }
        faults
    }

    fn gone(&self, runs: Runs<'_>) -> Finding {
        let (path, service) = (&self.path, runs.service);
        let what = match &self.leads_to {
            Some(target) => format!("`{path}` leads to `{target}`, which is gone"),
            None => format!("the program `{path}` is gone"),
        };
        let name = path.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        if name.starts_with(b"python") {
            return Finding::new(
                Kind::Interpreter,
                what,
                "a virtual environment that moved, or whose Python was updated, starts nothing any more",
                format!(
                    "`python3 -m venv DIR` makes it again at its place; `--python PATH` at an install of `{service}` names another one"
                ),
            );
        }
        let cure = format!("bring it back, or install `{service}` again with the path that it has now");
        Finding::new(Kind::Program, what, WILL_NOT_START, cure)
    }

    fn on_noexec(&self) -> Finding {
        let path = &self.path;
        let through = match self.format.as_ref().and_then(Format::first_line) {
            Some(line) => {
                let interpreter = plain(&line.interpreter).unwrap_or("/path/of/its/interpreter");
                format!("name the interpreter in front of it: {}", typed(&format!("-- {interpreter}"), path))
            }
            None => "move it to a file system without `noexec`, such as that of /usr/local/bin".to_owned(),
        };
        Finding::new(
            Kind::NoExec,
            format!("`{path}` lies on a file system that is mounted with `noexec`"),
            "nothing on it can be executed, whatever its mode: the service fails with 203",
            format!("{} shows the mount; {through}", typed("findmnt -T", path)),
        )
    }

    fn script_faults(&self, line: &FirstLine, runs: Runs<'_>) -> Vec<Finding> {
        let (path, interpreter) = (&self.path, &line.interpreter);
        let fault = |what: String, why: &str, cure: String| vec![Finding::new(Kind::Interpreter, what, why, cure)];
        if line.ends_as_on_windows() {
            return vec![Finding::new(
                Kind::CarriageReturn,
                format!("the first line of `{path}` ends with a carriage return, as on Windows"),
                "the carriage return belongs to the name of the interpreter then, and there is none of that name",
                format!("{} makes its lines end as on Linux", typed(r"sed -i 's/\r$//'", path)),
            )];
        }
        if interpreter.is_empty() {
            return fault(
                format!("the first line of `{path}` is `#!`, and names no interpreter"),
                "the kernel starts a script through its interpreter: the service fails with 203",
                format!("change the first line of `{path}`, such as to `#!/bin/sh`"),
            );
        }
        if !interpreter.as_bytes().starts_with(b"/") {
            return fault(
                format!("the first line of `{path}` names `{interpreter}`, which is no absolute path"),
                "it is looked for in the working directory of the service, and nowhere else",
                format!("{} has it looked for on PATH", typed("sed -i '1s|^#! *|#!/usr/bin/env |'", path)),
            );
        }
        if let Some(words) = line.one_name() {
            return fault(
                format!("the first line of `{path}` has `env` look for a program of the name `{words}`"),
                "all that stands behind `env` there is one name: the service ends with 127",
                format!("change the first line of `{path}` so that it begins with `#!/usr/bin/env -S`"),
            );
        }
        if interpreter == path {
            return fault(
                format!("the first line of `{path}` names `{path}` itself"),
                "a script cannot be its own interpreter: the service fails with 203",
                format!("change the first line of `{path}`, such as to `#!/bin/sh`"),
            );
        }
        let Some(next) = &self.next else { return Vec::new() };
        next.faults(runs)
            .into_iter()
            .map(|fault| match fault.kind {
                Kind::Program | Kind::Interpreter if next.lies == Lies::Nothing => Finding::new(
                    Kind::Interpreter,
                    format!("the first line of `{path}` names `{interpreter}`, which is not there"),
                    "the kernel starts a script through its interpreter: the service fails with 203",
                    format!(
                        "change the first line of `{path}`; a virtual environment that moved is made again at its place"
                    ),
                ),
                _ => fault,
            })
            .collect()
    }

    fn elf_faults(&self, wide: bool, machine: u16, loader: Option<&Text>, runs: Runs<'_>) -> Vec<Finding> {
        let path = &self.path;
        let mut faults = Vec::new();
        if let Some(here) = runs.machine.filter(|here| !runs_on(machine, *here)) {
            faults.push(Finding::new(
                Kind::WrongMachine,
                format!("`{path}` is made for {}, and this machine is {}", machine_name(machine), machine_name(here)),
                WILL_NOT_START,
                format!(
                    "{} shows what it is made for; install the one for {}",
                    typed("file", path),
                    machine_name(here)
                ),
            ));
        }
        if let (Some(loader), Some(Lies::Nothing), true) =
            (loader, self.next.as_ref().map(|next| next.lies), faults.is_empty())
        {
            let (what, cure) = if loader.as_bytes().windows(7).any(|part| part == b"ld-musl") {
                (
                    "is made for musl, a C library that this system does not have",
                    "`sudo apt-get install musl` brings it on Debian and Ubuntu",
                )
            } else if wide {
                ("asks for a loader that is not there", "install the one that is made for this distribution")
            } else {
                (
                    "is a 32-bit program, and the 32-bit loader is not there",
                    "`sudo dpkg --add-architecture i386 && sudo apt-get update && sudo apt-get install libc6:i386` \
                     brings it on Debian and Ubuntu, `sudo dnf install glibc.i686` on Fedora",
                )
            };
            faults.push(Finding::new(
                Kind::Loader,
                format!("`{path}` {what}: `{loader}`"),
                "the kernel says \"No such file or directory\" of the program, and means its loader",
                cure,
            ));
        }
        faults
    }
}

/// A file or directory that is closed to the account of a service.
pub fn closed(path: &Text, at: &Text, runs: Runs<'_>) -> Finding {
    let account = runs.account.unwrap_or("root");
    Finding::new(
        Kind::Closed,
        format!("`{path}` is out of reach of the account `{account}`: `{at}` is closed to it"),
        "the service cannot start what its account may not reach",
        format!(
            "{} opens it for everybody, {} for this account",
            typed("sudo chmod o+x", at),
            typed(&format!("sudo setfacl -m {}", word(&format!("u:{account}:x").into())), at)
        ),
    )
}

/// The kinds of processors, as people call them (`EM_...` in elf.h).
const MACHINES: [(u16, &str); 12] = [
    (2, "SPARC"),
    (3, "32-bit x86 (i386)"),
    (8, "MIPS"),
    (20, "32-bit PowerPC"),
    (21, "64-bit PowerPC"),
    (22, "IBM Z (s390)"),
    (40, "32-bit ARM"),
    (43, "64-bit SPARC"),
    (62, "x86-64"),
    (183, "64-bit ARM (aarch64)"),
    (243, "RISC-V"),
    (258, "LoongArch"),
];

fn machine_name(machine: u16) -> String {
    let known = MACHINES.iter().find(|(number, _)| *number == machine);
    known.map_or_else(|| format!("another kind of processor (number {machine})"), |(_, name)| (*name).to_owned())
}

/// Whether a kernel for `here` starts programs for `machine`: of its own kind, and of its 32-bit one.
fn runs_on(machine: u16, here: u16) -> bool {
    machine == here || matches!((machine, here), (3, 62) | (40, 183) | (20, 21) | (2, 43))
}

#[cfg(test)]
impl ProgramFile {
    /// A program with which nothing is wrong.
    pub(super) fn sound(path: &str, format: Format) -> Self {
        Self {
            path: path.into(),
            lies: Lies::File,
            format: Some(format),
            executable: true,
            noexec: false,
            closed: None,
            unreadable: false,
            leads_to: None,
            next: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The header of an executable, with the loader that it asks for.
    fn executable(wide: bool, machine: u16, loader: &str) -> Vec<u8> {
        let (header, entry) = if wide { (64, 56) } else { (52, 32) };
        let mut file = vec![0; header + entry];
        file[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', if wide { 2 } else { 1 }, 1]);
        let mut put = |at: usize, value: usize, length: usize| {
            file[at..at + length].copy_from_slice(&value.to_le_bytes()[..length]);
        };
        put(18, machine.into(), 2);
        let (table, size, count, word) = if wide { (32, 54, 56, 8) } else { (28, 42, 44, 4) };
        put(table, header, word);
        put(size, entry, 2);
        put(count, 1, 2);
        put(header, 3, 4);
        let (offset, length) = if wide { (8, 32) } else { (4, 16) };
        put(header + offset, header + entry, word);
        put(header + length, loader.len() + 1, word);
        file.extend_from_slice(loader.as_bytes());
        file.push(0);
        file
    }

    fn script(interpreter: &str, argument: Option<&str>) -> Format {
        Format::Script(FirstLine { interpreter: interpreter.into(), argument: argument.map(Text::from) })
    }

    fn file(path: &str, format: Format) -> ProgramFile {
        ProgramFile::sound(path, format)
    }

    fn missing(path: &str) -> Box<ProgramFile> {
        Box::new(ProgramFile { lies: Lies::Nothing, format: None, executable: false, ..file(path, Format::Empty) })
    }

    const HERE: Runs<'_> = Runs { service: "web", account: None, machine: Some(62) };

    #[track_caller]
    fn kinds(file: &ProgramFile, expected: &[Kind]) -> Vec<Finding> {
        let found = file.faults(HERE);
        assert_eq!(found.iter().map(|finding| finding.kind).collect::<Vec<_>>(), expected, "{found:#?}");
        found
    }

    #[test]
    fn first_bytes_tell_what_a_file_is() {
        for (start, expected) in [
            (&b""[..], Format::Empty),
            (b"echo hello\n", Format::Text),
            (b"\xef\xbb\xbf#!/bin/sh\n", Format::Marked),
            (b"\0\0\0", Format::Other),
            (b"\x7fELF", Format::Other),
            (b"#!/bin/sh\n", script("/bin/sh", None)),
            (b"#! /usr/bin/python3 -u \n", script("/usr/bin/python3", Some("-u"))),
            (b"#!/bin/sh\r\nexit\r\n", script("/bin/sh\r", None)),
            (b"#!/usr/bin/env python3\r\n", script("/usr/bin/env", Some("python3\r"))),
            (b"#!", script("", None)),
        ] {
            assert_eq!(Format::of(start), expected, "{start:?}");
        }
        let loader = "/lib64/ld-linux-x86-64.so.2";
        let elf = |wide, machine| Format::Elf { wide, machine, loader: Some(loader.into()) };
        assert_eq!(Format::of(&executable(true, 62, loader)), elf(true, 62));
        assert_eq!(Format::of(&executable(false, 3, loader)), elf(false, 3));
        // One that is cut off tells what it can, and one that lies about its size does no harm.
        let whole = executable(true, 62, loader);
        for end in 0..whole.len() {
            Format::of(&whole[..end]);
        }
        for (at, value) in (0..whole.len()).flat_map(|at| [0, 1, 0x7f, 0xff].map(|value| (at, value))) {
            let mut other = whole.clone();
            other[at] = value;
            Format::of(&other);
            let mut other = other.as_slice();
            Elf::of(&mut other).map(|elf| elf.needs(&mut other));
        }
        let mut lies = whole;
        lies[32..40].fill(0xff);
        assert_eq!(Format::of(&lies), Format::Elf { wide: true, machine: 62, loader: None });
    }

    #[test]
    fn nothing_is_wrong_with_a_program_that_starts() {
        kinds(&file("/bin/x", Format::of(&executable(true, 62, "/lib/ld.so"))), &[]);
        let shell = file("/bin/sh", Format::Other);
        kinds(&ProgramFile { next: Some(Box::new(shell)), ..file("/x", script("/bin/sh", None)) }, &[]);
        // A 32-bit one, where its loader is there.
        kinds(&file("/bin/x", Format::of(&executable(false, 3, "/lib/ld-linux.so.2"))), &[]);
    }

    #[test]
    fn a_command_to_type_does_nothing_but_what_it_says() {
        let path = "/srv/my dir/a$(id)";
        for (format, cure) in [
            (script("/bin/sh\r", None), r"`sed -i 's/\r$//' '/srv/my dir/a$(id)'` makes its lines end as on Linux"),
            (Format::Empty, "`ls -l '/srv/my dir/a$(id)'` shows it; copy the program there again"),
        ] {
            assert_eq!(file(path, format).faults(HERE)[0].cure, cure);
        }
        // What stands in a file is whose file it is.
        let evil = "/x';id>/tmp/p;'";
        let moved = ProgramFile { next: Some(missing(evil)), ..file("/x", script(evil, None)) };
        let found = kinds(&moved, &[Kind::Interpreter]);
        assert!(!found[0].cure.contains("id>"), "{found:?}");
        let on_noexec = ProgramFile { noexec: true, ..file("/mnt/x", script(evil, None)) };
        let found = kinds(&on_noexec, &[Kind::NoExec]);
        assert!(!found[0].cure.contains("id>"), "{found:?}");
    }

    #[test]
    fn each_reason_of_a_kernel_is_named() {
        kinds(&missing("/gone"), &[Kind::Program]);
        kinds(&ProgramFile { lies: Lies::NoFile("a directory"), ..file("/d", Format::Other) }, &[Kind::Program]);
        kinds(&file("/x", Format::Empty), &[Kind::Program]);
        kinds(&file("/x", Format::Text), &[Kind::Interpreter]);
        kinds(&ProgramFile { executable: false, ..file("/x", Format::Other) }, &[Kind::NotExecutable]);
        kinds(&ProgramFile { closed: Some("/srv".into()), ..file("/srv/x", Format::Other) }, &[Kind::Closed]);

        let found = kinds(&file("/x", script("/bin/sh\r", None)), &[Kind::CarriageReturn]);
        assert_eq!(found[0].cure, r"`sed -i 's/\r$//' /x` makes its lines end as on Linux");
        kinds(&file("/x", script("/usr/bin/env", Some("python3\r"))), &[Kind::CarriageReturn]);
        let found = kinds(&file("/x", script("python3", None)), &[Kind::Interpreter]);
        assert_eq!(found[0].what, "the first line of `/x` names `python3`, which is no absolute path");
        let found = kinds(&file("/x", script("", None)), &[Kind::Interpreter]);
        assert_eq!(found[0].what, "the first line of `/x` is `#!`, and names no interpreter");
        let found = kinds(&file("/x", script("/usr/bin/env", Some("python3 -u"))), &[Kind::Interpreter]);
        assert!(found[0].cure.contains("`#!/usr/bin/env -S`"), "{found:?}");
        let found = kinds(&file("/x", script("/x", None)), &[Kind::Interpreter]);
        assert_eq!(found[0].what, "the first line of `/x` names `/x` itself");
        let found = kinds(&file("/x", Format::Marked), &[Kind::Interpreter]);
        assert!(found[0].what.contains("byte-order mark"), "{found:?}");
        let moved =
            ProgramFile { next: Some(missing("/venv/bin/python")), ..file("/x", script("/venv/bin/python", None)) };
        kinds(&moved, &[Kind::Interpreter]);

        let found = kinds(&ProgramFile { noexec: true, ..file("/mnt/x", script("/bin/sh", None)) }, &[Kind::NoExec]);
        assert!(found[0].cure.ends_with("name the interpreter in front of it: `-- /bin/sh /mnt/x`"), "{found:?}");

        let found = kinds(&file("/x", Format::of(&executable(true, 183, "/lib/ld.so"))), &[Kind::WrongMachine]);
        assert_eq!(found[0].what, "`/x` is made for 64-bit ARM (aarch64), and this machine is x86-64");
        let narrow = file("/x", Format::of(&executable(false, 3, "/lib/ld-linux.so.2")));
        let found = kinds(&ProgramFile { next: Some(missing("/lib/ld-linux.so.2")), ..narrow }, &[Kind::Loader]);
        assert!(found[0].what.contains("is a 32-bit program, and the 32-bit loader is not there"), "{found:?}");
        let musl = file("/x", Format::of(&executable(true, 62, "/lib/ld-musl-x86_64.so.1")));
        let found = kinds(&ProgramFile { next: Some(missing("/lib/ld-musl-x86_64.so.1")), ..musl }, &[Kind::Loader]);
        assert!(found[0].what.contains("musl"), "{found:?}");
    }
}
