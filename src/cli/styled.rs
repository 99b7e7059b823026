//! [`Styled`]: text with its styles beside it, and the bytes that a stream is given of it.
//!
//! A style is no part of the text. So the text can be judged by itself: on a terminal what would not be seen in it
//! shows as an escape, wherever it comes from, and our own styles still get there.

use std::fmt;

use anstyle::Style;
use clap::builder::StyledStr;

use super::{called, hidden, prose};
use crate::host::called::Called;

/// What begins a style in band.
const ESCAPE: char = '\u{1b}';
/// Stands for an [`ESCAPE`] of foreign text where styles are in band: a noncharacter, which is for such a use and not
/// for texts (section 23.7 of the Unicode Standard).
const FOREIGN_ESCAPE: char = '\u{fdd0}';

/// Text with styles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Styled(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// Bytes: what is shown may be the contents of a file, which need not be UTF-8.
    Text(Vec<u8>),
    /// The control sequence that begins or ends a style.
    Style(String),
    /// Lines that go on below their beginning where a terminal is too narrow for them.
    Prose {
        text: Styled,
        hang: usize,
        /// What is to be typed in it stands on lines of its own there.
        own_lines: bool,
    },
    /// Sentences of ours that are laid out already.
    Sentences(Styled),
}

/// What a stream makes of text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Somebody looks at it.
    pub(super) is_terminal: bool,
    /// It shows styles.
    pub(super) has_styles: bool,
    /// How many columns it has, where that is known.
    pub(super) width: Option<usize>,
    /// What our commands are called in sentences.
    pub(super) called: Called,
}

impl Styled {
    /// Adds text in a style.
    pub(super) fn styled(&mut self, style: Style, text: impl fmt::Display) -> &mut Self {
        self.begin(style).plain(text).end(style)
    }

    /// Adds a line in a style.
    pub(super) fn line(&mut self, style: Style, text: impl fmt::Display) -> &mut Self {
        self.styled(style, text).plain('\n')
    }

    /// What is added from now on has a style.
    pub(super) fn begin(&mut self, style: Style) -> &mut Self {
        self.0.push(Piece::Style(style.to_string()));
        self
    }

    /// What is added from now on has it no longer.
    pub(super) fn end(&mut self, style: Style) -> &mut Self {
        self.0.push(Piece::Style(format!("{style:#}")));
        self
    }

    /// Adds text.
    pub(super) fn plain(&mut self, text: impl fmt::Display) -> &mut Self {
        _ = fmt::Write::write_fmt(self, format_args!("{text}"));
        self
    }

    /// Adds lines that are wrapped on a terminal, and go on `hang` columns in.
    pub(super) fn prose(&mut self, hang: usize, text: impl Into<Self>) -> &mut Self {
        self.0.push(Piece::Prose { text: text.into(), hang, own_lines: false });
        self
    }

    /// The same of lines in which there are commands to type.
    pub(super) fn advice(&mut self, hang: usize, text: impl Into<Self>) -> &mut Self {
        self.0.push(Piece::Prose { text: text.into(), hang, own_lines: true });
        self
    }

    /// Adds sentences of ours that are laid out already.
    pub(super) fn sentences(&mut self, text: Self) -> &mut Self {
        self.0.push(Piece::Sentences(text));
        self
    }

