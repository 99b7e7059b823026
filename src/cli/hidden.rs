//! Characters that nobody sees, or that change how others are seen.
//!
//! On a terminal an ESC moves the cursor or renames the window, a right-to-left override shows a name backwards, and a
//! zero-width space makes two names look like one. There they show as escapes; files and pipes keep what is so.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::LazyLock;

use fancy_regex::{Captures, Regex};

/// By the properties of Unicode: controls (General_Category Cc: C0, DEL and C1), what a renderer shows nothing for
/// (Default_Ignorable_Code_Point of `DerivedCoreProperties.txt`: zero-width and tag characters, variation selectors,
/// soft hyphens), what turns the direction of writing (Bidi_Control of `PropList.txt`), other line breaks (Zl and Zp),
/// and the marks around an annotation (section 23.8 of the Unicode Standard). Line breaks and tabs stay: texts have
/// lines.
static HIDDEN: LazyLock<Regex> = LazyLock::new(|| {
    let class = r"[\p{Cc}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Zl}\p{Zp}\u{FFF9}-\u{FFFB}&&[^\n\t]]";
    Regex::new(class).expect("a class of characters")
});

/// The text with escapes in the place of hidden characters, such as `\u{1b}`.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    replaced(text, |c| c.escape_default().to_string())
}

/// A JSON document with its own escapes in the place of hidden characters, such as `\u202e`: the same document.
///
/// All of them stand in strings: between those, JSON has line breaks alone.
pub(super) fn shown_in_json(document: &str) -> Cow<'_, str> {
    replaced(document, |c| {
        c.encode_utf16(&mut [0; 2]).iter().fold(String::new(), |mut escapes, unit| {
            _ = write!(escapes, "\\u{unit:04x}");
            escapes
        })
    })
}

fn replaced(text: &str, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    // Nearly every text is like that, and needs no tables of Unicode.
    if text.bytes().all(|byte| matches!(byte, b'\n' | b'\t' | b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    HIDDEN.replace_all(text, |found: &Captures<str>| found[0].chars().map(&escape).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_hidden(c: char) -> bool {
        shown(c.encode_utf8(&mut [0; 4])) != c.to_string()
    }

    /// Those that the attacks are known for, spelt out: a table of Unicode that lost one would be seen here.
    #[test]
    fn controls_direction_and_width_are_hidden() {
        let ranges = [
            '\0'..='\u{8}',
            '\u{b}'..='\u{1f}',
            '\u{7f}'..='\u{9f}',
            '\u{ad}'..='\u{ad}',
            '\u{61c}'..='\u{61c}',
            '\u{180e}'..='\u{180e}',
            '\u{200b}'..='\u{200f}',
            '\u{2028}'..='\u{202e}',
            '\u{2060}'..='\u{206f}',
            '\u{fe00}'..='\u{fe0f}',
            '\u{feff}'..='\u{feff}',
            '\u{fff9}'..='\u{fffb}',
            '\u{e0000}'..='\u{e0fff}',
        ];
        for c in ranges.into_iter().flatten() {
            assert!(is_hidden(c), "{c:?}");
        }
    }

    #[test]
    fn what_people_read_is_not_hidden() {
        for text in
            ["a\tb\n", "naïve", "日本語", "שלום", "سلام", "e\u{301}", "\u{a0}\u{3000}", "\u{fffd}", "🚀", "\u{e000}"]
        {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn an_escape_says_which_character_it_was() {
        assert_eq!(shown("a\u{1b}[2J\r\u{202e}\u{e0041}"), r"a\u{1b}[2J\r\u{202e}\u{e0041}");
        assert_eq!(shown_in_json("\"\u{9b}\u{202e}\u{e0041}\"\n"), "\"\\u009b\\u202e\\udb40\\udc41\"\n");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left_and_nothing_else_is_changed(text in any::<String>()) {
            let result = shown(&text);
            prop_assert!(!result.chars().any(is_hidden), "{result:?}");
            let by_itself: String = text
                .chars()
                .map(|c| if is_hidden(c) { c.escape_default().to_string() } else { c.to_string() })
                .collect();
            prop_assert_eq!(&*result, by_itself);
        }

        #[test]
        fn json_stays_the_same_document(text in any::<String>()) {
            let document = serde_json::to_string_pretty(&[&text]).unwrap();
            let result = shown_in_json(&document);
            prop_assert!(!result.chars().any(is_hidden), "{result:?}");
            prop_assert_eq!(serde_json::from_str::<[String; 1]>(&result).unwrap(), [text]);
        }
    }
}
