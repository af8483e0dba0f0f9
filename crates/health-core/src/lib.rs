//! Probe thresholds, votes, regional verdicts and membership, as decisions.
//!
//! It sends no probe, opens no socket and reads no clock: [`health::Health`] is driven by
//! `handle_input` and `handle_timeout`, and says what to do through `poll_output` and
//! `poll_timeout`. Whether an answer fails open when everything is unhealthy is DNS's business.
//!
//! Shape: every region probes every check and gossips its verdicts as full snapshots of fixed
//! size ([`gossip`]); each region judges the others by majority ([`judge`]) and each check by
//! Route 53's 18 % rule ([`vote`]); the result is one [`view::HealthView`].

pub mod check;
pub mod gossip;
pub mod health;
pub mod judge;
pub mod limits;
pub mod observation;
pub mod planted;
pub mod prober;
pub mod replay;
pub mod sample;
pub mod seal;
pub mod view;
pub mod vote;

mod book;
mod peer;
mod schedule;
