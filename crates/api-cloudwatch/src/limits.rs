//! Limits of the calls.

/// Most queries of one `GetMetricData`. 500.
/// Source: CloudWatch API reference, `GetMetricData`.
pub(crate) const QUERIES_MAX: usize = 500;

/// Most values that one `GetMetricData` answers with. 100,800.
/// Source: CloudWatch API reference, `GetMetricData` (`MaxDatapoints`).
pub(crate) const VALUES_MAX: usize = 100_800;

/// Most metrics that one `ListMetrics` answers with. 500.
/// Source: CloudWatch API reference, `ListMetrics`.
pub(crate) const METRICS_MAX: usize = 500;

/// Deepest names of a form's parameters. 16; `GetMetricData`'s deepest has 8 parts.
pub(crate) const FORM_DEPTH_MAX: usize = 16;
