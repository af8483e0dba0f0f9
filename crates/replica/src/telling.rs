//! How often the log tells of connections that came to nothing.
//!
//! It writes no log itself.

use std::collections::BTreeMap;
use std::net::IpAddr;

use clock::time::Moment;

use crate::limits::{TELLING_SPAN, TOLD_ADDRESSES_MAX, TOLD_OF_ADDRESS_MAX};

/// Counts what was told, by address.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    began: Option<Moment>,
    told: BTreeMap<IpAddr, u32>,
    untold: u64,
}

impl Telling {
    /// Decides whether a failed connection from an address is told at `now`.
    ///
    /// Shape: how many were not told since the last that was; `None` where it is not told.
    pub(crate) fn tell(&mut self, now: Moment, address: IpAddr) -> Option<u64> {
        if self
            .began
            .is_none_or(|began| TELLING_SPAN <= now.since(began))
        {
            self.began = Some(now);
            self.told.clear();
        }
        let is_known = self.told.contains_key(&address);
        if is_known || self.told.len() < TOLD_ADDRESSES_MAX {
            let told = self.told.entry(address).or_default();
            if *told < TOLD_OF_ADDRESS_MAX {
                *told += 1;
                return Some(std::mem::take(&mut self.untold));
            }
        }
        self.untold += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    //! Tests of the bounds.

    use super::*;

    #[test]
    fn an_address_is_told_of_a_few_times_and_does_not_silence_others() {
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let mut telling = Telling::default();
        let now = Moment::from_micros(5);
        for _ in 0..TOLD_OF_ADDRESS_MAX {
            assert_eq!(telling.tell(now, one), Some(0));
        }
        assert_eq!(telling.tell(now, one), None);
        assert_eq!(telling.tell(now, one), None);
        assert_eq!(telling.tell(now, other), Some(2));
        assert_eq!(telling.tell(now, one), None);
        assert_eq!(telling.tell(now + TELLING_SPAN, one), Some(1));
    }

    #[test]
    fn many_addresses_are_told_of_up_to_a_bound() {
        let mut telling = Telling::default();
        let addresses = (0_u32..).map(|number| IpAddr::from(number.to_be_bytes()));
        let told = addresses
            .take(TOLD_ADDRESSES_MAX + 9)
            .filter(|address| telling.tell(Moment::from_micros(0), *address).is_some());
        assert_eq!(told.count(), TOLD_ADDRESSES_MAX);
    }
}
