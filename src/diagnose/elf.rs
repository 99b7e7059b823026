//! The header of an executable of the Executable and Linkable Format (elf(5)), and what it needs to be loaded.

use crate::model::text::Text;

/// What a file has at an offset, at most so many bytes of it.
pub trait Parts {
    /// The bytes there, fewer where the file ends.
    fn part(&mut self, offset: u64, length: u64) -> Vec<u8>;
}

/// A file whose first bytes are all that is looked at.
impl Parts for &[u8] {
    fn part(&mut self, offset: u64, length: u64) -> Vec<u8> {
        let begin = usize::try_from(offset).unwrap_or(usize::MAX).min(self.len());
        let end = begin.saturating_add(usize::try_from(length).unwrap_or(usize::MAX)).min(self.len());
        self[begin..end].to_vec()
    }
}

/// Longest list of segments, table of names or dynamic section that is read: theirs have some kilobytes.
const LONGEST: u64 = 1 << 20;

/// The kinds of segments that count here, and the tags of the dynamic section.
const PT_LOAD: u64 = 1;
const PT_DYNAMIC: u64 = 2;
const PT_INTERP: u64 = 3;
const DT_NULL: u64 = 0;
const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_STRSZ: u64 = 10;
const DT_RPATH: u64 = 15;
const DT_RUNPATH: u64 = 29;

/// What the header of an executable says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elf {
    /// Whether it is made for 64 bits.
    pub wide: bool,
    /// `e_machine`: the kind of processor.
    pub machine: u16,
    little: bool,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    kind: u64,
    offset: u64,
    address: u64,
    length: u64,
}

/// The libraries that an executable needs (`DT_NEEDED`), and where it has them looked for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Their names.
    pub libraries: Vec<String>,
    /// The directories (`DT_RPATH`, `DT_RUNPATH`).
    pub paths: Vec<String>,
}

impl Elf {
    /// Reads the header and the program headers; `None` where the file is none.
    pub fn of(file: &mut impl Parts) -> Option<Self> {
        let header = file.part(0, 64);
        if !header.starts_with(b"\x7fELF") {
            return None;
        }
        let wide = match header.get(4)? {
            1 => false,
            2 => true,
            _ => return None,
        };
        let little = match header.get(5)? {
            1 => true,
            2 => false,
            _ => return None,
        };
        let machine = u16::try_from(number(&header, little, 18, 2)?).ok()?;
        let segments = segments(file, &header, wide, little).unwrap_or_default();
        Some(Self { wide, machine, little, segments })
    }

    /// The program that loads it, where it needs one.
    pub fn loader(&self, file: &mut impl Parts) -> Option<Text> {
        let segment = self.segments.iter().find(|segment| segment.kind == PT_INTERP)?;
        // A path has at most 4096 bytes (`PATH_MAX`).
        let name = file.part(segment.offset, segment.length.min(4096));
        let is_whole = name.len() as u64 == segment.length;
        is_whole.then(|| Text::from_bytes(name.strip_suffix(b"\0").unwrap_or(&name)))
    }

    /// What it needs to be loaded; `None` where it is loaded by itself, or cannot be understood.
    pub fn needs(&self, file: &mut impl Parts) -> Option<Needs> {
        let dynamic = self.segments.iter().find(|segment| segment.kind == PT_DYNAMIC)?;
        let word = if self.wide { 8 } else { 4 };
        let entries = file.part(dynamic.offset, dynamic.length.min(LONGEST));
        let entries = entries.chunks_exact(2 * word).map_while(|of| {
            let tag = number(of, self.little, 0, word)?;
            (tag != DT_NULL).then_some((tag, number(of, self.little, word, word)?))
        });
        let entries: Vec<(u64, u64)> = entries.collect();
        let of = |wanted: u64| entries.iter().filter(move |(tag, _)| *tag == wanted).map(|(_, value)| *value);
        let names = of(DT_STRTAB).next()?;
        // An address in memory, which a segment says where to find in the file.
        let loaded = self.segments.iter().find(|segment| {
            segment.kind == PT_LOAD && names >= segment.address && names - segment.address < segment.length
        })?;
        let at = loaded.offset.checked_add(names - loaded.address)?;
        let names = file.part(at, of(DT_STRSZ).next().unwrap_or(LONGEST).min(LONGEST));
        let text = |at: u64| {
            let name = names.get(usize::try_from(at).ok()?..)?.split(|byte| *byte == 0).next()?;
            Some(String::from_utf8_lossy(name).into_owned())
        };
        let paths = of(DT_RPATH).chain(of(DT_RUNPATH)).filter_map(text);
        let paths = paths.flat_map(|paths| paths.split(':').map(str::to_owned).collect::<Vec<_>>());
        Some(Needs { libraries: of(DT_NEEDED).filter_map(text).collect(), paths: paths.collect() })
    }
}

fn segments(file: &mut impl Parts, header: &[u8], wide: bool, little: bool) -> Option<Vec<Segment>> {
    let word = if wide { 8 } else { 4 };
    let [table, size, count] = if wide { [32, 54, 56] } else { [28, 42, 44] };
    let table = number(header, little, table, word)?;
    let (size, count) = (number(header, little, size, 2)?, number(header, little, count, 2)?);
    let [offset, address, length] = if wide { [8, 16, 32] } else { [4, 8, 16] };
    let headers = file.part(table, (size * count).min(LONGEST));
    let each = headers.chunks_exact(usize::try_from(size).ok().filter(|size| *size > 0)?);
    let segment = |of: &[u8]| {
        Some(Segment {
            kind: number(of, little, 0, 4)?,
            offset: number(of, little, offset, word)?,
            address: number(of, little, address, word)?,
            length: number(of, little, length, word)?,
        })
    };
    Some(each.filter_map(segment).collect())
}

fn number(bytes: &[u8], little: bool, at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
    Some(if little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_executable_is_none() {
        for contents in [&b""[..], b"#!/bin/sh\n", b"\x7fELF\x03\x01", &[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0xff]] {
            assert_eq!(Elf::of(&mut &*contents), None, "{contents:?}");
        }
    }

    #[test]
    fn one_that_lies_about_its_sizes_needs_nothing() {
        let mut header = vec![0xff_u8; 64];
        header[..6].copy_from_slice(b"\x7fELF\x02\x01");
        let mut file = header.as_slice();
        let elf = Elf::of(&mut file).expect("its header");
        assert_eq!((elf.loader(&mut file), elf.needs(&mut file)), (None, None));
    }
}
