//! Copies of tables on their way to one peer: a window of pages for each.
//!
//! It reads no pages. One is read at a time, of each table in turn; none goes out behind a page
//! that has not been sent.

use std::collections::BTreeMap;
use std::ops::Bound;

use base::name::TableId;

use crate::frame::Frame;
use crate::frame::copy::{CopyPage, CopyRequest};
use crate::limits::{COPIES_MAX, COPY_PAGE_BYTES, COPY_WINDOW};
use crate::link::LinkError;
use crate::link::send::{CopyRead, Output};

/// The copies that one peer asks for.
#[derive(Debug, Default)]
pub(super) struct Streams {
    by_table: BTreeMap<TableId, Stream>,
    turn: Option<TableId>,
    /// The page that is being read.
    reading: Option<(u64, CopyRequest)>,
    /// What goes out next.
    frame: Option<Frame>,
}

#[derive(Debug)]
struct Stream {
    /// Behind which key the next page starts.
    request: CopyRequest,
    /// Pages that may still be sent.
    credit: usize,
}

impl Streams {
    /// Starts a copy, in the place of one of that table. Returns whether there are few enough.
    pub(super) fn asked(&mut self, request: CopyRequest) -> bool {
        let (table, credit) = (request.table, COPY_WINDOW);
        self.by_table.insert(table, Stream { request, credit });
        self.by_table.len() <= COPIES_MAX
    }

    /// Notes that the peer has merged a page. The last ones are those of a copy that has ended.
    pub(super) fn taken(&mut self, request: &CopyRequest) {
        let stream = self.by_table.get_mut(&request.table);
        if let Some(stream) = stream.filter(|stream| stream.request.round == request.round) {
            stream.credit = (stream.credit + 1).min(COPY_WINDOW);
        }
    }

    /// Ends a copy that nobody waits for.
    pub(super) fn stop(&mut self, table: TableId) {
        self.by_table.remove(&table);
    }

    /// Returns how far each copy has been read.
    ///
    /// Units: per cent.
    pub(super) fn progress(&self) -> BTreeMap<TableId, u8> {
        let streams = self.by_table.iter();
        streams
            .map(|(table, stream)| (*table, stream.request.percent()))
            .collect()
    }

    /// Returns whether a page can be read.
    pub(super) fn is_due(&self) -> bool {
        self.by_table.values().any(|stream| stream.credit > 0)
    }

    /// Returns the read of the next page, where one can be read.
    pub(super) fn next(&mut self, ticket: u64) -> Option<Output> {
        if self.reading.is_some() || self.frame.is_some() {
            return None;
        }
        let turn = self.turn.map_or(Bound::Unbounded, Bound::Excluded);
        let later = (turn, Bound::Unbounded);
        let is_due = |(_, stream): &(&TableId, &Stream)| stream.credit > 0;
        let found = self.by_table.range(later).find(is_due);
        let found = found.or_else(|| self.by_table.iter().find(is_due));
        let table = *found?.0;
        let stream = self.by_table.get_mut(&table)?;
        stream.credit -= 1;
        self.turn = Some(table);
        let request = stream.request.clone();
        let read = Output::ReadCopy {
            ticket,
            table,
            after: request.after.clone(),
            items: request.items,
            bytes_max: COPY_PAGE_BYTES.as_len(),
        };
        self.reading = Some((ticket, request));
        Some(read)
    }

    /// Takes a page in that was read.
    ///
    /// Errors: [`LinkError::Unread`] where it could not be.
    pub(super) fn read(&mut self, ticket: u64, read: CopyRead) -> Result<(), LinkError> {
        let Some((_, request)) = self.reading.take_if(|(reading, _)| *reading == ticket) else {
            return Ok(());
        };
        let CopyRequest {
            table,
            round,
            after,
            ..
        } = request;
        let stream = self.by_table.get_mut(&table);
        let Some(stream) = stream.filter(|stream| stream.request.round == round) else {
            return Ok(()); // stopped, or started again, meanwhile
        };
        self.frame = Some(match read {
            CopyRead::Page { items, next } => {
                stream.request.after.clone_from(&next);
                if next.is_none() {
                    self.by_table.remove(&table);
                }
                Frame::CopyPage(CopyPage {
                    table,
                    round,
                    after,
                    items,
                    next,
                })
            }
            CopyRead::Later => {
                self.by_table.remove(&table);
                Frame::CopyLater(table)
            }
            CopyRead::Failed => {
                self.by_table.remove(&table);
                return Err(LinkError::Unread);
            }
        });
        Ok(())
    }

    /// Returns what goes out.
    pub(super) fn frame(&mut self) -> Option<Frame> {
        self.frame.take()
    }
}
