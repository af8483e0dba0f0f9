//! Packages fetched once, kept, and swept when nothing needs them.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};

use clock::wall::System;
use tempfile::TempDir;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

struct Shelf {
    packages: BTreeMap<CodeHash, Bytes>,
    fetched: Arc<AtomicUsize>,
}

impl CodeSource for Shelf {
    async fn fetch(&self, code: CodeHash) -> Result<Bytes, CodeUnavailable> {
        self.fetched.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        let package = self.packages.get(&code).cloned();
        package.ok_or_else(|| CodeUnavailable("it is not here".to_owned()))
    }
}

fn package() -> Bytes {
    let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
    zip.start_file("bootstrap", SimpleFileOptions::default())
        .unwrap();
    zip.write_all(b"hello").unwrap();
    Bytes::from(zip.finish().unwrap().into_inner())
}

fn codes(dir: &TempDir, claimed: CodeHash) -> (Codes, Arc<AtomicUsize>) {
    let fetched = Arc::new(AtomicUsize::new(0));
    let shelf = Shelf {
        packages: BTreeMap::from([(claimed, package())]),
        fetched: Arc::clone(&fetched),
    };
    let codes = Codes::open(dir.path().join("code"), shelf).unwrap();
    (codes, fetched)
}

#[tokio::test]
async fn a_package_is_fetched_once_and_survives_a_restart() {
    let dir = TempDir::new().unwrap();
    let code = CodeHash::of(&package());
    let (first, fetched) = codes(&dir, code);
    let (a, b) = tokio::join!(first.prepare(code, &System), first.prepare(code, &System));
    assert_eq!(a.unwrap().path, b.unwrap().path);
    assert_eq!(fetched.load(Ordering::Relaxed), 1);
    let (second, fetched) = codes(&dir, code);
    let ready = second.prepare(code, &System).await.unwrap();
    assert_eq!(
        std::fs::read(ready.path.join("bootstrap")).unwrap(),
        b"hello"
    );
    assert_eq!(fetched.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn code_is_found_from_any_directory() {
    let here = std::env::current_dir().unwrap();
    let dir = TempDir::new_in(&here).unwrap();
    let relative = dir.path().strip_prefix(&here).unwrap();
    let code = CodeHash::of(&package());
    let shelf = Shelf {
        packages: BTreeMap::from([(code, package())]),
        fetched: Arc::default(),
    };
    let codes = Codes::open(relative.join("code"), shelf).unwrap();
    let ready = codes.prepare(code, &System).await.unwrap();
    assert!(ready.path.is_absolute(), "{}", ready.path.display());
}

#[tokio::test]
async fn what_comes_must_have_the_hash_asked_for() {
    let dir = TempDir::new().unwrap();
    let claimed = CodeHash::of(b"something else");
    let (codes, _) = codes(&dir, claimed);
    let result = codes.prepare(claimed, &System).await;
    assert!(matches!(result, Err(PrepareError::OtherHash(_))));
    let missing = codes.prepare(CodeHash::of(b"nothing"), &System).await;
    assert!(matches!(missing, Err(PrepareError::Unavailable(_))));
    let left: Vec<_> = std::fs::read_dir(dir.path().join("code"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn unused_packages_go_and_used_ones_stay() {
    let dir = TempDir::new().unwrap();
    let code = CodeHash::of(&package());
    let (codes, fetched) = codes(&dir, code);
    let held = codes.prepare(code, &System).await.unwrap();
    assert_eq!(codes.sweep(&BTreeSet::new()), Vec::<PathBuf>::new());
    drop(held);
    assert_eq!(codes.sweep(&BTreeSet::from([code])), Vec::<PathBuf>::new());
    assert_eq!(codes.sweep(&BTreeSet::new()).len(), 1);
    codes.prepare(code, &System).await.unwrap();
    assert_eq!(fetched.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_package_whose_removal_is_not_over_yet_can_be_unused_again() {
    let dir = TempDir::new().unwrap();
    let code = CodeHash::of(&package());
    let (codes, _) = codes(&dir, code);
    for round in 0..3 {
        let ready = codes.prepare(code, &System).await;
        let ready = ready.unwrap_or_else(|error| panic!("round {round}: {error:?}"));
        assert!(ready.path.join("bootstrap").exists(), "round {round}");
        drop(ready);
        // Whoever removes what is swept may be slow: nothing is removed in this test.
        codes.sweep(&BTreeSet::new());
    }
}

#[test]
fn what_a_killed_process_left_is_removed() {
    let dir = TempDir::new().unwrap();
    let left = dir.path().join("code").join(format!("{HALF_DONE}x"));
    std::fs::create_dir_all(left.join("deep")).unwrap();
    let _ = codes(&dir, CodeHash::of(b""));
    assert!(!left.exists());
}
