//! Figures, their goals, and how they are printed.
//!
//! It measures nothing.

use std::fmt::Write;

use anyhow::Result;
use serde_json::json;

/// How a report is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For a person.
    Table,
    /// For a machine: one object with `goals`, an array of `{name, value, unit, goal, met}`,
    /// `figures` of the same shape without a goal, `rows`, and `failures`.
    Json,
}

/// What a benchmark found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(super) figures: Vec<Figure>,
    /// What the figures were taken from, where that says more than they do.
    pub(super) rows: Vec<Row>,
    /// Parts that could not run, and why.
    pub(super) failures: Vec<String>,
}

/// One work, done by one server.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// The work: operation, connections, items.
    pub(super) work: String,
    pub(super) server: &'static str,
    /// Requests per second.
    pub(super) rate: f64,
    /// Milliseconds below which 50, 99 and 99.9 percent of the answers came.
    pub(super) millis: [f64; 3],
    /// Processor time of the server a request, in microseconds.
    pub(super) cpu_us: f64,
}

/// One measured value.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) name: String,
    pub(super) value: f64,
    pub(super) unit: &'static str,
    /// The same of a peer, by the same means in the same run.
    pub(super) peer: Option<(&'static str, f64)>,
    pub(super) goal: Option<Goal>,
}

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Goal {
    /// The value is at most this.
    AtMost(f64),
    /// The value is at least this.
    AtLeast(f64),
    /// The value is at least so many times the peer's.
    TimesPeer(f64),
}

impl Figure {
    pub(super) fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            peer: None,
            goal: None,
        }
    }

    pub(super) fn beside(mut self, peer: &'static str, value: f64) -> Self {
        self.peer = Some((peer, value));
        self
    }

    pub(super) fn goal(mut self, goal: Goal) -> Self {
        self.goal = Some(goal);
        self
    }

    fn ratio(&self) -> Option<f64> {
        let (_, peer) = self.peer?;
        (peer > 0.0).then(|| self.value / peer)
    }

    /// Returns whether the goal is met; `None` without one, or when the peer is missing.
    fn met(&self) -> Option<bool> {
        match self.goal? {
            Goal::AtMost(most) => Some(self.value <= most),
            Goal::AtLeast(least) => Some(least <= self.value),
            Goal::TimesPeer(times) => Some(self.ratio()? >= times),
        }
    }
}

impl Report {
    /// Writes the report.
    pub(super) fn render(&self, form: Form) -> Result<String> {
        match form {
            Form::Table => Ok(self.table()),
            Form::Json => self.json(),
        }
    }

    fn table(&self) -> String {
        let head = ["figure", "ours", "peer", "", "ratio", "goal", "met"];
        let mut rows = vec![head.map(str::to_owned)];
        for figure in &self.figures {
            let (peer, value) = match figure.peer {
                Some((peer, value)) => (peer, number(value)),
                None => ("", String::new()),
            };
            let goal = match figure.goal {
                None => String::new(),
                Some(Goal::AtMost(most)) => format!("≤ {}", number(most)),
                Some(Goal::AtLeast(least)) => format!("≥ {}", number(least)),
                Some(Goal::TimesPeer(times)) => format!("≥ {} ×", number(times)),
            };
            let met = match (figure.goal, figure.met()) {
                (None, _) => "",
                (Some(_), None) => "no peer",
                (Some(_), Some(true)) => "yes",
                (Some(_), Some(false)) => "NO",
            };
            rows.push([
                figure.name.clone(),
                format!("{} {}", number(figure.value), figure.unit),
                peer.to_owned(),
                value,
                figure
                    .ratio()
                    .map_or_else(String::new, |ratio| format!("{ratio:.2}")),
                goal,
                met.to_owned(),
            ]);
        }
        let mut text = columns(&rows);
        for failure in &self.failures {
            _ = writeln!(text, "not measured: {failure}");
        }
        if self.rows.is_empty() {
            return text;
        }
        let head = [
            "work",
            "server",
            "/s",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "µs a request",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        rows.extend(self.rows.iter().map(|row| {
            let [half, most, nearly_all] = row.millis.map(number);
            let server = row.server.to_owned();
            let (rate, cpu) = (number(row.rate), number(row.cpu_us));
            [row.work.clone(), server, rate, half, most, nearly_all, cpu]
        }));
        text + "\n" + &columns(&rows)
    }

    fn json(&self) -> Result<String> {
        let (mut goals, mut figures) = (Vec::new(), Vec::new());
        for figure in &self.figures {
            let goal = match figure.goal {
                Some(Goal::AtMost(bound) | Goal::AtLeast(bound)) => Some(bound),
                Some(Goal::TimesPeer(_)) | None => None,
            };
            let entry = json!({
                "name": figure.name,
                "value": figure.value,
                "unit": figure.unit,
                "peer": figure.peer.map(|(name, value)| json!({ "name": name, "value": value })),
                "goal": goal,
                "met": goal.and_then(|_| figure.met()),
            });
            if goal.is_some() {
                goals.push(entry);
            } else {
                figures.push(entry);
            }
            if let Some(Goal::TimesPeer(times)) = figure.goal {
                goals.push(json!({
                    "name": format!("{}, times the peer's", figure.name),
                    "value": figure.ratio(),
                    "unit": "×",
                    "goal": times,
                    "met": figure.met().unwrap_or(false),
                }));
            }
        }
        let row = |row: &Row| {
            json!({
                "work": row.work,
                "server": row.server,
                "rate": row.rate,
                "millis": { "p50": row.millis[0], "p99": row.millis[1], "p99.9": row.millis[2] },
                "cpu_us": row.cpu_us,
            })
        };
        let rows: Vec<_> = self.rows.iter().map(row).collect();
        let report = json!({
            "goals": goals,
            "figures": figures,
            "rows": rows,
            "failures": self.failures,
        });
        Ok(serde_json::to_string_pretty(&report)? + "\n")
    }
}

/// Writes rows with their columns aligned.
fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths);
        let cells = cells.map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// Writes a number with three digits that matter, or all digits before the point.
fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests;