    /// Adds text that need not be UTF-8.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        match self.0.last_mut() {
            Some(Piece::Text(text)) => text.extend_from_slice(bytes),
            _ => self.0.push(Piece::Text(bytes.to_vec())),
        }
        self
    }

    /// Adds the lines of a file, each behind four blanks. A line of Windows ends as the others do.
    pub(super) fn indented(&mut self, contents: &[u8]) -> &mut Self {
        for line in contents.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
            self.plain("    ").bytes(line).plain('\n');
        }
        self
    }

    /// What clap has made, with its styles in band; what went through [`guarded`] is as it was.
    pub(super) fn of_clap(text: &StyledStr) -> Self {
        let text = text.ansi().to_string();
        let mut styled = Self::default();
        let mut rest = text.as_str();
        while let Some(at) = rest.find(ESCAPE) {
            styled.unguarded(&rest[..at]);
            let sequence = &rest[at..at + style_length(&rest[at..])];
            match sequence {
                // No style; of whom else it may be.
                "" => styled.plain(ESCAPE),
                style => {
                    styled.0.push(Piece::Style(style.to_owned()));
                    &mut styled
                }
            };
            rest = &rest[at + sequence.len().max(1)..];
        }
        styled.unguarded(rest);
        styled
    }

    fn unguarded(&mut self, text: &str) {
        // In nearly every text there is none, and help has hundreds of pieces.
        match text.contains(FOREIGN_ESCAPE) {
            true => self.bytes(text.replace(FOREIGN_ESCAPE, "\u{1b}").as_bytes()),
            false => self.bytes(text.as_bytes()),
        };
    }

    /// The text without its styles.
    pub(super) fn without_styles(&self) -> Vec<u8> {
        self.rendered(Look::default())
    }

    /// What a stream is given.
    pub(super) fn rendered(&self, look: Look) -> Vec<u8> {
        // A file that is shown has the words that it has.
        self.with_names(Look { called: Called::Classic, ..look }, look.called)
    }

    /// The same with our commands by the names of `look`; by those of `in_sentences` where lines are wrapped.
    fn with_names(&self, look: Look, in_sentences: Called) -> Vec<u8> {
        let of_sentence = |text: &Self| text.with_names(Look { called: in_sentences, ..look }, in_sentences);
        let mut out = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) if look.is_terminal => shown(&called::with_names(look.called, text), &mut out),
                Piece::Text(text) => out.extend_from_slice(&called::with_names(look.called, text)),
                Piece::Style(sequence) if look.has_styles => out.extend_from_slice(sequence.as_bytes()),
                Piece::Style(_) => {}
                Piece::Sentences(text) => out.extend(of_sentence(text)),
                Piece::Prose { text, hang, own_lines } => match look.width {
                    Some(width) => {
                        let text = String::from_utf8_lossy(&of_sentence(text)).into_owned();
                        out.extend(prose::wrapped(&text, width, *hang, *own_lines).into_bytes());
                    }
                    None => {
                        out.extend(of_sentence(text));
                        out.push(b'\n');
                    }
                },
            }
        }
        out
    }
}

/// Text as it is shown: what is not UTF-8 as escapes, too.
fn shown(text: &[u8], out: &mut Vec<u8>) {
    for chunk in text.utf8_chunks() {
        out.extend_from_slice(hidden::shown(chunk.valid()).as_bytes());
        chunk.invalid().iter().for_each(|byte| out.extend(format!("\\x{byte:02x}").into_bytes()));
    }
}

/// How long the style is that `text` begins with (SGR of ECMA-48, section 8.3.117), 0 where that is something else.
fn style_length(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\u{1b}[") else { return 0 };
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';'));
    match end {
        Some(end) if parameters[end..].starts_with('m') => "\u{1b}[".len() + end + "m".len(),
        _ => 0,
    }
}

/// Foreign text for clap, in whose texts an ESC begins a style.
pub(super) fn guarded(text: &str) -> String {
    if text.is_ascii() && !text.contains(ESCAPE) {
        return text.to_owned();
    }
    text.replace(FOREIGN_ESCAPE, "\u{fffd}").replace(ESCAPE, FOREIGN_ESCAPE.encode_utf8(&mut [0; 4]))
}

/// [`write!`] adds text.
impl fmt::Write for Styled {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.bytes(text.as_bytes());
        Ok(())
    }
}

impl<T: fmt::Display> From<T> for Styled {
    fn from(text: T) -> Self {
        let mut styled = Self::default();
        styled.plain(text);
        styled
    }
}
