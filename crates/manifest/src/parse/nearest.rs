//! The known word nearest to a mistyped one.
//!
//! It knows no words of its own.

use std::fmt::Write;

/// Returns the candidate that a mistyped `word` most likely means.
pub(super) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 4);
    candidates
        .iter()
        .map(|candidate| (distance(&lower, &candidate.to_lowercase()), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
        .or_else(|| {
            let begun = |candidate: &&&str| {
                3 <= lower.len() && candidate.to_lowercase().starts_with(&lower)
            };
            candidates.iter().find(begun).copied()
        })
}

/// Returns a fix: the nearest word, or else all that are known.
pub(super) fn fix(word: &str, candidates: &[&str], plural: &str) -> String {
    match nearest(word, candidates) {
        Some(near) => format!("did you mean `{near}`?"),
        None if candidates.is_empty() => format!("there are no {plural} in this file"),
        None => {
            let mut text = format!("{plural}: ");
            for (at, candidate) in candidates.iter().take(LISTED_MAX).enumerate() {
                let comma = if at == 0 { "" } else { ", " };
                _ = write!(text, "{comma}`{candidate}`");
            }
            if candidates.len() > LISTED_MAX {
                text.push_str(", …");
            }
            text
        }
    }
}

/// Counts the insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    if from.len().max(to.len()) > WORD_CHARS_MAX {
        return usize::MAX;
    }
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut best = (last[j] + usize::from(a != b))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if 0 < i && 0 < j && *a == to[j - 1] && from[i - 1] == *b {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

/// Words longer than this are not compared. 64.
const WORD_CHARS_MAX: usize = 64;

/// Most known words that a fix lists. 12.
const LISTED_MAX: usize = 12;

#[cfg(test)]
mod tests;
