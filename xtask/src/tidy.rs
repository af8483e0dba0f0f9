//! `cargo xtask tidy`: the house rules that no compiler checks.
//!
//! ```text
//! git ls-files ──► files: sizes, columns, module docs, words, sources
//! cargo metadata ──► layers: who may depend on whom
//! ```
//!
//! It is an ordinary test of this crate too. It changes nothing.

mod files;
mod layers;
mod sources;

use std::fmt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::root;
use crate::run::{self, Verdict};

pub(crate) fn tidy() -> Result<Verdict> {
    let complaints = complaints()?;
    for complaint in &complaints {
        println!("{complaint}");
    }
    println!("tidy: {} to put right", complaints.len());
    Ok(if complaints.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Failed
    })
}

/// Something that breaks a house rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Complaint {
    path: String,
    /// Units: lines count from 1; 0 stands for the whole file.
    line: usize,
    what: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path, self.what),
            line => write!(f, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// A text file of the work tree.
struct Text {
    path: String,
    text: String,
}

impl Text {
    fn complaint(&self, line: usize, what: impl Into<String>) -> Complaint {
        Complaint {
            path: self.path.clone(),
            line,
            what: what.into(),
        }
    }

    fn is(&self, extension: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|own| own == extension)
    }

    /// Returns whether the file holds nothing but tests.
    fn is_test(&self) -> bool {
        let parts: Vec<&str> = self.path.split('/').collect();
        parts.contains(&"tests") || parts.contains(&"benches") || self.path.ends_with("tests.rs")
    }
}

/// Returns everything that breaks a rule, in the order of the files.
fn complaints() -> Result<Vec<Complaint>> {
    let texts = texts()?;
    let mut complaints: Vec<Complaint> = texts.iter().flat_map(files::check).collect();
    complaints.extend(files::check_base(&texts));
    complaints.extend(sources::check(&texts));
    complaints.extend(layers::check(&layers::read()?));
    Ok(complaints)
}

/// Reads every text file that git knows, or would know after `git add`.
fn texts() -> Result<Vec<Text>> {
    let listed = run::read(
        Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard"])
            .current_dir(root()),
    )?;
    let mut texts = Vec::new();
    for path in listed.lines() {
        let bytes = match std::fs::read(root().join(path)) {
            Ok(bytes) => bytes,
            // Deleted and not yet committed.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("read {path}")),
        };
        if let Ok(text) = String::from_utf8(bytes) {
            let path = path.to_owned();
            texts.push(Text { path, text });
        }
    }
    Ok(texts)
}

/// Returns the packages whose documentation holds code that can be run.
pub(crate) fn packages_with_doc_tests() -> Result<Vec<String>> {
    let mut packages: Vec<String> = texts()?
        .iter()
        .filter(|text| text.is("rs") && files::has_doc_test(&text.text))
        .filter_map(|text| {
            let mut parts = text.path.split('/');
            let (folder, package) = (parts.next()?, parts.next()?);
            (folder == "crates").then(|| package.to_owned())
        })
        .collect();
    packages.dedup();
    Ok(packages)
}

#[cfg(test)]
mod tests;
