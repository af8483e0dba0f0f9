//! Frames of a link: what two regions say to each other, as bytes.
//!
//! It neither protects nor sends them: they travel inside TLS, and `link` decides when which one
//! is said.
//!
//! ```text
//! ┌─────────────┬─────────┬──────────┬──────┐
//! │ length: u32 │ kind u8 │ flags u8 │ body │
//! └─────────────┴─────────┴──────────┴──────┘
//! ```
//!
//! The length counts the body. All numbers are big-endian. The kinds that a peer may send
//! follow from the format version that both agreed on in the greeting.

pub mod copy;

pub mod greeting;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use base::limits::REGIONS_MAX;
use base::name::TableId;
use base::region::RegionId;
use clock::hlc::Hlc;
use clock::time::{Moment, WallTime};

use crate::frame::copy::{CopyPage, CopyRequest};
use crate::frame::greeting::{Hello, Refusal};
use crate::limits::{FRAME_RECORDS_MAX, RECORD_BYTES_MAX};
use crate::record::{Change, Record, WireError};
use crate::vector::{Seq, VersionVector};
use crate::wire;

/// Anything that one side of a link says to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// The dialling side names itself and whom it looks for.
    Hello(Hello),
    /// The listening side names itself, and lets the dialling one in.
    Welcome(Hello),
    /// One side does not talk to the other, and says why.
    Refuse(Refusal),
    /// Records of one origin's log.
    Data(Data),
    /// The sender is alive; where it stands.
    Beat(Beat),
    /// The receiver is alive; where it stands.
    Ack(Ack),
    /// All origins whose records the receiver asks of this sender.
    Want(Vec<Want>),
    /// The records that the receiver needs next are gone.
    Trimmed(Trimmed),
    /// The receiver asks for the pages of a table.
    CopyRequest(CopyRequest),
    /// A page of a table.
    CopyPage(CopyPage),
    /// The sender cannot copy that table yet; ask again.
    CopyLater(TableId),
    /// The receiver has merged a page, and goes on behind it: one more may be sent.
    CopyTaken(CopyRequest),
    /// The receiver wants no more pages of that table.
    CopyStop(TableId),
}

/// Records of one origin's log, in order.
///
/// It says: of `origin`'s log, the positions above `after` up to `to` hold nothing for you but
/// these records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// Whose log.
    pub origin: RegionId,
    /// The round of the want that this answers.
    pub round: u32,
    /// The position before the frame.
    pub after: Seq,
    /// The position after the frame, also where its last records were left out.
    pub to: Seq,
    /// The records, by position.
    pub records: Vec<Record>,
}

/// Where a sender stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// The head of its own log.
    pub head: Seq,
    /// Its promise: all its later writes are stamped above this.
    pub horizon: Hlc,
    /// The stamp up to which it has durably applied every origin.
    pub stable: Hlc,
    /// What it has applied.
    pub applied: VersionVector,
    /// What it has on disk.
    pub durable: VersionVector,
    /// Its clocks.
    pub sample: Sample,
}

/// Where a receiver stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Bytes of data frames worked off since the connection began, by [`Data::cost`].
    pub consumed: u64,
    /// What it has applied.
    pub applied: VersionVector,
    /// What it has on disk.
    pub durable: VersionVector,
    /// Its clocks.
    pub sample: Sample,
}

/// The clocks of one side, to measure the round trip and how far apart the clocks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When this was said, in the speaker's own moments, which only the speaker understands.
    pub said: Moment,
    /// The speaker's wall clock at that moment.
    pub wall: WallTime,
    /// The last sample that the speaker heard, to be given back.
    pub echo: Option<Echo>,
}

/// A sample given back to whom it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// [`Sample::said`] of the sample.
    pub said: Moment,
    /// How long it was kept before it was given back.
    ///
    /// Units: microseconds.
    pub held: u64,
}

/// One origin whose records a receiver asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// The origin.
    pub origin: RegionId,
    /// Grows when the sender must start again at `after`; otherwise it goes on where it is.
    pub round: u32,
    /// What the receiver has applied of the origin.
    pub after: Seq,
    /// The highest stamp among the origin's records that the receiver has on disk.
    pub last: Hlc,
    /// The number of the origin's directory that the receiver has met; 0 where it has met none.
    pub directory: u64,
}

