//! Rules that one file can break alone.
//!
//! Functions' length is clippy's to check.

use crate::tidy::{Complaint, Text};

/// Checks one file.
pub(super) fn check(text: &Text) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    // Inputs of fuzzers are whatever showed a mistake.
    if text.path != "Cargo.lock" && !text.path.starts_with("fuzz/corpus/") {
        complaints.extend(words(text));
    }
    if text.is("rs") {
        complaints.extend(rust(text));
    }
    complaints
}

fn words(text: &Text) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (at, line) in text.text.lines().enumerate() {
        for (word, why) in FORBIDDEN {
            if line.contains(&word.concat()) {
                let what = format!("{:?}: {why}", word.concat());
                complaints.push(text.complaint(at + 1, what));
            }
        }
        let control = |c: char| c.is_control() && c != '\t' || INVISIBLE.contains(&c);
        if line.contains(control) {
            complaints.push(text.complaint(at + 1, "a control or invisible character"));
        }
    }
    if BYTES_MAX < text.text.len() {
        complaints.push(text.complaint(0, "larger than 512 KiB: keep large data out of git"));
    }
    complaints
}

fn rust(text: &Text) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    if !text.text.starts_with("//! ") {
        complaints.push(text.complaint(1, "a file opens with `//!`: what it is, what it is not"));
    }
    if text.path.ends_with("/mod.rs") {
        complaints.push(text.complaint(0, "`foo.rs` and `foo/bar.rs`, never `mod.rs`"));
    }
    let lines = own_lines(text);
    if !text.is_test() && LINES_MAX < lines {
        let what = format!("{lines} lines without tests, at most {LINES_MAX}: split it");
        complaints.push(text.complaint(0, what));
    }
    for (at, line) in text.text.lines().enumerate() {
        let columns = line.chars().count();
        // Tests hold what went over the wire, as it went; rustfmt keeps their code narrow.
        if COLUMNS_MAX < columns && !line.contains("://") && !text.is_test() {
            let what = format!("{columns} columns, at most {COLUMNS_MAX}");
            complaints.push(text.complaint(at + 1, what));
        }
    }
    let pure = PURE.iter().any(|pure| text.path.starts_with(pure));
    if pure && !text.is_test() {
        for (at, line) in text.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if let Some(word) = AMBIENT.iter().find(|word| code.contains(**word)) {
                let what = format!("`{word}`: pure code, the world comes in as arguments");
                complaints.push(text.complaint(at + 1, what));
            }
        }
    }
    complaints
}

/// Checks that the crate which everybody shares stays small.
pub(super) fn check_base(texts: &[Text]) -> Option<Complaint> {
    let base = texts
        .iter()
        .filter(|text| text.path.starts_with("crates/base/src/") && !text.is_test());
    let lines: usize = base.map(own_lines).sum();
    (BASE_LINES_MAX < lines).then(|| Complaint {
        path: "crates/base".to_owned(),
        line: 0,
        what: format!("{lines} lines, at most {BASE_LINES_MAX}: it is what all share, no more"),
    })
}

/// Counts the lines above an inline test module.
fn own_lines(text: &Text) -> usize {
    let lines: Vec<&str> = text.text.lines().collect();
    let inline = lines.windows(2).position(|pair| {
        pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
    });
    inline.unwrap_or(lines.len())
}

/// Returns whether documentation holds a code block that `cargo test --doc` would run.
pub(super) fn has_doc_test(text: &str) -> bool {
    let mut inside = false;
    for line in text.lines() {
        let line = line.trim_start();
        let doc = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"));
        let Some(fence) = doc.and_then(|doc| doc.trim().strip_prefix("```")) else {
            continue;
        };
        inside = !inside;
        if inside && (fence.is_empty() || fence.starts_with("rust") || fence.starts_with("should"))
        {
            return true;
        }
    }
    false
}

/// Longest file, tests apart.
const LINES_MAX: usize = 600;

/// Longest line, in characters. A line with a URL may be longer.
const COLUMNS_MAX: usize = 100;

/// Most lines of the crate `base`, tests apart.
const BASE_LINES_MAX: usize = 1_000;

/// Largest text file. 512 KiB.
const BYTES_MAX: usize = 512 * 1024;

/// Words that must not stand in the tree, in two halves so that they do not stand here.
const FORBIDDEN: &[([&str; 2], &str)] = &[
    (["TO", "DO"], "do it, or file an issue"),
    (["FIX", "ME"], "do it, or file an issue"),
    (["XX", "X:"], "do it, or file an issue"),
    (["todo", "!("], "real only: refuse with a typed error"),
    (
        ["unimplemented", "!("],
        "real only: refuse with a typed error",
    ),
    (["/wo", "rk/"], "a path of one machine"),
    (["/ro", "ot/"], "a path of one machine"),
    (["/ho", "me/"], "a path of one machine"),
    (["shared/", "notes"], "a path of one machine"),
    (["<<<<<<", "< "], "a merge that was not finished"),
    ([">>>>>>", "> "], "a merge that was not finished"),
];

/// Characters that nobody sees: zero width, direction marks, byte order mark.
const INVISIBLE: [char; 9] = [
    '\u{200b}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2066}',
    '\u{feff}',
];

/// Crates that read no clock, open nothing and spawn nothing. `clock` is apart: its `wall` reads.
const PURE: [&str; 9] = [
    "crates/base/src/",
    "crates/item/src/",
    "crates/expr/src/",
    "crates/dns-core/src/",
    "crates/gateway-core/src/",
    "crates/cache-core/src/",
    "crates/health-core/src/",
    "crates/replica-core/src/",
    "crates/manifest/src/parse",
];

/// What pure crates must not name.
const AMBIENT: &[&str] = &[
    "std::fs",
    "std::env",
    "std::process",
    "std::thread",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "Instant::now",
    "SystemTime",
    "tokio::",
    "clock::wall",
    "static mut",
    "thread_local!",
];
