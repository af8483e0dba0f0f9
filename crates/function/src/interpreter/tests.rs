//! Runtimes accepted and refused, and interpreters found.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

fn fake_python(dir: &TempDir, name: &str, exit: i32) -> PathBuf {
    let path = dir.path().join(name);
    let script =
        format!("#!/bin/sh\n[ \"$2\" = \"import awslambdaric\" ] || exit 9\nexit {exit}\n");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn interpreters(dir: &TempDir) -> Interpreters {
    Interpreters::new(format!("/nowhere:{}", dir.path().display()))
}

#[tokio::test]
async fn custom_runtimes_need_no_interpreter() {
    let dir = TempDir::new().unwrap();
    for runtime in [
        "provided",
        "provided.al2",
        "provided.al2023",
        "provided.future",
    ] {
        assert_eq!(interpreters(&dir).check(runtime).await, Ok(()));
    }
}

#[tokio::test]
async fn other_runtimes_are_refused_by_name() {
    let dir = TempDir::new().unwrap();
    for runtime in [
        "nodejs22.x",
        "python2.7",
        "python3.",
        "python3.x",
        "providedx",
        "",
    ] {
        let refused = Err(RuntimeRefused::Unknown(runtime.to_owned()));
        assert_eq!(interpreters(&dir).check(runtime).await, refused);
    }
}

#[tokio::test]
async fn a_python_counts_only_with_lambdas_client() {
    let dir = TempDir::new().unwrap();
    let interpreters = interpreters(&dir);
    let refused = Err(RuntimeRefused::NoInterpreter("python3.13".to_owned()));
    assert_eq!(interpreters.python("python3.13").await, refused);
    fake_python(&dir, "python3.13", 1);
    assert_eq!(interpreters.python("python3.13").await, refused);
    let any = fake_python(&dir, "python3", 0);
    assert_eq!(interpreters.python("python3.13").await, Ok(any.clone()));
    let exact = fake_python(&dir, "python3.12", 0);
    assert_eq!(interpreters.python("python3.12").await, Ok(exact));
    assert_eq!(interpreters.python("python3.13").await, Ok(any));
}
