//! Which operation a method and a path name.
//!
//! It knows all of Lambda's operations, so that those not served are refused by name.
//! Source: Lambda's service model, 2015-03-31.

use std::borrow::Cow;

/// What a request names: an operation and what its path says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    /// The operation, as the service model spells it.
    pub(crate) operation: &'static str,
    /// The variable parts of the path, in order.
    pub(crate) labels: Vec<&'a str>,
}

/// Returns what a request names; `None` for a path that is no operation's.
pub(crate) fn named<'a>(method: &str, segments: &'a [Cow<'a, str>]) -> Option<Named<'a>> {
    OPERATIONS.iter().find_map(|(operation, own, path)| {
        if *own != method {
            return None;
        }
        let mut labels = Vec::new();
        let mut segments = segments.iter();
        for part in path.split('/') {
            let segment = segments.next()?;
            if part == "*" {
                labels.push(&**segment);
            } else if *part != **segment {
                return None;
            }
        }
        let named = Named { operation, labels };
        segments.next().is_none().then_some(named)
    })
}

/// Operations by method and path, `*` for a variable part. The most frequent comes first.
const OPERATIONS: [(&str, &str, &str); 91] = [
    ("Invoke", "POST", "2015-03-31/functions/*/invocations"),
    (
        "AddLayerVersionPermission",
        "POST",
        "2018-10-31/layers/*/versions/*/policy",
    ),
    ("AddPermission", "POST", "2015-03-31/functions/*/policy"),
    (
        "CheckpointDurableExecution",
        "POST",
        "2025-12-01/durable-executions/*/checkpoint",
    ),
    ("CreateAlias", "POST", "2015-03-31/functions/*/aliases"),
    (
        "CreateCapacityProvider",
        "POST",
        "2025-11-30/capacity-providers",
    ),
    (
        "CreateCodeSigningConfig",
        "POST",
        "2020-04-22/code-signing-configs",
    ),
    (
        "CreateEventSourceMapping",
        "POST",
        "2015-03-31/event-source-mappings",
    ),
    ("CreateFunction", "POST", "2015-03-31/functions"),
    (
        "CreateFunctionUrlConfig",
        "POST",
        "2021-10-31/functions/*/url",
    ),
    ("DeleteAlias", "DELETE", "2015-03-31/functions/*/aliases/*"),
    (
        "DeleteCapacityProvider",
        "DELETE",
        "2025-11-30/capacity-providers/*",
    ),
    (
        "DeleteCodeSigningConfig",
        "DELETE",
        "2020-04-22/code-signing-configs/*",
    ),
    (
        "DeleteDurableExecution",
        "DELETE",
        "2025-12-01/durable-executions/*",
    ),
    (
        "DeleteEventSourceMapping",
        "DELETE",
        "2015-03-31/event-source-mappings/*",
    ),
    ("DeleteFunction", "DELETE", "2015-03-31/functions/*"),
    (
        "DeleteFunctionCodeSigningConfig",
        "DELETE",
        "2020-06-30/functions/*/code-signing-config",
    ),
    (
        "DeleteFunctionConcurrency",
        "DELETE",
        "2017-10-31/functions/*/concurrency",
    ),
    (
        "DeleteFunctionEventInvokeConfig",
        "DELETE",
        "2019-09-25/functions/*/event-invoke-config",
    ),
    (
        "DeleteFunctionUrlConfig",
        "DELETE",
        "2021-10-31/functions/*/url",
    ),
    (
        "DeleteLayerVersion",
        "DELETE",
        "2018-10-31/layers/*/versions/*",
    ),
    (
        "DeleteProvisionedConcurrencyConfig",
        "DELETE",
        "2019-09-30/functions/*/provisioned-concurrency",
    ),
    (
        "DeleteResourcePolicy",
        "DELETE",
        "2026-07-09/resource-policy/*",
    ),
    ("GetAccountSettings", "GET", "2016-08-19/account-settings"),
    ("GetAlias", "GET", "2015-03-31/functions/*/aliases/*"),
    (
        "GetCapacityProvider",
        "GET",
        "2025-11-30/capacity-providers/*",
    ),
    (
        "GetCodeSigningConfig",
        "GET",
        "2020-04-22/code-signing-configs/*",
    ),
    (
        "GetDurableExecution",
        "GET",
        "2025-12-01/durable-executions/*",
    ),
    (
        "GetDurableExecutionHistory",
        "GET",
        "2025-12-01/durable-executions/*/history",
    ),
    (
        "GetDurableExecutionState",
        "GET",
        "2025-12-01/durable-executions/*/state",
    ),
    (
        "GetEventSourceMapping",
        "GET",
        "2015-03-31/event-source-mappings/*",
    ),
    ("GetFunction", "GET", "2015-03-31/functions/*"),
    (
        "GetFunctionCodeSigningConfig",
        "GET",
        "2020-06-30/functions/*/code-signing-config",
    ),
    (
        "GetFunctionConcurrency",
        "GET",
        "2019-09-30/functions/*/concurrency",
    ),
    (
        "GetFunctionConfiguration",
        "GET",
        "2015-03-31/functions/*/configuration",
    ),
    (
        "GetFunctionEventInvokeConfig",
        "GET",
        "2019-09-25/functions/*/event-invoke-config",
    ),
    (
        "GetFunctionRecursionConfig",
        "GET",
        "2024-08-31/functions/*/recursion-config",
    ),
    (
        "GetFunctionScalingConfig",
        "GET",
        "2025-11-30/functions/*/function-scaling-config",
    ),
    ("GetFunctionUrlConfig", "GET", "2021-10-31/functions/*/url"),
    ("GetLayerVersion", "GET", "2018-10-31/layers/*/versions/*"),
    ("GetLayerVersionByArn", "GET", "2018-10-31/layers"),
    (
        "GetLayerVersionPolicy",
        "GET",
        "2018-10-31/layers/*/versions/*/policy",
    ),
    ("GetPolicy", "GET", "2015-03-31/functions/*/policy"),
    (
        "GetProvisionedConcurrencyConfig",
        "GET",
        "2019-09-30/functions/*/provisioned-concurrency",
    ),
    ("GetResourcePolicy", "GET", "2026-07-09/resource-policy/*"),
    (
        "GetRuntimeManagementConfig",
        "GET",
        "2021-07-20/functions/*/runtime-management-config",
    ),
    ("InvokeAsync", "POST", "2014-11-13/functions/*/invoke-async"),
    (
        "InvokeWithResponseStream",
        "POST",
        "2021-11-15/functions/*/response-streaming-invocations",
    ),
    ("ListAliases", "GET", "2015-03-31/functions/*/aliases"),
    (
        "ListCapacityProviders",
        "GET",
        "2025-11-30/capacity-providers",
    ),
    (
        "ListCodeSigningConfigs",
        "GET",
        "2020-04-22/code-signing-configs",
    ),
    (
        "ListDurableExecutionsByFunction",
        "GET",
        "2025-12-01/functions/*/durable-executions",
    ),
    (
        "ListEventSourceMappings",
        "GET",
        "2015-03-31/event-source-mappings",
    ),
    (
        "ListFunctionEventInvokeConfigs",
        "GET",
        "2019-09-25/functions/*/event-invoke-config/list",
    ),
    (
        "ListFunctionUrlConfigs",
        "GET",
        "2021-10-31/functions/*/urls",
    ),
    (
        "ListFunctionVersionsByCapacityProvider",
        "GET",
        "2025-11-30/capacity-providers/*/function-versions",
    ),
    ("ListFunctions", "GET", "2015-03-31/functions"),
    (
        "ListFunctionsByCodeSigningConfig",
        "GET",
        "2020-04-22/code-signing-configs/*/functions",
    ),
    ("ListLayerVersions", "GET", "2018-10-31/layers/*/versions"),
    ("ListLayers", "GET", "2018-10-31/layers"),
    (
        "ListProvisionedConcurrencyConfigs",
        "GET",
        "2019-09-30/functions/*/provisioned-concurrency",
    ),
    ("ListTags", "GET", "2017-03-31/tags/*"),
    (
        "ListVersionsByFunction",
        "GET",
        "2015-03-31/functions/*/versions",
    ),
    (
        "PauseDurableExecution",
        "POST",
        "2025-12-01/durable-executions/*/pause",
    ),
    (
        "PublishLayerVersion",
        "POST",
        "2018-10-31/layers/*/versions",
    ),
    ("PublishVersion", "POST", "2015-03-31/functions/*/versions"),
    (
        "PutFunctionCodeSigningConfig",
        "PUT",
        "2020-06-30/functions/*/code-signing-config",
    ),
    (
        "PutFunctionConcurrency",
        "PUT",
        "2017-10-31/functions/*/concurrency",
    ),
    (
        "PutFunctionEventInvokeConfig",
        "PUT",
        "2019-09-25/functions/*/event-invoke-config",
    ),
    (
        "PutFunctionRecursionConfig",
        "PUT",
        "2024-08-31/functions/*/recursion-config",
    ),
    (
        "PutFunctionScalingConfig",
        "PUT",
        "2025-11-30/functions/*/function-scaling-config",
    ),
    (
        "PutProvisionedConcurrencyConfig",
        "PUT",
        "2019-09-30/functions/*/provisioned-concurrency",
    ),
    ("PutResourcePolicy", "PUT", "2026-07-09/resource-policy/*"),
    (
        "PutRuntimeManagementConfig",
        "PUT",
        "2021-07-20/functions/*/runtime-management-config",
    ),
    (
        "RemoveLayerVersionPermission",
        "DELETE",
        "2018-10-31/layers/*/versions/*/policy/*",
    ),
    (
        "RemovePermission",
        "DELETE",
        "2015-03-31/functions/*/policy/*",
    ),
    (
        "ResumeDurableExecution",
        "POST",
        "2025-12-01/durable-executions/*/resume",
    ),
    (
        "SendDurableExecutionCallbackFailure",
        "POST",
        "2025-12-01/durable-execution-callbacks/*/fail",
    ),
    (
        "SendDurableExecutionCallbackHeartbeat",
        "POST",
        "2025-12-01/durable-execution-callbacks/*/heartbeat",
    ),
    (
        "SendDurableExecutionCallbackSuccess",
        "POST",
        "2025-12-01/durable-execution-callbacks/*/succeed",
    ),
    (
        "StopDurableExecution",
        "POST",
        "2025-12-01/durable-executions/*/stop",
    ),
    ("TagResource", "POST", "2017-03-31/tags/*"),
    ("UntagResource", "DELETE", "2017-03-31/tags/*"),
    ("UpdateAlias", "PUT", "2015-03-31/functions/*/aliases/*"),
    (
        "UpdateCapacityProvider",
        "PUT",
        "2025-11-30/capacity-providers/*",
    ),
    (
        "UpdateCodeSigningConfig",
        "PUT",
        "2020-04-22/code-signing-configs/*",
    ),
    (
        "UpdateEventSourceMapping",
        "PUT",
        "2015-03-31/event-source-mappings/*",
    ),
    ("UpdateFunctionCode", "PUT", "2015-03-31/functions/*/code"),
    (
        "UpdateFunctionConfiguration",
        "PUT",
        "2015-03-31/functions/*/configuration",
    ),
    (
        "UpdateFunctionEventInvokeConfig",
        "POST",
        "2019-09-25/functions/*/event-invoke-config",
    ),
    (
        "UpdateFunctionUrlConfig",
        "PUT",
        "2021-10-31/functions/*/url",
    ),
];

#[cfg(test)]
mod tests;
