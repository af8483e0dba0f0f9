//! Chooses which of the inputs that a fuzzer found are kept: few and small, reaching the most.
//!
//! It runs nothing. What each input reaches stands in the control file of libFuzzer's merge.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// An input, and what it reaches.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Input {
    file: PathBuf,
    bytes: u64,
    reaches: HashSet<u64>,
}

/// Reads a control file: how many inputs, how many of the first corpus, their names; then what
/// becomes of each by its number.
pub(super) fn parse(told: &str) -> Vec<Input> {
    let mut lines = told.lines();
    let count = lines.next().and_then(|line| line.parse().ok()).unwrap_or(0);
    let mut inputs: Vec<Input> = (lines.by_ref().skip(1).take(count))
        .map(|name| Input {
            file: PathBuf::from(name),
            bytes: u64::MAX,
            reaches: HashSet::new(),
        })
        .collect();
    for line in lines {
        let mut words = line.split(' ');
        let kind = words.next();
        let at: Option<usize> = words.next().and_then(|at| at.parse().ok());
        let Some(input) = at.and_then(|at| inputs.get_mut(at)) else {
            continue;
        };
        match kind {
            Some("STARTED") => {
                let bytes = words.next().and_then(|bytes| bytes.parse().ok());
                input.bytes = bytes.unwrap_or(u64::MAX);
            }
            Some("FT") => input.reaches.extend(words.flat_map(str::parse::<u64>)),
            _ => {}
        }
    }
    inputs
}

/// Copies the inputs that add the most to what is kept, until there are enough; returns how many.
pub(super) fn add(inputs: &[Input], kept: &Path) -> Result<usize> {
    let is_kept = |input: &&Input| input.file.starts_with(kept);
    let mut reached = HashSet::new();
    let (mut files, mut bytes) = (0, 0);
    for input in inputs.iter().filter(is_kept) {
        reached.extend(&input.reaches);
        files += 1;
        bytes += input.bytes;
    }
    let mut added = 0;
    while files + added < FILES_MAX {
        let Some(best) = best(inputs, &reached, BYTES_MAX.saturating_sub(bytes)) else {
            break;
        };
        let name = best.file.file_name().context("an input has a name")?;
        std::fs::copy(&best.file, kept.join(name)).context("keep an input")?;
        reached.extend(&best.reaches);
        bytes += best.bytes;
        added += 1;
    }
    Ok(added)
}

/// Returns the input that reaches the most of what is not reached; the smaller of two.
fn best<'a>(inputs: &'a [Input], reached: &HashSet<u64>, room: u64) -> Option<&'a Input> {
    let room = room.min(INPUT_BYTES_MAX);
    let fitting = inputs.iter().filter(|input| input.bytes <= room);
    let rated = fitting.map(|input| (input.reaches.difference(reached).count(), input));
    let useful = rated.filter(|(gain, _)| 0 < *gain);
    let best = useful.max_by_key(|(gain, input)| (*gain, std::cmp::Reverse(input.bytes)));
    best.map(|(_, input)| input)
}

/// How many inputs of a target are kept, those that people wrote among them. 40.
const FILES_MAX: usize = 40;

/// How much those take. 20 KiB: the repository is no place for more.
const BYTES_MAX: u64 = 20 * 1_024;

/// How large one that is added may be. 2 KiB: a person is to be able to read it.
const INPUT_BYTES_MAX: u64 = 2 * 1_024;

#[cfg(test)]
mod tests;
