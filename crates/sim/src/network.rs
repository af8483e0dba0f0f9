//! The ways between regions: delay, jitter, loss, duplication, cuts of one direction.
//!
//! It keeps no datagram: it says when one arrives, and how often.

use std::time::Duration;

use crate::chance::Chance;

/// One direction between two regions.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// The least time from one end to the other.
    pub delay: Duration,
    /// The most that is added to it, by chance: later datagrams may overtake earlier ones.
    pub jitter: Duration,
    /// Whether nothing gets through.
    pub cut: bool,
}

/// All ways.
#[derive(Clone, Debug)]
pub struct Network {
    ways: Vec<Vec<Way>>,
    chance: Chance,
    /// Datagrams lost, in millionths.
    pub loss: u32,
    /// Datagrams that arrive twice, in millionths.
    pub duplication: u32,
}

impl Network {
    /// Makes the ways between `regions` regions, both directions of a pair equally long.
    pub fn new(mut chance: Chance, regions: usize, delay_ms: (u64, u64), jitter_ms: u64) -> Self {
        let still = Way {
            delay: Duration::ZERO,
            jitter: Duration::from_millis(jitter_ms),
            cut: false,
        };
        let mut network = Self {
            ways: vec![vec![still; regions]; regions],
            chance: chance.split(),
            loss: 0,
            duplication: 0,
        };
        for (from, to) in pairs(regions) {
            let delay = Duration::from_millis(chance.between(delay_ms.0, delay_ms.1));
            for (from, to) in [(from, to), (to, from)] {
                network.change(from, to, |way| way.delay = delay);
            }
        }
        network
    }

    /// Returns a way; between regions that are not there everything is cut.
    pub fn way(&self, from: usize, to: usize) -> Way {
        let way = self.ways.get(from).and_then(|ways| ways.get(to));
        way.copied().unwrap_or(Way {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            cut: true,
        })
    }

    fn change(&mut self, from: usize, to: usize, change: impl FnOnce(&mut Way)) {
        if let Some(way) = self.ways.get_mut(from).and_then(|ways| ways.get_mut(to)) {
            change(way);
        }
    }

    /// Cuts one direction.
    pub fn cut(&mut self, from: usize, to: usize) {
        self.change(from, to, |way| way.cut = true);
    }

    /// Mends one direction.
    pub fn mend(&mut self, from: usize, to: usize) {
        self.change(from, to, |way| way.cut = false);
    }

    /// Changes how long one direction is.
    pub fn stretch(&mut self, from: usize, to: usize, delay: Duration) {
        self.change(from, to, |way| way.delay = delay);
    }

    /// Mends everything; loss and duplication end too.
    pub fn heal(&mut self) {
        for way in self.ways.iter_mut().flatten() {
            way.cut = false;
        }
        self.loss = 0;
        self.duplication = 0;
    }

    /// Returns whether no way is cut.
    pub fn is_whole(&self) -> bool {
        self.ways.iter().flatten().all(|way| !way.cut)
    }

    /// Returns after how long a datagram arrives.
    ///
    /// Shape: empty when it is lost, two entries when it arrives twice.
    pub fn carry(&mut self, from: usize, to: usize) -> Vec<Duration> {
        let way = self.way(from, to);
        if way.cut || self.chance.millionths(self.loss) {
            return Vec::new();
        }
        let copies = 1 + usize::from(self.chance.millionths(self.duplication));
        (0..copies).map(|_| self.once(way)).collect()
    }

    fn once(&mut self, way: Way) -> Duration {
        let jitter = u64::try_from(way.jitter.as_micros()).unwrap_or(0);
        way.delay + Duration::from_micros(self.chance.below(jitter + 1))
    }
}

/// Returns every unordered pair of `count` things.
pub fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |one| (one + 1..count).map(move |other| (one, other)))
}
