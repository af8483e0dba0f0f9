//! Whether a change has reached the other regions.
//!
//! It asks nobody: links tell how far each peer has come.

use base::region::RegionId;
use replica_core::vector::Seq;
use store::port::Store;

use crate::control::{Control, Position};

impl<S: Store> Control<S> {
    /// Returns whether every live region has applied a change; never while all others are away.
    pub fn has_reached_all(&self, position: Position) -> bool {
        let (origin, seq) = (RegionId(position.origin), Seq(position.seq));
        if self.inner.tables.applied().at(origin) < seq {
            return false;
        }
        let reach = self.inner.reach.borrow();
        let live = reach.values().filter(|peer| peer.live);
        let mut live = live.peekable();
        // Where none of the others is seen alive, it is this region that is cut off.
        let is_alone = live.peek().is_none() && !reach.is_empty();
        !is_alone && live.all(|peer| seq <= peer.applied.at(origin))
    }
}
