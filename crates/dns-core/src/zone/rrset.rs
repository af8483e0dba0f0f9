//! Records of one name and type, rendered before anybody asks for them.
//!
//! Each record begins with a pointer to the question's name, which almost always owns it.

use base::units::Ttl;

use crate::name::Name;
use crate::rdata::Rdata;
use crate::record_type::RecordType;

/// Records of one name and type, in wire form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rrset {
    ttl: Ttl,
    /// Owner pointer, type, class, time to live, length and data of each record.
    bytes: Box<[u8]>,
    /// Where each record ends.
    ends: Box<[usize]>,
    /// Where a CNAME leads.
    target: Option<Name>,
}

const CLASS_IN: u16 = 1;
const TYPE_HINFO: u16 = 13;
const QUESTION_POINTER: u16 = 0xc00c;

/// Owner pointer, type, class, time to live and length: what stands before a record's data.
const HEAD_BYTES: usize = 12;
const TTL_AT: usize = 6;

impl Rrset {
    /// Renders records.
    pub(crate) fn new(record_type: RecordType, ttl: Ttl, values: &[Rdata]) -> Self {
        let target = values
            .first()
            .filter(|_| record_type == RecordType::Cname)
            .and_then(|value| value.target(record_type));
        // A second CNAME would contradict the first.
        let kept = if target.is_some() { 1 } else { values.len() };
        let data = values.iter().take(kept).map(Rdata::as_wire);
        Self {
            target,
            ..Self::render(record_type.code(), ttl, data)
        }
    }

    /// Renders what a question for everything is answered with.
    ///
    //= rfc8482 §4.2: a HINFO record that names the RFC, and nothing else.
    pub(crate) fn nothing_like_any(ttl: Ttl) -> Self {
        Self::render(TYPE_HINFO, ttl, [&b"\x07RFC8482\0"[..]].into_iter())
    }

    fn render<'d>(code: u16, ttl: Ttl, values: impl Iterator<Item = &'d [u8]>) -> Self {
        let mut bytes = Vec::new();
        let mut ends = Vec::new();
        for data in values {
            bytes.extend(QUESTION_POINTER.to_be_bytes());
            bytes.extend(code.to_be_bytes());
            bytes.extend(CLASS_IN.to_be_bytes());
            bytes.extend(ttl.as_secs().to_be_bytes());
            bytes.extend(u16::try_from(data.len()).unwrap_or(0).to_be_bytes());
            bytes.extend(data);
            ends.push(bytes.len());
        }
        Self {
            ttl,
            bytes: bytes.into(),
            ends: ends.into(),
            target: None,
        }
    }

    /// Returns the same records with another time to live.
    pub(crate) fn with_ttl(&self, ttl: Ttl) -> Self {
        let mut other = self.clone();
        other.ttl = ttl;
        let mut start = 0;
        for end in &self.ends {
            if let Some(field) = other.bytes.get_mut(start + TTL_AT..start + TTL_AT + 4) {
                field.copy_from_slice(&ttl.as_secs().to_be_bytes());
            }
            start = *end;
        }
        other
    }

    /// Returns how long the records may be kept.
    pub(crate) fn ttl(&self) -> Ttl {
        self.ttl
    }

    /// Returns where a CNAME leads.
    pub(crate) fn target(&self) -> Option<&Name> {
        self.target.as_ref()
    }

    /// Returns how many records there are.
    pub(crate) fn count(&self) -> u16 {
        u16::try_from(self.ends.len()).unwrap_or(u16::MAX)
    }

    /// Returns the data of each record, in wire form.
    pub(crate) fn data(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().filter_map(move |end| {
            let data = self.bytes.get(start + HEAD_BYTES..*end);
            start = *end;
            data
        })
    }

    /// Appends the records, owned by the name that `pointer` points to, from number `turn` on.
    pub(crate) fn append(&self, pointer: u16, turn: usize, buffer: &mut Vec<u8>) {
        let begin = buffer.len();
        let first = turn.checked_rem(self.ends.len()).unwrap_or(0);
        let (front, back) = self
            .bytes
            .split_at_checked(self.start_of(first))
            .unwrap_or_default();
        buffer.extend_from_slice(back);
        buffer.extend_from_slice(front);
        if pointer == QUESTION_POINTER {
            return;
        }
        let mut at = begin;
        for step in 0..self.ends.len() {
            if let Some(owner) = buffer.get_mut(at..at + 2) {
                owner.copy_from_slice(&pointer.to_be_bytes());
            }
            let number = (first + step) % self.ends.len();
            at += self
                .ends
                .get(number)
                .map_or(0, |end| end - self.start_of(number));
        }
    }

    /// Appends the records, each with its owner written out.
    pub(crate) fn append_owned(&self, owner: &[u8], buffer: &mut Vec<u8>) {
        let mut start = 0;
        for end in &self.ends {
            buffer.extend_from_slice(owner);
            buffer.extend_from_slice(self.bytes.get(start + 2..*end).unwrap_or_default());
            start = *end;
        }
    }

    fn start_of(&self, number: usize) -> usize {
        let before = number.checked_sub(1).and_then(|at| self.ends.get(at));
        before.copied().unwrap_or(0)
    }
}
