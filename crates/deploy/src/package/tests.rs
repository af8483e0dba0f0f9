//! Tests of packed code.

use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zip::ZipArchive;

use super::{Code, PackageError};

/// Returns name, mode and contents of each file in the archive.
fn unpacked(code: &Code) -> Vec<(String, u32, String)> {
    let mut archive = ZipArchive::new(Cursor::new(&code.zip)).expect("it is a zip");
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).expect("an entry");
            let mut contents = String::new();
            file.read_to_string(&mut contents).expect("it is text");
            let mode = file.unix_mode().expect("it has a mode") & 0o777;
            let name = file.name().expect("it is UTF-8").into_owned();
            (name, mode, contents)
        })
        .collect()
}

fn write(path: &Path, contents: &str, mode: u32) {
    fs::create_dir_all(path.parent().expect("it has one")).expect("a directory");
    fs::write(path, contents).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("its mode");
}

#[test]
fn one_executable_becomes_bootstrap() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("cart");
    write(&path, "#!/bin/sh", 0o750);
    let code = Code::read(&path).expect("it can be packed");
    let wanted = ("bootstrap".to_owned(), 0o755, "#!/bin/sh".to_owned());
    assert_eq!(unpacked(&code), [wanted]);
}

#[test]
fn a_directory_is_packed_whole_and_always_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("app");
    write(&root.join("zoo/b.txt"), "b", 0o600);
    write(&root.join("bootstrap"), "run", 0o700);
    let first = Code::read(&root).expect("it can be packed");
    let names: Vec<_> = unpacked(&first)
        .into_iter()
        .map(|(name, mode, _)| (name, mode))
        .collect();
    assert_eq!(
        names,
        [
            ("bootstrap".to_owned(), 0o755),
            ("zoo/b.txt".to_owned(), 0o644)
        ]
    );
    let again = Code::read(&root).expect("it can be packed");
    assert_eq!(first.sha256(), again.sha256());
    write(&root.join("zoo/b.txt"), "c", 0o600);
    let changed = Code::read(&root).expect("it can be packed");
    assert_ne!(first.sha256(), changed.sha256());
}

#[test]
fn a_zip_is_taken_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("app.zip");
    write(&path, "PK…", 0o600);
    let code = Code::read(&path).expect("it can be read");
    assert_eq!(code.zip, "PK…".as_bytes());
    assert_eq!(code.sha256().len(), 44);
}

#[test]
fn what_cannot_be_read_is_named() {
    let error = Code::read(Path::new("/no/such/file")).expect_err("it is not there");
    assert!(matches!(error, PackageError::Read { .. }));
    assert_eq!(error.to_string(), "read /no/such/file");
}

#[test]
fn a_link_to_a_parent_is_no_endless_loop() {
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("again")).expect("a link");
    let error = Code::read(folder.path()).expect_err("it never ends");
    assert!(matches!(error, PackageError::TooMany { .. }));
}
