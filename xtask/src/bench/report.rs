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
    /// For a machine: one array of `{name, value, unit, goal, met}`.
    Json,
}

/// What a benchmark found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(super) figures: Vec<Figure>,
    /// Parts that could not run, and why.
    pub(super) failures: Vec<String>,
}

/// One measured value.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) name: &'static str,
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
    /// The value is at least so many times the peer's.
    TimesPeer(f64),
}

impl Figure {
    pub(super) fn new(name: &'static str, value: f64, unit: &'static str) -> Self {
        Self {
            name,
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
        let mut text = String::new();
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
                Some(Goal::TimesPeer(times)) => format!("≥ {} ×", number(times)),
            };
            let met = match figure.met() {
                None => "",
                Some(true) => "yes",
                Some(false) => "NO",
            };
            rows.push([
                figure.name.to_owned(),
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
        let widths: Vec<usize> = (0..head.len())
            .map(|column| {
                rows.iter()
                    .map(|row| row[column].chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        for row in &rows {
            let cells = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:<width$}"));
            let line = cells.collect::<Vec<_>>().join("  ");
            _ = writeln!(text, "{}", line.trim_end());
        }
        for failure in &self.failures {
            _ = writeln!(text, "not measured: {failure}");
        }
        text
    }

    fn json(&self) -> Result<String> {
        let mut entries = Vec::new();
        for figure in &self.figures {
            let most = match figure.goal {
                Some(Goal::AtMost(most)) => Some(most),
                Some(Goal::TimesPeer(_)) | None => None,
            };
            entries.push(json!({
                "name": figure.name,
                "value": figure.value,
                "unit": figure.unit,
                "peer": figure.peer.map(|(name, value)| json!({ "name": name, "value": value })),
                "goal": most,
                "met": most.and_then(|_| figure.met()),
            }));
            if let (Some(Goal::TimesPeer(times)), Some(ratio)) = (figure.goal, figure.ratio()) {
                entries.push(json!({
                    "name": format!("{}, times the peer's", figure.name),
                    "value": ratio,
                    "unit": "×",
                    "goal": times,
                    "met": figure.met(),
                }));
            }
        }
        for failure in &self.failures {
            entries.push(json!({ "name": failure, "value": null, "goal": null, "met": false }));
        }
        Ok(serde_json::to_string_pretty(&entries)? + "\n")
    }
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
