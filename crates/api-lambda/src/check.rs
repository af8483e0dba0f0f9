//! The members of a function, checked before anything is stored.
//!
//! It changes nothing. What AWS has and Hither does not is refused by name, unless it asks for
//! nothing: tools send empty members for what their users left out.

use std::collections::BTreeMap;

use api_protocol::fault::Fault;
use serde_json::{Map, Value};

use crate::fault;
use crate::limits::{ENVIRONMENT_BYTES_MAX, EPHEMERAL_MB, MEMORY_MB, TAGS_MAX, TIMEOUT_SECS_MAX};

/// Refuses members that ask for what is not served.
pub(crate) fn unsupported(members: &Map<String, Value>) -> Result<(), Fault> {
    for (name, value) in members {
        let is_served = match name.as_str() {
            "PackageType" => value == "Zip",
            "Publish" | "DryRun" => value == false,
            "TracingConfig" => value["Mode"] == "PassThrough",
            "SnapStart" => value["ApplyOn"] == "None",
            "LoggingConfig" => is_text_log(value),
            _ => !UNSUPPORTED.contains(&name.as_str()),
        };
        if !is_served && !asks_for_nothing(value) {
            return Err(fault::unsupported(name));
        }
    }
    Ok(())
}

/// Members that ask for something that is not served, whatever they hold.
const UNSUPPORTED: [&str; 15] = [
    "AcceleratorConfig",
    "CapacityProviderConfig",
    "CodeSigningConfigArn",
    "DeadLetterConfig",
    "DurableConfig",
    "FileSystemConfigs",
    "ImageConfig",
    "ImageUri",
    "KMSKeyArn",
    "Layers",
    "PublishTo",
    "RuntimeConfig",
    "SourceKMSKeyArn",
    "TenancyConfig",
    "VpcConfig",
];

fn is_text_log(value: &Value) -> bool {
    let Value::Object(members) = value else {
        return false;
    };
    members
        .iter()
        .all(|(name, value)| name == "LogFormat" && value == "Text")
}

fn asks_for_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.values().all(asks_for_nothing),
    }
}

/// Checks a time limit.
pub(crate) fn timeout(secs: u32) -> Result<u32, Fault> {
    within(secs, "timeout", (1, TIMEOUT_SECS_MAX))
}

/// Checks a memory size.
pub(crate) fn memory(megabytes: u32) -> Result<u32, Fault> {
    within(megabytes, "memorySize", MEMORY_MB)
}

/// Checks a size of `/tmp`.
pub(crate) fn ephemeral(megabytes: u32) -> Result<u32, Fault> {
    within(megabytes, "ephemeralStorage.size", EPHEMERAL_MB)
}

fn within(value: u32, member: &str, (least, most): (u32, u32)) -> Result<u32, Fault> {
    let refuse = |bound: &str, limit: u32| {
        let constraint = format!("Member must have value {bound} than or equal to {limit}");
        Err(fault::validation(&value.to_string(), member, &constraint))
    };
    match value {
        value if value < least => refuse("greater", least),
        value if most < value => refuse("less", most),
        value => Ok(value),
    }
}

/// Checks a role's ARN.
pub(crate) fn role(arn: String) -> Result<String, Fault> {
    let parsed = base::arn::Arn::parse(&arn);
    let is_role = parsed.is_some_and(|arn| {
        arn.service == "iam" && arn.region.is_empty() && arn.resource.starts_with("role/")
    });
    if is_role {
        Ok(arn)
    } else {
        let constraint = "Member must satisfy regular expression pattern: \
                          arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+";
        Err(fault::validation(&arn, "role", constraint))
    }
}

/// Checks a handler.
pub(crate) fn handler(text: String) -> Result<String, Fault> {
    if text.len() <= 128 && !text.is_empty() && !text.contains(char::is_whitespace) {
        Ok(text)
    } else {
        let constraint = "Member must satisfy regular expression pattern: [^\\s]{1,128}";
        Err(fault::validation(&text, "handler", constraint))
    }
}

/// Checks a description.
pub(crate) fn description(text: String) -> Result<String, Fault> {
    if text.chars().count() <= 256 {
        Ok(text)
    } else {
        let constraint = "Member must have length less than or equal to 256";
        Err(fault::validation(&text, "description", constraint))
    }
}

/// Checks the machines that code is for.
pub(crate) fn architecture(names: Option<Vec<String>>) -> Result<String, Fault> {
    let own = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    };
    match names.as_deref() {
        None | Some([]) => Ok(own.to_owned()),
        Some([name]) if name == own => Ok(own.to_owned()),
        Some([name]) if name == "x86_64" || name == "arm64" => Err(fault::invalid(format!(
            "This region runs {own} code; {name} is not supported here"
        ))),
        Some(names) => {
            let constraint = "Member must be one of [x86_64, arm64]";
            let names = names.join(", ");
            Err(fault::validation(&names, "architectures", constraint))
        }
    }
}

/// Checks environment variables.
/// Source: Lambda developer guide, "Working with Lambda environment variables".
pub(crate) fn environment(
    variables: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, Fault> {
    for name in variables.keys() {
        let is_name = name.len() >= 2
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !is_name {
            let constraint = "Map keys must satisfy constraint: [Member must satisfy regular \
                              expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]";
            return Err(fault::validation(name, "environment.variables", constraint));
        }
    }
    let reserved: Vec<&str> = variables.keys().map(String::as_str).collect();
    let reserved: Vec<&str> = reserved
        .into_iter()
        .filter(|name| RESERVED.contains(name))
        .collect();
    if !reserved.is_empty() {
        return Err(fault::invalid(format!(
            "Lambda was unable to configure your environment variables because the environment \
             variables you have provided contains reserved keys that are currently not supported \
             for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    if let Some((name, _)) = variables.iter().find(|(_, value)| value.contains('\0')) {
        return Err(fault::invalid(format!("The value of {name} holds a null")));
    }
    let bytes: usize = variables.iter().map(|(k, v)| k.len() + v.len()).sum();
    if ENVIRONMENT_BYTES_MAX < bytes {
        return Err(fault::invalid(format!(
            "Lambda was unable to configure your environment variables because the environment \
             variables you have provided exceeded the 4KB limit. String measured: {bytes} bytes"
        )));
    }
    Ok(variables)
}

/// Variables that Lambda sets itself.
/// Source: Lambda developer guide, "Defined runtime environment variables".
const RESERVED: [&str; 20] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];

/// Checks tags.
pub(crate) fn tags(tags: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Fault> {
    if TAGS_MAX < tags.len() {
        return Err(fault::invalid(format!(
            "Tag key/value pairs must not exceed {TAGS_MAX}"
        )));
    }
    for (key, value) in &tags {
        if key.is_empty() || 128 < key.chars().count() || 256 < value.chars().count() {
            return Err(fault::validation(
                key,
                "tags",
                "Map keys must have length 1 to 128, values 0 to 256",
            ));
        }
        if key.starts_with("aws:") {
            return Err(fault::invalid(
                "aws: prefixed tag key names are not allowed for external use.",
            ));
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests;
