//! ListMetrics: which metrics have values.
//!
//! All that are kept are recent. Source: CloudWatch API reference, `ListMetrics`.

use api_protocol::fault::Fault;
use store::port::Store;

use crate::answer::Node;
use crate::facade::CloudWatch;
use crate::limits::METRICS_MAX;
use crate::metric::{LATENCY, Metric, NAMESPACE};
use crate::request::{Members, invalid};

impl<S: Store> CloudWatch<S> {
    /// Answers `ListMetrics`.
    pub(crate) fn list_metrics(&self, request: Members<'_>) -> Result<Node, Fault> {
        if let Some(since) = request.text("RecentlyActive")?
            && since != "PT3H"
        {
            return Err(invalid(format!("{since} is no value of RecentlyActive")));
        }
        let is_named = request
            .text("Namespace")?
            .is_none_or(|name| name == NAMESPACE)
            && request
                .text("MetricName")?
                .is_none_or(|name| name == LATENCY);
        let mut filters = Vec::new();
        for dimension in request.list("Dimensions")? {
            let dimension = Members::of(dimension)?;
            filters.push((dimension.needed("Name")?, dimension.text("Value")?));
        }
        let passes = |metric: &Metric| {
            let dimensions = metric.dimensions();
            filters.iter().all(|(name, value)| {
                let is_it = |known: &(&str, &str)| {
                    known.0 == *name && value.is_none_or(|value| value == known.1)
                };
                dimensions.iter().any(is_it)
            })
        };
        let start = match request.text("NextToken")? {
            None => 0,
            Some(token) => token
                .parse()
                .map_err(|_| Fault::caller("InvalidNextToken", "The next token is not valid"))?,
        };
        let all = Metric::all(&self.control, self.figures.as_ref());
        let mut found = all
            .iter()
            .filter(|metric| is_named && passes(metric))
            .skip(start);
        let shown: Vec<Node> = found.by_ref().take(METRICS_MAX).map(Metric::told).collect();
        let mut members = vec![("Metrics", Node::List(shown))];
        if found.next().is_some() {
            let next = start.saturating_add(METRICS_MAX);
            members.push(("NextToken", Node::text(next.to_string())));
        }
        Ok(Node::Structure(members))
    }
}
