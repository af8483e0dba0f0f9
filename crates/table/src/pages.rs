//! A range of the store, read to its end a page at a time.
//!
//! It keeps nothing of what it has read, and pages are no snapshot: a row that is written behind
//! the last one read is found.

use std::ops::Bound;

use bytes::Bytes;

use store::port::{Order, Range, Space, Store, StoreError, prefix_end};

use crate::limits::{STEP_BYTES, STEP_ROWS};

/// The pages of a range that are still to be read.
pub(crate) struct Pages<'a, S> {
    store: &'a S,
    /// What is left of the range; `None` at its end.
    rest: Option<Range>,
}

impl<'a, S: Store> Pages<'a, S> {
    /// Starts to read a range.
    pub(crate) const fn of(store: &'a S, range: Range) -> Self {
        let rest = Some(range);
        Self { store, rest }
    }

    /// Starts to read everything that begins with `prefix`, in steps of [`STEP_ROWS`].
    pub(crate) fn with_prefix(store: &'a S, space: Space, prefix: &[u8]) -> Self {
        let range = Range {
            space,
            from: Bound::Included(prefix.to_vec()),
            to: prefix_end(prefix),
            order: Order::Ascending,
            rows_max: STEP_ROWS,
            bytes_max: STEP_BYTES,
        };
        Self::of(store, range)
    }

    /// Returns whether nothing is left to be read.
    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_none()
    }

    /// Reads the next page; `None` behind the last one, which may be empty.
    ///
    /// Errors: those of the store; the range is at its end then.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<(Bytes, Bytes)>>, StoreError> {
        let Some(mut range) = self.rest.take() else {
            return Ok(None);
        };
        let page = self.store.range(range.clone()).await?;
        if let Some((last, _)) = page.rows.last().filter(|_| page.more) {
            let behind = Bound::Excluded(last.to_vec());
            match range.order {
                Order::Ascending => range.from = behind,
                Order::Descending => range.to = behind,
            }
            self.rest = Some(range);
        }
        Ok(Some(page.rows))
    }
}
