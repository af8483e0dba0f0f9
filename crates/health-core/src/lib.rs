//! Probe thresholds, votes, regional verdicts and membership, as decisions.
//!
//! It sends no probe and reads no clock.
