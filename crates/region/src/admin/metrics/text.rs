//! Metrics as Prometheus reads them.
//!
//! It knows no metric.
//! Source: Prometheus documentation, "Exposition formats".

use std::fmt::Write;

/// What a metric is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// It only rises, until the node starts anew.
    Counter,
    /// It rises and falls.
    Gauge,
}

/// Metrics that were written.
#[derive(Debug, Default)]
pub(super) struct Text {
    text: String,
    /// The metric that samples are of.
    name: &'static str,
}

impl Text {
    /// Begins a metric, which samples follow; one without samples is told all the same.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.name = name;
        let head = format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n").to_string();
        self.text.push_str(&head);
    }

    /// Adds a sample of the metric.
    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: u64) {
        self.write(labels, &value.to_string());
    }

    /// Adds a sample of seconds, given in microseconds.
    pub(super) fn sample_micros(&mut self, labels: &[(&str, &str)], micros: u64) {
        let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
        self.write(labels, &format!("{seconds}.{rest:06}"));
    }

    fn write(&mut self, labels: &[(&str, &str)], value: &str) {
        self.text.push_str(self.name);
        for (at, (name, value)) in labels.iter().enumerate() {
            let between = if at == 0 { '{' } else { ',' };
            self.text.push(between);
            write!(self.text, "{name}=\"").expect("a string takes any text");
            for char in value.chars() {
                match char {
                    '\\' => self.text.push_str("\\\\"),
                    '"' => self.text.push_str("\\\""),
                    '\n' => self.text.push_str("\\n"),
                    char => self.text.push(char),
                }
            }
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        self.text.extend([" ", value, "\n"]);
    }

    /// Returns all of it.
    pub(super) fn into_string(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    //! Tests of what Prometheus reads.

    use super::{Kind, Text};

    #[test]
    fn metrics_are_written_as_prometheus_reads_them() {
        let mut text = Text::default();
        text.family("a_total", Kind::Counter, "How many.");
        text.sample(&[], 7);
        text.sample(&[("table", "a\\\"\n"), ("b", "")], 0);
        text.family("b_seconds", Kind::Gauge, "How long.");
        text.sample_micros(&[], 1_000_020);
        let expect = "# HELP a_total How many.\n# TYPE a_total counter\na_total 7\n\
                      a_total{table=\"a\\\\\\\"\\n\",b=\"\"} 0\n\
                      # HELP b_seconds How long.\n# TYPE b_seconds gauge\nb_seconds 1.000020\n";
        assert_eq!(text.into_string(), expect);
    }
}
