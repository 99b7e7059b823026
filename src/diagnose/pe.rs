//! The file of a program of Windows: what its first bytes say ("PE Format"), and why Windows would not start it.

use super::{Finding, Kind};
use crate::model::platform::Platform;
use crate::model::run_by::RunBy;
use crate::model::text::Text;

/// How many bytes of a file are looked at: the header lies within the first of its pages.
pub const START: u64 = 8192;

/// What a file is, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    /// Nothing is in it.
    Empty,
    /// An executable of Windows, or of a library the same, made for this kind of processor.
    Portable {
        /// `Machine`: the kind of processor.
        machine: u16,
        /// Whether it is a library.
        is_library: bool,
    },
    /// A program of DOS, or of a Windows of 16 bits.
    Dos,
    /// An executable of Linux.
    Elf,
    /// Something else, such as a script.
    Other,
}

/// `IMAGE_FILE_DLL` among the characteristics of a file.
const IS_LIBRARY: u16 = 0x2000;

impl Image {
    /// What a file is that begins with `start`.
    pub fn of(start: &[u8]) -> Self {
        match start {
            [] => Self::Empty,
            [0x7f, b'E', b'L', b'F', ..] => Self::Elf,
            [b'M', b'Z', ..] => Self::portable(start).unwrap_or(Self::Dos),
            _ => Self::Other,
        }
    }

    /// By the header, whose place stands at 0x3c: a signature, and 20 bytes of which the first two are the machine and
    /// the last two the characteristics.
    fn portable(start: &[u8]) -> Option<Self> {
        let at = u32::from_le_bytes(*start.get(0x3c..)?.first_chunk()?);
        let header = start.get(usize::try_from(at).ok()?..)?.strip_prefix(b"PE\0\0")?;
        let number = |at: usize| Some(u16::from_le_bytes(*header.get(at..)?.first_chunk()?));
        Some(Self::Portable { machine: number(0)?, is_library: number(18)? & IS_LIBRARY != 0 })
    }
}

/// The kinds of processors (`IMAGE_FILE_MACHINE_...`), with the word that Windows has for its own
/// (`PROCESSOR_ARCHITECTURE`).
const MACHINES: [(u16, &str, &str); 4] = [
    (0x14c, "x86", "32-bit x86"),
    (0x8664, "AMD64", "x86-64"),
    (0x1c4, "ARM", "32-bit ARM"),
    (0xaa64, "ARM64", "64-bit ARM"),
];

/// The kind of processor that Windows has this word for.
pub fn machine_of(word: &str) -> Option<u16> {
    MACHINES.iter().find(|(_, known, _)| known.eq_ignore_ascii_case(word)).map(|(machine, ..)| *machine)
}

fn machine_name(machine: u16) -> String {
    let known = MACHINES.iter().find(|(number, ..)| *number == machine);
    known.map_or_else(|| format!("another kind of processor (0x{machine:x})"), |(.., name)| (*name).to_owned())
}

/// Whether a Windows for `here` starts programs for `machine`: all start those of x86, and one for ARM those of x86-64,
/// too.
fn runs_on(machine: u16, here: u16) -> bool {
    machine == here || matches!((machine, here), (0x14c, 0x8664 | 0xaa64) | (0x8664 | 0x1c4, 0xaa64))
}

/// Why Windows does not start the program `path` of `service` on a machine of the kind `here`, if it does not.
pub fn fault(image: Image, path: &Text, service: &str, here: Option<u16>) -> Option<Finding> {
    let again = format!("install `{service}` again with the path of the program");
    let fault = |kind, what: String, cure: String| {
        Some(Finding::new(kind, what, "Windows does not start it (error 193), and the service ends at once", cure))
    };
    match image {
        Image::Empty => fault(
            Kind::Program,
            format!("`{path}` is empty"),
            format!("`{}` shows it; copy the program there again", dir(path)),
        ),
        Image::Dos => fault(
            Kind::WrongMachine,
            format!("`{path}` is a program of DOS, or of a Windows of 16 bits"),
            format!("a 64-bit Windows runs none of these: install the 64-bit program, and {again}"),
        ),
        Image::Elf => fault(
            Kind::WrongMachine,
            format!("`{path}` is a program of Linux"),
            format!("copy the one for Windows there, or {again}"),
        ),
        Image::Portable { is_library: true, .. } => {
            fault(Kind::Program, format!("`{path}` is a library, not a program"), again)
        }
        Image::Portable { machine, .. } => {
            let here = here.filter(|here| !runs_on(machine, *here))?;
            Some(Finding::new(
                Kind::WrongMachine,
                format!("`{path}` is made for {}, and this machine is {}", machine_name(machine), machine_name(here)),
                "Windows does not start it (error 216), and the service ends at once",
                format!("install the one for {}", machine_name(here)),
            ))
        }
        Image::Other => {
            let name = Platform::Windows.file_name(path).to_string().to_lowercase();
            // Windows has cmd.exe run these.
            if [".bat", ".cmd"].iter().any(|end| name.ends_with(end)) {
                return None;
            }
            let cure = match RunBy::of(path) {
                Some(run_by) => format!(
                    "install `{service}` again with what runs it in front: `-- {} {}`",
                    run_by.typed(),
                    Platform::Windows.typed(std::slice::from_ref(path))
                ),
                None if name.ends_with(".lnk") => {
                    format!("install `{service}` again with the path that the shortcut leads to")
                }
                None => again,
            };
            fault(Kind::Program, format!("`{path}` is no program of Windows: it does not begin as one"), cure)
        }
    }
}

