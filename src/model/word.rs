//! Values that people write as one of a few words.

/// A type whose values people name by a word.
pub trait Word: Copy + 'static {
    /// The words, in the order in which people are told of them.
    const WORDS: &'static [(&'static str, Self)];

    /// The words alone.
    fn words() -> Vec<&'static str> {
        Self::WORDS.iter().map(|(word, _)| *word).collect()
    }

    /// What a word stands for.
    ///
    /// # Errors
    /// The rule that another one breaks.
    fn of(word: &str) -> Result<Self, String> {
        let known = Self::WORDS.iter().find(|(known, _)| *known == word);
        known.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<String> = Self::words().iter().map(|word| format!("`{word}`")).collect();
            match words.as_slice() {
                [one, other] => format!("must be {one} or {other}"),
                words => format!("must be one of {}", words.join(", ")),
            }
        })
    }
}