/// The records after a want's position are gone from the sender's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trimmed {
    /// The origin.
    pub origin: RegionId,
    /// The round of the want that this answers.
    pub round: u32,
    /// The first position that is left.
    pub first: Seq,
}

/// The bytes before a frame's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which frame.
    pub kind: u8,
    /// None is defined; bit 0 is reserved for compressed bodies.
    pub flags: u8,
}

/// Bytes of a frame's length, kind and flags.
pub const HEAD_BYTES: usize = 6;

/// Takes the next whole frame off `buf`: its head, and its body.
///
/// Shape: `None` while the frame is not whole; `buf` then has room reserved for the rest.
/// Errors: [`WireError::TooLong`] when the frame is longer than `bound`, before memory is taken.
pub fn split(buf: &mut BytesMut, bound: usize) -> Result<Option<(Head, Bytes)>, WireError> {
    let Some((mut head, _)) = buf.split_at_checked(HEAD_BYTES) else {
        return Ok(None);
    };
    let found = usize::try_from(head.get_u32()).unwrap_or(usize::MAX);
    let head = Head {
        kind: head.get_u8(),
        flags: head.get_u8(),
    };
    if found > bound {
        let what = "a frame";
        return Err(WireError::TooLong { what, found, bound });
    }
    let whole = HEAD_BYTES + found;
    if buf.len() < whole {
        buf.reserve(whole - buf.len());
        return Ok(None);
    }
    let mut frame = buf.split_to(whole).freeze();
    frame.advance(HEAD_BYTES);
    Ok(Some((head, frame)))
}

impl Frame {
    /// Appends the frame to `buf`.
    pub fn encode(&self, buf: &mut BytesMut) {
        let start = buf.len();
        buf.put_u32(0);
        buf.put_u8(self.kind());
        buf.put_u8(0);
        self.encode_body(buf);
        let length = buf.len() - start - HEAD_BYTES;
        let length = u32::try_from(length).expect("frames are bounded far below 4 GiB");
        if let Some((field, _)) = buf
            .get_mut(start..)
            .and_then(<[u8]>::split_first_chunk_mut::<4>)
        {
            *field = length.to_be_bytes();
        }
    }

    /// Makes of the frame what a peer understands that speaks an older `format` of those in
    /// [`crate::link::handshake::FORMATS`].
    pub fn lower(&mut self, format: u8) {
        if let Self::Data(data) = self
            && format < ENDS_SINCE
        {
            data.records.iter_mut().for_each(Record::lower);
        }
    }

    /// Takes the next whole frame off `buf` and decodes it.
    ///
    /// Shape: `None` while the frame is not whole.
    /// Errors: [`WireError`], as [`split`] and [`Frame::decode`]; the connection cannot go on then.
    pub fn take(buf: &mut BytesMut, bound: usize) -> Result<Option<Self>, WireError> {
        match split(buf, bound)? {
            Some((head, body)) => Self::decode(head, body).map(Some),
            None => Ok(None),
        }
    }

    /// Decodes a frame; records, keys and images share the memory of `body`.
    ///
    /// Errors: [`WireError`] for anything that [`Frame::encode`] cannot have written.
    pub fn decode(head: Head, mut body: Bytes) -> Result<Self, WireError> {
        if head.flags != 0 {
            let (what, found) = ("a frame's flags", head.flags);
            return Err(WireError::Tag { what, found });
        }
        let buf = &mut body;
        let frame = match head.kind {
            HELLO => Self::Hello(Hello::decode(buf)?),
            WELCOME => Self::Welcome(Hello::decode(buf)?),
            REFUSE => Self::Refuse(Refusal::decode(buf)?),
            DATA => Self::Data(Data::decode(buf)?),
            BEAT => Self::Beat(Beat::decode(buf)?),
            ACK => Self::Ack(Ack::decode(buf)?),
            WANT => {
                let count = wire::count(buf, "the wants", REGIONS_MAX)?;
                Self::Want(all(count, || Want::decode(buf))?)
            }
            TRIMMED => Self::Trimmed(Trimmed {
                origin: RegionId(wire::u16(buf, "an origin")?),
                round: wire::u32(buf, "a round")?,
                first: Seq(wire::u64(buf, "a position")?),
            }),
            COPY_REQUEST => Self::CopyRequest(CopyRequest::decode(buf)?),
            COPY_PAGE => Self::CopyPage(CopyPage::decode(buf)?),
            COPY_LATER => Self::CopyLater(TableId(wire::u64(buf, "a table's number")?)),
            COPY_TAKEN => Self::CopyTaken(CopyRequest::decode(buf)?),
            COPY_STOP => Self::CopyStop(TableId(wire::u64(buf, "a table's number")?)),
            found => {
                let what = "a frame";
                return Err(WireError::Tag { what, found });
            }
        };
        match body.len() {
            0 => Ok(frame),
            left => Err(WireError::Trailing(left)),
        }
    }

