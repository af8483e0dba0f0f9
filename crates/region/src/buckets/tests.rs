//! Buckets in directories: what is found in them, and what is kept out.

use std::path::{Path, PathBuf};

use super::*;

struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("hither-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn directories(&self) -> Directories {
        Directories {
            buckets: self.0.join("buckets"),
            logs: self.0.join("logs"),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

#[test]
fn no_name_leads_out_of_the_buckets() {
    let root = Path::new("/data/buckets");
    let found = path(root, "b/AWSDynamoDB/1/data/x.json.gz");
    let expected = "/data/buckets/b/AWSDynamoDB/1/data/x.json.gz";
    assert_eq!(found.ok(), Some(PathBuf::from(expected)));
    for names in [
        "../x", "b/../x", "b/a//x", "b/", "/x", "b/./x", "b/a\\x", "b/a\0x", "",
    ] {
        assert!(path(root, names).is_err(), "{names}");
    }
}

#[tokio::test]
async fn objects_are_listed_by_the_start_of_their_keys() {
    let home = Temporary::new("buckets-list");
    let buckets = home.directories();
    for key in ["a/b/1", "a/b/2", "a/bc", "a/d", "ab", "c"] {
        buckets
            .put("one", key, Bytes::from(key.to_owned()))
            .await
            .unwrap();
    }
    fs::write(home.0.join("buckets/one/a/b/3.part"), "draft").unwrap();
    #[cfg(unix)]
    {
        // Neither a link to a file nor one to a folder is an object, or has any.
        let outside = home.0.join("outside");
        fs::create_dir_all(&outside).unwrap();
        fs::write(outside.join("secret"), "x").unwrap();
        std::os::unix::fs::symlink(&outside, home.0.join("buckets/one/a/link")).unwrap();
        std::os::unix::fs::symlink(outside.join("secret"), home.0.join("buckets/one/a/s")).unwrap();
        std::os::unix::fs::symlink(&outside, home.0.join("buckets/linked")).unwrap();
    }
    let cases: [(&str, &[&str]); 10] = [
        ("", &["a/b/1", "a/b/2", "a/bc", "a/d", "ab", "c"]),
        ("a/", &["a/b/1", "a/b/2", "a/bc", "a/d"]),
        ("a/b", &["a/b/1", "a/b/2", "a/bc"]),
        ("a/b/", &["a/b/1", "a/b/2"]),
        ("a/b/1", &["a/b/1"]),
        ("a", &["a/b/1", "a/b/2", "a/bc", "a/d", "ab"]),
        ("none/at/all", &[]),
        ("a/link/", &[]),
        ("a/link/s", &[]),
        // Below an object there is none.
        ("c/", &[]),
    ];
    for (prefix, expect) in cases {
        let found = buckets.list("one", prefix, 100).await.unwrap();
        let keys: Vec<&str> = found.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(keys, expect, "{prefix}");
        assert!(
            found
                .iter()
                .all(|object| object.bytes == object.key.len() as u64)
        );
    }
    assert!(buckets.list("one", "", 2).await.unwrap().len() > 2);
    for prefix in ["../", "../../outside/", "a/../", "/", "//", "a//b"] {
        assert!(buckets.list("one", prefix, 100).await.is_err(), "{prefix}");
    }
    for bucket in ["none", "linked"] {
        let error = buckets.list(bucket, "", 100).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound, "{bucket}");
    }
}

#[tokio::test]
async fn reports_grow_from_where_they_are_known_to_be_right() {
    let home = Temporary::new("buckets-report");
    let buckets = home.directories();
    let log = Report::Log("imports/1.jsonl");
    let add = |from: u64, text: &'static str| buckets.report(log, from, Bytes::from(text));
    add(0, "one\n").await.unwrap();
    add(4, "two\nlost\n").await.unwrap();
    add(8, "three\n").await.unwrap();
    // What a crash took leaves no hole.
    add(99, "four\n").await.unwrap();
    let told = fs::read_to_string(home.0.join("logs/imports/1.jsonl")).unwrap();
    assert_eq!(told, "one\ntwo\nthree\nfour\n");
}