/// The command that shows a file.
fn dir(path: &Text) -> String {
    Platform::Windows.typed(&["dir".into(), path.clone()])
}

/// The version that an executable calls itself: the text behind `ProductVersion` in its resources (`StringFileInfo` of
/// `VS_VERSIONINFO`, each word in UTF-16, with zeros up to the next multiple of 32 bits in front of the value).
pub fn version(exe: &[u8]) -> Option<String> {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let key = wide("ProductVersion\0");
    let at = exe.windows(key.len()).rposition(|part| part == key)? + key.len();
    let units = exe[at..].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let value: Vec<u16> = units.skip_while(|unit| *unit == 0).take_while(|unit| *unit != 0).take(64).collect();
    // Nothing but what a version is made of: it is printed.
    let version = String::from_utf16(&value).ok()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-+_ ".contains(c);
    (!version.is_empty() && version.chars().all(is_plain)).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Option<u16> = Some(0x8664);

    /// The header of an executable.
    fn executable(machine: u16, characteristics: u16) -> Vec<u8> {
        let mut file = vec![0; 0x80];
        file[..2].copy_from_slice(b"MZ");
        file[0x3c] = 0x80;
        file.extend_from_slice(b"PE\0\0");
        let mut header = [0; 20];
        header[..2].copy_from_slice(&machine.to_le_bytes());
        header[18..].copy_from_slice(&characteristics.to_le_bytes());
        file.extend_from_slice(&header);
        file
    }

    #[test]
    fn first_bytes_tell_what_a_file_is() {
        let portable = |machine, is_library| Image::Portable { machine, is_library };
        assert_eq!(Image::of(&executable(0x8664, 0x22)), portable(0x8664, false));
        assert_eq!(Image::of(&executable(0x14c, IS_LIBRARY)), portable(0x14c, true));
        assert_eq!(Image::of(b""), Image::Empty);
        assert_eq!(Image::of(b"MZ and nothing more"), Image::Dos);
        assert_eq!(Image::of(b"\x7fELF\x02"), Image::Elf);
        assert_eq!(Image::of(b"import sys\r\n"), Image::Other);
        // One that is cut off, or lies about its header, does no harm.
        let whole = executable(0x8664, 0x22);
        for end in 0..whole.len() {
            Image::of(&whole[..end]);
        }
        let mut lies = whole;
        lies[0x3c..0x40].fill(0xff);
        assert_eq!(Image::of(&lies), Image::Dos);
    }

    #[track_caller]
    fn finds(path: &str, start: &[u8], here: Option<u16>) -> Finding {
        fault(Image::of(start), &path.into(), "web", here).expect("a fault")
    }

    #[test]
    fn each_reason_of_windows_is_named() {
        assert_eq!(finds(r"C:\x.exe", b"", HERE).what, r"`C:\x.exe` is empty");
        assert_eq!(finds(r"C:\x.exe", b"MZ", HERE).kind, Kind::WrongMachine);
        assert_eq!(finds(r"C:\x", b"\x7fELF", HERE).what, r"`C:\x` is a program of Linux");
        assert_eq!(finds(r"C:\x.dll", &executable(0x8664, IS_LIBRARY), HERE).kind, Kind::Program);
        let arm = finds(r"C:\x.exe", &executable(0xaa64, 0), HERE);
        assert_eq!(arm.what, r"`C:\x.exe` is made for 64-bit ARM, and this machine is x86-64");
        for (path, cure) in [
            (r"C:\a b\x.py", "install `web` again with what runs it in front: `-- python.exe \"C:\\a b\\x.py\"`"),
            (r"C:\X.PS1", "`-- powershell.exe -NoProfile -ExecutionPolicy Bypass -File C:\\X.PS1`"),
            (r"C:\x.lnk", "the path that the shortcut leads to"),
            (r"C:\x", "the path of the program"),
        ] {
            let found = finds(path, b"text", HERE);
            assert!(found.cure.contains(cure), "{found:?}");
        }
    }

    #[test]
    fn nothing_is_wrong_with_a_program_that_starts() {
        let fine = |path: &str, start: &[u8], here| fault(Image::of(start), &path.into(), "web", here).is_none();
        assert!(fine(r"C:\x.exe", &executable(0x8664, 0x22), HERE));
        assert!(fine(r"C:\x.exe", &executable(0x14c, 0x22), HERE));
        assert!(fine(r"C:\x.exe", &executable(0x8664, 0x22), Some(0xaa64)));
        assert!(fine(r"C:\x.exe", &executable(0xaa64, 0x22), None));
        assert!(fine(r"C:\x.CMD", b"@echo off", HERE));
        assert_eq!((machine_of("AMD64"), machine_of("arm64"), machine_of("vax")), (HERE, Some(0xaa64), None));
    }

    #[test]
    fn an_executable_says_its_version() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let of = |value: &str| [&b"MZ..."[..], &wide("ProductVersion\0\0"), &wide(value), &wide("\0")].concat();
        assert_eq!(version(&of("2.24-101-g897c7ad")).as_deref(), Some("2.24-101-g897c7ad"));
        assert_eq!(version(&of("2.24`id`")), None);
        assert_eq!(version(&of("")), None);
        assert_eq!(version(b"MZ"), None);
    }
}
