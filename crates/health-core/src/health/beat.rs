//! Heartbeats: what we say of ourselves and the others, and taking in what they say.
//!
//! Every heartbeat is the same full snapshot to everybody, whatever happened: constant work.

use std::sync::Arc;

use base::region::RegionId;
use clock::time::Moment;

use crate::gossip::{Gossip, GossipError, Row, Standing};
use crate::health::{Health, Now, Output};
use crate::judge::{Hearing, RegionState};
use crate::limits::{FRESH_MAX, HEARTBEAT, HEARTBEAT_GAP_MIN};
use crate::peer::Freshness;
use crate::planted::Planted;
use crate::replay::{Admitted, Incarnation, NotAdmitted};

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
        let replays = self.planted == Planted::AcceptReplays;
        let admitted = match peer.window.admit(gossip.incarnation, gossip.sequence) {
            Err(NotAdmitted::Replayed(_)) if replays => Admitted::Newest,
            admitted => admitted?,
        };
        let own = gossip.rows.iter().find(|row| row.region == self.region);
        let echo = own.filter(|row| row.incarnation == self.incarnation);
        let echo = echo.map(|row| Moment::from_micros(row.echo_micros));
        let fresh = match echo {
            Some(echo) if now.moment.since(echo) <= FRESH_MAX || replays => Freshness::Fresh,
            Some(_) | None => Freshness::Unproven,
        };
        peer.hear(now.moment, &gossip, admitted, fresh);
        if let (Some(echo), Freshness::Fresh) = (echo, fresh) {
            peer.samples.take(now.moment, now.wall, echo, gossip.wall);
        }
        let current = peer.is_current(&gossip);
        self.news |= fresh == Freshness::Fresh;
        if let Some(known) = own.map(|row| row.incarnation)
            && self.incarnation < known
        {
            // Our clock went back between two lives: only a higher one will be listened to.
            self.incarnation = Incarnation(known.0.saturating_add(1));
            self.sequence = 0;
            self.beat_soon(now);
        }
        if current {
            let order = (gossip.incarnation.0, gossip.sequence);
            self.news |= self
                .book
                .heard(now.moment, now.wall, from, order, &gossip.votes);
        }
        Ok(())
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
            let echo = peer.echo.map_or(0, |(sent, heard_at)| {
                let held = now.moment.since(heard_at).as_micros();
                sent.saturating_add(u64::try_from(held).unwrap_or(u64::MAX))
            });
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
                echo_micros: echo,
            }
        };
        self.peers.iter().map(row).collect()
    }
}