    /// Returns the frame's name, for logs and errors.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Hello(_) => "hello",
            Self::Welcome(_) => "welcome",
            Self::Refuse(_) => "refuse",
            Self::Data(_) => "data",
            Self::Beat(_) => "beat",
            Self::Ack(_) => "ack",
            Self::Want(_) => "want",
            Self::Trimmed(_) => "trimmed",
            Self::CopyRequest(_) => "copy request",
            Self::CopyPage(_) => "copy page",
            Self::CopyLater(_) => "copy later",
            Self::CopyTaken(_) => "copy taken",
            Self::CopyStop(_) => "copy stop",
        }
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => HELLO,
            Self::Welcome(_) => WELCOME,
            Self::Refuse(_) => REFUSE,
            Self::Data(_) => DATA,
            Self::Beat(_) => BEAT,
            Self::Ack(_) => ACK,
            Self::Want(_) => WANT,
            Self::Trimmed(_) => TRIMMED,
            Self::CopyRequest(_) => COPY_REQUEST,
            Self::CopyPage(_) => COPY_PAGE,
            Self::CopyLater(_) => COPY_LATER,
            Self::CopyTaken(_) => COPY_TAKEN,
            Self::CopyStop(_) => COPY_STOP,
        }
    }

    fn encode_body(&self, buf: &mut BytesMut) {
        match self {
            Self::Hello(hello) | Self::Welcome(hello) => hello.encode(buf),
            Self::Refuse(refusal) => refusal.encode(buf),
            Self::Data(data) => data.encode(buf),
            Self::Beat(beat) => beat.encode(buf),
            Self::Ack(ack) => ack.encode(buf),
            Self::Want(wants) => {
                put_count(buf, wants.len());
                for want in wants {
                    buf.put_u16(want.origin.0);
                    buf.put_u32(want.round);
                    buf.put_u64(want.after.0);
                    buf.put_i64(want.last.0);
                    buf.put_u64(want.directory);
                }
            }
            Self::Trimmed(trimmed) => {
                buf.put_u16(trimmed.origin.0);
                buf.put_u32(trimmed.round);
                buf.put_u64(trimmed.first.0);
            }
            Self::CopyRequest(request) | Self::CopyTaken(request) => request.encode(buf),
            Self::CopyPage(page) => page.encode(buf),
            Self::CopyLater(table) | Self::CopyStop(table) => buf.put_u64(table.0),
        }
    }
}

impl Data {
    /// Returns what the frame takes of the window; both sides count the same.
    ///
    /// Units: bytes, close to the frame's length.
    pub fn cost(&self) -> u64 {
        let records: usize = self.records.iter().map(record_cost).sum();
        32 + u64::try_from(records).unwrap_or(u64::MAX)
    }

    fn encode(&self, buf: &mut BytesMut) {
        buf.put_u16(self.origin.0);
        buf.put_u32(self.round);
        buf.put_u64(self.after.0);
        buf.put_u64(self.to.0);
        put_count(buf, self.records.len());
        for record in &self.records {
            wire::put_bytes(buf, &record.encode());
        }
    }

    fn decode(buf: &mut Bytes) -> Result<Self, WireError> {
        let origin = RegionId(wire::u16(buf, "an origin")?);
        let round = wire::u32(buf, "a round")?;
        let after = Seq(wire::u64(buf, "a position")?);
        let to = Seq(wire::u64(buf, "a position")?);
        let count = wire::count(buf, "a frame's records", FRAME_RECORDS_MAX)?;
        let mut last = after;
        let records = all(count, || {
            let record = Record::decode(wire::bytes(buf, "a record", RECORD_BYTES_MAX.as_len())?)?;
            if record.origin != origin || record.seq <= last {
                return Err(WireError::Shape("the order of a frame's records"));
            }
            last = record.seq;
            Ok(record)
        })?;
        if to < last {
            return Err(WireError::Shape("the end of a frame's records"));
        }
        Ok(Self {
            origin,
            round,
            after,
            to,
            records,
        })
    }
}

