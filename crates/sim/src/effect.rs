//! What a part of a region wants from the world.
//!
//! Parts reach nothing but through these.

use std::sync::Arc;

use health_core::health::Probe;

/// Something that the world carries out for a region.
#[derive(Clone, Debug)]
pub enum Effect {
    /// A datagram to another region.
    Datagram {
        /// To whom.
        to: usize,
        /// What.
        bytes: Arc<[u8]>,
    },
    /// A probe of an endpoint.
    Probe(Probe),
}
