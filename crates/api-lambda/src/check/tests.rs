//! What is accepted, and by which exception the rest is refused.

use serde_json::json;

use super::*;

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Fault>, code: &str) {
    assert_eq!(result.expect_err("refused").code, code);
}

fn members(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).expect("an object")
}

#[test]
fn what_asks_for_nothing_is_accepted() {
    let empty = members(json!({
        "PackageType": "Zip",
        "Publish": false,
        "VpcConfig": { "SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": false },
        "DeadLetterConfig": { "TargetArn": "" },
        "Layers": [],
        "KMSKeyArn": "",
        "TracingConfig": { "Mode": "PassThrough" },
        "SnapStart": { "ApplyOn": "None" },
        "LoggingConfig": { "LogFormat": "Text" },
        "SomethingNew": { "We": "do not know" },
    }));
    assert_eq!(unsupported(&empty), Ok(()));
}

#[test]
fn what_is_not_served_is_refused_by_name() {
    for (name, value) in [
        ("PackageType", json!("Image")),
        ("Publish", json!(true)),
        ("VpcConfig", json!({ "SubnetIds": ["subnet-1"] })),
        ("Layers", json!(["arn:aws:lambda:r:0:layer:l:1"])),
        ("TracingConfig", json!({ "Mode": "Active" })),
        ("SnapStart", json!({ "ApplyOn": "PublishedVersions" })),
        ("LoggingConfig", json!({ "LogFormat": "JSON" })),
        ("FileSystemConfigs", json!([{ "Arn": "x" }])),
        ("ImageUri", json!("registry/image")),
    ] {
        let fault = unsupported(&members(json!({ name: value }))).expect_err("refused");
        assert_eq!(fault.code, "InvalidParameterValueException");
        assert_eq!(fault.message, format!("{name} is not supported by Hither"));
    }
}

#[test]
fn numbers_have_bounds() {
    assert_eq!(timeout(900), Ok(900));
    refused(timeout(0), "ValidationException");
    refused(timeout(901), "ValidationException");
    assert_eq!(memory(128), Ok(128));
    refused(memory(127), "ValidationException");
    refused(memory(10_241), "ValidationException");
    refused(ephemeral(511), "ValidationException");
    let fault = timeout(0).expect_err("refused");
    assert_eq!(
        fault.message,
        "1 validation error detected: Value '0' at 'timeout' failed to satisfy constraint: \
         Member must have value greater than or equal to 1"
    );
}

fn variables(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn environments_keep_off_lambdas_names() {
    assert!(environment(variables(&[("TABLE", "carts"), ("AWS_ENDPOINT_URL", "x")])).is_ok());
    let fault = environment(variables(&[("AWS_REGION", "x"), ("_HANDLER", "y")]));
    let fault = fault.expect_err("refused");
    assert!(
        fault
            .message
            .ends_with("in this request: AWS_REGION, _HANDLER")
    );
    refused(
        environment(variables(&[("1A", "x")])),
        "ValidationException",
    );
    refused(
        environment(variables(&[("A-B", "x")])),
        "ValidationException",
    );
    refused(
        environment(variables(&[("AB", "x\0y")])),
        "InvalidParameterValueException",
    );
    let fits = "x".repeat(ENVIRONMENT_BYTES_MAX - 2);
    assert!(environment(variables(&[("AB", &fits)])).is_ok());
    let large = format!("{fits}x");
    refused(
        environment(variables(&[("AB", &large)])),
        "InvalidParameterValueException",
    );
}

#[test]
fn roles_and_handlers_have_shapes() {
    assert!(role("arn:aws:iam::000000000000:role/path/r".into()).is_ok());
    refused(role("role".into()), "ValidationException");
    refused(
        role("arn:aws:iam::000000000000:user/u".into()),
        "ValidationException",
    );
    assert!(handler("app.handler".into()).is_ok());
    refused(handler(String::new()), "ValidationException");
    refused(handler("a b".into()), "ValidationException");
}

#[test]
fn code_is_for_this_machine() {
    let own = architecture(None).expect("the own");
    assert_eq!(architecture(Some(vec![own.clone()])), Ok(own.clone()));
    let other = if own == "arm64" { "x86_64" } else { "arm64" };
    refused(
        architecture(Some(vec![other.to_owned()])),
        "InvalidParameterValueException",
    );
    refused(
        architecture(Some(vec!["mips".into()])),
        "ValidationException",
    );
}

#[test]
fn tags_have_bounds() {
    assert!(tags(variables(&[("hither:keep", "")])).is_ok());
    refused(
        tags(variables(&[("aws:x", "")])),
        "InvalidParameterValueException",
    );
    refused(tags(variables(&[("", "")])), "ValidationException");
    let many = (0..=TAGS_MAX).map(|at| (at.to_string(), String::new()));
    refused(tags(many.collect()), "InvalidParameterValueException");
}
