//! Medians and percentiles of a handful of samples.
//!
//! It is no histogram: samples are few and kept whole.

use std::time::Duration;

/// Samples of one quantity.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the smallest sample that at least `share` of all are at or below, in milliseconds.
    ///
    /// Shape: `None` without samples; `share` from 0.0 to 1.0.
    pub(crate) fn percentile_ms(&self, share: f64) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a few thousand samples is exact in a double"
        )]
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.max(1) - 1).map(|sample| ms(*sample))
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }
}

/// Returns a duration in milliseconds, to a hundredth.
pub(crate) fn ms(duration: Duration) -> f64 {
    (base::units::as_millis_f64(duration) * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    //! Tests of percentiles.

    use std::time::Duration;

    use super::Samples;

    #[test]
    fn percentiles_are_samples() {
        let mut samples = Samples::default();
        assert_eq!(samples.percentile_ms(0.5), None);
        for ms in [5, 1, 4, 2, 3] {
            samples.push(Duration::from_millis(ms));
        }
        assert_eq!(samples.percentile_ms(0.0), Some(1.0));
        assert_eq!(samples.percentile_ms(0.5), Some(3.0));
        assert_eq!(samples.percentile_ms(0.99), Some(5.0));
        assert_eq!(samples.percentile_ms(1.0), Some(5.0));
    }
}
