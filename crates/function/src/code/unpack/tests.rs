//! Packages, honest and hostile.

use std::io::Cursor;
use std::os::unix::fs::MetadataExt;

use tempfile::TempDir;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

fn package(fill: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    fill(&mut zip);
    zip.finish().unwrap().into_inner()
}

fn file(name: &str, mode: u32, content: &[u8]) -> Vec<u8> {
    package(|zip| {
        let options = SimpleFileOptions::default().unix_permissions(mode);
        zip.start_file(name, options).unwrap();
        zip.write_all(content).unwrap();
    })
}

fn unpacked(package: &[u8]) -> Result<TempDir, UnpackError> {
    let dir = TempDir::new().unwrap();
    unpack(package, &dir.path().join("code")).map(|()| dir)
}

#[test]
fn executable_bits_stay_and_write_bits_go() {
    let dir = unpacked(&file("bootstrap", 0o755, b"#!/bin/sh\n")).unwrap();
    let path = dir.path().join("code/bootstrap");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o555);
    assert_eq!(fs::read(&path).unwrap(), b"#!/bin/sh\n");
    let dir = unpacked(&file("bootstrap", 0o600, b"")).unwrap();
    let path = dir.path().join("code/bootstrap");
    assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o444);
}

#[test]
fn directories_need_no_entry_of_their_own() {
    let dir = unpacked(&file("a/b/c.txt", 0o644, b"c")).unwrap();
    assert_eq!(fs::read(dir.path().join("code/a/b/c.txt")).unwrap(), b"c");
}

#[test]
fn names_that_leave_the_directory_are_refused() {
    for name in ["../evil", "/etc/evil", "a/../../evil", "a/../b", ""] {
        let result = unpacked(&file(name, 0o644, b"x"));
        // Some shapes are already refused by the reader of zip files, or cut by the writer.
        match result {
            Err(UnpackError::BadName(_) | UnpackError::NotZip(_)) => {}
            Ok(dir) => {
                let outside = dir.path().join("evil");
                assert!(!outside.exists() && !Path::new("/etc/evil").exists());
            }
            Err(other) => panic!("{name:?}: {other:?}"),
        }
    }
}

#[test]
fn links_stay_inside() {
    let linked = |target: &str| {
        package(|zip| {
            let options = SimpleFileOptions::default();
            zip.add_symlink("lib/link", target, options).unwrap();
            zip.start_file("real", options).unwrap();
            zip.write_all(b"real").unwrap();
        })
    };
    let dir = unpacked(&linked("../real")).unwrap();
    assert_eq!(fs::read(dir.path().join("code/lib/link")).unwrap(), b"real");
    for target in ["/etc/passwd", "../../evil", "x/../../..", "x/.."] {
        let result = unpacked(&linked(target));
        assert!(matches!(result, Err(UnpackError::BadLink(_))), "{target}");
    }
}

#[test]
fn nothing_is_written_through_a_link() {
    let hostile = package(|zip| {
        let options = SimpleFileOptions::default();
        zip.add_symlink("dir", ".", options).unwrap();
        zip.start_file("dir/file", options).unwrap();
        zip.write_all(b"x").unwrap();
    });
    assert!(unpacked(&hostile).is_err());
}

#[test]
fn all_entries_share_one_bound_whatever_their_headers_say() {
    let two = package(|zip| {
        for name in ["a", "b"] {
            zip.start_file(name, SimpleFileOptions::default()).unwrap();
            zip.write_all(&[0; 1000]).unwrap();
        }
    });
    assert!(two.len() < 500, "it is compressed");
    assert!(check_within(&two, 2000).is_ok());
    assert!(matches!(
        check_within(&two, 1999),
        Err(UnpackError::TooLarge)
    ));
}

#[test]
fn damage_is_told_from_a_full_disk() {
    let mut damaged = file("bootstrap", 0o755, &vec![7; 100_000]);
    for byte in &mut damaged[60..100] {
        *byte ^= 0xff;
    }
    assert!(matches!(check(&damaged), Err(UnpackError::NotZip(_))));
    assert!(matches!(check(b"no zip"), Err(UnpackError::NotZip(_))));
    assert!(matches!(check(b""), Err(UnpackError::NotZip(_))));
    assert!(check(&file("bootstrap", 0o755, b"x")).is_ok());
}

/// What is accepted as code must be unpackable: a function is active from then on.
#[test]
fn what_cannot_be_unpacked_is_not_accepted() {
    let options = SimpleFileOptions::default();
    let link = |name: &'static str, target: &'static str| {
        package(|zip| zip.add_symlink(name, target, options).unwrap())
    };
    let two = |first: &'static str, second: &'static str| {
        package(|zip| {
            zip.start_file(first, options).unwrap();
            zip.start_file(second, options).unwrap();
        })
    };
    let long = "x".repeat(256);
    for hostile in [
        link("link", "/etc/passwd"),
        link("lib/link", "../../evil"),
        two("a/b", "a//b"),
        two("a", "a/b"),
        two("a/b", "a"),
        file(&long, 0o644, b"x"),
        file(&"deep/".repeat(300), 0o644, b"x"),
    ] {
        assert!(unpacked(&hostile).is_err());
        assert!(check(&hostile).is_err());
    }
    assert!(check(&link("lib/link", "../real")).is_ok());
    assert!(check(&two("a/b", "a/c")).is_ok());
}

#[test]
fn directories_that_names_imply_are_counted() {
    let many = package(|zip| {
        let options = SimpleFileOptions::default();
        for number in 0..200 {
            let name = format!("{number}/{}file", "d/".repeat(400));
            zip.start_file(name, options).unwrap();
        }
    });
    assert!(matches!(check(&many), Err(UnpackError::TooManyEntries)));
}
