//! Whose value wins.

use std::time::Duration;

use base::region::RegionName;
use gateway_core::invoke::FunctionName;

use super::*;
use crate::spec::CodeHash;

fn variables_with(own: &[(&str, &str)]) -> BTreeMap<String, String> {
    let spec = FunctionSpec {
        name: FunctionName::parse("cart").unwrap(),
        region: RegionName::parse("eu-west-1").unwrap(),
        arn: "arn".into(),
        code: CodeHash::of(b""),
        handler: "app.handler".into(),
        runtime: "provided.al2023".into(),
        environment: own
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        timeout: Duration::from_secs(3),
        memory_mb: 256,
        revision: "1".into(),
        concurrency: None,
    };
    let around = Surroundings {
        region: RegionName::parse("eu-west-1").unwrap(),
        endpoint_url: "http://127.0.0.12:4566".into(),
        access_key_id: "key".into(),
        secret_access_key: "secret".into(),
        session_token: None,
        search_path: "/bin".into(),
    };
    let place = Place {
        task_root: Path::new("/code"),
        runtime_api: "127.0.0.1:9001",
        log_stream: "stream",
    };
    variables(&spec, &around, place)
}

#[test]
fn lambdas_variables_are_there() {
    let variables = variables_with(&[("TABLE", "carts")]);
    for (name, value) in [
        ("TABLE", "carts"),
        ("_HANDLER", "app.handler"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.12:4566"),
        ("AWS_LAMBDA_FUNCTION_NAME", "cart"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"),
        ("LAMBDA_TASK_ROOT", "/code"),
    ] {
        assert_eq!(
            variables.get(name).map(String::as_str),
            Some(value),
            "{name}"
        );
    }
    assert_eq!(variables.get("AWS_SESSION_TOKEN"), None);
}

#[test]
fn users_override_what_is_not_reserved() {
    let variables = variables_with(&[
        ("AWS_ENDPOINT_URL", "http://other"),
        ("TZ", "Asia/Tokyo"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_SESSION_TOKEN", "stray"),
    ]);
    assert_eq!(variables["AWS_ENDPOINT_URL"], "http://other");
    assert_eq!(variables["TZ"], "Asia/Tokyo");
    assert_eq!(variables["AWS_REGION"], "eu-west-1");
    assert_eq!(variables.get("AWS_SESSION_TOKEN"), None);
}
