//! Values of a period, and what statistics they come to.
//!
//! Source: CloudWatch user guide, "CloudWatch statistics definitions".

use std::collections::BTreeMap;

use api_protocol::fault::Fault;

use crate::port::Minute;
use crate::request::invalid;

/// What is asked of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Statistic {
    SampleCount,
    Sum,
    Average,
    Minimum,
    Maximum,
    /// So many of a hundred are at most the answer.
    Percentile(f64),
}

impl Statistic {
    /// Reads one.
    ///
    /// Errors: `InvalidParameterValue`, by name for those that there are nowhere but at AWS.
    pub(crate) fn parse(name: &str) -> Result<Self, Fault> {
        let percent = |text: &str| {
            text.parse()
                .ok()
                .filter(|number| (0.0..=100.0).contains(number))
        };
        match name {
            "SampleCount" => Ok(Self::SampleCount),
            "Sum" => Ok(Self::Sum),
            "Average" => Ok(Self::Average),
            "Minimum" => Ok(Self::Minimum),
            "Maximum" => Ok(Self::Maximum),
            _ => match name.strip_prefix('p').and_then(percent) {
                Some(percent) => Ok(Self::Percentile(percent)),
                None => Err(invalid(format!(
                    "The statistic {name} is not supported by this endpoint: it has SampleCount, \
                     Sum, Average, Minimum, Maximum and percentiles such as p99"
                ))),
            },
        }
    }
}

/// The values of a period.
///
/// Units: microseconds; statistics are milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spread {
    count: u64,
    sum: u64,
    min: u64,
    max: u64,
    values: BTreeMap<u64, u64>,
}

impl Spread {
    /// Adds a minute's values.
    pub(crate) fn add(&mut self, minute: &Minute) {
        self.min = if self.count == 0 {
            minute.min
        } else {
            self.min.min(minute.min)
        };
        self.max = self.max.max(minute.max);
        self.count += minute.count;
        self.sum = self.sum.saturating_add(minute.sum);
        for (value, count) in &minute.spread {
            *self.values.entry(*value).or_default() += count;
        }
    }

    /// Returns what the values come to.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of days are exact")]
    pub(crate) fn statistic(&self, statistic: Statistic) -> f64 {
        let millis = |micros: u64| micros as f64 / 1e3;
        match statistic {
            Statistic::SampleCount => self.count as f64,
            Statistic::Sum => millis(self.sum),
            Statistic::Average => millis(self.sum) / self.count.max(1) as f64,
            Statistic::Minimum => millis(self.min),
            Statistic::Maximum => millis(self.max),
            Statistic::Percentile(percent) => {
                let wanted = self.count as f64 * percent / 100.0;
                let mut seen = 0;
                let mut values = self.values.iter();
                let found = values.find(|(_, count)| {
                    seen += **count;
                    wanted <= seen as f64
                });
                millis(found.map_or(self.max, |(value, _)| *value))
            }
        }
    }
}

/// Returns the values of each period in which there are some, by when it began.
///
/// Units: seconds since 1970.
pub(crate) fn by_period(minutes: &[Minute], period: i64) -> BTreeMap<i64, Spread> {
    let mut periods: BTreeMap<i64, Spread> = BTreeMap::new();
    for minute in minutes {
        let began = (minute.number * 60).div_euclid(period) * period;
        periods.entry(began).or_default().add(minute);
    }
    periods
}

#[cfg(test)]
mod tests {
    use super::{Spread, Statistic, by_period};
    use crate::port::Minute;

    fn minute(number: i64, values: &[u64]) -> Minute {
        Minute {
            number,
            count: values.len() as u64,
            sum: values.iter().sum(),
            min: *values.first().unwrap(),
            max: *values.last().unwrap(),
            spread: values.iter().map(|value| (*value, 1)).collect(),
        }
    }

    #[test]
    fn statistics_are_of_all_values_of_a_period() {
        let minutes = [
            minute(9, &[7_000]),
            minute(10, &[1_000, 2_000]),
            minute(14, &[500, 4_500]),
        ];
        let periods = by_period(&minutes, 300);
        assert_eq!(periods.keys().copied().collect::<Vec<_>>(), [300, 600]);
        let statistic = |name: &str| periods[&600].statistic(Statistic::parse(name).unwrap());
        let of = |name: &str| statistic(name).to_string();
        let all = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"].map(of);
        assert_eq!(all, ["4", "8", "2", "0.5", "4.5"]);
        assert_eq!(
            ["p0", "p50", "p75", "p99", "p99.9", "p100"].map(of),
            ["0.5", "1", "2", "4.5", "4.5", "4.5"]
        );
        let none = Spread::default().statistic(Statistic::Average);
        assert_eq!(none.to_string(), "0");
    }

    #[test]
    fn other_statistics_are_refused_by_name() {
        for name in ["p101", "p", "pNaN", "tm99", "IQM", "average"] {
            let refused = Statistic::parse(name).unwrap_err();
            assert!(refused.message.contains(name), "{refused}");
        }
    }
}
