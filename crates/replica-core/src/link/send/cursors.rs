//! How far each origin's log has been read for one peer, and whose turn is next.
//!
//! It knows nothing of frames or windows.

use std::collections::BTreeMap;
use std::ops::Bound;

use base::region::RegionId;
use clock::time::Moment;

use crate::frame::Want;
use crate::link::Local;
use crate::planted::Planted;
use crate::vector::Seq;

/// The logs that one peer asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Cursors {
    by_origin: BTreeMap<RegionId, Cursor>,
    turn: RegionId,
}

/// How far one log has been read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor {
    /// The round of the want that it serves.
    pub(super) round: u32,
    /// The number of the log's directory that the peer has met; 0 where it has met none.
    pub(super) directory: u64,
    /// The last position read.
    pub(super) sent: Seq,
    /// Where the next frame claims to start: where the last one ended.
    pub(super) claim: Seq,
    /// Reading gave nothing while the log's end was here: only a longer log can help.
    pub(super) stuck: Option<Seq>,
    /// Reading failed: rest until then.
    pub(super) rests: Option<Moment>,
    /// The records are gone.
    pub(super) trimmed: bool,
}

impl Cursors {
    /// Takes over all that the peer asks for. A round that is known goes on where it is.
    pub(super) fn want(&mut self, wants: &[Want], planted: Planted) {
        let skip = u64::from(planted == Planted::ResumeTooFar);
        let cursor = |want: &Want| Cursor {
            round: want.round,
            directory: want.directory,
            sent: Seq(want.after.0 + skip),
            claim: want.after,
            stuck: None,
            rests: None,
            trimmed: false,
        };
        let old = std::mem::take(&mut self.by_origin);
        self.by_origin = wants
            .iter()
            .map(|want| {
                let kept = old.get(&want.origin).filter(|old| old.round == want.round);
                let kept = kept.map(|kept| Cursor {
                    directory: want.directory,
                    ..*kept
                });
                (want.origin, kept.unwrap_or_else(|| cursor(want)))
            })
            .collect();
    }

    /// Returns whether this round of `origin` is asked for.
    pub(super) fn serves(&self, origin: RegionId, round: u32) -> bool {
        self.by_origin
            .get(&origin)
            .is_some_and(|cursor| cursor.round == round)
    }

    /// Returns the cursor of this round of `origin`.
    pub(super) fn get_mut(&mut self, origin: RegionId, round: u32) -> Option<&mut Cursor> {
        self.by_origin
            .get_mut(&origin)
            .filter(|cursor| cursor.round == round)
    }

    /// Returns the next origin that is behind what is on disk, in turn, so that none starves
    /// another. A log rests whose directory is another one to the peer than the one that was met
    /// here: its positions mean other records there.
    pub(super) fn next(&self, now: Moment, local: &Local) -> Option<(RegionId, Cursor)> {
        let is_same = |origin: &RegionId, directory: u64| {
            let met = local.met.get(origin).copied().unwrap_or(0);
            directory == 0 || met == 0 || met == directory
        };
        let behind = |(origin, cursor): &(&RegionId, &Cursor)| {
            let end = local.durable.at(**origin);
            let rests = cursor.rests.is_some_and(|until| now < until);
            let may_be_sent = !cursor.trimmed && !rests && is_same(origin, cursor.directory);
            may_be_sent && cursor.sent < end && cursor.stuck != Some(end)
        };
        let later = (Bound::Excluded(self.turn), Bound::Unbounded);
        self.by_origin
            .range(later)
            .find(behind)
            .or_else(|| self.by_origin.iter().find(behind))
            .map(|(origin, cursor)| (*origin, *cursor))
    }

    /// Notes that `origin` was served.
    pub(super) const fn took_turn(&mut self, origin: RegionId) {
        self.turn = origin;
    }

    /// Ends the rests that are over.
    pub(super) fn end_rests(&mut self, now: Moment) {
        for cursor in self.by_origin.values_mut() {
            cursor.rests = cursor.rests.filter(|until| now < *until);
        }
    }

    /// Returns when the next rest is over.
    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        self.by_origin
            .values()
            .filter_map(|cursor| cursor.rests)
            .min()
    }
}
