//! Writing a gossip datagram.
//!
//! The layout stands in the parent module.

use crate::gossip::{DATAGRAM_BYTES_MAX, Gossip, MAGIC, Row, SeenRow, Standing, VERSION, VoteRow};
use crate::judge::RegionState;
use crate::prober::Status;
use crate::seal::Seal;

pub(super) fn encode(gossip: &Gossip, seal: &Seal) -> Vec<u8> {
    debug_assert!(
        gossip.votes.len() <= Gossip::votes_fit(gossip.rows.len()),
        "a part holds what fits"
    );
    let mut out = Vec::with_capacity(DATAGRAM_BYTES_MAX);
    out.extend_from_slice(&MAGIC);
    out.push(VERSION);
    out.push(match gossip.standing {
        Standing::Serving => 0,
        Standing::Draining => 1,
        Standing::Leaving => 2,
    });
    out.extend_from_slice(&seal.project().0.to_be_bytes());
    out.extend_from_slice(&gossip.sender.0.to_be_bytes());
    out.extend_from_slice(&gossip.incarnation.0.to_be_bytes());
    out.extend_from_slice(&gossip.sequence.to_be_bytes());
    out.extend_from_slice(&gossip.sent_micros.to_be_bytes());
    out.extend_from_slice(&gossip.wall.as_micros().to_be_bytes());
    out.push(gossip.part);
    out.push(gossip.parts);
    out.push(count(gossip.rows.len()));
    out.push(count(gossip.votes.len()));
    for row in &gossip.rows {
        write_row(&mut out, row);
    }
    for vote in &gossip.votes {
        write_vote(&mut out, vote);
    }
    let seal = seal.of(&out);
    out.extend_from_slice(&seal);
    debug_assert!(out.len() <= DATAGRAM_BYTES_MAX, "a datagram has a bound");
    out
}

fn write_row(out: &mut Vec<u8>, row: &Row) {
    out.extend_from_slice(&row.region.0.to_be_bytes());
    let state = match row.state {
        RegionState::Up => 0,
        RegionState::Suspect => 1,
        RegionState::Down => 2,
    };
    out.push(u8::from(row.missed) | state << 1);
    out.extend_from_slice(&row.silence_ms.to_be_bytes());
    out.extend_from_slice(&row.incarnation.0.to_be_bytes());
    out.extend_from_slice(&row.echo_micros.to_be_bytes());
}

fn write_vote(out: &mut Vec<u8>, vote: &VoteRow) {
    out.extend_from_slice(&vote.check.0.to_be_bytes());
    let Some(seen) = vote.seen else {
        // Padding keeps the snapshot's size the same before and after the first probe.
        out.extend_from_slice(&[0; 6]);
        return;
    };
    let SeenRow {
        status,
        wavering,
        outcome,
        age_tenths,
    } = seen;
    let status = match status {
        Status::Healthy => 1,
        Status::Unhealthy => 2,
    };
    let (code, http) = outcome.to_code();
    out.push(status | u8::from(wavering) << 2);
    out.push(code);
    out.extend_from_slice(&http.to_be_bytes());
    out.extend_from_slice(&age_tenths.to_be_bytes());
}

fn count(len: usize) -> u8 {
    u8::try_from(len).expect("rows are at most 32 and votes at most what votes_fit allows")
}
