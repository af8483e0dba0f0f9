//! GetMetricStatistics: one metric's statistics, period by period.
//!
//! Source: CloudWatch API reference, `GetMetricStatistics`.

use api_protocol::fault::Fault;
use store::port::Store;

use crate::answer::Node;
use crate::facade::CloudWatch;
use crate::metric::{Metric, UNIT, Wanted};
use crate::request::{Members, invalid, missing};
use crate::spread::{Spread, Statistic, by_period};

/// When and how finely values are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// Units: seconds since 1970.
    from: i64,
    until: i64,
}

impl Span {
    /// Reads one.
    ///
    /// Errors: `InvalidParameterCombination` for one that ends before it begins.
    pub(crate) fn read(members: Members<'_>) -> Result<Self, Fault> {
        let secs = |name| {
            members
                .moment(name)
                .map(|at| at.as_micros().div_euclid(1_000_000))
        };
        let (from, until) = (secs("StartTime")?, secs("EndTime")?);
        if until <= from {
            let message = "The parameter StartTime must be less than the parameter EndTime.";
            return Err(Fault::caller("InvalidParameterCombination", message));
        }
        Ok(Self { from, until })
    }
}

/// Reads a period.
///
/// Units: seconds.
/// Errors: `MissingParameter`, `InvalidParameterValue`.
pub(crate) fn period(members: Members<'_>) -> Result<i64, Fault> {
    let period = members.number("Period")?.ok_or_else(|| missing("Period"))?;
    if period < 60 || period % 60 != 0 {
        return Err(invalid(
            "The parameter Period must be a multiple of 60: values are kept by the minute",
        ));
    }
    Ok(period)
}

impl<S: Store> CloudWatch<S> {
    /// Answers `GetMetricStatistics`.
    pub(crate) fn get_metric_statistics(&self, request: Members<'_>) -> Result<Node, Fault> {
        let wanted = Wanted::read(request)?;
        let period = period(request)?;
        let span = Span::read(request)?;
        let plain = request.texts("Statistics")?;
        let extended = request.texts("ExtendedStatistics")?;
        if plain.is_empty() == extended.is_empty() {
            return Err(Fault::caller(
                "InvalidParameterCombination",
                "Either Statistics or ExtendedStatistics must be specified, but not both",
            ));
        }
        let mut asked = Vec::new();
        for name in plain.iter().chain(&extended) {
            let statistic = Statistic::parse(name)?;
            let is_percentile = matches!(statistic, Statistic::Percentile(_));
            if is_percentile == extended.is_empty() {
                return Err(invalid(format!("{name} is not among such statistics")));
            }
            asked.push((*name, statistic));
        }
        let all = Metric::all(&self.control, self.figures.as_ref());
        let metric = wanted.among(&all).filter(|_| is_unit(request.text("Unit")));
        let points = metric.map(|metric| self.spreads(metric, span, period));
        let points = points.unwrap_or_default();
        let points = points
            .iter()
            .map(|(began, spread)| point(*began, spread, &asked));
        Ok(Node::Structure(vec![
            ("Label", Node::text(wanted.name)),
            ("Datapoints", Node::List(points.collect())),
        ]))
    }

    /// Returns a metric's values of each period, from the first on.
    pub(crate) fn spreads(&self, metric: &Metric, span: Span, period: i64) -> Vec<(u64, Spread)> {
        // A period counts whole if it begins within the span, or holds its beginning.
        let from = span.from.div_euclid(period) * period / 60;
        let until = (span.until + 59).div_euclid(60);
        let minutes = self.figures.delays_between(metric.pair, (from, until));
        let periods = by_period(&minutes, period).into_iter();
        let told = periods.filter_map(|(began, spread)| Some((u64::try_from(began).ok()?, spread)));
        told.collect()
    }
}

/// Returns whether a unit that is asked for, if any is, is that of all values.
pub(crate) fn is_unit(unit: Result<Option<&str>, Fault>) -> bool {
    matches!(unit, Ok(None | Some(UNIT)))
}

fn point(began: u64, spread: &Spread, asked: &[(&str, Statistic)]) -> Node {
    let mut members = vec![
        ("Timestamp", Node::Moment(began)),
        ("Unit", Node::text(UNIT)),
    ];
    let mut extended = Vec::new();
    for (name, statistic) in asked {
        let value = Node::Number(spread.statistic(*statistic));
        match statistic {
            Statistic::SampleCount => members.push(("SampleCount", value)),
            Statistic::Sum => members.push(("Sum", value)),
            Statistic::Average => members.push(("Average", value)),
            Statistic::Minimum => members.push(("Minimum", value)),
            Statistic::Maximum => members.push(("Maximum", value)),
            Statistic::Percentile(_) => extended.push(((*name).to_owned(), value)),
        }
    }
    if !extended.is_empty() {
        members.push(("ExtendedStatistics", Node::Map(extended)));
    }
    Node::Structure(members)
}