/// Returns what a record takes of a frame and of the window.
pub(crate) fn record_cost(record: &Record) -> usize {
    let changes: usize = record.changes.iter().map(Change::bytes).sum();
    32 + 10 * record.seen.iter().len() + changes
}

impl Beat {
    fn encode(&self, buf: &mut BytesMut) {
        buf.put_u64(self.head.0);
        buf.put_i64(self.horizon.0);
        buf.put_i64(self.stable.0);
        wire::put_vector(buf, &self.applied);
        wire::put_vector(buf, &self.durable);
        self.sample.encode(buf);
    }

    fn decode(buf: &mut Bytes) -> Result<Self, WireError> {
        Ok(Self {
            head: Seq(wire::u64(buf, "a position")?),
            horizon: Hlc(wire::i64(buf, "a stamp")?),
            stable: Hlc(wire::i64(buf, "a stamp")?),
            applied: wire::vector(buf)?,
            durable: wire::vector(buf)?,
            sample: Sample::decode(buf)?,
        })
    }
}

impl Ack {
    fn encode(&self, buf: &mut BytesMut) {
        buf.put_u64(self.consumed);
        wire::put_vector(buf, &self.applied);
        wire::put_vector(buf, &self.durable);
        self.sample.encode(buf);
    }

    fn decode(buf: &mut Bytes) -> Result<Self, WireError> {
        Ok(Self {
            consumed: wire::u64(buf, "a window")?,
            applied: wire::vector(buf)?,
            durable: wire::vector(buf)?,
            sample: Sample::decode(buf)?,
        })
    }
}

impl Sample {
    fn encode(&self, buf: &mut BytesMut) {
        buf.put_u64(self.said.as_micros());
        buf.put_i64(self.wall.as_micros());
        buf.put_u8(u8::from(self.echo.is_some()));
        if let Some(echo) = self.echo {
            buf.put_u64(echo.said.as_micros());
            buf.put_u64(echo.held);
        }
    }

    fn decode(buf: &mut Bytes) -> Result<Self, WireError> {
        let said = Moment::from_micros(wire::u64(buf, "a moment")?);
        let wall = WallTime::from_micros(wire::i64(buf, "a wall time")?);
        let echo = wire::option(buf, "an echo", |buf| {
            Ok(Echo {
                said: Moment::from_micros(wire::u64(buf, "a moment")?),
                held: wire::u64(buf, "an echo")?,
            })
        })?;
        Ok(Self { said, wall, echo })
    }
}

impl Want {
    fn decode(buf: &mut Bytes) -> Result<Self, WireError> {
        Ok(Self {
            origin: RegionId(wire::u16(buf, "an origin")?),
            round: wire::u32(buf, "a round")?,
            after: Seq(wire::u64(buf, "a position")?),
            last: Hlc(wire::i64(buf, "a stamp")?),
            directory: wire::u64(buf, "a directory's number")?,
        })
    }
}

fn put_count(buf: &mut BytesMut, count: usize) {
    buf.put_u32(u32::try_from(count).expect("counts in frames are bounded"));
}

/// Reads `count` elements; memory grows with what is read, not with what is announced.
pub(crate) fn all<T>(
    count: usize,
    mut read: impl FnMut() -> Result<T, WireError>,
) -> Result<Vec<T>, WireError> {
    let mut elements = Vec::with_capacity(count.min(64));
    for _ in 0..count {
        elements.push(read()?);
    }
    Ok(elements)
}

/// The format from which records tell of what an expiry ends whose write it was.
const ENDS_SINCE: u8 = 6;

const HELLO: u8 = 1;
const WELCOME: u8 = 2;
// 3 and 4 are of formats before TLS.
const REFUSE: u8 = 5;
const DATA: u8 = 16;
const BEAT: u8 = 17;
const ACK: u8 = 18;
const WANT: u8 = 19;
const TRIMMED: u8 = 20;
const COPY_REQUEST: u8 = 21;
const COPY_PAGE: u8 = 22;
const COPY_LATER: u8 = 23;
const COPY_STOP: u8 = 24;
const COPY_TAKEN: u8 = 25;

#[cfg(test)]
mod tests;
