//! Writes whose item is the list of all writes, so that every answer tells the whole history.
//!
//! It is no realistic load; what an answer may be could not be told of one as easily.

use bytes::Bytes;
use register_core::register::{Decision, Write};

/// Appends its own number, unless the list's length, divided by three, leaves `refuses`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Append {
    pub(crate) id: u8,
    pub(crate) refuses: Option<usize>,
}

impl Write for Append {
    fn decide(&self, current: Option<&Bytes>) -> Decision {
        let list = current.map_or(&[][..], |item| item);
        if self.refuses == Some(list.len() % 3) {
            return Decision::Refuse;
        }
        Decision::Follow(Some([list, &[self.id]].concat().into()))
    }
}
