//! The environment variables of a function's process.
//!
//! It reads none of this process's own.
//! Source: Lambda developer guide, "Defined runtime environment variables".

use std::collections::BTreeMap;
use std::path::Path;

use crate::spec::{FunctionSpec, Surroundings};

/// What an instance adds to its function's own variables.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// Where the code is unpacked.
    pub(crate) task_root: &'a Path,
    /// The Runtime API's address, `host:port`.
    pub(crate) runtime_api: &'a str,
    /// The instance's log stream.
    pub(crate) log_stream: &'a str,
}

/// Returns all variables of an instance.
///
/// Shape: the user's own variables win over those that Lambda does not reserve, as
/// `AWS_ENDPOINT_URL`; reserved ones always have Lambda's values.
pub(crate) fn variables(
    spec: &FunctionSpec,
    around: &Surroundings,
    place: Place<'_>,
) -> BTreeMap<String, String> {
    let root = place.task_root.to_string_lossy();
    let unreserved = [
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("PATH", around.search_path.clone()),
        ("LD_LIBRARY_PATH", format!("{root}:{root}/lib")),
        ("AWS_ENDPOINT_URL", around.endpoint_url.clone()),
    ];
    let reserved = [
        ("_HANDLER", spec.handler.clone()),
        ("AWS_REGION", around.region.to_string()),
        ("AWS_DEFAULT_REGION", around.region.to_string()),
        ("AWS_ACCESS_KEY_ID", around.access_key_id.clone()),
        ("AWS_SECRET_ACCESS_KEY", around.secret_access_key.clone()),
        ("AWS_EXECUTION_ENV", format!("AWS_Lambda_{}", spec.runtime)),
        ("AWS_LAMBDA_FUNCTION_NAME", spec.name.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        (
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            spec.memory_mb.to_string(),
        ),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        (
            "AWS_LAMBDA_LOG_GROUP_NAME",
            format!("/aws/lambda/{}", spec.name),
        ),
        ("AWS_LAMBDA_LOG_STREAM_NAME", place.log_stream.to_owned()),
        ("AWS_LAMBDA_RUNTIME_API", place.runtime_api.to_owned()),
        ("LAMBDA_TASK_ROOT", root.to_string()),
        ("LAMBDA_RUNTIME_DIR", root.to_string()),
    ];
    let owned = |(name, value): (&str, String)| (name.to_owned(), value);
    let mut variables: BTreeMap<String, String> = unreserved.into_iter().map(owned).collect();
    variables.extend(spec.environment.clone());
    variables.extend(reserved.into_iter().map(owned));
    match &around.session_token {
        Some(token) => variables.insert("AWS_SESSION_TOKEN".to_owned(), token.clone()),
        None => variables.remove("AWS_SESSION_TOKEN"),
    };
    variables
}

#[cfg(test)]
mod tests;
