//! What a region answers from at one moment: zones, verdicts, distances.
//!
//! It never changes; a later view takes its place as a whole.

use std::sync::Arc;

use base::region::RegionId;

use crate::health::Health;
use crate::latency::{Latency, Rtt};
use crate::limits::ANY_TTL;
use crate::name::Name;
use crate::zone::{Found, Rrset, Verdicts, Zone};
use crate::zones::{INTERNAL, Zones};

/// The number of a view: later ones are higher.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// What a view is made of.
#[derive(Clone, Debug)]
pub struct ViewSource {
    /// The view's number.
    pub generation: Generation,
    /// The region that answers.
    pub region: RegionId,
    /// What it answers for.
    pub zones: Arc<Zones>,
    /// What is up.
    pub health: Arc<Health>,
    /// How far clients are from regions.
    pub latency: Arc<Latency>,
    /// How far other regions are from this one: stands in where a client's place is unknown.
    pub delays: Vec<(RegionId, Rtt)>,
}

/// What a region answers from.
#[derive(Debug)]
pub struct View {
    source: ViewSource,
    /// One for each zone.
    verdicts: Vec<Verdicts>,
    any: Rrset,
}

/// A zone and the verdicts on its conditions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged<'v> {
    pub(crate) zone: &'v Zone,
    pub(crate) verdicts: &'v Verdicts,
}

impl View {
    /// Judges every record set once, so that answers need not.
    pub fn new(mut source: ViewSource) -> Self {
        source.delays.retain(|(region, _)| *region != source.region);
        source.delays.push((source.region, Rtt::default()));
        let zones = &source.zones;
        let mut verdicts: Vec<Verdicts> = Vec::with_capacity(zones.all().len());
        for zone in zones.all() {
            let judged = zone.judge(&source.health, |name, code| {
                let own = zones.get(INTERNAL).zip(verdicts.first());
                own.is_some_and(|(zone, verdicts)| internal_healthy(zone, verdicts, name, code))
            });
            verdicts.push(judged);
        }
        debug_assert_eq!(verdicts.len(), zones.all().len());
        Self {
            verdicts,
            any: Rrset::nothing_like_any(ANY_TTL),
            source,
        }
    }

    /// Returns the view's number.
    pub fn generation(&self) -> Generation {
        self.source.generation
    }

    /// Returns what the view is made of.
    pub fn source(&self) -> &ViewSource {
        &self.source
    }

    pub(crate) fn latency(&self) -> &Latency {
        &self.source.latency
    }

    /// Returns how far a region is from this one.
    pub(crate) fn delay(&self, region: RegionId) -> Rtt {
        rtt_of(&self.source.delays, region)
    }

    /// Returns the answer to questions for everything.
    pub(crate) fn any(&self) -> &Rrset {
        &self.any
    }

    pub(crate) fn zone(&self, at: usize) -> Option<Judged<'_>> {
        Some(Judged {
            zone: self.source.zones.get(at)?,
            verdicts: self.verdicts.get(at)?,
        })
    }
}

/// Finds a region in a list of distances.
pub(crate) fn rtt_of(rtts: &[(RegionId, Rtt)], region: RegionId) -> Rtt {
    let found = rtts.iter().find(|(id, _)| *id == region);
    found.map_or(Rtt::UNKNOWN, |(_, rtt)| *rtt)
}

fn internal_healthy(zone: &Zone, verdicts: &Verdicts, name: &Name, code: u16) -> bool {
    match zone.find(name.as_wire()) {
        Found::Node(node) | Found::Wildcard(node) => zone
            .group_of(node, code)
            .is_some_and(|group| verdicts.any_healthy(group)),
        Found::Referral { .. } | Found::NameError => false,
    }
}

/// The view in force, which only a later one replaces.
///
/// Two tasks that race to publish cannot bring an old plan back, whatever their order.
#[derive(Clone, Debug)]
pub struct Published {
    current: Arc<View>,
}

/// A view was not published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The view in force is at least as late.
    #[error("view {offered:?} is not later than view {current:?}, which is in force")]
    NotLater {
        /// The number of the view that was offered.
        offered: Generation,
        /// The number of the view in force.
        current: Generation,
    },
    /// The view knows no region, so it could name nowhere to go.
    #[error("view {offered:?} has no address of any region")]
    NoRegion {
        /// The number of the view that was offered.
        offered: Generation,
    },
}

impl Published {
    /// Puts a first view in force.
    pub fn new(first: View) -> Self {
        Self {
            current: Arc::new(first),
        }
    }

    /// Returns the view in force.
    pub fn current(&self) -> &Arc<View> {
        &self.current
    }

    /// Puts a later view in force.
    ///
    /// Errors: [`Refused`] when it is not later, or would leave clients without any address.
    pub fn offer(&mut self, view: View) -> Result<Arc<View>, Refused> {
        let offered = view.generation();
        let current = self.current.generation();
        if offered <= current {
            return Err(Refused::NotLater { offered, current });
        }
        let regions = |view: &View| view.source.zones.has_addresses();
        if regions(&self.current) && !regions(&view) {
            return Err(Refused::NoRegion { offered });
        }
        self.current = Arc::new(view);
        debug_assert!(self.current.generation() == offered);
        Ok(Arc::clone(&self.current))
    }
}

#[cfg(test)]
mod tests;
