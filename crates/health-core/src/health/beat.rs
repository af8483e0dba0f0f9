//! Heartbeats: what we say of ourselves and the others, and taking in what they say.
//!
//! Every heartbeat is the same full snapshot to everybody, whatever happened: constant work.

use std::sync::Arc;

use base::region::RegionId;

use crate::gossip::{Gossip, GossipError, Row, Standing};
use crate::health::{Health, Now, Output};
use crate::judge::{Hearing, RegionState};
use crate::limits::{HEARTBEAT, HEARTBEAT_GAP_MIN};
use crate::planted::Planted;
use crate::replay::{Admitted, Incarnation, NotAdmitted};
use crate::sample::Echo;

/// Heartbeats that follow a farewell, 50 ms apart. 2: with 5 % loss, one farewell in 8,000
/// reaches nobody, and then the silence tells.
const FAREWELLS: u8 = 2;

impl Health {
    /// Takes in a datagram from the gossip socket.
    pub(super) fn hear(&mut self, now: Now, datagram: &[u8]) -> Result<(), GossipError> {
        let gossip = Gossip::decode(datagram, &self.seal)?;
        let from = gossip.sender;
        if from == self.region {
            return Err(GossipError::Ourselves);
        }
        let Some(peer) = self.peers.get_mut(&from) else {
            return Err(GossipError::Stranger(from));
        };
        let admitted = match peer.window.admit(gossip.incarnation, gossip.sequence) {
            Err(NotAdmitted::Replayed(_)) if self.planted == Planted::AcceptReplays => {
                Admitted::Newest
            }
            admitted => admitted?,
        };
        peer.hear(now.moment, &gossip, admitted);
        self.news |= gossip.part == 0;
        self.read_own_row(now, &gossip);
        let order = (gossip.incarnation.0, gossip.sequence);
        self.news |= self
            .book
            .heard(now.moment, now.wall, from, order, &gossip.votes);
        Ok(())
    }

    /// Reads what a peer says of us: the echo of our heartbeat, and which life of ours it knows.
    fn read_own_row(&mut self, now: Now, gossip: &Gossip) {
        let Some(row) = gossip.rows.iter().find(|row| row.region == self.region) else {
            return;
        };
        if row.incarnation > self.incarnation {
            // Our clock went back between two lives: only a higher one will be listened to.
            self.incarnation = Incarnation(row.incarnation.0.saturating_add(1));
            self.sequence = 0;
            self.beat_soon(now);
        }
        if row.incarnation != self.incarnation {
            return;
        }
        if let Some(peer) = self.peers.get_mut(&gossip.sender) {
            let echo = Echo {
                sent: clock::time::Moment::from_micros(row.echo_sent_micros),
                held: std::time::Duration::from_micros(u64::from(row.echo_held_micros)),
            };
            peer.samples.take(now.moment, now.wall, echo, gossip.wall);
        }
    }

    /// Changes what we say of ourselves, and says it at once.
    pub(super) fn stand(&mut self, now: Now, standing: Standing) {
        if self.standing == standing {
            return;
        }
        self.standing = standing;
        self.farewells = match standing {
            Standing::Serving => 0,
            Standing::Draining | Standing::Leaving => FAREWELLS,
        };
        self.news = true;
        self.beat_at = now.moment;
    }

    /// Makes the next heartbeat come as soon as the least gap allows.
    pub(super) fn beat_soon(&mut self, now: Now) {
        let soon = (self.beaten_at + HEARTBEAT_GAP_MIN).max(now.moment);
        self.beat_at = self.beat_at.min(soon);
    }

    /// Sends the snapshot to every peer.
    pub(super) fn beat(&mut self, now: Now) {
        let rows: Vec<Row> = self.rows(now);
        let votes = self.book.own_votes(now.wall);
        let (first, rest) = votes.split_at(votes.len().min(Gossip::votes_fit(rows.len())));
        let later = rest.chunks(Gossip::votes_fit(0).max(1));
        let parts = u8::try_from(later.len() + 1)
            .expect("the checks of a project fill at most 14 datagrams");
        let mut rows = Some(rows);
        for (part, votes) in (0..parts).zip(std::iter::once(first).chain(later)) {
            self.sequence += 1;
            let gossip = Gossip {
                sender: self.region,
                incarnation: self.incarnation,
                sequence: self.sequence,
                sent_micros: now.moment.as_micros(),
                wall: now.wall,
                standing: self.standing,
                part,
                parts,
                rows: rows.take().unwrap_or_default(),
                votes: votes.to_vec(),
            };
            let datagram: Arc<[u8]> = gossip.encode(&self.seal).into();
            self.outputs
                .extend(self.peers.keys().map(|to| Output::Send {
                    to: *to,
                    datagram: Arc::clone(&datagram),
                }));
        }
        self.beaten_at = now.moment;
        let gap = if self.farewells > 0 {
            self.farewells -= 1;
            HEARTBEAT_GAP_MIN
        } else {
            HEARTBEAT
        };
        self.beat_at = now.moment + gap;
    }

    fn rows(&self, now: Now) -> Vec<Row> {
        let row = |(region, peer): (&RegionId, &crate::peer::Peer)| {
            let (sent, heard_at) = peer.echo.unwrap_or((0, now.moment));
            let held = now.moment.since(heard_at).as_micros();
            let silence = peer.silence(now.moment).as_millis();
            Row {
                region: *region,
                missed: peer.hearing() == Hearing::Missed,
                state: self
                    .tracks
                    .get(region)
                    .map_or(RegionState::Suspect, crate::judge::Track::state),
                silence_ms: u16::try_from(silence).unwrap_or(u16::MAX),
                incarnation: peer.window.incarnation(),
                echo_sent_micros: sent,
                echo_held_micros: u32::try_from(held).unwrap_or(u32::MAX),
            }
        };
        self.peers.iter().map(row).collect()
    }
}
