//! `MANIFEST.sha256`: what an export wrote, file by file, so that the next one knows its own files, and
//! whether they are still as it wrote them. `sha256sum --check` reads it, too; to that, links are comments.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::escape::Signature;
use crate::model::text::Text;

/// A SHA-256.
pub type Checksum = [u8; 32];

/// The checksums that a file of this path may have; there are two while it is being changed.
pub type Checksums = BTreeMap<Text, Vec<Checksum>>;

/// Links, by their paths, and what they say.
pub type LinkSet = BTreeSet<(Text, Text)>;

/// The checksum of these bytes.
pub fn sha256(bytes: &[u8]) -> Checksum {
    Sha256::digest(bytes).into()
}

/// A checksum as people see it.
pub fn hexadecimal(checksum: &Checksum) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    checksum.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

/// The checksum of these 64 digits.
pub fn of_hexadecimal(digits: &[u8]) -> Option<Checksum> {
    let mut checksum = Checksum::default();
    for (byte, pair) in checksum.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(checksum)
}

/// The file, with the paths in order.
pub fn render<'a>(known: &[&Checksums], links: impl IntoIterator<Item = &'a (Text, Text)>) -> Vec<u8> {
    let signature = Signature::new(format_args!(": the files of this export; an export writes it anew."));
    let mut lines = format!("{signature}\n").into_bytes();
    for (path, sums) in known.iter().copied().flatten() {
        sums.iter().for_each(|sum| push_line(&mut lines, path, &hexadecimal(sum)));
    }
    for (path, target) in links {
        lines.extend_from_slice(LINK);
        push_escaped(&mut lines, path);
        lines.extend_from_slice(LEADS_TO);
        push_escaped(&mut lines, target);
        lines.push(b'\n');
    }
    lines
}

/// A line of a link: names of units have no blanks.
const LINK: &[u8] = b"# link ";
const LEADS_TO: &[u8] = b" -> ";

/// `SUM  PATH`. Where the path has a line break or a backslash, a backslash stands in front of the line and
/// of each (sha256sum(1), md5sum invocation in the manual of the coreutils).
fn push_line(lines: &mut Vec<u8>, path: &Text, sum: &str) {
    if path.as_bytes().iter().any(|byte| matches!(byte, b'\\' | b'\n')) {
        lines.push(b'\\');
    }
    lines.extend_from_slice(sum.as_bytes());
    lines.extend_from_slice(b"  ");
    push_escaped(lines, path);
    lines.push(b'\n');
}

fn push_escaped(lines: &mut Vec<u8>, path: &Text) {
    for byte in path.as_bytes() {
        match byte {
            b'\\' => lines.extend_from_slice(b"\\\\"),
            b'\n' => lines.extend_from_slice(b"\\n"),
            byte => lines.push(*byte),
        }
    }
}

/// What such a file says. A line that is none of ours says nothing.
pub fn read(contents: &[u8]) -> Checksums {
    let mut checksums = Checksums::new();
    for line in contents.split(|byte| *byte == b'\n') {
        let (escaped, line) = line.strip_prefix(b"\\").map_or((false, line), |line| (true, line));
        let Some((sum, path)) = line.split_at_checked(64) else { continue };
        let Some(path) = path.strip_prefix(b"  ") else { continue };
        let path = if escaped { unescaped(path) } else { path.to_vec() };
        let Some(sum) = of_hexadecimal(sum) else { continue };
        checksums.entry(Text::from_bytes(path)).or_default().push(sum);
    }
    checksums
}

/// The links in such a file.
pub fn links(contents: &[u8]) -> LinkSet {
    let link = |line: &[u8]| {
        let rest = line.strip_prefix(LINK)?;
        let at = rest.windows(LEADS_TO.len()).position(|window| window == LEADS_TO)?;
        let text = |part: &[u8]| Text::from_bytes(unescaped(part));
        Some((text(&rest[..at]), text(&rest[at + LEADS_TO.len()..])))
    };
    contents.split(|byte| *byte == b'\n').filter_map(link).collect()
}

fn unescaped(path: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(path.len());
    let mut bytes = path.iter();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'\\' if bytes.next() == Some(&b'n') => b'\n',
            byte => *byte,
        });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let paths = [&b"a b/c"[..], b"\\", b"\n\\n", b"\xff *", b" x"];
        let sums = |number: usize| (0..=number % 2).map(|more| sha256(&[u8::from(more == 1)])).collect();
        let checksums: Checksums =
            paths.iter().enumerate().map(|(number, path)| (Text::from_bytes(*path), sums(number))).collect();
        let targets = ["/etc/systemd/system/web.service", "../web.service", "/x/dev-a\\x2db.device"].map(Text::from);
        let links: LinkSet = targets.into_iter().map(|target| (target.with(".wants/x"), target)).collect();
        let file = render(&[&checksums], &links);
        assert_eq!(read(&file), checksums);
        assert_eq!(super::links(&file), links);
    }

    #[test]
    fn other_lines_say_nothing() {
        for text in [
            "",
            "\n",
            "# Generated by InstallService\n",
            "0123  x",
            "\\",
            &"é".repeat(40),
            &"g".repeat(70),
            &"0".repeat(70),
        ] {
            assert_eq!(read(text.as_bytes()), Checksums::new(), "{text}");
        }
    }
}
