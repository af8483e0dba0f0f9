//! A function's configuration as Lambda writes it.
//!
//! It reads nothing. Source: Lambda API reference, `FunctionConfiguration`.

use api_protocol::timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clock::time::WallTime;
use control::functions::Function;
use serde_json::{Map, Value, json};

/// How much of a configuration an operation shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// All of it.
    Whole,
    /// What lists show: all but its state.
    Listed,
}

/// Returns a function's ARN.
pub(crate) fn arn(function: &Function) -> String {
    let Function {
        region,
        account,
        name,
        ..
    } = function;
    format!("arn:aws:lambda:{region}:{account}:function:{name}")
}

/// Writes a function's configuration.
pub(crate) fn configuration(function: &Function, shown: Shown) -> Map<String, Value> {
    let name = &function.name;
    let modified = WallTime::from_micros(function.modified_micros);
    let members = json!({
        "FunctionName": name,
        "FunctionArn": arn(function),
        "Runtime": function.runtime,
        "Role": function.role,
        "Handler": function.handler,
        "CodeSize": function.code.bytes,
        "Description": function.description,
        "Timeout": function.timeout_secs,
        "MemorySize": function.memory_mb,
        "LastModified": timestamp::iso_offset(modified),
        "CodeSha256": hash_in_base64(&function.code.sha256),
        "Version": "$LATEST",
        "TracingConfig": { "Mode": "PassThrough" },
        "RevisionId": function.revision,
        "PackageType": "Zip",
        "Architectures": [function.architecture],
        "EphemeralStorage": { "Size": function.ephemeral_mb },
        "SnapStart": { "ApplyOn": "None", "OptimizationStatus": "Off" },
        "LoggingConfig": { "LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}") },
    });
    let mut members = match members {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    };
    if !function.environment.is_empty() {
        let environment = json!({ "Variables": function.environment });
        members.insert("Environment".to_owned(), environment);
    }
    if shown == Shown::Whole {
        // A function is stored with all its code, or not at all: it is never less than active.
        members.insert("State".to_owned(), "Active".into());
        members.insert("LastUpdateStatus".to_owned(), "Successful".into());
    }
    members
}

/// Writes a hash as Lambda does.
fn hash_in_base64(hexadecimal: &str) -> String {
    let byte = |at: usize| {
        let pair = hexadecimal.get(at..at + 2)?;
        u8::from_str_radix(pair, 16).ok()
    };
    let bytes: Vec<u8> = (0..hexadecimal.len()).step_by(2).filter_map(byte).collect();
    STANDARD.encode(bytes)
}
