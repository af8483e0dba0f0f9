//! GetMetricData: statistics of several metrics at once, a page at a time.
//!
//! There are no expressions. Source: CloudWatch API reference, `GetMetricData`.

use std::collections::BTreeSet;

use api_protocol::fault::Fault;
use store::port::Store;

use crate::answer::Node;
use crate::facade::CloudWatch;
use crate::limits::{QUERIES_MAX, VALUES_MAX};
use crate::metric::{Metric, Wanted};
use crate::request::{Members, invalid, missing};
use crate::spread::Statistic;
use crate::statistics::{Span, is_unit, period};

/// One query's answer.
struct Series<'r> {
    id: &'r str,
    label: &'r str,
    values: Vec<(u64, f64)>,
}

impl<S: Store> CloudWatch<S> {
    /// Answers `GetMetricData`.
    pub(crate) fn get_metric_data(&self, request: Members<'_>) -> Result<Node, Fault> {
        let queries = request.list("MetricDataQueries")?;
        if queries.is_empty() {
            return Err(missing("MetricDataQueries"));
        }
        if QUERIES_MAX < queries.len() {
            return Err(refused(format!(
                "There are more than {QUERIES_MAX} queries"
            )));
        }
        let span = Span::read(request)?;
        let newest_first = match request.text("ScanBy")? {
            None | Some("TimestampDescending") => true,
            Some("TimestampAscending") => false,
            Some(other) => return Err(invalid(format!("{other} is no value of ScanBy"))),
        };
        let (skipped, most) = page(request)?;
        let all = Metric::all(&self.control, self.figures.as_ref());
        let (mut ids, mut series) = (BTreeSet::new(), Vec::new());
        for query in queries {
            let query = Members::of(query)?;
            let id = query.needed("Id")?;
            if !is_id(id) || !ids.insert(id) {
                return Err(refused(format!(
                    "The value {id} of Id is not valid, or not the only"
                )));
            }
            let mut one = self.series(&all, (id, query), span)?;
            if newest_first {
                one.values.reverse();
            }
            if query.flag("ReturnData")?.unwrap_or(true) {
                series.push(one);
            }
        }
        Ok(answer(&series, skipped, most))
    }

    fn series<'r>(
        &self,
        all: &[Metric],
        (id, query): (&'r str, Members<'r>),
        span: Span,
    ) -> Result<Series<'r>, Fault> {
        if query.text("Expression")?.is_some() {
            let message = "Expressions are not supported by this endpoint: use MetricStat";
            return Err(refused(message));
        }
        let stat = query
            .structure("MetricStat")?
            .ok_or_else(|| missing("MetricStat"))?;
        let metric = stat.structure("Metric")?.ok_or_else(|| missing("Metric"))?;
        let wanted = Wanted::read(metric)?;
        let period = period(stat)?;
        let statistic = Statistic::parse(stat.needed("Stat")?)?;
        let found = wanted.among(all).filter(|_| is_unit(stat.text("Unit")));
        let spreads = found.map(|metric| self.spreads(metric, span, period));
        let values = spreads.unwrap_or_default().into_iter();
        let values = values.map(|(began, spread)| (began, spread.statistic(statistic)));
        Ok(Series {
            id,
            label: query.text("Label")?.unwrap_or(wanted.name),
            values: values.collect(),
        })
    }
}

/// Returns how many values earlier pages had, and how many this one has at most.
fn page(request: Members<'_>) -> Result<(usize, usize), Fault> {
    let token = request.text("NextToken")?;
    let skipped = token.map(|token| {
        let skipped = token.parse();
        skipped.map_err(|_| Fault::caller("InvalidNextToken", "The next token is not valid"))
    });
    let most = request.number("MaxDatapoints")?.map(usize::try_from);
    let most = most.unwrap_or(Ok(VALUES_MAX)).unwrap_or(0);
    if !(1..=VALUES_MAX).contains(&most) {
        return Err(invalid(format!("MaxDatapoints is from 1 to {VALUES_MAX}")));
    }
    Ok((skipped.transpose()?.unwrap_or(0), most))
}

/// Tells the values of all series, one after another, from one of them on.
fn answer(series: &[Series<'_>], skipped: usize, most: usize) -> Node {
    let (mut before, mut results) = (0, Vec::new());
    let end = skipped.saturating_add(most);
    for one in series {
        let len = one.values.len();
        let first = skipped.saturating_sub(before).min(len);
        let last = end.saturating_sub(before).min(len);
        let shown = one.values.get(first..last).unwrap_or_default();
        before += len;
        let is_whole = last == len;
        let status = if is_whole { "Complete" } else { "PartialData" };
        let times = shown.iter().map(|(began, _)| Node::Moment(*began));
        let values = shown.iter().map(|(_, value)| Node::Number(*value));
        results.push(Node::Structure(vec![
            ("Id", Node::text(one.id)),
            ("Label", Node::text(one.label)),
            ("Timestamps", Node::List(times.collect())),
            ("Values", Node::List(values.collect())),
            ("StatusCode", Node::text(status)),
        ]));
    }
    let mut members = vec![
        ("MetricDataResults", Node::List(results)),
        ("Messages", Node::List(Vec::new())),
    ];
    if end < before {
        members.push(("NextToken", Node::text(end.to_string())));
    }
    Node::Structure(members)
}

fn is_id(id: &str) -> bool {
    id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.len() <= 255
        && id
            .chars()
            .all(|one| one.is_ascii_alphanumeric() || one == '_')
}

fn refused(message: impl Into<String>) -> Fault {
    Fault::caller("ValidationError", message)
}
