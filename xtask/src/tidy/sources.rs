//! `Source:` lines name works that docs/sources.md lists.
//!
//! It cannot tell whether a work says what the code does: a reader can, who finds it.

use crate::tidy::{Complaint, Text};

const LIST: &str = "docs/sources.md";

/// Checks every `Source:` line of documentation.
pub(super) fn check(texts: &[Text]) -> Vec<Complaint> {
    let Some(list) = texts.iter().find(|text| text.path == LIST) else {
        return Vec::new();
    };
    let works = works(&list.text);
    let rust = texts
        .iter()
        .filter(|text| text.is("rs") && !text.path.starts_with("xtask/"));
    rust.flat_map(|text| dead(text, &works)).collect()
}

/// Returns the works that the list names: the bold beginning of each item.
fn works(list: &str) -> Vec<&str> {
    list.lines()
        .filter_map(|line| line.strip_prefix("- **")?.split_once("**"))
        .map(|(work, _)| work)
        .collect()
}

fn dead(text: &Text, works: &[&str]) -> Vec<Complaint> {
    let lines: Vec<&str> = text.text.lines().map(str::trim_start).collect();
    let mut complaints = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(source) = doc(line).and_then(|doc| doc.strip_prefix("Source:")) else {
            continue;
        };
        // A reference may run on over the lines that follow, up to a blank one.
        let rest = lines.iter().skip(at + 1).map_while(|line| doc(line));
        let rest = rest.take_while(|doc| !doc.is_empty());
        let reference = std::iter::once(source.trim())
            .chain(rest)
            .collect::<Vec<_>>()
            .join(" ");
        if !works.iter().any(|work| reference.contains(work)) {
            let what = format!("`{}` names no work of {LIST}", source.trim());
            complaints.push(text.complaint(at + 1, what));
        }
    }
    complaints
}

fn doc(line: &str) -> Option<&str> {
    let doc = line
        .strip_prefix("///")
        .or_else(|| line.strip_prefix("//!"))?;
    Some(doc.trim())
}
