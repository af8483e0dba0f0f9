//! Shards: spans of time of one length, counted from the start of the stream.
//!
//! Nothing is kept of them. Whoever knows when the stream began knows every shard's name, parent
//! and sequence numbers.
//!
//! ```text
//! since ├── shard 0 ──┼── shard 1 ──┼── shard 2 ──┤ until, or open
//! ```

use clock::hlc::Hlc;
use table::history::Place;

use crate::limits::{SHARD_SECS, SHARD_SECS_MIN};

/// The shards of a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shards {
    /// When the stream began, in microseconds since 1970, on a whole millisecond.
    since: i64,
    /// When it ended.
    until: Option<i64>,
    /// The length of a shard, in microseconds.
    roll: i64,
}

/// A shard of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Which one, from 0.
    pub(crate) index: u64,
    /// The first stamp that its records may have.
    pub(crate) start: Hlc,
    /// The first stamp that they may no longer have.
    pub(crate) end: Hlc,
}

impl Shards {
    /// Makes the shards of a stream that began at `since`; without a length they have the usual
    /// one.
    pub(crate) fn new(since: i64, until: Option<i64>, roll_secs: Option<u32>) -> Self {
        let roll = roll_secs.unwrap_or(SHARD_SECS).max(SHARD_SECS_MIN);
        Self {
            since: since - since.rem_euclid(1_000),
            until,
            roll: i64::from(roll) * 1_000_000,
        }
    }

    pub(crate) const fn since(&self) -> i64 {
        self.since
    }

    /// Returns the index of the shard of a moment; the first one's before the stream.
    pub(crate) fn at(&self, micros: i64) -> u64 {
        u64::try_from((micros - self.since).div_euclid(self.roll)).unwrap_or(0)
    }

    /// Returns a shard.
    pub(crate) fn shard(&self, index: u64) -> Shard {
        let number = i64::try_from(index).unwrap_or(i64::MAX);
        let start = self.since.saturating_add(self.roll.saturating_mul(number));
        let end = start.saturating_add(self.roll);
        Shard {
            index,
            start: Hlc(start),
            end: Hlc(self.until.map_or(end, |until| end.min(until.max(start)))),
        }
    }

    /// Returns the name of a shard: its start in milliseconds, and a sum over it and the stream.
    pub(crate) fn id(&self, shard: Shard) -> String {
        let millis = shard.start.0.div_euclid(1_000);
        let mixed = (millis ^ self.since.rotate_left(32)).wrapping_mul(0x2545_f491_4f6c_dd1d);
        format!("shardId-{millis:020}-{:08x}", mixed.cast_unsigned() >> 32)
    }

    /// Reads the name of a shard of this stream.
    pub(crate) fn parse(&self, id: &str) -> Option<Shard> {
        let millis = id.strip_prefix("shardId-")?.get(..20)?;
        let micros = millis.parse::<i64>().ok()?.checked_mul(1_000)?;
        if micros < self.since {
            return None;
        }
        let shard = self.shard(self.at(micros));
        (self.id(shard) == id).then_some(shard)
    }
}

impl Shard {
    /// Returns the lowest sequence number that a record of it may have.
    pub(crate) fn first(&self) -> String {
        sequence(Place {
            at: self.start,
            number: 0,
        })
    }

    /// Returns the highest sequence number that a record of it may have.
    pub(crate) fn last(&self) -> String {
        sequence(Place::before(self.end))
    }
}

/// Returns the sequence number of a place: thirty digits, in the order of places.
pub(crate) fn sequence(place: Place) -> String {
    format!("1{:019}{:010}", place.at.0.max(0), place.number)
}

/// Reads a sequence number that [`sequence`] wrote.
pub(crate) fn parse_sequence(text: &str) -> Option<Place> {
    let digits = text.strip_prefix('1').filter(|rest| rest.len() == 29)?;
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (at, number) = digits.split_at_checked(19)?;
    Some(Place {
        at: Hlc(at.parse().ok()?),
        number: number.parse().ok()?,
    })
}

/// Reads the length of shards, as in `2s`, `5m` or `4h`: whole seconds, up to four hours.
pub(crate) fn parse_roll(text: &str) -> Option<u32> {
    let unit = text.bytes().last()?;
    let seconds = match unit {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        _ => return None,
    };
    let number: u32 = text.get(..text.len() - 1)?.parse().ok()?;
    let roll = number.checked_mul(seconds)?;
    (SHARD_SECS_MIN..=SHARD_SECS)
        .contains(&roll)
        .then_some(roll)
}

#[cfg(test)]
mod tests {
    use clock::hlc::Hlc;
    use table::history::Place;

    use super::{Shards, parse_roll, parse_sequence, sequence};

    const SINCE: i64 = 1_780_000_000_123_456;

    #[test]
    fn shards_meet_and_are_found_by_name_and_by_moment() {
        let shards = Shards::new(SINCE, None, Some(5));
        for index in [0, 1, 7, 100_000] {
            let (shard, next) = (shards.shard(index), shards.shard(index + 1));
            assert_eq!(shard.end, next.start);
            assert!(shard.last() < next.first());
            assert_eq!(shards.parse(&shards.id(shard)), Some(shard));
            assert_eq!(shards.at(shard.start.0), index);
            assert_eq!(shards.at(shard.end.0 - 1), index);
            assert_ne!(shards.id(shard), shards.id(next));
        }
        assert_eq!(shards.at(0), 0);
        let other = Shards::new(SINCE + 1_000, None, Some(5));
        assert_eq!(other.parse(&shards.id(shards.shard(1))), None);
        for bad in [
            "",
            "shardId-",
            "shardId-00000000000000000001-00000000",
            "shardId-x",
        ] {
            assert_eq!(shards.parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_last_shard_of_a_stream_ends_with_it() {
        let shards = Shards::new(SINCE, Some(SINCE + 7_000_000), Some(5));
        assert_eq!(shards.shard(1).end, Hlc(SINCE + 7_000_000));
    }

    #[test]
    fn sequence_numbers_are_in_the_order_of_places() {
        let places = [
            (1, 0),
            (1, 1),
            (1, u32::MAX),
            (2, 0),
            (SINCE, 3),
            (i64::MAX, 1),
        ];
        let mut last = String::new();
        for (at, number) in places {
            let place = Place {
                at: Hlc(at),
                number,
            };
            let text = sequence(place);
            assert!(last < text && (21..=40).contains(&text.len()));
            assert_eq!(parse_sequence(&text), Some(place));
            last = text;
        }
        for bad in [
            "",
            "1",
            "0000000000000000000000000000000",
            "1-00000000000000000000000000001",
        ] {
            assert_eq!(parse_sequence(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_length_of_shards_has_bounds() {
        assert_eq!(parse_roll("2s"), Some(2));
        assert_eq!(parse_roll("5m"), Some(300));
        assert_eq!(parse_roll("4h"), Some(14_400));
        for bad in ["", "s", "0s", "5h", "1d", "2", "-1s", "é"] {
            assert_eq!(parse_roll(bad), None, "{bad}");
        }
    }
}
