//! Hashes as text, and which changes need fresh instances.

use super::*;

fn spec() -> FunctionSpec {
    FunctionSpec {
        name: FunctionName::parse("cart").unwrap(),
        region: RegionName::parse("eu-west-1").unwrap(),
        arn: "arn:aws:lambda:eu-west-1:000000000000:function:cart".into(),
        code: CodeHash::of(b""),
        handler: "x".into(),
        runtime: "provided.al2023".into(),
        environment: BTreeMap::new(),
        timeout: Duration::from_secs(3),
        memory_mb: 128,
        revision: "1".into(),
        concurrency: None,
    }
}

#[test]
fn hashes_are_sha256_in_hexadecimal() {
    assert_eq!(
        CodeHash::of(b"abc").to_string(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let hash = CodeHash::of(b"abc");
    assert_eq!(CodeHash::parse(&hash.to_string()), Some(hash));
    for text in [
        "",
        "ba78",
        &hash.to_string().to_uppercase(),
        &"é".repeat(32),
    ] {
        assert_eq!(CodeHash::parse(text), None, "{text}");
    }
}

#[test]
fn only_changes_that_a_process_sees_need_another_process() {
    let old = spec();
    let bounded = FunctionSpec {
        concurrency: Some(1),
        revision: "2".into(),
        ..spec()
    };
    assert!(bounded.is_served_by(&old));
    let slower = FunctionSpec {
        timeout: Duration::from_secs(4),
        ..spec()
    };
    let other_code = FunctionSpec {
        code: CodeHash::of(b"abc"),
        ..spec()
    };
    let other_table = FunctionSpec {
        environment: BTreeMap::from([("TABLE".into(), "carts".into())]),
        ..spec()
    };
    for changed in [slower, other_code, other_table] {
        assert!(!changed.is_served_by(&old), "{changed:?}");
    }
}

#[test]
fn surroundings_keep_their_secret() {
    let surroundings = Surroundings {
        region: RegionName::parse("eu-west-1").unwrap(),
        endpoint_url: "http://127.0.0.1:1".into(),
        access_key_id: "key".into(),
        secret_access_key: "hush".into(),
        session_token: None,
        search_path: "/bin".into(),
    };
    assert!(!format!("{surroundings:?}").contains("hush"));
}
