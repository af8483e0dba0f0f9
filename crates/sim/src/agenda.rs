//! What is to come: events in the order of their time, then of their making.
//!
//! It knows nothing of what they are.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use clock::time::Moment;

/// Events that are still to happen.
#[derive(Debug)]
pub struct Agenda<E> {
    made: u64,
    entries: BinaryHeap<Entry<E>>,
}

#[derive(Debug)]
struct Entry<E> {
    at: Moment,
    order: u64,
    event: E,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self {
            made: 0,
            entries: BinaryHeap::new(),
        }
    }
}

impl<E> Agenda<E> {
    /// Adds an event, behind those of the same time.
    pub fn add(&mut self, at: Moment, event: E) {
        self.made += 1;
        let order = self.made;
        self.entries.push(Entry { at, order, event });
    }

    /// Takes the first event and its time, unless it lies after `until`.
    pub fn take(&mut self, until: Moment) -> Option<(Moment, E)> {
        let first = self.entries.peek()?;
        if until < first.at {
            return None;
        }
        let Entry { at, event, .. } = self.entries.pop()?;
        Some((at, event))
    }
}

impl<E> Ord for Entry<E> {
    /// The earliest is the greatest, as a heap gives out its greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Entry<E> {}

#[cfg(test)]
mod tests;
