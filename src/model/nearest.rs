//! "Did you mean": the word that was probably meant.

/// "Did you mean": the candidate most like `word`, if one is like enough to be a slip of the finger. The measure is
/// Jaro's, above 0.7, as clap uses for its own suggestions; upper and lower case count as the same.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        // Jaro's measure finds any short word in a long one.
        .filter(|candidate| candidate.len() <= 2 * word.len() && word.len() <= 2 * candidate.len())
        .map(|candidate| (strsim::jaro(&word, &candidate.to_lowercase()), candidate))
        .filter(|&(likeness, _)| likeness > 0.7)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}
