//! Every zone a region answers for, and which of them holds a name.

use std::sync::Arc;

use crate::internal::{self, RegionAddresses};
use crate::name;
use crate::zone::{NameMap, Zone, build};

/// All zones, Hither's own among them.
#[derive(Clone, Debug)]
pub struct Zones {
    zones: Vec<Arc<Zone>>,
    by_apex: NameMap<usize>,
}

/// The position of Hither's own zone.
pub(crate) const INTERNAL: usize = 0;

impl Zones {
    /// Puts hosted zones beside Hither's own, which is made from the regions' addresses.
    ///
    /// Of two zones with the same name the first is answered, so the caller lists the older first.
    pub fn new(hosted: Vec<Arc<Zone>>, regions: &[RegionAddresses]) -> Self {
        let (own, problems) = build::zone(internal::zone(regions));
        debug_assert!(problems.is_empty(), "{problems:?}");
        let mut zones = Self {
            zones: Vec::with_capacity(hosted.len() + 1),
            by_apex: NameMap::default(),
        };
        for zone in std::iter::once(Arc::new(own)).chain(hosted) {
            if !zones.by_apex.contains_key(zone.apex()) {
                zones.by_apex.insert(zone.apex().clone(), zones.zones.len());
                zones.zones.push(zone);
            }
        }
        zones
    }

    /// Returns the zones that are answered.
    pub fn all(&self) -> &[Arc<Zone>] {
        &self.zones
    }

    /// Returns whether there is nothing but Hither's own zone.
    pub fn is_empty(&self) -> bool {
        self.zones.len() <= 1
    }

    /// Returns whether any region has an address.
    pub(crate) fn has_addresses(&self) -> bool {
        self.get(INTERNAL).is_some_and(Zone::has_names_below_apex)
    }

    pub(crate) fn get(&self, at: usize) -> Option<&Zone> {
        self.zones.get(at).map(|zone| &**zone)
    }

    /// Returns the position of the zone closest to `name`, and the name's offset of its top.
    pub(crate) fn closest(&self, name: &[u8]) -> Option<(usize, usize)> {
        name::suffixes(name).find_map(|(offset, suffix)| {
            let at = self.by_apex.get(suffix)?;
            Some((*at, offset))
        })
    }

    /// Returns the position of the zone that holds a name's DS records: the one above.
    ///
    //= rfc4035 §3.1.4.1: a zone's DS records are its parent's.
    pub(crate) fn closest_above(&self, name: &[u8]) -> Option<(usize, usize)> {
        let above = name::parent(name).and_then(|parent| self.closest(parent));
        let offset = name.first().map_or(0, |length| usize::from(*length) + 1);
        match above {
            Some((at, apex)) => Some((at, apex + offset)),
            None => self.closest(name),
        }
    }
}
