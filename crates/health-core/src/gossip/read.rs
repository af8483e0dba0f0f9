//! Reading a gossip datagram.
//!
//! The layout stands in the parent module. Every read is checked; no length is believed.

use base::limits::REGIONS_MAX;
use base::region::RegionId;
use clock::time::WallTime;

use crate::check::CheckKey;
use crate::gossip::{
    DATAGRAM_BYTES_MAX, Gossip, GossipError, HEADER_BYTES, MAGIC, Row, SeenRow, Standing, VERSION,
    VoteRow,
};
use crate::judge::RegionState;
use crate::observation::Outcome;
use crate::prober::Status;
use crate::replay::Incarnation;
use crate::seal::{SEAL_BYTES, Seal};

pub(super) fn decode(datagram: &[u8], seal: &Seal) -> Result<Gossip, GossipError> {
    let length = datagram.len();
    if !(HEADER_BYTES + SEAL_BYTES..=DATAGRAM_BYTES_MAX).contains(&length) {
        return Err(GossipError::Length(length));
    }
    let (text, stated) = datagram
        .split_last_chunk::<SEAL_BYTES>()
        .ok_or(GossipError::Length(length))?;
    let mut reader = Reader(text);
    if reader.take::<2>()? != MAGIC {
        return Err(GossipError::Foreign);
    }
    let [version, standing] = reader.take()?;
    if version != VERSION {
        return Err(GossipError::UnknownVersion(version));
    }
    if u64::from_be_bytes(reader.take()?) != seal.project().0 {
        return Err(GossipError::OtherProject);
    }
    if !seal.is_of(text, stated) {
        return Err(GossipError::Seal);
    }
    read_inside(reader, standing)
}

fn read_inside(mut reader: Reader<'_>, standing: u8) -> Result<Gossip, GossipError> {
    let standing = match standing {
        0 => Standing::Serving,
        1 => Standing::Draining,
        2 => Standing::Leaving,
        _ => return Err(GossipError::Malformed("standing")),
    };
    let sender = RegionId(u16::from_be_bytes(reader.take()?));
    let incarnation = Incarnation(u64::from_be_bytes(reader.take()?));
    let sequence = u64::from_be_bytes(reader.take()?);
    let sent_micros = u64::from_be_bytes(reader.take()?);
    let wall = WallTime::from_micros(i64::from_be_bytes(reader.take()?));
    let [part, parts, rows, votes] = reader.take()?;
    if incarnation.0 == 0 {
        return Err(GossipError::Malformed("incarnation"));
    }
    if part >= parts {
        return Err(GossipError::Malformed("part"));
    }
    if usize::from(rows) > REGIONS_MAX || part > 0 && rows > 0 {
        return Err(GossipError::Malformed("number of rows"));
    }
    let rows = (0..rows)
        .map(|_| read_row(&mut reader))
        .collect::<Result<_, _>>()?;
    let votes = (0..votes)
        .map(|_| read_vote(&mut reader))
        .collect::<Result<_, _>>()?;
    if !reader.0.is_empty() {
        return Err(GossipError::Malformed("length"));
    }
    Ok(Gossip {
        sender,
        incarnation,
        sequence,
        sent_micros,
        wall,
        standing,
        part,
        parts,
        rows,
        votes,
    })
}

fn read_row(reader: &mut Reader<'_>) -> Result<Row, GossipError> {
    let region = RegionId(u16::from_be_bytes(reader.take()?));
    let [hearing] = reader.take()?;
    let state = match hearing >> 1 {
        0 => RegionState::Up,
        1 => RegionState::Suspect,
        2 => RegionState::Down,
        _ => return Err(GossipError::Malformed("row")),
    };
    Ok(Row {
        region,
        missed: hearing & 1 == 1,
        state,
        silence_ms: u16::from_be_bytes(reader.take()?),
        incarnation: Incarnation(u64::from_be_bytes(reader.take()?)),
        echo_micros: u64::from_be_bytes(reader.take()?),
    })
}

fn read_vote(reader: &mut Reader<'_>) -> Result<VoteRow, GossipError> {
    let check = CheckKey(u64::from_be_bytes(reader.take()?));
    let [flags, code] = reader.take()?;
    let http = u16::from_be_bytes(reader.take()?);
    let age_tenths = u16::from_be_bytes(reader.take()?);
    let status = match flags & 0b11 {
        0 if (flags, code, http, age_tenths) == (0, 0, 0, 0) => {
            return Ok(VoteRow { check, seen: None });
        }
        1 => Status::Healthy,
        2 => Status::Unhealthy,
        _ => return Err(GossipError::Malformed("vote")),
    };
    if flags > 0b111 {
        return Err(GossipError::Malformed("vote"));
    }
    let outcome = Outcome::of_code(code, http).ok_or(GossipError::Malformed("outcome"))?;
    let seen = SeenRow {
        status,
        wavering: flags & 0b100 != 0,
        outcome,
        age_tenths,
    };
    Ok(VoteRow {
        check,
        seen: Some(seen),
    })
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], GossipError> {
        let (head, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(GossipError::Malformed("length"))?;
        self.0 = rest;
        Ok(*head)
    }
}
