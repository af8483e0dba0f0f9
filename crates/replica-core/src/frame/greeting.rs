//! Greeting frames: who a side is, and why it may be refused.
//!
//! They travel before either side has let the other in, so they are small and strictly bounded.

use std::ops::RangeInclusive;

use bytes::{BufMut, Bytes, BytesMut};

use base::region::RegionName;

use crate::record::WireError;
use crate::vector::Seq;
use crate::wire;

/// Who one side of a connection is, and whom it expects at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The format versions that it speaks.
    pub formats: RangeInclusive<u8>,
    /// The hash of the project's name.
    pub project: [u8; 32],
    /// Its region.
    pub region: RegionName,
    /// The region that it expects to talk to.
    pub peer: RegionName,
    /// Its data directory: a number drawn when the directory was made.
    pub incarnation: u64,
    /// The position after which this directory's log begins; said from format 2 on.
    pub begins: Seq,
}

/// Why a side does not talk to the other.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The two have no format version in common.
    #[error("it speaks link formats {min} to {max}, and none of ours")]
    Format {
        /// The oldest format that the refusing side speaks.
        min: u8,
        /// The newest.
        max: u8,
    },
    /// The other side belongs to another project.
    #[error("it belongs to another project")]
    Project,
    /// Another region than this one was expected here.
    #[error("this address is region {0}")]
    Misdirected(RegionName),
    /// The other side is no region of the project.
    #[error("region {0} is not one of its peers")]
    Stranger(RegionName),
    /// The other side shows a certificate, of the project's own authority, for another region.
    #[error("its certificate is not that of region {0}, which it says it is")]
    Certificate(RegionName),
    /// A known region came back with another data directory.
    #[error(
        "region {region} came back with another data directory, whose log begins below {had}, up \
         to where the log of the one before is known"
    )]
    Incarnation {
        /// The region.
        region: RegionName,
        /// How far the log of the other directory has been seen.
        had: Seq,
    },
    /// A region came back with an older state of its data directory.
    #[error(
        "region {region} came back with an older data directory: its log ends at {has}, \
         and up to {had} is known"
    )]
    Rewound {
        /// The region.
        region: RegionName,
        /// Where its log ends.
        has: Seq,
        /// How far others have seen its log.
        had: Seq,
    },
}

/// The format since which a greeting says where the log begins.
const BEGINS_SINCE: u8 = 2;

/// The last format whose greeting carries random bytes: TLS has its own.
const NONCES_UNTIL: u8 = 3;

impl Hello {
    pub(super) fn encode(&self, buf: &mut BytesMut) {
        buf.put_slice(&MAGIC);
        buf.put_u8(*self.formats.start());
        buf.put_u8(*self.formats.end());
        buf.put_slice(&self.project);
        wire::put_bytes(buf, self.region.as_str().as_bytes());
        wire::put_bytes(buf, self.peer.as_str().as_bytes());
        buf.put_u64(self.incarnation);
        if BEGINS_SINCE <= *self.formats.end() {
            buf.put_u64(self.begins.0);
        }
        if *self.formats.end() <= NONCES_UNTIL {
            buf.put_slice(&[0; NONCE_BYTES]);
        }
    }

    pub(super) fn decode(buf: &mut Bytes) -> Result<Self, WireError> {
        if wire::array::<4>(buf, "a greeting")? != MAGIC {
            return Err(WireError::Shape("a greeting"));
        }
        let oldest = wire::u8(buf, "a format")?;
        let newest = wire::u8(buf, "a format")?;
        // A build that speaks older formats alone is understood, to be refused by their numbers.
        let begins = |buf: &mut Bytes| {
            if newest < BEGINS_SINCE {
                return Ok(Seq(0));
            }
            wire::u64(buf, "a position").map(Seq)
        };
        let hello = Self {
            formats: oldest..=newest,
            project: wire::array(buf, "a project")?,
            region: region(buf)?,
            peer: region(buf)?,
            incarnation: wire::u64(buf, "an incarnation")?,
            begins: begins(buf)?,
        };
        if newest <= NONCES_UNTIL {
            wire::array::<NONCE_BYTES>(buf, "random bytes")?;
        }
        Ok(hello)
    }
}

impl Refusal {
    pub(super) fn encode(&self, buf: &mut BytesMut) {
        match self {
            Self::Format { min, max } => buf.put_slice(&[0, *min, *max]),
            Self::Project => buf.put_u8(1),
            Self::Misdirected(region) => put_region(buf, 2, region),
            Self::Stranger(region) => put_region(buf, 3, region),
            Self::Incarnation { region, had } => {
                put_region(buf, 5, region);
                buf.put_u64(had.0);
            }
            Self::Rewound { region, has, had } => {
                put_region(buf, 6, region);
                buf.put_u64(has.0);
                buf.put_u64(had.0);
            }
            Self::Certificate(region) => put_region(buf, 7, region),
        }
    }

    pub(super) fn decode(buf: &mut Bytes) -> Result<Self, WireError> {
        Ok(match wire::u8(buf, "a refusal")? {
            0 => Self::Format {
                min: wire::u8(buf, "a format")?,
                max: wire::u8(buf, "a format")?,
            },
            1 => Self::Project,
            2 => Self::Misdirected(region(buf)?),
            3 => Self::Stranger(region(buf)?),
            5 => Self::Incarnation {
                region: region(buf)?,
                had: Seq(wire::u64(buf, "a position")?),
            },
            6 => Self::Rewound {
                region: region(buf)?,
                has: Seq(wire::u64(buf, "a position")?),
                had: Seq(wire::u64(buf, "a position")?),
            },
            // 4 is of formats before TLS.
            7 => Self::Certificate(region(buf)?),
            found => {
                let what = "a refusal";
                return Err(WireError::Tag { what, found });
            }
        })
    }
}

fn region(buf: &mut Bytes) -> Result<RegionName, WireError> {
    let name = wire::bytes(buf, "a region's name", REGION_NAME_BYTES_MAX)?;
    std::str::from_utf8(&name)
        .ok()
        .and_then(|name| RegionName::parse(name).ok())
        .ok_or(WireError::Shape("a region's name"))
}

fn put_region(buf: &mut BytesMut, kind: u8, region: &RegionName) {
    buf.put_u8(kind);
    wire::put_bytes(buf, region.as_str().as_bytes());
}

const NONCE_BYTES: usize = 32;

/// Longest region name, as `RegionName::parse` has it.
const REGION_NAME_BYTES_MAX: usize = 32;

/// What every greeting starts with, so that a stray client is told from a peer.
const MAGIC: [u8; 4] = *b"hthr";
