//! Tells the program which commit it is built from.
//!
//! A build without git, or out of an archive, tells the release alone. No other crate asks, so
//! that a commit builds none of them again.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let version = env!("CARGO_PKG_VERSION");
    match commit() {
        Some(commit) => println!("cargo:rustc-env=HITHER_VERSION={version}+{commit}"),
        None => println!("cargo:rustc-env=HITHER_VERSION={version}"),
    }
}

/// Returns the commit, where this is a work tree of its own.
fn commit() -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let top = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?);
    if top.canonicalize().ok()? != root.canonicalize().ok()? {
        return None;
    }
    // What HEAD names, and where that is: a branch's own file, or one of all branches. A branch
    // that has none of its own gets one with the next commit, of which the log alone tells.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]);
    let everywhere = ["HEAD", "logs/HEAD", "packed-refs"];
    for name in everywhere.into_iter().chain(branch.as_deref()) {
        let path = git(&["rev-parse", "--path-format=absolute", "--git-path", name])?;
        // One that is missing would count as changed in each build.
        if Path::new(&path).exists() {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

/// Returns what git answers here; `None` without git, or where it refuses.
fn git(words: &[&str]) -> Option<String> {
    let asked = Command::new("git")
        .args(words)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    let answer = asked.ok().filter(|answer| answer.status.success())?;
    Some(String::from_utf8(answer.stdout).ok()?.trim().to_owned())
}
