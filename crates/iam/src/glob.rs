//! Wildcards: `*` stands for any characters, `?` for one.
//!
//! It knows no variables and no ARNs. A comparison never goes back over text it has passed, so
//! that its time is bounded by the text, times the longest run that has a `?`.
//! Source: IAM user guide, "IAM JSON policy elements: Resource" (wildcards).

/// What is between two `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Run {
    /// Characters that stand for themselves.
    Text(Box<str>),
    /// Characters of which `None` stands for any one.
    Mixed(Box<[Option<char>]>),
}

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob {
    head: Run,
    /// What follows each `*`, the last one excepted.
    middle: Box<[Run]>,
    /// What follows the last `*`; `None` where there is none.
    tail: Option<Run>,
}

/// Puts a pattern together from its parts.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    runs: Vec<Run>,
    current: Vec<Option<char>>,
}

impl Builder {
    /// Adds characters that stand for themselves.
    pub(crate) fn text(&mut self, text: &str) {
        self.current.extend(text.chars().map(Some));
    }

    /// Adds a `?`.
    pub(crate) fn one(&mut self) {
        self.current.push(None);
    }

    /// Adds a `*`.
    pub(crate) fn many(&mut self) {
        let run = run_of(std::mem::take(&mut self.current));
        self.runs.push(run);
    }

    /// Adds a text in which `*` and `?` are wildcards.
    pub(crate) fn pattern(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '*' => self.many(),
                '?' => self.one(),
                letter => self.current.push(Some(letter)),
            }
        }
    }

    /// Returns the pattern.
    pub(crate) fn finish(self) -> Glob {
        let last = run_of(self.current);
        let mut runs = self.runs.into_iter();
        match runs.next() {
            None => Glob {
                head: last,
                middle: Box::default(),
                tail: None,
            },
            Some(head) => Glob {
                head,
                middle: runs.collect(),
                tail: Some(last),
            },
        }
    }
}

impl Glob {
    /// Makes the pattern of a text in which `*` and `?` are wildcards.
    pub(crate) fn of(text: &str) -> Self {
        let mut builder = Builder::default();
        builder.pattern(text);
        builder.finish()
    }

    /// Returns whether a text is one that the pattern stands for, all of it.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let Some(rest) = self.head.strip_from(text) else {
            return false;
        };
        let Some(tail) = &self.tail else {
            return rest.is_empty();
        };
        let mut rest = rest;
        for run in &self.middle {
            // The first place is the best one: it leaves the most to what follows.
            match run.find_in(rest) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        tail.ends(rest)
    }

    /// Returns the one text that the pattern stands for; `None` where it has wildcards.
    pub(crate) fn literal(&self) -> Option<&str> {
        match (&self.head, &self.tail) {
            (Run::Text(text), None) => Some(text),
            (Run::Text(_) | Run::Mixed(_), Some(_)) | (Run::Mixed(_), None) => None,
        }
    }
}

impl Run {
    /// Returns what follows the run at the beginning of `text`.
    fn strip_from<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            // Comparing nothing is not free: its address is none, and processors look it up.
            Self::Text(run) if run.is_empty() => Some(text),
            Self::Text(run) => text.strip_prefix(&**run),
            Self::Mixed(run) => {
                let mut letters = text.chars();
                for wanted in run {
                    let letter = letters.next()?;
                    if wanted.is_some_and(|wanted| wanted != letter) {
                        return None;
                    }
                }
                Some(letters.as_str())
            }
        }
    }

    /// Returns what follows the first place in `text` where the run is.
    fn find_in<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Text(run) if run.is_empty() => Some(text),
            Self::Text(run) => text.find(&**run).and_then(|at| text.get(at + run.len()..)),
            Self::Mixed(_) => {
                let mut starts = text.char_indices();
                starts.find_map(|(at, _)| self.strip_from(text.get(at..)?))
            }
        }
    }

    /// Returns whether `text` ends with the run.
    fn ends(&self, text: &str) -> bool {
        match self {
            Self::Text(run) => run.is_empty() || text.ends_with(&**run),
            Self::Mixed(run) => {
                let mut letters = text.chars();
                run.iter().rev().all(|wanted| {
                    letters
                        .next_back()
                        .is_some_and(|letter| wanted.is_none_or(|wanted| wanted == letter))
                })
            }
        }
    }
}

fn run_of(letters: Vec<Option<char>>) -> Run {
    let text: Option<String> = letters.iter().copied().collect();
    match text {
        Some(text) => Run::Text(text.into()),
        None => Run::Mixed(letters.into()),
    }
}

#[cfg(test)]
mod tests;
