//! The rules hold for this work tree, and each can be broken.

use super::{Complaint, Text, complaints, files, sources};

#[test]
fn the_tree_is_tidy() {
    let complaints = complaints().expect("the tree can be read");
    let shown: Vec<String> = complaints.iter().map(Complaint::to_string).collect();
    assert!(shown.is_empty(), "\n{}\n", shown.join("\n"));
}

fn check(path: &str, text: &str) -> Vec<String> {
    let (path, text) = (path.to_owned(), text.to_owned());
    let complaints = files::check(&Text { path, text });
    complaints.iter().map(Complaint::to_string).collect()
}

#[test]
fn a_file_opens_with_its_doc() {
    assert_eq!(check("crates/x/src/a.rs", "//! What it is.\n"), [""; 0]);
    let complaints = check("crates/x/src/a.rs", "fn f() {}\n");
    assert!(complaints[0].starts_with("crates/x/src/a.rs:1: a file opens with"));
}

#[test]
fn long_files_and_lines() {
    let long = format!("//! Long.\n{}", "fn f() {}\n".repeat(600));
    let complaints = check("crates/x/src/a.rs", &long);
    assert_eq!(
        complaints,
        ["crates/x/src/a.rs: 601 lines without tests, at most 600: split it"]
    );
    assert!(
        check("crates/x/src/a/tests.rs", &long).is_empty(),
        "tests may be long"
    );
    let inline = format!(
        "//! Long.\n#[cfg(test)]\nmod tests {{\n{}}}\n",
        "\n".repeat(700)
    );
    assert!(
        check("crates/x/src/a.rs", &inline).is_empty(),
        "inline tests do not count"
    );
    let wide = format!("//! Wide.\n// {}\n", "ä".repeat(98));
    assert_eq!(check("a.rs", &wide), ["a.rs:2: 101 columns, at most 100"]);
}

#[test]
fn words_and_invisible_characters() {
    let line = format!("// {}{}: later\n", "TO", "DO");
    assert_eq!(check("docs/a.md", &line).len(), 1);
    assert_eq!(
        check("docs/a.md", &format!("see {}rk/main\n", "/wo")).len(),
        1
    );
    for line in [
        format!("{}< HEAD\n", "<".repeat(6)),
        format!("{}> theirs\n", ">".repeat(6)),
    ] {
        assert_eq!(check("docs/a.md", &line).len(), 1, "{line}");
    }
    assert_eq!(check("docs/a.md", "a\u{200b}b\n").len(), 1);
    assert_eq!(check("docs/a.md", "a\u{7}b\n").len(), 1);
    assert!(check("docs/a.md", "a\tb – ü\n").is_empty());
}

#[test]
fn pure_crates_stay_pure() {
    let text = "//! Pure.\nuse std::fs; // a file\n";
    assert_eq!(check("crates/dns-core/src/a.rs", text).len(), 1);
    assert!(check("crates/dns/src/a.rs", text).is_empty(), "a shell may");
    assert!(
        check("crates/dns-core/src/a/tests.rs", text).is_empty(),
        "a test may"
    );
    let comment = "//! Pure.\n// not std::fs\n";
    assert!(
        check("crates/dns-core/src/a.rs", comment).is_empty(),
        "a comment may"
    );
}

#[test]
fn sources_are_listed() {
    let text = |path: &str, text: &str| Text {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let list = text(
        "docs/sources.md",
        "- **RFC** — rfc-editor.org\n- **Some guide** — there\n",
    );
    let good = "//! x\n//! Source: RFC 1035 §4.\n/// Source: what follows,\n/// Some guide.\n";
    let bad = "//! x\n//! Source: hearsay.\n";
    let texts = [
        list,
        text("crates/a/src/a.rs", good),
        text("crates/a/src/b.rs", bad),
    ];
    let complaints = sources::check(&texts);
    assert_eq!(complaints.len(), 1);
    assert_eq!(complaints[0].line, 2);
}

#[test]
fn doc_tests_are_found() {
    assert!(files::has_doc_test("/// ```\n/// let x = 1;\n/// ```\n"));
    assert!(files::has_doc_test("//! ```rust\n//! ```\n"));
    assert!(!files::has_doc_test("/// ```text\n/// drawing\n/// ```\n"));
    assert!(!files::has_doc_test("// ```\n"));
}
