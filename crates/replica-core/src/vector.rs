//! Version vectors: how far each origin's log has been seen.
//!
//! They are positions in logs, not clocks.

use std::collections::BTreeMap;
use std::fmt;

use base::region::RegionId;

/// A position in one origin's log. The first record has position 1; 0 is before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl Seq {
    /// Returns the position after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// Returns where a log begins that a data directory writes in the place of a lost one, whose
    /// log was seen up to here. No region wrote 2⁴⁰ records that this observer has not seen, so
    /// no position is given twice.
    #[must_use]
    pub const fn next_generation(self) -> Self {
        Self(
            self.generation()
                .saturating_add(1)
                .saturating_mul(1 << GENERATION_BITS),
        )
    }

    /// Returns how many data directories have written the log before the one that wrote here.
    pub const fn generation(self) -> u64 {
        self.0 >> GENERATION_BITS
    }
}

/// Bits of a position that count the records of one data directory. 40: at 10,000 writes a second
/// its log reads as that of the next one after 3.5 years, and a region may lose 16 million.
const GENERATION_BITS: u32 = 40;

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// For each origin, the last position seen. Origins without an entry are at 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct VersionVector(BTreeMap<RegionId, Seq>);

impl VersionVector {
    /// Returns the last position seen of `origin`.
    pub fn at(&self, origin: RegionId) -> Seq {
        self.0.get(&origin).copied().unwrap_or_default()
    }

    /// Notes that `origin`'s log was seen up to `seq`; never goes back.
    pub fn advance(&mut self, origin: RegionId, seq: Seq) {
        if seq > Seq(0) {
            let at = self.0.entry(origin).or_default();
            *at = seq.max(*at);
        }
    }

    /// Takes `origin`'s position back to `seq`, where it is above.
    pub fn lower(&mut self, origin: RegionId, seq: Seq) {
        if seq == Seq(0) {
            self.0.remove(&origin);
        } else if let Some(at) = self.0.get_mut(&origin) {
            *at = seq.min(*at);
        }
    }

    /// Keeps, of each origin, the lower of the two positions.
    pub fn meet(&mut self, other: &Self) {
        self.0.retain(|origin, seq| {
            *seq = other.at(*origin).min(*seq);
            *seq > Seq(0)
        });
    }

    /// Returns whether everything that `other` has seen has been seen here.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(origin, seq)| *seq <= self.at(*origin))
    }

    /// Returns the origins and positions, by origin.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (RegionId, Seq)> {
        self.0.iter().map(|(origin, seq)| (*origin, *seq))
    }
}

impl FromIterator<(RegionId, Seq)> for VersionVector {
    fn from_iter<I: IntoIterator<Item = (RegionId, Seq)>>(entries: I) -> Self {
        let mut vector = Self::default();
        entries
            .into_iter()
            .for_each(|(origin, seq)| vector.advance(origin, seq));
        vector
    }
}

impl fmt::Display for VersionVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (origin, seq)) in self.iter().enumerate() {
            write!(f, "{}{origin}:{seq}", if at == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}
